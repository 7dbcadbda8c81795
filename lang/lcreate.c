/* lcreate.c - functions that make tensors: torch.tensor, zeros, arange, …, their _like and new_ forms. */
#include "lang/create.h"
#include "lang/ops_call.h"

#include <math.h>
#include <string.h>

static const Device cpu = {DEVICE_CPU, 0};
static Device default_device = {DEVICE_CPU, 0}; /* torch.set_default_device */

Placement placement_read(const Arg *args)
{
    Placement p = {args[0].dtype, default_device, args[2].b};
    if (args[1].i >= 0)
        p.device = (Device){(uint8_t)(args[1].i >> 8), (uint8_t)args[1].i};
    return p;
}

int placement_give(lua_State *L, Tensor *t, const Placement *p)
{
    if (t && p->requires_grad && !tensor_set_requires_grad(t, true))
        t = NULL;
    return give(L, t);
}

/* placement_read for functions with out=: without a dtype of its own the result has out's. */
static Placement placement_or_out(Args *a, const Arg *args)
{
    Placement p = placement_read(args);
    int at = args_option(a, "out");
    if (at && p.dtype == DT_NONE)
        p.dtype = (DType)arg_tensor(a, at, "out", 0)->dtype;
    return p;
}

/* placement_give into the option out=, where it is given. */
static int give_created(Args *a, Tensor *t, const Placement *p)
{
    lua_State *L = a->L;
    int at = args_option(a, "out");
    if (!at || !t)
        return placement_give(L, t, p);
    Tensor *out = to_tensor(L, at);
    Dims before = tensor_dims(out);
    t = tensor_to(t, (DType)out->dtype, out->device, false);
    if (!t || !(tensor_same_shape(out, t) ? tensor_copy_(out, t) : tensor_set_(out, t)))
        return raise_pending(L);
    warn_resized(L, at, &before);
    scope_close(bind_base);
    lua_pushvalue(L, at);
    return 1;
}

static DType or_default(DType d)
{
    return d == DT_NONE ? default_dtype() : d;
}

/* Runs `make` again after a full collection when memory ran out. */
#define WITH_RETRY(L, t, make)                                                                               \
    Tensor *t = make;                                                                                        \
    if (!t && collector_retry(L))                                                                            \
    t = make

/* ---- from data ---- */

/* The tensor that a value describes: a copy of a tensor, a number, nested tables. */
static Tensor *from_value(Args *a, int i, DType dtype, Device device)
{
    lua_State *L = a->L;
    Tensor *t = to_tensor(L, i);
    if (t) {
        Tensor *plain = tensor_detach(t);
        DType to = dtype == DT_NONE ? (DType)t->dtype : dtype;
        return to == (DType)t->dtype && memcmp(&t->device, &device, sizeof device) == 0
                   ? op_clone(plain)
                   : tensor_to(plain, to, device, true);
    }
    const Dims *size = to_size(L, i);
    if (size) {
        t = tensor_empty(DIMS(size->n), DT_I64, cpu);
        if (t)
            memcpy(tensor_data(t), size->v, (size_t)size->n * sizeof size->v[0]);
        if (t && dtype != DT_NONE)
            t = tensor_to(t, dtype, cpu, false);
    } else {
        t = tensor_from_table(L, i, dtype);
    }
    return t ? tensor_to(t, (DType)t->dtype, device, false) : NULL;
}

static int tensor_function(lua_State *L)
{
    static const ParamInfo params[] = {REQUIRED('A', "data"), PLACEMENT_PARAMS};
    Args a;
    Arg v[COUNT(params)];
    args_begin(&a, L, "tensor", false);
    args_read(&a, params, COUNT(params), 1, NULL, v);
    if (!v[0].i)
        return raise_error(L, "RuntimeError", "Could not infer dtype of NoneType");
    Placement p = placement_read(v + 1);
    Tensor *src = to_tensor(L, (int)v[0].i);
    if (src && v[2].i < 0)
        p.device = src->device;
    return placement_give(L, from_value(&a, (int)v[0].i, p.dtype, p.device), &p);
}

