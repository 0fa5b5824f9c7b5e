/* What `info` tells of a solve. */
#include "solve/covering.h"
#include "solve/trainer.h"
#include <math.h>
#include <stdio.h>

typedef char Text[BF_HUMAN];

enum { COLUMN = 18, TOLD_LAYERS = 8 };

static int nodes_of(const BfInfo *x) { return x->machine ? x->machine->nodes : x->run->nodes; }

/* What follows the training: how densely the actions lie, where that is asked for, and what follows every training. */
static BfStatus ends(const BfInfo *x, const BfSolveSettings *o, const char *bound, double bytes, const char *parts,
                     BfEstimate *e, BfError *error) {
  const int ranks = x->machine ? x->machine->ranks : x->run->size;
  double    seconds;
  if (o->covering) {
    BF_TRY(bf_together(x->run->world, bf_covering_estimate(x->problem, o->covering, ranks, &seconds, error), error));
    bf_estimate_add(x->run, e, "covering radius", seconds);
  }
  return bf_info_ends(x, bound, bytes, parts, e, error);
}

/* ---- rounds of a zoom -------------------------------------------------------------------------------------------- */

/* A later round: it has the most actions that it may have. */
typedef struct {
  BfProblem       problem;
  BfFullSize      full;
  BfReachableSize reachable;
} Later;

static void find_later(const BfInfo *x, const BfSolveSettings *o, Later *later) {
  const BfProblem *p       = x->problem;
  const double     centres = (o->best ? (double)o->best : 1) * p->horizon, most = bf_zoom_most_up_to(p, centres);
  later->problem = *p;
  if (o->best)
    bf_print(x->run,
             "  best               the search for %lld open loops is not counted, neither its time nor its memory\n",
             (long long)o->best);
  if (!o->zoom) return;
  later->problem.actions = most < 0x1p31 ? (int64_t)most : INT64_C(1) << 31;
  bf_print(x->run, "  zoom               %lld round%s more, of at most %.4g actions around at most %.4g controls\n",
           (long long)o->zoom, o->zoom > 1 ? "s" : "", most, centres);
}

static BfStatus size_later(const BfInfo *x, const BfSolveSettings *o, double left, Later *later, BfError *error) {
  const BfReachableOptions beam = bf_solve_reachable_options(o);
  BF_TRY(bf_space_size(x->run, &later->problem, o, left, &later->full, error));
  return bf_reachable_size(&later->problem, &beam, &later->reachable, error);
}

/* As long as the first solve for as much work. */
static void add_rounds(const BfInfo *x, const BfSolveSettings *o, double work, BfEstimate *e) {
  if (!o->zoom) return;
  bf_estimate_add(x->run, e, "zoom", (double)o->zoom * work * bf_estimate_seconds(e));
  e->at_most = true;
}

/* ---- the full space --------------------------------------------------------------------------------------------- */

/* What would fit, one thing changed at a time. */
static void print_full_fits(const BfInfo *x, const BfFullSize *size, double left) {
  const BfProblem *p = x->problem;
  const int        d = p->layer.dim;
  const double     n = (double)bf_cells_count(p->cells), K = (double)p->actions;
  int              atoms = 0;
  char             text[512];
  int              at = 0;
  for (int64_t s = 0; s < p->train.contexts; s++)
    for (int g = 0; g < p->context[s].tags; g++)
      if (p->context[s].first[g + 1] - p->context[s].first[g] > atoms)
        atoms = p->context[s].first[g + 1] - p->context[s].first[g];
  double axis = floor(pow(n, 1.0 / d) + 1e-9), fewer = K;
  int    less = atoms;
  while (axis > 1 && bf_full_bytes(p, size, pow(axis, d), atoms, K) > left) axis--;
  while (less > 0 && bf_full_bytes(p, size, n, less, K) > left) less--;
  while (fewer >= 1 && bf_full_bytes(p, size, n, atoms, fewer) > left) fewer = floor(fewer / 2);
  if (axis > 1 && pow(axis, d) < n)
    at += snprintf(text + at, sizeof text - (size_t)at, "quantize.cells of %g an axis; ", axis);
  if (less > 0 && less < atoms) at += snprintf(text + at, sizeof text - (size_t)at, "quantize.atoms of %d; ", less);
  if (fewer >= 1 && fewer < K) at += snprintf(text + at, sizeof text - (size_t)at, "%g actions; ", fewer);
  if (p->train.contexts == 1 && !size->untabled) at += snprintf(text + at, sizeof text - (size_t)at, "-tables none; ");
  snprintf(text + at, sizeof text - (size_t)at, "-space reachable, see there");
  bf_print(x->run, "  would fit          %s\n", text);
}

