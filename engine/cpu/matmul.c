/* matmul.c - matrix products: floats by BLAS, integers by blocked loops.
 *
 * The kernels mm, bmm, addmm and baddbmm: in[0] (…, m, k), in[1] (…, k, n), out[0] (…, m, n) row-major. The
 * last two strides of an input are as BLAS can read them, one of them 1. mm and bmm write a b; addmm and
 * baddbmm write alpha a b + beta out, alpha and beta from arg[4] and arg[3]; out is not read when beta is 0. */
#include "engine/cpu/blas.h"
#include "engine/cpu/kernels.h"
#include "engine/cpu/threads.h"

#include <cblas.h>
#include <omp.h>
#include <limits.h>
#include <string.h>

typedef struct Gemm {
    DType dtype;
    int64_t m, n, k;
    const void *a, *b;
    void *c;
    int64_t ars, acs, brs, bcs, ldc; /* strides of rows and columns, in elements */
    double alpha, beta;
} Gemm;

/* ---- loops: for integers, and for floats with sizes beyond BLAS's or nothing to add up ---- */

#define T       float
#define NAME(f) f##_f32
#include "engine/cpu/matmul.inc"
#define T       double
#define NAME(f) f##_f64
#include "engine/cpu/matmul.inc"
#define T       uint8_t
#define NAME(f) f##_u8
#include "engine/cpu/matmul.inc"
#define T       int8_t
#define NAME(f) f##_i8
#include "engine/cpu/matmul.inc"
#define T       int16_t
#define NAME(f) f##_i16
#include "engine/cpu/matmul.inc"
#define T       int32_t
#define NAME(f) f##_i32
#include "engine/cpu/matmul.inc"
#define T       int64_t
#define NAME(f) f##_i64
#include "engine/cpu/matmul.inc"

typedef void (*RowsFn)(const Gemm *p, int64_t begin, int64_t end);
static const RowsFn rows_of[DT_COUNT] = {
    [DT_U8] = rows_u8,   [DT_I8] = rows_i8,   [DT_I16] = rows_i16, [DT_I32] = rows_i32,
    [DT_I64] = rows_i64, [DT_F32] = rows_f32, [DT_F64] = rows_f64};

static void rows_range(int64_t begin, int64_t end, void *context)
{
    const Gemm *p = context;
    rows_of[p->dtype](p, begin, end);
}

static bool loop_gemm(const Gemm *p)
{
    int64_t work = p->n * p->k;
    return parallel_for(p->m, 32768 / (work > 0 ? work : 1) + 1, rows_range, (void *)p);
}

/* ---- BLAS ---- */

/* How BLAS is told of a row-major matrix with these strides: as it is, or as the transpose of a row-major
 * one. */
static CBLAS_TRANSPOSE layout(int64_t rows, int64_t cols, int64_t rs, int64_t cs, int *ld)
{
    if ((cs == 1 || cols <= 1) && (rows <= 1 || rs >= (cols > 1 ? cols : 1))) {
        *ld = (int)(rows > 1 ? rs : cols > 1 ? cols : 1);
        return CblasNoTrans;
    }
    *ld = (int)(cols > 1 ? cs : rows > 1 ? rows : 1);
    return CblasTrans;
}

static CBLAS_TRANSPOSE flipped(CBLAS_TRANSPOSE t)
{
    return t == CblasNoTrans ? CblasTrans : CblasNoTrans;
}

/* c (m) = matrix (m, k) times vector, for m or n of 1 */
static void blas_gemv(const Gemm *p, int64_t m, int64_t k, CBLAS_TRANSPOSE trans, const void *matrix, int ld,
                      const void *x, int64_t incx, int64_t incy)
{
    int rows = (int)(trans == CblasNoTrans ? m : k), cols = (int)(trans == CblasNoTrans ? k : m);
    if (p->dtype == DT_F32)
        cblas_sgemv(CblasRowMajor, trans, rows, cols, (float)p->alpha, matrix, ld, x, (int)incx,
                    (float)p->beta, p->c, (int)incy);
    else
        cblas_dgemv(CblasRowMajor, trans, rows, cols, p->alpha, matrix, ld, x, (int)incx, p->beta, p->c,
                    (int)incy);
}

