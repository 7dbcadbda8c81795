/* lstore_npy.c - numpy's .npy: a magic word, a Python dictionary (dtype, order, shape), then the elements. */
#include "lang/lstore.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER_MAX = 1 << 16, ALIGNMENT = 64 };

static const char *const dtype_words[DT_COUNT] = {
    [DT_BOOL] = "|b1", [DT_U8] = "|u1",  [DT_I8] = "|i1",  [DT_I16] = "<i2", [DT_I32] = "<i4",
    [DT_I64] = "<i8",  [DT_F16] = "<f2", [DT_F32] = "<f4", [DT_F64] = "<f8"};

typedef struct NpyHeader {
    DType dtype;
    bool swapped, fortran;
    Dims shape;
    size_t data; /* where the elements begin */
} NpyHeader;

/* ---- reading ---- */

typedef struct Cursor {
    const char *p; /* the text ends in a zero byte */
    const StoreFile *file;
} Cursor;

static bool header_error(const Cursor *c)
{
    return store_damaged(c->file, "its header is not that of an .npy array");
}

static bool take(Cursor *c, char wanted)
{
    while (*c->p == ' ' || *c->p == '\n') c->p++;
    if (*c->p != wanted) return false;
    c->p++;
    return true;
}

/* A quoted word of at most size - 1 characters. */
static bool read_word(Cursor *c, char *out, size_t size)
{
    char quote = take(c, '\'') ? '\'' : '"';
    if (quote == '"' && !take(c, '"')) return header_error(c);
    const char *end = strchr(c->p, quote);
    if (!end || (size_t)(end - c->p) >= size) return header_error(c);
    memcpy(out, c->p, (size_t)(end - c->p));
    out[end - c->p] = '\0';
    c->p = end + 1;
    return true;
}

static bool read_dtype(Cursor *c, NpyHeader *h)
{
    char word[24];
    if (take(c, '['))
        return tide_refuse("TypeError", "'%s' holds records, which Tide does not have", c->file->path);
    if (!read_word(c, word, sizeof word)) return false;
    char order = word[0];
    for (int d = 0; d < DT_COUNT; d++)
        if (dtype_words[d] && order && strchr("|<>=", order) && strcmp(word + 1, dtype_words[d] + 1) == 0) {
            h->dtype = (DType)d;
            h->swapped = order == '>';
            return true;
        }
    return tide_refuse("TypeError", "'%s' holds elements of type '%s', which Tide does not have",
                       c->file->path, word);
}

static bool read_order(Cursor *c, NpyHeader *h)
{
    take(c, ' ');
    h->fortran = strncmp(c->p, "True", 4) == 0;
    if (!h->fortran && strncmp(c->p, "False", 5) != 0) return header_error(c);
    c->p += h->fortran ? 4 : 5;
    return true;
}

static bool read_shape(Cursor *c, Dims *shape)
{
    if (!take(c, '(')) return header_error(c);
    shape->n = 0;
    while (!take(c, ')')) {
        int64_t value = 0;
        if (*c->p < '0' || *c->p > '9') return header_error(c);
        for (; *c->p >= '0' && *c->p <= '9'; c->p++)
            if (__builtin_mul_overflow(value, 10, &value) ||
                __builtin_add_overflow(value, *c->p - '0', &value))
                return store_damaged(c->file, "the sizes in its header are impossible");
        take(c, 'L');
        if (shape->n == TIDE_MAXDIM) return store_damaged(c->file, "it has more dims than Tide allows");
        shape->v[shape->n++] = value;
        if (!take(c, ',') && *c->p != ')') return header_error(c);
    }
    return true;
}

static bool read_dictionary(Cursor *c, NpyHeader *h)
{
    unsigned seen = 0;
    if (!take(c, '{')) return header_error(c);
    while (!take(c, '}')) {
        char key[16];
        if (!read_word(c, key, sizeof key)) return false;
        if (!take(c, ':')) return header_error(c);
        unsigned bit = strcmp(key, "descr") == 0 ? 1 : strcmp(key, "fortran_order") == 0 ? 2 : 4;
        if (seen & bit || (bit == 4 && strcmp(key, "shape") != 0)) return header_error(c);
        seen |= bit;
        if (!(bit == 1 ? read_dtype(c, h) : bit == 2 ? read_order(c, h) : read_shape(c, &h->shape)))
            return false;
        if (!take(c, ',') && *c->p != '}') return header_error(c);
    }
    return seen == 7 || header_error(c);
}

/* From the first 12 bytes: how long the dictionary is and where it starts. */
static bool measure(const StoreFile *f, const unsigned char *start, size_t n, size_t *at, size_t *length)
{
    if (n < 12 || memcmp(start, "\x93NUMPY", 6) != 0)
        return tide_refuse("RuntimeError", "'%s' is truncated: it ends before the data its header announces",
                           f->path);
    if (start[6] < 1 || start[6] > 3) return store_damaged(f, "its version of .npy is not known");
    *length = start[8] | (size_t)start[9] << 8;
    *at = 10;
    if (start[6] > 1) {
        *length |= (size_t)start[10] << 16 | (size_t)start[11] << 24;
        *at = 12;
    }
    return *length <= HEADER_MAX || store_damaged(f, "its header is too long");
}

