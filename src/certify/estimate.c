/* What `info` tells of a certificate. */
#include "certify/logits.h"
#include "certify/trainer.h"
#include "run/limits.h"
#include <math.h>

typedef char Text[BF_HUMAN];

static const double moment = 0.1; /* seconds of boxes that are bounded, to measure one */

/* The first ones that are ignored for a reason. */
static void tell_ignored(const BfRun *run, const BfObjective *of, bool shifts, const char *reason) {
  enum { SHOWN = 8 };
  const BfFreeNumbers *free                 = &of->free;
  char                 text[BF_NUMBER_NAME] = "";
  int                  shown                = 0;
  for (int64_t i = 0; i < free->all && shown <= SHOWN; i++) {
    if (free->depends[i] || (free->shifts[i] != 0) != shifts) continue;
    if (!shown) bf_print(run, "    ignored, %s: ", reason);
    if (shown++ < SHOWN) bf_print(run, "%s%s", shown == 1 ? "" : ", ", bf_number_name(of->problem, i, text));
    else bf_print(run, ", ...");
  }
  if (shown) bf_print(run, "\n");
}

static void tell_symmetry(const BfRun *run, const BfSymmetry *x) {
  char text[BF_SYMMETRY_TEXT];
  if (x->count)
    bf_print(run, "  symmetric: %s between free numbers, which leave a part of the box\n", bf_symmetry_text(x, text));
}

static void tell_free(const BfRun *run, const BfObjective *of) {
  const BfFreeNumbers *free    = &of->free;
  int64_t              ignored = 0, points;
  for (int64_t i = 0; i < free->all; i++) ignored += !free->depends[i];
  points = free->all - ignored - free->n;
  bf_print(run, "  %d of %lld numbers are free: the cost ignores %lld", free->n, (long long)free->all,
           (long long)ignored);
  if (points) bf_print(run, ", the ranges of %lld are points", (long long)points);
  bf_print(run, "\n");
  tell_ignored(run, of, true, "since all logits of a query change alike");
  tell_ignored(run, of, false, "since nothing reads what it moves");
  tell_symmetry(run, &of->symmetry);
  if (of->logits.count)
    bf_print(run, "  boxes are halved at %lld differences of logits, too\n", (long long)of->logits.count);
  bf_print(run, "  %lld of %lld sequences differ\n", (long long)of->data.contexts,
           (long long)of->problem->train.contexts);
}

/* Before which layer there is a table, or is to be one. */
static BfStatus tell_table(const BfInfo *x, const BfObjective *of, int t, bool *is, BfError *error) {
  BfByValue by = {0};
  BfStatus  status;
  Text      a;
  BF_GOTO(bf_together(x->run->world, bf_by_value_create(of, of->logits.count ? BF_NO_TABLE : t, 0, &by, error), error));
  if (by.t)
    bf_print(x->run,
             "  a table before layer %d, where tokens have %d numbers: %d of %d free numbers are in front of it", by.t,
             by.depth.axes.count, by.depth.first, of->free.n);
  if (by.t && t == BF_TABLE_CHOSEN)
    bf_print(x->run, "; tried where %s boxes without do not do", bf_human_count(BF_EASY_BOXES, a));
  if (by.t) bf_print(x->run, "; a box is measured without\n");
  *is = by.t != 0;
done:
  bf_by_value_clear(&by);
  return status;
}

/* Seconds of a box: of the whole box, again and again. */
static BfStatus measure(const BfObjective *of, double *seconds, BfError *error) {
  BfWorker      x     = {0};
  const double  begin = bf_seconds();
  int           count = 0;
  BfTaskOutcome out;
  BfBytes       record = {0};
  double       *box    = NULL;
  BfStatus      status;
  BF_GOTO(bf_worker_create(of, of, 0, &x, error));
  BF_GOTO(BF_NEW(&box, 2 * (int64_t)of->n + 1, error));
  for (int k = 0; k < of->n; k++) {
    box[k]         = of->lower[k];
    box[of->n + k] = of->upper[k];
  }
  do {
    record.count = 0;
    BF_GOTO(bf_task_leaf(&x, &(BfBoxTag){0, 0}, box, &record, &out, error));
    *seconds = (bf_seconds() - begin) / ++count;
  } while (bf_seconds() - begin < moment);
  status = BF_OK;
done:
  bf_worker_clear(&x);
  bf_free(record.byte);
  bf_free(box);
  return status;
}

