/* vmath_avx2.c - vmath.h for AVX2 with FMA. */
#define VMATH_IMPLEMENTATION
#define ISA avx2
#include <immintrin.h>
#include <sleef.h>

#include "vmath.h"
#include "vmath_fma.inc"
