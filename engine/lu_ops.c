/* lu_ops.c - forwards of lapack.def: LU and LDL factors; the solutions, inverses, determinants they give. */
#include "engine/factor.h"
#include "engine/store.h"

#include <float.h>
#include <math.h>

/* ---- factors ---- */

static bool check_pivot(bool pivot)
{
    return pivot ||
           tide_refuse("RuntimeError", "linalg.lu_factor: LU without pivoting is not implemented on the CPU");
}

static bool check_lu_input(const Tensor *A, const char *who)
{
    char shape[256];
    if (A->ndim < 2)
        return tide_refuse("RuntimeError",
                           "%s: Expected tensor with 2 or more dimensions. Got size: %s instead", who,
                           format_dims(shape, sizeof shape, A->ndim, A->shape));
    return (A->dtype == DT_F32 || A->dtype == DT_F64) ||
           tide_refuse("NotImplementedError", "\"lu_cpu\" not implemented for '%s'", cname(A));
}

/* LAPACK's exchanges of one matrix's m rows as where each row of L U comes from. */
static void permutation(const int32_t *pivots, int64_t k, int64_t *row, int64_t m)
{
    for (int64_t i = 0; i < m; i++) row[i] = i;
    for (int64_t i = 0; i < k; i++) {
        int64_t other = pivots[i] - 1, kept = row[i];
        if (other < 0 || other >= m)
            continue; /* a user's pivots may be anything; the result is then a permutation all the same */
        row[i] = row[other];
        row[other] = kept;
    }
}

/* The matrices P (…, m, m) with P L U = A, from pivots (…, k). */
static Tensor *permutation_matrix(Tensor *pivots, int64_t m, const Tensor *like)
{
    Dims shape = tensor_dims(pivots);
    int64_t k = shape.v[shape.n - 1], count = 1;
    shape.n--;
    for (int d = 0; d < shape.n; d++) count *= shape.v[d];
    Dims rows = with_dim(shape, m);
    Tensor *row = result_new(&rows, DT_I64, like->device);
    size_t pivot_bytes = (size_t)(count * k + 1) * sizeof(int32_t);
    size_t row_bytes = (size_t)(count * m + 1) * sizeof(int64_t);
    int32_t *from = block_alloc(pivot_bytes);
    int64_t *to = block_alloc(row_bytes);
    bool ok = row && from && to && tensor_read(pivots, from);
    for (int64_t i = 0; i < count && ok; i++) permutation(from + i * k, k, to + i * m, m);
    ok = ok && tensor_write(row, to);
    if (from) block_free(from, pivot_bytes);
    if (to) block_free(to, row_bytes);
    Tensor *number = ok ? tensor_arange_int(0, m, 1, DT_I64, like->device) : NULL;
    if (!number) return NULL;
    return converted_plain(op_eq(op_unsqueeze(row, -2), op_unsqueeze(number, -1)), (DType)like->dtype);
}

static Tensor *unpacked(Tensor *LU, int64_t part)
{
    int64_t m = LU->shape[LU->ndim - 2], n = LU->shape[LU->ndim - 1], k = m < n ? m : n;
    if (part == 1) return op_triu(rows_between(LU, 0, k), 0);
    return op_add(op_tril(columns_between(LU, 0, k), -1), tensor_eye(m, k, (DType)LU->dtype, LU->device));
}

Tensor *forward_linalg_lu_factor_ex(Tensor *A, bool pivot, bool check_errors)
{
    LUFactors f;
    if (!check_lu_input(A, "torch.lu_factor") || !check_pivot(pivot) || !lu_of(A, &f) ||
        (check_errors && !check_infos(f.info, FAILURE_LU, "torch.linalg.lu_factor_ex")))
        return NULL;
    Tensor *y = f.lu;
    if (records(A))
        y = op_linalg_lu_factor_part(A, f.lu, permutation_matrix(f.pivots, A->shape[A->ndim - 2], A));
    results_extra(f.pivots, f.info);
    return y;
}

Tensor *forward_linalg_lu_factor(Tensor *A, bool pivot)
{
    Tensor *y = op_linalg_lu_factor_ex(A, pivot, false), *pivots = op_second();
    if (!y || !check_infos(op_third(), FAILURE_LU, "torch.linalg.lu_factor")) return NULL;
    results_extra(pivots, NULL);
    return y;
}

