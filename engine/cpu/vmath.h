/* vmath.h - exp, log, sin, pow ... that gcc can vectorise inside an elementwise loop.
 *
 * Include it after <math.h> in a file of loops compiled once per instruction set with -DISA=base, avx2 or avx512.
 * It turns the names of vmath.def into macros that pick by type: float stays float, everything else is double, so
 * `y[i] = 1/(1 + exp(-x[i]))` serves both. fabs, sqrt, floor, ceil, trunc and rint join them: there gcc has instructions.
 *
 * Each function exists once per instruction set (vm_avx2_exp_f32), because a scalar call must give the bits of its
 * vector form: a tail and a strided run then agree with the contiguous run. gcc calls the vector forms by their
 * names in the x86 vector ABI (_ZGVdN8v_vm_avx2_exp_f32); vmath_sse.c, vmath_avx2.c and vmath_avx512.c define
 * them. clang ignores the attribute and calls the scalar form, with the same results. docs/vector-math.md has the figures.
 */
#ifndef TIDE_CPU_VMATH_H
#define TIDE_CPU_VMATH_H

#ifndef ISA
#define ISA base
#endif

#define VM_PASTE_(isa, name, type) vm_##isa##_##name##_##type
#define VM_PASTE(isa, name, type) VM_PASTE_(isa, name, type)
#define VM_NAME(name, type) VM_PASTE(ISA, name, type)

/* The implementation defines the vector forms itself: with the attribute gcc would generate them a second time. */
#if defined(VMATH_IMPLEMENTATION)
#define VM_DECL
#elif defined(__GNUC__) && !defined(__clang__)
#define VM_DECL __attribute__((const, nothrow, leaf, simd("notinbranch")))
#else
#define VM_DECL __attribute__((const, nothrow))
#endif

#define VM_DECLARE1(name)                                                                                              \
    VM_DECL float VM_NAME(name, f32)(float x);                                                                         \
    VM_DECL double VM_NAME(name, f64)(double x);
#define VM_DECLARE2(name)                                                                                              \
    VM_DECL float VM_NAME(name, f32)(float x, float y);                                                                \
    VM_DECL double VM_NAME(name, f64)(double x, double y);
#define OWN1(name, f64) VM_DECLARE1(name)
#define OWN2(name, f64) VM_DECLARE2(name)
#define SLEEF1(name, f64, f32) VM_DECLARE1(name)
#define SLEEF2(name, f64, f32) VM_DECLARE2(name)
#include "vmath.def"
#undef OWN1
#undef OWN2
#undef SLEEF1
#undef SLEEF2

#ifndef VMATH_IMPLEMENTATION

#define VM_PICK1(name, x) _Generic((x), float: VM_NAME(name, f32), default: VM_NAME(name, f64))(x)
#define VM_PICK2(name, x, y) _Generic((x) + (y), float: VM_NAME(name, f32), default: VM_NAME(name, f64))(x, y)
#define VM_NATIVE(name, x) _Generic((x), float: name##f, default: name)(x)

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
#undef tgamma
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

#define exp(x) VM_PICK1(exp, x)
#define exp2(x) VM_PICK1(exp2, x)
#define expm1(x) VM_PICK1(expm1, x)
#define log(x) VM_PICK1(log, x)
#define log2(x) VM_PICK1(log2, x)
#define log10(x) VM_PICK1(log10, x)
#define log1p(x) VM_PICK1(log1p, x)
#define sin(x) VM_PICK1(sin, x)
#define cos(x) VM_PICK1(cos, x)
#define tan(x) VM_PICK1(tan, x)
#define sinh(x) VM_PICK1(sinh, x)
#define cosh(x) VM_PICK1(cosh, x)
#define tanh(x) VM_PICK1(tanh, x)
#define asinh(x) VM_PICK1(asinh, x)
#define acosh(x) VM_PICK1(acosh, x)
#define atanh(x) VM_PICK1(atanh, x)
#define erf(x) VM_PICK1(erf, x)
#define asin(x) VM_PICK1(asin, x)
#define acos(x) VM_PICK1(acos, x)
#define atan(x) VM_PICK1(atan, x)
#define erfc(x) VM_PICK1(erfc, x)
#define lgamma(x) VM_PICK1(lgamma, x)
#define tgamma(x) VM_PICK1(tgamma, x)
#define cbrt(x) VM_PICK1(cbrt, x)
#define pow(x, y) VM_PICK2(pow, x, y)
#define hypot(x, y) VM_PICK2(hypot, x, y)
#define atan2(x, y) VM_PICK2(atan2, x, y)
#define fmod(x, y) VM_PICK2(fmod, x, y)
#define fabs(x) VM_NATIVE(fabs, x)
#define sqrt(x) VM_NATIVE(sqrt, x)
#define floor(x) VM_NATIVE(floor, x)
#define ceil(x) VM_NATIVE(ceil, x)
#define trunc(x) VM_NATIVE(trunc, x)
#define rint(x) VM_NATIVE(rint, x)

#endif
#endif
