/* norm.isa.c - the loops of normalisation for one instruction set. */
#include "engine/cpu/norm.h"

#include <stddef.h>

/* Sums are kept in LANES parts so that loops vectorise, and after BLOCK elements go on in double. */
enum { LANES = 32, BLOCK = 2048 };

#define T        float
#define FN(name) name##_f32
#include "engine/cpu/norm.inc"
#define T        double
#define FN(name) name##_f64
#include "engine/cpu/norm.inc"

#define LOOPS(type)                                                                                          \
    {                                                                                                        \
        sum_##type, squares_##type, dots_##type, affine_##type, standard_##type, gradient_##type,            \
            columns_##type                                                                                   \
    }
const NormLoops ISA_NAME(norm_loops)[2] = {LOOPS(f32), LOOPS(f64)};
