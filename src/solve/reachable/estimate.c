/* The time of a solve in the reachable space, at most: by expanding and costing the data's own measure. */
#include "run/limits.h"
#include "solve/reachable/merge.h"
#include <math.h>

enum { MOST_SET = 1 << 24 }; /* bytes of the measures that merging is sampled with */
static const double moment = 0.05;

typedef struct {
  double expand, merge, sort, cost; /* seconds of a successor */
} Rates;

/* Twice as many actions each time, as they share parts of a layer, until a moment is over; the rate is that of the last
 * call. */
static BfStatus sample_expansion(BfReachable *x, double *each, BfError *error) {
  const int64_t  K = x->problem->actions, fits = MOST_SET / x->measures.bytes / BF_LANES * BF_LANES;
  const int64_t  most = fits < BF_LANES ? BF_LANES : fits < K ? fits : K;
  unsigned char *out;
  BfStatus       status = BF_OK;
  BF_TRY(BF_NEW(&out, most * x->measures.bytes, error));
  double spent = 0;
  for (int64_t count = BF_LANES; spent < moment && status == BF_OK; count *= 2) {
    if (count > most) count = most;
    const double begin = bf_seconds();
    status             = bf_reachable_expand(x, x->layer[0].measure, 0, count < K ? count : K, out, error);
    spent += bf_seconds() - begin;
    *each = (bf_seconds() - begin) / (double)(count < K ? count : K);
  }
  bf_free(out);
  return status;
}

static BfStatus sample_costs(BfReachable *x, double *each, BfError *error) {
  const int64_t K = x->problem->actions, most = x->actions.blocks;
  double       *total, spent                  = 0;
  BfStatus      status = BF_OK;
  BF_TRY(BF_NEW(&total, x->problem->cost.readouts * most * BF_LANES, error));
  for (int64_t blocks = 1; spent < moment && status == BF_OK; blocks *= 2) {
    if (blocks > most) blocks = most;
    const double begin = bf_seconds();
    status             = bf_reachable_cost(x, x->layer[0].measure, 0, blocks, total, error);
    spent += bf_seconds() - begin;
    *each = (bf_seconds() - begin) / (double)(blocks * BF_LANES < K ? blocks * BF_LANES : K);
  }
  bf_free(total);
  return status;
}

/* Distinct measures as a message brings them: copied, hashed twice, inserted, sorted. */
static BfStatus sample_merging(BfReachable *x, unsigned char *measure, Rates *r, BfError *error) {
  const int64_t bytes = x->measures.bytes;
  BfMeasureSet  set   = {0};
  int64_t       number, *position = NULL;
  double        spent = 0;
  BfStatus      status;
  BF_GOTO(bf_measure_set_create(&x->measures, &set, error));
  const double begin = bf_seconds();
  for (int64_t i = 0; spent < moment && i * bytes < MOST_SET && status == BF_OK; i++) {
    memcpy(measure, &i, sizeof i < (size_t)bytes ? sizeof i : (size_t)bytes);
    memcpy(measure + bytes, measure, (size_t)bytes);
    memcpy(measure + 2 * bytes, measure + bytes, (size_t)bytes);
    number = (int64_t)bf_measures_hash(&x->measures, measure);
    status = bf_measure_set_insert(&set, measure + 2 * bytes, &number, error);
    if (i % 64 == 0) spent = bf_seconds() - begin;
  }
  BF_GOTO(status);
  r->merge          = (bf_seconds() - begin) / (double)set.count;
  const double from = bf_seconds();
  BF_GOTO(bf_measure_set_sort(&set, &position, error));
  r->sort = (bf_seconds() - from) / (double)set.count;
done:
  bf_free(position);
  bf_measure_set_clear(&set);
  return status;
}

