/* sort.c - kernels that order the elements of a line: sort, topk, kthvalue, median, mode.
 *
 * in[0] and the outputs values and indices are row-major; the line is the last dim; no 16-bit floats and no
 * bool. Every type becomes an unsigned key that sorts as its values do, NaN last; equal elements keep their
 * order. */
#include "engine/cpu/lines.h"
#include "engine/store.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

typedef struct Pair {
    uint64_t key;
    int64_t at;
} Pair;

/* ---- keys ---- */

static uint64_t key_f32(float v)
{
    uint32_t u;
    if (v != v)
        return UINT32_MAX;
    v += 0.f; /* -0. is 0. */
    memcpy(&u, &v, sizeof u);
    return u >> 31 ? ~u : u | 0x80000000u;
}

static uint64_t key_f64(double v)
{
    uint64_t u;
    if (v != v)
        return UINT64_MAX;
    v += 0.;
    memcpy(&u, &v, sizeof u);
    return u >> 63 ? ~u : u | 1ull << 63;
}

#define KEYS(T, expression)                                                                                  \
    for (int64_t i = 0; i < n; i++) {                                                                        \
        const T v = ((const T *)x)[i];                                                                       \
        p[i] = (Pair){(expression) ^ flip, i};                                                               \
    }

/* flip: all bits of the key's width, for falling order; else 0. */
static void make_keys(const void *x, DType d, int64_t n, Pair *p, bool falling)
{
    const uint64_t flip = falling ? ~0ull >> (64 - 8 * dtype_size(d)) : 0;
    switch (d) {
    case DT_U8: KEYS(uint8_t, (uint64_t)v) break;
    case DT_I8: KEYS(int8_t, (uint64_t)((uint8_t)v ^ 0x80u)) break;
    case DT_I16: KEYS(int16_t, (uint64_t)((uint16_t)v ^ 0x8000u)) break;
    case DT_I32: KEYS(int32_t, (uint64_t)((uint32_t)v ^ 0x80000000u)) break;
    case DT_I64: KEYS(int64_t, (uint64_t)v ^ 1ull << 63) break;
    case DT_F32: KEYS(float, key_f32(v)) break;
    default: KEYS(double, key_f64(v)) break;
    }
}

static bool is_nan(const Pair *p, DType d)
{
    return dtype_is_float(d) && p->key == ~0ull >> (64 - 8 * dtype_size(d));
}

/* ---- sorting pairs ---- */

static void insertion_sort(Pair *p, int64_t n)
{
    for (int64_t i = 1; i < n; i++) {
        Pair v = p[i];
        int64_t j = i;
        for (; j > 0 && p[j - 1].key > v.key; j--)
            p[j] = p[j - 1];
        p[j] = v;
    }
}

/* Merges runs of `run` from a into b. */
static void merge_pass(const Pair *a, Pair *b, int64_t n, int64_t run)
{
    for (int64_t from = 0; from < n; from += 2 * run) {
        int64_t i = from, middle = from + run < n ? from + run : n, j = middle,
                end = from + 2 * run < n ? from + 2 * run : n;
        for (int64_t k = from; k < end; k++)
            b[k] = i < middle && (j >= end || a[i].key <= a[j].key) ? a[i++] : a[j++];
    }
}

/* Ctrl-C has come: what is being ordered is left as it is, and order_lines() says so. Asked once in a while in
 * loops over a line, which may be long. */
static inline bool stopped(int64_t i)
{
    enum { POLL_EVERY = 1 << 16 };
    return (i & (POLL_EVERY - 1)) == 0 && tide_interrupted;
}

static void radix_pass(const Pair *a, Pair *b, int64_t n, int shift, const int64_t *count)
{
    int64_t start[256], sum = 0;
    for (int i = 0; i < 256; i++) {
        start[i] = sum;
        sum += count[i];
    }
    for (int64_t i = 0; i < n && !stopped(i); i++)
        b[start[a[i].key >> shift & 255]++] = a[i];
}

