/* blocks_ops.c - forwards of image.def's sliding blocks. */
#include "engine/structural.h"

/* The options of a sliding block, one entry for each of two dims. */
typedef struct Blocks {
    int64_t kernel[2], dilation[2], padding[2], stride[2], count[2];
} Blocks;

static bool pair(const Dims *given, const char *name, int64_t least, int64_t out[2])
{
    if (given->n != 1 && given->n != 2)
        return tide_refuse("RuntimeError", "It is expected %s equals to 2, but got size %d", name, given->n);
    for (int i = 0; i < 2; i++) {
        out[i] = given->v[given->n == 1 ? 0 : i];
        if (out[i] < least)
            return tide_refuse("RuntimeError", "%s should be %s, but got %s_height: %lld %s_width: %lld",
                               name, least ? "greater than zero" : "non-negative", name,
                               (long long)given->v[0], name, (long long)given->v[given->n - 1]);
    }
    return true;
}

static bool read_blocks(const int64_t *size, const Dims *kernel, const Dims *dilation, const Dims *padding,
                        const Dims *stride, Blocks *b)
{
    if (!pair(kernel, "kernel", 1, b->kernel) || !pair(dilation, "dilation", 1, b->dilation) ||
        !pair(padding, "padding", 0, b->padding) || !pair(stride, "stride", 1, b->stride))
        return false;
    for (int i = 0; i < 2; i++) {
        int64_t room = size[i] + 2 * b->padding[i] - b->dilation[i] * (b->kernel[i] - 1) - 1;
        b->count[i] = room >= 0 ? room / b->stride[i] + 1 : -((-room - 1) / b->stride[i]);
    }
    if (b->count[0] >= 1 && b->count[1] >= 1) return true;
    return tide_refuse(
        "RuntimeError",
        "Given input with spatial size (%lld, %lld), kernel_size=(%lld, %lld), dilation=(%lld, %lld), "
        "padding=(%lld, %lld), calculated shape of the array of sliding blocks as (%lld, %lld), but "
        "its components must be at least one.",
        (long long)size[0], (long long)size[1], (long long)b->kernel[0], (long long)b->kernel[1],
        (long long)b->dilation[0], (long long)b->dilation[1], (long long)b->padding[0],
        (long long)b->padding[1], (long long)b->count[0], (long long)b->count[1]);
}

/* The sliding blocks' elements (n, channels, kernel, positions) as strides over dense padded planes. */
static void block_view(const Tensor *padded, const Blocks *b, Dims *shape, Dims *stride)
{
    int64_t h = padded->shape[2], w = padded->shape[3], channels = padded->shape[1];
    *shape = (Dims){6, {padded->shape[0], channels, b->kernel[0], b->kernel[1], b->count[0], b->count[1]}};
    *stride = (Dims){
        6, {channels * h * w, h * w, b->dilation[0] * w, b->dilation[1], b->stride[0] * w, b->stride[1]}};
}

/* PyTorch's kernels take floats and, as it happens, bools. */
static bool check_kernel(const Tensor *x, const char *kernel)
{
    return x->dtype == DT_BOOL || check_float(x, kernel);
}

static Tensor *without_batch(Tensor *y, bool single) { return single ? op_squeeze(y, DIMS(0)) : y; }

Tensor *forward_im2col(Tensor *x, const Dims *kernel_size, const Dims *dilation, const Dims *padding,
                       const Dims *stride)
{
    char have[256];
    Blocks b;
    Dims shape, strides;
    bool single = x->ndim == 3;
    if (x->ndim != 3 && x->ndim != 4)
        return tide_fail(
            "RuntimeError",
            "Expected 3D or 4D (batch mode) tensor with possibly 0 batch size and other non-zero "
            "dimensions for input, but got: %s",
            format_dims(have, sizeof have, x->ndim, x->shape));
    x = single ? op_unsqueeze(x, 0) : x;
    if (!x || !read_blocks(x->shape + 2, kernel_size, dilation, padding, stride, &b)) return NULL;
    if (!check_kernel(x, "im2col_out_cpu")) return NULL;
    x = op_constant_pad_nd(x, DIMS(b.padding[1], b.padding[1], b.padding[0], b.padding[0]), 0);
    if (!x || !(x = contiguous_plain(x))) return NULL;
    block_view(x, &b, &shape, &strides);
    Tensor *y = restrided(x, 6, shape.v, strides.v);
    int64_t rows = x->shape[1] * b.kernel[0] * b.kernel[1];
    y = op_reshape(op_clone(y), DIMS(x->shape[0], rows, b.count[0] * b.count[1]));
    return without_batch(y, single);
}

Tensor *forward_col2im(Tensor *x, const Dims *output_size, const Dims *kernel_size, const Dims *dilation,
                       const Dims *padding, const Dims *stride)
{
    char have[256];
    Blocks b;
    Dims shape, strides;
    int64_t size[2];
    bool single = x->ndim == 2;
    if (x->ndim != 2 && x->ndim != 3)
        return tide_fail(
            "RuntimeError",
            "Expected 2D or 3D (batch mode) tensor for input with possibly 0 batch size and non-zero "
            "dimensions for input, but got: %s",
            format_dims(have, sizeof have, x->ndim, x->shape));
    x = single ? op_unsqueeze(x, 0) : x;
    if (!x || !pair(output_size, "output_size", 0, size) ||
        !read_blocks(size, kernel_size, dilation, padding, stride, &b))
        return NULL;
    int64_t taps = b.kernel[0] * b.kernel[1], places = b.count[0] * b.count[1];
    if (x->shape[1] % taps != 0)
        return tide_fail(
            "RuntimeError",
            "Expected size of input's dimension 1 to be divisible by the product of kernel_size, but got "
            "input.size(1)=%lld and kernel_size=(%lld, %lld).",
            (long long)x->shape[1], (long long)b.kernel[0], (long long)b.kernel[1]);
    if (x->shape[2] != places)
        return tide_fail(
            "RuntimeError",
            "Given output_size=(%lld, %lld), kernel_size=(%lld, %lld), dilation=(%lld, %lld), "
            "padding=(%lld, %lld), stride=(%lld, %lld), expected size of input's dimension 2 to match "
            "the calculated number of sliding blocks %lld * %lld = %lld, but got input.size(2)=%lld.",
            (long long)size[0], (long long)size[1], (long long)b.kernel[0], (long long)b.kernel[1],
            (long long)b.dilation[0], (long long)b.dilation[1], (long long)b.padding[0],
            (long long)b.padding[1], (long long)b.stride[0], (long long)b.stride[1], (long long)b.count[0],
            (long long)b.count[1], (long long)places, (long long)x->shape[2]);
    if (!check_kernel(x, "col2im_out_cpu")) return NULL;
    Tensor *padded = tensor_zeros(
        DIMS(x->shape[0], x->shape[1] / taps, size[0] + 2 * b.padding[0], size[1] + 2 * b.padding[1]),
        (DType)x->dtype, x->device);
    if (!padded) return NULL;
    block_view(padded, &b, &shape, &strides);
    Tensor *y = op_as_strided_backward(op_reshape(x, &shape), padded, &shape, &strides, 0);
    y = op_narrow(op_narrow(y, 2, b.padding[0], size[0]), 3, b.padding[1], size[1]);
    return without_batch(y ? contiguous_plain(y) : NULL, single);
}
