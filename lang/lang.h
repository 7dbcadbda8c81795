/* lang.h - the Lua face of Tide, all that repl/ sees of it: states, chunks, cells, values as text. */
#ifndef TIDE_LANG_H
#define TIDE_LANG_H

#include <stdbool.h>
#include <stddef.h>

#include <lua.h>

/* A state with Lua's libraries, torch and the globals of SPEC §4; load, loadfile, dofile and require
 * translate. NULL without memory. Close it with lua_close. */
lua_State *lang_open(void);

/* The module torch for a stock interpreter: require "torch" from torch.so. */
int luaopen_torch(lua_State *L);

/* ---- code: all take Tide's spelling (lang/sugar.h) ---- */

/* What a compiled cell is. */
typedef struct LangCell {
    bool value;  /* it returns the values of its last expression */
    bool silent; /* it ends in `;` */
} LangCell;

/* Each pushes a function and returns LUA_OK, or pushes a message "chunk:line: text" and returns a Lua status.
 * Reading undefined globals is an error in cells only. path NULL is standard input. */
int lang_load(lua_State *L, const char *source, size_t length, const char *chunkname);
int lang_load_file(lua_State *L, const char *path);
int lang_load_cell(lua_State *L, const char *source, size_t length, const char *chunkname, LangCell *cell);

/* The column (from 1, in bytes) of the latest syntax error if this was its message and line; 0 if it is not known. */
int lang_syntax_column(const char *message, int line);

/* Cells so far count no more as having defined names (a global that a cell set to nil is defined). */
void lang_forget_names(lua_State *L);

/* Pushes the plain Lua that the source means and returns true, or pushes a message and returns false. */
bool lang_translate(lua_State *L, const char *source, size_t length, const char *chunkname, bool cell);

/* The length of the first cell in the text, 0 when the text is only the beginning of one (sugar_cell_end). */
size_t lang_cell_end(const char *source, size_t length);

/* ---- Ctrl-C ---- */

/* Asks the running Lua code and the engine's loops to stop with the error "KeyboardInterrupt". From a signal
 * handler. */
void lang_interrupt(lua_State *L);
/* Forgets a request that came too late. */
void lang_interrupt_clear(lua_State *L);

/* ---- values ---- */

/* Pushes the text that the echo shows for the top n values (which stay): torch.repr's text, a named return
 * type, or a tuple; nil when there is nothing to show (no value, or only nils). May raise what a __tostring
 * raises. */
void lang_echo(lua_State *L, int n);
/* Bytes of tensor elements a value holds on to: its own, and those in a table's fields a few levels deep. */
size_t lang_bytes(lua_State *L, int i);
/* Replaces the function or class on top of the stack by the list of the names of its options; pops it and returns
 * false when they are not known. Runs none of the user's code. */
bool lang_options(lua_State *L);
/* Of a table of the library's on top of the stack whose fields come from files at their first touch, pushes the
 * table that has all their names for keys; false and nothing pushed for others. Touching a field runs none of the
 * user's code then. */
bool lang_lazy_names(lua_State *L);
/* Pushes what is known of a name ("torch.softmax", "x:view", "%time", ""), `source` with where it is defined; false
 * if nothing is. */
bool lang_help(lua_State *L, const char *name, bool source);

/* ---- teaching ---- */

/* Pushes the function behind a teaching command ("explain"); it is called with the code and the name of its chunk,
 * and prints. */
void lang_push_command(lua_State *L, const char *name);
/* Whether what the teaching functions print on standard output, and pictures in errors, get colours. */
void lang_teach_colours(lua_State *L, bool out, bool err);

/* The part of a source that failed, and the operator or name in it: bytes [from, to). */
typedef struct LangMark {
    bool found;
    size_t from, to, sign, sign_to;
} LangMark;

/* In a message handler: pushes what is to be shown under the error with this message, a picture of shapes, or nil.
 * source is the text of the innermost frame of the user's, NULL if unknown; *mark becomes the part of it that failed.
 * False and nothing pushed when nothing can be said. */
bool lang_describe_error(lua_State *L, const char *message, const char *source, size_t length, bool cell,
                         LangMark *mark);

typedef struct LangMemory {
    size_t live, peak, total,
        cached; /* bytes of tensor elements: now, at most, ever made; freed and kept for reuse */
} LangMemory;
LangMemory lang_memory(void);

/* Bytes of tensors alive by the cell or script that made them. */
typedef struct LangPlace {
    const char *name; /* "In [3]" */
    size_t host, device; /* on the CPU; on OpenCL devices */
} LangPlace;
/* Goes through them, newest first, from NULL on; NULL after the last. */
const void *lang_next_place(const void *previous, LangPlace *place);

/* "Tide 0.1.0" */
const char *lang_version(void);
/* Pushes a few lines: version, what it was built with, the OpenCL devices found. */
void lang_about(lua_State *L);

#endif
