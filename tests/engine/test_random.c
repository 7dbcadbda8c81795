/* test_random.c - the generator and its distributions against what PyTorch recorded (random_goldens.h). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/error.h"
#include "engine/random.h"

typedef enum GoldenKind {
    UNIFORM,
    NORMAL,
    NORMAL_SERIAL, /* into a non-contiguous tensor */
    LOG_NORMAL,
    EXPONENTIAL,
    CAUCHY,
    GEOMETRIC,
    BERNOULLI,
    BERNOULLI_EACH,
    RANDINT,
    FROM,
    FULL_RANGE,
    PERMUTATION,
    MULTINOMIAL,
} GoldenKind;

enum { KEEP, SEED };

typedef struct Golden {
    GoldenKind kind;
    DType dtype, prob; /* prob: dtype of the probabilities */
    int reseed;        /* SEED, or KEEP the generator of the row before */
    uint64_t seed;
    int64_t n;
    double a, b; /* the call's parameters */
    uint64_t hash, state_hash;
    uint64_t first[3]; /* bits of the first elements */
} Golden;

typedef struct LinearGolden {
    int64_t fan_in, out;
    uint64_t weight, bias;
    uint32_t last_bias;
} LinearGolden;

#include "random_goldens.h"

static uint64_t fnv(const void *p, size_t size)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < size; i++) h = (h ^ ((const uint8_t *)p)[i]) * 0x100000001b3u;
    return h;
}

static uint64_t state_hash_of(const Generator *g)
{
    uint8_t blob[GENERATOR_STATE_SIZE];
    generator_get_state(g, blob);
    return fnv(blob, sizeof blob);
}

static void *room(size_t size)
{
    void *p = calloc(1, size + 1);
    assert_non_null(p);
    return p;
}

/* n elements of (37 i mod 101 + add) / divisor. */
static void *weights(DType d, int64_t n, int add, double divisor)
{
    char *p = room((size_t)n * 8);
    for (int64_t i = 0; i < n; i++)
        element_store_double(p + i * (int64_t)dtype_size(d), d, (double)(37 * i % 101 + add) / divisor);
    return p;
}

static bool draw_multinomial(const Golden *c, Generator *g, void *p)
{
    int64_t categories = (int64_t)c->a;
    void *w = weights(c->prob, categories, 1, 1), *scratch = room((size_t)categories * sizeof(RandomChoice));
    bool again = c->b != 0 && c->n > 1;
    void *draws = again ? NULL : room((size_t)categories * 8);
    bool ok = again || random_exponential(g, draws, c->prob, categories, 1);
    ok = ok && random_multinomial(g, p, c->n, w, draws, c->prob, categories, scratch);
    free(w);
    free(draws);
    free(scratch);
    return ok;
}

static bool draw_bernoulli_each(const Golden *c, Generator *g, void *p)
{
    void *w = weights(c->prob, c->n, 0, 128);
    bool ok = random_bernoulli_each(g, p, c->dtype, c->n, w, c->prob);
    free(w);
    return ok;
}

static bool draw(const Golden *c, Generator *g, void *p)
{
    switch (c->kind) {
    case UNIFORM: return random_uniform(g, p, c->dtype, c->n, c->a, c->b);
    case NORMAL: return random_normal(g, p, c->dtype, c->n, c->a, c->b, true);
    case NORMAL_SERIAL: return random_normal(g, p, c->dtype, c->n, c->a, c->b, false);
    case LOG_NORMAL: return random_log_normal(g, p, c->dtype, c->n, c->a, c->b);
    case EXPONENTIAL: return random_exponential(g, p, c->dtype, c->n, c->a);
    case CAUCHY: return random_cauchy(g, p, c->dtype, c->n, c->a, c->b);
    case GEOMETRIC: return random_geometric(g, p, c->dtype, c->n, c->a);
    case BERNOULLI: return random_bernoulli(g, p, c->dtype, c->n, c->a);
    case BERNOULLI_EACH: return draw_bernoulli_each(c, g, p);
    case RANDINT: return random_randint(g, p, c->dtype, c->n, (int64_t)c->a, (int64_t)c->b);
    case FROM: return random_from(g, p, c->dtype, c->n, (int64_t)c->a);
    case FULL_RANGE: return random_full_range(g, p, c->dtype, c->n);
    case PERMUTATION: return random_permutation(g, p, c->n);
    case MULTINOMIAL: return draw_multinomial(c, g, p);
    }
    return false;
}

static bool matches(const Golden *c, Generator *g)
{
    size_t size = dtype_size(c->dtype);
    uint8_t *p = room((size_t)c->n * size);
    if (c->reseed) generator_seed(g, c->seed);
    bool same = draw(c, g, p) && fnv(p, (size_t)c->n * size) == c->hash;
    same &= state_hash_of(g) == c->state_hash;
    for (int i = 0; i < 3 && i < c->n; i++) same &= memcmp(p + (size_t)i * size, &c->first[i], size) == 0;
    free(p);
    return same;
}

