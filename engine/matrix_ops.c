/* matrix_ops.c - forwards of lapack.def: the matrix exponential and norms of matrices. */
#include "engine/factor.h"

#include <math.h>
#include <stdio.h>

/* ---- exponential: Taylor polynomials; large matrices are halved first, and the result is squared ---- */

enum { DEGREES = 6 };

/* 1-norms up to which a polynomial of each degree is exact to rounding. */
static const struct {
    int degree, block; /* powers up to block are made, and the polynomial is evaluated in steps of block */
    double f32, f64;
} polynomials[DEGREES] = {{1, 1, 1.192092800768788e-07, 2.220446049250313e-16},
                          {2, 1, 5.978858893805233e-04, 2.580956802971767e-08},
                          {4, 2, 5.116619363445086e-02, 3.397168839976962e-04},
                          {8, 3, 5.800524627688768e-01, 4.991228871115323e-02},
                          {12, 4, 1.461661507209034e+00, 2.996158913811580e-01},
                          {18, 4, 3.010066362817634e+00, 1.090863719290036e+00}};

/* 1 + A + … + A^degree / degree! */
static Tensor *taylor(Tensor *A, int degree, int block)
{
    double coefficient[19] = {1};
    if (!A) return NULL;
    Tensor *power[5] = {identity_like(A, A->shape[A->ndim - 1]), A}, *y = NULL;
    for (int i = 1; i <= degree; i++) coefficient[i] = coefficient[i - 1] / i;
    for (int i = 2; i <= block; i++) power[i] = op_matmul(power[i - 1], A);
    int start = degree / block * block;
    for (int from = start; from >= 0; from -= block) {
        Tensor *part = scaled_by(power[0], coefficient[from]);
        for (int i = 1; i < block && from + i <= degree; i++)
            part = op_add(part, scaled_by(power[i], coefficient[from + i]));
        y = from == start ? part : op_add(op_matmul(y, power[block]), part);
    }
    return y;
}

/* A (…, n, n) halved `count` times where that is how often it is to be squared again: `halvings` (…). */
static Tensor *squared_again(Tensor *y, Tensor *halvings, int64_t most)
{
    for (int64_t i = 0; i < most && y; i++) {
        Tensor *wanted = op_unsqueeze(op_unsqueeze(op_gt(halvings, tensor_number((double)i)), -1), -1);
        if (tide_check_interrupt()) return NULL;
        y = op_where(wanted, op_matmul(y, y), y);
    }
    return y;
}

Tensor *forward_linalg_matrix_exp(Tensor *A)
{
    double largest, most;
    if (!check_square(A, "linalg.matrix_exp") ||
        !(dtype_is_float((DType)A->dtype) || check_lapack_dtype(A, "linalg.matrix_exp", NULL)))
        return NULL;
    if (A->numel == 0) return tensor_like(A, (DType)A->dtype);
    if (A->shape[A->ndim - 1] == 1) return op_exp(A);
    bool single = A->dtype != DT_F64;
    Tensor *size = op_amax(op_sum(op_abs(A), DIMS(-2), false), DIMS(-1), false);
    if (!tensor_item_double(op_amax(size, NULL, false), &largest)) return NULL;
    for (int i = 0; i < DEGREES; i++)
        if (largest <= (single ? polynomials[i].f32 : polynomials[i].f64))
            return taylor(A, polynomials[i].degree, polynomials[i].block);
    double limit = single ? polynomials[DEGREES - 1].f32 : polynomials[DEGREES - 1].f64;
    Tensor *halvings = op_ceil(op_log2(op_div(size, tensor_number(limit))));
    halvings = op_where(op_isfinite(halvings), op_clamp_min(halvings, tensor_number(0)), tensor_number(0));
    if (!tensor_item_double(op_amax(halvings, NULL, false), &most)) return NULL;
    Tensor *scale = op_unsqueeze(op_unsqueeze(op_exp2(op_neg(halvings)), -1), -1);
    return squared_again(taylor(op_mul(A, scale), 18, 4), halvings, (int64_t)most);
}

/* The corner of the exponential of [[A', g], [0, A']]. */
Tensor *forward_linalg_matrix_exp_backward(Tensor *g1, Tensor *A)
{
    int64_t n = A->shape[A->ndim - 1];
    Tensor *across = mT(A), *zero = zeros_shaped(A, A);
    Tensor *top[] = {across, g1}, *bottom[] = {zero, across};
    if (!across || !zero) return NULL;
    Tensor *rows[] = {op_cat(&(TensorList){2, top}, -1), op_cat(&(TensorList){2, bottom}, -1)};
    Tensor *whole = rows[0] && rows[1] ? op_linalg_matrix_exp(op_cat(&(TensorList){2, rows}, -2)) : NULL;
    return columns_between(rows_between(whole, 0, n), n, 2 * n);
}

