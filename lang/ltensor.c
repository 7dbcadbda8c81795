/* ltensor.c - the tensor userdata: handles, results, and the metamethods. */
#include "lang/attributes.h"
#include "lang/bind.h"

#include <stdlib.h>
#include <string.h>

const char handle_tag;
const char tensor_meta_key;
int bind_base;

/* ---- handles ---- */

static Handle *new_handle(lua_State *L)
{
    Handle *h = lua_newuserdatauv(L, sizeof *h, 0);
    h->tag = &handle_tag;
    h->tensor = NULL;
    return h;
}

void push_tensor(lua_State *L, Tensor *t)
{
    if (!t) {
        lua_pushnil(L);
        return;
    }
    tensor_keep(t);
    int saved = bind_hold(); /* a collection may run finalizers, which are Lua code */
    Handle *h = new_handle(L);
    h->tensor = t;
    lua_rawgetp(L, LUA_REGISTRYINDEX, &tensor_meta_key);
    lua_setmetatable(L, -2);
    bind_unhold(saved);
}

int give(lua_State *L, Tensor *t)
{
    if (!t)
        return raise_pending(L);
    tensor_keep(t);
    scope_close(bind_base);
    Handle *h = new_handle(L);
    h->tensor = t;
    lua_rawgetp(L, LUA_REGISTRYINDEX, &tensor_meta_key);
    lua_setmetatable(L, -2);
    collector_tick(L);
    return 1;
}

int give_self(lua_State *L, bool ok)
{
    if (!ok)
        return raise_pending(L);
    scope_close(bind_base);
    collector_tick(L);
    lua_settop(L, 1);
    return 1;
}

/* What the last op with several results returned, so that the echo can name it. The tensors are compared by
 * address only; the values compared are alive, so an address cannot be another tensor's. */
static struct {
    const char *name, *fields;
    int n;
    const Tensor *t[4];
} returned;

void remember_returns(lua_State *L, int first, int n, const char *name, const char *fields)
{
    returned.name = n <= 4 ? name : NULL;
    returned.fields = fields;
    returned.n = n;
    for (int i = 0; i < n && i < 4; i++)
        returned.t[i] = to_tensor(L, first + i);
}

const char *remembered_returns(lua_State *L, int first, int n, const char **fields)
{
    if (!returned.name || n != returned.n)
        return NULL;
    for (int i = 0; i < n; i++)
        if (!returned.t[i] || to_tensor(L, first + i) != returned.t[i])
            return NULL;
    *fields = returned.fields;
    return returned.name;
}

int give_results(lua_State *L, Tensor *first, const char *name, const char *fields)
{
    if (!first)
        return raise_pending(L);
    Tensor *all[3] = {first, op_second(), op_third()};
    int n = 0, top = lua_gettop(L);
    luaL_checkstack(L, 6, NULL);
    for (int i = 0; i < 3; i++) /* unique with counts and no inverse has a third and no second */
        if (all[i]) {
            push_tensor(L, all[i]);
            n++;
        }
    scope_close(bind_base);
    remember_returns(L, top + 1, n, name, fields);
    collector_tick(L);
    return n;
}

static int tensor_gc(lua_State *L)
{
    Handle *h = lua_touserdata(L, 1);
    if (lua_rawlen(L, 1) != sizeof *h || h->tag != &handle_tag)
        return 0;
    Tensor *t = h->tensor;
    h->tensor = NULL;
    tensor_release(t);
    return 0;
}

/* ---- arithmetic: upvalue 1 is the op, 2 the metatable, 3 the event's name, 4 Python's operator ---- */

static inline Tensor *operand(lua_State *L, int i)
{
    Tensor *t = to_tensor(L, i);
    return t ? t : to_number(L, i);
}

int give_quick(lua_State *L, Tensor *t)
{
    if (!t)
        return raise_pending(L);
    tensor_keep(t);
    scope_close(bind_base);
    Handle *h = new_handle(L);
    h->tensor = t;
    lua_pushvalue(L, lua_upvalueindex(2));
    lua_setmetatable(L, -2);
    collector_tick(L);
    return 1;
}

