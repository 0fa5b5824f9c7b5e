/* What costs of a context's pooled representation share: r_s, the mean of z under mu_s over all positions, or over the
 * last or the first that is there. */
#pragma once
#include "bellformer/cost.h"

typedef enum { BF_POOL_MEAN, BF_POOL_LAST, BF_POOL_FIRST } BfPooling;

typedef struct {
  BfPooling pooling;
} BfPooled; /* the settings of such a cost */

#define BF_POOLING_KEY                                                                                                 \
  { "cost.pooling", "word", "mean", "the representation: `mean` of all tokens, or the `last` or `first` position" }

/* Members of a BfCostKind. One label a sequence is what `check` wants. */
BfStatus bf_pooled_read(BfCost *cost, const BfKeyReader *keys, const BfCostData *data, BfError *error);
BfStatus bf_pooled_check(const BfCost *cost, const BfContext *context, int *tag, BfError *error);
BfStatus bf_pooled_describe(const BfCost *cost, const BfDescription *to, BfError *error);
void     bf_pooled_represent(const BfCost *cost, const BfContext *context, const double *z, double *r);
double   bf_pooled_correct(const BfCost *cost, int64_t readout, const BfContext *context, const double *z);
/* Features are the differences of logits from that of the label. */
int  bf_pooled_features(const BfCost *cost, const BfContext *context);
void bf_pooled_bound(const BfCostBound *call, const BfAffine *z, BfAffine *feature);
void bf_pooled_reads(const BfCost *cost, const BfContext *context, char slot[]);

/* From the derivative by r [dim][BF_LANES] to that by the tokens that r is the mean of. */
void bf_pooled_spread(const BfCost *cost, const BfContext *context, const double *by_r, double *gradient);

/* What a BfCostKind NAME of these has in common; its `evaluate`, `adjoint`, `formula`, `support` and
 * `upper` follow. */
#define BF_POOLED_KIND(NAME)                                                                                           \
  .base    = {.name = NAME, .keys = (const BfKey[]){BF_POOLING_KEY, BF_READOUT_KEYS, {.name = NULL}}},                 \
  .version = BF_KIND_VERSION, .has_readout = true, .nonnegative = true, .average = BF_AVERAGE_CONTEXTS,                \
  .own = sizeof(BfPooled), .read = bf_pooled_read, .check = bf_pooled_check, .describe = bf_pooled_describe,           \
  .represent = bf_pooled_represent, .correct = bf_pooled_correct, .features = bf_pooled_features,                      \
  .bound = bf_pooled_bound, .reads = bf_pooled_reads

/* The derivative of one representation's loss by r [dim], times a weight: out [dim]. */
typedef BfStatus BfDerivative(const BfCost *cost, int64_t readout, const double r[], int label, double weight,
                              double out[], BfError *error);
/* `adjoint` of a BfCostKind, given that. */
BfStatus bf_pooled_adjoint(const BfCost *cost, int64_t readout, const BfContext *context, const double z[], double p[],
                           BfDerivative *derivative, BfError *error);
