/* STUDY.h5. By rank 0 alone, whose store is its own. */
#include "study/write.h"
#include "model/format.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FORMAT = 1, PATH = 1024 }; /* share/doc/formats.md */

typedef struct {
  const BfRun       *run;
  const BfArguments *arguments;
  const BfTable     *table;
  BfRecord *const   *records;
  BfStore           *store;
} Writer;

/* ---- columns ---------------------------------------------------------------------------------------------------- */

/* Names, one a line. */
typedef struct {
  char  *text;
  size_t length;
  int    count;
  FILE  *file;
} Lines;

static void add_line(Lines *l, const char *name) {
  if (!l->file && !l->count) l->file = open_memstream(&l->text, &l->length);
  if (l->file) fprintf(l->file, "%s%s", l->count ? "\n" : "", name);
  l->count++;
}

/* As an attribute of the group; they go. */
static BfStatus put_lines(BfStore *store, const char *group, const char *attribute, Lines *l, BfError *error) {
  const int failed = l->count && (!l->file || (ferror(l->file) | fclose(l->file)));
  if (failed) bf_fail(error, BF_FAILURE, "out of memory for names");
  BfStatus status = bf_store_together(store, error->status, error);
  if (status == BF_OK) status = bf_store_put_text(store, group, attribute, l->count ? l->text : "", error);
  free(l->text);
  return status;
}

static BfStatus put_names(BfStore *store, const char *group, const char *attribute, const BfColumn column[], int count,
                          BfError *error) {
  Lines names = {0};
  for (int c = 0; c < count; c++) add_line(&names, column[c].name);
  return put_lines(store, group, attribute, &names, error);
}

static BfStatus write_columns(BfStore *store, const char *group, const BfColumns *columns, BfError *error) {
  char path[PATH];
  if (!columns->rows) return BF_OK;
  for (int c = 0; c < columns->columns; c++) {
    const BfColumn *column = &columns->column[c];
    if (snprintf(path, sizeof path, "%s/%s", group, column->name) >= PATH)
      return bf_fail(error, BF_BAD_INPUT, "%.60s...: too long a name", path);
    BF_TRY(column->text ? bf_store_write_texts(store, path, columns->rows, column->text, error)
                        : bf_store_write(store, path, BF_STORE_DOUBLE, 1, &columns->rows, column->number, error));
  }
  BF_TRY(put_names(store, group, "keys", columns->column, columns->keys, error));
  return put_names(store, group, "measures", columns->column + columns->keys, columns->columns - columns->keys, error);
}

/* ---- fits ------------------------------------------------------------------------------------------------------- */

static BfStatus write_fit(BfStore *store, const char *path, const BfFitted *fit, BfError *error) {
  const struct {
    const char *name;
    double      value;
  } numbers[] = {{"exponent", fit->exponent},
                 {"low", fit->low},
                 {"high", fit->high},
                 {"r2", fit->r2},
                 {"factor", fit->factor},
                 {"expect", fit->asked->expect},
                 {"within_low", fit->asked->ranged ? fit->asked->within[0] : fit->asked->expect},
                 {"within_high", fit->asked->ranged ? fit->asked->within[1] : fit->asked->expect}};
  BF_TRY(bf_store_put_text(store, path, "y", fit->asked->y, error));
  BF_TRY(bf_store_put_text(store, path, "x", fit->asked->x, error));
  BF_TRY(bf_store_put_text(store, path, "series", fit->series, error));
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
    BF_TRY(bf_store_put_double(store, path, numbers[i].name, numbers[i].value, error));
  BF_TRY(bf_store_put_int(store, path, "points", fit->points, error));
  BF_TRY(bf_store_put_int(store, path, "left_out", fit->left_out, error));
  BF_TRY(bf_store_put_int(store, path, "inside", fit->inside, error));
  return bf_store_put_text(store, path, "why", fit->why ? fit->why : "", error);
}

static BfStatus write_fits(const Writer *w, BfError *error) {
  char path[PATH];
  for (int64_t f = 0; f < w->table->fits; f++) {
    snprintf(path, sizeof path, "/fits/%02lld", (long long)f);
    BF_TRY(write_fit(w->store, path, &w->table->fit[f], error));
  }
  return BF_OK;
}

/* ---- runs ------------------------------------------------------------------------------------------------------- */

/* The group of an attribute's name, "program/rollout" of "program/rollout@cost", "program" of "program/@space": its
 * length; -1: it is a dataset's. */
static int64_t group_length(const BfDatum *datum) {
  const char *at = datum->kind == BF_DATUM_ARRAY ? NULL : strrchr(datum->name, '@');
  if (!at) return -1;
  return at - datum->name - (at > datum->name && at[-1] == '/');
}

