/* lnn.h - registration of what the Lua library needs in C. */
#ifndef TIDE_LNN_H
#define TIDE_LNN_H

#include "lang/bind.h"

/* Adds torch._parameter, torch._read_idx and torch._terminal_columns. */
void open_nn(lua_State *L, const Library *lib);

#endif
