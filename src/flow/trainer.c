/* The trainer `flow`: along the continuous-depth flow. */
#include "flow/trainer.h"
#include <math.h>
#include <string.h>

static BfStatus parse(void *state, BfOptions *options, BfError *error) {
  BfFlowState *x = state;
  return bf_flow_petsc_take(options, &x->set.petsc, error);
}

static const char *input(const void *state) {
  const BfFlowState *x = state;
  return bf_flow_init_is_file(x->set.init) ? x->set.init : NULL;
}

/* The option that asks for something else than a search. */
static const char *only(const void *state) {
  const BfFlowState *x = state;
  return x->set.test_gradient ? "-test_gradient" : x->set.time_gradient ? "-time_gradient" : NULL;
}

static BfStatus choose(void *state, const BfRun *run, const BfProblem *problem, BfError *error) {
  const BfFlowState *x = state;
  BF_TRY(bf_together(run->world, bf_flow_check_seed(run->options, &x->set, error), error));
  return bf_flow_choose_start(state, run, problem, error);
}

/* Of a checkpoint: layer by layer, one control behind another. */
static BfStatus count_given(const BfProblem *problem, BfFlowState *x, const char *out, BfError *error) {
  const int64_t *controls = x->shape.controls, *readouts = x->shape.readouts, trained = problem->cost.trained;
  x->points.givens = x->points.given ? controls[0] / problem->horizon : 0;
  if (!x->points.given ||
      (x->points.givens && controls[0] % problem->horizon == 0 && controls[1] == problem->layer.free &&
       readouts[0] == (trained ? x->points.givens : 0) && readouts[1] == trained))
    return BF_OK;
  return bf_fail(error, BF_BAD_INPUT, "%s.checkpoint: /options/given does not fit the problem", out);
}

static BfStatus create(void *state, BfSession *session, BfError *error) {
  BfFlowState     *x       = state;
  BfRun           *run     = session->run;
  const BfProblem *problem = session->problem;
  if (session->start == BF_FRESH && !bf_options_given(run->options, "scheme") && x->options.scheme->discrete)
    bf_print(run,
             "-init is a result of solve: -scheme layers, the layers themselves with P; give -scheme for a flow\n");
  BF_TRY(bf_together(run->world, bf_flow_check_profile(run, problem, &x->options, error), error));
  BF_TRY(bf_together(run->world, count_given(problem, x, session->o.out, error), error));
  return bf_flow_create(run, problem, &problem->train, &x->options, &x->flow, error);
}

static BfStatus instead(void *state, BfSession *session, BfError *error) {
  return bf_flow_try_gradient(state, session->run, session->problem, error);
}

/* ---- the run ---------------------------------------------------------------------------------------------------- */

static BfStatus make_answer(const BfProblem *problem, BfFlowState *x, BfModel *model, BfError *error) {
  const int64_t controls = (int64_t)problem->horizon * problem->layer.free, trained = problem->cost.trained,
                table = (problem->horizon + 1) * problem->train.tokens * problem->layer.dim;
  BF_TRY(BF_NEW(&x->value.gradient, controls + trained, error));
  BF_TRY(BF_NEW(&x->value.tokens, table, error));
  BF_TRY(BF_NEW(&x->value.adjoint, table, error));
  BF_TRY(bf_model_create(problem, false, model, error));
  memcpy(model->control, x->answer.control, sizeof(double) * (size_t)controls);
  if (!trained) return BF_OK;
  BF_TRY(BF_NEW(&model->numbers, trained, error));
  memcpy(model->numbers, x->answer.control + controls, sizeof(double) * (size_t)trained);
  return BF_OK;
}

static BfStatus evaluate_test(BfRun *run, const BfProblem *problem, BfFlowState *x, const BfModel *model,
                              BfError *error) {
  BfFlow *test = NULL;
  BF_TRY(bf_flow_create(run, problem, &problem->test, &x->options, &test, error));
  bf_flow_set_readout(test, model->readout);
  const BfStatus status = bf_flow_evaluate(test, x->answer.control, &x->test, error);
  bf_flow_destroy(&test);
  return status;
}

/* All that is told of the answer, from its controls. */
static BfStatus evaluate(BfRun *run, const BfProblem *problem, BfFlowState *x, BfModel *model, BfError *error) {
  BF_TRY(bf_together(run->world, make_answer(problem, x, model, error), error));
  bf_phase_begin(run, BF_PHASE_FLOW);
  BF_TRY(bf_flow_evaluate(x->flow, x->answer.control, &x->value, error));
  model->readout = x->value.readout;
  BF_TRY(bf_pontryagin(x->flow, problem, x->answer.control, &x->value, &x->pontryagin, error));
  if (problem->test.tokens) BF_TRY(evaluate_test(run, problem, x, model, error));
  bf_phase_end(run, BF_PHASE_FLOW);
  return BF_OK;
}

