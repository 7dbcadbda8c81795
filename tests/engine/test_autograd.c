/* test_autograd.c - the graph from C: accumulation, in-place rules, views, hooks, long chains, failing allocations. */
#include "engine/engine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const Device cpu = {DEVICE_CPU, 0};

static Tensor *vec(int n, const float *v)
{
    Tensor *t = tensor_empty(DIMS(n), DT_F32, cpu);
    assert_true(tensor_write(t, v));
    return t;
}
#define VEC(...) vec((int)(sizeof((float[]){__VA_ARGS__}) / sizeof(float)), (float[]){__VA_ARGS__})

static Tensor *leaf(Tensor *t)
{
    assert_true(tensor_set_requires_grad(t, true));
    return t;
}

static void backward(Tensor *y)
{
    assert_non_null(y);
    if (!autograd_backward((TensorList){1, &y}, (TensorList){0}, false, false, NULL))
        fail_msg("%s: %s", tide_error()->kind, tide_error()->text);
}

static void expect(Tensor *t, const char *repr)
{
    assert_non_null(t);
    char *s = tensor_repr(t);
    assert_string_equal(s, repr);
    free(s);
}

static void expect_error(const char *kind, const char *text)
{
    assert_true(tide_failed());
    assert_string_equal(tide_error()->kind, kind);
    assert_string_equal(tide_error()->text, text);
    tide_error_clear();
}

static int opened;
static int open_scope(void **state)
{
    (void)state;
    tide_error_clear();
    opened = scope_open();
    return 0;
}
static int shut_scope(void **state)
{
    (void)state;
    scope_close(opened);
    return 0;
}

static void gradients_accumulate(void **state)
{
    (void)state;
    Tensor *x = leaf(VEC(1, 2, 3));
    backward(op_sum(op_mul(x, x), NULL, false));
    expect(tensor_grad(x), "tensor([2., 4., 6.])");
    backward(op_sum(op_mul(x, tensor_number(10)), NULL, false));
    expect(tensor_grad(x), "tensor([12., 14., 16.])");
}

static void second_and_third_derivatives(void **state)
{
    (void)state;
    Tensor *x = leaf(VEC(2)), *y = op_pow(x, tensor_number(4)), *g = NULL;
    for (int i = 0; i < 3; i++) {
        assert_true(
            autograd_grad((TensorList){1, &y}, (TensorList){0}, (TensorList){1, &x}, true, true, false, &g));
        y = g;
    }
    expect(tensor_detach(g), "tensor([48.])");
}

static void backward_twice_is_refused(void **state)
{
    (void)state;
    Tensor *x = leaf(VEC(1, 2)), *y = op_sum(op_mul(x, x), NULL, false);
    backward(y);
    assert_false(autograd_backward((TensorList){1, &y}, (TensorList){0}, false, false, NULL));
    expect_error("RuntimeError", "Trying to backward through the graph a second time (or directly access "
                                 "saved tensors after they have already been "
                                 "freed). Saved intermediate values of the graph are freed when you call "
                                 ".backward() or autograd.grad(). Specify "
                                 "retain_graph=True if you need to backward through the graph a second time "
                                 "or if you need to access saved tensors "
                                 "after calling backward.");
}

static void overwriting_what_was_saved_is_noticed(void **state)
{
    (void)state;
    Tensor *x = leaf(VEC(1, 2)), *y = op_exp(x);
    assert_non_null(op_apply_inplace(OP_add, (Arg[]){{.t = y}, {.t = tensor_number(1)}}));
    Tensor *s = op_sum(y, NULL, false);
    assert_false(autograd_backward((TensorList){1, &s}, (TensorList){0}, false, false, NULL));
    expect_error("RuntimeError", "one of the variables needed for gradient computation has been modified by "
                                 "an inplace operation: [torch.FloatTensor "
                                 "[2]], which is output 0 of Exp, is at version 1; expected version 0 "
                                 "instead. Hint: enable anomaly detection "
                                 "to find the operation that failed to compute its gradient, with "
                                 "torch.autograd.set_detect_anomaly(True, check_nan=False).");
}

