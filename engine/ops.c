/* ops.c - running a row of the op table: checks, promotion, broadcasting, the backend's call, recording. */
#include "engine/ops.h"

#include "engine/autograd.h"
#include "engine/ops_internal.h"
#include "engine/structural.h"

#include <string.h>

/* ---- elementwise rows ---- */

/* x as seen from an output of `ndim` dims: missing and stretched dims get stride 0. *view is the caller's memory. */
static const Tensor *stretched(const Tensor *x, const Tensor *out, Tensor *view)
{
    if (tensor_same_shape(x, out)) return x;
    memcpy(view, x, offsetof(Tensor, shape));
    int lead = out->ndim - x->ndim;
    view->ndim = out->ndim;
    view->numel = out->numel;
    view->contiguous = false;
    for (int d = 0; d < out->ndim; d++) {
        view->shape[d] = out->shape[d];
        view->stride[d] = d < lead || x->shape[d - lead] != out->shape[d] ? 0 : x->stride[d - lead];
    }
    return view;
}

/* Runs the loops of op: every input any shape that broadcasts to out's. */
bool elementwise_call(OpId op, Tensor *const *in, int n, Tensor *out, DType compute)
{
    Tensor views[CALL_MAXIN];
    Call call = {.op = op, .nin = n, .nout = 1, .out = {out}, .compute = compute};
    for (int i = 0; i < n; i++) call.in[i] = stretched(in[i], out, &views[i]);
    if (out->numel == 0) return true;
    const Backend *backend = backend_of(out->device);
    if (!backend->supports(op, compute))
        return tide_refuse("NotImplementedError", "\"%s\" not implemented for '%s' on %s", op_info(op)->name,
                           dtype_info[compute].cname, backend->name);
    return backend->run(&call);
}

/* A plain number may stand beside tensors of another device; it is copied there, alone of all tensors. */
static bool bring_numbers(Tensor *const *in, int n, Device device, Tensor **placed)
{
    for (int i = 0; i < n; i++) {
        placed[i] = in[i];
        if (in[i]->device.type == device.type && in[i]->device.index == device.index) continue;
        Dims none = {0};
        placed[i] = result_new(&none, (DType)in[i]->dtype, device);
        if (!placed[i] || !copy_plain(placed[i], in[i])) return false;
    }
    return true;
}

static Tensor *fresh_output(Tensor *const *in, int n, DType dtype, Device device)
{
    Dims shape;
    if (!broadcast_all(in, n, &shape)) return NULL;
    for (int i = 0; i < n; i++)
        if (in[i]->ndim && in[i]->contiguous) return result_new(&shape, dtype, device);
    int64_t stride[TIDE_MAXDIM];
    Tensor *out = result_new(&shape, dtype, device);
    if (out && out->numel > 1 && layout_like(in, n, &shape, stride)) {
        memcpy(out->stride, stride, (size_t)shape.n * sizeof *stride);
        tensor_finish_geometry(out);
    }
    return out;
}

/* The everyday case: on the host, all row-major and of one shape, 0-dim operands aside. Returns the one with the shape. */
static const Tensor *common_model(Tensor *const *in, int n)
{
    const Tensor *model = NULL;
    for (int i = 0; i < n; i++) {
        if (in[i]->device.type != DEVICE_CPU || !in[i]->contiguous) return NULL;
        if (in[i]->ndim == 0) continue;
        if (model && !tensor_same_shape(model, in[i])) return NULL;
        model = in[i];
    }
    return model;
}

static Tensor *run_common(OpId op, Tensor *const *in, int n, const Tensor *model)
{
    DType compute, result;
    if (!elementwise_types(op, in, n, NULL, &compute, &result)) return NULL;
    Tensor *out = result_as(model, result);
    if (!out) return NULL;
    if (!dtype_is_float(compute)) {
        if (op_info(op)->types == TYPES_ROUND) return copy_plain(out, in[0]) ? out : NULL;
        if (!check_divisor(op, in, n, compute)) return NULL;
    }
    if (op == OP_pow) op = simpler_op(op, in, &n);
    return elementwise_call(op, in, n, out, compute) ? out : NULL;
}

