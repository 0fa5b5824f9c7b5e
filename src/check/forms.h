/* Every token of every context as forms over a box of controls, layer by layer. */
#pragma once
#include "check/linear.h"
#include "check/model.h"

/* The free numbers of all layers, t q + j, then T q + i of a trained readout. Borrowed arrays. */
typedef struct {
  int64_t        count;
  const int32_t *number;        /* [n] which of them each variable of the box is; -1: none */
  const int     *variable;      /* [count] the other way round; -1: none */
  const double  *lower, *upper; /* [count] all that it may be: of numbers that are no variables */
  const double  *point;         /* [count] NULL, or what each of them is */
} BfCheckNumbers;

typedef struct BfCheckLogits BfCheckLogits; /* logit.h */
typedef struct BfCheckAxes   BfCheckAxes;   /* axes.h */

typedef struct {
  const BfCheckModel *model;
  BfCheckNumbers      numbers;
  BfCheckLogits      *logits;     /* that boxes are halved at, too; borrowed; NULL: none */
  int64_t             from, to;   /* the layers: from .. to - 1, at first all. Decay is that of their controls */
  BfCheckAxes        *axes;       /* of the tokens before layer `from`, variables of the box; borrowed; NULL: data */
  const double       *low, *high; /* [n] the box; behind free numbers, logits */
  BfLinears           tokens[2];  /* those of a layer, and of the next */
  BfLinears           scratch;
  double             *memory;
  BfLinear          **z, **next, **seen; /* [tokens d]; seen: N(z). Equal tokens share theirs */
  BfLinear          **parameter;         /* [layer's] of the layer at hand, or [C d + C] of the readout */
  int                *group, *many;      /* [tokens] of a query's keys: the first of a kind, and how many */
  BfLinear          **list;              /* [most forms] */
  double             *room;              /* of shares (share.h) */
  double             *number;            /* [classes or d] room for a context's features */
  double              trust_means;       /* in forms of means; in others: scratch.trust (linear.h) */
  bool                by_query;          /* means are the query's token and shares of differences from it: sharper in
                                            wide boxes, where products know ranges; any is right, at first false */
} BfCheckForms;

/* Room for n variables; numbers is borrowed. Clear it also after a failure. Local. */
BfStatus bf_check_forms(const BfCheckModel *model, const BfCheckNumbers *numbers, int n, BfCheckForms *out,
                        BfError *error);
void     bf_check_forms_clear(BfCheckForms *forms);

/* Another box [n]; borrowed. */
void bf_check_box(BfCheckForms *forms, const double low[], const double high[]);

/* How forms and ranges are chosen from now on, way 0 .. BF_CHECK_WAYS - 1: none is always the best. At first 0. */
enum { BF_CHECK_WAYS = 4 };
void bf_check_way(BfCheckForms *forms, int way);

/* The tokens behind the last layer into z, for low and high (or the point). Wants the processor to round upwards, as
 * all below. */
void bf_check_tokens(BfCheckForms *forms);

/* All that the logits are at the free numbers of the box (or at the point) into range[], whatever the box has them be:
 * what all ways say. */
void bf_check_logit_ranges(BfCheckForms *forms, BfSpan range[]);

/* Free number i, times a factor. */
void bf_check_number(BfCheckForms *forms, int64_t i, double factor, BfLinear *out);
/* z += x y; work is given back. */
void bf_check_add_product(BfCheckForms *forms, BfLinear *z, const BfLinear *x, const BfLinear *y);
/* A form in scratch that is 0. */
BfLinear *bf_check_zero(BfCheckForms *forms);

/* The mean that token i of context s sees in head h, forms mean[d]; groups of equal keys in group and many. */
void bf_check_attend(BfCheckForms *forms, int64_t t, int64_t s, int i, int h, BfLinear *mean[]);
/* N(z) of one token, and P(y) in place. */
void bf_check_norm(BfCheckForms *forms, BfLinear *const z[], BfLinear *seen[]);
void bf_check_project(BfCheckForms *forms, BfLinear *y[]);
