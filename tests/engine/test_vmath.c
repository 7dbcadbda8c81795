/* test_vmath.c - the vector functions of engine/cpu/vmath.h as loops call them: every build and vector width
 * against libm's long double on a grid, special values, and scalar against vector bit for bit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#ifdef __x86_64__
#include <immintrin.h>

/* A vector form turned into "16 numbers from x (and y) to out", so that all widths have one type. */
#define TARGET_base
#define TARGET_avx2   __attribute__((target("avx2,fma")))
#define TARGET_avx512 __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,fma")))
#define RUN1(isa, abi, n, name, ctype, type, vector, load, store)                                            \
    TARGET_##isa vector form_##isa##_##abi##_##name##_##type(vector) __asm__("_ZGV" #abi "N" #n "v_vm_" #isa \
                                                                             "_" #name "_" #type);           \
    TARGET_##isa static void run_##isa##_##abi##_##name##_##type(const ctype *x, const ctype *y, ctype *out) \
    {                                                                                                        \
        (void)y;                                                                                             \
        for (int i = 0; i < 16; i += n) {                                                                    \
            store(out + i, form_##isa##_##abi##_##name##_##type(load(x + i)));                               \
        }                                                                                                    \
    }
#define RUN2(isa, abi, n, name, ctype, type, vector, load, store)                                            \
    TARGET_##isa vector form_##isa##_##abi##_##name##_##type(vector, vector) __asm__(                        \
        "_ZGV" #abi "N" #n "vv_vm_" #isa "_" #name "_" #type);                                               \
    TARGET_##isa static void run_##isa##_##abi##_##name##_##type(const ctype *x, const ctype *y, ctype *out) \
    {                                                                                                        \
        for (int i = 0; i < 16; i += n) {                                                                    \
            store(out + i, form_##isa##_##abi##_##name##_##type(load(x + i), load(y + i)));                  \
        }                                                                                                    \
    }
#define RUN_B(RUN, isa, name)                                                                                \
    RUN(isa, b, 4, name, float, f32, __m128, _mm_loadu_ps, _mm_storeu_ps)                                    \
    RUN(isa, b, 2, name, double, f64, __m128d, _mm_loadu_pd, _mm_storeu_pd)
#define RUN_D(RUN, isa, name)                                                                                \
    RUN(isa, d, 8, name, float, f32, __m256, _mm256_loadu_ps, _mm256_storeu_ps)                              \
    RUN(isa, d, 4, name, double, f64, __m256d, _mm256_loadu_pd, _mm256_storeu_pd)
#define RUN_E(RUN, isa, name)                                                                                \
    RUN(isa, e, 16, name, float, f32, __m512, _mm512_loadu_ps, _mm512_storeu_ps)                             \
    RUN(isa, e, 8, name, double, f64, __m512d, _mm512_loadu_pd, _mm512_storeu_pd)
#ifdef ISA_ONLY_BASE /* a build without the other two, for the sanitizers */
#define RUN_ALL(RUN, name)           RUN_B(RUN, base, name)
#define SCALAR_ALL(SCALAR_ISA, name) SCALAR_ISA(base, name)
#define TABLE(name, type)                                                                                    \
    {                                                                                                        \
        {                                                                                                    \
            run_base_s_##name##_##type, run_base_b_##name##_##type                                           \
        }                                                                                                    \
    }
#else
#define RUN_ALL(RUN, name)                                                                                   \
    RUN_B(RUN, base, name)                                                                                   \
    RUN_B(RUN, avx2, name)                                                                                   \
    RUN_D(RUN, avx2, name)                                                                                   \
    RUN_B(RUN, avx512, name)                                                                                 \
    RUN_D(RUN, avx512, name)                                                                                 \
    RUN_E(RUN, avx512, name)
#define SCALAR_ALL(SCALAR_ISA, name)                                                                         \
    SCALAR_ISA(base, name)                                                                                   \
    SCALAR_ISA(avx2, name)                                                                                   \
    SCALAR_ISA(avx512, name)
#define TABLE(name, type)                                                                                    \
    {                                                                                                        \
        {run_base_s_##name##_##type, run_base_b_##name##_##type},                                            \
            {run_avx2_s_##name##_##type, run_avx2_b_##name##_##type, run_avx2_d_##name##_##type},            \
        {                                                                                                    \
            run_avx512_s_##name##_##type, run_avx512_b_##name##_##type, run_avx512_d_##name##_##type,        \
                run_avx512_e_##name##_##type                                                                 \
        }                                                                                                    \
    }
#endif
/* The scalar forms, 16 calls. */
#define SCALAR(isa, name, ctype, type, parameters, arguments)                                                \
    ctype vm_##isa##_##name##_##type parameters;                                                             \
    static void run_##isa##_s_##name##_##type(const ctype *x, const ctype *y, ctype *out)                    \
    {                                                                                                        \
        for (int i = 0; i < 16; i++) {                                                                       \
            out[i] = vm_##isa##_##name##_##type arguments;                                                   \
        }                                                                                                    \
        (void)y;                                                                                             \
    }
#define SCALAR_ISA1(isa, name)                                                                               \
    SCALAR(isa, name, float, f32, (float), (x[i]))                                                           \
    SCALAR(isa, name, double, f64, (double), (x[i]))
#define SCALAR_ISA2(isa, name)                                                                               \
    SCALAR(isa, name, float, f32, (float, float), (x[i], y[i]))                                              \
    SCALAR(isa, name, double, f64, (double, double), (x[i], y[i]))
#define FORMS1(name)                                                                                         \
    RUN_ALL(RUN1, name)                                                                                      \
    SCALAR_ALL(SCALAR_ISA1, name)                                                                            \
    static long double true_##name(long double x, long double y)                                             \
    {                                                                                                        \
        (void)y;                                                                                             \
        return name##l(x);                                                                                   \
    }
#define FORMS2(name)                                                                                         \
    RUN_ALL(RUN2, name)                                                                                      \
    SCALAR_ALL(SCALAR_ISA2, name)                                                                            \
    static long double true_##name(long double x, long double y)                                             \
    {                                                                                                        \
        return name##l(x, y);                                                                                \
    }

#define OWN1(name, d, far)      FORMS1(name)
#define OWN2(name, d, far)      FORMS2(name)
#define SLEEF1(name, d, s, far) FORMS1(name)
#define SLEEF2(name, d, s, far) FORMS2(name)
#include "../../engine/cpu/vmath.def"
#undef OWN1
#undef OWN2
#undef SLEEF1
#undef SLEEF2

typedef void F32(const float *x, const float *y, float *out);
typedef void F64(const double *x, const double *y, double *out);

enum { BASE, AVX2, AVX512, ISAS };
enum { FORMS = 4 }; /* scalar first, then the vectors from short to long; NULL ends */

typedef struct {
    const char *name;
    int args;
    long double (*truth)(long double, long double);
    F32 *f32[ISAS][FORMS];
    F64 *f64[ISAS][FORMS];
} Function;

#define OWN1(name, d, far)      {#name, 1, true_##name, TABLE(name, f32), TABLE(name, f64)},
#define OWN2(name, d, far)      {#name, 2, true_##name, TABLE(name, f32), TABLE(name, f64)},
#define SLEEF1(name, d, s, far) OWN1(name, d, far)
#define SLEEF2(name, d, s, far) OWN2(name, d, far)
static const Function functions[] = {
#include "../../engine/cpu/vmath.def"
};
enum { FUNCTIONS = sizeof functions / sizeof functions[0] };

static int isas(void)
{
#ifdef ISA_ONLY_BASE
    return AVX2;
#endif
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) {
        return AVX2;
    }
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                   __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")
               ? ISAS
               : AVX512;
}

/* Arguments: 16 random bit patterns of the type (all exponents, both signs, inf, NaN, denormals), then 16 over
 * [-20, 20], where the functions do something. */
enum { BLOCKS = 4096 };

static uint64_t mix(uint64_t i)
{
    i = (i ^ (i >> 31)) * 0x9e3779b97f4a7c15ULL;
    i = (i ^ (i >> 29)) * 0xbf58476d1ce4e5b9ULL;
    return i ^ (i >> 32);
}

static float argument32(int block, int lane, int which)
{
    uint64_t r = mix((uint64_t)block * 64 + (uint64_t)lane * 2 + (uint64_t)which + 1);
    uint32_t bits = (uint32_t)r;
    float x;
    memcpy(&x, &bits, sizeof x);
    return block % 2 ? (float)((double)(r >> 11) * 0x1p-53 * 40 - 20) : x;
}

static double argument64(int block, int lane, int which)
{
    uint64_t r = mix((uint64_t)block * 64 + (uint64_t)lane * 2 + (uint64_t)which + 1);
    double x;
    memcpy(&x, &r, sizeof x);
    return block % 2 ? (double)(r >> 11) * 0x1p-53 * 40 - 20 : x;
}

/* Equal, both NaN, or equal zeros of the same sign. */
static int same(long double a, long double b)
{
    return (isnan(a) && isnan(b)) || (a == b && signbit(a) == signbit(b));
}

/* A float is the true value rounded, unless that lies within 2^-12 ulp of the middle of two floats. */
static int right32(float got, long double truth)
{
    float nearest = (float)truth;
    if (same(got, nearest)) {
        return 1;
    }
    if (!isfinite(got) || !isfinite(nearest) || isnan(truth)) {
        return 0;
    }
    return got == nextafterf(nearest, got) &&
           fabsl(truth - ((long double)got + nearest) / 2) < 0x1p-12L * fabsl((long double)got - nearest);
}

/* SLEEF's double: within 1.6 ulp, or of a number near 1 beside lgamma's zeros left of 0; NaN and infinities
 * must agree. */
static int right64(double got, long double truth, int near_zero)
{
    double nearest = (double)truth;
    if (same(got, nearest)) {
        return 1;
    }
    double ulp = near_zero ? 0x1p-52 : nextafter(fabs(nearest), (double)INFINITY) - fabs(nearest);
    return isfinite(got) && isfinite(nearest) && fabsl((long double)got - truth) <= 1.6L * ulp;
}

#define CHECK(what, condition)                                                                               \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            fail_msg("%s isa %d form %d: (%a, %a) gives %a, expected %La", what, isa, form, (double)x[i],    \
                     (double)y[i], (double)out[i], want);                                                    \
        }                                                                                                    \
    } while (0)

