/* ldevice.c - devices, threads, printing options, the wall clock. */
#include "lang/args.h"
#include "lang/lang.h"
#include "lang/repr.h"

#include <string.h>
#include <time.h>

/* ---- torch.opencl, torch.cuda ---- */

static int is_available(lua_State *L)
{
    lua_pushboolean(L, opencl_device_count() > 0);
    return 1;
}

static int device_count(lua_State *L)
{
    lua_pushinteger(L, opencl_device_count());
    return 1;
}

/* The OpenCL device that argument 1 names; the first one without argument. */
static Device gpu_argument(lua_State *L)
{
    Device d = {DEVICE_OPENCL, 0};
    if (lua_isinteger(L, 1))
        lua_pushfstring(L, "opencl:%d", (int)lua_tointeger(L, 1));
    else if (lua_isnoneornil(L, 1))
        lua_pushliteral(L, "opencl");
    else
        lua_pushvalue(L, 1);
    if (!to_device(L, lua_gettop(L), &d))
        raise_error(L, "TypeError", "argument 'device' (position 1) must be torch.device, not %s",
                    type_word(L, 1));
    return d;
}

static int get_device_name(lua_State *L)
{
    Device d = gpu_argument(L);
    lua_pushstring(L, d.type == DEVICE_OPENCL ? opencl_device_name(d.index) : "CPU");
    return 1;
}

static int synchronize(lua_State *L)
{
    if (lua_isnoneornil(L, 1) && opencl_device_count() == 0)
        return 0;
    if (!device_synchronize(gpu_argument(L)))
        return raise_pending(L);
    return 0;
}

static int memory_allocated(lua_State *L)
{
    if (lua_isnoneornil(L, 1) && opencl_device_count() == 0)
        lua_pushinteger(L, 0);
    else
        lua_pushinteger(L, (lua_Integer)device_memory(gpu_argument(L)));
    return 1;
}

static const luaL_Reg gpu[] = {{"is_available", is_available},         {"device_count", device_count},
                               {"get_device_name", get_device_name},   {"synchronize", synchronize},
                               {"memory_allocated", memory_allocated}, {NULL, NULL}};

/* ---- threads, clock ---- */

static int lua_set_threads(lua_State *L)
{
    int64_t n;
    if (!int_value(L, 1, &n))
        return raise_error(L, "TypeError", "set_num_threads expects an int, but got %s", type_word(L, 1));
    if (n <= 0 || n > 4096)
        return raise_error(L, "RuntimeError", "set_num_threads expects a positive integer");
    set_num_threads((int)n);
    return 0;
}

static int lua_get_threads(lua_State *L)
{
    lua_pushinteger(L, get_num_threads());
    return 1;
}

static int perf_counter(lua_State *L)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    lua_pushnumber(L, (double)now.tv_sec + 1e-9 * (double)now.tv_nsec);
    return 1;
}

/* ---- printing ---- */

static const PrintOptions normal = {4, 3, 80, 1000, -1};

static int print_int(Args *a, const Arg *v, const char *name, int before)
{
    return v->i ? (int)arg_int(a, (int)v->i, name, 0) : before;
}

