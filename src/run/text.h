/* Text to numbers, strictly, and the small things that reading needs: arrays that grow, quoting, likeness. Pure. */
#pragma once
#include "bellformer/error.h"

/* The whole of `text` as a finite decimal number. NULL and *value set, or what is wrong with it, to be followed by the
 * text: "is not a number", "must be finite", "is too large". */
const char *bf_text_number(const char *text, double *value);
/* The same for an integer: "is not an integer", "is too large". */
const char *bf_text_integer(const char *text, int64_t *value);

#define BF_QUOTE 48
/* A piece of `text` fit for a line of a message: at most 40 bytes, nothing that is not printable. Returns out. */
const char *bf_text_quote(const char *text, char out[BF_QUOTE]);

/* What somebody who wrote this text in place of a number or a word may not know of YAML, in brackets behind a blank; or
 * "". */
const char *bf_text_hint(const char *text);

/* The number of a name in a list that ends with NULL, or -1. */
int bf_text_find(const char *(*name)(int k), const char *text);

/* `length` bytes of text and a '\0', to be freed with bf_free; NULL without memory. */
char *bf_text_copy(const char *text, int64_t length, BfError *error);

/* A text and another behind it, to be freed with bf_free; more: "" for a copy. */
BfStatus bf_text_join(char **out, const char *text, const char *more, BfError *error);

/* Insertions, deletions and replacements that lead from a to b; 1000 where one of them is longer than 100. */
int bf_text_distance(const char *a, const char *b);
/* The distance from which on nobody has meant another name by this one. */
int bf_text_far(const char *name);

/* Make room for one more after `count` in the array that `slot` (a T **) points to, of objects of `size` bytes. */
BfStatus bf_array_room(void *slot, int64_t count, int64_t *room, size_t size, BfError *error);
