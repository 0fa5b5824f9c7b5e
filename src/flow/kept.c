/* Where a search starts, and what a checkpoint keeps of it beside the options. */
#include "flow/start.h"
#include "flow/trainer.h"
#include <string.h>

BfStatus bf_flow_settle_state(void *state, const BfRun *run, BfError *error) {
  BfFlowState *x   = state;
  x->points.starts = x->set.starts;
  x->points.seed   = x->set.seed;
  x->points.ranks  = x->set.ranks;
  return bf_flow_settle(run, &x->set, &x->options, error);
}

BfStatus bf_flow_choose_start(void *state, const BfRun *run, const BfProblem *problem, BfError *error) {
  BfFlowState  *x = state;
  const int64_t T = problem->horizon, q = problem->layer.free, trained = problem->cost.trained;
  const char   *init   = x->set.init;
  const bool    sample = init && !strcmp(init, "sample"), zero = init && !strcmp(init, "zero");
  if (sample || (!init && x->points.starts)) {
    if (!x->points.starts) x->set.starts = x->points.starts = 1;
    return BF_OK;
  }
  bf_free(x->points.given);
  x->points.given  = NULL;
  x->points.givens = 1;
  if (init && !zero) {
    BF_TRY(bf_flow_init_result(run, problem, init, &x->points, error));
  } else {
    BF_TRY(bf_together(run->world, BF_NEW(&x->points.given, bf_flow_numbers(problem), error), error));
    bf_flow_init_zero(problem, x->points.given);
  }
  x->shape = (BfGivenShape){{x->points.givens * T, q}, {trained ? x->points.givens : 0, trained}};
  return BF_OK;
}

BfStatus bf_flow_save(const void *state, BfStore *store, BfError *error) {
  const BfFlowState  *x     = state;
  const BfGivenShape *shape = &x->shape;
  const double       *given = x->points.given;
  BF_TRY(bf_store_put_text(store, "/options", "petsc", x->set.petsc, error));
  if (!given) return BF_OK;
  BF_TRY(bf_store_write(store, "/options/given", BF_STORE_DOUBLE, 2, shape->controls, given, error));
  if (!shape->readouts[1]) return BF_OK;
  return bf_store_write(store, "/options/given_readout", BF_STORE_DOUBLE, 2, shape->readouts,
                        given + shape->controls[0] * shape->controls[1], error);
}

/* Behind the controls that were read. */
static BfStatus read_readouts(BfStore *store, double **given, BfGivenShape *shape, BfError *error) {
  double       *controls = *given, *readouts = NULL;
  const int64_t n = shape->controls[0] * shape->controls[1];
  BfStatus      status;
  *given = NULL;
  BF_GOTO(
      bf_store_read(store, "/options/given_readout", BF_STORE_DOUBLE, 2, shape->readouts, (void **)&readouts, error));
  const int64_t more = shape->readouts[0] * shape->readouts[1];
  BF_GOTO(bf_store_together(store, BF_NEW(given, n + more, error), error));
  memcpy(*given, controls, sizeof(double) * (size_t)n);
  memcpy(*given + n, readouts, sizeof(double) * (size_t)more);
done:
  bf_free(controls);
  bf_free(readouts);
  return status;
}

/* What was given, as points.given has it: NULL where nothing was. */
static BfStatus read_given(BfStore *store, double **given, BfGivenShape *shape, BfError *error) {
  bool there;
  *given = NULL;
  *shape = (BfGivenShape){{0}, {0}};
  BF_TRY(bf_store_has(store, "/options/given", &there, error));
  if (!there) return BF_OK;
  BF_TRY(bf_store_read(store, "/options/given", BF_STORE_DOUBLE, 2, shape->controls, (void **)given, error));
  BF_TRY(bf_store_has(store, "/options/given_readout", &there, error));
  return there ? read_readouts(store, given, shape, error) : BF_OK;
}

/* PETSc's options of the file, and those of the line that it does not have. */
static BfStatus join_petsc(BfFlowState *x, const char *then, BfError *error) {
  char *both = NULL;
  BF_TRY(bf_petsc_join(then, x->set.petsc, &both, error));
  bf_free(x->set.petsc);
  x->set.petsc = both;
  return BF_OK;
}

BfStatus bf_flow_restore(void *state, const BfRun *run, BfStore *store, BfError *error) {
  BfFlowState *x    = state;
  char        *then = NULL;
  BF_TRY(bf_store_get_text(store, "/options", "petsc", &then, error));
  const BfStatus status = bf_store_together(store, join_petsc(x, then, error), error);
  bf_free(then);
  BF_TRY(status);
  BF_TRY(bf_flow_settle_state(x, run, error));
  bf_free(x->points.given);
  x->points.givens = 0;
  return read_given(store, &x->points.given, &x->shape, error);
}

/* Whether the controls that the search is given are the same, whatever file they are from. */
static BfStatus compare_given(const BfFlowState *x, BfStore *store, bool *differ, BfError *error) {
  const bool   is   = x->points.given != NULL;
  double      *then = NULL;
  BfGivenShape shape;
  BfStatus     status = read_given(store, &then, &shape, error);
  const bool   was    = then != NULL;
  *differ             = was != is || (is && memcmp(&shape, &x->shape, sizeof shape) != 0);
  if (is && !*differ)
    *differ = memcmp(then, x->points.given,
                     sizeof *then *
                         (size_t)(shape.controls[0] * shape.controls[1] + shape.readouts[0] * shape.readouts[1])) != 0;
  bf_free(then);
  BF_TRY(status);
  if (!*differ) return BF_OK;
  return bf_fail(error, BF_BAD_INPUT, "-init was %s, now %s", was ? "another control" : "sample",
                 x->set.init ? x->set.init
                 : is        ? "zero"
                             : "sample");
}

BfStatus bf_flow_compare(void *state, const BfRun *run, const BfProblem *then, bool all, BfStore *store, bool *differ,
                         BfError *error) {
  BfFlowState *x   = state;
  char        *was = NULL;
  BfStatus     status;
  BF_GOTO(bf_store_get_text(store, "/options", "petsc", &was, error));
  BF_GOTO(bf_store_together(store, bf_petsc_compare(bf_flow_options, was, x->set.petsc, all, differ, error), error));
  if (!all && !bf_options_given(run->options, "init")) goto done;
  if (!all) BF_GOTO(bf_flow_choose_start(x, run, then, error));
  status = compare_given(x, store, differ, error);
done:
  bf_free(was);
  return status;
}
