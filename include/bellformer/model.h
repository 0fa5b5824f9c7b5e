/* A trained model, whichever way it was found: README, The model, and A result file. Commands that train return one;
 * others read it from their results. */
#pragma once
#include "bellformer/estimate.h"
#include "bellformer/problem.h"
#include "bellformer/run.h"
#include "bellformer/store.h"

BF_API_BEGIN

/* What a sequence's tokens are pooled to, and readouts that are not trained, are the problem's: its cost
 * (problem->cost.kind->represent, cost.h), which stands in every result that has the model; bf_predict answers by both.
 */
typedef struct {
  int      layers, free; /* T, q */
  double  *control;      /* [T][q] the free numbers of every layer; owned */
  int64_t  readout;      /* the one that follows the last layer; 0 where there is one */
  double  *numbers;      /* [C d + C] R row by row, then b, where training has moved them; NULL: the problem's; owned */
  int32_t *action;       /* [T] numbers of the controls in the problem's list; NULL where they are not from it; owned */
  double   quantized_cost; /* V_0 at mu_0; NaN where none was computed */
  char     found[16]; /* how: full, reachable (the space of a solve), flow or heads; empty where that is not known */
} BfModel;

/* Room for a model of a problem in a zeroed struct, with numbers of actions or without; clear it also after a failure.
 * Local: it may fail on one rank alone. */
BfStatus bf_model_create(const BfProblem *problem, bool actions, BfModel *model, BfError *error);
void     bf_model_clear(BfModel *model);

/* The problem's cost with the model's readout as its only one, number 0; borrows both. */
BfCost bf_model_cost(const BfProblem *problem, const BfModel *model);

/* Whether its layers were chosen among a problem's actions, by dynamic programming: a result of `solve`. */
bool bf_model_is_solved(const BfModel *model);

/* ---- on data ---------------------------------------------------------------------------------------------------- */

typedef struct {
  double *tokens;        /* [T + 1][N][d] in the order of the table's rows; owned */
  double *sequence_loss; /* [contexts] of each: its part of the sum before it is averaged; owned */
  double  loss;          /* terminal cost; NaN, like all that follows, where the data are unlabelled */
  double  cost;          /* loss + sum of stage costs */
  double  accuracy;      /* NaN where the data has targets */
} BfRollout;

/* The unquantized model on a data set, of which its controls and its readout are wanted; contexts are averaged over
 * those of `data`. Serial; every rank may call it. O(T N^2 exponentials) a context. */
BfStatus bf_rollout(const BfProblem *problem, const BfData *data, const BfModel *model, BfRollout *out, BfError *error);
void     bf_rollout_clear(BfRollout *rollout);
/* The same of a model on each of `count` data sets, those without tokens left out: the run's phase `rollout`.
 * Collective. */
BfStatus bf_model_rollout(BfRun *run, const BfProblem *problem, const BfModel *model, int count,
                          const BfData *const data[], BfRollout *const out[], BfError *error);
/* The work of a layer on data, a lane, in terms (bf_layer_terms). */
double bf_data_terms(const BfLayer *layer, const BfData *data);
/* That of a rollout, in all lanes: eight tokens of a sequence at a time. */
double bf_rollout_terms(const BfProblem *problem, const BfData *data);
/* Its time, measured on the longest sequence. */
BfStatus bf_rollout_estimate(const BfProblem *problem, const BfData *data, double *seconds, BfError *error);

/* What a model answers, from its last tokens: a row a sequence, in increasing order of their numbers, where the cost
 * pools a sequence's tokens; else a row a token, in the order of the table's rows. */
typedef struct {
  int64_t  rows;           /* P */
  int      dim, classes;   /* C; 0 for costs without a readout, whose answer is the representation itself */
  bool     pooled;         /* a row a sequence */
  int64_t *sequence;       /* [P]; owned, like all arrays here */
  int32_t *position;       /* [P], or NULL where pooled */
  int32_t *label;          /* [P] as the data have it, or NULL */
  double  *target;         /* [P][d] as the data have it, or NULL */
  double  *representation; /* [P][d] */
  double  *logits;         /* [P][C], or NULL */
  int32_t *predicted;      /* [P] the label of largest logit, the smallest where several attain it, or NULL */
} BfPrediction;

/* tokens [N][d]: those after the last layer, in the order of the table's rows. Serial; every rank may call it. */
BfStatus bf_predict(const BfProblem *problem, const BfData *data, const BfModel *model, const double tokens[],
                    BfPrediction *out, BfError *error);
void     bf_prediction_clear(BfPrediction *prediction);

typedef struct {
  int     layer, head;
  int64_t sequence; /* a context of the data */
} BfHead;
/* How the n tokens of a sequence look at each other there, in the order of data->row: weight [n][n], a row a query,
 *     weight_ij = exp(beta <s_i, A_h s_j>) / sum over j,   s = N(z) + e_p,
 * 0 where the mask hides j; rows sum to 1. tokens [N][d]: those that the layer sees, in the order of the table's rows,
 * BfRollout's tokens + layer N d. Serial; every rank may call it. */
BfStatus bf_model_attention(const BfProblem *problem, const BfData *data, const BfModel *model, const BfHead *head,
                            const double tokens[], double weight[], BfError *error);

/* ---- in a result ------------------------------------------------------------------------------------------------ */

/* The model into /rollout and /model of a file of its problem; what it does on the problem's data, and on its test data
 * where it has them, into /rollout. Collective. */
BfStatus bf_model_write(const BfProblem *problem, const BfModel *model, BfStore *store, BfError *error);
BfStatus bf_rollout_write(const BfProblem *problem, const BfRollout *train, const BfRollout *test, BfStore *store,
                          BfError *error);
/* The problem and the model of a result, into a zeroed struct; both are the caller's, also after a failure.
 * BF_BAD_INPUT where it is none, is damaged, or of a format that this program does not read. Collective. */
BfStatus bf_model_read(const BfRun *run, const char *path, BfProblem **problem, BfModel *model, BfError *error);

/* The layers alone, without their problem, of a result or of any file that has /rollout/controls [T, q], into a zeroed
 * struct that is to be cleared also after a failure: layers, free, control and found. With the cost of a problem that
 * trains its readout (else NULL) also the numbers of /model/readout where the file has it, as many as that problem's.
 * Numbers may be infinite. Collective. */
BfStatus bf_model_read_controls(const BfRun *run, const char *path, const BfCost *cost, BfModel *model, BfError *error);

BF_API_END
