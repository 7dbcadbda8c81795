/* index_ops.c - forwards of index.def: indexing by tensors, gathering and scattering along a dim. */
#include "engine/structural.h"

#include <string.h>

/* ---- index and index_put: index tensors become offsets of slices ---- */

/* x[indices] prepared. The indexed dims are dims whose entry is a tensor; the others are the rest. */
typedef struct Plan {
    Tensor *index[TIDE_MAXDIM]; /* int64, one a dim of x; NULL: the whole dim */
    Dims broadcast;             /* the index tensors' common shape */
    Dims result;                /* x[indices]'s shape */
    int at;                     /* where broadcast stands in result */
    Tensor *rest;               /* x without its indexed dims */
    Tensor *offsets;            /* int64, one dim: of the slices, in elements from x's first */
} Plan;

/* A mask stands for the indices of its true elements, one tensor a dim. Returns how many dims it took, -1 on
 * errors. */
static int expand_mask(Plan *plan, const Tensor *x, Tensor *mask, int at)
{
    char have[256], want[256];
    for (int i = 0; i < mask->ndim; i++)
        if (at + i >= x->ndim || mask->shape[i] != x->shape[at + i]) {
            tide_fail("IndexError",
                      "The shape of the mask %s at index %d does not match the shape of the indexed tensor "
                      "%s at index %d",
                      format_dims(have, sizeof have, mask->ndim, mask->shape), i,
                      format_dims(want, sizeof want, x->ndim, x->shape), at + i);
            return -1;
        }
    Tensor *found = op_nonzero(mask);
    for (int i = 0; i < mask->ndim && found; i++)
        plan->index[at + i] =
            restrided(found, 1, (int64_t[]){found->shape[0]}, (int64_t[]){found->stride[0]});
    for (int i = 0; i < mask->ndim && found && plan->index[at + i]; i++)
        plan->index[at + i]->offset += i * found->stride[1];
    return found && !tide_failed() ? mask->ndim : -1;
}

static bool collect_indices(Plan *plan, const Tensor *x, const TensorList *indices)
{
    int at = 0;
    for (int i = 0; i < indices->n; i++) {
        Tensor *index = indices->v[i];
        bool mask = index && (index->dtype == DT_BOOL || index->dtype == DT_U8);
        if (at + (mask ? index->ndim : 1) > x->ndim && !mask)
            return tide_refuse("IndexError", "too many indices for tensor of dimension %d (got %d)", x->ndim,
                               indices->n);
        if (mask) {
            int took = expand_mask(plan, x, index, at);
            if (took < 0)
                return false;
            at += took;
            continue;
        }
        if (index && index->dtype != DT_I64 && index->dtype != DT_I32)
            return tide_refuse("IndexError",
                               "tensors used as indices must be long, int, byte or bool tensors");
        if (index && !(plan->index[at] = as_int64(index)))
            return false;
        at++;
    }
    return true;
}

static bool broadcast_indices(Plan *plan, int ndim)
{
    char text[1024];
    size_t used = 0;
    bool first = true, fits = true;
    for (int d = 0; d < ndim; d++) {
        if (!plan->index[d])
            continue;
        Dims shape = tensor_dims(plan->index[d]);
        format_dims(text + used, sizeof text - used, shape.n, shape.v);
        used += strlen(text + used);
        if (used + 3 < sizeof text)
            memcpy(text + used, ", ", 3), used += 2;
        Dims joined = {.n = shape.n > plan->broadcast.n ? shape.n : plan->broadcast.n};
        for (int i = 1; i <= joined.n; i++) {
            int64_t a = i <= shape.n ? shape.v[shape.n - i] : 1;
            int64_t b = !first && i <= plan->broadcast.n ? plan->broadcast.v[plan->broadcast.n - i] : 1;
            fits &= a == b || a == 1 || b == 1;
            joined.v[joined.n - i] = a == 1 ? b : a;
        }
        plan->broadcast = joined;
        first = false;
    }
    if (used >= 2)
        text[used - 2] = 0;
    return fits ||
           tide_refuse("IndexError",
                       "shape mismatch: indexing tensors could not be broadcast together with shapes %s",
                       text);
}

