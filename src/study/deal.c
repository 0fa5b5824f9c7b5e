/* Points dealt one by one to the groups that ask.
 *
 * On one host by counters in memory that all ranks share. Between hosts MPI would answer for rank 0 only when that
 * calls MPI, which it does not while it is busy with a piece of a point: groups would wait for seconds. There a point
 * is taken by making a file of its number, which of all file systems' steps only one can succeed in; the next number is
 * found in some looks, because points are taken in order. */
#include "study/group.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char all_end[] = "end";

/* ---- by files --------------------------------------------------------------------------------------------------- */

static void path_of(const BfWork *w, const char *name, size_t size, char path[]) {
  char folder[4000];
  bf_history_taken(w->o->out, w->start, sizeof folder, folder);
  snprintf(path, size, "%s%s%s", folder, *name ? "/" : "", name);
}

static void path_of_point(const BfWork *w, int64_t i, char path[4096]) {
  char name[32];
  snprintf(name, sizeof name, "%lld", (long long)i);
  path_of(w, name, 4096, path);
}

static bool is_taken(const BfWork *w, int64_t i) {
  char path[4096];
  path_of_point(w, i, path);
  return access(path, F_OK) == 0;
}

/* The first that is not taken, from `low` on, below which all are: steps that double, then halves. */
static int64_t first_free(const BfWork *w, int64_t low, int64_t last) {
  int64_t high = low;
  for (int64_t step = 1; high < last && is_taken(w, high); step *= 2) {
    low  = high + 1;
    high = low + step;
  }
  while (low < high) {
    const int64_t middle = (low + high) / 2;
    if (middle < last && is_taken(w, middle)) low = middle + 1;
    else high = middle;
  }
  return low;
}

static BfStatus take_file(const BfWork *w, int64_t *at, int64_t last, int64_t *next, BfError *error) {
  char path[4096];
  for (*at = first_free(w, *at, last); *at < last; ++*at) {
    path_of_point(w, *at, path);
    const int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file < 0 && errno == EEXIST) continue;
    if (file < 0) return bf_fail(error, BF_FAILURE, "%s cannot be written: %s", path, strerror(errno));
    close(file);
    *next = (*at)++;
    break;
  }
  return BF_OK;
}

int bf_group_sizes(const BfWork *w) {
  int sizes = 0;
  for (int64_t i = 0; i < w->tasks; i++) sizes += !i || w->task[i].ranks != w->task[i - 1].ranks;
  return sizes;
}

/* ---- either way ------------------------------------------------------------------------------------------------- */

BfStatus bf_deal_begin(const BfWork *w, BfError *error) {
  char path[4096];
  if (!w->between_hosts) return BF_OK;
  path_of(w, "", sizeof path, path);
  return mkdir(path, 0777) ? bf_fail(error, BF_FAILURE, "%s cannot be made: %s", path, strerror(errno)) : BF_OK;
}

BfStatus bf_deal_take(const BfWork *w, const BfDeal *deal, int64_t *at, int64_t *next, BfError *error) {
  *next = -1;
  if (w->between_hosts) return take_file(w, at, deal->last, next, error);
  const int64_t i = deal->first + bf_queue_take(&w->queue, BF_COUNTERS + deal->size_index);
  if (i < deal->last) *next = i;
  return BF_OK;
}

void bf_deal_end(const BfWork *w) {
  char path[4096];
  path_of(w, all_end, sizeof path, path);
  const int file = w->between_hosts ? open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666) : -1;
  if (file >= 0) close(file);
  for (int i = 0; !w->between_hosts && i < bf_group_sizes(w); i++)
    bf_queue_add(&w->queue, BF_COUNTERS + i, INT64_C(1) << 40);
}

bool bf_deal_has_ended(const BfWork *w) {
  char path[4096];
  path_of(w, all_end, sizeof path, path);
  return w->between_hosts && access(path, F_OK) == 0;
}

void bf_deal_count(const BfWork *w, int counter, int64_t amount) {
  if (!w->between_hosts) bf_queue_add(&w->queue, counter, amount);
}

int64_t bf_deal_begun(const BfWork *w, int64_t *at) {
  if (!w->between_hosts) return bf_queue_seen(&w->queue, BF_COUNT_BEGUN);
  return *at = first_free(w, *at, w->tasks);
}
