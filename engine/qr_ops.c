/* qr_ops.c - forwards of lapack.def: Cholesky factors, triangular systems, QR and Householder reflectors. */
#include "engine/factor.h"

/* ---- Cholesky ---- */

/* Of a matrix that is square and of a dtype that serves. who NULL: infos are no errors. */
static Tensor *cholesky(Tensor *A, bool upper, const char *who)
{
    Dims batch = batch_dims(A);
    Tensor *L = column_major_copy(upper ? op_triu(A, 0) : op_tril(A, 0), &batch),
           *info = infos_new(&batch, A);
    Arg arg[2] = {[1] = {.b = upper}};
    if (!L || !info ||
        (L->numel && !kernel_run(OP_linalg_cholesky_ex, NULL, 0, (Tensor *[]){L, info}, 2, arg)) ||
        (who && !check_infos(info, FAILURE_CHOLESKY, who)))
        return NULL;
    results_extra(info, NULL);
    return L;
}

Tensor *forward_linalg_cholesky_ex(Tensor *x, bool upper, bool check_errors)
{
    static const char who[] = "linalg.cholesky";
    if (!check_lapack_dtype(x, who, "cholesky_cpu") || !check_square(x, who)) return NULL;
    return cholesky(x, upper, check_errors ? "linalg.cholesky_ex" : NULL);
}

Tensor *forward_linalg_cholesky(Tensor *A, bool upper)
{
    Tensor *L = op_linalg_cholesky_ex(A, upper, false), *info = op_second();
    if (!L || !check_infos(info, FAILURE_CHOLESKY, "linalg.cholesky")) return NULL;
    results_extra(NULL, NULL);
    return L;
}

Tensor *forward_cholesky(Tensor *x, bool upper)
{
    if (!check_square(x, "cholesky") || !check_lapack_dtype(x, NULL, "cholesky_cpu")) return NULL;
    Tensor *L = cholesky(x, upper, "cholesky");
    results_extra(NULL, NULL);
    return L;
}

Tensor *forward_cholesky_backward(Tensor *g1, Tensor *L, bool upper)
{
    if (upper) {
        g1 = mT(g1);
        L = mT(L);
    }
    Tensor *phi = op_tril(op_matmul(mT(L), g1), 0);
    phi = phi ? op_sub(phi, scaled_by(diagonal_matrix(diagonal_of(phi)), 0.5)) : NULL;
    phi = op_linalg_solve_triangular(mT(L), phi, true, true, false);
    phi = op_linalg_solve_triangular(L, phi, false, false, false);
    return scaled_by(op_add(phi, mT(phi)), 0.5);
}

Tensor *forward_cholesky_solve(Tensor *x, Tensor *input2, bool upper)
{
    Dims batch;
    if (x->ndim < 2)
        return tide_fail("RuntimeError", "b should have at least 2 dimensions, but has %d dimensions instead",
                         x->ndim);
    if (input2->ndim < 2)
        return tide_fail("RuntimeError", "u should have at least 2 dimensions, but has %d dimensions instead",
                         input2->ndim);
    if (x->dtype != input2->dtype)
        return tide_fail("RuntimeError",
                         "Expected b and A to have the same dtype, but found b of type %s and A of "
                         "type %s instead",
                         cname(x), cname(input2));
    int64_t n = input2->shape[input2->ndim - 1], rows = x->shape[x->ndim - 2];
    if (input2->shape[input2->ndim - 2] == n && rows != n)
        return tide_fail(
            "RuntimeError",
            "Incompatible matrix sizes for cholesky_solve: each A matrix is %lld by %lld but each b "
            "matrix is %lld by %lld",
            (long long)n, (long long)n, (long long)rows, (long long)x->shape[x->ndim - 1]);
    if (!check_square(input2, "cholesky_solve") || !common_batch(x, input2, &batch)) return NULL;
    if (x->dtype != DT_F32 && x->dtype != DT_F64)
        return tide_fail("NotImplementedError", "\"cholesky_solve_cpu\" not implemented for '%s'", cname(x));
    Tensor *X = column_major_copy(x, &batch), *factor = column_major_copy(input2, &batch);
    Arg arg[3] = {[2] = {.b = upper}};
    if (!X || !factor) return NULL;
    return X->numel == 0 || kernel_run(OP_cholesky_solve, &factor, 1, &X, 1, arg) ? X : NULL;
}

