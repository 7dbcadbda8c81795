/* norm_ops.c - forwards of nn.def: variance, norms, logsumexp, layer_norm. */
#include "engine/norm_lines.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* r, a reduction of like over dim, with the reduced dims put back as 1. */
static Tensor *kept(Tensor *r, const Tensor *like, const Dims *dim, bool keepdim)
{
    Dims dims, shape = tensor_dims(like);
    if (!r || keepdim || like->ndim == 0)
        return r;
    if (!wrap_dims(dim, like->ndim, &dims))
        return NULL;
    for (int i = 0; i < dims.n; i++)
        shape.v[dims.v[i]] = 1;
    return op_reshape(r, &shape);
}

/* ---- variance ---- */

/* x as (lines, n): its reduced dims last and made one. *shape: the result's. */
static Tensor *reduced_lines(Tensor *x, const Dims *dim, bool keepdim, Dims *shape)
{
    Dims dims, order = {.n = x->ndim};
    bool reduced[TIDE_MAXDIM] = {false};
    int64_t lines = 1, n = 1, at = 0;
    if (!wrap_dims(dim, x->ndim, &dims))
        return NULL;
    for (int i = 0; i < dims.n; i++)
        reduced[dims.v[i]] = true;
    shape->n = 0;
    for (int d = 0; d < x->ndim; d++) {
        if (reduced[d])
            n *= x->shape[d];
        else {
            lines *= x->shape[d];
            order.v[at++] = d;
        }
        if (!reduced[d] || keepdim)
            shape->v[shape->n++] = reduced[d] ? 1 : x->shape[d];
    }
    for (int d = 0; d < x->ndim; d++)
        if (reduced[d])
            order.v[at++] = d;
    x = contiguous_plain(op_permute(x, &order));
    return x ? restrided(x, 2, (int64_t[]){lines, n}, (int64_t[]){n, 1}) : NULL;
}

static Tensor *spread(OpId op, Tensor *x, const Dims *dim, double correction, bool keepdim)
{
    Dims shape;
    DType dtype = (DType)x->dtype, work = dtype == DT_F64 ? DT_F64 : DT_F32;
    if (!dtype_is_float(dtype))
        return tide_fail("RuntimeError", "std and var only support floating point and complex dtypes");
    Tensor *lines = reduced_lines(x, dim, keepdim, &shape);
    lines = lines ? converted_plain(lines, work) : NULL;
    Tensor *out = lines ? result_new(&shape, work, x->device) : NULL;
    Arg arg[4] = {[2] = {.f = correction}};
    /* PyTorch's one result of all elements is about the mean as it rounds it, several are about running means */
    if (out && out->numel == 1 && dtype == work && x->device.type == DEVICE_CPU) {
        arg[0].b = true;
        if (!tensor_item_double(reduce_run(OP_mean, lines, NULL, false), &arg[1].f))
            return NULL;
    }
    if (!out || (out->numel > 0 && !kernel_run(op, &lines, 1, &out, 1, arg)))
        return NULL;
    return converted_plain(out, dtype);
}

Tensor *forward_var(Tensor *x, const Dims *dim, double correction, bool keepdim)
{
    return spread(OP_var, x, dim, correction, keepdim);
}

Tensor *forward_std(Tensor *x, const Dims *dim, double correction, bool keepdim)
{
    return spread(OP_std, x, dim, correction, keepdim);
}

/* The mean of x's n elements, each of which corrects it. As PyTorch's: infinities but a last one make it NaN. */
static double corrected_mean(const void *x, DType dtype, int64_t n)
{
    double mean = n ? 0 : NAN;
    for (int64_t i = 0; i < n; i++) {
        double v = dtype == DT_F64 ? ((const double *)x)[i] : ((const float *)x)[i];
        mean += (v - mean) / (double)(i + 1);
    }
    return mean;
}

