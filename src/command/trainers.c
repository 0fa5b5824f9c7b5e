/* The table of trainers. Each is a command too, and `info` speaks for it. */
#include "flow/trainer.h"
#include "solve/trainer.h"
#include <string.h>

static const BfTrainer *const trainers[] = {&bf_solve_trainer, &bf_flow_trainer};
enum { TRAINERS = sizeof trainers / sizeof *trainers };

const BfTrainer *bf_trainer_at(int i) { return i >= 0 && i < TRAINERS ? trainers[i] : NULL; }

const BfTrainer *bf_trainer(const char *name) {
  for (int i = 0; i < TRAINERS; i++)
    if (!strcmp(trainers[i]->name, name)) return trainers[i];
  return NULL;
}

const char *bf_trainer_name(const BfTrainer *trainer) { return trainer->name; }

const BfSections *bf_trainer_sections(const BfTrainer *trainer) { return trainer->sections; }
