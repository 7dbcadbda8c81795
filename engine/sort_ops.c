/* sort_ops.c - forwards of index.def: extremes, order and scans along a dim, unique. */
#include "engine/structural.h"

#include <float.h>
#include <math.h>

/* ---- kernels work along the last dim of dense tensors ---- */

/* x as the kernels take it: at least one dim, dim last, dense, bool as uint8 and 16-bit floats as float32. */
static Tensor *as_lines(Tensor *x, int64_t dim)
{
    if (x->dtype == DT_F16 || x->dtype == DT_BF16)
        x = converted_plain(x, DT_F32);
    if (x && x->ndim == 0)
        x = restrided(x, 1, (int64_t[]){1}, (int64_t[]){1});
    if (x && dim != x->ndim - 1) {
        int64_t shape[TIDE_MAXDIM], stride[TIDE_MAXDIM];
        int n = 0;
        for (int d = 0; d < x->ndim; d++)
            if (d != dim) {
                shape[n] = x->shape[d];
                stride[n++] = x->stride[d];
            }
        shape[n] = x->shape[dim];
        stride[n] = x->stride[dim];
        x = restrided(x, n + 1, shape, stride);
    }
    x = contiguous_plain(x);
    if (x && x->dtype == DT_BOOL) {
        x = view_new(x);
        if (x)
            x->dtype = DT_U8;
    }
    return x;
}

/* A kernel's result like lines, with n elements a line. */
static Tensor *line_result(const Tensor *lines, int64_t n, DType dtype)
{
    Dims shape = tensor_dims(lines);
    shape.v[shape.n - 1] = n;
    return result_new(&shape, dtype, lines->device);
}

/* A kernel's result back in x's layout and dtype: the lines' dim at dim, or gone when `drop`. */
static Tensor *from_lines(Tensor *r, const Tensor *x, int64_t dim, bool drop, DType dtype)
{
    int64_t shape[TIDE_MAXDIM], stride[TIDE_MAXDIM];
    int n = 0, last = r->ndim - 1;
    for (int d = 0; d < x->ndim; d++) {
        if (d == dim && drop)
            continue;
        int from = d == dim ? last : d < dim ? d : d - 1;
        shape[n] = r->shape[from];
        stride[n++] = r->stride[from];
    }
    r = contiguous_plain(restrided(r, n, shape, stride));
    if (r && dtype == DT_BOOL)
        r->dtype = DT_BOOL;
    return r ? converted_plain(r, dtype) : NULL;
}

typedef struct ValuesIndices {
    Tensor *values, *indices;
} ValuesIndices;

/* Runs a kernel that finds n values and their indices a line. */
static bool find(OpId op, Tensor *x, int64_t dim, int64_t n, bool drop, const Arg *arg, ValuesIndices *found)
{
    Tensor *lines = as_lines(x, dim);
    if (!lines)
        return false;
    Tensor *out[2] = {line_result(lines, n, (DType)lines->dtype), line_result(lines, n, DT_I64)};
    if (!out[0] || !out[1])
        return false;
    if (out[0]->numel > 0 && !kernel_run(op, &lines, 1, out, 2, arg))
        return false;
    found->values = from_lines(out[0], x, dim, drop, (DType)x->dtype);
    found->indices = from_lines(out[1], x, dim, drop, DT_I64);
    return found->values && found->indices;
}

static int64_t size_along(const Tensor *x, int64_t dim)
{
    return x->ndim ? x->shape[dim] : 1;
}

static bool check_nonempty(const Tensor *x, int64_t dim, const char *who)
{
    if (size_along(x, dim) > 0)
        return true;
    return tide_refuse("IndexError", "%s(): Expected reduction dim %lld to have non-zero size.", who,
                       (long long)dim);
}

/* ---- max, min, argmax, argmin ---- */

