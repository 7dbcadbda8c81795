/* test_rows.c - every elementwise and reduction row: OpenCL's answer beside the CPU's. */
#include "check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static int operands(OpFormat f)
{
    switch (f) {
    case FORMAT_UNARY:
    case FORMAT_TEST: return 1;
    case FORMAT_BINARY:
    case FORMAT_COMPARE: return 2;
    case FORMAT_TERNARY: return 3;
    default: return 0;
    }
}

/* In units of the last place: OpenCL allows single-precision functions up to 16 (tgamma and lgamma more). */
static double allowed(const char *name)
{
    static const char *const loose[] = {"lgamma", "digamma",      "polygamma", "pow", "pow_backward_base",
                                        "mish",   "silu_backward"};
    for (size_t i = 0; i < sizeof loose / sizeof *loose; i++)
        if (strcmp(name, loose[i]) == 0) return 64;
    return 16;
}

/* Runs op on both devices. conditions are bool where the row wants them. */
static void check_row(OpId op, DType dtype, const Dims *shape)
{
    const OpInfo *info = op_info(op);
    char what[128];
    int n = operands(info->format), mark = scope_open();
    Arg here[3], there[3];
    snprintf(what, sizeof what, "%s of %s", info->name, dtype_name(dtype));
    for (int i = 0; i < n; i++) {
        bool condition = op == OP_where && i == 0;
        here[i].t = operand(shape, condition ? DT_BOOL : dtype, info->lo, info->hi);
        if (strcmp(info->name, "polygamma") == 0 && i == 0) here[i].t = op_round(here[i].t);
        there[i].t = moved(here[i].t);
    }
    expect_fine("operands");
    Tensor *a = op_apply(op, here);
    first_is_done();
    same_answer(what, a, op_apply(op, there), allowed(info->name));
    scope_close(mark);
}

/* 19: two vectors of eight and a rest. */
static void test_float32(void **state)
{
    (void)state;
    for (OpId op = 0; op < OP_COUNT; op++)
        if (operands(op_info(op)->format)) check_row(op, DT_F32, DIMS(19));
}

static bool is_for_floats(OpId op)
{
    const char *f = op_info(op)->forward;
    return strchr(f, '(') && !strstr(f, "floor_divide") && !strstr(f, "remainder_of") &&
           !strstr(f, "fmod_of") && !strstr(f, "divisor") && !strstr(f, "multiple") && !strstr(f, "shift") &&
           !strstr(f, "NOT") && !strstr(f, "power(a, b)");
}

static void test_int64(void **state)
{
    (void)state;
    for (OpId op = 0; op < OP_COUNT; op++)
        if (operands(op_info(op)->format) && !is_for_floats(op)) check_row(op, DT_I64, DIMS(19));
}

static void test_other_dtypes(void **state)
{
    static const DType dtypes[] = {DT_BOOL, DT_U8, DT_I8, DT_I16, DT_I32, DT_F16, DT_BF16, DT_F64};
    static const OpId rows[] = {OP_add, OP_le, OP_sqrt, OP_where, OP_floor_divide};
    (void)state;
    for (size_t d = 0; d < sizeof dtypes / sizeof *dtypes; d++)
        for (size_t r = 0; r < sizeof rows / sizeof *rows; r++)
            if (rows[r] != OP_floor_divide || dtypes[d] == DT_I8 || dtypes[d] == DT_F16)
                check_row(rows[r], dtypes[d], DIMS(3, 5));
}

static void test_float64_functions(void **state)
{
    static const OpId rows[] = {OP_exp, OP_tanh, OP_erfinv, OP_digamma, OP_pow, OP_remainder, OP_softplus};
    (void)state;
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) check_row(rows[r], DT_F64, DIMS(19));
}

/* ---- layouts: a + b over shapes and strides that reach every form of kernel ---- */

static void check_sum(const char *what, Tensor *a, Tensor *b)
{
    Tensor *y = op_add(a, b);
    first_is_done();
    same_answer(what, y, op_add(moved(a), moved(b)), 1);
}

