/* lines.h - kernels that work along the last dim of dense tensors, line by line. */
#ifndef TIDE_CPU_LINES_H
#define TIDE_CPU_LINES_H

#include "engine/cpu/kernels.h"
#include "engine/cpu/threads.h"

/* Line i of a row-major tensor whose last dim has n elements. */
static inline char *line_at(const Tensor *t, int64_t i)
{
    return (char *)tensor_data(t) + i * t->shape[t->ndim - 1] * (int64_t)dtype_size((DType)t->dtype);
}

static inline int64_t line_length(const Tensor *t)
{
    return t->shape[t->ndim - 1];
}

static inline int64_t line_count(const Tensor *t)
{
    int64_t n = 1;
    for (int d = 0; d < t->ndim - 1; d++)
        n *= t->shape[d];
    return n;
}

/* Lines of n elements that make a piece of work for one thread. */
static inline int64_t line_grain(int64_t n)
{
    return GRAIN / (n > 0 ? n : 1) + 1;
}

#endif
