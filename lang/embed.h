/* The Lua library's files as the build embeds them (from lang/lua); the last row's name is NULL. */
#ifndef TIDE_LANG_EMBED_H
#define TIDE_LANG_EMBED_H

#include <stddef.h>

typedef struct EmbeddedFile {
    const char *name;  /* path below lang/lua without its ending: "nn/module" */
    const char *bytes; /* the text, with a NUL after it */
    size_t length;     /* without that NUL */
} EmbeddedFile;

extern const EmbeddedFile tide_embedded[];
extern const size_t tide_embedded_count;

#endif
