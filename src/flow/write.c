/* /flow, /pontryagin and /rollout/best of a result file. */
#include "flow/flow.h"
#include "run/largest.h"
#include <string.h>

static BfStatus column(BfStore *store, const char *path, int64_t n, const double *data, BfError *error) {
  return bf_store_write(store, path, BF_STORE_DOUBLE, 1, &n, data, error);
}

/* Column c of rows[n][columns]. */
static BfStatus part(BfStore *store, const char *path, int64_t n, int columns, int c, const double *rows,
                     BfError *error) {
  double  *data = NULL;
  BfStatus status;
  BF_GOTO(bf_store_together(store, BF_NEW(&data, n, error), error));
  for (int64_t i = 0; i < n; i++) data[i] = rows[i * columns + c];
  status = column(store, path, n, data, error);
done:
  bf_free(data);
  return status;
}

static BfStatus write_search(const BfFlowAnswer *answer, BfStore *store, BfError *error) {
  const char   *path = "/flow";
  const int64_t S    = answer->starts;
  BF_TRY(bf_store_put_int(store, path, "evaluations", answer->evaluations, error));
  BF_TRY(bf_store_put_int(store, path, "iterations", answer->iterations, error));
  BF_TRY(bf_store_put_int(store, path, "start", answer->best, error));
  BF_TRY(bf_store_put_text(store, path, "reason", bf_flow_answer_reason(answer), error));
  BF_TRY(part(store, "/flow/history/cost", answer->iterations + 1, 2, 0, answer->history, error));
  BF_TRY(part(store, "/flow/history/residual", answer->iterations + 1, 2, 1, answer->history, error));
  BF_TRY(column(store, "/flow/starts/initial_cost", S, answer->initial_cost, error));
  BF_TRY(column(store, "/flow/starts/cost", S, answer->final_cost, error));
  BF_TRY(bf_store_write(store, "/flow/starts/iterations", BF_STORE_INT64, 1, &S, answer->start_iterations, error));
  BF_TRY(bf_store_put_int(store, path, "minima", answer->minima, error));
  BF_TRY(bf_store_put_int(store, path, "given", answer->givens, error));
  return bf_store_write(store, "/flow/starts/minimum", BF_STORE_INT64, 1, &S, answer->minimum, error);
}

/* The readouts [n][C d + C] behind the controls of the best. */
static BfStatus write_best_readouts(const BfProblem *problem, const BfFlowAnswer *answer, BfStore *store,
                                    BfError *error) {
  const int64_t C = problem->cost.classes, d = problem->cost.dim, m = answer->told, n = bf_flow_numbers(problem),
                controls = n - problem->cost.trained;
  double  *matrix = NULL, *bias = NULL;
  BfStatus status;
  BF_GOTO(bf_store_together(store, BF_NEW(&matrix, m * C * d, error), error));
  BF_GOTO(bf_store_together(store, BF_NEW(&bias, m * C, error), error));
  for (int64_t i = 0; i < m; i++) {
    const double *at = answer->told_control + i * n + controls;
    memcpy(matrix + i * C * d, at, sizeof(double) * (size_t)(C * d));
    memcpy(bias + i * C, at + C * d, sizeof(double) * (size_t)C);
  }
  BF_GOTO(bf_store_write(store, "/rollout/best/R", BF_STORE_DOUBLE, 3, (int64_t[]){m, C, d}, matrix, error));
  status = bf_store_write(store, "/rollout/best/b", BF_STORE_DOUBLE, 2, (int64_t[]){m, C}, bias, error);
done:
  bf_free(matrix);
  bf_free(bias);
  return status;
}

/* /rollout/best: controls, R and b as a solve with -best writes them. */
static BfStatus write_best(const BfProblem *problem, const BfFlowAnswer *answer, BfStore *store, BfError *error) {
  const int64_t T = problem->horizon, q = problem->layer.free, n = bf_flow_numbers(problem), m = answer->told;
  double       *control = NULL, *cost = NULL;
  BfStatus      status;
  if (!answer->wanted) return BF_OK;
  BF_GOTO(bf_store_together(store, BF_NEW(&control, m * T * q, error), error));
  BF_GOTO(bf_store_together(store, BF_NEW(&cost, m, error), error));
  for (int64_t i = 0; i < m; i++) {
    memcpy(control + i * T * q, answer->told_control + i * n, sizeof(double) * (size_t)(T * q));
    cost[i] = answer->final_cost[answer->told_start[i]];
  }
  BF_GOTO(bf_store_write(store, "/rollout/best/controls", BF_STORE_DOUBLE, 3, (int64_t[]){m, T, q}, control, error));
  BF_GOTO(column(store, "/rollout/best/cost", m, cost, error));
  BF_GOTO(bf_store_write(store, "/rollout/best/start", BF_STORE_INT64, 1, &m, answer->told_start, error));
  if (problem->cost.trained) status = write_best_readouts(problem, answer, store, error);
done:
  bf_free(control);
  bf_free(cost);
  return status;
}

