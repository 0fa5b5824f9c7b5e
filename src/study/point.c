/* The runs at a point, one after the other. */
#include "run/text.h"
#include "study/group.h"
#include "study/outcome.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct {
  BfWork       *work;
  MPI_Comm      comm;
  int           rank, size;
  const BfTask *task;
  BfRecord     *record;
  char          folder[4096];
  char         *warnings; /* of the run that goes on; NULL: none */
  BfOwner       owner;
} Point;

/* ---- what a run's owner does ------------------------------------------------------------------------------------ */

static void warned(void *context, const char *text) {
  Point  *p      = context;
  BfError unused = {0};
  char   *lines = NULL, *all = NULL;
  if (bf_text_join(&lines, p->warnings ? p->warnings : "", p->warnings ? "\n" : "", &unused) == BF_OK &&
      bf_text_join(&all, lines, text, &unused) == BF_OK) {
    bf_free(p->warnings);
    p->warnings = all;
  }
  bf_free(lines);
}

static void passing(void *context) {
  const Point *p = context;
  bf_work_pass(p->work);
}

static Point make_point(BfWork *work, MPI_Comm comm, const BfTask *task, BfRecord *record) {
  Point p = {.work = work, .comm = comm, .task = task, .record = record};
  MPI_Comm_rank(comm, &p.rank);
  MPI_Comm_size(comm, &p.size);
  bf_study_point_folder(work->o->out, work->start, record->key, sizeof p.folder, p.folder);
  p.owner = (BfOwner){.warned     = warned,
                      .passing    = passing,
                      .stop       = work->stop,
                      .deadline   = work->deadline,
                      .reads_soon = !work->o->keep};
  return p;
}

/* ---- a run ------------------------------------------------------------------------------------------------------ */

static BfStatus result_path(const Point *p, const BfStudyRun *r, size_t size, char path[], BfError *error) {
  if (snprintf(path, size, "%s/%s.h5", p->folder, r->name) < (int)size) return BF_OK;
  return bf_fail(error, BF_BAD_INPUT, "%s: the path is too long", p->folder);
}

/* A run that was stopped goes on; one that cannot begins anew. */
static BfStatus make_options(const Point *p, int r, BfOptions **options, const char **file, BfError *error) {
  const BfStudyRun *run = &p->work->plan->study->run[r];
  char              path[4096];
  BF_TRY(result_path(p, run, sizeof path, path, error));
  BF_TRY(bf_plan_options(p->work->plan, p->task->point, r, p->folder, options, file, error));
  BF_TRY(bf_options_add(*options, "o", path, error));
  if (bf_study_option(run->command, "restart")) return bf_options_add(*options, "restart", "auto", error);
  return bf_study_option(run->command, "overwrite") ? bf_options_add(*options, "overwrite", NULL, error) : BF_OK;
}

/* Ranks of a node share its memory. */
static int64_t memory_of(const BfRun *study, const BfRun *run) {
  if (run->node_size >= study->node_size) return study->memory;
  const double all = study->memory ? (double)study->memory : (double)bf_memory_left(study);
  return (int64_t)(all * run->node_size / study->node_size) + (study->memory ? 0 : bf_peak_memory() * run->node_size);
}

static int64_t node_size(const BfRun *study) {
  int64_t     size = 0;
  const char *text = bf_options_read(study->options, "node_size");
  return text && !bf_text_integer(text, &size) ? size : 0;
}

/* Its numbers into the record. */
static BfStatus take_outcome(Point *p, const BfStudyRun *r, BfError *error) {
  const BfStudy *study = p->work->plan->study;
  char           path[4096];
  BF_TRY(result_path(p, r, sizeof path, path, error));
  BF_TRY(bf_outcome_read(study, r->name, path, p->record, error));
  if (p->warnings) {
    char *name = NULL;
    BF_TRY(bf_text_join(&name, r->name, "/@warnings", error));
    bf_record_add_text(p->record, name, p->warnings, error);
    bf_free(name);
  }
  return error->status == BF_OK ? bf_outcome_check(study, r->name, p->record, error) : error->status;
}

