/* rows.h - what the .isa.c files that expand rows of the op table share: mathematics, literals, which types a row admits. */
#ifndef TIDE_CPU_ROWS_H
#define TIDE_CPU_ROWS_H

#include "engine/cpu/loops.h"
#include "engine/cpu/vmath.h"

/* Rows are written for all types: of bools a * b means "and", and for some types x < 0 never holds. */
#pragma GCC diagnostic ignored "-Wint-in-bool-context"
#pragma GCC diagnostic ignored "-Wtype-limits"
#ifdef __clang__
#pragma GCC diagnostic ignored "-Wpass-failed" /* not every row can be vectorised */
#pragma GCC diagnostic ignored "-Wtautological-constant-compare"
#else
#pragma GCC diagnostic ignored "-Wbool-compare"
#endif

/* The row's function arrives in a loop as a pointer: the call disappears only when both are inlined. */
#define INLINE static inline __attribute__((always_inline, unused))
#define SCALAR_FN INLINE
#define SCALAR_SLOW static __attribute__((noinline, unused))

#define K(literal) ((T)(literal))
#define WIDE double
#define KW(literal) ((WIDE)(literal))
#undef copysign
#define copysign(x, y) _Generic((x), float: copysignf, default: copysign)(x, y)
#define nextafter(x, y) _Generic((x), float: nextafterf, default: nextafter)(x, y)
#define ldexp(x, n) _Generic((x), float: ldexpf, default: ldexp)(x, n)

#define power(a, b) SCALAR(power)(a, b)
#define floor_divide(a, b) SCALAR(floor_divide)(a, b)
#define remainder_of(a, b) SCALAR(remainder_of)(a, b)
#define fmod_of(a, b) SCALAR(fmod_of)(a, b)
#define copy_sign(a, b) SCALAR(copy_sign)(a, b)
#define sign_bit(x) SCALAR(sign_bit)(x)
#define log_add_exp(a, b) SCALAR(log_add_exp)(a, b)
#define greatest_common_divisor(a, b) SCALAR(greatest_common_divisor)(a, b)
#define least_common_multiple(a, b) SCALAR(least_common_multiple)(a, b)
#define shift_left(a, b) SCALAR(shift_left)(a, b)
#define shift_right(a, b) SCALAR(shift_right)(a, b)
#define NOT(x) SCALAR(NOT)(x)
#define erf_inverse(x) SCALAR(erf_inverse)(x)
#define digamma(x) SCALAR(digamma)(x)
#define polygamma(a, b) SCALAR(polygamma)(a, b)
#define bessel_i0(x) SCALAR(bessel_i0)(x)
#define bessel_i1(x) SCALAR(bessel_i1)(x)
#define bessel_i0_scaled(x) SCALAR(bessel_i0_scaled)(x)
#define bessel_i1_scaled(x) SCALAR(bessel_i1_scaled)(x)
#define bessel_k0(x) SCALAR(bessel_k0)(x)
#define bessel_k1(x) SCALAR(bessel_k1)(x)
#define bessel_k0_scaled(x) SCALAR(bessel_k0_scaled)(x)
#define bessel_k1_scaled(x) SCALAR(bessel_k1_scaled)(x)
#define bessel_j0(x) SCALAR(bessel_j0)(x)
#define bessel_j1(x) SCALAR(bessel_j1)(x)
#define bessel_y0(x) SCALAR(bessel_y0)(x)
#define bessel_y1(x) SCALAR(bessel_y1)(x)
#define spherical_j0(x) SCALAR(spherical_j0)(x)
#define erfcx_of(x) SCALAR(erfcx_of)(x)
#define log_ndtr_of(x) SCALAR(log_ndtr_of)(x)
#define ndtr_inverse(x) SCALAR(ndtr_inverse)(x)
#define zeta_of(a, b) SCALAR(zeta_of)(a, b)
#define chebyshev_of(kind, a, b) SCALAR(chebyshev_of)(kind, a, b)
#define chebyshev_shifted(kind, a, b) SCALAR(chebyshev_shifted)(kind, a, b)
#define orthogonal_of(kind, a, b) SCALAR(orthogonal_of)(kind, a, b)
#define gamma_below(a, b) SCALAR(gamma_below)(a, b)
#define gamma_above(a, b) SCALAR(gamma_above)(a, b)
#define mantissa_of(x) SCALAR(mantissa_of)(x)
#define exponent_of(x) SCALAR(exponent_of)(x)
#define next_after(a, b) SCALAR(next_after)(a, b)
#define scaled_by_power(a, b) SCALAR(scaled_by_power)(a, b)