static bool extreme(OpId op, const char *who, Tensor *x, int64_t *dim, bool keepdim, ValuesIndices *found)
{
    if (!wrap_dim(dim, x->ndim) || !check_nonempty(x, *dim, who))
        return false;
    Arg arg[3] = {[1] = {.i = *dim}, [2] = {.b = keepdim}};
    return find(op, x, *dim, 1, !keepdim, arg, found);
}

Tensor *forward_max_dim(Tensor *x, int64_t dim, bool keepdim)
{
    ValuesIndices r;
    if (!extreme(OP_max_dim, "max", x, &dim, keepdim, &r))
        return NULL;
    Tensor *y = records(x) ? op_max_values(x, r.values, r.indices, dim, keepdim) : r.values;
    results_extra(r.indices, NULL);
    return y;
}

Tensor *forward_min_dim(Tensor *x, int64_t dim, bool keepdim)
{
    ValuesIndices r;
    if (!extreme(OP_min_dim, "min", x, &dim, keepdim, &r))
        return NULL;
    Tensor *y = records(x) ? op_min_values(x, r.values, r.indices, dim, keepdim) : r.values;
    results_extra(r.indices, NULL);
    return y;
}

/* Rows that only give a node to values found before. */
#define VALUES_FORWARD(name, ...)                                                                            \
    Tensor *forward_##name##_values(Tensor *x, Tensor *values, Tensor *indices, int64_t dim, ##__VA_ARGS__)  \
    {                                                                                                        \
        (void)x, (void)indices, (void)dim;                                                                   \
        return view_new(values);                                                                             \
    }
VALUES_FORWARD(sort)
VALUES_FORWARD(topk)
VALUES_FORWARD(cummax)
VALUES_FORWARD(cummin)
#undef VALUES_FORWARD
#define VALUES_FORWARD(name)                                                                                 \
    Tensor *forward_##name##_values(Tensor *x, Tensor *values, Tensor *indices, int64_t dim, bool keepdim)   \
    {                                                                                                        \
        (void)x, (void)indices, (void)dim, (void)keepdim;                                                    \
        return view_new(values);                                                                             \
    }
VALUES_FORWARD(max)
VALUES_FORWARD(min)
VALUES_FORWARD(kthvalue)
VALUES_FORWARD(median)
VALUES_FORWARD(nanmedian)
VALUES_FORWARD(mode)

static Tensor *extreme_all(OpId op, const char *who, Tensor *x)
{
    if (x->numel == 0)
        return tide_fail("RuntimeError",
                         "%s(): Expected reduction dim to be specified for input.numel() == 0. Specify the "
                         "reduction dim with the 'dim' argument.",
                         who);
    return reduce_run(op, x, NULL, false);
}

Tensor *forward_max_all(Tensor *x)
{
    return extreme_all(OP_amax, "max", x);
}

Tensor *forward_min_all(Tensor *x)
{
    return extreme_all(OP_amin, "min", x);
}

Tensor *forward_evenly_backward(Tensor *g1, Tensor *x, Tensor *value)
{
    double v;
    if (!tensor_item_double(value, &v))
        return NULL;
    Tensor *hit = isnan(v) ? op_isnan(x) : op_eq(x, value);
    return op_where(hit, op_div(g1, op_sum(hit, NULL, false)), tensor_number(0));
}

static Tensor *arg_extreme(OpId op, const char *who, Tensor *x, const Dims *dim, bool keepdim)
{
    ValuesIndices r;
    if (x->dtype == DT_BOOL)
        return tide_fail("RuntimeError", "%s(): does not support bool input", who);
    if (dim) {
        int64_t at = dim->n ? dim->v[0] : 0;
        return extreme(op, who, x, &at, keepdim, &r) ? r.indices : NULL;
    }
    if (x->numel == 0)
        return tide_fail("IndexError", "%s(): Expected reduction dim to be specified for input.numel() == 0.",
                         who);
    Tensor *flat = contiguous_plain(x);
    flat = flat ? restrided(flat, 1, &x->numel, (int64_t[]){1}) : NULL;
    int64_t first = 0;
    if (!flat || !extreme(op, who, flat, &first, false, &r) || !keepdim)
        return flat && !tide_failed() ? r.indices : NULL;
    int64_t ones[TIDE_MAXDIM];
    for (int d = 0; d < x->ndim; d++)
        ones[d] = 1;
    return restrided(r.indices, x->ndim, ones, ones);
}

