/* lsugar.c - torch.__sugar: the functions that translated code calls (the contract is in sugar.h). */
#include "lang/attributes.h"
#include "lang/bind.h"

#include <string.h>

/* ---- Lua's own operators, in C, by way of continuations ---- */

static int as_boolean(lua_State *L, int status, lua_KContext negate)
{
    (void)status;
    lua_pushboolean(L, lua_toboolean(L, -1) != (int)negate);
    return 1;
}

static int as_value(lua_State *L, int status, lua_KContext context)
{
    (void)L, (void)status, (void)context;
    return 1;
}

/* Pushes the metamethod of the value at i, or of j; false and nothing pushed if neither has one. */
static bool push_metamethod(lua_State *L, int i, int j, const char *event)
{
    if (luaL_getmetafield(L, i, event) == LUA_TNIL && luaL_getmetafield(L, j, event) == LUA_TNIL)
        return false;
    if (lua_isfunction(L, -1))
        return true;
    if (luaL_getmetafield(L, -1, "__call") == LUA_TNIL)
        return luaL_error(L, "attempt to call a %s value (metamethod '%s')", luaL_typename(L, -1), event + 2);
    lua_pop(L, 1);
    return true;
}

/* Calls the metamethod on top with the values at i and j; finish makes the one result. */
static int call_metamethod(lua_State *L, int i, int j, lua_KFunction finish, lua_KContext context)
{
    lua_pushvalue(L, i);
    lua_pushvalue(L, j);
    lua_callk(L, 2, 1, context, finish);
    return finish(L, LUA_OK, context);
}

static int lua_equal(lua_State *L, bool negate)
{
    int ta = lua_type(L, 1), tb = lua_type(L, 2);
    bool equal = lua_rawequal(L, 1, 2);
    if (!equal && ta == tb && (ta == LUA_TTABLE || ta == LUA_TUSERDATA) && push_metamethod(L, 1, 2, "__eq"))
        return call_metamethod(L, 1, 2, as_boolean, negate);
    lua_pushboolean(L, equal != negate);
    return 1;
}

/* The name Lua's messages give a value's type. */
static const char *lua_type_name(lua_State *L, int i)
{
    int kind = lua_type(L, i);
    if ((kind == LUA_TTABLE || kind == LUA_TUSERDATA) && luaL_getmetafield(L, i, "__name") == LUA_TSTRING)
        return lua_tostring(L, -1); /* stays on the stack: an error follows */
    return lua_typename(L, kind);
}

/* value[i] < value[j], or <= */
static int lua_ordered(lua_State *L, int i, int j, bool or_equal)
{
    int ti = lua_type(L, i), tj = lua_type(L, j);
    if (ti == tj && (ti == LUA_TNUMBER || ti == LUA_TSTRING)) {
        lua_pushboolean(L, lua_compare(L, i, j, or_equal ? LUA_OPLE : LUA_OPLT));
        return 1;
    }
    if (push_metamethod(L, i, j, or_equal ? "__le" : "__lt"))
        return call_metamethod(L, i, j, as_boolean, false);
    const char *a = lua_type_name(L, i), *b = lua_type_name(L, j);
    if (strcmp(a, b) == 0)
        return luaL_error(L, "attempt to compare two %s values", a);
    return luaL_error(L, "attempt to compare %s with %s", a, b);
}

/* ---- comparisons ---- */

/* Two numbers, the operands that loops over plain Lua values compare: they are told apart before anything else. */
static inline bool both_numbers(lua_State *L)
{
    return lua_type(L, 1) == LUA_TNUMBER && lua_type(L, 2) == LUA_TNUMBER;
}

static int give_equal_numbers(lua_State *L, bool wanted)
{
    lua_pushboolean(L, lua_rawequal(L, 1, 2) == wanted);
    return 1;
}

/* The operands of a comparison that is elementwise: a tensor and a tensor, number or boolean. */
static bool tensor_operands(lua_State *L, Tensor **a, Tensor **b)
{
    *a = to_tensor(L, 1);
    *b = to_tensor(L, 2);
    if (!*a && !*b)
        return false;
    if (!*a)
        *a = to_number(L, 1);
    if (!*b)
        *b = to_number(L, 2);
    return *a && *b;
}

/* op, and its mirror image for a tensor on the right only (3 < t is t:gt(3)). */
static Tensor *elementwise(Tensor *a, Tensor *b, OpId op, OpId mirrored)
{
    if (a->is_number && !b->is_number)
        return op_apply(mirrored, (Arg[]){{.t = b}, {.t = a}});
    return op_apply(op, (Arg[]){{.t = a}, {.t = b}});
}

static int sugar_eq(lua_State *L)
{
    Tensor *a, *b;
    if (both_numbers(L))
        return give_equal_numbers(L, true);
    lua_settop(L, 2);
    if (!tensor_operands(L, &a, &b))
        return lua_equal(L, false);
    return give(L, elementwise(a, b, OP_eq, OP_eq));
}

