/* vjp_structural.h - further words of the derivative formulas of index.def, linalg.def and nn.def. Included
 * by vjp.c only. */
#ifndef TIDE_VJP_STRUCTURAL_H
#define TIDE_VJP_STRUCTURAL_H

#include "engine/vjp_helpers.h"

/* s times g; g itself for 1. */
static inline Tensor *scaled(Tensor *g, double s)
{
    bool whole = g && dtype_is_int((DType)g->dtype) && s == (double)(int32_t)s; /* integers stay integers */
    return s == 1 ? g : op_mul(g, whole ? tensor_integer((int64_t)s) : num(s));
}

/* g once for each matrix of batch. */
static inline Tensor *in_each(Tensor *g, const Tensor *batch)
{
    return op_expand(g, DIMS(batch->shape[0], g->shape[0], g->shape[1]));
}

/* The dim that cross worked along: the first of size 3 where none was named. */
static inline const Dims *cross_dim(const Tensor *x, const Dims *dim)
{
    if (dim)
        return dim;
    Dims *first = scratch_dims();
    *first = (Dims){.n = 1};
    while (first->v[0] < x->ndim - 1 && x->shape[first->v[0]] != 3)
        first->v[0]++;
    return first;
}

/* 0 in g's dtype and on its device. */
static inline Tensor *zero_like(const Tensor *g)
{
    return tensor_zeros(&(Dims){0}, (DType)g->dtype, g->device);
}

/* The gradient of part k of a concatenation; a 1-D part without elements may have joined tensors of more
 * dims. */
static inline Tensor *cat_gradient(Tensor *g, Tensor *const *parts, int64_t dim, int k)
{
    if (parts[k]->ndim == 1 && parts[k]->shape[0] == 0)
        return tensor_zeros(DIMS(0), (DType)g->dtype, g->device);
    return op_slice(g, wrapped_dim(dim, g->ndim), cat_start(parts, dim, k), cat_start(parts, dim, k + 1), 1);
}

/* The gradient of values picked along dim, one a line. */
static inline Tensor *value_backward(Tensor *g, Tensor *like, int64_t dim, Tensor *indices, bool keepdim)
{
    if (!keepdim && like->ndim > 0) {
        dim = wrapped_dim(dim, like->ndim);
        g = op_unsqueeze(g, dim);
        indices = op_unsqueeze(indices, dim);
    }
    return op_gather_backward(g, like, dim, indices);
}

/* g in like's dtype. */
static inline Tensor *as_dtype_of(Tensor *g, const Tensor *like)
{
    return g ? tensor_to(g, (DType)like->dtype, g->device, false) : NULL;
}

/* Sums from each element to the last along dim. */
static inline Tensor *reversed_cumsum(Tensor *g, int64_t dim)
{
    return g && g->ndim == 0 ? op_alias(g)
                             : op_flip(op_cumsum(op_flip(g, DIMS(dim)), dim, DT_NONE), DIMS(dim));
}

/* The gradient of cummax and cummin. PyTorch hands an empty input itself back, graph and all. */
static inline Tensor *extremes_so_far_backward(Tensor *g, Tensor *x, int64_t dim, Tensor *indices)
{
    return x->numel ? op_gather_backward(g, x, dim, indices) : op_alias(x);
}

/* Refuses to differentiate a gradient once more, by the number of its name. */
static inline Tensor *once_only(int64_t loss)
{
    static const char *const names[] = {"multi_margin_loss", "multilabel_margin_loss",
                                        "_embedding_bag_per_sample_weights"};
    return tide_fail("RuntimeError", "derivative for aten::%s_backward is not implemented", names[loss]);
}

/* Matrices transposed. */
static inline Tensor *mT(Tensor *x)
{
    return x ? op_transpose(x, -2, -1) : NULL;
}

#endif
