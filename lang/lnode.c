/* lnode.c - what Lua sees of the graph: grad_fn objects, hooks on tensors and nodes, Lua functions the engine calls. */
#include "lang/args.h"
#include "lang/attributes.h"
#include "lang/callback.h"

#include <stdlib.h>
#include <string.h>

/* ---- Lua functions called by the engine ---- */

static lua_State *running;
static const char failed_key; /* registry: the error a callback raised, rethrown when the engine returns */
static const char lua_error_kind[] = "LuaError";

Callback *new_callback(lua_State *L, int i)
{
    Callback *c = malloc(sizeof *c);
    if (!c) return NULL;
    lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_MAINTHREAD);
    c->main = lua_tothread(L, -1);
    lua_pop(L, 1);
    lua_pushvalue(L, i);
    c->ref = luaL_ref(L, LUA_REGISTRYINDEX);
    return c;
}

void free_callback(void *context)
{
    Callback *c = context;
    luaL_unref(c->main, LUA_REGISTRYINDEX, c->ref);
    free(c);
}

lua_State *callbacks_enter(lua_State *L)
{
    lua_State *former = running;
    running = L;
    return former;
}

void callbacks_leave(lua_State *former) { running = former; }

lua_State *callback_thread(lua_State *main) { return running ? running : main; }

bool callback_call(lua_State *L, int nargs, int nresults)
{
    if (lua_pcall(L, nargs, nresults, 0) == LUA_OK) return true;
    scope_close(bind_base);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &failed_key);
    tide_error_clear();
    return tide_refuse(lua_error_kind, "error in a Lua function");
}

int raise_after_callbacks(lua_State *L)
{
    if (tide_error()->kind != lua_error_kind) return raise_pending(L);
    tide_error_clear();
    scope_close(bind_base);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &failed_key);
    lua_pushnil(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &failed_key);
    return lua_error(L);
}

/* The tensor on top of the stack in the engine's scope, popped: a handle's reference ends with the value on the stack. */
static Tensor *take_tensor(lua_State *L)
{
    Tensor *kept = scope_own(tensor_keep(to_tensor(L, -1)));
    lua_pop(L, 1);
    return kept;
}

/* ---- handles of hooks ---- */

typedef struct HookHandle {
    int id;
    Tensor *tensor; /* one reference; NULL once removed */
    Node *node;     /* the same */
} HookHandle;

static const char hook_type[] = "torch.utils.hooks.RemovableHandle";

static void forget_subject(HookHandle *h)
{
    tensor_release(h->tensor);
    node_release(h->node);
    h->tensor = NULL;
    h->node = NULL;
}

static int hook_remove(lua_State *L)
{
    HookHandle *h = luaL_checkudata(L, 1, hook_type);
    if (h->tensor) tensor_remove_hook(h->tensor, h->id);
    if (h->node) node_remove_hook(h->node, h->id);
    forget_subject(h);
    return 0;
}

static int hook_gc(lua_State *L)
{
    forget_subject(luaL_checkudata(L, 1, hook_type));
    return 0;
}

static int hook_tostring(lua_State *L)
{
    lua_pushfstring(L, "<%s object at %p>", hook_type, luaL_checkudata(L, 1, hook_type));
    return 1;
}

int push_hook(lua_State *L, Tensor *t, Node *n, int i, HookAdder add)
{
    if (lua_isnoneornil(L, i))
        return raise_error(L, "TypeError",
                           "register_hook() missing 1 required positional arguments: \"hook\"");
    HookHandle *h = lua_newuserdatauv(L, sizeof *h, 0);
    *h = (HookHandle){0, NULL, NULL};
    luaL_setmetatable(L, hook_type);
    Callback *c = new_callback(L, i);
    if (!c) return luaL_error(L, "not enough memory");
    h->id = add(t ? (void *)t : (void *)n, c);
    if (h->id <= 0) {
        free_callback(c);
        return raise_pending(L);
    }
    h->tensor = tensor_keep(t);
    h->node = node_keep(n);
    return 1;
}

