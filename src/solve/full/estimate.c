/* The time of a solve in the full space. */
#include "run/limits.h"
#include "solve/full/sample.h"
#include "solve/full/solver.h"
#include <math.h>

enum { GROUPS = 16 };                      /* of a sweep that are sampled */
static const double whole_tables  = 0.5;   /* seconds of tables that are filled to sample sweeps with them */
static const double guessed_value = 3e-10; /* seconds of a Q-value where they are not */

/* ---- what is filled before the sweeps --------------------------------------------------------------------------- */

/* Seconds that a rank fills the tables of all shapes: of this run, and of the machine, whose nodes then exchange them.
 * last: of the last shape. */
typedef struct {
  double        here, there;
  BfTableSample last;
} TableSeconds;

static BfStatus tables(BfFullSample *x, const BfMachine *m, TableSeconds *seconds, BfError *error) {
  for (int i = 0; i < x->space.shapes; i++) {
    const int64_t s      = x->space.shape[i];
    const double  blocks = (double)x->actions.blocks;
    BfTableSample t;
    BF_TRY(bf_sample_table(x, s, &t, error));
    const double units = (double)t.way.units, shared = t.way.images_bytes ? t.start : 0, alone = t.start - shared;
    seconds->here += blocks * (shared / x->run->node_size + alone + t.unit * units / x->run->size);
    seconds->there += blocks * (shared / m->node_ranks + alone + t.unit * bf_most_dealt(units, m->ranks));
    seconds->there += bf_reduction_of_nodes(m, 4 * (double)x->space.context[s].measures * (double)x->problem->actions);
    seconds->last = t;
  }
  return BF_OK;
}

static BfStatus costs(BfFullSample *x, const BfMachine *m, double *seconds, BfError *error) {
  double *each;
  BF_TRY(BF_NEW(&each, x->space.shapes, error));
  BfStatus status = BF_OK;
  for (int i = 0; i < x->space.shapes && status == BF_OK; i++)
    status = bf_sample_costs(x, x->space.shape[i], &each[i], error);
  *seconds = 0;
  for (int64_t s = 0; s < x->space.contexts; s++)
    *seconds += (double)x->space.context[s].measures * each[x->space.context[s].shape];
  *seconds *= (double)x->problem->cost.readouts / m->node_ranks;
  bf_free(each);
  return status;
}

/* Every rank looks through all columns for equal ones. */
static double comparing(const BfFullSample *x) {
  enum { ENTRIES = 1 << 22 };
  double   entries = 0;
  uint64_t hash    = 0;
  for (int i = 0; i < x->space.shapes; i++) entries += (double)x->space.context[x->space.shape[i]].measures;
  const double begin = bf_seconds();
  for (uint32_t i = 0; i < ENTRIES; i++) hash = (hash ^ i) * 0x100000001b3u;
  const volatile uint64_t kept = hash;
  (void)kept;
  return (bf_seconds() - begin) / ENTRIES * entries * (double)x->problem->actions;
}

/* ---- sweeps over several contexts, with the real tables --------------------------------------------------------- */

/* Fill the rows of V_T that the successors of a group lie in, and their minima. */
static void fill_rows(const BfFull *x, int64_t group, double *V, unsigned char *filled) {
  const BfWalk *walk  = &x->plan.walk;
  const int64_t outer = group / x->plan.groups_outer, block = walk->mids > 1 ? group % x->plan.groups_outer : 0;
  double       *least = x->sweep.least.base;
  bf_plan_base(&x->plan, outer, x->sweep.base);
  for (int64_t a = 0; a < walk->actives; a++)
    for (int32_t i = 0; i < walk->images[a * walk->blocks + block]; i++) {
      const int64_t start = x->sweep.base[a] + walk->image[a * walk->mids + block * walk->block_mids + i] * walk->lanes,
                    row   = start / walk->lanes;
      if (filled[row]) continue;
      filled[row] = 1;
      bf_terminal_tables_fill(&x->terminal, &x->space, start, start + walk->lanes, V);
      least[row] = INFINITY;
      for (int64_t l = 0; l < walk->lanes; l++) least[row] = fmin(least[row], V[start + l]);
    }
}

