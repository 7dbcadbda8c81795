/* lstore.c - torch.save and torch.load: Lua values to files and back. The other lstore files know formats. */
#include "lang/args.h"
#include "lang/library.h"
#include "lang/lstore.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The name of a single tensor in a safetensors file. */
#define SINGLE "tensor"

enum { DEPTH_MAX = 60 }; /* tables within tables */

/* ---- what to save: a table's tensors under their names, nested tables' joined with dots ---- */

typedef struct Collected {
    int names, tensors, plan, metadata; /* stack indices of tables: lists; metadata is 0 when not given */
    lua_Integer n, n_plan;
    bool numpy;  /* numpy's names for a list's members, and tensors only */
    bool planned; /* a flat table of tensors needs no plan */
    bool comma;   /* before the plan's next item */
} Collected;

/* ---- the plan's text, in pieces (lstore_plan.c reads it) ---- */

static void plan_text(lua_State *L, Collected *c, const char *text)
{
    lua_pushstring(L, text);
    lua_rawseti(L, c->plan, ++c->n_plan);
}

static void plan_string(lua_State *L, Collected *c, int i)
{
    size_t n;
    const char *text = lua_tolstring(L, i, &n);
    luaL_Buffer b;
    luaL_buffinit(L, &b);
    luaL_addchar(&b, '"');
    for (size_t k = 0; k < n; k++) {
        char escape[8];
        if ((unsigned char)text[k] < 0x20 || text[k] == '"' || text[k] == '\\') {
            snprintf(escape, sizeof escape, "\\u%04x", (unsigned)text[k]);
            luaL_addstring(&b, escape);
        } else
            luaL_addchar(&b, text[k]);
    }
    luaL_addchar(&b, '"');
    luaL_pushresult(&b);
    lua_rawseti(L, c->plan, ++c->n_plan);
}

static void plan_number(lua_State *L, Collected *c, int i)
{
    char text[48];
    double f = (double)lua_tonumber(L, i);
    if (lua_isinteger(L, i))
        snprintf(text, sizeof text, "%lld", (long long)lua_tointeger(L, i));
    else if (isfinite(f))
        snprintf(text, sizeof text, f == floor(f) && fabs(f) < 1e15 ? "%.1f" : "%.17e", f);
    else
        snprintf(text, sizeof text, "{\"=\":\"%s\"}", isnan(f) ? "nan" : f < 0 ? "-inf" : "inf");
    plan_text(L, c, text);
}

/* A number, string or boolean; false for anything else. */
static bool plan_plain(lua_State *L, Collected *c, int i)
{
    switch (lua_type(L, i)) {
    case LUA_TNUMBER: plan_number(L, c, i); return true;
    case LUA_TSTRING: plan_string(L, c, i); return true;
    case LUA_TBOOLEAN: plan_text(L, c, lua_toboolean(L, i) ? "true" : "false"); return true;
    default: return false;
    }
}

/* opening: a list's "[", a table's "{\"@\":[", that of one with an order "{\"%\":[". */
static void plan_open(lua_State *L, Collected *c, const char *opening)
{
    plan_text(L, c, opening);
    c->comma = false;
}

static void plan_close(lua_State *L, Collected *c, const char *closing)
{
    plan_text(L, c, closing);
    c->comma = true;
}

/* ---- the walk ---- */

static void collect_table(lua_State *L, Collected *c, int table, int prefix, int depth);

static void add_item(lua_State *L, Collected *c, int name, int value)
{
    c->n++;
    lua_pushvalue(L, name);
    lua_rawseti(L, c->names, c->n);
    lua_pushvalue(L, value);
    lua_rawseti(L, c->tensors, c->n);
    lua_pushvalue(L, name);
    lua_pushboolean(L, true);
    lua_rawset(L, c->names); /* the names themselves are keys too: to find the same one twice */
}

