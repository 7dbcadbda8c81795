/* factor.c - what the forwards of lapack.def share: see factor.h. */
#include "engine/factor.h"

#include <float.h>
#include <stdio.h>

/* ---- checks ---- */

bool check_lapack_dtype(const Tensor *A, const char *who, const char *kernel)
{
    if (A->dtype == DT_F32 || A->dtype == DT_F64) return true;
    if (who && !dtype_is_float((DType)A->dtype))
        return tide_refuse("RuntimeError", "%s: Expected a floating point or complex tensor as input. Got %s",
                           who, cname(A));
    if (kernel)
        return tide_refuse("NotImplementedError", "\"%s\" not implemented for '%s'", kernel, cname(A));
    return tide_refuse("RuntimeError", "%s: Low precision dtypes not supported. Got %s", who, cname(A));
}

bool check_matrix(const Tensor *A, const char *name, const char *who)
{
    return A->ndim >= 2 ||
           tide_refuse("RuntimeError", "%s: The input tensor %s must have at least 2 dimensions.", who, name);
}

bool check_square(const Tensor *A, const char *who)
{
    if (!check_matrix(A, "A", who)) return false;
    int64_t m = A->shape[A->ndim - 2], n = A->shape[A->ndim - 1];
    return m == n ||
           tide_refuse("RuntimeError",
                       "%s: A must be batches of square matrices, but they are %lld by %lld matrices", who,
                       (long long)m, (long long)n);
}

bool check_equation(const Tensor *A, const Tensor *B, bool left, const char *who)
{
    if (!check_square(A, who) || !check_matrix(B, "B", who)) return false;
    int64_t n = A->shape[A->ndim - 1], rows = B->shape[B->ndim - 2], columns = B->shape[B->ndim - 1];
    return n == (left ? rows : columns) ||
           tide_refuse("RuntimeError",
                       "%s: Incompatible shapes of A and B for the equation %s = B (%lldx%lld and %lldx%lld)",
                       who, left ? "AX" : "XA", (long long)n, (long long)n, (long long)rows,
                       (long long)columns);
}

bool holds_vectors(const Tensor *A, const Tensor *B)
{
    if (B->ndim == 1) return true;
    if (A->ndim - 1 != B->ndim) return false;
    for (int d = 0; d < B->ndim; d++)
        if (A->shape[d] != B->shape[d]) return false;
    return true;
}

static bool report_info(int info, const char *prefix, Failure failure)
{
    static const char linear_algebra[] = "torch._C._LinAlgError";
    static const char unpivoted[] =
        "is zero and using it on lu_solve would result in a division by zero. If you still want to perform "
        "the "
        "factorization, consider calling linalg.lu(A, pivot) or linalg.lu_factor_ex(A, pivot)";
    if (info < 0 && failure != FAILURE_SVD)
        return tide_refuse("RuntimeError", "%s: Argument %d has illegal value", prefix, -info);
    if (info == -4)
        return tide_refuse(
            linear_algebra,
            "%s: The algorithm failed to converge because the input matrix contained non-finite "
            "values.",
            prefix);
    switch (failure) {
    case FAILURE_INVERSE:
        return tide_refuse(
            linear_algebra,
            "%s: The diagonal element %d is zero, the inversion could not be completed because "
            "the input matrix is singular.",
            prefix, info);
    case FAILURE_SOLVE:
        return tide_refuse(linear_algebra, "%s: The solver failed because the input matrix is singular.",
                           prefix);
    case FAILURE_LU: return tide_refuse("RuntimeError", "%s: U[%d,%d] %s", prefix, info, info, unpivoted);
    case FAILURE_CHOLESKY:
        return tide_refuse(linear_algebra,
                           "%s: The factorization could not be completed because the input is not "
                           "positive-definite (the leading minor of order %d is not positive-definite).",
                           prefix, info);
    case FAILURE_RANK:
        return tide_refuse(
            linear_algebra,
            "%s: The least squares solution could not be computed because the input matrix does "
            "not have full rank (error code: %d).",
            prefix, info);
    case FAILURE_LDL:
        return tide_refuse("RuntimeError", "%s: D[%d,%d] is zero: the matrix is singular", prefix, info,
                           info);
    default:
        return tide_refuse(
            linear_algebra,
            "%s: The algorithm failed to converge because the input matrix is ill-conditioned or "
            "has too many repeated %s values (error code: %d).",
            prefix, failure == FAILURE_SVD ? "singular" : "eigen", info);
    }
}

bool check_infos(Tensor *info, Failure failure, const char *who)
{
    char prefix[128];
    int64_t first = 0, value = 0, any = 0;
    if (!info || info->numel == 0) return info != NULL;
    Tensor *bad = op_ne(info, tensor_integer(0));
    if (!tensor_item_int(op_any(bad, NULL, false), &any) || !any) return !tide_failed();
    Tensor *at = op_argmax(converted_plain(bad, DT_U8), NULL, false);
    if (!tensor_item_int(at, &first) || !tensor_item_int(op_take(info, at), &value)) return false;
    if (info->ndim > 0)
        snprintf(prefix, sizeof prefix, "%s: (Batch element %lld)", who, (long long)first);
    else
        snprintf(prefix, sizeof prefix, "%s", who);
    return report_info((int)value, prefix, failure);
}

/* ---- making tensors ---- */

