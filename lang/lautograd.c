/* lautograd.c - autograd from Lua: backward, grad, gradient modes, tensors in and out of the graph. */
#include "lang/args.h"
#include "lang/attributes.h"
#include "lang/callback.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- backward, grad ---- */

/* A tensor, or a table of tensors with nil or false for "none", as a list; the array is a userdata left on
 * the stack. */
static TensorList read_tensors(Args *a, int i, const char *name)
{
    lua_State *L = a->L;
    TensorList list = {0, NULL};
    Tensor *one = i ? to_tensor(L, i) : NULL;
    bool table = i && lua_type(L, i) == LUA_TTABLE;
    if (i && !one && !table)
        raise_error(L, "TypeError", "'%s' object is not iterable", type_word(L, i));
    list.n = one ? 1 : table ? (int)lua_rawlen(L, i) : 0;
    list.v = lua_newuserdatauv(L, (size_t)(list.n ? list.n : 1) * sizeof *list.v, 0);
    if (one)
        list.v[0] = one;
    for (int k = 0; table && k < list.n; k++) {
        lua_rawgeti(L, i, k + 1);
        list.v[k] = to_tensor(L, -1);
        if (!list.v[k] && lua_toboolean(L, -1))
            raise_error(L, strcmp(name, "inputs") == 0 ? "RuntimeError" : "TypeError",
                        "all %s have to be Tensors or GradientEdges, but got %s", name, type_word(L, -1));
        lua_pop(L, 1);
    }
    return list;
}

static void check_no_holes(Args *a, const TensorList *list, const char *name)
{
    for (int k = 0; k < list->n; k++)
        if (!list->v[k])
            raise_error(a->L, "RuntimeError", "all %s have to be Tensors or GradientEdges, but got NoneType",
                        name);
}

/* retain_graph: not given means create_graph */
static bool retain_of(Args *a, const Arg *retain, bool create_graph)
{
    return retain->i ? arg_bool(a, (int)retain->i, "retain_graph", 0) : create_graph;
}

static int run_backward(Args *a, const Arg *v)
{
    lua_State *L = a->L;
    TensorList y = read_tensors(a, (int)v[0].i, "tensors"), g = read_tensors(a, (int)v[1].i, "gradient"),
               inputs = read_tensors(a, (int)v[4].i, "inputs");
    check_no_holes(a, &y, "tensors");
    check_no_holes(a, &inputs, "inputs");
    if (v[4].i && inputs.n == 0)
        raise_error(L, "RuntimeError", "`inputs` argument to `backward()` cannot be empty.");
    bool retain = retain_of(a, &v[2], v[3].b);
    lua_State *before = callbacks_enter(L);
    bool ok = autograd_backward(y, g, retain, v[3].b, v[4].i ? &inputs : NULL);
    callbacks_leave(before);
    if (!ok)
        return raise_after_callbacks(L);
    scope_close(bind_base);
    collector_tick(L);
    return 0;
}

static int method_backward(lua_State *L)
{
    static const ParamInfo params[] = {
        REQUIRED('A', "self"), OPTIONAL('A', "gradient", "NULL"), OPTIONAL('A', "retain_graph", "NULL"),
        OPTIONAL('B', "create_graph", "false"), OPTIONAL('A', "inputs", "NULL")};
    Args a;
    Arg v[COUNT(params)];
    args_begin(&a, L, "backward", true);
    args_read(&a, params, COUNT(params), COUNT(params), NULL, v);
    return run_backward(&a, v);
}

static int autograd_backward_function(lua_State *L)
{
    static const ParamInfo params[] = {REQUIRED('A', "tensors"), OPTIONAL('A', "grad_tensors", "NULL"),
                                       OPTIONAL('A', "retain_graph", "NULL"),
                                       OPTIONAL('B', "create_graph", "false"),
                                       OPTIONAL('A', "inputs", "NULL")};
    Args a;
    Arg v[COUNT(params)];
    args_begin(&a, L, "backward", false);
    args_read(&a, params, COUNT(params), COUNT(params), NULL, v);
    return run_backward(&a, v);
}

static Tensor *zeros_as(const Tensor *t)
{
    Dims shape = tensor_dims(t);
    return tensor_zeros(&shape, (DType)t->dtype, t->device);
}

/* is_grads_batched: one call for each row of the gradients given, its results stacked. */
static int batched_grad(lua_State *L, const Arg *v)
{
    lua_getglobal(L, "require");
    lua_pushliteral(L, "torch.autograd.batched");
    lua_call(L, 1, 1);
    for (int i = 0; i < 4; i++) {
        if (v[i].i)
            lua_pushvalue(L, (int)v[i].i);
        else
            lua_pushnil(L);
    }
    lua_pushboolean(L, v[4].b);
    if (v[5].i)
        lua_pushvalue(L, (int)v[5].i);
    else
        lua_pushnil(L);
    lua_pushboolean(L, v[7].b);
    lua_call(L, 7, 1);
    return 1;
}

