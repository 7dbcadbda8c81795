/* lstore_safetensors.c - safetensors files: a length (uint64), a JSON header that long, then the elements.
 *
 * {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [begin, end]}, …, "__metadata__": {"k": "v"}};
 * the offsets count from the header's end and cover the rest of the file without holes or overlaps. */
#include "lang/lstore.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER_MAX = 100000000 }; /* what the safetensors library itself accepts */

static const char *const dtype_words[DT_COUNT] = {
    [DT_BOOL] = "BOOL", [DT_U8] = "U8",   [DT_I8] = "I8",     [DT_I16] = "I16", [DT_I32] = "I32",
    [DT_I64] = "I64",   [DT_F16] = "F16", [DT_BF16] = "BF16", [DT_F32] = "F32", [DT_F64] = "F64"};

/* ---- reading: the header ---- */

typedef struct Entry {
    StoreValue *name;
    DType dtype;
    Dims shape;
    int64_t begin, end;
} Entry;

typedef struct Entries {
    Entry *v;
    size_t n, room;
} Entries;

/* A list of at most `most` integers that are not negative; *n of them. */
static bool read_sizes(JsonCursor *c, int64_t *out, int most, int *n)
{
    *n = 0;
    if (!json_expect(c, '[')) return false;
    if (json_take(c, ']')) return true;
    do {
        json_blanks(c);
        if (c->p == c->end || *c->p < '0' || *c->p > '9') return json_error(c);
        int64_t value = 0;
        while (c->p < c->end && *c->p >= '0' && *c->p <= '9')
            if (__builtin_mul_overflow(value, 10, &value) ||
                __builtin_add_overflow(value, *c->p++ - '0', &value))
                return store_damaged(c->file, "a number in its header is too large");
        if (*n == most) return store_damaged(c->file, "a list in its header is too long");
        out[(*n)++] = value;
    } while (json_take(c, ','));
    return json_expect(c, ']');
}

static bool read_dtype(JsonCursor *c, DType *dtype)
{
    const StoreValue *word = json_string(c);
    if (!word) return false;
    for (int d = 0; d < DT_COUNT; d++)
        if (strcmp(dtype_words[d], word->text) == 0) {
            *dtype = (DType)d;
            return true;
        }
    return tide_refuse("TypeError", "'%s' holds elements of type %.40s, which Tide does not have",
                       c->file->path, word->text);
}

static bool read_entry(JsonCursor *c, Entry *e)
{
    int64_t offsets[2];
    int n = 0;
    unsigned seen = 0;
    if (!json_expect(c, '{')) return false;
    do {
        const StoreValue *key = json_string(c);
        if (!key || !json_expect(c, ':')) return false;
        unsigned bit = strcmp(key->text, "dtype") == 0          ? 1
                       : strcmp(key->text, "shape") == 0        ? 2
                       : strcmp(key->text, "data_offsets") == 0 ? 4
                                                                : 0;
        if (!bit || seen & bit) return json_error(c);
        seen |= bit;
        if (bit == 1 ? !read_dtype(c, &e->dtype)
                     : !(bit == 2 ? read_sizes(c, e->shape.v, TIDE_MAXDIM, &e->shape.n)
                                  : read_sizes(c, offsets, 2, &n)))
            return false;
    } while (json_take(c, ','));
    if (!json_expect(c, '}')) return false;
    if (seen != 7 || n != 2) return json_error(c);
    e->begin = offsets[0];
    e->end = offsets[1];
    return true;
}

static bool read_metadata(JsonCursor *c)
{
    StoreValue *dict = store_new(c->store, STORE_DICT);
    if (!dict || c->store->metadata) return dict && json_error(c);
    c->store->metadata = dict;
    if (!json_expect(c, '{')) return false;
    if (json_take(c, '}')) return true;
    do {
        if (!store_append(dict, json_string(c)) || !json_expect(c, ':') || !store_append(dict, json_string(c)))
            return false;
    } while (json_take(c, ','));
    return json_expect(c, '}');
}