Dims batch_dims(const Tensor *A)
{
    Dims d = tensor_dims(A);
    d.n -= 2;
    return d;
}

Dims with_dim(Dims batch, int64_t n)
{
    batch.v[batch.n++] = n;
    return batch;
}

Dims with_matrix(Dims batch, int64_t rows, int64_t columns)
{
    return with_dim(with_dim(batch, rows), columns);
}

bool common_batch(const Tensor *A, const Tensor *B, Dims *batch)
{
    Dims a = batch_dims(A), b = batch_dims(B);
    return broadcast_shapes(&a, &b, batch);
}

Tensor *swapped(Tensor *A)
{
    int64_t shape[TIDE_MAXDIM], stride[TIDE_MAXDIM];
    if (!A) return NULL;
    int n = A->ndim;
    for (int d = 0; d < n; d++) {
        int from = d == n - 1 ? n - 2 : d == n - 2 ? n - 1 : d;
        shape[d] = A->shape[from];
        stride[d] = A->stride[from];
    }
    return restrided(A, n, shape, stride);
}

Tensor *column_major_new(const Dims *batch, int64_t rows, int64_t columns, const Tensor *like)
{
    Dims shape = with_matrix(*batch, columns, rows);
    return swapped(result_new(&shape, (DType)like->dtype, like->device));
}

Tensor *column_major_copy(Tensor *A, const Dims *batch)
{
    if (!A) return NULL;
    int64_t m = A->shape[A->ndim - 2], n = A->shape[A->ndim - 1];
    Dims shape = with_matrix(*batch, m, n);
    Tensor *out = column_major_new(batch, m, n, A), *wide = broadcast_plain(A, &shape);
    return copy_plain(out, wide) ? out : NULL;
}

Tensor *copy_of(Tensor *x)
{
    Tensor *copy = x ? tensor_like(x, (DType)x->dtype) : NULL;
    return copy_plain(copy, x) ? copy : NULL;
}

double epsilon_of(const Tensor *A) { return A->dtype == DT_F32 ? FLT_EPSILON : DBL_EPSILON; }

Tensor *infos_new(const Dims *batch, const Tensor *like) { return tensor_zeros(batch, DT_I32, like->device); }

/* ---- with op_* calls ---- */

Tensor *mT(Tensor *A) { return A ? op_transpose(A, -2, -1) : NULL; }

Tensor *identity_like(const Tensor *like, int64_t n)
{
    return tensor_eye(n, n, (DType)like->dtype, like->device);
}

Tensor *rows_between(Tensor *A, int64_t from, int64_t to)
{
    return A ? op_narrow(A, -2, from, to - from) : NULL;
}

Tensor *columns_between(Tensor *A, int64_t from, int64_t to)
{
    return A ? op_narrow(A, -1, from, to - from) : NULL;
}

Tensor *diagonal_of(Tensor *A) { return A ? op_diagonal(A, 0, -2, -1) : NULL; }

Tensor *diagonal_matrix(Tensor *v) { return v ? op_diag_embed(v, 0, -2, -1) : NULL; }

Tensor *times_rows(Tensor *A, Tensor *v) { return op_mul(A, v ? op_unsqueeze(v, -1) : NULL); }

Tensor *times_columns(Tensor *A, Tensor *v) { return op_mul(A, v ? op_unsqueeze(v, -2) : NULL); }

Tensor *scaled_by(Tensor *A, double factor) { return op_mul(A, tensor_number(factor)); }

bool differentiates_again(const Tensor *A) { return records(A); }

/* ---- LU ---- */

bool lu_of(Tensor *A, LUFactors *f)
{
    Dims batch = batch_dims(A);
    int64_t m = A->shape[A->ndim - 2], n = A->shape[A->ndim - 1];
    Dims pivots = with_dim(batch, m < n ? m : n);
    f->lu = column_major_copy(A, &batch);
    f->pivots = result_new(&pivots, DT_I32, A->device);
    f->info = infos_new(&batch, A);
    if (!f->lu || !f->pivots || !f->info) return false;
    return f->info->numel == 0 ||
           kernel_run(OP_linalg_lu_factor_ex, NULL, 0, (Tensor *[]){f->lu, f->pivots, f->info}, 3, NULL);
}

bool lu_either(Tensor *A, LUFactors *f, bool *flipped)
{
    *flipped = A->contiguous;
    Tensor *x = *flipped ? swapped(A) : A;
    return x && lu_of(x, f);
}

Tensor *lu_solution(const LUFactors *f, Tensor *B, const Dims *batch, bool transposed)
{
    Tensor *X = column_major_copy(B, batch);
    if (!X || X->numel == 0) return X;
    Dims own = batch_dims(f->lu), vectors = with_dim(*batch, X->shape[X->ndim - 2]);
    bool same = own.n == batch->n;
    for (int d = 0; same && d < own.n; d++) same = own.v[d] == batch->v[d];
    Tensor *rows = swapped(f->lu),
           *lu = rows && same && rows->contiguous ? f->lu : column_major_copy(f->lu, batch);
    Tensor *pivots = contiguous_plain(broadcast_plain(f->pivots, &vectors));
    Arg arg[5] = {[4] = {.b = transposed}};
    if (!lu || !pivots) return NULL;
    return kernel_run(OP_linalg_lu_solve, (Tensor *[]){lu, pivots}, 2, &X, 1, arg) ? X : NULL;
}
