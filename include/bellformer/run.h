/* What every command shares: ranks and nodes, memory that a node shares, agreement on errors, clock, progress. */
#pragma once
#include "bellformer/error.h"
#include <mpi.h>
#include <stdbool.h>

typedef struct BfRun {
  MPI_Comm         world;      /* a duplicate of the communicator it was made from; owned */
  MPI_Comm         node;       /* the ranks that share memory with this one; owned */
  MPI_Comm         leaders;    /* rank 0 of every node, in the order of nodes; MPI_COMM_NULL on other ranks; owned */
  int              rank, size; /* in world */
  int              node_rank, node_size;
  int              nodes, node_index;
  int              worker;     /* this rank's number when ranks are counted node by node; 0 .. size-1 */
  int              node_first; /* worker number of the node's rank 0 */
  bool             quiet;      /* print no progress and no report */
  struct BfPhases *phases;
} BfRun;

/* node_size R > 0 treats every R successive ranks (of one machine) as a node; 0 takes the machine's nodes. Collective.
 */
BfStatus bf_run_create(MPI_Comm comm, int node_size, BfRun **out, BfError *error);
void     bf_run_destroy(BfRun **run);

/* Make all ranks agree on a failure that perhaps only some have seen: every rank gets the error of the lowest failing
 * rank, or BF_OK if none failed. Collective on comm. Call it where ranks can fail apart, before the next collective. */
BfStatus bf_agree(MPI_Comm comm, BfError *error);

/* sum[i] of values[rows][n] over the rows of all ranks: the same bits however rows are dealt to ranks, and in whatever
 * order. Terms are added as whole multiples of about 2^-100 of the largest; infinite where one is not finite.
 * Collective. */
BfStatus bf_exact_sum(MPI_Comm comm, int64_t rows, int64_t n, const double *values, double *sum, BfError *error);
/* data[n] of all ranks added up in place, where each entry is +0 on all ranks but one. Collective. */
void bf_sum_disjoint(MPI_Comm comm, int64_t n, double *data);

/* printf on rank 0's standard output, unless quiet. Not collective. */
void bf_print(const BfRun *run, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* "bellformer: warning: ..." on rank 0's standard error, also when quiet. */
void bf_warn(const BfRun *run, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Seconds since some fixed moment. */
double bf_seconds(void);

/* Watch for USR1, TERM and INT: each asks the run to stop; a second TERM or INT ends the process at once. Not
 * collective. */
void bf_signals_watch(void);
bool bf_signals_asked(void);

/* ---- memory shared by a node ------------------------------------------------------------------------------------ */

typedef struct {
  void   *base; /* 64-byte aligned, the same memory on every rank of the node; contents undefined at first */
  MPI_Win window;
  int64_t bytes;
} BfShared;

/* Collective on run->node; all ranks of the node pass the same size. A size that does not fit in the node's memory, or
 * not in its shared memory, is BF_BAD_INPUT and names what was wanted: what ("value function") goes into the message.
 */
BfStatus bf_shared_create(const BfRun *run, int64_t bytes, const char *what, BfShared *out, BfError *error);
void     bf_shared_destroy(BfShared *shared); /* collective on the node; safe on a zeroed struct */
/* Make what the node's ranks wrote visible to all of them: a barrier on the node with memory fences. Collective. */
void bf_shared_sync(const BfRun *run, const BfShared *shared);

/* Bytes of memory that are free now on this rank's node (MemAvailable). */
int64_t bf_node_memory_free(void);
/* The least of that over all ranks: what decisions that all must take alike are based on. Collective. */
int64_t bf_least_memory_free(MPI_Comm comm);
/* Ranks that share a node's memory, the most of any node. Collective. */
int bf_most_node_ranks(MPI_Comm comm);
/* Bytes free on the file system of the folder that holds `path`; INT64_MAX where that cannot be told. */
int64_t bf_disk_free(const char *path);
/* Peak resident memory of this rank, bytes. */
int64_t bf_peak_memory(void);

/* ---- where the time goes ---------------------------------------------------------------------------------------- */

typedef enum {
  BF_PHASE_READ,
  BF_PHASE_TABLES,
  BF_PHASE_EXPAND,
  BF_PHASE_MERGE,
  BF_PHASE_SWEEP,
  BF_PHASE_REDUCE,
  BF_PHASE_FLOW,
  BF_PHASE_ROLLOUT,
  BF_PHASE_WRITE,
  BF_PHASE_CHECKPOINT,
  BF_PHASES
} BfPhase;

/* Add the time from begin to end to a phase of this rank; a phase begun inside another counts for both. */
void   bf_phase_begin(BfRun *run, BfPhase phase);
void   bf_phase_end(BfRun *run, BfPhase phase);
void   bf_count_values(BfRun *run, double q_values); /* Q-values this rank computed */
void   bf_count_sent(BfRun *run, double bytes);      /* bytes this rank sent to other ranks */
double bf_total_values(const BfRun *run);            /* sum over ranks so far, earlier starts included; collective */
double bf_total_seconds(const BfRun *run);           /* wall time so far, earlier starts included */
/* Earlier starts of the same run, from a checkpoint: what they took. */
void bf_count_earlier(BfRun *run, double seconds, double q_values, int starts);
int  bf_starts(const BfRun *run); /* this one included */
/* The table at the end: seconds by phase (min / mean / max over ranks), Q-values a second, bytes sent, peak memory.
 * Collective; printed by rank 0 unless quiet. */
void bf_report(const BfRun *run);

/* ---- progress within a layer ------------------------------------------------------------------------------------ */

typedef struct {
  double started, last; /* seconds */
  char   what[64];
} BfProgress;

/* Start the line "what"; then, as often as you like on every rank, tell which fraction is done and how many Q-values
 * this rank has computed since the start (the rate printed is that times the number of ranks): rank 0 prints at most
 * one line every 3 seconds: done, rate, time left. Not collective. */
void bf_progress_start(BfProgress *progress, const char *format, ...) __attribute__((format(printf, 2, 3)));
void bf_progress(const BfRun *run, BfProgress *progress, double fraction, double values);
