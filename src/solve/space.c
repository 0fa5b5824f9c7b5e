#include "solve/space.h"
#include "run/limits.h"
#include <stdio.h>
#include <string.h>

/* A full space beyond this is taken only where it is asked for: no node of today holds it. */
static const double largest_node = 1e12; /* bytes */

const char *bf_space_name(int i) { return (const char *[]){"full", "reachable", NULL}[i]; }

const char *bf_tables_name(int i) { return (const char *[]){"none", "stored", "auto", NULL}[i]; }

/* Tables and V are shared between the ranks of a node, which may have room elsewhere alone. */
static bool fits(const BfRun *run, const BfFullSize *size, double left) {
  return size->node_bytes <= left && size->node_bytes - size->policies_bytes <= (double)bf_shared_left(run);
}

/* The solve's options as far as they matter for its size: policies are in the file alone where one is written to from
 * the first to the last layer, which rounds of a zoom before the last do not. */
static BfFullOptions options_of(const BfSolveSettings *o, BfBest *best) {
  BfFullOptions options = bf_solve_full_options(o);
  if (o->best) options.best = best;
  options.store_value  = o->store_value && o->writes;
  options.store_policy = o->store_policy && o->writes && !o->zoom;
  return options;
}

static BfStatus check_tables(const BfProblem *problem, const BfSolveSettings *o, double measures, BfError *error) {
  if (o->tables_kind == BF_TABLES_NONE && problem->train.contexts > 1)
    return bf_fail(
        error, BF_BAD_INPUT,
        "option -tables none needs data of one sequence, and these have %lld, whose tables are small beside V",
        (long long)problem->train.contexts);
  if (o->tables_kind == BF_TABLES_STORED && problem->train.contexts == 1 && measures > (double)bf_limits()->narrow)
    return bf_fail(error, BF_BAD_INPUT,
                   "option -tables stored: a table of one sequence holds at most %lld measures, not %.15g",
                   (long long)bf_limits()->narrow, measures);
  return BF_OK;
}

BfStatus bf_space_size(const BfRun *run, const BfProblem *problem, const BfSolveSettings *o, double left,
                       BfFullSize *size, BfError *error) {
  BfBest        best    = {0};
  BfFullOptions options = options_of(o, &best);
  BfFullSize    without;
  options.untabled = o->tables_kind == BF_TABLES_NONE && problem->train.contexts == 1;
  BF_TRY(bf_full_size(run, problem, &options, size, error));
  BF_TRY(check_tables(problem, o, (double)size->measures, error));
  if (o->tables_kind != BF_TABLES_AUTO || problem->train.contexts > 1 || size->measures <= 0) return BF_OK;
  const bool never = problem->horizon == 1 || size->measures > bf_limits()->narrow;
  if (!never && fits(run, size, left)) return BF_OK;
  options.untabled = true;
  BF_TRY(bf_full_size(run, problem, &options, &without, error));
  if (never || without.node_bytes < size->node_bytes) *size = without;
  return BF_OK;
}

BfStatus bf_space_agree(const BfRun *run, const BfProblem *problem, const BfSolveSettings *o, BfFullSize *size,
                        BfError *error) {
  BfSolveSettings none = *o;
  const int       mine = size->untabled;
  int             any;
  MPI_Allreduce(&mine, &any, 1, MPI_INT, MPI_LOR, run->world);
  none.tables_kind = BF_TABLES_NONE;
  return bf_together(run->world, any && !mine ? bf_space_size(run, problem, &none, 0, size, error) : BF_OK, error);
}

/* An option that only the full space has; NULL: none is given. */
static const char *full_option(const BfOptions *given, const BfSolveSettings *o) {
  if (o->stability > 0) return "-stability";
  if (!o->store_value || bf_options_given(given, "store_value")) return "-store_value";
  if (!o->store_policy || bf_options_given(given, "store_policy")) return "-store_policy";
  if (bf_options_given(given, "tables")) return "-tables";
  if (bf_options_given(given, "sync")) return "-sync";
  return NULL;
}

/* -beam needs the reachable space, its own options need -beam. */
static BfStatus check_beam(const BfOptions *given, const BfSolveSettings *o, const char *full, BfError *error) {
  if (o->beam && o->space == BF_SPACE_FULL)
    return bf_fail(error, BF_BAD_INPUT, "option -beam needs the reachable space, and -space is full");
  if (o->beam && full)
    return bf_fail(error, BF_BAD_INPUT, "option -beam needs the reachable space, and %s the full one", full);
  if (o->beam && o->best)
    return bf_fail(error, BF_BAD_INPUT,
                   "option -best needs every measure, and -beam leaves some out: give one of them");
  const char *names[] = {"beam_doublings", "beam_tables"};
  for (int i = 0; i < 2 && !o->beam; i++)
    if (bf_options_given(given, names[i])) return bf_fail(error, BF_BAD_INPUT, "option -%s needs -beam", names[i]);
  return BF_OK;
}

static const char *why_not_numbered(const BfProblem *problem) {
  return problem->cells ? "it has more measures than can be numbered" : "tokens are not quantized";
}