static BfStatus sample(BfReachable *x, Rates *r, BfError *error) {
  unsigned char *measure;
  BF_TRY(sample_expansion(x, &r->expand, error));
  BF_TRY(BF_NEW(&measure, 3 * x->measures.bytes, error));
  const BfStatus status = sample_merging(x, measure, r, error);
  bf_free(measure);
  BF_TRY(status);
  return sample_costs(x, &r->cost, error);
}

/* Successors of the rank that has most measures of a layer. */
static double busiest(const BfReachable *x, const BfMachine *m, int t) {
  return bf_most_hashed(bf_reachable_most(&x->size, t), m->ranks) * x->size.actions;
}

/* Seconds that ranks send each other a layer's successors, and their numbers back, round by round. */
static double sending(const BfReachable *x, const BfMachine *m, int t) {
  const double pairs = busiest(x, m, t), bytes = (double)x->measures.bytes,
               batch  = fmin(fmin((double)bf_limits()->batch_pairs, (double)bf_limits()->batch_bytes / bytes),
                             bf_limits()->piece_terms / bf_reachable_terms(x->problem)),
               rounds = ceil(pairs / fmax(batch, BF_LANES)), agreements = 4;
  return rounds * (2 * bf_exchange_of_ranks(m, pairs / rounds * (bytes + 8) / 2) +
                   bf_exchange_of_ranks(m, 4.0 * m->ranks) + agreements * bf_reduction_of_ranks(m, m->ranks, 8));
}

/* Tables of contexts alone: expansions of one context, and sweeps. Where all have one, successors and costs are looked
 * up. */
static void add_tables(const BfReachable *x, const BfMachine *m, Rates *r, BfRun *run, BfEstimate *e) {
  const double contexts = (double)x->problem->train.contexts, look_up = 2e-9, node_ranks = (double)m->ranks / m->nodes,
               swept = fmin(x->size.all_tables, x->size.tables * contexts) * x->problem->horizon;
  bf_estimate_add(run, e, "tables of contexts alone",
                  (x->size.tables * r->expand / contexts + swept * look_up) / node_ranks);
  if (x->size.tables <= 0 || x->size.tables < x->size.all_tables) return;
  r->expand = r->cost = contexts * look_up;
}

BfStatus bf_reachable_estimate(BfRun *run, const BfProblem *problem, const BfReachableOptions *options,
                               const BfMachine *machine, BfEstimate *e, BfError *error) {
  const int        T      = problem->horizon;
  double           expand = 0, merge = 0, send = 0, reduce = 0;
  BfMachine        own;
  const BfMachine *m = machine ? machine : &own;
  BfReachable      x;
  Rates            r = {0};
  BfStatus         status;
  *e = (BfEstimate){.at_most = true};
  if (!machine) bf_machine_of_run(run, &own);
  bf_reachable_start(run, problem, options, NULL, &x, error);
  BF_GOTO(bf_agree(run->world, error));
  sample(&x, &r, error);
  BF_GOTO(bf_agree(run->world, error));
  if (x.size.beam > 0) add_tables(&x, m, &r, run, e);
  for (int t = 0; t < T - 1; t++) {
    expand += busiest(&x, m, t) * r.expand;
    merge += busiest(&x, m, t) * (r.merge + r.sort) + bf_reachable_most(&x.size, t) * x.size.actions * 2e-9 / m->ranks;
    send += sending(&x, m, t);
    reduce += bf_reduction_of_nodes(m, 8 * bf_reachable_most(&x.size, t + 1));
  }
  const double runs = x.size.runs;
  if (T > 1) bf_estimate_add(run, e, "expansion", runs * expand);
  if (T > 1) bf_estimate_add(run, e, "merging", runs * merge);
  if (T > 1 && m->ranks > 1) bf_estimate_add(run, e, "sending", runs * send);
  if (T > 1 && m->nodes > 1) bf_estimate_add(run, e, "reduction", runs * reduce);
  bf_estimate_add(run, e, "costs of the last layer", runs * busiest(&x, m, T - 1) * r.cost);
done:
  bf_reachable_clear(&x);
  return status;
}
