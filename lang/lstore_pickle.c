/* lstore_pickle.c - the pickle inside PyTorch's .pt files, as far as it builds tensors and plain values.
 *
 * A pickle is a program for a stack machine that may call any Python function. Here it can call the few
 * below, which only build values, and all else is an error: loading never runs a file's code. Elements lie in
 * members "data/KEY" of the archive, one for each storage; tensors of one storage share it here too. */
#include "lang/lstore.h"

#include <stdlib.h>
#include <string.h>

typedef enum Global {
    G_ORDERED_DICT,
    G_SIZE,
    G_TENSOR,
    G_PARAMETER,
    G_STORAGE
} Global; /* G_STORAGE + dtype */

static const struct {
    const char *name;
    int global;
} globals[] = {
    {"collections.OrderedDict", G_ORDERED_DICT},   {"torch.Size", G_SIZE},
    {"torch._utils._rebuild_tensor_v2", G_TENSOR}, {"torch._utils._rebuild_parameter", G_PARAMETER},
    {"torch.BoolStorage", G_STORAGE + DT_BOOL},    {"torch.ByteStorage", G_STORAGE + DT_U8},
    {"torch.CharStorage", G_STORAGE + DT_I8},      {"torch.ShortStorage", G_STORAGE + DT_I16},
    {"torch.IntStorage", G_STORAGE + DT_I32},      {"torch.LongStorage", G_STORAGE + DT_I64},
    {"torch.HalfStorage", G_STORAGE + DT_F16},     {"torch.BFloat16Storage", G_STORAGE + DT_BF16},
    {"torch.FloatStorage", G_STORAGE + DT_F32},    {"torch.DoubleStorage", G_STORAGE + DT_F64}};

typedef struct Machine {
    const unsigned char *p, *end;
    size_t size;                         /* of the whole pickle: no memo needs more places */
    StoreValue *stack, *memo, *storages; /* lists; storages: key, tensor, key, tensor … */
    StoreFile *file;
    const Zip *zip;
    const char *folder;
    size_t folder_length;
    Store *store;
} Machine;

static bool bad(const Machine *m) { return store_damaged(m->file, "its pickle makes no sense"); }

/* ---- the stack ---- */

static bool push(Machine *m, StoreValue *v) { return store_append(m->stack, v); }

/* The value `depth` places below the top, if it is of that kind; else NULL and an error. */
static StoreValue *peek(const Machine *m, size_t depth, StoreKind kind)
{
    if (depth < m->stack->n && m->stack->items[m->stack->n - 1 - depth]->kind == kind)
        return m->stack->items[m->stack->n - 1 - depth];
    bad(m);
    return NULL;
}

static StoreValue *pop(Machine *m)
{
    if (m->stack->n && m->stack->items[m->stack->n - 1]->kind != STORE_MARK)
        return m->stack->items[--m->stack->n];
    bad(m);
    return NULL;
}

/* Where the values above the last mark begin, just behind it; 0 and an error without one. */
static size_t above_mark(const Machine *m)
{
    for (size_t i = m->stack->n; i > 0; i--)
        if (m->stack->items[i - 1]->kind == STORE_MARK) return i;
    bad(m);
    return 0;
}

/* Moves the values from place `from` on to the end of `list`. */
static bool move_values(Machine *m, size_t from, StoreValue *list)
{
    for (size_t i = from; i < m->stack->n; i++)
        if (!store_append(list, m->stack->items[i])) return false;
    m->stack->n = from;
    return true;
}

/* ---- operands ---- */

static const unsigned char *operand(Machine *m, uint64_t n)
{
    if (n > (uint64_t)(m->end - m->p)) {
        bad(m);
        return NULL;
    }
    m->p += n;
    return m->p - n;
}

/* A little-endian number of n bytes. */
static bool read_number(Machine *m, int n, uint64_t *out)
{
    const unsigned char *p = operand(m, (uint64_t)n);
    *out = 0;
    for (int i = 0; p && i < n; i++) *out |= (uint64_t)p[i] << 8 * i;
    return p != NULL;
}

