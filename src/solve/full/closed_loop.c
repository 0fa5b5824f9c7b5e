#include "solve/full/closed_loop.h"
#include "model/distance.h"
#include "solve/full/terminal.h"
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

/* ---- what it is asked of ----------------------------------------------------------------------------------------- */

static BfStatus check_counts(const BfData *train, const BfData *data, BfError *error) {
  for (int64_t g = 0; g < data->tags; g++) {
    const int64_t wanted = train->tag_first[g + 1] - train->tag_first[g];
    const int64_t there  = data->tag_first[g + 1] - data->tag_first[g];
    if (there != wanted)
      return bf_fail(error, BF_BAD_INPUT,
                     "-closed_loop: sequence %lld, position %d: the training data have %lld tokens of this tag, the "
                     "table has %lld, and without quantize.atoms each is an atom",
                     (long long)data->sequence[g], data->position[g], (long long)wanted, (long long)there);
  }
  return BF_OK;
}

BfStatus bf_closed_loop_check(const BfProblem *problem, const BfData *data, BfError *error) {
  if (!problem->cells || !problem->actions)
    return bf_fail(error, BF_BAD_INPUT, "-closed_loop needs a result of solve in the full space: here %s",
                   problem->cells ? "are no actions to choose from" : "tokens are not quantized");
  if (!data) return BF_OK;
  BF_TRY(bf_data_check_tags("-closed_loop", &problem->train, data, error));
  return problem->atoms ? BF_OK : check_counts(&problem->train, data, error);
}

/* Before the full space is made, which may be too large for any but such a result. */
static BfStatus open_policy(Loop *x, const BfRun *run, const char *path, BfError *error) {
  bool there;
  BF_TRY(bf_store_open(run->world, path, &x->store, error));
  BF_TRY(bf_store_has(x->store, "/policy", &there, error));
  if (there) return BF_OK;
  return bf_fail(error, BF_BAD_INPUT,
                 "%s: -closed_loop needs a result of solve in the full space with its policy: -space reachable and "
                 "-store_policy 0 leave it out",
                 path);
}

static BfStatus check_policy(const Loop *x, const char *path, BfError *error) {
  int64_t dims[4];
  int     rank;
  BF_TRY(bf_store_extent(x->store, "/policy", &rank, dims, error));
  if (rank == 2 && dims[0] == x->problem->horizon && dims[1] == x->space.measures) return BF_OK;
  return bf_fail(error, BF_BAD_INPUT, "%s: /policy does not fit its problem", path);
}

static BfStatus create(Loop *x, BfError *error) {
  const BfProblem *problem = x->problem;
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

/* T(i, k), as the tables of a solve have it. */
static BfStatus step(Loop *x, int64_t k, int64_t *measure, BfError *error) {
  const BfProblem *problem = x->problem;
  int64_t          next    = 0;
  for (int64_t s = 0; s < x->space.contexts; s++) {
    BfContext law;
    bf_full_unrank(&x->space, s, bf_full_digit(&x->space, s, *measure), x->scratch.cell);
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

/* The readout of least terminal cost, the smallest of equal ones, and that cost. */
static BfStatus find_readout(Loop *x, int64_t measure, BfModel *closed, double *least, BfError *error) {
  *least = INFINITY;
  for (int64_t r = 0; r < x->problem->cost.readouts; r++) {
    double sum = 0;
    for (int64_t s = 0; s < x->space.contexts; s++) {
      const int64_t j = bf_full_digit(&x->space, s, measure);
      double        g;
      BF_TRY(bf_terminal_range(&x->space, s, r, j, j + 1, &x->scratch, &g, error));
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
  x.problem = problem;
  BF_GOTO(open_policy(&x, run, path, error));
  BF_GOTO(bf_together(run->world, bf_closed_loop_check(problem, data, error), error));
  BF_GOTO(bf_together(run->world, create(&x, error), error));
  BF_GOTO(check_policy(&x, path, error));
  BF_GOTO(bf_together(run->world, bf_full_initial(&x.space, data, &measure, error), error));
  BF_GOTO(bf_together(run->world, bf_model_create(problem, true, closed, error), error));
  status = follow(&x, run, path, measure, closed, error);
done:
  bf_store_end(&x.store, error);
  clear(&x);
  return error->status;
}
