#include "command/estimate.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef char Text[BF_HUMAN];

enum { COLUMN = 18, TOLD_LAYERS = 8 };

/* ---- lines ------------------------------------------------------------------------------------------------------ */

/* What all ranks of a node hold whatever they do: the program and the data. */
static double program_bytes(const BfInfo *x) { return (double)x->program * x->run->node_size; }

static double memory_left(const BfInfo *x) {
  double mine = (double)bf_memory_left(x->run), least;
  MPI_Allreduce(&mine, &least, 1, MPI_DOUBLE, MPI_MIN, x->run->world);
  return least;
}

static void print_memory(const BfInfo *x, const char *bound, double bytes, double left, const char *parts) {
  Text a, b;
  bf_print(x->run, "  memory a node      %s%s, %s are free: %s%s\n", bound, bf_human_bytes(bytes, a),
           bf_human_bytes(left, b),
           bytes <= left ? "fits"
           : *bound      ? "may not fit"
                         : "does not fit",
           parts);
}

static void print_time(const BfInfo *x, const BfEstimate *e) {
  Text a;
  bf_print(x->run, "  time               %s%s%s:", e->at_most ? "at most " : "", e->rough ? "very roughly " : "about ",
           bf_human_time(bf_estimate_seconds(e), a));
  for (int i = 0; i < e->parts; i++)
    bf_print(x->run, "%s %s %s", i ? "," : "", e->part[i].what, bf_human_time(e->part[i].seconds, a));
  bf_print(x->run, "\n");
}

/* What a result and a checkpoint hold whatever is found, by writing it to a file that is then removed: its bytes, and
 * the seconds of both. */
static BfStatus measure_files(const BfInfo *x, double *bytes, double *seconds, BfError *error) {
  BfStore    *store = NULL;
  char        path[4096];
  struct stat about = {0};
  BfStatus    status;
  snprintf(path, sizeof path, "%s.measure", x->start.out);
  MPI_Barrier(x->run->world);
  const double begin = bf_seconds();
  BF_GOTO(bf_store_create(x->run->world, path, 1, &store, error));
  BF_GOTO(bf_result_describe(x->run, x->arguments, x->problem, "full", store, error));
  status = bf_store_commit(&store, error);
done:
  bf_store_close(&store);
  if (x->run->rank == 0) {
    stat(path, &about);
    unlink(path);
  }
  *bytes   = (double)about.st_size;
  *seconds = 2 * (bf_seconds() - begin);
  return status;
}

/* /rollout and /model, and what HDF5 puts around datasets. */
static double rollout_bytes(const BfProblem *p) {
  const double around = 64e3, around_layer = 24e3;
  return around + p->horizon * (around_layer + 8.0 * (p->layer.free + p->layer.parameters)) +
         8.0 * (p->horizon + 1) * (double)(p->train.tokens + p->test.tokens) * p->layer.dim;
}

/* Rollouts, and the file where there is one: `bytes` in it beside what every result holds. */
static BfStatus add_ends(const BfInfo *x, const char *bound, double bytes, const char *parts, BfEstimate *e,
                         BfError *error) {
  double train = 0, test = 0, bandwidth = 1e8, fixed, files;
  Text   a, b;
  bf_rollout_estimate(x->problem, &x->problem->train, &train, error);
  if (error->status == BF_OK) bf_rollout_estimate(x->problem, &x->problem->test, &test, error);
  BF_TRY(bf_agree(x->run->world, error));
  bf_estimate_add(x->run, e, "rollout", train + test);
  if (!x->start.out) return BF_OK;
  BF_TRY(measure_files(x, &fixed, &files, error));
  if (bytes > 1e6) BF_TRY(bf_store_measure(x->run->world, x->start.out, &bandwidth, error));
  bf_estimate_add(x->run, e, "writing", files + bytes / bandwidth);
  bf_print(x->run, "  result file        %s%s%s, %s are free there\n", bound,
           bf_human_bytes(bytes + fixed + rollout_bytes(x->problem), a), parts,
           bf_human_bytes((double)bf_disk_free(x->start.out), b));
  return BF_OK;
}

