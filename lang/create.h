/* create.h - what the creation functions share: where a new tensor lives and of which dtype. */
#ifndef TIDE_CREATE_H
#define TIDE_CREATE_H

#include "lang/args.h"

/* dtype, device, requires_grad as every creation function takes them; read from three consecutive Args. */
typedef struct Placement {
    DType dtype; /* DT_NONE: not given */
    Device device;
    bool requires_grad;
} Placement;

/* The options' rows for a ParamInfo array, and reading them back. */
#define PLACEMENT_PARAMS                                                                                     \
    {'Y', "dtype", "DT_NONE", NULL}, {'V', "device", "NULL", NULL},                                          \
    {                                                                                                        \
        'B', "requires_grad", "false", NULL                                                                  \
    }
Placement placement_read(const Arg *args);
/* Ends a creation function: sets requires_grad, then gives t. */
int placement_give(lua_State *L, Tensor *t, const Placement *p);
/* A Lua number or boolean at stack index i as fill value: its dtype when none was asked for. */
Tensor *filled_tensor(Args *a, const Dims *size, int i, Placement *p);

int method_tolist(lua_State *L);
int method_item(lua_State *L);

#endif
