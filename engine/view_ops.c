/* view_ops.c - the VIEW rows: other geometry on the same storage, and compositions that are views where possible. */
#include "engine/structural.h"

#include <string.h>

/* ---- sizes ---- */

/* Fills in a -1 of `size` for a tensor of numel elements. */
static bool infer_size(const Dims *size, int64_t numel, Dims *out)
{
    char text[256];
    int unknown = -1;
    int64_t product = 1;
    *out = *size;
    if (size->n > TIDE_MAXDIM)
        return tide_refuse("RuntimeError", "tensors have at most %d dims, but %d were asked for", TIDE_MAXDIM,
                           size->n);
    for (int i = 0; i < size->n; i++) {
        if (size->v[i] == -1) {
            if (unknown >= 0) return tide_refuse("RuntimeError", "only one dimension can be inferred");
            unknown = i;
        } else if (size->v[i] < 0) {
            return tide_refuse("RuntimeError", "invalid shape dimension %lld at index %d of shape %s",
                               (long long)size->v[i], i, format_dims(text, sizeof text, size->n, size->v));
        } else if (__builtin_mul_overflow(product, size->v[i], &product)) {
            return tide_refuse("RuntimeError", "numel: integer multiplication overflow");
        }
    }
    if (unknown >= 0 && product == 0 && numel == 0)
        return tide_refuse(
            "RuntimeError",
            "cannot reshape tensor of 0 elements into shape %s because the unspecified dimension size "
            "-1 can be any value and is ambiguous",
            format_dims(text, sizeof text, size->n, size->v));
    bool fits = unknown >= 0 ? product > 0 && numel % product == 0 : product == numel;
    if (!fits)
        return tide_refuse("RuntimeError", "shape '%s' is invalid for input of size %lld",
                           format_dims(text, sizeof text, size->n, size->v), (long long)numel);
    if (unknown >= 0) out->v[unknown] = numel / product;
    return true;
}

/* Strides that show x's elements in `shape` without moving them; false when there are none. Works through maximal runs
 * of x's dims that are contiguous among themselves, as PyTorch's view rule says. */
static bool view_strides(const Tensor *x, const Dims *shape, int64_t *stride)
{
    if (x->numel == 0) {
        dims_contiguous_strides(shape, stride);
        return true;
    }
    int at = shape->n - 1;
    int64_t base = x->ndim ? x->stride[x->ndim - 1] : 1, run = 1, seen = 1;
    for (int d = x->ndim - 1; d >= 0; d--) {
        run *= x->shape[d];
        bool ends = d == 0 || (x->shape[d - 1] != 1 && x->stride[d - 1] != run * base);
        if (!ends) continue;
        while (at >= 0 && (seen < run || shape->v[at] == 1)) {
            stride[at] = seen * base;
            seen *= shape->v[at--];
        }
        if (seen != run) return false;
        if (d > 0) {
            base = x->stride[d - 1];
            run = seen = 1;
        }
    }
    for (; at >= 0; at--) stride[at] = base; /* x is 0-dim: only sizes of 1 are left */
    return true;
}

static Tensor *with_geometry(Tensor *x, const Dims *shape, const int64_t *stride)
{
    Tensor *v = view_new(x);
    if (!v) return NULL;
    v->is_number = false;
    v->ndim = (uint8_t)shape->n;
    memcpy(v->shape, shape->v, (size_t)shape->n * sizeof v->shape[0]);
    memcpy(v->stride, stride, (size_t)shape->n * sizeof v->stride[0]);
    return tensor_finish_geometry(v) ? v : NULL;
}

Tensor *forward_view(Tensor *x, const Dims *size)
{
    Dims shape;
    int64_t stride[TIDE_MAXDIM];
    if (!infer_size(size, x->numel, &shape)) return NULL;
    if (!view_strides(x, &shape, stride))
        return tide_fail(
            "RuntimeError",
            "view size is not compatible with input tensor's size and stride (at least one dimension "
            "spans across two contiguous subspaces). Use .reshape(...) instead.");
    return with_geometry(x, &shape, stride);
}

