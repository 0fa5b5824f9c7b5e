/* Hashes of bytes, and of what a file holds. */
#pragma once
#include <stddef.h>
#include <stdint.h>

/* FNV-1a over bytes, behind those that gave `sum`; the first are behind BF_HASH_NONE. Local. */
#define BF_HASH_NONE UINT64_C(0xcbf29ce484222325)
uint64_t bf_hash(uint64_t sum, const void *bytes, size_t count);
/* FNV-1a over the bytes of the plain file `path`. NULL, or why it cannot be read. Local. */
const char *bf_hash_file(const char *path, uint64_t *hash);
