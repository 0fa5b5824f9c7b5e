/* Records as bytes and on disk: what is read is what was written, or nothing; what a kill at any instant leaves. */
#include "study/log.h"
#include <math.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int  number, failed;
static char folder[64] = "/tmp/bf_log_XXXXXX", out[96];

static void check(int holds, const char *what) {
  failed += !holds;
  printf("%sok %d - %s\n", holds ? "" : "not ", ++number, what);
}

static uint64_t seed = 1;
static uint64_t draw(uint64_t below) {
  seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return (seed >> 33) % below;
}

static BfRecord *make(int key, BfPointState state) {
  BfRecord *r     = NULL;
  BfError   error = {0};
  char      text[33];
  snprintf(text, sizeof text, "%032d", key);
  bf_record_create(text, &r, &error);
  r->state = state;
  return r;
}

/* With one of everything. */
static BfRecord *make_full(void) {
  BfError      error  = {0};
  BfRecord    *r      = make(7, BF_POINT_FAILED);
  const double data[] = {1, NAN, -INFINITY, 1e-320, -0.0, 6};
  bf_record_say(r, "solve: no", &error);
  r->crashes = 1;
  r->seconds = 1.0 / 3;
  r->ranks   = 4;
  bf_record_add_number(r, "a/rollout@cost", -0.0, &error);
  bf_record_add_text(r, "a/@name", "\xc3\xa4 \"q\"\n", &error);
  bf_record_add_text(r, "a/@empty", "", &error);
  bf_record_add_array(r, "a/tokens", 3, (int64_t[]){1, 2, 3}, data, &error);
  bf_record_add_array(r, "a/none", 2, (int64_t[]){0, 5}, data, &error);
  bf_record_add_array(r, "a/scalar", 0, NULL, data + 5, &error);
  check(error.status == BF_OK && r->count == 6, "a record is filled");
  return r;
}

static int same_bytes(const BfRecord *a, const BfRecord *b) {
  BfError        error = {0};
  unsigned char *x, *y;
  int64_t        m, n;
  bf_record_pack(a, &m, &x, &error);
  bf_record_pack(b, &n, &y, &error);
  const int same = m == n && !memcmp(x, y, (size_t)m);
  bf_free(x);
  bf_free(y);
  return same;
}

static void bytes(void) {
  BfError        error = {0};
  BfRecord      *r = make_full(), *back = NULL;
  unsigned char *packed;
  int64_t        size, used, cut_off = 0, flipped = 0;
  bf_record_pack(r, &size, &packed, &error);
  bf_record_unpack(packed, size, &used, &back, &error);
  check(back && used == size && same_bytes(r, back), "a record comes back with all its bits");
  const BfDatum *d = back ? bf_record_find(back, "a/tokens") : NULL;
  check(d && d->rank == 3 && d->dims[1] == 2 && isnan(d->data[1]) && d->data[3] == 1e-320 && signbit(d->data[4]),
        "an array");
  check(back && !strcmp(back->message, "solve: no") && back->seconds == 1.0 / 3 && bf_record_find(back, "a/@empty"),
        "texts");
  bf_record_destroy(&back);
  for (int64_t n = 0; n < size; n++) {
    bf_record_unpack(packed, n, &used, &back, &error);
    cut_off += !back && !used;
    bf_record_destroy(&back);
  }
  check(cut_off == size, "cut off anywhere, nothing is read");
  for (int64_t bit = 0; bit < 8 * size; bit++) {
    packed[bit / 8] ^= (unsigned char)(1 << bit % 8);
    bf_record_unpack(packed, size, &used, &back, &error);
    flipped += !back && !used;
    bf_record_destroy(&back);
    packed[bit / 8] ^= (unsigned char)(1 << bit % 8);
  }
  check(flipped == 8 * size && error.status == BF_OK, "with any bit wrong, nothing is read");
  bf_free(packed);
  bf_record_destroy(&r);
}

/* ---- logs ------------------------------------------------------------------------------------------------------- */

static BfRun run = {.rank = 0, .quiet = true};
static char  heard[512];

static void hear(void *context, const char *text) {
  (void)context;
  snprintf(heard, sizeof heard, "%s", text);
}

static void append(BfLog *log, int key, BfPointState state) {
  BfError   error = {0};
  BfRecord *r     = make(key, state);
  bf_log_append(log, (const BfRecord *const[]){r}, 1, &error);
  bf_record_destroy(&r);
  if (error.status != BF_OK) printf("# %s\n", error.text);
}

