/* matmul.c - mm, bmm, addmm, baddbmm, for every layout by strides: a kernel that tiles in local memory, and
 * for CPU devices, where local memory is memory like any other, one that works with vectors. */
#include "engine/opencl/internal.h"

#include <stdio.h>

/* Rows and columns of the result: made by a group of the tiled kernel, by an item of the other. As in
 * kernels/matmul.cl. */
enum { TILE = 64, ROWS = 4, COLUMNS = 16 };

/* Mirrors kernels/matmul.cl. Strides in elements; tiles are counted over the result. */
typedef struct Product {
    cl_long batches, m, n, k, row_tiles, column_tiles;
    cl_long a_offset, a_batch, a_row, a_column;
    cl_long b_offset, b_batch, b_row, b_column;
    cl_long c_offset, c_batch, c_row, c_column;
    cl_int adds, unused; /* whether beta c is added */
} Product;

typedef struct Plan {
    const ClDevice *device;
    DType dtype;
    int side; /* a group is side x side work items */
} Plan;

static bool write_source(Text *t, const void *context)
{
    const Plan *p = context;
    write_prelude(t, p->device, p->dtype, true);
    text_add(t, "#define SIDE %d\n", p->side);
    text_put(t, cl_source("matmul"));
    return !t->failed;
}

/* alpha and beta as the kernel's T. */
static void launch_scalar(Launch *l, DType dtype, double v)
{
    char bytes[8];
    element_store_double(bytes, dtype, v);
    launch_value(l, bytes, dtype_size(dtype));
}

static int64_t tiles(int64_t n, int64_t each)
{
    return (n + each - 1) / each;
}

static bool multiply(const Call *call, double alpha, double beta)
{
    const Tensor *a = call->in[0], *b = call->in[1], *c = call->out[0];
    int i = c->ndim - 2, j = i + 1;
    ClDevice *device = cl_device_of(c);
    if (!device || !check_float64(device, (const Tensor *[]){a, b, c}, 3, (DType)c->dtype)) return false;
    if (c->numel == 0) return true;
    Product p = {
        .m = c->shape[i],
        .n = c->shape[j],
        .k = a->shape[j],
        .row_tiles = tiles(c->shape[i], device->is_cpu ? ROWS : TILE),
        .column_tiles = tiles(c->shape[j], device->is_cpu ? COLUMNS : TILE),
        .a_offset = a->offset,
        .a_row = a->stride[i],
        .a_column = a->stride[j],
        .b_offset = b->offset,
        .b_row = b->stride[i],
        .b_column = b->stride[j],
        .c_offset = c->offset,
        .c_row = c->stride[i],
        .c_column = c->stride[j],
        .adds = beta != 0,
        .batches = 1,
    };
    if (i > 0) {
        p.batches = c->shape[0];
        p.a_batch = a->stride[0], p.b_batch = b->stride[0], p.c_batch = c->stride[0];
    }
    Plan plan = {device, (DType)c->dtype, device->group >= 256 ? 16 : 8};
    if (device->group < 64)
        return tide_refuse("RuntimeError",
                           "OpenCL: %s allows groups of %zu work items; matrix products need 64",
                           device->name, device->group);
    char key[64];
    snprintf(key, sizeof key, "matmul %s", dtype_name(plan.dtype));
    Launch l =
        launch_begin(device, cl_program_kernel(device, key, device->is_cpu ? "matmul_rows" : "matmul_tiles",
                                               write_source, &plan));
    launch_tensor(&l, a);
    launch_tensor(&l, b);
    launch_tensor(&l, c);
    launch_value(&l, &p, sizeof p);
    launch_scalar(&l, plan.dtype, alpha);
    launch_scalar(&l, plan.dtype, beta);
    size_t all = (size_t)(p.batches * p.row_tiles * p.column_tiles);
    if (device->is_cpu) return launch_run(&l, all);
    size_t groups[2] = {all, 1}, group[2] = {(size_t)plan.side, (size_t)plan.side};
    return launch_groups(&l, 2, groups, group);
}

bool opencl_mm(const Call *call)
{
    return multiply(call, 1, 0);
}

bool opencl_bmm(const Call *call)
{
    return multiply(call, 1, 0);
}

/* arg[3] beta, arg[4] alpha; out holds what beta multiplies. */
bool opencl_addmm(const Call *call)
{
    return multiply(call, call->arg[4].f, call->arg[3].f);
}

bool opencl_baddbmm(const Call *call)
{
    return multiply(call, call->arg[4].f, call->arg[3].f);
}
