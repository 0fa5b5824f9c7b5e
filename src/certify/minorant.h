/* Affine minorants of the value function W_t on cells: parts of the box of z_t, each the half of another.
 *
 * Of a cell with middle m, controls u are looked for that are good at m. The lower form of J(z, u) over the cell
 * gives a slope g; its least less <g, z>, or what other controls that are good at m cost at corners of the cell, less
 * <g, z>, where that is less, is `key`: no plane of that slope above key is below W. Planes are tried that lose a
 * little to it,
 *
 *     W_t(z) >= c + <g, z>,   c = key - loss - slack,
 *
 * each proved by a search over the cell and all late controls, as boxes are searched everywhere. The loss is about
 * what the cell itself costs, which is what J(m, u) - <g, m> is above key, or more or less of that: a plane that is
 * hardly worse is much easier to prove. The slack is for other programs' enclosures.
 *
 * All of this is a function of the cell and the target alone: who asks for it, and whether it is known already,
 * changes nothing. */
#pragma once
#include "certify/depth.h"
#include "certify/task.h"

enum { BF_PLANES = 3 }; /* of a cell, from the easiest to the sharpest */

/* Which cell: 1, then for every halving from the whole on, 0 for the lower and 1 for the upper half. */
typedef struct {
  int32_t  root; /* readout */
  int32_t  plane;
  uint64_t path;
} BfPlaneName;
enum { BF_MOST_HALVINGS = 62 };

typedef struct {
  double *lower, *upper; /* [axes] */
  double *middle;        /* [axes] */
  double *slope;         /* [axes] g */
  double *rest;          /* [axes] what the remainders of an axis cost where z is anything in the cell */
  double *controls;      /* [late numbers] u */
  double  value, key;    /* J(m, u), from above */
  double  own;           /* what the cell costs: value - <g, m> - key */
} BfStateCell;

/* What a rank works with. */
typedef struct {
  const BfDepth *depth;
  BfWorker       worker; /* of the late objective */
  int            sets;   /* of controls that are drawn for a cell */
  double         target; /* of the level */
  double         gap;    /* between what was found and the target: losses and slack are parts of it */
  double        *box;    /* [2][n] of the late objective */
  double        *tilt;   /* [n] */
  double        *point;  /* [all + axes] */
  double        *try;    /* [late numbers] */
  double        *tried;  /* [tries][late numbers] what was found to be good in the middle of the last cell */
  int            tries;
} BfMinorants;

/* Clear it also after a failure. Local, as all here. */
BfStatus bf_minorants_create(const BfDepth *depth, BfMinorants *out, BfError *error);
void     bf_minorants_clear(BfMinorants *x);

/* Of a new cell and a proof, at most, about: the same on every machine. */
double bf_minorant_seconds(const BfMinorants *x);

/* The arrays of a cell, one behind another: doubles. */
int64_t bf_state_cell_doubles(const BfDepth *depth);
/* A cell with these ends in room [bf_state_cell_doubles]: its controls, slope and key. from: of the cell whose half it
 * is, its controls; NULL: the whole. */
void bf_minorant_guess(BfMinorants *x, int root, const double from[], BfStateCell *cell);
/* c of a plane of it. */
double bf_minorant_constant(const BfMinorants *x, const BfStateCell *cell, int plane);
/* Searches for its proof, of which the record is added to `record`; *proved: it was found. */
BfStatus bf_minorant_prove(BfMinorants *x, int root, const BfStateCell *cell, int plane, BfBytes *record,
                           int64_t *boxes, bool *proved, BfError *error);
