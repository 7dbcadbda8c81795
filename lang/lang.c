/* lang.c - states, and code on its way into them: load, loadfile, dofile, require and cells, all translated.
 * */
#include "lang/lang.h"
#include "lang/bind.h"
#include "lang/cells.h"
#include "lang/library.h"
#include "lang/sugar.h"
#include "lang/teach.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lualib.h>

/* What runs from now on makes its tensors in the chunk of this name. */
static void enter_place(const char *chunkname)
{
    place_set(place_named(*chunkname == '=' || *chunkname == '@' ? chunkname + 1 : chunkname));
}

/* ---- translated chunks ---- */

/* Where a chunk finds torch.__sugar: through the string library, since its environment may be any table. */
#define SUPPORT_NAME "__tide"
static const SugarOptions chunk_options = {"(\"\")." SUPPORT_NAME, false},
                          cell_options = {"(\"\")." SUPPORT_NAME, true};

/* Pushes a chunk's name as messages show it: "script.lua", "In [3]", [string "…"]. */
static void push_chunk_id(lua_State *L, const char *chunkname)
{
    lua_Debug ar;
    if (luaL_loadbufferx(L, "", 0, chunkname, "t") != LUA_OK) {
        lua_pop(L, 1);
        lua_pushliteral(L, "?");
        return;
    }
    lua_getinfo(L, ">S", &ar);
    lua_pushstring(L, ar.short_src);
}

static SugarError latest; /* syntax error: where it was */

int lang_syntax_column(const char *message, int line)
{
    return latest.line == line && strcmp(latest.message, message) == 0 ? latest.column : 0;
}

static int translation_error(lua_State *L, const SugarError *e, const char *chunkname)
{
    latest = *e;
    push_chunk_id(L, chunkname);
    lua_pushfstring(L, "%s:%d: %s", lua_tostring(L, -1), e->line, e->message);
    lua_remove(L, -2);
    return LUA_ERRSYNTAX;
}

/* Where the translator and Lua disagree about plain Lua, Lua is right: what it takes as it stands is loaded
 * so. */
static int load_untranslated(lua_State *L, const char *source, size_t length, const char *chunkname,
                             const char *mode, const SugarError *e)
{
    if (luaL_loadbufferx(L, source, length, chunkname, mode) == LUA_OK)
        return LUA_OK;
    lua_pop(L, 1);
    return translation_error(L, e, chunkname);
}

static int load_text(lua_State *L, const char *source, size_t length, const char *chunkname, const char *mode)
{
    SugarError e = {0};
    size_t n;
    char *text = sugar_translate_with(source, length, chunkname, &chunk_options, &n, &e, NULL);
    if (!text)
        return load_untranslated(L, source, length, chunkname, mode, &e);
    size_t skip = *chunkname == '@' ? sugar_skip_prefix(text, n) : 0;
    int status = luaL_loadbufferx(L, text + skip, n - skip, chunkname, mode);
    free(text);
    return status;
}

int lang_load(lua_State *L, const char *source, size_t length, const char *chunkname)
{
    enter_place(*chunkname == '=' || *chunkname == '@' ? chunkname : "=(chunk)");
    return load_text(L, source, length, chunkname, NULL);
}

/* ---- files ---- */

/* Pushes the whole file as a string, or a message; path NULL is standard input. */
static bool push_file(lua_State *L, const char *path)
{
    FILE *f = path ? fopen(path, "rb") : stdin;
    if (!f) {
        lua_pushfstring(L, "cannot open %s: %s", path, strerror(errno));
        return false;
    }
    luaL_Buffer b;
    luaL_buffinit(L, &b);
    size_t n;
    do {
        char *room = luaL_prepbuffsize(&b, 1 << 14);
        n = fread(room, 1, 1 << 14, f);
        luaL_addsize(&b, n);
    } while (n > 0);
    int problem = ferror(f) ? errno : 0;
    if (path)
        fclose(f);
    luaL_pushresult(&b);
    if (!problem)
        return true;
    lua_pop(L, 1);
    lua_pushfstring(L, "cannot read %s: %s", path ? path : "standard input", strerror(problem));
    return false;
}

