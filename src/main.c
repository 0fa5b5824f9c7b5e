/* bellformer: the table of commands. */
#include "bellformer/main.h"
#include "command/command.h"
#include <stdio.h>
#include <string.h>

static const BfCommand commands[] = {
    {"info", bf_command_info, "sizes, memory and time of a problem; runs nothing", &bf_manual_info},
    {"solve", bf_command_solve, "train by lifted dynamic programming", &bf_manual_solve},
    {"flow", bf_command_flow, "train along the continuous-depth flow", &bf_manual_flow},
    {"eval", bf_command_eval, "a trained model on a data table", &bf_manual_eval},
};
enum { COMMANDS = sizeof commands / sizeof *commands };

static const BfCommand *find(const char *name) {
  for (int i = 0; i < COMMANDS; i++)
    if (!strcmp(commands[i].name, name)) return &commands[i];
  return NULL;
}

static void list(FILE *out) {
  fprintf(out, "usage: [mpirun -n RANKS] bellformer COMMAND [FILE] [-option value ...]\n\ncommands:\n");
  for (int i = 0; i < COMMANDS; i++) fprintf(out, "  %-8s %s\n", commands[i].name, commands[i].summary);
  fprintf(out,
          "  %-8s this list, or `bellformer help COMMAND`; `help -man [COMMAND]` as a manual page\n\nbellformer "
          "--version prints versions.\n",
          "help");
}

/* help, help help, help COMMAND; behind -man as manual pages. */
static int help(const char *name, int man) {
  const int        all     = !name || !strcmp(name, "help");
  const BfCommand *command = all ? NULL : find(name);
  if (!all && !command) return bf_usage("there is no command '%s'; `bellformer help` lists them", name);
  if (!bf_speaks()) return BF_OK;
  if (all && man) bf_manual_page_of_all(commands, COMMANDS, stdout);
  else if (all) list(stdout);
  else if (man) bf_manual_page(name, command->summary, command->manual, stdout);
  else bf_manual_help(name, command->manual, stdout);
  return BF_OK;
}

static int is_help(const char *word) {
  return !strcmp(word, "--help") || !strcmp(word, "-help") || !strcmp(word, "-h");
}

int bf_main(int argc, char **argv) {
  if (argc < 2) return help(NULL, 0);
  if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-version")) return bf_print_versions();
  if (!strcmp(argv[1], "help") || is_help(argv[1])) {
    const int man = argc > 2 && !strcmp(argv[2], "-man");
    if (argc > 3 + man) return bf_usage("unexpected word '%s'; help is of one command", argv[3 + man]);
    return help(argc > 2 + man ? argv[2 + man] : NULL, man);
  }
  const BfCommand *command = find(argv[1]);
  if (!command) return bf_usage("there is no command '%s'; `bellformer help` lists them", argv[1]);
  for (int i = 2; i < argc; i++)
    if (is_help(argv[i])) return help(argv[1], 0);
  return bf_run_command(command, argc, argv);
}
