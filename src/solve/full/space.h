/* The full space: every measure has an index, mixed-radix over the tags. */
#pragma once
#include "bellformer/problem.h"

/* One context: its measures are numbered j = 0 .. M_s - 1, first tag slowest. */
typedef struct {
  int64_t  measures; /* M_s */
  int64_t  stride;   /* of j in the index of the measure */
  int64_t *radix;    /* [tags] number of types of each tag; owned */
  int      shape;    /* contexts of one shape (same positions, atoms and masses; labels do not matter) share a table */
} BfContextSpace;

typedef struct {
  const BfProblem *problem;
  int64_t          contexts; /* S */
  BfContextSpace  *context;  /* [S]; owned */
  int64_t          measures; /* M */
  int              shapes;
  int64_t         *shape; /* [shapes] a context of that shape; owned */
  int              most;  /* largest number of atoms of a tag */
  BfTypes        **types; /* [most + 1] by number of atoms, NULL where no tag has that many; owned */
  int              slots; /* largest number of slots of a context */
} BfFullSpace;

/* Refuses (BF_BAD_INPUT) tokens that are not quantized, an M beyond 2^62, an M_s beyond 2^31 - 1 of several
 * contexts, or of one alone beyond that of its last tag or of its tags before that. */
BfStatus bf_full_space_create(const BfProblem *problem, BfFullSpace *space, BfError *error);
void     bf_full_space_clear(BfFullSpace *space);

/* Cells of the atoms of measure j of context s, slot by slot, and back (cells non-decreasing within a tag). */
void    bf_full_unrank(const BfFullSpace *space, int64_t s, int64_t j, int64_t cell[]);
int64_t bf_full_rank(const BfFullSpace *space, int64_t s, const int64_t cell[]);
/* The digit j of context s in a measure's index. */
static inline int64_t bf_full_digit(const BfFullSpace *space, int64_t s, int64_t i) {
  return i / space->context[s].stride % space->context[s].measures;
}
/* Work of a Q-value in a sweep, in terms (solve.h). */
double bf_full_sweep_terms(const BfProblem *problem);
/* The index of the quantized law of data that have the tags of the problem's: of its own, the initial law. */
BfStatus bf_full_initial(const BfFullSpace *space, const BfData *data, int64_t *index, BfError *error);
