/* conv_ops.c - forwards of conv.def: checks with PyTorch's texts, sizes, the kernels on 3 spatial dims. */
#include "engine/structural.h"

#include <stdio.h>
#include <string.h>

/* ---- options ---- */

/* One entry a spatial dim from an option that may be missing or have a single entry. */
static bool spread_option(const Dims *given, int n, int64_t fallback, const char *name, Dims *out)
{
    char have[256];
    out->n = n;
    if (given && given->n != 1 && given->n != n)
        return tide_refuse("RuntimeError",
                           "expected %s to be a single integer value or a list of %d values to match the "
                           "convolution dimensions, but got %s=%s",
                           name, n, name, format_dims(have, sizeof have, given->n, given->v));
    for (int i = 0; i < n; i++) out->v[i] = !given ? fallback : given->n == 1 ? given->v[0] : given->v[i];
    return true;
}

static bool any_below(const Dims *d, int64_t least)
{
    for (int i = 0; i < d->n; i++)
        if (d->v[i] < least) return true;
    return false;
}

static bool check_options(const Dims *stride, const Dims *padding, const Dims *dilation, int64_t groups)
{
    char have[256];
    if (any_below(padding, 0)) return tide_refuse("RuntimeError", "negative padding is not supported");
    if (any_below(stride, 1)) return tide_refuse("RuntimeError", "non-positive stride is not supported");
    if (any_below(dilation, 0)) return tide_refuse("RuntimeError", "dilation should be greater than zero");
    if (any_below(dilation, 1))
        return tide_refuse("RuntimeError", "dilation should be greater than zero, but got %s",
                           format_dims(have, sizeof have, dilation->n, dilation->v));
    return groups > 0 || tide_refuse("RuntimeError", "non-positive groups is not supported");
}

/* ---- operands ---- */

static bool check_bias(const Tensor *weight, const Tensor *bias, int64_t filters, bool transposed)
{
    char w[256], b[256];
    if (!bias || (bias->ndim == 1 && bias->shape[0] == filters)) return true;
    return tide_refuse("RuntimeError",
                       "Given %sweight of size %s, expected bias to be 1-dimensional with %lld elements, but "
                       "got bias of size %s instead",
                       transposed ? "transposed=1, " : "",
                       format_dims(w, sizeof w, weight->ndim, weight->shape), (long long)filters,
                       format_dims(b, sizeof b, bias->ndim, bias->shape));
}

static bool check_channels(const Tensor *x, const Tensor *weight, int64_t groups, bool transposed)
{
    char w[256], have[256];
    format_dims(w, sizeof w, weight->ndim, weight->shape);
    if (weight->ndim != x->ndim)
        return tide_refuse(
            "RuntimeError",
            "Expected %d-dimensional input for %d-dimensional weight %s, but got %d-dimensional "
            "input of size %s instead",
            weight->ndim, weight->ndim, w, x->ndim, format_dims(have, sizeof have, x->ndim, x->shape));
    if (weight->shape[0] < groups)
        return tide_refuse(
            "RuntimeError",
            "Given groups=%lld, expected weight to be at least %lld at dimension 0, but got weight of "
            "size %s instead",
            (long long)groups, (long long)groups, w);
    if (weight->shape[0] % groups != 0)
        return tide_refuse(
            "RuntimeError",
            "Given groups=%lld, expected weight to be divisible by %lld at dimension 0, but got weight "
            "of size [%s] instead",
            (long long)groups, (long long)groups, w);
    int64_t wanted = transposed ? weight->shape[0] : weight->shape[1] * groups;
    if (x->shape[1] == wanted) return true;
    return tide_refuse(
        "RuntimeError",
        "Given %s=%lld, weight of size %s, expected input%s to have %lld channels, but got %lld "
        "channels instead",
        transposed ? "transposed" : "groups", transposed ? 1LL : (long long)groups, w,
        format_dims(have, sizeof have, x->ndim, x->shape), (long long)wanted, (long long)x->shape[1]);
}

