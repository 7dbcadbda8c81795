/* Doctest: runs the examples of documents and lessons and compares what they print with what stands under
 * them.
 *
 * "..." in the expected text matches anything. After a blank line other text may follow it. */
#include "repl/doctest.h"
#include "repl/cells.h"
#include "repl/session.h"
#include "repl/buffer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- comparing ------------------------------------------------------------------------------- */

/* Whether text is what the pattern says, "..." in it standing for anything. */
static bool matches(const char *pattern, size_t plen, const char *text, size_t tlen)
{
    size_t p = 0, t = 0, retry_p = SIZE_MAX, retry_t = 0;
    while (t < tlen || p < plen) {
        if (plen - p >= 3 && memcmp(pattern + p, "...", 3) == 0) {
            p += 3;
            retry_p = p;
            retry_t = t;
        } else if (p < plen && t < tlen && pattern[p] == text[t]) {
            p++;
            t++;
        } else if (retry_p != SIZE_MAX && retry_t < tlen) {
            p = retry_p;
            t = ++retry_t;
        } else {
            return false;
        }
    }
    return true;
}

/* Blanks at line ends and newlines at the end do not count. */
static void tidy(Buffer *t)
{
    size_t out = 0;
    for (size_t i = 0; i < t->length; i++) {
        if (t->data[i] == '\n')
            while (out > 0 &&
                   (t->data[out - 1] == ' ' || t->data[out - 1] == '\t' || t->data[out - 1] == '\r'))
                out--;
        t->data[out++] = t->data[i];
    }
    while (out > 0 && strchr(" \t\r\n", t->data[out - 1]) != NULL)
        out--;
    if (t->data != NULL)
        t->data[t->length = out] = '\0';
}

/* The expected text may be followed, after a blank line, by text that is none: any beginning that ends in
 * front of a blank line will do. */
static bool as_expected(const Buffer *expected, const Buffer *got)
{
    const char *text = buffer_string(expected);
    size_t length = expected->length;
    for (;;) {
        if (matches(text, length, buffer_string(got), got->length))
            return true;
        size_t at = length;
        while (at > 0 && !(text[at - 1] == '\n' && (at == 1 || text[at - 2] == '\n' || text[at] == '\n')))
            at--;
        if (at == 0)
            return false;
        while (at > 0 && text[at - 1] == '\n')
            at--;
        length = at;
    }
}

/* ---- running --------------------------------------------------------------------------------- */

/* Standard output and error of the process, sent into a file for a while. */
typedef struct Capture {
    FILE *file;
    int out, err; /* the real ones */
} Capture;

static bool capture_begin(Capture *c)
{
    fflush(stdout);
    fflush(stderr);
    c->file = tmpfile();
    c->out = dup(STDOUT_FILENO);
    c->err = dup(STDERR_FILENO);
    if (c->file != NULL && c->out >= 0 && c->err >= 0 && dup2(fileno(c->file), STDOUT_FILENO) >= 0 &&
        dup2(fileno(c->file), STDERR_FILENO) >= 0)
        return true;
    fprintf(stderr, "tide: cannot capture output: %s\n", strerror(errno));
    return false;
}

static void capture_end(Capture *c, Buffer *got)
{
    fflush(stdout);
    fflush(stderr);
    dup2(c->out, STDOUT_FILENO);
    dup2(c->err, STDERR_FILENO);
    close(c->out);
    close(c->err);
    lseek(fileno(c->file), 0, SEEK_SET);
    buffer_read_fd(got, fileno(c->file));
    fclose(c->file);
}

static void print_block(const char *title, const Buffer *text)
{
    const char *end = buffer_string(text) + text->length;
    printf("    %s%s\n", title, text->length == 0 ? " nothing" : "");
    for (const char *at = buffer_string(text); at < end; at += line_length(at, end) + 1)
        printf("      %.*s\n", (int)line_length(at, end), at);
}

static bool run_example(Session *session, const char *path, Cell *e)
{
    Capture capture;
    Buffer got = {0};
    if (!capture_begin(&capture))
        return false;
    session_run_cell(session, buffer_string(&e->source), e->source.length);
    capture_end(&capture, &got);
    tidy(&got);
    tidy(&e->expected);
    bool ok = !got.failed && as_expected(&e->expected, &got);
    if (!ok) {
        const char *source = buffer_string(&e->source);
        printf("FAILED %s:%d: %.*s\n", path, e->line, (int)line_length(source, source + e->source.length),
               source);
        print_block("expected:", &e->expected);
        print_block("got:", &got);
    }
    buffer_free(&got);
    return ok;
}

static DoctestCount run_examples(const char *path, Cells *all)
{
    DoctestCount count = {0, 0};
    Session *session = session_new();
    if (session == NULL || all->failed) {
        fprintf(stderr, "tide: not enough memory\n");
        count.failed = 1;
    }
    for (int i = 0; i < all->count && count.failed + count.passed < all->count && session != NULL; i++) {
        if (run_example(session, path, &all->list[i]))
            count.passed++;
        else
            count.failed++;
    }
    session_free(session);
    return count;
}

DoctestCount doctest_file(const char *path)
{
    Buffer text = {0};
    Cells all = {0};
    if (!buffer_read_file(&text, path)) {
        fprintf(stderr, "tide: cannot read %s: %s\n", path, strerror(errno));
        buffer_free(&text);
        return (DoctestCount){0, 1};
    }
    bool lua = ends_with(path, ".lua");
    if (lua && is_lesson(buffer_string(&text), text.length))
        cells_of_lesson(&all, buffer_string(&text), text.length);
    else
        cells_of_document(&all, buffer_string(&text), text.length, lua);
    DoctestCount count = run_examples(path, &all);
    printf("%-48s %4d passed", path, count.passed);
    if (count.failed > 0)
        printf(", %d FAILED", count.failed);
    putchar('\n');
    cells_free(&all);
    buffer_free(&text);
    return count;
}

void doctest_summary(DoctestCount count)
{
    printf("%d passed, %d failed\n", count.passed, count.failed);
}
