/* %save, %load and %lesson: sessions and lessons in files. */
#include "repl/cells.h"
#include "repl/commands.h"
#include "repl/notebook.h"
#include "repl/special.h"
#include "repl/terminal.h"
#include "repl/buffer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lauxlib.h>
#include <lua.h>

#include "lang/lang.h"

/* ---- %save --------------------------------------------------------------------------------------------- */

static void append_lines_with(Buffer *out, const char *text, const char *first, const char *more)
{
    const char *end = text + strlen(text);
    for (const char *at = text; at < end; at += line_length(at, end) + 1) {
        buffer_puts(out, at == text ? first : more);
        buffer_append(out, at, line_length(at, end));
        buffer_puts(out, "\n");
    }
}

/* Whether the text is a chunk that a script may hold. */
static bool is_chunk(lua_State *L, const char *text, size_t length)
{
    bool ok = lang_load(L, text, length, "=cell") == LUA_OK;
    lua_pop(L, 1);
    return ok;
}

static bool is_expression(lua_State *L, const char *text, size_t length)
{
    Buffer chunk = {0};
    buffer_puts(&chunk, "return ");
    buffer_append(&chunk, text, length);
    bool ok = !chunk.failed && is_chunk(L, chunk.data, chunk.length);
    buffer_free(&chunk);
    return ok;
}

/* A cell as part of a script: commands become comments, and a last line or cell that is only an expression, which the
 * prompt echoes, is printed. */
static void append_script_cell(lua_State *L, Buffer *out, const char *source)
{
    size_t length = strlen(source);
    if (special_is(source, length)) {
        append_lines_with(out, source, "-- ", "-- ");
        return;
    }
    if (is_chunk(L, source, length)) {
        buffer_puts(out, source);
        buffer_puts(out, "\n");
        return;
    }
    for (size_t end = length; end > 0; end--) { /* from the last line's start backwards, the whole cell at last */
        size_t at = end - 1;
        if (at > 0 && source[at - 1] != '\n')
            continue;
        size_t rest = length - at;
        while (rest > 0 && strchr("; \t\n", source[at + rest - 1]) != NULL)
            rest--;
        if (is_chunk(L, source, at) && is_expression(L, source + at, rest)) {
            buffer_append(out, source, at);
            buffer_puts(out, "print(");
            buffer_append(out, source + at, rest);
            buffer_puts(out, ")\n");
            return;
        }
    }
    append_lines_with(out, source, "-- ", "-- "); /* it raised a syntax error */
}

static void append_session(Session *s, Buffer *out, const char *path)
{
    if (ends_with(path, ".ipynb")) {
        notebook_begin(out);
        for (int i = 0; i + 1 < s->record_count; i++)
            notebook_add(out, s->records[i].number, s->records[i].source, s->records[i].output, i == 0);
        notebook_end(out);
        return;
    }
    bool markdown = ends_with(path, ".md");
    for (int i = 0; i + 1 < s->record_count; i++) { /* the last one is the %save itself */
        const Record *r = &s->records[i];
        if (markdown) {
            buffer_puts(out, i == 0 ? "```lua\n" : "\n```lua\n");
            append_lines_with(out, r->source, ">>> ", "... ");
            if (r->output != NULL)
                buffer_printf(out, "%s\n", r->output);
            buffer_puts(out, "```\n");
        } else {
            buffer_puts(out, i == 0 ? "--%%\n" : "\n--%%\n");
            append_script_cell(s->L, out, r->source);
        }
    }
}

/* The name without quotes around it; cut in place. */
static char *unquote(char *path)
{
    size_t length = strlen(path);
    if (length < 2 || (path[0] != '"' && path[0] != '\'') || path[length - 1] != path[0])
        return path;
    path[length - 1] = '\0';
    return path + 1;
}

bool command_save(Session *s, const char *rest)
{
    Buffer out = {0};
    char *copy = strdup(rest), *path = copy == NULL ? NULL : unquote(copy);
    bool ok = path != NULL && (ends_with(path, ".lua") || ends_with(path, ".ipynb") || ends_with(path, ".md"));
    if (!ok) {
        complain("%%save needs a file named .lua, .ipynb or .md");
    } else {
        buffer_puts(&out, "");
        append_session(s, &out, path);
        ok = buffer_write_file(&out, path);
        if (!ok)
            complain("cannot write %s: %s", path, strerror(errno));
        else
            printf("%d cell%s in %s\n", s->record_count - 1, s->record_count == 2 ? "" : "s", path);
    }
    buffer_free(&out);
    free(copy);
    return ok;
}

/* ---- %load and %lesson ----------------------------------------------------------------------------------- */

static bool read_cells(Cells *cells, const char *rest)
{
    char *copy = strdup(rest), *path = copy == NULL ? NULL : unquote(copy);
    bool ok = path != NULL && cells_of_file(cells, path) && !cells->failed;
    if (!ok && rest[0] == '\0')
        complain("a file is missing");
    else if (!ok)
        complain("cannot read %s: %s", rest, cells->failed || path == NULL ? "not enough memory"
                                             : errno == 0                  ? "it is no notebook"
                                                                           : strerror(errno));
    free(copy);
    return ok;
}

/* The cell as if it had been typed. */
static void show_typed(const Session *s, const Buffer *source)
{
    char first[40], more[40];
    if (!s->labelled)
        return;
    int width = snprintf(first, sizeof first, "In [%d]: ", s->number);
    snprintf(more, sizeof more, "%*s", width, "...: ");
    const char *text = buffer_string(source), *end = text + source->length;
    for (const char *at = text; at < end; at += line_length(at, end) + 1)
        printf("%s%s%s%.*s\n", terminal_colour(STDOUT_FILENO, COLOUR_PROMPT), at == text ? first : more,
               terminal_plain(STDOUT_FILENO), (int)line_length(at, end), at);
}

/* Between two cells of a lesson: Enter goes on; code typed here is run first. False when the learner leaves. */
static bool pause_lesson(Session *s)
{
    char *line;
    while (isatty(STDIN_FILENO)) {
        if (terminal_read_line("Enter: next cell; or try something: ", &line) != LINE_READ)
            return false;
        bool next = strspn(line, " \t\n") == strlen(line);
        if (!next) {
            session_run_cell(s, line, strlen(line));
            putchar('\n');
        }
        free(line);
        if (next)
            break;
    }
    return true;
}

static bool run_cells(Session *s, const Cells *cells, bool stepwise)
{
    bool ok = true;
    s->number++; /* the command itself is a cell */
    for (int i = 0; i < cells->count && ok; i++) {
        const Cell *cell = &cells->list[i];
        if (stepwise && cell->title.length > 0)
            printf("%s%s%s\n", terminal_colour(STDOUT_FILENO, COLOUR_DIM), buffer_string(&cell->title),
                   terminal_plain(STDOUT_FILENO));
        show_typed(s, &cell->source);
        ok = session_run_cell(s, buffer_string(&cell->source), cell->source.length);
        if (s->labelled && i + 1 < cells->count)
            putchar('\n');
        if (stepwise && i + 1 < cells->count && !pause_lesson(s))
            break;
    }
    s->number--;
    return ok;
}

bool command_load(Session *s, const char *rest)
{
    Cells cells = {0};
    bool ok = read_cells(&cells, rest) && run_cells(s, &cells, false);
    cells_free(&cells);
    return ok;
}

bool command_lesson(Session *s, const char *rest)
{
    Cells cells = {0};
    bool ok = read_cells(&cells, rest) && run_cells(s, &cells, true);
    cells_free(&cells);
    return ok;
}