/* Pushes the full name of a key. */
static void push_name(lua_State *L, int prefix, int key, const Collected *c)
{
    if (lua_type(L, key) == LUA_TSTRING)
        lua_pushvalue(L, key);
    else if (lua_isinteger(L, key) && c->numpy && !prefix)
        lua_pushfstring(L, "arr_%I", (LUAI_UACINT)(lua_tointeger(L, key) - 1));
    else if (lua_isinteger(L, key))
        lua_pushfstring(L, "%I", (LUAI_UACINT)lua_tointeger(L, key));
    else
        raise_error(L, "TypeError", "save(): names must be str or int, not %s", type_word(L, key));
    if (prefix) {
        lua_pushvalue(L, prefix);
        lua_pushliteral(L, ".");
        lua_rotate(L, -3, -1);
        lua_concat(L, 3);
    }
}

static void add_tensor(lua_State *L, Collected *c, int name, int value)
{
    lua_pushvalue(L, name);
    if (lua_rawget(L, c->names) != LUA_TNIL)
        raise_error(L, "ValueError", "save(): two tensors are named '%s'", lua_tostring(L, name));
    add_item(L, c, name, value);
    plan_text(L, c, "{\"#\":");
    plan_string(L, c, name);
    plan_text(L, c, "}");
}

static void collect_value(lua_State *L, Collected *c, int name, int value, int depth)
{
    if (to_tensor(L, value))
        add_tensor(L, c, name, value);
    else if (lua_type(L, value) == LUA_TTABLE)
        collect_table(L, c, value, name, depth + 1);
    else if (c->numpy || !plan_plain(L, c, value))
        raise_error(L, "TypeError", "save(): '%s' is %s; these files hold %s", lua_tostring(L, name),
                    type_word(L, value),
                    c->numpy ? "tensors only (torch.tensor(v) makes it one)"
                             : "tensors, numbers, strings, booleans and tables of them");
}

/* The entry whose key is at -2 and value at -1, of a list or not; the stack is left as it was. */
static void collect_item(lua_State *L, Collected *c, int prefix, int depth, bool list)
{
    int value = lua_gettop(L), key = value - 1;
    if (!prefix && lua_type(L, key) == LUA_TSTRING && strcmp(lua_tostring(L, key), "__metadata__") == 0) {
        if (lua_type(L, value) != LUA_TTABLE)
            raise_error(L, "TypeError", "save(): __metadata__ must be a table of strings, not %s",
                        type_word(L, value));
        lua_copy(L, value, c->metadata);
        return;
    }
    push_name(L, prefix, key, c);
    c->planned = c->planned || lua_type(L, key) != LUA_TSTRING || !to_tensor(L, value);
    if (c->comma) plan_text(L, c, ",");
    c->comma = true;
    if (!list) {
        plan_plain(L, c, key);
        plan_text(L, c, ",");
    }
    collect_value(L, c, value + 1, value, depth);
    lua_settop(L, value);
}

/* ints before strings, each in order: plain tables have no order of their own */
static int key_before(lua_State *L)
{
    int a = lua_type(L, 1), b = lua_type(L, 2);
    lua_pushboolean(L, a == b && (a == LUA_TNUMBER || a == LUA_TSTRING)
                           ? lua_compare(L, 1, 2, LUA_OPLT)
                           : a == LUA_TNUMBER && b == LUA_TSTRING);
    return 1;
}

/* Merge sort of the keys numbered from … to - 1 in the list at `keys`, by way of the list at `spare`. */
static void sort_keys(lua_State *L, int keys, int spare, lua_Integer from, lua_Integer to)
{
    if (to - from < 2) return;
    lua_Integer middle = from + (to - from) / 2, left = from, right = middle;
    sort_keys(L, keys, spare, from, middle);
    sort_keys(L, keys, spare, middle, to);
    for (lua_Integer i = from; i < to; i++) {
        bool first = right == to;
        if (!first && left < middle) {
            lua_pushcfunction(L, key_before);
            lua_rawgeti(L, keys, right);
            lua_rawgeti(L, keys, left);
            lua_call(L, 2, 1);
            first = !lua_toboolean(L, -1);
            lua_pop(L, 1);
        }
        lua_rawgeti(L, keys, first ? left++ : right++);
        lua_rawseti(L, spare, i);
    }
    for (lua_Integer i = from; i < to; i++) {
        lua_rawgeti(L, spare, i);
        lua_rawseti(L, keys, i);
    }
}

