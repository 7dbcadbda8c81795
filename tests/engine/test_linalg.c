/* test_linalg.c - first and second derivatives of every result of the factorisations, against finite
 * differences: results beyond the first, and functions that read one triangle of their argument, which
 * test_grad leaves out. */
#include "tests/engine/sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <math.h>
#include <cmocka.h>

static const double STEP = 1e-5, TOLERANCE = 2e-5;

static Tensor *mT(Tensor *x) { return op_transpose(x, -2, -1); }
static Tensor *symmetric(Tensor *x) { return op_add(x, mT(x)); }
/* Positive, with eigenvalues far apart. */
static Tensor *gram(Tensor *x) { return op_matmul(x, mT(x)); }
static Tensor *second(Tensor *first) { return first ? op_second() : NULL; }
static Tensor *third(Tensor *first) { return first ? op_third() : NULL; }

static Tensor *lu_L(Tensor *x) { return second(op_linalg_lu(x, true)); }
static Tensor *lu_U(Tensor *x) { return third(op_linalg_lu(x, true)); }
static Tensor *lu_of(Tensor *x) { return op_linalg_lu_factor(x, true); }
static Tensor *lu_solve(Tensor *x, bool left, bool adjoint)
{
    Tensor *LU = op_linalg_lu_factor(x, true), *pivots = second(LU);
    return op_linalg_lu_solve(LU, pivots, op_mul(x, x), left, adjoint);
}
static Tensor *lu_solve_left(Tensor *x) { return lu_solve(x, true, false); }
static Tensor *lu_solve_right(Tensor *x) { return lu_solve(x, false, false); }
static Tensor *lu_solve_adjoint(Tensor *x) { return lu_solve(x, true, true); }
static Tensor *lu_solve_right_adjoint(Tensor *x) { return lu_solve(x, false, true); }
static Tensor *unpack_L(Tensor *x)
{
    Tensor *LU = op_linalg_lu_factor(x, true), *pivots = second(LU);
    return second(op_linalg_lu_unpack(LU, pivots, true, true));
}
static Tensor *log_determinant(Tensor *x) { return second(op_linalg_slogdet(x)); }
/* Of rank one less: the determinant and its first derivative are found through the singular values. */
static Tensor *singular_det(Tensor *x)
{
    Tensor *rows[] = {op_select(x, -2, 0), op_select(x, -2, 0), op_select(x, -2, 2)};
    return op_linalg_det(op_stack(&(TensorList){3, rows}, -2));
}
static Tensor *cholesky(Tensor *x) { return op_linalg_cholesky(gram(x), false); }
static Tensor *cholesky_upper(Tensor *x) { return op_cholesky(gram(x), true); }
static Tensor *cholesky_solve(Tensor *x) { return op_cholesky_solve(x, op_tril(x, 0), false); }
static Tensor *cholesky_inverse(Tensor *x)
{
    return op_cholesky_inverse(op_linalg_cholesky(gram(x), false), false);
}
static Tensor *qr_Q(Tensor *x) { return op_linalg_qr(x, 0); }
static Tensor *qr_R(Tensor *x) { return second(op_linalg_qr(x, 0)); }
static Tensor *eigh_L(Tensor *x) { return op_linalg_eigh(symmetric(x), false, true); }
static Tensor *eigh_V(Tensor *x) { return second(op_linalg_eigh(symmetric(x), true, true)); }
static Tensor *svd_U(Tensor *x) { return op_linalg_svd(x, 1); }
static Tensor *svd_S(Tensor *x) { return second(op_linalg_svd(x, 1)); }
static Tensor *svd_Vh(Tensor *x) { return third(op_linalg_svd(x, 1)); }
static Tensor *pinv_hermitian(Tensor *x) { return op_linalg_pinv(symmetric(x), NULL, NULL, true); }
static Tensor *lstsq(Tensor *x)
{
    Tensor *B = op_mul(x, x), *X = op_linalg_lstsq(x, B, NAN, 1);
    return op_linalg_lstsq_solution(x, B, X ? op_narrow(X, -2, 0, x->shape[x->ndim - 1]) : NULL);
}
static Tensor *residuals(Tensor *x)
{
    int64_t m = x->shape[x->ndim - 2], n = x->shape[x->ndim - 1];
    Tensor *B = op_exp(op_mul(x, tensor_number(0.3))), *X = op_linalg_lstsq(x, B, NAN, 0);
    Tensor *rest = X ? op_narrow(X, -2, n, m - n) : NULL;
    return op_linalg_lstsq_residuals(x, B, op_sum(op_mul(rest, rest), DIMS(-2), false));
}
static Tensor *large_exp(Tensor *x) { return op_linalg_matrix_exp(op_mul(x, tensor_number(0.2))); }

