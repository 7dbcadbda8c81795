/* lstore_zip.c - zip archives, 64-bit sizes included: finding and unpacking members, and writing .npz.
 *
 * An archive ends in a record that tells where its directory is; the directory has a row for each member, and
 * before a member's bytes stands a header of its own, of which only the length matters here. */
#include "lang/lstore.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum {
    END_SIZE = 22,
    COMMENT_MAX = 65535,
    END64_SIZE = 56,
    LOCATOR_SIZE = 20,
    ROW_SIZE = 46,
    LOCAL_SIZE = 30
};
enum { STORED = 0, DEFLATED = 8, ENCRYPTED = 1, UTF8_NAME = 1 << 11 };
enum { DEFLATE_BEST = 1032 }; /* deflate shrinks nothing by more */

static uint16_t get16(const unsigned char *p) { return (uint16_t)(p[0] | p[1] << 8); }
static uint32_t get32(const unsigned char *p) { return get16(p) | (uint32_t)get16(p + 2) << 16; }
static uint64_t get64(const unsigned char *p) { return get32(p) | (uint64_t)get32(p + 4) << 32; }

/* ---- the directory ---- */

typedef struct Directory {
    uint64_t at, bytes, n;
} Directory;

static bool read_end64(StoreFile *f, int64_t end, Directory *d)
{
    unsigned char locator[LOCATOR_SIZE], record[END64_SIZE];
    if (end < LOCATOR_SIZE) return store_damaged(f, "its zip directory is missing");
    if (!store_read(f, end - LOCATOR_SIZE, locator, sizeof locator)) return false;
    uint64_t at = get64(locator + 8);
    if (memcmp(locator, "PK\6\7", 4) != 0 || at > (uint64_t)end)
        return store_damaged(f, "its zip directory is missing");
    if (!store_read(f, (int64_t)at, record, sizeof record)) return false;
    if (memcmp(record, "PK\6\6", 4) != 0) return store_damaged(f, "its zip directory is missing");
    *d = (Directory){.at = get64(record + 48), .bytes = get64(record + 40), .n = get64(record + 32)};
    return true;
}

/* The end record is the last one whose comment reaches just to the file's end. */
static bool read_end(StoreFile *f, Directory *d)
{
    int64_t tail = f->size < END_SIZE + COMMENT_MAX ? f->size : END_SIZE + COMMENT_MAX;
    unsigned char *bytes = store_read_block(f, f->size - tail, (size_t)tail);
    if (!bytes) return false;
    const unsigned char *found = NULL;
    for (int64_t i = tail - END_SIZE; i >= 0 && !found; i--)
        if (memcmp(bytes + i, "PK\5\6", 4) == 0 && get16(bytes + i + 20) == tail - i - END_SIZE)
            found = bytes + i;
    bool ok = found != NULL;
    if (!ok)
        tide_fail("RuntimeError", "'%s' is truncated: its zip directory is missing", f->path);
    else {
        *d = (Directory){.at = get32(found + 16), .bytes = get32(found + 12), .n = get16(found + 10)};
        if (d->at == UINT32_MAX || d->bytes == UINT32_MAX || d->n == UINT16_MAX)
            ok = read_end64(f, f->size - tail + (found - bytes), d);
    }
    free(bytes);
    if (ok &&
        (d->at > (uint64_t)f->size || d->bytes > (uint64_t)f->size - d->at || d->n > d->bytes / ROW_SIZE))
        return store_damaged(f, "its zip directory is impossible");
    return ok;
}

/* Sizes that do not fit 32 bits stand in an extra field, in this order, those only that are needed. */
static bool read_extra64(const StoreFile *f, const unsigned char *extra, size_t n, uint64_t *values[3])
{
    while (n >= 4) {
        size_t id = get16(extra), size = get16(extra + 2);
        extra += 4;
        n -= 4;
        if (size > n) break;
        if (id == 1)
            for (int i = 0; i < 3; i++)
                if (*values[i] == UINT32_MAX) {
                    if (size < 8) return store_damaged(f, "its zip directory is impossible");
                    *values[i] = get64(extra);
                    extra += 8, n -= 8, size -= 8;
                }
        extra += size;
        n -= size;
    }
    return true;
}