Tensor *forward_cholesky_solve_backward(Tensor *g1, Tensor *X, Tensor *L, bool upper)
{
    Tensor *gB = op_cholesky_solve(g1, L, upper);
    Tensor *common = op_matmul(gB, mT(X));
    common = op_add(common, mT(common));
    return op_neg(upper ? op_matmul(L, common) : op_matmul(common, L));
}

Tensor *forward_cholesky_inverse(Tensor *x, bool upper)
{
    if (!check_square(x, "cholesky_inverse")) return NULL;
    if (x->dtype != DT_F32 && x->dtype != DT_F64)
        return tide_fail("NotImplementedError", "\"cholesky_inverse_out_cpu\" not implemented for '%s'",
                         cname(x));
    Dims batch = batch_dims(x);
    Tensor *X = column_major_copy(x, &batch);
    Arg arg[2] = {[1] = {.b = upper}};
    return X && (X->numel == 0 || kernel_run(OP_cholesky_inverse, NULL, 0, &X, 1, arg)) ? X : NULL;
}

Tensor *forward_cholesky_inverse_backward(Tensor *g1, Tensor *inverse, Tensor *L, bool upper)
{
    Tensor *common = op_matmul(inverse, op_matmul(op_add(g1, mT(g1)), inverse));
    return op_neg(upper ? op_matmul(L, common) : op_matmul(common, L));
}

/* ---- triangles ---- */

Tensor *forward_linalg_solve_triangular(Tensor *A, Tensor *B, bool upper, bool left, bool unitriangular)
{
    Dims batch;
    if (!check_same_device((Tensor *[]){A, B}, 2) || !check_equation(A, B, left, "linalg.solve_triangular"))
        return NULL;
    if (A->dtype != DT_F32 && A->dtype != DT_F64)
        return tide_fail("NotImplementedError", "\"triangular_solve_cpu\" not implemented for '%s'",
                         cname(A));
    if (!common_batch(A, B, &batch)) return NULL;
    Tensor *X = column_major_copy(converted_plain(B, (DType)A->dtype), &batch);
    Dims full = with_matrix(batch, A->shape[A->ndim - 1], A->shape[A->ndim - 1]);
    Tensor *factor = broadcast_plain(A, &full);
    bool flipped = factor && factor->contiguous;
    if (!flipped) factor = column_major_copy(A, &batch);
    Arg arg[6] = {[2] = {.b = upper}, [3] = {.b = left}, [4] = {.b = unitriangular}, [5] = {.b = flipped}};
    if (!X || !factor) return NULL;
    return X->numel == 0 || kernel_run(OP_linalg_solve_triangular, &factor, 1, &X, 1, arg) ? X : NULL;
}

Tensor *forward_linalg_solve_triangular_backward(Tensor *g1, Tensor *A, Tensor *X, bool upper, bool left,
                                                 bool unitriangular)
{
    Tensor *gB = op_linalg_solve_triangular(mT(A), g1, !upper, left, unitriangular);
    Tensor *gA = op_neg(left ? op_matmul(gB, mT(X)) : op_matmul(mT(X), gB));
    return upper ? op_triu(gA, unitriangular) : op_tril(gA, -(int64_t)unitriangular);
}

Tensor *forward_triangular_solve(Tensor *x, Tensor *A, bool upper, bool transpose, bool unitriangular)
{
    Dims batch;
    if (!common_batch(A, x, &batch)) return NULL;
    Tensor *X = op_triangular_solve_part(x, A, upper, transpose, unitriangular);
    if (!X) return NULL; /* A may have no two dims */
    Dims full = with_matrix(batch, A->shape[A->ndim - 2], A->shape[A->ndim - 1]);
    Tensor *copy = op_triangular_solve_copy(op_expand(A, &full));
    results_extra(copy, NULL);
    return copy ? X : NULL;
}

