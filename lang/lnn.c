/* lnn.c - what the Lua library needs in C: nn.Parameter, idx files, the terminal's width, named results. */
#include "lang/args.h"
#include "lang/lidx.h"
#include "lang/lnn.h"

#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* nn.Parameter(data, requires_grad): a leaf on data's storage that modules register when it is assigned to a field. */
static int parameter(lua_State *L)
{
    static const ParamInfo params[] = {{'T', "data", NULL, NULL}, {'B', "requires_grad", "true", NULL}};
    Args a;
    Arg v[2];
    args_begin(&a, L, "Parameter", false);
    args_read(&a, params, 2, 2, NULL, v);
    Tensor *t = tensor_detach(v[0].t);
    if (!t || (v[1].b && !tensor_set_requires_grad(t, true))) return raise_pending(L);
    t->is_parameter = true;
    return give(L, t);
}

/* Columns of the terminal that standard error is, for progress bars; nil where it is none. */
static int terminal_columns(lua_State *L)
{
    struct winsize size;
    if (!isatty(STDERR_FILENO)) return 0;
    bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    lua_pushinteger(L, known ? size.ws_col : 80);
    return 1;
}

/* _returns(name, values…): the values, to be echoed as torch.return_types.NAME, or as a tuple where name is "". */
static int named_returns(lua_State *L)
{
    static const char *const known[][2] = {{"aminmax", "min,max"}, {"histogram", "hist,bin_edges"},
                                            {"svd", "U,S,V"}, {"qr", "Q,R"},
                                            {"linalg_lstsq", "solution,residuals,rank,singular_values"}};
    const char *name = luaL_checkstring(L, 1);
    int n = lua_gettop(L) - 1;
    remember_returns(L, 2, n, NULL, NULL);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i][0], name) == 0) remember_returns(L, 2, n, known[i][0], known[i][1]);
    return n;
}

void open_nn(lua_State *L, const Library *lib)
{
    static const luaL_Reg functions[] = {{"_parameter", parameter}, {"_read_idx", lua_read_idx},
                                         {"_terminal_columns", terminal_columns},
                                         {"_returns", named_returns}, {NULL, NULL}};
    add_functions(L, lib->torch, functions);
}
