/* loverload.c - functions whose arguments choose among rows of the op table: max, clamp, norm, where, … */
#include "lang/args.h"
#include "lang/ops_call.h"

#include <math.h>
#include <string.h>

/* Closures: upvalue 1 tells whether it is a method, 2 is a number that the registration gives. */
static bool is_method(lua_State *L) { return lua_toboolean(L, lua_upvalueindex(1)); }
static int choice(lua_State *L) { return (int)lua_tointeger(L, lua_upvalueindex(2)); }

/* Gives y, or writes it into the tensor of the option out=. */
/* ---- max, min, median: of all elements, along a dim with indices, of two tensors ---- */

typedef struct Extremum {
    const char *name;
    OpId whole, along, pair;
} Extremum;
static const Extremum extrema[] = {{"max", OP_max_all, OP_max_dim, OP_maximum},
                                   {"min", OP_min_all, OP_min_dim, OP_minimum},
                                   {"median", OP_median_all, OP_median_dim, OP_COUNT},
                                   {"nanmedian", OP_nanmedian_all, OP_nanmedian_dim, OP_COUNT}};

static int extremum(lua_State *L)
{
    static const ParamInfo params[] = {REQUIRED('T', "input"), OPTIONAL('A', "dim", "NULL"),
                                       OPTIONAL('B', "keepdim", "false"), OPTIONAL('A', "other", "NULL")};
    const Extremum *e = &extrema[choice(L)];
    Args a;
    Arg v[COUNT(params)];
    args_begin(&a, L, e->name, is_method(L));
    Tensor *x = to_tensor(L, 1), *other = a.count == 2 ? to_tensor(L, 2) : NULL;
    bool pair = e->pair != OP_COUNT;
    if (pair && x && other && !a.options) return give(L, op_apply(e->pair, (Arg[]){{.t = x}, {.t = other}}));
    args_read(&a, params, COUNT(params) - !pair, 3, "out", v);
    if (pair && v[3].i)
        return give_out(&a, op_apply(e->pair, (Arg[]){v[0], {.t = arg_tensor(&a, (int)v[3].i, "other", 0)}}));
    if (!v[1].i) return give_out(&a, op_apply(e->whole, v));
    int64_t dim = arg_int(&a, (int)v[1].i, "dim", 2 - a.method);
    return give_op_out(&a, e->along, op_apply(e->along, (Arg[]){v[0], {.i = dim}, v[2]}));
}

/* ---- clamp ---- */

/* A bound as a tensor; NULL when it is not given. */
static Tensor *bound(Args *a, const Arg *v, const char *name)
{
    if (!v->i) return NULL;
    Tensor *t = to_tensor(a->L, (int)v->i);
    if (!t) t = to_number(a->L, (int)v->i);
    if (!t) arg_error(a, name, 0, "Number", (int)v->i);
    return t;
}

/* choice: 1 for in place */
static int clamp(lua_State *L)
{
    static const ParamInfo params[] = {REQUIRED('T', "input"), OPTIONAL('A', "min", "NULL"),
                                       OPTIONAL('A', "max", "NULL")};
    bool inplace = choice(L);
    Args a;
    Arg v[3];
    args_take(&a, L, inplace ? "clamp_" : "clamp", is_method(L), params, 3, "out", v);
    Tensor *low = bound(&a, &v[1], "min"), *high = bound(&a, &v[2], "max");
    if (!low && !high)
        return raise_error(L, "RuntimeError", "torch.clamp: At least one of 'min' or 'max' must not be None");
    OpId op = low && high ? OP_clamp : low ? OP_clamp_min : OP_clamp_max;
    Arg args[3] = {v[0], {.t = low ? low : high}, {.t = high}};
    /* one bound is clamp's node too: digit 1 for numbers, 0 for tensors */
    const char *name = (low ? low : high)->is_number ? "ClampBackward1" : "ClampBackward0";
    if (inplace) return give_self(L, node_named(op_apply_inplace(op, args), name) != NULL);
    return give_out(&a, node_named(apply_with_retry(L, op, args), name));
}

/* ---- where ---- */

