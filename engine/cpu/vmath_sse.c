/* vmath_sse.c - vmath.h for plain x86-64: SLEEF's double routines without FMA, rounded for float. */
#ifdef __x86_64__ /* elsewhere vmath.h means libm */
#define VMATH_IMPLEMENTATION
#define ISA base
#include <emmintrin.h>
#include <sleef.h>

#include "vmath.h"

void vm_settle1(int n, const double *x, double *y, double (*libm)(double))
{
    for (int i = 0; i < n; i++) {
        if (!isfinite(y[i])) {
            y[i] = libm(x[i]);
        }
    }
}

void vm_settle2(int n, const double *a, const double *b, double *y, double (*libm)(double, double))
{
    for (int i = 0; i < n; i++) {
        if (!isfinite(y[i])) {
            y[i] = libm(a[i], b[i]);
        }
    }
}

static inline __m128d settle1(__m128d x, __m128d y, double (*libm)(double))
{
    double in[2], out[2];
    _mm_storeu_pd(in, x);
    _mm_storeu_pd(out, y);
    vm_settle1(2, in, out, libm);
    return _mm_loadu_pd(out);
}

static inline __m128d settle2(__m128d a, __m128d b, __m128d y, double (*libm)(double, double))
{
    double in[2][2], out[2];
    _mm_storeu_pd(in[0], a);
    _mm_storeu_pd(in[1], b);
    _mm_storeu_pd(out, y);
    vm_settle2(2, in[0], in[1], out, libm);
    return _mm_loadu_pd(out);
}

/* (lanes 0, 1) and (lanes 2, 3) of a float vector as doubles, and back. */
#define LOW(x)          _mm_cvtps_pd(x)
#define HIGH(x)         _mm_cvtps_pd(_mm_movehl_ps(x, x))
#define JOIN(low, high) _mm_movelh_ps(_mm_cvtpd_ps(low), _mm_cvtpd_ps(high))

#define DEFINE1(name, d, s)                                                                                  \
    __m128 vm_##name##_v4f(__m128 x) __asm__("_ZGVbN4v_vm_base_" #name "_f32");                              \
    __m128d vm_##name##_v2d(__m128d x) __asm__("_ZGVbN2v_vm_base_" #name "_f64");                            \
    float vm_base_##name##_f32(float x)                                                                      \
    {                                                                                                        \
        return (float)_mm_cvtsd_f64(s(_mm_set1_pd(x)));                                                      \
    }                                                                                                        \
    double vm_base_##name##_f64(double x)                                                                    \
    {                                                                                                        \
        return _mm_cvtsd_f64(d(_mm_set1_pd(x)));                                                             \
    }                                                                                                        \
    __m128 vm_##name##_v4f(__m128 x)                                                                         \
    {                                                                                                        \
        return JOIN(s(LOW(x)), s(HIGH(x)));                                                                  \
    }                                                                                                        \
    __m128d vm_##name##_v2d(__m128d x)                                                                       \
    {                                                                                                        \
        return d(x);                                                                                         \
    }

#define DEFINE2(name, d, s)                                                                                  \
    __m128 vm_##name##_v4f(__m128 x, __m128 y) __asm__("_ZGVbN4vv_vm_base_" #name "_f32");                   \
    __m128d vm_##name##_v2d(__m128d x, __m128d y) __asm__("_ZGVbN2vv_vm_base_" #name "_f64");                \
    float vm_base_##name##_f32(float x, float y)                                                             \
    {                                                                                                        \
        return (float)_mm_cvtsd_f64(s(_mm_set1_pd(x), _mm_set1_pd(y)));                                      \
    }                                                                                                        \
    double vm_base_##name##_f64(double x, double y)                                                          \
    {                                                                                                        \
        return _mm_cvtsd_f64(d(_mm_set1_pd(x), _mm_set1_pd(y)));                                             \
    }                                                                                                        \
    __m128 vm_##name##_v4f(__m128 x, __m128 y)                                                               \
    {                                                                                                        \
        return JOIN(s(LOW(x), LOW(y)), s(HIGH(x), HIGH(y)));                                                 \
    }                                                                                                        \
    __m128d vm_##name##_v2d(__m128d x, __m128d y)                                                            \
    {                                                                                                        \
        return d(x, y);                                                                                      \
    }

#define ROUTINE(name, bound)        Sleef_cinz_##name##d2_##bound##sse2
#define PLAIN1(name, bound, x)      ROUTINE(name, bound)(x)
#define PLAIN2(name, bound, x, y)   ROUTINE(name, bound)(x, y)
#define CHECKED1(name, bound, x)    settle1(x, ROUTINE(name, bound)(x), name)
#define CHECKED2(name, bound, x, y) settle2(x, y, ROUTINE(name, bound)(x, y), name)
#define F64_1(name, d, far)                                                                                  \
    static inline __m128d name##_f64(__m128d x)                                                              \
    {                                                                                                        \
        return far##1(name, d, x);                                                                           \
    }
#define F64_2(name, d, far)                                                                                  \
    static inline __m128d name##_f64(__m128d x, __m128d y)                                                   \
    {                                                                                                        \
        return far##2(name, d, x, y);                                                                        \
    }
#define OWN1(name, d, far)      F64_1(name, d, far) DEFINE1(name, name##_f64, ROUTINE(name, d))
#define OWN2(name, d, far)      F64_2(name, d, far) DEFINE2(name, name##_f64, ROUTINE(name, d))
#define SLEEF1(name, d, s, far) F64_1(name, d, far) DEFINE1(name, name##_f64, ROUTINE(name, s))
#define SLEEF2(name, d, s, far) F64_2(name, d, far) DEFINE2(name, name##_f64, ROUTINE(name, s))
#include "vmath.def"

#else
typedef int NothingHere; /* ISO C wants a declaration */
#endif
