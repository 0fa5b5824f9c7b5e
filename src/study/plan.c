/* The options of each run at a point. */
#include "problem/overrides.h"
#include "run/text.h"
#include "study/read.h"
#include <stdio.h>
#include <string.h>

/* ---- options of a run -------------------------------------------------------------------------------------------- */

/* What a run is given: all of `set`, of the point, of the run; a later one of a key counts. */
typedef struct {
  const BfPlan     *plan;
  int64_t           point;
  const BfStudyRun *run;
  int               part;
  int64_t           at;
} Walk;

static bool next_of(const BfSets *sets, Walk *w, const char **key, const char **value) {
  if (w->at >= sets->count) return false;
  *key   = sets->set[w->at].key;
  *value = sets->set[w->at++].value;
  return true;
}

/* The next key of the point's items: w->at counts keys. */
static bool next_of_items(Walk *w, const char **key, const char **value) {
  const BfStudy *study = w->plan->study;
  int64_t        at    = w->at;
  for (int i = 0; i < study->items; at -= study->item[i++].keys)
    if (at < study->item[i].keys) {
      *key   = study->item[i].key[at];
      *value = bf_plan_value(w->plan, w->point, *key);
      w->at++;
      return true;
    }
  return false;
}

static bool next(Walk *w, const char **key, const char **value) {
  const BfStudy *study = w->plan->study;
  for (; w->part < 4; w->part++, w->at = 0) {
    if (w->part == 0 && next_of(&study->set, w, key, value)) return true;
    if (w->part == 1 && next_of_items(w, key, value)) return true;
    if (w->part == 2 && w->plan->point[w->point].reference && next_of(&study->reference, w, key, value)) return true;
    if (w->part == 3 && next_of(&w->run->set, w, key, value)) return true;
  }
  return false;
}

static const char *last_value(const BfPlan *plan, int64_t point, const BfStudyRun *run, const char *wanted) {
  const char *key, *value, *last = NULL;
  for (Walk w = {.plan = plan, .point = point, .run = run}; next(&w, &key, &value);)
    if (!strcmp(key, wanted)) last = value;
  return last;
}

/* The number of the run before r of that name; -1: none. */
static int earlier_run(const BfStudy *study, int r, const char *name) {
  while (--r >= 0)
    if (!strcmp(study->run[r].name, name)) return r;
  return -1;
}

/* A file that another run may have written: its result, or the value as it is. Without a folder, no result. */
static BfStatus add_file(const BfStudy *study, int r, const char *key, const char *value, const char *folder,
                         BfOptions *options, BfError *error) {
  char      path[4096];
  const int earlier = earlier_run(study, r, value);
  if (earlier < 0) return bf_options_add(options, key, value, error);
  if (!folder) return BF_OK;
  if (snprintf(path, sizeof path, "%s/%s.h5", folder, value) >= (int)sizeof path)
    return bf_fail(error, BF_BAD_INPUT, "%s: the path is too long", folder);
  return bf_options_add(options, key, path, error);
}

static BfStatus fill(const BfPlan *plan, int64_t point, int r, const char *folder, BfOptions *options, BfError *error) {
  const BfStudyRun     *run     = &plan->study->run[r];
  const BfStudyCommand *command = run->command;
  const char           *key, *value;
  for (Walk w = {.plan = plan, .point = point, .run = run}; next(&w, &key, &value);) {
    char option[BF_OPTION_LENGTH];
    if (!bf_study_run_takes(plan->study, run, key) || !strcmp(key, "init") ||
        (command->file && !strcmp(key, command->file)))
      continue;
    bf_option_name(key, option);
    BF_TRY(bf_options_add(options, option, value, error));
  }
  const char *init = bf_study_takes(command, "init") ? last_value(plan, point, run, "init") : NULL;
  if (init) BF_TRY(add_file(plan->study, r, "init", init, folder, options, error));
  if (!command->file) return BF_OK;
  const char *file = last_value(plan, point, run, command->file);
  return add_file(plan->study, r, command->file, file ? file : plan->study->run[r - 1].name, folder, options, error);
}

BfStatus bf_plan_options(const BfPlan *plan, int64_t point, int r, const char *folder, BfOptions **options,
                         const char **file, BfError *error) {
  const BfStudyCommand *command = plan->study->run[r].command;
  BfOptions            *made;
  BF_TRY(bf_options_create(&made, error));
  if (fill(plan, point, r, folder, made, error) != BF_OK) {
    bf_options_destroy(&made);
    return error->status;
  }
  *file    = command->file ? bf_options_read(made, command->file) : plan->study->problem;
  *options = made;
  return BF_OK;
}

const BfStudyRun *bf_plan_init(const BfPlan *plan, int64_t point, int r) {
  const BfStudyRun *run  = &plan->study->run[r];
  const char       *init = bf_study_takes(run->command, "init") ? last_value(plan, point, run, "init") : NULL;
  const int         from = init ? earlier_run(plan->study, r, init) : -1;
  return from < 0 ? NULL : &plan->study->run[from];
}
