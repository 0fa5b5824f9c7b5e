/* Formats of files: which are read. How they change: share/doc/formats.md. */
#include "store/store.h"
#include <stdio.h>

/* Files of before formats had numbers have none: their format is 1. */
static BfStatus read_format(BfStore *store, const char *path, int64_t *format, BfError *error) {
  int unnumbered =
      H5Lexists(store->file, path, H5P_DEFAULT) > 0 && H5Aexists_by_name(store->file, path, "format", H5P_DEFAULT) == 0;
  *format = 1;
  MPI_Bcast(&unnumbered, 1, MPI_INT, 0, store->comm);
  if (unnumbered) return BF_OK;
  return bf_store_get_int(store, path, "format", format, error);
}

static BfStatus judge(const BfStore *store, const BfFormats *read, int64_t format, BfError *error) {
  char from[32] = "";
  if (format >= read->oldest && format <= read->newest) return BF_OK;
  if (read->oldest < read->newest) snprintf(from, sizeof from, "%d to ", read->oldest);
  return bf_fail(error, BF_BAD_INPUT,
                 "%s: another version of bellformer wrote it (%s format %lld, this one reads %s%d)%s", store->path,
                 read->what, (long long)format, from, read->newest, read->advice);
}

BfStatus bf_store_check_format(BfStore *store, const char *path, const BfFormats *read, bool *other, BfError *error) {
  int64_t format;
  if (other) *other = false;
  BF_TRY(read_format(store, path, &format, error));
  const BfStatus status = bf_store_together(store, judge(store, read, format, error), error);
  if (other) *other = status == BF_BAD_INPUT;
  return status;
}
