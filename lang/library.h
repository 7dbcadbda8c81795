/* library.h - the embedded Lua files. */
#ifndef TIDE_LIBRARY_H
#define TIDE_LIBRARY_H

#include <lua.h>
#include <stdbool.h>

/* Pushes the file (dots or slashes between folders) as a function of the library's own environment; false if
 * there is no such file. */
bool load_embedded(lua_State *L, const char *name);

#endif
