/* control.*: how the free numbers of a layer fill its matrices. */
#include "reader.h"

#include <stdio.h>
#include <string.h>

/* The key that says `what` of a matrix: control.A_1.what where it is given, else control.A.what. */
static void pick_key(const BfReader *reader, const BfMatrix *matrix, const char *what, char key[BF_KEY]) {
  int family = (int)strcspn(matrix->name, "_");
  snprintf(key, BF_KEY, "control.%s.%s", matrix->name, what);
  if (!matrix->name[family] || bf_keys_given(reader->keys, key)) return;
  snprintf(key, BF_KEY, "control.%.*s.%s", family, matrix->name, what);
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

/* ---- which keys the forms leave in use -------------------------------------------------------------------------- */

/* The form that a matrix would have by the file alone, a bit. */
static unsigned form_of_file(const BfReader *reader, const BfMatrix *matrix) {
  const int   family = (int)strcspn(matrix->name, "_");
  char        key[BF_KEY];
  const char *text;
  snprintf(key, sizeof key, "control.%s.form", matrix->name);
  text = bf_keys_in_file(reader->keys, key);
  snprintf(key, sizeof key, "control.%.*s.form", family, matrix->name);
  if (!text) text = bf_keys_in_file(reader->keys, key);
  const int form = bf_family_find(&bf_family_form, text);
  return form < 0 ? 0 : 1u << form;
}

static BfStatus settle_map(BfReader *reader, const char *map, const char *key, unsigned forms, unsigned of_file,
                           BfError *error) {
  char        where[BF_KEY + 32];
  const char *form = NULL;
  if (bf_keys_given(reader->keys, key)) BF_TRY(bf_key_text(reader->keys, key, BF_OPTIONAL, &form, error));
  snprintf(where, sizeof where, "%s is %s", key, form ? form : bf_family_form.fallback);
  return bf_family_settle_matrix(reader->keys, map, where, forms, of_file, error);
}

/* A family's form says nothing where every head has one of its own. The file's stands aside where the command line gave
 * these. */
static BfStatus check_family(const BfReader *reader, char family, BfError *error) {
  const BfLayer *layer = &reader->problem->layer;
  char           own[BF_KEY], key[BF_KEY];
  int            on_line = 0;
  snprintf(key, BF_KEY, "control.%c.form", family);
  if (!layer->heads || !bf_keys_given(reader->keys, key)) return BF_OK;
  for (int k = 0; k < layer->matrices; k++) {
    if (layer->matrix[k].name[0] != family || layer->matrix[k].name[1] != '_') continue;
    snprintf(own, BF_KEY, "control.%s.form", layer->matrix[k].name);
    if (!bf_keys_given(reader->keys, own)) return BF_OK;
    on_line |= bf_keys_on_line(reader->keys, own);
  }
  if (on_line && !bf_keys_on_line(reader->keys, key)) return BF_OK;
  return bf_key_fail(reader->keys, key, error, "is not used where every head has a form of its own");
}

/* The map of one matrix, by its form; that of a family, by the forms of all of its matrices. */
static BfStatus settle_maps(BfReader *reader, BfError *error) {
  const BfLayer *layer    = &reader->problem->layer;
  unsigned       forms[2] = {0}, of_file[2] = {0};
  char           key[BF_KEY];
  BF_TRY(check_family(reader, 'A', error));
  BF_TRY(check_family(reader, 'V', error));
  for (int k = 0; k < layer->matrices; k++) {
    const BfMatrix *matrix = &layer->matrix[k];
    const unsigned  form = 1u << matrix->form, form_before = form_of_file(reader, matrix);
    pick_key(reader, matrix, "form", key);
    BF_TRY(settle_map(reader, matrix->name, key, form, form_before, error));
    if (!strchr(matrix->name, '_')) continue;
    forms[*matrix->name == 'V'] |= form;
    of_file[*matrix->name == 'V'] |= form_before;
  }
  if (!layer->heads) return BF_OK;
  BF_TRY(settle_map(reader, "A", "control.A.form", forms[0], of_file[0], error));
  return settle_map(reader, "V", "control.V.form", forms[1], of_file[1], error);
}

/* ---- all -------------------------------------------------------------------------------------------------------- */

static BfStatus read_value(BfReader *reader, BfMatrix *matrix, BfError *error) {
  char key[BF_KEY], what[BF_KEY];
  if (matrix->form != BF_FORM_FIXED) return BF_OK;
  pick_key(reader, matrix, "value", key);
  snprintf(what, sizeof what, "one an entry of %d x %d", matrix->rows, matrix->cols);
  return bf_read_numbers(reader, key, BF_REQUIRED, (int64_t)matrix->rows * matrix->cols, what, &matrix->value, error);
}

BfStatus bf_read_control(BfReader *reader, BfError *error) {
  BfProblem *problem = reader->problem;
  BfLayer   *layer   = &problem->layer;
  BF_TRY(bf_layer_matrices(layer, error));
  for (int k = 0; k < layer->matrices; k++) BF_TRY(read_form(reader, &layer->matrix[k], error));
  BF_TRY(settle_maps(reader, error));
  for (int k = 0; k < layer->matrices; k++) BF_TRY(read_value(reader, &layer->matrix[k], error));
  BF_TRY(bf_layer_place(layer, error));
  BF_TRY(BF_NEW(&problem->control_lower, layer->free, error));
  BF_TRY(BF_NEW(&problem->control_upper, layer->free, error));
  BF_TRY(BF_NEW(&reader->levels, layer->free, error));
  BF_TRY(BF_NEW(&reader->ranged, layer->free, error));
  for (int k = 0; k < layer->matrices; k++) BF_TRY(bf_read_ranges(reader, &layer->matrix[k], error));
  return BF_OK;
}
