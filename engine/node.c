/* node.c - graph nodes: making, naming, unpacking and freeing them. */
#include "engine/node.h"

#include "engine/store.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t nodes_made;
static Node *free_nodes;         /* linked through edge */
static Autograd *free_autograds; /* linked through fn */

/* ---- small structs ---- */

Autograd *autograd_struct_new(void)
{
    Autograd *ag = free_autograds;
    if (ag)
        free_autograds = (Autograd *)(void *)ag->fn;
    else if (!(ag = tide_malloc(sizeof *ag)))
        return NULL;
    *ag = (Autograd){0};
    return ag;
}

void autograd_struct_free(Autograd *ag)
{
#ifdef __SANITIZE_ADDRESS__
    free(ag);
#else
    ag->fn = (Node *)(void *)free_autograds;
    free_autograds = ag;
#endif
}

Node *node_new(NodeKind kind)
{
    Node *n = free_nodes;
    if (n)
        free_nodes = (Node *)(void *)n->edge;
    else if (!(n = tide_malloc(sizeof *n)))
        return NULL;
    memset(n, 0, sizeof *n);
    n->refs = 1;
    n->kind = (uint8_t)kind;
    n->number = ++nodes_made;
    n->edge = n->inline_edge;
    n->arg = n->inline_arg;
    if (kind != NODE_ACCUMULATE) n->line = place_line(&n->place);
    return n;
}

void node_renumber(Node *n) { n->number = ++nodes_made; }

Node *node_keep(Node *n)
{
    if (n) n->refs++;
    return n;
}

/* Drops everything n refers to but its edges' nodes, which the caller unlinks. */
static void node_clear(Node *n)
{
    node_release_saved(n);
    if (n->kind == NODE_OP || n->kind == NODE_COPY_SLICES) {
        const OpInfo *info = op_info((OpId)n->op);
        for (int p = 0; p < info->nparam; p++)
            if (info->params[p].kind == 'D') free((void *)(uintptr_t)n->arg[p].dims);
    }
    for (int i = 0; i < n->nedge; i++) tensor_release(n->edge[i].meta);
    if (n->variable) {
        if (n->variable->ag) n->variable->ag->accumulator = NULL;
        tensor_release(n->variable);
    }
    hooks_free(n->hooks);
    tensor_release(n->g);
    if (n->target) {
        tensor_release(n->target->base);
        free(n->target);
    }
    if (n->custom) custom_free(n->custom);
}

/* A graph may be a chain of millions of nodes: they are freed from a list of work, never by recursion. */
void node_release(Node *n)
{
    static Node *work; /* linked through hooks' neighbour: the walk number is free by now, g is not */
    static bool busy;
    if (!n || --n->refs > 0) return;
    n->walk = (uint64_t)(uintptr_t)work;
    work = n;
    if (busy) return;
    busy = true;
    while (work) {
        Node *next = work;
        work = (Node *)(uintptr_t)next->walk;
        node_clear(next);
        for (int i = 0; i < next->nedge; i++) node_release(next->edge[i].fn);
        if (next->edge != next->inline_edge) free(next->edge);
#ifdef __SANITIZE_ADDRESS__
        free(next);
#else
        next->edge = (Edge *)(void *)free_nodes;
        free_nodes = next;
#endif
    }
    busy = false;
}

void node_release_saved(Node *n)
{
    for (int i = 0; i < n->nedge; i++) {
        tensor_release(n->edge[i].saved);
        n->edge[i].saved = NULL;
    }
    tensor_release(n->result);
    n->result = NULL;
}

/* ---- recording ---- */

static int count_operands(const OpInfo *info, const Arg *arg)
{
    int n = 0;
    for (int p = 0; p < info->nparam; p++) {
        char kind = info->params[p].kind;
        if (kind == 'L')
            n += arg[p].list->n;
        else if (strchr("TNO", kind))
            n++;
    }
    return n;
}

/* t as it is now, apart from later in-place changes to its place in the graph. */
static Tensor *save_tensor(Tensor *t)
{
    if (t->requires_grad && (!t->ag || !t->ag->fn)) return tensor_keep(t); /* leaves stay themselves */
    return tensor_keep(view_new(t));
}

