/* All that a solve in the full space holds. */
#include "solve/full/solver.h"

#include <math.h>

static BfStatus number(const BfProblem *problem, BfFull *x, BfError *error) {
  BF_TRY(bf_full_space_create(problem, &x->space, error));
  BF_TRY(bf_full_initial(&x->space, &x->problem->train, &x->initial, error));
  return bf_action_parameters_create(problem, &x->actions, error);
}

static BfStatus allocate_policy(BfFull *x, BfError *error) {
  BF_TRY(BF_NEW(&x->policy, x->problem->horizon, error));
  for (int t = 0; t < x->problem->horizon; t++) BF_TRY(BF_NEW(&x->policy[t], x->sweep.owned, error));
  return BF_OK;
}

BfStatus bf_full_create(BfRun *run, const BfProblem *problem, BfCheckpoint *checkpoint, BfFull *x, BfError *error) {
  *x = (BfFull){.run = run, .problem = problem, .checkpoint = checkpoint};
  BF_TRY(bf_together(run->world, number(problem, x, error), error));
  double most = 0;
  for (int64_t k = 0; k < problem->actions; k++) most = fmax(most, x->actions.stage[k]);
  bf_phase_begin(run, BF_PHASE_COSTS);
  BF_TRY(bf_terminal_tables_create(run, &x->space, &x->terminal, error));
  bf_phase_end(run, BF_PHASE_COSTS);
  bf_progress_what(run, "transition tables");
  bf_phase_begin(run, BF_PHASE_TABLES);
  BF_TRY(bf_tables_create(run, &x->space, &x->actions, x->terminal.bound + problem->horizon * most, checkpoint,
                          &x->tables, error));
  bf_phase_end(run, BF_PHASE_TABLES);
  BF_TRY(
      bf_together(run->world, bf_plan_create(&x->space, &x->tables, &x->actions, run->size, &x->plan, error), error));
  BF_TRY(bf_sweep_create(run, &x->plan, &x->tables, &x->terminal, &x->sweep, error));
  for (int i = 0; i < 2; i++)
    BF_TRY(bf_shared_create(run, x->space.measures * (int64_t)sizeof(double), "value function", &x->V[i], error));
  return bf_together(run->world, allocate_policy(x, error), error);
}

void bf_full_clear(BfFull *x) {
  if (!x->problem) return;
  for (int t = 0; x->policy && t < x->problem->horizon; t++) bf_free(x->policy[t]);
  bf_free(x->policy);
  for (int i = 0; i < 2; i++) bf_shared_destroy(&x->V[i]);
  bf_sweep_clear(&x->sweep);
  bf_plan_clear(&x->plan);
  bf_tables_clear(&x->tables);
  bf_terminal_tables_clear(&x->terminal);
  bf_action_parameters_clear(&x->actions);
  bf_full_space_clear(&x->space);
}

int32_t bf_full_policy(const BfFull *x, int t, int64_t i) {
  int32_t k = bf_sweep_policy(&x->sweep, x->policy[t], i), all;
  MPI_Allreduce(&k, &all, 1, MPI_INT32_T, MPI_MAX, x->run->world);
  return all;
}

int64_t bf_full_next(const BfFull *x, int64_t i, int32_t k) {
  int64_t next = 0;
  for (int64_t s = 0; s < x->space.contexts; s++) {
    const BfContextSpace *c = &x->space.context[s];
    next += c->stride * x->tables.next[c->shape][k * c->measures + bf_full_digit(&x->space, s, i)];
  }
  return next;
}
