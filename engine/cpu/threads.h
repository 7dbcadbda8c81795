/* threads.h - the one thread pool: splits a range of work among threads. */
#ifndef TIDE_CPU_THREADS_H
#define TIDE_CPU_THREADS_H

#include <stdbool.h>
#include <stdint.h>

/* Elements of cheap work worth handing to another thread. */
enum { GRAIN = 32768 };

/* Does the items begin <= i < end. Runs on any thread: it may not call tide_fail. */
typedef void (*ParallelFn)(int64_t begin, int64_t end, void *ctx);

/* Calls fn over 0 <= i < n in pieces of at most grain items (the last one of a thread may be short), whose bounds are
 * multiples of grain whatever the number of threads. n <= grain runs inline, as does a call made inside fn.
 * False (KeyboardInterrupt recorded) when the user interrupted: the pieces not yet begun are left out. */
bool parallel_for(int64_t n, int64_t grain, ParallelFn fn, void *ctx);

/* set_num_threads() and get_num_threads() are in engine.h. */

#endif
