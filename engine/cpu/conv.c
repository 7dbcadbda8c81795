/* conv.c - convolutions and their gradients: windows laid out as columns for BLAS.
 *
 * The kernels convolution, conv_input and conv_weight. All tensors are dense and of one dtype, float or
 * double, and have elements: x (n, channels, 3 spatial dims), weight (filters, channels / groups, 3),
 * g (n, filters, 3).
 * arg[3] stride, arg[4] padding, arg[5] dilation, three each; arg[6] groups.
 *   convolution: in x, weight and perhaps bias, out g.   conv_input: in g, weight, out x.
 *   conv_weight: in g, x, out weight. */
#include "engine/cpu/kernels.h"
#include "engine/cpu/threads.h"

#include <cblas.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

typedef struct Window {
    int64_t in[3], kernel[3], out[3], stride[3], padding[3], dilation[3];
} Window;

typedef struct Job Job;
typedef void (*ItemFn)(const Job *job, int64_t item, void *scratch);

/* channels and filters are those of one group. Work is split by blocks of output positions or by channels,
 * whose sizes do not depend on the number of threads, so that results do not either. */
struct Job {
    Window window;
    int64_t batch, groups, channels, filters, taps, plane, places;
    int64_t block, blocks, chunk, chunks;
    bool direct; /* a 1x1 kernel over every position: the image is its own matrix of windows */
    void *x, *weight, *g;
    const void *bias;
    ItemFn item;
    size_t scratch;
    atomic_bool no_memory;
};

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

/* Narrows from … end to the i for which 0 <= start + i * step < size. */
static void inside(int64_t size, int64_t start, int64_t step, int64_t *from, int64_t *end)
{
    if (start < 0) *from = step == 1 ? -start : (-start + step - 1) / step;
    int64_t last = start >= size ? 0 : step == 1 ? size - start : (size - start + step - 1) / step;
    *end = least(*end, last);
}

#define T       float
#define NAME(f) f##_f32
#define GEMM    cblas_sgemm
#include "engine/cpu/conv.inc"
#define T       double
#define NAME(f) f##_f64
#define GEMM    cblas_dgemm
#include "engine/cpu/conv.inc"

static void describe(Job *job, const Tensor *x, const Tensor *weight, const Tensor *g, const Arg *arg)
{
    enum { ROWS = 256 };
    Window *w = &job->window;
    job->taps = job->plane = job->places = 1;
    for (int i = 0; i < 3; i++) {
        w->in[i] = x->shape[i + 2];
        w->kernel[i] = weight->shape[i + 2];
        w->out[i] = g->shape[i + 2];
        w->stride[i] = arg[3].dims->v[i];
        w->padding[i] = arg[4].dims->v[i];
        w->dilation[i] = arg[5].dims->v[i];
        job->plane *= w->in[i];
        job->taps *= w->kernel[i];
        job->places *= w->out[i];
        job->direct = (i == 0 || job->direct) && w->kernel[i] == 1 && w->stride[i] == 1 && w->padding[i] == 0;
    }
    job->batch = x->shape[0];
    job->groups = arg[6].i;
    job->channels = x->shape[1] / job->groups;
    job->filters = weight->shape[0] / job->groups;
    job->x = tensor_data(x);
    job->weight = tensor_data(weight);
    job->g = tensor_data(g);
    job->chunk = job->taps < ROWS ? least(ROWS / job->taps, job->channels) : 1;
    job->chunks = (job->channels - 1) / job->chunk + 1;
    job->chunk = (job->channels - 1) / job->chunks + 1; /* all of about one size, as the blocks below */
    job->direct = job->direct && job->plane == job->places;
}

static void split_places(Job *job, int64_t rows, size_t size)
{
    enum { ELEMENTS = 128 * 1024, LEAST = 64, STEP = 16 };
    int64_t most = ELEMENTS / rows > LEAST ? ELEMENTS / rows : LEAST;
    job->blocks = (job->places - 1) / most + 1;
    job->block = least(((job->places - 1) / job->blocks + STEP) / STEP * STEP, job->places);
    job->blocks = (job->places - 1) / job->block + 1;
    job->scratch = job->direct ? 0 : (size_t)(rows * job->block) * size;
}

static void items_range(int64_t begin, int64_t end, void *context)
{
    Job *job = context;
    void *scratch = malloc(job->scratch + 1);
    if (!scratch) atomic_store(&job->no_memory, true);
    for (int64_t i = begin; scratch && i < end; i++) job->item(job, i, scratch);
    free(scratch);
}

/* work: multiplications an item. */
static bool run_items(Job *job, int64_t items, double work)
{
    if (job->places > INT_MAX || job->channels * job->taps > INT_MAX || job->filters > INT_MAX) {
        tide_fail("RuntimeError", "convolution: sizes beyond 2^31 are not supported");
        return false;
    }
    if (!parallel_for(items, (int64_t)(1e6 / work) + 1, items_range, job)) return false;
    if (!job->no_memory) return true;
    tide_fail("MemoryError", "convolution: out of memory for %zu bytes of windows", job->scratch);
    return false;
}

bool cpu_convolution(const Call *call)
{
    const Tensor *g = call->out[0];
    Job job = {.item = g->dtype == DT_F32 ? forward_f32 : forward_f64};
    describe(&job, call->in[0], call->in[1], g, call->arg);
    job.bias = call->nin > 2 ? tensor_data(call->in[2]) : NULL;
    int64_t rows = job.channels * job.taps;
    split_places(&job, rows, dtype_size((DType)g->dtype));
    return run_items(&job, job.batch * job.groups * job.blocks,
                     (double)rows * (double)job.filters * (double)job.block);
}

bool cpu_conv_input(const Call *call)
{
    const Tensor *x = call->out[0];
    Job job = {.item = x->dtype == DT_F32 ? input_f32 : input_f64};
    describe(&job, x, call->in[1], call->in[0], call->arg);
    int64_t rows = job.chunk * job.taps;
    split_places(&job, rows, dtype_size((DType)x->dtype));
    return run_items(&job, job.batch * job.groups * job.chunks,
                     (double)rows * (double)job.filters * (double)job.places);
}

bool cpu_conv_weight(const Call *call)
{
    const Tensor *weight = call->out[0];
    Job job = {.item = weight->dtype == DT_F32 ? weight_f32 : weight_f64};
    describe(&job, call->in[1], weight, call->in[0], call->arg);
    int64_t rows = job.chunk * job.taps;
    split_places(&job, rows, dtype_size((DType)weight->dtype));
    return run_items(&job, job.groups * job.chunks,
                     (double)rows * (double)job.filters * (double)job.places * (double)job.batch);
}
