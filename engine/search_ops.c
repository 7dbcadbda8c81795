/* search_ops.c - forwards of index.def: counting, searching and repeating. */
#include "engine/structural.h"

Tensor *forward_bincount(Tensor *x, Tensor *weights, int64_t minlength)
{
    int64_t low = 0, high = -1;
    if (dtype_is_float((DType)x->dtype) || x->dtype == DT_BOOL)
        return tide_fail("NotImplementedError", "\"bincount_cpu\" not implemented for '%s'", cname(x));
    if (minlength < 0)
        return tide_fail("RuntimeError", "minlength should be >= 0");
    if (x->numel == 0 && x->ndim == 1)
        return tensor_zeros(DIMS(minlength), DT_I64, x->device);
    if (x->ndim == 1 && (!tensor_item_int(reduce_run(OP_amin, x, NULL, false), &low) ||
                         !tensor_item_int(reduce_run(OP_amax, x, NULL, false), &high)))
        return NULL;
    if (x->ndim != 1 || low < 0)
        return tide_fail("RuntimeError", "bincount only supports 1-d non-negative integral inputs.");
    if (weights && (weights->ndim != 1 || weights->numel != x->numel))
        return tide_fail("RuntimeError", "weights should be 1-d and have the same length as input");
    if (high == INT64_MAX)
        return tide_fail("RuntimeError",
                         "maximum value of input overflowed, it should be < 9223372036854775807 but got "
                         "9223372036854775807");
    int64_t n = high + 1 > minlength ? high + 1 : minlength;
    DType sums = !weights ? DT_I64 : weights->dtype == DT_F32 ? DT_F32 : DT_F64;
    Tensor *out = tensor_zeros(DIMS(n), sums, x->device);
    Tensor *in[2] = {contiguous_plain(converted_plain(x, DT_I64)),
                     weights ? contiguous_plain(converted_plain(weights, sums)) : NULL};
    if (!out || !in[0] || (weights && !in[1]))
        return NULL;
    return kernel_run(OP_bincount, in, weights ? 2 : 1, &out, 1, NULL) ? out : NULL;
}

Tensor *forward_histogram(Tensor *x, Tensor *weight, Tensor *found)
{
    (void)x, (void)weight;
    return op_clone(found);
}

/* Of 16 bits: each step of finding an element's bin is rounded to them, as PyTorch's are. */
static Tensor *narrow_histc(Tensor *x, int64_t bins, double min, double max)
{
    DType dtype = (DType)x->dtype;
    Tensor *low = number_as(tensor_number(min), dtype, x->device), *high = number_as(tensor_number(max), dtype, x->device);
    Tensor *flat = op_reshape(x, DIMS(-1));
    Tensor *inside = op_logical_and(op_ge(flat, low), op_le(flat, high));
    Tensor *line = op_masked_select(flat, inside);
    Tensor *place = op_div(op_mul(op_sub(line, low), tensor_integer(bins)), op_sub(high, low));
    place = place ? op_clamp_max(converted_plain(place, DT_I64), tensor_integer(bins - 1)) : NULL;
    return place ? converted_plain(op_bincount(place, NULL, bins), dtype) : NULL;
}

Tensor *forward_histc(Tensor *x, int64_t bins, double min, double max)
{
    if (bins < 1)
        return tide_fail("RuntimeError", "torch.histogram(): bins must be > 0, but got %lld for dimension 0",
                         (long long)bins);
    if (min == max && x->numel > 0) {
        if (!tensor_item_double(reduce_run(OP_amin, x, NULL, false), &min))
            return NULL;
        if (!tensor_item_double(reduce_run(OP_amax, x, NULL, false), &max))
            return NULL;
    }
    if (min == max)
        min -= 1, max += 1;
    if (x->dtype == DT_U8 && (min < 0 || max < 0))
        return tide_fail("RuntimeError", "value cannot be converted to type uint8_t without overflow");
    if (!check_float(x, x->dtype == DT_BOOL ? "linspace_cpu" : "histogram_cpu"))
        return NULL;
    if (!(min - min == 0 && max - max == 0))
        return tide_fail("RuntimeError", "torch.histc: range of [%g, %g] is not finite",
                         min != min ? __builtin_nan("") : min, max != max ? __builtin_nan("") : max);
    if (min > max)
        return tide_fail("RuntimeError", "torch.histc: max must be larger than min");
    if (dtype_size((DType)x->dtype) == 2 && x->numel > 0)
        return narrow_histc(x, bins, min, max);
    DType work = x->dtype == DT_F64 ? DT_F64 : DT_F32;
    Tensor *out = tensor_zeros(DIMS(bins), work, x->device), *in = contiguous_plain(converted_plain(x, work));
    Arg arg[4] = {[1] = {.i = bins}, [2] = {.f = min}, [3] = {.f = max}};
    if (!out || !in || (x->numel > 0 && !kernel_run(OP_histc, &in, 1, &out, 1, arg)))
        return NULL;
    return converted_plain(out, (DType)x->dtype);
}

