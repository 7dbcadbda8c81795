/* random_fill.c - distributions drawn from a generator, in PyTorch's portable arithmetic.
 *
 * Every formula is rounded step by step in the type named, with the C library's scalar functions: reordering
 * one, or letting the compiler contract it, changes printed digits. Fills work on blocks of draws. */
#include "engine/random.h"

#include <math.h>
#include <string.h>

#include "engine/error.h"

enum {
    BLOCK = 512,       /* elements a fill handles between two looks for an interrupt */
    CHUNK = 262144,    /* the same for normals, which threads shape together */
    HALF_CHUNK = 8192, /* and for those of 16 bits, which need a buffer of floats */
    PARALLEL = 4096,   /* elements from which threads pay */
};

static const double two_pi = 6.283185307179586, pi = 3.141592653589793;

/* ---- from blocks of values to the destination's dtype ---- */

/* Out-of-range conversions as x86 does them: the integer type's least value. */
static int64_t double_to_i64(double v)
{
    return v >= -0x1p63 && v < 0x1p63 ? (int64_t)v : INT64_MIN;
}

static int32_t double_to_i32(double v)
{
    return v > -0x1p31 - 1 && v < 0x1p31 ? (int32_t)v : INT32_MIN;
}

/* Address of element i. */
static void *at(void *p, DType d, int64_t i)
{
    return (char *)p + i * (int64_t)dtype_size(d);
}

static void store_doubles(void *p, DType d, const double *v, int m)
{
    switch (d) {
    case DT_BOOL: for (int j = 0; j < m; j++) ((uint8_t *)p)[j] = v[j] != 0; break;
    case DT_U8:
    case DT_I8: for (int j = 0; j < m; j++) ((uint8_t *)p)[j] = (uint8_t)double_to_i32(v[j]); break;
    case DT_I16: for (int j = 0; j < m; j++) ((uint16_t *)p)[j] = (uint16_t)double_to_i32(v[j]); break;
    case DT_I32: for (int j = 0; j < m; j++) ((int32_t *)p)[j] = double_to_i32(v[j]); break;
    case DT_I64: for (int j = 0; j < m; j++) ((int64_t *)p)[j] = double_to_i64(v[j]); break;
    case DT_F16: for (int j = 0; j < m; j++) ((f16 *)p)[j] = f32_to_f16((float)v[j]); break;
    case DT_BF16: for (int j = 0; j < m; j++) ((bf16 *)p)[j] = f32_to_bf16((float)v[j]); break;
    case DT_F32: for (int j = 0; j < m; j++) ((float *)p)[j] = (float)v[j]; break;
    case DT_F64: memcpy(p, v, (size_t)m * sizeof *v); break;
    default: break;
    }
}

static void store_ints(void *p, DType d, const int64_t *v, int m)
{
    switch (d) {
    case DT_BOOL: for (int j = 0; j < m; j++) ((uint8_t *)p)[j] = v[j] != 0; break;
    case DT_U8:
    case DT_I8: for (int j = 0; j < m; j++) ((uint8_t *)p)[j] = (uint8_t)v[j]; break;
    case DT_I16: for (int j = 0; j < m; j++) ((uint16_t *)p)[j] = (uint16_t)v[j]; break;
    case DT_I32: for (int j = 0; j < m; j++) ((uint32_t *)p)[j] = (uint32_t)v[j]; break;
    case DT_I64: memcpy(p, v, (size_t)m * sizeof *v); break;
    case DT_F16: for (int j = 0; j < m; j++) ((f16 *)p)[j] = f32_to_f16((float)v[j]); break;
    case DT_BF16: for (int j = 0; j < m; j++) ((bf16 *)p)[j] = f32_to_bf16((float)v[j]); break;
    case DT_F32: for (int j = 0; j < m; j++) ((float *)p)[j] = (float)v[j]; break;
    case DT_F64: for (int j = 0; j < m; j++) ((double *)p)[j] = (double)v[j]; break;
    default: break;
    }
}

