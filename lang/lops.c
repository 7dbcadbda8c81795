/* lops.c - every row of the op table as torch.NAME, method t:NAME and in-place t:NAME_. */
#include "lang/args.h"
#include "lang/lang.h"
#include "lang/ops_call.h"

#include <stdio.h>
#include <string.h>

/* Closures: upvalue 1 is the op, 2 the tensor metatable, 3 true for methods. */

static OpId upvalue_op(lua_State *L)
{
    return (OpId)lua_tointeger(L, lua_upvalueindex(1));
}

static bool is_elementwise(const OpInfo *info)
{
    return info->format <= FORMAT_TEST;
}

int give_op(lua_State *L, OpId op, Tensor *y)
{
    const OpInfo *info = op_info(op);
    if (!info->returns)
        return give(L, y);
    if (*info->returns == '\0')
        return give_results(L, y, NULL, NULL);
    return give_results(L, y, info->returns_name ? info->returns_name : info->name, info->returns);
}

Tensor *apply_with_retry(lua_State *L, OpId op, const Arg *args)
{
    Tensor *y = op_apply(op, args);
    return y || !collector_retry(L) ? y : op_apply(op, args);
}

/* Writes y into the tensor at stack index `at`, given as out=. */
static void write_out(Args *a, int at, Tensor *y, bool exact)
{
    Tensor *out = arg_tensor(a, at, "out", 0);
    Dims before = tensor_dims(out);
    if (!tensor_write_out(out, y, exact, a->function))
        raise_pending(a->L);
    warn_resized(a->L, at, &before);
}

int give_out(Args *a, Tensor *y)
{
    int at = args_option(a, "out");
    if (!at || !y)
        return give(a->L, y);
    write_out(a, at, y, false);
    scope_close(bind_base);
    lua_pushvalue(a->L, at);
    return 1;
}

int give_several(Args *a, Tensor *const *y, int n, const char *name, const char *fields)
{
    lua_State *L = a->L;
    int at = args_option(a, "out"), top = lua_gettop(L);
    for (int i = 0; i < n; i++)
        if (!y[i])
            return raise_pending(L);
    if (at && lua_type(L, at) != LUA_TTABLE)
        arg_error(a, "out", 0, "tuple of Tensors", at);
    if (at && (int)lua_rawlen(L, at) != n)
        return raise_error(L, "TypeError", "expected tuple of %d elements but got %d", n, (int)lua_rawlen(L, at));
    luaL_checkstack(L, n, NULL);
    for (int i = 0; i < n; i++) {
        if (at)
            lua_rawgeti(L, at, i + 1);
        else
            push_tensor(L, y[i]);
    }
    for (int i = 0; at && i < n; i++)
        write_out(a, top + 1 + i, y[i], true);
    scope_close(bind_base);
    char out_name[64];
    snprintf(out_name, sizeof out_name, "%s_out", name);
    remember_returns(L, top + 1, n, at ? out_name : name, fields);
    collector_tick(L);
    return n;
}

int give_op_out(Args *a, OpId op, Tensor *y)
{
    const OpInfo *info = op_info(op);
    if (!y || !info->returns || !*info->returns || !args_option(a, "out"))
        return give_op(a->L, op, y);
    Tensor *all[3] = {y, op_second(), op_third()};
    int n = all[2] ? 3 : all[1] ? 2 : 1;
    return give_several(a, all, n, info->returns_name ? info->returns_name : info->name, info->returns);
}

/* Elementwise rows take numbers beside tensors, but not numbers alone. */
static void check_some_tensor(Args *a, const OpInfo *info, const Arg *v)
{
    for (int i = 0; i < info->nparam; i++)
        if (v[i].t && !v[i].t->is_number)
            return;
    arg_error(a, param_name(info->name, &info->params[0]), 1, "Tensor", 1);
}

/* A plain number where PyTorch wants a tensor is refused. */
static void check_numbers(Args *a, const OpInfo *info, const Arg *v)
{
    if (info->numbers == NUMBERS_ANYWHERE)
        return;
    for (int i = 0; i < (info->numbers == NUMBERS_NOWHERE ? info->nparam : 1); i++)
        if (v[i].t->is_number && i < a->count)
            arg_error(a, param_name(info->name, &info->params[i]), i + 1 - a->method, "Tensor", i + 1);
}

void read_op_args(Args *a, const OpInfo *info, const char *extra, Arg *v)
{
    a->numbers = is_elementwise(info) && info->nparam > 1;
    args_read(a, info->params, info->nparam, info->nparam, extra, v);
    if (!a->numbers)
        return;
    check_some_tensor(a, info, v);
    check_numbers(a, info, v);
}

