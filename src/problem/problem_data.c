/* data.*: the tables and the positional encoding; and whether the tables fit the rest. */
#include "family.h"
#include "layer/encoding.h"
#include "reader.h"
#include "table.h"

#include <inttypes.h>
#include <math.h>

/* ---- tables ----------------------------------------------------------------------------------------------------- */

static BfStatus read_table(BfReader *reader, const char *key, BfData *data, BfError *error) {
  const BfFile *file;
  BF_TRY(bf_read_file(reader, key, &file, error));
  return bf_data_parse(file, reader->problem->layer.dim, data, error);
}

/* Of the table to train on alone: what is tested is always the same. */
static BfStatus read_sample(BfReader *reader, BfError *error) {
  const char *key   = "data.sample.count";
  int64_t     count = 0, seed = 0;
  BF_TRY(bf_key_integer(reader->keys, key, &count, error));
  BF_TRY(bf_family_settle(reader->keys, &bf_sample_family, count ? "[]" : "0", error));
  if (!count) return BF_OK;
  BF_TRY(bf_key_integer(reader->keys, "data.sample.seed", &seed, error));
  if (bf_data_sample(&reader->problem->train, count, (uint64_t)seed, error) != BF_OK)
    bf_key_prefix(reader->keys, key, error);
  return error->status;
}

/* ---- positional encoding ---------------------------------------------------------------------------------------- */

BfStatus bf_problem_encode(BfProblem *problem, int positions, BfError *error) {
  return bf_encoding_extend(problem->encoding, problem->amplitude, positions, &problem->layer, error);
}

static BfStatus read_encoding(BfReader *reader, int positions, BfError *error) {
  const BfKeyReader keys    = bf_key_reader(reader);
  BfProblem        *problem = reader->problem;
  int               kind;
  BF_TRY(bf_family_choose(reader->keys, &bf_encoding_family, &kind, error));
  problem->encoding = bf_encoding_at(kind);
  if (problem->encoding->read)
    BF_TRY(problem->encoding->read(&keys, positions, &problem->layer, &problem->amplitude, error));
  if (problem->encoding->row && problem->amplitude == 0) problem->encoding = &bf_encoding_none; /* it is */
  return bf_problem_encode(problem, positions, error);
}

BfStatus bf_read_data(BfReader *reader, BfError *error) {
  BfProblem *problem = reader->problem;
  BF_TRY(read_table(reader, "data.file", &problem->train, error));
  BF_TRY(read_sample(reader, error));
  if (bf_keys_given(reader->keys, "data.test")) BF_TRY(read_table(reader, "data.test", &problem->test, error));
  int positions = problem->train.positions;
  if (problem->test.positions > positions) positions = problem->test.positions;
  return read_encoding(reader, positions, error);
}

/* ---- checks ----------------------------------------------------------------------------------------------------- */

typedef struct {
  const BfProblem *problem;
  const BfData    *data;
  const BfFile    *file;
} Table;

/* Fail with the line of the first token of a tag. */
#define FAIL_AT(table, token, error, format, ...)                                                                      \
  bf_fail((error), BF_BAD_INPUT, "%s: %s: " format, (table)->file->name,                                               \
          bf_table_place((table)->file, (table)->data->place[(token)], (char[BF_PLACE]){0}), __VA_ARGS__)

static BfStatus check_box(const Table *table, BfError *error) {
  const BfLayer *layer = &table->problem->layer;
  for (int64_t k = 0; k < table->data->tokens; k++)
    for (int j = 0; j < layer->dim; j++) {
      double z = table->data->z[k * layer->dim + j];
      if (z < layer->lower[j] || z > layer->upper[j])
        return FAIL_AT(table, k, error, "z%d must be in [%.10g, %.10g] (token.lower, token.upper), got %.17g", j,
                       layer->lower[j], layer->upper[j], z);
    }
  return BF_OK;
}

static BfStatus count_outside(const Table *table, int64_t *outside, BfError *error) {
  const BfLayer *layer = &table->problem->layer;
  *outside             = 0;
  for (int64_t k = 0; k < table->data->tokens; k++) {
    int out = 0;
    for (int j = 0; j < layer->dim; j++) {
      const double z = table->data->z[k * layer->dim + j];
      if (!(fabs(z) <= BF_FARTHEST))
        return FAIL_AT(table, k, error, "z%d must be within %g, got %g", j, BF_FARTHEST, z);
      out |= z < layer->lower[j] || z > layer->upper[j];
    }
    *outside += out;
  }
  return BF_OK;
}

