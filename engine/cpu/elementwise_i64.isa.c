/* elementwise_i64.isa.c - elementwise loops in the wider integers. */
#include "engine/cpu/rows.h"

#define T int16_t
#define UT uint16_t
#define SUFFIX i16
#define T_CLASS INT
#define T_FLOAT 0
#define T_BOOL 0
#define T_SIGNED 1
#define T_BITS 16
#include "engine/cpu/elementwise.inc"

#define T int32_t
#define UT uint32_t
#define SUFFIX i32
#define T_CLASS INT
#define T_FLOAT 0
#define T_BOOL 0
#define T_SIGNED 1
#define T_BITS 32
#include "engine/cpu/elementwise.inc"

#define T int64_t
#define UT uint64_t
#define SUFFIX i64
#define T_CLASS INT
#define T_FLOAT 0
#define T_BOOL 0
#define T_SIGNED 1
#define T_BITS 64
#include "engine/cpu/elementwise.inc"