bool node_fill_edge(Edge *e, Tensor *t, const Tensor *y, EdgeNeeds needs)
{
    if (!t) return true;
    e->is_number = t->is_number;
    if (needs.differentiable && needs_grad(t)) {
        e->fn = gradient_target(t);
        if (!e->fn) return false;
        e->output = (uint16_t)tensor_output_nr(t);
    }
    if (needs.data) {
        e->saved = save_tensor(t);
        e->version = t->storage->version - needs.overwritten;
        if (!e->saved) return false;
    }
    if (needs.meta || (e->fn && (!tensor_same_shape(t, y) || t->dtype != y->dtype))) {
        e->meta = tensor_keep(meta_new(t));
        if (!e->meta) return false;
    }
    return true;
}

static const Dims *copy_dims(const Dims *d)
{
    Dims *copy = tide_malloc(sizeof *copy);
    if (copy) *copy = *d;
    return copy;
}

static bool fill_args(Node *n, const OpInfo *info, const Arg *arg)
{
    for (int p = 0; p < info->nparam; p++) {
        char kind = info->params[p].kind;
        if (strchr("TNO", kind)) continue;
        n->arg[p] = arg[p];
        if (kind == 'L') n->arg[p].i = arg[p].list->n;
        if (kind == 'D' && arg[p].dims && !(n->arg[p].dims = copy_dims(arg[p].dims))) return false;
    }
    return true;
}

/* The formulas that will run: those of operands that want a gradient. */
static unsigned wanted_formulas(const OpInfo *info, const Arg *arg, const VjpUse *use)
{
    unsigned wanted = 0;
    for (int p = 0; p < info->nparam; p++) {
        if (!(use->differentiable >> p & 1)) continue;
        if (info->params[p].kind == 'L')
            wanted |= 1u << p;
        else if (needs_grad(arg[p].t))
            wanted |= 1u << p;
    }
    return wanted;
}

Node *node_record(OpId op, const Arg *arg, Tensor *y, int variant)
{
    const OpInfo *info = op_info(op);
    const VjpUse *use = vjp_use(op);
    unsigned wanted = wanted_formulas(info, arg, use), data = 0, meta = 0;
    for (int p = 0; p < info->nparam; p++)
        if (wanted >> p & 1) data |= use->data[p], meta |= use->meta[p];
    Node *n = node_new(NODE_OP);
    if (!n) return NULL;
    n->op = (uint16_t)op;
    n->variant = (uint8_t)variant;
    n->underivable = use->missing || (info->underivable_first && arg[0].t->is_number);
    n->nparam = (uint8_t)info->nparam;
    int operands = count_operands(info, arg);
    if (operands > NODE_INLINE_EDGES) {
        Edge *edges = tide_malloc((size_t)operands * sizeof *edges);
        if (!edges) goto fail;
        memset(edges, 0, (size_t)operands * sizeof *edges);
        n->edge = edges;
    }
    int mark = scope_open(), at = 0;
    bool ok = fill_args(n, info, arg);
    n->nedge = operands;
    for (int p = 0; p < info->nparam && ok; p++) {
        char kind = info->params[p].kind;
        bool list = kind == 'L', tensor = strchr("TNO", kind) != NULL;
        int count = list ? arg[p].list->n : tensor;
        for (int i = 0; i < count && ok; i++) {
            Tensor *t = list ? arg[p].list->v[i] : arg[p].t;
            bool overwritten = p > 0 && t && t->storage && t->storage == y->storage;
            EdgeNeeds needs = {use->differentiable >> p & 1, data >> p & 1, list || (meta >> p & 1),
                               overwritten};
            ok = node_fill_edge(&n->edge[at++], t, y, needs);
        }
    }
    if (ok && (use->result & wanted)) {
        n->result = tensor_keep(view_new(y));
        n->result_version = y->storage->version;
        ok = n->result != NULL;
    }
    scope_close(mark);
    n->ndim = y->ndim;
    for (int d = 0; d < y->ndim && d < NODE_SHAPE; d++) n->size[d] = y->shape[d];
    n->number = ++nodes_made; /* now: finding an operand's node may have made a new one, which must be older */
    if (ok) return n;
fail:
    node_release(n);
    return NULL;
}

