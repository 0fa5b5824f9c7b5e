/* What all groups have written, by point. */
#include "checkpoint/checkpoint.h"
#include "study/group.h"
#include <math.h>

int64_t bf_plan_points(const BfPlan *plan) { return plan->points + plan->references; }

/* Records by point. */
static BfStatus give(const BfWork *w, const BfHistory *h, BfRecord *records[], BfError *error) {
  for (int64_t i = 0; i < bf_plan_points(w->plan); i++) {
    const BfRecord *r = bf_history_find(h, w->plan->point[i].key);
    bf_record_destroy(&records[i]);
    if (r) BF_TRY(bf_record_copy(r, &records[i], error));
  }
  return BF_OK;
}

BfStatus bf_work_collect(const BfWork *w, BfRecord *records[], BfError *error) {
  BfHistory h;
  BfStatus  status = bf_history_read(w->run, w->o->out, w->start, &h, error);
  if (status == BF_OK) status = give(w, &h, records, error);
  bf_history_clear(&h);
  return status;
}

static BfStatus write_now(const BfWork *w, BfError *error) {
  const int64_t all     = bf_plan_points(w->plan);
  BfRecord    **records = NULL;
  BF_TRY(BF_NEW(&records, all, error));
  BfStatus status = bf_work_collect(w, records, error);
  if (status == BF_OK) status = w->o->write(w->o->context, records, error);
  for (int64_t i = 0; i < all; i++) bf_record_destroy(&records[i]);
  bf_free(records);
  return status;
}

void bf_work_write(BfWork *w) {
  static const double least = 300, share = 50; /* seconds between two; of the time, that they take */
  const double        now   = bf_seconds();
  BfError             error = {0};
  if (w->run->rank != 0 || !w->o->write || now < w->due) return;
  if (w->due > 0 && bf_claim_check(w->o->out, w->claim, &error) != BF_OK) return; /* the next step says so */
  if (w->due > 0 && write_now(w, &error) != BF_OK) bf_warn(w->run, "%s; the study goes on", error.text);
  w->due = bf_seconds() + fmax(least, share * (bf_seconds() - now));
}
