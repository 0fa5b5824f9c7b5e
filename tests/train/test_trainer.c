/* A trainer that is no more than its row has results, restarts and a model that is read again; and trainers run without
 * a command line, two at once on parts of the ranks. Argument: xor.yaml. */
#include "../ranks.h" /* before PETSc's, whose macros count messages */

#include <math.h>
#include <petscsys.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bellformer/flow.h"
#include "model/format.h"
#include "train/trainer.h"

/* ---- the trainer: controls at a fraction of the way from the lower to the upper end of the box ------------------- */

typedef struct {
  struct {
    double fraction;
  } set;
  int reports;
} State;

static const BfOption rows[] = {{"fraction", BF_OPTION_NUMBER, BF_ANSWER, "X", 0, "0.5", 0, 1, .meaning = "of the way"},
                                {0}};

static BfStatus create(void *state, BfSession *session, BfError *error) {
  (void)state;
  (void)session;
  (void)error;
  return BF_OK;
}

static BfStatus train(void *state, BfSession *session, BfError *error) {
  const BfProblem *p = session->problem;
  BfModel         *m = &session->trained.model;
  BF_TRY(bf_together(session->run->world, bf_model_create(p, false, m, error), error));
  for (int i = 0; i < m->layers * m->free; i++) {
    const double lower = p->control_lower[i % m->free], upper = p->control_upper[i % m->free];
    m->control[i] = lower + ((State *)state)->set.fraction * (upper - lower);
  }
  return BF_OK;
}

static int  reports;
static void report(const void *state, const BfSession *session) {
  (void)state;
  reports += session->trained.train.tokens != NULL;
}

static const BfTrainer between = {
    .name = "between", .options = rows, .size = sizeof(State), .create = create, .train = train, .report = report};

/* ---- checks ------------------------------------------------------------------------------------------------------ */

/* Options from "name value name value ...". */
static BfOptions *options_of(const char *words[], int count) {
  BfError    error   = {0};
  BfOptions *options = NULL;
  if (bf_options_create(&options, &error) != BF_OK) return NULL;
  for (int i = 0; i + 1 < count; i += 2) bf_options_add(options, words[i], words[i + 1], &error);
  return options;
}
#define OPTIONS(...)                                                                                                   \
  options_of((const char *[]){__VA_ARGS__}, (int)(sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)))

static BfStatus with(BfRun *run, const BfTrainer *trainer, const BfProblem *problem, BfOptions *options, BfTrained *out,
                     BfError *error) {
  run->options          = options;
  const BfStatus status = bf_train(run, trainer, problem, out, error);
  bf_options_destroy(&options);
  run->options = NULL;
  return status;
}

static bool same_model(const BfModel *a, const BfModel *b) {
  return a->layers == b->layers && a->free == b->free && a->readout == b->readout && !a->action == !b->action &&
         !memcmp(a->control, b->control, sizeof(double) * (size_t)(a->layers * a->free));
}

/* The model is what the row says, its costs are those of the layers, and the result holds both. */
static void check_result(Tap *tap, BfRun *run, const BfProblem *problem, const char *out) {
  BfTrained  trained = {0};
  BfModel    read    = {0};
  BfProblem *kept    = NULL;
  BfRollout  alone   = {0};
  BfError    error   = {0};
  bool       quarter = true;
  reports            = 0;
  check(tap, with(run, &between, problem, OPTIONS("o", out, "fraction", "0.25"), &trained, &error) == BF_OK,
        "a trainer of three functions trains");
  const BfModel *m = &trained.model;
  for (int i = 0; m->control && i < m->layers * m->free; i++)
    quarter &= m->control[i] == 0.75 * problem->control_lower[i % m->free] + 0.25 * problem->control_upper[i % m->free];
  check(tap, m->control && quarter && reports == 1, "its settings come from the options, its report is asked once");
  error = (BfError){0};
  check(tap,
        bf_model_read(run, out, &kept, &read, &error) == BF_OK && same_model(m, &read) && isnan(read.quantized_cost) &&
            !strcmp(read.found, "between"),
        "its result is a model that is read again, bit for bit");
  check(tap,
        bf_rollout(kept, &kept->train, &read, &alone, &error) == BF_OK && alone.cost == trained.train.cost &&
            alone.loss == trained.train.loss,
        "on the problem that stands in it, with the costs that were told");
  bf_rollout_clear(&alone);
  bf_model_clear(&read);
  bf_problem_destroy(&kept);
  bf_trained_clear(&trained);
}

