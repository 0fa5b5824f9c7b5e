/* Every value of every point, before anything runs. */
#include "bellformer/run.h"
#include "problem/strict_yaml.h"
#include "run/text.h"
#include "study/read.h"
#include "study/table.h"
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Of the time that points are estimated to take, what estimates may take of it; and in any case. */
static const double share = 0.05, at_least = 0.5;

typedef struct {
  BfRun      *alone; /* this rank as a run of its own */
  BfPlan     *plan;
  BfFiles    *files;  /* of the problem */
  double     *number; /* [2 * points]: seconds, bytes that this rank has found; those of others 0 */
  double      spent, told;
  int64_t     speakers, *speaker; /* points that are estimated, each for all that differ from it only in `over` */
  int64_t     last_point;         /* the last of them that is no reference */
  BfOptions **last;               /* [runs] what was checked before */
  bool        anew;               /* a run of this point was checked */
  BfProblem  *problem;            /* that the last run has read */
} Check;

/* ---- the problem's files ----------------------------------------------------------------------------------------- */

/* What is not there is told by who reads it. Collective. */
static BfStatus take_file(const BfRun *run, BfFiles *files, const char *name, BfError *error) {
  char          path[4096];
  const BfFile *file;
  const bool    beside = name[0] != '/' && *files->directory;
  int           there = snprintf(path, sizeof path, "%s%s%s", beside ? files->directory : "", beside ? "/" : "", name) <
                  (int)sizeof path &&
              (run->rank || access(path, R_OK) == 0);
  MPI_Bcast(&there, 1, MPI_INT, 0, run->world);
  return there ? bf_files_get(files, name, &file, error) : BF_OK;
}

static BfStatus take_sets(const BfRun *run, BfFiles *files, const BfSets *sets, BfError *error) {
  for (int64_t i = 0; i < sets->count; i++)
    if (bf_study_names_table(sets->set[i].key)) BF_TRY(take_file(run, files, sets->set[i].value, error));
  return BF_OK;
}

static BfStatus take_items(const BfRun *run, BfFiles *files, const BfStudy *study, BfError *error) {
  for (int i = 0; i < study->items; i++)
    for (int k = 0; k < study->item[i].keys; k++)
      for (int64_t v = 0; v < study->item[i].count && bf_study_names_table(study->item[i].key[k]); v++)
        BF_TRY(take_file(run, files, study->item[i].value[v * study->item[i].keys + k], error));
  return BF_OK;
}

/* Those that the problem's text names. */
static BfStatus take_problem(const BfRun *run, BfFiles *files, const char *name, BfError *error) {
  BfYaml        yaml = {0};
  const BfFile *file;
  BF_TRY(bf_files_get(files, name, &file, error));
  BfStatus status = bf_together(run->world, bf_yaml_parse(file, &yaml, error), error);
  for (int64_t i = 0; status == BF_OK && i < yaml.count; i++)
    if (yaml.entry[i].kind == BF_YAML_SCALAR && bf_study_names_table(yaml.entry[i].key))
      status = take_file(run, files, yaml.entry[i].value[0], error);
  bf_yaml_clear(&yaml);
  return status;
}

/* The problem's own text, the tables that it names, and those that the study names. */
static BfStatus read_files(const BfRun *run, const BfStudy *study, BfFiles **out, BfError *error) {
  const char *slash = strrchr(study->problem, '/');
  char       *folder =
      bf_text_copy(study->problem, slash ? (slash == study->problem ? 1 : slash - study->problem) : 0, error);
  BfFiles *files  = NULL;
  BfStatus status = folder ? bf_files_create(run->world, folder, &files, error) : error->status;
  bf_free(folder);
  *out = files;
  BF_TRY(bf_together(run->world, status, error));
  BF_TRY(take_problem(run, files, slash ? slash + 1 : study->problem, error));
  BF_TRY(take_sets(run, files, &study->set, error));
  BF_TRY(take_sets(run, files, &study->reference, error));
  for (int r = 0; r < study->runs; r++) BF_TRY(take_sets(run, files, &study->run[r].set, error));
  return take_items(run, files, study, error);
}

/* ---- a point ----------------------------------------------------------------------------------------------------- */

static bool is_same(const BfOptions *a, const BfOptions *b) {
  const int64_t count = bf_options_count(a);
  if (!a || !b || bf_options_count(b) != count) return false;
  for (int64_t i = 0; i < count; i++)
    if (strcmp(bf_options_name(a, i), bf_options_name(b, i)) || strcmp(bf_options_value(a, i), bf_options_value(b, i)))
      return false;
  return true;
}

