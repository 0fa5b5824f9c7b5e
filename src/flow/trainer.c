/* bellformer flow: train along the continuous-depth flow. */
#include "flow/answer.h"
#include "flow/settings.h"
#include "flow/start.h"
#include "train/session.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct {
  BfSessionOptions  start;
  BfFlowSettings    set;
  BfInitialControls points;
  int64_t           rows[2]; /* of points.given, as a checkpoint has it */
  BfFlowOptions     flow;
  const BfRun      *run;
} Options;

/* ---- options ---------------------------------------------------------------------------------------------------- */

static BfStatus settle(Options *o, BfError *error) {
  o->points.starts = o->set.starts;
  o->points.seed   = o->set.seed;
  return bf_flow_settle(o->run, &o->set, &o->flow, error);
}

static BfStatus parse_options(Options *o, BfError *error) {
  BF_TRY(bf_session_options(o->run->options, &o->start, error));
  return bf_flow_settings_parse(o->run->options, &o->set, error);
}

static BfStatus read_options(Options *o, BfError *error) {
  BF_TRY(bf_together(o->run->world, parse_options(o, error), error));
  return settle(o, error);
}

static void free_options(Options *o) {
  bf_session_options_clear(&o->start);
  bf_flow_settings_clear(&o->set);
  bf_free(o->points.given);
}

/* ---- what a checkpoint keeps beside them ------------------------------------------------------------------------ */

static BfStatus save_more(const void *more, BfStore *store, BfError *error) {
  const Options *o = more;
  BF_TRY(bf_store_attribute_text(store, "/options", "petsc", o->set.petsc, error));
  return o->points.given ? bf_store_write(store, "/options/given", BF_STORE_DOUBLE, 2, o->rows, o->points.given, error)
                         : BF_OK;
}

/* PETSc's options of the file, and those of the line that it does not have. */
static BfStatus join_petsc(Options *o, const char *then, BfError *error) {
  char *both = NULL;
  BF_TRY(bf_petsc_join(then, o->set.petsc, &both, error));
  bf_free(o->set.petsc);
  o->set.petsc = both;
  return BF_OK;
}

static BfStatus restore_more(void *more, BfStore *store, BfError *error) {
  Options *o    = more;
  char    *then = NULL;
  bool     there;
  BF_TRY(bf_store_read_text(store, "/options", "petsc", &then, error));
  const BfStatus status = bf_store_together(store, join_petsc(o, then, error), error);
  bf_free(then);
  BF_TRY(status);
  BF_TRY(settle(o, error));
  bf_free(o->points.given);
  o->points.given = NULL;
  BF_TRY(bf_store_has(store, "/options/given", &there, error));
  if (!there) return BF_OK;
  return bf_store_read(store, "/options/given", BF_STORE_DOUBLE, 2, o->rows, (void **)&o->points.given, error);
}

/* ---- where the search starts ------------------------------------------------------------------------------------ */

static BfStatus settle_start(void *options, const BfRun *run, const BfProblem *problem, BfError *error) {
  Options      *o = options;
  const int64_t T = problem->horizon, q = problem->layer.free;
  const char   *init   = o->set.init;
  const bool    sample = init && !strcmp(init, "sample"), zero = init && !strcmp(init, "zero");
  if (sample || (!init && o->points.starts)) {
    if (!o->points.starts) o->set.starts = o->points.starts = 1;
    return BF_OK;
  }
  o->rows[0] = T;
  o->rows[1] = q;
  bf_free(o->points.given);
  BF_TRY(bf_together(run->world, BF_NEW(&o->points.given, T * q, error), error));
  if (init && !zero) return bf_flow_init_result(run, problem, init, o->points.given, error);
  bf_flow_init_zero(problem, o->points.given);
  return BF_OK;
}

/* Whether the controls that the search is given are the same, whatever file they are from. */
static BfStatus compare_given(const Options *o, BfStore *store, bool *differ, BfError *error) {
  const bool is   = o->points.given != NULL;
  double    *then = NULL;
  int64_t    rows[2];
  bool       was;
  BF_TRY(bf_store_has(store, "/options/given", &was, error));
  if (was) BF_TRY(bf_store_read(store, "/options/given", BF_STORE_DOUBLE, 2, rows, (void **)&then, error));
  *differ = was != is || (is && (rows[0] != o->rows[0] || rows[1] != o->rows[1]));
  if (is && !*differ) *differ = memcmp(then, o->points.given, sizeof *then * (size_t)(rows[0] * rows[1])) != 0;
  bf_free(then);
  if (!*differ) return BF_OK;
  return bf_fail(error, BF_BAD_INPUT, "-init was %s, now %s", was ? "another control" : "sample",
                 o->set.init ? o->set.init
                 : is        ? "zero"
                             : "sample");
}

