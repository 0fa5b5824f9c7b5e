/* Columns from records. */
#include "study/table.h"
#include "study/means.h"

void bf_table_destroy(BfTable **out) {
  BfTable *table = *out;
  if (!table) return;
  bf_columns_clear(&table->points);
  bf_columns_clear(&table->references);
  bf_columns_clear(&table->means);
  for (int64_t f = 0; f < table->fits; f++) bf_free(table->fit[f].series);
  bf_free(table->fit);
  bf_series_clear(&table->plot);
  bf_free(table->draw);
  bf_free(table);
  *out = NULL;
}

static BfStatus fill(BfColumns *columns, const BfPlan *plan, BfRecord *const records[], const int64_t point[],
                     BfError *error) {
  const BfStudy *study = plan->study;
  BfColumn      *column;
  for (int i = 0; i < study->items; i++)
    for (int k = 0; k < study->item[i].keys; k++)
      BF_TRY(bf_columns_add_key(columns, plan, study->item[i].key[k], point, error));
  for (int m = 0; m < study->measures; m++) {
    BF_TRY(bf_columns_add(columns, study->measure[m].name, "", &column, error));
    BF_TRY(BF_NEW(&column->number, columns->rows, error));
    for (int64_t r = 0; r < columns->rows; r++)
      BF_TRY(bf_measure_value(plan, records, point[r], m, &column->number[r], error));
  }
  return BF_OK;
}

static BfStatus make(BfTable *table, const BfPlan *plan, BfRecord *const records[], BfError *error) {
  const BfStudy *study   = plan->study;
  const int64_t  all     = plan->points + plan->references;
  int            columns = study->measures;
  int64_t       *point   = NULL;
  for (int i = 0; i < study->items; i++) columns += study->item[i].keys;
  BF_TRY(bf_columns_create(&table->points, plan->points, columns, error));
  BF_TRY(bf_columns_create(&table->references, plan->references, columns, error));
  BF_TRY(BF_NEW(&point, all, error));
  for (int64_t p = 0; p < all; p++) point[p] = p;
  BfStatus status = fill(&table->points, plan, records, point, error);
  if (status == BF_OK) status = fill(&table->references, plan, records, point + plan->points, error);
  bf_free(point);
  if (status == BF_OK) status = bf_means_fill(table, error);
  if (status == BF_OK) status = bf_fits_fill(table, error);
  return status == BF_OK ? bf_plot_fill(table, error) : status;
}

BfStatus bf_table_create(const BfPlan *plan, BfRecord *const records[], BfTable **out, BfError *error) {
  BF_TRY(BF_NEW(out, 1, error));
  (*out)->plan = plan;
  if (make(*out, plan, records, error) != BF_OK) bf_table_destroy(out);
  return error->status;
}