static BfStatus check_run(Check *x, int64_t p, int r, bool estimate, BfError *error) {
  const BfStudyRun *run     = &x->plan->study->run[r];
  BfOptions        *options = NULL;
  double            seconds = 0, bytes = 0;
  const char       *file;
  BfStudyCheck      check = {.name    = run->command->name,
                             .files   = x->files,
                             .problem = &x->problem,
                             .at_most = &x->plan->at_most,
                             .rough   = &x->plan->rough,
                             .seconds = estimate ? &seconds : NULL,
                             .bytes   = estimate ? &bytes : NULL};
  BF_TRY(bf_plan_options(x->plan, p, r, NULL, &options, &file, error));
  const BfStudyRun *from = bf_plan_init(x->plan, p, r);
  check.file             = file;
  check.init             = from ? from->command->name : NULL;
  if (!estimate && !x->anew && is_same(options, x->last[r])) { /* the points differ in what later runs take */
    bf_options_destroy(&options);
    return BF_OK;
  }
  x->anew           = true; /* what follows is checked by what this one reads */
  x->alone->options = options;
  run->command->check(x->alone, &check, error);
  x->alone->options = NULL;
  bf_options_destroy(&options); /* to which the check may have added */
  bf_options_destroy(&x->last[r]);
  if (error->status == BF_OK) bf_plan_options(x->plan, p, r, NULL, &x->last[r], &file, error);
  x->number[2 * p] += seconds;
  if (bytes > x->number[2 * p + 1]) x->number[2 * p + 1] = bytes;
  if (error->status != BF_OK && x->plan->study->runs > 1) bf_error_prefix(error, "%s", run->name);
  return error->status;
}

static BfStatus check_point(Check *x, int64_t p, bool estimate, BfError *error) {
  x->anew = false;
  for (int r = 0; r < x->plan->study->runs; r++) BF_TRY(check_run(x, p, r, estimate, error));
  return BF_OK;
}

/* The point that speaks for all that differ from this one only in `over`: with the first value of each. */
static int64_t speaker(const BfPlan *plan, int64_t p) {
  const BfStudy *study  = plan->study;
  int64_t        number = 0, stride = 1;
  for (int i = study->items - 1; i >= 0; i--) {
    const int64_t choice = plan->point[p].choice[i];
    if (choice < 0) continue; /* the reference: it has one value there */
    number += bf_item_is_over(study, i) ? 0 : stride * choice;
    stride *= study->item[i].count;
  }
  return plan->point[p].reference ? plan->points + number : number;
}

/* ---- all points -------------------------------------------------------------------------------------------------- */

/* Those of this rank; *failed: the first that is wrong. */
static BfStatus check_points(const BfRun *run, Check *x, int64_t *failed, BfError *error) {
  const int64_t all = x->plan->points + x->plan->references;
  for (int64_t p = run->rank; p < all; p += run->size)
    if (check_point(x, p, false, error) != BF_OK) {
      char text[BF_ERROR_LENGTH / 2];
      bf_plan_describe(x->plan, p, sizeof text, text);
      bf_error_prefix(error, "%s: %s%s", x->plan->study->from, x->plan->point[p].reference ? "the reference, " : "",
                      text);
      *failed = p;
      return error->status;
    }
  return BF_OK;
}

/* All ranks tell what the first wrong point is. */
static BfStatus first_failure(const BfRun *run, int64_t failed, BfError *error) {
  int64_t first = failed;
  MPI_Allreduce(MPI_IN_PLACE, &first, 1, MPI_INT64_T, MPI_MIN, run->world);
  if (first == INT64_MAX) return BF_OK;
  if (failed != first) *error = (BfError){0};
  return bf_agree(run->world, error);
}

/* A step through all points that soon has some everywhere: about the golden section, without a common divisor. */
static int64_t stride(int64_t all) {
  int64_t step = (int64_t)(0.6180339887 * (double)all) + 1;
  for (;; step++) {
    int64_t a = step, b = all;
    while (b) {
      const int64_t rest = a % b;
      a                  = b;
      b                  = rest;
    }
    if (a == 1) return step;
  }
}

/* From the last one on, which is large as people write studies, as long as that takes a small share of the time that is
 * told. */
static BfStatus estimate_points(const BfRun *run, Check *x, BfError *error) {
  const int64_t step  = stride(x->speakers);
  double        draws = 1;
  int64_t       at    = x->last_point;
  for (int i = 0; i < x->plan->study->items; i++)
    if (bf_item_is_over(x->plan->study, i)) draws *= (double)x->plan->study->item[i].count;
  for (int64_t k = 0; k < x->speakers && x->spent < at_least + share * x->told; k++, at = (at + step) % x->speakers) {
    const int64_t p = x->speaker[at];
    if (k % run->size != run->rank) continue;
    const double begin = bf_seconds();
    BF_TRY(check_point(x, p, true, error));
    x->spent += bf_seconds() - begin;
    x->told += draws * x->number[2 * p];
  }
  return BF_OK;
}

