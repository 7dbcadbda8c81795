/* derivative_ops.c - forwards of the rows that elementwise and reduction derivatives are composed of. */
#include "engine/autograd.h"
#include "engine/structural.h"

#include <math.h>
#include <string.h>

/* ---- reductions ---- */

/* g with the reduced dims of like put back as 1. */
static Tensor *with_dims(Tensor *g, const Tensor *like, const Dims *dim, bool keepdim)
{
    Dims dims, shape = tensor_dims(like);
    if (!g || keepdim || like->ndim == 0)
        return g;
    if (!wrap_dims(dim, like->ndim, &dims))
        return NULL;
    for (int i = 0; i < dims.n; i++)
        shape.v[dims.v[i]] = 1;
    return op_reshape(g, &shape);
}

Tensor *forward_expand_reduced(Tensor *g1, Tensor *like, const Dims *dim, bool keepdim)
{
    Dims shape = tensor_dims(like);
    return op_expand(g1->ndim == 0 ? g1 : with_dims(g1, like, dim, keepdim), &shape);
}

Tensor *forward_sum_to(Tensor *x, const Dims *size)
{
    char have[256], want[256];
    int lead = x->ndim - size->n;
    Dims summed = {0};
    bool fits = lead >= 0;
    if (size->n == 0) {
        node_variant(0);
        return reduce_run(OP_sum, x, NULL, false);
    }
    for (int d = 0; fits && d < x->ndim; d++) {
        int64_t target = d < lead ? 1 : size->v[d - lead];
        if (d < lead || (target == 1 && x->shape[d] != 1))
            summed.v[summed.n++] = d;
        else
            fits = target == x->shape[d];
    }
    if (!fits)
        return tide_fail("RuntimeError", "size {%s} is not expandable to size {%s}.",
                         format_dims(want, sizeof want, size->n, size->v),
                         format_dims(have, sizeof have, x->ndim, x->shape));
    Tensor *y = summed.n ? reduce_run(OP_sum, x, &summed, true) : view_new(x);
    int64_t stride[TIDE_MAXDIM];
    if (!y || lead == 0)
        return y;
    for (int d = 0; d < size->n; d++)
        stride[d] = y->stride[d + lead];
    return restrided(y, size->n, size->v, stride);
}

/* Products of all other elements along the last dim, which has n: right where some are 0. */
static Tensor *products_of_others(Tensor *x, int64_t n)
{
    Dims one = tensor_dims(x);
    int64_t last = x->ndim - 1;
    one.v[last] = 1;
    Tensor *ones = tensor_full(&one, 1, (DType)x->dtype, x->device);
    Tensor *before[] = {ones, op_narrow(x, last, 0, n - 1)};
    Tensor *after[] = {ones, op_flip(op_narrow(x, last, 1, n - 1), DIMS(last))};
    if (!ones || !before[1] || !after[1])
        return NULL;
    Tensor *left = op_cumprod(op_cat(&(TensorList){2, before}, last), last, DT_NONE);
    Tensor *right = op_flip(op_cumprod(op_cat(&(TensorList){2, after}, last), last, DT_NONE), DIMS(last));
    return op_mul(left, right);
}

/* d product / dx with the reduced dims of x moved last and made one, then put back. */
static Tensor *exclusive_products(Tensor *x, const Dims *dims)
{
    bool reduced[TIDE_MAXDIM] = {false};
    Dims order = {.n = x->ndim}, back = {.n = x->ndim}, lines = {0};
    int at = 0;
    int64_t n = 1;
    for (int i = 0; i < dims->n; i++)
        reduced[dims->v[i]] = true;
    for (int pass = 0; pass < 2; pass++)
        for (int d = 0; d < x->ndim; d++)
            if (reduced[d] == (pass == 1)) {
                order.v[at] = d;
                back.v[d] = at++;
                if (pass)
                    n *= x->shape[d];
                else
                    lines.v[lines.n++] = x->shape[d];
            }
    lines.v[lines.n++] = n;
    Tensor *moved = op_permute(x, &order);
    if (!moved)
        return NULL;
    Dims shape = tensor_dims(moved);
    return op_permute(op_reshape(products_of_others(op_reshape(moved, &lines), n), &shape), &back);
}

