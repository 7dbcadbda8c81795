/* replace_ops.c - forwards of copies with a part replaced: by views, element numbers, slices. */
#include "engine/structural.h"

/* ---- the part is a view ---- */

/* x, the caller's copy, with its view `part` overwritten by src. */
static Tensor *replaced(Tensor *x, Tensor *part, Tensor *src)
{
    char have[256], want[256];
    if (!part) return NULL;
    if (!tensor_same_shape(part, src))
        return tide_fail(
            "RuntimeError",
            "expected src to have a size equal to the slice of self. src size = %s, slice size = %s",
            format_dims(have, sizeof have, src->ndim, src->shape),
            format_dims(want, sizeof want, part->ndim, part->shape));
    return copy_plain(part, src) ? x : NULL;
}

Tensor *forward_slice_scatter(Tensor *x, Tensor *src, int64_t dim, int64_t start, int64_t end, int64_t step)
{
    return replaced(x, op_slice(x, dim, start, end, step), src);
}

Tensor *forward_select_scatter(Tensor *x, Tensor *src, int64_t dim, int64_t index)
{
    return replaced(x, op_select(x, dim, index), src);
}

Tensor *forward_diagonal_scatter(Tensor *x, Tensor *src, int64_t offset, int64_t dim1, int64_t dim2)
{
    return replaced(x, op_diagonal(x, offset, dim1, dim2), src);
}

Tensor *forward_as_strided_scatter(Tensor *x, Tensor *src, const Dims *size, const Dims *stride,
                                   int64_t storage_offset)
{
    return replaced(x, op_as_strided(x, size, stride, storage_offset), src);
}

Tensor *forward_narrow_copy(Tensor *x, int64_t dim, int64_t start, int64_t length)
{
    int64_t at = dim;
    if (x->ndim > 0 && wrap_dim(&at, x->ndim) && start <= x->shape[at] && start >= -x->shape[at]) {
        int64_t from = start < 0 ? start + x->shape[at] : start;
        if (length < 0 || from + length > x->shape[at])
            return tide_fail("RuntimeError", "start (%lld) + length (%lld) exceeds dimension size (%lld).",
                             (long long)from, (long long)length, (long long)x->shape[at]);
    }
    return op_clone(op_narrow(x, dim, start, length));
}

/* ---- the part is given by element numbers ---- */

static bool check_put(const Tensor *x, const Tensor *index, const Tensor *source)
{
    if (index->dtype != DT_I64)
        return tide_refuse("RuntimeError", "put_(): Expected a long tensor for index, but got %s",
                           cname(index));
    if (x->dtype != source->dtype)
        return tide_refuse("RuntimeError",
                           "put_(): self and source expected to have the same dtype, but got self.dtype = %s "
                           "and source.dtype = %s",
                           cname(x), cname(source));
    if (index->numel != source->numel)
        return tide_refuse("IndexError",
                           "put_(): Expected source and index to have the same number of elements, but got "
                           "source.numel() = %lld, index.numel() = %lld",
                           (long long)source->numel, (long long)index->numel);
    return (x->numel > 0 || index->numel == 0) ||
           tide_refuse("IndexError", "put_(): Tried to put elements into an empty tensor");
}

Tensor *forward_put(Tensor *x, Tensor *index, Tensor *source, bool accumulate)
{
    int64_t outside = 0;
    if (!check_same_device((Tensor *[]){x, index, source}, 3) || !check_put(x, index, source)) return NULL;
    if (index->numel == 0) return x;
    if (!all_within(index, -x->numel, x->numel, &outside))
        return tide_fail("IndexError",
                         "out of range: tried to access index %lld on a tensor of %lld elements.",
                         (long long)outside, (long long)x->numel);
    Dims shape = tensor_dims(x);
    Tensor *flat = op_reshape(x, DIMS(-1)); /* a view of x where its geometry allows one */
    Tensor *at = op_reshape(index, DIMS(-1));
    flat = op_index_put(flat, &(TensorList){1, &at}, op_reshape(source, DIMS(-1)), accumulate);
    return flat && copy_plain(x, op_view(flat, &shape)) ? x : NULL;
}

/* ---- slices reduced into slices ---- */

