/* dtype.c - element types: the table, promotion and one-element conversions. */
#include "engine/dtype.h"

#include <math.h>
#include <string.h>

const DTypeInfo dtype_info[DT_COUNT] = {
#define DTYPE(id, T, C, name, cname, class) {name, cname, sizeof(T), class},
#include "engine/dtype.def"
};

DType dtype_promote(DType a, DType b)
{
    if (a == b) return a;
    if (dtype_info[a].class != dtype_info[b].class) return dtype_info[a].class > dtype_info[b].class ? a : b;
    DType lo = a < b ? a : b, hi = a < b ? b : a;
    if (lo == DT_U8 && hi == DT_I8) return DT_I16;
    if (lo == DT_F16 && hi == DT_BF16) return DT_F32;
    return hi;
}

bool dtype_can_cast(DType from, DType to) { return dtype_info[from].class <= dtype_info[to].class; }

float f16_to_f32(f16 h)
{
    uint32_t sign = (uint32_t)(h.bits & 0x8000) << 16, exponent = (h.bits >> 10) & 31,
             fraction = h.bits & 1023;
    union {
        uint32_t u;
        float f;
    } v;
    if (exponent == 31)
        v.u = sign | 0x7f800000u | fraction << 13;
    else if (exponent)
        v.u = sign | (exponent + 112) << 23 | fraction << 13;
    else { /* zero or subnormal: exact as a product */
        v.f = (float)fraction * 0x1p-24f;
        v.u |= sign;
    }
    return v.f;
}

f16 f32_to_f16(float f)
{
    union {
        float f;
        uint32_t u;
    } v = {.f = f};
    uint16_t sign = (uint16_t)(v.u >> 16 & 0x8000);
    uint32_t a = v.u & 0x7fffffffu;
    if (a > 0x7f800000u) return (f16){(uint16_t)(sign | 0x7e00)};
    if (a >= 0x477ff000u) return (f16){(uint16_t)(sign | 0x7c00)}; /* rounds past 65504 */
    if (a < 0x38800000u) {                                         /* subnormal half: let the adder round */
        v.u = a;
        v.f += 0.5f;
        return (f16){(uint16_t)(sign | (v.u - 0x3f000000u))};
    }
    uint32_t odd = a >> 13 & 1;
    return (f16){(uint16_t)(sign | (a - 0x38000000u + 0xfffu + odd) >> 13)};
}

bf16 f32_to_bf16(float f)
{
    union {
        float f;
        uint32_t u;
    } v = {.f = f};
    if (f != f) return (bf16){0x7fc0};
    return (bf16){(uint16_t)((v.u + 0x7fffu + (v.u >> 16 & 1)) >> 16)};
}

double element_as_double(const void *p, DType d)
{
    switch (d) {
    case DT_BOOL: return *(const uint8_t *)p != 0;
    case DT_U8: return *(const uint8_t *)p;
    case DT_I8: return *(const int8_t *)p;
    case DT_I16: return *(const int16_t *)p;
    case DT_I32: return *(const int32_t *)p;
    case DT_I64: return (double)*(const int64_t *)p;
    case DT_F16: return f16_to_f32(*(const f16 *)p);
    case DT_BF16: return bf16_to_f32(*(const bf16 *)p);
    case DT_F32: return *(const float *)p;
    case DT_F64: return *(const double *)p;
    default: return 0;
    }
}

/* C leaves an out-of-range conversion undefined; x86 answers INT64_MIN, and so does PyTorch there. */
static int64_t double_to_int(double v) { return v >= -0x1p63 && v < 0x1p63 ? (int64_t)v : INT64_MIN; }

int64_t element_as_int(const void *p, DType d)
{
    if (d == DT_I64) return *(const int64_t *)p;
    return double_to_int(element_as_double(p, d));
}

void element_store_double(void *p, DType d, double v)
{
    switch (d) {
    case DT_BOOL: *(uint8_t *)p = v != 0; break;
    case DT_F16: *(f16 *)p = f32_to_f16((float)v); break;
    case DT_BF16: *(bf16 *)p = f32_to_bf16((float)v); break;
    case DT_F32: *(float *)p = (float)v; break;
    case DT_F64: *(double *)p = v; break;
    default: element_store_int(p, d, double_to_int(v));
    }
}

void element_store_int(void *p, DType d, int64_t v)
{
    switch (d) {
    case DT_BOOL: *(uint8_t *)p = v != 0; break;
    case DT_U8:
    case DT_I8: *(uint8_t *)p = (uint8_t)v; break;
    case DT_I16: *(uint16_t *)p = (uint16_t)v; break;
    case DT_I32: *(uint32_t *)p = (uint32_t)v; break;
    case DT_I64: *(int64_t *)p = v; break;
    case DT_F32: *(float *)p = (float)v; break; /* one rounding, not two through double */
    default: element_store_double(p, d, (double)v);
    }
}
