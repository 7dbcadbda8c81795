/* teach.h - what the teaching library needs from the rest of lang/. */
#ifndef TIDE_TEACH_H
#define TIDE_TEACH_H

#include "lang/bind.h"

/* What the op was given whose error was raised with this message (without its position), the latest one; NULL if
 * it was not an op's. (lerror.c) */
const OpFailure *raised_failure(const char *message);

void open_teach(lua_State *L, const Library *lib);

#endif
