/* What a study would do to no end, and what it may not have the memory for: told before anything runs. */
#include "study/formula.h"
#include "study/table.h"
#include <math.h>
#include <string.h>

enum { MOST_POINTS = 100000 };

/* ---- runs -------------------------------------------------------------------------------------------------------- */

static bool is_of(const char *path, const char *name) {
  const size_t length = strlen(name);
  return path && !strncmp(path, name, length) && path[length] == '/';
}

static bool sets(const BfSets *sets, const char *key, const char *value) {
  for (int64_t i = 0; i < sets->count; i++)
    if (!strcmp(sets->set[i].key, key) && !strcmp(sets->set[i].value, value)) return true;
  return false;
}

/* Whether a key has that value at some point. */
static bool varies_to(const BfStudy *study, const char *key, const char *value) {
  for (int i = 0; i < study->items; i++)
    for (int64_t v = 0; v < study->item[i].count * study->item[i].keys; v++)
      if (!strcmp(study->item[i].key[v % study->item[i].keys], key) && !strcmp(study->item[i].value[v], value))
        return true;
  return false;
}

static bool gives(const BfStudy *study, const BfStudyRun *run, const char *key, const char *value) {
  return sets(&run->set, key, value) || sets(&study->set, key, value) || sets(&study->reference, key, value) ||
         varies_to(study, key, value);
}

/* A run reads the result of the one before it, where nothing else is said. */
static bool is_used(const BfStudy *study, int r) {
  const char *name = study->run[r].name;
  for (int i = 0; i < study->measures; i++)
    if (is_of(study->measure[i].of, name) || is_of(study->measure[i].minus, name)) return true;
  for (int k = r + 1; k < study->runs; k++) {
    const char *file = study->run[k].command->file;
    if (gives(study, &study->run[k], "init", name)) return true;
    if (file && (k == r + 1 || gives(study, &study->run[k], file, name))) return true;
  }
  return false;
}

/* ---- formulas ---------------------------------------------------------------------------------------------------- */

/* Whether a formula in varied keys alone, known before anything runs, is finite at no point. */
static bool is_nowhere_finite(const BfPlan *plan, const BfFormula *formula, double column[]) {
  for (int64_t p = 0; p < plan->points && p < MOST_POINTS; p++) {
    for (int i = 0; i < bf_formula_names(formula); i++)
      if (!bf_plan_number(plan, p, bf_formula_name(formula, i), &column[i])) return false;
    if (isfinite(bf_formula_value(formula, column))) return false;
  }
  return plan->points <= MOST_POINTS;
}

static void tell_formula(const BfRun *run, const BfPlan *plan, const BfMeasure *m) {
  BfFormula *formula = NULL;
  double    *column  = NULL;
  BfError    unused  = {0};
  if (m->formula && bf_formula_create(m->formula, &formula, &unused) == BF_OK &&
      BF_NEW(&column, bf_formula_names(formula), &unused) == BF_OK && is_nowhere_finite(plan, formula, column))
    bf_warn(run, "measure: %s: %.200s is finite at no point", m->name, m->formula);
  bf_free(column);
  bf_formula_destroy(&formula);
}

/* ---- the reference ----------------------------------------------------------------------------------------------- */

static void tell_reference(const BfRun *run, const BfPlan *plan) {
  int64_t p = 0;
  while (p < plan->points && plan->point[p].refers >= 0 &&
         !strcmp(plan->point[p].key, plan->point[plan->point[p].refers].key))
    p++;
  if (p == plan->points) bf_warn(run, "the reference is each point itself: every difference to it is 0");
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

static void tell_memory(const BfRun *run, const BfPlan *plan) {
  const int64_t all  = plan->points + plan->references;
  const double  room = bf_study_room(run);
  double        most = 0;
  int64_t       over = 0;
  char          a[BF_HUMAN], b[BF_HUMAN];
  for (int64_t p = 0; p < all; p++) {
    over += plan->point[p].bytes > room;
    most = fmax(most, plan->point[p].bytes);
  }
  if (over)
    bf_print(run, "  %lld of %lld points may need more than the %s a node has, up to %s\n", (long long)over,
             (long long)all, bf_human_bytes(room, a), bf_human_bytes(most, b));
}

void bf_study_tell_waste(const BfRun *run, const BfPlan *plan) {
  const BfStudy *study = plan->study;
  for (int r = 0; r < study->runs; r++)
    if (!is_used(study, r))
      bf_warn(run, "the run %s is measured by nothing and used by no later run", study->run[r].name);
  for (int i = 0; i < study->measures; i++) tell_formula(run, plan, &study->measure[i]);
  tell_reference(run, plan);
  tell_memory(run, plan);
}
