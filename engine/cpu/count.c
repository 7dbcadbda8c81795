/* count.c - kernels that count and search: bincount, histc, searchsorted. */
#include "engine/cpu/lines.h"

#include <string.h>

enum { POLL_EVERY = 1 << 20 }; /* elements between two looks for Ctrl-C */

static bool poll(int64_t i)
{
    return (i & (POLL_EVERY - 1)) != POLL_EVERY - 1 || !tide_check_interrupt();
}

/* in[0] int64, none negative; in[1] weights, float32 or float64, if any; out[0] zeros: int64 counts or sums.
 * All dense. */
bool cpu_bincount(const Call *call)
{
    const int64_t *x = tensor_data(call->in[0]);
    int64_t n = call->in[0]->numel, *counts = tensor_data(call->out[0]);
    if (call->nin == 1) {
        for (int64_t i = 0; i < n && poll(i); i++)
            counts[x[i]]++;
    } else if (call->in[1]->dtype == DT_F32) {
        const float *w = tensor_data(call->in[1]);
        float *sums = tensor_data(call->out[0]);
        for (int64_t i = 0; i < n && poll(i); i++)
            sums[x[i]] += w[i];
    } else {
        const double *w = tensor_data(call->in[1]);
        double *sums = tensor_data(call->out[0]);
        for (int64_t i = 0; i < n && poll(i); i++)
            sums[x[i]] += w[i];
    }
    return !tide_failed();
}

#define HISTOGRAM(T)                                                                                         \
    {                                                                                                        \
        const T *v = tensor_data(x), left = (T)lo, right = (T)hi;                                            \
        T *count = tensor_data(out);                                                                         \
        for (int64_t i = 0; i < x->numel && poll(i); i++)                                                    \
            if (v[i] >= left && v[i] <= right) {                                                             \
                int64_t at = (int64_t)((v[i] - left) * (T)bins / (right - left));                            \
                count[at >= bins ? bins - 1 : at] += 1;                                                      \
            }                                                                                                \
    }

/* in[0] x, float32 or float64, dense; out[0] zeros (bins) of the same dtype; arg[2], arg[3] the range, not
 * empty. */
bool cpu_histc(const Call *call)
{
    const Tensor *x = call->in[0], *out = call->out[0];
    double lo = call->arg[2].f, hi = call->arg[3].f;
    int64_t bins = out->numel;
    if (x->dtype == DT_F32)
        HISTOGRAM(float) else HISTOGRAM(double) return !tide_failed();
}

/* ---- searchsorted ---- */

typedef struct Search {
    const Tensor *sorted, *values, *out;
    int64_t n, m;    /* of a sorted line; values a sorted line is searched for */
    bool right, one; /* one sorted line serves all values */
} Search;

/* The first place whose element is not below v (right: above v); a NaN is beyond everything. */
#define PLACE(T, beyond)                                                                                     \
    {                                                                                                        \
        const T *line = (const T *)tensor_data(w->sorted) + (w->one ? 0 : i / w->m * w->n);                  \
        const T v = ((const T *)tensor_data(w->values))[i];                                                  \
        while (lo < hi) {                                                                                    \
            int64_t mid = lo + (hi - lo) / 2;                                                                \
            const T e = line[mid];                                                                           \
            if (!(beyond))                                                                                   \
                lo = mid + 1;                                                                                \
            else                                                                                             \
                hi = mid;                                                                                    \
        }                                                                                                    \
    }
#define EITHER_PLACE(T)                                                                                      \
    if (w->right)                                                                                            \
        PLACE(T, e > v)                                                                                      \
    else                                                                                                     \
        PLACE(T, e >= v)                                                                                     \
    break;

static int64_t place(const Search *w, int64_t i)
{
    int64_t lo = 0, hi = w->n;
    switch ((DType)w->values->dtype) {
    case DT_U8: EITHER_PLACE(uint8_t)
    case DT_I8: EITHER_PLACE(int8_t)
    case DT_I16: EITHER_PLACE(int16_t)
    case DT_I32: EITHER_PLACE(int32_t)
    case DT_I64: EITHER_PLACE(int64_t)
    case DT_F32: EITHER_PLACE(float)
    default: EITHER_PLACE(double)
    }
    return lo;
}

static void search_range(int64_t begin, int64_t end, void *context)
{
    const Search *w = context;
    int64_t *out = tensor_data(w->out);
    for (int64_t i = begin; i < end; i++)
        out[i] = place(w, i);
}

/* in[0] sorted (n) or (…lines, n), in[1] values of the same dtype; out[0] int64 of values' shape; arg[3]
 * right. Dense. */
bool cpu_searchsorted(const Call *call)
{
    const Tensor *sorted = call->in[0], *values = call->in[1];
    Search w = {sorted,
                values,
                call->out[0],
                line_length(sorted),
                values->ndim ? line_length(values) : 1,
                call->arg[3].b,
                sorted->ndim == 1};
    return parallel_for(values->numel, GRAIN / 16, search_range, &w);
}