static bool push_int(Machine *m, int64_t value)
{
    StoreValue *v = store_new(m->store, STORE_INT);
    if (v) v->i = value;
    return v && push(m, v);
}

static bool push_bool(Machine *m, bool value)
{
    StoreValue *v = store_new(m->store, STORE_BOOL);
    if (v) v->b = value;
    return v && push(m, v);
}

/* An unsigned number of n bytes; a signed one where `is_signed`. */
static bool op_number(Machine *m, int n, bool is_signed)
{
    uint64_t value;
    if (!read_number(m, n, &value)) return false;
    int shift = 64 - 8 * n;
    return push_int(m, is_signed && n ? (int64_t)(value << shift) >> shift : (int64_t)value);
}

static bool op_long(Machine *m)
{
    uint64_t n;
    if (!read_number(m, 1, &n)) return false;
    if (n > 8)
        return tide_refuse("OverflowError", "'%s' holds an int that does not fit int64", m->file->path);
    return op_number(m, (int)n, true);
}

static bool op_float(Machine *m)
{
    const unsigned char *p = operand(m, 8);
    StoreValue *v = p ? store_new(m->store, STORE_FLOAT) : NULL;
    uint64_t bits = 0;
    for (int i = 0; v && i < 8; i++) bits = bits << 8 | p[i];
    if (v) memcpy(&v->f, &bits, sizeof bits);
    return v && push(m, v);
}

static bool op_string(Machine *m, int n)
{
    uint64_t length;
    const unsigned char *text = read_number(m, n, &length) ? operand(m, length) : NULL;
    return text && push(m, store_string(m->store, (const char *)text, (size_t)length));
}

/* ---- calls ---- */

static bool push_global(Machine *m, const char *module, size_t nmodule, const char *name, size_t nname)
{
    for (size_t i = 0; i < sizeof globals / sizeof *globals; i++) {
        const char *full = globals[i].name;
        if (strlen(full) != nmodule + 1 + nname || memcmp(full, module, nmodule) != 0 ||
            full[nmodule] != '.' || memcmp(full + nmodule + 1, name, nname) != 0)
            continue;
        StoreValue *v = store_new(m->store, STORE_GLOBAL);
        if (v) v->i = globals[i].global;
        return v && push(m, v);
    }
    return tide_refuse(
        "UnpicklingError",
        "'%s' asks for %.*s.%.*s; load() reads tensors, numbers, strings, lists and dicts, and runs "
        "no code",
        m->file->path, (int)(nmodule < 80 ? nmodule : 80), module, (int)(nname < 80 ? nname : 80), name);
}

/* Two lines: module and name. */
static bool op_global(Machine *m)
{
    const unsigned char *module = m->p;
    const unsigned char *name = memchr(module, '\n', (size_t)(m->end - module));
    const unsigned char *end = name ? memchr(name + 1, '\n', (size_t)(m->end - name - 1)) : NULL;
    if (!end) return bad(m);
    m->p = end + 1;
    return push_global(m, (const char *)module, (size_t)(name - module), (const char *)name + 1,
                       (size_t)(end - name - 1));
}

static bool op_stack_global(Machine *m)
{
    const StoreValue *name = pop(m), *module = name ? pop(m) : NULL;
    if (!module || name->kind != STORE_STRING || module->kind != STORE_STRING) return bad(m);
    return push_global(m, module->text, module->length, name->text, name->length);
}

/* A list of ints as sizes or strides. */
static bool read_dims(const Machine *m, const StoreValue *list, Dims *d)
{
    if (list->kind != STORE_LIST || list->n > TIDE_MAXDIM) return bad(m);
    d->n = (int)list->n;
    for (int i = 0; i < d->n; i++) {
        if (list->items[i]->kind != STORE_INT || list->items[i]->i < 0) return bad(m);
        d->v[i] = list->items[i]->i;
    }
    return true;
}