/* Seconds of a Q-value in a middle layer, and in the last. V_T stands for the V of all layers. */
static BfStatus sweeps(BfFull *x, double value[2], BfError *error) {
  const int64_t  M = x->space.measures, rows = x->plan.outers * x->plan.walk.mids;
  double        *next = bf_sparse_create(8 * M, error), *V = bf_sparse_create(8 * M, error);
  int32_t       *k         = bf_sparse_create(4 * M, error);
  unsigned char *filled    = bf_sparse_create(rows, error);
  double         values[2] = {0}, seconds[2] = {0};
  BfStatus       status = next && V && k && filled ? BF_OK : error->status;
  for (int64_t i = 0; i < GROUPS && status == BF_OK; i++) {
    const int64_t group = (2 * i + 1) * x->plan.groups / (2 * GROUPS), start = bf_plan_start(&x->plan, group);
    fill_rows(x, group, next, filled);
    for (int last = 0; last < 2; last++) {
      MPI_Barrier(x->run->world);
      const double begin = bf_seconds();
      bf_sweep_group(&x->sweep, last ? &x->terminal : NULL, group, next, V + start, k + start);
      seconds[last] += bf_seconds() - begin;
      values[last] += (double)(bf_plan_start(&x->plan, group + 1) - start) * (double)x->plan.walk.actives;
    }
  }
  for (int last = 0; last < 2; last++) value[last] = seconds[last] / values[last];
  bf_sparse_destroy(next, 8 * M);
  bf_sparse_destroy(V, 8 * M);
  bf_sparse_destroy(k, 4 * M);
  bf_sparse_destroy(filled, rows);
  return status;
}

static BfStatus make_state(BfFullSample *sample, BfFull *x, BfError *error) {
  double most = 0;
  x->run      = sample->run;
  x->problem  = sample->problem;
  BF_TRY(bf_together(x->run->world, bf_full_space_create(x->problem, &x->space, error), error));
  BF_TRY(bf_together(x->run->world, bf_action_parameters_create(x->problem, &x->actions, error), error));
  for (int64_t k = 0; k < x->problem->actions; k++) most = fmax(most, x->actions.stage[k]);
  BF_TRY(bf_terminal_tables_create(x->run, &x->space, &x->terminal, error));
  return bf_tables_create(x->run, &x->space, &x->actions, x->terminal.bound + x->problem->horizon * most, NULL,
                          &x->tables, error);
}

/* The part of the groups that the busiest rank sweeps. */
static double busiest(const BfPlan *plan, int ranks, double pieces) {
  return pieces * bf_most_dealt((double)plan->groups / pieces, ranks) / (double)plan->groups;
}

/* The sweeps by the machine's ranks, as its plan cuts them. */
static BfStatus estimate_sweeps(BfFull *x, const BfFullOptions *options, const BfMachine *m, BfEstimate *e,
                                BfError *error) {
  const int T     = x->problem->horizon;
  double    begin = bf_seconds(), value[2];
  BF_TRY(
      bf_together(x->run->world, bf_plan_create(&x->space, &x->tables, &x->actions, m->ranks, &x->plan, error), error));
  BF_TRY(bf_sweep_create(x->run, &x->plan, &x->tables, &x->terminal, 0, &x->sweep, error));
  bf_estimate_add(x->run, e, "plan", bf_seconds() - begin);
  BF_TRY(bf_together(x->run->world, sweeps(x, value, error), error));
  const double M = (double)x->space.measures, pieces = bf_sweep_pieces(&x->plan, m->ranks),
               values = M * (double)x->plan.walk.actives * busiest(&x->plan, m->ranks, pieces);
  bf_estimate_add(x->run, e, "sweeps", values * ((T - 1) * value[0] + value[1]));
  if (m->nodes > 1)
    bf_estimate_add(x->run, e, "reduction",
                    (T - 1) * bf_exchange_seconds(options->sync, m, M, pieces, values * value[0]) +
                        bf_exchange_seconds(options->sync, m, M, pieces, values * value[1]));
  return BF_OK;
}

static BfStatus estimate_contexts(BfFullSample *sample, const BfFullOptions *options, const BfMachine *m, double table,
                                  BfEstimate *e, BfError *error) {
  const bool same  = m->ranks == sample->run->size && m->nodes == sample->run->nodes;
  BfFull     x     = {0};
  double     begin = bf_seconds();
  BfStatus   status;
  BF_GOTO(make_state(sample, &x, error));
  bf_estimate_add(sample->run, e, "tables", same ? bf_seconds() - begin : table);
  status = estimate_sweeps(&x, options, m, e, error);
done:
  bf_full_clear(&x);
  return status;
}

/* ---- all -------------------------------------------------------------------------------------------------------- */

/* Pieces of a sweep without tables, each of which begins each block of actions. */
static double untabled_pieces(const BfFullSample *x, const BfMachine *m, const BfTableWay *way) {
  const BfPlan plan = {.space       = &x->space,
                       .walk        = {.actives = x->problem->actions},
                       .groups      = (x->space.measures + BF_LANE_BLOCK - 1) / BF_LANE_BLOCK,
                       .least_piece = bf_untabled_piece(&x->space, way, m->nodes, m->ranks)};
  return bf_sweep_pieces(&plan, m->ranks);
}

