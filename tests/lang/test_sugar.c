/* The translator: exact output, what stays untouched, errors, cells, where cells end, memory running out, and
 * the behaviour of translated programs (tests/lang/sugar/behaviour.lua, on symbolic tensors). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include "lang/sugar.h"
#include "tests/lang/sugar_model.h"

#define HEADER "local __tide=require\"torch\".__sugar; "

/* Fails the test with both texts unless they are equal. */
static void same_text(const char *source, const char *got, const char *wanted)
{
    if (strcmp(got, wanted) != 0)
        fail_msg("%s\n  got    %s\n  wanted %s", source, got, wanted);
}

static void check_translation(const char *source, const char *wanted)
{
    size_t len;
    SugarError err;
    char expected[2048];
    char *out = sugar_translate(source, strlen(source), "=test", &len, &err);
    bool header = strstr(wanted, "__tide") && !strstr(wanted, "local __tide");
    snprintf(expected, sizeof expected, "%s%s", header ? HEADER : "", wanted);
    if (!out)
        fail_msg("%s\n  %d:%d: %s", source, err.line, err.column, err.message);
    same_text(source, out, expected);
    assert_int_equal(len, strlen(expected));
    free(out);
}

static void test_goldens(void **state)
{
    static const char *const rows[][2] = {
        {"x = a[0, 1]", "x = a[{0, 1}]"},
        {"x = a[:2, 1:, ::2]", "x = a[\":2, 1:, ::2\"]"},
        {"x = a[ -1: , : ]", "x = a[ \"-1:, :\" ]"},
        {"x = a[..., :2]", "x = a[\"..., :2\"]"},
        {"x = a[:2,\n1:] -- c", "x = a[\":2, 1:\"\n] -- c"},
        {"x = a[:2, -- rows\n1:]", "x = a[\":2, 1:\" -- rows\n]"},
        {"x = a[i:j, idx, nil]", "x = a[{__tide.s(i, j), idx, nil, n = 3}]"},
        {"x = a[i:j]", "x = a[__tide.s(i, j)]"},
        {"x = a[i:, 0]", "x = a[{__tide.s(i, nil), 0}]"},
        {"x = a[:f(), 0]", "x = a[{__tide.s(nil, f(), nil), 0}]"},
        {"x = a[i:j:k]", "x = a[__tide.s(i, j, k)]"},
        {"x = a[i::k]", "x = a[__tide.s(i, nil, k)]"},
        {"x = a[i:j:]", "x = a[__tide.s(i, j, nil)]"},
        {"x = a[i::]", "x = a[__tide.s(i, nil, nil)]"},
        {"x = a[:j:k]", "x = a[__tide.s(nil, j, k)]"},
        {"x = a[0x10:]", "x = a[__tide.s(0x10, nil)]"},
        {"x = a[i:nil]", "x = a[__tide.s(i, nil)]"},
        {"x = a[x:not(y)]", "x = a[__tide.s(x, not(__tide.truth(y)))]"},
        {"x = a[n-1:m-1]", "x = a[__tide.s(n-1, m-1)]"},
        {"x = a[x:f(y)]", "x = a[x:f(y)]"},
        {"x = a[x:(f(y))]", "x = a[__tide.s(x, (f(y)))]"},
        {"x = a[{0, 2}, :]", "x = a[{{0, 2}, \":\"}]"},
        {"x = a[0,]", "x = a[{0,}]"},
        {"x = a[m,]", "x = a[{m, n = 1,}]"},
        {"function f() return a[...] end", "function f() return a[\"...\"] end"},
        {"a[:2], b[i:] = 1, 2", "a[\":2\"], b[__tide.s(i, nil)] = 1, 2"},
        {"x = a @ b * c @ d", "x = __tide.matmul(__tide.matmul(a, b) * c, d)"},
        {"x = a<b", "x = __tide.lt(a, b)"},
        {"x = a < b, a <= b, a > b, a >= b, a == b, a ~= b, a != b",
         "x = __tide.lt(a, b), __tide.le(a, b), __tide.gt(a, b), __tide.ge(a, b), __tide.eq(a, b), "
         "__tide.ne(a, b), "
         "__tide.ne(a, b)"},
        {"x = m == true", "x = __tide.eq(m, true)"},
        {"if a < b then end", "if a < b then end"},
        {"if a == b or a != c then end", "if __tide.is_eq(a, b) or __tide.is_ne(a, c) then end"},
        {"if a != nil then end", "if a ~= nil then end"},
        {"while f(x) do end", "while __tide.truth(f(x)) do end"},
        {"if (a + b) then end", "if (__tide.truth(a + b)) then end"},
        {"if f(a == b) == t[c == d] then end",
         "if __tide.is_eq(f(__tide.eq(a, b)), t[__tide.eq(c, d)]) then end"},
        {"x = (a == b) and c or d == e", "x = (__tide.is_eq(a, b)) and c or __tide.eq(d, e)"},
        {"x = not a, not (a < b)", "x = not __tide.truth(a), not (a < b)"},
        {"x = a --[[c]] == --[[d]] b", "x = __tide.eq(a --[[c]] , --[[d]] b)"},
        {"if(a)(b)then f{x}end", "if __tide.truth((a)(b))then f{x}end"},
        {"x = a\n==\nb", HEADER "x = __tide.eq(a\n,\nb)"},
        {"f(x, dim=0, keepdim=true)", "f(x, {dim=0, keepdim=true})"},
        {"f(dim=0)", "f({dim=0})"},
        {"f(x, end=0)", "f(x, {[\"end\"]=0})"},
        {"w -= lr * g", "w = __tide.sub_(w, lr * g, \"global 'w'\")"},
        {"local n = 0 n += 1 n *= n + 2", "local n = 0 n = n + 1 n = n * (n + 2)"},
        {"t.x[i] /= 2", "__tide.div_at(t.x, i, 2, \"field 'x'\")"},
        {"f().x += g()", "__tide.add_at(f(), \"x\", g(), nil)"},
        {"a[:, i] += 1", "__tide.add_at(a, {\":\", i, n = 2}, 1, \"global 'a'\")"},
        {"x = a ** 2 ** b", "x = a ^ 2 ^ b"},
        {"x = b:repeat(4, 1)", "x = b:rep(4, 1)"},
        {"x = t.end.x", "x = t[\"end\"].x"},
        {"t.end.in = 1", "t[\"end\"][\"in\"] = 1"},
        {"t:end(1):in()", "__tide.method(__tide.method(t, \"end\", 1), \"in\")"},
        {"function M.end(x) end", "M[\"end\"] = function(x) end"},
        {"function M.a:end() end", "M.a[\"end\"] = function(self) end"},
        {"__tide = a @ b", "local __tide1=require\"torch\".__sugar; __tide = __tide1.matmul(a, b)"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check_translation(rows[i][0], rows[i][1]);
}

static void test_untouched(void **state)
{
    static const char *const rows[] = {
        "",
        "   \n\n",
        "-- only a comment",
        "--[==[ long\n]] ]==] x = 1",
        "\r\nlocal x = 1\r\n-- c\r\nreturn x\r\n",
        "for i = 1, 10 do if i % 2 == 0 then print(i) end end",
        "local i, n = 0, 10 while i < n do i = i + 1 end return i == n",
        "local s <const> = 'x' local c <close> = nil return #s == 1, s == 'y', s ~= nil, x == nil",
        "goto done; ::done:: ::again::; local t = {[1] = 2; 3, x = 4,}",
        "x = 1 // 2 ~ 3 & 4 | 5 << 6 >> 7 .. 8 ^ -9 % ~10",
        "x = {0x1p4, 0xA.8p-2, 3., .5, 1e+10, 0xffffffffffffffff, 3e-2}",
        "x = 'a\\z  \n  b\\x41\\u{7FFFFFFF}\\065\\\n' .. [==[ ]] ]==]",
        "f{a = 1}{b}'s'\"t\"[[u]] a.b:c{} (g or h)(...)",
        "if type(x) == 'number' and x < 3 or x >= y then return end",
        "return function(...) local a, b = ... return a[...], select('#', ...) end",
        "repeat local ok = #x < 1 until ok or x ~= nil",
        "x = a and b or c",
        "\x1bLua binary == \x01",
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check_translation(rows[i], rows[i]);
}

/* A first line for the operating system is skipped in files, and the alias comes behind it. */
static void test_first_line(void **state)
{
    static const char src[] = "\xEF\xBB\xBF#!/usr/bin/env tide\nreturn a @ b\n";
    size_t len;
    SugarError err;
    (void)state;
    char *out = sugar_translate(src, strlen(src), "@file.lua", &len, &err);
    assert_non_null(out);
    same_text(src, out, "\xEF\xBB\xBF#!/usr/bin/env tide\n" HEADER "return __tide.matmul(a, b)\n");
    assert_int_equal(sugar_skip_prefix(out, len), 22);
    free(out);
    assert_null(sugar_translate("#x", 2, "=text", &len, &err));
    same_text("#x", err.message, "unexpected symbol near '#'");
}

static void test_errors(void **state)
{
    static const struct {
        const char *source;
        int line, column;
        bool incomplete;
        const char *message;
    } rows[] = {
        {"x = = 2", 1, 5, false, "unexpected symbol near '='"},
        {"x y", 1, 3, false, "syntax error near 'y'"},
        {"local x = 1\n  y z", 2, 5, false, "syntax error near 'z'"},
        {"x = 3x", 1, 5, false, "malformed number near '3x'"},
        {"x = 'a\\qb'", 1, 5, false, "invalid escape sequence near ''a\\q'"},
        {"x = 'ab\n'", 1, 5, false, "unfinished string near ''ab'"},
        {"if x then\n\nend end", 3, 5, false, "<eof> expected near 'end'"},
        {"f(\n1\n", 3, 1, true, "')' expected (to close '(' at line 1) near <eof>"},
        {"for i do", 1, 7, false, "'=' or 'in' expected near 'do'"},
        {"x = a[1:2:3:4]", 1, 12, false, "']' expected near ':'"},
        {"x = a[,]", 1, 7, false, "unexpected symbol near ','"},
        {"f(x, dim=0, 1)", 1, 13, false, "positional argument follows named argument near '1'"},
        {"f(dim=0, dim=1)", 1, 10, false, "named argument repeated: 'dim'"},
        {"f(dim=0,)", 1, 9, false, "<name> expected near ')'"},
        {"a, b += 1", 1, 6, false, "'=' expected near '+='"},
        {"f() += 1", 1, 5, false, "syntax error near '+='"},
        {"x = a @", 1, 8, true, "unexpected symbol near <eof>"},
        {"x = a[:2", 1, 9, true, "']' expected near <eof>"},
        {"w -=", 1, 5, true, "unexpected symbol near <eof>"},
        {"x = [[a\nb", 2, 2, true, "unfinished long string (starting at line 1) near <eof>"},
        {"--[[ c", 1, 7, true, "unfinished long comment (starting at line 1) near <eof>"},
        {"if x then", 1, 10, true, "'end' expected near <eof>"},
        {"x = \xC3\xA9", 1, 5, false, "unexpected symbol near '<\\195>'"},
        {"x = a !b", 1, 7, false, "unexpected symbol near '!'"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t len;
        SugarError err;
        char *out = sugar_translate(rows[i].source, strlen(rows[i].source), "=test", &len, &err);
        if (out)
            fail_msg("%s\n  translated: %s", rows[i].source, out);
        same_text(rows[i].source, err.message, rows[i].message);
        assert_int_equal(err.line, rows[i].line);
        assert_int_equal(err.column, rows[i].column);
        assert_int_equal(err.incomplete, rows[i].incomplete);
    }
}

static void test_cells(void **state)
{
    static const struct {
        const char *source, *wanted;
        bool value, silent;
    } rows[] = {
        {"1 + 1", "return 1 + 1", true, false},
        {"x = 1; x + 1 -- two", "x = 1; return x + 1 -- two", true, false},
        {"x + 1;", "return x + 1;", true, true},
        {"x + 1;;", "return x + 1;", true, true},
        {"a.shape, b", "return a.shape, b", true, false},
        {"f(x)", "local __tide_c <close> = nil return f(x)", true, false},
        {"f(x), 1", "return f(x), 1", true, false},
        {"x = 1;", "x = 1;", false, false},
        {"1 2", NULL, false, false},
        {"1; f(); 2", "do local _ = 1 end; f(); return 2", true, false},
        {"x\ny", "do local _ = x end\nreturn y", true, false},
        {"x = f#y", "x = f return #y", true, false},
        {"return 1, 2", "return 1, 2", true, false},
        {"function (x) return x end", "return function (x) return x end", true, false},
        {"not x", HEADER "return not __tide.truth(x)", true, false},
        {"a[...]", "return a[\"...\"]", true, false},
        {"function f(...) return a[...] end", "function f(...) return a[...] end", false, false},
        {"local x = 1", "x = 1", false, false},
        {"local x", "x = nil", false, false},
        {"local x <const>, y = 1, 2", "x, y = 1, 2", false, false},
        {"local function f() local y = 1 end", "function f() local y = 1 end", false, false},
        {"x = 1 local y = 2", "x = 1 y = 2", false, false},
        {"do local x = 1 end", "do local x = 1 end", false, false},
        {"local x <close> = f() x = 1", "local x <close> = f() x = 1", false, false},
        {"a, b = b, a", "a, b = b, a", false, false},
        {"x += 1", HEADER "x = __tide.add_(x, 1, \"global 'x'\")", false, false},
        {"a + b = 1", NULL, false, false},
        {"local x <const> = 1; x = 2", NULL, false, false},
        {"local x <const> = 1; do x += 2 end", NULL, false, false},
        {"local x <konst> = 1", NULL, false, false},
        {"", "", false, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t len;
        SugarError err;
        SugarCell cell;
        const char *src = rows[i].source;
        char *out = sugar_translate_cell(src, strlen(src), "=cell", &len, &err, &cell);
        same_text(src, out ? out : "error", rows[i].wanted ? rows[i].wanted : "error");
        if (out && (cell.value != rows[i].value || cell.silent != rows[i].silent))
            fail_msg("%s: value %d, silent %d", src, cell.value, cell.silent);
        if (!out && strstr(src, "const> = 1"))
            same_text(src, err.message, "attempt to assign to const variable 'x'");
        free(out);
    }
}

/* Piped text, its cells apart by `|`. */
static void test_cell_ends(void **state)
{
    static const char *const rows[] = {
        "x = 1\n|(f or g)(2)\n|",
        "\n|\n|x = 1",
        "for i = 1, 3 do\n  print(i)\nend\n|x = 5\n|x\n|",
        "x =\n1\n|+ 2\n|",
        "f(\n1,\n2)\n|.y\n|",
        "x = {\n1,\n}\n|{1}\n|",
        "function f()\n\nend\n|",
        "repeat\nx = 1\nuntil\nx\n|== 2\n|",
        "x = [[\n\n]]\n|",
        "x = 1 --[[ a\nb ]] y = 2\n|z\n|",
        "-- comment\n|x = 1 -- more\n|",
        "x = = 2\n|y\n|",
        "x = (1 +\n= 2)\n|y = 1\n|",
        "local x\n|= 5\n|",
        "return\n|5\n|",
        "a, b\n|= 1, 2\n|",
        "a,\nb = 1, 2\n|",
        "local c <const> = 1; c,\nb = 1, 2\n|",
        "x = 'ab\n|y\n|",
        "if x then\n1 1\n|end\n|",
        "x = 1;\n|;\n|",
        "\r\n|x = 1\r\n|y\r\n|",
        "local x <const> = 1\n|local function f()\nend\n|",
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[256], got[256] = "";
        size_t len = 0, at = 0;
        for (const char *s = rows[i]; *s; s++)
            if (*s != '|')
                text[len++] = *s;
        while (at < len) {
            size_t n = sugar_cell_end(text + at, len - at);
            assert_true(n > 0 && n <= len - at);
            at += n;
            snprintf(got + strlen(got), sizeof got - strlen(got), "%.*s%s", (int)n, text + at - n,
                     text[at - 1] == '\n' ? "|" : "");
        }
        same_text(text, got, rows[i]);
    }
    static const char *const beginnings[] = {"if x then\n", "f(\n", "x = [[\n", "x =\n", "a.\n", "--[[\n"};
    for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++)
        assert_int_equal(sugar_cell_end(beginnings[i], strlen(beginnings[i])), 0);
}

/* 200 variables at the top level leave no room for the alias. */
static void test_full_scope(void **state)
{
    char src[4000] = "";
    size_t len;
    SugarError err;
    (void)state;
    for (int i = 0; i < 200; i++)
        snprintf(src + strlen(src), sizeof src - strlen(src), "local v%d ", i);
    strcat(src, "return a @ ...");
    char *out = sugar_translate(src, strlen(src), "=test", &len, &err);
    assert_non_null(out);
    assert_non_null(strstr(out, "local __tide=require\"torch\".__sugar;return(function(...) local v0 "));
    lua_State *L = luaL_newstate();
    assert_int_equal(luaL_loadbuffer(L, out, len, "=test"), LUA_OK);
    lua_close(L);
    free(out);
}

/* Chains and nests at the limits of Lua's own parser stay acceptable to it, and hostile ones end in an error.
 * */
static void test_depth(void **state)
{
    static const struct {
        const char *before, *unit, *after;
        int count;
        bool accepted;
    } rows[] = {
        {"x = a", " == a", "", 5000, true},
        {"x = ", "(a == ", "a", 100000, false},
        {"x = a", "[a[0, 1], 2]", "", 1000, true},
        {"x = ", "a[0, ", "1", 100000, false},
        {"x = ", "-", "1", 100000, false},
        {"", "if a then ", "", 100000, false},
        {"x = ", "{", "", 100000, false},
        {"x = a", " @ a", "", 100, true},
        {"x = a", " @ a", "", 100000, false},
        {"x = ", "not ", "a", 150, true},
        {"", "a,", "a = 1", 150, true},
    };
    (void)state;
    lua_State *L = luaL_newstate();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t n = strlen(rows[i].unit), len = 0, out_len;
        char *src = malloc(n * (size_t)rows[i].count + 64);
        SugarError err;
        len += (size_t)sprintf(src, "%s", rows[i].before);
        for (int k = 0; k < rows[i].count; k++, len += n)
            memcpy(src + len, rows[i].unit, n);
        len += (size_t)sprintf(src + len, "%s", rows[i].after);
        char *out = sugar_translate(src, len, "=deep", &out_len, &err);
        assert_int_equal(out != NULL, rows[i].accepted);
        if (out && luaL_loadbuffer(L, out, out_len, "=deep") != LUA_OK)
            fail_msg("%s...: %s", rows[i].unit, lua_tostring(L, -1));
        free(out);
        free(src);
    }
    lua_close(L);
}

/* 10,000 lines in well under 50 ms; a generous bound, since sanitised builds and busy machines are slow. */
static void test_speed(void **state)
{
    static const char unit[] =
        "f = function(x, y)\n  if x == 1 and y ~= nil then\n    w[:2, i] -= lr * g @ h\n  end\n"
        "  return torch.sum(x > 0, dim=1), x[\"k\"] -- note\nend\n";
    size_t n = strlen(unit), len, total = n * 1667;
    SugarError err;
    char *src = malloc(total);
    (void)state;
    for (size_t i = 0; i < total; i += n)
        memcpy(src + i, unit, n);
    clock_t start = clock();
    char *out = sugar_translate(src, total, "=speed", &len, &err);
    double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
    if (!out)
        fail_msg("%d: %s", err.line, err.message);
    assert_true(seconds < 1.0);
    free(out);
    free(src);
}

/* A Lua with the module `sugar`. */
static lua_State *new_lua(void)
{
    lua_State *L = luaL_newstate();
    assert_non_null(L);
    luaL_openlibs(L);
    luaL_requiref(L, "sugar", luaopen_sugar, 0);
    lua_settop(L, 0);
    return L;
}

static void test_behaviour(void **state)
{
    (void)state;
    lua_State *L = new_lua();
    if (luaL_dofile(L, "tests/lang/sugar/behaviour.lua") != LUA_OK)
        fail_msg("%s", lua_tostring(L, -1));
    assert_int_equal(lua_tointeger(L, -1), 0);
    lua_close(L);
}

/* What fuzzing has found worth keeping; a sanitised build watches. */
static void test_corpus(void **state)
{
    static const char script[] =
        "local sugar = require 'sugar'\n"
        "for _, text in ipairs(dofile 'tests/lang/sugar/corpus.lua') do\n"
        "  sugar.translate(text) sugar.translate(text, '=cell', true) sugar.cell_end(text)\n"
        "end";
    (void)state;
    lua_State *L = new_lua();
    if (luaL_dostring(L, script) != LUA_OK)
        fail_msg("%s", lua_tostring(L, -1));
    lua_close(L);
}

/* Random programs do what a reference spelling of theirs does. */
static void test_random_programs(void **state)
{
    (void)state;
    lua_State *L = new_lua();
    if (luaL_dofile(L, "tests/lang/sugar/generate.lua") != LUA_OK)
        fail_msg("%s", lua_tostring(L, -1));
    lua_pushinteger(L, 1);
    lua_pushinteger(L, 500);
    if (lua_pcall(L, 2, 1, 0) != LUA_OK)
        fail_msg("%s", lua_tostring(L, -1));
    assert_int_equal(lua_tointeger(L, -1), 0);
    lua_close(L);
}

/* The user's page shows every form with its plain spelling. */
static void test_documented(void **state)
{
    char text[65536];
    FILE *f = fopen("docs/syntax.md", "rb");
    (void)state;
    assert_non_null(f);
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    fclose(f);
    for (const SugarForm *s = sugar_forms; s->form; s++) {
        if (!strstr(text, s->before))
            fail_msg("docs/syntax.md does not show %s", s->before);
        if (!strstr(text, s->after))
            fail_msg("docs/syntax.md does not show %s", s->after);
        assert_true(s->doc[0] != '\0');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_goldens),         cmocka_unit_test(test_untouched),
        cmocka_unit_test(test_first_line),      cmocka_unit_test(test_errors),
        cmocka_unit_test(test_cells),           cmocka_unit_test(test_cell_ends),
        cmocka_unit_test(test_full_scope),      cmocka_unit_test(test_depth),
        cmocka_unit_test(test_speed),           cmocka_unit_test(test_behaviour),
        cmocka_unit_test(test_random_programs), cmocka_unit_test(test_corpus),
        cmocka_unit_test(test_documented),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
