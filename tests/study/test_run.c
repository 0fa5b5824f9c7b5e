/* Points dealt to groups of ranks: each is run once, whatever groups there are; what fails, stops, was done before, is
 * no longer asked for. The command at each point is one of this test: it writes x^2, and misbehaves at some x. */
#include "../ranks.h"
#include "bellformer/store.h"
#include "study/group.h"
#include "study_case.h"
#include <dirent.h>
#include <math.h>
#include <petscsys.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FAILS = 3, IS_NAN = 5, WARNS = 6, STOPS = 9 };

static char folder[64] = "/tmp/bf_study_XXXXXX", out[128];
static int  stops; /* whether the point STOPS asks for a stop */

typedef struct {
  double x;
  char  *o;
} Settings;

static const BfOption rows[] = {
    {"x", BF_OPTION_NUMBER, BF_ANSWER, "X", offsetof(Settings, x), NULL, -1e9, 1e9, .meaning = "x"},
    {"o", BF_OPTION_TEXT, BF_OF_THIS_START, "FILE", offsetof(Settings, o), .meaning = "the file"},
    {0}};
static const BfOption *const tables[] = {rows, NULL};

/* A file's length counts how often something was done. */
static void count_up(const char *what) {
  char path[256];
  snprintf(path, sizeof path, "%s/%s.count", folder, what);
  FILE *file = fopen(path, "a");
  if (!file || fputc('.', file) == EOF || fclose(file)) perror(path);
}

static int counted(const char *what) {
  char        path[256];
  struct stat about;
  snprintf(path, sizeof path, "%s/%s.count", folder, what);
  return stat(path, &about) ? 0 : (int)about.st_size;
}

static BfStatus write_squares(BfRun *run, const Settings *s, BfError *error) {
  const double square = (int)s->x == IS_NAN ? NAN : s->x * s->x, pair[2] = {s->x, -s->x};
  BfStore     *store = NULL;
  BfStatus     status;
  BF_GOTO(bf_store_create(run->world, s->o, 1, &store, error));
  BF_GOTO(bf_store_put_double(store, "/rollout", "cost", square, error));
  BF_GOTO(bf_store_put_int(store, "/", "twice", (int64_t)(2 * s->x), error));
  BF_GOTO(bf_store_put_text(store, "/options", "command", "square", error));
  BF_GOTO(bf_store_write(store, "/rollout/pair", BF_STORE_DOUBLE, 1, (int64_t[]){2}, pair, error));
  status = bf_store_commit(&store, error);
done:
  bf_store_close(&store);
  return status;
}

static void touch(const char *path) {
  FILE *file = fopen(path, "w");
  if (file) fclose(file);
}

static BfStatus square(BfRun *run, const char *name, const char *file, BfError *error) {
  Settings s = {0};
  char     what[32];
  (void)name, (void)file;
  BF_TRY(bf_together(run->world, bf_options_parse(rows, run->options, &s, error), error));
  snprintf(what, sizeof what, "%g", s.x);
  if (run->rank == 0) count_up(what);
  if ((int)s.x == WARNS) bf_warn(run, "beware of %g", s.x);
  if ((int)s.x == FAILS && run->rank == run->size - 1) bf_fail(error, BF_BAD_INPUT, "no square of %g", s.x);
  if ((int)s.x == STOPS && stops && run->rank == 0) touch(run->owner->stop);
  if (s.x > STOPS && stops) usleep(50000);
  BfStatus status = bf_agree(run->world, error);
  if ((int)s.x == STOPS && stops) status = bf_fail(error, BF_STOPPED, "stopped");
  if (status == BF_OK) status = write_squares(run, &s, error);
  bf_options_clear(rows, &s);
  return status;
}

static const BfStudyCommand command = {.name = "square", .tables = tables, .run = square};

/* ---- a study ---------------------------------------------------------------------------------------------------- */

static BfStudyRun study_run = {.name = "sq", .command = &command};

