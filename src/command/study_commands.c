/* What a study can run: every command that trains, and eval. */
#include "bellformer/command.h"
#include "command/study.h"
#include "train/info.h"
#include "train/trainer.h"
#include <string.h>

enum { COMMANDS = 16, OUTPUTS = 128 };

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
  BF_GOTO(bf_problem_read_beside(run->world, x->file, x->files, trainer->sections, run->options, &problem, error));
  if (trainer->choose) BF_GOTO(trainer->choose(state, run, problem, error));
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

static const char *const     eval_outputs[] = {"/@accuracy",
                                               "/@loss",
                                               "/@outside",
                                               "/@w1",
                                               "/@w1_cells",
                                               "/@*_accuracy",
                                               "/@*_loss",
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
static const BfOption *const eval_tables[]  = {bf_eval_options, NULL};
static const BfStudyCommand  eval_command   = {.name    = "eval",
                                               .file    = "model",
                                               .tables  = eval_tables,
                                               .outputs = eval_outputs,
                                               .run     = bf_run_command,
                                               .check   = check_eval};

/* ---- the table --------------------------------------------------------------------------------------------------- */

struct BfStudyCommands {
  const BfOption *tables[COMMANDS][4];
  const char     *outputs[COMMANDS][OUTPUTS];
  BfStudyCommand  command[COMMANDS + 1]; /* a row without a name ends it */
};

static int append(const char *const outputs[], const char *to[], int count) {
  for (; outputs && *outputs && count < OUTPUTS - 1; outputs++) to[count++] = *outputs;
  return count;
}

static void add_trainer(BfStudyCommands *all, int i, const BfTrainer *trainer) {
  all->tables[i][0] = bf_output_options;
  all->tables[i][1] = trainer->options;
  all->tables[i][2] = bf_restart_options;
  append(bf_result_outputs, all->outputs[i], append(trainer->outputs, all->outputs[i], 0));
  all->command[i] = (BfStudyCommand){.name     = trainer->name,
                                     .tables   = all->tables[i],
                                     .sections = trainer->sections,
                                     .takes    = trainer->takes,
                                     .outputs  = all->outputs[i],
                                     .run      = bf_run_command,
                                     .check    = check_trainer};
}

BfStatus bf_study_commands_create(BfStudyCommands **out, BfError *error) {
  int count = 0;
  BF_TRY(BF_NEW(out, 1, error));
  for (int i = 0; bf_trainer_at(i) && count < COMMANDS - 1; i++) add_trainer(*out, count++, bf_trainer_at(i));
  (*out)->command[count] = eval_command;
  return BF_OK;
}

void bf_study_commands_destroy(BfStudyCommands **commands) {
  bf_free(*commands);
  *commands = NULL;
}

const BfStudyCommand *bf_study_commands(const BfStudyCommands *commands) { return commands->command; }
