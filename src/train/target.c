#include "train/target.h"
#include "bellformer/plugin.h"
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { PATH = 8192 };

/* Device and inode tell a file, however it is named. */
static bool is_same(const char *a, const char *b) {
  struct stat x, y;
  return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static bool is_inside(const char *path, const char *folder) {
  char place[PATH];
  snprintf(place, sizeof place, "%s", path);
  return is_same(dirname(place), folder);
}

/* The name of what would be written over `path`, or NULL. */
static const char *over(const char *out, bool checkpoints, const char *path, char name[PATH]) {
  char place[PATH];
  snprintf(name, PATH, "%s", out);
  if (is_same(name, path)) return name;
  snprintf(name, PATH, "%s.part", out);
  if (is_same(name, path)) return name;
  if (!checkpoints) return NULL;
  snprintf(place, sizeof place, "%s", out);
  snprintf(name, PATH, "%.*s/STOP", PATH - 8, dirname(place));
  if (is_same(name, path)) return name;
  snprintf(name, PATH, "%s.checkpoint", out);
  return is_inside(path, name) ? name : NULL;
}

static void check(const char *out, bool checkpoints, const char *path, BfError *error) {
  char        name[PATH];
  const char *target = path ? over(out, checkpoints, path, name) : NULL;
  if (target) bf_fail(error, BF_BAD_INPUT, "-o %s would overwrite %s, which is read (as %s)", out, target, path);
}

/* PETSc reads the file and keeps no word of it. */
static const char *options_file(const BfArguments *arguments, int i) {
  const char *word = arguments->argv[i];
  word += word[0] == '-' && word[1] == '-';
  return !strcmp(word, "-options_file") && i + 1 < arguments->argc ? arguments->argv[i + 1] : NULL;
}

static const char *last_part(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

bool bf_target_is_one(const char *a, const char *b) {
  char folder[PATH];
  snprintf(folder, sizeof folder, "%s", b);
  return !strcmp(last_part(a), last_part(b)) && is_inside(a, dirname(folder));
}

BfStatus bf_target_check(const BfRun *run, const BfArguments *arguments, const char *out, bool checkpoints,
                         const char *other, BfError *error) {
  if (run->rank == 0) {
    if (checkpoints && !strcmp(last_part(out), "STOP"))
      bf_fail(error, BF_BAD_INPUT, "-o %s: a file of that name stops runs, and the next start removes it", out);
    check(out, checkpoints, arguments->file, error);
    check(out, checkpoints, other, error);
    for (int i = 0; i < arguments->argc; i++) check(out, checkpoints, options_file(arguments, i), error);
    for (int k = 0; bf_plugin(k); k++) check(out, checkpoints, bf_plugin(k)->path, error);
  }
  return bf_agree(run->world, error);
}

BfStatus bf_target_check_files(const BfRun *run, const char *out, bool checkpoints, const BfFiles *files,
                               BfError *error) {
  for (int i = 0; run->rank == 0 && files->directory && i < files->count; i++) {
    const char *name = files->file[i].name, *folder = name[0] != '/' ? files->directory : "";
    char        path[PATH];
    snprintf(path, sizeof path, "%s%s%s", folder, *folder ? "/" : "", name);
    check(out, checkpoints, path, error);
  }
  return bf_agree(run->world, error);
}
