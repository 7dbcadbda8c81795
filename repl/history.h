/* history.h - the cells typed so far, kept in a file across sessions and in readline's list. */
#ifndef TIDE_REPL_HISTORY_H
#define TIDE_REPL_HISTORY_H

#include <stddef.h>

/* Fills readline's list from the file; a missing or unreadable file leaves it empty. */
void cell_history_load(void);
/* Adds one cell, its lines joined by \n, to readline's list and to the end of the file. What cannot be
 * written is only kept for this session. A cell equal to the last one, or starting with a blank, is not
 * added. */
void cell_history_add(const char *cell);

#endif
