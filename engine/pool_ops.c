/* pool_ops.c - forwards of image.def's pooling: checks with PyTorch's texts, sizes, kernels. The last two or
 * three dims are pooled; the kernels always work on three. */
#include "engine/structural.h"

#include <stdio.h>
#include <string.h>

/* The windows of the last n dims: {kernel, stride, padding, dilation} each; kernel 0 is a grid's. */
typedef struct Windows {
    int n;
    Dims axis[3];
    int64_t out[3];
} Windows;

static const Dims grid_axis = {4, {0, 1, 0, 1}};
static const char *const counts[] = {"", "one int", "two ints", "three ints"};

/* One number for each of n dims from a list of 1 or n; words: what PyTorch calls the forms that are right. */
static bool numbers(const Dims *given, int64_t fallback, const char *op, const char *name, const char *words,
                    int n, int64_t *out)
{
    if (given && given->n != 1 && given->n != n)
        return tide_refuse("RuntimeError", "%s: %s must %s, or a tuple of %s", op, name, words, counts[n]);
    for (int i = 0; i < n; i++) out[i] = !given ? fallback : given->v[given->n == 1 ? 0 : i];
    return true;
}

static int64_t floor_div(int64_t a, int64_t b) { return a >= 0 ? a / b : -((-a + b - 1) / b); }

static int64_t pooled_size(int64_t in, const int64_t *axis, bool ceil_mode)
{
    int64_t kernel = axis[0], stride = axis[1], padding = axis[2], dilation = axis[3];
    int64_t room = in + 2 * padding - dilation * (kernel - 1) - 1 + (ceil_mode ? stride - 1 : 0);
    int64_t out = floor_div(room, stride) + 1;
    return ceil_mode && (out - 1) * stride >= in + padding ? out - 1 : out; /* no window only of padding */
}

static bool check_volume(const char *op, const Tensor *x, int n)
{
    char have[256];
    int first = x->ndim == n + 2, empty = -1;
    if (x->ndim != n + 1 && x->ndim != n + 2) {
        if (n == 2 && strcmp(op, "avg_pool2d") == 0)
            return tide_refuse("IndexError",
                               "Dimension out of range (expected to be in range of [%d, %d], but got -3)",
                               -x->ndim, x->ndim - 1);
        return tide_refuse("RuntimeError", "non-empty %dD or %dD (batch mode) tensor expected for input",
                           n + 1, n + 2);
    }
    for (int i = x->ndim - 1; i >= first; i--)
        if (x->shape[i] == 0) empty = i - first;
    if (empty < 0) return true;
    format_dims(have, sizeof have, x->ndim, x->shape);
    if (n == 2)
        return tide_refuse(
            "RuntimeError",
            "Expected 3D or 4D (batch mode) tensor with optional 0 dim batch size for input, but got:%s",
            have);
    return tide_refuse(
        "RuntimeError",
        "%s(): Expected input's non-batch dimensions to have positive length, but input has a shape of "
        "%s and non-batch dimension %d has length zero!",
        strcmp(op, "max_pool3d") == 0 ? "max_pool3d_with_indices_out_cpu_template" : op, have,
        empty ? empty - 1 : 0);
}

/* "2x3x4" */
static const char *sizes_text(char *out, size_t room, int64_t first, const int64_t *size, int n)
{
    int at = snprintf(out, room, "%lld", (long long)first);
    for (int i = 0; i < n; i++) at += snprintf(out + at, room - (size_t)at, "x%lld", (long long)size[i]);
    return out;
}

/* "kH: 2 kW: 3", each letter after `prefix` */
static const char *named_text(char *out, size_t room, const char *prefix, const int64_t *v, int n)
{
    int at = 0;
    for (int i = 0; i < n; i++)
        at += snprintf(out + at, room - (size_t)at, "%s%s%c: %lld", i ? " " : "", prefix, "THW"[3 - n + i],
                       (long long)v[i]);
    return out;
}

