/* random_ops.c - filling tensors with random numbers: checks, layouts and devices over random.h's buffers. */
#include "engine/structural.h"
#include "engine/autograd.h"
#include "engine/ops_internal.h"
#include "engine/store.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* How one distribution writes n elements to a buffer. */
typedef struct Fill {
    bool (*run)(const struct Fill *f, Generator *g, void *p, DType d, int64_t n, bool contiguous);
    double a, b;
    int64_t low, high;
    const Tensor *probabilities; /* contiguous, on the host */
} Fill;

/* A buffer's elements are drawn in memory order: for a dense tensor in another order that is the order of its strides. */
static Tensor *in_memory_order(Tensor *t)
{
    int order[TIDE_MAXDIM];
    for (int i = 0; i < t->ndim; i++) {
        int at = i;
        for (; at > 0 && t->stride[order[at - 1]] < t->stride[i]; at--) order[at] = order[at - 1];
        order[at] = i;
    }
    Tensor *v = view_new(t);
    if (!v) return NULL;
    for (int i = 0; i < t->ndim; i++) {
        v->shape[i] = t->shape[order[i]];
        v->stride[i] = t->stride[order[i]];
    }
    return tensor_finish_geometry(v) ? v : NULL;
}

static bool fill_tensor(Tensor *t, const Fill *f, Generator *g)
{
    if (!t || !check_writable(t)) return false;
    if (grad_enabled() &&
        needs_grad(t)) { /* what was there no longer counts: its gradient is zero from here on */
        if (!op_apply_inplace(OP_zero, (Arg[]){{.t = t}})) return false;
    }
    if (!g) g = generator_default();
    t->storage->version++;
    if (t->numel == 0) return true;
    bool host = t->device.type == DEVICE_CPU;
    if (host && t->contiguous) return f->run(f, g, tensor_data(t), (DType)t->dtype, t->numel, true);
    int mark = scope_open();
    Tensor *ordered = in_memory_order(t);
    Dims shape = {0};
    if (ordered) shape = tensor_dims(ordered);
    Tensor *buffer = ordered ? result_new(&shape, (DType)t->dtype, (Device){DEVICE_CPU, 0}) : NULL;
    bool ok = buffer && f->run(f, g, tensor_data(buffer), (DType)t->dtype, t->numel, t->contiguous) &&
              copy_plain(ordered, buffer);
    scope_close(mark);
    return ok;
}

static bool need_float(const Tensor *t, const char *name)
{
    return !t || dtype_is_float((DType)t->dtype) ||
           tide_refuse("NotImplementedError", "\"%s\" not implemented for '%s'", name,
                       dtype_info[t->dtype].cname);
}

/* ---- distributions ---- */

static bool run_uniform(const Fill *f, Generator *g, void *p, DType d, int64_t n, bool contiguous)
{
    (void)contiguous;
    return random_uniform(g, p, d, n, f->a, f->b);
}

bool tensor_uniform_(Tensor *t, double from, double to, Generator *g)
{
    if (!need_float(t, "check_uniform_bounds")) return false;
    if (!(from <= to))
        return tide_refuse("RuntimeError",
                           "uniform_ expects to return a [from, to) range, but found from=%g > to=%g", from,
                           to);
    return fill_tensor(t, &(Fill){.run = run_uniform, .a = from, .b = to}, g);
}

static bool run_normal(const Fill *f, Generator *g, void *p, DType d, int64_t n, bool contiguous)
{
    return random_normal(g, p, d, n, f->a, f->b, contiguous);
}

bool tensor_normal_(Tensor *t, double mean, double std, Generator *g)
{
    if (!(std >= 0)) return tide_refuse("RuntimeError", "normal expects std >= 0.0, but found std %g", std);
    if (t && t->numel > 0 && !need_float(t, "normal_kernel_cpu")) return false;
    return fill_tensor(t, &(Fill){.run = run_normal, .a = mean, .b = std}, g);
}