static BfStatus carry_out(Point *p, int r, BfOptions *options, const char *file, BfError *error) {
  const BfStudyRun *study = &p->work->plan->study->run[r];
  BfRun            *run   = NULL;
  BF_TRY(bf_run_create(p->comm, (int)node_size(p->work->run), &run, error));
  p->owner.context = p;
  run->quiet = run->silent = true;
  run->options             = options;
  run->owner               = &p->owner;
  run->memory              = memory_of(p->work->run, run);
  study->command->run(run, study->command->name, file, error);
  bf_run_destroy(&run);
  return error->status;
}

/* What outgrows memory calls itself stopped, as it could go on elsewhere. Of a study it would stop every start again,
 * and all other points with it: it has failed. */
static bool is_stopped(BfStatus status, const BfError *error) {
  return status == BF_STOPPED && error->cause != BF_CAUSE_MEMORY;
}

static BfStatus run_one(Point *p, int r, BfError *error) {
  const BfStudyRun *run     = &p->work->plan->study->run[r];
  BfOptions        *options = NULL;
  const char       *file    = NULL;
  BfStatus          status;
  bf_free(p->warnings);
  p->warnings = NULL;
  BF_GOTO(bf_together(p->comm, make_options(p, r, &options, &file, error), error));
  BF_GOTO(carry_out(p, r, options, file, error));
  status = bf_together(p->comm, p->rank == 0 ? take_outcome(p, run, error) : BF_OK, error);
done:
  bf_options_destroy(&options);
  if (status != BF_OK && !is_stopped(status, error)) bf_error_prefix(error, "%s", run->name);
  return status;
}

/* ---- all of them ------------------------------------------------------------------------------------------------ */

/* What a start that was killed has left is gone on from where it is whole; so are results that were kept, of a point of
 * which more is asked, or which the log does not know to be done. */
static BfStatus make_folder(const Point *p, BfError *error) {
  char path[4096];
  if (p->work->o->keep && p->task->known) bf_study_unkeep(p->work->o->out, p->work->start, p->record->key);
  BF_TRY(bf_study_point_make(p->work->o->out, p->work->start, p->record->key, error));
  for (int r = 0; r < p->work->plan->study->runs; r++) {
    BF_TRY(result_path(p, &p->work->plan->study->run[r], sizeof path, path, error));
    if (access(path, F_OK) == 0 && !bf_outcome_is_whole(path)) unlink(path);
  }
  return BF_OK;
}

/* All ranks of a point stop together between its runs. */
static bool stops(const Point *p) {
  int mine = bf_work_stops(p->work), any = 0;
  MPI_Allreduce(&mine, &any, 1, MPI_INT, MPI_MAX, p->comm);
  return any;
}

static BfStatus run_all(Point *p, BfError *error) {
  BF_TRY(bf_together(p->comm, p->rank == 0 ? make_folder(p, error) : BF_OK, error));
  for (int r = 0; r < p->work->plan->study->runs; r++) {
    if (r > 0 && stops(p)) return BF_STOPPED;
    BF_TRY(run_one(p, r, error));
  }
  return BF_OK;
}

BfStatus bf_point_run(BfWork *work, MPI_Comm comm, const BfTask *task, BfRecord *record, BfError *error) {
  Point          p      = make_point(work, comm, task, record);
  BfError        failed = {0};
  const double   begun  = bf_seconds();
  const BfStatus status = run_all(&p, &failed);
  BfStatus       told   = BF_OK;
  bf_free(p.warnings);
  record->ranks   = p.size;
  record->seconds = task->before + bf_seconds() - begun;
  record->crashes = task->crashes;
  record->state   = status == BF_OK ? BF_POINT_DONE : is_stopped(status, &failed) ? BF_POINT_STOPPED : BF_POINT_FAILED;
  if (record->state == BF_POINT_STOPPED) bf_record_clear(record);
  if (record->state == BF_POINT_FAILED) told = bf_record_say(record, failed.text, error);
  return bf_together(comm, told, error);
}
