/* lplace.c - which line of the user's an op is recorded at. */
#include "lang/bind.h"
#include "lang/lang.h"
#include "lang/teach.h"

#include <string.h>

static const char state_key;  /* registry: what ends with the state */
static lua_State *main_state; /* whose stack tells the line: that of the state opened last */

/* ---- the locator ---- */

static bool is_users(const lua_Debug *ar)
{
    return ar->currentline > 0 && strncmp(ar->source, "=[torch]", 8) != 0;
}

static Place *place_of(const lua_Debug *ar, Place *now)
{
    const char *name = ar->source[0] == '=' || ar->source[0] == '@' ? ar->source + 1 : ar->short_src;
    return now && strcmp(now->name, name) == 0 ? now : place_named(name);
}

/* The innermost line of the user's own. Level 0 is the function that called the engine. */
static int locate(Place **place)
{
    lua_Debug ar;
    lua_State *L = main_state ? running_thread(main_state) : NULL;
    for (int level = 1; L && level < 50 && lua_getstack(L, level, &ar); level++) {
        lua_getinfo(L, "Sl", &ar);
        if (!is_users(&ar)) continue;
        *place = place_of(&ar, *place);
        return ar.currentline;
    }
    return 0;
}

/* ---- states ---- */

/* A state that ends gives way to the one that was there before it. */
static int state_ends(lua_State *L)
{
    lua_State **states = lua_touserdata(L, 1); /* itself, the one before */
    if (main_state == states[0]) main_state = states[1];
    return 0;
}

void open_places(lua_State *L)
{
    lua_State **states = lua_newuserdatauv(L, 2 * sizeof *states, 0);
    lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_MAINTHREAD);
    states[0] = lua_tothread(L, -1);
    states[1] = main_state;
    lua_pop(L, 1);
    main_state = states[0];
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, state_ends);
    lua_setfield(L, -2, "__gc");
    lua_setmetatable(L, -2);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &state_key);
    place_set_locator(locate);
}

const void *lang_next_place(const void *previous, LangPlace *place)
{
    const Place *p = previous ? ((const Place *)previous)->next : places();
    if (p) *place = (LangPlace){p->name, p->host, p->device};
    return p;
}