static bool shape_result(Plan *plan, const Tensor *x)
{
    int first = -1, last = -1, count = 0;
    for (int d = 0; d < x->ndim; d++)
        if (plan->index[d]) {
            if (first < 0)
                first = d;
            last = d;
            count++;
        }
    bool together = count > 0 && last - first + 1 == count;
    plan->at = together ? first : 0;
    if (x->ndim - count + plan->broadcast.n > TIDE_MAXDIM)
        return tide_refuse("IndexError", "index: the result would have more than %d dimensions", TIDE_MAXDIM);
    Dims *r = &plan->result;
    for (int d = 0; d < plan->at; d++)
        r->v[r->n++] = x->shape[d];
    for (int i = 0; i < plan->broadcast.n; i++)
        r->v[r->n++] = plan->broadcast.v[i];
    for (int d = plan->at; d < x->ndim; d++)
        if (!plan->index[d])
            r->v[r->n++] = x->shape[d];
    return true;
}

/* Adds one dim's part to the offsets, checking and wrapping its indices. `number` is the index tensor's
 * place among them. */
static bool add_offsets(int64_t *offset, const Tensor *index, int64_t size, int64_t stride, int number)
{
    const int64_t *base = tensor_data(index);
    int64_t count[TIDE_MAXDIM] = {0}, at = 0, inner = index->ndim ? index->shape[index->ndim - 1] : 1;
    int64_t step = index->ndim ? index->stride[index->ndim - 1] : 0;
    for (int64_t done = 0; done < index->numel; done += inner) {
        for (int64_t i = 0; i < inner; i++) {
            int64_t v = base[at + i * step];
            if (v < -size || v >= size) {
                if (size == 0)
                    return tide_refuse("IndexError", "index is out of bounds for dimension with size 0");
                return tide_refuse("IndexError",
                                   "index %lld is out of bounds for dimension %d with size %lld",
                                   (long long)v, number, (long long)size);
            }
            offset[done + i] += (v < 0 ? v + size : v) * stride;
        }
        if (((done / inner) & 0xffff) == 0xffff && tide_check_interrupt())
            return false;
        for (int d = index->ndim - 2; d >= 0; d--) {
            at += index->stride[d];
            if (++count[d] < index->shape[d])
                break;
            at -= count[d] * index->stride[d];
            count[d] = 0;
        }
    }
    return true;
}

/* The same by ops, for tensors whose elements are not in host memory. */
static Tensor *device_offsets(Tensor *sum, Tensor *index, int64_t size, int64_t stride, int number)
{
    int64_t bad = 0;
    if (size == 0 && index->numel > 0)
        return tide_fail("IndexError", "index is out of bounds for dimension with size 0");
    if (!all_within(index, -size, size, &bad))
        return tide_fail("IndexError", "index %lld is out of bounds for dimension %d with size %lld",
                         (long long)bad, number, (long long)size);
    Tensor *zero = tensor_integer(0), *length = tensor_integer(size), *step = tensor_integer(stride);
    Tensor *wrapped = op_where(op_lt(index, zero), op_add(index, length), index);
    return op_add(sum, op_mul(wrapped, step));
}

static bool find_offsets(Plan *plan, Tensor *x)
{
    int64_t count = 1;
    for (int i = 0; i < plan->broadcast.n; i++)
        count *= plan->broadcast.v[i];
    Tensor *sum = tensor_zeros(&plan->broadcast, DT_I64, x->device);
    int number = 0;
    for (int d = 0; d < x->ndim; d++) {
        if (!plan->index[d])
            continue;
        Tensor *index = plan->index[d];
        if (index->device.type == DEVICE_CPU && x->device.type != DEVICE_CPU)
            index = tensor_to(index, DT_I64, x->device, false);
        index = index ? broadcast_plain(index, &plan->broadcast) : NULL;
        if (!index || !sum || !check_same_device((Tensor *[]){x, index}, 2))
            return false;
        if (x->device.type == DEVICE_CPU) {
            if (!add_offsets(tensor_data(sum), index, x->shape[d], x->stride[d], number))
                return false;
        } else {
            sum = device_offsets(sum, index, x->shape[d], x->stride[d], number);
        }
        number++;
    }
    plan->offsets = restrided(sum, 1, &count, (int64_t[]){1});
    return plan->offsets != NULL;
}

