/* A small terminal: turns the bytes a program writes into the lines its user would see. */
#include "harness.h"

#include <stdlib.h>
#include <string.h>

enum { GLYPH = 8, PARAMETERS = 8, MAX_ROWS = 4000 };

typedef enum State { GROUND, ESCAPE, CONTROL, STRING, STRING_ESCAPE, CHARSET } State;

/* cell[row * columns + column] is one UTF-8 character, "" for a blank; the scrolled-off rows come first. */
struct Screen {
    int height, columns;
    int row, column; /* row counts from the oldest line */
    int used;        /* rows touched so far */
    char (*cell)[GLYPH];
    State state;
    int parameter[PARAMETERS], parameters;
    bool wrap_pending; /* the last column was written: the next character goes to the next row */
};

Screen *screen_new(int rows, int columns)
{
    Screen *s = allocate(sizeof *s);
    s->height = rows;
    s->columns = columns;
    s->used = 1;
    s->cell = allocate((size_t)MAX_ROWS * (size_t)columns * GLYPH);
    return s;
}

void screen_free(Screen *s)
{
    free(s->cell);
    free(s);
}

static char *glyph_at(const Screen *s, int row, int column)
{
    return s->cell[row * s->columns + column];
}

static int top(const Screen *s)
{
    return s->used > s->height ? s->used - s->height : 0;
}

static void move_to(Screen *s, int row, int column)
{
    int last = top(s) + s->height - 1;
    row = row < top(s) ? top(s) : row > last ? last : row;
    row = row >= MAX_ROWS ? MAX_ROWS - 1 : row;
    s->row = row;
    s->column = column < 0 ? 0 : column >= s->columns ? s->columns - 1 : column;
    s->wrap_pending = false;
    if (s->row >= s->used)
        s->used = s->row + 1;
}

static void line_feed(Screen *s)
{
    if (s->row + 1 >= MAX_ROWS)
        return;
    s->row++;
    s->wrap_pending = false;
    if (s->row >= s->used)
        s->used = s->row + 1;
}

static void erase(Screen *s, int row, int from, int to)
{
    for (int column = from; column < to; column++)
        glyph_at(s, row, column)[0] = '\0';
}

static int parameter(const Screen *s, int i, int otherwise)
{
    return i < s->parameters && s->parameter[i] > 0 ? s->parameter[i] : otherwise;
}

static void erase_in_display(Screen *s)
{
    int mode = parameter(s, 0, 0);
    int first = mode == 0 ? s->row + 1 : top(s);
    int last = mode == 1 ? s->row : s->used;
    for (int row = first; row < last; row++)
        erase(s, row, 0, s->columns);
    if (mode == 0)
        erase(s, s->row, s->column, s->columns);
    else if (mode == 1)
        erase(s, s->row, 0, s->column + 1);
}

static void erase_in_line(Screen *s)
{
    int mode = parameter(s, 0, 0);
    erase(s, s->row, mode == 0 ? s->column : 0, mode == 1 ? s->column + 1 : s->columns);
}

static void shift_line(Screen *s, int by)
{
    for (int i = 0; i < s->columns - s->column; i++) {
        int to = by > 0 ? s->columns - 1 - i : s->column + i;
        int from = to - by;
        if (from >= s->column && from < s->columns)
            memcpy(glyph_at(s, s->row, to), glyph_at(s, s->row, from), GLYPH);
        else
            glyph_at(s, s->row, to)[0] = '\0';
    }
}

static void control(Screen *s, char final)
{
    int n = parameter(s, 0, 1);
    switch (final) {
    case 'A': move_to(s, s->row - n, s->column); break;
    case 'B': move_to(s, s->row + n, s->column); break;
    case 'C': move_to(s, s->row, s->column + n); break;
    case 'D': move_to(s, s->row, s->column - n); break;
    case 'G': move_to(s, s->row, n - 1); break;
    case 'H': move_to(s, top(s) + n - 1, parameter(s, 1, 1) - 1); break;
    case 'J': erase_in_display(s); break;
    case 'K': erase_in_line(s); break;
    case 'P': shift_line(s, -n); break;
    case '@': shift_line(s, n); break;
    default: break; /* colours and modes leave no mark on the text */
    }
}

