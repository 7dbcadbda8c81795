/* lmemory.c - a tensor's memory seen in another way: view(dtype), resize_, strided creation. */
#include "lang/create.h"
#include "lang/ops_call.h"

#include <string.h>

/* ---- view: another shape, or another dtype ---- */

static int view(lua_State *L)
{
    static const ParamInfo params[] = {REQUIRED('T', "self"), REQUIRED('Y', "dtype")};
    Args a;
    Arg v[2];
    DType d;
    args_begin(&a, L, "view", true);
    if (!(a.count == 2 && to_dtype(L, 2, &d)) && !args_option(&a, "dtype"))
        return call_op(L, OP_view, "view", true);
    args_read(&a, params, 2, 2, NULL, v);
    return give(L, op_apply(OP_view_dtype, v));
}

/* ---- resize_ ---- */

static Dims dense_strides(const Dims *shape)
{
    Dims stride = {.n = shape->n};
    int64_t step = 1;
    for (int i = shape->n - 1; i >= 0; i--) {
        stride.v[i] = step;
        step *= shape->v[i] > 1 ? shape->v[i] : 1;
    }
    return stride;
}

/* How many elements shape has; false and PyTorch's error when sizes are negative or the number too large. */
static bool count_elements(const Dims *shape, int64_t *n)
{
    *n = 1;
    for (int i = 0; i < shape->n; i++)
        if (shape->v[i] < 0 || __builtin_mul_overflow(*n, shape->v[i], n)) {
            tide_fail("RuntimeError", "numel: integer multiplication overflow");
            return false;
        }
    return true;
}

/* A tensor of `length` elements that begins with those of t's storage. */
static Tensor *grown(Tensor *t, int64_t length)
{
    int64_t held = (int64_t)(t->storage->bytes / dtype_size((DType)t->dtype));
    Tensor *room = tensor_empty(DIMS(length), (DType)t->dtype, t->device);
    Tensor *old = tensor_alias(t, DIMS(held), DIMS(1), 0);
    Tensor *start = room && old ? tensor_alias(room, DIMS(held), DIMS(1), 0) : NULL;
    return start && tensor_copy_(start, old) ? room : NULL;
}

static Tensor *resized(Tensor *t, const Dims *shape)
{
    int64_t n, held = (int64_t)(t->storage->bytes / dtype_size((DType)t->dtype));
    Dims stride = dense_strides(shape);
    if (!count_elements(shape, &n)) return NULL;
    Tensor *from = n > held - t->offset ? grown(t, t->offset + n) : t;
    Tensor *y = from ? tensor_alias(from, shape, &stride, t->offset) : NULL;
    return y ? tensor_set_(t, y) : NULL;
}

static int resize_(lua_State *L)
{
    static const ParamInfo params[] = {REQUIRED('T', "self"), REQUIRED('D', "size")};
    Args a;
    Arg v[2];
    args_take(&a, L, "resize_", true, params, 2, "memory_format", v);
    if (v[0].t->requires_grad)
        return raise_error(L, "RuntimeError", "cannot resize variables that require grad");
    return give_self(L, resized(v[0].t, v[1].dims) != NULL);
}

static int resize_as_(lua_State *L)
{
    static const ParamInfo params[] = {REQUIRED('T', "input"), REQUIRED('T', "the_template")};
    Args a;
    Arg v[2];
    args_take(&a, L, "resize_as_", lua_toboolean(L, lua_upvalueindex(1)), params, 2, "memory_format", v);
    if (v[0].t->requires_grad)
        return raise_error(L, "RuntimeError", "cannot resize variables that require grad");
    Dims shape = tensor_dims(v[1].t);
    return give_self(L, resized(v[0].t, &shape) != NULL);
}

static int is_set_to(lua_State *L)
{
    static const ParamInfo params[] = {REQUIRED('T', "self"), REQUIRED('T', "tensor")};
    Args a;
    Arg v[2];
    args_take(&a, L, "is_set_to", true, params, 2, NULL, v);
    const Tensor *x = v[0].t, *y = v[1].t;
    bool same = tensor_shares_memory(x, y) && x->offset == y->offset && tensor_same_shape(x, y);
    for (int i = 0; same && i < x->ndim; i++) same = x->stride[i] == y->stride[i];
    lua_pushboolean(L, same);
    return 1;
}

/* ---- tensors of given strides ---- */

static Tensor *strided(const Dims *size, const Dims *stride, DType dtype, Device device)
{
    int64_t n, last = 0;
    if (size->n != stride->n)
        return tide_fail("RuntimeError",
                         "dimensionality of sizes (%d) must match dimensionality of strides (%d)", size->n,
                         stride->n);
    if (!count_elements(size, &n)) return NULL;
    for (int i = 0; n > 0 && i < size->n; i++) {
        int64_t reach;
        if (stride->v[i] < 0) return tide_fail("RuntimeError", "negative strides are not supported");
        if (__builtin_mul_overflow(size->v[i] - 1, stride->v[i], &reach) ||
            __builtin_add_overflow(last, reach, &last))
            return tide_fail("RuntimeError", "numel: integer multiplication overflow");
    }
    Tensor *memory = tensor_zeros(DIMS(n > 0 ? last + 1 : 0), dtype, device);
    return memory ? tensor_alias(memory, size, stride, 0) : NULL;
}

