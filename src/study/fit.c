/* Power laws: least squares in logarithms, with an interval for the exponent. */
#include "bellformer/splitmix64.h"
#include "run/text.h"
#include "study/means.h"
#include "study/read.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RESAMPLES = 2000 };
static const uint64_t seed = 2000;

/* Of a series, each with its draws. */
typedef struct {
  int64_t  rows, draws;
  double  *x, *y;         /* [rows][draws] */
  double  *log_x, *log_y; /* [rows] work: those that are fitted */
  double  *exponent;      /* [RESAMPLES] */
  int64_t *pick;          /* [draws] */
} Rows;

typedef struct {
  int64_t points;
  double  exponent, intercept, r2, error; /* error: standard, of the exponent */
} Line;

/* ---- one line --------------------------------------------------------------------------------------------------- */

/* Of n points; *line without a number where their x do not differ. */
static void fit_line(int64_t n, const double x[], const double y[], Line *line) {
  double mean_x = 0, mean_y = 0, xx = 0, xy = 0, yy = 0, rest = 0;
  bool   differ = false;
  for (int64_t i = 0; i < n; i++) {
    mean_x += x[i] / (double)n;
    mean_y += y[i] / (double)n;
    differ |= x[i] != x[0];
  }
  *line = (Line){n, NAN, NAN, NAN, NAN};
  if (!differ) return;
  for (int64_t i = 0; i < n; i++) {
    xx += (x[i] - mean_x) * (x[i] - mean_x);
    xy += (x[i] - mean_x) * (y[i] - mean_y);
    yy += (y[i] - mean_y) * (y[i] - mean_y);
  }
  line->exponent  = xy / xx;
  line->intercept = mean_y - line->exponent * mean_x;
  for (int64_t i = 0; i < n; i++) {
    const double off = y[i] - line->intercept - line->exponent * x[i];
    rest += off * off;
  }
  if (yy > 0) line->r2 = 1 - rest / yy;
  if (n > 2) line->error = sqrt(rest / (double)(n - 2) / xx);
}

/* The mean over draws pick[0 .. draws - 1] (NULL: over all) that are there. */
static double mean_of(const double value[], int64_t draws, const int64_t pick[]) {
  double  sum = 0;
  int64_t n   = 0;
  for (int64_t b = 0; b < draws; b++) {
    const double one = value[pick ? pick[b] : b];
    if (isnan(one)) continue;
    sum += one;
    n++;
  }
  return n ? sum / (double)n : NAN;
}

static void fit_means(const Rows *s, const int64_t pick[], Line *line) {
  int64_t n = 0;
  for (int64_t row = 0; row < s->rows; row++) {
    const double x = mean_of(s->x + row * s->draws, s->draws, pick), y = mean_of(s->y + row * s->draws, s->draws, pick);
    if (!(x > 0 && y > 0 && isfinite(x) && isfinite(y))) continue;
    s->log_x[n]   = log(x);
    s->log_y[n++] = log(y);
  }
  fit_line(n, s->log_x, s->log_y, line);
}

/* ---- intervals -------------------------------------------------------------------------------------------------- */

/* The part of Student's distribution within -t .. t: Abramowitz, Stegun, 26.7.3 and 26.7.4. */
static double student_within(double t, int64_t freedom) {
  const double angle = atan(t / sqrt((double)freedom)), square = cos(angle) * cos(angle);
  double       term = freedom % 2 ? cos(angle) : 1, sum = 0;
  for (int64_t k = freedom % 2 ? 3 : 2; k <= freedom; k += 2) {
    sum += term;
    term *= square * (double)(k - 1) / (double)k;
  }
  return freedom % 2 ? (angle + sin(angle) * sum) * M_2_PI : sin(angle) * sum;
}

double bf_student_95(int64_t freedom) {
  double low = 1, high = 20;
  while (high - low > 1e-14 * high) {
    const double middle = 0.5 * (low + high);
    if (middle <= low || middle >= high) break;
    *(student_within(middle, freedom) < 0.95 ? &low : &high) = middle;
  }
  return 0.5 * (low + high);
}

/* Of sorted numbers, linear between them. */
static double percentile(const double sorted[], int64_t n, double part) {
  const double  place = part * (double)(n - 1);
  const int64_t below = (int64_t)place;
  if (below + 1 >= n) return sorted[n - 1];
  return sorted[below] + (place - (double)below) * (sorted[below + 1] - sorted[below]);
}

/* Every resample takes the same draws in all rows, as a draw (a seed) is one for all of them. */
static bool bootstrap(const Rows *s, double *low, double *high) {
  uint64_t state = seed;
  int64_t  n     = 0;
  for (int r = 0; r < RESAMPLES; r++) {
    Line line;
    for (int64_t b = 0; b < s->draws; b++) s->pick[b] = (int64_t)(bf_uniform(&state) * (double)s->draws);
    fit_means(s, s->pick, &line);
    if (!isnan(line.exponent)) s->exponent[n++] = line.exponent;
  }
  if (2 * n < RESAMPLES) return false;
  qsort(s->exponent, (size_t)n, sizeof *s->exponent, bf_ascending);
  *low  = percentile(s->exponent, n, 0.025);
  *high = percentile(s->exponent, n, 0.975);
  return true;
}

