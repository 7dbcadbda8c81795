/* norm.c - normalisation and its gradients, line by line, nothing in between kept.
 *
 * The kernels norm_lines, norm_lines_backward and norm_lines_weight, all tensors dense and of one dtype,
 * float32 or float64, x with elements. groups says what a line, whose mean becomes 0 and variance 1, is of x:
 *   < 0: x (lines, n): a row; weight and bias (n)
 *     0: x (batch, channels, rest): a channel of all samples; weight and bias (channels)
 *   > 0: x (batch, channels, rest): a group of a sample's neighbouring channels; weight and bias (channels)
 */
#include "engine/cpu/norm.h"

#include "engine/cpu/kernels.h"
#include "engine/cpu/threads.h"

#include <math.h>

/* A line is `segments` times `length` elements, `step` from one to the next, each of one channel; but a row's
 * elements each have their own weight. */
typedef struct Norm {
    const NormLoops *loops;
    int64_t lines, segments, length, step, groups;
    size_t size; /* of an element */
    bool single;
    double eps;
    const char *x, *g, *weight, *bias;
    char *y, *mean, *var;
} Norm;

static void describe(Norm *w, const Tensor *x, const Tensor *weight, int64_t groups, double eps)
{
    w->single = x->dtype == DT_F32;
    w->loops = ISA_PICK(norm_loops) + !w->single;
    w->size = dtype_size((DType)x->dtype);
    w->x = tensor_data(x);
    w->weight = weight ? tensor_data(weight) : NULL;
    w->groups = groups;
    w->eps = eps;
    w->length = x->shape[x->ndim - 1];
    if (groups < 0) {
        w->lines = x->shape[0];
        w->segments = 1;
        return;
    }
    w->lines = groups ? x->shape[0] * groups : x->shape[1];
    w->segments = groups ? x->shape[1] / groups : x->shape[0];
    w->step = groups ? w->length : x->shape[1] * w->length;
}

/* Lines for one thread's piece of work. */
static int64_t grain(const Norm *w) { return GRAIN / 4 / (w->segments * w->length) + 1; }

static int64_t line_start(const Norm *w, int64_t line)
{
    return line * w->length * (w->groups == 0 ? 1 : w->segments);
}

static int64_t channel_of(const Norm *w, int64_t line, int64_t segment)
{
    return w->groups == 0 ? line : line % w->groups * w->segments + segment;
}

static const char *element(const Norm *w, const char *data, int64_t i) { return data + i * (int64_t)w->size; }

static double number(const Norm *w, const char *data, int64_t i, double fallback)
{
    if (!data) return fallback;
    return w->single ? (double)((const float *)data)[i] : ((const double *)data)[i];
}

static void put(const Norm *w, char *data, int64_t i, double value)
{
    if (w->single)
        ((float *)data)[i] = (float)value;
    else
        ((double *)data)[i] = value;
}

/* The weight that all of a segment has; of rows' elements each has its own. */
static double segment_weight(const Norm *w, int64_t line, int64_t segment)
{
    return w->groups < 0 ? 1 : number(w, w->weight, channel_of(w, line, segment), 1);
}

/* A line's mean and variance. */
static void moments(const Norm *w, int64_t line, double *mean, double *var)
{
    const NormLoops *loops = w->loops;
    int64_t n = w->length, parts = w->segments;
    const char *x = element(w, w->x, line_start(w, line));
    double sum = 0, squares = 0, count = (double)n * (double)parts;
    if (w->groups != 0) n *= parts, parts = 1; /* all of it in one piece */
    for (int64_t s = 0; s < parts; s++) sum += loops->sum(element(w, x, s * w->step), n);
    *mean = sum / count;
    for (int64_t s = 0; s < parts; s++) squares += loops->squares(element(w, x, s * w->step), n, *mean);
    *var = squares / count;
}

static void forward_line(const Norm *w, int64_t line)
{
    double mean, var;
    moments(w, line, &mean, &var);
    double scale = 1 / sqrt(var + w->eps);
    int64_t at = line_start(w, line);
    if (w->mean) {
        put(w, w->mean, line, mean);
        put(w, w->var, line, var);
    }
    if (w->groups < 0) {
        w->loops->standard(element(w, w->x, at), w->weight, w->bias, w->y + at * (int64_t)w->size, w->length,
                           mean, scale);
        return;
    }
    for (int64_t s = 0; s < w->segments; s++, at += w->step) {
        int64_t channel = channel_of(w, line, s);
        double a = scale * segment_weight(w, line, s);
        w->loops->affine(element(w, w->x, at), w->y + at * (int64_t)w->size, w->length, a,
                         number(w, w->bias, channel, 0) - mean * a);
    }
}

static void forward_range(int64_t begin, int64_t end, void *context)
{
    for (int64_t i = begin; i < end; i++) forward_line(context, i);
}

/* in[0] x, then weight and bias or NULL; out[0] y, perhaps out[1] each line's mean and out[2] its variance;
 * arg[3] groups, arg[4] eps. */
