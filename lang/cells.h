/* cells.h - what the prompt's cells add to Lua's globals. */
#ifndef TIDE_CELLS_H
#define TIDE_CELLS_H

#include <lua.h>
#include <stddef.h>

/* Gives _G the __index that refuses undefined names to cells; other code reads nil, as ever. */
void guard_globals(lua_State *L);
/* A cell is about to run: its chunk name is a cell's, and the names it assigns are defined from now on. */
void note_cell(lua_State *L, const char *source, size_t length, const char *chunkname);

#endif
