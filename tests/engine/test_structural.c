/* test_structural.c - indexing, matrix products, order, losses: values, first gradients, node names and
 * error texts against PyTorch's (structural_goldens.h). Second derivatives are test_grad.c's. */
#include "engine/engine.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const Device cpu = {DEVICE_CPU, 0};
static Tensor *leaves[4]; /* [1] … [3]: the case's leaves */

/* ---- what the cases are written with ---- */

static Tensor *sequence(const Dims *shape, double shift)
{
    Tensor *t = tensor_empty(shape, DT_F64, cpu);
    double *v = calloc((size_t)t->numel + 1, sizeof *v);
    for (int64_t i = 0; i < t->numel; i++)
        v[i] = (double)((i * 7 + 3) % 11 - 5) / 4 + shift;
    assert_true(tensor_write(t, v));
    free(v);
    return t;
}

static Tensor *leaf(int slot, const Dims *shape)
{
    leaves[slot] = sequence(shape, slot / 8.);
    assert_true(tensor_set_requires_grad(leaves[slot], true));
    return leaves[slot];
}

static Tensor *integers(int64_t mod, const Dims *shape)
{
    Tensor *t = tensor_empty(shape, DT_I64, cpu);
    int64_t *v = calloc((size_t)t->numel + 1, sizeof *v);
    for (int64_t i = 0; i < t->numel; i++)
        v[i] = (i * 5 + 2) % mod;
    assert_true(tensor_write(t, v));
    free(v);
    return t;
}

static Tensor *num(double v)
{
    return tensor_number(v);
}

#define V(...)      sequence(DIMS(__VA_ARGS__), 0)
#define P1(...)     leaf(1, DIMS(__VA_ARGS__))
#define P2(...)     leaf(2, DIMS(__VA_ARGS__))
#define P3(...)     leaf(3, DIMS(__VA_ARGS__))
#define U1(...)     op_add(op_mul(P1(__VA_ARGS__), num(0.125)), num(0.5))
#define I(mod, ...) integers(mod, DIMS(__VA_ARGS__))
#define B(...)      op_gt(I(3, __VA_ARGS__), tensor_integer(0))
#define BD(...)     tensor_to(B(__VA_ARGS__), DT_F64, cpu, false)
#define LIST(...)                                                                                            \
    (&(TensorList){(int)(sizeof((Tensor *[]){__VA_ARGS__}) / sizeof(Tensor *)), (Tensor *[]){__VA_ARGS__}})

/* ---- checks ---- */

static void compare(const char *what, Tensor *t, const double **want, const double *end)
{
    Tensor *d = tensor_to(t, DT_F64, cpu, false);
    assert_non_null(d);
    double *got = calloc((size_t)d->numel + 1, sizeof *got);
    assert_true(tensor_read(d, got));
    if (end - *want < d->numel)
        fail_msg("%s: %d elements, expected %d", what, (int)d->numel, (int)(end - *want));
    for (int64_t i = 0; i < d->numel; i++) {
        double w = (*want)[i], distance = fabs(got[i] - w);
        if (!(got[i] == w || distance <= 1e-9 * (1 + fabs(w)) || (isnan(w) && isnan(got[i]))))
            fail_msg("%s: element %d is %.12g, expected %.12g", what, (int)i, got[i], w);
    }
    *want += d->numel;
    free(got);
}

static void check_case(const char *what, Tensor *y, const char *node, const double *want, int count)
{
    char name[100];
    const double *end = want + count;
    if (!y)
        fail_msg("%s: %s: %s", what, tide_error()->kind, tide_error()->text);
    compare(what, y, &want, end);
    Node *fn = tensor_grad_fn(y);
    assert_string_equal(fn ? node_name(fn, name, sizeof name) : "", node);
    if (fn) {
        Dims shape = tensor_dims(y);
        Tensor *g = sequence(&shape, 0), *inputs[3], *grads[3];
        int n = 0;
        for (int slot = 1; slot < 4; slot++)
            if (leaves[slot])
                inputs[n++] = leaves[slot];
        if (!autograd_grad((TensorList){1, &y}, (TensorList){1, &g}, (TensorList){n, inputs}, false, false,
                           false, grads))
            fail_msg("%s: %s: %s", what, tide_error()->kind, tide_error()->text);
        for (int i = 0; i < n; i++)
            compare(what, grads[i], &want, end);
    }
    if (want != end)
        fail_msg("%s: %d numbers too few", what, (int)(end - want));
}

