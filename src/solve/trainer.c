/* bellformer solve: train by lifted dynamic programming. */
#include "solve/space.h"
#include "train/session.h"

#define AT(field) offsetof(BfSolveSettings, field)

const BfOption bf_solve_options[] = {
    {"space", BF_OPTION_CHOICE, BF_ANSWER, "SPACE", AT(space), .choice = bf_space_name, .chosen = AT(space_chosen),
     .meaning = "full (every measure) or reachable (those reached from the data); default: the one of less counted "
                "work, or full "
                "where an option asks for what only that has"},
    {"store_value", BF_OPTION_BOOL, BF_ANSWER, "0", AT(store_value), "1",
     .meaning = "leave /value out of the result (full space)"},
    {"store_policy", BF_OPTION_BOOL, BF_ANSWER, "0", AT(store_policy), "1", .meaning = "leave /policy out"},
    {"stability", BF_OPTION_INT, BF_ANSWER, "K", AT(stability), NULL, 0, 1000,
     .meaning = "V_0 and closed loops from all measures within K atom moves of the data (full space)"},
    {0}};

const BfManual bf_manual_solve = {
    .usage   = "PROBLEM.yaml -o RUN.h5 [options]",
    .about   = "Solves the dynamic program over quantized laws of tokens exactly and writes the trained Transformer.\n",
    .options = {bf_output_options, bf_solve_options, bf_restart_options, bf_run_options, bf_key_options},
    .notes   = "PETSc's options (-log_view) work too.\n",
    .stops   = true};

typedef struct {
  BfSessionOptions start;
  BfSolveSettings  set;
  BfSpaceChoice    choice;
} Options;

static BfStatus read_options(BfOptions *options, Options *o, BfError *error) {
  BF_TRY(bf_session_options(options, &o->start, error));
  return bf_options_parse(bf_solve_options, options, &o->set, error);
}

static void free_options(Options *o) {
  bf_session_options_clear(&o->start);
  bf_options_clear(bf_solve_options, &o->set);
}

/* ---- the space -------------------------------------------------------------------------------------------------- */

static BfStatus settle_space(void *options, const BfRun *run, const BfProblem *problem, BfError *error) {
  Options *o = options;
  BF_TRY(bf_together(run->world, bf_space_choose(run, problem, &o->set, &o->choice, error), error));
  o->set.space = (int)o->choice.space;
  return BF_OK;
}

/* The space of a run that goes on is that which it was started in. */
static BfStatus check_space(const BfSession *session, Options *o, BfError *error) {
  const BfRun *run = session->run;
  if (session->start == BF_GOING_ON) BF_TRY(settle_space(o, run, session->problem, error));
  return bf_space_check(run, &o->choice, error);
}

/* Refuse tables over all measures that the result file's disk cannot take; the user says which to leave out. */
static BfStatus check_disk(const BfRun *run, const BfFullSize *size, const Options *o, BfError *error) {
  const double need = (o->set.store_value ? size->value_bytes : 0) + (o->set.store_policy ? size->policy_bytes : 0);
  const double room = (double)bf_disk_free(o->start.out);
  char         a[BF_HUMAN], b[BF_HUMAN], c[BF_HUMAN];
  if (run->rank == 0 && need > room)
    bf_fail(error, BF_BAD_INPUT,
            "%s: /value takes %s and /policy %s, its disk has %s free: leave one out with -store_value 0 or "
            "-store_policy 0",
            o->start.out, bf_human_bytes(size->value_bytes, a), bf_human_bytes(size->policy_bytes, b),
            bf_human_bytes(room, c));
  return bf_agree(run->world, error);
}

static void print_answer(const BfRun *run, const BfProblem *problem, const BfModel *model, const BfRollout *train,
                         const BfRollout *test) {
  bf_print(run, "actions:");
  for (int t = 0; t < problem->horizon; t++) bf_print(run, " %d", model->action[t]);
  if (problem->cost.readouts > 1) bf_print(run, ", readout %lld", (long long)model->readout);
  bf_print(run, "\nquantized cost %.10g\nunquantized cost %.10g: ", model->quantized_cost, train->cost);
  bf_print_loss(run, "training", train->loss, train->accuracy);
  if (problem->test.tokens) bf_print_loss(run, "; test", test->loss, test->accuracy);
  bf_print(run, "\n");
}

/* ---- the run ---------------------------------------------------------------------------------------------------- */

static BfStatus solve(BfSession *session, Options *o, BfError *error) {
  BfRun           *run     = session->run;
  const BfProblem *problem = session->problem;
  BfModel          model   = {0};
  BfRollout        train = {0}, test = {0};
  BfStatus         status;
  BF_GOTO(check_space(session, o, error));
  session->space  = bf_space_name(o->set.space);
  const bool full = o->set.space == BF_SPACE_FULL;
  if (o->start.out && full) BF_GOTO(check_disk(run, &o->choice.full, o, error));
  BF_GOTO(bf_session_open(session, error));
  if (*o->choice.why) bf_print(run, "%s space: %s\n", bf_space_name(o->set.space), o->choice.why);
  const BfFullOptions options = {
      .store_value = o->set.store_value, .store_policy = o->set.store_policy, .stability = (int)o->set.stability};
  BF_GOTO(full ? bf_solve_full(run, problem, &options, session->store, session->checkpoint, &model, error)
               : bf_solve_reachable(run, problem, session->store, session->checkpoint, &model, error));
  BF_GOTO(bf_session_rollout(run, problem, &model, &train, &test, error));
  if (session->store) BF_GOTO(bf_model_write(problem, &model, session->store, error));
  if (session->store) BF_GOTO(bf_rollout_write(problem, &train, &test, session->store, error));
  print_answer(run, problem, &model, &train, &test);
  BF_GOTO(bf_session_publish(session, error));
  bf_report(run);
done:
  status = bf_session_close(session, error);
  bf_model_clear(&model);
  bf_rollout_clear(&train);
  bf_rollout_clear(&test);
  return status;
}

BfStatus bf_command_solve(BfRun *run, const BfArguments *arguments, BfError *error) {
  BfProblem *problem = NULL;
  Options    o       = {0};
  BfStatus   status;
  BF_GOTO(bf_together(run->world, read_options(run->options, &o, error), error));
  if (!arguments->file && !o.start.restart) {
    status = bf_fail(error, BF_BAD_INPUT, "solve needs a problem file; see `bellformer help solve`");
    goto done;
  }
  const BfKept kept    = {.options = bf_solve_options, .settings = &o.set, .more = &o, .settle = settle_space};
  BfSession    session = {
         .run = run, .arguments = arguments, .sections = &bf_solve_sections, .o = &o.start, .kept = &kept};
  BF_GOTO(bf_session_begin(&session, &problem, error));
  if (session.start == BF_FINISHED) goto done;
  bf_print_warnings(run, problem);
  session.problem = problem;
  status          = solve(&session, &o, error);
done:
  bf_problem_destroy(&problem);
  free_options(&o);
  return status;
}
