/* Options of a command: a table of rows. From it come parsing, help, the manual page, what a checkpoint and a result
 * keep of them, and what must not change where a run goes on. Values are read strictly from the options of a run. */
#pragma once
#include "bellformer/options.h"
#include "bellformer/store.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

typedef enum {
  BF_OPTION_BOOL,   /* bool; given without a value: true */
  BF_OPTION_INT,    /* int64_t */
  BF_OPTION_NUMBER, /* double */
  BF_OPTION_TEXT,   /* char *, owned; NULL where it is not given */
  BF_OPTION_CHOICE, /* int, the number of the name; -1 where it is not given and has no default */
  BF_OPTION_OTHER   /* read elsewhere (PETSc's own, keys of the problem): listed, never parsed nor stored */
} BfOptionType;

/* What becomes of it where a run goes on from a checkpoint. */
typedef enum {
  BF_OF_THIS_START, /* each start of the run has its own */
  BF_KEPT,          /* the checkpoint's, unless it is given anew */
  BF_ANSWER         /* the checkpoint's; the result keeps it too. Another value is another answer, and is refused */
} BfOptionRole;

typedef struct {
  const char  *name; /* without the dash; NULL ends a table */
  BfOptionType type;
  BfOptionRole role;
  const char  *argument;        /* the word that help puts behind it; NULL: none */
  size_t       at;              /* offset of its field in the command's settings */
  const char  *standard;        /* the default, as it would be typed; NULL: 0, false, no text, no choice */
  double       least, most;     /* of numbers; an integer's `most` of 0x1p63 and more: INT64_MAX */
  const char *(*choice)(int i); /* the names; NULL behind the last; a meaning that ends in ": " is completed by them */
  size_t chosen; /* offset of a bool, true where the command line leaves the value to the problem and the machine, 0: it
                    never does; two values that were so chosen count as the same */
  bool        later; /* it came after the format of results that is written: one that has not kept it has its default */
  const char *meaning; /* prose; without its default, which help adds */
} BfOption;

/* The row of that name, or NULL. */
const BfOption *bf_options_row(const BfOption rows[], const char *name);

/* -overwrite where it is of the result FILE. */
#define BF_OVERWRITE(role, at)                                                                                         \
  { "overwrite", BF_OPTION_BOOL, role, NULL, at, .meaning = "replace FILE if it exists" }

/* Defaults, then what the options give; all rows are known names from then on. Refuses what is not of the type, or out
 * of range. */
BfStatus bf_options_parse(const BfOption rows[], BfOptions *options, void *settings, BfError *error);
/* The texts of the settings. */
void bf_options_clear(const BfOption rows[], void *settings);

/* Rows that a checkpoint (least: BF_KEPT) or a result (BF_ANSWER) keeps, as attributes of /options; and back into the
 * settings, apart from those that the options give anew. Collective. */
BfStatus bf_options_save(const BfOption rows[], const void *settings, BfOptionRole least, BfStore *store,
                         BfError *error);
BfStatus bf_options_restore(const BfOption rows[], const BfOptions *options, void *settings, BfStore *store,
                            BfError *error);
/* Whether the settings are what the file has, in the rows of the answer: in all of them, or, where `given` is
 * not NULL, in those that it gives. BF_BAD_INPUT, "-space was full, now reachable", and *differ at the first that is
 * not. Collective. */
BfStatus bf_options_compare(const BfOption rows[], const void *settings, const BfOptions *given, BfStore *store,
                            bool *differ, BfError *error);
/* What one text of PETSc's options has, then what another adds; to be freed with bf_free. Not collective. */
BfStatus bf_petsc_join(const char *text, const char *more, char **both, BfError *error);
/* As bf_options_compare, of PETSc's options, "-name value -name value ...", whose defaults the rows tell. Not
 * collective. */
BfStatus bf_petsc_compare(const BfOption rows[], const char *then, const char *now, bool all, bool *differ,
                          BfError *error);
