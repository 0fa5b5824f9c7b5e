/* bellformer solve: train by lifted dynamic programming. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "command/command.h"

const char bf_help_solve[] =
    "usage: [mpirun -n RANKS] bellformer solve PROBLEM.yaml -o RUN.h5 [options]\n"
    "\n"
    "Solves the dynamic program over quantized laws of tokens exactly and writes the trained Transformer.\n"
    "\n"
    "  -o FILE            the result file (HDF5); without it nothing is written\n"
    "  -overwrite         replace FILE if it exists\n"
    "  -space SPACE       full (every measure; the default where it fits) or reachable (those reached from the data)\n"
    "  -store_value 0     leave /value out of the result     (full space)\n"
    "  -store_policy 0    leave /policy out\n"
    "  -stability K       V_0 and closed loops from all measures within K atom moves of the data (full space)\n"
    "  -node_size R       treat every R ranks as a node\n"
    "  -quiet             no progress, no report\n"
    "  -KEY VALUE         any key of the problem file, maps joined by _: -quantize_cells 16,16 -action_count 100\n"
    "\n"
    "Exit codes: 0 done, 1 failure inside, 2 bad usage or input. PETSc's options (-log_view) work too. The keys of a problem\n"
    "file are listed in the README.\n";

typedef struct {
  char         *out;
  bool          overwrite;
  char         *space;
  BfFullOptions full;
} Options;

static BfStatus read_options(Options *o, BfError *error) {
  int64_t stability    = 0;
  o->full.store_value  = true;
  o->full.store_policy = true;
  BF_TRY(bf_option_text("-o", &o->out, error));
  BF_TRY(bf_option_bool("-overwrite", &o->overwrite, error));
  BF_TRY(bf_option_text("-space", &o->space, error));
  BF_TRY(bf_option_bool("-store_value", &o->full.store_value, error));
  BF_TRY(bf_option_bool("-store_policy", &o->full.store_policy, error));
  BF_TRY(bf_option_int("-stability", 0, 1000, &stability, error));
  o->full.stability = (int)stability;
  if (o->space && strcmp(o->space, "full") && strcmp(o->space, "reachable"))
    return bf_fail(error, BF_BAD_INPUT, "option -space must be full or reachable, got '%s'", o->space);
  return BF_OK;
}

static void free_options(Options *o) {
  bf_free(o->out);
  bf_free(o->space);
}

/* Without -space: the full space where it fits in a node's memory, else the reachable one. */
static BfStatus choose_space(const BfRun *run, const BfProblem *problem, const Options *o, bool *full, BfError *error) {
  BfFullSize size;
  const double gib = 1024.0 * 1024 * 1024, free_bytes = (double)bf_least_memory_free(run->world);
  BF_TRY(bf_full_size(run, problem, &size, error));
  const bool fits = size.measures > 0 && size.node_bytes < free_bytes;
  *full           = o->space ? !strcmp(o->space, "full") : fits;
  if (!*full && (o->full.stability || !o->full.store_value || !o->full.store_policy))
    return bf_fail(error, BF_BAD_INPUT, "-stability, -store_value and -store_policy need the full space, %s",
                   o->space                ? "and -space is reachable"
                   : size.measures <= 0    ? "which cannot be numbered here: `bellformer info` says why"
                                           : "which does not fit into the free memory: `bellformer info` says how much it needs");
  if (!*full || size.measures <= 0) return BF_OK; /* the solver says why a full space cannot be numbered */
  if (!fits)
    return bf_fail(error, BF_BAD_INPUT,
                   "the full space has %lld measures and needs %.3g GiB a node, %.3g GiB are free: use -space reachable, fewer "
                   "quantize.cells or quantize.atoms, or more nodes",
                   (long long)size.measures, size.node_bytes / gib, free_bytes / gib);
  return BF_OK;
}

/* Refuse tables over all measures that the result file's disk cannot take; the user says which to leave out. */
static BfStatus check_disk(const BfRun *run, const BfProblem *problem, const Options *o, BfError *error) {
  const double gib = 1024.0 * 1024 * 1024;
  BfFullSize   size;
  BF_TRY(bf_full_size(run, problem, &size, error));
  const double need = (o->full.store_value ? size.value_bytes : 0) + (o->full.store_policy ? size.policy_bytes : 0);
  const double room = (double)bf_disk_free(o->out);
  if (run->rank == 0 && need > room)
    bf_fail(error, BF_BAD_INPUT,
            "%s: /value takes %.3g GiB and /policy %.3g GiB, its disk has %.3g GiB free: leave one out with -store_value 0 or "
            "-store_policy 0",
            o->out, size.value_bytes / gib, size.policy_bytes / gib, room / gib);
  return bf_agree(run->world, error);
}