static void blas_dot(const Gemm *p)
{
    int64_t ia = p->acs, ib = p->brs;
    if (p->dtype == DT_F32) {
        float *c = p->c, sum = cblas_sdot((int)p->k, p->a, (int)ia, p->b, (int)ib) * (float)p->alpha;
        *c = p->beta == 0 ? sum : sum + (float)p->beta * *c;
    } else {
        double *c = p->c, sum = cblas_ddot((int)p->k, p->a, (int)ia, p->b, (int)ib) * p->alpha;
        *c = p->beta == 0 ? sum : sum + p->beta * *c;
    }
}

/* A vector's increment for BLAS; that of a single element does not matter. */
static int64_t increment(int64_t n, int64_t stride)
{
    return n > 1 ? stride : 1;
}

/* BLAS takes all threads from 64 x 64 x 64 on, where waking the others costs more than they do; a training step of
 * small layers ran 2.5 times slower so. The setting is kept between calls: changing it is not free either. */
void blas_choose_threads(double work)
{
    int all = get_num_threads(), threads = work < 256. * 256 * 256 ? 1 : all; /* all: asked before it is changed */
    if (!omp_in_parallel() && omp_get_max_threads() != threads) omp_set_num_threads(threads);
}

static void blas_gemm(const Gemm *p)
{
    int lda, ldb;
    blas_choose_threads((double)p->m * (double)p->n * (double)p->k);
    CBLAS_TRANSPOSE ta = layout(p->m, p->k, p->ars, p->acs, &lda),
                    tb = layout(p->k, p->n, p->brs, p->bcs, &ldb);
    if (p->m == 1 && p->n == 1 && p->acs > 0 && p->brs > 0)
        blas_dot(p);
    else if (p->n == 1)
        blas_gemv(p, p->m, p->k, ta, p->a, lda, p->b, increment(p->k, p->brs), increment(p->m, p->ldc));
    else if (p->m == 1)
        blas_gemv(p, p->n, p->k, flipped(tb), p->b, ldb, p->a, increment(p->k, p->acs), 1);
    else if (p->dtype == DT_F32)
        cblas_sgemm(CblasRowMajor, ta, tb, (int)p->m, (int)p->n, (int)p->k, (float)p->alpha, p->a, lda, p->b,
                    ldb, (float)p->beta, p->c, (int)p->ldc);
    else
        cblas_dgemm(CblasRowMajor, ta, tb, (int)p->m, (int)p->n, (int)p->k, p->alpha, p->a, lda, p->b, ldb,
                    p->beta, p->c, (int)p->ldc);
}

/* Beyond this many multiplications of floats (a tenth of a second) a product is done in blocks, and Ctrl-C is
 * looked for between them. BLAS itself goes through k in slabs as thin and packs each anew, so that blocks of many
 * rows cost nothing to speak of. */
#define BLOCK_WORK 5e9

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

/* The part of p from row i, column j and term l on, at most rows x cols x terms. */
static Gemm block_of(const Gemm *p, int64_t i, int64_t rows, int64_t j, int64_t cols, int64_t l, int64_t terms)
{
    int64_t size = (int64_t)dtype_size(p->dtype);
    Gemm block = *p;
    block.m = least(p->m - i, rows);
    block.n = least(p->n - j, cols);
    block.k = least(p->k - l, terms);
    block.a = (const char *)p->a + (i * p->ars + l * p->acs) * size;
    block.b = (const char *)p->b + (l * p->brs + j * p->bcs) * size;
    block.c = (char *)p->c + (i * p->ldc + j) * size;
    block.beta = l == 0 ? p->beta : 1;
    return block;
}

