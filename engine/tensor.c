/* tensor.c - tensors as objects: scopes, lifetimes, creation, element access. */
#include "engine/autograd.h"
#include "engine/store.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- scopes: each fresh tensor's first reference belongs to the innermost one ---- */

static Tensor **scope_stack;
static int scope_top, scope_capacity;

int scope_open(void) { return scope_top; }

void scope_close(int mark)
{
    while (scope_top > mark) tensor_release(scope_stack[--scope_top]);
}

Tensor *scope_own(Tensor *t)
{
    if (!t) return NULL;
    if (scope_top == scope_capacity) {
        int capacity = scope_capacity ? scope_capacity * 2 : 256;
        Tensor **grown = tide_realloc(scope_stack, (size_t)capacity * sizeof *grown);
        if (!grown) {
            tensor_release(t);
            return NULL;
        }
        scope_stack = grown;
        scope_capacity = capacity;
    }
    return scope_stack[scope_top++] = t;
}

Tensor *tensor_keep(Tensor *t)
{
    if (t) t->refs++;
    return t;
}

void tensor_release(Tensor *t)
{
    if (!t || --t->refs > 0) return;
    if (t->ag) autograd_free(t);
    storage_release(t->storage);
    tensor_struct_free(t);
}

/* ---- geometry ---- */

Dims tensor_dims(const Tensor *t)
{
    Dims d = {.n = t->ndim};
    for (int i = 0; i < t->ndim; i++) d.v[i] = t->shape[i];
    return d;
}

void dims_contiguous_strides(const Dims *shape, int64_t *stride)
{
    int64_t step = 1;
    for (int i = shape->n - 1; i >= 0; i--) {
        stride[i] = step;
        step *= shape->v[i] > 1 ? shape->v[i] : 1;
    }
}

static bool is_row_major(const Tensor *t)
{
    if (t->numel <= 1) return true;
    int64_t step = 1;
    for (int i = t->ndim - 1; i >= 0; i--) {
        if (t->shape[i] == 1) continue;
        if (t->stride[i] != step) return false;
        step *= t->shape[i];
    }
    return true;
}

bool tensor_finish_geometry(Tensor *t)
{
    int64_t n = 1;
    bool zero = false;
    for (int i = 0; i < t->ndim; i++) zero |= t->shape[i] == 0;
    for (int i = 0; i < t->ndim && !zero; i++)
        if (__builtin_mul_overflow(n, t->shape[i], &n))
            return tide_refuse("RuntimeError", "numel: integer multiplication overflow");
    t->numel = zero ? 0 : n;
    t->contiguous = is_row_major(t);
    return true;
}

static bool check_shape(const Dims *shape)
{
    char text[512];
    if (shape->n > TIDE_MAXDIM)
        return tide_refuse("RuntimeError", "tensors have at most %d dims, but %d were asked for", TIDE_MAXDIM,
                           shape->n);
    for (int i = 0; i < shape->n; i++)
        if (shape->v[i] < 0)
            return tide_refuse("RuntimeError", "Trying to create tensor with negative dimension %lld: %s",
                               (long long)shape->v[i], format_dims(text, sizeof text, shape->n, shape->v));
    return true;
}

bool tensor_same_shape(const Tensor *a, const Tensor *b)
{
    return a->ndim == b->ndim && memcmp(a->shape, b->shape, a->ndim * sizeof a->shape[0]) == 0;
}

char *format_dims(char *buf, size_t size, int n, const int64_t *v)
{
    size_t at = (size_t)snprintf(buf, size, "[");
    for (int i = 0; i < n && at < size; i++)
        at += (size_t)snprintf(buf + at, size - at, i ? ", %lld" : "%lld", (long long)v[i]);
    if (at < size) snprintf(buf + at, size - at, "]");
    return buf;
}

/* ---- making tensors ---- */

/* A struct with geometry but no storage, not yet under a scope. */
static Tensor *shaped_struct(const Dims *shape, const int64_t *stride, DType dtype, Device device)
{
    Tensor *t = tensor_struct_new();
    if (!t) return NULL;
    t->dtype = (uint8_t)dtype;
    t->device = device;
    t->ndim = (uint8_t)shape->n;
    memcpy(t->shape, shape->v, (size_t)shape->n * sizeof t->shape[0]);
    if (stride)
        memcpy(t->stride, stride, (size_t)shape->n * sizeof t->stride[0]);
    else
        dims_contiguous_strides(shape, t->stride);
    if (!tensor_finish_geometry(t)) {
        tensor_struct_free(t);
        return NULL;
    }
    return t;
}

