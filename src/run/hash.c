#include "run/hash.h"
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

uint64_t bf_hash(uint64_t sum, const void *bytes, size_t count) {
  const unsigned char *byte = bytes;
  for (size_t k = 0; k < count; k++) sum = (sum ^ byte[k]) * UINT64_C(0x100000001b3);
  return sum;
}

const char *bf_hash_file(const char *path, uint64_t *hash) {
  unsigned char bytes[4096];
  uint64_t      sum = BF_HASH_NONE;
  struct stat   about;
  FILE         *file = fopen(path, "rb");
  if (!file) return strerror(errno);
  const bool plain = !fstat(fileno(file), &about) && S_ISREG(about.st_mode);
  for (size_t got; plain && (got = fread(bytes, 1, sizeof bytes, file));) sum = bf_hash(sum, bytes, got);
  const bool whole = plain && !ferror(file);
  fclose(file);
  *hash = sum;
  return whole ? NULL : "not a file";
}