/* Whether x's lines of elements divide into (or join to) elements of the size of dtype; else PyTorch's error. */
static bool check_resizable(const Tensor *x, DType dtype, int64_t ratio)
{
    const char *from = dtype_info[x->dtype].cname, *to = dtype_info[dtype].cname;
    int last = x->ndim - 1;
    if (x->ndim == 0)
        return tide_refuse("RuntimeError",
                           "self.dim() cannot be 0 to view %s as %s (different element sizes)", from, to);
    if (ratio > 1 && x->shape[last] % ratio)
        return tide_refuse("RuntimeError",
                           "self.size(-1) must be divisible by %lld to view %s as %s (different element "
                           "sizes), but got %lld",
                           (long long)ratio, from, to, (long long)x->shape[last]);
    if (ratio > 1 && x->offset % ratio)
        return tide_refuse("RuntimeError",
                           "self.storage_offset() must be divisible by %lld to view %s as %s (different "
                           "element sizes), but got %lld",
                           (long long)ratio, from, to, (long long)x->offset);
    for (int d = 0; d < last && ratio > 1; d++)
        if (x->stride[d] % ratio)
            return tide_refuse(
                "RuntimeError",
                "self.stride(%d) must be divisible by %lld to view %s as %s (different element "
                "sizes), but got %lld",
                d, (long long)ratio, from, to, (long long)x->stride[d]);
    return x->stride[last] == 1 ||
           tide_refuse("RuntimeError",
                       "self.stride(-1) must be 1 to view %s as %s (different element sizes), but got %lld",
                       from, to, (long long)x->stride[last]);
}

Tensor *forward_view_dtype(Tensor *x, DType dtype)
{
    int64_t had = (int64_t)dtype_size((DType)x->dtype), wants = (int64_t)dtype_size(dtype);
    if (had != wants && !check_resizable(x, dtype, wants / had)) return NULL;
    Tensor *v = view_new(x);
    if (!v) return NULL;
    v->is_number = false;
    v->dtype = dtype;
    if (had != wants) {
        v->shape[v->ndim - 1] = v->shape[v->ndim - 1] * had / wants;
        v->offset = v->offset * had / wants;
        for (int d = 0; d < v->ndim - 1; d++) v->stride[d] = v->stride[d] * had / wants;
    }
    return tensor_finish_geometry(v) ? v : NULL;
}

Tensor *forward_unsafe_view(Tensor *x, const Dims *size) { return forward_view(x, size); }

Tensor *forward_alias(Tensor *x)
{
    Tensor *v = view_new(x);
    if (v) v->is_number = false;
    return v;
}

Tensor *forward_reshape(Tensor *x, const Dims *shape)
{
    Dims size;
    int64_t stride[TIDE_MAXDIM];
    if (!infer_size(shape, x->numel, &size)) return NULL;
    if (view_strides(x, &size, stride))
        return x->contiguous ? op_view(x, &size) : node_named(op_view(x, &size), "ReshapeAliasBackward0");
    return op_unsafe_view(op_clone(op_contiguous(x)), &size);
}

Tensor *forward_ravel(Tensor *x) { return op_reshape(op_contiguous(x), DIMS(-1)); }

Tensor *forward_flatten(Tensor *x, int64_t start_dim, int64_t end_dim)
{
    if (!wrap_dim(&start_dim, x->ndim) || !wrap_dim(&end_dim, x->ndim)) return NULL;
    if (start_dim > end_dim)
        return tide_fail("RuntimeError", "flatten() has invalid args: start_dim cannot come after end_dim");
    if (x->ndim == 0) return op_reshape(x, DIMS(1));
    if (start_dim == end_dim) return x;
    Dims shape = {0};
    for (int d = 0; d < x->ndim; d++) {
        if (d <= start_dim || d > end_dim)
            shape.v[shape.n++] = x->shape[d];
        else
            shape.v[shape.n - 1] *= x->shape[d];
    }
    return op_reshape(x, &shape);
}

Tensor *forward_unflatten(Tensor *x, int64_t dim, const Dims *sizes)
{
    char text[256];
    if (!wrap_dim(&dim, x->ndim)) return NULL;
    if (sizes->n == 0) return tide_fail("RuntimeError", "unflatten: sizes must be non-empty");
    Dims whole, shape = {0};
    int64_t product = 1, unknown = 0;
    for (int i = 0; i < sizes->n; i++) sizes->v[i] == -1 ? unknown++ : (product *= sizes->v[i]);
    if (unknown > 1 || (unknown ? product <= 0 || x->shape[dim] % product : product != x->shape[dim]))
        return tide_fail("RuntimeError",
                         "unflatten: Provided sizes %s don't multiply up to the size of dim %lld (%lld) in "
                         "the input tensor",
                         format_dims(text, sizeof text, sizes->n, sizes->v), (long long)dim,
                         (long long)x->shape[dim]);
    if (!infer_size(sizes, x->shape[dim], &whole)) return NULL;
    if (x->ndim - 1 + whole.n > TIDE_MAXDIM)
        return tide_fail("RuntimeError", "tensors have at most %d dims", TIDE_MAXDIM);
    for (int d = 0; d < x->ndim; d++) {
        if (d != dim)
            shape.v[shape.n++] = x->shape[d];
        else
            for (int i = 0; i < whole.n; i++) shape.v[shape.n++] = whole.v[i];
    }
    return op_view(x, &shape);
}

