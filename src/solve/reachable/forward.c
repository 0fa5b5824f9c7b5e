/* From one layer to the next, with checkpoints on the way. */
#include "solve/reachable/merge.h"
#include "solve/reachable/save.h"

static BfStatus save(BfReachable *x, int t, BfMerge *m, BfOrder order, BfError *error) {
  BF_TRY(bf_reachable_save_forward(x, t, m, error));
  return order == BF_SAVE_AND_STOP ? bf_checkpoint_stopped(x->checkpoint, error) : BF_OK;
}

static BfStatus expand(BfReachable *x, int t, BfMerge *m, BfError *error) {
  BfProgress progress;
  bf_progress_start(&progress, "layer %d, expanding", t);
  for (int64_t r = 0; r < m->rounds; r++) {
    BF_TRY(bf_merge_round(x, m, error));
    const BfRound *round = &m->round[m->done - 1];
    bf_progress(x->run, &progress, (double)(r + 1) / (double)m->rounds,
                (double)(round->pair + round->pairs - m->known * x->problem->actions));
    const BfOrder order = bf_checkpoint_ask(x->checkpoint, bf_reachable_forward_bytes(x, t, m));
    if (order != BF_GO_ON) BF_TRY(save(x, t, m, order, error));
  }
  return BF_OK;
}

BfStatus bf_reachable_forward(BfReachable *x, int t, BfError *error) {
  BfLayerStates *to = &x->layer[t + 1];
  BfMerge        m;
  BfStatus       status;
  BF_GOTO(bf_merge_create(x, t, &m, error));
  bf_reachable_forget_partial(x);
  BF_GOTO(expand(x, t, &m, error));
  BF_GOTO(bf_merge_number(x, &m, &to->offset, &to->total, error));
  to->count   = m.set.count;
  to->state   = m.set.state;
  m.set.state = NULL;
done:
  bf_merge_clear(&m);
  return status;
}
