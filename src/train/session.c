/* A run that trains: its files from the first to the last. */
#include "train/target.h"
#include "train/trainer.h"
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define AT(field) offsetof(BfSessionOptions, field)

const BfOption bf_output_options[] = {{"o", BF_OPTION_TEXT, BF_OF_THIS_START, "FILE", AT(out),
                                       .meaning = "the result file (HDF5); without it nothing is written"},
                                      BF_OVERWRITE(BF_KEPT, AT(overwrite)),
                                      {0}};

const BfOption bf_restart_options[] = {
    {"restart", BF_OPTION_TEXT, BF_OF_THIS_START, "RUN.h5", AT(restart),
     .meaning = "go on from the newest checkpoint of that result, on any number of ranks; the problem is in it. "
                "-restart auto, with PROBLEM.yaml -o RUN.h5: go on where there is a checkpoint, else start afresh"},
    {"maxh", BF_OPTION_NUMBER, BF_OF_THIS_START, "HOURS", AT(hours), NULL, 0, 1e6,
     .meaning = "stop in time for the last checkpoint; in a SLURM job its limit is the default"},
    {"checkpoint_interval", BF_OPTION_NUMBER, BF_OF_THIS_START, "S", AT(interval), NULL, 0, 1e9,
     .meaning = "save within a layer every S seconds, and at every layer's end; without it every 600, or 50 times what "
                "a write takes if that is longer, and at a layer's end where it costs less than 2 % of what it saves"},
    {0}};

BfStatus bf_session_options(BfOptions *options, BfSessionOptions *o, BfError *error) {
  o->interval = -1;
  o->newest   = INT_MAX;
  BF_TRY(bf_options_parse(bf_output_options, options, o, error));
  return bf_options_parse(bf_restart_options, options, o, error);
}

void bf_session_options_clear(BfSessionOptions *o) {
  bf_options_clear(bf_output_options, o);
  bf_options_clear(bf_restart_options, o);
}

/* What the command line asks for, and no file of it is written. */
static BfStatus read_given(BfSession *x, BfError *error) {
  const char *file = x->arguments->file, *input = x->trainer->input ? x->trainer->input(x->state) : NULL;
  if (!x->given && file) {
    BF_TRY(bf_problem_read(x->run->world, file, bf_trainer_reads(x->trainer, x->run->options), x->run->options,
                           &x->read[0], error));
    x->given = x->read[0];
  }
  if (!x->o.out) return BF_OK;
  if (x->given) BF_TRY(bf_target_check_files(x->run, x->o.out, true, x->given->files, error));
  return bf_target_check(x->run, x->arguments, x->o.out, true, input, error);
}

const char *bf_session_only(const BfSession *x) { return x->trainer->only ? x->trainer->only(x->state) : NULL; }

static BfStatus begin(BfSession *x, BfError *error) {
  const bool whole = !x->o.restart || !strcmp(x->o.restart, "auto"); /* the options say all of the run */
  BF_TRY(read_given(x, error));
  if (whole && x->trainer->choose) BF_TRY(x->trainer->choose(x->state, x->run, x->given, error));
  x->problem = x->given;
  if (x->start == BF_FRESH) return BF_OK;
  if (x->start == BF_GOING_ON) {
    BF_TRY(bf_restart_read(x, &x->read[1], error));
    x->problem = x->read[1];
    return BF_OK;
  }
  x->problem = NULL;
  BF_TRY(bf_restart_check_result(x, error));
  if (bf_session_only(x))
    return bf_fail(error, BF_BAD_INPUT, "%s is finished: option %s needs a run that is not; leave out -restart",
                   x->o.out, bf_session_only(x));
  bf_print(x->run, "%s is finished: nothing to do\n", x->o.out);
  return bf_checkpoint_remove(x->run, x->o.out, error);
}

BfStatus bf_session_begin(BfSession *x, BfError *error) {
  BF_TRY(bf_restart_plan(x, error));
  bf_phase_begin(x->run, BF_PHASE_READ);
  const BfStatus status = begin(x, error);
  bf_phase_end(x->run, BF_PHASE_READ);
  return status;
}

/* How the run was started: what a restart compares. */
static BfStatus save_options(const BfSession *x, BfOptionRole least, BfStore *store, BfError *error) {
  BF_TRY(bf_store_put_text(store, "/options", "command", x->trainer->name, error));
  BF_TRY(bf_options_save(bf_output_options, &x->o, least, store, error));
  BF_TRY(bf_options_save(x->trainer->options, x->state, least, store, error));
  return x->trainer->save ? x->trainer->save(x->state, store, error) : BF_OK;
}

/* What every generation of a checkpoint begins with. */
static BfStatus describe(void *context, BfStore *store, BfError *error) {
  const BfSession *x = context;
  BF_TRY(bf_result_identify(x->run, x->arguments, x->problem, x->space, store, error));
  return save_options(x, BF_KEPT, store, error);
}

/* The first generation: a run that is killed before any other can be started again by its result's name. */
static BfStatus save_start(BfCheckpoint *checkpoint, BfError *error) {
  BF_TRY(bf_checkpoint_begin(checkpoint, error));
  BF_TRY(bf_checkpoint_number(checkpoint, "stage", 0, error));
  return bf_checkpoint_end(checkpoint, 0, error);
}

/* Plug-ins of BELLFORMER_PLUGINS are in the environment still. */
static BfStatus fill_again(BfSession *x, BfError *error) {
  const char  *option = " -plugin ", *plugins = bf_options_read(x->run->options, "plugin");
  const size_t size = strlen(x->trainer->name) + strlen(option) + (plugins ? strlen(plugins) : 0) + 1;
  BF_TRY(BF_NEW(&x->again, (int64_t)size, error));
  snprintf(x->again, size, "%s%s%s", x->trainer->name, plugins ? option : "", plugins ? plugins : "");
  return BF_OK;
}

