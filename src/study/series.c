/* Rows of means that belong together. */
#include "run/text.h"
#include "study/means.h"
#include "study/read.h"
#include <stdio.h>
#include <string.h>

typedef struct {
  const BfTable *table;
  int            x_item; /* -1: x is a measure */
} Rule;

static bool is_apart(const Rule *rule, int item) {
  const BfStudy *study = rule->table->plan->study;
  if (bf_item_is_over(study, item)) return false;
  if (rule->x_item >= 0) return item != rule->x_item;
  return study->plot_series && bf_study_item(study, study->plot_series, NULL) == item;
}

static int64_t series_of(const Rule *rule, int64_t row) {
  const BfTable *table  = rule->table;
  const int64_t *choice = table->plan->point[table->draw[row * table->draws]].choice;
  int64_t        series = 0;
  for (int i = 0; i < table->plan->study->items; i++)
    if (is_apart(rule, i)) series = series * table->plan->study->item[i].count + choice[i];
  return series;
}

static BfStatus name_series(const Rule *rule, int64_t row, char **out, BfError *error) {
  const BfPlan *plan       = rule->table->plan;
  char          text[4096] = "";
  for (int i = 0; i < plan->study->items; i++)
    for (int k = 0; k < plan->study->item[i].keys && is_apart(rule, i); k++) {
      const char  *key   = plan->study->item[i].key[k];
      const char  *value = bf_plan_value(plan, rule->table->draw[row * rule->table->draws], key);
      const size_t end   = strlen(text);
      snprintf(text + end, sizeof text - end, "%s%s %s", end ? ", " : "", key, value ? value : "-");
    }
  return bf_text_join(out, text, "", error);
}

BfStatus bf_series_create(const BfTable *table, const char *x, BfSeries *out, BfError *error) {
  const BfStudy *study = table->plan->study;
  const Rule     rule  = {table, bf_study_item(study, x, NULL)};
  out->count           = 1;
  for (int i = 0; i < study->items; i++)
    if (is_apart(&rule, i)) out->count *= study->item[i].count;
  BF_TRY(BF_NEW(&out->of, table->means.rows, error));
  BF_TRY(BF_NEW(&out->name, out->count, error));
  for (int64_t row = 0; row < table->means.rows; row++) {
    out->of[row] = series_of(&rule, row);
    if (!out->name[out->of[row]]) BF_TRY(name_series(&rule, row, &out->name[out->of[row]], error));
  }
  return BF_OK;
}

void bf_series_clear(BfSeries *series) {
  for (int64_t s = 0; series->name && s < series->count; s++) bf_free(series->name[s]);
  bf_free(series->name);
  bf_free(series->of);
  *series = (BfSeries){0};
}

/* Of the fits, or the first key that is not averaged over. */
static const char *plot_x(const BfTable *table) {
  const BfStudy *study = table->plan->study;
  if (study->plot_x) return study->plot_x;
  if (study->fits) return study->fit[0].x;
  return table->means.keys ? table->means.column[0].name : "";
}

BfStatus bf_plot_fill(BfTable *table, BfError *error) {
  table->plot_x = plot_x(table);
  return bf_series_create(table, table->plot_x, &table->plot, error);
}
