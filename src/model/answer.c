/* What a model says of a table: as CSV, as HDF5, and told. */
#include "model/answer.h"
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool ends_with(const char *path, const char *ending) {
  const size_t length = strlen(path), of = strlen(ending);
  return length > of && !strcasecmp(path + length - of, ending);
}

BfStatus bf_answer_ending(const char *path, bool *csv, BfError *error) {
  *csv = ends_with(path, ".csv");
  if (*csv || ends_with(path, ".h5") || ends_with(path, ".hdf5")) return BF_OK;
  return bf_fail(error, BF_BAD_INPUT, "option -o must end in .csv, .h5 or .hdf5, got '%s'", path);
}

/* ---- CSV -------------------------------------------------------------------------------------------------------- */

static void name_columns(FILE *out, const char *prefix, const char *letter, int count) {
  for (int j = 0; j < count; j++) fprintf(out, ",%s%s%d", prefix, letter, j);
}

static void print_numbers(FILE *out, const double *x, int count) {
  for (int j = 0; j < count; j++) fprintf(out, ",%.17g", x[j]);
}

static void name_answer(FILE *out, const char *prefix, const BfPrediction *p) {
  if (!p->classes) {
    name_columns(out, prefix, "value", p->dim);
    return;
  }
  fprintf(out, ",%sclass", prefix);
  name_columns(out, prefix, "logit", p->classes);
  name_columns(out, prefix, "r", p->dim);
}

static void print_answer(FILE *out, const BfPrediction *p, int64_t i) {
  if (p->classes) {
    fprintf(out, ",%" PRId32, p->predicted[i]);
    print_numbers(out, p->logits + i * p->classes, p->classes);
  }
  print_numbers(out, p->representation + i * p->dim, p->dim);
}

static void print_header(FILE *out, const BfAnswer *answer) {
  const BfPrediction *p = answer->prediction;
  fputs(p->pooled ? "sequence" : "sequence,position", out);
  if (p->label) fputs(",label", out);
  if (p->target) name_columns(out, "", "y", p->dim);
  name_answer(out, "", p);
  if (answer->own_prediction) {
    char prefix[32];
    snprintf(prefix, sizeof prefix, "%s_", answer->own->name);
    name_answer(out, prefix, answer->own_prediction);
  }
  fputc('\n', out);
}

static void print_rows(FILE *out, const BfAnswer *answer) {
  const BfPrediction *p = answer->prediction;
  for (int64_t i = 0; i < p->rows; i++) {
    fprintf(out, "%" PRId64, p->sequence[i]);
    if (p->position) fprintf(out, ",%" PRId32, p->position[i]);
    if (p->label) fprintf(out, ",%" PRId32, p->label[i]);
    if (p->target) print_numbers(out, p->target + i * p->dim, p->dim);
    print_answer(out, p, i);
    if (answer->own_prediction) print_answer(out, answer->own_prediction, i);
    fputc('\n', out);
  }
}

static BfStatus make_text(const BfAnswer *answer, const char *path, char **text, size_t *length, BfError *error) {
  FILE *out = open_memstream(text, length);
  if (!out) return bf_fail(error, BF_FAILURE, "%s: no memory for its text", path);
  print_header(out, answer);
  print_rows(out, answer);
  const int failed = ferror(out);
  return fclose(out) || failed ? bf_fail(error, BF_FAILURE, "%s: no memory for its text", path) : BF_OK;
}

static BfStatus write_csv(const BfRun *run, const BfAnswer *answer, const char *path, bool overwrite, BfError *error) {
  char    *text   = NULL;
  size_t   length = 0;
  BfStatus status = run->rank == 0 ? make_text(answer, path, &text, &length, error) : BF_OK;
  status          = bf_together(run->world, status, error);
  if (status == BF_OK) status = bf_text_write(run->world, path, overwrite, text, (int64_t)length, error);
  free(text);
  return status;
}

/* ---- HDF5 ------------------------------------------------------------------------------------------------------- */

typedef struct {
  BfStore    *store;
  const char *group;
  int64_t     rows;
} Group;

/* [rows] where columns is 0, else [rows][columns]; nothing where data is NULL. */
static BfStatus put(const Group *g, const char *name, BfStoreType type, int64_t columns, const void *data,
                    BfError *error) {
  char path[64];
  if (!data) return BF_OK;
  snprintf(path, sizeof path, "%s/%s", g->group, name);
  return bf_store_write(g->store, path, type, columns ? 2 : 1, (int64_t[]){g->rows, columns}, data, error);
}

