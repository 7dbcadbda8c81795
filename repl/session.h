/* session.h - one Lua state with its cells: reading what a cell is, running it, showing and keeping what
 * it gave. */
#ifndef TIDE_REPL_SESSION_H
#define TIDE_REPL_SESSION_H

#include <stdbool.h>
#include <stddef.h>

#include <lua.h>

#include "repl/buffer.h"

/* One cell that has run. The session owns the texts. */
typedef struct Record {
    int number;
    char *source; /* as typed, without its last newline */
    char *output; /* what the echo showed; NULL when nothing */
    Buffer printed;
} Record;

/* A result that Out holds. */
typedef struct Held {
    int number; /* of its cell */
    size_t bytes;
} Held;

/* Cells are numbered from 1. `records` holds the latest cells and `held` the results that Out holds,
 * oldest first. */
typedef struct Session {
    lua_State *L;
    int number;            /* of the cell that is read or run next */
    bool labelled;         /* the notebook: results stand behind Out[n] */
    bool failed;           /* some cell raised an error */
    const char *cell_name; /* chunk name of cells that come from elsewhere; NULL: "=In [n]" */
    Record *records;
    int record_count, record_capacity;
    Held *held;
    int held_count, held_capacity;
    size_t held_bytes;
} Session;

/* A fresh session; NULL, reported on stderr, when it cannot be made. */
Session *session_new(void);
void session_free(Session *s); /* NULL is ignored */

/* Runs one whole cell of any kind: Lua, %command, !command, ?name. Shows its result, reports its error,
 * keeps it in In and Out and counts it. Blank text is no cell. Returns whether it raised no error. */
bool session_run_cell(Session *s, const char *source, size_t length);
/* The length, line end included, of the first cell in the text; 0 when the text is only the beginning of
 * one. */
size_t session_cell_end(const char *source, size_t length);

/* The parts of it, for commands that run code. Evaluates Lua cells under the interrupt handler: pushes the
 * results and returns how many, or reports the error and returns -1. *silent (may be NULL) tells that the
 * cell ended in `;`. */
int session_evaluate(Session *s, const char *source, size_t length, bool *silent);
/* Pushes the compiled cell and returns true, or reports the error. *value tells whether it returns values. */
bool session_compile(Session *s, const char *source, size_t length, bool *value);
/* Calls the function below its nargs arguments, under the interrupt handler. Results as session_evaluate. */
int session_call(Session *s, int nargs);
/* Shows and keeps the top n values as the cell's result, and pops them. Returns whether showing them
 * raised no error. */
bool session_show(Session *s, int n);
/* Runs a chunk or a file as a script, outside the cells; args are on the stack. Returns whether it raised
 * no error. */
bool session_run_chunk(Session *s, const char *source, size_t length, const char *chunkname, int nargs);
bool session_run_file(Session *s, const char *path, int nargs);
bool session_run_stdin(Session *s, int nargs);
/* Runs the value of -p: a cell under another name. */
bool session_run_expression(Session *s, const char *source, size_t length);
/* Prints the plain Lua that a text or a file (path NULL: standard input) means. */
bool session_translate(Session *s, const char *source, size_t length, const char *chunkname, bool cell);
bool session_translate_file(Session *s, const char *path);
/* Prints what a name is and does, `source` with its source. */
bool session_help(Session *s, const char *name, bool source);
/* The chunk name of the cell that runs. */
void session_cell_name(const Session *s, char *name, size_t size);
/* Forgets cells, results and the user's globals. */
void session_reset(Session *s);
/* Whether the global of this name (a string at stack index i) was there before the user's first cell. */
bool session_is_builtin(Session *s, int i);

#endif
