/* When to save, and when to stop. */
#include "checkpoint/checkpoint.h"
#include "run/text.h"
#include <libgen.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

static const double default_interval = 600; /* seconds */
static const double least_gain = 50; /* a checkpoint that nobody asked for saves at least so many times its cost */

/* "[D-]HH:MM:SS" or "MM:SS" in seconds; INFINITY for anything else (UNLIMITED). */
static double parse_duration(const char *text) {
  int days = 0, a = 0, b = 0, c = 0;
  if (sscanf(text, "%d-%d:%d:%d", &days, &a, &b, &c) == 4 || (days = 0, sscanf(text, "%d:%d:%d", &a, &b, &c) == 3))
    return 86400.0 * days + 3600.0 * a + 60.0 * b + c;
  if (sscanf(text, "%d:%d", &a, &b) == 2) return 60.0 * a + b;
  return INFINITY;
}

/* Seconds that the SLURM job around this process still has; INFINITY where there is none. The number of an array's last
 * task is that of the whole array, so a task is asked for as ARRAY_TASK. */
static double job_seconds(void) {
  const char *end = getenv("SLURM_JOB_END_TIME"), *job = getenv("SLURM_JOB_ID");
  const char *array = getenv("SLURM_ARRAY_JOB_ID"), *task = getenv("SLURM_ARRAY_TASK_ID");
  char        command[96], name[64], text[64] = "";
  if (!job) return INFINITY;
  if (end && atof(end) > 0) return atof(end) - (double)time(NULL);
  snprintf(name, sizeof name, "%.24s%s%.24s", array && task ? array : job, array && task ? "_" : "",
           array && task ? task : "");
  if (strspn(name, "0123456789_") != strlen(name)) return INFINITY;
  snprintf(command, sizeof command, "squeue -h -j %s -o %%L 2>/dev/null", name);
  FILE *answer = popen(command, "r");
  if (!answer) return INFINITY;
  if (!fgets(text, sizeof text, answer)) text[0] = '\0';
  pclose(answer);
  return parse_duration(text);
}

double bf_seconds_left(double hours) { return hours > 0 ? 3600 * hours : job_seconds(); }

BfStatus bf_stop_path(const char *result, char **path, BfError *error) {
  char folder[4096];
  snprintf(folder, sizeof folder, "%s", result);
  return bf_text_join(path, dirname(folder), "/STOP", error);
}

BfStatus bf_schedule_create(BfSchedule *when, const BfRun *run, const BfCheckpointOptions *options, const char *result,
                            BfError *error) {
  const double   now   = bf_seconds();
  const BfOwner *owner = run->owner;
  *when                = (BfSchedule){.interval  = options->interval < 0 ? default_interval : options->interval,
                                      .given     = options->interval >= 0,
                                      .saved     = now,
                                      .piece     = now,
                                      .bandwidth = 2e8,
                                      .overhead  = 0.05,
                                      .question  = MPI_REQUEST_NULL};
  when->deadline       = owner            ? owner->deadline
                         : run->rank == 0 ? now + bf_seconds_left(options->hours) /* it watches for all */
                                          : INFINITY;
  return owner ? bf_text_join(&when->stop, owner->stop, "", error) : bf_stop_path(result, &when->stop, error);
}

void bf_schedule_clear(BfSchedule *when) {
  if (when->question != MPI_REQUEST_NULL) MPI_Wait(&when->question, MPI_STATUS_IGNORE);
  bf_free(when->stop);
}

void bf_schedule_learn(BfSchedule *when, double bytes, double seconds) {
  if (bytes > 1e8) when->bandwidth = bytes / seconds;
  else when->overhead = seconds;
  when->saved = when->piece = bf_seconds();
}

/* A STOP file is looked for once a second. It stays, so that a job script sees why the run stopped; the next start
 * takes it away, which a folder of that name it could not. */
static bool stop_file(BfSchedule *when, double now) {
  struct stat about;
  if (now - when->looked < 1) return false;
  when->looked = now;
  return stat(when->stop, &about) == 0 && !S_ISDIR(about.st_mode);
}

/* This rank's view: rank 0 watches clocks and files, each its signals. */
static BfOrder order(const BfRun *run, BfSchedule *when, double bytes, bool layer) {
  if (bf_signals_asked()) return BF_SAVE_AND_STOP;
  if (run->rank != 0) return BF_GO_ON;
  const double now = bf_seconds(), write = when->overhead + bytes / when->bandwidth, since = now - when->saved;
  when->longest = fmax(when->longest, now - when->piece);
  when->piece   = now;
  /* Two more pieces may pass before the answer is heard; a write may take half as long again. */
  if (now + 2 * when->longest + 1.5 * write + 1 >= when->deadline || stop_file(when, now)) return BF_SAVE_AND_STOP;
  if (when->given) return layer || since >= when->interval ? BF_SAVE : BF_GO_ON;
  return since >= (layer ? least_gain * write : fmax(when->interval, least_gain * write)) ? BF_SAVE : BF_GO_ON;
}

static BfOrder answer(BfSchedule *when) {
  if (when->question == MPI_REQUEST_NULL) return BF_GO_ON;
  MPI_Wait(&when->question, MPI_STATUS_IGNORE);
  return (BfOrder)when->all;
}

static void pass(const BfRun *run) {
  if (run->owner) run->owner->passing(run->owner->context);
}

BfOrder bf_checkpoint_ask(BfCheckpoint *checkpoint, double bytes) {
  if (!checkpoint) return BF_GO_ON;
  BfSchedule *when = &checkpoint->when;
  pass(checkpoint->run);
  const BfOrder heard = answer(when);
  if (heard != BF_GO_ON) return heard; /* asked anew after the checkpoint */
  when->mine = (int)order(checkpoint->run, when, bytes, false);
  MPI_Iallreduce(&when->mine, &when->all, 1, MPI_INT, MPI_MAX, checkpoint->run->world, &when->question);
  return BF_GO_ON;
}

BfOrder bf_checkpoint_due(BfCheckpoint *checkpoint, double bytes, double longest) {
  if (!checkpoint) return BF_GO_ON;
  pass(checkpoint->run);
  checkpoint->when.longest = fmax(checkpoint->when.longest, longest);
  return order(checkpoint->run, &checkpoint->when, bytes, false);
}

BfOrder bf_checkpoint_ask_layer(BfCheckpoint *checkpoint, double bytes) {
  if (!checkpoint) return BF_GO_ON;
  BfSchedule *when = &checkpoint->when;
  pass(checkpoint->run);
  BfOrder heard = answer(when);
  when->mine    = (int)order(checkpoint->run, when, bytes, true);
  if (heard > (BfOrder)when->mine) when->mine = (int)heard;
  MPI_Allreduce(&when->mine, &when->all, 1, MPI_INT, MPI_MAX, checkpoint->run->world);
  return (BfOrder)when->all;
}