Tensor *forward_argmax(Tensor *x, const Dims *dim, bool keepdim)
{
    return arg_extreme(OP_max_dim, "argmax", x, dim, keepdim);
}

Tensor *forward_argmin(Tensor *x, const Dims *dim, bool keepdim)
{
    return arg_extreme(OP_min_dim, "argmin", x, dim, keepdim);
}

/* ---- sort, topk, kthvalue, median, mode ---- */

static bool sorted_pair(Tensor *x, int64_t *dim, bool descending, ValuesIndices *found)
{
    if (!wrap_dim(dim, x->ndim))
        return false;
    Arg arg[4] = {[1] = {.i = *dim}, [2] = {.b = descending}, [3] = {.b = true}};
    return find(OP_sort, x, *dim, size_along(x, *dim), x->ndim == 0, arg, found);
}

Tensor *forward_sort(Tensor *x, int64_t dim, bool descending, bool stable)
{
    ValuesIndices r;
    (void)stable; /* always */
    if (!sorted_pair(x, &dim, descending, &r))
        return NULL;
    Tensor *y = records(x) ? op_sort_values(x, r.values, r.indices, dim) : r.values;
    if (stable) node_named(y, "SortBackward1");
    results_extra(r.indices, NULL);
    return y;
}

Tensor *forward_argsort(Tensor *x, int64_t dim, bool descending, bool stable)
{
    ValuesIndices r;
    (void)stable;
    return sorted_pair(x, &dim, descending, &r) ? r.indices : NULL;
}

Tensor *forward_topk(Tensor *x, int64_t k, int64_t dim, bool largest, bool sorted)
{
    ValuesIndices r;
    if (!wrap_dim(&dim, x->ndim))
        return NULL;
    if (k < 0 || k > size_along(x, dim))
        return tide_fail("RuntimeError", "selected index k out of range");
    if (x->dtype == DT_BOOL)
        return tide_fail("RuntimeError", "topk does not support bool dtypes on CPU");
    if (x->ndim == 0)
        k = 1; /* as PyTorch, which has no 0 of one number */
    Arg arg[5] = {[1] = {.i = k}, [2] = {.i = dim}, [3] = {.b = largest}, [4] = {.b = sorted}};
    if (!find(OP_topk, x, dim, k, x->ndim == 0, arg, &r))
        return NULL;
    Tensor *y = records(x) ? op_topk_values(x, r.values, r.indices, dim) : r.values;
    results_extra(r.indices, NULL);
    return y;
}

Tensor *forward_kthvalue(Tensor *x, int64_t k, int64_t dim, bool keepdim)
{
    ValuesIndices r;
    if (!wrap_dim(&dim, x->ndim) || !check_nonempty(x, dim, "kthvalue"))
        return NULL;
    if (k < 1 || k > size_along(x, dim))
        return tide_fail("RuntimeError", "kthvalue(): selected number k out of range for dimension %lld",
                         (long long)dim);
    if (x->ndim > 0 && !check_not_bool(x, "kthvalue_cpu"))
        return NULL;
    Arg arg[4] = {[1] = {.i = k}, [2] = {.i = dim}, [3] = {.b = keepdim}};
    if (!find(OP_kthvalue, x, dim, 1, !keepdim, arg, &r))
        return NULL;
    Tensor *y = records(x) ? op_kthvalue_values(x, r.values, r.indices, dim, keepdim) : r.values;
    results_extra(r.indices, NULL);
    return y;
}

static bool middle(OpId op, Tensor *x, int64_t *dim, bool keepdim, ValuesIndices *found)
{
    if (!wrap_dim(dim, x->ndim) || !check_nonempty(x, *dim, "median") || !check_not_bool(x, "median_out"))
        return false;
    Arg arg[3] = {[1] = {.i = *dim}, [2] = {.b = keepdim}};
    return find(op, x, *dim, 1, !keepdim, arg, found);
}

