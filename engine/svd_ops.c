/* svd_ops.c - forwards of lapack.def: eigenvalues, singular values, what they give, and least squares. */
#include "engine/factor.h"

#include <float.h>
#include <math.h>

/* 1 / (v[k] - v[j]) at row j and column k, 1 on the diagonal: v (…, n). */
static Tensor *reciprocal_differences(Tensor *v)
{
    Tensor *differences = v ? op_sub(op_unsqueeze(v, -2), op_unsqueeze(v, -1)) : NULL;
    if (!differences) return NULL;
    return op_reciprocal(op_add(differences, identity_like(v, v->shape[v->ndim - 1])));
}

/* ---- eigenvalues of symmetric matrices ---- */

static bool eigh(Tensor *A, bool upper, bool vectors, Tensor **L, Tensor **V)
{
    Dims batch = batch_dims(A), vector = with_dim(batch, A->shape[A->ndim - 1]);
    *V = column_major_copy(A, &batch);
    *L = result_new(&vector, (DType)A->dtype, A->device);
    Tensor *info = infos_new(&batch, A);
    Arg arg[3] = {[1] = {.b = upper}, [2] = {.b = vectors}};
    if (!*V || !*L || !info) return false;
    return A->numel == 0 || (kernel_run(OP_linalg_eigh, NULL, 0, (Tensor *[]){*V, *L, info}, 3, arg) &&
                             check_infos(info, FAILURE_EIGEN, "linalg.eigh"));
}

Tensor *forward_linalg_eigh(Tensor *A, bool upper, bool vectors)
{
    Tensor *L, *V;
    if (!check_square(A, "linalg.eigh")) return NULL;
    if (A->dtype != DT_F32 && A->dtype != DT_F64)
        return tide_fail("NotImplementedError", "\"linalg_eigh_cpu\" not implemented for '%s'", cname(A));
    if (!eigh(A, upper, vectors || records(A), &L, &V)) return NULL;
    if (records(A)) {
        Tensor *plain = L;
        L = op_linalg_eigh_part(A, plain, V, 0, upper);
        V = vectors ? op_linalg_eigh_part(A, plain, V, 1, upper) : NULL;
    }
    if (!L || (vectors && !V)) return NULL;
    results_extra(vectors ? V : NULL, NULL);
    return L;
}

Tensor *forward_linalg_eigh_part(Tensor *A, Tensor *L, Tensor *V, int64_t part, bool upper)
{
    (void)A, (void)upper;
    return copy_of(part == 0 ? L : V);
}

Tensor *forward_linalg_eigh_backward(Tensor *g1, Tensor *A, Tensor *L, Tensor *V, int64_t part, bool upper)
{
    if (differentiates_again(A)) {
        L = op_linalg_eigh(A, upper, true);
        V = op_second();
    }
    if (part == 0) return op_matmul(times_columns(V, g1), mT(V));
    Tensor *turn = op_matmul(mT(V), g1);
    Tensor *inner = turn ? op_mul(scaled_by(op_sub(turn, mT(turn)), 0.5), reciprocal_differences(L)) : NULL;
    return op_matmul(V, op_matmul(inner, mT(V)));
}

/* ---- singular values ---- */

enum { SVD_FULL, SVD_REDUCED, SVD_VALUES };

/* U and Vh are without elements in mode SVD_VALUES. */
static bool svd(Tensor *A, int64_t mode, Tensor **U, Tensor **S, Tensor **Vh)
{
    Dims batch = batch_dims(A);
    int64_t m = A->shape[A->ndim - 2], n = A->shape[A->ndim - 1], k = m < n ? m : n;
    int64_t columns = mode == SVD_FULL ? m : k, rows = mode == SVD_FULL ? n : k;
    Dims vector = with_dim(batch, k);
    Tensor *copy = column_major_copy(A, &batch), *info = infos_new(&batch, A);
    *S = result_new(&vector, (DType)A->dtype, A->device);
    *U = mode == SVD_VALUES ? tensor_empty(DIMS(0), (DType)A->dtype, A->device)
                            : column_major_new(&batch, m, columns, A);
    *Vh = mode == SVD_VALUES ? *U : column_major_new(&batch, rows, n, A);
    if (!copy || !info || !*S || !*U || !*Vh) return false;
    if (A->numel == 0) /* whatever is left of U and Vh is an identity */
        return copy_plain(*U, tensor_eye(m, columns, (DType)A->dtype, A->device)) &&
               copy_plain(*Vh, tensor_eye(rows, n, (DType)A->dtype, A->device));
    Arg arg[2] = {[1] = {.i = mode}};
    return kernel_run(OP_linalg_svd, &copy, 1, (Tensor *[]){*U, *S, *Vh, info}, 4, arg) &&
           check_infos(info, FAILURE_SVD, "linalg.svd");
}

