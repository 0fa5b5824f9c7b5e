/* The points of a study. */
#include "bellformer/run.h"
#include "study/identity.h"
#include "study/read.h"

enum { POINTS = 1000000 };

/* Whether the reference stands in place of the item. */
static bool is_replaced(const BfStudy *study, const BfItem *item) {
  return study->has_reference && bf_sets_find(&study->reference, item->key[0]);
}

static BfStatus count(const BfStudy *study, BfPlan *plan, BfError *error) {
  double points = 1, references = study->has_reference;
  for (int i = 0; i < study->items; i++) {
    points *= (double)study->item[i].count;
    if (!is_replaced(study, &study->item[i])) references *= (double)study->item[i].count;
  }
  if (points + references > POINTS)
    return bf_fail(error, BF_BAD_INPUT, "%s: %.15g points are more than %d", study->name, points + references, POINTS);
  plan->points     = (int64_t)points;
  plan->references = (int64_t)references;
  return BF_OK;
}

/* The choices of the points, last item fastest. */
static void choose(const BfStudy *study, BfPlan *plan) {
  for (int64_t p = 0; p < plan->points + plan->references; p++) {
    BfPoint *point = &plan->point[p];
    int64_t  rest = p < plan->points ? p : p - plan->points, refers = 0, stride = 1;
    point->reference = p >= plan->points;
    point->refers    = -1;
    for (int i = study->items - 1; i >= 0; i--) {
      const BfItem *item     = &study->item[i];
      const bool    replaced = is_replaced(study, item);
      if (point->reference && replaced) {
        point->choice[i] = -1;
        continue;
      }
      point->choice[i] = rest % item->count;
      rest /= item->count;
      if (replaced) continue;
      refers += stride * point->choice[i];
      stride *= item->count;
    }
    if (!point->reference && study->has_reference) point->refers = plan->points + refers;
  }
}

static BfStatus make(const BfStudy *study, BfPlan **out, BfError *error) {
  BfPlan *plan;
  BF_TRY(BF_NEW(&plan, 1, error));
  *out        = plan;
  plan->study = study;
  BF_TRY(count(study, plan, error));
  const int64_t all = plan->points + plan->references;
  BF_TRY(BF_NEW(&plan->point, all, error));
  BF_TRY(BF_NEW(&plan->choices, all * study->items, error));
  for (int64_t p = 0; p < all; p++) plan->point[p].choice = plan->choices + p * study->items;
  choose(study, plan);
  return BF_OK;
}

BfStatus bf_study_plan_create(MPI_Comm comm, const BfStudy *study, BfPlan **out, BfError *error) {
  BfPlan *plan = NULL;
  if (bf_together(comm, make(study, &plan, error), error) == BF_OK) bf_plan_identify(comm, plan, error);
  if (error->status == BF_OK) *out = plan;
  else bf_study_plan_destroy(&plan);
  return error->status;
}

void bf_study_plan_destroy(BfPlan **plan) {
  if (!*plan) return;
  bf_free((*plan)->choices);
  bf_free((*plan)->point);
  bf_free(*plan);
  *plan = NULL;
}
