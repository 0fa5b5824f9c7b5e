#include "certify/objective.h"
#include "bellformer/model.h"
#include <string.h>

BfStatus bf_objective_check(const BfProblem *problem, BfError *error) {
  const BfCostKind *cost = problem->cost.kind;
  const char       *what = NULL;
  const BfKind     *kind = bf_layer_unbounded(&problem->layer, &what);
  if (kind)
    return bf_fail(error, BF_BAD_INPUT, "%s: no enclosure of %s %s is known, so that nothing can be certified",
                   problem->yaml, what, kind->name);
  if (!cost->bound)
    return bf_fail(error, BF_BAD_INPUT,
                   "%s: no enclosure of cost.terminal %s is known, so that nothing can be certified", problem->yaml,
                   cost->base.name);
  if (problem->train.unlabelled)
    return bf_fail(error, BF_BAD_INPUT, "%s: the training data have neither labels nor targets", problem->yaml);
  return BF_OK;
}

static void fill_matrix(const BfObjective *x, const int variable[], int t, const BfMatrix *m) {
  const BfProblem *p = x->problem;
  for (int r = 0; r < m->rows; r++)
    for (int c = 0; c < m->cols; c++) {
      BfEntry  *e = &x->entry[(int64_t)t * p->layer.parameters + m->at + r * m->cols + c];
      double    factor;
      const int k = m->form->number(m->cols, r, c, &factor);
      *e          = (BfEntry){-1, -1, 1, 0};
      if (k < 0) {
        e->value = m->value ? m->value[(int64_t)r * m->cols + c] : 0;
        continue;
      }
      e->number   = (int32_t)(t * p->layer.free + m->offset + k);
      e->factor   = factor;
      e->variable = variable[e->number];
      /* J does not depend on it: 0 makes what it multiplies vanish; or its range is a point */
      e->value = x->free.depends[e->number] ? factor * x->free.rest[e->number] : 0;
    }
}

static BfStatus fill_entries(BfObjective *x, BfError *error) {
  const BfProblem *p        = x->problem;
  int             *variable = NULL;
  BF_TRY(BF_NEW(&x->entry, (int64_t)p->horizon * p->layer.parameters, error));
  BF_TRY(BF_NEW(&variable, x->free.all, error));
  for (int64_t i = 0; i < x->free.all; i++) variable[i] = -1;
  for (int k = 0; k < x->free.n; k++) variable[x->free.number[k]] = k;
  for (int t = 0; t < p->horizon; t++)
    for (int m = 0; m < p->layer.matrices; m++) fill_matrix(x, variable, t, &p->layer.matrix[m]);
  bf_free(variable);
  return BF_OK;
}

static BfStatus fill_costs(BfObjective *x, BfError *error) {
  x->roots = (int)(x->problem->cost.readouts > 1 ? x->problem->cost.readouts : 1);
  BF_TRY(BF_NEW(&x->cost, x->roots, error));
  for (int r = 0; r < x->roots; r++) x->cost[r] = bf_model_cost(x->problem, &(BfModel){.readout = r});
  return BF_OK;
}

static BfStatus count_features(BfObjective *x, BfError *error) {
  const BfMergedData *data = &x->data;
  BF_TRY(BF_NEW(&x->first, data->contexts + 1, error));
  for (int64_t s = 0; s < data->contexts; s++)
    x->first[s + 1] = x->first[s] + x->cost->kind->features(x->cost, &data->context[s].context);
  x->features = x->first[data->contexts];
  return BF_OK;
}

static BfStatus take_box(BfObjective *x, BfError *error) {
  const size_t size = sizeof(double) * (size_t)x->free.n;
  x->n              = x->free.n;
  BF_TRY(BF_NEW(&x->lower, x->n, error));
  BF_TRY(BF_NEW(&x->upper, x->n, error));
  BF_TRY(BF_NEW(&x->decay, x->n, error));
  memcpy(x->lower, x->free.lower, size);
  memcpy(x->upper, x->free.upper, size);
  memcpy(x->decay, x->free.decay, size);
  return BF_OK;
}

BfStatus bf_objective_create(const BfProblem *problem, BfObjective *x, BfError *error) {
  x->problem = problem;
  x->to      = problem->horizon;
  BF_TRY(bf_objective_check(problem, error));
  BF_TRY(bf_free_numbers(problem, &x->free, error));
  if (x->free.n > BF_MOST_VARIABLES)
    return bf_fail(error, BF_BAD_INPUT,
                   "%s: the cost depends on %d numbers; bounds over more than %d are out of reach, those over 12 to 16 "
                   "are within it",
                   problem->yaml, x->free.n, BF_MOST_VARIABLES);
  BF_TRY(take_box(x, error));
  BF_TRY(bf_merge_data(problem, &x->data, error));
  BF_TRY(fill_costs(x, error));
  BF_TRY(count_features(x, error));
  return fill_entries(x, error);
}

BfStatus bf_objective_order(BfObjective *x, BfError *error) {
  return bf_symmetry_find(x->problem, &x->data, &x->free, &x->symmetry, error);
}

void bf_logits_clear(BfLogits *x) {
  bf_free(x->logit);
  bf_free(x->first);
  *x = (BfLogits){0};
}

void bf_objective_clear(BfObjective *x) {
  bf_logits_clear(&x->logits);
  bf_free(x->lower);
  bf_free(x->upper);
  bf_free(x->decay);
  bf_symmetry_clear(&x->symmetry);
  bf_free_numbers_clear(&x->free);
  bf_merged_clear(&x->data);
  bf_free(x->first);
  bf_free(x->entry);
  bf_free(x->cost);
  *x = (BfObjective){0};
}