Tensor *forward_median_dim(Tensor *x, int64_t dim, bool keepdim)
{
    ValuesIndices r;
    if (!middle(OP_median_dim, x, &dim, keepdim, &r))
        return NULL;
    Tensor *y = records(x) ? op_median_values(x, r.values, r.indices, dim, keepdim) : r.values;
    results_extra(r.indices, NULL);
    return y;
}

Tensor *forward_nanmedian_dim(Tensor *x, int64_t dim, bool keepdim)
{
    ValuesIndices r;
    if (!middle(OP_nanmedian_dim, x, &dim, keepdim, &r))
        return NULL;
    Tensor *y = records(x) ? op_nanmedian_values(x, r.values, r.indices, dim, keepdim) : r.values;
    results_extra(r.indices, NULL);
    return y;
}

/* The median of all elements; of none it is NaN, or the lowest integer, as a conversion of NaN gives it. */
static Tensor *middle_all(OpId op, Tensor *x)
{
    ValuesIndices r;
    int64_t first = 0;
    if (x->numel == 0)
        return tensor_full(&(Dims){0}, NAN, (DType)x->dtype, x->device);
    if (!check_not_bool(x, "median_cpu"))
        return NULL;
    Tensor *flat = contiguous_plain(x);
    flat = flat ? restrided(flat, 1, &x->numel, (int64_t[]){1}) : NULL;
    return flat && middle(op, flat, &first, false, &r) ? r.values : NULL;
}

Tensor *forward_median_all(Tensor *x)
{
    return middle_all(OP_median_dim, x);
}

Tensor *forward_nanmedian_all(Tensor *x)
{
    return middle_all(OP_nanmedian_dim, x);
}

Tensor *forward_mode(Tensor *x, int64_t dim, bool keepdim)
{
    ValuesIndices r;
    if (!wrap_dim(&dim, x->ndim) || !check_nonempty(x, dim, "mode"))
        return NULL;
    Arg arg[3] = {[1] = {.i = dim}, [2] = {.b = keepdim}};
    if (!find(OP_mode, x, dim, 1, !keepdim, arg, &r))
        return NULL;
    Tensor *y = records(x) ? op_mode_values(x, r.values, r.indices, dim, keepdim) : r.values;
    results_extra(r.indices, NULL);
    return y;
}

/* ---- scans ---- */

/* A kernel with one result of x's shape, in x's dtype. */
static Tensor *scan(OpId op, Tensor *x, int64_t dim)
{
    if (!wrap_dim(&dim, x->ndim))
        return NULL;
    Tensor *lines = as_lines(x, dim);
    if (!lines)
        return NULL;
    Tensor *out = line_result(lines, lines->shape[lines->ndim - 1], (DType)lines->dtype);
    Arg arg[2] = {[1] = {.i = dim}};
    if (!out || (out->numel > 0 && !kernel_run(op, &lines, 1, &out, 1, arg)))
        return NULL;
    return from_lines(out, x, dim, x->ndim == 0, (DType)x->dtype);
}

/* Running sums or products, of integers and bools in int64; dtype DT_NONE is the dtype they are found in. */
static Tensor *scan_in(OpId op, Tensor *x, int64_t dim, DType dtype)
{
    if (!wrap_dim(&dim, x->ndim))
        return NULL;
    if (dtype == DT_BOOL && x->ndim > 0 && x->numel > 0)
        return tide_fail("NotImplementedError", "\"%s_out_cpu\" not implemented for 'Bool'", op_info(op)->name);
    if (dtype == DT_BOOL)
        return converted_plain(x, DT_BOOL);
    DType in = dtype == DT_NONE ? (DType)x->dtype : dtype;
    if (!(x = converted_plain(x, dtype_is_float(in) ? in : DT_I64)) || !(x = scan(op, x, dim)))
        return NULL;
    return dtype == DT_NONE ? x : converted_plain(x, dtype);
}