/* The n keys in the list, sorted, are 1 … n. */
static bool is_sequence(lua_State *L, int keys, lua_Integer n)
{
    bool sequence = true;
    for (lua_Integer i = 1; sequence && i <= n; i++) {
        lua_rawgeti(L, keys, i);
        sequence = lua_isinteger(L, -1) && lua_tointeger(L, -1) == i;
        lua_pop(L, 1);
    }
    return sequence;
}

static void collect_plain(lua_State *L, Collected *c, int table, int prefix, int depth)
{
    lua_Integer n = 0;
    lua_newtable(L);
    lua_newtable(L);
    int keys = lua_gettop(L) - 1;
    for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1)) {
        lua_pushvalue(L, -2);
        lua_rawseti(L, keys, ++n);
    }
    sort_keys(L, keys, keys + 1, 1, n + 1);
    bool list = is_sequence(L, keys, n);
    plan_open(L, c, list ? "[" : "{\"@\":[");
    for (lua_Integer i = 1; i <= n; i++) {
        lua_rawgeti(L, keys, i);
        lua_pushvalue(L, -1);
        lua_rawget(L, table);
        collect_item(L, c, prefix, depth, list);
        lua_pop(L, 2);
    }
    plan_close(L, c, list ? "]" : "]}");
}

static void collect_pairs(lua_State *L, Collected *c, int table, int prefix, int depth)
{
    lua_pushvalue(L, table); /* behind __pairs */
    lua_call(L, 1, 3);
    int iterator = lua_gettop(L) - 2;
    plan_open(L, c, "{\"%\":[");
    while (true) {
        lua_pushvalue(L, iterator);
        lua_pushvalue(L, iterator + 1);
        lua_pushvalue(L, iterator + 2);
        lua_call(L, 2, 2);
        if (lua_isnil(L, -2)) break;
        collect_item(L, c, prefix, depth, false);
        lua_pop(L, 1);
        lua_replace(L, iterator + 2);
    }
    plan_close(L, c, "]}");
}

static void collect_table(lua_State *L, Collected *c, int table, int prefix, int depth)
{
    luaL_checkstack(L, 24, "tables nested too deeply");
    if (depth > DEPTH_MAX)
        raise_error(L, "ValueError", "save(): tables are nested too deeply, or hold themselves");
    if (luaL_getmetafield(L, table, "__module") != LUA_TNIL)
        raise_error(L, "TypeError",
                    "save(): a module is saved by its tensors: torch.save(net:state_dict(), path)");
    int top = lua_gettop(L);
    if (luaL_getmetafield(L, table, "__pairs") != LUA_TNIL)
        collect_pairs(L, c, table, prefix, depth);
    else
        collect_plain(L, c, table, prefix, depth);
    lua_settop(L, top);
}

/* ---- saving ---- */

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

/* The lists of the names and tensors as a block on the stack; it leans on those tables. */
static StoreEntry *make_entries(lua_State *L, const Collected *c)
{
    StoreEntry *entries = lua_newuserdatauv(L, ((size_t)c->n + 1) * sizeof *entries, 0);
    for (lua_Integer i = 0; i < c->n; i++) {
        lua_rawgeti(L, c->names, i + 1);
        lua_rawgeti(L, c->tensors, i + 1);
        entries[i].name = lua_tolstring(L, -2, &entries[i].length);
        entries[i].tensor = to_tensor(L, -1);
        lua_pop(L, 2);
    }
    return entries;
}

