/* dtype.h - element types: their enum, sizes, names, conversions and promotion lattice. */
#ifndef TIDE_DTYPE_H
#define TIDE_DTYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 16-bit floats are structs so that no arithmetic can touch their bits by accident. */
typedef struct f16 { uint16_t bits; } f16;
typedef struct bf16 { uint16_t bits; } bf16;

typedef enum DTypeClass { CLASS_BOOL, CLASS_INT, CLASS_FLOAT } DTypeClass;

typedef enum DType {
#define DTYPE(id, ...) DT_##id,
#include "engine/dtype.def"
    DT_COUNT,
    DT_NONE = 255 /* "no dtype given" */
} DType;

typedef struct DTypeInfo {
    const char *name;  /* "float32" */
    const char *cname; /* "Float", as PyTorch's messages say */
    uint8_t size;      /* bytes an element */
    uint8_t class;     /* DTypeClass */
} DTypeInfo;

extern const DTypeInfo dtype_info[DT_COUNT];

static inline size_t dtype_size(DType d) { return dtype_info[d].size; }
static inline const char *dtype_name(DType d) { return dtype_info[d].name; }
static inline bool dtype_is_float(DType d) { return dtype_info[d].class == CLASS_FLOAT; }
static inline bool dtype_is_int(DType d) { return dtype_info[d].class == CLASS_INT; }

/* The smallest dtype both convert to (torch.promote_types). */
DType dtype_promote(DType a, DType b);

/* torch.can_cast: false for float to int and for anything but bool to bool. */
bool dtype_can_cast(DType from, DType to);

/* Conversions by IEEE round-to-nearest-even; subnormals, infinities and NaN are kept. */
float f16_to_f32(f16 h);
f16 f32_to_f16(float f);
static inline float bf16_to_f32(bf16 h)
{
    union { uint32_t u; float f; } v = {.u = (uint32_t)h.bits << 16};
    return v.f;
}
bf16 f32_to_bf16(float f);

/* One element at p as a double / as an int64 (floats truncate as C does; out of range wraps as PyTorch's x86 build). */
double element_as_double(const void *p, DType d);
int64_t element_as_int(const void *p, DType d);
void element_store_double(void *p, DType d, double v);
void element_store_int(void *p, DType d, int64_t v);

#endif