/* m floats rounded to a 16-bit or float dtype. */
static void store_floats(void *p, DType d, const float *v, int m)
{
    if (d == DT_F16) for (int j = 0; j < m; j++) ((f16 *)p)[j] = f32_to_f16(v[j]);
    else if (d == DT_BF16) for (int j = 0; j < m; j++) ((bf16 *)p)[j] = f32_to_bf16(v[j]);
    else memcpy(p, v, (size_t)m * sizeof *v);
}

/* m floats read from a 16-bit or float dtype. */
static void load_floats(float *v, const void *p, DType d, int m)
{
    if (d == DT_F16) for (int j = 0; j < m; j++) v[j] = f16_to_f32(((const f16 *)p)[j]);
    else if (d == DT_BF16) for (int j = 0; j < m; j++) v[j] = bf16_to_f32(((const bf16 *)p)[j]);
    else memcpy(v, p, (size_t)m * sizeof *v);
}

static float round_through(DType d, double x)
{
    float v = (float)x;
    if (d == DT_F16) return f16_to_f32(f32_to_f16(v));
    return d == DT_BF16 ? bf16_to_f32(f32_to_bf16(v)) : v;
}

static int block_size(int64_t n, int64_t done)
{
    return n - done < BLOCK ? (int)(n - done) : BLOCK;
}

/* ---- uniform ---- */

/* m floats in [0, 1): the low 24 bits of a draw each. */
static void unit_floats(Generator *g, float *v, int m)
{
    uint32_t w[BLOCK];
    generator_take(g, w, m);
#pragma omp simd
    for (int j = 0; j < m; j++) v[j] = (float)(int32_t)(w[j] & 0xffffffu) * 0x1p-24f;
}

/* m doubles in [0, 1): the low 53 bits of two draws each. */
static void unit_doubles(Generator *g, double *v, int m)
{
    uint32_t w[2 * BLOCK];
    generator_take(g, w, 2 * m);
    for (int j = 0; j < m; j++) {
        int64_t low53 = (int64_t)(w[2 * j] & 0x1fffffu) << 32 | w[2 * j + 1];
        v[j] = (double)low53 * 0x1p-53;
    }
}

/* Rounding may reach `to`, which the range leaves out: such an element becomes `from`. */
static bool uniform_floats(Generator *g, float *p, int64_t n, float from, float to)
{
    float range = to - from;
    for (int64_t i = 0; i < n; i += BLOCK) {
        if (tide_check_interrupt()) return false;
        int m = block_size(n, i);
        float *v = p + i;
        unit_floats(g, v, m);
#pragma omp simd
        for (int j = 0; j < m; j++) {
            float x = v[j] * range + from;
            v[j] = x == to ? from : x;
        }
    }
    return true;
}

static uint16_t half_bits(DType d, float v)
{
    return d == DT_F16 ? f32_to_f16(v).bits : f32_to_bf16(v).bits;
}

static bool uniform_halves(Generator *g, uint16_t *p, DType d, int64_t n, float from, float to)
{
    float range = to - from;
    uint16_t first = half_bits(d, from), end = half_bits(d, to);
    for (int64_t i = 0; i < n; i += BLOCK) {
        if (tide_check_interrupt()) return false;
        int m = block_size(n, i);
        float v[BLOCK];
        unit_floats(g, v, m);
        for (int j = 0; j < m; j++) {
            uint16_t h = half_bits(d, v[j] * range + from);
            bool equal = h == end || !((h | end) & 0x7fff); /* zeros of either sign are equal */
            p[i + j] = equal ? first : h;
        }
    }
    return true;
}

bool random_uniform(Generator *g, void *p, DType d, int64_t n, double from, double to)
{
    if (d == DT_F32) return uniform_floats(g, p, n, (float)from, (float)to);
    if (d != DT_F64) return uniform_halves(g, p, d, n, (float)from, (float)to);
    for (int64_t i = 0; i < n; i += BLOCK) {
        if (tide_check_interrupt()) return false;
        int m = block_size(n, i);
        double *v = (double *)p + i;
        unit_doubles(g, v, m);
        for (int j = 0; j < m; j++) {
            double x = v[j] * (to - from) + from;
            v[j] = x == to ? from : x;
        }
    }
    return true;
}

/* ---- normal ---- */