static void check_restart(Tap *tap, BfRun *run, const BfProblem *problem, const char *out) {
  BfTrained trained = {0};
  BfError   error   = {0};
  check(tap,
        with(run, &between, problem, OPTIONS("o", out, "restart", "auto", "fraction", "0.25"), &trained, &error) ==
                BF_OK &&
            !trained.model.control && reports == 1,
        "a restart of what is finished has nothing to do");
  check(tap,
        with(run, &between, problem, OPTIONS("o", out, "restart", "auto"), &trained, &error) == BF_BAD_INPUT &&
            strstr(error.text, "-fraction was 0.25, now 0.5"),
        "and is refused with another option that changes the answer");
  error = (BfError){0};
  check(tap,
        with(run, bf_trainer("solve"), problem, OPTIONS("o", out, "restart", "auto"), &trained, &error) ==
                BF_BAD_INPUT &&
            strstr(error.text, "command was between, now solve"),
        "or by another trainer");
  error = (BfError){0};
  check(tap,
        with(run, &between, problem, OPTIONS("spice", "1"), &trained, &error) == BF_BAD_INPUT &&
            strstr(error.text, "unknown option -spice"),
        "an option that nobody reads is refused");
  bf_trained_clear(&trained);
}

static BfStatus train_quietly(BfRun *run, const char *name, const BfProblem *problem, BfTrained *out, BfError *error) {
  run->quiet = true;
  return with(run, bf_trainer(name), problem,
              !strcmp(name, "flow") ? OPTIONS("tao_max_it", "3", "scheme", "layers") : NULL, out, error);
}

/* A number that is none is seen in what was the largest; the longest command is kept whole. */
static void check_written(Tap *tap, BfRun *run, const BfProblem *problem, const char *out) {
  enum { WORDS = 1000 };
  char        word[] = "-a_word_of_twenty_by", *words[WORDS], *line = NULL;
  BfArguments arguments = {.name = "between", .argc = WORDS, .argv = words};
  const char *last      = "of_twenty_by";
  double      token     = 0;
  BfTrained   trained   = {0};
  BfStore    *store     = NULL;
  BfError     error     = {0};
  for (int i = 0; i < WORDS; i++) words[i] = word;
  bool fine = with(run, &between, problem, NULL, &trained, &error) == BF_OK &&
              bf_store_create(run->world, out, 1, &store, &error) == BF_OK;
  if (fine) trained.train.tokens[0] = NAN;
  fine = fine && bf_rollout_write(problem, &trained.train, &trained.test, store, &error) == BF_OK &&
         bf_result_provenance(run->world, run, &arguments, problem->layer.kernels, BF_RESULT_OF_LAYERS, store,
                              &error) == BF_OK &&
         bf_store_commit(&store, &error) == BF_OK && bf_store_open(run->world, out, &store, &error) == BF_OK &&
         bf_store_get_double(store, "/rollout", "largest_token", &token, &error) == BF_OK &&
         bf_store_get_text(store, "/provenance", "command", &line, &error) == BF_OK;
  check(tap, fine && isnan(token), "no largest token where one is NaN");
  check(tap, fine && strlen(line) == WORDS * sizeof word - 1 && strstr(line + strlen(line) - strlen(last), last),
        "a long command line is kept whole");
  bf_store_close(&store);
  bf_free(line);
  bf_trained_clear(&trained);
}