/* Pushes the plan as one string. */
static void push_plan(lua_State *L, const Collected *c)
{
    luaL_Buffer b;
    luaL_buffinit(L, &b);
    for (lua_Integer i = 1; i <= c->n_plan; i++) {
        lua_rawgeti(L, c->plan, i);
        luaL_addvalue(&b);
    }
    luaL_pushresult(&b);
}

/* The metadata as pairs of strings; the table's own, then what marks PyTorch's files and the plan. */
static StoreEntry *make_metadata(lua_State *L, const Collected *c, int *n)
{
    int table = c->metadata;
    push_plan(L, c);
    int plan = lua_gettop(L);
    int count = 4;
    if (lua_istable(L, table))
        for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1), count += 2)
            if (lua_type(L, -1) != LUA_TSTRING || lua_type(L, -2) != LUA_TSTRING)
                raise_error(L, "TypeError", "save(): __metadata__ must be a table of strings");
    StoreEntry *out = lua_newuserdatauv(L, (size_t)count * sizeof *out, 0);
    *n = 0;
    out[(*n)++] = (StoreEntry){"format", 6, NULL};
    out[(*n)++] = (StoreEntry){"pt", 2, NULL};
    if (c->planned) {
        out[(*n)++] = (StoreEntry){PLAN_KEY, strlen(PLAN_KEY), NULL};
        StoreEntry *text = &out[(*n)++];
        text->name = lua_tolstring(L, plan, &text->length);
    }
    if (!lua_istable(L, table)) return out;
    for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1)) {
        const char *key = lua_tostring(L, -2);
        if (strcmp(key, "format") == 0 || strcmp(key, PLAN_KEY) == 0) continue;
        for (int i = -2; i < 0; i++) {
            StoreEntry *e = &out[(*n)++];
            e->name = lua_tolstring(L, i, &e->length);
        }
    }
    return out;
}

static const char *take_path(lua_State *L, const char *function, int i)
{
    size_t length;
    const char *path = lua_tolstring(L, i, &length);
    if (strlen(path) != length)
        raise_error(L, "ValueError", "%s(): embedded null character in the path", function);
    return path;
}

/* torch.save(obj, path): a tensor or a table of tensors, as .npy or .npz by the path's ending, else as
 * safetensors, where numbers, strings, booleans and tables may stand among the tensors. */
static int save(lua_State *L)
{
    static const ParamInfo params[] = {REQUIRED('A', "obj"), REQUIRED('S', "f")};
    Args a;
    Arg v[COUNT(params)];
    args_take(&a, L, "save", false, params, COUNT(params), NULL, v);
    int object = (int)v[0].i;
    const char *path = take_path(L, "save", (int)v[1].i);
    Tensor *single = to_tensor(L, object);
    if (!single && lua_type(L, object) != LUA_TTABLE)
        raise_error(L, "TypeError",
                    "save(): argument 'obj' (position 1) must be Tensor or table, not %s",
                    type_word(L, object));
    lua_settop(L, lua_gettop(L) + 1); /* metadata: nil until seen */
    Collected c = {.metadata = lua_gettop(L), .numpy = ends_with(path, ".npz"), .planned = single != NULL};
    lua_newtable(L);
    lua_newtable(L);
    lua_newtable(L);
    c.plan = lua_gettop(L);
    c.tensors = c.plan - 1;
    c.names = c.plan - 2;
    bool npy = ends_with(path, ".npy");
    if (single) {
        lua_pushstring(L, c.numpy ? "arr_0" : SINGLE);
        add_tensor(L, &c, lua_gettop(L), object);
    } else if (npy)
        raise_error(L, "TypeError",
                    "save(): an .npy file holds one tensor; .npz and .safetensors hold a table");
    else
        collect_table(L, &c, object, 0, 0);
    if (c.n > INT32_MAX / 2) raise_error(L, "ValueError", "save(): too many tensors");
    int nmetadata;
    const StoreEntry *entries = make_entries(L, &c);
    const StoreEntry *metadata = make_metadata(L, &c, &nmetadata);
    StoreOut out;
    if (!store_create(&out, path)) return raise_pending(L);
    bool ok = npy      ? npy_write(&out, single)
              : c.numpy ? npz_write(&out, entries, (int)c.n)
                       : safetensors_write(&out, entries, (int)c.n, metadata, nmetadata);
    if (!store_finish(&out, ok)) return raise_pending(L);
    return 0;
}

