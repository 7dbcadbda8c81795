/* The teaching commands: %explain and its like, which the library does. */
#include "repl/commands.h"
#include "repl/report.h"

#include <string.h>

#include <lua.h>

#include "lang/lang.h"

/* Calls the library's function for a command with the code and the cell's name. */
static bool teach(Session *s, const char *command, const char *code)
{
    char name[40];
    session_cell_name(s, name, sizeof name);
    report_remember(s->L, name, code, strlen(code));
    lang_push_command(s->L, command);
    lua_pushstring(s->L, code);
    lua_pushstring(s->L, name);
    int n = session_call(s, 2);
    lua_pop(s->L, n > 0 ? n : 0);
    return n >= 0;
}

/* Whether the code is a cell at all; if not, that is reported as for any cell. */
static bool is_code(Session *s, const char *code)
{
    bool value, ok = session_compile(s, code, strlen(code), &value);
    lua_pop(s->L, ok);
    return ok;
}

bool command_explain(Session *s, const char *code) { return is_code(s, code) && teach(s, "explain", code); }

bool command_trace(Session *s, const char *code) { return is_code(s, code) && teach(s, "trace", code); }

bool command_graph(Session *s, const char *code) { return teach(s, "graph", code); }
