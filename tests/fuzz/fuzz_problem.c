/* Any bytes as the YAML of a problem, with good tables beside it. Behind the last NUL byte, which no YAML may hold,
 * come overrides: the "key=value" lines of an earlier reading. */
#include "fuzz.h"

#include <math.h>
#include <mpi.h>
#include <sanitizer/lsan_interface.h>

#include "bellformer/cost.h"
#include "bellformer/solve.h"

/* clang-format off */
const char *const WORDS[] = {
    "0", "1", "2", "3", "-1", "0.5", "1e-300", "1e154", "-1e300", "1.7e308", "65", "1000000", "2147483647",
    "9223372036854775807", "nan", "[]", "none", "full", "fixed", "scalar", "skew", "causal", "sphere", "relu", "sample",
    "file", "grid", "split", "auto", "decision", "sinusoidal", "pop.csv", "y.csv", "one.csv", "x.csv", "wasserstein",
    "squared_error", "token_cross_entropy", "rms", "layer", NULL};
/* clang-format on */

/* ---- bounds ----------------------------------------------------------------------------------------------------- */

/* A small machine, so that a problem is refused by its size before it takes long: the linker puts this in place of what
 * asks the system. */
enum { MEMORY = 1 << 22 };
int64_t __wrap_bf_least_memory_free(MPI_Comm comm);

int64_t __wrap_bf_least_memory_free(MPI_Comm comm) {
  (void)comm;
  return MEMORY;
}

/* One rank, without a launcher, without the network, and without handlers of signals in place of the fuzzer's. What
 * MPI takes at its start, and keeps, is not counted as leaked. */
int LLVMFuzzerInitialize(int *argc, char ***argv) {
  setenv("OMPI_MCA_ess_singleton_isolated", "1", 1);
  setenv("OMPI_MCA_btl", "self", 1);
  setenv("OMPI_MCA_opal_signal", "", 1);
  __lsan_disable();
  MPI_Init(argc, argv);
  __lsan_enable();
  H5set_free_list_limits(0, 0, 0, 0, 0, 0);
  return 0;
}

/* ---- files ------------------------------------------------------------------------------------------------------ */

static const char *const FILES[][2] = {
    {"xor.csv", "sequence,position,label,z0,z1\n0,0,0,-1,-1\n0,1,0,-1,1\n1,0,1,1,-1\n1,1,1,1,1\n"},
    {"pop.csv", "sequence,position,label,z0,z1\n0,0,0,-1,-1\n0,0,0,-1,1\n0,0,1,1,1\n0,0,1,1,-1\n0,0,1,1,1\n"},
    {"y.csv", "sequence,position,y0,y1,z0,z1\n0,0,0,1,1,1\n0,1,0,1,-1,1\n1,0,0,0,1,1\n"},
    {"one.csv", "sequence,position,label,z0\n0,0,0,-1\n0,3,1,0\n0,3,1,0.5\n7,1,2,1\n"},
    {"six.csv", "sequence,position,label,z0,z1,z2,z3,z4,z5\n0,0,1,0,0,0,0,0,0\n0,1,1,1,0,0,0,0,0\n0,2,1,0,1,0,0,0,0\n"},
    {"x.csv", "0,0\n1,1\n1,-1\n-1,0.5\n"},            /* points, or controls: two numbers a row */
    {"u.csv", "a,b,c,d,e\n1,0,0,1,2\n0,1,-1,0,-2\n"}, /* a full and a scalar matrix */
    {"r.csv", "1,0,-1,0,0.5,0\n0,1,0,-1,0,0\n"},      /* readouts of two classes */
};

static BfFiles *make_files(const uint8_t *yaml, size_t size) {
  BfError  error = {0};
  BfFiles *files = NULL;
  MUST(bf_files_create(MPI_COMM_SELF, NULL, &files, &error) == BF_OK);
  MUST(bf_files_add(files, "a.yaml", size ? (const char *)yaml : "", (int64_t)size, &error) == BF_OK);
  for (size_t k = 0; k < sizeof FILES / sizeof *FILES; k++)
    MUST(bf_files_add(files, FILES[k][0], FILES[k][1], (int64_t)strlen(FILES[k][1]), &error) == BF_OK);
  return files;
}

/* ---- what must hold of a problem that was read ------------------------------------------------------------------ */

static void must_be_finite(const double *number, int64_t count) {
  for (int64_t k = 0; number && k < count; k++) MUST(isfinite(number[k]));
}

static void must_be_one_line(const char *text) {
  MUST(text && *text);
  for (; *text; text++) MUST((unsigned char)*text >= ' ');
}

static void must_be_in_box(const BfProblem *p, const BfData *data) {
  for (int64_t k = 0; k < data->tokens * data->dim; k++)
    MUST(data->z[k] >= p->layer.lower[k % data->dim] && data->z[k] <= p->layer.upper[k % data->dim]);
}