static bool check_axes(const int64_t *k, const int64_t *s, const int64_t *p, const int64_t *d, int n)
{
    char text[128];
    for (int i = 0; i < n; i++)
        if (s[i] == 0) return tide_refuse("RuntimeError", "stride should not be zero");
    for (int i = 0; i < n; i++) {
        if (p[i] < 0)
            return tide_refuse("RuntimeError", "pad must be non-negative, but got pad: %lld",
                               (long long)p[i]);
        if (k[i] <= 0 || s[i] < 0)
            return tide_refuse("RuntimeError", "kernel size should be greater than zero, but got %s",
                               named_text(text, sizeof text, "k", k, n));
        if (d[i] <= 0)
            return tide_refuse("RuntimeError", "dilation should be greater than zero, but got %s",
                               named_text(text, sizeof text, "dilation", d, n));
        if (p[i] > ((k[i] - 1) * d[i] + 1) / 2)
            return tide_refuse("RuntimeError",
                               "pad should be at most half of effective kernel size, but got pad=%lld, "
                               "kernel_size=%lld and dilation=%lld",
                               (long long)p[i], (long long)k[i], (long long)d[i]);
    }
    return true;
}

static bool check_output(const char *op, const Tensor *x, const int64_t *k, const Windows *w)
{
    char have[128], want[128];
    int n = w->n;
    const int64_t *size = x->shape + x->ndim - n;
    bool fits = true, smaller = false;
    for (int i = 0; i < n; i++) fits = fits && w->out[i] >= 1;
    for (int i = 0; i < n; i++) smaller = smaller || size[i] + 2 * w->axis[i].v[2] < k[i];
    if (smaller && strcmp(op, "avg_pool3d") == 0)
        return tide_refuse("RuntimeError", "input image (%s) smaller than kernel size (%s)",
                           named_text(have, sizeof have, "", size, n),
                           named_text(want, sizeof want, "k", k, n));
    if (fits) return true;
    return tide_refuse(
        "RuntimeError", "Given input size: (%s). Calculated output size: (%s). Output size is too small",
        sizes_text(have, sizeof have, size[-1], size, n), sizes_text(want, sizeof want, size[-1], w->out, n));
}

static bool read_windows(const char *op, int n, const Tensor *x, const Dims *kernel, const Dims *stride,
                         const Dims *padding, const Dims *dilation, bool ceil_mode, Windows *w)
{
    int64_t k[3], s[3], p[3], d[3];
    bool average = op[0] == 'a';
    const char *either = n == 3 && average ? "be a single int" : "either be a single int";
    const char *omitted = n == 3 && average ? "be omitted, a single int" : "either be omitted, a single int";
    if (!numbers(kernel, 1, op, "kernel_size", either, n, k) ||
        !numbers(stride && stride->n ? stride : kernel, 1, op, "stride", omitted, n, s) ||
        !numbers(padding, 0, op, "padding", either, n, p) ||
        !numbers(dilation, 1, op, "dilation", either, n, d))
        return false;
    if (!check_axes(k, s, p, d, n) || !check_volume(op, x, n)) return false;
    w->n = n;
    for (int i = 0; i < n; i++) {
        w->axis[i] = (Dims){4, {k[i], s[i], p[i], d[i]}};
        w->out[i] = pooled_size(x->shape[x->ndim - n + i], w->axis[i].v, ceil_mode);
    }
    return check_output(op, x, k, w);
}

static bool check_grid_sizes(const char *op, const Tensor *x, const int64_t *size, int n, bool average)
{
    char shape[256];
    Dims result = tensor_dims(x);
    for (int i = 0; i < n; i++) result.v[result.n - n + i] = size[i];
    format_dims(shape, sizeof shape, result.n, result.v);
    for (int i = 0; i < n; i++) {
        if (size[i] >= 0) continue;
        if (average && n == 2)
            return tide_refuse(
                "RuntimeError",
                "%s: elements of output_size must be greater than or equal to 0 but received {%lld, "
                "%lld}",
                op, (long long)size[0], (long long)size[1]);
        if (average)
            return tide_refuse(
                "RuntimeError",
                "%s: elements of output_size must be greater than or equal to 0 but received {%lld, "
                "%lld,%lld}",
                op, (long long)size[0], (long long)size[1], (long long)size[2]);
        return tide_refuse("RuntimeError", "Trying to create tensor with negative dimension %lld: %s",
                           (long long)size[i], shape);
    }
    return true;
}