static Entry *add_entry(Entries *all)
{
    if (all->n == all->room) {
        size_t room = all->room ? 2 * all->room : 16;
        Entry *grown = realloc(all->v, room * sizeof *grown);
        if (!grown) return tide_fail("MemoryError", "not enough memory for the header of a file");
        all->v = grown;
        all->room = room;
    }
    return &all->v[all->n++];
}

static bool read_header(JsonCursor *c, Entries *all)
{
    if (!json_expect(c, '{')) return false;
    if (!json_take(c, '}')) {
        do {
            StoreValue *name = json_string(c);
            if (!name || !json_expect(c, ':')) return false;
            if (strcmp(name->text, "__metadata__") == 0) {
                if (!read_metadata(c)) return false;
                continue;
            }
            Entry *e = add_entry(all);
            if (!e || !read_entry(c, e)) return false;
            e->name = name;
        } while (json_take(c, ','));
        if (!json_expect(c, '}')) return false;
    }
    json_blanks(c);
    return c->p == c->end || json_error(c);
}

/* ---- reading: the checks ---- */

static int by_offset(const void *a, const void *b)
{
    const Entry *x = *(const Entry *const *)a, *y = *(const Entry *const *)b;
    return x->begin != y->begin ? (x->begin > y->begin) - (x->begin < y->begin)
                                : (x->end > y->end) - (x->end < y->end);
}

static int compare_names(const Entry *x, const Entry *y)
{
    size_t n = x->name->length < y->name->length ? x->name->length : y->name->length;
    int order = memcmp(x->name->text, y->name->text, n);
    return order ? order : (x->name->length > y->name->length) - (x->name->length < y->name->length);
}

static int by_name(const void *a, const void *b)
{
    return compare_names(*(const Entry *const *)a, *(const Entry *const *)b);
}

/* Each tensor as long as its shape says, one behind the other, up to the file's end; names only once. */
static bool check_sorted(const StoreFile *f, const Entries *all, const Entry **order, int64_t bytes)
{
    int64_t at = 0, size;
    qsort(order, all->n, sizeof *order, by_offset);
    for (size_t i = 0; i < all->n; i++) {
        if (order[i]->begin != at || order[i]->end < at)
            return store_damaged(f, "its tensors overlap or leave holes");
        if (!store_bytes(f, &order[i]->shape, order[i]->dtype, &size)) return false;
        at = order[i]->end;
        if (at - order[i]->begin != size)
            return store_damaged(f, "the bytes of a tensor do not fit its shape");
    }
    if (at > bytes)
        return tide_refuse("RuntimeError", "'%s' is truncated: it ends before the data its header announces",
                           f->path);
    if (at < bytes) return store_damaged(f, "it holds more than its header announces");
    qsort(order, all->n, sizeof *order, by_name);
    for (size_t i = 1; i < all->n; i++)
        if (compare_names(order[i - 1], order[i]) == 0) return store_damaged(f, "a name stands in it twice");
    return true;
}

static bool check_entries(const StoreFile *f, const Entries *all, int64_t bytes)
{
    const Entry **order = malloc((all->n + 1) * sizeof *order);
    if (!order) return tide_refuse("MemoryError", "not enough memory to read '%s'", f->path);
    for (size_t i = 0; i < all->n; i++) order[i] = &all->v[i];
    bool ok = check_sorted(f, all, order, bytes);
    free(order);
    return ok;
}

static bool read_tensors(StoreFile *f, Store *s, const Entries *all, int64_t data)
{
    StoreValue *dict = s->root = store_new(s, STORE_DICT);
    for (size_t i = 0; dict && i < all->n; i++) {
        const Entry *e = &all->v[i];
        int mark = scope_open();
        bool ok =
            store_append(dict, e->name) &&
            store_append(dict, store_tensor(s, store_read_tensor(f, data + e->begin, &e->shape, e->dtype)));
        scope_close(mark);
        if (!ok) return false;
    }
    return dict != NULL;
}