/* Of one sequence: whether there are tables, and what the two ways take. */
static void print_tables(const BfInfo *x, const BfSolveSettings *o, const BfFullSize *size,
                         const BfValueSeconds *each) {
  const char *why = o->tables_kind != BF_TABLES_AUTO ? "as -tables says"
                    : !size->untabled                ? "they fit, and serve every layer"
                    : x->problem->horizon == 1       ? "there is one layer"
                                                     : "tables do not fit into memory, or shared memory, here";
  if (x->problem->train.contexts > 1) return;
  bf_print(x->run, "  %-*s %s: %s\n", COLUMN, "tables", size->untabled ? "none" : "stored", why);
  if (each->tabled > 0)
    bf_print(x->run, "  %-*s on a core about %.2g ns with tables, whose entries take %.2g ns, once; %.2g ns without\n",
             COLUMN, "a Q-value", 1e9 * each->tabled, 1e9 * each->entry, 1e9 * each->untabled);
  else bf_print(x->run, "  %-*s on a core about %.2g ns\n", COLUMN, "a Q-value", 1e9 * each->untabled);
}

static BfStatus full(const BfInfo *x, const BfSolveSettings *o, const BfFullSize *size, const BfFullSize *later,
                     BfError *error) {
  const BfFullSize *most = later->node_bytes > size->node_bytes ? later : size; /* rounds of a zoom */
  const double      left = bf_info_memory_left(x), policies = most->policies_bytes * x->run->nodes / nodes_of(x),
               bytes = most->tables_bytes + most->V_bytes + policies + bf_info_program_bytes(x),
               file  = o->store_value * size->value_bytes + o->store_policy * size->policy_bytes;
  Text           a, b, c, d;
  char           parts[200];
  BfEstimate     e;
  BfValueSeconds each;
  BfFullOptions  options = bf_solve_full_options(o);
  bf_print(x->run, "full space: %lld measures, %s Q-values, %s table entries in %lld shape%s\n",
           (long long)size->measures, bf_human_count(size->q_values, a), bf_human_count((double)size->tables, b),
           (long long)size->shapes, size->shapes > 1 ? "s" : "");
  snprintf(parts, sizeof parts,
           " (tables and costs %s, two layers of V %s, policies and rows for checkpoints %s, the program %s)",
           bf_human_bytes(most->tables_bytes, a), bf_human_bytes(most->V_bytes, b), bf_human_bytes(policies, c),
           bf_human_bytes(bf_info_program_bytes(x), d));
  bf_info_memory(x, "", bytes, left, parts);
  if (bytes > left) print_full_fits(x, size, left);
  snprintf(parts, sizeof parts, " (/value %s, /policy %s)",
           o->store_value ? bf_human_bytes(size->value_bytes, a) : "left out",
           o->store_policy ? bf_human_bytes(size->policy_bytes, b) : "left out");
  options.untabled = size->untabled;
  BF_TRY(bf_full_estimate(x->run, x->problem, &options, x->machine, &e, &each, error));
  print_tables(x, o, size, &each);
  add_rounds(x, o, later->work / size->work, &e);
  BF_TRY(ends(x, o, "about ", file, parts, &e, error));
  bf_info_time(x, &e);
  return BF_OK;
}

/* ---- the reachable space ---------------------------------------------------------------------------------------- */

static void print_layers(const BfInfo *x, const BfReachableSize *size) {
  for (int t = 0; t < size->horizon; t++) {
    if (t == TOLD_LAYERS - 1 && size->horizon > TOLD_LAYERS) {
      bf_print(x->run, "  ...\n");
      t = size->horizon - 1;
    }
    const double here = bf_reachable_most(size, t), next = bf_reachable_most(size, t + 1);
    char         name[24];
    Text         a, b;
    snprintf(name, sizeof name, "layer %d", t);
    bf_print(x->run, "  %-*s %s%.4g measure%s: %s while %s, %s stay\n", COLUMN, name, t ? "at most " : "", here,
             here > 1 ? "s" : "", bf_human_bytes(bf_reachable_layer_bytes(size, t, here, next), a),
             t < size->horizon - 1 ? "successors are found" : "it is costed",
             bf_human_bytes(bf_reachable_kept_bytes(size, t, here), b));
  }
}

