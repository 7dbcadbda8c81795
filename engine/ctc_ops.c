/* ctc_ops.c - forwards of nn.def's ctc_loss: computed in double whatever the dtype. */
#include "engine/structural.h"

/* log_probs (T, N, C), targets (N, S), lengths (2, N) as the kernels take them. */
static bool as_inputs(Tensor *log_probs, Tensor *targets, Tensor *lengths, Tensor *in[3])
{
    int64_t outside;
    if (!check_float(log_probs, "ctc_loss_cpu")) return false;
    in[0] = converted_plain(log_probs, DT_F64);
    in[1] = converted_plain(targets, DT_I64);
    in[2] = converted_plain(lengths, DT_I64);
    for (int i = 0; i < 3; i++)
        if (!in[i] || !(in[i] = contiguous_plain(in[i]))) return false;
    if (all_within(in[1], 0, log_probs->shape[2], &outside)) return true;
    return tide_refuse("IndexError", "Target %lld is out of bounds.", (long long)outside);
}

/* Room for every step's and state's log-probability. */
static Tensor *scratch(const Tensor *log_probs, const Tensor *targets)
{
    return result_new(DIMS(log_probs->shape[1], log_probs->shape[0], 2 * targets->shape[1] + 1), DT_F64,
                      log_probs->device);
}

Tensor *forward_ctc_loss(Tensor *log_probs, Tensor *targets, Tensor *lengths, int64_t blank,
                         bool zero_infinity)
{
    Tensor *in[3];
    if (!as_inputs(log_probs, targets, lengths, in)) return NULL;
    Tensor *out[2] = {result_new(DIMS(log_probs->shape[1]), DT_F64, log_probs->device),
                      scratch(log_probs, targets)};
    Arg arg[2] = {{.i = blank}, {.b = zero_infinity}};
    if (!out[0] || !out[1] || (out[0]->numel > 0 && !kernel_run(OP_ctc_loss, in, 3, out, 2, arg)))
        return NULL;
    return converted_plain(out[0], (DType)log_probs->dtype);
}

Tensor *forward_ctc_loss_backward(Tensor *g1, Tensor *log_probs, Tensor *targets, Tensor *lengths,
                                  int64_t blank, bool zero_infinity)
{
    Tensor *in[4];
    if (!as_inputs(log_probs, targets, lengths, in)) return NULL;
    Dims shape = tensor_dims(log_probs);
    in[3] = converted_plain(g1, DT_F64);
    if (!in[3] || !(in[3] = contiguous_plain(in[3]))) return NULL;
    Tensor *out[3] = {result_new(&shape, DT_F64, log_probs->device), scratch(log_probs, targets),
                      scratch(log_probs, targets)};
    Arg arg[2] = {{.i = blank}, {.b = zero_infinity}};
    for (int i = 0; i < 3; i++)
        if (!out[i]) return NULL;
    if (out[0]->numel > 0 && !kernel_run(OP_ctc_loss_backward, in, 4, out, 3, arg)) return NULL;
    return converted_plain(out[0], (DType)log_probs->dtype);
}