/* One side is neither tensor nor number: its own metamethod, if it has one, else Python's error. */
static int foreign_operand(lua_State *L)
{
    const char *event = lua_tostring(L, lua_upvalueindex(3));
    int other = to_tensor(L, 1) ? 2 : 1;
    /* strings have these events too, but only to refuse */
    if (lua_type(L, other) != LUA_TSTRING && luaL_getmetafield(L, other, event) != LUA_TNIL) {
        lua_insert(L, 1);
        lua_settop(L, 3);
        int saved = bind_hold();
        lua_call(L, 2, 1);
        bind_unhold(saved);
        return 1;
    }
    return raise_error(L, "TypeError", "unsupported operand type(s) for %s: '%s' and '%s'",
                       lua_tostring(L, lua_upvalueindex(4)), type_word(L, 1), type_word(L, 2));
}

static int binary(lua_State *L)
{
    Tensor *a = operand(L, 1), *b = operand(L, 2);
    if (!a || !b)
        return foreign_operand(L);
    OpId op = (OpId)lua_tointeger(L, lua_upvalueindex(1));
    Tensor *y = op_apply(op, (Arg[]){{.t = a}, {.t = b}});
    if (!y && collector_retry(L))
        y = op_apply(op, (Arg[]){{.t = a}, {.t = b}});
    return give_quick(L, y);
}

/* number - tensor and number / tensor are other ops of the tensor, as in PyTorch (their grad_fn shows it). */
static int subtract(lua_State *L)
{
    Tensor *a = to_tensor(L, 1);
    if (a || lua_type(L, 1) != LUA_TNUMBER)
        return binary(L);
    return give_quick(L, op_rsub(to_tensor(L, 2), to_number(L, 1)));
}

static int divide(lua_State *L)
{
    Tensor *a = to_tensor(L, 1);
    if (a || lua_type(L, 1) != LUA_TNUMBER)
        return binary(L);
    return give_quick(L, op_mul(op_reciprocal(to_tensor(L, 2)), to_number(L, 1)));
}

static int negate(lua_State *L)
{
    return give_quick(L, op_neg(to_tensor(L, 1)));
}

static int invert(lua_State *L)
{
    Tensor *t = to_tensor(L, 1);
    return give_quick(L, t && t->dtype == DT_BOOL ? op_logical_not(t) : op_bitwise_not(t));
}

/* ---- truth and comparison in plain Lua ---- */

bool tensor_truth(lua_State *L, Tensor *t)
{
    double v;
    if (!t)
        raise_pending(L);
    if (t->numel != 1)
        raise_error(L, "RuntimeError",
                    t->numel ? "Boolean value of Tensor with more than one value is ambiguous"
                             : "Boolean value of Tensor with no values is ambiguous");
    if (!tensor_item_double(t, &v))
        raise_pending(L);
    return v != 0;
}

static int give_truth(lua_State *L, Tensor *t)
{
    bool v = tensor_truth(L, t);
    scope_close(bind_base);
    lua_pushboolean(L, v);
    return 1;
}

static int compare(lua_State *L)
{
    Tensor *a = operand(L, 1), *b = operand(L, 2);
    if (!a || !b)
        return foreign_operand(L);
    return give_truth(L, op_apply((OpId)lua_tointeger(L, lua_upvalueindex(1)), (Arg[]){{.t = a}, {.t = b}}));
}

/* Lua asks only for two different userdata. Two handles on one tensor are equal; other tensors by their one
 * element. */
static int equal(lua_State *L)
{
    Tensor *a = to_tensor(L, 1), *b = to_tensor(L, 2);
    if (!a || !b || a == b) {
        lua_pushboolean(L, a && a == b);
        return 1;
    }
    return give_truth(L, op_eq(a, b));
}

/* ---- the other metamethods ---- */

static int length(lua_State *L)
{
    Tensor *t = to_tensor(L, 1);
    if (!t || t->ndim == 0)
        return raise_error(L, "TypeError", "len() of a 0-d tensor");
    lua_pushinteger(L, t->shape[0]);
    return 1;
}

static int next_row(lua_State *L)
{
    Tensor *t = to_tensor(L, 1);
    lua_Integer i = lua_isinteger(L, 2) ? lua_tointeger(L, 2) + 1 : 0;
    if (!t || i < 0 || i >= t->shape[0])
        return 0;
    lua_pushinteger(L, i);
    return 1 + give(L, op_select(t, 0, i));
}

static int pairs(lua_State *L)
{
    Tensor *t = to_tensor(L, 1);
    if (!t || t->ndim == 0)
        return raise_error(L, "TypeError", "iteration over a 0-d tensor");
    lua_pushcfunction(L, next_row);
    lua_pushvalue(L, 1);
    return 2;
}

