/* The translator as a Lua module for tests: translate, cell_end, and a model of the support table that needs
 * no tensors. A "tensor" here is any value whose metatable has a true field __istensor; it brings its own
 * methods eq, add_, ... */
#include "lang/sugar.h"
#include "tests/lang/sugar_model.h"

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdlib.h>
#include <string.h>

/* translate(source, chunkname, cell, support) -> text, value, silent | nil, message, line, column, incomplete
 * */
static int translate(lua_State *L)
{
    size_t len, out_len;
    SugarError err;
    SugarCell cell;
    const char *src = luaL_checklstring(L, 1, &len);
    SugarOptions options = {luaL_optstring(L, 4, NULL), lua_toboolean(L, 3)};
    char *out = sugar_translate_with(src, len, luaL_optstring(L, 2, ""), &options, &out_len, &err, &cell);
    if (!out) {
        lua_pushnil(L);
        lua_pushstring(L, err.message);
        lua_pushinteger(L, err.line);
        lua_pushinteger(L, err.column);
        lua_pushboolean(L, err.incomplete);
        return 5;
    }
    lua_pushlstring(L, out, out_len);
    lua_pushboolean(L, cell.value);
    lua_pushboolean(L, cell.silent);
    free(out);
    return 3;
}

static int cell_end(lua_State *L)
{
    size_t len;
    const char *src = luaL_checklstring(L, 1, &len);
    lua_pushinteger(L, (lua_Integer)sugar_cell_end(src, len));
    return 1;
}

static int skip_prefix(lua_State *L)
{
    size_t len;
    const char *src = luaL_checklstring(L, 1, &len);
    lua_pushinteger(L, (lua_Integer)sugar_skip_prefix(src, len));
    return 1;
}

/* ---- the support table ---- */

static bool is_tensor(lua_State *L, int i)
{
    return luaL_getmetafield(L, i, "__istensor") != LUA_TNIL && (lua_pop(L, 1), true);
}

static const char *type_name(lua_State *L, int i)
{
    int t = luaL_getmetafield(L, i, "__name");
    const char *name = t == LUA_TSTRING ? lua_tostring(L, -1) : luaL_typename(L, i);
    return name; /* stays on the stack while the message is made */
}

static int as_boolean(lua_State *L, int status, lua_KContext negate)
{
    (void)status;
    lua_pushboolean(L, lua_toboolean(L, -1) != (negate != 0));
    return 1;
}

static int as_is(lua_State *L, int status, lua_KContext context)
{
    (void)L;
    (void)status;
    (void)context;
    return 1;
}

static bool find_event(lua_State *L, const char *event)
{
    return luaL_getmetafield(L, 1, event) != LUA_TNIL || luaL_getmetafield(L, 2, event) != LUA_TNIL;
}

static int own_equality(lua_State *L, bool negate)
{
    int t = lua_type(L, 1);
    bool same = lua_rawequal(L, 1, 2);
    if (!same && t == lua_type(L, 2) && (t == LUA_TTABLE || t == LUA_TUSERDATA) && find_event(L, "__eq")) {
        lua_pushvalue(L, 1);
        lua_pushvalue(L, 2);
        lua_callk(L, 2, 1, negate, as_boolean);
        return as_boolean(L, LUA_OK, negate);
    }
    lua_pushboolean(L, same != negate);
    return 1;
}

static int own_order(lua_State *L, const char *event, int op)
{
    int l = lua_type(L, 1), r = lua_type(L, 2);
    if (l == r && (l == LUA_TNUMBER || l == LUA_TSTRING)) {
        lua_pushboolean(L, lua_compare(L, 1, 2, op));
        return 1;
    }
    if (!find_event(L, event)) {
        const char *left = type_name(L, 1), *right = type_name(L, 2);
        if (strcmp(left, right) == 0)
            return luaL_error(L, "attempt to compare two %s values", left);
        return luaL_error(L, "attempt to compare %s with %s", left, right);
    }
    lua_pushvalue(L, 1);
    lua_pushvalue(L, 2);
    lua_callk(L, 2, 1, 0, as_boolean);
    return as_boolean(L, LUA_OK, 0);
}