/* Whether shape and strides reach only elements that the storage has, counted without overflow. */
static bool inside(const Tensor *storage, const Dims *shape, const Dims *stride, int64_t offset)
{
    int64_t last = offset, numel = 1, step;
    for (int i = 0; i < shape->n; i++)
        if (shape->v[i] == 0) return offset >= 0 && offset <= storage->numel;
    for (int i = 0; i < shape->n; i++)
        if (__builtin_mul_overflow(numel, shape->v[i], &numel) ||
            __builtin_mul_overflow(shape->v[i] - 1, stride->v[i], &step) ||
            __builtin_add_overflow(last, step, &last))
            return false;
    return offset >= 0 && last < storage->numel && numel <= INT64_MAX / 16;
}

static Tensor *with_grad(Tensor *t, bool parameter, bool requires_grad)
{
    if (!t || (requires_grad && !tensor_set_requires_grad(t, true))) return NULL;
    t->is_parameter = parameter;
    return t;
}

/* (storage, offset, size, stride, requires_grad, hooks …) */
static StoreValue *rebuild_tensor(Machine *m, const StoreValue *args)
{
    Dims shape, stride;
    StoreValue **v = args->items;
    if (args->n < 6 || v[0]->kind != STORE_TENSOR || !v[0]->b || v[1]->kind != STORE_INT ||
        v[4]->kind != STORE_BOOL || !read_dims(m, v[2], &shape) || !read_dims(m, v[3], &stride) ||
        shape.n != stride.n || !inside(v[0]->tensor, &shape, &stride, v[1]->i)) {
        bad(m);
        return NULL;
    }
    return store_tensor(m->store,
                        with_grad(tensor_alias(v[0]->tensor, &shape, &stride, v[1]->i), false, v[4]->b));
}

/* (data, requires_grad, hooks) */
static StoreValue *rebuild_parameter(Machine *m, const StoreValue *args)
{
    StoreValue **v = args->items;
    if (args->n < 2 || v[0]->kind != STORE_TENSOR || v[1]->kind != STORE_BOOL) {
        bad(m);
        return NULL;
    }
    return store_tensor(m->store, with_grad(tensor_detach(v[0]->tensor), true, v[1]->b));
}

static bool op_reduce(Machine *m)
{
    StoreValue *args = peek(m, 0, STORE_LIST), *function = args ? peek(m, 1, STORE_GLOBAL) : NULL,
               *made = NULL;
    if (!function) return false;
    if (function->i == G_ORDERED_DICT && args->n == 0)
        made = store_new(m->store, STORE_DICT);
    else if (function->i == G_SIZE && args->n == 1 && args->items[0]->kind == STORE_LIST)
        made = args->items[0];
    else if (function->i == G_TENSOR)
        made = rebuild_tensor(m, args);
    else if (function->i == G_PARAMETER)
        made = rebuild_parameter(m, args);
    else
        bad(m);
    m->stack->n -= 2;
    return made && push(m, made);
}

/* ---- storages ---- */

static Tensor *read_storage(Machine *m, const StoreValue *key, DType dtype, int64_t numel)
{
    const ZipMember *member = NULL;
    for (size_t i = 0; i < m->zip->n && !member; i++) {
        const char *name = m->zip->members[i].name;
        if (strncmp(name, m->folder, m->folder_length) == 0 &&
            strncmp(name + m->folder_length, "data/", 5) == 0 &&
            strcmp(name + m->folder_length + 5, key->text) == 0)
            member = &m->zip->members[i];
    }
    int64_t bytes;
    Dims shape = {1, {numel}};
    if (!store_bytes(m->file, &shape, dtype, &bytes)) return NULL;
    if (!member || member->size < bytes)
        return store_damaged(m->file, "the elements of a tensor are not in it"), NULL;
    int64_t at = zip_data(m->file, member);
    if (at < 0) return NULL;
    if (member->packed == member->size) return store_read_tensor(m->file, at, &shape, dtype);
    unsigned char *data = zip_read_member(m->file, member, false);
    Tensor *t = data ? tensor_empty(&shape, dtype, (Device){DEVICE_CPU, 0}) : NULL;
    if (t && bytes) {
        memcpy(tensor_data(t), data, (size_t)bytes);
        store_mend_bools(t);
    }
    free(data);
    return t;
}