static void leaves_are_not_written_in_place(void **state)
{
    (void)state;
    Tensor *x = leaf(VEC(1, 2));
    assert_null(op_apply_inplace(OP_add, (Arg[]){{.t = x}, {.t = tensor_number(1)}}));
    expect_error("RuntimeError",
                 "a leaf Variable that requires grad is being used in an in-place operation.");
    assert_null(op_apply_inplace(OP_add, (Arg[]){{.t = op_select(x, 0, 0)}, {.t = tensor_number(1)}}));
    expect_error("RuntimeError",
                 "a view of a leaf Variable that requires grad is being used in an in-place operation.");
}

static void writes_through_views_reach_the_base(void **state)
{
    (void)state;
    Tensor *x = leaf(VEC(1, 2, 3)), *w = leaf(VEC(5)), *y = op_mul(x, tensor_number(2));
    Tensor *window = op_slice(y, 0, 1, 2, 1);
    assert_non_null(op_apply_inplace(OP_mul, (Arg[]){{.t = window}, {.t = w}}));
    expect(y, "tensor([ 2., 20.,  6.], grad_fn=<CopySlices>)");
    expect(window, "tensor([20.], grad_fn=<AsStridedBackward0>)");
    backward(op_sum(y, NULL, false));
    expect(tensor_grad(x), "tensor([ 2., 10.,  2.])");
    expect(tensor_grad(w), "tensor([4.])");
}

static void a_plain_base_gets_a_graph_by_assignment(void **state)
{
    (void)state;
    Tensor *x = leaf(VEC(3)), *z = tensor_zeros(DIMS(4), DT_F32, cpu);
    assert_non_null(tensor_copy_(op_slice(z, 0, 2, 3, 1), x));
    expect(z, "tensor([0., 0., 3., 0.], grad_fn=<CopySlices>)");
    backward(op_sum(op_mul(z, z), NULL, false));
    expect(tensor_grad(x), "tensor([6.])");
}

static void a_part_copied_within_its_base_counts_twice(void **state)
{
    (void)state;
    Tensor *x = leaf(VEC(1, 1)), *z = tensor_zeros(DIMS(4), DT_F32, cpu);
    assert_non_null(tensor_copy_(op_slice(z, 0, 0, 2, 1), x));
    assert_non_null(tensor_copy_(op_slice(z, 0, 2, 4, 1), op_slice(z, 0, 0, 2, 1)));
    backward(op_sum(z, NULL, false));
    expect(tensor_grad(x), "tensor([2., 2.])");
}

static void in_place_history_is_kept(void **state)
{
    (void)state;
    Tensor *x = leaf(VEC(1, 2)), *y = op_mul(x, tensor_number(3));
    assert_non_null(op_apply_inplace(OP_mul, (Arg[]){{.t = y}, {.t = x}}));
    assert_non_null(op_apply_inplace(OP_sigmoid, (Arg[]){{.t = y}}));
    backward(op_sum(y, NULL, false));
    expect(tensor_grad(x), "tensor([2.7106e-01, 7.4386e-05])");
}

static Tensor *doubled(Tensor *g, void *context)
{
    (*(int *)context)++;
    return op_mul(g, tensor_number(2));
}

static void hooks_see_and_replace_gradients(void **state)
{
    (void)state;
    int calls = 0;
    Tensor *x = leaf(VEC(1, 2)), *y = op_mul(x, x);
    int id = tensor_register_hook(y, doubled, NULL, &calls);
    assert_true(id > 0);
    assert_true(tensor_retain_grad(y));
    Tensor *s = op_sum(y, NULL, false);
    assert_true(autograd_backward((TensorList){1, &s}, (TensorList){0}, true, false, NULL));
    expect(tensor_grad(x), "tensor([4., 8.])");
    expect(tensor_grad(y), "tensor([2., 2.])");
    tensor_remove_hook(y, id);
    assert_true(tensor_set_grad(x, NULL));
    backward(s);
    expect(tensor_grad(x), "tensor([2., 4.])");
    assert_int_equal(calls, 1);
}

static void unused_inputs(void **state)
{
    (void)state;
    Tensor *x = leaf(VEC(1)), *other = leaf(VEC(1)), *y = op_mul(x, x), *g = NULL;
    assert_false(
        autograd_grad((TensorList){1, &y}, (TensorList){0}, (TensorList){1, &other}, true, false, false, &g));
    expect_error("RuntimeError", "One of the differentiated Tensors appears to not have been used in the "
                                 "graph. Set allow_unused=True if "
                                 "this is the desired behavior.");
    assert_true(
        autograd_grad((TensorList){1, &y}, (TensorList){0}, (TensorList){1, &other}, true, false, true, &g));
    assert_null(g);
    assert_null(tensor_grad(x));
}

