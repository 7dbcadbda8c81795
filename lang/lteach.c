/* lteach.c - what the teaching library (lang/lua/teach) asks of C: ops watched as they run, a source's spans,
 * what the last failed op was given. All in torch._teach, which is no part of the public face. */
#include "lang/args.h"
#include "lang/bind.h"
#include "lang/cells.h"
#include "lang/lang.h"
#include "lang/sugar.h"
#include "lang/teach.h"

#include <stdlib.h>
#include <string.h>

static const char require_key; /* registry: the function require as it was at first */

/* ---- watching ---- */

/* An op that ran, with references of its own on what it was given and gave. */
typedef struct Step {
    OpId op;
    bool in_place;
    int ntensor;
    Tensor **tensor;       /* operands, lists flattened; owned. NULL: not given */
    uint8_t *param;        /* whose they are: index into the row's params */
    Arg arg[OP_MAXPARAM];  /* without tensors; dims point into `dims` */
    Dims dims[2];
    Tensor *result;        /* owned; NULL: it failed */
} Step;

enum { MOST_STEPS = 2000 };

static const char *const format_names[] = {"unary",  "binary", "ternary", "compare", "test",
                                           "reduce", "view",   "kernel",  "composed"};

/* What is being watched; nested watches are a stack. */
typedef struct Log {
    struct Log *outer;
    Step *step;
    int n, capacity;
    int64_t left_out; /* steps beyond MOST_STEPS */
    bool failed;      /* memory ran out: steps are missing */
} Log;

static Log *current;

static void step_free(Step *s)
{
    for (int i = 0; i < s->ntensor; i++)
        tensor_release(s->tensor[i]);
    free(s->tensor);
    free(s->param);
    tensor_release(s->result);
}

static void log_free(Log *log)
{
    for (int i = 0; i < log->n; i++)
        step_free(&log->step[i]);
    free(log->step);
    free(log);
}

static bool make_room(Log *log)
{
    if (log->n < log->capacity)
        return true;
    int capacity = log->capacity * 2 + 16;
    Step *step = realloc(log->step, (size_t)capacity * sizeof *step);
    if (!step)
        return false;
    log->step = step;
    log->capacity = capacity;
    return true;
}

static int count_tensors(const OpInfo *info, const Arg *arg)
{
    int n = 0;
    for (int p = 0; p < info->nparam; p++) {
        char kind = info->params[p].kind;
        n += kind == 'L' ? arg[p].list->n : kind == 'T' || kind == 'N' || kind == 'O';
    }
    return n;
}

static void add_tensor(Step *s, Tensor *t, int param)
{
    s->tensor[s->ntensor] = tensor_keep(t);
    s->param[s->ntensor++] = (uint8_t)param;
}

/* Copies what the op was given; false without memory. */
static bool fill_step(Step *s, const OpEvent *e)
{
    const OpInfo *info = op_info(e->op);
    int n = count_tensors(info, e->arg), dims = 0;
    *s = (Step){.op = e->op, .in_place = e->in_place, .result = e->result};
    s->tensor = malloc((size_t)(n + 1) * sizeof *s->tensor);
    s->param = malloc((size_t)n + 1);
    if (!s->tensor || !s->param) {
        free(s->tensor);
        free(s->param);
        return false;
    }
    for (int p = 0; p < info->nparam; p++) {
        char kind = info->params[p].kind;
        s->arg[p] = e->arg[p];
        if (kind == 'T' || kind == 'N' || kind == 'O')
            add_tensor(s, e->arg[p].t, p);
        for (int k = 0; kind == 'L' && k < e->arg[p].list->n; k++)
            add_tensor(s, e->arg[p].list->v[k], p);
        if (kind == 'D' && e->arg[p].dims && dims < 2) {
            s->dims[dims] = *e->arg[p].dims;
            s->arg[p].i = dims++; /* the array may move: the number of the list, not its address */
        } else if (kind == 'D') {
            s->arg[p].i = -1;
        }
    }
    tensor_keep(s->result);
    return true;
}