static int as_tensor(lua_State *L)
{
    static const ParamInfo params[] = {REQUIRED('A', "data"), OPTIONAL('Y', "dtype", "DT_NONE"),
                                       OPTIONAL('V', "device", "NULL")};
    Args a;
    Arg v[COUNT(params) + 1] = {{0}};
    args_begin(&a, L, "as_tensor", false);
    args_read(&a, params, COUNT(params), 3, NULL, v);
    Placement p = placement_read(v + 1);
    Tensor *src = v[0].i ? to_tensor(L, (int)v[0].i) : NULL;
    if (!src)
        return give(L, v[0].i ? from_value(&a, (int)v[0].i, p.dtype, p.device)
                              : tide_fail("RuntimeError", "Could not infer dtype of NoneType"));
    return give(L, tensor_to(src, p.dtype == DT_NONE ? (DType)src->dtype : p.dtype,
                             v[2].i < 0 ? src->device : p.device, false));
}

/* torch.Tensor, torch.LongTensor, …: data, or sizes of a tensor without values. Upvalue 1: dtype, -1 the
 * default. */
static int typed_tensor(lua_State *L)
{
    lua_Integer which = lua_tointeger(L, lua_upvalueindex(1));
    DType dtype = which < 0 ? default_dtype() : (DType)which;
    static const ParamInfo params[] = {OPTIONAL('D', "size", "NULL")};
    Args a;
    Arg v[1];
    args_begin(&a, L, "Tensor", false);
    if (lua_type(L, 1) == LUA_TTABLE || to_tensor(L, 1))
        return give(L, from_value(&a, 1, dtype, cpu));
    args_read(&a, params, 1, 1, NULL, v);
    return give(L, tensor_zeros(v[0].dims ? v[0].dims : DIMS(0), dtype, cpu));
}

/* asarray(obj, {dtype=, device=, copy=, requires_grad=}) */
static int asarray(lua_State *L)
{
    static const ParamInfo params[] = {REQUIRED('A', "obj"), PLACEMENT_PARAMS, OPTIONAL('A', "copy", "NULL")};
    Args a;
    Arg v[COUNT(params)];
    args_begin(&a, L, "asarray", false);
    args_read(&a, params, COUNT(params), 1, NULL, v);
    Placement p = placement_read(v + 1);
    Tensor *src = v[0].i ? to_tensor(L, (int)v[0].i) : NULL;
    bool copy = v[4].i && arg_bool(&a, (int)v[4].i, "copy", 0), never = v[4].i && !copy;
    if (!v[0].i)
        return raise_error(L, "RuntimeError", "Could not infer dtype of NoneType");
    if (!src)
        return placement_give(L, from_value(&a, (int)v[0].i, p.dtype, p.device), &p);
    DType dtype = p.dtype == DT_NONE ? (DType)src->dtype : p.dtype;
    Device device = v[2].i < 0 ? src->device : p.device;
    if (never && (dtype != (DType)src->dtype || memcmp(&device, &src->device, sizeof device) != 0))
        return raise_error(L, "ValueError", "can't alias tensor with dtype '%s' into dtype '%s'.",
                           dtype_info[src->dtype].cname, dtype_info[dtype].cname);
    Tensor *t = tensor_to(src, dtype, device, copy);
    int wants = args_option(&a, "requires_grad");
    if (t && wants && !p.requires_grad && t->requires_grad) t = tensor_detach(t);
    if (t == src && !p.requires_grad) {
        lua_pushvalue(L, (int)v[0].i);
        return 1;
    }
    return placement_give(L, t, &p);
}

static int get_default_device(lua_State *L)
{
    push_device(L, default_device);
    return 1;
}

