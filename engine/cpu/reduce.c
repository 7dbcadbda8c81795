/* reduce.c - reductions over any dims of any strides, adding in PyTorch's order whatever the number of threads.
 *
 * Many numbers are added as a cascade: every 2^p rows a level's sums move up one level, so that the error grows like a
 * blocked sum's. What a row is depends on the memory, as in PyTorch's CPU build without vector extensions:
 *   - reduced elements contiguous: rows of four 32-byte vectors (VECTORS);
 *   - columns contiguous: one element of each of the columns side by side (STRAIGHT), but for the left-over columns
 *     rows of four consecutive elements of a column (FOURS), as for everything else.
 * With several reduced dims that do not merge, the inner dim's results are added up one by one. */
#include "engine/cpu/reduce.h"
#include "engine/cpu/iterate.h"
#include "engine/ops.h"
#include "engine/store.h"

#include <string.h>

enum {
    LEVELS = 4,
    WIDTH = 256,      /* results computed side by side */
    SUMS = 4 * WIDTH, /* partial sums of a level at most */
    BUFFER = 2048     /* elements gathered or converted at a time */
};

typedef struct Plan {
    const ReduceLoops *loops;
    ConvertFn load;              /* NULL: elements are of the loops' type */
    ConvertFn store;             /* NULL: results are */
    size_t stored, used, result; /* bytes an element: of the input, of the loops' type, of the output */
    int64_t count;
    int64_t n, step; /* the innermost reduced dim: elements, bytes from one to the next */
    Iter reduced;    /* the other reduced dims */
    int64_t across, to_step,
        across_step;  /* the innermost dim of the results: elements, bytes in output and input */
    Iter results;     /* the others: operand 0 the output, 1 the input */
    bool vectors;     /* the innermost reduced dim is contiguous */
    bool rows_short;  /* it is contiguous, of the loops' type and short */
    int64_t straight; /* that many leading columns are cascaded straight */
    int64_t band;     /* results of the innermost dim computed together */
} Plan;

/* ---- the cascade ---- */

/* `rows` rows, each of `sub` pieces of `width` elements; steps in bytes. */
typedef struct Rows {
    const Plan *plan;
    const char *x;
    int64_t step, sub_step, column_step, rows;
    int64_t sub, width;
    int power;
} Rows;

typedef struct Sums {
    _Alignas(64) char level[LEVELS][SUMS * 8];
} Sums;

static int level_power(int64_t rows)
{
    int bits = rows > 1 ? 64 - __builtin_clzll((uint64_t)rows - 1) : 0;
    return bits / LEVELS > 4 ? bits / LEVELS : 4;
}

/* Brings short pieces together, converted, so that one call adds many. */
static void add_gathered(const Rows *s, int64_t first, int64_t rows, void *acc)
{
    _Alignas(64) char raw[BUFFER * 8], converted[BUFFER * 8];
    const Plan *p = s->plan;
    int64_t columns = s->sub * s->width, most = BUFFER / columns > 0 ? BUFFER / columns : 1;
    for (int64_t r = 0; r < rows; r += most) {
        int64_t m = rows - r < most ? rows - r : most;
        const char *x = s->x + (first + r) * s->step;
        Steps packed = {(int64_t)p->stored, (int64_t)p->stored * s->width};
        Steps from = {s->column_step,
                      s->sub == 1 ? s->step : s->sub_step}; /* a row's pieces lie as the rows do */
        strided_copy(raw, packed, x, from, s->width, m * s->sub, p->stored);
        if (p->load) p->load(converted, raw, m * columns);
        p->loops->block(acc, p->load ? converted : raw, columns * (int64_t)p->used, m, columns);
    }
}

/* Adds rows first ... first + rows - 1 to acc, column by column. */
static void add_rows(const Rows *s, int64_t first, int64_t rows, char *acc)
{
    const Plan *p = s->plan;
    bool packed = s->width == 1 || s->column_step == (int64_t)p->stored;
    bool joined = s->sub == 1 || s->sub_step == s->width * (int64_t)p->stored;
    if (p->load || !packed || (!joined && s->width < 16)) {
        add_gathered(s, first, rows, acc);
        return;
    }
    const char *x = s->x + first * s->step;
    if (joined) {
        p->loops->block(acc, x, s->step, rows, s->sub * s->width);
        return;
    }
    for (int64_t q = 0; q < s->sub; q++)
        p->loops->block(acc + q * s->width * (int64_t)p->loops->size, x + q * s->sub_step, s->step, rows,
                        s->width);
}