/* What fits even if nothing merges. */
static void print_reachable_fits(const BfInfo *x, const BfReachableSize *size, double left, double program) {
  BfReachableSize less = *size;
  const double    room = (left - program) * nodes_of(x), peak = bf_reachable_peak_bytes(size);
  char            text[256];
  int             at = 0;
  if (room <= 0) return;
  while (less.horizon > 1 && bf_reachable_peak_bytes(&less) > room) less.horizon--;
  if (bf_reachable_peak_bytes(&less) <= room)
    at += snprintf(text + at, sizeof text - (size_t)at, "a horizon of %d; ", less.horizon);
  less = *size;
  while (less.beam > 1 && bf_reachable_peak_bytes(&less) > room) less.most = less.beam = floor(less.beam / 2);
  if (less.beam > 0 && bf_reachable_peak_bytes(&less) <= room)
    at += snprintf(text + at, sizeof text - (size_t)at, "a beam of %g; ", less.beam);
  less = *size;
  while (less.actions > 1 && bf_reachable_peak_bytes(&less) > room) less.actions = floor(less.actions * 0.9);
  at += snprintf(text + at, sizeof text - (size_t)at, "%g actions; ", less.actions);
  if (ceil(peak / (left - program)) < 1e6)
    at += snprintf(text + at, sizeof text - (size_t)at, "%g nodes like this; ", ceil(peak / (left - program)));
  bf_print(x->run, "  would fit surely   %smore where measures merge: a run that outgrows memory keeps a checkpoint\n",
           text);
}

static BfStatus reachable(const BfInfo *x, const BfSolveSettings *o, const BfReachableSize *size,
                          const BfReachableSize *later, BfError *error) {
  const double program = bf_info_program_bytes(x), left = bf_info_memory_left(x),
               peak = bf_reachable_peak_bytes(later) / nodes_of(x);
  double     file   = 0;
  Text       a, b;
  BfEstimate e;
  bf_print(x->run, "reachable space: at most %s successors merged, %s costed\n", bf_human_count(size->expanded, a),
           bf_human_count(size->costed, b));
  print_layers(x, size);
  for (int t = 0; t < size->horizon; t++)
    file += later->beam > 0 ? bf_reachable_most(later, t) * ((double)later->measure_bytes + 12)
                            : bf_reachable_kept_bytes(later, t, bf_reachable_most(later, t));
  if (later->beam > 0)
    bf_print(x->run, "  %-*s at most %s a node, beside the sets of their measures, which every rank holds\n", COLUMN,
             "tables of beam", bf_human_bytes(4 * later->tables, a));
  bf_info_memory(x, "at most ", peak + program + 4 * later->tables, left, "");
  if (peak + program + 4 * later->tables > left) print_reachable_fits(x, later, left - 4 * later->tables, program);
  const BfReachableOptions beam = bf_solve_reachable_options(o);
  BF_TRY(bf_reachable_estimate(x->run, x->problem, &beam, x->machine, &e, error));
  add_rounds(x, o, later->work / size->work, &e);
  BF_TRY(ends(x, o, "at most ", 1.1 * file, "", &e, error)); /* chunks are filled up */
  bf_info_time(x, &e);
  return BF_OK;
}

BfStatus bf_solve_estimate(void *state, const BfInfo *x, BfError *error) {
  BfSolveSettings *o = &((BfSolveState *)state)->set;
  BfSpaceChoice    choice;
  const double     left  = bf_info_memory_left(x);
  Later            later = {0};
  o->writes              = x->answer || bf_options_given(x->run->options, "o"); /* a study's points have results */
  BF_TRY(bf_together(x->run->world, bf_solve_check_zoom(o, x->run->options, x->problem, error), error));
  BF_TRY(bf_together(x->run->world, bf_space_choose(x->run, x->problem, o, left, &choice, error), error));
  if (choice.full.measures > 0) bf_print(x->run, "  M  measures          %lld\n", (long long)choice.full.measures);
  else if (x->problem->cells) bf_print(x->run, "  M  measures          more than can be numbered\n");
  if (*choice.why) bf_print(x->run, "  takes the %s space: %s\n", bf_space_name((int)choice.space), choice.why);
  find_later(x, o, &later);
  BF_TRY(bf_together(x->run->world, size_later(x, o, left, &later, error), error));
  for (int turn = 0; turn < 2; turn++) { /* the chosen one first */
    const int space = turn ? 1 - (int)choice.space : (int)choice.space;
    if (turn && (o->space >= 0 || o->beam || x->answer)) continue;
    if (space == BF_SPACE_REACHABLE) BF_TRY(reachable(x, o, &choice.reachable, &later.reachable, error));
    else if (choice.full.measures > 0) BF_TRY(full(x, o, &choice.full, &later.full, error));
  }
  return BF_OK;
}
