/* linalg_ops.c - forwards of linalg.def: products of matrices and vectors, checked and handed to four
 * kernels. */
#include "engine/structural.h"

#include <string.h>

/* ---- checks ---- */

static bool check_multipliable(const Tensor *a, const Tensor *b)
{
    if (a->shape[1] == b->shape[0])
        return true;
    return tide_refuse("RuntimeError", "mat1 and mat2 shapes cannot be multiplied (%lldx%lld and %lldx%lld)",
                       (long long)a->shape[0], (long long)a->shape[1], (long long)b->shape[0],
                       (long long)b->shape[1]);
}

static bool check_batches(const Tensor *a, const Tensor *b)
{
    if (a->ndim != 3)
        return tide_refuse("RuntimeError", "batch1 must be a 3D tensor");
    if (b->ndim != 3)
        return tide_refuse("RuntimeError", "batch2 must be a 3D tensor");
    if (b->shape[0] == a->shape[0] && b->shape[1] == a->shape[2])
        return true;
    return tide_refuse(
        "RuntimeError",
        "Expected size for first two dimensions of batch2 tensor to be: [%lld, %lld] but got: [%lld, %lld].",
        (long long)a->shape[0], (long long)a->shape[2], (long long)b->shape[0], (long long)b->shape[1]);
}

/* Of batches; without elements they are not looked at. */
static bool check_factors(const Tensor *a, const Tensor *b, const char *kernel)
{
    if (a->numel == 0 || b->numel == 0)
        return true;
    if (!check_not_bool(a, kernel))
        return false;
    return a->dtype == b->dtype ||
           tide_refuse("RuntimeError", "expected scalar type %s but found %s", cname(a), cname(b));
}

/* c stretched to (…) shape, with expand's own errors. */
static Tensor *expanded(Tensor *c, const Dims *shape)
{
    char want[256], have[256];
    if (c->ndim > shape->n)
        return fewer_sizes(c, shape);
    for (int i = 0; i < c->ndim; i++) {
        int at = shape->n - c->ndim + i;
        if (c->shape[i] == shape->v[at] || c->shape[i] == 1)
            continue;
        return tide_fail(
            "RuntimeError",
            "The expanded size of the tensor (%lld) must match the existing size (%lld) at non-singleton "
            "dimension %d.  Target sizes: %s.  Tensor sizes: %s",
            (long long)shape->v[at], (long long)c->shape[i], at,
            format_dims(want, sizeof want, shape->n, shape->v),
            format_dims(have, sizeof have, c->ndim, c->shape));
    }
    return broadcast_plain(c, shape);
}

/* ---- running the kernels ---- */

static Tensor *as_column(Tensor *v)
{
    return restrided(v, 2, (int64_t[]){v->shape[0], 1}, (int64_t[]){v->stride[0], 1});
}

static Tensor *as_row(Tensor *v)
{
    return restrided(v, 2, (int64_t[]){1, v->shape[0]},
                     (int64_t[]){v->shape[0] > 1 ? v->shape[0] : 1, v->stride[0]});
}

/* BLAS reads a matrix whose rows or columns are dense and do not overlap; anything else is copied. */
static Tensor *blas_ready(Tensor *x)
{
    int64_t m = x->shape[x->ndim - 2], n = x->shape[x->ndim - 1];
    int64_t rs = x->stride[x->ndim - 2], cs = x->stride[x->ndim - 1];
    if ((cs == 1 || n <= 1) && (m <= 1 || rs >= (n > 1 ? n : 1)))
        return x;
    if ((rs == 1 || m <= 1) && (n <= 1 || cs >= (m > 1 ? m : 1)))
        return x;
    return contiguous_plain(x);
}

static bool is_half(const Tensor *t)
{
    return t->dtype == DT_F16 || t->dtype == DT_BF16;
}

/* out (row-major) = alpha a b + beta c; c NULL is 0. 16-bit floats are multiplied and added up as float,
 * rounded once. */