static Tensor *with_fresh_storage(Tensor *t)
{
    int64_t bytes, numel = t->numel;
    if (__builtin_mul_overflow(numel, (int64_t)dtype_size((DType)t->dtype), &bytes)) {
        tensor_struct_free(t);
        return tide_fail("RuntimeError",
                         "Storage size calculation overflowed with sizes whose product is %lld",
                         (long long)numel);
    }
    t->storage = storage_new((size_t)bytes, t->device);
    if (!t->storage) {
        tensor_struct_free(t);
        return NULL;
    }
    t->inference = inference_enabled();
    return scope_own(t);
}

Tensor *result_new(const Dims *shape, DType dtype, Device device)
{
    Tensor *t = shaped_struct(shape, NULL, dtype, device);
    return t ? with_fresh_storage(t) : NULL;
}

Tensor *result_as(const Tensor *x, DType dtype)
{
    Tensor *t = tensor_struct_new();
    if (!t) return NULL;
    t->dtype = (uint8_t)dtype;
    t->ndim = x->ndim;
    t->numel = x->numel;
    t->contiguous = true;
    int64_t step = 1;
    for (int i = x->ndim - 1; i >= 0; i--) {
        t->shape[i] = x->shape[i];
        t->stride[i] = step;
        step *= x->shape[i] > 1 ? x->shape[i] : 1;
    }
    return with_fresh_storage(t);
}

Tensor *tensor_empty(const Dims *shape, DType dtype, Device device)
{
    return check_shape(shape) ? result_new(shape, dtype, device) : NULL;
}

/* Dense inputs in one common layout give results in that layout, as PyTorch's TensorIterator does. */
bool layout_like(Tensor *const *in, int n, const Dims *shape, int64_t *stride)
{
    const Tensor *model = NULL;
    for (int i = 0; i < n; i++) {
        if (in[i]->ndim == 0) continue;
        if (in[i]->contiguous || in[i]->ndim != shape->n) return false;
        for (int d = 0; d < shape->n; d++)
            if (in[i]->shape[d] != shape->v[d]) return false;
        if (model && memcmp(model->stride, in[i]->stride, (size_t)shape->n * sizeof *stride)) return false;
        model = in[i];
    }
    if (!model || model->numel == 0) return false;
    /* dense: walking dims from the smallest stride up, each stride is the product of the sizes before it */
    bool used[TIDE_MAXDIM] = {false};
    int64_t step = 1;
    for (int k = 0; k < shape->n; k++) {
        int next = -1;
        for (int d = 0; d < shape->n; d++)
            if (!used[d] && (shape->v[d] == 1 || model->stride[d] == step) && (next < 0 || shape->v[d] == 1))
                next = d;
        if (next < 0) return false;
        used[next] = true;
        step *= shape->v[next];
    }
    memcpy(stride, model->stride, (size_t)shape->n * sizeof *stride);
    return true;
}

Tensor *tensor_like(const Tensor *x, DType dtype)
{
    Dims shape = tensor_dims(x);
    int64_t stride[TIDE_MAXDIM];
    Tensor *in[1] = {(Tensor *)x};
    /* dense, the dims of size 1 may have strides of their own, which are kept too */
    const int64_t *like = x->contiguous && x->numel > 0 ? x->stride : layout_like(in, 1, &shape, stride) ? stride : NULL;
    Tensor *t = shaped_struct(&shape, like, dtype, x->device);
    return t ? with_fresh_storage(t) : NULL;
}

Tensor *view_new(const Tensor *x)
{
    if (!x) return NULL;
    Tensor *t = tensor_struct_new();
    if (!t) return NULL;
    t->dtype = x->dtype;
    t->ndim = x->ndim;
    t->device = x->device;
    t->contiguous = x->contiguous;
    t->is_number = x->is_number;
    t->inference = x->inference;
    t->numel = x->numel;
    t->offset = x->offset;
    memcpy(t->shape, x->shape, x->ndim * sizeof x->shape[0]);
    memcpy(t->stride, x->stride, x->ndim * sizeof x->stride[0]);
    t->storage = x->storage;
    if (t->storage) t->storage->refs++;
    return scope_own(t);
}

