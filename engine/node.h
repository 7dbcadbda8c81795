/* node.h - inside autograd: making, naming and freeing graph nodes. */
#ifndef TIDE_NODE_H
#define TIDE_NODE_H

#include "engine/autograd.h"

/* Where an in-place write to a view lies in its base: a window of `size`, `stride` at `offset` on the base's storage.
 * base is a tensor without storage that has the base's geometry. */
typedef struct SliceTarget {
    Dims size, stride;
    int64_t offset;
    Tensor *base; /* owned */
} SliceTarget;

/* One result of a custom node. */
typedef struct CustomOutput {
    Tensor *meta;     /* its shape and dtype; NULL for what is no tensor. Owned */
    Tensor *g;        /* its gradient in the walk under way; of result 0 the node's own g serves. Owned */
    Tensor *retained; /* as Node.retained, for results from 1 on */
    bool view;        /* shares an input's storage */
} CustomOutput;

typedef struct CustomNode {
    CustomFunction function; /* its name is owned */
    int noutput;
    CustomOutput *output; /* malloc'd */
} CustomNode;

/* Where the gradient of one of n's results waits, and the tensor that wants to keep it. */
static inline Tensor **node_gradient(Node *n, int output) { return output ? &n->custom->output[output].g : &n->g; }
static inline Tensor **node_retained(Node *n, int output)
{
    return output ? &n->custom->output[output].retained : &n->retained;
}
static inline int node_outputs(const Node *n) { return n->kind == NODE_CUSTOM ? n->custom->noutput : 1; }

void custom_free(CustomNode *custom);
bool custom_is_view(const Tensor *t); /* made by a custom function from an input's storage */
/* What one operand leaves behind: its target if the op is differentiable in it, its elements if formulas read them. */
typedef struct EdgeNeeds {
    bool differentiable, data, meta, overwritten;
} EdgeNeeds;
bool node_fill_edge(Edge *e, Tensor *t, const Tensor *y, EdgeNeeds needs);
/* n as a number for Storage.writer. */
uint32_t node_writer(const Node *n);

Autograd *autograd_struct_new(void);
void autograd_struct_free(Autograd *ag);
void hooks_free(Hook *h);
/* Calls the hooks of this kind about this result; *value may be replaced by a tensor of the innermost scope. */
bool hooks_run(Hook *h, HookKind kind, int output, Tensor **value);
bool node_has_hook(const Node *n, HookKind kind);
bool node_hooks_run(Node *n, HookKind kind, Tensor **in, int nin, Tensor **out, int nout);

/* "In [3]:2", as far as it is known; n has a place. */
const char *node_where(const Node *n, char *buf, size_t size);
/* Notes n's name, place and what is the matter beside the pending error. Returns false. */
bool node_blame(const Node *n, const char *what);
Node *node_new(NodeKind kind);                                      /* refs 1 */
Node *node_record(OpId op, const Arg *arg, Tensor *y, int variant); /* an op node with its edges and saved tensors */
/* n, an op node recorded on view x of base, becomes a node on base itself. Takes n over. */
Node *node_copy_slices(Node *n, Tensor *base, Tensor *x);
void node_renumber(Node *n);      /* makes n the newest */
void node_release_saved(Node *n); /* after a backward pass that keeps no graph */
/* The tensors a formula reads, checked against their versions. arg and meta have room for all operands.
 * graph: give them their place in the graph too (create_graph). False with the error. */
typedef struct Unpacked {
    Arg arg[OP_MAXPARAM];
    Tensor *result;
    Tensor **operand; /* flattened tensors, in the innermost scope */
    TensorList list[OP_MAXPARAM];
} Unpacked;
bool node_unpack(Node *n, bool graph, Tensor **operand, Unpacked *u);

#endif
