/* nn_ops.c - forwards of nn.def: softmax, losses. */
#include "engine/structural.h"

#include <math.h>
#include <stdio.h>

enum { REDUCTION_NONE, REDUCTION_MEAN, REDUCTION_SUM };

/* ---- softmax ---- */

static bool is_half(const Tensor *t)
{
    return t->dtype == DT_F16 || t->dtype == DT_BF16;
}

/* Runs a kernel on dense inputs of one shape and dtype; 16-bit floats are computed as float. */
static Tensor *along_dim(OpId op, Tensor *a, Tensor *b, int64_t dim, Arg *arg, int dim_at)
{
    DType dtype = (DType)a->dtype, work = is_half(a) ? DT_F32 : dtype;
    Tensor *in[2] = {contiguous_plain(converted_plain(a, work)),
                     b ? contiguous_plain(converted_plain(b, work)) : NULL};
    if (!wrap_dim(&dim, a->ndim) || !in[0] || (b && !in[1]))
        return NULL;
    Dims shape = tensor_dims(a);
    Tensor *out = result_new(&shape, work, a->device);
    arg[dim_at].i = dim;
    if (!out || (out->numel > 0 && !kernel_run(op, in, b ? 2 : 1, &out, 1, arg)))
        return NULL;
    return converted_plain(out, dtype);
}

static Tensor *softmax(OpId op, Tensor *x, int64_t dim)
{
    Arg arg[2] = {{0}};
    int64_t last = dim;
    if (!wrap_dim(&last, x->ndim))
        return NULL;
    const char *name = op_info(op)->name;
    if (x->numel > 0 && !dtype_is_float((DType)x->dtype))
        return tide_fail("NotImplementedError", "\"%s_%s\" not implemented for '%s'", name,
                         last >= x->ndim - 1 ? "lastdim_kernel_impl" : "kernel_impl", cname(x));
    return along_dim(op, x, NULL, dim, arg, 1);
}

Tensor *forward_softmax(Tensor *x, int64_t dim)
{
    return softmax(OP_softmax, x, dim);
}

Tensor *forward_log_softmax(Tensor *x, int64_t dim)
{
    return softmax(OP_log_softmax, x, dim);
}

Tensor *forward_softmax_backward(Tensor *g1, Tensor *output, int64_t dim)
{
    Arg arg[3] = {{0}};
    return along_dim(OP_softmax_backward, g1, output, dim, arg, 2);
}

Tensor *forward_log_softmax_backward(Tensor *g1, Tensor *output, int64_t dim)
{
    Arg arg[3] = {{0}};
    return along_dim(OP_log_softmax_backward, g1, output, dim, arg, 2);
}

/* ---- reductions of losses ---- */

static Tensor *reduced(Tensor *loss, int64_t reduction)
{
    if (reduction == REDUCTION_NONE)
        return loss;
    return reduction == REDUCTION_MEAN ? op_mean(loss, NULL, false) : op_sum(loss, NULL, false);
}

/* The gradient of the terms of a reduced loss, from the loss's own: g1 for each, as a 0-dim tensor unless
 * not reduced. */
static Tensor *term_gradient(Tensor *g1, const Tensor *x, const Tensor *target, int64_t reduction)
{
    if (reduction != REDUCTION_MEAN)
        return g1;
    Dims a = tensor_dims(x), b = tensor_dims(target), both;
    double n = 1;
    if (!broadcast_shapes(&a, &b, &both))
        return NULL;
    for (int d = 0; d < both.n; d++)
        n *= (double)both.v[d];
    return op_div(g1, tensor_number(n));
}

/* ---- nll_loss ---- */

static bool check_target(const Tensor *x, const Tensor *target, const Tensor *weight)
{
    if (target->dtype != DT_I64 && target->dtype != DT_U8)
        return tide_refuse("RuntimeError", "expected target dtype to be Long or Byte, but got %s",
                           cname(target));
    if (!check_float(x, "nll_loss_out_frame"))
        return false;
    if (weight && weight->dtype != x->dtype)
        return tide_refuse("RuntimeError", "expected scalar type %s but found %s", cname(x), cname(weight));
    return true;
}

