/* scatter_ops.c - forwards of index.def: gather and scatter, masks, triangles and diagonals. */
#include "engine/structural.h"

#include <string.h>

/* ---- gather and scatter ---- */

/* int64 indices, or NULL and the error. */
static Tensor *checked_index(Tensor *index, const char *who)
{
    if (index->dtype == DT_I64)
        return index;
    if (index->dtype == DT_I32)
        return as_int64(index);
    return tide_fail("RuntimeError", "%s(): Expected dtype int32/int64 for index", who);
}

/* 0-dim tensors take part as one dim of one element. */
static Tensor *at_least_1d(Tensor *x)
{
    return x->ndim ? x : restrided(x, 1, (int64_t[]){1}, (int64_t[]){1});
}

/* Every index within size, or the RuntimeError naming dim. The kernels check nothing. */
static bool check_bounds(Tensor *index, int64_t dim, int64_t size)
{
    int64_t bad = 0;
    if (all_within(index, 0, size, &bad))
        return true;
    return tide_refuse("RuntimeError", "index %lld is out of bounds for dimension %lld with size %lld",
                       (long long)bad, (long long)dim, (long long)size);
}

static Tensor *gather_checked(Tensor *x, int64_t dim, Tensor *index)
{
    char have[256], want[256];
    Dims shape = tensor_dims(index);
    Tensor *out = result_new(&shape, (DType)x->dtype, x->device);
    if (!out || index->numel == 0)
        return out;
    Tensor *from = at_least_1d(x), *at = at_least_1d(index), *to = at_least_1d(out);
    if (!from || !at || !to)
        return NULL;
    if (from->ndim != at->ndim)
        return tide_fail("RuntimeError",
                         "Index tensor must have the same number of dimensions as input tensor");
    for (int d = 0; d < at->ndim; d++)
        if (d != dim && at->shape[d] > from->shape[d])
            return tide_fail("RuntimeError",
                             "Size does not match at dimension %d expected index %s to be no larger than "
                             "self %s apart from dimension %lld",
                             d, format_dims(have, sizeof have, index->ndim, index->shape),
                             format_dims(want, sizeof want, x->ndim, x->shape), (long long)dim);
    if (!check_bounds(at, dim, from->shape[dim]))
        return NULL;
    Arg arg[3] = {[1] = {.i = dim}};
    return kernel_run(OP_gather, (Tensor *[]){from, at}, 2, &to, 1, arg) ? out : NULL;
}

Tensor *forward_gather(Tensor *x, int64_t dim, Tensor *index)
{
    if (!wrap_dim(&dim, x->ndim) || !check_same_device((Tensor *[]){x, index}, 2))
        return NULL;
    index = index->numel ? checked_index(index, "gather") : index;
    return index ? gather_checked(x, dim, index) : NULL;
}

/* What the scatters have in common. src NULL: a number, whose shape does not matter. */
static bool check_scatter(Tensor *x, int64_t dim, Tensor *index, const Tensor *src)
{
    char have[256], want[256], other[256];
    int nx = x->ndim ? x->ndim : 1, ni = index->ndim ? index->ndim : 1, ns = src && src->ndim ? src->ndim : 1;
    if (index->numel == 0)
        return true;
    if (nx != ni)
        return tide_refuse("RuntimeError",
                           "Index tensor must have the same number of dimensions as self tensor");
    if (src && ns != ni) {
        if (dim >= ns) {
            int64_t at = dim;
            return wrap_dim(&at, src->ndim);
        }
        return tide_refuse("RuntimeError",
                           "Index tensor must have the same number of dimensions as src tensor");
    }
    bool fits = true;
    for (int d = 0; d < index->ndim; d++)
        fits &= (d == dim || index->shape[d] <= x->shape[d]) && (!src || index->shape[d] <= src->shape[d]);
    if (fits)
        return check_bounds(index, dim, x->ndim ? x->shape[dim] : 1);
    format_dims(have, sizeof have, index->ndim, index->shape);
    format_dims(want, sizeof want, x->ndim, x->shape);
    if (!src)
        return tide_refuse("RuntimeError",
                           "Expected index %s to be no larger than self %s apart from dimension %lld", have,
                           want, (long long)dim);
    return tide_refuse("RuntimeError",
                       "Expected index %s to be no larger than self %s apart from dimension %lld and to be "
                       "no larger size than src %s",
                       have, want, (long long)dim, format_dims(other, sizeof other, src->ndim, src->shape));
}

