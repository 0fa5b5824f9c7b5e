/* Overrides of a problem's keys: the options of a run, on top of the record of an earlier reading. Pure. */
#pragma once
#include "bellformer/options.h"

#define BF_OPTION_LENGTH 320

typedef struct BfOverrides BfOverrides;

/* "quantize.cells" -> "quantize_cells". */
void bf_option_name(const char *key, char name[BF_OPTION_LENGTH]);

/* record: "key=value" lines, or NULL; line: a run's options, borrowed, or NULL. */
BfStatus bf_overrides_create(const char *record, BfOptions *line, BfOverrides **out, BfError *error);
void     bf_overrides_destroy(BfOverrides **overrides);
/* Whether there is an override of the key; does not count as reading it. */
bool bf_overrides_given(const BfOverrides *overrides, const char *key);
/* The override's text, borrowed, or *value = NULL where there is none. */
BfStatus bf_overrides_read(BfOverrides *overrides, const char *key, const char **value, BfError *error);
/* The k-th name that may be an override, first those of the line; NULL behind the last. */
const char *bf_overrides_name_at(const BfOverrides *overrides, int64_t k);
/* Whether it is of the line, not of the record. */
bool bf_overrides_is_of_line(const BfOverrides *overrides, int64_t k);
bool bf_overrides_was_read(const BfOverrides *overrides, int64_t k);
/* What was read, as lines in the order of reading; borrowed. */
const char *bf_overrides_record(const BfOverrides *overrides);
/* The first name (without the dash) that nothing has read: of the line, where there is one, else of the record; NULL
 * where there is none. */
const char *bf_overrides_unread(const BfOverrides *overrides);
/* As bf_options_like, of the line. */
const char *bf_overrides_like(const BfOverrides *overrides, const char *name, int *distance);
