/* Cells that are no Lua: %command, !command, ?name, name?. */
#include "repl/special.h"
#include "repl/commands.h"
#include "repl/buffer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "lang/lang.h"

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == ':';
}

/* "name?" or "name??": the length of the name, 0 if the line is no such question. */
static size_t asked_before(const char *line, size_t length)
{
    size_t name = 0;
    while (name < length && is_name_char(line[name]))
        name++;
    size_t marks = name;
    while (marks < length && line[marks] == '?')
        marks++;
    size_t rest = marks;
    while (rest < length && strchr(" \t\r", line[rest]) != NULL)
        rest++;
    return rest == length && marks > name && marks - name <= 2 ? name : 0;
}

static size_t leading_blanks(const char *source, size_t length)
{
    size_t n = 0;
    while (n < length && (source[n] == ' ' || source[n] == '\t'))
        n++;
    return n;
}

bool special_is(const char *source, size_t length)
{
    size_t skip = leading_blanks(source, length);
    const char *line = source + skip;
    size_t first = line_length(line, source + length);
    if (first == 0)
        return false;
    return *line == '%' || *line == '!' || *line == '?' || asked_before(line, first) > 0;
}

size_t special_end(const char *source, size_t length)
{
    const char *rest;
    size_t skip = leading_blanks(source, length), line = line_length(source, source + length);
    size_t whole_line = line < length ? line + 1 : line;
    const Command *command = source[skip] == '%' ? command_find(source + skip, &rest) : NULL;
    if (command == NULL || command->argument != ARG_CODE || rest >= source + line)
        return whole_line;
    size_t head = (size_t)(rest - source), end = lang_cell_end(rest, length - head);
    return end == 0 ? 0 : head + end;
}

static bool run_system(const char *command)
{
    fflush(stdout);
    int status = system(command);
    if (status == -1)
        return complain("cannot run the system's shell: %s", strerror(errno));
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    if (WIFEXITED(status))
        return complain("exit status %d", WEXITSTATUS(status));
    return complain("ended by signal %d", WTERMSIG(status));
}

static bool run_command(Session *s, const char *cell)
{
    const char *rest;
    const Command *command = command_find(cell, &rest);
    if (command == NULL)
        return complain("there is no command %.*s; %%help lists them", (int)strcspn(cell, " \t"), cell);
    return command->run(s, rest);
}

/* ?name, ??name, name?, name??; a bare ? lists the chapters. */
static bool answer(Session *s, char *question)
{
    bool source = strstr(question, "??") != NULL;
    char *name = question + strspn(question, "? \t");
    name[strcspn(name, "? \t\r")] = '\0';
    return session_help(s, name, source);
}

bool special_run(Session *s, const char *source, size_t length)
{
    size_t skip = leading_blanks(source, length);
    while (length > skip && strchr(" \t\r\n", source[length - 1]) != NULL)
        length--;
    char *cell = strndup(source + skip, length - skip);
    if (cell == NULL)
        return complain("not enough memory");
    bool ok = cell[0] == '%' ? run_command(s, cell) : cell[0] == '!' ? run_system(cell + 1) : answer(s, cell);
    free(cell);
    return ok;
}
