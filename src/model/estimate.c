/* The time of a rollout, by a layer on its first sequence. */
#include "bellformer/model.h"
#include <math.h>

enum { MEASURED_SLOTS = 512 };

/* Seconds of a layer on a sequence of so many tokens. */
static BfStatus measure(const BfLayer *layer, int slots, double *seconds, BfError *error) {
  const BfContext context    = {.tags     = 1,
                                .slots    = slots,
                                .length   = 1,
                                .first    = (int[]){0, slots},
                                .position = (int[]){0},
                                .mass     = (double[]){1},
                                .tokens   = slots};
  double         *parameters = NULL, *z = NULL, *next = NULL, *work = NULL, spent = 0;
  int64_t         calls = 0;
  BfStatus        status;
  BF_GOTO(BF_NEW(&parameters, (int64_t)layer->parameters * BF_LANES, error));
  BF_GOTO(BF_NEW(&z, (int64_t)bf_layer_alone_rows(&context) * layer->dim * BF_LANES, error));
  BF_GOTO(BF_NEW(&next, (int64_t)bf_layer_alone_rows(&context) * layer->dim * BF_LANES, error));
  BF_GOTO(BF_NEW(&work, bf_layer_alone_work(layer, &context), error));
  const double begin = bf_seconds();
  for (; spent < 0.02; spent = bf_seconds() - begin, calls++)
    bf_layer_alone(layer, &context, parameters, z, next, work);
  *seconds = spent / (double)calls;
done:
  bf_free(parameters);
  bf_free(z);
  bf_free(next);
  bf_free(work);
  return status;
}

/* Tokens of a sequence. */
static double length(const BfData *data, int64_t s) {
  return (double)(data->tag_first[data->context_first[s + 1]] - data->tag_first[data->context_first[s]]);
}

/* Of a rollout, whose lanes are tokens. */
static double lane_terms(const BfLayer *layer, double slots) {
  const double lanes = BF_LANES * ceil(slots / BF_LANES);
  return bf_layer_terms(layer, lanes, lanes * slots);
}

static double rollout_terms(const BfLayer *layer, const BfData *data) {
  double terms = 0;
  for (int64_t s = 0; s < data->contexts; s++) terms += lane_terms(layer, length(data, s));
  return terms;
}

double bf_data_terms(const BfLayer *layer, const BfData *data) {
  double terms = 0;
  for (int64_t s = 0; s < data->contexts; s++)
    terms += bf_layer_terms(layer, length(data, s), length(data, s) * length(data, s));
  return terms;
}

BfStatus bf_rollout_estimate(const BfProblem *problem, const BfData *data, double *seconds, BfError *error) {
  const BfLayer *layer   = &problem->layer;
  double         longest = 0, each;
  for (int64_t s = 0; s < data->contexts; s++) longest = fmax(longest, length(data, s));
  *seconds = 0;
  if (!data->contexts) return BF_OK;
  const int slots = longest < MEASURED_SLOTS ? (int)longest : MEASURED_SLOTS;
  BF_TRY(measure(layer, slots, &each, error));
  *seconds = each * rollout_terms(layer, data) / lane_terms(layer, slots) * problem->horizon;
  return BF_OK;
}

double bf_rollout_terms(const BfProblem *problem, const BfData *data) {
  return rollout_terms(&problem->layer, data) * problem->horizon;
}