/* ("storage", class, key, device, numel): the storage, the same one for the same key. */
static bool op_persistent(Machine *m)
{
    const StoreValue *id = peek(m, 0, STORE_LIST);
    if (!id) return false;
    StoreValue **v = id->items;
    if (id->n != 5 || v[0]->kind != STORE_STRING || strcmp(v[0]->text, "storage") != 0 ||
        v[1]->kind != STORE_GLOBAL || v[1]->i < G_STORAGE || v[2]->kind != STORE_STRING ||
        v[4]->kind != STORE_INT)
        return bad(m);
    DType dtype = (DType)(v[1]->i - G_STORAGE);
    m->stack->n--;
    for (size_t i = 0; i + 1 < m->storages->n; i += 2)
        if (strcmp(m->storages->items[i]->text, v[2]->text) == 0) {
            const Tensor *old = m->storages->items[i + 1]->tensor;
            return old->dtype == dtype && old->numel == v[4]->i ? push(m, m->storages->items[i + 1]) : bad(m);
        }
    StoreValue *storage = store_tensor(m->store, read_storage(m, v[2], dtype, v[4]->i));
    if (!storage || !store_append(m->storages, v[2]) || !store_append(m->storages, storage)) return false;
    storage->b = true;
    return push(m, storage);
}

/* ---- lists, dicts, memo ---- */

/* A new list of the values from place `from` on; `mark`: the mark before them goes too. */
static bool op_tuple(Machine *m, size_t from, bool mark)
{
    StoreValue *list = store_new(m->store, STORE_LIST);
    if (!list || !move_values(m, from, list)) return false;
    m->stack->n -= mark;
    return push(m, list);
}

static bool op_last(Machine *m, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (i >= m->stack->n || m->stack->items[m->stack->n - 1 - i]->kind == STORE_MARK) return bad(m);
    return op_tuple(m, m->stack->n - n, false);
}

/* The values from place `from` on go into the list or dict below them (and below the mark). */
static bool op_extend(Machine *m, size_t from, bool mark, StoreKind kind)
{
    size_t below = from - mark;
    if (from == 0 || below == 0 || below > m->stack->n || m->stack->items[below - 1]->kind != kind ||
        (kind == STORE_DICT && (m->stack->n - from) % 2))
        return bad(m);
    StoreValue *into = m->stack->items[below - 1];
    if (!move_values(m, from, into)) return false;
    m->stack->n -= mark;
    return true;
}

static bool op_memoize(Machine *m, uint64_t at)
{
    if (at >= m->size || m->stack->n == 0) return bad(m);
    StoreValue *none = at >= m->memo->n ? store_new(m->store, STORE_MARK) : NULL;
    while (m->memo->n <= at)
        if (!store_append(m->memo, none)) return false;
    m->memo->items[at] = m->stack->items[m->stack->n - 1];
    return true;
}

static bool op_get(Machine *m, uint64_t at)
{
    if (at >= m->memo->n || m->memo->items[at]->kind == STORE_MARK) return bad(m);
    return push(m, m->memo->items[at]);
}

static bool op_memo(Machine *m, int bytes, bool get)
{
    uint64_t at;
    return read_number(m, bytes, &at) && (get ? op_get(m, at) : op_memoize(m, at));
}

/* An OrderedDict's own attributes (state dicts have versions in one) tell nothing that is needed. */
static bool op_build(Machine *m) { return pop(m) && peek(m, 0, STORE_DICT); }

static bool op_mark_list(Machine *m)
{
    size_t from = above_mark(m);
    return from && op_tuple(m, from, true);
}

static bool op_extend_marked(Machine *m, StoreKind kind)
{
    size_t from = above_mark(m);
    return from && op_extend(m, from, true, kind);
}

