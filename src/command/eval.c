/* bellformer eval: a trained model on a data table. */
#include "bellformer/flow.h"
#include "command/command.h"
#include "command/prediction.h"
#include "train/target.h"
#include <math.h>
#include <string.h>

typedef struct {
  char *data, *out;
  bool  overwrite;
} Settings;

static const BfOption eval_options[] = {
    {"data", BF_OPTION_TEXT, BF_OF_THIS_START, "TABLE", offsetof(Settings, data),
     .meaning = "the table (CSV or HDF5, as in a problem; label or targets may be missing); without it the training "
                "data of the result file. A token outside the box is taken as it is: P acts after the first layer"},
    {"o", BF_OPTION_TEXT, BF_OF_THIS_START, "FILE", offsetof(Settings, out),
     .meaning =
         "write what the model answers, as CSV or HDF5 by the ending (.csv; .h5, .hdf5): a row a sequence in the order "
         "of their numbers, or, where the cost is one of tokens, a row a token in the order of the table, with "
         "sequence, position, class, logits and representation, or value. HDF5 has these under /prediction (of a "
         "flow also /flow_prediction), the tokens after every layer as /tokens [T+1, N, d] and, with labels, the loss "
         "of every sequence as /loss [S]"},
    {"overwrite", BF_OPTION_BOOL, BF_OF_THIS_START, NULL, offsetof(Settings, overwrite),
     .meaning = "replace FILE if it exists"},
    {0}};

void bf_manual_eval(const char *name, BfManual *manual) {
  (void)name;
  *manual = (BfManual){
      .usage = "RUN.h5 [options]",
      .about =
          "Applies the trained Transformer of a result file to a data table; prints loss and accuracy. Of a result of "
          "flow it tells both: of the layers, and of the flow in the scheme that it was trained with. A table without "
          "labels (or targets) is predicted.\n",
      .options = {eval_options, bf_run_options},
      .notes   = "PETSc's options (-log_view) work too.\n"};
}

static BfStatus take_table(BfProblem *problem, const BfFile *file, BfData *data, int64_t *outside, BfError *error) {
  const int targets = problem->cost.kind->needs_target;
  BF_TRY(bf_data_parse_unlabelled(file, problem->layer.dim, targets, data, error));
  BF_TRY(bf_problem_encode(problem, data->positions, error));
  return bf_problem_check_data(problem, file, data, outside, error);
}

static BfStatus read_table(const BfRun *run, BfProblem *problem, const char *path, BfData *data, int64_t *outside,
                           BfError *error) {
  BfFiles      *files = NULL;
  const BfFile *file;
  BfStatus      status;
  BF_GOTO(bf_together(run->world, bf_files_create(run->world, ".", &files, error), error));
  BF_GOTO(bf_files_get(files, path, &file, error));
  status = bf_together(run->world, take_table(problem, file, data, outside, error), error);
done:
  bf_files_destroy(&files);
  return status;
}

/* The flow of a result on a data set; tokens are owned by the caller. */
typedef struct {
  BfFlowOptions options;
  BfFlowValue   value;
} Continuous;

/* The scheme that a result of flow was trained with; scheme NULL: it is one of solve. */
static BfStatus read_scheme(const BfRun *run, const char *path, BfFlowOptions *o, BfError *error) {
  BfStore *store = NULL;
  char    *name  = NULL;
  int64_t  steps;
  bool     there;
  BfStatus status;
  *o = (BfFlowOptions){.memory = 0};
  BF_GOTO(bf_store_open(run->world, path, &store, error));
  BF_GOTO(bf_store_has(store, "/flow", &there, error));
  if (!there) goto done;
  BF_GOTO(bf_store_read_text(store, "/flow", "scheme", &name, error));
  BF_GOTO(bf_store_read_int(store, "/flow", "steps", &steps, error));
  BF_GOTO(bf_store_read_double(store, "/flow", "tolerance", &o->tolerance, error));
  o->scheme = bf_scheme(name);
  o->steps  = (int)steps;
  if (!o->scheme || steps < 1 || steps > 1000000 || !(o->tolerance > 0))
    status = bf_fail(error, BF_BAD_INPUT, "%s: /flow: its scheme is damaged", path);
done:
  status = bf_store_end(&store, error);
  bf_free(name);
  return status;
}

static BfStatus evaluate_flow(const BfRun *run, const char *path, const BfProblem *problem, const BfData *data,
                              const BfModel *model, Continuous *x, BfError *error) {
  BfFlow  *flow = NULL;
  BfStatus status;
  BF_TRY(read_scheme(run, path, &x->options, error));
  if (!x->options.scheme) return BF_OK;
  BF_TRY(bf_together(run->world, BF_NEW(&x->value.tokens, (problem->horizon + 1) * data->tokens * data->dim, error),
                     error));
  BF_TRY(bf_flow_create(run, problem, data, &x->options, &flow, error));
  bf_flow_set_readout(flow, model->readout);
  bf_work_expect(run, BF_PHASE_FLOW, 1, "evaluations", bf_flow_seconds(flow) / 3.5, false);
  bf_phase_begin(run, BF_PHASE_FLOW);
  status = bf_flow_evaluate(flow, model->control, &x->value, error);
  bf_phase_end(run, BF_PHASE_FLOW);
  bf_flow_destroy(&flow);
  return status;
}

static void print_loss(const BfRun *run, const BfData *data, double loss, double accuracy) {
  if (data->unlabelled) bf_print(run, ": no labels\n");
  else {
    bf_print(run, ": loss %.10g", loss);
    if (!isnan(accuracy)) bf_print(run, ", accuracy %.6g", accuracy);
    bf_print(run, "\n");
  }
}

