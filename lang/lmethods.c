/* lmethods.c - methods that are no rows of the op table: sizes, conversions, copies, splitting, equality. */
#include "lang/args.h"
#include "lang/attributes.h"
#include "lang/ops_call.h"

#include <string.h>

/* Every function here is a closure: upvalue 1 tells whether it was registered as a method. */
static bool is_method(lua_State *L)
{
    return lua_toboolean(L, lua_upvalueindex(1));
}

static Tensor *only_tensor(lua_State *L, const char *name)
{
    static const ParamInfo params[] = {REQUIRED('T', "input")};
    Args a;
    Arg v[1];
    Tensor *t = lua_gettop(L) == 1 ? to_tensor(L, 1) : NULL;
    if (t)
        return t;
    args_take(&a, L, name, is_method(L), params, 1, NULL, v);
    return v[0].t;
}

/* ---- sizes ---- */

/* The dim counted from 0; raises where there is no such dim. */
static void need_dim(lua_State *L, const Tensor *t, int64_t *dim)
{
    if (t->ndim == 0)
        raise_error(L, "IndexError", "Dimension specified as %lld but tensor has no dimensions", (long long)*dim);
    if (!wrap_dim(dim, t->ndim))
        raise_pending(L);
}

static int size(lua_State *L)
{
    static const ParamInfo params[] = {REQUIRED('T', "input"), OPTIONAL('A', "dim", "NULL")};
    Args a;
    Arg v[2];
    args_take(&a, L, "size", is_method(L), params, 2, NULL, v);
    if (!v[1].i) {
        Dims d = tensor_dims(v[0].t);
        push_size(L, &d);
        return 1;
    }
    int64_t dim = arg_int(&a, (int)v[1].i, "dim", 1);
    need_dim(L, v[0].t, &dim);
    lua_pushinteger(L, v[0].t->shape[dim]);
    return 1;
}

static int stride(lua_State *L)
{
    static const ParamInfo params[] = {REQUIRED('T', "self"), OPTIONAL('A', "dim", "NULL")};
    Args a;
    Arg v[2];
    args_take(&a, L, "stride", is_method(L), params, 2, NULL, v);
    Tensor *t = v[0].t;
    if (v[1].i) {
        int64_t dim = arg_int(&a, (int)v[1].i, "dim", 1);
        need_dim(L, t, &dim);
        lua_pushinteger(L, t->stride[dim]);
        return 1;
    }
    luaL_checkstack(L, t->ndim, NULL);
    for (int i = 0; i < t->ndim; i++)
        lua_pushinteger(L, t->stride[i]);
    return t->ndim;
}

static int give_int(lua_State *L, lua_Integer v)
{
    lua_pushinteger(L, v);
    return 1;
}

static int give_bool(lua_State *L, bool v)
{
    lua_pushboolean(L, v);
    return 1;
}

static int dim(lua_State *L)
{
    return give_int(L, only_tensor(L, "dim")->ndim);
}
static int numel(lua_State *L)
{
    return give_int(L, only_tensor(L, "numel")->numel);
}
static int element_size(lua_State *L)
{
    return give_int(L, (lua_Integer)dtype_size((DType)only_tensor(L, "element_size")->dtype));
}
static int storage_offset(lua_State *L)
{
    return give_int(L, only_tensor(L, "storage_offset")->offset);
}
static int is_contiguous(lua_State *L)
{
    static const ParamInfo params[] = {REQUIRED('T', "self")};
    Args a;
    Arg v[1];
    args_take(&a, L, "is_contiguous", true, params, 1, "memory_format", v);
    return give_bool(L, v[0].t->contiguous);
}
static int is_floating_point(lua_State *L)
{
    return give_bool(L, dtype_is_float((DType)only_tensor(L, "is_floating_point")->dtype));
}
/* There are no complex dtypes. */
static int is_complex(lua_State *L)
{
    only_tensor(L, "is_complex");
    return give_bool(L, false);
}