static int sugar_ne(lua_State *L)
{
    Tensor *a, *b;
    if (both_numbers(L))
        return give_equal_numbers(L, false);
    lua_settop(L, 2);
    if (!tensor_operands(L, &a, &b))
        return lua_equal(L, true);
    return give(L, elementwise(a, b, OP_ne, OP_ne));
}

static int ordered(lua_State *L, OpId op, OpId mirrored, int first, int second, bool or_equal)
{
    Tensor *a, *b;
    if (both_numbers(L)) {
        lua_pushboolean(L, lua_compare(L, first, second, or_equal ? LUA_OPLE : LUA_OPLT));
        return 1;
    }
    lua_settop(L, 2);
    if (tensor_operands(L, &a, &b))
        return give(L, elementwise(a, b, op, mirrored));
    return lua_ordered(L, first, second, or_equal);
}

static int sugar_lt(lua_State *L)
{
    return ordered(L, OP_lt, OP_gt, 1, 2, false);
}
static int sugar_le(lua_State *L)
{
    return ordered(L, OP_le, OP_ge, 1, 2, true);
}
static int sugar_gt(lua_State *L)
{
    return ordered(L, OP_gt, OP_lt, 2, 1, false);
}
static int sugar_ge(lua_State *L)
{
    return ordered(L, OP_ge, OP_le, 2, 1, true);
}

static int give_truth(lua_State *L, Tensor *t)
{
    bool v = tensor_truth(L, t);
    scope_close(bind_base);
    lua_pushboolean(L, v);
    return 1;
}

static int sugar_is_eq(lua_State *L)
{
    Tensor *a, *b;
    if (both_numbers(L))
        return give_equal_numbers(L, true);
    lua_settop(L, 2);
    if (!tensor_operands(L, &a, &b))
        return lua_equal(L, false);
    return give_truth(L, elementwise(a, b, OP_eq, OP_eq));
}

static int sugar_is_ne(lua_State *L)
{
    Tensor *a, *b;
    if (both_numbers(L))
        return give_equal_numbers(L, false);
    lua_settop(L, 2);
    if (!tensor_operands(L, &a, &b))
        return lua_equal(L, true);
    return give_truth(L, elementwise(a, b, OP_ne, OP_ne));
}

static int sugar_truth(lua_State *L)
{
    Tensor *t = to_tensor(L, 1);
    if (t && t->dtype == DT_BOOL)
        return give_truth(L, t);
    lua_pushboolean(L, lua_toboolean(L, 1));
    return 1;
}

/* ---- @ ---- */

static int sugar_matmul(lua_State *L)
{
    lua_settop(L, 2);
    Tensor *a = to_tensor(L, 1), *b = to_tensor(L, 2);
    if (a && b)
        return give(L, op_matmul(a, b));
    if (push_metamethod(L, 1, 2, "__matmul"))
        return call_metamethod(L, 1, 2, as_value, 0);
    return raise_error(L, "TypeError", "unsupported operand type(s) for @: '%s' and '%s'", type_word(L, 1),
                       type_word(L, 2));
}

/* ---- x += v ---- */

typedef struct Operation {
    const char *event, *sign;
    int arith; /* lua_arith's */
    OpId op;
} Operation;

static const Operation operations[] = {{"__add", "+=", LUA_OPADD, OP_add},
                                       {"__sub", "-=", LUA_OPSUB, OP_sub},
                                       {"__mul", "*=", LUA_OPMUL, OP_mul},
                                       {"__div", "/=", LUA_OPDIV, OP_div}};

/* Lua's error for arithmetic; what describes the variable at x, NULL if unknown. */
static int arithmetic_error(lua_State *L, int x, int v, const char *what)
{
    bool first = lua_type(L, x) != LUA_TNUMBER;
    const char *name = lua_type_name(L, first ? x : v);
    if (first && what)
        return luaL_error(L, "attempt to perform arithmetic on a %s value (%s)", name, what);
    return luaL_error(L, "attempt to perform arithmetic on a %s value", name);
}

/* Pushes what the value at x becomes by OP= the value at v. Tensors in place; else Lua's own, in which a
 * metamethod may yield: then `finish` goes on. */
static int update(lua_State *L, const Operation *o, int x, int v, const char *what, lua_KFunction finish)
{
    Tensor *t = to_tensor(L, x);
    if (t) {
        Tensor *value = to_tensor(L, v);
        if (!value)
            value = to_number(L, v);
        if (!value)
            return raise_error(L, "TypeError", "unsupported operand type(s) for %s: 'Tensor' and '%s'",
                               o->sign, type_word(L, v));
        if (!op_apply_inplace(o->op, (Arg[]){{.t = t}, {.t = value}}))
            return raise_pending(L);
        scope_close(bind_base);
        collector_tick(L);
        lua_pushvalue(L, x);
    } else if (lua_type(L, x) == LUA_TNUMBER && lua_type(L, v) == LUA_TNUMBER) {
        lua_pushvalue(L, x);
        lua_pushvalue(L, v);
        lua_arith(L, o->arith);
    } else if (push_metamethod(L, x, v, o->event)) {
        return call_metamethod(L, x, v, finish, 0);
    } else {
        return arithmetic_error(L, x, v, what);
    }
    return finish(L, LUA_OK, 0);
}

