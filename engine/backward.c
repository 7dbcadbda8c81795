/* backward.c - the backward walk: iterative, newest node first. */
#include "engine/node.h"
#include "engine/store.h"

#include <stdlib.h>
#include <string.h>

static bool anomaly_on;

bool set_anomaly_enabled(bool on)
{
    bool was = anomaly_on;
    anomaly_on = on;
    return was;
}

/* One walk's state. */
typedef struct Walk {
    Node **node; /* every node that can be reached, each kept */
    size_t n, capacity;
    uint64_t id;
    bool create_graph;
    bool accumulate;   /* leaves' .grad is written: backward(), not grad() */
    TensorList inputs; /* those whose gradients are wanted; n = 0: all leaves */
    Node **target;     /* inputs' nodes, kept */
    Tensor **captured; /* inputs' gradients, kept */
} Walk;

static uint64_t walks;

/* ---- finding the nodes ---- */

static bool push_node(Walk *w, Node *n)
{
    if (!n || n->walk == w->id) return true;
    if (w->n == w->capacity) {
        size_t capacity = w->capacity ? w->capacity * 2 : 64;
        Node **grown = tide_realloc(w->node, capacity * sizeof *grown);
        if (!grown) return false;
        w->node = grown;
        w->capacity = capacity;
    }
    n->walk = w->id;
    w->node[w->n++] = node_keep(n);
    return true;
}

static int newest_first(const void *a, const void *b)
{
    const Node *x = *(Node *const *)a, *y = *(Node *const *)b;
    return x->number < y->number ? 1 : x->number > y->number ? -1 : 0;
}

/* Breadth-first from the roots; then by number, which is a topological order because inputs are always older. A leaf's
 * accumulator may be younger than its users: it has no inputs of its own, so it is put last. */
static bool collect(Walk *w)
{
    for (size_t i = 0; i < w->n; i++)
        for (int k = 0; k < w->node[i]->nedge; k++)
            if (!push_node(w, w->node[i]->edge[k].fn)) return false;
    size_t ops = 0;
    for (size_t i = 0; i < w->n; i++) {
        if (w->node[i]->kind == NODE_ACCUMULATE) continue;
        Node *n = w->node[i];
        w->node[i] = w->node[ops];
        w->node[ops++] = n;
    }
    qsort(w->node, ops, sizeof *w->node, newest_first);
    qsort(w->node + ops, w->n - ops, sizeof *w->node, newest_first);
    return true;
}

/* ---- handing gradients on ---- */

/* Adds g to the gradient waiting at n. */
static bool deliver(Node *n, Tensor *g, bool create_graph)
{
    if (!n->g) {
        n->g = tensor_keep(g);
        return true;
    }
    Tensor *sum;
    bool ours = !create_graph && n->g->refs == 1 && n->g->storage->refs == 1 && n->g->contiguous &&
                n->g->dtype == g->dtype;
    if (ours)
        sum = op_apply_inplace(OP_add, (Arg[]){{.t = n->g}, {.t = g}});
    else
        sum = op_add(n->g, g);
    if (!sum) return false;
    tensor_keep(sum);
    tensor_release(n->g);
    n->g = sum;
    return true;
}

/* Broadcasting is undone here, once for all ops: g in the operand's shape, dtype and device. */
static Tensor *fit_to_operand(Tensor *g, const Tensor *meta)
{
    if (!g || !meta) return g;
    if (!tensor_same_shape(g, meta)) {
        Dims shape = tensor_dims(meta);
        g = op_sum_to(g, &shape);
    }
    if (g && (g->dtype != meta->dtype || g->device.type != meta->device.type ||
              g->device.index != meta->device.index))
        g = op_to_copy(g, (DType)meta->dtype, meta->device.type * 256 + meta->device.index);
    return g;
}

static Tensor *run_hooks(Hook *h, Tensor *g)
{
    while (h && g) {
        Hook *next = h->next; /* a hook may remove itself */
        Tensor *other = h->call(g, h->context);
        if (tide_failed()) return NULL;
        if (other) g = other;
        h = next;
    }
    return g;
}

static bool contains_nan(Tensor *g)
{
    double any = 0;
    bool was = set_grad_enabled(false);
    Tensor *t = op_any(op_isnan(g), NULL, false);
    set_grad_enabled(was);
    return t && tensor_item_double(t, &any) && any != 0;
}

