/* bellformer: the table of commands. */
#include "bellformer/main.h"
#include "command/command.h"
#include "train/trainer.h"
#include <stdio.h>
#include <string.h>

/* The first and the last; between them a command for each trainer (command/trainers.c). */
static const BfCommand info = {"info", bf_command_info, "sizes, memory and time of a problem; runs nothing",
                               bf_manual_info},
                       eval = {"eval", bf_command_eval, "a trained model on a data table", bf_manual_eval};

/* Command number i; false behind the last. */
static bool command_at(int i, BfCommand *out) {
  const BfTrainer *trainer = bf_trainer_at(i - 1), *before = bf_trainer_at(i - 2);
  if (trainer) *out = (BfCommand){trainer->name, bf_command_train, trainer->summary, bf_manual_train};
  else *out = i ? eval : info;
  return trainer || before || !i;
}

static bool find(const char *name, BfCommand *out) {
  for (int i = 0; command_at(i, out); i++)
    if (!strcmp(out->name, name)) return true;
  return false;
}

static void list(FILE *out) {
  BfCommand command;
  fprintf(out, "usage: [mpirun -n RANKS] bellformer COMMAND [FILE] [-option value ...]\n\ncommands:\n");
  for (int i = 0; command_at(i, &command); i++) fprintf(out, "  %-8s %s\n", command.name, command.summary);
  fprintf(out,
          "  %-8s this list, or `bellformer help COMMAND`; `help -man [COMMAND]` as a manual page\n\nbellformer "
          "--version prints versions.\n",
          "help");
}

static void explain(const BfCommand *command, bool man) {
  BfManual manual;
  command->manual(command->name, &manual);
  if (man) bf_manual_page(command->name, command->summary, &manual, stdout);
  else bf_manual_help(command->name, &manual, stdout);
}

/* help, help help, help COMMAND; behind -man as manual pages. */
static int help(const char *name, bool man) {
  const bool all = !name || !strcmp(name, "help");
  BfCommand  command;
  if (!all && !find(name, &command)) return bf_usage("there is no command '%s'; `bellformer help` lists them", name);
  if (!bf_speaks()) return BF_OK;
  if (all && man) bf_manual_page_of_all(command_at, stdout);
  else if (all) list(stdout);
  else explain(&command, man);
  return BF_OK;
}

static bool is_help(const char *word) {
  return !strcmp(word, "--help") || !strcmp(word, "-help") || !strcmp(word, "-h");
}

int bf_main(int argc, char **argv) {
  if (argc < 2) return help(NULL, false);
  if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-version")) return bf_print_versions();
  if (!strcmp(argv[1], "help") || is_help(argv[1])) {
    const bool man = argc > 2 && !strcmp(argv[2], "-man");
    if (argc > 3 + man) return bf_usage("unexpected word '%s'; help is of one command", argv[3 + man]);
    return help(argc > 2 + man ? argv[2 + man] : NULL, man);
  }
  BfCommand command;
  if (!find(argv[1], &command)) return bf_usage("there is no command '%s'; `bellformer help` lists them", argv[1]);
  for (int i = 2; i < argc; i++)
    if (is_help(argv[i])) return help(argv[1], false);
  return bf_run_command(&command, argc, argv);
}