Node *node_copy_slices(Node *n, Tensor *base, Tensor *x)
{
    if (!n) return NULL;
    int mark = scope_open();
    SliceTarget *target = tide_malloc(sizeof *target);
    Tensor *meta = tensor_keep(meta_new(base));
    scope_close(mark);
    if (!target || !meta) goto fail;
    *target =
        (SliceTarget){.size = tensor_dims(x), .stride = {.n = x->ndim}, .offset = x->offset, .base = meta};
    memcpy(target->stride.v, x->stride, x->ndim * sizeof x->stride[0]);
    n->kind = NODE_COPY_SLICES;
    n->target = target;
    /* The first operand's gradient goes on to what base was before; its saved self stays the window it was. */
    Tensor *saved = n->edge[0].saved;
    if (saved && n->edge[0].fn) {
        Autograd *ag = autograd_of(saved);
        if (!ag) {
            node_release(n);
            return NULL;
        }
        ag->fn = node_keep(n->edge[0].fn);
        ag->output = n->edge[0].output;
        saved->requires_grad = true;
    }
    node_release(n->edge[0].fn);
    n->edge[0].fn = gradient_target(base);
    n->edge[0].output = (uint16_t)tensor_output_nr(base);
    if (needs_grad(base) && !n->edge[0].fn) {
        node_release(n);
        return NULL;
    }
    n->number = ++nodes_made;
    return n;
fail:
    free(target);
    tensor_release(meta);
    node_release(n);
    return NULL;
}

/* ---- names and neighbours ---- */

/* "log_softmax" to "LogSoftmax", "log1p" to "Log1P": a letter after anything but a letter is a capital. */
static size_t camel_case(const char *name, char *buf, size_t size)
{
    size_t at = 0;
    bool capital = true;
    for (; *name && at + 1 < size; name++) {
        if (isalpha((unsigned char)*name)) {
            buf[at++] = (char)(capital ? toupper((unsigned char)*name) : *name);
            capital = false;
        } else {
            if (*name != '_') buf[at++] = *name;
            capital = true;
        }
    }
    buf[at] = 0;
    return at;
}

/* The op's part of a node's name. Returns its length. */
static size_t op_node_name(OpId op, char *buf, size_t size)
{
    const OpInfo *info = op_info(op);
    return info->node ? (size_t)snprintf(buf, size, "%s", info->node) : camel_case(info->name, buf, size);
}

const char *node_name(const Node *n, char *buf, size_t size)
{
    switch ((NodeKind)n->kind) {
    case NODE_ACCUMULATE: snprintf(buf, size, "AccumulateGrad"); return buf;
    case NODE_COPY_SLICES: snprintf(buf, size, "CopySlices"); return buf;
    case NODE_CUSTOM: snprintf(buf, size, "%s", n->custom->function.name); return buf;
    default: break;
    }
    if (n->name) {
        snprintf(buf, size, "%s", n->name);
        return buf;
    }
    if (n->underivable) {
        snprintf(buf, size, "NotImplemented");
        return buf;
    }
    size_t at = op_node_name((OpId)n->op, buf, size);
    if (n->op == OP_copy)
        snprintf(buf, size, "CopyBackwards");
    else if (at < size)
        snprintf(buf + at, size - at, "Backward%d", n->variant);
    return buf;
}

const char *op_grad_fn(OpId op, char *buf, size_t size)
{
    const OpInfo *info = op_info(op);
    bool records = false;
    for (int i = 0; i < info->nparam; i++)
        records = records || (info->params[i].vjp && strcmp(info->params[i].vjp, "NONE") != 0);
    buf[0] = 0;
    if (!records || info->transparent) return buf;
    if (vjp_use(op)->missing) {
        snprintf(buf, size, "NotImplemented");
        return buf;
    }
    size_t at = op_node_name(op, buf, size);
    if (at < size) snprintf(buf + at, size - at, "Backward%d", info->variant);
    return buf;
}

enum { WRITER_SLICES = 1 << 16 };

uint32_t node_writer(const Node *n)
{
    return n->kind == NODE_COPY_SLICES ? WRITER_SLICES : n->kind == NODE_OP ? (uint32_t)n->op + 1 : 0;
}

/* PyTorch has no edge for what an op is never differentiated by, nor for a number that its row takes as a number. */
static bool has_edge(const Node *n, int param, const Edge *e)
{
    const OpInfo *info = op_info((OpId)n->op);
    if (!(vjp_use((OpId)n->op)->differentiable >> param & 1)) return false;
    if (n->op == OP_drawn && !e->fn) return false; /* numbers are parameters too, and no operands */
    bool as_tensor = info->variant == info->variant_number && !info->variant_first &&
                     (info->format != FORMAT_TERNARY || n->op == OP_where);
    return !e->is_number || (as_tensor && n->variant == info->variant_number);
}

static int add_edge(const Edge *e, int count, Node **out, int *output, int max)
{
    if (count < max) out[count] = e->fn;
    if (count < max && output) output[count] = e->output;
    return count + 1;
}

