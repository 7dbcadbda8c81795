/* elementwise.c - runs the elementwise rows: straight over contiguous memory, block by block through buffers otherwise. */
#include "engine/cpu/iterate.h"
#include "engine/cpu/loops.h"
#include "engine/ops.h"

#include <ctype.h>
#include <string.h>

enum {
    SIDE = 32,
    BLOCK = SIDE * SIDE
}; /* elements in a buffer: all of an op's buffers together fit the first cache */

/* One op about to run. Index 0 is the result, 1 ... the operands. */
typedef struct Work {
    LoopFn loop;
    int nop;
    bool scalars;                  /* the loop takes an operand of stride 0 */
    bool same[ITER_MAXOP];         /* the operand is one number throughout */
    size_t stored[ITER_MAXOP];     /* bytes an element in memory … */
    size_t used[ITER_MAXOP];       /* … and in the loop */
    ConvertFn convert[ITER_MAXOP]; /* between the two; NULL: the same */
    ConvertFn narrow[ITER_MAXOP];  /* before that, to the 16-bit float the op computes in; NULL: need not */
    int64_t number[ITER_MAXOP];    /* room for an operand that is one number, converted once */
    char *data[ITER_MAXOP];
    int64_t stride[ITER_MAXOP];
} Work;

/* Whether all elements are one and the same. */
static bool is_uniform(const Tensor *t)
{
    for (int d = 0; d < t->ndim; d++)
        if (t->stride[d] && t->shape[d] != 1) return false;
    return true;
}

static DType result_of(const OpInfo *info, DType compute)
{
    return info->format == FORMAT_COMPARE || info->format == FORMAT_TEST ? DT_BOOL : loop_dtype(compute);
}

/* Which ops round a number beside 16-bit floats to 16 bits first, as in PyTorch; the others take it whole. */
static bool rounds_numbers(OpId op)
{
    return op == OP_add || op == OP_sub || op == OP_rsub || op == OP_pow || op == OP_fmod || op == OP_remainder;
}

/* An operand that is one number of another dtype becomes one of the loop's. */
static void convert_number(Work *w, int k, DType want, const Tensor *t, const Call *call)
{
    DType have = (DType)t->dtype, compute = call->compute;
    int64_t rounded;
    const void *from = tensor_data(t);
    if ((compute == DT_F16 || compute == DT_BF16) && have != compute && rounds_numbers(call->op)) {
        conversion(compute, have)(&rounded, from, 1);
        from = &rounded;
        have = compute;
    }
    conversion(want, have)(&w->number[k], from, 1);
    w->data[k] = (char *)&w->number[k];
}

/* ---- contiguous ---- */

static void flat_piece(int64_t begin, int64_t end, void *ctx)
{
    const Work *w = ctx;
    char *p[ITER_MAXOP];
    for (int k = 0; k < w->nop; k++) p[k] = w->data[k] + begin * w->stride[k];
    w->loop(p, w->stride, end - begin);
}

/* Fills in data and stride; false when some operand is neither contiguous in the loop's dtype nor a number. */
static bool set_flat(Work *w, const Call *call, const OpInfo *info, DType type)
{
    const Tensor *out = call->out[0];
    if (!out->contiguous || out->dtype != result_of(info, call->compute)) return false;
    w->data[0] = tensor_data(out);
    w->stride[0] = (int64_t)dtype_size((DType)out->dtype);
    for (int k = 1; k < w->nop; k++) {
        const Tensor *t = call->in[k - 1];
        DType want = k == 1 && info->types == TYPES_WHERE ? DT_BOOL : type;
        if (t->contiguous && t->dtype == want) {
            w->data[k] = tensor_data(t);
            w->stride[k] = (int64_t)dtype_size(want);
            continue;
        }
        if (!w->scalars || w->stride[k - 1] == 0 || !is_uniform(t)) return false;
        convert_number(w, k, want, t, call);
        w->stride[k] = 0;
    }
    return true;
}

/* ---- anything else ---- */

/* A block of rows on its way through the loop. */
typedef struct Block {
    int64_t n0, n1, n;
    Steps step[ITER_MAXOP];
    char *at[ITER_MAXOP];
} Block;