/* A row of the directory, of which n bytes are left; *taken is its length. */
static bool read_row(const StoreFile *f, const unsigned char *row, size_t n, ZipMember *m, size_t *taken)
{
    if (n < ROW_SIZE || memcmp(row, "PK\1\2", 4) != 0)
        return store_damaged(f, "its zip directory is impossible");
    size_t name = get16(row + 28), extra = get16(row + 30), comment = get16(row + 32);
    *taken = ROW_SIZE + name + extra + comment;
    if (*taken > n) return store_damaged(f, "its zip directory is impossible");
    uint64_t packed = get32(row + 20), size = get32(row + 24), header = get32(row + 42);
    if (!read_extra64(f, row + ROW_SIZE + name, extra, (uint64_t *[]){&size, &packed, &header})) return false;
    if (packed > (uint64_t)f->size || header > (uint64_t)f->size || size > INT64_MAX)
        return store_damaged(f, "its zip directory is impossible");
    if (memchr(row + ROW_SIZE, 0, name)) return store_damaged(f, "a member's name is impossible");
    *m = (ZipMember){.flags = get16(row + 8),
                     .method = get16(row + 10),
                     .crc = get32(row + 16),
                     .packed = (int64_t)packed,
                     .size = (int64_t)size,
                     .header = (int64_t)header};
    m->name = strndup((const char *)row + ROW_SIZE, name);
    return m->name || tide_refuse("MemoryError", "not enough memory to read '%s'", f->path);
}

bool zip_open(StoreFile *f, Zip *z)
{
    Directory d = {0};
    *z = (Zip){0};
    if (!read_end(f, &d)) return false;
    unsigned char *rows = store_read_block(f, (int64_t)d.at, d.bytes);
    if (!rows) return false;
    z->members = calloc(d.n + 1, sizeof *z->members);
    bool ok = z->members || tide_refuse("MemoryError", "not enough memory to read '%s'", f->path);
    for (size_t at = 0, taken = 0; ok && z->n < d.n; at += taken) {
        ok = read_row(f, rows + at, d.bytes - at, &z->members[z->n], &taken);
        z->n += ok;
    }
    free(rows);
    return ok;
}

void zip_free(Zip *z)
{
    for (size_t i = 0; i < z->n; i++) free(z->members[i].name);
    free(z->members);
    *z = (Zip){0};
}

const ZipMember *zip_find(const Zip *z, const char *name)
{
    for (size_t i = 0; i < z->n; i++)
        if (strcmp(z->members[i].name, name) == 0) return &z->members[i];
    return NULL;
}

/* ---- members ---- */

int64_t zip_data(StoreFile *f, const ZipMember *m)
{
    unsigned char local[LOCAL_SIZE];
    if (!store_read(f, m->header, local, sizeof local)) return -1;
    int64_t at = m->header + LOCAL_SIZE + get16(local + 26) + get16(local + 28);
    bool ok = memcmp(local, "PK\3\4", 4) == 0 && at <= f->size && m->packed <= f->size - at;
    if (m->flags & ENCRYPTED)
        tide_fail("ValueError", "'%s' is encrypted", f->path);
    else if (!ok)
        store_damaged(f, "a member of the zip archive is not all there");
    else if (m->method != STORED && m->method != DEFLATED)
        tide_fail("ValueError", "'%s' is compressed by a method other than deflate", f->path);
    else if (m->method == STORED ? m->packed != m->size : m->size / DEFLATE_BEST > m->packed)
        store_damaged(f, "the sizes of a zip member are impossible");
    return tide_failed() ? -1 : at;
}

