/* Moves of a problem, which may leave J as it is: components of tokens exchanged and reflected, z -> Q z, classes with
 * them, and in each layer heads and hidden units exchanged, units reflected.
 *
 * A move is a signed permutation of places, which are the components, the classes, then of every layer the heads and
 * the units: move[i] is j + 1, or -(j + 1), for the place j, which is of the same block. Of components (Q z)_a =
 * +-z_q(a); of classes p(c), of heads h(k), of units +-s(j). Its image of controls u and a readout is
 *
 *     A'_k = Q A_h(k) Q^T,  V' and B' alike,  W1'_j = +-W1_s(j) Q^T,  b1'_j = +-b1_s(j),  W2'_j = +-Q W2_s(j),
 *     b2' = Q b2,  R'_c = R_p(c) Q^T,  b'_c = b_p(c).
 *
 * A layer is a sum over heads and over units, which sees no order of them, and +-w2 sigma(+-w1 z) is w2 sigma(w1 z)
 * where sigma is odd: so the layer of u' makes of Q z what Q does to that which the layer of u makes of z, where N and
 * P commute with Q, and Q e_p is the encoding. Where Q takes the data to themselves, J(u') = J(u). */
#pragma once
#include "certify/free.h"
#include "certify/merge.h"

typedef struct {
  const BfProblem    *problem;
  const BfMergedData *data;
  int                 dim, classes, heads, width;
  int                 length; /* places: dim + classes + T (heads + width) */
} BfMoves;

/* Of a problem and its data; borrows. */
BfMoves bf_moves(const BfProblem *problem, const BfMergedData *data);
/* The first place of layer t: its heads. */
int                  bf_moves_layer(const BfMoves *x, int64_t t);
static inline int    bf_move_place(int32_t x) { return (x < 0 ? -x : x) - 1; }
static inline double bf_move_sign(int32_t x) { return x < 0 ? -1 : 1; }
/* The move that is `first`, then `then`: out, another array, like both of so many places (or numbers). */
void bf_move_compose(int64_t length, const int32_t then[], const int32_t first[], int32_t out[]);

/* The move of numbers that it is: number i of the image is +-number j, image [all] as moves of places are written.
 * Whether it is one, and takes the box of the controls, and of a trained readout, to itself. */
bool bf_move_numbers(const BfMoves *x, const int32_t move[], int32_t image[]);
/* Whether what it does to tokens and classes leaves kinds, cost and data as they are. A decision's readouts may change
 * places: J of one at u is J of another at the image. */
BfStatus bf_move_keeps(const BfMoves *x, const int32_t move[], bool *keeps, BfError *error);
