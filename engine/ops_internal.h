/* ops_internal.h - what ops.c (running) needs from infer.c (checks and result types). */
#ifndef TIDE_OPS_INTERNAL_H
#define TIDE_OPS_INTERNAL_H

#include "engine/ops.h"

/* The dtype an elementwise row computes in and the one it answers in; false with PyTorch's error. out is what it will
 * write in place, or NULL: what does not fit it is refused before a dtype that has no kernel. */
bool elementwise_types(OpId op, Tensor *const *in, int n, const Tensor *out, DType *compute, DType *result);
/* The shape that all of in broadcast to. */
bool broadcast_all(Tensor *const *in, int n, Dims *shape);
/* In-place and out=: op's result must fit what is there. */
bool check_output(OpId op, Tensor *const *in, int n, const Tensor *out, DType result);
bool reduce_types(OpId op, const Tensor *x, DType *compute, DType *result);
/* Reductions of nothing: only those with an identity have an answer. dim NULL: none was given. */
bool check_empty_reduction(OpId op, const Tensor *x, const Dims *dim, const Dims *wrapped);
/* The device of the inputs, plain numbers and 0-dim CPU tensors giving way to the others. */
Device common_device(Tensor *const *in, int n);
/* Refuses tensors whose elements share memory (expanded ones). */
bool check_writable(const Tensor *out);
/* Inputs that share memory with out otherwise than element by element are an error, as in PyTorch. */
bool separate_overlaps(Tensor **in, int n, const Tensor *out);
/* Integer division by zero and negative integer powers. */
bool check_divisor(OpId op, Tensor *const *in, int n, DType compute);
/* A cheaper row with the same result for these operands (x ** 2 is a square); *n is its number of inputs. */
OpId simpler_op(OpId op, Tensor *const *in, int *n);
/* Between devices. */
bool copy_across(Tensor *dst, Tensor *src);
/* Runs op's loops on in (any shapes that broadcast to out's), computing in `compute`. */
bool elementwise_call(OpId op, Tensor *const *in, int n, Tensor *out, DType compute);

/* Watching (observe.c): around each op while op_observer is set; after each that failed. */
extern OpObserver op_observer;
void observe_begin(void);
void observe_end(OpId op, const Arg *arg, Tensor *result, bool in_place);
void observe_failure(OpId op, const Arg *arg, bool in_place);

#endif
