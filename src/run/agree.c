#include "bellformer/run.h"

BfStatus bf_agree(MPI_Comm comm, BfError *error) {
  int rank, size, first;
  MPI_Comm_rank(comm, &rank);
  MPI_Comm_size(comm, &size);
  int failed = error->status != BF_OK ? rank : size;
  MPI_Allreduce(&failed, &first, 1, MPI_INT, MPI_MIN, comm);
  if (first < size) MPI_Bcast(error, sizeof *error, MPI_BYTE, first, comm);
  return error->status;
}
