/* bellformer eval: a trained model on a data table. */
#include "bellformer/flow.h"
#include "command/command.h"
#include <math.h>
#include <string.h>

typedef struct {
  char *data, *out;
  bool  overwrite;
} Settings;

static const BfOption eval_options[] = {
    {"data", BF_OPTION_TEXT, BF_OF_THIS_START, "TABLE", offsetof(Settings, data),
     .meaning = "the table (CSV or HDF5, as in a problem); without it the training data of the result file"},
    {"o", BF_OPTION_TEXT, BF_OF_THIS_START, "FILE", offsetof(Settings, out),
     .meaning =
         "write the tokens after every layer as /tokens [T+1, N, d] with loss and accuracy as attributes, and the "
         "loss of every sequence as /loss [S]; of a flow also /flow_tokens, flow_loss and flow_accuracy"},
    {"overwrite", BF_OPTION_BOOL, BF_OF_THIS_START, NULL, offsetof(Settings, overwrite),
     .meaning = "replace FILE if it exists"},
    {0}};

const BfManual bf_manual_eval = {
    .usage = "RUN.h5 [options]",
    .about =
        "Applies the trained Transformer of a result file to a data table; prints loss and accuracy. Of a result of "
        "flow it tells both: of the layers, and of the flow in the scheme that it was trained with.\n",
    .options = {eval_options, bf_run_options},
    .notes   = "PETSc's options (-log_view) work too.\n"};

static BfStatus read_table(const BfRun *run, BfProblem *problem, const char *path, BfData *data, BfError *error) {
  BfFiles      *files = NULL;
  const BfFile *file;
  BfStatus      status;
  BF_GOTO(bf_files_create(run->world, ".", &files, error));
  BF_GOTO(bf_files_get(files, path, &file, error));
  BF_GOTO(bf_data_parse(file, problem->layer.dim, data, error));
  BF_GOTO(bf_problem_encode(problem, data->positions, error));
  BF_GOTO(bf_problem_check_data(problem, file, data, error));
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
  BfStatus status;
  *o = (BfFlowOptions){.memory = 0};
  BF_GOTO(bf_store_open(run->world, path, &store, error));
  if (!bf_store_has(store, "/flow")) goto done;
  BF_GOTO(bf_store_read_text(store, "/flow", "scheme", &name, error));
  BF_GOTO(bf_store_read_int(store, "/flow", "steps", &steps, error));
  BF_GOTO(bf_store_read_double(store, "/flow", "tolerance", &o->tolerance, error));
  o->scheme = bf_scheme(name);
  o->steps  = (int)steps;
  if (!o->scheme || steps < 1 || steps > 1000000 || !(o->tolerance > 0))
    status = bf_fail(error, BF_BAD_INPUT, "%s: /flow: its scheme is damaged", path);
done:
  bf_store_close(&store);
  bf_free(name);
  return status;
}

static BfStatus evaluate_flow(const BfRun *run, const char *path, const BfProblem *problem, const BfData *data,
                              const BfOpenLoop *loop, Continuous *x, BfError *error) {
  BfFlow  *flow = NULL;
  BfStatus status;
  BF_TRY(read_scheme(run, path, &x->options, error));
  if (!x->options.scheme) return BF_OK;
  BF_NEW(&x->value.tokens, (problem->horizon + 1) * data->tokens * data->dim, error);
  BF_TRY(bf_agree(run->world, error));
  BF_TRY(bf_flow_create(run, problem, data, &x->options, &flow, error));
  bf_flow_readout(flow, loop->readout);
  status = bf_flow_evaluate(flow, loop->control, &x->value, error);
  bf_flow_destroy(&flow);
  return status;
}

