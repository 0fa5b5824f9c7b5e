/* cost.*: the terminal kind, its readouts, the weights. */
#include "reader.h"
#include "table.h"
#include "text.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static int has_name(const BfCost *cost, const char *name) { return !strcmp(bf_cost_name(cost->kind), name); }

static BfStatus read_kind(BfReader *reader, BfError *error) {
  BfCost     *cost = &reader->problem->cost;
  const char *name = NULL;
  char        quote[BF_QUOTE];
  BF_TRY(bf_key_text(reader->keys, "cost.terminal", BF_REQUIRED, &name, error));
  cost->kind = bf_cost_kind(name);
  if (cost->kind) return bf_family_settle(reader->keys, &bf_family_terminal, name, error);
  return bf_key_fail(reader->keys, "cost.terminal", error, "must be one of %s, got '%s'%s", bf_cost_names(),
                     bf_text_quote(name, quote), bf_text_hint(name));
}

static BfStatus read_pooling(BfReader *reader, BfError *error) {
  static const char *const names[] = {"mean", "last", "first", NULL}; /* as BfPooling */
  BfCost                  *cost    = &reader->problem->cost;
  int                      pooling = BF_POOL_MEAN;
  BF_TRY(bf_key_choice(reader->keys, "cost.pooling", BF_OPTIONAL, names, &pooling, error));
  cost->pooling = (BfPooling)pooling;
  return BF_OK;
}

/* ---- readouts --------------------------------------------------------------------------------------------------- */

/* matrix: [readouts][classes][dim], whose length says how many classes (`fixed`) or readouts (`decision`) there are. */
static BfStatus read_matrix(BfReader *reader, int decision, int64_t classes, BfError *error) {
  const char *key   = "cost.readout.matrix";
  BfCost     *cost  = &reader->problem->cost;
  int64_t     count = 0, dim = reader->problem->layer.dim;
  BF_TRY(bf_key_numbers(reader->keys, key, BF_REQUIRED, &count, &cost->matrix, error));
  if (decision && (!count || count % (classes * dim)))
    return bf_key_fail(reader->keys, key, error, "wants a multiple of %lld numbers (%lld classes, %lld each), got %lld",
                       (long long)(classes * dim), (long long)classes, (long long)dim, (long long)count);
  if (!decision && classes && count != classes * dim)
    return bf_key_fail(reader->keys, key, error, "wants %lld numbers (%lld classes, %lld each), got %lld",
                       (long long)(classes * dim), (long long)classes, (long long)dim, (long long)count);
  if (!decision && (!count || count % dim))
    return bf_key_fail(reader->keys, key, error, "wants a multiple of %lld numbers (%lld for each class), got %lld",
                       (long long)dim, (long long)dim, (long long)count);
  cost->classes  = (int)(decision ? classes : count / dim);
  cost->readouts = decision ? count / (classes * dim) : 1;
  return BF_OK;
}

static BfStatus read_bias(BfReader *reader, BfError *error) {
  BfCost       *cost   = &reader->problem->cost;
  const int64_t wanted = cost->readouts * cost->classes;
  char          what[96];
  snprintf(what, sizeof what, "%lld readout%s of %d class%s", (long long)cost->readouts, cost->readouts == 1 ? "" : "s",
           cost->classes, cost->classes == 1 ? "" : "es");
  BF_TRY(bf_read_numbers(reader, "cost.readout.bias", BF_OPTIONAL, wanted, what, &cost->bias, error));
  if (cost->bias) return BF_OK;
  BF_TRY(bf_settings_add(bf_keys_taken(reader->keys), "cost.readout.bias", "0", error));
  return BF_NEW(&cost->bias, wanted, error);
}

/* Rows of R (classes * dim numbers) and b (classes). */
static BfStatus read_rows(BfReader *reader, int64_t classes, BfError *error) {
  BfCost       *cost = &reader->problem->cost;
  int64_t       rows = 0, entries = classes * reader->problem->layer.dim, width = entries + classes;
  double       *values = NULL;
  const BfFile *file;
  BfStatus      status;
  BF_TRY(bf_read_file(reader, "cost.readout.file", &file, error));
  BF_TRY(bf_rows_parse(file, width, &rows, &values, error));
  BF_GOTO(BF_NEW(&cost->matrix, rows * entries, error));
  BF_GOTO(BF_NEW(&cost->bias, rows * classes, error));
  for (int64_t r = 0; r < rows; r++) {
    memcpy(cost->matrix + r * entries, values + r * width, (size_t)entries * sizeof *values);
    memcpy(cost->bias + r * classes, values + r * width + entries, (size_t)classes * sizeof *values);
  }
  cost->classes  = (int)classes;
  cost->readouts = rows;
done:
  bf_free(values);
  return status;
}

