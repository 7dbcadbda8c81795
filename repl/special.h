/* special.h - cells that are no Lua: %command, !command, ?name, name?. */
#ifndef TIDE_REPL_SPECIAL_H
#define TIDE_REPL_SPECIAL_H

#include "repl/session.h"

/* Whether the text's first line begins (or is) such a cell. */
bool special_is(const char *source, size_t length);
/* The length of that cell, line end included; 0 when it goes on (a %time whose code is incomplete). */
size_t special_end(const char *source, size_t length);
/* Runs it. Returns whether it went well; what went wrong is reported already. */
bool special_run(Session *s, const char *source, size_t length);

#endif
