/* What the fuzz targets share: a library's start, the sanitizers' defaults, and what must hold of any input. */
#pragma once
#include <hdf5.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bellformer/problem.h"
#include "words.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

const char *__asan_default_options(void);
const char *__ubsan_default_options(void);
const char *__lsan_default_options(void);
const char *__lsan_default_suppressions(void);

/* No memory is an answer that the program knows: a request above 64 MB gets none, whatever the machine has. */
const char *__asan_default_options(void) {
  return "allocator_may_return_null=1:max_allocation_size_mb=64:protect_shadow_gap=0";
}

const char *__ubsan_default_options(void) { return "print_stacktrace=1:halt_on_error=1"; }

const char *__lsan_default_options(void) { return "print_suppressions=0"; }

/* What libraries keep until the process ends. Leaks of the program's own, through a library or not, stay visible: ids
 * of HDF5, which the library would free in the end, are counted after every input. */
const char *__lsan_default_suppressions(void) {
  return "leak:libmpi.so\nleak:libopen-pal.so\nleak:libopen-rte.so\nleak:libpmix.so\nleak:libpetsc\nleak:libhdf5\n";
}

/* Stop, with the input kept, where something that must hold does not. */
#define MUST(condition)                                                                                                \
  do {                                                                                                                 \
    if (!(condition)) {                                                                                                \
      fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);                                   \
      abort();                                                                                                         \
    }                                                                                                                  \
  } while (0)

/* A failure is the input's, or for want of memory; and it is told in one line that a terminal can show. */
static inline void must_be_told(BfStatus status, const BfError *error) {
  MUST(error->status == status);
  MUST(status == BF_BAD_INPUT || (status == BF_FAILURE && strstr(error->text, "out of memory")));
  MUST(*error->text && strnlen(error->text, sizeof error->text) < sizeof error->text);
  for (const char *c = error->text; *c; c++) MUST((unsigned char)*c >= ' ' && *c != 0x7f);
}

/* Nothing that was opened in an HDF5 file is left open. */
static inline void must_leave_no_ids(void) { MUST(H5Fget_obj_count(H5F_OBJ_ALL, H5F_OBJ_ALL) == 0); }
