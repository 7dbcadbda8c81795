/* The Lua face when memory runs out: every tensor allocation of some lines of Lua fails once, the first, the second, …
 * Each time the line must end in PyTorch's error or, after a collection, well; and afterwards it must work. */
#include "engine/engine.h"
#include "lang/lang.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <lauxlib.h>

enum { MOST_ALLOCATIONS = 40 };

static const char *const chunks[] = {
    "local a = torch.ones(3) + 1; return a:sum():item() == 6",
    "local a = torch.tensor({{1, 2}, {3, 4}}); return a[{0, 1}]:item() == 2",
    "local a = torch.arange(6):view(2, 3); return #a['1:, ::2']:tolist()[1] == 2",
    "local a = torch.zeros(3); a[a:eq(0)] = 2; return a:sum():item() == 6",
    "local a, i = torch.tensor({1, 3, 2}):max(0); return i:item() == 1",
    "local t = torch.arange(5):split(2); return #t == 3",
    "return #torch.where(torch.tensor({0, 1})) == 1",
    "local w = torch.ones(2, {requires_grad = true}); (w * w):sum():backward(); return w.grad[0]:item() == 2",
    "local w = torch.ones(2, {requires_grad = true}); return torch.autograd.grad((w ^ 3):sum(), "
    "{w})[1][1]:item() == 3",
    "local w = torch.ones(1, {requires_grad = true}); w:register_hook(function(g) return g * 2 end); "
    "w:sum():backward(); "
    "return w.grad:item() == 2",
    "return tostring(torch.ones(2, 2)) ~= nil and torch.repr({torch.rand(2)}) ~= nil",
    "return torch.cat({torch.ones(2), torch.zeros(2)}):std() ~= nil",
};

static int run(lua_State *L, const char *chunk)
{
    assert_int_equal(lang_load(L, chunk, strlen(chunk), "=test"), LUA_OK);
    return lua_pcall(L, 0, 1, 0);
}

static void every_allocation_fails_once(void **state)
{
    lua_State *L = *state;
    for (size_t c = 0; c < sizeof chunks / sizeof *chunks; c++) {
        for (int n = 1; n <= MOST_ALLOCATIONS; n++) {
            memory_trim();
            memory_fail_after(n);
            int status = run(L, chunks[c]);
            memory_fail_after(0);
            if (status == LUA_OK)
                assert_true(lua_toboolean(L, -1));
            else
                assert_non_null(strstr(lua_tostring(L, -1), "can't allocate memory"));
            lua_pop(L, 1);
            assert_false(tide_failed());
        }
        assert_int_equal(run(L, chunks[c]), LUA_OK);
        assert_true(lua_toboolean(L, -1));
        lua_pop(L, 1);
    }
}

static int open_state(void **state)
{
    *state = lang_open();
    return *state == NULL;
}

static int close_state(void **state)
{
    lua_close(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_allocation_fails_once, open_state, close_state),
    };
    return cmocka_run_group_tests_name("memory runs out under Lua", tests, NULL, NULL);
}
