/* iterate.h - walks several strided operands of one shape together, in runs that inner loops take, on all threads. */
#ifndef TIDE_CPU_ITERATE_H
#define TIDE_CPU_ITERATE_H

#include "engine/cpu/threads.h"
#include "engine/engine.h"

enum { ITER_MAXOP = 5 };

/* Operand 0 decides the order of the dims: its strides grow outwards. Dims of size 1 are gone, dims that all
 * operands cross in one step are merged; at least one dim is left. Nothing is owned. */
typedef struct Iter {
    int nop, ndim;
    int64_t numel;
    int64_t shape[TIDE_MAXDIM]; /* innermost first */
    int64_t stride[TIDE_MAXDIM][ITER_MAXOP]; /* in bytes */
    char *data[ITER_MAXOP];
} Iter;

/* A piece of at most two dims: n1 rows of n0 elements. data[k] is operand k's first element; inner[k] and outer[k] are
 * its steps in bytes from element to element and from row to row. */
typedef struct Tile {
    int64_t n0, n1;
    const int64_t *inner, *outer;
    char *data[ITER_MAXOP];
} Tile;

/* Runs on any thread: it may not call tide_fail. */
typedef void (*TileFn)(const Tile *tile, void *ctx);

/* Describes nop tensors of the same shape. Operands that must not be reordered (an index) are the caller's concern. */
void iter_init(Iter *it, int nop, const Tensor *const *operand);
/* The same from parts: an iterator over shape whose operands are added by hand; then iter_order sorts and merges. */
void iter_begin(Iter *it, int ndim, const int64_t *shape);
void iter_add(Iter *it, void *data, const int64_t *stride, size_t size); /* stride in elements of size bytes */
void iter_order(Iter *it);
/* Sorting and merging alone, for a caller that needs something in between. */
void iter_sort(Iter *it);
void iter_merge(Iter *it);

/* The elements first <= i < last, in the iterator's own order, as tiles, on this thread. */
void iter_range(const Iter *it, int64_t first, int64_t last, TileFn fn, void *ctx);
/* At least grain elements that are a whole number of rows, 32 of them if that is not too many. */
int64_t iter_grain(const Iter *it, int64_t grain);
/* All elements, split among threads in pieces of grain elements. False when interrupted. */
bool iter_run(const Iter *it, int64_t grain, TileFn fn, void *ctx);

#endif
