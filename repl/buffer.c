/* Growing byte strings, and files read and written whole. */
#include "repl/buffer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool reserve(Buffer *t, size_t more)
{
    if (t->failed || more > SIZE_MAX / 2 - t->length - 1) {
        t->failed = true;
        return false;
    }
    size_t needed = t->length + more + 1;
    if (needed <= t->capacity)
        return true;
    size_t capacity = needed < 64 ? 64 : needed + needed / 2;
    char *data = realloc(t->data, capacity);
    if (data == NULL) {
        t->failed = true;
        return false;
    }
    t->data = data;
    t->capacity = capacity;
    return true;
}

void buffer_append(Buffer *t, const char *bytes, size_t length)
{
    if (!reserve(t, length))
        return;
    if (length > 0)
        memcpy(t->data + t->length, bytes, length);
    t->length += length;
    t->data[t->length] = '\0';
}

void buffer_puts(Buffer *t, const char *string)
{
    buffer_append(t, string, strlen(string));
}

void buffer_printf(Buffer *t, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (length < 0 || !reserve(t, (size_t)length)) {
        t->failed = true;
        return;
    }
    va_start(args, format);
    vsnprintf(t->data + t->length, (size_t)length + 1, format, args);
    va_end(args);
    t->length += (size_t)length;
}

void buffer_clear(Buffer *t)
{
    t->length = 0;
    t->failed = false;
    if (t->data != NULL)
        t->data[0] = '\0';
}

void buffer_free(Buffer *t)
{
    free(t->data);
    *t = (Buffer){0};
}

const char *buffer_string(const Buffer *t)
{
    return t->data == NULL ? "" : t->data;
}

bool buffer_read_fd(Buffer *t, int fd)
{
    enum { CHUNK = 65536 };
    for (;;) {
        if (!reserve(t, CHUNK)) {
            errno = ENOMEM;
            return false;
        }
        ssize_t n = read(fd, t->data + t->length, CHUNK);
        if (n < 0 && errno == EINTR)
            continue;
        t->length += n > 0 ? (size_t)n : 0;
        t->data[t->length] = '\0';
        if (n <= 0)
            return n == 0;
    }
}

bool buffer_read_file(Buffer *t, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool ok = buffer_read_fd(t, fd);
    int why = errno;
    close(fd);
    errno = why;
    return ok;
}

static bool write_all(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t n = write(fd, bytes, length);
        if (n < 0 && errno != EINTR)
            return false;
        bytes += n > 0 ? n : 0;
        length -= n > 0 ? (size_t)n : 0;
    }
    return true;
}

/* The permissions a fresh file would get here, or those of the file that is replaced. */
static mode_t wanted_mode(const char *path)
{
    struct stat old;
    if (stat(path, &old) == 0)
        return old.st_mode & 0777;
    mode_t mask = umask(0);
    umask(mask);
    return 0666 & ~mask;
}

/* A device or a pipe is written to, never replaced. */
static bool write_in_place(const Buffer *t, const char *path)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool ok = fd >= 0 && write_all(fd, t->data, t->length);
    int why = errno;
    if (fd >= 0)
        close(fd);
    errno = why;
    return ok;
}

bool buffer_write_file(const Buffer *t, const char *path)
{
    struct stat old;
    if (stat(path, &old) == 0 && !S_ISREG(old.st_mode))
        return write_in_place(t, path);
    Buffer name = {0};
    buffer_printf(&name, "%s.XXXXXX", path);
    if (name.failed || t->failed) {
        buffer_free(&name);
        errno = ENOMEM;
        return false;
    }
    int fd = mkstemp(name.data);
    bool ok = fd >= 0 && write_all(fd, t->data, t->length) && fchmod(fd, wanted_mode(path)) == 0;
    int why = errno;
    if (fd >= 0 && close(fd) != 0 && ok) {
        why = errno;
        ok = false;
    }
    if (ok && rename(name.data, path) != 0) {
        why = errno;
        ok = false;
    }
    if (!ok && fd >= 0)
        unlink(name.data);
    buffer_free(&name);
    errno = why;
    return ok;
}

size_t line_length(const char *line, const char *end)
{
    const char *stop = memchr(line, '\n', (size_t)(end - line));
    return (size_t)((stop == NULL ? end : stop) - line);
}

bool starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool ends_with(const char *text, const char *suffix)
{
    size_t length = strlen(text), tail = strlen(suffix);
    return length >= tail && memcmp(text + length - tail, suffix, tail) == 0;
}
