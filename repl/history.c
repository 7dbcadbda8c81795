/* Persistent history: one entry a line, appended under a lock as it is typed, so that no crash and no second
 * shell costs or mixes entries.
 *
 * An entry's newlines stand as \n and its backslashes as \\ in the file. The file is TIDE_HISTORY, else
 * tide/history under XDG_STATE_HOME, else ~/.tide_history; TIDE_HISTORY set to nothing keeps none. */
#include "repl/history.h"
#include "repl/buffer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <readline/history.h>

enum {
    KEPT_ENTRIES = 5000,
    KEPT_BYTES = 1 << 20,    /* of the file's end that are read */
    LONGEST_FILE = 4 << 20,  /* a longer file is cut to its last KEPT_BYTES */
    LONGEST_ENTRY = 1 << 16, /* a longer cell (a pasted data set) is not kept in the file */
};

static bool make_folder(const char *path)
{
    return mkdir(path, 0700) == 0 || errno == EEXIST;
}

/* malloc'd path of the file; NULL when there is to be none. */
static char *history_path(void)
{
    Buffer path = {0};
    const char *given = getenv("TIDE_HISTORY"), *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    if (given != NULL) {
        buffer_puts(&path, given);
    } else if (state != NULL && state[0] == '/' && make_folder(state)) {
        buffer_printf(&path, "%s/tide", state);
        if (!path.failed && make_folder(path.data))
            buffer_puts(&path, "/history");
        else
            buffer_clear(&path);
    } else if (home != NULL && home[0] != '\0') {
        buffer_printf(&path, "%s/.tide_history", home);
    }
    if (path.failed || path.length == 0)
        buffer_free(&path);
    return path.data;
}

/* Opens and locks the file that has this name now (another shell may just have replaced it). -1 on
 * failure. */
static int open_locked(const char *path)
{
    for (int tries = 0; tries < 10; tries++) {
        struct stat opened, named;
        int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0600);
        if (fd < 0)
            return -1;
        if (fstat(fd, &opened) == 0 && S_ISREG(opened.st_mode) && flock(fd, LOCK_EX) == 0 &&
            stat(path, &named) == 0 && named.st_ino == opened.st_ino && named.st_dev == opened.st_dev)
            return fd;
        close(fd);
    }
    return -1;
}

/* The end of the file from the first whole entry on. */
static bool read_end(int fd, Buffer *text)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return false;
    off_t from = st.st_size > KEPT_BYTES ? st.st_size - KEPT_BYTES : 0;
    if (lseek(fd, from, SEEK_SET) < 0 || !buffer_read_fd(text, fd) || text->length == 0)
        return false;
    if (from > 0) {
        size_t partial = line_length(text->data, text->data + text->length);
        partial += partial < text->length;
        memmove(text->data, text->data + partial, text->length - partial + 1);
        text->length -= partial;
    }
    return true;
}

/* Rewrites a file that has grown too long; the lock on the old one is held meanwhile. */
static void trim(const char *path)
{
    Buffer end = {0};
    int fd = open_locked(path);
    if (fd >= 0 && read_end(fd, &end))
        buffer_write_file(&end, path);
    if (fd >= 0)
        close(fd);
    buffer_free(&end);
}

/* Turns \n and \\ of a stored line back, in place. */
static void decode(char *line)
{
    char *out = line;
    for (const char *in = line; *in != '\0'; in++) {
        bool escaped = in[0] == '\\' && (in[1] == 'n' || in[1] == '\\');
        in += escaped;
        *out++ = escaped && *in == 'n' ? '\n' : *in;
    }
    *out = '\0';
}

static void add_lines(Buffer *text)
{
    char *end = text->data + text->length;
    for (char *line = text->data; line < end;) {
        char *stop = line + line_length(line, end);
        *stop = '\0';
        if (stop > line && strlen(line) == (size_t)(stop - line)) {
            decode(line);
            add_history(line);
        }
        line = stop + 1;
    }
}

void cell_history_load(void)
{
    Buffer text = {0};
    struct stat st;
    char *path = history_path();
    int fd = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    stifle_history(KEPT_ENTRIES);
    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
        if (read_end(fd, &text))
            add_lines(&text);
        if (st.st_size > LONGEST_FILE)
            trim(path);
    }
    if (fd >= 0)
        close(fd);
    buffer_free(&text);
    free(path);
    using_history();
}

static void append_to_file(const char *cell)
{
    Buffer line = {0};
    for (const char *p = cell; *p != '\0'; p++)
        buffer_append(&line, *p == '\n' ? "\\n" : *p == '\\' ? "\\\\" : p, *p == '\n' || *p == '\\' ? 2 : 1);
    buffer_puts(&line, "\n");
    char *path = line.failed ? NULL : history_path();
    int fd = path == NULL ? -1 : open_locked(path);
    if (fd >= 0) {
        off_t before = lseek(fd, 0, SEEK_END);
        bool whole = write(fd, line.data, line.length) == (ssize_t)line.length;
        /* A full disk must not leave half an entry in front of the next one; if that fails too, so be it. */
        if (!whole)
            whole = ftruncate(fd, before) == 0;
        close(fd);
    }
    free(path);
    buffer_free(&line);
}

void cell_history_add(const char *cell)
{
    HIST_ENTRY *last = history_length > 0 ? history_get(history_base + history_length - 1) : NULL;
    if (cell[0] == '\0' || cell[0] == ' ' || (last != NULL && strcmp(last->line, cell) == 0))
        return;
    add_history(cell);
    using_history();
    if (strlen(cell) <= LONGEST_ENTRY)
        append_to_file(cell);
}