static void check32(const Function *f, int isa)
{
    float x[16], y[16], out[16], scalar[16];
    for (int block = 0; block < BLOCKS; block++) {
        for (int i = 0; i < 16; i++) {
            x[i] = argument32(block, i, 0);
            y[i] = argument32(block, i, 1);
        }
        f->f32[isa][0](x, y, scalar);
        for (int form = 0; form < FORMS && f->f32[isa][form]; form++) {
            f->f32[isa][form](x, y, out);
            for (int i = 0; i < 16; i++) {
                long double want = form ? scalar[i] : f->truth(x[i], y[i]);
                CHECK(f->name, form ? same(out[i], want) : right32(out[i], want));
            }
        }
    }
}

static int is_lgamma(const Function *f)
{
    return strcmp(f->name, "lgamma") == 0;
}

static void check64(const Function *f, int isa)
{
    double x[16], y[16], out[16], scalar[16];
    for (int block = 0; block < BLOCKS; block++) {
        for (int i = 0; i < 16; i++) {
            x[i] = argument64(block, i, 0);
            y[i] = argument64(block, i, 1);
        }
        f->f64[isa][0](x, y, scalar);
        for (int form = 0; form < FORMS && f->f64[isa][form]; form++) {
            f->f64[isa][form](x, y, out);
            for (int i = 0; i < 16; i++) {
                long double want = form ? scalar[i] : f->truth(x[i], y[i]);
                CHECK(f->name, form ? same(out[i], want)
                                    : right64(out[i], want, is_lgamma(f) && x[i] < 0 && fabsl(want) < 1));
            }
        }
    }
}

