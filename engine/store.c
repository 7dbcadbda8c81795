/* store.c - memory: storages, the caching allocator and free lists of small structs. */
#include "engine/store.h"

#include "engine/backend.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>

/* Fresh memory costs a page fault every 4 KiB, several times the cost of filling it, so freed blocks wait in lists by
 * size class for the next op. Classes are eighths of a power of two: at most 12% of a block is unused. */
enum {
    ALIGNMENT = 64,
    MIN_SHIFT = 7, /* the smallest class: 128 bytes */
    STEPS = 8,
    CLASSES = (48 - MIN_SHIFT) * STEPS,
    INLINE_BYTES = 64 /* a small tensor's elements live in its storage struct */
};
#define HUGE_BYTES  ((size_t)4 << 20)
#define CACHE_FLOOR ((size_t)64 << 20) /* cached beyond the live bytes, at most */

#if defined(__SANITIZE_ADDRESS__)
enum { CACHING = 0 }; /* let the sanitizer see every block come and go */
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
enum { CACHING = 0 };
#else
enum { CACHING = 1 };
#endif
#else
enum { CACHING = 1 };
#endif

typedef struct FreeBlock {
    struct FreeBlock *next;
} FreeBlock;

static FreeBlock *free_blocks[CLASSES];
static MemoryUse use;
static size_t device_live[256];
static int64_t fail_countdown;

static bool allocation_fails(void) { return fail_countdown > 0 && --fail_countdown == 0; }

void memory_fail_after(int64_t n) { fail_countdown = n; }
MemoryUse memory_use(void) { return use; }

static void *out_of_memory(size_t bytes)
{
    return tide_fail(
        "RuntimeError",
        "[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory: you tried "
        "to allocate %zu bytes. Error code 12 (Cannot allocate memory)",
        bytes);
}

void *tide_malloc(size_t bytes)
{
    void *p = allocation_fails() ? NULL : malloc(bytes ? bytes : 1);
    return p ? p : out_of_memory(bytes);
}

void *tide_realloc(void *old, size_t bytes)
{
    void *p = allocation_fails() ? NULL : realloc(old, bytes ? bytes : 1);
    return p ? p : out_of_memory(bytes);
}

/* The class whose blocks hold `bytes`, and their size. */
static int size_class(size_t bytes, size_t *rounded)
{
    if (bytes < (size_t)1 << MIN_SHIFT) bytes = (size_t)1 << MIN_SHIFT;
    int shift = 63 - __builtin_clzll(bytes);
    size_t step = ((size_t)1 << shift) / STEPS;
    size_t steps = (bytes - ((size_t)1 << shift) + step - 1) / step;
    *rounded = ((size_t)1 << shift) + steps * step;
    return (shift - MIN_SHIFT) * STEPS + (int)steps;
}

/* No more than the machine has: Linux promises memory it lacks, and ends the process that then uses it. */
static bool beyond_memory(size_t bytes)
{
    static size_t limit;
    if (!limit) {
        struct sysinfo s;
        limit = sysinfo(&s) == 0 ? ((size_t)s.totalram + s.totalswap) * s.mem_unit : SIZE_MAX;
    }
    return bytes > limit;
}

