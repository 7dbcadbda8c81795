/* composed_ops.c - forwards of composed.def: arithmetic written with other rows. */
#include "engine/ops_internal.h"
#include "engine/structural.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

/* value times t; t itself for 1. Whole values leave whole numbers whole. */
static Tensor *times(Tensor *t, double value)
{
    if (!t || value == 1)
        return t;
    bool whole = !dtype_is_float((DType)t->dtype) && value == trunc(value) && fabs(value) < 0x1p53;
    return op_mul(t, whole ? tensor_integer((int64_t)value) : tensor_number(value));
}

/* 16-bit floats are computed in float32 and rounded once. */
static bool is_narrow(const Tensor *t)
{
    return t->dtype == DT_F16 || t->dtype == DT_BF16;
}

static Tensor *widened(Tensor *t)
{
    return is_narrow(t) ? converted_plain(t, DT_F32) : t;
}

static Tensor *narrowed(Tensor *y, DType dtype)
{
    return y ? converted_plain(y, dtype) : NULL;
}

static DType joint_dtype(Tensor *a, Tensor *b, Tensor *c)
{
    return result_dtype((Tensor *[]){a, b, c}, 3);
}

/* t as it is in dtype, then in the dtype to compute in: a number too large for 16 bits is infinite. */
static Tensor *converted_through(Tensor *t, DType dtype, DType in)
{
    Tensor *there = converted_plain(t, dtype);
    return there ? converted_plain(there, in) : NULL;
}

/* The dtype in which x and the two tensors of addcmul and addcdiv meet: theirs together, for 16 bits float32. value must
 * fit it. */
static bool meet(Tensor **x, Tensor **tensor1, Tensor **tensor2, double value, DType dtype)
{
    DType in = dtype == DT_F16 || dtype == DT_BF16 ? DT_F32 : dtype;
    bool whole = value == trunc(value) && fabs(value) < 0x1p53;
    if (!number_as(whole ? tensor_integer((int64_t)value) : tensor_number(value), in, (*x)->device))
        return false;
    *x = converted_through(*x, dtype, in);
    *tensor1 = converted_through(*tensor1, dtype, in);
    *tensor2 = converted_through(*tensor2, dtype, in);
    return *x && *tensor1 && *tensor2;
}

Tensor *forward_addcmul(Tensor *x, Tensor *tensor1, Tensor *tensor2, double value)
{
    Dims shape;
    DType dtype = joint_dtype(x, tensor1, tensor2);
    if (!broadcast_all((Tensor *[]){x, tensor1, tensor2}, 3, &shape))
        return NULL;
    if (dtype == DT_BOOL)
        return tide_fail("NotImplementedError", "\"addcmul_cpu_out\" not implemented for 'Bool'");
    if (!meet(&x, &tensor1, &tensor2, value, dtype))
        return NULL;
    if (!dtype_is_float(dtype)) /* value is one of the dtype too */
        value = trunc(value);
    return narrowed(op_add(x, op_mul(times(tensor1, value), tensor2)), dtype);
}

Tensor *forward_addcdiv(Tensor *x, Tensor *tensor1, Tensor *tensor2, double value)
{
    if (!dtype_is_float((DType)tensor1->dtype) && !dtype_is_float((DType)tensor2->dtype))
        return tide_fail(
            "RuntimeError",
            "Integer division with addcdiv is no longer supported, and in a future  release addcdiv will "
            "perform a true division of tensor1 and tensor2. The historic addcdiv behavior can be "
            "implemented as (input + value * torch.trunc(tensor1 / tensor2)).to(input.dtype) for integer "
            "inputs and as (input + value * tensor1 / tensor2) for float inputs. The future addcdiv "
            "behavior is just the latter implementation: (input + value * tensor1 / tensor2), for all "
            "dtypes.");
    Dims shape;
    DType dtype = joint_dtype(x, tensor1, tensor2);
    if (!broadcast_all((Tensor *[]){x, tensor1, tensor2}, 3, &shape) ||
        !meet(&x, &tensor1, &tensor2, value, dtype))
        return NULL;
    return narrowed(op_add(x, op_div(times(tensor1, value), tensor2)), dtype);
}

