/* structural.h - inside the engine: helpers shared by the forwards of index.def, linalg.def and nn.def. */
#ifndef TIDE_STRUCTURAL_H
#define TIDE_STRUCTURAL_H

#include "engine/ops.h"

/* A view of x's first element with this geometry; unrecorded. */
Tensor *restrided(Tensor *x, int ndim, const int64_t *shape, const int64_t *stride);
/* x without dim; 0-dim tensors stay as they are. */
Tensor *without_dim(Tensor *x, int dim);
/* Zeros of like's shape and x's dtype and device. */
Tensor *zeros_shaped(const Tensor *like, const Tensor *x);
/* int64 from int32 or int64; anything else is passed on as it is. */
Tensor *as_int64(Tensor *index);
const char *cname(const Tensor *t); /* "Float" */
/* PyTorch's error for any dim of a 0-dim tensor where it allows none; NULL. */
Tensor *no_such_dim(int64_t dim);
/* Whether recording an op on x is called for. */
bool records(const Tensor *x);
/* NotImplementedError naming PyTorch's kernel unless t's dtype is floating. */
bool check_float(const Tensor *t, const char *kernel);
bool check_not_bool(const Tensor *t, const char *kernel);

/* Whether low <= i < high for all of index (int64). If not, *outside is the first that is outside, unless an
 * error is pending. */
bool all_within(Tensor *index, int64_t low, int64_t high, int64_t *outside);

/* scatter_reduce into x; widely: 16-bit floats are rounded once instead of after each element. */
Tensor *scatter_reduced(Tensor *x, int64_t dim, Tensor *index, Tensor *src, int64_t reduce, bool include_self,
                        bool widely);
/* Refuses to expand x to sizes of fewer dims than it has; NULL. */
Tensor *fewer_sizes(const Tensor *x, const Dims *size);

/* x where offsets (int64, one dim, in elements of x's strides) name slices of x without its indexed dims:
 * out is (offsets, …rest). */
bool take_slices(Tensor *rest, Tensor *offsets, Tensor *out);
/* The same the other way: slices of rest overwritten by values (offsets, …rest), or values added to them. */
bool put_slices(Tensor *rest, Tensor *offsets, Tensor *values, bool accumulate);

#endif