Tensor *elementwise_run(OpId op, Tensor *const *in, int n, Tensor *out)
{
    Tensor *placed[CALL_MAXIN];
    DType compute, result;
    const Tensor *model = out ? NULL : common_model(in, n);
    if (model) return run_common(op, in, n, model);
    if (!check_same_device(in, n)) return NULL;
    if (!elementwise_types(op, in, n, out, &compute, &result)) return NULL;
    Device device = common_device(in, n);
    if (!bring_numbers(in, n, out ? out->device : device, placed)) return NULL;
    if (out) {
        if (!check_output(op, in, n, out, result)) return NULL;
        if (!separate_overlaps(placed, n, out)) return NULL;
    } else if (!(out = fresh_output(op == OP_rsub ? (Tensor *[]){in[1], in[0]} : in, n, result, device))) {
        return NULL; /* rsub is sub turned round, and its shapes are reported so */
    }
    if (op_info(op)->types == TYPES_ROUND && !dtype_is_float(compute))
        return copy_plain(out, placed[0]) ? out : NULL;
    if (!check_divisor(op, placed, n, compute)) return NULL;
    int count = n;
    OpId simpler = simpler_op(op, placed, &count);
    return elementwise_call(simpler, placed, count, out, compute) ? out : NULL;
}

/* ---- conversion and copies without recording ---- */

bool copy_plain(Tensor *dst, Tensor *src)
{
    if (!dst || !src) return false;
    if (dst->numel == 0) return true;
    if (dst->device.type == src->device.type && dst->device.index == src->device.index)
        return elementwise_call(OP_copy, &src, 1, dst, (DType)dst->dtype);
    return copy_across(dst, src);
}

bool fill_plain(Tensor *dst, double value)
{
    Tensor *number = tensor_number(value);
    return number && dst && copy_plain(dst, number);
}

Tensor *contiguous_plain(Tensor *x)
{
    if (!x || x->contiguous) return x;
    Dims shape = tensor_dims(x);
    Tensor *c = result_new(&shape, (DType)x->dtype, x->device);
    return c && copy_plain(c, x) ? c : NULL;
}

Tensor *converted_plain(Tensor *x, DType dtype)
{
    if (!x || x->dtype == dtype) return x;
    Tensor *c = tensor_like(x, dtype);
    return c && copy_plain(c, x) ? c : NULL;
}

Tensor *broadcast_plain(Tensor *x, const Dims *shape)
{
    Tensor like = {.ndim = (uint8_t)shape->n}, geometry;
    memcpy(like.shape, shape->v, (size_t)shape->n * sizeof shape->v[0]);
    if (!tensor_finish_geometry(&like)) return NULL;
    const Tensor *s = stretched(x, &like, &geometry);
    if (s == x) return x;
    Tensor *v = view_new(x);
    if (!v) return NULL;
    v->ndim = s->ndim;
    memcpy(v->shape, s->shape, s->ndim * sizeof s->shape[0]);
    memcpy(v->stride, s->stride, s->ndim * sizeof s->stride[0]);
    return tensor_finish_geometry(v) ? v : NULL;
}

/* ---- reductions ---- */

/* x with its reduced dims moved last. */
static void reduced_last(const Tensor *x, const Dims *dims, Tensor *view)
{
    bool reduced[TIDE_MAXDIM] = {false};
    for (int i = 0; i < dims->n; i++) reduced[dims->v[i]] = true;
    memcpy(view, x, offsetof(Tensor, shape));
    int at = 0;
    for (int pass = 0; pass < 2; pass++)
        for (int d = 0; d < x->ndim; d++)
            if (reduced[d] == (pass == 1)) {
                view->shape[at] = x->shape[d];
                view->stride[at++] = x->stride[d];
            }
    tensor_finish_geometry(view);
}

/* The result's shape: without the reduced dims, or with 1 in their places. */
static Dims reduced_shape(const Tensor *x, const Dims *dims, bool keepdim)
{
    bool reduced[TIDE_MAXDIM] = {false};
    Dims shape = {0};
    for (int i = 0; i < dims->n; i++) reduced[dims->v[i]] = true;
    for (int d = 0; d < x->ndim; d++) {
        if (!reduced[d])
            shape.v[shape.n++] = x->shape[d];
        else if (keepdim)
            shape.v[shape.n++] = 1;
    }
    return shape;
}

Tensor *reduce_run(OpId op, Tensor *x, const Dims *dim, bool keepdim)
{
    Dims dims;
    DType compute, result;
    if (!reduce_types(op, x, &compute, &result) || !wrap_dims(dim, x->ndim, &dims)) return NULL;
    if ((op == OP_any || op == OP_all) && dim && dim->n == 0) dims.n = 0; /* of these two no dims are none */
    int64_t count = 1;
    for (int i = 0; i < dims.n; i++) count *= x->shape[dims.v[i]];
    if (count == 0 && !check_empty_reduction(op, x, dim, &dims)) return NULL;
    Dims kept = reduced_shape(x, &dims, keepdim), plain = reduced_shape(x, &dims, false);
    Tensor *out = result_new(&kept, result, x->device);
    if (!out || out->numel == 0) return out;
    Tensor view, flat = *out;
    reduced_last(x, &dims, &view);
    flat.ndim = (uint8_t)plain.n;
    memcpy(flat.shape, plain.v, (size_t)plain.n * sizeof plain.v[0]);
    dims_contiguous_strides(&plain, flat.stride);
    Call call = {.op = op,
                 .nin = 1,
                 .nout = 1,
                 .in = {&view},
                 .out = {&flat},
                 .compute = compute,
                 .reduced = dims.n,
                 .count = count};
    return backend_of(x->device)->run(&call) ? out : NULL;
}