/* Rows first <= r < last into the levels, which start clear; first is a multiple of the third level's step. */
static void cascade(const Rows *s, int64_t first, int64_t last, Sums *sums)
{
    const ReduceLoops *loops = s->plan->loops;
    int64_t columns = s->sub * s->width, step = (int64_t)1 << s->power, mask = step - 1, r = first;
    for (int l = 0; l < LEVELS; l++) loops->clear(sums->level[l], columns);
    bool quick = !s->plan->load && s->sub == 1 && s->column_step == (int64_t)s->plan->stored &&
                 columns * (int64_t)s->plan->used == ROW_BYTES;
    while (r + step <= last) {
        int l = 1;
        if (quick) { /* all the steps that go to the first level before it moves up */
            int64_t count = step - (r >> s->power & mask), most = (last - r) >> s->power;
            count = count < most ? count : most;
            loops->steps(sums->level[1], s->x + r * s->step, s->step, step, count);
            r += count * step;
            if (r & mask << s->power) break;
            l = 2;
        } else {
            add_rows(s, r, step, sums->level[0]);
            r += step;
        }
        for (; l < LEVELS; l++) {
            loops->combine(sums->level[l], sums->level[l - 1], columns);
            loops->clear(sums->level[l - 1], columns);
            if (r & mask << (l * s->power)) break;
        }
    }
    if (r < last) add_rows(s, r, last - r, sums->level[0]);
}

typedef struct Shared {
    const Rows *rows;
    int64_t unit;
    char *partial; /* the highest level's sums of every unit but the last */
    Sums *last;
} Shared;

static void cascade_unit(int64_t begin, int64_t end, void *ctx)
{
    Shared *h = ctx;
    size_t bytes = (size_t)(h->rows->sub * h->rows->width) * h->rows->plan->loops->size;
    Sums sums;
    for (int64_t u = begin; u < end; u++) {
        bool last = (u + 1) * h->unit >= h->rows->rows;
        cascade(h->rows, u * h->unit, last ? h->rows->rows : (u + 1) * h->unit, last ? h->last : &sums);
        if (!last) memcpy(h->partial + (size_t)u * bytes, sums.level[LEVELS - 1], bytes);
    }
}

/* Between two visits of the highest level, sums depend on their own rows only: threads share such units. */
static bool cascade_shared(const Rows *s, int64_t unit, Sums *sums)
{
    const ReduceLoops *loops = s->plan->loops;
    int64_t columns = s->sub * s->width, units = (s->rows - 1) / unit + 1;
    size_t bytes = (size_t)columns * loops->size, total = (size_t)units * bytes;
    Shared shared = {s, unit, block_alloc(total), sums};
    if (!shared.partial) return false;
    bool ok = parallel_for(units, 1, cascade_unit, &shared);
    _Alignas(64) char top[SUMS * 8];
    loops->clear(top, columns);
    for (int64_t u = 0; ok && u < units - 1; u++)
        loops->combine(top, shared.partial + (size_t)u * bytes, columns);
    loops->combine(top, sums->level[LEVELS - 1], columns);
    memcpy(sums->level[LEVELS - 1], top, bytes);
    block_free(shared.partial, total);
    return ok;
}

/* The sums of all rows, column by column, in sums->level[0]. share: threads may help. */
static bool cascade_all(Rows *s, bool share, Sums *sums)
{
    const ReduceLoops *loops = s->plan->loops;
    int64_t columns = s->sub * s->width;
    s->power = level_power(s->rows);
    int64_t unit = (int64_t)1 << (3 * s->power);
    if (s->rows < (int64_t)1 << s->power) { /* one level */
        loops->clear(sums->level[0], columns);
        if (s->rows) add_rows(s, 0, s->rows, sums->level[0]);
        return true;
    }
    if (!share || s->rows <= unit)
        cascade(s, 0, s->rows, sums);
    else if (!cascade_shared(s, unit, sums))
        return false;
    for (int l = 1; l < LEVELS; l++) loops->combine(sums->level[0], sums->level[l], columns);
    return true;
}

/* ---- the three ways through the innermost reduced dim ---- */