static bool multiply(Tensor *c, Tensor *a, Tensor *b, Tensor *out, double beta, double alpha)
{
    Tensor *result = out;
    if (is_half(out)) {
        Dims shape = tensor_dims(out);
        a = converted_plain(a, DT_F32);
        b = converted_plain(b, DT_F32);
        result = result_new(&shape, DT_F32, out->device);
    }
    a = a ? blas_ready(a) : NULL;
    b = b ? blas_ready(b) : NULL;
    if (!a || !b || !result)
        return false;
    bool adds = c && beta != 0;
    if (adds && !copy_plain(result, c))
        return false;
    OpId op = result->ndim == 3 ? (adds ? OP_baddbmm : OP_bmm) : adds ? OP_addmm : OP_mm;
    if (!adds && alpha != 1)
        op = result->ndim == 3 ? OP_baddbmm : OP_addmm;
    Arg arg[5] = {{.t = c}, {.t = a}, {.t = b}, {.f = adds ? beta : 0}, {.f = alpha}};
    return kernel_run(op, (Tensor *[]){a, b}, 2, &result, 1, arg) &&
           (result == out || copy_plain(out, result));
}

/* ---- matrices ---- */

Tensor *forward_mm(Tensor *x, Tensor *mat2)
{
    if (x->ndim != 2)
        return tide_fail("RuntimeError", "self must be a matrix");
    if (mat2->ndim != 2)
        return tide_fail("RuntimeError", "mat2 must be a matrix");
    if (!check_same_device((Tensor *[]){x, mat2}, 2) || !check_multipliable(x, mat2))
        return NULL;
    if (x->dtype != mat2->dtype)
        return tide_fail("RuntimeError", "expected m1 and m2 to have the same dtype, but got: %s != %s",
                         ctype_name(x), ctype_name(mat2));
    if (!check_not_bool(x, "addmm_impl_cpu_"))
        return NULL;
    Tensor *out = result_new(DIMS(x->shape[0], mat2->shape[1]), (DType)x->dtype, x->device);
    return out && multiply(NULL, x, mat2, out, 0, 1) ? out : NULL;
}

Tensor *forward_addmm(Tensor *x, Tensor *mat1, Tensor *mat2, double beta, double alpha)
{
    if (!check_same_device((Tensor *[]){x, mat1, mat2}, 3))
        return NULL;
    if (x->dtype != mat2->dtype)
        return tide_fail("RuntimeError", "self and mat2 must have the same dtype, but got %s and %s",
                         cname(x), cname(mat2));
    if (mat1->dtype != mat2->dtype)
        return tide_fail("RuntimeError", "mat1 and mat2 must have the same dtype, but got %s and %s",
                         cname(mat1), cname(mat2));
    if (mat1->ndim != 2)
        return tide_fail("RuntimeError", "mat1 must be a matrix, got %d-D tensor", mat1->ndim);
    if (mat2->ndim != 2)
        return tide_fail("RuntimeError", "mat2 must be a matrix, got %d-D tensor", mat2->ndim);
    if (!check_multipliable(mat1, mat2))
        return NULL;
    const Dims *shape = DIMS(mat1->shape[0], mat2->shape[1]);
    Tensor *c = expanded(x, shape);
    if (!c || !check_not_bool(mat1, "addmm_impl_cpu_"))
        return NULL;
    Tensor *out = result_new(shape, (DType)mat1->dtype, mat1->device);
    return out && multiply(c, mat1, mat2, out, beta, alpha) ? out : NULL;
}

Tensor *forward_bmm(Tensor *x, Tensor *mat2)
{
    if (!check_same_device((Tensor *[]){x, mat2}, 2) || !check_batches(x, mat2))
        return NULL;
    if (!check_factors(x, mat2, "bmm"))
        return NULL;
    Tensor *out = result_new(DIMS(x->shape[0], x->shape[1], mat2->shape[2]), (DType)mat2->dtype, x->device);
    if (out && (x->numel == 0 || mat2->numel == 0))
        return fill_plain(out, 0) ? out : NULL;
    return out && multiply(NULL, x, mat2, out, 0, 1) ? out : NULL;
}

