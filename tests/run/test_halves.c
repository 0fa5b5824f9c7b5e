/* Runs on two halves of the ranks, in one process set: at once, one after the other, and both alive in one process,
 * each gives the bits that it gives alone. Arguments: the folder of problems. */
#include "../ranks.h"
#include "bellformer/bellformer.h"
#include "run/queue.h"
#include <limits.h>
#include <petscsys.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct {
  const char *problem;
  const char *option[6][2]; /* of the problem, and PETSc's */
  const char *scheme;       /* of a flow; NULL: a solve in the full space */
} Job;

static const Job jobs[] = {
    {"asy26-toy/asy26-toy.yaml", {{"tao_max_it", "4"}}, "rk4"},
    {"asy26-toy/asy26-toy.yaml", {{"tao_max_it", "2"}, {"tao_type", "blmvm"}, {"horizon", "3"}}, "layers"},
    {"asy26-toy/asy26-toy.yaml",
     {{"ts_adapt_type", "basic"}, {"ts_adapt_dt_max", "0.125"}, {"tao_max_it", "1"}},
     "bs3"},
    {"xor/xor.yaml", {{"quantize_cells", "2,2"}}, NULL}};
enum { JOBS = sizeof jobs / sizeof *jobs, MOST = 4096 };

/* All numbers of an answer. */
typedef struct {
  int    count;
  double x[MOST];
} Bits;

static void add(Bits *bits, int64_t count, const double *x) {
  for (int64_t i = 0; i < count && bits->count < MOST; i++) bits->x[bits->count++] = x[i];
}

static int same(const Bits *a, const Bits *b) {
  return a->count == b->count && a->count > 0 && !memcmp(a->x, b->x, (size_t)a->count * sizeof *a->x);
}

/* A job from its options to what it is run with. */
typedef struct {
  const Job        *job;
  BfOptions        *options;
  BfRun            *run;
  BfProblem        *problem;
  char             *petsc;
  BfFlow           *flow;
  BfInitialControls points;
} Work;

static BfStatus make(const Job *job, const char *folder, MPI_Comm comm, Work *w, BfError *error) {
  char path[4096];
  *w = (Work){.job = job, .points = {.starts = 2, .seed = 3}};
  snprintf(path, sizeof path, "%s/%s", folder, job->problem);
  BF_TRY(bf_options_create(&w->options, error));
  for (int i = 0; job->option[i][0]; i++)
    BF_TRY(bf_options_add(w->options, job->option[i][0], job->option[i][1], error));
  BF_TRY(bf_run_create(comm, 0, &w->run, error));
  w->run->quiet   = true;
  w->run->options = w->options;
  BF_TRY(bf_together(comm, bf_flow_petsc_take(w->options, &w->petsc, error), error));
  BF_TRY(bf_problem_read(comm, path, job->scheme ? &bf_flow_sections : &bf_solve_sections, w->options, &w->problem,
                         error));
  if (!job->scheme) return BF_OK;
  const BfFlowOptions how = {
      .scheme = bf_scheme(job->scheme), .steps = 2, .tolerance = 1e-6, .memory = 1e8, .petsc = w->petsc};
  return bf_flow_create(w->run, w->problem, &w->problem->train, &how, &w->flow, error);
}

static void clear(Work *w) {
  bf_flow_destroy(&w->flow);
  bf_problem_destroy(&w->problem);
  bf_run_destroy(&w->run);
  bf_options_destroy(&w->options);
  bf_free(w->petsc);
}

static BfStatus describe(void *context, BfStore *store, BfError *error) {
  (void)context;
  return bf_store_put_int(store, "/options", "nothing", 0, error);
}

/* With a checkpoint after every evaluation: files appear in both halves at once. */
static BfStatus train(Work *w, const char *file, Bits *bits, BfError *error) {
  const BfCheckpointOptions when = {
      .interval = 0, .hours = 1, .command = "flow", .newest = INT_MAX, .describe = describe};
  BfCheckpoint *checkpoint = NULL;
  BfFlowAnswer  answer     = {0};
  BfStatus      status;
  BF_GOTO(bf_checkpoint_create(w->run, file, &when, &checkpoint, error));
  BF_GOTO(bf_flow_train(w->run, w->flow, w->problem, &w->points, checkpoint, &answer, error));
  for (int64_t s = 0; s < answer.starts; s++)
    if (answer.start_iterations[s] > atoll(bf_options_read(w->options, "tao_max_it")))
      status = bf_fail(error, BF_FAILURE, "-tao_max_it was not read");
  BF_GOTO(status);
  add(bits, (int64_t)w->problem->horizon * w->problem->layer.free, answer.control);
  add(bits, answer.starts, answer.initial_cost);
  add(bits, answer.starts, answer.final_cost);
  add(bits, 2 * (answer.iterations + 1), answer.history);
  add(bits, 2, (double[]){(double)answer.evaluations, (double)answer.iterations});
done:
  bf_flow_answer_clear(&answer);
  bf_checkpoint_destroy(&checkpoint);
  return status == BF_OK ? bf_checkpoint_remove(w->run, file, error) : status;
}

