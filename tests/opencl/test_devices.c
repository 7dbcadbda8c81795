/* test_devices.c - OpenCL from outside: moves, matrix products, indexing, autograd across devices, errors,
 * interrupts, the cache of binaries. */
#include "check.h"

#include "engine/opencl/internal.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static void test_discovery(void **state)
{
    (void)state;
    assert_true(opencl_device_count() >= 1);
    assert_non_null(opencl_device_name(0));
    assert_null(opencl_device_name(opencl_device_count()));
    assert_null(opencl_device_name(-1));
    assert_null(tensor_empty(DIMS(2), DT_F32, (Device){DEVICE_OPENCL, 200}));
    assert_non_null(strstr(tide_error()->text, "invalid device ordinal 200"));
    tide_error_clear();
    assert_true(device_synchronize(gpu));
}

static void test_moves(void **state)
{
    (void)state;
    for (DType d = 0; d < DT_COUNT; d++) {
        int mark = scope_open();
        Tensor *x = operand(DIMS(3, 4), d, d == DT_U8 ? 0 : -5, 5), *there = tensor_to(x, d, gpu, false);
        char want[96], have[96];
        first_is_done();
        same_answer("there", x, there, 0);
        assert_true(tensor_read(x, want) && tensor_read(op_t(op_t(there)), have));
        assert_memory_equal(want, have, 12 * dtype_size(d));
        Tensor *back = tensor_to(op_t(there), d, cpu, false);
        assert_true(tensor_read(op_t(x), want) && tensor_read(back, have));
        assert_memory_equal(want, have, 12 * dtype_size(d));
        scope_close(mark);
    }
}

static void test_memory_is_counted(void **state)
{
    (void)state;
    size_t before = device_memory(gpu);
    int mark = scope_open();
    assert_non_null(tensor_zeros(DIMS(1000), DT_F64, gpu));
    assert_int_equal(device_memory(gpu), before + 8000);
    scope_close(mark);
    assert_int_equal(device_memory(gpu), before);
}

/* ---- matrices ---- */

static void check_matmul(Tensor *a, Tensor *b, double tolerance)
{
    char what[200], left[96], right[96];
    snprintf(what, sizeof what, "%s @ %s of %s", format_dims(left, sizeof left, a->ndim, a->shape),
             format_dims(right, sizeof right, b->ndim, b->shape), dtype_name((DType)a->dtype));
    Tensor *y = op_matmul(a, b);
    first_is_done();
    same_answer(what, y, op_matmul(moved(a), moved(b)), tolerance);
}

static Tensor *matrix(int64_t m, int64_t n, DType d)
{
    return operand(DIMS(m, n), d, -2, 2);
}

static void test_matmul(void **state)
{
    (void)state;
    compile_quickly(false);
    int mark = scope_open();
    check_matmul(matrix(3, 4, DT_F32), matrix(4, 5, DT_F32), 32);
    check_matmul(matrix(70, 33, DT_F32), matrix(33, 130, DT_F32), 256);
    check_matmul(op_t(matrix(33, 70, DT_F32)), op_t(matrix(65, 33, DT_F32)), 256);
    check_matmul(op_slice(matrix(9, 20, DT_F32), 1, 1, 20, 3), matrix(7, 6, DT_F32), 64);
    check_matmul(matrix(2, 0, DT_F32), matrix(0, 3, DT_F32), 0);
    check_matmul(operand(DIMS(5, 6, 7), DT_F32, -2, 2), operand(DIMS(5, 7, 3), DT_F32, -2, 2), 64);
    check_matmul(operand(DIMS(2, 1, 6, 7), DT_F32, -2, 2), operand(DIMS(4, 7, 3), DT_F32, -2, 2), 64);
    check_matmul(matrix(5, 6, DT_F32), operand(DIMS(6), DT_F32, -2, 2), 64);
    check_matmul(operand(DIMS(6), DT_F32, -2, 2), operand(DIMS(6), DT_F32, -2, 2), 64);
    check_matmul(matrix(9, 20, DT_F64), matrix(20, 4, DT_F64), 64);
    check_matmul(matrix(9, 20, DT_I64), matrix(20, 4, DT_I64), 0);
    check_matmul(matrix(9, 20, DT_F16), matrix(20, 4, DT_F16), 2);
    Tensor *c = matrix(3, 5, DT_F32), *a = matrix(3, 4, DT_F32), *b = matrix(4, 5, DT_F32);
    Tensor *y = op_addmm(c, a, b, 0.5, -2);
    first_is_done();
    same_answer("addmm", y, op_addmm(moved(c), moved(a), moved(b), 0.5, -2), 32);
    check_matmul(matrix(3, 4, DT_F32), matrix(3, 4, DT_F32), 0); /* the same refusal */
    scope_close(mark);
}

