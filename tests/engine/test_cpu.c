/* test_cpu.c - the CPU backend: loops, conversions and reductions over every dtype, layout and instruction set. */
#include "engine/backend.h"
#include "engine/cpu/loops.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <math.h>
#include <cmocka.h>

#include "tests/engine/cpu_goldens.h"

static const Device cpu = {DEVICE_CPU, 0};

/* The generator of the goldens, in [-0.5, 0.5). */
static double sample(int64_t i) { return (double)((uint32_t)(i * 2654435761) >> 8) / 16777216 - 0.5; }

/* A row-major tensor of varied elements: small numbers, zeros of both signs, and where floats allow NaN and infinity. */
static Tensor *varied(const Dims *shape, DType dtype, int seed)
{
    static const double special[] = {0, -0.0, 1, -1, 2, INFINITY, -INFINITY, NAN};
    Tensor *t = tensor_empty(shape, dtype, cpu);
    assert_non_null(t);
    size_t size = dtype_size(dtype);
    for (int64_t i = 0; i < t->numel; i++) {
        double v = sample(i + 1000 * seed) * 20;
        if (dtype_is_float(dtype) && i % 7 == 3) v = special[(i / 7 + seed) % 8];
        if (dtype == DT_BOOL || dtype == DT_U8) v = fabs(v);
        if (dtype == DT_BOOL) v = v > 5;
        element_store_double((char *)tensor_data(t) + (size_t)i * size, dtype, v);
    }
    return t;
}

enum { ROWS = 37, COLS = 45, PICTURES = 6 };

/* A (ROWS, COLS) view, one of PICTURES layouts: plain, transposed, every other column, a row or a column or an element
 * repeated. */
static Tensor *picture(int layout, DType dtype, int seed)
{
    int64_t rows = ROWS, cols = COLS;
    switch (layout) {
    case 0: return varied(DIMS(rows, cols), dtype, seed);
    case 1: return op_t(varied(DIMS(cols, rows), dtype, seed));
    case 2: return op_slice(varied(DIMS(rows, 2 * cols), dtype, seed), 1, 0, 2 * cols, 2);
    case 3: return op_expand(varied(DIMS(1, cols), dtype, seed), DIMS(rows, cols));
    case 4: return op_expand(varied(DIMS(rows, 1), dtype, seed), DIMS(rows, cols));
    default: return op_expand(varied(DIMS(1, 1), dtype, seed), DIMS(rows, cols));
    }
}

static void *element(const Tensor *t, int64_t r, int64_t c)
{
    int64_t at = t->ndim == 2 ? r * t->stride[0] + c * t->stride[1] : 0;
    return (char *)tensor_data(t) + at * (int64_t)dtype_size((DType)t->dtype);
}

static bool is_elementwise(OpId op) { return op_info(op)->format <= FORMAT_TEST; }

static DType result_dtype_of(OpId op, DType compute)
{
    OpFormat f = op_info(op)->format;
    return f == FORMAT_COMPARE || f == FORMAT_TEST ? DT_BOOL : compute;
}

/* The same bits, or both NaN: a NaN's sign is the compiler's business. */
static bool same_element(const void *a, const void *b, DType dtype)
{
    double x = element_as_double(a, dtype), y = element_as_double(b, dtype);
    return memcmp(a, b, dtype_size(dtype)) == 0 || (x != x && y != y);
}

