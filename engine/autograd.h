/* autograd.h - inside the engine: the graph of recorded ops.
 *
 * A Node is one recorded op. It has one differentiable result; only a custom node may have several. Nodes are numbered as they are made, and a node's inputs
 * are always older, so going through numbers downwards is a topological order. */
#ifndef TIDE_AUTOGRAD_H
#define TIDE_AUTOGRAD_H

#include "engine/ops.h"

typedef enum HookKind {
    HOOK_GRADIENT,    /* of a tensor: on its node, or a leaf's own */
    HOOK_ACCUMULATED, /* of a leaf */
    HOOK_BEFORE,      /* of a node */
    HOOK_AFTER
} HookKind;

typedef struct Hook {
    int id;
    uint8_t kind;    /* HookKind */
    uint16_t output; /* HOOK_GRADIENT: which of its node's results the tensor is */
    GradHook call;
    NodeHook call_node; /* HOOK_BEFORE, HOOK_AFTER */
    void (*free_context)(void *);
    void *context;
    struct Hook *next;
} Hook;

/* What a tensor that takes part in autograd carries. Owned by its tensor. */
struct Autograd {
    Node *fn;          /* the op that made it; NULL for leaves. Owns a reference */
    Node *accumulator; /* a leaf's AccumulateGrad node, weak: the node clears it when it goes */
    Tensor *grad;      /* owned */
    Tensor *base;      /* views: the tensor whose storage this is, with autograd; owned */
    uint32_t version;  /* views: the storage's version when fn was made; older means fn must be made anew */
    uint16_t output;   /* which of fn's results this is */
    bool retain_grad;
    Hook *hooks;
};

/* One tensor operand of a node. */
typedef struct Edge {
    Node *fn;         /* where its gradient goes; NULL: nowhere. Owns a reference */
    Tensor *saved;    /* the operand as it was, sharing storage; NULL when the formula does not read it. Owned */
    Tensor *meta;     /* its shape and dtype; NULL when they are the result's (then g serves). Owned */
    uint32_t version; /* saved's storage version at that time */
    uint16_t output;  /* which of fn's results this is */
    bool is_number;   /* a wrapped number: saved keeps it, no gradient */
} Edge;

enum { NODE_INLINE_EDGES = 3, NODE_SHAPE = 5 };

typedef enum NodeKind { NODE_OP, NODE_ACCUMULATE, NODE_COPY_SLICES, NODE_CUSTOM } NodeKind;

struct Node {
    int32_t refs;
    uint8_t kind;      /* NodeKind */
    uint8_t variant;   /* digit of the name */
    bool released;     /* backward has run and the saved tensors are gone */
    bool underivable;  /* PyTorch has no derivative of it: backward refuses */
    bool in_place;
    uint8_t nparam;
    uint16_t op;       /* OpId */
    uint64_t number;   /* older nodes have smaller ones */
    const char *name;  /* interned, where the op's own does not serve; or NULL */
    Place *place;      /* where it was recorded, or NULL */
    int line;          /* there; 0: unknown */
    uint8_t ndim;      /* of an op's result, whose sizes are kept as far as they fit */
    int64_t size[NODE_SHAPE];
    int nedge;         /* tensor operands, lists flattened */
    Edge *edge;        /* inline_edge, or malloc'd for lists */
    Edge inline_edge[NODE_INLINE_EDGES];
    Arg *arg;          /* the row's arguments, tensors replaced by NULL; dims are owned copies */
    Arg inline_arg[OP_MAXPARAM];
    Tensor *result;    /* the result, sharing storage, when the formula reads y; owned */
    uint32_t result_version;
    Tensor *variable;  /* NODE_ACCUMULATE: the leaf, owned */
    Hook *hooks;       /* of the result tensors and of the node */
    Tensor *retained;  /* weak: tensor whose .grad is kept (retain_grad) */
    struct SliceTarget *target; /* NODE_COPY_SLICES */
    struct CustomNode *custom;  /* NODE_CUSTOM */
    /* scratch of the walk under way */
    uint64_t walk;
    Tensor *g;
};

/* A vjp formula's surroundings. */
typedef struct Vjp {
    const Arg *arg;        /* with tensors put back (NULL where not saved) */
    Tensor *const *meta;   /* one a tensor parameter or list member */
    Tensor *y, *g;
    int k;                 /* member of a tensor list */
} Vjp;

/* The gradient of operand `param` (index into the row's params). NULL: none (no error pending) or an error. */
Tensor *vjp_apply(OpId op, const Vjp *v, int param);

/* A copy of g with base's strides, from the beginning of its own storage; differentiable. */
Tensor *laid_out(Tensor *g, const Tensor *base);

/* Which tensors the formulas of an op read: bit per parameter, for the derivative of parameter p. */
typedef struct VjpUse {
    uint8_t data[OP_MAXPARAM]; /* bit q: parameter q's elements */
    uint8_t meta[OP_MAXPARAM]; /* bit q: parameter q's shape */
    uint8_t result;            /* bit p: p's formula reads y */
    uint8_t differentiable;    /* bit p */
    bool missing;              /* NOT_IMPLEMENTED: recorded, and refused by backward */
} VjpUse;
const VjpUse *vjp_use(OpId op);

/* Whether t's gradient is wanted. A view follows its base: an in-place write may have given that a graph. */
static inline bool needs_grad(const Tensor *t)
{
    return t && (t->requires_grad || (t->ag && t->ag->base && t->ag->base->requires_grad));
}

/* Records y = op(args); y is fresh (or a view of args[0]). Returns y, or NULL. */
Tensor *autograd_record(OpId op, const Arg *arg, Tensor *y);
/* Before an in-place write to x: the errors PyTorch raises (leaf, view of a leaf, inference, expanded memory). */
bool autograd_check_inplace(Tensor *x);
/* What the formulas of op will read as x's former self: a copy of its elements, or only its place in the graph. */
Tensor *autograd_before_inplace(OpId op, Tensor *x);
/* y, a fresh view of x on which nothing is recorded, remembers its base. Returns y. */
Tensor *autograd_record_view(Tensor *x, Tensor *y);
/* After x was overwritten by op(args); args[0] is what autograd_before_inplace() gave. Returns x. */
Tensor *autograd_record_inplace(OpId op, const Arg *arg, Tensor *x);
bool any_requires_grad(OpId op, const Arg *arg);

Autograd *autograd_of(Tensor *t); /* made on demand; NULL when memory is out */
void autograd_free(Tensor *t);    /* called when a tensor goes */
Node *gradient_target(Tensor *t); /* the node t's gradient goes to: its fn, or its accumulator (made on demand) */

#endif
