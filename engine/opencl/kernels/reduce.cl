/* reduce.cl - passes of a reduction. The source before it defines T, A (partial results), IN, OUT, GROUP, LOAD1, STORE
 * and, after it, each row's map_, combine_ and finish_ and REDUCTIONS(row, identity). */

/* Mirrors reduce.c's Reduction. */
typedef struct Reduction {
    long outputs, count, slabs, slab;
    long offset_in, offset_out;
    int kept, reduced, finish, unused;
    long total;
    long kept_shape[MAXDIM], kept_in[MAXDIM], kept_out[MAXDIM];
    long reduced_shape[MAXDIM], reduced_in[MAXDIM];
} Reduction;

/* m: the result; s: its slab; from, to: the slab's elements. */
#define SLAB(work)                                                                                                     \
    INDEX s = (work) / (INDEX)r.outputs, m = (work) - s * (INDEX)r.outputs;                                            \
    INDEX from = s * (INDEX)r.slab, to = min(from + (INDEX)r.slab, (INDEX)r.count);

/* base: where result m's elements begin; o: where it goes. */
#define PLACE_RESULT                                                                                                   \
    INDEX base = (INDEX)r.offset_in, o = (INDEX)r.offset_out;                                                          \
    for (INDEX d = 0, rest = m; d < r.kept; d++) {                                                                     \
        INDEX size = (INDEX)r.kept_shape[d], above = rest / size, at = rest - above * size;                            \
        base += at * (INDEX)r.kept_in[d];                                                                              \
        o += at * (INDEX)r.kept_out[d];                                                                                \
        rest = above;                                                                                                  \
    }

/* e: where element i of the result's lies. */
#define PLACE_ELEMENT(i)                                                                                               \
    INDEX e = base;                                                                                                    \
    for (INDEX d = 0, rest = (i); d < r.reduced; d++) {                                                                \
        INDEX size = (INDEX)r.reduced_shape[d], above = d + 1 < r.reduced ? rest / size : 0;                           \
        e += (rest - above * size) * (INDEX)r.reduced_in[d];                                                           \
        rest = above;                                                                                                  \
    }

#define ANSWER(row, a)                                                                                                 \
    if (r.finish) STORE(o, finish_##row(a, (T)r.total));                                                               \
    else partial[m * (INDEX)r.slabs + s] = a;

/* One work item a slab. */
#define ITEM(row, kernel_name, FROM, identity, VALUE, PLACE)                                                           \
    kernel void kernel_name##_##row(global const FROM *p1, global OUT *y, global A *partial, const Reduction r)        \
    {                                                                                                                  \
        INDEX work = (INDEX)get_global_id(0);                                                                          \
        if (work >= (INDEX)(r.outputs * r.slabs)) return;                                                              \
        SLAB(work)                                                                                                     \
        PLACE_RESULT                                                                                                   \
        PLACE                                                                                                          \
        A a = (A)(identity);                                                                                           \
        if (r.reduced == 1) {                                                                                          \
            INDEX step = (INDEX)r.reduced_in[0], e = base + from * step;                                               \
            for (INDEX i = from; i < to; i++, e += step) a = combine_##row(a, VALUE);                                  \
        } else {                                                                                                       \
            for (INDEX i = from; i < to; i++) {                                                                        \
                PLACE_ELEMENT(i)                                                                                       \
                a = combine_##row(a, VALUE);                                                                           \
            }                                                                                                          \
        }                                                                                                              \
        ANSWER(row, a)                                                                                                 \
    }

/* A group a slab: items take every GROUP-th element, then a tree joins what they have. */
#define GROUPED(row, kernel_name, FROM, identity, VALUE, PLACE)                                                        \
    kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void kernel_name##_##row(                                \
        global const FROM *p1, global OUT *y, global A *partial, const Reduction r)                                    \
    {                                                                                                                  \
        local A tree[GROUP];                                                                                           \
        int item = (int)get_local_id(0);                                                                               \
        SLAB((INDEX)get_group_id(0))                                                                                   \
        PLACE_RESULT                                                                                                   \
        PLACE                                                                                                          \
        A a = (A)(identity);                                                                                           \
        for (INDEX i = from + item; i < to; i += GROUP) {                                                              \
            PLACE_ELEMENT(i)                                                                                           \
            a = combine_##row(a, VALUE);                                                                               \
        }                                                                                                              \
        tree[item] = a;                                                                                                \
        barrier(CLK_LOCAL_MEM_FENCE);                                                                                  \
        for (int half_way = GROUP / 2; half_way > 0; half_way /= 2) {                                                  \
            if (item < half_way) tree[item] = combine_##row(tree[item], tree[item + half_way]);                        \
            barrier(CLK_LOCAL_MEM_FENCE);                                                                              \
        }                                                                                                              \
        if (item == 0) { ANSWER(row, tree[0]) }                                                                        \
    }

/* Partial results lie in a row of their own for each result. */
#define REDUCTIONS(row, identity)                                                                                      \
    ITEM(row, item, IN, identity, map_##row(LOAD1(e)), )                                                               \
    ITEM(row, item_again, A, identity, p1[e], base = m * (INDEX)r.count;)                                              \
    GROUPED(row, group, IN, identity, map_##row(LOAD1(e)), )                                                           \
    GROUPED(row, group_again, A, identity, p1[e], base = m * (INDEX)r.count;)
