/* random_counts.c - random numbers of events: Poisson and binomial, with PyTorch's algorithms and order of draws. */
#include "engine/random.h"
#include "engine/structural.h"

#include <math.h>
#include <string.h>

/* ---- Poisson ---- */

/* Rates from 10 on: Hörmann's transformed rejection with squeeze (PTRS, 1993). */
static double poisson_rejection(Generator *g, double rate)
{
    double root = sqrt(rate), log_rate = log(rate);
    double b = 0.931 + 2.53 * root, a = -0.059 + 0.02483 * b;
    double inverse_alpha = 1.1239 + 1.1328 / (b - 3.4), v_r = 0.9277 - 3.6224 / (b - 2);
    for (;;) {
        double u = generator_next_unit(g) - 0.5, v = generator_next_unit(g), us = 0.5 - fabs(u);
        double k = floor((2 * a / us + b) * u + rate + 0.43);
        if (us >= 0.07 && v <= v_r) return k;
        if (k < 0 || (us < 0.013 && v > us)) continue;
        if (log(v) + log(inverse_alpha) - log(a / (us * us) + b) <= -rate + k * log_rate - lgamma(k + 1)) return k;
    }
}

/* Small rates: how many uniform numbers can be multiplied before the product falls to exp(-rate). */
static double poisson_product(Generator *g, double rate)
{
    double limit = exp(-rate), product = 1;
    for (double k = 0;; k++) {
        product *= generator_next_unit(g);
        if (!(product > limit)) return k;
    }
}

static double poisson_draw(Generator *g, double rate)
{
    return rate >= 10 ? poisson_rejection(g, rate) : rate == 0 ? 0 : poisson_product(g, rate);
}

/* ---- binomial ---- */

/* log(k!) less Stirling's approximation to it. */
static double stirling_rest(double k)
{
    static const double exact[] = {0.0810614667953272,  0.0413406959554092,  0.0276779256849983,
                                   0.02079067210376509, 0.0166446911898211,  0.0138761288230707,
                                   0.0118967099458917,  0.0104112652619720,  0.00925546218271273,
                                   0.00833056343336287};
    if (k <= 9) return exact[(int)k];
    double square = (k + 1) * (k + 1);
    return (1.0 / 12 - (1.0 / 360 - 1.0 / 1260 / square) / square) / (k + 1);
}

/* At least 10 successes expected: Hörmann's transformed rejection (BTRS, 1993). */
static double binomial_rejection(Generator *g, double n, double p)
{
    double deviation = sqrt(n * p * (1 - p));
    double b = 1.15 + 2.53 * deviation, a = -0.0873 + 0.0248 * b + 0.01 * p, c = n * p + 0.5;
    double v_r = 0.92 - 4.2 / b, r = p / (1 - p), alpha = (2.83 + 5.1 / b) * deviation, m = floor((n + 1) * p);
    for (;;) {
        double u = generator_next_unit(g) - 0.5, v = generator_next_unit(g), us = 0.5 - fabs(u);
        double k = floor((2 * a / us + b) * u + c);
        if (us >= 0.07 && v <= v_r) return k;
        if (k < 0 || k > n) continue;
        v = log(v * alpha / (a / (us * us) + b));
        double bound = (m + 0.5) * log((m + 1) / (r * (n - m + 1))) + (n + 1) * log((n - m + 1) / (n - k + 1)) +
                       (k + 0.5) * log(r * (n - k + 1) / (k + 1)) + stirling_rest(m) + stirling_rest(n - m) -
                       stirling_rest(k) - stirling_rest(n - k);
        if (v <= bound) return k;
    }
}

/* Fewer: the gaps between successes are geometric. */
static double binomial_gaps(Generator *g, double n, double p)
{
    double sum = 0, log_miss = log1p(-p);
    for (double k = 0;; k++) {
        sum += ceil(log(generator_next_unit(g)) / log_miss);
        if (!(sum <= n)) return k;
    }
}

static double binomial_draw(Generator *g, double n, double p)
{
    if (n <= 0 || p <= 0) return 0;
    if (p >= 1) return n;
    if (p > 0.5) return n - (n * (1 - p) >= 10 ? binomial_rejection : binomial_gaps)(g, n, 1 - p);
    return p <= 0.5 ? (n * p >= 10 ? binomial_rejection : binomial_gaps)(g, n, p) : NAN;
}

/* ---- tensors ---- */

/* A copy of x as doubles on the host, in row-major order: the order of the draws. */
static Tensor *as_doubles(Tensor *x)
{
    Dims shape = tensor_dims(x);
    Tensor *host = tensor_to(x, DT_F64, (Device){DEVICE_CPU, 0}, false);
    Tensor *copy = host ? tensor_empty(&shape, DT_F64, (Device){DEVICE_CPU, 0}) : NULL;
    return copy && copy_plain(copy, host) ? copy : NULL;
}

static bool draw_all(Generator *g, double *first, const double *second, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        if (i % 1024 == 0 && tide_check_interrupt()) return false;
        if (!second && !(first[i] >= 0))
            return tide_refuse("RuntimeError", "invalid Poisson rate, expected rate to be non-negative");
        first[i] = second ? binomial_draw(g, first[i], second[i]) : poisson_draw(g, first[i]);
    }
    return true;
}

static double *elements(Tensor *t) { return (double *)t->storage->data + t->offset; }

/* Draws into first (doubles, row-major) and gives it x's dtype and device; recorded as depending on x, without slope. */
static Tensor *drawn(Generator *g, Tensor *x, Tensor *first, Tensor *second, const char *node)
{
    bool was = set_grad_enabled(false);
    bool ok = first && draw_all(g ? g : generator_default(), elements(first), second ? elements(second) : NULL,
                                first->numel);
    Tensor *y = ok ? tensor_to(first, (DType)x->dtype, x->device, false) : NULL;
    set_grad_enabled(was);
    return y && records(x) ? node_named(op_drawn(x, NULL, y), node) : y;
}

Tensor *tensor_poisson(Tensor *rate, Generator *g)
{
    if (!check_float(rate, "poisson_cpu")) return NULL;
    bool was = set_grad_enabled(false);
    Tensor *first = as_doubles(rate);
    set_grad_enabled(was);
    return drawn(g, rate, first, NULL, "PoissonBackward0");
}

Tensor *tensor_binomial(Tensor *count, Tensor *prob, Generator *g)
{
    if (!dtype_is_float((DType)count->dtype))
        return tide_fail("ValueError", "binomial only supports floating-point dtypes for count, got: %s",
                         cname(count));
    if (count->dtype != prob->dtype)
        return tide_fail("RuntimeError", "Found dtype %s but expected %s", cname(prob), cname(count));
    Dims shape = tensor_dims(count), other = tensor_dims(prob);
    if (!broadcast_shapes(&shape, &other, &shape)) return NULL;
    bool was = set_grad_enabled(false);
    Tensor *n = op_expand(count, &shape), *p = op_expand(prob, &shape);
    Tensor *first = n ? as_doubles(n) : NULL, *second = p ? as_doubles(p) : NULL;
    set_grad_enabled(was);
    if (!first || !second) return NULL;
    return drawn(g, records(prob) && !records(count) ? prob : count, first, second, "BinomialBackward0");
}

Tensor *forward_drawn(Tensor *x, Tensor *other, Tensor *values)
{
    (void)other;
    (void)x;
    return view_new(values);
}