/* Points x = 0 .. count - 1. */
static void make(Case *c, int count) {
  char values[256] = "";
  case_begin(c);
  for (int x = 0; x < count; x++) snprintf(values + strlen(values), sizeof values - strlen(values), "%d ", x);
  case_vary(c, "x", values);
  case_measure(c, (BfMeasure){.name = "y", .of = "sq/rollout@cost"});
  case_measure(c, (BfMeasure){.name = "pair", .kind = BF_MEASURE_NORM, .of = "sq/rollout/pair"});
  c->study.runs = 1;
  c->study.run  = &study_run;
  case_points(c);
  for (int p = 0; p < count; p++) {
    memcpy(c->point[p].key, c->record[p]->key, sizeof c->point[p].key);
    bf_record_destroy(&c->record[p]);
  }
}

/* What bf_study_run has the study write. */
typedef struct {
  BfRun      *run;
  Case       *c;
  BfArguments arguments;
} Writer;

static BfStatus write_study(void *context, BfRecord *const records[], BfError *error) {
  Writer  *w     = context;
  BfTable *table = NULL;
  count_up("write");
  BF_TRY(bf_table_create(&w->c->plan, records, &table, error));
  const BfStatus status = bf_study_write(w->run, &w->arguments, table, records, out, error);
  bf_table_destroy(&table);
  return status;
}

static BfStatus run_study(BfRun *run, Case *c, BfStudyOptions o, BfError *error) {
  Writer w  = {.run = run, .c = c, .arguments = {.name = "study"}};
  o.out     = out;
  o.write   = write_study;
  o.context = &w;
  for (int p = 0; p < CASE_POINTS; p++) bf_record_destroy(&c->record[p]);
  return bf_study_run(run, &c->plan, &o, c->record, error);
}

static void reset(const BfRun *run) {
  char path[512];
  MPI_Barrier(MPI_COMM_WORLD);
  DIR *all = run->rank == 0 ? opendir(folder) : NULL;
  for (struct dirent *entry; all && (entry = readdir(all));) {
    snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
    BfError error = {0};
    if (entry->d_name[0] != '.') bf_study_tree_remove(path, &error);
  }
  if (all) closedir(all);
  MPI_Barrier(MPI_COMM_WORLD);
}

/* ---- what must hold --------------------------------------------------------------------------------------------- */

static int reported(const BfError *error) {
  if (error->status != BF_OK) printf("# %s\n", error->text);
  return error->status == BF_OK;
}

static int is_square(const BfRecord *r, double x) {
  if (!r || r->state != BF_POINT_DONE) {
    printf("# %g: %s\n", x, !r ? "no record" : r->message ? r->message : "no message");
    return 0;
  }
  const BfDatum *cost = bf_record_find(r, "sq/rollout@cost"), *twice = bf_record_find(r, "sq/@twice"),
                *pair = bf_record_find(r, "sq/rollout/pair"), *name = bf_record_find(r, "sq/options@command");
  return cost && cost->number == x * x && twice && twice->number == 2 * x && pair && pair->rank == 1 &&
         pair->data[0] == x && pair->data[1] == -x && name && !strcmp(name->text, "square");
}

static int says(const BfRecord *r, const char *message) {
  if (r && r->state == BF_POINT_FAILED && strstr(r->message, message)) return 1;
  printf("# %s\n", !r ? "no record" : r->message ? r->message : "no message");
  return 0;
}

/* All points but those that fail are done. */
static int all_done(const Case *c, int count) {
  int holds = 1;
  for (int x = 0; x < count; x++)
    if (x != FAILS && x != IS_NAN) holds &= is_square(c->record[x], x);
  return holds && (count <= FAILS || says(c->record[FAILS], "sq: no square of 3")) &&
         (count <= IS_NAN || says(c->record[IS_NAN], "sq: /rollout@cost is nan"));
}

static int once(int count, int times) {
  int  holds = 1;
  char what[16];
  for (int x = 0; x < count; x++) {
    snprintf(what, sizeof what, "%d", x);
    holds &= counted(what) == times;
  }
  return holds;
}

static int there(const char *suffix) {
  char path[256];
  snprintf(path, sizeof path, "%s%s", out, suffix);
  return access(path, F_OK) == 0;
}

