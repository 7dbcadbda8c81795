/* program.c - programs: built from source once, kept in memory by key and on disk as the driver's binaries.
 */
#include "engine/opencl/internal.h"

#include "engine/opencl/embed.h"
#include "engine/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *cl_source(const char *name)
{
    for (const ClSource *s = tide_cl_sources; s->name; s++)
        if (strcmp(s->name, name) == 0) return s->bytes;
    return ""; /* unreachable: names are literals of this folder's files */
}

/* ---- the disk: one file a program, XDG_CACHE_HOME/tide/opencl/<digest> ---- */

typedef struct Digest {
    uint64_t a, b;
} Digest;

/* What a file holds: this, then size bytes. Anything else is as good as no file. */
typedef struct CacheHeader {
    char magic[8];
    Digest key;
    uint64_t size, sum;
} CacheHeader;

static const char cache_magic[8] = "tidecl1";
#define CACHE_LARGEST ((off_t)1 << 28)

static uint64_t hash(uint64_t h, const void *bytes, size_t n)
{
    const uint8_t *p = bytes;
    for (size_t i = 0; i < n; i++) h = (h ^ p[i]) * 0x100000001b3u;
    return h ^ h >> 29;
}

static Digest digest(const ClDevice *d, const Text *source)
{
    Digest key = {0xcbf29ce484222325u, 0x9ae16a3b2f90404fu};
    key.a = hash(hash(key.a, d->identity, strlen(d->identity) + 1), source->s, source->length);
    key.b = hash(hash(key.b, source->s, source->length), d->identity, strlen(d->identity) + 1);
    return key;
}

/* The folder, made when it is missing; false when there is no place for one: then nothing is kept. */
static bool cache_folder(char *path, size_t size)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    int n;
    if (cache && *cache == '/')
        n = snprintf(path, size, "%s/tide/opencl", cache);
    else if (home && *home == '/')
        n = snprintf(path, size, "%s/.cache/tide/opencl", home);
    else
        return false;
    if (n < 0 || (size_t)n >= size) return false;
    for (char *p = path + 1; *p; p++) {
        if (*p != '/') continue;
        *p = 0;
        bool stop = mkdir(path, 0700) != 0 && errno != EEXIST;
        *p = '/';
        if (stop) return false;
    }
    return mkdir(path, 0700) == 0 || errno == EEXIST;
}

static bool read_all(int fd, void *to, size_t n)
{
    for (size_t at = 0; at < n;) {
        ssize_t got = read(fd, (char *)to + at, n - at);
        if (got <= 0 && !(got < 0 && errno == EINTR)) return false;
        if (got > 0) at += (size_t)got;
    }
    return true;
}

static bool write_all(int fd, const void *from, size_t n)
{
    for (size_t at = 0; at < n;) {
        ssize_t put = write(fd, (const char *)from + at, n - at);
        if (put < 0 && errno != EINTR) return false;
        if (put > 0) at += (size_t)put;
    }
    return true;
}

/* The binary, malloc'd, or NULL when the file is missing, cut, or not what its header says. */
static unsigned char *cache_read(const char *path, Digest key, size_t *size)
{
    CacheHeader h;
    struct stat st;
    unsigned char *bytes = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return NULL;
    bool good = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > (off_t)sizeof h &&
                st.st_size < CACHE_LARGEST && read_all(fd, &h, sizeof h) &&
                memcmp(h.magic, cache_magic, sizeof h.magic) == 0 && h.key.a == key.a && h.key.b == key.b &&
                h.size == (uint64_t)st.st_size - sizeof h;
    if (good && (bytes = malloc((size_t)h.size)) != NULL) {
        good = read_all(fd, bytes, (size_t)h.size) && hash(0, bytes, (size_t)h.size) == h.sum;
        *size = (size_t)h.size;
    }
    close(fd);
    if (good) return bytes;
    free(bytes);
    return NULL;
}

/* Written beside and renamed, so that a reader sees all of it or nothing. */
static void cache_write(const char *path, Digest key, const void *bytes, size_t size)
{
    char temporary[4200];
    CacheHeader h = {.key = key, .size = size, .sum = hash(0, bytes, size)};
    memcpy(h.magic, cache_magic, sizeof h.magic);
    snprintf(temporary, sizeof temporary, "%s.XXXXXX", path);
    int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0) return;
    bool ok = write_all(fd, &h, sizeof h) && write_all(fd, bytes, size);
    ok = close(fd) == 0 && ok;
    if (!ok || rename(temporary, path) != 0) unlink(temporary);
}

static void cache_keep(const char *path, Digest key, cl_program program)
{
    size_t size = 0;
    if (clGetProgramInfo(program, CL_PROGRAM_BINARY_SIZES, sizeof size, &size, NULL) != CL_SUCCESS ||
        size == 0)
        return;
    unsigned char *bytes = malloc(size);
    if (bytes && clGetProgramInfo(program, CL_PROGRAM_BINARIES, sizeof bytes, &bytes, NULL) == CL_SUCCESS)
        cache_write(path, key, bytes, size);
    free(bytes);
}