static bool blas_blocks(const Gemm *p)
{
    enum { TERMS = 512, COLS = 16384, LEAST_ROWS = 256 };
    double most = p->dtype == DT_F32 ? BLOCK_WORK : BLOCK_WORK / 2;
    if ((double)p->m * (double)p->n * (double)p->k < 2 * most) {
        blas_gemm(p);
        return true;
    }
    int64_t rows = (int64_t)(most / TERMS / (double)least(p->n, COLS)) / LEAST_ROWS * LEAST_ROWS + LEAST_ROWS;
    for (int64_t j = 0; j < p->n; j += COLS)
        for (int64_t i = 0; i < p->m; i += rows)
            for (int64_t l = 0; l < p->k; l += TERMS) {
                Gemm block = block_of(p, i, rows, j, COLS, l, TERMS);
                if (tide_check_interrupt()) return false;
                blas_gemm(&block);
            }
    return true;
}

/* ---- one product, then batches ---- */

static bool fits_blas(const Gemm *p)
{
    int64_t largest = 0, sizes[] = {p->m, p->n, p->k, p->ars, p->acs, p->brs, p->bcs, p->ldc};
    for (int i = 0; i < 8; i++)
        if (sizes[i] > largest)
            largest = sizes[i];
    return largest <= INT_MAX;
}

static bool gemm(const Gemm *p)
{
    bool is_float = dtype_is_float(p->dtype);
    return is_float && p->k > 0 && fits_blas(p) ? blas_blocks(p) : loop_gemm(p);
}

static Gemm describe(const Call *call, int dims)
{
    const Tensor *a = call->in[0], *b = call->in[1], *c = call->out[0];
    int i = dims - 2, j = dims - 1;
    return (Gemm){
        .dtype = (DType)c->dtype,
        .m = c->shape[i],
        .n = c->shape[j],
        .k = a->shape[j],
        .a = tensor_data(a),
        .b = tensor_data(b),
        .c = tensor_data(c),
        .ars = a->stride[i],
        .acs = a->stride[j],
        .brs = b->stride[i],
        .bcs = b->stride[j],
        .ldc = c->stride[i],
        .alpha = 1,
        .beta = 0,
    };
}

typedef struct Batches {
    Gemm first;
    int64_t a, b, c; /* bytes from one batch to the next */
} Batches;

static Gemm nth(const Batches *all, int64_t i)
{
    Gemm p = all->first;
    p.a = (const char *)p.a + i * all->a;
    p.b = (const char *)p.b + i * all->b;
    p.c = (char *)p.c + i * all->c;
    return p;
}

static void batches_range(int64_t begin, int64_t end, void *context)
{
    for (int64_t i = begin; i < end; i++) {
        Gemm p = nth(context, i);
        if (dtype_is_float(p.dtype) && p.k > 0 && fits_blas(&p))
            blas_gemm(&p);
        else
            rows_of[p.dtype](&p, 0, p.m);
    }
}

static bool batched_gemm(const Call *call, double alpha, double beta)
{
    const Tensor *a = call->in[0], *b = call->in[1], *c = call->out[0];
    int64_t size = (int64_t)dtype_size((DType)c->dtype), count = c->shape[0];
    Batches all = {describe(call, 3), a->stride[0] * size, b->stride[0] * size, c->stride[0] * size};
    all.first.alpha = alpha;
    all.first.beta = beta;
    double work = (double)all.first.m * (double)all.first.n * (double)all.first.k;
    if (work > 128. * 128 * 128 || count == 1) { /* each is worth all threads */
        for (int64_t i = 0; i < count; i++) {
            Gemm p = nth(&all, i);
            if (tide_check_interrupt() || !gemm(&p))
                return false;
        }
        return true;
    }
    return parallel_for(count, (int64_t)(65536 / (work + 64)) + 1, batches_range, &all);
}

bool cpu_mm(const Call *call)
{
    if (call->out[0]->numel == 0)
        return true;
    Gemm p = describe(call, 2);
    return gemm(&p);
}

bool cpu_addmm(const Call *call)
{
    if (call->out[0]->numel == 0)
        return true;
    Gemm p = describe(call, 2);
    p.beta = call->arg[3].f;
    p.alpha = call->arg[4].f;
    return gemm(&p);
}

bool cpu_bmm(const Call *call)
{
    return call->out[0]->numel == 0 || batched_gemm(call, 1, 0);
}

bool cpu_baddbmm(const Call *call)
{
    return call->out[0]->numel == 0 || batched_gemm(call, call->arg[4].f, call->arg[3].f);
}
