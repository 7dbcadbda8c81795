/* bag_ops.c - forwards of nn.def's embedding bags: rows of a table added up, or the largest of them, bag by
 * bag.
 * indices (n) int64 names the rows, bags (n) int64 says where each goes, factors (n) how much of it. */
#include "engine/structural.h"

static Tensor *weighted(Tensor *rows, Tensor *factors)
{
    return factors ? op_mul(rows, op_unsqueeze(factors, 1)) : rows;
}

static Tensor *zero_rows(int64_t n, const Tensor *like)
{
    return tensor_zeros(DIMS(n, like->shape[1]), (DType)like->dtype, like->device);
}

Tensor *forward_bag_sums(Tensor *weight, Tensor *indices, Tensor *bags, Tensor *factors, int64_t count)
{
    Tensor *rows = weighted(op_index_select(weight, 0, indices), factors);
    return op_index_add(zero_rows(count, weight), 0, bags, rows, 1);
}

Tensor *forward_bag_sums_backward(Tensor *g1, Tensor *like, Tensor *indices, Tensor *bags, Tensor *factors)
{
    Tensor *rows = weighted(op_index_select(g1, 0, bags), factors);
    return op_index_add(zero_rows(like->shape[0], g1), 0, indices, rows, 1);
}

Tensor *forward_bag_factors_backward(Tensor *g1, Tensor *weight, Tensor *indices, Tensor *bags)
{
    Tensor *product = op_mul(op_index_select(g1, 0, bags), op_index_select(weight, 0, indices));
    return op_sum(product, DIMS(1), false);
}

/* places (count, columns): the row that each element comes from; empty, bool: where there is none, and 0
 * stands. */
Tensor *forward_bag_picks(Tensor *weight, Tensor *places, Tensor *empty)
{
    return op_masked_fill(op_gather(weight, 0, places), empty, tensor_number(0));
}

Tensor *forward_bag_picks_backward(Tensor *g1, Tensor *like, Tensor *places, Tensor *empty)
{
    Tensor *kept = op_masked_fill(g1, empty, tensor_number(0));
    return op_scatter_add(zero_rows(like->shape[0], g1), 0, places, kept);
}
