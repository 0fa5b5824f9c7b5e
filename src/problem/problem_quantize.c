/* quantize.*: X_n, the atoms of a tag, the transition; and the contexts of the data with those atoms. */
#include "reader.h"
#include "table.h"

#include <inttypes.h>
#include <limits.h>

static BfStatus read_codebook(BfReader *reader, BfError *error) {
  BfProblem    *problem = reader->problem;
  const BfFile *file;
  double       *points = NULL;
  int64_t       count  = 0;
  BF_TRY(bf_read_file(reader, "quantize.codebook", &file, error));
  BF_TRY(bf_rows_parse(file, problem->layer.dim, &count, &points, error));
  BfStatus status = bf_cells_codebook(problem->layer.dim, count, points, &problem->cells, error);
  bf_free(points);
  return status;
}

static BfStatus check_count(const BfReader *reader, int64_t count, BfError *error) {
  const char *key = "quantize.cells";
  const int   dim = reader->problem->layer.dim;
  if (count == 1 && dim != 1 && bf_keys_is_list(reader->keys, key))
    return bf_key_fail(reader->keys, key, error,
                       "wants %d integers, one an axis, got a list of 1 (for all alike: no brackets)", dim);
  if (count != 1 && count != dim)
    return bf_key_fail(reader->keys, key, error, "wants 1 or %d integers, one an axis, got %lld", dim,
                       (long long)count);
  return BF_OK;
}

static BfStatus make_grid(BfReader *reader, int64_t count, const int64_t given[], BfError *error) {
  const char *key                = "quantize.cells";
  BfProblem  *problem            = reader->problem;
  int         dim                = problem->layer.dim;
  int64_t     cells[BF_MOST_DIM] = {0};
  double      product            = 1;
  for (int j = 0; j < dim; j++) {
    cells[j] = given[count == 1 ? 0 : j];
    if (cells[j] < 1) return bf_key_fail(reader->keys, key, error, "must be at least 1, got %" PRId64, cells[j]);
    product *= (double)cells[j];
  }
  if (product >= 0x1p62) return bf_key_fail(reader->keys, key, error, "gives %.3g cells, not below 2^62", product);
  return bf_cells_grid(dim, problem->layer.lower, problem->layer.upper, cells, &problem->cells, error);
}

static BfStatus read_cells(BfReader *reader, BfError *error) {
  enum { CODEBOOK };
  int64_t *cells = NULL, count = 0;
  int      kind;
  BF_TRY(bf_family_settle_given(reader->keys, &bf_family_codebook, &kind, error));
  if (kind == CODEBOOK) return read_codebook(reader, error);
  BF_TRY(bf_key_integers(reader->keys, "quantize.cells", BF_REQUIRED, 0, INT64_MAX, &count, &cells, error));
  bf_settings_alike(bf_keys_taken(reader->keys), "quantize.cells");
  int none = 1;
  for (int64_t j = 0; j < count; j++) none = none && cells[j] == 0;
  BfStatus status = check_count(reader, count, error);
  if (status == BF_OK) status = bf_family_settle(reader->keys, &bf_family_cells, none ? "0" : "[]", error);
  if (status == BF_OK && !none) status = make_grid(reader, count, cells, error);
  bf_free(cells);
  return status;
}

static BfStatus check_transition(const BfReader *reader, BfError *error) {
  const BfProblem *problem = reader->problem;
  if (problem->transition != BF_TRANSITION_SPLIT) return BF_OK;
  if (!bf_cells_is_grid(problem->cells))
    return bf_key_fail(reader->keys, "quantize.transition", error,
                       "must not be split where quantize.codebook is given");
  if (problem->layer.dim > 20)
    return bf_key_fail(reader->keys, "quantize.transition", error,
                       "must not be split in %d dimensions, at most 20 are possible", problem->layer.dim);
  return BF_OK;
}

/* A rank holds the atoms of all contexts once, and those of the largest context in lanes, several times over. */
static BfStatus check_memory(const BfReader *reader, BfError *error) {
  const BfData *data  = &reader->problem->train;
  const double  atoms = reader->problem->atoms ? (double)data->tags * reader->problem->atoms : (double)data->tokens;
  const double  bytes = atoms * (double)sizeof(double) * (2 + 6.0 * data->dim * BF_LANES / (double)data->contexts);
  if (bytes <= reader->memory) return BF_OK;
  return bf_key_fail(reader->keys, "quantize.atoms", error, "gives %.4g atoms: %.3g GiB a rank, %.3g GiB are free",
                     atoms, bytes / 0x1p30, reader->memory / 0x1p30);
}

static BfStatus make_contexts(BfProblem *problem, BfError *error) {
  BF_TRY(BF_NEW(&problem->context, problem->train.contexts, error));
  for (int64_t s = 0; s < problem->train.contexts; s++)
    BF_TRY(bf_context_create(&problem->train, s, problem->atoms, &problem->context[s], error));
  return BF_OK;
}

BfStatus bf_read_quantize(BfReader *reader, BfError *error) {
  static const char *const transitions[] = {"nearest", "split", NULL};
  BfProblem               *problem       = reader->problem;
  int64_t                  atoms         = 0;
  int                      transition    = 0;
  if (!bf_reads_section(reader, BF_SECTION_QUANTIZE)) return make_contexts(problem, error);
  BF_TRY(read_cells(reader, error));
  BF_TRY(bf_key_integer(reader->keys, "quantize.atoms", BF_OPTIONAL, 0, INT_MAX, &atoms, error));
  BF_TRY(bf_key_choice(reader->keys, "quantize.transition", BF_OPTIONAL, transitions, &transition, error));
  problem->atoms      = (int)atoms;
  problem->transition = transition == 1 ? BF_TRANSITION_SPLIT : BF_TRANSITION_NEAREST;
  BF_TRY(check_transition(reader, error));
  BF_TRY(check_memory(reader, error));
  BfStatus status = make_contexts(problem, error);
  if (status == BF_BAD_INPUT) bf_key_prefix(reader->keys, "quantize.atoms", error);
  return status;
}
