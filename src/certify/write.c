/* /certificate of a result: share/doc/formats.md. */
#include "certify/logits.h"
#include "certify/trainer.h"
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum {
  FORMAT         = 2,
  FORMAT_BOUNDED = 3,
  FORMAT_LOGITS  = 4,
  FORMAT_TABLE   = 5
}; /* of /certificate: share/doc/formats.md */

static BfStatus write_history(const BfLadder *x, BfStore *store, BfError *error) {
  static const char *const name[] = {"target", "lower", "found", "boxes", "seconds", "finished"};
  enum { COLUMNS = sizeof name / sizeof *name };
  double  *column;
  BfStatus status = bf_store_together(store, BF_NEW(&column, x->rungs, error), error);
  for (int c = 0; c < COLUMNS && status == BF_OK; c++) {
    char path[64];
    snprintf(path, sizeof path, "/certificate/history/%s", name[c]);
    for (int64_t i = 0; i < x->rungs; i++) column[i] = ((const double *)&x->rung[i])[c];
    status = bf_store_write(store, path, BF_STORE_DOUBLE, 1, &x->rungs, column, error);
  }
  bf_free(column);
  return status;
}

/* As other trainers' (train/statement.h): for whoever takes the result as -found. */
static BfStatus put_statement(const BfLadder *x, BfStore *store, BfError *error) {
  char text[BF_STATEMENT] = "nothing is proved of it";
  if (x->lower > -INFINITY)
    snprintf(text, sizeof text, "certified: at most %.4g above the best in the box", x->found - x->lower);
  return bf_store_put_text(store, "/rollout", "statement", text, error);
}

static BfStatus write_symmetry(const BfSymmetry *x, BfStore *store, BfError *error) {
  const int64_t size[] = {x->count, x->length + 2};
  int32_t      *row;
  if (!x->count) return BF_OK;
  BfStatus status = bf_store_together(store, BF_NEW(&row, size[0] * size[1], error), error);
  for (int i = 0; status == BF_OK && i < x->count; i++) {
    int32_t *at = row + i * size[1];
    at[0]       = x->row[i].k + 1;
    at[1]       = x->row[i].sign * (x->row[i].j + 1);
    memcpy(at + 2, x->move + (int64_t)i * x->length, sizeof *at * (size_t)x->length);
  }
  if (status == BF_OK) status = bf_store_write(store, "/certificate/symmetry", BF_STORE_INT32, 2, size, row, error);
  bf_free(row);
  return status;
}

/* By the tokens of the data, which is what a reader has. */
static BfStatus write_logits(const BfObjective *of, const int64_t halved[], BfStore *store, BfError *error) {
  enum { COLUMNS = 5 };
  const int64_t count = of->logits.count, T = of->problem->horizon;
  const int64_t rows[] = {count, COLUMNS}, ends[] = {count, 2};
  int32_t      *row   = NULL;
  double       *range = NULL;
  BfStatus      status;
  if (!count) return BF_OK;
  BF_GOTO(bf_store_together(store, BF_NEW(&row, count * COLUMNS, error), error));
  BF_GOTO(bf_store_together(store, BF_NEW(&range, count * 2, error), error));
  for (int64_t at = 0; at < of->data.contexts * T; at++)
    for (int64_t i = of->logits.first[at]; i < of->logits.first[at + 1]; i++) {
      const BfLogitRange *logit  = &of->logits.logit[i];
      const BfMerged     *merged = &of->data.context[at / T];
      const int           each[] = {(int)merged->of, (int)(at % T), logit->head, merged->token[logit->query],
                                    merged->token[logit->key]};
      for (int c = 0; c < COLUMNS; c++) row[i * COLUMNS + c] = each[c];
      range[2 * i]     = of->lower[logit->variable];
      range[2 * i + 1] = of->upper[logit->variable];
    }
  BF_GOTO(bf_store_write(store, "/certificate/logits", BF_STORE_INT32, 2, rows, row, error));
  BF_GOTO(bf_store_write(store, "/certificate/logit_range", BF_STORE_DOUBLE, 2, ends, range, error));
  status = bf_store_write(store, "/certificate/halved_logits", BF_STORE_INT64, 1, &count, halved, error);
done:
  bf_free(row);
  bf_free(range);
  return status;
}

