/* norm.h - the loops of normalisation, compiled once per instruction set. */
#ifndef TIDE_CPU_NORM_H
#define TIDE_CPU_NORM_H

#include "engine/cpu/isa.h"

#include <stdint.h>

/* What a line's gradient is made of. */
typedef struct NormGradient {
    double mean, scale, level, slope, weight;
} NormGradient;

/* Each works on n neighbouring elements of one dtype; n alone decides in which order sums are taken. weight
 * and bias, where a loop takes them, hold an element for each of x's and may be NULL. */
typedef struct NormLoops {
    double (*sum)(const void *x, int64_t n);
    double (*squares)(const void *x, int64_t n, double mean); /* the sum of (x - mean)**2 */
    /* sums[0] += the sum of weight g, sums[1] += that of weight g (x - mean) */
    void (*dots)(const void *g, const void *x, const void *weight, int64_t n, double mean, double *sums);
    /* y = a x + b */
    void (*affine)(const void *x, void *y, int64_t n, double a, double b);
    /* y = (x - mean) scale weight + bias */
    void (*standard)(const void *x, const void *weight, const void *bias, void *y, int64_t n, double mean,
                     double scale);
    /* dx = (weight g - of->level - of->slope (x - of->mean)) of->scale; without weight: of->weight */
    void (*gradient)(const void *g, const void *x, const void *weight, void *dx, int64_t n,
                     const NormGradient *of);
    /* sums[i] += g[i] (x[i] - mean) scale */
    void (*columns)(const void *g, const void *x, void *sums, int64_t n, double mean, double scale);
} NormLoops;

/* [0] float32, [1] float64 */
#define NORM_DECLARE(name) extern const NormLoops name[2];
ISA_EACH(NORM_DECLARE, norm_loops)

#endif
