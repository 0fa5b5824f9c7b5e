/* control.*: how the free numbers of a layer fill its matrices. */
#include "reader.h"

#include <stdio.h>
#include <string.h>

/* The key that says `what` of a matrix: control.A_1.what where it is given, else control.A.what. */
static void pick_key(const BfReader *reader, const BfMatrix *matrix, const char *what, char key[BF_KEY]) {
  const int family = bf_matrix_family(matrix);
  snprintf(key, BF_KEY, "control.%s.%s", matrix->name, what);
  if (!matrix->name[family] || bf_keys_given(reader->keys, key)) return;
  snprintf(key, BF_KEY, "control.%.*s.%s", family, matrix->name, what);
}

enum { MOST_FORMS = 32 }; /* a choice has a bit for each; their names end with NULL */

static BfStatus read_form(BfReader *reader, BfMatrix *matrix, BfError *error) {
  const char *names[MOST_FORMS] = {NULL};
  char        key[BF_KEY], but[64] = "";
  int         form = 0;
  for (int k = 0; bf_form_family.kind(k); k++) names[k] = bf_form_family.kind(k)->name;
  pick_key(reader, matrix, "form", key);
  BF_TRY(bf_key_choice(reader->keys, key, names, &form, error));
  matrix->form = bf_form(names[form]);
  if (!matrix->form->fits || matrix->form->fits(matrix->rows, matrix->cols)) return BF_OK;
  snprintf(but, sizeof but, ", not %s", matrix->form->needs);
  return bf_key_fail(reader->keys, key, error, "must not be %s: %s is %d x %d%s", names[form], matrix->name,
                     matrix->rows, matrix->cols, but);
}

/* ---- which keys the forms leave in use -------------------------------------------------------------------------- */

/* A bit for a form, and for the one that a matrix would have by the file alone. */
static unsigned form_bit(const BfForm *form) {
  int k = 0;
  while (bf_form_family.kind(k) != &form->base) k++;
  return 1u << k;
}

static unsigned form_of_file(const BfReader *reader, const BfMatrix *matrix) {
  char        key[BF_KEY];
  const char *text;
  snprintf(key, sizeof key, "control.%s.form", matrix->name);
  text = bf_keys_in_file(reader->keys, key);
  snprintf(key, sizeof key, "control.%.*s.form", bf_matrix_family(matrix), matrix->name);
  if (!text) text = bf_keys_in_file(reader->keys, key);
  const int form = bf_family_find(&bf_form_family, text);
  return form < 0 ? 0 : 1u << form;
}

static BfStatus settle_map(BfReader *reader, const char *map, const char *key, unsigned forms, unsigned of_file,
                           BfError *error) {
  char        where[BF_KEY + 32];
  const char *form = bf_form_family.key->fallback;
  if (bf_keys_given(reader->keys, key)) BF_TRY(bf_key_text(reader->keys, key, &form, error));
  snprintf(where, sizeof where, "%s is %s", key, form);
  return bf_family_settle_matrix(reader->keys, map, where, forms, of_file, error);
}

/* A family's form says nothing where every head has one of its own. The file's stands aside where the command line gave
 * these. first: of the family. */
static BfStatus check_family(const BfReader *reader, const BfMatrix *first, BfError *error) {
  const BfLayer *layer = &reader->problem->layer;
  char           own[BF_KEY], key[BF_KEY];
  int            on_line = 0;
  snprintf(key, BF_KEY, "control.%.*s.form", bf_matrix_family(first), first->name);
  if (!bf_keys_given(reader->keys, key)) return BF_OK;
  for (int k = 0; k < layer->matrices; k = bf_next_matrix(reader, k)) {
    if (!bf_matrix_alike(first, &layer->matrix[k])) continue;
    snprintf(own, BF_KEY, "control.%s.form", layer->matrix[k].name);
    if (!bf_keys_given(reader->keys, own)) return BF_OK;
    on_line |= bf_keys_on_line(reader->keys, own);
  }
  if (on_line && !bf_keys_on_line(reader->keys, key)) return BF_OK;
  return bf_key_fail(reader->keys, key, error, "is not used where every head has a form of its own");
}

/* The map of a family, by the forms of all of its matrices. */
static BfStatus settle_family(BfReader *reader, const BfMatrix *first, BfError *error) {
  const BfLayer *layer = &reader->problem->layer;
  unsigned       forms = 0, of_file = 0;
  char           key[BF_KEY], map[BF_MATRIX_NAME];
  for (int k = 0; k < layer->matrices; k = bf_next_matrix(reader, k)) {
    if (!bf_matrix_alike(first, &layer->matrix[k])) continue;
    forms |= form_bit(layer->matrix[k].form);
    of_file |= form_of_file(reader, &layer->matrix[k]);
  }
  snprintf(map, sizeof map, "%.*s", bf_matrix_family(first), first->name);
  snprintf(key, sizeof key, "control.%s.form", map);
  return settle_map(reader, map, key, forms, of_file, error);
}