static void print_scheme(const BfRun *run, const BfFlowOptions *o) {
  if (bf_scheme_is_layers(o->scheme)) bf_print(run, "flow (layers)");
  else if (o->scheme->adaptive) bf_print(run, "flow (%s, tolerance %g)", o->scheme->name, o->tolerance);
  else bf_print(run, "flow (%s, %d step%s a layer)", o->scheme->name, o->steps, o->steps > 1 ? "s" : "");
}

static void print_answer(const BfRun *run, const BfAnswer *answer, const BfFlowOptions *o, bool written) {
  const BfData *data = answer->data;
  bf_print(run, "%lld sequence%s, %lld tokens", (long long)data->contexts, data->contexts > 1 ? "s" : "",
           (long long)data->tokens);
  print_loss(run, data, answer->rollout->loss, answer->rollout->accuracy);
  if (data->unlabelled) bf_answer_print(run, answer->prediction);
  if (answer->flow && (answer->flow_prediction || !data->unlabelled)) {
    print_scheme(run, o);
    print_loss(run, data, answer->flow->loss, answer->flow->accuracy);
    if (data->unlabelled) bf_answer_print(run, answer->flow_prediction);
  }
  if (answer->outside)
    bf_print(run, "tokens outside the box: %lld, taken as they are (P acts after the first layer)\n",
             (long long)answer->outside);
  if (data->unlabelled && !written) bf_print(run, "-o FILE.csv or -o FILE.h5 writes the predictions\n");
}

/* The answers of layers and flow, told and written. */
static BfStatus tell(BfRun *run, const BfProblem *problem, const BfModel *model, BfAnswer *answer, Continuous *flow,
                     const Settings *o, BfError *error) {
  const int64_t last   = (int64_t)problem->horizon * answer->data->tokens * answer->data->dim;
  BfPrediction  layers = {0}, along = {0};
  BfStatus      status;
  status = bf_predict(problem, answer->data, model->readout, answer->rollout->tokens + last, &layers, error);
  answer->prediction = &layers;
  BF_GOTO(bf_together(run->world, status, error));
  if (flow->options.scheme) answer->flow = &flow->value;
  if (answer->flow && !bf_scheme_is_layers(flow->options.scheme)) {
    status = bf_predict(problem, answer->data, model->readout, flow->value.tokens + last, &along, error);
    answer->flow_prediction = &along;
    BF_GOTO(bf_together(run->world, status, error));
  }
  if (o->out) BF_GOTO(bf_answer_write(run, answer, o->out, o->overwrite, error));
  const bool quiet = run->quiet;
  run->quiet       = false; /* the answer is not progress */
  print_answer(run, answer, &flow->options, o->out != NULL);
  run->quiet = quiet;
done:
  bf_prediction_clear(&layers);
  bf_prediction_clear(&along);
  return status;
}

static BfStatus eval(BfRun *run, const BfArguments *arguments, const Settings *o, BfError *error) {
  BfProblem *problem = NULL;
  BfModel    model   = {0};
  BfData     table   = {0};
  BfRollout  rollout = {0};
  Continuous flow    = {0};
  int64_t    outside = 0;
  BfStatus   status;
  if (o->out) BF_GOTO(bf_target_check(run, arguments, o->out, false, o->data, error));
  bf_phase_begin(run, BF_PHASE_READ);
  BF_GOTO(bf_model_read(run, arguments->file, &problem, &model, error));
  if (o->data) BF_GOTO(read_table(run, problem, o->data, &table, &outside, error));
  bf_phase_end(run, BF_PHASE_READ);
  const BfData *data = o->data ? &table : &problem->train;
  bf_work_expect(run, BF_PHASE_ROLLOUT, bf_rollout_terms(problem, data), NULL, BF_TERM_SECONDS, false);
  bf_phase_begin(run, BF_PHASE_ROLLOUT);
  status = bf_rollout(problem, data, model.control, model.readout, &rollout, error);
  bf_phase_end(run, BF_PHASE_ROLLOUT);
  BF_GOTO(bf_together(run->world, status, error));
  bf_work_done(run, BF_PHASE_ROLLOUT, bf_rollout_terms(problem, data));
  BF_GOTO(evaluate_flow(run, arguments->file, problem, data, &model, &flow, error));
  BfAnswer answer = {.data = data, .layers = problem->horizon, .outside = outside, .rollout = &rollout};
  status          = tell(run, problem, &model, &answer, &flow, o, error);
done:
  bf_model_clear(&model);
  bf_rollout_clear(&rollout);
  bf_free(flow.value.tokens);
  bf_data_clear(&table);
  bf_problem_destroy(&problem);
  return status;
}

static BfStatus read_options(BfOptions *options, Settings *o, BfError *error) {
  bool csv;
  BF_TRY(bf_options_parse(eval_options, options, o, error));
  BF_TRY(bf_options_refuse_unread(options, error));
  return o->out ? bf_answer_ending(o->out, &csv, error) : BF_OK;
}

BfStatus bf_command_eval(BfRun *run, const BfArguments *arguments, BfError *error) {
  Settings o = {0};
  BfStatus status;
  BF_GOTO(bf_together(run->world, read_options(run->options, &o, error), error));
  status = arguments->file ? eval(run, arguments, &o, error)
                           : bf_fail(error, BF_BAD_INPUT, "eval needs a result file; see `bellformer help eval`");
done:
  bf_options_clear(eval_options, &o);
  return status;
}
