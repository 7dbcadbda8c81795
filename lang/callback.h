/* callback.h - Lua functions that the engine calls while it walks a graph. */
#ifndef TIDE_CALLBACK_H
#define TIDE_CALLBACK_H

#include "lang/bind.h"

/* A Lua function held by the engine, freed with free_callback. */
typedef struct Callback {
    lua_State *main;
    int ref;
} Callback;

/* NULL when memory is out. */
Callback *new_callback(lua_State *L, int i);
void free_callback(void *context);

/* The thread that callbacks run on: the one that entered the engine last. callbacks_enter returns the former, for
 * callbacks_leave. */
lua_State *callbacks_enter(lua_State *L);
void callbacks_leave(lua_State *former);
lua_State *callback_thread(lua_State *main);

/* Calls the function below nargs values on the stack (the engine's scope is bracketed by the caller with bind_hold()).
 * True with nresults values; false with the Lua error remembered and an engine error pending. */
bool callback_call(lua_State *L, int nargs, int nresults);
/* Raises the pending error, or the Lua error that a callback left. */
int raise_after_callbacks(lua_State *L);

/* A removable handle for a hook on a tensor or a node; the one that is not given is NULL. Registers with it the function
 * at stack index i by `add`, which gets a callback and returns the hook's id or 0 and the error. Pushes the handle. */
typedef int (*HookAdder)(void *subject, Callback *c);
int push_hook(lua_State *L, Tensor *t, Node *n, int i, HookAdder add);

void open_nodes(lua_State *L, const Library *lib);
/* Functions of torch.autograd at stack index `autograd`: the base of torch.autograd.Function. */
void open_functions(lua_State *L, const Library *lib, int autograd);
/* grad_fn.key of a custom node: pushes one value and returns true where the node is one. */
bool custom_field(lua_State *L, Node *n, int node, int key);

/* grad_fn objects (lnode.c); NULL for other values. */
Node *to_node(lua_State *L, int i);

#endif
