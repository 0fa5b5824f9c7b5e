/* PETSc's own options of the flow: a text, which a flow reads from a database of its own; PETSc looks there while the
 * flow calls it, in its sub-objects too. Read once before anything runs, so that a misspelt one is found and named. */
#include "flow/flow.h"
#include "flow/settings.h"
#include "run/petsc_error.h"
#include <petsctao.h>
#include <petscts.h>
#include <stdio.h>
#include <string.h>

/* Of TAO's methods those that keep to the box U and want first derivatives only. */
static const char *const methods[] = {TAOBQNLS, TAOBQNKLS, TAOBQNKTR, TAOBQNKTL, TAOBLMVM, TAOBNCG};
enum { METHODS = sizeof methods / sizeof *methods };

const char *bf_flow_method(int i) { return i < METHODS ? methods[i] : NULL; }

/* What `flow` settles itself, and by what. */
static const char *const settled[][2] = {
    {"ts_type", "-scheme"},   {"ts_rk_type", "-scheme"},      {"ts_rtol", "-tolerance"}, {"ts_atol", "-tolerance"},
    {"ts_dt", "-steps"},      {"ts_max_steps", "-steps"},     {"ts_max_time", "step"},   {"ts_init_time", "step"},
    {"ts_time_span", "step"}, {"ts_exact_final_time", "step"}};
enum { SETTLED = sizeof settled / sizeof *settled };

/* What TAO looks up no sooner than it solves: viewers, and the rest. */
static const char *const late_view[] = {
    "-tao_view",    "-tao_view_solution", "-tao_view_gradient",     "-tao_converged_reason",
    "-tao_ls_view", "-ts_view",           "-tao_test_gradient_view"};
static const char *const late[] = {"-tao_test_gradient"};

BfStatus bf_petsc(int code, const char *what, BfError *error) {
  return code ? bf_fail(error, BF_FAILURE, "PETSc: %s: error %d", what, code) : BF_OK;
}

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

static PetscErrorCode read_all(char heard[BF_PETSC_HEARD]) {
  *heard = '\0';
  PetscPushErrorHandler(bf_petsc_hear, heard);
  PetscErrorCode code = read_ts();
  if (!code) code = read_tao();
  if (!code) code = read_late();
  PetscPopErrorHandler();
  return code;
}

/* ---- the database ----------------------------------------------------------------------------------------------- */

/* The defaults of the table, then what is given. */
BfStatus bf_flow_database_create(const char *text, struct _n_PetscOptions **database, BfError *error) {
  BF_TRY(bf_petsc(PetscOptionsCreate(database), "PetscOptionsCreate", error));
  for (const BfOption *row = bf_flow_options; row->name; row++) {
    char name[64];
    snprintf(name, sizeof name, "-%s", row->name);
    if (row->type == BF_OPTION_OTHER && row->standard)
      BF_TRY(bf_petsc(PetscOptionsSetValue(*database, name, row->standard), "PetscOptionsSetValue", error));
  }
  return bf_petsc(PetscOptionsInsertString(*database, text ? text : ""), "PetscOptionsInsertString", error);
}

void bf_flow_database_destroy(struct _n_PetscOptions **database) { PetscOptionsDestroy(database); }

/* PETSc keeps what is under it within the database: it cannot be put on top twice. */
void bf_flow_petsc_begin(BfFlow *flow) {
  if (!flow->database_uses++) PetscOptionsPush(flow->database);
}

void bf_flow_petsc_end(BfFlow *flow) {
  if (!--flow->database_uses) PetscOptionsPop();
}

/* Whether PETSc takes what is in `database` alone. */
static bool is_taken(PetscOptions database, char heard[BF_PETSC_HEARD]) {
  PetscOptionsPush(database);
  const PetscErrorCode code = read_all(heard);
  PetscOptionsPop();
  return !code;
}

BfStatus bf_flow_iterations(const BfFlowOptions *options, int64_t *most, BfError *error) {
  PetscOptions database   = NULL;
  PetscInt     iterations = 0;
  BfStatus     status;
  BF_GOTO(bf_flow_database_create(options->petsc, &database, error));
  status = bf_petsc(PetscOptionsGetInt(database, NULL, "-tao_max_it", &iterations, NULL), "-tao_max_it", error);
  *most  = iterations;
done:
  bf_flow_database_destroy(&database);
  return status;
}

/* ---- which option it was ---------------------------------------------------------------------------------------- */

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

static BfStatus refuse(const char *name, const char *value, const char *heard, BfError *error) {
  char known[512] = "";
  if (!strcmp(name, "ts_adapt_type")) snprintf(known, sizeof known, "none, basic, dsp, cfl, glee");
  if (!strcmp(name, "tao_ls_type")) join(TaoLineSearchList, "", sizeof known, known);
  if (!strcmp(name, "ts_trajectory_type")) join(TSTrajectoryList, "", sizeof known, known);
  if (ends_in(name, "_mat_type")) join(MatList, "lmvm", sizeof known, known);
  if (*known) return bf_fail(error, BF_BAD_INPUT, "option -%s must be one of %s, got '%s'", name, known, value);
  return bf_fail(error, BF_BAD_INPUT, "option -%s: PETSc does not take '%s': %s", name, value, heard);
}