/* n contiguous elements at x. */
static bool reduce_vectors(const Plan *p, const char *x, bool share, void *result)
{
    const ReduceLoops *loops = p->loops;
    int64_t lanes = VECTOR_BYTES / (int64_t)p->used, columns = ROW_BYTES / (int64_t)p->used;
    int64_t rows = p->n / columns, element = (int64_t)p->stored;
    Rows s = {p, x, columns * element, 0, element, rows, 1, columns, 0};
    Sums sums;
    if (!cascade_all(&s, share, &sums)) return false;
    char *acc = sums.level[0];
    Rows rest = {p, x + rows * columns * element, lanes * element, 0, element, p->n / lanes % 4, 1, lanes, 0};
    if (rest.rows) add_rows(&rest, 0, rest.rows, acc);
    for (int v = 1; v < 4; v++) loops->combine(acc, acc + v * lanes * (int64_t)loops->size, lanes);
    loops->clear(result, 1);
    Rows tail = {p, x + p->n / lanes * lanes * element, element, 0, element, p->n % lanes, 1, 1, 0};
    if (tail.rows) add_rows(&tail, 0, tail.rows, result);
    loops->fold(result, acc, lanes);
    return true;
}

/* `width` columns at x, each cascaded by itself. */
static bool reduce_straight(const Plan *p, const char *x, int64_t width, bool share, void *result)
{
    Rows s = {p, x, p->step, 0, p->across_step, p->n, 1, width, 0};
    Sums sums;
    if (!cascade_all(&s, share, &sums)) return false;
    memcpy(result, sums.level[0], (size_t)width * p->loops->size);
    return true;
}

/* The same with four interleaved cascades a column. */
static bool reduce_fours(const Plan *p, const char *x, int64_t width, bool share, void *result)
{
    Rows s = {p, x, 4 * p->step, p->step, p->across_step, p->n / 4, 4, width, 0};
    int64_t bytes = width * (int64_t)p->loops->size;
    Sums sums;
    if (!cascade_all(&s, share, &sums)) return false;
    char *acc = sums.level[0];
    Rows rest = {p, x + p->n / 4 * 4 * p->step, p->step, 0, p->across_step, p->n % 4, 1, width, 0};
    if (rest.rows) add_rows(&rest, 0, rest.rows, acc);
    for (int q = 1; q < 4; q++) p->loops->combine(acc, acc + q * bytes, width);
    memcpy(result, acc, (size_t)bytes);
    return true;
}

/* The innermost reduced dim for the results first ... first + width - 1 of a row of results whose input starts at x. */
static bool reduce_inner(const Plan *p, const char *x, int64_t first, int64_t width, bool share, char *result)
{
    x += first * p->across_step;
    if (p->rows_short) {
        p->loops->short_rows(result, x, p->across_step, width, p->n);
        return true;
    }
    if (p->vectors) {
        for (int64_t k = 0; k < width; k++, x += p->across_step, result += p->loops->size)
            if (!reduce_vectors(p, x, share, result)) return false;
        return true;
    }
    int64_t straight = p->straight - first < width ? p->straight - first : width;
    if (straight > 0 && !reduce_straight(p, x, straight, share, result)) return false;
    if (straight < 0) straight = 0;
    return straight == width || reduce_fours(p, x + straight * p->across_step, width - straight, share,
                                             result + straight * (int64_t)p->loops->size);
}

/* ---- the other reduced dims ---- */

/* `width` results from `first` on of the row of results whose input starts at x. */
typedef struct Band {
    const Plan *plan;
    const char *x;
    int64_t first, width;
    bool share, ok;
    char *result;    /* the results, or … */
    char *positions; /* … one set of them for every position of the other reduced dims, */
    int64_t at;      /* this one next */
} Band;

static void add_positions(const Tile *t, void *ctx)
{
    Band *b = ctx;
    const Plan *p = b->plan;
    _Alignas(64) char one[WIDTH * 8];
    size_t bytes = (size_t)b->width * p->loops->size;
    for (int64_t r = 0; r < t->n1; r++)
        for (int64_t i = 0; i < t->n0 && b->ok; i++) {
            const char *x = b->x + (t->data[0] - p->reduced.data[0]) + r * t->outer[0] + i * t->inner[0];
            char *to = b->positions ? b->positions + (size_t)b->at++ * bytes : one;
            b->ok = reduce_inner(p, x, b->first, b->width, b->share, to);
            if (!b->positions) p->loops->combine(b->result, one, b->width);
        }
}

static void positions_piece(int64_t begin, int64_t end, void *ctx)
{
    Band b = *(const Band *)ctx;
    b.at = begin;
    iter_range(&b.plan->reduced, begin, end, add_positions, &b);
}

