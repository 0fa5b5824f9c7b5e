/* What is run at each point, and what stands in place of it at a reference. */
#include "problem/overrides.h"
#include "run/text.h"
#include "study/read.h"
#include <stdio.h>
#include <string.h>

BfStatus bf_read_text(const BfTree *tree, const char *key, char **out, BfError *error) {
  const BfTree *node = bf_tree_find(tree, key);
  if (!node) return BF_OK;
  if (!node->text) return bf_fail(error, BF_BAD_INPUT, "line %d: %s must be one text", node->line, key);
  *out = bf_text_copy(node->text, (int64_t)strlen(node->text), error);
  return *out ? BF_OK : error->status;
}

/* ---- runs -------------------------------------------------------------------------------------------------------- */

static const char *commands_list(const BfStudyCommand *commands, size_t size, char list[]) {
  *list = '\0';
  for (const BfStudyCommand *c = commands; c->name; c++) {
    const size_t used = strlen(list);
    snprintf(list + used, size - used, "%s%s", c == commands ? "" : c[1].name ? ", " : " or ", c->name);
  }
  return list;
}

static BfStatus check_name(const BfStudy *study, const char *name, BfError *error) {
  char         quoted[BF_QUOTE];
  const size_t word = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-");
  if (!*name || name[word] || strlen(name) > 64)
    return bf_fail(error, BF_BAD_INPUT, "a run's name is of letters, digits, _ and -, got '%s'",
                   bf_text_quote(name, quoted));
  if (!strcmp(name, "zero") || !strcmp(name, "sample") || !strcmp(name, "reference"))
    return bf_fail(error, BF_BAD_INPUT, "a run cannot have the name %s, which means something else", name);
  for (int r = 0; r < study->runs; r++)
    if (!strcmp(study->run[r].name, name)) return bf_fail(error, BF_BAD_INPUT, "two runs have the name %s", name);
  return BF_OK;
}

/* name: NULL for the command's. */
BfStatus bf_study_add_run(const BfStudyReader *reader, const char *name, const char *command, BfError *error) {
  BfStudy              *study = reader->study;
  int64_t               room  = study->runs;
  const BfStudyCommand *row   = bf_study_command(reader->commands, command);
  char                  list[256], quoted[BF_QUOTE];
  if (!row)
    return bf_fail(error, BF_BAD_INPUT, "command must be %s, got '%s'",
                   commands_list(reader->commands, sizeof list, list), bf_text_quote(command, quoted));
  BF_TRY(check_name(study, name ? name : command, error));
  if (row->file && !study->runs)
    return bf_fail(error, BF_BAD_INPUT, "%s reads the result of an earlier run, and there is none", command);
  BF_TRY(bf_array_room(&study->run, study->runs, &room, sizeof *study->run, error));
  name                    = name ? name : command;
  study->run[study->runs] = (BfStudyRun){.command = row};
  char *copy              = bf_text_copy(name, (int64_t)strlen(name), error);
  if (!copy) return error->status;
  study->run[study->runs++].name = copy;
  return BF_OK;
}

static BfStatus read_run(const BfStudyReader *reader, const BfTree *node, BfError *error) {
  char    *name = NULL, *command = NULL;
  BfStatus status;
  if (node->kind != BF_TREE_MAP)
    return bf_fail(error, BF_BAD_INPUT, "line %d: runs: a run is a map: {name: program, command: solve}", node->line);
  for (int64_t i = 0; i < node->count; i++) {
    const char *key = node->child[i].key;
    if (strcmp(key, "name") && strcmp(key, "command") && strcmp(key, "set"))
      return bf_fail(error, BF_BAD_INPUT, "line %d: runs: a run has name, command and set, not %s", node->child[i].line,
                     key);
  }
  status = bf_read_text(node, "name", &name, error);
  if (status == BF_OK) status = bf_read_text(node, "command", &command, error);
  if (status == BF_OK) {
    status =
        command ? bf_study_add_run(reader, name, command, error) : bf_fail(error, BF_BAD_INPUT, "command is missing");
    if (status != BF_OK) bf_study_at(node, "runs", error);
  }
  bf_free(name);
  bf_free(command);
  return status;
}

BfStatus bf_read_runs(const BfStudyReader *reader, const BfTree *node, BfError *error) {
  if (!node) return bf_study_add_run(reader, NULL, reader->commands[0].name, error);
  if (node->kind != BF_TREE_LIST) return bf_fail(error, BF_BAD_INPUT, "line %d: runs must be a list", node->line);
  for (int64_t i = 0; i < node->count; i++) BF_TRY(read_run(reader, &node->child[i], error));
  return BF_OK;
}

/* A run whose result a later one would give; -1: none. */
static int later_run(const BfStudy *study, int r, const char *value) {
  for (int k = r; k < study->runs; k++)
    if (!strcmp(study->run[k].name, value)) return k;
  return -1;
}