static bool read_grid(const char *op, int n, const Tensor *x, const Dims *size, Windows *w)
{
    char have[256];
    bool average = strstr(op, "avg") != NULL;
    w->n = n;
    if (size->n != n)
        return tide_refuse("RuntimeError",
                           average ? "%s: output_size must be %d"
                                   : "%s(): internal error: output_size.size() must be %d",
                           op, n);
    if (x->ndim != n + 1 && x->ndim != n + 2)
        return tide_refuse("RuntimeError", "%s(): Expected %dD or %dD tensor, but got%s %s", op, n + 1, n + 2,
                           average ? "" : ":", format_dims(have, sizeof have, x->ndim, x->shape));
    for (int i = 0; i < n; i++) {
        w->axis[i] = grid_axis;
        w->out[i] = size->v[i];
        if (x->shape[x->ndim - n + i] < 1)
            return tide_refuse(
                "RuntimeError",
                "%s(): Expected input to have non-zero size for non-batch dimensions, but input has "
                "sizes %s with dimension %d being empty",
                op, format_dims(have, sizeof have, x->ndim, x->shape), x->ndim - n + i);
    }
    return check_grid_sizes(op, x, w->out, n, average);
}

/* ---- running the kernels ---- */

static DType work_type(const Tensor *x)
{
    return x->dtype == DT_F32 || x->dtype == DT_F16 || x->dtype == DT_BF16 ? DT_F32 : DT_F64;
}

/* x as (volumes, depth, height, width); two pooled dims have depth 1. */
static Tensor *as_volumes(Tensor *x, int n)
{
    if (!x || !(x = contiguous_plain(x))) return NULL;
    const int64_t *size = x->shape + x->ndim - n;
    int64_t d = n == 3 ? size[0] : 1, h = size[n - 2], w = size[n - 1];
    int64_t volumes = d * h * w > 0 ? x->numel / (d * h * w) : 0;
    return restrided(x, 4, (int64_t[]){volumes, d, h, w}, (int64_t[]){d * h * w, h * w, w, 1});
}

/* out, and places where it is wanted, from x; 16-bit floats are computed as float, integers as double. */
static Tensor *run(OpId op, Tensor *x, const Dims *shape, const Windows *w, int64_t divisor, bool padded,
                   Tensor *places)
{
    static const Dims through = {4, {1, 1, 0, 1}};
    DType work = work_type(x);
    Tensor *out = result_new(shape, work, x->device);
    Tensor *in = as_volumes(converted_plain(x, work), w->n),
           *to[2] = {out ? as_volumes(out, w->n) : NULL, NULL};
    if (!in || !to[0] || (places && !(to[1] = as_volumes(places, w->n)))) return NULL;
    Arg arg[5] = {{.dims = w->n == 3 ? &w->axis[0] : &through},
                  {.dims = &w->axis[w->n - 2]},
                  {.dims = &w->axis[w->n - 1]},
                  {.i = divisor},
                  {.b = padded}};
    if (out->numel > 0 && !kernel_run(op, &in, 1, to, places ? 2 : 1, arg)) return NULL;
    return converted_plain(out, (DType)x->dtype);
}

static Dims pooled_shape(const Tensor *x, const Windows *w)
{
    Dims shape = tensor_dims(x);
    for (int i = 0; i < w->n; i++) shape.v[shape.n - w->n + i] = w->out[i];
    return shape;
}

/* ---- largest elements ---- */

/* The largest elements and, as second result, their places. */
static Tensor *largest(OpId op, Tensor *x, const Windows *w)
{
    Dims shape = pooled_shape(x, w);
    Tensor *places = result_new(&shape, DT_I64, x->device);
    Tensor *y = places ? run(op, x, &shape, w, 0, false, places) : NULL;
    results_extra(places, NULL);
    return y;
}

