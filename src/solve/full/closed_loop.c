#include "solve/full/closed_loop.h"
#include "model/distance.h"
#include "solve/full/space.h"
#include "solve/transition.h"
#include <math.h>
#include <string.h>

typedef struct {
  const BfProblem   *problem;
  BfFullSpace        space;
  BfActionParameters actions;
  BfScratch          scratch;
  int64_t           *cell; /* [slots] of a successor */
  BfStore           *store;
} Loop;

static const char needs[] = "%s: -closed_loop needs a result of solve in the full space with its policy, %s";

/* ---- the start --------------------------------------------------------------------------------------------------- */

/* The measure of other data, with the tags of the problem's. */
static BfStatus find_measure(const Loop *x, const BfData *data, int64_t *measure, BfError *error) {
  const BfData *train = &x->problem->train;
  BfProblem     other = *x->problem;
  other.train         = *data;
  BF_TRY(bf_data_check_tags("-closed_loop", train, data, error));
  for (int64_t g = 0; g < data->tags && !x->problem->atoms; g++)
    if (data->tag_first[g + 1] - data->tag_first[g] != train->tag_first[g + 1] - train->tag_first[g])
      return bf_fail(error, BF_BAD_INPUT,
                     "-closed_loop: sequence %lld, position %d: the training data have %lld tokens of this tag, the "
                     "table %lld, and without quantize.atoms each is an atom",
                     (long long)data->sequence[g], data->position[g],
                     (long long)(train->tag_first[g + 1] - train->tag_first[g]),
                     (long long)(data->tag_first[g + 1] - data->tag_first[g]));
  int64_t *cell, slots = 0, at = 0;
  for (int64_t s = 0; s < x->space.contexts; s++) slots += x->problem->context[s].slots;
  BF_TRY(BF_NEW(&cell, slots, error));
  const BfStatus status = bf_problem_initial_cells(&other, cell, error);
  for (int64_t s = 0; status == BF_OK && s < x->space.contexts; at += x->problem->context[s++].slots)
    *measure += x->space.context[s].stride * bf_full_rank(&x->space, s, cell + at);
  bf_free(cell);
  return status;
}

static BfStatus create(const BfProblem *problem, Loop *x, BfError *error) {
  x->problem = problem;
  BF_TRY(bf_full_space_create(problem, &x->space, error));
  BF_TRY(bf_action_parameters_create(problem, &x->actions, error));
  BF_TRY(bf_scratch_create(problem, &x->scratch, error));
  return BF_NEW(&x->cell, x->space.slots, error);
}

static void clear(Loop *x) {
  bf_full_space_clear(&x->space);
  bf_action_parameters_clear(&x->actions);
  bf_scratch_clear(&x->scratch);
  bf_free(x->cell);
}

/* ---- a layer ----------------------------------------------------------------------------------------------------- */

/* The number of a context's measure in one of all. */
static int64_t digit(const Loop *x, int64_t measure, int64_t s) {
  return measure / x->space.context[s].stride % x->space.context[s].measures;
}

/* T(i, k), as the tables of a solve have it. */
static BfStatus step(Loop *x, int64_t k, int64_t *measure, BfError *error) {
  const BfProblem *problem = x->problem;
  int64_t          next    = 0;
  for (int64_t s = 0; s < x->space.contexts; s++) {
    BfContext law;
    bf_full_unrank(&x->space, s, digit(x, *measure, s), x->scratch.cell);
    bf_scratch_load(problem, &problem->context[s], x->scratch.cell, &x->scratch, &law);
    bf_layer_apply(&problem->layer, &law, x->actions.parameters + k / BF_LANES * x->actions.size, x->scratch.z,
                   x->scratch.next, x->scratch.work);
    BF_TRY(bf_successor_cells(problem, &law, x->scratch.next, (int)(k % BF_LANES), &x->scratch, x->cell, error));
    next += x->space.context[s].stride * bf_full_rank(&x->space, s, x->cell);
  }
  *measure = next;
  return BF_OK;
}

