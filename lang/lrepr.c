/* lrepr.c - values as text: torch.repr, the echo, and bytes held. */
#include "lang/lang.h"
#include "lang/repr.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_ITEMS = 1000, DEEPEST = 100, WIDTH = 79 };

static void push_repr(lua_State *L, int i, int depth);

/* ---- single values ---- */

static void push_quoted(lua_State *L, int i)
{
    size_t n;
    const char *s = lua_tolstring(L, i, &n);
    luaL_Buffer b;
    luaL_buffinit(L, &b);
    luaL_addchar(&b, '"');
    for (size_t k = 0; k < n; k++) {
        unsigned char c = (unsigned char)s[k];
        char code[8];
        if (c == '"' || c == '\\') {
            luaL_addchar(&b, '\\');
            luaL_addchar(&b, (char)c);
        } else if (c == '\n') {
            luaL_addstring(&b, "\\n");
        } else if (c == '\t') {
            luaL_addstring(&b, "\\t");
        } else if (c == '\r') {
            luaL_addstring(&b, "\\r");
        } else if (c < 32 || c == 127) {
            snprintf(code, sizeof code, "\\%03d", c);
            luaL_addstring(&b, code);
        } else {
            luaL_addchar(&b, (char)c);
        }
    }
    luaL_addchar(&b, '"');
    luaL_pushresult(&b);
}

static void push_number(lua_State *L, int i)
{
    char text[64];
    if (lua_isinteger(L, i))
        lua_pushfstring(L, "%I", lua_tointeger(L, i));
    else
        lua_pushstring(L, format_double(text, sizeof text, lua_tonumber(L, i)));
}

static void push_other(lua_State *L, int i)
{
    if (luaL_callmeta(L, i, "__repr"))
        return;
    luaL_tolstring(L, i, NULL);
}

/* ---- several items between brackets ---- */

/* How items are laid out that do not fit on one line: one below the other, as IPython does, or as many as fit
 * on each. */
typedef enum Layout { ONE_A_LINE, FILLED } Layout;

/* The strings of the table at stack index t (1..n) between open and close, later lines indented by one. */
static void push_joined(lua_State *L, int t, int n, const char *open, const char *close, Layout layout)
{
    size_t width = strlen(open) + strlen(close), length, column = strlen(open);
    bool several_lines = false;
    for (int k = 1; k <= n; k++) {
        lua_rawgeti(L, t, k);
        const char *s = lua_tolstring(L, -1, &length);
        several_lines |= memchr(s, '\n', length) != NULL;
        width += length + (k > 1 ? 2 : 0);
        lua_pop(L, 1);
    }
    bool broken = several_lines || width > WIDTH, each = several_lines || layout == ONE_A_LINE;
    luaL_Buffer b;
    luaL_buffinit(L, &b);
    luaL_addstring(&b, open);
    for (int k = 1; k <= n; k++) {
        lua_rawgeti(L, t, k);
        length = lua_rawlen(L, -1);
        bool next_line = broken && (each || column + length + 3 > WIDTH);
        luaL_gsub(L, lua_tostring(L, -1), "\n", "\n ");
        lua_remove(L, -2);
        lua_pushstring(L, k == 1 ? "" : next_line ? ",\n " : ", ");
        lua_insert(L, -2);
        lua_concat(L, 2);
        luaL_addvalue(&b);
        column = next_line ? length + 1 : column + length + 2;
    }
    luaL_addstring(&b, close);
    luaL_pushresult(&b);
}

/* ---- tables ---- */

static bool is_identifier(const char *s)
{
    static const char *const reserved[] = {
        "and", "break", "do",  "else", "elseif", "end",    "false",  "for",  "function", "goto",  "if",
        "in",  "local", "nil", "not",  "or",     "repeat", "return", "then", "true",     "until", "while"};
    if (!isalpha((unsigned char)*s) && *s != '_')
        return false;
    for (const char *p = s; *p; p++)
        if (!isalnum((unsigned char)*p) && *p != '_')
            return false;
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
        if (strcmp(s, reserved[i]) == 0)
            return false;
    return true;
}

