/* The trainer `solve`: lifted dynamic programming. */
#include "solve/trainer.h"
#include "solve/best.h"
#include "solve/covering.h"
#include "solve/full/space.h"
#include <math.h>
#include <stdio.h>

#define AT(field) offsetof(BfSolveSettings, field)

const BfOption bf_solve_options[] = {
    {"space", BF_OPTION_CHOICE, BF_ANSWER, "SPACE", AT(space), .choice = bf_space_name, .chosen = AT(space_chosen),
     .meaning = "full (every measure) or reachable (those reached from the data); default: the one of less counted "
                "work, or full "
                "where an option asks for what only that has"},
    {"tables", BF_OPTION_CHOICE, BF_KEPT, "TABLES", AT(tables_kind), "auto", .later = true, .choice = bf_tables_name,
     .meaning = "stored (transition tables, found once), none (of one sequence: successors are found again in every "
                "layer, so that two layers of V are the memory; the same bits) or auto: none where there is one layer, "
                "or where tables do not fit (full space)"},
    {"store_value", BF_OPTION_BOOL, BF_ANSWER, "0", AT(store_value), "1",
     .meaning = "leave /value out of the result (full space)"},
    {"store_policy", BF_OPTION_BOOL, BF_ANSWER, "0", AT(store_policy), "1", .meaning = "leave /policy out"},
    {"sync", BF_OPTION_CHOICE, BF_KEPT, "KIND", AT(sync), "allreduce", .choice = bf_sync_name, .later = true,
     .meaning = "how nodes exchange the values of a layer while it is swept (full space); no bit depends on it: "},
    {"stability", BF_OPTION_INT, BF_ANSWER, "K", AT(stability), NULL, 0, 1000,
     .meaning = "V_0 and closed loops from all measures within K atom moves of the data (full space)"},
    {"beam", BF_OPTION_INT, BF_ANSWER, "B", AT(beam), NULL, 0, 0x1p40, .later = true,
     .meaning =
         "keep the B measures of a layer that promise most, all ranks together (reachable space): the best answer "
         "found, and a lower bound of the optimum, attribute lower_bound of /rollout"},
    {"beam_doublings", BF_OPTION_INT, BF_ANSWER, "D", AT(doublings), NULL, 0, 20, .later = true,
     .meaning = "double B so many times, or until the answer is optimal"},
    {"beam_tables", BF_OPTION_INT, BF_ANSWER, "N", AT(tables), "67108864", 0, 0x1p40, .later = true,
     .meaning =
         "numbers of 4 bytes, a node, in the tables of what single sequences reach (every rank holds the set of these "
         "measures beside): those with one have the better bound"},
    {"covering", BF_OPTION_INT, BF_ANSWER, "N", AT(covering), NULL, 0, 100000000, .later = true,
     .meaning =
         "measure the covering radius of the actions in the box of controls, in units of its sides, at N points: "
         "attribute covering_radius of /actions"},
    {"best", BF_OPTION_INT, BF_ANSWER, "B", AT(best), NULL, 0, BF_MOST_BEST, .later = true,
     .meaning =
         "the B open loops of least quantized cost whose quantized trajectories differ, into /rollout/best: flow "
         "-init refines all of them"},
    {"zoom", BF_OPTION_INT, BF_ANSWER, "R", AT(zoom), NULL, 0, BF_MOST_ROUNDS, .later = true,
     .meaning =
         "after the solve R times: lay the actions again, in a smaller box around every layer of the answer (with "
         "-best of all open loops), keep these layers, solve again. All rounds are in /zoom; actions and tables "
         "are those of the last"},
    {"zoom_factor", BF_OPTION_NUMBER, BF_ANSWER, "X", AT(zoom_factor), "0.5", 1e-6, 1, .later = true,
     .meaning = "by which the boxes' sides shrink from round to round; they are clipped to that of the problem"},
    {"zoom_tolerance", BF_OPTION_NUMBER, BF_ANSWER, "X", AT(zoom_tolerance), "0", 0, 1e300, .later = true,
     .meaning = "end with the first round that lowers the quantized cost by less"},
    {0}};

/* ---- the space -------------------------------------------------------------------------------------------------- */

/* A full space that nobody can number is refused before anything is made. */
static BfStatus check_numbered(const BfSolveState *x, const BfProblem *problem, BfError *error) {
  BfFullSpace space;
  if (x->choice.space != BF_SPACE_FULL || x->choice.full.measures > 0) return BF_OK;
  BF_TRY(bf_full_space_create(problem, &space, error));
  bf_full_space_clear(&space);
  return BF_OK;
}

