/* error.c - the engine's pending error and its interrupt flag. */
#include "engine/error.h"

#include <stdarg.h>
#include <stdio.h>

static TideError pending;
volatile sig_atomic_t tide_interrupted;

void *tide_fail(const char *kind, const char *format, ...)
{
    if (!pending.kind) {
        va_list ap;
        va_start(ap, format);
        vsnprintf(pending.text, sizeof pending.text, format, ap);
        va_end(ap);
        pending.kind = kind;
        pending.note[0] = '\0';
        pending.number++;
    }
    return NULL;
}

void tide_error_note(const char *format, ...)
{
    if (!pending.kind || pending.note[0]) return;
    va_list ap;
    va_start(ap, format);
    vsnprintf(pending.note, sizeof pending.note, format, ap);
    va_end(ap);
}

bool tide_failed(void) { return pending.kind != NULL; }
const TideError *tide_error(void) { return &pending; }
void tide_error_clear(void) { pending.kind = NULL; }

bool tide_check_interrupt(void)
{
    if (!tide_interrupted) return false;
    tide_interrupted = 0;
    tide_fail("KeyboardInterrupt", "interrupted");
    return true;
}
