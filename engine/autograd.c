/* autograd.c - recording ops as graph nodes, in-place rules, views and their bases. */
#include "engine/autograd.h"

#include "engine/node.h"
#include "engine/store.h"
#include "engine/structural.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool grad_on = true, inference_on = false;
static int next_variant = -1;

bool grad_enabled(void) { return grad_on; }
bool inference_enabled(void) { return inference_on; }

bool set_grad_enabled(bool on)
{
    bool was = grad_on;
    grad_on = on;
    return was;
}

bool set_inference_enabled(bool on)
{
    bool was = inference_on;
    inference_on = on;
    return was;
}

void node_variant(int variant) { next_variant = variant; }

/* ---- what a tensor carries ---- */

Autograd *autograd_of(Tensor *t)
{
    if (!t->ag) t->ag = autograd_struct_new();
    return t->ag;
}

void autograd_free(Tensor *t)
{
    Autograd *ag = t->ag;
    t->ag = NULL;
    if (ag->fn && *node_retained(ag->fn, ag->output) == t) *node_retained(ag->fn, ag->output) = NULL;
    hooks_free(ag->hooks);
    tensor_release(ag->grad);
    tensor_release(ag->base);
    node_release(ag->fn);
    autograd_struct_free(ag);
}

bool tensor_is_leaf(const Tensor *t) { return !needs_grad(t) || !tensor_grad_fn(t); }

bool tensor_set_requires_grad(Tensor *t, bool on)
{
    if (!t) return false;
    if (!tensor_is_leaf(t)) {
        if (on) return true;
        return tide_refuse(
            "RuntimeError",
            "you can only change requires_grad flags of leaf variables. If you want to use a computed "
            "variable in a subgraph that doesn't require differentiation use var_no_grad = var.detach().");
    }
    if (on && !dtype_is_float((DType)t->dtype))
        return tide_refuse("RuntimeError",
                           "only Tensors of floating point and complex dtype can require gradients");
    t->requires_grad = on;
    return true;
}

/* A view whose storage was written since its node was made belongs to its base's new history: its node is made anew
 * as a strided window on the base. */
static void refresh_view(Tensor *t)
{
    Autograd *ag = t->ag;
    if (!ag || !ag->base || !t->storage || ag->version == t->storage->version || !needs_grad(ag->base))
        return;
    int mark = scope_open();
    Dims size = tensor_dims(t), stride = {.n = t->ndim};
    memcpy(stride.v, t->stride, t->ndim * sizeof t->stride[0]);
    Arg arg[] = {{.t = ag->base}, {.dims = &size}, {.dims = &stride}, {.i = t->offset}};
    Node *n = node_record(OP_as_strided, arg, t, 0);
    if (n) {
        node_release(ag->fn);
        ag->fn = n;
        ag->output = 0;
        ag->version = t->storage->version;
        t->requires_grad = true;
    }
    scope_close(mark);
}

Node *tensor_grad_fn(const Tensor *t)
{
    if (!t->ag) return NULL;
    refresh_view((Tensor *)(uintptr_t)t);
    return t->ag->fn;
}

Node *gradient_target(Tensor *t)
{
    if (!needs_grad(t)) return NULL;
    Autograd *ag = autograd_of(t);
    if (!ag) return NULL;
    Node *fn = tensor_grad_fn(t);
    if (fn) return node_keep(fn);
    if (ag->accumulator) return node_keep(ag->accumulator);
    Node *n = node_new(NODE_ACCUMULATE);
    if (!n) return NULL;
    n->variable = tensor_keep(t);
    ag->accumulator = n; /* weak: the node clears it when it goes */
    return n;
}

int tensor_output_nr(const Tensor *t) { return t->ag && t->ag->fn ? t->ag->output : 0; }

void tensor_bump_version(Tensor *t)
{
    if (t->storage) t->storage->version++;
}

Tensor *tensor_grad(const Tensor *t) { return t->ag ? t->ag->grad : NULL; }

