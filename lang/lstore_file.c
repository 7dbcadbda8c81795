/* lstore_file.c - files read at checked offsets, files written atomically, and the values found in them. */
#include "lang/lstore.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum { CHUNK = 1 << 20 }; /* bytes between two looks for Ctrl-C */

/* ---- errors ---- */

static const char *errno_kind(int number)
{
    switch (number) {
    case ENOENT: return "FileNotFoundError";
    case EISDIR: return "IsADirectoryError";
    case ENOTDIR: return "NotADirectoryError";
    case EACCES: return "PermissionError";
    default: return "OSError";
    }
}

bool store_errno(int number, const char *path)
{
    return tide_refuse(errno_kind(number), "[Errno %d] %s: '%s'", number, strerror(number), path);
}

bool store_damaged(const StoreFile *f, const char *what)
{
    return tide_refuse("ValueError", "'%s' is damaged: %s", f->path, what);
}

/* ---- reading ---- */

bool store_open(StoreFile *f, const char *path)
{
    struct stat about;
    f->path = path;
    f->fd = -1;
    /* looked at before it is opened: opening a pipe would wait for its writer */
    if (stat(path, &about) != 0) return store_errno(errno, path);
    if (S_ISDIR(about.st_mode)) return store_errno(EISDIR, path);
    if (!S_ISREG(about.st_mode)) return tide_refuse("OSError", "'%s' is not a regular file", path);
    f->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (f->fd < 0) return store_errno(errno, path);
    if (fstat(f->fd, &about) != 0) {
        store_errno(errno, path);
        store_close(f);
        return false;
    }
    f->size = about.st_size;
    return true;
}

void store_close(StoreFile *f)
{
    if (f->fd >= 0) close(f->fd);
    f->fd = -1;
}

bool store_read(StoreFile *f, int64_t at, void *out, size_t n)
{
    if (at < 0 || at > f->size || n > (size_t)(f->size - at))
        return tide_refuse("RuntimeError", "'%s' is truncated: it ends before the data its header announces",
                           f->path);
    for (size_t done = 0; done < n;) {
        if (tide_check_interrupt()) return false;
        ssize_t got = pread(f->fd, (char *)out + done, n - done < CHUNK ? n - done : CHUNK,
                            (off_t)(at + (int64_t)done));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return store_errno(errno, f->path);
        if (got == 0) return tide_refuse("RuntimeError", "'%s' became shorter while it was read", f->path);
        done += (size_t)got;
    }
    return true;
}

unsigned char *store_read_block(StoreFile *f, int64_t at, size_t n)
{
    if (at < 0 || at > f->size || n > (size_t)(f->size - at)) {
        store_read(f, at, NULL, n); /* for its error */
        return NULL;
    }
    unsigned char *block = malloc(n + 1);
    if (!block) return tide_fail("MemoryError", "not enough memory to read '%s'", f->path);
    block[n] = 0;
    if (store_read(f, at, block, n)) return block;
    free(block);
    return NULL;
}

bool store_bytes(const StoreFile *f, const Dims *shape, DType dtype, int64_t *bytes)
{
    *bytes = (int64_t)dtype_size(dtype);
    for (int i = 0; i < shape->n; i++)
        if (shape->v[i] < 0 || __builtin_mul_overflow(*bytes, shape->v[i], bytes))
            return store_damaged(f, "the sizes in its header are impossible");
    return true;
}

void store_mend_bools(Tensor *t)
{
    if (t->dtype != DT_BOOL || t->numel == 0) return;
    unsigned char *bytes = tensor_data(t);
    for (int64_t i = 0; i < t->numel; i++) bytes[i] = bytes[i] != 0;
}

Tensor *store_read_tensor(StoreFile *f, int64_t at, const Dims *shape, DType dtype)
{
    int64_t bytes;
    if (!store_bytes(f, shape, dtype, &bytes)) return NULL;
    if (at < 0 || at > f->size || bytes > f->size - at) {
        store_read(f, at, NULL, (size_t)bytes); /* for its error */
        return NULL;
    }
    Tensor *t = tensor_empty(shape, dtype, (Device){DEVICE_CPU, 0});
    if (!t || (bytes > 0 && !store_read(f, at, tensor_data(t), (size_t)bytes))) return NULL;
    store_mend_bools(t);
    return t;
}

/* ---- values ---- */

StoreValue *store_new(Store *s, StoreKind kind)
{
    StoreValue *v = calloc(1, sizeof *v);
    if (!v) return tide_fail("MemoryError", "not enough memory for the values of a file");
    v->kind = kind;
    v->made = s->made;
    s->made = v;
    return v;
}