static int grad_function(lua_State *L)
{
    static const ParamInfo params[] = {REQUIRED('A', "outputs"),
                                       REQUIRED('A', "inputs"),
                                       OPTIONAL('A', "grad_outputs", "NULL"),
                                       OPTIONAL('A', "retain_graph", "NULL"),
                                       OPTIONAL('B', "create_graph", "false"),
                                       OPTIONAL('A', "allow_unused", "NULL"),
                                       OPTIONAL('B', "is_grads_batched", "false"),
                                       OPTIONAL('B', "materialize_grads", "false")};
    Args a;
    Arg v[COUNT(params)];
    args_begin(&a, L, "grad", false);
    args_read(&a, params, COUNT(params), COUNT(params), NULL, v);
    TensorList y = read_tensors(&a, (int)v[0].i, "outputs"), x = read_tensors(&a, (int)v[1].i, "inputs"),
               g = read_tensors(&a, (int)v[2].i, "grad_outputs");
    check_no_holes(&a, &y, "outputs");
    check_no_holes(&a, &x, "inputs");
    if (v[6].b) return batched_grad(L, v);
    if (x.n == 0)
        raise_error(L, "RuntimeError", "`inputs` argument to `grad()` cannot be empty.");
    bool retain = retain_of(&a, &v[3], v[4].b);
    bool unused = v[5].i ? arg_bool(&a, (int)v[5].i, "allow_unused", 6) : v[7].b;
    if (v[7].b && !unused)
        raise_error(L, "ValueError",
                    "Expected allow_unused to be True or not passed when materialize_grads=True, but got: "
                    "allow_unused=False.");
    Tensor **out = lua_newuserdatauv(L, (size_t)(x.n ? x.n : 1) * sizeof *out, 0);
    lua_createtable(L, x.n, 0);
    int table = lua_gettop(L);
    lua_State *before = callbacks_enter(L);
    bool ok = autograd_grad(y, g, x, retain, v[4].b, unused, out);
    callbacks_leave(before);
    for (int k = 0; ok && v[7].b && k < x.n; k++) ok = out[k] || (out[k] = zeros_as(x.v[k]));
    if (!ok)
        return raise_after_callbacks(L);
    for (int k = 0; k < x.n; k++) {
        push_tensor(L, out[k]);
        lua_rawseti(L, table, k + 1);
    }
    scope_close(bind_base);
    collector_tick(L);
    return 1;
}

/* ---- gradient modes: guards that put the former mode back when closed ---- */

typedef struct Guard {
    bool inference; /* which mode it is about */
    bool former, open;
} Guard;

static const char guard_type[] = "torch.autograd.grad_mode";

static int guard_close(lua_State *L)
{
    Guard *g = luaL_checkudata(L, 1, guard_type);
    if (g->open && g->inference)
        set_inference_enabled(g->former);
    if (g->open)
        set_grad_enabled(g->inference ? true : g->former);
    g->open = false;
    return 0;
}

static int finish_call(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    return lua_gettop(L) - (int)context;
}

/* Switches the mode. With a function at stack index f: calls it with the rest, and gives its results. */
static int with_mode(lua_State *L, bool inference, bool on, int f)
{
    bool call = lua_isfunction(L, f);
    Guard *g = lua_newuserdatauv(L, sizeof *g, 0);
    *g = (Guard){.inference = inference, .open = true};
    luaL_setmetatable(L, guard_type);
    g->former = inference ? set_inference_enabled(on) : set_grad_enabled(on);
    if (inference && on)
        set_grad_enabled(false);
    if (!call)
        return 1;
    lua_insert(L, f);
    lua_toclose(L, f);
    lua_callk(L, lua_gettop(L) - f - 1, LUA_MULTRET, f, finish_call);
    return finish_call(L, LUA_OK, f);
}

static int no_grad(lua_State *L)
{
    return with_mode(L, false, false, 1);
}
static int enable_grad(lua_State *L)
{
    return with_mode(L, false, true, 1);
}

static bool mode_argument(lua_State *L, const char *function)
{
    if (!lua_isboolean(L, 1))
        raise_error(L, "TypeError", "%s(): argument 'mode' (position 1) must be bool, not %s", function,
                    type_word(L, 1));
    return lua_toboolean(L, 1);
}

static int set_grad_enabled_function(lua_State *L)
{
    return with_mode(L, false, mode_argument(L, "set_grad_enabled"), 2);
}