/* What is not named stays, except that a profile sets all; sci_mode is by rule again unless named. */
static int set_printoptions(lua_State *L)
{
    static const ParamInfo params[] = {OPTIONAL('A', "precision", "NULL"), OPTIONAL('A', "threshold", "NULL"),
                                       OPTIONAL('A', "edgeitems", "NULL"), OPTIONAL('A', "linewidth", "NULL"),
                                       OPTIONAL('A', "profile", "NULL"),   OPTIONAL('A', "sci_mode", "NULL")};
    Args a;
    Arg v[COUNT(params)];
    args_begin(&a, L, "set_printoptions", false);
    args_read(&a, params, COUNT(params), COUNT(params), NULL, v);
    PrintOptions o = print_options;
    if (v[4].i) {
        const char *profile = lua_type(L, (int)v[4].i) == LUA_TSTRING ? lua_tostring(L, (int)v[4].i) : "";
        o = normal;
        if (strcmp(profile, "short") == 0) {
            o.precision = 2;
            o.edgeitems = 2;
        } else if (strcmp(profile, "full") == 0) {
            o.threshold = INT64_MAX;
        } else if (strcmp(profile, "default") != 0) {
            return raise_error(L, "ValueError", "unknown profile '%s': default, short and full are known",
                               profile);
        }
    }
    double threshold;
    o.precision = print_int(&a, &v[0], "precision", o.precision);
    o.edgeitems = print_int(&a, &v[2], "edgeitems", o.edgeitems);
    o.linewidth = print_int(&a, &v[3], "linewidth", o.linewidth);
    if (v[1].i) {
        if (!number_value(L, (int)v[1].i, &threshold))
            arg_error(&a, "threshold", 0, "Number", (int)v[1].i);
        o.threshold = threshold >= 0x1p62 ? INT64_MAX : (int64_t)threshold;
    }
    o.sci_mode = v[5].i ? arg_bool(&a, (int)v[5].i, "sci_mode", 0) : -1;
    if (o.precision < 0 || o.precision > 64 || o.edgeitems < 0 || o.linewidth < 1 || o.threshold < 0)
        return raise_error(L, "ValueError", "set_printoptions() got a value that is out of range");
    print_options = o;
    return 0;
}

static int get_printoptions(lua_State *L)
{
    lua_createtable(L, 0, 5);
    lua_pushinteger(L, print_options.precision);
    lua_setfield(L, -2, "precision");
    lua_pushinteger(L, print_options.threshold);
    lua_setfield(L, -2, "threshold");
    lua_pushinteger(L, print_options.edgeitems);
    lua_setfield(L, -2, "edgeitems");
    lua_pushinteger(L, print_options.linewidth);
    lua_setfield(L, -2, "linewidth");
    if (print_options.sci_mode >= 0) {
        lua_pushboolean(L, print_options.sci_mode);
        lua_setfield(L, -2, "sci_mode");
    }
    return 1;
}

/* ---- about ---- */

const char *lang_version(void)
{
    return "Tide 0.1.0";
}

LangMemory lang_memory(void)
{
    MemoryUse use = memory_use();
    return (LangMemory){use.live, use.peak, use.total, use.cached};
}

void lang_about(lua_State *L)
{
    luaL_Buffer b;
    luaL_buffinit(L, &b);
    luaL_addstring(&b, lang_version());
    luaL_addstring(&b, "\n" LUA_RELEASE ", OpenBLAS, OpenMP");
    lua_pushfstring(L, ": %d threads\n", get_num_threads());
    luaL_addvalue(&b);
    int n = opencl_device_count();
    if (n == 0)
        luaL_addstring(&b, "OpenCL: no device\n");
    for (int i = 0; i < n; i++) {
        lua_pushfstring(L, "opencl:%d: %s\n", i, opencl_device_name(i));
        luaL_addvalue(&b);
    }
    luaL_pushresult(&b);
}

static int library_memory(lua_State *L)
{
    MemoryUse use = memory_use();
    lua_pushinteger(L, (lua_Integer)use.live);
    lua_pushinteger(L, (lua_Integer)use.peak);
    lua_pushinteger(L, (lua_Integer)use.total);
    lua_pushinteger(L, (lua_Integer)use.cached);
    return 4;
}

void open_device(lua_State *L, const Library *lib)
{
    static const luaL_Reg functions[] = {
        {"set_num_threads", lua_set_threads},   {"get_num_threads", lua_get_threads},
        {"perf_counter", perf_counter},         {"set_printoptions", set_printoptions},
        {"get_printoptions", get_printoptions}, {"repr", repr_function},
        {"memory_use", library_memory},         {NULL, NULL}};
    static const char *const names[] = {"opencl", "cuda"};
    add_functions(L, lib->torch, functions);
    for (int i = 0; i < 2; i++) {
        luaL_newlib(L, gpu);
        lua_setfield(L, lib->torch, names[i]);
    }
    lua_pushstring(L, strchr(lang_version(), ' ') + 1);
    lua_setfield(L, lib->torch, "__version__");
}