static Tensor *scatter_by(OpId op, const char *who, Tensor *x, int64_t dim, Tensor *index, Tensor *src,
                          Arg how)
{
    bool number = src->is_number;
    if (!wrap_dim(&dim, x->ndim))
        return NULL;
    if (number && index->numel > 0)
        src = number_as(src, (DType)x->dtype, x->device);
    if (!src || !check_same_device((Tensor *[]){x, index, src}, 3))
        return NULL;
    if (index->numel > 0 && !(index = checked_index(index, who)))
        return NULL;
    if (src->dtype != x->dtype && !src->is_number)
        return tide_fail("RuntimeError", "scatter(): Expected self.dtype to be equal to src.dtype");
    if (!check_scatter(x, dim, index, number ? NULL : src))
        return NULL;
    if (index->numel == 0)
        return x;
    if (tensor_shares_memory(src, x))
        src = tensor_to(src, (DType)src->dtype, src->device, true);
    Dims shape = tensor_dims(index);
    if (number)
        src = broadcast_plain(src, &shape);
    Tensor *to = at_least_1d(x), *at = at_least_1d(index), *from = src ? at_least_1d(src) : NULL;
    if (!to || !at || !from)
        return NULL;
    Arg arg[5] = {[1] = {.i = dim}, [4] = how};
    return kernel_run(op, (Tensor *[]){at, from}, 2, &to, 1, arg) ? x : NULL;
}

/* Sums and products of 16-bit floats are made in float32 and rounded once. */
static Tensor *scatter_widely(OpId op, const char *who, Tensor *x, int64_t dim, Tensor *index, Tensor *src, Arg how)
{
    if (!dtype_is_float((DType)x->dtype) || dtype_size((DType)x->dtype) != 2 || src->dtype != x->dtype)
        return scatter_by(op, who, x, dim, index, src, how);
    Tensor *wide = converted_plain(x, DT_F32);
    src = converted_plain(src, DT_F32);
    return wide && src && scatter_by(op, who, wide, dim, index, src, how) && copy_plain(x, wide) ? x : NULL;
}

Tensor *forward_scatter(Tensor *x, int64_t dim, Tensor *index, Tensor *src)
{
    return scatter_by(OP_scatter, "scatter", x, dim, index, src, (Arg){0});
}

Tensor *forward_scatter_add(Tensor *x, int64_t dim, Tensor *index, Tensor *src)
{
    return scatter_widely(OP_scatter_add, "scatter_add", x, dim, index, src, (Arg){0});
}

Tensor *forward_gather_backward(Tensor *g1, Tensor *like, int64_t dim, Tensor *index)
{
    Tensor *zeros = zeros_shaped(like, g1);
    return zeros ? forward_scatter_add(zeros, dim, index, g1) : NULL;
}

enum { REDUCE_SUM, REDUCE_PROD, REDUCE_MEAN, REDUCE_AMAX, REDUCE_AMIN };

/* How many elements (x's own one, unless left out) went into each of scatter_reduce's means; at least 1. */
static Tensor *scatter_counts(Tensor *x, int64_t dim, Tensor *index, Tensor *src, bool include_self)
{
    Dims shape = tensor_dims(x), ones = tensor_dims(src);
    Tensor *count = tensor_full(&shape, include_self ? 1 : 0, (DType)x->dtype, x->device);
    count = op_scatter_add(count, dim, index, tensor_full(&ones, 1, (DType)x->dtype, x->device));
    return op_clamp_min(count, tensor_number(1));
}

/* The start value of a reduction, put where index points when x's own elements are to be left out. */
static double reduce_identity(const Tensor *x, int64_t reduce)
{
    bool is_float = dtype_is_float((DType)x->dtype);
    if (reduce == REDUCE_PROD)
        return 1;
    if (reduce == REDUCE_SUM || reduce == REDUCE_MEAN)
        return 0;
    if (is_float)
        return reduce == REDUCE_AMAX ? -__builtin_inf() : __builtin_inf();
    int bits = (int)dtype_size((DType)x->dtype) * 8;
    double top = x->dtype == DT_U8 ? 255 : x->dtype == DT_BOOL ? 1 : (double)((1ull << (bits - 1)) - 1);
    if (bits == 64)
        top = 9223372036854774784.;
    if (reduce == REDUCE_AMIN)
        return top;
    return x->dtype == DT_U8 || x->dtype == DT_BOOL ? 0 : -top - 1;
}