static BfStatus write_pontryagin(const BfPontryagin *x, int64_t T, BfStore *store, BfError *error) {
  const char   *path   = "/pontryagin";
  const int64_t both[] = {T, x->ends};
  BF_TRY(bf_store_put_double(store, path, "terminal", x->terminal, error));
  BF_TRY(bf_store_put_double(store, path, "stationarity", x->stationarity, error));
  if (!isnan(x->readout_stationarity))
    BF_TRY(bf_store_put_double(store, path, "readout_stationarity", x->readout_stationarity, error));
  BF_TRY(bf_store_put_double(store, path, "hamiltonian_variation", x->variation, error));
  BF_TRY(bf_store_put_double(store, path, "hamiltonian_variation_within", x->variation_within, error));
  BF_TRY(bf_store_put_double(store, path, "violation", x->violation, error));
  BF_TRY(bf_store_put_double(store, path, "violation_depth", x->violation_depth, error));
  BF_TRY(bf_store_put_int(store, path, "violation_action", x->violation_action, error));
  BF_TRY(column(store, "/pontryagin/stationarity", T, x->stationary, error));
  BF_TRY(bf_store_write(store, "/pontryagin/hamiltonian", BF_STORE_DOUBLE, 2, both, x->hamiltonian, error));
  BF_TRY(bf_store_write(store, "/pontryagin/violation", BF_STORE_DOUBLE, 2, both, x->exceeds, error));
  return bf_store_write(store, "/pontryagin/minimizer", BF_STORE_INT32, 2, both, x->minimizer, error);
}

static BfStatus write_layers(const BfProblem *problem, const BfFlowLayers *x, BfStore *store, BfError *error) {
  const int64_t ends  = problem->horizon + 1;
  const double  depth = x->first < 0 ? NAN : (double)x->first * problem->layer.step;
  BF_TRY(bf_store_put_double(store, "/flow", "layers_difference", x->difference, error));
  BF_TRY(bf_store_put_int(store, "/flow", "outside", x->tokens, error));
  BF_TRY(bf_store_put_double(store, "/flow", "outside_depth", depth, error));
  return bf_store_write(store, "/flow/outside", BF_STORE_INT64, 1, &ends, x->outside, error);
}

/* out[T + 1]: the largest rate at which the cost changes with the law of tokens at t_k in W1, as one token moves a
 * little: |p_i| for 1 / (S N_s), the mass that a token of a sequence has in the mean over sequences. */
static void fill_rates(const BfProblem *problem, const double *adjoint, double out[]) {
  const BfData *data = &problem->train;
  const int     d    = data->dim;
  for (int64_t t = 0; t <= problem->horizon; t++)
    for (int64_t s = 0; s < data->contexts; s++) {
      const int64_t first  = data->tag_first[data->context_first[s]];
      const int64_t tokens = data->tag_first[data->context_first[s + 1]] - first;
      for (int64_t k = first; k < first + tokens; k++) {
        const double *p   = adjoint + (t * data->tokens + data->row[k]) * d;
        double        sum = 0;
        for (int a = 0; a < d; a++) sum += p[a] * p[a];
        out[t] = bf_larger(out[t], (double)data->contexts * (double)tokens * sqrt(sum));
      }
    }
}

static BfStatus write_rates(const BfProblem *problem, const double *adjoint, BfStore *store, BfError *error) {
  const int64_t ends = problem->horizon + 1;
  double       *rate = NULL, sum = 0;
  BfStatus      status;
  BF_GOTO(bf_store_together(store, BF_NEW(&rate, ends, error), error));
  fill_rates(problem, adjoint, rate);
  for (int64_t t = 0; t < ends; t++) sum += rate[t];
  BF_GOTO(column(store, "/flow/lipschitz", ends, rate, error));
  status = bf_store_put_double(store, "/flow", "lipschitz", sum, error);
done:
  bf_free(rate);
  return status;
}

static BfStatus write_by_readout(const BfCost *cost, const double by[], BfStore *store, BfError *error) {
  const int64_t C = cost->classes, d = cost->dim;
  BF_TRY(bf_store_write(store, "/flow/readout_gradient/R", BF_STORE_DOUBLE, 2, (int64_t[]){C, d}, by, error));
  return column(store, "/flow/readout_gradient/b", C, by + C * d, error);
}

BfStatus bf_flow_write(const BfProblem *problem, const BfFlowOptions *o, const BfFlowValue *value,
                       const BfFlowAnswer *answer, const BfPontryagin *pontryagin, const BfFlowLayers *layers,
                       BfStore *store, BfError *error) {
  const char   *path = "/flow";
  const int64_t T = problem->horizon, q = problem->layer.free,
                table[] = {T + 1, problem->train.tokens, problem->layer.dim};
  double  *depth        = NULL;
  BfStatus status;
  BF_TRY(bf_store_put_double(store, path, "cost", value->cost, error));
  BF_TRY(bf_store_put_double(store, path, "loss", value->loss, error));
  BF_TRY(bf_store_put_double(store, path, "accuracy", value->accuracy, error));
  BF_TRY(bf_store_put_text(store, path, "scheme", o->scheme->name, error));
  BF_TRY(bf_store_put_int(store, path, "steps", o->steps, error));
  BF_TRY(bf_store_put_double(store, path, "tolerance", o->tolerance, error));
  BF_GOTO(bf_store_together(store, BF_NEW(&depth, T + 1, error), error));
  for (int64_t t = 0; t <= T; t++) depth[t] = (double)t * problem->layer.step;
  status = column(store, "/flow/depth", T + 1, depth, error);
done:
  bf_free(depth);
  BF_TRY(status);
  BF_TRY(bf_store_write(store, "/flow/tokens", BF_STORE_DOUBLE, 3, table, value->tokens, error));
  BF_TRY(bf_store_write(store, "/flow/adjoint", BF_STORE_DOUBLE, 3, table, value->adjoint, error));
  BF_TRY(bf_store_write(store, "/flow/gradient", BF_STORE_DOUBLE, 2, (int64_t[]){T, q}, value->gradient, error));
  if (problem->cost.trained) BF_TRY(write_by_readout(&problem->cost, value->gradient + T * q, store, error));
  BF_TRY(write_rates(problem, value->adjoint, store, error));
  BF_TRY(write_layers(problem, layers, store, error));
  BF_TRY(write_search(answer, store, error));
  BF_TRY(write_best(problem, answer, store, error));
  return write_pontryagin(pontryagin, T, store, error);
}