static bool check_svd_input(const Tensor *A)
{
    return check_matrix(A, "A", "linalg.svd") && check_lapack_dtype(A, "linalg.svd", "linalg_svd_cpu");
}

Tensor *forward_linalg_svd(Tensor *A, int64_t mode)
{
    Tensor *U, *S, *Vh;
    bool recorded = records(A);
    if (!check_svd_input(A) || !svd(A, mode == SVD_VALUES && recorded ? SVD_REDUCED : mode, &U, &S, &Vh))
        return NULL;
    if (recorded) {
        int64_t full = mode == SVD_FULL ? SVD_FULL : SVD_REDUCED;
        Tensor *u = U, *s = S, *vh = Vh;
        U = mode == SVD_VALUES ? U : op_linalg_svd_part(A, u, s, vh, 0, full);
        S = op_linalg_svd_part(A, u, s, vh, 1, full);
        Vh = mode == SVD_VALUES ? Vh : op_linalg_svd_part(A, u, s, vh, 2, full);
    }
    if (!U || !S || !Vh) return NULL;
    results_extra(S, Vh);
    return U;
}

Tensor *forward_linalg_svd_part(Tensor *A, Tensor *U, Tensor *S, Tensor *Vh, int64_t part, int64_t mode)
{
    (void)A, (void)mode;
    return copy_of(part == 0 ? U : part == 1 ? S : Vh);
}

/* What U, or V, of another basis adds: (1 - U U') g / S, g (…, m, k). */
static Tensor *outside(Tensor *U, Tensor *g, Tensor *S)
{
    Tensor *scaled = op_div(g, op_unsqueeze(S, -2));
    return op_sub(scaled, op_matmul(U, op_matmul(mT(U), scaled)));
}

Tensor *forward_linalg_svd_backward(Tensor *g1, Tensor *A, Tensor *U, Tensor *S, Tensor *Vh, int64_t part,
                                    int64_t mode)
{
    int64_t m = A->shape[A->ndim - 2], n = A->shape[A->ndim - 1], k = m < n ? m : n;
    if (A->numel == 0 && part != 1) return zeros_shaped(A, A);
    if (differentiates_again(A)) {
        U = op_linalg_svd(A, mode);
        S = op_second();
        Vh = op_third();
    }
    if (mode == SVD_FULL) { /* the further columns of U and rows of Vh are not functions of A */
        U = columns_between(U, 0, k);
        Vh = rows_between(Vh, 0, k);
        g1 = part == 0 ? columns_between(g1, 0, k) : part == 2 ? rows_between(g1, 0, k) : g1;
    }
    if (part == 1) return op_matmul(times_columns(U, g1), Vh);
    Tensor *factors = reciprocal_differences(op_mul(S, S));
    if (part == 0) {
        Tensor *turn = op_matmul(mT(U), g1);
        Tensor *inner = turn ? times_columns(op_mul(op_sub(turn, mT(turn)), factors), S) : NULL;
        Tensor *g = op_matmul(U, inner);
        return op_matmul(m > k ? op_add(g, outside(U, g1, S)) : g, Vh);
    }
    Tensor *turn = op_matmul(Vh, mT(g1));
    Tensor *inner = turn ? times_rows(op_mul(op_sub(turn, mT(turn)), factors), S) : NULL;
    Tensor *g = op_matmul(inner, Vh);
    return op_matmul(U, n > k ? op_add(g, mT(outside(mT(Vh), mT(g1), S))) : g);
}

Tensor *forward_linalg_svdvals(Tensor *A)
{
    Tensor *U = op_linalg_svd(A, SVD_VALUES), *S = op_second();
    results_extra(NULL, NULL);
    return U ? S : NULL;
}

/* ---- pseudoinverses and ranks ---- */

/* max(atol, rtol * the largest of sizes (…, k)) as (…, 1). */
static Tensor *tolerance(Tensor *A, Tensor *sizes, Tensor *atol, Tensor *rtol)
{
    int64_t m = A->shape[A->ndim - 2], n = A->shape[A->ndim - 1];
    Tensor *usual = tensor_number(epsilon_of(A) * (double)(m > n ? m : n)), *zero = tensor_number(0);
    if (!rtol) rtol = atol ? op_where(op_gt(atol, zero), zero, usual) : usual;
    Tensor *relative =
        op_mul(rtol && rtol->ndim ? op_unsqueeze(rtol, -1) : rtol, op_amax(sizes, DIMS(-1), true));
    return op_maximum(relative, !atol ? zero : atol->ndim ? op_unsqueeze(atol, -1) : atol);
}

