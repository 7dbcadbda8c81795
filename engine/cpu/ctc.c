/* ctc.c - the connectionist temporal classification loss: sums over all alignments of labels with steps.
 *
 * The kernels ctc_loss and ctc_loss_backward. log_probs (T, N, C) double, targets (N, S) int64, lengths
 * (2, N) int64 (steps, then labels, of each sample), all dense. alpha and beta (N, T, 2 S + 1) are scratch:
 * log-probabilities of having read the first, and of reading the last, of the labels with blanks around them.
 * arg[0] is the blank's label, arg[1] whether an infinite loss gives no gradient.
 * ctc_loss: in log_probs, targets, lengths; out losses (N), alpha.
 * ctc_loss_backward: the same and the losses' gradients (N); out the gradient of log_probs, alpha, beta. As
 * in PyTorch that gradient takes log_probs for the result of log_softmax. */
#include "engine/cpu/kernels.h"
#include "engine/cpu/threads.h"

#include <math.h>
#include <string.h>

typedef struct Ctc {
    const double *log_probs, *g;
    const int64_t *targets, *lengths;
    double *losses, *grad, *alpha, *beta;
    int64_t steps, samples, classes, most, blank;
    bool zero_infinity;
} Ctc;

/* One sample: its labels with blanks around them are 2 * labels + 1 states. */
typedef struct Sample {
    const double *log_probs; /* of step t at t * stride */
    const int64_t *target;
    double *alpha, *beta; /* (steps, width) */
    int64_t stride, width, steps, labels, blank;
} Sample;

static Sample sample_of(const Ctc *c, int64_t n)
{
    int64_t width = 2 * c->most + 1;
    return (Sample){
        .log_probs = c->log_probs + n * c->classes,
        .target = c->targets + n * c->most,
        .alpha = c->alpha + n * c->steps * width,
        .beta = c->beta ? c->beta + n * c->steps * width : NULL,
        .stride = c->samples * c->classes,
        .width = width,
        .steps = c->lengths[n],
        .labels = c->lengths[c->samples + n],
        .blank = c->blank,
    };
}

static int64_t label(const Sample *s, int64_t state) { return state % 2 ? s->target[state / 2] : s->blank; }

/* The logarithm of the sum of three exponentials. */
static double log_sum(double a, double b, double c)
{
    double most = fmax(a, fmax(b, c));
    if (most == -INFINITY) most = 0;
    return log(exp(a - most) + exp(b - most) + exp(c - most)) + most;
}

/* Whether a label may follow the one two states before it without a blank between. */
static bool may_skip(const Sample *s, int64_t state)
{
    return state % 2 && state >= 3 && s->target[state / 2] != s->target[state / 2 - 1];
}

static void read_forward(const Sample *s)
{
    int64_t states = 2 * s->labels + 1;
    double *a = s->alpha;
    for (int64_t k = 0; k < states; k++) a[k] = k < 2 ? s->log_probs[label(s, k)] : -INFINITY;
    for (int64_t t = 1; t < s->steps; t++) {
        const double *before = a, *p = s->log_probs + t * s->stride;
        a += s->width;
        for (int64_t k = 0; k < states; k++)
            a[k] = p[label(s, k)] + log_sum(before[k], k > 0 ? before[k - 1] : -INFINITY,
                                            may_skip(s, k) ? before[k - 2] : -INFINITY);
    }
}

static void read_backward(const Sample *s)
{
    int64_t states = 2 * s->labels + 1, last = s->steps - 1;
    double *b = s->beta + last * s->width;
    for (int64_t k = 0; k < states; k++)
        b[k] = k >= states - 2 ? s->log_probs[last * s->stride + label(s, k)] : -INFINITY;
    for (int64_t t = last - 1; t >= 0; t--) {
        const double *after = b, *p = s->log_probs + t * s->stride;
        b -= s->width;
        for (int64_t k = 0; k < states; k++)
            b[k] = p[label(s, k)] + log_sum(after[k], k + 1 < states ? after[k + 1] : -INFINITY,
                                            k + 2 < states && may_skip(s, k + 2) ? after[k + 2] : -INFINITY);
    }
}

static double loss_of(const Sample *s)
{
    if (s->steps == 0) return s->labels == 0 ? 0 : INFINITY;
    read_forward(s);
    const double *a = s->alpha + (s->steps - 1) * s->width;
    if (s->labels == 0) return -a[0];
    return -log_sum(a[2 * s->labels], a[2 * s->labels - 1], -INFINITY);
}

static void losses_range(int64_t begin, int64_t end, void *context)
{
    const Ctc *c = context;
    for (int64_t n = begin; n < end; n++) {
        Sample s = sample_of(c, n);
        c->losses[n] = loss_of(&s);
    }
}

/* grad (classes) at one step holds the logarithm of what all alignments through each label weigh. */
static void add_states(const Sample *s, int64_t t, double *grad)
{
    const double *a = s->alpha + t * s->width, *b = s->beta + t * s->width;
    for (int64_t k = 0; k < 2 * s->labels + 1; k++) {
        double *sum = grad + label(s, k);
        *sum = log_sum(*sum, a[k] + b[k], -INFINITY);
    }
}

static void gradients_range(int64_t begin, int64_t end, void *context)
{
    const Ctc *c = context;
    for (int64_t n = begin; n < end; n++) {
        Sample s = sample_of(c, n);
        double loss = loss_of(&s);
        bool none = c->zero_infinity && loss == INFINITY;
        if (s.steps > 0 && !none) read_backward(&s);
        for (int64_t t = 0; t < c->steps; t++) {
            double *grad = c->grad + t * s.stride + n * c->classes;
            bool within = t < s.steps && !none;
            for (int64_t k = 0; k < c->classes; k++) grad[k] = within ? -INFINITY : 0;
            if (!within) continue;
            const double *p = s.log_probs + t * s.stride;
            add_states(&s, t, grad);
            for (int64_t k = 0; k < c->classes; k++)
                grad[k] = (exp(p[k]) - exp(grad[k] + loss - p[k])) * c->g[n];
        }
    }
}

static Ctc ctc_of(const Call *call)
{
    const Tensor *p = call->in[0];
    return (Ctc){
        .log_probs = tensor_data(p),
        .targets = tensor_data(call->in[1]),
        .lengths = tensor_data(call->in[2]),
        .alpha = tensor_data(call->out[1]),
        .steps = p->shape[0],
        .samples = p->shape[1],
        .classes = p->shape[2],
        .most = call->in[1]->shape[1],
        .blank = call->arg[0].i,
        .zero_infinity = call->arg[1].b,
    };
}

bool cpu_ctc_loss(const Call *call)
{
    Ctc c = ctc_of(call);
    c.losses = tensor_data(call->out[0]);
    return parallel_for(c.samples, 1, losses_range, &c);
}

bool cpu_ctc_loss_backward(const Call *call)
{
    Ctc c = ctc_of(call);
    c.g = tensor_data(call->in[3]);
    c.grad = tensor_data(call->out[0]);
    c.beta = tensor_data(call->out[2]);
    return parallel_for(c.samples, 1, gradients_range, &c);
}