/* ---- order of dims ---- */

Tensor *forward_transpose(Tensor *x, int64_t dim0, int64_t dim1)
{
    if (!wrap_dim(&dim0, x->ndim) || !wrap_dim(&dim1, x->ndim)) return NULL;
    Tensor *v = forward_alias(x);
    if (!v || x->ndim == 0) return v;
    v->shape[dim0] = x->shape[dim1];
    v->shape[dim1] = x->shape[dim0];
    v->stride[dim0] = x->stride[dim1];
    v->stride[dim1] = x->stride[dim0];
    return tensor_finish_geometry(v) ? v : NULL;
}

Tensor *forward_t(Tensor *x)
{
    if (x->ndim > 2)
        return tide_fail("RuntimeError", "t() expects a tensor with <= 2 dimensions, but self is %dD",
                         x->ndim);
    return x->ndim < 2 ? forward_alias(x) : forward_transpose(x, 0, 1);
}

Tensor *forward_permute(Tensor *x, const Dims *dims)
{
    bool seen[TIDE_MAXDIM] = {false};
    if (dims->n != x->ndim)
        return tide_fail(
            "RuntimeError",
            "permute(sparse_coo): number of dimensions in the tensor input does not match the length of the "
            "desired ordering of dimensions i.e. input.dim() = %d is not equal to len(dims) = %d",
            x->ndim, dims->n);
    Tensor *v = forward_alias(x);
    for (int i = 0; v && i < dims->n; i++) {
        int64_t d = dims->v[i];
        if (!wrap_dim(&d, x->ndim)) return NULL;
        if (seen[d]) return tide_fail("RuntimeError", "permute(): duplicate dims are not allowed.");
        seen[d] = true;
        v->shape[i] = x->shape[d];
        v->stride[i] = x->stride[d];
    }
    return v && tensor_finish_geometry(v) ? v : NULL;
}

Tensor *forward_movedim(Tensor *x, const Dims *source, const Dims *destination)
{
    if (source->n != destination->n)
        return tide_fail(
            "RuntimeError",
            "movedim: Invalid source or destination dims: source (%d dims) should contain the same number of "
            "dims as destination (%d dims)",
            source->n, destination->n);
    Dims order = {.n = x->ndim};
    bool taken[TIDE_MAXDIM] = {false}, moved[TIDE_MAXDIM] = {false};
    for (int i = 0; i < source->n; i++) {
        int64_t from = source->v[i], to = destination->v[i];
        if (!wrap_dim(&from, x->ndim) || !wrap_dim(&to, x->ndim)) return NULL;
        if (moved[from] || taken[to]) {
            char text[256];
            const Dims *repeated = moved[from] ? source : destination;
            return tide_fail("RuntimeError", "movedim: repeated dim in `%s` (%s)",
                             moved[from] ? "source" : "destination",
                             format_dims(text, sizeof text, repeated->n, repeated->v));
        }
        moved[from] = taken[to] = true;
        order.v[to] = from;
    }
    for (int to = 0, from = 0; to < x->ndim; to++) {
        if (taken[to]) continue;
        while (moved[from]) from++;
        order.v[to] = from++;
    }
    return x->ndim ? op_permute(x, &order) : op_alias(x);
}

/* ---- sizes of 1 ---- */