bool tensor_set_grad(Tensor *t, Tensor *grad)
{
    char have[256], want[256];
    if (grad && grad == t) return tide_refuse("RuntimeError", "can't assign Variable as its own grad");
    if (grad && grad->dtype != t->dtype)
        return tide_refuse(
            "RuntimeError",
            "attempting to assign a gradient with dtype '%s' to a tensor with grad_dtype '%s'. The gradient "
            "must match the tensor's grad_dtype (defaults to the tensor's dtype). You can set the tensor's "
            "grad_dtype attribute with a specific dtype, or None to allow any dtype. Set grad_dtype with "
            "caution. Diverging the dtypes of a tensor and its gradient may break downstream systems that "
            "assume they match.",
            ctype_name(grad), cname(t));
    if (grad && !tensor_same_shape(t, grad))
        return tide_refuse("RuntimeError",
                           "attempting to assign a gradient of size '%s' to a tensor of size '%s'. Please "
                           "ensure that the gradient and the tensor are the same size",
                           format_dims(have, sizeof have, grad->ndim, grad->shape),
                           format_dims(want, sizeof want, t->ndim, t->shape));
    if (!grad && !t->ag) return true;
    Autograd *ag = autograd_of(t);
    if (!ag) return false;
    tensor_keep(grad);
    tensor_release(ag->grad);
    ag->grad = grad;
    return true;
}

bool tensor_is_view(const Tensor *t) { return t->ag && t->ag->base; }

Tensor *tensor_detach(Tensor *t)
{
    Tensor *d = view_new(t);
    if (d) d->is_number = false;
    return d;
}

Tensor *tensor_uncounted_alias(Tensor *t)
{
    Tensor *d = tensor_detach(t);
    if (!d || !d->storage) return d;
    Storage *alias = storage_alias(d->storage);
    if (!alias) return NULL;
    storage_release(d->storage);
    d->storage = alias;
    return d;
}

bool tensor_retain_grad(Tensor *t)
{
    if (!needs_grad(t))
        return tide_refuse("RuntimeError", "can't retain_grad on Tensor that has requires_grad=False");
    Node *fn = tensor_grad_fn(t);
    if (!fn) return true; /* leaves always keep theirs */
    t->ag->retain_grad = true;
    *node_retained(fn, t->ag->output) = t;
    return true;
}

bool tensor_retains_grad(const Tensor *t) { return t->ag && t->ag->retain_grad; }

/* ---- recording ---- */

static bool list_needs_grad(const TensorList *list)
{
    for (int i = 0; i < list->n; i++)
        if (needs_grad(list->v[i])) return true;
    return false;
}

bool any_requires_grad(OpId op, const Arg *arg)
{
    const OpInfo *info = op_info(op);
    if (info->format == FORMAT_COMPARE) return false; /* the answer is bool */
    unsigned differentiable = vjp_use(op)->differentiable;
    for (int p = 0; p < info->nparam; p++) {
        if (!(differentiable >> p & 1)) continue;
        if (info->params[p].kind == 'L' ? list_needs_grad(arg[p].list) : needs_grad(arg[p].t)) return true;
    }
    return false;
}

static int variant_of(OpId op, const Arg *arg)
{
    const OpInfo *info = op_info(op);
    if (next_variant >= 0) return next_variant;
    if (info->variant_first && arg[0].t->is_number) return info->variant_first;
    if (info->format == FORMAT_REDUCE || (info->nparam == 2 && info->params[1].kind == 'D'))
        return arg[1].dims ? info->variant : info->variant_number;
    Tensor *last = info->nparam > 1 && strchr("TNO", info->params[info->nparam - 1].kind)
                       ? arg[info->nparam - 1].t
                       : NULL;
    return last && last->is_number ? info->variant_number : info->variant;
}

