/* elementwise_f32.isa.c - elementwise loops in float, for the 16-bit floats too. */
#include "engine/cpu/rows.h"

#define T float
#define UT float
#define SUFFIX f32
#define T_CLASS FLOAT
#define T_FLOAT 1
#define T_BOOL 0
#define T_SIGNED 1
#define T_BITS 32
#include "engine/cpu/elementwise.inc"
