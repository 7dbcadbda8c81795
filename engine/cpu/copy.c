/* copy.c - copies and conversions between strided tensors. */
#include "engine/backend.h"
#include "engine/cpu/iterate.h"
#include "engine/cpu/loops.h"

#include <string.h>

enum { BLOCK = 2048, COPY_GRAIN = 4 * GRAIN };

typedef struct Copying {
    ConvertFn convert; /* NULL: the same dtype */
    size_t to_size, from_size;
    char *to;
    const char *from;
} Copying;

static void copy_flat(int64_t begin, int64_t end, void *ctx)
{
    const Copying *c = ctx;
    char *to = c->to + begin * (int64_t)c->to_size;
    const char *from = c->from + begin * (int64_t)c->from_size;
    if (c->convert)
        c->convert(to, from, end - begin);
    else
        memcpy(to, from, (size_t)((end - begin) * (int64_t)c->to_size));
}

static void copy_same(const Tile *t, void *ctx)
{
    const Copying *c = ctx;
    strided_copy(t->data[0], (Steps){t->inner[0], t->outer[0]}, t->data[1], (Steps){t->inner[1], t->outer[1]},
                 t->n0, t->n1, c->to_size);
}

/* A row or, of short rows, several, no more than fit the buffers. */
static void convert_block(const Copying *c, char *to, Steps to_step, const char *from, Steps from_step,
                          int64_t n0, int64_t n1)
{
    _Alignas(64) char raw[BLOCK * 8], converted[BLOCK * 8];
    Steps to_packed = {(int64_t)c->to_size, n0 * (int64_t)c->to_size};
    Steps from_packed = {(int64_t)c->from_size, n0 * (int64_t)c->from_size};
    bool direct = to_step.inner == to_packed.inner && (n1 == 1 || to_step.outer == to_packed.outer);
    if (from_step.inner != from_packed.inner || (n1 > 1 && from_step.outer != from_packed.outer)) {
        strided_copy(raw, from_packed, from, from_step, n0, n1, c->from_size);
        from = raw;
    }
    c->convert(direct ? to : converted, from, n0 * n1);
    if (!direct) strided_copy(to, to_step, converted, to_packed, n0, n1, c->to_size);
}

static void copy_converted(const Tile *t, void *ctx)
{
    const Copying *c = ctx;
    Steps to_step = {t->inner[0], t->outer[0]}, from_step = {t->inner[1], t->outer[1]};
    int64_t width = t->n0 < BLOCK ? t->n0 : BLOCK, rows = t->n0 < BLOCK / 2 ? BLOCK / t->n0 : 1;
    for (int64_t r = 0; r < t->n1; r += rows)
        for (int64_t i = 0; i < t->n0; i += width)
            convert_block(c, t->data[0] + r * to_step.outer + i * to_step.inner, to_step,
                          t->data[1] + r * from_step.outer + i * from_step.inner, from_step,
                          t->n0 - i < width ? t->n0 - i : width, t->n1 - r < rows ? t->n1 - r : rows);
}

bool cpu_copy(const Call *call)
{
    const Tensor *to = call->out[0], *from = call->in[0];
    if (to->numel == 0) return true;
    Copying c = {.to_size = dtype_size((DType)to->dtype), .from_size = dtype_size((DType)from->dtype)};
    c.to = tensor_data(to);
    c.from = tensor_data(from);
    if (to->dtype != from->dtype) c.convert = conversion((DType)to->dtype, (DType)from->dtype);
    if (to->contiguous && from->contiguous) return parallel_for(to->numel, COPY_GRAIN, copy_flat, &c);

    static const int64_t still[TIDE_MAXDIM];
    int64_t number;
    bool uniform = true;
    for (int d = 0; d < from->ndim; d++) uniform &= !from->stride[d] || from->shape[d] == 1;
    if (uniform && c.convert) {
        c.convert(&number, c.from, 1);
        c.convert = NULL;
        c.from = (char *)&number;
    }
    Iter it;
    iter_begin(&it, to->ndim, to->shape);
    iter_add(&it, c.to, to->stride, c.to_size);
    iter_add(&it, (char *)c.from, uniform ? still : from->stride, c.from_size);
    iter_order(&it);
    return iter_run(&it, iter_grain(&it, COPY_GRAIN), c.convert ? copy_converted : copy_same, &c);
}
