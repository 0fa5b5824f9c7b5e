/* Parts of an array between the file and memory, where they are contiguous. Together, in as many calls of HDF5 as the
 * rank with most entries needs, since one call takes a bounded number of bytes. What a rank owns is often in pieces: a
 * chunk that were written piece by piece would be read, checked and written again each time. */
#include "run/limits.h"
#include "store/store.h"

typedef struct {
  BfStore    *store;
  const char *path;
  BfStoreType type;
  bool        write;
  hid_t       data, space;
} Transfer;

static BfStatus check(const Transfer *t, int failed, const char *what, BfError *error) {
  return bf_store_check(t->store, failed, t->write ? BF_FAILURE : BF_BAD_INPUT, t->path, what, error);
}

static BfStatus begin(Transfer *t, BfError *error) {
  t->data = H5Dopen2(t->store->file, t->path, H5P_DEFAULT);
  BF_TRY(check(t, t->data < 0 || !(t->write || bf_store_type_fits(t->data, t->type)),
               t->write ? "is not there" : "has an unexpected type", error));
  t->space = H5Dget_space(t->data);
  return BF_OK;
}

static BfStatus end(const Transfer *t, BfStatus status, BfError *error) {
  if (t->space >= 0) H5Sclose(t->space);
  const int failed = H5Dclose(t->data) < 0;
  return status != BF_OK ? status : bf_store_check(t->store, failed, BF_FAILURE, t->path, "cannot be closed", error);
}

/* One call for the entries that are selected in the file; -1: HDF5 has refused to select them. */
static BfStatus move(const Transfer *t, int64_t entries, void *buffer, BfError *error) {
  const hsize_t size   = entries < 0 ? 0 : (hsize_t)entries;
  const hid_t   memory = H5Screate_simple(1, &size, NULL), type = bf_store_memory_type(t->type);
  herr_t        status = entries < 0 || t->space < 0 || memory < 0 || (!entries && H5Sselect_none(memory) < 0) ? -1 : 0;
  if (status == 0)
    status = t->write ? H5Dwrite(t->data, type, memory, t->space, t->store->transfer, buffer)
                      : H5Dread(t->data, type, memory, t->space, t->store->transfer, buffer);
  if (memory >= 0) H5Sclose(memory);
  return check(t, status < 0, t->write ? "cannot be written: " BF_STORE_LOST : "is damaged", error);
}

/* Entries of one call. */
static int64_t most_entries(BfStoreType type) {
  const int64_t size = bf_store_size(type);
  return (bf_limits()->file_bytes + size - 1) / size;
}

static int64_t most_rounds(const BfStore *store, int64_t rounds) {
  int64_t all;
  MPI_Allreduce(&rounds, &all, 1, MPI_INT64_T, MPI_MAX, store->comm);
  return all;
}

/* ---- a block of up to four dimensions --------------------------------------------------------------------------- */

typedef struct {
  int            rank;
  const int64_t *start, *count;
} Block;

static int64_t select_block(hid_t space, int rank, const int64_t start[], const int64_t count[]) {
  hsize_t at[BF_STORE_DIMS], size[BF_STORE_DIMS];
  int64_t entries = bf_store_product(rank, count);
  for (int i = 0; i < rank; i++) {
    at[i]   = (hsize_t)start[i];
    size[i] = (hsize_t)count[i];
  }
  const herr_t selected =
      entries ? H5Sselect_hyperslab(space, H5S_SELECT_SET, at, NULL, size, NULL) : H5Sselect_none(space);
  return selected < 0 ? -1 : entries;
}

/* One that is too large for one call is cut along the first dimension that is longer than one. */
static BfStatus move_block(Transfer *t, const Block *b, char *buffer, BfError *error) {
  const int64_t most = most_entries(t->type);
  int64_t at[BF_STORE_DIMS], size[BF_STORE_DIMS], pieces = (bf_store_product(b->rank, b->count) + most - 1) / most;
  int     axis = 0;
  while (axis < b->rank - 1 && b->count[axis] <= 1) axis++;
  if (pieces > b->count[axis]) pieces = b->count[axis];
  if (pieces < 1) pieces = 1;
  const int64_t rounds = most_rounds(t->store, pieces);
  BF_TRY(begin(t, error));
  BfStatus status = BF_OK;
  for (int64_t p = 0; p < rounds && status == BF_OK; p++) {
    for (int i = 0; i < b->rank; i++) {
      at[i]   = b->start[i];
      size[i] = p < pieces ? b->count[i] : 0;
    }
    if (p < pieces) {
      at[axis] += b->count[axis] * p / pieces;
      size[axis] = b->start[axis] + b->count[axis] * (p + 1) / pieces - at[axis];
    }
    const int64_t entries = select_block(t->space, b->rank, at, size);
    status                = move(t, entries, buffer, error);
    buffer += entries * bf_store_size(t->type);
  }
  return end(t, status, error);
}