/* ---- the full space --------------------------------------------------------------------------------------------- */

/* What would fit, one thing changed at a time. */
static void print_full_fits(const BfInfo *x, double left) {
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
  while (axis > 1 && bf_full_bytes(p, pow(axis, d), atoms, K) > left) axis--;
  while (less > 0 && bf_full_bytes(p, n, less, K) > left) less--;
  while (fewer >= 1 && bf_full_bytes(p, n, atoms, fewer) > left) fewer = floor(fewer / 2);
  if (axis > 1) at += snprintf(text + at, sizeof text - (size_t)at, "quantize.cells of %g an axis; ", axis);
  if (less > 0 && less < atoms) at += snprintf(text + at, sizeof text - (size_t)at, "quantize.atoms of %d; ", less);
  if (fewer >= 1) at += snprintf(text + at, sizeof text - (size_t)at, "%g actions; ", fewer);
  snprintf(text + at, sizeof text - (size_t)at, "-space reachable, see there");
  bf_print(x->run, "  would fit          %s\n", text);
}

static BfStatus full(const BfInfo *x, const BfFullSize *size, BfError *error) {
  const double left = memory_left(x), bytes = size->node_bytes + program_bytes(x),
               file = x->solve.store_value * size->value_bytes + x->solve.store_policy * size->policy_bytes;
  Text       a, b, c, d;
  char       parts[200];
  BfEstimate e;
  bf_print(x->run, "full space: %lld measures, %s Q-values, %s table entries in %lld shape%s\n",
           (long long)size->measures, bf_human_count(size->q_values, a), bf_human_count((double)size->tables, b),
           (long long)size->shapes, size->shapes > 1 ? "s" : "");
  snprintf(parts, sizeof parts, " (tables and costs %s, two layers of V %s, policies %s, the program %s)",
           bf_human_bytes(size->tables_bytes, a), bf_human_bytes(size->V_bytes, b),
           bf_human_bytes(size->policies_bytes, c), bf_human_bytes(program_bytes(x), d));
  print_memory(x, "", bytes, left, parts);
  if (bytes > left) print_full_fits(x, left);
  snprintf(parts, sizeof parts, " (/value %s, /policy %s)",
           x->solve.store_value ? bf_human_bytes(size->value_bytes, a) : "left out",
           x->solve.store_policy ? bf_human_bytes(size->policy_bytes, b) : "left out");
  BF_TRY(bf_full_estimate(x->run, x->problem, &e, error));
  BF_TRY(add_ends(x, "about ", file, parts, &e, error));
  print_time(x, &e);
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
  const double    room = (left - program) * x->run->nodes, peak = bf_reachable_peak_bytes(size);
  char            text[256];
  int             at = 0;
  if (room <= 0) return;
  while (less.horizon > 1 && bf_reachable_peak_bytes(&less) > room) less.horizon--;
  if (bf_reachable_peak_bytes(&less) <= room)
    at += snprintf(text + at, sizeof text - (size_t)at, "a horizon of %d; ", less.horizon);
  less = *size;
  while (less.actions > 1 && bf_reachable_peak_bytes(&less) > room) less.actions = floor(less.actions * 0.9);
  at += snprintf(text + at, sizeof text - (size_t)at, "%g actions; ", less.actions);
  if (ceil(peak / (left - program)) < 1e6)
    at += snprintf(text + at, sizeof text - (size_t)at, "%g nodes like this; ", ceil(peak / (left - program)));
  bf_print(x->run, "  would fit surely   %smore where measures merge: a run that outgrows memory keeps a checkpoint\n",
           text);
}