Tensor *forward_logit(Tensor *x, double eps)
{
    if (!dtype_is_float((DType)x->dtype))
        x = converted_plain(x, default_dtype());
    if (x && !isnan(eps))
        x = op_clamp(x, tensor_number(eps), tensor_number(1 - eps));
    return x ? op_log(op_div(x, op_rsub(x, tensor_number(1)))) : NULL;
}

Tensor *forward_logit_backward(Tensor *g1, Tensor *x, double eps)
{
    double low = isnan(eps) ? 0 : eps;
    Tensor *positive = op_add(x, tensor_number(0)); /* -0 becomes 0 */
    Tensor *slope = op_div(g1, op_mul(positive, op_rsub(x, tensor_number(1))));
    Tensor *inside = op_logical_and(op_ge(x, tensor_number(low)), op_le(x, tensor_number(1 - low)));
    return op_where(inside, slope, tensor_number(isnan(eps) ? NAN : 0));
}

static double largest(DType dtype)
{
    switch (dtype) {
    case DT_F64: return DBL_MAX;
    case DT_F16: return 65504;
    case DT_BF16: return 0x1.fep127;
    default: return FLT_MAX;
    }
}

Tensor *forward_nan_to_num(Tensor *x, double nan, double posinf, double neginf)
{
    if (!dtype_is_float((DType)x->dtype))
        return op_clone(x);
    double limit = largest((DType)x->dtype);
    Tensor *high = tensor_number(isnan(posinf) ? limit : posinf);
    Tensor *low = tensor_number(isnan(neginf) ? -limit : neginf);
    Tensor *y = op_where(op_isnan(x), tensor_number(nan), x);
    return op_where(op_isneginf(x), low, op_where(op_isposinf(x), high, y));
}

Tensor *forward_dist(Tensor *x, Tensor *other, double p)
{
    Tensor *difference = op_sub(x, other);
    if (difference && !dtype_is_float((DType)difference->dtype))
        return tide_fail("RuntimeError",
                         "norm(): input dtype should be either floating point or complex. Got %s instead.",
                         cname(difference));
    if (!difference || !is_narrow(difference))
        return op_norm(difference, p, NULL, false);
    return narrowed(op_norm(widened(difference), p, NULL, false), (DType)difference->dtype);
}

/* ---- distances between rows ---- */

/* x1[…, i, None, :] - x2[…, None, j, :] */
static Tensor *row_differences(Tensor *x1, Tensor *x2)
{
    return op_sub(op_unsqueeze(x1, -2), op_unsqueeze(x2, -3));
}

/* p-norms along the last dim; of no elements they are 0, the largest too. */
static Tensor *row_norms(Tensor *difference, double p)
{
    return difference && difference->shape[difference->ndim - 1] == 0
               ? op_sum(difference, DIMS(-1), false)
               : op_norm(difference, p, DIMS(-1), false);
}

static bool check_cdist(const Tensor *x1, const Tensor *x2, double p)
{
    const Tensor *both[] = {x1, x2};
    for (int i = 0; i < 2; i++)
        if (!dtype_is_float((DType)both[i]->dtype))
            return tide_refuse("RuntimeError", "cdist only supports floating-point dtypes, X%d got: %s",
                               i + 1, cname(both[i]));
    for (int i = 0; i < 2; i++)
        if (both[i]->ndim < 2)
            return tide_refuse("RuntimeError", "cdist only supports at least 2D tensors, X%d got: %dD", i + 1,
                               both[i]->ndim);
    if (x1->shape[x1->ndim - 1] != x2->shape[x2->ndim - 1])
        return tide_refuse("RuntimeError",
                           "X1 and X2 must have the same number of columns. X1: %lld X2: %lld",
                           (long long)x1->shape[x1->ndim - 1], (long long)x2->shape[x2->ndim - 1]);
    return p >= 0 || tide_refuse("RuntimeError", "cdist only supports non-negative p values");
}

