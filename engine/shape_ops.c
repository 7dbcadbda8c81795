/* shape_ops.c - copies, joins and rearrangements, and the derivatives of the views. */
#include "engine/ops_internal.h"
#include "engine/structural.h"
#include "engine/autograd.h"
#include "engine/store.h"

#include <stdlib.h>
#include <string.h>

/* ---- copies ---- */

Tensor *forward_clone(Tensor *x)
{
    Tensor *y = tensor_like(x, (DType)x->dtype);
    return y && copy_plain(y, x) ? y : NULL;
}

Tensor *forward_contiguous(Tensor *x)
{
    if (x->contiguous) return x;
    if (!grad_enabled() || !needs_grad(x)) return contiguous_plain(x);
    Dims shape = tensor_dims(x);
    Tensor *y = result_new(&shape, (DType)x->dtype, x->device);
    return y ? autograd_record(OP_clone, (Arg[]){{.t = x}}, copy_plain(y, x) ? y : NULL) : NULL;
}

Tensor *forward_to_copy(Tensor *x, DType dtype, int64_t device)
{
    Device d = {(uint8_t)(device / 256), (uint8_t)(device % 256)};
    Tensor *y;
    if (d.type == x->device.type && d.index == x->device.index)
        y = tensor_like(x, dtype);
    else {
        Dims shape = tensor_dims(x);
        y = tensor_empty(&shape, dtype, d);
    }
    return y && copy_plain(y, x) ? y : NULL;
}

Tensor *forward_copy(Tensor *x, Tensor *src)
{
    Dims from = tensor_dims(src), into = tensor_dims(x), both;
    if (!broadcast_shapes(&into, &from, &both))
        return NULL;
    if (both.n != into.n || memcmp(both.v, into.v, (size_t)into.n * sizeof into.v[0])) {
        char have[256], want[256];
        return tide_fail("RuntimeError", "output with shape %s doesn't match the broadcast shape %s",
                         format_dims(have, sizeof have, into.n, into.v),
                         format_dims(want, sizeof want, both.n, both.v));
    }
    return separate_overlaps(&src, 1, x) && copy_plain(x, src) ? x : NULL;
}

Tensor *forward_fill(Tensor *x, Tensor *value)
{
    if (value->ndim != 0)
        return tide_fail("RuntimeError",
                         "fill_ only supports 0-dimension value tensor but got tensor with %d dimensions.",
                         value->ndim);
    if (value->is_number && !(value = number_as(value, (DType)x->dtype, x->device))) return NULL;
    return copy_plain(x, value) ? x : NULL;
}

Tensor *forward_zero(Tensor *x)
{
    Tensor *zero = tensor_integer(0);
    return zero && copy_plain(x, zero) ? x : NULL;
}

Tensor *tensor_to(Tensor *x, DType dtype, Device device, bool copy)
{
    if (!x) return NULL;
    if (dtype == DT_NONE) dtype = (DType)x->dtype;
    bool same = x->dtype == dtype && x->device.type == device.type && x->device.index == device.index;
    if (same) return copy ? op_clone(x) : x;
    return op_to_copy(x, dtype, device.type * 256 + device.index);
}

Tensor *tensor_copy_(Tensor *dst, Tensor *src)
{
    return op_apply_inplace(OP_copy, (Arg[]){{.t = dst}, {.t = src}});
}

Tensor *tensor_fill_(Tensor *dst, Tensor *value)
{
    return op_apply_inplace(OP_fill, (Arg[]){{.t = dst}, {.t = value}});
}

Tensor *tensor_set_(Tensor *dst, Tensor *src)
{
    if (!dst || !src) return NULL;
    src->storage->refs++;
    storage_release(dst->storage);
    dst->storage = src->storage;
    dst->dtype = src->dtype;
    dst->device = src->device;
    dst->ndim = src->ndim;
    dst->numel = src->numel;
    dst->offset = src->offset;
    dst->contiguous = src->contiguous;
    memcpy(dst->shape, src->shape, src->ndim * sizeof src->shape[0]);
    memcpy(dst->stride, src->stride, src->ndim * sizeof src->stride[0]);
    return dst;
}

