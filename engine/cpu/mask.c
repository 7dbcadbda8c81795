/* mask.c - kernels that walk all elements in row-major order: masked_select, masked_scatter, nonzero, tril,
 * triu. */
#include "engine/cpu/kernels.h"
#include "engine/cpu/threads.h"

#include <string.h>

/* ---- rows: the runs along the last dim, in order ---- */

/* The element offsets of row number `row` in each of n tensors of one shape. 0-dim tensors have one row of
 * one element. */
static void row_offsets(const Tensor *const *t, int n, int64_t row, int64_t *offset)
{
    memset(offset, 0, (size_t)n * sizeof *offset);
    for (int d = t[0]->ndim - 2; d >= 0; d--) {
        int64_t at = row % t[0]->shape[d];
        row /= t[0]->shape[d];
        for (int k = 0; k < n; k++)
            offset[k] += at * t[k]->stride[d];
    }
}

static int64_t row_length(const Tensor *t)
{
    return t->ndim ? t->shape[t->ndim - 1] : 1;
}

static int64_t last_stride(const Tensor *t)
{
    return t->ndim ? t->stride[t->ndim - 1] : 0;
}

/* ---- masked_select and masked_scatter ---- */

#define SELECT(T)                                                                                            \
    for (int64_t i = 0; i < n; i++) {                                                                        \
        ((T *)out)[taken] = ((const T *)x)[i * sx];                                                          \
        taken += mask[i * sm];                                                                               \
    }

/* Appends x's elements where mask is true; returns how many. out has room for one more than that. */
static int64_t select_run(void *out, const void *x, int64_t sx, const bool *mask, int64_t sm, int64_t n,
                          size_t size)
{
    int64_t taken = 0;
    switch (size) {
    case 1: SELECT(uint8_t) break;
    case 2: SELECT(uint16_t) break;
    case 4: SELECT(uint32_t) break;
    default: SELECT(uint64_t) break;
    }
    return taken;
}

enum { SELECT_BLOCK = 1024 };

/* in[0] x and in[1] mask, both of the broadcast shape; out[0] has one element for each true one. */
bool cpu_masked_select(const Call *call)
{
    const Tensor *in[] = {call->in[0], call->in[1]};
    size_t size = dtype_size((DType)in[0]->dtype);
    int64_t n = row_length(in[0]), rows = n ? in[0]->numel / n : 0, sx = last_stride(in[0]),
            sm = last_stride(in[1]), offset[2];
    char *out = tensor_data(call->out[0]), *end = out + call->out[0]->numel * (int64_t)size;
    uint64_t block[SELECT_BLOCK + 1]; /* the run writes one element too many */
    for (int64_t row = 0; row < rows; row++) {
        if ((row & 1023) == 1023 && tide_check_interrupt())
            return false;
        row_offsets(in, 2, row, offset);
        const char *x = (const char *)tensor_data(in[0]) + offset[0] * (int64_t)size;
        const bool *mask = (const bool *)tensor_data(in[1]) + offset[1];
        for (int64_t i = 0; i < n && out < end; i += SELECT_BLOCK) {
            int64_t count = n - i < SELECT_BLOCK ? n - i : SELECT_BLOCK;
            if ((i & 0xfffff) == 0 && i > 0 && tide_check_interrupt())
                return false;
            int64_t taken = select_run(block, x + i * sx * (int64_t)size, sx, mask + i * sm, sm, count, size);
            memcpy(out, block, (size_t)taken * size);
            out += taken * (int64_t)size;
        }
    }
    return true;
}

/* in[0] mask, in[1] source, row-major, with enough elements; out[0] row-major, already holding x. */
bool cpu_masked_scatter(const Call *call)
{
    const Tensor *mask = call->in[0], *out = call->out[0];
    size_t size = dtype_size((DType)out->dtype);
    const char *source = tensor_data(call->in[1]);
    char *to = tensor_data(out);
    int64_t n = row_length(out), rows = n ? out->numel / n : 0, sm = last_stride(mask), offset[1];
    for (int64_t row = 0; row < rows; row++) {
        if ((row & 1023) == 1023 && tide_check_interrupt())
            return false;
        row_offsets(&mask, 1, row, offset);
        const bool *m = (const bool *)tensor_data(mask) + offset[0];
        for (int64_t i = 0; i < n; i++, to += size)
            if (m[i * sm]) {
                memcpy(to, source, size);
                source += size;
            }
    }
    return true;
}

