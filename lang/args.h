/* args.h - reading the arguments of a function called from Lua, in one place and by one description.
 *
 * A function is described by an array of ParamInfo (the op table's, or a static one). Arguments come by
 * position, or in a trailing table with string keys only ("options"); a list of sizes or dims as one table
 * or, as the last positional parameter, as several numbers. Errors are PyTorch's TypeErrors.
 *
 * Kinds beyond the op table's: A any value, V device, G generator, S string (each read as a stack index in
 * Arg.i, 0 when not given; V as device code type * 256 + index, -1 when not given). */
#ifndef TIDE_ARGS_H
#define TIDE_ARGS_H

#include "lang/bind.h"

/* Entries of such an array: must be given; has a default (as text, "NULL" for none). */
#define REQUIRED(kind, name)                                                                                 \
    {                                                                                                        \
        kind, name, NULL, NULL                                                                               \
    }
#define OPTIONAL(kind, name, fallback)                                                                       \
    {                                                                                                        \
        kind, name, fallback, NULL                                                                           \
    }
#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

enum { ARGS_MAXDIMS = 5 };

typedef struct Args {
    lua_State *L;
    const char *function; /* for messages */
    bool method;          /* argument 1 is self */
    bool numbers;         /* tensor parameters take plain numbers too */
    int count;            /* positional arguments */
    int options;          /* stack index of the options table; 0 if none */
    int ndims;
    Dims dims[ARGS_MAXDIMS]; /* what Arg.dims points at */
    TensorList list;         /* what Arg.list points at; the array is a userdata on the stack */
} Args;

/* Looks at the arguments on the stack: how many there are and whether the last is an options table. */
void args_begin(Args *a, lua_State *L, const char *function, bool method);
/* Reads n parameters, of which the first `positional` may come by position, into out. `extra` names options
 * that the caller reads itself (comma-separated, NULL for none). Raises. */
void args_read(Args *a, const ParamInfo *params, int n, int positional, const char *extra, Arg *out);
/* Both: for functions all of whose parameters may come by position. */
void args_take(Args *a, lua_State *L, const char *function, bool method, const ParamInfo *params, int n,
               const char *extra, Arg *out);
/* The value of an option pushed on the stack; its index, or 0 (nothing pushed) if it is absent or nil. */
int args_option(Args *a, const char *name);
/* The name a user knows a row's parameter by: "input", "other", "exponent". */
const char *param_name(const char *function, const ParamInfo *p);

/* Single values, for functions that read some arguments by hand; i is a stack index, name the parameter's. */
int64_t arg_int(Args *a, int i, const char *name, int position);
bool arg_bool(Args *a, int i, const char *name, int position);
Tensor *arg_tensor(Args *a, int i, const char *name, int position);
/* A table, torch.Size or number as dims; they live as long as a. */
const Dims *arg_dims(Args *a, int i, const char *name, int position);
/* Ints, an integral float or an integer tensor of one element; false, nothing raised, for anything else. */
bool int_value(lua_State *L, int i, int64_t *out);
/* TypeError "function(): argument 'name' (position p) must be WHAT, not TYPE"; position 0 leaves it out. */
int arg_error(Args *a, const char *name, int position, const char *what, int i) __attribute__((noreturn));
/* An integer or float as a double; false for other values. */
bool number_value(lua_State *L, int i, double *out);

/* The tensor a method was called on; TypeError for anything else. */
Tensor *self_tensor(lua_State *L, const char *function);

#endif