int node_inputs(const Node *n, Node **out, int *output, int max)
{
    int count = 0, at = 0;
    if (n->kind != NODE_OP && n->kind != NODE_COPY_SLICES) {
        while (at < n->nedge) count = add_edge(&n->edge[at++], count, out, output, max);
        return count;
    }
    const OpInfo *info = op_info((OpId)n->op);
    for (int p = 0; p < info->nparam && at < n->nedge; p++) {
        char kind = info->params[p].kind;
        int operands = kind == 'L' ? (int)n->arg[p].i : strchr("TNO", kind) != NULL;
        for (int k = 0; k < operands; k++, at++)
            if (has_edge(n, p, &n->edge[at])) count = add_edge(&n->edge[at], count, out, output, max);
    }
    return count;
}

Tensor *node_variable(const Node *n) { return n->variable; }

const Place *node_place(const Node *n, int *line)
{
    if (line) *line = n->line;
    return n->place;
}

const char *node_where(const Node *n, char *buf, size_t size)
{
    if (n->line)
        snprintf(buf, size, "%s:%d", n->place->name, n->line);
    else
        snprintf(buf, size, "%s", n->place->name);
    return buf;
}

bool node_blame(const Node *n, const char *what)
{
    char name[128], where[256];
    if (n->place)
        tide_error_note("%s was recorded at %s: %s", node_name(n, name, sizeof name), node_where(n, where, sizeof where),
                        what);
    return false;
}

bool node_shape(const Node *n, Dims *shape)
{
    const Tensor *t = n->kind == NODE_ACCUMULATE    ? n->variable
                      : n->kind == NODE_COPY_SLICES ? n->target->base
                      : n->kind == NODE_CUSTOM      ? n->custom->output[0].meta
                                                    : NULL;
    if (t) {
        *shape = tensor_dims(t);
        return true;
    }
    shape->n = n->ndim;
    memcpy(shape->v, n->size, sizeof n->size);
    return n->kind == NODE_OP && n->ndim <= NODE_SHAPE;
}

size_t node_saved_bytes(const Node *n)
{
    size_t bytes = 0;
    for (int i = 0; i <= n->nedge; i++) {
        const Tensor *t = i < n->nedge ? n->edge[i].saved : n->result;
        if (t) bytes += (size_t)t->numel * dtype_size((DType)t->dtype);
    }
    return bytes;
}

/* Names are kept for good, once each; a session has few. */
typedef struct Word {
    struct Word *next;
    char text[];
} Word;

/* The text's only copy; NULL when memory is out. */
static const char *interned(const char *text)
{
    static Word *known[256];
    unsigned h = 5381;
    for (const char *p = text; *p; p++) h = h * 33 + (unsigned char)*p;
    Word *found = known[h % 256];
    while (found && strcmp(found->text, text) != 0) found = found->next;
    if (found || !(found = malloc(sizeof *found + strlen(text) + 1))) return found ? found->text : NULL;
    strcpy(found->text, text);
    found->next = known[h % 256];
    known[h % 256] = found;
    return found->text;
}

Tensor *node_named(Tensor *t, const char *name)
{
    Node *n = t ? tensor_grad_fn(t) : NULL;
    const char *word = n && (n->kind == NODE_OP || n->kind == NODE_CUSTOM) ? interned(name) : NULL;
    if (word) n->name = word; /* the op's own will do without memory */
    return t;
}

Tensor *node_scalar_overload(Tensor *t)
{
    Node *n = t ? tensor_grad_fn(t) : NULL;
    if (n && n->kind == NODE_OP) n->variant = (uint8_t)(op_info((OpId)n->op)->variant_number + 1);
    return t;
}

/* ---- unpacking ---- */

/* The op whose result t is by now, without its "Backward": what wrote to it last or, for views, what makes them anew;
 * else what made it. Empty for leaves. */
static const char *latest_op(const Tensor *t, const Node *maker, char *name, size_t size)
{
    uint32_t writer = t->storage->writer;
    *name = 0;
    if (writer && maker && maker->kind == NODE_OP && op_info((OpId)maker->op)->format == FORMAT_VIEW)
        snprintf(name, size, "AsStrided");
    else if (writer == WRITER_SLICES)
        snprintf(name, size, "CopySlices");
    else if (writer)
        op_node_name((OpId)(writer - 1), name, size);
    else if (maker && maker->kind != NODE_ACCUMULATE)
        node_name(maker, name, size);
    char *suffix = strstr(name, "Backward");
    if (suffix) *suffix = 0;
    return name;
}

