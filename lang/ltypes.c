/* ltypes.c - values that describe tensors: torch.dtype, torch.Size, torch.device, slices, finfo and iinfo. */
#include "lang/bind.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char dtype_type[] = "torch.dtype", size_type[] = "torch.Size", device_type[] = "torch.device",
                  slice_type[] = "slice", ellipsis_type[] = "ellipsis", newaxis_type[] = "newaxis",
                  layout_type[] = "torch.layout", format_type[] = "torch.memory_format";
static const char layout_key; /* registry: torch.strided */
static const char dtypes_key; /* registry: the array of dtype objects */

/* A new metatable named `name` with functions; left on the stack. */
static void new_type(lua_State *L, const char *name, const luaL_Reg *functions)
{
    luaL_newmetatable(L, name);
    luaL_setfuncs(L, functions, 0);
    lua_pushboolean(L, false); /* setmetatable and getmetatable keep their hands off */
    lua_setfield(L, -2, "__metatable");
}

/* ---- dtypes: one object each, so that == is Lua's own ---- */

void push_dtype(lua_State *L, DType d)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &dtypes_key);
    lua_rawgeti(L, -1, (int)d + 1);
    lua_remove(L, -2);
}

bool to_dtype(lua_State *L, int i, DType *d)
{
    const DType *p = luaL_testudata(L, i, dtype_type);
    if (p)
        *d = *p;
    return p != NULL;
}

static int dtype_tostring(lua_State *L)
{
    const DType *d = luaL_checkudata(L, 1, dtype_type);
    lua_pushfstring(L, "torch.%s", dtype_name(*d));
    return 1;
}

static int dtype_index(lua_State *L)
{
    DType d = *(const DType *)luaL_checkudata(L, 1, dtype_type);
    const char *key = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
    if (strcmp(key, "itemsize") == 0)
        lua_pushinteger(L, (lua_Integer)dtype_size(d));
    else if (strcmp(key, "is_floating_point") == 0)
        lua_pushboolean(L, dtype_is_float(d));
    else if (strcmp(key, "is_signed") == 0)
        lua_pushboolean(L, d != DT_BOOL && d != DT_U8);
    else if (strcmp(key, "is_complex") == 0)
        lua_pushboolean(L, false);
    else
        return raise_error(L, "AttributeError", "'torch.dtype' object has no attribute '%s'", key);
    return 1;
}

static const luaL_Reg dtype_meta[] = {{"__tostring", dtype_tostring}, {"__index", dtype_index}, {NULL, NULL}};

static void open_dtypes(lua_State *L, int torch)
{
    static const char *const alias[DT_COUNT][2] = {
        [DT_I16] = {"short"}, [DT_I32] = {"int"},   [DT_I64] = {"long"},
        [DT_F16] = {"half"},  [DT_F32] = {"float"}, [DT_F64] = {"double"}};
    new_type(L, dtype_type, dtype_meta);
    lua_createtable(L, DT_COUNT, 0);
    for (int d = 0; d < DT_COUNT; d++) {
        *(DType *)lua_newuserdatauv(L, sizeof(DType), 0) = (DType)d;
        luaL_setmetatable(L, dtype_type);
        lua_pushvalue(L, -1);
        lua_setfield(L, torch, dtype_name((DType)d));
        if (alias[d][0]) {
            lua_pushvalue(L, -1);
            lua_setfield(L, torch, alias[d][0]);
        }
        lua_rawseti(L, -2, d + 1);
    }
    lua_rawsetp(L, LUA_REGISTRYINDEX, &dtypes_key);
    lua_pop(L, 1);
}

static DType check_dtype(lua_State *L, int i, const char *function)
{
    DType d;
    if (!to_dtype(L, i, &d))
        raise_error(L, "TypeError", "%s(): argument %d must be torch.dtype, not %s", function, i,
                    type_word(L, i));
    return d;
}