/* Indices are read when elements are: where there are none any number will do, unless an indexed dim itself is empty. */
static bool check_empty(const Plan *plan, const Tensor *x)
{
    int64_t picks = 1;
    bool empty = false;
    for (int d = 0; d < x->ndim; d++)
        empty |= plan->index[d] && x->shape[d] == 0;
    for (int i = 0; i < plan->broadcast.n; i++)
        picks *= plan->broadcast.v[i];
    return !empty || picks == 0 ||
           tide_refuse("IndexError", "index is out of bounds for dimension with size 0");
}

/* The plan without its offsets: what the shapes alone decide. */
static bool plan_shapes(Plan *plan, Tensor *x, const TensorList *indices)
{
    memset(plan, 0, sizeof *plan);
    return collect_indices(plan, x, indices) && broadcast_indices(plan, x->ndim) && shape_result(plan, x) &&
           check_empty(plan, x);
}

/* Completes the plan; x[indices] has elements. */
static bool plan_elements(Plan *plan, Tensor *x)
{
    if (!find_offsets(plan, x))
        return false;
    int64_t shape[TIDE_MAXDIM], stride[TIDE_MAXDIM];
    int n = 0;
    for (int d = 0; d < x->ndim; d++)
        if (!plan->index[d]) {
            shape[n] = x->shape[d];
            stride[n++] = x->stride[d];
        }
    plan->rest = restrided(x, n, shape, stride);
    return plan->rest != NULL;
}

static int64_t planned_count(const Plan *plan)
{
    int64_t n = 1;
    for (int i = 0; i < plan->result.n; i++)
        n *= plan->result.v[i];
    return n;
}

/* t, of the result's shape, with the index dims made one and moved first: (offsets, …rest). They are dense
 * in t. */
static Tensor *slices_first(Tensor *t, const Plan *plan)
{
    int64_t shape[TIDE_MAXDIM + 1], stride[TIDE_MAXDIM + 1], count = plan->offsets->shape[0], step = 1;
    int n = 1, nb = plan->broadcast.n;
    if (nb > 0)
        step = t->stride[plan->at + nb - 1];
    for (int i = plan->at + nb - 1; nb > 1 && i >= plan->at; i--)
        if (t->shape[i] > 1) {
            step = t->stride[i];
            break;
        }
    shape[0] = count;
    stride[0] = step;
    for (int d = 0; d < t->ndim; d++)
        if (d < plan->at || d >= plan->at + nb) {
            shape[n] = t->shape[d];
            stride[n++] = t->stride[d];
        }
    if (n > TIDE_MAXDIM)
        return tide_fail("IndexError", "index: too many dimensions");
    return restrided(t, n, shape, stride);
}

/* Whether dims from … from+n-1 of t step like one dim. */
static bool steps_as_one(const Tensor *t, int from, int n)
{
    int64_t want = -1;
    for (int d = from + n - 1; d >= from; d--) {
        if (t->shape[d] == 1)
            continue;
        if (want >= 0 && t->stride[d] != want)
            return false;
        want = t->stride[d] * t->shape[d];
    }
    return true;
}

Tensor *forward_index(Tensor *x, const TensorList *indices)
{
    Plan plan;
    bool given = false;
    for (int i = 0; i < indices->n; i++)
        given |= indices->v[i] != NULL;
    if (indices->n == 0)
        return tide_fail("IndexError", "at least one index must be provided");
    if (!given)
        return op_clone(x);
    if (!plan_shapes(&plan, x, indices))
        return NULL;
    Tensor *out = result_new(&plan.result, (DType)x->dtype, x->device);
    if (!out || out->numel == 0)
        return out;
    if (!plan_elements(&plan, x))
        return NULL;
    return take_slices(plan.rest, plan.offsets, slices_first(out, &plan)) ? out : NULL;
}

