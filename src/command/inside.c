/* A command of the table, from within a program. */
#include "bellformer/command.h"
#include "command/command.h"
#include "run/text.h"

static const char *name_at(int k) { return bf_commands[k].name; }

const BfCommand *bf_command(const char *name) {
  const int k = bf_text_find(name_at, name);
  return k < 0 ? NULL : &bf_commands[k];
}

static BfStatus add_word(BfArguments *line, const char *dash, const char *word, BfError *error) {
  BF_TRY(bf_text_join(&line->argv[line->argc], dash, word, error));
  line->argc++;
  return BF_OK;
}

/* The command line that would do the same: what a result tells of its origin. */
static BfStatus make_line(const BfOptions *options, BfArguments *line, BfError *error) {
  BF_TRY(BF_NEW(&line->argv, 3 + 2 * bf_options_count(options), error));
  BF_TRY(add_word(line, "", "bellformer", error));
  BF_TRY(add_word(line, "", line->name, error));
  if (line->file) BF_TRY(add_word(line, "", line->file, error));
  for (int64_t i = 0; i < bf_options_count(options); i++) {
    const char *value = bf_options_value(options, i);
    BF_TRY(add_word(line, "-", bf_options_name(options, i), error));
    if (*value) BF_TRY(add_word(line, "", value, error));
  }
  return BF_OK;
}

BfStatus bf_run_command(BfRun *run, const char *name, const char *file, BfError *error) {
  const BfCommand *command = bf_command(name);
  BfArguments      line    = {.name = name, .file = file};
  BfStatus         status;
  if (!command) return bf_fail(error, BF_BAD_INPUT, "there is no command '%s'", name);
  BF_GOTO(bf_together(run->world, make_line(run->options, &line, error), error));
  status = command->run(run, &line, error);
done:
  for (int i = 0; i < line.argc; i++) bf_free(line.argv[i]);
  bf_free(line.argv);
  return status;
}