static bool run_bernoulli(const Fill *f, Generator *g, void *p, DType d, int64_t n, bool contiguous)
{
    (void)contiguous;
    if (!f->probabilities) return random_bernoulli(g, p, d, n, f->a);
    return random_bernoulli_each(g, p, d, n, tensor_data(f->probabilities), (DType)f->probabilities->dtype);
}

bool tensor_bernoulli_(Tensor *t, double p, Generator *g)
{
    if (!(p >= 0 && p <= 1))
        return tide_refuse("RuntimeError", "bernoulli_ expects p to be in [0, 1], but got p=%g", p);
    return fill_tensor(t, &(Fill){.run = run_bernoulli, .a = p}, g);
}

static bool are_probabilities(const Tensor *p)
{
    if (!dtype_is_float((DType)p->dtype))
        return tide_refuse("NotImplementedError", "\"bernoulli_tensor_cpu_p_\" not implemented for '%s'",
                           dtype_info[p->dtype].cname);
    size_t size = dtype_size((DType)p->dtype);
    for (int64_t i = 0; i < p->numel; i++) {
        double v = element_as_double((char *)tensor_data(p) + (size_t)i * size, (DType)p->dtype);
        if (!(v >= 0 && v <= 1))
            return tide_refuse("RuntimeError", "Expected p_in >= 0 && p_in <= 1 to be true, but got false.");
    }
    return true;
}

bool tensor_bernoulli_from_(Tensor *t, Tensor *p, Generator *g)
{
    if (!t || !p) return false;
    if (t->numel == 0) return true; /* p is not looked at, nor its size */
    int mark = scope_open();
    Dims shape = tensor_dims(t);
    Tensor *host = tensor_to(p, DT_NONE, (Device){DEVICE_CPU, 0}, false);
    Tensor *wide = host ? forward_expand(host, &shape) : NULL;
    Tensor *each = wide ? contiguous_plain(wide) : NULL;
    /* drawn in row-major order: that is the order of the probabilities */
    Tensor *draws =
        each && are_probabilities(each) ? result_new(&shape, (DType)t->dtype, (Device){DEVICE_CPU, 0}) : NULL;
    bool ok = draws && fill_tensor(draws, &(Fill){.run = run_bernoulli, .probabilities = each}, g) &&
              copy_plain(t, draws);
    if (ok) t->storage->version++;
    scope_close(mark);
    return ok;
}

static bool run_randint(const Fill *f, Generator *g, void *p, DType d, int64_t n, bool contiguous)
{
    (void)contiguous;
    return random_randint(g, p, d, n, f->low, f->high);
}

bool tensor_randint_(Tensor *t, int64_t low, int64_t high, Generator *g)
{
    if (!t) return false;
    if (low >= high)
        return tide_refuse("RuntimeError",
                           "random_ expects 'from' to be less than 'to', but got from=%lld >= to=%lld",
                           (long long)low, (long long)high);
    int64_t clipped_low = low, clipped_high = high;
    random_clip_bounds((DType)t->dtype, &clipped_low, &clipped_high);
    if (clipped_low >= clipped_high)
        return tide_refuse("RuntimeError",
                           "random_ expects 'from' casted to dtype to be less than 'to' casted to dtype, but "
                           "got from=%lld >= to=%lld",
                           (long long)clipped_low, (long long)clipped_high);
    if (!dtype_is_float((DType)t->dtype)) {
        int bits = t->dtype == DT_BOOL ? 1 : (int)dtype_size((DType)t->dtype) * 8;
        bool is_unsigned = t->dtype == DT_BOOL || t->dtype == DT_U8;
        int64_t top = bits == 64 ? INT64_MAX : ((int64_t)1 << (is_unsigned ? bits : bits - 1)) - 1,
                bottom = is_unsigned ? 0 : -top - 1;
        if (low < bottom || low > top)
            return tide_refuse("RuntimeError", "from is out of bounds for %s", ctype_name(t));
        if (high - 1 < bottom || high - 1 > top)
            return tide_refuse("RuntimeError", "to - 1 is out of bounds for %s", ctype_name(t));
    }
    return fill_tensor(t, &(Fill){.run = run_randint, .low = low, .high = high}, g);
}