/* With a result, which is read again. */
static BfStatus solve(Work *w, const char *file, Bits *bits, BfError *error) {
  BfStore            *store = NULL;
  BfModel             model = {0};
  double             *value = NULL;
  const BfFullOptions how   = {.store_value = true};
  int64_t             dims[2];
  BfStatus            status;
  BF_GOTO(bf_store_create(w->run->world, file, 1, &store, error));
  BF_GOTO(bf_solve_full(w->run, w->problem, &how, store, NULL, &model, error));
  BF_GOTO(bf_store_commit(&store, error));
  BF_GOTO(bf_store_open(w->run->world, file, &store, error));
  BF_GOTO(bf_store_read(store, "/value", BF_STORE_DOUBLE, 2, dims, (void **)&value, error));
  add(bits, dims[0] * dims[1], value);
  add(bits, (int64_t)model.layers * model.free, model.control);
  add(bits, 1, &model.quantized_cost);
done:
  status = bf_store_end(&store, error);
  bf_model_clear(&model);
  bf_free(value);
  return status;
}

static const char *scratch, *problems;

static BfStatus carry_out(Work *w, const char *name, Bits *bits, BfError *error) {
  char file[4096];
  snprintf(file, sizeof file, "%s/%s.h5", scratch, name);
  bits->count = 0;
  return w->job->scheme ? train(w, file, bits, error) : solve(w, file, bits, error);
}

static BfStatus do_job(int job, MPI_Comm comm, const char *name, Bits *bits, BfError *error) {
  Work w;
  if (make(&jobs[job], problems, comm, &w, error) == BF_OK) carry_out(&w, name, bits, error);
  clear(&w);
  return error->status;
}

/* The whole of a training, its options, result and checkpoint: what a command line does. */
static BfStatus train_wholly(int job, MPI_Comm comm, const char *name, Bits *bits, BfError *error) {
  const BfTrainer *trainer = bf_trainer(jobs[job].scheme ? "flow" : "solve");
  BfTrained        trained = {0};
  char             file[4096];
  Work             w;
  BfStatus         status;
  snprintf(file, sizeof file, "%s/%s.h5", scratch, name);
  bits->count = 0;
  BF_GOTO(make(&jobs[job], problems, comm, &w, error));
  BF_GOTO(bf_options_add(w.options, "o", file, error));
  BF_GOTO(bf_options_add(w.options, "overwrite", NULL, error));
  if (jobs[job].scheme) BF_GOTO(bf_options_add(w.options, "scheme", jobs[job].scheme, error));
  BF_GOTO(bf_train(w.run, trainer, w.problem, &trained, error));
  add(bits, (int64_t)trained.model.layers * trained.model.free, trained.model.control);
  add(bits, 3, (double[]){trained.train.cost, trained.train.loss, trained.test.loss});
done:
  bf_trained_clear(&trained);
  clear(&w);
  return error->status;
}

static int reported(const BfError *error) {
  if (error->status != BF_OK) printf("# %s\n", error->text);
  return error->status == BF_OK;
}

/* Job a on the lower half, job b on the upper one, at once. */
static int at_once(MPI_Comm half, int upper, int a, int b, const Bits alone[]) {
  static Bits bits;
  BfError     error = {0};
  const int   mine  = upper ? b : a;
  do_job(mine, half, upper ? "upper" : "lower", &bits, &error);
  return reported(&error) && same(&bits, &alone[mine]);
}

static int wholly(MPI_Comm half, int upper, int a, int b, const Bits whole[]) {
  static Bits bits;
  BfError     error = {0};
  const int   mine  = upper ? b : a;
  train_wholly(mine, half, upper ? "upper" : "lower", &bits, &error);
  return reported(&error) && same(&bits, &whole[mine]);
}

/* Both flows are there while either works. */
static int side_by_side(MPI_Comm half, int upper, const Bits alone[]) {
  static Bits first, second, again;
  BfError     error = {0};
  Work        v, w;
  int         holds;
  make(&jobs[0], problems, half, &v, &error);
  holds = reported(&error) && make(&jobs[2], problems, half, &w, &error) == BF_OK &&
          carry_out(&v, upper ? "upper" : "lower", &first, &error) == BF_OK &&
          carry_out(&w, upper ? "upper" : "lower", &second, &error) == BF_OK &&
          carry_out(&v, upper ? "upper" : "lower", &again, &error) == BF_OK;
  clear(&v);
  clear(&w);
  return reported(&error) && holds && same(&first, &alone[0]) && same(&second, &alone[2]) && same(&again, &alone[0]);
}