static int set_default_device(lua_State *L)
{
    if (lua_isnoneornil(L, 1))
        default_device = cpu;
    else if (!to_device(L, 1, &default_device))
        return raise_error(L, "TypeError", "device(): argument 'type' (position 1) must be str, not %s",
                           type_word(L, 1));
    return 0;
}

static int new_tensor(lua_State *L)
{
    static const ParamInfo params[] = {REQUIRED('T', "self"), REQUIRED('A', "data"), PLACEMENT_PARAMS};
    Args a;
    Arg v[COUNT(params)];
    args_begin(&a, L, "new_tensor", true);
    args_read(&a, params, COUNT(params), 2, NULL, v);
    Placement p = placement_read(v + 2);
    if (!v[1].i)
        return raise_error(L, "RuntimeError", "Could not infer dtype of NoneType");
    if (p.dtype == DT_NONE)
        p.dtype = (DType)v[0].t->dtype;
    return placement_give(L, from_value(&a, (int)v[1].i, p.dtype, v[3].i < 0 ? v[0].t->device : p.device),
                          &p);
}

/* ---- of a size ---- */

typedef enum Filling { FILL_EMPTY, FILL_ZEROS, FILL_ONES, FILL_RAND, FILL_RANDN } Filling;
static const char *const filling_names[] = {"empty", "zeros", "ones", "rand", "randn"};

/* t with random numbers where f asks for them. */
static Tensor *drawn(Tensor *t, Filling f, Generator *g)
{
    if (t && f == FILL_RAND && !tensor_uniform_(t, 0, 1, g))
        return NULL;
    if (t && f == FILL_RANDN && !tensor_normal_(t, 0, 1, g))
        return NULL;
    return t;
}

static Tensor *filled_as(Filling f, const Dims *size, DType dtype, Device device, Generator *g)
{
    switch (f) {
    case FILL_ZEROS: return tensor_zeros(size, dtype, device);
    case FILL_ONES: return tensor_full_int(size, 1, dtype, device);
    default: return drawn(tensor_empty(size, dtype, device), f, g);
    }
}

static Tensor *filled_like(Filling f, const Tensor *x, DType dtype, Generator *g)
{
    switch (f) {
    case FILL_ZEROS:
    case FILL_ONES: return tensor_full_like(x, f == FILL_ONES, dtype);
    default: return drawn(tensor_like(x, dtype), f, g);
    }
}

/* Whether a tensor like x shall lie in memory as x does; if not, it is contiguous. */
static bool keeps_layout(Args *a, const Tensor *x, Device device)
{
    lua_State *L = a->L;
    int format = args_option(a, "memory_format");
    if (x->contiguous || x->device.type != device.type || x->device.index != device.index)
        return false;
    if (!format)
        return true;
    bool contiguous = strcmp(luaL_tolstring(L, format, NULL), "torch.contiguous_format") == 0;
    lua_pop(L, 1);
    return !contiguous;
}

static void check_sizes(lua_State *L, const char *function, const Dims *size)
{
    for (int i = 0; i < size->n; i++)
        if (size->v[i] < 0)
            raise_error(L, "RuntimeError", "%s: Dimension size must be non-negative.", function);
}

/* torch.zeros(2, 3, {dtype=…}); upvalue 1: Filling */
static int sized(lua_State *L)
{
    static const ParamInfo params[] = {REQUIRED('D', "size"), PLACEMENT_PARAMS,
                                       OPTIONAL('G', "generator", "NULL")};
    Filling f = (Filling)lua_tointeger(L, lua_upvalueindex(1));
    Args a;
    Arg v[COUNT(params)];
    args_begin(&a, L, filling_names[f], false);
    args_read(&a, params, COUNT(params), 1, "out,layout,pin_memory,memory_format", v);
    check_sizes(L, a.function, v[0].dims);
    Placement p = placement_read(v + 1);
    int out = args_option(&a, "out");
    Generator *g = v[4].i ? to_generator(L, (int)v[4].i) : NULL;
    if (out && p.dtype == DT_NONE)
        p.dtype = (DType)arg_tensor(&a, out, "out", 0)->dtype;
    WITH_RETRY(L, t, filled_as(f, v[0].dims, or_default(p.dtype), p.device, g));
    if (!out || !t)
        return placement_give(L, t, &p);
    if (!tensor_set_(to_tensor(L, out), t))
        return raise_pending(L);
    scope_close(bind_base);
    lua_pushvalue(L, out);
    return 1;
}

