/* infer.c - what an op will answer: broadcasting, promotion, dim checks, and the errors when it cannot. */
#include "engine/ops_internal.h"
#include "engine/structural.h"

#include <math.h>
#include <string.h>

/* ---- dtypes ---- */

static DType float_default = DT_F32;

DType default_dtype(void) { return float_default; }

bool set_default_dtype(DType d)
{
    if (!dtype_is_float(d))
        return tide_refuse("TypeError", "only floating-point types are supported as the default type");
    float_default = d;
    return true;
}

/* PyTorch's three buckets, strongest first: tensors with dims, 0-dim tensors, plain numbers. */
typedef struct Buckets {
    DType dim, zero, number;
} Buckets;

static DType join(DType have, DType next) { return have == DT_NONE ? next : dtype_promote(have, next); }

static void sort_into(Buckets *b, const Tensor *t)
{
    DType d = (DType)t->dtype;
    if (t->is_number)
        b->number = join(b->number, dtype_is_float(d) ? float_default : d);
    else if (t->ndim == 0)
        b->zero = join(b->zero, d);
    else
        b->dim = join(b->dim, d);
}

static DType combine(DType hi, DType lo)
{
    if (hi == DT_NONE) return lo;
    if (lo == DT_NONE || dtype_is_float(hi)) return hi;
    if (hi == DT_BOOL || dtype_is_float(lo)) return dtype_promote(hi, lo);
    return hi;
}

DType result_dtype(Tensor *const *in, int n)
{
    Buckets b = {DT_NONE, DT_NONE, DT_NONE};
    if (n == 2 && in[0]->dtype == in[1]->dtype && !in[0]->is_number && !in[1]->is_number)
        return (DType)in[0]->dtype;
    for (int i = 0; i < n; i++) sort_into(&b, in[i]);
    return combine(b.dim, combine(b.zero, b.number));
}

/* A number beside whole tensors makes them no float. */
static DType tensors_dtype(Tensor *const *in, int n)
{
    Tensor *tensors[CALL_MAXIN];
    int count = 0;
    for (int i = 0; i < n; i++)
        if (!in[i]->is_number) tensors[count++] = in[i];
    return count ? result_dtype(tensors, count) : result_dtype(in, n);
}

static const char *unsupported_name(OpId op)
{
    const OpInfo *info = op_info(op);
    return info->unsupported ? info->unsupported : info->name;
}

/* Operands of an elementwise row: out is what it writes in place, or NULL. */
typedef struct Operands {
    OpId op;
    Tensor *const *in;
    int n;
    const Tensor *out;
} Operands;

static bool operands_fit(const Operands *o, DType d)
{
    Dims shape;
    return o->out ? check_output(o->op, o->in, o->n, o->out, d) : broadcast_all(o->in, o->n, &shape);
}

/* A kernel refuses a dtype last: shapes and what is written to are looked at before. */
static bool refuse_dtype(const Operands *o, DType d)
{
    static char name[96];
    OpId op = o->op;
    const OpInfo *info = op_info(op);
    if (!operands_fit(o, d)) return false;
    strncpy(name, unsupported_name(op), sizeof name - 10);
    if (!info->unsupported) strcat(name, info->format == FORMAT_UNARY ? "_vml_cpu" : "_cpu");
    return tide_refuse("NotImplementedError", "\"%s\" not implemented for '%s'", name, dtype_info[d].cname);
}

static bool refuse_bool(const Operands *o)
{
    switch (o->op) {
    case OP_sub:
    case OP_rsub:
        if (o->in[0]->dtype == DT_BOOL && o->in[1]->dtype == DT_BOOL)
            return tide_refuse("RuntimeError",
                               "Subtraction, the `-` operator, with two bool tensors is not supported. "
                               "Use the `^` or `logical_xor()` operator instead.");
        return tide_refuse("RuntimeError",
                           "Subtraction, the `-` operator, with a bool tensor is not supported. If you are "
                           "trying to invert a mask, use the `~` or `logical_not()` operator instead.");
    case OP_neg:
        return tide_refuse("RuntimeError",
                           "Negation, the `-` operator, on a bool tensor is not supported. If you are trying "
                           "to invert a mask, use the `~` or `logical_not()` operator instead.");
    case OP_relu: return tide_refuse("RuntimeError", "Boolean inputs not supported for relu");
    default: return refuse_dtype(o, DT_BOOL);
    }
}