Tensor *forward_matrix_exp(Tensor *x) { return op_linalg_matrix_exp(x); }

/* ---- norms ---- */

enum { NORM_FROBENIUS, NORM_NUCLEAR, NORM_ORDER };

static bool matrix_dims(const Tensor *A, const Dims *dim, int64_t *row, int64_t *column)
{
    char given[256];
    size_t at = 0;
    *row = dim && dim->n == 2 ? dim->v[0] : -2;
    *column = dim && dim->n == 2 ? dim->v[1] : -1;
    if (dim && dim->n != 2) {
        for (int i = 0; i < dim->n; i++)
            at += (size_t)snprintf(given + at, sizeof given - at, i ? " %lld" : "%lld", (long long)dim->v[i]);
        given[at] = '\0';
        return tide_refuse("RuntimeError", "linalg.matrix_norm: dim must be a 2-tuple. Got %s", given);
    }
    if (!wrap_dim(row, A->ndim) || !wrap_dim(column, A->ndim)) return false;
    return *row != *column ||
           tide_refuse("RuntimeError", "linalg.matrix_norm: dims must be different. Got (%lld, %lld)",
                       (long long)dim->v[0], (long long)dim->v[1]);
}

/* The largest of sizes along dim (0 of none), or the smallest. */
static Tensor *extreme(Tensor *sizes, int64_t dim, bool largest, bool keepdim)
{
    if (!sizes || !wrap_dim(&dim, sizes->ndim)) return NULL;
    if (largest && sizes->shape[dim] == 0) return op_sum(sizes, DIMS(dim), keepdim);
    return largest ? op_amax(sizes, DIMS(dim), keepdim) : op_amin(sizes, DIMS(dim), keepdim);
}

/* A norm of the singular values: 0 their sum, 1 the largest, -1 the smallest. */
static Tensor *spectral_norm(Tensor *A, int64_t row, int64_t column, int which, bool keepdim)
{
    Tensor *S = op_linalg_svdvals(op_movedim(A, DIMS(row, column), DIMS(-2, -1)));
    Tensor *y = which == 0 ? op_sum(S, DIMS(-1), keepdim) : extreme(S, -1, which > 0, keepdim);
    return keepdim && y ? op_movedim(op_unsqueeze(y, -1), DIMS(-2, -1), DIMS(row, column)) : y;
}

Tensor *forward_linalg_matrix_norm(Tensor *A, int64_t kind, double ord, const Dims *dim, bool keepdim)
{
    static const char who[] = "linalg.matrix_norm";
    int64_t row, column;
    double size = fabs(ord);
    if (!dtype_is_float((DType)A->dtype) || kind == NORM_NUCLEAR || (kind == NORM_ORDER && size == 2))
        if (!check_lapack_dtype(A, who, NULL)) return NULL;
    if (!check_matrix(A, "A", who) || !matrix_dims(A, dim, &row, &column)) return NULL;
    if (kind == NORM_FROBENIUS) return op_norm(A, 2, DIMS(row, column), keepdim);
    if (kind == NORM_NUCLEAR || size == 2)
        return spectral_norm(A, row, column, kind == NORM_NUCLEAR ? 0 : ord > 0 ? 1 : -1, keepdim);
    int64_t summed = isinf(ord) ? column : row, rest = isinf(ord) ? row : column;
    Tensor *sums = op_norm(A, 1, DIMS(summed), keepdim);
    if (!keepdim && summed < rest) rest--;
    return extreme(sums, rest, ord > 0, keepdim);
}

Tensor *forward_nuclear_norm(Tensor *x, const Dims *dim, bool keepdim)
{
    return op_linalg_matrix_norm(x, NORM_NUCLEAR, 0, dim, keepdim);
}

Tensor *forward_frobenius_norm(Tensor *x, const Dims *dim, bool keepdim)
{
    if (dim && dim->n > 2)
        return tide_fail("RuntimeError", "Expected at most 2 dimensions, but got %d dimensions instead.",
                         dim->n);
    if (!dtype_is_float((DType)x->dtype))
        return tide_fail("RuntimeError",
                         "norm(): input dtype should be either floating point or complex. Got %s instead.",
                         cname(x));
    return node_named(op_norm(x, 2, dim, keepdim), "NormBackward1");
}
