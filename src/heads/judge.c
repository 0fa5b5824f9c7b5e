/* Kernel, log-sum-exp test, stationarity and certificate of a descent that has ended. */
#include "heads/judge.h"
#include "heads/share.h"
#include "run/largest.h"
#include <float.h>
#include <math.h>
#include <string.h>

double bf_promised_rate(const BfDescent *x, double smallest) {
  const BfCost *cost = &x->problem->cost;
  if (!cost->kind->square || cost->weight_decay != 0 || x->set->insert || x->set->box) return NAN;
  return 4 * smallest / (double)x->problem->train.tokens;
}

BfStatus bf_judge_check(const BfProblem *problem, const BfHeadsSettings *set, BfError *error) {
  if (problem->heads.room != set->insert)
    return bf_fail(error, BF_BAD_INPUT, "heads.room must be the rounds of -insert, which gives it: %lld, got %lld",
                   (long long)set->insert, (long long)problem->heads.room);
  if (set->certify) BF_TRY(bf_certify_check_risk(problem, error));
  return BF_OK;
}

/* ---- a law ------------------------------------------------------------------------------------------------------- */

static BfStatus test_layers(const BfDescent *x, const double *tokens, double *lse, BfError *error) {
  const BfProblem *problem = x->problem;
  const int64_t    n       = problem->train.tokens * problem->layer.dim;
  for (int t = x->run->rank; t <= problem->horizon; t += x->run->size)
    BF_TRY(bf_log_sum_exp_test(problem, &problem->train, tokens + t * n, &lse[t], error));
  return BF_OK;
}

static BfStatus judge_law(BfDescent *x, const BfHeadLaw *law, const BfHeadsValue *value, BfJudgedLaw *out,
                          BfError *error) {
  const int T = x->problem->horizon;
  BF_TRY(bf_stationarity(x->heads, law, value, x->set->box, &out->stationary, error));
  if (!x->set->lse) return BF_OK;
  BF_TRY(bf_together(x->run->world, BF_NEW(&out->lse, T + 1, error), error));
  BF_TRY(bf_together(x->run->world, test_layers(x, value->tokens, out->lse, error), error));
  bf_heads_reduce(x->run->world, T + 1, out->lse, MPI_SUM);
  return BF_OK;
}

/* Arrays of an evaluation beside the descent's. */
static BfStatus make_value(const BfDescent *x, BfHeadsValue *value, BfError *error) {
  const int64_t table = (x->problem->horizon + 1) * x->problem->train.tokens * x->problem->layer.dim;
  BF_TRY(BF_NEW(&value->variation, x->law.layers * x->law.count, error));
  BF_TRY(BF_NEW(&value->tokens, table, error));
  return BF_NEW(&value->adjoint, table, error);
}

static BfStatus judge_first(BfDescent *x, BfJudgement *out, BfError *error) {
  BfHeadsValue value = {0};
  BfHeadLaw    law   = x->law;
  BfStatus     status;
  law.theta  = x->initial;
  law.weight = x->initial_weight;
  BF_GOTO(bf_together(x->run->world, make_value(x, &value, error), error));
  BF_GOTO(bf_heads_evaluate(x->heads, &law, &value, error));
  status = judge_law(x, &law, &value, &out->first, error);
done:
  bf_free(value.variation);
  bf_free(value.tokens);
  bf_free(value.adjoint);
  return status;
}

/* ---- the certificate --------------------------------------------------------------------------------------------- */

enum { HEADS = 64 }; /* of the law, that help to choose the scale */

static BfStatus certify_risk(BfDescent *x, BfCertificate *out, BfError *error) {
  const int64_t count = x->law.heads < HEADS ? x->law.heads : HEADS;
  double       *heads = NULL;
  BF_TRY(bf_together(x->run->world, BF_NEW(&heads, count * x->law.free, error), error));
  bf_heads_pick(x->heads, &x->law, 0, count, heads);
  const BfStatus status = bf_certify_risk(x->heads, &x->value, count, heads, x->set->certify, &x->open, out, error);
  bf_free(heads);
  return status;
}

/* Layers whose search has ended are known from x->lower, also behind a restart. */
static BfStatus certify_layers(BfDescent *x, BfJudgement *out, BfError *error) {
  const int64_t n = x->problem->train.tokens * x->problem->layer.dim;
  while (x->lowers < x->law.layers) {
    BfLeastBound  least = {0};
    const int64_t t     = x->lowers;
    BF_TRY(bf_certify_least(x->heads, x->value.tokens + t * n, x->value.adjoint + (t + 1) * n, x->set->certify,
                            &x->open, &least, error));
    x->lower[x->lowers++] = least.lower;
    bf_open_cells_clear(&x->open);
  }
  out->certified = -INFINITY;
  for (int t = 0; t < x->law.layers; t++)
    out->certified = bf_larger(out->certified, out->last.stationary.mean[t] - x->lower[t]);
  return BF_OK;
}

/* Where the rank is not known (beyond BF_TANGENT_MOST outputs), as far as can be told. */
static bool has_full_rank(const BfTangent *kernel) {
  if (kernel->rank >= 0) return kernel->rank == kernel->outputs;
  return kernel->smallest > (double)kernel->outputs * DBL_EPSILON * kernel->largest;
}

/* ---- all --------------------------------------------------------------------------------------------------------- */

static BfStatus judge(BfDescent *x, BfJudgement *out, BfError *error) {
  BF_TRY(judge_law(x, &x->law, &x->value, &out->last, error));
  BF_TRY(judge_first(x, out, error));
  /* Of a kernel without full rank the least eigenvalue is 0 but for rounding, and promises nothing. */
  const bool full = x->set->kernel && has_full_rank(&x->first_kernel);
  out->promise    = full ? bf_promised_rate(x, x->first_kernel.smallest) : NAN;
  if (!x->set->certify) return BF_OK;
  return x->law.layers == 1 ? certify_risk(x, &out->certificate, error) : certify_layers(x, out, error);
}

static BfStatus pause_of(void *descent, BfError *error) { return bf_descent_pause(descent, error); }

BfStatus bf_judge(BfDescent *x, BfJudgement *out, BfError *error) {
  bf_heads_set_pause(x->heads, (BfHeadsPause){pause_of, x});
  const BfStatus status = judge(x, out, error);
  bf_heads_set_pause(x->heads, (BfHeadsPause){NULL, NULL});
  return status;
}

static void clear_law(BfJudgedLaw *x) {
  bf_stationarity_clear(&x->stationary);
  bf_free(x->lse);
}

void bf_judgement_clear(BfJudgement *x) {
  clear_law(&x->first);
  clear_law(&x->last);
  *x = (BfJudgement){0};
}