/* ---- KERNEL rows ---- */

bool kernel_run(OpId op, Tensor *const *in, int nin, Tensor *const *out, int nout, const Arg *arg)
{
    Call call = {.op = op, .nin = nin, .nout = nout, .arg = arg};
    for (int i = 0; i < nin; i++) call.in[i] = in[i];
    for (int i = 0; i < nout; i++) call.out[i] = out[i];
    call.compute = (DType)(nin ? in[0]->dtype : out[0]->dtype);
    const Backend *backend = backend_of(out[0]->device);
    if (!backend->supports(op, call.compute))
        return tide_refuse("NotImplementedError",
                           "The operator '%s' is not implemented for device %s and dtype %s",
                           op_info(op)->name, backend->name, dtype_info[call.compute].name);
    return backend->run(&call);
}

static Tensor *extra[2];

void results_extra(Tensor *second, Tensor *third)
{
    extra[0] = second;
    extra[1] = third;
}

Tensor *op_second(void) { return extra[0]; }
Tensor *op_third(void) { return extra[1]; }

/* ---- adaptors: from an argument array to each forward's own parameters ---- */

#define TAKE_T(n, ...) Tensor *n = (a++)->t;
#define TAKE_N(n, ...) Tensor *n = (a++)->t;
#define TAKE_O(n, ...) Tensor *n = (a++)->t;
#define TAKE_L(n, ...) const TensorList *n = (a++)->list;
#define TAKE_I(n, ...) int64_t n = (a++)->i;
#define TAKE_F(n, ...) double n = (a++)->f;
#define TAKE_B(n, ...) bool n = (a++)->b;
#define TAKE_D(n, ...) const Dims *n = (a++)->dims;
#define TAKE_Y(n, ...) DType n = (a++)->dtype;
#define NAME_T(n, ...) n
#define NAME_N(n, ...) n
#define NAME_O(n, ...) n
#define NAME_L(n, ...) n
#define NAME_I(n, ...) n
#define NAME_F(n, ...) n
#define NAME_B(n, ...) n
#define NAME_D(n, ...) n
#define NAME_Y(n, ...) n
#define VIEW(name, params, ...)                                                                              \
    static Tensor *adapt_##name(const Arg *a)                                                                \
    {                                                                                                        \
        PARAMS(TAKE_, params) return forward_##name(PARAMS_COMMA(NAME_, params));                            \
    }
#define KERNEL   VIEW
#define COMPOSED VIEW
#include "engine/ops.def"

#define VIEW(name, ...) [OP_##name] = adapt_##name,
#define KERNEL          VIEW
#define COMPOSED        VIEW
static Tensor *(*const forwards[OP_COUNT])(const Arg *) = {
#include "engine/ops.def"
};

/* ---- running by number ---- */

static bool operands_given(const OpInfo *info, const Arg *args)
{
    for (int p = 0; p < info->nparam; p++) {
        char kind = info->params[p].kind;
        if ((kind == 'T' || kind == 'N') && !args[p].t) return false;
    }
    return true;
}

static Tensor *run_forward(OpId op, const OpInfo *info, const Arg *args)
{
    switch (info->format) {
    case FORMAT_UNARY:
    case FORMAT_TEST: return elementwise_run(op, (Tensor *[]){args[0].t}, 1, NULL);
    case FORMAT_BINARY:
    case FORMAT_COMPARE: return elementwise_run(op, (Tensor *[]){args[0].t, args[1].t}, 2, NULL);
    case FORMAT_TERNARY: return elementwise_run(op, (Tensor *[]){args[0].t, args[1].t, args[2].t}, 3, NULL);
    case FORMAT_REDUCE: return reduce_run(op, args[0].t, args[1].dims, args[2].b);
    default: break;
    }
    if (!info->writes_first) return forwards[op](args);
    Arg copy[OP_MAXPARAM];
    memcpy(copy, args, (size_t)info->nparam * sizeof *args);
    Tensor *target = tensor_like(args[0].t, (DType)args[0].t->dtype);
    if (!target || !copy_plain(target, args[0].t)) return NULL;
    copy[0].t = target;
    return forwards[op](copy);
}