/* torch.zeros_like(x); upvalue 1: Filling */
static int like(lua_State *L)
{
    static const ParamInfo params[] = {REQUIRED('T', "input"), PLACEMENT_PARAMS,
                                       OPTIONAL('G', "generator", "NULL")};
    Filling f = (Filling)lua_tointeger(L, lua_upvalueindex(1));
    char name[16] = "";
    Args a;
    Arg v[COUNT(params)];
    args_begin(&a, L, strcat(strcpy(name, filling_names[f]), "_like"), false);
    args_read(&a, params, COUNT(params), 1, "layout,pin_memory,memory_format", v);
    Placement p = placement_read(v + 1);
    Generator *g = v[4].i ? to_generator(L, (int)v[4].i) : NULL;
    DType dtype = p.dtype == DT_NONE ? (DType)v[0].t->dtype : p.dtype;
    Device device = v[2].i < 0 ? v[0].t->device : p.device;
    if (keeps_layout(&a, v[0].t, device))
        return placement_give(L, filled_like(f, v[0].t, dtype, g), &p);
    Dims size = tensor_dims(v[0].t);
    return placement_give(L, filled_as(f, &size, dtype, device, g), &p);
}

/* x:new_zeros(2, 3); upvalue 1: Filling */
static int new_sized(lua_State *L)
{
    static const ParamInfo params[] = {REQUIRED('T', "self"), REQUIRED('D', "size"), PLACEMENT_PARAMS};
    Filling f = (Filling)lua_tointeger(L, lua_upvalueindex(1));
    char name[16] = "new_";
    Args a;
    Arg v[COUNT(params)];
    args_begin(&a, L, strcat(name, filling_names[f]), true);
    args_read(&a, params, COUNT(params), 2, "layout,pin_memory", v);
    Placement p = placement_read(v + 2);
    DType dtype = p.dtype == DT_NONE ? (DType)v[0].t->dtype : p.dtype;
    return placement_give(L, filled_as(f, v[1].dims, dtype, v[3].i < 0 ? v[0].t->device : p.device, NULL),
                          &p);
}

static Tensor *fill_value(Args *a, int i)
{
    Tensor *value = to_tensor(a->L, i);
    if (!value)
        value = to_number(a->L, i);
    if (!value || value->numel != 1)
        arg_error(a, "fill_value", 2, "Number", i);
    return value;
}

static Tensor *overwritten(Tensor *t, Tensor *value)
{
    if (t && value->is_number)
        value = number_as(value, (DType)t->dtype, t->device);
    return t && value && tensor_copy_(t, value) ? t : NULL;
}

Tensor *filled_tensor(Args *a, const Dims *size, int i, Placement *p)
{
    Tensor *value = fill_value(a, i);
    if (p->dtype == DT_NONE)
        p->dtype =
            value->is_number && dtype_is_float((DType)value->dtype) ? default_dtype() : (DType)value->dtype;
    return overwritten(tensor_empty(size, p->dtype, p->device), value);
}

static int full(lua_State *L)
{
    static const ParamInfo params[] = {REQUIRED('D', "size"), REQUIRED('A', "fill_value"), PLACEMENT_PARAMS};
    Args a;
    Arg v[COUNT(params)];
    args_begin(&a, L, "full", false);
    args_read(&a, params, COUNT(params), 2, "out,layout,pin_memory", v);
    Placement p = placement_or_out(&a, v + 2);
    return give_created(&a, filled_tensor(&a, v[0].dims, (int)v[1].i, &p), &p);
}

