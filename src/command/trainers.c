/* The trainers: those of the table of commands. `info` speaks for them. */
#include "command/command.h"
#include "train/trainer.h"

const BfTrainer *bf_trainer_at(int i) {
  for (const BfCommand *command = bf_commands; command->name; command++)
    if (command->trainer && i-- == 0) return command->trainer;
  return NULL;
}

const BfTrainer *bf_trainer(const char *name) {
  const BfCommand *command = bf_command(name);
  return command ? command->trainer : NULL;
}

const char *bf_trainer_name(const BfTrainer *trainer) { return trainer->name; }

const BfSections *bf_trainer_sections(const BfTrainer *trainer) { return trainer->sections; }