void warn_resized(lua_State *L, int at, const Dims *before)
{
    char had[256], has[256];
    const Tensor *out = to_tensor(L, at);
    int64_t n = 1;
    for (int i = 0; i < before->n; i++)
        n *= before->v[i];
    bool same = out->ndim == before->n && memcmp(out->shape, before->v, (size_t)before->n * sizeof n) == 0;
    if (n == 0 || same)
        return;
    push_position(L);
    fprintf(stderr,
            "%sUserWarning: An output with one or more elements was resized since it had shape %s, which does not "
            "match the required output shape %s. This behavior is deprecated, and in a future PyTorch release "
            "outputs will not be resized unless they have zero elements. You can explicitly reuse an out tensor t "
            "by resizing it, inplace, to zero elements with t.resize_(0).\n",
            lua_tostring(L, -1), format_dims(had, sizeof had, before->n, before->v),
            format_dims(has, sizeof has, out->ndim, out->shape));
    lua_pop(L, 1);
}

/* Scans take dtype= as a parameter: their dim is looked at first. */
static bool is_scan(OpId op)
{
    return op == OP_cumsum || op == OP_cumprod;
}

void check_dtype_option(lua_State *L, OpId op, const Tensor *x, DType d)
{
    if (dtype_is_float(d))
        return;
    if (op == OP_mean)
        raise_error(L, "RuntimeError", "mean(): could not infer output dtype. Optional dtype must be either a floating "
                    "point or complex dtype. Got: %s", dtype_info[d].cname);
    if ((is_scan(op) || op == OP_sum || op == OP_nansum || op == OP_prod) && x->requires_grad && grad_enabled())
        raise_error(L, "RuntimeError", "Autograd not support dtype: %s", dtype_info[d].cname);
}

/* PyTorch has several functions behind some names, each with a node of its own. */
static Tensor *named_by_call(Args *a, OpId op, const Arg *v, Tensor *y)
{
    if (op == OP_unique && v[4].dims)
        return node_named(y, "UniqueDimBackward0");
    int dim_at = args_option(a, "dim");
    if (op == OP_squeeze && lua_istable(a->L, dim_at ? dim_at : 2))
        return node_named(y, "SqueezeBackward2");
    if (op == OP_sum_to && y->ndim > 0 && tensor_same_shape(v[0].t, y))
        return v[0].t;
    return y;
}

int finish_op(Args *a, OpId op, Arg *v)
{
    lua_State *L = a->L;
    int dtype_at = op_info(op)->dtype_option ? args_option(a, "dtype") : 0;
    DType d;
    if (dtype_at) {
        if (!to_dtype(L, dtype_at, &d))
            arg_error(a, "dtype", 0, "torch.dtype", dtype_at);
        const Dims *dims = op_info(op)->format == FORMAT_REDUCE ? v[1].dims : NULL;
        for (int i = 0; dims && i < dims->n; i++) { /* they are looked at before anything is converted */
            int64_t dim = dims->v[i];
            if (!wrap_dim(&dim, v[0].t->ndim))
                return raise_pending(L);
        }
        check_dtype_option(L, op, v[0].t, d);
        v[0].t = tensor_to(v[0].t, d, v[0].t->device, false);
    }
    int out_at = args_option(a, "out");
    if (!out_at && dtype_at && !dtype_is_float(d)) /* sums of narrow integers are int64 by themselves */
        return give(L, tensor_to(apply_with_retry(L, op, v), d, v[0].t->device, false));
    if (!out_at) {
        Tensor *y = apply_with_retry(L, op, v);
        if (y && is_scan(op) && v[2].dtype != DT_NONE)
            check_dtype_option(L, op, v[0].t, v[2].dtype);
        return give_op(L, op, y ? named_by_call(a, op, v, y) : NULL);
    }
    if (op_info(op)->returns && *op_info(op)->returns)
        return give_op_out(a, op, apply_with_retry(L, op, v));
    Tensor *out = to_tensor(L, out_at);
    if (!out)
        arg_error(a, "out", 0, "Tensor", out_at);
    Dims before = tensor_dims(out);
    if (!op_apply_out(op, v, out))
        return raise_pending(L);
    warn_resized(L, out_at, &before);
    scope_close(bind_base);
    lua_pushvalue(L, out_at);
    return 1;
}

int call_op(lua_State *L, OpId op, const char *name, bool method)
{
    const OpInfo *info = op_info(op);
    Args a;
    Arg v[OP_MAXPARAM];
    DType d = DT_NONE;
    if ((op == OP_softmax || op == OP_log_softmax) && lua_gettop(L) >= 3 && to_dtype(L, 3, &d))
        lua_remove(L, 3); /* of these two alone dtype may come by position */
    args_begin(&a, L, name, method);
    bool copies = op == OP_clone || op == OP_contiguous;
    const char *extra = copies                 ? "memory_format"
                        : op == OP_gather      ? "out,sparse_grad"
                        : info->dtype_option ? "out,dtype"
                                               : "out";
    read_op_args(&a, info, extra, v);
    if (d != DT_NONE)
        v[0].t = tensor_to(v[0].t, d, v[0].t->device, false);
    return finish_op(&a, op, v);
}

