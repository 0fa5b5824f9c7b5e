/* A table as text: comma-separated values. */
#include "run/text.h"
#include "table.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- lines and cells -------------------------------------------------------------------------------------------- */

typedef struct {
  const char *at, *end; /* what is left of the file */
  int64_t     number;   /* of the line that next_line gave, from 1 */
  const char *begin, *stop;
} Lines;

enum { CELL = 128 }; /* a longer one is no number */

static void trim(const char **begin, const char **stop) {
  while (*begin < *stop && (**begin == ' ' || **begin == '\t')) ++*begin;
  while (*stop > *begin && ((*stop)[-1] == ' ' || (*stop)[-1] == '\t' || (*stop)[-1] == '\r')) --*stop;
}

static Lines start_lines(const BfFile *file) {
  Lines lines = {.at = file->bytes, .end = file->bytes + file->size};
  if (file->size >= 3 && !memcmp(file->bytes, "\xEF\xBB\xBF", 3)) lines.at += 3; /* a byte order mark */
  return lines;
}

/* The next line that is neither empty nor a comment, without blanks at its ends; 0 after the last. */
static int next_line(Lines *lines) {
  while (lines->at < lines->end) {
    const char *newline = memchr(lines->at, '\n', (size_t)(lines->end - lines->at));
    lines->begin        = lines->at;
    lines->stop         = newline ? newline : lines->end;
    lines->at           = newline ? newline + 1 : lines->end;
    lines->number++;
    trim(&lines->begin, &lines->stop);
    if (lines->begin < lines->stop && *lines->begin != '#') return 1;
  }
  return 0;
}

static int64_t count_cells(const Lines *lines) {
  int64_t count = 1;
  for (const char *c = lines->begin; c < lines->stop; c++) count += *c == ',';
  return count;
}

/* The cell that starts at *at, moved behind its comma. */
static void next_cell(const Lines *lines, const char **at, const char **begin, const char **stop) {
  *begin = *at;
  *stop  = *at;
  while (*stop < lines->stop && **stop != ',') ++*stop;
  *at = *stop < lines->stop ? *stop + 1 : *stop;
  trim(begin, stop);
  if (*stop - *begin >= 2 && **begin == '"' && (*stop)[-1] == '"') {
    ++*begin;
    --*stop;
    trim(begin, stop);
  }
}

/* The cell as a string, cut where it is too long to be a number. */
static void cell_text(const char *begin, const char *stop, char text[CELL]) {
  size_t length = (size_t)(stop - begin);
  if (length > CELL - 1) length = CELL - 1;
  memcpy(text, begin, length);
  text[length] = '\0';
  if ((size_t)(stop - begin) > length) text[0] = '?';
  for (size_t k = 0; k < length; k++)
    if (!text[k]) text[k] = '?'; /* a NUL byte would hide what follows it */
}

static const char *cell_number(const char *begin, const char *stop, char text[CELL], double *value) {
  cell_text(begin, stop, text);
  return bf_text_number(text, value);
}

static int64_t count_lines(const BfFile *file) {
  Lines   lines = start_lines(file);
  int64_t count = 0;
  while (next_line(&lines)) count++;
  return count;
}

/* The line behind the first `count` ones. */
const char *bf_table_csv_place(const BfFile *file, int64_t count, char out[BF_PLACE]) {
  Lines lines = start_lines(file);
  for (int64_t k = 0; k <= count; k++)
    if (!next_line(&lines)) break;
  snprintf(out, BF_PLACE, "line %" PRId64, lines.number);
  return out;
}

/* ---- named columns ------------------------------------------------------------------------------------------------
 */

BfStatus bf_table_csv_open(BfTable *table, BfError *error) {
  Lines lines = start_lines(table->file);
  if (!next_line(&lines)) return bf_fail(error, BF_BAD_INPUT, "the table is empty");
  const char *at = lines.begin, *begin, *stop;
  for (int64_t count = count_cells(&lines); count; count--) {
    next_cell(&lines, &at, &begin, &stop);
    if (begin == stop || stop - begin > CELL)
      return bf_fail(error, BF_BAD_INPUT, "line %" PRId64 ": column %" PRId64 " has no name", lines.number,
                     table->columns + 1);
    BF_TRY(bf_table_add(table, begin, stop - begin, error));
  }
  table->rows = count_lines(table->file) - 1;
  return BF_OK;
}