Tensor *scatter_reduced(Tensor *x, int64_t dim, Tensor *index, Tensor *src, int64_t reduce, bool include_self,
                        bool widely)
{
    if (reduce < REDUCE_SUM || reduce > REDUCE_AMIN)
        return tide_fail("RuntimeError",
                         "reduce argument must be either sum, prod, mean, amax or amin, got %lld",
                         (long long)reduce);
    if (!wrap_dim(&dim, x->ndim))
        return NULL;
    if (reduce == REDUCE_MEAN && x->dtype == DT_BOOL)
        return tide_fail("NotImplementedError", "\"%s\" not implemented for 'Bool'",
                         index->numel ? "scatter_gather_tensor_cpu_reduce_mean" : "div_floor_cpu");
    if (!include_self && !forward_scatter(x, dim, index, tensor_number(reduce_identity(x, reduce))))
        return NULL;
    if (!(widely ? scatter_widely : scatter_by)(OP_scatter_reduce, "scatter_reduce", x, dim, index, src, (Arg){.i = reduce}))
        return NULL;
    if (reduce != REDUCE_MEAN)
        return x;
    Tensor *count = scatter_counts(x, dim, index, src, include_self);
    bool is_float = dtype_is_float((DType)x->dtype);
    Tensor *mean = is_float ? op_div(x, count) : op_floor_divide(x, count);
    return mean && copy_plain(x, mean) ? x : NULL;
}

Tensor *forward_scatter_reduce(Tensor *x, int64_t dim, Tensor *index, Tensor *src, int64_t reduce,
                               bool include_self)
{
    return scatter_reduced(x, dim, index, src, reduce, include_self, true);
}

static Tensor *extremes_backward(Tensor *g1, Tensor *x, int64_t dim, Tensor *index, Tensor *src, Tensor *result,
                                 bool for_src)
{
    DType d = (DType)x->dtype;
    Tensor *mine = converted_plain(op_eq(x, result), d);
    Tensor *theirs = converted_plain(op_eq(src, op_gather(result, dim, index)), d);
    Tensor *share = op_div(g1, op_scatter_add(mine, dim, index, theirs));
    return for_src ? op_mul(theirs, op_gather(share, dim, index)) : op_mul(mine, share);
}

/* An element's derivative is the product of the others: the result over it, unless it is the only 0 there. */
static Tensor *product_backward(Tensor *g1, Tensor *x, int64_t dim, Tensor *index, Tensor *src, bool include_self,
                                Tensor *result, bool for_src)
{
    Tensor *zero = tensor_number(0), *one = tensor_number(1);
    if (!for_src) {
        Tensor *filled = op_masked_fill(x, op_eq(x, zero), one);
        Tensor *others = op_scatter_reduce(filled, dim, index, src, REDUCE_PROD, include_self);
        return op_div(op_mul(g1, others), filled);
    }
    Tensor *is_zero = op_eq(src, zero), *zeros = zeros_shaped(x, x);
    if (!is_zero || !zeros) return NULL;
    Tensor *count = op_gather(op_scatter_add(zeros, dim, index, converted_plain(is_zero, (DType)x->dtype)), dim, index);
    Tensor *lonely = op_logical_and(is_zero, op_eq(count, one));
    Tensor *others = op_scatter_reduce(x, dim, index, op_masked_fill(src, lonely, one), REDUCE_PROD, include_self);
    Tensor *quotient = op_div(op_gather(op_mul(g1, result), dim, index), op_masked_fill(src, is_zero, one));
    return op_where(lonely, op_gather(op_mul(g1, others), dim, index), quotient);
}

/* src has index's shape here: PyTorch asks for it where gradients are wanted. */
Tensor *forward_scatter_reduce_backward(Tensor *g1, Tensor *x, int64_t dim, Tensor *index, Tensor *src,
                                        int64_t reduce, bool include_self, Tensor *result)
{
    bool for_src = reduce < 0;
    if (for_src)
        reduce = -1 - reduce;
    if (!check_same_device((Tensor *[]){g1, x, index, src}, 4))
        return NULL;
    Tensor *g = g1;
    switch (reduce) {
    case REDUCE_PROD: g = product_backward(g1, x, dim, index, src, include_self, result, for_src); break;
    case REDUCE_MEAN: g = op_div(g1, scatter_counts(x, dim, index, src, include_self)); /* fall through */
    case REDUCE_SUM:
        if (for_src)
            g = op_gather(g, dim, index);
        break;
    default: g = extremes_backward(g1, x, dim, index, src, result, for_src);
    }
    return for_src || include_self ? g : op_scatter(g, dim, index, tensor_number(0));
}