/* ---- joins ---- */

Tensor *forward_stack(const TensorList *tensors, int64_t dim)
{
    char first[256], other[256];
    if (tensors->n == 0) return tide_fail("RuntimeError", "stack expects a non-empty TensorList");
    if (!wrap_dim(&dim, tensors->v[0]->ndim + 1)) return NULL;
    Tensor **v = tide_malloc((size_t)tensors->n * sizeof *v);
    if (!v) return NULL;
    Tensor *y = NULL;
    int i = 0;
    for (; i < tensors->n; i++) {
        if (!tensor_same_shape(tensors->v[i], tensors->v[0])) {
            tide_fail("RuntimeError",
                      "stack expects each tensor to be equal size, but got %s at entry 0 and %s at entry %d",
                      format_dims(first, sizeof first, tensors->v[0]->ndim, tensors->v[0]->shape),
                      format_dims(other, sizeof other, tensors->v[i]->ndim, tensors->v[i]->shape), i);
            break;
        }
        if (!(v[i] = op_unsqueeze(tensors->v[i], dim))) break;
    }
    if (i == tensors->n) y = op_cat(&(TensorList){tensors->n, v}, dim);
    free(v);
    return y;
}

Tensor *forward_repeat(Tensor *x, const Dims *repeats)
{
    if (repeats->n < x->ndim)
        return tide_fail(
            "RuntimeError",
            "Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor");
    if (repeats->n > TIDE_MAXDIM)
        return tide_fail("RuntimeError", "tensors have at most %d dims", TIDE_MAXDIM);
    int lead = repeats->n - x->ndim;
    Dims shape = {.n = repeats->n};
    for (int i = 0; i < shape.n; i++) {
        if (repeats->v[i] < 0)
            return tide_fail("RuntimeError", "Trying to create tensor with negative dimension %lld",
                             (long long)repeats->v[i]);
        if (__builtin_mul_overflow(repeats->v[i], i < lead ? 1 : x->shape[i - lead], &shape.v[i]))
            return tide_fail("RuntimeError", "numel: integer multiplication overflow");
    }
    Tensor *y = result_new(&shape, (DType)x->dtype, x->device);
    if (!y || y->numel == 0) return y;
    /* y seen as (repeat, size) pairs is x stretched; pairs where either is 1 need no dim of their own */
    Dims pairs = {0}, from = {0};
    for (int i = 0; i < shape.n; i++) {
        int64_t size = i < lead ? 1 : x->shape[i - lead];
        if (pairs.n + 2 > TIDE_MAXDIM) return tide_fail("RuntimeError", "repeat: too many dims");
        if (repeats->v[i] != 1) pairs.v[pairs.n++] = repeats->v[i], from.v[from.n++] = 1;
        if (size != 1) pairs.v[pairs.n++] = size, from.v[from.n++] = size;
    }
    Tensor *source = op_reshape(x, &from);
    Tensor *target = op_view(y, &pairs);
    return source && target && copy_plain(target, source) ? y : NULL;
}

Tensor *forward_repeat_backward(Tensor *g1, Tensor *like, const Dims *repeats)
{
    Dims pairs = {0}, sum = {0}, shape = tensor_dims(like);
    int lead = repeats->n - like->ndim;
    for (int i = 0; i < repeats->n; i++) {
        int64_t size = i < lead ? 1 : like->shape[i - lead];
        if (repeats->v[i] == 0) return tensor_zeros(&shape, (DType)g1->dtype, g1->device);
        if (repeats->v[i] != 1) sum.v[sum.n++] = pairs.n, pairs.v[pairs.n++] = repeats->v[i];
        if (size != 1) pairs.v[pairs.n++] = size;
    }
    Tensor *g = op_reshape(g1, &pairs);
    if (g && sum.n) g = op_sum(g, &sum, false);
    return g ? op_clone(op_reshape(g, &shape)) : NULL;
}

