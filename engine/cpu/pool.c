/* pool.c - pooling of volumes; a plane is a volume of depth 1.
 *
 * The kernels max_pool…d_with_indices, avg_pool…d and grid_means and the last two's gradients. x is
 * (volumes, d, h, w), y (volumes, out d, out h, out w), both dense, float or double; the largest elements'
 * places are int64. arg[0] … arg[2] are the three dims' {kernel, stride, padding, dilation}, kernel 0 for a
 * grid of even cells; arg[3] is the divisor, 0 for a window's own size, arg[4] whether that counts padding.
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
    Axis d, h, w;
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

static void volumes_range(int64_t begin, int64_t end, void *context)
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
        .d = axis_of(x, y, 1, call->arg[0].dims),
        .h = axis_of(x, y, 2, call->arg[1].dims),
        .w = axis_of(x, y, 3, call->arg[2].dims),
        .x = tensor_data(x),
        .y = tensor_data(y),
        .places = call->nout > 1 ? tensor_data(call->out[1]) : NULL,
        .divisor = call->arg[3].i,
        .padded = call->arg[4].b,
        .back = x == call->out[0],
        .single = x->dtype == DT_F32,
    };
    return parallel_for(x->shape[0], GRAIN / (p.d.in * p.h.in * p.w.in + 1) + 1, volumes_range, &p);
}

/* Forwards read x and write y; backwards write x from y. */
#define POOL(name, from, to)                                                                                 \
    bool cpu_##name(const Call *call) { return run_pool(call, call->from[0], call->to[0]); }

POOL(max_pool2d_with_indices, in, out)
POOL(max_pool3d_with_indices, in, out)
POOL(adaptive_max_pool2d_with_indices, in, out)
POOL(adaptive_max_pool3d_with_indices, in, out)
POOL(avg_pool2d, in, out)
POOL(avg_pool3d, in, out)
POOL(grid_means, in, out)
POOL(grid_means3, in, out)
POOL(avg_pool2d_backward, out, in)
POOL(avg_pool3d_backward, out, in)
POOL(grid_means_backward, out, in)
POOL(grid_means3_backward, out, in)
