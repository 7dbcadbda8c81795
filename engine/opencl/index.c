/* index.c - kernels that read or write at computed places: index, gather, index_put and the scatters.
 *
 * All are one walk over three operands, as on the CPU: the place in x before the index is added (stride 0
 * along the indexed dim), the index, and the result or the source. Writes that replace elements run all at
 * once: of several to one place any may stay. Writes that combine go along the indexed dim in order, one work
 * item for each other place, so that sums are the same every time. */
#include "engine/opencl/internal.h"

#include <stdio.h>
#include <string.h>

typedef enum How { HOW_TAKE, HOW_SET, HOW_ADD, HOW_MULTIPLY, HOW_MAX, HOW_MIN } How;

static const char *const combined[] = {
    [HOW_TAKE] = "b",
    [HOW_SET] = "b",
    [HOW_ADD] = "a + b",
    [HOW_MULTIPLY] = "a * b",
    [HOW_MAX] = "a != a ? a : b != b ? b : a > b ? a : b",
    [HOW_MIN] = "a != a ? a : b != b ? b : a < b ? a : b",
};

typedef struct Plan {
    const ClDevice *device;
    How how;
    DType dtype;
} Plan;

/* Mirrors kernels/index.cl. */
typedef struct Along {
    cl_long n, unit; /* of the indexed dim; elements of x that an index of 1 stands for */
    cl_long index_step, src_step;
} Along;

static bool write_source(Text *t, const void *context)
{
    const Plan *p = context;
    write_prelude(t, p->device, p->dtype, true);
    text_add(t, "#define ELEMENT %s\n", storage_type(p->dtype));
    write_load(t, 0, p->dtype, p->dtype, 1);
    write_load(t, 1, p->dtype, p->dtype, 1);
    write_store(t, p->dtype, p->dtype, 1);
    text_add(t, p->dtype == DT_BOOL ? "#define COMBINED (T)((%s) != 0)\n" : "#define COMBINED (T)(%s)\n",
             combined[p->how]);
    text_put(t, cl_source("index"));
    return !t->failed;
}

static Tensor without_dim(const Tensor *t, int dim)
{
    Tensor r = *t;
    r.ndim--;
    for (int d = dim; d < r.ndim; d++) {
        r.shape[d] = t->shape[d + 1];
        r.stride[d] = t->stride[d + 1];
    }
    return r;
}

/* x as the walk sees it: index's shape, stride 0 along dim, its own strides elsewhere. */
static bool run(How how, const Tensor *x, const Tensor *index, const Tensor *other, int dim, int64_t unit)
{
    Plan p = {cl_device_of(x), how, (DType)x->dtype};
    ClDevice *device = cl_device_of(x);
    bool in_order = how > HOW_SET;
    if (!device || (in_order && !check_float64(device, &x, 1, p.dtype))) return false;
    if (!in_order)
        p.dtype = dtype_size(p.dtype) == 1   ? DT_U8
                  : dtype_size(p.dtype) == 2 ? DT_I16
                  : dtype_size(p.dtype) == 4 ? DT_I32
                                             : DT_I64;
    Along along = {other->shape[dim], unit, index->stride[dim], other->stride[dim]};
    Tensor ox = without_dim(x, dim), oindex = without_dim(index, dim), oother = without_dim(other, dim);
    Geometry g;
    if (in_order)
        geometry_init(&g, 3, (const Tensor *[]){&oother, &ox, &oindex}, 1);
    else
        geometry_init(&g, 3, (const Tensor *[]){other, x, index}, 1);
    if (other->numel == 0) return true;
    char key[64];
    const char *name = how == HOW_TAKE ? "take" : how == HOW_SET ? "put" : "put_in_order";
    snprintf(key, sizeof key, "index %d %s", in_order ? (int)how : 0, dtype_name(p.dtype));
    Launch l = launch_begin(device, cl_program_kernel(device, key, name, write_source, &p));
    launch_tensor(&l, other);
    launch_tensor(&l, x);
    launch_tensor(&l, index);
    launch_value(&l, &g, sizeof g);
    launch_value(&l, &along, sizeof along);
    return launch_run(&l, (size_t)g.items);
}

/* ---- by offsets: in[…] (m, …rest) over x's rest dims ---- */

static bool run_offsets(How how, const Tensor *rest, const Tensor *offsets, const Tensor *slices)
{
    Tensor x = *rest, index = *offsets;
    x.ndim = index.ndim = slices->ndim;
    memset(index.stride, 0, sizeof index.stride);
    index.stride[0] = offsets->stride[0];
    x.stride[0] = 0;
    for (int d = 0; d < slices->ndim; d++) {
        x.shape[d] = index.shape[d] = slices->shape[d];
        if (d > 0) x.stride[d] = rest->stride[d - 1];
    }
    return run(how, &x, &index, slices, 0, 1);
}

/* in[0] x's rest dims, in[1] offsets (m) in elements, out[0] (m, …rest). */
bool opencl_index(const Call *call)
{
    return run_offsets(HOW_TAKE, call->in[0], call->in[1], call->out[0]);
}

/* in[0] offsets (m) in elements, in[1] values (m, …rest), out[0] x's rest dims; arg[3] whether values are
 * added. */
bool opencl_index_put(const Call *call)
{
    return run_offsets(call->arg[3].b ? HOW_ADD : HOW_SET, call->out[0], call->in[0], call->in[1]);
}

/* ---- along a dim: index has as many dims as x ---- */

static bool run_along(How how, const Tensor *x, const Tensor *index, const Tensor *other, int64_t dim)
{
    Tensor base = *x;
    memcpy(base.shape, index->shape, sizeof base.shape);
    base.stride[dim] = 0;
    Tensor narrowed = *other; /* a source may be larger than the index */
    memcpy(narrowed.shape, index->shape, sizeof narrowed.shape);
    narrowed.numel = index->numel;
    return run(how, &base, index, &narrowed, (int)dim, x->stride[dim]);
}

/* in[0] x, in[1] index; out[0] of index's shape; arg[1] the dim. Indices are in range. */
bool opencl_gather(const Call *call)
{
    return run_along(HOW_TAKE, call->in[0], call->in[1], call->out[0], call->arg[1].i);
}

/* in[0] index, in[1] src, out[0] x; arg[1] the dim. */
bool opencl_scatter(const Call *call)
{
    return run_along(HOW_SET, call->out[0], call->in[0], call->in[1], call->arg[1].i);
}

bool opencl_scatter_add(const Call *call)
{
    return run_along(HOW_ADD, call->out[0], call->in[0], call->in[1], call->arg[1].i);
}

/* arg[4]: 0 sum, 1 prod, 2 mean (the sum; its division is the caller's), 3 amax, 4 amin. */
bool opencl_scatter_reduce(const Call *call)
{
    static const How how[] = {HOW_ADD, HOW_MULTIPLY, HOW_ADD, HOW_MAX, HOW_MIN};
    return run_along(how[call->arg[4].i], call->out[0], call->in[0], call->in[1], call->arg[1].i);
}