Tensor *forward_triangular_solve_copy(Tensor *A)
{
    Dims batch = batch_dims(A);
    return column_major_copy(A, &batch);
}

Tensor *forward_triangular_solve_part(Tensor *x, Tensor *A, bool upper, bool transpose, bool unitriangular)
{
    return forward_linalg_solve_triangular(transpose ? swapped(A) : A, x, upper != transpose, true,
                                           unitriangular);
}

Tensor *forward_triangular_solve_backward(Tensor *g1, Tensor *A, Tensor *X, bool upper, bool transpose,
                                          bool unitriangular)
{
    Tensor *solved = transpose ? mT(A) : A;
    Tensor *g = op_linalg_solve_triangular_backward(g1, solved, X, upper != transpose, true, unitriangular);
    return transpose ? mT(g) : g;
}

/* ---- reflectors ---- */

static bool check_qr_input(const Tensor *A, const char *who)
{
    return check_matrix(A, "A", who) && check_lapack_dtype(A, who, "geqrf_cpu");
}

/* A's reflectors and R in one matrix, column-major, and the reflectors' factors. */
static bool reflect(Tensor *A, Tensor **a, Tensor **tau)
{
    Dims batch = batch_dims(A);
    int64_t m = A->shape[A->ndim - 2], n = A->shape[A->ndim - 1];
    Dims vector = with_dim(batch, m < n ? m : n);
    *a = column_major_copy(A, &batch);
    *tau = result_new(&vector, (DType)A->dtype, A->device);
    return *a && *tau && (A->numel == 0 || kernel_run(OP_geqrf, NULL, 0, (Tensor *[]){*a, *tau}, 2, NULL));
}

/* The first `columns` columns of the product of the reflectors in a, of whose columns there may be fewer. */
static Tensor *reflectors_product(Tensor *a, Tensor *tau, int64_t columns)
{
    Dims batch = batch_dims(a);
    int64_t m = a->shape[a->ndim - 2], n = a->shape[a->ndim - 1], both = n < columns ? n : columns;
    Tensor *Q = column_major_new(&batch, m, columns, a);
    if (!Q || Q->numel == 0) return Q;
    if (both < columns && !fill_plain(Q, 0)) return NULL;
    if (!copy_plain(columns_between(Q, 0, both), columns_between(a, 0, both))) return NULL;
    if (tau->numel == 0) /* of no reflectors */
        return copy_plain(Q, tensor_eye(m, columns, (DType)a->dtype, a->device)) ? Q : NULL;
    return kernel_run(OP_linalg_householder_product, &tau, 1, &Q, 1, NULL) ? Q : NULL;
}

Tensor *forward_geqrf(Tensor *x)
{
    Tensor *a, *tau;
    if (x->ndim < 2) return tide_fail("RuntimeError", "torch.geqrf: input must have at least 2 dimensions.");
    if (!check_lapack_dtype(x, NULL, "geqrf_cpu") || !reflect(x, &a, &tau)) return NULL;
    results_extra(tau, NULL);
    return a;
}

static bool check_reflectors(const Tensor *A, const Tensor *tau, const char *who)
{
    if (A->ndim < 2) return tide_refuse("RuntimeError", "%s: input must have at least 2 dimensions.", who);
    int64_t m = A->shape[A->ndim - 2], n = A->shape[A->ndim - 1];
    if (m < n)
        return tide_refuse("RuntimeError",
                           "%s: input.shape[-2] must be greater than or equal to input.shape[-1]", who);
    if (tau->ndim > 0 && n < tau->shape[tau->ndim - 1])
        return tide_refuse("RuntimeError",
                           "%s: input.shape[-1] must be greater than or equal to tau.shape[-1]", who);
    if (A->ndim - tau->ndim != 1)
        return tide_refuse(
            "RuntimeError",
            "%s: Expected tau to have one dimension less than input, but got tau.ndim equal to %d "
            "and input.ndim is equal to %d",
            who, tau->ndim, A->ndim);
    char have[256];
    for (int d = 0; d < A->ndim - 2; d++)
        if (A->shape[d] != tau->shape[d])
            return tide_refuse(
                "RuntimeError",
                "%s: Expected batch dimensions of tau to be equal to input.shape[:-2], but got %s", who,
                format_dims(have, sizeof have, tau->ndim - 1, tau->shape));
    if (A->dtype != tau->dtype)
        return tide_refuse("RuntimeError", "%s: tau dtype %s does not match input dtype %s", who,
                           ctype_name(tau), ctype_name(A));
    return check_lapack_dtype(A, NULL, "orgqr_cpu");
}