/* The kernels that GPUs get, on whatever device this is. */
static void test_as_a_gpu(void **state)
{
    (void)state;
    compile_quickly(false);
    ClDevice *d = cl_device(0), was = *d;
    d->is_cpu = false;
    if (d->group >= 64) d->group = 256;
    int mark = scope_open();
    check_matmul(matrix(70, 33, DT_F32), op_t(matrix(130, 33, DT_F32)), 256);
    check_matmul(operand(DIMS(3, 6, 7), DT_F32, -2, 2), operand(DIMS(3, 7, 3), DT_F32, -2, 2), 64);
    Tensor *x = matrix(40, 500, DT_F32), *y = matrix(40, 500, DT_F32), *gx = moved(x), *gy = moved(y),
           *sum = op_add(x, op_t(op_t(y)));
    first_is_done();
    same_answer("x + y", sum, op_add(gx, gy), 1);
    sum = op_exp(op_t(x));
    first_is_done();
    same_answer("exp", sum, op_exp(op_t(gx)), 16);
    sum = op_sum(x, NULL, false);
    first_is_done();
    same_answer("sum", sum, op_sum(gx, NULL, false), 256);
    sum = op_softmax(x, 1);
    first_is_done();
    same_answer("softmax", sum, op_softmax(gx, 1), 16);
    scope_close(mark);
    d->is_cpu = was.is_cpu;
    d->group = was.group;
}

/* ---- structure ---- */

static Tensor *whole(const int64_t *v, const Dims *shape)
{
    Tensor *t = tensor_empty(shape, DT_I64, cpu);
    assert_true(tensor_write(t, v));
    return t;
}

#define CHECK(what, tolerance, call_here, call_there)                                                        \
    do {                                                                                                     \
        Tensor *here_ = call_here;                                                                           \
        first_is_done();                                                                                     \
        same_answer(what, here_, call_there, tolerance);                                                     \
    } while (0)

static void test_indexing(void **state)
{
    (void)state;
    compile_quickly(true);
    int mark = scope_open();
    Tensor *x = matrix(5, 4, DT_F32), *v = matrix(3, 4, DT_F32), *gx = moved(x), *gv = moved(v);
    Tensor *i = whole((int64_t[]){4, 0, -5}, DIMS(3)), *gi = moved(i), *mask = op_gt(x, tensor_number(0)),
           *gmask = moved(mask);
    Tensor *g = whole((int64_t[]){1, 0, 3, 2, 2, 1}, DIMS(3, 2)), *gg = moved(g);
    Tensor *w = matrix(3, 2, DT_F32), *gw = moved(w);
    CHECK("index", 0, op_index(x, (&(TensorList){1, &i})), op_index(gx, (&(TensorList){1, &gi})));
    CHECK("index of columns", 0, op_index(op_t(x), (&(TensorList){2, (Tensor *[]){NULL, i}})),
          op_index(op_t(gx), (&(TensorList){2, (Tensor *[]){NULL, gi}})));
    CHECK("index by a mask", 0, op_index(x, (&(TensorList){1, &mask})),
          op_index(gx, (&(TensorList){1, &gmask})));
    CHECK("index_put, adding", 4, op_index_put(x, (&(TensorList){1, &i}), v, true),
          op_index_put(gx, (&(TensorList){1, &gi}), gv, true));
    CHECK("index_put by a mask", 0, op_index_put(x, (&(TensorList){1, &mask}), tensor_number(7), false),
          op_index_put(gx, (&(TensorList){1, &gmask}), tensor_number(7), false));
    CHECK("gather", 0, op_gather(x, 1, g), op_gather(gx, 1, gg));
    CHECK("scatter", 0, op_scatter(x, 1, op_slice(g, 1, 0, 1, 1), w),
          op_scatter(gx, 1, op_slice(gg, 1, 0, 1, 1), gw));
    CHECK("scatter_add", 4, op_scatter_add(x, 1, g, w), op_scatter_add(gx, 1, gg, gw));
    CHECK("scatter_reduce by amax", 0, op_scatter_reduce(x, 0, g, w, 3, true),
          op_scatter_reduce(gx, 0, gg, gw, 3, true));
    CHECK("out of range", 0, op_gather(x, 0, op_add(g, tensor_integer(9))),
          op_gather(gx, 0, op_add(gg, tensor_integer(9))));
    CHECK("cat", 0, op_cat((&(TensorList){2, (Tensor *[]){x, v}}), 0),
          op_cat((&(TensorList){2, (Tensor *[]){gx, gv}}), 0));
    CHECK("masked_select", 0, op_masked_select(x, mask), op_masked_select(gx, gmask));
    CHECK("nonzero", 0, op_nonzero(x), op_nonzero(gx));
    CHECK("tril", 0, op_tril(x, -1), op_tril(gx, -1));
    scope_close(mark);
}

