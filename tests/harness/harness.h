/* The test harness: runs cmocka programs, golden files, sessions, commands, scripts and terminal dialogues. */
#ifndef TIDE_TESTS_HARNESS_H
#define TIDE_TESTS_HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* ---- text.c: growing text, lines, matching ---- */

/* A growing byte string; data is NUL-terminated once anything was appended. text_free releases it. */
typedef struct Text {
    char *data;
    size_t length, capacity;
} Text;

/* Lines of a text without their line ends; `from` owns the bytes. lines_free releases both. */
typedef struct Lines {
    char **line;
    int count;
    char *from;
} Lines;

void *allocate(size_t size); /* exits when memory is out; zeroed */
char *format(const char *fmt, ...) __attribute__((format(printf, 1, 2))); /* caller frees */
void text_append(Text *t, const char *bytes, size_t length);
void text_puts(Text *t, const char *string);
void text_free(Text *t);
bool text_read_file(Text *t, const char *path); /* false, and t empty, if it cannot be read */
Lines lines_of(const char *bytes, size_t length);
void lines_free(Lines *lines);

/* Whether the line is what the pattern says: equal, "<...>" in the pattern standing for any characters. */
bool line_matches(const char *pattern, const char *line);
/* The same over lines; a line of just "<...>" stands for any number of lines, "<blank>" for an empty one. */
bool block_matches(char **pattern, int patterns, char **line, int lines);
void print_block(const char *title, char **line, int count);

/* ---- process.c ---- */

typedef struct Run {
    const char *const *argv; /* NULL-terminated */
    const char *input;       /* standard input; NULL: empty */
    bool merged;             /* standard error goes where standard output goes */
    Text out, err;
    int status; /* exit status, or 128 + signal */
    bool timed_out;
} Run;

/* Fills out, err, status and timed_out; kills what runs longer than harness.timeout. */
void run_process(Run *run);
void run_free(Run *run);
/* Starts argv on a new pseudo-terminal; returns its master side. Both it and *child are -1 when there is none. */
int spawn_on_terminal(const char *const *argv, int rows, int columns, pid_t *child);
double seconds_now(void);
void stop_child(pid_t child); /* kills its process group and reaps it */
int status_of(int wait_status);

/* ---- screen.c: what a terminal would show ---- */

typedef struct Screen Screen;

Screen *screen_new(int rows, int columns);
void screen_free(Screen *s);
void screen_write(Screen *s, const char *bytes, size_t length);
/* The lines, scrolled-off ones too, without blanks at line ends and blank lines at the end. */
Lines screen_lines(const Screen *s);

/* ---- the kinds of test; each reports every case by pass() or fail() ---- */

void run_unit(const char *path);
void run_session(const char *path);
void run_commands(const char *path);
void run_script(const char *path);
void run_dialogue(const char *path);
void run_document(const char *path);
void run_golden(const char *path);

/* ---- main.c ---- */

typedef struct Harness {
    const char *tide; /* the program under test, absolute */
    double timeout;   /* seconds that one process may take */
    bool opencl;      /* whether tests that need OpenCL run */
    int passed, failed, skipped;
} Harness;

extern Harness harness;

void pass(void);
void fail(const char *where, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A test file's "#! name value" line; returns the value or NULL when the line is no such directive. */
const char *directive(const char *line, const char *name);
/* Whether the file says "#! needs opencl" and there is none; then counts it as skipped. */
bool skipped_here(const Lines *file);
/* Splits words at blanks into argv (after `first`), at most `limit` with the final NULL. Cuts `words` up. */
void split_words(char *words, const char **argv, int first, int limit);

#endif