/* The dtype both sides of a search are compared in. */
static DType search_dtype(const Tensor *a, const Tensor *b)
{
    DType d = b->is_number ? (DType)a->dtype : dtype_promote((DType)a->dtype, (DType)b->dtype);
    if (b->is_number && dtype_is_float((DType)b->dtype) && !dtype_is_float(d))
        d = DT_F64;
    return d == DT_F16 || d == DT_BF16 ? DT_F32 : d == DT_BOOL ? DT_U8 : d;
}

Tensor *forward_searchsorted(Tensor *x, Tensor *values, bool out_int32, bool right)
{
    char have[256], want[256];
    if (x->ndim == 0)
        return tide_fail(
            "RuntimeError",
            "torch.searchsorted(): boundaries tensor should have positive dimension, but got 0 dimension");
    if (!check_same_device((Tensor *[]){x, values}, 2))
        return NULL;
    if (values->ndim == 0 && x->ndim != 1)
        return tide_fail(
            "RuntimeError",
            "torch.searchsorted(): input value can be a scalar only when boundaries tensor dimension is 1, "
            "but we got boundaries tensor dim(%d) and input value's dim(%d) numel(%lld)",
            x->ndim, values->ndim, (long long)values->numel);
    bool fits = x->ndim == 1 || x->ndim == values->ndim;
    for (int d = 0; fits && x->ndim > 1 && d < x->ndim - 1; d++)
        fits = x->shape[d] == values->shape[d];
    if (!fits)
        return tide_fail("RuntimeError",
                         "torch.searchsorted(): boundaries tensor should be 1 dimension or the first N-1 "
                         "dimensions of boundaries tensor and input value tensor must match, but we got "
                         "boundaries tensor %s and input value tensor %s",
                         format_dims(have, sizeof have, x->ndim, x->shape),
                         format_dims(want, sizeof want, values->ndim, values->shape));
    DType work = search_dtype(x, values);
    Dims shape = tensor_dims(values);
    Tensor *in[2] = {contiguous_plain(converted_plain(x, work)),
                     contiguous_plain(converted_plain(values, work))};
    Tensor *out = result_new(&shape, DT_I64, x->device);
    Arg arg[4] = {[3] = {.b = right}};
    if (!in[0] || !in[1] || !out || (out->numel > 0 && !kernel_run(OP_searchsorted, in, 2, &out, 1, arg)))
        return NULL;
    return out_int32 ? converted_plain(out, DT_I32) : out;
}

Tensor *forward_bucketize(Tensor *x, Tensor *boundaries, bool out_int32, bool right)
{
    if (boundaries->ndim != 1)
        return tide_fail("RuntimeError", "boundaries tensor must be 1 dimension, but got dim(%d)",
                         boundaries->ndim);
    return op_searchsorted(boundaries, x, out_int32, right);
}

