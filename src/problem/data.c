/* Tokens, tags and contexts from a table. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* qsort_r */
#endif
#include "run/text.h"
#include "table.h"

#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- columns ---------------------------------------------------------------------------------------------------- */

/* Where the columns of a table are; -1: not there. */
typedef struct {
  int64_t  sequence, position, label;
  int64_t *z, *y;           /* [dim] */
  int      targets, absent; /* absent: neither label nor targets are there */
} Columns;

/* What stands in for labels and targets where a table has neither. */
typedef enum { REFUSED, LABEL_ZERO, TARGET_ZERO } Absent;

/* The j of a name like z12, or -1. */
static int64_t component(const char *name, char letter) {
  int64_t j = 0;
  if (name[0] != letter || !name[1] || (name[1] == '0' && name[2])) return -1;
  for (const char *c = name + 1; *c; c++) {
    if (*c < '0' || *c > '9' || j > INT_MAX) return -1;
    j = 10 * j + (*c - '0');
  }
  return j;
}

/* The place in `columns` that the name belongs to. */
static BfStatus place_column(const char *name, int dim, Columns *columns, int64_t **out, BfError *error) {
  int64_t z = component(name, 'z'), y = component(name, 'y');
  if (!strcmp(name, "sequence")) {
    *out = &columns->sequence;
  } else if (!strcmp(name, "position")) {
    *out = &columns->position;
  } else if (!strcmp(name, "label")) {
    *out = &columns->label;
  } else if (z >= 0 && z < dim) {
    *out = &columns->z[z];
  } else if (y >= 0 && y < dim) {
    *out             = &columns->y[y];
    columns->targets = 1;
  } else if (z >= 0 || y >= 0) {
    return bf_fail(error, BF_BAD_INPUT, "unexpected column %s: tokens have %d component%s, %c0 .. %c%d", name, dim,
                   dim == 1 ? "" : "s", name[0], name[0], dim - 1);
  } else {
    char quote[BF_QUOTE];
    return bf_fail(error, BF_BAD_INPUT, "unexpected column %s", bf_text_quote(name, quote));
  }
  return BF_OK;
}

static BfStatus fail_absent(const char *name, BfError *error) {
  return bf_fail(error, BF_BAD_INPUT, "column %s is missing", name);
}

static BfStatus check_columns(Columns *columns, int dim, Absent absent, BfError *error) {
  char name[16];
  if (columns->sequence < 0) return fail_absent("sequence", error);
  if (columns->position < 0) return fail_absent("position", error);
  if (columns->label >= 0 && columns->targets)
    return bf_fail(error, BF_BAD_INPUT, "has both a label and targets (columns y0, ...)");
  columns->absent = columns->label < 0 && !columns->targets;
  if (columns->absent && absent == REFUSED) return fail_absent("label (or y0, ...)", error);
  for (int j = 0; j < dim; j++) {
    snprintf(name, sizeof name, "z%d", j);
    if (columns->z[j] < 0) return fail_absent(name, error);
    snprintf(name, sizeof name, "y%d", j);
    if (columns->targets && columns->y[j] < 0) return fail_absent(name, error);
  }
  return BF_OK;
}

/* Find every column by its name, and set the types. columns->z and y are there to be filled. */
static BfStatus find_columns(BfTable *table, int dim, Absent absent, Columns *columns, BfError *error) {
  columns->sequence = columns->position = columns->label = -1;
  for (int j = 0; j < dim; j++) columns->z[j] = columns->y[j] = -1;
  for (int64_t k = 0; k < table->columns; k++) {
    int64_t    *place = NULL;
    const char *name  = table->column[k].name;
    BF_TRY(place_column(name, dim, columns, &place, error));
    if (*place >= 0) return bf_fail(error, BF_BAD_INPUT, "column %s is given twice", name);
    *place = k;
    if (place == &columns->sequence || place == &columns->position || place == &columns->label)
      table->column[k].type = BF_COLUMN_INTEGER;
  }
  return check_columns(columns, dim, absent, error);
}