/* ---- nonzero ---- */

/* Bits that make an element count as not 0: all of them, but for a float's sign. */
static uint64_t value_bits(DType d)
{
    uint64_t all = ~0ull >> (64 - 8 * dtype_size(d));
    return dtype_is_float(d) ? all >> 1 : all;
}

static uint64_t element_bits(const char *p, size_t size)
{
    switch (size) {
    case 1: return *(const uint8_t *)p;
    case 2: return *(const uint16_t *)p;
    case 4: return *(const uint32_t *)p;
    default: return *(const uint64_t *)p;
    }
}

/* in[0] x; out[0] (count, x's ndim) int64, ndim > 0. */
bool cpu_nonzero(const Call *call)
{
    const Tensor *x = call->in[0];
    size_t size = dtype_size((DType)x->dtype);
    int64_t *out = tensor_data(call->out[0]), counter[TIDE_MAXDIM] = {0}, offset[1];
    int64_t n = row_length(x), rows = n ? x->numel / n : 0, step = last_stride(x) * (int64_t)size;
    uint64_t bits = value_bits((DType)x->dtype);
    int last = x->ndim - 1;
    for (int64_t row = 0; row < rows; row++) {
        if ((row & 1023) == 1023 && tide_check_interrupt())
            return false;
        row_offsets(&x, 1, row, offset);
        const char *p = (const char *)tensor_data(x) + offset[0] * (int64_t)size;
        for (int64_t i = 0; i < n; i++) {
            if ((i & 0xfffff) == 0xfffff && tide_check_interrupt())
                return false;
            if (element_bits(p + i * step, size) & bits) {
                for (int d = 0; d < last; d++)
                    *out++ = counter[d];
                *out++ = i;
            }
        }
        for (int d = last - 1; d >= 0 && ++counter[d] == x->shape[d]; d--)
            counter[d] = 0;
    }
    return true;
}

/* ---- tril and triu ---- */

typedef struct Triangle {
    const Tensor *x;
    char *out;
    int64_t diagonal;
    bool lower;
} Triangle;

/* Copies columns from … to-1 of a row and clears the others. */
static void triangle_rows(int64_t begin, int64_t end, void *context)
{
    const Triangle *t = context;
    const Tensor *x = t->x;
    int64_t size = (int64_t)dtype_size((DType)x->dtype), n = row_length(x),
            m = x->ndim > 1 ? x->shape[x->ndim - 2] : 1, offset[1];
    int64_t step = last_stride(x) * size;
    for (int64_t row = begin; row < end; row++) {
        int64_t split = row % m + t->diagonal + (t->lower ? 1 : 0);
        split = split < 0 ? 0 : split > n ? n : split;
        int64_t from = t->lower ? 0 : split, to = t->lower ? split : n;
        row_offsets(&x, 1, row, offset);
        const char *p = (const char *)tensor_data(x) + offset[0] * size;
        char *out = t->out + row * n * size;
        memset(out, 0, (size_t)(from * size));
        if (step == size)
            memcpy(out + from * size, p + from * size, (size_t)((to - from) * size));
        else
            for (int64_t i = from; i < to; i++)
                memcpy(out + i * size, p + i * step, (size_t)size);
        memset(out + to * size, 0, (size_t)((n - to) * size));
    }
}

static bool triangle(const Call *call, bool lower)
{
    Triangle t = {call->in[0], tensor_data(call->out[0]), call->arg[1].i, lower};
    int64_t n = row_length(t.x);
    return parallel_for(t.x->numel / n, GRAIN / n + 1, triangle_rows, &t);
}

/* in[0] x with at least 2 dims and one element, out[0] row-major; arg[1] the diagonal. */
bool cpu_tril(const Call *call)
{
    return triangle(call, true);
}

bool cpu_triu(const Call *call)
{
    return triangle(call, false);
}