static int is_signed(lua_State *L)
{
    Tensor *t = only_tensor(L, "is_signed");
    return give_bool(L, t->dtype != DT_BOOL && t->dtype != DT_U8);
}

static int data_ptr(lua_State *L)
{
    Tensor *t = only_tensor(L, "data_ptr");
    return give_int(L, t->device.type == DEVICE_CPU ? (lua_Integer)(intptr_t)tensor_data(t)
                                                    : (lua_Integer)(intptr_t)t->storage->data);
}

static int get_device(lua_State *L)
{
    Tensor *t = only_tensor(L, "get_device");
    return give_int(L, t->device.type == DEVICE_CPU ? -1 : t->device.index);
}

static int is_tensor(lua_State *L)
{
    return give_bool(L, to_tensor(L, 1) != NULL);
}

static int is_inference(lua_State *L)
{
    return give_bool(L, only_tensor(L, "is_inference")->inference);
}

static int is_same_size(lua_State *L)
{
    static const ParamInfo params[] = {REQUIRED('T', "input"), REQUIRED('T', "other")};
    Args a;
    Arg v[2];
    args_take(&a, L, "is_same_size", is_method(L), params, 2, NULL, v);
    return give_bool(L, tensor_same_shape(v[0].t, v[1].t));
}

/* ---- conversions ---- */

static int convert(lua_State *L, Tensor *t, DType dtype, Device device, bool copy)
{
    if (!copy && dtype == (DType)t->dtype && memcmp(&device, &t->device, sizeof device) == 0) {
        lua_settop(L, 1); /* nothing changes: the same object, as in PyTorch */
        return 1;
    }
    Tensor *y = tensor_to(t, dtype, device, copy);
    if (!y && collector_retry(L))
        y = tensor_to(t, dtype, device, copy);
    return give(L, y);
}

/* Takes dtype, device or both from the value at stack index i. */
static bool target_of(lua_State *L, int i, DType *dtype, Device *device)
{
    Tensor *like = to_tensor(L, i);
    if (like) {
        *dtype = (DType)like->dtype;
        *device = like->device;
        return true;
    }
    return to_dtype(L, i, dtype) || to_device(L, i, device);
}

/* t:to(dtype), t:to(device), t:to(device, dtype), t:to(other), with copy= */
static int to(lua_State *L)
{
    Args a;
    args_begin(&a, L, "to", true);
    Tensor *t = to_tensor(L, 1);
    if (!t)
        return raise_error(
            L, "TypeError",
            "to(): argument 'self' must be Tensor, not %s (a method is called with a colon: t:to(…))",
            type_word(L, 1));
    DType dtype = (DType)t->dtype;
    Device device = t->device;
    bool copy = false;
    for (int i = 2; i <= a.count; i++) {
        if (lua_isnil(L, i))
            continue;
        if (i > 2 && lua_isboolean(L, i)) {
            copy |= i == a.count && i > 3 && lua_toboolean(L, i);
            continue;
        }
        if (!target_of(L, i, &dtype, &device))
            return raise_error(L, "TypeError", "to() received an invalid combination of arguments - got (%s)",
                               type_word(L, i));
    }
    static const ParamInfo known[] = {REQUIRED('T', "self"),
                                      OPTIONAL('Y', "dtype", "NULL"),
                                      OPTIONAL('V', "device", "NULL"),
                                      OPTIONAL('A', "other", "NULL"),
                                      OPTIONAL('B', "non_blocking", "false"),
                                      OPTIONAL('B', "copy", "false"),
                                      OPTIONAL('A', "memory_format", "NULL")};
    Arg v[COUNT(known)];
    a.count = 1;
    args_read(&a, known, COUNT(known), 1, NULL, v);
    if (v[3].i)
        target_of(L, (int)v[3].i, &dtype, &device);
    if (v[1].dtype != DT_NONE)
        dtype = v[1].dtype;
    if (v[2].i >= 0)
        device = (Device){(uint8_t)(v[2].i >> 8), (uint8_t)v[2].i};
    return convert(L, t, dtype, device, copy || v[5].b);
}