Tensor *meta_new(const Tensor *x)
{
    Tensor *t = view_new(x);
    if (t && t->storage) {
        storage_release(t->storage);
        t->storage = NULL;
    }
    return t;
}

Tensor *tensor_from_memory(void *data, const Dims *shape, DType dtype, void (*free_data)(void *),
                           void *context)
{
    Tensor *t = check_shape(shape) ? shaped_struct(shape, NULL, dtype, (Device){DEVICE_CPU, 0}) : NULL;
    if (!t) return NULL;
    t->storage = storage_borrow(data, (size_t)t->numel * dtype_size(dtype), free_data, context);
    if (!t->storage) {
        tensor_struct_free(t);
        return NULL;
    }
    return scope_own(t);
}

Tensor *tensor_alias(const Tensor *x, const Dims *shape, const Dims *stride, int64_t offset)
{
    char sizes[512], strides[512];
    if (!check_shape(shape)) return NULL;
    if (shape->n != stride->n) return tide_fail("RuntimeError", "mismatch in length of strides and shape");
    int64_t last = offset;
    bool empty = false;
    for (int i = 0; i < shape->n; i++) {
        if (stride->v[i] < 0)
            return tide_fail("RuntimeError",
                             "as_strided: Negative strides are not supported at the moment, got strides: %s",
                             format_dims(strides, sizeof strides, stride->n, stride->v));
        empty |= shape->v[i] == 0;
        int64_t reach;
        if (shape->v[i] > 0 && (__builtin_mul_overflow(shape->v[i] - 1, stride->v[i], &reach) ||
                                __builtin_add_overflow(last, reach, &last)))
            last = INT64_MAX;
    }
    int64_t size = (int64_t)dtype_size((DType)x->dtype);
    if (offset < 0)
        return tide_fail("RuntimeError", "Tensor: invalid storage offset %lld", (long long)offset);
    if (!empty && last >= (int64_t)x->storage->bytes / size)
        return tide_fail("RuntimeError",
                         "setStorage: sizes %s, strides %s, storage offset %lld, and itemsize %lld requiring "
                         "a storage size of %lld are out of bounds for storage of size %zu",
                         format_dims(sizes, sizeof sizes, shape->n, shape->v),
                         format_dims(strides, sizeof strides, stride->n, stride->v), (long long)offset,
                         (long long)size, (long long)((last + 1) * size), x->storage->bytes);
    Tensor *t = view_new(x);
    if (!t) return NULL;
    t->is_number = false;
    t->ndim = (uint8_t)shape->n;
    memcpy(t->shape, shape->v, (size_t)shape->n * sizeof t->shape[0]);
    memcpy(t->stride, stride->v, (size_t)shape->n * sizeof t->stride[0]);
    t->offset = offset;
    return tensor_finish_geometry(t) ? t : NULL;
}

static Tensor *wrapped(DType dtype)
{
    Tensor *t = tensor_struct_new();
    if (!t) return NULL;
    t->dtype = (uint8_t)dtype;
    t->numel = 1;
    t->contiguous = true;
    t->is_number = true;
    t->storage = storage_new(8, t->device);
    if (t->storage) return scope_own(t);
    tensor_struct_free(t);
    return NULL;
}

Tensor *tensor_number(double value)
{
    Tensor *t = wrapped(DT_F64);
    if (t) *(double *)t->storage->data = value;
    return t;
}

Tensor *tensor_integer(int64_t value)
{
    Tensor *t = wrapped(DT_I64);
    if (t) *(int64_t *)t->storage->data = value;
    return t;
}

Tensor *tensor_boolean(bool value)
{
    Tensor *t = wrapped(DT_BOOL);
    if (t) *(bool *)t->storage->data = value;
    return t;
}

/* ---- filled tensors ---- */

static Tensor *filled(Tensor *t, Tensor *value) { return t && value && copy_plain(t, value) ? t : NULL; }

Tensor *tensor_full(const Dims *shape, double value, DType dtype, Device device)
{
    return filled(tensor_empty(shape, dtype, device), tensor_number(value));
}

Tensor *tensor_full_int(const Dims *shape, int64_t value, DType dtype, Device device)
{
    return filled(tensor_empty(shape, dtype, device), tensor_integer(value));
}

