/* bellformer info: what a trainer would take; trains nothing. */
#include "train/info.h"
#include "command/command.h"
#include "train/trainer.h"
#include <stdio.h>
#include <string.h>

typedef struct {
  int     command;           /* number of a trainer; -1: by the options */
  int64_t ranks, node_ranks; /* 0: those that there are */
  double  latency, bandwidth;
} Settings;

static const char *trainer_name(int i) {
  const BfTrainer *trainer = bf_trainer_at(i);
  return trainer ? trainer->name : NULL;
}

static const BfOption info_options[] = {
    {"command", BF_OPTION_CHOICE, BF_OF_THIS_START, "NAME", offsetof(Settings, command), .choice = trainer_name,
     .meaning = "which of these to speak for; default: the first of which an option is given, else the first; all its "
                "options follow"},
    {"ranks", BF_OPTION_INT, BF_OF_THIS_START, "N", offsetof(Settings, ranks), NULL, 1, 1 << 30,
     .meaning = "predict for N ranks, from what a rank does here"},
    {"ranks_per_node", BF_OPTION_INT, BF_OF_THIS_START, "R", offsetof(Settings, node_ranks), NULL, 1, 1 << 30,
     .meaning = "of them on a node; start info on as many: cores of a node slow each other down"},
    {"latency", BF_OPTION_NUMBER, BF_OF_THIS_START, "S", offsetof(Settings, latency), NULL, 1e-9, 1,
     .meaning = "seconds of a message between nodes; without it 2e-6, or what is measured where this run has several "
                "nodes"},
    {"bandwidth", BF_OPTION_NUMBER, BF_OF_THIS_START, "B", offsetof(Settings, bandwidth), NULL, 1e3, 1e15,
     .meaning = "bytes a second of a node's link to the others; without it 1e10, or what is measured"},
    {0}};

/* "solve, flow or heads" */
static void list_trainers(size_t size, char list[]) {
  *list = '\0';
  for (int i = 0; trainer_name(i); i++) {
    const size_t used = strlen(list);
    snprintf(list + used, size - used, "%s%s", !i ? "" : trainer_name(i + 1) ? ", " : " or ", trainer_name(i));
  }
}

void bf_manual_info(const char *name, BfManual *manual) {
  static const BfOption *const shared[] = {bf_output_options, bf_restart_options, bf_run_options, bf_key_options};
  static char                  usage[256], about[1024]; /* a manual borrows its texts */
  char                         list[200];
  int                          tables = 0;
  (void)name;
  list_trainers(sizeof list, list);
  snprintf(usage, sizeof usage, "PROBLEM.yaml [options of %s]", list);
  snprintf(
      about, sizeof about,
      "Prints the sizes of a problem (N, G, n, M, K, q), and the memory a node and the time that %s with the same "
      "options would take on this many ranks, on this machine: found by running their kernels for a moment on every "
      "rank. Tells what does not fit, and what would. Solves nothing. With -o, how fast a file is written is measured "
      "there.\n",
      list);
  *manual                   = (BfManual){.usage = usage, .about = about};
  manual->options[tables++] = info_options;
  for (int i = 0; bf_trainer_at(i) && tables < BF_TABLES - 5; i++)
    manual->options[tables++] = bf_trainer_at(i)->options;
  for (int i = 0; i < 4; i++) manual->options[tables++] = shared[i];
}

/* ---- which trainer ---------------------------------------------------------------------------------------------- */

/* The first option of a trainer that is given, and is none of another one's. */
static const char *first_given(const BfTrainer *of, const BfTrainer *except, const BfOptions *options) {
  for (const BfOption *row = of->options; row->name; row++)
    if (bf_options_given(options, row->name) && !(except && bf_options_row(except->options, row->name)))
      return row->name;
  return NULL;
}

/* The first whose options are given, unless -command names one. */
static const BfTrainer *choose(int command, const BfOptions *options) {
  if (command >= 0) return bf_trainer_at(command);
  for (int i = 0; bf_trainer_at(i); i++)
    if (first_given(bf_trainer_at(i), NULL, options)) return bf_trainer_at(i);
  return bf_trainer_at(0);
}

/* Options of other trainers are refused, as its command would refuse them. */
static BfStatus check_options(const BfTrainer *trainer, const BfOptions *options, BfError *error) {
  for (int i = 0; bf_trainer_at(i); i++) {
    const BfTrainer *other = bf_trainer_at(i);
    const char      *wrong = other == trainer ? NULL : first_given(other, trainer, options);
    if (!wrong) continue;
    if (trainer == bf_trainer_at(0))
      return bf_fail(error, BF_BAD_INPUT, "option -%s is none of %s: give -command %s, or options of one of them",
                     wrong, trainer->name, other->name);
    return bf_fail(error, BF_BAD_INPUT, "option -%s is none of %s: leave out -command %s", wrong, trainer->name,
                   trainer->name);
  }
  return BF_OK;
}

