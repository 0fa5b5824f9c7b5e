/* Commands from within a program: solve, flow and eval one after the other and at once on two halves of the ranks, each
 * with options of its own, say what a training alone says; nothing is printed, an error is returned. Argument:
 * xor.yaml.
 */
#include "../ranks.h" /* before PETSc's, whose macros count messages */

#include "bellformer/bellformer.h"
#include "command/command.h"
#include <petscsys.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *problem;
static char        folder[] = "/tmp/bf_inside_XXXXXX";

/* "name value name value ...", blanks between. */
static BfStatus give(BfOptions *options, const char *words, BfError *error) {
  char name[64], value[256];
  for (int length; sscanf(words, "%63s %255s%n", name, value, &length) == 2; words += length)
    BF_TRY(bf_options_add(options, name, value, error));
  return BF_OK;
}

/* One command on its own run of some ranks. */
static BfStatus command(MPI_Comm comm, const char *name, const char *file, const char *words, BfError *error) {
  BfOptions *options = NULL;
  BfRun     *run     = NULL;
  BfStatus   status;
  BF_GOTO(bf_options_create(&options, error));
  BF_GOTO(give(options, words, error));
  BF_GOTO(bf_run_create(comm, 0, &run, error));
  run->options = options;
  run->quiet = run->silent = true;
  status                   = bf_run_command(run, name, file, error);
done:
  bf_run_destroy(&run);
  bf_options_destroy(&options);
  return status;
}

static BfStatus read_number(MPI_Comm comm, const char *file, const char *group, const char *name, double *x,
                            BfError *error) {
  BfStore *store = NULL;
  BF_TRY(bf_store_open(comm, file, &store, error));
  bf_store_get_double(store, group, name, x, error);
  return bf_store_end(&store, error);
}

/* The loss of a problem of some layers by bf_train, which has no command. */
static BfStatus train_alone(const char *name, const char *words, const char *keys, double *loss, BfError *error) {
  BfOptions *options = NULL;
  BfRun     *run     = NULL;
  BfProblem *p       = NULL;
  BfTrained  trained = {0};
  BfStatus   status;
  BF_GOTO(bf_options_create(&options, error));
  BF_GOTO(give(options, keys, error));
  BF_GOTO(bf_run_create(MPI_COMM_SELF, 0, &run, error));
  run->quiet = true;
  BF_GOTO(bf_problem_read(run->world, problem, bf_trainer_sections(bf_trainer(name)), options, &p, error));
  BF_GOTO(give(options, words, error));
  run->options = options;
  BF_GOTO(bf_train(run, bf_trainer(name), p, &trained, error));
  *loss = trained.train.loss;
done:
  bf_trained_clear(&trained);
  bf_problem_destroy(&p);
  bf_run_destroy(&run);
  bf_options_destroy(&options);
  return status;
}

static const char *const keys[2] = {"quantize_cells 3,3 horizon 1", "quantize_cells 2,2 horizon 2"};
static double            solved[2], flowed;

static int told(const BfError *error) {
  if (error->status != BF_OK) printf("# %s\n", error->text);
  return error->status == BF_OK;
}

/* A solve of other options on either half, and its result evaluated. */
static int solve_and_eval(MPI_Comm half, int upper, const char *file, const char *answer) {
  char    words[512];
  double  loss = -1, evaluated = -2;
  BfError error = {0};
  snprintf(words, sizeof words, "o %s overwrite 1 %s", file, keys[upper]);
  command(half, "solve", problem, words, &error);
  snprintf(words, sizeof words, "o %s overwrite 1", answer);
  if (error.status == BF_OK) command(half, "eval", file, words, &error);
  if (error.status == BF_OK) read_number(half, file, "/rollout", "loss", &loss, &error);
  if (error.status == BF_OK) read_number(half, answer, "/", "loss", &evaluated, &error);
  return told(&error) && loss == solved[upper] && evaluated == solved[upper];
}

/* A flow on the upper half while the lower one evaluates its result again. */
static int flow_beside_eval(MPI_Comm half, int upper, const char *file, const char *answer) {
  char    words[512];
  double  loss  = -1;
  BfError error = {0};
  snprintf(words, sizeof words, "o %s overwrite 1", answer);
  if (!upper) return command(half, "eval", file, words, &error) == BF_OK;
  snprintf(words, sizeof words, "o %s overwrite 1 scheme layers tao_max_it 2 horizon 2", answer);
  command(half, "flow", problem, words, &error);
  if (error.status == BF_OK) read_number(half, answer, "/rollout", "loss", &loss, &error);
  return told(&error) && loss == flowed && loss != solved[1];
}

/* How the result came about, as a command line. */
static int check_provenance(MPI_Comm half, const char *file) {
  BfStore *store = NULL;
  BfError  error = {0};
  char    *line  = NULL, want[256];
  snprintf(want, sizeof want, "bellformer solve %s -o %s -overwrite 1 -quantize_cells ", problem, file);
  bf_store_open(half, file, &store, &error);
  if (error.status == BF_OK) bf_store_get_text(store, "/provenance", "command", &line, &error);
  bf_store_end(&store, &error);
  const int fine = told(&error) && !strncmp(line, want, strlen(want));
  bf_free(line);
  return fine;
}

