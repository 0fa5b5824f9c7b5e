/* Keys that choose, and what the choice leaves in use. Every kind declares the keys that it uses; a key of another kind
 * alone is refused where it is given ("xor.yaml: action.count is not used where action.kind is grid"), except that the
 * file's keys of the kind that the file chose stand aside where the command line chose another. */
#pragma once
#include "bellformer/term.h"
#include "keys.h"

/* All of them, the terms' first, for the reference and the table of keys; NULL behind the last. */
const BfFamily       *bf_family_at(int k);
extern const BfFamily bf_sample_family;

/* The number of the kind of that name; text NULL: that of the fallback; -1: there is none. */
int bf_family_find(const BfFamily *family, const char *text);
/* Read the key that chooses, then settle: what BfKeyReader's choose does. *kind: the number of the chosen one. */
BfStatus bf_family_choose(BfKeys *keys, const BfFamily *family, int *kind, BfError *error);

/* Refuse the keys that the chosen kind does not use, or set them aside. text: what the choosing key says, as above. */
BfStatus bf_family_settle(BfKeys *keys, const BfFamily *family, const char *text, BfError *error);
/* The same for a choice by which key is given; *kind becomes the number of the chosen one. */
BfStatus bf_family_settle_given(BfKeys *keys, const BfFamily *family, int *kind, BfError *error);
/* The same for the keys of the map control.MATRIX, which serves matrices of several forms where it serves several
 * heads. forms, of_file: a bit for each form, 1 << its number, that these matrices have, and would have by the file
 * alone. where: "control.A.form is fixed". */
BfStatus bf_family_settle_matrix(BfKeys *keys, const char *matrix, const char *where, unsigned forms, unsigned of_file,
                                 BfError *error);
/* Of a term with a matrix for each of as many heads as its key says: refuse the keys of control.A_2, V_2 and so on
 * where that is 2, or set them aside; when the key has been read. */
BfStatus bf_family_settle_heads(BfKeys *keys, const BfTermKind *term, BfError *error);