Tensor *forward_prod_backward(Tensor *g1, Tensor *x, Tensor *product, const Dims *dim, bool keepdim)
{
    int64_t zero = 0, count = 1;
    Dims dims;
    if (x->ndim == 0)
        return op_mul(g1, tensor_number(1));
    if (!wrap_dims(dim, x->ndim, &dims))
        return NULL;
    if (!tensor_item_int(op_any(op_eq(x, tensor_number(0)), NULL, false), &zero))
        return NULL;
    if (!zero)
        return op_mul(with_dims(g1, x, dim, keepdim), op_div(with_dims(product, x, dim, keepdim), x));
    for (int i = 0; i < dims.n; i++)
        count *= x->shape[dims.v[i]];
    if (count == 1)
        return with_dims(g1, x, dim, keepdim);
    return op_mul(with_dims(g1, x, dim, keepdim), exclusive_products(x, &dims));
}

Tensor *forward_amax_backward(Tensor *g1, Tensor *x, Tensor *extremum, const Dims *dim, bool keepdim)
{
    Tensor *hit = op_eq(x, with_dims(extremum, x, dim, keepdim));
    return op_div(op_mul(with_dims(g1, x, dim, keepdim), hit), op_sum(hit, dim, true));
}

Tensor *forward_norm2_backward(Tensor *g1, Tensor *x, Tensor *norm, const Dims *dim, bool keepdim)
{
    Tensor *n = with_dims(norm, x, dim, keepdim), *zero = tensor_number(0);
    return op_mul(with_dims(g1, x, dim, keepdim), op_masked_fill(op_div(x, n), op_eq(n, zero), zero));
}

/* ---- elementwise ---- */

Tensor *forward_pow_backward_base(Tensor *g1, Tensor *base, Tensor *exponent)
{
    double e;
    Tensor *one = tensor_integer(1), *zero = tensor_number(0);
    if (!exponent->is_number) {
        Tensor *slope = op_mul(exponent, op_pow(base, op_sub(exponent, one)));
        return op_where(op_eq(exponent, zero), zero, op_mul(g1, slope));
    }
    if (!tensor_item_double(exponent, &e))
        return NULL;
    if (e == 0 && exponent->dtype != DT_BOOL) { /* x ** false is no constant to PyTorch */
        Dims shape = tensor_dims(base);
        return tensor_zeros(&shape, (DType)base->dtype, base->device);
    }
    return op_mul(g1, op_mul(tensor_number(e), op_pow(base, tensor_number(e - 1))));
}

/* 0 ** e does not change with e for e >= 0. The logarithm of a number is taken in double precision. */
Tensor *forward_pow_backward_exponent(Tensor *g1, Tensor *base, Tensor *exponent, Tensor *power)
{
    double b = 0;
    Tensor *zero = tensor_number(0), *flat = op_ge(exponent, zero), *logarithm;
    if (base->is_number) {
        if (!tensor_item_double(base, &b)) return NULL;
        if (b != 0) return op_mul(g1, op_mul(power, tensor_number(log(b))));
        logarithm = tensor_number(-INFINITY);
    } else {
        flat = op_logical_and(op_eq(base, zero), flat);
        logarithm = op_log(tensor_to(base, result_dtype((Tensor *[]){base, exponent}, 2), base->device, false));
    }
    return op_mul(g1, op_where(flat, zero, op_mul(power, logarithm)));
}

Tensor *forward_igamma_backward(Tensor *g1, Tensor *x, Tensor *other)
{
    Tensor *power = op_mul(op_sub(x, tensor_number(1)), op_log(other));
    return op_mul(g1, op_exp(op_sub(op_sub(power, other), op_lgamma(x))));
}

