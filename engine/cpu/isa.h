/* isa.h - loops compiled once per instruction set (*.isa.c, -DISA=base|avx2|avx512), and the choice at run time.
 *
 * An .isa.c file names what it exports with ISA_NAME(sum_rows); other code declares all the variants with
 * ISA_DECLARE and picks the machine's with ISA_PICK(sum_rows). */
#ifndef TIDE_CPU_ISA_H
#define TIDE_CPU_ISA_H

typedef enum Isa { ISA_BASE, ISA_AVX2, ISA_AVX512, ISA_COUNT } Isa;

/* The best set this machine has and this build holds; TIDE_CPU=base|avx2|avx512 in the environment may ask for less. */
Isa cpu_isa(void);

#define ISA_PASTE_(name, isa) name##_##isa
#define ISA_PASTE(name, isa) ISA_PASTE_(name, isa)
#define ISA_NAME(name) ISA_PASTE(name, ISA)

#if defined(ISA_ONLY_BASE) || !defined(__x86_64__)
#define ISA_ONE 1
#define ISA_EACH(X, name) X(name##_base)
#define ISA_PICK(name) name##_base
#else
#define ISA_ONE 0
#define ISA_EACH(X, name) X(name##_base) X(name##_avx2) X(name##_avx512)
#define ISA_PICK(name) (cpu_isa() == ISA_AVX512 ? name##_avx512 : cpu_isa() == ISA_AVX2 ? name##_avx2 : name##_base)
#endif

#endif
