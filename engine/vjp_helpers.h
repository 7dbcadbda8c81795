/* vjp_helpers.h - the few words, besides op_*, that derivative formulas in the op table use. Included by vjp.c only. */
#ifndef TIDE_VJP_HELPERS_H
#define TIDE_VJP_HELPERS_H

#include "engine/autograd.h"

#include <float.h>

#define NONE NULL
#define NOT_IMPLEMENTED NULL
#define META(name) name##_meta

/* A number as a tensor. */
static inline Tensor *num(double v) { return tensor_number(v); }

/* Of an op that PyTorch records and cannot differentiate; name is its own there. */
static inline Tensor *no_derivative(const char *name)
{
    return tide_fail("NotImplementedError", "the derivative for '%s' is not implemented.", name);
}

/* Zeros in g's shape: not g * 0, which is NaN where g is infinite, and which a second derivative would follow. */
static inline Tensor *zeros_of(const Tensor *g)
{
    Dims shape = tensor_dims(g);
    return tensor_zeros(&shape, (DType)g->dtype, g->device);
}

/* The next number moves with a, unless there is nowhere to go, and never with b. */
static inline Tensor *nextafter_backward(Tensor *g, Tensor *a, Tensor *b, bool second)
{
    return second ? zeros_of(g) : op_where(op_eq(a, b), num(0), g);
}

/* PyTorch has no kernel for the derivative of i1 or i1e in 16 bits. */
static inline bool has_i1_backward(const Tensor *x, const char *kernel)
{
    return (x->dtype != DT_F16 && x->dtype != DT_BF16) ||
           tide_refuse("NotImplementedError", "\"%s\" not implemented for '%s'", kernel, dtype_info[x->dtype].cname);
}

static inline Tensor *i1_backward(Tensor *g, Tensor *x, Tensor *y)
{
    return has_i1_backward(x, "i1_backward") ? op_mul(g, op_i1_slope(x, y)) : NULL;
}

/* i0e - i1e (sgn x + 1 / x), which tends to 1/2 at 0: there it is taken at a number that can be divided by. */
static inline Tensor *i1e_backward(Tensor *g, Tensor *x, Tensor *y)
{
    if (!has_i1_backward(x, "i1e_backward")) return NULL;
    double least = x->dtype == DT_F64 ? DBL_EPSILON : FLT_EPSILON;
    Tensor *tiny = op_le(op_abs(x), num(least)), *safe = op_where(tiny, num(least), x);
    Tensor *slope = op_sub(op_special_i0e(safe), op_mul(y, op_add(op_sgn(x), op_reciprocal(safe))));
    return op_mul(g, op_where(tiny, num(0.5), slope));
}

/* A number in t's dtype, to which it is rounded. */
static inline Tensor *num_like(double v, const Tensor *t)
{
    return tensor_full(&(Dims){0}, v, (DType)t->dtype, t->device);
}

/* 1 - c; of a number a number, in double. */
static inline Tensor *one_minus(Tensor *c)
{
    double v;
    return c && c->is_number && tensor_item_double(c, &v) ? num(1 - v) : op_rsub(c, num(1));
}

/* 1 / t, and 0 where t is 0. */
static inline Tensor *inverse_or_zero(Tensor *t)
{
    return op_where(op_eq(t, num(0)), num(0), op_reciprocal(t));
}

/* The dims a formula passes on live in a ring: the op it calls copies what it keeps before the ring comes round. */
static inline Dims *scratch_dims(void)
{
    static Dims ring[16];
    static unsigned at;
    return &ring[at++ % 16];
}

static inline const Dims *dims_of(const Tensor *t)
{
    Dims *d = scratch_dims();
    *d = tensor_dims(t);
    return d;
}

static inline const Dims *inverse_permutation(const Dims *dims)
{
    Dims *d = scratch_dims();
    d->n = dims->n;
    for (int i = 0; i < dims->n; i++) d->v[dims->v[i] < 0 ? dims->v[i] + dims->n : dims->v[i]] = i;
    return d;
}

static inline const Dims *negated(const Dims *dims)
{
    Dims *d = scratch_dims();
    d->n = dims->n;
    for (int i = 0; i < dims->n; i++) d->v[i] = -dims->v[i];
    return d;
}

static inline int64_t wrapped_dim(int64_t dim, int ndim) { return dim < 0 ? dim + ndim : dim; }

/* How many elements of x stand behind one element of its reduction. */
static inline double reduced_count(const Tensor *x, const Dims *dim)
{
    Dims all;
    if (!wrap_dims(dim, x->ndim, &all)) return 1;
    double n = 1;
    for (int i = 0; i < all.n; i++) n *= (double)x->shape[all.v[i]];
    return n;
}

/* Where part k of a concatenation along dim begins. PyTorch lets 1-D empty tensors join anything: they take no room. */
static inline int64_t cat_start(Tensor *const *parts, int64_t dim, int k)
{
    int64_t at = 0;
    for (int i = 0; i < k; i++)
        if (!(parts[i]->ndim == 1 && parts[i]->shape[0] == 0)) at += parts[i]->shape[wrapped_dim(dim, parts[i]->ndim)];
    return at;
}

/* A device as one number, for the row `to_copy`. */
static inline int64_t device_code(Device d) { return d.type * 256 + d.index; }

#endif
