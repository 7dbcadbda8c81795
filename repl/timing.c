/* %time and %timeit. */
#include "repl/commands.h"

#include <math.h>
#include <stdio.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include <lua.h>

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static double seconds_of(struct timeval t)
{
    return (double)t.tv_sec + 1e-6 * (double)t.tv_usec;
}

/* "1.23 ms": three digits and the unit that suits, as IPython shows times; minutes and more in words. */
static const char *format_time(char *buffer, size_t size, double seconds)
{
    static const char *const units[] = {"s", "ms", "µs", "ns"};
    if (seconds >= 60) {
        long whole = lround(seconds);
        if (whole >= 3600)
            snprintf(buffer, size, "%ldh %ldmin %lds", whole / 3600, whole / 60 % 60, whole % 60);
        else
            snprintf(buffer, size, "%ldmin %lds", whole / 60, whole % 60);
        return buffer;
    }
    int order = seconds > 0 ? (int)-floor(floor(log10(seconds)) / 3) : 3;
    order = order < 0 ? 0 : order > 3 ? 3 : order;
    snprintf(buffer, size, "%.3g %s", seconds * pow(1000, order), units[order]);
    return buffer;
}

bool command_time(Session *s, const char *code)
{
    struct rusage before, after;
    char a[32], b[32], c[32], d[32];
    bool silent;
    getrusage(RUSAGE_SELF, &before);
    double start = seconds_now();
    int n = session_evaluate(s, code, strlen(code), &silent);
    double wall = seconds_now() - start;
    getrusage(RUSAGE_SELF, &after);
    if (n < 0)
        return false;
    double user = seconds_of(after.ru_utime) - seconds_of(before.ru_utime);
    double sys = seconds_of(after.ru_stime) - seconds_of(before.ru_stime);
    printf("CPU times: user %s, sys: %s, total: %s\nWall time: %s\n", format_time(a, sizeof a, user),
           format_time(b, sizeof b, sys), format_time(c, sizeof c, user + sys),
           format_time(d, sizeof d, wall));
    if (n > 0 && !silent)
        return session_show(s, n);
    lua_pop(s->L, n);
    return true;
}

/* Called with the cell's function and the number of loops: runs it so often, keeping nothing. */
static int run_loops(lua_State *L)
{
    lua_Integer loops = lua_tointeger(L, 2);
    for (lua_Integer i = 0; i < loops; i++) {
        lua_pushvalue(L, 1);
        lua_call(L, 0, 0);
    }
    return 0;
}

/* Seconds that so many calls of the function on top of the stack take; negative after an error. */
static double time_loops(Session *s, int64_t loops)
{
    lua_pushcfunction(s->L, run_loops);
    lua_pushvalue(s->L, -2);
    lua_pushinteger(s->L, loops);
    double start = seconds_now();
    if (session_call(s, 2) < 0)
        return -1;
    return seconds_now() - start;
}

/* 1,000,000: powers of ten only, so commas stand by counting. */
static const char *format_count(char *buffer, size_t size, int64_t n)
{
    char digits[32];
    size_t out = 0;
    int length = snprintf(digits, sizeof digits, "%lld", (long long)n);
    for (int i = 0; i < length && out + 2 < size; i++) {
        buffer[out++] = digits[i];
        if ((length - i - 1) % 3 == 0 && i + 1 < length)
            buffer[out++] = ',';
    }
    buffer[out] = '\0';
    return buffer;
}

bool command_timeit(Session *s, const char *code)
{
    enum { RUNS = 7 };
    const double enough = 0.2; /* seconds a run should take */
    char a[32], b[32], c[32], d[32];
    double taken[RUNS], mean = 0, best = INFINITY, spread = 0;
    int64_t loops = 1;
    bool value;
    if (!session_compile(s, code, strlen(code), &value))
        return false;
    double once = time_loops(s, loops);
    while (once >= 0 && once < enough && loops < 1000000000)
        once = time_loops(s, loops *= 10);
    for (int i = 0; i < RUNS && once >= 0; i++) {
        once = i == 0 ? once : time_loops(s, loops);
        taken[i] = once / (double)loops;
        mean += taken[i] / RUNS;
        best = fmin(best, taken[i]);
    }
    lua_pop(s->L, 1);
    if (once < 0)
        return false;
    for (int i = 0; i < RUNS; i++)
        spread += (taken[i] - mean) * (taken[i] - mean) / RUNS;
    printf("%s ± %s per loop (mean ± std. dev. of %d runs, %s loop%s each), best %s\n",
           format_time(a, sizeof a, mean), format_time(b, sizeof b, sqrt(spread)), RUNS,
           format_count(c, sizeof c, loops), loops == 1 ? "" : "s", format_time(d, sizeof d, best));
    return true;
}