static int update_variable(lua_State *L, int which)
{
    lua_settop(L, 3);
    return update(L, &operations[which], 1, 2, lua_tostring(L, 3), as_value);
}

static int sugar_add_(lua_State *L)
{
    return update_variable(L, 0);
}
static int sugar_sub_(lua_State *L)
{
    return update_variable(L, 1);
}
static int sugar_mul_(lua_State *L)
{
    return update_variable(L, 2);
}
static int sugar_div_(lua_State *L)
{
    return update_variable(L, 3);
}

/* t[k] = the value on top. A tensor updated through a view of it needs no write-back. */
static int store_element(lua_State *L, int status, lua_KContext context)
{
    (void)status, (void)context;
    Tensor *t = to_tensor(L, 1), *r = to_tensor(L, -1);
    if (t && r && tensor_shares_memory(t, r))
        return 0;
    lua_pushvalue(L, 2);
    lua_insert(L, -2);
    lua_settable(L, 1);
    return 0;
}

static bool can_be_indexed(lua_State *L, int i)
{
    if (lua_type(L, i) == LUA_TTABLE)
        return true;
    if (luaL_getmetafield(L, i, "__index") == LUA_TNIL)
        return false;
    lua_pop(L, 1);
    return true;
}

static int update_element(lua_State *L, int which)
{
    lua_settop(L, 4);
    const char *what = lua_tostring(L, 4);
    if (!can_be_indexed(L, 1)) {
        const char *name = lua_type_name(L, 1);
        return what ? luaL_error(L, "attempt to index a %s value (%s)", name, what)
                    : luaL_error(L, "attempt to index a %s value", name);
    }
    lua_pushvalue(L, 2);
    lua_gettable(L, 1);
    const char *field =
        lua_type(L, 2) == LUA_TSTRING ? lua_pushfstring(L, "field '%s'", lua_tostring(L, 2)) : NULL;
    if (!field)
        lua_pushnil(L);
    return update(L, &operations[which], 5, 3, field, store_element);
}

static int sugar_add_at(lua_State *L)
{
    return update_element(L, 0);
}
static int sugar_sub_at(lua_State *L)
{
    return update_element(L, 1);
}
static int sugar_mul_at(lua_State *L)
{
    return update_element(L, 2);
}
static int sugar_div_at(lua_State *L)
{
    return update_element(L, 3);
}

/* ---- o:name(...) where name is a keyword ---- */

static int all_results(lua_State *L, int status, lua_KContext context)
{
    (void)status, (void)context;
    return lua_gettop(L);
}

static int sugar_method(lua_State *L)
{
    const char *name = lua_tostring(L, 2);
    if (!can_be_indexed(L, 1))
        return luaL_error(L, "attempt to index a %s value", lua_type_name(L, 1));
    lua_pushvalue(L, 2);
    lua_gettable(L, 1);
    bool callable = lua_isfunction(L, -1);
    if (!callable && luaL_getmetafield(L, -1, "__call") != LUA_TNIL) {
        callable = true;
        lua_pop(L, 1);
    }
    if (!callable)
        return luaL_error(L, "attempt to call a %s value (method '%s')", lua_type_name(L, -1), name);
    /* o, name, arguments…, function: to function, o, arguments… */
    lua_remove(L, 2);
    lua_insert(L, 1);
    lua_callk(L, lua_gettop(L) - 1, LUA_MULTRET, 0, all_results);
    return all_results(L, LUA_OK, 0);
}

static const luaL_Reg functions[] = {
    {"eq", sugar_eq},         {"ne", sugar_ne},         {"lt", sugar_lt},         {"le", sugar_le},
    {"gt", sugar_gt},         {"ge", sugar_ge},         {"is_eq", sugar_is_eq},   {"is_ne", sugar_is_ne},
    {"truth", sugar_truth},   {"matmul", sugar_matmul}, {"add_", sugar_add_},     {"sub_", sugar_sub_},
    {"mul_", sugar_mul_},     {"div_", sugar_div_},     {"add_at", sugar_add_at}, {"sub_at", sugar_sub_at},
    {"mul_at", sugar_mul_at}, {"div_at", sugar_div_at}, {"method", sugar_method}, {NULL, NULL}};

void open_sugar(lua_State *L, const Library *lib)
{
    luaL_newlib(L, functions);
    lua_getfield(L, lib->torch, "s");
    lua_setfield(L, -2, "s");
    lua_setfield(L, lib->torch, "__sugar");
}
