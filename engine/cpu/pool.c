/* pool.c - pooling of planes.
 *
 * The kernels max_pool2d_with_indices, avg_pool2d and grid_means and the last two's gradients. x is
 * (planes, h, w), y (planes, out h, out w), both dense, float or double; the largest elements' places are int64.
 * arg[0] and arg[1] are the two dims' {kernel, stride, padding, dilation}, kernel 0 for a grid of even
 * cells; arg[2] is the divisor, 0 for a window's own size, arg[3] whether that counts padding.
 * Forward: in x, out y and perhaps places. Backward: in y, out x. */
#include "engine/cpu/kernels.h"
#include "engine/cpu/threads.h"

#include <math.h>
#include <string.h>

typedef struct Axis {
    int64_t in, out, kernel, stride, padding, dilation;
} Axis;

/* What a window covers of a dim; extent counts the padding too. */
typedef struct Range {
    int64_t begin, end, step, extent;
} Range;

typedef struct Pool {
    Axis h, w;
    void *x, *y;
    int64_t *places;
    int64_t divisor;
    bool padded, back, single;
} Pool;

static Range range_of(const Axis *a, int64_t i)
{
    if (a->kernel == 0) {
        int64_t begin = i * a->in / a->out, end = ((i + 1) * a->in + a->out - 1) / a->out;
        return (Range){begin, end, 1, end - begin};
    }
    int64_t begin = i * a->stride - a->padding, end = begin + (a->kernel - 1) * a->dilation + 1;
    if (end > a->in + a->padding) end = a->in + a->padding;
    Range r = {begin, end < a->in ? end : a->in, a->dilation, end - begin};
    if (begin < 0) r.begin += (-begin + a->dilation - 1) / a->dilation * a->dilation;
    return r;
}

#define T       float
#define NAME(f) f##_f32
#include "engine/cpu/pool.inc"
#define T       double
#define NAME(f) f##_f64
#include "engine/cpu/pool.inc"

static void planes_range(int64_t begin, int64_t end, void *context)
{
    const Pool *p = context;
    for (int64_t i = begin; i < end; i++) {
        if (p->places)
            (p->single ? largest_f32 : largest_f64)(p, i);
        else
            (p->single ? mean_f32 : mean_f64)(p, i, p->back);
    }
}

static Axis axis_of(const Tensor *x, const Tensor *y, int dim, const Dims *window)
{
    const int64_t *v = window->v;
    return (Axis){x->shape[dim], y->shape[dim], v[0], v[1], v[2], v[3]};
}

static bool run_pool(const Call *call, const Tensor *x, const Tensor *y)
{
    Pool p = {
        .h = axis_of(x, y, 1, call->arg[0].dims),
        .w = axis_of(x, y, 2, call->arg[1].dims),
        .x = tensor_data(x),
        .y = tensor_data(y),
        .places = call->nout > 1 ? tensor_data(call->out[1]) : NULL,
        .divisor = call->arg[2].i,
        .padded = call->arg[3].b,
        .back = x == call->out[0],
        .single = x->dtype == DT_F32,
    };
    return parallel_for(x->shape[0], GRAIN / (p.h.in * p.w.in + 1) + 1, planes_range, &p);
}

bool cpu_max_pool2d_with_indices(const Call *call) { return run_pool(call, call->in[0], call->out[0]); }

bool cpu_adaptive_max_pool2d_with_indices(const Call *call)
{
    return run_pool(call, call->in[0], call->out[0]);
}

bool cpu_avg_pool2d(const Call *call) { return run_pool(call, call->in[0], call->out[0]); }

bool cpu_avg_pool2d_backward(const Call *call) { return run_pool(call, call->out[0], call->in[0]); }

bool cpu_grid_means(const Call *call) { return run_pool(call, call->in[0], call->out[0]); }

bool cpu_grid_means_backward(const Call *call) { return run_pool(call, call->out[0], call->in[0]); }