static bool elementwise(lua_State *L)
{
    lua_settop(L, 2);
    int l = lua_type(L, 1), r = lua_type(L, 2);
    bool lt = is_tensor(L, 1), rt = is_tensor(L, 2);
    return (lt && (rt || r == LUA_TNUMBER || r == LUA_TBOOLEAN)) ||
           (rt && (l == LUA_TNUMBER || l == LUA_TBOOLEAN));
}

/* a:name(b), or b:mirror(a) if only b is a tensor. */
static int call_method(lua_State *L, const char *name, const char *mirror)
{
    bool left = is_tensor(L, 1);
    lua_getfield(L, left ? 1 : 2, left ? name : mirror);
    lua_pushvalue(L, left ? 1 : 2);
    lua_pushvalue(L, left ? 2 : 1);
    lua_call(L, 2, 1);
    return 1;
}

static int truth_of_top(lua_State *L)
{
    if (is_tensor(L, -1)) {
        lua_getfield(L, -1, "truth");
        lua_insert(L, -2);
        lua_call(L, 1, 1);
    }
    lua_pushboolean(L, lua_toboolean(L, -1));
    return 1;
}

static int s_truth(lua_State *L)
{
    lua_settop(L, 1);
    return truth_of_top(L);
}

static int s_eq(lua_State *L)
{
    return elementwise(L) ? call_method(L, "eq", "eq") : own_equality(L, false);
}

static int s_ne(lua_State *L)
{
    return elementwise(L) ? call_method(L, "ne", "ne") : own_equality(L, true);
}

static int s_is_eq(lua_State *L)
{
    return elementwise(L) ? (call_method(L, "eq", "eq"), truth_of_top(L)) : own_equality(L, false);
}

static int s_is_ne(lua_State *L)
{
    return elementwise(L) ? (call_method(L, "ne", "ne"), truth_of_top(L)) : own_equality(L, true);
}

static int s_lt(lua_State *L)
{
    return elementwise(L) ? call_method(L, "lt", "gt") : own_order(L, "__lt", LUA_OPLT);
}

static int s_le(lua_State *L)
{
    return elementwise(L) ? call_method(L, "le", "ge") : own_order(L, "__le", LUA_OPLE);
}

static int s_gt(lua_State *L)
{
    if (elementwise(L))
        return call_method(L, "gt", "lt");
    lua_insert(L, 1);
    return own_order(L, "__lt", LUA_OPLT);
}

static int s_ge(lua_State *L)
{
    if (elementwise(L))
        return call_method(L, "ge", "le");
    lua_insert(L, 1);
    return own_order(L, "__le", LUA_OPLE);
}

static int s_matmul(lua_State *L)
{
    lua_settop(L, 2);
    if (is_tensor(L, 1))
        return call_method(L, "matmul", "matmul");
    if (!find_event(L, "__matmul"))
        return luaL_error(L, "attempt to perform matrix multiplication on a %s value", type_name(L, 1));
    lua_pushvalue(L, 1);
    lua_pushvalue(L, 2);
    lua_callk(L, 2, 1, 0, as_is);
    return 1;
}

static int s_slice(lua_State *L)
{
    static const char *const names[] = {"start", "stop", "step"};
    lua_settop(L, 3);
    lua_createtable(L, 0, 4);
    for (int i = 0; i < 3; i++) {
        lua_pushvalue(L, i + 1);
        lua_setfield(L, 4, names[i]);
    }
    lua_pushboolean(L, 1);
    lua_setfield(L, 4, "slice");
    return 1;
}

typedef struct InPlace {
    const char *method, *event;
    int op;
} InPlace;

static const InPlace in_place[] = {{"add_", "__add", LUA_OPADD},
                                   {"sub_", "__sub", LUA_OPSUB},
                                   {"mul_", "__mul", LUA_OPMUL},
                                   {"div_", "__div", LUA_OPDIV}};