/* Threads compute the inner results of all positions, which are then added in their order. */
static bool share_positions(Band *b)
{
    const Plan *p = b->plan;
    size_t bytes = (size_t)b->width * p->loops->size, total = (size_t)p->reduced.numel * bytes;
    b->positions = block_alloc(total);
    if (!b->positions) return false;
    b->share = false;
    bool ok = parallel_for(p->reduced.numel, GRAIN / (p->n * b->width) + 1, positions_piece, b);
    p->loops->clear(b->result, b->width);
    for (int64_t r = 0; ok && r < p->reduced.numel; r++)
        p->loops->combine(b->result, b->positions + (size_t)r * bytes, b->width);
    block_free(b->positions, total);
    return ok;
}

static bool reduce_band(Band *b)
{
    const Plan *p = b->plan;
    if (p->reduced.numel == 1) return reduce_inner(p, b->x, b->first, b->width, b->share, b->result);
    if (b->share && p->reduced.numel >= 8) return share_positions(b);
    p->loops->clear(b->result, b->width);
    iter_range(&p->reduced, 0, p->reduced.numel, add_positions, b);
    return b->ok;
}

/* ---- the results ---- */

static void finish(const Plan *p, char *acc, int64_t width, char *to)
{
    _Alignas(64) char converted[WIDTH * 8];
    p->loops->finish(acc, width, p->count);
    if (p->store) {
        p->store(converted, acc, width);
        acc = converted;
    }
    strided_copy(to, (Steps){p->to_step, 0}, acc, (Steps){(int64_t)p->result, 0}, width, 1, p->result);
}

static bool run_band(const Plan *p, int64_t number, bool share)
{
    _Alignas(64) char acc[WIDTH * 8];
    int64_t bands = (p->across - 1) / p->band + 1, first = number % bands * p->band, row = number / bands;
    char *to = p->results.data[0], *x = p->results.data[1];
    for (int d = 0; d < p->results.ndim; d++) {
        to += row % p->results.shape[d] * p->results.stride[d][0];
        x += row % p->results.shape[d] * p->results.stride[d][1];
        row /= p->results.shape[d];
    }
    int64_t width = p->across - first < p->band ? p->across - first : p->band;
    Band b = {.plan = p, .x = x, .first = first, .width = width, .share = share, .ok = true, .result = acc};
    if (!reduce_band(&b)) return false;
    finish(p, acc, width, to + first * p->to_step);
    return true;
}

static void bands_piece(int64_t begin, int64_t end, void *ctx)
{
    for (int64_t i = begin; i < end; i++) run_band(ctx, i, false); /* cannot fail: nothing is shared */
}

/* ---- planning ---- */

#define SUFFIXES(X)            X(f32) X(f64) X(i64) X(i32) X(i16) X(i8) X(u8) X(b8) X(count)
#define DECLARE_LOOPS(name)    extern const ReduceLoops name[REDUCE_COUNT];
#define DECLARE_TABLES(suffix) ISA_EACH(DECLARE_LOOPS, reductions_##suffix)
SUFFIXES(DECLARE_TABLES)

static const ReduceLoops *loops_of(ReduceId id, TypeRule types, DType type)
{
    if (types == TYPES_COUNT) return &ISA_PICK(reductions_count)[id];
    switch (type) {
    case DT_BOOL: return &ISA_PICK(reductions_b8)[id];
    case DT_U8: return &ISA_PICK(reductions_u8)[id];
    case DT_I8: return &ISA_PICK(reductions_i8)[id];
    case DT_I16: return &ISA_PICK(reductions_i16)[id];
    case DT_I32: return &ISA_PICK(reductions_i32)[id];
    case DT_I64: return &ISA_PICK(reductions_i64)[id];
    case DT_F64: return &ISA_PICK(reductions_f64)[id];
    default: return &ISA_PICK(reductions_f32)[id];
    }
}

/* Takes the innermost dim out of it. */
static void take_innermost(Iter *it, int64_t *n, int64_t *step)
{
    *n = it->shape[0];
    for (int k = 0; k < it->nop; k++) step[k] = it->stride[0][k];
    it->numel = 1;
    it->ndim--;
    for (int d = 0; d < it->ndim; d++) {
        it->shape[d] = it->shape[d + 1];
        memcpy(it->stride[d], it->stride[d + 1], sizeof it->stride[d]);
        it->numel *= it->shape[d];
    }
    if (it->ndim == 0) iter_merge(it);
}

