/* The training data as bounds see them: slots of a context that nothing tells apart are one, of their mass together,
 * and contexts that are permutations of each other are one, several times.
 *
 * Two slots are told apart by z, their row of the encoding, label or target, and whether the cost reads them; by their
 * order too where the mask is causal. Without a causal mask attention is a mean over masses, which sees no order, and
 * images of slots that are alike are alike. What kinds of costs sum or average over, they do by mass. */
#pragma once
#include "bellformer/problem.h"

typedef struct {
  BfContext context; /* owns all its arrays, label and target too */
  double    times;   /* contexts of the problem that it stands for, */
  int64_t   of;      /* the first of which is this one */
  int      *token;   /* [slots] the first of its tokens that a slot stands for */
  double   *z;       /* [slots][dim] */
} BfMerged;

typedef struct {
  int64_t   contexts; /* in the order of the first of each */
  BfMerged *context;
} BfMergedData;

/* Of a problem whose cost tells what it reads. Clear it also after a failure. Local. */
BfStatus bf_merge_data(const BfProblem *problem, BfMergedData *out, BfError *error);
void     bf_merged_clear(BfMergedData *data);
