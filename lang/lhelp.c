/* lhelp.c - what the help is made from: the op table's rows as Lua tables, the embedded texts and sources. */
#include "lang/bind.h"
#include "lang/embed.h"
#include "lang/lang.h"
#include "lang/ops_call.h"
#include "lang/teach.h"

#include <string.h>

static const char *const format_names[] = {"UNARY",  "BINARY", "TERNARY", "COMPARE", "TEST",
                                           "REDUCE", "VIEW",   "KERNEL",  "COMPOSED"};

/* ---- rows ---- */

static const char *row_name(const OpInfo *info)
{
    const char *name;
    row_module(info, &name);
    return name;
}

static bool has_name(const OpInfo *info, const char *name)
{
    size_t n = strlen(name);
    if (strcmp(row_name(info), name) == 0)
        return true;
    for (const char *p = info->alias; p && *p; p += strcspn(p, ","), p += *p == ',')
        if (strncmp(p, name, n) == 0 && (p[n] == ',' || p[n] == '\0'))
            return true;
    return false;
}

static void set_text(lua_State *L, const char *field, const char *text)
{
    if (!text || !*text)
        return;
    lua_pushstring(L, text);
    lua_setfield(L, -2, field);
}

/* params: a list of {name=, default=}, a default in Tide's spelling; an optional one without is nil. */
static void set_params(lua_State *L, const OpInfo *info)
{
    lua_createtable(L, info->nparam, 0);
    for (int i = 0; i < info->nparam; i++) {
        const ParamInfo *p = &info->params[i];
        bool none = p->kind == 'O' || (p->fallback && strcmp(p->fallback, "NULL") == 0);
        lua_createtable(L, 0, 2);
        set_text(L, "name", param_name(info->name, p));
        set_text(L, "default", none ? "nil" : p->fallback);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, "params");
}

static int push_row(lua_State *L, OpId op)
{
    char node[128];
    const OpInfo *info = op_info(op);
    lua_newtable(L);
    set_params(L, info);
    set_text(L, "name", row_name(info));
    set_text(L, "row", info->name);
    set_text(L, "doc", info->doc);
    set_text(L, "alias", info->alias);
    set_text(L, "format", format_names[info->format]);
    set_text(L, "forward", info->forward);
    set_text(L, "combine", info->combine);
    set_text(L, "finish", info->finish);
    set_text(L, "node", op_grad_fn(op, node, sizeof node));
    lua_pushboolean(L, info->dtype_option);
    lua_setfield(L, -2, "takes_dtype");
    return 1;
}

/* _help.row(function) or _help.row(name, family): the row that the function calls, or that has the name in torch,
 * "F", "linalg" or "special"; nil without one. */
static int help_row(lua_State *L)
{
    if (lua_type(L, 1) == LUA_TFUNCTION) {
        OpId op = op_of_function(L, 1);
        return op == OP_COUNT ? 0 : push_row(L, op);
    }
    const char *name = luaL_checkstring(L, 1), *family = luaL_optstring(L, 2, "torch"), *own;
    for (int op = 0; op < OP_COUNT; op++) {
        const OpInfo *info = op_info((OpId)op);
        bool here = strcmp(row_module(info, &own), family) == 0;
        if (here && has_name(info, name) && (!info->hidden || info->nn))
            return push_row(L, (OpId)op);
    }
    return 0;
}

/* ---- files ---- */

/* _help.texts(): the files of lang/help as a list of {name=, text=}. */
static int help_texts(lua_State *L)
{
    lua_createtable(L, (int)tide_help_count, 0);
    for (size_t i = 0; i < tide_help_count; i++) {
        lua_createtable(L, 0, 2);
        set_text(L, "name", tide_help[i].name);
        lua_pushlstring(L, tide_help[i].bytes, tide_help[i].length);
        lua_setfield(L, -2, "text");
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

/* _help.source("nn/module"): the text of the library's file, nil if there is none. */
static int help_source(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    for (const EmbeddedFile *f = tide_embedded; f->name; f++) {
        if (strcmp(f->name, name) != 0)
            continue;
        lua_pushlstring(L, f->bytes, f->length);
        return 1;
    }
    return 0;
}

void open_help(lua_State *L, const Library *lib)
{
    static const luaL_Reg functions[] = {
        {"row", help_row}, {"texts", help_texts}, {"source", help_source}, {NULL, NULL}};
    luaL_newlib(L, functions);
    lua_setfield(L, lib->torch, "_help");
}

/* ---- for the shell ---- */

bool lang_help(lua_State *L, const char *name, bool source)
{
    push_library_function(L, "torch.help", "text");
    lua_pushstring(L, name);
    lua_pushboolean(L, source);
    lua_call(L, 2, 1);
    if (lua_isstring(L, -1))
        return true;
    lua_pop(L, 1);
    return false;
}

bool lang_options(lua_State *L)
{
    push_library_function(L, "torch.help", "options");
    lua_insert(L, -2);
    lua_call(L, 1, 1);
    if (lua_istable(L, -1))
        return true;
    lua_pop(L, 1);
    return false;
}

static bool is_library_function(lua_State *L, int i)
{
    lua_Debug where;
    if (!lua_isfunction(L, i) || lua_iscfunction(L, i))
        return false;
    lua_pushvalue(L, i);
    lua_getinfo(L, ">S", &where);
    return strncmp(where.source, "=[torch]", 8) == 0;
}

bool lang_lazy_names(lua_State *L)
{
    if (!lua_istable(L, -1) || !lua_getmetatable(L, -1))
        return false;
    lua_pushliteral(L, "__index");
    lua_rawget(L, -2);
    bool ours = is_library_function(L, -1);
    lua_pop(L, 1);
    lua_pushliteral(L, "names");
    if (lua_rawget(L, -2) == LUA_TTABLE && ours) {
        lua_remove(L, -2);
        return true;
    }
    lua_pop(L, 2);
    return false;
}