static bool normal_serial(Generator *g, void *p, DType d, int64_t n, double mean, double std, bool log_normal)
{
    for (int64_t i = 0; i < n; i += BLOCK) {
        if (tide_check_interrupt()) return false;
        int m = block_size(n, i);
        double v[BLOCK];
        for (int j = 0; j < m; j++) v[j] = generator_next_normal(g) * std + mean;
        if (log_normal) for (int j = 0; j < m; j++) v[j] = exp(v[j]);
        store_doubles(at(p, d, i), d, v, m);
    }
    return true;
}

/* A block ends with a fused multiply-add; fma(x, 1, mean) is x + mean, and the library's fma is slow. */
static inline float scale_float(float x, float std, float mean)
{
    return std == 1 ? x + mean : fmaf(x, std, mean);
}

static inline double scale_double(double x, double std, double mean)
{
    return std == 1 ? x + mean : fma(x, std, mean);
}

/* Box-Muller on blocks of 16 uniforms in place: v[0..8) give the radii, v[8..16) the angles. */
static void normal16_float(float *v, float mean, float std)
{
    float radius[8];
    for (int j = 0; j < 8; j++) radius[j] = sqrtf(-2 * logf(1 - v[j]));
    for (int j = 0; j < 8; j++) {
        float s, c;
        sincosf((float)(two_pi * (double)v[j + 8]), &s, &c);
        v[j] = scale_float(radius[j] * c, std, mean);
        v[j + 8] = scale_float(radius[j] * s, std, mean);
    }
}

static void normal16_double(double *v, double mean, double std)
{
    double radius[8];
    for (int j = 0; j < 8; j++) radius[j] = sqrt(-2 * log(1 - v[j]));
    for (int j = 0; j < 8; j++) {
        double s, c;
        sincos(two_pi * v[j + 8], &s, &c);
        v[j] = scale_double(radius[j] * c, std, mean);
        v[j + 8] = scale_double(radius[j] * s, std, mean);
    }
}

/* The logarithms and sines are most of the work and need no draws: they are shared out over the threads. */
static void shape_floats(float *v, int64_t m, float mean, float std)
{
    if (m < PARALLEL) {
        for (int64_t j = 0; j + 16 <= m; j += 16) normal16_float(v + j, mean, std);
        return;
    }
#pragma omp parallel for schedule(dynamic, 64)
    for (int64_t j = 0; j < m / 16; j++) normal16_float(v + 16 * j, mean, std);
}

static void shape_doubles(double *v, int64_t m, double mean, double std)
{
    if (m < PARALLEL) {
        for (int64_t j = 0; j + 16 <= m; j += 16) normal16_double(v + j, mean, std);
        return;
    }
#pragma omp parallel for schedule(dynamic, 64)
    for (int64_t j = 0; j < m / 16; j++) normal16_double(v + 16 * j, mean, std);
}

/* A remainder of n / 16 redraws the last 16 elements. Floats and doubles draw a uniform for every element
 * first, the remainder's too; 16-bit floats draw for whole blocks only, in float. */
static bool normal_floats(Generator *g, float *p, int64_t n, float mean, float std)
{
    for (int64_t i = 0; i < n; i += CHUNK) {
        if (tide_check_interrupt()) return false;
        int m = n - i < CHUNK ? (int)(n - i) : CHUNK;
        for (int j = 0; j < m; j += BLOCK) unit_floats(g, p + i + j, block_size(m, j));
        shape_floats(p + i, m, mean, std);
    }
    if (n % 16) {
        unit_floats(g, p + n - 16, 16);
        normal16_float(p + n - 16, mean, std);
    }
    return true;
}

static bool normal_doubles(Generator *g, double *p, int64_t n, double mean, double std)
{
    for (int64_t i = 0; i < n; i += CHUNK) {
        if (tide_check_interrupt()) return false;
        int m = n - i < CHUNK ? (int)(n - i) : CHUNK;
        for (int j = 0; j < m; j += BLOCK) unit_doubles(g, p + i + j, block_size(m, j));
        shape_doubles(p + i, m, mean, std);
    }
    if (n % 16) {
        unit_doubles(g, p + n - 16, 16);
        normal16_double(p + n - 16, mean, std);
    }
    return true;
}

