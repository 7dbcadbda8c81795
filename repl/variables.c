/* %who, %whos and %mem. */
#include "repl/commands.h"
#include "repl/results.h"
#include "repl/buffer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>
#include <lua.h>

#include "lang/lang.h"

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Pushes the sorted names of the user's globals: a block of pointers, and a table that keeps the strings
 * alive. */
static const char **push_names(Session *s, int *count)
{
    lua_State *L = s->L;
    int n = 0;
    lua_newtable(L);
    lua_pushglobaltable(L);
    lua_pushnil(L);
    while (lua_next(L, -2) != 0) {
        lua_pop(L, 1);
        if (lua_type(L, -1) != LUA_TSTRING || session_is_builtin(s, -1))
            continue;
        lua_pushvalue(L, -1);
        lua_rawseti(L, -4, ++n);
    }
    lua_pop(L, 1);
    const char **names = lua_newuserdatauv(L, ((size_t)n + 1) * sizeof *names, 0);
    for (int i = 0; i < n; i++) {
        lua_rawgeti(L, -2, i + 1);
        names[i] = lua_tostring(L, -1);
        lua_pop(L, 1);
    }
    qsort(names, (size_t)n, sizeof *names, compare_names);
    *count = n;
    return names;
}

static void push_raw_global(lua_State *L, const char *name)
{
    lua_pushglobaltable(L);
    lua_pushstring(L, name);
    lua_rawget(L, -2);
    lua_remove(L, -2);
}

bool command_who(Session *s, const char *rest)
{
    int n;
    const char **names = push_names(s, &n);
    (void)rest;
    for (int i = 0; i < n; i++)
        printf("%s%s", names[i], i + 1 < n ? "  " : "\n");
    lua_pop(s->L, 2);
    return true;
}

/* ---- %whos ----------------------------------------------------------------------------------- */

enum { NAME, TYPE, SHAPE, DTYPE, DEVICE, BYTES, GRAD, COLUMNS };
enum { LONGEST_FIELD = 48 };

/* Row 0 holds the titles. Fields are Lua strings in one table, row by row, numbered from 1. */
static void set_field(lua_State *L, int table, int row, int column) /* pops the field's text */
{
    lua_rawseti(L, table, row * COLUMNS + column + 1);
}

/* The attribute of the tensor on top of the stack, as text. */
static void push_attribute(lua_State *L, const char *name)
{
    lua_getfield(L, -1, name);
    luaL_tolstring(L, -1, NULL);
    lua_remove(L, -2);
}

static void describe_tensor(lua_State *L, int table, int row)
{
    push_attribute(L, "shape"); /* torch.Size([2, 3]): the list is enough */
    const char *shape = lua_tostring(L, -1), *list = strchr(shape, '[');
    if (list != NULL && ends_with(list, ")"))
        lua_pushlstring(L, list, strlen(list) - 1);
    else
        lua_pushvalue(L, -1);
    lua_remove(L, -2);
    set_field(L, table, row, SHAPE);
    push_attribute(L, "dtype");
    const char *dtype = lua_tostring(L, -1);
    lua_pushstring(L, starts_with(dtype, "torch.") ? dtype + strlen("torch.") : dtype);
    lua_remove(L, -2);
    set_field(L, table, row, DTYPE);
    push_attribute(L, "device");
    set_field(L, table, row, DEVICE);
    push_attribute(L, "nbytes");
    set_field(L, table, row, BYTES);
    lua_getfield(L, -1, "requires_grad");
    bool tracked = lua_toboolean(L, -1);
    lua_getfield(L, -2, "is_leaf");
    bool leaf = lua_toboolean(L, -1);
    lua_pop(L, 2);
    lua_pushstring(L, !tracked ? "" : leaf ? "leaf" : "yes");
    set_field(L, table, row, GRAD);
}

/* Other values: what fits of their text, in the shape's column. */
static void describe_value(lua_State *L, int table, int row)
{
    int type = lua_type(L, -1);
    if (type != LUA_TNUMBER && type != LUA_TBOOLEAN && type != LUA_TSTRING)
        return;
    luaL_tolstring(L, -1, NULL);
    size_t length = strcspn(lua_tostring(L, -1), "\n");
    lua_pushlstring(L, lua_tostring(L, -1), length < LONGEST_FIELD ? length : LONGEST_FIELD);
    lua_remove(L, -2);
    set_field(L, table, row, SHAPE);
}

static void describe(lua_State *L, int table, int row, const char *name)
{
    lua_pushstring(L, name);
    set_field(L, table, row, NAME);
    push_raw_global(L, name);
    bool tensor = luaL_testudata(L, -1, "Tensor") != NULL;
    if (luaL_getmetafield(L, -1, "__name") != LUA_TSTRING) {
        lua_settop(L, table + 1);
        lua_pushstring(L, luaL_typename(L, -1));
    }
    set_field(L, table, row, TYPE);
    if (tensor)
        describe_tensor(L, table, row);
    else
        describe_value(L, table, row);
    lua_settop(L, table);
}

