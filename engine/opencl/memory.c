/* memory.c - device buffers: taken from and given back to lists by size, so that ops rarely ask the driver.
 */
#include "engine/opencl/internal.h"

#include "engine/store.h"

#include <stdlib.h>

/* Sizes are rounded up to quarters of a power of two. A buffer that is given back may still be used by
 * commands in flight: the queue is in order, so whatever takes it next runs after them. */
struct FreeBuffer {
    FreeBuffer *next;
    cl_mem buffer;
};

enum { MIN_SHIFT = 8, STEPS = 4 };
#define CACHE_FLOOR ((size_t)256 << 20)

static int size_class(size_t bytes, size_t *rounded)
{
    if (bytes < (size_t)1 << MIN_SHIFT) bytes = (size_t)1 << MIN_SHIFT;
    int shift = 63 - __builtin_clzll(bytes);
    size_t step = ((size_t)1 << shift) / STEPS, steps = (bytes - ((size_t)1 << shift) + step - 1) / step;
    *rounded = ((size_t)1 << shift) + steps * step;
    return (shift - MIN_SHIFT) * STEPS + (int)steps;
}

static void trim(ClDevice *d)
{
    for (int c = 0; c < CL_CLASSES; c++)
        while (d->free_buffers[c]) {
            FreeBuffer *f = d->free_buffers[c];
            d->free_buffers[c] = f->next;
            clReleaseMemObject(f->buffer);
            free(f);
        }
    d->cached = 0;
}

static bool refuse_memory(const ClDevice *d, size_t bytes)
{
    const double gib = 1024. * 1024 * 1024;
    return tide_refuse(
        "RuntimeError",
        "OpenCL out of memory. Tried to allocate %.2f GiB. opencl:%d (%s) has a total capacity of "
        "%.2f GiB, at most %.2f GiB in one tensor; %.2f GiB are in use by tensors.",
        (double)bytes / gib, d->index, d->name, (double)d->memory / gib, (double)d->max_alloc / gib,
        (double)d->live / gib);
}

static cl_mem create(ClDevice *d, size_t bytes)
{
    cl_int status;
    cl_mem buffer = clCreateBuffer(d->context, CL_MEM_READ_WRITE, bytes, NULL, &status);
    if (status != CL_SUCCESS && d->cached) { /* what waits in the lists may be what is missing */
        trim(d);
        clFinish(d->queue);
        buffer = clCreateBuffer(d->context, CL_MEM_READ_WRITE, bytes, NULL, &status);
    }
    if (status == CL_SUCCESS) return buffer;
    refuse_memory(d, bytes);
    return NULL;
}

cl_mem cl_buffer_take(ClDevice *d, size_t bytes)
{
    size_t rounded;
    if (bytes > d->max_alloc) {
        refuse_memory(d, bytes);
        return NULL;
    }
    int c = size_class(bytes, &rounded);
    FreeBuffer *f = d->free_buffers[c];
    cl_mem buffer;
    if (f) {
        d->free_buffers[c] = f->next;
        d->cached -= rounded;
        buffer = f->buffer;
        free(f);
    } else if (!(buffer = create(d, rounded > d->max_alloc ? bytes : rounded))) {
        return NULL;
    }
    d->live += bytes;
    return buffer;
}

void cl_buffer_give(ClDevice *d, cl_mem buffer, size_t bytes)
{
    size_t rounded, limit = d->live > CACHE_FLOOR ? d->live : CACHE_FLOOR;
    int c = size_class(bytes, &rounded);
    d->live -= bytes;
    FreeBuffer *f = d->cached + rounded > limit || rounded > d->max_alloc ? NULL : malloc(sizeof *f);
    if (!f) {
        clReleaseMemObject(buffer); /* the runtime keeps it until the last command that uses it is done */
        return;
    }
    *f = (FreeBuffer){d->free_buffers[c], buffer};
    d->free_buffers[c] = f;
    d->cached += rounded;
}
