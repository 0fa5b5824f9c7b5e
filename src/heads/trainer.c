/* The trainer `heads`: a law of heads at every depth, along the gradient flow of its risk. */
#include "heads/trainer.h"
#include "heads/check.h"
#include "train/input.h"
#include <string.h>

static const BfSections sections = {"heads", 0, BF_SECTION_HEADS};

/* ---- options ----------------------------------------------------------------------------------------------------- */

static const char *input(const void *state) {
  const BfHeadsState *x = state;
  return x->set.init;
}

static BfStatus find_hash(BfHeadsState *x, const BfRun *run, BfError *error) {
  return bf_input_hash(run, "init", x->set.init, &x->init, error);
}

static BfStatus choose(void *state, const BfRun *run, const BfProblem *problem, BfError *error) {
  (void)problem;
  return find_hash(state, run, error);
}

/* ---- kept -------------------------------------------------------------------------------------------------------- */

static BfStatus save(const void *state, BfStore *store, BfError *error) {
  const BfHeadsState *x = state;
  BF_TRY(bf_input_save("init", x->init, store, error));
  return bf_store_put_text(store, "/options", "petsc", x->set.petsc, error);
}

/* PETSc's options of the file, and those of the line that it does not have. */
static BfStatus join_petsc(BfHeadsState *x, const char *then, BfError *error) {
  char *both = NULL;
  BF_TRY(bf_petsc_join(then, x->set.petsc, &both, error));
  bf_free(x->set.petsc);
  x->set.petsc = both;
  return BF_OK;
}

static BfStatus restore(void *state, const BfRun *run, BfStore *store, BfError *error) {
  BfHeadsState *x    = state;
  char         *then = NULL;
  (void)run;
  BF_TRY(bf_input_restore("init", &x->init, store, error));
  BF_TRY(bf_store_get_text(store, "/options", "petsc", &then, error));
  const BfStatus status = bf_store_together(store, join_petsc(x, then, error), error);
  bf_free(then);
  return status;
}

static BfStatus compare(void *state, const BfRun *run, const BfProblem *then, bool all, BfStore *store, bool *differ,
                        BfError *error) {
  BfHeadsState *x   = state;
  char         *was = NULL;
  (void)then;
  BF_TRY(bf_store_get_text(store, "/options", "petsc", &was, error));
  const BfStatus status =
      bf_store_together(store, bf_petsc_compare(bf_heads_options, was, x->set.petsc, all, differ, error), error);
  bf_free(was);
  BF_TRY(status);
  if (!all && !bf_options_given(run->options, "init")) return BF_OK;
  if (!all) BF_TRY(find_hash(x, run, error));
  return bf_input_compare("init", x->set.init, x->init, store, differ, error);
}

/* ---- the run ----------------------------------------------------------------------------------------------------- */

static BfStatus make(BfHeadsState *x, BfSession *session, BfError *error) {
  BF_TRY(bf_heads_database_create(x->set.petsc, &x->database, error));
  x->descent = (BfDescent){.run      = session->run,
                           .problem  = session->problem,
                           .set      = &x->set,
                           .database = x->database,
                           .heads    = x->heads,
                           .conic    = x->set.insert > 0};
  return bf_descent_create(&x->descent, error);
}

static BfStatus check(const void *state, const BfProblem *problem, BfError *error) {
  BF_TRY(bf_heads_check(problem, error));
  return bf_judge_check(problem, &((const BfHeadsState *)state)->set, error);
}

/* Every rank holds all open cells of a certificate: told now, not when the descent has ended. */
static BfStatus check_memory(const BfHeadsState *x, const BfRun *run, BfError *error) {
  const double bytes = x->set.certify ? run->node_size * bf_certify_bytes(x->set.certify) : 0;
  const double left  = (double)bf_memory_left(run);
  char         a[BF_HUMAN], b[BF_HUMAN];
  if (bytes <= left) return BF_OK;
  return bf_fail(error, BF_BAD_INPUT, "-certify %lld: its cells may take %s a node, %s are free",
                 (long long)x->set.certify, bf_human_bytes(bytes, a), bf_human_bytes(left, b));
}

static BfStatus create(void *state, BfSession *session, BfError *error) {
  BfHeadsState    *x       = state;
  const BfProblem *problem = session->problem;
  BF_TRY(bf_together(session->run->world, check(state, problem, error), error));
  BF_TRY(bf_together(session->run->world, check_memory(x, session->run, error), error));
  BF_TRY(bf_heads_create(session->run, problem, &problem->train, problem->layer.heads, (int)x->set.groups, &x->heads,
                         error));
  BF_TRY(bf_together(session->run->world, make(x, session, error), error));
  return session->start == BF_FRESH ? bf_descent_fill(&x->descent, error) : BF_OK;
}

