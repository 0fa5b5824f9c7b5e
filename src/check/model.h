/* What the checker knows of the layers, by formulas of its own: the kinds by the names under which the documentation
 * has their formulas; and which quantities of which tokens are equal whatever the controls are. */
#pragma once
#include "bellformer/problem.h"
#include "check/numbering.h"

typedef enum { BF_CHECK_NONE, BF_CHECK_TANH, BF_CHECK_RELU, BF_CHECK_GELU } BfCheckSigma;
typedef enum { BF_CHECK_PLAIN, BF_CHECK_RMS, BF_CHECK_LAYER } BfCheckNorm;
typedef enum { BF_CHECK_CLIP, BF_CHECK_SPHERE } BfCheckProjection; /* none is clip to +-BF_FARTHEST */
typedef enum { BF_CHECK_POOLED, BF_CHECK_TOKEN, BF_CHECK_SQUARED, BF_CHECK_HINGE } BfCheckCost;

typedef struct {
  const BfProblem  *problem;
  BfContext        *context; /* [contexts] one atom a token; owned */
  int64_t          *first;   /* [contexts + 1] the number of a context's first token; owned */
  int64_t           tokens;
  BfCheckSigma      sigma;
  BfCheckNorm       norm;
  BfCheckProjection projection;
  BfCheckCost       cost;
  int               attention, feedforward, linear; /* the first of its matrices in the layer; -1: none */
  /* [T + 1][tokens][d] numbers of the components before every layer, and behind the last: equal ones are equal. */
  int64_t *same;
  /* [T + 1][tokens] the first token all of whose components are the same. */
  int64_t *like;
} BfCheckModel;

/* BF_BAD_INPUT where a kind has no formula here: "no enclosure of cost.terminal wasserstein". Clear it also after a
 * failure. Local. */
BfStatus bf_check_model(const BfProblem *problem, BfCheckModel *out, BfError *error);
void     bf_check_model_clear(BfCheckModel *model);

/* Whether token j of a context's keys is seen by token i; both counted within the context. */
bool bf_check_sees(const BfLayer *layer, const BfContext *context, int i, int j);
/* The tag of a token of a context. */
int bf_check_tag(const BfContext *context, int i);
/* e_p of a token, component a; 0 without an encoding. */
double bf_check_encoding(const BfLayer *layer, const BfContext *context, int i, int a);

/* Token i of context s. */
typedef struct {
  int64_t s;
  int     i;
} BfCheckToken;

/* Whether component a of N(z) before layer t is the same for two tokens, by their numbers among all, whatever the
 * controls; and whether all of N(z) and the encoding are. */
bool bf_check_is_same(const BfCheckModel *model, int64_t t, int64_t token, int64_t other, int a);
bool bf_check_is_one_key(const BfCheckModel *model, int64_t t, BfCheckToken x, BfCheckToken y);

/* Fills same and like. */
BfStatus bf_check_same(BfCheckModel *model, BfError *error);