static void test_lines(void **state)
{
    (void)state;
    int mark = scope_open();
    Tensor *short_ones = matrix(6, 5, DT_F32), *long_ones = matrix(3, 300, DT_F32),
           *x[] = {short_ones, long_ones, op_t(long_ones)};
    for (int k = 0; k < 3; k++) {
        Tensor *gx = moved(x[k]);
        for (int dim = 0; dim < 2; dim++) {
            CHECK("softmax", 16, op_softmax(x[k], dim), op_softmax(gx, dim));
            CHECK("log_softmax", 16, op_log_softmax(x[k], dim), op_log_softmax(gx, dim));
            CHECK("argmax", 0, op_argmax(x[k], DIMS(dim), false), op_argmax(gx, DIMS(dim), false));
            CHECK("min", 0, op_min_dim(x[k], dim, true), op_min_dim(gx, dim, true));
        }
    }
    Tensor *gl = moved(long_ones);
    CHECK("cumsum", 512, op_cumsum(long_ones, 1, DT_NONE), op_cumsum(gl, 1, DT_NONE));
    CHECK("sort", 0, op_sort(long_ones, 1, true, false), op_sort(gl, 1, true, false));
    CHECK("topk", 0, op_topk(long_ones, 7, 1, true, true), op_topk(gl, 7, 1, true, true));
    CHECK("var", 64, op_var(long_ones, NULL, 1, false), op_var(gl, NULL, 1, false));
    Tensor *ties = whole((int64_t[]){3, 7, 7, 1, 1, 7}, DIMS(6));
    CHECK("argmax of equals", 0, op_argmax(ties, NULL, false), op_argmax(moved(ties), NULL, false));
    scope_close(mark);
}

/* ---- autograd ---- */

/* A small network's loss; the gradients of its parameters are left in grads. */
static double train_step(Device device, Tensor **parameters, Tensor **grads)
{
    Tensor *p[4];
    for (int i = 0; i < 4; i++) {
        p[i] = tensor_to(parameters[i], DT_F32, device, true);
        assert_true(tensor_set_requires_grad(p[i], true));
    }
    Tensor *x = tensor_to(parameters[4], DT_F32, device, false),
           *target = tensor_to(parameters[5], DT_I64, device, false);
    Tensor *hidden = op_tanh(op_linear(x, p[0], p[1]));
    Tensor *loss = op_cross_entropy(op_linear(hidden, p[2], p[3]), target, NULL, -100, 1, 0);
    expect_fine("forward");
    double value = 0;
    assert_true(autograd_backward((TensorList){1, &loss}, (TensorList){0, NULL}, false, false, NULL));
    for (int i = 0; i < 4; i++) grads[i] = tensor_grad(p[i]);
    assert_true(tensor_item_double(loss, &value));
    return value;
}

static void test_autograd(void **state)
{
    (void)state;
    int mark = scope_open();
    Tensor *parameters[] = {matrix(8, 5, DT_F32), operand(DIMS(8), DT_F32, -1, 1),
                            matrix(3, 8, DT_F32), operand(DIMS(3), DT_F32, -1, 1),
                            matrix(7, 5, DT_F32), whole((int64_t[]){0, 2, 1, 1, 0, 2, 2}, DIMS(7))};
    Tensor *here[4], *there[4];
    double a = train_step(cpu, parameters, here), b = train_step(gpu, parameters, there);
    assert_true(a - b < 1e-5 && b - a < 1e-5);
    first_is_done();
    for (int i = 0; i < 4; i++) same_answer("a parameter's gradient", here[i], there[i], 64);
    scope_close(mark);
}

