/* A program that trains a Transformer by bellformer's library: a problem made in memory, solved, evaluated on other
 * data, and written as a result that `bellformer eval` reads.
 *
 *     cc -O2 embed.c -o embed $(pkg-config --cflags --libs bellformer PETSc)
 *     mpirun -n 2 ./embed embed.h5
 *     mpirun -n 2 ./embed embed.h5 xor.yaml      # the problem from a file
 *
 * The problem is share/problems/xor. What fails says so in one line: every function of the library
 * returns a BfStatus and fills a BfError; those that are collective return the same on all ranks. */
#include <bellformer/bellformer.h>
#include <petscsys.h>
#include <stdio.h>

static const char table[] = "sequence,position,label,z0,z1\n"
                            "0,0,0,-1,1\n0,1,0,-1,1\n"
                            "1,0,1,-1,1\n1,1,1,1,1\n"
                            "2,0,1,1,1\n2,1,1,-1,1\n"
                            "3,0,0,1,1\n3,1,0,1,1\n";
/* What the model never saw: two of the sequences, a little moved. */
static const char others[] = "sequence,position,label,z0,z1\n"
                             "0,0,0,-0.9,1\n0,1,0,-1.1,1\n"
                             "1,0,1,-1,0.9\n1,1,1,0.9,1\n";

/* The keys of a problem file. Each may be given as text, or as numbers. */
static BfStatus set_keys(BfSettings *s, BfError *error) {
  static const char *const text[][2] = {{"name", "xor"},
                                        {"horizon", "2"},
                                        {"step", "0.5"},
                                        {"token.dim", "2"},
                                        {"data.file", "xor.csv"},
                                        {"control.A.form", "full"},
                                        {"control.A.levels", "3"},
                                        {"control.V.form", "diagonal"},
                                        {"control.V.levels", "3"},
                                        {"cost.terminal", "pooled_cross_entropy"},
                                        {"cost.readout.matrix", "4,0,-4,0"},
                                        {"cost.readout.bias", "2,-2"},
                                        {"cost.weight_decay", "1e-3"}};
  for (size_t k = 0; k < sizeof text / sizeof *text; k++) BF_TRY(bf_settings_add(s, text[k][0], text[k][1], error));
  BF_TRY(bf_settings_add_numbers(s, "token.lower", 2, (const double[]){-1.5, -1.5}, error));
  BF_TRY(bf_settings_add_numbers(s, "token.upper", 2, (const double[]){1.5, 1.5}, error));
  BF_TRY(bf_settings_add_numbers(s, "control.A.range", 2, (const double[]){-2, 2}, error));
  BF_TRY(bf_settings_add_numbers(s, "control.V.range", 2, (const double[]){-2, 2}, error));
  return bf_settings_add_integers(s, "quantize.cells", 2, (const int64_t[]){3, 3}, error);
}

/* The table stands in memory, under the name that the key data.file has for it. */
static BfStatus make_problem(MPI_Comm comm, BfProblem **problem, BfError *error) {
  BfSettings settings = {0};
  BfFiles   *files    = NULL;
  BfStatus   status;
  BF_GOTO(bf_files_create(comm, NULL, &files, error));
  BF_GOTO(bf_files_add(files, "xor.csv", table, sizeof table - 1, error));
  BF_GOTO(set_keys(&settings, error));
  status = bf_problem_create(files, &settings, bf_trainer_sections(bf_trainer("solve")), problem, error);
  files  = NULL; /* taken over */
done:
  bf_files_destroy(&files);
  bf_settings_clear(&settings);
  return status;
}

/* From a file; options that are not the trainer's override its keys ("horizon", "3"). */
static BfStatus read_problem(BfRun *run, const char *path, BfProblem **problem, BfError *error) {
  const BfTrainer *solve = bf_trainer("solve");
  BF_TRY(bf_trainer_read_options(run, solve, error)); /* first: else -o were an unknown key */
  return bf_problem_read(run->world, path, bf_trainer_sections(solve), run->options, problem, error);
}

/* The loss of the model on data that it was not trained on. Serial: every rank finds the same. */
static BfStatus evaluate(const BfProblem *problem, const BfModel *model, BfRollout *rollout, BfError *error) {
  const BfFile file = {.name = "others.csv", .bytes = (char *)others, .size = sizeof others - 1};
  BfData       data = {0};
  BfStatus     status;
  BF_TRY(bf_data_parse(&file, problem->layer.dim, &data, error));
  BF_GOTO(bf_problem_check_data(problem, &file, &data, NULL, error));
  status = bf_rollout(problem, &data, model, rollout, error);
done:
  bf_data_clear(&data);
  return status;
}

/* What follows `bellformer solve` on a command line, for one run. */
static BfStatus set_options(const char *path, BfOptions **options, BfError *error) {
  BF_TRY(bf_options_create(options, error));
  BF_TRY(bf_options_add(*options, "space", "reachable", error));
  BF_TRY(bf_options_add(*options, "o", path, error));
  return bf_options_add(*options, "overwrite", NULL, error);
}

/* Collective: what may fail on one rank alone is agreed on by bf_together. */
static BfStatus train(BfRun *run, const char *path, const char *file, BfError *error) {
  BfOptions *options = NULL;
  BfProblem *problem = NULL;
  BfTrained  trained = {0};
  BfRollout  other   = {0};
  BfStatus   status;
  BF_GOTO(bf_together(run->world, set_options(path, &options, error), error));
  run->options = options;
  BF_GOTO(file ? read_problem(run, file, &problem, error) : make_problem(run->world, &problem, error));
  BF_GOTO(bf_train(run, bf_trainer("solve"), problem, &trained, error));
  BF_GOTO(bf_together(run->world, evaluate(problem, &trained.model, &other, error), error));
  if (run->rank == 0)
    printf("V_0 %.10g, loss %.10g, of others %.10g\n", trained.model.quantized_cost, trained.train.loss, other.loss);
done:
  run->options = NULL;
  bf_rollout_clear(&other);
  bf_trained_clear(&trained);
  bf_problem_destroy(&problem);
  bf_options_destroy(&options);
  return status;
}

int main(int argc, char **argv) {
  BfError  error = {0};
  BfRun   *run   = NULL;
  BfStatus status;
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return BF_FAILURE;
  if (argc < 2 || argc > 3) status = bf_fail(&error, BF_BAD_INPUT, "usage: embed RESULT.h5 [PROBLEM.yaml]");
  else status = bf_run_create(PETSC_COMM_WORLD, 0, &run, &error);
  if (status == BF_OK) {
    run->quiet = true;
    status     = train(run, argv[1], argv[2], &error);
  }
  if (status != BF_OK && (!run || run->rank == 0)) fprintf(stderr, "embed: %s\n", error.text);
  bf_run_destroy(&run);
  PetscFinalize();
  return status;
}
