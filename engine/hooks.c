/* hooks.c - functions called with the gradients of tensors and nodes on their way. */
#include "engine/node.h"
#include "engine/store.h"

#include <stdlib.h>

/* A new hook at the end of the list: they run in the order of registration. NULL when memory is out. */
static Hook *append_hook(Hook **list, HookKind kind, void (*free_context)(void *), void *context)
{
    static int ids;
    Hook *h = tide_malloc(sizeof *h);
    if (!h) return NULL;
    *h = (Hook){.id = ++ids, .kind = (uint8_t)kind, .free_context = free_context, .context = context};
    while (*list) list = &(*list)->next;
    *list = h;
    return h;
}

static bool remove_hook(Hook **list, int id)
{
    for (; *list; list = &(*list)->next) {
        if ((*list)->id != id) continue;
        Hook *h = *list;
        *list = h->next;
        h->next = NULL;
        hooks_free(h);
        return true;
    }
    return false;
}

void hooks_free(Hook *h)
{
    while (h) {
        Hook *next = h->next;
        if (h->free_context) h->free_context(h->context);
        free(h);
        h = next;
    }
}

/* ---- of tensors ---- */

static bool check_hookable(const Tensor *t)
{
    return needs_grad(t) || tide_refuse("RuntimeError",
                                        "cannot register a hook on a tensor that doesn't require gradient");
}

int tensor_register_hook(Tensor *t, GradHook call, void (*free_context)(void *), void *context)
{
    if (!check_hookable(t)) return 0;
    Node *fn = tensor_grad_fn(t);
    Autograd *ag = autograd_of(t);
    Hook *h = ag ? append_hook(fn ? &fn->hooks : &ag->hooks, HOOK_GRADIENT, free_context, context) : NULL;
    if (!h) return 0;
    h->call = call;
    h->output = fn ? ag->output : 0;
    return h->id;
}

int tensor_register_accumulated_hook(Tensor *t, GradHook call, void (*free_context)(void *), void *context)
{
    if (!check_hookable(t)) return 0;
    if (!tensor_is_leaf(t)) {
        tide_fail("RuntimeError", "post accumulate grad hooks cannot be registered on non-leaf tensors");
        return 0;
    }
    Autograd *ag = autograd_of(t);
    Hook *h = ag ? append_hook(&ag->hooks, HOOK_ACCUMULATED, free_context, context) : NULL;
    if (!h) return 0;
    h->call = call;
    return h->id;
}

void tensor_remove_hook(Tensor *t, int id)
{
    if (t->ag && !remove_hook(&t->ag->hooks, id) && t->ag->fn) remove_hook(&t->ag->fn->hooks, id);
}

bool hooks_run(Hook *h, HookKind kind, int output, Tensor **value)
{
    while (h) {
        Hook *next = h->next; /* a hook may remove itself */
        if (h->kind == kind && h->output == output && *value) {
            Tensor *other = h->call(*value, h->context);
            if (tide_failed()) return false;
            if (other) *value = other;
        }
        h = next;
    }
    return true;
}

/* ---- of nodes ---- */

int node_register_hook(Node *n, bool before, NodeHook call, void (*free_context)(void *), void *context)
{
    Hook *h = append_hook(&n->hooks, before ? HOOK_BEFORE : HOOK_AFTER, free_context, context);
    if (!h) return 0;
    h->call_node = call;
    return h->id;
}

void node_remove_hook(Node *n, int id) { remove_hook(&n->hooks, id); }

bool node_has_hook(const Node *n, HookKind kind)
{
    const Hook *h = n->hooks;
    while (h && h->kind != kind) h = h->next;
    return h != NULL;
}

bool node_hooks_run(Node *n, HookKind kind, Tensor **in, int nin, Tensor **out, int nout)
{
    Hook *h = n->hooks;
    while (h) {
        Hook *next = h->next;
        if (h->kind == kind && (!h->call_node(h->context, in, nin, out, nout) || tide_failed())) return false;
        h = next;
    }
    return true;
}
