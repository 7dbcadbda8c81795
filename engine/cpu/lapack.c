/* lapack.c - factorisations and solutions of batches of matrices: one kernel a LAPACK routine.
 *
 * Matrices are column-major and dense: strides (…, 1, rows), batch after batch. Outputs that a routine works
 * on in place hold its input already. Infos are LAPACK's, one a matrix; the caller makes them errors. Between
 * two matrices Ctrl-C is looked for. */
#include "engine/cpu/blas.h"
#include "engine/cpu/kernels.h"
#include "engine/cpu/lapack.h"
#include "engine/store.h"

#include <limits.h>
#include <string.h>

/* A tensor of matrices, or of vectors when only one dim is left behind the batch. */
static int64_t rows_of(const Tensor *t) { return t->shape[t->ndim - 2]; }
static int64_t columns_of(const Tensor *t) { return t->shape[t->ndim - 1]; }

/* How many matrices: the product of the dims before the last two. */
static int64_t batch_of(const Tensor *t)
{
    int64_t n = 1;
    for (int d = 0; d < t->ndim - 2; d++) n *= t->shape[d];
    return n;
}

/* LAPACK counts in int, and wants a leading dimension of at least 1. */
static bool sizes_fit(const Tensor *t)
{
    return (rows_of(t) <= INT_MAX && columns_of(t) <= INT_MAX) ||
           tide_refuse("RuntimeError", "matrices beyond %d rows or columns are too large for LAPACK",
                       INT_MAX);
}
static int leading(int64_t rows) { return rows > 1 ? (int)rows : 1; }

/* Before each matrix: `work` multiplications are to come. */
static bool next_matrix(double work)
{
    blas_choose_threads(work);
    return !tide_check_interrupt();
}

static double cube(double n) { return n * n * n; }

/* What a routine wants beside its arguments; given back by scratch_free. */
typedef struct Scratch {
    void *work;
    size_t bytes;
} Scratch;

static bool scratch_alloc(Scratch *s, int64_t n, size_t size)
{
    s->bytes = (size_t)(n > 0 ? n : 1) * size;
    s->work = block_alloc(s->bytes);
    return s->work != NULL;
}

static void scratch_free(Scratch *s)
{
    if (s->work) block_free(s->work, s->bytes);
}

/* sytrs trusts its pivots: from 1 to n, or the negatives of that in pairs. */
static bool are_ldl_pivots(const int *pivots, int n)
{
    bool ok = true;
    for (int i = 0; i < n && ok; i++) {
        bool pair = pivots[i] < 0;
        ok = pivots[i] != 0 && pivots[i] <= n && pivots[i] >= -n &&
             (!pair || (i + 1 < n && pivots[i + 1] < 0));
        ok = ok && (!pair || pivots[i + 1] >= -n);
        i += pair;
    }
    return ok || tide_refuse("RuntimeError", "torch.linalg.ldl_solve: these pivots are not ldl_factor's");
}

#define T         float
#define NAME(f)   f##_f32
#define LAPACK(f) s##f##_
#include "engine/cpu/lapack.inc"
#define T         double
#define NAME(f)   f##_f64
#define LAPACK(f) d##f##_
#include "engine/cpu/lapack.inc"

/* Every row's kernel is the one for its dtype. */
#define BY_DTYPE(row, f)                                                                                     \
    bool cpu_##row(const Call *call)                                                                         \
    {                                                                                                        \
        for (int i = 0; i < call->nout; i++)                                                                 \
            if (call->out[i]->ndim >= 2 && !sizes_fit(call->out[i])) return false;                           \
        return call->compute == DT_F32 ? f##_f32(call) : f##_f64(call);                                      \
    }
BY_DTYPE(linalg_lu_factor_ex, lu_factor)
BY_DTYPE(linalg_lu_solve, lu_solve)
BY_DTYPE(linalg_ldl_factor_ex, ldl_factor)
BY_DTYPE(linalg_ldl_solve, ldl_solve)
BY_DTYPE(linalg_cholesky_ex, cholesky)
BY_DTYPE(cholesky_solve, cholesky_solve)
BY_DTYPE(cholesky_inverse, cholesky_inverse)
BY_DTYPE(linalg_solve_triangular, solve_triangular)
BY_DTYPE(geqrf, geqrf)
BY_DTYPE(linalg_householder_product, householder_product)
BY_DTYPE(ormqr, ormqr)
BY_DTYPE(linalg_eigh, eigh)
BY_DTYPE(linalg_svd, svd)
BY_DTYPE(linalg_lstsq, lstsq)
