/* A study in one line: a problem file, and what varies. */
#include "problem/overrides.h"
#include "run/text.h"
#include "study/read.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Files that a line names are relative to the working folder. */
static BfStudyReader of_line(const BfStudyReader *reader) {
  BfStudyReader line = *reader;
  line.folder        = "";
  return line;
}

static BfStatus take_options(const BfStudyReader *reader, BfOptions *options, BfError *error) {
  for (int64_t i = 0; i < bf_options_count(options); i++) {
    const char *name = bf_options_name(options, i), *value = bf_options_value(options, i);
    char       *key = NULL;
    if (bf_options_was_read(options, i)) continue;
    if (bf_study_key(reader, NULL, name, &key, error) != BF_OK) {
      int         far  = bf_text_far(name);
      const char *like = bf_options_like(options, name, &far);
      if (like) {
        *error = (BfError){0};
        return bf_fail(error, BF_BAD_INPUT, "unknown option -%s, did you mean -%s?", name, like);
      }
      bf_error_prefix(error, "option -%s", name);
      return error->status;
    }
    bf_options_read(options, name);
    if (bf_sets_find(&reader->study->set, key))
      bf_fail(error, BF_BAD_INPUT, "option -%s: %s is given twice", name, key);
    else bf_sets_add(&reader->study->set, key, *value ? value : "1", error);
    bf_free(key);
    if (error->status != BF_OK) return error->status;
  }
  return BF_OK;
}

BfStatus bf_study_take_options(const BfStudyReader *reader, BfOptions *options, BfError *error) {
  const BfStudyReader line = of_line(reader);
  return take_options(&line, options, error);
}

/* ---- which command ----------------------------------------------------------------------------------------------- */

/* Whether it takes every key of the words of -vary. */
static bool takes_words(const BfStudyCommand *command, const char *words) {
  while (*words) {
    char key[256];
    words += strspn(words, " \t\n;&");
    const size_t length = strcspn(words, " \t\n;&"), kept = length < sizeof key ? length : sizeof key - 1;
    memcpy(key, words, kept);
    key[kept] = '\0';
    if (*key && !bf_study_takes(command, key)) return false;
    words += strcspn(words, ";&");
  }
  return true;
}

static bool takes_all(const BfStudyCommand *command, const BfOptions *options, const char *vary) {
  for (int64_t i = 0; i < bf_options_count(options); i++)
    if (!bf_options_was_read(options, i) && !bf_study_takes(command, bf_options_name(options, i))) return false;
  return takes_words(command, vary);
}

/* The first that takes all keys, else the first: whatever is wrong is then told of that one. */
static const char *choose(const BfStudyReader *reader, const BfOptions *options, const char *vary) {
  for (const BfStudyCommand *command = reader->commands; command->name; command++)
    if (!command->file && takes_all(command, options, vary)) return command->name;
  return reader->commands[0].name;
}

/* ---- lists in words ---------------------------------------------------------------------------------------------- */

typedef BfStatus Take(const BfStudyReader *reader, const char *word, BfError *error);

/* Words joined by commas. */
static BfStatus each_word(const BfStudyReader *reader, const char *words, Take *take, BfError *error) {
  while (*words && error->status == BF_OK) {
    const size_t length = strcspn(words, ",");
    char        *word   = bf_text_copy(words, (int64_t)length, error);
    if (word) take(reader, word, error);
    bf_free(word);
    words += length + (words[length] == ',');
  }
  return error->status;
}

/* The column of a name in a line: "quantized_cost", "solve/provenance@wall_seconds" as "wall_seconds". */
static BfStatus take_measure(const BfStudyReader *reader, const char *word, BfError *error) {
  const char *last = strrchr(word, '@');
  return bf_add_measure(reader, last ? last + 1 : word, word, NULL, error);
}

static bool has_measure(const BfStudy *study, const char *name) {
  for (int i = 0; i < study->measures; i++)
    if (!strcmp(study->measure[i].name, name)) return true;
  return false;
}

static const char *first_number(const BfStudy *study) {
  for (int i = 0; i < study->items; i++)
    for (int k = 0; k < study->item[i].keys && !bf_item_is_over(study, i); k++)
      if (bf_study_is_number(study, study->item[i].key[k])) return study->item[i].key[k];
  return NULL;
}

/* A power law of Y, or of |Y - reference| where there is one, in the first varied number. */
static BfStatus take_fit(const BfStudyReader *reader, const char *word, BfError *error) {
  BfStudy    *study = reader->study;
  const char *last = strrchr(word, '@'), *name = last ? last + 1 : word, *x = first_number(study);
  char        error_name[128];
  if (!x) return bf_fail(error, BF_BAD_INPUT, "no key that varies has numbers for values");
  if (!has_measure(study, name)) BF_TRY(take_measure(reader, word, error));
  if (!study->has_reference) return bf_add_fit(reader, name, x, &(BfFit){.expect = NAN}, error);
  if (snprintf(error_name, sizeof error_name, "%s_error", name) >= (int)sizeof error_name)
    return bf_fail(error, BF_BAD_INPUT, "a name is too long");
  BF_TRY(bf_add_measure(reader, error_name, name, "reference", error));
  return bf_add_fit(reader, error_name, x, &(BfFit){.expect = NAN}, error);
}

