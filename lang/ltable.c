/* ltable.c - nested Lua tables to tensors and back: torch.tensor's data, tolist(), item(). */
#include "lang/create.h"

#include <stdlib.h>
#include <string.h>

/* ---- tables to tensors ---- */

typedef struct Shape {
    Dims dims;
    int level; /* 0 no element seen, 1 bool, 2 int, 3 float; a tensor element's dtype counts as its class */
    DType dtype;
} Shape;

static bool is_sequence(lua_State *L, int i)
{
    return lua_type(L, i) == LUA_TTABLE;
}

static void see_dtype(Shape *s, DType d)
{
    s->dtype = s->level ? dtype_promote(s->dtype, d) : d;
    s->level = 1;
}

/* The dtype of a leaf; raises for what is no number. */
static void see_leaf(lua_State *L, int i, Shape *s)
{
    Tensor *t = to_tensor(L, i);
    if (t && t->numel != 1)
        raise_error(L, "ValueError", "only one element tensors can be converted to Python scalars");
    switch (lua_type(L, i)) {
    case LUA_TBOOLEAN: see_dtype(s, DT_BOOL); break;
    case LUA_TNUMBER: see_dtype(s, lua_isinteger(L, i) ? DT_I64 : default_dtype()); break;
    case LUA_TNIL: raise_error(L, "RuntimeError", "Could not infer dtype of NoneType"); break;
    default:
        if (!t)
            raise_error(L, "TypeError", "new(): invalid data type '%s'", type_word(L, i));
        see_dtype(s, (DType)t->dtype);
    }
}

static void first_sizes(lua_State *L, int i, Shape *s)
{
    lua_pushvalue(L, i);
    int top = lua_gettop(L);
    while (is_sequence(L, -1)) {
        if (s->dims.n == TIDE_MAXDIM)
            raise_error(L, "ValueError", "too many dimensions 'table'");
        lua_Integer n = (lua_Integer)lua_rawlen(L, -1);
        s->dims.v[s->dims.n++] = n;
        if (n == 0)
            break;
        luaL_checkstack(L, 2, NULL);
        lua_rawgeti(L, -1, 1);
    }
    lua_settop(L, top - 1);
}

/* Checks lengths against the first ones and finds the common dtype. */
static void check_level(lua_State *L, int i, int dim, Shape *s)
{
    if (dim == s->dims.n) {
        if (is_sequence(L, i))
            raise_error(L, "TypeError", "'table' object cannot be interpreted as an integer");
        see_leaf(L, i, s);
        return;
    }
    if (!is_sequence(L, i))
        raise_error(L, "TypeError", "not a sequence");
    lua_Integer n = (lua_Integer)lua_rawlen(L, i);
    if (n != s->dims.v[dim])
        raise_error(L, "ValueError", "expected sequence of length %lld at dim %d (got %lld)",
                    (long long)s->dims.v[dim], dim, (long long)n);
    luaL_checkstack(L, 2, NULL);
    for (lua_Integer k = 1; k <= n; k++) {
        lua_rawgeti(L, i, k);
        check_level(L, lua_gettop(L), dim + 1, s);
        lua_pop(L, 1);
    }
}

/* The narrow integers take no number beyond them. */
static void check_leaf(lua_State *L, int i, DType d)
{
    bool narrow = d == DT_U8 || d == DT_I8 || d == DT_I16 || d == DT_I32;
    if (narrow && !number_fits(lua_tonumber(L, i), lua_isinteger(L, i), d))
        raise_error(L, "RuntimeError", "value cannot be converted to type %s without overflow", dtype_info[d].name);
}

