/* pool_ops.c - forwards of image.def's pooling: checks with PyTorch's texts, sizes, kernels. */
#include "engine/structural.h"

#include <string.h>

/* The windows of the last two dims: {kernel, stride, padding, dilation} each; kernel 0 is a grid's. */
typedef struct Windows {
    Dims axis[2];
    int64_t out[2];
} Windows;

static const Dims grid_axis = {4, {0, 1, 0, 1}};

static bool pair(const Dims *given, int64_t fallback, const char *op, const char *name, int64_t out[2])
{
    if (given && given->n != 1 && given->n != 2)
        return tide_refuse("RuntimeError", "%s: %s must either be a single int, or a tuple of two ints", op,
                           name);
    for (int i = 0; i < 2; i++) out[i] = !given ? fallback : given->v[given->n == 1 ? 0 : i];
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

static bool check_planes(const Tensor *x)
{
    bool some = x->ndim == 3 || x->ndim == 4;
    for (int i = x->ndim == 4; i < x->ndim; i++) some = some && x->shape[i] > 0;
    return some || tide_refuse("RuntimeError", "non-empty 3D or 4D (batch mode) tensor expected for input");
}

static bool read_windows(const char *op, const Tensor *x, const Dims *kernel, const Dims *stride,
                         const Dims *padding, const Dims *dilation, bool ceil_mode, Windows *w)
{
    int64_t k[2], s[2], p[2], d[2];
    if (!pair(kernel, 1, op, "kernel_size", k) || !pair(padding, 0, op, "padding", p) ||
        !pair(dilation, 1, op, "dilation", d) ||
        !pair(stride && stride->n ? stride : kernel, 1, op, "stride", s))
        return false;
    if (s[0] == 0 || s[1] == 0) return tide_refuse("RuntimeError", "stride should not be zero");
    for (int i = 0; i < 2; i++) {
        if (p[i] < 0)
            return tide_refuse("RuntimeError", "pad must be non-negative, but got pad: %lld",
                               (long long)p[i]);
        if (k[i] <= 0 || s[i] < 0)
            return tide_refuse("RuntimeError",
                               "kernel size should be greater than zero, but got kH: %lld kW: %lld",
                               (long long)k[0], (long long)k[1]);
        if (d[i] <= 0)
            return tide_refuse(
                "RuntimeError",
                "dilation should be greater than zero, but got dilationH: %lld dilationW: %lld",
                (long long)d[0], (long long)d[1]);
        if (p[i] > ((k[i] - 1) * d[i] + 1) / 2)
            return tide_refuse("RuntimeError",
                               "pad should be at most half of effective kernel size, but got pad=%lld, "
                               "kernel_size=%lld and dilation=%lld",
                               (long long)p[i], (long long)k[i], (long long)d[i]);
        w->axis[i] = (Dims){4, {k[i], s[i], p[i], d[i]}};
    }
    if (!check_planes(x)) return false;
    const int64_t *size = x->shape + x->ndim - 3;
    for (int i = 0; i < 2; i++) w->out[i] = pooled_size(size[i + 1], w->axis[i].v, ceil_mode);
    if (w->out[0] >= 1 && w->out[1] >= 1) return true;
    return tide_refuse(
        "RuntimeError",
        "Given input size: (%lldx%lldx%lld). Calculated output size: (%lldx%lldx%lld). Output size is "
        "too small",
        (long long)size[0], (long long)size[1], (long long)size[2], (long long)size[0], (long long)w->out[0],
        (long long)w->out[1]);
}

static bool read_grid(const char *op, const Tensor *x, const Dims *size, Windows *w)
{
    char have[256];
    w->axis[0] = w->axis[1] = grid_axis;
    if (size->n != 1 && size->n != 2)
        return tide_refuse("RuntimeError", "%s(): internal error: output_size.size() must be 2", op);
    if (x->ndim != 3 && x->ndim != 4)
        return tide_refuse("RuntimeError", "%s(): Expected 3D or 4D tensor, but got %s", op,
                           format_dims(have, sizeof have, x->ndim, x->shape));
    for (int i = 0; i < 2; i++) {
        w->out[i] = size->v[size->n == 1 ? 0 : i];
        if (x->shape[x->ndim - 2 + i] < 1)
            return tide_refuse(
                "RuntimeError",
                "%s(): Expected input to have non-zero size for non-batch dimensions, but input has "
                "sizes %s with dimension %d being empty",
                op, format_dims(have, sizeof have, x->ndim, x->shape), x->ndim - 2 + i);
        if (w->out[i] < 0)
            return tide_refuse("RuntimeError",
                               "%s: elements of output_size must be greater than or equal to 0", op);
    }
    return true;
}

/* ---- running the kernels ---- */

static DType work_type(const Tensor *x)
{
    return x->dtype == DT_F32 || x->dtype == DT_F16 || x->dtype == DT_BF16 ? DT_F32 : DT_F64;
}

static Tensor *as_planes(Tensor *x)
{
    if (!x || !(x = contiguous_plain(x))) return NULL;
    int64_t h = x->shape[x->ndim - 2], w = x->shape[x->ndim - 1];
    int64_t planes = h * w > 0 ? x->numel / (h * w) : 0;
    return restrided(x, 3, (int64_t[]){planes, h, w}, (int64_t[]){h * w, w, 1});
}

/* out, and places where it is wanted, from x; 16-bit floats are computed as float, integers as double. */
static Tensor *run(OpId op, Tensor *x, const Dims *shape, const Windows *w, int64_t divisor, bool padded,
                   Tensor *places)
{
    DType work = work_type(x);
    Tensor *out = result_new(shape, work, x->device);
    Tensor *in = as_planes(converted_plain(x, work)), *to[2] = {out ? as_planes(out) : NULL, NULL};
    if (!in || !to[0] || (places && !(to[1] = as_planes(places)))) return NULL;
    Arg arg[4] = {{.dims = &w->axis[0]}, {.dims = &w->axis[1]}, {.i = divisor}, {.b = padded}};
    if (out->numel > 0 && !kernel_run(op, &in, 1, to, places ? 2 : 1, arg)) return NULL;
    return converted_plain(out, (DType)x->dtype);
}

static Dims pooled_shape(const Tensor *x, const Windows *w)
{
    Dims shape = tensor_dims(x);
    shape.v[shape.n - 2] = w->out[0];
    shape.v[shape.n - 1] = w->out[1];
    return shape;
}

/* ---- largest elements ---- */

Tensor *forward_max_pool2d_with_indices(Tensor *x, const Dims *kernel_size, const Dims *stride,
                                        const Dims *padding, const Dims *dilation, bool ceil_mode)
{
    Windows w;
    if (!read_windows("max_pool2d", x, kernel_size, stride, padding, dilation, ceil_mode, &w)) return NULL;
    Dims shape = pooled_shape(x, &w);
    Tensor *places = result_new(&shape, DT_I64, x->device);
    Tensor *y = places ? run(OP_max_pool2d_with_indices, x, &shape, &w, 0, false, places) : NULL;
    if (y && records(x)) y = op_max_pool2d_values(x, y, places);
    results_extra(places, NULL);
    return y;
}

Tensor *forward_adaptive_max_pool2d_with_indices(Tensor *x, const Dims *output_size)
{
    Windows w;
    if (!read_grid("adaptive_max_pool2d", x, output_size, &w)) return NULL;
    Dims shape = pooled_shape(x, &w);
    Tensor *places = result_new(&shape, DT_I64, x->device);
    Tensor *y = places ? run(OP_adaptive_max_pool2d_with_indices, x, &shape, &w, 0, false, places) : NULL;
    if (y && records(x)) y = op_adaptive_max_pool2d_values(x, y, places);
    results_extra(places, NULL);
    return y;
}

Tensor *forward_max_pool2d_values(Tensor *x, Tensor *values, Tensor *indices)
{
    (void)x, (void)indices;
    return view_new(values);
}

Tensor *forward_adaptive_max_pool2d_values(Tensor *x, Tensor *values, Tensor *indices)
{
    (void)x, (void)indices;
    return view_new(values);
}

Tensor *forward_max_pool2d_backward(Tensor *g1, Tensor *like, Tensor *indices)
{
    Tensor *zeros = zeros_shaped(like, g1);
    Dims shape = tensor_dims(like);
    Tensor *flat =
        op_scatter_add(op_flatten(zeros, -2, -1), -1, op_flatten(indices, -2, -1), op_flatten(g1, -2, -1));
    return op_reshape(flat, &shape);
}

Tensor *forward_max_pool2d_pick(Tensor *x, Tensor *indices)
{
    Dims shape = tensor_dims(indices);
    return op_reshape(op_gather(op_flatten(x, -2, -1), -1, op_flatten(indices, -2, -1)), &shape);
}

/* ---- means ---- */

Tensor *forward_avg_pool2d(Tensor *x, const Dims *kernel_size, const Dims *stride, const Dims *padding,
                           bool ceil_mode, bool count_include_pad, int64_t divisor_override)
{
    Windows w;
    if (!read_windows("avg_pool2d", x, kernel_size, stride, padding, NULL, ceil_mode, &w)) return NULL;
    Dims shape = pooled_shape(x, &w);
    return run(OP_avg_pool2d, x, &shape, &w, divisor_override, count_include_pad, NULL);
}

Tensor *forward_avg_pool2d_backward(Tensor *g1, Tensor *like, const Dims *kernel_size, const Dims *stride,
                                    const Dims *padding, bool ceil_mode, bool count_include_pad,
                                    int64_t divisor_override)
{
    Windows w;
    Dims shape = tensor_dims(like);
    if (!read_windows("avg_pool2d", like, kernel_size, stride, padding, NULL, ceil_mode, &w)) return NULL;
    return run(OP_avg_pool2d_backward, g1, &shape, &w, divisor_override, count_include_pad, NULL);
}

Tensor *forward_adaptive_avg_pool2d(Tensor *x, const Dims *output_size)
{
    Windows w;
    if (!read_grid("adaptive_avg_pool2d", x, output_size, &w)) return NULL;
    if (w.out[0] == 1 && w.out[1] == 1) return op_mean(x, DIMS(-1, -2), true);
    return op_grid_means(x, DIMS(w.out[0], w.out[1]));
}

Tensor *forward_grid_means(Tensor *x, const Dims *output_size)
{
    Windows w = {{grid_axis, grid_axis}, {output_size->v[0], output_size->v[1]}};
    Dims shape = pooled_shape(x, &w);
    return run(OP_grid_means, x, &shape, &w, 0, false, NULL);
}

Tensor *forward_grid_means_backward(Tensor *g1, Tensor *like, const Dims *output_size)
{
    Windows w = {{grid_axis, grid_axis}, {output_size->v[0], output_size->v[1]}};
    Dims shape = tensor_dims(like);
    return run(OP_grid_means_backward, g1, &shape, &w, 0, false, NULL);
}