/* Every kernel takes floats and int64; the plain ones other integers too. */
static bool check_kernel(const Tensor *x, const Dims *dilation, bool transposed)
{
    bool dilated = any_below(dilation, 1) || dilation->v[0] > 1;
    for (int i = 1; i < dilation->n; i++) dilated = dilated || dilation->v[i] > 1;
    const char *name = transposed && dilation->n == 3 ? "slow_conv_transpose3d_out_cpu"
                       : transposed                   ? "slow_conv_transpose2d_out_cpu"
                       : dilated                      ? "slow_conv_dilated<>"
                       : dilation->n == 3             ? "compute_columns3d"
                                                      : "slow_conv2d_cpu";
    bool taken = dtype_is_float((DType)x->dtype) || x->dtype == DT_I64;
    if (!transposed && !dilated) taken = x->dtype != DT_BOOL;
    return taken || tide_refuse("NotImplementedError", "\"%s\" not implemented for '%s'", name, cname(x));
}

static bool check_types(const Tensor *x, const Tensor *weight, const Tensor *bias, const Dims *dilation,
                        bool transposed)
{
    if (!check_same_device((Tensor *[]){(Tensor *)x, (Tensor *)weight, (Tensor *)(bias ? bias : x)}, 3))
        return false;
    if (bias && bias->dtype != x->dtype)
        return tide_refuse("RuntimeError", "Input type (%s) and bias type (%s) should be the same",
                           ctype_name(x), ctype_name(bias));
    if (!check_kernel(x, dilation, transposed)) return false;
    return x->dtype == weight->dtype ||
           tide_refuse("RuntimeError", "expected scalar type %s but found %s", cname(x), cname(weight));
}

/* "2 x 3" */
static const char *by_text(char *buf, size_t size, const int64_t *v, int n)
{
    size_t at = 0;
    buf[0] = 0;
    for (int i = 0; i < n && at < size; i++)
        at += (size_t)snprintf(buf + at, size - at, "%s%lld", i ? " x " : "", (long long)v[i]);
    return buf;
}

/* ---- sizes ---- */

static bool convolved_shape(const Tensor *x, const Tensor *weight, const Dims *stride, const Dims *padding,
                            const Dims *dilation, Dims *out)
{
    char have[128], want[128];
    Dims padded = {.n = stride->n}, reach = padded;
    *out = (Dims){x->ndim, {x->shape[0], weight->shape[0]}};
    bool fits = true;
    for (int i = 0; i < stride->n; i++) {
        padded.v[i] = x->shape[i + 2] + 2 * padding->v[i];
        reach.v[i] = dilation->v[i] * (weight->shape[i + 2] - 1) + 1;
        fits = fits && padded.v[i] >= reach.v[i];
        if (weight->shape[i + 2] < 1)
            return tide_refuse("RuntimeError",
                               "kernel size should be greater than zero, but got kernel size (%s)",
                               by_text(have, sizeof have, weight->shape + 2, stride->n));
        out->v[i + 2] = (padded.v[i] - reach.v[i]) / stride->v[i] + 1;
    }
    if (fits) return true;
    return tide_refuse(
        "RuntimeError",
        "Calculated padded input size per channel: (%s). Kernel size: (%s). Kernel size can't be "
        "greater than actual input size",
        by_text(have, sizeof have, padded.v, padded.n), by_text(want, sizeof want, reach.v, reach.n));
}

static bool transposed_shape(const Tensor *x, const Tensor *weight, const Dims *stride, const Dims *padding,
                             const Dims *dilation, const Dims *extra, int64_t groups, Dims *out)
{
    char have[128], want[128];
    *out = (Dims){x->ndim, {x->shape[0], weight->shape[1] * groups}};
    bool some = true;
    for (int i = 0; i < stride->n; i++) {
        out->v[i + 2] = (x->shape[i + 2] - 1) * stride->v[i] - 2 * padding->v[i] +
                        dilation->v[i] * (weight->shape[i + 2] - 1) + extra->v[i] + 1;
        some = some && out->v[i + 2] > 0;
        if (extra->v[i] >= stride->v[i] && extra->v[i] >= dilation->v[i])
            return tide_refuse("RuntimeError",
                               "output padding must be smaller than either stride or dilation, but got "
                               "output_padding: %lld stride: %lld dilation: %lld",
                               (long long)extra->v[i], (long long)stride->v[i], (long long)dilation->v[i]);
    }
    if (some) return true;
    return tide_refuse(
        "RuntimeError",
        "Given input size per channel: (%s). Calculated output size per channel: (%s). Output size "
        "is too small",
        by_text(have, sizeof have, x->shape + 2, stride->n),
        by_text(want, sizeof want, out->v + 2, stride->n));
}

/* ---- running the kernels ---- */