static BfStatus put_answer(const Group *g, const BfPrediction *p, BfError *error) {
  BF_TRY(put(g, "class", BF_STORE_INT32, 0, p->predicted, error));
  BF_TRY(put(g, "logits", BF_STORE_DOUBLE, p->classes, p->logits, error));
  return put(g, p->classes ? "representation" : "value", BF_STORE_DOUBLE, p->dim, p->representation, error);
}

static BfStatus put_prediction(BfStore *store, const char *group, const BfPrediction *p, BfError *error) {
  const Group g = {store, group, p->rows};
  BF_TRY(put(&g, "sequence", BF_STORE_INT64, 0, p->sequence, error));
  BF_TRY(put(&g, "position", BF_STORE_INT32, 0, p->position, error));
  BF_TRY(put(&g, "label", BF_STORE_INT32, 0, p->label, error));
  BF_TRY(put(&g, "target", BF_STORE_DOUBLE, p->dim, p->target, error));
  return put_answer(&g, p, error);
}

/* Which token is which: sequence and position of every row of the table. */
typedef struct {
  int64_t *sequence;
  int32_t *position;
} Rows;

static BfStatus make_rows(const BfData *data, Rows *rows, BfError *error) {
  BF_TRY(BF_NEW(&rows->sequence, data->tokens, error));
  BF_TRY(BF_NEW(&rows->position, data->tokens, error));
  for (int64_t g = 0; g < data->tags; g++)
    for (int64_t i = data->tag_first[g]; i < data->tag_first[g + 1]; i++) {
      rows->sequence[data->row[i]] = data->sequence[g];
      rows->position[data->row[i]] = data->position[g];
    }
  return BF_OK;
}

static BfStatus put_losses(BfStore *store, const BfAnswer *answer, BfError *error) {
  const BfRollout *rollout = answer->rollout;
  if (answer->data->unlabelled) return BF_OK;
  BF_TRY(bf_store_write(store, "/loss", BF_STORE_DOUBLE, 1, &answer->data->contexts, rollout->sequence_loss, error));
  BF_TRY(bf_store_put_double(store, "/", "loss", rollout->loss, error));
  BF_TRY(bf_store_put_double(store, "/", "accuracy", rollout->accuracy, error));
  if (!answer->own) return BF_OK;
  char name[64];
  snprintf(name, sizeof name, "%s_loss", answer->own->name);
  BF_TRY(bf_store_put_double(store, "/", name, answer->own->loss, error));
  snprintf(name, sizeof name, "%s_accuracy", answer->own->name);
  return bf_store_put_double(store, "/", name, answer->own->accuracy, error);
}

/* Layers that were chosen for the table. */
static BfStatus put_chosen(BfStore *store, const BfApplied *own, BfError *error) {
  const BfModel *model = own->chosen;
  const int64_t  T     = model ? model->layers : 0;
  char           path[64];
  if (!model) return BF_OK;
  snprintf(path, sizeof path, "/%s_actions", own->name);
  BF_TRY(bf_store_write(store, path, BF_STORE_INT32, 1, &T, model->action, error));
  snprintf(path, sizeof path, "%s_readout", own->name);
  BF_TRY(bf_store_put_int(store, "/", path, model->readout, error));
  snprintf(path, sizeof path, "%s_quantized_cost", own->name);
  return bf_store_put_double(store, "/", path, model->quantized_cost, error);
}

