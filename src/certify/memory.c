/* Boxes that wait, and records of the tree, outgrow memory: noticed before they take it, and told. */
#include "certify/ladder.h"
#include <stdio.h>

/* What does not fill this is not asked about: a search that is over at once. The same on all ranks. */
static const double small = 4e6;

/* Arrays grow by becoming twice as long, beside what they were; records are dealt once more where they are saved. */
static double growth(const BfLadder *x) {
  return 2.0 * bf_list_bytes(&x->list) + (double)x->by_value.cells.proofs.record.room +
         2.0 * (double)x->level.mine.room + (double)x->kept.mine.room;
}

BfStatus bf_ladder_memory(BfLadder *x, BfError *error) {
  double want, left;
  char   a[BF_HUMAN], b[BF_HUMAN], c[BF_HUMAN], go[400] = "";
  if (bf_list_bytes(&x->list) + (double)x->level.bytes < small) return BF_OK;
  if (bf_memory_fits(x->run, growth(x), &want, &left)) return BF_OK;
  const bool goes_on = x->checkpoint && !x->run->owner && x->boxes > x->restored; /* a study's point fails */
  if (goes_on) BF_TRY(bf_ladder_save(x, error));
  if (x->checkpoint && !x->run->owner)
    snprintf(go, sizeof go,
             "on nodes with more memory, or with fewer ranks each, go on with: bellformer certify -restart %s; or ",
             bf_checkpoint_result(x->checkpoint));
  return bf_fail_for(
      error, goes_on ? BF_STOPPED : BF_FAILURE, BF_CAUSE_MEMORY,
      "the search outgrows memory: %lld boxes wait, which every rank holds, and %s of the tree are kept; "
      "%s more a node may be needed, %s are free: %sstart afresh with a larger -gap, or fewer -boxes",
      (long long)bf_list_waiting(&x->list), bf_human_bytes((double)x->level.bytes, a), bf_human_bytes(want, b),
      bf_human_bytes(left, c), go);
}