static BfStatus read_line(BfTable *table, const Lines *lines, int64_t row, BfError *error) {
  const char *at = lines->begin, *begin, *stop;
  char        text[CELL], quote[BF_QUOTE];
  int64_t     count = count_cells(lines);
  if (count != table->columns)
    return bf_fail(error, BF_BAD_INPUT, "line %" PRId64 ": %" PRId64 " cells, but the header has %" PRId64,
                   lines->number, count, table->columns);
  for (int64_t j = 0; j < table->columns; j++) {
    BfColumn *column = &table->column[j];
    next_cell(lines, &at, &begin, &stop);
    cell_text(begin, stop, text);
    const char *wrong = column->type == BF_COLUMN_INTEGER ? bf_text_integer(text, &column->integer[row])
                                                          : bf_text_number(text, &column->number[row]);
    if (wrong)
      return bf_fail(error, BF_BAD_INPUT, "line %" PRId64 ": column %s %s: '%s'", lines->number, column->name, wrong,
                     bf_text_quote(text, quote));
  }
  return BF_OK;
}

BfStatus bf_table_csv_read(BfTable *table, BfError *error) {
  Lines lines = start_lines(table->file);
  next_line(&lines);
  for (int64_t row = 0; row < table->rows && next_line(&lines); row++) BF_TRY(read_line(table, &lines, row, error));
  return BF_OK;
}

/* ---- rows without names ----------------------------------------------------------------------------------------- */

/* A line in which no cell is meant as a number: not even as a wrong one (nan, 1e999). */
static bool is_header(const Lines *lines) {
  const char *at = lines->begin, *begin, *stop;
  char        text[CELL];
  double      number;
  for (int64_t count = count_cells(lines); count; count--) {
    next_cell(lines, &at, &begin, &stop);
    const char *wrong = cell_number(begin, stop, text, &number);
    if (!wrong || strcmp(wrong, "is not a number") || strchr("+-.0123456789", *text)) return false;
  }
  return true;
}

const char *bf_rows_place(const BfFile *file, int64_t row, char out[BF_PLACE]) {
  Lines lines = start_lines(file);
  return bf_table_csv_place(file, row + (next_line(&lines) && is_header(&lines)), out);
}

static BfStatus read_row(const Lines *lines, int64_t columns, double row[], BfError *error) {
  const char *at = lines->begin, *begin, *stop;
  char        text[CELL], quote[BF_QUOTE];
  int64_t     count = count_cells(lines);
  if (count != columns)
    return bf_fail(error, BF_BAD_INPUT, "line %" PRId64 ": %" PRId64 " cells, but %" PRId64 " are wanted",
                   lines->number, count, columns);
  for (int64_t j = 0; j < columns; j++) {
    next_cell(lines, &at, &begin, &stop);
    const char *wrong = cell_number(begin, stop, text, &row[j]);
    if (wrong)
      return bf_fail(error, BF_BAD_INPUT, "line %" PRId64 ": cell %" PRId64 " %s: '%s'", lines->number, j + 1, wrong,
                     bf_text_quote(text, quote));
  }
  return BF_OK;
}

static BfStatus read_rows(const BfFile *file, int64_t columns, int64_t *rows, double **out, BfError *error) {
  Lines lines = start_lines(file);
  if (bf_file_is_hdf5(file)) return bf_fail(error, BF_BAD_INPUT, "must be a text table, not HDF5");
  if (!next_line(&lines)) return bf_fail(error, BF_BAD_INPUT, "the table is empty");
  int     header = is_header(&lines);
  int64_t count  = count_lines(file) - header, cells;
  if (!count) return bf_fail(error, BF_BAD_INPUT, "the table has no rows");
  /* Refuse the first line of a wrong width before asking for memory for that many rows of the right one. */
  if (count_cells(&lines) != columns)
    return bf_fail(error, BF_BAD_INPUT, "line %" PRId64 ": %" PRId64 " cells, but %" PRId64 " are wanted", lines.number,
                   count_cells(&lines), columns);
  if (__builtin_mul_overflow(count, columns, &cells)) return bf_fail(error, BF_BAD_INPUT, "the table is too large");
  BF_TRY(BF_NEW(out, cells, error));
  if (header) next_line(&lines);
  for (int64_t row = 0; row < count; row++) {
    BF_TRY(read_row(&lines, columns, *out + row * columns, error));
    next_line(&lines);
  }
  *rows = count;
  return BF_OK;
}

BfStatus bf_rows_parse(const BfFile *file, int64_t columns, int64_t *rows, double **out, BfError *error) {
  double  *values = NULL;
  BfStatus status = read_rows(file, columns, rows, &values, error);
  if (status == BF_OK) {
    *out = values;
    return BF_OK;
  }
  bf_free(values);
  bf_error_prefix(error, "%s", file->name);
  return status;
}
