/* What ranks that work together wait for, from a latency and a bandwidth. */
#include "bellformer/estimate.h"
#include <math.h>
#include <stdlib.h>

static const double within_node = 5e-7; /* seconds of a message between ranks of a node, where none can be measured */
static const double copying     = 4e9;  /* bytes a second within a node */

/* Seconds of a reduction of `count` doubles that goes on while its ranks look after it, the least of some. */
static double time_reduction(MPI_Comm comm, double *data, int count, int turns) {
  double least = INFINITY;
  for (int i = 0; i < turns; i++) {
    MPI_Request request;
    MPI_Barrier(comm);
    const double begin = bf_seconds();
    MPI_Iallreduce(MPI_IN_PLACE, data, count, MPI_DOUBLE, MPI_MIN, comm, &request);
    MPI_Wait(&request, MPI_STATUS_IGNORE);
    least = fmin(least, bf_seconds() - begin);
  }
  MPI_Allreduce(MPI_IN_PLACE, &least, 1, MPI_DOUBLE, MPI_MAX, comm);
  return least;
}

static double steps(double ranks) { return ranks > 1 ? ceil(log2(ranks)) : 0; }

/* As a sweep reduces: about a million numbers at a time. */
static void measure_nodes(const BfRun *run, BfMachine *m) {
  enum { SMALL = 100, LARGE = 4, COUNT = 1 << 20 };
  const double bytes = 8.0 * COUNT, n = m->nodes;
  double       number = 0, *data = calloc(COUNT, sizeof *data);
  int          all = data != NULL;
  MPI_Allreduce(MPI_IN_PLACE, &all, 1, MPI_INT, MPI_MIN, run->leaders);
  m->latency = time_reduction(run->leaders, &number, 1, SMALL) / steps(n);
  if (all) {
    const double seconds = time_reduction(run->leaders, data, COUNT, LARGE) - 2 * steps(n) * m->latency;
    m->bandwidth         = seconds > 0 ? 2 * bytes * (n - 1) / n / seconds : BF_BANDWIDTH;
  }
  m->busy = bf_most_node_ranks(run->leaders) > 1;
  free(data);
}

void bf_machine_of_run(const BfRun *run, BfMachine *m) {
  enum { TURNS = 100 };
  double number = 0;
  *m            = (BfMachine){.ranks      = run->size,
                              .node_ranks = (run->size + run->nodes - 1) / run->nodes,
                              .nodes      = run->nodes,
                              .latency    = BF_LATENCY,
                              .bandwidth  = BF_BANDWIDTH,
                              .within     = within_node};
  if (run->node_size > 1) m->within = time_reduction(run->node, &number, 1, TURNS) / steps(run->node_size);
  if (run->nodes > 1 && run->leaders != MPI_COMM_NULL) measure_nodes(run, m);
  MPI_Bcast(m, sizeof *m, MPI_BYTE, 0, run->world);
}

void bf_machine_set(BfMachine *m, int ranks, int node_ranks) {
  m->busy       = false;
  m->ranks      = ranks;
  m->node_ranks = node_ranks < ranks ? node_ranks : ranks;
  m->nodes      = (ranks + m->node_ranks - 1) / m->node_ranks;
}

/* By halves where bytes count, else by doubling: what MPI libraries choose between. */
static double reduction(double ranks, double bytes, double latency, double bandwidth) {
  if (ranks <= 1) return 0;
  return fmin(steps(ranks) * (latency + bytes / bandwidth),
              2 * steps(ranks) * latency + 2 * bytes * (ranks - 1) / ranks / bandwidth);
}

double bf_reduction_of_nodes(const BfMachine *m, double bytes) {
  return reduction(m->nodes, bytes, m->latency, m->bandwidth);
}

double bf_reduction_of_ranks(const BfMachine *m, int ranks, double bytes) {
  const double here = ranks < m->node_ranks ? ranks : m->node_ranks;
  return reduction(here, bytes, m->within, copying) +
         reduction(ceil((double)ranks / m->node_ranks), bytes, m->latency, m->bandwidth);
}

/* A rank's messages leave one after the other, and a node's share its link. */
double bf_exchange_of_ranks(const BfMachine *m, double bytes) {
  const double others = m->ranks - m->node_ranks;
  return others * m->latency + (m->node_ranks - 1) * m->within + bytes / copying * (m->ranks > 1) +
         m->node_ranks * bytes * (others / m->ranks) / m->bandwidth;
}

double bf_most_dealt(double items, int ranks) { return ceil(items / ranks); }

/* Counts are nearly normal: their mean, and what the largest of `ranks` of them is above it; a little more where they
 * are few, and skew. */
double bf_most_hashed(double items, int ranks) {
  const double mean = items / ranks, deviation = sqrt(mean * (1 - 1.0 / ranks)), many = log(ranks),
               high = sqrt(2 * many);
  if (ranks == 1 || items <= 1) return items;
  const double above = fmax(0.56, high - (log(many) + log(4 * M_PI)) / (2 * high)); /* of two: 1 / sqrt(pi) */
  return fmin(items, fmax(1, mean + above * deviation + many / 6));
}