static bool inflate_block(const StoreFile *f, const unsigned char *in, size_t packed, unsigned char *out,
                          size_t size)
{
    z_stream z = {.next_in = (unsigned char *)in, .next_out = out};
    if (inflateInit2(&z, -MAX_WBITS) != Z_OK)
        return tide_refuse("MemoryError", "not enough memory to read '%s'", f->path);
    int status = Z_OK;
    while (status == Z_OK && !tide_check_interrupt()) {
        size_t left_in = (size_t)(in + packed - z.next_in), left_out = (size_t)(out + size - z.next_out);
        z.avail_in = left_in < 1 << 20 ? (unsigned)left_in : 1 << 20;
        z.avail_out = left_out < 1 << 24 ? (unsigned)left_out : 1 << 24;
        status = inflate(&z, Z_NO_FLUSH);
    }
    bool whole = status == Z_STREAM_END && z.next_out == out + size;
    inflateEnd(&z);
    if (status == Z_MEM_ERROR) return tide_refuse("MemoryError", "not enough memory to read '%s'", f->path);
    return !tide_failed() && (whole || store_damaged(f, "a member of the zip archive does not unpack"));
}

static unsigned char *unpack(StoreFile *f, const ZipMember *m, unsigned char *packed)
{
    unsigned char *out = malloc((size_t)m->size + 1);
    if (!out)
        tide_fail("MemoryError", "not enough memory to read '%s'", f->path);
    else if (!inflate_block(f, packed, (size_t)m->packed, out, (size_t)m->size)) {
        free(out);
        out = NULL;
    } else
        out[m->size] = 0;
    free(packed);
    return out;
}

unsigned char *zip_read_member(StoreFile *f, const ZipMember *m, bool checked)
{
    int64_t at = zip_data(f, m);
    unsigned char *bytes = at < 0 ? NULL : store_read_block(f, at, (size_t)m->packed);
    if (bytes && m->method == DEFLATED) bytes = unpack(f, m, bytes);
    if (bytes && checked && (uint32_t)crc32_z(0, bytes, (size_t)m->size) != m->crc) {
        store_damaged(f, "the checksum of a zip member is wrong");
        free(bytes);
        return NULL;
    }
    return bytes;
}

/* ---- .npz ---- */

static bool is_array(const char *name, size_t *stem)
{
    size_t n = strlen(name);
    *stem = n >= 4 && strcmp(name + n - 4, ".npy") == 0 ? n - 4 : 0;
    return *stem > 0;
}

static bool read_array(StoreFile *f, const ZipMember *m, size_t stem, Store *s)
{
    unsigned char *bytes = zip_read_member(f, m, true);
    if (!bytes) return false;
    int mark = scope_open();
    bool ok = store_append(s->root, store_string(s, m->name, stem)) &&
              store_append(s->root, store_tensor(s, npy_parse(f, bytes, (size_t)m->size)));
    scope_close(mark);
    free(bytes);
    return ok;
}

static bool read_arrays(StoreFile *f, const Zip *z, Store *s)
{
    s->root = store_new(s, STORE_DICT);
    for (size_t i = 0, stem; s->root && i < z->n; i++) {
        if (!is_array(z->members[i].name, &stem))
            return tide_refuse("ValueError",
                               "'%s' is a zip archive, but of neither numpy's nor PyTorch's kind", f->path);
        if (!read_array(f, &z->members[i], stem, s)) return false;
    }
    return s->root != NULL;
}

bool zip_read(StoreFile *f, Store *s)
{
    Zip z;
    const ZipMember *pickle = NULL;
    bool ok = zip_open(f, &z);
    for (size_t i = 0; ok && i < z.n && !pickle; i++) {
        const char *slash = strchr(z.members[i].name, '/');
        if (slash && strcmp(slash, "/data.pkl") == 0) pickle = &z.members[i];
    }
    ok = ok && (pickle ? pickle_read(f, &z, pickle, s) : read_arrays(f, &z, s));
    zip_free(&z);
    return ok;
}

/* ---- writing: members are stored as they are, every size in 64 bits ---- */

typedef struct Row {
    unsigned char bytes[LOCAL_SIZE + ROW_SIZE];
    size_t n;
} Row;

static void put(Row *r, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++) r->bytes[r->n++] = (unsigned char)(value >> 8 * i);
}

typedef struct Member {
    uint32_t crc;
    uint64_t size, header;
} Member;

