#include "store/store.h"

enum { MOST_DIMS = 4 };
static const int64_t least_chunk = (int64_t)1 << 20, most_chunk = (int64_t)8 << 20;
static const int64_t write_bytes = (int64_t)1 << 30; /* MPI-IO counts are int */

static int64_t type_size(BfStoreType type) { return (int64_t)H5Tget_size(bf_store_memory_type(type)); }

static int64_t product(int rank, const int64_t count[]) {
  int64_t n = 1;
  for (int i = 0; i < rank; i++) n *= count[i];
  return n;
}

/* A chunk of 1 MiB stays in the cache from checksum to copy; larger ones keep the index of a large array short. */
static int64_t chunk_bytes(int64_t bytes) {
  const int64_t share = bytes >> 12;
  return share < least_chunk ? least_chunk : share > most_chunk ? most_chunk : share;
}

/* Chunks of that size: whole trailing dimensions while they fit, one entry of the leading ones. Returns the bytes of
 * all chunks and of what describes them; 0 where there is nothing to chunk. */
static int64_t cut_chunks(BfStoreType type, int rank, const int64_t dims[], hsize_t chunk[]) {
  const int64_t most = chunk_bytes(product(rank, dims) * type_size(type));
  int64_t       left = most / type_size(type), chunks = 1, bytes = type_size(type);
  for (int i = rank - 1; i >= 0; i--) {
    if (dims[i] == 0) return 0;
    chunk[i] = (hsize_t)(dims[i] < left ? dims[i] : left);
    if (rank == 2 && i == 0 && dims[1] * type_size(type) >= most) chunk[i] = 1;
    left = left / (int64_t)chunk[i] < 1 ? 1 : left / (int64_t)chunk[i];
    chunks *= (dims[i] + (int64_t)chunk[i] - 1) / (int64_t)chunk[i];
    bytes *= (int64_t)chunk[i];
  }
  return chunks * (bytes + 128);
}

static hid_t layout(BfStoreType type, int rank, const int64_t dims[]) {
  const hid_t list = H5Pcreate(H5P_DATASET_CREATE);
  hsize_t     chunk[MOST_DIMS];
  if (!cut_chunks(type, rank, dims, chunk)) return list; /* nothing to damage */
  H5Pset_chunk(list, rank, chunk);
  H5Pset_fletcher32(list);
  H5Pset_alloc_time(list, H5D_ALLOC_TIME_EARLY);
  H5Pset_fill_time(list, H5D_FILL_TIME_NEVER);
  return list;
}

static hid_t make(BfStore *store, const char *path, BfStoreType type, int rank, const int64_t dims[]) {
  hsize_t extent[MOST_DIMS] = {0};
  for (int i = 0; i < rank; i++) extent[i] = (hsize_t)dims[i];
  const hid_t space = H5Screate_simple(rank, extent, NULL), list = layout(type, rank, dims);
  const hid_t data =
      H5Dcreate2(store->file, path, bf_store_file_type(type), space, store->create_links, list, H5P_DEFAULT);
  H5Pclose(list);
  H5Sclose(space);
  return data;
}

BfStatus bf_store_define(BfStore *store, const char *path, BfStoreType type, int rank, const int64_t dims[],
                         BfError *error) {
  hsize_t       unused[MOST_DIMS];
  const int64_t description = 4 << 10; /* header, link, index: at most a few of these a dataset */
  BF_TRY(bf_store_reserve(store, cut_chunks(type, rank, dims, unused) + description, path, error));
  const hid_t data = make(store, path, type, rank, dims);
  if (data >= 0) H5Dclose(data);
  return bf_store_check(store, data < 0, BF_FAILURE, path, "cannot be created", error);
}

/* One collective write of a block; a block without entries takes part with an empty selection. */
static herr_t transfer(BfStore *store, hid_t data, BfStoreType type, int rank, const int64_t start[],
                       const int64_t count[], const void *buffer) {
  hsize_t at[MOST_DIMS], size[MOST_DIMS];
  hsize_t entries = 1;
  for (int i = 0; i < rank; i++) {
    at[i]   = (hsize_t)start[i];
    size[i] = (hsize_t)count[i];
    entries *= size[i];
  }
  const hid_t file = H5Dget_space(data), memory = H5Screate_simple(rank, size, NULL);
  if (entries) H5Sselect_hyperslab(file, H5S_SELECT_SET, at, NULL, size, NULL);
  else {
    H5Sselect_none(file);
    H5Sselect_none(memory);
  }
  const herr_t status = H5Dwrite(data, bf_store_memory_type(type), memory, file, store->transfer, buffer);
  H5Sclose(memory);
  H5Sclose(file);
  return status;
}

/* Cut a block that is too large for one write along the first dimension that is longer than one. */
BfStatus bf_store_write_block(BfStore *store, const char *path, BfStoreType type, int rank, const int64_t start[],
                              const int64_t count[], const void *data, BfError *error) {
  const int64_t bytes  = product(rank, count) * type_size(type);
  int64_t       pieces = (bytes + write_bytes - 1) / write_bytes, most, at[MOST_DIMS], size[MOST_DIMS];
  int           axis = 0, failed = 0;
  const char   *from = data;
  while (axis < rank - 1 && count[axis] <= 1) axis++;
  if (pieces > count[axis]) pieces = count[axis];
  if (pieces < 1) pieces = 1;
  MPI_Allreduce(&pieces, &most, 1, MPI_INT64_T, MPI_MAX, store->comm);
  const hid_t set = H5Dopen2(store->file, path, H5P_DEFAULT);
  BF_TRY(bf_store_check(store, set < 0, BF_FAILURE, path, "is not there", error));
  for (int64_t p = 0; p < most; p++) {
    for (int i = 0; i < rank; i++) {
      at[i]   = start[i];
      size[i] = p < pieces ? count[i] : 0;
    }
    if (p < pieces) {
      at[axis]   = start[axis] + count[axis] * p / pieces;
      size[axis] = start[axis] + count[axis] * (p + 1) / pieces - at[axis];
    }
    failed = transfer(store, set, type, rank, at, size, from) < 0;
    MPI_Allreduce(MPI_IN_PLACE, &failed, 1, MPI_INT, MPI_LOR,
                  store->comm); /* who fails alone is missing in the next call */
    if (failed) break;
    from += product(rank, size) * type_size(type);
  }
  H5Dclose(set);
  return bf_store_check(store, failed, BF_FAILURE, path, "cannot be written: is the disk full?", error);
}

BfStatus bf_store_write(BfStore *store, const char *path, BfStoreType type, int rank, const int64_t dims[],
                        const void *data, BfError *error) {
  const int64_t start[MOST_DIMS] = {0}, none[MOST_DIMS] = {0};
  BF_TRY(bf_store_define(store, path, type, rank, dims, error));
  if (!product(rank, dims)) return BF_OK; /* HDF5 fails to write nothing together */
  return bf_store_write_block(store, path, type, rank, start, store->rank == 0 ? dims : none, data, error);
}