static void test_autograd_across_devices(void **state)
{
    (void)state;
    int mark = scope_open();
    Tensor *x = matrix(3, 4, DT_F32);
    assert_true(tensor_set_requires_grad(x, true));
    Tensor *there = tensor_to(x, DT_F32, gpu, false),
           *back = tensor_to(op_mul(there, there), DT_F32, cpu, false);
    Tensor *y = op_sum(back, NULL, false);
    assert_true(autograd_backward((TensorList){1, &y}, (TensorList){0, NULL}, false, false, NULL));
    assert_int_equal(tensor_grad(x)->device.type, DEVICE_CPU);
    Tensor *want = op_mul(tensor_detach(x), tensor_number(2));
    first_is_done();
    same_answer("2 x", want, tensor_to(tensor_grad(x), DT_F32, gpu, false), 1);
    scope_close(mark);
}

/* ---- errors ---- */

static void test_mixed_devices(void **state)
{
    static const char text[] =
        "Expected all tensors to be on the same device, but found at least two devices, opencl:0 and cpu!";
    (void)state;
    int mark = scope_open();
    Tensor *x = matrix(2, 2, DT_F32), *there = moved(x);
    assert_null(op_add(there, x));
    expect_error("RuntimeError", text);
    assert_null(op_mm(x, there));
    expect_error("RuntimeError", text);
    assert_non_null(op_add(there, tensor_number(1)));
    assert_non_null(op_mul(op_sum(x, NULL, false), there)); /* 0-dim tensors of the CPU may come along */
    expect_fine("0-dim");
    scope_close(mark);
}

static void test_out_of_memory(void **state)
{
    (void)state;
    int mark = scope_open();
    assert_null(tensor_empty(DIMS((int64_t)1 << 44), DT_F32, gpu));
    assert_string_equal(tide_error()->kind, "RuntimeError");
    assert_non_null(
        strstr(tide_error()->text, "OpenCL out of memory. Tried to allocate 65536.00 GiB. opencl:0"));
    tide_error_clear();
    scope_close(mark);
}

static void test_failed_allocations(void **state)
{
    (void)state;
    int mark = scope_open();
    Tensor *x = matrix(4, 4, DT_F32), *there = moved(x);
    for (int64_t n = 1; n < 200; n++) {
        memory_fail_after(n);
        Tensor *y = op_sum(op_softplus(there, tensor_number(1), tensor_number(20)), NULL, false);
        memory_fail_after(0);
        if (y) break;
        assert_true(tide_failed());
        tide_error_clear();
    }
    expect_fine("after failures");
    scope_close(mark);
}

/* What a device without cl_khr_fp64 does, tried on one that has it: numbers are float64, tensors may not be.
 */
static void test_without_float64(void **state)
{
    (void)state;
    int mark = scope_open();
    bool had = cl_device(0)->fp64;
    cl_device(0)->fp64 = false;
    static const double numbers[] = {0.1,     -1e300,   1e-310, 1.5e-39, 3.4028235677973366e38,
                                     0. / 0., 16777217, -0.};
    Tensor *x = operand(DIMS(9), DT_F32, 0.5, 2), *there = moved(x);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        Tensor *y = op_mul(x, tensor_number(numbers[i]));
        first_is_done();
        same_answer("x * number", y, op_mul(there, tensor_number(numbers[i])), 1);
    }
    assert_null(op_exp(tensor_zeros(DIMS(3), DT_F64, gpu)));
    cl_device(0)->fp64 = had;
    assert_non_null(strstr(tide_error()->text, "OpenCL: float64 is not supported by opencl:0 ("));
    tide_error_clear();
    scope_close(mark);
}

/* ---- Ctrl-C ---- */

