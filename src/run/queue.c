#include "run/queue.h"
#include "run/end.h"

static bool on_one_machine(MPI_Comm comm) {
  MPI_Comm machine;
  int      all, here;
  MPI_Comm_split_type(comm, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &machine);
  MPI_Comm_size(machine, &here);
  MPI_Comm_size(comm, &all);
  MPI_Comm_free(&machine);
  MPI_Allreduce(MPI_IN_PLACE, &here, 1, MPI_INT, MPI_MIN, comm);
  return here == all;
}

/* Open MPI 4's one-sided component `rdma`, which is its first choice, names the memory that a machine's ranks share by
 * the number of the communicator, and two communicators of other ranks can have one number: their counters were then
 * one and the same, without a word. Shared windows are named by a rank as well; command/command.c excludes `rdma` for
 * what spans machines. */
static BfStatus allocate(MPI_Comm comm, bool shared, int rank, int counters, BfQueue *queue, BfError *error) {
  MPI_Errhandler handler;
  MPI_Comm_get_errhandler(comm, &handler);
  MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN);
  const MPI_Aint bytes = rank ? 0 : (MPI_Aint)sizeof *queue->next * counters;
  const int      unit  = sizeof *queue->next;
  const int      code = shared ? MPI_Win_allocate_shared(bytes, unit, MPI_INFO_NULL, comm, &queue->next, &queue->window)
                               : MPI_Win_allocate(bytes, unit, MPI_INFO_NULL, comm, &queue->next, &queue->window);
  MPI_Comm_set_errhandler(comm, handler);
  MPI_Errhandler_free(&handler);
  if (code == MPI_SUCCESS) return BF_OK;
  return bf_fail(error, BF_FAILURE, "no window of memory for a queue");
}

BfStatus bf_queue_create(MPI_Comm comm, int counters, BfQueue *queue, BfError *error) {
  int rank;
  *queue = (BfQueue){MPI_WIN_NULL, NULL};
  MPI_Comm_rank(comm, &rank);
  const bool shared = on_one_machine(comm);
  if (bf_together(comm, allocate(comm, shared, rank, counters, queue, error), error) != BF_OK) {
    queue->window = MPI_WIN_NULL; /* that of a rank which got one cannot be freed without the others */
    return error->status;
  }
  bf_window_errors_end_the_run(queue->window);
  MPI_Win_lock_all(MPI_MODE_NOCHECK, queue->window);
  for (int i = 0; rank == 0 && i < counters; i++) queue->next[i] = 0;
  MPI_Win_sync(queue->window);
  MPI_Barrier(comm);
  return BF_OK;
}

int64_t bf_queue_add(const BfQueue *queue, int counter, int64_t amount) {
  int64_t was;
  MPI_Fetch_and_op(&amount, &was, MPI_INT64_T, 0, counter, MPI_SUM, queue->window);
  MPI_Win_flush(0, queue->window);
  return was;
}

int64_t bf_queue_take(const BfQueue *queue, int counter) { return bf_queue_add(queue, counter, 1); }

int64_t bf_queue_seen(const BfQueue *queue, int counter) {
  MPI_Win_sync(queue->window);
  return *(volatile const int64_t *)&queue->next[counter];
}

void bf_queue_destroy(BfQueue *queue) {
  if (queue->window == MPI_WIN_NULL) return;
  MPI_Win_unlock_all(queue->window);
  MPI_Win_free(&queue->window);
}