Tensor *forward_max_pool2d_with_indices(Tensor *x, const Dims *kernel_size, const Dims *stride,
                                        const Dims *padding, const Dims *dilation, bool ceil_mode)
{
    Windows w;
    if (!read_windows("max_pool2d", 2, x, kernel_size, stride, padding, dilation, ceil_mode, &w)) return NULL;
    if (!check_not_bool(x, "max_pool2d")) return NULL;
    Tensor *y = largest(OP_max_pool2d_with_indices, x, &w), *places = op_second();
    if (y && records(x)) y = op_max_pool2d_values(x, y, places);
    results_extra(places, NULL);
    return y;
}

Tensor *forward_max_pool3d_with_indices(Tensor *x, const Dims *kernel_size, const Dims *stride,
                                        const Dims *padding, const Dims *dilation, bool ceil_mode)
{
    Windows w;
    if (!read_windows("max_pool3d", 3, x, kernel_size, stride, padding, dilation, ceil_mode, &w)) return NULL;
    if (!check_not_bool(x, "max_pool3d")) return NULL;
    Tensor *y = largest(OP_max_pool3d_with_indices, x, &w), *places = op_second();
    if (y && records(x)) y = op_max_pool3d_values(x, y, places);
    results_extra(places, NULL);
    return y;
}

Tensor *forward_adaptive_max_pool2d_with_indices(Tensor *x, const Dims *output_size)
{
    Windows w;
    if (!read_grid("adaptive_max_pool2d", 2, x, output_size, &w)) return NULL;
    if (!check_float(x, "adaptive_max_pool2d")) return NULL;
    Tensor *y = largest(OP_adaptive_max_pool2d_with_indices, x, &w), *places = op_second();
    if (y && records(x)) y = op_adaptive_max_pool2d_values(x, y, places);
    results_extra(places, NULL);
    return y;
}

Tensor *forward_adaptive_max_pool3d_with_indices(Tensor *x, const Dims *output_size)
{
    Windows w;
    if (!read_grid("adaptive_max_pool3d", 3, x, output_size, &w)) return NULL;
    if (!check_float(x, "adaptive_max_pool3d_cpu")) return NULL;
    Tensor *y = largest(OP_adaptive_max_pool3d_with_indices, x, &w), *places = op_second();
    if (y && records(x)) y = op_adaptive_max_pool3d_values(x, y, places);
    results_extra(places, NULL);
    return y;
}

#define VALUES(name)                                                                                         \
    Tensor *forward_##name(Tensor *x, Tensor *values, Tensor *indices)                                       \
    {                                                                                                        \
        (void)x, (void)indices;                                                                              \
        return view_new(values);                                                                             \
    }

VALUES(max_pool2d_values)
VALUES(max_pool3d_values)
VALUES(adaptive_max_pool2d_values)
VALUES(adaptive_max_pool3d_values)

/* g1 added up at its places in volumes, of the last n dims, of like's shape. */
static Tensor *put_back(Tensor *g1, Tensor *like, Tensor *indices, int n)
{
    Tensor *zeros = zeros_shaped(like, g1);
    Dims shape = tensor_dims(like);
    Tensor *flat =
        op_scatter_add(op_flatten(zeros, -n, -1), -1, op_flatten(indices, -n, -1), op_flatten(g1, -n, -1));
    return op_reshape(flat, &shape);
}

static Tensor *pick(Tensor *x, Tensor *indices, int n)
{
    Dims shape = tensor_dims(indices);
    return op_reshape(op_gather(op_flatten(x, -n, -1), -1, op_flatten(indices, -n, -1)), &shape);
}

Tensor *forward_max_pool2d_backward(Tensor *g1, Tensor *like, Tensor *indices)
{
    return put_back(g1, like, indices, 2);
}

Tensor *forward_max_pool3d_backward(Tensor *g1, Tensor *like, Tensor *indices)
{
    return put_back(g1, like, indices, 3);
}