/* lerp promotes nothing: the end and a weight of some dims have the start's dtype. */
static bool same_dtypes_for_lerp(const Operands *o)
{
    static const char *const names[] = {"input", "end", "weight"};
    Tensor *const *in = o->in;
    for (int i = 1; i < 3; i++)
        if (in[i]->dtype != in[0]->dtype && !in[i]->is_number && (i == 1 || in[i]->ndim > 0))
            return tide_refuse("RuntimeError", "expected dtype %s for `%s` but got dtype %s",
                               ctype_name(in[0]), names[i], ctype_name(in[i]));
    bool number = in[2]->is_number;
    DType d = result_dtype(in, number ? 2 : 3);
    if (dtype_is_float(d)) return true;
    return operands_fit(o, d) &&
           tide_refuse("NotImplementedError", "\"lerp_kernel_%s\" not implemented for '%s'",
                       number ? "scalar" : "tensor", dtype_info[d].cname);
}

bool elementwise_types(OpId op, Tensor *const *in, int n, const Tensor *out, DType *compute, DType *result)
{
    const Operands o = {op, in, n, out};
    TypeRule rule = (TypeRule)op_info(op)->types;
    bool selects = rule == TYPES_WHERE, floats = rule == TYPES_FLOATONLY;
    DType d = n == 1    ? (in[0]->is_number && dtype_is_float((DType)in[0]->dtype) ? float_default
                                                                                   : (DType)in[0]->dtype)
              : selects ? result_dtype(in + 1, n - 1)
              : floats  ? tensors_dtype(in, n)
                        : result_dtype(in, n);
    *compute = *result = d;
    if (op == OP_heaviside && in[0]->dtype != in[1]->dtype)
        return tide_refuse("RuntimeError",
                           "heaviside is not yet implemented for tensors with different dtypes.");
    if (op == OP_lerp && !same_dtypes_for_lerp(&o)) return false;
    if (op == OP_square && d == DT_BOOL) { /* it is x ** 2, and the exponent an integer */
        *compute = *result = DT_I64;
        return true;
    }
    if (op == OP_pow && d == DT_BOOL && in[1]->is_number) { /* to the power 0 or 1 */
        *compute = DT_I64;
        return true;
    }
    switch (rule) {
    case TYPES_NOBOOL:
        if (op == OP_sub || op == OP_rsub)
            return (in[0]->dtype != DT_BOOL && in[1]->dtype != DT_BOOL) || refuse_bool(&o);
        return d != DT_BOOL || refuse_bool(&o);
    case TYPES_ROUND: return d != DT_BOOL || refuse_dtype(&o, d);
    case TYPES_FLOAT:
        if (!dtype_is_float(d)) *compute = *result = float_default;
        return true;
    case TYPES_FLOATWIDE:
        if (!dtype_is_float(d)) *compute = *result = float_default;
        return (d != DT_F16 && d != DT_BF16) || refuse_dtype(&o, d);
    case TYPES_FLOATONLY: return dtype_is_float(d) || refuse_dtype(&o, d);
    case TYPES_INT: return !dtype_is_float(d) || refuse_dtype(&o, d);
    case TYPES_INTONLY: return dtype_is_int(d) || refuse_dtype(&o, d);
    case TYPES_COMPARE: *result = DT_BOOL; return true;
    case TYPES_WHERE:
        return in[0]->dtype == DT_BOOL || in[0]->dtype == DT_U8 ||
               tide_refuse("RuntimeError",
                           "where expected condition to be a boolean tensor, but got a tensor with dtype %s",
                           dtype_info[in[0]->dtype].cname);
    default: return true;
    }
}