Tensor *forward_expand(Tensor *x, const Dims *size)
{
    char want[256], have[256];
    if (size->n < x->ndim)
        return fewer_sizes(x, size);
    if (size->n > TIDE_MAXDIM)
        return tide_fail("RuntimeError", "tensors have at most %d dims, but %d were asked for", TIDE_MAXDIM,
                         size->n);
    Dims shape = *size;
    int64_t stride[TIDE_MAXDIM];
    int lead = size->n - x->ndim;
    for (int i = size->n - 1; i >= 0; i--) {
        int d = i - lead;
        if (d < 0) {
            if (shape.v[i] == -1)
                return tide_fail("RuntimeError",
                                 "expand(torch.%sTensor{%s}, size=%s): the expanded size of the tensor "
                                 "(%lld) isn't allowed in a "
                                 "leading, non-existing dimension %d",
                                 dtype_info[x->dtype].cname,
                                 format_dims(have, sizeof have, x->ndim, x->shape),
                                 format_dims(want, sizeof want, size->n, size->v), (long long)shape.v[i], i);
            stride[i] = 0;
            continue;
        }
        if (shape.v[i] == -1) shape.v[i] = x->shape[d];
        if (x->shape[d] != shape.v[i] && x->shape[d] != 1)
            return tide_fail(
                "RuntimeError",
                "The expanded size of the tensor (%lld) must match the existing size (%lld) at non-singleton "
                "dimension %d.  Target sizes: %s.  Tensor sizes: %s",
                (long long)shape.v[i], (long long)x->shape[d], i,
                format_dims(want, sizeof want, size->n, size->v),
                format_dims(have, sizeof have, x->ndim, x->shape));
        stride[i] = x->shape[d] == shape.v[i] ? x->stride[d] : 0;
    }
    for (int i = 0; i < shape.n; i++)
        if (shape.v[i] < 0) return tide_fail("RuntimeError", "numel: integer multiplication overflow");
    return with_geometry(x, &shape, stride);
}

Tensor *forward_expand_as(Tensor *x, Tensor *other)
{
    Dims shape = tensor_dims(other);
    return op_expand(x, &shape);
}

Tensor *forward_view_as(Tensor *x, Tensor *other)
{
    Dims shape = tensor_dims(other);
    return op_view(x, &shape);
}

Tensor *forward_unsqueeze(Tensor *x, int64_t dim)
{
    if (!wrap_dim(&dim, x->ndim + 1)) return NULL;
    if (x->ndim == TIDE_MAXDIM) return tide_fail("RuntimeError", "tensors have at most %d dims", TIDE_MAXDIM);
    Dims shape = {.n = x->ndim + 1};
    int64_t stride[TIDE_MAXDIM];
    for (int i = 0, d = 0; i < shape.n; i++) {
        bool fresh = i == dim;
        shape.v[i] = fresh ? 1 : x->shape[d];
        stride[i] = !fresh ? x->stride[d] : d < x->ndim ? x->shape[d] * x->stride[d] : 1;
        d += !fresh;
    }
    return with_geometry(x, &shape, stride);
}

Tensor *forward_squeeze(Tensor *x, const Dims *dim)
{
    if (dim && dim->n > 1) node_variant(2);
    bool asked[TIDE_MAXDIM] = {false};
    for (int i = 0; dim && i < dim->n; i++) {
        int64_t d = dim->v[i];
        if (!wrap_dim(&d, x->ndim)) return NULL;
        if (asked[d])
            return tide_fail("RuntimeError", "dim %lld appears multiple times in the list of dims",
                             (long long)d);
        asked[d] = true;
    }
    Dims shape = {0};
    int64_t stride[TIDE_MAXDIM];
    for (int d = 0; d < x->ndim; d++) {
        if (x->shape[d] == 1 && (!dim || asked[d])) continue;
        stride[shape.n] = x->stride[d];
        shape.v[shape.n++] = x->shape[d];
    }
    return with_geometry(x, &shape, stride);
}

/* ---- parts ---- */

Tensor *forward_select(Tensor *x, int64_t dim, int64_t index)
{
    if (x->ndim == 0) return tide_fail("IndexError", "select() cannot be applied to a 0-dim tensor.");
    if (!wrap_dim(&dim, x->ndim)) return NULL;
    int64_t size = x->shape[dim];
    if (index < -size || index >= size) {
        char text[256];
        return tide_fail("IndexError",
                         "select(): index %lld out of range for tensor of size %s at dimension %lld",
                         (long long)index, format_dims(text, sizeof text, x->ndim, x->shape), (long long)dim);
    }
    if (index < 0) index += size;
    Dims shape = {0};
    int64_t stride[TIDE_MAXDIM];
    for (int d = 0; d < x->ndim; d++) {
        if (d == dim) continue;
        stride[shape.n] = x->stride[d];
        shape.v[shape.n++] = x->shape[d];
    }
    Tensor *v = with_geometry(x, &shape, stride);
    if (v) v->offset += index * x->stride[dim];
    return v;
}

Tensor *forward_unbind_piece(Tensor *x, int64_t dim, int64_t index) { return forward_select(x, dim, index); }

static int64_t clip(int64_t v, int64_t size)
{
    if (v < 0) v += size;
    return v < 0 ? 0 : v > size ? size : v;
}