static BfStatus read_policy(const Loop *x, const char *path, int t, int64_t measure, int32_t *action, BfError *error) {
  BF_TRY(bf_store_read_block(x->store, "/policy", BF_STORE_INT32, 2, (int64_t[]){t, measure}, (int64_t[]){1, 1}, action,
                             error));
  if (*action >= 0 && *action < x->problem->actions) return BF_OK;
  return bf_fail(error, BF_BAD_INPUT, "%s: /policy names action %d of %lld", path, *action,
                 (long long)x->problem->actions);
}

static BfStatus terminal_cost(Loop *x, int64_t measure, int64_t s, int64_t readout, double *g, BfError *error) {
  const BfContext *context = &x->problem->context[s];
  const int        d       = x->problem->layer.dim;
  double           point[BF_MOST_DIM], value[BF_LANES];
  bf_full_unrank(&x->space, s, digit(x, measure, s), x->scratch.cell);
  for (int i = 0; i < context->slots; i++) {
    bf_cells_point(x->problem->cells, x->scratch.cell[i], point);
    for (int e = 0; e < d * BF_LANES; e++) x->scratch.z[i * d * BF_LANES + e] = point[e / BF_LANES];
  }
  BF_TRY(bf_finite_cost(&x->problem->cost, readout, context, 1, x->scratch.z, value, error));
  *g = value[0];
  return BF_OK;
}

/* The readout of least terminal cost, the smallest of equal ones, and that cost. */
static BfStatus find_readout(Loop *x, int64_t measure, BfModel *closed, double *least, BfError *error) {
  *least = INFINITY;
  for (int64_t r = 0; r < x->problem->cost.readouts; r++) {
    double sum = 0;
    for (int64_t s = 0; s < x->space.contexts; s++) {
      double g;
      BF_TRY(terminal_cost(x, measure, s, r, &g, error));
      sum += g;
    }
    if (sum < *least) {
      *least          = sum;
      closed->readout = r;
    }
  }
  return BF_OK;
}

/* ---- all --------------------------------------------------------------------------------------------------------- */

static BfStatus open_policy(Loop *x, const BfRun *run, const char *path, BfError *error) {
  bool    there;
  int64_t dims[4];
  int     rank;
  BF_TRY(bf_store_open(run->world, path, &x->store, error));
  BF_TRY(bf_store_has(x->store, "/policy", &there, error));
  if (!there) return bf_fail(error, BF_BAD_INPUT, needs, path, "which -store_policy 0 and -space reachable leave out");
  BF_TRY(bf_store_extent(x->store, "/policy", &rank, dims, error));
  if (rank == 2 && dims[0] == x->problem->horizon && dims[1] == x->space.measures) return BF_OK;
  return bf_fail(error, BF_BAD_INPUT, "%s: /policy does not fit its problem", path);
}

static BfStatus follow(Loop *x, const BfRun *run, const char *path, int64_t measure, BfModel *closed, BfError *error) {
  const int64_t q = x->problem->layer.free;
  double        least;
  for (int t = 0; t < x->problem->horizon; t++) {
    BF_TRY(read_policy(x, path, t, measure, &closed->action[t], error));
    memcpy(closed->control + t * q, x->problem->action + closed->action[t] * q, sizeof(double) * (size_t)q);
    BF_TRY(bf_together(run->world, step(x, closed->action[t], &measure, error), error));
  }
  BF_TRY(bf_together(run->world, find_readout(x, measure, closed, &least, error), error));
  closed->quantized_cost = least;
  for (int t = x->problem->horizon - 1; t >= 0; t--)
    closed->quantized_cost = x->actions.stage[closed->action[t]] + closed->quantized_cost;
  return BF_OK;
}

BfStatus bf_closed_loop(BfRun *run, const char *path, const BfProblem *problem, const BfData *data, BfModel *closed,
                        BfError *error) {
  Loop     x       = {0};
  int64_t  measure = 0;
  BfStatus status;
  if (!problem->cells || !problem->actions) return bf_fail(error, BF_BAD_INPUT, needs, path, "which this one has not");
  BF_GOTO(bf_together(run->world, create(problem, &x, error), error));
  BF_GOTO(bf_together(run->world, find_measure(&x, data, &measure, error), error));
  BF_GOTO(bf_together(run->world, bf_model_create(problem, true, closed, error), error));
  BF_GOTO(open_policy(&x, run, path, error));
  status = follow(&x, run, path, measure, closed, error);
done:
  bf_store_end(&x.store, error);
  clear(&x);
  return error->status;
}
