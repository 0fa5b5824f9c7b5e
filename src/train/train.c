/* The run of a trainer, from its options to its report. */
#include "train/trainer.h"
#include <stdio.h>

static BfStatus parse(const BfTrainer *trainer, BfOptions *options, void **state, BfError *error) {
  if (!(*state = bf_calloc(1, trainer->size, error))) return error->status;
  BF_TRY(bf_options_parse(trainer->options, options, *state, error));
  return trainer->parse ? trainer->parse(*state, options, error) : BF_OK;
}

BfStatus bf_trainer_begin(const BfTrainer *trainer, BfRun *run, void **state, BfError *error) {
  BF_TRY(bf_together(run->world, parse(trainer, run->options, state, error), error));
  return trainer->settle ? trainer->settle(*state, run, error) : BF_OK;
}

void bf_trainer_end(const BfTrainer *trainer, void **state) {
  if (!*state) return;
  if (trainer->destroy) trainer->destroy(*state);
  bf_options_clear(trainer->options, *state);
  bf_free(*state);
  *state = NULL;
}

void bf_trained_clear(BfTrained *trained) {
  bf_model_clear(&trained->model);
  bf_rollout_clear(&trained->train);
  bf_rollout_clear(&trained->test);
}

/* From the open files to the result. */
static BfStatus find(BfSession *x, BfError *error) {
  const BfTrainer *trainer = x->trainer;
  BfStatus         status;
  BF_GOTO(bf_session_open(x, error));
  BF_GOTO(trainer->train(x->state, x, error));
  snprintf(x->trained.model.found, sizeof x->trained.model.found, "%s", x->space);
  BF_GOTO(bf_session_rollout(x, error));
  if (trainer->judge) BF_GOTO(trainer->judge(x->state, x, error));
  if (x->store) BF_GOTO(bf_result_write_actions(x->problem, x->store, error));
  if (x->store) BF_GOTO(bf_model_write(x->problem, &x->trained.model, x->store, error));
  if (x->store) BF_GOTO(bf_rollout_write(x->problem, &x->trained.train, &x->trained.test, x->store, error));
  if (x->store) BF_GOTO(bf_statement_write(x, x->store, error));
  if (x->store && trainer->write) BF_GOTO(trainer->write(x->state, x, x->store, error));
  trainer->report(x->state, x);
  bf_statement_print(x);
  BF_GOTO(bf_session_publish(x, error));
  bf_report(x->run);
done:
  return bf_session_close(x, error);
}

static bool is_middle(const BfCost *cost) {
  const int64_t entries = (int64_t)cost->classes * cost->dim;
  bool          middle  = cost->readouts == 1;
  for (int64_t i = 0; i < entries; i++) middle = middle && cost->matrix[i] == bf_readout_middle(cost, i);
  for (int c = 0; c < cost->classes; c++) middle = middle && cost->bias[c] == bf_readout_middle(cost, entries + c);
  return middle;
}

/* Where a readout that is trained begins, or is left; and whether no layer can make a difference there. */
static void tell_readout(const BfSession *x) {
  const BfCost *cost  = &x->problem->cost;
  bool          alike = cost->readouts == 1;
  if (!cost->trained) return;
  const bool middle = is_middle(cost);
  if (x->trainer->trains_readout) {
    if (!middle)
      bf_print(x->run, "cost.readout.file is of solve and heads: here the readout starts in the middle of its ranges, "
                       "or with that of -init\n");
    return;
  }
  if (cost->readouts > 1) bf_print(x->run, "readout: the best of %lld", (long long)cost->readouts);
  else bf_print(x->run, "readout: %s", middle ? "the middle of its ranges" : "that of cost.readout.file");
  bf_print(x->run, "; flow trains it\n");
  for (int64_t i = 0; i < (int64_t)cost->classes * cost->dim; i++)
    alike = alike && cost->matrix[i] == cost->matrix[i % cost->dim];
  if (alike)
    bf_warn(x->run,
            "the readout has equal rows: the loss is the same whatever the layers do; give another cost.readout.file, "
            "or ranges with another middle");
}

static BfStatus run_session(BfSession *x, BfError *error) {
  BF_TRY(bf_session_begin(x, error));
  if (x->start == BF_FINISHED) return BF_OK;
  bf_print_warnings(x->run, x->problem);
  tell_readout(x);
  BF_TRY(x->trainer->create(x->state, x, error));
  return bf_session_only(x) ? x->trainer->instead(x->state, x, error) : find(x, error);
}

static BfStatus read_options(BfSession *x, BfError *error) {
  BF_TRY(bf_together(x->run->world, bf_session_options(x->run->options, &x->o, error), error));
  return bf_trainer_begin(x->trainer, x->run, &x->state, error);
}

BfStatus bf_trainer_read_options(BfRun *run, const BfTrainer *trainer, BfError *error) {
  BfSession      x      = {.run = run, .trainer = trainer};
  const BfStatus status = read_options(&x, error);
  bf_trainer_end(trainer, &x.state);
  bf_session_options_clear(&x.o);
  return status;
}

static BfStatus check_given(const BfSession *x, BfError *error) {
  const char *name = x->trainer->name;
  if (x->given) return bf_options_refuse_unread(x->run->options, error); /* no keys: the problem was read */
  if (x->arguments->file || x->o.restart) return BF_OK;
  return bf_fail(error, BF_BAD_INPUT, "%s needs a problem file; see `bellformer help %s`", name, name);
}

static BfStatus train(BfSession *x, BfTrained *out, BfError *error) {
  BfStatus status;
  x->space = x->trainer->name;
  BF_GOTO(read_options(x, error));
  BF_GOTO(bf_together(x->run->world, check_given(x, error), error));
  status = run_session(x, error);
  if (out) *out = x->trained;
  if (out) x->trained = (BfTrained){0};
done:
  bf_trained_clear(&x->trained);
  bf_trainer_end(x->trainer, &x->state);
  for (int i = 0; i < 2; i++) bf_problem_destroy(&x->read[i]);
  bf_session_options_clear(&x->o);
  bf_free(x->again);
  return status;
}

BfStatus bf_train(BfRun *run, const BfTrainer *trainer, const BfProblem *problem, BfTrained *out, BfError *error) {
  if (!trainer) return bf_fail(error, BF_BAD_INPUT, "there is no such trainer");
  const BfArguments arguments = {.name = trainer->name};
  BfSession         x         = {.run = run, .arguments = &arguments, .trainer = trainer, .given = problem};
  return train(&x, out, error);
}

BfStatus bf_train_command(BfRun *run, const BfTrainer *trainer, const BfArguments *arguments, BfError *error) {
  BfSession x = {.run = run, .arguments = arguments, .trainer = trainer};
  return train(&x, NULL, error);
}
