/* batch_ops.c - forwards of batch.def: batch_norm and group_norm. */
#include "engine/norm_lines.h"

/* v, one value a channel, as it broadcasts against x of ndim dims. */
static Tensor *per_channel(Tensor *v, int ndim)
{
    Dims shape = {.n = ndim};
    for (int i = 0; i < ndim; i++) shape.v[i] = 1;
    if (!v) return NULL;
    shape.v[1] = v->shape[0];
    return op_reshape(v, &shape);
}

static bool check_count(const Tensor *v, int64_t channels, const char *name)
{
    return !v || v->numel == channels ||
           tide_refuse("RuntimeError", "%s should contain %lld elements not %lld", name, (long long)channels,
                       (long long)v->numel);
}

static bool check_operands(const Tensor *x, const Tensor *weight, const Tensor *bias, const Tensor *mean,
                           const Tensor *var)
{
    if (x->ndim < 2)
        return tide_refuse("IndexError",
                           "Dimension out of range (expected to be in range of [-1, 0], but got 1)");
    int64_t channels = x->shape[1];
    return check_float(x, "batch_norm") && check_count(mean, channels, "running_mean") &&
           check_count(var, channels, "running_var") && check_count(weight, channels, "weight") &&
           check_count(bias, channels, "bias");
}

/* x times weight / root of var + eps, moved so that mean goes to bias. */
static Tensor *affine(Tensor *x, Tensor *weight, Tensor *bias, Tensor *mean, Tensor *var, double eps)
{
    Tensor *scale = op_rsqrt(op_add(var, tensor_number(eps)));
    if (weight) scale = op_mul(scale, weight);
    Tensor *shift = mean ? op_neg(op_mul(mean, scale)) : NULL;
    if (bias) shift = shift ? op_add(shift, bias) : bias;
    Tensor *y = op_mul(x, per_channel(scale, x->ndim));
    return shift ? op_add(y, per_channel(shift, x->ndim)) : y;
}

/* running = (1 - momentum) running + momentum seen */
static bool follow(Tensor *running, Tensor *seen, double momentum)
{
    if (!running) return true;
    Tensor *next =
        op_add(op_mul(running, tensor_number(1 - momentum)), op_mul(seen, tensor_number(momentum)));
    if (!next || !copy_plain(running, next)) return false;
    running->storage->version++;
    return true;
}

/* x as three dims of which those reduced are listed: (batch, channels, rest) or (batch, groups, rest). */
static Tensor *in_lines(Tensor *x, int64_t groups, Dims *reduced)
{
    int64_t lines = groups > 0 ? groups : x->shape[1];
    int64_t each = x->shape[0] * lines > 0 ? x->numel / (x->shape[0] * lines) : 0;
    *reduced = groups > 0 ? (Dims){1, {2}} : (Dims){2, {0, 2}};
    return op_reshape(x, DIMS(x->shape[0], lines, each));
}

Tensor *forward_batch_norm_train(Tensor *x, Tensor *weight, Tensor *bias, Tensor *running_mean,
                                 Tensor *running_var, double momentum, double eps)
{
    Dims reduced;
    Tensor *mean, *var, *y = NULL;
    if (!check_operands(x, weight, bias, running_mean, running_var)) return NULL;
    if (norm_lines_serve(x, weight, bias, 0)) {
        y = forward_norm_lines(x, weight, bias, 0, eps);
        if (!y) return NULL;
        mean = op_second(), var = op_third();
    } else {
        Tensor *lines = in_lines(x, 0, &reduced);
        mean = op_mean(lines, &reduced, false), var = op_var(lines, &reduced, 0, false);
        if (!mean || !var) return NULL;
    }
    double n = (double)x->numel / (double)(x->shape[1] > 0 ? x->shape[1] : 1);
    Tensor *unbiased = op_mul(var, tensor_number(n / (n - 1)));
    if (!follow(running_mean, mean, momentum) || !follow(running_var, unbiased, momentum)) return NULL;
    return y ? y : affine(x, weight, bias, mean, var, eps);
}