/* Stable. spare has room for n pairs; the result is in the returned one of the two. */
static Pair *sort_pairs(Pair *p, Pair *spare, int64_t n, size_t bytes)
{
    enum { RUN = 24, RADIX_FROM = 400 };
    if (n < RADIX_FROM) {
        for (int64_t i = 0; i < n; i += RUN)
            insertion_sort(p + i, n - i < RUN ? n - i : RUN);
        for (int64_t run = RUN; run < n; run *= 2) {
            merge_pass(p, spare, n, run);
            Pair *swap = p;
            p = spare, spare = swap;
        }
        return p;
    }
    int64_t count[8][256];
    memset(count, 0, sizeof count);
    for (int64_t i = 0; i < n && !stopped(i); i++)
        for (size_t b = 0; b < bytes; b++)
            count[b][p[i].key >> 8 * b & 255]++;
    for (size_t b = 0; b < bytes; b++) {
        if (count[b][p[0].key >> 8 * b & 255] == n)
            continue; /* one value in this byte: in order already */
        radix_pass(p, spare, n, (int)(8 * b), count[b]);
        Pair *swap = p;
        p = spare, spare = swap;
    }
    return p;
}

static bool before(const Pair *a, const Pair *b)
{
    return a->key < b->key || (a->key == b->key && a->at < b->at);
}

static void exchange(Pair *a, Pair *b)
{
    Pair t = *a;
    *a = *b;
    *b = t;
}

/* Puts the pair that sorting would put at k there, smaller ones before it and larger ones after it. */
static void select_pair(Pair *p, int64_t n, int64_t k)
{
    int64_t lo = 0, hi = n - 1;
    while (lo < hi && !stopped(0)) {
        int64_t mid = lo + (hi - lo) / 2;
        if (before(&p[mid], &p[lo]))
            exchange(&p[mid], &p[lo]);
        if (before(&p[hi], &p[lo]))
            exchange(&p[hi], &p[lo]);
        if (before(&p[hi], &p[mid]))
            exchange(&p[hi], &p[mid]);
        Pair pivot = p[mid];
        int64_t i = lo, j = hi;
        while (i <= j) {
            while (before(&p[i], &pivot))
                i++;
            while (before(&pivot, &p[j]))
                j--;
            if (i <= j)
                exchange(&p[i++], &p[j--]);
        }
        if (k <= j)
            hi = j;
        else if (k >= i)
            lo = i;
        else
            return;
    }
}

/* ---- lines ---- */

typedef struct Order {
    const Tensor *x, *values, *indices;
    Pair *room;   /* 2 n pairs a thread */
    int64_t n, k; /* elements of a line; of a result */
    bool falling, sorted, skip_nan;
    DType dtype;
} Order;

static void store(const Order *w, int64_t line, const Pair *p, int64_t count)
{
    size_t size = dtype_size(w->dtype);
    const char *x = line_at(w->x, line);
    char *value = line_at(w->values, line);
    int64_t *index = (int64_t *)line_at(w->indices, line);
    for (int64_t i = 0; i < count && !stopped(i); i++) {
        index[i] = p[i].at;
        memcpy(value + i * (int64_t)size, x + p[i].at * (int64_t)size, size);
    }
}

typedef void (*OrderFn)(const Order *w, int64_t line, Pair *p, Pair *spare);

static void sort_line(const Order *w, int64_t line, Pair *p, Pair *spare)
{
    make_keys(line_at(w->x, line), w->dtype, w->n, p, w->falling);
    store(w, line, sort_pairs(p, spare, w->n, dtype_size(w->dtype)), w->n);
}

/* Moves the pair at p[i] down to its place in a heap of n whose top is the last in order. */
static void sift_down(Pair *p, int64_t n, int64_t i)
{
    for (int64_t child; (child = 2 * i + 1) < n; i = child) {
        if (child + 1 < n && before(&p[child], &p[child + 1]))
            child++;
        if (!before(&p[i], &p[child]))
            return;
        exchange(&p[i], &p[child]);
    }
}

/* The k first pairs, k small: a heap of the best so far, through which hardly any element passes. */
static void topk_heap(const Order *w, const char *x, Pair *p, Pair *spare)
{
    enum { BLOCK = 512 };
    make_keys(x, w->dtype, w->k, p, w->falling);
    for (int64_t i = w->k / 2; i >= 0; i--)
        sift_down(p, w->k, i);
    for (int64_t from = w->k; from < w->n; from += BLOCK) {
        int64_t n = w->n - from < BLOCK ? w->n - from : BLOCK;
        make_keys(x + from * (int64_t)dtype_size(w->dtype), w->dtype, n, spare, w->falling);
        for (int64_t i = 0; i < n; i++)
            if (spare[i].key < p[0].key) {
                p[0] = (Pair){spare[i].key, from + spare[i].at};
                sift_down(p, w->k, 0);
            }
    }
}