static void put_glyph(Screen *s, const char *bytes, size_t length)
{
    if (s->wrap_pending) {
        line_feed(s);
        s->column = 0;
    }
    char *glyph = glyph_at(s, s->row, s->column);
    memcpy(glyph, bytes, length);
    glyph[length] = '\0';
    if (s->column + 1 < s->columns)
        s->column++;
    else
        s->wrap_pending = true;
}

static size_t glyph_length(const char *bytes, size_t left)
{
    unsigned char c = (unsigned char)bytes[0];
    size_t length = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc0 ? 2 : 1;
    return length <= left ? length : left;
}

static size_t write_ground(Screen *s, const char *bytes, size_t left)
{
    switch (bytes[0]) {
    case '\033': s->state = ESCAPE; return 1;
    case '\r': move_to(s, s->row, 0); return 1;
    case '\n': line_feed(s); return 1;
    case '\b': move_to(s, s->row, s->column - 1); return 1;
    case '\t': move_to(s, s->row, (s->column / 8 + 1) * 8); return 1;
    default: break;
    }
    if ((unsigned char)bytes[0] < 32 || bytes[0] == 127)
        return 1;
    size_t length = glyph_length(bytes, left);
    put_glyph(s, bytes, length);
    return length;
}

static void write_control(Screen *s, char c)
{
    if (c >= '0' && c <= '9') {
        if (s->parameters == 0)
            s->parameters = 1;
        int *p = &s->parameter[s->parameters - 1];
        *p = *p < 1000 ? *p * 10 + (c - '0') : *p;
    } else if (c == ';') {
        s->parameters = s->parameters == 0 ? 2 : s->parameters < PARAMETERS ? s->parameters + 1 : PARAMETERS;
    } else if (c >= '@' && c <= '~') {
        s->state = GROUND;
        control(s, c);
    } /* else an intermediate or private mark such as '?' */
}

static void write_escape(Screen *s, char c)
{
    s->state = GROUND;
    if (c == '[') {
        s->state = CONTROL;
        s->parameters = 0;
        memset(s->parameter, 0, sizeof s->parameter);
    } else if (c == ']' || c == 'P' || c == '_') {
        s->state = STRING;
    } else if (c == '(' || c == ')') {
        s->state = CHARSET;
    } else if (c == 'M') {
        move_to(s, s->row - 1, s->column);
    }
}

void screen_write(Screen *s, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length;) {
        char c = bytes[i];
        if (s->state == GROUND) {
            i += write_ground(s, bytes + i, length - i);
            continue;
        }
        i++;
        switch (s->state) {
        case ESCAPE: write_escape(s, c); break;
        case CONTROL: write_control(s, c); break;
        case STRING: s->state = c == '\a' ? GROUND : c == '\033' ? STRING_ESCAPE : STRING; break;
        default: s->state = GROUND; break;
        }
    }
}

Lines screen_lines(const Screen *s)
{
    Text text = {0};
    size_t kept = 0; /* the text up to the last line that is not blank */
    text_puts(&text, "");
    for (int row = 0; row < s->used; row++) {
        int width = s->columns;
        while (width > 0 && (glyph_at(s, row, width - 1)[0] == '\0' || glyph_at(s, row, width - 1)[0] == ' '))
            width--;
        for (int column = 0; column < width; column++)
            text_puts(&text, glyph_at(s, row, column)[0] == '\0' ? " " : glyph_at(s, row, column));
        text_puts(&text, "\n");
        if (width > 0)
            kept = text.length;
    }
    Lines lines = lines_of(text.data, kept);
    text_free(&text);
    return lines;
}
