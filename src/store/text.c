/* A text file that appears whole, like an HDF5 one: written under a temporary name, synced, renamed. */
#include "bellformer/store.h"
#include "run/end.h"
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int write_all(const char *path, const char *text, int64_t length) {
  const int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
  if (file < 0) return -1;
  while (length > 0) {
    const ssize_t count = write(file, text, (size_t)length);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    text += count;
    length -= count;
  }
  int failed = length > 0 || fsync(file) ? errno ? errno : EIO : 0;
  if (close(file) && !failed) failed = errno;
  errno = failed;
  return failed ? -1 : 0;
}

static int sync_folder(const char *path) {
  char folder[4096];
  snprintf(folder, sizeof folder, "%s", path);
  const int file = open(dirname(folder), O_RDONLY | O_DIRECTORY);
  if (file < 0) return -1;
  const int failed = fsync(file);
  close(file);
  return failed;
}

static BfStatus publish(const char *path, const char *part, int overwrite, const char *text, int64_t length,
                        BfError *error) {
  struct stat about;
  const int   exists = lstat(path, &about) == 0;
  if (!exists && errno != ENOENT)
    return bf_fail(error, BF_BAD_INPUT, "%s cannot be written: %s", path, strerror(errno));
  if (exists && !overwrite) return bf_fail(error, BF_BAD_INPUT, "%s exists; give -overwrite to replace it", path);
  if (exists && !S_ISREG(about.st_mode))
    return bf_fail(error, BF_BAD_INPUT, "%s cannot be replaced: it is not an ordinary file", path);
  unlink(part);
  if (!write_all(part, text, length) && !rename(part, path) && !sync_folder(path)) return BF_OK;
  const int cause = errno;
  unlink(part);
  return bf_fail(error, cause == ENOSPC || cause == EFBIG || cause == EIO ? BF_FAILURE : BF_BAD_INPUT,
                 "%s cannot be written: %s", path, strerror(cause));
}

BfStatus bf_text_write(MPI_Comm comm, const char *path, int overwrite, const char *text, int64_t length,
                       BfError *error) {
  const size_t room = strlen(path) + sizeof ".part";
  char        *part = NULL;
  int          rank;
  MPI_Comm_rank(comm, &rank);
  BfStatus    status    = BF_NEW(&part, (int64_t)room, error);
  BfTemporary temporary = {.path = part, .made = rank == 0};
  if (part) {
    snprintf(part, room, "%s.part", path);
    bf_temporary_enlist(&temporary); /* before others may come so far as to make the file */
  }
  status = bf_together(comm, status, error);
  if (status == BF_OK)
    status = bf_together(comm, rank == 0 ? publish(path, part, overwrite, text, length, error) : BF_OK, error);
  bf_temporary_strike(&temporary);
  bf_free(part);
  return status;
}