static int full_like(lua_State *L)
{
    static const ParamInfo params[] = {REQUIRED('T', "input"), REQUIRED('A', "fill_value"), PLACEMENT_PARAMS};
    Args a;
    Arg v[COUNT(params)];
    args_begin(&a, L, "full_like", false);
    args_read(&a, params, COUNT(params), 2, "layout,pin_memory,memory_format", v);
    Placement p = placement_read(v + 2);
    if (p.dtype == DT_NONE)
        p.dtype = (DType)v[0].t->dtype;
    if (v[3].i < 0)
        p.device = v[0].t->device;
    if (keeps_layout(&a, v[0].t, p.device)) {
        Tensor *value = fill_value(&a, (int)v[1].i);
        return placement_give(L, overwritten(tensor_like(v[0].t, p.dtype), value), &p);
    }
    Dims size = tensor_dims(v[0].t);
    return placement_give(L, filled_tensor(&a, &size, (int)v[1].i, &p), &p);
}

static int new_full(lua_State *L)
{
    static const ParamInfo params[] = {REQUIRED('T', "self"), REQUIRED('D', "size"),
                                       REQUIRED('A', "fill_value"), PLACEMENT_PARAMS};
    Args a;
    Arg v[COUNT(params)];
    args_begin(&a, L, "new_full", true);
    args_read(&a, params, COUNT(params), 3, "layout,pin_memory", v);
    Placement p = placement_read(v + 3);
    if (p.dtype == DT_NONE)
        p.dtype = (DType)v[0].t->dtype;
    if (v[4].i < 0)
        p.device = v[0].t->device;
    return placement_give(L, filled_tensor(&a, v[1].dims, (int)v[2].i, &p), &p);
}

/* ---- ranges ---- */

/* A bound of a range: an integer or a float. */
typedef struct Bound {
    bool whole;
    int64_t i;
    double f;
} Bound;

static Bound read_bound(Args *a, int i, const char *name, int position)
{
    Bound b = {.whole = false};
    lua_State *L = a->L;
    Tensor *t = to_tensor(L, i);
    if (lua_isboolean(L, i)) /* Python's are numbers */
        return (Bound){true, lua_toboolean(L, i), lua_toboolean(L, i)};
    b.whole = t ? !dtype_is_float((DType)t->dtype) : lua_isinteger(L, i);
    if (!number_value(L, i, &b.f))
        arg_error(a, name, position, "Number", i);
    if (b.whole && !int_value(L, i, &b.i))
        arg_error(a, name, position, "Number", i);
    return b;
}

/* A range of integers between fractions: as many as of the fractions, but start and step are cut first. */
static Tensor *arange_cut(double start, double end, double step, DType dtype, Device device)
{
    int64_t from = (int64_t)start, by = (int64_t)step;
    bool empty = step > 0 ? end < start : end > start;
    if (dtype == DT_I64 && by == 0 && step != 0 && !empty)
        return tide_fail("ValueError", "step must be nonzero");
    if (dtype == DT_I64) /* int64 does not count as fractions either */
        return tensor_arange_int(from, (int64_t)end, by, dtype, device);
    Tensor *fractions = tensor_arange(start, end, step, DT_F64, device);
    if (!fractions)
        return NULL;
    if (by == 0)
        return tensor_full_int(DIMS(fractions->numel), from, dtype, device);
    return tensor_arange_int(from, from + fractions->numel * by, by, dtype, device);
}

