/* Where a run that trains starts: afresh, or from a checkpoint. */
#include "model/format.h"
#include "run/text.h"
#include "train/target.h"
#include "train/trainer.h"
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool exists(const BfRun *run, const char *path) {
  int there = run->rank == 0 && access(path, F_OK) == 0;
  MPI_Bcast(&there, 1, MPI_INT, 0, run->world);
  return there;
}

/* Whether the result appeared after the newest checkpoint: the run was killed between that and the end, or is just
 * ending. A result that a run is to overwrite is older. */
static bool appeared(const BfRun *run, const char *result) {
  char        path[4096];
  struct stat whole, saved;
  const int   newest = bf_checkpoint_newest((BfRun *)run, result);
  int         later  = 0;
  bf_checkpoint_path(result, newest, sizeof path, path);
  if (run->rank == 0 && stat(result, &whole) == 0 && stat(path, &saved) == 0)
    later = whole.st_mtim.tv_sec > saved.st_mtim.tv_sec ||
            (whole.st_mtim.tv_sec == saved.st_mtim.tv_sec && whole.st_mtim.tv_nsec >= saved.st_mtim.tv_nsec);
  MPI_Bcast(&later, 1, MPI_INT, 0, run->world);
  return later;
}

/* -restart RUN.h5 names the result; auto takes that of -o. */
static BfStatus settle_name(bool problem, BfSessionOptions *o, BfError *error) {
  const bool named = o->restart && strcmp(o->restart, "auto");
  if (named && o->out && !bf_target_is_one(o->out, o->restart))
    return bf_fail(error, BF_BAD_INPUT, "-restart %s and -o %s are two results; give one", o->restart, o->out);
  if (named && !o->out) return bf_text_join(&o->out, o->restart, "", error);
  if (o->restart && !named && (!o->out || !problem))
    return bf_fail(error, BF_BAD_INPUT,
                   "-restart auto needs a problem file and -o RUN.h5, in case that it starts afresh");
  return BF_OK;
}

BfStatus bf_restart_plan(BfSession *x, BfError *error) {
  const BfRun      *run = x->run;
  BfSessionOptions *o   = &x->o;
  BF_TRY(bf_together(run->world, settle_name(x->given || x->arguments->file, o, error), error));
  x->start = BF_FRESH;
  if (!o->out) return BF_OK;
  const bool saved = bf_checkpoint_newest((BfRun *)run, o->out) >= 0, done = exists(run, o->out);
  if (o->restart) {
    x->start = saved && !appeared(run, o->out) ? BF_GOING_ON : done ? BF_FINISHED : BF_FRESH;
    if (x->start == BF_FRESH && strcmp(o->restart, "auto"))
      return bf_fail(error, BF_BAD_INPUT, "%s: there is neither a checkpoint (%s.checkpoint) nor a result", o->out,
                     o->out);
    return BF_OK;
  }
  if (saved && !o->overwrite)
    return bf_fail(error, BF_BAD_INPUT,
                   "%s.checkpoint holds a run of that name: go on with -restart %s, or give -overwrite to start afresh",
                   o->out, o->out);
  return BF_OK;
}

/* ---- what is asked for now, against what a file is of ----------------------------------------------------------- */

typedef struct {
  BfSession *session;
  bool       differ; /* the file is whole, but of another run */
  bool       wrong;  /* the command line is, or the program: no older file is better */
} Reader;

/* What another version wrote is for that version: from an older generation this one would start over. */
static BfStatus same_version(BfStore *store, Reader *reader, BfError *error) {
  bool other = false;
  if (bf_checkpoint_check_format(store, &other, error) == BF_OK) bf_result_check_format(store, &other, error);
  reader->wrong |= other;
  return error->status;
}

/* A run of another command is another run. A file that does not say how it was started is of an older version. */
static BfStatus same_command(BfStore *store, Reader *reader, BfError *error) {
  const char *now  = reader->session->trainer->name;
  char       *then = NULL;
  bool        there;
  BF_TRY(bf_store_has(store, "/options", &there, error));
  reader->differ = !there;
  if (reader->differ)
    return bf_fail(error, BF_BAD_INPUT, "an older version wrote it, which did not record its options");
  BF_TRY(bf_store_get_text(store, "/options", "command", &then, error));
  reader->differ = strcmp(then, now) != 0;
  if (reader->differ) bf_fail(error, BF_BAD_INPUT, "command was %s, now %s", then, now);
  bf_free(then);
  return error->status;
}

/* What a run reads of a problem that goes on with what the file has, where the line does not say it again. */
static BfStatus sections_of(const BfSession *x, BfStore *store, const BfSections **out, BfError *error) {
  const BfTrainer *trainer = x->trainer;
  char            *then    = NULL;
  *out                     = bf_trainer_reads(trainer, x->run->options);
  if (!trainer->spares || *out == trainer->spared) return BF_OK;
  BF_TRY(bf_store_get_text(store, "/options", trainer->spares, &then, error));
  if (*then) *out = trainer->spared;
  bf_free(then);
  return BF_OK;
}

