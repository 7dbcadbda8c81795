/* var.c - kernels of var and std: two passes in double over each line.
 *
 * in[0] (lines, n) dense, float32 or float64; out[0] one element a line; arg[2] the correction. arg[0].b: arg[1] is the
 * mean of the only line, and its pass is left out. */
#include "engine/cpu/lines.h"

#include <math.h>

enum { LANES = 16 }; /* independent sums, so that loops vectorise; n alone decides how they are added up */

typedef struct Work {
    const Tensor *x, *out;
    double correction;
    const double *mean; /* NULL: to be found */
    bool root;
} Work;

#define LINE_VARIANCE(T)                                                                                     \
    static double mean_##T(const T *x, int64_t n)                                                            \
    {                                                                                                        \
        double part[LANES] = {0}, sum = 0;                                                                   \
        int64_t whole = n / LANES * LANES;                                                                   \
        for (int64_t i = 0; i < whole; i += LANES)                                                           \
            for (int l = 0; l < LANES; l++)                                                                  \
                part[l] += x[i + l];                                                                         \
        for (int64_t i = whole; i < n; i++)                                                                  \
            part[0] += x[i];                                                                                 \
        for (int l = 0; l < LANES; l++)                                                                      \
            sum += part[l];                                                                                  \
        return sum / (double)n;                                                                              \
    }                                                                                                        \
    static double variance_##T(const T *x, int64_t n, double correction, const double *given)                \
    {                                                                                                        \
        double part[LANES] = {0}, mean = given ? *given : mean_##T(x, n), sum = 0;                           \
        double freedom = (double)n - correction;                                                             \
        int64_t whole = n / LANES * LANES;                                                                   \
        for (int64_t i = 0; i < whole; i += LANES)                                                           \
            for (int l = 0; l < LANES; l++) {                                                                \
                double d = x[i + l] - mean;                                                                  \
                part[l] += d * d;                                                                            \
            }                                                                                                \
        for (int64_t i = whole; i < n; i++)                                                                  \
            part[0] += (x[i] - mean) * (x[i] - mean);                                                        \
        for (int l = 0; l < LANES; l++)                                                                      \
            sum += part[l];                                                                                  \
        return sum / (freedom > 0 ? freedom : 0);                                                            \
    }
LINE_VARIANCE(float)
LINE_VARIANCE(double)

static void run_lines(int64_t begin, int64_t end, void *context)
{
    const Work *w = context;
    int64_t n = line_length(w->x);
    for (int64_t i = begin; i < end; i++) {
        const void *x = line_at(w->x, i);
        double v = w->x->dtype == DT_F32 ? variance_float(x, n, w->correction, w->mean)
                                         : variance_double(x, n, w->correction, w->mean);
        if (w->root)
            v = sqrt(v);
        if (w->x->dtype == DT_F32)
            ((float *)tensor_data(w->out))[i] = (float)v;
        else
            ((double *)tensor_data(w->out))[i] = v;
    }
}

static bool all_lines(const Call *call, bool root)
{
    Work w = {call->in[0], call->out[0], call->arg[2].f, call->arg[0].b ? &call->arg[1].f : NULL, root};
    return parallel_for(call->out[0]->numel, line_grain(line_length(w.x)), run_lines, &w);
}

bool cpu_var(const Call *call)
{
    return all_lines(call, false);
}

bool cpu_std(const Call *call)
{
    return all_lines(call, true);
}
