/* Options of a run, in the words of a command line: "-name value". Which are given, and which of them anything has
 * read; an object of its own for every run, so that problems of different options live in one process. Pure: no MPI, no
 * PETSc.
 *
 * Functions that look take NULL for options of which none is given. */
#pragma once
#include "bellformer/error.h"

BF_API_BEGIN

typedef struct BfOptions BfOptions;

BfStatus bf_options_create(BfOptions **out, BfError *error);
void     bf_options_destroy(BfOptions **options);
/* Give an option, without its dash; value: NULL where it has none ("-quiet"). Both are copied. Of several of one name
 * the last counts; it is unread. */
BfStatus bf_options_add(BfOptions *options, const char *name, const char *value, BfError *error);

/* Whether it is given; does not count as reading it. */
bool bf_options_given(const BfOptions *options, const char *name);
/* Its text, "" where it has none; NULL where it is not given. It counts as read from here on. Borrowed. */
const char *bf_options_read(BfOptions *options, const char *name);

/* All of them, in the order of their first giving. */
int64_t     bf_options_count(const BfOptions *options);
const char *bf_options_name(const BfOptions *options, int64_t i);
const char *bf_options_value(const BfOptions *options, int64_t i); /* "" where it has none */
bool        bf_options_was_read(const BfOptions *options, int64_t i);

/* A name (static, kept by its address) that would be read if it were given: for the likeness of misspelt ones. */
BfStatus bf_options_know(BfOptions *options, const char *name, BfError *error);
/* The first that nothing has read, or NULL. */
const char *bf_options_unread(const BfOptions *options);
/* The known name that is most like this one, NULL where none is: *distance in changed letters, of which less than
 * *distance count. */
const char *bf_options_like(const BfOptions *options, const char *name, int *distance);
/* BF_BAD_INPUT where one is unread: "unknown option -spac, did you mean -space?" */
BfStatus bf_options_refuse_unread(const BfOptions *options, BfError *error);

BF_API_END