/* t:float(), t:long(), …; upvalue 2: the dtype */
static int to_fixed_dtype(lua_State *L)
{
    static const ParamInfo params[] = {REQUIRED('T', "self")};
    DType d = (DType)lua_tointeger(L, lua_upvalueindex(2));
    Tensor *t = lua_gettop(L) == 1 ? to_tensor(L, 1) : NULL;
    if (!t) {
        Args a;
        Arg v[1];
        args_take(&a, L, dtype_name(d), true, params, 1, "memory_format", v);
        t = v[0].t;
    }
    return convert(L, t, d, t->device, false);
}

static int type(lua_State *L)
{
    static const ParamInfo params[] = {REQUIRED('T', "self"), OPTIONAL('A', "dtype", "NULL")};
    Args a;
    Arg v[2];
    args_take(&a, L, "type", is_method(L), params, 2, "non_blocking", v);
    DType d;
    if (!v[1].i) {
        lua_pushfstring(L, "torch.%s%sTensor", v[0].t->device.type == DEVICE_CPU ? "" : "opencl.",
                        dtype_info[v[0].t->dtype].cname);
        return 1;
    }
    const char *name = lua_type(L, (int)v[1].i) == LUA_TSTRING ? lua_tostring(L, (int)v[1].i) : "";
    for (int k = 0; k < DT_COUNT; k++) { /* "torch.LongTensor" */
        size_t n = strlen(dtype_info[k].cname);
        if (strncmp(name, "torch.", 6) == 0 && strncmp(name + 6, dtype_info[k].cname, n) == 0 &&
            strcmp(name + 6 + n, "Tensor") == 0)
            return convert(L, v[0].t, (DType)k, v[0].t->device, false);
    }
    if (lua_type(L, (int)v[1].i) == LUA_TSTRING)
        return raise_error(L, "ValueError", "invalid type: '%s'", name);
    if (!to_dtype(L, (int)v[1].i, &d))
        arg_error(&a, "dtype", 1, "torch.dtype", (int)v[1].i);
    return convert(L, v[0].t, d, v[0].t->device, false);
}

static int type_as(lua_State *L)
{
    static const ParamInfo params[] = {REQUIRED('T', "self"), REQUIRED('T', "other")};
    Args a;
    Arg v[2];
    args_take(&a, L, "type_as", is_method(L), params, 2, NULL, v);
    return convert(L, v[0].t, (DType)v[1].t->dtype, v[1].t->device, false);
}

static int cpu(lua_State *L)
{
    Tensor *t = only_tensor(L, "cpu");
    return convert(L, t, (DType)t->dtype, (Device){DEVICE_CPU, 0}, false);
}

/* t:cuda(), t:opencl(), with a device or its number */
static int to_gpu(lua_State *L)
{
    Tensor *t = to_tensor(L, 1);
    Device d;
    if (!t)
        return raise_error(L, "TypeError", "cuda() is a tensor's method: t:cuda()");
    if (lua_isinteger(L, 2))
        lua_pushfstring(L, "opencl:%d", (int)lua_tointeger(L, 2));
    else if (!lua_isnoneornil(L, 2))
        lua_pushvalue(L, 2);
    else
        lua_pushliteral(L, "opencl");
    if (!to_device(L, lua_gettop(L), &d))
        return raise_error(L, "TypeError",
                           "cuda(): argument 'device' (position 1) must be torch.device, not %s",
                           type_word(L, 2));
    return convert(L, t, (DType)t->dtype, d, false);
}

/* ---- overwriting ---- */

static int copy_(lua_State *L)
{
    static const ParamInfo params[] = {REQUIRED('T', "self"), REQUIRED('T', "other"),
                                       OPTIONAL('B', "non_blocking", "false")};
    Args a;
    Arg v[3];
    args_begin(&a, L, "copy_", true);
    a.numbers = true;
    args_read(&a, params, 3, 3, NULL, v);
    return give_self(L, tensor_copy_(v[0].t, v[1].t) != NULL);
}

