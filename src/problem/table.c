/* A table of either kind. */
#include "table.h"

#include <inttypes.h>
#include <stdio.h>

const char *bf_table_place(const BfFile *file, int64_t row, char out[BF_PLACE]) {
  snprintf(out, BF_PLACE, "row %" PRId64, row);
  return bf_file_is_hdf5(file) ? out : bf_table_csv_place(file, row + 1, out);
}

BfStatus bf_table_open(const BfFile *file, BfTable *out, BfError *error) {
  BfTable  table  = {.file = file, .hdf5 = bf_file_is_hdf5(file)};
  BfStatus status = table.hdf5 ? bf_table_hdf5_open(&table, error) : bf_table_csv_open(&table, error);
  if (status == BF_OK && !table.rows) status = bf_fail(error, BF_BAD_INPUT, "the table has no rows");
  if (status == BF_OK) *out = table;
  else bf_table_clear(&table);
  return status;
}

BfStatus bf_table_read(BfTable *table, BfError *error) {
  for (int64_t j = 0; j < table->columns; j++) {
    BfColumn *column = &table->column[j];
    BF_TRY(column->type == BF_COLUMN_INTEGER ? BF_NEW(&column->integer, table->rows, error)
                                             : BF_NEW(&column->number, table->rows, error));
  }
  return table->hdf5 ? bf_table_hdf5_read(table, error) : bf_table_csv_read(table, error);
}
