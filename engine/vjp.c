/* vjp.c - the derivative column of the op table as functions. */
#include "engine/vjp_helpers.h"
#include "engine/vjp_structural.h"

/* Every parameter under its own name, tensors as they were saved. */
#define LOCAL_T(n, ...) Tensor *n = (next_arg++)->t, *n##_meta = *next_meta++; (void)n; (void)n##_meta;
#define LOCAL_N(n, ...) LOCAL_T(n)
#define LOCAL_O(n, ...) LOCAL_T(n)
#define LOCAL_L(name, ...) \
    const TensorList *name = (next_arg++)->list; \
    Tensor *const *name##_meta = next_meta; \
    next_meta += name->n; \
    int k = v->k; \
    (void)name##_meta, (void)k;
#define LOCAL_I(n, ...) int64_t n = (next_arg++)->i; (void)n;
#define LOCAL_F(n, ...) double n = (next_arg++)->f; (void)n;
#define LOCAL_B(n, ...) bool n = (next_arg++)->b; (void)n;
#define LOCAL_D(n, ...) const Dims *n = (next_arg++)->dims; (void)n;
#define LOCAL_Y(n, ...) DType n = (next_arg++)->dtype; (void)n;

/* One test a parameter; those that are no tensors have no derivative. */
#define FORMULA_T(n, ...) if (position++ == param) return FORMULA_OR_NULL(__VA_ARGS__);
#define FORMULA_N(n, ...) position++;
#define FORMULA_O(n, ...) FORMULA_T(n, __VA_ARGS__)
#define FORMULA_L(n, ...) FORMULA_T(n, __VA_ARGS__)
#define FORMULA_I(n, ...) position++;
#define FORMULA_F(n, ...) position++;
#define FORMULA_B(n, ...) position++;
#define FORMULA_D(n, ...) position++;
#define FORMULA_Y(n, ...) position++;
/* T(x) without a formula (transparent rows) must still be an expression. */
#define FORMULA_OR_NULL(...) FORMULA_PICK(__VA_ARGS__ __VA_OPT__(,) NULL)
#define FORMULA_PICK(first, ...) first

#define FORMULAS(name, params) \
    static Tensor *vjp_##name(const Vjp *v, int param) \
    { \
        const Arg *next_arg = v->arg; \
        Tensor *const *next_meta = v->meta; \
        Tensor *y = v->y, *g = v->g; \
        int position = 0; \
        (void)next_arg, (void)next_meta, (void)y, (void)g, (void)param; \
        PARAMS(LOCAL_, params) \
        PARAMS(FORMULA_, params) \
        return NULL; \
    }

#define UNARY(name, types, forward, vjp, ...) FORMULAS(name, (T(x, vjp)))
#define BINARY(name, types, forward, va, vb, ...) FORMULAS(name, (T(a, va), T(b, vb)))
/* Of floats overwritten by a comparison's answers. */
#define COMPARE(name, ...) FORMULAS(name, (T(a, zeros_of(g)), T(b, zeros_of(g))))
#define TERNARY(name, types, forward, va, vb, vc, ...) FORMULAS(name, (T(a, va), T(b, vb), T(c, vc)))
#define REDUCE(name, types, identity, map, combine, finish, vjp, ...) FORMULAS(name, (T(x, vjp), D(dim), B(keepdim)))
#define VIEW(name, params, ...) FORMULAS(name, params)
#define KERNEL(name, params, ...) FORMULAS(name, params)
#define COMPOSED(name, params, ...) FORMULAS(name, params)
#include "engine/ops.def"

#define UNARY(name, ...) [OP_##name] = vjp_##name,
#define BINARY UNARY
#define TERNARY UNARY
#define COMPARE UNARY
#define REDUCE UNARY
#define VIEW UNARY
#define KERNEL UNARY
#define COMPOSED UNARY
static Tensor *(*const formulas[OP_COUNT])(const Vjp *, int) = {
#include "engine/ops.def"
};

Tensor *vjp_apply(OpId op, const Vjp *v, int param)
{
    return formulas[op] ? formulas[op](v, param) : NULL;
}