Tensor *forward_baddbmm(Tensor *x, Tensor *batch1, Tensor *batch2, double beta, double alpha)
{
    int64_t row = 1, column = 2;
    if (!check_same_device((Tensor *[]){x, batch1, batch2}, 3) || !wrap_dim(&row, batch1->ndim) ||
        !wrap_dim(&column, batch2->ndim))
        return NULL;
    const Dims *shape = DIMS(batch1->shape[0], batch1->shape[1], batch2->shape[2]);
    Tensor *c = expanded(x, shape);
    if (!c)
        return NULL;
    if (x->dtype != batch1->dtype)
        return tide_fail("RuntimeError",
                         "Input dtypes must be the same, got: input %s, batch1: %s, batch2: %s",
                         ctype_name(x), ctype_name(batch1), ctype_name(batch2));
    if (!check_batches(batch1, batch2) || !check_factors(batch1, batch2, "baddbmm"))
        return NULL;
    Tensor *out = result_new(shape, (DType)batch2->dtype, batch2->device);
    batch1 = converted_plain(batch1, (DType)batch2->dtype);
    return out && batch1 && multiply(c, batch1, batch2, out, beta, alpha) ? out : NULL;
}

/* ---- vectors ---- */

#define VECTOR_MISMATCH "size mismatch, got input (%lld), mat (%lldx%lld), vec (%lld)"

static bool check_matrix_vector(const Tensor *c, const Tensor *mat, const Tensor *vec)
{
    if (mat->ndim != 2 || vec->ndim != 1 || c->ndim > 1)
        return tide_refuse("RuntimeError", "vector + matrix @ vector expected, got %d, %d, %d", c->ndim,
                           mat->ndim, vec->ndim);
    int64_t n = c->ndim ? c->shape[0] : 1;
    if (mat->shape[1] == vec->shape[0] && (n == mat->shape[0] || n == 1))
        return true;
    return tide_refuse("RuntimeError", VECTOR_MISMATCH, (long long)n, (long long)mat->shape[0],
                       (long long)mat->shape[1], (long long)vec->shape[0]);
}

Tensor *forward_mv(Tensor *x, Tensor *vec)
{
    if (!check_same_device((Tensor *[]){x, vec}, 2))
        return NULL;
    if (x->ndim != 2 || vec->ndim != 1)
        return tide_fail("RuntimeError", "vector + matrix @ vector expected, got 1, %d, %d", x->ndim,
                         vec->ndim);
    if (x->shape[1] != vec->shape[0])
        return tide_fail("RuntimeError", VECTOR_MISMATCH, (long long)x->shape[0], (long long)x->shape[0],
                         (long long)x->shape[1], (long long)vec->shape[0]);
    if (x->dtype != vec->dtype)
        return tide_fail("RuntimeError",
                         "addmv input tensors must have the same dtype, but got %s, %s, and %s", cname(vec),
                         cname(x), cname(vec));
    if (!check_not_bool(x, "addmv_impl_cpu"))
        return NULL;
    Tensor *out = result_new(DIMS(x->shape[0]), (DType)x->dtype, x->device);
    if (!out)
        return NULL;
    Tensor *column = as_column(vec), *target = as_column(out);
    return column && target && multiply(NULL, x, column, target, 0, 1) ? out : NULL;
}

Tensor *forward_addmv(Tensor *x, Tensor *mat, Tensor *vec, double beta, double alpha)
{
    if (!check_same_device((Tensor *[]){x, mat, vec}, 3))
        return NULL;
    if (!check_matrix_vector(x, mat, vec))
        return NULL;
    if (x->dtype != mat->dtype || x->dtype != vec->dtype)
        return tide_fail("RuntimeError",
                         "addmv input tensors must have the same dtype, but got %s, %s, and %s", cname(x),
                         cname(mat), cname(vec));
    if (!check_not_bool(x, "addmv_impl_cpu"))
        return NULL;
    Tensor *out = result_new(DIMS(mat->shape[0]), (DType)mat->dtype, mat->device);
    Tensor *c = broadcast_plain(x, DIMS(mat->shape[0]));
    if (!out || !c)
        return NULL;
    c = as_column(c);
    Tensor *column = as_column(vec), *target = as_column(out);
    return c && column && target && multiply(c, mat, column, target, beta, alpha) ? out : NULL;
}