static BfStatus choose(void *state, const BfRun *run, const BfProblem *problem, BfError *error) {
  BfSolveState *x    = state;
  const double  left = bf_memory_least(run);
  x->set.writes      = bf_options_given(run->options, "o") || bf_options_given(run->options, "restart");
  BF_TRY(bf_together(run->world, bf_solve_check_zoom(&x->set, run->options, problem, error), error));
  BF_TRY(bf_together(run->world, bf_space_choose(run, problem, &x->set, left, &x->choice, error), error));
  BF_TRY(bf_space_agree(run, problem, &x->set, &x->choice.full, error));
  x->set.space = (int)x->choice.space;
  return bf_together(run->world, check_numbered(x, problem, error), error);
}

/* Refuse tables over all measures that the result file's disk cannot take; the user says which to leave out. */
static BfStatus check_disk(const BfSolveState *x, const char *out, BfError *error) {
  const BfFullSize *size = &x->choice.full;
  const double need = (x->set.store_value ? size->value_bytes : 0) + (x->set.store_policy ? size->policy_bytes : 0);
  const double room = (double)bf_disk_free(out);
  char         a[BF_HUMAN], b[BF_HUMAN], c[BF_HUMAN];
  if (need <= room) return BF_OK;
  return bf_fail(error, BF_BAD_INPUT,
                 "%s: /value takes %s and /policy %s, its disk has %s free: leave one out with -store_value 0 or "
                 "-store_policy 0",
                 out, bf_human_bytes(size->value_bytes, a), bf_human_bytes(size->policy_bytes, b),
                 bf_human_bytes(room, c));
}

/* The space of a run that goes on is that which it was started in. */
static BfStatus create(void *state, BfSession *session, BfError *error) {
  const BfSolveState *x   = state;
  const BfRun        *run = session->run;
  if (session->start == BF_GOING_ON) BF_TRY(choose(state, run, session->problem, error));
  BF_TRY(bf_space_check(run, &x->choice, error));
  session->space = bf_space_name(x->set.space);
  if (!session->o.out || x->set.space != BF_SPACE_FULL) return BF_OK;
  return bf_together(run->world, run->rank == 0 ? check_disk(x, session->o.out, error) : BF_OK, error);
}

static BfStatus save(const void *state, BfStore *store, BfError *error) {
  return bf_zoom_save(&((const BfSolveState *)state)->zoom, store, error);
}

static BfStatus restore(void *state, const BfRun *run, BfStore *store, BfError *error) {
  BfSolveState *x = state;
  (void)run;
  return bf_zoom_restore(&x->zoom, x->set.zoom, store, error);
}

/* ---- the run ---------------------------------------------------------------------------------------------------- */

static BfStatus train(void *state, BfSession *session, BfError *error) {
  BfSolveState     *x    = state;
  const BfSolveOnce once = {.problem = session->problem, .tables = true};
  if (*x->choice.why) bf_print(session->run, "%s space: %s\n", session->space, x->choice.why);
  return x->set.zoom ? bf_zoom_train(x, session, error) : bf_solve_once(x, session, &once, error);
}

static BfStatus judge(void *state, BfSession *session, BfError *error) {
  BfSolveState *x = state;
  if (!x->set.covering) return BF_OK;
  return bf_covering_radius(session->run, session->problem, x->set.covering, &x->covering_radius, error);
}

static BfStatus write_beam(const BfBeamAnswer *answer, BfStore *store, BfError *error) {
  BF_TRY(bf_store_put_int(store, "/rollout", "beam", answer->beam, error));
  BF_TRY(bf_store_put_int(store, "/rollout", "dropped", answer->dropped, error));
  BF_TRY(bf_store_put_int(store, "/rollout", "optimal", answer->optimal, error));
  return bf_store_put_double(store, "/rollout", "lower_bound", answer->lower_bound, error);
}

static BfStatus write(const void *state, const BfSession *session, BfStore *store, BfError *error) {
  const BfSolveState *x = state;
  BF_TRY(bf_best_write(session->problem, &x->best, store, error));
  if (x->set.beam) BF_TRY(write_beam(&x->answer, store, error));
  BF_TRY(bf_zoom_write(&x->zoom, x->set.zoom_factor, store, error));
  if (!x->set.covering) return BF_OK;
  return bf_store_put_double(store, "/actions", "covering_radius", x->covering_radius, error);
}