static bool check_values(const Tensor *values, const Plan *plan)
{
    char have[256], want[256];
    bool fits = true;
    int skip = values->ndim - plan->result.n;
    for (int d = 0; skip <= 0 && d < values->ndim; d++)
        fits &= values->shape[d] == 1 || values->shape[d] == plan->result.v[d - skip];
    return (fits && skip <= 0) ||
           tide_refuse(
               "RuntimeError",
               "shape mismatch: value tensor of shape %s cannot be broadcast to indexing result of shape %s",
               format_dims(have, sizeof have, values->ndim, values->shape),
               format_dims(want, sizeof want, plan->result.n, plan->result.v));
}

/* values, which fit, stretched to the shape of x[indices]. */
static Tensor *fitted_values(Tensor *values, const Plan *plan)
{
    values = broadcast_plain(values, &plan->result);
    if (values && !steps_as_one(values, plan->at, plan->broadcast.n))
        values = contiguous_plain(values);
    return values ? slices_first(values, plan) : NULL;
}

/* One value where one mask is true is a masked fill, which takes a value of any dtype. */
static bool fills_a_mask(const TensorList *indices, const Tensor *values, bool accumulate)
{
    int given = 0, masks = 0;
    for (int i = 0; i < indices->n; i++) {
        const Tensor *t = indices->v[i];
        given += t != NULL;
        masks += t && (t->dtype == DT_BOOL || t->dtype == DT_U8);
    }
    return given == 1 && masks == 1 && values->numel == 1 && !accumulate;
}

Tensor *forward_index_put(Tensor *x, const TensorList *indices, Tensor *values, bool accumulate)
{
    Plan plan;
    if (!plan_shapes(&plan, x, indices) || !check_values(values, &plan))
        return NULL;
    if (values->dtype != x->dtype && !values->is_number && !fills_a_mask(indices, values, accumulate))
        return tide_fail("RuntimeError",
                         "Index put requires the source and destination dtypes match, got %s for the "
                         "destination and %s for the source.",
                         cname(x), cname(values));
    if (values->dtype != x->dtype)
        values = converted_plain(values, (DType)x->dtype);
    if (values && values->device.type != x->device.type && values->ndim == 0)
        values = tensor_to(values, (DType)x->dtype, x->device, false);
    if (!values || !check_same_device((Tensor *[]){x, values}, 2))
        return NULL;
    if (planned_count(&plan) == 0)
        return x;
    if (!plan_elements(&plan, x))
        return NULL;
    if (tensor_shares_memory(values, x))
        values = tensor_to(values, (DType)values->dtype, values->device, true);
    Tensor *slices = values ? fitted_values(values, &plan) : NULL;
    return put_slices(plan.rest, plan.offsets, slices, accumulate) ? x : NULL;
}

Tensor *forward_index_backward(Tensor *g1, Tensor *like, const TensorList *indices)
{
    Tensor *zeros = zeros_shaped(like, g1);
    return zeros ? forward_index_put(zeros, indices, g1, true) : NULL;
}

/* ---- along one dim, by a vector of indices ---- */

static bool check_vector(const Tensor *index, const char *who)
{
    if (index->ndim > 1)
        return tide_refuse("IndexError", "%s(): Index is supposed to be a vector", who);
    return true;
}

/* The plan of x[:, …, index] with index at dim. */
static bool plan_along(Plan *plan, Tensor *x, int64_t dim, Tensor *index)
{
    Tensor *entries[TIDE_MAXDIM] = {NULL};
    Tensor *vector = restrided(x, 1, (int64_t[]){1}, (int64_t[]){1});
    if (x->ndim == 0 && !(x = vector))
        return false;
    entries[dim] = index->ndim == 0 ? restrided(index, 1, (int64_t[]){1}, (int64_t[]){1}) : index;
    return entries[dim] && plan_shapes(plan, x, &(TensorList){(int)dim + 1, entries}) && plan_elements(plan, x);
}

