#include "model/distance.h"
#include "cost/w1.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

static BfStatus fail_tags(const char *what, const BfData *data, int64_t g, const char *why, BfError *error) {
  return bf_fail(error, BF_BAD_INPUT, "%s: sequence %" PRId64 ", position %d: %s", what, data->sequence[g],
                 data->position[g], why);
}

static bool same_tag(const BfData *a, const BfData *b, int64_t g) {
  if (a->sequence[g] != b->sequence[g] || a->position[g] != b->position[g]) return false;
  if (b->unlabelled) return true;
  if (a->label) return a->label[g] == b->label[g];
  return !memcmp(a->target + g * a->dim, b->target + g * b->dim, sizeof(double) * (size_t)a->dim);
}

BfStatus bf_data_check_tags(const char *what, const BfData *a, const BfData *b, BfError *error) {
  if (!b->unlabelled && !a->label != !b->label)
    return bf_fail(error, BF_BAD_INPUT, "%s: one table has labels, the other targets", what);
  for (int64_t g = 0; g < a->tags && g < b->tags; g++)
    if (!same_tag(a, b, g))
      return fail_tags(what, a, g, "this tag of the training data and the table's in its place are not the same",
                       error);
  if (a->tags > b->tags) return fail_tags(what, a, b->tags, "the table has no such tag, the training data have", error);
  if (a->tags < b->tags) return fail_tags(what, b, a->tags, "the training data have no such tag, the table has", error);
  return BF_OK;
}

/* Tokens in place, or the centres of their cells. */
static void place(const BfCells *cells, int64_t tokens, int dim, const double z[], double out[]) {
  for (int64_t k = 0; k < tokens; k++) {
    if (cells) bf_cells_point(cells, bf_cells_nearest(cells, z + k * dim), out + k * dim);
    else memcpy(out + k * dim, z + k * dim, sizeof *z * (size_t)dim);
  }
}

static BfStatus sum_tags(const BfData *a, const BfData *b, const double x[], const double y[], double *sum,
                         BfError *error) {
  *sum = 0;
  for (int64_t s = 0; s < a->contexts; s++) {
    const int64_t begin = a->context_first[s], end = a->context_first[s + 1];
    const double  all = (double)(a->tag_first[end] - a->tag_first[begin]);
    for (int64_t g = begin; g < end; g++) {
      const int64_t i = a->tag_first[g], j = b->tag_first[g], n = a->tag_first[g + 1] - i, m = b->tag_first[g + 1] - j;
      double        w1;
      BF_TRY(bf_w1(a->dim, n, x + i * a->dim, m, y + j * a->dim, &w1, error));
      *sum += (double)n / all * w1;
    }
  }
  return BF_OK;
}

BfStatus bf_law_distance(const BfProblem *problem, const BfData *data, const BfData *other, bool on_cells, double *w1,
                         BfError *error) {
  const BfCells *cells = on_cells ? problem->cells : NULL;
  double        *x = NULL, *y = NULL;
  BfStatus       status;
  if (other->unlabelled) return bf_fail(error, BF_BAD_INPUT, "w1: the table has neither labels nor targets");
  BF_TRY(bf_data_check_tags("w1", data, other, error));
  BF_GOTO(BF_NEW(&x, data->tokens * data->dim, error));
  BF_GOTO(BF_NEW(&y, other->tokens * other->dim, error));
  place(cells, data->tokens, data->dim, data->z, x);
  place(cells, other->tokens, other->dim, other->z, y);
  status = sum_tags(data, other, x, y, w1, error);
  *w1 /= (double)data->contexts;
done:
  bf_free(x);
  bf_free(y);
  return status;
}
