/* Tables of numbers from the bytes of a file: named columns (CSV or HDF5), or plain rows (CSV). Pure, apart from HDF5's
 * reading of a file image in memory.
 *
 * CSV: cells between commas, blanks around them ignored, a number or a word in double quotes taken without them; empty
 * lines and lines that start with '#' are skipped; the first line that is left is the header. */
#pragma once
#include "bellformer/problem.h"

typedef enum { BF_COLUMN_NUMBER, BF_COLUMN_INTEGER } BfColumnType;

typedef struct {
  char        *name;
  BfColumnType type;
  double      *number;  /* [rows], or NULL */
  int64_t     *integer; /* [rows], or NULL */
} BfColumn;

typedef struct {
  const BfFile *file; /* borrowed */
  int           hdf5;
  int64_t       columns, room;
  BfColumn     *column;
  int64_t       rows;
} BfTable;

/* The header: names of the columns. Errors of these functions do not begin with the file's name. */
BfStatus bf_table_open(const BfFile *file, BfTable *out, BfError *error);
/* The rows, each column by the type that was put there in between. */
BfStatus bf_table_read(BfTable *table, BfError *error);
void     bf_table_clear(BfTable *table);

/* "line 3" of CSV, "row 1" (from 0) of HDF5: where the row of that number stands. Returns out. */
#define BF_PLACE 32
const char *bf_table_place(const BfFile *file, int64_t row, char out[BF_PLACE]);

/* CSV rows of `columns` numbers each, at least one row; a first line without any number is a header, and skipped.
 * *out: [rows][columns], to be freed with bf_free. Errors begin with the file's name. */
BfStatus bf_rows_parse(const BfFile *file, int64_t columns, int64_t *rows, double **out, BfError *error);

/* "line 3": where that row of such a file stands. Returns out. */
const char *bf_rows_place(const BfFile *file, int64_t row, char out[BF_PLACE]);

/* The halves of these functions for each kind; place: the line behind the first `count` ones. */
BfStatus    bf_table_csv_open(BfTable *table, BfError *error);
BfStatus    bf_table_csv_read(BfTable *table, BfError *error);
const char *bf_table_csv_place(const BfFile *file, int64_t count, char out[BF_PLACE]);
BfStatus    bf_table_hdf5_open(BfTable *table, BfError *error);
BfStatus    bf_table_hdf5_read(BfTable *table, BfError *error);
/* Add a column with a copy of the name, `length` bytes. */
BfStatus bf_table_add(BfTable *table, const char *name, int64_t length, BfError *error);
