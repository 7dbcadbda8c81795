/* In, Out, _ and __: the newest cells and results, within a byte budget and a count. */
#include "repl/results.h"
#include "repl/commands.h"
#include "repl/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "lang/lang.h"

enum { MOST_CELLS = 10000, LONGEST_OUTPUT = 1 << 16 };

static const char in_key, out_key; /* registry: the tables In and Out, wherever the globals point now */

size_t results_budget(void)
{
    return (size_t)256 << 20;
}

static void set_global(lua_State *L, const char *name) /* pops the value */
{
    lua_pushglobaltable(L);
    lua_pushstring(L, name);
    lua_rotate(L, -3, -1);
    lua_rawset(L, -3);
    lua_pop(L, 1);
}

static void get_global(lua_State *L, const char *name)
{
    lua_pushglobaltable(L);
    lua_pushstring(L, name);
    lua_rawget(L, -2);
    lua_remove(L, -2);
}

static void make_table(lua_State *L, const char *name, const void *key)
{
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, key);
    set_global(L, name);
}

void results_open(Session *s)
{
    make_table(s->L, "In", &in_key);
    make_table(s->L, "Out", &out_key);
}

/* Sets entry `number` of In or Out to the value on top of the stack, which it pops. */
static void set_entry(lua_State *L, const void *key, int number)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, key);
    lua_insert(L, -2);
    lua_rawseti(L, -2, number);
    lua_pop(L, 1);
}

static void clear_entry(lua_State *L, const void *key, int number)
{
    lua_pushnil(L);
    set_entry(L, key, number);
}

static void free_record(Record *r)
{
    free(r->source);
    free(r->output);
    buffer_free(&r->printed);
}

static void forget_record(Session *s, Record *r)
{
    char name[40];
    snprintf(name, sizeof name, "=In [%d]", r->number);
    report_remember(s->L, name, NULL, 0);
    clear_entry(s->L, &in_key, r->number);
    free_record(r);
}

/* Room for one record more: the older half goes when there are too many. */
static bool make_room(Session *s)
{
    if (s->record_count == MOST_CELLS) {
        int gone = MOST_CELLS / 2;
        for (int i = 0; i < gone; i++)
            forget_record(s, &s->records[i]);
        s->record_count -= gone;
        memmove(s->records, s->records + gone, (size_t)s->record_count * sizeof *s->records);
    }
    if (s->record_count < s->record_capacity)
        return true;
    int capacity = s->record_capacity * 2 + 16;
    Record *records = realloc(s->records, (size_t)capacity * sizeof *records);
    if (records == NULL)
        return false;
    s->records = records;
    s->record_capacity = capacity;
    return true;
}

void results_begin(Session *s, const char *source, size_t length)
{
    while (length > 0 && source[length - 1] == '\n')
        length--;
    lua_pushlstring(s->L, source, length);
    set_entry(s->L, &in_key, s->number);
    char *copy = strndup(source, length);
    if (copy == NULL || !make_room(s)) {
        free(copy);
        luaL_error(s->L, "not enough memory");
    }
    s->records[s->record_count++] = (Record){.number = s->number, .source = copy};
}

/* Lets the oldest results go until the budget is met; the newest stays, however large. */
static void evict(Session *s)
{
    int gone = 0, first = s->held_count > 0 ? s->held[0].number : 0;
    while (gone + 1 < s->held_count &&
           (s->held_bytes > results_budget() || s->held_count - gone > MOST_CELLS)) {
        s->held_bytes -= s->held[gone].bytes;
        clear_entry(s->L, &out_key, s->held[gone].number);
        gone++;
    }
    if (gone == 0)
        return;
    int last = s->held[gone - 1].number;
    s->held_count -= gone;
    memmove(s->held, s->held + gone, (size_t)s->held_count * sizeof *s->held);
    if (!s->labelled)
        return;
    fflush(stdout);
    if (first == last)
        fprintf(stderr, "(Out[%d] is let go: results may hold %zu MB)\n", first, results_budget() >> 20);
    else
        fprintf(stderr, "(Out[%d] to Out[%d] are let go: results may hold %zu MB)\n", first, last,
                results_budget() >> 20);
}

/* Counts the value on top of the stack as held. */
static void hold(Session *s, size_t bytes)
{
    if (s->held_count == s->held_capacity) {
        int capacity = s->held_capacity * 2 + 16;
        Held *held = realloc(s->held, (size_t)capacity * sizeof *held);
        if (held == NULL)
            luaL_error(s->L, "not enough memory");
        s->held = held;
        s->held_capacity = capacity;
    }
    s->held[s->held_count++] = (Held){s->number, bytes};
    s->held_bytes += bytes;
}

/* Replaces the top n values by one: themselves, or a table of them. Returns their bytes. */
static size_t pack(lua_State *L, int n)
{
    size_t bytes = 0;
    for (int i = 1; i <= n; i++)
        bytes += lang_bytes(L, -i);
    if (n == 1)
        return bytes;
    lua_createtable(L, n, 1);
    lua_insert(L, -n - 1);
    for (int i = n; i >= 1; i--)
        lua_rawseti(L, -i - 1, i);
    lua_pushinteger(L, n);
    lua_setfield(L, -2, "n");
    return bytes;
}

void results_keep(Session *s, int n, const char *output)
{
    lua_State *L = s->L;
    hold(s, pack(L, n));
    lua_pushvalue(L, -1);
    set_entry(L, &out_key, s->number);
    get_global(L, "_");
    set_global(L, "__");
    set_global(L, "_");
    if (s->record_count > 0 && s->records[s->record_count - 1].number == s->number) {
        Record *r = &s->records[s->record_count - 1];
        free(r->output);
        r->output = strndup(output, LONGEST_OUTPUT);
    }
    evict(s);
}

void results_clear(Session *s)
{
    for (int i = 0; i < s->record_count; i++)
        free_record(&s->records[i]);
    free(s->records);
    free(s->held);
    s->records = NULL;
    s->held = NULL;
    s->record_count = s->record_capacity = s->held_count = s->held_capacity = 0;
    s->held_bytes = 0;
}
