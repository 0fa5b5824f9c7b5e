/* bellformer info: what a command would take; runs nothing. */
#include "command/command.h"
#include "command/estimate.h"
#include <string.h>

static const char *command_name(int i) { return (const char *[]){"solve", "flow", NULL}[i]; }

static const BfOption info_options[] = {
    {"command", BF_OPTION_CHOICE, BF_OF_THIS_START, "NAME", offsetof(BfInfo, command), .choice = command_name,
     .meaning =
         "speak for solve (default) or flow (default where one of its options is given); all their options follow"},
    {0}};

const BfManual bf_manual_info = {
    .usage = "PROBLEM.yaml [options of solve or flow]",
    .about =
        "Prints the sizes of a problem (N, G, n, M, K, q), and the memory a node and the time that solve or flow with "
        "the "
        "same options would take on this many ranks, on this machine: found by running their kernels for a moment "
        "on every rank. Tells what does not fit, and what would. Solves nothing. With -o, how fast a file is written "
        "is measured there.\n",
    .options = {info_options, bf_solve_options, bf_flow_options, bf_output_options, bf_restart_options, bf_run_options,
                bf_key_options}};

static const char *first_given(const BfOption rows[], const BfOptions *options) {
  for (; rows->name; rows++)
    if (bf_options_given(options, rows->name)) return rows->name;
  return NULL;
}

/* Options of the other command are refused, as it would refuse them. */
static BfStatus settle_command(BfInfo *x, BfError *error) {
  const char *solve = first_given(bf_solve_options, x->run->options),
             *flow  = first_given(bf_flow_options, x->run->options);
  if (x->command < 0) x->command = flow && !solve ? BF_INFO_FLOW : BF_INFO_SOLVE;
  const bool  of_flow = x->command == BF_INFO_FLOW;
  const char *wrong   = of_flow ? solve : flow;
  if (wrong)
    return bf_fail(error, BF_BAD_INPUT, "option -%s is none of %s", wrong,
                   of_flow ? "flow: leave out -command flow" : "solve: give -command flow, or options of one of them");
  return of_flow ? bf_flow_settle(x->run, &x->flow, &x->depth, error) : BF_OK;
}

static BfStatus parse_options(BfInfo *x, BfError *error) {
  BfOptions *options = x->run->options;
  BF_TRY(bf_options_parse(info_options, options, x, error));
  BF_TRY(bf_options_parse(bf_solve_options, options, &x->solve, error));
  BF_TRY(bf_session_options(options, &x->start, error));
  return bf_flow_settings_parse(options, &x->flow, error);
}

static BfStatus read_options(BfInfo *x, BfError *error) {
  BF_TRY(bf_together(x->run->world, parse_options(x, error), error));
  return settle_command(x, error);
}

static void print_sizes(const BfRun *run, const BfProblem *problem, const BfFullSize *size) {
  bf_print(run, "%s: %d layers", problem->name, problem->horizon);
  if (problem->actions) bf_print(run, ", %lld actions", (long long)problem->actions);
  bf_print(run, "\n");
  bf_print(run, "  N  tokens            %lld in %lld sequences\n", (long long)problem->train.tokens,
           (long long)problem->train.contexts);
  bf_print(run, "  G  tags              %lld\n", (long long)problem->train.tags);
  if (problem->cells) bf_print(run, "  n  cells             %lld\n", (long long)bf_cells_count(problem->cells));
  else bf_print(run, "  n  cells             none: tokens are not quantized\n");
  if (size->measures > 0) bf_print(run, "  M  measures          %lld\n", (long long)size->measures);
  else if (problem->cells) bf_print(run, "  M  measures          more than can be numbered\n");
  if (problem->actions) bf_print(run, "  K  actions           %lld\n", (long long)problem->actions);
  bf_print(run, "  q  free numbers      %d a layer, %d matrix entries\n", problem->layer.free,
           problem->layer.parameters);
}

static BfStatus info(BfInfo *x, const BfArguments *arguments, BfProblem **problem, BfError *error) {
  BfRun            *run = x->run;
  BfFullSize        size;
  const BfSections *sections = x->command == BF_INFO_FLOW ? &bf_flow_sections : &bf_solve_sections;
  BF_TRY(bf_problem_read(run->world, arguments->file, sections, run->options, problem, error));
  bf_print_warnings(run, *problem);
  x->problem = *problem;
  x->program = bf_peak_memory();
  BF_TRY(bf_together(run->world, bf_full_size(run, x->problem, &size, error), error));
  run->quiet = false; /* the answer is not progress */
  bf_progress_what(run, "measuring");
  print_sizes(run, x->problem, &size);
  bf_print(run, "%s on %d rank%s of %d node%s:\n", command_name(x->command), run->size, run->size > 1 ? "s" : "",
           run->nodes, run->nodes > 1 ? "s" : "");
  return x->command == BF_INFO_FLOW ? bf_info_flow(x, error) : bf_info_solve(x, error);
}

BfStatus bf_command_info(BfRun *run, const BfArguments *arguments, BfError *error) {
  BfProblem *problem = NULL;
  BfInfo     x       = {.run = run, .arguments = arguments};
  BfStatus   status;
  BF_GOTO(read_options(&x, error));
  if (!arguments->file) status = bf_fail(error, BF_BAD_INPUT, "info needs a problem file; see `bellformer help info`");
  else status = info(&x, arguments, &problem, error);
done:
  bf_problem_destroy(&problem);
  bf_session_options_clear(&x.start);
  bf_options_clear(bf_solve_options, &x.solve);
  bf_flow_settings_clear(&x.flow);
  return status;
}