static BfStatus compare_more(void *more, const BfRun *run, const BfProblem *then, bool all, BfStore *store,
                             bool *differ, BfError *error) {
  Options *o   = more;
  char    *was = NULL;
  BfStatus status;
  BF_GOTO(bf_store_read_text(store, "/options", "petsc", &was, error));
  BF_GOTO(bf_store_together(store, bf_petsc_compare(bf_flow_options, was, o->set.petsc, all, differ, error), error));
  if (!all && !bf_options_given(run->options, "init")) goto done;
  if (!all) BF_GOTO(settle_start(o, run, then, error));
  status = compare_given(o, store, differ, error);
done:
  bf_free(was);
  return status;
}

static BfStatus check_given(const BfProblem *problem, const Options *o, BfError *error) {
  if (!o->points.given || (o->rows[0] == problem->horizon && o->rows[1] == problem->layer.free)) return BF_OK;
  return bf_fail(error, BF_BAD_INPUT, "%s.checkpoint: /options/given does not fit the problem", o->start.out);
}

/* ---- the answer ------------------------------------------------------------------------------------------------- */

static BfStatus make_answer(const BfProblem *problem, BfFlowAnswer *x, BfError *error) {
  const int64_t T = problem->horizon, q = problem->layer.free,
                table = (T + 1) * problem->train.tokens * problem->layer.dim;
  BF_TRY(BF_NEW(&x->value.gradient, T * q, error));
  BF_TRY(BF_NEW(&x->value.tokens, table, error));
  BF_TRY(BF_NEW(&x->value.adjoint, table, error));
  BF_TRY(bf_model_create(problem, false, &x->model, error));
  memcpy(x->model.control, x->training.control, sizeof(double) * (size_t)(T * q));
  return BF_OK;
}

/* All that is told of the answer, from its controls. */
static BfStatus evaluate(BfRun *run, BfFlow *flow, const BfProblem *problem, const Options *o, BfFlowAnswer *x,
                         BfError *error) {
  BfFlow  *test = NULL;
  BfStatus status;
  BF_TRY(bf_together(run->world, make_answer(problem, x, error), error));
  bf_phase_begin(run, BF_PHASE_FLOW);
  BF_TRY(bf_flow_evaluate(flow, x->model.control, &x->value, error));
  x->model.readout = x->value.readout;
  BF_TRY(bf_pontryagin(flow, problem, x->model.control, &x->value, &x->pontryagin, error));
  if (problem->test.tokens) {
    BF_TRY(bf_flow_create(run, problem, &problem->test, &o->flow, &test, error));
    bf_flow_set_readout(test, x->value.readout);
    status = bf_flow_evaluate(test, x->model.control, &x->test, error);
    bf_flow_destroy(&test);
    BF_TRY(status);
  }
  bf_phase_end(run, BF_PHASE_FLOW);
  BF_TRY(bf_session_rollout(run, problem, &x->model, &x->layers, &x->test_layers, error));
  bf_flow_layers(problem, &problem->train, &x->value, x->layers.cost, &x->compared, error);
  return bf_agree(run->world, error);
}

/* ---- the run ---------------------------------------------------------------------------------------------------- */

static BfStatus test_gradient(BfRun *run, BfFlow *flow, const BfProblem *problem, const double *control,
                              BfError *error) {
  double difference;
  BF_TRY(bf_flow_test_gradient(flow, problem, control, &difference, error));
  bf_print(run, "gradient test: largest difference %.3g relative to the largest component, %lld components\n",
           difference, (long long)problem->horizon * problem->layer.free);
  return BF_OK;
}

/* The least of many: a time is only ever lengthened by what else goes on. */
static BfStatus time_gradient(BfRun *run, BfFlow *flow, const double *control, double *gradient, BfError *error) {
  double best[2] = {INFINITY, INFINITY}, spent = 0;
  int    count = 0;
  for (; count < 5 || spent < 2; count++)
    for (int with = 0; with < 2; with++) {
      BfFlowValue value = {.gradient = with ? gradient : NULL};
      MPI_Barrier(run->world);
      double seconds = bf_seconds();
      BF_TRY(bf_flow_evaluate(flow, control, &value, error));
      seconds = bf_seconds() - seconds;
      MPI_Allreduce(MPI_IN_PLACE, &seconds, 1, MPI_DOUBLE, MPI_MAX, run->world);
      best[with] = fmin(best[with], seconds);
      spent += seconds;
    }
  bf_print(run, "forward %.4g s, gradient %.4g s (best of %d), ratio %.3g\n", best[0], best[1], count,
           best[1] / best[0]);
  return BF_OK;
}

