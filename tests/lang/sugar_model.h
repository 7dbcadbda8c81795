/* The translator as a Lua module, with a model of its support table, for tests that need no tensors. */
#ifndef TIDE_TESTS_SUGAR_MODEL_H
#define TIDE_TESTS_SUGAR_MODEL_H

#include <lua.h>

int luaopen_sugar(lua_State *L);

#endif
