/* What all kinds have in common: terms, forms, costs, readouts, samplers and so on, ours and those of plug-ins. Pure:
 * no MPI, no PETSc, no files.
 *
 * A kind is a constant struct of functions and data in a file of its own, with a BfKind as its first member. The kinds
 * among which one key chooses are a family. Nothing outside of a kind's file compares its name or knows its keys: what
 * the others need to know of it is a member of its struct. */
#pragma once
#include "bellformer/error.h"
#include <math.h>
#include <string.h>

/* Of these structs: a plug-in's kind tells against which it was compiled, and another is refused. */
#define BF_KIND_VERSION 7

BF_API_BEGIN

/* A key of a problem: README, A problem file. Its look-up takes all that it needs from here. */
typedef struct {
  const char *name;     /* with dots, "layer.beta"; A stands for every matrix, row_I_column_J for every piece of one */
  const char *type;     /* integer, number, word, text or file, a list of these, or one or the other: "number or word";
                           NULL: only the name of a key that is described elsewhere */
  const char *fallback; /* what holds where it is not given; NULL: it has to be. A value of the key; of a text or a
                           file, or where an integer is none, words for the reference */
  const char *meaning;  /* one line, as the reference (share/doc/keys.md) has it */
  double      least, most; /* of its integers or numbers; both 0: any; INFINITY: no most */
  bool        above;       /* least itself is not allowed */
  bool        cosmetic;    /* it changes no answer: problems that differ in it alone are the same */
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
  const BfKey *key; /* that chooses, "action.kind", in full. NULL: that kind is chosen whose name is a key that is
                       given, the last if none */
  bool number;      /* a number chooses: what a kind does not use may be given as it is anyway, at its default */
  bool open;        /* whether the last kind is a number or numbers, whatever they are; its name is for messages then */
  const BfKind *(*kind)(int k); /* the k-th in the order in which users are told of them; NULL behind the last */
} BfFamily;

/* The number of the kind of that name, or -1. */
static inline int bf_kind_find(const BfKind *(*kind)(int k), const char *name) {
  for (int k = 0; kind(k); k++)
    if (!strcmp(kind(k)->name, name)) return k;
  return -1;
}

/* ---- how a kind reads its keys ---------------------------------------------------------------------------------- */

/* The keys of a problem, wherever they come from. Each function takes the reader itself first: keys->number(keys,
 * "cost.delta", &delta, error). A key is named in full; some kind has declared it. Each fails with BF_BAD_INPUT and a
 * line that names the key where it is absent and required, or what is given is not of the type or out of its range:
 * "xor.yaml: cost.delta is not a number: 'x'". Absent otherwise: its fallback is read, or where that is no value, the
 * output stays as it is. What is read becomes one of the problem's settings, by which two problems are compared. Every
 * rank reads the same, in the same order. Members are added at the end only. */
typedef struct BfKeyReader BfKeyReader;
struct BfKeyReader {
  void *state; /* of whoever provides the functions */

  /* Whether the key has a value; does not count as reading it. */
  bool (*given)(const BfKeyReader *keys, const char *key);
  /* Which kind of a family is chosen, *kind its number; refuses the keys that other kinds alone use. */
  BfStatus (*choose)(const BfKeyReader *keys, const BfFamily *family, int *kind, BfError *error);
  /* One of words[], which ends with NULL: its number. */
  BfStatus (*word)(const BfKeyReader *keys, const char *key, const char *const words[], int *out, BfError *error);
  /* A text that is not empty, which lives as long as the reader. */
  BfStatus (*text)(const BfKeyReader *keys, const char *key, const char **out, BfError *error);
  BfStatus (*integer)(const BfKeyReader *keys, const char *key, int64_t *out, BfError *error);
  /* A finite number. */
  BfStatus (*number)(const BfKeyReader *keys, const char *key, double *out, BfError *error);
  /* Lists of any length, a single value as a list of one; *out to be freed with bf_free; absent: as they are. */
  BfStatus (*integers)(const BfKeyReader *keys, const char *key, int64_t *count, int64_t **out, BfError *error);
  BfStatus (*numbers)(const BfKeyReader *keys, const char *key, int64_t *count, double **out, BfError *error);
  /* A list of `wanted` numbers, or one that stands for all, as its fallback does: "wants 1 or 2 numbers, one a
   * component" with `each` = "one a component". To be freed with bf_free. */
  BfStatus (*exactly)(const BfKeyReader *keys, const char *key, int64_t wanted, const char *each, double **out,
                      BfError *error);
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