/* The table that the kept tree is with: its axes by the tokens of the data, and its cells. */
static BfStatus write_table(const BfLadder *x, BfStore *store, BfError *error) {
  const BfTokenAxes *axes   = &x->by_value.depth.axes;
  const int64_t      rows[] = {axes->count, 3}, ends[] = {axes->count, 2}, bytes = x->kept_cells.count;
  int32_t           *row   = NULL;
  double            *range = NULL;
  BfStatus           status;
  if (!x->kept_table) return BF_OK;
  BF_GOTO(bf_store_put_int(store, "/certificate", "table", x->kept_table, error));
  BF_GOTO(bf_store_together(store, BF_NEW(&row, rows[0] * rows[1], error), error));
  BF_GOTO(bf_store_together(store, BF_NEW(&range, ends[0] * ends[1], error), error));
  for (int a = 0; a < axes->count; a++) {
    const BfMerged *merged = &x->of.data.context[axes->axis[a].context];
    row[3 * a]             = (int32_t)merged->of;
    row[3 * a + 1]         = merged->token[axes->axis[a].slot];
    row[3 * a + 2]         = axes->axis[a].component;
    range[2 * a]           = axes->lower[a];
    range[2 * a + 1]       = axes->upper[a];
  }
  BF_GOTO(bf_store_write(store, "/certificate/axes", BF_STORE_INT32, 2, rows, row, error));
  BF_GOTO(bf_store_write(store, "/certificate/axis_range", BF_STORE_DOUBLE, 2, ends, range, error));
  status = bf_store_write(store, "/certificate/cells", BF_STORE_BYTE, 1, &bytes, x->kept_cells.byte, error);
done:
  bf_free(row);
  bf_free(range);
  return status;
}

static int64_t format_of(const BfLadder *x) {
  return x->kept_table ? FORMAT_TABLE : x->of.logits.count ? FORMAT_LOGITS : x->kept.width ? FORMAT_BOUNDED : FORMAT;
}

BfStatus bf_certify_write(const void *state, const BfSession *session, BfStore *store, BfError *error) {
  const BfCertifyState *s    = state;
  const BfLadder       *x    = &s->ladder;
  const char           *path = "/certificate";
  const int64_t         n    = x->of.free.n;
  /* the same once more: datasets have checksums, attributes none */
  const double  seal[] = {x->lower, x->found, bf_ladder_gap(x), x->target, (double)x->boxes, (double)x->root};
  const int64_t sealed = sizeof seal / sizeof *seal;
  (void)session;
  BF_TRY(bf_store_put_int(store, path, "format", format_of(x), error));
  if (x->kept.width) BF_TRY(bf_store_put_int(store, path, "width", x->kept.width, error));
  BF_TRY(bf_store_put_double(store, path, "lower", x->lower, error));
  BF_TRY(bf_store_put_double(store, path, "found", x->found, error));
  BF_TRY(bf_store_put_double(store, path, "gap", bf_ladder_gap(x), error));
  BF_TRY(bf_store_put_double(store, path, "target", x->target, error));
  BF_TRY(bf_store_put_int(store, path, "boxes", x->boxes, error));
  BF_TRY(bf_store_put_int(store, path, "numbers", n, error));
  BF_TRY(bf_store_write(store, "/certificate/free", BF_STORE_INT32, 1, &n, x->of.free.number, error));
  BF_TRY(bf_store_write(store, "/certificate/halved", BF_STORE_INT64, 1, &n, s->halved, error));
  BF_TRY(bf_store_put_text(store, path, "says", x->says ? x->says : "", error));
  BF_TRY(put_statement(x, store, error));
  BF_TRY(write_symmetry(&x->of.symmetry, store, error));
  BF_TRY(write_logits(&x->of, s->halved + n, store, error));
  BF_TRY(write_table(x, store, error));
  BF_TRY(write_history(x, store, error));
  BF_TRY(bf_store_write(store, "/certificate/seal", BF_STORE_DOUBLE, 1, &sealed, seal, error));
  return bf_stream_write(x, &x->kept, store, "/certificate/tree", error);
}

/* "1,234,567". */
static const char *grouped(int64_t count, char text[32]) {
  char      plain[24];
  const int length = snprintf(plain, sizeof plain, "%lld", (long long)count);
  int       at     = 0;
  for (int i = 0; i < length; i++) {
    if (i && (length - i) % 3 == 0) text[at++] = ',';
    text[at++] = plain[i];
  }
  text[at] = '\0';
  return text;
}