static int zero_(lua_State *L)
{
    Tensor *t = only_tensor(L, "zero_");
    return give_self(L, node_named(tensor_fill_(t, tensor_integer(0)), "ZeroBackward0") != NULL);
}

static int fill_(lua_State *L)
{
    static const ParamInfo params[] = {REQUIRED('T', "self"), REQUIRED('T', "value")};
    Args a;
    Arg v[2];
    args_take(&a, L, "fill_", is_method(L), params, 2, NULL, v);
    if (v[1].t->ndim > 0)
        return raise_error(L, "RuntimeError",
                           "fill_ only supports 0-dimension value tensor but got tensor with %d dimensions.",
                           v[1].t->ndim);
    return give_self(L, tensor_fill_(v[0].t, v[1].t) != NULL);
}

static int set_(lua_State *L)
{
    static const ParamInfo params[] = {REQUIRED('T', "self"), REQUIRED('T', "source")};
    Args a;
    Arg v[2];
    args_take(&a, L, "set_", is_method(L), params, 2, NULL, v);
    return give_self(L, tensor_set_(v[0].t, v[1].t) != NULL);
}

/* ---- splitting: 1-based tables of views ---- */

/* Appends a piece to the table at index `table`. */
static void add_piece(lua_State *L, int table, int64_t k, Tensor *piece)
{
    if (!piece)
        raise_pending(L);
    push_tensor(L, piece);
    lua_rawseti(L, table, k);
}

static int finish_pieces(lua_State *L, int table)
{
    scope_close(bind_base);
    collector_tick(L);
    lua_pushvalue(L, table);
    return 1;
}

/* `given` is dim as the caller wrote it. */
static int split_sizes(lua_State *L, Tensor *t, int64_t dim, int64_t given, const Dims *sizes)
{
    int64_t sum = 0, at = 0;
    char text[512];
    for (int k = 0; k < sizes->n; k++) {
        if (sizes->v[k] < 0)
            return raise_error(
                L, "RuntimeError",
                "split_with_sizes expects split_sizes have only non-negative entries, but got split_sizes=%s",
                format_dims(text, sizeof text, sizes->n, sizes->v));
        sum += sizes->v[k];
    }
    if (sum != t->shape[dim])
        return raise_error(
            L, "RuntimeError",
            "split_with_sizes expects split_sizes to sum exactly to %lld (input tensor's size at dimension "
            "%lld), but got split_sizes=%s",
            (long long)t->shape[dim], (long long)given, format_dims(text, sizeof text, sizes->n, sizes->v));
    lua_createtable(L, sizes->n, 0);
    int table = lua_gettop(L);
    for (int k = 0; k < sizes->n; at += sizes->v[k++])
        add_piece(L, table, k + 1, node_named(op_split_piece(t, dim, at, at + sizes->v[k]), "SplitWithSizesBackward0"));
    return finish_pieces(L, table);
}

static int split_evenly(lua_State *L, Tensor *t, int64_t dim, int64_t size)
{
    int64_t length = t->shape[dim], count = length ? (length + size - 1) / size : 1;
    lua_createtable(L, count < 1 << 20 ? (int)count : 0, 0);
    int table = lua_gettop(L);
    for (int64_t k = 0; k < count; k++) {
        int64_t end = (k + 1) * size;
        add_piece(L, table, k + 1, op_split_piece(t, dim, k * size, end < length ? end : length));
    }
    return finish_pieces(L, table);
}

static int64_t split_dim(lua_State *L, const char *name, const Tensor *t, int64_t dim)
{
    if (t->ndim == 0)
        raise_error(L, "RuntimeError", "%s expects at least a 1-dimensional tensor", name);
    if (!wrap_dim(&dim, t->ndim))
        raise_pending(L);
    return dim;
}

