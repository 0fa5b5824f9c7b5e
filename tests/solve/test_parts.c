/* Successors and costs where actions share parts of a layer, and where costs read a few tokens alone: the same bits as
 * where every action is evaluated by itself and at all tokens, with as much room for what is shared as there is wanted,
 * and with room for one block of it. Argument: the folder of the shipped problems. */
#include <petscsys.h>

#include "bellformer/splitmix64.h"
#include "solve/reachable/layers.h"

typedef struct {
  const char *what, *file;
  int         shared;      /* parts that actions share */
  int         read;        /* tokens of a sequence that the cost reads; 0: it is not asked */
  const char *options[28]; /* name, value, ... */
} Case;

static const Case cases[] = {
    {"a grid: A, hidden layer, in cells",
     "iris/iris.yaml",
     2,
     0,
     {"action_kind", "grid", "control_A_levels", "9", "control_V_levels", "2", "control_W1_levels", "1",
      "control_b1_levels", "3", "control_W2_levels", "1", "control_b2_levels", "2"}},
    {"two heads, one of them shared; norm, linear term, sphere, without cells",
     "asy26-toy/asy26-toy.yaml",
     1,
     4,
     {"action_kind",        "grid",    "layer_heads",        "2", "layer_feedforward", "none",
      "layer_norm",         "rms",     "layer_linear",       "1", "token_projection",  "sphere",
      "control_A_0_levels", "3,3,2,2", "control_A_1_levels", "1", "control_V_levels",  "1",
      "control_B_range",    "-1,1",    "control_B_levels",   "1"}},
    {"causal, encoded, the last is read", "induction/induction.yaml", 1, 1, {"control_V_row_5_column_1_levels", "1"}},
    {"full mask, norm, hidden layer, the first is read",
     "induction/induction.yaml",
     2,
     1,
     {"layer_mask",        "full",  "layer_norm",        "rms",   "layer_feedforward", "tanh",
      "layer_width",       "3",     "cost_pooling",      "first", "control_W1_range",  "0.2,0.9",
      "control_W1_levels", "1",     "control_b1_range",  "-1,1",  "control_b1_levels", "2",
      "control_W2_range",  "0.5,1", "control_W2_levels", "1",     "control_b2_range",  "-1,1",
      "control_b2_levels", "1"}},
    {"sampled: nothing is shared", "iris/iris.yaml", 0, 0, {NULL}}};
enum { CASES = sizeof cases / sizeof *cases };

static int  number, failed;
static void tell(const char *what, const char *of, bool ok) {
  failed |= !ok;
  printf("%s %d - %s: %s\n", ok ? "ok" : "not ok", ++number, of, what);
}

/* The blocks of a grid have one A each; in another order the lanes of a block have different ones. */
static void shuffle(BfProblem *problem) {
  const int q    = problem->layer.free;
  uint64_t  seed = 1;
  for (int64_t k = problem->actions - 1; k > 0; k--) {
    const int64_t other = (int64_t)(bf_splitmix64(&seed) % (uint64_t)(k + 1));
    for (int j = 0; j < q; j++) {
      const double u                 = problem->action[k * q + j];
      problem->action[k * q + j]     = problem->action[other * q + j];
      problem->action[other * q + j] = u;
    }
  }
}

typedef struct {
  unsigned char *successor; /* [K][bytes] of the data */
  double        *total;     /* [readouts][K padded] */
} Answer;

/* In two ranges each, as rounds of a large action set ask for. */
static BfStatus evaluate(BfReachable *x, Answer *answer, BfError *error) {
  const int64_t        K = x->problem->actions, middle = x->actions.blocks / 3;
  const unsigned char *from = x->layer[0].measure;
  BF_TRY(BF_NEW(&answer->successor, K * x->measures.bytes, error));
  BF_TRY(BF_NEW(&answer->total, x->problem->cost.readouts * x->actions.blocks * BF_LANES, error));
  BF_TRY(bf_reachable_expand(x, from, 0, middle * BF_LANES, answer->successor, error));
  BF_TRY(bf_reachable_expand(x, from, middle * BF_LANES, K, answer->successor + middle * BF_LANES * x->measures.bytes,
                             error));
  BF_TRY(bf_reachable_cost(x, from, 0, middle, answer->total, error));
  return bf_reachable_cost(x, from, middle, x->actions.blocks, answer->total, error);
}

