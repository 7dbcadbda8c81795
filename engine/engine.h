/* engine.h - Tide's tensor engine, whole: the only engine header that lang/ or a C program includes.
 *
 * Ownership. Tensors are reference-counted. Every op returns a tensor that belongs to the innermost
 * Scope: it lives until that scope closes, so nested formulas (`op_mul(g, op_neg(y))`) need no frees.
 * What must outlive the scope is kept with tensor_keep(). NULL in gives NULL out, and the first error
 * stays in error.h's record. The engine is used from one thread; its loops use a pool of their own.
 *
 *     int mark = scope_open();
 *     Tensor *y = tensor_keep(op_add(a, b));    // y now has a reference of the caller's
 *     scope_close(mark);
 *     …
 *     tensor_release(y);
 */
#ifndef TIDE_ENGINE_H
#define TIDE_ENGINE_H

#include "engine/dtype.h"
#include "engine/error.h"
#include "engine/place.h"
#include "engine/random.h"

#define TIDE_MAXDIM 16

/* ---- values ---------------------------------------------------------------------------------- */

typedef enum DeviceType { DEVICE_CPU, DEVICE_OPENCL } DeviceType;
typedef struct Device {
    uint8_t type;  /* DeviceType */
    uint8_t index; /* 0 for the CPU */
} Device;

/* A list of sizes or of dims. */
typedef struct Dims {
    int n;
    int64_t v[TIDE_MAXDIM];
} Dims;
/* A list as an expression: op_permute(x, DIMS(1, 0)). It lives until the enclosing block ends. */
#define DIMS(...) (&(Dims){(int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), {__VA_ARGS__}})

/* Bytes shared by all views of one tensor. */
typedef struct Storage {
    int32_t refs;
    uint32_t version; /* counts in-place writes; autograd compares it with what it saved */
    Place *place;     /* where it was made; NULL: unknown */
    Place *written;   /* where it was last written to in place while gradients were recorded; NULL: nowhere known */
    int written_line; /* 0: unknown */
    uint32_t writer;  /* the latest recorded in-place op, for messages: node_writer(); 0 is none */
    Device device;
    bool borrowed;    /* data belongs to somebody else (free_borrowed is called instead of the allocator) */
    size_t bytes;
    void *data;       /* host pointer, or the backend's handle */
    void (*free_borrowed)(void *context);
    void *context;
} Storage;

typedef struct Node Node;         /* one recorded op of the autograd graph: autograd.h */
typedef struct Autograd Autograd; /* what a tensor that takes part in autograd carries: autograd.h */

/* A strided view of a storage. Callers read the fields; only the engine writes them.
 * Invariants: numel = product of shape; every addressed element lies inside storage; a tensor without
 * storage (storage == NULL) is a "meta" tensor: shape and dtype only, used by derivative formulas. */
typedef struct Tensor {
    int32_t refs;
    uint8_t dtype; /* DType */
    uint8_t ndim;
    Device device;
    bool requires_grad : 1; /* asked for on a leaf, or inherited from an input */
    bool is_number : 1;     /* a plain number wrapped as a 0-dim tensor: weakest in promotion */
    bool is_parameter : 1;  /* nn.Parameter: printing and registration look at it */
    bool contiguous : 1;    /* row-major without gaps */
    bool inference : 1;     /* made under inference_mode */
    int64_t numel;
    int64_t offset; /* of the first element, in elements from storage->data */
    Storage *storage;
    Autograd *ag;   /* NULL for most tensors */
    int64_t shape[TIDE_MAXDIM];
    int64_t stride[TIDE_MAXDIM]; /* in elements */
} Tensor;

/* The one accessor of element data on the host: the address of the first element. CPU tensors only. */
static inline void *tensor_data(const Tensor *t)
{
    return (char *)t->storage->data + t->offset * (int64_t)dtype_size((DType)t->dtype);
}

/* Whether a and b lie in the same bytes, if perhaps not in the same part of them. */
static inline bool tensor_shares_memory(const Tensor *a, const Tensor *b)
{
    return a->storage == b->storage || (a->storage && b->storage && a->storage->data == b->storage->data);
}

/* ---- lifetimes ------------------------------------------------------------------------------- */

int scope_open(void);
void scope_close(int mark);

Tensor *tensor_keep(Tensor *t);   /* one more reference (NULL passes through); returns t */
void tensor_release(Tensor *t);   /* one reference less; NULL is ignored */

