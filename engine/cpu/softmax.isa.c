/* softmax.isa.c - the loops of softmax and log_softmax for one instruction set. */
#include "engine/cpu/softmax.h"

#include "engine/cpu/vmath.h"

#include <string.h>

enum { LANES = 32 };

static inline float from_bits(uint32_t bits)
{
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

/* e to the power x for x <= 0, within about one unit in the last place: e**x = 2**k e**f, k whole, |f| <= log(2) / 2.
 * vmath's exp rounds correctly at four times the cost; here sums and quotients round anyway. No step is contracted, so
 * that all machines agree. The polynomial is a Chebyshev fit of (e**f - 1 - f) / f**2. */
static inline float exp_below(float x)
{
    const float rounder = 12582912.f; /* 1.5 * 2**23: adding it leaves the whole part in the low bits */
    x = x < -104.f ? -104.f : x;      /* where it is 0 */
    float shifted = x * 1.44269504f + rounder, k = shifted - rounder;
    float f = (x - k * 0.693359375f) - k * -2.12194440e-4f;
    float p = 1.98992871e-4f;
    p = p * f + 1.39336521e-3f;
    p = p * f + 8.33329838e-3f;
    p = p * f + 4.16664667e-2f;
    p = p * f + 0.166666672f;
    p = p * f + 0.5f;
    p = p * (f * f) + f + 1.f;
    uint32_t bits;
    memcpy(&bits, &shifted, sizeof bits);
    int32_t whole = (int32_t)(bits - 0x4b400000u), half = whole >> 1; /* two steps, for subnormal results */
    return p * from_bits((uint32_t)(half + 127) << 23) * from_bits((uint32_t)(whole - half + 127) << 23);
}

/* EXP: exp for arguments up to 0 */
#define T        float
#define EXP      exp_below
#define FN(name) name##_f32
#include "engine/cpu/softmax.inc"

#define T        double
#define EXP      exp
#define FN(name) name##_f64
#include "engine/cpu/softmax.inc"

const SoftmaxLoops ISA_NAME(softmax_f32)[2] = {{forward_f32, backward_f32},
                                               {log_forward_f32, log_backward_f32}};
const SoftmaxLoops ISA_NAME(softmax_f64)[2] = {{forward_f64, backward_f64},
                                               {log_forward_f64, log_backward_f64}};