static bool normal_halves(Generator *g, void *p, DType d, int64_t n, float mean, float std)
{
    float v[HALF_CHUNK];
    int64_t whole = n / 16 * 16;
    for (int64_t i = 0; i < whole; i += HALF_CHUNK) {
        if (tide_check_interrupt()) return false;
        int m = whole - i < HALF_CHUNK ? (int)(whole - i) : HALF_CHUNK;
        for (int j = 0; j < m; j += BLOCK) unit_floats(g, v + j, block_size(m, j));
        shape_floats(v, m, mean, std);
        store_floats(at(p, d, i), d, v, m);
    }
    if (n > whole) {
        unit_floats(g, v, 16);
        normal16_float(v, mean, std);
        store_floats(at(p, d, n - 16), d, v, 16);
    }
    return true;
}

bool random_normal(Generator *g, void *p, DType d, int64_t n, double mean, double std, bool blocked)
{
    if (!blocked || n < 16) return normal_serial(g, p, d, n, mean, std, false);
    if (d == DT_F64) return normal_doubles(g, p, n, mean, std);
    if (d == DT_F32) return normal_floats(g, p, n, (float)mean, (float)std);
    return normal_halves(g, p, d, n, (float)mean, (float)std);
}

bool random_log_normal(Generator *g, void *p, DType d, int64_t n, double mean, double std)
{
    return normal_serial(g, p, d, n, mean, std, true);
}

/* ---- distributions that map one double of [0, 1) to one element ---- */

typedef struct Curve {
    enum { EXPONENTIAL, CAUCHY, GEOMETRIC, BERNOULLI } kind;
    double a, b;
} Curve;

static void follow(const Curve *c, double *u, int m)
{
    switch (c->kind) {
    case EXPONENTIAL: for (int j = 0; j < m; j++) u[j] = -1.0 / c->a * log1p(-u[j]); break;
    case CAUCHY: for (int j = 0; j < m; j++) u[j] = c->a + c->b * tan(pi * (u[j] - 0.5)); break;
    case GEOMETRIC: for (int j = 0; j < m; j++) u[j] = ceil(log(u[j]) / log1p(-c->a)); break;
    case BERNOULLI: for (int j = 0; j < m; j++) u[j] = u[j] < c->a; break;
    }
}

static bool fill_curve(Generator *g, void *p, DType d, int64_t n, Curve c)
{
    for (int64_t i = 0; i < n; i += BLOCK) {
        if (tide_check_interrupt()) return false;
        int m = block_size(n, i);
        double u[BLOCK];
        unit_doubles(g, u, m);
        follow(&c, u, m);
        store_doubles(at(p, d, i), d, u, m);
    }
    return true;
}

bool random_exponential(Generator *g, void *p, DType d, int64_t n, double lambda)
{
    return fill_curve(g, p, d, n, (Curve){EXPONENTIAL, lambda, 0});
}

bool random_cauchy(Generator *g, void *p, DType d, int64_t n, double median, double sigma)
{
    return fill_curve(g, p, d, n, (Curve){CAUCHY, median, sigma});
}

bool random_geometric(Generator *g, void *p, DType d, int64_t n, double prob)
{
    return fill_curve(g, p, d, n, (Curve){GEOMETRIC, prob, 0});
}

bool random_bernoulli(Generator *g, void *p, DType d, int64_t n, double prob)
{
    return fill_curve(g, p, d, n, (Curve){BERNOULLI, prob, 0});
}

bool random_bernoulli_each(Generator *g, void *p, DType d, int64_t n, const void *prob, DType prob_dtype)
{
    for (int64_t i = 0; i < n; i += BLOCK) {
        if (tide_check_interrupt()) return false;
        int m = block_size(n, i);
        int64_t hit[BLOCK];
        const void *from = (const char *)prob + i * (int64_t)dtype_size(prob_dtype);
        if (prob_dtype == DT_F64) {
            double u[BLOCK];
            unit_doubles(g, u, m);
            for (int j = 0; j < m; j++) hit[j] = u[j] < ((const double *)from)[j];
        } else {
            float u[BLOCK], limit[BLOCK];
            unit_floats(g, u, m);
            load_floats(limit, from, prob_dtype, m);
            for (int j = 0; j < m; j++) hit[j] = u[j] < limit[j];
        }
        store_ints(at(p, d, i), d, hit, m);
    }
    return true;
}

