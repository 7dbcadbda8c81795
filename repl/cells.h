/* cells.h - cells found in files: examples in documents, cells of lessons and of saved sessions. */
#ifndef TIDE_REPL_CELLS_H
#define TIDE_REPL_CELLS_H

#include "repl/buffer.h"

/* One cell of a file. The list it is in owns its texts. */
typedef struct Cell {
    int line;        /* of its first line, from 1 */
    Buffer title;    /* what stands behind "--%%" */
    Buffer source;   /* lines, each with its newline */
    Buffer expected; /* what the file says it prints */
} Cell;

/* cells_free releases it. */
typedef struct Cells {
    Cell *list;
    int count, capacity;
    bool failed; /* memory was out: the list is incomplete */
} Cells;

/* Appends an empty cell and returns it; never NULL (without memory it is a scrap, and `failed` is set). */
Cell *cells_add(Cells *cells, int line);
void cells_free(Cells *cells);

/* The examples of a document: ">>> " lines with their "... " lines, and what stands under them up to the
 * next example, a fence (```), or, in Lua text, the end of the comment. */
void cells_of_document(Cells *cells, const char *text, size_t length, bool lua);
/* A lesson's cells: a line "--%% title" begins each; its "--> " lines are what it prints. Text in front of
 * the first such line is a cell too, if it is not blank. Text without such a line is one cell. */
void cells_of_lesson(Cells *cells, const char *text, size_t length);
bool is_lesson(const char *text, size_t length);
/* The ```lua blocks of a Markdown text; a block with ">>> " lines gives the cells of these. */
void cells_of_markdown(Cells *cells, const char *text, size_t length);
/* The code cells of a Jupyter notebook. False when the text is no notebook. */
bool cells_of_notebook(Cells *cells, const char *text, size_t length);
/* Reads a file by its name's ending: .ipynb, .md, otherwise Lua. False with errno set; 0 when it is no
 * notebook. */
bool cells_of_file(Cells *cells, const char *path);

/* Removes the prompts of a pasted transcript: when the first line begins with ">>> " or "In [n]: ", only
 * the lines with such prompts are kept, without them. Otherwise the text stays. In place; returns whether
 * anything changed. */
bool strip_prompts(char *text);

#endif
