#include "train/input.h"
#include "run/hash.h"
#include <stdio.h>

/* Rank 0 reads. */
static BfStatus hash_file(const char *option, const char *path, int64_t *hash, BfError *error) {
  uint64_t    sum;
  const char *why = bf_hash_file(path, &sum);
  if (why) return bf_fail(error, BF_BAD_INPUT, "-%s %s cannot be read: %s", option, path, why);
  *hash = (int64_t)(sum | 1);
  return BF_OK;
}

BfStatus bf_input_hash(const BfRun *run, const char *option, const char *path, int64_t *hash, BfError *error) {
  *hash = 0;
  if (!path) return BF_OK;
  BF_TRY(bf_together(run->world, run->rank == 0 ? hash_file(option, path, hash, error) : BF_OK, error));
  MPI_Bcast(hash, 1, MPI_INT64_T, 0, run->world);
  return BF_OK;
}

typedef char Name[64];

static const char *name_of(const char *option, Name name) {
  snprintf(name, sizeof(Name), "%s_hash", option);
  return name;
}

BfStatus bf_input_save(const char *option, int64_t hash, BfStore *store, BfError *error) {
  return bf_store_put_int(store, "/options", name_of(option, (Name){0}), hash, error);
}

BfStatus bf_input_restore(const char *option, int64_t *hash, BfStore *store, BfError *error) {
  Name name;
  bool there;
  BF_TRY(bf_store_has_attribute(store, "/options", name_of(option, name), &there, error));
  return there ? bf_store_get_int(store, "/options", name, hash, error) : BF_OK;
}

BfStatus bf_input_compare(const char *option, const char *path, int64_t hash, BfStore *store, bool *differ,
                          BfError *error) {
  int64_t then = hash;
  BF_TRY(bf_input_restore(option, &then, store, error));
  *differ = then != hash;
  if (!*differ) return BF_OK;
  if (then && path) return bf_fail(error, BF_BAD_INPUT, "-%s %s is not the file that it was", option, path);
  return bf_fail(error, BF_BAD_INPUT, "-%s was %s, now %s", option, then ? "a file" : "not given",
                 path ? path : "not given");
}