static bool check_anomaly(const Node *n, Tensor *g, int output)
{
    char name[64];
    if (!anomaly_on || !g || !contains_nan(g)) return true;
    return tide_refuse("RuntimeError", "Function '%s' returned nan values in its %dth output.%s%s",
                       node_name(n, name, sizeof name), output, n->where ? " It was recorded at " : "",
                       n->where ? n->where : "");
}

/* ---- kinds of node ---- */

static bool accumulate_leaf(Walk *w, Node *n)
{
    Tensor *leaf = n->variable, *g = n->g;
    Autograd *ag = autograd_of(leaf);
    if (!ag) return false;
    bool dense = g->contiguous && g->storage->refs == 1 && g->refs == 1;
    Tensor *grad;
    if (!ag->grad) {
        grad = w->create_graph || dense ? g : op_clone(g); /* a gradient nobody else sees is taken as it is */
        if (grad && !grad->contiguous && !w->create_graph) grad = op_contiguous(grad);
    } else if (w->create_graph) {
        grad = op_add(ag->grad, g);
    } else {
        grad = op_apply_inplace(OP_add, (Arg[]){{.t = ag->grad}, {.t = g}});
    }
    if (!grad) return false;
    tensor_keep(grad);
    tensor_release(ag->grad);
    ag->grad = grad;
    return true;
}

static bool pass_on(Walk *w, Node *n, int edge, Tensor *g)
{
    Edge *e = &n->edge[edge];
    if (!e->fn || !g) return true;
    if (!check_anomaly(n, g, edge)) return false;
    g = fit_to_operand(g, e->meta);
    return g && deliver(e->fn, g, w->create_graph);
}

/* Whether anybody waits for this operand's gradient. */
static bool wanted(const Walk *w, const Edge *e) { return e->fn && e->fn->walk == w->id; }

static bool run_formulas(Walk *w, Node *n, Tensor *g, Tensor **first)
{
    const OpInfo *info = op_info((OpId)n->op);
    Tensor *inline_operand[NODE_INLINE_EDGES], *inline_meta[NODE_INLINE_EDGES];
    Tensor **room = NULL, **operand = inline_operand, **meta = inline_meta;
    bool ok = true;
    if (n->nedge > NODE_INLINE_EDGES) {
        room = tide_malloc(2 * (size_t)n->nedge * sizeof *room);
        if (!room) return false;
        operand = room;
        meta = room + n->nedge;
    }
    Unpacked u;
    if (!node_unpack(n, w->create_graph, operand, &u)) ok = false;
    for (int i = 0; ok && i < n->nedge; i++)
        meta[i] =
            n->edge[i].meta ? n->edge[i].meta : g; /* no meta: the operand has the result's shape and dtype */
    for (int p = 0, at = 0; ok && p < info->nparam; p++) {
        char kind = info->params[p].kind;
        int count = kind == 'L' ? u.list[p].n : strchr("TNO", kind) != NULL;
        for (int k = 0; ok && k < count; k++, at++) {
            if (!wanted(w, &n->edge[at]) && !(first && at == 0)) continue;
            Vjp v = {.arg = u.arg, .meta = meta, .y = u.result, .g = g, .k = k};
            Tensor *gp = vjp_apply((OpId)n->op, &v, p);
            if (tide_failed())
                ok = false;
            else if (first && at == 0)
                *first = gp;
            else
                ok = pass_on(w, n, at, gp);
        }
    }
    free(room);
    return ok;
}

/* An in-place write to a window of a base: the window's gradient goes through the op, the rest stays. */
static bool run_copy_slices(Walk *w, Node *n)
{
    SliceTarget *t = n->target;
    if (!t->base->contiguous)
        return tide_refuse("NotImplementedError",
                           "gradient of an in-place write to a view of a tensor that is not contiguous");
    Tensor *window = op_as_strided(op_contiguous(n->g), &t->size, &t->stride, t->offset - t->base->offset);
    Tensor *first = NULL;
    if (!window || !run_formulas(w, n, op_clone(window), &first)) return false;
    if (!n->edge[0].fn) return true;
    Tensor *g = op_clone(op_contiguous(n->g));
    Tensor *place = op_as_strided(g, &t->size, &t->stride, t->offset - t->base->offset);
    if (!place || !tensor_copy_(place, first ? fit_to_operand(first, n->edge[0].meta) : tensor_integer(0)))
        return false;
    return deliver(n->edge[0].fn, g, w->create_graph);
}