/* Bytes of tensor storage alive now, at most so far, and ever allocated (the collector's clock). */
typedef struct MemoryUse {
    size_t live, peak, total;
    size_t cached; /* freed blocks held back for the next op */
} MemoryUse;
MemoryUse memory_use(void);
void memory_trim(void); /* gives cached blocks back to the system */
/* Tests: the n-th allocation from now on fails (1 is the next); 0 turns it off. */
void memory_fail_after(int64_t n);

/* ---- making tensors (all: NULL and an error when the size overflows or memory is out) --------- */

Tensor *tensor_empty(const Dims *shape, DType dtype, Device device);
Tensor *tensor_full(const Dims *shape, double value, DType dtype, Device device);
Tensor *tensor_full_int(const Dims *shape, int64_t value, DType dtype, Device device);
Tensor *tensor_zeros(const Dims *shape, DType dtype, Device device);
/* Of x's shape, and in its layout where x is dense, as tensor_like. */
Tensor *tensor_full_like(const Tensor *x, int64_t value, DType dtype);
Tensor *tensor_number(double value);      /* wrapped float: float64 inside, default float in promotion */
Tensor *tensor_integer(int64_t value);    /* wrapped int64 */
Tensor *tensor_boolean(bool value);       /* wrapped bool */
Tensor *tensor_arange(double start, double end, double step, DType dtype, Device device);
Tensor *tensor_arange_int(int64_t start, int64_t end, int64_t step, DType dtype, Device device);
Tensor *tensor_linspace(double start, double end, int64_t steps, DType dtype, Device device);
Tensor *tensor_eye(int64_t n, int64_t m, DType dtype, Device device);
/* Wraps caller-owned host memory (C-contiguous); free_data(context) is called when the last view goes. */
Tensor *tensor_from_memory(void *data, const Dims *shape, DType dtype, void (*free_data)(void *), void *context);
/* A new tensor with other geometry on the same storage; checked against the storage's bounds. No autograd. */
Tensor *tensor_alias(const Tensor *t, const Dims *shape, const Dims *stride, int64_t offset);

/* Random fills, in place (no autograd beyond the version bump); g NULL is the default generator. */
bool tensor_uniform_(Tensor *t, double from, double to, Generator *g);
bool tensor_normal_(Tensor *t, double mean, double std, Generator *g);
bool tensor_bernoulli_(Tensor *t, double p, Generator *g);
bool tensor_bernoulli_from_(Tensor *t, Tensor *p, Generator *g); /* p broadcastable to t's shape */
/* Fresh tensors of counts, in rate's and count's dtype (floats only) and shape (count's and prob's broadcast). */
Tensor *tensor_poisson(Tensor *rate, Generator *g);
Tensor *tensor_binomial(Tensor *count, Tensor *prob, Generator *g);
bool tensor_randint_(Tensor *t, int64_t low, int64_t high, Generator *g);
bool tensor_random_(Tensor *t, Generator *g);
bool tensor_randperm_(Tensor *t, Generator *g);
bool tensor_exponential_(Tensor *t, double lambda, Generator *g);
bool tensor_geometric_(Tensor *t, double p, Generator *g);
bool tensor_log_normal_(Tensor *t, double mean, double std, Generator *g);
bool tensor_cauchy_(Tensor *t, double median, double sigma, Generator *g);
Tensor *tensor_multinomial(Tensor *p, int64_t n, bool replacement, Generator *g);

/* ---- reading elements (any device; waits for it) ---------------------------------------------- */

bool tensor_item_double(Tensor *t, double *out);  /* numel must be 1 */
bool tensor_item_int(Tensor *t, int64_t *out);
/* Copies all elements, row-major, into caller's memory of numel * size bytes / from it. */
bool tensor_read(Tensor *t, void *out);
bool tensor_write(Tensor *t, const void *in);

/* ---- properties -------------------------------------------------------------------------------- */

/* A new tensor of x's shape (and x's layout where it is dense). */
Tensor *tensor_like(const Tensor *x, DType dtype);
/* C++'s name of the element type, as some messages spell dtypes: "float", "long int" */
const char *ctype_name(const Tensor *t);
bool tensor_same_shape(const Tensor *a, const Tensor *b);
DType default_dtype(void);
bool set_default_dtype(DType d); /* float dtypes only */
/* The dtype an elementwise op computes in: PyTorch's three buckets (tensors, 0-dim tensors, numbers). */
DType result_dtype(Tensor *const *in, int n);
/* Broadcast of two shapes; false and PyTorch's error when they do not match. */
bool broadcast_shapes(const Dims *a, const Dims *b, Dims *out);
Dims tensor_dims(const Tensor *t);
/* -ndim <= dim < ndim becomes 0 <= dim; else the IndexError. ndim 0 counts as 1. */
bool wrap_dim(int64_t *dim, int ndim);
/* "[2, 3]" into buf (always terminated); returns buf. Shapes in messages. */
char *format_dims(char *buf, size_t size, int n, const int64_t *v);