static int fails(MPI_Comm half, const char *name, const char *file, const char *words, const char *how) {
  BfError  error = {0};
  MPI_Comm other; /* of ranks that have not failed */
  MPI_Comm_split(half, 0, 0, &other);
  command(other, name, file, words, &error);
  MPI_Comm_free(&other);
  if (strcmp(error.text, how)) printf("# %s\n", error.text);
  return error.status == BF_BAD_INPUT && !strcmp(error.text, how);
}

static void check_failures(Tap *tap, MPI_Comm half, int upper, const char *file) {
  check(tap, fails(half, "sove", NULL, "", "there is no command 'sove'"), "a command that is none is refused");
  check(tap, fails(half, "eval", file, "dat 3", "unknown option -dat, did you mean -data?"), "so is an option");
  check(tap, fails(half, "solve", NULL, "", "solve needs a problem file; see `bellformer help solve`"), "and no file");
  check(tap, upper || fails(half, "eval", file, "quiet 1", "unknown option -quiet"), "and what is of the run");
}

/* Of every command of the table, the trainers among them. */
static void check_table(Tap *tap) {
  int trainers = 0, fine = 1;
  for (const BfCommand *c = bf_commands; c->name; c++) {
    BfManual manual = {0};
    c->manual(c->name, &manual);
    fine &= bf_command(c->name) == c && c->run && c->summary && manual.usage && manual.about && manual.options[0];
    if (!c->trainer) continue;
    fine &= !strcmp(bf_trainer_name(c->trainer), c->name) && bf_trainer_at(trainers) == c->trainer &&
            bf_trainer(c->name) == c->trainer;
    trainers++;
  }
  check(tap, fine, "every row of the table is whole and found by its name, a trainer's has the trainer's");
  check(tap, trainers >= 2 && !bf_trainer_at(trainers) && !bf_trainer("eval") && !bf_command("evil"),
        "and there is nothing else");
}

/* What is printed goes to a file meanwhile. */
static int hide(const char *name) {
  const int kept = dup(STDOUT_FILENO);
  return fflush(stdout) || !freopen(name, "w", stdout) ? -1 : kept;
}

static int64_t show_again(int kept) {
  struct stat about;
  fflush(stdout);
  const int64_t bytes = fstat(STDOUT_FILENO, &about) ? -1 : (int64_t)about.st_size;
  dup2(kept, STDOUT_FILENO);
  close(kept);
  return bytes;
}

int main(int argc, char **argv) {
  char     file[128], answer[128], hidden[128];
  Tap      tap   = {0};
  BfError  error = {0};
  MPI_Comm half;
  int      rank, size, holds = 1;
  MPI_Init(&argc, &argv); /* and ended by finish_tap */
  if (argc < 2 || PetscInitialize(&argc, &argv, NULL, NULL)) return 2;
  problem = argv[1];
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  if (!rank && !mkdtemp(folder)) return 2;
  (void)MPI_Bcast(folder, sizeof folder, MPI_CHAR, 0, MPI_COMM_WORLD);
  const int upper = rank >= size / 2;
  MPI_Comm_split(MPI_COMM_WORLD, upper, rank, &half);
  snprintf(file, sizeof file, "%s/%d.h5", folder, upper);
  snprintf(answer, sizeof answer, "%s/%d-answer.h5", folder, upper);
  snprintf(hidden, sizeof hidden, "%s/%d.txt", folder, rank);
  check_table(&tap);
  train_alone("solve", "", keys[0], &solved[0], &error);
  train_alone("solve", "", keys[1], &solved[1], &error);
  train_alone("flow", "scheme layers tao_max_it 2", "horizon 2", &flowed, &error);
  check(&tap, told(&error) && solved[0] != solved[1], "problems that differ");
  const int kept = hide(hidden);
  for (int again = 0; again < 2; again++) holds &= solve_and_eval(half, upper, file, answer);
  const int     beside = flow_beside_eval(half, upper, file, answer);
  const int64_t bytes  = show_again(kept);
  check(&tap, holds, "solve, then eval of its result, twice, at once on both halves: each as alone");
  check(&tap, beside, "flow on one half beside eval on the other");
  check(&tap, kept >= 0 && bytes == 0, "nothing is printed");
  check(&tap, check_provenance(half, file), "a result tells the command line that would do the same");
  check_failures(&tap, half, upper, file);
  check(&tap, solve_and_eval(half, upper, file, answer), "after a failure the same ranks go on");
  MPI_Barrier(MPI_COMM_WORLD);
  unlink(hidden);
  unlink(file);
  unlink(answer);
  MPI_Barrier(MPI_COMM_WORLD);
  check(&tap, rank || !rmdir(folder), "and leave nothing else");
  MPI_Comm_free(&half);
  PetscFinalize();
  return finish_tap(&tap);
}
