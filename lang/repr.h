/* repr.h - a value as the echo shows it. */
#ifndef TIDE_REPR_H
#define TIDE_REPR_H

#include "lang/bind.h"

/* Pushes torch.repr's text of the value at stack index i. */
void value_repr(lua_State *L, int i);
int repr_function(lua_State *L); /* torch.repr */

#endif