/* ---- the ops ------------------------------------------------------------------------------------ */

typedef struct TensorList {
    int n;
    Tensor **v;
} TensorList;

typedef union Arg {
    Tensor *t;
    int64_t i;
    double f;
    bool b;
    DType dtype;
    const Dims *dims;        /* NULL: not given */
    const TensorList *list;
} Arg;

typedef enum OpId {
#define OP_ROW(name) OP_##name,
#include "engine/ops_rows.h"
    OP_COUNT
} OpId;

typedef enum OpFormat { FORMAT_UNARY, FORMAT_BINARY, FORMAT_TERNARY, FORMAT_COMPARE, FORMAT_TEST, FORMAT_REDUCE,
                        FORMAT_VIEW, FORMAT_KERNEL, FORMAT_COMPOSED } OpFormat;

typedef struct ParamInfo {
    char kind;           /* T tensor, N tensor without gradient, O optional tensor, L tensor list,
                            I int, F double, B bool, D dims, Y dtype */
    const char *name;
    const char *fallback; /* default as text ("NULL", "0", "false", …); NULL: must be given */
    const char *vjp;      /* its derivative as text; NULL or "NONE": not differentiable; "NOT_IMPLEMENTED" */
} ParamInfo;

enum { OP_MAXPARAM = 8 };

/* Where a row of several operands takes plain numbers for tensors; never for all of them. */
typedef enum NumberRule { NUMBERS_BEHIND, NUMBERS_ANYWHERE, NUMBERS_NOWHERE } NumberRule;

typedef struct OpInfo {
    const char *name;
    OpFormat format;
    uint8_t types;        /* which dtypes it takes and gives: TypeRule in ops.h */
    const char *forward;  /* elementwise and reduction rows: the C expression as text (OpenCL's source) */
    const char *identity, *combine, *finish; /* reductions: forward maps x, combine joins a and b, finish sees a and n */
    const ParamInfo *params;
    int nparam;
    double lo, hi;        /* sampling domain for the generated checks */
    const char *samples;  /* argument shapes for the checks of VIEW, KERNEL and COMPOSED rows: docs/ops-table.md */
    const char *doc;
    /* The rest is optional in a row, as designated initialisers after doc. */
    const char *node;       /* grad_fn name without "Backward0", when not the op's name in CamelCase */
    uint8_t variant;        /* the digit after "Backward" */
    uint8_t variant_number; /* the digit when the last operand is a plain number; when no dim is given */
    uint8_t variant_first;  /* the digit when the first operand is a plain number; 0: no other */
    uint8_t variant_inplace; /* what the in-place form adds to the digit */
    bool transparent;       /* COMPOSED: recorded as the ops it is made of, with no node of its own */
    bool piece;             /* VIEW: one of several that x is cut into, whose gradients are gathered in one tensor */
    bool writes_first;      /* forward writes into its first argument: the plain form gives it a copy */
    bool exact_out;         /* out= must have the result's own dtype; what several results are written to always must */
    bool overlapping;       /* in place it may be given a tensor whose elements share memory */
    bool unrecorded;        /* in place it leaves no node: the gradient goes through as if nothing had been written */
    bool underivable_first; /* PyTorch has no derivative where the first operand is a plain number */
    bool hidden;            /* no Lua function: used by derivative formulas only */
    bool no_inplace;        /* has no name_ form */
    bool nn;                /* lives in torch.nn.functional only */
    bool method_only, function_only;
    const char *alias;      /* other Lua names, comma-separated */
    uint8_t numbers;        /* NumberRule; of elementwise rows with several operands */
    bool dtype_option;      /* takes dtype=, to which its input is converted first */
    const char *returns;    /* it gives several results: their names as PyTorch's return type has them, or "" */
    const char *returns_name; /* of that type, when not the op's */
    const char *unsupported; /* name PyTorch's "not implemented for" message uses */
} OpInfo;

const OpInfo *op_info(OpId op);

/* op_<name>(…): typed prototypes, one a row, e.g. Tensor *op_mul(Tensor *a, Tensor *b). */
#include "engine/ops_prototypes.h"

