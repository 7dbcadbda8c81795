/* test_grad.c - first and second derivatives of every row of the op table against finite differences. */
#include "tests/engine/sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <math.h>
#include <cmocka.h>

enum { MAXOPERANDS = 6 };
static const double STEP = 1e-6, TOLERANCE = 2e-5;

static void fail_here(const Sample *s, Layout layout, const char *what)
{
    fail_msg("%s(%s), layout %d: %s%s%s: %s", op_info(s->op)->name, s->text, layout, what,
             tide_failed() ? ": " : "", tide_failed() ? tide_error()->kind : "",
             tide_failed() ? tide_error()->text : "");
}

/* A scalar that every element of the result moves: sum(y * weights). */
static Tensor *weighed(Tensor *y, Tensor *weights) { return op_sum(op_mul(y, weights), NULL, false); }

static Tensor *weights_like(Tensor *y)
{
    Dims shape = tensor_dims(y);
    return sample_uniform(&shape, 0.5, 1.5, DT_F64, LAYOUT_PLAIN);
}

static double value_of(Tensor *t)
{
    double v = NAN;
    tensor_item_double(t, &v);
    return v;
}

/* f of the sample, or (second = true) the weighed sum of its gradients: what is differenced. */
typedef struct Problem {
    Sample *s;
    Tensor *operand[MAXOPERANDS];
    int n;
    Tensor *weights;
    Tensor *again[MAXOPERANDS]; /* weights of the gradients */
    bool second;
} Problem;

static Tensor *evaluate(Problem *p)
{
    Tensor *y = op_apply(p->s->op, p->s->arg);
    if (!y) return NULL;
    if (!p->weights) p->weights = weights_like(y);
    Tensor *f = weighed(y, p->weights);
    if (!p->second || !f) return f;
    Tensor *g[MAXOPERANDS], *sum = tensor_number(0);
    if (!autograd_grad((TensorList){1, &f}, (TensorList){0}, (TensorList){p->n, p->operand}, true, true, true,
                       g))
        return NULL;
    for (int i = 0; i < p->n && sum; i++) {
        if (!g[i]) continue;
        if (!p->again[i]) p->again[i] = weights_like(p->operand[i]);
        sum = op_add(sum, weighed(g[i], p->again[i]));
    }
    return sum;
}

/* Central differences in every element of operand i against `grad` (NULL: zero). */
static bool matches(Problem *p, int i, Tensor *grad, char *why, size_t size)
{
    Tensor *x = p->operand[i];
    double *g = malloc((size_t)(x->numel + 1) * sizeof *g),
           *elements = malloc((size_t)(x->numel + 1) * sizeof *elements);
    for (int64_t k = 0; k < x->numel; k++) g[k] = 0;
    if (grad) tensor_read(grad, g);
    tensor_read(x, elements);
    bool ok = true;
    for (int64_t k = 0; k < x->numel && ok; k++) {
        double f[2];
        for (int side = 0; side < 2; side++) {
            int mark = scope_open();
            double kept = elements[k];
            elements[k] = kept + (side ? STEP : -STEP);
            tensor_write(x, elements);
            f[side] = value_of(evaluate(p));
            elements[k] = kept;
            tensor_write(x, elements);
            scope_close(mark);
        }
        double numeric = (f[1] - f[0]) / (2 * STEP);
        ok = fabs(numeric - g[k]) <= TOLERANCE * (1 + fabs(numeric));
        if (!ok)
            snprintf(why, size, "operand %d, element %lld: %.9g by the formula, %.9g by differences", i,
                     (long long)k, g[k], numeric);
    }
    free(g);
    free(elements);
    return ok;
}

static bool requires_grad_anywhere(Tensor *f) { return f && f->requires_grad; }

/* Some gradients PyTorch cannot differentiate: they are refused in its words. */
static bool refused(void)
{
    if (!tide_failed() || !strstr(tide_error()->text, "is not implemented")) return false;
    tide_error_clear();
    return true;
}

static void check_sample(Sample *s, Layout layout)
{
    Problem p = {.s = s};
    int param[MAXOPERANDS];
    char why[256];
    p.n = sample_operands(s, p.operand, param, MAXOPERANDS);
    if (p.n == 0) return;
    for (int i = 0; i < p.n; i++)
        if (!tensor_set_requires_grad(p.operand[i], true)) fail_here(s, layout, "requires_grad");
    for (int order = 1; order <= 2; order++) {
        p.second = order == 2;
        Tensor *f = evaluate(&p), *g[MAXOPERANDS] = {NULL};
        if (!f && layout != LAYOUT_PLAIN &&
            strncmp(tide_error()->text, "view size is not compatible", 27) == 0) {
            tide_error_clear(); /* not every layout can be viewed */
            return;
        }
        if (!f) fail_here(s, layout, order == 1 ? "forward" : "gradient with create_graph");
        if (order == 1 && !requires_grad_anywhere(f)) return; /* a result of integers, say */
        if (requires_grad_anywhere(f) && !autograd_grad((TensorList){1, &f}, (TensorList){0},
                                                        (TensorList){p.n, p.operand}, false, false, true, g)) {
            if (refused()) return;
            fail_here(s, layout, order == 1 ? "gradient" : "second gradient");
        }
        for (int i = 0; i < p.n; i++)
            if (!matches(&p, i, g[i], why, sizeof why)) {
                char text[320];
                snprintf(text, sizeof text, "%s derivative: %s", order == 1 ? "first" : "second", why);
                fail_here(s, layout, text);
            }
    }
}

static void check_op(void **state)
{
    OpId op = (OpId)(intptr_t)*state;
    generator_seed(generator_default(), 1234 + op);
    tide_error_clear();
    for (Layout layout = 0; layout < LAYOUT_COUNT; layout++) {
        for (int n = 0;; n++) {
            int mark = scope_open();
            Sample s;
            bool more = sample_make(op, n, DT_F64, layout, &s);
            if (tide_failed()) fail_here(&s, layout, "sample");
            if (more) check_sample(&s, layout);
            scope_close(mark);
            if (!more) break;
        }
    }
}

/* Every differentiable row must bring samples, or nothing above would look at it. */
static void rows_have_samples(void **state)
{
    (void)state;
    for (int op = 0; op < OP_COUNT; op++) {
        const OpInfo *info = op_info((OpId)op);
        bool needs = info->format >= FORMAT_VIEW && !info->hidden;
        if (needs && (!info->samples || !*info->samples)) fail_msg("%s has no samples", info->name);
        if (!info->doc || !*info->doc) fail_msg("%s has no doc", info->name);
    }
}

int main(void)
{
    static struct CMUnitTest tests[OP_COUNT + 1];
    static char names[OP_COUNT][64];
    for (int op = 0; op < OP_COUNT; op++) {
        snprintf(names[op], sizeof names[op], "grad %s", op_info((OpId)op)->name);
        tests[op] = (struct CMUnitTest){
            .name = names[op], .test_func = check_op, .initial_state = (void *)(intptr_t)op};
    }
    tests[OP_COUNT] = (struct CMUnitTest){.name = "rows have samples", .test_func = rows_have_samples};
    return _cmocka_run_group_tests("grad", tests, sizeof tests / sizeof *tests, NULL, NULL);
}