/* x at 1, v at 2, perhaps a description at 3: pushes the result. */
static int in_place_value(lua_State *L, const InPlace *how)
{
    if (is_tensor(L, 1)) {
        lua_getfield(L, 1, how->method);
        lua_pushvalue(L, 1);
        lua_pushvalue(L, 2);
        lua_call(L, 2, 1);
        return 1;
    }
    if (lua_type(L, 1) == LUA_TNUMBER && lua_type(L, 2) == LUA_TNUMBER) {
        lua_pushvalue(L, 1);
        lua_pushvalue(L, 2);
        lua_arith(L, how->op);
        return 1;
    }
    if (!find_event(L, how->event)) {
        bool first = lua_type(L, 1) != LUA_TNUMBER;
        const char *what = first ? lua_tostring(L, 3) : NULL, *type = type_name(L, first ? 1 : 2);
        return what ? luaL_error(L, "attempt to perform arithmetic on a %s value (%s)", type, what)
                    : luaL_error(L, "attempt to perform arithmetic on a %s value", type);
    }
    lua_pushvalue(L, 1);
    lua_pushvalue(L, 2);
    lua_callk(L, 2, 1, 0, as_is);
    return 1;
}

static int s_in_place(lua_State *L)
{
    lua_settop(L, 3);
    return in_place_value(L, &in_place[lua_tointeger(L, lua_upvalueindex(1))]);
}

/* t, k, v, what */
static int s_in_place_at(lua_State *L)
{
    lua_settop(L, 4);
    if (!lua_istable(L, 1) && luaL_getmetafield(L, 1, "__index") == LUA_TNIL) {
        const char *what = lua_tostring(L, 4);
        return what ? luaL_error(L, "attempt to index a %s value (%s)", luaL_typename(L, 1), what)
                    : luaL_error(L, "attempt to index a %s value", luaL_typename(L, 1));
    }
    lua_settop(L, 3);
    lua_pushvalue(L, 2);
    lua_gettable(L, 1);
    lua_insert(L, 1);
    lua_insert(L, 2); /* t[k], v, t, k */
    if (lua_type(L, 4) == LUA_TSTRING)
        lua_pushfstring(L, "field '%s'", lua_tostring(L, 4));
    else
        lua_pushnil(L);
    lua_insert(L, 3); /* t[k], v, description, t, k */
    in_place_value(L, &in_place[lua_tointeger(L, lua_upvalueindex(1))]);
    lua_pushvalue(L, 5);
    lua_insert(L, -2);
    lua_settable(L, 4);
    return 0;
}

static int finish_method(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    return lua_gettop(L);
}

static int s_method(lua_State *L)
{
    const char *name = lua_tostring(L, 2);
    lua_pushvalue(L, 2);
    lua_gettable(L, 1);
    if (lua_isnil(L, -1))
        return luaL_error(L, "attempt to call a nil value (method '%s')", name);
    lua_replace(L, 2);
    lua_pushvalue(L, 1);
    lua_pushvalue(L, 2);
    lua_replace(L, 1);
    lua_replace(L, 2);
    lua_callk(L, lua_gettop(L) - 1, LUA_MULTRET, 0, finish_method);
    return finish_method(L, LUA_OK, 0);
}

static const luaL_Reg support[] = {
    {"eq", s_eq},   {"ne", s_ne},         {"lt", s_lt},       {"le", s_le},       {"gt", s_gt},
    {"ge", s_ge},   {"is_eq", s_is_eq},   {"is_ne", s_is_ne}, {"truth", s_truth}, {"matmul", s_matmul},
    {"s", s_slice}, {"method", s_method}, {NULL, NULL}};

static void push_support(lua_State *L)
{
    luaL_newlib(L, support);
    for (int i = 0; i < 4; i++) {
        lua_pushinteger(L, i);
        lua_pushcclosure(L, s_in_place, 1);
        lua_setfield(L, -2, in_place[i].method);
        lua_pushinteger(L, i);
        lua_pushcclosure(L, s_in_place_at, 1);
        lua_setfield(L, -2, (const char *const[]){"add_at", "sub_at", "mul_at", "div_at"}[i]);
    }
}

int luaopen_sugar(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"translate", translate}, {"cell_end", cell_end}, {"skip_prefix", skip_prefix}, {NULL, NULL}};
    luaL_newlib(L, functions);
    push_support(L);
    lua_setfield(L, -2, "support");
    lua_newtable(L);
    for (int i = 0; sugar_forms[i].form; i++) {
        const SugarForm *f = &sugar_forms[i];
        const char *const columns[] = {f->form, f->before, f->after, f->doc};
        lua_newtable(L);
        for (int c = 0; c < 4; c++) {
            lua_pushstring(L, columns[c]);
            lua_rawseti(L, -2, c + 1);
        }
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, "forms");
    return 1;
}
