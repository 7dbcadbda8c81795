/* reduce.c - reductions: kernels made from the op table's identity, map, combine and finish.
 *
 * The elements behind each result are cut into slabs of a size that depends on the shapes only. A slab is
 * reduced by one work item, or by a group of them through a tree in local memory; where there are several
 * slabs, a second pass reduces their partial results in the same way. So results do not depend on how the
 * device schedules. */
#include "engine/opencl/internal.h"
#include "engine/ops.h"

#include <stdio.h>
#include <string.h>

/* Mirrors kernels/reduce.cl. */
typedef struct Reduction {
    cl_long outputs, count, slabs, slab; /* elements a result, slabs a result, elements a slab */
    cl_long offset_in, offset_out;
    cl_int kept, reduced, finish, unused;
    cl_long total; /* elements a result in the first pass */
    cl_long kept_shape[TIDE_MAXDIM], kept_in[TIDE_MAXDIM], kept_out[TIDE_MAXDIM]; /* innermost first */
    cl_long reduced_shape[TIDE_MAXDIM], reduced_in[TIDE_MAXDIM];
} Reduction;

typedef struct Plan {
    ClDevice *device;
    OpId op;
    DType from, compute, partial, to; /* elements are `from`, mapped in `compute`, combined in `partial` */
    bool wide;
} Plan;

/* ---- source ---- */

/* What partial results are kept in: counts need more than float, truths less than anything. */
static DType partial_dtype(TypeRule rule, DType compute)
{
    if (rule == TYPES_COUNT) return DT_I64;
    if (rule == TYPES_BOOLEAN) return DT_BOOL;
    return register_dtype(compute);
}

/* The r_ keeps names apart from the builtins all and any, which may be macros. */
static void write_row(Text *t, OpId op, bool truth)
{
    const OpInfo *info = op_info(op);
    const char *test = truth ? " != 0" : "";
    text_add(t, "static inline A map_r_%s(T x) { return (A)((%s)%s); }\n", info->name, info->forward, test);
    text_add(t, "static inline A combine_r_%s(A a, A b) { return (A)((%s)%s); }\n", info->name, info->combine,
             test);
    text_add(t, "static inline A finish_r_%s(A a, T n) { return (A)(%s); }\n", info->name, info->finish);
    text_add(t, "REDUCTIONS(r_%s, %s)\n", info->name, info->identity);
}

static bool write_source(Text *t, const void *context)
{
    const Plan *p = context;
    write_prelude(t, p->device, p->compute, p->wide);
    text_add(t, "#define A %s\n#define IN %s\n#define OUT %s\n#define GROUP %zu\n", register_type(p->partial),
             storage_type(p->from), storage_type(p->to), p->device->group);
    write_load(t, 1, p->from, p->compute, 1);
    write_store(t, p->to, p->partial, 1);
    text_put(t, cl_source("reduce"));
    for (OpId op = 0; op < OP_COUNT; op++) {
        const OpInfo *info = op_info(op);
        if (info->format != FORMAT_REDUCE || (op != p->op && !p->device->is_cpu)) continue;
        if (info->types == TYPES_FLOATONLY && !dtype_is_float(p->compute)) continue;
        if (partial_dtype((TypeRule)info->types, p->compute) == p->partial)
            write_row(t, op, p->partial == DT_BOOL);
    }
    return !t->failed;
}

/* ---- geometry ---- */

static void describe(Reduction *r, const Call *call)
{
    const Tensor *in = call->in[0], *out = call->out[0];
    Tensor kept_in = *in, kept_out = *out, reduced = *in;
    Geometry g;
    memset(r, 0, sizeof *r);
    int n = in->ndim - call->reduced;
    kept_in.ndim = kept_out.ndim = (uint8_t)n;
    geometry_init(&g, 2, (const Tensor *[]){&kept_in, &kept_out}, 1);
    r->outputs = g.items;
    r->kept = (cl_int)g.ndim;
    memcpy(r->kept_shape, g.shape, sizeof r->kept_shape);
    memcpy(r->kept_in, g.stride[0], sizeof r->kept_in);
    memcpy(r->kept_out, g.stride[1], sizeof r->kept_out);
    reduced.ndim = (uint8_t)call->reduced;
    memcpy(reduced.shape, in->shape + n, (size_t)call->reduced * sizeof *in->shape);
    memcpy(reduced.stride, in->stride + n, (size_t)call->reduced * sizeof *in->stride);
    geometry_init(&g, 1, (const Tensor *[]){&reduced}, 1);
    r->count = r->total = call->count;
    r->reduced = (cl_int)g.ndim;
    memcpy(r->reduced_shape, g.shape, sizeof r->reduced_shape);
    memcpy(r->reduced_in, g.stride[0], sizeof r->reduced_in);
    r->offset_in = in->offset;
    r->offset_out = out->offset;
}