static BfStatus train(void *state, BfSession *session, BfError *error) {
  BfHeadsState *x     = state;
  BfDescent    *d     = &x->descent;
  BfModel      *model = &session->trained.model;
  d->checkpoint       = session->checkpoint;
  BF_TRY(bf_descend(d, error));
  BF_TRY(bf_descent_evaluate_all(d, error));
  bf_phase_begin(session->run, BF_PHASE_HEADS);
  bf_progress_what(session->run, "stationarity");
  const BfStatus status = bf_judge(d, &x->judgement, error);
  bf_phase_end(session->run, BF_PHASE_HEADS);
  BF_TRY(status);
  BF_TRY(bf_together(session->run->world, bf_model_create(session->problem, false, model, error), error));
  model->readout = d->value.readout;
  return bf_heads_export(d, model, error);
}

static void destroy(void *state) {
  BfHeadsState *x = state;
  bf_descent_clear(&x->descent);
  bf_judgement_clear(&x->judgement);
  bf_heads_destroy(&x->heads);
  bf_petsc_database_destroy(&x->database);
  bf_free(x->set.petsc);
}

static const char *const outputs[] = {"/heads@accuracy",
                                      "/heads@certified_cells",
                                      "/heads@certified_found",
                                      "/heads@certified_gap",
                                      "/heads@certified_lower",
                                      "/heads@certified_scale",
                                      "/heads@certified_stationarity",
                                      "/heads@decay",
                                      "/heads@evaluations",
                                      "/heads@final_kernel_largest",
                                      "/heads@final_kernel_pooled_smallest",
                                      "/heads@final_kernel_rank",
                                      "/heads@final_kernel_residual",
                                      "/heads@final_kernel_smallest",
                                      "/heads@final_kernel_trace",
                                      "/heads@gradient_norm",
                                      "/heads@initial_accuracy",
                                      "/heads@initial_gradient_norm",
                                      "/heads@initial_loss",
                                      "/heads@initial_risk",
                                      "/heads@initial_slope",
                                      "/heads@initial_stationarity",
                                      "/heads@inserted",
                                      "/heads@kernel_largest",
                                      "/heads@kernel_pooled_smallest",
                                      "/heads@kernel_rank",
                                      "/heads@kernel_residual",
                                      "/heads@kernel_smallest",
                                      "/heads@kernel_trace",
                                      "/heads@loss",
                                      "/heads@lse_first",
                                      "/heads@lse_last",
                                      "/heads@outside",
                                      "/heads@promised_rate",
                                      "/heads@rate",
                                      "/heads@reason",
                                      "/heads@rejected",
                                      "/heads@risk",
                                      "/heads@slope",
                                      "/heads@stationarity",
                                      "/heads@stationarity_layer",
                                      "/heads@steps",
                                      "/heads@tau",
                                      "/heads/adjoint",
                                      "/heads/history/*",
                                      "/heads/initial",
                                      "/heads/initial_weights",
                                      "/heads/kernel/*",
                                      "/heads/lse/*",
                                      "/heads/particles",
                                      "/heads/stationarity/*",
                                      "/heads/tokens",
                                      "/heads/weights",
                                      NULL};

static const char *const needs[][2] = {{"/heads@kernel_*", "kernel"},
                                       {"/heads@final_kernel_*", "kernel"},
                                       {"/heads@promised_rate", "kernel"},
                                       {"/heads/kernel/*", "kernel"},
                                       {"/heads/history/kernel_*", "kernel"},
                                       {"/heads@lse_*", "lse"},
                                       {"/heads/lse/*", "lse"},
                                       {"/heads@certified_*", "certify"},
                                       {"/heads/stationarity/lower", "certify"},
                                       {"/heads/initial_weights", "insert"},
                                       {NULL, NULL}};

const BfTrainer bf_heads_trainer = {
    .name     = "heads",
    .about    = "Averages many heads a layer, a law of particles, and moves them along the gradient flow of the risk; "
                "reports what they come to.\n",
    .notes    = "PETSc's options (-ts_..., -log_view) work too.\n",
    .options  = bf_heads_options,
    .sections = &sections,
    .outputs  = outputs,
    .needs    = needs,
    .size     = sizeof(BfHeadsState),
    .parse    = bf_heads_petsc_take,
    .takes    = bf_heads_petsc_is,
    .input    = input,
    .choose   = choose,
    .check    = check,
    .save     = save,
    .restore  = restore,
    .compare  = compare,
    .create   = create,
    .train    = train,
    .write    = bf_heads_write_answer,
    .report   = bf_heads_report,
    .destroy  = destroy,
    .apply    = bf_heads_apply,
    .estimate = bf_heads_tell_estimate};
