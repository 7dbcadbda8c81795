/* Sessions (cells through a pipe), commands (lines through sh) and scripts, each against its expected text.
 *
 * tests/sessions/NAME.txt: ">>> " begins a cell, "... " continues it, the lines under it are what it must
 *   print, standard error included. One process reads all cells. "#! args …", "#! exit N" may stand in front.
 * tests/cli/NAME.txt: "$ " begins a command of the POSIX shell (the program is $TIDE), "> " continues it;
 *   under it stands what it prints on both outputs, and "[exit N]" at the end unless it exits with 0.
 * tests/scripts/NAME.lua: run with the words of NAME.args and the input NAME.in; NAME.out, NAME.err (nothing
 *   when absent) and NAME.status (0 when absent) say what must come.
 * In all of them "## " begins a comment, "<...>" stands for any characters, alone on a line for any lines,
 * "<blank>" for an empty line; blank lines at the end of what is expected do not count. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_WORDS = 32 };

/* One input and the lines it should print. `input` is owned, the lines lie in the file's Lines. */
typedef struct Case {
    int number; /* its line in the file, from 1 */
    char *input;
    char **expected;
    int count;
} Case;

typedef struct Cases {
    Case *list;
    int count;
} Cases;

static bool starts(const char *line, const char *mark)
{
    return strncmp(line, mark, strlen(mark)) == 0 ||
           (strncmp(line, mark, strlen(mark) - 1) == 0 && line[strlen(mark) - 1] == '\0');
}

/* The text after a mark such as ">>> "; the bare mark at a line's end has none. */
static const char *after(const char *line, const char *mark)
{
    return strlen(line) < strlen(mark) ? "" : line + strlen(mark);
}

static int read_input(Case *c, const Lines *file, int i, const char *mark, const char *more)
{
    Text input = {0};
    text_puts(&input, after(file->line[i], mark));
    for (i++; i < file->count && starts(file->line[i], more); i++) {
        text_puts(&input, "\n");
        text_puts(&input, after(file->line[i], more));
    }
    text_puts(&input, "\n");
    c->input = input.data;
    return i;
}

static Cases read_cases(const Lines *file, const char *mark, const char *more)
{
    Cases cases = {allocate(((size_t)file->count + 1) * sizeof(Case)), 0};
    int i = 0;
    while (i < file->count) {
        if (!starts(file->line[i], mark)) {
            i++;
            continue;
        }
        Case *c = &cases.list[cases.count++];
        c->number = i + 1;
        i = read_input(c, file, i, mark, more);
        c->expected = file->line + i;
        while (i < file->count && !starts(file->line[i], mark) && !starts(file->line[i], "## "))
            i++;
        c->count = (int)(file->line + i - c->expected);
        while (c->count > 0 && c->expected[c->count - 1][0] == '\0')
            c->count--;
    }
    return cases;
}

static void free_cases(Cases *cases)
{
    for (int i = 0; i < cases->count; i++)
        free(cases->list[i].input);
    free(cases->list);
}

static void report(const char *path, const Case *c, char **got, int count)
{
    char *where = format("%s:%d", path, c->number);
    fail(where, "%.*s", (int)strcspn(c->input, "\n"), c->input);
    print_block("expected:", c->expected, c->count);
    print_block("got:", got, count);
    free(where);
}

/* The most lines from `got` that the case may have printed: exact without patterns of many lines. */
static int lines_taken(const Case *c, char **got, int count)
{
    bool open_ended = false;
    for (int i = 0; i < c->count; i++)
        open_ended = open_ended || strcmp(c->expected[i], "<...>") == 0;
    if (!open_ended)
        return c->count <= count && block_matches(c->expected, c->count, got, c->count) ? c->count : -1;
    for (int n = 0; n <= count; n++)
        if (block_matches(c->expected, c->count, got, n))
            return n;
    return -1;
}

/* Where a later case that prints something is found again: the lines before it are the failed case's. */
static int resynchronise(const Cases *cases, int failed, char **got, int from, int count)
{
    for (int next = failed + 1; next < cases->count; next++) {
        const Case *c = &cases->list[next];
        if (c->count == 0)
            continue;
        for (int at = from; at < count; at++)
            if (lines_taken(c, got + at, count - at) >= 0)
                return at;
    }
    return count;
}

static void compare_session(const char *path, const Cases *cases, const Lines *got)
{
    int at = 0;
    for (int i = 0; i < cases->count; i++) {
        const Case *c = &cases->list[i];
        int taken = lines_taken(c, got->line + at, got->count - at);
        bool surplus = i + 1 == cases->count && taken >= 0 && at + taken < got->count;
        if (taken >= 0 && !surplus) {
            at += taken;
            pass();
            continue;
        }
        int stop = resynchronise(cases, i, got->line, at, got->count);
        report(path, c, got->line + at, stop - at);
        at = stop;
    }
}

static bool read_lines(const char *path, Lines *lines)
{
    Text text;
    if (!text_read_file(&text, path)) {
        text_free(&text);
        return false;
    }
    *lines = lines_of(text.data, text.length);
    text_free(&text);
    return true;
}