/* A dense tensor of 3 to 5 dims as one of 5: spatial dims of size 1 put before its own. */
static Tensor *with_three(Tensor *x, DType dtype)
{
    x = x ? converted_plain(x, dtype) : NULL;
    x = x ? contiguous_plain(x) : NULL;
    if (!x) return NULL;
    Dims shape = {5, {x->shape[0], x->shape[1], 1, 1, 1}};
    int64_t stride[5];
    for (int i = 2; i < x->ndim; i++) shape.v[i + 5 - x->ndim] = x->shape[i];
    dims_contiguous_strides(&shape, stride);
    return restrided(x, 5, shape.v, stride);
}

static Dims three(const Dims *d, int64_t fill)
{
    Dims all = {3, {fill, fill, fill}};
    for (int i = 0; i < d->n; i++) all.v[i + 3 - d->n] = d->v[i];
    return all;
}

/* One of the three kernels into a fresh tensor; 16-bit floats are computed as float, integers as double. */
static Tensor *run(OpId op, Tensor *a, Tensor *b, Tensor *bias, const Dims *shape, const Dims *stride,
                   const Dims *padding, const Dims *dilation, int64_t groups)
{
    DType dtype = (DType)a->dtype, work = dtype == DT_F64 || !dtype_is_float(dtype) ? DT_F64 : DT_F32;
    Dims s = three(stride, 1), p = three(padding, 0), d = three(dilation, 1);
    Arg arg[7] = {[3] = {.dims = &s}, [4] = {.dims = &p}, [5] = {.dims = &d}, [6] = {.i = groups}};
    Tensor *in[3] = {with_three(a, work), with_three(b, work), NULL};
    Tensor *out = result_new(shape, work, a->device);
    if (bias) in[2] = contiguous_plain(converted_plain(bias, work));
    if (!in[0] || !in[1] || !out || (bias && !in[2])) return NULL;
    if (out->numel > 0 && (a->numel == 0 || b->numel == 0)) {
        if (!fill_plain(out, 0)) return NULL;
        if (bias) out = op_add(out, op_reshape(in[2], &(Dims){shape->n - 1, {shape->v[1], 1, 1, 1}}));
    } else if (out->numel > 0) {
        Tensor *target = with_three(out, work);
        if (!target || !kernel_run(op, in, bias ? 3 : 2, &target, 1, arg)) return NULL;
    }
    if (out && !dtype_is_float(dtype)) out = converted_plain(out, DT_I64); /* narrower integers wrap */
    return out ? converted_plain(out, dtype) : NULL;
}

Tensor *forward_convolution(Tensor *x, Tensor *weight, Tensor *bias, const Dims *stride, const Dims *padding,
                            const Dims *dilation, int64_t groups)
{
    Dims shape;
    if (!check_options(stride, padding, dilation, groups) || !check_channels(x, weight, groups, false) ||
        !check_bias(weight, bias, weight->shape[0], false) ||
        !check_types(x, weight, bias, dilation, false) ||
        !convolved_shape(x, weight, stride, padding, dilation, &shape))
        return NULL;
    return run(OP_convolution, x, weight, bias, &shape, stride, padding, dilation, groups);
}

Tensor *forward_conv_input(Tensor *g1, Tensor *weight, Tensor *like, const Dims *stride, const Dims *padding,
                           const Dims *dilation, int64_t groups)
{
    Dims shape = tensor_dims(like);
    return run(OP_conv_input, g1, weight, NULL, &shape, stride, padding, dilation, groups);
}

Tensor *forward_conv_weight(Tensor *g1, Tensor *x, Tensor *like, const Dims *stride, const Dims *padding,
                            const Dims *dilation, int64_t groups)
{
    Dims shape = tensor_dims(like);
    return run(OP_conv_weight, g1, x, NULL, &shape, stride, padding, dilation, groups);
}

Tensor *forward_convolution_transposed(Tensor *x, Tensor *weight, Tensor *bias, const Dims *stride,
                                       const Dims *padding, const Dims *dilation, int64_t groups,
                                       const Dims *output_padding)
{
    Dims shape;
    if (any_below(output_padding, 0))
        return tide_fail("RuntimeError", "negative output_padding is not supported");
    if (!check_options(stride, padding, dilation, groups) || !check_channels(x, weight, groups, true) ||
        !check_bias(weight, bias, weight->shape[1] * groups, true) ||
        !check_types(x, weight, bias, dilation, true) ||
        !transposed_shape(x, weight, stride, padding, dilation, output_padding, groups, &shape))
        return NULL;
    Tensor *y = run(OP_conv_input, x, weight, NULL, &shape, stride, padding, dilation, groups);
    return bias ? op_add(y, op_reshape(bias, &(Dims){shape.n - 1, {shape.v[1], 1, 1, 1}})) : y;
}

