/* Growing text, lines, and matching of expected against actual lines. */
#include "harness.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANY   "<...>"
#define BLANK "<blank>"

void *allocate(size_t size)
{
    void *p = calloc(1, size);
    if (p == NULL) {
        fprintf(stderr, "harness: out of memory\n");
        exit(2);
    }
    return p;
}

char *format(const char *fmt, ...)
{
    char *result;
    va_list args;
    va_start(args, fmt);
    if (vasprintf(&result, fmt, args) < 0)
        result = allocate(1);
    va_end(args);
    return result;
}

void text_append(Text *t, const char *bytes, size_t length)
{
    if (t->length + length + 1 > t->capacity) {
        size_t capacity = (t->length + length + 1) * 2;
        char *data = allocate(capacity);
        if (t->length > 0)
            memcpy(data, t->data, t->length);
        free(t->data);
        t->data = data;
        t->capacity = capacity;
    }
    if (length > 0)
        memcpy(t->data + t->length, bytes, length);
    t->length += length;
    t->data[t->length] = '\0';
}

void text_puts(Text *t, const char *string)
{
    text_append(t, string, strlen(string));
}

void text_free(Text *t)
{
    free(t->data);
    *t = (Text){0};
}

bool text_read_file(Text *t, const char *path)
{
    char buffer[65536];
    size_t n;
    FILE *in = fopen(path, "rb");
    *t = (Text){0};
    if (in == NULL)
        return false;
    text_puts(t, "");
    while ((n = fread(buffer, 1, sizeof buffer, in)) > 0)
        text_append(t, buffer, n);
    bool ok = !ferror(in);
    fclose(in);
    return ok;
}

Lines lines_of(const char *bytes, size_t length)
{
    Lines lines = {NULL, 0, allocate(length + 1)};
    int capacity = 1;
    for (size_t i = 0; i < length; i++)
        capacity += bytes[i] == '\n';
    lines.line = allocate((size_t)capacity * sizeof *lines.line);
    if (length > 0)
        memcpy(lines.from, bytes, length);
    char *start = lines.from, *end = lines.from + length;
    while (start < end) {
        char *stop = memchr(start, '\n', (size_t)(end - start));
        lines.line[lines.count++] = start;
        if (stop == NULL)
            break;
        *stop = '\0';
        start = stop + 1;
    }
    return lines;
}

void lines_free(Lines *lines)
{
    free(lines->line);
    free(lines->from);
    *lines = (Lines){0};
}

bool line_matches(const char *pattern, const char *line)
{
    const char *gap = strstr(pattern, ANY);
    if (gap == NULL)
        return strcmp(pattern, line) == 0;
    size_t head = (size_t)(gap - pattern);
    if (strncmp(pattern, line, head) != 0)
        return false;
    const char *rest = gap + strlen(ANY);
    for (const char *p = line + head;; p++) {
        if (line_matches(rest, p))
            return true;
        if (*p == '\0')
            return false;
    }
}

bool block_matches(char **pattern, int patterns, char **line, int lines)
{
    if (patterns == 0)
        return lines == 0;
    if (strcmp(pattern[0], ANY) == 0) {
        for (int skip = 0; skip <= lines; skip++)
            if (block_matches(pattern + 1, patterns - 1, line + skip, lines - skip))
                return true;
        return false;
    }
    if (lines == 0)
        return false;
    const char *wanted = strcmp(pattern[0], BLANK) == 0 ? "" : pattern[0];
    return line_matches(wanted, line[0]) && block_matches(pattern + 1, patterns - 1, line + 1, lines - 1);
}

void print_block(const char *title, char **line, int count)
{
    enum { SHOWN = 40 };
    printf("    %s%s\n", title, count == 0 ? " nothing" : "");
    for (int i = 0; i < count && i < SHOWN; i++)
        printf("      %s\n", line[i]);
    if (count > SHOWN)
        printf("      (and %d lines more)\n", count - SHOWN);
}