Tensor *forward_linalg_householder_product(Tensor *A, Tensor *tau)
{
    if (!check_reflectors(A, tau, "torch.linalg.householder_product")) return NULL;
    Tensor *factors = contiguous_plain(tau);
    return factors ? reflectors_product(A, factors, A->shape[A->ndim - 1]) : NULL;
}

Tensor *forward_orgqr(Tensor *x, Tensor *input2) { return op_linalg_householder_product(x, input2); }

/* Reflector i of A as a column (…, m, 1): 0s, a 1 at i, A's elements below; and its factor (…, 1, 1). */
static Tensor *reflector(Tensor *A, int64_t i)
{
    Tensor *below = op_tril(columns_between(A, i, i + 1), -i - 1);
    Dims unit = {2, {A->shape[A->ndim - 2], 1}};
    Tensor *one = tensor_zeros(&unit, (DType)A->dtype, A->device);
    return one && fill_plain(rows_between(one, i, i + 1), 1) ? op_add(below, one) : NULL;
}

static Tensor *factor_at(Tensor *tau, int64_t i) { return op_unsqueeze(op_narrow(tau, -1, i, 1), -1); }

/* (1 - factor v v') X */
static Tensor *reflected(Tensor *v, Tensor *factor, Tensor *X)
{
    return op_sub(X, op_mul(factor, op_matmul(v, op_matmul(mT(v), X))));
}

/* Q is H_1 H_2 … H_k times the first columns of the identity. The gradient of H_i is what stands before it,
 * transposed, times g, times what stands behind it, transposed; those of v_i and its factor follow from
 * H_i = 1 - factor v v'. */
Tensor *forward_linalg_householder_backward(Tensor *g1, Tensor *A, Tensor *tau, int64_t part)
{
    enum { MOST = 4096 };
    int64_t m = A->shape[A->ndim - 2], n = A->shape[A->ndim - 1], k = tau->shape[tau->ndim - 1];
    int64_t columns = g1->shape[g1->ndim - 1]; /* of Q: as many as A has, or all m */
    if (k > MOST)
        return tide_fail("RuntimeError", "householder_product of more than %d reflectors has no gradient",
                         MOST);
    Tensor *behind[MOST], *column[MOST], *before = g1;
    behind[k - 1] = tensor_eye(m, columns, (DType)A->dtype, A->device);
    for (int64_t i = k - 1; i > 0; i--)
        behind[i - 1] = reflected(reflector(A, i), factor_at(tau, i), behind[i]);
    for (int64_t i = 0; i < k; i++) {
        Tensor *v = reflector(A, i), *f = factor_at(tau, i);
        Tensor *Mv = op_matmul(before, op_matmul(mT(behind[i]), v));
        if (part == 1)
            column[i] = op_neg(op_matmul(mT(v), Mv));
        else
            column[i] = op_tril(op_neg(op_mul(f, op_add(Mv, op_matmul(behind[i], op_matmul(mT(before), v))))),
                                -i - 1);
        before = reflected(v, f, before);
        if (!column[i] || !before) return NULL;
    }
    Tensor *g = op_cat(&(TensorList){(int)k, column}, -1);
    if (part == 1) return op_squeeze(g, DIMS(-2));
    Dims rest = with_matrix(batch_dims(A), m, n - k);
    Tensor *both[] = {g, tensor_zeros(&rest, (DType)A->dtype, A->device)};
    return n == k ? g : both[1] ? op_cat(&(TensorList){2, both}, -1) : NULL;
}