/* 16-bit floats as float: these formulas' steps are not rounded to 16 bits one by one. */
static Tensor *widened(Tensor *x)
{
    bool half = x && (x->dtype == DT_F16 || x->dtype == DT_BF16);
    return half ? tensor_to(x, DT_F32, x->device, false) : x;
}

/* g1 times the widened slope, in g1's dtype. */
static Tensor *sloped(Tensor *g1, Tensor *slope)
{
    Tensor *g = op_mul(widened(g1), slope);
    return g ? tensor_to(g, (DType)g1->dtype, g1->device, false) : NULL;
}

Tensor *forward_mish_backward(Tensor *g1, Tensor *x)
{
    Tensor *one = tensor_number(1);
    x = widened(x);
    Tensor *t = op_tanh(op_softplus(x, one, tensor_number(20)));
    Tensor *slope = op_mul(op_mul(x, op_sigmoid(x)), op_rsub(op_square(t), one));
    return sloped(g1, op_add(t, slope));
}

Tensor *forward_softplus_backward(Tensor *g1, Tensor *x, Tensor *beta, Tensor *limit)
{
    Tensor *scaled = op_mul(x, beta);
    return op_where(op_gt(scaled, limit), g1, op_mul(g1, op_sigmoid(scaled)));
}

/* At the limit itself, where the gradient is still curved, PyTorch's second derivative is 0 already. */
Tensor *forward_softplus_bend(Tensor *g1, Tensor *x, Tensor *beta, Tensor *limit)
{
    Tensor *scaled = op_mul(x, beta);
    Tensor *bend = op_mul(op_sigmoid_backward(g1, op_sigmoid(scaled)), beta);
    return op_where(op_ge(scaled, limit), tensor_number(0), bend);
}

Tensor *forward_gelu_backward(Tensor *g1, Tensor *x)
{
    x = widened(x);
    Tensor *part = op_add(op_erf(op_mul(x, tensor_number(0.7071067811865476))), tensor_number(1));
    Tensor *bell = op_exp(op_mul(op_square(x), tensor_number(-0.5)));
    Tensor *slope = op_mul(op_mul(x, tensor_number(0.3989422804014327)), bell);
    return sloped(g1, op_add(op_mul(part, tensor_number(0.5)), slope));
}

Tensor *forward_gelu_tanh_backward(Tensor *g1, Tensor *x)
{
    Tensor *one = tensor_number(1), *half = tensor_number(0.5), *scale = tensor_number(0.7978845608028654);
    x = widened(x);
    Tensor *square = op_square(x);
    Tensor *t = op_tanh(op_mul(op_mul(op_add(op_mul(square, tensor_number(0.044715)), one), x), scale));
    Tensor *inner = op_mul(op_add(op_mul(square, tensor_number(3 * 0.044715)), one), scale);
    Tensor *slope = op_mul(op_mul(op_mul(x, half), op_rsub(op_square(t), one)), inner);
    return sloped(g1, op_add(op_mul(op_add(t, one), half), slope));
}

/* ---- gradients of views ---- */

Tensor *laid_out(Tensor *g, const Tensor *base)
{
    if (base->contiguous || base->numel == 0) return op_clone(op_contiguous(g));
    int64_t extent = 1;
    Dims size = tensor_dims(base), stride = {.n = base->ndim};
    memcpy(stride.v, base->stride, base->ndim * sizeof base->stride[0]);
    for (int d = 0; d < base->ndim; d++) extent += (base->shape[d] - 1) * base->stride[d];
    Tensor *room = tensor_zeros(DIMS(extent), (DType)g->dtype, g->device);
    Tensor *copy = room ? op_as_strided(room, &size, &stride, 0) : NULL;
    return copy && tensor_copy_(copy, g) ? copy : NULL;
}