Tensor *forward_linalg_lu_factor_part(Tensor *A, Tensor *LU, Tensor *P)
{
    (void)A, (void)P;
    return copy_of(LU);
}

Tensor *forward_linalg_lu(Tensor *A, bool pivot)
{
    LUFactors f;
    if (!check_lu_input(A, "linalg.lu") || !check_pivot(pivot) || !lu_of(A, &f)) return NULL;
    Tensor *P = permutation_matrix(f.pivots, A->shape[A->ndim - 2], A);
    Tensor *L = unpacked(f.lu, 0), *U = unpacked(f.lu, 1);
    if (records(A)) {
        Tensor *plain = L;
        L = op_linalg_lu_part(A, P, plain, U, 0);
        U = op_linalg_lu_part(A, P, plain, U, 1);
    }
    if (!L || !U) return NULL;
    results_extra(L, U);
    return P;
}

Tensor *forward_linalg_lu_part(Tensor *A, Tensor *P, Tensor *L, Tensor *U, int64_t part)
{
    (void)A, (void)P;
    return copy_of(part == 0 ? L : U);
}

/* ---- derivatives of the factors ---- */

static Tensor *joined(Tensor *a, Tensor *b, int64_t dim)
{
    Tensor *both[] = {a, b};
    return a && b ? op_cat(&(TensorList){2, both}, dim) : NULL;
}

/* L'^-1 phi U'^-1: from how the product of two triangles moves to how its factors do. */
static Tensor *between(Tensor *L, Tensor *phi, Tensor *U)
{
    Tensor *left = op_linalg_solve_triangular(mT(L), phi, true, true, true);
    return op_linalg_solve_triangular(mT(U), left, false, false, false);
}

/* The gradient of A = P [L1; L2] U from that of L (part 0) or of U (part 1). */
static Tensor *tall_plu_backward(Tensor *g, Tensor *P, Tensor *L, Tensor *U, int64_t part)
{
    int64_t m = L->shape[L->ndim - 2], k = L->shape[L->ndim - 1];
    Tensor *L1 = rows_between(L, 0, k), *rest = rows_between(L, k, m), *phi, *below;
    if (part == 0) {
        Tensor *g2 = rows_between(g, k, m);
        phi = op_sub(op_tril(op_matmul(mT(L1), rows_between(g, 0, k)), -1),
                     op_triu(op_matmul(mT(rest), g2), 0));
        below = op_linalg_solve_triangular(mT(U), g2, false, false, false);
    } else {
        phi = op_triu(op_matmul(g, mT(U)), 0);
        below = op_mul(rest, tensor_number(0));
    }
    return op_matmul(P, joined(between(L1, phi, U), below, -2));
}

/* The same for A = P L [U1 U2]. */
static Tensor *wide_plu_backward(Tensor *g, Tensor *P, Tensor *L, Tensor *U, int64_t part)
{
    int64_t n = U->shape[U->ndim - 1], k = L->shape[L->ndim - 1];
    Tensor *U1 = columns_between(U, 0, k), *rest = columns_between(U, k, n), *phi, *beside;
    if (part == 0) {
        phi = op_tril(op_matmul(mT(L), g), -1);
        beside = op_mul(rest, tensor_number(0));
    } else {
        Tensor *g2 = columns_between(g, k, n);
        phi = op_sub(op_triu(op_matmul(columns_between(g, 0, k), mT(U1)), 0),
                     op_tril(op_matmul(g2, mT(rest)), -1));
        beside = op_linalg_solve_triangular(mT(L), g2, true, true, true);
    }
    return op_matmul(P, joined(between(L, phi, U1), beside, -1));
}

static Tensor *plu_backward(Tensor *g, Tensor *P, Tensor *L, Tensor *U, int64_t part)
{
    int64_t m = L->shape[L->ndim - 2], n = U->shape[U->ndim - 1];
    if (m != n) return (m > n ? tall_plu_backward : wide_plu_backward)(g, P, L, U, part);
    Tensor *phi = part == 0 ? op_tril(op_matmul(mT(L), g), -1) : op_triu(op_matmul(g, mT(U)), 0);
    return op_matmul(P, between(L, phi, U));
}

