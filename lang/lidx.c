/* lidx.c - reads idx files (MNIST's format), plain or gzipped, into tensors.
 *
 * An idx file: two zero bytes, a type byte, the number of dims, each dim as a big-endian uint32, then the elements,
 * big-endian. The header is not believed: memory grows with the bytes that really come, up to what it claims. */
#include "lang/bind.h"
#include "lang/lidx.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

enum { FIRST_BYTES = 1 << 20 };

typedef struct IdxHeader {
    DType dtype;
    Dims shape;
    size_t bytes; /* of all elements */
} IdxHeader;

static DType idx_dtype(unsigned char code)
{
    switch (code) {
    case 0x08: return DT_U8;
    case 0x09: return DT_I8;
    case 0x0B: return DT_I16;
    case 0x0C: return DT_I32;
    case 0x0D: return DT_F32;
    case 0x0E: return DT_F64;
    default: return DT_NONE;
    }
}

static const char *errno_kind(int number)
{
    switch (number) {
    case ENOENT: return "FileNotFoundError";
    case EISDIR: return "IsADirectoryError";
    case EACCES: return "PermissionError";
    default: return "OSError";
    }
}

static bool fail_errno(int number, const char *path)
{
    tide_fail(errno_kind(number), "[Errno %d] %s: '%s'", number, strerror(number), path);
    return false;
}

static bool fail_truncated(const char *path)
{
    tide_fail("RuntimeError", "'%s' is truncated: it ends before the data its header announces", path);
    return false;
}

/* Reads exactly n bytes; false and an error if the file ends early or is damaged. */
static bool read_exactly(gzFile file, void *out, size_t n, const char *path)
{
    for (size_t done = 0; done < n;) {
        unsigned want = n - done > FIRST_BYTES ? FIRST_BYTES : (unsigned)(n - done);
        int got = gzread(file, (char *)out + done, want);
        if (got < 0) {
            int code;
            const char *text = gzerror(file, &code);
            if (code == Z_ERRNO) return fail_errno(errno, path);
            if (code == Z_BUF_ERROR) return fail_truncated(path);
            size_t prefix = strlen(path); /* zlib's text is "path: what is wrong" */
            if (strncmp(text, path, prefix) == 0 && text[prefix] == ':') text += prefix + 2;
            tide_fail("RuntimeError", "'%s' is damaged: %s", path, text);
            return false;
        }
        if (got == 0) return fail_truncated(path);
        done += (size_t)got;
    }
    return true;
}

static bool read_header(gzFile file, const char *path, IdxHeader *h)
{
    unsigned char start[4], size[4];
    if (!read_exactly(file, start, sizeof start, path)) return false;
    h->dtype = idx_dtype(start[2]);
    if (start[0] != 0 || start[1] != 0 || h->dtype == DT_NONE || start[3] > TIDE_MAXDIM) {
        tide_fail("ValueError", "'%s' is not an idx file", path);
        return false;
    }
    h->shape.n = start[3];
    h->bytes = dtype_size(h->dtype);
    for (int i = 0; i < h->shape.n; i++) {
        if (!read_exactly(file, size, sizeof size, path)) return false;
        h->shape.v[i] = (int64_t)size[0] << 24 | size[1] << 16 | size[2] << 8 | size[3];
        if (__builtin_mul_overflow(h->bytes, (size_t)h->shape.v[i], &h->bytes)) {
            tide_fail("ValueError", "'%s': the sizes in its header are impossible", path);
            return false;
        }
    }
    return true;
}

/* The elements in a malloc'd block of the header's size; NULL and an error. */
static unsigned char *read_elements(gzFile file, const char *path, size_t bytes)
{
    size_t have = 0, room = bytes < FIRST_BYTES ? bytes : FIRST_BYTES;
    unsigned char *data = malloc(room ? room : 1);
    while (data) {
        if (!read_exactly(file, data + have, room - have, path)) break;
        have = room;
        if (have == bytes) return data;
        room = bytes - have < have ? bytes : 2 * have;
        unsigned char *grown = realloc(data, room);
        if (!grown) {
            tide_fail("RuntimeError", "not enough memory to read '%s'", path);
            break;
        }
        data = grown;
    }
    if (!data) tide_fail("RuntimeError", "not enough memory to read '%s'", path);
    free(data);
    return NULL;
}

static void from_big_endian(unsigned char *data, size_t bytes, size_t size)
{
    for (size_t at = 0; at + size <= bytes; at += size)
        for (size_t i = 0; i < size / 2; i++) {
            unsigned char byte = data[at + i];
            data[at + i] = data[at + size - 1 - i];
            data[at + size - 1 - i] = byte;
        }
}

static Tensor *read_open_file(gzFile file, const char *path)
{
    IdxHeader h;
    if (!read_header(file, path, &h)) return NULL;
    unsigned char *data = read_elements(file, path, h.bytes);
    if (!data) return NULL;
    unsigned char surplus;
    if (gzread(file, &surplus, 1) != 0) {
        free(data);
        return tide_fail("ValueError", "'%s' holds more than its header announces", path);
    }
    from_big_endian(data, h.bytes, dtype_size(h.dtype));
    Tensor *t = tensor_from_memory(data, &h.shape, h.dtype, free, data);
    if (!t) free(data);
    return t;
}

static Tensor *read_path(const char *path)
{
    struct stat about;
    if (stat(path, &about) != 0) {
        fail_errno(errno, path);
        return NULL;
    }
    if (S_ISDIR(about.st_mode)) {
        fail_errno(EISDIR, path);
        return NULL;
    }
    gzFile file = gzopen(path, "rb");
    if (!file) {
        fail_errno(errno ? errno : ENOMEM, path);
        return NULL;
    }
    Tensor *t = read_open_file(file, path);
    gzclose_r(file);
    return t;
}

int lua_read_idx(lua_State *L)
{
    if (lua_type(L, 1) != LUA_TSTRING)
        return raise_error(L, "TypeError", "read_idx(): argument 'path' (position 1) must be str, not %s", type_word(L, 1));
    return give(L, read_path(lua_tostring(L, 1)));
}
