/* The notebook at a terminal, and cells from a pipe. */
#include "repl/shell.h"
#include "repl/cells.h"
#include "repl/commands.h"
#include "repl/complete.h"
#include "repl/history.h"
#include "repl/special.h"
#include "repl/terminal.h"
#include "repl/buffer.h"

#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lang/lang.h"

/* ---- a pipe ---------------------------------------------------------------------------------- */

enum {
    EVERY_LINE =
        64, /* so many lines of a cell are each tried as its end; then only when it has grown by 1/16 */
    GROWTH = 16,
};

/* Runs the complete cells at the start of the text and removes them. */
static void run_ready(Session *s, Buffer *cells)
{
    size_t at = 0, end;
    while (at < cells->length && (end = session_cell_end(cells->data + at, cells->length - at)) > 0) {
        session_run_cell(s, cells->data + at, end);
        at += end;
    }
    memmove(cells->data, cells->data + at, cells->length - at + 1);
    cells->length -= at;
}

void shell_run_piped(Session *s)
{
    Buffer cells = {0};
    char *line = NULL;
    size_t size = 0, lines = 0, tried = 0;
    ssize_t length;
    while ((length = getline(&line, &size, stdin)) >= 0) {
        buffer_append(&cells, line, (size_t)length);
        if (cells.failed)
            break;
        lines++;
        /* A long cell is not read again for each of its lines: trying late finds the same end. */
        if (lines > EVERY_LINE && cells.length - tried < tried / GROWTH)
            continue;
        tried = cells.length;
        run_ready(s, &cells);
        if (cells.length == 0)
            lines = tried = 0;
    }
    if (ferror(stdin) || cells.failed) {
        complain("cannot read standard input: %s", cells.failed ? "not enough memory" : strerror(errno));
        s->failed = true;
    }
    if (cells.length > 0)
        run_ready(s, &cells);
    if (cells.length > 0) /* an incomplete cell: its error says what is missing */
        session_run_cell(s, cells.data, cells.length);
    free(line);
    buffer_free(&cells);
}

/* ---- the notebook ---------------------------------------------------------------------------- */

/* "In [12]: ", and for a cell's later lines the same width ending in "...: ". */
static void make_prompts(char *first, char *more, size_t size, int number)
{
    int width = snprintf(first, size, "In [%d]: ", number);
    snprintf(more, size, "%*s", width, "...: ");
}

/* Whether the text ends where a cell ends; pasted text may hold several. */
static bool is_complete(const Buffer *text)
{
    size_t at = 0, end;
    while (at < text->length && (end = session_cell_end(text->data + at, text->length - at)) > 0)
        at += end;
    return at == text->length;
}

/* Whether some cell of the text is none of Lua's. */
static bool has_special(const Buffer *text)
{
    for (size_t at = 0, end; at < text->length; at += end) {
        if (special_is(text->data + at, text->length - at))
            return true;
        end = session_cell_end(text->data + at, text->length - at);
        if (end == 0)
            break;
    }
    return false;
}

/* Reads lines until they make a cell; without its last newline. */
static LineStatus read_cell(Session *s, Buffer *cell)
{
    char first[40], more[40];
    make_prompts(first, more, sizeof first, s->number);
    buffer_clear(cell);
    buffer_puts(cell, "");
    for (bool stripped = false;;) {
        char *line;
        complete_in(s, cell->data);
        LineStatus status = terminal_read_line(cell->length == 0 ? first : more, &line);
        if (status != LINE_READ)
            return status;
        if (cell->length == 0)
            stripped = strip_prompts(line);
        else if (stripped && starts_with(line, "..."))
            memmove(line, line + 3 + (line[3] == ' '), strlen(line) - 2 - (line[3] == ' '));
        buffer_puts(cell, line);
        buffer_puts(cell, "\n");
        free(line);
        if (cell->failed)
            return LINE_READ;
        if (is_complete(cell))
            break;
    }
    cell->data[--cell->length] = '\0';
    return LINE_READ;
}

/* A cell as typed; a pasted text is one cell, unless it holds commands, which stand alone. */
static void run_typed(Session *s, Buffer *cell)
{
    if (!has_special(cell)) {
        session_run_cell(s, cell->data, cell->length);
        return;
    }
    buffer_puts(cell, "\n");
    if (!cell->failed)
        run_ready(s, cell);
    if (cell->length > 0)
        session_run_cell(s, cell->data, cell->length);
}

static void print_banner(void)
{
    printf("%s: PyTorch's tensor language in Lua\n?name explains, %%help lists commands, Ctrl-D leaves\n\n",
           lang_version());
}

void shell_run(Session *s, bool banner)
{
    Buffer cell = {0};
    LineStatus status;
    setlocale(LC_CTYPE, "");
    s->labelled = true;
    if (banner)
        print_banner();
    while ((status = read_cell(s, &cell)) != LINE_END) {
        if (status == LINE_INTERRUPTED || strspn(buffer_string(&cell), " \t\n") == cell.length) {
            putchar('\n');
            continue;
        }
        if (cell.failed) {
            complain("not enough memory");
            continue;
        }
        cell_history_add(cell.data);
        run_typed(s, &cell);
        putchar('\n');
    }
    putchar('\n');
    buffer_free(&cell);
}
