/* loss.c - kernels of nll_loss and its gradient.
 *
 * x (n, classes, places), target (n, places) int64, weight (classes) if any; float32 or float64, dense. A
 * target of ignore_index counts for nothing. Sums are kept in double. */
#include "engine/cpu/kernels.h"

typedef struct Targets {
    const int64_t *target;
    const Tensor *weight; /* NULL: all 1 */
    int64_t n, classes, places, ignore_index;
} Targets;

static double element(const Tensor *t, int64_t i)
{
    return t->dtype == DT_F32 ? (double)((const float *)tensor_data(t))[i]
                              : ((const double *)tensor_data(t))[i];
}

static void put(const Tensor *t, int64_t i, double v)
{
    if (t->dtype == DT_F32)
        ((float *)tensor_data(t))[i] = (float)v;
    else
        ((double *)tensor_data(t))[i] = v;
}

static double weight_of(const Targets *w, int64_t class)
{
    return w->weight ? element(w->weight, class) : 1;
}

static Targets describe(const Call *call, const Tensor *x, int64_t ignore_index)
{
    return (Targets){tensor_data(call->in[1]),
                     call->nin > 2 ? call->in[2] : NULL,
                     x->shape[0],
                     x->shape[1],
                     x->shape[2],
                     ignore_index};
}

/* Where target i's element lies in x. */
static int64_t place_of(const Targets *w, int64_t i)
{
    return (i / w->places * w->classes + w->target[i]) * w->places + i % w->places;
}

/* in[0] x, in[1] target, in[2] weight; out[0] one loss a target, or one in all; arg[3] reduction, arg[4]
 * ignore_index. */
bool cpu_nll_loss_flat(const Call *call)
{
    const Tensor *x = call->in[0], *out = call->out[0];
    Targets w = describe(call, x, call->arg[4].i);
    int64_t reduction = call->arg[3].i;
    double sum = 0, total = 0;
    for (int64_t i = 0; i < w.n * w.places; i++) {
        int64_t class = w.target[i];
        double loss = 0;
        if (class != w.ignore_index) {
            if (class < 0 || class >= w.classes)
                return tide_refuse("IndexError", "Target %lld is out of bounds.", (long long)class);
            double weight = weight_of(&w, class);
            loss = -weight * element(x, place_of(&w, i));
            total += weight;
        }
        if (reduction == 0)
            put(out, i, loss);
        sum += loss;
        if ((i & 0xfffff) == 0xfffff && tide_check_interrupt())
            return false;
    }
    if (reduction != 0)
        put(out, 0, reduction == 1 ? sum / total : sum);
    return true;
}

/* in[0] g: one a target, or one in all; in[1] target, in[2] weight; out[0] zeros (n, classes, places);
 * arg[4], arg[5]. */
bool cpu_nll_loss_backward(const Call *call)
{
    const Tensor *g = call->in[0], *out = call->out[0];
    Targets w = describe(call, out, call->arg[5].i);
    int64_t reduction = call->arg[4].i, count = w.n * w.places;
    double total = 0;
    for (int64_t i = 0; i < count && reduction == 1; i++)
        if (w.target[i] != w.ignore_index)
            total += weight_of(&w, w.target[i]);
    for (int64_t i = 0; i < count; i++) {
        if (w.target[i] == w.ignore_index)
            continue;
        double each = reduction == 0 ? element(g, i) : element(g, 0);
        put(out, place_of(&w, i), -weight_of(&w, w.target[i]) * (reduction == 1 ? each / total : each));
        if ((i & 0xfffff) == 0xfffff && tide_check_interrupt())
            return false;
    }
    return true;
}