/* The coordinates of the elements that are not 0, a tensor a dim, as a table. */
static int give_coordinates(lua_State *L, Tensor *x)
{
    Tensor *rows = op_nonzero(x->ndim ? x : op_unsqueeze(x, 0));
    if (!rows) return raise_pending(L);
    int n = x->ndim ? x->ndim : 1;
    lua_createtable(L, n, 0);
    for (int k = 0; k < n; k++) {
        Tensor *column = op_unbind_piece(rows, 1, k);
        if (!column) return raise_pending(L);
        push_tensor(L, column);
        lua_rawseti(L, -2, k + 1);
    }
    scope_close(bind_base);
    return 1;
}

/* where(condition), where(condition, a, b), x:where(condition, b) */
static int where(lua_State *L)
{
    static const ParamInfo params[] = {REQUIRED('T', "condition"), OPTIONAL('A', "input", "NULL"),
                                       OPTIONAL('A', "other", "NULL")};
    static const ParamInfo method_params[] = {REQUIRED('T', "self"), REQUIRED('T', "condition"),
                                              REQUIRED('T', "other")};
    Args a;
    Arg v[3];
    if (is_method(L)) {
        args_begin(&a, L, "where", true);
        a.numbers = true;
        args_read(&a, method_params, 3, 3, NULL, v);
        return give(L, op_where(v[1].t, v[0].t, v[2].t));
    }
    args_take(&a, L, "where", is_method(L), params, 3, "out", v);
    if (!v[1].i && !v[2].i) return give_coordinates(L, v[0].t);
    a.numbers = true;
    if (!v[1].i || !v[2].i)
        return raise_error(L, "TypeError", "where() missing 1 required positional arguments: \"%s\"",
                           v[1].i ? "other" : "input");
    Tensor *x = arg_tensor(&a, (int)v[1].i, "input", 2), *y = arg_tensor(&a, (int)v[2].i, "other", 3);
    return give_out(&a, op_where(v[0].t, x, y));
}

static int nonzero(lua_State *L)
{
    static const ParamInfo params[] = {REQUIRED('T', "input"), OPTIONAL('B', "as_tuple", "false")};
    Args a;
    Arg v[2];
    args_take(&a, L, "nonzero", is_method(L), params, 2, "out", v);
    return v[1].b ? give_coordinates(L, v[0].t) : give_out(&a, op_nonzero(v[0].t));
}

/* ---- two operands and nothing else: the common case of the functions below ---- */

static bool plain_operands(lua_State *L, Arg *v)
{
    if (lua_gettop(L) != 2 || !(v[0].t = to_tensor(L, 1))) return false;
    v[1].t = to_tensor(L, 2);
    if (!v[1].t) v[1].t = to_number(L, 2);
    return v[1].t != NULL;
}

static int give_plain(lua_State *L, OpId op, const Arg *v, bool inplace)
{
    if (inplace) return give_self(L, op_apply_inplace(op, v) != NULL);
    return give(L, apply_with_retry(L, op, v));
}

/* ---- div with a rounding mode ---- */

static Tensor *truncated_quotient(Tensor *a, Tensor *b)
{
    DType d = result_dtype((Tensor *[]){a, b}, 2);
    Dims left = tensor_dims(a), right = tensor_dims(b), shape;
    if (d == DT_BOOL && !broadcast_shapes(&left, &right, &shape)) return NULL;
    if (d == DT_BOOL) return tide_fail("NotImplementedError", "\"div_trunc_cpu\" not implemented for 'Bool'");
    if (dtype_is_float(d)) return node_named(op_div_trunc(a, b), "DivBackward2");
    if (!(a = tensor_to(a, d, a->device, false)) || !(b = tensor_to(b, d, b->device, false))) return NULL;
    return op_floor_divide(op_sub(a, op_fmod(a, b)), b); /* the difference is a multiple of b */
}

static Tensor *floored_quotient(Tensor *a, Tensor *b)
{
    bool real = dtype_is_float(result_dtype((Tensor *[]){a, b}, 2));
    return real ? node_named(op_div_floor(a, b), "DivBackward2") : op_floor_divide(a, b);
}

