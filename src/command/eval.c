/* bellformer eval: a trained model on a data table. */
#include "command/command.h"
#include "model/answer.h"
#include "model/distance.h"
#include "solve/full/closed_loop.h"
#include "train/target.h"
#include "train/trainer.h"
#include <math.h>
#include <string.h>

typedef struct {
  char *data, *out;
  bool  overwrite, w1, closed_loop;
} Settings;

const BfOption bf_eval_options[] = {
    {"data", BF_OPTION_TEXT, BF_OF_THIS_START, "TABLE", offsetof(Settings, data),
     .meaning = "the table (CSV or HDF5, as in a problem; label or targets may be missing); without it the training "
                "data of the result file. A token outside the box is taken as it is: P, if any, acts after the first "
                "layer"},
    {"o", BF_OPTION_TEXT, BF_OF_THIS_START, "FILE", offsetof(Settings, out),
     .meaning =
         "write what the model answers, as CSV or HDF5 by the ending (.csv; .h5, .hdf5): a row a sequence in the order "
         "of their numbers, or, where the cost is one of tokens, a row a token in the order of the table, with "
         "sequence, position, class, logits and representation, or value. HDF5 has these under /prediction (of a "
         "flow also /flow_prediction, of heads /heads_prediction), the tokens after every layer as /tokens [T+1, N, d] "
         "and, with labels, the loss "
         "of every sequence as /loss [S], loss and accuracy as attributes of /prediction"},
    {"w1", BF_OPTION_BOOL, BF_OF_THIS_START, NULL, offsetof(Settings, w1),
     .meaning =
         "tell W1 between the law of the training data and that of -data TABLE, for the Euclidean distance, mass "
         "staying within its tag (sequence, position, label), whose weights are those of the training data; mean "
         "over sequences. Of tokens, unless a tag has too many distinct ones (in two dimensions or more n^2 m "
         "beyond 2^33 of n and m <= n), and of the centres of their cells where the problem has cells; both have to "
         "have the same tags. "
         "HDF5 has these as attributes w1 and w1_cells of /"},
    {"closed_loop", BF_OPTION_BOOL, BF_OF_THIS_START, NULL, offsetof(Settings, closed_loop),
     .meaning = "of a result of solve in the full space, beside its layers: those that its policy chooses from the law "
                "of the table, quantized, layer by layer, and the readout that is best there. The table has the "
                "sequences and positions of the training data (and their labels, if it has any); masses of tags are "
                "those of training. CSV and HDF5 have closed_loop_ before their names; HDF5 also /closed_loop_actions "
                "and, as attributes of /, closed_loop_readout and closed_loop_quantized_cost, V_0 of that law"},
    BF_OVERWRITE(BF_OF_THIS_START, offsetof(Settings, overwrite)),
    {0}};