typedef struct Buffers {
    _Alignas(64) char room[ITER_MAXOP][BLOCK * 8];
    _Alignas(64) char raw[BLOCK * 8]; /* before conversion, or after it */
    _Alignas(64) char narrow[BLOCK * 2];
} Buffers;

static bool is_packed(const Block *b, int k, size_t size)
{
    return (b->n0 == 1 || b->step[k].inner == (int64_t)size) &&
           (b->n1 == 1 || b->step[k].outer == (int64_t)size * b->n0);
}

static bool is_still(const Block *b, int k)
{
    return (b->n0 == 1 || b->step[k].inner == 0) && (b->n1 == 1 || b->step[k].outer == 0);
}

/* Operand k of the block as contiguous elements of the loop's dtype. */
static char *load(const Work *w, int k, const Block *b, Buffers *buffers)
{
    char *p = b->at[k];
    size_t stored = w->stored[k];
    Steps packed = {(int64_t)stored, (int64_t)stored * b->n0};
    if (!is_packed(b, k, stored)) {
        char *to = w->convert[k] ? buffers->raw : buffers->room[k];
        strided_copy(to, packed, p, b->step[k], b->n0, b->n1, stored);
        p = to;
    }
    if (!w->convert[k]) return p;
    if (w->narrow[k]) {
        w->narrow[k](buffers->narrow, p, b->n);
        p = buffers->narrow;
    }
    w->convert[k](buffers->room[k], p, b->n);
    return buffers->room[k];
}

static char *load_one(const Work *w, int k, const Block *b, Buffers *buffers)
{
    Block one = {.n0 = 1, .n1 = 1, .n = 1, .at = {[0] = NULL}};
    one.at[k] = b->at[k];
    return load(w, k, &one, buffers);
}

static void store(const Work *w, const Block *b, Buffers *buffers)
{
    char *p = buffers->room[0];
    Steps packed = {(int64_t)w->stored[0], (int64_t)w->stored[0] * b->n0};
    bool direct = is_packed(b, 0, w->stored[0]);
    if (w->convert[0]) {
        char *to = direct ? b->at[0] : buffers->raw;
        w->convert[0](to, p, b->n);
        p = to;
    }
    if (!direct) strided_copy(b->at[0], b->step[0], p, packed, b->n0, b->n1, w->stored[0]);
}

static void run_block(const Work *w, const Block *b, Buffers *buffers)
{
    char *p[ITER_MAXOP];
    int64_t stride[ITER_MAXOP];
    bool scalar = !w->scalars; /* the loop takes one at most */
    for (int k = 1; k < w->nop; k++) {
        bool one = !scalar && b->n > 1 && is_still(b, k);
        if (one)
            p[k] = load_one(w, k, b, buffers);
        else if (w->same[k])
            p[k] = buffers->room[k]; /* filled beforehand */
        else
            p[k] = load(w, k, b, buffers);
        stride[k] = one ? 0 : (int64_t)w->used[k];
        scalar |= one;
    }
    bool direct = !w->convert[0] && is_packed(b, 0, w->stored[0]);
    p[0] = direct ? b->at[0] : buffers->room[0];
    stride[0] = (int64_t)w->used[0];
    w->loop(p, stride, b->n);
    if (!direct) store(w, b, buffers);
}

/* Whether an operand lies across the result, as a transposed matrix does: blocks then take several elements of each of
 * its cache lines. */
static bool is_crossed(const Work *w, const Tile *t)
{
    if (t->n0 < SIDE * 2 || t->n1 < 4) return false;
    for (int k = 0; k < w->nop; k++)
        if (t->outer[k] == (int64_t)w->stored[k] && t->inner[k] >= 64) return true;
    return false;
}

