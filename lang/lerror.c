/* lerror.c - errors raised to Lua: "file:line: Kind: text", Python's words for types, the nearest known name.
 * */
#include "lang/bind.h"
#include "lang/teach.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Chunks of the embedded library are named "=[torch]…": an error belongs to the line that called it. */
static bool is_library(const lua_Debug *ar)
{
    return strncmp(ar->source, "=[torch]", 8) == 0;
}

void push_position(lua_State *L)
{
    lua_Debug ar;
    for (int level = 0; lua_getstack(L, level, &ar); level++) {
        lua_getinfo(L, "Sl", &ar);
        if (ar.currentline <= 0 || is_library(&ar))
            continue;
        lua_pushfstring(L, "%s:%d: ", ar.short_src, ar.currentline);
        return;
    }
    lua_pushliteral(L, "");
}

int raise_error(lua_State *L, const char *kind, const char *format, ...)
{
    char text[2048];
    va_list ap;
    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    scope_close(bind_base);
    push_position(L);
    lua_pushfstring(L, "%s: %s", kind, text);
    lua_concat(L, 2);
    lua_error(L);
    abort();
}

/* What the op behind the latest raised error was given, and that error's message. */
static OpFailure raised;
static char raised_note[sizeof((TideError *)0)->note];
static char raised_text[sizeof((TideError *)0)->text + 40];

static void note_raised(const TideError *e)
{
    const OpFailure *f = op_failure();
    raised_text[0] = '\0';
    if (!f && !e->note[0])
        return;
    if (f)
        raised = *f;
    else
        raised.noperand = 0;
    snprintf(raised_note, sizeof raised_note, "%s", e->note);
    snprintf(raised_text, sizeof raised_text, "%s: %s", e->kind, e->text);
}

const OpFailure *raised_failure(const char *message)
{
    return raised_text[0] && raised.noperand && strcmp(message, raised_text) == 0 ? &raised : NULL;
}

const char *raised_remark(const char *message)
{
    return raised_text[0] && raised_note[0] && strcmp(message, raised_text) == 0 ? raised_note : NULL;
}

int raise_pending(lua_State *L)
{
    scope_close(bind_base);
    const TideError *e = tide_error();
    note_raised(e);
    push_position(L);
    if (!e->kind)
        lua_pushliteral(L, "RuntimeError: the operation failed");
    else if (strcmp(e->kind, "KeyboardInterrupt") == 0)
        lua_pushstring(L, e->kind);
    else
        lua_pushfstring(L, "%s: %s", e->kind, e->text);
    tide_error_clear();
    lua_concat(L, 2);
    lua_error(L);
    abort();
}

const char *type_word(lua_State *L, int i)
{
    switch (lua_type(L, i)) {
    case LUA_TNONE:
    case LUA_TNIL: return "NoneType";
    case LUA_TBOOLEAN: return "bool";
    case LUA_TNUMBER: return lua_isinteger(L, i) ? "int" : "float";
    case LUA_TSTRING: return "str";
    case LUA_TTABLE: {
        if (luaL_getmetafield(L, i, "__name") == LUA_TSTRING) {
            const char *name = lua_tostring(L, -1); /* lives as long as the metatable does */
            lua_pop(L, 1);
            return name;
        }
        return "table";
    }
    case LUA_TUSERDATA:
        if (to_tensor(L, i))
            return "Tensor";
        if (luaL_getmetafield(L, i, "__name") == LUA_TSTRING) {
            const char *name = lua_tostring(L, -1);
            lua_pop(L, 1);
            return name;
        }
        return "userdata";
    default: return luaL_typename(L, i);
    }
}

/* ---- did you mean? ---- */

enum { LONGEST_NAME = 40 };

/* Edits (insert, delete, replace, swap neighbours) from a to b. */
static int edit_distance(const char *a, const char *b)
{
    int n = (int)strlen(a), m = (int)strlen(b);
    if (n > LONGEST_NAME || m > LONGEST_NAME)
        return LONGEST_NAME;
    int before[LONGEST_NAME + 1], row[LONGEST_NAME + 1], next[LONGEST_NAME + 1];
    for (int j = 0; j <= m; j++)
        row[j] = j;
    for (int i = 1; i <= n; i++) {
        next[0] = i;
        for (int j = 1; j <= m; j++) {
            int best = row[j - 1] + (a[i - 1] != b[j - 1]);
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (next[j - 1] + 1 < best)
                best = next[j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && before[j - 2] + 1 < best)
                best = before[j - 2] + 1;
            next[j] = best;
        }
        memcpy(before, row, sizeof row);
        memcpy(row, next, sizeof row);
    }
    return row[m];
}

void nearest_start(Nearest *n, const char *word)
{
    size_t length = strlen(word);
    /* a third of the letters may be wrong, and never all of them */
    *n = (Nearest){word, NULL, length < 3 ? 2 : (int)(length + 5) / 3};
}

void nearest_try(Nearest *n, const char *candidate)
{
    int d = edit_distance(n->word, candidate);
    /* among equals the first by the alphabet: tables come in no order */
    bool first = n->best && d == n->distance && strcmp(candidate, n->best) < 0;
    if ((d < n->distance || first) && d < (int)strlen(candidate)) {
        n->distance = d;
        n->best = candidate;
    }
}