static void test_goldens(void **state)
{
    (void)state;
    Generator *g = generator_new();
    assert_non_null(g);
    int wrong = 0;
    for (size_t i = 0; i < sizeof goldens / sizeof *goldens; i++) {
        const Golden *c = &goldens[i];
        if (matches(c, g)) continue;
        wrong++;
        print_error("row %zu: kind %d, %s, n %lld, parameters %g and %g\n", i, (int)c->kind,
                    dtype_name(c->dtype), (long long)c->n, c->a, c->b);
    }
    generator_free(g);
    assert_int_equal(wrong, 0);
}

/* nn.Linear's default initialisation: kaiming_uniform_(a = sqrt 5) for the weight, then the bias. */
static void test_linear_init(void **state)
{
    (void)state;
    Generator *g = generator_new();
    for (size_t i = 0; i < sizeof linears / sizeof *linears; i++) {
        const LinearGolden *c = &linears[i];
        int64_t n = c->fan_in * c->out;
        float *weight = room((size_t)n * 4), *bias = room((size_t)c->out * 4);
        double a = sqrt(5.0), gain = sqrt(2.0 / (1 + a * a));
        double bound = sqrt(3.0) * (gain / sqrt((double)c->fan_in));
        generator_seed(g, 420);
        random_uniform(g, weight, DT_F32, n, -bound, bound);
        bound = 1 / sqrt((double)c->fan_in);
        random_uniform(g, bias, DT_F32, c->out, -bound, bound);
        assert_true(fnv(weight, (size_t)n * 4) == c->weight);
        assert_true(fnv(bias, (size_t)c->out * 4) == c->bias);
        assert_memory_equal(&bias[c->out - 1], &c->last_bias, 4);
        free(weight);
        free(bias);
    }
    generator_free(g);
}

/* After manual_seed(420), nn.Linear(2, 1) on the corners of the unit square, to the digits PyTorch prints. */
static void test_linear_outputs(void **state)
{
    (void)state;
    static const float x[4][2] = {{0, 0}, {1, 0}, {0, 1}, {1, 1}};
    static const char *printed[] = {"0.6730", "1.1048", "0.2473", "0.6792"};
    Generator *g = generator_new();
    generator_seed(g, 420);
    float w[2], b;
    double bound = 1 / sqrt(2.0);
    random_uniform(g, w, DT_F32, 2, -bound, bound);
    random_uniform(g, &b, DT_F32, 1, -bound, bound);
    for (int i = 0; i < 4; i++) {
        char text[32];
        snprintf(text, sizeof text, "%.4f", (double)(x[i][0] * w[0] + x[i][1] * w[1] + b));
        assert_string_equal(text, printed[i]);
    }
    generator_free(g);
}

/* The published check of MT19937: the 10000th draw from the seed 5489. */
static void test_engine(void **state)
{
    (void)state;
    Generator *g = generator_new();
    assert_true(generator_initial_seed(g) == 67280421310721u);
    generator_seed(g, 5489);
    for (int i = 1; i < 10000; i++) generator_next32(g);
    assert_true(generator_next32(g) == 4123659995u);
    generator_seed(g, (uint64_t)-1);
    assert_true(generator_initial_seed(g) == UINT64_MAX);
    uint32_t high = generator_next32(g), low = generator_next32(g);
    generator_seed(g, UINT32_MAX); /* the engine takes the low 32 bits */
    assert_true(generator_next64(g) == ((uint64_t)high << 32 | low));
    generator_free(g);
}

static void test_blob_is_pytorchs(void **state)
{
    (void)state;
    Generator *g = generator_new();
    uint8_t blob[GENERATOR_STATE_SIZE], again[GENERATOR_STATE_SIZE];
    float v[5], cached = 1.5f;
    generator_seed(g, 420);
    random_uniform(g, v, DT_F32, 5, 0, 1);
    random_normal(g, v, DT_F32, 3, 0, 1, true);
    generator_get_state(g, blob);
    memcpy(blob + 5048, &cached, sizeof cached);
    blob[5052] = 1;
    assert_true(generator_set_state(g, blob, sizeof blob));
    generator_get_state(g, again);
    assert_memory_equal(blob, again, sizeof blob);
    assert_true(fnv(again, sizeof again) == state_hash);
    generator_free(g);
}

/* A restored state goes on as the saved one did: mid-block, with a cached normal, from an unaligned blob. */
static void test_state_restores(void **state)
{
    (void)state;
    Generator *g = generator_new(), *h = generator_new();
    uint8_t blob[GENERATOR_STATE_SIZE + 1];
    float a[700], b[700];
    for (int skip = 0; skip < 1300; skip += 13) {
        generator_seed(g, (uint64_t)skip);
        for (int i = 0; i < skip; i++) generator_next32(g);
        random_normal(g, a, DT_F32, 1 + skip % 2, 0, 1, true);
        generator_get_state(g, blob + 1);
        assert_true(generator_set_state(h, blob + 1, GENERATOR_STATE_SIZE));
        assert_true(generator_initial_seed(h) == (uint64_t)skip);
        for (int round = 0; round < 3; round++) {
            random_normal(g, a, DT_F32, 3, 0, 1, true);
            random_normal(h, b, DT_F32, 3, 0, 1, true);
            assert_memory_equal(a, b, 3 * sizeof *a);
            random_uniform(g, a, DT_F32, 700, 0, 1);
            random_uniform(h, b, DT_F32, 700, 0, 1);
            assert_memory_equal(a, b, sizeof a);
        }
    }
    generator_free(g);
    generator_free(h);
}