static void topk_line(const Order *w, int64_t line, Pair *p, Pair *spare)
{
    if (w->k == 0)
        return;
    if (w->k <= 64 && w->n >= 16 * w->k) {
        topk_heap(w, line_at(w->x, line), p, spare);
        store(w, line, sort_pairs(p, spare, w->k, dtype_size(w->dtype)), w->k);
        return;
    }
    make_keys(line_at(w->x, line), w->dtype, w->n, p, w->falling);
    select_pair(p, w->n, w->k - 1);
    store(w, line, w->sorted ? sort_pairs(p, spare, w->k, dtype_size(w->dtype)) : p, w->k);
}

static void kth_line(const Order *w, int64_t line, Pair *p, Pair *spare)
{
    (void)spare;
    make_keys(line_at(w->x, line), w->dtype, w->n, p, false);
    select_pair(p, w->n, w->k - 1);
    store(w, line, p + w->k - 1, 1);
}

static void median_line(const Order *w, int64_t line, Pair *p, Pair *spare)
{
    int64_t nans = 0, first_nan = 0;
    (void)spare;
    make_keys(line_at(w->x, line), w->dtype, w->n, p, false);
    for (int64_t i = w->n - 1; i >= 0; i--)
        if (is_nan(&p[i], w->dtype))
            nans++, first_nan = i;
    if (nans && (!w->skip_nan || nans == w->n)) {
        store(w, line, p + first_nan, 1);
        return;
    }
    int64_t k = (w->n - nans - 1) / 2;
    select_pair(p, w->n, k);
    store(w, line, p + k, 1);
}

static void mode_line(const Order *w, int64_t line, Pair *p, Pair *spare)
{
    make_keys(line_at(w->x, line), w->dtype, w->n, p, false);
    p = sort_pairs(p, spare, w->n, dtype_size(w->dtype));
    int64_t best = 0, longest = 0;
    for (int64_t i = 0, run = 0; i < w->n && !stopped(i); i++) {
        run = i && p[i].key == p[i - 1].key ? run + 1 : 1;
        if (run > longest)
            longest = run, best = i;
    }
    store(w, line, p + best, 1);
}

typedef struct Job {
    Order order;
    OrderFn fn;
} Job;

static void run_lines(int64_t begin, int64_t end, void *context)
{
    const Job *job = context;
    const Order *w = &job->order;
    Pair *p = w->room + 2 * w->n * omp_get_thread_num();
    for (int64_t i = begin; i < end; i++)
        job->fn(w, i, p, p + w->n);
}

static bool order_lines(const Call *call, OrderFn fn, int64_t k, bool falling, bool sorted, bool skip_nan)
{
    const Tensor *x = call->in[0];
    int64_t n = line_length(x), lines = line_count(x), grain = line_grain(n * 8);
    int64_t threads = lines > grain ? get_num_threads() : 1;
    if (x->numel == 0)
        return true;
    Pair *room = tide_malloc((size_t)(2 * n * threads) * sizeof *room);
    if (!room)
        return false;
    Job job = {{x, call->out[0], call->out[1], room, n, k, falling, sorted, skip_nan, (DType)x->dtype}, fn};
    bool done = parallel_for(lines, grain, run_lines, &job);
    free(room);
    return done && !tide_check_interrupt();
}

/* arg[2] falling order. Always stable. */
bool cpu_sort(const Call *call)
{
    return order_lines(call, sort_line, 0, call->arg[2].b, true, false);
}

/* arg[1] k; arg[3] the largest ones; arg[4] in order. */
bool cpu_topk(const Call *call)
{
    return order_lines(call, topk_line, call->arg[1].i, call->arg[3].b, call->arg[4].b, false);
}

/* arg[1] k, from 1. */
bool cpu_kthvalue(const Call *call)
{
    return order_lines(call, kth_line, call->arg[1].i, false, true, false);
}

bool cpu_median_dim(const Call *call)
{
    return order_lines(call, median_line, 0, false, true, false);
}

bool cpu_nanmedian_dim(const Call *call)
{
    return order_lines(call, median_line, 0, false, true, true);
}

bool cpu_mode(const Call *call)
{
    return order_lines(call, mode_line, 0, false, true, false);
}