/* Boxes of `boxes` that wait at a time, as a task leaves some open; never more than rounds bound them to, which
 * measures say is about 60 times their width. */
static double waiting(const BfObjective *of, const BfCertifySettings *set, double boxes) {
  const double left  = boxes * fmin(1, 16.0 / (double)bf_task_boxes(of, set->boxes)),
               width = (double)bf_certify_width(set);
  return width > 0 ? fmin(left, 60 * width) : left;
}

/* What ranks hold beside their workers: every one all boxes that wait, and together the tree, until it goes to a file.
 */
static double search_bytes(const BfInfo *x, const BfObjective *of, const BfCertifySettings *set, double boxes) {
  const double ranks = bf_info_node_ranks(x), most = (double)bf_limits()->tree_bytes * ranks;
  return ranks * waiting(of, set, boxes) * (16.0 * of->n + sizeof(BfBoxTag)) +
         fmin(boxes * (of->n + 2.0 * (double)of->logits.count + 3), most);
}

BfStatus bf_certify_estimate(void *state, const BfInfo *x, BfError *error) {
  const BfCertifySettings *set   = &((const BfCertifyState *)state)->set;
  BfObjective              of    = {0};
  BfEstimate               e     = {.rough = true};
  const double             ranks = x->machine ? x->machine->ranks : x->run->size;
  double                   a_box = 0;
  bool                     table = false;
  BfFound                  given = {0};
  BfStatus                 status;
  Text                     a;
  BF_GOTO(bf_together(x->run->world, bf_objective_create(x->problem, &of, error), error));
  if (set->symmetry) BF_GOTO(bf_together(x->run->world, bf_objective_order(&of, error), error));
  if (set->logits && set->table <= 0) BF_GOTO(bf_together(x->run->world, bf_objective_logits(&of, error), error));
  if (set->found) BF_GOTO(bf_found_read(x->run, x->problem, set->found, NULL, &given, error));
  BF_GOTO(bf_together(x->run->world, measure(&of, &a_box, error), error));
  MPI_Bcast(&a_box, 1, MPI_DOUBLE, 0, x->run->world);
  tell_free(x->run, &of);
  BF_GOTO(tell_table(x, &of, (int)set->table, &table, error));
  bf_print(x->run, "  a box              about %s; %s boxes a second by all ranks\n", bf_human_time(a_box, a),
           bf_human_count(ranks / a_box, (Text){0}));
  /* Without -boxes nobody knows: ranges, kinks and the gap decide, by orders of magnitude. */
  const double boxes = set->boxes ? (double)set->boxes : BF_EASY_BOXES;
  if (!set->boxes)
    bf_print(x->run,
             "  how many boxes a gap takes is not known before: hundreds to millions up to 12 numbers "
             "(share/doc/certify.md); time, memory and file are those of %s, whatever -gap is\n",
             bf_human_count(boxes, a));
  if (bf_objective_dimension(&of) > 16)
    bf_print(x->run,
             "  more than 12 to 16 free numbers over wide ranges are out of reach: a narrow box, or the gap that "
             "-boxes reaches\n");
  if (!set->found)
    bf_print(x->run,
             "  solve and flow, which are run before it without -found, come on top: info -command solve, flow\n");
  bf_info_memory(x, "about ",
                 bf_info_node_ranks(x) * bf_worker_bytes(&of) * (table ? 3 : 1) + bf_info_program_bytes(x) +
                     search_bytes(x, &of, set, boxes),
                 bf_info_memory_left(x), "");
  if (!set->boxes)
    bf_print(x->run, "  where the gap does not close, boxes that wait and the tree come to at most about %s a node\n",
             bf_human_bytes(search_bytes(x, &of, set, INFINITY), a));
  bf_estimate_add(x->run, &e, "boxes", boxes * a_box / ranks);
  BF_GOTO(bf_info_ends(x, "about ", boxes * (of.n + 2.0 * (double)of.logits.count + 3), "", &e, error));
  bf_info_time(x, &e);
done:
  bf_objective_clear(&of);
  bf_found_clear(&given);
  return status;
}
