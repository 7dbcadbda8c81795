/* launch.c - handing kernels to the queue, and waiting for it so that Ctrl-C is answered. */
#include "engine/opencl/internal.h"

#include <time.h>

/* ---- waiting ---- */

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Asks again and again: at first without sleeping, as most waits are short, then in naps of at most 2 ms. A
 * CPU device computes with the cores that asking would keep busy, so there the naps begin at once. */
static bool event_wait(const ClDevice *d, cl_event event)
{
    const double patience = d->is_cpu ? 2e-6 : 200e-6, started = seconds();
    long nap = 10000;
    for (;;) {
        cl_int state;
        if (!cl_ok(clGetEventInfo(event, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof state, &state, NULL),
                   "clGetEventInfo"))
            return false;
        if (state < 0) return cl_ok(state, "a command failed");
        if (state == CL_COMPLETE) return true;
        if (tide_check_interrupt()) return false;
        if (seconds() - started < patience) continue;
        nanosleep(&(struct timespec){.tv_nsec = nap}, NULL);
        if (nap < 2000000) nap += nap / 2;
    }
}

static void drop_mark(ClDevice *d)
{
    if (d->mark) clReleaseEvent(d->mark);
    d->mark = NULL;
}

bool queue_wait(ClDevice *d)
{
    cl_event done;
    drop_mark(d);
    if (!cl_ok(clEnqueueMarkerWithWaitList(d->queue, 0, NULL, &done), "clEnqueueMarkerWithWaitList"))
        return false;
    bool ok = cl_ok(clFlush(d->queue), "clFlush") && event_wait(d, done);
    clReleaseEvent(done);
    if (ok) d->unflushed = 0;
    return ok;
}

/* Keeps the host at most 2 * RUN_AHEAD commands ahead, so that an interrupt does not find a queue of minutes.
 */
enum { RUN_AHEAD = 128 };

static bool keep_pace(ClDevice *d)
{
    if (++d->unflushed < RUN_AHEAD) return true;
    d->unflushed = 0;
    if (d->mark && !event_wait(d, d->mark)) return false;
    drop_mark(d);
    return cl_ok(clEnqueueMarkerWithWaitList(d->queue, 0, NULL, &d->mark), "clEnqueueMarkerWithWaitList") &&
           cl_ok(clFlush(d->queue), "clFlush");
}

/* ---- launching ---- */

Launch launch_begin(ClDevice *device, cl_kernel kernel)
{
    return (Launch){.device = device, .kernel = kernel, .ok = device && kernel};
}

void launch_value(Launch *l, const void *value, size_t size)
{
    if (l->ok) l->ok = cl_ok(clSetKernelArg(l->kernel, l->narg++, size, value), "clSetKernelArg");
}

void launch_buffer(Launch *l, cl_mem buffer)
{
    launch_value(l, &buffer, sizeof buffer);
}

void launch_tensor(Launch *l, const Tensor *t)
{
    launch_buffer(l, cl_buffer_of(t));
}

bool launch_groups(Launch *l, int dims, const size_t *groups, const size_t *group)
{
    size_t items[3];
    if (!l->ok || tide_check_interrupt()) return false;
    for (int i = 0; i < dims; i++)
        if (__builtin_mul_overflow(groups[i], group[i], &items[i]))
            return tide_refuse("RuntimeError", "OpenCL: too many work items");
    cl_int status =
        clEnqueueNDRangeKernel(l->device->queue, l->kernel, (cl_uint)dims, NULL, items, group, 0, NULL, NULL);
    return cl_ok(status, "clEnqueueNDRangeKernel") && keep_pace(l->device);
}

bool launch_run(Launch *l, size_t items)
{
    size_t group = l->ok ? l->device->group : 1, groups = (items + group - 1) / group;
    return launch_groups(l, 1, &groups, &group);
}
