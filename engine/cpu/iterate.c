/* iterate.c - walks several strided operands of one shape together, in runs that inner loops take, on all threads. */
#include "engine/cpu/iterate.h"

#include <string.h>

void iter_begin(Iter *it, int ndim, const int64_t *shape)
{
    it->nop = 0;
    it->ndim = ndim;
    it->numel = 1;
    for (int d = 0; d < ndim; d++) {
        it->shape[d] = shape[ndim - 1 - d];
        it->numel *= it->shape[d];
    }
}

void iter_add(Iter *it, void *data, const int64_t *stride, size_t size)
{
    int k = it->nop++;
    it->data[k] = data;
    for (int d = 0; d < it->ndim; d++) it->stride[d][k] = stride[it->ndim - 1 - d] * (int64_t)size;
}

/* Whether dim a belongs outside dim b: by the first operand that steps along both, operand 0 first. */
static bool belongs_outside(const Iter *it, int a, int b)
{
    for (int k = 0; k < it->nop; k++) {
        int64_t sa = it->stride[a][k], sb = it->stride[b][k];
        if (sa == 0 || sb == 0 || sa == sb) continue;
        return (sa < 0 ? -sa : sa) > (sb < 0 ? -sb : sb);
    }
    return false;
}

static void swap_dims(Iter *it, int a, int b)
{
    int64_t n = it->shape[a], stride[ITER_MAXOP];
    it->shape[a] = it->shape[b];
    it->shape[b] = n;
    memcpy(stride, it->stride[a], sizeof stride);
    memcpy(it->stride[a], it->stride[b], sizeof stride);
    memcpy(it->stride[b], stride, sizeof stride);
}

void iter_sort(Iter *it)
{
    for (int i = 1; i < it->ndim; i++)
        for (int d = i; d > 0 && belongs_outside(it, d - 1, d); d--) swap_dims(it, d, d - 1);
}

static bool can_merge(const Iter *it, int inner, int outer)
{
    for (int k = 0; k < it->nop; k++)
        if (it->stride[outer][k] != it->stride[inner][k] * it->shape[inner]) return false;
    return true;
}

void iter_merge(Iter *it)
{
    int last = -1; /* the dim being grown */
    for (int d = 0; d < it->ndim; d++) {
        if (it->shape[d] == 1) continue;
        if (last >= 0 && can_merge(it, last, d)) {
            it->shape[last] *= it->shape[d];
            continue;
        }
        if (++last == d) continue;
        it->shape[last] = it->shape[d];
        memcpy(it->stride[last], it->stride[d], sizeof it->stride[d]);
    }
    if (last < 0) { /* one element */
        last = 0;
        it->shape[0] = 1;
        memset(it->stride[0], 0, sizeof it->stride[0]);
    }
    it->ndim = last + 1;
}

void iter_order(Iter *it)
{
    iter_sort(it);
    iter_merge(it);
}

void iter_init(Iter *it, int nop, const Tensor *const *operand)
{
    iter_begin(it, operand[0]->ndim, operand[0]->shape);
    for (int k = 0; k < nop; k++)
        iter_add(it, tensor_data(operand[k]), operand[k]->stride, dtype_size((DType)operand[k]->dtype));
    iter_order(it);
}

/* Moves the tile's pointers to where counter says. */
static void place(const Iter *it, const int64_t *counter, Tile *t)
{
    for (int k = 0; k < it->nop; k++) {
        char *p = it->data[k];
        for (int d = 0; d < it->ndim; d++) p += counter[d] * it->stride[d][k];
        t->data[k] = p;
    }
}

/* Advances counter by rows in dim 1, carrying outwards. */
static void carry(const Iter *it, int64_t *counter, int64_t rows)
{
    if (it->ndim < 2) return;
    counter[1] += rows;
    for (int d = 1; d < it->ndim - 1 && counter[d] == it->shape[d]; d++) {
        counter[d] = 0;
        counter[d + 1]++;
    }
}

void iter_range(const Iter *it, int64_t first, int64_t last, TileFn fn, void *ctx)
{
    static const int64_t no_step[ITER_MAXOP];
    Tile t = {.inner = it->stride[0], .outer = it->ndim > 1 ? it->stride[1] : no_step};
    int64_t counter[TIDE_MAXDIM], left = last - first, at = first, width = it->shape[0];
    for (int d = 0; d < it->ndim; d++) {
        counter[d] = at % it->shape[d];
        at /= it->shape[d];
    }
    while (left > 0) {
        int64_t rest = width - counter[0];
        bool whole = counter[0] == 0 && left >= width;
        place(it, counter, &t);
        t.n0 = whole ? width : left < rest ? left : rest;
        t.n1 = 1;
        if (whole && it->ndim > 1) {
            int64_t rows = it->shape[1] - counter[1];
            t.n1 = left / width < rows ? left / width : rows;
        }
        fn(&t, ctx);
        left -= t.n0 * t.n1;
        counter[0] = 0;
        carry(it, counter, t.n1);
    }
}

int64_t iter_grain(const Iter *it, int64_t grain)
{
    int64_t width = it->shape[0];
    if (it->ndim < 2 || width >= grain) return grain;
    int64_t rows = (grain - 1) / width + 1;
    return width * (width < grain / 4 ? (rows + 31) / 32 * 32 : rows);
}

typedef struct IterWork {
    const Iter *it;
    TileFn fn;
    void *ctx;
} IterWork;

static void iter_piece(int64_t begin, int64_t end, void *ctx)
{
    IterWork *w = ctx;
    iter_range(w->it, begin, end, w->fn, w->ctx);
}

bool iter_run(const Iter *it, int64_t grain, TileFn fn, void *ctx)
{
    IterWork work = {it, fn, ctx};
    return parallel_for(it->numel, grain, iter_piece, &work);
}
