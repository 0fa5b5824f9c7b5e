/* PETSc's own options of the flow: read once before anything runs, so that a misspelt one is found; kept for a restart.
 */
#include "flow/flow.h"
#include <ctype.h>
#include <petsctao.h>
#include <petscts.h>
#include <stdio.h>
#include <string.h>

/* What TAO looks up no sooner than it solves. */
static const char *const late[] = {
    "-tao_test_gradient", "-tao_test_gradient_view", "-tao_view",    "-tao_view_solution",
    "-tao_view_gradient", "-tao_converged_reason",   "-tao_ls_view", "-ts_view"};

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

BfStatus bf_flow_options_known(BfError *error) {
  PetscBool given;
  PetscPushErrorHandler(PetscIgnoreErrorHandler, NULL);
  PetscErrorCode code = read_ts();
  if (!code) code = read_tao();
  for (size_t i = 0; !code && i < sizeof late / sizeof *late; i++)
    code = PetscOptionsHasName(NULL, NULL, late[i], &given);
  PetscPopErrorHandler();
  return code ? bf_fail(error, BF_BAD_INPUT, "PETSc refuses an option of -tao_... or -ts_... (its error %d)", (int)code)
              : BF_OK;
}

static int is_kept(const char *word, size_t length) {
  static const char *const prefix[] = {"-tao_", "-ts_", "-mat_"};
  for (int i = 0; i < 3; i++)
    if (length > strlen(prefix[i]) && !strncmp(word, prefix[i], strlen(prefix[i]))) return 1;
  return 0;
}

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