/* The attributes of one group that stand one behind another from number *i on. */
static BfStatus write_attributes(BfStore *store, const char *point, const BfRecord *record, int64_t *i,
                                 BfAttribute attribute[], BfError *error) {
  const char   *name   = record->datum[*i].name;
  const int64_t length = group_length(&record->datum[*i]);
  char          path[PATH];
  int64_t       count = 0;
  if (snprintf(path, sizeof path, "%s/%.*s", point, (int)length, name) >= PATH)
    return bf_fail(error, BF_FAILURE, "%s: too long a name", point);
  for (; *i < record->count; ++*i) {
    const BfDatum *datum = &record->datum[*i];
    if (group_length(datum) != length || strncmp(datum->name, name, (size_t)length) != 0) break;
    attribute[count++] =
        (BfAttribute){strrchr(datum->name, '@') + 1, datum->kind == BF_DATUM_TEXT ? datum->text : NULL, datum->number};
  }
  return bf_store_put_all(store, path, count, attribute, error);
}

static BfStatus write_array(BfStore *store, const char *point, const BfDatum *datum, BfError *error) {
  char path[PATH];
  if (datum->kind != BF_DATUM_ARRAY) return bf_fail(error, BF_FAILURE, "%s is no name of an attribute", datum->name);
  if (snprintf(path, sizeof path, "%s/%s", point, datum->name) >= PATH)
    return bf_fail(error, BF_FAILURE, "%s: too long a name", point);
  return bf_store_write(store, path, BF_STORE_DOUBLE, datum->rank, datum->dims, datum->data, error);
}

static BfStatus write_record(BfStore *store, const char *path, const BfRecord *record, BfError *error) {
  static const char *const state[] = {"begun", "stopped", "done", "failed", "set aside"};
  if (!record) return bf_store_put_text(store, path, "state", "waiting", error);
  const BfAttribute about[]   = {{"state", state[record->state], 0},
                                 {"message", record->message ? record->message : "", 0},
                                 {"key", record->key, 0},
                                 {"seconds", NULL, record->seconds},
                                 {"ranks", NULL, record->ranks}};
  BfAttribute      *attribute = NULL;
  BfStatus          status    = bf_store_put_all(store, path, sizeof about / sizeof *about, about, error);
  if (status == BF_OK) status = bf_store_together(store, BF_NEW(&attribute, record->count, error), error);
  for (int64_t i = 0; status == BF_OK && i < record->count;)
    if (group_length(&record->datum[i]) >= 0) status = write_attributes(store, path, record, &i, attribute, error);
    else status = write_array(store, path, &record->datum[i++], error);
  bf_free(attribute);
  return status;
}

static BfStatus write_runs(const Writer *w, BfError *error) {
  const BfPlan *plan = w->table->plan;
  char          path[PATH];
  for (int64_t p = 0; p < plan->points + plan->references; p++) {
    snprintf(path, sizeof path, "/runs/%04lld", (long long)p);
    BF_TRY(write_record(w->store, path, w->records[p], error));
  }
  return BF_OK;
}

/* ---- the study -------------------------------------------------------------------------------------------------- */

static BfStatus write_bytes(BfStore *store, const char *path, const void *bytes, int64_t size, BfError *error) {
  return size ? bf_store_write(store, path, BF_STORE_BYTE, 1, &size, bytes, error) : BF_OK;
}

/* All that are there, one behind another. Local. */
static BfStatus pack_records(const Writer *w, int64_t *size, unsigned char **bytes, BfError *error) {
  const BfPlan *plan = w->table->plan;
  size_t        length;
  char         *all  = NULL;
  FILE         *file = open_memstream(&all, &length);
  for (int64_t p = 0; file && p < plan->points + plan->references && error->status == BF_OK; p++) {
    int64_t        one;
    unsigned char *packed = NULL;
    if (w->records[p] && bf_record_pack(w->records[p], &one, &packed, error) == BF_OK)
      fwrite(packed, 1, (size_t)one, file);
    bf_free(packed);
  }
  if (!file || (ferror(file) | fclose(file))) bf_fail(error, BF_FAILURE, "out of memory for a study's records");
  *size  = (int64_t)length;
  *bytes = (unsigned char *)all;
  return error->status;
}

static BfStatus write_records(const Writer *w, BfError *error) {
  unsigned char *bytes  = NULL;
  int64_t        size   = 0;
  BfStatus       status = bf_store_together(w->store, pack_records(w, &size, &bytes, error), error);
  if (status == BF_OK) status = write_bytes(w->store, "/study/records", bytes, size, error);
  free(bytes);
  return status;
}

static int64_t count(const Writer *w, BfPointState state) {
  const BfPlan *plan = w->table->plan;
  int64_t       n    = 0;
  for (int64_t p = 0; p < plan->points + plan->references; p++) n += w->records[p] && w->records[p]->state == state;
  return n;
}