/* ---- rearrangements ---- */

/* Copies x's slab [from, from + n) of dim into y's at `to`. */
static bool copy_slab(Tensor *y, Tensor *x, int64_t dim, int64_t to, int64_t from, int64_t n)
{
    if (n == 0) return true;
    Tensor *a = forward_slice(y, dim, to, to + n, 1), *b = forward_slice(x, dim, from, from + n, 1);
    return a && b && copy_plain(a, b);
}

static Tensor *roll_one(Tensor *x, int64_t shift, int64_t dim)
{
    Tensor *y = tensor_like(x, (DType)x->dtype);
    if (!y || x->numel == 0) return y;
    int64_t size = x->shape[dim], by = ((shift % size) + size) % size;
    return copy_slab(y, x, dim, by, 0, size - by) && copy_slab(y, x, dim, 0, size - by, by) ? y : NULL;
}

Tensor *forward_roll(Tensor *x, const Dims *shifts, const Dims *dims)
{
    if (shifts->n == 0) return tide_fail("RuntimeError", "`shifts` required");
    x = contiguous_plain(x); /* what is rolled is dense; what is flipped keeps x's order of dims */
    if (!x) return NULL;
    if (!dims) {
        if (shifts->n != 1)
            return tide_fail("RuntimeError", "shifts and dimensions must align. shifts: %d, dims:0",
                             shifts->n);
        Dims shape = tensor_dims(x);
        Tensor *flat = op_reshape(x, DIMS(-1));
        flat = flat ? roll_one(flat, shifts->v[0], 0) : NULL;
        return flat ? op_reshape(flat, &shape) : NULL;
    }
    if (x->numel == 0) return op_clone(x);
    if (shifts->n != dims->n)
        return tide_fail("RuntimeError", "shifts and dimensions must align. shifts: %d, dims:%d", shifts->n,
                         dims->n);
    for (int i = 0; x && i < dims->n; i++) {
        int64_t d = dims->v[i];
        if (x->ndim == 0) return no_such_dim(d);
        if (!wrap_dim(&d, x->ndim)) return NULL;
        x = roll_one(x, shifts->v[i], d);
    }
    return x;
}

Tensor *forward_flip(Tensor *x, const Dims *dims)
{
    Dims which;
    if (!wrap_dims(dims, x->ndim, &which)) return NULL;
    if (dims->n == 0) return forward_clone(x);
    Tensor *y = x;
    for (int i = 0; y && i < which.n; i++) {
        int64_t size = x->shape[which.v[i]];
        Tensor *index = tensor_arange_int(size - 1, -1, -1, DT_I64, x->device);
        y = index ? op_index_select(y, which.v[i], index) : NULL;
    }
    Tensor *out = y && memcmp(y->stride, x->stride, (size_t)x->ndim * sizeof *x->stride) != 0
                      ? tensor_like(x, (DType)x->dtype)
                      : y;
    return out == y || (out && copy_plain(out, y)) ? out : NULL;
}

/* ---- derivatives of the views: the gradient put where the view looked ---- */

static Tensor *zeros_as(const Tensor *like, const Tensor *g)
{
    Dims shape = tensor_dims(like);
    return tensor_zeros(&shape, (DType)g->dtype, g->device);
}

static Tensor *put(Tensor *zeros, Tensor *window, Tensor *g)
{
    return zeros && window && copy_plain(window, g) ? zeros : NULL;
}

Tensor *forward_select_backward(Tensor *g1, Tensor *like, int64_t dim, int64_t index)
{
    Tensor *zeros = zeros_as(like, g1);
    return put(zeros, zeros ? forward_select(zeros, dim, index) : NULL, g1);
}

Tensor *forward_slice_backward(Tensor *g1, Tensor *like, int64_t dim, int64_t start, int64_t end,
                               int64_t step)
{
    Tensor *zeros = zeros_as(like, g1);
    return put(zeros, zeros ? forward_slice(zeros, dim, start, end, step) : NULL, g1);
}