static void test_float_is_correctly_rounded(void **state)
{
    (void)state;
    for (int k = 0; k < FUNCTIONS; k++) {
        for (int isa = 0; isa < isas(); isa++) {
            check32(&functions[k], isa);
        }
    }
}

static void test_double_is_within_the_bound(void **state)
{
    (void)state;
    for (int k = 0; k < FUNCTIONS; k++) {
        for (int isa = 0; isa < isas(); isa++) {
            check64(&functions[k], isa);
        }
    }
}

/* AVX2 and AVX-512 do the same arithmetic: a file computed on one machine is reproduced on the other. */
static void test_fma_builds_agree_bit_for_bit(void **state)
{
    (void)state;
    if (isas() < ISAS) {
        skip();
    }
    for (int k = 0; k < FUNCTIONS; k++) {
        for (int block = 0; block < BLOCKS; block++) {
            float x[16], y[16], a[16], b[16];
            double xd[16], yd[16], ad[16], bd[16];
            for (int i = 0; i < 16; i++) {
                x[i] = argument32(block, i, 0);
                y[i] = argument32(block, i, 1);
                xd[i] = argument64(block, i, 0);
                yd[i] = argument64(block, i, 1);
            }
            functions[k].f32[AVX2][2](x, y, a);
            functions[k].f32[AVX512][3](x, y, b);
            functions[k].f64[AVX2][2](xd, yd, ad);
            functions[k].f64[AVX512][3](xd, yd, bd);
            for (int i = 0; i < 16; i++) {
                assert_true(same(a[i], b[i]));
                assert_true(same(ad[i], bd[i]));
            }
        }
    }
}

