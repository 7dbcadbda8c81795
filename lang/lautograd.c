/* lautograd.c - autograd from Lua: backward, grad, gradient modes, hooks, grad_fn objects, custom functions.
 * */
#include "lang/args.h"
#include "lang/attributes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Lua functions called by the engine ---- */

/* A Lua function held by the engine; freed by free_callback when the node or tensor goes. */
typedef struct Callback {
    lua_State *main;
    int ref;
} Callback;

/* The thread that entered the engine: callbacks run on it. */
static lua_State *running;
static const char failed_key; /* registry: the error a callback raised, rethrown when the engine returns */
static const char lua_error_kind[] = "LuaError";

static Callback *new_callback(lua_State *L, int i)
{
    Callback *c = malloc(sizeof *c);
    if (!c)
        return NULL;
    lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_MAINTHREAD);
    c->main = lua_tothread(L, -1);
    lua_pop(L, 1);
    lua_pushvalue(L, i);
    c->ref = luaL_ref(L, LUA_REGISTRYINDEX);
    return c;
}

static void free_callback(void *context)
{
    Callback *c = context;
    luaL_unref(c->main, LUA_REGISTRYINDEX, c->ref);
    free(c);
}

/* Calls the callback with one tensor. On success leaves nresults values; on failure none, and the error
 * pending. */
static bool run_callback(Callback *c, Tensor *argument, int nresults)
{
    lua_State *L = running ? running : c->main;
    if (!lua_checkstack(L, LUA_MINSTACK))
        return tide_refuse("RuntimeError", "Lua stack overflow");
    lua_rawgeti(L, LUA_REGISTRYINDEX, c->ref);
    int saved = bind_hold();
    push_tensor(L, argument);
    int status = lua_pcall(L, 1, nresults, 0);
    if (status != LUA_OK)
        scope_close(bind_base);
    bind_unhold(saved);
    if (status == LUA_OK)
        return true;
    lua_rawsetp(L, LUA_REGISTRYINDEX, &failed_key);
    tide_error_clear();
    return tide_refuse(lua_error_kind, "error in a Lua function");
}

/* Raises the pending error, or the Lua error a callback left. */
static int raise_after_callbacks(lua_State *L)
{
    if (tide_error()->kind != lua_error_kind)
        return raise_pending(L);
    tide_error_clear();
    scope_close(bind_base);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &failed_key);
    lua_pushnil(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &failed_key);
    return lua_error(L);
}

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
        arg_error(a, name, 0, "Tensor or tuple of Tensors", i);
    list.n = one ? 1 : table ? (int)lua_rawlen(L, i) : 0;
    list.v = lua_newuserdatauv(L, (size_t)(list.n ? list.n : 1) * sizeof *list.v, 0);
    if (one)
        list.v[0] = one;
    for (int k = 0; table && k < list.n; k++) {
        lua_rawgeti(L, i, k + 1);
        list.v[k] = to_tensor(L, -1);
        if (!list.v[k] && lua_toboolean(L, -1))
            raise_error(L, "TypeError", "%s(): '%s' must hold Tensors, but item %d is %s", a->function, name,
                        k, type_word(L, -1));
        lua_pop(L, 1);
    }
    return list;
}