Tensor *forward_linalg_lu_backward(Tensor *g1, Tensor *A, Tensor *P, Tensor *L, Tensor *U, int64_t part)
{
    if (differentiates_again(A)) {
        P = op_linalg_lu(A, true);
        L = op_second();
        U = op_third();
    }
    return P ? plu_backward(g1, P, L, U, part) : NULL;
}

Tensor *forward_linalg_lu_factor_backward(Tensor *g1, Tensor *A, Tensor *LU, Tensor *P)
{
    if (differentiates_again(A)) LU = op_linalg_lu_factor_ex(A, true, false);
    Tensor *L = LU ? unpacked(LU, 0) : NULL, *U = LU ? unpacked(LU, 1) : NULL;
    if (!L || !U) return NULL;
    int64_t k = L->shape[L->ndim - 1];
    Tensor *below = op_tril(columns_between(g1, 0, k), -1), *above = op_triu(rows_between(g1, 0, k), 0);
    return below && above ? op_add(plu_backward(below, P, L, U, 0), plu_backward(above, P, L, U, 1)) : NULL;
}

/* ---- lu_unpack ---- */

Tensor *forward_linalg_lu_unpack(Tensor *LU_data, Tensor *LU_pivots, bool unpack_data, bool unpack_pivots)
{
    if (LU_pivots->dtype != DT_I32)
        return tide_fail(
            "RuntimeError",
            "torch.lu_unpack: LU_pivots is expected to be a contiguous tensor of torch.int32 dtype.\n"
            "Note: this function is intended to be used with the output produced by "
            "torch.linalg.lu_factor");
    if (!check_matrix(LU_data, "LU_data", "torch.lu_unpack")) return NULL;
    int64_t m = LU_data->shape[LU_data->ndim - 2], n = LU_data->shape[LU_data->ndim - 1];
    Dims wanted = with_dim(batch_dims(LU_data), m < n ? m : n), given = tensor_dims(LU_pivots);
    bool same = given.n == wanted.n;
    for (int d = 0; same && d < wanted.n; d++) same = given.v[d] == wanted.v[d];
    if (!same) return tide_fail("RuntimeError", "torch.lu_unpack: LU_pivots do not belong to LU_data");
    Tensor *none = tensor_empty(DIMS(0), (DType)LU_data->dtype, LU_data->device);
    Tensor *P = unpack_pivots ? permutation_matrix(LU_pivots, m, LU_data) : none;
    Tensor *L = unpack_data ? op_lu_unpack_part(LU_data, 0) : none;
    Tensor *U = unpack_data ? op_lu_unpack_part(LU_data, 1) : none;
    if (!L || !U) return NULL;
    results_extra(L, U);
    return P;
}

Tensor *forward_lu_unpack_part(Tensor *LU_data, int64_t part) { return unpacked(LU_data, part); }

Tensor *forward_lu_unpack_backward(Tensor *g1, Tensor *like, int64_t part)
{
    int64_t m = like->shape[like->ndim - 2], n = like->shape[like->ndim - 1], k = m < n ? m : n;
    Tensor *g = part == 0 ? op_tril(g1, -1) : op_triu(g1, 0);
    Dims batch = batch_dims(like),
         rest = part == 0 ? with_matrix(batch, m, n - k) : with_matrix(batch, m - k, n);
    if (part == 0 ? n == k : m == k) return g;
    return joined(g, tensor_zeros(&rest, (DType)g1->dtype, g1->device), part == 0 ? -1 : -2);
}

/* ---- lu_solve ---- */

