/* From one layer to the next, with checkpoints on the way. */
#include "solve/reachable/merge.h"
#include "solve/reachable/save.h"

static BfStatus save(BfReachable *x, int t, BfMerge *m, BfOrder order, BfError *error) {
  BF_TRY(bf_reachable_save_forward(x, t, m, error));
  return order == BF_SAVE_AND_STOP ? bf_checkpoint_stopped(x->checkpoint, error) : BF_OK;
}

/* A round that may not fit into memory is not begun: what is there is saved instead. */
static BfStatus check_memory(BfReachable *x, int t, BfMerge *m, BfError *error) {
  int64_t found  = m->set.count;
  BfError memory = {0};
  MPI_Allreduce(MPI_IN_PLACE, &found, 1, MPI_INT64_T, MPI_SUM, x->run->world);
  if (bf_reachable_memory(x, t, bf_merge_bytes(x, m), found, &memory) == BF_OK) return BF_OK;
  if (memory.status == BF_STOPPED) BF_TRY(bf_reachable_save_forward(x, t, m, error));
  *error = memory;
  return error->status;
}

static BfStatus expand(BfReachable *x, int t, BfMerge *m, BfError *error) {
  const double K    = (double)x->problem->actions,
               each = (double)bf_merge_new(x, m) / (double)(m->rounds > 0 ? m->rounds : 1) * K;
  for (int64_t r = 0; r < m->rounds; r++) {
    BF_TRY(check_memory(x, t, m, error));
    BF_TRY(bf_merge_round(x, m, error));
    x->expanded += each;
    bf_work_done(x->run, BF_PHASE_EXPAND, each);
    bf_work_done(x->run, BF_PHASE_MERGE, each);
    const BfOrder order = bf_checkpoint_ask(x->checkpoint, bf_reachable_forward_bytes(x, t, m));
    if (order != BF_GO_ON) BF_TRY(save(x, t, m, order, error));
  }
  return BF_OK;
}

BfStatus bf_reachable_forward(BfReachable *x, int t, BfError *error) {
  BfReached *to = &x->layer[t + 1];
  BfMerge    m;
  BfStatus   status;
  BF_GOTO(bf_merge_create(x, t, &m, error));
  bf_reachable_forget_partial(x);
  BF_GOTO(expand(x, t, &m, error));
  BF_GOTO(bf_merge_number(x, &m, &to->offset, &to->total, error));
  to->count     = m.set.count;
  to->measure   = m.set.measure;
  m.set.measure = NULL;
done:
  bf_merge_clear(&m);
  return status;
}