Tensor *forward_cumsum(Tensor *x, int64_t dim, DType dtype)
{
    return scan_in(OP_cumsum, x, dim, dtype);
}

Tensor *forward_cumprod(Tensor *x, int64_t dim, DType dtype)
{
    return scan_in(OP_cumprod, x, dim, dtype);
}

Tensor *forward_logcumsumexp(Tensor *x, int64_t dim)
{
    return wrap_dim(&dim, x->ndim) && check_float(x, "logcumsumexp_out_cpu") ? scan(OP_logcumsumexp, x, dim) : NULL;
}

/* Of no elements any dim will do; that of a 0-dim tensor has an error of its own. */
static bool running(OpId op, Tensor *x, int64_t *dim, ValuesIndices *found)
{
    if (x->ndim == 0 && (*dim < -1 || *dim > 0))
        return tide_refuse("IndexError", "%s(): Expected reduction dim -1 or 0 for scalar but got %lld",
                           op_info(op)->name, (long long)*dim);
    if (x->numel == 0) {
        *found = (ValuesIndices){tensor_like(x, (DType)x->dtype), tensor_like(x, DT_I64)};
        return found->values && found->indices;
    }
    if (!wrap_dim(dim, x->ndim))
        return false;
    Arg arg[2] = {[1] = {.i = *dim}};
    return find(op, x, *dim, size_along(x, *dim), x->ndim == 0, arg, found);
}

Tensor *forward_cummax(Tensor *x, int64_t dim)
{
    ValuesIndices r;
    if (!running(OP_cummax, x, &dim, &r))
        return NULL;
    Tensor *y = records(x) ? op_cummax_values(x, r.values, r.indices, dim) : r.values;
    results_extra(r.indices, NULL);
    return y;
}

Tensor *forward_cummin(Tensor *x, int64_t dim)
{
    ValuesIndices r;
    if (!running(OP_cummin, x, &dim, &r))
        return NULL;
    Tensor *y = records(x) ? op_cummin_values(x, r.values, r.indices, dim) : r.values;
    results_extra(r.indices, NULL);
    return y;
}

static Tensor *cumsum_from_end(Tensor *x, int64_t dim)
{
    return op_flip(op_cumsum(op_flip(x, DIMS(dim)), dim, DT_NONE), DIMS(dim));
}

/* Where x has zeros: element k's gradient is the sum over j >= k of g[j] times the product of x[0…j] without
 * x[k]. */
static Tensor *cumprod_backward_by_parts(Tensor *g1, Tensor *x, int64_t dim)
{
    int64_t n = x->shape[dim];
    Tensor *sum = NULL;
    Dims thin = tensor_dims(x);
    thin.v[dim] = 1;
    Tensor *one = tensor_full(&thin, 1, (DType)x->dtype, x->device);
    for (int64_t k = 0; k < n; k++) {
        Tensor *parts[] = {one, op_narrow(x, dim, k + 1, n - k - 1)};
        if (!parts[0] || !parts[1])
            return NULL;
        Tensor *after = op_cumprod(op_cat(&(TensorList){2, parts}, dim), dim, DT_NONE);
        Tensor *before = k ? op_prod(op_narrow(x, dim, 0, k), DIMS(dim), true) : one;
        Tensor *part = op_sum(op_mul(op_narrow(g1, dim, k, n - k), op_mul(before, after)), DIMS(dim), true);
        Tensor *so_far[] = {sum, part};
        if (!part)
            return NULL;
        sum = k ? op_cat(&(TensorList){2, so_far}, dim) : part;
    }
    return sum;
}

/* The same in one pass, for a gradient that is not differentiated itself. Up to the first zero it is as if there were
 * none; at the first zero it is the sum over what follows up to the next one; behind that it is 0. */