static bool check_weight(const Tensor *weight, int64_t classes)
{
    char have[256];
    if (!weight || (weight->ndim == 1 && weight->numel == classes))
        return true;
    return tide_refuse("RuntimeError",
                       "weight tensor should be defined either for all %lld classes or no classes but got "
                       "weight tensor of shape: %s",
                       (long long)classes, format_dims(have, sizeof have, weight->ndim, weight->shape));
}

static bool check_flat(const Tensor *x, const Tensor *target, const Tensor *weight)
{
    char have[256], want[256];
    if (x->ndim < 1 || x->ndim > 2)
        return tide_refuse("RuntimeError", "input tensor should be 1D or 2D");
    if (target->ndim > 1)
        return tide_refuse("RuntimeError", "0D or 1D target tensor expected, multi-target not supported");
    bool single = x->ndim == 1 && target->ndim == 0;
    if (!single && x->shape[0] != (target->ndim ? target->shape[0] : 1) &&
        !(x->ndim == 1 && target->numel == 1))
        return tide_refuse("RuntimeError", "size mismatch (got input: %s, target: %s)",
                           format_dims(have, sizeof have, x->ndim, x->shape),
                           format_dims(want, sizeof want, target->ndim, target->shape));
    if (!check_weight(weight, x->shape[x->ndim - 1]))
        return false;
    return check_target(x, target, weight);
}

static bool check_images(const Tensor *x, const Tensor *target, const Tensor *weight)
{
    char have[256], want[256];
    if (target->ndim != 3)
        return tide_refuse(
            "RuntimeError",
            "only batches of spatial targets supported (3D tensors) but got targets of dimension: %d",
            target->ndim);
    if (x->ndim != 4)
        return tide_refuse(
            "RuntimeError",
            "only batches of spatial inputs supported (4D tensors), but got input of dimension: %d", x->ndim);
    if (x->shape[0] != target->shape[0] || x->shape[2] != target->shape[1] || x->shape[3] != target->shape[2])
        return tide_refuse("RuntimeError", "size mismatch (got input: %s , target: %s",
                           format_dims(have, sizeof have, x->ndim, x->shape),
                           format_dims(want, sizeof want, target->ndim, target->shape));
    return check_weight(weight, x->shape[1]) && check_target(x, target, weight);
}

/* x as (n, classes, places). */
static Tensor *as_images(Tensor *x)
{
    int64_t n = x->ndim == 1 ? 1 : x->shape[0], classes = x->ndim == 1 ? x->shape[0] : x->shape[1];
    int64_t places = x->numel / (n * classes > 0 ? n * classes : 1);
    x = contiguous_plain(x);
    return x ? restrided(x, 3, (int64_t[]){n, classes, places}, (int64_t[]){classes * places, places, 1})
             : NULL;
}

static Tensor *nll(Tensor *x, Tensor *target, Tensor *weight, int64_t reduction, int64_t ignore_index)
{
    if (!check_same_device((Tensor *[]){x, target}, 2))
        return NULL;
    DType dtype = (DType)x->dtype, work = is_half(x) ? DT_F32 : dtype;
    Dims shape = tensor_dims(target);
    if (reduction != REDUCTION_NONE || (x->ndim == 1 && target->numel == 1))
        shape.n = 0;
    if (reduction == REDUCTION_NONE && x->ndim == 1)
        shape = tensor_dims(target);
    Tensor *in[3] = {as_images(converted_plain(x, work)), contiguous_plain(converted_plain(target, DT_I64)),
                     weight ? contiguous_plain(converted_plain(weight, work)) : NULL};
    Tensor *out = result_new(&shape, work, x->device);
    if (!in[0] || !in[1] || (weight && !in[2]) || !out)
        return NULL;
    Arg arg[5] = {[3] = {.i = reduction}, [4] = {.i = ignore_index}};
    return kernel_run(OP_nll_loss_flat, in, weight ? 3 : 2, &out, 1, arg) ? converted_plain(out, dtype)
                                                                          : NULL;
}

