/* index.c - kernels that read or write at computed places: index, index_put, gather, scatter and its
 * reductions.
 *
 * All of them are one walk over three operands: the place in x before the index is added (stride 0 along the
 * indexed dim), the index, and the result or the source. An index counts in units of so many bytes of x. */
#include "engine/cpu/kernels.h"
#include "engine/cpu/iterate.h"

#include <string.h>

/* Of bools * means "and". */
#pragma GCC diagnostic ignored "-Wint-in-bool-context"

/* ---- reading: out[…] = x[… + index] ---- */

typedef struct Reading {
    size_t size;  /* of an element */
    int64_t unit; /* bytes of x that an index of 1 stands for */
} Reading;

#define TAKE(T)                                                                                              \
    for (int64_t i = 0; i < n; i++)                                                                          \
    *(T *)(out + i * so) = *(const T *)(x + i * sx + *(const int64_t *)(index + i * si) * unit)

static void take_row(char *out, int64_t so, const char *x, int64_t sx, const char *index, int64_t si,
                     int64_t n, size_t size, int64_t unit)
{
    if (si == 0 && so == (int64_t)size && sx == so) {
        memcpy(out, x + *(const int64_t *)index * unit, (size_t)n * size);
        return;
    }
    switch (size) {
    case 1: TAKE(uint8_t); break;
    case 2: TAKE(uint16_t); break;
    case 4: TAKE(uint32_t); break;
    default: TAKE(uint64_t); break;
    }
}

static void take_tile(const Tile *tile, void *context)
{
    const Reading *r = context;
    const int64_t *in = tile->inner, *by = tile->outer;
    for (int64_t j = 0; j < tile->n1; j++)
        take_row(tile->data[0] + j * by[0], in[0], tile->data[1] + j * by[1], in[1],
                 tile->data[2] + j * by[2], in[2], tile->n0, r->size, r->unit);
}

/* in[0] x's rest dims, in[1] offsets (m) in elements, out[0] (m, …rest). */
bool cpu_index(const Call *call)
{
    const Tensor *x = call->in[0], *offsets = call->in[1], *out = call->out[0];
    int64_t sx[TIDE_MAXDIM] = {0}, si[TIDE_MAXDIM] = {0};
    size_t size = dtype_size((DType)out->dtype);
    for (int d = 1; d < out->ndim; d++)
        sx[d] = x->stride[d - 1];
    si[0] = offsets->stride[0];
    Iter it;
    iter_begin(&it, out->ndim, out->shape);
    iter_add(&it, tensor_data(out), out->stride, size);
    iter_add(&it, tensor_data(x), sx, size);
    iter_add(&it, tensor_data(offsets), si, sizeof(int64_t));
    iter_order(&it);
    return iter_run(&it, GRAIN / 4, take_tile, &(Reading){size, (int64_t)size});
}

/* in[0] x, in[1] index, of as many dims; out[0] of index's shape; arg[1] the dim. Indices are in range. */
bool cpu_gather(const Call *call)
{
    const Tensor *x = call->in[0], *index = call->in[1], *out = call->out[0];
    int64_t sx[TIDE_MAXDIM], dim = call->arg[1].i;
    size_t size = dtype_size((DType)out->dtype);
    for (int d = 0; d < out->ndim; d++)
        sx[d] = d == dim ? 0 : x->stride[d];
    Iter it;
    iter_begin(&it, out->ndim, out->shape);
    iter_add(&it, tensor_data(out), out->stride, size);
    iter_add(&it, tensor_data(x), sx, size);
    iter_add(&it, tensor_data(index), index->stride, sizeof(int64_t));
    iter_order(&it);
    return iter_run(&it, GRAIN / 4, take_tile, &(Reading){size, x->stride[dim] * (int64_t)size});
}

/* ---- writing: x[… + index] is combined with src[…] ---- */