static BfStatus reachable(const BfInfo *x, const BfReachableSize *size, BfError *error) {
  const double program = program_bytes(x), left = memory_left(x), peak = bf_reachable_peak_bytes(size) / x->run->nodes;
  double       file = 0;
  Text         a, b;
  BfEstimate   e;
  bf_print(x->run, "reachable space: at most %s successors merged, %s costed\n", bf_human_count(size->expanded, a),
           bf_human_count(size->costed, b));
  print_layers(x, size);
  for (int t = 0; t < size->horizon; t++) file += bf_reachable_kept_bytes(size, t, bf_reachable_most(size, t));
  print_memory(x, "at most ", peak + program, left, "");
  if (peak + program > left) print_reachable_fits(x, size, left, program);
  BF_TRY(bf_reachable_estimate(x->run, x->problem, &e, error));
  BF_TRY(add_ends(x, "at most ", 1.1 * file, "", &e, error)); /* chunks are filled up */
  print_time(x, &e);
  return BF_OK;
}

BfStatus bf_info_solve(BfInfo *x, BfError *error) {
  BfSpaceChoice choice;
  const int     given = x->solve.space;
  BF_TRY(bf_together(x->run->world, bf_space_choose(x->run, x->problem, &x->solve, &choice, error), error));
  if (*choice.why) bf_print(x->run, "  takes the %s space: %s\n", bf_space_name((int)choice.space), choice.why);
  for (int turn = 0; turn < 2; turn++) { /* the chosen one first */
    const int space = turn ? 1 - (int)choice.space : (int)choice.space;
    if (turn && given >= 0) continue;
    if (space == BF_SPACE_REACHABLE) BF_TRY(reachable(x, &choice.reachable, error));
    else if (choice.full.measures > 0) BF_TRY(full(x, &choice.full, error));
  }
  return BF_OK;
}

/* ---- the flow --------------------------------------------------------------------------------------------------- */

BfStatus bf_info_flow(BfInfo *x, BfError *error) {
  const BfProblem *p            = x->problem;
  const double     an_iteration = 2; /* evaluations: TAO's line search takes one to three steps */
  const bool       init         = x->flow.init != NULL;
  int64_t          iterations;
  BfFlowEstimate   flow = {0};
  BfEstimate       e    = {.at_most = true};
  Text             a, b;
  BF_TRY(bf_together(x->run->world, bf_flow_check_profile(x->run, p, &x->depth, error), error));
  BF_TRY(bf_together(x->run->world, bf_flow_iterations(&x->depth, &iterations, error), error));
  BF_TRY(bf_flow_estimate(x->run, p, &x->depth, &flow, error));
  const double starts      = (double)x->flow.starts + (init || !x->flow.starts ? 1 : 0),
               evaluations = starts * (2 + an_iteration * (double)iterations), n = (double)p->horizon * p->layer.free,
               file = 16 * (double)(p->horizon + 1) * (double)p->train.tokens * p->layer.dim;
  bf_print(x->run, "  scheme %s, %lld step%s a layer; %g start%s of at most %lld iterations, %g numbers\n",
           x->depth.scheme->name, (long long)x->depth.steps, x->depth.steps > 1 ? "s" : "", starts,
           starts > 1 ? "s" : "", (long long)iterations, n);
  bf_print(x->run, "  an evaluation      about %s with its gradient, %s without%s\n", bf_human_time(flow.gradient, a),
           bf_human_time(flow.forward, b),
           x->depth.scheme->adaptive ? ", at the start: its steps may become more" : "");
  print_memory(x, "at most ", flow.node_bytes + program_bytes(x) + 8 * evaluations / starts * (n + 2), memory_left(x),
               "");
  bf_estimate_add(x->run, &e, "search", evaluations * flow.gradient);
  bf_estimate_add(x->run, &e, "Pontryagin's condition", flow.pontryagin);
  BF_TRY(add_ends(x, "about ", file, "", &e, error));
  print_time(x, &e);
  return BF_OK;
}