/* Runs op over pictures (layout[3] is the result's) and again element by element: the bits must be the same. */
static void check_layouts(OpId op, DType compute, const int *layout, bool in_place)
{
    int n = op_info(op)->nparam;
    Tensor *in[3], *one[3];
    for (int i = 0; i < n; i++) in[i] = picture(layout[i], compute, i + 1);
    DType dtype = result_dtype_of(op, compute);
    Tensor *before = op_clone(in[0]);
    Tensor *out = in_place ? in[0] : picture(layout[3], dtype, 9);
    Call call = {.op = op, .nin = n, .nout = 1, .out = {out}, .compute = compute};
    for (int i = 0; i < n; i++) call.in[i] = in[i];
    Dims none = {0};
    for (int i = 0; i < n; i++) one[i] = tensor_empty(&none, compute, cpu);
    Tensor *single = tensor_empty(&none, dtype, cpu);
    assert_non_null(single);
    assert_true(cpu_backend.run(&call));
    if (in_place) in[0] = before;
    for (int64_t r = 0; r < ROWS; r += 3)
        for (int64_t c = 0; c < COLS; c++) {
            Call alone = {.op = op, .nin = n, .nout = 1, .out = {single}, .compute = compute};
            for (int i = 0; i < n; i++) {
                memcpy(tensor_data(one[i]), element(in[i], r, c), dtype_size(compute));
                alone.in[i] = one[i];
            }
            assert_true(cpu_backend.run(&alone));
            if (!same_element(tensor_data(single), element(out, r, c), dtype))
                fail_msg("%s in %s, layouts %d %d %d, in place %d: element (%d, %d) is %.17g, alone %.17g",
                         op_info(op)->name, dtype_name(compute), layout[0], layout[1], layout[2], in_place,
                         (int)r, (int)c, element_as_double(element(out, r, c), dtype),
                         element_as_double(tensor_data(single), dtype));
        }
}

static void every_row_in_every_layout(void **state)
{
    (void)state;
    static const int layouts[][4] = {{0, 0, 0, 0}, {0, 5, 5, 0}, {5, 0, 0, 0},
                                     {1, 0, 3, 0}, {4, 3, 0, 2}, {2, 4, 1, 1}};
    for (int op = 0; op < OP_COUNT; op++) {
        if (!is_elementwise((OpId)op)) continue;
        for (int d = 0; d < DT_COUNT; d++) {
            if (!cpu_backend.supports((OpId)op, (DType)d)) continue;
            for (size_t l = 0; l < sizeof layouts / sizeof layouts[0]; l++) {
                int mark = scope_open();
                check_layouts((OpId)op, (DType)d, layouts[l], false);
                scope_close(mark);
            }
            int mark = scope_open();
            if (result_dtype_of((OpId)op, (DType)d) == (DType)d)
                check_layouts((OpId)op, (DType)d, (int[]){1, 0, 0, 1}, true);
            scope_close(mark);
        }
    }
}

#if !ISA_ONE

#define SUFFIXES(X)                                                                                          \
    X(b8, DT_BOOL)                                                                                           \
    X(u8, DT_U8) X(i8, DT_I8) X(i16, DT_I16) X(i32, DT_I32) X(i64, DT_I64) X(f32, DT_F32) X(f64, DT_F64)
#define DECLARE(name)              extern const LoopFn name[LOOP_ID_COUNT];
#define DECLARE_ALL(suffix, dtype) ISA_EACH(DECLARE, loops_##suffix)
SUFFIXES(DECLARE_ALL)
static const struct {
    DType dtype;
    const LoopFn *loops[3];
} tables[] = {
#define TABLE(suffix, dtype) {dtype, {loops_##suffix##_base, loops_##suffix##_avx2, loops_##suffix##_avx512}},
    SUFFIXES(TABLE)};

static const OpId row_of_loop[LOOP_ID_COUNT] = {
#define UNARY(name, ...) [LOOP_ID_##name] = OP_##name,
#define BINARY           UNARY
#define TERNARY          UNARY
#define COMPARE          UNARY
#define TEST             UNARY
#include "engine/ops/loops.def"
};

/* What a vector function may differ by between instruction sets, in units of the last place. */
static bool close_enough(const char *a, const char *b, DType dtype, bool exact)
{
    if (same_element(a, b, dtype)) return true;
    double x = element_as_double(a, dtype), y = element_as_double(b, dtype);
    double unit = dtype == DT_F32 ? 0x1p-23 : 0x1p-52;
    return !exact && fabs(x - y) <= 8 * unit * fmax(fabs(x), fabs(y)) + unit;
}