/* A queue of each half deals 0 .. R N - 1 to its R ranks, whatever the other half's deals meanwhile: sums of what its
 * ranks took. Many times over, since whether two windows meet depends on when they are made. */
static int deal(MPI_Comm half) {
  enum { EACH = 50, TIMES = 20 };
  int size, right = 1;
  MPI_Comm_size(half, &size);
  for (int k = 0; k < TIMES; k++) {
    BfQueue queue;
    BfError error = {0};
    int64_t sum   = 0;
    if (bf_queue_create(half, 1, &queue, &error) != BF_OK) return reported(&error);
    for (int i = 0; i < EACH; i++) sum += bf_queue_take(&queue, 0);
    MPI_Allreduce(MPI_IN_PLACE, &sum, 1, MPI_INT64_T, MPI_SUM, half);
    bf_queue_destroy(&queue);
    const int64_t all = (int64_t)EACH * size;
    right &= sum == all * (all - 1) / 2;
  }
  return right;
}

/* What fails in one half is known there; the other half, and the next run, do not hear of it. */
static int one_fails(MPI_Comm half, int upper, const Bits alone[]) {
  static Bits      bits;
  static const Job wrong = {"xor/xor.yaml", {{"horizn", "2"}}, NULL};
  BfError          error = {0};
  Work             w;
  if (!upper) return do_job(0, half, "lower", &bits, &error) == BF_OK && same(&bits, &alone[0]);
  make(&wrong, problems, half, &w, &error);
  clear(&w);
  const int told = error.status == BF_BAD_INPUT && strstr(error.text, "unknown option -horizn, did you mean -horizon?");
  error          = (BfError){0};
  return told && do_job(3, half, "upper", &bits, &error) == BF_OK && same(&bits, &alone[3]);
}

int main(int argc, char **argv) {
  static Bits alone[JOBS], whole[JOBS], bits;
  char        folder[] = "/tmp/bf_halves_XXXXXX";
  Tap         tap      = {0};
  BfError     error    = {0};
  MPI_Comm    half;
  int         rank, size;
  MPI_Init(&argc, &argv);
  if (PetscInitialize(&argc, &argv, NULL, NULL) || argc < 2) return 2;
  PetscPushErrorHandler(PetscIgnoreErrorHandler, NULL);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  if (rank == 0 && !mkdtemp(folder)) return 2;
  (void)MPI_Bcast(folder, sizeof folder, MPI_CHAR, 0, MPI_COMM_WORLD);
  scratch         = folder;
  problems        = argv[1];
  const int upper = rank >= size / 2;
  MPI_Comm_split(MPI_COMM_WORLD, upper, rank, &half);
  for (int job = 0; job < JOBS; job++)
    check(&tap, do_job(job, MPI_COMM_WORLD, "all", &alone[job], &error) == BF_OK && reported(&error),
          "alone on all ranks");
  for (int job = 0; job < JOBS; job++)
    check(&tap, train_wholly(job, MPI_COMM_WORLD, "all", &whole[job], &error) == BF_OK && reported(&error),
          "wholly, alone on all ranks");
  check(&tap, !same(&alone[0], &alone[2]), "other options, another answer");
  check(&tap, upper || (do_job(0, half, "lower", &bits, &error) == BF_OK && same(&bits, &alone[0])), "alone on a half");
  check(&tap, at_once(half, upper, 0, 1, alone), "two flows of other options, methods and horizons at once");
  check(&tap, at_once(half, upper, 2, 0, alone), "two flows, one of adaptive steps, at once");
  check(&tap, at_once(half, upper, 3, 2, alone), "a solve beside a flow");
  check(&tap, at_once(half, upper, 1, 3, alone), "and in the other halves");
  check(&tap, side_by_side(half, upper, alone), "two flows alive in one process, in turns");
  check(&tap, wholly(half, upper, 0, 3, whole), "wholly, a flow beside a solve");
  check(&tap, wholly(half, upper, 2, 1, whole), "wholly, two flows");
  check(&tap, deal(half), "queues of both halves at once");
  check(&tap, one_fails(half, upper, alone), "a half that fails, and goes on");
  MPI_Comm_free(&half);
  MPI_Barrier(MPI_COMM_WORLD);
  for (int i = 0; rank == 0 && i < 3; i++) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s.h5", folder, ((const char *[]){"all", "lower", "upper"})[i]);
    unlink(path);
  }
  if (rank == 0 && rmdir(folder)) printf("# %s is not empty\n", folder);
  PetscFinalize();
  return finish_tap(&tap);
}
