#include "run/queue.h"
#include "run/end.h"

static BfStatus allocate(MPI_Comm comm, int rank, BfQueue *queue, BfError *error) {
  MPI_Errhandler handler;
  MPI_Comm_get_errhandler(comm, &handler);
  MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN);
  const int code = MPI_Win_allocate(rank ? 0 : (MPI_Aint)sizeof *queue->next, sizeof *queue->next, MPI_INFO_NULL, comm,
                                    &queue->next, &queue->window);
  MPI_Comm_set_errhandler(comm, handler);
  MPI_Errhandler_free(&handler);
  if (code == MPI_SUCCESS) return BF_OK;
  queue->window = MPI_WIN_NULL;
  return bf_fail(error, BF_FAILURE, "no window of memory for a queue");
}

BfStatus bf_queue_create(MPI_Comm comm, BfQueue *queue, BfError *error) {
  int rank;
  *queue = (BfQueue){MPI_WIN_NULL, NULL};
  MPI_Comm_rank(comm, &rank);
  BF_TRY(bf_together(comm, allocate(comm, rank, queue, error), error));
  bf_window_errors_end_the_run(queue->window);
  MPI_Win_lock_all(MPI_MODE_NOCHECK, queue->window);
  if (rank == 0) *queue->next = 0;
  MPI_Win_sync(queue->window);
  MPI_Barrier(comm);
  return BF_OK;
}

int64_t bf_queue_take(const BfQueue *queue) {
  const int64_t one = 1;
  int64_t       taken;
  MPI_Fetch_and_op(&one, &taken, MPI_INT64_T, 0, 0, MPI_SUM, queue->window);
  MPI_Win_flush(0, queue->window);
  return taken;
}

void bf_queue_destroy(BfQueue *queue) {
  if (queue->window == MPI_WIN_NULL) return;
  MPI_Win_unlock_all(queue->window);
  MPI_Win_free(&queue->window);
}
