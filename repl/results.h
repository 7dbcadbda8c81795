/* results.h - what a session keeps of its cells: In, Out, _, __, and their texts, all within bounds. */
#ifndef TIDE_REPL_RESULTS_H
#define TIDE_REPL_RESULTS_H

#include "repl/session.h"

/* All of these may raise Lua's memory error: call them protected. */

/* Makes the globals In and Out, empty. */
void results_open(Session *s);
/* Keeps the text of the cell that begins: In[n] and a record. */
void results_begin(Session *s, const char *source, size_t length);
/* Keeps the top n values as the current cell's result: Out[n], _ and __ (several as a table with their
 * count in n), and the text their echo showed. Pops them. Old results are let go when the budget is spent,
 * which is said on stderr. */
void results_keep(Session *s, int n, const char *output);
/* Frees the records and forgets what is held. */
void results_clear(Session *s);
/* Bytes that results may hold. */
size_t results_budget(void);

#endif
