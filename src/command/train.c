/* The commands that train: one for each trainer. */
#include "command/command.h"
#include "train/trainer.h"

void bf_manual_train(const char *name, BfManual *manual) {
  const BfTrainer *trainer = bf_trainer(name);
  *manual =
      (BfManual){.usage   = "PROBLEM.yaml -o RUN.h5 [options]",
                 .about   = trainer->about,
                 .options = {bf_output_options, trainer->options, bf_restart_options, bf_run_options, bf_key_options},
                 .notes   = trainer->notes,
                 .stops   = true};
}

BfStatus bf_command_train(BfRun *run, const BfArguments *arguments, BfError *error) {
  return bf_train_command(run, bf_trainer(arguments->name), arguments, error);
}