Tensor *forward_linalg_lu_solve(Tensor *LU, Tensor *pivots, Tensor *B, bool left, bool adjoint)
{
    static const char who[] = "linalg.lu_solve";
    Dims batch;
    if (!check_lapack_dtype(LU, who, "linalg.lu_solve_cpu")) return NULL;
    if (LU->dtype != B->dtype)
        return tide_fail(
            "RuntimeError",
            "%s: Expected LU and B to have the same dtype, but found LU of type %s and B of type %s "
            "instead",
            who, cname(LU), cname(B));
    if (pivots->dtype != DT_I32)
        return tide_fail("RuntimeError", "%s: pivots should be a Tensor of scalar type torch.int32", who);
    if (!check_equation(LU, B, left, who)) return NULL;
    Dims vectors = with_dim(batch_dims(LU), LU->shape[LU->ndim - 1]);
    if (pivots->ndim == 0 || pivots->shape[pivots->ndim - 1] != vectors.v[vectors.n - 1])
        return tide_fail("RuntimeError",
                         "%s: Number of pivots per batch should be same as the dimension of the matrix", who);
    Dims given = tensor_dims(pivots);
    if (given.n != vectors.n || !broadcast_shapes(&given, &vectors, &given))
        return tide_fail("RuntimeError", "%s: Expected LU.shape[:-1] and pivots.shape to be the same", who);
    int64_t outside;
    if (!all_within(pivots, 1, vectors.v[vectors.n - 1] + 1, &outside))
        return tide_failed()
                   ? NULL
                   : tide_fail("RuntimeError",
                               "Pivots given to lu_solve must all be greater or equal to 1. Did you "
                               "properly pass the result of lu_factor?");
    if (!common_batch(LU, B, &batch)) return NULL;
    LUFactors f = {LU, pivots, NULL};
    Tensor *X = lu_solution(&f, left ? B : swapped(B), &batch, adjoint == left);
    return left ? X : swapped(X);
}

/* The gradient of A in A X = B (left) or X A = B, or with A' where adjoint, from that of B. */
static Tensor *system_gradient(Tensor *gB, Tensor *X, bool left, bool adjoint)
{
    if (left) return op_neg(adjoint ? op_matmul(X, mT(gB)) : op_matmul(gB, mT(X)));
    return op_neg(adjoint ? op_matmul(mT(gB), X) : op_matmul(mT(X), gB));
}

Tensor *forward_linalg_lu_solve_backward(Tensor *g1, Tensor *LU, Tensor *pivots, Tensor *X, bool left,
                                         bool adjoint)
{
    Tensor *gB = op_linalg_lu_solve(LU, pivots, g1, left, !adjoint);
    Tensor *gA = system_gradient(gB, X, left, adjoint);
    Tensor *P = permutation_matrix(pivots, LU->shape[LU->ndim - 2], LU);
    Tensor *moved = op_matmul(mT(P), gA), *L = unpacked(LU, 0), *U = unpacked(LU, 1);
    return op_add(op_tril(op_matmul(moved, mT(U)), -1), op_triu(op_matmul(mT(L), moved), 0));
}

/* ---- solve ---- */

/* Vectors come out in the strides that a matrix of their last two dims would have. */
static Tensor *vectors_of(Tensor *X)
{
    X = X ? op_squeeze(X, DIMS(-1)) : NULL;
    if (!X || X->ndim < 2) return X;
    Dims batch = batch_dims(X);
    return column_major_copy(X, &batch);
}

/* infos NULL: they are of no interest. */
static Tensor *solve(Tensor *A, Tensor *B, bool left, Tensor **infos)
{
    static const char who[] = "linalg.solve";
    Dims batch;
    LUFactors f;
    bool flipped, vectors = holds_vectors(A, B);
    if (!check_same_device((Tensor *[]){A, B}, 2) || !check_lapack_dtype(A, who, "lu_cpu")) return NULL;
    if (A->dtype != B->dtype)
        return tide_fail(
            "RuntimeError",
            "%s: Expected A and B to have the same dtype, but found A of type %s and B of type %s "
            "instead",
            who, cname(A), cname(B));
    if (!check_matrix(A, "A", who)) return NULL;
    Tensor *matrices = vectors ? op_unsqueeze(B, -1) : B;
    if (!matrices || !check_equation(A, matrices, left, who) || !common_batch(A, matrices, &batch) ||
        !lu_either(A, &f, &flipped))
        return NULL;
    Tensor *X = lu_solution(&f, left ? matrices : swapped(matrices), &batch, flipped == left);
    if (infos) *infos = f.info;
    return vectors ? vectors_of(X) : left ? X : swapped(X);
}

static Tensor *checked_solution(Tensor *A, Tensor *B, bool left, bool check, const char *who)
{
    Tensor *info = NULL, *X = solve(A, B, left, &info);
    if (!X || (check && !check_infos(info, FAILURE_SOLVE, who))) return NULL;
    results_extra(info, NULL);
    return X;
}

