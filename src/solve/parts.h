/* Parts that actions share. What a head's attention gives before V depends on its A alone, the hidden layer on W1 and
 * b1 alone: each distinct one is evaluated once for all actions of a range that have it. The same bits as without. */
#pragma once
#include "solve/transition.h"

enum { BF_PARTS_BYTES = 1 << 25 }; /* that are enough for what is kept of a part */

typedef struct {
  int      head;        /* whose A; -1: W1 and b1 */
  int      at, entries; /* where it stands in the parameters */
  int      each;        /* numbers that it gives at a slot */
  int64_t  count;       /* distinct ones among all actions */
  int64_t  room;        /* so many at most are kept */
  int32_t *of;          /* [K] which of them an action has; owned, as all below */
  /* Of the range of actions at hand: */
  int32_t *place;          /* [count] where each is kept; -1: not */
  int32_t *kept;           /* [room] which are */
  int64_t  used;           /* how many; 0: too many for it to pay */
  double  *entry;          /* [room / 8][entries][BF_LANES] */
  double  *value;          /* [room / 8][asked][each][BF_LANES] what they give on the context at hand */
  double  *gathered;       /* [asked][each][BF_LANES] for a block of actions */
  int32_t  lane[BF_LANES]; /* whose; -1: nothing is there */
} BfActionPart;

typedef struct {
  const BfProblem          *problem;
  const BfActionParameters *actions;
  int                       count; /* of parts that enough actions share; 0: every action is evaluated by itself */
  BfActionPart             *part;
  const double            **mean;          /* [heads] */
  int64_t                   from, to, end; /* the range at hand: it was asked for to `to` and has been cut at `end` */
} BfActionParts;

/* Finds what actions share, by the bits of its numbers, where at most every second block of actions would be left. Work
 * of K, whose bulk is a hash of their numbers. bytes: of what is kept of a part, one block of distinct ones at least.
 * `actions` is borrowed. Clear it also after a failure. */
BfStatus bf_action_parts_create(const BfProblem *problem, const BfActionParameters *actions, int64_t bytes,
                                BfActionParts *all, BfError *error);
void     bf_action_parts_clear(BfActionParts *all);

/* How far from action `from`, a multiple of BF_LANES, to `to` what is shared can be kept: the end of the range at hand.
 */
int64_t bf_action_parts_range(BfActionParts *all, int64_t from, int64_t to);
/* Evaluates what the range's actions share on a law, scratch->z as bf_scratch_load fills it. */
void bf_action_parts_evaluate(BfActionParts *all, const BfContext *law, BfScratch *scratch);
/* bf_layer_apply for the block of actions that begins with k, of the range at hand, behind bf_action_parts_evaluate. */
void bf_action_parts_apply(BfActionParts *all, int64_t k, const BfContext *law, BfScratch *scratch);