static int promote_types(lua_State *L)
{
    push_dtype(L, dtype_promote(check_dtype(L, 1, "promote_types"), check_dtype(L, 2, "promote_types")));
    return 1;
}

static int can_cast(lua_State *L)
{
    lua_pushboolean(L, dtype_can_cast(check_dtype(L, 1, "can_cast"), check_dtype(L, 2, "can_cast")));
    return 1;
}

static int result_type(lua_State *L)
{
    Tensor *in[2];
    for (int i = 0; i < 2; i++) {
        in[i] = to_tensor(L, i + 1);
        if (!in[i])
            in[i] = to_number(L, i + 1);
        if (!in[i])
            return raise_error(L, "TypeError", "result_type(): argument %d must be Tensor or Number, not %s",
                               i + 1, type_word(L, i + 1));
    }
    DType d = result_dtype(in, 2);
    scope_close(bind_base);
    push_dtype(L, d);
    return 1;
}

static int get_default_dtype(lua_State *L)
{
    push_dtype(L, default_dtype());
    return 1;
}

static int lua_set_default_dtype(lua_State *L)
{
    if (!set_default_dtype(check_dtype(L, 1, "set_default_dtype")))
        return raise_pending(L);
    return 0;
}

/* ---- finfo, iinfo ---- */

static int info_tostring(lua_State *L)
{
    lua_pushvalue(L, lua_upvalueindex(1));
    return 1;
}

static void set_number(lua_State *L, const char *name, double v)
{
    lua_pushnumber(L, v);
    lua_setfield(L, -2, name);
}

/* Gives the table on top its dtype, its bits and its printed form. */
static int finish_info(lua_State *L, DType d, const char *text)
{
    lua_pushstring(L, dtype_name(d));
    lua_setfield(L, -2, "dtype");
    lua_pushinteger(L, (lua_Integer)dtype_size(d) * 8);
    lua_setfield(L, -2, "bits");
    lua_createtable(L, 0, 1);
    lua_pushstring(L, text);
    lua_pushcclosure(L, info_tostring, 1);
    lua_setfield(L, -2, "__tostring");
    lua_setmetatable(L, -2);
    return 1;
}

static int finfo(lua_State *L)
{
    static const struct {
        double max, eps, tiny, resolution;
    } limits[DT_COUNT] = {[DT_F16] = {65504, 0x1p-10, 0x1p-14, 1e-3},
                          [DT_BF16] = {0x1.fep127, 0x1p-7, 0x1p-126, 1e-2},
                          [DT_F32] = {FLT_MAX, FLT_EPSILON, FLT_MIN, 1e-6},
                          [DT_F64] = {DBL_MAX, DBL_EPSILON, DBL_MIN, 1e-15}};
    DType d = lua_isnoneornil(L, 1) ? default_dtype() : check_dtype(L, 1, "finfo");
    if (!dtype_is_float(d))
        return raise_error(L, "TypeError",
                           "torch.finfo() requires a floating point input type. Use torch.iinfo to handle "
                           "'torch.finfo'");
    lua_createtable(L, 0, 10);
    set_number(L, "max", limits[d].max);
    set_number(L, "min", -limits[d].max);
    set_number(L, "eps", limits[d].eps);
    set_number(L, "tiny", limits[d].tiny);
    set_number(L, "smallest_normal", limits[d].tiny);
    set_number(L, "resolution", limits[d].resolution);
    char text[256];
    snprintf(text, sizeof text,
             "finfo(resolution=%g, min=%g, max=%g, eps=%g, smallest_normal=%g, tiny=%g, dtype=%s)",
             limits[d].resolution, -limits[d].max, limits[d].max, limits[d].eps, limits[d].tiny,
             limits[d].tiny, dtype_name(d));
    return finish_info(L, d, text);
}