static bool run_custom(Walk *w, Node *n)
{
    Tensor **grads = tide_malloc((size_t)(n->nedge ? n->nedge : 1) * sizeof *grads);
    if (!grads) return false;
    memset(grads, 0, (size_t)n->nedge * sizeof *grads);
    bool ok = n->custom->backward(n->custom->context, n->g, grads);
    for (int i = 0; ok && i < n->nedge; i++)
        if (wanted(w, &n->edge[i])) ok = pass_on(w, n, i, grads[i]);
    free(grads);
    return ok && !tide_failed();
}

static bool capture(Walk *w, Node *n)
{
    bool found = false;
    for (int i = 0; i < w->inputs.n; i++) {
        if (w->target[i] != n) continue;
        found = true;
        tensor_release(w->captured[i]);
        w->captured[i] = tensor_keep(n->g);
    }
    return found;
}

static bool saved_something(const Node *n)
{
    const VjpUse *use = vjp_use((OpId)n->op);
    for (int p = 0; p < n->nparam; p++)
        if (use->data[p] || (use->result >> p & 1)) return true;
    return false;
}

static bool run_node(Walk *w, Node *n)
{
    if (n->hooks || (n->variable && n->variable->ag && n->variable->ag->hooks)) {
        Tensor *g = run_hooks(n->variable ? n->variable->ag->hooks : n->hooks, n->g);
        if (!g) return false;
        tensor_keep(g);
        tensor_release(n->g);
        n->g = g;
    }
    if (n->retained && w->accumulate && !tensor_set_grad(n->retained, n->g)) return false;
    bool captured = capture(w, n);
    if (n->kind == NODE_ACCUMULATE)
        return !w->accumulate || (w->inputs.n && !captured) || accumulate_leaf(w, n);
    if (n->kind == NODE_CUSTOM) return run_custom(w, n);
    if (n->released && saved_something(n))
        return tide_refuse(
            "RuntimeError",
            "Trying to backward through the graph a second time (or directly access saved tensors after "
            "they have already been freed). Saved intermediate values of the graph are freed when you call "
            ".backward() or autograd.grad(). Specify retain_graph=True if you need to backward through the "
            "graph a "
            "second time or if you need to access saved tensors after calling backward.");
    if (n->kind == NODE_COPY_SLICES) return run_copy_slices(w, n);
    return run_formulas(w, n, n->g, NULL);
}

/* ---- roots ---- */

static bool seed_root(Walk *w, Tensor *y, Tensor *g, int index)
{
    char have[256], want[256];
    if (!needs_grad(y))
        return tide_refuse("RuntimeError",
                           "element %d of tensors does not require grad and does not have a grad_fn", index);
    if (!g) {
        if (y->numel != 1)
            return tide_refuse("RuntimeError", "grad can be implicitly created only for scalar outputs");
        Dims shape = tensor_dims(y);
        g = tensor_full(&shape, 1, (DType)y->dtype, y->device);
    } else if (!tensor_same_shape(y, g)) {
        return tide_refuse(
            "RuntimeError",
            "Mismatch in shape: grad_output[%d] has a shape of torch.Size(%s) and output[%d] has a shape of "
            "torch.Size(%s).",
            index, format_dims(have, sizeof have, g->ndim, g->shape), index,
            format_dims(want, sizeof want, y->ndim, y->shape));
    } else if (g->dtype != y->dtype) {
        g = op_to_copy(g, (DType)y->dtype, y->device.type * 256 + y->device.index);
    }
    Node *n = g ? gradient_target(y) : NULL;
    bool ok = n && push_node(w, n) && deliver(n, g, w->create_graph);
    node_release(n);
    return ok;
}

/* grad() needs only the nodes on the way to its inputs: the others leave the walk, so that nothing is sent to them. */
static void prune(Walk *w)
{
    for (size_t i = w->n; i-- > 0;) {
        Node *n = w->node[i];
        bool needed = false;
        for (int k = 0; k < w->inputs.n; k++) needed |= w->target[k] == n;
        for (int k = 0; k < n->nedge; k++) needed |= n->edge[k].fn && n->edge[k].fn->walk == w->id;
        if (!needed) n->walk = 0;
    }
}