static BfStatus settle_maps(BfReader *reader, BfError *error) {
  const BfLayer *layer = &reader->problem->layer;
  char           key[BF_KEY];
  for (int k = 0; k < layer->matrices; k++)
    if (bf_matrix_is_first(&layer->matrix[k])) BF_TRY(check_family(reader, &layer->matrix[k], error));
  for (int k = 0; k < layer->matrices; k = bf_next_matrix(reader, k)) {
    const BfMatrix *matrix = &layer->matrix[k];
    pick_key(reader, matrix, "form", key);
    BF_TRY(settle_map(reader, matrix->name, key, form_bit(matrix->form), form_of_file(reader, matrix), error));
  }
  for (int k = 0; k < layer->matrices; k++)
    if (bf_matrix_is_first(&layer->matrix[k])) BF_TRY(settle_family(reader, &layer->matrix[k], error));
  return BF_OK;
}

/* ---- all -------------------------------------------------------------------------------------------------------- */

static BfStatus read_value(BfReader *reader, BfMatrix *matrix, BfError *error) {
  char key[BF_KEY], what[BF_KEY];
  if (!matrix->form->given) return BF_OK;
  pick_key(reader, matrix, "value", key);
  const int64_t entries = (int64_t)matrix->rows * matrix->cols;
  snprintf(what, sizeof what, "one an entry of %d x %d", matrix->rows, matrix->cols);
  BF_TRY(bf_read_numbers(reader, key, entries, what, &matrix->value, error));
  if (bf_uses_heads(reader) && !strncmp(matrix->name, "V_", 2))
    for (int64_t e = 0; e < entries; e++) matrix->value[e] /= reader->problem->layer.heads;
  return BF_OK;
}

/* What the keys of the first head say, for the heads that have none of their own. */
static BfStatus copy_matrices(const BfReader *reader, BfError *error) {
  const BfLayer *layer = &reader->problem->layer;
  const int      end   = bf_next_matrix(reader, 1);
  for (int k = 2; k < end; k++) {
    const BfMatrix *from  = &layer->matrix[k % 2];
    BfMatrix       *to    = &layer->matrix[k];
    const int64_t   bytes = from->value ? (int64_t)from->rows * from->cols * (int64_t)sizeof *from->value : 0;
    to->form              = from->form;
    if (!bytes) continue;
    if (!(to->value = bf_calloc(bytes, 1, error))) return error->status;
    memcpy(to->value, from->value, (size_t)bytes);
  }
  return BF_OK;
}

static void copy_ranges(const BfReader *reader) {
  const BfLayer *layer = &reader->problem->layer;
  const int      end   = bf_next_matrix(reader, 1);
  double        *lower = reader->problem->control_lower, *upper = reader->problem->control_upper;
  if (end == 2) return;
  const int each = layer->matrix[2].offset;
  for (int j = each; j < each * (end / 2); j++) {
    lower[j]          = lower[j - each];
    upper[j]          = upper[j - each];
    reader->ranged[j] = reader->ranged[j - each];
  }
}

BfStatus bf_read_control(BfReader *reader, BfError *error) {
  BfProblem *problem = reader->problem;
  BfLayer   *layer   = &problem->layer;
  BF_TRY(bf_layer_matrices(layer, error));
  for (int k = 0; k < layer->matrices; k = bf_next_matrix(reader, k))
    BF_TRY(read_form(reader, &layer->matrix[k], error));
  BF_TRY(settle_maps(reader, error));
  for (int k = 0; k < layer->matrices; k = bf_next_matrix(reader, k))
    BF_TRY(read_value(reader, &layer->matrix[k], error));
  BF_TRY(copy_matrices(reader, error));
  BF_TRY(bf_layer_place(layer, error));
  BF_TRY(BF_NEW(&problem->control_lower, layer->free, error));
  BF_TRY(BF_NEW(&problem->control_upper, layer->free, error));
  BF_TRY(BF_NEW(&reader->levels, layer->free, error));
  BF_TRY(BF_NEW(&reader->ranged, layer->free, error));
  for (int k = 0; k < layer->matrices; k = bf_next_matrix(reader, k))
    BF_TRY(bf_read_ranges(reader, &layer->matrix[k], error));
  copy_ranges(reader);
  return BF_OK;
}
