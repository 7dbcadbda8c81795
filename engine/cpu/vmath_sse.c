/* vmath_sse.c - vmath.h for plain x86-64: SLEEF's double routines without FMA, rounded to float where asked. */
#define VMATH_IMPLEMENTATION
#define ISA base
#include <emmintrin.h>
#include <sleef.h>

#include "vmath.h"

/* (lanes 0, 1) and (lanes 2, 3) of a float vector as doubles, and back. */
#define LOW(x) _mm_cvtps_pd(x)
#define HIGH(x) _mm_cvtps_pd(_mm_movehl_ps(x, x))
#define JOIN(low, high) _mm_movelh_ps(_mm_cvtpd_ps(low), _mm_cvtpd_ps(high))

#define DEFINE1(name, d, s)                                                                                            \
    __m128 vm_##name##_v4f(__m128 x) __asm__("_ZGVbN4v_vm_base_" #name "_f32");                                        \
    __m128d vm_##name##_v2d(__m128d x) __asm__("_ZGVbN2v_vm_base_" #name "_f64");                                      \
    float vm_base_##name##_f32(float x)                                                                                \
    {                                                                                                                  \
        return (float)_mm_cvtsd_f64(s(_mm_set1_pd(x)));                                                                \
    }                                                                                                                  \
    double vm_base_##name##_f64(double x)                                                                              \
    {                                                                                                                  \
        return _mm_cvtsd_f64(d(_mm_set1_pd(x)));                                                                       \
    }                                                                                                                  \
    __m128 vm_##name##_v4f(__m128 x)                                                                                   \
    {                                                                                                                  \
        return JOIN(s(LOW(x)), s(HIGH(x)));                                                                            \
    }                                                                                                                  \
    __m128d vm_##name##_v2d(__m128d x)                                                                                 \
    {                                                                                                                  \
        return d(x);                                                                                                   \
    }

#define DEFINE2(name, d, s)                                                                                            \
    __m128 vm_##name##_v4f(__m128 x, __m128 y) __asm__("_ZGVbN4vv_vm_base_" #name "_f32");                             \
    __m128d vm_##name##_v2d(__m128d x, __m128d y) __asm__("_ZGVbN2vv_vm_base_" #name "_f64");                          \
    float vm_base_##name##_f32(float x, float y)                                                                       \
    {                                                                                                                  \
        return (float)_mm_cvtsd_f64(s(_mm_set1_pd(x), _mm_set1_pd(y)));                                                \
    }                                                                                                                  \
    double vm_base_##name##_f64(double x, double y)                                                                    \
    {                                                                                                                  \
        return _mm_cvtsd_f64(d(_mm_set1_pd(x), _mm_set1_pd(y)));                                                       \
    }                                                                                                                  \
    __m128 vm_##name##_v4f(__m128 x, __m128 y)                                                                         \
    {                                                                                                                  \
        return JOIN(s(LOW(x), LOW(y)), s(HIGH(x), HIGH(y)));                                                           \
    }                                                                                                                  \
    __m128d vm_##name##_v2d(__m128d x, __m128d y)                                                                      \
    {                                                                                                                  \
        return d(x, y);                                                                                                \
    }

#define ROUTINE(name, bound) Sleef_cinz_##name##d2_##bound##sse2
#define OWN1(name, f64) DEFINE1(name, ROUTINE(name, f64), ROUTINE(name, f64))
#define OWN2(name, f64) DEFINE2(name, ROUTINE(name, f64), ROUTINE(name, f64))
#define SLEEF1(name, f64, f32) DEFINE1(name, ROUTINE(name, f64), ROUTINE(name, f32))
#define SLEEF2(name, f64, f32) DEFINE2(name, ROUTINE(name, f64), ROUTINE(name, f32))
#include "vmath.def"
