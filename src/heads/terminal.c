/* The terminal cost of this rank's sequences, summed exactly, and its gradient. */
#include "heads/share.h"
#include <math.h>

/* A sequence into lane 0 of x->longest. */
static double *load(BfHeads *x, int64_t s) {
  const int     d = x->problem->layer.dim, T = x->problem->horizon;
  const double *z = x->z + (T * x->tokens + bf_heads_token(x, s) - x->first_token) * d;
  for (int64_t i = 0; i < (int64_t)bf_heads_tokens(x, s) * d; i++) x->longest[i * BF_LANES] = z[i];
  return x->longest;
}

/* Per sequence g, and how much of it is classified rightly: sums [2 readouts]. */
static BfStatus evaluate(BfHeads *x, double *rows, BfError *error) {
  const int64_t readouts = x->cost.readouts;
  for (int64_t s = x->first_context; s < x->end_context; s++) {
    const double *z   = load(x, s);
    double       *row = rows + (s - x->first_context) * 2 * readouts;
    for (int64_t r = 0; r < readouts; r++) {
      double g[BF_LANES];
      BF_TRY(bf_terminal_cost(&x->cost, r, &x->context[s], 1, z, g, error));
      row[r]            = g[0];
      row[readouts + r] = bf_cost_correct(&x->cost, r, &x->context[s], z);
    }
  }
  return BF_OK;
}

static BfStatus differentiate(BfHeads *x, int64_t readout, BfError *error) {
  const int d = x->problem->layer.dim, T = x->problem->horizon;
  double   *by = x->longest + x->most_tokens * d * BF_LANES;
  for (int64_t s = x->first_context; s < x->end_context; s++) {
    double g[BF_LANES], *p = x->p + (T * x->tokens + bf_heads_token(x, s) - x->first_token) * d;
    BF_TRY(bf_terminal_gradient(&x->cost, readout, &x->context[s], 1, load(x, s), g, by, error));
    for (int64_t i = 0; i < (int64_t)bf_heads_tokens(x, s) * d; i++) p[i] = by[i * BF_LANES];
  }
  return BF_OK;
}

typedef struct {
  double *rows; /* [sequences of this rank][2 readouts] */
  double *sum;  /* [2 readouts] */
} Sums;

/* Ranks with other heads and the same sequences have the same rows: those of the first heads count. */
static BfStatus sum_up(BfHeads *x, const Sums *sums, BfHeadsValue *out, BfError *error) {
  const int64_t readouts = x->cost.readouts, local = x->head_part ? 0 : x->end_context - x->first_context;
  BF_TRY(bf_together(x->run->world, evaluate(x, sums->rows, error), error));
  BF_TRY(bf_exact_sum(x->run->world, local, 2 * readouts, sums->rows, sums->sum, error));
  out->readout = 0;
  for (int64_t r = 1; r < readouts; r++)
    if (sums->sum[r] < sums->sum[out->readout]) out->readout = r;
  out->loss     = sums->sum[out->readout];
  out->accuracy = x->cost.kind->correct ? sums->sum[readouts + out->readout] / bf_cost_denominator(&x->cost) : NAN;
  return BF_OK;
}

static BfStatus make(const BfHeads *x, Sums *sums, BfError *error) {
  BF_TRY(BF_NEW(&sums->rows, 2 * x->cost.readouts * (x->end_context - x->first_context), error));
  return BF_NEW(&sums->sum, 2 * x->cost.readouts, error);
}

BfStatus bf_heads_terminal(BfHeads *x, bool gradient, BfHeadsValue *out, BfError *error) {
  Sums     sums = {0};
  BfStatus status;
  BF_GOTO(bf_together(x->run->world, make(x, &sums, error), error));
  BF_GOTO(sum_up(x, &sums, out, error));
  if (gradient) BF_GOTO(bf_together(x->run->world, differentiate(x, out->readout, error), error));
done:
  bf_free(sums.rows);
  bf_free(sums.sum);
  return status;
}