static void test_layouts(void **state)
{
    (void)state;
    int mark = scope_open();
    Tensor *x = operand(DIMS(6, 20), DT_F32, -2, 2), *y = operand(DIMS(6, 20), DT_F32, -2, 2);
    Tensor *row = operand(DIMS(20), DT_F32, -2, 2), *column = operand(DIMS(6, 1), DT_F32, -2, 2);
    Tensor *cube = operand(DIMS(2, 3, 4, 5, 6), DT_F32, -2, 2), *none = operand(DIMS(0, 3), DT_F32, 0, 1);
    check_sum("dense", x, y);
    check_sum("row", x, row);
    check_sum("column", column, x);
    check_sum("outer", column, row);
    check_sum("one transposed", op_t(x), operand(DIMS(20, 6), DT_F32, -2, 2));
    check_sum("both transposed", op_t(x), op_t(y));
    check_sum("every second", op_slice(x, 1, 0, 20, 2), op_slice(y, 1, 1, 20, 2));
    check_sum("a window", op_slice(x, 1, 3, 14, 1), op_slice(y, 1, 5, 16, 1));
    check_sum("stretched", op_expand(column, DIMS(6, 20)), op_expand(row, DIMS(6, 20)));
    check_sum("five dims", op_permute(cube, DIMS(4, 2, 0, 3, 1)),
              op_permute(operand(DIMS(6, 4, 3, 5, 2), DT_F32, -2, 2), DIMS(0, 1, 4, 3, 2)));
    check_sum("0-dim", operand(DIMS(1), DT_F32, 0, 1), op_select(row, 0, 3));
    check_sum("0-dim with 0-dim", op_select(row, 0, 1), op_select(row, 0, 2));
    check_sum("empty", none, none);
    check_sum("diagonal", op_diagonal(x, 0, 0, 1), op_diagonal(y, 1, 0, 1));
    scope_close(mark);
}

static void test_mixed_dtypes(void **state)
{
    (void)state;
    int mark = scope_open();
    Tensor *f = operand(DIMS(9), DT_F32, -2, 2), *i = operand(DIMS(9), DT_I64, -9, 9),
           *h = operand(DIMS(9), DT_F16, -2, 2);
    check_sum("float32 + int64", f, i);
    check_sum("float16 + float32 of 0 dims", h, op_select(f, 0, 0));
    Tensor *y = op_mul(h, tensor_number(0.1));
    first_is_done();
    same_answer("float16 * 0.1", y, op_mul(moved(h), tensor_number(0.1)), 1);
    y = op_floor_divide(i, tensor_integer(-2));
    first_is_done();
    same_answer("int64 // -2", y, op_floor_divide(moved(i), tensor_integer(-2)), 0);
    y = op_floor_divide(i, tensor_integer(0));
    first_is_done();
    same_answer("int64 // 0", y, op_floor_divide(moved(i), tensor_integer(0)), 0);
    scope_close(mark);
}

static void test_in_place(void **state)
{
    (void)state;
    int mark = scope_open();
    Tensor *x = operand(DIMS(5, 7), DT_F32, -2, 2), *there = moved(x), *y = operand(DIMS(7), DT_F32, -2, 2);
    op_apply_inplace(OP_mul, (Arg[]){{.t = x}, {.t = y}});
    op_apply_inplace(OP_lt, (Arg[]){{.t = op_slice(x, 1, 0, 7, 3)}, {.t = tensor_number(0)}});
    first_is_done();
    op_apply_inplace(OP_mul, (Arg[]){{.t = there}, {.t = moved(y)}});
    op_apply_inplace(OP_lt, (Arg[]){{.t = op_slice(there, 1, 0, 7, 3)}, {.t = tensor_number(0)}});
    same_answer("x *= y; x[:, ::3] <= 0", x, there, 1);
    scope_close(mark);
}

/* ---- conversions ---- */

static void check_conversion(Tensor *x, DType to)
{
    char what[96];
    snprintf(what, sizeof what, "%s to %s", dtype_name((DType)x->dtype), dtype_name(to));
    Tensor *y = tensor_to(x, to, cpu, true);
    first_is_done();
    same_answer(what, y, tensor_to(moved(x), to, gpu, true), 0);
}

/* As numbers all pairs, as dense runs those to dtypes with conversions of their own. */
static void test_conversions(void **state)
{
    static const DType dense[] = {DT_BOOL, DT_U8, DT_I64, DT_F16, DT_BF16};
    (void)state;
    int mark = scope_open();
    for (DType from = 0; from < DT_COUNT; from++) {
        Tensor *x = operand(DIMS(11), from, from == DT_U8 ? 0 : -100, 100);
        for (DType to = 0; to < DT_COUNT; to++) check_conversion(op_select(x, 0, 1), to);
        for (size_t i = 0; i < sizeof dense / sizeof *dense; i++) check_conversion(x, dense[i]);
    }
    Tensor *odd = tensor_empty(DIMS(8), DT_F32, cpu);
    tensor_write(odd, (float[]){1e-8f, 6e-8f, 65519.f, 65520.f, -0.f, 1.0009765625f, 2.5f, -1e30f});
    check_conversion(odd, DT_F16);
    check_conversion(odd, DT_BF16);
    scope_close(mark);
}

