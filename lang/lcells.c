/* lcells.c - the prompt's guard: reading a global that no cell ever assigned is an error with a hint. */
#include "lang/bind.h"
#include "lang/cells.h"
#include "lang/lang.h"

#include <string.h>

static const char cells_key; /* registry: set of the chunk names of cells */
static const char names_key; /* registry: set of the globals ever assigned, perhaps nil */

static bool reader_is_cell(lua_State *L)
{
    lua_Debug ar;
    if (!lua_getstack(L, 1, &ar))
        return false;
    lua_getinfo(L, "S", &ar);
    if (ar.source[0] != '=' || lua_rawgetp(L, LUA_REGISTRYINDEX, &cells_key) != LUA_TTABLE)
        return false;
    lua_pushstring(L, ar.source);
    bool cell = lua_rawget(L, -2) != LUA_TNIL;
    lua_pop(L, 2);
    return cell;
}

/* Whether the name at index 2 was assigned: then nil is its value. */
static bool was_assigned(lua_State *L)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &names_key);
    lua_pushvalue(L, 2);
    bool known = lua_rawget(L, -2) != LUA_TNIL;
    lua_pop(L, 2);
    return known;
}

/* _G's __newindex: called for names that are not there, also when they are given nil. */
static int new_global(lua_State *L)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &names_key);
    lua_pushvalue(L, 2);
    lua_pushboolean(L, true);
    lua_rawset(L, -3);
    lua_settop(L, 3);
    lua_rawset(L, 1);
    return 0;
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
    if (lua_type(L, 2) != LUA_TSTRING || !reader_is_cell(L) || was_assigned(L))
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
    lua_createtable(L, 0, 2);
    lua_pushcfunction(L, undefined_global);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, new_global);
    lua_setfield(L, -2, "__newindex");
    lua_setmetatable(L, -2);
    lua_pop(L, 1);
}

void note_cell(lua_State *L, const char *chunkname)
{
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &cells_key) == LUA_TTABLE) { /* a stock interpreter guards nothing */
        lua_pushboolean(L, true);
        lua_setfield(L, -2, chunkname);
    }
    lua_pop(L, 1);
}