/* arange(end), arange(start, end), arange(start, end, step) */
static int arange(lua_State *L)
{
    static const ParamInfo params[] = {OPTIONAL('A', "start", "NULL"), OPTIONAL('A', "end", "NULL"),
                                       OPTIONAL('A', "step", "NULL"), PLACEMENT_PARAMS};
    Args a;
    Arg v[COUNT(params)];
    args_begin(&a, L, "arange", false);
    args_read(&a, params, COUNT(params), 3, "out,layout,pin_memory", v);
    if (!v[1].i && v[0].i) {
        v[1] = v[0];
        v[0].i = 0;
    }
    if (!v[1].i)
        return raise_error(L, "TypeError", "arange() missing 1 required positional arguments: \"end\"");
    Bound start = {true, 0, 0}, end = read_bound(&a, (int)v[1].i, "end", 0), step = {true, 1, 1};
    if (v[0].i)
        start = read_bound(&a, (int)v[0].i, "start", 0);
    if (v[2].i)
        step = read_bound(&a, (int)v[2].i, "step", 0);
    Placement p = placement_or_out(&a, v + 3);
    bool whole = start.whole && end.whole && step.whole;
    if (p.dtype == DT_I64 && step.f != 0 && trunc(step.f) == 0)
        return raise_error(L, "ValueError", "step must be nonzero");
    if (p.dtype == DT_NONE)
        p.dtype = whole ? DT_I64 : default_dtype();
    if (p.dtype == DT_BOOL)
        return raise_error(L, "NotImplementedError", "\"arange_cpu\" not implemented for 'Bool'");
    WITH_RETRY(L, t,
               whole                     ? tensor_arange_int(start.i, end.i, step.i, p.dtype, p.device)
               : dtype_is_int(p.dtype) ? arange_cut(start.f, end.f, step.f, p.dtype, p.device)
                                         : tensor_arange(start.f, end.f, step.f, p.dtype, p.device));
    return give_created(&a, t, &p);
}

/* Of integers the ends are integers first. */
static void cut_ends(DType dtype, Arg *v)
{
    for (int k = 0; k < 2 && !dtype_is_float(dtype); k++)
        v[k].f = trunc(v[k].f);
}

/* Reads the ends v[0] and v[1], numbers or tensors of no dims, from their stack indices. */
static void read_ends(Args *a, Arg *v)
{
    static const char *const names[] = {"start", "end"};
    const Tensor *t[2];
    for (int k = 0; k < 2; k++)
        t[k] = to_tensor(a->L, (int)v[k].i);
    bool first = t[0] && t[0]->ndim > 0, second = t[1] && t[1]->ndim > 0;
    if ((first || second) && t[0] && t[1])
        raise_error(a->L, "RuntimeError",
                    "%s only supports 0-dimensional start and end tensors, but got start with %d dimension(s) and end "
                    "with %d dimension(s).",
                    a->function, t[0]->ndim, t[1]->ndim);
    if (first || second)
        raise_error(a->L, "RuntimeError",
                    "%s only supports 0-dimensional start and end tensors, but got %s with %d dimension(s).",
                    a->function, names[second], t[second]->ndim);
    for (int k = 0; k < 2; k++) {
        int at = (int)v[k].i;
        if (lua_isboolean(a->L, at))
            v[k].f = lua_toboolean(a->L, at);
        else if (!number_value(a->L, at, &v[k].f))
            arg_error(a, names[k], k + 1, "Number", at);
    }
}

static int linspace(lua_State *L)
{
    static const ParamInfo params[] = {REQUIRED('A', "start"), REQUIRED('A', "end"), REQUIRED('I', "steps"),
                                       PLACEMENT_PARAMS};
    Args a;
    Arg v[COUNT(params)];
    args_begin(&a, L, "linspace", false);
    args_read(&a, params, COUNT(params), 3, "out,layout,pin_memory", v);
    read_ends(&a, v);
    Placement p = placement_or_out(&a, v + 3);
    DType dtype = or_default(p.dtype);
    cut_ends(dtype, v);
    return give_created(&a, tensor_linspace(v[0].f, v[1].f, v[2].i, dtype, p.device), &p);
}