/* Orders numbers before strings, each by value; other keys stay where they are. */
static int compare_keys(lua_State *L)
{
    int a = lua_type(L, 1), b = lua_type(L, 2);
    bool less = a == b ? (a == LUA_TNUMBER || a == LUA_TSTRING) && lua_compare(L, 1, 2, LUA_OPLT)
                       : a == LUA_TNUMBER || (a == LUA_TSTRING && b != LUA_TNUMBER);
    lua_pushboolean(L, less);
    return 1;
}

/* Pushes a table of the keys that are not 1..n, in order; returns how many. */
static int push_named_keys(lua_State *L, int t, lua_Integer n)
{
    int count = 0;
    lua_newtable(L);
    int keys = lua_gettop(L);
    for (lua_pushnil(L); lua_next(L, t); lua_pop(L, 1)) {
        if (lua_isinteger(L, -2) && lua_tointeger(L, -2) >= 1 && lua_tointeger(L, -2) <= n)
            continue;
        lua_pushvalue(L, -2);
        lua_rawseti(L, keys, ++count);
    }
    if (count > 1 && count <= MOST_ITEMS) {
        /* the sort is Lua's own, reached through the registry: the global may be anything by now */
        luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
        lua_getfield(L, -1, "table");
        lua_getfield(L, -1, "sort");
        lua_pushvalue(L, keys);
        lua_pushcfunction(L, compare_keys);
        lua_call(L, 2, 0);
        lua_settop(L, keys);
    }
    return count;
}

/* "x = " or "[10] = " for the key on top of the stack, which it replaces. */
static void key_text(lua_State *L, int depth)
{
    if (lua_type(L, -1) == LUA_TSTRING && is_identifier(lua_tostring(L, -1))) {
        lua_pushliteral(L, " = ");
        lua_concat(L, 2);
        return;
    }
    push_repr(L, lua_gettop(L), depth + 1);
    lua_pushfstring(L, "[%s] = ", lua_tostring(L, -1));
    lua_replace(L, -3);
    lua_pop(L, 1);
}

/* Upvalue-free recursion guard: the tables being printed, in a registry table from table to true. */
static const char open_tables_key;

static bool enter_table(lua_State *L, int t)
{
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &open_tables_key) != LUA_TTABLE)
        return true;
    lua_pushvalue(L, t);
    bool inside = lua_rawget(L, -2) != LUA_TNIL;
    lua_pop(L, 1);
    if (!inside) {
        lua_pushvalue(L, t);
        lua_pushboolean(L, true);
        lua_rawset(L, -3);
    }
    lua_pop(L, 1);
    return !inside;
}

static void leave_table(lua_State *L, int t)
{
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &open_tables_key) == LUA_TTABLE) {
        lua_pushvalue(L, t);
        lua_pushnil(L);
        lua_rawset(L, -3);
    }
    lua_pop(L, 1);
}

static void push_table(lua_State *L, int t, int depth)
{
    luaL_checkstack(L, 16, "table too deep to show");
    if (depth > DEEPEST || !enter_table(L, t)) {
        lua_pushliteral(L, "{...}");
        return;
    }
    int top = lua_gettop(L), items = 0;
    lua_newtable(L);
    lua_Integer n = (lua_Integer)lua_rawlen(L, t);
    for (lua_Integer k = 1; k <= n && items < MOST_ITEMS; k++) {
        lua_rawgeti(L, t, k);
        push_repr(L, lua_gettop(L), depth + 1);
        lua_rawseti(L, top + 1, ++items);
        lua_pop(L, 1);
    }
    int named = push_named_keys(L, t, n), keys = lua_gettop(L);
    for (int k = 1; k <= named && items < MOST_ITEMS; k++) {
        lua_rawgeti(L, keys, k);
        lua_pushvalue(L, -1);
        lua_rawget(L, t);
        push_repr(L, lua_gettop(L), depth + 1);
        lua_remove(L, -2);
        lua_insert(L, -2);
        key_text(L, depth);
        lua_insert(L, -2);
        lua_concat(L, 2);
        lua_rawseti(L, top + 1, ++items);
    }
    if (n + named > items) {
        lua_pushliteral(L, "...");
        lua_rawseti(L, top + 1, ++items);
    }
    push_joined(L, top + 1, items, "{", "}", FILLED);
    lua_replace(L, top + 1);
    lua_settop(L, top + 1);
    leave_table(L, t);
}

