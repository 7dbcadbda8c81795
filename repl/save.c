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

/* ---- %save ----------------------------------------------------------------------------------- */

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

/* Appends what stands before `at` as it is and prints the expressions behind it. False, and nothing
 * appended, when that is no valid script. */
static bool append_printed(lua_State *L, Buffer *out, const char *source, size_t at, size_t length)
{
    Buffer cell = {0};
    bool ok = false;
    while (at < length && (source[at] == ' ' || source[at] == '\t'))
        at++;
    for (int on_own_line = 0; on_own_line < 2 && !ok;
         on_own_line++) { /* a comment at the end hides the bracket */
        buffer_clear(&cell);
        buffer_append(&cell, source, at);
        buffer_puts(&cell, "print(");
        buffer_append(&cell, source + at, length - at);
        buffer_puts(&cell, on_own_line ? "\n)" : ")");
        ok = !cell.failed && is_chunk(L, cell.data, cell.length);
    }
    if (ok) {
        buffer_append(out, cell.data, cell.length);
        buffer_puts(out, "\n");
    }
    buffer_free(&cell);
    return ok;
}

/* A cell as part of a script. What the prompt echoed is printed: the expression that the cell is, or ends
 * in. Commands and what is no valid code become comments. */
static void append_script_cell(lua_State *L, Buffer *out, const Record *r)
{
    const char *source = r->source;
    size_t length = strlen(source);
    bool special = special_is(source, length);
    for (size_t at = length; at-- > 0 && r->output != NULL && !special;)
        if ((at == 0 || source[at - 1] == '\n' || source[at - 1] == ';') &&
            append_printed(L, out, source, at, length))
            return;
    if (!special && is_chunk(L, source, length)) {
        buffer_puts(out, source);
        buffer_puts(out, "\n");
    } else {
        append_lines_with(out, source, "-- ", "-- ");
    }
}

/* Whether a notebook keeps the cell: code, timed or not. Loading a session must not save or load files
 * again. */
static bool is_code(const char *source)
{
    const char *rest;
    if (!special_is(source, strlen(source)))
        return true;
    const Command *command = command_find(source, &rest);
    return command != NULL && command->argument == ARG_CODE;
}

/* Appends text without its colours: escape sequences up to their final letter. */
static void append_uncoloured(Buffer *out, const char *text)
{
    for (const char *escape; (escape = strstr(text, "\033[")) != NULL;) {
        buffer_append(out, text, (size_t)(escape - text));
        text = escape + 2 + strspn(escape + 2, "0123456789;");
        text += *text != '\0';
    }
    buffer_puts(out, text);
}

/* The cell and, fenced too, what it printed and echoed. */
static void append_markdown_cell(Buffer *out, const Record *r, bool first)
{
    const char *printed = buffer_string(&r->printed);
    buffer_printf(out, "%s```lua\n%s\n```\n", first ? "" : "\n", r->source);
    if (printed[0] == '\0' && r->output == NULL)
        return;
    buffer_puts(out, "\n```text\n");
    append_uncoloured(out, printed);
    if (printed[0] != '\0' && !ends_with(printed, "\n"))
        buffer_puts(out, "\n");
    if (r->output != NULL)
        buffer_printf(out, "%s\n", r->output);
    buffer_puts(out, "```\n");
}

/* Returns how many cells were written. */
static int append_session(Session *s, Buffer *out, const char *path)
{
    bool notebook = ends_with(path, ".ipynb"), markdown = ends_with(path, ".md");
    int n = 0;
    if (notebook)
        notebook_begin(out);
    for (int i = 0; i + 1 < s->record_count; i++) { /* the last one is the %save itself */
        const Record *r = &s->records[i];
        if ((notebook || markdown) && !is_code(r->source))
            continue;
        if (notebook) {
            notebook_add(out, r->number, r->source, buffer_string(&r->printed), r->output, n == 0);
        } else if (markdown) {
            append_markdown_cell(out, r, n == 0);
        } else {
            buffer_puts(out, n == 0 ? "--%%\n" : "\n--%%\n");
            append_script_cell(s->L, out, r);
        }
        n++;
    }
    if (notebook)
        notebook_end(out);
    return n;
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
    bool ok =
        path != NULL && (ends_with(path, ".lua") || ends_with(path, ".ipynb") || ends_with(path, ".md"));
    if (!ok) {
        complain("%%save needs a file named .lua, .ipynb or .md");
    } else {
        buffer_puts(&out, "");
        int n = append_session(s, &out, path);
        ok = buffer_write_file(&out, path);
        if (!ok)
            complain("cannot write %s: %s", path, strerror(errno));
        else
            printf("%d cell%s in %s\n", n, n == 1 ? "" : "s", path);
    }
    buffer_free(&out);
    free(copy);
    return ok;
}

/* ---- %load and %lesson ----------------------------------------------------------------------- */

static bool read_cells(Cells *cells, const char *rest)
{
    char *copy = strdup(rest), *path = copy == NULL ? NULL : unquote(copy);
    bool ok = path != NULL && cells_of_file(cells, path) && !cells->failed;
    if (!ok && rest[0] == '\0')
        complain("a file is missing");
    else if (!ok)
        complain("cannot read %s: %s", rest,
                 cells->failed || path == NULL ? "not enough memory"
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

/* Between two cells of a lesson: Enter goes on; code typed here is run first. False when the learner
 * leaves. */
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