/* x's matrices over the batch dims `batch`, as one batch dim. */
static Tensor *in_one_batch(Tensor *x, Dims batch)
{
    int64_t rows = x->shape[x->ndim - 2], columns = x->shape[x->ndim - 1], count = 1;
    for (int d = 0; d < batch.n; d++)
        count *= batch.v[d];
    batch.v[batch.n++] = rows;
    batch.v[batch.n++] = columns;
    return op_reshape(op_expand(x, &batch), DIMS(count, rows, columns));
}

/* By a product of matrices where that is asked for, and of itself where there are so many rows that it pays. */
Tensor *forward_cdist(Tensor *x1, Tensor *x2, double p, int64_t mode)
{
    enum { BY_SIZE, BY_PRODUCT, MANY_ROWS = 25 };
    if (!check_cdist(x1, x2, p))
        return NULL;
    int64_t rows = x1->shape[x1->ndim - 2], columns = x2->shape[x2->ndim - 2];
    bool many = rows > MANY_ROWS || columns > MANY_ROWS;
    if (p != 2 || !(mode == BY_PRODUCT || (mode == BY_SIZE && many)) || x1->numel == 0 || x2->numel == 0)
        return op_cdist_rows(x1, x2, p);
    Dims a = tensor_dims(x1), b = tensor_dims(x2), shape;
    a.n -= 2;
    b.n -= 2;
    if (!broadcast_shapes(&a, &b, &shape))
        return NULL;
    Tensor *y = op_euclidean_dist(in_one_batch(x1, shape), in_one_batch(x2, shape));
    shape.v[shape.n++] = rows;
    shape.v[shape.n++] = columns;
    return op_view(y, &shape);
}

Tensor *forward_cdist_rows(Tensor *x1, Tensor *x2, double p)
{
    if (x1->dtype != x2->dtype)
        return tide_fail("RuntimeError", "expected scalar type %s but found %s", cname(x1), cname(x2));
    if (is_narrow(x1))
        return tide_fail("NotImplementedError", "\"cdist\" not implemented for '%s'", cname(x1));
    return row_norms(row_differences(x1, x2), p);
}

Tensor *forward_cdist_backward(Tensor *g1, Tensor *x1, Tensor *x2, Tensor *distance, double p, bool second)
{
    if (p == 0)
        return zeros_shaped(second ? x2 : x1, g1);
    Tensor *g = op_norm_backward(g1, row_differences(x1, x2), distance, p, DIMS(-1), false);
    return second ? op_neg(op_sum(g, DIMS(-3), false)) : op_sum(g, DIMS(-2), false);
}

static Tensor *square_sums(Tensor *x) { return op_sum(op_square(x), DIMS(-1), true); }

/* |a|^2 - 2ab + |b|^2, which rounding may leave below 0: one product of rows made longer by two columns. */
Tensor *forward_euclidean_dist(Tensor *x1, Tensor *x2)
{
    Tensor *sums[] = {square_sums(x1), square_sums(x2)};
    if (!sums[0] || !sums[1])
        return NULL;
    Dims shape[] = {tensor_dims(sums[0]), tensor_dims(sums[1])};
    Tensor *ones[2];
    for (int i = 0; i < 2; i++)
        ones[i] = tensor_full(&shape[i], 1, (DType)sums[i]->dtype, sums[i]->device);
    Tensor *left[] = {op_mul(x1, tensor_number(-2)), sums[0], ones[0]}, *right[] = {x2, ones[1], sums[1]};
    if (!left[0] || !ones[0] || !ones[1])
        return NULL;
    Tensor *turned = op_transpose(op_cat(&(TensorList){3, right}, -1), -2, -1);
    Tensor *squares = op_matmul(op_cat(&(TensorList){3, left}, -1), turned);
    return op_sqrt(op_clamp_min(squares, tensor_number(0)));
}

