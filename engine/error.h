/* error.h - the engine's one pending error, and the interrupt flag.
 *
 * A failing function records the error and returns NULL or false; callers pass NULL on, so the first
 * error of a nested formula is the one that is kept. Nothing in the engine longjmps. */
#ifndef TIDE_ERROR_H
#define TIDE_ERROR_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

/* Kinds are PyTorch's exception classes: "RuntimeError", "IndexError", "TypeError", "ValueError",
 * "NotImplementedError", "MemoryError" (Python's name for a failed host allocation), "KeyboardInterrupt". */
typedef struct TideError {
    const char *kind;   /* NULL when no error is pending */
    char text[2048];    /* without the kind; cut, never overrun */
    char note[512];     /* what else helps a reader, "": nothing; no part of the message */
    unsigned number;    /* of errors recorded so far: tells them apart */
} TideError;

/* Records an error unless one is pending already. Returns NULL, so that `return tide_fail(…)` reads well. */
void *tide_fail(const char *kind, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same for bool functions: returns false. */
#define tide_refuse(...) (tide_fail(__VA_ARGS__) != NULL)

/* Adds a note to the pending error, unless it has one. */
void tide_error_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

bool tide_failed(void);
const TideError *tide_error(void);
void tide_error_clear(void);

/* Set from a signal handler to stop the engine's loops; they fail with KeyboardInterrupt at the next block. */
extern volatile sig_atomic_t tide_interrupted;

/* True (and the error recorded, the flag cleared) when an interrupt is pending. Main thread only. */
bool tide_check_interrupt(void);

#endif