Tensor *forward_linalg_pinv(Tensor *A, Tensor *atol, Tensor *rtol, bool hermitian)
{
    char shape[256];
    int64_t m = A->ndim >= 2 ? A->shape[A->ndim - 2] : 0, n = A->ndim >= 2 ? A->shape[A->ndim - 1] : 0;
    if (A->ndim < 2 || (A->dtype != DT_F32 && A->dtype != DT_F64))
        return tide_fail(
            "RuntimeError",
            "linalg.pinv(%s{%s}): expected a tensor with 2 or more dimensions of float, double, cfloat "
            "or cdouble types",
            cname(A), format_dims(shape, sizeof shape, A->ndim, A->shape));
    if (A->numel == 0) {
        Dims none = with_matrix(batch_dims(A), n, m);
        return tensor_empty(&none, (DType)A->dtype, A->device);
    }
    Tensor *U, *S, *Vh, *zero = tensor_number(0);
    if (hermitian) {
        if (!check_square(A, "linalg.eigh") || !eigh(A, false, true, &S, &U)) return NULL;
        Tensor *sizes = op_abs(S);
        Tensor *inverse = op_where(op_gt(sizes, tolerance(A, sizes, atol, rtol)), op_reciprocal(S), zero);
        return op_matmul(times_columns(U, inverse), mT(U));
    }
    if (!svd(A, SVD_REDUCED, &U, &S, &Vh)) return NULL;
    Tensor *inverse = op_where(op_gt(S, tolerance(A, S, atol, rtol)), op_reciprocal(S), zero);
    return op_matmul(times_columns(mT(Vh), inverse), mT(U));
}

Tensor *forward_linalg_pinv_backward(Tensor *g1, Tensor *pinv, Tensor *A)
{
    int64_t m = A->shape[A->ndim - 2], n = A->shape[A->ndim - 1];
    Tensor *across = mT(pinv), *gh = mT(g1);
    if (m <= n) {
        Tensor *K = op_matmul(gh, pinv), *KP = op_matmul(K, across);
        Tensor *y = op_sub(KP, mT(op_matmul(pinv, K)));
        y = op_sub(y, op_matmul(op_matmul(A, pinv), KP));
        return op_add(y, op_matmul(op_matmul(across, pinv), op_sub(gh, op_matmul(K, A))));
    }
    Tensor *K = op_matmul(pinv, gh), *PK = op_matmul(across, K);
    Tensor *y =
        op_sub(op_matmul(op_matmul(op_sub(gh, op_matmul(A, K)), pinv), across), mT(op_matmul(K, pinv)));
    return op_sub(op_add(y, PK), op_matmul(op_matmul(PK, pinv), A));
}

Tensor *forward_linalg_matrix_rank(Tensor *x, Tensor *atol, Tensor *rtol, bool hermitian)
{
    Tensor *sizes, *unused;
    if (!check_matrix(x, "input", "torch.linalg.matrix_rank")) return NULL;
    if (x->dtype != DT_F32 && x->dtype != DT_F64)
        return tide_fail("RuntimeError", "This function doesn't handle types other than float and double");
    if (x->numel == 0) {
        Dims batch = batch_dims(x);
        return tensor_zeros(&batch, DT_I64, x->device);
    }
    if (hermitian) {
        if (!check_square(x, "linalg.eigh") || !eigh(x, false, false, &sizes, &unused)) return NULL;
        sizes = op_abs(sizes);
    } else if (!svd(x, SVD_VALUES, &unused, &sizes, &unused)) {
        return NULL;
    }
    return op_sum(op_gt(sizes, tolerance(x, sizes, atol, rtol)), DIMS(-1), false);
}

/* ---- least squares ---- */

static bool check_lstsq(const Tensor *A, const Tensor *B)
{
    static const char who[] = "torch.linalg.lstsq";
    if (A->ndim < 2) return tide_refuse("RuntimeError", "%s: input must have at least 2 dimensions.", who);
    if (B->ndim < 1) return tide_refuse("RuntimeError", "%s: other must have at least 1 dimension.", who);
    if (A->dtype != B->dtype)
        return tide_refuse(
            "RuntimeError",
            "%s: Expected input and other to have the same dtype, but got input's dtype %s and "
            "other's dtype %s",
            who, cname(A), cname(B));
    if (B->ndim > A->ndim || A->ndim - B->ndim > 1)
        return tide_refuse(
            "RuntimeError",
            "%s: input.dim() must be greater or equal to other.dim() and (input.dim() - other.dim()) "
            "<= 1",
            who);
    Dims lines = tensor_dims(A), right = tensor_dims(B);
    lines.n--;
    if (B->ndim < A->ndim && B->ndim > 1 && !holds_vectors(A, B) && !broadcast_shapes(&lines, &right, &lines))
        return false;
    int at = B->ndim == 1 || B->ndim < A->ndim ? 1 : 2;
    if (A->shape[A->ndim - 2] != B->shape[B->ndim - at])
        return tide_refuse("RuntimeError", "%s: input.size(-2) should match other.size(-%d)", who, at);
    return (A->dtype == DT_F32 || A->dtype == DT_F64) ||
           tide_refuse("RuntimeError", "This function doesn't handle types other than float and double");
}

