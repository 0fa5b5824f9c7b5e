/* Columns as text. */
#include "run/text.h"
#include "study/write.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int bf_study_stem(const char *out) {
  const size_t length = strlen(out);
  return (int)(length > 3 && !strcmp(out + length - 3, ".h5") ? length - 3 : length);
}

BfStatus bf_study_table_name(const char *out, char **name, BfError *error) {
  const int stem = bf_study_stem(out);
  BF_TRY(BF_NEW(name, stem + (int64_t)sizeof ".csv", error));
  memcpy(*name, out, (size_t)stem);
  strcpy(*name + stem, ".csv");
  return BF_OK;
}

/* The shortest text that gives the number's bits. */
static void print_number(double value, FILE *file) {
  char text[32];
  int  digits = 15;
  if (isnan(value)) fputs("NaN", file);
  else if (isinf(value)) fputs(value < 0 ? "-Inf" : "Inf", file);
  else {
    do snprintf(text, sizeof text, "%.*g", digits, value);
    while (strtod(text, NULL) != value && ++digits <= 17);
    fputs(text, file);
  }
}

/* In quotes where it has what CSV has a meaning for. */
static void print_text(const char *text, FILE *file) {
  if (!text[strcspn(text, ",\"\n\r")]) {
    fputs(text, file);
    return;
  }
  fputc('"', file);
  for (; *text; text++) fprintf(file, *text == '"' ? "\"\"" : "%c", *text);
  fputc('"', file);
}

static void print_row(const BfColumns *columns, int64_t row, FILE *file) {
  for (int c = 0; c < columns->columns; c++) {
    if (c) fputc(',', file);
    if (row < 0) print_text(columns->column[c].name, file);
    else if (columns->column[c].text) print_text(columns->column[c].text[row], file);
    else print_number(columns->column[c].number[row], file);
  }
  fputc('\n', file);
}

BfStatus bf_table_csv(const BfColumns *columns, char **text, BfError *error) {
  size_t length;
  char  *made = NULL;
  FILE  *file = open_memstream(&made, &length);
  if (!file) return bf_fail(error, BF_FAILURE, "out of memory for a table");
  for (int64_t row = -1; row < columns->rows; row++) print_row(columns, row, file);
  const int failed = ferror(file) | fclose(file);
  *text            = failed ? NULL : bf_text_copy(made, (int64_t)length, error);
  free(made);
  return *text ? BF_OK : bf_fail(error, BF_FAILURE, "out of memory for a table");
}