static int generic(lua_State *L)
{
    OpId op = upvalue_op(L);
    return call_op(L, op, op_info(op)->name, lua_toboolean(L, lua_upvalueindex(3)));
}

static int unary(lua_State *L)
{
    Tensor *x = lua_gettop(L) == 1 ? to_tensor(L, 1) : NULL;
    if (!x)
        return generic(L);
    return give_quick(L, apply_with_retry(L, upvalue_op(L), (Arg[]){{.t = x}}));
}

/* Reductions of everything; of some dims as any other row. */
static int reduction(lua_State *L)
{
    Tensor *x = lua_gettop(L) == 1 ? to_tensor(L, 1) : NULL;
    if (!x)
        return generic(L);
    Arg v[] = {{.t = x}, {.dims = NULL}, {.b = false}};
    return give_quick(L, apply_with_retry(L, upvalue_op(L), v));
}

static int binary(lua_State *L)
{
    if (lua_gettop(L) != 2)
        return generic(L);
    Tensor *a = to_tensor(L, 1), *b = to_tensor(L, 2);
    if (a && !b)
        b = to_number(L, 2);
    if (!a || !b)
        return generic(L);
    return give_quick(L, apply_with_retry(L, upvalue_op(L), (Arg[]){{.t = a}, {.t = b}}));
}

int call_inplace(lua_State *L, OpId op, const char *name)
{
    const OpInfo *info = op_info(op);
    Args a;
    Arg v[OP_MAXPARAM];
    args_begin(&a, L, name, true);
    read_op_args(&a, info, NULL, v);
    if (is_scan(op)) { /* in place there is but one dtype */
        Tensor given = {.dtype = (uint8_t)v[2].dtype};
        if (v[2].dtype != DT_NONE && v[2].dtype != (DType)v[0].t->dtype)
            return raise_error(L, "RuntimeError",
                               "Bad in-place call: input tensor dtype %s and output tensor dtype %s should match",
                               ctype_name(v[0].t), ctype_name(&given));
        v[2].dtype = (DType)v[0].t->dtype;
    }
    return give_self(L, op_apply_inplace(op, v) != NULL);
}

static int inplace(lua_State *L)
{
    OpId op = upvalue_op(L);
    bool numbers = op_info(op)->numbers != NUMBERS_NOWHERE;
    if (is_elementwise(op_info(op)) && lua_gettop(L) == 2 && op_info(op)->nparam == 2) {
        Tensor *a = to_tensor(L, 1), *b = to_tensor(L, 2);
        if (a && !b && numbers)
            b = to_number(L, 2);
        if (a && b)
            return give_self(L, op_apply_inplace(op, (Arg[]){{.t = a}, {.t = b}}) != NULL);
    }
    char name[64];
    strncpy(name, op_info(op)->name, sizeof name - 2)[sizeof name - 2] = '\0';
    return call_inplace(L, op, strcat(name, "_"));
}

/* What PyTorch calls the node of an in-place view. */
static const char *inplace_view_node(OpId op, const Arg *v)
{
    if (op == OP_t) return "TBackward1";
    if (op == OP_unsqueeze) return "UnsqueezeBackward1";
    if (op == OP_as_strided) return "AsStridedBackward1";
    if (op != OP_squeeze) return "TransposeBackward1";
    return !v[1].dims ? "SqueezeBackward3" : v[1].dims->n == 1 ? "SqueezeBackward4" : "SqueezeBackward5";
}

/* t:transpose_(0, 1) and its like: the handle turns to the view; the memory stays as it is. */
static int view_inplace(lua_State *L)
{
    OpId op = upvalue_op(L);
    Args a;
    Arg v[OP_MAXPARAM];
    args_begin(&a, L, op_info(op)->name, true);
    read_op_args(&a, op_info(op), NULL, v);
    Tensor *t = v[0].t;
    if (t->requires_grad && tensor_is_leaf(t) && grad_enabled())
        return raise_error(L, "RuntimeError",
                           "a leaf Variable that requires grad is being used in an in-place operation.");
    if (op == OP_t && t->ndim > 2)
        return raise_error(L, "RuntimeError", "t_() expects a tensor with <= 2 dimensions, but self is %dD", t->ndim);
    Tensor *y = tensor_keep(op_apply(op, v));
    if (!y)
        return raise_pending(L);
    node_named(y, inplace_view_node(op, v));
    ((Handle *)lua_touserdata(L, 1))->tensor = y;
    tensor_release(t);
    return give_self(L, true);
}

