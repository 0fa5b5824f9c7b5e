/* Which command takes which key. */
#include "problem/key_table.h"
#include "run/text.h"
#include "study/read.h"
#include <stdio.h>
#include <string.h>

/* What a study settles itself for every run. */
static bool is_settled(const char *option) {
  static const char *const settled[] = {"o", "overwrite", "restart", "maxh"};
  for (size_t i = 0; i < sizeof settled / sizeof *settled; i++)
    if (!strcmp(settled[i], option)) return true;
  return false;
}

const BfOption *bf_study_option(const BfStudyCommand *command, const char *option) {
  const BfOption *row = NULL;
  for (const BfOption *const *table = command->tables; table && *table && !row; table++)
    row = bf_options_row(*table, option);
  return row;
}

/* That a study may set. */
static const BfOption *row_of(const BfStudyCommand *command, const char *option) {
  return is_settled(option) ? NULL : bf_study_option(command, option);
}

static bool is_option(const BfStudyCommand *command, const char *option) {
  return row_of(command, option) || (command->file && !strcmp(command->file, option)) ||
         (command->takes && !is_settled(option) && command->takes(option));
}

static bool is_key(const char *spelt, BfKeyName *name, char option[BF_OPTION_LENGTH]) {
  bf_option_name(spelt, option);
  return bf_key_name(option, name) != 0;
}

bool bf_study_takes_of(const BfStudyCommand *command, const BfSections *sections, const char *key) {
  char      option[BF_OPTION_LENGTH];
  BfKeyName name;
  if (is_option(command, key)) return true;
  if (!sections || !is_key(key, &name, option)) return false;
  const unsigned section = bf_key_section(name.row);
  return !section || (sections->uses & section);
}

bool bf_study_takes(const BfStudyCommand *command, const char *key) {
  return bf_study_takes_of(command, command->sections, key);
}

const BfStudyCommand *bf_study_command(const BfStudyCommand commands[], const char *name) {
  for (const BfStudyCommand *command = commands; command->name; command++)
    if (!strcmp(command->name, name)) return command;
  return NULL;
}

/* ---- what was meant ---------------------------------------------------------------------------------------------- */

typedef struct {
  const char *name; /* that is misspelt, with _ for every dot */
  int         nearest;
  char        like[BF_OPTION_LENGTH];
} Likeness;

static void compare(Likeness *x, const char *other) {
  char option[BF_OPTION_LENGTH];
  bf_option_name(other, option);
  const int distance = bf_text_distance(x->name, option);
  if (distance >= x->nearest) return;
  x->nearest = distance;
  snprintf(x->like, sizeof x->like, "%s", other);
}

static void compare_options(Likeness *x, const BfStudyCommand *command) {
  for (const BfOption *const *table = command->tables; table && *table; table++)
    for (const BfOption *row = *table; row->name; row++)
      if (!is_settled(row->name)) compare(x, row->name);
  if (command->file) compare(x, command->file);
}

static BfStatus unknown(const BfStudyReader *reader, const BfStudyRun *run, const char *spelt, BfError *error) {
  char         option[BF_OPTION_LENGTH], quoted[BF_QUOTE];
  Likeness     x    = {.name = option, .nearest = bf_text_far(spelt)};
  BfKeyWalk    walk = {0};
  const BfKey *key;
  bf_option_name(spelt, option);
  while ((key = bf_key_next(&walk))) compare(&x, key->name);
  if (run) compare_options(&x, run->command);
  for (int r = 0; !run && r < reader->study->runs; r++) compare_options(&x, reader->study->run[r].command);
  for (const BfStudyCommand *c = reader->commands; c->name && !*x.like; c++) compare_options(&x, c);
  return bf_fail(error, BF_BAD_INPUT, "unknown key %s%s%s%s", bf_text_quote(spelt, quoted),
                 *x.like ? ", did you mean " : "", x.like, *x.like ? "?" : "");
}

/* A key that there is, of which these runs have no use. */
static BfStatus not_taken(const BfStudyReader *reader, const BfStudyRun *run, const char *key, BfError *error) {
  char        who[256] = "";
  const char *taker    = NULL;
  for (int r = 0; !run && r < reader->study->runs; r++) {
    const size_t used = strlen(who);
    snprintf(who + used, sizeof who - used, "%s%s", r ? ", " : "", reader->study->run[r].command->name);
  }
  for (const BfStudyCommand *command = reader->commands; command->name && !taker; command++)
    if (bf_study_takes(command, key)) taker = command->name;
  return bf_fail(error, BF_BAD_INPUT, "%s is not used by %s%s%s", key, run ? run->command->name : who,
                 taker ? "; it is by " : "", taker ? taker : "");
}

BfStatus bf_study_key(const BfStudyReader *reader, const BfStudyRun *run, const char *spelt, char **key,
                      BfError *error) {
  char        option[BF_OPTION_LENGTH], dotted[BF_OPTION_LENGTH];
  const char *as    = spelt;
  bool        known = false, taken = false;
  BfKeyName   name;
  if (is_settled(spelt)) return bf_fail(error, BF_BAD_INPUT, "%s is settled by the study for every run", spelt);
  for (const BfStudyCommand *command = reader->commands; command->name; command++) known |= is_option(command, spelt);
  if (!known && is_key(spelt, &name, option)) {
    known = true;
    as    = bf_key_dotted(&name, option, dotted);
  }
  if (!known) return unknown(reader, run, spelt, error);
  if (run) taken = bf_study_takes(run->command, as);
  for (int r = 0; !run && r < reader->study->runs; r++) taken |= bf_study_takes(reader->study->run[r].command, as);
  if (!taken) return not_taken(reader, run, as, error);
  *key = bf_text_copy(as, (int64_t)strlen(as), error);
  return *key ? BF_OK : error->status;
}

/* ---- files that options name ------------------------------------------------------------------------------------- */

bool bf_study_may_name_file(const BfStudyCommand *command, const char *key) {
  const BfOption *row = row_of(command, key);
  return (command->file && !strcmp(command->file, key)) || (row && row->type == BF_OPTION_TEXT);
}

bool bf_study_names_file(const BfStudyCommand *command, const char *key, const char *text) {
  return bf_study_may_name_file(command, key) &&
         (strpbrk(text, "./") || (command->file && !strcmp(command->file, key)));
}

bool bf_study_names_table(const char *spelt) {
  char      option[BF_OPTION_LENGTH];
  BfKeyName name;
  return is_key(spelt, &name, option) && !strcmp(name.row->type, "file");
}

BfStatus bf_study_text(const BfStudyReader *reader, const char *key, const char *text, char **value, BfError *error) {
  bool file = false;
  for (const BfStudyCommand *command = reader->commands; command->name && strpbrk(text, "./"); command++)
    file |= bf_study_names_file(command, key, text);
  char path[4096];
  if (file && *reader->folder && text[0] != '/') {
    if (snprintf(path, sizeof path, "%s/%s", reader->folder, text) >= (int)sizeof path)
      return bf_fail(error, BF_BAD_INPUT, "%s: the path is too long", key);
    text = path;
  }
  *value = bf_text_copy(text, (int64_t)strlen(text), error);
  return *value ? BF_OK : error->status;
}