typedef struct Case {
    const char *name;
    Tensor *(*f)(Tensor *x);
    Dims shape;
} Case;

#define SQUARE                                                                                               \
    {                                                                                                        \
        2, { 3, 3 }                                                                                          \
    }
#define BATCH                                                                                                \
    {                                                                                                        \
        3, { 2, 3, 3 }                                                                                       \
    }
#define TALL                                                                                                 \
    {                                                                                                        \
        2, { 4, 3 }                                                                                          \
    }
#define WIDE                                                                                                 \
    {                                                                                                        \
        3, { 2, 3, 4 }                                                                                       \
    }
static const Case cases[] = {{"lu L", lu_L, BATCH},
                             {"lu L tall", lu_L, TALL},
                             {"lu L wide", lu_L, WIDE},
                             {"lu U", lu_U, BATCH},
                             {"lu U tall", lu_U, TALL},
                             {"lu U wide", lu_U, WIDE},
                             {"lu_factor", lu_of, SQUARE},
                             {"lu_factor tall", lu_of, TALL},
                             {"lu_factor wide", lu_of, WIDE},
                             {"lu_solve", lu_solve_left, BATCH},
                             {"lu_solve right", lu_solve_right, SQUARE},
                             {"lu_solve adjoint", lu_solve_adjoint, SQUARE},
                             {"lu_solve right adjoint", lu_solve_right_adjoint, SQUARE},
                             {"lu_unpack L", unpack_L, SQUARE},
                             {"slogdet", log_determinant, BATCH},
                             {"det singular", singular_det, SQUARE},
                             {"cholesky", cholesky, BATCH},
                             {"cholesky upper", cholesky_upper, SQUARE},
                             {"cholesky_solve", cholesky_solve, BATCH},
                             {"cholesky_inverse", cholesky_inverse, SQUARE},
                             {"qr Q", qr_Q, BATCH},
                             {"qr Q tall", qr_Q, TALL},
                             {"qr Q wide", qr_Q, WIDE},
                             {"qr R", qr_R, BATCH},
                             {"qr R tall", qr_R, TALL},
                             {"qr R wide", qr_R, WIDE},
                             {"eigh L", eigh_L, BATCH},
                             {"eigh V", eigh_V, BATCH},
                             {"svd U", svd_U, BATCH},
                             {"svd U tall", svd_U, TALL},
                             {"svd U wide", svd_U, WIDE},
                             {"svd S", svd_S, BATCH},
                             {"svd S tall", svd_S, TALL},
                             {"svd Vh", svd_Vh, BATCH},
                             {"svd Vh tall", svd_Vh, TALL},
                             {"svd Vh wide", svd_Vh, WIDE},
                             {"pinv hermitian", pinv_hermitian, SQUARE},
                             {"lstsq", lstsq, BATCH},
                             {"lstsq tall", lstsq, TALL},
                             {"lstsq residuals", residuals, TALL},
                             {"matrix_exp", large_exp, BATCH}};

/* sum(f(x) * weights), or the weighed sum of its gradient. */
typedef struct Problem {
    const Case *c;
    Tensor *x, *weights, *again;
    bool second;
} Problem;

static Tensor *weighed(Tensor *y, Tensor **weights)
{
    if (!y) return NULL;
    Dims shape = tensor_dims(y);
    if (!*weights) *weights = sample_uniform(&shape, 0.5, 1.5, DT_F64, LAYOUT_PLAIN);
    return op_sum(op_mul(y, *weights), NULL, false);
}

