/* elementwise_i8.isa.c - elementwise loops in bool and the 8-bit integers. */
#include "engine/cpu/rows.h"

#define T bool
#define UT uint8_t
#define SUFFIX b8
#define T_CLASS BOOL
#define T_FLOAT 0
#define T_BOOL 1
#define T_SIGNED 0
#define T_BITS 1
#include "engine/cpu/elementwise.inc"

#define T uint8_t
#define UT uint8_t
#define SUFFIX u8
#define T_CLASS INT
#define T_FLOAT 0
#define T_BOOL 0
#define T_SIGNED 0
#define T_BITS 8
#include "engine/cpu/elementwise.inc"

#define T int8_t
#define UT uint8_t
#define SUFFIX i8
#define T_CLASS INT
#define T_FLOAT 0
#define T_BOOL 0
#define T_SIGNED 1
#define T_BITS 8
#include "engine/cpu/elementwise.inc"
