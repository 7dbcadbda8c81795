/* lfunction.c - the base of torch.autograd.Function: nodes whose backward is Lua's (lang/lua/autograd/function.lua).
 *
 * A node holds its ctx, a table whose metatable has the Lua functions __backward and __read, and what it saved, a table
 * of its own that goes when the graph is used up. */
#include "lang/args.h"
#include "lang/attributes.h"
#include "lang/callback.h"

#include <stdlib.h>
#include <string.h>

typedef struct Custom {
    lua_State *main;
    int ctx, saved; /* references in the registry; saved LUA_NOREF once released */
} Custom;

static void release_saved(void *context)
{
    Custom *c = context;
    luaL_unref(c->main, LUA_REGISTRYINDEX, c->saved);
    c->saved = LUA_NOREF;
}

static void free_custom(void *context)
{
    Custom *c = context;
    luaL_unref(c->main, LUA_REGISTRYINDEX, c->ctx);
    luaL_unref(c->main, LUA_REGISTRYINDEX, c->saved);
    free(c);
}

/* Pushes ctx's function `name`, and ctx. */
static void push_method(lua_State *L, const Custom *c, const char *name)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, c->ctx);
    luaL_getmetafield(L, -1, name);
    lua_insert(L, -2);
}

static void push_saved(lua_State *L, const Custom *c)
{
    if (c->saved == LUA_NOREF)
        lua_pushnil(L);
    else
        lua_rawgeti(L, LUA_REGISTRYINDEX, c->saved);
}

/* One call of __backward, protected: its arguments are pushed inside, where memory may run out. */
typedef struct BackwardCall {
    const Custom *custom;
    Node *node;
    Tensor *const *g;
    int ng;
} BackwardCall;

static int call_backward(lua_State *L)
{
    const BackwardCall *call = lua_touserdata(L, 1);
    push_method(L, call->custom, "__backward");
    push_node(L, call->node);
    push_saved(L, call->custom);
    lua_createtable(L, call->ng, 0);
    for (int i = 0; i < call->ng; i++) {
        if (call->g[i])
            push_tensor(L, call->g[i]);
        else
            lua_pushboolean(L, false);
        lua_rawseti(L, -2, i + 1);
    }
    lua_call(L, 4, 1);
    return 1;
}

static bool custom_backward(void *context, Node *n, Tensor *const *g, Tensor **grads)
{
    const Custom *c = context;
    lua_State *L = callback_thread(c->main);
    if (!lua_checkstack(L, LUA_MINSTACK)) return tide_refuse("RuntimeError", "Lua stack overflow");
    BackwardCall call = {c, n, g, node_output_count(n)};
    int saved = bind_hold();
    lua_pushcfunction(L, call_backward);
    lua_pushlightuserdata(L, &call);
    bool ok = callback_call(L, 1, 1);
    bind_unhold(saved);
    if (!ok) return false;
    int count = node_inputs(n, NULL, NULL, 0);
    for (int i = 0; i < count; i++) {
        lua_rawgeti(L, -1, i + 1);
        grads[i] = scope_own(tensor_keep(to_tensor(L, -1)));
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return !tide_failed();
}

bool custom_field(lua_State *L, Node *n, int node, int key)
{
    const Custom *c = node_context(n, custom_backward);
    if (!c || !key) return c != NULL;
    push_method(L, c, "__read");
    lua_pushvalue(L, node);
    push_saved(L, c);
    lua_pushvalue(L, key);
    lua_call(L, 4, 1);
    return true;
}

/* A table of n tensors with false for "none" as an array in a userdata left on the stack. */
static TensorList tensors_of(lua_State *L, int i)
{
    TensorList list = {(int)luaL_len(L, i), NULL};
    list.v = lua_newuserdatauv(L, (size_t)(list.n + 1) * sizeof *list.v, 0);
    for (int k = 0; k < list.n; k++) {
        lua_rawgeti(L, i, k + 1);
        list.v[k] = to_tensor(L, -1);
        lua_pop(L, 1);
    }
    return list;
}

/* _custom(ctx, saved, name, outputs, differentiable, inputs, materialize): records a node. */
static int custom(lua_State *L)
{
    for (int i = 1; i <= 6; i++)
        if (i != 3) luaL_checktype(L, i, LUA_TTABLE);
    TensorList outputs = tensors_of(L, 4), inputs = tensors_of(L, 6);
    bool *differentiable = lua_newuserdatauv(L, (size_t)outputs.n + 1, 0);
    for (int k = 0; k < outputs.n; k++) {
        lua_rawgeti(L, 5, k + 1);
        differentiable[k] = lua_toboolean(L, -1);
        lua_pop(L, 1);
    }
    Custom *c = malloc(sizeof *c);
    if (!c) return luaL_error(L, "not enough memory");
    lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_MAINTHREAD);
    *c = (Custom){lua_tothread(L, -1), LUA_NOREF, LUA_NOREF};
    lua_pushvalue(L, 1);
    c->ctx = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_pushvalue(L, 2);
    c->saved = luaL_ref(L, LUA_REGISTRYINDEX);
    CustomFunction f = {luaL_checkstring(L, 3), custom_backward, release_saved,
                        free_custom,            c,               lua_toboolean(L, 7)};
    if (!autograd_custom(&f, outputs, differentiable, inputs)) {
        free_custom(c);
        return raise_pending(L);
    }
    scope_close(bind_base);
    return 0;
}

/* _saved(t, version[, node, output]): t as it was saved, checked; with node, the node's result `output` in its place. */
static int saved_tensor(lua_State *L)
{
    Tensor *t = to_tensor(L, 1);
    Node *n = to_node(L, 3);
    if (!t) return luaL_argerror(L, 1, "Tensor expected");
    uint32_t version = (uint32_t)luaL_checkinteger(L, 2);
    if (!autograd_check_version(t, n ? n : tensor_grad_fn(t), version, n != NULL)) return raise_pending(L);
    if (n) return give(L, node_result(n, (int)luaL_checkinteger(L, 4), t));
    lua_settop(L, 1);
    return 1;
}

/* _bump(t): an in-place write that only the caller saw. */
static int bump(lua_State *L)
{
    Tensor *t = to_tensor(L, 1);
    if (!t) return luaL_argerror(L, 1, "Tensor expected");
    tensor_bump_version(t);
    return 0;
}

/* torch._named(name, t, …): the same tensors, whose nodes shall be called so. */
static int named(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    for (int i = 2; i <= lua_gettop(L); i++) node_named(to_tensor(L, i), name);
    return lua_gettop(L) - 1;
}

/* torch._histogram(x, weight or nil, found): found as a result of histogram of x, whose node only refuses. */
static int histogram_result(lua_State *L)
{
    return give(L, op_histogram(to_tensor(L, 1), to_tensor(L, 2), to_tensor(L, 3)));
}

/* torch._scalar_overload(t): t, made by arithmetic with a number that PyTorch's code takes as one. */
static int scalar_overload(lua_State *L)
{
    node_scalar_overload(to_tensor(L, 1));
    lua_settop(L, 1);
    return 1;
}

void open_functions(lua_State *L, const Library *lib, int autograd)
{
    static const luaL_Reg functions[] = {
        {"_custom", custom}, {"_saved", saved_tensor}, {"_bump", bump}, {NULL, NULL}};
    static const luaL_Reg torch[] = {{"_named", named}, {"_histogram", histogram_result},
                                     {"_scalar_overload", scalar_overload}, {NULL, NULL}};
    add_functions(L, autograd, functions);
    add_functions(L, lib->torch, torch);
}