/* choice: 1 for in place */
static int divide(lua_State *L)
{
    static const ParamInfo params[] = {REQUIRED('T', "input"), REQUIRED('T', "other"),
                                       OPTIONAL('A', "rounding_mode", "NULL")};
    bool inplace = choice(L);
    Args a;
    Arg v[3];
    if (plain_operands(L, v)) return give_plain(L, OP_div, v, inplace);
    args_begin(&a, L, inplace ? "div_" : "div", is_method(L));
    a.numbers = true;
    args_read(&a, params, 3, 2, "out", v);
    if (v[0].t->is_number && v[1].t->is_number) arg_error(&a, "input", 1, "Tensor", 1);
    const char *mode =
        v[2].i && lua_type(L, (int)v[2].i) == LUA_TSTRING ? lua_tostring(L, (int)v[2].i) : NULL;
    if (v[2].i && !(mode && (strcmp(mode, "floor") == 0 || strcmp(mode, "trunc") == 0)))
        return raise_error(L, "RuntimeError",
                           "div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '%s'",
                           mode ? mode : type_word(L, (int)v[2].i));
    Tensor *y = !mode          ? op_div(v[0].t, v[1].t)
                : *mode == 'f' ? floored_quotient(v[0].t, v[1].t)
                               : truncated_quotient(v[0].t, v[1].t);
    if (inplace) return give_self(L, y && tensor_copy_(v[0].t, y) != NULL);
    return give_out(&a, y);
}

/* ---- add and sub with alpha ---- */

/* The operand times alpha, in the dtype that the sum of v's two operands will have. */
static Tensor *scaled(lua_State *L, Tensor *operand, Tensor *alpha, OpId op, const Arg *v)
{
    DType d = result_dtype((Tensor *[]){v[0].t, v[1].t}, 2);
    bool any_bool = v[0].t->dtype == DT_BOOL || v[1].t->dtype == DT_BOOL;
    if (op != OP_add && any_bool) return operand; /* the subtraction says what is wrong */
    bool unfit = alpha->dtype == DT_BOOL ? d != DT_BOOL : dtype_is_float((DType)alpha->dtype) && !dtype_is_float(d);
    if (unfit && !op_apply(op, v)) return NULL; /* shapes that do not fit are reported first */
    if (alpha->dtype == DT_BOOL && unfit)
        raise_error(L, "RuntimeError", "Boolean alpha only supported for Boolean results.");
    if (unfit)
        raise_error(L, "RuntimeError",
                    "For integral input tensors, argument alpha must not be a floating point number.");
    if (d == DT_BOOL) return op_logical_and(operand, alpha);
    if ((DType)operand->dtype != d && !operand->is_number)
        operand = tensor_to(operand, d, operand->device, false);
    if (operand && operand->requires_grad && grad_enabled()) { /* its gradient is scaled before it is summed */
        Dims a = tensor_dims(v[op == OP_rsub].t), b = tensor_dims(v[op != OP_rsub].t), both;
        operand = broadcast_shapes(&a, &b, &both) ? op_expand(operand, &both) : NULL;
    }
    return operand ? op_mul(operand, alpha) : NULL;
}

/* choice: 0 add, 1 sub, 2 add_, 3 sub_, 4 rsub */
static int scaled_sum(lua_State *L)
{
    static const ParamInfo params[] = {REQUIRED('T', "input"), REQUIRED('T', "other"),
                                       OPTIONAL('A', "alpha", "NULL")};
    static const char *const names[] = {"add", "sub", "add_", "sub_", "rsub"};
    int which = choice(L);
    bool inplace = which == 2 || which == 3;
    OpId op = which == 4 ? OP_rsub : which & 1 ? OP_sub : OP_add;
    Args a;
    Arg v[3];
    if (plain_operands(L, v)) return give_plain(L, op, v, inplace);
    args_begin(&a, L, names[which], is_method(L));
    a.numbers = true;
    args_read(&a, params, 3, 2, "out", v);
    if (v[0].t->is_number && (v[1].t->is_number || op == OP_rsub)) arg_error(&a, "input", 1, "Tensor", 1);
    Tensor *alpha = v[2].i ? to_number(L, (int)v[2].i) : NULL;
    if (v[2].i && !alpha) arg_error(&a, "alpha", 0, "Number", (int)v[2].i);
    Tensor **operand = &v[op == OP_rsub ? 0 : 1].t;
    if (alpha) *operand = scaled(L, *operand, alpha, op, v);
    if (!*operand) return raise_pending(L);
    if (inplace) return give_self(L, op_apply_inplace(op, v) != NULL);
    return give_out(&a, apply_with_retry(L, op, v));
}

