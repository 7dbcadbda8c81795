/* vmath.h - exp, log, sin, pow ... that gcc can vectorise inside an elementwise loop.
 *
 * Include it in a file of loops compiled once per instruction set with -DISA=base, avx2 or avx512. It turns
 * the names of vmath.def into macros that pick by type: float stays float, everything else is double, so
 * `y[i] = 1/(1 + exp(-x[i]))` serves both. fabs, sqrt, floor, ceil, trunc and rint join them: there gcc has
 * instructions.
 *
 * Each function exists once per instruction set (vm_avx2_exp_f32), because a scalar call must give the bits
 * of its vector form: a tail and a strided run then agree with the contiguous run. gcc calls the vector forms by
 * their names in the x86 vector ABI (_ZGVdN8v_vm_avx2_exp_f32), defined in vmath_sse.c, vmath_avx2.c and
 * vmath_avx512.c. clang calls the scalar form, with the same results. docs/vector-math.md has the figures.
 */
#ifndef TIDE_CPU_VMATH_H
#define TIDE_CPU_VMATH_H

#include <math.h>

#ifndef ISA
#define ISA base
#endif

#define VM_PASTE_(isa, name, type) vm_##isa##_##name##_##type
#define VM_PASTE(isa, name, type)  VM_PASTE_(isa, name, type)
#define VM_NAME(name, type)        VM_PASTE(ISA, name, type)

#ifdef VMATH_IMPLEMENTATION

/* Without the simd attribute: with it gcc would generate the vector forms that these files define. */
#define VM_DECLARE1(name)                                                                                    \
    float VM_NAME(name, f32)(float x);                                                                       \
    double VM_NAME(name, f64)(double x);
#define VM_DECLARE2(name)                                                                                    \
    float VM_NAME(name, f32)(float x, float y);                                                              \
    double VM_NAME(name, f64)(double x, double y);

/* Replaces each y[i], i < n, that is not finite by libm(x[i]); of two arguments alike. */
void vm_settle1(int n, const double *x, double *y, double (*libm)(double));
void vm_settle2(int n, const double *a, const double *b, double *y, double (*libm)(double, double));

#else

#if defined(__GNUC__) && !defined(__clang__)
#define VM_ATTRIBUTES __attribute__((const, nothrow, leaf, simd("notinbranch")))
#else
#define VM_ATTRIBUTES __attribute__((const, nothrow))
#endif

#ifdef __x86_64__

/* libm's own names are given our symbols: gcc 12 vectorises a call under a condition (x > 0 ? x : expm1(x))
 * only when it knows the function, and expf with another symbol is still one it knows. */
#define VM_TEXT_(x)         #x
#define VM_TEXT(x)          VM_TEXT_(x)
#define VM_FROM(name, type) __asm__(VM_TEXT(VM_NAME(name, type))) VM_ATTRIBUTES
#define VM_DECLARE1(name)                                                                                    \
    extern float name##f(float) VM_FROM(name, f32);                                                          \
    extern double name(double) VM_FROM(name, f64);
#define VM_DECLARE2(name)                                                                                    \
    extern float name##f(float, float) VM_FROM(name, f32);                                                   \
    extern double name(double, double) VM_FROM(name, f64);

/* Not so sin and cos: of one argument gcc would make a call of libm's sincos. */
extern float vm_sinf(float) VM_FROM(sin, f32);
extern double vm_sin(double) VM_FROM(sin, f64);
extern float vm_cosf(float) VM_FROM(cos, f32);
extern double vm_cos(double) VM_FROM(cos, f64);

#else /* other machines: libm, under its names */

#define VM_DECLARE1(name)
#define VM_DECLARE2(name)
#define vm_sinf sinf
#define vm_sin  sin
#define vm_cosf cosf
#define vm_cos  cos

#endif
#endif

#define OWN1(name, d, far)      VM_DECLARE1(name)
#define OWN2(name, d, far)      VM_DECLARE2(name)
#define SLEEF1(name, d, s, far) VM_DECLARE1(name)
#define SLEEF2(name, d, s, far) VM_DECLARE2(name)
#include "vmath.def"
#undef OWN1
#undef OWN2
#undef SLEEF1
#undef SLEEF2

#ifndef VMATH_IMPLEMENTATION

#define VM_PICK1(name, x)    _Generic((x), float : name##f, default : name)(x)
#define VM_PICK2(name, x, y) _Generic((x) + (y), float : name##f, default : name)(x, y)

#undef exp
#undef exp2
#undef expm1
#undef log
#undef log2
#undef log10
#undef log1p
#undef sin
#undef cos
#undef tan
#undef sinh
#undef cosh
#undef tanh
#undef asinh
#undef acosh
#undef atanh
#undef erf
#undef asin
#undef acos
#undef atan
#undef erfc
#undef lgamma
#undef cbrt
#undef pow
#undef hypot
#undef atan2
#undef fmod
#undef fabs
#undef sqrt
#undef floor
#undef ceil
#undef trunc
#undef rint

#define exp(x)      VM_PICK1(exp, x)
#define exp2(x)     VM_PICK1(exp2, x)
#define expm1(x)    VM_PICK1(expm1, x)
#define log(x)      VM_PICK1(log, x)
#define log2(x)     VM_PICK1(log2, x)
#define log10(x)    VM_PICK1(log10, x)
#define log1p(x)    VM_PICK1(log1p, x)
#define sin(x)      VM_PICK1(vm_sin, x)
#define cos(x)      VM_PICK1(vm_cos, x)
#define tan(x)      VM_PICK1(tan, x)
#define sinh(x)     VM_PICK1(sinh, x)
#define cosh(x)     VM_PICK1(cosh, x)
#define tanh(x)     VM_PICK1(tanh, x)
#define asinh(x)    VM_PICK1(asinh, x)
#define acosh(x)    VM_PICK1(acosh, x)
#define atanh(x)    VM_PICK1(atanh, x)
#define erf(x)      VM_PICK1(erf, x)
#define asin(x)     VM_PICK1(asin, x)
#define acos(x)     VM_PICK1(acos, x)
#define atan(x)     VM_PICK1(atan, x)
#define erfc(x)     VM_PICK1(erfc, x)
#define lgamma(x)   VM_PICK1(lgamma, x)
#define cbrt(x)     VM_PICK1(cbrt, x)
#define pow(x, y)   VM_PICK2(pow, x, y)
#define hypot(x, y) VM_PICK2(hypot, x, y)
#define atan2(x, y) VM_PICK2(atan2, x, y)
#define fmod(x, y)  VM_PICK2(fmod, x, y)
#define fabs(x)     VM_PICK1(fabs, x)
#define sqrt(x)     VM_PICK1(sqrt, x)
#define floor(x)    VM_PICK1(floor, x)
#define ceil(x)     VM_PICK1(ceil, x)
#define trunc(x)    VM_PICK1(trunc, x)
#define rint(x)     VM_PICK1(rint, x)

#endif
#endif