bool safetensors_read(StoreFile *f, Store *s)
{
    uint64_t length;
    if (!store_read(f, 0, &length, sizeof length)) return false;
    if (length > HEADER_MAX) return store_damaged(f, "its header is too long");
    char *header = (char *)store_read_block(f, 8, (size_t)length);
    if (!header) return false;
    int64_t data = 8 + (int64_t)length;
    JsonCursor c = {.p = header, .end = header + length, .file = f, .store = s};
    Entries all = {0};
    bool ok =
        read_header(&c, &all) && check_entries(f, &all, f->size - data) && read_tensors(f, s, &all, data) &&
        plan_apply(f, s);
    free(all.v);
    free(header);
    return ok;
}

/* ---- writing ---- */

static void put_string(FILE *out, const char *text, size_t length)
{
    fputc('"', out);
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)text[i];
        if (byte < 0x20)
            fprintf(out, "\\u%04x", byte);
        else {
            if (byte == '"' || byte == '\\') fputc('\\', out);
            fputc(byte, out);
        }
    }
    fputc('"', out);
}

static void put_metadata(FILE *out, const StoreEntry *metadata, int n)
{
    fputs("\"__metadata__\":{", out);
    for (int i = 0; i < n; i += 2) {
        if (i) fputc(',', out);
        put_string(out, metadata[i].name, metadata[i].length);
        fputc(':', out);
        put_string(out, metadata[i + 1].name, metadata[i + 1].length);
    }
    fputc('}', out);
}

static int64_t entry_bytes(const StoreEntry *e)
{
    return e->tensor->numel * (int64_t)dtype_size((DType)e->tensor->dtype);
}

/* Where each tensor's elements go: the widest first, so that all are aligned when the file is mapped. */
static void place(const StoreEntry *entries, int n, int64_t *offsets)
{
    int64_t at = 0;
    for (size_t size = 8; size; size /= 2)
        for (int i = 0; i < n; i++)
            if (dtype_size((DType)entries[i].tensor->dtype) == size) {
                offsets[i] = at;
                at += entry_bytes(&entries[i]);
            }
}

static void put_entry(FILE *out, const StoreEntry *e, int64_t offset)
{
    put_string(out, e->name, e->length);
    fprintf(out, ":{\"dtype\":\"%s\",\"shape\":[", dtype_words[e->tensor->dtype]);
    for (int d = 0; d < e->tensor->ndim; d++)
        fprintf(out, d ? ",%lld" : "%lld", (long long)e->tensor->shape[d]);
    fprintf(out, "],\"data_offsets\":[%lld,%lld]}", (long long)offset, (long long)(offset + entry_bytes(e)));
}

/* The header, blanks at its end bringing the elements to a multiple of eight; malloc'd. */
static char *make_header(const StoreEntry *entries, int n, const StoreEntry *metadata, int nmetadata,
                         const int64_t *offsets, size_t *length)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, length);
    if (!out) return NULL;
    fputc('{', out);
    put_metadata(out, metadata, nmetadata);
    for (int i = 0; i < n; i++) {
        fputc(',', out);
        put_entry(out, &entries[i], offsets[i]);
    }
    fputc('}', out);
    while (ftell(out) % 8) fputc(' ', out);
    bool ok = !ferror(out);
    if (fclose(out) == 0 && ok) return text;
    free(text);
    return NULL;
}

bool safetensors_write(StoreOut *o, const StoreEntry *entries, int n, const StoreEntry *metadata,
                       int nmetadata)
{
    size_t length = 0;
    int64_t *offsets = malloc(((size_t)n + 1) * sizeof *offsets);
    if (offsets) place(entries, n, offsets);
    char *header = offsets ? make_header(entries, n, metadata, nmetadata, offsets, &length) : NULL;
    free(offsets);
    if (!header) return tide_refuse("MemoryError", "not enough memory to write '%s'", o->path);
    uint64_t count = length;
    bool ok = store_write(o, &count, sizeof count) && store_write(o, header, length);
    free(header);
    for (size_t size = 8; size; size /= 2)
        for (int i = 0; ok && i < n; i++)
            if (dtype_size((DType)entries[i].tensor->dtype) == size)
                ok = store_write_tensor(o, entries[i].tensor, NULL);
    return ok;
}