static int tostring(lua_State *L)
{
    Tensor *t = to_tensor(L, 1);
    if (!t)
        return raise_error(L, "TypeError", "not a tensor");
    char *text = tensor_repr(t);
    if (!text)
        return raise_pending(L);
    scope_close(bind_base);
    lua_pushstring(L, text); /* without memory the text leaks, as does everything then */
    free(text);
    return 1;
}

static int concat(lua_State *L)
{
    luaL_tolstring(L, 1, NULL);
    luaL_tolstring(L, 2, NULL);
    lua_concat(L, 2);
    return 1;
}

/* upvalue 1: the methods table; a light userdata in it is an attribute's number. */
static int index_tensor(lua_State *L)
{
    Tensor *t = to_tensor(L, 1);
    if (!t)
        return raise_error(L, "TypeError", "not a tensor");
    if (lua_type(L, 2) == LUA_TSTRING) {
        lua_pushvalue(L, 2);
        switch (lua_rawget(L, lua_upvalueindex(1))) {
        case LUA_TFUNCTION: return 1;
        case LUA_TLIGHTUSERDATA: return attribute_get(L, t, (Attribute)(intptr_t)lua_touserdata(L, -1));
        default: break;
        }
    }
    return index_read(L, t, 2);
}

static int newindex_tensor(lua_State *L)
{
    Tensor *t = to_tensor(L, 1);
    if (!t)
        return raise_error(L, "TypeError", "not a tensor");
    if (lua_type(L, 2) == LUA_TSTRING) {
        lua_pushvalue(L, 2);
        if (lua_rawget(L, lua_upvalueindex(1)) == LUA_TLIGHTUSERDATA) {
            attribute_set(L, t, (Attribute)(intptr_t)lua_touserdata(L, -1), 3);
            return 0;
        }
        lua_pop(L, 1);
    }
    index_write(L, t, 2, 3);
    return 0;
}

static const struct {
    const char *event, *sign;
    lua_CFunction function;
    OpId op;
} operators[] = {{"__add", "+", binary, OP_add},
                 {"__sub", "-", subtract, OP_sub},
                 {"__mul", "*", binary, OP_mul},
                 {"__div", "/", divide, OP_div},
                 {"__idiv", "//", binary, OP_floor_divide},
                 {"__mod", "%", binary, OP_remainder},
                 {"__pow", "** or pow()", binary, OP_pow},
                 {"__band", "&", binary, OP_bitwise_and},
                 {"__bor", "|", binary, OP_bitwise_or},
                 {"__bxor", "^", binary, OP_bitwise_xor},
                 {"__shl", "<<", binary, OP_bitwise_left_shift},
                 {"__shr", ">>", binary, OP_bitwise_right_shift},
                 {"__unm", "-", negate, OP_neg},
                 {"__bnot", "~", invert, OP_bitwise_not},
                 {"__lt", "<", compare, OP_lt},
                 {"__le", "<=", compare, OP_le}};

static const luaL_Reg metamethods[] = {{"__gc", tensor_gc}, {"__eq", equal},          {"__len", length},
                                       {"__pairs", pairs},  {"__tostring", tostring}, {"__concat", concat},
                                       {NULL, NULL}};

void open_tensor(lua_State *L, const Library *lib)
{
    luaL_newmetatable(L, "Tensor");
    int meta = lua_gettop(L);
    lua_pushvalue(L, meta);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &tensor_meta_key);
    luaL_setfuncs(L, metamethods, 0);
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
        lua_pushinteger(L, operators[i].op);
        lua_pushvalue(L, meta);
        lua_pushstring(L, operators[i].event);
        lua_pushstring(L, operators[i].sign);
        lua_pushcclosure(L, operators[i].function, 4);
        lua_setfield(L, meta, operators[i].event);
    }
    lua_pushvalue(L, lib->methods);
    lua_pushcclosure(L, index_tensor, 1);
    lua_setfield(L, meta, "__index");
    lua_pushvalue(L, lib->methods);
    lua_pushcclosure(L, newindex_tensor, 1);
    lua_setfield(L, meta, "__newindex");
    lua_pushboolean(L, false);
    lua_setfield(L, meta, "__metatable");
    lua_pop(L, 1);
    open_attributes(L, lib);
}

void add_functions(lua_State *L, int table, const luaL_Reg *functions)
{
    lua_pushvalue(L, table);
    luaL_setfuncs(L, functions, 0);
    lua_pop(L, 1);
}