static void values_and_gradients(void **state)
{
    (void)state;
#define CASE(expression, node, ...)                                                                          \
    {                                                                                                        \
        int mark = scope_open();                                                                             \
        memset(leaves, 0, sizeof leaves);                                                                    \
        check_case(#expression, expression, node, (double[]){__VA_ARGS__},                                   \
                   (int)(sizeof((double[]){__VA_ARGS__}) / sizeof(double)));                                 \
        scope_close(mark);                                                                                   \
    }
#define ERROR_CASE(expression, kind, text)
#include "structural_goldens.h"
#undef CASE
#undef ERROR_CASE
}

static void errors(void **state)
{
    (void)state;
#define CASE(expression, node, ...)
#define ERROR_CASE(expression, error_kind, error_text)                                                       \
    {                                                                                                        \
        int mark = scope_open();                                                                             \
        if (expression)                                                                                      \
            fail_msg("%s: no error", #expression);                                                           \
        assert_string_equal(tide_error()->kind, error_kind);                                                 \
        assert_string_equal(tide_error()->text, error_text);                                                 \
        tide_error_clear();                                                                                  \
        scope_close(mark);                                                                                   \
    }
#include "structural_goldens.h"
#undef CASE
#undef ERROR_CASE
}

/* ---- what goldens do not show ---- */

/* Results do not depend on the number of threads: sums of many values at few places, and a long softmax. */
static void threads_change_nothing(void **state)
{
    (void)state;
    int mark = scope_open(), before = get_num_threads();
    Tensor *x = V(50, 300), *values = V(4000, 300), *index = I(50, 4000), *sums[2], *soft[2];
    for (int i = 0; i < 2; i++) {
        set_num_threads(i ? 4 : 1);
        sums[i] = op_index_add(x, 0, index, values, 1);
        soft[i] = op_softmax(values, 0);
    }
    set_num_threads(before);
    assert_memory_equal(tensor_data(sums[0]), tensor_data(sums[1]), (size_t)x->numel * sizeof(double));
    assert_memory_equal(tensor_data(soft[0]), tensor_data(soft[1]), (size_t)values->numel * sizeof(double));
    scope_close(mark);
}

static void second_results(void **state)
{
    (void)state;
    int mark = scope_open();
    int64_t got[8];
    Tensor *y = op_unique(I(4, 6), true, true, true, NULL), *inverse = op_second(), *counts = op_third();
    assert_non_null(y);
    assert_true(tensor_read(inverse, got));
    assert_memory_equal(got, ((int64_t[]){2, 3, 0, 1, 2, 3}), 6 * sizeof *got);
    assert_true(tensor_read(counts, got));
    assert_memory_equal(got, ((int64_t[]){1, 1, 2, 2}), 4 * sizeof *got);
    op_max_dim(V(2, 3), 1, false);
    assert_true(tensor_read(op_second(), got));
    assert_memory_equal(got, ((int64_t[]){1, 1}), 2 * sizeof *got);
    scope_close(mark);
}

/* NaN sorts last, is the maximum, and is no element of anything. */
static void not_a_number(void **state)
{
    (void)state;
    int mark = scope_open();
    int64_t at[4];
    double v;
    Tensor *x = op_div(op_sub(V(4), V(4)), op_sub(I(2, 4), tensor_integer(1))); /* 0/-1 0/0 … */
    assert_non_null(x);
    assert_true(tensor_read(op_argsort(x, 0, false, true), at));
    assert_memory_equal(at, ((int64_t[]){0, 2, 1, 3}), sizeof at);
    assert_true(tensor_item_double(op_max_all(x), &v));
    assert_true(isnan(v));
    assert_true(tensor_item_int(op_argmax(x, NULL, false), at));
    assert_int_equal(at[0], 1);
    assert_true(tensor_item_int(op_count_nonzero(op_isin(x, x, false, false), NULL, false), at));
    assert_int_equal(at[0], 2);
    scope_close(mark);
}

/* Every allocation of an indexed write with gradient may fail: an error, never a crash, and it works again
 * afterwards. */
static void failing_allocations(void **state)
{
    (void)state;
    for (int64_t n = 1; n < 200; n++) {
        int mark = scope_open();
        Tensor *x = P1(4, 3), *index = I(4, 5), *values = V(5, 3);
        memory_fail_after(n);
        Tensor *y = op_index_put(x, LIST(index), values, true);
        y = y ? op_topk(op_softmax(op_mm(y, op_t(x)), 1), 2, -1, true, true) : NULL;
        memory_fail_after(0);
        bool done = y != NULL;
        if (!done)
            assert_true(tide_failed());
        tide_error_clear();
        scope_close(mark);
        if (done)
            return;
    }
    fail_msg("%s", "never succeeded");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_and_gradients),   cmocka_unit_test(errors),
        cmocka_unit_test(threads_change_nothing), cmocka_unit_test(second_results),
        cmocka_unit_test(not_a_number),           cmocka_unit_test(failing_allocations),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