static int logspace(lua_State *L)
{
    static const ParamInfo params[] = {REQUIRED('A', "start"), REQUIRED('A', "end"), REQUIRED('I', "steps"),
                                       OPTIONAL('F', "base", "10"), PLACEMENT_PARAMS};
    Args a;
    Arg v[COUNT(params)];
    args_begin(&a, L, "logspace", false);
    args_read(&a, params, COUNT(params), 4, "out,layout,pin_memory", v);
    read_ends(&a, v);
    Placement p = placement_or_out(&a, v + 4);
    DType dtype = or_default(p.dtype);
    cut_ends(dtype, v);
    Tensor *exponents = tensor_linspace(v[0].f, v[1].f, v[2].i, dtype_is_float(dtype) ? dtype : DT_F64, cpu);
    Tensor *wide = exponents ? tensor_to(exponents, DT_F64, cpu, false) : NULL;
    Tensor *y = op_pow(tensor_number(v[3].f), wide);
    return give_created(&a, y ? tensor_to(y, dtype, p.device, false) : NULL, &p);
}

static int eye(lua_State *L)
{
    static const ParamInfo params[] = {REQUIRED('I', "n"), OPTIONAL('I', "m", "-1"), PLACEMENT_PARAMS};
    Args a;
    Arg v[COUNT(params)];
    args_begin(&a, L, "eye", false);
    args_read(&a, params, COUNT(params), 2, "out,layout,pin_memory", v);
    Placement p = placement_or_out(&a, v + 2);
    bool square = a.count < 2 && !args_option(&a, "m");
    return give_created(&a, tensor_eye(v[0].i, square ? v[0].i : v[1].i, or_default(p.dtype), p.device), &p);
}

/* ---- registration ---- */

static void add_filling(lua_State *L, int table, const char *prefix, const char *suffix, lua_CFunction f,
                        Filling which)
{
    lua_pushinteger(L, which);
    lua_pushcclosure(L, f, 1);
    const char *name = lua_pushfstring(L, "%s%s%s", prefix, filling_names[which], suffix);
    lua_insert(L, -2);
    lua_setfield(L, table, name);
    lua_pop(L, 1);
}

void open_create(lua_State *L, const Library *lib)
{
    static const luaL_Reg functions[] = {{"tensor", tensor_function},
                                         {"as_tensor", as_tensor},
                                         {"asarray", asarray},
                                         {"get_default_device", get_default_device},
                                         {"set_default_device", set_default_device},
                                         {"full", full},
                                         {"full_like", full_like},
                                         {"arange", arange},
                                         {"linspace", linspace},
                                         {"logspace", logspace},
                                         {"eye", eye},
                                         {NULL, NULL}};
    static const luaL_Reg methods[] = {{"new_tensor", new_tensor}, {"new_full", new_full},
                                       {"tolist", method_tolist},  {"totable", method_tolist},
                                       {"item", method_item},      {NULL, NULL}};
    static const struct {
        const char *name;
        int dtype;
    } typed[] = {{"Tensor", -1},          {"FloatTensor", DT_F32}, {"DoubleTensor", DT_F64},
                 {"HalfTensor", DT_F16},  {"LongTensor", DT_I64},  {"IntTensor", DT_I32},
                 {"ShortTensor", DT_I16}, {"CharTensor", DT_I8},   {"ByteTensor", DT_U8},
                 {"BoolTensor", DT_BOOL}};
    add_functions(L, lib->torch, functions);
    add_functions(L, lib->methods, methods);
    for (int f = FILL_EMPTY; f <= FILL_RANDN; f++) {
        add_filling(L, lib->torch, "", "", sized, (Filling)f);
        add_filling(L, lib->torch, "", "_like", like, (Filling)f);
        if (f <= FILL_ONES)
            add_filling(L, lib->methods, "new_", "", new_sized, (Filling)f);
    }
    for (int i = 0; i < COUNT(typed); i++) {
        lua_pushinteger(L, typed[i].dtype);
        lua_pushcclosure(L, typed_tensor, 1);
        lua_setfield(L, lib->torch, typed[i].name);
    }
}