static Tensor *apply(OpId op, const OpInfo *info, const Arg *args)
{
    if (info->transparent) return forwards[op](args);
    if (info->format >= FORMAT_VIEW)
        extra[0] = extra[1] = NULL;
    else if (!grad_enabled() || !any_requires_grad(op, args))
        return run_forward(op, info, args);
    if (!grad_enabled() || !any_requires_grad(op, args)) {
        bool was = set_grad_enabled(false);
        Tensor *y = run_forward(op, info, args);
        set_grad_enabled(was);
        return y && was && info->format == FORMAT_VIEW ? autograd_record_view(args[0].t, y) : y;
    }
    set_grad_enabled(false);
    node_variant(-1);
    Tensor *y = run_forward(op, info, args);
    set_grad_enabled(true);
    return autograd_record(op, args, y);
}

Tensor *op_apply(OpId op, const Arg *args)
{
    const OpInfo *info = op_info(op);
    if (tide_failed() || !operands_given(info, args)) return NULL;
    bool watched = op_observer != NULL;
    if (watched) observe_begin();
    Tensor *y = apply(op, info, args);
    if (!y) observe_failure(op, args, false);
    if (watched) observe_end(op, args, y, false);
    return y;
}

/* Whether a row may write into its first argument. Along a dim that x does not have the dim is reported first. */
static bool may_write(const OpInfo *info, const Arg *args)
{
    Tensor *x = args[0].t;
    if (info->overlapping || check_writable(x)) return true;
    if (info->nparam > 1 && info->params[1].kind == 'I' && strcmp(info->params[1].name, "dim") == 0) {
        int64_t dim = args[1].i;
        if (dim < -x->ndim || dim >= x->ndim) tide_error_clear();
        wrap_dim(&dim, x->ndim);
    }
    return false;
}

/* Rows that are no loops, but whose operands PyTorch looks at as it does at those of loops: before all else. */
static bool operands_fit(OpId op, const Arg *args)
{
    Tensor *x = args[0].t;
    Dims shape;
    if (op == OP_masked_fill) return broadcast_all((Tensor *[]){x, args[1].t}, 2, &shape);
    if (op != OP_addcmul) return true;
    Tensor *in[] = {x, args[1].t, args[2].t};
    return check_output(op, in, 3, x, result_dtype(in, 3));
}

static bool inplace_forward(OpId op, const OpInfo *info, const Arg *args)
{
    Tensor *x = args[0].t;
    switch (info->format) {
    case FORMAT_UNARY:
    case FORMAT_TEST: return elementwise_run(op, (Tensor *[]){x}, 1, x) != NULL;
    case FORMAT_BINARY:
    case FORMAT_COMPARE: return elementwise_run(op, (Tensor *[]){x, args[1].t}, 2, x) != NULL;
    case FORMAT_TERNARY: return elementwise_run(op, (Tensor *[]){x, args[1].t, args[2].t}, 3, x) != NULL;
    default: break;
    }
    if (info->writes_first) return may_write(info, args) && forwards[op](args) != NULL;
    if (!operands_fit(op, args)) return false;
    Tensor *y = run_forward(op, info, args);
    if (!y) return false;
    if (!tensor_same_shape(x, y)) {
        char have[256], want[256];
        return tide_refuse("RuntimeError", "output with shape %s doesn't match the broadcast shape %s",
                           format_dims(have, sizeof have, x->ndim, x->shape),
                           format_dims(want, sizeof want, y->ndim, y->shape));
    }
    if (!dtype_can_cast((DType)y->dtype, (DType)x->dtype))
        return tide_refuse("RuntimeError", "result type %s can't be cast to the desired output type %s",
                           dtype_info[y->dtype].cname, dtype_info[x->dtype].cname);
    return (info->overlapping || check_writable(x)) && copy_plain(x, y);
}

static Tensor *apply_inplace(OpId op, const OpInfo *info, const Arg *args)
{
    Tensor *x = args[0].t;
    bool compared = info->format == FORMAT_COMPARE && needs_grad(args[1].t);
    bool record = grad_enabled() && !info->unrecorded && (needs_grad(x) || compared || any_requires_grad(op, args));
    Arg before[OP_MAXPARAM];
    if (record) {
        if (!autograd_check_inplace(x)) return NULL;
        memcpy(before, args, (size_t)info->nparam * sizeof *args);
        if (!(before[0].t = autograd_before_inplace(op, x))) return NULL;
    }
    bool was = set_grad_enabled(false);
    node_variant(-1);
    bool ok = inplace_forward(op, info, args);
    set_grad_enabled(was);
    if (!ok) return NULL;
    x->storage->version++;
    if (was) x->storage->written_line = place_line(&x->storage->written);
    return record ? autograd_record_inplace(op, before, x) : x;
}

