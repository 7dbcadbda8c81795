/* softmax.c - kernels of softmax, log_softmax and their gradients: dense tensors, any dim, float32 and
 * float64.
 *
 * arg[1] (softmax, log_softmax: in[0] x) or arg[2] (gradients: in[0] g, in[1] the result) is the dim; all of
 * out[0]'s shape. */
#include "engine/cpu/softmax.h"

#include "engine/cpu/kernels.h"
#include "engine/cpu/threads.h"

typedef struct Work {
    const SoftmaxLoops *loops;
    const char *in, *saved; /* saved: the forward's result, for gradients */
    char *out;
    int64_t n, inner, size, strips; /* strips: pieces of at most SOFTMAX_COLUMNS columns that cover inner */
} Work;

static void strips_range(int64_t begin, int64_t end, void *context)
{
    const Work *w = context;
    for (int64_t i = begin; i < end; i++) {
        int64_t column = i % w->strips * SOFTMAX_COLUMNS, left = w->inner - column;
        int64_t at = (i / w->strips * w->n * w->inner + column) * w->size;
        SoftmaxShape s = {w->n, w->inner, left < SOFTMAX_COLUMNS ? left : SOFTMAX_COLUMNS};
        if (w->saved)
            w->loops->backward(w->in + at, w->saved + at, w->out + at, s);
        else
            w->loops->forward(w->in + at, w->out + at, s);
    }
}

static bool softmax(const Call *call, int is_log, const Tensor *saved, int64_t dim)
{
    const Tensor *x = call->in[0];
    const SoftmaxLoops *tables[2] = {ISA_PICK(softmax_f32), ISA_PICK(softmax_f64)};
    Work w = {&tables[x->dtype == DT_F64][is_log],  tensor_data(x),
              saved ? tensor_data(saved) : NULL,    tensor_data(call->out[0]),
              x->ndim ? x->shape[dim] : 1,          1,
              (int64_t)dtype_size((DType)x->dtype), 0};
    for (int d = (int)dim + 1; d < x->ndim; d++)
        w.inner *= x->shape[d];
    w.strips = (w.inner + SOFTMAX_COLUMNS - 1) / SOFTMAX_COLUMNS;
    int64_t outer = x->numel / (w.n * w.inner),
            work = w.n * (w.inner < SOFTMAX_COLUMNS ? w.inner : SOFTMAX_COLUMNS);
    return parallel_for(outer * w.strips, GRAIN / 4 / work + 1, strips_range, &w);
}

bool cpu_softmax(const Call *call)
{
    return softmax(call, 0, NULL, call->arg[1].i);
}

bool cpu_log_softmax(const Call *call)
{
    return softmax(call, 1, NULL, call->arg[1].i);
}

bool cpu_softmax_backward(const Call *call)
{
    return softmax(call, 0, call->in[1], call->arg[2].i);
}

bool cpu_log_softmax_backward(const Call *call)
{
    return softmax(call, 1, call->in[1], call->arg[2].i);
}
