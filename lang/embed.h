/* The Lua library's files (lang/lua) and the texts of ?name (lang/help) as the build embeds them; the last row's
 * name is NULL. */
#ifndef TIDE_LANG_EMBED_H
#define TIDE_LANG_EMBED_H

#include <stddef.h>

typedef struct EmbeddedFile {
    const char *name;  /* path below its folder without the ending: "nn/module" */
    const char *bytes; /* the text, with a NUL after it */
    size_t length;     /* without that NUL */
} EmbeddedFile;

extern const EmbeddedFile tide_embedded[];
extern const size_t tide_embedded_count;
extern const EmbeddedFile tide_help[];
extern const size_t tide_help_count;

#endif
