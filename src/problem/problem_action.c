/* action.*: the finite set U_k of controls. */
#include "bellformer/run.h"
#include "reader.h"
#include "table.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* The matrix that takes control number j. */
static const BfMatrix *matrix_of(const BfLayer *layer, int j) {
  const BfMatrix *matrix = layer->matrix;
  while (j < matrix->offset || j >= matrix->offset + matrix->free) matrix++;
  return matrix;
}

/* Every number has a range (or levels), or the key of its matrix is missing. */
static BfStatus require(BfReader *reader, const int have[], const char *what, BfError *error) {
  const BfLayer *layer = &reader->problem->layer;
  for (int j = 0; j < layer->free; j++) {
    if (have[j]) continue;
    char    name[sizeof layer->matrix->name + 1], key[BF_KEY];
    int64_t unused;
    snprintf(name, sizeof name, "%s", matrix_of(layer, j)->name);
    name[strcspn(name, "_")] = '\0'; /* what most users want: one for all heads */
    snprintf(key, sizeof key, "control.%s.%s", name, what);
    if (bf_keys_given(reader->keys, key)) return bf_key_fail(reader->keys, key, error, "is not for every head");
    BF_TRY(bf_key_integer(reader->keys, key, BF_REQUIRED, 0, 0, &unused, error));
  }
  return BF_OK;
}

/* Every rank holds the controls, as numbers and as matrices, and their stage costs: refuse, rather than die of, a set
 * that its node could not hold. */
static BfStatus check_memory(const BfReader *reader, const char *key, double count, BfError *error) {
  const BfLayer *layer = &reader->problem->layer;
  double         bytes = count * (layer->free + layer->parameters + 1) * (double)sizeof(double);
  if (count >= 2147483648.0)
    return bf_key_fail(reader->keys, key, error, "gives %.4g controls, at most 2147483647 are possible", count);
  if (bytes > reader->memory)
    return bf_key_fail(reader->keys, key, error, "gives %.4g controls: %.3g GiB a rank, %.3g GiB are free", count,
                       bytes / 0x1p30, reader->memory / 0x1p30);
  return BF_OK;
}

static BfStatus read_grid(BfReader *reader, BfError *error) {
  BfProblem *problem = reader->problem;
  int        q       = problem->layer.free;
  double     count   = 1;
  for (int k = 0; k < problem->layer.matrices; k++) BF_TRY(bf_read_levels(reader, &problem->layer.matrix[k], error));
  BF_TRY(require(reader, reader->levels, "levels", error));
  for (int j = 0; j < q; j++) count *= reader->levels[j];
  BF_TRY(check_memory(reader, "action.kind", count, error));
  return bf_controls_grid(q, problem->control_lower, problem->control_upper, reader->levels, &problem->actions,
                          &problem->action, error);
}

static BfStatus read_sample(BfReader *reader, int64_t count, int64_t seed, BfError *error) {
  BfProblem *problem = reader->problem;
  BF_TRY(check_memory(reader, "action.count", (double)count, error));
  problem->actions = count;
  return bf_controls_sample(problem->layer.free, problem->control_lower, problem->control_upper, count, (uint64_t)seed,
                            &problem->action, error);
}

static BfStatus check_ranges(const BfReader *reader, const BfFile *file, BfError *error) {
  const BfProblem *problem = reader->problem;
  int              q       = problem->layer.free;
  for (int64_t k = 0; k < problem->actions; k++)
    for (int j = 0; j < q; j++) {
      double u = problem->action[k * q + j];
      if (reader->ranged[j] && (u < problem->control_lower[j] || u > problem->control_upper[j])) {
        const char *name = matrix_of(&problem->layer, j)->name;
        char        place[BF_PLACE];
        return bf_fail(error, BF_BAD_INPUT, "%s: %s: cell %d (of %s) must be in [%g, %g], got %g", file->name,
                       bf_rows_place(file, k, place), j + 1, name, problem->control_lower[j], problem->control_upper[j],
                       u);
      }
    }
  return BF_OK;
}

/* The hull of the rows, in the numbers without a range. */
static void take_hull(const BfReader *reader) {
  BfProblem *problem = reader->problem;
  int        q       = problem->layer.free;
  for (int j = 0; j < q; j++) {
    if (reader->ranged[j]) continue;
    problem->control_lower[j] = problem->control_upper[j] = problem->action[j];
    for (int64_t k = 1; k < problem->actions; k++) {
      problem->control_lower[j] = fmin(problem->control_lower[j], problem->action[k * q + j]);
      problem->control_upper[j] = fmax(problem->control_upper[j], problem->action[k * q + j]);
    }
  }
}

static BfStatus read_rows(BfReader *reader, BfError *error) {
  BfProblem    *problem = reader->problem;
  const BfFile *file;
  BF_TRY(bf_read_file(reader, "action.file", &file, error));
  if (!problem->layer.free)
    return bf_key_fail(reader->keys, "action.kind", error, "must not be file: no matrix has free numbers");
  BF_TRY(bf_rows_parse(file, problem->layer.free, &problem->actions, &problem->action, error));
  BF_TRY(check_memory(reader, "action.file", (double)problem->actions, error));
  BF_TRY(check_ranges(reader, file, error));
  take_hull(reader);
  return BF_OK;
}

BfStatus bf_read_action(BfReader *reader, BfError *error) {
  enum { GRID, SAMPLE, ROWS };
  static const char *const kinds[] = {"grid", "sample", "file", NULL};
  BfKeys                  *keys    = reader->keys;
  int                      kind    = GRID;
  int64_t                  count = 0, seed = 0;
  if (!bf_reads_section(reader, BF_SECTION_ACTION)) return require(reader, reader->ranged, "range", error);
  BF_TRY(bf_key_choice(keys, "action.kind", BF_OPTIONAL, kinds, &kind, error));
  BF_TRY(bf_family_settle(keys, &bf_family_action, kinds[kind], error));
  if (kind == ROWS) return read_rows(reader, error);
  BF_TRY(require(reader, reader->ranged, "range", error));
  if (kind == GRID) return read_grid(reader, error);
  BF_TRY(bf_key_integer(keys, "action.count", BF_REQUIRED, 1, INT_MAX, &count, error));
  BF_TRY(bf_key_integer(keys, "action.seed", BF_OPTIONAL, 0, INT64_MAX, &seed, error));
  return read_sample(reader, count, seed, error);
}