/* ---- loading ---- */

static int free_store(lua_State *L)
{
    store_free(lua_touserdata(L, 1));
    return 0;
}

/* An empty Store on the stack, freed with its userdata. */
static Store *push_store(lua_State *L)
{
    Store *s = lua_newuserdatauv(L, sizeof *s, 0);
    *s = (Store){0};
    lua_createtable(L, 0, 2);
    lua_pushcfunction(L, free_store);
    lua_setfield(L, -2, "__gc");
    lua_pushcfunction(L, free_store);
    lua_setfield(L, -2, "__close");
    lua_setmetatable(L, -2);
    lua_toclose(L, -1);
    return s;
}

/* Pushes the constructor of the library's ordered tables. */
static void push_ordered(lua_State *L)
{
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    if (lua_getfield(L, -1, "torch.support") == LUA_TNIL) {
        lua_pop(L, 1);
        load_embedded(L, "support");
        lua_call(L, 0, 1);
        lua_pushvalue(L, -1);
        lua_setfield(L, -3, "torch.support");
    }
    lua_getfield(L, -1, "ordered");
    lua_replace(L, -3);
    lua_pop(L, 1);
}

typedef struct Reader {
    int ordered, seen; /* stack indices: the constructor; tables made already, by address */
    Device device;
    Store *store;
} Reader;

static void push_value(lua_State *L, const Reader *r, const StoreValue *v, int depth);

static void push_loaded(lua_State *L, const Reader *r, Tensor *t)
{
    if (t->device.type == r->device.type && t->device.index == r->device.index) {
        push_tensor(L, t);
        return;
    }
    int mark = scope_open();
    Tensor *moved = tensor_to(tensor_detach(t), (DType)t->dtype, r->device, false);
    if (moved && t->requires_grad) tensor_set_requires_grad(moved, true);
    bool kept = store_tensor(r->store, moved) != NULL;
    scope_close(mark);
    if (!kept) raise_pending(L);
    moved->is_parameter = t->is_parameter;
    push_tensor(L, moved);
}

