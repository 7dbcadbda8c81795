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

typedef struct CustomNode {
    char *name;
    CustomBackward backward;
    void (*free_context)(void *);
    void *context;
} CustomNode;

Autograd *autograd_struct_new(void);
void autograd_struct_free(Autograd *ag);
void hooks_free(Hook *h);

Node *node_new(NodeKind kind);                                      /* refs 1 */
Node *node_record(OpId op, const Arg *arg, Tensor *y, int variant); /* an op node with its edges and saved tensors */
/* n, an op node recorded on view x of base, becomes a node on base itself. Takes n over. */
Node *node_copy_slices(Node *n, Tensor *base, Tensor *x);
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