static int64_t size_along(const Tensor *x, int64_t dim)
{
    return x->ndim ? x->shape[dim] : 1;
}

/* The three words of PyTorch's three ways through index_select. */
static Tensor *no_such_slice(const Tensor *x, int64_t dim, int64_t i)
{
    if (x->ndim > 1 && x->numel == 0 && x->shape[dim] == 0)
        return tide_fail("RuntimeError", "index_select(): self indexing axis dim should be positive");
    if (x->ndim > 1 && (x->numel == 0 || dim == 1))
        return tide_fail("RuntimeError", "INDICES element is out of DATA bounds, id=%lld axis_dim=%lld",
                         (long long)i, (long long)x->shape[dim]);
    return tide_fail("IndexError", "index out of range in self");
}

Tensor *forward_index_select(Tensor *x, int64_t dim, Tensor *index)
{
    Plan plan;
    if (!check_vector(index, "index_select"))
        return NULL;
    if (index->dtype != DT_I64 && index->dtype != DT_I32)
        return tide_fail("RuntimeError", "index_select(): Expected dtype int32 or int64 for index");
    if (!wrap_dim(&dim, x->ndim) || !check_same_device((Tensor *[]){x, index}, 2))
        return NULL;
    if (x->ndim == 0 && index->numel != 1)
        return tide_fail("RuntimeError",
                         "index_select(): Index to scalar can have only 1 value, got %lld value(s)",
                         (long long)index->numel);
    index = as_int64(index);
    int64_t bad;
    if (!index)
        return NULL;
    if (!all_within(index, 0, size_along(x, dim), &bad))
        return tide_failed() ? NULL : no_such_slice(x, dim, bad);
    Dims shape = tensor_dims(x);
    if (x->ndim > 0)
        shape.v[dim] = index->numel;
    Tensor *out = result_new(&shape, (DType)x->dtype, x->device);
    if (!out || out->numel == 0)
        return out;
    if (x->ndim == 0)
        return copy_plain(out, x) ? out : NULL;
    if (!plan_along(&plan, x, dim, index))
        return NULL;
    return take_slices(plan.rest, plan.offsets, slices_first(out, &plan)) ? out : NULL;
}

/* Writes source's slices into x's at index along dim. Checks are done; index is int64. */
static bool put_along(Tensor *x, int64_t dim, Tensor *index, Tensor *source, bool accumulate)
{
    Plan plan;
    if (source->numel == 0)
        return true;
    if (tensor_shares_memory(source, x))
        source = tensor_to(source, (DType)source->dtype, source->device, true);
    if (!source || !plan_along(&plan, x, dim, index))
        return false;
    Tensor *slices = fitted_values(source, &plan);
    return put_slices(plan.rest, plan.offsets, slices, accumulate);
}

Tensor *forward_index_select_backward(Tensor *g1, Tensor *like, int64_t dim, Tensor *index)
{
    Tensor *zeros = zeros_shaped(like, g1);
    index = as_int64(index);
    if (!zeros || !index || !wrap_dim(&dim, like->ndim))
        return NULL;
    return put_along(zeros, dim, index, g1, true) ? zeros : NULL;
}

/* x with source added along dim, summed in float32 and rounded once: as PyTorch, where it adds by scattering. */
static Tensor *add_widely(Tensor *x, int64_t dim, Tensor *index, Tensor *source)
{
    Tensor *wide = converted_plain(x, DT_F32);
    source = converted_plain(source, DT_F32);
    return wide && source && put_along(wide, dim, index, source, true) && copy_plain(x, wide) ? x : NULL;
}

