/* softmax.h - the loops of softmax and log_softmax, compiled once per instruction set. */
#ifndef TIDE_CPU_SOFTMAX_H
#define TIDE_CPU_SOFTMAX_H

#include "engine/cpu/isa.h"

#include <stdint.h>

/* Softmax of `columns` neighbouring lines of n elements: element i of line j at x[i * stride + j]. columns 1
 * and stride 1 is a dense line. columns is at most SOFTMAX_COLUMNS. */
enum { SOFTMAX_COLUMNS = 64 };

typedef struct SoftmaxShape {
    int64_t n, stride, columns;
} SoftmaxShape;

typedef struct SoftmaxLoops {
    void (*forward)(const void *x, void *y, SoftmaxShape shape);
    void (*backward)(const void *g, const void *y, void *dx, SoftmaxShape shape);
} SoftmaxLoops;

/* [0] softmax, [1] log_softmax */
#define SOFTMAX_DECLARE(name) extern const SoftmaxLoops name[2];
ISA_EACH(SOFTMAX_DECLARE, softmax_f32)
ISA_EACH(SOFTMAX_DECLARE, softmax_f64)

#endif
