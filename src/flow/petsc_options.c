/* PETSc's own options of the flow: -tao_..., -ts_..., -mat_... (train/petsc.h). */
#include "flow/flow.h"
#include "flow/settings.h"
#include "train/petsc.h"
#include <petsctao.h>
#include <petscts.h>
#include <stdio.h>
#include <string.h>

/* Of TAO's methods those that keep to the box U and want first derivatives only. */
static const char *const methods[] = {TAOBQNLS, TAOBQNKLS, TAOBQNKTR, TAOBQNKTL, TAOBLMVM, TAOBNCG};
enum { METHODS = sizeof methods / sizeof *methods };

const char *bf_flow_method(int i) { return i < METHODS ? methods[i] : NULL; }

/* What `flow` settles itself, and by what. */
static const char *const settled[][2] = {{"ts_type", "give -scheme"},
                                         {"ts_rk_type", "give -scheme"},
                                         {"ts_rtol", "give -tolerance"},
                                         {"ts_atol", "give -tolerance"},
                                         {"ts_dt", "give -steps"},
                                         {"ts_max_steps", "give -steps"},
                                         {"ts_max_time", "give step"},
                                         {"ts_init_time", "give step"},
                                         {"ts_time_span", "give step"},
                                         {"ts_exact_final_time", "give step"},
                                         {0}};

/* What TAO looks up no sooner than it solves: viewers, and the rest. */
static const char *const late_view[] = {
    "-tao_view",    "-tao_view_solution", "-tao_view_gradient",     "-tao_converged_reason",
    "-tao_ls_view", "-ts_view",           "-tao_test_gradient_view"};
static const char *const late[] = {"-tao_test_gradient"};

/* ---- reading ---------------------------------------------------------------------------------------------------- */

static PetscErrorCode read_ts(void) {
  TS           ts;
  TSTrajectory trajectory;
  PetscCall(TSCreate(PETSC_COMM_SELF, &ts));
  PetscCall(TSSetType(ts, TSRK));
  PetscCall(TSSetFromOptions(ts));
  PetscCall(TSSetSaveTrajectory(ts));
  PetscCall(TSGetTrajectory(ts, &trajectory));
  PetscCall(TSTrajectorySetType(trajectory, ts, TSTRAJECTORYMEMORY));
  PetscCall(TSTrajectorySetFromOptions(trajectory, ts));
  return TSDestroy(&ts);
}

static PetscErrorCode read_tao(void) {
  Tao tao;
  Vec x;
  PetscCall(VecCreateSeq(PETSC_COMM_SELF, 1, &x));
  PetscCall(TaoCreate(PETSC_COMM_SELF, &tao));
  PetscCall(TaoSetSolution(tao, x));
  PetscCall(TaoSetFromOptions(tao));
  PetscCall(VecDestroy(&x));
  return TaoDestroy(&tao);
}

static PetscErrorCode read_late(void) {
  PetscBool given;
  for (size_t i = 0; i < sizeof late / sizeof *late; i++) PetscCall(PetscOptionsHasName(NULL, NULL, late[i], &given));
  for (size_t i = 0; i < sizeof late_view / sizeof *late_view; i++) {
    PetscViewer viewer = NULL;
    PetscCall(PetscOptionsGetViewer(PETSC_COMM_SELF, NULL, NULL, late_view[i], &viewer, NULL, &given));
    PetscCall(PetscViewerDestroy(&viewer));
  }
  return 0;
}

static int look(void) {
  PetscCall(read_ts());
  PetscCall(read_tao());
  return read_late();
}

/* ---- what an option may be -------------------------------------------------------------------------------------- */

/* ", " between the names of a list, those with a prefix only. */
static void join(PetscFunctionList list, const char *prefix, size_t size, char *out) {
  const char **names;
  int          count;
  *out = '\0';
  if (PetscFunctionListGet(list, &names, &count)) return;
  for (int i = 0; i < count; i++)
    if (names[i] && !strncmp(names[i], prefix, strlen(prefix)))
      snprintf(out + strlen(out), size - strlen(out), "%s%s", *out ? ", " : "", names[i]);
  PetscFree(names);
}

static bool ends_in(const char *name, const char *end) {
  const size_t n = strlen(name), m = strlen(end);
  return n >= m && !strcmp(name + n - m, end);
}

static void values(const char *name, size_t size, char known[]) {
  if (!strcmp(name, "ts_adapt_type")) snprintf(known, size, "none, basic, dsp, cfl, glee");
  if (!strcmp(name, "tao_ls_type")) join(TaoLineSearchList, "", size, known);
  if (!strcmp(name, "ts_trajectory_type")) join(TSTrajectoryList, "", size, known);
  if (ends_in(name, "_mat_type")) join(MatList, "lmvm", size, known);
}

static const char *const    prefix[] = {"tao_", "ts_", "mat_", NULL};
static const BfPetscOptions kind     = {bf_flow_options, prefix, settled, "tao_type", look, values};

bool bf_flow_petsc_is(const char *name) { return bf_petsc_is(&kind, name); }

/* ---- the database ----------------------------------------------------------------------------------------------- */

BfStatus bf_flow_database_create(const char *text, struct _n_PetscOptions **database, BfError *error) {
  return bf_petsc_database_create(bf_flow_options, text, database, error);
}

/* PETSc keeps what is under it within the database: it cannot be put on top twice. */
void bf_flow_petsc_begin(BfFlow *flow) {
  if (!flow->database_uses++) PetscOptionsPush(flow->database);
}

void bf_flow_petsc_end(BfFlow *flow) {
  if (!--flow->database_uses) PetscOptionsPop();
}

BfStatus bf_flow_iterations(const BfFlowOptions *options, int64_t *most, BfError *error) {
  PetscOptions database   = NULL;
  PetscInt     iterations = 0;
  BfStatus     status;
  BF_GOTO(bf_flow_database_create(options->petsc, &database, error));
  status = bf_petsc(PetscOptionsGetInt(database, NULL, "-tao_max_it", &iterations, NULL), "-tao_max_it", error);
  *most  = iterations;
done:
  bf_petsc_database_destroy(&database);
  return status;
}

/* ---- from the options of a run ---------------------------------------------------------------------------------- */

static BfStatus check_method(const char *method, BfError *error) {
  char known[256] = "";
  for (int i = 0; i < METHODS; i++) {
    if (!method || !strcmp(method, methods[i])) return BF_OK;
    snprintf(known + strlen(known), sizeof known - strlen(known), "%s%s", i ? ", " : "", methods[i]);
  }
  return bf_fail(error, BF_BAD_INPUT,
                 "option -tao_type must be one of %s (what keeps to the box by first derivatives), got '%s'", known,
                 method);
}

/* PETSc takes less than 0 for 0. */
static BfStatus check_iterations(const char *text, BfError *error) {
  const long long least = (long long)bf_options_row(bf_flow_options, "tao_max_it")->least;
  int64_t         most  = 0;
  BF_TRY(bf_flow_iterations(&(BfFlowOptions){.petsc = text}, &most, error));
  if (most >= least) return BF_OK;
  return bf_fail(error, BF_BAD_INPUT, "option -tao_max_it must be at least %lld, got %lld", least, (long long)most);
}

BfStatus bf_flow_petsc_take(BfOptions *options, char **text, BfError *error) {
  *text = NULL;
  BF_TRY(check_method(bf_options_read(options, "tao_type"), error));
  BF_TRY(bf_petsc_take(&kind, options, text, error));
  return check_iterations(*text, error);
}
