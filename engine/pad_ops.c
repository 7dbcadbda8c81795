/* pad_ops.c - forwards of image.def's padding. */
#include "engine/structural.h"

#include <stdio.h>
#include <stdlib.h>

/* How many elements dim d gets at its start (end: at its end). */
static int64_t padding_of(const Dims *pad, int ndim, int d, bool end)
{
    int at = 2 * (ndim - 1 - d) + end;
    return at < pad->n ? pad->v[at] : 0;
}

static int64_t above_zero(int64_t v) { return v > 0 ? v : 0; }

Tensor *forward_constant_pad_nd(Tensor *x, const Dims *pad, double value)
{
    if (pad->n % 2 != 0)
        return tide_fail("RuntimeError", "Length of pad must be even but instead it equals %d", pad->n);
    if (pad->n / 2 > x->ndim)
        return tide_fail(
            "RuntimeError",
            "Length of pad should be no more than twice the number of dimensions of the input. Pad "
            "length is %d while the input has %d dimensions.",
            pad->n, x->ndim);
    Dims shape = tensor_dims(x);
    for (int d = 0; d < x->ndim; d++) {
        int64_t low = padding_of(pad, x->ndim, d, false), high = padding_of(pad, x->ndim, d, true);
        if (low > INT64_MAX / 4 || high > INT64_MAX / 4)
            return tide_fail("RuntimeError", "numel: integer multiplication overflow");
        int64_t kept = x->shape[d] - above_zero(-low);
        if (kept < 0 || kept < above_zero(-high))
            return tide_fail("RuntimeError", "narrow(): length must be non-negative.");
        shape.v[d] += low + high;
    }
    Tensor *out = tensor_full(&shape, value, (DType)x->dtype, x->device), *to = out;
    for (int d = 0; to && x && d < shape.n; d++) {
        int64_t low = padding_of(pad, shape.n, d, false), high = padding_of(pad, shape.n, d, true);
        int64_t kept = shape.v[d] - above_zero(low) - above_zero(high);
        to = op_narrow(to, d, above_zero(low), kept);
        x = op_narrow(x, d, above_zero(-low), kept);
    }
    return to && x && (x->numel == 0 || copy_plain(to, x)) ? out : NULL;
}

/* ---- padding with the tensor's own elements ---- */

static bool check_edges(const Tensor *x, const Dims *pad, int dims, bool reflect)
{
    char have[256];
    format_dims(have, sizeof have, x->ndim, x->shape);
    if (pad->n != 2 * dims)
        return tide_refuse("RuntimeError", "padding size is expected to be %d, but got: %d", 2 * dims,
                           pad->n);
    if (x->ndim != dims + 1 && x->ndim != dims + 2)
        return tide_refuse("RuntimeError",
                           "Expected %dD or %dD (batch mode) tensor with possibly 0 batch size and "
                           "other non-zero dimensions for input, but got: %s",
                           dims + 1, dims + 2, have);
    for (int d = x->ndim - 1; d >= x->ndim - dims; d--) {
        int64_t low = padding_of(pad, x->ndim, d, false), high = padding_of(pad, x->ndim, d, true);
        int64_t n = x->shape[d];
        if (reflect && (low >= n || high >= n))
            return tide_refuse(
                "RuntimeError",
                "Argument #%d: Padding size should be less than the corresponding input dimension, but "
                "got: padding (%lld, %lld) at dimension %d of input %s",
                2 * (x->ndim - d) + 2, (long long)low, (long long)high, d, have);
        if (n < 1 || n + low + high < 1)
            return tide_refuse(
                "RuntimeError",
                "Expected %dD or %dD (batch mode) tensor with possibly 0 batch size and other non-zero "
                "dimensions for input, but got: %s",
                dims + 1, dims + 2, have);
    }
    char kernel[32];
    snprintf(kernel, sizeof kernel, "%s_pad%dd", reflect ? "reflection" : "replication", dims);
    return check_not_bool(x, kernel);
}

/* Which element of a dim of size n each place of the padded dim shows. */
static Tensor *sources(int64_t n, int64_t low, int64_t high, bool reflect, Device device)
{
    int64_t count = n + low + high;
    Tensor *index = result_new(DIMS(count), DT_I64, device);
    int64_t *from = malloc((size_t)(count + 1) * sizeof *from);
    if (!from) return tide_fail("MemoryError", "padding: out of memory");
    for (int64_t i = 0; i < count; i++) {
        int64_t at = i - low;
        if (at < 0) at = reflect ? -at : 0;
        if (at >= n) at = reflect ? 2 * (n - 1) - at : n - 1;
        from[i] = at;
    }
    bool ok = index && tensor_write(index, from);
    free(from);
    return ok ? index : NULL;
}

static Tensor *edge_pad(Tensor *x, const Dims *pad, int dims, bool reflect)
{
    if (!check_edges(x, pad, dims, reflect)) return NULL;
    for (int d = x->ndim - dims; x && d < x->ndim; d++) {
        int64_t low = padding_of(pad, x->ndim, d, false), high = padding_of(pad, x->ndim, d, true);
        x = op_index_select(x, d, sources(x->shape[d], low, high, reflect, x->device));
    }
    return x;
}

Tensor *forward_edge_pad(Tensor *x, const Dims *padding, bool reflect)
{
    return edge_pad(x, padding, padding->n / 2, reflect);
}

Tensor *forward_edge_pad_backward(Tensor *g1, Tensor *like, const Dims *padding, bool reflect)
{
    for (int d = 0; g1 && d < like->ndim; d++) {
        int64_t low = padding_of(padding, like->ndim, d, false),
                high = padding_of(padding, like->ndim, d, true);
        if (low == 0 && high == 0) continue;
        Dims shape = tensor_dims(g1);
        shape.v[d] = like->shape[d];
        Tensor *zeros = tensor_zeros(&shape, (DType)g1->dtype, g1->device);
        g1 = op_index_add(zeros, d, sources(like->shape[d], low, high, reflect, g1->device), g1, 1);
    }
    return g1;
}

#define EDGE_FORWARD(n)                                                                                      \
    Tensor *forward_reflection_pad##n##d(Tensor *x, const Dims *padding)                                     \
    {                                                                                                        \
        return edge_pad(x, padding, n, true);                                                                \
    }                                                                                                        \
    Tensor *forward_replication_pad##n##d(Tensor *x, const Dims *padding)                                    \
    {                                                                                                        \
        return edge_pad(x, padding, n, false);                                                               \
    }
EDGE_FORWARD(1)
EDGE_FORWARD(2)
EDGE_FORWARD(3)
