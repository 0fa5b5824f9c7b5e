#include "bellformer/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

BfStatus bf_fail(BfError *error, BfStatus status, const char *format, ...) {
  if (error->status != BF_OK) return error->status;
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(error->text, sizeof error->text, format, arguments);
  va_end(arguments);
  error->status = status;
  return status;
}

void bf_error_prefix(BfError *error, const char *format, ...) {
  if (error->status == BF_OK) return;
  char    text[BF_ERROR_LENGTH], prefix[BF_ERROR_LENGTH / 2];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(prefix, sizeof prefix, format, arguments);
  va_end(arguments);
  memcpy(text, error->text, sizeof text);
  snprintf(error->text, sizeof error->text, "%s: %.*s", prefix, (int)(sizeof text - strlen(prefix) - 3), text);
}

void *bf_calloc(int64_t count, size_t size, BfError *error) {
  const size_t line = 64;
  size_t       bytes;
  if (count < 0 || __builtin_mul_overflow((size_t)count, size, &bytes) || bytes > SIZE_MAX - 2 * line) {
    bf_fail(error, BF_FAILURE, "out of memory: %lld objects of %zu bytes", (long long)count, size);
    return NULL;
  }
  bytes         = bytes ? (bytes + line - 1) / line * line : line;
  void *pointer = aligned_alloc(line, bytes);
  if (!pointer) {
    bf_fail(error, BF_FAILURE, "out of memory: %zu bytes wanted", bytes);
    return NULL;
  }
  return memset(pointer, 0, bytes);
}

void bf_free(void *pointer) { free(pointer); }
