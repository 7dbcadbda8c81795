/* cells.h - what the prompt's cells add to Lua's globals. */
#ifndef TIDE_CELLS_H
#define TIDE_CELLS_H

#include <lua.h>

/* Gives _G a metatable: names that were never assigned are refused to cells; other code reads nil, as ever. */
void guard_globals(lua_State *L);
/* A cell is about to run: its chunk name is a cell's from now on. */
void note_cell(lua_State *L, const char *chunkname);

#endif
