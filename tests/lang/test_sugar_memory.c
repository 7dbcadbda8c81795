/* The translator when memory runs out: its first, second, third ... allocation fails until it gets through.
 * Each time the answer is NULL with "not enough memory", and nothing leaks. The sources are compiled in here,
 * on a failing allocator. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int until_failure; /* allocations left before one fails; -1: none fails */
static int blocks;        /* alive */

static bool fails(void)
{
    return until_failure >= 0 && until_failure-- == 0;
}

static void *failing_malloc(size_t size)
{
    void *block = fails() ? NULL : malloc(size);
    blocks += block != NULL;
    return block;
}

static void *failing_calloc(size_t count, size_t size)
{
    void *block = fails() ? NULL : calloc(count, size);
    blocks += block != NULL;
    return block;
}

static void *failing_realloc(void *old, size_t size)
{
    void *block = fails() ? NULL : realloc(old, size);
    blocks += block != NULL && old == NULL;
    return block;
}

static void failing_free(void *block)
{
    blocks -= block != NULL;
    free(block);
}

#define malloc  failing_malloc
#define calloc  failing_calloc
#define realloc failing_realloc
#define free    failing_free
#include "lang/lexer.c"
#include "lang/sugar.c"
#include "lang/sugar_emit.c"
#include "lang/sugar_expr.c"
#include "lang/sugar_stat.c"
#include "lang/sugar_state.c"
#undef malloc
#undef calloc
#undef realloc
#undef free

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h> /* behind the sources: its macros have common names */

static const char source[] =
    "local x <const>, y = a[:2, i:j, nil], f(x, dim=0, end=1)\n"
    "if x == y and not m then w -= lr * g @ h else t.end[k, :] += 1 end\n"
    "for i = 1, 3 do function M.end(p, q) return p < q, p ** q end x:while(1) goto l ::l:: end\n";

/* Many names, tokens, nodes and pieces, so that every array grows. */
static char *long_source(void)
{
    size_t room = 40000, len = 0;
    char *text = malloc(room);
    assert_non_null(text);
    for (int i = 0; i < 300; i++)
        len += (size_t)snprintf(text + len, room - len,
                                "do local v%d = f(g%d == h%d, k = v%d) v%d += 1 end\n", i, i, i, i, i);
    snprintf(text + len, room - len, "%s", source);
    return text;
}

static void check_failures(const char *text, bool cell)
{
    SugarOptions options = {NULL, cell};
    SugarError err;
    SugarCell about;
    size_t len;
    char *out = NULL;
    for (int n = 0; !out; n++) {
        until_failure = n;
        out = sugar_translate_with(text, strlen(text), "=test", &options, &len, &err, &about);
        bool failed = until_failure < 0;
        until_failure = -1;
        if (out)
            assert_false(failed);
        else
            assert_string_equal(err.message, "not enough memory");
        assert_int_equal(blocks, out != NULL);
    }
    failing_free(out);
}

static void test_translation(void **state)
{
    char *text = long_source();
    (void)state;
    check_failures(source, false);
    check_failures(text, false);
    check_failures(text, true);
    check_failures("\x1bLua", false);
    free(text);
}

static void test_cell_end_without_memory(void **state)
{
    char *text = long_source();
    (void)state;
    for (int n = 0; n < 40; n++) {
        until_failure = n;
        assert_true(sugar_cell_end(text, strlen(text)) <= strlen(text));
        until_failure = -1;
        assert_int_equal(blocks, 0);
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_translation),
        cmocka_unit_test(test_cell_end_without_memory),
    };
    return cmocka_run_group_tests_name("sugar_memory", tests, NULL, NULL);
}
