/* What a command will take, found by running its kernels for a moment on all ranks at once, as the command would.
 * Rates are of the machine that the run is on. */
#pragma once
#include "bellformer/run.h"

BF_API_BEGIN

/* Work is counted in terms: an exponential of the attention and what goes with it, in eight lanes. */
#define BF_TERM_SECONDS 3e-9 /* about, on one core of today */

enum { BF_ESTIMATE_PARTS = 10 };

typedef struct {
  const char *what; /* "tables"; static */
  double      seconds;
} BfEstimatePart;

typedef struct {
  int            parts;
  BfEstimatePart part[BF_ESTIMATE_PARTS];
  bool           at_most; /* a bound, apart from what measuring misses */
  bool           rough;   /* a part could not be measured, and is a guess */
} BfEstimate;

/* The ranks that an estimate is of, and what is between them: a message takes `latency` seconds and its bytes over
 * `bandwidth`. An estimate measures what a rank does on the ranks of its run and is told how many there are: for others
 * than these it is a prediction. Where a function takes a NULL machine, it is the run's own. */
typedef struct {
  int    ranks, node_ranks, nodes;
  double latency, bandwidth; /* between nodes */
  double within;             /* latency between ranks of a node */
  bool   busy;               /* messages between nodes take the time of cores that compute: nodes share a machine */
} BfMachine;

/* Of InfiniBand of today, 100 Gbit/s. */
#define BF_LATENCY 2e-6
#define BF_BANDWIDTH 1e10

/* The ranks of a run; what is between them is measured, as far as there is something between them. Collective. */
void bf_machine_of_run(const BfRun *run, BfMachine *machine);
/* Others: node_ranks a node, the last node perhaps of fewer; what is between them as given. */
void bf_machine_set(BfMachine *machine, int ranks, int node_ranks);

/* Seconds, on a quiet machine: a reduction of so many bytes over one rank of each node; over a group of ranks, as many
 * to a node as there are; messages from each rank to each, `bytes` of a rank in all. Not collective, as what follows.
 */
double bf_reduction_of_nodes(const BfMachine *machine, double bytes);
double bf_reduction_of_ranks(const BfMachine *machine, int ranks, double bytes);
double bf_exchange_of_ranks(const BfMachine *machine, double bytes);
/* Items of the rank that has most: dealt evenly; dealt by a hash, about. */
double bf_most_dealt(double items, int ranks);
double bf_most_hashed(double items, int ranks);

/* Add a part, seconds of this rank's work: the mean over ranks counts. Collective. */
void   bf_estimate_add(const BfRun *run, BfEstimate *estimate, const char *what, double seconds);
double bf_estimate_seconds(const BfEstimate *estimate); /* the sum */

BF_API_END
