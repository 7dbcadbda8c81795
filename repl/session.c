/* Sessions: running cells and chunks under the interrupt handler, reporting errors, showing results. */
#include "repl/session.h"
#include "repl/commands.h"
#include "repl/printed.h"
#include "repl/report.h"
#include "repl/results.h"
#include "repl/special.h"
#include "repl/terminal.h"
#include "repl/buffer.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lauxlib.h>

#include "lang/lang.h"

static const char builtins_key; /* registry: set of the globals' names before the user's first cell */

/* ---- life ------------------------------------------------------------------------------------ */

static int open_protected(lua_State *L)
{
    Session *s = lua_touserdata(L, 1);
    results_open(s);
    printed_open(s);
    lua_newtable(L);
    lua_pushglobaltable(L);
    lua_pushnil(L);
    while (lua_next(L, -2) != 0) {
        lua_pop(L, 1);
        lua_pushvalue(L, -1);
        lua_pushboolean(L, true);
        lua_rawset(L, -5);
    }
    lua_pop(L, 1);
    static const char *const ours[] = {"_", "__", "arg"};
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
        lua_pushstring(L, ours[i]);
        lua_pushboolean(L, true);
        lua_rawset(L, -3);
    }
    lua_rawsetp(L, LUA_REGISTRYINDEX, &builtins_key);
    return 0;
}

Session *session_new(void)
{
    Session *s = calloc(1, sizeof *s);
    lua_State *L = s == NULL ? NULL : lang_open();
    if (L == NULL) {
        complain("cannot start");
        free(s);
        return NULL;
    }
    s->L = L;
    s->number = 1;
    lang_teach_colours(L, terminal_coloured(STDOUT_FILENO), terminal_coloured(STDERR_FILENO));
    lua_pushcfunction(L, open_protected);
    lua_pushlightuserdata(L, s);
    if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
        report_print(L);
        session_free(s);
        return NULL;
    }
    return s;
}

void session_free(Session *s)
{
    if (s == NULL)
        return;
    results_clear(s);
    lua_close(s->L);
    free(s);
}

bool session_is_builtin(Session *s, int i)
{
    lua_pushvalue(s->L, i);
    lua_rawgetp(s->L, LUA_REGISTRYINDEX, &builtins_key);
    lua_insert(s->L, -2);
    bool known = lua_rawget(s->L, -2) != LUA_TNIL;
    lua_pop(s->L, 2);
    return known;
}

void session_reset(Session *s)
{
    lua_State *L = s->L;
    results_clear(s);
    lua_pushglobaltable(L);
    lua_pushnil(L);
    while (lua_next(L, -2) != 0) { /* clearing fields while walking is allowed */
        lua_pop(L, 1);
        if (session_is_builtin(s, -1))
            continue;
        lua_pushvalue(L, -1);
        lua_pushnil(L);
        lua_rawset(L, -4);
    }
    static const char *const ours[] = {"_", "__"};
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
        lua_pushstring(L, ours[i]);
        lua_pushnil(L);
        lua_rawset(L, -3);
    }
    lua_pop(L, 1);
    lang_forget_names(L);
    results_open(s);
    s->number = 0; /* the next cell is the first */
    lua_gc(L, LUA_GCCOLLECT);
}

/* ---- interrupts ------------------------------------------------------------------------------ */

static lua_State *volatile running; /* the state that Ctrl-C stops; NULL while none runs */

static void interrupt(int number)
{
    (void)number;
    if (running != NULL)
        lang_interrupt(running);
}

/* Ctrl-C stops what runs; without SA_RESTART, so that waiting for input ends too. */
static void begin_interruptible(lua_State *L, struct sigaction *before)
{
    struct sigaction action = {.sa_handler = interrupt};
    running = L;
    sigaction(SIGINT, NULL, before);
    if (before->sa_handler != SIG_IGN)
        sigaction(SIGINT, &action, NULL);
}

static void end_interruptible(lua_State *L, lua_State *before, const struct sigaction *handler)
{
    running = before;
    sigaction(SIGINT, handler, NULL);
    if (before == NULL)
        lang_interrupt_clear(L);
}

/* ---- running --------------------------------------------------------------------------------- */

