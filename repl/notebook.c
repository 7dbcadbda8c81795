/* Jupyter notebooks: just enough JSON to read code cells from any and to write valid ones. */
#include "repl/notebook.h"
#include "repl/cells.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- reading --------------------------------------------------------------------------------- */

enum { DEEPEST = 200 };

/* A place in the text; every reader returns false at the first thing that is no JSON and leaves `at`
 * there. */
typedef struct Json {
    const char *at, *end;
    int depth;
} Json;

static void skip_blanks(Json *j)
{
    while (j->at < j->end && strchr(" \t\r\n", *j->at) != NULL && *j->at != '\0')
        j->at++;
}

static bool take(Json *j, char c)
{
    skip_blanks(j);
    if (j->at >= j->end || *j->at != c)
        return false;
    j->at++;
    return true;
}

static bool peek(Json *j, char c)
{
    skip_blanks(j);
    return j->at < j->end && *j->at == c;
}

static bool read_hex(Json *j, uint32_t *unit)
{
    *unit = 0;
    for (int i = 0; i < 4; i++, j->at++) {
        const char *digits = "0123456789abcdef";
        char c = j->at < j->end ? *j->at : '\0';
        const char *digit = c == '\0' ? NULL : strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c);
        if (digit == NULL)
            return false;
        *unit = *unit * 16 + (uint32_t)(digit - digits);
    }
    return true;
}

static void append_utf8(Buffer *out, uint32_t c)
{
    char bytes[4];
    int n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    if (n == 1) {
        bytes[0] = (char)c;
    } else {
        for (int i = n - 1; i > 0; i--, c >>= 6)
            bytes[i] = (char)(0x80 | (c & 0x3f));
        bytes[0] = (char)((0xf00 >> n & 0xff) | c);
    }
    buffer_append(out, bytes, (size_t)n);
}

/* After \u: one character, which may be two halves; half a pair alone becomes U+FFFD. */
static bool read_unicode(Json *j, Buffer *out)
{
    uint32_t high, low;
    if (!read_hex(j, &high))
        return false;
    if (high >= 0xd800 && high < 0xdc00 && j->end - j->at >= 6 && j->at[0] == '\\' && j->at[1] == 'u') {
        Json saved = *j;
        j->at += 2;
        if (!read_hex(j, &low))
            return false;
        if (low >= 0xdc00 && low < 0xe000) {
            append_utf8(out, 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00));
            return true;
        }
        *j = saved;
    }
    append_utf8(out, high >= 0xd800 && high < 0xe000 ? 0xfffd : high);
    return true;
}

static bool read_string(Json *j, Buffer *out)
{
    if (!take(j, '"'))
        return false;
    while (j->at < j->end && *j->at != '"') {
        char c = *j->at++;
        if (c != '\\') {
            buffer_append(out, &c, 1);
            continue;
        }
        if (j->at >= j->end)
            return false;
        c = *j->at++;
        const char *escapes = "\"\\/bfnrt", *known = c == '\0' ? NULL : strchr(escapes, c);
        if (known != NULL)
            buffer_append(out, &"\"\\/\b\f\n\r\t"[known - escapes], 1);
        else if (c != 'u' || !read_unicode(j, out))
            return false;
    }
    return take(j, '"');
}

static bool skip_value(Json *j);

/* The members of an object or the items of an array, skipped. */
static bool skip_members(Json *j, char close, bool keyed)
{
    Buffer scrap = {0};
    bool ok = take(j, close);
    while (!ok) {
        buffer_clear(&scrap);
        if ((keyed && !(read_string(j, &scrap) && take(j, ':'))) || !skip_value(j))
            break;
        ok = take(j, close);
        if (!ok && !take(j, ','))
            break;
    }
    buffer_free(&scrap);
    return ok;
}

static bool skip_value(Json *j)
{
    Buffer scrap = {0};
    bool ok;
    if (j->depth >= DEEPEST)
        return false;
    j->depth++;
    if (peek(j, '"')) {
        ok = read_string(j, &scrap);
        buffer_free(&scrap);
    } else if (take(j, '{')) {
        ok = skip_members(j, '}', true);
    } else if (take(j, '[')) {
        ok = skip_members(j, ']', false);
    } else {
        const char *start = j->at;
        while (j->at < j->end && strchr("+-.0123456789eEtrufalsn", *j->at) != NULL && *j->at != '\0')
            j->at++;
        ok = j->at > start;
    }
    j->depth--;
    return ok;
}

/* A cell's source: a string, or an array of strings to be joined. */
static bool read_source(Json *j, Buffer *out)
{
    if (!take(j, '['))
        return read_string(j, out);
    while (!take(j, ']')) {
        if (!read_string(j, out))
            return false;
        take(j, ',');
    }
    return true;
}

static bool read_cell(Json *j, Cells *cells)
{
    Buffer key = {0}, kind = {0}, source = {0};
    bool ok = take(j, '{'), closed = ok && take(j, '}');
    while (ok && !closed) {
        buffer_clear(&key);
        ok = read_string(j, &key) && take(j, ':');
        if (ok && strcmp(buffer_string(&key), "cell_type") == 0)
            ok = read_string(j, &kind);
        else if (ok && strcmp(buffer_string(&key), "source") == 0)
            ok = read_source(j, &source);
        else
            ok = ok && skip_value(j);
        closed = ok && take(j, '}');
        ok = closed || (ok && take(j, ','));
    }
    if (ok && strcmp(buffer_string(&kind), "code") == 0) {
        Cell *cell = cells_add(cells, 1);
        buffer_append(&cell->source, buffer_string(&source), source.length);
    }
    buffer_free(&key);
    buffer_free(&kind);
    buffer_free(&source);
    return ok;
}

