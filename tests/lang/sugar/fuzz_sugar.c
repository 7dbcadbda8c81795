/* A libFuzzer target for the translator, with stock Lua as the judge. What must hold for every text:
 *   - nothing crashes, hangs or leaks, and line ends are kept;
 *   - what Lua accepts is accepted, and its translation, as a chunk and as a cell, is accepted by Lua;
 *   - where Lua wants more text, the error says incomplete, unless the text is complete in Tide's grammar;
 *   - no translation has a syntax error for Lua;
 *   - the end of the first cell lies within the text, and what ends there is no mere beginning. */
#include "lang/sugar.h"

#include <lauxlib.h>
#include <lua.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static lua_State *lua;

static void finding(const char *what, const char *src, size_t len, const char *out)
{
    fprintf(stderr, "finding: %s\n---- source\n%.*s\n---- translation\n%s\n", what, (int)len, src,
            out ? out : "");
    abort();
}

/* NULL if Lua accepts the text, else its message, valid until the next call. */
static const char *refusal(const char *src, size_t len)
{
    lua_settop(lua, 0);
    return luaL_loadbufferx(lua, src, len, "=fuzz", "t") == LUA_OK ? NULL : lua_tostring(lua, -1);
}

static bool has(const char *message, const char *part)
{
    return message && strstr(message, part);
}

/* Lua's own sign that more text could help; the text itself may contain the words. */
static bool ends_at_eof(const char *message)
{
    size_t n = message ? strlen(message) : 0;
    return n >= 5 && strcmp(message + n - 5, "<eof>") == 0;
}

static bool is_syntax_error(const char *message)
{
    return has(message, " expected near ") || has(message, "unexpected symbol near ") ||
           has(message, "syntax error near ") || has(message, " expected (to close ");
}

/* Limits of Lua's own compiler that longer text may reach. */
static bool is_limit(const char *message)
{
    return has(message, "overflow") || has(message, "too many") || has(message, "too long") ||
           has(message, "limit");
}

static size_t count_lines(const char *s, size_t len)
{
    size_t n = 0;
    for (size_t i = 0; i < len; i++)
        n += s[i] == '\n';
    return n;
}

static void check_chunk(const char *src, size_t len)
{
    SugarError err;
    size_t out_len = 0;
    char *out = sugar_translate(src, len, "=fuzz", &out_len, &err);
    const char *plain = refusal(src, len);
    bool accepted = !plain, wants_more = ends_at_eof(plain), limit = is_limit(plain);
    if (!out) {
        if (accepted)
            finding(err.message, src, len, NULL);
        if (wants_more && !limit && !err.incomplete)
            finding("not incomplete", src, len, err.message);
        return;
    }
    if (strlen(out) > out_len || count_lines(out, out_len) != count_lines(src, len))
        finding("lines", src, len, out);
    const char *translated = refusal(out, out_len);
    if (translated && !is_limit(translated)) {
        if (accepted || is_syntax_error(translated))
            finding(translated, src, len, out);
    }
    free(out);
}

static void check_cell(const char *src, size_t len)
{
    SugarError err;
    SugarCell cell;
    size_t out_len;
    bool accepted = !refusal(src, len);
    char *out = sugar_translate_cell(src, len, "=fuzz", &out_len, &err, &cell);
    if (!out && accepted && !has(err.message, "const variable"))
        finding(err.message, src, len, NULL);
    const char *translated = out ? refusal(out, out_len) : NULL;
    if (translated && !is_limit(translated) && (accepted || is_syntax_error(translated)))
        finding(translated, src, len, out);
    free(out);
}

static void check_cell_end(const char *src, size_t len)
{
    SugarError err;
    SugarCell cell;
    size_t out_len, n = sugar_cell_end(src, len);
    if (n > len)
        finding("cell end", src, len, NULL);
    char *out = sugar_translate_cell(src, n ? n : len, "=fuzz", &out_len, &err, &cell);
    if (n && !out && err.incomplete)
        finding("the cell is incomplete", src, n, err.message);
    if (!n && len && (out || !err.incomplete))
        finding("no cell, but it is complete", src, len, out);
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!lua)
        lua = luaL_newstate();
    char *src = malloc(size + 1); /* exact size but for the NUL: sanitizers see reads past the end */
    if (!lua || !src)
        return 0;
    memcpy(src, data, size);
    src = realloc(src, size ? size : 1);
    if (size == 0 || src[0] != '\x1b') {
        check_chunk(src, size);
        check_cell(src, size);
        check_cell_end(src, size);
    }
    free(src);
    return 0;
}