/* Rows of plain arithmetic give the same bits everywhere; those of vmath.h may differ in the last place. */
static bool uses_functions(const char *forward)
{
    static const char *const names[] = {"exp",  "log",          "sin",       "cos",    "tan",  "erf",       "gamma", "pow", "hypot",
                                        "fmod", "floor_divide", "remainder", "bessel", "ndtr", "spherical", "zeta"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strstr(forward, names[i])) return true;
    return false;
}

static void instruction_sets_agree(void **state)
{
    (void)state;
    enum { N = 203 };
    for (size_t t = 0; t < sizeof tables / sizeof tables[0]; t++)
        for (int id = 0; id < LOOP_ID_COUNT; id++) {
            int op = row_of_loop[id];
            if (!tables[t].loops[0][id]) continue;
            int mark = scope_open();
            DType d = tables[t].dtype, result = result_dtype_of((OpId)op, d);
            bool where = op == OP_where;
            Tensor *a = varied(DIMS(N), where ? DT_BOOL : d, 1), *b = varied(DIMS(N), d, 2),
                   *c = varied(DIMS(N), d, 3);
            int64_t size = (int64_t)dtype_size(d),
                    stride[] = {(int64_t)dtype_size(result), where ? 1 : size, size, size};
            char y[2][N * 8];
            tables[t].loops[0][id]((char *[]){y[0], tensor_data(a), tensor_data(b), tensor_data(c)}, stride,
                                   N);
            for (int isa = ISA_AVX2; isa <= (int)cpu_isa(); isa++) {
                tables[t].loops[isa][id]((char *[]){y[1], tensor_data(a), tensor_data(b), tensor_data(c)},
                                         stride, N);
                for (int i = 0; i < N; i++)
                    if (!close_enough(y[0] + i * stride[0], y[1] + i * stride[0], result,
                                      !uses_functions(op_info((OpId)op)->forward)))
                        fail_msg("%s in %s: element %d of set %d is %.17g, of the base %.17g",
                                 op_info((OpId)op)->name, dtype_name(d), i, isa,
                                 element_as_double(y[1] + i * stride[0], result),
                                 element_as_double(y[0] + i * stride[0], result));
            }
            scope_close(mark);
        }
}

#endif

static void conversions_are_pytorchs(void **state)
{
    (void)state;
    int64_t n = sizeof conversion_values / sizeof conversion_values[0];
    for (int to = 0; to < DT_COUNT; to++)
        for (int spread = 1; spread <= 3; spread += 2) { /* contiguous and strided */
            int mark = scope_open();
            Tensor *x = op_select(tensor_empty(DIMS(n, spread), DT_F32, cpu), 1, 0);
            for (int64_t i = 0; i < n; i++) ((float *)tensor_data(x))[i * spread] = conversion_values[i];
            Tensor *y = tensor_to(x, (DType)to, cpu, true);
            assert_non_null(y);
            for (int64_t i = 0; i < n; i++) {
                uint64_t bits = 0;
                memcpy(&bits, (char *)tensor_data(y) + i * y->stride[0] * (int64_t)dtype_size((DType)to),
                       dtype_size((DType)to));
                if (bits != conversion_goldens[to][i])
                    fail_msg("%g to %s: %llx, not %llx", conversion_values[i], dtype_name((DType)to),
                             (unsigned long long)bits, (unsigned long long)conversion_goldens[to][i]);
            }
            scope_close(mark);
        }
}

/* Between any two dtypes, over any layout, as one element alone is converted. */
static void copies_convert_in_every_layout(void **state)
{
    (void)state;
    for (int from = 0; from < DT_COUNT; from++)
        for (int to = 0; to < DT_COUNT; to++)
            for (int layout = 0; layout < PICTURES; layout++) {
                int mark = scope_open();
                Tensor *x = picture(layout, (DType)from, 1), *y = picture(layout % 3, (DType)to, 2);
                assert_true(cpu_backend.run(&(Call){
                    .op = OP_copy, .nin = 1, .nout = 1, .in = {x}, .out = {y}, .compute = (DType)to}));
                for (int64_t r = 0; r < ROWS; r += 5)
                    for (int64_t c = 0; c < COLS; c++) {
                        uint64_t one = 0;
                        conversion((DType)to, (DType)from)(&one, element(x, r, c), 1);
                        if (memcmp(&one, element(y, r, c), dtype_size((DType)to)))
                            fail_msg("%s to %s, layout %d, element (%d, %d)", dtype_name((DType)from),
                                     dtype_name((DType)to), layout, (int)r, (int)c);
                    }
                scope_close(mark);
            }
}

