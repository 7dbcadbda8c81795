/* printed.h - what cells print, kept beside their results for the files that %save writes. */
#ifndef TIDE_REPL_PRINTED_H
#define TIDE_REPL_PRINTED_H

#include "repl/session.h"

/* From now on what print, io.write and io.stdout:write put out is also kept, up to a bound, with the cell that
 * runs. May raise Lua's memory error: call it protected. */
void printed_open(Session *s);
/* Keeps text that the shell itself has put out on standard output. */
void printed_keep(Session *s, const char *text, size_t length);

#endif