static int split(lua_State *L)
{
    static const ParamInfo params[] = {REQUIRED('T', "tensor"), REQUIRED('A', "split_size_or_sections"),
                                       OPTIONAL('I', "dim", "0")};
    Args a;
    Arg v[3];
    args_take(&a, L, "split", is_method(L), params, 3, NULL, v);
    Tensor *t = v[0].t;
    int64_t size, dim = split_dim(L, "split", t, v[2].i);
    int at = (int)v[1].i;
    if (!at)
        return raise_error(
            L, "TypeError",
            "split(): argument 'split_size_or_sections' must be int or tuple of ints, not NoneType");
    if (lua_type(L, at) == LUA_TTABLE || to_size(L, at)) {
        return split_sizes(L, t, dim, v[2].i, arg_dims(&a, at, "split_size_or_sections", 1));
    }
    size = arg_int(&a, at, "split_size_or_sections", 1);
    if (size < 0)
        return raise_error(L, "RuntimeError",
                           "split expects split_size be non-negative, but got split_size=%lld",
                           (long long)size);
    if (size == 0 && t->shape[dim] != 0)
        return raise_error(L, "RuntimeError",
                           "split_size can only be 0 if dimension size is 0, but got dimension size of %lld",
                           (long long)t->shape[dim]);
    return split_evenly(L, t, dim, size ? size : 1);
}

static int chunk(lua_State *L)
{
    static const ParamInfo params[] = {REQUIRED('T', "input"), REQUIRED('I', "chunks"),
                                       OPTIONAL('I', "dim", "0")};
    Args a;
    Arg v[3];
    args_take(&a, L, "chunk", is_method(L), params, 3, NULL, v);
    int64_t dim = split_dim(L, "chunk", v[0].t, v[2].i), n = v[1].i;
    if (n <= 0)
        return raise_error(L, "RuntimeError", "chunk expects `chunks` to be greater than 0, got: %lld",
                           (long long)n);
    int64_t size = (v[0].t->shape[dim] + n - 1) / n;
    if (size == 0) { /* chunks of nothing: n empty ones */
        lua_createtable(L, 0, 0);
        int table = lua_gettop(L);
        for (int64_t k = 0; k < n && k < 1 << 20; k++)
            add_piece(L, table, k + 1, op_split_piece(v[0].t, dim, 0, 0));
        return finish_pieces(L, table);
    }
    return split_evenly(L, v[0].t, dim, size);
}

static int unbind(lua_State *L)
{
    static const ParamInfo params[] = {REQUIRED('T', "input"), OPTIONAL('I', "dim", "0")};
    Args a;
    Arg v[2];
    args_take(&a, L, "unbind", is_method(L), params, 2, NULL, v);
    Tensor *t = v[0].t;
    int64_t dim = v[1].i;
    need_dim(L, t, &dim);
    lua_createtable(L, t->shape[dim] < 1 << 20 ? (int)t->shape[dim] : 0, 0);
    int table = lua_gettop(L);
    for (int64_t k = 0; k < t->shape[dim]; k++)
        add_piece(L, table, k + 1, op_unbind_piece(t, dim, k));
    return finish_pieces(L, table);
}

/* Several tensors in front of the other arguments become one list, as if they had come in a table. */
static void gather_tensors(lua_State *L)
{
    int n = 0;
    while (to_tensor(L, n + 1))
        n++;
    if (n == 0)
        return;
    lua_createtable(L, n, 0);
    for (int k = 1; k <= n; k++) {
        lua_pushvalue(L, k);
        lua_rawseti(L, -2, k);
    }
    lua_replace(L, 1);
    while (n > 1)
        lua_remove(L, n--);
}

/* The dim along which meshgrid's k-th tensor varies: with indexing "xy" the first two change places. */
static int grid_dim(int k, int n, bool xy)
{
    return xy && n > 1 && k < 2 ? 1 - k : k;
}