static int iinfo(lua_State *L)
{
    DType d = check_dtype(L, 1, "iinfo");
    if (d == DT_BOOL)
        return raise_error(L, "TypeError", "torch.bool is not supported by torch.iinfo");
    if (!dtype_is_int(d))
        return raise_error(
            L, "TypeError",
            "torch.iinfo() requires an integer input type. Use torch.finfo to handle 'torch.iinfo'");
    int bits = (int)dtype_size(d) * 8;
    int64_t max = d == DT_U8 ? 255 : (int64_t)(UINT64_MAX >> 1 >> (64 - bits)),
            min = d == DT_U8 ? 0 : -max - 1;
    lua_createtable(L, 0, 6);
    lua_pushinteger(L, max);
    lua_setfield(L, -2, "max");
    lua_pushinteger(L, min);
    lua_setfield(L, -2, "min");
    char text[128];
    snprintf(text, sizeof text, "iinfo(min=%g, max=%g, dtype=%s)", (double)min, (double)max,
             dtype_name(d));
    return finish_info(L, d, text);
}

/* ---- torch.Size: counted from 0 ---- */

void push_size(lua_State *L, const Dims *d)
{
    Dims *s = lua_newuserdatauv(L, sizeof(Dims), 0);
    s->n = d->n;
    memcpy(s->v, d->v, (size_t)d->n * sizeof d->v[0]);
    luaL_setmetatable(L, size_type);
}

const Dims *to_size(lua_State *L, int i)
{
    return luaL_testudata(L, i, size_type);
}

static int size_new(lua_State *L)
{
    Dims d = {0};
    bool table = lua_type(L, 1) == LUA_TTABLE;
    const Dims *other = to_size(L, 1);
    if (other) {
        push_size(L, other);
        return 1;
    }
    lua_Integer n = table ? (lua_Integer)lua_rawlen(L, 1) : lua_gettop(L);
    if (n > TIDE_MAXDIM)
        return raise_error(L, "ValueError", "torch.Size() holds at most %d sizes", TIDE_MAXDIM);
    for (d.n = 0; d.n < n; d.n++) {
        if (table)
            lua_rawgeti(L, 1, d.n + 1);
        else
            lua_pushvalue(L, d.n + 1);
        int ok;
        d.v[d.n] = lua_tointegerx(L, -1, &ok);
        if (!ok)
            return raise_error(L, "TypeError", "torch.Size() takes an iterable of 'int' (item %d is '%s')",
                               d.n, type_word(L, -1));
        lua_pop(L, 1);
    }
    push_size(L, &d);
    return 1;
}

static int size_tostring(lua_State *L)
{
    const Dims *d = luaL_checkudata(L, 1, size_type);
    char text[512];
    lua_pushfstring(L, "torch.Size(%s)", format_dims(text, sizeof text, d->n, d->v));
    return 1;
}

static int size_len(lua_State *L)
{
    lua_pushinteger(L, ((const Dims *)luaL_checkudata(L, 1, size_type))->n);
    return 1;
}

static int size_eq(lua_State *L)
{
    const Dims *a = to_size(L, 1), *b = to_size(L, 2);
    lua_pushboolean(L, a && b && a->n == b->n && memcmp(a->v, b->v, (size_t)a->n * sizeof a->v[0]) == 0);
    return 1;
}

static int size_next(lua_State *L)
{
    const Dims *d = luaL_checkudata(L, 1, size_type);
    lua_Integer i = lua_isinteger(L, 2) ? lua_tointeger(L, 2) + 1 : 0;
    if (i < 0 || i >= d->n)
        return 0;
    lua_pushinteger(L, i);
    lua_pushinteger(L, d->v[i]);
    return 2;
}

static int size_pairs(lua_State *L)
{
    lua_pushcfunction(L, size_next);
    lua_pushvalue(L, 1);
    return 2;
}

static int size_numel(lua_State *L)
{
    const Dims *d = luaL_checkudata(L, 1, size_type);
    lua_Unsigned n = 1;
    for (int i = 0; i < d->n; i++)
        n *= (lua_Unsigned)d->v[i];
    lua_pushinteger(L, (lua_Integer)n);
    return 1;
}