/* ---- hooks of tensors ---- */

static Tensor *call_hook(Tensor *grad, void *context)
{
    Callback *c = context;
    lua_State *L = callback_thread(c->main);
    if (!lua_checkstack(L, LUA_MINSTACK)) return tide_fail("RuntimeError", "Lua stack overflow");
    lua_rawgeti(L, LUA_REGISTRYINDEX, c->ref);
    int saved = bind_hold();
    push_tensor(L, grad);
    bool ok = callback_call(L, 1, 1);
    bind_unhold(saved);
    if (!ok) return NULL;
    Tensor *other = to_tensor(L, -1);
    if (!other && !lua_isnil(L, -1))
        tide_fail("TypeError", "expected Variable, but hook returned '%s'", type_word(L, -1));
    else if (other && !tensor_same_shape(other, grad))
        tide_fail("RuntimeError", "hook '<lambda>' has changed the size of value");
    return take_tensor(L);
}

static int add_tensor_hook(void *t, Callback *c) { return tensor_register_hook(t, call_hook, free_callback, c); }

static int register_hook(lua_State *L)
{
    return push_hook(L, self_tensor(L, "register_hook"), NULL, 2, add_tensor_hook);
}

static Tensor *call_accumulated(Tensor *leaf, void *context)
{
    Callback *c = context;
    lua_State *L = callback_thread(c->main);
    if (!lua_checkstack(L, LUA_MINSTACK)) return tide_fail("RuntimeError", "Lua stack overflow");
    lua_rawgeti(L, LUA_REGISTRYINDEX, c->ref);
    int saved = bind_hold();
    push_tensor(L, leaf);
    callback_call(L, 1, 0);
    bind_unhold(saved);
    return NULL;
}

static int add_accumulated_hook(void *t, Callback *c)
{
    return tensor_register_accumulated_hook(t, call_accumulated, free_callback, c);
}

static int register_post_accumulate_grad_hook(lua_State *L)
{
    Tensor *t = self_tensor(L, "register_post_accumulate_grad_hook");
    return push_hook(L, t, NULL, 2, add_accumulated_hook);
}

/* ---- hooks of nodes ---- */

static void push_gradients(lua_State *L, Tensor **v, int n)
{
    lua_createtable(L, n, 0);
    for (int i = 0; i < n; i++) {
        push_tensor(L, v[i]);
        lua_rawseti(L, -2, i + 1);
    }
}

/* What a hook returned (on top of the stack, popped) in place of the n gradients of v: a tensor or a table of them. */
static bool take_gradients(lua_State *L, Tensor **v, int n)
{
    bool table = lua_type(L, -1) == LUA_TTABLE;
    if (!table && !to_tensor(L, -1) && !lua_isnil(L, -1))
        tide_fail("TypeError", "expected Variable, but hook returned '%s'", type_word(L, -1));
    for (int i = 0; table && i < n; i++) {
        lua_rawgeti(L, -1, i + 1);
        v[i] = take_tensor(L);
    }
    Tensor *one = table ? NULL : to_tensor(L, -1);
    if (one && n > 0) v[0] = scope_own(tensor_keep(one));
    lua_pop(L, 1);
    return !tide_failed();
}

static bool call_node_hook(void *context, Tensor **in, int nin, Tensor **out, int nout)
{
    Callback *c = context;
    lua_State *L = callback_thread(c->main);
    if (!lua_checkstack(L, LUA_MINSTACK)) return tide_refuse("RuntimeError", "Lua stack overflow");
    lua_rawgeti(L, LUA_REGISTRYINDEX, c->ref);
    int saved = bind_hold();
    if (in) push_gradients(L, in, nin);
    push_gradients(L, out, nout);
    bool ok = callback_call(L, in ? 2 : 1, 1);
    bind_unhold(saved);
    return ok && (in ? take_gradients(L, in, nin) : take_gradients(L, out, nout));
}

