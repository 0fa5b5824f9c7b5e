/* What all kinds have in common: terms, forms, costs, readouts, samplers and so on, ours and those of plug-ins. Pure:
 * no MPI, no PETSc, no files.
 *
 * A kind is a constant struct of functions and data in a file of its own, with a BfKind as its first member. The kinds
 * among which one key chooses are a family. Nothing outside of a kind's file compares its name or knows its keys: what
 * the others need to know of it is a member of its struct. */
#pragma once
#include "bellformer/error.h"

/* Of these structs: a plug-in's kind tells against which it was compiled, and another is refused. */
#define BF_KIND_VERSION 2

BF_API_BEGIN

/* A key of a problem: README, A problem file. */
typedef struct {
  const char *name;     /* with dots, "layer.beta"; A stands for every matrix, row_I_column_J for every piece of one */
  const char *type;     /* for the reference: "number"; NULL: only the name of a key that is described elsewhere */
  const char *fallback; /* what holds where it is not given, as a value of the key or in words; NULL: required */
  const char *meaning;  /* one line, as the reference (share/doc/keys.md) has it */
} BfKey;

/* The first member of every kind's struct. */
typedef struct {
  const char  *name;   /* what the key that chooses says: "sample" */
  const BfKey *keys;   /* those that not every kind of the family uses, and this one does; a name may also be that of a
                          matrix, "control.W1" for all of its keys, "control.A" for every head's. Ends with a key without
                          a name; NULL: none. Two kinds may have the same key, described alike */
  const char *meaning; /* what it is, for the reference of the key that chooses; NULL: told elsewhere */
} BfKind;

typedef struct {
  const char *key; /* that chooses: "action.kind". NULL: that kind is chosen whose name is a key that is given, the last
                      if none */
  const char *fallback; /* the kind where the key is not given; NULL: it has to be */
  bool        number;   /* a number chooses: what a kind does not use may be given as it is anyway, at its default */
  bool        open; /* whether the last kind is a number or numbers, whatever they are; its name is for messages then */
  const BfKind *(*kind)(int k); /* the k-th in the order in which users are told of them; NULL behind the last */
} BfFamily;

/* ---- how a kind reads its keys ---------------------------------------------------------------------------------- */

typedef enum { BF_OPTIONAL, BF_REQUIRED } BfNeed; /* an optional key that is absent leaves the outputs as they are */

/* The keys of a problem, wherever they come from. Each function takes the reader itself first: keys->number(keys,
 * "cost.delta", BF_OPTIONAL, &delta, error). A key is named in full. Each fails with BF_BAD_INPUT and a line that names
 * the key where what is given is not of the type: "xor.yaml: cost.delta is not a number: 'x'". What is read or left at
 * its default becomes one of the problem's settings, by which two problems are compared. Every rank reads the same, in
 * the same order. Members are added at the end only. */
typedef struct BfKeyReader BfKeyReader;
struct BfKeyReader {
  void *state; /* of whoever provides the functions */

  /* Whether the key has a value; does not count as reading it. */
  bool (*given)(const BfKeyReader *keys, const char *key);
  /* Which kind of a family is chosen, *kind its number; refuses the keys that other kinds alone use. */
  BfStatus (*choose)(const BfKeyReader *keys, const BfFamily *family, int *kind, BfError *error);
  /* One of words[], which ends with NULL: its number. */
  BfStatus (*word)(const BfKeyReader *keys, const char *key, BfNeed need, const char *const words[], int *out,
                   BfError *error);
  /* A text that is not empty, which lives as long as the reader. */
  BfStatus (*text)(const BfKeyReader *keys, const char *key, BfNeed need, const char **out, BfError *error);
  BfStatus (*integer)(const BfKeyReader *keys, const char *key, BfNeed need, int64_t least, int64_t most, int64_t *out,
                      BfError *error);
  /* Any finite number. */
  BfStatus (*number)(const BfKeyReader *keys, const char *key, BfNeed need, double *out, BfError *error);
  /* Lists of any length, a single value as a list of one; *out to be freed with bf_free. */
  BfStatus (*integers)(const BfKeyReader *keys, const char *key, BfNeed need, int64_t least, int64_t most,
                       int64_t *count, int64_t **out, BfError *error);
  BfStatus (*numbers)(const BfKeyReader *keys, const char *key, BfNeed need, int64_t *count, double **out,
                      BfError *error);
  /* A list of `wanted` numbers, or one that stands for all: "wants 1 or 2 numbers, one a component" with `each` = "one
   * a component". Absent, where need lets it: *out is NULL. To be freed with bf_free. */
  BfStatus (*exactly)(const BfKeyReader *keys, const char *key, BfNeed need, int64_t wanted, const char *each,
                      double **out, BfError *error);
  /* The table that the key names, which has to be given: *rows rows of `width` numbers, to be freed with bf_free. */
  BfStatus (*rows)(const BfKeyReader *keys, const char *key, int64_t width, int64_t *rows, double **out,
                   BfError *error);

  /* Fail with the key's name before the text: "xor.yaml: cost.delta must be above 0, got -1". */
  BfStatus (*fail)(const BfKeyReader *keys, const char *key, BfError *error, const char *format, ...)
      __attribute__((format(printf, 4, 5)));
  /* The same with the place of a row, counted from 0, of the table that the key names: "u.csv: line 3: ". */
  BfStatus (*fail_row)(const BfKeyReader *keys, const char *key, int64_t row, BfError *error, const char *format, ...)
      __attribute__((format(printf, 5, 6)));
  /* A line for whoever reads what the program prints. */
  BfStatus (*warn)(const BfKeyReader *keys, BfError *error, const char *format, ...)
      __attribute__((format(printf, 3, 4)));
  /* The setting that a key came to, in place of what was given. */
  BfStatus (*note)(const BfKeyReader *keys, const char *key, const char *value, BfError *error);
  /* Whether the file's brackets make it a list; the command line has none. */
  bool (*is_list)(const BfKeyReader *keys, const char *key);
  /* Say that one value of the key stands for a list of that value: the same setting. */
  void (*alike)(const BfKeyReader *keys, const char *key);
};

/* ---- how a kind tells of itself --------------------------------------------------------------------------------- */

/* Attributes that a result gets, by name. Every rank tells the same, in the same order. */
typedef struct BfDescription BfDescription;
struct BfDescription {
  void *state; /* of whoever provides the functions */
  BfStatus (*text)(const BfDescription *to, const char *name, const char *value, BfError *error);
  BfStatus (*integer)(const BfDescription *to, const char *name, int64_t value, BfError *error);
  BfStatus (*number)(const BfDescription *to, const char *name, double value, BfError *error);
};

BF_API_END