static BfStatus check(BfRun *run, BfFlow *flow, const BfProblem *problem, const Options *o, BfError *error) {
  const int64_t n       = (int64_t)problem->horizon * problem->layer.free;
  const bool    quiet   = run->quiet;
  double       *control = NULL, *gradient = NULL;
  BfStatus      status;
  run->quiet = false; /* the answer is not progress */
  BF_GOTO(bf_together(run->world, BF_NEW(&control, n, error), error));
  BF_GOTO(bf_together(run->world, BF_NEW(&gradient, n, error), error));
  bf_initial_control(problem, &o->points, 0, control);
  if (o->set.test_gradient) BF_GOTO(test_gradient(run, flow, problem, control, error));
  if (o->set.time_gradient) BF_GOTO(time_gradient(run, flow, control, gradient, error));
done:
  run->quiet = quiet;
  bf_free(control);
  bf_free(gradient);
  return status;
}

static BfStatus train(BfSession *session, BfFlow *flow, const Options *o, BfError *error) {
  BfRun           *run     = session->run;
  const BfProblem *problem = session->problem;
  BfFlowAnswer     x       = {0};
  BfStatus         status;
  BF_GOTO(bf_session_open(session, error));
  BF_GOTO(bf_flow_train(run, flow, problem, &o->points, session->checkpoint, &x.training, error));
  if (!isfinite(x.training.final_cost[x.training.best])) {
    status = bf_fail(error, BF_FAILURE, "J is infinite at every start: the flow leaves what a double holds");
    goto done;
  }
  BF_GOTO(evaluate(run, flow, problem, o, &x, error));
  if (session->store) BF_GOTO(bf_flow_answer_write(problem, &o->flow, &x, session->store, error));
  bf_flow_answer_print(run, problem, o->flow.scheme, &x);
  BF_GOTO(bf_session_publish(session, error));
  bf_report(run);
done:
  status = bf_session_close(session, error);
  bf_flow_answer_clear(&x);
  return status;
}

static BfStatus flow_run(BfSession *session, Options *o, BfError *error) {
  BfRun   *run  = session->run;
  BfFlow  *flow = NULL;
  BfStatus status;
  if (session->start == BF_FRESH && !bf_options_given(run->options, "scheme") && bf_scheme_is_layers(o->flow.scheme))
    bf_print(run,
             "-init is a result of solve: -scheme layers, the layers themselves with P; give -scheme for a flow\n");
  BF_GOTO(bf_together(run->world, bf_flow_check_profile(run, session->problem, &o->flow, error), error));
  BF_GOTO(check_given(session->problem, o, error));
  BF_GOTO(bf_flow_create(run, session->problem, &session->problem->train, &o->flow, &flow, error));
  status = o->set.test_gradient || o->set.time_gradient ? check(run, flow, session->problem, o, error)
                                                        : train(session, flow, o, error);
done:
  bf_flow_destroy(&flow);
  return status;
}

BfStatus bf_command_flow(BfRun *run, const BfArguments *arguments, BfError *error) {
  BfProblem *problem = NULL;
  Options    o       = {.run = run};
  BfStatus   status;
  BF_GOTO(read_options(&o, error));
  if (!arguments->file && !o.start.restart) {
    status = bf_fail(error, BF_BAD_INPUT, "flow needs a problem file; see `bellformer help flow`");
    goto done;
  }
  const BfKept kept    = {bf_flow_options, &o.set, &o, settle_start, save_more, restore_more, compare_more};
  BfSession    session = {
         .run = run, .arguments = arguments, .sections = &bf_flow_sections, .o = &o.start, .space = "flow", .kept = &kept};
  session.input = bf_flow_init_is_file(o.set.init) ? o.set.init : NULL;
  BF_GOTO(bf_session_begin(&session, &problem, error));
  if (session.start == BF_FINISHED) goto done;
  bf_print_warnings(run, problem);
  session.problem = problem;
  status          = flow_run(&session, &o, error);
done:
  bf_problem_destroy(&problem);
  free_options(&o);
  return status;
}
