/* bellformer info: sizes, memory and time; runs nothing. */
#include "command/command.h"
#include <math.h>

const BfManual bf_manual_info = {
    .usage = "PROBLEM.yaml [options]",
    .about =
        "Prints the sizes of a problem (N, G, n, M, K, q), the memory a node and the time that the full space would "
        "take on this many ranks, and how fast a rank evaluates layers, which is what the reachable space takes. "
        "Solves nothing.\n",
    .options = {bf_run_options, bf_key_options}};

enum { MEASURED_SLOTS = 512 };

/* Seconds that one layer on the first context and one action takes here, by doing it for a tenth of a second. A large
 * context is measured by one tag of it, and scaled: attention is quadratic. */
static BfStatus measure_layer(const BfProblem *problem, double *seconds, BfError *error) {
  const BfLayer   *layer      = &problem->layer;
  const BfContext *whole      = &problem->context[0];
  const int        large      = whole->slots > MEASURED_SLOTS;
  const BfContext  part       = {.tags     = 1,
                                 .slots    = MEASURED_SLOTS,
                                 .length   = 1,
                                 .first    = (int[]){0, MEASURED_SLOTS},
                                 .position = (int[]){0},
                                 .mass     = (double[]){1},
                                 .tokens   = MEASURED_SLOTS};
  const BfContext *context    = large ? &part : whole;
  double          *parameters = NULL, *z = NULL, *next = NULL, *work = NULL, spent = 0;
  BfStatus         status;
  BF_GOTO(BF_NEW(&parameters, (int64_t)layer->parameters * BF_LANES, error));
  BF_GOTO(BF_NEW(&z, (int64_t)context->slots * layer->dim * BF_LANES, error));
  BF_GOTO(BF_NEW(&next, (int64_t)context->slots * layer->dim * BF_LANES, error));
  BF_GOTO(BF_NEW(&work, bf_layer_work(layer, context), error));
  for (int l = 0; l < BF_LANES; l++) bf_layer_expand(layer, problem->controls, parameters + l, BF_LANES);
  int64_t      calls = 0;
  const double begin = bf_seconds();
  for (; spent < 0.1; spent = bf_seconds() - begin, calls++) bf_layer_apply(layer, context, parameters, z, next, work);
  *seconds = spent / (double)calls / BF_LANES * pow((double)whole->slots / context->slots, 2);
done:
  bf_free(parameters);
  bf_free(z);
  bf_free(next);
  bf_free(work);
  return status;
}

static void print_sizes(const BfRun *run, const BfProblem *problem, const BfFullSize *size) {
  bf_print(run, "%s: %d layers, %lld actions\n", problem->name, problem->horizon, (long long)problem->actions);
  bf_print(run, "  N  tokens            %lld in %lld sequences\n", (long long)problem->train.tokens,
           (long long)problem->train.contexts);
  bf_print(run, "  G  tags              %lld\n", (long long)problem->train.tags);
  if (problem->tokens) bf_print(run, "  n  cells             %lld\n", (long long)bf_tokens_count(problem->tokens));
  else bf_print(run, "  n  cells             none: tokens are not quantized\n");
  if (size->measures > 0) bf_print(run, "  M  measures          %lld\n", (long long)size->measures);
  else if (problem->tokens) bf_print(run, "  M  measures          more than 2^62\n");
  bf_print(run, "  K  actions           %lld\n", (long long)problem->actions);
  bf_print(run, "  q  free numbers      %d a layer, %d matrix entries\n", problem->layer.controls,
           problem->layer.parameters);
}

static void print_full(const BfRun *run, const BfProblem *problem, const BfFullSize *size, double layer_seconds) {
  /* Of a sweep, see the benchmark: where one sequence is all there is, rows of V are not shared and come from memory.
   */
  const double gib = 1024.0 * 1024 * 1024, values_second = problem->train.contexts > 1 ? 2e9 : 2e8;
  if (size->measures <= 0) {
    bf_print(run, "full space: cannot be numbered: %s\n",
             !problem->tokens ? "tokens are not quantized" : "too many measures");
    return;
  }
  const double available = (double)bf_node_memory_free();
  const double tables    = (double)size->tables * layer_seconds / run->size,
               sweep     = size->q_values / values_second / run->size;
  bf_print(run, "full space: %.3g Q-values, %lld table entries in %lld shape%s (%.3g bytes a measure and action)\n",
           size->q_values, (long long)size->tables, (long long)size->shapes, size->shapes > 1 ? "s" : "",
           4.0 * (double)size->tables / ((double)size->measures * (double)problem->actions));
  bf_print(run, "  memory a node        %.3g GiB, %.3g GiB are free, on %d node%s: %s\n", size->node_bytes / gib,
           available / gib, run->nodes, run->nodes > 1 ? "s" : "",
           size->node_bytes < available ? "fits, the default of solve" : "does not fit");
  bf_print(run, "  result file          %.3g GiB (/value %.3g, /policy %.3g)\n",
           (size->value_bytes + size->policy_bytes) / gib, size->value_bytes / gib, size->policy_bytes / gib);
  bf_print(run, "  time, very roughly   %.3g s: tables at most %.3g, sweeps %.3g, on %d rank%s\n", tables + sweep,
           tables, sweep, run->size, run->size > 1 ? "s" : "");
}

static void print_reachable(const BfRun *run, const BfProblem *problem, double layer_seconds) {
  const double K = (double)problem->actions, T = problem->horizon;
  double       models = 0;
  for (int t = 1; t <= problem->horizon; t++) models += pow(K, t);
  const double seconds = models * layer_seconds * (double)problem->train.contexts / run->size;
  bf_print(run, "reachable space: at most %.3g measures at layer %d, %.3g layer evaluations of %lld sequences\n",
           pow(K, T - 1), problem->horizon - 1, models, (long long)problem->train.contexts);
  bf_print(run, "  a sequence and layer %.3g microseconds (measured here)\n", layer_seconds * 1e6);
  bf_print(run, "  time at most         %.3g s on %d rank%s, less where measures merge\n", seconds, run->size,
           run->size > 1 ? "s" : "");
}

BfStatus bf_command_info(BfRun *run, const BfArguments *arguments, BfError *error) {
  BfProblem *problem = NULL;
  BfFullSize size;
  double     layer_seconds = 0;
  BfStatus   status;
  if (!arguments->file) return bf_fail(error, BF_BAD_INPUT, "info needs a problem file; see `bellformer help info`");
  BF_GOTO(bf_problem_read(run->world, arguments->file, &problem, error));
  bf_print_warnings(run, problem);
  BF_GOTO(bf_full_size(run, problem, &size, error));
  BF_GOTO(measure_layer(problem, &layer_seconds, error));
  run->quiet = false; /* the answer is not progress */
  print_sizes(run, problem, &size);
  print_full(run, problem, &size, layer_seconds);
  print_reachable(run, problem, layer_seconds);
done:
  bf_problem_destroy(&problem);
  return status;
}