static const char *field(lua_State *L, int table, int row, int column)
{
    lua_rawgeti(L, table, row * COLUMNS + column + 1);
    const char *text = lua_tostring(L, -1); /* the table keeps it */
    lua_pop(L, 1);
    return text == NULL ? "" : text;
}

static void print_columns(lua_State *L, int table, int rows)
{
    int width[COLUMNS] = {0};
    for (int row = 0; row < rows; row++)
        for (int column = 0; column < COLUMNS; column++) {
            int length = (int)strlen(field(L, table, row, column));
            width[column] = length > width[column] ? length : width[column];
        }
    for (int row = 0; row < rows; row++) {
        Buffer line = {0};
        for (int column = 0; column < COLUMNS; column++)
            buffer_printf(&line, column == BYTES ? "%*s  " : "%-*s  ", width[column],
                          field(L, table, row, column));
        while (line.length > 0 && line.data[line.length - 1] == ' ')
            line.data[--line.length] = '\0';
        puts(buffer_string(&line));
        buffer_free(&line);
    }
}

bool command_whos(Session *s, const char *rest)
{
    static const char *const titles[COLUMNS] = {"name", "type", "shape", "dtype", "device", "bytes", "grad"};
    lua_State *L = s->L;
    int n, top = lua_gettop(L);
    const char **names = push_names(s, &n);
    (void)rest;
    lua_newtable(L);
    int table = lua_gettop(L);
    for (int column = 0; column < COLUMNS; column++) {
        lua_pushstring(L, titles[column]);
        set_field(L, table, 0, column);
    }
    for (int i = 0; i < n; i++)
        describe(L, table, i + 1, names[i]);
    if (n > 0)
        print_columns(L, table, n + 1);
    lua_settop(L, top);
    return true;
}

/* ---- %mem ------------------------------------------------------------------------------------ */

static const char *format_bytes(char *text, size_t size, double bytes)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
    int unit = 0;
    while (bytes >= 1000 && unit < 4) {
        bytes /= 1000;
        unit++;
    }
    snprintf(text, size, "%8.*f %s", unit == 0 ? 0 : 1, bytes, units[unit]);
    return text;
}

static void print_bytes(const char *what, double bytes)
{
    char text[32];
    printf("%-24s%s\n", what, format_bytes(text, sizeof text, bytes));
}

enum { SHOWN_PLACES = 10 };

/* Puts the place among the largest so far. */
static int insert_place(LangPlace *largest, int n, LangPlace place)
{
    int at = n < SHOWN_PLACES ? n : SHOWN_PLACES;
    while (at > 0 && largest[at - 1].host + largest[at - 1].device < place.host + place.device)
        at--;
    if (at == SHOWN_PLACES)
        return n;
    int kept = n < SHOWN_PLACES ? n : SHOWN_PLACES - 1;
    memmove(largest + at + 1, largest + at, (size_t)(kept - at) * sizeof *largest);
    largest[at] = place;
    return kept + 1;
}

/* The cells and scripts that made the most of what is alive, by device. */
static void print_places(void)
{
    LangPlace largest[SHOWN_PLACES], place;
    int n = 0, all = 0;
    bool device = false;
    for (const void *p = lang_next_place(NULL, &place); p != NULL; p = lang_next_place(p, &place)) {
        if (place.host + place.device == 0)
            continue;
        all++;
        device = device || place.device > 0;
        n = insert_place(largest, n, place);
    }
    if (n > 0)
        printf("made by%s\n", device ? "                        CPU      OpenCL" : "");
    for (int i = 0; i < n; i++) {
        char host[32], other[32];
        printf("  %-22.40s%s", largest[i].name, format_bytes(host, sizeof host, (double)largest[i].host));
        if (device)
            printf("  %s", format_bytes(other, sizeof other, (double)largest[i].device));
        putchar('\n');
    }
    if (all > n)
        printf("  (and %d places more)\n", all - n);
}

bool command_mem(Session *s, const char *rest)
{
    LangMemory use = lang_memory();
    (void)rest;
    print_bytes("tensors", (double)use.live);
    print_bytes("tensors, at most", (double)use.peak);
    print_bytes("freed, kept for reuse", (double)use.cached);
    print_bytes("results in Out", (double)s->held_bytes);
    print_bytes("results may hold", (double)results_budget());
    print_bytes("Lua", lua_gc(s->L, LUA_GCCOUNT) * 1024.0 + lua_gc(s->L, LUA_GCCOUNTB));
    print_places();
    return true;
}