/* PyTorch's message about t, of which a version is needed that is no more; name is its op, if any. */
static bool refuse_modified(const Tensor *t, const char *name, uint32_t then)
{
    char shape[256], from[128] = "";
    uint32_t now = t->storage->version;
    const char *cname = dtype_info[t->dtype].cname;
    bool legacy = t->dtype != DT_BF16 && t->dtype != DT_BOOL; /* PyTorch once had a class for it */
    if (*name) snprintf(from, sizeof from, ", which is output 0 of %s,", name);
    return tide_refuse(
        "RuntimeError",
        "one of the variables needed for gradient computation has been modified by an inplace operation: "
        "[%s%s%s %s]%s is at version %u; expected version %u instead. Hint: enable anomaly detection "
        "to find "
        "the operation that failed to compute its gradient, with torch.autograd.set_detect_anomaly(True, "
        "check_nan=False).",
        legacy ? "torch." : "CPU", cname, legacy ? "Tensor" : "Type",
        format_dims(shape, sizeof shape, t->ndim, t->shape), from, now, then);
}

bool autograd_check_version(const Tensor *t, const Node *maker, uint32_t version, bool result)
{
    char name[128];
    if (t->storage->version == version) return true;
    if (!result) return refuse_modified(t, latest_op(t, maker, name, sizeof name), version);
    node_name(maker, name, sizeof name);
    char *suffix = strstr(name, "Backward");
    if (suffix) *suffix = 0;
    return refuse_modified(t, name, version);
}

int node_output_count(const Node *n) { return node_outputs(n); }

/* A saved tensor again at the place in the graph it had. */
static Tensor *in_graph(Tensor *saved, Node *fn, int output)
{
    if (fn->kind == NODE_ACCUMULATE) return fn->variable;
    Tensor *t = view_new(saved);
    Autograd *ag = t ? autograd_of(t) : NULL;
    if (!ag) return NULL;
    ag->fn = node_keep(fn);
    ag->output = (uint16_t)output;
    t->requires_grad = true;
    return t;
}

Tensor *node_result(Node *n, int output, Tensor *saved) { return in_graph(saved, n, output); }

static bool unpack_operand(Edge *e, bool graph, Tensor **out)
{
    *out = e->saved;
    if (!e->saved) return true;
    if (!autograd_check_version(e->saved, e->fn, e->version, false)) return false;
    bool placed = e->saved->ag && e->saved->ag->fn;
    if (graph && e->fn && !placed) *out = in_graph(e->saved, e->fn, e->output);
    return *out != NULL;
}

/* The pending error is about t, which n saved. */
static bool blame_write(const Node *n, const Tensor *t)
{
    char written[256] = "";
    const Storage *s = t ? t->storage : NULL;
    if (s && s->written)
        snprintf(written, sizeof written, ", and then written to at %s:%d", s->written->name, s->written_line);
    char what[300];
    snprintf(what, sizeof what, "the tensor was saved there%s", written);
    return node_blame(n, what);
}

static bool unpack(Node *n, bool graph, Tensor **operand, Unpacked *u);

bool node_unpack(Node *n, bool graph, Tensor **operand, Unpacked *u)
{
    if (unpack(n, graph, operand, u)) return true;
    for (int i = 0; i <= n->nedge; i++) {
        const Tensor *t = i < n->nedge ? n->edge[i].saved : n->result;
        if (t && t->storage->version != (i < n->nedge ? n->edge[i].version : n->result_version))
            return blame_write(n, t);
    }
    return false;
}

static bool unpack(Node *n, bool graph, Tensor **operand, Unpacked *u)
{
    const OpInfo *info = op_info((OpId)n->op);
    int at = 0;
    u->operand = operand;
    for (int p = 0; p < info->nparam; p++) {
        char kind = info->params[p].kind;
        u->arg[p] = n->arg[p];
        if (kind == 'L') {
            int count = (int)n->arg[p].i;
            u->list[p] = (TensorList){count, operand + at};
            u->arg[p].list = &u->list[p];
            for (int i = 0; i < count; i++, at++)
                if (!unpack_operand(&n->edge[at], graph, &operand[at])) return false;
        } else if (strchr("TNO", kind)) {
            if (!unpack_operand(&n->edge[at], graph, &operand[at])) return false;
            u->arg[p].t = operand[at++];
        }
    }
    u->result = n->result;
    if (!n->result) return true;
    if (!autograd_check_version(n->result, n, n->result_version, true)) return false;
    if (graph) u->result = in_graph(n->result, n, 0);
    return u->result != NULL;
}