bool reduce_types(OpId op, const Tensor *x, DType *compute, DType *result)
{
    DType d = (DType)x->dtype;
    *compute = *result = d;
    switch ((TypeRule)op_info(op)->types) {
    case TYPES_SUM:
        if (!dtype_is_float(d)) *compute = *result = DT_I64;
        return true;
    case TYPES_BOOLEAN: *result = d == DT_U8 ? DT_U8 : DT_BOOL; return true;
    case TYPES_COUNT: *result = DT_I64; return true;
    case TYPES_FLOATONLY:
        if (dtype_is_float(d)) return true;
        if (op == OP_mean)
            return tide_refuse("RuntimeError",
                               "mean(): could not infer output dtype. Input dtype must be either a floating "
                               "point or complex dtype. Got: %s",
                               dtype_info[d].cname);
        return tide_refuse("RuntimeError",
                           "linalg.vector_norm: Expected a floating point or complex tensor as input. Got %s",
                           dtype_info[d].cname);
    default: return true;
    }
}

/* ---- shapes ---- */

bool broadcast_shapes(const Dims *a, const Dims *b, Dims *out)
{
    int n = a->n > b->n ? a->n : b->n;
    Dims r = {.n = n};
    for (int i = n - 1; i >= 0; i--) {
        int ia = i - (n - a->n), ib = i - (n - b->n);
        int64_t x = ia < 0 ? 1 : a->v[ia], y = ib < 0 ? 1 : b->v[ib];
        if (x != y && x != 1 && y != 1)
            return tide_refuse("RuntimeError",
                               "The size of tensor a (%lld) must match the size of tensor b (%lld) at "
                               "non-singleton dimension %d",
                               (long long)x, (long long)y, i);
        r.v[i] = x == 1 ? y : x;
    }
    *out = r;
    return true;
}

bool broadcast_all(Tensor *const *in, int n, Dims *shape)
{
    *shape = tensor_dims(in[0]);
    for (int i = 1; i < n; i++) {
        Dims next = tensor_dims(in[i]);
        if (!broadcast_shapes(shape, &next, shape)) return false;
    }
    return true;
}

bool wrap_dim(int64_t *dim, int ndim)
{
    int64_t n = ndim > 0 ? ndim : 1;
    if (*dim < -n || *dim >= n)
        return tide_refuse("IndexError",
                           "Dimension out of range (expected to be in range of [%lld, %lld], but got %lld)",
                           (long long)-n, (long long)n - 1, (long long)*dim);
    if (*dim < 0) *dim += n;
    return true;
}

bool wrap_dims(const Dims *dim, int ndim, Dims *out)
{
    bool seen[TIDE_MAXDIM] = {false};
    if (!dim || dim->n == 0) {
        out->n = ndim;
        for (int i = 0; i < ndim; i++) out->v[i] = i;
        return true;
    }
    Dims r = {.n = 0};
    for (int i = 0; i < dim->n; i++) {
        int64_t d = dim->v[i];
        if (!wrap_dim(&d, ndim)) return false;
        if (seen[d])
            return tide_refuse("RuntimeError", "dim %lld appears multiple times in the list of dims",
                               (long long)d);
        seen[d] = true;
        if (ndim) r.v[r.n++] = d;
    }
    *out = r;
    return true;
}

/* ---- operands ---- */

Device common_device(Tensor *const *in, int n)
{
    for (int i = 0; i < n; i++)
        if (in[i]->device.type != DEVICE_CPU) return in[i]->device;
    return in[0]->device;
}