Tensor *forward_isin(Tensor *x, Tensor *test_elements, bool assume_unique, bool invert)
{
    (void)assume_unique;
    Tensor *given[] = {x, test_elements};
    for (int i = 0; i < 2; i++)
        if (given[i]->dtype == DT_BOOL)
            return tide_fail("RuntimeError", "Unsupported input type encountered for isin(): Bool");
    Dims shape = tensor_dims(x);
    if (test_elements->numel == 0)
        return tensor_full(&shape, invert, DT_BOOL, x->device);
    DType work = result_dtype(given, 2);
    x = converted_plain(x, work);
    Tensor *set = op_reshape(converted_plain(test_elements, work), DIMS(test_elements->numel));
    if (dtype_is_float(work))
        set = op_masked_select(set, op_eq(set, set)); /* NaN is no element of anything */
    if (!x || !set)
        return NULL;
    if (set->numel == 0)
        return tensor_full(&shape, invert, DT_BOOL, x->device);
    set = op_sort(set, 0, false, false);
    if (!set)
        return NULL;
    Tensor *at = op_clamp_max(op_searchsorted(set, x, false, false), tensor_integer(set->numel - 1));
    Tensor *found = op_eq(op_take(set, at), x);
    return invert ? op_logical_not(found) : found;
}

/* ---- repeat_interleave ---- */

/* One number of repeats for all: x's dim beside a stretched one, both made one. */
static Tensor *repeat_evenly(Tensor *x, int64_t dim, int64_t times)
{
    if (times < 0)
        return tide_fail("RuntimeError", "Repeats must be non-negative");
    Tensor *wide = op_unsqueeze(x, dim + 1);
    if (!wide)
        return NULL;
    Dims stretched = tensor_dims(wide), flat = tensor_dims(x);
    stretched.v[dim + 1] = times;
    flat.v[dim] *= times;
    Tensor *spread = op_expand(wide, &stretched); /* copied row by row, however x lies */
    return spread ? op_view(spread->contiguous ? op_clone(spread) : op_contiguous(spread), &flat) : NULL;
}

/* Number i as often as counts (int64, dense) says: found by place in their running sum. */
static Tensor *repeated_numbers(Tensor *counts)
{
    int64_t total = 0, low = 0;
    if (counts->numel > 0 && (!tensor_item_int(op_amin(counts, NULL, false), &low) ||
                              !tensor_item_int(op_sum(counts, NULL, false), &total)))
        return NULL;
    if (low < 0)
        return tide_fail("RuntimeError", "repeats can not be negative");
    Tensor *places = tensor_arange_int(0, total, 1, DT_I64, counts->device);
    return op_searchsorted(op_cumsum(counts, 0, DT_NONE), places, false, true);
}

Tensor *forward_repeat_interleave(Tensor *x, Tensor *repeats, const Dims *dim, int64_t output_size)
{
    (void)output_size;
    if (dtype_is_float((DType)repeats->dtype) || repeats->dtype == DT_BOOL)
        return tide_fail("NotImplementedError", "\"repeat_interleave_cpu\" not implemented for '%s'",
                         cname(repeats));
    if (repeats->ndim > 1)
        return tide_fail("RuntimeError", "repeats must be 0-dim or 1-dim tensor");
    int64_t at = dim && dim->n ? dim->v[0] : 0, times;
    if (!dim)
        x = op_reshape(x, DIMS(x->numel));
    int64_t given = at;
    if (x && x->ndim == 0 && !repeats->is_number)
        return no_such_dim(at);
    if (!x || (dim && !wrap_dim(&at, x->ndim)))
        return NULL;
    if (x->ndim == 0) { /* PyTorch repeats along a dim after it */
        at++;
        wrap_dim(&at, 0);
        return NULL;
    }
    if (repeats->is_number)
        return tensor_item_int(repeats, &times) ? repeat_evenly(x, at, times) : NULL;
    if (repeats->numel == 1)
        repeats = broadcast_plain(op_reshape(repeats, DIMS(1)), DIMS(x->shape[at]));
    if (!repeats)
        return NULL;
    if (repeats->numel != x->shape[at])
        return tide_fail("RuntimeError",
                         "repeats must have the same size as input along dim, but got repeats.size(0) = %lld "
                         "and input.size(%lld) = %lld",
                         (long long)repeats->numel, (long long)given, (long long)x->shape[at]);
    Tensor *counts = contiguous_plain(converted_plain(repeats, DT_I64));
    return counts ? op_index_select(x, at, repeated_numbers(counts)) : NULL;
}