Tensor *forward_euclidean_dist_backward(Tensor *g1, Tensor *x1, Tensor *x2, Tensor *distance, bool second)
{
    Tensor *zero = tensor_number(0), *ratio = op_masked_fill(op_div(g1, distance), op_eq(distance, zero), zero);
    if (!second)
        return op_sub(op_mul(x1, op_sum(ratio, DIMS(-1), true)), op_matmul(ratio, x2));
    Tensor *sums = op_unsqueeze(op_sum(ratio, DIMS(-2), false), -1);
    return op_sub(op_mul(x2, sums), op_matmul(op_transpose(ratio, -2, -1), x1));
}

/* The numbers of the rows that each of pdist's differences is between. */
static bool row_pairs(Tensor *x, Tensor **first, Tensor **second)
{
    int64_t n = x->shape[0];
    Tensor *ones = tensor_full(DIMS(n, n), 1, DT_F32, x->device);
    Tensor *pairs = ones ? op_nonzero(op_triu(ones, 1)) : NULL;
    *first = op_select(pairs, 1, 0);
    *second = op_select(pairs, 1, 1);
    return *first && *second;
}

static Tensor *pair_differences(Tensor *x, Tensor *first, Tensor *second)
{
    return op_sub(op_index_select(x, 0, first), op_index_select(x, 0, second));
}

Tensor *forward_pdist(Tensor *x, double p)
{
    Tensor *first, *second;
    if (x->ndim != 2)
        return tide_fail("RuntimeError", "pdist only supports 2D tensors, got: %dD", x->ndim);
    if (!dtype_is_float((DType)x->dtype))
        return tide_fail("RuntimeError", "pdist only supports floating-point dtypes");
    if (!(p >= 0))
        return tide_fail("RuntimeError", "pdist only supports non-negative p values");
    if (is_narrow(x))
        return tide_fail("NotImplementedError", "\"pdist\" not implemented for '%s'", cname(x));
    return row_pairs(x, &first, &second) ? row_norms(pair_differences(x, first, second), p) : NULL;
}

Tensor *forward_pdist_backward(Tensor *g1, Tensor *x, Tensor *distance, double p)
{
    Tensor *first, *second;
    if (p == 0)
        return zeros_shaped(x, g1);
    if (!row_pairs(x, &first, &second))
        return NULL;
    Tensor *g = op_norm_backward(g1, pair_differences(x, first, second), distance, p, DIMS(-1), false);
    Tensor *zeros = zeros_shaped(x, g1);
    return zeros && g ? op_index_add(op_index_add(zeros, 0, first, g, 1), 0, second, g, -1) : NULL;
}

/* ---- slices kept short ---- */

/* What each slice along dim is multiplied by. */
static Tensor *renorm_factors(Tensor *x, double p, int64_t dim, double maxnorm)
{
    Dims others = {0};
    for (int d = 0; d < x->ndim; d++)
        if (d != dim)
            others.v[others.n++] = d;
    Tensor *norm = op_norm(x, p, &others, true), *one = tensor_number(1);
    Tensor *factor = op_mul(op_reciprocal(op_add(norm, tensor_number(1e-7))), tensor_number(maxnorm));
    return op_where(op_gt(norm, tensor_number(maxnorm)), factor, one);
}

Tensor *forward_renorm(Tensor *x, double p, int64_t dim, double maxnorm)
{
    if (!(p > 0))
        return tide_fail("RuntimeError", "renorm: non-positive-norm not supported");
    if (!(maxnorm >= 0))
        return tide_fail("RuntimeError", "renorm: expected maxnorm to be >= 0 but got %g", maxnorm);
    if (x->ndim < 2)
        return tide_fail("RuntimeError", "renorm: input needs at least 2 dimensions, got %d dimensions",
                         x->ndim);
    if (!wrap_dim(&dim, x->ndim))
        return NULL;
    Tensor *factors = renorm_factors(widened(x), p, dim, maxnorm);
    return factors ? narrowed(op_mul(widened(x), factors), (DType)x->dtype) : NULL;
}