Tensor *forward_linalg_solve_ex(Tensor *A, Tensor *B, bool left, bool check_errors)
{
    return checked_solution(A, B, left, check_errors, "torch.linalg.solve_ex");
}

Tensor *forward_linalg_solve(Tensor *A, Tensor *B, bool left)
{
    Tensor *X = op_linalg_solve_ex(A, B, left, false), *info = op_second();
    if (!X || !check_infos(info, FAILURE_SOLVE, "torch.linalg.solve")) return NULL;
    results_extra(NULL, NULL);
    return X;
}

Tensor *forward_linalg_solve_transposed(Tensor *A, Tensor *B, bool left)
{
    return op_linalg_solve_ex(mT(A), B, left, false);
}

Tensor *forward_linalg_solve_backward(Tensor *g1, Tensor *A, Tensor *X, bool left)
{
    bool vectors = holds_vectors(A, X);
    Tensor *gB = op_linalg_solve_transposed(A, g1, left);
    if (vectors && gB) {
        gB = op_unsqueeze(gB, -1);
        X = op_unsqueeze(X, -1);
    }
    return system_gradient(gB, X, left, false);
}

/* ---- inverses ---- */

static Tensor *inverse(Tensor *A, bool check, const char *who)
{
    LUFactors f;
    bool flipped;
    if (!check_lapack_dtype(A, "linalg.inv", NULL) || !check_square(A, "linalg.inv") ||
        !lu_either(A, &f, &flipped))
        return NULL;
    Dims batch = batch_dims(A);
    Tensor *X = lu_solution(&f, identity_like(A, A->shape[A->ndim - 1]), &batch, flipped);
    if (!X || (check && !check_infos(f.info, FAILURE_INVERSE, who))) return NULL;
    results_extra(f.info, NULL);
    return X;
}

Tensor *forward_linalg_inv_ex(Tensor *A, bool check_errors)
{
    return inverse(A, check_errors, "linalg.inv_ex");
}

Tensor *forward_linalg_inv_backward(Tensor *g1, Tensor *inverse)
{
    return op_neg(op_matmul(mT(inverse), op_matmul(g1, mT(inverse))));
}

Tensor *forward_linalg_inv(Tensor *A)
{
    Tensor *X = op_linalg_inv_ex(A, false), *info = op_second();
    if (!X || !check_infos(info, FAILURE_INVERSE, "linalg.inv")) return NULL;
    results_extra(NULL, NULL);
    return X;
}

Tensor *forward_inverse(Tensor *x) { return op_linalg_inv(x); }

/* ---- determinants ---- */

/* 1 or -1 (…) in like's dtype: whether pivots (…, n) exchange rows an even number of times. */
static Tensor *parity(Tensor *pivots, const Tensor *like)
{
    Tensor *places = tensor_arange_int(1, pivots->shape[pivots->ndim - 1] + 1, 1, DT_I32, like->device);
    Tensor *odd = op_remainder(op_sum(op_ne(pivots, places), DIMS(-1), false), tensor_integer(2));
    odd = converted_plain(odd, (DType)like->dtype);
    return op_rsub(scaled_by(odd, 2), tensor_number(1));
}

static bool determinant_factors(Tensor *A, const char *who, const char *kernel, LUFactors *f)
{
    bool flipped;
    return check_lapack_dtype(A, who, kernel) && check_square(A, who) && lu_either(A, f, &flipped);
}

Tensor *forward_linalg_det(Tensor *A)
{
    LUFactors f;
    if (!determinant_factors(A, "linalg.det", "lu_cpu", &f)) return NULL;
    return op_mul(parity(f.pivots, A), op_prod(diagonal_of(f.lu), DIMS(-1), false));
}

/* v (…) times the identity, solved with f's transpose, or f itself where it holds the transpose's factors. */
static Tensor *solved_diagonal(const LUFactors *f, bool flipped, Tensor *v, const Tensor *A)
{
    Dims batch = batch_dims(A), vector = with_dim(batch, A->shape[A->ndim - 1]);
    Tensor *line = op_unsqueeze(v, -1);
    Tensor *right = f->lu && line ? diagonal_matrix(broadcast_plain(line, &vector)) : NULL;
    return right ? lu_solution(f, right, &batch, !flipped) : NULL;
}

