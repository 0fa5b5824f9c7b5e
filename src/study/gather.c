/* Parts of a study, and all of them joined. */
#include "study/gather.h"
#include "run/text.h"
#include "study/log.h"
#include "study/outcome.h"
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PATH = 4096 };

BfStatus bf_study_part(const char *out, int64_t part, int64_t parts, char **name, BfError *error) {
  char      path[PATH];
  const int width = snprintf(NULL, 0, "%lld", (long long)parts);
  if (snprintf(path, sizeof path, "%.*s.part-%0*lld-of-%lld.h5", bf_study_stem(out), out, width, (long long)part,
               (long long)parts) >= (int)sizeof path)
    return bf_fail(error, BF_BAD_INPUT, "%s: the path is too long", out);
  *name = bf_text_copy(path, (int64_t)strlen(path), error);
  return *name ? BF_OK : error->status;
}

/* ---- which parts there are --------------------------------------------------------------------------------------- */

/* Of how many, by the names of those that are there, in folders of what is under way too. */
static BfStatus count_parts(const char *out, int64_t *parts, BfError *error) {
  char      pattern[PATH], quoted[PATH / 2];
  size_t    used = 0;
  glob_t    found;
  const int length = bf_study_stem(out);
  *parts           = 0;
  for (int i = 0; i < length && used + 2 < sizeof quoted; i++) {
    if (strchr("*?[]\\", out[i])) quoted[used++] = '\\';
    quoted[used++] = out[i];
  }
  quoted[used] = '\0';
  snprintf(pattern, sizeof pattern, "%s.part-*-of-*.h5*", quoted);
  if (glob(pattern, 0, NULL, &found) != 0) return bf_fail(error, BF_BAD_INPUT, "%s: there are no parts of it", out);
  for (size_t i = 0; i < found.gl_pathc && error->status == BF_OK; i++) {
    long long part, of;
    if (sscanf(found.gl_pathv[i] + length, ".part-%lld-of-%lld.h5", &part, &of) != 2 || of < 1) continue;
    if (*parts && of != *parts)
      bf_fail(error, BF_BAD_INPUT, "%s: there are parts of %lld and of %lld: remove those that are not wanted", out,
              (long long)*parts, of);
    *parts = of;
  }
  globfree(&found);
  if (error->status == BF_OK && !*parts) bf_fail(error, BF_BAD_INPUT, "%s: there are no parts of it", out);
  return error->status;
}

static bool is_there(const char *path) {
  char folder[PATH + 16];
  snprintf(folder, sizeof folder, "%s.checkpoint", path);
  return access(path, F_OK) == 0 || access(folder, F_OK) == 0;
}

/* ---- joined ------------------------------------------------------------------------------------------------------ */

enum { NOTHING, STOPPED, ASKED_FOR_LESS, FAILED, DONE };

/* How far a point is: of two records of it the one that is further counts. */
static int progress_of(const BfStudy *study, const BfRecord *r) {
  if (!r) return NOTHING;
  if (r->state == BF_POINT_DONE) return bf_outcome_lacks(study, r) ? ASKED_FOR_LESS : DONE;
  return r->state == BF_POINT_STOPPED ? STOPPED : FAILED;
}

static bool is_better(const BfStudy *study, const BfRecord *than, const BfRecord *record) {
  const int before = progress_of(study, than), now = progress_of(study, record);
  return now > before || (now == FAILED && before == FAILED);
}

static BfStatus add_records(const BfStudy *study, BfHistory *from, BfHistory *all, BfError *error) {
  for (int64_t i = 0; i < from->count; i++) {
    BfRecord *record = from->record[i];
    if (!is_better(study, bf_history_find(all, record->key), record)) continue;
    from->record[i] = NULL;
    BF_TRY(bf_history_put(all, &record, error));
  }
  return BF_OK;
}

/* Records of a file, or of the folder of what is under way, in which a point in flight has not crashed. whole: the plan
 * has to have all that were done. */
static BfStatus add_file(const BfRun *run, const char *path, const BfPlan *plan, bool whole, BfHistory *all,
                         BfError *error) {
  BfHistory file   = {0};
  BfStatus  status = bf_history_read(run, path, BF_ALL_ALIVE, &file, error);
  if (status == BF_OK && whole) status = bf_history_refuse_lost(plan, &file, path, error);
  if (status == BF_OK) status = add_records(plan->study, &file, all, error);
  bf_history_clear(&file);
  return status;
}

/* Points that are so far, or further. */
static int64_t count(const BfPlan *plan, const BfHistory *h, int progress) {
  int64_t points = 0;
  for (int64_t p = 0; p < plan->points + plan->references; p++)
    points += progress_of(plan->study, bf_history_find(h, plan->point[p].key)) >= progress;
  return points;
}

static BfStatus add_parts(const BfRun *run, const BfPlan *plan, const char *out, BfGathered *x, BfHistory *all,
                          BfError *error) {
  BF_TRY(count_parts(out, &x->parts, error));
  for (int64_t i = 1; i <= x->parts; i++) {
    char *name;
    BF_TRY(bf_study_part(out, i, x->parts, &name, error));
    const bool     there  = is_there(name);
    const BfStatus status = there ? add_file(run, name, plan, false, all, error) : BF_OK;
    bf_free(name);
    BF_TRY(status);
    x->there += there;
    if (!there && !x->missing) x->missing = i;
  }
  return BF_OK;
}

BfStatus bf_study_gather(const BfRun *run, const BfPlan *plan, const BfStudyOptions *o, BfRecord *records[],
                         BfGathered *x, BfError *error) {
  BfHistory all = {0}, parts = {0};
  BfStatus  status;
  *x = (BfGathered){0};
  BF_GOTO(add_parts(run, plan, o->out, x, &parts, error));
  if (!count(plan, &parts, STOPPED))
    BF_GOTO(bf_fail(error, BF_BAD_INPUT, "%s: the parts that are there hold no point of this study", o->out));
  if (is_there(o->out)) BF_GOTO(add_file(run, o->out, plan, !o->overwrite, &all, error));
  BF_GOTO(add_records(plan->study, &parts, &all, error));
  for (int64_t p = 0; p < plan->points + plan->references; p++) {
    const BfRecord *record = bf_history_find(&all, plan->point[p].key);
    if (record) BF_GOTO(bf_record_copy(record, &records[p], error));
  }
  x->points = count(plan, &all, FAILED);
done:
  bf_history_clear(&parts);
  bf_history_clear(&all);
  return status;
}