static BfStatus read_readout(BfReader *reader, BfError *error) {
  static const char *const kinds[]  = {"fixed", "decision", NULL};
  BfCost                  *cost     = &reader->problem->cost;
  int                      decision = 0, rows;
  int64_t                  classes  = 0;
  cost->readouts                    = 1;
  if (!bf_cost_has_readout(cost->kind)) return BF_OK;
  BF_TRY(bf_key_choice(reader->keys, "cost.readout.kind", BF_OPTIONAL, kinds, &decision, error));
  BF_TRY(bf_family_settle(reader->keys, &bf_family_readout, kinds[decision], error));
  BF_TRY(bf_family_settle_given(reader->keys, &bf_family_rows, &rows, error));
  BF_TRY(bf_key_integer(reader->keys, "cost.readout.classes", BF_OPTIONAL, 1, 1000001, &classes, error));
  if (decision && !classes) classes = reader->problem->train.labels;
  if (decision && !classes) return BF_OK; /* targets in place of labels: said when the data are checked */
  if (bf_keys_given(reader->keys, "cost.readout.file")) return read_rows(reader, classes, error);
  BF_TRY(read_matrix(reader, decision, classes, error));
  return read_bias(reader, error);
}

/* A setting not given is recorded as what it came to: the same as that number given. */
static BfStatus record_classes(BfReader *reader, BfError *error) {
  const int64_t classes = reader->problem->cost.classes;
  if (!classes) return BF_OK;
  return bf_settings_add_integers(bf_keys_taken(reader->keys), "cost.readout.classes", 1, &classes, error);
}

/* ---- weights ---------------------------------------------------------------------------------------------------- */

double bf_problem_diameter2(const BfLayer *layer, const BfData *data) {
  const int sphere    = layer->projection == BF_PROJECT_SPHERE;
  double    diameter2 = 0;
  for (int j = 0; j < layer->dim; j++) {
    double lower = sphere ? fmin(layer->lower[j], -1) : layer->lower[j],
           upper = sphere ? fmax(layer->upper[j], 1) : layer->upper[j];
    for (int64_t g = 0; data->target && g < data->tags; g++) {
      lower = fmin(lower, data->target[g * layer->dim + j]);
      upper = fmax(upper, data->target[g * layer->dim + j]);
    }
    diameter2 += (upper - lower) * (upper - lower);
  }
  return diameter2;
}

/* The largest over contexts of what forces the optimal coupling to keep tokens at their positions, [ASY26] eq. 14. */
static double sufficient_weight(const BfProblem *problem) {
  double largest = 0;
  for (int64_t s = 0; s < problem->train.contexts; s++) {
    double bound = bf_position_weight_bound(&problem->context[s], problem->cost.diameter2);
    if (bound > largest) largest = bound;
  }
  return largest;
}

static BfStatus read_position_weight(BfReader *reader, BfError *error) {
  const char *key = "cost.position_weight", *text = "auto";
  BfCost     *cost = &reader->problem->cost;
  cost->diameter2  = bf_problem_diameter2(&reader->problem->layer, &reader->problem->train);
  double bound     = sufficient_weight(reader->problem);
  BF_TRY(bf_key_text(reader->keys, key, BF_OPTIONAL, &text, error));
  cost->position_auto = !strcmp(text, "auto");
  if (cost->position_auto) return BF_OK;
  BF_TRY(bf_key_number(reader->keys, key, BF_REQUIRED, &cost->position_weight, error));
  if (cost->position_weight < 0)
    return bf_key_fail(reader->keys, key, error, "must be at least 0, got %g", cost->position_weight);
  if (cost->position_weight >= bound) return BF_OK;
  return bf_problem_warn(reader->problem, error,
                         "cost.position_weight %g is below %g, which keeps every token at its own position",
                         cost->position_weight, bound);
}

BfStatus bf_read_cost(BfReader *reader, BfError *error) {
  BfProblem *problem = reader->problem;
  BfCost    *cost    = &problem->cost;
  cost->dim          = problem->layer.dim;
  cost->step         = problem->layer.step;
  cost->contexts     = (double)problem->train.contexts;
  cost->tokens       = (double)problem->train.tokens;
  BF_TRY(read_kind(reader, error));
  BF_TRY(read_pooling(reader, error));
  BF_TRY(read_readout(reader, error));
  BF_TRY(record_classes(reader, error));
  BF_TRY(bf_key_number(reader->keys, "cost.weight_decay", BF_OPTIONAL, &cost->weight_decay, error));
  if (cost->weight_decay < 0)
    return bf_key_fail(reader->keys, "cost.weight_decay", error, "must be at least 0, got %g", cost->weight_decay);
  if (!__builtin_isfinite(cost->step * cost->weight_decay)) /* which a control of 0 would make NaN */
    return bf_key_fail(reader->keys, "cost.weight_decay", error, "times step must be finite, got %g and %g",
                       cost->weight_decay, cost->step);
  return has_name(cost, "wasserstein") ? read_position_weight(reader, error) : BF_OK;
}
