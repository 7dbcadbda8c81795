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

#include "lang/lang.h"

/* Finding a level takes as many steps as it is deep: a recursion without end has 200,000 of them. */
enum { SHOWN_FRAMES = 8, DEEPEST_FRAME = 2000, LONGEST_LINE = 160, LONGEST_MESSAGE = 4000 };

static const char traceback_key; /* registry: the latest error with all its frames, for %tb */
static const char sources_key;   /* registry: table from chunk name to text */

/* Pushes the table of remembered texts. */
static void push_sources(lua_State *L)
{
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &sources_key) == LUA_TTABLE) return;
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

/* A line of a text: its bytes [from, to) without the blanks around it, and its number. */
typedef struct Line {
    size_t from, to;
    int number;
} Line;

/* The line of that number, or the last one when there are fewer: an error at the end of the text belongs
 * there. */
static Line find_line(const char *text, size_t length, int number)
{
    const char *at = text, *end = text + length;
    int line = 1;
    while (end > text && strchr(" \t\r\n", end[-1]) != NULL) end--;
    for (; line < number && line_length(at, end) < (size_t)(end - at); line++) at += line_length(at, end) + 1;
    size_t n = line_length(at, end), blanks = 0;
    while (blanks < n && (at[blanks] == ' ' || at[blanks] == '\t')) blanks++;
    while (n > 0 && at[n - 1] == '\r') n--;
    size_t from = (size_t)(at - text);
    return (Line){from + (blanks < n ? blanks : n), from + n, line};
}

/* Appends the source a chunk name means: the remembered text, the file, or the name itself, which is the text
 * where code was given to load() as a string. False if it is not known. */
static bool append_text(lua_State *L, Buffer *out, const char *chunkname)
{
    size_t length;
    bool known = true;
    push_sources(L);
    lua_pushstring(L, chunkname);
    lua_rawget(L, -2);
    const char *text = lua_tolstring(L, -1, &length);
    if (text != NULL)
        buffer_append(out, text, length);
    else if (chunkname[0] == '@')
        known = buffer_read_file(out, chunkname + 1);
    else if (chunkname[0] != '=')
        buffer_puts(out, chunkname);
    else
        known = false;
    lua_pop(L, 2);
    return known && !out->failed;
}

/* Columns of the bytes; what is no UTF-8 counts one a byte. */
static int columns(const char *text, size_t length)
{
    int n = 0;
    for (size_t i = 0; i < length; i++) n += ((unsigned char)text[i] & 0xC0) != 0x80;
    return n;
}

static void append_repeated(Buffer *out, char c, int n)
{
    for (int i = 0; i < n; i++) buffer_append(out, &c, 1);
}

/* Under the line, which begins at column `margin`: ~ below the marked part, ^ below its sign. Nothing when
 * that is the whole line, which needs no marking, or lies outside of what is shown. */
static void append_mark(Buffer *out, const char *text, Line line, const LangMark *mark, int margin)
{
    size_t from = mark->from > line.from ? mark->from : line.from;
    size_t to = mark->to < line.to ? mark->to : line.to;
    size_t end = line.to;
    while (end > line.from && strchr("; \t", text[end - 1]) != NULL) end--;
    if (from >= to || (from == line.from && to >= end) || to - line.from > LONGEST_LINE) return;
    size_t sign = mark->sign > from ? mark->sign : from;
    size_t sign_to = mark->sign_to < to ? mark->sign_to : to;
    if (sign >= sign_to || sign >= to) sign = sign_to = to;
    buffer_puts(out, "\n");
    append_repeated(out, ' ', margin);
    for (size_t i = line.from; i < from; i++)
        if (text[i] == '\t')
            buffer_puts(out, "\t");
        else
            append_repeated(out, ' ', columns(text + i, 1));
    append_repeated(out, '~', columns(text + from, sign - from));
    append_repeated(out, '^', columns(text + sign, sign_to - sign));
    append_repeated(out, '~', columns(text + sign_to, to - sign_to));
}

/* Under the line, the place of a byte in it, or just behind it: column counts from 1 in the whole line. */
static void append_caret(Buffer *out, const char *text, Line line, int column, int margin)
{
    size_t start = line.from;
    while (start > 0 && text[start - 1] != '\n') start--;
    size_t at = start + (size_t)column - 1;
    if (at < line.from || at > line.to || at - line.from > LONGEST_LINE) return;
    buffer_puts(out, "\n");
    append_repeated(out, ' ', margin);
    for (size_t i = line.from; i < at; i++)
        if (text[i] == '\t')
            buffer_puts(out, "\t");
        else
            append_repeated(out, ' ', columns(text + i, 1));
    buffer_puts(out, "^");
}

/* "  PLACE:LINE: source", and the mark under it, or a caret at a column (0: none). */
static void append_place(Buffer *out, const char *place, int number, const char *text, size_t length,
                         const LangMark *mark, int column)
{
    size_t before = out->length;
    Line line = text == NULL ? (Line){0, 0, number} : find_line(text, length, number);
    buffer_printf(out, "\n  %s:%d:%s", place, line.number, line.to > line.from ? " " : "");
    int margin = (int)(out->length - before) - 1;
    size_t n = line.to - line.from;
    if (n == 0) return;
    buffer_append(out, text + line.from, n > LONGEST_LINE ? LONGEST_LINE : n);
    if (n > LONGEST_LINE) buffer_puts(out, "...");
    if (mark != NULL && mark->found) append_mark(out, text, line, mark, margin);
    if (column > 0 && line.number == number) append_caret(out, text, line, column, margin);
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
    for (int level = 0; level < DEEPEST_FRAME && lua_getstack(L, level, &ar); level++) {
        char position[LUA_IDSIZE + 32];
        lua_getinfo(L, "Sl", &ar);
        if (ar.currentline <= 0) continue;
        snprintf(position, sizeof position, "%s:%d: ", ar.short_src, ar.currentline);
        if (starts_with(message, position)) return strlen(position);
    }
    return 0;
}