static int empty_strided(lua_State *L)
{
    static const ParamInfo params[] = {REQUIRED('D', "size"), REQUIRED('D', "stride"), PLACEMENT_PARAMS};
    Args a;
    Arg v[COUNT(params)];
    args_begin(&a, L, "empty_strided", false);
    args_read(&a, params, COUNT(params), 2, "layout,pin_memory", v);
    Placement p = placement_read(v + 2);
    DType dtype = p.dtype == DT_NONE ? default_dtype() : p.dtype;
    return placement_give(L, strided(v[0].dims, v[1].dims, dtype, p.device), &p);
}

static int new_empty_strided(lua_State *L)
{
    static const ParamInfo params[] = {REQUIRED('T', "self"), REQUIRED('D', "size"), REQUIRED('D', "stride"),
                                       PLACEMENT_PARAMS};
    Args a;
    Arg v[COUNT(params)];
    args_begin(&a, L, "new_empty_strided", true);
    args_read(&a, params, COUNT(params), 3, "layout,pin_memory", v);
    Placement p = placement_read(v + 3);
    DType dtype = p.dtype == DT_NONE ? (DType)v[0].t->dtype : p.dtype;
    return placement_give(L, strided(v[1].dims, v[2].dims, dtype, v[4].i < 0 ? v[0].t->device : p.device),
                          &p);
}

/* ---- frombuffer ---- */

/* frombuffer("bytes", {dtype=…, count=-1, offset=0}): the elements that a string's bytes are, copied. */
static int frombuffer(lua_State *L)
{
    static const ParamInfo params[] = {REQUIRED('S', "buffer"), REQUIRED('Y', "dtype"),
                                       OPTIONAL('I', "count", "-1"), OPTIONAL('I', "offset", "0"),
                                       OPTIONAL('B', "requires_grad", "false")};
    Args a;
    Arg v[COUNT(params)];
    args_begin(&a, L, "frombuffer", false);
    args_read(&a, params, COUNT(params), 1, NULL, v);
    size_t bytes;
    const char *data = lua_tolstring(L, (int)v[0].i, &bytes);
    int64_t length = (int64_t)bytes, size = (int64_t)dtype_size(v[1].dtype), n = v[2].i, offset = v[3].i;
    if (length == 0 || n == 0)
        return raise_error(L, "ValueError", "both buffer length (%lld) and count (%lld) must not be 0",
                           (long long)length, (long long)n);
    if (offset < 0 || offset >= length)
        return raise_error(L, "ValueError",
                           "offset (%lld bytes) must be non-negative and no greater than buffer length (%lld "
                           "bytes) minus 1",
                           (long long)offset, (long long)length);
    if (n < 0 && (length - offset) % size != 0)
        return raise_error(
            L, "ValueError",
            "buffer length (%lld bytes) after offset (%lld bytes) must be a multiple of element "
            "size (%lld)",
            (long long)length, (long long)offset, (long long)size);
    if (n < 0) n = (length - offset) / size;
    if (n > (length - offset) / size)
        return raise_error(
            L, "ValueError",
            "requested buffer length (%lld * %lld bytes) after offset (%lld bytes) must not be "
            "greater than actual buffer length (%lld bytes)",
            (long long)n, (long long)size, (long long)offset, (long long)length);
    Placement p = {v[1].dtype, {DEVICE_CPU, 0}, v[4].b};
    Tensor *t = tensor_empty(DIMS(n), p.dtype, p.device);
    if (t) memcpy(tensor_data(t), data + offset, (size_t)(n * size));
    return placement_give(L, t, &p);
}

/* ---- registration ---- */

void open_memory(lua_State *L, const Library *lib)
{
    static const luaL_Reg functions[] = {
        {"empty_strided", empty_strided}, {"frombuffer", frombuffer}, {NULL, NULL}};
    static const luaL_Reg methods[] = {{"view", view},
                                       {"resize_", resize_},
                                       {"is_set_to", is_set_to},
                                       {"new_empty_strided", new_empty_strided},
                                       {NULL, NULL}};
    add_functions(L, lib->torch, functions);
    add_functions(L, lib->methods, methods);
    for (int method = 0; method <= 1; method++) {
        lua_pushboolean(L, method);
        lua_pushcclosure(L, resize_as_, 1);
        lua_setfield(L, method ? lib->methods : lib->torch, "resize_as_");
    }
}