/* ---- round to decimals ---- */

/* choice: 1 for in place */
static int round_to(lua_State *L)
{
    static const ParamInfo params[] = {REQUIRED('T', "input"), OPTIONAL('I', "decimals", "0")};
    bool inplace = choice(L);
    Args a;
    Arg v[2];
    args_begin(&a, L, inplace ? "round_" : "round", is_method(L));
    args_read(&a, params, 2, 1, "out", v);
    bool given = v[1].i || args_option(&a, "decimals");
    OpId op = given && dtype_is_float((DType)v[0].t->dtype) ? OP_round_decimals : v[1].i ? OP_round_decimals : OP_round;
    if (a.options && dtype_is_int((DType)v[0].t->dtype) && !v[1].i && args_option(&a, "decimals"))
        return raise_error(L, "NotImplementedError", "\"round_vml_cpu\" not implemented for '%s'",
                           dtype_info[v[0].t->dtype].cname);
    if (inplace) return give_self(L, op_apply_inplace(op, v) != NULL);
    return give_out(&a, apply_with_retry(L, op, v));
}

/* ---- isin, bucketize: of numbers too ---- */

static int isin(lua_State *L)
{
    static const ParamInfo params[] = {REQUIRED('T', "elements"), REQUIRED('T', "test_elements"),
                                       OPTIONAL('B', "assume_unique", "false"),
                                       OPTIONAL('B', "invert", "false")};
    Args a;
    Arg v[COUNT(params)];
    args_begin(&a, L, "isin", is_method(L));
    a.numbers = true;
    args_read(&a, params, COUNT(params), 2, "out", v);
    if (v[0].t->is_number && v[1].t->is_number) arg_error(&a, "elements", 1, "Tensor", 1);
    return give_out(&a, apply_with_retry(L, OP_isin, v));
}

static int bucketize(lua_State *L)
{
    static const ParamInfo params[] = {REQUIRED('T', "input"), REQUIRED('T', "boundaries"),
                                       OPTIONAL('B', "out_int32", "false"), OPTIONAL('B', "right", "false")};
    Args a;
    Arg v[COUNT(params)];
    args_begin(&a, L, "bucketize", is_method(L));
    a.numbers = true;
    args_read(&a, params, COUNT(params), 2, "out", v);
    if (v[1].t->is_number) arg_error(&a, "boundaries", 2, "Tensor", 2);
    if (v[0].t->is_number) v[0].t = tensor_to(v[0].t, (DType)v[1].t->dtype, v[1].t->device, true);
    return give_out(&a, apply_with_retry(L, OP_bucketize, v));
}

/* ---- polygamma: its method's input comes first ---- */

/* choice: 1 for in place */
static int polygamma(lua_State *L)
{
    static const ParamInfo params[] = {REQUIRED('I', "n"), REQUIRED('T', "input")};
    static const ParamInfo method_params[] = {REQUIRED('T', "input"), REQUIRED('I', "n")};
    bool inplace = choice(L), method = is_method(L);
    Args a;
    Arg v[2];
    args_take(&a, L, inplace ? "polygamma_" : "polygamma", method, method ? method_params : params, 2,
              inplace ? NULL : "out", v);
    int64_t n = v[method].i;
    Tensor *x = v[!method].t;
    if (n < 0) return raise_error(L, "RuntimeError", "polygamma(n, x) does not support negative n.");
    Tensor *y = op_polygamma(tensor_integer(n), x);
    if (inplace) return give_self(L, y && tensor_copy_(x, y) != NULL);
    return give_out(&a, y);
}

/* ---- frexp, cdist ---- */

