/* notebook.h - sessions as Jupyter notebooks (nbformat 4.4); reading is cells_of_notebook in cells.h. */
#ifndef TIDE_REPL_NOTEBOOK_H
#define TIDE_REPL_NOTEBOOK_H

#include "repl/text.h"

/* Begins a notebook, adds code cells to it, ends it. `output` is the echo's text, NULL or "" when there was none. */
void notebook_begin(Text *out);
void notebook_add(Text *out, int number, const char *source, const char *output, bool first);
void notebook_end(Text *out);

#endif
