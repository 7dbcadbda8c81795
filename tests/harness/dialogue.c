/* Pseudo-terminal tests: keys in, screen out.
 *
 * tests/pty/NAME.txt: "< keys" types the keys and Enter, "<< keys" the keys (\r \n \t \e \\ \xHH as in C);
 * "|line" lines in a row are what the screen's last lines must become; "[exit N]" waits for the end.
 * "#! args …" gives its arguments, "## " begins a comment. The screen is 24 lines of 80 characters. */
#include "harness.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROWS = 24, COLUMNS = 80, MAX_WORDS = 32, QUIET_MS = 60, PATIENCE = 20, SHOWN_BEFORE = 6 };

typedef struct Dialogue {
    const char *path;
    int terminal; /* the master side; -1 once the program closed it */
    pid_t child;
    Screen *screen;
} Dialogue;

/* Reads what the program writes within the time; false when nothing came. */
static bool listen_for(Dialogue *d, int ms)
{
    char buffer[4096];
    struct pollfd fd = {d->terminal, POLLIN, 0};
    if (d->terminal < 0 || poll(&fd, 1, ms) <= 0)
        return false;
    ssize_t n = read(d->terminal, buffer, sizeof buffer);
    if (n <= 0) { /* EIO: the other side is closed */
        close(d->terminal);
        d->terminal = -1;
        return false;
    }
    screen_write(d->screen, buffer, (size_t)n);
    return true;
}

static bool screen_ends_with(const Dialogue *d, char **expected, int count)
{
    Lines shown = screen_lines(d->screen);
    bool ok = count <= shown.count && block_matches(expected, count, shown.line + shown.count - count, count);
    lines_free(&shown);
    return ok;
}

/* Waits until the screen's last lines are the expected ones and nothing more comes. */
static void expect_screen(Dialogue *d, int number, char **expected, int count)
{
    double deadline = seconds_now() + harness.timeout / PATIENCE;
    while (seconds_now() < deadline) {
        bool heard = listen_for(d, QUIET_MS);
        if (!heard && screen_ends_with(d, expected, count)) {
            pass();
            return;
        }
        if (d->terminal < 0)
            break;
    }
    char *where = format("%s:%d", d->path, number);
    Lines shown = screen_lines(d->screen);
    int first = shown.count > count + SHOWN_BEFORE ? shown.count - count - SHOWN_BEFORE : 0;
    fail(where, "the screen differs");
    print_block("expected:", expected, count);
    print_block("got:", shown.line + first, shown.count - first);
    lines_free(&shown);
    free(where);
}

static void type_keys(Dialogue *d, const char *keys, bool enter)
{
    Text bytes = {0};
    text_puts(&bytes, "");
    for (const char *p = keys; *p != '\0'; p++) {
        char c = *p;
        unsigned hex;
        if (c == '\\' && p[1] != '\0') {
            p++;
            c = *p == 'r' ? '\r' : *p == 'n' ? '\n' : *p == 't' ? '\t' : *p == 'e' ? '\033' : *p;
            if (*p == 'x' && sscanf(p + 1, "%2x", &hex) == 1) {
                c = (char)hex;
                p += 2;
            }
        }
        text_append(&bytes, &c, 1);
    }
    if (enter)
        text_puts(&bytes, "\r");
    for (size_t at = 0; at < bytes.length && d->terminal >= 0;) {
        ssize_t n = write(d->terminal, bytes.data + at, bytes.length - at);
        if (n > 0)
            at += (size_t)n;
        else if (errno != EINTR)
            break;
    }
    text_free(&bytes);
}

static void expect_exit(Dialogue *d, int number, int wanted)
{
    double deadline = seconds_now() + harness.timeout / PATIENCE;
    int status;
    pid_t done;
    while ((done = waitpid(d->child, &status, WNOHANG)) == 0 && seconds_now() < deadline)
        if (!listen_for(d, 20) && d->terminal < 0)
            usleep(20000);
    char *where = format("%s:%d", d->path, number);
    if (done == 0)
        fail(where, "it does not end");
    else if (status_of(status) != wanted)
        fail(where, "exit status %d, expected %d", status_of(status), wanted);
    else
        pass();
    if (done != 0)
        d->child = 0;
    free(where);
}

static void cut_blanks(char *line)
{
    size_t length = strlen(line);
    while (length > 0 && line[length - 1] == ' ')
        line[--length] = '\0';
}

static void follow(Dialogue *d, const Lines *file)
{
    for (int i = 0; i < file->count; i++) {
        char *line = file->line[i];
        int status;
        if (strncmp(line, "<< ", 3) == 0) {
            type_keys(d, line + 3, false);
        } else if (line[0] == '<') {
            type_keys(d, line + (line[1] == ' ' ? 2 : 1), true);
        } else if (sscanf(line, "[exit %d]", &status) == 1) {
            expect_exit(d, i + 1, status);
        } else if (line[0] == '|') {
            int first = i;
            for (; i < file->count && file->line[i][0] == '|'; i++) {
                file->line[i]++;
                cut_blanks(file->line[i]);
            }
            expect_screen(d, first + 1, file->line + first, i - first);
            i--;
        }
    }
}

static void hold(const char *path, const Lines *file)
{
    const char *argv[MAX_WORDS] = {harness.tide, NULL};
    char *args = NULL;
    for (int i = 0; i < file->count && args == NULL; i++)
        if (directive(file->line[i], "args") != NULL)
            args = format("%s", directive(file->line[i], "args"));
    if (args != NULL)
        split_words(args, argv, 1, MAX_WORDS);
    setenv("TERM", "xterm", 1);
    Dialogue d = {.path = path, .screen = screen_new(ROWS, COLUMNS)};
    d.terminal = spawn_on_terminal(argv, ROWS, COLUMNS, &d.child);
    setenv("TERM", "dumb", 1);
    if (d.child < 0) {
        fail(path, "no pseudo-terminal");
    } else {
        follow(&d, file);
        if (d.terminal >= 0)
            close(d.terminal);
        if (d.child != 0)
            stop_child(d.child);
    }
    screen_free(d.screen);
    free(args);
}

void run_dialogue(const char *path)
{
    Text text;
    if (!text_read_file(&text, path)) {
        fail(path, "cannot be read");
        return;
    }
    Lines file = lines_of(text.data, text.length);
    if (!skipped_here(&file))
        hold(path, &file);
    lines_free(&file);
    text_free(&text);
}