void bf_manual_eval(const char *name, BfManual *manual) {
  (void)name;
  *manual = (BfManual){
      .usage = "RUN.h5 [options]",
      .about =
          "Applies the trained Transformer of a result file to a data table; prints loss and accuracy. Of a result of "
          "flow it tells both: of the layers, and of the flow in the scheme that it was trained with; of one of heads, "
          "of "
          "the layers with the projection, and without. A table without labels (or targets) is predicted.\n",
      .options = {bf_eval_options, bf_run_options},
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

/* In the way of the trainer that it is of, where that has its own. */
static BfStatus apply(BfRun *run, const char *path, const BfProblem *problem, const BfData *data, const BfModel *model,
                      BfApplied *own, BfError *error) {
  for (int i = 0; bf_trainer_at(i) && !own->name; i++)
    if (bf_trainer_at(i)->apply) BF_TRY(bf_trainer_at(i)->apply(run, path, problem, data, model, own, error));
  return BF_OK;
}

static void tell_actions(const BfRun *run, const char *what, const BfModel *model) {
  enum { SHOWN = 32 };
  if (!model->action) return;
  bf_print(run, "%s:", what);
  for (int t = 0; t < model->layers && t < SHOWN; t++) bf_print(run, " %d", model->action[t]);
  bf_print(run, "%s; quantized cost %.10g", model->layers > SHOWN ? " ..." : "", model->quantized_cost);
  if (model->readout) bf_print(run, ", readout %lld", (long long)model->readout);
  bf_print(run, "\n");
}

/* The layers that the policy chooses from the law of the table, in place of the result's. */
static BfStatus close_loop(BfRun *run, const char *path, const BfProblem *problem, const BfData *data, BfModel *closed,
                           BfApplied *own, BfError *error) {
  BfRollout rollout = {0};
  BF_TRY(bf_closed_loop(run, path, problem, data, closed, error));
  const BfStatus status = bf_model_rollout(run, problem, closed, 1, &data, (BfRollout *[]){&rollout}, error);
  *own                  = (BfApplied){.name     = "closed_loop",
                                      .title    = "closed loop",
                                      .tokens   = rollout.tokens,
                                      .loss     = rollout.loss,
                                      .accuracy = rollout.accuracy,
                                      .chosen   = closed};
  rollout.tokens        = NULL;
  bf_rollout_clear(&rollout);
  return status;
}

/* Predictions from the last tokens of both; told, and written. */
static BfStatus tell(BfRun *run, const BfProblem *problem, const BfModel *model, BfAnswer *answer, const Settings *o,
                     BfError *error) {
  const int64_t last   = (int64_t)problem->horizon * answer->data->tokens * answer->data->dim;
  BfPrediction  layers = {0}, own = {0};
  BfStatus      status;
  status             = bf_predict(problem, answer->data, model, answer->rollout->tokens + last, &layers, error);
  answer->prediction = &layers;
  BF_GOTO(bf_together(run->world, status, error));
  if (answer->own && !answer->own->as_layers) {
    const BfModel *applied = answer->own->chosen ? answer->own->chosen : model;
    status                 = bf_predict(problem, answer->data, applied, answer->own->tokens + last, &own, error);
    answer->own_prediction = &own;
    BF_GOTO(bf_together(run->world, status, error));
  }
  if (o->out) BF_GOTO(bf_answer_write(run, answer, o->out, o->overwrite, error));
  const bool quiet = run->quiet;
  run->quiet       = run->silent; /* the answer is not progress */
  if (answer->own && answer->own->chosen) {
    tell_actions(run, "actions of the open loop", model);
    tell_actions(run, "actions of the closed loop", answer->own->chosen);
  }
  bf_answer_print(run, answer, o->out != NULL);
  run->quiet = quiet;
done:
  bf_prediction_clear(&layers);
  bf_prediction_clear(&own);
  return status;
}

/* W1 of tokens, and of their cells where there are any: one of them is told at least. */
static BfStatus measure(const BfProblem *problem, const BfData *table, BfAnswer *answer, BfError *error) {
  const bool cells = problem->cells != NULL;
  BF_TRY(bf_law_distance(problem, &problem->train, table, false, &answer->w1, error));
  if (cells) BF_TRY(bf_law_distance(problem, &problem->train, table, true, &answer->w1_cells, error));
  if (isnan(answer->w1) && (!cells || isnan(answer->w1_cells)))
    return bf_fail(error, BF_BAD_INPUT,
                   "-w1: a tag has too many distinct tokens for an exact distance; give the problem quantize.cells");
  return BF_OK;
}

/* Rank 0 alone: it may take much of a node's memory. */
static BfStatus compare(const BfRun *run, const BfProblem *problem, const BfData *table, BfAnswer *answer,
                        BfError *error) {
  double w1[2] = {0, 0};
  BF_TRY(bf_together(run->world, run->rank ? BF_OK : measure(problem, table, answer, error), error));
  w1[0] = answer->w1, w1[1] = answer->w1_cells;
  MPI_Bcast(w1, 2, MPI_DOUBLE, 0, run->world);
  answer->w1 = w1[0], answer->w1_cells = w1[1];
  answer->compared = true;
  return BF_OK;
}

static BfStatus eval(BfRun *run, const BfArguments *arguments, const Settings *o, BfError *error) {
  BfProblem *problem = NULL;
  BfModel    model   = {0};
  BfData     table   = {0};
  BfRollout  rollout = {0};
  BfApplied  own     = {0};
  BfModel    closed  = {0};
  int64_t    outside = 0;
  BfStatus   status;
  if (o->out) BF_GOTO(bf_target_check(run, arguments, o->out, false, o->data, error));
  bf_phase_begin(run, BF_PHASE_READ);
  BF_GOTO(bf_model_read(run, arguments->file, &problem, &model, error));
  if (o->data) BF_GOTO(read_table(run, problem, o->data, &table, &outside, error));
  bf_phase_end(run, BF_PHASE_READ);
  const BfData *data = o->data ? &table : &problem->train;
  BF_GOTO(bf_model_rollout(run, problem, &model, 1, &data, (BfRollout *[]){&rollout}, error));
  if (o->closed_loop) BF_GOTO(close_loop(run, arguments->file, problem, data, &closed, &own, error));
  else BF_GOTO(apply(run, arguments->file, problem, data, &model, &own, error));
  BfAnswer answer = {.data      = data,
                     .layers    = problem->horizon,
                     .outside   = outside,
                     .projected = problem->layer.projection->keeps,
                     .rollout   = &rollout,
                     .own       = own.name ? &own : NULL,
                     .w1_cells  = NAN};
  if (o->w1) BF_GOTO(compare(run, problem, data, &answer, error));
  status = tell(run, problem, &model, &answer, o, error);
done:
  bf_model_clear(&model);
  bf_model_clear(&closed);
  bf_rollout_clear(&rollout);
  bf_free(own.tokens);
  bf_data_clear(&table);
  bf_problem_destroy(&problem);
  return status;
}

static BfStatus read_options(BfOptions *options, Settings *o, BfError *error) {
  bool csv;
  BF_TRY(bf_options_parse(bf_eval_options, options, o, error));
  BF_TRY(bf_options_refuse_unread(options, error));
  if (o->w1 && !o->data) return bf_fail(error, BF_BAD_INPUT, "-w1 needs -data TABLE, whose law is compared");
  return o->out ? bf_answer_ending(o->out, &csv, error) : BF_OK;
}

BfStatus bf_command_eval(BfRun *run, const BfArguments *arguments, BfError *error) {
  Settings o = {0};
  BfStatus status;
  BF_GOTO(bf_together(run->world, read_options(run->options, &o, error), error));
  status = arguments->file ? eval(run, arguments, &o, error)
                           : bf_fail(error, BF_BAD_INPUT, "eval needs a result file; see `bellformer help eval`");
done:
  bf_options_clear(bf_eval_options, &o);
  return status;
}

BfStatus bf_eval_check(BfRun *run, BfProblem *problem, BfError *error) {
  Settings o       = {0};
  BfData   table   = {0};
  int64_t  outside = 0;
  BfStatus status  = bf_together(run->world, read_options(run->options, &o, error), error);
  if (status == BF_OK && o.data && problem) status = read_table(run, problem, o.data, &table, &outside, error);
  if (status == BF_OK && o.closed_loop && problem)
    status = bf_together(run->world, bf_closed_loop_check(problem, o.data ? &table : NULL, error), error);
  bf_data_clear(&table);
  bf_options_clear(bf_eval_options, &o);
  return status;
}