static Tensor *evaluate(Problem *p)
{
    Tensor *f = weighed(p->c->f(p->x), &p->weights), *g = NULL;
    if (!f || !p->second) return f;
    if (!autograd_grad((TensorList){1, &f}, (TensorList){0}, (TensorList){1, &p->x}, true, true, true, &g))
        return NULL;
    return weighed(g, &p->again);
}

static double value_at(Problem *p, double *elements, int64_t k, double step)
{
    int mark = scope_open();
    double kept = elements[k], v = NAN;
    elements[k] = kept + step;
    tensor_write(p->x, elements);
    tensor_item_double(evaluate(p), &v);
    elements[k] = kept;
    tensor_write(p->x, elements);
    scope_close(mark);
    return v;
}

static void check_order(Problem *p)
{
    enum { MOST = 64 };
    double elements[MOST], formula[MOST] = {0};
    Tensor *f = evaluate(p), *g = NULL;
    if (!f) fail_msg("%s: %s", p->c->name, tide_failed() ? tide_error()->text : "no result");
    if (f->requires_grad &&
        !autograd_grad((TensorList){1, &f}, (TensorList){0}, (TensorList){1, &p->x}, false, false, true, &g))
        fail_msg("%s: %s", p->c->name, tide_failed() ? tide_error()->text : "no gradient");
    tensor_read(p->x, elements);
    if (g) tensor_read(g, formula);
    for (int64_t k = 0; k < p->x->numel; k++) {
        double numeric = (value_at(p, elements, k, STEP) - value_at(p, elements, k, -STEP)) / (2 * STEP);
        if (!(fabs(numeric - formula[k]) <= TOLERANCE * (1 + fabs(numeric))))
            fail_msg("%s, order %d, element %lld: %.9g by the formula, %.9g by differences", p->c->name,
                     1 + p->second, (long long)k, formula[k], numeric);
    }
}

static Tensor *operand(const Case *c)
{
    generator_seed(generator_default(), 7);
    Tensor *x = sample_uniform(&c->shape, -1, 1, DT_F64, LAYOUT_PLAIN);
    int64_t m = x->shape[x->ndim - 2], n = x->shape[x->ndim - 1];
    /* diagonals of 3, 4, 5: regular, and with values far apart */
    Tensor *places = tensor_arange(3, (double)n + 3, 1, DT_F64, x->device);
    x = op_add(x, op_mul(tensor_eye(m, n, DT_F64, x->device), places));
    assert_true(x && tensor_set_requires_grad(x, true));
    return x;
}

static void check_case(void **state)
{
    Problem p = {.c = *state};
    int mark = scope_open();
    tide_error_clear();
    p.x = operand(p.c);
    check_order(&p);
    p.second = true;
    check_order(&p);
    scope_close(mark);
}

/* Whatever allocation fails, that is an error and no more. */
static void check_memory(void **state)
{
    int mark = scope_open();
    tide_error_clear();
    Problem p = {.c = *state, .x = operand(*state)};
    for (int n = 1;; n++) {
        int inner = scope_open();
        memory_fail_after(n);
        Tensor *f = p.c->f(p.x), *g = NULL;
        bool ok = f && autograd_grad((TensorList){1, (Tensor *[]){op_sum(f, NULL, false)}}, (TensorList){0},
                                     (TensorList){1, &p.x}, false, false, true, &g);
        memory_fail_after(0);
        if (!ok && !tide_failed()) fail_msg("%s: allocation %d failed without an error", p.c->name, n);
        tide_error_clear();
        scope_close(inner);
        if (ok) break;
    }
    scope_close(mark);
}

int main(void)
{
    enum { N = sizeof cases / sizeof *cases };
    static struct CMUnitTest tests[2 * N];
    for (int i = 0; i < 2 * N; i++)
        tests[i] = (struct CMUnitTest){.name = cases[i / 2].name,
                                       .test_func = i % 2 ? check_memory : check_case,
                                       .initial_state = (void *)(intptr_t)&cases[i / 2]};
    return _cmocka_run_group_tests("linalg", tests, 2 * N, NULL, NULL);
}