Tensor *forward_renorm_backward(Tensor *g1, Tensor *x, double p, int64_t dim, double maxnorm)
{
    Dims others = {0};
    if (!wrap_dim(&dim, x->ndim))
        return NULL;
    for (int d = 0; d < x->ndim; d++)
        if (d != dim)
            others.v[others.n++] = d;
    Tensor *norm = op_norm(x, p, &others, true);
    Tensor *along = op_norm_backward(op_sum(op_mul(x, g1), &others, true), x, norm, p, &others, true);
    Tensor *inverse = op_reciprocal(op_add(norm, tensor_number(1e-7)));
    Tensor *scaled = op_mul(op_mul(op_sub(g1, op_mul(along, inverse)), inverse), tensor_number(maxnorm));
    return op_where(op_gt(norm, tensor_number(maxnorm)), scaled, g1);
}

/* ---- rounding to decimals, log of the multivariate gamma function ---- */

Tensor *forward_round_decimals(Tensor *x, int64_t decimals)
{
    if (!dtype_is_float((DType)x->dtype))
        return tide_fail("NotImplementedError", "\"round_cpu\" not implemented for '%s'", cname(x));
    Tensor *scale = tensor_number(pow(10, (double)llabs(decimals))), *wide = widened(x);
    Tensor *y = decimals < 0 ? op_mul(op_round(op_div(wide, scale)), scale)
                             : op_div(op_round(op_mul(wide, scale)), scale);
    return narrowed(y, (DType)x->dtype);
}

/* x - j / 2 for j from 0 to before p, along a new last dim. */
static Tensor *gamma_arguments(Tensor *x, int64_t p)
{
    DType dtype = dtype_is_float((DType)x->dtype) ? (DType)x->dtype : default_dtype();
    Tensor *steps = tensor_arange(0, -0.5 * (double)p, -0.5, dtype, x->device);
    return op_add(op_unsqueeze(x, -1), steps);
}

Tensor *forward_mvlgamma(Tensor *x, int64_t p)
{
    if (p < 1)
        return tide_fail("RuntimeError", "p has to be greater than or equal to 1");
    if (x->dtype == DT_BOOL)
        return tide_fail("RuntimeError", "The input tensor may not be a boolean tensor.");
    double constant = (double)(p * (p - 1)) * 0.25 * 1.1447298858494002; /* log(pi) */
    return op_add(op_sum(op_lgamma(gamma_arguments(x, p)), DIMS(-1), false), tensor_number(constant));
}

Tensor *forward_mvlgamma_backward(Tensor *g1, Tensor *x, int64_t p)
{
    return op_mul(g1, op_sum(op_digamma(gamma_arguments(x, p)), DIMS(-1), false));
}

/* ---- addr ---- */

/* The error of a fraction as a factor of whole numbers. */
static bool check_factor(DType dtype, const char *name, double v)
{
    return dtype_is_float(dtype) || v == trunc(v) ||
           tide_refuse("RuntimeError",
                       "For integral input tensors, argument %s must not be a floating point number.", name);
}

Tensor *forward_addr(Tensor *x, Tensor *vec1, Tensor *vec2, double beta, double alpha)
{
    if (vec1->ndim != 1 || vec2->ndim != 1)
        return tide_fail("RuntimeError", "addr: Expected 1-D argument vec%d, but got %d-D",
                         vec1->ndim != 1 ? 1 : 2, vec1->ndim != 1 ? vec1->ndim : vec2->ndim);
    DType dtype = joint_dtype(x, vec1, vec2);
    if (!check_factor(dtype, "beta", beta) || !check_factor(dtype, "alpha", alpha))
        return NULL;
    Tensor *base = op_expand(x, DIMS(vec1->shape[0], vec2->shape[0]));
    vec1 = converted_plain(vec1, dtype);
    vec2 = converted_plain(vec2, dtype);
    Tensor *outer = vec1 && vec2 ? times(op_mul(op_unsqueeze(vec1, 1), vec2), alpha) : NULL;
    if (!base || !outer)
        return NULL;
    Tensor *y = beta == 0 ? outer : op_add(times(base, beta), outer);
    return narrowed(y, dtype);
}

