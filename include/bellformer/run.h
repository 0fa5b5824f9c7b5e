/* What every command shares: ranks and nodes, memory that a node shares, agreement on errors, clock, progress. */
#pragma once
#include "bellformer/error.h"
#include "bellformer/options.h"
#include "bellformer/with_mpi.h"
#include <stdbool.h>
#include <stdint.h>

BF_API_BEGIN

/* Whose a run is that is a part of something larger (a point of a study), which speaks, listens and stops for it: it
 * takes part in no signal's line, looks at its owner's STOP file and clock instead of its own, and saves its first
 * checkpoint when it is due, not at its start. The functions are called by single ranks, and call nothing collective.
 */
typedef struct {
  void (*warned)(void *context, const char *text); /* in place of standard error, on the run's rank 0 */
  void (*passing)(void *context);                  /* wherever the run asks whether to stop */
  const char *stop;                                /* the path of the STOP file */
  double      deadline;                            /* bf_seconds() at which all must be over; INFINITY */
  bool        reads_soon;                          /* takes the result at once, and removes it */
  void       *context;
} BfOwner;

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
  bool             silent;     /* with quiet: nor what eval, info and the like answer */
  int64_t          memory;     /* bytes that a node's ranks may take together; 0: what is free */
  const BfOwner   *owner;      /* NULL: it is nobody's; borrowed */
  BfOptions       *options;    /* what it was started with, or NULL; borrowed */
  struct BfPhases *phases;
} BfRun;

/* node_size R > 0 treats every R successive ranks (of one machine) as a node; 0 takes the machine's nodes. Collective.
 */
BfStatus bf_run_create(MPI_Comm comm, int node_size, BfRun **out, BfError *error);
void     bf_run_destroy(BfRun **run);

/* ---- where ranks can fail apart --------------------------------------------------------------------------------- *
 *
 * A function is either local, and then it may fail on one rank alone, or collective, and then its status is the same on
 * all ranks. A collective function takes local steps only within bf_together (or records their errors and calls
 * bf_agree), before its next collective call, and before it frees what is freed collectively:
 *
 *     BF_GOTO(bf_together(run->world, make_tables(x, error), error));   make_tables: local
 *     BF_GOTO(exchange(x, error));                                      exchange: collective
 *
 * Where this is forgotten, or a library fails on one rank while the others wait within it, the run still ends: a rank
 * that failed waits in its next agreement at most 30 seconds, then tells its error and ends the run at once. */

/* Make all ranks agree on a failure that perhaps only some have seen: every rank gets the error of the lowest failing
 * rank, or BF_OK if none failed. A failure that all know (error->known) is returned without a word; an
 * agreement of one rank makes it known to nobody. Collective on comm; agreements of communicators that are duplicates
 * of each other are one sequence, so that a rank that failed meets the others in their next one. */
BfStatus bf_agree(MPI_Comm comm, BfError *error);
/* The outcome of a local step, agreed on: bf_together(comm, step(x, error), error). Collective on comm. */
static inline BfStatus bf_together(MPI_Comm comm, BfStatus mine, BfError *error) {
  if (mine != BF_OK) bf_fail(error, mine, "a step failed and did not say why");
  return bf_agree(comm, error);
}
/* Whether ranks have ever agreed on a failure (a stop is none) on comm or a duplicate of it: what they hold together
 * may differ since. Not collective. */
bool bf_has_failed(MPI_Comm comm);
/* For a rank that fails where the others cannot learn of it: the error's line on standard error, temporary files
 * removed, MPI_Abort. Does not return. Not collective. */
void bf_end_run_at_once(const BfError *error) __attribute__((noreturn));
/* From now on an error of MPI ends the run that way, on MPI_COMM_WORLD, MPI_COMM_SELF and what is made of them. For a
 * program; a library's user may want another handler, and BfRun keeps that of the communicator it is made from. */
void bf_mpi_errors_end_the_run(void);

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

/* ---- signals ---------------------------------------------------------------------------------------------------- */

/* From now on TERM and INT end the process with one line from rank 0 (speaks), and without a file half-written. Nothing
 * here is collective. */
void bf_signals_watch(bool speaks);
/* One more, or one fewer, who asks: while there are any, USR1, TERM and INT set that question's answer first, so that
 * the run can save what it has. A second TERM or INT, or the end of what mpirun leaves of time after one, ends the
 * process as above. */
void bf_signals_listen(bool listens);
bool bf_signals_asked(void);
/* The process is at its end, and all went well: from now on TERM and INT end it at once, with a line that says so; the
 * line comes now where one came before to a rank of mpirun, which then lets no rank end in order and returns 1. */
void bf_signals_done(void);
/* This process has said why the run ends: from now on TERM and INT end it without a line. */
void bf_signals_told(void);
/* From now on TERM and INT do nothing: the process is at its end, and has said why. */
void bf_signals_ignore(void);
/* What the handler prints from now on, and the code with which the process ends: what stands if the run ends here. At
 * first that nothing is kept. */
