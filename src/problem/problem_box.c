/* control.*.range and .levels: the box U and its levels, of all numbers of a matrix, and of single rows, columns and
 * entries in their place. */
#include "reader.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

/* What a free number has: a pair, or one integer. */
typedef enum { RANGE, LEVELS } What;

typedef struct {
  BfReader       *reader;
  const BfMatrix *matrix;
  What            what;
  const char     *map;     /* "A_0", or "A": where keys are looked for */
  int             on_line; /* those of the command line; else those of the file that it does not replace */
  int64_t        *by;      /* [free] which key has named the number, 1 + its place in the walk; 0: none */
} Pass;

static const char *suffix(What what) { return what == RANGE ? "range" : "levels"; }

static bool is_set(const BfReader *reader, What what, int j) {
  return what == RANGE ? reader->ranged[j] : reader->levels[j] != 0;
}

static int all_set(const BfReader *reader, const BfMatrix *matrix, What what) {
  for (int j = matrix->offset; j < matrix->offset + matrix->free; j++)
    if (!is_set(reader, what, j)) return 0;
  return 1;
}

/* ---- values ----------------------------------------------------------------------------------------------------- */

static BfStatus check_pair(const Pass *pass, const char *key, const double pair[], BfError *error) {
  const BfKeys *keys = pass->reader->keys;
  if (pair[0] > pair[1]) return bf_key_fail(keys, key, error, "must not run downwards, got [%g, %g]", pair[0], pair[1]);
  if (!(pair[0] > -1e290 && pair[1] < 1e290)) /* room for the products of equal spacing */
    return bf_key_fail(keys, key, error, "must be within 1e290, got [%g, %g]", pair[0], pair[1]);
  return BF_OK;
}

/* The values of a key: 2, or 1, and where `all` allows it as many for each free number. */
static BfStatus read_values(const Pass *pass, const char *key, int all, int64_t *count, double **values,
                            BfError *error) {
  BfKeys       *keys  = pass->reader->keys;
  const int64_t width = pass->what == RANGE ? 2 : 1, most = all ? width * pass->matrix->free : width;
  int64_t      *levels = NULL;
  if (pass->what == RANGE) {
    BF_TRY(bf_key_numbers(keys, key, count, values, error));
  } else {
    BF_TRY(bf_key_integers(keys, key, count, &levels, error));
    BfStatus status = BF_NEW(values, *count, error);
    for (int64_t k = 0; k < *count && status == BF_OK; k++) (*values)[k] = (double)levels[k];
    bf_free(levels);
    BF_TRY(status);
  }
  if (*count != width && *count != most) {
    const char *noun = pass->what == RANGE ? "number" : "integer";
    return most == width ? bf_key_fail(keys, key, error, "wants %lld %s%s, got %lld", (long long)width, noun,
                                       width == 1 ? "" : "s", (long long)*count)
                         : bf_key_fail(keys, key, error, "wants %lld or %lld %ss, got %lld", (long long)width,
                                       (long long)most, noun, (long long)*count);
  }
  for (int64_t k = 0; pass->what == RANGE && k < *count; k += 2) BF_TRY(check_pair(pass, key, *values + k, error));
  return BF_OK;
}

static void set(const Pass *pass, int number, const double value[]) {
  BfReader *reader = pass->reader;
  const int j      = pass->matrix->offset + number;
  if (is_set(reader, pass->what, j)) return; /* by a key that goes first */
  if (pass->what == LEVELS) {
    reader->levels[j] = (int)value[0];
    return;
  }
  reader->problem->control_lower[j] = value[0];
  reader->problem->control_upper[j] = value[1];
  reader->ranged[j]                 = 1;
}

/* ---- keys ------------------------------------------------------------------------------------------------------- */

/* Whether the pass reads this key: an exception of its map. */
static bool is_piece(const Pass *pass, const BfGiven *given) {
  const char *row = given->name.row->name;
  if (strncmp(row, "control.A.row_I_column_J.", 25) || strcmp(row + 25, suffix(pass->what))) return false;
  return !strcmp(given->name.matrix, pass->map);
}