/* ---- cross ---- */

static bool find_cross_dim(const Tensor *x, const Dims *dim, int64_t *at)
{
    if (dim && dim->n == 1) {
        *at = dim->v[0];
        return wrap_dim(at, x->ndim);
    }
    for (*at = 0; *at < x->ndim; ++*at)
        if (x->shape[*at] == 3)
            return true;
    return tide_refuse("RuntimeError", "no dimension of size 3 in input");
}

Tensor *forward_cross(Tensor *x, Tensor *other, const Dims *dim)
{
    int64_t at;
    if (x->ndim != other->ndim)
        return tide_fail("RuntimeError",
                         "linalg.cross: inputs must have the same number of dimensions.");
    if (!find_cross_dim(x, dim, &at))
        return NULL;
    if (x->shape[at] != 3 || other->shape[at] != 3)
        return tide_fail("RuntimeError",
                         "linalg.cross: inputs dimension %lld must have length 3. Got %lld and %lld",
                         (long long)(dim ? dim->v[0] : at), (long long)x->shape[at],
                         (long long)other->shape[at]);
    if (x->dtype != other->dtype)
        return tide_fail("RuntimeError", "expected scalar type %s but found %s", cname(x), cname(other));
    const Dims along = {.n = 1, .v = {at}}, once = {.n = 1, .v = {-1}}, twice = {.n = 1, .v = {-2}};
    return op_sub(op_mul(op_roll(x, &once, &along), op_roll(other, &twice, &along)),
                  op_mul(op_roll(x, &twice, &along), op_roll(other, &once, &along)));
}

/* ---- addbmm ---- */

Tensor *forward_addbmm(Tensor *x, Tensor *batch1, Tensor *batch2, double beta, double alpha)
{
    int64_t row = 1, column = 2;
    if (!wrap_dim(&row, batch1->ndim) || !wrap_dim(&column, batch2->ndim))
        return NULL;
    Tensor *y = op_expand(x, DIMS(batch1->shape[1], batch2->shape[2]));
    if (!y)
        return NULL;
    if (batch1->ndim != 3 || batch2->ndim != 3)
        return tide_fail("RuntimeError", "batch%d must be a 3D tensor", batch1->ndim != 3 ? 1 : 2);
    if (batch1->shape[0] != batch2->shape[0])
        return tide_fail("RuntimeError",
                         "batch1 and batch2 must have same number of batches, got %lld and %lld",
                         (long long)batch1->shape[0], (long long)batch2->shape[0]);
    if (batch1->shape[2] != batch2->shape[1])
        return tide_fail("RuntimeError",
                         "Incompatible matrix sizes for bmm (%lldx%lld and %lldx%lld)",
                         (long long)batch1->shape[1], (long long)batch1->shape[2],
                         (long long)batch2->shape[1], (long long)batch2->shape[2]);
    if (batch1->shape[0] == 0)
        return beta == 0 ? zeros_shaped(y, x) : beta == 1 ? op_clone(y) : times(y, beta);
    for (int64_t i = 0; y && i < batch1->shape[0]; i++)
        y = op_addmm(y, op_select(batch1, 0, i), op_select(batch2, 0, i), i ? 1 : beta, alpha);
    return y;
}

/* ---- div_trunc, ldexp, nextafter, rot90 ---- */

/* In 16 bits the quotient is rounded before it is cut, unless the divisor is a single number. */
Tensor *forward_div_trunc(Tensor *x, Tensor *other)
{
    DType d = result_dtype((Tensor *[]){x, other}, 2);
    bool twice = (d == DT_F16 || d == DT_BF16) && other->numel != 1;
    return twice ? op_trunc(op_div(x, other)) : op_quotient_trunc(x, other);
}