int session_call(Session *s, int nargs)
{
    lua_State *L = s->L, *outer = running;
    struct sigaction before;
    int base = lua_gettop(L) - nargs; /* of the function */
    lua_pushcfunction(L, report_handler);
    lua_insert(L, base);
    begin_interruptible(L, &before);
    int status = lua_pcall(L, nargs, LUA_MULTRET, base);
    end_interruptible(L, outer, &before);
    lua_remove(L, base);
    if (status == LUA_OK)
        return lua_gettop(L) - base + 1;
    report_print(L);
    return -1;
}

void session_cell_name(const Session *s, char *name, size_t size)
{
    if (s->cell_name != NULL)
        snprintf(name, size, "%s", s->cell_name);
    else
        snprintf(name, size, "=In [%d]", s->number);
}

static bool compile(Session *s, const char *source, size_t length, LangCell *cell)
{
    char name[40];
    session_cell_name(s, name, sizeof name);
    report_remember(s->L, name, source, length);
    if (lang_load_cell(s->L, source, length, name, cell) == LUA_OK)
        return true;
    report_syntax(s->L, name);
    report_print(s->L);
    return false;
}

bool session_compile(Session *s, const char *source, size_t length, bool *value)
{
    LangCell cell;
    bool ok = compile(s, source, length, &cell);
    *value = ok && cell.value;
    return ok;
}

int session_evaluate(Session *s, const char *source, size_t length, bool *silent)
{
    LangCell cell;
    if (!compile(s, source, length, &cell))
        return -1;
    if (silent != NULL)
        *silent = cell.silent;
    return session_call(s, 0);
}

/* Calls the chunk below its arguments, results dropped. */
static bool call_chunk(Session *s, int nargs)
{
    int n = session_call(s, nargs);
    lua_pop(s->L, n > 0 ? n : 0);
    return n >= 0;
}

/* The load failed: reports the message on top of the stack and drops the arguments below it. */
static bool load_failed(Session *s, const char *chunkname, int nargs)
{
    report_syntax(s->L, chunkname);
    report_print(s->L);
    lua_pop(s->L, nargs);
    return false;
}

bool session_run_chunk(Session *s, const char *source, size_t length, const char *chunkname, int nargs)
{
    report_remember(s->L, chunkname, source, length);
    if (lang_load(s->L, source, length, chunkname) != LUA_OK)
        return load_failed(s, chunkname, nargs);
    lua_insert(s->L, -nargs - 1);
    return call_chunk(s, nargs);
}

bool session_run_stdin(Session *s, int nargs)
{
    Buffer text = {0};
    bool ok = buffer_read_fd(&text, STDIN_FILENO);
    if (!ok) {
        complain("cannot read standard input: %s", strerror(errno));
        lua_pop(s->L, nargs);
    }
    ok = ok && session_run_chunk(s, buffer_string(&text), text.length, "=stdin", nargs);
    buffer_free(&text);
    return ok;
}

bool session_run_file(Session *s, const char *path, int nargs)
{
    if (lang_load_file(s->L, path) != LUA_OK) {
        const char *chunkname = lua_pushfstring(s->L, "@%s", path);
        lua_insert(s->L, -2);
        return load_failed(s, chunkname, nargs + 1);
    }
    lua_insert(s->L, -nargs - 1);
    return call_chunk(s, nargs);
}

/* ---- showing --------------------------------------------------------------------------------- */

static int echo_text(lua_State *L)
{
    lang_echo(L, lua_gettop(L));
    return 1;
}

/* As IPython: a text of several lines begins under its label. */
static void print_result(Session *s, const char *text, size_t length)
{
    if (s->labelled)
        printf("%sOut[%d]: %s%s", terminal_colour(STDOUT_FILENO, COLOUR_RESULT), s->number,
               terminal_plain(STDOUT_FILENO), memchr(text, '\n', length) != NULL ? "\n" : "");
    fwrite(text, 1, length, stdout);
    putchar('\n');
}

bool session_show(Session *s, int n)
{
    lua_State *L = s->L;
    if (!lua_checkstack(L, n + 4))
        return complain("too many results");
    lua_pushcfunction(L, echo_text);
    for (int i = 0; i < n; i++)
        lua_pushvalue(L, -n - 1);
    int shown = session_call(s, n);
    if (shown == 1 && lua_type(L, -1) == LUA_TSTRING) {
        size_t length;
        const char *text = lua_tolstring(L, -1, &length);
        print_result(s, text, length);
        lua_insert(L, -n - 1);
        results_keep(s, n, text); /* the text stays on the stack meanwhile */
        lua_pop(L, 1);
        return true;
    }
    lua_pop(L, n + (shown > 0 ? shown : 0));
    return shown >= 0;
}