/* version 4.5, stored, 1 January 1980 */
static void put_common(Row *r, uint32_t crc, size_t name)
{
    put(r, 45, 2);
    put(r, UTF8_NAME, 2);
    put(r, STORED, 2);
    put(r, 0, 2);
    put(r, 1 << 5 | 1, 2);
    put(r, crc, 4);
    put(r, UINT32_MAX, 4);
    put(r, UINT32_MAX, 4);
    put(r, name, 2);
}

static bool write_member(StoreOut *o, const StoreEntry *e, Member *m)
{
    size_t length;
    char *header = npy_header(e->tensor, &length);
    if (!header) return false;
    m->crc = (uint32_t)crc32_z(0, (unsigned char *)header, length);
    m->size = length + (uint64_t)e->tensor->numel * dtype_size((DType)e->tensor->dtype);
    m->header = (uint64_t)o->at;
    Row local = {.n = 0}, extra = {.n = 0};
    bool ok = store_write_tensor(o, e->tensor, &m->crc);
    put(&local, 0x04034b50, 4);
    put_common(&local, m->crc, e->length + 4);
    put(&local, 20, 2);
    put(&extra, 1, 2);
    put(&extra, 16, 2);
    put(&extra, m->size, 8);
    put(&extra, m->size, 8);
    ok = ok && store_write(o, local.bytes, local.n) && store_write(o, e->name, e->length) &&
         store_write(o, ".npy", 4) && store_write(o, extra.bytes, extra.n) &&
         store_write(o, header, length) && store_write_tensor(o, e->tensor, NULL);
    free(header);
    return ok;
}

static bool write_row(StoreOut *o, const StoreEntry *e, const Member *m)
{
    Row row = {.n = 0}, extra = {.n = 0};
    put(&row, 0x02014b50, 4);
    put(&row, 45, 2);
    put_common(&row, m->crc, e->length + 4);
    put(&row, 28, 2);
    put(&row, 0, 8); /* comment, disk, attributes */
    put(&row, 0, 2);
    put(&row, UINT32_MAX, 4);
    put(&extra, 1, 2);
    put(&extra, 24, 2);
    put(&extra, m->size, 8);
    put(&extra, m->size, 8);
    put(&extra, m->header, 8);
    return store_write(o, row.bytes, row.n) && store_write(o, e->name, e->length) &&
           store_write(o, ".npy", 4) && store_write(o, extra.bytes, extra.n);
}

static bool write_end(StoreOut *o, uint64_t n, uint64_t directory)
{
    Row end64 = {.n = 0}, end = {.n = 0};
    uint64_t at = (uint64_t)o->at, bytes = at - directory;
    put(&end64, 0x06064b50, 4);
    put(&end64, END64_SIZE - 12, 8);
    put(&end64, 45, 2);
    put(&end64, 45, 2);
    put(&end64, 0, 8);
    put(&end64, n, 8);
    put(&end64, n, 8);
    put(&end64, bytes, 8);
    put(&end64, directory, 8);
    put(&end, 0x07064b50, 4);
    put(&end, 0, 4);
    put(&end, at, 8);
    put(&end, 1, 4);
    put(&end, 0x06054b50, 4);
    put(&end, 0, 4);
    put(&end, UINT16_MAX, 2);
    put(&end, UINT16_MAX, 2);
    put(&end, UINT32_MAX, 4);
    put(&end, UINT32_MAX, 4);
    put(&end, 0, 2);
    return store_write(o, end64.bytes, end64.n) && store_write(o, end.bytes, end.n);
}

bool npz_write(StoreOut *o, const StoreEntry *entries, int n)
{
    Member *members = calloc((size_t)n + 1, sizeof *members);
    if (!members) return tide_refuse("MemoryError", "not enough memory to write '%s'", o->path);
    bool ok = true;
    for (int i = 0; ok && i < n; i++)
        ok = entries[i].length > UINT16_MAX - 4
                 ? tide_refuse("ValueError", "a name is too long for a zip archive")
                 : write_member(o, &entries[i], &members[i]);
    uint64_t directory = (uint64_t)o->at;
    for (int i = 0; ok && i < n; i++) ok = write_row(o, &entries[i], &members[i]);
    free(members);
    return ok && write_end(o, (uint64_t)n, directory);
}