/* ---- masks ---- */

static bool check_mask(const Tensor *mask, const char *who)
{
    if (mask->dtype == DT_BOOL)
        return true;
    return tide_refuse("RuntimeError", "%s only supports boolean masks, but got mask with dtype %s", who,
                       who[7] == 'f' ? ctype_name(mask) : cname(mask));
}

Tensor *forward_masked_fill(Tensor *x, Tensor *mask, Tensor *value)
{
    if (!check_mask(mask, "masked_fill_"))
        return NULL;
    if (value->ndim != 0)
        return tide_fail(
            "RuntimeError",
            "masked_fill_ only supports a 0-dimensional value tensor, but got tensor with %d dimension(s).",
            value->ndim);
    if (!check_same_device((Tensor *[]){x, mask}, 2))
        return NULL;
    value = value->is_number ? number_as(value, (DType)x->dtype, x->device)
                             : tensor_to(value, (DType)x->dtype, x->device, false);
    if (!value)
        return NULL;
    return elementwise_run(OP_where, (Tensor *[]){mask, value, x}, 3, NULL);
}

/* x and mask stretched to their common shape. */
static bool broadcast_pair(Tensor **x, Tensor **mask)
{
    Dims a = tensor_dims(*mask), b = tensor_dims(*x), both;
    if (!check_same_device((Tensor *[]){*x, *mask}, 2) || !broadcast_shapes(&a, &b, &both))
        return false;
    *x = broadcast_plain(*x, &both);
    *mask = broadcast_plain(*mask, &both);
    return *x && *mask;
}

static bool count_true(Tensor *mask, int64_t *count)
{
    Tensor *n = reduce_run(OP_count_nonzero, mask, NULL, false);
    return n && tensor_item_int(n, count);
}

Tensor *forward_masked_select(Tensor *x, Tensor *mask)
{
    int64_t count;
    if (mask->dtype != DT_BOOL)
        return tide_fail("RuntimeError", "masked_select: expected BoolTensor for mask");
    if (!broadcast_pair(&x, &mask) || !count_true(mask, &count))
        return NULL;
    Tensor *out = result_new(DIMS(count), (DType)x->dtype, x->device);
    if (!out || count == 0)
        return out;
    return kernel_run(OP_masked_select, (Tensor *[]){x, mask}, 2, &out, 1, NULL) ? out : NULL;
}

Tensor *forward_masked_scatter(Tensor *x, Tensor *mask, Tensor *source)
{
    int64_t count;
    if (x->dtype != source->dtype)
        return tide_fail("RuntimeError",
                         "masked_scatter: expected self and source to have same dtypes but got%s and %s",
                         cname(x), cname(source));
    if (!check_mask(mask, "masked_scatter_"))
        return NULL;
    if (!broadcast_pair(&x, &mask) || !count_true(mask, &count))
        return NULL;
    if (count > source->numel)
        return tide_fail("RuntimeError", "Number of elements of source < number of ones in mask");
    Dims shape = tensor_dims(x);
    Tensor *out = result_new(&shape, (DType)x->dtype, x->device);
    source = contiguous_plain(source);
    if (!out || !source || !copy_plain(out, x) || count == 0)
        return source ? out : NULL;
    return kernel_run(OP_masked_scatter, (Tensor *[]){mask, source}, 2, &out, 1, NULL) ? out : NULL;
}

Tensor *forward_masked_select_backward(Tensor *g1, Tensor *like, Tensor *mask)
{
    Dims a = tensor_dims(mask), b = tensor_dims(like), both;
    if (!broadcast_shapes(&a, &b, &both))
        return NULL;
    return forward_masked_scatter(tensor_zeros(&both, (DType)g1->dtype, g1->device), mask, g1);
}

Tensor *forward_masked_scatter_backward(Tensor *g1, Tensor *like, Tensor *mask)
{
    Dims shape = tensor_dims(like);
    Tensor *taken = op_masked_select(g1, mask);
    if (!taken)
        return NULL;
    Tensor *zeros = tensor_zeros(DIMS(like->numel - taken->numel), (DType)g1->dtype, g1->device);
    Tensor *parts[] = {taken, zeros};
    return zeros ? op_view(op_cat(&(TensorList){2, parts}, 0), &shape) : NULL;
}