static int size_unpack(lua_State *L)
{
    const Dims *d = luaL_checkudata(L, 1, size_type);
    luaL_checkstack(L, d->n, NULL);
    for (int i = 0; i < d->n; i++)
        lua_pushinteger(L, d->v[i]);
    return d->n;
}

static int size_tolist(lua_State *L)
{
    const Dims *d = luaL_checkudata(L, 1, size_type);
    lua_createtable(L, d->n, 0);
    for (int i = 0; i < d->n; i++) {
        lua_pushinteger(L, d->v[i]);
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

static int size_concat(lua_State *L)
{
    Dims d = {0};
    for (int side = 1; side <= 2; side++) {
        const Dims *s = to_size(L, side);
        if (!s || d.n + s->n > TIDE_MAXDIM)
            return raise_error(L, "TypeError", "can only concatenate torch.Size (not \"%s\") to torch.Size",
                               type_word(L, side));
        memcpy(d.v + d.n, s->v, (size_t)s->n * sizeof d.v[0]);
        d.n += s->n;
    }
    push_size(L, &d);
    return 1;
}

static int size_slice(lua_State *L, const Dims *d, const Slice *s)
{
    int64_t step = s->present & 4 ? s->v[2] : 1, bound[2] = {0, d->n};
    if (step <= 0)
        return raise_error(L, "ValueError", "step must be greater than zero");
    for (int k = 0; k < 2; k++) {
        if (!(s->present & 1 << k))
            continue;
        int64_t b = s->v[k] < 0 ? s->v[k] + d->n : s->v[k];
        bound[k] = b < 0 ? 0 : b > d->n ? d->n : b;
    }
    Dims part = {0};
    for (int64_t i = bound[0]; i < bound[1]; i += step)
        part.v[part.n++] = d->v[i];
    push_size(L, &part);
    return 1;
}

static int size_index(lua_State *L)
{
    const Dims *d = luaL_checkudata(L, 1, size_type);
    int whole;
    lua_Integer i = lua_tointegerx(L, 2, &whole);
    if (whole && lua_type(L, 2) == LUA_TNUMBER) {
        if (i < -d->n || i >= d->n)
            return raise_error(L, "IndexError", "tuple index out of range");
        lua_pushinteger(L, d->v[i < 0 ? i + d->n : i]);
        return 1;
    }
    const Slice *s = to_slice(L, 2);
    Slice parsed;
    if (s)
        return size_slice(L, d, s);
    if (lua_type(L, 2) == LUA_TSTRING) {
        lua_pushvalue(L, 2);
        if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL)
            return 1;
        if (slice_parse(lua_tostring(L, 2), &parsed))
            return size_slice(L, d, &parsed);
        return raise_error(L, "AttributeError", "'torch.Size' object has no attribute '%s'",
                           lua_tostring(L, 2));
    }
    return raise_error(L, "TypeError", "tuple indices must be integers or slices, not %s", type_word(L, 2));
}

static const luaL_Reg size_meta[] = {
    {"__tostring", size_tostring}, {"__len", size_len},    {"__eq", size_eq}, {"__pairs", size_pairs},
    {"__concat", size_concat},     {"__add", size_concat}, {NULL, NULL}};
static const luaL_Reg size_methods[] = {{"numel", size_numel},
                                        {"unpack", size_unpack},
                                        {"tolist", size_tolist},
                                        {"totable", size_tolist},
                                        {NULL, NULL}};

static void open_size(lua_State *L, int torch)
{
    new_type(L, size_type, size_meta);
    luaL_newlib(L, size_methods);
    lua_pushcclosure(L, size_index, 1);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
    lua_pushcfunction(L, size_new);
    lua_setfield(L, torch, "Size");
}

/* ---- torch.device ---- */

void push_device(lua_State *L, Device d)
{
    *(Device *)lua_newuserdatauv(L, sizeof(Device), 0) = d;
    luaL_setmetatable(L, device_type);
}

bool to_device(lua_State *L, int i, Device *d)
{
    const Device *p = luaL_testudata(L, i, device_type);
    if (p)
        *d = *p;
    else if (lua_type(L, i) != LUA_TSTRING)
        return false;
    else if (!device_parse(lua_tostring(L, i), d))
        raise_pending(L);
    return true;
}

static int device_new(lua_State *L)
{
    Device d;
    if (!to_device(L, 1, &d))
        return raise_error(L, "TypeError", "device(): argument 'type' (position 1) must be str, not %s",
                           type_word(L, 1));
    if (lua_isinteger(L, 2)) {
        lua_pushfstring(L, "%s:%d", lua_tostring(L, 1), (int)lua_tointeger(L, 2));
        if (!device_parse(lua_tostring(L, -1), &d))
            return raise_pending(L);
    }
    push_device(L, d);
    return 1;
}

static int device_tostring(lua_State *L)
{
    char text[64];
    lua_pushstring(L, device_name(*(const Device *)luaL_checkudata(L, 1, device_type), text, sizeof text));
    return 1;
}

static const char *device_kind(Device d)
{
    return d.type == DEVICE_CPU ? "cpu" : "opencl";
}

static int device_repr(lua_State *L)
{
    Device d = *(const Device *)luaL_checkudata(L, 1, device_type);
    if (d.type == DEVICE_CPU)
        lua_pushliteral(L, "device(type='cpu')");
    else
        lua_pushfstring(L, "device(type='%s', index=%d)", device_kind(d), d.index);
    return 1;
}

static int device_eq(lua_State *L)
{
    const Device *a = luaL_testudata(L, 1, device_type), *b = luaL_testudata(L, 2, device_type);
    lua_pushboolean(L, a && b && a->type == b->type && a->index == b->index);
    return 1;
}

static int device_index(lua_State *L)
{
    Device d = *(const Device *)luaL_checkudata(L, 1, device_type);
    const char *key = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
    if (strcmp(key, "type") == 0)
        lua_pushstring(L, device_kind(d));
    else if (strcmp(key, "index") == 0 && d.type == DEVICE_CPU)
        lua_pushnil(L);
    else if (strcmp(key, "index") == 0)
        lua_pushinteger(L, d.index);
    else
        return raise_error(L, "AttributeError", "'torch.device' object has no attribute '%s'", key);
    return 1;
}

static const luaL_Reg device_meta[] = {{"__tostring", device_tostring},
                                       {"__repr", device_repr},
                                       {"__eq", device_eq},
                                       {"__index", device_index},
                                       {NULL, NULL}};

/* ---- slices, Ellipsis, newaxis ---- */

const Slice *to_slice(lua_State *L, int i)
{
    return luaL_testudata(L, i, slice_type);
}
bool is_ellipsis(lua_State *L, int i)
{
    return luaL_testudata(L, i, ellipsis_type) != NULL;
}
bool is_newaxis(lua_State *L, int i)
{
    return luaL_testudata(L, i, newaxis_type) != NULL;
}

static int slice_new(lua_State *L)
{
    Slice s = {.present = 0};
    for (int k = 0; k < 3; k++) {
        if (lua_isnoneornil(L, k + 1))
            continue;
        Tensor *t = to_tensor(L, k + 1);
        int whole = 0;
        s.v[k] = lua_type(L, k + 1) == LUA_TNUMBER ? lua_tointegerx(L, k + 1, &whole) : 0;
        if (t && t->numel == 1 && !dtype_is_float((DType)t->dtype))
            whole = tensor_item_int(t, &s.v[k]);
        if (!whole)
            return raise_error(L, "TypeError",
                               "slice indices must be integers or None or have an __index__ method");
        s.present |= (uint8_t)(1 << k);
    }
    *(Slice *)lua_newuserdatauv(L, sizeof(Slice), 0) = s;
    luaL_setmetatable(L, slice_type);
    return 1;
}

static int slice_tostring(lua_State *L)
{
    const Slice *s = luaL_checkudata(L, 1, slice_type);
    luaL_Buffer b;
    luaL_buffinit(L, &b);
    luaL_addstring(&b, "torch.s(");
    for (int k = 0; k < 3; k++) {
        char text[32];
        if (s->present >> k == 0)
            break;
        if (k)
            luaL_addstring(&b, ", ");
        snprintf(text, sizeof text, "%lld", (long long)s->v[k]);
        luaL_addstring(&b, s->present & 1 << k ? text : "nil");
    }
    luaL_addstring(&b, ")");
    luaL_pushresult(&b);
    return 1;
}

static int ellipsis_tostring(lua_State *L)
{
    lua_pushliteral(L, "Ellipsis");
    return 1;
}

static int newaxis_tostring(lua_State *L)
{
    lua_pushliteral(L, "None");
    return 1;
}

static const luaL_Reg slice_meta[] = {{"__tostring", slice_tostring}, {NULL, NULL}};
static const luaL_Reg ellipsis_meta[] = {{"__tostring", ellipsis_tostring}, {NULL, NULL}};
static const luaL_Reg newaxis_meta[] = {{"__tostring", newaxis_tostring}, {NULL, NULL}};

static void new_singleton(lua_State *L, int torch, const char *type, const luaL_Reg *meta, const char *name)
{
    new_type(L, type, meta);
    lua_newuserdatauv(L, 0, 0);
    lua_pushvalue(L, -2);
    lua_setmetatable(L, -2);
    lua_setfield(L, torch, name);
    lua_pop(L, 1);
}

/* ---- layouts and memory formats: constants that calls may pass on ---- */

static int constant_tostring(lua_State *L)
{
    lua_getiuservalue(L, 1, 1);
    return 1;
}

static const luaL_Reg constant_meta[] = {{"__tostring", constant_tostring}, {NULL, NULL}};

/* torch.NAME as an object of its own that prints as that. */
static void add_constant(lua_State *L, int torch, const char *type, const char *name)
{
    lua_newuserdatauv(L, 0, 1);
    lua_pushfstring(L, "torch.%s", name);
    lua_setiuservalue(L, -2, 1);
    luaL_setmetatable(L, type);
    lua_setfield(L, torch, name);
}

static void open_constants(lua_State *L, int torch)
{
    new_type(L, layout_type, constant_meta);
    new_type(L, format_type, constant_meta);
    lua_pop(L, 2);
    add_constant(L, torch, layout_type, "strided");
    add_constant(L, torch, format_type, "contiguous_format");
    add_constant(L, torch, format_type, "preserve_format");
    lua_getfield(L, torch, "strided");
    lua_rawsetp(L, LUA_REGISTRYINDEX, &layout_key);
}

void push_layout(lua_State *L)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &layout_key);
}

static const luaL_Reg functions[] = {{"promote_types", promote_types},
                                     {"can_cast", can_cast},
                                     {"result_type", result_type},
                                     {"get_default_dtype", get_default_dtype},
                                     {"set_default_dtype", lua_set_default_dtype},
                                     {"finfo", finfo},
                                     {"iinfo", iinfo},
                                     {"device", device_new},
                                     {"s", slice_new},
                                     {NULL, NULL}};

void open_types(lua_State *L, const Library *lib)
{
    open_dtypes(L, lib->torch);
    open_size(L, lib->torch);
    new_type(L, device_type, device_meta);
    new_type(L, slice_type, slice_meta);
    lua_pop(L, 2);
    new_singleton(L, lib->torch, ellipsis_type, ellipsis_meta, "Ellipsis");
    new_singleton(L, lib->torch, newaxis_type, newaxis_meta, "newaxis");
    open_constants(L, lib->torch);
    add_functions(L, lib->torch, functions);
}
