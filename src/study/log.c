#include "study/log.h"
#include "checkpoint/checkpoint.h"
#include "run/text.h"
#include "study/outcome.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char crashed_twice[] = "set aside: it was in flight in two crashes";

/* ---- records by key --------------------------------------------------------------------------------------------- */

void bf_history_clear(BfHistory *h) {
  for (int64_t i = 0; i < h->count; i++) bf_record_destroy(&h->record[i]);
  bf_free(h->record);
  *h = (BfHistory){0};
}

/* Where a key is, or would be. */
static int64_t place(const BfHistory *h, const char *key) {
  int64_t low = 0, high = h->count;
  while (low < high) {
    const int64_t middle = (low + high) / 2;
    if (strcmp(h->record[middle]->key, key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

BfRecord *bf_history_find(const BfHistory *h, const char *key) {
  const int64_t at = place(h, key);
  return at < h->count && !strcmp(h->record[at]->key, key) ? h->record[at] : NULL;
}

BfStatus bf_history_put(BfHistory *h, BfRecord **record, BfError *error) {
  const int64_t at   = place(h, (*record)->key);
  const bool    same = at < h->count && !strcmp(h->record[at]->key, (*record)->key);
  if (!same && bf_array_room(&h->record, h->count, &h->room, sizeof(BfRecord *), error) != BF_OK) {
    bf_record_destroy(record);
    return error->status;
  }
  if (same) bf_record_destroy(&h->record[at]);
  else memmove(h->record + at + 1, h->record + at, sizeof(BfRecord *) * (size_t)(h->count++ - at));
  h->record[at] = *record;
  *record       = NULL;
  return BF_OK;
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

/* A record of a log: of a point that has just begun what is known of it stays. */
static BfStatus apply(BfHistory *h, BfRecord **record, BfError *error) {
  BfRecord *known = (*record)->state == BF_POINT_BEGUN ? bf_history_find(h, (*record)->key) : NULL;
  if (!known) return bf_history_put(h, record, error);
  known->state = BF_POINT_BEGUN;
  bf_record_destroy(record);
  return BF_OK;
}

/* *used: bytes of whole records. */
static BfStatus apply_all(BfHistory *h, const unsigned char *bytes, int64_t size, int64_t *used, BfError *error) {
  for (*used = 0; *used < size;) {
    BfRecord *record;
    int64_t   here;
    BF_TRY(bf_record_unpack(bytes + *used, size - *used, &here, &record, error));
    if (!here) break;
    *used += here;
    BF_TRY(apply(h, &record, error));
  }
  return BF_OK;
}

static BfStatus read_file(const char *path, int64_t *size, unsigned char **bytes, BfError *error) {
  struct stat about;
  const int   file = open(path, O_RDONLY);
  ssize_t     got  = 1;
  *size            = 0;
  *bytes           = NULL;
  if (file < 0 || fstat(file, &about)) bf_fail(error, BF_FAILURE, "%s cannot be read: %s", path, strerror(errno));
  else BF_NEW(bytes, about.st_size, error);
  while (*bytes && got > 0 && *size < about.st_size) {
    got = read(file, *bytes + *size, (size_t)(about.st_size - *size));
    *size += got > 0 ? got : 0;
  }
  if (got < 0) bf_fail(error, BF_FAILURE, "%s cannot be read: %s", path, strerror(errno));
  if (file >= 0) close(file);
  return error->status;
}

static BfStatus read_log(const BfRun *run, BfHistory *h, const char *path, bool grows, BfError *error) {
  unsigned char *bytes;
  int64_t        size, used = 0;
  BfStatus       status = read_file(path, &size, &bytes, error);
  if (status == BF_OK) status = apply_all(h, bytes, size, &used, error);
  if (status == BF_OK && used < size && !grows)
    bf_warn(run, "%s: the last %lld bytes are damaged, and left out", path, (long long)(size - used));
  bf_free(bytes);
  return status;
}

/* How a group ended, for the point that was in flight there. */
static BfStatus end_group(BfHistory *h, bool interrupted, BfError *error) {
  for (int64_t i = 0; i < h->count; i++) {
    BfRecord *r = h->record[i];
    if (r->state != BF_POINT_BEGUN) continue;
    r->crashes += !interrupted;
    r->state = r->crashes < 2 ? BF_POINT_STOPPED : BF_POINT_SET_ASIDE;
    if (r->state == BF_POINT_SET_ASIDE) BF_TRY(bf_record_say(r, crashed_twice, error));
  }
  return BF_OK;
}

/* ---- the files of a folder -------------------------------------------------------------------------------------- */

typedef enum { NO_FILE, OF_START, OF_GROUP, TAKEN, INTERRUPTED } FileKind;

typedef struct {
  int      start, leader;
  FileKind kind;
} File;

/* What a name in the folder is of. */
static File file_of(const char *name) {
  File f   = {0};
  int  end = 0;
  if (sscanf(name, "%9d-%9d.log%n", &f.start, &f.leader, &end) == 2 && end && !name[end]) f.kind = OF_GROUP;
  else if ((end = 0, sscanf(name, "%9d.log%n", &f.start, &end)) == 1 && end && !name[end]) f.kind = OF_START;
  else if ((end = 0, sscanf(name, "%9d.taken%n", &f.start, &end)) == 1 && end && !name[end]) f.kind = TAKEN;
  else if ((end = 0, sscanf(name, "%9d-%9d.interrupted%n", &f.start, &f.leader, &end)) == 2 && end && !name[end])
    f.kind = INTERRUPTED;
  return f;
}

static int compare_files(const void *a, const void *b) {
  const File *x = a, *y = b;
  if (x->start != y->start) return x->start < y->start ? -1 : 1;
  if (x->kind != y->kind) return x->kind < y->kind ? -1 : 1;
  return (x->leader > y->leader) - (x->leader < y->leader);
}

static void path_of(const char *out, const File *f, size_t size, char path[]) {
  char name[64];
  if (f->kind == OF_GROUP) snprintf(name, sizeof name, "%04d-%06d.log", f->start, f->leader);
  else if (f->kind == INTERRUPTED) snprintf(name, sizeof name, "%04d-%06d.interrupted", f->start, f->leader);
  else snprintf(name, sizeof name, "%04d.%s", f->start, f->kind == OF_START ? "log" : "taken");
  bf_folder_path(out, name, size, path);
}

/* The folder's, in the order of starts; of a start its own log first. */
static BfStatus list(const char *out, int64_t *count, File **files, BfError *error) {
  char    path[4096];
  int64_t room = 0;
  *count       = 0;
  *files       = NULL;
  bf_folder_path(out, "", sizeof path, path);
  DIR *folder = opendir(path);
  if (!folder && errno == ENOENT) return BF_OK;
  if (!folder) return bf_fail(error, BF_FAILURE, "%s cannot be read: %s", path, strerror(errno));
  for (struct dirent *entry; (entry = readdir(folder)) && error->status == BF_OK;) {
    const File f = file_of(entry->d_name);
    if (f.kind && bf_array_room(files, *count, &room, sizeof f, error) == BF_OK) (*files)[(*count)++] = f;
  }
  closedir(folder);
  if (*count) qsort(*files, (size_t)*count, sizeof **files, compare_files);
  return error->status;
}

/* The newest log of a start holds all before it. -1: none is there. */
static int64_t newest_start(const File *files, int64_t count) {
  int64_t newest = -1;
  for (int64_t i = 0; i < count; i++)
    if (files[i].kind == OF_START) newest = i;
  return newest;
}

static BfStatus read_result(const BfRun *run, BfHistory *h, const char *out, BfError *error) {
  unsigned char *bytes;
  int64_t        size, used = 0;
  if (access(out, F_OK) != 0) return BF_OK;
  BF_TRY(bf_outcome_records(out, &size, &bytes, error));
  const BfStatus status = apply_all(h, bytes, size, &used, error);
  if (status == BF_OK && used < size)
    bf_warn(run, "%s: the last %lld bytes of its records are damaged, and left out", out, (long long)(size - used));
  bf_free(bytes);
  return status;
}

void bf_history_mark(const char *out, int start, int leader, size_t size, char path[]) {
  path_of(out, &(File){start, leader, INTERRUPTED}, size, path);
}

/* The folder's files, as `list` gives them. */
typedef struct {
  int64_t count;
  File   *file;
  int     alive;
} Files;

static BfStatus read_logs(const BfRun *run, BfHistory *h, const char *out, const Files *all, BfError *error) {
  const File   *files = all->file;
  const int64_t count = all->count;
  char          path[4096];
  const int64_t first = newest_start(files, count);
  if (first < 0 && count) h->start = files[count - 1].start; /* whose own log a kill at its end took first */
  if (first < 0) return read_result(run, h, out, error);
  for (int64_t i = first; i < count; i++) {
    const bool lives = all->alive == BF_ALL_ALIVE || files[i].start == all->alive;
    path_of(out, &files[i], sizeof path, path);
    if (files[i].kind <= OF_GROUP) BF_TRY(read_log(run, h, path, lives, error));
    bf_history_mark(out, files[i].start, files[i].leader, sizeof path, path);
    if (files[i].kind == OF_GROUP) BF_TRY(end_group(h, lives || access(path, F_OK) == 0, error));
    h->start = files[i].start;
  }
  return BF_OK;
}

BfStatus bf_history_read(const BfRun *run, const char *out, int alive, BfHistory *h, BfError *error) {
  Files files     = {.alive = alive};
  *h              = (BfHistory){0};
  BfStatus status = list(out, &files.count, &files.file, error);
  if (status == BF_OK) status = read_logs(run, h, out, &files, error);
  bf_free(files.file);
  return status;
}

void bf_history_taken(const char *out, int start, size_t size, char path[]) {
  path_of(out, &(File){start, 0, TAKEN}, size, path);
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */

void bf_log_name(BfLog *log, const char *out, int start, int leader) {
  const File f = {start, leader, leader < 0 ? OF_START : OF_GROUP};
  *log         = (BfLog){.file = -1};
  path_of(out, &f, sizeof log->path, log->path);
}

static BfStatus cannot(const BfLog *log, BfError *error) {
  return bf_fail(error, BF_FAILURE, "%s cannot be written: %s", log->path, strerror(errno));
}

static BfStatus open_log(BfLog *log, BfError *error) {
  if (log->file < 0) log->file = open(log->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  return log->file < 0 ? cannot(log, error) : BF_OK;
}

/* All or nothing: half a record would hide those behind it. */
static BfStatus write_whole(BfLog *log, const unsigned char *bytes, int64_t size, BfError *error) {
  for (int64_t at = 0; at < size;) {
    const ssize_t wrote = write(log->file, bytes + at, (size_t)(size - at));
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) {
      const BfStatus status = cannot(log, error);
      return ftruncate(log->file, log->size) || lseek(log->file, log->size, SEEK_SET) < 0 ? error->status : status;
    }
    at += wrote;
  }
  log->size += size;
  return BF_OK;
}

static BfStatus sync_log(BfLog *log, BfError *error) {
  const double begun = bf_seconds();
  if (fsync(log->file)) return cannot(log, error);
  log->synced = bf_seconds();
  log->wait   = log->synced - begun;
  return BF_OK;
}

static BfStatus append(BfLog *log, const BfRecord *record, BfError *error) {
  unsigned char *bytes;
  int64_t        size;
  BF_TRY(bf_record_pack(record, &size, &bytes, error));
  const BfStatus status = write_whole(log, bytes, size, error);
  bf_free(bytes);
  return status;
}

BfStatus bf_log_append(BfLog *log, const BfRecord *const records[], int count, BfError *error) {
  static const double share = 50; /* of the time that the disk is waited for */
  BF_TRY(open_log(log, error));
  for (int i = 0; i < count; i++) BF_TRY(append(log, records[i], error));
  return bf_seconds() - log->synced >= share * log->wait ? sync_log(log, error) : BF_OK;
}

BfStatus bf_log_close(BfLog *log, BfError *error) {
  if (log->file < 0) return BF_OK;
  const BfStatus status = sync_log(log, error);
  close(log->file);
  log->file = -1;
  return status;
}

static BfStatus write_history(BfLog *log, const BfHistory *h, BfError *error) {
  BF_TRY(open_log(log, error));
  for (int64_t i = 0; i < h->count; i++) BF_TRY(append(log, h->record[i], error));
  return bf_log_close(log, error);
}

BfStatus bf_history_begin(const char *out, BfHistory *h, BfError *error) {
  BfLog   log;
  BfError unused = {0};
  char    path[4096];
  int64_t count;
  File   *files;
  bf_log_name(&log, out, h->start, -1);
  memcpy(path, log.path, sizeof path);
  if (snprintf(log.path, sizeof log.path, "%s.part", path) >= (int)sizeof log.path)
    return bf_fail(error, BF_BAD_INPUT, "%s: the path is too long", out);
  BF_TRY(list(out, &count, &files, error));
  unlink(log.path); /* of a start of the same number, which was killed here, and its folder removed */
  BfStatus status = write_history(&log, h, error);
  if (log.file >= 0) close(log.file);
  if (status == BF_OK && rename(log.path, path)) status = cannot(&log, error);
  for (int64_t i = 0; i < count && status == BF_OK; i++) {
    path_of(out, &files[i], sizeof path, path);
    if (files[i].start < h->start) bf_study_tree_remove(path, &unused);
  }
  bf_free(files);
  return status;
}

BfStatus bf_study_folder_remove(const char *out, int start, BfError *error) {
  char    path[4096];
  int64_t count;
  File   *files;
  BfError unused = {0};
  BF_TRY(bf_study_starts_remove(out, start, error));
  BfStatus status = list(out, &count, &files, error);
  for (int64_t i = 0; i < count && status == BF_OK; i++) {
    path_of(out, &files[i], sizeof path, path);
    if (files[i].start <= start) bf_study_tree_remove(path, &unused);
  }
  bf_free(files);
  return status == BF_OK ? bf_folder_remove(out, error) : status;
}