static bool read_cells(Json *j, Cells *cells)
{
    bool ok = take(j, '['), closed = ok && take(j, ']');
    while (ok && !closed) {
        ok = read_cell(j, cells);
        closed = ok && take(j, ']');
        ok = closed || (ok && take(j, ','));
    }
    return ok;
}

bool cells_of_notebook(Cells *cells, const char *text, size_t length)
{
    Json j = {text, text + length, 0};
    Buffer key = {0};
    bool found = false, ok = take(&j, '{');
    while (ok && !found) {
        buffer_clear(&key);
        ok = read_string(&j, &key) && take(&j, ':');
        found = ok && strcmp(buffer_string(&key), "cells") == 0;
        ok = ok && (found ? read_cells(&j, cells) : skip_value(&j) && take(&j, ','));
    }
    buffer_free(&key);
    return ok;
}

/* ---- writing --------------------------------------------------------------------------------- */

/* How many of the n bytes are one character of UTF-8; 0 when they begin with none. */
static size_t character_length(const char *bytes, size_t n)
{
    unsigned char first = (unsigned char)bytes[0], second = n > 1 ? (unsigned char)bytes[1] : 0;
    static const unsigned char firsts[] = {0x80, 0xc2, 0xe0, 0xf0, 0xf5}, lengths[] = {1, 0, 2, 3, 4};
    size_t length = 0;
    for (int i = 4; i >= 0 && first < firsts[i]; i--)
        length = lengths[i];
    bool overlong = (first == 0xe0 && second < 0xa0) || (first == 0xf0 && second < 0x90);
    bool beyond = (first == 0xed && second >= 0xa0) || (first == 0xf4 && second >= 0x90);
    if (length > n || overlong || beyond)
        return 0;
    for (size_t i = 1; i < length; i++)
        if (((unsigned char)bytes[i] & 0xc0) != 0x80)
            return 0;
    return length;
}

/* JSON is UTF-8: bytes that are none become U+FFFD. */
static void append_string(Buffer *out, const char *from, size_t length)
{
    buffer_puts(out, "\"");
    for (size_t i = 0, n; i < length; i += n) {
        unsigned char c = (unsigned char)from[i];
        n = character_length(&from[i], length - i);
        if (c == '"' || c == '\\')
            buffer_printf(out, "\\%c", c);
        else if (c == '\n')
            buffer_puts(out, "\\n");
        else if (c < 32 || c == 127)
            buffer_printf(out, "\\u%04x", c);
        else if (n == 0)
            buffer_puts(out, "\\ufffd");
        else
            buffer_append(out, &from[i], n);
        n = n == 0 ? 1 : n;
    }
    buffer_puts(out, "\"");
}

static size_t length_without_end(const char *text)
{
    size_t length = strlen(text);
    while (length > 0 && text[length - 1] == '\n')
        length--;
    return length;
}

/* Text as the format likes it: an array of lines, each but the last with its newline. */
static void append_lines(Buffer *out, const char *text, size_t length)
{
    const char *end = text + length;
    buffer_puts(out, "[");
    for (const char *at = text; at < end;) {
        size_t line = line_length(at, end);
        line += at + line < end;
        buffer_puts(out, at > text ? ", " : "");
        append_string(out, at, line);
        at += line;
    }
    buffer_puts(out, "]");
}

void notebook_begin(Buffer *out)
{
    buffer_puts(out, "{\n \"cells\": [");
}

void notebook_add(Buffer *out, int number, const char *source, const char *printed, const char *output,
                  bool first)
{
    bool prints = printed != NULL && printed[0] != '\0', echoes = output != NULL && output[0] != '\0';
    buffer_printf(out,
                  "%s\n  {\n   \"cell_type\": \"code\",\n   \"execution_count\": %d,\n   \"metadata\": {},\n"
                  "   \"outputs\": [",
                  first ? "" : ",", number);
    if (prints) {
        buffer_puts(
            out, "\n    {\n     \"output_type\": \"stream\",\n     \"name\": \"stdout\",\n     \"text\": ");
        append_lines(out, printed, strlen(printed));
        buffer_puts(out, echoes ? "\n    }," : "\n    }\n   ");
    }
    if (echoes) {
        buffer_printf(out,
                      "\n    {\n     \"output_type\": \"execute_result\",\n     \"execution_count\": %d,\n"
                      "     \"metadata\": {},\n     \"data\": {\"text/plain\": ",
                      number);
        append_lines(out, output, length_without_end(output));
        buffer_puts(out, "}\n    }\n   ");
    }
    buffer_puts(out, "],\n   \"source\": ");
    append_lines(out, source, length_without_end(source));
    buffer_puts(out, "\n  }");
}

void notebook_end(Buffer *out)
{
    buffer_puts(
        out, "\n ],\n \"metadata\": {\n  \"kernelspec\": {\"display_name\": \"Tide\", \"language\": \"lua\", "
             "\"name\": \"tide\"},\n  \"language_info\": {\"name\": \"lua\", \"file_extension\": \".lua\", "
             "\"mimetype\": \"text/x-lua\"}\n },\n \"nbformat\": 4,\n \"nbformat_minor\": 4\n}\n");
}
