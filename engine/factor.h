/* factor.h - inside the engine: what the forwards of lapack.def share. Leading dims are batches. */
#ifndef TIDE_FACTOR_H
#define TIDE_FACTOR_H

#include "engine/structural.h"

/* ---- checks; who is the function as messages name it ---- */

/* float32 or float64. Of other dtypes who speaks first, NULL: it says nothing; then kernel, PyTorch's name
 * of its own, NULL: it has none that would. */
bool check_lapack_dtype(const Tensor *A, const char *who, const char *kernel);
bool check_matrix(const Tensor *A, const char *name, const char *who);
bool check_square(const Tensor *A, const char *who);
/* AX = B, or XA = B, for batches of matrices. */
bool check_equation(const Tensor *A, const Tensor *B, bool left, const char *who);
/* What LAPACK's info other than 0 means. */
typedef enum Failure {
    FAILURE_INVERSE,
    FAILURE_SOLVE,
    FAILURE_LU,
    FAILURE_CHOLESKY,
    FAILURE_SVD,
    FAILURE_EIGEN,
    FAILURE_RANK,
    FAILURE_LDL
} Failure;
/* Infos (…) int32: all 0, or the first that is not as the error. */
bool check_infos(Tensor *info, Failure failure, const char *who);
/* Whether B holds vectors, one a matrix of A, rather than matrices. */
bool holds_vectors(const Tensor *A, const Tensor *B);

/* ---- making tensors; none is recorded ---- */

/* A's dims without the last two. */
Dims batch_dims(const Tensor *A);
Dims with_dim(Dims batch, int64_t n);
Dims with_matrix(Dims batch, int64_t rows, int64_t columns);
/* The batch that two of them broadcast to. */
bool common_batch(const Tensor *A, const Tensor *B, Dims *batch);
/* Fresh matrices (batch…, rows, columns), columns dense, as LAPACK has them; elements undefined. */
Tensor *column_major_new(const Dims *batch, int64_t rows, int64_t columns, const Tensor *like);
/* A broadcast over batch in fresh memory, column-major. */
Tensor *column_major_copy(Tensor *A, const Dims *batch);
/* Fresh memory with x's elements and layout: a recorded result that its derivative reads as an operand. */
Tensor *copy_of(Tensor *x);
/* The distance from 1 to the next number of A's dtype, float32 or float64. */
double epsilon_of(const Tensor *A);
Tensor *infos_new(const Dims *batch, const Tensor *like);
/* A with its last two dims swapped, as a view. */
Tensor *swapped(Tensor *A);

/* ---- with op_* calls: recorded where a gradient is wanted ---- */

Tensor *mT(Tensor *A);
/* The n x n identity in like's dtype and on its device. */
Tensor *identity_like(const Tensor *like, int64_t n);
/* Rows, columns from … to-1 of matrices. */
Tensor *rows_between(Tensor *A, int64_t from, int64_t to);
Tensor *columns_between(Tensor *A, int64_t from, int64_t to);
Tensor *diagonal_of(Tensor *A);
/* v (…, n) as diagonal matrices. */
Tensor *diagonal_matrix(Tensor *v);
/* A with row i, or column i, times v[i]. */
Tensor *times_rows(Tensor *A, Tensor *v);
Tensor *times_columns(Tensor *A, Tensor *v);
Tensor *scaled_by(Tensor *A, double factor);
/* Whether a derivative is to be differentiable again in A: then factors are computed anew, recorded. */
bool differentiates_again(const Tensor *A);

/* ---- LU ---- */

typedef struct LUFactors {
    Tensor *lu, *pivots, *info; /* (…, m, n) column-major, (…, min(m, n)) int32, (…) int32 */
} LUFactors;
bool lu_of(Tensor *A, LUFactors *f);
/* The LU of A, or of its transpose where that spares a copy in another layout: *flipped. */
bool lu_either(Tensor *A, LUFactors *f, bool *flipped);
/* X in AX = B, or A'X = B, B (…, n, k); the result is column-major. */
Tensor *lu_solution(const LUFactors *f, Tensor *B, const Dims *batch, bool transposed);

#endif
