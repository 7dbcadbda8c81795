/* The command: what each flag does, and the exit status. */
#include "repl/cells.h"
#include "repl/commands.h"
#include "repl/doctest.h"
#include "repl/report.h"
#include "repl/session.h"
#include "repl/shell.h"
#include "repl/buffer.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lauxlib.h>

#include "lang/lang.h"

enum { OK = 0, FAILED = 1, USAGE = 2 };

typedef enum FlagKind {
    FLAG_CHUNK,
    FLAG_EXPRESSION,
    FLAG_INTERACTIVE,
    FLAG_TRANSLATE,
    FLAG_DOCTEST,
    FLAG_VERSION,
    FLAG_HELP
} FlagKind;

typedef struct Flag {
    const char *name;
    const char *argument; /* NULL: it takes none */
    FlagKind kind;
    const char *doc;
} Flag;

static const Flag flags[] = {
    {"-e", "CHUNK", FLAG_CHUNK, "runs a chunk of code; may be repeated"},
    {"-p", "EXPR", FLAG_EXPRESSION, "prints the value of an expression; may be repeated"},
    {"-i", NULL, FLAG_INTERACTIVE, "opens the shell after the script or chunk"},
    {"--translate", "FILE", FLAG_TRANSLATE, "prints the plain Lua 5.4 that a file means"},
    {"--doctest", "FILE...", FLAG_DOCTEST, "runs the examples in .md, .lua and .txt files"},
    {"--version", NULL, FLAG_VERSION, "version, build features and OpenCL devices"},
    {"--help", NULL, FLAG_HELP, "this text"},
};
enum { FLAGS = sizeof flags / sizeof *flags };

/* What the command line asks for. Actions are -e and -p in their order; `rest` is the first argument
 * behind the flags: the script, or the files of --doctest. */
typedef struct Call {
    int argc;
    char **argv;
    int rest;
    bool interactive, has_action;
    FlagKind mode; /* FLAG_CHUNK: run things; else the flag that decides */
    const char *file;
} Call;

static void print_help(FILE *out)
{
    fputs("usage: tide [flags] [FILE.lua [ARG...]]\n\n"
          "Without a file: the shell, or cells from standard input when that is no terminal.\n"
          "FILE - is a script from standard input.\n\n",
          out);
    for (int i = 0; i < FLAGS; i++) {
        int width =
            fprintf(out, "  %s %s", flags[i].name, flags[i].argument == NULL ? "" : flags[i].argument);
        fprintf(out, "%*s%s\n", 24 - width, "", flags[i].doc);
    }
}

static int misuse(const char *what, const char *which)
{
    fprintf(stderr, "tide: %s%s\ntide: try 'tide --help'\n", what, which);
    return USAGE;
}

/* ---- reading the arguments ------------------------------------------------------------------- */

/* The flag an argument is; "-eCHUNK" has its value behind it. NULL when there is none such. */
static const Flag *find_flag(const char *argument, const char **value)
{
    for (int i = 0; i < FLAGS; i++) {
        const Flag *flag = &flags[i];
        *value = NULL;
        if (strcmp(argument, flag->name) == 0)
            return flag;
        if (flag->argument != NULL && flag->name[1] != '-' && starts_with(argument, flag->name)) {
            *value = argument + strlen(flag->name);
            return flag;
        }
    }
    return NULL;
}

/* One step through the flags: sets *flag and *value and moves *i past them. False at the first argument
 * that is no flag; *status becomes USAGE when the flags are wrong. */
static bool next_flag(const Call *call, int *i, const Flag **flag, const char **value, int *status)
{
    if (*i >= call->argc || call->argv[*i][0] != '-' || strcmp(call->argv[*i], "-") == 0)
        return false;
    if (strcmp(call->argv[*i], "--") == 0) {
        ++*i;
        return false;
    }
    const char *argument = call->argv[(*i)++];
    *flag = find_flag(argument, value);
    if (*flag == NULL) {
        *status = misuse("there is no flag ", argument);
        return false;
    }
    if ((*flag)->argument == NULL || *value != NULL)
        return true;
    if (*i >= call->argc) {
        *status = misuse((*flag)->argument, " is missing at the end");
        return false;
    }
    *value = call->argv[(*flag)->kind == FLAG_DOCTEST ? *i : (*i)++];
    return true;
}

static int read_flags(Call *call)
{
    const Flag *flag;
    const char *value;
    int status = OK, i = 1;
    while (next_flag(call, &i, &flag, &value, &status)) {
        switch (flag->kind) {
        case FLAG_CHUNK:
        case FLAG_EXPRESSION: call->has_action = true; break;
        case FLAG_INTERACTIVE: call->interactive = true; break;
        default:
            call->mode = flag->kind;
            call->file = value;
            call->rest = i;
            return OK;
        }
    }
    call->rest = i;
    return status;
}

