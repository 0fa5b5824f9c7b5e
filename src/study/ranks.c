/* How many ranks a point is given. */
#include "study/group.h"
#include <math.h>

int bf_ranks_by_time(double seconds, double whole, int size) {
  static const double least = 0.5; /* seconds: what takes less is not worth to be shared */
  const double        fair  = fmax(whole / size, least);
  int                 ranks = 1;
  while (ranks < size && seconds > fair * ranks) ranks = ranks > size / 2 ? size : 2 * ranks;
  return ranks;
}

/* A group has its ranks' part of a node's memory. What no node has the memory for is not helped by more of them. */
static int by_memory(double bytes, double room, int node_ranks) {
  int ranks = 1;
  if (bytes > room) return 1;
  while (ranks < node_ranks && bytes > room * ranks / node_ranks)
    ranks = ranks > node_ranks / 2 ? node_ranks : 2 * ranks;
  return ranks;
}

double bf_study_room(const BfRun *run) {
  double room = run->memory ? (double)run->memory : (double)bf_memory_left(run) + (double)bf_peak_memory();
  MPI_Allreduce(MPI_IN_PLACE, &room, 1, MPI_DOUBLE, MPI_MIN, run->world);
  return room;
}

void bf_study_give_ranks(const BfRun *run, BfPlan *plan) {
  const double room       = bf_study_room(run);
  int          node_ranks = run->node_size;
  double       whole      = 0;
  MPI_Allreduce(MPI_IN_PLACE, &node_ranks, 1, MPI_INT, MPI_MAX, run->world);
  for (int64_t p = 0; p < bf_plan_points(plan); p++) whole += plan->point[p].seconds;
  for (int64_t p = 0; p < bf_plan_points(plan); p++) {
    BfPoint  *point  = &plan->point[p];
    const int time   = bf_ranks_by_time(point->seconds, whole, run->size),
              memory = by_memory(point->bytes, room, node_ranks);
    point->ranks     = time > memory ? time : memory;
  }
}
