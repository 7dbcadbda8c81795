/* llibrary.c - the module table torch: everything in C, then the embedded Lua files. */
#include "lang/bind.h"
#include "lang/embed.h"
#include "lang/lang.h"
#include "lang/library.h"
#include "lang/lnn.h"
#include "lang/lstore.h"
#include "lang/teach.h"

#include <string.h>

static const char environment_key; /* registry: the library's own _ENV */

/* ---- the embedded files: require "torch.nn.module" is the file nn/module ---- */

static const EmbeddedFile *find_embedded(const char *name)
{
    char path[128];
    size_t n = strlen(name);
    if (n >= sizeof path)
        return NULL;
    for (size_t i = 0; i <= n; i++)
        path[i] = name[i] == '.' ? '/' : name[i];
    for (const EmbeddedFile *f = tide_embedded; f->name; f++)
        if (strcmp(f->name, path) == 0)
            return f;
    return NULL;
}

/* Library code has a global environment of its own, filled from the standard libraries before user code ran:
 * a user's `type = 3` must not break it. */
static void push_environment(lua_State *L)
{
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &environment_key) == LUA_TTABLE)
        return;
    lua_pop(L, 1);
    lua_newtable(L);
    lua_pushglobaltable(L);
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
        lua_pushvalue(L, -2);
        lua_pushvalue(L, -2);
        lua_rawset(L, -6);
    }
    lua_pop(L, 1);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &environment_key);
}

bool load_embedded(lua_State *L, const char *name)
{
    const EmbeddedFile *f = find_embedded(name);
    if (!f)
        return false;
    const char *chunkname = lua_pushfstring(L, "=[torch]%s", f->name);
    if (luaL_loadbufferx(L, f->bytes, f->length, chunkname, "t") != LUA_OK)
        lua_error(L);
    lua_remove(L, -2);
    push_environment(L);
    lua_setupvalue(L, -2, 1);
    return true;
}

static int embedded_searcher(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    if (strncmp(name, "torch.", 6) != 0)
        return 0; /* no word in require's message where this searcher was never meant */
    if (!load_embedded(L, name + 6)) {
        lua_pushfstring(L, "no file '%s' inside torch", name);
        return 1;
    }
    lua_pushfstring(L, "[torch]%s", name + 6);
    return 2;
}

/* Puts the searcher before those that look at files, behind package.preload. */
static void add_searcher(lua_State *L)
{
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    if (lua_getfield(L, -1, "package") == LUA_TTABLE && lua_getfield(L, -1, "searchers") == LUA_TTABLE) {
        lua_Integer n = (lua_Integer)lua_rawlen(L, -1);
        for (lua_Integer i = n; i >= 2; i--) {
            lua_rawgeti(L, -1, i);
            lua_rawseti(L, -2, i + 1);
        }
        lua_pushcfunction(L, embedded_searcher);
        lua_rawseti(L, -2, 2);
        lua_pop(L, 1);
    }
    lua_pop(L, 2);
}

/* ---- the table ---- */

static void fill_table(lua_State *L, int torch)
{
    Library lib = {.torch = torch};
    lua_newtable(L);
    lib.methods = lua_gettop(L);
    lua_newtable(L);
    lib.functional = lua_gettop(L);
    open_types(L, &lib);
    open_tensor(L, &lib);
    open_ops(L, &lib);
    open_overloads(L, &lib);
    open_memory(L, &lib);
    open_methods(L, &lib);
    open_create(L, &lib);
    open_random(L, &lib);
    open_autograd(L, &lib);
    open_device(L, &lib);
    open_sugar(L, &lib);
    open_nn(L, &lib);
    open_store(L, &lib);
    open_teach(L, &lib);
    open_help(L, &lib);
    open_places(L);
    lua_pushvalue(L, lib.methods);
    lua_setfield(L, torch, "_methods"); /* where the Lua library adds methods */
    lua_pushvalue(L, lib.functional);
    lua_setfield(L, torch, "_nn"); /* the rows that torch.nn.functional has and torch has not */
    lua_pushvalue(L, torch);
    lua_setfield(L, torch, "torch");
    lua_settop(L, torch);
}

static int missing_field(lua_State *L)
{
    Nearest near;
    const char *name = luaL_tolstring(L, 2, NULL);
    nearest_start(&near, name);
    for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1))
        if (lua_type(L, -2) == LUA_TSTRING && lua_tostring(L, -2)[0] != '_')
            nearest_try(&near, lua_tostring(L, -2));
    if (near.best)
        return raise_error(L, "AttributeError", "module 'torch' has no attribute '%s'. Did you mean: '%s'?",
                           name, near.best);
    return raise_error(L, "AttributeError", "module 'torch' has no attribute '%s'", name);
}

static int module_tostring(lua_State *L)
{
    lua_pushliteral(L, "<module 'torch'>");
    return 1;
}

/* After init.lua: a name that torch does not have is an error, unless init.lua looks names up itself. */
static void guard_fields(lua_State *L, int torch)
{
    if (!lua_getmetatable(L, torch))
        lua_newtable(L);
    lua_pushliteral(L, "__index");
    if (lua_rawget(L, -2) == LUA_TNIL) {
        lua_pushcfunction(L, missing_field);
        lua_setfield(L, -3, "__index");
    }
    lua_pop(L, 1);
    lua_pushcfunction(L, module_tostring);
    lua_setfield(L, -2, "__tostring");
    lua_setmetatable(L, torch);
}

int luaopen_torch(lua_State *L)
{
    luaL_checkversion(L);
    lua_newtable(L);
    int torch = lua_gettop(L);
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    lua_pushvalue(L, torch);
    lua_setfield(L, -2, "torch"); /* the library's files require it while it is being made */
    lua_pop(L, 1);
    fill_table(L, torch);
    add_searcher(L);
    if (load_embedded(L, "init")) {
        lua_pushvalue(L, torch);
        lua_pushcfunction(L, missing_field);
        lua_call(L, 2, 0);
    }
    guard_fields(L, torch);
    collector_start(L);
    return 1;
}
