/* args.c - reading the arguments of a function called from Lua. */
#include "lang/args.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- names ---- */

static const struct {
    const char *name_of, *param, *name;
} renamed[] = {{"pow", "b", "exponent"},
               {"float_power", "b", "exponent"},
               {"clamp_min", "b", "min"},
               {"clamp_max", "b", "max"},
               {"lerp", "b", "end"},
               {"lerp", "c", "weight"},
               {"where", "a", "condition"},
               {"where", "b", "input"},
               {"where", "c", "other"},
               {"threshold", "b", "threshold"},
               {"threshold", "c", "value"},
               {"heaviside", "b", "values"},
               {"leaky_relu", "b", "negative_slope"},
               {"hardshrink", "b", "lambd"},
               {"softshrink", "b", "lambd"},
               {"polygamma", "a", "n"},
               {"polygamma", "b", "input"},
               {"clamp", "b", "min"},
               {"clamp", "c", "max"}};

/* Whether function is name, or its form in place. */
static bool is_function(const char *function, const char *name)
{
    size_t n = strlen(name);
    return strncmp(function, name, n) == 0 && (function[n] == '\0' || strcmp(function + n, "_") == 0);
}

const char *param_name(const char *function, const ParamInfo *p)
{
    if (p->name[1] != '\0')
        return p->name;
    for (size_t i = 0; i < sizeof renamed / sizeof *renamed; i++)
        if (is_function(function, renamed[i].name_of) && strcmp(renamed[i].param, p->name) == 0)
            return renamed[i].name;
    switch (p->name[0]) {
    case 'x':
    case 'a': return "input";
    case 'b': return "other";
    default: return p->name;
    }
}

/* NumPy's word for an option, which PyTorch takes too; NULL if it has none. */
static const char *numpy_name(const char *name)
{
    return strcmp(name, "dim") == 0 ? "axis" : strcmp(name, "keepdim") == 0 ? "keepdims" : NULL;
}

static const char *kind_word(char kind)
{
    switch (kind) {
    case 'I': return "int";
    case 'F': return "Number";
    case 'B': return "bool";
    case 'D': return "tuple of ints";
    case 'L': return "tuple of Tensors";
    case 'Y': return "torch.dtype";
    case 'V': return "torch.device";
    case 'G': return "torch.Generator";
    case 'S': return "str";
    default: return "Tensor";
    }
}

/* ---- errors ---- */

int arg_error(Args *a, const char *name, int position, const char *what, int i)
{
    const char *got = type_word(a->L, i);
    if (position > 0)
        raise_error(a->L, "TypeError", "%s(): argument '%s' (position %d) must be %s, not %s", a->function,
                    name, position, what, got);
    raise_error(a->L, "TypeError", "%s(): argument '%s' must be %s, not %s", a->function, name, what, got);
}

static bool called_with_colon(lua_State *L)
{
    lua_Debug ar;
    return lua_getstack(L, 0, &ar) && lua_getinfo(L, "n", &ar) && strcmp(ar.namewhat, "method") == 0;
}

static void missing_error(Args *a, const ParamInfo *params, int first, int n)
{
    luaL_Buffer b;
    int count = 0;
    luaL_buffinit(a->L, &b);
    for (int i = first; i < n; i++) {
        if (params[i].fallback || params[i].kind == 'O')
            continue;
        const char *name = param_name(a->function, &params[i]);
        if (a->options) {
            lua_pushstring(a->L, name);
            bool given = lua_rawget(a->L, a->options) != LUA_TNIL;
            lua_pop(a->L, 1);
            if (given)
                continue;
        }
        luaL_addstring(&b, count++ ? ", \"" : "\"");
        luaL_addstring(&b, name);
        luaL_addstring(&b, "\"");
    }
    luaL_pushresult(&b);
    /* t.add(x) instead of t:add(x) takes x for the tensor itself */
    const char *hint = a->method && !called_with_colon(a->L)
                           ? lua_pushfstring(a->L, " (a method is called with a colon: t:%s(…))", a->function)
                           : lua_pushliteral(a->L, "");
    raise_error(a->L, "TypeError", "%s() missing %d required positional arguments: %s%s", a->function, count,
                lua_tostring(a->L, -2), hint);
}

static void too_many_error(Args *a, int positional)
{
    int most = positional - a->method, given = a->count - a->method;
    raise_error(a->L, "TypeError", "%s() takes %d positional argument%s but %d %s given", a->function, most,
                most == 1 ? "" : "s", given, given == 1 ? "was" : "were");
}