static bool refused(Generator *g, const uint8_t *good, size_t at, int64_t value, size_t width)
{
    uint8_t blob[GENERATOR_STATE_SIZE];
    memcpy(blob, good, sizeof blob);
    memcpy(blob + at, &value, width);
    return !generator_set_state(g, blob, sizeof blob);
}

static void test_bad_blobs(void **state)
{
    (void)state;
    Generator *g = generator_new();
    uint8_t good[GENERATOR_STATE_SIZE], after[GENERATOR_STATE_SIZE];
    generator_seed(g, 1);
    generator_next32(g); /* left 624, next 1 */
    generator_get_state(g, good);
    assert_false(generator_set_state(g, good, sizeof good - 1));
    assert_false(generator_set_state(g, good, 0));
    assert_true(refused(g, good, 8, 0, 4)); /* left */
    assert_true(refused(g, good, 8, -1, 4));
    assert_true(refused(g, good, 8, 625, 4));
    assert_true(refused(g, good, 12, 0, 4));   /* seeded */
    assert_true(refused(g, good, 16, 625, 8)); /* next */
    assert_true(refused(g, good, 16, -1, 8));
    assert_true(refused(g, good, 16, 2, 8)); /* next + left runs past the state */
    assert_true(refused(g, good, 16, 624, 8));
    generator_get_state(g, after);
    assert_memory_equal(good, after, sizeof good);
    assert_false(refused(g, good, 8, 1, 4)); /* twists at the next draw: fine */
    generator_free(g);
}

static void test_default_and_entropy(void **state)
{
    (void)state;
    Generator *d = generator_default();
    assert_non_null(d);
    generator_free(d);
    generator_free(NULL);
    assert_ptr_equal(d, generator_default());
    uint64_t first = generator_seed_random(d), second = generator_seed_random(d);
    assert_true(first != second);
    assert_true(first >> 53 == 0 && second >> 53 == 0);
    assert_true(generator_initial_seed(d) == second);
}

static void test_clip_bounds(void **state)
{
    (void)state;
    static const struct {
        DType d;
        int64_t low, high, clipped_low, clipped_high;
    } cases[] = {
        {DT_I64, -5, 7, -5, 7},
        {DT_F32, -5, 7, -5, 7},
        {DT_F16, 0, 65504, 0, 65472},
        {DT_F16, 65503, 65504, 65503, 65472}, /* empty, which PyTorch reports with these bounds */
        {DT_BF16, 511, 512, 511, 510},
        {DT_BF16, -513, -512, -513, -516},
        {DT_BF16, -1030, 1030, -1024, 1024},
        {DT_F32, 4611686018427387903, 4611686018427387904, 4611686018427387903, 4611685743549480960},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t low = cases[i].low, high = cases[i].high;
        random_clip_bounds(cases[i].d, &low, &high);
        assert_true(low == cases[i].clipped_low);
        assert_true(high == cases[i].clipped_high);
    }
}

/* Every fill looks for an interrupt, records it and leaves the next call alone. */
static void test_interrupt(void **state)
{
    (void)state;
    Generator *g = generator_new();
    for (GoldenKind kind = UNIFORM; kind <= MULTINOMIAL; kind++) {
        for (DType d = DT_F16; d <= DT_F64; d++) {
            Golden c = {.kind = kind, .dtype = d, .prob = d, .n = 100, .a = 0.25, .b = 1};
            if (c.kind == MULTINOMIAL) c.a = 100;
            uint8_t *p = room(100 * 8);
            tide_interrupted = 1;
            assert_false(draw(&c, g, p));
            assert_true(tide_failed());
            assert_string_equal(tide_error()->kind, "KeyboardInterrupt");
            tide_error_clear();
            assert_int_equal(tide_interrupted, 0);
            assert_true(draw(&c, g, p));
            assert_false(tide_failed());
            free(p);
        }
    }
    generator_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_goldens),
        cmocka_unit_test(test_linear_init),
        cmocka_unit_test(test_linear_outputs),
        cmocka_unit_test(test_engine),
        cmocka_unit_test(test_blob_is_pytorchs),
        cmocka_unit_test(test_state_restores),
        cmocka_unit_test(test_bad_blobs),
        cmocka_unit_test(test_default_and_entropy),
        cmocka_unit_test(test_clip_bounds),
        cmocka_unit_test(test_interrupt),
    };
    return cmocka_run_group_tests_name("random", tests, NULL, NULL);
}