static BfStatus read_options(BfOptions *options, Settings *settings, BfSessionOptions *o, const BfTrainer **trainer,
                             BfError *error) {
  BF_TRY(bf_options_parse(info_options, options, settings, error));
  BF_TRY(bf_session_options(options, o, error));
  if (!settings->ranks != !settings->node_ranks)
    return bf_fail(error, BF_BAD_INPUT, "options -ranks and -ranks_per_node go together: give -%s",
                   settings->ranks ? "ranks_per_node" : "ranks");
  *trainer = choose(settings->command, options);
  return check_options(*trainer, options, error);
}

static void make_machine(const BfRun *run, const Settings *settings, BfMachine *machine) {
  bf_machine_of_run(run, machine);
  if (settings->latency > 0) machine->latency = settings->latency;
  if (settings->bandwidth > 0) machine->bandwidth = settings->bandwidth;
  if (settings->ranks) bf_machine_set(machine, (int)settings->ranks, (int)settings->node_ranks);
}

/* ---- what is told ----------------------------------------------------------------------------------------------- */

static void print_sizes(const BfRun *run, const BfProblem *problem) {
  bf_print(run, "%s: %d layers", problem->name, problem->horizon);
  if (problem->actions) bf_print(run, ", %lld actions", (long long)problem->actions);
  bf_print(run, "\n");
  bf_print(run, "  N  tokens            %lld in %lld sequences\n", (long long)problem->train.tokens,
           (long long)problem->train.contexts);
  bf_print(run, "  G  tags              %lld\n", (long long)problem->train.tags);
  if (problem->cells) bf_print(run, "  n  cells             %lld\n", (long long)bf_cells_count(problem->cells));
  else bf_print(run, "  n  cells             none: tokens are not quantized\n");
  if (problem->actions) bf_print(run, "  K  actions           %lld\n", (long long)problem->actions);
  bf_print(run, "  q  free numbers      %d a layer, %d matrix entries\n", problem->layer.free,
           problem->layer.parameters);
  if (problem->cost.trained)
    bf_print(run, "     of the readout    %lld, %d x %d and %d, which flow trains\n", (long long)problem->cost.trained,
             problem->cost.classes, problem->cost.dim, problem->cost.classes);
}

/* Of a problem that was read. */
static BfStatus tell(const BfTrainer *trainer, void *state, const BfInfo *x, BfError *error) {
  BfRun *run = x->run;
  char   a[BF_HUMAN], b[BF_HUMAN];
  run->quiet = run->silent; /* the answer is not progress */
  bf_progress_what(run, "measuring");
  print_sizes(run, x->problem);
  const BfMachine *m = x->machine;
  bf_print(run, "%s%s on %d rank%s of %d node%s", bf_info_predicts(x) ? "prediction for " : "", trainer->name, m->ranks,
           m->ranks > 1 ? "s" : "", m->nodes, m->nodes > 1 ? "s" : "");
  if (bf_info_predicts(x)) bf_print(run, ", from rates on %d rank%s here", run->size, run->size > 1 ? "s" : "");
  if (m->nodes > 1)
    bf_print(run, "; between nodes %s and %s a second", bf_human_time(m->latency, a), bf_human_bytes(m->bandwidth, b));
  bf_print(run, ":\n");
  return trainer->estimate(state, x, error);
}

static BfStatus info(BfRun *run, const BfTrainer *trainer, const Settings *settings, const BfSessionOptions *o,
                     const BfArguments *arguments, BfError *error) {
  BfProblem *problem = NULL;
  void      *state   = NULL;
  BfStatus   status;
  BF_GOTO(bf_trainer_begin(trainer, run, &state, error));
  if (!arguments->file) {
    status = bf_fail(error, BF_BAD_INPUT, "info needs a problem file; see `bellformer help info`");
    goto done;
  }
  BF_GOTO(bf_problem_read(run->world, arguments->file, bf_trainer_reads(trainer, run->options), run->options, &problem,
                          error));
  bf_print_warnings(run, problem);
  BfMachine machine;
  make_machine(run, settings, &machine);
  const BfInfo x = {
      .run = run, .machine = &machine, .arguments = arguments, .problem = problem, .o = o, .program = bf_peak_memory()};
  status = tell(trainer, state, &x, error);
done:
  bf_trainer_end(trainer, &state);
  bf_problem_destroy(&problem);
  return status;
}

BfStatus bf_command_info(BfRun *run, const BfArguments *arguments, BfError *error) {
  const BfTrainer *trainer  = NULL;
  Settings         settings = {0};
  BfSessionOptions o        = {0};
  BfStatus         status = bf_together(run->world, read_options(run->options, &settings, &o, &trainer, error), error);
  if (status == BF_OK) status = info(run, trainer, &settings, &o, arguments, error);
  bf_session_options_clear(&o);
  return status;
}
