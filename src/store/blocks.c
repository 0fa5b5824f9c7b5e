/* Several blocks of one row, in one collective transfer: what a rank owns of an array is often in pieces, and a chunk
 * that were written piece by piece would be read, checked and written again each time. */
#include "store/store.h"

static const int64_t most_bytes = (int64_t)1 << 30; /* MPI-IO counts are int */

typedef struct {
  hid_t       data;
  BfStoreType type;
  int64_t     row;
  int         write;
} Target;

/* Where a walk over the blocks has come to. */
typedef struct {
  int     block;
  int64_t in; /* entries of it that are done */
} Walk;

/* Select what the walk finds next, up to `most` entries; returns how many. */
static int64_t select_next(hid_t space, const Target *t, Walk *walk, int blocks, const int64_t first[],
                           const int64_t count[], int64_t most) {
  int64_t entries = 0;
  H5Sselect_none(space);
  while (walk->block < blocks && entries < most) {
    const int64_t left = count[walk->block] - walk->in, take = left < most - entries ? left : most - entries;
    const hsize_t at = (hsize_t)(first[walk->block] + walk->in), start[] = {(hsize_t)t->row, at},
                  size[] = {1, (hsize_t)take};
    const int skip       = t->row < 0;
    if (take)
      H5Sselect_hyperslab(space, entries ? H5S_SELECT_OR : H5S_SELECT_SET, start + skip, NULL, size + skip, NULL);
    entries += take;
    walk->in += take;
    if (walk->in == count[walk->block]) *walk = (Walk){walk->block + 1, 0};
  }
  return entries;
}

static herr_t transfer(const BfStore *store, const Target *t, hid_t space, int64_t entries, char *buffer) {
  const hsize_t size   = (hsize_t)entries;
  const hid_t   memory = H5Screate_simple(1, &size, NULL), type = bf_store_memory_type(t->type);
  if (!entries) H5Sselect_none(memory);
  const herr_t status = t->write ? H5Dwrite(t->data, type, memory, space, store->transfer, buffer)
                                 : H5Dread(t->data, type, memory, space, store->transfer, buffer);
  H5Sclose(memory);
  return status;
}

static int move(BfStore *store, const Target *t, int blocks, const int64_t first[], const int64_t count[],
                char *buffer) {
  const int64_t size = (int64_t)H5Tget_size(bf_store_memory_type(t->type)), most = most_bytes / size;
  int64_t       entries = 0, rounds, all;
  int           failed  = 0;
  Walk          walk    = {0, 0};
  for (int b = 0; b < blocks; b++) entries += count[b];
  rounds = (entries + most - 1) / most;
  MPI_Allreduce(&rounds, &all, 1, MPI_INT64_T, MPI_MAX, store->comm);
  const hid_t space = H5Dget_space(t->data);
  for (int64_t r = 0; r < all; r++) {
    const int64_t n = select_next(space, t, &walk, blocks, first, count, most);
    failed          = transfer(store, t, space, n, buffer) < 0;
    buffer += n * size;
    MPI_Allreduce(MPI_IN_PLACE, &failed, 1, MPI_INT, MPI_LOR,
                  store->comm); /* who fails alone is missing in the next call */
    if (failed) break;
  }
  H5Sclose(space);
  return failed;
}

static BfStatus check_extent(BfStore *store, const char *path, int64_t row, int blocks, const int64_t first[],
                             const int64_t count[], BfError *error) {
  int     rank;
  int64_t dims[4];
  BF_TRY(bf_store_extent(store, path, &rank, dims, error));
  int fits = row < 0 ? rank == 1 : rank == 2 && row < dims[0];
  for (int b = 0; b < blocks && fits; b++) fits = first[b] >= 0 && first[b] + count[b] <= dims[rank - 1];
  return bf_store_check(store, !fits, BF_BAD_INPUT, path, "has an unexpected shape", error);
}

BfStatus bf_store_write_blocks(BfStore *store, const char *path, BfStoreType type, int64_t row, int blocks,
                               const int64_t first[], const int64_t count[], const void *data, BfError *error) {
  const Target t = {H5Dopen2(store->file, path, H5P_DEFAULT), type, row, 1};
  BF_TRY(bf_store_check(store, t.data < 0, BF_FAILURE, path, "is not there", error));
  const int failed = move(store, &t, blocks, first, count, (char *)data);
  H5Dclose(t.data);
  return bf_store_check(store, failed, BF_FAILURE, path, "cannot be written: is the disk full?", error);
}

BfStatus bf_store_read_blocks(BfStore *store, const char *path, BfStoreType type, int64_t row, int blocks,
                              const int64_t first[], const int64_t count[], void *data, BfError *error) {
  BF_TRY(check_extent(store, path, row, blocks, first, count, error));
  const Target t = {H5Dopen2(store->file, path, H5P_DEFAULT), type, row, 0};
  BF_TRY(bf_store_check(store, t.data < 0 || !bf_store_type_fits(t.data, type), BF_BAD_INPUT, path,
                        "has an unexpected type", error));
  const int failed = move(store, &t, blocks, first, count, data);
  H5Dclose(t.data);
  return bf_store_check(store, failed, BF_BAD_INPUT, path, "is damaged", error);
}
