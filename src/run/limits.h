/* Bounds that large runs meet: what one call of a library may take, and how long a rank that failed waits. In one
 * place, so that the tests can link others (tests/faults/limits.c) and reach with small runs what is beyond them. No
 * number of a result depends on them. */
#pragma once
#include <stdint.h>

typedef struct {
  int64_t reduced;      /* entries of one MPI reduction: MPI counts are int */
  int64_t sent_bytes;   /* of one broadcast: the same */
  int64_t file_bytes;   /* that a rank gives to, or takes from, one collective call of HDF5: MPI-IO counts are int */
  int64_t narrow;       /* measures of one sequence that are numbered in 32 bits; of more a number has two parts */
  int64_t sealed_bytes; /* that a rank reads at once of an array that it checks */
  int64_t batch_bytes;  /* of successors that a rank of the reachable space sends in a round */
  int64_t batch_pairs;  /* (state, action) of a round */
  int64_t tree_bytes;   /* of a certificate's tree that a rank keeps in memory, where there are checkpoints */
  double  piece_terms;  /* exponentials, about, of a piece of work after which a run can stop: about half a second */
  double  patience;     /* seconds that a rank which failed waits for the others, before it ends the run (run.h) */
} BfLimits;

/* Those of a run. */
static const BfLimits bf_limits_of_a_run = {.reduced      = INT64_C(1) << 26,
                                            .sent_bytes   = INT64_C(1) << 30,
                                            .file_bytes   = INT64_C(1) << 30,
                                            .narrow       = INT32_MAX,
                                            .sealed_bytes = INT64_C(1) << 26,
                                            .batch_bytes  = INT64_C(1) << 25,
                                            .batch_pairs  = INT64_C(1) << 20,
                                            .tree_bytes   = INT64_C(1) << 26,
                                            .piece_terms  = 2e8,
                                            .patience     = 30};

const BfLimits *bf_limits(void);
