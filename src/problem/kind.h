/* Keys that choose, and what the choice leaves in use. Every kind declares the keys that it uses; a key of another kind
 * alone is refused where it is given ("xor.yaml: action.count is not used where action.kind is grid"), except that the
 * file's keys of the kind that the file chose stand aside where the command line chose another. */
#pragma once
#include "keys.h"

#define BF_KIND_KEYS 14

typedef struct {
  const char *name;               /* what the key says: "sample" */
  const char *uses[BF_KIND_KEYS]; /* of the keys that not every kind uses: names of bf_key_rows, or "control.W1" for
                                     all of a matrix, of "control.A" for every head's; ends with NULL */
} BfKind;

typedef struct {
  const char   *key; /* that chooses; NULL: that kind is chosen whose name is a key that is given, the last if none */
  const char   *fallback; /* the kind where the key is not given */
  int           number;   /* a number chooses: what a kind does not use may be given as it is anyway, at its default */
  int           open;     /* whether the last kind is whatever else the key may say; its name then is for messages */
  const BfKind *kind;     /* ends with a kind without a name */
} BfChoice;

/* All of them, for the reference; ends with NULL. */
extern const BfChoice *const bf_choices[];
extern const BfChoice bf_choice_encoding, bf_choice_heads, bf_choice_feedforward, bf_choice_form, bf_choice_action,
    bf_choice_terminal, bf_choice_readout, bf_choice_rows, bf_choice_codebook, bf_choice_cells;

/* The number of the kind of that name; text NULL: the fallback; -1: there is none. */
int bf_kind_find(const BfChoice *choice, const char *text);

/* Refuse the keys that the chosen kind does not use, or set them aside. text: what the choosing key says, as above. */
BfStatus bf_kind_settle(BfKeys *keys, const BfChoice *choice, const char *text, BfError *error);
/* The same for a choice by which key is given; *kind becomes the number of the chosen one. */
BfStatus bf_kind_settle_given(BfKeys *keys, const BfChoice *choice, int *kind, BfError *error);
/* The same for the keys of the map control.MATRIX, which serves matrices of several forms where it serves several
 * heads. forms, of_file: a bit for each form, 1 << its number, that these matrices have, and would have by the file
 * alone. where: "control.A.form is fixed". */
BfStatus bf_kind_settle_matrix(BfKeys *keys, const char *matrix, const char *where, unsigned forms, unsigned of_file,
                               BfError *error);
/* Refuse the keys of control.A_2, V_2 and so on where layer.heads is 2, or set them aside. of_file: heads by the file
 * alone. */
BfStatus bf_kind_settle_heads(BfKeys *keys, int heads, int of_file, BfError *error);
