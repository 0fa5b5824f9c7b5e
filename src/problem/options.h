/* Overrides of a problem's keys: from the command line, or from the record of an earlier one. */
#pragma once
#include "bellformer/error.h"
#include <stdbool.h>

#define BF_OPTION_LENGTH 320

typedef struct BfOptions BfOptions;

/* "quantize.cells" -> "quantize_cells". */
void bf_option_name(const char *key, char name[BF_OPTION_LENGTH]);

/* record: "key=value" lines, or NULL; line: PETSc's options database, on top of them. */
BfStatus bf_options_create(const char *record, bool line, BfOptions **out, BfError *error);
void     bf_options_destroy(BfOptions **options);
/* Whether there is an override of the key; does not count as reading it. */
int bf_options_given(const BfOptions *options, const char *key);
/* The override's text, borrowed, or *value = NULL where there is none. */
BfStatus bf_options_read(BfOptions *options, const char *key, const char **value, BfError *error);
/* The k-th name that may be an override; NULL behind the last. */
const char *bf_options_name_at(const BfOptions *options, int64_t k);
/* Whether it is one, not a word within another option's value. PETSc counts it as read from here on. */
int bf_options_is_set(const BfOptions *options, int64_t k);
int bf_options_was_read(const BfOptions *options, int64_t k);
/* Whether it is of the command line, not of the record. */
int bf_options_is_live(const BfOptions *options, int64_t k);
/* What was read, as lines in the order of reading; borrowed. */
const char *bf_options_record(const BfOptions *options);
/* The name (without the dash) of an option that nothing has read, "" where there is none. options NULL: of the command
 * line. */
BfStatus bf_options_left(const BfOptions *options, char name[BF_OPTION_LENGTH], BfError *error);
