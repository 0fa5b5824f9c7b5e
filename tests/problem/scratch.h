/* Files in a temporary folder, and the error that an input gives. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bellformer/problem.h"

#define LENGTH(array) (sizeof(array) / sizeof *(array))

static inline void write_file(const char *folder, const char *name, const char *text) {
  char path[512];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
  assert_int_equal(fclose(file), 0);
}

static inline BfFile file_of(const char *name, const char *bytes, size_t size) {
  return (BfFile){.name = (char *)name, .bytes = (char *)bytes, .size = (int64_t)size};
}

static inline void assert_error(const BfError *error, BfStatus status, const char *text) {
  assert_string_equal(error->text, text);
  assert_int_equal(error->status, status);
}
