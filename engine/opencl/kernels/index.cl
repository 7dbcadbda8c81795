/* index.cl - reading and writing at computed places. The source before it defines ELEMENT (as stored), LOAD0, LOAD1,
 * STORE and COMBINED, an expression over a (what is there) and b (what comes). */

/* Mirrors index.c's Along. */
typedef struct Along {
    long n, unit;
    long index_step, src_step;
} Along;

/* o0: in the result or source; o1: in x before the index is added; o2: in the index. */
#define LOCATE                                                                                                         \
    long row = (long)get_global_id(0);                                                                                 \
    if (row >= g.items) return;                                                                                        \
    long o0 = g.offset[0], o1 = g.offset[1], o2 = g.offset[2];                                                         \
    for (int d = 0; d < (int)g.ndim; d++) {                                                                            \
        long above = row / g.shape[d], at = row - above * g.shape[d];                                                  \
        o0 += at * g.stride[0][d];                                                                                     \
        o1 += at * g.stride[1][d];                                                                                     \
        o2 += at * g.stride[2][d];                                                                                     \
        row = above;                                                                                                   \
    }

kernel void take(global ELEMENT *y, global const ELEMENT *x, global const long *index, const Geometry g, const Along along)
{
    LOCATE
    y[o0] = x[o1 + index[o2] * along.unit];
}

kernel void put(global const ELEMENT *src, global ELEMENT *x, global const long *index, const Geometry g, const Along along)
{
    LOCATE
    x[o1 + index[o2] * along.unit] = src[o0];
}

kernel void put_in_order(global const ELEMENT *p1, global ELEMENT *y, global const long *index, const Geometry g,
                         const Along along)
{
    LOCATE
    global const ELEMENT *p0 = y;
    for (long i = 0; i < along.n; i++) {
        long at = o1 + index[o2 + i * along.index_step] * along.unit, from = o0 + i * along.src_step;
        T a = LOAD0(at), b = LOAD1(from);
        (void)a;
        STORE(at, COMBINED);
    }
}
