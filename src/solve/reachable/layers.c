#include "solve/reachable/layers.h"

/* What the cost reads of contexts, whose other tokens no last layer has to move. With cells every tag's law is rounded:
 * nothing is left out. */
static BfStatus find_read(BfReachable *x, BfError *error) {
  const BfCost *cost  = &x->problem->cost;
  int64_t       slots = 0;
  char         *slot;
  if (x->problem->cells || !cost->kind->reads) return BF_OK;
  for (int64_t s = 0; s < x->problem->train.contexts; s++)
    if (x->problem->context[s].slots > slots) slots = x->problem->context[s].slots;
  BF_TRY(BF_NEW(&x->read, x->problem->train.contexts, error));
  BF_TRY(BF_NEW(&slot, slots, error));
  for (int64_t s = 0; s < x->problem->train.contexts; s++) {
    const BfContext *context = &x->problem->context[s];
    BfSlots         *read    = &x->read[s];
    cost->kind->reads(cost, context, slot);
    *read = (BfSlots){0, context->slots};
    while (read->from + 1 < read->to && !slot[read->from]) read->from++;
    while (read->from + 1 < read->to && !slot[read->to - 1]) read->to--;
  }
  bf_free(slot);
  return BF_OK;
}

BfStatus bf_reachable_start(BfRun *run, const BfProblem *problem, const BfReachableOptions *options,
                            BfCheckpoint *checkpoint, BfReachable *x, BfError *error) {
  *x = (BfReachable){.run = run, .problem = problem, .checkpoint = checkpoint};
  BF_TRY(bf_measures_create(problem, &x->measures, error));
  BF_TRY(bf_reachable_size(problem, options, &x->size, error));
  BF_TRY(bf_action_parameters_create(problem, &x->actions, error));
  BF_TRY(bf_scratch_create(problem, &x->scratch, error));
  BF_TRY(bf_action_parts_create(problem, &x->actions, BF_PARTS_BYTES, &x->parts, error));
  BF_TRY(find_read(x, error));
  BF_TRY(BF_NEW(&x->layer, problem->horizon, error));
  BfReached *first = &x->layer[0];
  BF_TRY(BF_NEW(&first->measure, x->measures.bytes, error));
  BF_TRY(BF_NEW(&first->spent, 1, error));
  BF_TRY(bf_measures_initial(&x->measures, first->measure, error));
  const int owner = bf_owner(bf_measures_hash(&x->measures, first->measure), run->size);
  first->total    = 1;
  first->count    = run->rank == owner;
  first->offset   = run->rank > owner;
  return BF_OK;
}

static void clear_layer(BfReached *layer) {
  bf_free(layer->measure);
  bf_free(layer->successor);
  bf_free(layer->spent);
  bf_free(layer->first);
  bf_free(layer->edge);
  bf_free(layer->value);
  bf_free(layer->policy);
  bf_free(layer->readout);
  *layer = (BfReached){0};
}

void bf_reachable_forget_layers(BfReachable *x) {
  BfReached first     = x->layer[0];
  x->layer[0].measure = NULL;
  x->layer[0].spent   = NULL;
  for (int t = 0; t < x->problem->horizon; t++) clear_layer(&x->layer[t]);
  x->layer[0] = (BfReached){.total   = first.total,
                            .offset  = first.offset,
                            .count   = first.count,
                            .measure = first.measure,
                            .spent   = first.spent};
  bf_reachable_forget_partial(x);
}

void bf_reachable_clear(BfReachable *x) {
  for (int t = 0; x->layer && t < x->problem->horizon; t++) clear_layer(&x->layer[t]);
  bf_free(x->layer);
  bf_free(x->read);
  bf_reachable_forget_partial(x);
  bf_action_parts_clear(&x->parts);
  bf_scratch_clear(&x->scratch);
  bf_action_parameters_clear(&x->actions);
  bf_measures_clear(&x->measures);
}

void bf_reachable_forget_partial(BfReachable *x) {
  bf_free(x->partial.known);
  bf_free(x->partial.measure);
  bf_free(x->partial.spent);
  bf_free(x->partial.rest);
  bf_free(x->partial.first);
  bf_free(x->partial.edge);
  bf_free(x->partial.key);
  x->partial = (BfPartial){0};
}