static void note_step(const OpEvent *e, void *context)
{
    Log *log = context;
    if (e->depth > 0)
        return;
    if (log->n == MOST_STEPS) {
        log->left_out++;
        return;
    }
    if (!make_room(log) || !fill_step(&log->step[log->n], e))
        log->failed = true;
    else
        log->n++;
}

/* start(): ops are watched from here on */
static int teach_start(lua_State *L)
{
    Log *log = calloc(1, sizeof *log);
    if (!log)
        return raise_error(L, "MemoryError", "not enough memory");
    log->outer = current;
    current = log;
    op_observe(note_step, log);
    return 0;
}

/* count(): how many steps were seen so far */
static int teach_count(lua_State *L)
{
    lua_pushinteger(L, current ? current->n : 0);
    return 1;
}

static void push_dims(lua_State *L, const Dims *d)
{
    lua_createtable(L, d->n, 0);
    for (int i = 0; i < d->n; i++) {
        lua_pushinteger(L, d->v[i]);
        lua_rawseti(L, -2, i + 1);
    }
}

static void push_tensors(lua_State *L, const OpInfo *info, const Step *s)
{
    lua_createtable(L, s->ntensor, 0);
    for (int i = 0; i < s->ntensor; i++) {
        const ParamInfo *p = &info->params[s->param[i]];
        lua_createtable(L, 0, 4);
        lua_pushstring(L, param_name(info->name, p));
        lua_setfield(L, -2, "param");
        push_tensor(L, s->tensor[i]);
        lua_setfield(L, -2, "tensor");
        lua_pushboolean(L, s->tensor[i] && s->tensor[i]->is_number);
        lua_setfield(L, -2, "number");
        lua_pushboolean(L, p->kind == 'L');
        lua_setfield(L, -2, "listed");
        lua_rawseti(L, -2, i + 1);
    }
}

/* Sets the plain arguments as fields of the table on top. */
static void set_arguments(lua_State *L, const OpInfo *info, const Step *s)
{
    for (int p = 0; p < info->nparam; p++) {
        switch (info->params[p].kind) {
        case 'I': lua_pushinteger(L, s->arg[p].i); break;
        case 'F': lua_pushnumber(L, s->arg[p].f); break;
        case 'B': lua_pushboolean(L, s->arg[p].b); break;
        case 'Y': push_dtype(L, s->arg[p].dtype); break;
        case 'D':
            if (s->arg[p].i < 0)
                continue;
            push_dims(L, &s->dims[s->arg[p].i]);
            break;
        default: continue;
        }
        lua_setfield(L, -2, param_name(info->name, &info->params[p]));
    }
}

static void push_step(lua_State *L, const Step *s)
{
    const OpInfo *info = op_info(s->op);
    lua_createtable(L, 0, 6);
    lua_pushstring(L, info->name);
    lua_setfield(L, -2, "op");
    lua_pushstring(L, format_names[info->format]);
    lua_setfield(L, -2, "format");
    lua_pushboolean(L, s->in_place);
    lua_setfield(L, -2, "in_place");
    push_tensors(L, info, s);
    lua_setfield(L, -2, "operands");
    lua_newtable(L);
    set_arguments(L, info, s);
    lua_setfield(L, -2, "arguments");
    push_tensor(L, s->result);
    lua_setfield(L, -2, "result");
}

