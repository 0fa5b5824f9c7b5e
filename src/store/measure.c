/* How fast a result is written: by writing one. */
#include "bellformer/run.h"
#include "bellformer/store.h"
#include <stdio.h>
#include <unistd.h>

enum { ENTRIES = 1 << 23 }; /* doubles */

static BfStatus write_file(MPI_Comm comm, const char *path, BfError *error) {
  int rank, size;
  MPI_Comm_rank(comm, &rank);
  MPI_Comm_size(comm, &size);
  const int64_t dims[] = {1, ENTRIES}, start[] = {0, (int64_t)ENTRIES * rank / size},
                count[] = {1, (int64_t)ENTRIES * (rank + 1) / size - start[1]};
  BfStore *store        = NULL;
  double  *data         = NULL;
  BfStatus status;
  BF_GOTO(bf_store_create(comm, path, 1, &store, error));
  BF_GOTO(bf_store_define(store, "/value", BF_STORE_DOUBLE, 2, dims, error));
  BF_NEW(&data, count[1], error);
  BF_GOTO(bf_agree(comm, error));
  BF_GOTO(bf_store_write_block(store, "/value", BF_STORE_DOUBLE, 2, start, count, data, error));
  status = bf_store_commit(&store, error);
done:
  bf_store_close(&store);
  bf_free(data);
  return status;
}

BfStatus bf_store_measure(MPI_Comm comm, const char *path, double *bandwidth, BfError *error) {
  char name[4096];
  int  rank;
  MPI_Comm_rank(comm, &rank);
  snprintf(name, sizeof name, "%s.measure", path);
  MPI_Barrier(comm);
  const double   begin  = bf_seconds();
  const BfStatus status = write_file(comm, name, error);
  *bandwidth            = 8.0 * ENTRIES / (bf_seconds() - begin);
  if (rank == 0) unlink(name);
  return status;
}