static BfStatus check_integers(const BfTable *table, int64_t k, int64_t most, BfError *error) {
  char            place[BF_PLACE];
  const BfColumn *column = &table->column[k];
  for (int64_t row = 0; row < table->rows; row++) {
    int64_t value = column->integer[row];
    if (value < 0)
      return bf_fail(error, BF_BAD_INPUT, "%s: %s must be at least 0, got %" PRId64,
                     bf_table_place(table->file, row, place), column->name, value);
    if (value > most)
      return bf_fail(error, BF_BAD_INPUT, "%s: %s must be at most %" PRId64 ", got %" PRId64,
                     bf_table_place(table->file, row, place), column->name, most, value);
  }
  return BF_OK;
}

/* ---- order ------------------------------------------------------------------------------------------------------ */

/* The tag of a row. */
typedef struct {
  const int64_t *sequence, *position, *label; /* [rows]; label may be NULL */
  const double  *target;                      /* [rows][dim], or NULL */
  int            dim;
} Tags;

static int compare(int64_t a, int64_t b) { return (a > b) - (a < b); }

static int compare_tags(const Tags *tags, int64_t a, int64_t b) {
  int order = compare(tags->sequence[a], tags->sequence[b]);
  if (!order) order = compare(tags->position[a], tags->position[b]);
  if (!order && tags->label) order = compare(tags->label[a], tags->label[b]);
  for (int j = 0; !order && tags->target && j < tags->dim; j++) {
    double x = tags->target[a * tags->dim + j], y = tags->target[b * tags->dim + j];
    order = (x > y) - (x < y);
  }
  return order;
}

/* Tokens of one tag keep the order of their rows. */
static int compare_rows(const void *a, const void *b, void *tags) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  int     order = compare_tags(tags, x, y);
  return order ? order : compare(x, y);
}

/* Numbers of the rows in the order of their tags, and how many tags and contexts there are. */
static BfStatus sort_rows(const Tags *tags, int64_t rows, BfData *data, BfError *error) {
  BF_TRY(BF_NEW(&data->row, rows, error));
  BF_TRY(BF_NEW(&data->place, rows, error));
  data->tokens = rows;
  for (int64_t k = 0; k < rows; k++) data->row[k] = k;
  qsort_r(data->row, (size_t)rows, sizeof *data->row, compare_rows, (void *)tags);
  memcpy(data->place, data->row, (size_t)rows * sizeof *data->row);
  for (int64_t k = 0; k < rows; k++) {
    int64_t row = data->row[k], before = k ? data->row[k - 1] : -1;
    data->tags += !k || compare_tags(tags, row, before);
    data->contexts += !k || tags->sequence[row] != tags->sequence[before];
  }
  return BF_OK;
}

static BfStatus new_tags(const Tags *tags, int dim, BfData *data, BfError *error) {
  data->dim = dim;
  BF_TRY(BF_NEW(&data->tag_first, data->tags + 1, error));
  BF_TRY(BF_NEW(&data->sequence, data->tags, error));
  BF_TRY(BF_NEW(&data->position, data->tags, error));
  BF_TRY(BF_NEW(&data->context_first, data->contexts + 1, error));
  if (tags->label) return BF_NEW(&data->label, data->tags, error);
  return BF_NEW(&data->target, data->tags * dim, error);
}

static void fill_tag(const Tags *tags, int64_t g, int64_t row, BfData *data) {
  int position      = (int)tags->position[row];
  data->sequence[g] = tags->sequence[row];
  data->position[g] = position;
  if (position >= data->positions) data->positions = position + 1;
  if (tags->label) {
    data->label[g] = (int)tags->label[row];
    if (data->label[g] >= data->labels) data->labels = data->label[g] + 1;
  } else {
    memcpy(data->target + g * data->dim, tags->target + row * data->dim, (size_t)data->dim * sizeof *data->target);
  }
}

static void fill_tags(const Tags *tags, BfData *data) {
  int64_t g = -1, s = -1;
  for (int64_t k = 0; k < data->tokens; k++) {
    int64_t row = data->row[k], before = k ? data->row[k - 1] : -1;
    if (k && !compare_tags(tags, row, before)) continue;
    data->tag_first[++g] = k;
    fill_tag(tags, g, row, data);
    if (!k || tags->sequence[row] != tags->sequence[before]) data->context_first[++s] = g;
  }
  data->tag_first[data->tags]         = data->tokens;
  data->context_first[data->contexts] = data->tags;
}

/* ---- the whole -------------------------------------------------------------------------------------------------- */