/* ---- reductions ---- */

static Tensor *summand(int64_t n, DType dtype)
{
    Tensor *t = tensor_empty(DIMS(n), dtype, cpu);
    assert_non_null(t);
    for (int64_t i = 0; i < n; i++)
        element_store_double((char *)tensor_data(t) + i * (int64_t)dtype_size(dtype), dtype, sample(i));
    return t;
}

static double weighed(const Tensor *y)
{
    double total = 0;
    for (int64_t k = 0; k < y->numel; k++)
        total += element_as_double((char *)tensor_data(y) + k * (int64_t)dtype_size((DType)y->dtype),
                                   (DType)y->dtype) *
                 (double)(k + 1);
    return total;
}

static void sums_add_in_pytorchs_order(void **state)
{
    (void)state;
    int threads = get_num_threads();
    for (int t = 1; t <= 5; t += 2) {
        set_num_threads(t);
        for (size_t g = 0; g < sizeof sum_goldens / sizeof sum_goldens[0]; g++)
            for (int d = DT_F32; d <= DT_F64; d++) {
                int mark = scope_open();
                Dims shape = {sum_goldens[g].ndim, {0}}, dims = {sum_goldens[g].ndims, {0}},
                     back = {shape.n, {0}};
                int64_t numel = 1;
                for (int i = 0; i < shape.n; i++) {
                    numel *= shape.v[i] = sum_goldens[g].shape[i];
                    back.v[i] = shape.n - 1 - i;
                }
                for (int i = 0; i < dims.n; i++) dims.v[i] = sum_goldens[g].dims[i];
                Tensor *x = op_view(summand(numel, (DType)d), &shape);
                if (sum_goldens[g].reversed) x = op_permute(x, &back);
                double got = weighed(op_sum(x, &dims, false)),
                       want = d == DT_F32 ? sum_goldens[g].f32 : sum_goldens[g].f64;
                if (got != want)
                    fail_msg("sum %zu in %s with %d threads: %a, not %a", g, dtype_name((DType)d), t, got,
                             want);
                scope_close(mark);
            }
    }
    set_num_threads(threads);
}

static void a_famous_sum(void **state)
{
    (void)state;
    int mark = scope_open();
    Tensor *x = op_mul(tensor_full(DIMS(300, 68, 64, 64), 1, DT_F32, cpu), tensor_number(0.1));
    double v = 0;
    assert_true(tensor_item_double(op_mul(op_sum(x, NULL, false), tensor_number(10)), &v));
    assert_true(v == 83558328.0);
    scope_close(mark);
}

/* Every reduction over a view against the same over a row-major copy, where the order of addition cannot matter. */
static void reductions_of_views(void **state)
{
    (void)state;
    static const OpId ops[] = {OP_sum, OP_prod, OP_amax, OP_amin, OP_all, OP_any, OP_count_nonzero};
    static const DType dtypes[] = {DT_BOOL, DT_U8, DT_I8, DT_I16, DT_I32, DT_I64};
    for (size_t o = 0; o < sizeof ops / sizeof ops[0]; o++)
        for (size_t d = 0; d < sizeof dtypes / sizeof dtypes[0]; d++)
            for (int layout = 0; layout < PICTURES; layout++)
                for (int dim = -1; dim < 2; dim++) {
                    int mark = scope_open();
                    Tensor *x = picture(layout, dtypes[d], 1);
                    const Dims *dims = dim < 0 ? NULL : DIMS(dim);
                    Arg a[] = {{.t = x}, {.dims = dims}, {.b = false}},
                        b[] = {{.t = op_contiguous(x)}, {.dims = dims}, {.b = false}};
                    Tensor *y = op_apply(ops[o], a), *z = op_apply(ops[o], b);
                    assert_non_null(y);
                    assert_non_null(z);
                    assert_memory_equal(tensor_data(y), tensor_data(z),
                                        (size_t)y->numel * dtype_size((DType)y->dtype));
                    scope_close(mark);
                }
}

