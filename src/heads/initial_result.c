/* A law of heads from a result: of heads as it is; of solve and flow, which sum heads, with V times their number. */
#include "bellformer/model.h"
#include "heads/check.h"
#include "heads/initial.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* What the result's layers must be like. what: "-init FILE". */
static BfStatus check(const BfProblem *problem, const BfProblem *other, const char *what, BfError *error) {
  BfError here = {0};
  if (bf_heads_check_layer(other, &here) != BF_OK)
    return bf_fail(error, BF_BAD_INPUT, "%s: its problem %s", what, here.text);
  if (other->horizon != problem->horizon)
    return bf_fail(error, BF_BAD_INPUT, "%s: it has %d layers, this problem %d", what, other->horizon,
                   problem->horizon);
  return bf_heads_check_forms(&problem->layer, &other->layer, what, error);
}

/* Of layers that sum heads. */
static BfStatus take_sum(const BfProblem *problem, const BfProblem *other, const BfModel *model, const char *what,
                         BfHeadLaw *law, BfError *error) {
  const int     H = other->layer.heads, of_A = other->layer.attention[0].free, q = other->layer.free / H;
  const int64_t n = (int64_t)other->horizon * H;
  if (H > bf_heads_number(problem))
    return bf_fail(error, BF_BAD_INPUT, "%s: its layers are the sum of %d heads, this problem has %" PRId64, what, H,
                   bf_heads_number(problem));
  *law = (BfHeadLaw){.layers = other->horizon, .heads = H, .count = H, .free = q};
  BF_TRY(BF_NEW(&law->theta, n * q, error));
  BF_TRY(BF_NEW(&law->weight, n, error));
  for (int64_t i = 0; i < n; i++) law->weight[i] = 1.0 / H;
  for (int64_t i = 0; i < n * q; i++) law->theta[i] = (i % q < of_A ? 1 : H) * model->control[i];
  return BF_OK;
}

static BfStatus check_law(const BfHeadLaw *law, const int64_t weights[2], int q, const char *what, BfError *error) {
  const int64_t n = law->layers * law->heads;
  if (law->free != q || law->heads < 1 || weights[0] != law->layers || weights[1] != law->heads)
    return bf_fail(error, BF_BAD_INPUT, "%s: /heads/particles and weights do not fit the problem", what);
  for (int64_t i = 0; i < n * q; i++)
    if (!isfinite(law->theta[i])) return bf_fail(error, BF_BAD_INPUT, "%s: /heads/particles is not finite", what);
  for (int64_t i = 0; i < n; i++)
    if (!(law->weight[i] >= 0 && law->weight[i] <= 1))
      return bf_fail(error, BF_BAD_INPUT, "%s: /heads/weights is damaged: %g", what, law->weight[i]);
  return BF_OK;
}

/* Of heads: the particles themselves, not V times its weight and back. */
static BfStatus read_particles(const BfRun *run, const BfProblem *other, const char *path, const char *what,
                               BfHeadLaw *law, BfError *error) {
  BfStore *store = NULL;
  int64_t  dims[3], weights[2];
  BfStatus status;
  BF_GOTO(bf_store_open(run->world, path, &store, error));
  BF_GOTO(bf_store_read(store, "/heads/particles", BF_STORE_DOUBLE, 3, dims, (void **)&law->theta, error));
  BF_GOTO(bf_store_read(store, "/heads/weights", BF_STORE_DOUBLE, 2, weights, (void **)&law->weight, error));
  law->layers = (int)dims[0];
  law->heads = law->count = dims[1];
  law->free               = (int)dims[2];
  status                  = dims[0] == other->horizon
                                ? check_law(law, weights, other->layer.free / other->layer.heads, what, error)
                                : bf_fail(error, BF_BAD_INPUT, "%s: /heads/particles has %" PRId64 " layers", what, dims[0]);
  status                  = bf_together(run->world, status, error);
done:
  return bf_store_end(&store, error);
}

BfStatus bf_heads_read_result(const BfRun *run, const BfProblem *problem, const char *path, BfHeadLaw *law,
                              BfError *error) {
  char       what[512];
  BfProblem *other = NULL;
  BfModel    model = {0};
  BfStatus   status;
  snprintf(what, sizeof what, "-init %s", path);
  BF_GOTO(bf_model_read(run, path, &other, &model, error));
  BF_GOTO(bf_together(run->world, check(problem, other, what, error), error));
  if (other->cost.trained && !strcmp(model.found, "flow"))
    bf_print(run, "%s: its readout was trained; this problem's own is taken\n", what);
  status = !strcmp(model.found, "heads")
               ? read_particles(run, other, path, what, law, error)
               : bf_together(run->world, take_sum(problem, other, &model, what, law, error), error);
done:
  bf_model_clear(&model);
  bf_problem_destroy(&other);
  return status;
}