Tensor *forward_running_mean(Tensor *x, const Dims *dim, bool keepdim)
{
    Dims shape;
    DType dtype = (DType)x->dtype, work = dtype == DT_F64 ? DT_F64 : DT_F32;
    if (x->device.type != DEVICE_CPU)
        return op_mean(x, dim, keepdim);
    Tensor *lines = reduced_lines(x, dim, keepdim, &shape);
    lines = lines ? converted_plain(lines, work) : NULL;
    Tensor *out = lines ? result_new(&shape, work, x->device) : NULL;
    if (!out)
        return NULL;
    for (int64_t i = 0; i < out->numel; i++) {
        int64_t n = lines->shape[1];
        const char *line = (const char *)tensor_data(lines) + (size_t)(i * n) * dtype_size(work);
        double mean = corrected_mean(line, work, n);
        if (work == DT_F64)
            ((double *)tensor_data(out))[i] = mean;
        else
            ((float *)tensor_data(out))[i] = (float)mean;
        if ((i * n & 0xffff) < n && tide_check_interrupt())
            return NULL;
    }
    return converted_plain(out, dtype);
}

Tensor *forward_var_backward(Tensor *g1, Tensor *x, const Dims *dim, double correction, bool keepdim)
{
    Dims dims;
    double n = 1;
    if (!wrap_dims(dim, x->ndim, &dims))
        return NULL;
    for (int i = 0; i < dims.n; i++)
        n *= (double)x->shape[dims.v[i]];
    double freedom = n - correction;
    /* PyTorch's answer without dims, where it tells the mean from other elements; with dims it just divides. */
    if (freedom <= 0 && (!dim || x->ndim == 0)) {
        Tensor *at_mean = op_eq(x, op_mean(x, NULL, false));
        return op_mul(kept(g1, x, dim, keepdim), op_where(at_mean, tensor_number(NAN), tensor_number(INFINITY)));
    }
    return op_mul(op_mul(kept(g1, x, dim, keepdim), tensor_number(2 / freedom)),
                  op_sub(x, op_mean(x, dim, true)));
}

Tensor *forward_std_backward(Tensor *g1, Tensor *x, Tensor *result, const Dims *dim, double correction,
                             bool keepdim)
{
    Tensor *zero = tensor_number(0);
    Tensor *g = op_masked_fill(op_div(g1, op_mul(result, tensor_number(2))), op_eq(result, zero), zero);
    return op_var_backward(g, x, dim, correction, keepdim);
}

/* ---- norms ---- */

static bool check_extreme(const Tensor *x, double p, const Dims *dim)
{
    Dims dims;
    char order[32];
    if (x->numel > 0 || (p >= 0 && !isinf(p)))
        return true;
    snprintf(order, sizeof order, "%g", p);
    if (!dim || dim->n == 0)
        return tide_refuse("RuntimeError",
                           "linalg.vector_norm cannot compute the %s norm on an empty tensor because the "
                           "operation does not have an identity",
                           order);
    if (!wrap_dims(dim, x->ndim, &dims))
        return false;
    for (int i = 0; i < dim->n; i++)
        if (x->shape[dim->v[i] < 0 ? dim->v[i] + x->ndim : dim->v[i]] == 0)
            return tide_refuse("RuntimeError",
                               "linalg.vector_norm cannot compute the %s norm on the dimension %lldbecause "
                               "this dimension is empty and the operation does not have an identity",
                               order, (long long)dim->v[i]);
    return true;
}

/* 16-bit floats are added up as float. */
static Tensor *norm_of(Tensor *x, double p, const Dims *dim, bool keepdim)
{
    Tensor *size = op_abs(x);
    if (!size)
        return NULL;
    if (p == 0)
        return converted_plain(op_count_nonzero(x, dim, keepdim), (DType)x->dtype);
    if (p == 1)
        return op_sum(size, dim, keepdim);
    if (isinf(p))
        return p > 0 ? op_amax(size, dim, keepdim) : op_amin(size, dim, keepdim);
    DType narrow = x->dtype == DT_F16 || x->dtype == DT_BF16 ? x->dtype : DT_NONE;
    if (narrow != DT_NONE)
        size = converted_plain(size, DT_F32);
    Tensor *y = op_pow(op_sum(op_pow(size, tensor_number(p)), dim, keepdim), tensor_number(1 / p));
    return narrow == DT_NONE || !y ? y : converted_plain(y, narrow);
}

