/* text.h - text that grows, for program sources. */
#ifndef TIDE_OPENCL_TEXT_H
#define TIDE_OPENCL_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* All zero is an empty text. s is owned: text_free. After a failed allocation (its error is recorded) s is
 * NULL and additions do nothing. */
typedef struct Text {
    char *s; /* NUL-terminated once something was added */
    size_t length, room;
    bool failed;
} Text;

void text_add(Text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_put(Text *t, const char *s);
void text_free(Text *t);

#endif
