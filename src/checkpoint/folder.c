/* The folder of a result's checkpoints: RUN.h5.checkpoint/. Rank 0's work. */
#include "checkpoint/checkpoint.h"
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

void bf_folder_path(const char *result, const char *file, size_t size, char path[]) {
  snprintf(path, size, "%s.checkpoint%s%s", result, *file ? "/" : "", file);
}

void bf_checkpoint_path(const char *result, int generation, size_t size, char path[]) {
  char file[32];
  snprintf(file, sizeof file, "%04d.h5", generation);
  bf_folder_path(result, file, size, path);
}

/* The number of a generation's file, -1 for any other name. */
static int generation_of(const char *name) {
  char *end;
  if (name[0] < '0' || name[0] > '9') return -1;
  const long number = strtol(name, &end, 10);
  return strcmp(end, ".h5") || number > 99999999 ? -1 : (int)number;
}

/* A folder that is there and cannot be read must not pass for one without checkpoints: the run would start afresh, and
 * forget them. The others wait for the number. */
static void end_unread(const char *path) {
  BfError error = {0};
  bf_fail(&error, BF_FAILURE, "%s cannot be read: %s", path, strerror(errno));
  bf_end_run_at_once(&error);
}

int bf_folder_newest(const char *result, int below) {
  char path[4096];
  int  newest = -1;
  bf_folder_path(result, "", sizeof path, path);
  DIR *folder = opendir(path);
  if (!folder && errno != ENOENT && errno != ENOTDIR) end_unread(path);
  if (!folder) return -1;
  for (struct dirent *entry; (errno = 0, entry = readdir(folder));) {
    const int number = generation_of(entry->d_name);
    if (number > newest && number < below) newest = number;
  }
  if (errno) end_unread(path);
  closedir(folder);
  return newest;
}

BfStatus bf_folder_make(const char *result, BfError *error) {
  char path[4096];
  bf_folder_path(result, "", sizeof path, path);
  if (mkdir(path, 0777) == 0 || errno == EEXIST) return BF_OK;
  return bf_fail(error, BF_BAD_INPUT, "%s cannot be made: %s", path, strerror(errno));
}

/* A generation, the claim, or one of them on its way (NNNN.h5.part, and what an MPI library puts beside it): a file
 * that someone else has put there is left alone, and the folder with it. */
static bool is_ours(const char *name) {
  const char *part = strstr(name, ".part");
  return generation_of(name) >= 0 || !strcmp(name, "claim") ||
         (part && (name[0] == 'c' || isdigit((unsigned char)*name)));
}

BfStatus bf_folder_remove(const char *result, BfError *error) {
  char path[4096], file[4400];
  bf_folder_path(result, "", sizeof path, path);
  DIR *folder = opendir(path);
  if (!folder) return BF_OK;
  for (struct dirent *entry; (entry = readdir(folder));) {
    snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
    if (is_ours(entry->d_name)) unlink(file);
  }
  closedir(folder);
  if (rmdir(path) == 0 || errno == ENOENT || errno == ENOTEMPTY || errno == EEXIST) return BF_OK;
  if (errno == ENOTDIR) return BF_OK; /* a link to a folder elsewhere: both are the user's */
  return bf_fail(error, BF_FAILURE, "%s cannot be removed: %s", path, strerror(errno));
}

static int refers_to(const BfArrayEntry list[], int count, int generation) {
  for (int i = 0; i < count; i++)
    if (list[i].generation == generation) return 1;
  return 0;
}

/* Two generations stand, and the files that they refer to. */
void bf_folder_forget(const char *result, int newest, const BfCheckpoint *c) {
  char path[4096];
  for (int g = bf_folder_newest(result, newest - 1); g >= 0; g = bf_folder_newest(result, g)) {
    if (refers_to(c->array, c->arrays, g) || refers_to(c->keep, c->kept, g)) continue;
    bf_checkpoint_path(result, g, sizeof path, path);
    unlink(path);
  }
}

void bf_folder_forget_below(const char *result, int generation) {
  char path[4096];
  for (int g = bf_folder_newest(result, generation); g >= 0; g = bf_folder_newest(result, g)) {
    bf_checkpoint_path(result, g, sizeof path, path);
    unlink(path);
  }
}

/* ---- the claim -------------------------------------------------------------------------------------------------- */

BfStatus bf_claim_take(const char *result, char claim[128], BfError *error) {
  char            host[64] = "", name[64], path[4096], part[4096];
  struct timespec now;
  gethostname(host, sizeof host - 1);
  clock_gettime(CLOCK_REALTIME, &now);
  snprintf(claim, 128, "%s %ld %lld.%09ld\n", host, (long)getpid(), (long long)now.tv_sec, now.tv_nsec);
  bf_folder_path(result, "claim", sizeof path, path);
  snprintf(name, sizeof name, "claim-%ld-%09ld.part", (long)getpid(), now.tv_nsec); /* of two runs at one moment */
  bf_folder_path(result, name, sizeof part, part);
  FILE *file   = fopen(part, "w");
  int   failed = !file || fputs(claim, file) < 0;
  if (file) failed |= fclose(file) != 0;
  if (!failed && !rename(part, path)) return BF_OK;
  bf_fail(error, BF_FAILURE, "%s cannot be written: %s", path, strerror(errno));
  unlink(part);
  return error->status;
}

static void read_claim(const char *result, size_t size, char path[], char text[128]) {
  bf_folder_path(result, "claim", size, path);
  FILE *file = fopen(path, "r");
  text[0]    = '\0';
  if (file) {
    if (!fgets(text, 128, file)) text[0] = '\0';
    fclose(file);
  }
}

void bf_claim_leave(const char *result, const char *claim) {
  char path[4096], text[128];
  read_claim(result, sizeof path, path, text);
  FILE *file = *claim && !strcmp(text, claim) ? fopen(path, "a") : NULL;
  if (!file) return;
  const int failed = fputs("ended\n", file) < 0;
  if ((fclose(file) != 0) | failed) unlink(path);
}

BfStatus bf_claim_check(const char *result, const char *claim, BfError *error) {
  char path[4096], text[128];
  read_claim(result, sizeof path, path, text);
  if (!strcmp(text, claim)) return BF_OK;
  text[strcspn(text, "\n")] = '\0';
  return bf_fail(error, BF_FAILURE, "%s: another run (%s) has taken over %s: this one stops, and writes nothing more",
                 path, *text ? text : "gone", result);
}
