/* The one reporter of errors: "Kind: text", then "  FILE:LINE: source" for the user's frames, innermost
 * first. */
#include "repl/report.h"
#include "repl/terminal.h"
#include "repl/buffer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lauxlib.h>

enum { SHOWN_FRAMES = 8, LONGEST_LINE = 160, LONGEST_MESSAGE = 4000 };

static const char sources_key; /* registry: table from chunk name to text */

/* Pushes the table of remembered texts. */
static void push_sources(lua_State *L)
{
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &sources_key) == LUA_TTABLE)
        return;
    lua_pop(L, 1);
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &sources_key);
}

void report_remember(lua_State *L, const char *chunkname, const char *text, size_t length)
{
    push_sources(L);
    lua_pushstring(L, chunkname);
    if (text == NULL)
        lua_pushnil(L);
    else
        lua_pushlstring(L, text, length);
    lua_rawset(L, -3);
    lua_pop(L, 1);
}

/* ---- the user's line ------------------------------------------------------------------------- */

/* The line of that number, or the last one when there are fewer: an error at the end of the text belongs
 * there. Returns its number. */
static int append_line_of(Buffer *out, const char *text, size_t length, int number)
{
    const char *at = text, *end = text + length;
    int line = 1;
    while (end > text && strchr(" \t\r\n", end[-1]) != NULL)
        end--;
    for (; line < number && line_length(at, end) < (size_t)(end - at); line++)
        at += line_length(at, end) + 1;
    size_t n = line_length(at, end), blanks = 0;
    while (blanks < n && (at[blanks] == ' ' || at[blanks] == '\t'))
        blanks++;
    at += blanks;
    n -= blanks;
    while (n > 0 && at[n - 1] == '\r')
        n--;
    buffer_append(out, at, n > LONGEST_LINE ? LONGEST_LINE : n);
    if (n > LONGEST_LINE)
        buffer_puts(out, "...");
    return line;
}

/* The source line a chunk name and a line number mean: from the remembered texts, from the file, or from
 * the name itself, which is the text where code was given to load() as a string. Returns its number. */
static int append_source(lua_State *L, Buffer *out, const char *chunkname, int line)
{
    size_t length;
    push_sources(L);
    lua_pushstring(L, chunkname);
    lua_rawget(L, -2);
    const char *text = lua_tolstring(L, -1, &length);
    if (text != NULL) {
        line = append_line_of(out, text, length, line);
    } else if (chunkname[0] == '@') {
        Buffer file = {0};
        if (buffer_read_file(&file, chunkname + 1))
            line = append_line_of(out, buffer_string(&file), file.length, line);
        buffer_free(&file);
    } else if (chunkname[0] != '=') {
        line = append_line_of(out, chunkname, strlen(chunkname), line);
    }
    lua_pop(L, 2);
    return line;
}

static void append_place(lua_State *L, Buffer *out, const char *place, const char *chunkname, int line)
{
    Buffer source = {0};
    line = append_source(L, &source, chunkname, line);
    buffer_printf(out, "\n  %s:%d:%s%s", place, line, source.length > 0 ? " " : "", buffer_string(&source));
    buffer_free(&source);
}

/* ---- frames ---------------------------------------------------------------------------------- */

static bool is_users(const lua_Debug *ar)
{
    return ar->currentline > 0 && !starts_with(ar->source, "=[torch]");
}

/* The length of "PLACE:LINE: " at the start of the message when that is where some frame of the user's
 * stands. */
static size_t position_length(lua_State *L, const char *message)
{
    lua_Debug ar;
    for (int level = 0; lua_getstack(L, level, &ar); level++) {
        char position[LUA_IDSIZE + 32];
        lua_getinfo(L, "Sl", &ar);
        if (ar.currentline <= 0)
            continue;
        snprintf(position, sizeof position, "%s:%d: ", ar.short_src, ar.currentline);
        if (starts_with(message, position))
            return strlen(position);
    }
    return 0;
}

static void append_frames(lua_State *L, Buffer *out)
{
    lua_Debug ar;
    int shown = 0, hidden = 0, last_line = 0;
    const char *last_source = NULL;
    for (int level = 0; lua_getstack(L, level, &ar); level++) {
        lua_getinfo(L, "Sl", &ar);
        if (!is_users(&ar) || (ar.source == last_source && ar.currentline == last_line))
            continue;
        last_source = ar.source;
        last_line = ar.currentline;
        if (shown < SHOWN_FRAMES) {
            append_place(L, out, ar.short_src, ar.source, ar.currentline);
            shown++;
        } else {
            hidden++;
        }
    }
    if (hidden > 0)
        buffer_printf(out, "\n  (and %d calls more)", hidden);
}

/* Replaces the value at index 1 by the text. */
static void push_text(lua_State *L, Buffer *text)
{
    bool failed = text->failed || text->data == NULL;
    if (failed)
        lua_pushliteral(L, "not enough memory");
    else
        lua_pushlstring(L, text->data, text->length);
    buffer_free(text);
}

static void append_message(Buffer *out, const char *message, size_t length)
{
    buffer_append(out, message, length > LONGEST_MESSAGE ? LONGEST_MESSAGE : length);
    if (length > LONGEST_MESSAGE)
        buffer_puts(out, "...");
}

int report_handler(lua_State *L)
{
    Buffer out = {0};
    size_t length;
    luaL_checkstack(L, 8, NULL);
    if (lua_isnil(L, 1))
        lua_pushliteral(L, "nil");
    else
        luaL_tolstring(L, 1, NULL); /* a table with __tostring speaks for itself */
    const char *message = lua_tolstring(L, -1, &length);
    size_t position = lua_type(L, 1) == LUA_TSTRING ? position_length(L, message) : 0;
    append_message(&out, message + position, length - position);
    append_frames(L, &out);
    push_text(L, &out);
    return 1;
}

void report_syntax(lua_State *L, const char *chunkname)
{
    char place[LUA_IDSIZE + 8];
    Buffer out = {0};
    size_t length;
    const char *message = lua_tolstring(L, -1, &length);
    if (message == NULL) {
        message = "error loading the chunk";
        length = strlen(message);
    }
    /* "PLACE:LINE: text", PLACE being the chunk name as Lua shortens it: a file's end, or the name itself */
    const char *name = chunkname + (chunkname[0] == '@' || chunkname[0] == '=');
    snprintf(place, sizeof place, "%.*s", LUA_IDSIZE - 1, name);
    size_t head = strlen(place);
    char *after = NULL;
    long line = strncmp(message, place, head) == 0 && message[head] == ':'
                    ? strtol(message + head + 1, &after, 10)
                    : 0;
    if (line > 0 && starts_with(after, ": ")) {
        const char *text = after + 2;
        append_message(&out, text, length - (size_t)(text - message));
        append_place(L, &out, place, chunkname, (int)line);
    } else {
        append_message(&out, message, length);
    }
    push_text(L, &out);
    lua_remove(L, -2);
}

void report_print(lua_State *L)
{
    size_t length;
    const char *text = lua_tolstring(L, -1, &length);
    fflush(stdout);
    if (text == NULL) {
        text = "(error object without text)";
        length = strlen(text);
    }
    size_t first = line_length(text, text + length);
    fputs(terminal_colour(STDERR_FILENO, COLOUR_ERROR), stderr);
    fwrite(text, 1, first, stderr);
    fputs(terminal_plain(STDERR_FILENO), stderr);
    fwrite(text + first, 1, length - first, stderr);
    fputc('\n', stderr);
    fflush(stderr);
    lua_pop(L, 1);
}