static void store_leaf(lua_State *L, int i, DType d, char *p)
{
    if (lua_type(L, i) == LUA_TNUMBER)
        check_leaf(L, i, d);
    int64_t whole;
    double v;
    if (lua_isboolean(L, i)) {
        element_store_int(p, d, lua_toboolean(L, i));
    } else if (lua_isinteger(L, i)) {
        element_store_int(p, d, lua_tointeger(L, i));
    } else if (lua_type(L, i) == LUA_TNUMBER) {
        element_store_double(p, d, lua_tonumber(L, i));
    } else {
        Tensor *t = to_tensor(L, i);
        bool fraction = dtype_is_float((DType)t->dtype);
        if (!(fraction ? tensor_item_double(t, &v) : tensor_item_int(t, &whole)))
            raise_pending(L);
        if (fraction)
            element_store_double(p, d, v);
        else
            element_store_int(p, d, whole);
    }
}

static char *store_level(lua_State *L, int i, int dim, const Shape *s, DType d, char *p)
{
    if (dim == s->dims.n) {
        store_leaf(L, i, d, p);
        return p + dtype_size(d);
    }
    for (lua_Integer k = 1; k <= s->dims.v[dim]; k++) {
        lua_rawgeti(L, i, k);
        p = store_level(L, lua_gettop(L), dim + 1, s, d, p);
        lua_pop(L, 1);
    }
    return p;
}

Tensor *tensor_from_table(lua_State *L, int i, DType dtype)
{
    Shape s = {.level = 0};
    i = lua_absindex(L, i);
    first_sizes(L, i, &s);
    check_level(L, i, 0, &s);
    if (dtype == DT_NONE)
        dtype = s.level ? s.dtype : default_dtype();
    Tensor *t = tensor_empty(&s.dims, dtype, (Device){DEVICE_CPU, 0});
    if (!t)
        raise_pending(L);
    store_level(L, i, 0, &s, dtype, tensor_data(t));
    return t;
}

/* ---- tensors to tables ---- */

static void push_element(lua_State *L, const char *p, DType d)
{
    if (d == DT_BOOL)
        lua_pushboolean(L, *(const bool *)p);
    else if (dtype_is_float(d))
        lua_pushnumber(L, element_as_double(p, d));
    else
        lua_pushinteger(L, element_as_int(p, d));
}

static const char *push_level(lua_State *L, const Tensor *t, int dim, const char *p)
{
    if (dim == t->ndim) {
        push_element(L, p, (DType)t->dtype);
        return p + dtype_size((DType)t->dtype);
    }
    int64_t n = t->shape[dim];
    lua_createtable(L, n < 1 << 20 ? (int)n : 0, 0);
    for (int64_t k = 0; k < n; k++) {
        if ((k & 0xffff) == 0 && tide_check_interrupt()) raise_pending(L);
        p = push_level(L, t, dim + 1, p);
        lua_rawseti(L, -2, k + 1);
    }
    return p;
}

int method_tolist(lua_State *L)
{
    Args a;
    args_begin(&a, L, "tolist", true);
    args_read(&a, (const ParamInfo[]){{'T', "self", NULL, NULL}}, 1, 1, NULL, (Arg[1]){{0}});
    Tensor *t = to_tensor(L, 1);
    size_t bytes = (size_t)t->numel * dtype_size((DType)t->dtype);
    char *copy = lua_newuserdatauv(L, bytes ? bytes : 1, 0);
    if (!tensor_read(t, copy))
        return raise_pending(L);
    luaL_checkstack(L, TIDE_MAXDIM + 4, NULL);
    push_level(L, t, 0, copy);
    scope_close(bind_base);
    return 1;
}

int method_item(lua_State *L)
{
    Tensor *t = to_tensor(L, 1);
    char room[16];
    if (!t)
        return raise_error(L, "TypeError", "item() is a tensor's method: t:item()");
    if (t->numel != 1)
        return raise_error(L, "RuntimeError", "a Tensor with %lld elements cannot be converted to Scalar",
                           (long long)t->numel);
    if (!tensor_read(t, room))
        return raise_pending(L);
    scope_close(bind_base);
    push_element(L, room, (DType)t->dtype);
    return 1;
}