/* Without elements where the driver does not compute it. */
static Tensor *lstsq_result(bool computed, const Dims *shape, DType dtype, const Tensor *like)
{
    return tensor_zeros(computed ? shape : DIMS(0), dtype, like->device);
}

Tensor *forward_linalg_lstsq(Tensor *A, Tensor *B, double rcond, int64_t driver)
{
    Dims batch;
    if (!check_same_device((Tensor *[]){A, B}, 2) || !check_lstsq(A, B)) return NULL;
    Tensor *right = B->ndim == 1 || B->ndim < A->ndim ? op_unsqueeze(B, -1) : B;
    int64_t m = A->shape[A->ndim - 2], n = A->shape[A->ndim - 1], k = m < n ? m : n;
    if (!right || !common_batch(A, right, &batch)) return NULL;
    Dims vector = with_dim(batch, k);
    Tensor *work = column_major_copy(A, &batch), *info = infos_new(&batch, A);
    Tensor *X = column_major_new(&batch, m > n ? m : n, right->shape[right->ndim - 1], A);
    Tensor *ranks = lstsq_result(true, &batch, DT_I64, A);
    Tensor *S = lstsq_result(driver >= 2, &vector, (DType)A->dtype, A);
    Arg arg[4] = {
        [2] = {.f = isnan(rcond) ? epsilon_of(A) * (double)(m > n ? m : n) : rcond}, [3] = {.i = driver}};
    if (!work || !info || !X || !ranks || !S || !fill_plain(X, 0) ||
        !copy_plain(rows_between(X, 0, m), right))
        return NULL;
    if (A->numel == 0 && !fill_plain(X, 0)) return NULL;
    if (A->numel && (!kernel_run(OP_linalg_lstsq, NULL, 0, (Tensor *[]){work, X, ranks, S, info}, 5, arg) ||
                     !check_infos(info, FAILURE_RANK, "torch.linalg.lstsq")))
        return NULL;
    if (X != NULL && right != B) X = op_squeeze(X, DIMS(-1));
    results_extra(driver == 0 ? lstsq_result(false, NULL, DT_I64, A) : ranks, S);
    return X;
}

Tensor *forward_linalg_lstsq_solution(Tensor *A, Tensor *B, Tensor *value)
{
    (void)A, (void)B;
    return view_new(value);
}

Tensor *forward_linalg_lstsq_residuals(Tensor *A, Tensor *B, Tensor *value)
{
    (void)A, (void)B;
    return view_new(value);
}

/* g of B's shape where B holds vectors: they become columns. */
static bool as_columns(const Tensor *A, Tensor **g, Tensor **B)
{
    bool vectors = (*B)->ndim == 1 || (*B)->ndim < A->ndim;
    if (vectors) {
        *g = op_unsqueeze(*g, -1);
        *B = op_unsqueeze(*B, -1);
    }
    return vectors;
}

Tensor *forward_linalg_lstsq_backward(Tensor *g1, Tensor *A, Tensor *B, int64_t part)
{
    bool vectors = as_columns(A, &g1, &B);
    Tensor *pinv = op_linalg_pinv(A, NULL, NULL, false);
    if (part == 0) return op_linalg_pinv_backward(op_matmul(g1, mT(B)), pinv, A);
    Tensor *g = op_matmul(mT(pinv), g1);
    return vectors && g ? op_squeeze(g, DIMS(-1)) : g;
}

/* The solution is where the residuals are least: as it moves they do not. */
Tensor *forward_linalg_residuals_backward(Tensor *g1, Tensor *A, Tensor *B, int64_t part)
{
    if (g1->numel == 0) return zeros_shaped(part == 0 ? A : B, A);
    bool vectors = as_columns(A, &g1, &B);
    Tensor *X = op_matmul(op_linalg_pinv(A, NULL, NULL, false), B);
    Tensor *left = op_mul(scaled_by(op_sub(B, op_matmul(A, X)), 2),
                          vectors ? op_unsqueeze(g1, -1) : op_unsqueeze(g1, -2));
    if (part == 0) return op_neg(op_matmul(left, mT(X)));
    return vectors && left ? op_squeeze(left, DIMS(-1)) : left;
}