Tensor *forward_nll_loss_flat(Tensor *x, Tensor *target, Tensor *weight, int64_t reduction,
                              int64_t ignore_index)
{
    if (x->ndim <= 2 && !check_flat(x, target, weight))
        return NULL;
    return nll(x, target, weight, reduction, ignore_index);
}

Tensor *forward_nll_loss_2d(Tensor *x, Tensor *target, Tensor *weight, int64_t reduction,
                            int64_t ignore_index)
{
    return check_images(x, target, weight) ? nll(x, target, weight, reduction, ignore_index) : NULL;
}

Tensor *forward_nll_loss_backward(Tensor *g1, Tensor *like, Tensor *target, Tensor *weight, int64_t reduction,
                                  int64_t ignore_index)
{
    DType dtype = (DType)g1->dtype, work = is_half(g1) ? DT_F32 : dtype;
    Dims shape = tensor_dims(like);
    Tensor *gradient = tensor_zeros(&shape, work, g1->device);
    Tensor *in[3] = {contiguous_plain(converted_plain(g1, work)),
                     contiguous_plain(converted_plain(target, DT_I64)),
                     weight ? contiguous_plain(converted_plain(weight, work)) : NULL};
    Tensor *out = gradient ? as_images(gradient) : NULL;
    if (!in[0] || !in[1] || (weight && !in[2]) || !out)
        return NULL;
    Arg arg[6] = {[4] = {.i = reduction}, [5] = {.i = ignore_index}};
    if (out->numel > 0 && !kernel_run(OP_nll_loss_backward, in, weight ? 3 : 2, &out, 1, arg))
        return NULL;
    return converted_plain(gradient, dtype);
}

Tensor *forward_nll_loss(Tensor *x, Tensor *target, Tensor *weight, int64_t ignore_index, int64_t reduction)
{
    char have[256], want[256];
    if (x->ndim < 1)
        return tide_fail("ValueError", "Expected 1 or more dimensions (got 0)");
    if (x->ndim != 1 && (target->ndim < 1 || x->shape[0] != target->shape[0]))
        return tide_fail("ValueError", "Expected input batch_size (%lld) to match target batch_size (%lld).",
                         (long long)x->shape[0], (long long)(target->ndim ? target->shape[0] : 0));
    if (weight && records(weight))
        return tide_fail("RuntimeError", "The function 'nll_loss_forward' is not differentiable with respect "
                                         "to argument 'weight'. This input cannot have requires_grad True.");
    if (x->ndim > 2 && x->dtype != DT_F32 && !check_float(x, "nll_loss2d_forward_out_frame"))
        return NULL;
    if (x->ndim <= 2)
        return op_nll_loss_flat(x, target, weight, reduction, ignore_index);
    if (x->ndim == 4)
        return op_nll_loss_2d(x, target, weight, reduction, ignore_index);
    Dims places = {.n = x->ndim - 1};
    int64_t n = x->shape[0], classes = x->shape[1], area = 1;
    places.v[0] = n;
    for (int d = 2; d < x->ndim; d++)
        area *= places.v[d - 1] = x->shape[d];
    bool fits = target->ndim == places.n;
    for (int d = 1; fits && d < places.n; d++)
        fits = target->shape[d] == places.v[d];
    if (!fits)
        return tide_fail("RuntimeError", "Expected target size %s, got %s",
                         format_dims(want, sizeof want, places.n, places.v),
                         format_dims(have, sizeof have, target->ndim, target->shape));
    Tensor *loss = op_nll_loss_2d(op_reshape(x, DIMS(n, classes, 1, area)),
                                  op_reshape(target, DIMS(n, 1, area)), weight, reduction, ignore_index);
    return reduction == REDUCTION_NONE ? op_view(loss, &places) : loss;
}

/* ---- cross_entropy ---- */

/* One weight a class, shaped to stretch over x. */
static Tensor *class_weights(Tensor *weight, const Tensor *x)
{
    Dims shape = {.n = x->ndim};
    for (int d = 0; d < x->ndim; d++)
        shape.v[d] = d == (x->ndim == 1 ? 0 : 1) ? weight->numel : 1;
    return op_reshape(weight, &shape);
}