static void a_million_ops_run_backward(void **state)
{
    (void)state;
    Tensor *x = leaf(VEC(1)), *y = tensor_keep(op_mul(x, tensor_number(1)));
    for (int i = 1; i < 1000000; i++) {
        int mark = scope_open();
        Tensor *next = tensor_keep(op_add(y, tensor_number(0)));
        scope_close(mark);
        tensor_release(y);
        y = next;
        assert_non_null(y);
    }
    backward(y);
    expect(tensor_grad(x), "tensor([1.])");
    tensor_release(y);
}

static void broadcasting_is_undone(void **state)
{
    (void)state;
    Tensor *x = leaf(op_reshape(VEC(1, 2), DIMS(2, 1))), *y = leaf(VEC(1, 2, 3));
    backward(op_sum(op_mul(tensor_set_requires_grad(x, true) ? x : NULL, y), NULL, false));
    expect(tensor_grad(x), "tensor([[6.],\n        [6.]])");
    expect(tensor_grad(y), "tensor([3., 3., 3.])");
}

/* ---- custom nodes and hooks of nodes ---- */

/* d (2x, 3x) / dx, and how often its context was used up and freed. */
typedef struct Doubling {
    int released, freed;
} Doubling;

static bool doubling_backward(void *context, Node *n, Tensor *const *g, Tensor **grads)
{
    (void)context;
    assert_int_equal(node_output_count(n), 2);
    grads[0] = op_add(op_mul(g[0], tensor_number(2)), op_mul(g[1], tensor_number(3)));
    return grads[0] != NULL;
}

static void doubling_release(void *context) { ((Doubling *)context)->released++; }
static void doubling_free(void *context) { ((Doubling *)context)->freed++; }

/* y[0] = 2x and y[1] = 3x as one node. The context's owner on failure is the caller. */
static bool record_doubling(Tensor *x, Tensor **y, Doubling *d)
{
    CustomFunction f = {"DoublingBackward", doubling_backward, doubling_release, doubling_free, d, true};
    bool was = set_grad_enabled(false);
    y[0] = op_mul(x, tensor_number(2));
    y[1] = op_mul(x, tensor_number(3));
    set_grad_enabled(was);
    return y[0] && y[1] &&
           autograd_custom(&f, (TensorList){2, y}, (bool[]){true, true}, (TensorList){1, &x});
}

static void a_custom_node_has_several_results(void **state)
{
    (void)state;
    char name[64];
    static Doubling d; /* the scope, and the node with it, outlive this function */
    Tensor *x = leaf(VEC(1, 2)), *y[2];
    assert_true(record_doubling(x, y, &d));
    assert_string_equal(node_name(tensor_grad_fn(y[1]), name, sizeof name), "DoublingBackward");
    assert_ptr_equal(tensor_grad_fn(y[0]), tensor_grad_fn(y[1]));
    assert_int_equal(tensor_output_nr(y[1]), 1);
    assert_ptr_equal(node_context(tensor_grad_fn(y[0]), doubling_backward), &d);
    backward(op_sum(y[1], NULL, false)); /* y[0]'s gradient is zeros */
    expect(tensor_grad(x), "tensor([3., 3.])");
    backward(op_sum(op_mul(y[0], y[1]), NULL, false));
    expect(tensor_grad(x), "tensor([15., 27.])");
    assert_int_equal(d.released, 2);
    assert_int_equal(d.freed, 0);
}

static bool count_and_double(void *context, Tensor **in, int nin, Tensor **out, int nout)
{
    (*(int *)context)++;
    assert_int_equal(nout, 1);
    Tensor **last = in ? in : out;
    assert_int_equal(nin, in ? 2 : 0);
    return (last[0] = op_mul(last[0], tensor_number(2))) != NULL;
}