/* Which way PyTorch goes: by strides and sizes of the two innermost dims. */
static void choose_way(Plan *p)
{
    int64_t element = (int64_t)p->stored, lanes = VECTOR_BYTES / (int64_t)p->used;
    bool alone = p->reduced.numel == 1; /* no other reduced dim is next */
    p->vectors = p->step == element && p->n >= lanes;
    if (p->vectors || !alone)
        p->straight = 0;
    else if (p->across_step == element && p->across >= lanes)
        p->straight = p->across / (4 * lanes) * (4 * lanes);
    else
        p->straight = p->step < p->across_step ? 0 : p->across / 4 * 4;
    p->rows_short = !p->load && p->step == element && p->straight == 0 && p->n < SHORT_BYTES / element;
}

static bool choose_loops(Plan *p, const Call *call)
{
    static const ReduceId ids[OP_COUNT] = {
#define REDUCE(name, ...) [OP_##name] = REDUCE_##name,
#include "engine/ops/reductions.def"
    };
    const Tensor *x = call->in[0], *out = call->out[0];
    TypeRule types = (TypeRule)op_info(call->op)->types;
    DType type = types == TYPES_BOOLEAN || types == TYPES_COUNT ? DT_BOOL : loop_dtype(call->compute);
    DType sum = types == TYPES_COUNT ? DT_I64 : type;
    p->loops = loops_of(ids[call->op], types, type);
    if (!p->loops->size)
        return tide_refuse("NotImplementedError", "\"%s_cpu\" not implemented for '%s'",
                           op_info(call->op)->name, dtype_info[call->compute].cname);
    p->load = x->dtype == type ? NULL : conversion(type, (DType)x->dtype);
    p->store = out->dtype == sum ? NULL : conversion((DType)out->dtype, sum);
    p->stored = dtype_size((DType)x->dtype);
    p->used = dtype_size(type);
    p->result = dtype_size((DType)out->dtype);
    p->count = call->count;
    return true;
}

static void choose_dims(Plan *p, const Call *call)
{
    const Tensor *x = call->in[0], *out = call->out[0];
    int kept = x->ndim - call->reduced;
    iter_begin(&p->reduced, call->reduced, x->shape + kept);
    iter_add(&p->reduced, tensor_data(x), x->stride + kept, p->stored);
    iter_order(&p->reduced);
    take_innermost(&p->reduced, &p->n, &p->step);
    if (x->numel == 0) { /* nothing to walk: results are the identity's */
        p->n = p->step = 0;
        p->reduced.numel = 1;
    }
    int64_t steps[2];
    iter_begin(&p->results, kept, x->shape);
    iter_add(&p->results, tensor_data(out), out->stride, p->result);
    iter_add(&p->results, tensor_data(x), x->stride, p->stored);
    iter_order(&p->results);
    take_innermost(&p->results, &p->across, steps);
    p->to_step = steps[0];
    p->across_step = steps[1];
    choose_way(p);
}

/* The commonest small case, all of a contiguous tensor, without planning. */
static bool reduce_small(const Plan *p, const Call *call)
{
    int64_t number[1];
    p->loops->short_rows(number, tensor_data(call->in[0]), 0, 1, call->in[0]->numel);
    p->loops->finish(number, 1, call->count);
    memcpy(tensor_data(call->out[0]), number, p->result);
    return true;
}

bool cpu_reduce(const Call *call)
{
    Plan plan, *p = &plan;
    if (call->out[0]->numel == 0) return true;
    if (!choose_loops(p, call)) return false;
    bool whole = call->out[0]->numel == 1 && call->in[0]->contiguous;
    if (whole && !p->load && !p->store && call->in[0]->numel < SHORT_BYTES / (int64_t)p->stored)
        return reduce_small(p, call);
    choose_dims(p, call);
    int64_t numel = call->in[0]->numel, threads = numel > GRAIN ? get_num_threads() : 1;
    p->band = p->vectors && p->n > GRAIN / WIDTH ? GRAIN / p->n + 1 : WIDTH;
    while (p->band > WIDTH / 8 && p->across / p->band * p->results.numel < threads - 1) p->band /= 2;
    int64_t bands = ((p->across - 1) / p->band + 1) * p->results.numel;
    if (numel > GRAIN && bands >= threads)
        return parallel_for(bands, GRAIN * bands / numel + 1, bands_piece, p);
    for (int64_t i = 0; i < bands; i++)
        if (!run_band(p, i, numel > GRAIN)) return false;
    return true;
}
