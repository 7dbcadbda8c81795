/* store.h - inside the engine: memory. Storages, the caching allocator and free lists of small structs. */
#ifndef TIDE_STORE_H
#define TIDE_STORE_H

#include "engine/engine.h"

/* refs 1; NULL and an error when memory is out. bytes may be 0. */
Storage *storage_new(size_t bytes, Device device);
Storage *storage_borrow(void *data, size_t bytes, void (*free_data)(void *), void *context);
/* The same bytes with a version counter of their own; keeps s. Not counted as memory again. */
Storage *storage_alias(Storage *s);
void storage_release(Storage *s);

/* Host blocks, 64-byte aligned, cached by size class. bytes > 0. */
void *block_alloc(size_t bytes);
void block_free(void *p, size_t bytes);

/* A tensor struct with refs 1, geometry unset, ag NULL, storage NULL. */
Tensor *tensor_struct_new(void);
void tensor_struct_free(Tensor *t);

/* malloc that tests can make fail; records MemoryError. */
void *tide_malloc(size_t bytes);
void *tide_realloc(void *p, size_t bytes);

#endif