/* The one message of both operands beside ormqr's reflectors. */
static bool check_ormqr_batch(const Tensor *x, const Tensor *t, int matrix_dims, const char *name)
{
    char have[256];
    bool same = true;
    for (int d = 0; d < x->ndim - 2; d++) same = same && x->shape[d] == t->shape[d];
    return same ||
           tide_refuse("RuntimeError",
                       "torch.ormqr: Expected batch dimensions of %s to be equal to input.shape[:-2], "
                       "but got %s",
                       name, format_dims(have, sizeof have, t->ndim - matrix_dims, t->shape));
}

static bool check_ormqr_dtype(const Tensor *x, const Tensor *t, const char *name)
{
    return x->dtype == t->dtype ||
           tide_refuse("RuntimeError",
                       "torch.ormqr: Expected input and %s to have the same dtype, but input has dtype%s and "
                       "%s has dtype %s",
                       name, cname(x), name, cname(t));
}

static bool check_ormqr(const Tensor *x, const Tensor *tau, const Tensor *other, bool left)
{
    int64_t last = -1;
    if (x->ndim < 2 || other->ndim < 2)
        return tide_refuse("RuntimeError", "torch.ormqr: %s must have at least 2 dimensions.",
                           x->ndim < 2 ? "input" : "other");
    if (tau->ndim == 0) return no_such_dim(last) != NULL;
    int from_end = left ? 2 : 1;
    int64_t n = x->shape[x->ndim - 1], side = other->shape[other->ndim - from_end];
    if (side != x->shape[x->ndim - 2])
        return tide_refuse("RuntimeError", "torch.ormqr: other.shape[-%d] must be equal to input.shape[-2]",
                           from_end);
    if (tau->shape[tau->ndim - 1] != (side < n ? side : n))
        return tide_refuse(
            "RuntimeError",
            "torch.ormqr: tau.shape[-1] must be equal to min(other.shape[-%d], input.shape[-1])", from_end);
    if (x->ndim - tau->ndim != 1)
        return tide_refuse(
            "RuntimeError",
            "torch.ormqr: Expected tau to have one dimension less than input, but got tau.ndim "
            "equal to %d and input.ndim is equal to %d",
            tau->ndim, x->ndim);
    if (x->ndim != other->ndim)
        return tide_refuse(
            "RuntimeError",
            "torch.ormqr: Expected other to have the same number of dimensions as input, but got "
            "other.ndim equal to %d and input.ndim is equal to %d",
            other->ndim, x->ndim);
    return check_ormqr_batch(x, tau, 1, "tau") && check_ormqr_batch(x, other, 2, "other") &&
           check_ormqr_dtype(x, tau, "tau") && check_ormqr_dtype(x, other, "other") &&
           check_lapack_dtype(x, NULL, "ormqr_cpu");
}

Tensor *forward_ormqr(Tensor *x, Tensor *tau, Tensor *other, bool left, bool transpose)
{
    if (!check_ormqr(x, tau, other, left)) return NULL;
    Dims batch = batch_dims(x);
    Tensor *a = column_major_copy(x, &batch);
    Tensor *C = a ? column_major_copy(other, &batch) : NULL, *factors = contiguous_plain(tau);
    Arg arg[5] = {[3] = {.b = left}, [4] = {.b = transpose}};
    if (!C || !factors || C->numel == 0 || tau->numel == 0) return factors ? C : NULL;
    return kernel_run(OP_ormqr, (Tensor *[]){a, factors}, 2, &C, 1, arg) ? C : NULL;
}

/* Through the gradient of Q, all m columns of it, that other is multiplied by. */
Tensor *forward_ormqr_backward(Tensor *g1, Tensor *x, Tensor *tau, Tensor *other, bool left, bool transpose,
                               int64_t part)
{
    Tensor *gQ = left ? op_matmul(g1, mT(other)) : op_matmul(mT(other), g1);
    return op_linalg_householder_backward(transpose ? mT(gQ) : gQ, x, tau, part);
}

/* ---- QR ---- */

enum { QR_REDUCED, QR_COMPLETE, QR_R };