Tensor *forward_dot(Tensor *x, Tensor *tensor)
{
    if (!check_same_device((Tensor *[]){x, tensor}, 2))
        return NULL;
    if (x->ndim != 1 || tensor->ndim != 1)
        return tide_fail("RuntimeError", "1D tensors expected, but got %dD and %dD tensors", x->ndim,
                         tensor->ndim);
    if (x->dtype != tensor->dtype)
        return tide_fail("RuntimeError",
                         "dot : expected both vectors to have same dtype, but found %s and %s", cname(x),
                         cname(tensor));
    if (x->numel != tensor->numel)
        return tide_fail(
            "RuntimeError",
            "inconsistent tensor size, expected tensor [%lld] and src [%lld] to have the same number of "
            "elements, but got %lld and %lld elements respectively",
            (long long)x->numel, (long long)tensor->numel, (long long)x->numel, (long long)tensor->numel);
    if (!check_not_bool(x, "dot"))
        return NULL;
    Tensor *out = result_new(&(Dims){0}, (DType)x->dtype, x->device);
    if (!out)
        return NULL;
    Tensor *row = as_row(x), *column = as_column(tensor);
    Tensor *target = restrided(out, 2, (int64_t[]){1, 1}, (int64_t[]){1, 1});
    return row && column && target && multiply(NULL, row, column, target, 0, 1) ? out : NULL;
}

Tensor *forward_vdot(Tensor *x, Tensor *other)
{
    return forward_dot(x, other);
}

/* ---- compositions ---- */

Tensor *forward_outer(Tensor *x, Tensor *vec2)
{
    if (x->ndim != 1)
        return tide_fail("RuntimeError", "outer: Expected 1-D argument self, but got %d-D", x->ndim);
    if (vec2->ndim != 1)
        return tide_fail("RuntimeError", "outer: Expected 1-D argument vec2, but got %d-D", vec2->ndim);
    return op_mul(op_reshape(x, DIMS(x->shape[0], 1)), vec2);
}

/* Whether the larger operand can be multiplied as one tall matrix: always when a gradient of the smaller one
 * is wanted (its batched gradient would be as large as the batch), else when that needs no copy. */
static bool folds(const Tensor *a, const Tensor *b)
{
    const Tensor *large = a->ndim >= b->ndim ? a : b, *small = large == a ? b : a;
    if (large->ndim < 3 || small->ndim > 2)
        return false;
    if (small->requires_grad)
        return true;
    if (a->ndim == 2)
        return false; /* the result would have to be transposed and copied */
    if (large->numel == 0)
        return true;
    int n = large->ndim;
    int64_t stride[TIDE_MAXDIM];
    memcpy(stride, large->stride, sizeof stride);
    int64_t shape[TIDE_MAXDIM];
    memcpy(shape, large->shape, sizeof shape);
    if (large == b) { /* it is used transposed */
        stride[n - 1] = large->stride[n - 2], stride[n - 2] = large->stride[n - 1];
        shape[n - 1] = large->shape[n - 2], shape[n - 2] = large->shape[n - 1];
    }
    for (int i = 0; i < n - 2; i++)
        if (stride[i] != stride[i + 1] * shape[i + 1])
            return false;
    return true;
}

