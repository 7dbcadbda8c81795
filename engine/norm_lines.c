/* norm_lines.c - forwards of batch.def's norm_lines rows: operands laid out for their kernels. */
#include "engine/norm_lines.h"

static bool plain(const Tensor *t, DType dtype)
{
    return t->device.type == DEVICE_CPU && t->dtype == dtype && !records(t);
}

bool norm_lines_serve(const Tensor *x, const Tensor *a, const Tensor *b, int64_t groups)
{
    enum { SHORTEST = 8 };
    DType dtype = (DType)x->dtype;
    if ((dtype != DT_F32 && dtype != DT_F64) || x->numel == 0 || !plain(x, dtype)) return false;
    if ((a && !plain(a, dtype)) || (b && !plain(b, dtype))) return false;
    return groups < 0 || x->numel / (x->shape[0] * x->shape[1]) >= SHORTEST;
}

/* (lines, n) as it is; anything else as (batch, channels, rest). */
static Tensor *laid_out(Tensor *x, int64_t groups)
{
    x = contiguous_plain(x);
    if (!x || groups < 0) return x;
    int64_t n = x->shape[0], c = x->shape[1], rest = x->numel / (n * c);
    return restrided(x, 3, (int64_t[]){n, c, rest}, (int64_t[]){c * rest, rest, 1});
}

static Tensor *fresh_like(Tensor *x)
{
    Dims shape = tensor_dims(x);
    return result_new(&shape, (DType)x->dtype, x->device);
}

Tensor *forward_norm_lines(Tensor *x, Tensor *weight, Tensor *bias, int64_t groups, double eps)
{
    Tensor *in[3] = {laid_out(x, groups), weight ? contiguous_plain(weight) : NULL,
                     bias ? contiguous_plain(bias) : NULL};
    Tensor *out[3] = {fresh_like(x)};
    Arg arg[5] = {[3] = {.i = groups}, [4] = {.f = eps}};
    if (!in[0] || !out[0] || (weight && !in[1]) || (bias && !in[2])) return NULL;
    for (int i = 1; i < 3 && groups == 0; i++)
        if (!(out[i] = result_new(DIMS(x->shape[1]), (DType)x->dtype, x->device))) return NULL;
    if (!kernel_run(OP_norm_lines, in, 3, out, groups == 0 ? 3 : 1, arg)) return NULL;
    results_extra(out[1], out[2]);
    return out[0];
}

Tensor *forward_norm_lines_backward(Tensor *g1, Tensor *x, Tensor *weight, int64_t groups, double eps)
{
    Tensor *in[3] = {laid_out(g1, groups), laid_out(x, groups), weight ? contiguous_plain(weight) : NULL};
    Tensor *out = fresh_like(x);
    Arg arg[5] = {[3] = {.i = groups}, [4] = {.f = eps}};
    if (!in[0] || !in[1] || !out || (weight && !in[2])) return NULL;
    return kernel_run(OP_norm_lines_backward, in, 3, &out, 1, arg) ? out : NULL;
}

Tensor *forward_norm_lines_weight(Tensor *g1, Tensor *x, int64_t groups, double eps)
{
    Tensor *in[2] = {laid_out(g1, groups), laid_out(x, groups)}, *out[3];
    Arg arg[4] = {[2] = {.i = groups}, [3] = {.f = eps}};
    if (!in[0] || !in[1]) return NULL;
    for (int i = 0; i < (groups < 0 ? 3 : 1); i++)
        if (!(out[i] = result_new(DIMS(x->shape[i == 0]), (DType)x->dtype, x->device))) return NULL;
    return kernel_run(OP_norm_lines_weight, in, 2, out, groups < 0 ? 3 : 1, arg) ? out[0] : NULL;
}
