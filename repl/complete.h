/* complete.h - Tab completion. */
#ifndef TIDE_REPL_COMPLETE_H
#define TIDE_REPL_COMPLETE_H

#include "repl/session.h"

/* Which session's names complete, and the lines of the cell in front of the one that is edited. Both are
 * borrowed until the next call. */
void complete_in(Session *s, const char *before);
/* Hooks completion into the line editor. */
void complete_install(void);

#endif
