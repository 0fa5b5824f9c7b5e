#include "store/store.h"
#include <string.h>

BfStatus bf_store_read(BfStore *store, const char *path, BfStoreType type, int rank, int64_t dims[], void **data,
                       BfError *error) {
  int64_t extent[BF_STORE_DIMS], start[BF_STORE_DIMS] = {0};
  BF_TRY(bf_store_extent_of(store, path, rank, extent, error));
  const int64_t n     = bf_store_product(rank, extent);
  void         *array = bf_calloc(n, (size_t)bf_store_size(type), error);
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
