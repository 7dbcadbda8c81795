/* random.h - PyTorch's CPU generator, bit for bit: MT19937, its state blob and its distributions. */
#ifndef TIDE_RANDOM_H
#define TIDE_RANDOM_H

#include "engine/dtype.h"

#define GENERATOR_STATE_SIZE 5056            /* bytes of torch.get_rng_state() */
#define GENERATOR_FRESH_SEED 67280421310721u /* what a new torch.Generator() is seeded with */

/* Owned by whoever called generator_new. Used from one thread at a time. */
typedef struct Generator Generator;

/* A generator seeded with GENERATOR_FRESH_SEED; NULL without memory. */
Generator *generator_new(void);
void generator_free(Generator *g); /* NULL and the default generator are left alone */

/* The generator used when none is named; its first seed is not deterministic. Never NULL. */
Generator *generator_default(void);

/* Restarts the sequence and drops cached normals. Signed seeds are converted to uint64_t, as PyTorch does. */
void generator_seed(Generator *g, uint64_t seed);
uint64_t generator_initial_seed(const Generator *g);
uint64_t generator_seed_random(Generator *g); /* takes 53 bits of the system's entropy, returns them */

uint32_t generator_next32(Generator *g);
uint64_t generator_next64(Generator *g);                /* first draw in the high half */
void generator_take(Generator *g, uint32_t *w, int n);  /* the next n draws, in order */
double generator_next_unit(Generator *g);               /* [0, 1): the low 53 bits of a 64-bit draw */

/* A standard normal by Box-Muller in double. They come in pairs: the second waits in the cache. */
double generator_next_normal(Generator *g);

/* The blob of torch.get_rng_state(), GENERATOR_STATE_SIZE bytes at any alignment. set_state answers false and
 * changes nothing when the size is another or the blob cannot be a generator's state. */
void generator_get_state(const Generator *g, void *blob);
bool generator_set_state(Generator *g, const void *blob, size_t size);

/* Fills. Each writes n elements of dtype d to the contiguous buffer p. Interrupted by the user, it answers false
 * with the error recorded, and the generator has advanced by an unspecified amount. The caller has checked the
 * parameters: from <= to, std >= 0, 0 <= prob <= 1 (0 < prob < 1 for geometric), low < high, lambda > 0,
 * sigma > 0. "Float dtypes" are the four of CLASS_FLOAT. */

/* Float dtypes: uniform in [from, to). */
bool random_uniform(Generator *g, void *p, DType d, int64_t n, double from, double to);

/* Float dtypes. blocked: the destination is contiguous, so that 16 or more elements take PyTorch's blocked
 * form, which neither reads nor sets the cached normal; else each element is drawn in double. */
bool random_normal(Generator *g, void *p, DType d, int64_t n, double mean, double std, bool blocked);
bool random_log_normal(Generator *g, void *p, DType d, int64_t n, double mean, double std);
bool random_exponential(Generator *g, void *p, DType d, int64_t n, double lambda);
bool random_cauchy(Generator *g, void *p, DType d, int64_t n, double median, double sigma);

/* Any dtype but bool; number of trials, so at least 1. */
bool random_geometric(Generator *g, void *p, DType d, int64_t n, double prob);

/* Any dtype: zeros and ones; one probability for all, or one an element (n of the float dtype prob_dtype). */
bool random_bernoulli(Generator *g, void *p, DType d, int64_t n, double prob);
bool random_bernoulli_each(Generator *g, void *p, DType d, int64_t n, const void *prob, DType prob_dtype);

/* Any dtype: integers in [low, high), after random_clip_bounds. */
bool random_randint(Generator *g, void *p, DType d, int64_t n, int64_t low, int64_t high);

/* random_(low, None): from low to the dtype's greatest integer, for floats to 2^digits. */
bool random_from(Generator *g, void *p, DType d, int64_t n, int64_t low);

/* random_(): [0, greatest] for integers, 0 or 1 for bool, [0, 2^digits] for floats. */
bool random_full_range(Generator *g, void *p, DType d, int64_t n);

/* Moves bounds inwards so that no integer in [low, high) rounds out of it in a float dtype; others are kept.
 * random_randint does this itself, once: callers need it only to refuse what is then empty (low >= high). */
void random_clip_bounds(DType d, int64_t *low, int64_t *high);

/* A permutation of 0 .. n-1. */
bool random_permutation(Generator *g, int64_t *p, int64_t n);

/* One row of torch.multinomial: `samples` indices into prob, n weights of float dtype d, all finite, >= 0 and
 * not all zero. draws: one of the exponential distribution for each, and no index comes twice (samples <= n); NULL:
 * with replacement, and g draws. scratch: room for n RandomChoice, the caller's. Equal keys
 * (weights of zero; collisions in 16 bits) go in index order, where PyTorch's order is its sort's accident. */
typedef struct RandomChoice {
    double key;
    int64_t index;
} RandomChoice;

bool random_multinomial(Generator *g, int64_t *out, int64_t samples, const void *prob, const void *draws, DType d,
                        int64_t n, RandomChoice *scratch);

#endif