bool cpu_norm_lines(const Call *call)
{
    Norm w = {.bias = call->in[2] ? tensor_data(call->in[2]) : NULL, .y = tensor_data(call->out[0])};
    describe(&w, call->in[0], call->in[1], call->arg[3].i, call->arg[4].f);
    if (call->nout > 1) {
        w.mean = tensor_data(call->out[1]);
        w.var = tensor_data(call->out[2]);
    }
    return parallel_for(w.lines, grain(&w), forward_range, &w);
}

/* With h the normalised line: dx = scale (weight g - mean(weight g) - h mean(weight g h)). */
static void backward_line(const Norm *w, int64_t line)
{
    double mean, var, sums[2] = {0, 0}, n = (double)w->segments * (double)w->length;
    moments(w, line, &mean, &var);
    double scale = 1 / sqrt(var + w->eps);
    int64_t start = line_start(w, line);
    const char *weights = w->groups < 0 ? w->weight : NULL;
    for (int64_t s = 0; s < w->segments; s++) {
        double part[2] = {0, 0}, weight = segment_weight(w, line, s);
        int64_t at = start + s * w->step;
        w->loops->dots(element(w, w->g, at), element(w, w->x, at), weights, w->length, mean, part);
        sums[0] += weight * part[0];
        sums[1] += weight * part[1];
    }
    NormGradient of = {mean, scale, sums[0] / n, sums[1] / n * scale * scale, 1};
    for (int64_t s = 0; s < w->segments; s++) {
        int64_t at = start + s * w->step;
        of.weight = segment_weight(w, line, s);
        w->loops->gradient(element(w, w->g, at), element(w, w->x, at), weights, w->y + at * (int64_t)w->size,
                           w->length, &of);
    }
}

static void backward_range(int64_t begin, int64_t end, void *context)
{
    for (int64_t i = begin; i < end; i++) backward_line(context, i);
}

/* in[0] g, in[1] x, in[2] weight or NULL; out[0] x's gradient; arg[3] groups, arg[4] eps. */
bool cpu_norm_lines_backward(const Call *call)
{
    Norm w = {.g = tensor_data(call->in[0]), .y = tensor_data(call->out[0])};
    describe(&w, call->in[1], call->in[2], call->arg[3].i, call->arg[4].f);
    return parallel_for(w.lines, grain(&w), backward_range, &w);
}

/* ---- the weight's gradient: sums of g times the normalised x ---- */

/* The lines that share weights: one, or a group's of all samples. */
static void weights_range(int64_t begin, int64_t end, void *context)
{
    const Norm *w = context;
    int64_t repeats = w->groups ? w->lines / w->groups : 1;
    for (int64_t first = begin; first < end; first++)
        for (int64_t r = 0; r < repeats; r++) {
            int64_t line = r * w->groups + first;
            double mean, var, total = 0;
            moments(w, line, &mean, &var);
            double scale = 1 / sqrt(var + w->eps);
            for (int64_t s = 0; s < w->segments; s++) {
                int64_t at = line_start(w, line) + s * w->step, channel = channel_of(w, line, s);
                double part[2] = {0, 0};
                w->loops->dots(element(w, w->g, at), element(w, w->x, at), NULL, w->length, mean, part);
                total = (w->groups == 0 ? total : r ? number(w, w->y, channel, 0) : 0) + scale * part[1];
                if (w->groups != 0) put(w, w->y, channel, total);
            }
            if (w->groups == 0) put(w, w->y, line, total);
        }
}

static void moments_range(int64_t begin, int64_t end, void *context)
{
    const Norm *w = context;
    for (int64_t i = begin; i < end; i++) {
        double mean, var;
        moments(w, i, &mean, &var);
        put(w, w->mean, i, mean);
        put(w, w->var, i, 1 / sqrt(var + w->eps));
    }
}

static void columns_range(int64_t begin, int64_t end, void *context)
{
    const Norm *w = context;
    for (int64_t i = begin; i < end; i++) put(w, w->y, i, 0);
    for (int64_t line = 0; line < w->lines; line++) {
        int64_t at = line * w->length + begin;
        w->loops->columns(element(w, w->g, at), element(w, w->x, at), w->y + begin * (int64_t)w->size,
                          end - begin, number(w, w->mean, line, 0), number(w, w->var, line, 0));
    }
}

/* in[0] g, in[1] x; out[0] (n) or (channels); where lines are rows, out[1] and out[2] (lines) for its own
 * use; arg[2] groups, arg[3] eps. */
bool cpu_norm_lines_weight(const Call *call)
{
    Norm w = {.g = tensor_data(call->in[0]), .y = tensor_data(call->out[0])};
    describe(&w, call->in[1], NULL, call->arg[2].i, call->arg[3].f);
    if (w.groups >= 0) {
        int64_t shares = w.groups ? w.groups : w.lines;
        return parallel_for(shares, GRAIN / 4 / (call->in[1]->numel / shares) + 1, weights_range, &w);
    }
    int64_t strip = (GRAIN / w.lines + 64) / 64 * 64; /* whole cache lines */
    w.mean = tensor_data(call->out[1]);
    w.var = tensor_data(call->out[2]);
    return parallel_for(w.lines, grain(&w), moments_range, &w) &&
           parallel_for(w.length, strip, columns_range, &w);
}
