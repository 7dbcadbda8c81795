/* Cells in documents, lessons and pasted transcripts. */
#include "repl/cells.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- the list -------------------------------------------------------------------------------- */

static void empty_cell(Cell *cell)
{
    buffer_free(&cell->title);
    buffer_free(&cell->source);
    buffer_free(&cell->expected);
}

Cell *cells_add(Cells *cells, int line)
{
    static Cell scrap;
    if (cells->count == cells->capacity) {
        int capacity = cells->capacity * 2 + 16;
        Cell *list = realloc(cells->list, (size_t)capacity * sizeof *list);
        if (list == NULL) {
            cells->failed = true;
            empty_cell(&scrap);
            return &scrap;
        }
        cells->list = list;
        cells->capacity = capacity;
    }
    cells->list[cells->count] = (Cell){.line = line};
    return &cells->list[cells->count++];
}

void cells_free(Cells *cells)
{
    for (int i = 0; i < cells->count; i++)
        empty_cell(&cells->list[i]);
    free(cells->list);
    *cells = (Cells){0};
}

/* ---- lines ----------------------------------------------------------------------------------- */

/* One line without its end; in Lua documents without a comment's dashes. */
typedef struct Line {
    const char *text;
    size_t length;
    bool outside; /* Lua: not a comment */
} Line;

static Line read_line(const char *at, const char *end)
{
    Line line = {at, line_length(at, end), false};
    while (line.length > 0 && line.text[line.length - 1] == '\r')
        line.length--;
    return line;
}

static size_t indentation(const Line *line)
{
    size_t n = 0;
    while (n < line->length && (line->text[n] == ' ' || line->text[n] == '\t'))
        n++;
    return n;
}

static Line uncomment(Line line)
{
    const char *stop = line.text + line.length;
    line.text += indentation(&line);
    line.outside = stop - line.text < 2 || memcmp(line.text, "--", 2) != 0;
    while (line.text < stop && *line.text == '-')
        line.text++;
    line.text += line.text < stop && *line.text == ' ';
    line.length = (size_t)(stop - line.text);
    return line;
}

/* The text after `skip` bytes and the mark (">>> ", or ">>>" alone at the line's end); NULL if it is not
 * there. */
static const char *after_mark(const Line *line, size_t skip, const char *mark)
{
    size_t bare = strlen(mark) - 1;
    if (line->length < skip + bare || memcmp(line->text + skip, mark, bare) != 0)
        return NULL;
    if (line->length == skip + bare)
        return line->text + line->length;
    return line->text[skip + bare] == ' ' ? line->text + skip + bare + 1 : NULL;
}

static bool line_begins(const Line *line, size_t skip, const char *mark)
{
    size_t length = strlen(mark);
    return line->length >= skip + length && memcmp(line->text + skip, mark, length) == 0;
}

static void append_line(Buffer *text, const char *from, const char *to)
{
    buffer_append(text, from, (size_t)(to - from));
    buffer_append(text, "\n", 1);
}

/* ---- examples in documents ------------------------------------------------------------------- */

typedef struct Examples {
    Cells *cells;
    Cell *current;  /* NULL outside an example */
    size_t indent;  /* of its prompts */
    bool in_source; /* "... " continues it */
} Examples;

static void take_example_line(Examples *e, const Line *line, int number)
{
    size_t blanks = indentation(line);
    const char *end = line->text + line->length,
               *rest = line->outside ? NULL : after_mark(line, blanks, ">>> ");
    if (rest != NULL) {
        e->current = cells_add(e->cells, number);
        e->indent = blanks;
        e->in_source = true;
        append_line(&e->current->source, rest, end);
    } else if (e->current != NULL && e->in_source && (rest = after_mark(line, e->indent, "... ")) != NULL) {
        append_line(&e->current->source, rest, end);
    } else if (line->outside || line_begins(line, blanks, "```")) {
        e->current = NULL;
    } else if (e->current != NULL) {
        e->in_source = false;
        append_line(&e->current->expected, line->text + (blanks < e->indent ? blanks : e->indent), end);
    }
}

void cells_of_document(Cells *cells, const char *text, size_t length, bool lua)
{
    const char *end = text + length;
    Examples e = {.cells = cells};
    int number = 0;
    for (const char *at = text; at < end; at += line_length(at, end) + 1) {
        Line line = read_line(at, end);
        line = lua ? uncomment(line) : line;
        take_example_line(&e, &line, ++number);
    }
}

/* ---- lessons --------------------------------------------------------------------------------- */

static bool blank(const Buffer *text)
{
    return strspn(buffer_string(text), " \t\n") == text->length;
}

/* Cuts blank lines off both ends. */
static void trim_lines(Buffer *text, int *line)
{
    size_t skip = 0, next;
    while (skip < text->length && (next = strspn(text->data + skip, " \t")) + skip < text->length &&
           text->data[skip + next] == '\n') {
        skip += next + 1;
        ++*line;
    }
    if (skip > 0) {
        memmove(text->data, text->data + skip, text->length - skip + 1);
        text->length -= skip;
    }
    while (text->length > 1 && text->data[text->length - 1] == '\n' && text->data[text->length - 2] == '\n')
        text->data[--text->length] = '\0';
}