Tensor *forward_ldexp(Tensor *x, Tensor *other)
{
    Dims shape;
    if (!broadcast_all((Tensor *[]){x, other}, 2, &shape))
        return NULL;
    if (other->ndim == 0 && x->dtype == DT_F64) /* beside doubles the power of a single number is one too */
        other = converted_plain(other, DT_F64);
    if (!dtype_is_float((DType)x->dtype) || dtype_is_float((DType)other->dtype))
        return op_mul(x, op_pow(tensor_number(2), other));
    if (other->dtype == DT_BOOL)
        return tide_fail("NotImplementedError", "\"ldexp_cpu_exp\" not implemented for 'Bool'");
    return op_scale_by_power(x, other);
}

/* In 16 bits: a step along the numbers in order of size is one along their bits. */
static Tensor *next_bits(Tensor *x, Tensor *other)
{
    Tensor *zero = tensor_number(0), *bits = op_view_dtype(x, DT_I16);
    Tensor *one = tensor_integer(1), *lowest = tensor_integer(INT16_MIN);
    Tensor *away = op_eq(op_gt(other, x), op_gt(x, zero)); /* from 0 */
    Tensor *stepped = op_add(bits, op_where(away, one, tensor_integer(-1)));
    Tensor *from_zero = op_where(op_gt(other, zero), one, op_add(lowest, one));
    Tensor *next = op_where(op_eq(x, zero), from_zero, stepped);
    next = next ? op_view_dtype(tensor_to(next, DT_I16, next->device, false), (DType)x->dtype) : NULL;
    Tensor *none = op_logical_or(op_isnan(x), op_isnan(other));
    return op_where(none, tensor_number(NAN), op_where(op_eq(x, other), other, next));
}

Tensor *forward_nextafter(Tensor *x, Tensor *other)
{
    DType d = result_dtype((Tensor *[]){x, other}, 2);
    if (d != DT_F16 && d != DT_BF16)
        return op_next_number(x, other);
    x = contiguous_plain(converted_plain(x, d));
    other = converted_plain(other, d);
    return x && other ? next_bits(x, other) : NULL;
}

Tensor *forward_rot90(Tensor *x, int64_t k, const Dims *dims)
{
    Dims plane = dims ? *dims : *DIMS(0, 1), order = {.n = x->ndim};
    if (plane.n != 2)
        return tide_fail("RuntimeError", "expected total rotation dims == 2, but got dims = %d", plane.n);
    if (x->ndim < 2)
        return tide_fail("RuntimeError", "expected total dims >= 2, but got total dims = %d", x->ndim);
    int64_t first = plane.v[0], second = plane.v[1];
    if (!wrap_dim(&plane.v[0], x->ndim) || !wrap_dim(&plane.v[1], x->ndim))
        return NULL;
    if (plane.v[0] == plane.v[1])
        return tide_fail("RuntimeError",
                         "expected rotation dims to be different, but got dim0 = %lld and dim1 = %lld",
                         (long long)first, (long long)second);
    for (int i = 0; i < x->ndim; i++)
        order.v[i] = i;
    order.v[plane.v[0]] = plane.v[1];
    order.v[plane.v[1]] = plane.v[0];
    int64_t quarters = (k % 4 + 4) % 4;
    if (quarters == 0)
        return op_clone(x);
    if (quarters == 2)
        return op_flip(x, &plane);
    return op_clone(op_permute(op_flip(x, DIMS(plane.v[quarters == 1 ? 1 : 0])), &order));
}

/* ---- channels and pixels ---- */

/* x reshaped to `apart`, its dims ordered as told, reshaped to `shape`. */
static Tensor *rearranged(Tensor *x, const Dims *apart, const Dims *order, const Dims *shape)
{
    Tensor *y = op_reshape(x, apart);
    return y ? op_reshape(op_permute(y, order), shape) : NULL;
}