Tensor *forward_norm(Tensor *x, double p, const Dims *dim, bool keepdim)
{
    if (!dtype_is_float((DType)x->dtype))
        return tide_fail("RuntimeError",
                         "linalg.vector_norm: Expected a floating point or complex tensor as input. Got %s",
                         cname(x));
    if (!check_extreme(x, p, dim))
        return NULL;
    return p == 2 ? reduce_run(OP_norm2, x, dim, keepdim) : norm_of(x, p, dim, keepdim);
}

/* In PyTorch's order of operations: second derivatives cancel, and what is left of them shows it. p is not 0. */
Tensor *forward_norm_backward(Tensor *g1, Tensor *x, Tensor *result, double p, const Dims *dim, bool keepdim)
{
    Tensor *zero = tensor_number(0), *g = kept(g1, x, dim, keepdim), *norm = kept(result, x, dim, keepdim);
    if (p == 1)
        return op_mul(op_sgn(x), g);
    if (p == 2)
        return op_mul(g, op_masked_fill(op_div(x, norm), op_eq(norm, zero), zero));
    Tensor *size = op_abs(x);
    if (isinf(p)) {
        Tensor *hit = op_logical_or(op_eq(size, norm), op_isnan(size));
        return op_mul(op_sgn(x), op_mul(op_div(g, op_sum(hit, dim, true)), hit));
    }
    if (p < 1) {
        Tensor *slope = op_masked_fill(op_pow(size, tensor_number(p - 1)), op_eq(x, zero), zero);
        return op_mul(op_mul(op_mul(op_sgn(x), slope), g), op_pow(norm, tensor_number(1 - p)));
    }
    Tensor *slope = p < 2 ? op_mul(op_sgn(x), op_pow(size, tensor_number(p - 1)))
                          : op_mul(x, op_pow(size, tensor_number(p - 2)));
    Tensor *scale = op_div(g, op_pow(norm, tensor_number(p - 1)));
    return op_mul(slope, op_masked_fill(scale, op_eq(norm, zero), zero));
}

Tensor *forward_logsumexp(Tensor *x, const Dims *dim, bool keepdim)
{
    Tensor *zero = tensor_number(0);
    Dims dims;
    if (!dtype_is_float((DType)x->dtype))
        x = converted_plain(x, default_dtype());
    if (!x || !wrap_dims(dim, x->ndim, &dims))
        return NULL;
    if (x->numel == 0)
        return op_log(op_sum(op_exp(x), dim, keepdim));
    Tensor *top = op_amax(x, dim, true);
    top = op_masked_fill(top, op_isinf(top), zero);
    Tensor *sum = op_log(op_sum(op_exp(op_sub(x, top)), dim, keepdim));
    if (!sum)
        return NULL;
    Dims shape = tensor_dims(sum);
    return op_add(sum, op_reshape(top, &shape));
}

Tensor *forward_logsumexp_backward(Tensor *g1, Tensor *x, Tensor *result, const Dims *dim, bool keepdim)
{
    return op_mul(kept(g1, x, dim, keepdim), op_exp(op_sub(x, kept(result, x, dim, keepdim))));
}

/* ---- layer_norm ---- */

static bool check_normalized(const Tensor *x, const Dims *shape, const Tensor *weight, const Tensor *bias)
{
    char want[256], have[256];
    const Tensor *given[] = {weight, bias};
    format_dims(want, sizeof want, shape->n, shape->v);
    if (shape->n < 1)
        return tide_refuse("RuntimeError",
                           "Expected normalized_shape to be at least 1-dimensional, i.e., containing at "
                           "least one element, but got normalized_shape = %s",
                           want);
    for (int i = 0; i < 2; i++)
        if (given[i] && (given[i]->ndim != shape->n ||
                         memcmp(given[i]->shape, shape->v, (size_t)shape->n * sizeof *shape->v)))
            return tide_refuse("RuntimeError",
                               "Expected %s to be of same shape as normalized_shape, but got %s of shape %s "
                               "and normalized_shape = %s",
                               i ? "bias" : "weight", i ? "bias" : "weight",
                               format_dims(have, sizeof have, given[i]->ndim, given[i]->shape), want);
    bool fits = x->ndim >= shape->n;
    for (int i = 0; fits && i < shape->n; i++)
        fits = x->shape[x->ndim - shape->n + i] == shape->v[i];
    if (fits)
        return true;
    char tail[256];
    snprintf(tail, sizeof tail, "%s", want + 1);
    return tide_refuse("RuntimeError",
                       "Given normalized_shape=%s, expected input with shape [*, %s, but got input of size%s",
                       want, tail, format_dims(have, sizeof have, x->ndim, x->shape));
}

