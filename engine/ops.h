/* ops.h - inside the engine: running ops, checking their arguments and making their results. */
#ifndef TIDE_OPS_H
#define TIDE_OPS_H

#include "engine/backend.h"

/* Which dtypes an op takes, and in which dtype it computes and answers. */
typedef enum TypeRule {
    TYPES_ANY,       /* every dtype; result in the promoted one */
    TYPES_NOBOOL,    /* every dtype but bool */
    TYPES_FLOAT,     /* integers and bools are computed in the default float */
    TYPES_FLOATWIDE, /* the same, but 16-bit floats are an error */
    TYPES_FLOATONLY, /* integers are an error */
    TYPES_ROUND,     /* integers come back as they are; bool is an error */
    TYPES_INT,       /* bool and integers */
    TYPES_INTONLY,   /* integers */
    TYPES_WHERE,     /* condition first; the others promote */
    TYPES_COMPARE,   /* computed in the promoted dtype, answered in bool */
    TYPES_SUM,       /* reductions: integers and bools give int64 */
    TYPES_BOOLEAN,   /* reductions: anything gives bool (uint8 gives uint8) */
    TYPES_COUNT      /* reductions: anything gives int64 */
} TypeRule;

/* ---- results ---- */

/* A fresh tensor of the innermost scope, storage allocated, elements undefined. NULL and MemoryError/RuntimeError. */
Tensor *result_new(const Dims *shape, DType dtype, Device device);
/* A fresh row-major tensor of x's shape, on the host. */
Tensor *result_as(const Tensor *x, DType dtype);
/* A fresh struct in the innermost scope sharing x's storage, with x's geometry; no autograd. */
Tensor *view_new(const Tensor *x);
/* A shape and dtype without storage. */
Tensor *meta_new(const Tensor *x);
/* Sets numel and contiguous from shape and stride. False (RuntimeError) when numel overflows. */
bool tensor_finish_geometry(Tensor *t);
void dims_contiguous_strides(const Dims *shape, int64_t *stride);
/* x itself if row-major, else a row-major copy; never recorded. */
Tensor *contiguous_plain(Tensor *x);
/* x itself or a copy in another dtype on the same device; never recorded. */
Tensor *converted_plain(Tensor *x, DType dtype);
/* x broadcast to shape as a view (stride 0); never recorded. Shapes must fit. */
Tensor *broadcast_plain(Tensor *x, const Dims *shape);
/* dst's elements become src's, broadcast and converted, across devices too; never recorded, version unchanged. */
bool copy_plain(Tensor *dst, Tensor *src);
bool fill_plain(Tensor *dst, double value);
/* Leaves further results for op_second() and op_third(). */
void results_extra(Tensor *second, Tensor *third);

/* ---- checks: true, or false with PyTorch's error ---- */

bool check_same_device(Tensor *const *in, int n);
bool check_defined(const Tensor *x, const char *name, const char *op);
/* wraps every dim of the list, refuses repeats; NULL or empty gives all dims */
bool wrap_dims(const Dims *dim, int ndim, Dims *out);

/* ---- running ---- */

/* Runs a KERNEL row's kernel on the device of its first output. */
bool kernel_run(OpId op, Tensor *const *in, int nin, Tensor *const *out, int nout, const Arg *arg);
/* Elementwise rows with checks and promotion, not recorded. out NULL: fresh. */
Tensor *elementwise_run(OpId op, Tensor *const *in, int n, Tensor *out);
Tensor *reduce_run(OpId op, Tensor *x, const Dims *dim, bool keepdim);
/* Where an op's result should live: fresh, but laid out as the inputs are when they all agree and are dense. */
bool layout_like(Tensor *const *in, int n, const Dims *shape, int64_t *stride);

/* Forward functions of VIEW, KERNEL and COMPOSED rows: forward_<name>(params), never recorded (grad mode is off inside,
 * except in transparent rows). */
#include "engine/ops/forwards.h"

/* The digit after "Backward" for the node about to be recorded, when the row's default is wrong. */
void node_variant(int variant);

#endif