static bool run_full(const Fill *f, Generator *g, void *p, DType d, int64_t n, bool contiguous)
{
    (void)f, (void)contiguous;
    return random_full_range(g, p, d, n);
}

bool tensor_random_(Tensor *t, Generator *g) { return fill_tensor(t, &(Fill){.run = run_full}, g); }

bool tensor_randperm_(Tensor *t, Generator *g)
{
    if (!t) return false;
    int mark = scope_open();
    Tensor *order = result_new(DIMS(t->numel), DT_I64, (Device){DEVICE_CPU, 0});
    bool ok = order && random_permutation(g ? g : generator_default(), tensor_data(order), t->numel) &&
              copy_plain(t, order);
    scope_close(mark);
    return ok;
}

static bool run_exponential(const Fill *f, Generator *g, void *p, DType d, int64_t n, bool contiguous)
{
    (void)contiguous;
    return random_exponential(g, p, d, n, f->a);
}

bool tensor_exponential_(Tensor *t, double lambda, Generator *g)
{
    if (!(lambda > 0))
        return tide_refuse("RuntimeError", "exponential_ expects lambda > 0.0, but found lambda=%g", lambda);
    if (!t || !check_writable(t)) return false;
    if (t->numel > 0 && !dtype_is_float((DType)t->dtype))
        return tide_refuse("RuntimeError", "Exponential distribution is a continuous probability distribution. dtype "
                           "must be a floating point but you specified %s", dtype_info[t->dtype].cname);
    return fill_tensor(t, &(Fill){.run = run_exponential, .a = lambda}, g);
}

static bool run_geometric(const Fill *f, Generator *g, void *p, DType d, int64_t n, bool contiguous)
{
    (void)contiguous;
    return random_geometric(g, p, d, n, f->a);
}

bool tensor_geometric_(Tensor *t, double p, Generator *g)
{
    if (!(p > 0 && p < 1))
        return tide_refuse("RuntimeError", "geometric_ expects p to be in (0, 1), but got p=%g", p);
    if (!t || !check_writable(t)) return false;
    if (t->dtype == DT_BOOL && t->numel > 0)
        return tide_refuse("NotImplementedError", "\"geometric_cpu\" not implemented for 'Bool'");
    return fill_tensor(t, &(Fill){.run = run_geometric, .a = p}, g);
}

static bool run_log_normal(const Fill *f, Generator *g, void *p, DType d, int64_t n, bool contiguous)
{
    (void)contiguous;
    return random_log_normal(g, p, d, n, f->a, f->b);
}

bool tensor_log_normal_(Tensor *t, double mean, double std, Generator *g)
{
    if (!(std > 0))
        return tide_refuse("RuntimeError", "log_normal_ expects std > 0.0, but found std=%g", std);
    if (!t || !check_writable(t) || (t->numel > 0 && !need_float(t, "log_normal_cpu"))) return false;
    return fill_tensor(t, &(Fill){.run = run_log_normal, .a = mean, .b = std}, g);
}

static bool run_cauchy(const Fill *f, Generator *g, void *p, DType d, int64_t n, bool contiguous)
{
    (void)contiguous;
    return random_cauchy(g, p, d, n, f->a, f->b);
}

bool tensor_cauchy_(Tensor *t, double median, double sigma, Generator *g)
{
    if (!(sigma > 0))
        return tide_refuse("RuntimeError", "cauchy_ expects sigma > 0.0, but found sigma=%g", sigma);
    if (t && !dtype_is_float((DType)t->dtype))
        return tide_refuse("RuntimeError", "Cauchy distribution is a continuous probability distribution. dtype must be "
                           "a floating point but you specified %s", ctype_name(t));
    return fill_tensor(t, &(Fill){.run = run_cauchy, .a = median, .b = sigma}, g);
}

