#include "check/certificate.h"
#include <math.h>
#include <string.h>

void bf_certificate_clear(BfCertificate *certificate) {
  bf_free(certificate->free);
  bf_free(certificate->tree);
  bf_free(certificate->symmetry);
  bf_free(certificate->logit);
  bf_free(certificate->logit_range);
  bf_free(certificate->axis);
  bf_free(certificate->axis_range);
  bf_free(certificate->cells);
  *certificate = (BfCertificate){0};
}

/* Attributes carry no checksum, datasets do: the same numbers stand in one. */
static BfStatus read_numbers(BfStore *store, const char *path, const BfModel *model, BfCertificate *out,
                             BfError *error) {
  enum { SEALED = 6 };
  const char *const name[] = {"lower", "found", "gap", "target"};
  double            number[SEALED], *seal = NULL;
  int64_t           count, boxes;
  BfStatus          status;
  for (int i = 0; i < 4; i++) BF_TRY(bf_store_get_double(store, "/certificate", name[i], &number[i], error));
  BF_TRY(bf_store_get_int(store, "/certificate", "boxes", &boxes, error));
  number[4] = (double)boxes;
  number[5] = (double)model->readout;
  BF_GOTO(bf_store_read(store, "/certificate/seal", BF_STORE_DOUBLE, 1, &count, (void **)&seal, error));
  if (count != SEALED || memcmp(number, seal, sizeof number))
    BF_GOTO(bf_fail(error, BF_BAD_INPUT, "%s: attributes of /certificate are damaged: they are not those of its seal",
                    path));
  out->lower = number[0];
  out->found = number[1];
  out->gap   = number[2];
done:
  bf_free(seal);
  return status;
}

static BfStatus check_free(const BfCertificate *x, const char *path, const BfProblem *problem, BfError *error) {
  const int64_t all = (int64_t)problem->horizon * problem->layer.free + problem->cost.trained;
  for (int k = 0; k < x->n; k++)
    if (x->free[k] < 0 || x->free[k] >= all || (k && x->free[k] <= x->free[k - 1]))
      return bf_fail(error, BF_BAD_INPUT, "%s: /certificate/free does not fit the problem", path);
  return BF_OK;
}

/* Of rounds of tasks, where it bounded them. */
static BfStatus read_width(BfStore *store, BfCertificate *out, BfError *error) {
  bool there;
  BF_TRY(bf_store_has_attribute(store, "/certificate", "width", &there, error));
  if (!there) return BF_OK;
  BF_TRY(bf_store_get_int(store, "/certificate", "width", &out->width, error));
  return out->width > 0
             ? BF_OK
             : bf_fail(error, BF_BAD_INPUT, "/certificate: a width of rounds of %lld", (long long)out->width);
}

static BfStatus read_symmetry(BfStore *store, BfCertificate *out, BfError *error) {
  bool there;
  BF_TRY(bf_store_has(store, "/certificate/symmetry", &there, error));
  if (!there) return BF_OK;
  return bf_store_read(store, "/certificate/symmetry", BF_STORE_INT32, 2, out->rows, (void **)&out->symmetry, error);
}

static BfStatus check_logits(const BfCertificate *x, const char *path, const int64_t names[], const int64_t ranges[],
                             BfError *error) {
  enum { WORDS = 5, MOST = 255 };
  if (names[0] < 1 || names[1] != WORDS || ranges[0] != names[0] || ranges[1] != 2)
    return bf_fail(error, BF_BAD_INPUT, "%s: /certificate/logits and logit_range do not fit each other", path);
  if (names[0] > MOST - x->n)
    return bf_fail(error, BF_BAD_INPUT, "%s: /certificate has more than %d numbers and logits", path, MOST);
  for (int64_t l = 0; l < names[0]; l++) {
    const double *range = x->logit_range + 2 * l;
    if (!(isfinite(range[0]) && isfinite(range[1]) && range[0] <= range[1]))
      return bf_fail(error, BF_BAD_INPUT, "%s: /certificate/logit_range: logit %lld has [%g, %g]", path, (long long)l,
                     range[0], range[1]);
  }
  return BF_OK;
}

static BfStatus read_logits(BfStore *store, const char *path, BfCertificate *out, BfError *error) {
  int64_t names[2], ranges[2];
  BF_TRY(bf_store_read(store, "/certificate/logits", BF_STORE_INT32, 2, names, (void **)&out->logit, error));
  BF_TRY(
      bf_store_read(store, "/certificate/logit_range", BF_STORE_DOUBLE, 2, ranges, (void **)&out->logit_range, error));
  BF_TRY(bf_store_together(store, check_logits(out, path, names, ranges, error), error));
  out->logits = (int)names[0];
  return BF_OK;
}

