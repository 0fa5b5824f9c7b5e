/* Groups of ranks, each of which minimizes from one start at a time. */
#include "flow/search.h"
#include "run/phases.h"
#include <math.h>

double bf_flow_ended_bytes(const BfProblem *problem, const BfInitialControls *points, int64_t wanted) {
  const double all = (double)bf_initial_controls(points), n = (double)bf_flow_numbers(problem);
  return wanted ? 8 * (2 * all * (BF_START_COLUMNS + n) + fmin((double)wanted, all) * n) : 0;
}

/* Bytes that a rank of a group takes beside what every rank has: what its share of an evaluation adds up, of a leader
 * the log of a start, and where starts have ended. */
static double group_bytes(const BfSearch *search, const BfFlow *flow, int ranks) {
  const double row = 8 * (double)(BF_LOG_HEAD + search->n);
  return row * (ceil((double)flow->all_groups / ranks) + search->most / ranks) +
         bf_flow_ended_bytes(search->problem, search->points, search->out->wanted);
}

/* Evaluations one after the other: the starts of a group times the groups of blocks that the busiest of its ranks has.
 */
static double turns(int size, int64_t starts, double blocks, int ranks) {
  return bf_most_dealt((double)starts, size / ranks) * bf_most_dealt(blocks, ranks);
}

int bf_flow_ranks(int size, const BfInitialControls *points, double blocks, BfFlowFits *fits, const void *context) {
  const int64_t starts = bf_initial_controls(points);
  int           best   = size;
  if (points->ranks) return points->ranks < size ? (int)points->ranks : size;
  for (int ranks = size - 1; ranks > 0 && starts > 1; ranks--)
    if (size % ranks == 0 && (!fits || fits(context, ranks)) &&
        turns(size, starts, blocks, ranks) <= turns(size, starts, blocks, best))
      best = ranks;
  return best;
}

typedef struct {
  const BfSearch *search;
  const BfFlow   *flow;
} Sized;

static bool fits(const void *context, int ranks) {
  const Sized *x = context;
  double       want, left;
  return bf_memory_fits(x->search->whole, group_bytes(x->search, x->flow, ranks), &want, &left);
}

static void tell_groups(const BfSearch *search, int ranks) {
  const int taking = search->all < search->groups ? (int)search->all : search->groups, idle = search->groups - taking;
  bf_print(search->whole, "%d group%s of %d rank%s%s take%s a start each", taking, taking > 1 ? "s" : "", ranks,
           ranks > 1 ? "s" : "", search->whole->size % ranks && !idle ? ", the last of fewer," : "",
           taking > 1 ? "" : "s");
  if (idle) bf_print(search->whole, ", %d more %s none", idle, idle > 1 ? "find" : "finds");
  bf_print(search->whole, "\n");
}

static BfStatus make_run(BfSearch *search, BfError *error) {
  BfRun   *whole = search->whole;
  MPI_Comm comm;
  MPI_Comm_split(whole->world, search->group, whole->worker, &comm);
  bf_run_create(comm, 0, &search->run, error);
  MPI_Comm_free(&comm);
  error->known = false; /* to one group only */
  BF_TRY(bf_agree(whole->world, error));
  BfRun *run     = search->run;
  run->quiet     = whole->quiet;
  run->silent    = whole->silent;
  run->owner     = whole->owner;
  run->options   = whole->options;
  run->memory    = whole->memory / whole->node_size * run->node_size;
  search->phases = run->phases;
  run->phases    = whole->phases; /* the time of all that this rank does, and rank 0's line */
  return BF_OK;
}

BfStatus bf_search_split(BfSearch *search, BfFlow *flow, BfError *error) {
  BfRun      *whole = search->whole;
  const Sized sized = {search, flow};
  const int   ranks = bf_flow_ranks(whole->size, search->points, (double)flow->all_groups, fits, &sized);
  search->groups    = (whole->size + ranks - 1) / ranks;
  search->group     = whole->worker / ranks;
  if (search->groups == 1) {
    search->run  = whole;
    search->flow = flow;
    return BF_OK;
  }
  BF_TRY(make_run(search, error));
  bf_flow_create(search->run, search->problem, flow->data, &flow->options, &search->own, error);
  error->known = false;
  BF_TRY(bf_agree(whole->world, error));
  search->flow = search->own;
  tell_groups(search, ranks);
  return BF_OK;
}

void bf_search_join(BfSearch *search) {
  bf_flow_destroy(&search->own);
  if (!search->run || search->run == search->whole) return;
  if (search->phases) search->run->phases = search->phases;
  bf_run_destroy(&search->run);
}
