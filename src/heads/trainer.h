/* The trainer `heads`. */
#pragma once
#include "heads/judge.h"
#include "train/info.h"
#include "train/trainer.h"

typedef struct {
  BfHeadsSettings         set;  /* first: as its options fill it */
  int64_t                 init; /* a hash of the file -init; 0: there is none */
  struct _n_PetscOptions *database;
  BfHeads                *heads;
  BfDescent               descent;
  BfJudgement             judgement;
} BfHeadsState;

/* ---- functions of its row, as train/trainer.h tells them --------------------------------------------------------- */

BfStatus bf_heads_write_answer(const void *state, const BfSession *session, BfStore *store, BfError *error);
void     bf_heads_report(const void *state, const BfSession *session);
BfStatus bf_heads_tell_estimate(void *state, const BfInfo *info, BfError *error);

/* The law into a model: heads one behind another, each V times its weight. Collective. */
BfStatus bf_heads_export(const BfDescent *descent, BfModel *model, BfError *error);
/* tokens [T + 1][N][d] in the order of the data into a table [T + 1][N][d] in that of its rows. */
void bf_heads_in_rows(const BfData *data, int layers, const double *tokens, double *table);
/* The heads of a result on other data, averaged and without a projection. */
BfStatus bf_heads_apply(BfRun *run, const char *path, const BfProblem *problem, const BfData *data,
                        const BfModel *model, BfApplied *out, BfError *error);
/* The rate at which the risk has decayed over the last interval of the history, -d log R / d tau; NaN where there is
 * none. */
double bf_heads_rate(const BfDescent *descent);

extern const BfTrainer bf_heads_trainer;
