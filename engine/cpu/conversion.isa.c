/* conversion.isa.c - contiguous conversions between all pairs of dtypes. */
#include "engine/cpu/loops.h"

#include <string.h>
#ifdef __F16C__
#include <immintrin.h>
#endif

#define SIMD_FOR _Pragma("omp simd") for

/* ---- 16-bit floats: to and from float only; everything else goes by way of float, as in PyTorch ---- */

static inline float bits_float(uint32_t u)
{
    union { uint32_t u; float f; } v = {.u = u};
    return v.f;
}

static inline uint32_t float_bits(float f)
{
    union { float f; uint32_t u; } v = {.f = f};
    return v.u;
}

/* Without branches, so that loops of it vectorise. NaNs keep their payload, as the instruction does. */
static inline float half_to_float(uint16_t h)
{
    uint32_t a = (uint32_t)(h & 0x7fff) << 13, sign = (uint32_t)(h & 0x8000) << 16;
    float finite = bits_float(a) * 0x1p112f; /* subnormals too: exact */
    uint32_t quiet = (h & 0x3ff) != 0 ? 0x400000 : 0;
    return bits_float(sign | (a >= 0x0f800000u ? a | 0x7f800000u | quiet : float_bits(finite)));
}

static inline uint16_t float_to_half(float f)
{
    uint32_t u = float_bits(f), a = u & 0x7fffffffu, sign = u >> 16 & 0x8000;
    uint32_t normal = (a - 0x38000000u + 0xfff + (a >> 13 & 1)) >> 13;
    uint32_t tiny = float_bits(bits_float(a) + 0.5f) - 0x3f000000u; /* the adder rounds */
    uint32_t nan = 0x7e00 | (a >> 13 & 0x3ff);
    uint32_t y = a < 0x38800000u ? tiny : a < 0x477ff000u ? normal : 0x7c00;
    return (uint16_t)(sign | (a > 0x7f800000u ? nan : y));
}

static inline uint16_t float_to_bfloat(float f)
{
    uint32_t u = float_bits(f);
    return (uint16_t)(f != f ? 0x7fc0 : (u + 0x7fff + (u >> 16 & 1)) >> 16);
}

static void convert_F16_F32(void *to, const void *from, int64_t n)
{
    float *y = to;
    const uint16_t *x = from;
    int64_t i = 0;
#ifdef __AVX512F__
    for (; i + 16 <= n; i += 16) _mm512_storeu_ps(y + i, _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(x + i))));
#endif
#ifdef __F16C__
    for (; i + 8 <= n; i += 8) _mm256_storeu_ps(y + i, _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(x + i))));
    for (; i < n; i++) y[i] = _cvtsh_ss(x[i]);
#endif
    SIMD_FOR (int64_t k = i; k < n; k++) y[k] = half_to_float(x[k]);
}

static void convert_F32_F16(void *to, const void *from, int64_t n)
{
    uint16_t *y = to;
    const float *x = from;
    int64_t i = 0;
#ifdef __AVX512F__
    for (; i + 16 <= n; i += 16)
        _mm256_storeu_si256((__m256i *)(y + i), _mm512_cvtps_ph(_mm512_loadu_ps(x + i), _MM_FROUND_TO_NEAREST_INT));
#endif
#ifdef __F16C__
    for (; i + 8 <= n; i += 8)
        _mm_storeu_si128((__m128i *)(y + i), _mm256_cvtps_ph(_mm256_loadu_ps(x + i), _MM_FROUND_TO_NEAREST_INT));
    for (; i < n; i++) y[i] = _cvtss_sh(x[i], _MM_FROUND_TO_NEAREST_INT);
#endif
    SIMD_FOR (int64_t k = i; k < n; k++) y[k] = float_to_half(x[k]);
}

static void convert_BF16_F32(void *to, const void *from, int64_t n)
{
    uint32_t *y = to;
    const uint16_t *x = from;
    SIMD_FOR (int64_t i = 0; i < n; i++) y[i] = (uint32_t)x[i] << 16;
}

static void convert_F32_BF16(void *to, const void *from, int64_t n)
{
    uint16_t *y = to;
    const float *x = from;
    SIMD_FOR (int64_t i = 0; i < n; i++) y[i] = float_to_bfloat(x[i]);
}

/* ---- the other eight: one loop a pair ---- */

#define CAST_BOOL(v) ((v) != 0)
#define CAST_U8(v) ((uint8_t)(int64_t)(v))
#define CAST_I8(v) ((int8_t)(int32_t)(v)) /* wraps within the machine's int, like the next */
#define CAST_I16(v) ((int16_t)(int32_t)(v))
#define CAST_I32(v) ((int32_t)(v))
#define CAST_I64(v) ((int64_t)(v))
#define CAST_F32(v) ((float)(v))
#define CAST_F64(v) ((double)(v))

#define PAIR(from, FROM, to, TO)                                                                                       \
    static void convert_##from##_##to(void *out, const void *in, int64_t n)                                            \
    {                                                                                                                  \
        TO *y = out;                                                                                                   \
        const FROM *x = in;                                                                                            \
        SIMD_FOR (int64_t i = 0; i < n; i++) y[i] = CAST_##to(x[i]);                                                   \
    }
