/* The answer of `heads` in a result, and as a model. */
#include "heads/share.h"
#include "heads/trainer.h"
#include <math.h>
#include <string.h>

/* ---- the model --------------------------------------------------------------------------------------------------- */

/* /model sums heads: V, which is linear in its free numbers, takes the weight. */
static void fill_model(const BfDescent *x, BfModel *model) {
  const BfHeadLaw *law = &x->law;
  const int        q = law->free, free_A = x->heads->free_A;
  if (x->heads->sequence_part) return;
  for (int64_t i = 0; i < law->layers * law->count; i++) {
    const int64_t t = i / law->count, h = law->first + i % law->count;
    double       *to = model->control + t * model->free + h * q;
    /* 0 for -0, which a sum over several ranks would give, and one rank would not */
    for (int k = 0; k < q; k++) to[k] = 0 + law->theta[i * q + k] * (k < free_A ? 1 : law->weight[i]);
  }
}

static BfStatus check_model(const BfDescent *x, const BfModel *model, BfError *error) {
  if (model->free == x->law.heads * x->law.free) return BF_OK;
  return bf_fail(error, BF_FAILURE, "the layer has %d free numbers for %lld heads of %d", model->free,
                 (long long)x->law.heads, x->law.free);
}

BfStatus bf_heads_export(const BfDescent *x, BfModel *model, BfError *error) {
  BF_TRY(bf_together(x->run->world, check_model(x, model, error), error));
  fill_model(x, model);
  bf_sum_disjoint(x->run->world, (int64_t)model->layers * model->free, model->control);
  return BF_OK;
}

/* ---- /heads ------------------------------------------------------------------------------------------------------ */

/* data [T][count][columns] of all ranks; columns 0: [T][count]. */
static BfStatus write_particles(const BfDescent *x, const char *path, int columns, const double *data, BfStore *store,
                                BfError *error) {
  const BfHeadLaw *law    = &x->law;
  const int        rank   = columns ? 3 : 2;
  const int64_t    dims[] = {law->layers, law->heads, columns}, start[] = {0, law->first, 0},
                count[] = {x->heads->sequence_part ? 0 : law->layers, law->count, columns};
  BF_TRY(bf_store_define(store, path, BF_STORE_DOUBLE, rank, dims, error));
  return bf_store_write_block(store, path, BF_STORE_DOUBLE, rank, start, count, data, error);
}

void bf_heads_in_rows(const BfData *data, int layers, const double *tokens, double *table) {
  const int64_t N = data->tokens, d = data->dim;
  for (int64_t t = 0; t <= layers; t++)
    for (int64_t i = 0; i < N; i++)
      memcpy(table + (t * N + data->row[i]) * d, tokens + (t * N + i) * d, sizeof(double) * (size_t)d);
}

static BfStatus write_tokens(const BfProblem *problem, const char *path, const double *tokens, BfStore *store,
                             BfError *error) {
  const BfData *data   = &problem->train;
  const int64_t dims[] = {problem->horizon + 1, data->tokens, data->dim};
  double       *table  = NULL;
  BfStatus      status;
  BF_GOTO(bf_store_together(store, BF_NEW(&table, dims[0] * dims[1] * dims[2], error), error));
  bf_heads_in_rows(data, problem->horizon, tokens, table);
  status = bf_store_write(store, path, BF_STORE_DOUBLE, 3, dims, table, error);
done:
  bf_free(table);
  return status;
}

double bf_heads_rate(const BfDescent *x) {
  if (x->round_rows < (x->round ? 3 : 2)) return NAN; /* over an insertion it is no rate of the flow */
  const double *to = x->history + BF_HISTORY_COLUMNS * (x->rows - 1), *from = to - BF_HISTORY_COLUMNS;
  const double  passed = to[BF_HISTORY_TAU] - from[BF_HISTORY_TAU];
  return passed > 0 ? log(from[BF_HISTORY_RISK] / to[BF_HISTORY_RISK]) / passed : NAN;
}

static BfStatus write_numbers(const BfDescent *x, BfStore *store, BfError *error) {
  const BfHeadsValue *v           = &x->value;
  const double       *first       = x->history;
  const BfAttribute   attribute[] = {
        {"risk", NULL, v->risk},
        {"loss", NULL, v->loss},
        {"decay", NULL, v->decay},
        {"accuracy", NULL, v->accuracy},
        {"gradient_norm", NULL, v->gradient_norm},
        {"slope", NULL, v->slope},
        {"tau", NULL, x->tau},
        {"rate", NULL, bf_heads_rate(x)},
        {"initial_risk", NULL, first[BF_HISTORY_RISK]},
        {"initial_loss", NULL, first[BF_HISTORY_LOSS]},
        {"initial_accuracy", NULL, first[BF_HISTORY_ACCURACY]},
        {"initial_gradient_norm", NULL, first[BF_HISTORY_GRADIENT]},
        {"initial_slope", NULL, first[BF_HISTORY_SLOPE]},
  };
  BF_TRY(bf_store_put_all(store, "/heads", sizeof attribute / sizeof *attribute, attribute, error));
  BF_TRY(bf_store_put_text(store, "/heads", "reason", bf_descent_words(x->end), error));
  BF_TRY(bf_store_put_int(store, "/heads", "steps", x->steps, error));
  BF_TRY(bf_store_put_int(store, "/heads", "inserted", x->inserted, error));
  BF_TRY(bf_store_put_int(store, "/heads", "rejected", x->rejected, error));
  BF_TRY(bf_store_put_int(store, "/heads", "evaluations", x->evaluations, error));
  return bf_store_put_int(store, "/heads", "outside", v->outside, error);
}

BfStatus bf_heads_write_answer(const void *state, const BfSession *session, BfStore *store, BfError *error) {
  const BfDescent *x = &((const BfHeadsState *)state)->descent;
  BF_TRY(write_numbers(x, store, error));
  BF_TRY(write_particles(x, "/heads/particles", x->law.free, x->law.theta, store, error));
  BF_TRY(write_particles(x, "/heads/initial", x->law.free, x->initial, store, error));
  BF_TRY(write_particles(x, "/heads/weights", 0, x->law.weight, store, error));
  BF_TRY(write_tokens(session->problem, "/heads/tokens", x->value.tokens, store, error));
  BF_TRY(write_tokens(session->problem, "/heads/adjoint", x->value.adjoint, store, error));
  if (x->conic) BF_TRY(write_particles(x, "/heads/initial_weights", 0, x->initial_weight, store, error));
  BF_TRY(bf_judgement_write(x, &((const BfHeadsState *)state)->judgement, store, error));
  return bf_history_write(x, store, error);
}
