/* commands.h - the %commands of the shell: one table, in commands.c. */
#ifndef TIDE_REPL_COMMANDS_H
#define TIDE_REPL_COMMANDS_H

#include "repl/session.h"

/* What a command's argument is: how completion and the end of its cell go. */
typedef enum Argument { ARG_NONE, ARG_CODE, ARG_FILE, ARG_TEXT } Argument;

typedef struct Command {
    const char *name;
    const char *usage; /* its argument, as %help shows it */
    const char *doc;
    Argument argument;
    /* rest is what stands behind the name, without blanks around it. Returns whether it went well; what
     * went wrong is reported already. */
    bool (*run)(Session *s, const char *rest);
} Command;

extern const Command commands[]; /* ends with a row of NULLs */

/* The command a cell "%name rest" names, with *rest; NULL if there is none of that name. */
const Command *command_find(const char *cell, const char **rest);

/* The commands, by file. */
bool command_time(Session *s, const char *code); /* timing.c */
bool command_timeit(Session *s, const char *code);
bool command_who(Session *s, const char *rest); /* variables.c */
bool command_whos(Session *s, const char *rest);
bool command_mem(Session *s, const char *rest);
bool command_explain(Session *s, const char *code); /* teach.c */
bool command_trace(Session *s, const char *code);
bool command_graph(Session *s, const char *code);
bool command_save(Session *s, const char *path); /* save.c */
bool command_load(Session *s, const char *path);
bool command_lesson(Session *s, const char *path);

/* Prints "tide: " and the message on standard error, after what is on its way to standard output. Returns
 * false. */
bool complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
