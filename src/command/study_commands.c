/* What a study can run: every command that trains, and eval. */
#include "bellformer/command.h"
#include "command/study.h"
#include "train/info.h"
#include "train/trainer.h"
#include <string.h>

/* ---- trainers ---------------------------------------------------------------------------------------------------- */

/* What cannot be measured here, for want of memory, may run on the ranks that it will be given: its time is unknown. */
static void estimate(BfRun *run, const BfTrainer *trainer, void *state, const BfProblem *problem,
                     const BfStudyCheck *check, BfError *error) {
  const BfArguments      arguments = {.name = trainer->name, .file = check->file};
  const BfSessionOptions o         = {0};
  BfInfoAnswer           answer    = {0};
  const BfInfo           x         = {
                        .run = run, .arguments = &arguments, .problem = problem, .o = &o, .program = bf_peak_memory(), .answer = &answer};
  if (trainer->estimate(state, &x, error) != BF_OK) *error = (BfError){0};
  *check->seconds = answer.seconds;
  *check->bytes   = answer.bytes;
  *check->at_most |= answer.at_most;
  *check->rough |= answer.rough;
}

/* What flow chooses where `init` is a result of solve (flow/options.c), which is not there yet. */
static BfStatus choose_scheme(const BfTrainer *trainer, const BfStudyCheck *x, BfOptions *options, BfError *error) {
  if (!x->init || strcmp(x->init, "solve") || strcmp(trainer->name, "flow")) return BF_OK;
  return bf_options_given(options, "scheme") ? BF_OK : bf_options_add(options, "scheme", "layers", error);
}

static BfStatus check_trainer(BfRun *run, const BfStudyCheck *x, BfError *error) {
  const BfTrainer *trainer = bf_trainer(x->name);
  BfSessionOptions o       = {0};
  BfProblem       *problem = NULL;
  void            *state   = NULL;
  BfStatus         status;
  BF_GOTO(bf_together(run->world, choose_scheme(trainer, x, run->options, error), error));
  BF_GOTO(bf_together(run->world, bf_session_options(run->options, &o, error), error));
  BF_GOTO(bf_trainer_begin(trainer, run, &state, error));
  BF_GOTO(bf_problem_read_beside(run->world, x->file, x->files, bf_trainer_reads(trainer, run->options), run->options,
                                 &problem, error));
  if (trainer->choose) BF_GOTO(trainer->choose(state, run, problem, error));
  if (trainer->check) BF_GOTO(bf_together(run->world, trainer->check(state, problem, error), error));
  if (x->seconds) estimate(run, trainer, state, problem, x, error);
done:
  bf_trainer_end(trainer, &state);
  bf_problem_destroy(x->problem);
  *x->problem = problem;
  bf_session_options_clear(&o);
  return status;
}

/* ---- eval -------------------------------------------------------------------------------------------------------- */

static BfStatus check_eval(BfRun *run, const BfStudyCheck *x, BfError *error) {
  return bf_eval_check(run, *x->problem, error);
}

static const char *const     eval_outputs[]  = {"/@accuracy",
                                                "/@loss",
                                                "/@outside",
                                                "/@w1",
                                                "/@w1_cells",
                                                "/@*_accuracy",
                                                "/@*_loss",
                                                "/@closed_loop_quantized_cost",
                                                "/@closed_loop_readout",
                                                "/closed_loop_actions",
                                                "/loss",
                                                "/position",
                                                "/prediction@accuracy",
                                                "/prediction@loss",
                                                "/prediction/*",
                                                "/*_prediction/*",
                                                "/sequence",
                                                "/tokens",
                                                "/*_tokens",
                                                NULL};
static const char *const     eval_needs[][2] = {{"/@w1*", "w1"},
                                                {"/@closed_loop_*", "closed_loop"},
                                                {"/closed_loop_*", "closed_loop"},
                                                {"/closed_loop_prediction/*", "closed_loop"},
                                                {NULL, NULL}};
static const BfOption *const eval_tables[]   = {bf_eval_options, NULL};
static const BfStudyCommand  eval_command    = {.name    = "eval",
                                                .file    = "model",
                                                .tables  = eval_tables,
                                                .outputs = eval_outputs,
                                                .needs   = eval_needs,
                                                .run     = bf_run_command,
                                                .check   = check_eval};

/* ---- the table --------------------------------------------------------------------------------------------------- */

typedef struct {
  const BfOption *tables[4];
  const char    **outputs; /* NULL ends them */
} Trained;

struct BfStudyCommands {
  int             trainers;
  Trained        *trained; /* [trainers] what their rows point to */
  BfStudyCommand *command; /* a row without a name ends it */
};

static int64_t length(const char *const list[]) {
  int64_t count = 0;
  while (list && list[count]) count++;
  return count;
}

static BfStatus add_trainer(BfStudyCommands *all, int i, BfError *error) {
  const BfTrainer *trainer = bf_trainer_at(i);
  Trained         *x       = &all->trained[i];
  const int64_t    own = length(trainer->outputs), common = length(bf_result_outputs);
  x->tables[0] = bf_output_options;
  x->tables[1] = trainer->options;
  x->tables[2] = bf_restart_options;
  BF_TRY(BF_NEW(&x->outputs, own + common + 1, error));
  for (int64_t k = 0; k < own; k++) x->outputs[k] = trainer->outputs[k];
  for (int64_t k = 0; k < common; k++) x->outputs[own + k] = bf_result_outputs[k];
  all->command[i] = (BfStudyCommand){.name     = trainer->name,
                                     .tables   = x->tables,
                                     .sections = trainer->sections,
                                     .spares   = trainer->spares,
                                     .spared   = trainer->spared,
                                     .takes    = trainer->takes,
                                     .outputs  = x->outputs,
                                     .needs    = trainer->needs,
                                     .run      = bf_run_command,
                                     .check    = check_trainer};
  return BF_OK;
}

static BfStatus add_all(BfStudyCommands *all, BfError *error) {
  int count = 0;
  while (bf_trainer_at(count)) count++;
  BF_TRY(BF_NEW(&all->trained, count, error));
  BF_TRY(BF_NEW(&all->command, count + 2, error));
  for (; all->trainers < count; all->trainers++) BF_TRY(add_trainer(all, all->trainers, error));
  all->command[count] = eval_command;
  return BF_OK;
}

BfStatus bf_study_commands_create(BfStudyCommands **out, BfError *error) {
  BF_TRY(BF_NEW(out, 1, error));
  if (add_all(*out, error) != BF_OK) bf_study_commands_destroy(out);
  return error->status;
}

void bf_study_commands_destroy(BfStudyCommands **commands) {
  BfStudyCommands *all = *commands;
  if (!all) return;
  for (int i = 0; all->trained && i < all->trainers; i++) bf_free(all->trained[i].outputs);
  bf_free(all->trained);
  bf_free(all->command);
  bf_free(all);
  *commands = NULL;
}

const BfStudyCommand *bf_study_commands(const BfStudyCommands *commands) { return commands->command; }