Tensor *forward_slice(Tensor *x, int64_t dim, int64_t start, int64_t end, int64_t step)
{
    if (x->ndim == 0) return tide_fail("RuntimeError", "slice() cannot be applied to a 0-dim tensor.");
    if (!wrap_dim(&dim, x->ndim)) return NULL;
    if (step <= 0) return tide_fail("RuntimeError", "slice step must be positive");
    start = clip(start, x->shape[dim]);
    end = clip(end, x->shape[dim]);
    if (end < start) end = start;
    Tensor *v = forward_alias(x);
    if (!v) return NULL;
    v->offset += start * x->stride[dim];
    v->shape[dim] = (end - start) / step + ((end - start) % step != 0);
    if (__builtin_mul_overflow(x->stride[dim], step, &v->stride[dim]))
        v->stride[dim] = x->stride[dim]; /* at most one element */
    return tensor_finish_geometry(v) ? v : NULL;
}

Tensor *forward_split_piece(Tensor *x, int64_t dim, int64_t start, int64_t end)
{
    return forward_slice(x, dim, start, end, 1);
}

Tensor *forward_narrow(Tensor *x, int64_t dim, int64_t start, int64_t length)
{
    if (x->ndim == 0) return tide_fail("RuntimeError", "narrow() cannot be applied to a 0-dim tensor.");
    if (!wrap_dim(&dim, x->ndim)) return NULL;
    int64_t size = x->shape[dim];
    if (length < 0) return tide_fail("RuntimeError", "narrow(): length must be non-negative.");
    if (start < -size || start > size)
        return tide_fail("IndexError",
                         "start out of range (expected to be in range of [%lld, %lld], but got %lld)",
                         (long long)-size, (long long)size, (long long)start);
    if (start < 0) start += size;
    if (length > size - start)
        return tide_fail("RuntimeError", "start (%lld) + length (%lld) exceeds dimension size (%lld).",
                         (long long)start, (long long)length, (long long)size);
    return op_slice(x, dim, start, start + length, 1);
}

Tensor *forward_diagonal(Tensor *x, int64_t offset, int64_t dim1, int64_t dim2)
{
    int64_t a = dim1, b = dim2;
    if (!wrap_dim(&a, x->ndim) || !wrap_dim(&b, x->ndim)) return NULL;
    if (x->ndim < 2 || a == b)
        return tide_fail("RuntimeError", "diagonal dimensions cannot be identical %lld, %lld",
                         (long long)dim1, (long long)dim2);
    int64_t rows = x->shape[a], columns = x->shape[b];
    int64_t size = offset >= 0 ? (rows < columns - offset ? rows : columns - offset)
                               : (rows + offset < columns ? rows + offset : columns);
    Dims shape = {0};
    int64_t stride[TIDE_MAXDIM];
    for (int d = 0; d < x->ndim; d++) {
        if (d == a || d == b) continue;
        stride[shape.n] = x->stride[d];
        shape.v[shape.n++] = x->shape[d];
    }
    stride[shape.n] = x->stride[a] + x->stride[b];
    shape.v[shape.n++] = size > 0 ? size : 0;
    Tensor *v = with_geometry(x, &shape, stride);
    if (v && size > 0) v->offset += offset >= 0 ? offset * x->stride[b] : -offset * x->stride[a];
    return v;
}

Tensor *forward_unfold(Tensor *x, int64_t dimension, int64_t size, int64_t step)
{
    if (!wrap_dim(&dimension, x->ndim)) return NULL;
    int64_t length = x->ndim ? x->shape[dimension] : 1;
    if (step <= 0) return tide_fail("RuntimeError", "step is %lld but must be > 0", (long long)step);
    if (size < 0) return tide_fail("RuntimeError", "size is %lld but must be >= 0", (long long)size);
    if (size > length)
        return tide_fail("RuntimeError", "maximum size for tensor at dimension %lld is %lld but size is %lld",
                         (long long)dimension, (long long)length, (long long)size);
    if (x->ndim == TIDE_MAXDIM) return tide_fail("RuntimeError", "tensors have at most %d dims", TIDE_MAXDIM);
    Dims shape = tensor_dims(x);
    int64_t stride[TIDE_MAXDIM];
    memcpy(stride, x->stride, x->ndim * sizeof *stride);
    if (x->ndim) {
        shape.v[dimension] = (length - size) / step + 1;
        stride[dimension] = x->stride[dimension] * step;
    }
    stride[shape.n] = x->ndim ? x->stride[dimension] : 1;
    shape.v[shape.n++] = size;
    return with_geometry(x, &shape, stride);
}

Tensor *forward_as_strided(Tensor *x, const Dims *size, const Dims *stride, int64_t storage_offset)
{
    return tensor_alias(x, size, stride, storage_offset < 0 ? x->offset : storage_offset);
}
