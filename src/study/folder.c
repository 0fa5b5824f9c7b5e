/* Folders of points, each of one start. A start that has taken over may find the one before alive, and in a point: what
 * it takes from there it takes by a rename of the whole, behind which the other finds none of its paths. */
#include "checkpoint/checkpoint.h"
#include "study/log.h"
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- trees ------------------------------------------------------------------------------------------------------ */

static bool ends_in(const char *path, const char *suffix) {
  const size_t length = strlen(path), end = strlen(suffix);
  return length >= end && !strcmp(path + length - end, suffix);
}

static bool is_inside(const char *name) { return strcmp(name, ".") != 0 && strcmp(name, "..") != 0; }

/* A folder with all in it, which this program has made; links are not followed. suffix: of files that go alone; NULL.
 */
static int remove_tree(const char *path, const char *suffix) {
  char        inside[4096];
  struct stat about;
  int         failed = 0;
  if (lstat(path, &about)) return errno == ENOENT ? 0 : -1;
  if (!S_ISDIR(about.st_mode)) return suffix && !ends_in(path, suffix) ? 0 : unlink(path);
  DIR *folder = opendir(path);
  if (!folder) return -1;
  for (struct dirent *entry; (entry = readdir(folder));) {
    if (!is_inside(entry->d_name)) continue;
    const int long_one = snprintf(inside, sizeof inside, "%s/%s", path, entry->d_name) >= (int)sizeof inside;
    failed |= long_one || remove_tree(inside, suffix);
  }
  closedir(folder);
  return suffix ? failed : rmdir(path) | failed;
}

BfStatus bf_study_tree_remove(const char *path, BfError *error) {
  if (!remove_tree(path, NULL)) return BF_OK;
  return bf_fail(error, BF_FAILURE, "%s cannot be removed: %s", path, strerror(errno));
}

/* ---- points ----------------------------------------------------------------------------------------------------- */

void bf_study_point_folder(const char *out, int start, const char *point, size_t size, char path[]) {
  char name[320];
  snprintf(name, sizeof name, "points/%04d%s%s", start, *point ? "/" : "", point);
  bf_folder_path(out, name, size, path);
}

static BfStatus cannot_make(const char *path, BfError *error) {
  return bf_fail(error, BF_FAILURE, "%s cannot be made: %s", path, strerror(errno));
}

BfStatus bf_study_point_make(const char *out, int start, const char *point, BfError *error) {
  char path[4096];
  bf_study_point_folder(out, start, point, sizeof path, path);
  return mkdir(path, 0777) && errno != EEXIST ? cannot_make(path, error) : BF_OK;
}

BfStatus bf_study_point_remove(const char *out, int start, const char *point, BfError *error) {
  char path[4096];
  bf_study_point_folder(out, start, point, sizeof path, path);
  return bf_study_tree_remove(path, error);
}

void bf_study_kept_folder(const char *out, const char *point, size_t size, char path[]) {
  snprintf(path, size, "%.*s.d%s%s", bf_study_stem(out), out, *point ? "/" : "", point);
}

BfStatus bf_study_keep(const char *out, int start, const char *point, BfError *error) {
  char from[4096], to[4096];
  bf_study_kept_folder(out, "", sizeof to, to);
  if (mkdir(to, 0777) && errno != EEXIST) return cannot_make(to, error);
  bf_study_kept_folder(out, point, sizeof to, to);
  bf_study_point_folder(out, start, point, sizeof from, from);
  BF_TRY(bf_study_tree_remove(to, error));
  if (!rename(from, to)) return BF_OK;
  return bf_fail(error, BF_FAILURE, "%s cannot be moved to %s: %s", from, to, strerror(errno));
}

void bf_study_unkeep(const char *out, int start, const char *point) {
  char from[4096], to[4096];
  bf_study_kept_folder(out, point, sizeof from, from);
  bf_study_point_folder(out, start, point, sizeof to, to);
  rename(from, to);
}

/* ---- starts ----------------------------------------------------------------------------------------------------- */

/* Of a start, by the name of its folder; 0: it is none. */
static int number_of(const char *name) {
  int start = 0, end = 0;
  return sscanf(name, "%9d%n", &start, &end) == 1 && !name[end] ? start : 0;
}

/* The largest number of a start below `below` that has a folder; 0: there is none. */
static int newest_start(const char *out, int below) {
  char path[4096];
  int  newest = 0;
  bf_folder_path(out, "points", sizeof path, path);
  DIR *folder = opendir(path);
  if (!folder) return 0;
  for (struct dirent *entry; (entry = readdir(folder));) {
    const int start = number_of(entry->d_name);
    if (start > newest && start < below) newest = start;
  }
  closedir(folder);
  return newest;
}

BfStatus bf_study_start_make(const char *out, int *start, BfError *error) {
  char path[4096];
  bf_folder_path(out, "points", sizeof path, path);
  if (mkdir(path, 0777) && errno != EEXIST) return cannot_make(path, error);
  const int newest = newest_start(out, 1000000000);
  if (newest > *start) *start = newest;
  for (;;) {
    bf_study_point_folder(out, ++*start, "", sizeof path, path);
    if (!mkdir(path, 0777)) return BF_OK;
    if (errno != EEXIST) return cannot_make(path, error);
  }
}

void bf_study_start_leave(const char *out, int start) {
  char path[4096];
  bf_study_point_folder(out, start, "", sizeof path, path);
  rmdir(path);
}

/* What a folder has of points into that of a start. Those that it was itself about to take over stand in a folder
 * within it, by the number of their start. */
static void take_points(const char *out, const char *whole, int start) {
  char           one[4400], mine[4096];
  struct dirent *entry;
  DIR           *folder = opendir(whole);
  while (folder && (entry = readdir(folder))) {
    if (!is_inside(entry->d_name)) continue;
    snprintf(one, sizeof one, "%s/%s", whole, entry->d_name);
    bf_study_point_folder(out, start, entry->d_name, sizeof mine, mine);
    if (number_of(entry->d_name) > 0) take_points(out, one, start);
    else if (access(mine, F_OK) != 0 && rename(one, mine)) break; /* then it begins anew */
  }
  if (folder) closedir(folder);
}

/* Points of one start. A file on its way may still be written to by who has it open. */
static BfStatus adopt(const char *out, int from, int start, BfError *error) {
  char old[4096], whole[4096], name[16];
  snprintf(name, sizeof name, "%04d", from);
  bf_study_point_folder(out, from, "", sizeof old, old);
  bf_study_point_folder(out, start, name, sizeof whole, whole);
  if (rename(old, whole)) return errno == ENOENT ? BF_OK : cannot_make(whole, error);
  remove_tree(whole, ".part");
  take_points(out, whole, start);
  return bf_study_tree_remove(whole, error);
}

BfStatus bf_study_start_adopt(const char *out, int start, BfError *error) {
  for (int old = newest_start(out, start); old > 0; old = newest_start(out, old)) BF_TRY(adopt(out, old, start, error));
  return BF_OK;
}

BfStatus bf_study_starts_remove(const char *out, int start, BfError *error) {
  char path[4096];
  for (int old = newest_start(out, start + 1); old > 0; old = newest_start(out, old)) {
    bf_study_point_folder(out, old, "", sizeof path, path);
    BF_TRY(bf_study_tree_remove(path, error));
  }
  bf_folder_path(out, "points", sizeof path, path);
  rmdir(path); /* while it is empty */
  return BF_OK;
}