Tensor *op_apply_inplace(OpId op, const Arg *args)
{
    const OpInfo *info = op_info(op);
    if (tide_failed() || !operands_given(info, args)) return NULL;
    bool watched = op_observer != NULL;
    if (watched) observe_begin();
    Tensor *y = apply_inplace(op, info, args);
    if (!y) observe_failure(op, args, true);
    if (watched) observe_end(op, args, y, true);
    return y;
}

static bool refuse_out_gradient(const char *who)
{
    return tide_refuse("RuntimeError",
                       "%s(): functions with out=... arguments don't support automatic differentiation, but one of the "
                       "arguments requires grad.",
                       who);
}

bool tensor_write_out(Tensor *out, Tensor *y, bool exact, const char *who)
{
    if (tide_failed() || !out || !y) return false;
    if (grad_enabled() && (needs_grad(out) || needs_grad(y))) return refuse_out_gradient(who);
    if (!check_writable(out)) return false;
    if (exact && y->dtype != out->dtype)
        return tide_refuse("RuntimeError", "Expected out tensor to have dtype %s, but got %s instead", ctype_name(y),
                           ctype_name(out));
    if (!dtype_can_cast((DType)y->dtype, (DType)out->dtype))
        return tide_refuse("RuntimeError", "result type %s can't be cast to the desired output type %s",
                           dtype_info[y->dtype].cname, dtype_info[out->dtype].cname);
    if (!tensor_same_shape(out, y)) {
        Dims shape = tensor_dims(y);
        Tensor *room = result_new(&shape, (DType)out->dtype, out->device);
        if (!room || !tensor_set_(out, room)) return false;
    }
    out->storage->version++;
    return copy_plain(out, y);
}

Tensor *op_apply_out(OpId op, const Arg *args, Tensor *out)
{
    const OpInfo *info = op_info(op);
    if (tide_failed() || !out || !operands_given(info, args)) return NULL;
    if (grad_enabled() && (needs_grad(out) || any_requires_grad(op, args))) {
        refuse_out_gradient(info->name);
        return NULL;
    }
    Tensor *y = check_writable(out) ? op_apply(op, args) : NULL;
    return tensor_write_out(out, y, info->exact_out, info->name) ? out : NULL;
}

/* ---- op_<name>(…) ---- */

#define PUT_T(n, ...) {.t = n},
#define PUT_N(n, ...) {.t = n},
#define PUT_O(n, ...) {.t = n},
#define PUT_L(n, ...) {.list = n},
#define PUT_I(n, ...) {.i = n},
#define PUT_F(n, ...) {.f = n},
#define PUT_B(n, ...) {.b = n},
#define PUT_D(n, ...) {.dims = n},
#define PUT_Y(n, ...) {.dtype = n},
#define UNARY(name, ...)                                                                                     \
    Tensor *op_##name(Tensor *x) { return op_apply(OP_##name, (Arg[]){{.t = x}}); }
#define BINARY(name, ...)                                                                                    \
    Tensor *op_##name(Tensor *a, Tensor *b) { return op_apply(OP_##name, (Arg[]){{.t = a}, {.t = b}}); }
#define TERNARY(name, ...)                                                                                   \
    Tensor *op_##name(Tensor *a, Tensor *b, Tensor *c)                                                       \
    {                                                                                                        \
        return op_apply(OP_##name, (Arg[]){{.t = a}, {.t = b}, {.t = c}});                                   \
    }
#define COMPARE BINARY
#define TEST    UNARY
#define REDUCE(name, ...)                                                                                    \
    Tensor *op_##name(Tensor *x, const Dims *dim, bool keepdim)                                              \
    {                                                                                                        \
        return op_apply(OP_##name, (Arg[]){{.t = x}, {.dims = dim}, {.b = keepdim}});                        \
    }
#define VIEW(name, params, ...)                                                                              \
    Tensor *op_##name(PARAMS_COMMA(PROTO_, params))                                                          \
    {                                                                                                        \
        return op_apply(OP_##name, (Arg[]){PARAMS(PUT_, params)});                                           \
    }
#define KERNEL   VIEW
#define COMPOSED VIEW
#include "engine/ops.def"