Tensor *tensor_full_like(const Tensor *x, int64_t value, DType dtype)
{
    return filled(tensor_like(x, dtype), tensor_integer(value));
}

Tensor *tensor_zeros(const Dims *shape, DType dtype, Device device)
{
    Tensor *t = tensor_empty(shape, dtype, device);
    if (!t || device.type != DEVICE_CPU) return filled(t, tensor_integer(0));
    memset(t->storage->data, 0, t->storage->bytes);
    return t;
}

/* Moves a host-made tensor to the device that was asked for. */
static Tensor *placed(Tensor *t, Device device)
{
    if (!t || device.type == DEVICE_CPU) return t;
    Dims shape = tensor_dims(t);
    Tensor *there = result_new(&shape, (DType)t->dtype, device);
    return there && copy_plain(there, t) ? there : NULL;
}

static const Device host = {DEVICE_CPU, 0};

/* In double, rounded as PyTorch rounds: whole pairs of 32-byte vectors of floats count from their own first element as
 * it was rounded, what is left over counts from `start`. */
static void fill_range(char *p, int64_t n, double start, double step, DType dtype)
{
    int64_t width = (int64_t)dtype_size(dtype), lanes = dtype_is_float(dtype) ? 32 / width : 1;
    int64_t whole = n - n % (2 * lanes);
    for (int64_t i = 0; i < n; i += i < whole ? lanes : 1) {
        element_store_double(p + i * width, dtype, start + step * (double)i);
        double first = element_as_double(p + i * width, dtype);
        for (int64_t k = 1; k < lanes && i < whole; k++) {
            double v = first + step * (double)k;
            if (dtype == DT_F32)
                ((float *)p)[i + k] = (float)v;
            else
                element_store_double(p + (i + k) * width, dtype, v);
        }
    }
}

Tensor *tensor_arange(double start, double end, double step, DType dtype, Device device)
{
    if (step == 0) return tide_fail("RuntimeError", "step must be nonzero");
    if (!isfinite(start) || !isfinite(end))
        return tide_fail("RuntimeError", "unsupported range: %g -> %g", start, end);
    if ((step > 0 && end < start) || (step < 0 && end > start))
        return tide_fail("RuntimeError", "upper bound and lower bound inconsistent with step sign");
    double size = ceil((end - start) / step);
    if (!(size < 0x1p62)) return tide_fail("RuntimeError", "invalid size, possible overflow?");
    Tensor *t = tensor_empty(DIMS((int64_t)size), dtype, host);
    if (!t) return NULL;
    fill_range(tensor_data(t), t->numel, start, step, dtype);
    return placed(t, device);
}

Tensor *tensor_arange_int(int64_t start, int64_t end, int64_t step, DType dtype, Device device)
{
    if (step == 0) return tide_fail("RuntimeError", "step must be nonzero");
    if ((step > 0 && end < start) || (step < 0 && end > start))
        return tide_fail("RuntimeError", "upper bound and lower bound inconsistent with step sign");
    uint64_t span = step > 0 ? (uint64_t)end - (uint64_t)start : (uint64_t)start - (uint64_t)end;
    uint64_t stride = step > 0 ? (uint64_t)step : -(uint64_t)step;
    uint64_t size = span / stride + (span % stride != 0);
    if (size > INT64_MAX) return tide_fail("RuntimeError", "invalid size, possible overflow?");
    Tensor *t = tensor_empty(DIMS((int64_t)size), dtype, host);
    if (!t) return NULL;
    char *p = tensor_data(t);
    size_t width = dtype_size(dtype);
    uint64_t value = (uint64_t)start;
    for (int64_t i = 0; i < t->numel; i++, value += (uint64_t)step)
        element_store_int(p + (size_t)i * width, dtype, (int64_t)value);
    return placed(t, device);
}

/* A value rounded to the dtype, which has 16 bits. */
static float rounded(double v, DType dtype)
{
    char element[2];
    element_store_double(element, dtype, v);
    return (float)element_as_double(element, dtype);
}

/* As below, rounded to 16 bits after each step. */
static void fill_narrow(char *p, float start, float end, int64_t steps, DType dtype)
{
    float a = rounded(start, dtype), b = rounded(end, dtype);
    float step = steps > 1 ? rounded(rounded(b - a, dtype) / rounded((double)(steps - 1), dtype), dtype) : 0;
    for (int64_t i = 0; i < steps; i++) {
        bool low = i < steps / 2 || steps == 1;
        float way = rounded(step * rounded((double)(low ? i : steps - i - 1), dtype), dtype);
        element_store_double(p + 2 * i, dtype, low ? a + way : b - way);
    }
}

