/* Shapes and types of arrays. */
#include "store/store.h"

int64_t bf_store_product(int rank, const int64_t count[]) {
  int64_t n = 1;
  for (int i = 0; i < rank; i++) n *= count[i];
  return n;
}

BfStatus bf_store_extent(BfStore *store, const char *path, int *rank, int64_t dims[], BfError *error) {
  hsize_t     extent[32] = {0};
  const hid_t data       = H5Dopen2(store->file, path, H5P_DEFAULT);
  BF_TRY(bf_store_check(store, data < 0, BF_BAD_INPUT, path, "is not there", error));
  const hid_t space = H5Dget_space(data);
  *rank             = space < 0 ? -1 : H5Sget_simple_extent_ndims(space);
  int failed        = *rank < 1 || *rank > BF_STORE_DIMS || H5Sget_simple_extent_dims(space, extent, NULL) < 0;
  for (int i = 0; i < *rank && !failed; i++) dims[i] = (int64_t)extent[i];
  if (space >= 0) H5Sclose(space);
  if (H5Dclose(data) < 0) failed = 1;
  return bf_store_check(store, failed, BF_BAD_INPUT, path, "has an unexpected shape", error);
}

BfStatus bf_store_extent_of(BfStore *store, const char *path, int rank, int64_t dims[], BfError *error) {
  int has = 0;
  BF_TRY(bf_store_extent(store, path, &has, dims, error));
  return bf_store_check(store, has != rank, BF_BAD_INPUT, path, "has an unexpected shape", error);
}

/* The same class of numbers and the same size; anything else is not what this program wrote. */
bool bf_store_type_fits(hid_t data, BfStoreType type) {
  const hid_t has = H5Dget_type(data), wanted = bf_store_file_type(type);
  const bool  fits = has >= 0 && H5Tget_class(has) == H5Tget_class(wanted) && H5Tget_size(has) == H5Tget_size(wanted);
  if (has >= 0) H5Tclose(has);
  return fits;
}