Tensor *forward_batch_norm_eval(Tensor *x, Tensor *weight, Tensor *bias, Tensor *running_mean,
                                Tensor *running_var, double eps)
{
    if (!check_operands(x, weight, bias, running_mean, running_var)) return NULL;
    if (!running_var)
        return tide_fail("RuntimeError",
                         "Expected running_mean and running_var to be defined when training=False");
    return affine(x, weight, bias, running_mean, running_var, eps);
}

Tensor *forward_batch_norm_eval_backward(Tensor *g1, Tensor *x, Tensor *weight, Tensor *running_var,
                                         double eps)
{
    (void)x;
    return affine(g1, weight, NULL, NULL, running_var, eps);
}

Tensor *forward_group_norm(Tensor *x, int64_t num_groups, Tensor *weight, Tensor *bias, double eps)
{
    char have[256];
    if (x->ndim < 2)
        return tide_fail("RuntimeError", "Expected at least 2 dimensions for input tensor but received %d",
                         x->ndim);
    format_dims(have, sizeof have, x->ndim, x->shape);
    if (num_groups <= 0)
        return tide_fail("RuntimeError", "Expected num groups to be greater than 0, got %lld",
                         (long long)num_groups);
    if (x->shape[1] % num_groups != 0)
        return tide_fail(
            "RuntimeError",
            "Expected number of channels in input to be divisible by num_groups, but got input of shape "
            "%s and num_groups=%lld",
            have, (long long)num_groups);
    if (!check_float(x, "GroupNormKernelImpl") || !check_count(weight, x->shape[1], "weight") ||
        !check_count(bias, x->shape[1], "bias"))
        return NULL;
    if (norm_lines_serve(x, weight, bias, num_groups))
        return forward_norm_lines(x, weight, bias, num_groups, eps);
    Tensor *y = op_standardised(x, num_groups, eps);
    if (weight) y = op_mul(y, per_channel(weight, x->ndim));
    return bias ? op_add(y, per_channel(bias, x->ndim)) : y;
}

Tensor *forward_standardised(Tensor *x, int64_t groups, double eps)
{
    Dims reduced, shape = tensor_dims(x);
    Tensor *lines = in_lines(x, groups, &reduced);
    Tensor *scale = op_rsqrt(op_add(op_var(lines, &reduced, 0, true), tensor_number(eps)));
    return op_reshape(op_mul(op_sub(lines, op_mean(lines, &reduced, true)), scale), &shape);
}

Tensor *forward_standardised_backward(Tensor *g1, Tensor *x, Tensor *weight, int64_t groups, double eps)
{
    Dims reduced, shape = tensor_dims(x);
    if (norm_lines_serve(x, weight, g1, groups))
        return forward_norm_lines_backward(g1, x, weight, groups, eps);
    Tensor *lines = in_lines(x, groups, &reduced);
    Tensor *scale = op_rsqrt(op_add(op_var(lines, &reduced, 0, true), tensor_number(eps)));
    Tensor *unit = op_mul(op_sub(lines, op_mean(lines, &reduced, true)), scale);
    Tensor *g = weight ? op_mul(g1, per_channel(weight, x->ndim)) : g1;
    g = g ? in_lines(g, groups, &reduced) : NULL;
    Tensor *along = op_mul(unit, op_mean(op_mul(g, unit), &reduced, true));
    return op_reshape(op_mul(scale, op_sub(op_sub(g, op_mean(g, &reduced, true)), along)), &shape);
}

Tensor *forward_standardised_weight(Tensor *g1, Tensor *x, int64_t groups, double eps)
{
    if (norm_lines_serve(x, g1, NULL, groups)) return forward_norm_lines_weight(g1, x, groups, eps);
    return op_channel_sums(op_mul(g1, op_standardised(x, groups, eps)));
}