Tensor *forward_max_pool2d_pick(Tensor *x, Tensor *indices) { return pick(x, indices, 2); }

Tensor *forward_max_pool3d_pick(Tensor *x, Tensor *indices) { return pick(x, indices, 3); }

/* ---- the way back from largest elements ---- */

static Tensor *unpooled(Tensor *x, Tensor *indices, const Dims *output_size, int n)
{
    char have[256], given[256];
    int64_t outside, room = 1;
    if (indices->dtype != DT_I64)
        return tide_fail("RuntimeError", "elements in indices should be type int64 but got: %s",
                         cname(indices));
    if (x->ndim != n + 1 && x->ndim != n + 2)
        return tide_fail(
            "RuntimeError",
            n == 2 ? "Input to max_unpooling2d should be a 3d or 4d Tensor, but got a tensor with %d "
                     "dimensions."
                   : "Input to max_unpooling3d should be a 4d or 5d Tensor, but got a tensor with %d "
                     "dimensions.",
            x->ndim);
    bool same = x->ndim == indices->ndim;
    for (int i = 0; same && i < x->ndim; i++) same = x->shape[i] == indices->shape[i];
    if (!same)
        return tide_fail(
            "RuntimeError",
            "Expected shape of indices to be same as that of the input tensor (%s) but got indices "
            "tensor with shape: %s",
            format_dims(have, sizeof have, x->ndim, x->shape),
            format_dims(given, sizeof given, indices->ndim, indices->shape));
    Dims shape = tensor_dims(x);
    for (int i = 0; i < n; i++) room *= shape.v[shape.n - n + i] = output_size->v[i];
    if (!all_within(indices, 0, room, &outside)) {
        Tensor *above = op_ge(indices, tensor_integer(room));
        Tensor *wrong = op_logical_or(op_lt(indices, tensor_integer(0)), above);
        Tensor *last = op_select(op_masked_select(indices, wrong), 0, -1); /* the one that PyTorch names */
        if (!tensor_item_int(last, &outside)) return NULL;
        sizes_text(have, sizeof have, output_size->v[0], output_size->v + 1, n - 1);
        return tide_fail("RuntimeError", "Found an invalid max index: %lld (output volumes are of size %s)",
                         (long long)outside, have);
    }
    if (!check_float(x, n == 2 ? "max_unpool2d" : "max_unpool3d")) return NULL;
    Tensor *zeros = tensor_zeros(&shape, (DType)x->dtype, x->device);
    Tensor *flat =
        op_scatter(op_flatten(zeros, -n, -1), -1, op_flatten(indices, -n, -1), op_flatten(x, -n, -1));
    return op_reshape(flat, &shape);
}

Tensor *forward_max_unpool2d(Tensor *x, Tensor *indices, const Dims *output_size)
{
    return unpooled(x, indices, output_size, 2);
}

Tensor *forward_max_unpool3d(Tensor *x, Tensor *indices, const Dims *output_size)
{
    return unpooled(x, indices, output_size, 3);
}

/* ---- means ---- */

/* Floats, in volumes only those of 32 and 64 bits, and int64. */
static bool check_mean(const Tensor *x, int n)
{
    bool half = x->dtype == DT_F16 || x->dtype == DT_BF16;
    if (x->dtype == DT_I64 || (dtype_is_float((DType)x->dtype) && (n == 2 || !half))) return true;
    return tide_refuse("NotImplementedError", "\"%s\" not implemented for '%s'",
                       n == 2 ? "avg_pool2d" : "avg_pool3d_out_frame", cname(x));
}

static Tensor *means(OpId op, const char *name, int n, Tensor *x, Tensor *like, const Dims *kernel_size,
                     const Dims *stride, const Dims *padding, bool ceil_mode, bool count_include_pad,
                     int64_t divisor_override)
{
    Windows w;
    if (!read_windows(name, n, like ? like : x, kernel_size, stride, padding, NULL, ceil_mode, &w) ||
        !check_mean(x, n))
        return NULL;
    Dims shape = like ? tensor_dims(like) : pooled_shape(x, &w);
    return run(op, x, &shape, &w, divisor_override, count_include_pad, NULL);
}

