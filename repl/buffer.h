/* buffer.h - growing byte strings, and files read whole. */
#ifndef TIDE_REPL_BUFFER_H
#define TIDE_REPL_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

/* A growing byte string; zero-initialise it, buffer_free releases it. data is NUL-terminated once anything
 * (even "") was appended, NULL before. When memory is out `failed` is set, the text keeps what it had and
 * further appends do nothing: callers check once, at the end. */
typedef struct Buffer {
    char *data;
    size_t length, capacity;
    bool failed;
} Buffer;

void buffer_append(Buffer *t, const char *bytes, size_t length);
void buffer_puts(Buffer *t, const char *string);
void buffer_printf(Buffer *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buffer_clear(Buffer *t); /* empties it and keeps the memory */
void buffer_free(Buffer *t);
/* The text as a string, "" when nothing was appended; belongs to t. */
const char *buffer_string(const Buffer *t);

/* Appends the whole file. False with errno set (EISDIR for a directory, ENOMEM, what open and read say). */
bool buffer_read_file(Buffer *t, const char *path);
/* The same from an open file descriptor, up to its end. */
bool buffer_read_fd(Buffer *t, int fd);
/* Writes the text in place of the file, whole or not at all (through a temporary file beside it).
 * False with errno set. */
bool buffer_write_file(const Buffer *t, const char *path);

/* The length of the line at `line`, without its line end; `end` is where the text ends. */
size_t line_length(const char *line, const char *end);
/* Whether text starts with prefix. */
bool starts_with(const char *text, const char *prefix);
bool ends_with(const char *text, const char *suffix);

#endif
