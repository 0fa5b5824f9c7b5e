/* The tree streamed to checkpoints: where ranks have come to hold much of it, it becomes an array of a generation of
 * its own, tree/ID/K, which no later generation writes again (bellformer/checkpoint.h): K from 0, ID the level's. So
 * memory does not grow with the number of boxes; the files appear by rename, are sealed by sums, and vanish with the
 * run's folder, or where no generation refers to them any more. A run without -o has no such files: it keeps all. */
#include "certify/ladder.h"
#include "run/limits.h"
#include <stdio.h>

typedef char Name[64];

/* Of one array, or with -1 what the names of all begin with. */
static const char *name_of(const BfRecords *records, int64_t array, Name name) {
  const int length = snprintf(name, sizeof(Name), "tree/%lld/", (long long)records->id);
  if (array >= 0) snprintf(name + length, sizeof(Name) - (size_t)length, "%lld", (long long)array);
  return name;
}

double bf_ladder_checkpoint_bytes(const BfLadder *x) {
  return (double)x->level.bytes + (double)x->kept.bytes + (double)x->kept_cells.count +
         (double)x->by_value.cells.proofs.record.count + 16.0 * (double)bf_list_waiting(&x->list) * (x->of.n + 1) +
         16.0 * (double)x->of.free.all;
}

/* At least as much as stands beside it in a generation: the files are at most twice as long as the tree. */
bool bf_stream_due(const BfLadder *x, const BfRecords *records) {
  const double bytes = (double)records->bytes, beside = bf_ladder_checkpoint_bytes(x) - bytes;
  return x->checkpoint && records->bytes >= bf_limits()->tree_bytes * x->run->size && bytes >= beside;
}

BfStatus bf_stream_put(const BfLadder *x, BfRecords *records, BfError *error) {
  Name name;
  BF_TRY(bf_records_even(x->run->world, records, error));
  BF_TRY(bf_checkpoint_array(x->checkpoint, name_of(records, records->arrays, name), BF_STORE_BYTE, records->bytes, 1,
                             &(BfParts){(int)records->segments, records->first, records->count}, records->mine.byte,
                             error));
  records->arrays++;
  records->filed += records->bytes;
  bf_records_empty(records);
  return BF_OK;
}

BfStatus bf_stream_check(BfCheckpoint *checkpoint, const BfRecords *records, BfError *error) {
  const int64_t none = 0;
  int64_t       rows, all = 0;
  Name          name;
  for (int64_t k = 0; k < records->arrays; k++) {
    name_of(records, k, name);
    BF_TRY(bf_checkpoint_rows(checkpoint, name, &rows, error));
    BF_TRY(bf_checkpoint_read(checkpoint, name, BF_STORE_BYTE, 1, &(BfParts){0, &none, &none}, NULL, error));
    all += rows;
  }
  if (all == records->filed) return BF_OK;
  return bf_fail(error, BF_BAD_INPUT, "/arrays/%s does not fit the position of the run", name_of(records, -1, name));
}

/* One array of the stream to its place in the tree, a slice by each rank. */
static BfStatus copy(const BfLadder *x, const char *from, int64_t at, int64_t rows, BfStore *store, const char *path,
                     BfError *error) {
  int64_t  first, count;
  uint8_t *bytes;
  bf_slice(rows, x->run->rank, x->run->size, &first, &count);
  BfStatus status = bf_together(x->run->world, BF_NEW(&bytes, count, error), error);
  if (status == BF_OK)
    status = bf_checkpoint_read(x->checkpoint, from, BF_STORE_BYTE, 1, &(BfParts){1, &first, &count}, bytes, error);
  first += at;
  if (status == BF_OK)
    status = bf_store_write_parts(store, path, BF_STORE_BYTE, -1, &(BfParts){1, &first, &count}, bytes, error);
  bf_free(bytes);
  return status;
}

BfStatus bf_stream_write(const BfLadder *x, const BfRecords *records, BfStore *store, const char *path,
                         BfError *error) {
  const int64_t all = records->filed + records->bytes;
  int64_t       rows, at = 0, first, count;
  Name          name;
  if (!all) return BF_OK;
  BF_TRY(bf_store_define(store, path, BF_STORE_BYTE, 1, &all, error));
  for (int64_t k = 0; k < records->arrays; k++, at += rows) {
    name_of(records, k, name);
    BF_TRY(bf_checkpoint_rows(x->checkpoint, name, &rows, error));
    BF_TRY(copy(x, name, at, rows, store, path, error));
  }
  bf_slice(records->bytes, x->run->rank, x->run->size, &first, &count);
  first += at;
  return bf_store_write_parts(store, path, BF_STORE_BYTE, -1, &(BfParts){1, &first, &count}, records->mine.byte, error);
}

void bf_stream_drop(const BfLadder *x, BfRecords *records) {
  Name name;
  if (records->arrays) bf_checkpoint_forget(x->checkpoint, name_of(records, -1, name));
  bf_records_clear(records);
}