Tensor *forward_diagonal_backward(Tensor *g1, Tensor *like, int64_t offset, int64_t dim1, int64_t dim2)
{
    Tensor *zeros = zeros_as(like, g1);
    return put(zeros, zeros ? forward_diagonal(zeros, offset, dim1, dim2) : NULL, g1);
}

/* Adds g's elements up at the flat positions of `like` that a view read, which may repeat. `window` is that view of an
 * index tensor counting like's elements. */
static Tensor *add_up(Tensor *g1, const Tensor *like, Tensor *window)
{
    Dims shape = tensor_dims(like);
    Tensor *flat = tensor_zeros(DIMS(like->numel), (DType)g1->dtype, g1->device);
    Tensor *index = window ? op_reshape(window, DIMS(-1)) : NULL, *g = op_reshape(g1, DIMS(-1));
    Tensor *y = flat && index && g ? op_scatter_add(flat, 0, index, g) : NULL;
    return y ? op_reshape(y, &shape) : NULL;
}

Tensor *forward_unfold_backward(Tensor *g1, Tensor *like, int64_t dimension, int64_t size, int64_t step)
{
    Dims shape = tensor_dims(like);
    Tensor *count = tensor_arange_int(0, like->numel, 1, DT_I64, g1->device);
    count = count ? op_reshape(count, &shape) : NULL;
    return count ? add_up(g1, like, forward_unfold(count, dimension, size, step)) : NULL;
}

/* Whether some of t's elements lie in one place of its memory. */
static bool shares_places(const Tensor *t)
{
    int64_t places = 1;
    for (int d = 0; d < t->ndim; d++) {
        if (t->stride[d] == 0 && t->shape[d] > 1) return true;
        places += (t->shape[d] - 1) * t->stride[d];
    }
    return places < t->numel;
}

Tensor *forward_as_strided_backward(Tensor *g1, Tensor *like, const Dims *size, const Dims *stride,
                                    int64_t offset)
{
    /* like's elements counted where they lie in its storage; places outside it are nobody's gradient */
    int64_t end = 1, first = offset < 0 ? like->offset : offset;
    for (int d = 0; d < like->ndim; d++) end += (like->shape[d] - 1) * like->stride[d];
    int64_t low = like->offset < first ? like->offset : first, high = like->offset + end;
    int64_t window_end = first + 1;
    for (int d = 0; d < size->n; d++) window_end += (size->v[d] - 1) * stride->v[d];
    if (window_end > high) high = window_end;
    Tensor *storage = tensor_full_int(DIMS(high - low), like->numel, DT_I64, g1->device);
    Dims shape = tensor_dims(like), strides = {.n = like->ndim};
    memcpy(strides.v, like->stride, like->ndim * sizeof like->stride[0]);
    Tensor *count = tensor_arange_int(0, like->numel, 1, DT_I64, g1->device);
    count = count ? op_reshape(count, &shape) : NULL;
    Tensor *place = storage ? tensor_alias(storage, &shape, &strides, like->offset - low) : NULL;
    if (!count || !place || !copy_plain(place, count)) return NULL;
    Tensor *window = tensor_alias(storage, size, stride, first - low);
    Tensor wider = {.numel = like->numel + 1, .ndim = 1, .shape = {like->numel + 1}};
    Tensor *sum = window ? add_up(g1, &wider, window) : NULL;
    if (sum && shares_places(like)) { /* evenly among the elements of a place */
        Tensor *ones = tensor_full(&shape, 1, (DType)g1->dtype, g1->device), *at = contiguous_plain(place);
        Tensor *members = ones && at ? add_up(ones, &wider, at) : NULL;
        return members ? op_div(op_take(sum, at), op_take(members, at)) : NULL;
    }
    return sum ? op_clone(op_reshape(op_slice(sum, 0, 0, like->numel, 1), &shape)) : NULL;
}
