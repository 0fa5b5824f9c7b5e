/* What the kernels of a layer are given and which of them a process runs. Pure.
 *
 * Everything is evaluated for BF_LANES independent cases at once ("lanes": many controls on one law, or many laws
 * under one control), stored with the lane as the last, contiguous index. All lanes run the same instructions in the
 * same order, so that a result never depends on the lane that computed it, nor on how many lanes are in use. */
#pragma once
#include "bellformer/error.h"

BF_API_BEGIN

#define BF_LANES 8
#define BF_MOST_REPEATED                                                                                               \
  64                   /* so many equal atoms are added up one by one, as if each stood in a slot; more as a product */
#define BF_MOST_DIM 64 /* d; arrays of this length, indexed by constants, stay in registers where d is small */

/* The law of one context mu_s: atoms in slots, the slots of one tag together, tags in the order of (position, label).
 * Of a context that bf_context_create (problem.h) made, first, position and mass are owned, and bf_context_clear frees
 * them; label and target are the data's in every context, which must outlive it. A copy, or a context that is put
 * together by hand, owns nothing and is not cleared. */
typedef struct {
  int64_t       sequence;
  int           tags;     /* G_s */
  int           slots;    /* atoms of all tags together */
  int           length;   /* L_s: largest position + 1 */
  const int    *first;    /* [tags + 1]: the slots of tag g are first[g] .. first[g+1]-1 */
  const int    *position; /* [tags] */
  const double *mass;     /* [tags] of one atom of the tag, in data tokens: (tokens of the tag) / (its atoms) */
  double        tokens;   /* N_s: data tokens of the context, the sum of mass over slots */
  const int    *label;    /* [tags], or NULL where the data has targets */
  const double *target;   /* [tags][dim], or NULL where the data has labels */
  const int    *times; /* [slots] how many equal atoms a slot stands for, at least 1; NULL: one each. To a layer alone:
                          of the contexts that costs are given it is NULL */
  int from, to;        /* the slots from .. to-1 whose images a layer is asked for; to = 0: all. The same bits of these,
                          and of others none are written. To bf_layer_apply and what it is known by alone */
} BfContext;

/* The slots that a layer is asked for: from bf_asked_from to before bf_asked_to. */
static inline int bf_asked_from(const BfContext *context) { return context->to ? context->from : 0; }
static inline int bf_asked_to(const BfContext *context) { return context->to ? context->to : context->slots; }

/* What is known of a layer on a context, because many controls share parts: what a head's attention gives before V is
 * of its A alone, the hidden layer of W1 and b1 alone. Borrowed arrays. */
typedef struct {
  const double *const *mean;   /* [heads]: [asked][dim][BF_LANES] as bf_layer_means gives it; NULL: by the head's A */
  const double        *hidden; /* [asked][width][BF_LANES] as bf_layer_hidden gives it; NULL: by W1 and b1 */
} BfKnownParts;

typedef enum { BF_MASK_FULL, BF_MASK_CAUSAL } BfMask;

/* What the lanes of a block are: lane l of row i is token i of the l-th of eight sequences of one shape (rows =
 * tokens); or token 8 i + l of one long sequence (rows = tokens / 8, rounded up; beyond them padding). */
typedef enum { BF_LANES_OF_SEQUENCES, BF_LANES_OF_TOKENS } BfLayout;

/* Tokens in rows of BF_LANES, for bf_velocity. Borrowed arrays. */
typedef struct {
  int        rows;
  int        tokens; /* of a sequence: each lane sees so many */
  BfLayout   layout;
  const int *position; /* [rows][BF_LANES], not decreasing along a sequence */
} BfBlock;

/* Where transposed Jacobian products with a cotangent lambda go, for f of z and the parameters. Borrowed arrays. */
typedef struct {
  double *by_z;          /* = (df/dz)^T lambda, as z */
  double *by_parameters; /* += (df/dparameters)^T lambda */
} BfTransposed;

/* ---- sigma of the feed-forward part ------------------------------------------------------------------------------ */

typedef struct BfActivation BfActivation;

/* The sigma that is named `tanh`, `relu` or `gelu` (x Phi(x), exact); NULL for any other name. */
const BfActivation *bf_activation(const char *name);
const char         *bf_activation_name(const BfActivation *activation);

/* ---- instruction sets -------------------------------------------------------------------------------------------- */

typedef struct BfKernels BfKernels; /* the functions that are compiled once for each instruction set */

/* The kernels of the widest instruction set that this program holds and this machine runs, or those that the
 * environment variable BELLFORMER_ISA names; refused (BF_BAD_INPUT) where that is unknown, or the machine lacks the
 * instructions. */
BfStatus bf_kernels_choose(const BfKernels **out, BfError *error);
/* "generic" everywhere; on x86-64 also "avx2" and "avx512". */
const char *bf_kernels_name(const BfKernels *kernels);

BF_API_END
