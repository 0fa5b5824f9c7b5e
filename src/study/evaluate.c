/* What a measure is at a point. */
#include "study/formula.h"
#include "study/laws.h"
#include "study/means.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A number, or the array that it is the norm of. */
typedef struct {
  double         number;
  const BfDatum *array; /* NULL: a number alone */
} Value;

static int64_t entries(const BfDatum *datum) {
  int64_t n = 1;
  for (int j = 0; j < datum->rank; j++) n *= datum->dims[j];
  return n;
}

static Value datum_value(const BfRecord *record, const char *name) {
  const BfDatum *datum = record && record->state == BF_POINT_DONE ? bf_record_find(record, name) : NULL;
  if (!datum || datum->kind == BF_DATUM_TEXT) return (Value){.number = NAN};
  if (datum->kind == BF_DATUM_NUMBER) return (Value){.number = datum->number};
  if (entries(datum) == 1) return (Value){.number = datum->data[0]};
  return (Value){.number = NAN, .array = datum};
}

/* The measure of that name before number `end`, or -1. */
static int earlier(const BfStudy *study, const char *name, int end) {
  while (end-- > 0)
    if (!strcmp(study->measure[end].name, name)) return end;
  return -1;
}

/* ---- norms ------------------------------------------------------------------------------------------------------ */

/* Of n absolute values, which are sorted where that is wanted; NaN where one of them is. */
static double norm_of(BfApart kind, int64_t n, double x[]) {
  double most = 0, least = INFINITY, sum = 0, squares = 0;
  if (!n) return NAN;
  for (int64_t i = 0; i < n; i++) {
    if (isnan(x[i])) return NAN;
    if (x[i] > most) most = x[i];
    if (x[i] < least) least = x[i];
    sum += x[i];
    squares += x[i] * x[i];
  }
  switch (kind) {
  case BF_APART_MAX:
    return most;
  case BF_APART_RMS:
    return sqrt(squares / (double)n);
  case BF_APART_LEAST:
    return least;
  case BF_APART_MEAN:
    return sum / (double)n;
  default:
    qsort(x, (size_t)n, sizeof *x, bf_ascending);
    return (x[(n - 1) / 2] + x[n / 2]) / 2;
  }
}

/* [T][points][numbers], or of one law [points][numbers]. */
static BfLaws laws_of(const BfDatum *a) {
  const int64_t *dim = a->dims + (a->rank == 3);
  return (BfLaws){a->rank == 3 ? a->dims[0] : 1, dim[0], dim[1], a->data};
}

static double between_laws(const BfDatum *a, const BfDatum *b, BfApart kind, BfError *error) {
  if (a->rank != b->rank || a->rank < 2 || a->rank > 3) return NAN;
  const BfLaws mine = laws_of(a), other = laws_of(b);
  return bf_laws_apart(&mine, &other, kind == BF_APART_ENERGY, error);
}

/* Of a - b over the entries that both have; of a, where b is NULL. */
static double apart(const BfDatum *a, const BfDatum *b, BfApart kind, BfError *error) {
  double *x;
  if (b && kind >= BF_APART_ENERGY) return between_laws(a, b, kind, error);
  int64_t n = 0, dim[4] = {1, 1, 1, 1}, in_a[4] = {1, 1, 1, 1}, in_b[4] = {1, 1, 1, 1};
  if ((b && a->rank != b->rank) || BF_NEW(&x, entries(a), error) != BF_OK) return NAN;
  for (int j = 0; j < a->rank; j++) {
    in_a[j] = a->dims[j];
    in_b[j] = b ? b->dims[j] : in_a[j];
    dim[j]  = in_a[j] < in_b[j] ? in_a[j] : in_b[j];
  }
  for (int64_t i = 0; i < dim[0]; i++)
    for (int64_t j = 0; j < dim[1]; j++)
      for (int64_t k = 0; k < dim[2]; k++)
        for (int64_t l = 0; l < dim[3]; l++) {
          const double entry = a->data[((i * in_a[1] + j) * in_a[2] + k) * in_a[3] + l];
          x[n++]             = fabs(b ? entry - b->data[((i * in_b[1] + j) * in_b[2] + k) * in_b[3] + l] : entry);
        }
  const double norm = norm_of(kind, n, x);
  bf_free(x);
  return norm;
}

/* ---- values ----------------------------------------------------------------------------------------------------- */

typedef struct {
  const BfPlan    *plan;
  BfRecord *const *records;
  BfError         *error;
} Results;

static double measure_value(const Results *results, int64_t point, int measure);

/* What a name means in measure number `end`: an earlier one, or what a run has written. */
static Value side(const Results *results, int64_t point, const char *name, int end) {
  const BfStudy *study = results->plan->study;
  if (point < 0) return (Value){.number = NAN};
  for (int m; (m = earlier(study, name, end)) >= 0; end = m, name = study->measure[m].of)
    if (study->measure[m].kind != BF_MEASURE_VALUE) return (Value){.number = measure_value(results, point, m)};
  return datum_value(results->records[point], name);
}

static double formula_value(const Results *results, int64_t point, int measure) {
  const BfStudy *study   = results->plan->study;
  BfFormula     *formula = NULL;
  double        *column = NULL, value = NAN;
  if (bf_formula_create(study->measure[measure].formula, &formula, results->error) != BF_OK) return NAN;
  if (BF_NEW(&column, bf_formula_names(formula), results->error) == BF_OK) {
    for (int i = 0; i < bf_formula_names(formula); i++) {
      const char *name = bf_formula_name(formula, i);
      const int   m    = earlier(study, name, measure);
      column[i]        = NAN;
      if (m >= 0) column[i] = measure_value(results, point, m);
      else bf_plan_number(results->plan, point, name, &column[i]);
    }
    value = bf_formula_value(formula, column);
  }
  bf_formula_destroy(&formula);
  bf_free(column);
  return value;
}

static double measure_value(const Results *results, int64_t point, int measure) {
  const BfMeasure *m      = &results->plan->study->measure[measure];
  const BfRecord  *record = results->records[point];
  if (!record || record->state != BF_POINT_DONE) return NAN;
  if (m->kind == BF_MEASURE_FORMULA) return formula_value(results, point, measure);
  const Value a = side(results, point, m->of, measure);
  if (m->kind == BF_MEASURE_VALUE) return a.number;
  if (m->kind == BF_MEASURE_NORM) return a.array ? apart(a.array, NULL, m->apart, results->error) : fabs(a.number);
  const Value b = m->reference ? side(results, results->plan->point[point].refers, m->of, measure)
                               : side(results, point, m->minus, measure);
  if (a.array && b.array) return apart(a.array, b.array, m->apart, results->error);
  return a.array || b.array ? NAN : fabs(a.number - b.number);
}

BfStatus bf_measure_value(const BfPlan *plan, BfRecord *const records[], int64_t point, int measure, double *value,
                          BfError *error) {
  const Results results = {plan, records, error};
  *value                = measure_value(&results, point, measure);
  return error->status;
}