static bool is_wide(const Reduction *r)
{
    const int64_t most = INT32_MAX - 4096;
    int64_t last = r->offset_in, out = r->offset_out;
    for (int i = 0; i < r->kept; i++) {
        last += (r->kept_shape[i] - 1) * r->kept_in[i];
        out += (r->kept_shape[i] - 1) * r->kept_out[i];
    }
    for (int i = 0; i < r->reduced; i++) last += (r->reduced_shape[i] - 1) * r->reduced_in[i];
    return last > most || out > most || r->outputs > most || r->count > most;
}

/* ---- passes ---- */

enum {
    ALONE = 64,      /* elements that one work item reduces without help, when results are few */
    SLAB = 1 << 14,  /* elements a group reduces */
    ENOUGH = 1 << 14 /* work items that keep any device busy */
};

/* Whether a group works on each slab, and how large slabs are. From the shapes alone. */
static bool plan_slabs(Reduction *r)
{
    bool dense =
        r->kept_in[0] == 1 && r->outputs >= 32; /* neighbours reduce neighbouring elements: one item each */
    bool grouped = r->count > ALONE && r->outputs < ENOUGH && !dense;
    int64_t most = grouped ? SLAB : r->outputs >= ENOUGH || r->count <= ALONE ? r->count : 512;
    r->slab = most > 0 ? most : 1;
    r->slabs = r->count > 0 ? (r->count + r->slab - 1) / r->slab : 1;
    return grouped;
}

static bool run_pass(const Plan *p, const char *key, const Reduction *r, bool first, bool grouped,
                     const Tensor *in, const Tensor *out, cl_mem from, cl_mem to)
{
    char name[96];
    snprintf(name, sizeof name, "%s%s_r_%s", grouped ? "group" : "item", first ? "" : "_again",
             op_info(p->op)->name);
    Launch l = launch_begin(p->device, cl_program_kernel(p->device, key, name, write_source, p));
    if (first)
        launch_tensor(&l, in);
    else
        launch_buffer(&l, from);
    launch_tensor(&l, out);
    launch_buffer(&l, to ? to : cl_buffer_of(out)); /* unused when the pass is the last one */
    launch_value(&l, r, sizeof *r);
    size_t work = (size_t)(r->outputs * r->slabs);
    return grouped ? launch_groups(&l, 1, &work, &p->device->group) : launch_run(&l, work);
}

/* Partial results lie as (outputs, slabs). */
static void describe_again(Reduction *r)
{
    r->count = r->slabs;
    r->reduced = 1;
    r->reduced_shape[0] = r->slabs;
    r->reduced_in[0] = 1;
    r->offset_in = 0;
}

bool opencl_reduce(const Call *call)
{
    const Tensor *in = call->in[0], *out = call->out[0];
    TypeRule rule = (TypeRule)op_info(call->op)->types;
    Reduction r;
    Plan p = {.device = cl_device_of(out),
              .op = call->op,
              .from = (DType)in->dtype,
              .compute = call->compute,
              .partial = partial_dtype(rule, call->compute),
              .to = (DType)out->dtype};
    if (!p.device || !check_float64(p.device, (const Tensor *[]){in, out}, 2, p.compute)) return false;
    describe(&r, call);
    p.wide = is_wide(&r);
    char key[128];
    snprintf(key, sizeof key, "reduce %s %s %s %s %c %s", dtype_name(p.from),
             dtype_name(register_dtype(p.compute)), dtype_name(p.partial), dtype_name(p.to),
             p.wide ? 'l' : 'i', p.device->is_cpu ? "" : op_info(call->op)->name);
    bool grouped = plan_slabs(&r), ok;
    r.finish = r.slabs == 1;
    cl_mem partial[2] = {NULL, NULL};
    size_t bytes[2] = {(size_t)(r.outputs * r.slabs) * dtype_size(p.partial), 0};
    if (!r.finish && !(partial[0] = cl_buffer_take(p.device, bytes[0]))) return false;
    ok = run_pass(&p, key, &r, true, grouped, in, out, NULL, partial[0]);
    for (int at = 0; ok && !r.finish; at ^= 1) {
        describe_again(&r);
        grouped = plan_slabs(&r);
        r.finish = r.slabs == 1;
        if (partial[at ^ 1]) cl_buffer_give(p.device, partial[at ^ 1], bytes[at ^ 1]);
        partial[at ^ 1] = NULL;
        bytes[at ^ 1] = (size_t)(r.outputs * r.slabs) * dtype_size(p.partial);
        if (!r.finish && !(partial[at ^ 1] = cl_buffer_take(p.device, bytes[at ^ 1])))
            ok = false;
        else
            ok = run_pass(&p, key, &r, false, grouped, in, out, partial[at], partial[at ^ 1]);
    }
    for (int i = 0; i < 2; i++)
        if (partial[i]) cl_buffer_give(p.device, partial[i], bytes[i]);
    return ok;
}
