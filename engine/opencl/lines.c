/* lines.c - kernels along one dim of dense tensors: softmax, its logarithm and gradients; the largest and
 * smallest element with its index. A line is worked on by one item, or by a group where lines are long and
 * few. */
#include "engine/opencl/internal.h"

#include <stdio.h>

/* Mirrors kernels/lines.cl: lines of n elements, `inner` apart; offsets of in[0], in[1], out[0], out[1]. */
typedef struct Lines {
    cl_long lines, n, inner;
    cl_long offset[4];
} Lines;

typedef struct Plan {
    const ClDevice *device;
    DType dtype;
} Plan;

static bool write_source(Text *t, const void *context)
{
    const Plan *p = context;
    write_prelude(t, p->device, p->dtype, true);
    text_add(t, "#define GROUP %zu\n", p->device->group);
    text_put(t, cl_source("lines"));
    return !t->failed;
}

static bool run(const char *row, const Tensor *a, const Tensor *b, const Tensor *y, const Tensor *index,
                int dim)
{
    ClDevice *device = cl_device_of(a);
    if (!device || !check_float64(device, &a, 1, (DType)a->dtype)) return false;
    if (a->numel == 0) return true;
    Lines w = {.n = a->ndim ? a->shape[dim] : 1,
               .inner = 1,
               .offset = {a->offset, b ? b->offset : 0, y->offset, index ? index->offset : 0}};
    for (int d = dim + 1; d < a->ndim; d++) w.inner *= a->shape[d];
    w.lines = a->numel / w.n;
    bool grouped = w.n > 64 && w.lines < 16384;
    Plan p = {device, (DType)a->dtype};
    char key[64], name[64];
    snprintf(key, sizeof key, "lines %s", dtype_name(p.dtype));
    snprintf(name, sizeof name, "%s_%s", grouped ? "group" : "item", row);
    Launch l = launch_begin(device, cl_program_kernel(device, key, name, write_source, &p));
    launch_tensor(&l, a);
    launch_tensor(&l, b ? b : a);
    launch_tensor(&l, y);
    launch_tensor(&l, index ? index : y);
    launch_value(&l, &w, sizeof w);
    size_t groups = (size_t)w.lines;
    return grouped ? launch_groups(&l, 1, &groups, &device->group) : launch_run(&l, groups);
}

/* in[0] x; arg[1] the dim. */
bool opencl_softmax(const Call *call)
{
    return run("softmax", call->in[0], NULL, call->out[0], NULL, (int)call->arg[1].i);
}

bool opencl_log_softmax(const Call *call)
{
    return run("log_softmax", call->in[0], NULL, call->out[0], NULL, (int)call->arg[1].i);
}

/* in[0] g, in[1] the result; arg[2] the dim. */
bool opencl_softmax_backward(const Call *call)
{
    return run("softmax_backward", call->in[0], call->in[1], call->out[0], NULL, (int)call->arg[2].i);
}

bool opencl_log_softmax_backward(const Call *call)
{
    return run("log_softmax_backward", call->in[0], call->in[1], call->out[0], NULL, (int)call->arg[2].i);
}

/* in[0] lines along the last dim; out[0] one value a line, out[1] its index, int64. */
bool opencl_max_dim(const Call *call)
{
    return run("max", call->in[0], NULL, call->out[0], call->out[1], call->in[0]->ndim - 1);
}

bool opencl_min_dim(const Call *call)
{
    return run("min", call->in[0], NULL, call->out[0], call->out[1], call->in[0]->ndim - 1);
}
