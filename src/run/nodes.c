/* Ranks, nodes, and the memory that a node shares. */
#include "run/end.h"
#include "run/phases.h"
#include <stdlib.h>
#include <string.h>

/* The machine's nodes, or groups of node_size successive ranks within each. */
static void split_nodes(BfRun *run, int node_size) {
  MPI_Comm machine;
  MPI_Comm_split_type(run->world, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &machine);
  int rank;
  MPI_Comm_rank(machine, &rank);
  MPI_Comm_split(machine, node_size > 0 ? rank / node_size : 0, rank, &run->node);
  MPI_Comm_free(&machine);
  MPI_Comm_rank(run->node, &run->node_rank);
  MPI_Comm_size(run->node, &run->node_size);
}

/* Nodes in the order of their first ranks; workers counted node by node. */
static void number_nodes(BfRun *run) {
  MPI_Comm_split(run->world, run->node_rank == 0 ? 0 : MPI_UNDEFINED, run->rank, &run->leaders);
  int info[3] = {0, 0, 0}; /* nodes, node_index, node_first */
  if (run->leaders != MPI_COMM_NULL) {
    MPI_Comm_size(run->leaders, &info[0]);
    MPI_Comm_rank(run->leaders, &info[1]);
    MPI_Exscan(&run->node_size, &info[2], 1, MPI_INT, MPI_SUM, run->leaders);
    if (info[1] == 0) info[2] = 0; /* MPI leaves it undefined there */
  }
  MPI_Bcast(info, 3, MPI_INT, 0, run->node);
  run->nodes      = info[0];
  run->node_index = info[1];
  run->node_first = info[2];
  run->worker     = info[2] + run->node_rank;
}

static BfStatus allocate(int node_size, BfRun **run, BfError *error) {
  if (node_size < 0) return bf_fail(error, BF_BAD_INPUT, "-node_size must be at least 0, got %d", node_size);
  BF_TRY(BF_NEW(run, 1, error));
  return BF_NEW(&(*run)->phases, 1, error);
}

BfStatus bf_run_create(MPI_Comm comm, int node_size, BfRun **out, BfError *error) {
  BfRun *run = NULL;
  if (bf_together(comm, allocate(node_size, &run, error), error) != BF_OK) {
    if (run) bf_free(run->phases);
    bf_free(run);
    return error->status;
  }
  MPI_Comm_dup(comm, &run->world);
  MPI_Comm_rank(run->world, &run->rank);
  MPI_Comm_size(run->world, &run->size);
  split_nodes(run, node_size);
  number_nodes(run);
  run->phases->started = bf_seconds();
  *out                 = run;
  return BF_OK;
}

void bf_run_destroy(BfRun **run) {
  if (!*run) return;
  bf_progress_close(*run);
  if ((*run)->leaders != MPI_COMM_NULL) MPI_Comm_free(&(*run)->leaders);
  MPI_Comm_free(&(*run)->node);
  MPI_Comm_free(&(*run)->world);
  bf_free((*run)->phases);
  bf_free(*run);
  *run = NULL;
}

/* ---- shared memory ---------------------------------------------------------------------------------------------- */

static BfStatus check_memory(const BfRun *run, int64_t bytes, const char *what, BfError *error) {
  const int64_t left = bf_shared_left(run);
  if (bytes <= left || run->node_rank != 0) return BF_OK;
  char a[BF_HUMAN], b[BF_HUMAN];
  return bf_fail(error, BF_BAD_INPUT, "the %s needs %s of shared memory a node, %s are free", what,
                 bf_human_bytes((double)bytes, a), bf_human_bytes((double)left, b));
}

/* That there is no room is told in our words; where one rank alone is refused, the others may wait in it for ever. */
static BfStatus allocate_window(const BfRun *run, int64_t bytes, const char *what, MPI_Win *window, BfError *error) {
  MPI_Errhandler handler;
  void          *base;
  MPI_Comm_get_errhandler(run->node, &handler);
  MPI_Comm_set_errhandler(run->node, MPI_ERRORS_RETURN);
  const int code =
      MPI_Win_allocate_shared(run->node_rank ? 0 : (MPI_Aint)bytes, 1, MPI_INFO_NULL, run->node, &base, window);
  MPI_Comm_set_errhandler(run->node, handler);
  MPI_Errhandler_free(&handler);
  if (code == MPI_SUCCESS) return BF_OK;
  return bf_fail(error, BF_FAILURE, "the %s: no shared memory for %lld bytes", what, (long long)bytes);
}

BfStatus bf_shared_create(const BfRun *run, int64_t bytes, const char *what, BfShared *out, BfError *error) {
  const int64_t line = 64;
  MPI_Aint      size;
  int           unit;
  void         *base;
  BF_TRY(bf_together(run->world, check_memory(run, bytes, what, error), error));
  BF_TRY(bf_together(run->world, allocate_window(run, bytes + line, what, &out->window, error), error));
  bf_window_errors_end_the_run(out->window);
  MPI_Win_shared_query(out->window, 0, &size, &unit, &base);
  /* The segment starts on a page in every rank, so that all round up alike. */
  out->base  = (void *)(((uintptr_t)base + (uintptr_t)line - 1) / (uintptr_t)line * (uintptr_t)line);
  out->bytes = bytes;
  MPI_Win_lock_all(MPI_MODE_NOCHECK, out->window);
  return BF_OK;
}

void bf_shared_destroy(BfShared *shared) {
  if (shared->base) {
    MPI_Win_unlock_all(shared->window);
    MPI_Win_free(&shared->window);
  }
  *shared = (BfShared){0};
}

void bf_shared_sync(const BfRun *run, const BfShared *shared) {
  MPI_Win_sync(shared->window);
  MPI_Barrier(run->node);
  MPI_Win_sync(shared->window);
}
