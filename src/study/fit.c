/* Power laws: least squares in logarithms, with an interval for the exponent. */
#include "bellformer/splitmix64.h"
#include "run/text.h"
#include "study/means.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RESAMPLES = 2000 };
static const uint64_t seed = 2000;

/* The rows of a series, each with its draws. */
typedef struct {
  int64_t  rows, draws;
  double  *x, *y;         /* [rows][draws] */
  double  *log_x, *log_y; /* [rows] work: those that are fitted */
  double  *exponent;      /* [RESAMPLES] */
  int64_t *pick;          /* [draws] */
} Series;

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

static void fit_means(const Series *s, const int64_t pick[], Line *line) {
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

static int ascending(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Of sorted numbers, linear between them. */
static double percentile(const double sorted[], int64_t n, double part) {
  const double  place = part * (double)(n - 1);
  const int64_t below = (int64_t)place;
  if (below + 1 >= n) return sorted[n - 1];
  return sorted[below] + (place - (double)below) * (sorted[below + 1] - sorted[below]);
}

/* Every resample takes the same draws in all rows, as a draw (a seed) is one for all of them. */
static bool bootstrap(const Series *s, double *low, double *high) {
  uint64_t state = seed;
  int64_t  n     = 0;
  for (int r = 0; r < RESAMPLES; r++) {
    Line line;
    for (int64_t b = 0; b < s->draws; b++) s->pick[b] = (int64_t)(bf_uniform(&state) * (double)s->draws);
    fit_means(s, s->pick, &line);
    if (!isnan(line.exponent)) s->exponent[n++] = line.exponent;
  }
  if (2 * n < RESAMPLES) return false;
  qsort(s->exponent, (size_t)n, sizeof *s->exponent, ascending);
  *low  = percentile(s->exponent, n, 0.025);
  *high = percentile(s->exponent, n, 0.975);
  return true;
}

static void find_interval(const Series *s, const Line *line, BfFitted *fit) {
  if (s->draws > 1) {
    if (!bootstrap(s, &fit->low, &fit->high)) fit->why = "no interval: most resamples have fewer than two x";
  } else if (line->points > 2) {
    const double half = bf_student_95(line->points - 2) * line->error;
    fit->low          = line->exponent - half;
    fit->high         = line->exponent + half;
  } else fit->why = "no interval: of two points, without an average over draws";
}

static void fit_series(const Series *s, BfFitted *fit) {
  Line         line;
  const double expect = fit->asked->expect, slack = 1e-9 * (1 + fabs(expect)); /* a law without noise has no width */
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
  if (!isnan(expect) && !isnan(fit->low)) fit->inside = fit->low - slack <= expect && expect <= fit->high + slack;
}

/* ---- series ----------------------------------------------------------------------------------------------------- */

typedef struct {
  BfTable        *table;
  const BfFit    *fit;
  const BfColumn *x, *y;  /* of points */
  int             x_item; /* -1: x is a measure */
} Asked;

/* Whether an item tells series apart: all do but those of x and of `over`; of a measured x the plot's series. */
static bool is_series(const Asked *asked, int item) {
  const BfStudy *study = asked->table->plan->study;
  if (bf_item_is_over(study, item)) return false;
  if (asked->x_item >= 0) return item != asked->x_item;
  return study->plot_series && bf_item_of(study, study->plot_series) == item;
}

static int64_t series_of(const Asked *asked, int64_t row) {
  const BfTable *table  = asked->table;
  const int64_t *choice = table->plan->point[table->draw[row * table->draws]].choice;
  int64_t        series = 0;
  for (int i = 0; i < table->plan->study->items; i++)
    if (is_series(asked, i)) series = series * table->plan->study->item[i].count + choice[i];
  return series;
}

static const char *cannot(const Asked *asked) {
  const BfStudy *study = asked->table->plan->study;
  if (!asked->y || !asked->y->number) return "y is no measure";
  if (!asked->x || !asked->x->number) return "the values of x are no numbers";
  if (asked->x_item >= 0 && bf_item_is_over(study, asked->x_item)) return "x is averaged over";
  return NULL;
}

static int64_t count_series(const Asked *asked) {
  const BfStudy *study = asked->table->plan->study;
  int64_t        count = 1;
  for (int i = 0; i < study->items && !cannot(asked); i++)
    if (is_series(asked, i)) count *= study->item[i].count;
  return count;
}

static Asked ask(BfTable *table, int f) {
  const BfStudy *study = table->plan->study;
  const BfFit   *fit   = &study->fit[f];
  return (Asked){table, fit, bf_columns_find(&table->points, fit->x), bf_columns_find(&table->points, fit->y),
                 bf_item_of(study, fit->x)};
}

/* "action.count 16, layer.norm rms" */
static BfStatus name_series(const Asked *asked, int64_t row, char **out, BfError *error) {
  const BfPlan *plan       = asked->table->plan;
  char          text[4096] = "";
  for (int i = 0; i < plan->study->items; i++)
    for (int k = 0; k < plan->study->item[i].keys && is_series(asked, i); k++) {
      const char  *key = plan->study->item[i].key[k], *value;
      const size_t end = strlen(text);
      value            = bf_plan_value(plan, asked->table->draw[row * asked->table->draws], key);
      snprintf(text + end, sizeof text - end, "%s%s %s", end ? ", " : "", key, value ? value : "-");
    }
  return bf_text_join(out, text, "", error);
}

/* The rows of series number `which`, and its fit. */
static BfStatus fit_one(const Asked *asked, int64_t which, Series *s, BfFitted *fit, BfError *error) {
  const BfTable *table = asked->table;
  int64_t        last  = -1;
  s->rows              = 0;
  for (int64_t row = 0; row < table->means.rows; row++) {
    if (series_of(asked, row) != which) continue;
    for (int64_t b = 0; b < table->draws; b++) {
      const int64_t point          = table->draw[row * table->draws + b];
      s->x[s->rows * s->draws + b] = asked->x->number[point];
      s->y[s->rows * s->draws + b] = asked->y->number[point];
    }
    s->rows++;
    last = row;
  }
  BF_TRY(name_series(asked, last, &fit->series, error));
  fit_series(s, fit);
  return BF_OK;
}

static BfStatus create_series(const BfTable *table, Series *s, BfError *error) {
  s->draws = table->draws;
  BF_TRY(BF_NEW(&s->x, table->points.rows, error));
  BF_TRY(BF_NEW(&s->y, table->points.rows, error));
  BF_TRY(BF_NEW(&s->log_x, table->means.rows, error));
  BF_TRY(BF_NEW(&s->log_y, table->means.rows, error));
  BF_TRY(BF_NEW(&s->exponent, RESAMPLES, error));
  return BF_NEW(&s->pick, table->draws, error);
}

static void clear_series(Series *s) {
  bf_free(s->x);
  bf_free(s->y);
  bf_free(s->log_x);
  bf_free(s->log_y);
  bf_free(s->exponent);
  bf_free(s->pick);
}

static BfStatus fit_all(BfTable *table, Series *s, BfError *error) {
  BF_TRY(create_series(table, s, error));
  for (int f = 0; f < table->plan->study->fits; f++) {
    const Asked   asked = ask(table, f);
    const int64_t count = count_series(&asked);
    for (int64_t which = 0; which < count; which++) {
      BfFitted *fit = &table->fit[table->fits++];
      *fit          = (BfFitted){.asked    = asked.fit,
                                 .exponent = NAN,
                                 .factor   = NAN,
                                 .r2       = NAN,
                                 .low      = NAN,
                                 .high     = NAN,
                                 .inside   = -1,
                                 .why      = cannot(&asked)};
      BF_TRY(fit->why ? bf_text_join(&fit->series, "", "", error) : fit_one(&asked, which, s, fit, error));
    }
  }
  return BF_OK;
}

BfStatus bf_fits_fill(BfTable *table, BfError *error) {
  Series  s     = {0};
  int64_t count = 0;
  for (int f = 0; f < table->plan->study->fits; f++) {
    const Asked asked = ask(table, f);
    count += count_series(&asked);
  }
  BF_TRY(BF_NEW(&table->fit, count, error));
  const BfStatus status = fit_all(table, &s, error);
  clear_series(&s);
  return status;
}