static int frexp_parts(lua_State *L)
{
    static const ParamInfo params[] = {REQUIRED('T', "input")};
    Args a;
    Arg v[1];
    args_take(&a, L, "frexp", is_method(L), params, 1, "out", v);
    Tensor *x = v[0].t;
    if (!dtype_is_float((DType)x->dtype))
        return raise_error(L, "RuntimeError", "torch.frexp() only supports floating-point dtypes");
    Tensor *mantissa = op_frexp_mantissa(x), *exponent = op_frexp_exponent(x);
    exponent = exponent ? tensor_to(exponent, DT_I32, x->device, false) : NULL;
    return give_several(&a, (Tensor *[]){mantissa, exponent}, 2, "frexp", "mantissa,exponent");
}

/* compute_mode's words are the op's numbers, in order. */
static int cdist(lua_State *L)
{
    static const ParamInfo params[] = {REQUIRED('T', "x1"), REQUIRED('T', "x2"), OPTIONAL('F', "p", "2"),
                                       OPTIONAL('A', "compute_mode", "NULL")};
    static const char *const modes[] = {"use_mm_for_euclid_dist_if_necessary", "use_mm_for_euclid_dist",
                                        "donot_use_mm_for_euclid_dist"};
    Args a;
    Arg v[COUNT(params)];
    args_take(&a, L, "cdist", false, params, COUNT(params), NULL, v);
    const char *mode =
        v[3].i && lua_type(L, (int)v[3].i) != LUA_TNIL ? luaL_tolstring(L, (int)v[3].i, NULL) : modes[0];
    int known = 0;
    while (known < COUNT(modes) && strcmp(mode, modes[known]) != 0) known++;
    if (known == COUNT(modes))
        return raise_error(L, "ValueError", "%s is not a valid value for compute_mode", mode);
    v[3].i = known;
    return give(L, apply_with_retry(L, OP_cdist, v));
}

/* ---- norm ---- */

/* Over all dims where none are given: of matrices alone that is no error. */
static Tensor *nuclear_norm(Tensor *x, const Dims *dim, bool keepdim)
{
    Dims all = {.n = x->ndim};
    for (int d = 0; d < all.n; d++) all.v[d] = d;
    return op_nuclear_norm(x, dim ? dim : &all, keepdim);
}

static int norm(lua_State *L)
{
    static const ParamInfo params[] = {REQUIRED('T', "input"), OPTIONAL('A', "p", "NULL"),
                                       OPTIONAL('D', "dim", "NULL"), OPTIONAL('B', "keepdim", "false"),
                                       OPTIONAL('Y', "dtype", "DT_NONE")};
    Args a;
    Arg v[COUNT(params)];
    args_take(&a, L, "norm", is_method(L), params, COUNT(params), "out", v);
    double p = 2;
    const char *word =
        v[1].i && lua_type(L, (int)v[1].i) == LUA_TSTRING ? lua_tostring(L, (int)v[1].i) : NULL;
    if (word && strcmp(word, "inf") == 0)
        p = INFINITY;
    else if (word && strcmp(word, "-inf") == 0)
        p = -INFINITY;
    else if (word && strcmp(word, "nuc") == 0)
        return give_out(&a, nuclear_norm(v[0].t, v[2].dims, v[3].b));
    else if (word && strcmp(word, "fro") != 0)
        return raise_error(L, "RuntimeError", "linalg.matrix_norm: Order %s not supported.", word);
    else if (!word && v[1].i && !number_value(L, (int)v[1].i, &p))
        arg_error(&a, "p", 1, "Number", (int)v[1].i);
    Tensor *x = v[4].dtype == DT_NONE ? v[0].t : tensor_to(v[0].t, v[4].dtype, v[0].t->device, false);
    bool matrix = (word ? !isinf(p) : !v[1].i) && v[2].dims && v[2].dims->n > 2;
    if (x && matrix)
        return give_out(&a, op_linalg_matrix_norm(x, 0, 0, v[2].dims, v[3].b)); /* it refuses so many dims */
    if (x && !dtype_is_float((DType)x->dtype))
        return raise_error(L, "RuntimeError",
                           "linalg.vector_norm: Expected a floating point or complex tensor as input. Got %s",
                           dtype_info[x->dtype].cname);
    return give_out(&a, x ? op_norm(x, p, v[2].dims, v[3].b) : NULL);
}