/* Every number of a block; none of them twice in one pass, so that no order matters. */
static BfStatus place_piece(const Pass *pass, const BfGiven *given, int64_t place, const double value[],
                            BfError *error) {
  const BfMatrix *matrix = pass->matrix;
  const BfPiece  *block  = &given->name.piece;
  BfKeys         *keys   = pass->reader->keys;
  const int       rows   = block->row[1] == INT_MAX ? matrix->rows - 1 : block->row[1];
  const int       cols   = block->column[1] == INT_MAX ? matrix->cols - 1 : block->column[1];
  char            other[BF_OPTION_LENGTH + 64];
  int             free = 0;
  if (rows >= matrix->rows || cols >= matrix->cols)
    return bf_key_fail(keys, given->key, error, "is outside of %s: rows 0 .. %d, columns 0 .. %d", matrix->name,
                       matrix->rows - 1, matrix->cols - 1);
  for (int row = block->row[0]; row <= rows; row++)
    for (int column = block->column[0]; column <= cols; column++) {
      double    factor;
      const int number = matrix->form->number(matrix->cols, row, column, &factor);
      if (number < 0) continue;
      if (pass->by[number]) {
        int64_t at = pass->by[number] - 1;
        bf_key_spell(keys, bf_keys_next(keys, &at)->key, sizeof other, other);
        return bf_key_fail(keys, given->key, error, "and %s both name row %d, column %d", other, row, column);
      }
      pass->by[number] = place + 1;
      set(pass, number, value);
      free++;
    }
  return free ? BF_OK
              : bf_key_fail(keys, given->key, error, "names no free number: %s is %s", matrix->name,
                            matrix->form->base.name);
}

static BfStatus read_pieces(const Pass *pass, int *pieces, BfError *error) {
  BfKeys        *keys = pass->reader->keys;
  const BfGiven *given;
  if (!pass->matrix->form->pieces) return BF_OK;
  for (int64_t at = 0, place = 0; (given = bf_keys_next(keys, &at)); place = at) {
    double  *value = NULL;
    int64_t  count = 0;
    BfStatus status;
    if (!is_piece(pass, given) || given->on_line != pass->on_line) continue;
    if (!pass->on_line && bf_keys_on_line(keys, given->key)) continue; /* read as the command line's */
    status = read_values(pass, given->key, 0, &count, &value, error);
    if (status == BF_OK) status = place_piece(pass, given, place, value, error);
    bf_free(value);
    BF_TRY(status);
    ++*pieces;
  }
  return BF_OK;
}

static BfStatus read_all(const Pass *pass, int pieces, BfError *error) {
  const BfMatrix *matrix = pass->matrix;
  const int       width  = pass->what == RANGE ? 2 : 1;
  double         *value  = NULL;
  int64_t         count  = 0;
  char            key[BF_KEY];
  snprintf(key, sizeof key, "control.%s.%s", pass->map, suffix(pass->what));
  if (!bf_keys_given(pass->reader->keys, key) || bf_keys_on_line(pass->reader->keys, key) != pass->on_line)
    return BF_OK;
  BfStatus status = read_values(pass, key, 1, &count, &value, error);
  if (status == BF_OK && count > width && pieces)
    status =
        bf_key_fail(pass->reader->keys, key, error, "must be one for all numbers where rows or columns have their own");
  for (int k = 0; k < matrix->free && status == BF_OK; k++) set(pass, k, value + (count == width ? 0 : width * k));
  bf_free(value);
  return status;
}

/* ---- all -------------------------------------------------------------------------------------------------------- */

/* What the command line has said of every number leaves the file's keys of the map without use: silently. */
static void replace_file(const Pass *pass) {
  const BfGiven *given;
  for (int64_t at = 0; (given = bf_keys_next(pass->reader->keys, &at));)
    if (!given->on_line && !strcmp(given->name.matrix, pass->map) &&
        !strcmp(strrchr(given->name.row->name, '.') + 1, suffix(pass->what)))
      bf_keys_replace(pass->reader->keys, given);
}

/* The command line goes before the file; in either, exceptions before the value for all. */
static BfStatus read_map(Pass *pass, BfError *error) {
  BfReader       *reader = pass->reader;
  const BfMatrix *matrix = pass->matrix;
  for (pass->on_line = 1; pass->on_line >= 0; pass->on_line--) {
    int pieces = 0;
    if (!pass->on_line && all_set(reader, matrix, pass->what)) {
      replace_file(pass);
      return BF_OK;
    }
    memset(pass->by, 0, (size_t)matrix->free * sizeof *pass->by);
    BF_TRY(read_pieces(pass, &pieces, error));
    BF_TRY(read_all(pass, pieces, error));
  }
  return BF_OK;
}

