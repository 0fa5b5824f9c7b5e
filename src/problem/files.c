/* The bytes of every file that a problem consists of: read by rank 0, the same on all ranks. */
#include "bellformer/problem.h"
#include "bellformer/run.h"
#include "run/limits.h"
#include "run/text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

BfStatus bf_files_create(MPI_Comm comm, const char *directory, BfFiles **out, BfError *error) {
  BfFiles *files;
  BF_TRY(BF_NEW(&files, 1, error));
  files->comm = comm;
  if (directory && !(files->directory = bf_text_copy(directory, (int64_t)strlen(directory), error))) {
    bf_free(files);
    return error->status;
  }
  *out = files;
  return BF_OK;
}

void bf_files_destroy(BfFiles **files) {
  if (!*files) return;
  for (int k = 0; k < (*files)->count; k++) {
    bf_free((*files)->file[k].name);
    bf_free((*files)->file[k].bytes);
  }
  bf_free((*files)->file);
  bf_free((*files)->directory);
  bf_free(*files);
  *files = NULL;
}

static BfFile *find(const BfFiles *files, const char *name) {
  for (int k = 0; k < files->count; k++)
    if (!strcmp(files->file[k].name, name)) return &files->file[k];
  return NULL;
}

/* Add a file whose bytes are taken over, also on failure. */
static BfStatus add(BfFiles *files, const char *name, char *bytes, int64_t size, BfError *error) {
  int64_t room = files->room;
  char   *copy = bf_text_copy(name, (int64_t)strlen(name), error);
  if (!copy || bf_array_room(&files->file, files->count, &room, sizeof *files->file, error) != BF_OK) {
    bf_free(copy);
    bf_free(bytes);
    return error->status;
  }
  files->room                 = (int)room;
  files->file[files->count++] = (BfFile){.name = copy, .bytes = bytes, .size = size};
  return BF_OK;
}

BfStatus bf_files_add(BfFiles *files, const char *name, const char *bytes, int64_t size, BfError *error) {
  if (find(files, name)) return bf_fail(error, BF_BAD_INPUT, "%s: given twice", name);
  char *copy = bf_text_copy(bytes, size, error);
  if (!copy) return error->status;
  return add(files, name, copy, size, error);
}

/* All of a stream that may not know its size (a pipe). */
static BfStatus read_stream(FILE *stream, int64_t guess, char **bytes, int64_t *size, BfError *error) {
  int64_t room = guess + 1, count = 0; /* one more than the guess, to see the end in the first call */
  char   *buffer;
  BF_TRY(BF_NEW(&buffer, room + 1, error));
  for (;;) {
    size_t got = fread(buffer + count, 1, (size_t)(room - count), stream);
    count += (int64_t)got;
    if (count < room) break;
    char *grown = bf_calloc(2 * room + 1, 1, error);
    if (!grown) {
      bf_free(buffer);
      return error->status;
    }
    memcpy(grown, buffer, (size_t)count);
    bf_free(buffer);
    buffer = grown;
    room *= 2;
  }
  if (ferror(stream)) {
    bf_free(buffer);
    return bf_fail(error, BF_BAD_INPUT, "cannot read it: %s", strerror(errno));
  }
  buffer[count] = '\0';
  *bytes        = buffer;
  *size         = count;
  return BF_OK;
}

static BfStatus read_disk(const BfFiles *files, const char *name, char **bytes, int64_t *size, BfError *error) {
  char        path[4096];
  struct stat about;
  int         relative = name[0] != '/' && files->directory[0];
  if (snprintf(path, sizeof path, "%s%s%s", relative ? files->directory : "", relative ? "/" : "", name) >=
      (int)sizeof path)
    return bf_fail(error, BF_BAD_INPUT, "%s: the path is too long", name);
  FILE *stream = fopen(path, "rb");
  if (!stream) return bf_fail(error, BF_BAD_INPUT, "cannot read %s: %s", path, strerror(errno));
  if (fstat(fileno(stream), &about) || S_ISDIR(about.st_mode)) {
    fclose(stream);
    return bf_fail(error, BF_BAD_INPUT, "cannot read %s: not a file", path);
  }
  BfStatus status = read_stream(stream, S_ISREG(about.st_mode) ? (int64_t)about.st_size : 65536, bytes, size, error);
  fclose(stream);
  if (status != BF_OK) bf_error_prefix(error, "%s", path);
  return status;
}

/* What rank 0 has read, to all. */
static BfStatus share(MPI_Comm comm, int rank, char **bytes, int64_t *size, BfError *error) {
  const int64_t piece = bf_limits()->sent_bytes; /* counts of MPI calls are int */
  MPI_Bcast(size, 1, MPI_INT64_T, 0, comm);
  if (rank) *bytes = bf_calloc(*size + 1, 1, error);
  BF_TRY(bf_together(comm, *bytes ? BF_OK : error->status, error));
  for (int64_t at = 0; at < *size; at += piece)
    MPI_Bcast(*bytes + at, (int)(*size - at < piece ? *size - at : piece), MPI_BYTE, 0, comm);
  return BF_OK;
}

BfStatus bf_files_get(BfFiles *files, const char *name, const BfFile **out, BfError *error) {
  BfFile *file  = find(files, name);
  char   *bytes = NULL;
  int64_t size  = 0;
  int     rank;
  if (!file) {
    if (!files->directory) return bf_fail(error, BF_BAD_INPUT, "%s is not among the files of the problem", name);
    MPI_Comm_rank(files->comm, &rank);
    BF_TRY(bf_together(files->comm, rank ? BF_OK : read_disk(files, name, &bytes, &size, error), error));
    if (share(files->comm, rank, &bytes, &size, error) != BF_OK) {
      bf_free(bytes);
      return error->status;
    }
    BF_TRY(bf_together(files->comm, add(files, name, bytes, size, error), error));
    file = find(files, name);
  }
  *out = file;
  return BF_OK;
}
