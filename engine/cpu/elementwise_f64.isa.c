/* elementwise_f64.isa.c - elementwise loops in double. */
#include "engine/cpu/rows.h"

#define T double
#define UT double
#define SUFFIX f64
#define T_CLASS FLOAT
#define T_FLOAT 1
#define T_BOOL 0
#define T_SIGNED 1
#define T_BITS 64
#include "engine/cpu/elementwise.inc"
