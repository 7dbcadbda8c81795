/* lcoroutine.c - coroutine.resume and coroutine.wrap that know which coroutine runs, so that Ctrl-C can stop it.
 *
 * Lua's hooks belong to one thread each, and a signal finds out which one runs nowhere in Lua's interface. */
#include "lang/bind.h"
#include "lang/lang.h"
#include "lang/teach.h"

#include <lualib.h>

static lua_State *volatile innermost; /* the coroutine that runs; NULL: the main thread */

lua_State *running_thread(lua_State *L) { return innermost ? innermost : L; }

static void stop_hook(lua_State *L, lua_Debug *ar)
{
    (void)ar;
    lua_sethook(L, NULL, 0, 0);
    tide_interrupted = 0;
    push_position(L);
    lua_pushliteral(L, "KeyboardInterrupt");
    lua_concat(L, 2);
    lua_error(L);
}

/* Both stop: what the coroutine raises may be caught by whoever resumed it. */
void lang_interrupt(lua_State *L)
{
    const int mask = LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT;
    lua_State *co = innermost;
    tide_interrupted = 1;
    lua_sethook(L, stop_hook, mask, 1);
    if (co) lua_sethook(co, stop_hook, mask, 1);
}

void lang_interrupt_clear(lua_State *L)
{
    tide_interrupted = 0;
    lua_sethook(L, NULL, 0, 0);
}

/* A coroutine that was told to stop and yielded instead is not stopped later. */
static void forget_interrupt(lua_State *co)
{
    if (lua_gethook(co) == stop_hook) lua_sethook(co, NULL, 0, 0);
}

/* Moves the n arguments on top of L's stack to co and runs it; returns how many results lie on L's stack, or -1 with
 * an error there. */
static int resume(lua_State *L, lua_State *co, int n)
{
    int results, status;
    if (!lua_checkstack(co, n)) {
        lua_pushliteral(L, "too many arguments to resume");
        return -1;
    }
    lua_xmove(L, co, n);
    lua_State *before = innermost;
    forget_interrupt(co);
    innermost = co;
    status = lua_resume(co, L, n, &results);
    innermost = before;
    if (status != LUA_OK && status != LUA_YIELD) {
        lua_xmove(co, L, 1);
        return -1;
    }
    if (!lua_checkstack(L, results + 1)) {
        lua_pop(co, results);
        lua_pushliteral(L, "too many results to resume");
        return -1;
    }
    lua_xmove(co, L, results);
    return results;
}

static int coroutine_resume(lua_State *L)
{
    lua_State *co = lua_tothread(L, 1);
    luaL_argexpected(L, co, 1, "coroutine");
    int n = resume(L, co, lua_gettop(L) - 1);
    lua_pushboolean(L, n >= 0);
    lua_insert(L, n < 0 ? -2 : -(n + 1));
    return n < 0 ? 2 : n + 1;
}

/* What the function that wrap gives does; an error closes the coroutine and goes on, its place before it. */
static int call_wrapped(lua_State *L)
{
    lua_State *co = lua_tothread(L, lua_upvalueindex(1));
    int n = resume(L, co, lua_gettop(L));
    if (n >= 0) return n;
    int status = lua_status(co);
    if (status != LUA_OK && status != LUA_YIELD) {
        status = lua_resetthread(co);
        lua_xmove(co, L, 1);
    }
    if (status != LUA_ERRMEM && lua_type(L, -1) == LUA_TSTRING) {
        luaL_where(L, 1);
        lua_insert(L, -2);
        lua_concat(L, 2);
    }
    return lua_error(L);
}

static int coroutine_wrap(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_State *co = lua_newthread(L);
    lua_pushvalue(L, 1);
    lua_xmove(L, co, 1);
    lua_pushcclosure(L, call_wrapped, 1);
    return 1;
}

void open_coroutines(lua_State *L)
{
    lua_getglobal(L, LUA_COLIBNAME);
    luaL_setfuncs(L, (luaL_Reg[]){{"resume", coroutine_resume}, {"wrap", coroutine_wrap}, {NULL, NULL}}, 0);
    lua_pop(L, 1);
}