/* ---- var and std ---- */

/* std(), std(unbiased), std(dim, unbiased, keepdim), std(dim, {correction=, keepdim=}); choice: 0 var, 1 std,
 * 2 and 3 with the mean as second result */
static int spread(lua_State *L)
{
    static const ParamInfo params[] = {REQUIRED('T', "input"), OPTIONAL('A', "dim", "NULL"),
                                       OPTIONAL('A', "unbiased", "NULL"), OPTIONAL('B', "keepdim", "false"),
                                       OPTIONAL('F', "correction", "1")};
    static const char *const names[] = {"var", "std", "var_mean", "std_mean"};
    int which = choice(L);
    Args a;
    Arg v[COUNT(params)];
    args_begin(&a, L, names[which], is_method(L));
    args_read(&a, params, COUNT(params), 4, "out", v);
    if (v[1].i && lua_isboolean(L, (int)v[1].i) && !v[2].i) {
        v[2] = v[1];
        v[1].i = 0;
    }
    if (which >= 2 && !dtype_is_float((DType)v[0].t->dtype))
        return raise_error(L, "RuntimeError", "%s only support floating point and complex dtypes",
                           names[which]);
    double correction = v[2].i ? arg_bool(&a, (int)v[2].i, "unbiased", 0) : v[4].f;
    const Dims *dim = v[1].i ? arg_dims(&a, (int)v[1].i, "dim", 2 - a.method) : NULL;
    Tensor *y = op_apply(which & 1 ? OP_std : OP_var, (Arg[]){v[0], {.dims = dim}, {.f = correction}, v[3]});
    if (which < 2 || !y) return give_out(&a, y);
    const char *node = which == 2 ? "VarMeanBackward0" : "StdMeanBackward0";
    Tensor *mean = node_named(op_running_mean(v[0].t, dim, v[3].b), node);
    node_named(y, node);
    if (!mean) return raise_pending(L);
    push_tensor(L, y);
    push_tensor(L, mean);
    scope_close(bind_base);
    collector_tick(L);
    return 2;
}

/* ---- prod: one dim, or all ---- */

static int prod(lua_State *L)
{
    static const ParamInfo params[] = {REQUIRED('T', "input"), OPTIONAL('A', "dim", "NULL"),
                                       OPTIONAL('B', "keepdim", "false"), OPTIONAL('Y', "dtype", "DT_NONE")};
    Args a;
    Arg v[COUNT(params)];
    args_begin(&a, L, "prod", is_method(L));
    args_read(&a, params, COUNT(params), 3, "out", v);
    DType dtype = v[3].dtype;
    int64_t dim = v[1].i ? arg_int(&a, (int)v[1].i, "dim", 2 - a.method) : 0;
    if (v[1].i && !wrap_dim(&dim, v[0].t->ndim)) return raise_pending(L);
    if (dtype != DT_NONE) check_dtype_option(L, OP_prod, v[0].t, dtype);
    Tensor *x = dtype == DT_NONE ? v[0].t : tensor_to(v[0].t, dtype, v[0].t->device, false);
    Tensor *y = op_prod(x, v[1].i ? DIMS(dim) : NULL, v[2].b);
    return give_out(&a, dtype == DT_NONE ? y : tensor_to(y, dtype, v[0].t->device, false));
}

/* ---- repeat_interleave: one number for all, a number each ---- */

static int repeat_interleave(lua_State *L)
{
    static const ParamInfo params[] = {REQUIRED('T', "input"), OPTIONAL('A', "repeats", "NULL"),
                                       OPTIONAL('A', "dim", "NULL"), OPTIONAL('A', "output_size", "NULL")};
    Args a;
    Arg v[COUNT(params)];
    args_begin(&a, L, "repeat_interleave", is_method(L));
    args_read(&a, params, COUNT(params), 3, NULL, v);
    int size_at = (int)v[3].i;
    int64_t size = size_at ? arg_int(&a, size_at, "output_size", 0) : -1;
    if (!v[1].i) { /* how often each of 0, 1, 2, … */
        Tensor *count = tensor_arange_int(0, v[0].t->numel, 1, DT_I64, v[0].t->device);
        return give(L, op_repeat_interleave(count, v[0].t, NULL, size));
    }
    const Dims *dim = v[2].i ? arg_dims(&a, (int)v[2].i, "dim", 3 - a.method) : NULL;
    Tensor *repeats = lua_isinteger(L, (int)v[1].i) ? to_number(L, (int)v[1].i)
                                                    : arg_tensor(&a, (int)v[1].i, "repeats", 2 - a.method);
    return give(L, op_repeat_interleave(v[0].t, repeats, dim, size));
}

