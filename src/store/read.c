#include "run/limits.h"
#include "store/store.h"
#include <string.h>

enum { MOST_DIMS = 4 };

BfStatus bf_store_extent(BfStore *store, const char *path, int *rank, int64_t dims[], BfError *error) {
  hsize_t     extent[32] = {0};
  const hid_t data       = H5Dopen2(store->file, path, H5P_DEFAULT);
  BF_TRY(bf_store_check(store, data < 0, BF_BAD_INPUT, path, "is not there", error));
  const hid_t space = H5Dget_space(data);
  *rank             = space < 0 ? -1 : H5Sget_simple_extent_ndims(space);
  int failed        = *rank < 1 || *rank > MOST_DIMS || H5Sget_simple_extent_dims(space, extent, NULL) < 0;
  for (int i = 0; i < *rank && !failed; i++) dims[i] = (int64_t)extent[i];
  if (space >= 0) H5Sclose(space);
  if (H5Dclose(data) < 0) failed = 1;
  return bf_store_check(store, failed, BF_BAD_INPUT, path, "has an unexpected shape", error);
}

static herr_t transfer(BfStore *store, hid_t data, BfStoreType type, int rank, const int64_t start[],
                       const int64_t count[], void *buffer) {
  hsize_t at[MOST_DIMS], size[MOST_DIMS], entries = 1;
  for (int i = 0; i < rank; i++) {
    at[i]   = (hsize_t)start[i];
    size[i] = (hsize_t)count[i];
    entries *= size[i];
  }
  const hid_t  file = H5Dget_space(data), memory = H5Screate_simple(rank, size, NULL);
  const herr_t selected = file < 0 || memory < 0     ? -1
                          : entries                  ? H5Sselect_hyperslab(file, H5S_SELECT_SET, at, NULL, size, NULL)
                          : H5Sselect_none(file) < 0 ? -1
                                                     : H5Sselect_none(memory);
  const herr_t status =
      selected < 0 ? -1 : H5Dread(data, bf_store_memory_type(type), memory, file, store->transfer, buffer);
  if (memory >= 0) H5Sclose(memory);
  if (file >= 0) H5Sclose(file);
  return status;
}

/* The same class of numbers and the same size; anything else is not what this program wrote. */
int bf_store_type_fits(hid_t data, BfStoreType type) {
  const hid_t has = H5Dget_type(data), wanted = bf_store_file_type(type);
  const int   fits = has >= 0 && H5Tget_class(has) == H5Tget_class(wanted) && H5Tget_size(has) == H5Tget_size(wanted);
  if (has >= 0) H5Tclose(has);
  return fits;
}

BfStatus bf_store_read_block(BfStore *store, const char *path, BfStoreType type, int rank, const int64_t start[],
                             const int64_t count[], void *data, BfError *error) {
  int     has = 0;
  int64_t dims[MOST_DIMS], size = bf_store_size(type), entries = 1, most,
                           share = (bf_limits()->file_bytes + size - 1) / size;
  BF_TRY(bf_store_extent(store, path, &has, dims, error));
  BF_TRY(bf_store_check(store, has != rank, BF_BAD_INPUT, path, "has an unexpected shape", error));
  for (int i = 0; i < rank; i++) entries *= count[i];
  int axis = 0;
  while (axis < rank - 1 && count[axis] <= 1) axis++;
  int64_t pieces = (entries + share - 1) / share;
  if (pieces > count[axis]) pieces = count[axis];
  if (pieces < 1) pieces = 1;
  MPI_Allreduce(&pieces, &most, 1, MPI_INT64_T, MPI_MAX, store->comm);
  const hid_t set    = H5Dopen2(store->file, path, H5P_DEFAULT);
  BfStatus    status = bf_store_check(store, set < 0 || !bf_store_type_fits(set, type), BF_BAD_INPUT, path,
                                      "has an unexpected type", error);
  char       *to     = data;
  for (int64_t p = 0; p < most && status == BF_OK; p++) {
    int64_t at[MOST_DIMS], part[MOST_DIMS], n = 1;
    for (int i = 0; i < rank; i++) {
      at[i]   = start[i];
      part[i] = p < pieces ? count[i] : 0;
    }
    if (p < pieces) {
      at[axis]   = start[axis] + count[axis] * p / pieces;
      part[axis] = start[axis] + count[axis] * (p + 1) / pieces - at[axis];
    }
    for (int i = 0; i < rank; i++) n *= part[i];
    status = bf_store_check(store, transfer(store, set, type, rank, at, part, to) < 0, BF_BAD_INPUT, path, "is damaged",
                            error);
    to += n * size;
  }
  if (status != BF_OK) return status; /* the dataset is closed with its file */
  return bf_store_check(store, H5Dclose(set) < 0, BF_FAILURE, path, "cannot be closed", error);
}

BfStatus bf_store_read(BfStore *store, const char *path, BfStoreType type, int rank, int64_t dims[], void **data,
                       BfError *error) {
  int     has = 0;
  int64_t n = 1, extent[MOST_DIMS], start[MOST_DIMS] = {0};
  void   *array = NULL;
  BF_TRY(bf_store_extent(store, path, &has, extent, error));
  BF_TRY(bf_store_check(store, has != rank, BF_BAD_INPUT, path, "has an unexpected shape", error));
  for (int i = 0; i < rank; i++) n *= extent[i];
  array = bf_calloc(n, (size_t)bf_store_size(type), error);
  if (bf_together(store->comm, array ? BF_OK : error->status, error) != BF_OK) {
    bf_free(array);
    return error->status;
  }
  if (n && bf_store_read_block(store, path, type, rank, start, extent, array, error) !=
               BF_OK) { /* HDF5 fails to read nothing */
    bf_free(array);
    return error->status;
  }
  memcpy(dims, extent, sizeof *dims * (size_t)rank);
  *data = array;
  return BF_OK;
}

BfStatus bf_store_has(BfStore *store, const char *path, bool *there, BfError *error) {
  const htri_t answer = H5Lexists(store->file, path, H5P_DEFAULT);
  *there              = answer > 0;
  return bf_store_check(store, answer < 0, BF_BAD_INPUT, path, "cannot be looked for", error);
}

BfStatus bf_store_list(BfStore *store, const char *path, int *count, char ***names, BfError *error) {
  H5G_info_t  info  = {0};
  char      **list  = NULL;
  const hid_t group = H5Gopen2(store->file, path, H5P_DEFAULT);
  BF_TRY(bf_store_check(store, group < 0, BF_BAD_INPUT, path, "is not there", error));
  int failed = H5Gget_info(group, &info) < 0 || BF_NEW(&list, (int64_t)info.nlinks, error) != BF_OK;
  for (hsize_t i = 0; i < info.nlinks && !failed; i++) {
    const ssize_t length = H5Lget_name_by_idx(group, ".", H5_INDEX_NAME, H5_ITER_INC, i, NULL, 0, H5P_DEFAULT);
    failed =
        length < 0 || BF_NEW(&list[i], length + 1, error) != BF_OK ||
        H5Lget_name_by_idx(group, ".", H5_INDEX_NAME, H5_ITER_INC, i, list[i], (size_t)length + 1, H5P_DEFAULT) < 0;
  }
  failed |= H5Gclose(group) < 0;
  if (bf_store_check(store, failed, BF_BAD_INPUT, path, "cannot be listed", error) != BF_OK) {
    for (hsize_t i = 0; list && i < info.nlinks; i++) bf_free(list[i]);
    bf_free(list);
    return error->status;
  }
  *count = (int)info.nlinks;
  *names = list;
  return BF_OK;
}
