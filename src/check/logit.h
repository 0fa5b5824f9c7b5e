/* Boxes that are halved at logits, too. A logit is one of attention,
 *
 *     delta = beta <A_h^T x_i, x_j - x_i> + log(m_j / m_i),    x = N(z) + e_p before layer t of a context,
 *
 * where m_j keys that query i sees are alike key j, and m_i alike itself. It is a function of the controls, and a
 * variable of boxes beside them: of a box [low, high] that has it are the controls within at which delta is in its
 * interval. */
#pragma once
#include "check/forms.h"

enum { BF_LOGIT_CONTEXT, BF_LOGIT_LAYER, BF_LOGIT_HEAD, BF_LOGIT_QUERY, BF_LOGIT_KEY, BF_LOGIT_WORDS };

struct BfCheckLogits {
  const BfCheckModel *model;
  int                 first, count; /* logit l is variable first + l of a box */
  const int32_t      *name;         /* [count][BF_LOGIT_WORDS]; borrowed */
  double              size;         /* of costs: what slopes of couplings are multiples of */
  int                 slots;        /* of the longest context */
  int                *of;           /* [T][heads][tokens][slots] which logit a key's is; -1: none; owned */
  double             *given;        /* [count] multipliers of couplings; owned */
  bool                has_given;    /* they are to be taken */
  bool                natural;      /* ranges are measured: nothing is a variable, nothing coupled */
  /* Of the box at hand. */
  bool      empty;  /* it is known that no controls are in it */
  bool     *met;    /* [count] whether its form has been made for this box, ever; owned */
  BfSpan   *within; /* [count] all that it is in the box, over which its xi runs; owned */
  double   *radius; /* [count] of its own form as it was last made, where that is coupled; 0: it is not; owned */
  BfLinears space;  /* [count] couplings, forms of what is 0 at all controls of the box; owned memory */
};

/* Of the logits name[count][BF_LOGIT_WORDS], borrowed, behind the `first` variables of boxes that are numbers.
 * BF_BAD_INPUT where one is none of the problem's, its key is not seen or alike its query, or one comes twice. Clear
 * them also after a failure. Local. */
BfStatus bf_check_logits(const BfCheckModel *model, int first, int count, const int32_t *name, BfCheckLogits *out,
                         BfError *error);
void     bf_check_logits_clear(BfCheckLogits *logits);

/* "logit 3 (sequence 0, layer 1, head 0, query 0, key 1)" */
enum { BF_LOGIT_TEXT = 160 };
const char *bf_check_logit_text(const BfCheckLogits *logits, int l, char text[BF_LOGIT_TEXT]);

/* No logit has been made, in a new box or once more in the same. */
void bf_check_logits_again(BfCheckLogits *logits);
/* The range of a logit, given what it is called, once N(z) before its layer are there. */
BfSpan bf_check_range_of_logit(BfCheckForms *forms, const int32_t *name);
/* delta, made, is that of token number `token` as a query before layer t, head h, key j of its context: where it is a
 * logit of the box it becomes that variable, and is coupled with it. */
void bf_check_logit(BfCheckForms *forms, int64_t t, int64_t token, int h, int j, BfLinear *delta);
/* Adds to sum, a form of a bound of the cost from below, multiples of couplings, as seem best at xi: all are right. */
void bf_check_couple(const BfCheckForms *forms, const double xi[], BfLinear *sum);
/* What couples logit l with its own form; at least the largest slope that seems worth trying, 0 where none is. */
const BfLinear *bf_check_coupling(const BfCheckLogits *logits, int l);
double          bf_check_steepest(const BfCheckLogits *logits, int l);
/* All that variable k is in the box: its interval, or what is left of that of a logit. */
BfSpan bf_check_within(const BfCheckForms *forms, int k);