static void check_no_holes(Args *a, const TensorList *list, const char *name)
{
    for (int k = 0; k < list->n; k++)
        if (!list->v[k])
            raise_error(a->L, "TypeError", "%s(): '%s' must hold Tensors, but item %d is NoneType",
                        a->function, name, k);
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
    lua_State *before = running;
    running = L;
    bool ok = autograd_backward(y, g, retain_of(a, &v[2], v[3].b), v[3].b, v[4].i ? &inputs : NULL);
    running = before;
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

static int grad_function(lua_State *L)
{
    static const ParamInfo params[] = {REQUIRED('A', "outputs"),
                                       REQUIRED('A', "inputs"),
                                       OPTIONAL('A', "grad_outputs", "NULL"),
                                       OPTIONAL('A', "retain_graph", "NULL"),
                                       OPTIONAL('B', "create_graph", "false"),
                                       OPTIONAL('B', "allow_unused", "false")};
    Args a;
    Arg v[COUNT(params)];
    args_begin(&a, L, "grad", false);
    args_read(&a, params, COUNT(params), COUNT(params), NULL, v);
    TensorList y = read_tensors(&a, (int)v[0].i, "outputs"), x = read_tensors(&a, (int)v[1].i, "inputs"),
               g = read_tensors(&a, (int)v[2].i, "grad_outputs");
    check_no_holes(&a, &y, "outputs");
    check_no_holes(&a, &x, "inputs");
    Tensor **out = lua_newuserdatauv(L, (size_t)(x.n ? x.n : 1) * sizeof *out, 0);
    lua_createtable(L, x.n, 0);
    int table = lua_gettop(L);
    lua_State *before = running;
    running = L;
    bool ok = autograd_grad(y, g, x, retain_of(&a, &v[3], v[4].b), v[4].b, v[5].b, out);
    running = before;
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

/* set_detect_anomaly(on) */
static int set_detect_anomaly(lua_State *L)
{
    set_anomaly_enabled(mode_argument(L, "set_detect_anomaly"));
    return 0;
}

/* ---- tensors ---- */

static Tensor *self_tensor(lua_State *L, const char *function)
{
    Tensor *t = to_tensor(L, 1);
    if (!t)
        raise_error(L, "TypeError",
                    "%s(): argument 'self' must be Tensor, not %s (a method is called with a colon: t:%s(…))",
                    function, type_word(L, 1), function);
    return t;
}

static int requires_grad_(lua_State *L)
{
    static const ParamInfo params[] = {REQUIRED('T', "self"), OPTIONAL('B', "requires_grad", "true")};
    Args a;
    Arg v[2];
    args_begin(&a, L, "requires_grad_", true);
    args_read(&a, params, 2, 2, NULL, v);
    return give_self(L, tensor_set_requires_grad(v[0].t, v[1].b));
}

static int detach(lua_State *L)
{
    return give(L, tensor_detach(self_tensor(L, "detach")));
}

/* In place: the handle turns to a tensor outside the graph; the graph keeps the one it knows. */
static int detach_(lua_State *L)
{
    Tensor *t = self_tensor(L, "detach_"), *plain = tensor_keep(tensor_detach(t));
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

/* ---- hooks ---- */

typedef struct HookHandle {
    int id;
    Tensor *tensor; /* one reference; NULL once removed */
} HookHandle;

static const char hook_type[] = "torch.utils.hooks.RemovableHandle";

static Tensor *call_hook(Tensor *grad, void *context)
{
    Callback *c = context;
    if (!run_callback(c, grad, 1))
        return NULL;
    lua_State *L = running ? running : c->main;
    Tensor *replaced = to_tensor(L, -1);
    if (!replaced && !lua_isnil(L, -1))
        tide_fail("TypeError", "hook should return a Tensor or nil, not %s", type_word(L, -1));
    /* a handle's reference ends with the value on the stack: an alias lives in the engine's scope */
    Tensor *kept = replaced ? op_alias(replaced) : NULL;
    lua_pop(L, 1);
    return kept;
}

static int hook_remove(lua_State *L)
{
    HookHandle *h = luaL_checkudata(L, 1, hook_type);
    if (h->tensor) {
        tensor_remove_hook(h->tensor, h->id);
        tensor_release(h->tensor);
        h->tensor = NULL;
    }
    return 0;
}

static int hook_gc(lua_State *L)
{
    HookHandle *h = luaL_checkudata(L, 1, hook_type);
    tensor_release(h->tensor);
    h->tensor = NULL;
    return 0;
}

static int hook_tostring(lua_State *L)
{
    lua_pushfstring(L, "<%s object at %p>", hook_type, luaL_checkudata(L, 1, hook_type));
    return 1;
}

static int register_hook(lua_State *L)
{
    Tensor *t = self_tensor(L, "register_hook");
    if (lua_isnoneornil(L, 2))
        return raise_error(L, "TypeError",
                           "register_hook() missing 1 required positional arguments: \"hook\"");
    if (!t->requires_grad)
        return raise_error(L, "RuntimeError",
                           "cannot register a hook on a tensor that doesn't require gradient");
    HookHandle *h = lua_newuserdatauv(L, sizeof *h, 0);
    *h = (HookHandle){0, NULL};
    luaL_setmetatable(L, hook_type);
    Callback *c = new_callback(L, 2);
    h->id = c ? tensor_register_hook(t, call_hook, free_callback, c) : 0;
    if (h->id <= 0) {
        if (c)
            free_callback(c);
        return raise_pending(L);
    }
    h->tensor = tensor_keep(t);
    return 1;
}

/* ---- grad_fn ---- */

static const char node_type[] = "torch.autograd.Node";

void push_node(lua_State *L, Node *n)
{
    if (!n) {
        lua_pushnil(L);
        return;
    }
    Node **p = lua_newuserdatauv(L, sizeof *p, 0);
    *p = NULL;
    luaL_setmetatable(L, node_type);
    *p = node_keep(n);
}

static Node *check_node(lua_State *L)
{
    return *(Node **)luaL_checkudata(L, 1, node_type);
}

static int node_gc(lua_State *L)
{
    Node **p = luaL_checkudata(L, 1, node_type);
    node_release(*p);
    *p = NULL;
    return 0;
}

static int node_tostring(lua_State *L)
{
    char name[128];
    Node *n = check_node(L);
    lua_pushfstring(L, "<%s object at %p>", node_name(n, name, sizeof name), (void *)n);
    return 1;
}

static int node_eq(lua_State *L)
{
    Node **a = luaL_testudata(L, 1, node_type), **b = luaL_testudata(L, 2, node_type);
    lua_pushboolean(L, a && b && *a == *b);
    return 1;
}

static int node_name_method(lua_State *L)
{
    char name[128];
    lua_pushstring(L, node_name(check_node(L), name, sizeof name));
    return 1;
}

/* next_functions: a table of {node, 0}; {false, 0} stands where an input needs no gradient */
static void push_next_functions(lua_State *L, Node *n)
{
    int count = node_inputs(n, NULL, 0);
    Node **in = lua_newuserdatauv(L, (size_t)(count ? count : 1) * sizeof *in, 0);
    node_inputs(n, in, count);
    lua_createtable(L, count, 0);
    for (int i = 0; i < count; i++) {
        lua_createtable(L, 2, 0);
        if (in[i])
            push_node(L, in[i]);
        else
            lua_pushboolean(L, false);
        lua_rawseti(L, -2, 1);
        lua_pushinteger(L, 0);
        lua_rawseti(L, -2, 2);
        lua_rawseti(L, -2, i + 1);
    }
}

static int node_index(lua_State *L)
{
    Node *n = check_node(L);
    const char *key = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
    char name[128];
    if (strcmp(key, "name") == 0)
        lua_pushcfunction(L, node_name_method);
    else if (strcmp(key, "next_functions") == 0)
        push_next_functions(L, n);
    else if (strcmp(key, "variable") == 0)
        push_tensor(L, node_variable(n));
    else if (strcmp(key, "position") == 0)
        lua_pushstring(L, node_position(n));
    else
        return raise_error(L, "AttributeError", "'%s' object has no attribute '%s'",
                           node_name(n, name, sizeof name), key);
    return 1;
}

/* ---- torch.autograd.Function: the base of its Lua part ---- */

/* backward(context, g, grads): calls the Lua function with g; it returns one gradient an input, nil for none.
 * */
typedef struct Custom {
    Callback callback;
    int inputs;
} Custom;

static void free_custom(void *context)
{
    Custom *c = context;
    luaL_unref(c->callback.main, LUA_REGISTRYINDEX, c->callback.ref);
    free(c);
}

static bool custom_backward(void *context, Tensor *g, Tensor **grads)
{
    Custom *c = context;
    if (!run_callback(&c->callback, g, c->inputs))
        return false;
    lua_State *L = running ? running : c->callback.main;
    for (int i = 0; i < c->inputs; i++) {
        int at = i - c->inputs;
        Tensor *t = to_tensor(L, at);
        if (!t && lua_toboolean(L, at))
            tide_fail("TypeError", "backward returned a %s where a Tensor or nil is needed",
                      type_word(L, at));
        grads[i] = t ? op_alias(t) : NULL;
    }
    lua_pop(L, c->inputs);
    return !tide_failed();
}

/* autograd._custom(y, inputs, name, backward): y as the result of a node called name. */
static int custom(lua_State *L)
{
    Args a;
    args_begin(&a, L, "_custom", false);
    luaL_checktype(L, 2, LUA_TTABLE);
    luaL_checktype(L, 4, LUA_TFUNCTION);
    const char *name = luaL_checkstring(L, 3);
    Tensor *y = arg_tensor(&a, 1, "y", 1);
    TensorList inputs = read_tensors(&a, 2, "inputs");
    check_no_holes(&a, &inputs, "inputs");
    Custom *c = malloc(sizeof *c);
    if (!c)
        return luaL_error(L, "not enough memory");
    lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_MAINTHREAD);
    c->callback.main = lua_tothread(L, -1);
    lua_pushvalue(L, 4);
    c->callback.ref = luaL_ref(L, LUA_REGISTRYINDEX);
    c->inputs = inputs.n;
    Tensor *result = autograd_custom(y, inputs, name, custom_backward, free_custom, c);
    if (!result)
        free_custom(c);
    return give(L, result);
}

/* ---- registration ---- */

static void node_types(lua_State *L)
{
    static const luaL_Reg node[] = {{"__gc", node_gc},
                                    {"__tostring", node_tostring},
                                    {"__eq", node_eq},
                                    {"__index", node_index},
                                    {NULL, NULL}};
    static const luaL_Reg guard[] = {{"__close", guard_close}, {NULL, NULL}};
    static const luaL_Reg hook[] = {{"__gc", hook_gc}, {"__tostring", hook_tostring}, {NULL, NULL}};
    luaL_newmetatable(L, node_type);
    luaL_setfuncs(L, node, 0);
    luaL_newmetatable(L, guard_type);
    luaL_setfuncs(L, guard, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, guard_close);
    lua_setfield(L, -2, "close");
    luaL_newmetatable(L, hook_type);
    luaL_setfuncs(L, hook, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, hook_remove);
    lua_setfield(L, -2, "remove");
    lua_pop(L, 3);
}

void open_autograd(lua_State *L, const Library *lib)
{
    static const luaL_Reg functions[] = {{"no_grad", no_grad},
                                         {"enable_grad", enable_grad},
                                         {"set_grad_enabled", set_grad_enabled_function},
                                         {"inference_mode", inference_mode},
                                         {"is_grad_enabled", is_grad_enabled},
                                         {"is_inference_mode_enabled", is_inference_mode_enabled},
                                         {NULL, NULL}};
    static const luaL_Reg autograd[] = {{"backward", autograd_backward_function},
                                        {"grad", grad_function},
                                        {"_custom", custom},
                                        {"set_detect_anomaly", set_detect_anomaly},
                                        {"no_grad", no_grad},
                                        {"enable_grad", enable_grad},
                                        {"set_grad_enabled", set_grad_enabled_function},
                                        {NULL, NULL}};
    static const luaL_Reg methods[] = {{"backward", method_backward},
                                       {"requires_grad_", requires_grad_},
                                       {"detach", detach},
                                       {"detach_", detach_},
                                       {"retain_grad", retain_grad},
                                       {"register_hook", register_hook},
                                       {NULL, NULL}};
    node_types(L);
    add_functions(L, lib->torch, functions);
    add_functions(L, lib->methods, methods);
    luaL_newlib(L, autograd);
    lua_setfield(L, lib->torch, "autograd");
}
