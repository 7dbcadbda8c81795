/* notebook.h - sessions as Jupyter notebooks (nbformat 4.4); reading is cells_of_notebook in cells.h. */
#ifndef TIDE_REPL_NOTEBOOK_H
#define TIDE_REPL_NOTEBOOK_H

#include "repl/buffer.h"

/* Begins a notebook, adds code cells to it, ends it. `printed` is what the cell printed, `output` the echo's text;
 * either may be NULL or "". */
void notebook_begin(Buffer *out);
void notebook_add(Buffer *out, int number, const char *source, const char *printed, const char *output,
                  bool first);
void notebook_end(Buffer *out);

#endif
