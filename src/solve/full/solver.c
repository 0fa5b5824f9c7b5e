/* All that a solve in the full space holds. */
#include "solve/full/solver.h"
#include "run/limits.h"

#include <math.h>

static BfStatus number(const BfProblem *problem, BfFull *x, BfError *error) {
  BF_TRY(bf_full_space_create(problem, &x->space, error));
  BF_TRY(bf_full_initial(&x->space, &x->problem->train, &x->initial, error));
  return bf_action_parameters_create(problem, &x->actions, error);
}

/* One for all layers where each goes to the file as it comes. */
static BfStatus allocate_policy(BfFull *x, BfError *error) {
  const int T = x->problem->horizon;
  BF_TRY(BF_NEW(&x->policy, T, error));
  for (int t = 0; t < (x->rows ? 1 : T); t++) BF_TRY(BF_NEW(&x->policy[t], x->sweep.owned, error));
  for (int t = 1; t < T && x->rows; t++) x->policy[t] = x->policy[0];
  return BF_OK;
}

static BfStatus create_tables(BfFull *x, BfError *error) {
  BfRun *run  = x->run;
  double most = 0;
  for (int64_t k = 0; k < x->problem->actions; k++) most = fmax(most, x->actions.stage[k]);
  bf_phase_begin(run, BF_PHASE_COSTS);
  BF_TRY(bf_terminal_tables_create(run, &x->space, &x->terminal, error));
  bf_phase_end(run, BF_PHASE_COSTS);
  bf_progress_what(run, "transition tables");
  bf_phase_begin(run, BF_PHASE_TABLES);
  BF_TRY(bf_tables_create(run, &x->space, &x->actions, x->terminal.bound + x->problem->horizon * most, x->checkpoint,
                          &x->tables, error));
  bf_phase_end(run, BF_PHASE_TABLES);
  return BF_OK;
}

static BfStatus create_untabled(BfFull *x, BfError *error) {
  BF_TRY(bf_together(x->run->world, bf_terminal_untabled_create(&x->space, &x->terminal, error), error));
  BF_TRY(bf_together(x->run->world, bf_tables_none(&x->space, &x->tables, error), error));
  return bf_untabled_create(x->run, &x->space, &x->actions, &x->untabled, error);
}

/* What a program that calls the library may ask for. */
static BfStatus check(const BfFull *x, const BfFullOptions *options, BfError *error) {
  if (options->untabled && x->space.contexts > 1)
    return bf_fail(error, BF_BAD_INPUT, "a solve without tables takes data of one sequence");
  if (!options->untabled && x->space.contexts == 1 && x->space.measures > bf_limits()->narrow)
    return bf_fail(error, BF_BAD_INPUT, "a table of one sequence holds at most %lld measures",
                   (long long)bf_limits()->narrow);
  return BF_OK;
}

static BfStatus create_plan(BfFull *x, BfError *error) {
  BF_TRY(bf_plan_create(&x->space, &x->tables, &x->actions, x->run->size, &x->plan, error));
  if (x->untabled.run)
    x->plan.least_piece = bf_untabled_piece(&x->space, &x->untabled.way, x->run->nodes, x->run->size);
  return BF_OK;
}

BfStatus bf_full_create(BfRun *run, const BfProblem *problem, const BfFullOptions *options, BfCheckpoint *checkpoint,
                        BfFull *x, BfError *error) {
  x->run        = run;
  x->problem    = problem;
  x->checkpoint = checkpoint;
  BF_TRY(bf_together(run->world, number(problem, x, error), error));
  BF_TRY(bf_together(run->world, check(x, options, error), error));
  BF_TRY(options->untabled ? create_untabled(x, error) : create_tables(x, error));
  BF_TRY(bf_together(run->world, create_plan(x, error), error));
  BF_TRY(bf_sweep_create(run, &x->plan, &x->tables, &x->terminal, options->sync, &x->sweep, error));
  if (options->untabled) x->sweep.untabled = &x->untabled;
  for (int i = 0; i < 2; i++)
    BF_TRY(bf_shared_create(run, x->space.measures * (int64_t)sizeof(double), "value function", &x->V[i], error));
  return bf_together(run->world, allocate_policy(x, error), error);
}

void bf_full_clear(BfFull *x) {
  if (!x->problem) return;
  for (int t = 0; x->policy && t < (x->rows ? 1 : x->problem->horizon); t++) bf_free(x->policy[t]);
  bf_free(x->policy);
  for (int i = 0; i < 2; i++) bf_shared_destroy(&x->V[i]);
  bf_sweep_clear(&x->sweep);
  bf_plan_clear(&x->plan);
  bf_tables_clear(&x->tables);
  bf_untabled_clear(&x->untabled);
  bf_terminal_tables_clear(&x->terminal);
  bf_action_parameters_clear(&x->actions);
  bf_full_space_clear(&x->space);
}

BfStatus bf_full_policy(const BfFull *x, int t, int64_t i, int32_t *k, BfError *error) {
  if (x->rows)
    return bf_store_read_parts(x->rows, "/policy", BF_STORE_INT32, t, &(BfParts){1, &i, &(int64_t){1}}, k, error);
  const int32_t mine = bf_sweep_policy(&x->sweep, x->policy[t], i);
  MPI_Allreduce(&mine, k, 1, MPI_INT32_T, MPI_MAX, x->run->world);
  return BF_OK;
}

int64_t bf_full_next(const BfFull *x, int64_t i, int32_t k) {
  int64_t next   = 0;
  BfError unused = {0};
  if (x->untabled.run) {
    bf_untabled_next(&x->untabled, i, k, &next, &unused);
    return next;
  }
  for (int64_t s = 0; s < x->space.contexts; s++) {
    const BfContextSpace *c = &x->space.context[s];
    next += c->stride * x->tables.next[c->shape][k * c->measures + bf_full_digit(&x->space, s, i)];
  }
  return next;
}
