/* Groups of ranks, each of which minimizes from one start at a time. */
#include "flow/search.h"
#include "run/phases.h"
#include <math.h>

/* Bytes that a rank of a group takes beside what every rank has: what its share of an evaluation adds up, and of a
 * leader the log of a start. */
static double group_bytes(const BfSearch *search, const BfFlow *flow, int ranks) {
  const double row = 8 * (double)(BF_LOG_HEAD + search->n);
  return row * (ceil((double)flow->all_groups / ranks) + search->most / ranks);
}

/* Of the divisors of the number of ranks that of fewest turns whose memory fits; the least of them, since ranks of a
 * group wait for each other. */
static int choose(const BfSearch *search, const BfFlow *flow) {
  const int    size   = search->whole->size;
  int          best   = size;
  const double blocks = (double)flow->all_groups;
  double       want, left;
  for (int ranks = size - 1; ranks > 0 && search->all > 1; ranks--) {
    if (size % ranks) continue;
    if (!bf_memory_fits(search->whole, group_bytes(search, flow, ranks), &want, &left)) continue;
    if (bf_flow_turns(size, search->all, blocks, ranks) <= bf_flow_turns(size, search->all, blocks, best)) best = ranks;
  }
  return best;
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
  BfRun        *whole = search->whole;
  const int64_t given = search->points->ranks;
  const int     ranks = !given ? choose(search, flow) : given < whole->size ? (int)given : whole->size;
  search->groups      = (whole->size + ranks - 1) / ranks;
  search->group       = whole->worker / ranks;
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
  bf_print(whole, "%d groups of %d rank%s%s take a start each\n", search->groups, ranks, ranks > 1 ? "s" : "",
           whole->size % ranks ? ", the last of fewer," : "");
  return BF_OK;
}

void bf_search_join(BfSearch *search) {
  bf_flow_destroy(&search->own);
  if (!search->run || search->run == search->whole) return;
  if (search->phases) search->run->phases = search->phases;
  bf_run_destroy(&search->run);
}
