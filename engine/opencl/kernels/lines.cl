/* lines.cl - work along lines of n elements, `inner` apart. The source before it defines T and GROUP. Each kernel comes
 * twice: item_<row>, one work item a line, and group_<row>, GROUP of them, whose partial results a tree joins. */

/* Mirrors lines.c's Lines. */
typedef struct Lines {
    long lines, n, inner;
    long offset[4];
} Lines;

#define OPERANDS                                                                                                       \
    (global const T *a, global const T *b, global T *y, global long *index, const Lines w)

/* Element 0 of the line in the operands of the line's shape, and the line's element in those of one a line. */
#define PLACE(line)                                                                                                    \
    long above = (line) / w.inner, start = above * w.n * w.inner + ((line) - above * w.inner);                         \
    a += w.offset[0] + start;                                                                                          \
    b += w.offset[1] + start;

#define ITEM_HEAD(row)                                                                                                 \
    kernel void item_##row OPERANDS                                                                                    \
    {                                                                                                                  \
        const long first = 0, step = 1, line = (long)get_global_id(0);                                                 \
        if (line >= w.lines) return;                                                                                   \
        PLACE(line)

#define GROUP_HEAD(row)                                                                                                \
    kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void group_##row OPERANDS                                \
    {                                                                                                                  \
        const long first = (long)get_local_id(0), step = GROUP, line = (long)get_group_id(0);                          \
        local T tree[GROUP];                                                                                           \
        PLACE(line)

#define ALONE(v, joined)

/* v of every item joined, in every item. */
#define TOGETHER(v, joined)                                                                                            \
    tree[first] = v;                                                                                                   \
    barrier(CLK_LOCAL_MEM_FENCE);                                                                                      \
    for (int k = GROUP / 2; k > 0; k /= 2) {                                                                           \
        if (first < k) {                                                                                               \
            T p = tree[first], q = tree[first + k];                                                                    \
            tree[first] = joined;                                                                                      \
        }                                                                                                              \
        barrier(CLK_LOCAL_MEM_FENCE);                                                                                  \
    }                                                                                                                  \
    v = tree[0];                                                                                                       \
    barrier(CLK_LOCAL_MEM_FENCE);

#define EACH for (long i = first; i < w.n; i += step)

#if T_FLOAT

#define NORMALISED(JOIN, result)                                                                                       \
        y += w.offset[2] + start;                                                                                      \
        T most = -INFINITY, sum = 0;                                                                                   \
        EACH { T v = a[i * w.inner]; most = v > most || v != v ? v : most; }                                           \
        JOIN(most, p > q || p != p ? p : q)                                                                            \
        EACH sum += exp(a[i * w.inner] - most);                                                                        \
        JOIN(sum, p + q)                                                                                               \
        EACH { T v = a[i * w.inner] - most; y[i * w.inner] = result; }                                                 \
    }

#define GRADIENT(JOIN, term, result)                                                                                   \
        y += w.offset[2] + start;                                                                                      \
        T sum = 0;                                                                                                     \
        EACH { T g = a[i * w.inner], r = b[i * w.inner]; (void)r; sum += term; }                                       \
        JOIN(sum, p + q)                                                                                               \
        EACH { T g = a[i * w.inner], r = b[i * w.inner]; y[i * w.inner] = result; }                                    \
    }

ITEM_HEAD(softmax) NORMALISED(ALONE, exp(v) / sum)
GROUP_HEAD(softmax) NORMALISED(TOGETHER, exp(v) / sum)
ITEM_HEAD(log_softmax) NORMALISED(ALONE, v - log(sum))
GROUP_HEAD(log_softmax) NORMALISED(TOGETHER, v - log(sum))
ITEM_HEAD(softmax_backward) GRADIENT(ALONE, g * r, r * (g - sum))
GROUP_HEAD(softmax_backward) GRADIENT(TOGETHER, g * r, r * (g - sum))
ITEM_HEAD(log_softmax_backward) GRADIENT(ALONE, g, g - exp(r) * sum)
GROUP_HEAD(log_softmax_backward) GRADIENT(TOGETHER, g, g - exp(r) * sum)

#endif

/* Whether v at place i beats best at place at: the first NaN, else the first of the best. */
#define BEATS(v, i, best, at, better)                                                                                  \
    (best != best ? v != v && i < at : v != v || v better best || (v == best && i < at))

#define EXTREME(better)                                                                                                \
        T best = a[0];                                                                                                 \
        long at = 0;                                                                                                   \
        EACH {                                                                                                         \
            T v = a[i * w.inner];                                                                                      \
            if (BEATS(v, i, best, at, better)) best = v, at = i;                                                       \
        }

#define ANSWER                                                                                                         \
        y[w.offset[2] + line] = best;                                                                                  \
        index[w.offset[3] + line] = at;

#define JOIN_EXTREMES(better)                                                                                          \
        local long places[GROUP];                                                                                      \
        tree[first] = best;                                                                                            \
        places[first] = at;                                                                                            \
        barrier(CLK_LOCAL_MEM_FENCE);                                                                                  \
        for (int k = GROUP / 2; k > 0; k /= 2) {                                                                       \
            if (first < k && BEATS(tree[first + k], places[first + k], tree[first], places[first], better)) {          \
                tree[first] = tree[first + k];                                                                         \
                places[first] = places[first + k];                                                                     \
            }                                                                                                          \
            barrier(CLK_LOCAL_MEM_FENCE);                                                                              \
        }                                                                                                              \
        best = tree[0];                                                                                                \
        at = places[0];

ITEM_HEAD(max) EXTREME(>) ANSWER }
ITEM_HEAD(min) EXTREME(<) ANSWER }
GROUP_HEAD(max) EXTREME(>) JOIN_EXTREMES(>) if (first == 0) { ANSWER } }
GROUP_HEAD(min) EXTREME(<) JOIN_EXTREMES(<) if (first == 0) { ANSWER } }