/* ---- cells ----------------------------------------------------------------------------------- */

typedef struct CellRun {
    Session *session;
    const char *source;
    size_t length;
    bool ok;
} CellRun;

static bool run_lua(Session *s, const char *source, size_t length)
{
    bool silent;
    int n = session_evaluate(s, source, length, &silent);
    if (n > 0 && !silent)
        return session_show(s, n);
    lua_pop(s->L, n > 0 ? n : 0);
    return n >= 0;
}

/* The length of the lines of comment in front of a %command, which a lesson's cell may have; 0 if it is none. */
static size_t comment_before_command(const char *source, size_t length)
{
    size_t at = 0;
    while (at < length) {
        const char *line = source + at;
        size_t n = line_length(line, source + length), blanks = strspn(line, " \t");
        if (blanks < n && !starts_with(line + blanks, "--"))
            break;
        if (starts_with(line + blanks, "--[["))
            return 0;
        at += n < length - at ? n + 1 : n;
    }
    return at < length && special_is(source + at, length - at) ? at : 0;
}

/* Protects the bookkeeping: what runs the user's code is protected in itself. */
static int run_cell_protected(lua_State *L)
{
    CellRun *run = lua_touserdata(L, 1);
    results_begin(run->session, run->source, run->length);
    size_t comment = comment_before_command(run->source, run->length);
    run->source += comment;
    run->length -= comment;
    if (special_is(run->source, run->length))
        run->ok = special_run(run->session, run->source, run->length);
    else
        run->ok = run_lua(run->session, run->source, run->length);
    return 0;
}

bool session_run_cell(Session *s, const char *source, size_t length)
{
    CellRun run = {s, source, length, false};
    if (strspn(source, " \t\r\n") >= length)
        return true;
    lua_pushcfunction(s->L, run_cell_protected);
    lua_pushlightuserdata(s->L, &run);
    if (lua_pcall(s->L, 1, 0, 0) != LUA_OK) {
        report_print(s->L);
        run.ok = false;
    }
    fflush(stdout);
    s->failed = s->failed || !run.ok;
    s->number++;
    return run.ok;
}

size_t session_cell_end(const char *source, size_t length)
{
    if (special_is(source, length))
        return special_end(source, length);
    return lang_cell_end(source, length);
}

bool session_run_expression(Session *s, const char *source, size_t length)
{
    s->cell_name = "=(command line)";
    bool ok = session_run_cell(s, source, length);
    s->cell_name = NULL;
    return ok;
}

/* ---- translation and help -------------------------------------------------------------------- */

bool session_translate(Session *s, const char *source, size_t length, const char *chunkname, bool cell)
{
    report_remember(s->L, chunkname, source, length);
    if (!lang_translate(s->L, source, length, chunkname, cell)) {
        report_syntax(s->L, chunkname);
        report_print(s->L);
        return false;
    }
    const char *text = lua_tolstring(s->L, -1, &length);
    fwrite(text, 1, length, stdout);
    if (length > 0 && text[length - 1] != '\n')
        putchar('\n');
    lua_pop(s->L, 1);
    return true;
}

bool session_translate_file(Session *s, const char *path)
{
    Buffer text = {0}, name = {0};
    bool ok = path == NULL ? buffer_read_fd(&text, STDIN_FILENO) : buffer_read_file(&text, path);
    if (!ok)
        complain("cannot read %s: %s", path == NULL ? "standard input" : path, strerror(errno));
    buffer_printf(&name, path == NULL ? "=stdin" : "@%s", path);
    ok = ok && session_translate(s, buffer_string(&text), text.length, buffer_string(&name), false);
    buffer_free(&text);
    buffer_free(&name);
    return ok;
}

bool session_help(Session *s, const char *name, bool source)
{
    if (!lang_help(s->L, name, source))
        return complain("there is nothing called '%s' to explain", name);
    fputs(lua_tostring(s->L, -1), stdout);
    lua_pop(s->L, 1);
    return true;
}
