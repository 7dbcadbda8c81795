/* backward.c - the backward walk: iterative, newest node first. */
#include "engine/node.h"
#include "engine/store.h"

#include <stdlib.h>
#include <string.h>

static bool anomaly_on, anomaly_nan = true;

bool set_anomaly_enabled(bool on, bool check_nan)
{
    bool was = anomaly_on;
    anomaly_on = on;
    anomaly_nan = check_nan;
    return was;
}

bool anomaly_enabled(void) { return anomaly_on; }
bool anomaly_checks_nan(void) { return anomaly_nan; }

/* What a node had from a walk that is still under way further out (a hook or a custom backward may begin another). */
typedef struct Interrupted {
    uint64_t walk;
    Tensor *g;
} Interrupted;

/* One walk's state. */
typedef struct Walk {
    Node **node; /* every node that can be reached, each kept */
    size_t n, capacity;
    Interrupted *interrupted; /* of walks within walks: one a node of found, in the order of finding */
    Node **found;
    uint64_t id;
    bool create_graph;
    bool accumulate;   /* leaves' .grad is written: backward(), not grad() */
    TensorList inputs; /* those whose gradients are wanted; n = 0: all leaves */
    Node **target;     /* inputs' nodes, kept */
    Tensor **captured; /* inputs' gradients, kept */
    Tensor **collected; /* while a node with hooks runs: its operands' gradients */
} Walk;

static uint64_t walks;
static int depth; /* walks under way */

/* ---- finding the nodes ---- */

static bool grow_interrupted(Walk *w, size_t capacity)
{
    Interrupted *grown = tide_realloc(w->interrupted, capacity * sizeof *grown);
    if (grown) w->interrupted = grown;
    Node **found = grown ? tide_realloc(w->found, capacity * sizeof *found) : NULL;
    if (found) w->found = found;
    return found != NULL;
}

