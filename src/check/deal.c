#include "check/deal.h"
#include "check/rounding.h"

typedef struct {
  const BfCheckDeal *deal;
  const BfTreeItem  *item; /* the claim at hand */
  bool               holds;
} Dealer;

static BfStatus bound_claim(void *context, BfError *error) {
  Dealer *x = context;
  (void)error;
  x->holds = x->deal->holds(x->deal->of, x->item);
  return BF_OK;
}

/* The claims of the next block that are this rank's turn, up to its first that does not hold: of that the item. */
static BfStatus deal_block(Dealer *x, BfRun *run, bool *there, BfTreeItem *failed, BfError *error) {
  enum { BLOCK = 4096 };
  BfTreeItem item;
  for (int i = 0; i < BLOCK; i++) {
    BF_TRY(x->deal->next(x->deal->of, &item, there, error));
    if (!*there) return BF_OK;
    if (item.number % run->size != run->rank || !x->holds) continue;
    x->item = &item;
    BF_TRY(bf_rounding_upwards(bound_claim, x, error));
    bf_work_done(run, BF_PHASE_CHECK, run->size);
    if (!x->holds) *failed = item;
  }
  return BF_OK;
}

BfStatus bf_check_deal(BfRun *run, const BfCheckDeal *deal, BfError *error) {
  Dealer     x      = {.deal = deal, .holds = true};
  BfTreeItem failed = {.number = INT64_MAX};
  bool       there  = true;
  while (there) {
    int64_t first;
    BF_TRY(bf_together(run->world, deal_block(&x, run, &there, &failed, error), error));
    MPI_Allreduce(&failed.number, &first, 1, MPI_INT64_T, MPI_MIN, run->world);
    if (first == INT64_MAX) continue;
    return bf_together(run->world, failed.number == first ? deal->fail(deal->of, &failed, error) : BF_OK, error);
  }
  return BF_OK;
}