/* v (…) times the inverse of A', in op_* calls. A singular matrix is an error. */
static Tensor *times_inverse(Tensor *v, Tensor *A)
{
    Dims shape = tensor_dims(A);
    shape.n--;
    return v ? op_linalg_solve(mT(A), diagonal_matrix(op_expand(op_unsqueeze(v, -1), &shape)), true) : NULL;
}

/* g det A times the inverse of A', 0 pivots moved a little so that there is one. Where det A is 0 to the
 * last bit the result is 0, as PyTorch's is; only derivatives that are differentiated again are those of
 * the smooth det there. */
static Tensor *adjugate_near(Tensor *g1, Tensor *A, Tensor *det)
{
    LUFactors f;
    bool flipped;
    if (!lu_either(A, &f, &flipped)) return NULL;
    Tensor *pivot = diagonal_of(f.lu);
    Tensor *eps = tensor_full(&(Dims){0}, epsilon_of(A), (DType)A->dtype, A->device);
    Tensor *zero = tensor_zeros(&(Dims){0}, (DType)A->dtype, A->device);
    Tensor *moved = diagonal_matrix(op_where(op_eq(pivot, tensor_number(0)), eps, zero));
    f.lu = op_add(f.lu, moved);
    return solved_diagonal(&f, flipped, op_mul(g1, det), A);
}

/* g times the adjugate of A', by singular values: it exists where there is no inverse. */
static Tensor *adjugate_by_svd(Tensor *g1, Tensor *A)
{
    Tensor *U = op_linalg_svd(A, 0), *S = op_second(), *Vh = op_third();
    Tensor *sign = op_mul(op_linalg_det(U), op_linalg_det(Vh));
    Tensor *one = tensor_full(DIMS(1), 1, (DType)A->dtype, A->device);
    Tensor *others = U && one ? op_prod_backward(one, S, op_prod(S, DIMS(-1), true), DIMS(-1), true) : NULL;
    Tensor *scale = others && sign ? op_mul(op_unsqueeze(op_mul(g1, sign), -1), others) : NULL;
    return op_matmul(times_columns(U, scale), Vh);
}

static Tensor *chosen(Tensor *x, Tensor *mask) { return op_index(x, &(TensorList){1, &mask}); }

/* Of a batch, some singular and some not: each matrix by the formula that fits it. */
static Tensor *adjugate_mixed(Tensor *g1, Tensor *A, Tensor *det, Tensor *singular)
{
    Tensor *regular = op_logical_not(singular), *y = zeros_shaped(A, A);
    Tensor *first = adjugate_by_svd(chosen(g1, singular), chosen(A, singular));
    Tensor *rest = times_inverse(chosen(op_mul(g1, det), regular), chosen(A, regular));
    if (!y || !first || !rest) return NULL;
    y = op_index_put(y, &(TensorList){1, &singular}, first, false);
    return y ? op_index_put(y, &(TensorList){1, &regular}, rest, false) : NULL;
}

Tensor *forward_linalg_det_backward(Tensor *g1, Tensor *A, Tensor *det)
{
    int64_t some, all;
    Dims shape = tensor_dims(A);
    if (A->numel == 0) return zeros_shaped(A, A);
    if (A->shape[A->ndim - 1] == 1) return op_expand(op_unsqueeze(op_unsqueeze(g1, -1), -1), &shape);
    if (!grad_enabled()) return adjugate_near(g1, A, det);
    Tensor *singular = op_lt(op_abs(det), tensor_number(100 * epsilon_of(A)));
    if (!tensor_item_int(op_any(singular, NULL, false), &some) ||
        !tensor_item_int(op_all(singular, NULL, false), &all))
        return NULL;
    if (!some) return times_inverse(op_mul(g1, det), A);
    return all ? adjugate_by_svd(g1, A) : adjugate_mixed(g1, A, det, singular);
}

Tensor *forward_det(Tensor *x) { return op_linalg_det(x); }

Tensor *forward_linalg_slogdet(Tensor *A)
{
    LUFactors f;
    if (!determinant_factors(A, "linalg.slogdet", NULL, &f)) return NULL;
    Tensor *pivot = diagonal_of(f.lu);
    Tensor *sign = op_mul(parity(f.pivots, A), op_prod(op_sign(pivot), DIMS(-1), false));
    Tensor *size = op_sum(op_log(op_abs(pivot)), DIMS(-1), false);
    if (records(A)) {
        sign = op_linalg_slogdet_part(A, sign, 0);
        size = op_linalg_slogdet_part(A, size, 1);
    }
    if (!sign || !size) return NULL;
    results_extra(size, NULL);
    return sign;
}

