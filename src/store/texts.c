/* A column of texts. */
#include "store/store.h"
#include <string.h>

typedef struct {
  hid_t  type, space;
  char  *bytes; /* [count][width], filled up with '\0' */
  size_t width;
} Texts;

static BfStatus pack(BfStore *store, const char *path, int64_t count, const char *const text[], Texts *t,
                     BfError *error) {
  const hsize_t extent = (hsize_t)count;
  t->width             = 1;
  for (int64_t i = 0; i < count; i++)
    if (strlen(text[i]) > t->width) t->width = strlen(text[i]);
  BF_TRY(BF_NEW(&t->bytes, count * (int64_t)t->width, error));
  for (int64_t i = 0; i < count; i++) memcpy(t->bytes + (size_t)i * t->width, text[i], strlen(text[i]));
  t->type  = H5Tcopy(H5T_C_S1);
  t->space = H5Screate_simple(1, &extent, NULL);
  if (t->space >= 0 && H5Tset_size(t->type, t->width) >= 0 && H5Tset_cset(t->type, H5T_CSET_UTF8) >= 0 &&
      H5Tset_strpad(t->type, H5T_STR_NULLPAD) >= 0)
    return BF_OK;
  return bf_fail(error, BF_FAILURE, "%s: %s cannot be created", store->path, path);
}

static BfStatus write(BfStore *store, const char *path, const Texts *t, BfError *error) {
  const hid_t data = H5Dcreate2(store->file, path, t->type, t->space, store->create_links, H5P_DEFAULT, H5P_DEFAULT);
  BF_TRY(bf_store_check(store, data < 0, BF_FAILURE, path, "cannot be created", error));
  const hid_t file = H5Dget_space(data);
  int         failed =
      store->rank && (H5Sselect_none(file) < 0 || H5Sselect_none(t->space) < 0); /* rank 0's texts are written */
  failed |= H5Dwrite(data, t->type, t->space, file, store->transfer, t->bytes) < 0;
  H5Sclose(file);
  failed |= H5Dclose(data) < 0;
  return bf_store_check(store, failed, BF_FAILURE, path, "cannot be written: " BF_STORE_LOST, error);
}

BfStatus bf_store_write_texts(BfStore *store, const char *path, int64_t count, const char *const text[],
                              BfError *error) {
  Texts    t      = {.type = -1, .space = -1};
  BfStatus status = bf_store_together(store, pack(store, path, count, text, &t, error), error);
  if (status == BF_OK) status = bf_store_reserve(store, count * (int64_t)t.width + (4 << 10), path, error);
  if (status == BF_OK) status = write(store, path, &t, error);
  if (t.space >= 0) H5Sclose(t.space);
  if (t.type >= 0) H5Tclose(t.type);
  bf_free(t.bytes);
  return status;
}