static void *system_alloc(size_t bytes)
{
    if (bytes < HUGE_BYTES) return aligned_alloc(ALIGNMENT, (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
    /* Big blocks start on a huge page's boundary: one fault every 2 MiB where the system grants them. */
    void *p = aligned_alloc((size_t)2 << 20, (bytes + ((size_t)2 << 20) - 1) >> 21 << 21);
    if (p) madvise(p, bytes, MADV_HUGEPAGE);
    return p;
}

void memory_trim(void)
{
    for (int c = 0; c < CLASSES; c++) {
        while (free_blocks[c]) {
            FreeBlock *b = free_blocks[c];
            free_blocks[c] = b->next;
            free(b);
        }
    }
    use.cached = 0;
}

void *block_alloc(size_t bytes)
{
    if (bytes >= HUGE_BYTES && beyond_memory(bytes)) return out_of_memory(bytes);
    size_t rounded;
    int c = size_class(bytes, &rounded);
    FreeBlock *b = free_blocks[c];
    if (b) {
        free_blocks[c] = b->next;
        use.cached -= rounded;
        return b;
    }
    if (allocation_fails()) return out_of_memory(bytes);
    void *p = system_alloc(rounded);
    if (!p && use.cached) {
        memory_trim();
        p = system_alloc(rounded);
    }
    return p ? p : out_of_memory(bytes);
}

void block_free(void *p, size_t bytes)
{
    size_t rounded;
    int c = size_class(bytes, &rounded);
    size_t limit = use.live > CACHE_FLOOR ? use.live : CACHE_FLOOR;
    if (!CACHING || use.cached + rounded > limit) {
        free(p);
        return;
    }
    FreeBlock *b = p;
    b->next = free_blocks[c];
    free_blocks[c] = b;
    use.cached += rounded;
}

/* ---- storages ---- */

typedef struct SmallStorage {
    Storage s;
    _Alignas(ALIGNMENT) char bytes[INLINE_BYTES];
} SmallStorage;

static SmallStorage *free_storages;

/* Bytes come (or go: negative) at a storage's place. */
static void count_at(Place *p, Device device, ptrdiff_t bytes)
{
    if (!p) return;
    size_t *count = device.type == DEVICE_CPU ? &p->host : &p->device;
    *count += (size_t)bytes;
}

static void count_bytes(Storage *s)
{
    Device device = s->device;
    size_t bytes = s->bytes;
    s->place = place_now();
    count_at(s->place, device, (ptrdiff_t)bytes);
    use.live += bytes;
    use.total += bytes;
    if (use.live > use.peak) use.peak = use.live;
    device_live[device.type == DEVICE_CPU ? 0 : 1 + device.index % 255] += bytes;
}

size_t device_memory(Device d) { return device_live[d.type == DEVICE_CPU ? 0 : 1 + d.index % 255]; }

static SmallStorage *storage_struct(void)
{
    SmallStorage *p = free_storages;
    if (p) {
        free_storages = *(SmallStorage **)p->bytes;
        return p;
    }
    p = allocation_fails() ? NULL : aligned_alloc(ALIGNMENT, sizeof *p);
    return p ? p : out_of_memory(sizeof *p);
}

static void storage_struct_free(SmallStorage *p)
{
    if (!CACHING) {
        free(p);
        return;
    }
    *(SmallStorage **)p->bytes = free_storages;
    free_storages = p;
}

Storage *storage_new(size_t bytes, Device device)
{
    SmallStorage *p = storage_struct();
    if (!p) return NULL;
    p->s.refs = 1;
    p->s.version = 0;
    p->s.writer = 0;
    p->s.written = NULL;
    p->s.device = device;
    p->s.borrowed = false;
    p->s.bytes = bytes;
    if (device.type == DEVICE_CPU && bytes <= INLINE_BYTES)
        p->s.data = p->bytes;
    else {
        p->s.data = backend_of(device)->alloc(device.index, bytes ? bytes : 1);
        if (!p->s.data) {
            storage_struct_free(p);
            return NULL;
        }
    }
    count_bytes(&p->s);
    return &p->s;
}

Storage *storage_borrow(void *data, size_t bytes, void (*free_data)(void *), void *context)
{
    SmallStorage *p = storage_struct();
    if (!p) return NULL;
    p->s = (Storage){.refs = 1,
                     .borrowed = true,
                     .bytes = bytes,
                     .data = data,
                     .free_borrowed = free_data,
                     .context = context};
    count_bytes(&p->s);
    return &p->s;
}

static void release_origin(void *origin) { storage_release(origin); }

Storage *storage_alias(Storage *s)
{
    SmallStorage *p = storage_struct();
    if (!p) return NULL;
    s->refs++;
    p->s = (Storage){.refs = 1,
                     .place = s->place,
                     .device = s->device,
                     .borrowed = true,
                     .bytes = s->bytes,
                     .data = s->data,
                     .free_borrowed = release_origin,
                     .context = s};
    return &p->s;
}

static void uncount_bytes(const Storage *s)
{
    use.live -= s->bytes;
    count_at(s->place, s->device, -(ptrdiff_t)s->bytes);
    device_live[s->device.type == DEVICE_CPU ? 0 : 1 + s->device.index % 255] -= s->bytes;
}

void storage_release(Storage *s)
{
    if (!s || --s->refs > 0) return;
    SmallStorage *p = (SmallStorage *)s;
    if (s->free_borrowed != release_origin || !s->borrowed) uncount_bytes(s);
    if (s->borrowed) {
        if (s->free_borrowed) s->free_borrowed(s->context);
    } else if (s->data != p->bytes) {
        backend_of(s->device)->release(s->device.index, s->data, s->bytes ? s->bytes : 1);
    }
    storage_struct_free(p);
}

/* ---- tensor structs ---- */

static Tensor *free_tensors; /* linked through storage */

Tensor *tensor_struct_new(void)
{
    Tensor *t = free_tensors;
    if (t)
        free_tensors = (Tensor *)(void *)t->storage;
    else if (!(t = tide_malloc(sizeof *t)))
        return NULL;
    memset(t, 0, offsetof(Tensor, shape));
    t->refs = 1;
    return t;
}

void tensor_struct_free(Tensor *t)
{
    if (!CACHING) {
        free(t);
        return;
    }
    t->storage = (Storage *)(void *)free_tensors;
    free_tensors = t;
}