static void reductions_of_nothing_and_nan(void **state)
{
    (void)state;
    int mark = scope_open();
    double v = 1;
    assert_true(tensor_item_double(op_sum(tensor_empty(DIMS(0), DT_F32, cpu), NULL, false), &v) && v == 0);
    assert_true(tensor_item_double(op_prod(tensor_empty(DIMS(0), DT_F32, cpu), NULL, false), &v) && v == 1);
    assert_true(tensor_item_double(op_all(tensor_empty(DIMS(0), DT_F32, cpu), NULL, false), &v) && v == 1);
    Tensor *x = varied(DIMS(50, 3), DT_F32, 4); /* has NaNs */
    assert_true(tensor_item_double(op_amax(x, NULL, false), &v) && v != v);
    assert_true(tensor_item_double(op_amin(x, NULL, false), &v) && v != v);
    scope_close(mark);
}

/* ---- edges ---- */

static void division_never_traps(void **state)
{
    (void)state;
    int mark = scope_open();
    static const OpId ops[] = {OP_floor_divide, OP_remainder, OP_fmod};
    static const int32_t want[3][4] = {{INT32_MIN, 0, -4, 3}, {0, 0, -1, -1}, {0, 0, 1, -1}};
    Tensor *a = tensor_empty(DIMS(4), DT_I32, cpu), *b = tensor_empty(DIMS(4), DT_I32, cpu),
           *y = tensor_empty(DIMS(4), DT_I32, cpu);
    tensor_write(a, (int32_t[]){INT32_MIN, 5, 7, -7});
    tensor_write(b, (int32_t[]){-1, 0, -2, -2});
    for (int i = 0; i < 3; i++) {
        assert_true(cpu_backend.run(
            &(Call){.op = ops[i], .nin = 2, .nout = 1, .in = {a, b}, .out = {y}, .compute = DT_I32}));
        assert_memory_equal(tensor_data(y), want[i], sizeof want[i]);
    }
    scope_close(mark);
}

static void loops_stop_when_interrupted(void **state)
{
    (void)state;
    int mark = scope_open();
    Tensor *x = tensor_full(DIMS(1000000), 1, DT_F32, cpu);
    tide_interrupted = 1;
    assert_null(op_exp(x));
    assert_string_equal(tide_error()->kind, "KeyboardInterrupt");
    tide_error_clear();
    assert_int_equal(tide_interrupted, 0);
    assert_non_null(op_exp(x));
    scope_close(mark);
}

static void threads_change_nothing(void **state)
{
    (void)state;
    int threads = get_num_threads();
    enum { N = 300007 };
    float *first = malloc(N * sizeof *first), *again = malloc(N * sizeof *again);
    assert_non_null(first);
    assert_non_null(again);
    for (int t = 1; t <= 4; t++) {
        int mark = scope_open();
        set_num_threads(t);
        assert_true(tensor_read(op_sigmoid(summand(N, DT_F32)), t == 1 ? first : again));
        if (t > 1) assert_memory_equal(first, again, N * sizeof *first);
        scope_close(mark);
    }
    set_num_threads(threads);
    free(first);
    free(again);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_in_every_layout),
#if !ISA_ONE
        cmocka_unit_test(instruction_sets_agree),
#endif
        cmocka_unit_test(conversions_are_pytorchs),
        cmocka_unit_test(copies_convert_in_every_layout),
        cmocka_unit_test(sums_add_in_pytorchs_order),
        cmocka_unit_test(a_famous_sum),
        cmocka_unit_test(reductions_of_views),
        cmocka_unit_test(reductions_of_nothing_and_nan),
        cmocka_unit_test(division_never_traps),
        cmocka_unit_test(loops_stop_when_interrupted),
        cmocka_unit_test(threads_change_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