Tensor *forward_avg_pool2d(Tensor *x, const Dims *kernel_size, const Dims *stride, const Dims *padding,
                           bool ceil_mode, bool count_include_pad, int64_t divisor_override)
{
    return means(OP_avg_pool2d, "avg_pool2d", 2, x, NULL, kernel_size, stride, padding, ceil_mode,
                 count_include_pad, divisor_override);
}

Tensor *forward_avg_pool3d(Tensor *x, const Dims *kernel_size, const Dims *stride, const Dims *padding,
                           bool ceil_mode, bool count_include_pad, int64_t divisor_override)
{
    return means(OP_avg_pool3d, "avg_pool3d", 3, x, NULL, kernel_size, stride, padding, ceil_mode,
                 count_include_pad, divisor_override);
}

Tensor *forward_avg_pool2d_backward(Tensor *g1, Tensor *like, const Dims *kernel_size, const Dims *stride,
                                    const Dims *padding, bool ceil_mode, bool count_include_pad,
                                    int64_t divisor_override)
{
    return means(OP_avg_pool2d_backward, "avg_pool2d", 2, g1, like, kernel_size, stride, padding, ceil_mode,
                 count_include_pad, divisor_override);
}

Tensor *forward_avg_pool3d_backward(Tensor *g1, Tensor *like, const Dims *kernel_size, const Dims *stride,
                                    const Dims *padding, bool ceil_mode, bool count_include_pad,
                                    int64_t divisor_override)
{
    return means(OP_avg_pool3d_backward, "avg_pool3d", 3, g1, like, kernel_size, stride, padding, ceil_mode,
                 count_include_pad, divisor_override);
}

Tensor *forward_adaptive_avg_pool2d(Tensor *x, const Dims *output_size)
{
    Windows w;
    if (!read_grid("adaptive_avg_pool2d", 2, x, output_size, &w)) return NULL;
    if (w.out[0] == 1 && w.out[1] == 1) return op_mean(x, DIMS(-1, -2), true);
    if (!check_float(x, "adaptive_avg_pool2d")) return NULL;
    return op_grid_means(x, DIMS(w.out[0], w.out[1]));
}

Tensor *forward_adaptive_avg_pool3d(Tensor *x, const Dims *output_size)
{
    Windows w;
    if (!read_grid("adaptive_avg_pool3d", 3, x, output_size, &w)) return NULL;
    if (w.out[0] == 1 && w.out[1] == 1 && w.out[2] == 1) return op_mean(x, DIMS(-1, -2, -3), true);
    if (!check_float(x, "adaptive_avg_pool3d_cpu")) return NULL;
    return op_grid_means3(x, DIMS(w.out[0], w.out[1], w.out[2]));
}

static Tensor *grid(OpId op, int n, Tensor *x, Tensor *like, const Dims *output_size)
{
    Windows w = {n, {grid_axis, grid_axis, grid_axis}, {0}};
    for (int i = 0; i < n; i++) w.out[i] = output_size->v[i];
    Dims shape = like ? tensor_dims(like) : pooled_shape(x, &w);
    return run(op, x, &shape, &w, 0, false, NULL);
}

Tensor *forward_grid_means(Tensor *x, const Dims *output_size)
{
    return grid(OP_grid_means, 2, x, NULL, output_size);
}

Tensor *forward_grid_means3(Tensor *x, const Dims *output_size)
{
    return grid(OP_grid_means3, 3, x, NULL, output_size);
}

Tensor *forward_grid_means_backward(Tensor *g1, Tensor *like, const Dims *output_size)
{
    return grid(OP_grid_means_backward, 2, g1, like, output_size);
}

Tensor *forward_grid_means3_backward(Tensor *g1, Tensor *like, const Dims *output_size)
{
    return grid(OP_grid_means3_backward, 3, g1, like, output_size);
}
