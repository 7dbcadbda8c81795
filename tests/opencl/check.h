/* check.h - helpers of the OpenCL tests: making operands, and comparing what two devices answer. */
#ifndef TIDE_TESTS_OPENCL_CHECK_H
#define TIDE_TESTS_OPENCL_CHECK_H

#include "engine/engine.h"

extern const Device cpu, gpu; /* gpu: opencl:0 */

/* Hundreds of small kernels: compiled without optimisation on CPU devices, in a third of the time; false: as
 * users have it. */
void compile_quickly(bool quickly);
/* Numbers from lo to hi in an order that looks random, the same each time; whole ones for integers; bools by
 * turns. */
Tensor *operand(const Dims *shape, DType dtype, double lo, double hi);
/* A copy on opencl:0 with t's geometry: strides of 0, steps and all. */
Tensor *moved(Tensor *t);
/* Fails the running test, naming what, unless both are missing with the same error, or both are there with
 * the same shape, dtype and elements, but for `tolerance` (relative, and absolute below 1) times the dtype's
 * precision. */
void same_answer(const char *what, Tensor *on_cpu, Tensor *on_gpu, double tolerance);
/* Records the error of whichever device comes first, for same_answer; call between the two. */
void first_is_done(void);
/* Fails the test when an error is pending. */
void expect_fine(const char *what);
/* The pending error must be kind with exactly this text; clears it. */
void expect_error(const char *kind, const char *text);

#endif
