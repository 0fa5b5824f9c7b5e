/* Averages over `over`. */
#include "study/means.h"
#include "study/read.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Which points every row has. */
static BfStatus deal(BfTable *table, int64_t *rows, BfError *error) {
  const BfPlan  *plan  = table->plan;
  const BfStudy *study = plan->study;
  *rows = table->draws = 1;
  for (int i = 0; i < study->items; i++) *(bf_item_is_over(study, i) ? &table->draws : rows) *= study->item[i].count;
  BF_TRY(BF_NEW(&table->draw, plan->points, error));
  for (int64_t p = 0; p < plan->points; p++) {
    int64_t row = 0, draw = 0;
    for (int i = 0; i < study->items; i++) {
      int64_t *place = bf_item_is_over(study, i) ? &draw : &row;
      *place         = *place * study->item[i].count + plan->point[p].choice[i];
    }
    table->draw[row * table->draws + draw] = p;
  }
  return BF_OK;
}

/* ---- of one row ------------------------------------------------------------------------------------------------- */

enum { MEAN, ERROR, MEDIAN, LEAST, MOST, COUNT, STATISTICS };
static const char *const ending[] = {"", ".standard_error", ".median", ".least", ".most", ".count"};

bool bf_is_statistic(const char *name) {
  for (int s = MEAN + 1; s < STATISTICS; s++) {
    const size_t length = strlen(ending[s]);
    if (strlen(name) > length && !strcmp(name + strlen(name) - length, ending[s])) return true;
  }
  return false;
}

int bf_ascending(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* x[n], which are sorted here; none is NaN. */
static void summarize(double x[], int64_t n, double statistic[STATISTICS]) {
  double sum = 0, squares = 0;
  for (int s = 0; s < STATISTICS; s++) statistic[s] = NAN;
  statistic[COUNT] = (double)n;
  if (!n) return;
  for (int64_t i = 0; i < n; i++) sum += x[i];
  statistic[MEAN] = sum / (double)n;
  for (int64_t i = 0; i < n; i++) squares += (x[i] - statistic[MEAN]) * (x[i] - statistic[MEAN]);
  if (n > 1) statistic[ERROR] = sqrt(squares / (double)(n - 1) / (double)n);
  qsort(x, (size_t)n, sizeof *x, bf_ascending);
  statistic[MEDIAN] = n % 2 ? x[n / 2] : 0.5 * (x[n / 2 - 1] + x[n / 2]);
  statistic[LEAST]  = x[0];
  statistic[MOST]   = x[n - 1];
}

/* ---- columns ---------------------------------------------------------------------------------------------------- */

static BfStatus add_measure(BfTable *table, const BfColumn *of, double *work, BfError *error) {
  BfColumns *means = &table->means;
  BfColumn  *column[STATISTICS];
  double     statistic[STATISTICS];
  for (int s = 0; s < STATISTICS; s++) {
    BF_TRY(bf_columns_add(means, of->name, ending[s], &column[s], error));
    BF_TRY(BF_NEW(&column[s]->number, means->rows, error));
  }
  for (int64_t row = 0; row < means->rows; row++) {
    const int64_t *draw = table->draw + row * table->draws;
    int64_t        n    = 0;
    for (int64_t b = 0; b < table->draws; b++)
      if (!isnan(of->number[draw[b]])) work[n++] = of->number[draw[b]];
    summarize(work, n, statistic);
    for (int s = 0; s < STATISTICS; s++) column[s]->number[row] = statistic[s];
  }
  return BF_OK;
}

/* Points that have given a measure. */
static BfStatus add_count(BfTable *table, BfError *error) {
  const BfColumns *points = &table->points;
  BfColumn        *count;
  BF_TRY(bf_columns_add(&table->means, "count", "", &count, error));
  BF_TRY(BF_NEW(&count->number, table->means.rows, error));
  for (int64_t i = 0; i < points->rows; i++) {
    int c = points->keys;
    while (c < points->columns && isnan(points->column[c].number[table->draw[i]])) c++;
    count->number[i / table->draws] += c < points->columns;
  }
  return BF_OK;
}

static BfStatus add_columns(BfTable *table, const int64_t first[], double *work, BfError *error) {
  const BfStudy *study = table->plan->study;
  for (int i = 0; i < study->items; i++)
    for (int k = 0; k < study->item[i].keys && !bf_item_is_over(study, i); k++)
      BF_TRY(bf_columns_add_key(&table->means, table->plan, study->item[i].key[k], first, error));
  BF_TRY(add_count(table, error));
  for (int c = table->points.keys; c < table->points.columns; c++)
    BF_TRY(add_measure(table, &table->points.column[c], work, error));
  return BF_OK;
}

BfStatus bf_means_fill(BfTable *table, BfError *error) {
  int64_t rows, *first = NULL;
  double *work = NULL;
  BF_TRY(deal(table, &rows, error));
  const int columns = table->points.keys + 1 + STATISTICS * (table->points.columns - table->points.keys);
  BF_TRY(bf_columns_create(&table->means, rows, columns, error));
  BfStatus status = BF_NEW(&first, rows, error); /* a point of each row */
  if (status == BF_OK) status = BF_NEW(&work, table->draws, error);
  for (int64_t row = 0; status == BF_OK && row < rows; row++) first[row] = table->draw[row * table->draws];
  if (status == BF_OK) status = add_columns(table, first, work, error);
  bf_free(first);
  bf_free(work);
  return status;
}
