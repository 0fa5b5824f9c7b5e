/* The steps in which a study is read, from a file or from the words of a command line, each into its part of the study;
 * in this order, since a step needs what the earlier ones found. Errors of a file begin with "line 7: ". Pure, but for
 * file.c. */
#pragma once
#include "study/study.h"
#include "study/tree.h"

typedef struct {
  const BfStudyCommand *commands; /* a NULL name ends them */
  const char           *folder;   /* of the study file; "" where that is the working folder */
  BfStudy              *study;
} BfStudyReader;

/* Put "line 7: vary" before the text of an error. */
BfStatus bf_study_at(const BfTree *node, const char *what, BfError *error);

/* ---- takes.c: which command takes which key -----------------------------------------------------------------------
 */

const BfStudyCommand *bf_study_command(const BfStudyCommand commands[], const char *name);
/* A key as the study has it, however it was spelt: with dots where it is the problem's. Refuses one that `run` (NULL:
 * no run of the study) does not take, with what was most likely meant. To be freed with bf_free. */
BfStatus bf_study_key(const BfStudyReader *reader, const BfStudyRun *run, const char *spelt, char **key,
                      BfError *error);
/* The value of a key, of which a file that an option names (not the problem: its own files are relative to its own
 * folder) is relative to the study file: a text with a dot or a slash. To be freed with bf_free. */
BfStatus bf_study_text(const BfStudyReader *reader, const char *key, const char *text, char **value, BfError *error);

/* ---- runs.c ------------------------------------------------------------------------------------------------------ */

/* The text of a key, to be freed with bf_free; *out stays where there is none. */
BfStatus bf_read_text(const BfTree *map, const char *key, char **out, BfError *error);
/* name: NULL for the command's. */
BfStatus bf_study_add_run(const BfStudyReader *reader, const char *name, const char *command, BfError *error);
/* node: NULL for one run of the first command. */
BfStatus bf_read_runs(const BfStudyReader *reader, const BfTree *node, BfError *error);
/* Once all runs are there: what is set in them may name an earlier one. */
BfStatus bf_read_run_sets(const BfStudyReader *reader, const BfTree *node, BfError *error);
/* A key that is to vary, or to have a value for all runs, is not set by every run that takes it; once their sets are
 * there. */
BfStatus bf_study_check_set(const BfStudy *study, const char *key, BfError *error);
/* That of all that is set for all runs; given: how many of these entries are options, `set`: where the others stand. */
BfStatus bf_study_check_all(const BfStudy *study, int64_t given, const BfTree *set, BfError *error);
/* That of all keys that vary. */
BfStatus bf_study_check_vary(const BfStudy *study, BfError *error);
/* That of all keys of the reference; and an item of `vary` is replaced as a whole. */
BfStatus bf_study_check_reference(const BfStudy *study, BfError *error);
/* Whether some measure does, once they are there; or there is none. */
bool bf_study_uses_reference(const BfStudy *study);

/* ---- vary.c: sets and items -------------------------------------------------------------------------------------- */

BfStatus bf_sets_add(BfSets *sets, const char *key, const char *value, BfError *error);
/* NULL: not there. */
const char *bf_sets_find(const BfSets *sets, const char *key);
void        bf_sets_clear(BfSets *sets);
/* `set`, `reference`: keys with their values, maps nested or with dots. run: as in bf_study_key. */
BfStatus bf_read_sets(const BfStudyReader *reader, const BfStudyRun *run, const BfTree *node, BfSets *out,
                      BfError *error);
/* "quantize_cells 0; space full" */
BfStatus bf_words_sets(const BfStudyReader *reader, const char *words, BfSets *out, BfError *error);
/* A list of maps. */
BfStatus bf_read_vary(const BfStudyReader *reader, const BfTree *node, BfError *error);
/* "quantize_cells 4..256x2; action_seed 0..19": items apart by `;`, keys of one item by `&`, values by blanks. */
BfStatus bf_words_vary(const BfStudyReader *reader, const char *words, BfError *error);
void     bf_item_clear(BfItem *item);
/* The item that has the key, and which of its keys; -1: none. */
int bf_study_item(const BfStudy *study, const char *key, int *which);
/* Whether an item is averaged over: the study's `over` has one of its keys. */
bool bf_item_is_over(const BfStudy *study, int item);

/* ---- measure.c: columns, and what is made of them ---------------------------------------------------------------- */

/* outputs.c: refuse a path that the run does not write, with what was most likely meant, or not without an option that
 * the study, whose items and sets are read, nowhere gives. */
BfStatus bf_study_check_output(const BfStudy *study, const BfStudyRun *run, const char *path, BfError *error);
BfStatus bf_read_measures(const BfStudyReader *reader, const BfTree *node, BfError *error);
/* A column of that name: `of`, or |of - reference|. */
BfStatus bf_add_measure(const BfStudyReader *reader, const char *name, const char *of, const char *minus,
                        BfError *error);
/* Cost and loss of the last run's layers on the data. */
BfStatus bf_study_default_measures(const BfStudyReader *reader, BfError *error);
void     bf_measure_clear(BfMeasure *measure);
BfStatus bf_read_over(const BfStudyReader *reader, const BfTree *node, BfError *error);
BfStatus bf_read_fits(const BfStudyReader *reader, const BfTree *node, BfError *error);
BfStatus bf_read_plot(const BfStudyReader *reader, const BfTree *node, BfError *error);
BfStatus bf_add_over(const BfStudyReader *reader, const char *key, BfError *error);
/* asked: but for y and x. */
BfStatus bf_add_fit(const BfStudyReader *reader, const char *y, const char *x, const BfFit *asked, BfError *error);
/* Whether all values of a varied key are numbers. */
bool bf_study_is_number(const BfStudy *study, const char *key);

/* ---- line.c ------------------------------------------------------------------------------------------------------ */

/* A study of the problem `path` by the options vary, reference, fit, over, measure. */
BfStatus bf_study_of_line(const BfStudyReader *reader, const char *path, BfOptions *options, BfError *error);
/* Options of the line that are none of the study's, into `set`. */
BfStatus bf_study_take_options(const BfStudyReader *reader, BfOptions *options, BfError *error);
