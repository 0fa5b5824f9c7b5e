/* The columns of a table. */
#include "run/text.h"
#include "table.h"

BfStatus bf_table_add(BfTable *table, const char *name, int64_t length, BfError *error) {
  BF_TRY(bf_array_room(&table->column, table->columns, &table->room, sizeof *table->column, error));
  char *copy = bf_text_copy(name, length, error);
  if (!copy) return error->status;
  table->column[table->columns++] = (BfColumn){.name = copy};
  return BF_OK;
}

void bf_table_clear(BfTable *table) {
  for (int64_t j = 0; j < table->columns; j++) {
    bf_free(table->column[j].name);
    bf_free(table->column[j].number);
    bf_free(table->column[j].integer);
  }
  bf_free(table->column);
  *table = (BfTable){0};
}