typedef void (*PutFn)(char *x, int64_t sx, const char *index, int64_t si, const char *src, int64_t ss,
                      int64_t n, int64_t unit);

enum { PUT_SET, PUT_ADD, PUT_MUL, PUT_MAX, PUT_MIN, PUT_COUNT };

#define PLAIN(v) (v)
#define T        uint8_t
#define NAME(f)  f##_u8
#define LOAD     PLAIN
#define STORE    (T)
#include "engine/cpu/scatter.inc"
#define T       int8_t
#define NAME(f) f##_i8
#define LOAD    PLAIN
#define STORE   (T)
#include "engine/cpu/scatter.inc"
#define T       int16_t
#define NAME(f) f##_i16
#define LOAD    PLAIN
#define STORE   (T)
#include "engine/cpu/scatter.inc"
#define T       int32_t
#define NAME(f) f##_i32
#define LOAD    PLAIN
#define STORE   (T)
#include "engine/cpu/scatter.inc"
#define T       int64_t
#define NAME(f) f##_i64
#define LOAD    PLAIN
#define STORE   (T)
#include "engine/cpu/scatter.inc"
#define T       float
#define NAME(f) f##_f32
#define LOAD    PLAIN
#define STORE   (T)
#include "engine/cpu/scatter.inc"
#define T       double
#define NAME(f) f##_f64
#define LOAD    PLAIN
#define STORE   (T)
#include "engine/cpu/scatter.inc"
#define T       f16
#define NAME(f) f##_f16
#define LOAD    f16_to_f32
#define STORE   f32_to_f16
#include "engine/cpu/scatter.inc"
#define T       bf16
#define NAME(f) f##_bf16
#define LOAD    bf16_to_f32
#define STORE   f32_to_bf16
#include "engine/cpu/scatter.inc"
#define T       bool
#define NAME(f) f##_bool
#define LOAD    PLAIN
#define STORE   (T)
#include "engine/cpu/scatter.inc"

#define PUTS(suffix)                                                                                         \
    {                                                                                                        \
        set_##suffix, add_##suffix, mul_##suffix, max_##suffix, min_##suffix                                 \
    }
static const PutFn put_fns[DT_COUNT][PUT_COUNT] = {
    [DT_BOOL] = PUTS(bool), [DT_U8] = PUTS(u8),   [DT_I8] = PUTS(i8),   [DT_I16] = PUTS(i16),
    [DT_I32] = PUTS(i32),   [DT_I64] = PUTS(i64), [DT_F16] = PUTS(f16), [DT_BF16] = PUTS(bf16),
    [DT_F32] = PUTS(f32),   [DT_F64] = PUTS(f64)};

typedef struct Writing {
    PutFn put;
    int ndim, split; /* split: the dim whose parts go to different threads, -1: none */
    int64_t unit;    /* bytes of x that an index of 1 stands for */
    int64_t shape[TIDE_MAXDIM];
    int64_t sx[TIDE_MAXDIM], si[TIDE_MAXDIM],
        ss[TIDE_MAXDIM]; /* strides in elements; sx is 0 along the indexed dim */
    char *x, *index, *src;
    size_t size;
} Writing;

static void put_tile(const Tile *tile, void *context)
{
    const Writing *w = context;
    const int64_t *in = tile->inner, *by = tile->outer;
    for (int64_t j = 0; j < tile->n1; j++)
        w->put(tile->data[1] + j * by[1], in[1], tile->data[2] + j * by[2], in[2], tile->data[0] + j * by[0],
               in[0], tile->n0, w->unit);
}

/* Everything with split's index in begin … end-1. Along the indexed dim the order is upwards, so that sums
 * come out the same on any number of threads and the last of several writes stays. */