static bool equal(const BfReachable *x, const Answer *a, const Answer *b) {
  const size_t totals = sizeof(double) * (size_t)(x->problem->cost.readouts * x->actions.blocks * BF_LANES);
  return !memcmp(a->successor, b->successor, (size_t)(x->problem->actions * x->measures.bytes)) &&
         !memcmp(a->total, b->total, totals);
}

/* bytes: of room for each part; 0: nothing is shared, and all tokens are moved. */
static BfStatus answer_with(BfReachable *x, int64_t bytes, Answer *answer, BfError *error) {
  const int count = x->parts.count;
  if (bytes) {
    bf_action_parts_clear(&x->parts);
    BF_TRY(bf_action_parts_create(x->problem, &x->actions, bytes, &x->parts, error));
    return evaluate(x, answer, error);
  }
  BfSlots *read         = x->read;
  x->parts.count        = 0;
  x->read               = NULL;
  const BfStatus status = evaluate(x, answer, error);
  x->parts.count        = count;
  x->read               = read;
  return status;
}

static void clear(Answer *answer) {
  bf_free(answer->successor);
  bf_free(answer->total);
}

static BfStatus check(BfRun *run, const Case *c, BfProblem *problem, bool shuffled, BfError *error) {
  BfReachable x;
  Answer      alone = {0}, wide = {0}, narrow = {0};
  BfStatus    status;
  char        what[100];
  if (shuffled) shuffle(problem);
  BF_GOTO(bf_reachable_start(run, problem, NULL, NULL, &x, error));
  const int read = x.read ? x.read->to - x.read->from : 0;
  snprintf(what, sizeof what, "%d parts found, %d tokens read%s", x.parts.count, read,
           shuffled ? ", actions shuffled" : "");
  tell(what, c->what, x.parts.count == c->shared && read == c->read);
  BF_GOTO(answer_with(&x, 0, &alone, error));
  BF_GOTO(answer_with(&x, BF_PARTS_BYTES, &wide, error));
  tell("as each action by itself", c->what, equal(&x, &alone, &wide));
  BF_GOTO(answer_with(&x, 1, &narrow, error));
  tell("as each by itself, with little room", c->what, equal(&x, &alone, &narrow));
done:
  clear(&alone);
  clear(&wide);
  clear(&narrow);
  bf_reachable_clear(&x);
  return status;
}

static BfStatus run_case(BfRun *run, const char *folder, const Case *c, bool shuffled, BfError *error) {
  char       path[4096];
  BfOptions *options = NULL;
  BfProblem *problem = NULL;
  BfStatus   status  = bf_options_create(&options, error);
  snprintf(path, sizeof path, "%s/%s", folder, c->file);
  for (int i = 0; status == BF_OK && c->options[i]; i += 2)
    status = bf_options_add(options, c->options[i], c->options[i + 1], error);
  if (status == BF_OK) status = bf_problem_read(PETSC_COMM_WORLD, path, &bf_solve_sections, options, &problem, error);
  if (status == BF_OK) status = check(run, c, problem, shuffled, error);
  bf_problem_destroy(&problem);
  bf_options_destroy(&options);
  return status;
}

int main(int argc, char **argv) {
  BfError     error  = {0};
  BfRun      *run    = NULL;
  const char *folder = argv[1];
  if (argc < 2 || PetscInitialize(&argc, &argv, NULL, NULL)) return 2;
  printf("1..%d\n", 6 * CASES);
  BfStatus status = bf_run_create(PETSC_COMM_WORLD, 0, &run, &error);
  for (int i = 0; i < 2 * CASES && status == BF_OK; i++) status = run_case(run, folder, &cases[i / 2], i % 2, &error);
  if (status != BF_OK) printf("Bail out! %s\n", error.text);
  bf_run_destroy(&run);
  PetscFinalize();
  return failed || status != BF_OK;
}
