/* bind.h - what the files of the Lua binding share: tensor handles, results, errors, registration.
 *
 * Scopes. Lua code always runs with the engine's scope stack at `bind_base`: every function called from Lua
 * leaves its temporaries there and give() or raise_error() closes back to it, so an error thrown half-way
 * leaks nothing. Whoever runs Lua code while holding tensors of its own scope (hooks, protected calls,
 * pushing several handles) brackets that with bind_hold() and bind_unhold(). */
#ifndef TIDE_BIND_H
#define TIDE_BIND_H

#include "engine/engine.h"

#include <lauxlib.h>
#include <lua.h>

/* A tensor seen from Lua. Full userdata; owns one reference, NULL once collected. `tag` tells it from other
 * userdata without a metatable lookup: no other library's userdata holds this address. */
typedef struct Handle {
    const void *tag;
    Tensor *tensor;
} Handle;

extern const char handle_tag;
extern int bind_base;

/* The tensor at stack index i, borrowed from its handle; NULL if the value is not a tensor. */
static inline Tensor *to_tensor(lua_State *L, int i)
{
    const Handle *h = lua_touserdata(L, i);
    if (!h || lua_rawlen(L, i) != sizeof *h)
        return NULL; /* light userdata have length 0 */
    return h->tag == &handle_tag ? h->tensor : NULL;
}

static inline int bind_hold(void)
{
    int saved = bind_base;
    bind_base = scope_open();
    return saved;
}
static inline void bind_unhold(int saved)
{
    bind_base = saved;
}

/* ---- results ---- */

/* Pushes a handle on t (one more reference); nil for NULL. Closes no scope. */
void push_tensor(lua_State *L, Tensor *t);
/* Pushes an op's result and closes the scope; NULL raises the engine's error. Returns 1. */
int give(lua_State *L, Tensor *t);
/* The same in a closure that has the tensor metatable as upvalue 2: saves the look-up. */
int give_quick(lua_State *L, Tensor *t);
/* The same for an op's first result and what it left in op_second() and op_third(). Returns their number.
 * `name` and `fields` ("values,indices") tell how the shell echoes them; name NULL for a plain tuple. */
int give_results(lua_State *L, Tensor *first, const char *name, const char *fields);
/* Ends an in-place method: raises if !ok, else closes the scope and leaves argument 1. Returns 1. */
int give_self(lua_State *L, bool ok);
/* Remembers that the n values from stack index `first` on are one return type (torch.return_types.max). */
void remember_returns(lua_State *L, int first, int n, const char *name, const char *fields);
/* The remembered name if the n values from `first` on are those last returned, with *fields; else NULL. */
const char *remembered_returns(lua_State *L, int first, int n, const char **fields);

/* ---- errors: a Lua string "file:line: Kind: text", the position being the nearest one in the user's own
 * code ---- */

int raise_error(lua_State *L, const char *kind, const char *format, ...)
    __attribute__((format(printf, 3, 4), noreturn));
/* Raises the engine's pending error. */
int raise_pending(lua_State *L) __attribute__((noreturn));
/* Python's word for a Lua value's type, as PyTorch's messages use it: "int", "NoneType", "Tensor". */
const char *type_word(lua_State *L, int i);
/* Pushes "file:line: " of the innermost running function outside the library; "" if there is none. */
void push_position(lua_State *L);
/* The candidate (names of n strings) nearest to `word`, or NULL if none is near. */
typedef struct Nearest {
    const char *word, *best;
    int distance;
} Nearest;
void nearest_start(Nearest *n, const char *word);
void nearest_try(Nearest *n, const char *candidate);

/* ---- the collector (lgc.c) ---- */

void collector_start(lua_State *L);
/* To be called after pushing a handle: runs the collector when handles or tensor bytes made it due. */
void collector_tick(lua_State *L);
/* After a failed op: true if memory ran out, a full collection was done and the op is worth a second try. */
bool collector_retry(lua_State *L);

/* ---- values of other types (ltypes.c) ---- */

void push_dtype(lua_State *L, DType d);
bool to_dtype(lua_State *L, int i, DType *d);
void push_device(lua_State *L, Device d);
/* A device object or a string naming one; false, nothing raised, for other values. A bad name raises. */
bool to_device(lua_State *L, int i, Device *d);
void push_layout(lua_State *L); /* torch.strided: there is no other */
void push_size(lua_State *L, const Dims *d);
/* A torch.Size; NULL for other values. */
const Dims *to_size(lua_State *L, int i);
/* A torch.Generator; NULL for other values. */
Generator *to_generator(lua_State *L, int i);
/* A slice object (torch.s). present tells which of start, stop, step were given (bits 0, 1, 2). */
typedef struct Slice {
    int64_t v[3];
    uint8_t present;
} Slice;
const Slice *to_slice(lua_State *L, int i);
/* One slice as text (":2", "1:", "::2"); false if it is none. */
bool slice_parse(const char *text, Slice *s);
bool is_ellipsis(lua_State *L, int i);
bool is_newaxis(lua_State *L, int i);

/* ---- indexing (lindex.c) ---- */

/* t[key]; key at stack index. Pushes one value. */
int index_read(lua_State *L, Tensor *t, int key);
/* t[key] = value. */
void index_write(lua_State *L, Tensor *t, int key, int value);
/* The tensor a nested table of numbers and booleans describes; dtype DT_NONE infers. Raises. Innermost scope.
 * */
Tensor *tensor_from_table(lua_State *L, int i, DType dtype);
/* A plain number or boolean as a wrapped 0-dim tensor; NULL for other values. */
Tensor *to_number(lua_State *L, int i);

/* ---- registration: each adds to the torch table at `torch` and the methods table at `methods` ---- */

typedef struct Library {
    int torch, methods, functional; /* absolute stack indices */
} Library;

void open_types(lua_State *L, const Library *lib);
void open_tensor(lua_State *L, const Library *lib);
void open_ops(lua_State *L, const Library *lib);
void open_overloads(lua_State *L, const Library *lib);
void open_methods(lua_State *L, const Library *lib);
void open_memory(lua_State *L, const Library *lib);
void open_create(lua_State *L, const Library *lib);
void open_random(lua_State *L, const Library *lib);
void open_autograd(lua_State *L, const Library *lib);
void open_device(lua_State *L, const Library *lib);
void open_sugar(lua_State *L, const Library *lib);
void open_library(lua_State *L, const Library *lib);
void open_help(lua_State *L, const Library *lib);

/* Metatables by registry key, so that a type test is one pointer comparison. */
extern const char tensor_meta_key;
/* Adds functions to the table at index `table` (as luaL_setfuncs, without upvalues). */
void add_functions(lua_State *L, int table, const luaL_Reg *functions);

#endif
