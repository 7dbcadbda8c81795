/* terminal.h - the line editor and colours: everything that knows what a terminal is. */
#ifndef TIDE_REPL_TERMINAL_H
#define TIDE_REPL_TERMINAL_H

#include <stdbool.h>

typedef enum LineStatus {
    LINE_READ,
    LINE_INTERRUPTED, /* Ctrl-C: what was typed is dropped */
    LINE_END          /* Ctrl-D on an empty line, or the terminal went away */
} LineStatus;

typedef enum Colour { COLOUR_PROMPT, COLOUR_RESULT, COLOUR_ERROR, COLOUR_DIM, COLOUR_COUNT } Colour;

/* Decides about colours: only on a terminal, never with NO_COLOR or TERM=dumb. */
void terminal_open(void);
/* Whether the stream gets colours. */
bool terminal_coloured(int fd);
/* The escape sequence that begins a colour on this stream, or ends any (terminal_plain); "" without
 * colours. */
const char *terminal_colour(int fd, Colour colour);
const char *terminal_plain(int fd);
/* Columns of the terminal, 80 when that is unknown. */
int terminal_columns(void);

/* Shows the prompt (plain text; it is coloured here) and edits one line, which pasted text may make
 * several; *line is malloc'd and only set with LINE_READ. The user's inputrc, completion and history
 * apply. */
LineStatus terminal_read_line(const char *prompt, char **line);

#endif
