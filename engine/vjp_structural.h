/* vjp_structural.h - further words of the derivative formulas of index.def, linalg.def and nn.def. Included by vjp.c only. */
#ifndef TIDE_VJP_STRUCTURAL_H
#define TIDE_VJP_STRUCTURAL_H

#include "engine/vjp_helpers.h"

/* s times g; g itself for 1. */
static inline Tensor *scaled(Tensor *g, double s)
{
    return s == 1 ? g : op_mul(g, num(s));
}

/* 0 in g's dtype and on its device. */
static inline Tensor *zero_like(const Tensor *g)
{
    return tensor_zeros(&(Dims){0}, (DType)g->dtype, g->device);
}

#endif