static bool find_targets(Walk *w, TensorList inputs)
{
    w->target = tide_malloc((size_t)inputs.n * sizeof *w->target);
    w->captured = tide_malloc((size_t)inputs.n * sizeof *w->captured);
    if (!w->target || !w->captured) return false;
    memset(w->target, 0, (size_t)inputs.n * sizeof *w->target);
    memset(w->captured, 0, (size_t)inputs.n * sizeof *w->captured);
    w->inputs = inputs;
    for (int i = 0; i < inputs.n; i++) {
        if (!needs_grad(inputs.v[i]))
            return tide_refuse("RuntimeError", "One of the differentiated Tensors does not require grad");
        if (!(w->target[i] = gradient_target(inputs.v[i]))) return false;
    }
    return true;
}

/* The outputs are looked at before the inputs: what is wrong with both is said of the outputs, as PyTorch does. */
static bool walk_graph(Walk *w, TensorList y, TensorList gradient, const TensorList *inputs,
                       bool retain_graph)
{
    bool was = set_grad_enabled(w->create_graph), ok = true;
    int mark = scope_open();
    for (int i = 0; i < y.n && ok; i++) ok = seed_root(w, y.v[i], i < gradient.n ? gradient.v[i] : NULL, i);
    scope_close(mark);
    ok = ok && (!inputs || find_targets(w, *inputs)) && collect(w);
    if (ok && w->inputs.n) prune(w);
    for (size_t i = 0; i < w->n && ok; i++) {
        Node *n = w->node[i];
        if (!n->g || n->walk != w->id) continue;
        ok = !tide_check_interrupt();
        mark = scope_open();
        ok = ok && run_node(w, n);
        scope_close(mark);
        tensor_release(n->g);
        n->g = NULL;
        if (ok && !retain_graph && n->kind != NODE_ACCUMULATE) {
            node_release_saved(n);
            n->released = true;
        }
    }
    set_grad_enabled(was);
    return ok;
}

static void walk_finish(Walk *w)
{
    for (size_t i = 0; i < w->n; i++) {
        tensor_release(w->node[i]->g);
        w->node[i]->g = NULL;
        node_release(w->node[i]);
    }
    free(w->node);
    for (int i = 0; i < w->inputs.n; i++) {
        if (w->target) node_release(w->target[i]);
        if (w->captured) tensor_release(w->captured[i]);
    }
    free(w->target);
    free(w->captured);
}

bool autograd_backward(TensorList y, TensorList gradient, bool retain_graph, bool create_graph,
                       const TensorList *inputs)
{
    if (tide_failed()) return false;
    Walk w = {.id = ++walks, .create_graph = create_graph, .accumulate = true};
    bool ok = walk_graph(&w, y, gradient, inputs, retain_graph || create_graph);
    walk_finish(&w);
    return ok;
}

bool autograd_grad(TensorList y, TensorList gradient, TensorList inputs, bool retain_graph, bool create_graph,
                   bool allow_unused, Tensor **out)
{
    if (tide_failed()) return false;
    Walk w = {.id = ++walks, .create_graph = create_graph};
    bool ok = walk_graph(&w, y, gradient, &inputs, retain_graph || create_graph);
    for (int i = 0; i < inputs.n && ok; i++) {
        out[i] = w.captured[i] ? scope_own(tensor_keep(w.captured[i])) : NULL;
        if (!out[i] && !allow_unused)
            ok = tide_refuse(
                "RuntimeError",
                "One of the differentiated Tensors appears to not have been used in the graph. Set "
                "allow_unused=True if this is the desired behavior.");
    }
    walk_finish(&w);
    return ok;
}

/* ---- hooks ---- */

int tensor_register_hook(Tensor *t, GradHook call, void (*free_context)(void *), void *context)
{
    static int ids;
    if (!needs_grad(t)) {
        tide_fail("RuntimeError", "cannot register a hook on a tensor that doesn't require gradient");
        return 0;
    }
    Node *fn = tensor_grad_fn(t);
    Autograd *ag = autograd_of(t);
    Hook *h = ag ? tide_malloc(sizeof *h) : NULL;
    if (!h) return 0;
    *h = (Hook){.id = ++ids, .call = call, .free_context = free_context, .context = context};
    Hook **list = fn ? &fn->hooks : &ag->hooks;
    while (*list) list = &(*list)->next; /* they run in the order of registration */
    *list = h;
    return h->id;
}

void tensor_remove_hook(Tensor *t, int id)
{
    if (!t->ag) return;
    Hook **list = t->ag->fn ? &t->ag->fn->hooks : &t->ag->hooks;
    for (; *list; list = &(*list)->next) {
        if ((*list)->id != id) continue;
        Hook *h = *list;
        *list = h->next;
        h->next = NULL;
        hooks_free(h);
        return;
    }
}
