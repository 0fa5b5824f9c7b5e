/* What runs write: whether there is what a measure names. */
#include "run/text.h"
#include "study/read.h"
#include <stdio.h>
#include <string.h>

bool bf_study_is_output(const char *output, const char *path) {
  for (; *output && *output != '*'; output++, path++)
    if (*output != *path) return false;
  if (!*output) return !*path;
  for (;; path++) {
    if (bf_study_is_output(output + 1, path)) return true;
    if (!*path || *path == '/') return false;
  }
}

/* Numbers of a run without a /rollout, whose names are a handful. */
static const char *numbers_list(const BfStudyRun *run, size_t size, char list[]) {
  *list = '\0';
  for (const char *const *output = run->command->outputs; output && *output; output++) {
    const size_t used = strlen(list);
    if (bf_study_is_output(*output, "/rollout@cost")) return *list = '\0', list;
    if (!strncmp(*output, "/@", 2) && !strchr(*output, '*'))
      snprintf(list + used, size - used, "%s%s%s", used ? ", " : "", run->name, *output + 1);
  }
  return list;
}

BfStatus bf_study_check_output(const BfStudyRun *run, const char *path, BfError *error) {
  const char *like = NULL;
  int         near = bf_text_far(path);
  for (const char *const *output = run->command->outputs; output && *output; output++) {
    if (bf_study_is_output(*output, path)) return BF_OK;
    const int distance = bf_text_distance(*output, path);
    if (distance < near) near = distance, like = *output;
  }
  if (!run->command->outputs) return BF_OK;
  char list[512] = "";
  if (!like) numbers_list(run, sizeof list, list);
  return bf_fail(error, BF_BAD_INPUT, "%s writes no %s%s%s%s%s%s", run->command->name, path,
                 like ? ", did you mean " : "", like ? like : "", like ? "?" : "", *list ? "; its numbers are " : "",
                 list);
}

/* ---- what an option asks for ------------------------------------------------------------------------------------- */

static bool has_key(const BfSets *sets, const char *key) {
  for (int64_t i = 0; i < sets->count; i++)
    if (!strcmp(sets->set[i].key, key)) return true;
  return false;
}

static bool names(const BfStudy *study, const BfStudyRun *run, const char *option) {
  for (int i = 0; i < study->items; i++)
    for (int k = 0; k < study->item[i].keys; k++)
      if (!strcmp(study->item[i].key[k], option)) return true;
  return has_key(&study->set, option) || has_key(&run->set, option) || has_key(&study->reference, option);
}

/* of: RUN/..., or the name of an earlier measure. */
static BfStatus check_needs(const BfStudy *study, const BfStudyRun *run, const BfMeasure *m, const char *of,
                            BfError *error) {
  const size_t length = strlen(run->name);
  if (!of || strncmp(of, run->name, length) || of[length] != '/') return BF_OK;
  for (const char *const(*need)[2] = run->command->needs; need && (*need)[0]; need++)
    if (bf_study_is_output((*need)[0], of + length) && !names(study, run, (*need)[1]))
      return bf_fail(error, BF_BAD_INPUT, "measure %s: %s writes %s where option %s asks for it, which is not given",
                     m->name, run->command->name, of + length, (*need)[1]);
  return BF_OK;
}

BfStatus bf_study_check_needs(const BfStudy *study, BfError *error) {
  for (int k = 0; k < study->measures; k++)
    for (int r = 0; r < study->runs; r++) {
      BF_TRY(check_needs(study, &study->run[r], &study->measure[k], study->measure[k].of, error));
      BF_TRY(check_needs(study, &study->run[r], &study->measure[k], study->measure[k].minus, error));
    }
  return BF_OK;
}
