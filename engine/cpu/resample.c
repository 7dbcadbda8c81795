/* resample.c - one dim read at other places: nearest, linear and cubic interpolation and their transposes.
 *
 * The kernels resample and resample_backward. x is (outer, n, inner), y (outer, m, inner), both dense, float
 * or double. arg[0] is the Interpolation, arg[1] whether the outermost elements lie on the outermost places,
 * arg[2] how many places one element makes, 0 for m / n. Places and weights are found in the elements'
 * precision, as PyTorch finds them. resample: in x, out y. resample_backward: in y, out x. */
#include "engine/cpu/kernels.h"
#include "engine/cpu/threads.h"
#include "engine/resample.h"
#include "engine/store.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_TAPS = 4 };

typedef struct Line {
    int64_t outer, n, m, inner;
    int taps;
    int64_t *at;  /* (m, taps): which elements of x make an element of y */
    void *weight; /* (m, taps): how much of each */
    void *x, *y;
    bool back, single;
} Line;

#define T       float
#define FLOOR   floorf
#define NAME(f) f##_f32
#include "engine/cpu/resample.inc"
#define T       double
#define FLOOR   floor
#define NAME(f) f##_f64
#include "engine/cpu/resample.inc"

static void lines_range(int64_t begin, int64_t end, void *context)
{
    const Line *l = context;
    for (int64_t i = begin; i < end; i++) (l->single ? line_f32 : line_f64)(l, i);
}

static bool run_resample(const Call *call, const Tensor *x, const Tensor *y)
{
    Interpolation mode = (Interpolation)call->arg[0].i;
    Line l = {
        .outer = x->shape[0],
        .n = x->shape[1],
        .m = y->shape[1],
        .inner = x->shape[2],
        .taps = mode == CUBIC    ? 4
                : mode == LINEAR ? 2
                                 : 1,
        .x = tensor_data(x),
        .y = tensor_data(y),
        .back = x == call->out[0],
        .single = x->dtype == DT_F32,
    };
    size_t bytes = (size_t)(l.m * l.taps) * (sizeof(int64_t) + sizeof(double));
    l.at = tide_malloc(bytes + 1);
    if (!l.at) return false;
    l.weight = l.at + l.m * l.taps;
    bool align = call->arg[1].b;
    double scale = call->arg[2].f;
    (l.single ? weigh_f32 : weigh_f64)(&l, mode, align, scale);
    bool ok = parallel_for(l.outer, GRAIN / (l.m * l.inner + 1) + 1, lines_range, &l);
    free(l.at);
    return ok;
}

bool cpu_resample(const Call *call) { return run_resample(call, call->in[0], call->out[0]); }

bool cpu_resample_backward(const Call *call) { return run_resample(call, call->out[0], call->in[0]); }
