/* bellformer solve: train by lifted dynamic programming. */
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "command/solve.h"

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
    "  -restart RUN.h5    go on from the newest checkpoint of that result, on any number of ranks; the problem is in it\n"
    "  -restart auto      with PROBLEM.yaml -o RUN.h5: go on where there is a checkpoint, else start afresh\n"
    "  -maxh HOURS        stop in time for the last checkpoint; in a SLURM job its limit is the default\n"
    "  -checkpoint_interval S  save within a layer every S seconds, and at every layer's end; default: every 600, or 50 times what\n"
    "                     a write takes if that is longer; at a layer's end where it costs less than 2 % of what it saves\n"
    "  -node_size R       treat every R ranks as a node\n"
    "  -quiet             no progress, no report\n"
    "  -KEY VALUE         any key of the problem file, maps joined by _: -quantize_cells 16,16 -action_count 100\n"
    "\n"
    "With -o, SIGUSR1 (TERM, INT), or a file named STOP in the result's folder: finish the piece at hand, save a checkpoint,\n"
    "exit 75. The next start removes the file.\n"
    "\n"
    "Exit codes: 0 done, 1 failure inside, 2 bad usage or input, 75 stopped with a checkpoint. PETSc's options (-log_view)\n"
    "work too. The keys of a problem file are listed in the README.\n";

static BfStatus read_options(BfSolveOptions *o, BfError *error) {
  int64_t stability    = 0;
  o->full.store_value  = true;
  o->full.store_policy = true;
  o->interval          = -1;
  o->newest            = INT_MAX;
  BF_TRY(bf_option_text("-o", &o->out, error));
  BF_TRY(bf_option_bool("-overwrite", &o->overwrite, error));
  BF_TRY(bf_option_text("-space", &o->space, error));
  BF_TRY(bf_option_text("-restart", &o->restart, error));
  BF_TRY(bf_option_number("-maxh", 0, 1e6, &o->hours, error));
  BF_TRY(bf_option_number("-checkpoint_interval", 0, 1e9, &o->interval, error));
  BF_TRY(bf_option_bool("-store_value", &o->full.store_value, error));
  BF_TRY(bf_option_bool("-store_policy", &o->full.store_policy, error));
  BF_TRY(bf_option_int("-stability", 0, 1000, &stability, error));
  o->full.stability = (int)stability;
  if (o->space && strcmp(o->space, "full") && strcmp(o->space, "reachable"))
    return bf_fail(error, BF_BAD_INPUT, "option -space must be full or reachable, got '%s'", o->space);
  return BF_OK;
}

static void free_options(BfSolveOptions *o) {
  bf_free(o->out);
  bf_free(o->space);
  bf_free(o->restart);
}