/* The next start, and a log of one of its groups. */
static BfHistory start(BfLog *log, int leader) {
  BfError   error = {0};
  BfHistory h;
  bf_history_read(&run, out, 0, &h, &error);
  bf_study_start_make(out, &h.start, &error);
  bf_history_begin(out, &h, &error);
  bf_log_name(log, out, h.start, leader);
  if (error.status != BF_OK) printf("# %s\n", error.text);
  return h;
}

static int is(int key, BfPointState state, int crashes) {
  BfError   error = {0};
  BfHistory h;
  char      text[33];
  snprintf(text, sizeof text, "%032d", key);
  bf_history_read(&run, out, 0, &h, &error);
  const BfRecord *r     = bf_history_find(&h, text);
  const int       holds = r && r->state == state && r->crashes == crashes;
  if (!holds) printf("# %d: %s %d %d\n", key, r ? "there" : error.text, r ? (int)r->state : -1, r ? r->crashes : -1);
  bf_history_clear(&h);
  return holds;
}

static int there(const char *name) {
  char path[160];
  snprintf(path, sizeof path, "%s.checkpoint/%s", out, name);
  return access(path, F_OK) == 0;
}

static void close_log(BfLog *log, BfHistory *h) {
  BfError error = {0};
  bf_log_close(log, &error);
  bf_history_clear(h);
}

static void crashes(void) {
  BfLog     log, other;
  BfHistory h = start(&log, 0);
  check(h.start == 1 && h.count == 0, "a first start");
  bf_log_name(&other, out, 1, 3);
  append(&log, 1, BF_POINT_BEGUN);
  append(&log, 1, BF_POINT_DONE);
  append(&log, 2, BF_POINT_BEGUN);
  append(&other, 3, BF_POINT_BEGUN);
  append(&other, 3, BF_POINT_STOPPED);
  append(&other, 4, BF_POINT_BEGUN);
  close_log(&log, &h);
  close_log(&other, &h);
  check(is(1, BF_POINT_DONE, 0) && is(3, BF_POINT_STOPPED, 0), "what has ended before a kill");
  check(is(2, BF_POINT_STOPPED, 1) && is(4, BF_POINT_STOPPED, 1), "what was in flight has crashed once");
  check(is(2, BF_POINT_STOPPED, 1), "reading changes nothing");
  BfError error = {0};
  bf_history_read(&run, out, 1, &h, &error);
  const BfRecord *flies = bf_history_find(&h, "00000000000000000000000000000002");
  check(flies && flies->state == BF_POINT_STOPPED && !flies->crashes, "while a start lives nothing has crashed");
  bf_history_clear(&h);
  bf_history_read(&run, out, BF_ALL_ALIVE, &h, &error);
  flies = bf_history_find(&h, "00000000000000000000000000000004");
  check(flies && flies->state == BF_POINT_STOPPED && !flies->crashes, "nor where any start may live");
  bf_history_clear(&h);
  h = start(&log, 5);
  check(h.start == 2 && there("0002.log") && !there("0001.log") && !there("0001-000003.log"), "old logs go");
  check(is(2, BF_POINT_STOPPED, 1) && is(1, BF_POINT_DONE, 0), "what they held stays");
  append(&log, 2, BF_POINT_BEGUN);
  append(&log, 5, BF_POINT_BEGUN);
  close_log(&log, &h);
  check(is(2, BF_POINT_SET_ASIDE, 2) && is(4, BF_POINT_STOPPED, 1) && is(5, BF_POINT_STOPPED, 1), "the second crash");
  h = start(&log, 0);
  append(&log, 4, BF_POINT_BEGUN);
  close_log(&log, &h);
  char mark[160];
  bf_history_mark(out, 3, 0, sizeof mark, mark);
  fclose(fopen(mark, "w"));
  check(is(4, BF_POINT_STOPPED, 1), "a start that was interrupted is no crash");
}