/* A matrix's own map goes before that of its family. */
static BfStatus read_matrix(BfReader *reader, const BfMatrix *matrix, What what, BfError *error) {
  char     family[BF_MATRIX_NAME];
  Pass     pass = {.reader = reader, .matrix = matrix, .what = what, .map = matrix->name};
  BfStatus status;
  if (!matrix->free) return BF_OK;
  snprintf(family, sizeof family, "%.*s", bf_matrix_family(matrix), matrix->name);
  BF_TRY(BF_NEW(&pass.by, matrix->free, error));
  BF_GOTO(read_map(&pass, error));
  pass.map = family;
  if (strcmp(family, matrix->name) && !all_set(reader, matrix, what)) BF_GOTO(read_map(&pass, error));
done:
  bf_free(pass.by);
  return status;
}

BfStatus bf_read_ranges(BfReader *reader, const BfMatrix *matrix, BfError *error) {
  return read_matrix(reader, matrix, RANGE, error);
}

BfStatus bf_read_levels(BfReader *reader, const BfMatrix *matrix, BfError *error) {
  return read_matrix(reader, matrix, LEVELS, error);
}

/* ---- what came of them ------------------------------------------------------------------------------------------ */

/* Pairs, or levels, of a matrix's free numbers; the number of them that says all: those of one, where all are alike. */
static int64_t collect(const BfReader *reader, const BfMatrix *matrix, What what, double values[]) {
  const int width = what == RANGE ? 2 : 1;
  bool      alike = true;
  for (int k = 0; k < matrix->free; k++) {
    const int j = matrix->offset + k;
    double   *v = values + width * k;
    v[0]        = what == RANGE ? reader->problem->control_lower[j] : reader->levels[j];
    if (what == RANGE) v[1] = reader->problem->control_upper[j];
    alike = alike && !memcmp(v, values, (size_t)width * sizeof *v);
  }
  return alike ? width : width * (int64_t)matrix->free;
}

/* Whether the matrices of a family have free numbers, all in the same ranges or levels. */
static BfStatus are_alike(const BfReader *reader, const BfMatrix *first, What what, bool *alike, BfError *error) {
  const BfLayer *layer  = &reader->problem->layer;
  const size_t   each   = (what == RANGE ? 2 : 1) * (size_t)first->free * sizeof(double);
  double        *values = NULL, *its;
  *alike                = first->free > 0;
  BF_TRY(BF_NEW(&values, 4 * (int64_t)first->free, error));
  its = values + 2 * first->free;
  for (int k = 0; k < layer->matrices && *alike; k = bf_next_matrix(reader, k)) {
    const BfMatrix *matrix = &layer->matrix[k];
    if (!bf_matrix_alike(first, matrix)) continue;
    *alike = matrix->free == first->free &&
             collect(reader, matrix, what, its) == collect(reader, first, what, values) && !memcmp(values, its, each);
  }
  bf_free(values);
  return BF_OK;
}

static BfStatus note(const BfReader *reader, const BfMatrix *matrix, int length, What what, BfError *error) {
  char    key[BF_KEY];
  double *values;
  if (!matrix->free || (what == LEVELS && !reader->levels[matrix->offset])) return BF_OK;
  BF_TRY(BF_NEW(&values, 2 * (int64_t)matrix->free, error));
  snprintf(key, sizeof key, "control.%.*s.%s", length, matrix->name, suffix(what));
  bf_settings_add_numbers(bf_keys_taken(reader->keys), key, collect(reader, matrix, what, values), values, error);
  bf_free(values);
  return error->status;
}

/* A family of equal matrices as one, of others each. */
static BfStatus note_family(const BfReader *reader, const BfMatrix *first, What what, BfError *error) {
  const BfLayer *layer = &reader->problem->layer;
  bool           alike;
  BF_TRY(are_alike(reader, first, what, &alike, error));
  if (alike) return note(reader, first, bf_matrix_family(first), what, error);
  for (int k = 0; k < layer->matrices; k++) {
    const BfMatrix *matrix = &layer->matrix[k];
    if (bf_matrix_alike(first, matrix)) BF_TRY(note(reader, matrix, (int)strlen(matrix->name), what, error));
  }
  return BF_OK;
}

static BfStatus note_all(const BfReader *reader, What what, BfError *error) {
  const BfLayer *layer = &reader->problem->layer;
  for (int k = 0; k < layer->matrices; k = bf_next_matrix(reader, k)) {
    const BfMatrix *matrix = &layer->matrix[k];
    if (bf_matrix_is_first(matrix)) BF_TRY(note_family(reader, matrix, what, error));
    else if (!bf_matrix_alike(matrix, matrix)) BF_TRY(note(reader, matrix, (int)strlen(matrix->name), what, error));
  }
  return BF_OK;
}

BfStatus bf_note_box(BfReader *reader, BfError *error) {
  BF_TRY(note_all(reader, RANGE, error));
  return note_all(reader, LEVELS, error);
}