static void swap_bytes(Tensor *t)
{
    size_t size = dtype_size((DType)t->dtype);
    unsigned char *p = t->numel ? tensor_data(t) : NULL;
    for (int64_t i = 0; i < t->numel; i++, p += size)
        for (size_t k = 0; k < size / 2; k++) {
            unsigned char byte = p[k];
            p[k] = p[size - 1 - k];
            p[size - 1 - k] = byte;
        }
}

/* The shape in which the elements lie row-major in the file. */
static Dims stored_shape(const NpyHeader *h)
{
    Dims d = h->shape;
    for (int i = 0; h->fortran && i < d.n; i++) d.v[i] = h->shape.v[d.n - 1 - i];
    return d;
}

/* Big-endian elements turned; a column-major array seen through its strides, as torch.from_numpy sees it. */
static Tensor *finish(const NpyHeader *h, Tensor *t)
{
    if (t && h->swapped) swap_bytes(t);
    if (!t || !h->fortran || h->shape.n < 2) return t;
    Dims stride = {.n = h->shape.n};
    for (int i = 0; i < stride.n; i++) stride.v[i] = t->stride[stride.n - 1 - i];
    return tensor_alias(t, &h->shape, &stride, 0);
}

bool npy_read(StoreFile *f, Store *s)
{
    unsigned char start[12];
    size_t at, length;
    size_t n = f->size < 12 ? (size_t)f->size : 12;
    NpyHeader h = {0};
    if (!store_read(f, 0, start, n) || !measure(f, start, n, &at, &length)) return false;
    char *text = (char *)store_read_block(f, (int64_t)at, length);
    if (!text) return false;
    Cursor c = {text, f};
    bool ok = read_dictionary(&c, &h);
    free(text);
    int64_t bytes, data = (int64_t)(at + length);
    if (!ok || !store_bytes(f, &h.shape, h.dtype, &bytes)) return false;
    if (bytes < f->size - data) return store_damaged(f, "it holds more than its header announces");
    Dims stored = stored_shape(&h);
    s->root = store_tensor(s, finish(&h, store_read_tensor(f, data, &stored, h.dtype)));
    return s->root != NULL;
}

Tensor *npy_parse(const StoreFile *f, const unsigned char *data, size_t n)
{
    size_t at, length;
    int64_t bytes;
    NpyHeader h = {0};
    if (!measure(f, data, n, &at, &length)) return NULL;
    if (length > n - at)
        return tide_fail("ValueError", "'%s' is damaged: an array in it ends early", f->path);
    char *text = malloc(length + 1);
    if (!text) return tide_fail("MemoryError", "not enough memory to read '%s'", f->path);
    memcpy(text, data + at, length);
    text[length] = '\0';
    Cursor c = {text, f};
    bool ok = read_dictionary(&c, &h);
    free(text);
    if (!ok || !store_bytes(f, &h.shape, h.dtype, &bytes)) return NULL;
    if ((size_t)bytes != n - at - length)
        return tide_fail("ValueError", "'%s' is damaged: the bytes of an array do not fit its shape",
                         f->path);
    Dims stored = stored_shape(&h);
    Tensor *t = tensor_empty(&stored, h.dtype, (Device){DEVICE_CPU, 0});
    if (t && bytes > 0) memcpy(tensor_data(t), data + at + length, (size_t)bytes);
    if (t) store_mend_bools(t);
    return finish(&h, t);
}

/* ---- writing ---- */

char *npy_header(Tensor *t, size_t *length)
{
    char text[64 + 24 * TIDE_MAXDIM], *p = text, *end = text + sizeof text;
    if (!dtype_words[t->dtype])
        return tide_fail("TypeError", "numpy has no %s: save as safetensors, or x:float() first",
                         dtype_name((DType)t->dtype));
    p += snprintf(p, (size_t)(end - p), "{'descr': '%s', 'fortran_order': False, 'shape': (",
                  dtype_words[t->dtype]);
    for (int i = 0; i < t->ndim; i++)
        p += snprintf(p, (size_t)(end - p), i ? ", %lld" : "%lld", (long long)t->shape[i]);
    p += snprintf(p, (size_t)(end - p), t->ndim == 1 ? ",), }" : "), }");
    size_t n = (size_t)(p - text), total = (10 + n + 1 + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    char *header = malloc(total);
    if (!header) return tide_fail("MemoryError", "not enough memory for the header of a file");
    memset(header, ' ', total);
    memcpy(header, "\x93NUMPY\1\0", 8);
    header[8] = (char)((total - 10) & 0xFF);
    header[9] = (char)((total - 10) >> 8);
    memcpy(header + 10, text, n);
    header[total - 1] = '\n';
    *length = total;
    return header;
}

bool npy_write(StoreOut *o, Tensor *t)
{
    size_t length;
    char *header = npy_header(t, &length);
    bool ok = header && store_write(o, header, length) && store_write_tensor(o, t, NULL);
    free(header);
    return ok;
}
