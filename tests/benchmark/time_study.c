/* A study of many small points against their runs alone: what is not in a run itself, its part of the log, the queue,
 * the reading of its result. In turns, in one process; ranks: groups of one. Arguments: a folder, points, a problem,
 * and keys of all points with their values. */
#include "bellformer/command.h"
#include "clock.h"
#include "command/study.h"
#include <petscsys.h>
#include <unistd.h>

enum { MOST = 1000, TEXT = 32, KEYS = 4 };

typedef struct {
  BfStudy    study;
  BfPlan     plan;
  BfItem     item[KEYS];
  char      *key[KEYS], *value[KEYS][MOST], text[MOST][TEXT];
  BfStudyRun run;
  BfPoint    point[MOST];
  int64_t    choice[MOST][KEYS];
  BfRecord  *record[MOST];
} Study;

/* Points that differ in a number that costs no time. */
static void make(Study *s, int points, char **words, const BfStudyCommand *command) {
  int keys   = 1;
  s->key[0]  = "cost.weight_decay";
  s->item[0] = (BfItem){.keys = 1, .key = &s->key[0], .count = points, .value = s->value[0]};
  for (char **word = words + 1; word[0] && word[1] && keys < KEYS; word += 2, keys++) {
    s->key[keys]      = word[0];
    s->value[keys][0] = word[1];
    s->item[keys]     = (BfItem){.keys = 1, .key = &s->key[keys], .count = 1, .value = s->value[keys]};
  }
  s->run   = (BfStudyRun){.name = "solve", .command = command};
  s->study = (BfStudy){.name = "time", .problem = words[0], .items = keys, .item = s->item, .runs = 1, .run = &s->run};
  s->plan  = (BfPlan){.study = &s->study, .points = points, .point = s->point};
  for (int i = 0; i < points; i++) {
    snprintf(s->text[i], TEXT, "%.4f", 1e-4 * i);
    s->value[0][i]  = s->text[i];
    s->choice[i][0] = i;
    s->point[i]     = (BfPoint){.choice = s->choice[i], .refers = -1, .ranks = 1};
    snprintf(s->point[i].key, BF_POINT_KEY, "%032d", i);
  }
}

static double in_study(BfRun *run, Study *s, char *out, BfError *error) {
  const BfStudyOptions o     = {.out = out, .ranks = 1};
  const double         begun = bf_seconds();
  bf_study_run(run, &s->plan, &o, s->record, error);
  return bf_seconds() - begun;
}

static BfStatus run_alone(MPI_Comm comm, const Study *s, int64_t point, const char *file, BfError *error) {
  BfOptions  *options = NULL;
  BfRun      *run     = NULL;
  const char *problem = NULL;
  BfStatus    status;
  BF_GOTO(bf_plan_options(&s->plan, point, 0, ".", &options, &problem, error));
  BF_GOTO(bf_options_add(options, "o", file, error));
  BF_GOTO(bf_options_add(options, "overwrite", NULL, error));
  BF_GOTO(bf_run_create(comm, 0, &run, error));
  run->quiet = run->silent = true;
  run->options             = options;
  status                   = bf_run_command(run, "solve", problem, error);
  bf_run_destroy(&run);
done:
  bf_options_destroy(&options);
  return status;
}

/* This rank's share of the points, on itself alone. */
static double alone(const BfRun *run, const Study *s, const char *folder, BfError *error) {
  const double begun = bf_seconds();
  MPI_Comm     self;
  char         file[4096];
  MPI_Comm_split(run->world, run->rank, 0, &self);
  snprintf(file, sizeof file, "%s/time_study_%d.h5", folder, run->rank);
  for (int64_t i = run->rank; i < s->plan.points && error->status == BF_OK; i += run->size)
    run_alone(self, s, i, file, error);
  MPI_Comm_free(&self);
  unlink(file);
  (void)MPI_Barrier(run->world);
  return bf_seconds() - begun;
}

static double own_seconds(const Study *s) {
  double sum = 0;
  for (int64_t i = 0; i < s->plan.points; i++) {
    const BfDatum *d = bf_record_find(s->record[i], "solve/provenance@wall_seconds");
    if (s->record[i]->state != BF_POINT_DONE) printf("%s\n", s->record[i]->message);
    sum += d ? d->number : NAN;
  }
  return sum;
}

int main(int argc, char **argv) {
  static Study     s;
  BfError          error    = {0};
  BfRun           *run      = NULL;
  BfStudyCommands *commands = NULL;
  char             out[4096];
  double           best[2] = {INFINITY, INFINITY}, own = INFINITY;
  if (argc < 4) return 2;
  if (PetscInitialize(&argc, &argv, NULL, NULL) || bf_run_create(PETSC_COMM_WORLD, 0, &run, &error) != BF_OK) return 1;
  const int points = atoi(argv[2]) < MOST ? atoi(argv[2]) : MOST;
  run->quiet       = true;
  snprintf(out, sizeof out, "%s/time_study.h5", argv[1]);
  bf_study_commands_create(&commands, &error);
  make(&s, points, argv + 3, bf_study_commands(commands));
  for (int repeat = 0; repeat < 3 && error.status == BF_OK; repeat++) {
    best[0] = fmin(best[0], in_study(run, &s, out, &error));
    if (run->rank == 0 && error.status == BF_OK) own = fmin(own, own_seconds(&s));
    best[1] = fmin(best[1], alone(run, &s, argv[1], &error));
  }
  if (run->rank == 0 && error.status == BF_OK) {
    printf("%d points on %d rank%s: a study %.3g s, %.3g ms a point; runs alone %.3g s\n", points, run->size,
           run->size > 1 ? "s" : "", best[0], 1e3 * best[0] * run->size / points, best[1]);
    verdict("a study, of what its runs take alone", best[0] / best[1], 1.2, 0);
    verdict("a study, of what its runs say that they have taken", best[0] * run->size / own, 1.2, 0);
  } else if (run->rank == 0) {
    fprintf(stderr, "%s\n", error.text);
  }
  for (int i = 0; i < MOST; i++) bf_record_destroy(&s.record[i]);
  bf_study_commands_destroy(&commands);
  bf_run_destroy(&run);
  PetscFinalize();
  return verdicts_exit(error.status);
}
