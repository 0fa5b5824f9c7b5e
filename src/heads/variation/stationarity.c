/* How far a law is from stationary. */
#include "heads/share.h"
#include "heads/variation/variation.h"
#include <math.h>
#include <string.h>

enum { HEADS = 256 }; /* of the law that a search starts from, at equal distances */

BfStatus bf_heads_mean(const BfHeads *x, const BfHeadLaw *law, const double *values, double *mean, BfError *error) {
  const int64_t each = (int64_t)x->blocks_a_chunk * BF_LANES, chunks = (law->count + each - 1) / each,
                count = x->sequence_part ? 0 : chunks;
  double  *rows       = NULL;
  BfStatus status;
  BF_GOTO(bf_together(x->run->world, BF_NEW(&rows, count * law->layers, error), error));
  for (int64_t c = 0; c < count; c++)
    for (int t = 0; t < law->layers; t++)
      for (int64_t h = c * each; h < law->count && h < (c + 1) * each; h++)
        rows[c * law->layers + t] += law->weight[t * law->count + h] * values[t * law->count + h];
  BF_GOTO(bf_exact_sum(x->run->world, count, law->layers, rows, mean, error));
done:
  bf_free(rows);
  return status;
}

static int64_t starts_of(int64_t heads) { return heads < HEADS ? heads : HEADS; }

double bf_stationarity_heads(int64_t heads) { return bf_variation_heads(starts_of(heads)); }

typedef struct {
  const BfHeadsValue *value;
  const BfHeadLaw    *law;
  int64_t             count;
  double             *heads; /* [T][count][q] to start from */
  bool                boxed;
} From;

/* The layers of this rank; the others' least values and heads stay 0. */
static BfStatus search_layers(const BfHeads *x, const From *from, BfStationarity *out, BfError *error) {
  const int64_t n = x->data->tokens * x->problem->layer.dim, q = from->law->free;
  for (int t = x->run->rank; t < from->law->layers; t += x->run->size) {
    const BfVariation variation = {x, from->value->tokens + t * n, from->value->adjoint + (t + 1) * n, from->boxed};
    BfVariationLeast  least     = {.theta = out->theta + t * q};
    BF_TRY(bf_variation_search(&variation, from->count, from->heads + t * from->count * q, &least, error));
    out->least[t] = least.value;
  }
  return BF_OK;
}

static BfStatus make(From *from, BfStationarity *out, BfError *error) {
  const BfHeadLaw *law = from->law;
  BF_TRY(BF_NEW(&from->heads, law->layers * from->count * law->free, error));
  BF_TRY(BF_NEW(&out->mean, law->layers, error));
  BF_TRY(BF_NEW(&out->least, law->layers, error));
  return BF_NEW(&out->theta, (int64_t)law->layers * law->free, error);
}

BfStatus bf_stationarity(BfHeads *x, const BfHeadLaw *law, const BfHeadsValue *value, bool boxed, BfStationarity *out,
                         BfError *error) {
  From     from = {value, law, starts_of(law->heads), NULL, boxed};
  BfStatus status;
  *out = (BfStationarity){0};
  BF_GOTO(bf_together(x->run->world, make(&from, out, error), error));
  BF_GOTO(bf_heads_mean(x, law, value->variation, out->mean, error));
  for (int t = 0; t < law->layers; t++) bf_heads_pick(x, law, t, from.count, from.heads + t * from.count * law->free);
  BF_GOTO(bf_together(x->run->world, search_layers(x, &from, out, error), error));
  bf_heads_reduce(x->run->world, law->layers, out->least, MPI_SUM);
  bf_heads_reduce(x->run->world, (int64_t)law->layers * law->free, out->theta, MPI_SUM);
  out->stationarity = -INFINITY;
  for (int t = 0; t < law->layers; t++) {
    const double gap = out->mean[t] - out->least[t];
    if (!(gap > out->stationarity)) continue;
    out->stationarity = gap;
    out->layer        = t;
  }
done:
  bf_free(from.heads);
  return status;
}

void bf_stationarity_clear(BfStationarity *x) {
  bf_free(x->mean);
  bf_free(x->least);
  bf_free(x->theta);
  *x = (BfStationarity){0};
}