/* Without -space: the full space where it fits in a node's memory, else the reachable one. */
static BfStatus choose_space(const BfRun *run, const BfProblem *problem, const BfSolveOptions *o, bool *full, BfError *error) {
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
static BfStatus check_disk(const BfRun *run, const BfProblem *problem, const BfSolveOptions *o, BfError *error) {
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
static BfStatus check_target(const BfRun *run, const BfProblem *problem, const BfSolveOptions *o, BfError *error) {
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

/* ---- the run ---------------------------------------------------------------------------------------------------- */

typedef struct {
  BfRun                *run;
  const BfArguments    *arguments;
  const BfProblem      *problem;
  const BfSolveOptions *o;
  bool                  full;
  bool                  begun; /* files were made */
} Job;

/* What every generation of a checkpoint begins with. */
static BfStatus describe(void *context, BfStore *store, BfError *error) {
  const Job *job = context;
  BF_TRY(bf_result_identify(job->run, job->arguments, job->problem, job->full ? "full" : "reachable", store, error));
  return bf_restart_write(job->o, job->full, store, error);
}

/* The first generation: a run that is killed before any other can be started again by its result's name. */
static BfStatus save_start(BfCheckpoint *checkpoint, BfError *error) {
  BF_TRY(bf_checkpoint_begin(checkpoint, error));
  BF_TRY(bf_checkpoint_number(checkpoint, "stage", 0, error));
  return bf_checkpoint_end(checkpoint, 0, error);
}

static BfStatus open_files(Job *job, BfStart start, BfStore **store, BfCheckpoint **checkpoint, BfError *error) {
  const BfSolveOptions     *o       = job->o;
  const BfCheckpointOptions options = {o->interval, o->hours, o->newest, describe, job};
  BF_TRY(check_target(job->run, job->problem, o, error));
  if (job->full) BF_TRY(check_disk(job->run, job->problem, o, error));
  BF_TRY(bf_store_create(job->run->world, o->out, o->overwrite, store, error));
  job->begun = true;
  if (start == BF_FRESH) BF_TRY(bf_checkpoint_remove(job->run, o->out, error));
  BF_TRY(bf_checkpoint_create(job->run, o->out, &options, checkpoint, error));
  if (start == BF_FRESH) BF_TRY(save_start(*checkpoint, error));
  return bf_result_describe(job->run, job->arguments, job->problem, job->full ? "full" : "reachable", *store, error);
}

/* The result appears, and its checkpoints go. */
static BfStatus publish(const Job *job, BfStore **store, BfCheckpoint **checkpoint, BfError *error) {
  BfRun *run = job->run;
  bf_phase_begin(run, BF_PHASE_WRITE);
  BF_TRY(bf_result_totals(run, *store, error));
  BF_TRY(bf_checkpoint_claimed(*checkpoint, error));
  BF_TRY(bf_store_commit(store, error));
  bf_phase_end(run, BF_PHASE_WRITE);
  bf_checkpoint_destroy(checkpoint);
  BF_TRY(bf_checkpoint_remove(run, job->o->out, error));
  bf_print(run, "wrote %s\n", job->o->out);
  return BF_OK;
}

static BfStatus solve(Job *job, BfStart start, BfError *error) {
  BfRun           *run     = job->run;
  const BfProblem *problem = job->problem;
  BfOpenLoop       loop    = {0};
  BfRollout        train = {0}, test = {0};
  BfStore         *store      = NULL;
  BfCheckpoint    *checkpoint = NULL;
  BfStatus         status;
  BF_GOTO(choose_space(run, problem, job->o, &job->full, error));
  if (job->o->out) BF_GOTO(open_files(job, start, &store, &checkpoint, error));
  BF_GOTO(job->full ? bf_solve_full(run, problem, &job->o->full, store, checkpoint, &loop, error)
                    : bf_solve_reachable(run, problem, store, checkpoint, &loop, error));
  BF_GOTO(evaluate(run, problem, &loop, &train, &test, error));
  if (store) BF_GOTO(bf_result_rollout(problem, &loop, &train, problem->test.tokens ? &test : NULL, store, error));
  print_answer(run, problem, &loop, &train, &test);
  if (store) BF_GOTO(publish(job, &store, &checkpoint, error));
  bf_report(run);
done:
  if (job->begun && status != BF_OK && status != BF_STOPPED && start == BF_FRESH) {
    BfError unused = {0}; /* what failed before it had done anything leaves nothing */
    if (bf_checkpoint_claimed(checkpoint, &unused) == BF_OK && bf_checkpoint_newest(run, job->o->out) <= 0)
      bf_checkpoint_remove(run, job->o->out, &unused);
  }
  bf_checkpoint_destroy(&checkpoint);
  bf_store_close(&store);
  bf_open_loop_clear(&loop);
  bf_rollout_clear(&train);
  bf_rollout_clear(&test);
  return status;
}

/* The problem that the command line names, and that of the checkpoint. */
static BfStatus read_problem(BfRun *run, const BfArguments *arguments, BfSolveOptions *o, BfStart start, BfProblem **problem, BfError *error) {
  BfProblem *given = NULL;
  BfStatus   status = BF_OK;
  bf_phase_begin(run, BF_PHASE_READ);
  if (arguments->file) BF_GOTO(bf_problem_read(run->world, arguments->file, &given, error));
  else BF_GOTO(bf_refuse_unread_options(error));
  if (start == BF_GOING_ON) {
    status = bf_restart_read(run, given, o, problem, error);
  } else {
    *problem = given;
    given    = NULL;
  }
done:
  bf_problem_destroy(&given);
  bf_phase_end(run, BF_PHASE_READ);
  return status;
}

BfStatus bf_command_solve(BfRun *run, const BfArguments *arguments, BfError *error) {
  BfProblem     *problem = NULL;
  BfSolveOptions o       = {0};
  BfStart        start;
  BfStatus       status;
  BF_GOTO(read_options(&o, error));
  if (!arguments->file && !o.restart) {
    status = bf_fail(error, BF_BAD_INPUT, "solve needs a problem file; see `bellformer help solve`");
    goto done;
  }
  BF_GOTO(bf_restart_plan(run, arguments, &o, &start, error));
  if (start == BF_FINISHED) {
    bf_print(run, "%s is finished: nothing to do\n", o.out);
    goto done;
  }
  BF_GOTO(read_problem(run, arguments, &o, start, &problem, error));
  bf_print_warnings(run, problem);
  Job job = {.run = run, .arguments = arguments, .problem = problem, .o = &o};
  status  = solve(&job, start, error);
done:
  bf_problem_destroy(&problem);
  free_options(&o);
  return status;
}