/* Whatever groups there are, and with points that want groups of different sizes. */
static void groups(Tap *tap, BfRun *run) {
  static Case c;
  for (int ranks = 0; ranks <= 3; ranks++) {
    BfError error = {0};
    reset(run);
    make(&c, 12);
    for (int p = 0; p < 12; p++) c.point[p].ranks = p < 2 ? 4 : p < 5 ? 2 : 1;
    for (int p = 0; p < 12; p++) c.point[p].seconds = p % 5;
    const int ran = run_study(run, &c, (BfStudyOptions){.ranks = ranks}, &error) == BF_OK && reported(&error);
    check(tap, ran, "a study, points in groups of some size");
    check(tap, run->rank || all_done(&c, 12), "the points' numbers; what fails, alone");
    check(tap, run->rank || once(12, 1), "each is run once");
    check(tap, run->rank || (there("") && !there(".checkpoint") && counted("write") == 1),
          "written, and the folder goes");
    const BfDatum *warned = run->rank ? NULL : bf_record_find(c.record[WARNS], "sq/@warnings");
    check(tap, run->rank || (warned && !strcmp(warned->text, "beware of 6")), "a warning is kept, not printed");
    const int most = ranks > 0 && ranks < run->size ? ranks : run->size;
    check(tap, run->rank || (c.record[0]->ranks <= most && c.record[11]->ranks <= (ranks ? most : 1)),
          "ranks of a group");
  }
}

/* A point that takes most of the time has all ranks; what is left of a study has more than it had as a part of it. */
static void large(Tap *tap, BfRun *run) {
  static Case c;
  BfError     error = {0};
  reset(run);
  make(&c, 3);
  c.point[1].seconds = 100;
  check(tap, run_study(run, &c, (BfStudyOptions){0}, &error) == BF_OK && reported(&error), "a study of a large point");
  check(tap, run->rank || (all_done(&c, 3) && c.record[1]->ranks == run->size && c.record[2]->ranks == 1),
        "which all ranks run");
}

/* On what the last study left. */
static void again(Tap *tap, BfRun *run) {
  static Case c;
  BfError     error = {0};
  make(&c, 12);
  check(tap, run_study(run, &c, (BfStudyOptions){0}, &error) == BF_OK && reported(&error), "the same line again");
  check(tap, run->rank || (all_done(&c, 12) && once(12, 1) && !there(".checkpoint")), "nothing is run");
  check(tap, run_study(run, &c, (BfStudyOptions){.retry = true}, &error) == BF_OK && reported(&error), "-retry");
  check(tap, run->rank || (all_done(&c, 12) && counted("3") == 2 && counted("5") == 2 && counted("4") == 1),
        "what failed");
  make(&c, 15);
  check(tap, run_study(run, &c, (BfStudyOptions){0}, &error) == BF_OK && reported(&error), "a study that has grown");
  check(tap, run->rank || (all_done(&c, 15) && counted("0") == 1 && counted("14") == 1), "what is new");
  make(&c, 8);
  check(tap, run_study(run, &c, (BfStudyOptions){0}, &error) == BF_BAD_INPUT && strstr(error.text, "holds 7 points"),
        "a smaller one is refused");
  error = (BfError){0};
  check(tap, run_study(run, &c, (BfStudyOptions){.overwrite = true}, &error) == BF_OK && reported(&error),
        "-overwrite");
  check(tap, run->rank || (all_done(&c, 8) && counted("0") == 1), "what is left");
}

/* Points of one key. */
static void equal(Tap *tap, BfRun *run) {
  static Case c;
  BfError     error = {0};
  reset(run);
  make(&c, 3);
  strcpy(c.point[2].key, c.point[1].key);
  check(tap, run_study(run, &c, (BfStudyOptions){0}, &error) == BF_OK && reported(&error), "points of one key");
  check(tap,
        run->rank || (counted("1") == 1 && counted("2") == 0 && is_square(c.record[1], 1) && is_square(c.record[2], 1)),
        "are run once");
}