/* How far apart two points are: the sum over items, of each at most 1. */
static double apart(const BfPlan *plan, int64_t a, int64_t b) {
  const int64_t *x = plan->point[a].choice, *y = plan->point[b].choice;
  double         sum = 0;
  for (int i = 0; i < plan->study->items; i++)
    sum += (x[i] < 0) != (y[i] < 0) ? 1 : fabs((double)(x[i] - y[i])) / (double)plan->study->item[i].count;
  return sum;
}

/* A point without an estimate takes that of the nearest one that has. */
static void take_nearest(Check *x, int64_t count, const int64_t known[], int64_t p) {
  int64_t      nearest = speaker(x->plan, p);
  double       least   = x->number[2 * nearest] != 0 ? 0 : INFINITY;
  const double own     = x->number[2 * nearest + 1]; /* known also where too large to be timed */
  for (int64_t k = 0; k < count && least > 0; k++) {
    const double here = apart(x->plan, known[k], p);
    if (here < least) nearest = known[k], least = here;
  }
  x->plan->point[p].seconds = x->number[2 * nearest];
  x->plan->point[p].bytes   = own > 0 ? own : x->number[2 * nearest + 1];
}

/* What all ranks have found, into the plan. */
static BfStatus share_estimates(const BfRun *run, Check *x, BfError *error) {
  const int64_t all = x->plan->points + x->plan->references, step = stride(x->speakers);
  const int64_t most  = (int64_t)(2e7 / (double)all) + 16; /* or this would take its time */
  int64_t      *known = NULL, count = 0, at = x->last_point;
  BF_TRY(bf_together(run->world, BF_NEW(&known, most, error), error));
  for (int64_t i = 0; i < 2 * all; i += 1 << 20)
    MPI_Allreduce(MPI_IN_PLACE, x->number + i, (int)(2 * all - i < 1 << 20 ? 2 * all - i : 1 << 20), MPI_DOUBLE,
                  MPI_MAX, run->world);
  MPI_Allreduce(MPI_IN_PLACE, &x->plan->at_most, 1, MPI_C_BOOL, MPI_LOR, run->world);
  MPI_Allreduce(MPI_IN_PLACE, &x->plan->rough, 1, MPI_C_BOOL, MPI_LOR, run->world);
  for (int64_t k = 0; k < x->speakers && count < most; k++, at = (at + step) % x->speakers)
    if (x->number[2 * x->speaker[at]] != 0) known[count++] = x->speaker[at];
  for (int64_t p = 0; p < all; p++) take_nearest(x, count, known, p);
  bf_study_give_ranks(run, x->plan);
  bf_free(known);
  return BF_OK;
}

static BfStatus prepare(const BfRun *run, Check *x, BfError *error) {
  const int64_t all = x->plan->points + x->plan->references;
  BF_TRY(bf_together(run->world, BF_NEW(&x->number, 2 * all, error), error));
  BF_TRY(bf_together(run->world, BF_NEW(&x->speaker, all, error), error));
  for (int64_t p = 0; p < all; p++)
    if (speaker(x->plan, p) == p) {
      if (p < x->plan->points) x->last_point = x->speakers;
      x->speaker[x->speakers++] = p;
    }
  BF_TRY(bf_together(run->world, BF_NEW(&x->last, x->plan->study->runs, error), error));
  BF_TRY(bf_together(run->world, bf_run_create(MPI_COMM_SELF, 0, &x->alone, error), error));
  x->alone->quiet = x->alone->silent = true;
  /* Ranks of a node measure at once. */
  const double all_memory = run->memory ? (double)run->memory : (double)bf_memory_left(run);
  x->alone->memory        = (int64_t)(all_memory / run->node_size) + (run->memory ? 0 : bf_peak_memory());
  return BF_OK;
}

BfStatus bf_study_check_reads(const BfRun *run, const BfStudy *study, const char *out, BfError *error) {
  BfFiles *files  = NULL;
  BfStatus status = read_files(run, study, &files, error);
  if (status == BF_OK) status = bf_study_check_files(run, out, files, error);
  bf_files_destroy(&files);
  return status;
}

BfStatus bf_study_check(BfRun *run, BfPlan *plan, const char *out, BfError *error) {
  Check    x      = {.plan = plan};
  int64_t  failed = INT64_MAX;
  BfStatus status;
  BF_GOTO(prepare(run, &x, error));
  BF_GOTO(read_files(run, plan->study, &x.files, error));
  if (out) BF_GOTO(bf_study_check_files(run, out, x.files, error));
  check_points(run, &x, &failed, error);
  BF_GOTO(first_failure(run, failed, error));
  BF_GOTO(bf_together(run->world, estimate_points(run, &x, error), error));
  status = share_estimates(run, &x, error);
done:
  bf_files_destroy(&x.files);
  bf_run_destroy(&x.alone);
  for (int r = 0; x.last && r < plan->study->runs; r++) bf_options_destroy(&x.last[r]);
  bf_problem_destroy(&x.problem);
  bf_free(x.last);
  bf_free(x.speaker);
  bf_free(x.number);
  return status;
}
