/* reduce.h - the inner loops of reductions, one set an instruction set. */
#ifndef TIDE_CPU_REDUCE_H
#define TIDE_CPU_REDUCE_H

#include "engine/cpu/loops.h"

/* Rows of the table that reduce, numbered. */
typedef enum ReduceId {
#define REDUCE(name, ...) REDUCE_##name,
#include "engine/ops/reductions.def"
    REDUCE_COUNT
} ReduceId;

/* The loops of one row for elements of one type T, which accumulate in a type A: T itself, but int64 where bools are
 * counted. */
typedef struct ReduceLoops {
    size_t size; /* of A; 0 where the row does not take T */
    /* acc[k] = combine(acc[k], map(x[k])) for n columns, a row of contiguous columns after the other */
    void (*block)(void *acc, const char *x, int64_t row_step, int64_t rows, int64_t n);
    /* acc[k] = combine(acc[k], more[k]) */
    void (*combine)(void *acc, const void *more, int64_t n);
    /* acc[0] = combine(… combine(acc[0], more[0]) …, more[n - 1]) */
    void (*fold)(void *acc, const void *more, int64_t n);
    void (*clear)(void *acc, int64_t n); /* to the identity */
    void (*finish)(void *acc, int64_t n, int64_t count);
    /* Contiguous rows too short for a third level of sums: result[r] of n < SHORT_BYTES / sizeof(T) elements from
     * x + r * row_step. */
    void (*short_rows)(void *result, const char *x, int64_t row_step, int64_t rows, int64_t n);
    /* Two levels at once: acc[k] = combine(acc[k], step's sum) for `count` steps of `rows` rows of ROW_BYTES. */
    void (*steps)(void *acc, const char *x, int64_t row_step, int64_t rows, int64_t count);
} ReduceLoops;

enum {
    VECTOR_BYTES = 32,
    ROW_BYTES = 4 * VECTOR_BYTES, /* sums of contiguous elements are 4 vectors of partial sums */
    STEP_ROWS = 16,               /* added before a sum moves up a level, in anything but huge sums */
    SHORT_BYTES = STEP_ROWS * STEP_ROWS * ROW_BYTES
};

#endif