static Tensor *matmul_folded(Tensor *x, Tensor *other)
{
    bool swapped = other->ndim > x->ndim;
    Tensor *large = swapped ? op_transpose(other, -2, -1) : x;
    Tensor *small = !swapped ? other : x->ndim == 2 ? op_t(x) : x;
    if (!large || !small)
        return NULL;
    Dims shape = tensor_dims(large);
    int64_t inner = shape.v[shape.n - 1], rows = 1;
    shape.n--;
    for (int i = 0; i < shape.n; i++)
        rows *= shape.v[i];
    Tensor *tall = op_reshape(large, DIMS(rows, inner));
    if (small->ndim == 1)
        return op_unsafe_view(op_mv(tall, small), &shape);
    shape.v[shape.n++] = small->shape[1];
    Tensor *y = op_unsafe_view(op_mm(tall, small), &shape);
    return swapped ? op_contiguous(op_transpose(y, -2, -1)) : y;
}

/* x's matrices over the batch dims `batch`, as one batch dim. */
static Tensor *batched(Tensor *x, const Dims *batch, int64_t count, int64_t rows, int64_t columns)
{
    Dims shape = *batch;
    shape.v[shape.n++] = rows;
    shape.v[shape.n++] = columns;
    return op_reshape(op_expand(x, &shape), DIMS(count, rows, columns));
}

static Tensor *matmul_batched(Tensor *x, Tensor *other)
{
    int64_t rows = x->ndim > 1 ? x->shape[x->ndim - 2] : 1, inner = x->shape[x->ndim - 1];
    int64_t inner2 = other->ndim > 1 ? other->shape[other->ndim - 2] : other->shape[0];
    int64_t columns = other->ndim > 1 ? other->shape[other->ndim - 1] : 1;
    if (x->ndim == 3 && other->ndim == 3 && x->shape[0] != other->shape[0]) {
        if (x->shape[0] == 1 && x->requires_grad)
            return op_matmul(op_squeeze(x, DIMS(0)), other);
        if (other->shape[0] == 1 && other->requires_grad)
            return op_matmul(x, op_squeeze(other, DIMS(0)));
    }
    Dims a = tensor_dims(x), b = tensor_dims(other), batch;
    a.n = a.n > 2 ? a.n - 2 : 0;
    b.n = b.n > 2 ? b.n - 2 : 0;
    if (!broadcast_shapes(&a, &b, &batch))
        return NULL;
    if (batch.n > TIDE_MAXDIM - 2)
        return tide_fail("RuntimeError", "matmul: too many dimensions");
    int64_t count = 1;
    for (int i = 0; i < batch.n; i++)
        count *= batch.v[i];
    Tensor *left = batched(x->ndim > 1 ? x : op_unsqueeze(x, 0), &batch, count, rows, inner);
    Tensor *right = batched(other->ndim > 1 ? other : op_unsqueeze(other, 1), &batch, count, inner2, columns);
    Dims shape = batch;
    if (x->ndim > 1)
        shape.v[shape.n++] = rows;
    if (other->ndim > 1)
        shape.v[shape.n++] = columns;
    return op_unsafe_view(op_bmm(left, right), &shape);
}

Tensor *forward_first_row(Tensor *x)
{
    return restrided(x, 1, x->shape + 1, x->stride + 1);
}

Tensor *forward_matmul(Tensor *x, Tensor *other)
{
    if (x->ndim == 0 || other->ndim == 0)
        return tide_fail("RuntimeError",
                         "both arguments to matmul need to be at least 1D, but they are %dD and %dD", x->ndim,
                         other->ndim);
    if (x->ndim == 2 && other->ndim == 2)
        return op_mm(x, other);
    if (x->ndim == 1 && other->ndim == 1)
        return op_dot(x, other);
    if (x->ndim == 2 && other->ndim == 1)
        return op_mv(x, other);
    if (x->ndim == 1 && other->ndim == 2)
        return op_first_row(op_mm(op_unsqueeze(x, 0), other));
    return folds(x, other) ? matmul_folded(x, other) : matmul_batched(x, other);
}

