/* bellformer solve: train by lifted dynamic programming. */
#include "command/session.h"
#include <math.h>
#include <string.h>

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
    "  -restart RUN.h5    go on from the newest checkpoint of that result, on any number of ranks; the problem is in "
    "it\n"
    "  -restart auto      with PROBLEM.yaml -o RUN.h5: go on where there is a checkpoint, else start afresh\n"
    "  -maxh HOURS        stop in time for the last checkpoint; in a SLURM job its limit is the default\n"
    "  -checkpoint_interval S  save within a layer every S seconds, and at every layer's end; default: every 600, or "
    "50 times what\n"
    "                     a write takes if that is longer; at a layer's end where it costs less than 2 % of what it "
    "saves\n"
    "  -node_size R       treat every R ranks as a node\n"
    "  -quiet             no progress, no report\n"
    "  -KEY VALUE         any key of the problem file, maps joined by _: -quantize_cells 16,16 -action_count 100\n"
    "\n"
    "With -o, SIGUSR1 (TERM, INT), or a file named STOP in the result's folder: finish the piece at hand, save a "
    "checkpoint,\n"
    "exit 75. The next start removes the file.\n"
    "\n"
    "Exit codes: 0 done, 1 failure inside, 2 bad usage or input, 75 stopped with a checkpoint. PETSc's options "
    "(-log_view)\n"
    "work too. The keys of a problem file are listed in the README.\n";

typedef struct {
  BfStartOptions start;
  char          *space; /* NULL: the full space where it fits */
  BfFullOptions  full;
  bool           in_full; /* that a run that goes on was started in */
} Options;

static BfStatus read_options(Options *o, BfError *error) {
  int64_t stability    = 0;
  o->full.store_value  = true;
  o->full.store_policy = true;
  BF_TRY(bf_start_options(&o->start, error));
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
  bf_start_options_clear(&o->start);
  bf_free(o->space);
}

/* ---- what a checkpoint keeps of them ---------------------------------------------------------------------------- */

static BfStatus save_options(const void *options, BfStore *store, BfError *error) {
  const Options *o    = options;
  const char    *path = "/options";
  BF_TRY(bf_store_attribute_int(store, path, "full", o->in_full, error));
  BF_TRY(bf_store_attribute_int(store, path, "store_value", o->full.store_value, error));
  BF_TRY(bf_store_attribute_int(store, path, "store_policy", o->full.store_policy, error));
  return bf_store_attribute_int(store, path, "stability", o->full.stability, error);
}

static BfStatus restore_options(void *options, BfStore *store, BfError *error) {
  Options    *o    = options;
  const char *path = "/options";
  int64_t     full, value, policy, stability;
  BF_TRY(bf_store_read_int(store, path, "full", &full, error));
  BF_TRY(bf_store_read_int(store, path, "store_value", &value, error));
  BF_TRY(bf_store_read_int(store, path, "store_policy", &policy, error));
  BF_TRY(bf_store_read_int(store, path, "stability", &stability, error));
  o->in_full = full;
  o->full    = (BfFullOptions){.store_value = value, .store_policy = policy, .stability = (int)stability};
  return BF_OK;
}

/* The run goes on in the space that it was started in. */
static BfStatus settle_space(Options *o, BfError *error) {
  const char *space = o->in_full ? "full" : "reachable";
  if (o->space && strcmp(o->space, space))
    return bf_fail(error, BF_BAD_INPUT, "-space %s: %s goes on in the %s space that it was started in", o->space,
                   o->start.out, space);
  if (o->space) return BF_OK;
  BF_TRY(BF_NEW(&o->space, (int64_t)strlen(space) + 1, error));
  strcpy(o->space, space);
  return BF_OK;
}

/* ---- the space -------------------------------------------------------------------------------------------------- */

