/* PETSc's own options of the flow: read once before anything runs, so that a misspelt one is found and named; kept for
 * a restart. */
#include "flow/flow.h"
#include <ctype.h>
#include <petsctao.h>
#include <petscts.h>
#include <stdio.h>
#include <string.h>

/* Of TAO's methods those that keep to the box U and want first derivatives only. */
static const char *const methods[] = {TAOBQNLS, TAOBQNKLS, TAOBQNKTR, TAOBQNKTL, TAOBLMVM, TAOBNCG};
enum { METHODS = sizeof methods / sizeof *methods };

/* What `flow` settles itself, and by what. */
static const char *const settled[][2] = {
    {"-ts_type", "-scheme"},   {"-ts_rk_type", "-scheme"},      {"-ts_rtol", "-tolerance"}, {"-ts_atol", "-tolerance"},
    {"-ts_dt", "-steps"},      {"-ts_max_steps", "-steps"},     {"-ts_max_time", "step"},   {"-ts_init_time", "step"},
    {"-ts_time_span", "step"}, {"-ts_exact_final_time", "step"}};
enum { SETTLED = sizeof settled / sizeof *settled };

enum { HEARD = 256 };

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
  PetscCall(TaoSetType(tao, TAOBQNLS));
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

/* The first line that PETSc says of an error, into context [HEARD]. */
static PetscErrorCode hear(MPI_Comm comm, int line, const char *function, const char *file, PetscErrorCode code,
                           PetscErrorType type, const char *text, void *context) {
  (void)comm;
  (void)line;
  (void)function;
  (void)file;
  if (type != PETSC_ERROR_INITIAL || !text) return code;
  size_t length = strcspn(text, "\n");
  while (length && text[length - 1] == ' ') length--;
  snprintf(context, HEARD, "%.*s", (int)length, text);
  return code;
}

static PetscErrorCode read_all(char heard[HEARD]) {
  *heard = '\0';
  PetscPushErrorHandler(hear, heard);
  PetscErrorCode code = read_ts();
  if (!code) code = read_tao();
  if (!code) code = read_late();
  PetscPopErrorHandler();
  return code;
}

/* ---- which option it was ---------------------------------------------------------------------------------------- */

static int is_kept(const char *word, size_t length) {
  static const char *const prefix[] = {"-tao_", "-ts_", "-mat_"};
  for (int i = 0; i < 3; i++)
    if (length > strlen(prefix[i]) && !strncmp(word, prefix[i], strlen(prefix[i]))) return 1;
  return 0;
}

/* The option at `at` of a text of options: *name and *value are cut out of it. */
static char *next_option(char *at, char **name, char **value) {
  *name = at + strspn(at, " ");
  at    = *name + strcspn(*name, " ");
  if (*at) *at++ = '\0';
  *value = at;
  if (!*at || (at[0] == '-' && isalpha((unsigned char)at[1]))) {
    *value = at + strlen(at);
    return at;
  }
  at += strcspn(at, " ");
  if (*at) *at++ = '\0';
  return at;
}

/* Whether PETSc takes what is in `database` alone. */
static bool is_taken(PetscOptions database, char heard[HEARD]) {
  PetscOptionsPush(database);
  const PetscErrorCode code = read_all(heard);
  PetscOptionsPop();
  return !code;
}

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
  if (!strcmp(name, "-ts_adapt_type")) snprintf(known, sizeof known, "none, basic, dsp, cfl, glee");
  if (!strcmp(name, "-tao_ls_type")) join(TaoLineSearchList, "", sizeof known, known);
  if (!strcmp(name, "-ts_trajectory_type")) join(TSTrajectoryList, "", sizeof known, known);
  if (ends_in(name, "_mat_type")) join(MatList, "lmvm", sizeof known, known);
  if (*known) return bf_fail(error, BF_BAD_INPUT, "option %s must be one of %s, got '%s'", name, known, value);
  return bf_fail(error, BF_BAD_INPUT, "option %s: PETSc does not take '%s': %s", name, value, heard);
}