Tensor *forward_linear(Tensor *x, Tensor *weight, Tensor *bias)
{
    if (x->ndim == 0 || weight->ndim == 0)
        return tide_fail("RuntimeError",
                         "both arguments to linear need to be at least 1D, but they are %dD and %dD", x->ndim,
                         weight->ndim);
    Tensor *w = op_t(weight);
    if (!w)
        return NULL;
    if (!bias)
        return op_matmul(x, w);
    if (x->ndim == 2)
        return op_addmm(bias, x, w, 1, 1);
    bool one_row = bias->ndim == 1 || (bias->ndim == 2 && bias->shape[0] == 1);
    if (!x->contiguous || !bias->contiguous || !one_row) {
        Tensor *y = op_matmul(x, w);
        return y ? op_apply_inplace(OP_add, (Arg[]){{.t = y}, {.t = bias}}) : NULL;
    }
    Dims shape = tensor_dims(x);
    int64_t rows = 1, inner = shape.v[--shape.n];
    for (int i = 0; i < shape.n; i++)
        rows *= shape.v[i];
    shape.v[shape.n++] = w->shape[1];
    return op_view(op_addmm(bias, op_reshape(x, DIMS(rows, inner)), w, 1, 1), &shape);
}

Tensor *forward_inner(Tensor *x, Tensor *other)
{
    if (x->ndim == 0 || other->ndim == 0)
        return op_mul(x, other);
    int64_t n = x->shape[x->ndim - 1];
    if (n != other->shape[other->ndim - 1]) {
        char a[256], b[256];
        return tide_fail(
            "RuntimeError",
            "inner() the last dimension must match on both input tensors but got shapes %s and %s",
            format_dims(a, sizeof a, x->ndim, x->shape), format_dims(b, sizeof b, other->ndim, other->shape));
    }
    if (x->dtype != other->dtype)
        return tide_fail("RuntimeError", "both inputs should have same dtype");
    Dims shape = tensor_dims(x), right = tensor_dims(other);
    if (shape.n + right.n - 2 > TIDE_MAXDIM)
        return tide_fail("RuntimeError", "inner: too many dimensions");
    int64_t rows = 1, columns = 1;
    shape.n--, right.n--;
    for (int i = 0; i < shape.n; i++)
        rows *= shape.v[i];
    for (int i = 0; i < right.n; i++)
        columns *= right.v[i];
    memcpy(shape.v + shape.n, right.v, (size_t)right.n * sizeof *right.v);
    shape.n += right.n;
    return op_view(op_mm(op_reshape(x, DIMS(rows, n)), op_t(op_reshape(other, DIMS(columns, n)))), &shape);
}

/* Dims alternate: one of x of size 1 beside each of other, and the other way round. */
Tensor *forward_kron(Tensor *x, Tensor *other)
{
    int n = x->ndim > other->ndim ? x->ndim : other->ndim;
    if (2 * n > TIDE_MAXDIM)
        return tide_fail("RuntimeError", "kron: too many dimensions");
    Dims a = {.n = 2 * n}, b = {.n = 2 * n}, shape = {.n = n};
    for (int i = 0; i < n; i++) {
        int ia = i - (n - x->ndim), ib = i - (n - other->ndim);
        a.v[2 * i] = ia < 0 ? 1 : x->shape[ia];
        b.v[2 * i + 1] = ib < 0 ? 1 : other->shape[ib];
        a.v[2 * i + 1] = b.v[2 * i] = 1;
        shape.v[i] = a.v[2 * i] * b.v[2 * i + 1];
    }
    return op_unsafe_view(op_mul(op_reshape(x, &a), op_reshape(other, &b)), &shape);
}

Tensor *forward_trace(Tensor *x)
{
    if (x->ndim != 2)
        return tide_fail("RuntimeError", "trace: expected a matrix, but got tensor with dim %d", x->ndim);
    return op_sum(op_diagonal(x, 0, 0, 1), NULL, false);
}

Tensor *forward_trace_backward(Tensor *g1, Tensor *like)
{
    int64_t m = like->shape[0], n = like->shape[1];
    return op_mul(tensor_eye(m, n, (DType)g1->dtype, g1->device), g1);
}
