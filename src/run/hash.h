/* A hash of what a file holds. */
#pragma once
#include <stdint.h>

/* FNV-1a over the bytes of the plain file `path`. NULL, or why it cannot be read. Local. */
const char *bf_hash_file(const char *path, uint64_t *hash);
