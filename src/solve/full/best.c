#include "solve/full/best.h"
#include "run/limits.h"
#include "solve/best.h"
#include <string.h>

typedef struct {
  BfFull  *x;
  int64_t *at;     /* [actives] measures, layer by layer along the policy */
  int32_t *policy; /* [T][actives] */
} Space;

static BfStatus make(Space *s, BfError *error) {
  const int64_t actives = s->x->tables.actives;
  BF_TRY(BF_NEW(&s->at, actives, error));
  return BF_NEW(&s->policy, actives * s->x->problem->horizon, error);
}

/* policy_t of measures at[count]: each rank knows its own. */
static void find_policy(const BfFull *x, int t, int64_t count, const int64_t at[], int32_t policy[]) {
  const int64_t most = bf_limits()->reduced;
  for (int64_t i = 0; i < count; i++) policy[i] = bf_sweep_policy(&x->sweep, x->policy[t], at[i]);
  for (int64_t i = 0; i < count; i += most)
    MPI_Allreduce(MPI_IN_PLACE, policy + i, (int)(count - i < most ? count - i : most), MPI_INT32_T, MPI_MAX,
                  x->run->world);
}

static BfStatus expand(void *space, int t, int64_t measure, BfSuccessors *out, BfError *error) {
  const Space   *s = space;
  const BfFull  *x = s->x;
  const int      T = x->problem->horizon;
  const int64_t  n = x->tables.actives;
  const int32_t *k = x->tables.active;
  (void)error;
  for (int64_t i = 0; i < n; i++) s->at[i] = out->next[i] = bf_full_next(x, measure, k[i]);
  memcpy(out->action, k, sizeof *k * (size_t)n);
  for (int l = t + 1; l < T; l++) {
    int32_t *policy = s->policy + l * n;
    find_policy(x, l, n, s->at, policy);
    for (int64_t i = 0; i < n; i++) s->at[i] = bf_full_next(x, s->at[i], policy[i]);
  }
  for (int64_t i = 0; i < n; i++) {
    int64_t readout = 0;
    double  value   = bf_terminal_tables_value(&x->terminal, &x->space, s->at[i], &readout);
    for (int l = T - 1; l > t; l--) value = x->actions.stage[s->policy[l * n + i]] + value;
    out->value[i]   = value;
    out->readout[i] = t == T - 1 ? readout : 0;
  }
  out->count = n;
  return BF_OK;
}

BfStatus bf_full_best(BfFull *x, BfBest *best, BfError *error) {
  Space         s     = {.x = x};
  const BfGraph graph = {.run     = x->run,
                         .problem = x->problem,
                         .stage   = x->actions.stage,
                         .initial = x->initial,
                         .space   = &s,
                         .expand  = expand};
  BfStatus      status;
  BF_GOTO(bf_together(x->run->world, make(&s, error), error));
  bf_phase_begin(x->run, BF_PHASE_SWEEP);
  status = bf_best_find(&graph, best, error);
  bf_phase_end(x->run, BF_PHASE_SWEEP);
done:
  bf_free(s.at);
  bf_free(s.policy);
  return status;
}