/* ---- integers ---- */

/* Precision in bits: floats hold every integer up to 2^digits, integer dtypes up to 2^digits - 1. */
static int digits(DType d)
{
    static const uint8_t of[DT_COUNT] = {
        [DT_BOOL] = 1, [DT_U8] = 8,   [DT_I8] = 7,   [DT_I16] = 15, [DT_I32] = 31,
        [DT_I64] = 63, [DT_F16] = 11, [DT_BF16] = 8, [DT_F32] = 24, [DT_F64] = 53,
    };
    return of[d];
}

/* m draws of [base, base + range), range 0 standing for 2^64. Ranges from 2^28 on take two words each. */
static void draw_ints(Generator *g, int64_t *v, int m, uint64_t range, int64_t base, bool wide)
{
    uint32_t w[2 * BLOCK];
    generator_take(g, w, wide ? 2 * m : m);
    if (!wide) {
        uint32_t narrow = (uint32_t)range;
        uint64_t inverse = ((uint64_t)1 << 32) / narrow; /* its quotient is right or one too small */
#pragma omp simd
        for (int j = 0; j < m; j++) {
            uint32_t r = w[j] - (uint32_t)(w[j] * inverse >> 32) * narrow;
            v[j] = (int64_t)((r < narrow ? r : r - narrow) + (uint64_t)base);
        }
        return;
    }
    for (int j = 0; j < m; j++) {
        uint64_t x = (uint64_t)w[2 * j] << 32 | w[2 * j + 1];
        v[j] = (int64_t)((range ? x % range : x) + (uint64_t)base);
    }
}

static bool fill_ints(Generator *g, void *p, DType d, int64_t n, uint64_t range, int64_t base, bool wide)
{
    for (int64_t i = 0; i < n; i += BLOCK) {
        if (tide_check_interrupt()) return false;
        int m = block_size(n, i);
        int64_t v[BLOCK];
        draw_ints(g, v, m, range, base, wide);
        store_ints(at(p, d, i), d, v, m);
    }
    return true;
}

/* x as the dtype holds it, back as an integer; 2^63 and beyond give INT64_MIN, as on x86. */
static int64_t through_float(DType d, int64_t x)
{
    return double_to_i64(d == DT_F64 ? (double)x : (double)round_through(d, (float)x));
}

/* The distance between neighbours of |x| in a float dtype. */
static int64_t spacing(DType d, int64_t x)
{
    uint64_t magnitude = x < 0 ? 0 - (uint64_t)x : (uint64_t)x;
    int exponent = 0;
    while (magnitude >>= 1) exponent++;
    int shift = exponent - digits(d) + 1;
    return shift > 0 ? (int64_t)1 << shift : 1;
}

void random_clip_bounds(DType d, int64_t *low, int64_t *high)
{
    if (!dtype_is_float(d)) return;
    int64_t after = *low + 1, before = *high - 1;
    if (through_float(d, after) < *low) *low = through_float(d, after) + spacing(d, after);
    if (through_float(d, before) >= *high) *high = through_float(d, before) - spacing(d, before);
}

bool random_randint(Generator *g, void *p, DType d, int64_t n, int64_t low, int64_t high)
{
    random_clip_bounds(d, &low, &high);
    uint64_t range = (uint64_t)high - (uint64_t)low;
    return fill_ints(g, p, d, n, range, low, range >= (uint64_t)1 << 28);
}

bool random_from(Generator *g, void *p, DType d, int64_t n, int64_t low)
{
    if (low == INT64_MIN) return fill_ints(g, p, d, n, 0, 0, true);
    int64_t clipped = low, unused = 0;
    random_clip_bounds(d, &clipped, &unused);
    uint64_t last = ((uint64_t)1 << digits(d)) - !dtype_is_float(d);
    uint64_t range = last - (uint64_t)clipped + 1;
    return fill_ints(g, p, d, n, range, clipped, range >= (uint64_t)1 << 28);
}

