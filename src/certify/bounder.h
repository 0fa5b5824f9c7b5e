/* Forms of the features over a box, and J at a point from above: the layers over forms, in memory made once. */
#pragma once
#include "certify/depth.h"
#include "certify/lower.h"

typedef struct {
  const BfObjective *of;
  BfFormSpace        space;
  BfAffine          *variable;            /* [n] */
  BfAffine          *parameter;           /* [T][layer->parameters] */
  BfAffine          *matrix, *bias;       /* of the readout */
  int64_t            logits;              /* of->logits.count, or 0 */
  BfLogitRange      *logit;               /* [logits] */
  BfAffine          *apart;               /* [logits] forms of theirs */
  BfLogits          *tell;                /* where those of bf_bounder_tell go; NULL: nowhere */
  BfAffine          *data;                /* [slots of all contexts][dim] before the first layer */
  int64_t            components;          /* of it */
  int64_t           *at;                  /* [contexts] where those of each begin */
  BfAffine          *z, *next;            /* [most slots][dim] */
  BfAffine          *feature, *cost_work; /* [most features of a context] */
  void              *layer_work;
  char              *wanted;        /* [slots of all contexts] by the cost, after the last layer */
  int               *like;          /* [slots of all contexts] which of them are alike */
  double            *lower, *upper; /* [most features of a context] */
} BfBounder;

/* variables: whether forms have the free numbers, else they are of points. Clear it also after a failure. Local. */
BfStatus bf_bounder_create(const BfObjective *of, bool variables, BfBounder *out, BfError *error);
void     bf_bounder_clear(BfBounder *x);
/* Bytes of one. */
double bf_bounder_bytes(const BfObjective *of, bool variables);

/* All logits of all contexts and layers, with what the whole box of free numbers leaves of them as least and most; none
 * where these are more than BF_MOST_TOLD. Clear it also after a failure. */
enum { BF_MOST_TOLD = 16384 };
BfStatus bf_bounder_tell(const BfObjective *of, BfLogits *out, BfError *error);

/* All components of the tokens behind the last layer, [slots of all contexts][dim], over the box. */
void bf_bounder_tokens(BfBounder *x, const double lower[], const double upper[], double least[], double most[]);

/* The features over the box of numbers and logits with readout `root`, into `to`. */
void bf_bounder_box(BfBounder *x, int root, const double lower[], const double upper[], BfLower *to);
/* At least J at a point, number [all], with readout `root`; of a bounder without variables. Infinite where the
 * enclosure says nothing. */
double bf_bounder_value(BfBounder *x, int root, const double number[]);