static const char *const inplace_views[] = {"t",       "transpose", "swapaxes",  "swapdims",
                                            "squeeze", "unsqueeze", "as_strided"};

/* ---- registration ---- */

static bool has_inplace(const OpInfo *info)
{
    if (info->no_inplace)
        return false;
    if (is_elementwise(info) || info->writes_first)
        return true;
    return (info->format == FORMAT_KERNEL || info->format == FORMAT_COMPOSED) && !info->transparent &&
           !info->function_only && !info->nn;
}

static void add_closure(lua_State *L, int table, const char *name, lua_CFunction f, OpId op, bool method)
{
    lua_pushinteger(L, op);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &tensor_meta_key);
    lua_pushboolean(L, method);
    lua_pushcclosure(L, f, 3);
    lua_setfield(L, table, name);
}

/* Rows linalg_<name> and special_<name> are torch.linalg.<name> and torch.special.<name>: they go to the tables
 * torch._linalg and torch._special, from which the Lua library takes them. */
static const char *const modules[] = {"linalg", "special"};

static const char *module_name(const OpInfo *info, int *module)
{
    for (int i = 0; i < (int)(sizeof modules / sizeof *modules); i++) {
        size_t n = strlen(modules[i]);
        if (strncmp(info->name, modules[i], n) != 0 || info->name[n] != '_')
            continue;
        *module = i;
        return info->name + n + 1;
    }
    return NULL;
}

const char *row_module(const OpInfo *info, const char **name)
{
    int module;
    *name = module_name(info, &module);
    if (*name)
        return modules[module];
    *name = info->name;
    return info->nn ? "F" : "torch";
}

static lua_CFunction function_of(const OpInfo *info)
{
    return info->format == FORMAT_REDUCE ? reduction
           : !is_elementwise(info)       ? generic
           : info->nparam == 1           ? unary
           : info->nparam == 2 && info->numbers != NUMBERS_NOWHERE ? binary
                                                                   : generic;
}

static void add_row(lua_State *L, const Library *lib, OpId op, const char *name)
{
    const OpInfo *info = op_info(op);
    lua_CFunction f = function_of(info);
    int functions = info->nn ? lib->functional : lib->torch;
    if (!info->method_only)
        add_closure(L, functions, name, f, op, false);
    if (!info->function_only && !info->nn)
        add_closure(L, lib->methods, name, f, op, true);
    for (size_t i = 0; i < sizeof inplace_views / sizeof *inplace_views; i++) {
        if (strcmp(inplace_views[i], name) != 0)
            continue;
        add_closure(L, lib->methods, lua_pushfstring(L, "%s_", name), view_inplace, op, true);
        lua_pop(L, 1);
    }
    if (!has_inplace(info))
        return;
    const char *with_underscore = lua_pushfstring(L, "%s_", name);
    if (info->nn)
        add_closure(L, functions, with_underscore, inplace, op, false);
    else
        add_closure(L, lib->methods, with_underscore, inplace, op, true);
    if (info->format == FORMAT_UNARY && !info->nn)
        add_closure(L, functions, with_underscore, inplace, op, false);
    lua_pop(L, 1);
}

void open_ops(lua_State *L, const Library *lib)
{
    int first = lua_gettop(L) + 1, count = sizeof modules / sizeof *modules;
    for (int i = 0; i < count; i++)
        lua_newtable(L);
    for (int op = 0; op < OP_COUNT; op++) {
        const OpInfo *info = op_info((OpId)op);
        if (info->hidden && !info->nn)
            continue; /* hidden nn rows: the Lua library gives them their defaults */
        int module;
        const char *name = module_name(info, &module);
        if (name) {
            add_closure(L, first + module, name, function_of(info), (OpId)op, false);
            continue;
        }
        add_row(L, lib, (OpId)op, info->name);
        for (const char *p = info->alias; p && *p;) {
            size_t n = strcspn(p, ",");
            add_row(L, lib, (OpId)op, lua_pushlstring(L, p, n));
            lua_pop(L, 1);
            p += n + (p[n] == ',');
        }
    }
    for (int i = count - 1; i >= 0; i--) {
        lua_pushfstring(L, "_%s", modules[i]);
        lua_insert(L, -2);
        lua_settable(L, lib->torch);
    }
}

/* ---- what the table says to a reader ---- */

OpId op_of_function(lua_State *L, int f)
{
    lua_CFunction c = lua_tocfunction(L, f);
    if (!c || (c != generic && c != reduction && c != unary && c != binary && c != inplace && c != view_inplace))
        return OP_COUNT;
    lua_getupvalue(L, f, 1);
    OpId op = (OpId)lua_tointeger(L, -1);
    lua_pop(L, 1);
    return op;
}