static int add_hook_after(void *n, Callback *c)
{
    return node_register_hook(n, false, call_node_hook, free_callback, c);
}

static int add_hook_before(void *n, Callback *c)
{
    return node_register_hook(n, true, call_node_hook, free_callback, c);
}

static const char node_type[] = "torch.autograd.Node";

Node *to_node(lua_State *L, int i)
{
    Node **p = luaL_testudata(L, i, node_type);
    return p ? *p : NULL;
}

static Node *check_node(lua_State *L) { return *(Node **)luaL_checkudata(L, 1, node_type); }

static int node_hook_method(lua_State *L) { return push_hook(L, NULL, check_node(L), 2, add_hook_after); }
static int node_prehook_method(lua_State *L) { return push_hook(L, NULL, check_node(L), 2, add_hook_before); }

/* ---- grad_fn ---- */

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
    lua_pushfstring(L, "<%s%s object at %p>", custom_field(L, n, 0, 0) ? "torch.autograd.function." : "",
                    node_name(n, name, sizeof name), (void *)n);
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
    int count = node_inputs(n, NULL, NULL, 0);
    Node **in = lua_newuserdatauv(L, (size_t)(count + 1) * (sizeof *in + sizeof(int)), 0);
    int *output = (int *)(in + count);
    node_inputs(n, in, output, count);
    lua_createtable(L, count, 0);
    for (int i = 0; i < count; i++) {
        lua_createtable(L, 2, 0);
        if (in[i])
            push_node(L, in[i]);
        else
            lua_pushboolean(L, false);
        lua_rawseti(L, -2, 1);
        lua_pushinteger(L, in[i] ? output[i] : 0);
        lua_rawseti(L, -2, 2);
        lua_rawseti(L, -2, i + 1);
    }
}

/* "In [3]:2"; nil if it is not known. */
static void push_place(lua_State *L, const Node *n)
{
    int line;
    const Place *place = node_place(n, &line);
    if (!place)
        lua_pushnil(L);
    else if (line)
        lua_pushfstring(L, "%s:%d", place->name, line);
    else
        lua_pushstring(L, place->name);
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
    else if (strcmp(key, "register_hook") == 0)
        lua_pushcfunction(L, node_hook_method);
    else if (strcmp(key, "register_prehook") == 0)
        lua_pushcfunction(L, node_prehook_method);
    else if (strcmp(key, "variable") == 0 && node_variable(n))
        push_tensor(L, node_variable(n));
    else if (strcmp(key, "position") == 0)
        push_place(L, n);
    else if (!custom_field(L, n, 1, 2))
        return raise_error(L, "AttributeError", "'%s' object has no attribute '%s'",
                           node_name(n, name, sizeof name), key);
    return 1;
}

/* ---- registration ---- */

void open_nodes(lua_State *L, const Library *lib)
{
    static const luaL_Reg node[] = {{"__gc", node_gc},
                                    {"__tostring", node_tostring},
                                    {"__eq", node_eq},
                                    {"__index", node_index},
                                    {NULL, NULL}};
    static const luaL_Reg hook[] = {{"__gc", hook_gc}, {"__tostring", hook_tostring}, {NULL, NULL}};
    static const luaL_Reg methods[] = {
        {"register_hook", register_hook},
        {"register_post_accumulate_grad_hook", register_post_accumulate_grad_hook},
        {NULL, NULL}};
    luaL_newmetatable(L, node_type);
    luaL_setfuncs(L, node, 0);
    luaL_newmetatable(L, hook_type);
    luaL_setfuncs(L, hook, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, hook_remove);
    lua_setfield(L, -2, "remove");
    lua_pop(L, 2);
    add_functions(L, lib->methods, methods);
}