static Tensor *probability_entropy(Tensor *x, Tensor *target, Tensor *weight, int64_t reduction,
                                   double smoothing)
{
    int64_t dim = x->ndim == 1 ? 0 : 1;
    double classes = (double)x->shape[dim];
    Tensor *log_p = op_log_softmax(x, dim);
    if (smoothing > 0)
        target = op_add(op_mul(target, tensor_number(1 - smoothing)), tensor_number(smoothing / classes));
    Tensor *terms = op_mul(log_p, target);
    if (weight)
        terms = op_mul(terms, class_weights(weight, x));
    if (reduction == REDUCTION_NONE)
        return op_neg(op_sum(terms, DIMS(dim), false));
    Tensor *sum = op_neg(op_sum(terms, NULL, false));
    return reduction == REDUCTION_SUM ? sum : op_div_scalar(sum, (double)x->numel / classes);
}

static Tensor *smoothed_entropy(Tensor *x, Tensor *target, Tensor *weight, int64_t ignore_index,
                                int64_t reduction, double smoothing)
{
    int64_t dim = x->ndim == 1 ? 0 : 1;
    double classes = (double)x->shape[dim];
    Tensor *log_p = op_log_softmax(x, dim);
    Tensor *likely = op_nll_loss(log_p, target, weight, ignore_index, reduction);
    Tensor *terms = weight ? op_mul(log_p, class_weights(weight, x)) : log_p;
    Tensor *ignored = op_eq(target, tensor_integer(ignore_index));
    Tensor *smooth = op_masked_fill(op_neg(op_sum(terms, DIMS(dim), false)), ignored, tensor_number(0));
    if (reduction != REDUCTION_NONE)
        smooth = op_sum(smooth, NULL, false);
    if (reduction == REDUCTION_MEAN) {
        Tensor *counted = op_logical_not(ignored);
        Tensor *total = weight ? op_sum(op_gather(weight, 0, op_masked_select(target, counted)), NULL, false)
                               : op_sum(counted, NULL, false);
        smooth = op_div(smooth, total);
    }
    return op_add(node_scalar_overload(op_mul(likely, tensor_number(1 - smoothing))),
                  node_scalar_overload(op_mul(smooth, tensor_number(smoothing / classes))));
}

Tensor *forward_div_scalar(Tensor *x, double divisor)
{
    return op_div(x, tensor_number(divisor));
}

Tensor *forward_cross_entropy(Tensor *x, Tensor *target, Tensor *weight, int64_t ignore_index,
                              int64_t reduction, double label_smoothing)
{
    char have[256];
    if (label_smoothing < 0 || label_smoothing > 1)
        return tide_fail("RuntimeError", "label_smoothing must be between 0.0 and 1.0. Got: %g",
                         label_smoothing);
    if (tensor_same_shape(x, target)) {
        if (!dtype_is_float((DType)target->dtype))
            return tide_fail("RuntimeError",
                             "Expected floating point type for target with class probabilities, got %s",
                             cname(target));
        if (ignore_index >= 0)
            return tide_fail("RuntimeError", "ignore_index is not supported for floating point target");
        if (weight && (weight->ndim != 1 || weight->numel != x->shape[x->ndim == 1 ? 0 : 1]))
            return tide_fail("RuntimeError",
                             "cross_entropy: weight tensor should be defined either for all %lld classes or "
                             "no classes but got weight tensor of shape: %s",
                             (long long)x->shape[x->ndim == 1 ? 0 : 1],
                             format_dims(have, sizeof have, weight->ndim, weight->shape));
        return probability_entropy(x, target, weight, reduction, label_smoothing);
    }
    if (label_smoothing > 0)
        return smoothed_entropy(x, target, weight, ignore_index, reduction, label_smoothing);
    return op_nll_loss(op_log_softmax(x, x->ndim == 1 ? 0 : 1), target, weight, ignore_index, reduction);
}

/* ---- distances ---- */

Tensor *forward_mse_loss(Tensor *x, Tensor *target, int64_t reduction)
{
    return reduced(op_squared_difference(x, target), reduction);
}