/* The innermost frame of the user's: its line with the failing part marked, and the picture of the shapes. */
static void append_first_frame(lua_State *L, Buffer *out, const lua_Debug *ar, const char *message)
{
    Buffer text = {0};
    LangMark mark;
    bool known = append_text(L, &text, ar->source);
    bool described = lang_describe_error(L, message, known ? buffer_string(&text) : NULL, text.length,
                                         ar->source[0] == '=', &mark);
    append_place(out, ar->short_src, ar->currentline, known ? buffer_string(&text) : NULL, text.length, &mark,
                 0);
    if (described && lua_isstring(L, -1)) buffer_printf(out, "\n%s", lua_tostring(L, -1));
    lua_pop(L, described);
    buffer_free(&text);
}

static void append_frame(lua_State *L, Buffer *out, const lua_Debug *ar)
{
    Buffer text = {0};
    bool known = append_text(L, &text, ar->source);
    append_place(out, ar->short_src, ar->currentline, known ? buffer_string(&text) : NULL, text.length, NULL,
                 0);
    buffer_free(&text);
}

static void append_frames(lua_State *L, Buffer *out, const char *message)
{
    lua_Debug ar;
    int shown = 0, hidden = 0, last_line = 0;
    const char *last_source = NULL;
    for (int level = 0; level < DEEPEST_FRAME && lua_getstack(L, level, &ar); level++) {
        lua_getinfo(L, "Sl", &ar);
        if (!is_users(&ar) || (ar.source == last_source && ar.currentline == last_line)) continue;
        last_source = ar.source;
        last_line = ar.currentline;
        if (shown < SHOWN_FRAMES) {
            if (shown == 0)
                append_first_frame(L, out, &ar, message);
            else
                append_frame(L, out, &ar);
            shown++;
        } else {
            hidden++;
        }
    }
    if (hidden > 0)
        buffer_printf(out, "\n  (and %d calls more%s)", hidden,
                      lua_getstack(L, DEEPEST_FRAME, &ar) ? " at least" : "");
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
    if (length > LONGEST_MESSAGE) buffer_puts(out, "...");
}

/* Keeps what %tb shows: every frame of the error whose text is on top of the stack. */
static void keep_traceback(lua_State *L)
{
    luaL_traceback(L, L, lua_tostring(L, -1), 1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &traceback_key);
}

bool report_traceback(lua_State *L)
{
    bool any = lua_rawgetp(L, LUA_REGISTRYINDEX, &traceback_key) == LUA_TSTRING;
    if (any) puts(lua_tostring(L, -1));
    lua_pop(L, 1);
    return any;
}

int report_handler(lua_State *L)
{
    Buffer out = {0};
    size_t length;
    luaL_checkstack(L, 12, NULL);
    if (lua_isnil(L, 1))
        lua_pushliteral(L, "nil");
    else
        luaL_tolstring(L, 1, NULL); /* a table with __tostring speaks for itself */
    const char *message = lua_tolstring(L, -1, &length);
    keep_traceback(L);
    size_t position = lua_type(L, 1) == LUA_TSTRING ? position_length(L, message) : 0;
    append_message(&out, message + position, length - position);
    append_frames(L, &out, message + position);
    push_text(L, &out);
    return 1;
}

/* Python's ways to begin a line, and what is written here. */
static const char *const python_lines[][2] = {
    {"def", "a function is written: function name(arguments) ... end"},
    {"import", "torch, nn, F and optim are there already; files of your own come by require \"name\""},
    {"from", "torch, nn, F and optim are there already; files of your own come by require \"name\""},
    {"class", "a module's class is written: local Name = nn.class(\"Name\")"},
    {"elif", "it is written: elseif condition then"},
    {"with", "it is written: do local _ <close> = torch.no_grad() ... end"},
    {"try", "it is written: local ok, message = pcall(function() ... end)"},
    {"for", "it is written: for i = 1, n do ... end, or for i, v in ipairs(list) do ... end"},
    {"while", "it is written: while condition do ... end"},
    {"if", "it is written: if condition then ... else ... end"},
};

/* What to write instead of a line of Python's: one that begins so and, where Lua has the word too, ends in a
 * colon. */
static const char *python_hint(const char *text, Line line)
{
    size_t n = line.to - line.from;
    const char *at = text + line.from;
    for (size_t i = 0; i < sizeof python_lines / sizeof *python_lines; i++) {
        size_t length = strlen(python_lines[i][0]);
        if (n <= length || memcmp(at, python_lines[i][0], length) != 0 || strchr(" \t:", at[length]) == NULL)
            continue;
        bool lua_too = i > 6; /* the rows after "try" */
        return !lua_too || at[n - 1] == ':' ? python_lines[i][1] : NULL;
    }
    return NULL;
}

static void append_python_hint(Buffer *out, const char *text, size_t length, int number)
{
    const char *hint = python_hint(text, find_line(text, length, number));
    if (hint != NULL) buffer_printf(out, "\n  %s", hint);
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
        Buffer source = {0};
        bool known = append_text(L, &source, chunkname);
        append_message(&out, text, length - (size_t)(text - message));
        append_place(&out, place, (int)line, known ? buffer_string(&source) : NULL, source.length, NULL,
                     lang_syntax_column(text, (int)line));
        if (known) append_python_hint(&out, buffer_string(&source), source.length, (int)line);
        buffer_free(&source);
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
