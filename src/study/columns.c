/* Columns by name. */
#include "run/text.h"
#include "study/means.h"
#include <string.h>

const BfColumn *bf_columns_find(const BfColumns *columns, const char *name) {
  for (int c = 0; c < columns->columns; c++)
    if (!strcmp(columns->column[c].name, name)) return &columns->column[c];
  return NULL;
}

/* ---- lifetime -----------------------------------------------------------------------------------------------------
 */

BfStatus bf_columns_create(BfColumns *columns, int64_t rows, int most, BfError *error) {
  columns->rows = rows;
  return BF_NEW(&columns->column, most, error);
}

void bf_columns_clear(BfColumns *columns) {
  for (int c = 0; c < columns->columns; c++) {
    bf_free(columns->column[c].name);
    bf_free(columns->column[c].number);
    bf_free((void *)columns->column[c].text);
  }
  bf_free(columns->column);
  *columns = (BfColumns){0};
}

BfStatus bf_columns_add(BfColumns *columns, const char *name, const char *more, BfColumn **out, BfError *error) {
  BfColumn *column = &columns->column[columns->columns];
  BF_TRY(bf_text_join(&column->name, name, more, error));
  columns->columns++;
  if (out) *out = column;
  return BF_OK;
}

static bool are_numbers(const BfPlan *plan, const char *key) {
  double number;
  for (int64_t p = 0; p < plan->points + plan->references; p++)
    if (!bf_plan_number(plan, p, key, &number)) return false;
  return true;
}

BfStatus bf_columns_add_key(BfColumns *columns, const BfPlan *plan, const char *key, const int64_t point[],
                            BfError *error) {
  const bool numbers = are_numbers(plan, key);
  BfColumn  *column;
  BF_TRY(bf_columns_add(columns, key, "", &column, error));
  columns->keys++;
  if (numbers) BF_TRY(BF_NEW(&column->number, columns->rows, error));
  else BF_TRY(BF_NEW(&column->text, columns->rows, error));
  for (int64_t i = 0; i < columns->rows; i++)
    if (numbers) bf_plan_number(plan, point[i], key, &column->number[i]);
    else {
      const char *value = bf_plan_value(plan, point[i], key);
      column->text[i]   = value ? value : "";
    }
  return BF_OK;
}
