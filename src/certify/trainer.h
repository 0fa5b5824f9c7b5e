/* The trainer `certify`: bounds from below of the training cost over all controls in the box. */
#pragma once
#include "certify/found.h"
#include "certify/ladder.h"
#include "train/info.h"
#include "train/trainer.h"

typedef struct {
  char   *found;
  double  gap, absolute;
  int64_t boxes, width, table;
  bool    symmetry, logits;
} BfCertifySettings;

typedef struct {
  BfCertifySettings set;   /* first: as its options fill it */
  int64_t           hash;  /* of the file of -found; 0: none */
  BfFound           given; /* what the search begins from */
  BfLadder          ladder;
  int64_t          *halved; /* [n] boxes of the kept tree that were halved at each number */
} BfCertifyState;

extern const BfOption bf_certify_options[]; /* into BfCertifySettings */
/* Of rounds of tasks without -width: some for each of a thousand ranks. */
enum { BF_CERTIFY_WIDTH = 4096 };
static inline int64_t bf_certify_width(const BfCertifySettings *set) {
  return set->width ? set->width : set->boxes ? 0 : BF_CERTIFY_WIDTH;
}

/* ---- functions of its row, as train/trainer.h tells them --------------------------------------------------------- */

BfStatus bf_certify_write(const void *state, const BfSession *session, BfStore *store, BfError *error);
void     bf_certify_report(const void *state, const BfSession *session);
BfStatus bf_certify_estimate(void *state, const BfInfo *info, BfError *error);

/* Refuses, where a run begins afresh, files that stand where that of the next function writes its own. Collective. */
BfStatus bf_certify_clear_way(const BfSession *session, BfError *error);
/* Points from a run of solve, where the problem has actions, and of flow -scheme layers from its best and from draws;
 * none where neither can be run. BF_STOPPED where one was told to stop. Collective. */
BfStatus bf_certify_search(BfSession *session, BfFound *out, BfError *error);
/* Removes the files of these runs, which stand until the search of boxes has a checkpoint of its own. Collective. */
void bf_certify_forget(const BfSession *session);

extern const BfTrainer bf_certify_trainer;
