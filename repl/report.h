/* report.h - errors as every mode shows them: the message, then the user's own lines it came from. */
#ifndef TIDE_REPL_REPORT_H
#define TIDE_REPL_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#include <lua.h>

/* Remembers the text of a chunk that is no file, for the lines shown under an error; text NULL forgets it. */
void report_remember(lua_State *L, const char *chunkname, const char *text, size_t length);
/* Message handler for lua_pcall: turns the error value into the whole report. */
int report_handler(lua_State *L);
/* The same for the message of a chunk that could not be loaded, on top of the stack: replaces it by the
 * report. */
void report_syntax(lua_State *L, const char *chunkname);
/* Prints the report on top of the stack on standard error, after what was printed so far, and pops it. */
void report_print(lua_State *L);
/* Prints the latest error with all its frames, the library's too; false when there was none. */
bool report_traceback(lua_State *L);

#endif