/* Runs the cells; the status must be what "#! exit N" says, else 0 or, after errors, 1. */
static void run_cells(const char *path, const Lines *file, const Cases *cases)
{
    const char *argv[MAX_WORDS] = {harness.tide, NULL};
    char *args = NULL;
    int exit_status = -1;
    Text input = {0};
    for (int i = 0; i < file->count; i++) {
        const char *value;
        if ((value = directive(file->line[i], "args")) != NULL && args == NULL)
            args = format("%s", value);
        else if ((value = directive(file->line[i], "exit")) != NULL)
            exit_status = atoi(value);
    }
    if (args != NULL)
        split_words(args, argv, 1, MAX_WORDS);
    for (int i = 0; i < cases->count; i++)
        text_puts(&input, cases->list[i].input);
    Run run = {.argv = argv, .input = input.data, .merged = true};
    run_process(&run);
    Lines got = lines_of(run.out.data, run.out.length);
    compare_session(path, cases, &got);
    if (run.timed_out)
        fail(path, "timed out");
    else if (exit_status >= 0 ? run.status != exit_status : run.status > 1)
        fail(path, "exit status %d", run.status);
    lines_free(&got);
    run_free(&run);
    text_free(&input);
    free(args);
}

void run_session(const char *path)
{
    Lines file;
    if (!read_lines(path, &file)) {
        fail(path, "cannot be read");
        return;
    }
    if (!skipped_here(&file)) {
        Cases cases = read_cases(&file, ">>> ", "... ");
        if (cases.count == 0)
            fail(path, "holds no cell");
        else
            run_cells(path, &file, &cases);
        free_cases(&cases);
    }
    lines_free(&file);
}

static void run_command(const char *path, const Case *c)
{
    const char *argv[] = {"sh", "-c", c->input, NULL};
    Run run = {.argv = argv, .merged = true};
    run_process(&run);
    if (run.out.length > 0 && run.out.data[run.out.length - 1] != '\n')
        text_puts(&run.out, "\n");
    if (run.status != 0) {
        char *status = format(run.timed_out ? "[timed out]\n" : "[exit %d]\n", run.status);
        text_puts(&run.out, status);
        free(status);
    }
    Lines got = lines_of(run.out.data, run.out.length);
    if (block_matches(c->expected, c->count, got.line, got.count))
        pass();
    else
        report(path, c, got.line, got.count);
    lines_free(&got);
    run_free(&run);
}

void run_commands(const char *path)
{
    Lines file;
    if (!read_lines(path, &file)) {
        fail(path, "cannot be read");
        return;
    }
    if (!skipped_here(&file)) {
        Cases cases = read_cases(&file, "$ ", "> ");
        if (cases.count == 0)
            fail(path, "holds no command");
        for (int i = 0; i < cases.count; i++)
            run_command(path, &cases.list[i]);
        free_cases(&cases);
    }
    lines_free(&file);
}

/* The text of the file beside a script, "" when there is none: beside("a/x.lua", ".out") reads a/x.out. */
static Text beside(const char *path, const char *ending)
{
    Text text;
    char *name = format("%.*s%s", (int)(strlen(path) - strlen(".lua")), path, ending);
    if (!text_read_file(&text, name))
        text_puts(&text, "");
    free(name);
    return text;
}

static bool compare_output(const char *path, const char *what, const char *ending, const Text *got)
{
    Text wanted = beside(path, ending);
    Lines expected = lines_of(wanted.data, wanted.length);
    Lines lines = lines_of(got->data, got->length);
    bool ok = block_matches(expected.line, expected.count, lines.line, lines.count);
    if (!ok) {
        fail(path, "%s differs", what);
        print_block("expected:", expected.line, expected.count);
        print_block("got:", lines.line, lines.count);
    }
    lines_free(&expected);
    lines_free(&lines);
    text_free(&wanted);
    return ok;
}

static void run_script_with(const char *path)
{
    const char *argv[MAX_WORDS] = {harness.tide, path, NULL};
    Text args = beside(path, ".args"), input = beside(path, ".in"), status = beside(path, ".status");
    split_words(args.data, argv, 2, MAX_WORDS);
    Run run = {.argv = argv, .input = input.data};
    run_process(&run);
    bool ok = compare_output(path, "standard output", ".out", &run.out);
    ok = compare_output(path, "standard error", ".err", &run.err) && ok;
    if (run.timed_out)
        fail(path, "timed out");
    else if (run.status != atoi(status.data))
        fail(path, "exit status %d, expected %d", run.status, atoi(status.data));
    else if (ok)
        pass();
    run_free(&run);
    text_free(&args);
    text_free(&input);
    text_free(&status);
}

void run_script(const char *path)
{
    Lines file;
    if (!read_lines(path, &file)) {
        fail(path, "cannot be read");
        return;
    }
    for (int i = 0; i < file.count; i++) /* in Lua the directives stand in comments: "--#! needs opencl" */
        if (strncmp(file.line[i], "--#! ", 5) == 0)
            file.line[i] += 2;
    if (!skipped_here(&file))
        run_script_with(path);
    lines_free(&file);
}
