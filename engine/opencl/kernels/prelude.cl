/* prelude.cl - what every generated program starts with, after the #defines that source.c writes. */
#pragma OPENCL FP_CONTRACT OFF
#if HAVE_F64
#pragma OPENCL EXTENSION cl_khr_fp64 : enable
#endif

/* Before a loop that is not worth unrolling. */
#define SLOWLY __attribute__((opencl_unroll_hint(1)))

#define MAXDIM 16
#define MAXOP 4

/* Mirrors internal.h's Geometry. */
typedef struct Geometry {
    long items, inner, chunks, ndim;
    long offset[MAXOP];
    int dtype[MAXOP];
    long shape[MAXDIM];
    long stride[MAXOP][MAXDIM];
} Geometry;

/* ---- 16-bit floats: half by the core's vload_half and vstore_half, bfloat by its bits ---- */

static inline float bfloat_load(ushort bits)
{
    return as_float((uint)bits << 16);
}

static inline ushort bfloat_bits(float v)
{
    uint u = as_uint(v);
    return (ushort)(v != v ? 0x7fc0u : (u + 0x7fffu + (u >> 16 & 1u)) >> 16);
}

static inline float8 bfloat_load8(ushort8 bits)
{
    return as_float8(convert_uint8(bits) << 16);
}

static inline ushort8 bfloat_bits8(float8 v)
{
    uint8 u = as_uint8(v);
    uint8 rounded = (u + 0x7fffu + (u >> 16 & 1u)) >> 16;
    return convert_ushort8(v != v ? (uint8)0x7fc0u : rounded);
}

static inline float bfloat_round(float v)
{
    return bfloat_load(bfloat_bits(v));
}

static inline float8 bfloat_round8(float8 v)
{
    return bfloat_load8(bfloat_bits8(v));
}

static inline float half_round(float v)
{
    ushort bits;
    vstore_half_rte(v, 0, (half *)&bits);
    return vload_half(0, (const half *)&bits);
}

static inline float8 half_round8(float8 v)
{
    ushort8 bits;
    vstore_half8_rte(v, 0, (half *)&bits);
    return vload_half8(0, (const half *)&bits);
}

/* ---- float64 read as float32 where the device has none: plain numbers are float64 ---- */

static inline float float_of_double_bits(ulong bits)
{
    uint sign = (uint)(bits >> 32) & 0x80000000u;
    int exponent = (int)(bits >> 52 & 2047) - 1023;
    ulong fraction = bits & 0xfffffffffffffUL;
    if (exponent == 1024) return as_float(sign | 0x7f800000u | (fraction ? 0x400000u : 0u));
    if (exponent < -150) return as_float(sign);
    ulong whole = fraction | 0x10000000000000UL;
    int drop = exponent < -126 ? 29 - 126 - exponent : 29; /* bits that float has no room for */
    uint kept = (uint)(whole >> drop);
    ulong rest = whole & ((1UL << drop) - 1), tie = 1UL << (drop - 1);
    kept += rest > tie || (rest == tie && (kept & 1u)) ? 1u : 0u;
    if (exponent < -126) return as_float(sign | kept); /* rounding up into a normal number carries over by itself */
    if (exponent > 127) return as_float(sign | 0x7f800000u);
    return as_float(sign | (((uint)(exponent + 126) << 23) + kept));
}
