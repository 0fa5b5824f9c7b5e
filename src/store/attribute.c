/* Attributes of groups and datasets. */
#include "store/store.h"
#include <string.h>

/* The object, made as a group where there is none. */
static hid_t object(BfStore *store, const char *path) {
  if (!strcmp(path, "/")) return H5Oopen(store->file, "/", H5P_DEFAULT);
  const hid_t there = H5Oopen(store->file, path, H5P_DEFAULT);
  if (there >= 0) return there;
  return H5Gcreate2(store->file, path, store->create_links, H5P_DEFAULT, H5P_DEFAULT);
}

/* Whether it failed. */
static int put(hid_t owner, const char *name, hid_t type, hid_t space, const void *value) {
  const hid_t attribute = owner < 0 ? -1 : H5Acreate2(owner, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
  if (attribute < 0) return 1;
  const int failed = H5Awrite(attribute, type, value) < 0;
  return (H5Aclose(attribute) < 0) | failed;
}

static BfStatus write(BfStore *store, const char *path, const char *name, hid_t type, const void *value,
                      BfError *error) {
  const hid_t space = H5Screate(H5S_SCALAR), owner = object(store, path);
  int         failed = put(owner, name, type, space, value);
  if (owner >= 0) failed |= H5Oclose(owner) < 0;
  if (space >= 0) H5Sclose(space);
  return bf_store_check(store, failed, BF_FAILURE, path, "cannot take an attribute", error);
}

static int put_text(hid_t owner, const char *name, hid_t space, const char *value) {
  const hid_t type   = H5Tcopy(H5T_C_S1);
  int         failed = H5Tset_size(type, strlen(value) + 1) < 0 || H5Tset_cset(type, H5T_CSET_UTF8) < 0;
  if (!failed) failed = put(owner, name, type, space, value);
  if (type >= 0) H5Tclose(type);
  return failed;
}

BfStatus bf_store_put_all(BfStore *store, const char *path, int64_t count, const BfAttribute attribute[],
                          BfError *error) {
  const hid_t space = H5Screate(H5S_SCALAR), owner = object(store, path);
  int         failed = owner < 0;
  for (int64_t i = 0; i < count && !failed; i++)
    failed = attribute[i].text ? put_text(owner, attribute[i].name, space, attribute[i].text)
                               : put(owner, attribute[i].name, H5T_NATIVE_DOUBLE, space, &attribute[i].number);
  if (owner >= 0) failed |= H5Oclose(owner) < 0;
  if (space >= 0) H5Sclose(space);
  return bf_store_check(store, failed, BF_FAILURE, path, "cannot take an attribute", error);
}

BfStatus bf_store_put_double(BfStore *store, const char *path, const char *name, double value, BfError *error) {
  return write(store, path, name, H5T_NATIVE_DOUBLE, &value, error);
}

BfStatus bf_store_put_int(BfStore *store, const char *path, const char *name, int64_t value, BfError *error) {
  return write(store, path, name, H5T_NATIVE_INT64, &value, error);
}

BfStatus bf_store_put_text(BfStore *store, const char *path, const char *name, const char *value, BfError *error) {
  return bf_store_put_all(store, path, 1, &(BfAttribute){.name = name, .text = value}, error);
}

static hid_t open_attribute(BfStore *store, const char *path, const char *name) {
  return H5Aopen_by_name(store->file, path, name, H5P_DEFAULT, H5P_DEFAULT);
}

static BfStatus read(BfStore *store, const char *path, const char *name, hid_t type, void *value, BfError *error) {
  const hid_t attribute = open_attribute(store, path, name), space = attribute < 0 ? -1 : H5Aget_space(attribute);
  const hid_t has = attribute < 0 ? -1 : H5Aget_type(attribute);
  const int   fits =
      has >= 0 && H5Tget_class(has) == H5Tget_class(type) && H5Sget_simple_extent_type(space) == H5S_SCALAR;
  const int failed = !fits || H5Aread(attribute, type, value) < 0;
  if (has >= 0) H5Tclose(has);
  if (space >= 0) H5Sclose(space);
  if (attribute >= 0) H5Aclose(attribute);
  if (failed) bf_fail(error, BF_BAD_INPUT, "%s: %s has no attribute %s", store->path, path, name);
  return bf_store_check(store, 0, BF_OK, path, "", error);
}

BfStatus bf_store_has_attribute(BfStore *store, const char *path, const char *name, bool *there, BfError *error) {
  const htri_t answer = H5Aexists_by_name(store->file, path, name, H5P_DEFAULT);
  *there              = answer > 0;
  return bf_store_check(store, answer < 0, BF_BAD_INPUT, path, "cannot be looked for", error);
}

BfStatus bf_store_get_double(BfStore *store, const char *path, const char *name, double *value, BfError *error) {
  return read(store, path, name, H5T_NATIVE_DOUBLE, value, error);
}

BfStatus bf_store_get_int(BfStore *store, const char *path, const char *name, int64_t *value, BfError *error) {
  return read(store, path, name, H5T_NATIVE_INT64, value, error);
}

static BfStatus text_of(const BfStore *store, const char *path, const char *name, hid_t attribute, hid_t has,
                        char **text, BfError *error) {
  if (has < 0 || H5Tget_class(has) != H5T_STRING || H5Tis_variable_str(has) != 0)
    return bf_fail(error, BF_BAD_INPUT, "%s: %s has no attribute %s", store->path, path, name);
  BF_TRY(BF_NEW(text, (int64_t)H5Tget_size(has) + 1, error));
  if (H5Tget_size(has) && H5Aread(attribute, has, *text) >= 0) return BF_OK;
  return bf_fail(error, BF_BAD_INPUT, "%s: attribute %s of %s is damaged", store->path, name, path);
}

BfStatus bf_store_get_text(BfStore *store, const char *path, const char *name, char **value, BfError *error) {
  const hid_t attribute = open_attribute(store, path, name);
  const hid_t has       = attribute < 0 ? -1 : H5Aget_type(attribute);
  char       *text      = NULL;
  bf_together(store->comm, text_of(store, path, name, attribute, has, &text, error), error);
  if (has >= 0) H5Tclose(has);
  if (attribute >= 0) H5Aclose(attribute);
  if (error->status == BF_OK) *value = text;
  else bf_free(text);
  return error->status;
}