/* Columns side by side: [rows][dim]. A negative zero becomes a positive one, so that equal targets have equal bits. */
static BfStatus gather(const BfTable *table, const int64_t *place, int dim, double **out, BfError *error) {
  BF_TRY(BF_NEW(out, table->rows * dim, error));
  for (int j = 0; j < dim; j++)
    for (int64_t row = 0; row < table->rows; row++) (*out)[row * dim + j] = table->column[place[j]].number[row] + 0.0;
  return BF_OK;
}

/* What the tags of the rows are made of, beside columns of the table. */
typedef struct {
  double  *target; /* [rows][dim], or NULL */
  int64_t *zero;   /* [rows] labels of a table that has none, or NULL */
} Made;

static BfStatus make_tags(const BfTable *table, const Columns *columns, int dim, Absent absent, Made *made, Tags *tags,
                          BfError *error) {
  const bool targets = columns->absent ? absent == TARGET_ZERO : columns->targets;
  if (columns->absent && targets) BF_TRY(BF_NEW(&made->target, table->rows * dim, error));
  if (columns->absent && !targets) BF_TRY(BF_NEW(&made->zero, table->rows, error));
  if (columns->targets) BF_TRY(gather(table, columns->y, dim, &made->target, error));
  *tags = (Tags){.sequence = table->column[columns->sequence].integer,
                 .position = table->column[columns->position].integer,
                 .label    = targets           ? NULL
                             : columns->absent ? made->zero
                                               : table->column[columns->label].integer,
                 .target   = made->target,
                 .dim      = dim};
  return BF_OK;
}

static BfStatus build(const BfTable *table, const Columns *columns, int dim, Absent absent, Made *made, BfData *data,
                      BfError *error) {
  Tags tags;
  BF_TRY(make_tags(table, columns, dim, absent, made, &tags, error));
  BF_TRY(sort_rows(&tags, table->rows, data, error));
  BF_TRY(new_tags(&tags, dim, data, error));
  fill_tags(&tags, data);
  data->unlabelled = columns->absent;
  BF_TRY(BF_NEW(&data->z, data->tokens * dim, error));
  for (int64_t k = 0; k < data->tokens; k++)
    for (int j = 0; j < dim; j++) data->z[k * dim + j] = table->column[columns->z[j]].number[data->row[k]];
  return BF_OK;
}

static BfStatus parse(const BfFile *file, int dim, Absent absent, BfData *out, BfError *error) {
  const int64_t most    = 1000000; /* positions and labels index arrays */
  BfTable       table   = {0};
  BfData        data    = {0};
  Columns       columns = {0};
  int64_t      *place   = NULL;
  Made          made    = {0};
  BfStatus      status;
  BF_GOTO(BF_NEW(&place, 2 * (int64_t)dim, error));
  columns.z = place;
  columns.y = place + dim;
  BF_GOTO(bf_table_open(file, &table, error));
  BF_GOTO(find_columns(&table, dim, absent, &columns, error));
  BF_GOTO(bf_table_read(&table, error));
  BF_GOTO(check_integers(&table, columns.sequence, INT64_MAX - 1, error));
  BF_GOTO(check_integers(&table, columns.position, most, error));
  if (columns.label >= 0) BF_GOTO(check_integers(&table, columns.label, most, error));
  BF_GOTO(build(&table, &columns, dim, absent, &made, &data, error));
  *out = data;
done:
  if (status != BF_OK) {
    bf_error_prefix(error, "%s", file->name);
    bf_data_clear(&data);
  }
  bf_table_clear(&table);
  bf_free(made.target);
  bf_free(made.zero);
  bf_free(place);
  return status;
}

BfStatus bf_data_parse(const BfFile *file, int dim, BfData *out, BfError *error) {
  return parse(file, dim, REFUSED, out, error);
}

BfStatus bf_data_parse_unlabelled(const BfFile *file, int dim, int targets, BfData *out, BfError *error) {
  return parse(file, dim, targets ? TARGET_ZERO : LABEL_ZERO, out, error);
}

void bf_data_clear(BfData *data) {
  bf_free(data->row);
  bf_free(data->place);
  bf_free(data->z);
  bf_free(data->tag_first);
  bf_free(data->sequence);
  bf_free(data->position);
  bf_free(data->label);
  bf_free(data->target);
  bf_free(data->context_first);
  *data = (BfData){0};
}
