/* lines.c - kernels along the last dim: the largest and smallest element, running sums, products and
 * extremes.
 *
 * in[0] and all outputs are row-major; the line is the last dim; types have no 16-bit floats and no bool. */
#include "engine/cpu/lines.h"

#include <math.h>

/* x != x asks for NaN, which integers do not have. */
#pragma GCC diagnostic ignored "-Wtautological-compare"

#define T       uint8_t
#define S       int64_t
#define NAME(f) f##_u8
#include "engine/cpu/lines.inc"
#define T       int8_t
#define S       int64_t
#define NAME(f) f##_i8
#include "engine/cpu/lines.inc"
#define T       int16_t
#define S       int64_t
#define NAME(f) f##_i16
#include "engine/cpu/lines.inc"
#define T       int32_t
#define S       int64_t
#define NAME(f) f##_i32
#include "engine/cpu/lines.inc"
#define T       int64_t
#define S       int64_t
#define NAME(f) f##_i64
#include "engine/cpu/lines.inc"
#define T       float
#define S       double
#define NAME(f) f##_f32
#define WITH_EXP
#include "engine/cpu/lines.inc"
#define T       double
#define S       double
#define NAME(f) f##_f64
#define WITH_EXP
#include "engine/cpu/lines.inc"

/* One line: n elements of x, the result and, where there is one, the index. */
typedef void (*LineFn)(const void *from, int64_t n, void *to, int64_t *index);

#define EACH_TYPE(f)                                                                                         \
    {                                                                                                        \
        [DT_U8] = f##_u8, [DT_I8] = f##_i8, [DT_I16] = f##_i16, [DT_I32] = f##_i32, [DT_I64] = f##_i64,      \
        [DT_F32] = f##_f32, [DT_F64] = f##_f64                                                               \
    }

typedef struct Work {
    LineFn fn;
    const Tensor *x, *y, *index;
} Work;

static void run_lines(int64_t begin, int64_t end, void *context)
{
    const Work *w = context;
    int64_t n = line_length(w->x);
    for (int64_t i = begin; i < end; i++)
        w->fn(line_at(w->x, i), n, line_at(w->y, i), w->index ? (int64_t *)line_at(w->index, i) : NULL);
}

static bool all_lines(const Call *call, const LineFn *fns)
{
    const Tensor *x = call->in[0];
    Work w = {fns[x->dtype], x, call->out[0], call->nout > 1 ? call->out[1] : NULL};
    if (x->numel == 0)
        return true;
    return parallel_for(line_count(x), line_grain(line_length(x)), run_lines, &w);
}

/* out[0] values and out[1] indices, of one element a line. */
bool cpu_max_dim(const Call *call)
{
    static const LineFn fns[DT_COUNT] = EACH_TYPE(max);
    return all_lines(call, fns);
}

bool cpu_min_dim(const Call *call)
{
    static const LineFn fns[DT_COUNT] = EACH_TYPE(min);
    return all_lines(call, fns);
}

/* out[0] of x's shape. */
bool cpu_cumsum(const Call *call)
{
    static const LineFn fns[DT_COUNT] = EACH_TYPE(cumsum);
    return all_lines(call, fns);
}

bool cpu_cumprod(const Call *call)
{
    static const LineFn fns[DT_COUNT] = EACH_TYPE(cumprod);
    return all_lines(call, fns);
}

/* float32 and float64 only. */
bool cpu_logcumsumexp(const Call *call)
{
    static const LineFn fns[DT_COUNT] = {[DT_F32] = logcumsumexp_f32, [DT_F64] = logcumsumexp_f64};
    return all_lines(call, fns);
}

/* out[0] values and out[1] indices, of x's shape. */
bool cpu_cummax(const Call *call)
{
    static const LineFn fns[DT_COUNT] = EACH_TYPE(cummax);
    return all_lines(call, fns);
}

bool cpu_cummin(const Call *call)
{
    static const LineFn fns[DT_COUNT] = EACH_TYPE(cummin);
    return all_lines(call, fns);
}