static bool check_index_reduce(const Tensor *x, int64_t dim, const Tensor *index, const Tensor *source)
{
    char have[256], want[256];
    if (index->dtype != DT_I64 && index->dtype != DT_I32)
        return tide_refuse("RuntimeError",
                           "index_reduce_(): Expected dtype int32/int64 for index but got: %s", cname(index));
    if (x->dtype != source->dtype)
        return tide_refuse("RuntimeError",
                           "index_reduce_(): self (%s) and source (%s) must have the same scalar type",
                           cname(x), cname(source));
    if (index->ndim > 1)
        return tide_refuse("IndexError",
                           "index_reduce_(): Index is supposed to be a vector, but got dim: %d with type: %s "
                           "and size: %s",
                           index->ndim, cname(index),
                           format_dims(have, sizeof have, index->ndim, index->shape));
    int64_t slices = source->ndim > dim ? source->shape[dim] : 1;
    if (index->numel != slices && source->ndim == 0)
        return tide_refuse("IndexError", "Dimension specified as %lld but tensor has no dimensions", (long long)dim);
    if (index->numel != slices)
        return tide_refuse("RuntimeError",
                           "index_reduce_(): Number of indices (%lld) should be equal to source.size(dim): "
                           "(%lld), for dim: %lld",
                           (long long)index->numel, (long long)slices, (long long)dim);
    bool fits = x->ndim == source->ndim;
    for (int d = 0; fits && d < x->ndim; d++) fits = d == dim || x->shape[d] == source->shape[d];
    return fits || tide_refuse("RuntimeError",
                               "source tensor shape must match self tensor shape, excluding the specified "
                               "dimension. Got self.shape = %s source.shape = %s",
                               format_dims(want, sizeof want, x->ndim, x->shape),
                               format_dims(have, sizeof have, source->ndim, source->shape));
}

/* The index of slices as an index of elements: source's shape, the same number all over a slice. */
static Tensor *slice_index(Tensor *index, int64_t dim, const Tensor *source)
{
    Dims shape = tensor_dims(source), line = {.n = source->ndim};
    for (int d = 0; d < line.n; d++) line.v[d] = d == dim ? index->numel : 1;
    Tensor *flat = op_reshape(as_int64(index), &line);
    return flat ? op_expand(flat, &shape) : NULL;
}

Tensor *forward_index_reduce(Tensor *x, int64_t dim, Tensor *index, Tensor *source, int64_t reduce,
                             bool include_self)
{
    int64_t outside = 0;
    if (!wrap_dim(&dim, x->ndim) || !check_same_device((Tensor *[]){x, index, source}, 3) ||
        !check_index_reduce(x, dim, index, source))
        return NULL;
    if (x->dtype == DT_BOOL && (!include_self || x->ndim < 2))
        return tide_fail("NotImplementedError", "\"%s\" not implemented for 'Bool'",
                         include_self ? "index_func_" : "index_reduce_func_exclude_input_init");
    if (x->ndim > 1 && index->numel == 0)
        return x;
    char shape[256];
    if (x->ndim > 1 && x->shape[dim] == 0 && index->numel > 0)
        return tide_fail("IndexError", "select(): index 0 out of range for tensor of size %s at dimension %lld",
                         format_dims(shape, sizeof shape, x->ndim, x->shape), (long long)dim);
    Tensor *at = slice_index(index, dim, source);
    if (!at) return NULL;
    int64_t size = x->ndim ? x->shape[dim] : 1;
    if (!all_within(as_int64(index), 0, size, &outside))
        return tide_failed() ? NULL
               : include_self || x->numel == 0
                   ? tide_fail("IndexError", "index out of range in self")
                   : tide_fail("IndexError", "index %lld is out of bounds for dimension %lld with size %lld",
                               (long long)outside, (long long)dim, (long long)size);
    if (x->dtype == DT_BOOL && reduce == 2)
        return tide_fail("NotImplementedError", "\"div_floor_cpu\" not implemented for 'Bool'");
    return scatter_reduced(x, dim, at, source, reduce, include_self, false);
}

/* For source when reduce is given as -1 - reduce. */
Tensor *forward_index_reduce_backward(Tensor *g1, Tensor *x, int64_t dim, Tensor *index, Tensor *source,
                                      int64_t reduce, bool include_self, Tensor *result)
{
    if (!wrap_dim(&dim, x->ndim)) return NULL;
    Tensor *at = slice_index(index, dim, source);
    return at ? op_scatter_reduce_backward(g1, x, dim, at, source, reduce, include_self, result) : NULL;
}