static BfStatus check_axes(const BfCertificate *x, const char *path, const int64_t names[], const int64_t ranges[],
                           BfError *error) {
  enum { WORDS = 3, MOST = 256 };
  if (names[0] < 1 || names[1] != WORDS || ranges[0] != names[0] || ranges[1] != 2)
    return bf_fail(error, BF_BAD_INPUT, "%s: /certificate/axes and axis_range do not fit each other", path);
  if (names[0] > MOST - (x->n - x->early))
    return bf_fail(error, BF_BAD_INPUT, "%s: /certificate has more than %d axes and later numbers", path, MOST);
  for (int64_t a = 0; a < names[0]; a++) {
    const double *range = x->axis_range + 2 * a;
    if (!(isfinite(range[0]) && isfinite(range[1]) && range[0] <= range[1]))
      return bf_fail(error, BF_BAD_INPUT, "%s: /certificate/axis_range: axis %lld has [%g, %g]", path, (long long)a,
                     range[0], range[1]);
  }
  return BF_OK;
}

static BfStatus read_table(BfStore *store, const char *path, const BfProblem *problem, BfCertificate *out,
                           BfError *error) {
  int64_t table, names[2], ranges[2];
  BF_TRY(bf_store_get_int(store, "/certificate", "table", &table, error));
  if (table < 1 || table >= problem->horizon)
    return bf_fail(error, BF_BAD_INPUT, "%s: /certificate has a table before layer %lld of %d", path, (long long)table,
                   (int)problem->horizon);
  out->table = (int)table;
  while (out->early < out->n && out->free[out->early] < table * problem->layer.free) out->early++;
  BF_TRY(bf_store_read(store, "/certificate/axes", BF_STORE_INT32, 2, names, (void **)&out->axis, error));
  BF_TRY(bf_store_read(store, "/certificate/axis_range", BF_STORE_DOUBLE, 2, ranges, (void **)&out->axis_range, error));
  BF_TRY(bf_store_together(store, check_axes(out, path, names, ranges, error), error));
  out->axes = (int)names[0];
  return bf_store_read(store, "/certificate/cells", BF_STORE_BYTE, 1, &out->cells_bytes, (void **)&out->cells, error);
}

/* What is new in a format: in 4 there are logits, in 5 there is a table. */
static BfStatus read_format(BfStore *store, const char *path, const BfProblem *problem, BfCertificate *out,
                            BfError *error) {
  bool    there;
  int64_t format = 1;
  BF_TRY(bf_store_has_attribute(store, "/certificate", "format", &there, error));
  if (there) BF_TRY(bf_store_get_int(store, "/certificate", "format", &format, error));
  if (format == 4) return read_logits(store, path, out, error);
  return format == 5 ? read_table(store, path, problem, out, error) : BF_OK;
}

static BfStatus read_all(BfStore *store, const char *path, const BfProblem *problem, const BfModel *model,
                         BfCertificate *out, BfError *error) {
  enum { MOST = 256 }; /* a byte says which variable is split */
  static const BfFormats read = {"certificate", 1, 5, ""};
  bool                   there;
  int64_t                n;
  BF_TRY(bf_store_has(store, "/certificate", &there, error));
  if (!there) return bf_fail(error, BF_BAD_INPUT, "%s: no certificate is in it; `bellformer certify` makes one", path);
  BF_TRY(bf_store_check_format(store, "/certificate", &read, NULL, error));
  BF_TRY(read_numbers(store, path, model, out, error));
  if (!isfinite(out->lower))
    return bf_fail(error, BF_BAD_INPUT, "%s: its lower bound is %g: there is nothing to verify", path, out->lower);
  BF_TRY(bf_store_read(store, "/certificate/free", BF_STORE_INT32, 1, &n, (void **)&out->free, error));
  if (n > MOST) return bf_fail(error, BF_BAD_INPUT, "%s: /certificate/free has more than %d numbers", path, MOST);
  out->n = (int)n;
  BF_TRY(bf_store_together(store, check_free(out, path, problem, error), error));
  BF_TRY(read_symmetry(store, out, error));
  BF_TRY(read_width(store, out, error));
  BF_TRY(read_format(store, path, problem, out, error));
  return bf_store_read(store, "/certificate/tree", BF_STORE_BYTE, 1, &out->bytes, (void **)&out->tree, error);
}

BfStatus bf_certificate_read(const BfRun *run, const char *path, const BfProblem *problem, const BfModel *model,
                             BfCertificate *out, BfError *error) {
  BfStore *store = NULL;
  BfStatus status;
  *out = (BfCertificate){0};
  BF_GOTO(bf_store_open(run->world, path, &store, error));
  status = read_all(store, path, problem, model, out, error);
done:
  return bf_store_end(&store, error);
}