/* Pontryagin's condition where an adjoint and a gradient are NaN. */
static void check_condition(Tap *tap, BfRun *run, const BfProblem *problem) {
  const int64_t       n = (int64_t)problem->horizon * problem->layer.free;
  const int64_t       m = (problem->horizon + 1) * problem->train.tokens * problem->layer.dim;
  const BfFlowOptions o = {.scheme = bf_scheme("layers"), .steps = 1, .memory = 1e9};
  double             *u = NULL, *gradient = NULL, *tokens = NULL, *adjoint = NULL;
  BfFlow             *flow  = NULL;
  BfPontryagin        p     = {0};
  BfError             error = {0};
  bool                fine  = BF_NEW(&u, n, &error) == BF_OK && BF_NEW(&gradient, n, &error) == BF_OK &&
              BF_NEW(&tokens, m, &error) == BF_OK && BF_NEW(&adjoint, m, &error) == BF_OK &&
              bf_flow_create(run, problem, &problem->train, &o, &flow, &error) == BF_OK;
  BfFlowValue value = {.gradient = gradient, .tokens = tokens, .adjoint = adjoint};
  fine              = fine && bf_flow_evaluate(flow, u, &value, &error) == BF_OK;
  fine = fine && bf_pontryagin(flow, problem, u, &value, &p, &error) == BF_OK && isfinite(p.stationarity + p.violation);
  bf_pontryagin_clear(&p);
  for (int64_t i = 0; fine && i < m; i++) adjoint[i] = NAN;
  if (fine) gradient[0] = NAN;
  fine = fine && bf_pontryagin(flow, problem, u, &value, &p, &error) == BF_OK;
  check(tap, fine && isnan(p.stationarity) && isnan(p.violation) && isnan(p.variation),
        "Pontryagin's condition is not met by NaN");
  bf_pontryagin_clear(&p);
  bf_flow_destroy(&flow);
  bf_free(u);
  bf_free(gradient);
  bf_free(tokens);
  bf_free(adjoint);
}

/* solve on the first rank and flow on the others at once, each as when it has all ranks to itself. */
static void check_parts(Tap *tap, BfRun *run, BfProblem *problem) {
  BfTrained   alone[2] = {0}, part = {0};
  BfError     error = {0};
  BfRun      *mine  = NULL;
  MPI_Comm    comm;
  const int   side    = run->rank > 0;
  const char *names[] = {"solve", "flow"};
  bool        fine    = true;
  for (int i = 0; i < 2; i++) fine &= train_quietly(run, names[i], problem, &alone[i], &error) == BF_OK;
  check(tap, fine && bf_model_is_solved(&alone[0].model) && alone[0].model.action && !alone[1].model.action,
        "solve and flow train without a command line");
  MPI_Comm_split(MPI_COMM_WORLD, side, run->rank, &comm);
  fine = bf_run_create(comm, 0, &mine, &error) == BF_OK &&
         train_quietly(mine, names[side], problem, &part, &error) == BF_OK;
  check(tap, fine && same_model(&part.model, &alone[side].model) && part.train.cost == alone[side].train.cost,
        "at once on parts of the ranks: the same bits");
  if (*error.text) fprintf(stderr, "# %s\n", error.text);
  bf_run_destroy(&mine);
  MPI_Comm_free(&comm);
  bf_trained_clear(&part);
  for (int i = 0; i < 2; i++) bf_trained_clear(&alone[i]);
}

int main(int argc, char **argv) {
  char        folder[64] = "/tmp/bf_trainer_XXXXXX", out[128];
  Tap         tap        = {0};
  BfError     error      = {0};
  BfRun      *run        = NULL;
  BfProblem  *problem    = NULL;
  const char *path       = argv[1];
  MPI_Init(&argc, &argv); /* and ended by finish_tap */
  if (argc < 2 || PetscInitialize(&argc, &argv, NULL, NULL)) return 2;
  BfOptions *keys   = OPTIONS("horizon", "2", "quantize_cells", "2,2");
  BfStatus   status = bf_run_create(PETSC_COMM_WORLD, 0, &run, &error);
  if (status == BF_OK)
    status = bf_problem_read(run->world, path, bf_trainer_sections(bf_trainer("solve")), keys, &problem, &error);
  if (status != BF_OK) printf("Bail out! %s\n", error.text);
  bf_options_destroy(&keys);
  if (status != BF_OK) return 1;
  if (!run->rank && !mkdtemp(folder)) return 1;
  (void)MPI_Bcast(folder, sizeof folder, MPI_CHAR, 0, run->world);
  snprintf(out, sizeof out, "%s/run.h5", folder);
  run->quiet = true;
  check_result(&tap, run, problem, out);
  check_restart(&tap, run, problem, out);
  check_written(&tap, run, problem, out);
  check_condition(&tap, run, problem);
  check_parts(&tap, run, problem);
  check(&tap, run->rank || (!unlink(out) && !rmdir(folder)), "nothing else was written");
  bf_problem_destroy(&problem);
  bf_run_destroy(&run);
  PetscFinalize();
  return finish_tap(&tap);
}
