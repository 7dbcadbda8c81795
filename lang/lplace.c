/* lplace.c - which line of the user's an op is recorded at: cheaply enough to ask at each one. */
#include "lang/bind.h"
#include "lang/lang.h"
#include "lang/teach.h"

#include <stdint.h>
#include <string.h>

static const char state_key;  /* registry: what ends with the state */
static lua_State *main_state; /* whose stack tells the line: that of the state opened last */

/* ---- lines known by their instruction ---- */

/* Lua's API gives the line of a call by walking the function's line table, which costs a tenth of a small
 * op. The instruction itself tells calls apart: its address stands in the call's record, which lua_Debug
 * points to but Lua keeps to itself. So its place there is tried out when a state is opened (find_offset),
 * and lines are asked for as the API has it where that does not succeed. Addresses are good until code is
 * loaded: code that is gone may have been there. */
enum { KNOWN_LINES = 256, NO_OFFSET = -1 };

static struct {
    const void *instruction;
    Place *place;
    int line;
} known[KNOWN_LINES];

static int offset = NO_OFFSET; /* of the instruction's address in the record of a call */

void forget_lines(void) { memset(known, 0, sizeof known); }

static const void *instruction_of(const lua_Debug *ar, int at)
{
    const void *address;
    memcpy(&address, (const char *)ar->i_ci + at, sizeof address);
    return address;
}

static unsigned slot_of(const void *instruction)
{
    return (unsigned)((uintptr_t)instruction >> 2) % KNOWN_LINES;
}

/* ---- trying the offset ---- */

enum {
    PROBES = 4,
    EXPECTED_WORD = 4
}; /* behind the function, its stack's top and the neighbouring records */

typedef struct Probe {
    int n;
    uintptr_t word[PROBES];
} Probe;

static int probe(lua_State *L)
{
    Probe *p = lua_touserdata(L, lua_upvalueindex(1));
    lua_Debug ar;
    if (p->n < PROBES && lua_getstack(L, 1, &ar))
        p->word[p->n++] = (uintptr_t)instruction_of(&ar, EXPECTED_WORD * (int)sizeof(void *));
    return 0;
}

/* Whether the word moves as an instruction's address does: the same at the same call, a little further at
 * the next. */
static bool is_instruction(const Probe *p)
{
    uintptr_t first = p->word[0], second = p->word[1];
    return p->n == PROBES && p->word[2] == first && p->word[3] == second && second > first &&
           second - first <= 64 && (second - first) % 4 == 0 && first % 4 == 0;
}

static void find_offset(lua_State *L)
{
    static const char text[] = "local probe = ... for i = 1, 2 do probe() probe() end";
    Probe p = {0};
    int top = lua_gettop(L);
    offset = NO_OFFSET;
    if (luaL_loadbufferx(L, text, sizeof text - 1, "=probe", "t") == LUA_OK) {
        lua_pushlightuserdata(L, &p);
        lua_pushcclosure(L, probe, 1);
        if (lua_pcall(L, 1, 0, 0) == LUA_OK && is_instruction(&p))
            offset = EXPECTED_WORD * (int)sizeof(void *);
    }
    lua_settop(L, top);
}

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
    const void *instruction = NULL;
    for (int level = 1; main_state && level < 50 && lua_getstack(main_state, level, &ar); level++) {
        if (level == 1 && offset != NO_OFFSET) {
            instruction = instruction_of(&ar, offset);
            unsigned slot = slot_of(instruction);
            if (instruction && known[slot].instruction == instruction) {
                *place = known[slot].place;
                return known[slot].line;
            }
        }
        lua_getinfo(main_state, "Sl", &ar);
        if (!is_users(&ar)) continue;
        *place = place_of(&ar, *place);
        if (level == 1 && instruction) {
            unsigned slot = slot_of(instruction);
            known[slot].instruction = instruction;
            known[slot].place = *place;
            known[slot].line = ar.currentline;
        }
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
    forget_lines();
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
    offset = NO_OFFSET; /* who loads code without telling forget_lines() gets lines the slow way */
    forget_lines();
    place_set_locator(locate);
}

void remember_lines(lua_State *L) { find_offset(L); }

const void *lang_next_place(const void *previous, LangPlace *place)
{
    const Place *p = previous ? ((const Place *)previous)->next : places();
    if (p) *place = (LangPlace){p->name, p->host, p->device};
    return p;
}