bool check_same_device(Tensor *const *in, int n)
{
    char first[32], second[32];
    Device d = common_device(in, n);
    for (int i = 0; i < n; i++) {
        bool same = in[i]->device.type == d.type && in[i]->device.index == d.index;
        if (same || (in[i]->ndim == 0 && in[i]->device.type == DEVICE_CPU)) continue;
        return tide_refuse(
            "RuntimeError",
            "Expected all tensors to be on the same device, but found at least two devices, %s and %s!",
            device_name(d, first, sizeof first), device_name(in[i]->device, second, sizeof second));
    }
    return true;
}

bool check_defined(const Tensor *x, const char *name, const char *op)
{
    return x || tide_refuse("TypeError", "%s(): argument '%s' must be Tensor, not NoneType", op, name);
}

static bool has_zero(Tensor *x)
{
    bool zero = true;
    int mark = scope_open();
    bool was = set_grad_enabled(false);
    Tensor *all = op_all(x, NULL, false);
    double value = 1;
    if (all && tensor_item_double(all, &value)) zero = value == 0;
    set_grad_enabled(was);
    scope_close(mark);
    return zero;
}

static bool has_negative(Tensor *x)
{
    bool negative = true;
    int mark = scope_open();
    bool was = set_grad_enabled(false);
    Tensor *any = op_any(op_lt(x, tensor_integer(0)), NULL, false);
    double value = 1;
    if (any && tensor_item_double(any, &value)) negative = value != 0;
    set_grad_enabled(was);
    scope_close(mark);
    return negative;
}

bool check_divisor(OpId op, Tensor *const *in, int n, DType compute)
{
    if (n < 2 || dtype_is_float(compute)) return true;
    if (op == OP_floor_divide || op == OP_remainder || op == OP_fmod)
        return in[0]->numel == 0 || in[1]->numel == 0 || !has_zero(in[1]) ||
               tide_refuse("RuntimeError", "ZeroDivisionError");
    if (op == OP_pow && in[1]->is_number)
        return !has_negative(in[1]) ||
               tide_refuse("RuntimeError", "Integers to negative integer powers are not allowed.");
    return true;
}

OpId simpler_op(OpId op, Tensor *const *in, int *n)
{
    if (op != OP_pow || !in[1]->is_number || in[1]->device.type != DEVICE_CPU) return op;
    if (element_as_double(tensor_data(in[1]), (DType)in[1]->dtype) != 2) return op;
    *n = 1;
    return OP_square;
}

bool check_empty_reduction(OpId op, const Tensor *x, const Dims *dim, const Dims *wrapped)
{
    const char *name = op_info(op)->name;
    if (op != OP_amax && op != OP_amin) return true;
    if (!dim || dim->n == 0)
        return tide_refuse("RuntimeError",
                           "%s(): Expected reduction dim to be specified for input.numel() == 0. Specify the "
                           "reduction dim with the 'dim' argument.",
                           name);
    for (int i = 0; i < wrapped->n; i++)
        if (x->shape[wrapped->v[i]] == 0)
            return tide_refuse("IndexError", "%s(): Expected reduction dim %lld to have non-zero size.", name,
                               (long long)dim->v[i]);
    return true;
}

/* ---- memory shared between operands ---- */

bool check_writable(const Tensor *out)
{
    for (int d = 0; d < out->ndim; d++)
        if (out->stride[d] == 0 && out->shape[d] > 1)
            return tide_refuse(
                "RuntimeError",
                "unsupported operation: more than one element of the written-to tensor refers to "
                "a single memory location. Please clone() the tensor before performing the operation.");
    return true;
}

bool check_output(OpId op, Tensor *const *in, int n, const Tensor *out, DType result)
{
    Dims shape;
    char want[256], have[256];
    if (!check_writable(out)) return false;
    if (!broadcast_all(in, n, &shape)) return false;
    if (shape.n != out->ndim || memcmp(shape.v, out->shape, (size_t)shape.n * sizeof shape.v[0]))
        return tide_refuse("RuntimeError", "output with shape %s doesn't match the broadcast shape %s",
                           format_dims(have, sizeof have, out->ndim, out->shape),
                           format_dims(want, sizeof want, shape.n, shape.v));
    bool clamps = op == OP_clamp || op == OP_clamp_min || op == OP_clamp_max; /* by numbers: named as C names it */
    return dtype_can_cast(result, (DType)out->dtype) ||
           tide_refuse("RuntimeError", "result type %s can't be cast to the desired output type %s",
                       dtype_info[result].cname,
                       clamps && in[1]->is_number ? ctype_name(out) : dtype_info[out->dtype].cname);
}