/* IF_ADMITTED(types, code): code when rows with these types have loops in T, whose T_CLASS is FLOAT, INT or BOOL.
 * ROUND rows copy integers; FLOAT rows compute integers in a float; INT rows have loops for bool too. */
#define IF_ADMITTED(types, ...) IF_ADMITTED_(T_CLASS, types, __VA_ARGS__)
#define IF_ADMITTED_(class, types, ...) IF_ADMITTED__(class, types, __VA_ARGS__)
#define IF_ADMITTED__(class, types, ...) IF_PASTE(ADMIT_##class##_##types)(__VA_ARGS__)
#define IF_PASTE(yes) IF_PASTE_(yes)
#define IF_PASTE_(yes) IF_##yes
#define IF_0(...)
#define IF_1(...) __VA_ARGS__

#define ADMIT_FLOAT_ANY 1
#define ADMIT_FLOAT_NOBOOL 1
#define ADMIT_FLOAT_FLOAT 1
#define ADMIT_FLOAT_FLOATWIDE 1
#define ADMIT_FLOAT_FLOATONLY 1
#define ADMIT_FLOAT_ROUND 1
#define ADMIT_FLOAT_INT 0
#define ADMIT_FLOAT_INTONLY 0
#define ADMIT_FLOAT_WHERE 1
#define ADMIT_INT_ANY 1
#define ADMIT_INT_NOBOOL 1
#define ADMIT_INT_FLOAT 0
#define ADMIT_INT_FLOATWIDE 0
#define ADMIT_INT_FLOATONLY 0
#define ADMIT_INT_ROUND 0
#define ADMIT_INT_INT 1
#define ADMIT_INT_INTONLY 1
#define ADMIT_INT_WHERE 1
#define ADMIT_BOOL_ANY 1
#define ADMIT_BOOL_NOBOOL 0
#define ADMIT_BOOL_FLOAT 0
#define ADMIT_BOOL_FLOATWIDE 0
#define ADMIT_BOOL_FLOATONLY 0
#define ADMIT_BOOL_ROUND 0
#define ADMIT_BOOL_INT 1
#define ADMIT_BOOL_INTONLY 0
#define ADMIT_BOOL_WHERE 1

/* Of reductions, sums of integers are int64 and of 16-bit floats float; what answers in bool takes bools, and so does what
 * counts, though it counts in int64: COUNTED. */
#define ADMIT_FLOAT_SUM 1
#define ADMIT_FLOAT_BOOLEAN 0
#define ADMIT_FLOAT_COUNT 0
#define ADMIT_WIDE_INT_ANY 1
#define ADMIT_WIDE_INT_FLOATONLY 0
#define ADMIT_WIDE_INT_SUM 1
#define ADMIT_WIDE_INT_BOOLEAN 0
#define ADMIT_WIDE_INT_COUNT 0
#define ADMIT_INT_SUM 0
#define ADMIT_INT_BOOLEAN 0
#define ADMIT_INT_COUNT 0
#define ADMIT_BOOL_SUM 0
#define ADMIT_BOOL_BOOLEAN 1
#define ADMIT_BOOL_COUNT 0
#define ADMIT_COUNTED_ANY 0
#define ADMIT_COUNTED_FLOATONLY 0
#define ADMIT_COUNTED_SUM 0
#define ADMIT_COUNTED_BOOLEAN 0
#define ADMIT_COUNTED_COUNT 1

#define MAKE_TERNARY_ANY(name, forward) IF_ADMITTED(ANY, MAKE_TERNARY(name, forward))
#define MAKE_TERNARY_NOBOOL(name, forward) IF_ADMITTED(NOBOOL, MAKE_TERNARY(name, forward))
#define MAKE_TERNARY_FLOAT(name, forward) IF_ADMITTED(FLOAT, MAKE_TERNARY(name, forward))
#define MAKE_TERNARY_FLOATONLY(name, forward) IF_ADMITTED(FLOATONLY, MAKE_TERNARY(name, forward))
#define MAKE_TERNARY_WHERE(name, forward) MAKE_SELECT(name, forward)

#endif
