/* isa.c - which instruction set's loops to run. */
#include "engine/cpu/isa.h"

#include <stdlib.h>
#include <string.h>

#if !ISA_ONE
static Isa machine_isa(void)
{
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return ISA_BASE;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))
        return ISA_AVX512;
    return ISA_AVX2;
}

static Isa chosen_isa(void)
{
    static const char *const names[ISA_COUNT] = {"base", "avx2", "avx512"};
    Isa best = machine_isa();
    const char *wish = getenv("TIDE_CPU");
    for (int i = 0; wish && i < (int)best; i++)
        if (strcmp(wish, names[i]) == 0) return (Isa)i;
    return best;
}
#endif

Isa cpu_isa(void)
{
#if ISA_ONE
    return ISA_BASE;
#else
    static Isa isa = ISA_COUNT; /* racing first calls would all store the same answer */
    if (isa == ISA_COUNT) isa = chosen_isa();
    return isa;
#endif
}