/* The elements from t's first to its last address, end exclusive. */
static void extent(const Tensor *t, int64_t *from, int64_t *to)
{
    *from = t->offset;
    *to = t->offset + 1;
    for (int d = 0; d < t->ndim; d++) *to += (t->shape[d] - 1) * t->stride[d];
}

static bool same_elements(const Tensor *a, const Tensor *b)
{
    if (a->offset != b->offset || a->dtype != b->dtype || !tensor_same_shape(a, b)) return false;
    for (int d = 0; d < a->ndim; d++)
        if (a->shape[d] > 1 && a->stride[d] != b->stride[d]) return false;
    return true;
}

static bool partly_shared(const Tensor *in, const Tensor *out)
{
    if (!tensor_shares_memory(in, out) || in->numel == 0 || out->numel == 0 || same_elements(in, out))
        return false;
    int64_t a, b, c, d, wa = (int64_t)dtype_size((DType)in->dtype),
                        wb = (int64_t)dtype_size((DType)out->dtype);
    extent(in, &a, &b);
    extent(out, &c, &d);
    return a * wa < d * wb && c * wb < b * wa;
}

bool separate_overlaps(Tensor **in, int n, const Tensor *out)
{
    for (int i = 0; i < n; i++) {
        if (!partly_shared(in[i], out)) continue;
        if (in[i]->contiguous && out->contiguous)
            return tide_refuse(
                "RuntimeError",
                "unsupported operation: some elements of the input tensor and the written-to tensor "
                "refer to a single memory location. Please clone() the tensor before performing the "
                "operation.");
        Tensor *copy =
            tensor_like(in[i], (DType)in[i]->dtype); /* interleaved views may or may not meet: be safe */
        if (!copy || !copy_plain(copy, in[i])) return false;
        in[i] = copy;
    }
    return true;
}

bool copy_across(Tensor *dst, Tensor *src)
{
    Dims shape = tensor_dims(dst);
    if (src->numel == 1 && dst->numel > 1) { /* a fill: one element crosses, and is stretched over there */
        Dims none = {0};
        int mark = scope_open();
        Tensor *one = result_new(&none, (DType)src->dtype, dst->device);
        bool ok = one && copy_across(one, src) && copy_plain(dst, one);
        scope_close(mark);
        return ok;
    }
    Tensor *from = converted_plain(broadcast_plain(src, &shape), (DType)dst->dtype);
    from = contiguous_plain(from);
    if (!from) return false;
    size_t size = dtype_size((DType)dst->dtype), bytes = (size_t)dst->numel * size;
    Tensor *to = dst->contiguous ? dst : result_new(&shape, (DType)dst->dtype, dst->device);
    if (!to) return false;
    const Backend *a = backend_of(from->device), *b = backend_of(to->device);
    size_t at = (size_t)from->offset * size, into = (size_t)to->offset * size;
    if (from->device.type == DEVICE_CPU) {
        if (!b->upload(to->device.index, to->storage->data, into, tensor_data(from), bytes)) return false;
    } else if (to->device.type == DEVICE_CPU) {
        if (!a->download(from->device.index, from->storage->data, at, tensor_data(to), bytes)) return false;
    } else { /* two devices: by way of the host */
        Tensor *host = result_new(&shape, (DType)dst->dtype, (Device){DEVICE_CPU, 0});
        if (!host || !copy_across(host, from)) return false;
        return copy_across(dst, host);
    }
    return to == dst || copy_plain(dst, to);
}
