/* lcells.c - the prompt's guard: reading a global that no cell ever assigned is an error with a hint. */
#include "lang/bind.h"
#include "lang/cells.h"
#include "lang/lang.h"
#include "lang/lexer.h"

#include <string.h>

static const char cells_key; /* registry: set of the chunk names of cells */
static const char names_key; /* registry: names that cells declared (true) or assigned (the chunk name of the first) */

static bool reader_is_cell(lua_State *L, const char **chunkname)
{
    lua_Debug ar;
    if (!lua_getstack(L, 1, &ar))
        return false;
    lua_getinfo(L, "S", &ar);
    *chunkname = ar.source;
    if (ar.source[0] != '=' || lua_rawgetp(L, LUA_REGISTRYINDEX, &cells_key) != LUA_TTABLE)
        return false;
    lua_pushstring(L, ar.source);
    bool cell = lua_rawget(L, -2) != LUA_TNIL;
    lua_pop(L, 2);
    return cell;
}

/* Whether a cell declared the name at index 2, or one before the reader assigned it: then nil is its value. In
 * `x = x.y` nothing has been assigned when x is read. */
static bool was_assigned(lua_State *L, const char *reader)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &names_key);
    lua_pushvalue(L, 2);
    int type = lua_rawget(L, -2);
    bool known = type == LUA_TBOOLEAN || (type == LUA_TSTRING && strcmp(lua_tostring(L, -1), reader) != 0);
    lua_pop(L, 2);
    return known;
}

static const char *python_word(const char *name)
{
    static const char *const words[][2] = {{"True", "true"}, {"False", "false"}, {"None", "nil"},
                                           {"len", "#"},     {"elif", "elseif"}, {"null", "nil"},
                                           {"np", "torch"}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i][0], name) == 0)
            return words[i][1];
    return NULL;
}

/* _G's __index */
static int undefined_global(lua_State *L)
{
    const char *reader;
    if (lua_type(L, 2) != LUA_TSTRING || !reader_is_cell(L, &reader) || was_assigned(L, reader))
        return 0;
    const char *name = lua_tostring(L, 2), *better = python_word(name);
    if (!better) {
        Nearest near;
        nearest_start(&near, name);
        nearest_try(&near, "true");
        nearest_try(&near, "false");
        nearest_try(&near, "nil");
        for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1))
            if (lua_type(L, -2) == LUA_TSTRING)
                nearest_try(&near, lua_tostring(L, -2));
        better = near.best;
    }
    if (better)
        return raise_error(L, "NameError", "name '%s' is not defined. Did you mean: '%s'?", name, better);
    return raise_error(L, "NameError", "name '%s' is not defined", name);
}

void lang_forget_names(lua_State *L)
{
    lua_newtable(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &names_key);
}

void guard_globals(lua_State *L)
{
    lua_newtable(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &cells_key);
    lang_forget_names(L);
    lua_pushglobaltable(L);
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, undefined_global);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, -2);
    lua_pop(L, 1);
}

/* ---- the names a cell assigns ---- */

/* chunkname NULL: declared, known at once. A name that is in the set already stays as it is. */
static void add_name(lua_State *L, const char *source, const Token *t, const char *chunkname)
{
    lua_pushlstring(L, source + t->pos, t->end - t->pos);
    lua_pushvalue(L, -1);
    if (lua_rawget(L, -3) != LUA_TNIL && chunkname) {
        lua_pop(L, 2);
        return;
    }
    lua_pop(L, 1);
    if (chunkname)
        lua_pushstring(L, chunkname);
    else
        lua_pushboolean(L, true);
    lua_rawset(L, -3);
}

/* Adds to the set on top of the stack every name in "local a, b", "function f" and "a, b =" outside brackets. */
static void add_assigned(lua_State *L, const char *source, size_t length, const char *chunkname)
{
    enum { MOST_NAMES = 32 };
    Lexer lx;
    Token list[MOST_NAMES];
    int n = 0, depth = 0, before = 0;
    bool declared = false; /* the names follow `local` or `function` */
    lexer_init(&lx, source, (uint32_t)length, 0);
    for (Token t = lexer_next(&lx); t.kind != T_EOS && t.kind != T_ERROR; t = lexer_next(&lx)) {
        if (t.kind == T_NAME && depth == 0 && before != '.' && before != ':') {
            if (declared)
                add_name(L, source, &t, NULL);
            else if (before == ',' && n > 0 && n < MOST_NAMES)
                list[n++] = t;
            else
                list[0] = t, n = 1;
        } else if (t.kind == '=' && depth == 0) {
            for (int i = 0; i < n; i++)
                add_name(L, source, &list[i], chunkname);
            n = 0;
        } else if (t.kind != ',') {
            n = 0;
        }
        depth += (t.kind == '(' || t.kind == '{' || t.kind == '[') -
                 (t.kind == ')' || t.kind == '}' || t.kind == ']');
        declared =
            t.kind == T_LOCAL || t.kind == T_FUNCTION || (declared && (t.kind == T_NAME || t.kind == ','));
        before = t.kind;
    }
}

void note_cell(lua_State *L, const char *source, size_t length, const char *chunkname)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &cells_key);
    lua_pushboolean(L, true);
    lua_setfield(L, -2, chunkname);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &names_key);
    if (length < UINT32_MAX)
        add_assigned(L, source, length, chunkname);
    lua_pop(L, 2);
}
