/* A law of heads from a table: layer, head, u0, u1, ..., and perhaps weight. */
#include "heads/initial.h"
#include "problem/table.h"
#include "run/text.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Where the columns are; -1: not there. */
typedef struct {
  int64_t  layer, head, weight;
  int64_t *number; /* [q] */
} Columns;

/* ---- columns ----------------------------------------------------------------------------------------------------- */

/* The j of "u12", or -1. */
static int component(const char *name, int q) {
  char    same[32];
  int64_t j;
  if (name[0] != 'u' || bf_text_integer(name + 1, &j) || j < 0 || j >= q) return -1;
  snprintf(same, sizeof same, "u%" PRId64, j);
  return strcmp(name, same) ? -1 : (int)j;
}

static BfStatus find_columns(BfTable *table, int q, Columns *columns, BfError *error) {
  columns->layer = columns->head = columns->weight = -1;
  for (int j = 0; j < q; j++) columns->number[j] = -1;
  for (int64_t k = 0; k < table->columns; k++) {
    const char *name  = table->column[k].name;
    const int   j     = component(name, q);
    int64_t    *place = !strcmp(name, "layer")    ? &columns->layer
                        : !strcmp(name, "head")   ? &columns->head
                        : !strcmp(name, "weight") ? &columns->weight
                        : j >= 0                  ? &columns->number[j]
                                                  : NULL;
    if (!place)
      return bf_fail(error, BF_BAD_INPUT, "unexpected column %s: layer, head, u0 .. u%d and weight are known", name,
                     q - 1);
    if (*place >= 0) return bf_fail(error, BF_BAD_INPUT, "column %s is given twice", name);
    *place                = k;
    table->column[k].type = j >= 0 || place == &columns->weight ? BF_COLUMN_NUMBER : BF_COLUMN_INTEGER;
  }
  if (columns->layer < 0) return bf_fail(error, BF_BAD_INPUT, "column layer is missing");
  if (columns->head < 0) return bf_fail(error, BF_BAD_INPUT, "column head is missing");
  for (int j = 0; j < q; j++)
    if (columns->number[j] < 0)
      return bf_fail(error, BF_BAD_INPUT, "column u%d is missing: a head has %d numbers", j, q);
  return BF_OK;
}

/* ---- rows -------------------------------------------------------------------------------------------------------- */

static BfStatus check_row(const BfTable *table, const Columns *columns, int64_t row, int64_t T, int64_t H,
                          BfError *error) {
  const int64_t layer = table->column[columns->layer].integer[row], head = table->column[columns->head].integer[row];
  char          place[BF_PLACE];
  bf_table_place(table->file, row, place);
  if (layer < 0 || layer >= T)
    return bf_fail(error, BF_BAD_INPUT, "%s: layer must be from 0 to %" PRId64 ", got %" PRId64, place, T - 1, layer);
  if (head < 0 || head >= H)
    return bf_fail(error, BF_BAD_INPUT, "%s: head must be from 0 to %" PRId64 ", got %" PRId64, place, H - 1, head);
  if (columns->weight < 0) return BF_OK;
  const double weight = table->column[columns->weight].number[row];
  if (!(weight >= 0 && weight <= 1))
    return bf_fail(error, BF_BAD_INPUT, "%s: weight must be from 0 to 1, got %g", place, weight);
  return BF_OK;
}

static BfStatus take_rows(const BfTable *table, const Columns *columns, BfHeadLaw *law, BfError *error) {
  const int64_t T = law->layers, H = law->heads;
  char          place[BF_PLACE];
  for (int64_t i = 0; i < T * H; i++) law->weight[i] = NAN; /* no row yet */
  for (int64_t row = 0; row < table->rows; row++) {
    BF_TRY(check_row(table, columns, row, T, H, error));
    const int64_t layer = table->column[columns->layer].integer[row], head = table->column[columns->head].integer[row],
                  i = layer * H + head;
    if (!isnan(law->weight[i]))
      return bf_fail(error, BF_BAD_INPUT, "%s: head %" PRId64 " of layer %" PRId64 " is given twice",
                     bf_table_place(table->file, row, place), head, layer);
    law->weight[i] = columns->weight < 0 ? 1.0 / (double)H : table->column[columns->weight].number[row];
    for (int j = 0; j < law->free; j++) law->theta[i * law->free + j] = table->column[columns->number[j]].number[row];
  }
  return BF_OK;
}

/* Weights that were written with few digits become those of a law, for which alone a certificate holds. */
static BfStatus settle_weights(BfHeadLaw *law, BfError *error) {
  for (int64_t t = 0; t < law->layers; t++) {
    double sum = 0;
    for (int64_t h = 0; h < law->heads; h++) {
      if (isnan(law->weight[t * law->heads + h]))
        return bf_fail(error, BF_BAD_INPUT,
                       "head %" PRId64 " of layer %" PRId64 " is missing: the problem has %d layers of %" PRId64
                       " heads",
                       h, t, law->layers, law->heads);
      sum += law->weight[t * law->heads + h];
    }
    if (fabs(sum - 1) > 1e-9)
      return bf_fail(error, BF_BAD_INPUT, "the weights of layer %" PRId64 " sum to %.15g, not 1", t, sum);
    for (int64_t h = 0; h < law->heads && fabs(sum - 1) > 1e-13; h++) law->weight[t * law->heads + h] /= sum;
  }
  return BF_OK;
}

static BfStatus parse(const BfFile *file, const BfProblem *problem, BfHeadLaw *law, BfError *error) {
  BfTable       table   = {0};
  Columns       columns = {0};
  BfStatus      status;
  const int64_t H = bf_heads_number(problem);
  const int     q = problem->layer.free / problem->layer.heads;
  *law            = (BfHeadLaw){.layers = problem->horizon, .heads = H, .count = H, .free = q};
  BF_GOTO(BF_NEW(&columns.number, q, error));
  BF_GOTO(BF_NEW(&law->theta, law->layers * H * q, error));
  BF_GOTO(BF_NEW(&law->weight, law->layers * H, error));
  BF_GOTO(bf_table_open(file, &table, error));
  BF_GOTO(find_columns(&table, q, &columns, error));
  BF_GOTO(bf_table_read(&table, error));
  BF_GOTO(take_rows(&table, &columns, law, error));
  status = settle_weights(law, error);
done:
  bf_table_clear(&table);
  bf_free(columns.number);
  if (status == BF_BAD_INPUT) bf_error_prefix(error, "-init %s", file->name);
  return status;
}

BfStatus bf_heads_read_table(const BfRun *run, const BfProblem *problem, const char *path, BfHeadLaw *law,
                             BfError *error) {
  BfFiles      *files = NULL;
  const BfFile *file  = NULL;
  BfStatus      status;
  BF_GOTO(bf_together(run->world, bf_files_create(run->world, "", &files, error), error));
  BF_GOTO(bf_files_get(files, path, &file, error));
  status = bf_together(run->world, parse(file, problem, law, error), error);
done:
  bf_files_destroy(&files);
  return status;
}
