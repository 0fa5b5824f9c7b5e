/* What the steps of reading a problem share. */
#include "reader.h"
#include "run/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int bf_matrix_family(const BfMatrix *matrix) { return (int)strcspn(matrix->name, "_"); }

bool bf_matrix_alike(const BfMatrix *a, const BfMatrix *b) {
  const int family = bf_matrix_family(a);
  return a->name[family] && bf_matrix_family(b) == family && !strncmp(a->name, b->name, (size_t)family + 1);
}

bool bf_matrix_is_first(const BfMatrix *matrix) { return !strcmp(matrix->name + bf_matrix_family(matrix), "_0"); }

int bf_reads_section(const BfReader *reader, unsigned section) {
  if (section == BF_SECTION_ACTION && bf_uses_heads(reader)) return 0;
  return reader->sections->needs & section || bf_keys_has_section(reader->keys, section);
}

/* What one number says that is not given. */
static BfStatus fall_back(BfReader *reader, const char *key, int64_t wanted, double **out, BfError *error) {
  double number = 0;
  BF_TRY(bf_key_number(reader->keys, key, &number, error));
  bf_settings_alike(bf_keys_taken(reader->keys), key);
  BF_TRY(BF_NEW(out, wanted, error));
  for (int64_t k = 0; k < wanted; k++) (*out)[k] = number;
  return BF_OK;
}

BfStatus bf_read_numbers(BfReader *reader, const char *key, int64_t wanted, const char *what, double **out,
                         BfError *error) {
  double  *list  = NULL, *all;
  int64_t  count = 0;
  BfStatus status;
  *out = NULL;
  BF_TRY(bf_key_numbers(reader->keys, key, &count, &list, error));
  if (!list) return fall_back(reader, key, wanted, out, error);
  bf_settings_alike(bf_keys_taken(reader->keys), key);
  if (count == wanted) {
    *out = list;
    return BF_OK;
  }
  if (count == 1 && bf_keys_is_list(reader->keys, key)) {
    status =
        bf_key_fail(reader->keys, key, error, "wants %lld numbers, %s, got a list of 1 (for all alike: no brackets)",
                    (long long)wanted, what);
  } else if (count != 1) {
    status = wanted == 1 ? bf_key_fail(reader->keys, key, error, "wants 1 number, %s, got %lld", what, (long long)count)
                         : bf_key_fail(reader->keys, key, error, "wants 1 or %lld numbers, %s, got %lld",
                                       (long long)wanted, what, (long long)count);
  } else if ((status = BF_NEW(&all, wanted, error)) == BF_OK) {
    for (int64_t k = 0; k < wanted; k++) all[k] = list[0];
    *out = all;
  }
  bf_free(list);
  return status;
}

BfStatus bf_read_file(BfReader *reader, const char *key, const BfFile **out, BfError *error) {
  const char *name = NULL;
  BF_TRY(bf_key_text(reader->keys, key, &name, error));
  if (!name) return bf_key_missing(reader->keys, key, error);
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