Tensor *forward_convolution_like(Tensor *x, Tensor *weight, Tensor *like, const Dims *stride,
                                 const Dims *padding, const Dims *dilation, int64_t groups)
{
    Tensor *y = op_convolution(x, weight, NULL, stride, padding, dilation, groups);
    for (int i = 2; y && i < y->ndim; i++)
        if (y->shape[i] > like->shape[i]) y = op_narrow(y, i, 0, like->shape[i]);
    return y;
}

Tensor *forward_channel_sums(Tensor *g1)
{
    Dims others = {.n = g1->ndim - 1};
    for (int i = 1; i < others.n; i++)
        others.v[i] = i + 1;
    return op_sum(g1, &others, false);
}

/* ---- as called ---- */

static bool check_input(const Tensor *x, int n, const char *name)
{
    char have[256];
    return x->ndim == n + 1 || x->ndim == n + 2 ||
           tide_refuse("RuntimeError",
                       "Expected %dD (unbatched) or %dD (batched) input to %s, but got input of size: %s",
                       n + 1, n + 2, name, format_dims(have, sizeof have, x->ndim, x->shape));
}

static bool check_weight(const Tensor *weight)
{
    return weight->ndim > 2 || tide_refuse("RuntimeError", "weight should have at least three dimensions");
}

static Tensor *convolve(const char *name, int n, Tensor *x, Tensor *weight, Tensor *bias, const Dims *stride,
                        const Dims *padding, const Dims *dilation, int64_t groups)
{
    Dims s, p, d;
    if (!check_weight(weight)) return NULL;
    int ndim = weight->ndim - 2;
    if (!check_input(x, n, name) || !spread_option(stride, ndim, 1, "stride", &s) ||
        !spread_option(padding, ndim, 0, "padding", &p) || !spread_option(dilation, ndim, 1, "dilation", &d))
        return NULL;
    if (x->ndim == n + 2) return op_convolution(x, weight, bias, &s, &p, &d, groups);
    return op_squeeze(op_convolution(op_unsqueeze(x, 0), weight, bias, &s, &p, &d, groups), DIMS(0));
}

static Tensor *convolve_back(const char *name, int n, Tensor *x, Tensor *weight, Tensor *bias,
                             const Dims *stride, const Dims *padding, const Dims *extra, int64_t groups,
                             const Dims *dilation)
{
    Dims s, p, d, e;
    if (!check_weight(weight)) return NULL;
    int ndim = weight->ndim - 2;
    if (!check_input(x, n, name) || !spread_option(stride, ndim, 1, "stride", &s) ||
        !spread_option(padding, ndim, 0, "padding", &p) ||
        !spread_option(dilation, ndim, 1, "dilation", &d) ||
        !spread_option(extra, ndim, 0, "output_padding", &e))
        return NULL;
    if (x->ndim == n + 2) return op_convolution_transposed(x, weight, bias, &s, &p, &d, groups, &e);
    return op_squeeze(op_convolution_transposed(op_unsqueeze(x, 0), weight, bias, &s, &p, &d, groups, &e),
                      DIMS(0));
}

#define CONV_FORWARD(n)                                                                                      \
    Tensor *forward_conv##n##d(Tensor *x, Tensor *weight, Tensor *bias, const Dims *stride,                  \
                               const Dims *padding, const Dims *dilation, int64_t groups)                    \
    {                                                                                                        \
        return convolve("conv" #n "d", n, x, weight, bias, stride, padding, dilation, groups);               \
    }                                                                                                        \
    Tensor *forward_conv_transpose##n##d(Tensor *x, Tensor *weight, Tensor *bias, const Dims *stride,        \
                                         const Dims *padding, const Dims *output_padding, int64_t groups,    \
                                         const Dims *dilation)                                               \
    {                                                                                                        \
        return convolve_back("conv_transpose" #n "d", n, x, weight, bias, stride, padding, output_padding,   \
                             groups, dilation);                                                              \
    }
CONV_FORWARD(1)
CONV_FORWARD(2)
CONV_FORWARD(3)