/* ---- running --------------------------------------------------------------------------------- */

/* The table arg as in lua: the script at 0, its arguments from 1, what stands in front of it below 0. */
static void set_arg(lua_State *L, const Call *call)
{
    int script = call->rest < call->argc ? call->rest : 0;
    lua_createtable(L, call->argc, 1);
    for (int i = 0; i < call->argc; i++) {
        lua_pushstring(L, call->argv[i]);
        lua_rawseti(L, -2, i - script);
    }
    lua_pushglobaltable(L);
    lua_insert(L, -2);
    lua_pushliteral(L, "arg");
    lua_insert(L, -2);
    lua_rawset(L, -3);
    lua_pop(L, 1);
}

static bool run_actions(Session *s, const Call *call)
{
    const Flag *flag;
    const char *value;
    int status = OK, i = 1;
    bool ok = true;
    while (ok && next_flag(call, &i, &flag, &value, &status)) {
        if (flag->kind == FLAG_CHUNK)
            ok = session_run_chunk(s, value, strlen(value), "=(command line)", 0);
        else if (flag->kind == FLAG_EXPRESSION)
            ok = session_run_expression(s, value, strlen(value));
    }
    return ok;
}

static bool run_script(Session *s, const Call *call)
{
    const char *path = call->argv[call->rest];
    int nargs = call->argc - call->rest - 1;
    luaL_checkstack(s->L, nargs + 4, "too many arguments");
    for (int i = 0; i < nargs; i++)
        lua_pushstring(s->L, call->argv[call->rest + 1 + i]);
    return strcmp(path, "-") == 0 ? session_run_stdin(s, nargs) : session_run_file(s, path, nargs);
}

typedef struct Job {
    Session *session;
    const Call *call;
    bool ok;
} Job;

static int run_protected(lua_State *L)
{
    Job *job = lua_touserdata(L, 1);
    Session *s = job->session;
    const Call *call = job->call;
    bool has_script = call->rest < call->argc;
    set_arg(L, call);
    job->ok = run_actions(s, call) && (!has_script || run_script(s, call));
    if (!call->interactive && (call->has_action || has_script))
        return 0;
    if (isatty(STDIN_FILENO)) {
        shell_run(s, !call->has_action && !has_script);
        job->ok = true;
    } else {
        shell_run_piped(s);
        job->ok = job->ok && !s->failed;
    }
    return 0;
}

static int run_things(const Call *call)
{
    Job job = {session_new(), call, false};
    if (job.session == NULL)
        return FAILED;
    lua_State *L = job.session->L;
    lua_pushcfunction(L, run_protected);
    lua_pushlightuserdata(L, &job);
    if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
        report_print(L);
        job.ok = false;
    }
    session_free(job.session);
    return job.ok ? OK : FAILED;
}

static int run_doctests(const Call *call)
{
    DoctestCount all = {0, 0};
    for (int i = call->rest; i < call->argc; i++) {
        DoctestCount one = doctest_file(call->argv[i]);
        all.passed += one.passed;
        all.failed += one.failed;
        fflush(stdout);
    }
    doctest_summary(all);
    return all.failed == 0 ? OK : FAILED;
}

static int translate(const Call *call)
{
    if (call->rest < call->argc)
        return misuse("--translate takes one file, not also ", call->argv[call->rest]);
    Session *s = session_new();
    bool ok = s != NULL && session_translate_file(s, strcmp(call->file, "-") == 0 ? NULL : call->file);
    session_free(s);
    return ok ? OK : FAILED;
}

static int print_version(void)
{
    Session *s = session_new();
    if (s == NULL)
        return FAILED;
    lang_about(s->L);
    fputs(lua_tostring(s->L, -1), stdout);
    session_free(s);
    return OK;
}

/* Output that could not be written is an error too. */
static int finish(int status)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    fprintf(stderr, "tide: cannot write standard output: %s\n", strerror(errno));
    return status == OK ? FAILED : status;
}

int main(int argc, char **argv)
{
    Call call = {.argc = argc, .argv = argv, .mode = FLAG_CHUNK};
    int status = read_flags(&call);
    if (status != OK)
        return status;
    switch (call.mode) {
    case FLAG_HELP: print_help(stdout); break;
    case FLAG_VERSION: status = print_version(); break;
    case FLAG_TRANSLATE: status = translate(&call); break;
    case FLAG_DOCTEST: status = run_doctests(&call); break;
    default: status = run_things(&call); break;
    }
    return finish(status);
}
