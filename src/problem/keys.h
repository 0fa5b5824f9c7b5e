/* The keys of a problem: what the YAML file says, overridden by the command line, looked up by type. Every look-up is
 * remembered, so that at the end whatever nothing has read can be named. */
#pragma once
#include "bellformer/problem.h"
#include "key_table.h"
#include <stdbool.h>

typedef struct BfKeys BfKeys;

/* file: borrowed. record: the "key=value" lines of an earlier reading, or NULL; line: the options of the
 * run, on top of them, or NULL; borrowed. */
BfStatus bf_keys_create(const BfFile *file, const char *record, BfOptions *line, BfKeys **out, BfError *error);
void     bf_keys_destroy(BfKeys **keys);

/* Whether the key has a value; does not count as reading it. */
bool bf_keys_given(const BfKeys *keys, const char *key);
int  bf_keys_on_line(const BfKeys *keys, const char *key); /* given on the command line */
bool bf_keys_is_list(const BfKeys *keys, const char *key); /* by the file's brackets; the command line has none */
/* What the file alone says: the text of a single value, "[]" of a list, NULL where the key is absent. */
const char *bf_keys_in_file(const BfKeys *keys, const char *key);

/* A key that is given, and that the table of keys knows. */
typedef struct {
  BfKeyName name;
  char     *key;     /* with dots, as the file has it or would have it */
  int       on_line; /* given on the command line; else in the file */
  int64_t   at;      /* its number there */
} BfGiven;

/* Walk over them, first those of the command line, then those of the file that were not set aside; *at is 0 at first.
 * NULL behind the last. */
const BfGiven *bf_keys_next(const BfKeys *keys, int64_t *at);
/* Let a key of the file count as absent. */
void bf_keys_set_aside(BfKeys *keys, const BfGiven *given);
/* Where a key says just what holds without it, count it as absent, or as read: 1. Else 0. */
int bf_keys_pass_default(BfKeys *keys, const BfGiven *given);
/* Count a key of the file as read: what the command line says took its place. */
void bf_keys_replace(BfKeys *keys, const BfGiven *given);
/* Fail with "xor.yaml: action.count is not used ", or "-action_count is not used ", and the text. */
BfStatus bf_keys_refuse(const BfKeys *keys, const BfGiven *given, BfError *error, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* By what the table of keys says of the key: its range, and where it is absent, its fallback; where that is no value,
 * the output stays as it is, and where there is none, they fail. The text borrowed from keys. */
BfStatus bf_key_text(BfKeys *keys, const char *key, const char **out, BfError *error);
/* One of names[], which ends with NULL: its number. */
BfStatus bf_key_choice(BfKeys *keys, const char *key, const char *const names[], int *out, BfError *error);
BfStatus bf_key_integer(BfKeys *keys, const char *key, int64_t *out, BfError *error);
/* Any finite number. */
BfStatus bf_key_number(BfKeys *keys, const char *key, double *out, BfError *error);
/* Lists, with a single value as a list of one; *out to be freed with bf_free. */
BfStatus bf_key_integers(BfKeys *keys, const char *key, int64_t *count, int64_t **out, BfError *error);
BfStatus bf_key_numbers(BfKeys *keys, const char *key, int64_t *count, double **out, BfError *error);

/* Fail with the key's name before the text: "xor.yaml: step must be ...", or "-step must be ..." where the command
 * line gave it. */
BfStatus bf_key_fail(const BfKeys *keys, const char *key, BfError *error, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* What these messages begin with: "xor.yaml: step", or "-step". */
void bf_key_spell(const BfKeys *keys, const char *key, size_t size, char out[]);
/* Fail with "xor.yaml: data.file is missing", and what may have been meant. */
BfStatus bf_key_missing(const BfKeys *keys, const char *key, BfError *error);
/* Put "xor.yaml: data.file: " before an error that came from elsewhere. */
void bf_key_prefix(const BfKeys *keys, const char *key, BfError *error);

/* Whether anything of the section is given: a key of its map, or of actions the levels of a grid. */
bool bf_keys_has_section(const BfKeys *keys, unsigned section);
/* Count the keys of a section, wherever they are given, as read. */
BfStatus bf_keys_leave_section(BfKeys *keys, unsigned section, BfError *error);
/* Refuse what the command line says to a section that its command does not use. */
BfStatus bf_keys_check_sections(const BfKeys *keys, const BfSections *sections, BfError *error);

/* Name the first key, then the first option, that nothing has read. */
BfStatus bf_keys_finish(const BfKeys *keys, BfError *error);
/* What was looked up and found, or left at its default: key after key, in the order of reading; borrowed, for the
 * problem to take over. */
BfSettings *bf_keys_taken(BfKeys *keys);
/* The overrides that were read, as "key=value" lines; borrowed. */
const char *bf_keys_overrides(const BfKeys *keys);
