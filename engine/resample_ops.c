/* resample_ops.c - forwards of image.def's resampling: every mode works dim by dim, the last one first. */
#include "engine/resample.h"
#include "engine/structural.h"

#include <stdio.h>

static DType work_type(const Tensor *x) { return x->dtype == DT_F64 ? DT_F64 : DT_F32; }

/* x, dense, resampled along dim to the size `to`; back: by the transpose of the map from `to` to x's size. */
static Tensor *along(Tensor *x, int dim, int64_t to, int64_t mode, bool align_corners, double scale,
                     bool back)
{
    Dims shape = tensor_dims(x);
    int64_t outer = 1, inner = 1, from = shape.v[dim];
    for (int i = 0; i < dim; i++) outer *= shape.v[i];
    for (int i = dim + 1; i < x->ndim; i++) inner *= shape.v[i];
    shape.v[dim] = to;
    Tensor *y = result_new(&shape, (DType)x->dtype, x->device);
    if (!y) return NULL;
    Tensor *in = restrided(x, 3, (int64_t[]){outer, from, inner}, (int64_t[]){from * inner, inner, 1});
    Tensor *out = restrided(y, 3, (int64_t[]){outer, to, inner}, (int64_t[]){to * inner, inner, 1});
    if (!in || !out) return NULL;
    Arg arg[3] = {{.i = mode}, {.b = align_corners}, {.f = scale}};
    OpId op = back ? OP_resample_backward : OP_resample;
    return y->numel == 0 || kernel_run(op, &in, 1, &out, 1, arg) ? y : NULL;
}

/* All dims after the first two; size is theirs in the result. */
static Tensor *resampled(Tensor *x, const int64_t *size, int64_t mode, bool align_corners,
                         const double scale[3], bool back)
{
    DType dtype = (DType)x->dtype;
    Tensor *y = converted_plain(x, work_type(x));
    if (!y || !(y = contiguous_plain(y))) return NULL;
    int dims = x->ndim - 2;
    for (int i = dims - 1; i >= 0 && y; i--)
        y = along(y, i + 2, size[i], mode, align_corners, scale[3 - dims + i], back);
    return y ? converted_plain(y, dtype) : NULL;
}

Tensor *forward_resample(Tensor *x, Tensor *like, int64_t mode, bool align_corners, double scale_d,
                         double scale_h, double scale_w)
{
    return resampled(x, like->shape + 2, mode, align_corners, (double[]){scale_d, scale_h, scale_w}, false);
}

Tensor *forward_resample_backward(Tensor *g1, Tensor *like, int64_t mode, bool align_corners, double scale_d,
                                  double scale_h, double scale_w)
{
    return resampled(g1, like->shape + 2, mode, align_corners, (double[]){scale_d, scale_h, scale_w}, true);
}

static const char *const size_words[] = {"W: %lld", "H: %lld, W: %lld", "D: %lld, H: %lld, W: %lld"};

/* "H: 4, W: 4" */
static const char *size_text(char *out, size_t room, int dims, const int64_t *size)
{
    long long v[3] = {0};
    for (int i = 0; i < dims; i++) v[i] = size[i];
    snprintf(out, room, size_words[dims - 1], v[0], v[1], v[2]);
    return out;
}

static bool check(const Tensor *x, int dims, const Dims *size, const char *kernel, bool bytes)
{
    char have[256], want[128];
    if (size->n != dims)
        return tide_refuse("RuntimeError", "It is expected output_size equals to %d, but got size %d", dims,
                           size->n);
    bool some = x->ndim == dims + 2;
    for (int i = 1; some && i < x->ndim; i++) some = x->shape[i] > 0;
    if (!some)
        return tide_refuse("RuntimeError",
                           "Non-empty %dD data tensor expected but got a tensor with sizes %s", dims + 2,
                           format_dims(have, sizeof have, x->ndim, x->shape));
    for (int i = 0; i < dims; i++)
        if (size->v[i] <= 0)
            return tide_refuse(
                "RuntimeError",
                "Input and output sizes should be greater than 0, but got input (%s)%s output (%s)",
                size_text(have, sizeof have, dims, x->shape + 2), dims == 1 ? " and" : "",
                size_text(want, sizeof want, dims, size->v));
    return (bytes && x->dtype == DT_U8) || check_float(x, kernel);
}

static Tensor *upsample(Tensor *x, const Dims *size, int dims, Interpolation mode, bool align_corners,
                        double scale_d, double scale_h, double scale_w, const char *kernel)
{
    if (!check(x, dims, size, kernel, mode == NEAREST || mode == NEAREST_EXACT)) return NULL;
    return resampled(x, size->v, mode, align_corners, (double[]){scale_d, scale_h, scale_w}, false);
}

#define UPSAMPLE(name, dims, mode, kernel)                                                                   \
    Tensor *forward_##name(Tensor *x, const Dims *output_size, bool align_corners, double scale_d,           \
                           double scale_h, double scale_w)                                                   \
    {                                                                                                        \
        return upsample(x, output_size, dims, mode, align_corners, scale_d, scale_h, scale_w, kernel);       \
    }

UPSAMPLE(upsample_nearest1d, 1, NEAREST, "compute_indices_weights_nearest")
UPSAMPLE(upsample_nearest2d, 2, NEAREST, "upsample_nearest2d_channels_last")
UPSAMPLE(upsample_nearest3d, 3, NEAREST, "compute_indices_weights_nearest")
UPSAMPLE(upsample_nearest_exact1d, 1, NEAREST_EXACT, "compute_indices_weights_nearest")
UPSAMPLE(upsample_nearest_exact2d, 2, NEAREST_EXACT, "upsample_nearest2d_channels_last")
UPSAMPLE(upsample_nearest_exact3d, 3, NEAREST_EXACT, "compute_indices_weights_nearest")
UPSAMPLE(upsample_linear1d, 1, LINEAR, "compute_indices_weights_linear")
UPSAMPLE(upsample_bilinear2d, 2, LINEAR, "upsample_bilinear2d_channels_last")
UPSAMPLE(upsample_trilinear3d, 3, LINEAR, "compute_indices_weights_linear")
UPSAMPLE(upsample_bicubic2d, 2, CUBIC, "compute_indices_weights_cubic")
