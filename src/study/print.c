/* The table at the end. */
#include "study/means.h"
#include "study/outcome.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MOST_ROWS = 60, CELL = 64, WIDEST = 40 };

/* ---- means ------------------------------------------------------------------------------------------------------ */

typedef struct {
  const BfColumn *value, *error; /* error: its standard one, in brackets behind it; NULL: none is shown */
} Shown;

static void print_cell(const Shown *shown, int64_t row, char cell[CELL]) {
  if (shown->value->text) {
    snprintf(cell, CELL, "%.*s", WIDEST, shown->value->text[row]);
    return;
  }
  snprintf(cell, CELL, "%.6g", shown->value->number[row]);
  if (!shown->error || isnan(shown->error->number[row])) return;
  const size_t end = strlen(cell);
  snprintf(cell + end, CELL - end, " (%.2g)", shown->error->number[row]);
}

static int width_of(const Shown *shown, int64_t rows) {
  char cell[CELL];
  int  width = (int)strlen(shown->value->name);
  for (int64_t row = 0; row < rows; row++) {
    print_cell(shown, row, cell);
    if ((int)strlen(cell) > width) width = (int)strlen(cell);
  }
  return width;
}

/* Keys, how many points a row has where that differs from 1, and measures. */
static int choose(const BfTable *table, Shown shown[]) {
  const BfColumns *means = &table->means;
  int              n     = 0;
  for (int c = 0; c < means->keys; c++) shown[n++] = (Shown){&means->column[c], NULL};
  if (table->draws > 1) shown[n++] = (Shown){bf_columns_find(means, "count"), NULL};
  for (int c = table->points.keys; c < table->points.columns; c++) {
    const BfColumn *mean = bf_columns_find(means, table->points.column[c].name);
    shown[n++]           = (Shown){mean, table->draws > 1 ? mean + 1 : NULL};
  }
  return n;
}

static void print_means(const BfRun *run, const BfTable *table, const Shown shown[], int columns) {
  const int64_t rows = table->means.rows < MOST_ROWS ? table->means.rows : MOST_ROWS;
  for (int64_t row = -1; row < rows; row++) {
    for (int c = 0; c < columns; c++) {
      char        cell[CELL];
      const int   width = width_of(&shown[c], rows);
      const char *text  = row < 0 ? shown[c].value->name : cell;
      if (row >= 0) print_cell(&shown[c], row, cell);
      bf_print(run, "%s%*s", c ? "  " : "", width, text);
    }
    bf_print(run, "\n");
  }
  if (rows < table->means.rows) bf_print(run, "... and %lld rows more\n", (long long)(table->means.rows - rows));
}

/* ---- fits ------------------------------------------------------------------------------------------------------- */

static const char *verdict(const BfFitted *fit) {
  if (fit->inside) return "as expected";
  if (fit->exponent * fit->asked->expect < 0) return "of the other sign than expected";
  return fabs(fit->exponent) > fabs(fit->asked->expect) ? "steeper than expected" : "flatter than expected";
}

static void print_fit(const BfRun *run, const BfFitted *fit) {
  const BfFit *asked = fit->asked;
  bf_print(run, "fit %s ~ %s^p%s%s: ", asked->y, asked->x, *fit->series ? ", " : "", fit->series);
  if (!isnan(asked->expect)) bf_print(run, "expected p = %.4g", asked->expect);
  if (asked->ranged) bf_print(run, " (within [%.4g, %.4g])", asked->within[0], asked->within[1]);
  if (!isnan(asked->expect)) bf_print(run, ", ");
  if (isnan(fit->exponent)) {
    bf_print(run, "not fitted: %s", fit->why);
  } else {
    bf_print(run, "seen p = %.4g", fit->exponent);
    if (!isnan(fit->low)) bf_print(run, " in [%.4g, %.4g]", fit->low, fit->high);
    if (fit->inside >= 0) bf_print(run, ", %s", verdict(fit));
    if (!isnan(fit->r2)) bf_print(run, ", R^2 %.4g", fit->r2);
    bf_print(run, ", %lld points", (long long)fit->points);
    if (fit->why) bf_print(run, "; %s", fit->why);
  }
  if (fit->left_out) bf_print(run, "; left out: %lld that are no positive numbers", (long long)fit->left_out);
  bf_print(run, "\n");
}

/* ---- what was not written -----------------------------------------------------------------------------------------
 */

/* Points that were done and asked for all, and how many of their runs have written no number of a name,
 * RUN/GROUP@ATTRIBUTE or a dataset's. */
static void tell_unwritten(const BfRun *run, const BfPlan *plan, BfRecord *const records[], const char *measure,
                           const char *name) {
  int64_t done = 0, without = 0;
  for (int64_t p = 0; name && strchr(name, '/') && p < plan->points + plan->references; p++) {
    if (!records[p] || records[p]->state != BF_POINT_DONE || bf_outcome_lacks(plan->study, records[p])) continue;
    const BfDatum *datum = bf_record_find(records[p], name);
    done++;
    without += !datum || datum->kind == BF_DATUM_TEXT;
  }
  if (without)
    bf_warn(run, "measure: %s: the runs at %lld of %lld points have written no number %s", measure, (long long)without,
            (long long)done, name);
}

void bf_study_tell_unwritten(const BfRun *run, const BfPlan *plan, BfRecord *const records[]) {
  for (int m = 0; m < plan->study->measures; m++) {
    const BfMeasure *measure = &plan->study->measure[m];
    tell_unwritten(run, plan, records, measure->name, measure->of);
    tell_unwritten(run, plan, records, measure->name, measure->minus);
  }
}

/* ---- all -----------------------------------------------------------------------------------------------------------
 */

void bf_table_print(const BfRun *run, const BfTable *table) {
  BfError error = {0};
  Shown  *shown = NULL;
  if (BF_NEW(&shown, table->points.columns + 1, &error) != BF_OK) {
    bf_warn(run, "no table: %s", error.text);
    return;
  }
  print_means(run, table, shown, choose(table, shown));
  for (int64_t f = 0; f < table->fits; f++) print_fit(run, &table->fit[f]);
  bf_free(shown);
}