static void layer_must_be_sound(const BfProblem *p) {
  const BfLayer *layer = &p->layer;
  MUST(isfinite(layer->step) && layer->step > 0 && isfinite(layer->beta));
  MUST(layer->heads > 0 || layer->activation);
  for (int j = 0; j < layer->dim; j++) MUST(isfinite(1e20 * pow(layer->upper[j] - layer->lower[j], 2)));
  must_be_finite(layer->encoding, (int64_t)layer->positions * layer->dim);
  MUST(!layer->encoding || (layer->positions >= p->train.positions && layer->positions >= p->test.positions));
  for (int k = 0; k < layer->matrices; k++)
    must_be_finite(layer->matrix[k].value, (int64_t)layer->matrix[k].rows * layer->matrix[k].cols);
}

static void controls_must_be_in_range(const BfProblem *p) {
  const int q = p->layer.free;
  MUST(p->action || !p->actions);
  for (int j = 0; j < q; j++) MUST(p->control_lower[j] <= p->control_upper[j]);
  must_be_finite(p->action, p->actions * q);
  for (int64_t k = 0; k < p->actions * q; k++)
    MUST(p->action[k] >= p->control_lower[k % q] && p->action[k] <= p->control_upper[k % q]);
}

static void cost_must_be_sound(const BfProblem *p) {
  const BfCost *cost = &p->cost;
  MUST(isfinite(cost->step * cost->weight_decay) && cost->weight_decay >= 0);
  MUST(isfinite(cost->diameter2));
  if (!cost->kind->has_readout) return;
  MUST(cost->readouts >= 1 && cost->classes >= 1 && cost->classes >= p->train.labels && cost->matrix && cost->bias);
  must_be_finite(cost->matrix, cost->readouts * cost->classes * cost->dim);
  must_be_finite(cost->bias, cost->readouts * cost->classes);
  MUST(!cost->trained || cost->trained == (int64_t)cost->classes * (cost->dim + 1));
  for (int64_t i = 0; i < cost->trained; i++)
    MUST(cost->lower[i] <= cost->upper[i] && isfinite(bf_readout_middle(cost, i)));
}

/* The law that a solve starts from: where it is not too long to be written down. */
static void cells_must_be_sorted(const BfProblem *p) {
  int64_t slots = 0, *cell;
  BfError error = {0};
  for (int64_t s = 0; s < p->train.contexts; s++) slots += p->context[s].slots;
  if (!p->cells || slots > 100000) return;
  MUST(BF_NEW(&cell, slots, &error) == BF_OK);
  MUST(bf_problem_initial_cells(p, cell, &error) == BF_OK);
  for (int64_t k = 0; k < slots; k++) MUST(cell[k] >= 0 && cell[k] < bf_cells_count(p->cells));
  const int64_t *at = cell;
  for (int64_t s = 0; s < p->train.contexts; s++)
    for (int g = 0; g < p->context[s].tags; g++)
      for (int k = p->context[s].first[g]; k < p->context[s].first[g + 1]; k++, at++)
        MUST(k == p->context[s].first[g] || at[-1] <= at[0]);
  bf_free(cell);
}

static void problem_must_be_sound(const BfProblem *p) {
  MUST(p->horizon >= 1 && p->layer.dim >= 1);
  for (const char *c = p->name; *c; c++) MUST((unsigned char)*c >= ' ');
  for (int k = 0; k < p->warnings; k++) must_be_one_line(p->warning[k]);
  must_be_in_box(p, &p->train);
  must_be_in_box(p, &p->test);
  layer_must_be_sound(p);
  controls_must_be_in_range(p);
  cost_must_be_sound(p);
  cells_must_be_sorted(p);
}

/* Sections are needed, or not, by what comes. */
static const BfSections *sections_of(size_t size) {
  static const BfSections heads = {"heads", 0, BF_SECTION_HEADS};
  return size % 2 ? &bf_solve_sections : size % 4 ? &heads : NULL;
}

/* The record of overrides, and the same files, give the same problem. */
static void must_read_the_same_again(const BfProblem *p, const uint8_t *yaml, size_t size) {
  BfError    error = {0};
  BfProblem *again = NULL;
  MUST(bf_problem_restore(make_files(yaml, size), "a.yaml", p->overrides, sections_of(size), &again, &error) == BF_OK);
  MUST(!strcmp(again->overrides, p->overrides) && !strcmp(again->name, p->name));
  MUST(again->horizon == p->horizon && again->actions == p->actions && again->layer.free == p->layer.free);
  MUST(!p->actions || !memcmp(again->action, p->action, (size_t)(p->actions * p->layer.free) * sizeof *p->action));
  bf_problem_destroy(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  const uint8_t *nul  = size ? memrchr(bytes, '\0', size) : NULL;
  size_t         yaml = nul ? (size_t)(nul - bytes) : size, rest = nul ? size - yaml - 1 : 0;
  char          *overrides = calloc(rest + 1, 1);
  BfError        error     = {0};
  BfProblem     *problem   = NULL;
  if (rest) memcpy(overrides, nul + 1, rest);
  BfStatus status =
      bf_problem_restore(make_files(bytes, yaml), "a.yaml", overrides, sections_of(yaml), &problem, &error);
  if (status != BF_OK) {
    must_be_told(status, &error);
    MUST(!problem);
  } else {
    problem_must_be_sound(problem);
    must_read_the_same_again(problem, bytes, yaml);
    bf_problem_destroy(&problem);
  }
  must_leave_no_ids();
  free(overrides);
  return 0;
}
