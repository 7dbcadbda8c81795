/* random.c - the generator: MT19937 as PyTorch runs it on the CPU, its seeds and its state blob. */
#include "engine/random.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

enum {
    WORDS = 624, /* of Mersenne Twister state */
    FAR = 397,   /* how many words ahead the recurrence looks */
};

/* Invariant: ready + next <= WORDS. The next `ready` draws are tempered[next…]; then the state is twisted. */
struct Generator {
    uint32_t state[WORDS];
    uint32_t tempered[WORDS];
    uint64_t seed;
    uint32_t ready, next;
    bool has_double, has_float; /* cached normals; the float one only comes in through a state blob */
    double normal_double;
    float normal_float;
};

/* The layout of torch.get_rng_state(). */
typedef struct StateBlob {
    uint64_t seed;
    int32_t left, seeded; /* left: draws before the next twist, plus one */
    uint64_t next;
    uint64_t state[WORDS];
    double normal_x, normal_double, normal_rho; /* the outer two are always zero */
    int32_t has_double, gap;
    float normal_float;
    uint8_t has_float;
} StateBlob;

_Static_assert(sizeof(StateBlob) == GENERATOR_STATE_SIZE, "state blobs are exchanged with PyTorch");

static Generator default_generator;
static bool default_started;

static void temper(Generator *g)
{
#pragma omp simd
    for (int i = 0; i < WORDS; i++) {
        uint32_t y = g->state[i];
        y ^= y >> 11;
        y ^= y << 7 & 0x9d2c5680u;
        y ^= y << 15 & 0xefc60000u;
        g->tempered[i] = y ^ y >> 18;
    }
}

static inline uint32_t twist(uint32_t far, uint32_t here, uint32_t after)
{
    return far ^ ((here & 0x80000000u) | (after & 0x7fffffffu)) >> 1 ^ (-(after & 1u) & 0x9908b0dfu);
}

static void refill(Generator *g)
{
    uint32_t *s = g->state, old[WORDS]; /* a copy, so that no iteration reads what another near it writes */
    memcpy(old, s, sizeof old);
#pragma omp simd
    for (int i = 0; i < WORDS - FAR; i++) s[i] = twist(old[i + FAR], old[i], old[i + 1]);
#pragma omp simd safelen(64)
    for (int i = WORDS - FAR; i < WORDS - 1; i++) s[i] = twist(s[i + FAR - WORDS], old[i], old[i + 1]);
    s[WORDS - 1] = twist(s[FAR - 1], old[WORDS - 1], s[0]);
    temper(g);
    g->ready = WORDS;
    g->next = 0;
}

Generator *generator_new(void)
{
    Generator *g = malloc(sizeof *g);
    if (g) generator_seed(g, GENERATOR_FRESH_SEED);
    return g;
}

void generator_free(Generator *g)
{
    if (g != &default_generator) free(g);
}

Generator *generator_default(void)
{
    if (!default_started) {
        default_started = true;
        generator_seed_random(&default_generator);
    }
    return &default_generator;
}

void generator_seed(Generator *g, uint64_t seed)
{
    *g = (Generator){.seed = seed};
    g->state[0] = (uint32_t)seed;
    for (uint32_t i = 1; i < WORDS; i++) {
        uint32_t before = g->state[i - 1];
        g->state[i] = 1812433253u * (before ^ before >> 30) + i;
    }
}

uint64_t generator_initial_seed(const Generator *g)
{
    return g->seed;
}

uint64_t generator_seed_random(Generator *g)
{
    uint64_t seed;
    if (getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed) { /* refused: an old kernel, or a sandbox */
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        seed = (uint64_t)now.tv_sec * 1000000007u ^ (uint64_t)now.tv_nsec << 21;
    }
    seed &= ((uint64_t)1 << 53) - 1; /* so that a double holds it */
    generator_seed(g, seed);
    return seed;
}

uint32_t generator_next32(Generator *g)
{
    if (!g->ready) refill(g);
    g->ready--;
    return g->tempered[g->next++];
}

uint64_t generator_next64(Generator *g)
{
    uint64_t high = generator_next32(g);
    return high << 32 | generator_next32(g);
}

void generator_take(Generator *g, uint32_t *w, int n)
{
    while (n > 0) {
        if (!g->ready) refill(g);
        int m = n < (int)g->ready ? n : (int)g->ready;
        memcpy(w, g->tempered + g->next, (size_t)m * sizeof *w);
        g->ready -= (uint32_t)m;
        g->next += (uint32_t)m;
        w += m;
        n -= m;
    }
}

double generator_next_unit(Generator *g)
{
    return (double)(int64_t)(generator_next64(g) & 0x1fffffffffffffu) * 0x1p-53;
}

double generator_next_normal(Generator *g)
{
    if (g->has_double) {
        g->has_double = false;
        return g->normal_double;
    }
    double u1 = generator_next_unit(g), u2 = generator_next_unit(g), s, c;
    double radius = sqrt(-2.0 * log1p(-u2));
    sincos(6.283185307179586 * u1, &s, &c);
    g->normal_double = radius * s;
    g->has_double = true;
    return radius * c;
}

void generator_get_state(const Generator *g, void *blob)
{
    StateBlob b;
    memset(&b, 0, sizeof b); /* padding too: equal states are equal bytes */
    b.seed = g->seed;
    b.left = (int32_t)g->ready + 1;
    b.seeded = 1;
    b.next = g->next;
    for (int i = 0; i < WORDS; i++) b.state[i] = g->state[i];
    b.has_double = g->has_double;
    b.normal_double = g->has_double ? g->normal_double : 0;
    b.has_float = g->has_float;
    b.normal_float = g->has_float ? g->normal_float : 0;
    memcpy(blob, &b, sizeof b);
}

bool generator_set_state(Generator *g, const void *blob, size_t size)
{
    StateBlob b;
    if (size != sizeof b) return false;
    memcpy(&b, blob, sizeof b);
    /* PyTorch accepts a left and next that together run past the state, and then reads beyond it. */
    uint32_t next = (uint32_t)b.next;
    if (!b.seeded || b.left < 1 || b.left > WORDS) return false;
    if (next > WORDS || next + (uint32_t)b.left - 1 > WORDS) return false;
    g->seed = b.seed;
    g->ready = (uint32_t)b.left - 1;
    g->next = next;
    for (int i = 0; i < WORDS; i++) g->state[i] = (uint32_t)b.state[i];
    g->has_double = b.has_double != 0;
    g->normal_double = b.normal_double;
    g->has_float = b.has_float != 0;
    g->normal_float = b.normal_float;
    temper(g);
    return true;
}
