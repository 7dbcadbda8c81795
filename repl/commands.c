/* The table of %commands, and the small ones. */
#include "repl/commands.h"
#include "repl/doctest.h"
#include "repl/report.h"
#include "repl/buffer.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <lauxlib.h>
#include <lua.h>

#include "lang/lang.h"

static bool command_run(Session *s, const char *rest);
static bool command_history(Session *s, const char *rest);
static bool command_reset(Session *s, const char *rest);
static bool command_doctest(Session *s, const char *rest);
static bool command_translate(Session *s, const char *rest);
static bool command_tb(Session *s, const char *rest);
static bool command_help(Session *s, const char *rest);

const Command commands[] = {
    {"time", "CODE", "runs the code and says how long it took", ARG_CODE, command_time},
    {"timeit", "CODE", "runs it often enough to know its time well", ARG_CODE, command_timeit},
    {"explain", "CODE", "draws what each op of the code does to the shapes", ARG_CODE, command_explain},
    {"trace", "CODE", "the arithmetic behind one element of a result", ARG_CODE, command_trace},
    {"graph", "CODE [> FILE]", "the autograd graph behind a tensor; FILE.dot or FILE.svg", ARG_CODE, command_graph},
    {"who", "", "names your variables", ARG_NONE, command_who},
    {"whos", "", "your variables with dtype, shape, device, bytes and gradient", ARG_NONE, command_whos},
    {"mem", "", "bytes held by tensors, results and Lua", ARG_NONE, command_mem},
    {"run", "FILE [ARG...]", "runs a script, which shares your variables", ARG_FILE, command_run},
    {"load", "FILE", "runs the cells of a .lua, .ipynb or .md file as if you typed them", ARG_FILE,
     command_load},
    {"save", "FILE", "writes the session as .lua that runs, .ipynb or .md", ARG_FILE, command_save},
    {"history", "[-n] [COUNT]", "the cells so far, the last COUNT, with numbers after -n", ARG_TEXT,
     command_history},
    {"reset", "", "forgets your variables, results and cells", ARG_NONE, command_reset},
    {"lesson", "FILE", "steps through a file with --%% cells", ARG_FILE, command_lesson},
    {"doctest", "FILE...", "runs the examples in .md, .lua and .txt files", ARG_FILE, command_doctest},
    {"tb", "", "all frames of the latest error, the library's too", ARG_NONE, command_tb},
    {"translate", "CODE", "shows the plain Lua that the code means", ARG_CODE, command_translate},
    {"help", "", "this list", ARG_NONE, command_help},
    {NULL, NULL, NULL, ARG_NONE, NULL},
};

bool complain(const char *format, ...)
{
    va_list args;
    fflush(stdout);
    fputs("tide: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    return false;
}

const Command *command_find(const char *cell, const char **rest)
{
    size_t length = strspn(cell + 1, "abcdefghijklmnopqrstuvwxyz");
    const char *after = cell + 1 + length;
    if (cell[0] != '%' || (*after != '\0' && strchr(" \t\n", *after) == NULL))
        return NULL;
    for (const Command *c = commands; c->name != NULL; c++) {
        if (strlen(c->name) != length || memcmp(c->name, cell + 1, length) != 0)
            continue;
        *rest = after + strspn(after, " \t\n");
        return c;
    }
    return NULL;
}

/* ---- files ----------------------------------------------------------------------------------- */

/* The words of a line, "quoted ones" too; the list and its words are one block that the caller frees. */
static char **split_words(const char *line, int *count)
{
    size_t length = strlen(line), most = length / 2 + 2;
    char **words = malloc(most * sizeof *words + length + 1);
    *count = 0;
    if (words == NULL)
        return NULL;
    char *out = (char *)(words + most);
    for (const char *p = line + strspn(line, " \t"); *p != '\0'; p += strspn(p, " \t")) {
        char quote = *p == '"' || *p == '\'' ? *p++ : '\0';
        words[(*count)++] = out;
        while (*p != '\0' && (quote ? *p != quote : strchr(" \t", *p) == NULL))
            *out++ = *p++;
        *out++ = '\0';
        p += quote != '\0' && *p == quote;
    }
    words[*count] = NULL;
    return words;
}

static bool command_run(Session *s, const char *rest)
{
    int count;
    char **words = split_words(rest, &count);
    bool ok = words != NULL && count > 0;
    if (!ok) {
        complain("%%run needs a file");
    } else if (!lua_checkstack(s->L, count + 1)) {
        ok = complain("too many arguments");
    } else {
        lua_createtable(s->L, count, 0);
        for (int i = 0; i < count; i++) {
            lua_pushstring(s->L, words[i]);
            lua_rawseti(s->L, -2, i);
        }
        lua_pushglobaltable(s->L);
        lua_insert(s->L, -2);
        lua_pushliteral(s->L, "arg");
        lua_insert(s->L, -2);
        lua_rawset(s->L, -3);
        lua_pop(s->L, 1);
        for (int i = 1; i < count; i++)
            lua_pushstring(s->L, words[i]);
        ok = session_run_file(s, words[0], count - 1);
    }
    free(words);
    return ok;
}

static bool command_doctest(Session *s, const char *rest)
{
    int count;
    char **words = split_words(rest, &count);
    DoctestCount all = {0, 0};
    (void)s;
    if (words == NULL || count == 0) {
        free(words);
        return complain("%%doctest needs files");
    }
    for (int i = 0; i < count; i++) {
        DoctestCount one = doctest_file(words[i]);
        all.passed += one.passed;
        all.failed += one.failed;
    }
    doctest_summary(all);
    free(words);
    return all.failed == 0;
}

/* ---- the session ----------------------------------------------------------------------------- */

static bool command_history(Session *s, const char *rest)
{
    bool numbered = starts_with(rest, "-n");
    rest += numbered ? 2 + strspn(rest + 2, " ") : 0;
    char *end;
    long wanted = strtol(rest, &end, 10);
    if (*end != '\0' || wanted < 0)
        return complain("%%history takes -n and a count, not '%s'", rest);
    int first = end > rest && wanted < s->record_count ? s->record_count - (int)wanted : 0;
    for (int i = first; i < s->record_count; i++) {
        if (numbered)
            printf("%4d: ", s->records[i].number);
        for (const char *p = s->records[i].source; *p != '\0'; p++) {
            putchar(*p);
            if (*p == '\n' && numbered)
                fputs("      ", stdout);
        }
        putchar('\n');
    }
    return true;
}

static bool command_reset(Session *s, const char *rest)
{
    (void)rest;
    session_reset(s);
    return true;
}

static bool command_tb(Session *s, const char *rest)
{
    (void)rest;
    return report_traceback(s->L) || complain("no error so far");
}

static bool command_help(Session *s, const char *rest)
{
    (void)s;
    (void)rest;
    for (const Command *c = commands; c->name != NULL; c++) {
        int width = printf("%%%s %s", c->name, c->usage);
        printf("%*s%s\n", width < 24 ? 24 - width : 1, "", c->doc);
    }
    printf("%-24s%s\n%-24s%s\n%-24s%s\n", "!COMMAND", "runs a command of the system's shell", "?NAME, NAME?",
           "what NAME is and does; NAME?? shows its source", "_, __, Out[n], In[n]",
           "the last results, the result and the text of cell n");
    return true;
}

static bool command_translate(Session *s, const char *code)
{
    char name[40];
    session_cell_name(s, name, sizeof name);
    return session_translate(s, code, strlen(code), name, true);
}