static void on_alarm(int signal)
{
    (void)signal;
    tide_interrupted = 1;
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void test_interrupt(void **state)
{
    (void)state;
    compile_quickly(false);
    int mark = scope_open();
    Tensor *x = moved(matrix(1000, 1000, DT_F32));
    assert_non_null(op_mm(x, x));
    assert_true(device_synchronize(gpu));
    signal(SIGALRM, on_alarm);
    struct itimerval soon = {.it_value = {.tv_usec = 20000}};
    for (int i = 0; i < 3; i++) op_mm(x, x);
    setitimer(ITIMER_REAL, &soon, NULL);
    double started = seconds();
    bool done = device_synchronize(gpu);
    double took = seconds() - started;
    signal(SIGALRM, SIG_IGN);
    if (!done) {
        expect_error("KeyboardInterrupt", "interrupted");
        assert_true(took < 0.5); /* 0.2 on a machine with nothing else to do */
    }
    tide_interrupted = 0;
    assert_true(device_synchronize(gpu));
    assert_int_equal(tide_failed(), false);
    scope_close(mark);
}

/* ---- the cache ---- */

static bool write_double(Text *t, const void *context)
{
    text_add(t, "/* %s */ kernel void k(global int *y) { y[get_global_id(0)] = 42; }\n",
             (const char *)context);
    return true;
}

/* The one file in the cache; its path in `path`. Returns how many there are. */
static int cached_files(const char *folder, char *path, size_t size)
{
    DIR *d = opendir(folder);
    int n = 0;
    for (struct dirent *e; d && (e = readdir(d));)
        if (e->d_name[0] != '.') {
            snprintf(path, size, "%s/%s", folder, e->d_name);
            n++;
        }
    if (d) closedir(d);
    return n;
}

static void run_cached(const char *key, const char *salt)
{
    ClDevice *d = cl_device(0);
    int32_t got = 0;
    Tensor *y = tensor_zeros(DIMS(1), DT_I32, gpu);
    Launch l = launch_begin(d, cl_program_kernel(d, key, "k", write_double, salt));
    launch_tensor(&l, y);
    size_t one = 1;
    assert_true(launch_groups(&l, 1, &one, &one));
    assert_true(tensor_read(y, &got));
    assert_int_equal(got, 42);
}

static void test_cache(void **state)
{
    (void)state;
    char home[] = "/tmp/tide-cache-XXXXXX", folder[300], path[600];
    struct stat before, after;
    assert_non_null(mkdtemp(home));
    const char *was = getenv("XDG_CACHE_HOME");
    char *kept = was ? strdup(was) : NULL;
    setenv("XDG_CACHE_HOME", home, 1);
    snprintf(folder, sizeof folder, "%s/tide/opencl", home);
    ClDevice *d = cl_device(0);
    bool keeps = d->keeps_binaries;
    d->keeps_binaries = true;
    int mark = scope_open();
    run_cached("first", "salt");
    assert_int_equal(cached_files(folder, path, sizeof path), 1);
    assert_int_equal(stat(path, &before), 0);
    run_cached("from disk", "salt"); /* another key in memory, the same source: read, not written */
    assert_int_equal(stat(path, &after), 0);
    assert_int_equal(before.st_ino, after.st_ino);
    for (int cut = 0; cut < 3; cut++) {
        char key[32];
        snprintf(key, sizeof key, "broken %d", cut);
        FILE *f = fopen(path, cut == 2 ? "r+b" : "wb");
        if (cut == 1) fputs("not a binary", f);
        if (cut == 2) fseek(f, before.st_size / 2, SEEK_SET), fputs("flipped", f);
        fclose(f);
        run_cached(key, "salt"); /* ignored and written anew */
        assert_int_equal(cached_files(folder, path, sizeof path), 1);
        assert_int_equal(stat(path, &after), 0);
        before = after;
        strcat(key, " again");
        run_cached(key, "salt"); /* whole: read, not written */
        assert_int_equal(stat(path, &after), 0);
        assert_int_equal(after.st_ino, before.st_ino);
    }
    scope_close(mark);
    d->keeps_binaries = keeps;
    if (kept)
        setenv("XDG_CACHE_HOME", kept, 1);
    else
        unsetenv("XDG_CACHE_HOME");
    free(kept);
    unlink(path);
    rmdir(folder);
    snprintf(folder, sizeof folder, "%s/tide", home);
    rmdir(folder);
    rmdir(home);
}

static bool write_nonsense(Text *t, const void *context)
{
    (void)context;
    text_put(t, "kernel void k(global int *y) { y[0] = nonsense; }\n");
    return true;
}

static void test_build_log(void **state)
{
    (void)state;
    assert_null(cl_program_kernel(cl_device(0), "nonsense", "k", write_nonsense, NULL));
    assert_string_equal(tide_error()->kind, "RuntimeError");
    assert_non_null(strstr(tide_error()->text, "OpenCL: clBuildProgram (error -11) on "));
    assert_non_null(strstr(tide_error()->text, "nonsense"));
    tide_error_clear();
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_discovery),
        cmocka_unit_test(test_moves),
        cmocka_unit_test(test_memory_is_counted),
        cmocka_unit_test(test_matmul),
        cmocka_unit_test(test_as_a_gpu),
        cmocka_unit_test(test_indexing),
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_autograd),
        cmocka_unit_test(test_autograd_across_devices),
        cmocka_unit_test(test_mixed_devices),
        cmocka_unit_test(test_out_of_memory),
        cmocka_unit_test(test_failed_allocations),
        cmocka_unit_test(test_without_float64),
        cmocka_unit_test(test_interrupt),
        cmocka_unit_test(test_cache),
        cmocka_unit_test(test_build_log),
    };
    if (argc > 1) cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests_name("opencl devices", tests, NULL, NULL);
}
