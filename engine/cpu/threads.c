/* threads.c - the one thread pool, on OpenMP, which OpenBLAS shares. */
#include "engine/cpu/threads.h"
#include "engine/engine.h"

#include <omp.h>
#include <stdatomic.h>

static int num_threads; /* 0: not asked for yet */

int get_num_threads(void)
{
    if (!num_threads) num_threads = omp_get_max_threads();
    return num_threads;
}

void set_num_threads(int n)
{
    num_threads = n < 1 ? 1 : n;
    omp_set_num_threads(num_threads); /* for OpenBLAS */
}

typedef struct Share {
    int64_t n, grain, blocks;
    ParallelFn fn;
    void *ctx;
    atomic_bool stop;
} Share;

/* The blocks of one thread. Only the main thread looks at the interrupt flag, once a block. */
static void run_share(Share *s, int me, int of)
{
    int64_t last = s->blocks / of * (me + 1) + s->blocks % of * (me + 1) / of;
    for (int64_t b = s->blocks / of * me + s->blocks % of * me / of; b < last; b++) {
        if (me == 0 && tide_interrupted) atomic_store_explicit(&s->stop, true, memory_order_relaxed);
        if (atomic_load_explicit(&s->stop, memory_order_relaxed)) return;
        int64_t begin = b * s->grain, end = s->n - begin < s->grain ? s->n : begin + s->grain;
        s->fn(begin, end, s->ctx);
    }
}

bool parallel_for(int64_t n, int64_t grain, ParallelFn fn, void *ctx)
{
    if (n <= grain) {
        if (n > 0) fn(0, n, ctx);
        return true;
    }
    Share share = {n, grain, (n - 1) / grain + 1, fn, ctx, false};
    int threads = get_num_threads();
    if (threads > n / grain)
        threads = (int)(n / grain); /* a grain is what is worth a thread: no halves of one */
    if (omp_in_parallel()) {
        for (int64_t begin = 0; begin < n; begin += grain)
            fn(begin, n - begin < grain ? n : begin + grain, ctx);
        return true;
    }
    if (threads == 1) {
        run_share(&share, 0, 1);
    } else {
#pragma omp parallel num_threads(threads)
        run_share(&share, omp_get_thread_num(), omp_get_num_threads());
    }
    return !share.stop || !tide_check_interrupt();
}