static int load_file(lua_State *L, const char *path, const char *mode)
{
    if (!push_file(L, path))
        return LUA_ERRFILE;
    size_t length;
    const char *source = lua_tolstring(L, -1, &length);
    const char *name = path ? lua_pushfstring(L, "@%s", path) : lua_pushliteral(L, "=stdin");
    /* a first line starting with '#' is no Lua, also from standard input */
    size_t skip = sugar_skip_prefix(source, length);
    if (skip > 0 && skip + 1 < length && source[skip + 1] == LUA_SIGNATURE[0])
        skip++; /* the line end as well */
    bool binary = skip < length && source[skip] == LUA_SIGNATURE[0];
    int status = binary
                     ? luaL_loadbufferx(L, source + skip, length - skip, name, mode)
                     : load_text(L, path ? source : source + skip, path ? length : length - skip, name, mode);
    lua_remove(L, -2);
    lua_remove(L, -2);
    return status;
}

int lang_load_file(lua_State *L, const char *path)
{
    enter_place(path ? path : "=stdin");
    return load_file(L, path, NULL);
}

/* ---- load, loadfile, dofile, require: Lua's own, translating ---- */

/* Sets argument env (if given) as the loaded function's environment; nil and a message after a failure. */
static int finish_load(lua_State *L, int status, int env)
{
    if (status != LUA_OK) {
        lua_pushnil(L);
        lua_insert(L, -2);
        return 2;
    }
    if (env) {
        lua_pushvalue(L, env);
        if (!lua_setupvalue(L, -2, 1))
            lua_pop(L, 1);
    }
    return 1;
}

/* reader -> all the text it gives */
static int read_pieces(lua_State *L)
{
    int n = 0;
    lua_settop(L, 1);
    lua_newtable(L);
    for (;;) {
        lua_pushvalue(L, 1);
        lua_call(L, 0, 1);
        if (lua_isnil(L, -1) || (lua_isstring(L, -1) && lua_rawlen(L, -1) == 0))
            break;
        if (!lua_isstring(L, -1))
            return luaL_error(L, "reader function must return a string");
        lua_rawseti(L, 2, ++n);
    }
    luaL_Buffer b;
    luaL_buffinit(L, &b);
    for (int i = 1; i <= n; i++) {
        lua_rawgeti(L, 2, i);
        luaL_addvalue(&b);
    }
    luaL_pushresult(&b);
    return 1;
}

/* Replaces the reader function at index 1 by its text. A failing reader's message is left on top. */
static int call_reader(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_pushcfunction(L, read_pieces);
    lua_pushvalue(L, 1);
    int status = lua_pcall(L, 1, 1, 0);
    if (status == LUA_OK)
        lua_replace(L, 1);
    return status;
}

/* load(chunk [, chunkname [, mode [, env]]]) */
static int translating_load(lua_State *L)
{
    size_t length;
    bool string = lua_type(L, 1) == LUA_TSTRING || lua_type(L, 1) == LUA_TNUMBER;
    int env = lua_isnone(L, 4) ? 0 : 4;
    const char *mode = luaL_optstring(L, 3, "bt");
    const char *given = luaL_optstring(L, 2, NULL);
    lua_settop(L, 4);
    if (!string && call_reader(L) != LUA_OK)
        return finish_load(L, LUA_ERRRUN, 0);
    const char *source = lua_tolstring(L, 1, &length), *name = given ? given : string ? source : "=(load)";
    bool binary = length > 0 && source[0] == LUA_SIGNATURE[0];
    bool text = strchr(mode, 't') != NULL;
    int status = binary || !text ? luaL_loadbufferx(L, source, length, name, mode)
                                 : load_text(L, source, length, name, mode);
    return finish_load(L, status, env);
}

static int translating_loadfile(lua_State *L)
{
    const char *path = luaL_optstring(L, 1, NULL), *mode = luaL_optstring(L, 2, NULL);
    int env = lua_isnone(L, 3) ? 0 : 3;
    return finish_load(L, load_file(L, path, mode), env);
}

static int dofile_results(lua_State *L, int status, lua_KContext context)
{
    (void)status, (void)context;
    return lua_gettop(L) - 1;
}