StoreValue *store_string(Store *s, const char *text, size_t length)
{
    StoreValue *v = store_new(s, STORE_STRING);
    if (!v) return NULL;
    v->text = malloc(length + 1);
    if (!v->text) return tide_fail("MemoryError", "not enough memory for the values of a file");
    memcpy(v->text, text, length);
    v->text[length] = '\0';
    v->length = length;
    return v;
}

StoreValue *store_tensor(Store *s, Tensor *t)
{
    StoreValue *v = t ? store_new(s, STORE_TENSOR) : NULL;
    if (v) v->tensor = tensor_keep(t);
    return v;
}

bool store_append(StoreValue *list, StoreValue *item)
{
    if (!item) return false;
    if (list->n == list->room) {
        size_t room = list->room ? 2 * list->room : 8;
        StoreValue **grown = realloc(list->items, room * sizeof *grown);
        if (!grown) return tide_refuse("MemoryError", "not enough memory for the values of a file");
        list->items = grown;
        list->room = room;
    }
    list->items[list->n++] = item;
    return true;
}

void store_free(Store *s)
{
    while (s->made) {
        StoreValue *v = s->made;
        s->made = v->made;
        tensor_release(v->tensor);
        free(v->text);
        free(v->items);
        free(v);
    }
    s->root = s->metadata = NULL;
}

/* ---- writing ---- */

static bool fail_parent(const char *path)
{
    const char *slash = strrchr(path, '/');
    return tide_refuse("RuntimeError", "Parent directory %.*s does not exist.",
                       slash ? (int)(slash - path) : 1, slash ? path : ".");
}

/* The permissions that a plain open would have given, or those of the file that goes. */
static mode_t wanted_mode(const struct stat *old)
{
    if (old) return old->st_mode & 0777;
    mode_t mask = umask(0);
    umask(mask);
    return 0666 & ~mask;
}

bool store_create(StoreOut *o, const char *path)
{
    struct stat about;
    bool exists = stat(path, &about) == 0;
    *o = (StoreOut){.fd = -1, .path = path};
    if (exists && S_ISDIR(about.st_mode)) return store_errno(EISDIR, path);
    if (exists && !S_ISREG(about.st_mode)) return tide_refuse("OSError", "'%s' is not a regular file", path);
    if (exists && access(path, W_OK) != 0) return store_errno(errno, path);
    o->target = exists ? realpath(path, NULL) : strdup(path);
    if (!o->target || asprintf(&o->temporary, "%s.XXXXXX", o->target) < 0) {
        o->temporary = NULL;
        free(o->target);
        return tide_refuse("MemoryError", "not enough memory to write '%s'", path);
    }
    o->fd = mkostemp(o->temporary, O_CLOEXEC);
    if (o->fd >= 0) {
        fchmod(o->fd, wanted_mode(exists ? &about : NULL));
        return true;
    }
    if (errno == ENOENT && *path)
        fail_parent(path);
    else
        store_errno(errno, path);
    free(o->temporary);
    free(o->target);
    return false;
}

bool store_write(StoreOut *o, const void *data, size_t n)
{
    for (size_t done = 0; done < n;) {
        if (tide_check_interrupt()) return false;
        ssize_t put = write(o->fd, (const char *)data + done, n - done < CHUNK ? n - done : CHUNK);
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return store_errno(errno, o->path);
        done += (size_t)put;
    }
    o->at += (int64_t)n;
    return true;
}

static bool put_bytes(StoreOut *o, const unsigned char *data, size_t n, uint32_t *crc)
{
    if (crc) *crc = (uint32_t)crc32_z(*crc, data, n);
    return crc || store_write(o, data, n);
}

bool store_write_tensor(StoreOut *o, Tensor *t, uint32_t *crc)
{
    size_t n = (size_t)t->numel * dtype_size((DType)t->dtype);
    if (n == 0) return true;
    if (t->device.type == DEVICE_CPU && t->contiguous) return put_bytes(o, tensor_data(t), n, crc);
    unsigned char *copy = malloc(n);
    if (!copy) return tide_refuse("MemoryError", "not enough memory to write '%s'", o->path);
    bool ok = tensor_read(t, copy) && put_bytes(o, copy, n, crc);
    free(copy);
    return ok;
}

bool store_finish(StoreOut *o, bool ok)
{
    if (ok && fsync(o->fd) != 0) ok = store_errno(errno, o->path);
    if (close(o->fd) != 0 && ok) ok = store_errno(errno, o->path);
    if (ok && rename(o->temporary, o->target) != 0) ok = store_errno(errno, o->path);
    if (!ok) unlink(o->temporary);
    free(o->temporary);
    free(o->target);
    return ok;
}