Tensor *forward_mse_loss_backward(Tensor *g1, Tensor *x, Tensor *target, int64_t reduction)
{
    return op_mul(op_mul(op_sub(x, target), tensor_number(2)), term_gradient(g1, x, target, reduction));
}

Tensor *forward_l1_loss(Tensor *x, Tensor *target, int64_t reduction)
{
    return reduced(op_abs(op_sub(x, target)), reduction);
}

Tensor *forward_smooth_l1_loss(Tensor *x, Tensor *target, int64_t reduction, double beta)
{
    if (beta < 0)
        return tide_fail("RuntimeError", "smooth_l1_loss does not support negative values for beta.");
    return beta == 0 ? op_l1_loss(x, target, reduction) : op_smooth_l1_node(x, target, reduction, beta);
}

Tensor *forward_smooth_l1_node(Tensor *x, Tensor *target, int64_t reduction, double beta)
{
    return reduced(op_smooth_l1_terms(op_sub(x, target), tensor_number(beta)), reduction);
}

Tensor *forward_huber_loss(Tensor *x, Tensor *target, int64_t reduction, double delta)
{
    if (!(delta > 0))
        return tide_fail("RuntimeError", "huber_loss does not support non-positive values for delta.");
    return reduced(op_huber_terms(op_sub(x, target), tensor_number(delta)), reduction);
}

/* Within beta the gradient grows straight; beyond, it is 1 for smooth_l1_loss and beta for huber_loss. */
Tensor *forward_distance_backward(Tensor *g1, Tensor *x, Tensor *target, int64_t reduction, double beta,
                                  bool huber)
{
    Tensor *d = op_sub(x, target), *limit = tensor_number(beta);
    Tensor *slope = op_where(op_lt(op_abs(d), limit), op_div(d, limit), op_sgn(d));
    if (huber)
        slope = op_mul(slope, limit);
    return op_mul(slope, term_gradient(g1, x, target, reduction));
}

/* ---- binary cross entropy ---- */


/* "torch.Size([2, 3])" */
static const char *size_text(char *buf, size_t size, const Tensor *t)
{
    char dims[256];
    snprintf(buf, size, "torch.Size(%s)", format_dims(dims, sizeof dims, t->ndim, t->shape));
    return buf;
}

static Tensor *weighted(Tensor *terms, Tensor *weight)
{
    return weight ? op_mul(terms, weight) : terms;
}

Tensor *forward_binary_cross_entropy(Tensor *x, Tensor *target, Tensor *weight, int64_t reduction)
{
    char have[300], want[300];
    if (!tensor_same_shape(x, target))
        return tide_fail("ValueError",
                         "Using a target size (%s) that is different to the input size (%s) is deprecated. "
                         "Please ensure they have the same size.",
                         size_text(have, sizeof have, target), size_text(want, sizeof want, x));
    if (target->dtype != x->dtype)
        return tide_fail("RuntimeError", "Found dtype %s but expected %s", cname(target), cname(x));
    if (!check_float(x, "binary_cross_entropy"))
        return NULL;
    if (x->numel > 0) {
        double low, high;
        if (!tensor_item_double(op_amin(x, NULL, false), &low) ||
            !tensor_item_double(op_amax(x, NULL, false), &high))
            return NULL;
        if (!(low >= 0 && high <= 1))
            return tide_fail("RuntimeError", "all elements of input should be between 0 and 1");
    }
    return reduced(weighted(op_bce_terms(x, target), weight), reduction);
}

Tensor *forward_bce_target_backward(Tensor *g1, Tensor *x, Tensor *weight, int64_t reduction)
{
    Tensor *g = weighted(term_gradient(g1, x, x, reduction), weight);
    return op_mul(op_neg(op_logit(x, nan(""))), g);
}

Tensor *forward_bce_backward(Tensor *g1, Tensor *x, Tensor *target, Tensor *weight, int64_t reduction)
{
    Tensor *g = weighted(term_gradient(g1, x, x, reduction), weight);
    Tensor *spread = op_mul(op_rsub(x, tensor_number(1)), x);
    return op_div(op_mul(g, op_sub(x, target)), op_clamp_min(spread, tensor_number(1e-12f)));
}