static BfStatus write_tokens(const BfRun *run, const BfProblem *problem, const BfData *data, const BfRollout *rollout,
                             const Continuous *x, const char *path, bool overwrite, BfError *error) {
  BfStore      *store  = NULL;
  const int64_t dims[] = {problem->horizon + 1, data->tokens, data->dim};
  BfStatus      status;
  BF_GOTO(bf_store_create(run->world, path, overwrite, &store, error));
  BF_GOTO(bf_store_write(store, "/tokens", BF_STORE_DOUBLE, 3, dims, rollout->tokens, error));
  BF_GOTO(bf_store_write(store, "/loss", BF_STORE_DOUBLE, 1, &data->contexts, rollout->sequence_loss, error));
  BF_GOTO(bf_store_attribute_double(store, "/", "loss", rollout->loss, error));
  BF_GOTO(bf_store_attribute_double(store, "/", "accuracy", rollout->accuracy, error));
  if (x->options.scheme) {
    BF_GOTO(bf_store_write(store, "/flow_tokens", BF_STORE_DOUBLE, 3, dims, x->value.tokens, error));
    BF_GOTO(bf_store_attribute_double(store, "/", "flow_loss", x->value.loss, error));
    BF_GOTO(bf_store_attribute_double(store, "/", "flow_accuracy", x->value.accuracy, error));
  }
  BF_GOTO(bf_store_commit(&store, error));
done:
  bf_store_close(&store);
  return status;
}

static void print_losses(const BfRun *run, const BfData *data, const BfRollout *rollout, const Continuous *x) {
  bf_print(run, "%lld sequences, %lld tokens: loss %.10g", (long long)data->contexts, (long long)data->tokens,
           rollout->loss);
  if (!isnan(rollout->accuracy)) bf_print(run, ", accuracy %.6g", rollout->accuracy);
  bf_print(run, "\n");
  if (!x->options.scheme) return;
  if (x->options.scheme->adaptive)
    bf_print(run, "flow (%s, tolerance %g)", x->options.scheme->name, x->options.tolerance);
  else
    bf_print(run, "flow (%s, %d step%s a layer)", x->options.scheme->name, x->options.steps,
             x->options.steps > 1 ? "s" : "");
  bf_print(run, ": loss %.10g", x->value.loss);
  if (!isnan(x->value.accuracy)) bf_print(run, ", accuracy %.6g", x->value.accuracy);
  bf_print(run, "\n");
}

static BfStatus eval(BfRun *run, const BfArguments *arguments, const Settings *o, BfError *error) {
  BfProblem *problem = NULL;
  BfOpenLoop loop    = {0};
  BfData     table   = {0};
  BfRollout  rollout = {0};
  Continuous flow    = {0};
  BfStatus   status;
  BF_GOTO(bf_result_read(run, arguments->file, &problem, &loop, error));
  if (o->data) BF_GOTO(read_table(run, problem, o->data, &table, error));
  const BfData *data = o->data ? &table : &problem->train;
  bf_rollout(problem, data, loop.control, loop.readout, &rollout, error);
  BF_GOTO(bf_agree(run->world, error));
  BF_GOTO(evaluate_flow(run, arguments->file, problem, data, &loop, &flow, error));
  if (o->out) BF_GOTO(write_tokens(run, problem, data, &rollout, &flow, o->out, o->overwrite, error));
  const bool quiet = run->quiet;
  run->quiet       = false; /* the answer is not progress */
  print_losses(run, data, &rollout, &flow);
  run->quiet = quiet;
done:
  bf_open_loop_clear(&loop);
  bf_rollout_clear(&rollout);
  bf_free(flow.value.tokens);
  bf_data_clear(&table);
  bf_problem_destroy(&problem);
  return status;
}

BfStatus bf_command_eval(BfRun *run, const BfArguments *arguments, BfError *error) {
  Settings o = {0};
  BfStatus status;
  BF_GOTO(bf_options_parse(eval_options, &o, error));
  BF_GOTO(bf_refuse_unread_options(error));
  status = arguments->file ? eval(run, arguments, &o, error)
                           : bf_fail(error, BF_BAD_INPUT, "eval needs a result file; see `bellformer help eval`");
done:
  bf_options_clear(eval_options, &o);
  return status;
}
