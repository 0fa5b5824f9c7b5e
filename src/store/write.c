#include "run/limits.h"
#include "store/store.h"

static const int64_t least_chunk = (int64_t)1 << 20, most_chunk = (int64_t)8 << 20;

/* A chunk of 1 MiB stays in the cache from checksum to copy; larger ones keep the index of a large array short. */
static int64_t chunk_bytes(int64_t bytes) {
  const int64_t share = bytes >> 12;
  return share < least_chunk ? least_chunk : share > most_chunk ? most_chunk : share;
}

/* Chunks of that size: whole trailing dimensions while they fit, one entry of the leading ones. Returns the bytes of
 * all chunks and of what describes them; 0 where there is nothing to chunk. */
static int64_t cut_chunks(BfStoreType type, int rank, const int64_t dims[], hsize_t chunk[]) {
  const int64_t most = chunk_bytes(bf_store_product(rank, dims) * bf_store_size(type));
  int64_t       left = most / bf_store_size(type), chunks = 1, bytes = bf_store_size(type);
  for (int i = rank - 1; i >= 0; i--) {
    if (dims[i] == 0) return 0;
    chunk[i] = (hsize_t)(dims[i] < left ? dims[i] : left);
    if (rank == 2 && i == 0 && dims[1] * bf_store_size(type) >= most) chunk[i] = 1;
    left = left / (int64_t)chunk[i] < 1 ? 1 : left / (int64_t)chunk[i];
    chunks *= (dims[i] + (int64_t)chunk[i] - 1) / (int64_t)chunk[i];
    bytes *= (int64_t)chunk[i];
  }
  return chunks * (bytes + 128);
}

static hid_t layout(BfStoreType type, int rank, const int64_t dims[]) {
  const hid_t list = H5Pcreate(H5P_DATASET_CREATE);
  hsize_t     chunk[BF_STORE_DIMS];
  if (list < 0 || !cut_chunks(type, rank, dims, chunk)) return list; /* nothing to damage */
  if (H5Pset_chunk(list, rank, chunk) >= 0 && H5Pset_fletcher32(list) >= 0 &&
      H5Pset_alloc_time(list, H5D_ALLOC_TIME_EARLY) >= 0 && H5Pset_fill_time(list, H5D_FILL_TIME_NEVER) >= 0)
    return list;
  H5Pclose(list);
  return -1;
}

static hid_t make(BfStore *store, const char *path, BfStoreType type, int rank, const int64_t dims[]) {
  hsize_t extent[BF_STORE_DIMS] = {0};
  for (int i = 0; i < rank; i++) extent[i] = (hsize_t)dims[i];
  const hid_t space = H5Screate_simple(rank, extent, NULL), list = layout(type, rank, dims);
  const hid_t data = list < 0 || space < 0 ? -1
                                           : H5Dcreate2(store->file, path, bf_store_file_type(type), space,
                                                        store->create_links, list, H5P_DEFAULT);
  if (list >= 0) H5Pclose(list);
  if (space >= 0) H5Sclose(space);
  return data;
}

BfStatus bf_store_define(BfStore *store, const char *path, BfStoreType type, int rank, const int64_t dims[],
                         BfError *error) {
  hsize_t       unused[BF_STORE_DIMS];
  const int64_t description = 4 << 10; /* header, link, index: at most a few of these a dataset */
  BF_TRY(bf_store_reserve(store, cut_chunks(type, rank, dims, unused) + description, path, error));
  const hid_t data   = make(store, path, type, rank, dims);
  const int   failed = data < 0 || H5Dclose(data) < 0;
  return bf_store_check(store, failed, BF_FAILURE, path, "cannot be created", error);
}

BfStatus bf_store_write(BfStore *store, const char *path, BfStoreType type, int rank, const int64_t dims[],
                        const void *data, BfError *error) {
  const int64_t start[BF_STORE_DIMS] = {0}, none[BF_STORE_DIMS] = {0};
  BF_TRY(bf_store_define(store, path, type, rank, dims, error));
  if (!bf_store_product(rank, dims)) return BF_OK; /* HDF5 fails to write nothing together */
  return bf_store_write_block(store, path, type, rank, start, store->rank == 0 ? dims : none, data, error);
}