static void put_part(int64_t begin, int64_t end, void *context)
{
    const Writing *w = context;
    int64_t shape[TIDE_MAXDIM];
    char *x = w->x, *index = w->index, *src = w->src;
    memcpy(shape, w->shape, sizeof shape);
    if (w->split >= 0) {
        shape[w->split] = end - begin;
        x += begin * w->sx[w->split] * (int64_t)w->size;
        index += begin * w->si[w->split] * (int64_t)sizeof(int64_t);
        src += begin * w->ss[w->split] * (int64_t)w->size;
    }
    Iter it;
    iter_begin(&it, w->ndim, shape);
    iter_add(&it, src, w->ss, w->size);
    iter_add(&it, x, w->sx, w->size);
    iter_add(&it, index, w->si, sizeof(int64_t));
    iter_order(&it);
    iter_range(&it, 0, it.numel, put_tile, context);
}

/* Only a dim that leads to other places of x may be split among threads. */
static bool put_all(Writing *w)
{
    int64_t numel = 1;
    w->split = -1;
    for (int d = 0; d < w->ndim; d++) {
        numel *= w->shape[d];
        if (w->sx[d] != 0 && (w->split < 0 || w->shape[d] > w->shape[w->split]))
            w->split = d;
    }
    if (numel == 0)
        return true;
    if (w->split < 0) {
        put_part(0, 1, w);
        return true;
    }
    int64_t each = numel / w->shape[w->split], grain = GRAIN / (each > 0 ? each : 1) + 1;
    if (w->sx[w->split] == 1 && grain < 64)
        grain = 64; /* whole cache lines a thread */
    return parallel_for(w->shape[w->split], grain, put_part, w);
}

/* in[0] offsets (m) in elements, in[1] values (m, …rest), out[0] x's rest dims; arg[3] whether values are
 * added. */
bool cpu_index_put(const Call *call)
{
    const Tensor *offsets = call->in[0], *values = call->in[1], *x = call->out[0];
    size_t size = dtype_size((DType)x->dtype);
    Writing w = {.put = put_fns[x->dtype][call->arg[3].b ? PUT_ADD : PUT_SET],
                 .ndim = values->ndim,
                 .unit = (int64_t)size,
                 .x = tensor_data(x),
                 .index = tensor_data(offsets),
                 .src = tensor_data(values),
                 .size = size};
    for (int d = 0; d < values->ndim; d++) {
        w.shape[d] = values->shape[d];
        w.ss[d] = values->stride[d];
        w.sx[d] = d ? x->stride[d - 1] : 0;
    }
    w.si[0] = offsets->stride[0];
    return put_all(&w);
}

/* in[0] index, in[1] src, out[0] x, of as many dims; arg[1] the dim. Runs over index's shape; indices are in
 * range. */
static bool scatter(const Call *call, int how)
{
    const Tensor *index = call->in[0], *src = call->in[1], *x = call->out[0];
    size_t size = dtype_size((DType)x->dtype);
    int64_t dim = call->arg[1].i;
    Writing w = {.put = put_fns[x->dtype][how],
                 .ndim = index->ndim,
                 .unit = x->stride[dim] * (int64_t)size,
                 .x = tensor_data(x),
                 .index = tensor_data(index),
                 .src = tensor_data(src),
                 .size = size};
    for (int d = 0; d < index->ndim; d++) {
        w.shape[d] = index->shape[d];
        w.ss[d] = src->stride[d];
        w.si[d] = index->stride[d];
        w.sx[d] = d == dim ? 0 : x->stride[d];
    }
    return put_all(&w);
}

bool cpu_scatter(const Call *call)
{
    return scatter(call, PUT_SET);
}

bool cpu_scatter_add(const Call *call)
{
    return scatter(call, PUT_ADD);
}

/* arg[4]: 0 sum, 1 prod, 2 mean (the sum; its division is the caller's), 3 amax, 4 amin. */
bool cpu_scatter_reduce(const Call *call)
{
    static const int how[] = {PUT_ADD, PUT_MUL, PUT_ADD, PUT_MAX, PUT_MIN};
    return scatter(call, how[call->arg[4].i]);
}