/* Values where a formula is easily wrong, both types, through every form. */
static void test_special_values(void **state)
{
    (void)state;
    static const double special[] = {0.0,
                                     -0.0,
                                     1.0,
                                     -1.0,
                                     0.5,
                                     -0.5,
                                     2.0,
                                     -2.0,
                                     3.0,
                                     -3.0,
                                     INFINITY,
                                     -INFINITY,
                                     NAN,
                                     0x1p-149,
                                     0x1p-126,
                                     -0x1p-149,
                                     0x1.fffffep+127,
                                     -0x1.fffffep+127,
                                     1e10,
                                     -1e10,
                                     0x1p25,
                                     0x1.8p25,
                                     88.0,
                                     89.5,
                                     -87.5,
                                     -103.5,
                                     -104.5,
                                     128.0,
                                     -149.0,
                                     4.0,
                                     0x1.fffffep-1,
                                     0x1.000002p+0};
    enum { N = sizeof special / sizeof special[0] };
    for (int k = 0; k < FUNCTIONS; k++) {
        const Function *f = &functions[k];
        for (int pair = 0; pair < (f->args == 1 ? N : N * N); pair++) {
            float x[16], y[16], out[16];
            double xd[16], yd[16], outd[16];
            for (int i = 0; i < 16; i++) {
                x[i] = (float)(xd[i] = i % 3 ? 0.75 : special[pair % N]);
                y[i] = (float)(yd[i] = i % 3 ? 1.5 : special[pair / N]);
            }
            for (int isa = 0; isa < isas(); isa++) {
                for (int form = 0; form < FORMS && f->f32[isa][form]; form++) {
                    f->f32[isa][form](x, y, out);
                    f->f64[isa][form](xd, yd, outd);
                    for (int i = 0; i < 16; i++) {
                        long double want = f->truth(x[i], y[i]);
                        CHECK(f->name, right32(out[i], want));
                        if (!right64(outd[i], f->truth(xd[i], yd[i]), 0)) {
                            fail_msg("%s f64 isa %d form %d: (%a, %a) gives %a", f->name, isa, form, xd[i],
                                     yd[i], outd[i]);
                        }
                    }
                }
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_special_values),
        cmocka_unit_test(test_float_is_correctly_rounded),
        cmocka_unit_test(test_double_is_within_the_bound),
        cmocka_unit_test(test_fma_builds_agree_bit_for_bit),
    };
    return cmocka_run_group_tests_name("vmath", tests, NULL, NULL);
}
#else
int main(void) /* other machines use libm as it is */
{
    return 0;
}
#endif