/* y's place in the graph becomes node n, whose reference is taken over. */
static Tensor *attach(Tensor *y, Node *n)
{
    Autograd *ag = n ? autograd_of(y) : NULL;
    if (!ag) {
        node_release(n);
        return NULL;
    }
    node_release(ag->fn);
    ag->fn = n;
    ag->output = 0;
    y->requires_grad = true;
    if (ag->retain_grad) n->retained = y;
    return y;
}

Tensor *autograd_record_view(Tensor *x, Tensor *y)
{
    if (!y || y == x || y->storage != x->storage) return y;
    Autograd *ag = autograd_of(y);
    if (!ag) return NULL;
    Tensor *base = x->ag && x->ag->base ? x->ag->base : x;
    ag->base = tensor_keep(base);
    ag->version = y->storage->version;
    return y;
}

Tensor *autograd_record(OpId op, const Arg *arg, Tensor *y)
{
    if (!y || !dtype_is_float((DType)y->dtype)) return y;
    if (op_info(op)->format == FORMAT_VIEW && !autograd_record_view(arg[0].t, y)) return NULL;
    return attach(y, node_record(op, arg, y, variant_of(op, arg)));
}

/* ---- in place ---- */

bool autograd_check_inplace(Tensor *x)
{
    Tensor *base = x->ag ? x->ag->base : NULL;
    if (custom_is_view(x)) {
        char name[128], *suffix;
        node_name(x->ag->fn, name, sizeof name);
        if ((suffix = strstr(name, "Backward"))) *suffix = 0;
        return tide_refuse(
            "RuntimeError",
            "Output %d of %s is a view and is being modified inplace. This view was created inside a custom "
            "Function (or because an input was returned as-is) and the autograd logic to handle "
            "view+inplace would override the custom backward associated with the custom Function, leading "
            "to incorrect gradients. This behavior is forbidden. You can fix this by cloning the output of "
            "the custom Function.",
            x->ag->output, name);
    }
    if (x->requires_grad && tensor_is_leaf(x))
        return tide_refuse("RuntimeError",
                           "a leaf Variable that requires grad is being used in an in-place operation.");
    if (base && base->requires_grad && tensor_is_leaf(base))
        return tide_refuse(
            "RuntimeError",
            "a view of a leaf Variable that requires grad is being used in an in-place operation.");
    return true;
}

Tensor *autograd_before_inplace(OpId op, Tensor *x)
{
    const VjpUse *use = vjp_use(op);
    bool read = false;
    for (int p = 0; p < op_info(op)->nparam; p++) read |= use->data[p] & 1;
    if (read) {
        Tensor *copy = tensor_like(x, (DType)x->dtype);
        if (!copy || !copy_plain(copy, x)) return NULL;
        Autograd *ag = needs_grad(x) ? autograd_of(copy) : NULL;
        if (!ag) return copy;
        ag->fn = gradient_target(x);
        ag->output = (uint16_t)tensor_output_nr(x);
        copy->requires_grad = true;
        return copy;
    }
    Tensor *place = view_new(x);
    if (place && needs_grad(x)) {
        Autograd *ag = autograd_of(place);
        if (!ag) return NULL;
        ag->fn = gradient_target(x);
        ag->output = (uint16_t)tensor_output_nr(x);
        place->requires_grad = true;
    }
    return place;
}

Tensor *autograd_record_inplace(OpId op, const Arg *arg, Tensor *x)
{
    Tensor *base = x->ag ? x->ag->base : NULL;
    if (!dtype_is_float((DType)x->dtype)) return x;
    Node *n = node_record(op, arg, x, variant_of(op, arg) + op_info(op)->variant_inplace);
    if (n) n->in_place = true;
    if (base) n = node_copy_slices(n, base, x);
    if (!attach(base ? base : x, n)) return NULL;
    x->storage->writer = node_writer(n);
    if (!base) return x;
    x->ag->version =
        x->storage->version - 1; /* older than the storage: its node is made anew from the base */
    refresh_view(x);
    return x;
}
