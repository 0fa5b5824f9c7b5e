/* What runs write: whether there is what a measure names. */
#include "run/text.h"
#include "study/read.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>

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

/* ---- what an option asks for ------------------------------------------------------------------------------------- */

static bool is_on(const char *value) {
  static const char *const off[] = {"0", "false", "no", "off"};
  for (size_t k = 0; value && k < sizeof off / sizeof *off; k++)
    if (!strcasecmp(value, off[k])) return false;
  return value != NULL;
}

/* Whether some point gives the run an option. */
static bool asks(const BfStudy *study, const BfStudyRun *run, const char *option) {
  int       which;
  const int item = bf_study_item(study, option, &which);
  for (int64_t i = 0; item >= 0 && i < study->item[item].count; i++)
    if (is_on(study->item[item].value[i * study->item[item].keys + which])) return true;
  return is_on(bf_sets_find(&study->set, option)) || is_on(bf_sets_find(&run->set, option)) ||
         is_on(bf_sets_find(&study->reference, option));
}

static BfStatus check_needs(const BfStudy *study, const BfStudyRun *run, const char *path, BfError *error) {
  for (const char *const(*need)[2] = run->command->needs; need && (*need)[0]; need++)
    if (bf_study_is_output((*need)[0], path) && !asks(study, run, (*need)[1]))
      return bf_fail(error, BF_BAD_INPUT, "%s writes %s where option %s asks for it, which no point does",
                     run->command->name, path, (*need)[1]);
  return BF_OK;
}

/* ---- a measure's path -------------------------------------------------------------------------------------------- */

BfStatus bf_study_check_output(const BfStudy *study, const BfStudyRun *run, const char *path, BfError *error) {
  const char *like = NULL;
  int         near = bf_text_far(path);
  for (const char *const *output = run->command->outputs; output && *output; output++) {
    if (bf_study_is_output(*output, path)) return check_needs(study, run, path, error);
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
