/* bellformer: the table of commands. */
#include "bellformer/main.h"
#include "certify/trainer.h"
#include "command/command.h"
#include "flow/trainer.h"
#include "heads/trainer.h"
#include "solve/trainer.h"
#include <stdio.h>
#include <string.h>

const BfCommand bf_commands[] = {
    {"info", bf_command_info, bf_manual_info, NULL, "sizes, memory and time of a problem; runs nothing"},
    {"solve", bf_command_train, bf_manual_train, &bf_solve_trainer, "train by lifted dynamic programming"},
    {"flow", bf_command_train, bf_manual_train, &bf_flow_trainer, "train along the continuous-depth flow"},
    {"heads", bf_command_train, bf_manual_train, &bf_heads_trainer, "train the limit of infinitely many heads"},
    {"certify", bf_command_train, bf_manual_train, &bf_certify_trainer, "bounds from below of what training can reach"},
    {"eval", bf_command_eval, bf_manual_eval, NULL, "a trained model on a data table"},
    {"check", bf_command_check, bf_manual_check, NULL, "verify a certificate"},
    {"study", bf_command_study, bf_manual_study, NULL, "a convergence study: what varies, at every point"},
    {0}};

const BfTrainer *const bf_trainers[] = {&bf_solve_trainer, &bf_flow_trainer, &bf_heads_trainer, &bf_certify_trainer,
                                        NULL};

static void list(FILE *out) {
  fprintf(out, "usage: [mpirun -n RANKS] bellformer COMMAND [FILE] [-option value ...]\n\ncommands:\n");
  for (const BfCommand *command = bf_commands; command->name; command++)
    fprintf(out, "  %-8s %s\n", command->name, command->summary);
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

static int no_command(const char *name) {
  return bf_usage("there is no command '%s'; `bellformer help` lists them", name);
}

/* help, help help, help COMMAND; behind -man as manual pages. */
static int help(const char *name, bool man) {
  const bool       all     = !name || !strcmp(name, "help");
  const BfCommand *command = all ? NULL : bf_command(name);
  if (!all && !command) return no_command(name);
  if (!bf_speaks()) return BF_OK;
  if (all && man) bf_manual_page_of_all(stdout);
  else if (all) list(stdout);
  else explain(command, man);
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
  const BfCommand *command = bf_command(argv[1]);
  if (!command) return no_command(argv[1]);
  for (int i = 2; i < argc; i++)
    if (is_help(argv[i])) return help(argv[1], false);
  return bf_program(command, argc, argv);
}