static void report_beam(const BfRun *run, const BfBeamAnswer *answer, double cost) {
  if (answer->optimal) bf_print(run, ", optimal over the action set");
  else if (isfinite(answer->lower_bound))
    bf_print(run, ", best found: at most %.4g above the optimum over the action set, which is not below %.10g",
             cost - answer->lower_bound, answer->lower_bound);
  else bf_print(run, ", best found: no lower bound of the optimum is known for this terminal cost");
}

/* What dynamic programming proves of its answer. */
static void holds(const void *state, const BfSession *session, char text[BF_STATEMENT]) {
  const BfSolveState *x       = state;
  const BfProblem    *problem = session->problem;
  snprintf(text, BF_STATEMENT, "%s all %lld^%d lists of %sactions%s%s",
           x->set.beam && !x->answer.optimal ? "the best that was found of" : "the best of",
           (long long)problem->actions, problem->horizon, x->zoom.rounds > 1 ? "the last round's " : "",
           problem->cells ? ", on quantized tokens" : "",
           problem->cost.trained ? ", with its readout as it stands" : "");
}

static void report(const void *state, const BfSession *session) {
  const BfRun        *run   = session->run;
  const BfModel      *model = &session->trained.model;
  const BfRollout    *train = &session->trained.train, *test = &session->trained.test;
  const BfSolveState *x = state;
  bf_print(run, "actions:");
  for (int t = 0; t < model->layers; t++) bf_print(run, " %d", model->action[t]);
  if (session->problem->cost.readouts > 1) bf_print(run, ", readout %lld", (long long)model->readout);
  if (x->set.covering) bf_print(run, "\ncovering radius of the actions, from below: %.6g", x->covering_radius);
  bf_print(run, "\nquantized cost %.10g", model->quantized_cost);
  if (x->set.beam) report_beam(run, &x->answer, model->quantized_cost);
  bf_print(run, "\nunquantized cost %.10g: ", train->cost);
  bf_print_loss(run, "training", train->loss, train->accuracy);
  if (session->problem->test.tokens) bf_print_loss(run, "; test", test->loss, test->accuracy);
  bf_print(run, "\n");
  bf_best_report(run, session->problem, &x->best);
  bf_zoom_report(run, &x->zoom);
}

static void destroy(void *state) {
  BfSolveState *x = state;
  bf_best_clear(&x->best);
  bf_zoom_clear(&x->zoom);
}

static const char *const outputs[] = {"/actions@covering_radius",
                                      "/grid/points",
                                      "/layers/*/*",
                                      "/policy",
                                      "/rollout@beam",
                                      "/rollout@dropped",
                                      "/rollout@initial",
                                      "/rollout/best/*",
                                      "/rollout@lower_bound",
                                      "/rollout@optimal",
                                      "/rollout@statement",
                                      "/stability@moves",
                                      "/stability@all_pairs",
                                      "/stability@modulus",
                                      "/stability/index",
                                      "/stability/moves",
                                      "/stability/value",
                                      "/stability/loss",
                                      "/stability/open_loop_loss",
                                      "/value",
                                      "/zoom@*",
                                      "/zoom/*",
                                      "/zoom/*/*",
                                      NULL};

static const char *const needs[][2] = {{"/actions@covering_radius", "covering"},
                                       {"/stability@*", "stability"},
                                       {"/stability/*", "stability"},
                                       {"/rollout/best/*", "best"},
                                       {"/rollout@beam", "beam"},
                                       {"/rollout@dropped", "beam"},
                                       {"/rollout@lower_bound", "beam"},
                                       {"/rollout@optimal", "beam"},
                                       {"/zoom@*", "zoom"},
                                       {"/zoom/*", "zoom"},
                                       {"/zoom/*/*", "zoom"},
                                       {NULL, NULL}};

const BfTrainer bf_solve_trainer = {
    .name    = "solve",
    .about   = "Solves the dynamic program over quantized laws of tokens exactly and writes the trained Transformer.\n",
    .notes   = "PETSc's options (-log_view) work too.\n",
    .options = bf_solve_options,
    .sections = &bf_solve_sections,
    .outputs  = outputs,
    .needs    = needs,
    .size     = sizeof(BfSolveState),
    .choose   = choose,
    .save     = save,
    .restore  = restore,
    .create   = create,
    .train    = train,
    .judge    = judge,
    .write    = write,
    .report   = report,
    .holds    = holds,
    .destroy  = destroy,
    .estimate = bf_solve_estimate};