/* The same by number: args as the row's params, in order. */
Tensor *op_apply(OpId op, const Arg *args);
/* The in-place form of a UNARY, BINARY, TERNARY, COMPARE or TEST row: writes into args[0].t and returns it. */
Tensor *op_apply_inplace(OpId op, const Arg *args);
/* out= form: writes into out (resized when it has no elements or another shape, as PyTorch does) and returns it. */
Tensor *op_apply_out(OpId op, const Arg *args, Tensor *out);
/* Writes y, which op `who` gave, into out, resized as above; exact: of the same dtype, else of one that y can be cast to. */
bool tensor_write_out(Tensor *out, Tensor *y, bool exact, const char *who);
/* Several results: values and indices of max, min, median, sort, topk, kthvalue, mode, cummax, …
 * The op's first result is returned; further ones are left here until the next op (in the innermost scope). */
Tensor *op_second(void);
Tensor *op_third(void);

#include "engine/observe.h"

/* ---- conversions and copies ------------------------------------------------------------------- */

Tensor *tensor_to(Tensor *x, DType dtype, Device device, bool copy); /* differentiable; x itself when nothing changes */
/* Whether v, an integer if whole, is a value of dtype d. Negative integers wrap in uint8; infinities and NaN are floats' own. */
bool number_fits(double v, bool whole, DType d);
Tensor *number_as(Tensor *number, DType d, Device device); /* a plain number as a 0-dim tensor; RuntimeError when it does not fit */
Tensor *tensor_copy_(Tensor *dst, Tensor *src);                       /* broadcasts, converts, crosses devices; differentiable */
Tensor *tensor_fill_(Tensor *dst, Tensor *value);                     /* value: 0-dim */
Tensor *tensor_set_(Tensor *dst, Tensor *src);                        /* x.data = y: dst takes src's storage and geometry */

/* Puts a tensor of which the caller owns one reference under the innermost scope. NULL goes through. */
Tensor *scope_own(Tensor *t);

/* ---- autograd ---------------------------------------------------------------------------------- */

bool grad_enabled(void);
bool set_grad_enabled(bool on); /* returns the former value */
bool inference_enabled(void);
bool set_inference_enabled(bool on);

bool tensor_set_requires_grad(Tensor *t, bool on); /* leaves of float dtype only */
bool tensor_is_leaf(const Tensor *t);
Tensor *tensor_grad(const Tensor *t);              /* borrowed; NULL when none */
bool tensor_set_grad(Tensor *t, Tensor *grad);     /* NULL clears */
bool tensor_is_view(const Tensor *t);              /* of another tensor, made with gradients enabled */
Tensor *tensor_detach(Tensor *t);                  /* shares storage */
/* A detached alias whose in-place writes autograd does not see: it has a version counter of its own. */
Tensor *tensor_uncounted_alias(Tensor *t);
bool tensor_retain_grad(Tensor *t);
bool tensor_retains_grad(const Tensor *t); /* it is no leaf, and backward fills its gradient all the same */
Node *tensor_grad_fn(const Tensor *t);             /* NULL for leaves */
/* "MulBackward0" */
const char *node_name(const Node *n, char *buf, size_t size);
/* The same for the node that the op records as a rule; "" if it records none of its own. */
const char *op_grad_fn(OpId op, char *buf, size_t size);
/* t, whose node shall be called so ("AminmaxBackward0"; the text is copied): for functions made of others that PyTorch
 * records as one. Without a graph nothing happens. */
Tensor *node_named(Tensor *t, const char *name);
/* t, the result of arithmetic with a plain number, recorded as PyTorch's C++ code records it: the number is no operand
 * and the node's name has the next digit. */
Tensor *node_scalar_overload(Tensor *t);
/* The nodes (and leaves) feeding n: next_functions, with which of its results each. Returns the count; out[i] may be
 * NULL. */
int node_inputs(const Node *n, Node **out, int *output, int max);
/* Which of its node's results t is. */
int tensor_output_nr(const Tensor *t);
/* Counts an in-place write that the engine did not see. */
void tensor_bump_version(Tensor *t);
/* The leaf an AccumulateGrad node accumulates into, else NULL. Borrowed. */
Tensor *node_variable(const Node *n);
Node *node_keep(Node *n);
void node_release(Node *n);

/* y.backward(gradient). gradient NULL: y must have one element. inputs NULL: all leaves. */
bool autograd_backward(TensorList y, TensorList gradient, bool retain_graph, bool create_graph, const TensorList *inputs);
/* torch.autograd.grad: out has inputs.n entries, tensors of the innermost scope; NULL where unused and allowed. */
bool autograd_grad(TensorList y, TensorList gradient, TensorList inputs, bool retain_graph, bool create_graph,
                   bool allow_unused, Tensor **out);