/* Every length that a kill in mid-write can leave; and a new start behind it. */
static void tails(void) {
  char        path[4096];
  BfLog       log;
  BfHistory   h = start(&log, 0);
  struct stat about;
  const int   at = h.start;
  append(&log, 10, BF_POINT_BEGUN);
  append(&log, 10, BF_POINT_DONE);
  const int64_t whole = log.size;
  append(&log, 11, BF_POINT_BEGUN);
  memcpy(path, log.path, sizeof path);
  close_log(&log, &h);
  int holds = stat(path, &about) == 0;
  for (int64_t size = about.st_size - 1; size > whole; size -= 7) {
    *heard = '\0';
    holds &= truncate(path, size) == 0 && is(10, BF_POINT_DONE, 0) && strstr(heard, "damaged, and left out") != NULL;
    BfError error = {0};
    bf_history_read(&run, out, 0, &h, &error);
    holds &= bf_history_find(&h, "00000000000000000000000000000011") == NULL && h.start == at;
    bf_history_clear(&h);
  }
  check(holds, "the damaged tail of a log is left out, with a warning");
  h = start(&log, 0);
  append(&log, 11, BF_POINT_BEGUN);
  append(&log, 11, BF_POINT_DONE);
  close_log(&log, &h);
  *heard = '\0';
  check(is(10, BF_POINT_DONE, 0) && is(11, BF_POINT_DONE, 0) && !*heard, "and gone with the next start");
}

static void make_path(const char *name, int folder_too) {
  char path[160];
  snprintf(path, sizeof path, "%s.checkpoint/%s", out, name);
  if (folder_too) mkdir(path, 0777);
  else fclose(fopen(path, "w"));
}

/* What a kill leaves of a start that begins, takes over, or ends. */
static void ends(void) {
  BfLog     log;
  BfError   error = {0};
  BfHistory h     = start(&log, 0);
  char      name[64], path[4096];
  const int at = h.start;
  append(&log, 20, BF_POINT_BEGUN);
  snprintf(name, sizeof name, "points/%04d/%04d", at, at - 1);
  make_path(name, 1);
  snprintf(name, sizeof name, "points/%04d/%04d/%032d", at, at - 1, 20);
  make_path(name, 1);
  close_log(&log, &h);
  h = start(&log, 0);
  bf_study_start_adopt(out, h.start, &error);
  snprintf(name, sizeof name, "points/%04d/%032d", at + 1, 20);
  check(error.status == BF_OK && h.start == at + 1 && there(name), "points that were about to be taken over");
  append(&log, 20, BF_POINT_BEGUN);
  close_log(&log, &h);
  check(bf_study_folder_remove(out, at, &error) == BF_OK && there(name), "an older start removes nothing of a newer");
  bf_study_starts_remove(out, at + 1, &error);
  snprintf(path, sizeof path, "%s.checkpoint/%04d.log", out, at + 1);
  check(!unlink(path) && !there("points"), "an end that was killed: a group's log without its start's");
  snprintf(name, sizeof name, "%04d.log.part", at + 2);
  make_path(name, 0);
  h = start(&log, 0);
  append(&log, 21, BF_POINT_DONE);
  check(h.start == at + 2 && h.count == 0 && is(21, BF_POINT_DONE, 0), "the next start has a number of its own");
  close_log(&log, &h);
}

/* In any order, many keys. */
static void history(void) {
  enum { KEYS = 300 };
  BfError   error = {0};
  BfHistory h     = {0};
  int       holds = 1;
  for (int i = 0; i < 4 * KEYS; i++) {
    BfRecord *r = make((int)draw(KEYS), BF_POINT_DONE);
    r->ranks    = i;
    bf_history_put(&h, &r, &error);
    holds &= !r;
  }
  for (int64_t i = 1; i < h.count; i++) holds &= strcmp(h.record[i - 1]->key, h.record[i]->key) < 0;
  check(holds && h.count <= KEYS && h.count > KEYS / 2, "records by key");
  bf_history_clear(&h);
}

int main(int argc, char **argv) {
  static const BfOwner owner = {.warned = hear};
  BfError              error = {0};
  char                 path[160];
  MPI_Init(&argc, &argv);
  run.owner = &owner;
  if (!mkdtemp(folder)) return 2;
  snprintf(out, sizeof out, "%s/s.h5", folder);
  snprintf(path, sizeof path, "%s.checkpoint", out);
  mkdir(path, 0777);
  bytes();
  history();
  crashes();
  tails();
  ends();
  snprintf(path, sizeof path, "%s.checkpoint/mine", out);
  fclose(fopen(path, "w"));
  check(bf_study_folder_remove(out, 1000, &error) == BF_OK && there("mine"),
        "what others have put into the folder stays");
  unlink(path);
  check(bf_study_folder_remove(out, 1000, &error) == BF_OK && !there(""), "all else goes");
  check(!rmdir(folder), "nothing is left");
  printf("1..%d\n", number);
  MPI_Finalize();
  return failed > 0;
}