static bool in_list(const char *list, const char *word)
{
    size_t n = strlen(word);
    for (const char *p = list; p && *p; p = strchr(p, ',') ? strchr(p, ',') + 1 : NULL)
        if (strncmp(p, word, n) == 0 && (p[n] == ',' || p[n] == '\0'))
            return true;
    return false;
}

static void unexpected_error(Args *a, const char *key, const ParamInfo *params, int n, const char *extra)
{
    Nearest near;
    char word[64];
    nearest_start(&near, key);
    for (int i = a->method; i < n; i++)
        nearest_try(&near, param_name(a->function, &params[i]));
    for (const char *p = extra; p && *p; p = strchr(p, ',') ? strchr(p, ',') + 1 : NULL) {
        size_t length = strcspn(p, ",");
        if (length >= sizeof word)
            continue;
        memcpy(word, p, length);
        word[length] = '\0';
        const char *kept = near.best;
        nearest_try(&near, word);
        if (near.best == word)
            near.best = lua_pushstring(a->L, word);
        else
            near.best = kept;
    }
    if (near.best)
        raise_error(a->L, "TypeError", "%s() got an unexpected keyword argument '%s'. Did you mean '%s'?",
                    a->function, key, near.best);
    raise_error(a->L, "TypeError", "%s() got an unexpected keyword argument '%s'", a->function, key);
}

static void check_option_names(Args *a, const ParamInfo *params, int n, int positional, const char *extra)
{
    lua_State *L = a->L;
    for (lua_pushnil(L); lua_next(L, a->options); lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING)
            raise_error(L, "TypeError", "%s(): an options table has string keys only", a->function);
        const char *key = lua_tostring(L, -2);
        bool known = in_list(extra, key);
        for (int i = 0; i < n && !known; i++) {
            const char *name = param_name(a->function, &params[i]), *numpy = numpy_name(name);
            if (strcmp(key, name) != 0 && !(numpy && strcmp(key, numpy) == 0))
                continue;
            known = true;
            if (i < positional && i < a->count && !lua_isnil(L, i + 1))
                raise_error(L, "TypeError", "%s() got multiple values for argument '%s'", a->function, key);
        }
        if (!known)
            unexpected_error(a, key, params, n, extra);
    }
}

/* ---- single values ---- */

bool int_value(lua_State *L, int i, int64_t *out)
{
    int whole;
    if (lua_type(L, i) == LUA_TNUMBER) {
        *out = lua_tointegerx(L, i, &whole);
        return whole != 0;
    }
    Tensor *t = to_tensor(L, i);
    if (!t || t->numel != 1 || !dtype_is_int((DType)t->dtype))
        return false;
    if (!tensor_item_int(t, out))
        raise_pending(L);
    return true;
}

bool number_value(lua_State *L, int i, double *out)
{
    Tensor *t = to_tensor(L, i);
    if (lua_type(L, i) == LUA_TNUMBER)
        *out = lua_tonumber(L, i);
    else if (!t || t->numel != 1)
        return false;
    else if (!tensor_item_double(t, out))
        raise_pending(L);
    return true;
}

int64_t arg_int(Args *a, int i, const char *name, int position)
{
    int64_t v;
    if (!int_value(a->L, i, &v))
        arg_error(a, name, position, "int", i);
    return v;
}

bool arg_bool(Args *a, int i, const char *name, int position)
{
    if (!lua_isboolean(a->L, i))
        arg_error(a, name, position, "bool", i);
    return lua_toboolean(a->L, i);
}

Tensor *to_number(lua_State *L, int i)
{
    Tensor *t;
    switch (lua_type(L, i)) {
    case LUA_TNUMBER:
        t = lua_isinteger(L, i) ? tensor_integer(lua_tointeger(L, i)) : tensor_number(lua_tonumber(L, i));
        break;
    case LUA_TBOOLEAN: t = tensor_boolean(lua_toboolean(L, i)); break;
    default: return NULL;
    }
    if (!t)
        raise_pending(L);
    return t;
}

Tensor *arg_tensor(Args *a, int i, const char *name, int position)
{
    Tensor *t = to_tensor(a->L, i);
    if (!t && a->numbers)
        t = to_number(a->L, i);
    if (!t)
        arg_error(a, name, position, "Tensor", i);
    return t;
}

/* ---- lists ---- */

