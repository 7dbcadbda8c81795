/* join_ops.c - forward of cat: tensors joined along a dim. */
#include "engine/structural.h"

/* PyTorch lets a 1-D tensor without elements join anything. */
static bool skipped(const Tensor *t)
{
    return t->ndim == 1 && t->shape[0] == 0;
}

static bool check_parts(const TensorList *tensors, const Tensor *first, int64_t dim, int64_t *total)
{
    *total = 0;
    for (int i = 0; i < tensors->n; i++) {
        const Tensor *t = tensors->v[i];
        if (skipped(t))
            continue;
        if (t->ndim != first->ndim)
            return tide_refuse("RuntimeError", "Tensors must have same number of dimensions: got %d and %d",
                               first->ndim, t->ndim);
        for (int d = 0; d < t->ndim; d++)
            if (d != dim && t->shape[d] != first->shape[d])
                return tide_refuse("RuntimeError",
                                   "Sizes of tensors must match except in dimension %lld. Expected size %lld "
                                   "but got size %lld for tensor number %d in the list.",
                                   (long long)dim, (long long)first->shape[d], (long long)t->shape[d], i);
        if (__builtin_add_overflow(*total, t->shape[dim], total))
            return tide_refuse("RuntimeError", "cat: the result is too large");
    }
    return true;
}

/* Part by part into its window of the result; the copies convert to the promoted dtype. */
Tensor *forward_cat(const TensorList *tensors, int64_t dim)
{
    int64_t total, at = 0;
    if (tensors->n == 0)
        return tide_fail("ValueError", "torch.cat(): expected a non-empty list of Tensors");
    const Tensor *first = tensors->v[0];
    for (int i = 0; i < tensors->n; i++) {
        const Tensor *t = tensors->v[i];
        if (!t)
            return NULL;
        if (t->ndim == 0)
            return tide_fail("RuntimeError",
                             "zero-dimensional tensor (at position %d) cannot be concatenated", i);
        if (skipped(first))
            first = t;
    }
    if (!wrap_dim(&dim, first->ndim) || !check_same_device(tensors->v, tensors->n))
        return NULL;
    if (!check_parts(tensors, first, dim, &total))
        return NULL;
    Dims shape = tensor_dims(first);
    shape.v[dim] = total;
    Tensor *out = result_new(&shape, result_dtype(tensors->v, tensors->n), first->device);
    for (int i = 0; i < tensors->n && out; i++) {
        Tensor *t = tensors->v[i];
        if (skipped(t) || t->numel == 0)
            continue;
        Tensor *window = restrided(out, t->ndim, t->shape, out->stride);
        if (!window)
            return NULL;
        window->offset += at * out->stride[dim];
        if (!copy_plain(window, t))
            return NULL;
        at += t->shape[dim];
    }
    return out;
}