/* PyTorch keeps from dividing by zero otherwise than in the gradient: each factor is moved by epsilon, which is of
 * double precision here. */
Tensor *forward_bce_second(Tensor *g2, Tensor *g1, Tensor *x, Tensor *target, Tensor *weight,
                           int64_t reduction, int64_t operand)
{
    Tensor *one = tensor_number(1), *epsilon = tensor_number(1e-12);
    Tensor *low = op_add(x, epsilon), *high = op_add(op_rsub(x, one), epsilon);
    Tensor *g = weighted(term_gradient(operand == 0 ? g2 : g1, x, x, reduction), weight);
    if (operand == 0)
        return op_mul(op_div(op_sub(x, target), op_mul(low, high)), g);
    if (operand == 2)
        return op_div(op_neg(op_mul(g2, g)), op_clamp_min(op_mul(x, op_rsub(x, one)), epsilon));
    Tensor *bend = op_add(op_sub(op_square(x), op_mul(op_mul(x, tensor_number(2)), target)), target);
    return op_mul(op_div(bend, op_mul(op_square(low), op_square(high))), op_mul(g2, g));
}

/* ---- activations ---- */

Tensor *forward_softsign(Tensor *x)
{
    return op_div(x, op_add(op_abs(x), tensor_integer(1)));
}

Tensor *forward_hardtanh_backward(Tensor *g1, Tensor *x, Tensor *low, Tensor *high)
{
    return op_where(op_logical_or(op_le(x, low), op_ge(x, high)), tensor_number(0), g1);
}

/* ---- losses written in Lua ---- */

Tensor *forward_once_differentiable(Tensor *x, int64_t loss)
{
    (void)loss;
    return view_new(x);
}

Tensor *forward_once_backward(Tensor *g1, Tensor *x, int64_t loss)
{
    (void)x, (void)loss;
    return view_new(g1);
}

Tensor *forward_binary_cross_entropy_with_logits(Tensor *x, Tensor *target, Tensor *weight,
                                                 Tensor *pos_weight, int64_t reduction)
{
    char have[300], want[300];
    if (!tensor_same_shape(x, target))
        return tide_fail("ValueError", "Target size (%s) must be the same as input size (%s)",
                         size_text(have, sizeof have, target), size_text(want, sizeof want, x));
    if (!check_float(x, "log_sigmoid_cpu"))
        return NULL;
    Tensor *terms = op_bce_logits_terms(x, target, pos_weight ? pos_weight : tensor_number(1));
    return reduced(weighted(terms, weight), reduction);
}

Tensor *forward_bce_logits_backward(Tensor *g1, Tensor *x, Tensor *target, Tensor *weight, Tensor *pos_weight,
                                    int64_t reduction, int64_t operand)
{
    Tensor *one = tensor_number(1), *g = weighted(term_gradient(g1, x, x, reduction), weight);
    Tensor *excess = pos_weight ? op_sub(pos_weight, one) : NULL;
    if (operand == 1) {
        Tensor *slope = excess ? op_add(x, op_mul(excess, op_log_sigmoid(x))) : x;
        return op_mul(g, op_neg(slope));
    }
    if (!excess)
        return op_mul(g, op_sub(op_sigmoid(x), target));
    Tensor *factor = op_add(op_mul(excess, target), one);
    return op_mul(g, op_sub(op_mul(factor, op_sigmoid(x)), op_mul(pos_weight, target)));
}

Tensor *forward_kl_div(Tensor *x, Tensor *target, int64_t reduction, bool log_target)
{
    if (!dtype_is_float((DType)x->dtype) || !dtype_is_float((DType)target->dtype))
        return tide_fail("RuntimeError", "kl_div: Integral inputs not supported.");
    Tensor *terms = log_target ? op_mul(op_exp(target), op_sub(target, x))
                               : op_sub(op_xlogy(target, target), op_mul(target, x));
    return reduced(terms, reduction);
}