static int push_grids(lua_State *L, const TensorList *list, bool xy)
{
    Dims shape = {.n = list->n};
    for (int k = 0; k < list->n; k++)
        shape.v[grid_dim(k, list->n, xy)] = list->v[k]->numel;
    lua_createtable(L, list->n, 0);
    int table = lua_gettop(L);
    for (int k = 0; k < list->n; k++) {
        Dims line = {.n = list->n};
        for (int d = 0; d < list->n; d++)
            line.v[d] = d == grid_dim(k, list->n, xy) ? list->v[k]->numel : 1;
        Tensor *flat = op_view(list->v[k], &line);
        add_piece(L, table, k + 1, flat ? op_expand(flat, &shape) : NULL);
    }
    return finish_pieces(L, table);
}

static int meshgrid(lua_State *L)
{
    static const ParamInfo params[] = {REQUIRED('L', "tensors"), OPTIONAL('S', "indexing", "NULL")};
    Args a;
    Arg v[2];
    gather_tensors(L);
    args_begin(&a, L, "meshgrid", false);
    args_read(&a, params, 2, 1, NULL, v);
    const TensorList *list = v[0].list;
    const char *indexing = v[1].i ? lua_tostring(L, (int)v[1].i) : "ij";
    if (list->n == 0)
        return raise_error(L, "RuntimeError", "meshgrid expects a non-empty TensorList");
    if (list->n > TIDE_MAXDIM)
        return raise_error(L, "RuntimeError", "tensors have at most %d dims, but %d were asked for",
                           TIDE_MAXDIM, list->n);
    for (int k = 0; k < list->n; k++) {
        if (list->v[k]->ndim > 1)
            return raise_error(
                L, "RuntimeError",
                "torch.meshgrid: Expected 0D or 1D tensor in the tensor list but got: one with %d dims",
                list->v[k]->ndim);
        if (list->v[k]->dtype != list->v[0]->dtype)
            return raise_error(L, "RuntimeError", "meshgrid expects all tensors to have the same dtype");
    }
    if (strcmp(indexing, "ij") != 0 && strcmp(indexing, "xy") != 0)
        return raise_error(L, "RuntimeError",
                           "torch.meshgrid: indexing must be one of \"xy\" or \"ij\", but received: %s",
                           indexing);
    return push_grids(L, list, strcmp(indexing, "xy") == 0);
}

/* ---- equality ---- */

static int give_answer(lua_State *L, Tensor *all)
{
    bool v = tensor_truth(L, all);
    scope_close(bind_base);
    return give_bool(L, v);
}

static int equal(lua_State *L)
{
    static const ParamInfo params[] = {REQUIRED('T', "input"), REQUIRED('T', "other")};
    Args a;
    Arg v[2];
    args_take(&a, L, "equal", is_method(L), params, 2, NULL, v);
    if (!tensor_same_shape(v[0].t, v[1].t))
        return give_bool(L, false);
    return give_answer(L, op_all(op_eq(v[0].t, v[1].t), NULL, false));
}

/* |a - b| <= atol + rtol |b|, equal elements and, if asked for, pairs of NaN */
static Tensor *close_elements(Tensor *a, Tensor *b, double rtol, double atol, bool equal_nan)
{
    Tensor *close = op_eq(a, b);
    if (equal_nan)
        close = op_logical_or(close, op_logical_and(op_isnan(a), op_isnan(b)));
    if (a->dtype == DT_BOOL)
        return close;
    if (!dtype_is_float((DType)a->dtype)) { /* whole numbers would wrap */
        a = tensor_to(a, default_dtype(), a->device, false);
        b = tensor_to(b, default_dtype(), b->device, false);
        if (!a || !b)
            return NULL;
    }
    Tensor *allowed = op_add(op_abs(op_mul(b, tensor_number(rtol))), tensor_number(atol)),
           *error = op_abs(op_sub(a, b));
    return op_logical_or(close, op_logical_and(op_isfinite(error), op_le(error, allowed)));
}