/* Seconds of it on a core: of a Q-value with its entry, and of its share of what blocks begin with. */
static double untabled_value(const BfFullSample *x, const BfMachine *m, const BfUntabledSeconds *each, double pieces) {
  return each->entry + each->value + each->start * pieces * m->ranks / (BF_LANES * (double)x->space.measures);
}

/* What a Q-value takes with tables: where they can be. */
static BfStatus sample_tabled(BfFullSample *x, const BfMachine *m, TableSeconds *table, BfValueSeconds *value,
                              BfError *error) {
  if (x->space.measures > bf_limits()->narrow) return BF_OK;
  tables(x, m, table, error);
  BF_TRY(bf_agree(x->run->world, error));
  bf_sample_gather(x, &table->last, &value->tabled, error);
  BF_TRY(bf_agree(x->run->world, error));
  value->entry =
      (table->last.start + table->last.unit * (double)table->last.way.units) / (BF_LANES * (double)x->space.measures);
  return BF_OK;
}

/* One context: with tables or without, and what a Q-value takes either way. */
static BfStatus estimate_one(BfFullSample *x, const BfFullOptions *options, const BfMachine *m, BfEstimate *e,
                             BfValueSeconds *value, BfError *error) {
  const double M = (double)x->space.measures, T = x->problem->horizon,
               values     = bf_most_dealt(M, m->ranks) * (double)x->problem->actions;
  TableSeconds      table = {0};
  BfTableWay        way;
  BfUntabledSeconds each;
  double            cost;
  costs(x, m, &cost, error);
  BF_TRY(bf_agree(x->run->world, error));
  BF_TRY(sample_tabled(x, m, &table, value, error));
  BF_TRY(bf_sample_untabled(x, &way, &each, error));
  each.start *= way.images_bytes ? (double)x->run->node_size / m->node_ranks : 1;
  const double pieces = options->untabled ? untabled_pieces(x, m, &way) : 1;
  value->untabled     = untabled_value(x, m, &each, untabled_pieces(x, m, &way));
  bf_estimate_add(x->run, e, "terminal costs", cost);
  if (!options->untabled) bf_estimate_add(x->run, e, "tables", table.there + comparing(x));
  const double sweep = values * (options->untabled ? value->untabled : value->tabled);
  bf_estimate_add(x->run, e, "sweeps", T * sweep);
  if (m->nodes > 1)
    bf_estimate_add(x->run, e, "reduction", T * bf_exchange_seconds(options->sync, m, M, pieces, sweep));
  return BF_OK;
}

static BfStatus estimate_parts(BfFullSample *x, const BfFullOptions *options, const BfMachine *m, BfEstimate *e,
                               BfError *error) {
  const BfProblem *problem = x->problem;
  const double     M = (double)x->space.measures, T = problem->horizon,
               values = bf_most_dealt(M, m->ranks) * (double)problem->actions;
  TableSeconds table  = {0};
  double       cost   = 0;
  costs(x, m, &cost, error);
  if (error->status == BF_OK) tables(x, m, &table, error);
  BF_TRY(bf_agree(x->run->world, error));
  table.there += comparing(x);
  double slowest = table.here;
  MPI_Allreduce(MPI_IN_PLACE, &slowest, 1, MPI_DOUBLE, MPI_MAX, x->run->world);
  if (slowest < whole_tables && M < 0x1p40) return estimate_contexts(x, options, m, cost + table.there, e, error);
  bf_estimate_add(x->run, e, "terminal costs", cost);
  bf_estimate_add(x->run, e, "tables", table.there);
  e->rough = true;
  bf_estimate_add(x->run, e, "sweeps", T * values * guessed_value);
  if (m->nodes > 1)
    bf_estimate_add(x->run, e, "reduction", T * bf_exchange_seconds(options->sync, m, M, 1, values * guessed_value));
  return BF_OK;
}

BfStatus bf_full_estimate(BfRun *run, const BfProblem *problem, const BfFullOptions *options, const BfMachine *machine,
                          BfEstimate *e, BfValueSeconds *value, BfError *error) {
  BfFullSample x;
  BfMachine    own;
  *e     = (BfEstimate){0};
  *value = (BfValueSeconds){0};
  if (!machine) bf_machine_of_run(run, &own);
  else own = *machine;
  bf_full_sample_create(run, problem, &x, error);
  BfStatus status = bf_agree(run->world, error);
  if (status == BF_OK)
    status = x.space.contexts == 1 ? estimate_one(&x, options, &own, e, value, error)
                                   : estimate_parts(&x, options, &own, e, error);
  bf_full_sample_clear(&x);
  return status;
}