static void fill_list(lua_State *L, const Reader *r, const StoreValue *v, int depth)
{
    for (size_t i = 0; i < v->n; i++) {
        push_value(L, r, v->items[i], depth + 1);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

static void fill_dict(lua_State *L, const Reader *r, const StoreValue *v, int depth)
{
    for (size_t i = 0; i + 1 < v->n; i += 2) {
        push_value(L, r, v->items[i], depth + 1);
        push_value(L, r, v->items[i + 1], depth + 1);
        lua_settable(L, -3);
    }
}

static void push_table(lua_State *L, const Reader *r, const StoreValue *v, int depth)
{
    luaL_checkstack(L, 12, "values nested too deeply");
    if (lua_rawgetp(L, r->seen, v) != LUA_TNIL) return;
    lua_pop(L, 1);
    if (depth > DEPTH_MAX) raise_error(L, "ValueError", "load(): values are nested too deeply");
    if (v->kind == STORE_LIST || v->b)
        lua_newtable(L);
    else {
        lua_pushvalue(L, r->ordered);
        lua_call(L, 0, 1);
    }
    lua_pushvalue(L, -1);
    lua_rawsetp(L, r->seen, v);
    if (v->kind == STORE_LIST)
        fill_list(L, r, v, depth);
    else
        fill_dict(L, r, v, depth);
}

static void push_value(lua_State *L, const Reader *r, const StoreValue *v, int depth)
{
    switch (v->kind) {
    case STORE_BOOL: lua_pushboolean(L, v->b); break;
    case STORE_INT: lua_pushinteger(L, v->i); break;
    case STORE_FLOAT: lua_pushnumber(L, v->f); break;
    case STORE_STRING: lua_pushlstring(L, v->text, v->length); break;
    case STORE_TENSOR: push_loaded(L, r, v->tensor); break;
    case STORE_LIST:
    case STORE_DICT: push_table(L, r, v, depth); break;
    default: lua_pushnil(L);
    }
}

static bool read_any(StoreFile *f, Store *s)
{
    unsigned char start[9] = {0};
    if (f->size == 0) return tide_refuse("EOFError", "Ran out of input: '%s' is empty", f->path);
    if (!store_read(f, 0, start, f->size < 9 ? (size_t)f->size : 9)) return false;
    if (memcmp(start, "\x93NUMPY", 6) == 0) return npy_read(f, s);
    if (memcmp(start, "PK\3\4", 4) == 0 || memcmp(start, "PK\5\6", 4) == 0 || memcmp(start, "PK\6\6", 4) == 0)
        return zip_read(f, s);
    if (start[0] == 0x80 && start[1] >= 2 && start[1] <= 5)
        return tide_refuse(
            "ValueError",
            "'%s' is a bare pickle, as PyTorch wrote before 1.6; load it there and save it again", f->path);
    if (start[8] == '{') return safetensors_read(f, s);
    return tide_refuse("ValueError",
                       "'%s' is no file that load() reads (safetensors, .npy, .npz, PyTorch's .pt)", f->path);
}

static bool is_word(const StoreValue *v, const char *word)
{
    return v->kind == STORE_STRING && v->length == strlen(word) && memcmp(v->text, word, v->length) == 0;
}

/* Pushes the metadata that its author gave; returns whether there is any. */
static bool push_metadata(lua_State *L, const StoreValue *v)
{
    lua_newtable(L);
    bool any = false;
    for (size_t i = 0; v && i + 1 < v->n; i += 2) {
        if (is_word(v->items[i], "format") || is_word(v->items[i], PLAN_KEY)) continue;
        any = true;
        lua_pushlstring(L, v->items[i]->text, v->items[i]->length);
        lua_pushlstring(L, v->items[i + 1]->text, v->items[i + 1]->length);
        lua_rawset(L, -3);
    }
    return any;
}

/* torch.load(path): a tensor, or a table in the file's order; and a safetensors file's own metadata. */
static int load(lua_State *L)
{
    static const ParamInfo params[] = {REQUIRED('S', "f"), OPTIONAL('V', "map_location", "NULL"),
                                       OPTIONAL('B', "weights_only", "true")};
    Args a;
    Arg v[COUNT(params)];
    args_take(&a, L, "load", false, params, COUNT(params), NULL, v);
    StoreFile file;
    const char *path = take_path(L, "load", (int)v[0].i);
    Reader r = {.device = {DEVICE_CPU, 0}};
    if (v[1].i >= 0) r.device = (Device){(uint8_t)(v[1].i / 256), (uint8_t)(v[1].i % 256)};
    Store *s = r.store = push_store(L);
    if (!store_open(&file, path)) return raise_pending(L);
    int mark = scope_open();
    bool ok = read_any(&file, s);
    scope_close(mark);
    store_close(&file);
    if (!ok) return raise_pending(L);
    push_ordered(L);
    r.ordered = lua_gettop(L);
    lua_newtable(L);
    r.seen = lua_gettop(L);
    push_value(L, &r, s->root, 0);
    return push_metadata(L, s->metadata) ? 2 : (lua_pop(L, 1), 1);
}

void open_store(lua_State *L, const Library *lib)
{
    static const luaL_Reg functions[] = {{"save", save}, {"load", load}, {NULL, NULL}};
    add_functions(L, lib->torch, functions);
}