/* What a run starts from, and what it reads as its file, are results of earlier ones. */
static BfStatus check_order(const BfStudy *study, int r, BfError *error) {
  const BfStudyRun *run    = &study->run[r];
  const char *const keys[] = {"init", run->command->file};
  for (int i = 0; i < 2; i++) {
    const char *value = keys[i] ? bf_sets_find(&run->set, keys[i]) : NULL;
    const int   later = value ? later_run(study, r, value) : -1;
    if (later == r) return bf_fail(error, BF_BAD_INPUT, "%s: the run %s cannot use its own result", keys[i], value);
    if (later > r) return bf_fail(error, BF_BAD_INPUT, "%s: the run %s comes after %s", keys[i], value, run->name);
  }
  return BF_OK;
}

/* Whether the run is given the option that lets it read less. */
static bool is_spared(const BfStudy *study, const BfStudyRun *run) {
  const char *option = run->command->spares;
  int         which;
  return option && (bf_sets_find(&run->set, option) || bf_sets_find(&study->set, option) ||
                    bf_study_item(study, option, &which) >= 0);
}

bool bf_study_run_takes(const BfStudy *study, const BfStudyRun *run, const char *key) {
  const BfStudyCommand *command = run->command;
  return bf_study_takes_of(command, is_spared(study, run) ? command->spared : command->sections, key);
}

static BfStatus check_run(const BfStudy *study, const BfStudyRun *run, const char *key, BfError *error) {
  if (bf_study_run_takes(study, run, key)) return BF_OK;
  return bf_fail(error, BF_BAD_INPUT, "%s is not used by %s", key, run->command->spared->reader);
}

/* Once all runs are there: what is set in them may name an earlier one. */
BfStatus bf_read_run_sets(const BfStudyReader *reader, const BfTree *node, BfError *error) {
  for (int r = 0; node && r < reader->study->runs; r++) {
    const BfTree *set = bf_tree_find(&node->child[r], "set");
    BfStudyRun   *run = &reader->study->run[r];
    if (!set) continue;
    BF_TRY(bf_read_sets(reader, run, set, &run->set, error));
    for (int64_t k = 0; k < run->set.count; k++) check_run(reader->study, run, run->set.set[k].key, error);
    if (error->status != BF_OK || check_order(reader->study, r, error) != BF_OK) return bf_study_at(set, "runs", error);
  }
  return BF_OK;
}

/* ---- the reference ----------------------------------------------------------------------------------------------- */

bool bf_study_uses_reference(const BfStudy *study) {
  bool used = !study->has_reference;
  for (int i = 0; i < study->measures; i++) used |= study->measure[i].reference;
  return used;
}

/* Whether a run takes the key from elsewhere than its own set, which counts more. *last: one whose command takes it. */
static bool is_left_to(const BfStudy *study, const char *key, const BfStudyRun **last) {
  for (int r = 0; r < study->runs; r++) {
    const BfStudyRun *run = &study->run[r];
    if (bf_study_run_takes(study, run, key) && !bf_sets_find(&run->set, key)) return true;
    if (bf_study_takes(run->command, key)) *last = run;
  }
  return false;
}

BfStatus bf_study_check_set(const BfStudy *study, const char *key, BfError *error) {
  const BfStudyRun *last = NULL;
  if (is_left_to(study, key, &last)) return BF_OK;
  if (last) BF_TRY(check_run(study, last, key, error));
  return bf_fail(error, BF_BAD_INPUT, "%s is set by every run that takes it, and would have this value nowhere", key);
}

BfStatus bf_study_check_all(const BfStudy *study, int64_t given, const BfTree *set, BfError *error) {
  char option[BF_OPTION_LENGTH];
  for (int64_t i = 0; i < study->set.count; i++) {
    const char *key = study->set.set[i].key;
    if (bf_study_check_set(study, key, error) == BF_OK) continue;
    if (i >= given) return bf_study_at(set, "set", error);
    bf_option_name(key, option);
    bf_error_prefix(error, "option -%s", option);
    return error->status;
  }
  return BF_OK;
}

BfStatus bf_study_check_vary(const BfStudy *study, BfError *error) {
  for (int i = 0; i < study->items; i++)
    for (int k = 0; k < study->item[i].keys; k++) BF_TRY(bf_study_check_set(study, study->item[i].key[k], error));
  return BF_OK;
}

BfStatus bf_study_check_reference(const BfStudy *study, BfError *error) {
  for (int i = 0; study->has_reference && i < study->items; i++) {
    const BfItem *item  = &study->item[i];
    int           has   = 0;
    const char   *lacks = NULL, *given = NULL;
    for (int k = 0; k < item->keys; k++) {
      if (bf_sets_find(&study->reference, item->key[k])) has++, given = item->key[k];
      else lacks = item->key[k];
    }
    if (has && lacks)
      return bf_fail(error, BF_BAD_INPUT, "%s moves together with %s, which the reference does not give", given, lacks);
  }
  for (int64_t i = 0; i < study->reference.count; i++)
    BF_TRY(bf_study_check_set(study, study->reference.set[i].key, error));
  return BF_OK;
}
