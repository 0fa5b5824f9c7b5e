#include "command/stages.h"
#include "run/phases.h"
#include "train/petsc.h"
#include <petscsys.h>

static void begins(void *context, BfPhase phase) { PetscLogStagePush(((const BfStages *)context)->number[phase]); }

static void ends(void *context) {
  (void)context;
  PetscLogStagePop();
}

BfStatus bf_stages_follow(BfRun *run, BfStages *stages, BfError *error) {
  for (int phase = 0; phase < BF_PHASES; phase++)
    BF_TRY(
        bf_petsc(PetscLogStageRegister(bf_phase_name[phase], &stages->number[phase]), "PetscLogStageRegister", error));
  run->phases->listener = (BfPhaseListener){begins, ends, stages};
  return BF_OK;
}