static bool push_node(Walk *w, Node *n)
{
    if (!n || n->walk == w->id) return true;
    if (w->n == w->capacity) {
        size_t capacity = w->capacity ? w->capacity * 2 : 64;
        Node **grown = tide_realloc(w->node, capacity * sizeof *grown);
        if (!grown) return false;
        w->node = grown;
        if (depth > 1 && !grow_interrupted(w, capacity)) return false;
        w->capacity = capacity;
    }
    if (depth > 1) {
        w->interrupted[w->n] = (Interrupted){n->walk, n->g};
        w->found[w->n] = n;
        n->g = NULL;
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

static void replace(Tensor **place, Tensor *t)
{
    if (*place == t) return;
    tensor_release(*place);
    *place = tensor_keep(t);
}

/* Whether g may be added into what waits already, instead of making their sum. */
static bool is_ours(const Tensor *waiting, const Tensor *g, bool create_graph)
{
    return !create_graph && waiting->refs == 1 && waiting->storage->refs == 1 && waiting->contiguous &&
           waiting->dtype == g->dtype;
}

/* Adds g to the gradient waiting for one of n's results. */
static bool deliver(Node *n, int output, Tensor *g, bool create_graph)
{
    Tensor **place = node_gradient(n, output), *former = *place;
    if (!former) {
        *place = tensor_keep(g);
        return true;
    }
    Tensor *sum = is_ours(former, g, create_graph) ? op_apply_inplace(OP_add, (Arg[]){{.t = former}, {.t = g}})
                                                   : op_add(former, g);
    if (!sum) return false;
    replace(place, sum);
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
    if (!anomaly_on || !anomaly_nan || !g || !contains_nan(g)) return true;
    char where[256] = "";
    if (n->place) node_where(n, where, sizeof where);
    return tide_refuse("RuntimeError", "Function '%s' returned nan values in its %dth output.%s%s",
                       node_name(n, name, sizeof name), output, n->place ? " It was recorded at " : "", where);
}

/* ---- kinds of node ---- */

static bool accumulate_leaf(Walk *w, Node *n)
{
    Tensor *leaf = n->variable, *g = n->g;
    Autograd *ag = autograd_of(leaf);
    if (!ag || !g) return ag != NULL;
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
    replace(&ag->grad, grad);
    return !ag->hooks || hooks_run(ag->hooks, HOOK_ACCUMULATED, 0, &leaf);
}

static bool pass_on(Walk *w, Node *n, int edge, Tensor *g)
{
    Edge *e = &n->edge[edge];
    if (!e->fn || !g) return true;
    if (!check_anomaly(n, g, edge)) return false;
    g = fit_to_operand(g, e->meta);
    if (g && w->collected) return (w->collected[edge] = g) != NULL;
    return g && deliver(e->fn, e->output, g, w->create_graph);
}

/* Whether anybody waits for this operand's gradient. */
static bool wanted(const Walk *w, const Edge *e) { return e->fn && e->fn->walk == w->id; }

/* Whether g is of the operand's shape broadcast. edge counts the operands that have a derivative. */
static bool check_shape(const Node *n, const Tensor *g, const Tensor *meta, int edge)
{
    char name[128], have[256], want[256];
    bool fits = g->ndim >= meta->ndim;
    for (int i = 1; fits && i <= meta->ndim; i++)
        fits = meta->shape[meta->ndim - i] == 1 || meta->shape[meta->ndim - i] == g->shape[g->ndim - i];
    return fits || tide_refuse("RuntimeError",
                               "Function %s returned an invalid gradient at index %d - got %s but expected shape "
                               "compatible with %s",
                               node_name(n, name, sizeof name), edge,
                               format_dims(have, sizeof have, g->ndim, g->shape),
                               format_dims(want, sizeof want, meta->ndim, meta->shape));
}

/* Adds the gradient of a piece of a tensor at its place in what waits for the whole, so that n pieces cost as much as the
 * whole and not n times that. False when it has to be handed on as all others. */
static bool add_piece(const Walk *w, Node *n, const Unpacked *u, Tensor *g)
{
    const Edge *e = &n->edge[0];
    Tensor *whole = e->fn ? *node_gradient(e->fn, e->output) : NULL;
    if (!whole || !is_ours(whole, g, w->create_graph) || w->collected || anomaly_on) return false;
    Arg arg[OP_MAXPARAM];
    memcpy(arg, u->arg, sizeof arg);
    arg[0].t = whole;
    Tensor *place = op_apply((OpId)n->op, arg);
    return place && op_apply_inplace(OP_add, (Arg[]){{.t = place}, {.t = g}});
}

static bool run_formulas(Walk *w, Node *n, Tensor *g, Tensor **first)
{
    const OpInfo *info = op_info((OpId)n->op);
    if (n->underivable)
        return tide_refuse("RuntimeError", "derivative for aten::%s%s is not implemented", info->name,
                           n->in_place ? "_" : "");
    unsigned differentiable = vjp_use((OpId)n->op)->differentiable;
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
    for (int p = 0, at = 0, edge = 0; ok && p < info->nparam; p++) {
        char kind = info->params[p].kind;
        int count = kind == 'L' ? u.list[p].n : strchr("TNO", kind) != NULL;
        for (int k = 0; ok && k < count; k++, at++, edge += differentiable >> p & 1) {
            if (!wanted(w, &n->edge[at]) && !(first && at == 0)) continue;
            if (info->piece && !first && add_piece(w, n, &u, g)) continue;
            Vjp v = {.arg = u.arg, .meta = meta, .y = u.result, .g = g, .k = k};
            Tensor *gp = vjp_apply((OpId)n->op, &v, p);
            if (!tide_failed() && gp && !(first && at == 0) && check_shape(n, gp, meta[at], edge))
                gp = fit_to_operand(gp, meta[at]);
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
    int64_t offset = t->offset - t->base->offset;
    Tensor *g = laid_out(n->g, t->base), *window = op_as_strided(g, &t->size, &t->stride, offset), *first = NULL;
    if (!window || !run_formulas(w, n, op_clone(window), &first)) return false;
    if (!n->edge[0].fn) return true;
    if (!tensor_copy_(window, first ? fit_to_operand(first, n->edge[0].meta) : tensor_integer(0))) return false;
    if (w->collected) return (w->collected[0] = g) != NULL;
    return deliver(n->edge[0].fn, n->edge[0].output, g, w->create_graph);
}

/* Zeros for the gradients that did not come. */
static bool materialize(CustomNode *custom, Tensor **g)
{
    for (int i = 0; i < custom->noutput; i++) {
        const Tensor *meta = custom->output[i].meta;
        if (g[i] || !meta) continue;
        Dims shape = tensor_dims(meta);
        if (!(g[i] = tensor_full(&shape, 0, (DType)meta->dtype, meta->device))) return false;
    }
    return true;
}

static bool check_fits(const Node *n, int i, const Tensor *g)
{
    char have[256], want[256], name[128];
    const Tensor *meta = n->edge[i].meta;
    if (!g) return true;
    bool fits = g->ndim >= meta->ndim;
    for (int d = 1; fits && d <= meta->ndim; d++) {
        int64_t size = meta->shape[meta->ndim - d];
        fits = size == 1 || size == g->shape[g->ndim - d];
    }
    return fits || tide_refuse("RuntimeError",
                               "Function %s returned an invalid gradient at index %d - got %s but expected "
                               "shape compatible with %s",
                               node_name(n, name, sizeof name), i,
                               format_dims(have, sizeof have, g->ndim, g->shape),
                               format_dims(want, sizeof want, meta->ndim, meta->shape));
}

static bool run_custom(Walk *w, Node *n)
{
    CustomNode *custom = n->custom;
    size_t count = (size_t)n->nedge + (size_t)custom->noutput;
    Tensor **grads = tide_malloc(count * sizeof *grads), **g = grads + n->nedge;
    if (!grads) return false;
    memset(grads, 0, count * sizeof *grads);
    for (int i = 0; i < custom->noutput; i++) g[i] = *node_gradient(n, i);
    bool ok = !custom->function.materialize || materialize(custom, g);
    ok = ok && custom->function.backward(custom->function.context, n, g, grads);
    for (int i = 0; ok && i < n->nedge; i++)
        if (wanted(w, &n->edge[i])) ok = check_fits(n, i, grads[i]) && pass_on(w, n, i, grads[i]);
    free(grads);
    return ok && !tide_failed();
}

static bool capture(Walk *w, Node *n)
{
    bool found = false;
    for (int i = 0; i < w->inputs.n; i++) {
        if (w->target[i] != n) continue;
        found = true;
        replace(&w->captured[i], *node_gradient(n, tensor_output_nr(w->inputs.v[i])));
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

/* The hooks of n's results, and their .grad where it is to be kept. */
static bool finish_gradients(Walk *w, Node *n)
{
    Hook *hooks = n->variable ? n->variable->ag ? n->variable->ag->hooks : NULL : n->hooks;
    for (int i = 0; i < node_outputs(n); i++) {
        Tensor **place = node_gradient(n, i), *g = *place, *retained = *node_retained(n, i);
        if (!g) continue;
        if (hooks && !hooks_run(hooks, HOOK_GRADIENT, i, &g)) return false;
        replace(place, g);
        if (retained && w->accumulate && !tensor_set_grad(retained, g)) return false;
    }
    return true;
}

static bool compute(Walk *w, Node *n, bool captured)
{
    if (n->kind == NODE_ACCUMULATE)
        return !w->accumulate || (w->inputs.n && !captured) || accumulate_leaf(w, n);
    if (n->kind == NODE_CUSTOM) return run_custom(w, n);
    if (n->released && saved_something(n)) {
        tide_fail(
            "RuntimeError",
            "Trying to backward through the graph a second time (or directly access saved tensors after "
            "they have already been freed). Saved intermediate values of the graph are freed when you call "
            ".backward() or autograd.grad(). Specify retain_graph=True if you need to backward through the "
            "graph a "
            "second time or if you need to access saved tensors after calling backward.");
        return node_blame(n, "what it saved was freed by an earlier backward");
    }
    if (n->kind == NODE_COPY_SLICES) return run_copy_slices(w, n);
    return run_formulas(w, n, n->g, NULL);
}

/* compute() between the node's own hooks. */
static bool compute_with_hooks(Walk *w, Node *n, bool captured)
{
    int nout = node_outputs(n), nin = n->nedge;
    Tensor **in = tide_malloc((size_t)(nin + nout) * sizeof *in), **out = in + nin;
    if (!in) return false;
    memset(in, 0, (size_t)(nin + nout) * sizeof *in);
    for (int i = 0; i < nout; i++) out[i] = *node_gradient(n, i);
    bool ok = node_hooks_run(n, HOOK_BEFORE, NULL, 0, out, nout);
    for (int i = 0; ok && i < nout; i++) replace(node_gradient(n, i), out[i]);
    w->collected = in;
    ok = ok && compute(w, n, captured);
    w->collected = NULL;
    ok = ok && node_hooks_run(n, HOOK_AFTER, in, nin, out, nout);
    for (int i = 0; ok && i < nin; i++)
        if (in[i] && n->edge[i].fn) ok = deliver(n->edge[i].fn, n->edge[i].output, in[i], w->create_graph);
    free(in);
    return ok;
}

static bool run_node(Walk *w, Node *n)
{
    if (!finish_gradients(w, n)) return false;
    bool captured = capture(w, n);
    if (n->hooks && (node_has_hook(n, HOOK_BEFORE) || node_has_hook(n, HOOK_AFTER)))
        return compute_with_hooks(w, n, captured);
    return compute(w, n, captured);
}

static bool has_gradient(Node *n)
{
    for (int i = 0; i < node_outputs(n); i++)
        if (*node_gradient(n, i)) return true;
    return false;
}

static void drop_gradients(Node *n)
{
    for (int i = 0; i < node_outputs(n); i++) {
        tensor_release(*node_gradient(n, i));
        *node_gradient(n, i) = NULL;
    }
}

/* ---- roots ---- */

static bool seed_root(Walk *w, Tensor *y, Tensor *g, int index)
{
    char have[256], want[256];
    if (!needs_grad(y)) {
        tide_fail("RuntimeError", "element %d of tensors does not require grad and does not have a grad_fn", index);
        if (y->storage && y->storage->place) tide_error_note("the tensor was made in %s", y->storage->place->name);
        return false;
    }
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
    bool ok = n && push_node(w, n) && deliver(n, tensor_output_nr(y), g, w->create_graph);
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
    if (gradient.n && gradient.n != y.n)
        ok = tide_refuse("RuntimeError", "got %d tensors and %d gradients", y.n, gradient.n);
    depth++;
    int mark = scope_open();
    for (int i = 0; i < y.n && ok; i++) ok = seed_root(w, y.v[i], i < gradient.n ? gradient.v[i] : NULL, i);
    scope_close(mark);
    ok = ok && (!inputs || find_targets(w, *inputs)) && collect(w);
    if (ok && w->inputs.n) prune(w);
    for (size_t i = 0; i < w->n && ok; i++) {
        Node *n = w->node[i];
        if (n->walk != w->id || !has_gradient(n)) continue;
        ok = !tide_check_interrupt();
        mark = scope_open();
        ok = ok && run_node(w, n);
        scope_close(mark);
        drop_gradients(n);
        if (ok && !retain_graph && n->kind != NODE_ACCUMULATE) {
            node_release_saved(n);
            n->released = true;
            if (n->custom && n->custom->function.release)
                n->custom->function.release(n->custom->function.context);
        }
    }
    depth--;
    set_grad_enabled(was);
    return ok;
}

static void walk_finish(Walk *w)
{
    for (size_t i = 0; i < w->n; i++) drop_gradients(w->node[i]);
    for (size_t i = 0; w->found && i < w->n; i++) {
        w->found[i]->walk = w->interrupted[i].walk;
        w->found[i]->g = w->interrupted[i].g;
    }
    for (size_t i = 0; i < w->n; i++) node_release(w->node[i]);
    free(w->node);
    free(w->found);
    free(w->interrupted);
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
    for (int i = 0; inputs && i < inputs->n; i++)
        if (!tensor_retain_grad(inputs->v[i])) return false;
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