static void stop(Tap *tap, BfRun *run) {
  static Case c;
  BfError     error = {0};
  reset(run);
  make(&c, 16);
  for (int p = 0; p < 16; p++) c.point[p].seconds = 16 - p;
  stops           = 1;
  BfStatus status = run_study(run, &c, (BfStudyOptions){.ranks = 1}, &error);
  check(tap, status == BF_STOPPED && strstr(error.text, "of 16 points are done"), "a stop");
  check(tap, run->rank || (there("") && there(".checkpoint") && is_square(c.record[0], 0) && counted("0") == 1),
        "what was done is written");
  check(tap, run->rank || (c.record[STOPS] && c.record[STOPS]->state == BF_POINT_STOPPED && !c.record[15]),
        "not all was");
  stops = 0;
  error = (BfError){0};
  check(tap, run_study(run, &c, (BfStudyOptions){.ranks = run->size}, &error) == BF_OK && reported(&error),
        "the same line on other groups");
  check(tap,
        run->rank ||
            (all_done(&c, 16) && counted("0") == 1 && counted("9") == 2 && counted("15") == 1 && !there(".checkpoint")),
        "goes on");
}

/* Parts of a study, and what a part leaves to others. */
static void parts(Tap *tap, BfRun *run) {
  static Case c;
  BfError     error = {0};
  int         sum   = 0;
  for (int part = 1; part <= 3; part++) {
    reset(run);
    make(&c, 16);
    check(tap, run_study(run, &c, (BfStudyOptions){.part = part, .parts = 3}, &error) == BF_OK && reported(&error),
          "a part");
    for (int x = 0; x < 16 && !run->rank; x++) sum += c.record[x] != NULL;
  }
  check(tap, run->rank || sum == 16, "parts are the whole");
}

/* As between hosts: by files. All ranks take at once, each a share of its own. */
static void by_files(Tap *tap, BfRun *run) {
  enum { TASKS = 300 };
  const BfStudyOptions o     = {.out = out};
  const BfDeal         deal  = {0, 0, TASKS};
  BfWork               w     = {.run = run, .o = &o, .tasks = TASKS, .start = 7, .between_hosts = true};
  BfError              error = {0};
  int64_t              at = 0, next = 0, before = -1, seen = 0;
  int                  taken[TASKS] = {0}, grows = 1;
  char                 path[256];
  reset(run);
  snprintf(path, sizeof path, "%s.checkpoint", out);
  check(tap, run->rank || (!mkdir(path, 0777) && bf_deal_begin(&w, &error) == BF_OK), "a folder of what is taken");
  while (bf_deal_take(&w, &deal, &at, &next, &error) == BF_OK && next >= 0) {
    grows &= next > before;
    before = next;
    taken[next]++;
  }
  (void)MPI_Allreduce(MPI_IN_PLACE, taken, TASKS, MPI_INT, MPI_SUM, run->world);
  int once = 1;
  for (int i = 0; i < TASKS; i++) once &= taken[i] == 1;
  check(tap, once && grows && reported(&error), "every task is taken once, the earlier first");
  check(tap, bf_deal_begun(&w, &seen) == TASKS && !bf_deal_has_ended(&w), "all were");
  (void)MPI_Barrier(run->world);
  if (run->rank == 0) bf_deal_end(&w);
  (void)MPI_Barrier(run->world);
  check(tap, bf_deal_has_ended(&w), "the end is told to all");
}

int main(int argc, char **argv) {
  Tap     tap   = {0};
  BfRun  *run   = NULL;
  BfError error = {0};
  MPI_Init(&argc, &argv);
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 2;
  if (bf_run_create(MPI_COMM_WORLD, 0, &run, &error) != BF_OK) return 2;
  run->quiet = true;
  if (run->rank == 0 && !mkdtemp(folder)) return 2;
  (void)MPI_Bcast(folder, sizeof folder, MPI_CHAR, 0, MPI_COMM_WORLD);
  snprintf(out, sizeof out, "%s/s.h5", folder);
  large(&tap, run);
  groups(&tap, run);
  again(&tap, run);
  equal(&tap, run);
  stop(&tap, run);
  parts(&tap, run);
  by_files(&tap, run);
  reset(run);
  if (run->rank == 0 && rmdir(folder)) printf("# %s is not empty\n", folder);
  bf_run_destroy(&run);
  PetscFinalize();
  return finish_tap(&tap);
}