/* ---- scatter of a tensor or a number, added or multiplied where asked ---- */

/* choice: 1 for in place */
static int scatter(lua_State *L)
{
    static const ParamInfo params[] = {REQUIRED('T', "input"),         REQUIRED('I', "dim"),
                                       REQUIRED('T', "index"),         OPTIONAL('A', "src", "NULL"),
                                       OPTIONAL('A', "value", "NULL"), OPTIONAL('S', "reduce", "NULL")};
    enum { SUM, PROD }; /* as scatter_reduce counts its reductions */
    bool inplace = choice(L);
    Args a;
    Arg v[COUNT(params)];
    args_begin(&a, L, inplace ? "scatter_" : "scatter", is_method(L));
    args_read(&a, params, COUNT(params), 4, "out", v);
    int at = (int)(v[3].i ? v[3].i : v[4].i);
    Tensor *src = at ? to_tensor(L, at) : NULL;
    if (at && !src) src = to_number(L, at);
    if (!src) arg_error(&a, "src", 4 - a.method, "Tensor", at ? at : lua_gettop(L) + 1);
    const char *reduce = v[5].i ? lua_tostring(L, (int)v[5].i) : NULL;
    if (reduce && strcmp(reduce, "add") != 0 && strcmp(reduce, "multiply") != 0)
        return raise_error(L, "RuntimeError", "reduce argument must be either add or multiply.");
    OpId op = reduce ? OP_scatter_reduce : OP_scatter;
    if (reduce && src->is_number) { /* as many of it as there are indices */
        Dims shape = tensor_dims(v[2].t);
        src = op_expand(tensor_to(src, (DType)v[0].t->dtype, v[0].t->device, false), &shape);
    }
    Arg args[OP_MAXPARAM] = {v[0],       v[1], v[2], {.t = src}, {.i = reduce && *reduce == 'm' ? PROD : SUM},
                             {.b = true}};
    if (inplace) return give_self(L, op_apply_inplace(op, args) != NULL);
    return give_out(&a, op_apply(op, args));
}

/* ---- scatter_reduce and index_reduce, with the reduction by name ---- */

/* choice: 1 for in place */
static int index_reduce(lua_State *L)
{
    static const ParamInfo params[] = {REQUIRED('T', "input"),  REQUIRED('I', "dim"),
                                       REQUIRED('T', "index"),  REQUIRED('T', "source"),
                                       REQUIRED('S', "reduce"), OPTIONAL('B', "include_self", "true")};
    static const char *const words[] = {"prod", "mean", "amax", "amin"}; /* scatter_reduce's from 1 on */
    bool inplace = choice(L);
    Args a;
    Arg v[COUNT(params)];
    args_begin(&a, L, inplace ? "index_reduce_" : "index_reduce", is_method(L));
    args_read(&a, params, COUNT(params), 5, "out", v);
    const char *word = lua_tostring(L, (int)v[4].i);
    int64_t reduce = 0;
    while (reduce < COUNT(words) && strcmp(word, words[reduce]) != 0) reduce++;
    if (reduce == COUNT(words))
        return raise_error(
            L, "RuntimeError",
            "index_reduce(): Expected reduce to be one of prod, mean, amax or amin but got %s.", word);
    v[4].i = reduce + 1;
    if (inplace) return give_self(L, op_apply_inplace(OP_index_reduce, v) != NULL);
    return give_out(&a, op_apply(OP_index_reduce, v));
}