static void find_interval(const Rows *s, const Line *line, BfFitted *fit) {
  if (s->draws > 1) {
    if (!bootstrap(s, &fit->low, &fit->high)) fit->why = "no interval: most resamples have fewer than two x";
  } else if (line->points > 2) {
    const double half = bf_student_95(line->points - 2) * line->error;
    fit->low          = line->exponent - half;
    fit->high         = line->exponent + half;
  } else fit->why = "no interval: of two points, without an average over draws";
}

static void fit_rows(const Rows *s, BfFitted *fit) {
  Line         line;
  const BfFit *asked = fit->asked;
  const double slack = 1e-9 * (1 + fabs(asked->expect)); /* a law without noise has no width */
  const double least = asked->ranged ? asked->within[0] : asked->expect,
               most  = asked->ranged ? asked->within[1] : asked->expect;
  fit_means(s, NULL, &line);
  fit->points   = line.points;
  fit->left_out = s->rows - line.points;
  if (isnan(line.exponent)) {
    fit->why = line.points ? "fewer than two x where both are positive numbers" : "nowhere are both positive numbers";
    return;
  }
  fit->exponent = line.exponent;
  fit->factor   = exp(line.intercept);
  fit->r2       = line.r2;
  find_interval(s, &line, fit);
  if (!isnan(asked->expect) && !isnan(fit->low)) fit->inside = fit->low - slack <= most && least <= fit->high + slack;
}

/* ---- of a table -------------------------------------------------------------------------------------------------- */

typedef struct {
  const BfFit    *fit;
  const BfColumn *x, *y; /* of points */
  const char     *why;   /* it cannot be fitted; NULL: it can */
  BfSeries        series;
} Asked;

static const char *cannot(const BfTable *table, const Asked *asked) {
  const int item = bf_study_item(table->plan->study, asked->fit->x, NULL);
  if (!asked->y || !asked->y->number) return "y is no measure";
  if (!asked->x || !asked->x->number) return "the values of x are no numbers";
  if (item >= 0 && bf_item_is_over(table->plan->study, item)) return "x is averaged over";
  return NULL;
}

static BfStatus ask(const BfTable *table, const BfFit *fit, Asked *asked, BfError *error) {
  asked->fit = fit;
  asked->x   = bf_columns_find(&table->points, fit->x);
  asked->y   = bf_columns_find(&table->points, fit->y);
  asked->why = cannot(table, asked);
  return bf_series_create(table, fit->x, &asked->series, error);
}

/* The rows of series number `which`, and its fit. */
static BfStatus fit_one(const BfTable *table, const Asked *asked, int64_t which, Rows *s, BfFitted *fit,
                        BfError *error) {
  s->rows = 0;
  for (int64_t row = 0; row < table->means.rows; row++) {
    if (asked->series.of[row] != which) continue;
    for (int64_t b = 0; b < table->draws; b++) {
      const int64_t point          = table->draw[row * table->draws + b];
      s->x[s->rows * s->draws + b] = asked->x->number[point];
      s->y[s->rows * s->draws + b] = asked->y->number[point];
    }
    s->rows++;
  }
  fit_rows(s, fit);
  return bf_text_join(&fit->series, asked->series.name[which], "", error);
}

static BfStatus create_rows(const BfTable *table, Rows *s, BfError *error) {
  s->draws = table->draws;
  BF_TRY(BF_NEW(&s->x, table->points.rows, error));
  BF_TRY(BF_NEW(&s->y, table->points.rows, error));
  BF_TRY(BF_NEW(&s->log_x, table->means.rows, error));
  BF_TRY(BF_NEW(&s->log_y, table->means.rows, error));
  BF_TRY(BF_NEW(&s->exponent, RESAMPLES, error));
  return BF_NEW(&s->pick, table->draws, error);
}

static void clear_rows(Rows *s) {
  bf_free(s->x);
  bf_free(s->y);
  bf_free(s->log_x);
  bf_free(s->log_y);
  bf_free(s->exponent);
  bf_free(s->pick);
}

static BfStatus fit_asked(BfTable *table, const Asked *asked, Rows *s, BfError *error) {
  const int64_t count = asked->why ? 1 : asked->series.count;
  for (int64_t which = 0; which < count; which++) {
    BF_TRY(bf_array_room(&table->fit, table->fits, &table->fit_room, sizeof *table->fit, error));
    BfFitted *fit = &table->fit[table->fits++];
    *fit          = (BfFitted){.asked    = asked->fit,
                               .exponent = NAN,
                               .factor   = NAN,
                               .r2       = NAN,
                               .low      = NAN,
                               .high     = NAN,
                               .inside   = -1,
                               .why      = asked->why};
    BF_TRY(fit->why ? bf_text_join(&fit->series, "", "", error) : fit_one(table, asked, which, s, fit, error));
  }
  return BF_OK;
}

BfStatus bf_fits_fill(BfTable *table, BfError *error) {
  const BfStudy *study  = table->plan->study;
  Rows           rows   = {0};
  BfStatus       status = create_rows(table, &rows, error);
  for (int f = 0; f < study->fits && status == BF_OK; f++) {
    Asked asked = {0};
    status      = ask(table, &study->fit[f], &asked, error);
    if (status == BF_OK) status = fit_asked(table, &asked, &rows, error);
    bf_series_clear(&asked.series);
  }
  clear_rows(&rows);
  return status;
}
