/* place.h - the cells and scripts that make tensors and graph nodes. Included by engine.h. */
#ifndef TIDE_PLACE_H
#define TIDE_PLACE_H

#include <stddef.h>

/* A cell or script, kept for good, once each: a session has few. */
typedef struct Place {
    struct Place *next;
    size_t host, device; /* bytes of tensors alive that were made there, on the CPU and elsewhere */
    char name[];         /* "In [3]", "train.lua" */
} Place;

/* The place of that name; NULL without memory, which is no error, and for NULL. */
Place *place_named(const char *name);
/* Tensors are made there from now on; NULL: nowhere known. */
void place_set(Place *p);
Place *place_now(void);
/* All places, the newest first. */
const Place *places(void);

/* Asked where each recorded op stands: its line, and its place where that is not place_now(); 0 if it cannot tell. */
typedef int (*Locator)(Place **place);
void place_set_locator(Locator locate);
/* What the locator says; 0 and place_now() without one. */
int place_line(Place **place);

#endif
