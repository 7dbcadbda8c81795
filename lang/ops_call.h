/* ops_call.h - calling a row of the op table with arguments from Lua; for functions that choose among rows.
 * */
#ifndef TIDE_OPS_CALL_H
#define TIDE_OPS_CALL_H

#include "lang/args.h"

/* Reads the row's arguments from the stack, applies it, gives its result or results (out= and dtype=
 * included). */
int call_op(lua_State *L, OpId op, const char *name, bool method);
/* The same for its in-place form; leaves self. */
int call_inplace(lua_State *L, OpId op, const char *name);
/* The steps of call_op: reading (extra: further options' names), then applying and giving. */
void read_op_args(Args *a, const OpInfo *info, const char *extra, Arg *v);
/* Refuses a dtype= that the op of x does not take. */
void check_dtype_option(lua_State *L, OpId op, const Tensor *x, DType d);
int finish_op(Args *a, OpId op, Arg *v);
/* Applies the op; when memory ran out, once more after a full collection. */
Tensor *apply_with_retry(lua_State *L, OpId op, const Arg *args);
/* Warns, as PyTorch does, when the out= tensor at stack index `at`, which had shape `before`, was resized. */
void warn_resized(lua_State *L, int at, const Dims *before);
/* Gives y, into the option out= where it is given. */
int give_out(Args *a, Tensor *y);
/* Gives the n tensors y, an op's results called `name` with `fields`, into the table out= where it is given. */
int give_several(Args *a, Tensor *const *y, int n, const char *name, const char *fields);
/* Gives y and, for ops with several results, the others. */
int give_op(lua_State *L, OpId op, Tensor *y);
/* The same into out=, where it is given. */
int give_op_out(Args *a, OpId op, Tensor *y);

/* ---- for help and completion ---- */

/* The row that the function at stack index f calls; OP_COUNT if it is none that calls just one row. */
OpId op_of_function(lua_State *L, int f);
/* The name in torch.linalg of the row linalg_<name>; NULL for other rows. */
/* Where Lua has the row: "torch", "F" (torch.nn.functional), "linalg" or "special"; its name there. */
const char *row_module(const OpInfo *info, const char **name);

#endif
