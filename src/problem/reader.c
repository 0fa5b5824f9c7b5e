/* What the steps of reading a problem share. */
#include "reader.h"
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

BfStatus bf_refuse_key(const BfReader *reader, const char *key, const char *where, BfError *error) {
  if (!bf_keys_given(reader->keys, key)) return BF_OK;
  return bf_key_fail(reader->keys, key, error, "must not be given where %s", where);
}

BfStatus bf_read_file(BfReader *reader, const char *key, const BfFile **out, BfError *error) {
  const char *name = NULL;
  BF_TRY(bf_key_text(reader->keys, key, BF_REQUIRED, &name, error));
  BfStatus status = bf_files_get(reader->problem->files, name, out, error);
  if (status != BF_OK) bf_key_prefix(reader->keys, key, error);
  return status;
}

BfStatus bf_problem_warn(BfProblem *problem, BfError *error, const char *format, ...) {
  char    line[BF_ERROR_LENGTH];
  char  **list;
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  BF_TRY(BF_NEW(&list, problem->warnings + 1, error));
  if (problem->warnings) memcpy(list, problem->warning, (size_t)problem->warnings * sizeof *list);
  bf_free(problem->warning);
  problem->warning = list;
  char *copy       = bf_text_copy(line, (int64_t)strlen(line), error);
  if (!copy) return error->status;
  list[problem->warnings++] = copy;
  return BF_OK;
}