/* ---- reductions ---- */

static void check_reduction(OpId op, Tensor *x, const Dims *dim, bool keepdim, double tolerance)
{
    char what[160], dims[64], shape[96];
    snprintf(what, sizeof what, "%s of %s %s over %s", op_info(op)->name, dtype_name((DType)x->dtype),
             format_dims(shape, sizeof shape, x->ndim, x->shape),
             dim ? format_dims(dims, sizeof dims, dim->n, dim->v) : "all");
    Arg here[] = {{.t = x}, {.dims = dim}, {.b = keepdim}},
        there[] = {{.t = moved(x)}, {.dims = dim}, {.b = keepdim}};
    Tensor *y = op_apply(op, here);
    first_is_done();
    same_answer(what, y, op_apply(op, there), tolerance);
}

static void test_reductions(void **state)
{
    (void)state;
    for (OpId op = 0; op < OP_COUNT; op++) {
        const OpInfo *info = op_info(op);
        if (info->format != FORMAT_REDUCE) continue;
        int mark = scope_open();
        Tensor *x = operand(DIMS(5, 7, 3), DT_F32, info->lo, info->hi);
        check_reduction(op, x, NULL, false, 64);
        check_reduction(op, x, DIMS(1), true, 16);
        check_reduction(op, op_permute(x, DIMS(2, 0, 1)), DIMS(0, 2), false, 32);
        check_reduction(op, operand(DIMS(0, 3), DT_F32, 0, 1), DIMS(0), false, 0);
        check_reduction(op, operand(DIMS(0, 3), DT_F32, 0, 1), NULL, false, 0);
        check_reduction(op, op_select(op_select(op_select(x, 0, 1), 0, 2), 0, 0), NULL, false, 4);
        scope_close(mark);
    }
}

/* Slabs, groups and second passes. */
static void test_long_reductions(void **state)
{
    static const OpId rows[] = {OP_sum, OP_amax, OP_all};
    (void)state;
    int mark = scope_open();
    Tensor *x = operand(DIMS(40, 2500), DT_F32, 0.5, 2), *thin = operand(DIMS(5000, 2), DT_F32, 0.5, 2);
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        check_reduction(rows[r], x, NULL, false, 256);
        check_reduction(rows[r], x, DIMS(0), false, 64);
        check_reduction(rows[r], x, DIMS(1), false, 256);
        check_reduction(rows[r], thin, DIMS(0), false, 256);
    }
    check_reduction(OP_mean, x, NULL, false, 256);
    check_reduction(OP_count_nonzero, op_gt(x, tensor_number(1)), NULL, false, 0);
    scope_close(mark);
}

static void test_reduction_dtypes(void **state)
{
    static const DType dtypes[] = {DT_BOOL, DT_U8, DT_I32, DT_I64, DT_F16, DT_F64};
    (void)state;
    int mark = scope_open();
    for (size_t d = 0; d < sizeof dtypes / sizeof *dtypes; d++) {
        Tensor *x = operand(DIMS(4, 6), dtypes[d], -3, 3);
        check_reduction(OP_sum, x, DIMS(1), false, 8);
        check_reduction(OP_amin, x, DIMS(0), false, 0);
        check_reduction(OP_any, x, NULL, false, 0);
        check_reduction(OP_mean, x, NULL, false, 8);
    }
    scope_close(mark);
}

static int quick_compiles(void **state)
{
    (void)state;
    compile_quickly(true);
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_float32),          cmocka_unit_test(test_int64),
        cmocka_unit_test(test_other_dtypes),     cmocka_unit_test(test_float64_functions),
        cmocka_unit_test(test_layouts),          cmocka_unit_test(test_mixed_dtypes),
        cmocka_unit_test(test_in_place),         cmocka_unit_test(test_conversions),
        cmocka_unit_test(test_reductions),       cmocka_unit_test(test_long_reductions),
        cmocka_unit_test(test_reduction_dtypes),
    };
    if (argc > 1) cmocka_set_test_filter(argv[1]); /* "*float32*" */
    return cmocka_run_group_tests_name("opencl rows", tests, quick_compiles, NULL);
}
