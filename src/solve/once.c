/* One solve, in the space that was chosen. */
#include "solve/trainer.h"

BfStatus bf_solve_once(BfSolveState *x, BfSession *session, const BfSolveOnce *once, BfError *error) {
  BfBest            *best      = x->set.best ? &x->best : NULL;
  BfStore           *store     = once->tables ? session->store : NULL;
  BfModel           *out       = &session->trained.model;
  BfFullOptions      full      = bf_solve_full_options(&x->set);
  BfReachableOptions reachable = bf_solve_reachable_options(&x->set);
  full.store_value &= store != NULL;
  full.store_policy &= store != NULL;
  full.stability    = once->tables ? full.stability : 0;
  full.untabled     = x->choice.full.untabled;
  full.best         = best;
  reachable.best    = best;
  reachable.answer  = &x->answer;
  reachable.is_kept = once->is_last;
  reachable.context = x;
  x->best.wanted    = x->set.best;
  return x->set.space == BF_SPACE_FULL
             ? bf_solve_full(session->run, once->problem, &full, store, session->checkpoint, out, error)
             : bf_solve_reachable(session->run, once->problem, &reachable, store, session->checkpoint, out, error);
}
