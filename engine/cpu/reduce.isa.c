/* reduce.isa.c - the loops of reductions for every type of element. */
#include "engine/cpu/reduce.h"
#include "engine/cpu/rows.h"

#define T float
#define A float
#define SUFFIX f32
#define T_CLASS FLOAT
#define LOWEST (-INFINITY)
#define HIGHEST INFINITY
#include "engine/cpu/reduce.inc"

#define T double
#define A double
#define SUFFIX f64
#define T_CLASS FLOAT
#define LOWEST (-INFINITY)
#define HIGHEST INFINITY
#include "engine/cpu/reduce.inc"

#define T int64_t
#define A int64_t
#define SUFFIX i64
#define T_CLASS WIDE_INT
#define LOWEST INT64_MIN
#define HIGHEST INT64_MAX
#include "engine/cpu/reduce.inc"

#define T int32_t
#define A int32_t
#define SUFFIX i32
#define T_CLASS INT
#define LOWEST INT32_MIN
#define HIGHEST INT32_MAX
#include "engine/cpu/reduce.inc"

#define T int16_t
#define A int16_t
#define SUFFIX i16
#define T_CLASS INT
#define LOWEST INT16_MIN
#define HIGHEST INT16_MAX
#include "engine/cpu/reduce.inc"

#define T int8_t
#define A int8_t
#define SUFFIX i8
#define T_CLASS INT
#define LOWEST INT8_MIN
#define HIGHEST INT8_MAX
#include "engine/cpu/reduce.inc"

#define T uint8_t
#define A uint8_t
#define SUFFIX u8
#define T_CLASS INT
#define LOWEST 0
#define HIGHEST UINT8_MAX
#include "engine/cpu/reduce.inc"

#define T uint8_t /* 0 or 1 */
#define A uint8_t
#define SUFFIX b8
#define T_CLASS BOOL
#define LOWEST 0
#define HIGHEST 1
#include "engine/cpu/reduce.inc"

/* Bools counted. */
#define T uint8_t
#define A int64_t
#define SUFFIX count
#define T_CLASS COUNTED
#define LOWEST 0
#define HIGHEST 1
#include "engine/cpu/reduce.inc"