static BfStatus write_study(const Writer *w, BfError *error) {
  const BfStudy *study = w->table->plan->study;
  const char    *path  = "/study";
  Lines          over  = {0};
  for (int o = 0; o < study->overs; o++) add_line(&over, study->over[o]);
  BF_TRY(put_lines(w->store, path, "over", &over, error));
  BF_TRY(bf_store_put_int(w->store, path, "format", FORMAT, error));
  BF_TRY(bf_store_put_text(w->store, path, "name", study->name, error));
  BF_TRY(bf_store_put_text(w->store, path, "problem", study->problem, error));
  BF_TRY(bf_store_put_text(w->store, path, "statement", study->statement ? study->statement : "", error));
  BF_TRY(bf_store_put_text(w->store, path, "source", study->source ? study->source : "", error));
  BF_TRY(bf_store_put_int(w->store, path, "points", w->table->plan->points, error));
  BF_TRY(bf_store_put_int(w->store, path, "references", w->table->plan->references, error));
  BF_TRY(bf_store_put_int(w->store, path, "done", count(w, BF_POINT_DONE), error));
  BF_TRY(bf_store_put_int(w->store, path, "failed", count(w, BF_POINT_FAILED) + count(w, BF_POINT_SET_ASIDE), error));
  return write_bytes(w->store, "/study/text", study->text, (int64_t)strlen(study->text), error);
}

/* Of a figure, where the study does not say: the fits' y, or all measures. */
static BfStatus write_plot(const Writer *w, BfError *error) {
  const BfStudy  *study  = w->table->plan->study;
  const BfSeries *series = &w->table->plot;
  const char     *path   = "/plot";
  Lines           y      = {0};
  const int       ys     = study->plot_ys ? study->plot_ys : study->fits ? study->fits : study->measures;
  for (int i = 0; i < ys; i++) {
    const char *name = study->plot_ys ? study->plot_y[i] : study->fits ? study->fit[i].y : study->measure[i].name;
    const bool  here = study->plot_ys || !study->fits || !strcmp(study->fit[i].x, w->table->plot_x);
    if (here) add_line(&y, name);
  }
  BF_TRY(put_lines(w->store, path, "y", &y, error));
  BF_TRY(bf_store_put_text(w->store, path, "x", w->table->plot_x, error));
  BF_TRY(bf_store_put_text(w->store, path, "log",
                           study->plot_log ? study->plot_log
                           : study->fits   ? "both"
                                           : "none",
                           error));
  BF_TRY(bf_store_write_texts(w->store, "/plot/series", series->count, (const char *const *)series->name, error));
  return bf_store_write(w->store, "/plot/series_of", BF_STORE_INT64, 1, &w->table->means.rows, series->of, error);
}

static BfStatus write_all(const Writer *w, BfError *error) {
  const BfKernels *kernels = NULL;
  BF_TRY(bf_store_together(w->store, bf_kernels_choose(&kernels, error), error));
  BF_TRY(bf_store_put_text(w->store, "/", "name", w->table->plan->study->name, error));
  BF_TRY(bf_result_provenance(MPI_COMM_SELF, w->run, w->arguments, kernels, BF_RESULT_OF_LAYERS, w->store, error));
  BF_TRY(bf_store_put_double(w->store, "/provenance", "wall_seconds", bf_run_seconds(w->run), error));
  BF_TRY(write_study(w, error));
  BF_TRY(write_records(w, error));
  BF_TRY(write_columns(w->store, "/table", &w->table->points, error));
  BF_TRY(write_columns(w->store, "/references", &w->table->references, error));
  BF_TRY(write_columns(w->store, "/means", &w->table->means, error));
  BF_TRY(write_fits(w, error));
  BF_TRY(write_plot(w, error));
  return write_runs(w, error);
}

static BfStatus write_csv(const BfTable *table, const char *out, BfError *error) {
  char    *name = NULL, *text = NULL;
  BfStatus status = bf_together(MPI_COMM_SELF, bf_study_table_name(out, &name, error), error);
  if (status == BF_OK) status = bf_table_csv(&table->points, &text, error);
  if (status == BF_OK) status = bf_text_write(MPI_COMM_SELF, name, 1, text, (int64_t)strlen(text), error);
  bf_free(name);
  bf_free(text);
  return status;
}

BfStatus bf_study_write(const BfRun *run, const BfArguments *arguments, const BfTable *table, BfRecord *const records[],
                        const char *out, BfError *error) {
  Writer   w = {run, arguments, table, records, NULL};
  BfStatus status;
  BF_GOTO(bf_store_create(MPI_COMM_SELF, out, 1, &w.store, error));
  BF_GOTO(write_all(&w, error));
  BF_GOTO(bf_store_commit(&w.store, error));
  status = write_csv(table, out, error);
done:
  bf_store_close(&w.store);
  return status;
}
