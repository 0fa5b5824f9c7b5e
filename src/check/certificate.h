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
  int      table;       /* the layer before which there are cells with planes; 0: none */
  int      early, axes; /* free numbers of the layers before it; axes of the cells */
  int32_t *axis;        /* [axes][3]: axes.h; owned */
  double  *axis_range;  /* [axes][2] finite, lower and upper; owned */
  uint8_t *cells;       /* [cells_bytes]: table.h; owned */
  int64_t  cells_bytes;
} BfCertificate;

/* BF_BAD_INPUT where there is none, or it is damaged, or its numbers are none of the problem's (of logits:
 * bf_check_logits, of axes bf_check_axes). Clear it also after a failure. Collective. */
BfStatus bf_certificate_read(const BfRun *run, const char *path, const BfProblem *problem, const BfModel *model,
                             BfCertificate *out, BfError *error);
void     bf_certificate_clear(BfCertificate *certificate);