Tensor *tensor_linspace(double start, double end, int64_t steps, DType dtype, Device device)
{
    if (steps < 0) return tide_fail("RuntimeError", "number of steps must be non-negative");
    Tensor *t = tensor_empty(DIMS(steps), dtype, host);
    if (!t) return NULL;
    char *p = tensor_data(t);
    size_t width = dtype_size(dtype);
    /* From both ends towards the middle, so that the last element is `end` exactly; in the dtype's own precision. */
    int64_t half = steps / 2;
    if (dtype == DT_F32) {
        float a = (float)start, b = (float)end, step = steps > 1 ? (b - a) / (float)(steps - 1) : 0;
        for (int64_t i = 0; i < steps; i++)
            ((float *)p)[i] =
                i < half || steps == 1 ? a + step * (float)i : b - step * (float)(steps - i - 1);
    } else if (dtype_is_float(dtype) && width == 2) {
        fill_narrow(p, (float)start, (float)end, steps, dtype);
    } else {
        double step = steps > 1 ? (end - start) / (double)(steps - 1) : 0;
        for (int64_t i = 0; i < steps; i++)
            element_store_double(p + (size_t)i * width, dtype,
                                 i < half || steps == 1 ? start + step * (double)i
                                                        : end - step * (double)(steps - i - 1));
    }
    return placed(t, device);
}

Tensor *tensor_eye(int64_t n, int64_t m, DType dtype, Device device)
{
    if (n < 0) return tide_fail("RuntimeError", "n must be greater or equal to 0, got %lld", (long long)n);
    if (m < 0) return tide_fail("RuntimeError", "m must be greater or equal to 0, got %lld", (long long)m);
    Tensor *t = tensor_zeros(DIMS(n, m), dtype, host);
    if (!t) return NULL;
    size_t width = dtype_size(dtype);
    for (int64_t i = 0; i < n && i < m; i++)
        element_store_int((char *)tensor_data(t) + (size_t)(i * m + i) * width, dtype, 1);
    return placed(t, device);
}

/* ---- reading and writing elements ---- */

static bool fetch_one(Tensor *t, char *out)
{
    if (t->numel != 1)
        return tide_refuse("RuntimeError", "a Tensor with %lld elements cannot be converted to Scalar",
                           (long long)t->numel);
    size_t size = dtype_size((DType)t->dtype);
    if (t->device.type == DEVICE_CPU) {
        memcpy(out, tensor_data(t), size);
        return true;
    }
    return backend_of(t->device)->download(t->device.index, t->storage->data, (size_t)t->offset * size, out,
                                           size);
}

bool tensor_item_double(Tensor *t, double *out)
{
    _Alignas(8) char bytes[8];
    if (!t || !fetch_one(t, bytes)) return false;
    *out = element_as_double(bytes, (DType)t->dtype);
    return true;
}

bool tensor_item_int(Tensor *t, int64_t *out)
{
    _Alignas(8) char bytes[8];
    if (!t || !fetch_one(t, bytes)) return false;
    *out = element_as_int(bytes, (DType)t->dtype);
    return true;
}

bool tensor_read(Tensor *t, void *out)
{
    if (!t) return false;
    if (t->numel == 0) return true;
    int mark = scope_open();
    Tensor *c = contiguous_plain(t);
    size_t size = dtype_size((DType)t->dtype), bytes = (size_t)t->numel * size;
    bool ok = c != NULL;
    if (ok && t->device.type == DEVICE_CPU)
        memcpy(out, tensor_data(c), bytes);
    else if (ok)
        ok = backend_of(c->device)->download(c->device.index, c->storage->data, (size_t)c->offset * size, out,
                                             bytes);
    scope_close(mark);
    return ok;
}

bool tensor_write(Tensor *t, const void *in)
{
    if (!t) return false;
    if (t->numel == 0) return true;
    int mark = scope_open();
    Dims shape = tensor_dims(t);
    Tensor *from = tensor_from_memory((void *)(uintptr_t)in, &shape, (DType)t->dtype, NULL, NULL);
    bool ok = from && copy_plain(t, from);
    scope_close(mark);
    return ok;
}
