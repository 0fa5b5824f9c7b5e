/* /certificate of a result of certify: share/doc/formats.md. */
#pragma once
#include "bellformer/model.h"

typedef struct {
  double   lower, found, gap;
  int      n;
  int32_t *free; /* [n] which number each variable is; owned */
  uint8_t *tree; /* [bytes]; owned */
  int64_t  bytes;
  int32_t *symmetry; /* [rows[0]][rows[1]]; owned */
  int64_t  rows[2];
  int64_t  width;       /* of rounds of tasks, where it bounded them; 0 */
  int      logits;      /* that boxes are halved at, too */
  int32_t *logit;       /* [logits][5]: logit.h; owned */
  double  *logit_range; /* [logits][2] finite, lower and upper; owned */
} BfCertificate;

/* BF_BAD_INPUT where there is none, or it is damaged, or its numbers are none of the problem's (of logits:
 * bf_check_logits). Clear it also after a
 * failure. Collective. */
BfStatus bf_certificate_read(const BfRun *run, const char *path, const BfProblem *problem, const BfModel *model,
                             BfCertificate *out, BfError *error);
void     bf_certificate_clear(BfCertificate *certificate);
