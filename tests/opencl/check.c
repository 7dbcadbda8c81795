/* check.c - helpers of the OpenCL tests: making operands, and comparing what two devices answer. */
#include "check.h"

#include "engine/opencl/internal.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

const Device cpu = {DEVICE_CPU, 0}, gpu = {DEVICE_OPENCL, 0};

void compile_quickly(bool quickly)
{
    static const char *usual;
    ClDevice *d = cl_device(0);
    assert_non_null(d);
    if (!usual) usual = d->options;
    d->options = quickly && d->is_cpu ? "-w -cl-opt-disable" : usual;
}

static uint32_t draw;

Tensor *operand(const Dims *shape, DType dtype, double lo, double hi)
{
    Tensor *t = tensor_empty(shape, dtype, cpu);
    assert_non_null(t);
    char *p = tensor_data(t);
    for (int64_t i = 0; i < t->numel; i++, p += dtype_size(dtype)) {
        draw = draw * 1664525u + 1013904223u;
        double v = lo + (hi - lo) * (double)(draw >> 8) / 16777216.;
        if (dtype_is_int(dtype)) v = round(v);
        if (dtype_is_int(dtype) && v == 0 && lo > 0) v = 1; /* no zeros where the row's domain has none */
        if (dtype == DT_U8) v = fabs(v);
        if (dtype == DT_BOOL) v = draw >> 30 & 1;
        element_store_double(p, dtype, v);
    }
    return t;
}

Tensor *moved(Tensor *t)
{
    int64_t last = t->offset + 1;
    for (int d = 0; d < t->ndim; d++) last += (t->shape[d] - 1) * t->stride[d];
    if (t->numel == 0) return tensor_to(t, (DType)t->dtype, gpu, false);
    Tensor *line = tensor_alias(t, DIMS(last), DIMS(1), 0);
    Dims shape = tensor_dims(t), stride = {.n = t->ndim};
    memcpy(stride.v, t->stride, sizeof stride.v);
    return tensor_alias(tensor_to(line, (DType)t->dtype, gpu, false), &shape, &stride, t->offset);
}

/* ---- comparing ---- */

static TideError first;

void first_is_done(void)
{
    first = *tide_error();
    tide_error_clear();
}

static double precision(DType d)
{
    switch (d) {
    case DT_F16: return 0x1p-10;
    case DT_BF16: return 0x1p-7;
    case DT_F32: return 0x1p-23;
    case DT_F64: return 0x1p-52;
    default: return 0;
    }
}

static double *doubles(Tensor *t)
{
    Tensor *host = tensor_to(t, DT_F64, cpu, true);
    expect_fine("reading a result");
    double *v = malloc(sizeof *v * (size_t)(t->numel + 1));
    assert_true(tensor_read(host, v));
    return v;
}

static void compare(const char *what, Tensor *a, Tensor *b, double tolerance)
{
    char have[256], want[256];
    format_dims(want, sizeof want, a->ndim, a->shape);
    format_dims(have, sizeof have, b->ndim, b->shape);
    if (strcmp(have, want) != 0 || a->dtype != b->dtype)
        fail_msg("%s: %s %s on the CPU, %s %s on OpenCL", what, dtype_name((DType)a->dtype), want,
                 dtype_name((DType)b->dtype), have);
    if (b->device.type != DEVICE_OPENCL) fail_msg("%s: the result left the device", what);
    double *x = doubles(a), *y = doubles(tensor_to(b, (DType)b->dtype, cpu, false)),
           eps = precision((DType)a->dtype) * tolerance;
    for (int64_t i = 0; i < a->numel; i++) {
        double scale = fabs(x[i]) > 1 ? fabs(x[i]) : 1;
        bool same = x[i] == y[i] || (x[i] != x[i] && y[i] != y[i]) || fabs(x[i] - y[i]) <= eps * scale;
        if (!same)
            fail_msg("%s: element %lld is %.17g on the CPU, %.17g on OpenCL", what, (long long)i, x[i], y[i]);
    }
    free(x);
    free(y);
}

void same_answer(const char *what, Tensor *on_cpu, Tensor *on_gpu, double tolerance)
{
    TideError second = *tide_error();
    tide_error_clear();
    if (!on_cpu && !on_gpu) {
        assert_non_null(first.kind);
        assert_non_null(second.kind);
        if (strcmp(first.kind, second.kind) != 0 || strcmp(first.text, second.text) != 0)
            fail_msg("%s: %s: %s on the CPU, %s: %s on OpenCL", what, first.kind, first.text, second.kind,
                     second.text);
        return;
    }
    if (!on_cpu) fail_msg("%s: %s: %s on the CPU, an answer on OpenCL", what, first.kind, first.text);
    if (!on_gpu) fail_msg("%s: an answer on the CPU, %s: %s on OpenCL", what, second.kind, second.text);
    compare(what, on_cpu, on_gpu, tolerance);
}

void expect_fine(const char *what)
{
    if (tide_failed()) fail_msg("%s: %s: %s", what, tide_error()->kind, tide_error()->text);
}

void expect_error(const char *kind, const char *text)
{
    assert_true(tide_failed());
    assert_string_equal(tide_error()->text, text);
    assert_string_equal(tide_error()->kind, kind);
    tide_error_clear();
}