/* choice: 1 for in place */
static int scatter_reduce(lua_State *L)
{
    static const ParamInfo params[] = {REQUIRED('T', "input"),  REQUIRED('I', "dim"),
                                       REQUIRED('T', "index"),  REQUIRED('T', "src"),
                                       REQUIRED('S', "reduce"), OPTIONAL('B', "include_self", "true")};
    static const char *const words[] = {"sum", "prod", "mean", "amax", "amin"};
    bool inplace = choice(L);
    Args a;
    Arg v[COUNT(params)];
    args_take(&a, L, inplace ? "scatter_reduce_" : "scatter_reduce", is_method(L), params, COUNT(params),
              "out", v);
    const char *word = lua_tostring(L, (int)v[4].i);
    int64_t reduce = 0;
    while (reduce < COUNT(words) && strcmp(word, words[reduce]) != 0) reduce++;
    if (reduce == COUNT(words))
        return raise_error(L, "RuntimeError",
                           "reduce argument must be either sum, prod, mean, amax or amin, got %s", word);
    v[4].i = reduce;
    if (inplace) return give_self(L, op_apply_inplace(OP_scatter_reduce, v) != NULL);
    return give_out(&a, op_apply(OP_scatter_reduce, v));
}

/* ---- registration: these stand in front of the rows of the same names ---- */

typedef struct Overload {
    const char *name;
    lua_CFunction f;
    int choice;
    bool function, method;
} Overload;

static const Overload overloads[] = {{"max", extremum, 0, true, true},
                                     {"min", extremum, 1, true, true},
                                     {"median", extremum, 2, true, true},
                                     {"nanmedian", extremum, 3, true, true},
                                     {"clamp", clamp, 0, true, true},
                                     {"clip", clamp, 0, true, true},
                                     {"clamp_", clamp, 1, true, true},
                                     {"clip_", clamp, 1, true, true},
                                     {"where", where, 0, true, true},
                                     {"nonzero", nonzero, 0, true, true},
                                     {"norm", norm, 0, true, true},
                                     {"prod", prod, 0, true, true},
                                     {"var", spread, 0, true, true},
                                     {"std", spread, 1, true, true},
                                     {"var_mean", spread, 2, true, false},
                                     {"std_mean", spread, 3, true, false},
                                     {"div", divide, 0, true, true},
                                     {"divide", divide, 0, true, true},
                                     {"div_", divide, 1, false, true},
                                     {"divide_", divide, 1, false, true},
                                     {"add", scaled_sum, 0, true, true},
                                     {"sub", scaled_sum, 1, true, true},
                                     {"subtract", scaled_sum, 1, true, true},
                                     {"add_", scaled_sum, 2, false, true},
                                     {"sub_", scaled_sum, 3, false, true},
                                     {"subtract_", scaled_sum, 3, false, true},
                                     {"rsub", scaled_sum, 4, true, false},
                                     {"frexp", frexp_parts, 0, true, true},
                                     {"isin", isin, 0, true, false},
                                     {"bucketize", bucketize, 0, true, false},
                                     {"polygamma", polygamma, 0, true, true},
                                     {"polygamma_", polygamma, 1, false, true},
                                     {"cdist", cdist, 0, true, false},
                                     {"round", round_to, 0, true, true},
                                     {"round_", round_to, 1, true, true},
                                     {"repeat_interleave", repeat_interleave, 0, true, true},
                                     {"scatter", scatter, 0, true, true},
                                     {"scatter_", scatter, 1, false, true},
                                     {"index_reduce", index_reduce, 0, true, true},
                                     {"index_reduce_", index_reduce, 1, false, true},
                                     {"scatter_reduce", scatter_reduce, 0, true, true},
                                     {"scatter_reduce_", scatter_reduce, 1, false, true}};

static void add_closure(lua_State *L, int table, const char *name, lua_CFunction f, int which, bool method)
{
    lua_pushboolean(L, method);
    lua_pushinteger(L, which);
    lua_pushcclosure(L, f, 2);
    lua_setfield(L, table, name);
}

void open_overloads(lua_State *L, const Library *lib)
{
    for (int i = 0; i < COUNT(overloads); i++) {
        const Overload *o = &overloads[i];
        if (o->function) add_closure(L, lib->torch, o->name, o->f, o->choice, false);
        if (o->method) add_closure(L, lib->methods, o->name, o->f, o->choice, true);
    }
}