static BfStatus train(void *state, BfSession *session, BfError *error) {
  BfFlowState  *x   = state;
  BfFlowAnswer *out = &x->answer;
  out->wanted       = x->set.best;
  BF_TRY(bf_flow_train(session->run, x->flow, session->problem, &x->points, session->checkpoint, out, error));
  if (!isfinite(out->final_cost[out->best]))
    return bf_fail_for(error, BF_FAILURE, BF_CAUSE_NUMBERS,
                       "J is infinite at every start: the flow leaves what a double holds");
  return evaluate(session->run, session->problem, x, &session->trained.model, error);
}

static BfStatus judge(void *state, BfSession *session, BfError *error) {
  BfFlowState     *x       = state;
  const BfProblem *problem = session->problem;
  const double     cost    = session->trained.train.cost;
  return bf_together(session->run->world,
                     bf_flow_layers(problem, &problem->train, &x->value, cost, &x->compared, error), error);
}

static void destroy(void *state) {
  BfFlowState *x = state;
  bf_flow_destroy(&x->flow);
  bf_flow_answer_clear(&x->answer);
  bf_free(x->value.gradient);
  bf_free(x->value.tokens);
  bf_free(x->value.adjoint);
  bf_pontryagin_clear(&x->pontryagin);
  bf_flow_layers_clear(&x->compared);
  bf_free(x->points.given);
  bf_free(x->set.petsc);
}

static const char *const outputs[] = {"/flow@accuracy",
                                      "/flow@cost",
                                      "/flow@evaluations",
                                      "/flow@given",
                                      "/flow@iterations",
                                      "/flow@layers_difference",
                                      "/flow@lipschitz",
                                      "/flow@minima",
                                      "/flow@loss",
                                      "/flow@outside",
                                      "/flow@outside_depth",
                                      "/flow@reason",
                                      "/flow@scheme",
                                      "/flow@start",
                                      "/flow@steps",
                                      "/flow@test_accuracy",
                                      "/flow@test_loss",
                                      "/flow@tolerance",
                                      "/flow/adjoint",
                                      "/flow/depth",
                                      "/flow/gradient",
                                      "/flow/history/*",
                                      "/flow/lipschitz",
                                      "/flow/outside",
                                      "/flow/readout_gradient/*",
                                      "/flow/starts/*",
                                      "/flow/tokens",
                                      "/options/given",
                                      "/options/given_readout",
                                      "/pontryagin@hamiltonian_variation",
                                      "/pontryagin@hamiltonian_variation_within",
                                      "/pontryagin@readout_stationarity",
                                      "/pontryagin@stationarity",
                                      "/pontryagin@terminal",
                                      "/pontryagin@violation",
                                      "/pontryagin@violation_action",
                                      "/pontryagin@violation_depth",
                                      "/pontryagin/*",
                                      "/rollout@statement",
                                      "/rollout/best/*",
                                      NULL};

static const char *const needs[][2] = {{"/rollout/best/*", "best"}, {NULL, NULL}};

const BfTrainer bf_flow_trainer = {
    .name = "flow",
    .about =
        "Integrates the layers as a flow in depth, minimizes the cost over piecewise constant controls by its exact "
        "gradient, and checks Pontryagin's condition at the answer.\n",
    .notes          = "PETSc's options (-tao_..., -ts_..., -log_view) work too.\n",
    .options        = bf_flow_options,
    .sections       = &bf_flow_sections,
    .outputs        = outputs,
    .needs          = needs,
    .trains_readout = true,
    .size           = sizeof(BfFlowState),
    .parse          = parse,
    .takes          = bf_flow_petsc_is,
    .settle         = bf_flow_settle_state,
    .input          = input,
    .only           = only,
    .choose         = choose,
    .save           = bf_flow_save,
    .restore        = bf_flow_restore,
    .compare        = bf_flow_compare,
    .create         = create,
    .instead        = instead,
    .train          = train,
    .judge          = judge,
    .write          = bf_flow_write_answer,
    .report         = bf_flow_report,
    .holds          = bf_flow_holds,
    .destroy        = destroy,
    .apply          = bf_flow_apply,
    .estimate       = bf_flow_tell_estimate};