static bool check_pixels(const char *name, const char *word, const Tensor *x, int64_t factor)
{
    if (x->ndim < 3)
        return tide_refuse("RuntimeError",
                           "%s expects input to have at least 3 dimensions, but got input with %d "
                           "dimension(s)",
                           name, x->ndim);
    if (factor <= 0)
        return tide_refuse("RuntimeError", "%s expects a positive %s, but got %lld", name, word,
                           (long long)factor);
    if (x->ndim + 2 > TIDE_MAXDIM)
        return tide_refuse("RuntimeError", "%s: too many dimensions", name);
    return true;
}

Tensor *forward_pixel_shuffle(Tensor *x, int64_t factor)
{
    if (!check_pixels("pixel_shuffle", "upscale_factor", x, factor))
        return NULL;
    int n = x->ndim - 3;
    int64_t c = x->shape[n], h = x->shape[n + 1], w = x->shape[n + 2];
    if (factor > INT32_MAX || c % (factor * factor) != 0) /* or the square would not fit */
        return tide_fail("RuntimeError",
                         "pixel_shuffle expects its input's 'channel' dimension to be divisible by the "
                         "square of upscale_factor, but input.size(-3)=%lld is not divisible by %lld",
                         (long long)c, (long long)(factor * factor));
    Dims shape = tensor_dims(x), apart = shape, order = {.n = n + 5};
    const int64_t split[] = {c / (factor * factor), factor, factor, h, w}, turned[] = {0, 3, 1, 4, 2};
    apart.n = n + 5;
    for (int i = 0; i < n + 5; i++) {
        order.v[i] = i < n ? i : n + turned[i - n];
        if (i >= n)
            apart.v[i] = split[i - n];
    }
    shape.v[n] = split[0], shape.v[n + 1] = h * factor, shape.v[n + 2] = w * factor;
    return rearranged(x, &apart, &order, &shape);
}

Tensor *forward_pixel_unshuffle(Tensor *x, int64_t factor)
{
    if (!check_pixels("pixel_unshuffle", "downscale_factor", x, factor))
        return NULL;
    int n = x->ndim - 3;
    int64_t c = x->shape[n], h = x->shape[n + 1], w = x->shape[n + 2];
    for (int i = 1; i <= 2; i++)
        if (x->shape[n + i] % factor != 0)
            return tide_fail("RuntimeError",
                             "pixel_unshuffle expects %s to be divisible by downscale_factor, but "
                             "input.size(%d)=%lld is not divisible by %lld",
                             i == 1 ? "height" : "width", i - 3, (long long)x->shape[n + i],
                             (long long)factor);
    Dims shape = tensor_dims(x), apart = shape, order = {.n = n + 5};
    const int64_t split[] = {c, h / factor, factor, w / factor, factor}, turned[] = {0, 2, 4, 1, 3};
    apart.n = n + 5;
    for (int i = 0; i < n + 5; i++) {
        order.v[i] = i < n ? i : n + turned[i - n];
        if (i >= n)
            apart.v[i] = split[i - n];
    }
    shape.v[n] = c * factor * factor, shape.v[n + 1] = h / factor, shape.v[n + 2] = w / factor;
    return rearranged(x, &apart, &order, &shape);
}

Tensor *forward_channel_shuffle(Tensor *x, int64_t groups)
{
    if (x->ndim < 3)
        return tide_fail("RuntimeError",
                         "channel_shuffle expects input with > 2 dims, but got input with sizes of %d dims",
                         x->ndim);
    if (groups <= 0)
        return tide_fail("RuntimeError",
                         "Number of groups to divide channels in must be positive. Value of groups:%lld",
                         (long long)groups);
    int64_t c = x->shape[1], rest = 1;
    if (c % groups != 0)
        return tide_fail("RuntimeError",
                         "Number of channels must be divisible by groups. Got %lld channels and %lld groups.",
                         (long long)c, (long long)groups);
    for (int i = 2; i < x->ndim; i++)
        rest *= x->shape[i];
    Dims shape = tensor_dims(x);
    return rearranged(x, DIMS(x->shape[0], groups, c / groups, rest), DIMS(0, 2, 1, 3), &shape);
}
