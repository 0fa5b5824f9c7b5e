/* Writing a row of V as checkpoints do (sums beside it, space set aside, fsync, rename) against plain parallel writes
 * of the same bytes: a contiguous dataset, no checksums, fsync. All ranks write together; in turns, the best of each.
 * Argument: a folder. */
#include <fcntl.h>
#include <hdf5.h>
#include <petscsys.h>
#include <unistd.h>

#include "bellformer/store.h"
#include "clock.h"

enum { REPEATS = 5 };
static const int64_t NUMBERS = (int64_t)1 << 25; /* 256 MiB */

static double checksummed(const BfRun *run, const char *path, const double *mine, int64_t from, int64_t count,
                          BfError *error) {
  BfStore     *store = NULL;
  const double begin = bf_seconds();
  if (bf_store_create(run->world, path, 1, &store, error) == BF_OK &&
      bf_store_write_sealed(store, "/value", BF_STORE_DOUBLE, NUMBERS, &(BfParts){1, &from, &count}, mine, error) ==
          BF_OK)
    bf_store_commit(&store, error);
  bf_store_close(&store);
  return bf_seconds() - begin;
}

static double plain(const BfRun *run, const char *path, const double *mine, int64_t from, int64_t count) {
  const double  begin = bf_seconds();
  const hsize_t all = (hsize_t)NUMBERS, at = (hsize_t)from, size = (hsize_t)count;
  const hid_t   access = H5Pcreate(H5P_FILE_ACCESS), transfer = H5Pcreate(H5P_DATASET_XFER);
  H5Pset_fapl_mpio(access, run->world, MPI_INFO_NULL);
  H5Pset_dxpl_mpio(transfer, H5FD_MPIO_COLLECTIVE);
  const hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, access), space = H5Screate_simple(1, &all, NULL);
  const hid_t data   = H5Dcreate2(file, "value", H5T_IEEE_F64LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  const hid_t memory = H5Screate_simple(1, &size, NULL);
  H5Sselect_hyperslab(space, H5S_SELECT_SET, &at, NULL, &size, NULL);
  H5Dwrite(data, H5T_NATIVE_DOUBLE, memory, space, transfer, mine);
  H5Sclose(memory), H5Dclose(data), H5Sclose(space), H5Fclose(file), H5Pclose(access), H5Pclose(transfer);
  if (run->rank == 0) {
    const int descriptor = open(path, O_RDWR);
    fsync(descriptor);
    close(descriptor);
  }
  MPI_Barrier(run->world);
  return bf_seconds() - begin;
}

int main(int argc, char **argv) {
  BfError     error   = {0};
  BfRun      *run     = NULL;
  double      best[2] = {INFINITY, INFINITY};
  char        path[2][4096];
  const char *folder = argc > 1 ? argv[1] : ".";
  for (int i = 0; i < 2; i++) snprintf(path[i], sizeof path[i], "%s/time_store_%d.h5", folder, i);
  if (PetscInitialize(&argc, &argv, NULL, NULL) || bf_run_create(PETSC_COMM_WORLD, 0, &run, &error) != BF_OK) return 1;
  const int64_t from = NUMBERS * run->rank / run->size, count = NUMBERS * (run->rank + 1) / run->size - from;
  double       *mine = bf_calloc(count, sizeof *mine, &error);
  for (int64_t i = 0; mine && i < count; i++) mine[i] = (double)(from + i);
  for (int repeat = 0; repeat < REPEATS && error.status == BF_OK; repeat++) {
    best[0] = fmin(best[0], checksummed(run, path[0], mine, from, count, &error));
    best[1] = fmin(best[1], plain(run, path[1], mine, from, count));
  }
  if (run->rank == 0 && error.status == BF_OK) {
    printf("%d ranks write %.3g MB: with sums %.3g s, plainly %.3g s; bound by the disk and its cache\n", run->size,
           8e-6 * (double)NUMBERS, best[0], best[1]);
    verdict("of the bandwidth of plain parallel writes", best[1] / best[0], 0.7, 1);
    unlink(path[0]);
    unlink(path[1]);
  } else if (run->rank == 0) {
    fprintf(stderr, "%s\n", error.text);
  }
  bf_free(mine);
  bf_run_destroy(&run);
  PetscFinalize();
  return verdicts_exit(error.status);
}
