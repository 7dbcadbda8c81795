/* What cells print: Lua's three ways to standard output, each also kept with the cell that runs. */
#include "repl/printed.h"

#include <stdio.h>
#include <string.h>

#include <lauxlib.h>
#include <lua.h>

enum { LONGEST_PRINTED = 1 << 16 };

void printed_keep(Session *s, const char *text, size_t length)
{
    if (s->record_count == 0)
        return;
    Buffer *printed = &s->records[s->record_count - 1].printed;
    size_t room = LONGEST_PRINTED - printed->length;
    buffer_append(printed, text, length < room ? length : room);
}

static Session *session_of(lua_State *L) { return lua_touserdata(L, lua_upvalueindex(1)); }

/* print(...): as Lua's own. */
static int print(lua_State *L)
{
    Session *s = session_of(L);
    int n = lua_gettop(L);
    for (int i = 1; i <= n; i++) {
        size_t length;
        const char *text = luaL_tolstring(L, i, &length);
        if (i > 1) {
            putchar('\t');
            printed_keep(s, "\t", 1);
        }
        fwrite(text, 1, length, stdout);
        printed_keep(s, text, length);
        lua_pop(L, 1);
    }
    putchar('\n');
    printed_keep(s, "\n", 1);
    fflush(stdout);
    return 0;
}

static bool is_stdout(lua_State *L, int i)
{
    const luaL_Stream *file = luaL_testudata(L, i, LUA_FILEHANDLE);
    return file != NULL && file->closef != NULL && file->f == stdout;
}

/* Keeps the number as write puts it out, which has no ".0" where tostring has one. */
static void keep_number(lua_State *L, int i)
{
    char text[64];
    int length = lua_isinteger(L, i) ? snprintf(text, sizeof text, LUA_INTEGER_FMT, lua_tointeger(L, i))
                                     : snprintf(text, sizeof text, LUA_NUMBER_FMT, lua_tonumber(L, i));
    printed_keep(session_of(L), text, (size_t)length);
}

static void keep_string(lua_State *L, int i)
{
    size_t length;
    const char *text = lua_tolstring(L, i, &length);
    printed_keep(session_of(L), text, length);
}

/* Calls the function in upvalue 2 with all arguments and keeps those from `first` on, as far as they are text. */
static int write_and_keep(lua_State *L, int first, bool kept)
{
    int n = lua_gettop(L);
    for (int i = first; kept && i <= n && lua_isstring(L, i); i++) {
        if (lua_type(L, i) == LUA_TNUMBER)
            keep_number(L, i);
        else
            keep_string(L, i);
    }
    lua_pushvalue(L, lua_upvalueindex(2));
    lua_insert(L, 1);
    lua_call(L, n, LUA_MULTRET);
    return lua_gettop(L);
}

/* file:write(...) */
static int file_write(lua_State *L) { return write_and_keep(L, 2, is_stdout(L, 1)); }

/* io.write(...): to the default output, which io.output tells. */
static int default_write(lua_State *L)
{
    lua_pushvalue(L, lua_upvalueindex(3));
    lua_call(L, 0, 1);
    bool kept = is_stdout(L, -1);
    lua_pop(L, 1);
    return write_and_keep(L, 1, kept);
}

void printed_open(Session *s)
{
    lua_State *L = s->L;
    luaL_checkstack(L, 8, NULL);
    lua_pushlightuserdata(L, s);
    lua_pushcclosure(L, print, 1);
    lua_setglobal(L, "print");

    luaL_getmetatable(L, LUA_FILEHANDLE);
    lua_getfield(L, -1, "__index");
    lua_pushlightuserdata(L, s);
    lua_getfield(L, -2, "write");
    lua_pushcclosure(L, file_write, 2);
    lua_setfield(L, -2, "write");
    lua_pop(L, 2);

    lua_getglobal(L, "io");
    lua_pushlightuserdata(L, s);
    lua_getfield(L, -2, "write");
    lua_getfield(L, -3, "output");
    lua_pushcclosure(L, default_write, 3);
    lua_setfield(L, -2, "write");
    lua_pop(L, 1);
}