/* Without -space: the full space where it fits in a node's memory, else the reachable one. */
static BfStatus choose_space(const BfRun *run, const BfProblem *problem, const Options *o, bool *full, BfError *error) {
  BfFullSize   size;
  const double gib = 1024.0 * 1024 * 1024, free_bytes = (double)bf_least_memory_free(run->world);
  BF_TRY(bf_full_size(run, problem, &size, error));
  const bool fits = size.measures > 0 && size.node_bytes < free_bytes;
  *full           = o->space ? !strcmp(o->space, "full") : fits;
  if (!*full && (o->full.stability || !o->full.store_value || !o->full.store_policy))
    return bf_fail(error, BF_BAD_INPUT, "-stability, -store_value and -store_policy need the full space, %s",
                   o->space ? "and -space is reachable"
                   : size.measures <= 0
                       ? "which cannot be numbered here: `bellformer info` says why"
                       : "which does not fit into the free memory: `bellformer info` says how much it needs");
  if (!*full || size.measures <= 0) return BF_OK; /* the solver says why a full space cannot be numbered */
  if (!fits)
    return bf_fail(
        error, BF_BAD_INPUT,
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
  const double room = (double)bf_disk_free(o->start.out);
  if (run->rank == 0 && need > room)
    bf_fail(error, BF_BAD_INPUT,
            "%s: /value takes %.3g GiB and /policy %.3g GiB, its disk has %.3g GiB free: leave one out with "
            "-store_value 0 or "
            "-store_policy 0",
            o->start.out, size.value_bytes / gib, size.policy_bytes / gib, room / gib);
  return bf_agree(run->world, error);
}

static void print_answer(const BfRun *run, const BfProblem *problem, const BfOpenLoop *loop, const BfRollout *train,
                         const BfRollout *test) {
  bf_print(run, "actions:");
  for (int t = 0; t < problem->horizon; t++) bf_print(run, " %d", loop->action[t]);
  if (problem->cost.readouts > 1) bf_print(run, ", readout %lld", (long long)loop->readout);
  bf_print(run, "\nquantized cost %.10g\nunquantized cost %.10g: ", loop->quantized_cost, train->cost);
  bf_print_loss(run, "training", train->loss, train->accuracy);
  if (problem->test.tokens) bf_print_loss(run, "; test", test->loss, test->accuracy);
  bf_print(run, "\n");
}

/* ---- the run ---------------------------------------------------------------------------------------------------- */

static BfStatus solve(BfSession *session, Options *o, BfError *error) {
  BfRun           *run     = session->run;
  const BfProblem *problem = session->problem;
  BfOpenLoop       loop    = {0};
  BfRollout        train = {0}, test = {0};
  BfStatus         status;
  BF_GOTO(choose_space(run, problem, o, &o->in_full, error));
  session->space = o->in_full ? "full" : "reachable";
  if (o->start.out && o->in_full) BF_GOTO(check_disk(run, problem, o, error));
  BF_GOTO(bf_session_open(session, error));
  BF_GOTO(o->in_full ? bf_solve_full(run, problem, &o->full, session->store, session->checkpoint, &loop, error)
                     : bf_solve_reachable(run, problem, session->store, session->checkpoint, &loop, error));
  BF_GOTO(bf_session_rollout(run, problem, &loop, &train, &test, error));
  if (session->store)
    BF_GOTO(bf_result_rollout(problem, &loop, &train, problem->test.tokens ? &test : NULL, session->store, error));
  print_answer(run, problem, &loop, &train, &test);
  BF_GOTO(bf_session_publish(session, error));
  bf_report(run);
done:
  bf_session_close(session, status);
  bf_open_loop_clear(&loop);
  bf_rollout_clear(&train);
  bf_rollout_clear(&test);
  return status;
}

BfStatus bf_command_solve(BfRun *run, const BfArguments *arguments, BfError *error) {
  BfProblem *problem = NULL;
  Options    o       = {0};
  BfStart    start;
  BfStatus   status;
  BF_GOTO(read_options(&o, error));
  if (!arguments->file && !o.start.restart) {
    status = bf_fail(error, BF_BAD_INPUT, "solve needs a problem file; see `bellformer help solve`");
    goto done;
  }
  BF_GOTO(bf_restart_plan(run, arguments, &o.start, &start, error));
  if (start == BF_FINISHED) {
    bf_print(run, "%s is finished: nothing to do\n", o.start.out);
    goto done;
  }
  BF_GOTO(bf_session_problem(run, arguments, &o.start, start, restore_options, &o, &problem, error));
  if (start == BF_GOING_ON) BF_GOTO(settle_space(&o, error));
  bf_print_warnings(run, problem);
  BfSession session = {.run       = run,
                       .arguments = arguments,
                       .problem   = problem,
                       .o         = &o.start,
                       .start     = start,
                       .write     = save_options,
                       .options   = &o};
  status            = solve(&session, &o, error);
done:
  bf_problem_destroy(&problem);
  free_options(&o);
  return status;
}