/* work: of the full space, whatever memory there is. */
static void by_work(const BfProblem *problem, double work, BfSpaceChoice *x) {
  const double tables = problem->train.contexts > 1 ? 4 * (double)x->full.tables : 0; /* of one none are needed */
  const double both   = 16 * (double)x->full.measures + tables;
  char         a[BF_HUMAN];
  if (x->full.measures <= 0) {
    x->space = BF_SPACE_REACHABLE;
    snprintf(x->why, sizeof x->why, "there is no full one, %s", why_not_numbered(problem));
  } else if (both > largest_node) {
    x->space = BF_SPACE_REACHABLE;
    snprintf(x->why, sizeof x->why, "the full one would need %s a node", bf_human_bytes(both, a));
  } else {
    x->space = work < x->reachable.work ? BF_SPACE_FULL : BF_SPACE_REACHABLE;
    snprintf(x->why, sizeof x->why,
             "less work by count, %s %.2g exponentials against %s %.2g; -space %s takes the other",
             x->space == BF_SPACE_FULL ? "about" : "at most", x->space == BF_SPACE_FULL ? work : x->reachable.work,
             x->space == BF_SPACE_FULL ? "at most" : "about", x->space == BF_SPACE_FULL ? x->reachable.work : work,
             bf_space_name(1 - (int)x->space));
  }
}

BfStatus bf_space_choose(const BfRun *run, const BfProblem *problem, const BfSolveSettings *o, double left,
                         BfSpaceChoice *x, BfError *error) {
  const char *option = full_option(run->options, o);
  *x                 = (BfSpaceChoice){.space = o->space == BF_SPACE_REACHABLE ? BF_SPACE_REACHABLE : BF_SPACE_FULL};
  BF_TRY(check_beam(run->options, o, option, error));
  const BfReachableOptions beam = bf_solve_reachable_options(o);
  BF_TRY(bf_space_size(run, problem, o, left, &x->full, error));
  BF_TRY(bf_reachable_size(problem, &beam, &x->reachable, error));
  if (option && (x->space == BF_SPACE_REACHABLE || x->full.measures <= 0))
    return bf_fail(error, BF_BAD_INPUT, "option %s needs the full space, %s%s", option,
                   x->space == BF_SPACE_REACHABLE ? "and -space is reachable" : "and there is none: ",
                   x->space == BF_SPACE_REACHABLE ? "" : why_not_numbered(problem));
  if (o->space >= 0) return BF_OK;
  if (o->beam) {
    x->space = BF_SPACE_REACHABLE;
    snprintf(x->why, sizeof x->why, "-beam needs it");
  } else if (option) snprintf(x->why, sizeof x->why, "%s needs it", option);
  else {
    const BfFullOptions options = {.untabled = problem->train.contexts == 1 &&
                                               (problem->horizon == 1 || x->full.measures > bf_limits()->narrow)};
    BfFullSize          full;
    BF_TRY(bf_full_size(run, problem, &options, &full, error));
    by_work(problem, full.work, x);
    if (x->space == BF_SPACE_FULL && x->full.untabled && !full.untabled)
      strcat(x->why, "; counted with tables, which do not fit here");
    x->by_work = true;
  }
  return BF_OK;
}

static BfStatus check_full(const BfSpaceChoice *x, double left, BfError *error) {
  const BfFullSize *size = &x->full;
  char              a[BF_HUMAN], b[BF_HUMAN], c[BF_HUMAN];
  if (size->measures <= 0 || size->node_bytes <= left) return BF_OK; /* one without numbers was refused when chosen */
  return bf_fail(
      error, BF_BAD_INPUT,
      "the full space%s has %lld measures and needs %s a node, %s are free: -space reachable needs memory "
      "for the measures that are reached alone (at most %s); or fewer quantize.cells or quantize.atoms%s%s%s",
      x->by_work ? ", chosen by counted work," : "", (long long)size->measures, bf_human_bytes(size->node_bytes, a),
      bf_human_bytes(left, b),
      bf_human_count(bf_reachable_most(&x->reachable, x->reachable.horizon - 1), (char[BF_HUMAN]){0}),
      size->untabled ? "" : ", or fewer actions (tables: ", size->untabled ? "" : bf_human_bytes(size->tables_bytes, c),
      size->untabled ? "" : ")");
}

/* What is certain: one measure a layer, whose successors all merge into one. */
static BfStatus check_reachable(const BfSpaceChoice *x, double left, BfError *error) {
  const double least = bf_reachable_layer_bytes(&x->reachable, 0, 1, 1) * (x->reachable.horizon > 1) +
                       bf_reachable_kept_bytes(&x->reachable, 0, 1) * (x->reachable.horizon - 1);
  char a[BF_HUMAN], b[BF_HUMAN];
  if (least <= left) return BF_OK;
  return bf_fail(error, BF_BAD_INPUT,
                 "the successors of the data alone, under %.4g actions, need %s, %s are free: fewer actions, a horizon "
                 "of 1, or a node with more memory",
                 x->reachable.actions, bf_human_bytes(least, a), bf_human_bytes(left, b));
}

BfStatus bf_space_check(const BfRun *run, const BfSpaceChoice *x, BfError *error) {
  const double left = bf_memory_least(run);
  return bf_together(run->world,
                     x->space == BF_SPACE_FULL ? check_full(x, left, error) : check_reachable(x, left, error), error);
}