BfStatus bf_session_open(BfSession *x, BfError *error) {
  const BfSessionOptions *o = &x->o;
  BF_TRY(bf_together(x->run->world, fill_again(x, error), error));
  const BfCheckpointOptions options = {.interval = o->interval,
                                       .hours    = o->hours,
                                       .command  = x->again,
                                       .newest   = o->newest,
                                       .describe = describe,
                                       .context  = x};
  if (!o->out) {
    bf_print(x->run, "without -o nothing will be saved, neither a result nor a checkpoint\n");
    return BF_OK;
  }
  BF_TRY(bf_store_create(x->run->world, o->out, o->overwrite, &x->store, error));
  if (x->run->owner) bf_store_hasten(x->store, x->run->owner->reads_soon);
  x->begun = true;
  BF_TRY(bf_checkpoint_create(x->run, o->out, &options, &x->checkpoint, error));
  /* What an earlier run has left in this one's place stands until this one can be started again. Who owns a run starts
   * it again. */
  if (x->start == BF_FRESH && !x->run->owner) BF_TRY(save_start(x->checkpoint, error));
  if (x->start == BF_FRESH) BF_TRY(bf_checkpoint_forget_earlier(x->checkpoint, error));
  BF_TRY(save_options(x, BF_ANSWER, x->store, error));
  return bf_result_describe(x->run, x->arguments, x->problem, x->space, x->store, error);
}

void bf_print_word(const BfRun *run, const char *word) {
  static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-+=:,./@%";
  if (*word && word[strspn(word, plain)] == '\0') {
    bf_print(run, " %s", word);
    return;
  }
  bf_print(run, " '");
  for (; *word; word++) {
    if (*word == '\'') bf_print(run, "'\\''");
    else bf_print(run, "%c", *word);
  }
  bf_print(run, "'");
}

/* The command line that would have saved the answer, to a file that is not there yet. */
static void tell_line(const BfSession *x) {
  if (!x->arguments->argc) return; /* no command */
  const char *yaml = x->problem->yaml, *dot = strrchr(yaml, '.');
  const int   stem = dot && dot > yaml ? (int)(dot - yaml) : (int)strlen(yaml);
  char        name[512];
  if (x->run->rank != 0) return;
  snprintf(name, sizeof name, "%.*s.h5", stem < 400 ? stem : 400, yaml);
  for (int i = 2; access(name, F_OK) == 0 && i < 10000; i++)
    snprintf(name, sizeof name, "%.*s-%d.h5", stem < 400 ? stem : 400, yaml, i);
  bf_print(x->run, "nothing was saved; this line would have:");
  if (x->run->size > 1) bf_print(x->run, " mpirun -n %d", x->run->size);
  for (int i = 0; i < x->arguments->argc; i++) bf_print_word(x->run, x->arguments->argv[i]);
  bf_print(x->run, " -o");
  bf_print_word(x->run, name);
  bf_print(x->run, "\n");
}

/* Seconds from which on a run is not lost to a power cut, whatever its owner does with the result. */
static const double worth_the_disk = 5;

BfStatus bf_session_publish(BfSession *x, BfError *error) {
  if (!x->store) {
    tell_line(x);
    return BF_OK;
  }
  bf_phase_begin(x->run, BF_PHASE_WRITE);
  BF_TRY(bf_result_totals(x->run, x->store, error));
  if (bf_run_seconds(x->run) > worth_the_disk) bf_store_hasten(x->store, false);
  BF_TRY(bf_checkpoint_claimed(x->checkpoint, error));
  BF_TRY(bf_store_commit(&x->store, error));
  bf_phase_end(x->run, BF_PHASE_WRITE);
  if (!x->run->owner) bf_signals_stands(BF_OK, "interrupted: %s is whole", x->o.out);
  bf_checkpoint_destroy(&x->checkpoint);
  BF_TRY(bf_checkpoint_remove(x->run, x->o.out, error));
  bf_print(x->run, "wrote %s\n", x->o.out);
  return BF_OK;
}

BfStatus bf_session_close(BfSession *x, BfError *error) {
  const BfStatus status = bf_agree(x->run->world, error);
  if (x->begun && status != BF_OK && status != BF_STOPPED && x->start == BF_FRESH && !x->keeps) {
    BfError    unused      = {0};
    const int  newest      = bf_checkpoint_newest(x->run, x->o.out);
    const bool begun_alone = newest < 0 || (x->checkpoint && newest == bf_checkpoint_first(x->checkpoint));
    if (begun_alone && bf_checkpoint_claimed(x->checkpoint, &unused) == BF_OK)
      bf_checkpoint_remove(x->run, x->o.out, &unused);
  }
  bf_checkpoint_destroy(&x->checkpoint);
  bf_store_close(&x->store);
  return status;
}

BfStatus bf_session_rollout(BfSession *x, BfError *error) {
  const BfData *const data[] = {&x->problem->train, &x->problem->test};
  BfRollout *const    out[]  = {&x->trained.train, &x->trained.test};
  return bf_model_rollout(x->run, x->problem, &x->trained.model, 2, data, out, error);
}

void bf_print_warnings(const BfRun *run, const BfProblem *problem) {
  for (int i = 0; i < problem->warnings; i++) bf_warn(run, "%s", problem->warning[i]);
}

void bf_print_loss(const BfRun *run, const char *what, double loss, double accuracy) {
  bf_print(run, "%s loss %.8g", what, loss);
  if (!isnan(accuracy)) bf_print(run, ", accuracy %.4g", accuracy);
}