/* A result must not take the place of what it is computed from. */
static BfStatus check_target(const BfRun *run, const BfProblem *problem, const Options *o, BfError *error) {
  const BfFiles *files = problem->files;
  struct stat    target, source;
  if (run->rank == 0 && stat(o->out, &target) == 0)
    for (int i = 0; i < files->count; i++) {
      const char *name = files->file[i].name, *folder = files->directory && name[0] != '/' ? files->directory : "";
      char        path[8192];
      snprintf(path, sizeof path, "%s%s%s", folder, *folder ? "/" : "", name);
      if (stat(path, &source) == 0 && source.st_dev == target.st_dev && source.st_ino == target.st_ino)
        bf_fail(error, BF_BAD_INPUT, "-o %s is a file of the problem", o->out);
    }
  return bf_agree(run->world, error);
}

static BfStatus evaluate(BfRun *run, const BfProblem *problem, const BfOpenLoop *loop, BfRollout *train, BfRollout *test,
                         BfError *error) {
  bf_phase_begin(run, BF_PHASE_ROLLOUT);
  const BfStatus status = bf_rollout(problem, &problem->train, loop->control, loop->readout, train, error);
  if (status == BF_OK && problem->test.tokens) bf_rollout(problem, &problem->test, loop->control, loop->readout, test, error);
  bf_phase_end(run, BF_PHASE_ROLLOUT);
  return bf_agree(run->world, error);
}

static void print_accuracy(const BfRun *run, const char *what, const BfRollout *rollout) {
  bf_print(run, "%s loss %.8g", what, rollout->loss);
  if (!isnan(rollout->accuracy)) bf_print(run, ", accuracy %.4g", rollout->accuracy);
}

static void print_answer(const BfRun *run, const BfProblem *problem, const BfOpenLoop *loop, const BfRollout *train,
                         const BfRollout *test) {
  bf_print(run, "actions:");
  for (int t = 0; t < problem->horizon; t++) bf_print(run, " %d", loop->action[t]);
  if (problem->cost.readouts > 1) bf_print(run, ", readout %lld", (long long)loop->readout);
  bf_print(run, "\nquantized cost %.10g\nunquantized cost %.10g: ", loop->quantized_cost, train->cost);
  print_accuracy(run, "training", train);
  if (problem->test.tokens) print_accuracy(run, "; test", test);
  bf_print(run, "\n");
}

static BfStatus solve(BfRun *run, const BfArguments *arguments, const BfProblem *problem, const Options *o, BfStore **store,
                      BfError *error) {
  BfOpenLoop loop  = {0};
  BfRollout  train = {0}, test = {0};
  bool       full;
  BfStatus   status;
  BF_GOTO(choose_space(run, problem, o, &full, error));
  if (o->out) {
    BF_GOTO(check_target(run, problem, o, error));
    if (full) BF_GOTO(check_disk(run, problem, o, error));
    BF_GOTO(bf_store_create(run->world, o->out, o->overwrite, store, error));
    BF_GOTO(bf_result_describe(run, arguments, problem, full ? "full" : "reachable", *store, error));
  }
  BF_GOTO(full ? bf_solve_full(run, problem, &o->full, *store, &loop, error) : bf_solve_reachable(run, problem, *store, &loop, error));
  BF_GOTO(evaluate(run, problem, &loop, &train, &test, error));
  if (o->out) BF_GOTO(bf_result_rollout(problem, &loop, &train, problem->test.tokens ? &test : NULL, *store, error));
  print_answer(run, problem, &loop, &train, &test);
done:
  bf_open_loop_clear(&loop);
  bf_rollout_clear(&train);
  bf_rollout_clear(&test);
  return status;
}

BfStatus bf_command_solve(BfRun *run, const BfArguments *arguments, BfError *error) {
  BfProblem *problem = NULL;
  BfStore   *store   = NULL;
  Options    o       = {0};
  BfStatus   status;
  BF_GOTO(read_options(&o, error));
  if (!arguments->file) {
    status = bf_fail(error, BF_BAD_INPUT, "solve needs a problem file; see `bellformer help solve`");
    goto done;
  }
  bf_phase_begin(run, BF_PHASE_READ);
  BF_GOTO(bf_problem_read(run->world, arguments->file, &problem, error));
  bf_phase_end(run, BF_PHASE_READ);
  bf_print_warnings(run, problem);
  BF_GOTO(solve(run, arguments, problem, &o, &store, error));
  if (store) {
    bf_phase_begin(run, BF_PHASE_WRITE);
    BF_GOTO(bf_store_commit(&store, error));
    bf_phase_end(run, BF_PHASE_WRITE);
    bf_print(run, "wrote %s\n", o.out);
  }
  bf_report(run);
done:
  bf_store_close(&store);
  bf_problem_destroy(&problem);
  free_options(&o);
  return status;
}