static BfStatus put_all(BfStore *store, const BfAnswer *answer, const Rows *rows, BfError *error) {
  const Group   table  = {store, "", answer->data->tokens};
  const int64_t dims[] = {answer->layers + 1, answer->data->tokens, answer->data->dim};
  BF_TRY(bf_store_write(store, "/tokens", BF_STORE_DOUBLE, 3, dims, answer->rollout->tokens, error));
  BF_TRY(put(&table, "sequence", BF_STORE_INT64, 0, rows->sequence, error));
  BF_TRY(put(&table, "position", BF_STORE_INT32, 0, rows->position, error));
  BF_TRY(bf_store_put_int(store, "/", "outside", answer->outside, error));
  if (answer->compared) BF_TRY(bf_store_put_double(store, "/", "w1", answer->w1, error));
  if (answer->compared) BF_TRY(bf_store_put_double(store, "/", "w1_cells", answer->w1_cells, error));
  BF_TRY(put_losses(store, answer, error));
  BF_TRY(put_prediction(store, "/prediction", answer->prediction, error));
  if (!answer->data->unlabelled) {
    BF_TRY(bf_store_put_double(store, "/prediction", "loss", answer->rollout->loss, error));
    BF_TRY(bf_store_put_double(store, "/prediction", "accuracy", answer->rollout->accuracy, error));
  }
  if (!answer->own) return BF_OK;
  char path[64];
  snprintf(path, sizeof path, "/%s_tokens", answer->own->name);
  BF_TRY(bf_store_write(store, path, BF_STORE_DOUBLE, 3, dims, answer->own->tokens, error));
  BF_TRY(put_chosen(store, answer->own, error));
  if (!answer->own_prediction) return BF_OK;
  snprintf(path, sizeof path, "/%s_prediction", answer->own->name);
  return put_answer(&(Group){store, path, answer->own_prediction->rows}, answer->own_prediction, error);
}

static BfStatus write_hdf5(const BfRun *run, const BfAnswer *answer, const char *path, bool overwrite, BfError *error) {
  BfStore *store = NULL;
  Rows     rows  = {0};
  BfStatus status;
  BF_GOTO(bf_together(run->world, make_rows(answer->data, &rows, error), error));
  BF_GOTO(bf_store_create(run->world, path, overwrite, &store, error));
  BF_GOTO(put_all(store, answer, &rows, error));
  BF_GOTO(bf_store_commit(&store, error));
done:
  status = bf_store_end(&store, error);
  bf_free(rows.sequence);
  bf_free(rows.position);
  return status;
}

BfStatus bf_answer_write(const BfRun *run, const BfAnswer *answer, const char *path, bool overwrite, BfError *error) {
  bool csv;
  BF_TRY(bf_answer_ending(path, &csv, error));
  return csv ? write_csv(run, answer, path, overwrite, error) : write_hdf5(run, answer, path, overwrite, error);
}

/* ---- on the terminal -------------------------------------------------------------------------------------------- */

/* "classes 0: 5, 1: 7", a line; nothing for costs without classes. */
static void print_classes(const BfRun *run, const BfPrediction *p) {
  enum { SHOWN = 16 };
  if (!p->classes) return;
  bf_print(run, "classes");
  for (int c = 0; c < p->classes && c < SHOWN; c++) {
    int64_t count = 0;
    for (int64_t i = 0; i < p->rows; i++) count += p->predicted[i] == c;
    bf_print(run, "%s %d: %lld", c ? "," : "", c, (long long)count);
  }
  bf_print(run, "%s, of %lld %s\n", p->classes > SHOWN ? ", ..." : "", (long long)p->rows,
           p->pooled ? "sequences" : "tokens");
}

static void print_loss(const BfRun *run, const BfData *data, double loss, double accuracy) {
  if (data->unlabelled) bf_print(run, ": no labels\n");
  else {
    bf_print(run, ": loss %.10g", loss);
    if (!isnan(accuracy)) bf_print(run, ", accuracy %.6g", accuracy);
    bf_print(run, "\n");
  }
}

void bf_answer_print(const BfRun *run, const BfAnswer *answer, bool written) {
  const BfData *data = answer->data;
  bf_print(run, "%lld sequence%s, %lld tokens", (long long)data->contexts, data->contexts > 1 ? "s" : "",
           (long long)data->tokens);
  print_loss(run, data, answer->rollout->loss, answer->rollout->accuracy);
  if (data->unlabelled) print_classes(run, answer->prediction);
  if (answer->own && (answer->own_prediction || !data->unlabelled)) {
    bf_print(run, "%s", answer->own->title);
    print_loss(run, data, answer->own->loss, answer->own->accuracy);
    if (data->unlabelled) print_classes(run, answer->own_prediction);
  }
  if (answer->compared && !isnan(answer->w1))
    bf_print(run, "W1 from the law of the training data, tag by tag: %.10g\n", answer->w1);
  if (answer->compared && !isnan(answer->w1_cells)) bf_print(run, "W1 from it on cells: %.10g\n", answer->w1_cells);
  if (answer->outside)
    bf_print(run, "tokens outside the box: %lld, taken as they are (%s)\n", (long long)answer->outside,
             answer->projected ? "P acts after the first layer" : "without a projection");
  if (data->unlabelled && !written) bf_print(run, "-o FILE.csv or -o FILE.h5 writes the predictions\n");
}
