/* text.c - text that grows, for program sources. */
#include "engine/opencl/text.h"

#include "engine/store.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool text_room(Text *t, size_t more)
{
    if (t->failed) return false;
    if (t->length + more + 1 <= t->room) return true;
    size_t room = t->room ? t->room : 4096;
    while (room < t->length + more + 1) room *= 2;
    char *s = tide_realloc(t->s, room);
    if (!s) {
        text_free(t);
        t->failed = true;
        return false;
    }
    t->s = s;
    t->room = room;
    return true;
}

void text_add(Text *t, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    int n = vsnprintf(NULL, 0, format, ap);
    va_end(ap);
    if (n < 0 || !text_room(t, (size_t)n)) return;
    va_start(ap, format);
    vsnprintf(t->s + t->length, t->room - t->length, format, ap);
    va_end(ap);
    t->length += (size_t)n;
}

void text_put(Text *t, const char *s)
{
    size_t n = strlen(s);
    if (!text_room(t, n)) return;
    memcpy(t->s + t->length, s, n + 1);
    t->length += n;
}

void text_free(Text *t)
{
    free(t->s);
    *t = (Text){0};
}
