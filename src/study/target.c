/* What a study writes is none of what it reads. */
#include "train/target.h"
#include "run/text.h"
#include "study/write.h"
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct {
  const BfRun       *run;
  const BfArguments *arguments;
  const BfStudy     *study;
  const char        *out, *table;
} Target;

static BfStatus check_path(const Target *t, const char *path, BfError *error) {
  BF_TRY(bf_target_check(t->run, t->arguments, t->out, true, path, error));
  return bf_target_check(t->run, t->arguments, t->table, false, path, error);
}

/* A value that may be a file's name, which a problem's folder or the working folder holds. */
static BfStatus check_value(const Target *t, const char *value, BfError *error) {
  char   folder[4096], path[8192];
  double number;
  if (!value || !bf_text_number(value, &number) || strlen(value) >= sizeof folder) return BF_OK;
  BF_TRY(check_path(t, value, error));
  snprintf(folder, sizeof folder, "%s", t->study->problem);
  snprintf(path, sizeof path, "%s/%s", dirname(folder), value);
  return value[0] == '/' ? BF_OK : check_path(t, path, error);
}

static BfStatus check_sets(const Target *t, const BfSets *sets, BfError *error) {
  for (int64_t i = 0; i < sets->count; i++) BF_TRY(check_value(t, sets->set[i].value, error));
  return BF_OK;
}

static BfStatus check_values(const Target *t, BfError *error) {
  const BfStudy *study = t->study;
  BF_TRY(check_sets(t, &study->set, error));
  BF_TRY(check_sets(t, &study->reference, error));
  for (int r = 0; r < study->runs; r++) BF_TRY(check_sets(t, &study->run[r].set, error));
  for (int i = 0; i < study->items; i++)
    for (int64_t v = 0; v < study->item[i].count * study->item[i].keys; v++)
      BF_TRY(check_value(t, study->item[i].value[v], error));
  return BF_OK;
}

/* Without the result a table of its name is somebody else's. Local. */
static BfStatus check_foreign(const Target *t, bool overwrite, BfError *error) {
  if (overwrite || t->run->rank || access(t->table, F_OK) || !access(t->out, F_OK)) return BF_OK;
  return bf_fail(error, BF_BAD_INPUT, "%s exists; give -overwrite to replace it", t->table);
}

BfStatus bf_study_check_target(const BfRun *run, const BfArguments *arguments, const BfStudy *study, const char *out,
                               bool overwrite, BfError *error) {
  Target   t     = {run, arguments, study, out, NULL};
  char    *table = NULL;
  BfStatus status;
  BF_GOTO(bf_together(run->world, bf_study_table_name(out, &table, error), error));
  t.table = table;
  BF_GOTO(check_path(&t, study->problem, error));
  BF_GOTO(check_values(&t, error));
  status = bf_together(run->world, check_foreign(&t, overwrite, error), error);
done:
  bf_free(table);
  return status;
}

BfStatus bf_study_check_files(const BfRun *run, const char *out, const BfFiles *files, BfError *error) {
  char    *table  = NULL;
  BfStatus status = bf_together(run->world, bf_study_table_name(out, &table, error), error);
  if (status == BF_OK) status = bf_target_check_files(run, out, true, files, error);
  if (status == BF_OK) status = bf_target_check_files(run, table, false, files, error);
  bf_free(table);
  return status;
}