static bool has_text(lua_State *L, int i)
{
    static const char *const events[] = {"__repr", "__tostring"};
    for (int e = 0; e < 2; e++) {
        if (luaL_getmetafield(L, i, events[e]) == LUA_TNIL)
            continue;
        lua_pop(L, 1);
        return true;
    }
    return false;
}

static void push_repr(lua_State *L, int i, int depth)
{
    switch (lua_type(L, i)) {
    case LUA_TSTRING: push_quoted(L, i); break;
    case LUA_TNUMBER: push_number(L, i); break;
    case LUA_TTABLE:
        if (has_text(L, i))
            push_other(L, i);
        else
            push_table(L, i, depth);
        break;
    default: push_other(L, i);
    }
}

static void fresh_open_tables(lua_State *L)
{
    lua_newtable(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &open_tables_key);
}

void value_repr(lua_State *L, int i)
{
    fresh_open_tables(L);
    push_repr(L, lua_absindex(L, i), 0);
}

int repr_function(lua_State *L)
{
    luaL_checkany(L, 1);
    value_repr(L, 1);
    return 1;
}

/* ---- the echo ---- */

/* torch.return_types.max(\nvalues=…,\nindices=…) */
static void push_return_type(lua_State *L, int first, int n, const char *name, const char *fields)
{
    luaL_Buffer b;
    luaL_buffinit(L, &b);
    luaL_addstring(&b, "torch.return_types.");
    luaL_addstring(&b, name);
    luaL_addstring(&b, "(");
    for (int k = 0; k < n; k++) {
        size_t length = strcspn(fields, ",");
        luaL_addstring(&b, k ? ",\n" : "\n");
        luaL_addlstring(&b, fields, length);
        luaL_addstring(&b, "=");
        push_repr(L, first + k, 0);
        luaL_addvalue(&b);
        fields += length + (fields[length] == ',');
    }
    luaL_addstring(&b, ")");
    luaL_pushresult(&b);
}

void lang_echo(lua_State *L, int n)
{
    int first = lua_gettop(L) - n + 1, shown = 0;
    const char *fields, *name = remembered_returns(L, first, n, &fields);
    luaL_checkstack(L, 12, NULL);
    for (int k = 0; k < n; k++)
        shown += !lua_isnil(L, first + k);
    if (shown == 0) {
        lua_pushnil(L);
        return;
    }
    fresh_open_tables(L);
    if (n == 1) {
        push_repr(L, first, 0);
    } else if (name) {
        push_return_type(L, first, n, name, fields);
    } else {
        lua_createtable(L, n, 0);
        int items = lua_gettop(L);
        for (int k = 0; k < n; k++) {
            push_repr(L, first + k, 1);
            lua_rawseti(L, items, k + 1);
        }
        push_joined(L, items, n, "(", ")", ONE_A_LINE);
        lua_remove(L, items);
    }
}

/* ---- bytes held ---- */

enum { BYTES_DEPTH = 6, BYTES_ENTRIES = 100000 };

static size_t bytes_of(lua_State *L, int i, int depth, int *budget)
{
    Tensor *t = to_tensor(L, i);
    if (t)
        return t->storage ? t->storage->bytes : 0;
    if (lua_type(L, i) != LUA_TTABLE || depth == BYTES_DEPTH || !lua_checkstack(L, 4))
        return 0;
    size_t bytes = 0;
    i = lua_absindex(L, i);
    for (lua_pushnil(L); lua_next(L, i); lua_pop(L, 1)) {
        if (--*budget < 0) {
            lua_pop(L, 2);
            break;
        }
        bytes += bytes_of(L, lua_gettop(L), depth + 1, budget);
    }
    return bytes;
}

size_t lang_bytes(lua_State *L, int i)
{
    int budget = BYTES_ENTRIES;
    return bytes_of(L, i, 0, &budget);
}
