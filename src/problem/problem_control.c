/* control.*: how the free numbers of a layer fill its matrices, and the box U that they move in. */
#include "reader.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

/* The key that says `what` of a matrix: control.A_1.what where it is given, else control.A.what. Returns whether it is
 * the matrix's own. */
static int pick_key(const BfReader *reader, const BfMatrix *matrix, const char *what, char key[BF_KEY]) {
  int family = (int)strcspn(matrix->name, "_");
  snprintf(key, BF_KEY, "control.%s.%s", matrix->name, what);
  if (!matrix->name[family] || bf_keys_given(reader->keys, key)) return 1;
  snprintf(key, BF_KEY, "control.%.*s.%s", family, matrix->name, what);
  return 0;
}

/* Refuse a key where the form makes it meaningless; a form of one matrix alone leaves the others their key. */
static BfStatus refuse(const BfReader *reader, const BfMatrix *matrix, const char *what, BfError *error) {
  char form[BF_KEY], key[BF_KEY], where[BF_KEY + 32];
  int  own_form = pick_key(reader, matrix, "form", form);
  int  own_key  = pick_key(reader, matrix, what, key);
  if (own_form && !own_key) return BF_OK;
  snprintf(where, sizeof where, "%s is %s", form, matrix->form == BF_FORM_FIXED ? "fixed" : "not fixed");
  return bf_refuse_key(reader, key, where, error);
}

static BfStatus read_form(BfReader *reader, BfMatrix *matrix, BfError *error) {
  static const char *const names[] = {"full", "diagonal", "scalar", "skew", "fixed", NULL}; /* as BfForm */
  char                     key[BF_KEY];
  int                      form = BF_FORM_FULL;
  pick_key(reader, matrix, "form", key);
  BF_TRY(bf_key_choice(reader->keys, key, BF_OPTIONAL, names, &form, error));
  matrix->form = (BfForm)form;
  int square   = matrix->rows == matrix->cols;
  if ((form == BF_FORM_DIAGONAL || form == BF_FORM_SCALAR) && !square)
    return bf_key_fail(reader->keys, key, error, "must not be %s: %s is %d x %d", names[form], matrix->name,
                       matrix->rows, matrix->cols);
  if (form == BF_FORM_SKEW && (!square || matrix->rows != 2))
    return bf_key_fail(reader->keys, key, error, "must not be skew: %s is %d x %d, not 2 x 2", matrix->name,
                       matrix->rows, matrix->cols);
  return BF_OK;
}

static BfStatus read_value(BfReader *reader, BfMatrix *matrix, BfError *error) {
  char    key[BF_KEY];
  int64_t count = 0, wanted = (int64_t)matrix->rows * matrix->cols;
  if (matrix->form != BF_FORM_FIXED) return refuse(reader, matrix, "value", error);
  BF_TRY(refuse(reader, matrix, "range", error));
  BF_TRY(refuse(reader, matrix, "levels", error));
  pick_key(reader, matrix, "value", key);
  BF_TRY(bf_key_numbers(reader->keys, key, BF_REQUIRED, &count, &matrix->value, error));
  if (count != wanted)
    return bf_key_fail(reader->keys, key, error, "wants %lld number%s (%d x %d), got %lld", (long long)wanted,
                       wanted == 1 ? "" : "s", matrix->rows, matrix->cols, (long long)count);
  return BF_OK;
}

/* One interval for all of a matrix's numbers, or one for each. */
static BfStatus place_range(BfReader *reader, const BfMatrix *matrix, const char *key, int64_t count,
                            const double range[], BfError *error) {
  BfProblem *problem = reader->problem;
  if (count != 2 && count != 2 * (int64_t)matrix->free)
    return matrix->free == 1 ? bf_key_fail(reader->keys, key, error, "wants 2 numbers, got %lld", (long long)count)
                             : bf_key_fail(reader->keys, key, error, "wants 2 or %lld numbers, got %lld",
                                           2 * (long long)matrix->free, (long long)count);
  for (int k = 0; k < matrix->free; k++) {
    const double *pair = range + (count == 2 ? 0 : 2 * k);
    int           j    = matrix->offset + k;
    if (pair[0] > pair[1])
      return bf_key_fail(reader->keys, key, error, "must not run downwards, got [%g, %g]", pair[0], pair[1]);
    if (!(pair[0] > -1e290 && pair[1] < 1e290)) /* room for the products of equal spacing */
      return bf_key_fail(reader->keys, key, error, "must be within 1e290, got [%g, %g]", pair[0], pair[1]);
    problem->lower[j] = pair[0];
    problem->upper[j] = pair[1];
    reader->ranged[j] = 1;
  }
  return BF_OK;
}

static BfStatus read_range(BfReader *reader, const BfMatrix *matrix, BfError *error) {
  char    key[BF_KEY];
  double *range = NULL;
  int64_t count = 0;
  if (!matrix->free) return BF_OK;
  pick_key(reader, matrix, "range", key);
  BF_TRY(bf_key_numbers(reader->keys, key, BF_OPTIONAL, &count, &range, error));
  BfStatus status = range ? place_range(reader, matrix, key, count, range, error) : BF_OK;
  bf_free(range);
  return status;
}

static BfStatus read_levels(BfReader *reader, const BfMatrix *matrix, BfError *error) {
  char     key[BF_KEY];
  int64_t *levels = NULL, count = 0;
  BfStatus status = BF_OK;
  if (!matrix->free) return BF_OK;
  pick_key(reader, matrix, "levels", key);
  BF_TRY(bf_key_integers(reader->keys, key, BF_OPTIONAL, 1, INT_MAX, &count, &levels, error));
  if (!levels) return BF_OK;
  if (count != 1 && count != matrix->free)
    status = matrix->free == 1 ? bf_key_fail(reader->keys, key, error, "wants 1 integer, got %lld", (long long)count)
                               : bf_key_fail(reader->keys, key, error, "wants 1 or %d integers, got %lld", matrix->free,
                                             (long long)count);
  for (int k = 0; k < matrix->free && status == BF_OK; k++)
    reader->levels[matrix->offset + k] = (int)levels[count == 1 ? 0 : k];
  bf_free(levels);
  return status;
}

BfStatus bf_read_control(BfReader *reader, BfError *error) {
  BfProblem *problem = reader->problem;
  BfLayer   *layer   = &problem->layer;
  BF_TRY(bf_layer_matrices(layer, error));
  for (int k = 0; k < layer->matrices; k++) {
    BF_TRY(read_form(reader, &layer->matrix[k], error));
    BF_TRY(read_value(reader, &layer->matrix[k], error));
  }
  BF_TRY(bf_layer_place(layer, error));
  BF_TRY(BF_NEW(&problem->lower, layer->controls, error));
  BF_TRY(BF_NEW(&problem->upper, layer->controls, error));
  BF_TRY(BF_NEW(&reader->levels, layer->controls, error));
  BF_TRY(BF_NEW(&reader->ranged, layer->controls, error));
  for (int k = 0; k < layer->matrices; k++) {
    BF_TRY(read_range(reader, &layer->matrix[k], error));
    BF_TRY(read_levels(reader, &layer->matrix[k], error));
  }
  return BF_OK;
}