Tensor *forward_index_add(Tensor *x, int64_t dim, Tensor *index, Tensor *source, double alpha)
{
    char have[256], want[256];
    if (!wrap_dim(&dim, x->ndim) || !check_same_device((Tensor *[]){x, index, source}, 3))
        return NULL;
    if (index->ndim > 1)
        return tide_fail(
            "IndexError",
            "index_add_(): Index is supposed to be a vector, but got dim: %d with type: %s and size: %s",
            index->ndim, cname(index), format_dims(have, sizeof have, index->ndim, index->shape));
    if (index->dtype != DT_I64 && index->dtype != DT_I32)
        return tide_fail("RuntimeError", "index_add_(): Expected dtype int32/int64 for index but got: %s",
                         cname(index));
    if (x->dtype != source->dtype)
        return tide_fail("RuntimeError",
                         "index_add_(): self (%s) and source (%s) must have the same scalar type", cname(x),
                         cname(source));
    if (source->ndim == 0 && index->numel != 1)
        return no_such_dim(dim);
    if (index->numel != size_along(source, dim < source->ndim ? dim : 0))
        return tide_fail("RuntimeError",
                         "index_add_(): Number of indices (%lld) should be equal to source.size(dim): "
                         "(%lld), for dim: %lld",
                         (long long)index->numel, (long long)size_along(source, dim < source->ndim ? dim : 0),
                         (long long)dim);
    bool same = source->ndim == x->ndim;
    for (int d = 0; same && d < x->ndim; d++)
        same = d == dim || x->shape[d] == source->shape[d];
    if (!same)
        return tide_fail("RuntimeError",
                         "source tensor shape must match self tensor shape, excluding the specified "
                         "dimension. Got self.shape = %s source.shape = %s",
                         format_dims(want, sizeof want, x->ndim, x->shape),
                         format_dims(have, sizeof have, source->ndim, source->shape));
    bool long_index = index->dtype == DT_I64;
    index = as_int64(index);
    int64_t bad = 0, n = size_along(x, dim);
    bool scatters = x->ndim > 1 && (dim == 0 || dim == x->ndim - 1) && alpha == 1 && long_index;
    if (!index)
        return NULL;
    if (x->numel == 0 && x->ndim > 1)
        return x;
    if (!all_within(index, 0, n, &bad)) {
        if (tide_failed())
            return NULL;
        return scatters ? tide_fail("RuntimeError", "index %lld is out of bounds for dimension %lld with size %lld",
                                    (long long)bad, (long long)dim, (long long)n)
                        : tide_fail("IndexError", "index out of range in self");
    }
    if (scatters && dtype_is_float((DType)x->dtype) && dtype_size((DType)x->dtype) == 2)
        return add_widely(x, dim, index, source);
    if (alpha != 1)
        source = converted_plain(op_mul(source, tensor_number(alpha)), (DType)x->dtype);
    return source && put_along(x, dim, index, source, true) ? x : NULL;
}

Tensor *forward_index_copy(Tensor *x, int64_t dim, Tensor *index, Tensor *source)
{
    if (!wrap_dim(&dim, x->ndim) || !check_same_device((Tensor *[]){x, index, source}, 3))
        return NULL;
    if (index->ndim > 1)
        return tide_fail("IndexError", "index_copy_(): Index should have dimension 1 or 0 (got %d)",
                         index->ndim);
    if (x->dtype != source->dtype)
        return tide_fail("RuntimeError",
                         "index_copy_(): self and source expected to have the same dtype, but got (self) %s "
                         "and (source) %s",
                         cname(x), cname(source));
    if (source->ndim == 0 && index->numel != 1)
        return tide_fail("IndexError",
                         "index_copy_(): When source is scalar, index should have one element (got %lld)",
                         (long long)index->numel);
    if (index->dtype != DT_I64)
        return tide_fail("RuntimeError", "index_copy_(): Expected a long tensor for index, but got %s",
                         cname(index));
    if (source->ndim != x->ndim && source->ndim && x->ndim)
        return tide_fail("IndexError",
                         "index_copy_(): When source and destination are not scalars, their dimensionality "
                         "must match. Source dimensionality (%d), destination dimensionality (%d)",
                         source->ndim, x->ndim);
    for (int d = 0; d < x->ndim && source->ndim; d++)
        if (d != dim && x->shape[d] != source->shape[d])
            return tide_fail(
                "RuntimeError",
                "index_copy_(): Source/destination tensor must have same slice shapes. Destination slice "
                "shape: %lld at dimension %lld and source slice shape: %lld at dimension 0.",
                (long long)x->shape[d], (long long)dim, (long long)source->shape[d]);
    if (source->ndim && index->numel != source->shape[dim])
        return tide_fail("IndexError",
                         "index_copy_(): Number of indices (%lld) should be equal to source.size(dim) (%lld)",
                         (long long)index->numel, (long long)source->shape[dim]);
    int64_t bad = 0, n = size_along(x, dim);
    if (source->numel > 0 && !all_within(index, 0, n, &bad))
        return tide_failed() ? NULL : tide_fail("IndexError",
                         "index_copy_(): index %lld is out of bounds for dimension %lld with size %lld",
                         (long long)bad, (long long)dim, (long long)n);
    return put_along(x, dim, index, source, false) ? x : NULL;
}