static int translating_dofile(lua_State *L)
{
    const char *path = luaL_optstring(L, 1, NULL);
    lua_settop(L, 1);
    if (load_file(L, path, NULL) != LUA_OK)
        return lua_error(L);
    lua_callk(L, 0, LUA_MULTRET, 0, dofile_results);
    return dofile_results(L, LUA_OK, 0);
}

/* package.searchers' entry for Lua files; upvalue 1 is the table package */
static int translating_searcher(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    lua_getfield(L, lua_upvalueindex(1), "searchpath");
    lua_pushvalue(L, 1);
    if (lua_getfield(L, lua_upvalueindex(1), "path") != LUA_TSTRING)
        return luaL_error(L, "'package.path' must be a string");
    lua_call(L, 2, 2);
    if (lua_isnil(L, -2))
        return 1; /* the message tells where it looked */
    lua_pop(L, 1);
    const char *file = lua_tostring(L, -1);
    if (load_file(L, file, NULL) != LUA_OK)
        return luaL_error(L, "error loading module '%s' from file '%s':\n\t%s", name, file,
                          lua_tostring(L, -1));
    lua_insert(L, -2);
    return 2;
}

static void replace_loaders(lua_State *L)
{
    static const luaL_Reg loaders[] = {{"load", translating_load},
                                       {"loadfile", translating_loadfile},
                                       {"dofile", translating_dofile},
                                       {NULL, NULL}};
    lua_pushglobaltable(L);
    luaL_setfuncs(L, loaders, 0);
    lua_getfield(L, -1, "package");
    lua_getfield(L, -1, "searchers");
    lua_pushvalue(L, -2);
    lua_pushcclosure(L, translating_searcher, 1);
    lua_rawseti(L, -2, 2); /* before torch's own searcher is put in */
    lua_pop(L, 3);
}

/* ---- cells ---- */

int lang_load_cell(lua_State *L, const char *source, size_t length, const char *chunkname, LangCell *cell)
{
    SugarError e = {0};
    SugarCell kind = {0};
    size_t n;
    char *text = sugar_translate_with(source, length, chunkname, &cell_options, &n, &e, &kind);
    *cell = (LangCell){kind.value, kind.silent};
    if (!text)
        return translation_error(L, &e, chunkname);
    int status = luaL_loadbufferx(L, text, n, chunkname, "t");
    free(text);
    if (status != LUA_OK)
        return status;
    note_cell(L, chunkname);
    enter_place(chunkname);
    return LUA_OK;
}

bool lang_translate(lua_State *L, const char *source, size_t length, const char *chunkname, bool cell)
{
    SugarError e = {0};
    SugarCell kind;
    size_t n;
    char *text = cell ? sugar_translate_cell(source, length, chunkname, &n, &e, &kind)
                      : sugar_translate(source, length, chunkname, &n, &e);
    if (!text) {
        translation_error(L, &e, chunkname);
        return false;
    }
    lua_pushlstring(L, text, n);
    free(text);
    return true;
}

size_t lang_cell_end(const char *source, size_t length)
{
    return sugar_cell_end(source, length);
}

/* ---- a state ---- */

/* Globals of Tide that are fields of torch. */
static const char *const shared_names[] = {"nn", "optim", "progress"};

static int open_state(lua_State *L)
{
    luaL_openlibs(L);
    replace_loaders(L);
    open_coroutines(L);
    luaL_requiref(L, "torch", luaopen_torch, 1);
    lua_getglobal(L, LUA_STRLIBNAME);
    lua_getfield(L, -2, "__sugar");
    lua_setfield(L, -2, SUPPORT_NAME);
    lua_pop(L, 1);
    for (size_t i = 0; i < sizeof shared_names / sizeof *shared_names; i++) {
        lua_getfield(L, -1, shared_names[i]);
        lua_setglobal(L, shared_names[i]);
    }
    lua_getfield(L, -1, "nn");
    lua_getfield(L, -1, "functional");
    lua_setglobal(L, "F");
    guard_globals(L);
    return 0;
}

lua_State *lang_open(void)
{
    lua_State *L = luaL_newstate();
    if (!L)
        return NULL;
    lua_pushcfunction(L, open_state);
    if (lua_pcall(L, 0, 0, 0) == LUA_OK)
        return L;
    fprintf(stderr, "tide: %s\n", lua_tostring(L, -1));
    lua_close(L);
    return NULL;
}
