/* text.h - growing byte strings, and files read whole. */
#ifndef TIDE_REPL_TEXT_H
#define TIDE_REPL_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* A growing byte string; zero-initialise it, text_free releases it. data is NUL-terminated once anything (even "")
 * was appended, NULL before. When memory is out `failed` is set, the text keeps what it had and further appends do
 * nothing: callers check once, at the end. */
typedef struct Text {
    char *data;
    size_t length, capacity;
    bool failed;
} Text;

void text_append(Text *t, const char *bytes, size_t length);
void text_puts(Text *t, const char *string);
void text_printf(Text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_clear(Text *t); /* empties it and keeps the memory */
void text_free(Text *t);
/* The text as a string, "" when nothing was appended; belongs to t. */
const char *text_string(const Text *t);

/* Appends the whole file. False with errno set (EISDIR for a directory, ENOMEM, what open and read say). */
bool text_read_file(Text *t, const char *path);
/* The same from an open file descriptor, up to its end. */
bool text_read_fd(Text *t, int fd);
/* Writes the text in place of the file, whole or not at all (through a temporary file beside it).
 * False with errno set. */
bool text_write_file(const Text *t, const char *path);

/* The length of the line at `line`, without its line end; `end` is where the text ends. */
size_t line_length(const char *line, const char *end);
/* Whether text starts with prefix. */
bool starts_with(const char *text, const char *prefix);
bool ends_with(const char *text, const char *suffix);

#endif
