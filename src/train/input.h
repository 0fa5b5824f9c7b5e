/* A file that an option names and that the answer hangs on, known by its bytes: an attribute NAME_hash of /options. */
#pragma once
#include "bellformer/run.h"
#include "bellformer/store.h"

/* Of the file; 0 where path is NULL. BF_BAD_INPUT where it cannot be read. Collective. */
BfStatus bf_input_hash(const BfRun *run, const char *option, const char *path, int64_t *hash, BfError *error);
BfStatus bf_input_save(const char *option, int64_t hash, BfStore *store, BfError *error);
BfStatus bf_input_restore(const char *option, int64_t *hash, BfStore *store, BfError *error);
/* BF_BAD_INPUT and *differ where the store has another one. A store of an older version, without any, has the same.
 * Collective. */
BfStatus bf_input_compare(const char *option, const char *path, int64_t hash, BfStore *store, bool *differ,
                          BfError *error);
