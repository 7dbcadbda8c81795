/* lstore.h - what the files of torch.save and torch.load share. None but lstore.c knows Lua.
 *
 * Reading. Every number in a file is checked against the file's real size before anything is allocated or
 * read. A reader builds a tree of StoreValues in a Store, which owns them all (a value may stand in several
 * places, as pickle allows) and the tensors in them; lstore.c turns the tree into Lua values.
 *
 * Writing. A writer gets a list of named tensors and a StoreOut, a new file that takes the old one's place
 * only when it is whole.
 *
 * All functions returning bool or pointers: false or NULL and the engine's error. Files are little-endian, as
 * the machines are that Tide runs on. */
#ifndef TIDE_LSTORE_H
#define TIDE_LSTORE_H

#include "engine/engine.h"
#include "lang/bind.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "files hold little-endian numbers");

/* Adds torch.save and torch.load. */
void open_store(lua_State *L, const Library *lib);

/* ---- a file being read ---- */

typedef struct StoreFile {
    int fd;
    int64_t size;
    const char *path; /* the caller's; for messages */
} StoreFile;

bool store_open(StoreFile *f, const char *path);
void store_close(StoreFile *f);
/* n bytes from offset `at`; fails if they are not all inside the file. */
bool store_read(StoreFile *f, int64_t at, void *out, size_t n);
/* The same as a new block with a zero byte behind it, to be freed. */
unsigned char *store_read_block(StoreFile *f, int64_t at, size_t n);
/* A new CPU tensor (shape, row-major) from the bytes at `at`. */
Tensor *store_read_tensor(StoreFile *f, int64_t at, const Dims *shape, DType dtype);
/* Bytes of a tensor of that shape; fails when they cannot be counted. */
bool store_bytes(const StoreFile *f, const Dims *shape, DType dtype, int64_t *bytes);
/* Any byte but 0 is true: makes them 1, the only one C's bool may hold. */
void store_mend_bools(Tensor *t);
/* ValueError "'path' is damaged: what" */
bool store_damaged(const StoreFile *f, const char *what);
/* FileNotFoundError, IsADirectoryError … "[Errno 2] No such file or directory: 'path'" */
bool store_errno(int number, const char *path);

/* ---- what a file holds ---- */

typedef enum StoreKind {
    STORE_NONE,
    STORE_BOOL,
    STORE_INT,
    STORE_FLOAT,
    STORE_STRING,
    STORE_TENSOR,
    STORE_LIST,   /* lists and tuples */
    STORE_DICT,   /* items: key, value, key, value …; b: a plain table, without an order */
    STORE_GLOBAL, /* a pickle's class or function, while it is read; i is which */
    STORE_MARK    /* a pickle's mark, while it is read */
} StoreKind;

typedef struct StoreValue {
    struct StoreValue *made; /* the value made before, whatever it belongs to */
    StoreKind kind;
    bool b;
    int64_t i;
    double f;
    Tensor *tensor; /* one reference */
    char *text;     /* ends in a zero byte; may hold others */
    size_t length;
    struct StoreValue **items; /* not owned */
    size_t n, room;
} StoreValue;

typedef struct Store {
    StoreValue *made; /* the newest */
    StoreValue *root; /* NULL until read */
    StoreValue *metadata;
} Store;

StoreValue *store_new(Store *s, StoreKind kind);
StoreValue *store_string(Store *s, const char *text, size_t length);
/* Takes one more reference; NULL passes through. */
StoreValue *store_tensor(Store *s, Tensor *t);
bool store_append(StoreValue *list, StoreValue *item);
void store_free(Store *s);

/* ---- JSON (lstore_json.c) ---- */

typedef struct JsonCursor {
    const char *p, *end;
    const StoreFile *file; /* for messages */
    Store *store;          /* gets the values */
} JsonCursor;

bool json_error(const JsonCursor *c);
void json_blanks(JsonCursor *c);
/* Passes over blanks and the character, if it stands there; expect fails if it does not. */
bool json_take(JsonCursor *c, char wanted);
bool json_expect(JsonCursor *c, char wanted);
/* A string, unescaped. */
StoreValue *json_string(JsonCursor *c);
/* The value that is all of the text. */
StoreValue *json_value(JsonCursor *c);

/* ---- tables in tables (lstore_plan.c) ---- */

/* The metadata's key under which the plan stands. */
#define PLAN_KEY "tide"

/* Turns the flat table of a file's tensors into what was saved, if its metadata has a plan. */
bool plan_apply(const StoreFile *f, Store *s);

/* ---- files being written ---- */

typedef struct StoreOut {
    int fd;
    int64_t at;       /* bytes written */
    const char *path; /* the caller's; for messages */
    char *target;     /* where it goes, links resolved */
    char *temporary;  /* where it is now */
} StoreOut;

typedef struct StoreEntry {
    const char *name;
    size_t length;
    Tensor *tensor;
} StoreEntry;

bool store_create(StoreOut *o, const char *path);
bool store_write(StoreOut *o, const void *data, size_t n);
/* The tensor's elements, row-major, wherever it lies. Given crc, that is brought up to date and nothing is
 * written. */
bool store_write_tensor(StoreOut *o, Tensor *t, uint32_t *crc);
/* Puts the file in its place if ok and it can be; else it is gone. */
bool store_finish(StoreOut *o, bool ok);

/* ---- zip archives (lstore_zip.c) ---- */

typedef struct ZipMember {
    char *name; /* ends in a zero byte */
    unsigned method, flags;
    uint32_t crc;
    int64_t packed, size, header; /* bytes in the file, bytes unpacked, where its own header is */
} ZipMember;

typedef struct Zip {
    ZipMember *members;
    size_t n;
} Zip;

bool zip_open(StoreFile *f, Zip *z);
void zip_free(Zip *z);
/* The member of that name; NULL, no error, if there is none. */
const ZipMember *zip_find(const Zip *z, const char *name);
/* Where a member's bytes begin; -1 and an error if they are not all in the file. */
int64_t zip_data(StoreFile *f, const ZipMember *m);
/* A member's bytes, unpacked, a zero byte behind them: to be freed. `checked`: its checksum must be right. */
unsigned char *zip_read_member(StoreFile *f, const ZipMember *m, bool checked);
/* A PyTorch archive: `pickle` is its data.pkl, beside which the tensors' elements lie (lstore_pickle.c). */
bool pickle_read(StoreFile *f, const Zip *z, const ZipMember *pickle, Store *s);

/* ---- formats ---- */

/* By the first bytes. */
bool safetensors_read(StoreFile *f, Store *s);
bool npy_read(StoreFile *f, Store *s);
/* The array in a block of memory, from inside an .npz; f is for messages. */
Tensor *npy_parse(const StoreFile *f, const unsigned char *data, size_t n);
/* .npz and PyTorch's .pt */
bool zip_read(StoreFile *f, Store *s);

/* metadata: pairs of strings, name and value by turns. */
bool safetensors_write(StoreOut *o, const StoreEntry *entries, int n, const StoreEntry *metadata,
                       int nmetadata);
bool npy_write(StoreOut *o, Tensor *t);
/* What stands before a tensor's elements in an .npy file, malloc'd; NULL and an error for bfloat16. */
char *npy_header(Tensor *t, size_t *length);
bool npz_write(StoreOut *o, const StoreEntry *entries, int n);

#endif
