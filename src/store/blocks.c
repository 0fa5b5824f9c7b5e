/* Several blocks of one row, in one collective transfer: what a rank owns of an array is often in pieces, and a chunk
 * that were written piece by piece would be read, checked and written again each time. */
#include "run/limits.h"
#include "store/store.h"

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

/* Select what the walk finds next, up to `most` entries; returns how many, -1 where HDF5 refuses. */
static int64_t select_next(hid_t space, const Target *t, Walk *walk, int blocks, const int64_t first[],
                           const int64_t count[], int64_t most) {
  int64_t entries = 0;
  int     refused = H5Sselect_none(space) < 0;
  while (walk->block < blocks && entries < most) {
    const int64_t left = count[walk->block] - walk->in, take = left < most - entries ? left : most - entries;
    const hsize_t at = (hsize_t)(first[walk->block] + walk->in), start[] = {(hsize_t)t->row, at},
                  size[] = {1, (hsize_t)take};
    const int skip       = t->row < 0;
    if (take)
      refused |= H5Sselect_hyperslab(space, entries ? H5S_SELECT_OR : H5S_SELECT_SET, start + skip, NULL, size + skip,
                                     NULL) < 0;
    entries += take;
    walk->in += take;
    if (walk->in == count[walk->block]) *walk = (Walk){walk->block + 1, 0};
  }
  return refused ? -1 : entries;
}

static herr_t transfer(const BfStore *store, const Target *t, hid_t space, int64_t entries, char *buffer) {
  if (entries < 0) return -1;
  const hsize_t size   = (hsize_t)entries;
  const hid_t   memory = H5Screate_simple(1, &size, NULL), type = bf_store_memory_type(t->type);
  herr_t        status = memory < 0 || (!entries && H5Sselect_none(memory) < 0) ? -1 : 0;
  if (status == 0)
    status = t->write ? H5Dwrite(t->data, type, memory, space, store->transfer, buffer)
                      : H5Dread(t->data, type, memory, space, store->transfer, buffer);
  if (memory >= 0) H5Sclose(memory);
  return status;
}

/* In as many rounds as the rank with most entries needs; who fails alone is missing in the next. */
static BfStatus move(BfStore *store, const Target *t, int blocks, const int64_t first[], const int64_t count[],
                     char *buffer, const char *path, BfError *error) {
  const int64_t size = bf_store_size(t->type), most = (bf_limits()->file_bytes + size - 1) / size;
  const char   *what    = t->write ? "cannot be written: is the disk full?" : "is damaged";
  int64_t       entries = 0, rounds, all;
  Walk          walk    = {0, 0};
  BfStatus      status  = BF_OK;
  for (int b = 0; b < blocks; b++) entries += count[b];
  rounds = (entries + most - 1) / most;
  MPI_Allreduce(&rounds, &all, 1, MPI_INT64_T, MPI_MAX, store->comm);
  const hid_t space = H5Dget_space(t->data);
  for (int64_t r = 0; r < all && status == BF_OK; r++) {
    const int64_t n = space < 0 ? -1 : select_next(space, t, &walk, blocks, first, count, most);
    status = bf_store_check(store, transfer(store, t, space, n, buffer) < 0, t->write ? BF_FAILURE : BF_BAD_INPUT, path,
                            what, error);
    buffer += n * size;
  }
  if (space >= 0) H5Sclose(space);
  return status;
}

/* Move, and close. */
static BfStatus move_and_close(BfStore *store, const Target *t, int blocks, const int64_t first[],
                               const int64_t count[], char *buffer, const char *path, BfError *error) {
  const BfStatus status = move(store, t, blocks, first, count, buffer, path, error);
  const int      failed = H5Dclose(t->data) < 0;
  return status != BF_OK ? status : bf_store_check(store, failed, BF_FAILURE, path, "cannot be closed", error);
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
  return move_and_close(store, &t, blocks, first, count, (char *)data, path, error);
}

BfStatus bf_store_read_blocks(BfStore *store, const char *path, BfStoreType type, int64_t row, int blocks,
                              const int64_t first[], const int64_t count[], void *data, BfError *error) {
  BF_TRY(check_extent(store, path, row, blocks, first, count, error));
  const Target t = {H5Dopen2(store->file, path, H5P_DEFAULT), type, row, 0};
  BF_TRY(bf_store_check(store, t.data < 0 || !bf_store_type_fits(t.data, type), BF_BAD_INPUT, path,
                        "has an unexpected type", error));
  return move_and_close(store, &t, blocks, first, count, data, path, error);
}