/* ---- all --------------------------------------------------------------------------------------------------------- */

static BfStatus of_option(BfStatus status, const char *name, BfError *error) {
  if (status != BF_OK) bf_error_prefix(error, "option -%s", name);
  return status;
}

static bool is_seed(const char *key) {
  const size_t length = strlen(key);
  return length >= 4 && !strcmp(key + length - 4, "seed");
}

/* Draws are averaged over, where something else varies too. */
static BfStatus choose_over(const BfStudyReader *reader, BfError *error) {
  BfStudy *study  = reader->study;
  int      others = 0;
  for (int i = 0; i < study->items; i++) others += !is_seed(study->item[i].key[0]);
  for (int i = 0; others && i < study->items; i++)
    if (is_seed(study->item[i].key[0]) && study->item[i].keys == 1)
      BF_TRY(bf_add_over(reader, study->item[i].key[0], error));
  return BF_OK;
}

/* *text and more behind it. */
static BfStatus append(char **text, const char *more, BfError *error) {
  char *longer = NULL;
  BF_TRY(bf_text_join(&longer, *text, more, error));
  bf_free(*text);
  *text = longer;
  return BF_OK;
}

static BfStatus append_option(char **text, const char *name, const char *value, BfError *error) {
  const char *const words[] = {" -", name, " '", value, "'"};
  for (int i = 0; i < 5; i++) BF_TRY(append(text, words[i], error));
  return BF_OK;
}

/* The line that says the same. */
static BfStatus line_text(BfStudy *study, const char *const words[5], BfError *error) {
  static const char *const names[] = {"vary", "reference", "over", "measure", "fit"};
  BF_TRY(bf_text_join(&study->text, study->problem, "", error));
  for (int i = 0; i < 5; i++)
    if (words[i]) BF_TRY(append_option(&study->text, names[i], words[i], error));
  for (int64_t i = 0; i < study->set.count; i++) {
    char option[BF_OPTION_LENGTH];
    bf_option_name(study->set.set[i].key, option);
    BF_TRY(append_option(&study->text, option, study->set.set[i].value, error));
  }
  return BF_OK;
}

static BfStatus name_problem(BfStudy *study, const char *path, BfError *error) {
  const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path, *dot = strrchr(base, '.');
  study->from    = bf_text_copy("option -vary", (int64_t)strlen("option -vary"), error);
  study->problem = bf_text_copy(path, (int64_t)strlen(path), error);
  study->name    = bf_text_copy(base, dot && dot > base ? dot - base : (int64_t)strlen(base), error);
  return error->status;
}

static BfStatus read_line(const BfStudyReader *reader, const char *path, BfOptions *options, BfError *error) {
  static const char *const names[] = {"vary", "reference", "over", "measure", "fit"};
  const char              *words[5];
  BfStudy                 *study = reader->study;
  for (int i = 0; i < 5; i++) words[i] = bf_options_read(options, names[i]);
  BF_TRY(name_problem(study, path, error));
  BF_TRY(bf_study_add_run(reader, NULL, choose(reader, options, words[0]), error));
  BF_TRY(take_options(reader, options, error));
  BF_TRY(of_option(bf_words_vary(reader, words[0], error), "vary", error));
  if (!study->items) return bf_fail(error, BF_BAD_INPUT, "option -vary names no key");
  BF_TRY(bf_study_check_all(study, study->set.count, NULL, error));
  BF_TRY(of_option(bf_study_check_vary(study, error), "vary", error));
  if (words[1]) {
    study->has_reference = true;
    BF_TRY(of_option(bf_words_sets(reader, words[1], &study->reference, error), "reference", error));
    BF_TRY(of_option(bf_study_check_reference(study, error), "reference", error));
  }
  if (words[2]) BF_TRY(of_option(each_word(reader, words[2], bf_add_over, error), "over", error));
  else BF_TRY(choose_over(reader, error));
  if (words[3]) BF_TRY(of_option(each_word(reader, words[3], take_measure, error), "measure", error));
  if (words[4]) BF_TRY(of_option(each_word(reader, words[4], take_fit, error), "fit", error));
  if (!study->measures) BF_TRY(bf_study_default_measures(reader, error));
  if (!bf_study_uses_reference(study))
    return bf_fail(error, BF_BAD_INPUT, "option -reference: nothing uses it: -fit NAME fits |NAME - reference|");
  return line_text(study, words, error);
}

BfStatus bf_study_of_line(const BfStudyReader *reader, const char *path, BfOptions *options, BfError *error) {
  const BfStudyReader line = of_line(reader);
  return read_line(&line, path, options, error);
}
