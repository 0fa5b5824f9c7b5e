/* TAP for programs on several ranks: a check passes where it holds on all of them; rank 0 prints. */
#pragma once
#include <mpi.h>
#include <stdio.h>

typedef struct {
  int number, failed;
} Tap;

static inline void check(Tap *tap, int holds, const char *what) {
  int rank, all;
  MPI_Allreduce(&holds, &all, 1, MPI_INT, MPI_LAND, MPI_COMM_WORLD);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  tap->number++;
  tap->failed += !all;
  if (!rank) printf("%sok %d - %s\n", all ? "" : "not ", tap->number, what);
}

static inline int finish_tap(const Tap *tap) {
  int rank;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  if (!rank) printf("1..%d\n", tap->number);
  MPI_Finalize();
  return tap->failed > 0;
}