static bool step(Machine *m, unsigned char code)
{
    size_t n = m->stack->n;
    switch (code) {
    case 0x80: return operand(m, 1) != NULL; /* protocol */
    case 0x95: return operand(m, 8) != NULL; /* frame */
    case '(': return push(m, store_new(m->store, STORE_MARK));
    case 'N': return push(m, store_new(m->store, STORE_NONE));
    case 0x88: return push_bool(m, true);
    case 0x89: return push_bool(m, false);
    case 'J': return op_number(m, 4, true);
    case 'K': return op_number(m, 1, false);
    case 'M': return op_number(m, 2, false);
    case 0x8a: return op_long(m);
    case 'G': return op_float(m);
    case 'X':
    case 'T': return op_string(m, 4);
    case 0x8c:
    case 'U': return op_string(m, 1);
    case 0x8d: return op_string(m, 8);
    case 'c': return op_global(m);
    case 0x93: return op_stack_global(m);
    case 'R': return op_reduce(m);
    case 'Q': return op_persistent(m);
    case 'b': return op_build(m);
    case '}': return push(m, store_new(m->store, STORE_DICT));
    case ']':
    case ')': return push(m, store_new(m->store, STORE_LIST));
    case 't': return op_mark_list(m);
    case 0x85: return op_last(m, 1);
    case 0x86: return op_last(m, 2);
    case 0x87: return op_last(m, 3);
    case 'a': return n >= 2 ? op_extend(m, n - 1, false, STORE_LIST) : bad(m);
    case 's': return n >= 3 ? op_extend(m, n - 2, false, STORE_DICT) : bad(m);
    case 'e': return op_extend_marked(m, STORE_LIST);
    case 'u': return op_extend_marked(m, STORE_DICT);
    case 'q': return op_memo(m, 1, false);
    case 'r': return op_memo(m, 4, false);
    case 'h': return op_memo(m, 1, true);
    case 'j': return op_memo(m, 4, true);
    case 0x94: return op_memoize(m, m->memo->n);
    default:
        return tide_refuse("UnpicklingError",
                           "'%s' does more than build tensors, numbers, strings, lists and dicts",
                           m->file->path);
    }
}

static bool execute(Machine *m)
{
    while (m->p < m->end && *m->p != '.')
        if (tide_check_interrupt() || !step(m, *m->p++)) return false;
    if (m->p == m->end) return bad(m);
    m->store->root = pop(m);
    return m->store->root && (m->stack->n == 0 || bad(m));
}

static bool check_byte_order(StoreFile *f, const Zip *z, const char *folder, size_t n)
{
    for (size_t i = 0; i < z->n; i++) {
        const ZipMember *m = &z->members[i];
        if (strncmp(m->name, folder, n) != 0 || strcmp(m->name + n, "byteorder") != 0) continue;
        char *word = (char *)zip_read_member(f, m, false);
        bool little = word && strcmp(word, "little") == 0;
        if (word && !little) tide_fail("ValueError", "'%s' was written on a big-endian machine", f->path);
        free(word);
        return little;
    }
    return true;
}

bool pickle_read(StoreFile *f, const Zip *z, const ZipMember *pickle, Store *s)
{
    size_t folder = strlen(pickle->name) - strlen("data.pkl");
    if (!check_byte_order(f, z, pickle->name, folder)) return false;
    unsigned char *code = zip_read_member(f, pickle, false);
    if (!code) return false;
    Machine m = {.p = code,
                 .end = code + pickle->size,
                 .size = (size_t)pickle->size,
                 .file = f,
                 .zip = z,
                 .folder = pickle->name,
                 .folder_length = folder,
                 .store = s};
    m.stack = store_new(s, STORE_LIST);
    m.memo = store_new(s, STORE_LIST);
    m.storages = store_new(s, STORE_LIST);
    bool ok = m.stack && m.memo && m.storages && execute(&m);
    free(code);
    return ok;
}
