/* The OpenCL sources of engine/opencl/kernels as the build embeds them; the last row's name is NULL. */
#ifndef TIDE_OPENCL_EMBED_H
#define TIDE_OPENCL_EMBED_H

#include <stddef.h>

typedef struct ClSource {
    const char *name;  /* path below kernels/ without its ending: "reduce" */
    const char *bytes; /* the text, with a NUL after it */
    size_t length;     /* without that NUL */
} ClSource;

extern const ClSource tide_cl_sources[];
extern const size_t tide_cl_sources_count;

#endif