static Tensor *read_close(lua_State *L, const char *name)
{
    static const ParamInfo params[] = {REQUIRED('T', "input"), REQUIRED('T', "other"),
                                       OPTIONAL('F', "rtol", "1e-05"), OPTIONAL('F', "atol", "1e-08"),
                                       OPTIONAL('B', "equal_nan", "false")};
    Args a;
    Arg v[5];
    args_take(&a, L, name, is_method(L), params, 5, NULL, v);
    if (v[0].t->dtype != v[1].t->dtype)
        raise_error(L, "RuntimeError", "%s did not match %s", dtype_info[v[0].t->dtype].cname,
                    dtype_info[v[1].t->dtype].cname);
    for (int k = 2; k <= 3; k++)
        if (!(v[k].f >= 0))
            raise_error(L, "RuntimeError", "%s must be greater than or equal to zero, but got %g",
                        params[k].name, v[k].f);
    return close_elements(v[0].t, v[1].t, v[2].f, v[3].f, v[4].b);
}

static int isclose(lua_State *L)
{
    return give(L, read_close(L, "isclose"));
}
static int allclose(lua_State *L)
{
    return give_answer(L, op_all(read_close(L, "allclose"), NULL, false));
}

/* ---- registration ---- */

typedef struct Entry {
    const char *name;
    lua_CFunction f;
} Entry;

static const Entry both[] = {{"numel", numel},
                             {"is_floating_point", is_floating_point},
                             {"is_complex", is_complex},
                             {"is_signed", is_signed},
                             {"split", split},
                             {"chunk", chunk},
                             {"unbind", unbind},
                             {"equal", equal},
                             {"isclose", isclose},
                             {"allclose", allclose},
                             {"is_inference", is_inference}};
static const Entry methods[] = {{"size", size},
                                {"stride", stride},
                                {"dim", dim},
                                {"ndimension", dim},
                                {"nelement", numel},
                                {"element_size", element_size},
                                {"storage_offset", storage_offset},
                                {"is_contiguous", is_contiguous},
                                {"data_ptr", data_ptr},
                                {"get_device", get_device},
                                {"is_same_size", is_same_size},
                                {"to", to},
                                {"type", type},
                                {"type_as", type_as},
                                {"cpu", cpu},
                                {"cuda", to_gpu},
                                {"opencl", to_gpu},
                                {"copy_", copy_},
                                {"zero_", zero_},
                                {"fill_", fill_},
                                {"set_", set_}};
static const Entry functions[] = {{"is_tensor", is_tensor}, {"meshgrid", meshgrid}};

static void add_entries(lua_State *L, int table, const Entry *e, int n, bool method)
{
    for (int i = 0; i < n; i++) {
        lua_pushboolean(L, method);
        lua_pushcclosure(L, e[i].f, 1);
        lua_setfield(L, table, e[i].name);
    }
}

void open_methods(lua_State *L, const Library *lib)
{
    static const struct {
        const char *name;
        DType dtype;
    } conversions[] = {{"bool", DT_BOOL}, {"byte", DT_U8},   {"char", DT_I8},  {"short", DT_I16},
                       {"int", DT_I32},   {"long", DT_I64},  {"half", DT_F16}, {"bfloat16", DT_BF16},
                       {"float", DT_F32}, {"double", DT_F64}};
    add_entries(L, lib->torch, both, COUNT(both), false);
    add_entries(L, lib->methods, both, COUNT(both), true);
    add_entries(L, lib->methods, methods, COUNT(methods), true);
    add_entries(L, lib->torch, functions, COUNT(functions), false);
    for (int i = 0; i < COUNT(conversions); i++) {
        lua_pushboolean(L, true);
        lua_pushinteger(L, conversions[i].dtype);
        lua_pushcclosure(L, to_fixed_dtype, 2);
        lua_setfield(L, lib->methods, conversions[i].name);
    }
}