static Dims *new_dims(Args *a)
{
    if (a->ndims == ARGS_MAXDIMS)
        raise_error(a->L, "RuntimeError", "%s(): too many lists of sizes", a->function);
    Dims *d = &a->dims[a->ndims++];
    d->n = 0;
    return d;
}

static void add_dim(Args *a, Dims *d, int64_t v)
{
    if (d->n == TIDE_MAXDIM)
        raise_error(a->L, "RuntimeError", "%s(): at most %d dims are supported", a->function, TIDE_MAXDIM);
    d->v[d->n++] = v;
}

/* One table, torch.Size or number at stack index i. */
const Dims *arg_dims(Args *a, int i, const char *name, int position)
{
    lua_State *L = a->L;
    const Dims *size = to_size(L, i);
    if (size)
        return size; /* the argument keeps it alive */
    Dims *d = new_dims(a);
    int64_t v;
    if (lua_type(L, i) != LUA_TTABLE) {
        if (!int_value(L, i, &v))
            arg_error(a, name, position, "tuple of ints", i);
        add_dim(a, d, v);
        return d;
    }
    lua_Integer n = (lua_Integer)lua_rawlen(L, i);
    for (lua_Integer k = 1; k <= n; k++) {
        lua_rawgeti(L, i, k);
        if (!int_value(L, -1, &v))
            raise_error(L, "TypeError",
                        "%s(): argument '%s' must be tuple of ints, but found element of type %s at pos %d",
                        a->function, name, type_word(L, -1), (int)k - 1);
        add_dim(a, d, v);
        lua_pop(L, 1);
    }
    return d;
}

/* Several numbers by position, from stack index i up to the last positional argument. */
static const Dims *read_loose_dims(Args *a, int i, const char *name)
{
    Dims *d = new_dims(a);
    for (int k = i; k <= a->count; k++) {
        int64_t v;
        if (!int_value(a->L, k, &v))
            arg_error(a, name, k - a->method, "int", k);
        add_dim(a, d, v);
    }
    return d;
}

static const TensorList *read_list(Args *a, int i, const char *name, int position)
{
    lua_State *L = a->L;
    if (lua_type(L, i) != LUA_TTABLE || luaL_getmetafield(L, i, "__index") != LUA_TNIL)
        arg_error(a, name, position, "tuple of Tensors", i);
    lua_Integer n = (lua_Integer)lua_rawlen(L, i);
    Tensor **v = lua_newuserdatauv(L, (size_t)(n ? n : 1) * sizeof *v, 0);
    for (lua_Integer k = 0; k < n; k++) {
        lua_rawgeti(L, i, k + 1);
        v[k] = to_tensor(L, -1);
        bool missing = lua_isboolean(L, -1) && !lua_toboolean(L, -1); /* a table cannot hold nil */
        if (!v[k])
            raise_error(L, "TypeError", "expected Tensor as element %d in argument %d, but got %s", (int)k,
                        position ? position - 1 : 0, missing ? "NoneType" : type_word(L, -1));
        lua_pop(L, 1);
    }
    a->list = (TensorList){(int)n, v};
    return &a->list;
}

/* ---- whole lists of parameters ---- */

static void set_fallback(const ParamInfo *p, Arg *out)
{
    const char *text = p->fallback;
    *out = (Arg){0};
    switch (p->kind) {
    case 'I': out->i = strcmp(text, "INT64_MAX") == 0 ? INT64_MAX : strtoll(text, NULL, 0); break;
    case 'F': out->f = strtod(text, NULL); break;
    case 'B': out->b = strcmp(text, "true") == 0; break;
    case 'Y': out->dtype = DT_NONE; break;
    case 'V': out->i = -1; break;
    default: break;
    }
}