static int push_log(lua_State *L)
{
    const Log *log = lua_touserdata(L, 1);
    lua_createtable(L, log->n, 2);
    for (int i = 0; i < log->n; i++) {
        push_step(L, &log->step[i]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_pushinteger(L, log->left_out);
    lua_setfield(L, -2, "left_out");
    return 1;
}

/* stop(): the steps seen since the matching start(), oldest first; ops are watched no more */
static int teach_stop(lua_State *L)
{
    Log *log = current;
    if (!log)
        return raise_error(L, "RuntimeError", "nothing is being watched");
    current = log->outer;
    op_observe(current ? note_step : NULL, current);
    lua_settop(L, 0);
    lua_pushcfunction(L, push_log);
    lua_pushlightuserdata(L, log);
    int status = lua_pcall(L, 1, 1, 0);
    bool failed = log->failed;
    log_free(log);
    if (status != LUA_OK)
        return lua_error(L);
    return failed ? raise_error(L, "MemoryError", "not enough memory") : 1;
}

/* ---- tensors told apart ---- */

/* id(t), memory(t): integers that are equal for the same tensor, for tensors on the same storage; nil for
 * other values */
static int teach_id(lua_State *L)
{
    const Tensor *t = to_tensor(L, 1);
    if (!t)
        return 0;
    lua_pushinteger(L, (lua_Integer)(uintptr_t)t);
    return 1;
}

static int teach_memory(lua_State *L)
{
    const Tensor *t = to_tensor(L, 1);
    if (!t)
        return 0;
    lua_pushinteger(L, (lua_Integer)(uintptr_t)t->storage);
    return 1;
}

/* ---- sources ---- */

static const char *const span_names[SPAN_COUNT] = {"name",  "literal", "table", "function", "paren",
                                                   "field", "index",   "slice", "call",     "method",
                                                   "named", "unary",   "binary", "augment"};

static void set_integer(lua_State *L, const char *name, lua_Integer v)
{
    lua_pushinteger(L, v);
    lua_setfield(L, -2, name);
}

static void push_span(lua_State *L, const SugarSpan *s, const char *source)
{
    lua_createtable(L, 0, 10);
    lua_pushstring(L, span_names[s->kind]);
    lua_setfield(L, -2, "kind");
    set_integer(L, "from", (lua_Integer)s->from + 1);
    set_integer(L, "to", s->to);
    set_integer(L, "sign_from", (lua_Integer)s->sign + 1);
    set_integer(L, "sign_to", s->sign_to);
    set_integer(L, "line", s->line);
    set_integer(L, "sign_line", s->sign_line);
    lua_pushlstring(L, source + s->sign, s->sign_to - s->sign);
    lua_setfield(L, -2, "sign");
    lua_pushboolean(L, s->target);
    lua_setfield(L, -2, "target");
    lua_pushboolean(L, s->condition);
    lua_setfield(L, -2, "condition");
}

typedef struct Spans {
    const char *source;
    SugarSpan *span;
    int n;
} Spans;

static int push_spans(lua_State *L)
{
    const Spans *s = lua_touserdata(L, 1);
    lua_createtable(L, s->n, 0);
    for (int i = 0; i < s->n; i++) {
        push_span(L, &s->span[i], s->source);
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

/* spans(source, chunkname, cell): its expressions, inner ones first: kind, from, to (bytes, both included),
 * sign and its place, line; nil and a message if it is no code. */
static int teach_spans(lua_State *L)
{
    size_t length;
    SugarError e;
    const char *source = luaL_checklstring(L, 1, &length), *name = luaL_optstring(L, 2, "=?");
    Spans s = {.source = source};
    s.n = sugar_spans(source, length, name, lua_toboolean(L, 3), &s.span, &e);
    if (s.n < 0) {
        lua_pushnil(L);
        lua_pushstring(L, e.message);
        return 2;
    }
    lua_pushcfunction(L, push_spans);
    lua_pushlightuserdata(L, &s);
    int status = lua_pcall(L, 1, 1, 0);
    free(s.span);
    return status == LUA_OK ? 1 : lua_error(L);
}

/* compile(source, chunkname, env): the function of a cell, whose first argument it knows as __mark; env nil:
 * the globals */
static int teach_compile(lua_State *L)
{
    static const char head[] = "local __mark = ...; ";
    size_t length, n;
    SugarError e;
    SugarCell cell;
    const char *source = luaL_checklstring(L, 1, &length), *name = luaL_checkstring(L, 2);
    char *text = sugar_translate_cell(source, length, name, &n, &e, &cell);
    if (!text)
        return luaL_error(L, "%s", e.message);
    char *whole = realloc(text, n + sizeof head);
    if (!whole) {
        free(text);
        return raise_error(L, "MemoryError", "not enough memory");
    }
    memmove(whole + sizeof head - 1, whole, n + 1);
    memcpy(whole, head, sizeof head - 1);
    int status = luaL_loadbufferx(L, whole, n + sizeof head - 1, name, "t");
    free(whole);
    if (status != LUA_OK)
        return lua_error(L);
    note_cell(L, name);
    if (!lua_isnoneornil(L, 3)) {
        lua_pushvalue(L, 3);
        if (!lua_setupvalue(L, -2, 1))
            lua_pop(L, 1);
    }
    return 1;
}

/* ---- the last failure ---- */

/* failure(message): what the op that raised it was given, nil if no op did */
static int teach_failure(lua_State *L)
{
    const OpFailure *f = raised_failure(luaL_checkstring(L, 1));
    if (!f)
        return 0;
    const OpInfo *info = op_info(f->op);
    lua_createtable(L, 0, 4);
    lua_pushstring(L, info->name);
    lua_setfield(L, -2, "op");
    lua_pushstring(L, format_names[info->format]);
    lua_setfield(L, -2, "format");
    lua_pushboolean(L, f->in_place);
    lua_setfield(L, -2, "in_place");
    lua_createtable(L, f->noperand, 0);
    for (int i = 0; i < f->noperand; i++) {
        lua_createtable(L, 0, 5);
        set_integer(L, "id", (lua_Integer)(uintptr_t)f->operand[i].tensor);
        const ParamInfo *p = &info->params[f->operand[i].param];
        lua_pushstring(L, param_name(info->name, p));
        lua_setfield(L, -2, "param");
        lua_pushboolean(L, p->kind == 'L');
        lua_setfield(L, -2, "listed");
        lua_pushboolean(L, f->operand[i].is_number);
        lua_setfield(L, -2, "number");
        push_dims(L, &f->operand[i].shape);
        lua_setfield(L, -2, "shape");
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, "operands");
    lua_newtable(L);
    for (int p = 0; p < info->nparam; p++)
        if (strchr("ID", info->params[p].kind))
            set_integer(L, param_name(info->name, &info->params[p]), f->number[p]);
    lua_setfield(L, -2, "arguments");
    return 1;
}

/* remark(message): what the engine noted beside that error, nil if nothing */
static int teach_remark(lua_State *L)
{
    lua_pushstring(L, raised_remark(luaL_checkstring(L, 1)));
    return 1;
}

/* ---- graphs ---- */

/* The number of n in the list at stack index 2, appended if it is new; the map from nodes to numbers is at
 * 3. */
static lua_Integer number_of(lua_State *L, Node *n, lua_Integer *count)
{
    lua_rawgetp(L, 3, n);
    lua_Integer number = lua_tointeger(L, -1);
    lua_pop(L, 1);
    if (number)
        return number;
    char name[128];
    Dims shape;
    int line;
    const Place *place = node_place(n, &line);
    lua_createtable(L, 0, 8);
    lua_pushstring(L, node_name(n, name, sizeof name));
    lua_setfield(L, -2, "name");
    if (node_shape(n, &shape)) {
        push_dims(L, &shape);
        lua_setfield(L, -2, "shape");
    }
    set_integer(L, "saved", (lua_Integer)node_saved_bytes(n));
    if (place) {
        lua_pushstring(L, place->name);
        lua_setfield(L, -2, "place");
        set_integer(L, "line", line);
    }
    if (node_variable(n)) {
        push_tensor(L, node_variable(n));
        lua_setfield(L, -2, "variable");
    }
    lua_pushlightuserdata(L, n);
    lua_setfield(L, -2, "node");
    lua_rawseti(L, 2, ++*count);
    lua_pushinteger(L, *count);
    lua_rawsetp(L, 3, n);
    return *count;
}

/* Sets the field inputs of the node on top: the numbers of what feeds it, false where nothing does. */
static void set_inputs(lua_State *L, const Node *n, lua_Integer *count)
{
    int inputs = node_inputs(n, NULL, NULL, 0);
    Node **from = lua_newuserdatauv(L, (size_t)(inputs + 1) * sizeof *from, 0);
    node_inputs(n, from, NULL, inputs);
    lua_createtable(L, inputs, 0);
    for (int i = 0; i < inputs; i++) {
        if (from[i])
            lua_pushinteger(L, number_of(L, from[i], count));
        else
            lua_pushboolean(L, false);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -3, "inputs");
    lua_pop(L, 1);
}

/* graph(t, most): the nodes behind t, its own first: name, shape, saved (bytes), place, line, variable,
 * inputs (numbers); at most `most` of them, then the field left_out is true; nil if t has no graph */
static int teach_graph(lua_State *L)
{
    Tensor *t = to_tensor(L, 1);
    lua_Integer most = luaL_optinteger(L, 2, 10000), count = 0;
    Node *root = t ? tensor_grad_fn(t) : NULL;
    lua_settop(L, 1);
    if (!root)
        return 0;
    lua_newtable(L);
    lua_newtable(L);
    number_of(L, root, &count);
    for (lua_Integer i = 1; i <= count && i <= most; i++) {
        lua_rawgeti(L, 2, i);
        lua_getfield(L, -1, "node");
        const Node *n = lua_touserdata(L, -1);
        lua_pop(L, 1);
        set_inputs(L, n, &count);
        lua_pop(L, 1);
    }
    lua_pushboolean(L, count > most);
    lua_setfield(L, 2, "left_out");
    lua_settop(L, 2);
    return 1;
}

/* ---- for the shell ---- */

/* Pushes the function require, whatever the global is now, and a file's name. */
static void push_require(lua_State *L, const char *file)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &require_key);
    lua_pushstring(L, file);
}

void push_library_function(lua_State *L, const char *file, const char *name)
{
    push_require(L, file);
    lua_call(L, 1, 1);
    lua_getfield(L, -1, name);
    lua_remove(L, -2);
}

static int call_command(lua_State *L)
{
    push_library_function(L, "torch.teach.commands", lua_tostring(L, lua_upvalueindex(1)));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, 0);
    return 0;
}

void lang_push_command(lua_State *L, const char *name)
{
    lua_pushstring(L, name);
    lua_pushcclosure(L, call_command, 1);
}

void lang_teach_colours(lua_State *L, bool out, bool err)
{
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    if (lua_getfield(L, -1, "torch") == LUA_TTABLE && lua_getfield(L, -1, "_teach") == LUA_TTABLE) {
        lua_pushboolean(L, out);
        lua_setfield(L, -2, "colour");
        lua_pushboolean(L, err);
        lua_setfield(L, -2, "colour_errors");
        lua_pop(L, 1);
    }
    lua_pop(L, 2);
}

bool lang_describe_error(lua_State *L, const char *message, const char *source, size_t length, bool cell,
                         LangMark *mark)
{
    int top = lua_gettop(L);
    *mark = (LangMark){0};
    if (!lua_checkstack(L, LUA_MINSTACK))
        return false;
    push_require(L, "torch.teach.errors");
    if (lua_pcall(L, 1, 1, 0) != LUA_OK || lua_getfield(L, -1, "describe") != LUA_TFUNCTION) {
        lua_settop(L, top);
        return false;
    }
    lua_pushstring(L, message);
    if (source)
        lua_pushlstring(L, source, length);
    else
        lua_pushnil(L);
    lua_pushboolean(L, cell);
    if (lua_pcall(L, 3, 5, 0) != LUA_OK) {
        lua_settop(L, top);
        return false;
    }
    if (lua_isinteger(L, -1))
        *mark = (LangMark){true, (size_t)lua_tointeger(L, -4) - 1, (size_t)lua_tointeger(L, -3),
                           (size_t)lua_tointeger(L, -2) - 1, (size_t)lua_tointeger(L, -1)};
    lua_pop(L, 4);
    lua_replace(L, top + 1);
    lua_settop(L, top + 1);
    return true;
}

void open_teach(lua_State *L, const Library *lib)
{
    static const luaL_Reg functions[] = {
        {"start", teach_start},   {"count", teach_count},     {"stop", teach_stop},
        {"id", teach_id},         {"memory", teach_memory},
        {"spans", teach_spans},   {"compile", teach_compile}, {"failure", teach_failure},
        {"remark", teach_remark}, {"graph", teach_graph},
        {NULL, NULL}};
    lua_getglobal(L, "require");
    lua_rawsetp(L, LUA_REGISTRYINDEX, &require_key);
    luaL_newlib(L, functions);
    lua_setfield(L, lib->torch, "_teach");
}