static void run_tile(const Tile *t, void *ctx)
{
    const Work *w = ctx;
    Buffers buffers;
    Block b;
    int64_t width = t->n0 < BLOCK ? t->n0 : BLOCK, rows = t->n0 < BLOCK / 2 ? BLOCK / t->n0 : 1;
    if (is_crossed(w, t)) width = SIDE * 2, rows = SIDE / 2;
    for (int k = 0; k < w->nop; k++) {
        b.step[k] = (Steps){t->inner[k], t->outer[k]};
        Steps packed = {(int64_t)w->used[k], 0}, still = {0, 0};
        int64_t n = t->n0 * t->n1 < BLOCK ? t->n0 * t->n1 : BLOCK;
        if (k && w->same[k]) strided_copy(buffers.room[k], packed, w->data[k], still, n, 1, w->used[k]);
    }
    for (int64_t r = 0; r < t->n1; r += rows) {
        b.n1 = t->n1 - r < rows ? t->n1 - r : rows;
        for (int64_t i = 0; i < t->n0; i += width) {
            b.n0 = t->n0 - i < width ? t->n0 - i : width;
            b.n = b.n0 * b.n1;
            for (int k = 0; k < w->nop; k++) b.at[k] = t->data[k] + r * b.step[k].outer + i * b.step[k].inner;
            run_block(w, &b, &buffers);
        }
    }
}

/* How operand k (0: the result) gets from memory to the loop and back, and how it steps. */
static void set_operand(Work *w, int k, const Tensor *t, DType want, const Call *call, Iter *it)
{
    static const int64_t still[TIDE_MAXDIM];
    DType have = (DType)t->dtype, compute = call->compute;
    w->used[k] = w->stored[k] = dtype_size(want);
    w->convert[k] = w->narrow[k] = NULL;
    w->same[k] = k && is_uniform(t);
    if (w->same[k]) {
        convert_number(w, k, want, t, call);
        iter_add(it, w->data[k], still, 0);
        return;
    }
    w->stored[k] = dtype_size(have);
    if (have != want) w->convert[k] = k ? conversion(want, have) : conversion(have, want);
    if (k && want != compute && loop_dtype(compute) == want && have != compute) {
        w->narrow[k] = conversion(compute, have);
        w->convert[k] = conversion(want, compute);
    }
    iter_add(it, tensor_data(t), t->stride, w->stored[k]);
}

/* How many elements are worth a thread. Plain arithmetic waits for memory and is done before a second thread has
 * woken up; a row that calls functions is worth one much sooner. */
static int64_t piece_of(OpId op, const OpInfo *info)
{
    static int64_t known[OP_COUNT];
    if (known[op]) return known[op];
    bool calls = false;
    for (const char *p = info->forward; *p && !calls;
         p++) /* a name before a bracket, other than K( and KW( */
        calls = p > info->forward && *p == '(' && islower((unsigned char)p[-1]);
    return known[op] = calls ? GRAIN / 2 : 4 * GRAIN;
}

static bool run_strided(Work *w, const Call *call, const OpInfo *info, DType type)
{
    const Tensor *out = call->out[0];
    Iter it;
    iter_begin(&it, out->ndim, out->shape);
    set_operand(w, 0, out, result_of(info, call->compute), call, &it);
    for (int k = 1; k < w->nop; k++)
        set_operand(w, k, call->in[k - 1], k == 1 && info->types == TYPES_WHERE ? DT_BOOL : type,
                    call, &it);
    iter_order(&it);
    return iter_run(&it, iter_grain(&it, piece_of(call->op, info)), run_tile, w);
}

bool cpu_elementwise(const Call *call)
{
    int64_t n = call->out[0]->numel;
    if (n == 0) return true;
    const OpInfo *info = op_info(call->op);
    Work w;
    w.loop = elementwise_loop(call->op, call->compute);
    if (!w.loop) { /* rounding integers */
        if (info->types == TYPES_ROUND) return cpu_copy(call);
        return tide_refuse("NotImplementedError", "\"%s_cpu\" not implemented for '%s'", info->name,
                           dtype_info[call->compute].cname);
    }
    DType type = loop_dtype(call->compute);
    w.scalars = info->format == FORMAT_BINARY || info->format == FORMAT_COMPARE;
    w.nop = 1 + call->nin;
    if (!set_flat(&w, call, info, type)) return run_strided(&w, call, info, type);
    if (n > GRAIN) {
        int64_t piece = piece_of(call->op, info);
        if (n >= 2 * piece)
            return parallel_for(n, piece / 4, flat_piece, &w); /* quarters are shared more evenly */
    }
    w.loop(w.data, w.stride, n);
    return true;
}
