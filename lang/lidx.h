/* lidx.h - reading idx files. */
#ifndef TIDE_LIDX_H
#define TIDE_LIDX_H

#include <lua.h>

/* torch.utils.data.read_idx(path): the tensor in an idx file, gunzipped if need be. Raises OSError's kinds for what
 * cannot be opened, RuntimeError for truncated or damaged files, ValueError for what is no idx file. */
int lua_read_idx(lua_State *L);

#endif