bool random_full_range(Generator *g, void *p, DType d, int64_t n)
{
    uint64_t range = ((uint64_t)1 << digits(d)) + dtype_is_float(d);
    return fill_ints(g, p, d, n, range, 0, d == DT_I64 || d == DT_F64);
}

bool random_permutation(Generator *g, int64_t *p, int64_t n)
{
    bool wide = n >= UINT32_MAX / 20; /* where 32-bit draws would be uneven; the order of swaps differs too */
    for (int64_t i = 0; !wide && i < n; i++) {
        if (i % BLOCK == 0 && tide_check_interrupt()) return false;
        p[i] = i;
    }
    for (int64_t i = 0; i < n - !wide; i++) {
        if (i % BLOCK == 0 && tide_check_interrupt()) return false;
        int64_t z;
        if (wide) {
            p[i] = i;
            z = (int64_t)(generator_next64(g) % (uint64_t)(i + 1));
        } else {
            z = i + generator_next32(g) % (uint32_t)(n - i);
        }
        int64_t kept = p[i];
        p[i] = p[z];
        p[z] = kept;
    }
    return true;
}

/* ---- multinomial ---- */

static double weight(const void *prob, DType d, int64_t i)
{
    return element_as_double((const char *)prob + i * (int64_t)dtype_size(d), d);
}

/* Inverts the cumulative distribution, summed and divided in the weights' precision (float for 16 bits). */
static bool choose_again(Generator *g, int64_t *out, int64_t samples, const void *prob, DType d, int64_t n,
                         RandomChoice *c)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
        sum += weight(prob, d, i);
        if (d != DT_F64) sum = (float)sum;
        c[i].key = sum;
    }
    for (int64_t i = 0; i < n; i++) c[i].key = d == DT_F64 ? c[i].key / sum : (float)c[i].key / (float)sum;
    c[n - 1].key = 1;
    for (int64_t s = 0; s < samples; s++) {
        if (s % BLOCK == 0 && tide_check_interrupt()) return false;
        double u = generator_next_unit(g);
        int64_t left = 0, right = n;
        while (left < right) {
            int64_t middle = left + (right - left) / 2;
            if (c[middle].key < u) left = middle + 1;
            else right = middle;
        }
        out[s] = left;
    }
    return true;
}

/* NaN (a weight of 0 over a draw of 0) counts as greatest, as in topk. */
static bool goes_before(const RandomChoice *a, const RandomChoice *b)
{
    bool a_nan = isnan(a->key), b_nan = isnan(b->key);
    if (a_nan != b_nan) return a_nan;
    if (!a_nan && a->key != b->key) return a->key > b->key;
    return a->index < b->index;
}

/* Restores the heap under `at`: the child that goes before its parent moves up. */
static void sift_down(RandomChoice *heap, int64_t n, int64_t at)
{
    for (int64_t child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n && goes_before(&heap[child + 1], &heap[child])) child++;
        if (!goes_before(&heap[child], &heap[at])) return;
        RandomChoice kept = heap[at];
        heap[at] = heap[child];
        heap[child] = kept;
    }
}

/* The greatest weights after each is divided by its exponential draw. */
static bool choose_once(int64_t *out, int64_t samples, const void *prob, const void *draws, DType d, int64_t n,
                        RandomChoice *c)
{
    for (int64_t i = 0; i < n; i++) {
        double p = weight(prob, d, i), draw = weight(draws, d, i);
        c[i] = (RandomChoice){d == DT_F64 ? p / draw : round_through(d, (float)p / (float)draw), i};
    }
    for (int64_t i = n / 2; i-- > 0;) sift_down(c, n, i);
    for (int64_t s = 0; s < samples; s++) {
        if (s % BLOCK == 0 && tide_check_interrupt()) return false;
        out[s] = c[0].index;
        c[0] = c[--n];
        sift_down(c, n, 0);
    }
    return true;
}

bool random_multinomial(Generator *g, int64_t *out, int64_t samples, const void *prob, const void *draws, DType d,
                        int64_t n, RandomChoice *scratch)
{
    return draws ? choose_once(out, samples, prob, draws, d, n, scratch)
                 : choose_again(g, out, samples, prob, d, n, scratch);
}
