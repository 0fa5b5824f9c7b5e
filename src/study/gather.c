/* Parts of a study, and all of them joined. */
#include "study/gather.h"
#include "run/text.h"
#include "study/log.h"
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

/* What has come to an end counts more than what has not. */
static bool is_better(const BfRecord *than, const BfRecord *record) {
  return !than || (than->state != BF_POINT_DONE && record->state != BF_POINT_STOPPED);
}

static BfStatus add_records(BfHistory *from, BfHistory *all, BfError *error) {
  for (int64_t i = 0; i < from->count; i++) {
    BfRecord *record = from->record[i];
    if (!is_better(bf_history_find(all, record->key), record)) continue;
    from->record[i] = NULL;
    BF_TRY(bf_history_put(all, &record, error));
  }
  return BF_OK;
}

/* Records of a file, or of the folder of what is under way, in which a point in flight has not crashed. plan: that has
 * to have all that were done; NULL. */
static BfStatus add_file(const BfRun *run, const char *path, const BfPlan *plan, BfHistory *all, BfError *error) {
  BfHistory file   = {0};
  BfStatus  status = bf_history_read(run, path, BF_ALL_ALIVE, &file, error);
  if (status == BF_OK && plan) status = bf_history_refuse_lost(plan, &file, path, error);
  if (status == BF_OK) status = add_records(&file, all, error);
  bf_history_clear(&file);
  return status;
}

static int64_t count_ended(const BfPlan *plan, const BfHistory *h) {
  int64_t points = 0;
  for (int64_t p = 0; p < plan->points + plan->references; p++) {
    const BfRecord *record = bf_history_find(h, plan->point[p].key);
    points += record && record->state != BF_POINT_STOPPED;
  }
  return points;
}

static BfStatus add_parts(const BfRun *run, const char *out, BfGathered *x, BfHistory *all, BfError *error) {
  BF_TRY(count_parts(out, &x->parts, error));
  for (int64_t i = 1; i <= x->parts; i++) {
    char *name;
    BF_TRY(bf_study_part(out, i, x->parts, &name, error));
    const bool     there  = is_there(name);
    const BfStatus status = there ? add_file(run, name, NULL, all, error) : BF_OK;
    bf_free(name);
    BF_TRY(status);
    x->there += there;
    if (!there && !x->missing) x->missing = i;
  }
  return BF_OK;
}

BfStatus bf_study_gather(const BfRun *run, const BfPlan *plan, const BfStudyOptions *o, BfRecord *records[],
                         BfGathered *x, BfError *error) {
  BfHistory     all = {0}, parts = {0};
  const BfPlan *keeps = o->overwrite ? NULL : plan;
  BfStatus      status;
  *x = (BfGathered){0};
  BF_GOTO(add_parts(run, o->out, x, &parts, error));
  if (!count_ended(plan, &parts))
    BF_GOTO(bf_fail(error, BF_BAD_INPUT, "%s: the parts that are there hold no point of this study", o->out));
  if (is_there(o->out)) BF_GOTO(add_file(run, o->out, keeps, &all, error));
  BF_GOTO(add_records(&parts, &all, error));
  for (int64_t p = 0; p < plan->points + plan->references; p++) {
    const BfRecord *record = bf_history_find(&all, plan->point[p].key);
    if (record) BF_GOTO(bf_record_copy(record, &records[p], error));
  }
  x->points = count_ended(plan, &all);
done:
  bf_history_clear(&parts);
  bf_history_clear(&all);
  return status;
}