BfStatus bf_store_write_block(BfStore *store, const char *path, BfStoreType type, int rank, const int64_t start[],
                              const int64_t count[], const void *data, BfError *error) {
  Transfer    t = {.store = store, .path = path, .type = type, .write = true};
  const Block b = {rank, start, count};
  return move_block(&t, &b, (char *)data, error);
}

BfStatus bf_store_read_block(BfStore *store, const char *path, BfStoreType type, int rank, const int64_t start[],
                             const int64_t count[], void *data, BfError *error) {
  Transfer    t = {.store = store, .path = path, .type = type};
  const Block b = {rank, start, count};
  int64_t     dims[BF_STORE_DIMS];
  BF_TRY(bf_store_extent_of(store, path, rank, dims, error));
  return move_block(&t, &b, data, error);
}

/* ---- parts of one row ------------------------------------------------------------------------------------------- */

/* Where a walk over the parts has come to. */
typedef struct {
  int     part;
  int64_t in; /* entries of it that are done */
} Walk;

/* Select what the walk finds next, up to `most` entries. row: -1 of an array of one dimension. */
static int64_t select_next(hid_t space, int64_t row, const BfParts *parts, Walk *walk, int64_t most) {
  int64_t entries = 0;
  int     refused = H5Sselect_none(space) < 0;
  while (walk->part < parts->parts && entries < most) {
    const int64_t left = parts->count[walk->part] - walk->in, take = left < most - entries ? left : most - entries;
    const hsize_t at      = (hsize_t)(parts->first[walk->part] + walk->in);
    const hsize_t start[] = {(hsize_t)row, at}, size[] = {1, (hsize_t)take};
    const int     skip = row < 0;
    if (take)
      refused |= H5Sselect_hyperslab(space, entries ? H5S_SELECT_OR : H5S_SELECT_SET, start + skip, NULL, size + skip,
                                     NULL) < 0;
    entries += take;
    walk->in += take;
    if (walk->in == parts->count[walk->part]) *walk = (Walk){walk->part + 1, 0};
  }
  return refused ? -1 : entries;
}

static BfStatus move_parts(Transfer *t, int64_t row, const BfParts *parts, char *buffer, BfError *error) {
  const int64_t most    = most_entries(t->type);
  int64_t       entries = 0;
  Walk          walk    = {0, 0};
  BF_TRY(begin(t, error));
  for (int p = 0; p < parts->parts; p++) entries += parts->count[p];
  const int64_t rounds = most_rounds(t->store, (entries + most - 1) / most);
  BfStatus      status = BF_OK;
  for (int64_t r = 0; r < rounds && status == BF_OK; r++) {
    const int64_t n = t->space < 0 ? -1 : select_next(t->space, row, parts, &walk, most);
    status          = move(t, n, buffer, error);
    buffer += n * bf_store_size(t->type);
  }
  return end(t, status, error);
}

BfStatus bf_store_write_parts(BfStore *store, const char *path, BfStoreType type, int64_t row, const BfParts *parts,
                              const void *data, BfError *error) {
  Transfer t = {.store = store, .path = path, .type = type, .write = true};
  return move_parts(&t, row, parts, (char *)data, error);
}

BfStatus bf_store_read_parts(BfStore *store, const char *path, BfStoreType type, int64_t row, const BfParts *parts,
                             void *data, BfError *error) {
  Transfer t = {.store = store, .path = path, .type = type};
  int64_t  dims[BF_STORE_DIMS];
  BF_TRY(bf_store_extent_of(store, path, row < 0 ? 1 : 2, dims, error));
  const int64_t length = dims[row >= 0];
  int           fits   = row < 0 || row < dims[0];
  for (int p = 0; p < parts->parts && fits; p++)
    fits = parts->first[p] >= 0 && parts->first[p] + parts->count[p] <= length;
  BF_TRY(check(&t, !fits, "has an unexpected shape", error));
  return move_parts(&t, row, parts, data, error);
}