static void read_value(Args *a, const ParamInfo *p, int i, int position, Arg *out)
{
    lua_State *L = a->L;
    const char *name = param_name(a->function, p);
    *out = (Arg){0};
    switch (p->kind) {
    case 'T':
    case 'N':
    case 'O':
        out->t = to_tensor(L, i);
        if (!out->t && (a->numbers || strcmp(p->name, "value") == 0))
            out->t = to_number(L, i);
        if (!out->t)
            arg_error(a, name, position, "Tensor", i);
        break;
    case 'I': out->i = arg_int(a, i, name, position); break;
    case 'F':
        if (lua_isboolean(L, i)) /* Python's are numbers */
            out->f = lua_toboolean(L, i);
        else if (!number_value(L, i, &out->f))
            arg_error(a, name, position, "Number", i);
        break;
    case 'B': out->b = arg_bool(a, i, name, position); break;
    case 'D': out->dims = arg_dims(a, i, name, position); break;
    case 'L': out->list = read_list(a, i, name, position); break;
    case 'Y':
        if (!to_dtype(L, i, &out->dtype))
            arg_error(a, name, position, "torch.dtype", i);
        break;
    case 'V': {
        Device d;
        if (!to_device(L, i, &d))
            arg_error(a, name, position, "torch.device", i);
        out->i = d.type * 256 + d.index;
        break;
    }
    case 'G':
    case 'S':
        if (p->kind == 'G' ? to_generator(L, i) == NULL : lua_type(L, i) != LUA_TSTRING)
            arg_error(a, name, position, kind_word(p->kind), i);
        out->i = lua_absindex(L, i);
        break;
    default: out->i = lua_absindex(L, i); break;
    }
}

void args_begin(Args *a, lua_State *L, const char *function, bool method)
{
    a->L = L;
    a->function = function;
    a->method = method;
    a->numbers = false;
    a->count = lua_gettop(L);
    a->options = 0;
    a->ndims = 0;
    int last = a->count;
    if (last == 0 || lua_type(L, last) != LUA_TTABLE || lua_rawlen(L, last) != 0)
        return;
    if (lua_getmetatable(L, last)) {
        lua_pop(L, 1);
        return;
    }
    lua_pushnil(L);
    if (!lua_next(L, last))
        return;
    if (lua_type(L, -2) == LUA_TSTRING) {
        a->options = last;
        a->count--;
    }
    lua_pop(L, 2);
}

int args_option(Args *a, const char *name)
{
    if (!a->options)
        return 0;
    lua_pushstring(a->L, name);
    if (lua_rawget(a->L, a->options) != LUA_TNIL)
        return lua_gettop(a->L);
    lua_pop(a->L, 1);
    return 0;
}

static void check_self(Args *a)
{
    if (a->method && !to_tensor(a->L, 1))
        raise_error(a->L, "TypeError",
                    "%s(): argument 'self' must be Tensor, not %s (a method is called with a colon: t:%s(…))",
                    a->function, type_word(a->L, 1), a->function);
}

void args_read(Args *a, const ParamInfo *params, int n, int positional, const char *extra, Arg *out)
{
    lua_State *L = a->L;
    check_self(a);
    luaL_checkstack(L, n + 4, NULL);
    if (a->options)
        check_option_names(a, params, n, positional, extra);
    bool loose = positional > 0 && params[positional - 1].kind == 'D' && a->count > positional &&
                 lua_type(L, positional) != LUA_TTABLE && !to_size(L, positional);
    if (a->count > positional && !loose) {
        while (a->count > positional && lua_isnil(L, a->count))
            a->count--;
        if (a->count > positional)
            too_many_error(a, positional);
    }
    for (int i = 0; i < n; i++) {
        const ParamInfo *p = &params[i];
        int at = i < positional && i < a->count ? i + 1 : 0, position = at ? at - a->method : 0;
        if (loose && i == positional - 1) {
            out[i].dims = read_loose_dims(a, at, param_name(a->function, p));
            continue;
        }
        const char *name = param_name(a->function, p), *numpy = at ? NULL : numpy_name(name);
        if (!at)
            at = args_option(a, name);
        if (!at && numpy)
            at = args_option(a, numpy);
        bool absent = at == 0 || lua_isnil(L, at);
        if (absent && at == 0 && !p->fallback && p->kind != 'O')
            missing_error(a, params, i, n);
        if (absent && (p->fallback || p->kind == 'O' || p->kind == 'A')) {
            if (p->fallback)
                set_fallback(p, &out[i]);
            else
                out[i] = (Arg){0};
            continue;
        }
        read_value(a, p, at, position, &out[i]);
    }
}

void args_take(Args *a, lua_State *L, const char *function, bool method, const ParamInfo *params, int n,
               const char *extra, Arg *out)
{
    args_begin(a, L, function, method);
    args_read(a, params, n, n, extra, out);
}

Tensor *self_tensor(lua_State *L, const char *function)
{
    Tensor *t = to_tensor(L, 1);
    if (!t)
        raise_error(L, "TypeError",
                    "%s(): argument 'self' must be Tensor, not %s (a method is called with a colon: t:%s(…))",
                    function, type_word(L, 1), function);
    return t;
}
