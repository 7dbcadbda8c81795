/* custom.c - nodes of ops that the engine's caller records: autograd.Function. */
#include "engine/node.h"
#include "engine/store.h"

#include <stdlib.h>
#include <string.h>

void custom_free(CustomNode *custom)
{
    for (int i = 0; custom->output && i < custom->noutput; i++) {
        tensor_release(custom->output[i].meta);
        tensor_release(custom->output[i].g);
    }
    if (custom->function.free_context) custom->function.free_context(custom->function.context);
    free((char *)(uintptr_t)custom->function.name);
    free(custom->output);
    free(custom);
}

bool custom_is_view(const Tensor *t)
{
    const Node *n = t->ag ? t->ag->fn : NULL;
    return n && n->kind == NODE_CUSTOM && n->custom->output[t->ag->output].view;
}

static bool shares_storage(const Tensor *t, TensorList inputs)
{
    for (int i = 0; i < inputs.n; i++)
        if (inputs.v[i] && inputs.v[i] != t && inputs.v[i]->storage == t->storage) return true;
    return false;
}

/* A custom node with room for everything, its name copied and its edges filled; the context is not yet its own. */
static Node *custom_node(const CustomFunction *f, TensorList outputs, TensorList inputs)
{
    Node *n = node_new(NODE_CUSTOM);
    CustomNode *custom = n ? tide_malloc(sizeof *custom) : NULL;
    if (!custom) goto fail;
    *custom = (CustomNode){.function = *f, .noutput = outputs.n};
    custom->function.context = NULL;
    custom->function.free_context = NULL;
    custom->function.name = NULL;
    n->custom = custom;
    char *name = tide_malloc(strlen(f->name) + 1);
    if (!name) goto fail;
    custom->function.name = strcpy(name, f->name);
    custom->output = tide_malloc((size_t)outputs.n * sizeof *custom->output);
    if (!custom->output) goto fail;
    memset(custom->output, 0, (size_t)outputs.n * sizeof *custom->output);
    if (inputs.n > NODE_INLINE_EDGES) {
        Edge *edges = tide_malloc((size_t)inputs.n * sizeof *edges);
        if (!edges) goto fail;
        memset(edges, 0, (size_t)inputs.n * sizeof *edges);
        n->edge = edges;
    }
    n->nedge = inputs.n;
    for (int i = 0; i < inputs.n; i++) {
        EdgeNeeds needs = {.differentiable = true, .meta = true};
        if (!node_fill_edge(&n->edge[i], inputs.v[i], inputs.v[i], needs)) goto fail;
    }
    return n;
fail:
    node_release(n);
    return NULL;
}

bool autograd_custom(const CustomFunction *f, TensorList outputs, const bool *differentiable, TensorList inputs)
{
    if (tide_failed()) return false;
    int mark = scope_open();
    Node *n = custom_node(f, outputs, inputs);
    bool ok = n != NULL;
    for (int i = 0; ok && i < outputs.n; i++) {
        Tensor *y = outputs.v[i];
        if (!y) continue;
        n->custom->output[i].meta = tensor_keep(meta_new(y));
        n->custom->output[i].view = shares_storage(y, inputs);
        ok = n->custom->output[i].meta && autograd_of(y);
    }
    scope_close(mark);
    if (!ok) {
        node_release(n);
        return false;
    }
    n->custom->function.context = f->context;
    n->custom->function.free_context = f->free_context;
    node_renumber(n);
    for (int i = 0; i < outputs.n; i++) {
        Tensor *y = outputs.v[i];
        if (!y || !differentiable[i]) continue;
        node_release(y->ag->fn);
        y->ag->fn = node_keep(n);
        y->ag->output = (uint16_t)i;
        y->requires_grad = true;
        if (y->ag->retain_grad) *node_retained(n, i) = y;
    }
    node_release(n);
    return true;
}

void *node_context(const Node *n, bool (*backward)(void *, Node *, Tensor *const *, Tensor **))
{
    return n->kind == NODE_CUSTOM && n->custom->function.backward == backward ? n->custom->function.context
                                                                              : NULL;
}
