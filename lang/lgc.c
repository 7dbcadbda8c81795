/* lgc.c - the collector, driven by tensor bytes and by handles, since Lua sees only 16 bytes of a tensor. */
#include "lang/bind.h"

#include <string.h>

/* Young collections are cheap (they visit what was made since the last one), so they run often: a short young
 * list keeps the engine's free blocks in the cache. Handles that survive two of them are freed only by a full
 * collection, which runs when the live bytes have grown well beyond what the last one left. */
enum { YOUNG_HANDLES = 300 };
static const size_t YOUNG_BYTES = (size_t)8 << 20, FULL_BYTES = (size_t)24 << 20;

static int handles;        /* since the last collection */
static size_t clock_bytes; /* memory_use().total at the last collection */
static size_t live_limit;  /* live bytes above which the next collection is a full one */

static void note_collection(void)
{
    MemoryUse use = memory_use();
    handles = 0;
    clock_bytes = use.total;
}

static void full_collection(lua_State *L)
{
    lua_gc(L, LUA_GCCOLLECT);
    note_collection();
    size_t live = memory_use().live;
    live_limit = live + (live / 2 > FULL_BYTES ? live / 2 : FULL_BYTES);
}

void collector_start(lua_State *L)
{
    lua_gc(L, LUA_GCGEN, 0, 0);
    full_collection(L);
}

static void collect(lua_State *L)
{
    if (!lua_gc(L, LUA_GCISRUNNING)) { /* the program stopped it: respect that, but keep counting */
        note_collection();
        return;
    }
    lua_gc(L, LUA_GCSTEP, 0);
    note_collection();
    if (memory_use().live > live_limit)
        full_collection(L);
}

void collector_tick(lua_State *L)
{
    if (++handles >= YOUNG_HANDLES || memory_use().total - clock_bytes >= YOUNG_BYTES)
        collect(L);
}

bool collector_retry(lua_State *L)
{
    const TideError *e = tide_error();
    bool memory =
        e->kind && (strcmp(e->kind, "MemoryError") == 0 ||
                    (strcmp(e->kind, "RuntimeError") == 0 && strstr(e->text, "can't allocate memory")));
    if (!memory)
        return false;
    size_t before = memory_use().live;
    full_collection(L);
    memory_trim();
    if (memory_use().live == before)
        return false; /* nothing was freed: the same error would come again */
    tide_error_clear();
    return true;
}