Tensor *forward_index_fill(Tensor *x, int64_t dim, Tensor *index, Tensor *value)
{
    if (value->ndim != 0)
        return tide_fail(
            "RuntimeError",
            "index_fill_ only supports a 0-dimensional value tensor, but got tensor with %d dimension(s).",
            value->ndim);
    if (!wrap_dim(&dim, x->ndim))
        return NULL;
    if (index->dtype != DT_I64)
        return tide_fail("IndexError", "index_fill_(): Expected dtype int64 for index.");
    if (index->ndim > 1)
        return tide_fail("IndexError", "index_fill_(): Index has to be a vector/scalar");
    value = value->is_number ? number_as(value, (DType)x->dtype, x->device)
                             : tensor_to(value, (DType)x->dtype, x->device, false);
    int64_t bad = 0, n = size_along(x, dim);
    if (x->numel > 0 && !all_within(index, -n, n, &bad))
        return tide_failed() ? NULL : tide_fail("IndexError", "index %lld is out of bounds for dimension %lld with size %lld",
                         (long long)bad, (long long)dim, (long long)n);
    return value && (x->numel == 0 || put_along(x, dim, index, value, false)) ? x : NULL;
}

/* ---- elements by number ---- */

/* Offsets into x, in elements, of the elements whose row-major numbers index holds: int64, one dim. */
static Tensor *numbered(Tensor *x, Tensor *index)
{
    if (index->dtype != DT_I64)
        return tide_fail("RuntimeError", "take(): Expected a long tensor for index, but got %s",
                         cname(index));
    if (x->numel == 0 && index->numel > 0)
        return tide_fail("IndexError", "take(): tried to take from an empty tensor");
    Tensor *flat = contiguous_plain(index);
    if (!flat)
        return NULL;
    int64_t bad = 0;
    if (!all_within(flat, -x->numel, x->numel, &bad))
        return tide_fail("IndexError",
                         "out of range: tried to access index %lld on a tensor of %lld elements.",
                         (long long)bad, (long long)x->numel);
    flat = op_where(op_lt(flat, tensor_integer(0)), op_add(flat, tensor_integer(x->numel)), flat);
    return flat ? restrided(flat, 1, &index->numel, (int64_t[]){1}) : NULL;
}

Tensor *forward_take(Tensor *x, Tensor *index)
{
    if (!check_same_device((Tensor *[]){x, index}, 2))
        return NULL;
    Dims shape = tensor_dims(index);
    Tensor *offsets = numbered(x, index), *dense = contiguous_plain(x);
    Tensor *out = result_new(&shape, (DType)x->dtype, x->device);
    if (!offsets || !dense || !out || out->numel == 0)
        return offsets && dense ? out : NULL;
    Tensor *element = restrided(dense, 0, NULL, NULL), *line = restrided(out, 1, &out->numel, (int64_t[]){1});
    return take_slices(element, offsets, line) ? out : NULL;
}