Tensor *forward_nonzero(Tensor *x)
{
    int64_t count;
    if (!count_true(x, &count))
        return NULL;
    Tensor *out = result_new(DIMS(count, x->ndim), DT_I64, x->device);
    if (!out || out->numel == 0)
        return out;
    return kernel_run(OP_nonzero, &x, 1, &out, 1, NULL) ? out : NULL;
}

Tensor *forward_one_hot(Tensor *x, int64_t num_classes)
{
    int64_t low = 0, high = -1;
    if (x->dtype != DT_I64)
        return tide_fail("RuntimeError", "one_hot is only applicable to index tensor of type LongTensor.");
    if (x->numel == 0 && num_classes <= 0)
        return tide_fail("RuntimeError", "Can not infer total number of classes from empty tensor.");
    if (x->ndim == TIDE_MAXDIM)
        return tide_fail("RuntimeError", "one_hot: too many dimensions");
    if (x->numel > 0) {
        if (!tensor_item_int(reduce_run(OP_amin, x, NULL, false), &low))
            return NULL;
        if (!tensor_item_int(reduce_run(OP_amax, x, NULL, false), &high))
            return NULL;
    }
    if (low < 0)
        return tide_fail("RuntimeError", "Class values must be non-negative.");
    if (num_classes == -1)
        num_classes = high + 1;
    if (high >= num_classes)
        return tide_fail("RuntimeError", "Class values must be smaller than num_classes.");
    Dims shape = tensor_dims(x);
    shape.v[shape.n++] = num_classes;
    Tensor *zeros = tensor_zeros(&shape, DT_I64, x->device);
    return zeros ? forward_scatter(zeros, -1, op_unsqueeze(x, -1), tensor_integer(1)) : NULL;
}

/* ---- triangles and diagonals ---- */

static Tensor *triangle(OpId op, Tensor *x, int64_t diagonal)
{
    if (x->ndim < 2)
        return tide_fail("RuntimeError", "%s: input tensor must have at least 2 dimensions",
                         op_info(op)->name);
    Dims shape = tensor_dims(x);
    Tensor *out = result_new(&shape, (DType)x->dtype, x->device);
    if (!out || out->numel == 0)
        return out;
    Arg arg[2] = {[1] = {.i = diagonal}};
    return kernel_run(op, &x, 1, &out, 1, arg) ? out : NULL;
}

Tensor *forward_tril(Tensor *x, int64_t diagonal)
{
    return triangle(OP_tril, x, diagonal);
}

Tensor *forward_triu(Tensor *x, int64_t diagonal)
{
    return triangle(OP_triu, x, diagonal);
}

Tensor *forward_diag_embed(Tensor *x, int64_t offset, int64_t dim1, int64_t dim2)
{
    int64_t n = x->ndim ? x->shape[x->ndim - 1] : 0;
    int64_t given1 = dim1, given2 = dim2;
    if (x->ndim == TIDE_MAXDIM)
        return tide_fail("RuntimeError", "diag_embed: too many dimensions");
    if (!wrap_dim(&dim1, x->ndim + 1) || !wrap_dim(&dim2, x->ndim + 1))
        return NULL;
    if (dim1 == dim2)
        return tide_fail("RuntimeError", "diagonal dimensions cannot be identical %lld, %lld",
                         (long long)given1, (long long)given2);
    int64_t side = n + (offset < 0 ? -offset : offset);
    Dims shape = {.n = x->ndim + 1};
    for (int d = 0, from = 0; d < shape.n; d++)
        shape.v[d] = d == dim1 || d == dim2 ? side : x->shape[from++];
    Tensor *out = tensor_zeros(&shape, (DType)x->dtype, x->device);
    return out && copy_plain(op_diagonal(out, offset, dim1, dim2), x) ? out : NULL;
}

Tensor *forward_diag(Tensor *x, int64_t diagonal)
{
    if (x->ndim == 1)
        return op_diag_embed(x, diagonal, 0, 1);
    if (x->ndim == 2) {
        Tensor *y = node_named(op_clone(op_diagonal(x, diagonal, 0, 1)), "DiagonalBackward0_copy");
        if (y)
            y->stride[0] = 1; /* a copy of one element has the diagonal's stride */
        return y;
    }
    return tide_fail("RuntimeError", "diag(): Supports 1D or 2D tensors. Got %dD", x->ndim);
}