bool bf_flow_petsc_is(const char *name) {
  static const char *const prefix[] = {"tao_", "ts_", "mat_"};
  for (int i = 0; i < 3; i++)
    if (!strncmp(name, prefix[i], strlen(prefix[i])) && name[strlen(prefix[i])]) return true;
  return false;
}

/* Each option in a database of its own, beside the method that brings its options with it. */
static BfStatus blame(const BfOptions *options, const char *method, BfError *error) {
  char heard[BF_PETSC_HEARD] = "", line[1024];
  for (int64_t i = 0; i < bf_options_count(options) && error->status == BF_OK; i++) {
    const char  *name = bf_options_name(options, i), *value = bf_options_value(options, i);
    PetscOptions database = NULL;
    if (!bf_flow_petsc_is(name)) continue;
    snprintf(line, sizeof line, "-%s %s%s%s", name, value, method ? " -tao_type " : "", method ? method : "");
    if (bf_flow_database_create(line, &database, error) == BF_OK && !is_taken(database, heard))
      refuse(name, value, heard, error);
    bf_flow_database_destroy(&database);
  }
  if (error->status == BF_OK)
    bf_fail(error, BF_BAD_INPUT, "PETSc does not take the options of -tao_... and -ts_... together");
  return error->status;
}

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

static BfStatus check_settled(const BfOptions *options, BfError *error) {
  for (int i = 0; i < SETTLED; i++)
    if (bf_options_given(options, settled[i][0]))
      return bf_fail(error, BF_BAD_INPUT, "option -%s is not read: give %s", settled[i][0], settled[i][1]);
  return BF_OK;
}

/* ---- from the options of a run ---------------------------------------------------------------------------------- */

/* "-name value -name value", as it is read again. */
static BfStatus write_text(const BfOptions *options, char **text, BfError *error) {
  const int64_t count = bf_options_count(options);
  int64_t       room  = 1;
  for (int64_t i = 0; i < count; i++)
    room += (int64_t)(strlen(bf_options_name(options, i)) + strlen(bf_options_value(options, i))) + 4;
  BF_TRY(BF_NEW(text, room, error));
  for (int64_t i = 0; i < count; i++) {
    const char *name = bf_options_name(options, i), *value = bf_options_value(options, i);
    if (!bf_flow_petsc_is(name)) continue;
    if (strpbrk(value, " \t\n\"")) return bf_fail(error, BF_BAD_INPUT, "option -%s takes no blanks: '%s'", name, value);
    sprintf(*text + strlen(*text), "%s-%s%s%s", **text ? " " : "", name, *value ? " " : "", value);
  }
  return BF_OK;
}

/* What PETSc has looked up in the database is read; what it has not is misspelt. */
static BfStatus mark(BfOptions *options, PetscOptions database, BfError *error) {
  for (int64_t i = 0; i < bf_options_count(options); i++) {
    const char *name = bf_options_name(options, i);
    PetscBool   used = PETSC_FALSE;
    if (bf_flow_petsc_is(name)) BF_TRY(bf_petsc(PetscOptionsUsed(database, name, &used), "PetscOptionsUsed", error));
    if (used) bf_options_read(options, name);
  }
  return BF_OK;
}

/* PETSc takes less than 0 for 0. */
static BfStatus check_iterations(PetscOptions database, BfError *error) {
  const long long least = (long long)bf_options_row(bf_flow_options, "tao_max_it")->least;
  PetscInt        most  = 0;
  BF_TRY(bf_petsc(PetscOptionsGetInt(database, NULL, "-tao_max_it", &most, NULL), "-tao_max_it", error));
  if (most >= least) return BF_OK;
  return bf_fail(error, BF_BAD_INPUT, "option -tao_max_it must be at least %lld, got %lld", least, (long long)most);
}

BfStatus bf_flow_petsc_take(BfOptions *options, char **text, BfError *error) {
  const char  *method = bf_options_read(options, "tao_type");
  char         heard[BF_PETSC_HEARD];
  PetscOptions database = NULL;
  BfStatus     status;
  *text = NULL;
  BF_TRY(check_method(method, error));
  BF_TRY(check_settled(options, error));
  BF_GOTO(write_text(options, text, error));
  BF_GOTO(bf_flow_database_create(*text, &database, error));
  status = is_taken(database, heard) ? mark(options, database, error) : blame(options, method, error);
  if (status == BF_OK) status = check_iterations(database, error);
done:
  bf_flow_database_destroy(&database);
  return status;
}