static BfStatus check_targets(const Table *table, BfError *error) {
  const BfData *data = table->data;
  for (int64_t k = 0; data->target && k < data->tags * data->dim; k++)
    if (!(data->target[k] >= -BF_FARTHEST && data->target[k] <= BF_FARTHEST))
      return FAIL_AT(table, data->tag_first[k / data->dim], error, "y%d must be within %g, got %g",
                     (int)(k % data->dim), BF_FARTHEST, data->target[k]);
  return BF_OK;
}

static int needs_target(const BfProblem *problem) { return problem->cost.kind->needs_target; }

static BfStatus check_labels(const Table *table, BfError *error) {
  const BfCost *cost = &table->problem->cost;
  const BfData *data = table->data;
  const char   *name = cost->kind->base.name;
  if (needs_target(table->problem) && data->label)
    return bf_fail(error, BF_BAD_INPUT, "%s: column label: cost.terminal %s needs targets, columns y0, ...",
                   table->file->name, name);
  if (!needs_target(table->problem) && data->target)
    return bf_fail(error, BF_BAD_INPUT, "%s: column y0: cost.terminal %s needs a label", table->file->name, name);
  for (int64_t g = 0; data->label && cost->kind->has_readout && g < data->tags; g++)
    if (data->label[g] >= cost->classes)
      return FAIL_AT(table, data->tag_first[g], error, "label must be below the readout's %d classes, got %d",
                     cost->classes, data->label[g]);
  return BF_OK;
}

/* What the kind of cost wants of every context, which has no atoms yet. */
static BfStatus check_cost(const Table *table, BfError *error) {
  const BfData *data = table->data;
  const BfCost *cost = &table->problem->cost;
  for (int64_t s = 0; cost->kind->check && s < data->contexts; s++) {
    const int64_t   first   = data->context_first[s];
    const BfContext context = {.sequence = data->sequence[first],
                               .tags     = (int)(data->context_first[s + 1] - first),
                               .position = data->position + first,
                               .label    = data->label ? data->label + first : NULL,
                               .target   = data->target ? data->target + first * data->dim : NULL};
    int             tag     = 0;
    if (cost->kind->check(cost, &context, &tag, error) == BF_OK) continue;
    bf_error_prefix(error, "%s: %s", table->file->name,
                    bf_table_place(table->file, data->place[data->tag_first[first + tag]], (char[BF_PLACE]){0}));
    return error->status;
  }
  return BF_OK;
}

/* Whether a token sees another one of its own position is not defined by p' <= p on positions alone. */
static BfStatus check_causal(const Table *table, BfError *error) {
  const BfData *data = table->data;
  if (table->problem->layer.mask != BF_MASK_CAUSAL) return BF_OK;
  for (int64_t g = 0; g < data->tags; g++) {
    int64_t first = data->tag_first[g], tokens = data->tag_first[g + 1] - first;
    int     again = g && data->sequence[g] == data->sequence[g - 1] && data->position[g] == data->position[g - 1];
    if (again || tokens > 1)
      return FAIL_AT(table, first + !again, error,
                     "another token at position %d of sequence %" PRId64 "; layer.mask causal needs one a position",
                     data->position[g], data->sequence[g]);
  }
  return BF_OK;
}

/* The encoding was made for the problem's own tables; a table that comes later may be longer. */
static BfStatus check_length(const Table *table, BfError *error) {
  const BfLayer *layer = &table->problem->layer;
  if (!layer->encoding || table->data->positions <= layer->positions) return BF_OK;
  return bf_fail(error, BF_BAD_INPUT, "%s: has position %d, data.position_encoding has %d rows", table->file->name,
                 table->data->positions - 1, layer->positions);
}

BfStatus bf_problem_check_data(const BfProblem *problem, const BfFile *file, const BfData *data, int64_t *outside,
                               BfError *error) {
  const Table table = {.problem = problem, .data = data, .file = file};
  BF_TRY(outside ? count_outside(&table, outside, error) : check_box(&table, error));
  BF_TRY(check_targets(&table, error));
  BF_TRY(check_labels(&table, error));
  BF_TRY(check_cost(&table, error));
  BF_TRY(check_causal(&table, error));
  return check_length(&table, error);
}

static BfStatus check_table(BfReader *reader, const char *key, const BfData *data, BfError *error) {
  const BfFile *file;
  BF_TRY(bf_read_file(reader, key, &file, error));
  return bf_problem_check_data(reader->problem, file, data, NULL, error);
}

BfStatus bf_check_data(BfReader *reader, BfError *error) {
  const BfProblem *problem = reader->problem;
  BF_TRY(check_table(reader, "data.file", &problem->train, error));
  return problem->test.tokens ? check_table(reader, "data.test", &problem->test, error) : BF_OK;
}
