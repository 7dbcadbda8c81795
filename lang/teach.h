/* teach.h - what the teaching library needs from the rest of lang/. */
#ifndef TIDE_TEACH_H
#define TIDE_TEACH_H

#include "lang/bind.h"

/* What the op was given whose error was raised with this message (without its position), the latest one; NULL if
 * it was not an op's. (lerror.c) */
const OpFailure *raised_failure(const char *message);

/* The note that came with the error of this message; NULL if there was none. */
const char *raised_remark(const char *message);

/* Makes the state the one whose stack tells where ops are recorded (lplace.c). */
void open_places(lua_State *L);
/* The coroutine that runs, or L, the main thread (lcoroutine.c). */
lua_State *running_thread(lua_State *L);
/* Puts in the library's coroutine functions those that Ctrl-C can stop. */
void open_coroutines(lua_State *L);

/* Pushes the function `name` of the library's file ("torch.help"); raises if the file cannot be loaded. */
void push_library_function(lua_State *L, const char *file, const char *name);

void open_teach(lua_State *L, const Library *lib);

#endif
