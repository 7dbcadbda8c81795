/* sample.h - argument lists for rows of the op table, made from their domain and samples columns. */
#ifndef TIDE_TESTS_SAMPLE_H
#define TIDE_TESTS_SAMPLE_H

#include "engine/engine.h"

/* One call of a row. Tensors belong to the innermost scope; lists and dims live in the struct. */
typedef struct Sample {
    OpId op;
    Arg arg[OP_MAXPARAM];
    Dims dims[OP_MAXPARAM];
    TensorList list[OP_MAXPARAM];
    Tensor *members[OP_MAXPARAM][4];
    char text[160]; /* for messages: the sample as written, or the shapes */
} Sample;

/* How float tensors are laid out in memory, so that strided inputs are swept as well. */
typedef enum Layout { LAYOUT_PLAIN, LAYOUT_TRANSPOSED, LAYOUT_STRIDED, LAYOUT_COUNT } Layout;

/* The n-th sample of op with float tensors of this dtype and layout; false when there are no more. */
bool sample_make(OpId op, int n, DType dtype, Layout layout, Sample *s);

/* A float tensor with elements uniform in [lo, hi). */
Tensor *sample_uniform(const Dims *shape, double lo, double hi, DType dtype, Layout layout);

/* The float tensors among the arguments that the row has a derivative for; returns how many. param[i] is their position. */
int sample_operands(const Sample *s, Tensor **out, int *param, int max);
/* The same call with tensor `from` replaced by `to`. */
void sample_replace(Sample *s, const Tensor *from, Tensor *to);

#endif