#define COPY(type)                                                                                                     \
    static void convert_##type##_##type(void *out, const void *in, int64_t n)                                          \
    {                                                                                                                  \
        memcpy(out, in, (size_t)n * dtype_size(DT_##type));                                                            \
    }
#define TO_SMALL(from, FROM) PAIR(from, FROM, BOOL, uint8_t)
#define TO_INTS(from, FROM) PAIR(from, FROM, I16, int16_t) PAIR(from, FROM, I32, int32_t)
#define TO_FLOATS(from, FROM) PAIR(from, FROM, F32, float) PAIR(from, FROM, F64, double)

TO_FLOATS(BOOL, uint8_t) TO_INTS(BOOL, uint8_t) PAIR(BOOL, uint8_t, I64, int64_t)
TO_FLOATS(U8, uint8_t) TO_INTS(U8, uint8_t) PAIR(U8, uint8_t, I64, int64_t) TO_SMALL(U8, uint8_t)
TO_FLOATS(I8, int8_t) TO_INTS(I8, int8_t) PAIR(I8, int8_t, I64, int64_t)
TO_FLOATS(I16, int16_t) PAIR(I16, int16_t, I8, int8_t) PAIR(I16, int16_t, I32, int32_t) PAIR(I16, int16_t, I64, int64_t)
TO_SMALL(I16, int16_t)
TO_FLOATS(I32, int32_t) PAIR(I32, int32_t, I8, int8_t) PAIR(I32, int32_t, I16, int16_t) PAIR(I32, int32_t, I64, int64_t)
TO_SMALL(I32, int32_t)
TO_FLOATS(I64, int64_t) PAIR(I64, int64_t, I8, int8_t) TO_INTS(I64, int64_t) TO_SMALL(I64, int64_t)
PAIR(F32, float, F64, double) PAIR(F32, float, U8, uint8_t) PAIR(F32, float, I8, int8_t) TO_INTS(F32, float)
PAIR(F32, float, I64, int64_t) TO_SMALL(F32, float)
PAIR(F64, double, F32, float) PAIR(F64, double, U8, uint8_t) PAIR(F64, double, I8, int8_t) TO_INTS(F64, double)
PAIR(F64, double, I64, int64_t) TO_SMALL(F64, double)
COPY(U8) COPY(I16) COPY(I32) COPY(I64)

/* The same bits: bool is 0 or 1, and 8-bit integers wrap into each other. */
#define convert_BOOL_BOOL convert_U8_U8
#define convert_BOOL_U8 convert_U8_U8
#define convert_BOOL_I8 convert_U8_U8
#define convert_U8_I8 convert_U8_U8
#define convert_I8_U8 convert_U8_U8
#define convert_I8_I8 convert_U8_U8
#define convert_I8_BOOL convert_U8_BOOL
#define convert_I16_U8 convert_I16_I8
#define convert_I32_U8 convert_I32_I8
#define convert_I64_U8 convert_I64_I8
#define convert_F16_F16 convert_I16_I16
#define convert_BF16_BF16 convert_I16_I16
#define convert_F32_F32 convert_I32_I32
#define convert_F64_F64 convert_I64_I64
/* ---- pairs by way of float ---- */

enum { VIA = 512 };
#define VIA_FLOAT(from, FROM, to, TO)                                                                                  \
    static void convert_##from##_##to(void *out, const void *in, int64_t n)                                            \
    {                                                                                                                  \
        float block[VIA];                                                                                              \
        for (int64_t i = 0; i < n; i += VIA) {                                                                         \
            int64_t m = n - i < VIA ? n - i : VIA;                                                                     \
            convert_##from##_F32(block, (const FROM *)in + i, m);                                                      \
            convert_F32_##to((TO *)out + i, block, m);                                                                 \
        }                                                                                                              \
    }
#define BOTH_WAYS(half, type, TYPE) VIA_FLOAT(half, uint16_t, type, TYPE) VIA_FLOAT(type, TYPE, half, uint16_t)
#define EIGHT(half)                                                                                                    \
    BOTH_WAYS(half, BOOL, uint8_t) BOTH_WAYS(half, U8, uint8_t) BOTH_WAYS(half, I8, int8_t)                            \
    BOTH_WAYS(half, I16, int16_t) BOTH_WAYS(half, I32, int32_t) BOTH_WAYS(half, I64, int64_t)                          \
    BOTH_WAYS(half, F64, double)
EIGHT(F16)
EIGHT(BF16)
VIA_FLOAT(F16, uint16_t, BF16, uint16_t)
VIA_FLOAT(BF16, uint16_t, F16, uint16_t)

#define FROM_ALL(to)                                                                                                   \
    [DT_##to] = {convert_BOOL_##to, convert_U8_##to,   convert_I8_##to,  convert_I16_##to, convert_I32_##to,           \
                 convert_I64_##to,  convert_F16_##to, convert_BF16_##to, convert_F32_##to, convert_F64_##to},
const ConvertFn ISA_NAME(conversions)[DT_COUNT][DT_COUNT] = {
    FROM_ALL(BOOL) FROM_ALL(U8) FROM_ALL(I8) FROM_ALL(I16) FROM_ALL(I32)
    FROM_ALL(I64) FROM_ALL(F16) FROM_ALL(BF16) FROM_ALL(F32) FROM_ALL(F64)
};