void bf_signals_stands(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A file that the handler of TERM and INT makes, as a word to the next start that this process was not what failed;
 * NULL: none. The path is the caller's, and stays until the next call. */
void bf_signals_leave(const char *path);
/* Watch this process's TCP connections to other hosts, from now on, in a thread of its own that calls no MPI: where one
 * has given no sign of life for `seconds`, it says so on standard error and, where the launcher does not, ends the
 * process with BF_FAILURE after 1.25 times as long again, so that the launcher ends the others; nothing else would. 0,
 * or all ranks on one machine: no watch. Collective; fails where a rank can have no thread. */
BfStatus bf_links_watch(const BfRun *run, double seconds, BfError *error);

/* ---- memory shared by a node ------------------------------------------------------------------------------------ */

typedef struct {
  void   *base; /* 64-byte aligned, the same memory on every rank of the node; contents undefined at first */
  MPI_Win window;
  int64_t bytes;
} BfShared;

/* Collective on run->world; all ranks of a node pass the same size. A size that does not fit in the node's memory, or
 * not in its shared memory, is BF_BAD_INPUT and names what was wanted: what ("value function") goes into the message.
 */
BfStatus bf_shared_create(const BfRun *run, int64_t bytes, const char *what, BfShared *out, BfError *error);
void     bf_shared_destroy(BfShared *shared); /* collective on run->node; safe on a zeroed struct */
/* Make what the node's ranks wrote visible to all of them: a barrier on the node with memory fences. Collective. */
void bf_shared_sync(const BfRun *run, const BfShared *shared);

/* Bytes of memory that are free now on this rank's node: MemAvailable, or less where its control group's limit is
 * nearer. */
int64_t bf_node_memory_free(void);
/* Bytes that this rank's node may still take: what is free, or what is left of run->memory or of the limits on the
 * ranks' address spaces, if that is less; the node's ranks are taken to be alike. Not collective. */
int64_t bf_memory_left(const BfRun *run);
/* The least of that over all ranks. Collective. */
double bf_memory_least(const BfRun *run);
/* The same of memory that a node's ranks share, which may have a bound of its own. Not collective. */
int64_t bf_shared_left(const BfRun *run);
/* Whether every node can take what its ranks want, this one `bytes`. *want, *left: of the node that lacks most.
 * Collective. */
bool bf_memory_fits(const BfRun *run, double bytes, double *want, double *left);
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
  BF_PHASE_COSTS, /* terminal costs of all measures */
  BF_PHASE_TABLES,
  BF_PHASE_EXPAND,
  BF_PHASE_MERGE,
  BF_PHASE_SWEEP,
  BF_PHASE_EXCHANGE, /* of values between nodes, within a sweep */
  BF_PHASE_REDUCE,   /* waiting for what of that is left behind it */
  BF_PHASE_FLOW,
  BF_PHASE_HEADS,
  BF_PHASE_CERTIFY,
  BF_PHASE_ROLLOUT,
  BF_PHASE_WRITE,
  BF_PHASE_CHECKPOINT,
  BF_PHASE_CHECK, /* of a certificate */
  BF_PHASE_STUDY, /* the points of a study, each with phases of its own */
  BF_PHASES
} BfPhase;

/* Add the time from begin to end to a phase of this rank; a phase begun inside another counts for both. */
void   bf_phase_begin(const BfRun *run, BfPhase phase);
void   bf_phase_end(const BfRun *run, BfPhase phase);
void   bf_count_values(BfRun *run, double q_values); /* Q-values this rank computed */
void   bf_count_sent(BfRun *run, double bytes);      /* bytes this rank sent to other ranks */
double bf_run_values(const BfRun *run);              /* sum over ranks so far, earlier starts included; collective */
double bf_run_seconds(const BfRun *run);             /* wall time so far, earlier starts included */
/* Earlier starts of the same run, from a checkpoint: what they took. */
void bf_count_earlier(BfRun *run, double seconds, double q_values, int starts);
int  bf_starts(const BfRun *run); /* this one included */
/* The table at the end: seconds by phase (min / mean / max over ranks), Q-values a second, bytes sent, peak memory.
 * Collective; printed by rank 0 unless quiet. */
void bf_report(const BfRun *run);

/* ---- progress of the whole run ---------------------------------------------------------------------------------- */

/* When a line is told: seconds from the run's start to the first; between two on a terminal, where one line is
 * refreshed, and in a file. */
typedef struct {
  double first, terminal, file;
} BfProgressTimes;

/* From now on rank 0 tells, unless quiet, what is under way, which part of the whole run is done, at what rate, and the
 * time that is left; a thread of its own does, whatever the run is busy with. times: NULL for 3, 1 and 60. Not
 * collective, as all here. */
BfStatus bf_progress_open(BfRun *run, const BfProgressTimes *times, BfError *error);
void     bf_progress_close(BfRun *run); /* bf_run_destroy closes it, too */

/* What is under way: "layer 3"; "" takes the phase's name. */
void bf_progress_what(const BfRun *run, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A phase of the run has so many units of work in all, of all ranks together, what is done by then included; unit: what
 * they are called ("Q-values"; static), or NULL. weight: seconds a unit, as far as they can be guessed beforehand: once
 * a phase runs its rate is measured, and the guesses of those that have not begun are corrected by it. at_most: the
 * units are a bound. May be told again when more is known. */
void bf_work_expect(const BfRun *run, BfPhase phase, double units, const char *unit, double weight, bool at_most);
/* So many units are expected more than was told, or fewer: of a checkpoint, of a search that ended early. */
void bf_work_change(const BfRun *run, BfPhase phase, double units);
/* So many units more are done, by all ranks together (rank 0 speaks for the others). Cheap: once some milliseconds. */
void bf_work_done(const BfRun *run, BfPhase phase, double units);

/* ---- quantities as people say them ------------------------------------------------------------------------------ */

enum { BF_HUMAN = 32 };
const char *bf_human_time(double seconds, char text[BF_HUMAN]); /* "3 min 20 s", "4.5 days" */
const char *bf_human_bytes(double bytes, char text[BF_HUMAN]);  /* "12.3 MB": powers of a thousand */
const char *bf_human_count(double count, char text[BF_HUMAN]);  /* "12.3 M" */

BF_API_END