static Dims last_dims(int n)
{
    Dims dims = {.n = n};
    for (int i = 0; i < n; i++)
        dims.v[i] = i - n;
    return dims;
}

static Tensor *inverse_deviation(Tensor *x, const Dims *over, double eps)
{
    return op_rsqrt(op_add(op_var(x, over, 0, true), tensor_number(eps)));
}

Tensor *forward_normalised(Tensor *x, const Dims *normalized_shape, double eps)
{
    Dims over = last_dims(normalized_shape->n);
    return op_mul(op_sub(x, op_mean(x, &over, true)), inverse_deviation(x, &over, eps));
}

/* t's last dims, of this shape, as rows. */
static Tensor *as_rows(Tensor *t, const Dims *normalized_shape)
{
    int64_t n = 1;
    for (int i = 0; i < normalized_shape->n; i++) n *= normalized_shape->v[i];
    t = t ? contiguous_plain(t) : NULL;
    return t ? restrided(t, 2, (int64_t[]){t->numel / n, n}, (int64_t[]){n, 1}) : NULL;
}

static Tensor *rows_normalised(Tensor *x, Tensor *weight, Tensor *bias, const Dims *normalized_shape, double eps)
{
    Dims shape = tensor_dims(x);
    Tensor *rows = as_rows(x, normalized_shape);
    return rows ? op_reshape(forward_norm_lines(rows, weight, bias, -1, eps), &shape) : NULL;
}

/* 16-bit floats are normalised as float and rounded once. */
Tensor *forward_layer_norm(Tensor *x, const Dims *normalized_shape, Tensor *weight, Tensor *bias, double eps)
{
    DType dtype = (DType)x->dtype, work = dtype == DT_F64 ? DT_F64 : DT_F32;
    if (!check_normalized(x, normalized_shape, weight, bias) || !check_float(x, "LayerNormKernelImpl"))
        return NULL;
    if (x->dtype == work && norm_lines_serve(x, weight, bias, -1))
        return rows_normalised(x, weight, bias, normalized_shape, eps);
    Tensor *y = forward_normalised(converted_plain(x, work), normalized_shape, eps);
    if (weight)
        y = op_mul(y, weight);
    if (bias)
        y = op_add(y, bias);
    return y ? converted_plain(y, dtype) : NULL;
}

/* rstd (w g - mean(w g) - xhat mean(w g xhat)) */
Tensor *forward_layer_norm_backward(Tensor *g1, Tensor *x, Tensor *weight, const Dims *normalized_shape,
                                    double eps)
{
    Dims over = last_dims(normalized_shape->n), shape = tensor_dims(x);
    if (norm_lines_serve(x, weight, g1, -1)) {
        Tensor *rows = as_rows(x, normalized_shape), *g = as_rows(g1, normalized_shape);
        return rows && g ? op_reshape(forward_norm_lines_backward(g, rows, weight, -1, eps), &shape) : NULL;
    }
    Tensor *g = weight ? op_mul(g1, weight) : g1, *hat = op_normalised(x, normalized_shape, eps);
    Tensor *centred = op_sub(g, op_mean(g, &over, true));
    Tensor *along = op_mul(hat, op_mean(op_mul(g, hat), &over, true));
    return op_mul(op_sub(centred, along), inverse_deviation(x, &over, eps));
}

/* Of g1's shape, or summed over its leading dims already. */
Tensor *forward_layer_norm_weight(Tensor *g1, Tensor *x, const Dims *normalized_shape, double eps)
{
    if (!norm_lines_serve(x, g1, NULL, -1)) return op_mul(g1, op_normalised(x, normalized_shape, eps));
    Tensor *rows = as_rows(x, normalized_shape), *g = as_rows(g1, normalized_shape);
    return rows && g ? op_reshape(forward_norm_lines_weight(g, rows, -1, eps), normalized_shape) : NULL;
}
