/* The trainers, by name: those of main.c. */
#include "train/trainer.h"
#include <string.h>

const BfTrainer *bf_trainer_at(int i) {
  int count = 0;
  while (bf_trainers[count]) count++;
  return i >= 0 && i < count ? bf_trainers[i] : NULL;
}

const BfTrainer *bf_trainer(const char *name) {
  for (int i = 0; bf_trainers[i]; i++)
    if (!strcmp(bf_trainers[i]->name, name)) return bf_trainers[i];
  return NULL;
}

const char *bf_trainer_name(const BfTrainer *trainer) { return trainer->name; }

const BfSections *bf_trainer_sections(const BfTrainer *trainer) { return trainer->sections; }

const BfSections *bf_trainer_reads(const BfTrainer *trainer, const BfOptions *options) {
  return trainer->spares && bf_options_given(options, trainer->spares) ? trainer->spared : trainer->sections;
}