static int inference_mode(lua_State *L)
{
    if (lua_isnoneornil(L, 1) || lua_isfunction(L, 1))
        return with_mode(L, true, true, 1);
    return with_mode(L, true, mode_argument(L, "inference_mode"), 2);
}

static int is_grad_enabled(lua_State *L)
{
    lua_pushboolean(L, grad_enabled());
    return 1;
}

static int is_inference_mode_enabled(lua_State *L)
{
    lua_pushboolean(L, inference_enabled());
    return 1;
}

/* _set_anomaly(on, check_nan) */
static int set_anomaly(lua_State *L)
{
    set_anomaly_enabled(lua_toboolean(L, 1), lua_toboolean(L, 2));
    return 0;
}

static int is_anomaly_enabled(lua_State *L)
{
    lua_pushboolean(L, anomaly_enabled());
    return 1;
}

static int is_anomaly_check_nan_enabled(lua_State *L)
{
    lua_pushboolean(L, anomaly_checks_nan());
    return 1;
}

/* ---- tensors ---- */

static int requires_grad_(lua_State *L)
{
    static const ParamInfo params[] = {REQUIRED('T', "self"), OPTIONAL('B', "requires_grad", "true")};
    Args a;
    Arg v[2];
    args_begin(&a, L, "requires_grad_", true);
    args_read(&a, params, 2, 2, NULL, v);
    if (v[1].b && !dtype_is_float((DType)v[0].t->dtype)) /* the attribute has other words for it */
        return raise_error(L, "RuntimeError", "only Tensors of floating point dtype can require gradients");
    return give_self(L, tensor_set_requires_grad(v[0].t, v[1].b));
}

static int detach(lua_State *L)
{
    return give(L, tensor_detach(self_tensor(L, "detach")));
}

static const char view_detached[] =
    "Can't detach views in-place. Use detach() instead. If you are using DistributedDataParallel (DDP) for training, "
    "and gradient_as_bucket_view is set as True, gradients are views of DDP buckets, and hence detach_() cannot be "
    "called on these gradients. To fix this error, please refer to the Optimizer.zero_grad() function in "
    "torch/optim/optimizer.py as the solution.";

/* In place: the handle turns to a tensor outside the graph; the graph keeps the one it knows. */
static int detach_(lua_State *L)
{
    Tensor *t = self_tensor(L, "detach_");
    if (tensor_is_view(t))
        return raise_error(L, "RuntimeError", "%s", view_detached);
    Tensor *plain = tensor_keep(tensor_detach(t));
    if (!plain)
        return raise_pending(L);
    ((Handle *)lua_touserdata(L, 1))->tensor = plain;
    tensor_release(t);
    return give_self(L, true);
}

static int retain_grad(lua_State *L)
{
    if (!tensor_retain_grad(self_tensor(L, "retain_grad")))
        return raise_pending(L);
    return 0;
}

/* ---- registration ---- */

static void guard_types(lua_State *L)
{
    static const luaL_Reg guard[] = {{"__close", guard_close}, {NULL, NULL}};
    luaL_newmetatable(L, guard_type);
    luaL_setfuncs(L, guard, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, guard_close);
    lua_setfield(L, -2, "close");
    lua_pop(L, 1);
}

void open_autograd(lua_State *L, const Library *lib)
{
    static const luaL_Reg functions[] = {{"no_grad", no_grad},
                                         {"enable_grad", enable_grad},
                                         {"set_grad_enabled", set_grad_enabled_function},
                                         {"inference_mode", inference_mode},
                                         {"is_grad_enabled", is_grad_enabled},
                                         {"is_inference_mode_enabled", is_inference_mode_enabled},
                                         {"is_anomaly_enabled", is_anomaly_enabled},
                                         {"is_anomaly_check_nan_enabled", is_anomaly_check_nan_enabled},
                                         {NULL, NULL}};
    static const luaL_Reg autograd[] = {{"backward", autograd_backward_function},
                                        {"grad", grad_function},
                                        {"_set_anomaly", set_anomaly},
                                        {"no_grad", no_grad},
                                        {"enable_grad", enable_grad},
                                        {"set_grad_enabled", set_grad_enabled_function},
                                        {"inference_mode", inference_mode},
                                        {NULL, NULL}};
    static const luaL_Reg methods[] = {{"backward", method_backward},
                                       {"requires_grad_", requires_grad_},
                                       {"detach", detach},
                                       {"detach_", detach_},
                                       {"retain_grad", retain_grad},
                                       {NULL, NULL}};
    guard_types(L);
    open_nodes(L, lib);
    add_functions(L, lib->torch, functions);
    add_functions(L, lib->methods, methods);
    luaL_newlib(L, autograd);
    open_functions(L, lib, lua_gettop(L));
    lua_setfield(L, lib->torch, "_autograd"); /* lang/lua/autograd.lua makes it torch.autograd */
}