/* ---- multinomial ---- */

/* Several samples with replacement are drawn by another way than one, which has its own words. */
static bool refuse_weight(double v, bool repeated)
{
    if (!repeated)
        return tide_refuse("RuntimeError", "probability tensor contains either `inf`, `nan` or element < 0");
    return tide_refuse("RuntimeError", "invalid multinomial distribution (encountering probability entry %s)",
                       v >= 0 ? "= infinity or NaN" : "< 0");
}

static bool check_weights(const Tensor *p, int64_t rows, int64_t n, bool repeated)
{
    size_t size = dtype_size((DType)p->dtype);
    for (int64_t r = 0; r < rows; r++) {
        double sum = 0;
        for (int64_t i = 0; i < n; i++) {
            double v =
                element_as_double((char *)tensor_data(p) + (size_t)(r * n + i) * size, (DType)p->dtype);
            if (!isfinite(v) || v < 0)
                return refuse_weight(v, repeated);
            sum += v;
        }
        if (!(sum > 0))
            return tide_refuse("RuntimeError",
                               "invalid multinomial distribution (sum of probabilities <= 0)");
    }
    return true;
}

Tensor *tensor_multinomial(Tensor *p, int64_t n, bool replacement, Generator *g)
{
    if (!p) return NULL;
    if (!dtype_is_float((DType)p->dtype))
        return tide_fail("RuntimeError", "multinomial only supports floating-point dtypes for input, got: %s",
                         dtype_info[p->dtype].cname);
    if (p->ndim < 1 || p->ndim > 2) return tide_fail("RuntimeError", "prob_dist must be 1 or 2 dim");
    if (n <= 0) return tide_fail("RuntimeError", "cannot sample n_sample <= 0 samples");
    int64_t choices = p->shape[p->ndim - 1], rows = p->ndim == 2 ? p->shape[0] : 1;
    if (!replacement && n > choices)
        return tide_fail("RuntimeError",
                         "cannot sample n_sample > prob_dist.size(-1) samples without replacement");
    Tensor *host = tensor_to(p, DT_NONE, (Device){DEVICE_CPU, 0}, false);
    Tensor *c = host ? contiguous_plain(host) : NULL;
    Dims shape = tensor_dims(p);
    shape.v[p->ndim - 1] = n;
    bool again = replacement && n > 1;
    Tensor *out = c && check_weights(c, rows, choices, again)
                      ? result_new(&shape, DT_I64, (Device){DEVICE_CPU, 0})
                      : NULL;
    /* Without replacement each weight has a draw: all are drawn at once, in the order in which p lies in memory. */
    Tensor *draws = again || !out ? NULL : tensor_like(host, (DType)p->dtype);
    if (!again && draws) draws = tensor_exponential_(draws, 1, g) ? contiguous_plain(draws) : NULL;
    bool ready = again ? out != NULL : draws != NULL;
    RandomChoice *scratch = ready ? tide_malloc((size_t)choices * sizeof *scratch) : NULL;
    if (!scratch) return NULL;
    bool ok = true;
    size_t row_bytes = (size_t)choices * dtype_size((DType)c->dtype);
    for (int64_t r = 0; r < rows && ok; r++) {
        int64_t *chosen = (int64_t *)tensor_data(out) + r * n;
        const char *weights = (char *)tensor_data(c) + (size_t)r * row_bytes;
        const char *row = again ? NULL : (char *)tensor_data(draws) + (size_t)r * row_bytes;
        ok = random_multinomial(g ? g : generator_default(), chosen, n, weights, row, (DType)c->dtype, choices,
                                scratch);
    }
    free(scratch);
    return ok ? tensor_to(out, DT_NONE, p->device, false) : NULL;
}