static Tensor *cumprod_backward_by_zeros(Tensor *g1, Tensor *x, Tensor *product, int64_t dim)
{
    Tensor *none = tensor_number(0), *one = tensor_number(1);
    Tensor *is_zero = op_eq(x, none);
    Tensor *zeros = op_cumsum(is_zero, dim, DT_NONE);
    Tensor *before = op_eq(zeros, tensor_integer(0)), *behind_first = op_eq(zeros, tensor_integer(1));
    Tensor *first = op_logical_and(is_zero, behind_first);
    Tensor *plain = op_div(cumsum_from_end(op_where(before, op_mul(g1, product), none), dim), x);
    Tensor *after = op_cumprod(op_where(op_logical_xor(behind_first, first), x, one), dim, DT_NONE);
    Tensor *at_first = op_sum(op_mul(after, op_where(behind_first, g1, none)), DIMS(dim), true);
    at_first = op_mul(at_first, op_prod(op_where(before, x, one), DIMS(dim), true));
    return op_where(before, plain, op_where(first, at_first, none));
}

Tensor *forward_cumprod_backward(Tensor *g1, Tensor *x, Tensor *product, int64_t dim)
{
    int64_t zero;
    if (x->ndim == 0 || x->numel <= 1)
        return op_alias(g1);
    if (!wrap_dim(&dim, x->ndim))
        return NULL;
    if (x->shape[dim] == 1)
        return op_alias(g1);
    if (!tensor_item_int(op_any(op_eq(x, tensor_number(0)), NULL, false), &zero))
        return NULL;
    if (!zero)
        return op_div(cumsum_from_end(op_mul(product, g1), dim), x);
    return grad_enabled() ? cumprod_backward_by_parts(g1, x, dim)
                          : cumprod_backward_by_zeros(g1, x, product, dim);
}

/* The lowest finite number stands for log(0) below: infinities would meet as inf - inf. */
static double lowest(const Tensor *t)
{
    switch ((DType)t->dtype) {
    case DT_F16: return -65504;
    case DT_BF16: return -0x1.fep127;
    case DT_F32: return -FLT_MAX;
    default: return -DBL_MAX;
    }
}

/* The sums over j >= i of |g[j]| exp(x[i] - result[j]), for the g of one sign, by their logarithms. */
static Tensor *signed_part(Tensor *g1, Tensor *x, Tensor *result, int64_t dim, Tensor *of_sign)
{
    Tensor *masked = op_where(of_sign, op_log(op_abs(g1)), tensor_number(lowest(x)));
    Tensor *sums = op_flip(op_logcumsumexp(op_flip(op_sub(masked, result), DIMS(dim)), dim), DIMS(dim));
    return op_exp(op_add(sums, x));
}

Tensor *forward_logcumsumexp_backward(Tensor *g1, Tensor *x, Tensor *result, int64_t dim)
{
    Tensor *zero = tensor_number(0);
    if (x->numel == 0 || x->ndim == 0)
        return op_mul(g1, tensor_number(1));
    return op_sub(signed_part(g1, x, result, dim, op_gt(g1, zero)),
                  signed_part(g1, x, result, dim, op_lt(g1, zero)));
}

/* ---- unique ---- */

/* Whether each slice of rows (n, m) differs from the one before it; the first does. */
static Tensor *starts(Tensor *rows)
{
    int64_t n = rows->shape[0];
    Tensor *first = tensor_full(DIMS(n < 1 ? n : 1), 1, DT_BOOL, rows->device);
    if (n <= 1)
        return first;
    Tensor *differ = op_ne(op_narrow(rows, 0, 1, n - 1), op_narrow(rows, 0, 0, n - 1));
    if (rows->ndim > 1)
        differ = op_any(differ, DIMS(1), false);
    Tensor *parts[] = {first, differ};
    return first && differ ? op_cat(&(TensorList){2, parts}, 0) : NULL;
}