/* Each option of `text` in a database of its own, beside the method that brings its options with it. */
static BfStatus blame(char *text, const char *method, BfError *error) {
  char heard[HEARD] = "", line[1024];
  for (char *at = text, *name, *value; *at && error->status == BF_OK;) {
    PetscOptions database;
    at = next_option(at, &name, &value);
    snprintf(line, sizeof line, "%s %s%s%s", name, value, *method ? " -tao_type " : "", method);
    BF_TRY(bf_petsc(PetscOptionsCreate(&database), "PetscOptionsCreate", error));
    if (PetscOptionsInsertString(database, line) || !is_taken(database, heard)) refuse(name, value, heard, error);
    PetscOptionsDestroy(&database);
  }
  if (error->status == BF_OK)
    bf_fail(error, BF_BAD_INPUT, "PETSc does not take the options of -tao_... and -ts_... together");
  return error->status;
}

static BfStatus check_method(char method[64], BfError *error) {
  char      known[256] = "";
  PetscBool given;
  BF_TRY(bf_petsc(PetscOptionsGetString(NULL, NULL, "-tao_type", method, 64, &given), "-tao_type", error));
  if (!given) *method = '\0';
  for (int i = 0; i < METHODS; i++) {
    if (!given || !strcmp(method, methods[i])) return BF_OK;
    snprintf(known + strlen(known), sizeof known - strlen(known), "%s%s", i ? ", " : "", methods[i]);
  }
  return bf_fail(error, BF_BAD_INPUT,
                 "option -tao_type must be one of %s (what keeps to the box by first derivatives), got '%s'", known,
                 method);
}

static BfStatus check_settled(BfError *error) {
  for (int i = 0; i < SETTLED; i++) {
    PetscBool given;
    BF_TRY(bf_petsc(PetscOptionsHasName(NULL, NULL, settled[i][0], &given), settled[i][0], error));
    if (given) return bf_fail(error, BF_BAD_INPUT, "option %s is not read: give %s", settled[i][0], settled[i][1]);
  }
  return BF_OK;
}

BfStatus bf_flow_options_known(BfError *error) {
  char  method[64] = "", heard[HEARD];
  char *text       = NULL;
  BF_TRY(check_method(method, error));
  BF_TRY(check_settled(error));
  if (!read_all(heard)) return BF_OK;
  BF_TRY(bf_flow_petsc_options(&text, error));
  const BfStatus status = blame(text, method, error);
  bf_free(text);
  return status;
}

/* ---- kept for a restart ----------------------------------------------------------------------------------------- */

BfStatus bf_flow_petsc_options(char **text, BfError *error) {
  char *all = NULL;
  BF_TRY(bf_petsc(PetscOptionsGetAll(NULL, &all), "PetscOptionsGetAll", error));
  BfStatus status = BF_NEW(text, (int64_t)(all ? strlen(all) : 0) + 1, error);
  int      keep   = 0;
  for (const char *at = all; status == BF_OK && at && *at;) {
    at += strspn(at, " ");
    const size_t length = strcspn(at, " ");
    if (at[0] == '-' && isalpha((unsigned char)at[1])) keep = is_kept(at, length);
    if (keep && length) sprintf(*text + strlen(*text), "%s%.*s", **text ? " " : "", (int)length, at);
    at += length;
  }
  PetscFree(all);
  return status;
}

BfStatus bf_flow_petsc_options_set(const char *text, BfError *error) {
  return bf_petsc(PetscOptionsInsertString(NULL, text), "PetscOptionsInsertString", error);
}

BfStatus bf_flow_iterations(int64_t *most, BfError *error) {
  PetscInt iterations = 1000;
  BF_TRY(bf_petsc(PetscOptionsGetInt(NULL, NULL, "-tao_max_it", &iterations, NULL), "-tao_max_it", error));
  *most = iterations;
  return BF_OK;
}
