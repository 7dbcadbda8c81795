/* vmath_avx512.c - vmath.h for AVX-512: the shared shorter vectors, and 512 bits. */
#define VMATH_IMPLEMENTATION
#define ISA avx512
#include <immintrin.h>
#include <sleef.h>

#include "vmath.h"
#include "vmath_fma.inc"
#define W 8
#include "vmath_kernels.inc"

#define LOW(x)  _mm512_cvtps_pd(_mm512_castps512_ps256(x))
#define HIGH(x) _mm512_cvtps_pd(_mm512_extractf32x8_ps(x, 1))
#define JOIN(low, high)                                                                                      \
    _mm512_insertf32x8(_mm512_castps256_ps512(_mm512_cvtpd_ps(low)), _mm512_cvtpd_ps(high), 1)

#define DEFINE1(name)                                                                                        \
    __m512 vm_##name##_v16f(__m512 x) VECTOR_NAME("eN16v", name, f32);                                       \
    __m512d vm_##name##_v8d(__m512d x) VECTOR_NAME("eN8v", name, f64);                                       \
    __m512 vm_##name##_v16f(__m512 x)                                                                        \
    {                                                                                                        \
        return JOIN(name##8(LOW(x)), name##8(HIGH(x)));                                                      \
    }                                                                                                        \
    __m512d vm_##name##_v8d(__m512d x)                                                                       \
    {                                                                                                        \
        return name##_f648(x);                                                                               \
    }

#define DEFINE2(name)                                                                                        \
    __m512 vm_##name##_v16f(__m512 x, __m512 y) VECTOR_NAME("eN16vv", name, f32);                            \
    __m512d vm_##name##_v8d(__m512d x, __m512d y) VECTOR_NAME("eN8vv", name, f64);                           \
    __m512 vm_##name##_v16f(__m512 x, __m512 y)                                                              \
    {                                                                                                        \
        return JOIN(name##8(LOW(x), LOW(y)), name##8(HIGH(x), HIGH(y)));                                     \
    }                                                                                                        \
    __m512d vm_##name##_v8d(__m512d x, __m512d y)                                                            \
    {                                                                                                        \
        return name##_f648(x, y);                                                                            \
    }

#define OWN1(name, d, far)      DEFINE1(name)
#define OWN2(name, d, far)      DEFINE2(name)
#define SLEEF1(name, d, s, far) DEFINE1(name)
#define SLEEF2(name, d, s, far) DEFINE2(name)
#include "vmath.def"