bool is_lesson(const char *text, size_t length)
{
    const char *end = text + length;
    for (const char *at = text; at < end; at += line_length(at, end) + 1)
        if (end - at >= 4 && memcmp(at, "--%%", 4) == 0)
            return true;
    return false;
}

void cells_of_lesson(Cells *cells, const char *text, size_t length)
{
    const char *end = text + length, *rest;
    Cell *cell = cells_add(cells, 1);
    int number = 0, first = cells->count - 1;
    for (const char *at = text; at < end; at += line_length(at, end) + 1) {
        Line line = read_line(at, end);
        number++;
        if (line_begins(&line, 0, "--%%")) {
            size_t skip = 4 + (line.length > 4 && line.text[4] == ' ');
            cell = cells_add(cells, number + 1);
            buffer_append(&cell->title, line.text + skip, line.length - skip);
        } else if ((rest = after_mark(&line, 0, "--> ")) != NULL) {
            append_line(&cell->expected, rest, line.text + line.length);
        } else {
            append_line(&cell->source, line.text, line.text + line.length);
        }
    }
    if (cells->count - first > 1 && blank(&cells->list[first].source)) {
        empty_cell(&cells->list[first]);
        memmove(&cells->list[first], &cells->list[first + 1],
                (size_t)(--cells->count - first) * sizeof(Cell));
    }
    for (int i = first; i < cells->count; i++)
        trim_lines(&cells->list[i].source, &cells->list[i].line);
}

/* ---- Markdown -------------------------------------------------------------------------------- */

static void take_block(Cells *cells, const char *text, size_t length, int line)
{
    int before = cells->count;
    cells_of_document(cells, text, length, false);
    for (int i = before; i < cells->count; i++)
        cells->list[i].line += line - 1;
    if (cells->count == before && length > 0) {
        Cell *cell = cells_add(cells, line);
        buffer_append(&cell->source, text, length);
    }
}

void cells_of_markdown(Cells *cells, const char *text, size_t length)
{
    const char *end = text + length, *block = NULL;
    int number = 0, first = 0;
    for (const char *at = text; at < end; at += line_length(at, end) + 1) {
        Line line = read_line(at, end);
        bool fence = line_begins(&line, 0, "```");
        number++;
        if (block != NULL && fence) {
            take_block(cells, block, (size_t)(at - block), first);
            block = NULL;
        } else if (fence && line_begins(&line, 3, "lua")) {
            block = at + line_length(at, end) + (at + line_length(at, end) < end);
            first = number + 1;
        } else if (fence) { /* a block of something else: to its end */
            do
                at += line_length(at, end) + 1;
            while (at < end && (number++, line = read_line(at, end), !line_begins(&line, 0, "```")));
            if (at >= end)
                break;
        }
    }
}

bool cells_of_file(Cells *cells, const char *path)
{
    Buffer text = {0};
    bool ok = buffer_read_file(&text, path);
    int why = errno;
    if (ok && ends_with(path, ".ipynb")) {
        ok = cells_of_notebook(cells, buffer_string(&text), text.length);
        why = 0;
    } else if (ok && ends_with(path, ".md")) {
        cells_of_markdown(cells, buffer_string(&text), text.length);
    } else if (ok) {
        cells_of_lesson(cells, buffer_string(&text), text.length);
    }
    buffer_free(&text);
    errno = why;
    return ok;
}

/* ---- transcripts ----------------------------------------------------------------------------- */

/* What follows "In [n]: " at the line's start; NULL if that is not there. */
static const char *after_in(const char *line)
{
    const char *p = line;
    if (!starts_with(p, "In ["))
        return NULL;
    p += strlen("In [");
    size_t digits = strspn(p, "0123456789");
    p += digits;
    if (digits == 0 || !starts_with(p, "]:"))
        return NULL;
    p += 2;
    return p + (*p == ' ');
}

/* What follows "   ...: " (any number of blanks in front). */
static const char *after_dots(const char *line)
{
    const char *p = line + strspn(line, " ");
    if (p == line || !starts_with(p, "...:"))
        return NULL;
    p += 4;
    return p + (*p == ' ');
}

static const char *after_chevrons(const char *line, const char *mark)
{
    if (!starts_with(line, mark) || (line[3] != ' ' && line[3] != '\n' && line[3] != '\0'))
        return NULL;
    return line + 3 + (line[3] == ' ');
}

bool strip_prompts(char *text)
{
    bool ipython = after_in(text) != NULL;
    if (!ipython && after_chevrons(text, ">>>") == NULL)
        return false;
    char *out = text;
    const char *end = text + strlen(text);
    for (const char *at = text; at <= end;) {
        size_t length = line_length(at, end);
        const char *rest = ipython ? after_in(at) : after_chevrons(at, ">>>");
        if (rest == NULL)
            rest = ipython ? after_dots(at) : after_chevrons(at, "...");
        const char *next = at + length + 1;
        if (rest != NULL && rest <= at + length) {
            size_t kept = (size_t)(at + length - rest);
            if (out > text)
                *out++ = '\n';
            memmove(out, rest, kept);
            out += kept;
        }
        at = next;
    }
    *out = '\0';
    return true;
}