/* Row numbers of rows (n, m) in lexicographic order: sorted by the last column first, stably. */
static Tensor *row_order(Tensor *rows)
{
    Tensor *order = tensor_arange_int(0, rows->shape[0], 1, DT_I64, rows->device);
    for (int64_t j = rows->shape[1] - 1; j >= 0 && order; j--) {
        Tensor *column = op_index_select(op_select(rows, 1, j), 0, order);
        order = op_index_select(order, 0, op_argsort(column, 0, false, true));
    }
    return order;
}

/* The rest of unique, on items in order: rows are what is compared, order says where each came from (NULL:
 * from itself). Leaves inverse and counts as further results and returns the places of the first of each
 * kind. */
static Tensor *first_places(Tensor *rows, Tensor *order, bool want_inverse, bool want_counts)
{
    int64_t n = rows->shape[0];
    Tensor *begins = starts(rows), *inverse = NULL, *counts = NULL;
    Tensor *places = begins ? op_reshape(op_nonzero(begins), DIMS(-1)) : NULL;
    if (!places)
        return NULL;
    if (want_counts) {
        Tensor *parts[] = {places, tensor_full_int(DIMS(1), n, DT_I64, rows->device)};
        if (!parts[1])
            return NULL;
        Tensor *edges = op_cat(&(TensorList){2, parts}, 0);
        counts = op_sub(op_narrow(edges, 0, 1, places->numel), places);
    }
    if (want_inverse) {
        Tensor *number = op_sub(op_cumsum(begins, 0, DT_NONE), tensor_integer(1));
        inverse = order ? op_scatter(tensor_zeros(DIMS(n), DT_I64, rows->device), 0, order, number) : number;
    }
    if (tide_failed())
        return NULL;
    results_extra(inverse, counts);
    return places;
}

/* x as rows (n, m): its slices along dim. */
static Tensor *slices_as_rows(Tensor *x, int64_t dim)
{
    Tensor *front = op_movedim(x, DIMS(dim), DIMS(0));
    int64_t n = x->shape[dim], m = 1;
    for (int d = 0; d < x->ndim; d++)
        if (d != dim)
            m *= x->shape[d];
    return op_reshape(front, DIMS(n, m));
}

/* consecutive: items stay in their order. */
static Tensor *unique_by(Tensor *x, const Dims *dim, bool consecutive, bool want_inverse, bool want_counts)
{
    int64_t at = dim && dim->n ? dim->v[0] : 0;
    if (dim && x->ndim == 0)
        return no_such_dim(at);
    if (dim && !wrap_dim(&at, x->ndim))
        return NULL;
    bool by_slices = dim != NULL;
    for (int d = 0; by_slices && d < x->ndim; d++)
        if (x->shape[d] == 0 && d != at)
            return tide_fail("RuntimeError", "There are 0 sized dimensions, and they aren't selected, so "
                                             "unique cannot be applied");
    Tensor *rows = by_slices ? slices_as_rows(x, at) : op_reshape(x, DIMS(x->numel)), *order = NULL;
    if (!rows)
        return NULL;
    if (!consecutive) {
        order = by_slices ? row_order(rows) : op_argsort(rows, 0, false, true);
        rows = op_index_select(rows, 0, order);
        if (!rows)
            return NULL;
    }
    Tensor *places = first_places(rows, order, want_inverse, want_counts);
    Tensor *inverse = op_second(), *counts = op_third();
    if (!places)
        return NULL;
    if (want_inverse && !by_slices) {
        Dims shape = tensor_dims(x);
        inverse = op_reshape(inverse, &shape);
    }
    if (by_slices && order)
        places = op_index_select(order, 0, places);
    Tensor *y = by_slices ? op_index_select(x, at, places) : op_index_select(rows, 0, places);
    results_extra(inverse, counts);
    return y;
}

Tensor *forward_unique(Tensor *x, bool sorted, bool return_inverse, bool return_counts, const Dims *dim)
{
    (void)sorted; /* always */
    return unique_by(x, dim, false, return_inverse, return_counts);
}

Tensor *forward_unique_consecutive(Tensor *x, bool return_inverse, bool return_counts, const Dims *dim)
{
    return unique_by(x, dim, true, return_inverse, return_counts);
}