static void nodes_have_hooks(void **state)
{
    (void)state;
    int calls = 0;
    Tensor *x = leaf(VEC(1, 2)), *y = op_mul(x, x);
    int before = node_register_hook(tensor_grad_fn(y), true, count_and_double, NULL, &calls);
    int after = node_register_hook(tensor_grad_fn(y), false, count_and_double, NULL, &calls);
    Tensor *s = op_sum(y, NULL, false);
    assert_true(autograd_backward((TensorList){1, &s}, (TensorList){0}, true, false, NULL));
    expect(tensor_grad(x), "tensor([ 6., 12.])"); /* twice 2x, of which one half twice */
    node_remove_hook(tensor_grad_fn(y), before);
    node_remove_hook(tensor_grad_fn(y), after);
    assert_true(tensor_set_grad(x, NULL));
    backward(s);
    expect(tensor_grad(x), "tensor([2., 4.])");
    assert_int_equal(calls, 2);
}

static void a_window_of_a_transposed_base(void **state)
{
    (void)state;
    Tensor *x = leaf(VEC(1, 2, 3)), *base = op_transpose(tensor_zeros(DIMS(2, 3), DT_F32, cpu), 0, 1);
    base = tensor_detach(base); /* (3, 2), strides (1, 3), and a base of its own */
    Tensor *row = op_select(base, 1, 1);
    assert_non_null(op_apply_inplace(OP_add, (Arg[]){{.t = row}, {.t = x}}));
    backward(op_sum(op_mul(base, op_reshape(VEC(1, 2, 3, 4, 5, 6), DIMS(3, 2))), NULL, false));
    expect(tensor_grad(x), "tensor([2., 4., 6.])");
}

/* One round of work that allocates in every way; NULL when any allocation failed. */
static bool work(void)
{
    static Doubling d;
    int mark = scope_open();
    Tensor *x = tensor_zeros(DIMS(40, 3), DT_F32, cpu);
    bool ok = x && tensor_uniform_(x, 0, 1, NULL) && tensor_set_requires_grad(x, true);
    Tensor *parts[2] = {ok ? op_select(x, 1, 0) : NULL, ok ? op_select(x, 1, 1) : NULL};
    Tensor *both = parts[0] && parts[1] ? op_cat(&(TensorList){2, parts}, 0) : NULL;
    Tensor *two[2] = {NULL, NULL}, *base = ok ? tensor_zeros(DIMS(40, 3), DT_F32, cpu) : NULL;
    base = base ? tensor_detach(op_transpose(base, 0, 1)) : NULL;
    ok = both && record_doubling(both, two, &d) && base &&
         op_apply_inplace(OP_add, (Arg[]){{.t = op_select(base, 0, 0)}, {.t = parts[0]}});
    Tensor *sum = ok ? op_add(op_sum(op_mul(two[0], two[1]), NULL, false), op_sum(base, NULL, false)) : NULL;
    Tensor *y = sum ? op_add(op_mean(op_exp(op_mul(both, both)), NULL, false), sum) : NULL;
    ok = y && autograd_backward((TensorList){1, &y}, (TensorList){0}, false, false, NULL);
    char *text = ok ? tensor_repr(x) : NULL;
    ok = text != NULL;
    free(text);
    scope_close(mark);
    return ok;
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    size_t before = memory_use().live;
    for (int n = 1;; n++) {
        memory_trim();
        memory_fail_after(n);
        bool ok = work();
        memory_fail_after(0);
        assert_int_equal(memory_use().live, before);
        if (ok) break;
        assert_true(tide_failed());
        assert_string_equal(tide_error()->kind, "RuntimeError");
        tide_error_clear();
        assert_true(n < 10000);
    }
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, open_scope, shut_scope)
int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(gradients_accumulate),
        CASE(second_and_third_derivatives),
        CASE(backward_twice_is_refused),
        CASE(overwriting_what_was_saved_is_noticed),
        CASE(leaves_are_not_written_in_place),
        CASE(writes_through_views_reach_the_base),
        CASE(a_plain_base_gets_a_graph_by_assignment),
        CASE(in_place_history_is_kept),
        CASE(a_part_copied_within_its_base_counts_twice),
        CASE(hooks_see_and_replace_gradients),
        CASE(unused_inputs),
        CASE(a_million_ops_run_backward),
        CASE(broadcasting_is_undone),
        CASE(a_custom_node_has_several_results),
        CASE(nodes_have_hooks),
        CASE(a_window_of_a_transposed_base),
        CASE(every_allocation_may_fail),
    };
    return cmocka_run_group_tests_name("autograd", tests, NULL, NULL);
}
