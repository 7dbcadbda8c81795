/* shell.h - the two ways of feeding cells to a session: a person at a terminal, and a pipe. */
#ifndef TIDE_REPL_SHELL_H
#define TIDE_REPL_SHELL_H

#include "repl/session.h"

/* The notebook, until Ctrl-D; with a banner first. */
void shell_run(Session *s, bool banner);
/* Reads cells from standard input to its end, echoing results without prompts. */
void shell_run_piped(Session *s);

#endif