/* ---- building ---- */

static cl_program from_binary(const ClDevice *d, const unsigned char *bytes, size_t size)
{
    cl_int status, loaded = CL_SUCCESS;
    cl_program program = clCreateProgramWithBinary(d->context, 1, &d->id, &size, &bytes, &loaded, &status);
    if (status != CL_SUCCESS) return NULL;
    if (loaded == CL_SUCCESS && clBuildProgram(program, 1, &d->id, d->options, NULL, NULL) == CL_SUCCESS)
        return program;
    clReleaseProgram(program);
    return NULL;
}

/* The compiler's own words, cut to what an error holds. */
static void refuse_source(const ClDevice *d, cl_program program, cl_int status)
{
    char log[1600] = "";
    size_t size = 0;
    clGetProgramBuildInfo(program, d->id, CL_PROGRAM_BUILD_LOG, 0, NULL, &size);
    char *whole = size ? calloc(1, size + 1) : NULL;
    if (whole && clGetProgramBuildInfo(program, d->id, CL_PROGRAM_BUILD_LOG, size, whole, NULL) == CL_SUCCESS)
        snprintf(log, sizeof log, "%s", whole);
    free(whole);
    if (*log)
        tide_fail("RuntimeError", "OpenCL: clBuildProgram (error %d) on %s:\n%s", (int)status, d->name, log);
    else
        cl_ok(status, "clBuildProgram");
}

static cl_program from_source(const ClDevice *d, const Text *source)
{
    cl_int status;
    const char *s = source->s;
    cl_program program = clCreateProgramWithSource(d->context, 1, &s, &source->length, &status);
    if (!cl_ok(status, "clCreateProgramWithSource")) return NULL;
    status = clBuildProgram(program, 1, &d->id, d->options, NULL, NULL);
    if (status == CL_SUCCESS) return program;
    refuse_source(d, program, status);
    clReleaseProgram(program);
    return NULL;
}

static cl_program build(const ClDevice *d, const Text *source)
{
    char folder[4000], path[4100];
    Digest key = digest(d, source);
    bool cached = d->keeps_binaries && cache_folder(folder, sizeof folder);
    if (cached) {
        size_t size = 0;
        snprintf(path, sizeof path, "%s/%016llx%016llx", folder, (unsigned long long)key.a,
                 (unsigned long long)key.b);
        unsigned char *bytes = cache_read(path, key, &size);
        cl_program program = bytes ? from_binary(d, bytes, size) : NULL;
        free(bytes);
        if (program) return program;
    }
    cl_program program = from_source(d, source);
    if (program && cached) cache_keep(path, key, program);
    return program;
}

/* ---- what is loaded: two small hash tables that only grow, programs by key and kernels by key and name ----
 */

typedef struct Entry {
    struct Entry *next;
    cl_program program; /* one of the two */
    cl_kernel kernel;
    char key[]; /* "<device> <key>", for kernels also " <name>" */
} Entry;

enum { BUCKETS = 1024 };
static Entry *programs[BUCKETS], *kernels[BUCKETS];

static Entry **bucket(Entry **table, const char *key)
{
    return &table[hash(0xcbf29ce484222325u, key, strlen(key)) % BUCKETS];
}

static Entry *find(Entry **table, const char *key)
{
    Entry *e = *bucket(table, key);
    while (e && strcmp(e->key, key) != 0) e = e->next;
    return e;
}

static Entry *insert(Entry **table, const char *key)
{
    size_t n = strlen(key) + 1;
    Entry *e = tide_malloc(sizeof *e + n);
    if (!e) return NULL;
    *e = (Entry){.next = *bucket(table, key)};
    memcpy(e->key, key, n);
    *bucket(table, key) = e;
    return e;
}

static cl_program program_of(ClDevice *d, const char *key, SourceWriter write, const void *context)
{
    Entry *e = find(programs, key);
    if (e) return e->program;
    Text source = {0};
    cl_program program = write(&source, context) && source.s ? build(d, &source) : NULL;
    text_free(&source);
    if (!program) return NULL;
    if (!(e = insert(programs, key))) {
        clReleaseProgram(program);
        return NULL;
    }
    return e->program = program;
}

cl_kernel cl_program_kernel(ClDevice *d, const char *key, const char *name, SourceWriter write,
                            const void *context)
{
    char full[512];
    int program_length = snprintf(full, sizeof full, "%d%c %s", d->index, d->is_cpu ? 'c' : 'g', key);
    snprintf(full + program_length, sizeof full - (size_t)program_length, " %s", name);
    Entry *e = find(kernels, full);
    if (e) return e->kernel;
    full[program_length] = 0;
    cl_program program = program_of(d, full, write, context);
    if (!program) return NULL;
    full[program_length] = ' ';
    cl_int status;
    cl_kernel kernel = clCreateKernel(program, name, &status);
    if (!cl_ok(status, "clCreateKernel")) return NULL;
    if (!(e = insert(kernels, full))) {
        clReleaseKernel(kernel);
        return NULL;
    }
    return e->kernel = kernel;
}