/* A hook sees a gradient and may return another (NULL: unchanged; an error is left pending). */
typedef Tensor *(*GradHook)(Tensor *grad, void *context);
/* Returns an id > 0 for tensor_remove_hook; free_context is called when the hook goes. */
int tensor_register_hook(Tensor *t, GradHook hook, void (*free_context)(void *), void *context);
/* Called with the leaf t itself whenever its .grad was added to; what it returns is not looked at. */
int tensor_register_accumulated_hook(Tensor *t, GradHook hook, void (*free_context)(void *), void *context);
void tensor_remove_hook(Tensor *t, int id);
/* A node's hook sees the gradients of its results and, where it is called after the node, of its inputs (nin is 0
 * before), and may replace what it sees last: grad_out before, grad_in after. Entries may be NULL. */
typedef bool (*NodeHook)(void *context, Tensor **grad_in, int nin, Tensor **grad_out, int nout);
int node_register_hook(Node *n, bool before, NodeHook hook, void (*free_context)(void *), void *context);
void node_remove_hook(Node *n, int id);

/* An op recorded by the caller (autograd.Function). */
typedef struct CustomFunction {
    const char *name; /* of the node; copied */
    /* Fills one gradient an input (NULL: none) from one a result. */
    bool (*backward)(void *context, Node *n, Tensor *const *g, Tensor **grads);
    void (*release)(void *context);      /* the graph was used up: saved tensors may go. May be NULL */
    void (*free_context)(void *context);
    void *context;
    bool materialize; /* backward sees zeros where no gradient came, not NULL */
} CustomFunction;
/* outputs become the results of one node on inputs. Outputs that are NULL (no tensor) or not differentiable stay as they
 * are, but are counted. On success the context is the node's. */
bool autograd_custom(const CustomFunction *f, TensorList outputs, const bool *differentiable, TensorList inputs);
/* The context of a custom node with this backward, else NULL. */
void *node_context(const Node *n, bool (*backward)(void *, Node *, Tensor *const *, Tensor **));
/* What was saved of n's result `output`, back in its place in the graph. In the innermost scope. */
Tensor *node_result(Node *n, int output, Tensor *saved);
/* Whether t is still what it was at that version; if not, the error of a backward that needs it. maker is the node that
 * made t or NULL; result: it is also the one that needs it. */
bool autograd_check_version(const Tensor *t, const Node *maker, uint32_t version, bool result);
int node_output_count(const Node *n);

/* First-NaN reporting (torch.autograd.detect_anomaly). */
bool set_anomaly_enabled(bool on, bool check_nan);
bool anomaly_enabled(void);
bool anomaly_checks_nan(void);
/* Where n was recorded: NULL if unknown; *line (may be NULL) is 0 if unknown. */
const Place *node_place(const Node *n, int *line);
/* Bytes of the tensors that only n keeps for the backward pass, or that it shares with others; 0 once they are gone. */
size_t node_saved_bytes(const Node *n);
/* The shape of n's first result, as far as n knows it: false if it does not. */
bool node_shape(const Node *n, Dims *shape);

/* ---- devices ----------------------------------------------------------------------------------- */

int opencl_device_count(void);                        /* 0 without OpenCL; looks for devices on first call */
const char *opencl_device_name(int index);            /* NULL when there is no such device */
bool device_synchronize(Device d);
size_t device_memory(Device d);                       /* bytes allocated by tensors there */
/* "cpu", "opencl", "opencl:1", "gpu", "cuda:0" …; false and PyTorch's error otherwise. */
bool device_parse(const char *text, Device *out);
const char *device_name(Device d, char *buf, size_t size); /* "opencl:0" */
void set_num_threads(int n);
int get_num_threads(void);

/* ---- printing ---------------------------------------------------------------------------------- */

typedef struct PrintOptions {
    int precision, edgeitems, linewidth;
    int64_t threshold;
    int sci_mode; /* -1 by rule, 0 never, 1 always */
} PrintOptions;
extern PrintOptions print_options;

/* PyTorch's repr of t, malloc'd; NULL and an error. */
char *tensor_repr(Tensor *t);
/* One number in the shortest form that reads back ("0.1", "1e-05", "3.0", "inf"): Python's repr of a float. */
char *format_double(char *buf, size_t size, double v);

#endif