/* Q is without elements in mode QR_R. */
static bool qr(Tensor *A, int64_t mode, Tensor **Q, Tensor **R)
{
    Tensor *a, *tau;
    int64_t m = A->shape[A->ndim - 2], n = A->shape[A->ndim - 1], k = m < n ? m : n;
    if (!reflect(A, &a, &tau)) return false;
    Dims batch = batch_dims(A);
    *R = column_major_copy(op_triu(rows_between(a, 0, mode == QR_COMPLETE ? m : k), 0), &batch);
    *Q = mode == QR_R ? tensor_empty(DIMS(0), (DType)A->dtype, A->device)
                      : reflectors_product(a, tau, mode == QR_COMPLETE ? m : k);
    return *Q && *R;
}

Tensor *forward_linalg_qr(Tensor *A, int64_t mode)
{
    Tensor *Q, *R;
    if (!check_qr_input(A, "linalg.qr") || !qr(A, mode, &Q, &R)) return NULL;
    if (records(A)) {
        Tensor *plain = Q;
        Q = op_linalg_qr_part(A, plain, R, 0, mode);
        R = op_linalg_qr_part(A, plain, R, 1, mode);
    }
    if (!Q || !R) return NULL;
    results_extra(R, NULL);
    return Q;
}

Tensor *forward_linalg_qr_part(Tensor *A, Tensor *Q, Tensor *R, int64_t part, int64_t mode)
{
    (void)A, (void)mode;
    return copy_of(part == 0 ? Q : R);
}

/* The gradient of A = Q R, R square; gQ or gR may be NULL. */
static Tensor *square_qr_backward(Tensor *gQ, Tensor *gR, Tensor *Q, Tensor *R)
{
    Tensor *M = gR ? op_matmul(gR, mT(R)) : NULL;
    if (gQ) {
        Tensor *inner = op_matmul(mT(Q), gQ);
        M = gR ? op_sub(M, inner) : op_neg(inner);
    }
    M = op_triu(M, 0);
    Tensor *symmetric = M ? op_sub(op_add(M, mT(M)), diagonal_matrix(diagonal_of(M))) : NULL;
    Tensor *g = op_matmul(Q, symmetric);
    return op_linalg_solve_triangular(mT(R), gQ ? op_add(g, gQ) : g, false, false, false);
}

Tensor *forward_linalg_qr_backward(Tensor *g1, Tensor *A, Tensor *Q, Tensor *R, int64_t part, int64_t mode)
{
    int64_t m = A->shape[A->ndim - 2], n = A->shape[A->ndim - 1];
    if (mode == QR_R)
        return tide_fail("RuntimeError",
                         "The derivative of linalg.qr depends on Q, which is not computed when "
                         "mode='r'. Please use linalg.qr(A, mode='reduced') if you are going to "
                         "differentiate through linalg.qr.");
    if (mode == QR_COMPLETE && m > n)
        return tide_fail("RuntimeError",
                         "The QR decomposition is not differentiable when mode='complete' and nrows "
                         "> ncols.");
    if (differentiates_again(A)) {
        Q = op_linalg_qr(A, mode);
        R = op_second();
    }
    Tensor *gQ = part == 0 ? g1 : NULL, *gR = part == 1 ? g1 : NULL;
    if (m >= n) return square_qr_backward(gQ, gR, Q, R);
    Tensor *R1 = columns_between(R, 0, m), *rest = columns_between(R, m, n);
    if (part == 0) { /* the rest of R is Q' times the rest of A */
        Tensor *both[] = {square_qr_backward(gQ, NULL, Q, R1), op_mul(rest, tensor_number(0))};
        return both[0] && both[1] ? op_cat(&(TensorList){2, both}, -1) : NULL;
    }
    Tensor *g2 = columns_between(gR, m, n);
    Tensor *through = op_matmul(op_matmul(Q, rest), mT(g2));
    Tensor *both[] = {square_qr_backward(through, columns_between(gR, 0, m), Q, R1), op_matmul(Q, g2)};
    return both[0] && both[1] ? op_cat(&(TensorList){2, both}, -1) : NULL;
}
