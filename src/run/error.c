#include "bellformer/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A name of a file or key may hold anything: what would break the line, or steer a terminal, is replaced. */
static void make_printable(char *text) {
  for (; *text; text++)
    if ((unsigned char)*text < ' ' || *text == 0x7f) *text = '?';
}

/* Where a text is too long its middle is left out: names stand at its begin, reasons at its end. */
static void shorten(const char *text, char out[BF_ERROR_LENGTH]) {
  const char  *gap  = " ... ";
  const size_t half = (BF_ERROR_LENGTH - strlen(gap)) / 2 - 1;
  if (strlen(text) < BF_ERROR_LENGTH) strcpy(out, text);
  else snprintf(out, BF_ERROR_LENGTH, "%.*s%s%s", (int)half, text, gap, text + strlen(text) - half);
}

static BfStatus fail(BfError *error, BfStatus status, BfCause cause, const char *format, va_list arguments) {
  char text[8 * BF_ERROR_LENGTH];
  if (error->status != BF_OK) return error->status;
  vsnprintf(text, sizeof text, format, arguments);
  make_printable(text);
  shorten(text, error->text);
  error->status = status;
  error->cause  = cause;
  return status;
}

BfStatus bf_fail(BfError *error, BfStatus status, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  status = fail(error, status, BF_CAUSE_NONE, format, arguments);
  va_end(arguments);
  return status;
}

BfStatus bf_fail_for(BfError *error, BfStatus status, BfCause cause, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  status = fail(error, status, cause, format, arguments);
  va_end(arguments);
  return status;
}

void bf_error_prefix(BfError *error, const char *format, ...) {
  if (error->status == BF_OK) return;
  char    prefix[6 * BF_ERROR_LENGTH], text[8 * BF_ERROR_LENGTH];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(prefix, sizeof prefix, format, arguments);
  va_end(arguments);
  make_printable(prefix);
  snprintf(text, sizeof text, "%s: %s", prefix, error->text);
  shorten(text, error->text);
}

void *bf_calloc(int64_t count, size_t size, BfError *error) {
  const size_t line = 64;
  size_t       bytes;
  if (count < 0 || __builtin_mul_overflow((size_t)count, size, &bytes) || bytes > SIZE_MAX - 2 * line) {
    bf_fail_for(error, BF_FAILURE, BF_CAUSE_MEMORY, "out of memory: %lld objects of %zu bytes", (long long)count, size);
    return NULL;
  }
  bytes         = bytes ? (bytes + line - 1) / line * line : line;
  void *pointer = aligned_alloc(line, bytes);
  if (!pointer) {
    bf_fail_for(error, BF_FAILURE, BF_CAUSE_MEMORY, "out of memory: %zu bytes wanted", bytes);
    return NULL;
  }
  return memset(pointer, 0, bytes);
}

void bf_free(void *pointer) { free(pointer); }