Tensor *forward_linalg_slogdet_part(Tensor *A, Tensor *value, int64_t part)
{
    (void)A, (void)part;
    return view_new(value);
}

Tensor *forward_linalg_slogdet_backward(Tensor *g1, Tensor *A)
{
    LUFactors f;
    bool flipped;
    if (grad_enabled()) return times_inverse(g1, A);
    return lu_either(A, &f, &flipped) ? solved_diagonal(&f, flipped, g1, A) : NULL;
}

Tensor *forward_slogdet(Tensor *x) { return op_linalg_slogdet(x); }

Tensor *forward_logdet(Tensor *x)
{
    if (!check_lapack_dtype(x, "logdet", NULL) || !check_square(x, "logdet")) return NULL;
    Tensor *sign = op_linalg_slogdet(x), *size = op_second();
    if (!sign) return NULL;
    results_extra(NULL, NULL);
    return op_where(op_eq(sign, tensor_number(-1)), tensor_number(NAN), size);
}

/* ---- LDL ---- */

static Tensor *ldl(Tensor *A, bool check, const char *who)
{
    if (!check_square(A, "torch.linalg.ldl_factor_ex") ||
        !check_lapack_dtype(A, NULL, "ldl_factor_kernel_cpu"))
        return NULL;
    Dims batch = batch_dims(A), vector = with_dim(batch, A->shape[A->ndim - 1]);
    Tensor *LD = column_major_copy(op_tril(A, 0), &batch), *pivots = result_new(&vector, DT_I32, A->device);
    Tensor *info = infos_new(&batch, A);
    if (!LD || !pivots || !info ||
        (LD->numel &&
         !kernel_run(OP_linalg_ldl_factor_ex, NULL, 0, (Tensor *[]){LD, pivots, info}, 3, NULL)) ||
        (check && !check_infos(info, FAILURE_LDL, who)))
        return NULL;
    results_extra(pivots, info);
    return LD;
}

Tensor *forward_linalg_ldl_factor_ex(Tensor *A, bool hermitian, bool check_errors)
{
    (void)hermitian; /* real matrices: symmetric either way */
    return ldl(A, check_errors, "torch.linalg.ldl_factor_ex");
}

Tensor *forward_linalg_ldl_factor(Tensor *A, bool hermitian)
{
    (void)hermitian;
    Tensor *LD = ldl(A, true, "torch.linalg.ldl_factor");
    results_extra(op_second(), NULL);
    return LD;
}

Tensor *forward_linalg_ldl_solve(Tensor *LD, Tensor *pivots, Tensor *B, bool hermitian)
{
    static const char who[] = "torch.linalg.ldl_solve";
    Dims batch;
    (void)hermitian;
    if (!check_lapack_dtype(LD, NULL, "ldl_solve_kernel_cpu") || !check_equation(LD, B, true, who) ||
        !common_batch(LD, B, &batch))
        return NULL;
    if (pivots->dtype != DT_I32 || LD->dtype != B->dtype)
        return tide_fail("RuntimeError",
                         "%s: Expected pivots to be integers and LD and B to have the same dtype", who);
    Dims vectors = with_dim(batch, LD->shape[LD->ndim - 1]), given = tensor_dims(pivots);
    Dims own = with_dim(batch_dims(LD), LD->shape[LD->ndim - 1]);
    if (given.n != own.n || !broadcast_shapes(&given, &own, &own))
        return tide_fail("RuntimeError", "%s: Expected LD.shape[:-1] and pivots.shape to be the same", who);
    Tensor *factors = column_major_copy(LD, &batch), *X = column_major_copy(B, &batch);
    Tensor *exchanges = contiguous_plain(broadcast_plain(pivots, &vectors));
    if (!factors || !X || !exchanges) return NULL;
    if (X->numel && !kernel_run(OP_linalg_ldl_solve, (Tensor *[]){factors, exchanges}, 2, &X, 1, NULL))
        return NULL;
    return X;
}