/* The problem of the file against the one that the command line names; or where it names none, against itself with the
 * keys that the command line gives. */
static BfStatus same_problem(const BfProblem *then, const BfSections *reads, Reader *reader, BfError *error) {
  BfProblem       *copy    = NULL;
  BfOptions       *options = reader->session->run->options;
  const BfProblem *now     = reader->session->given;
  if (!now) {
    if (!bf_options_unread(options)) return BF_OK; /* no keys of the problem */
    reader->wrong = true;
    BF_TRY(bf_problem_reread(then, reads, options, &copy, error));
    reader->wrong = false;
    now           = copy;
  }
  reader->differ = bf_problem_compare(then, now, error) == BF_BAD_INPUT;
  bf_problem_destroy(&copy);
  return error->status;
}

static BfStatus same_options(BfStore *store, const BfProblem *then, Reader *reader, BfError *error) {
  const BfSession *x       = reader->session;
  const BfTrainer *trainer = x->trainer;
  const bool       all     = !strcmp(x->o.restart, "auto");
  if (trainer->compare) BF_TRY(trainer->compare(x->state, x->run, then, all, store, &reader->differ, error));
  return bf_options_compare(trainer->options, x->state, all ? NULL : x->run->options, store, &reader->differ, error);
}

/* "RUN.h5: horizon was 2, now 3: ..." */
static BfStatus tell(const char *path, BfError *error) {
  char difference[BF_ERROR_LENGTH];
  snprintf(difference, sizeof difference, "%s", error->text);
  *error = (BfError){0};
  return bf_fail(error, BF_BAD_INPUT, "%s: %s: give another -o, or -overwrite without -restart to start afresh", path,
                 difference);
}

BfStatus bf_restart_check_result(BfSession *x, BfError *error) {
  const BfSections *reads;
  Reader            reader  = {.session = x};
  BfProblem        *problem = NULL;
  BfStore          *store   = NULL;
  BfStatus          status;
  BF_GOTO(bf_store_open(x->run->world, x->o.out, &store, error));
  BF_GOTO(same_command(store, &reader, error));
  BF_GOTO(sections_of(x, store, &reads, error));
  BF_GOTO(bf_problem_load(x->run, store, x->o.out, reads, &problem, error));
  BF_GOTO(same_problem(problem, reads, &reader, error));
  status = same_options(store, problem, &reader, error);
done:
  status = bf_store_end(&store, error);
  bf_problem_destroy(&problem);
  return reader.differ && status == BF_BAD_INPUT ? tell(x->o.out, error) : status;
}

/* ---- the run that goes on --------------------------------------------------------------------------------------- */

static BfStatus restore_options(BfSession *x, BfStore *store, BfError *error) {
  const BfTrainer *trainer = x->trainer;
  BF_TRY(bf_options_restore(bf_output_options, x->run->options, &x->o, store, error));
  BF_TRY(bf_options_restore(trainer->options, x->run->options, x->state, store, error));
  return trainer->restore ? trainer->restore(x->state, x->run, store, error) : BF_OK;
}

static BfStatus read_generation(int generation, Reader *reader, BfProblem **problem, BfError *error) {
  BfSession        *x = reader->session;
  const BfSections *reads;
  char              path[4096];
  BfStore          *store   = NULL;
  bool              missing = false; /* a plug-in */
  BfStatus          status;
  bf_checkpoint_path(x->o.out, generation, sizeof path, path);
  BF_GOTO(bf_store_open(x->run->world, path, &store, error));
  BF_GOTO(same_version(store, reader, error));
  BF_GOTO(same_command(store, reader, error));
  BF_GOTO(bf_plugins_check(store, &missing, error));
  BF_GOTO(sections_of(x, store, &reads, error));
  BF_GOTO(bf_problem_load(x->run, store, path, reads, problem, error));
  BF_GOTO(same_problem(*problem, reads, reader, error));
  BF_GOTO(same_options(store, *problem, reader, error));
  status = restore_options(x, store, error);
done:
  status = bf_store_end(&store, error);
  if (missing) bf_error_prefix(error, "%s", path);
  reader->wrong |= missing;
  if (status != BF_OK) bf_problem_destroy(problem);
  return status;
}

BfStatus bf_restart_read(BfSession *x, BfProblem **problem, BfError *error) {
  Reader  reader = {.session = x};
  BfError first  = {0};
  char    folder[4096];
  snprintf(folder, sizeof folder, "%s.checkpoint", x->o.out);
  for (int g = bf_checkpoint_newest(x->run, x->o.out); g >= 0; g--) {
    BfError here = {0};
    x->o.newest  = g;
    if (read_generation(g, &reader, problem, &here) == BF_OK) return BF_OK;
    if (reader.differ) tell(folder, &here);
    if (first.status == BF_OK) first = here;
    if (here.status != BF_BAD_INPUT || reader.differ || reader.wrong) break;
    if (g > 0) bf_warn(x->run, "%s; looking for an older generation", here.text);
  }
  if (first.status == BF_OK) return bf_fail(error, BF_FAILURE, "%s: its checkpoints are gone", folder);
  return bf_fail(error, first.status, "%s", first.text);
}