/* Seven digits, rounded to where it is still a bound: side 1 up, -1 down. */
static const char *rounded(double x, double side, char text[40]) {
  const double unit = x == 0 ? 0 : pow(10, floor(log10(fabs(x))) - 6);
  double       read = x;
  snprintf(text, 40, "%.7g", x);
  for (int i = 1; i < 4 && sscanf(text, "%lf", &read) == 1 && side * (read - x) < 0; i++)
    snprintf(text, 40, "%.7g", x + side * i * 0.6 * unit);
  return text;
}

static const char *variable_name(const BfObjective *of, int k, char text[]) {
  return k < of->free.n ? bf_number_name(of->problem, of->free.number[k], text)
                        : bf_logit_name(of, k - of->free.n, text);
}

/* The variables that the kept tree was halved at most often, up to SHOWN, with their parts of all. */
static void print_dearest(const BfCertifyState *s) {
  enum { SHOWN = 5, NAME = (int)BF_NUMBER_NAME > (int)BF_LOGIT_TEXT ? (int)BF_NUMBER_NAME : (int)BF_LOGIT_TEXT };
  const BfObjective *of  = &s->ladder.of;
  int64_t            all = 0, most, below = INT64_MAX;
  int                shown = 0;
  char               text[NAME];
  for (int k = 0; k < of->n; k++) all += s->halved[k];
  for (; all && shown < SHOWN; below = most) {
    most = 0;
    for (int k = 0; k < of->n; k++)
      if (s->halved[k] < below && s->halved[k] > most) most = s->halved[k];
    if (!most) break;
    for (int k = 0; k < of->n && shown < SHOWN; k++)
      if (s->halved[k] == most)
        bf_print(s->ladder.run, "%s %s (%.0f %%)", shown++ ? "," : "boxes were halved most at",
                 variable_name(of, k, text), 100.0 * (double)most / (double)all);
  }
  if (shown) bf_print(s->ladder.run, "\n");
}

static void print_idle(const BfLadder *x) {
  if (x->run->size == 1 || !(x->worked > 0)) return;
  bf_print(x->run, "rank 0 has waited for others for %.1f %% of the time\n", 100 * x->waited / x->worked);
}

void bf_certify_report(const void *state, const BfSession *session) {
  const BfCertifyState *s   = state;
  const BfLadder       *x   = &s->ladder;
  const BfRun          *run = session->run;
  char                  a[40], b[40], c[32], text[BF_SYMMETRY_TEXT];
  bf_print(run, "free: %d of %lld numbers; %lld of %lld sequences differ\n", x->of.free.n, (long long)x->of.free.all,
           (long long)x->of.data.contexts, (long long)session->problem->train.contexts);
  if (x->of.symmetry.count) bf_print(run, "symmetric: %s\n", bf_symmetry_text(&x->of.symmetry, text));
  if (x->of.logits.count)
    bf_print(run, "logits: %lld differences, at which boxes are halved, too\n", (long long)x->of.logits.count);
  if (x->kept_table)
    bf_print(run, "table: before layer %d, where tokens have %d numbers\n", x->kept_table,
             x->by_value.depth.axes.count);
  for (int64_t i = 0; i < x->rungs; i++)
    bf_print(run, "  target %.7g: %s; %.0f boxes\n", x->rung[i].target,
             x->rung[i].finished > 0 ? "proved" : "not reached", x->rung[i].boxes - (i ? x->rung[i - 1].boxes : 0));
  if (x->says) bf_print(run, "%s", x->says);
  if (x->stuck) bf_print(run, "a box became a point: roundings are in the way of a smaller gap\n");
  print_dearest(s);
  print_idle(x);
  if (!(x->lower > -INFINITY)) {
    bf_print(run, "nothing is proved; found %s; %s boxes\n", rounded(x->found, 1, b), grouped(x->boxes, c));
    return;
  }
  bf_print(run, "certified: %s <= optimum over the box <= %s (found), gap ", rounded(x->lower, -1, a),
           rounded(x->found, 1, b));
  if (bf_ladder_gap(x) < 1 || x->found > BF_LEAST_GAP) bf_print(run, "%.3g %%", 100 * bf_ladder_gap(x));
  else bf_print(run, "%.3g, absolute", x->found - x->lower);
  bf_print(run, "; %s boxes\n", grouped(x->boxes, c));
}