Tensor *forward_take_backward(Tensor *g1, Tensor *like, Tensor *index)
{
    Tensor *zeros = zeros_shaped(like, g1), *values = contiguous_plain(g1);
    if (!zeros || !values)
        return NULL;
    Tensor *offsets = numbered(zeros, index), *element = restrided(zeros, 0, NULL, NULL);
    Tensor *line = restrided(values, 1, &values->numel, (int64_t[]){1});
    return put_slices(element, offsets, line, true) ? zeros : NULL;
}

Tensor *forward_take_along_dim(Tensor *x, Tensor *indices, const Dims *dim)
{
    if (indices->dtype != DT_I64)
        return tide_fail("RuntimeError", "torch.take_along_dim(): dtype of indices should be Long but got %s",
                         cname(indices));
    if (!dim)
        return op_gather(op_reshape(x, DIMS(-1)), 0, op_reshape(indices, DIMS(indices->numel)));
    if (x->ndim != indices->ndim)
        return tide_fail("RuntimeError",
                         "torch.take_along_dim(): input and indices should have the same number of "
                         "dimensions, but got %d dimensions for input, and %d dimensions for indices",
                         x->ndim, indices->ndim);
    int64_t at = dim->n ? dim->v[0] : 0;
    if (!wrap_dim(&at, x->ndim))
        return NULL;
    if (x->ndim == 0)
        return no_such_dim(at);
    Dims a = tensor_dims(x), b = tensor_dims(indices), both;
    if (a.n)
        a.v[at] = b.v[at] = 1;
    if (!broadcast_shapes(&a, &b, &both))
        return NULL;
    Dims wide = both, picked = both;
    if (a.n)
        wide.v[at] = x->shape[at], picked.v[at] = indices->shape[at];
    if (indices->numel > 0)
        indices = op_remainder(indices, tensor_integer(x->ndim ? x->shape[at] : 1));
    return op_gather(op_expand(x, &wide), at, op_expand(indices, &picked));
}

/* ---- embedding ---- */

Tensor *forward_embedding(Tensor *x, Tensor *weight, int64_t padding_idx)
{
    (void)padding_idx;
    if (weight->ndim != 2)
        return tide_fail("RuntimeError", "'weight' must be 2-D");
    if (x->dtype != DT_I64 && x->dtype != DT_I32)
        return tide_fail(
            "RuntimeError",
            "Expected tensor for argument #1 'indices' to have one of the following scalar types: Long, Int; "
            "but got torch.%sTensor instead (while checking arguments for embedding)",
            cname(x));
    Tensor *index = as_int64(x);
    Tensor *flat = contiguous_plain(index);
    if (!flat)
        return NULL;
    flat = restrided(flat, 1, &x->numel, (int64_t[]){1});
    int64_t bad;
    if (!flat)
        return NULL;
    if (!all_within(flat, 0, weight->shape[0], &bad))
        return tide_fail("IndexError", "index out of range in self");
    return forward_index(weight, &(TensorList){1, &index});
}

/* Gradients of the rows at padding_idx are left out. */
Tensor *forward_embedding_backward(Tensor *g1, Tensor *like, Tensor *index, int64_t padding_idx)
{
    Tensor *weights = g1;
    if (padding_idx >= 0) {
        Tensor *keep = op_unsqueeze(op_ne(index, tensor_integer(padding_idx)), -1);
        weights = op_where(keep, g1, tensor_number(0));
    }
    return weights ? forward_index_backward(weights, like, &(TensorList){1, &index}) : NULL;
}

Tensor *forward_embedding_double_backward(Tensor *g1, Tensor *index, int64_t padding_idx)
{
    Tensor *rows = op_embedding(index, g1, padding_idx);
    if (padding_idx < 0)
        return rows;
    return op_where(op_unsqueeze(op_ne(index, tensor_integer(padding_idx)), -1), rows, tensor_number(0));
}
