/* Images of a tag's law by sums, of which T(i, k) is made without an exponential a measure. For a query cell q, and
 * weights w_q(c) = exp(logit_q(c) - the largest logit of q),
 *
 *   image of q = P(r z_q + eps FF(z_q) + eps sum_h V_h num_h / den_h),   num = sum of mass w_q(c) z_c,  den = sum of
 *   mass w_q(c),
 *
 * over the atoms (c, mass) that q sees, so that two laws are seen together by adding their sums. Order of sums and
 * rounding are others than in bf_layer_apply, and most of it is done in floats: an image is given only where it is
 * certain that bf_layer_apply gives the same law, and else called uncertain (images.c has the bounds). */
#pragma once
#include "kernel/table.h"

/* The largest differences of a query's logits for which sums stay numbers of full precision. */
#define BF_SPREAD_FLOAT 80.0
#define BF_SPREAD_DOUBLE 600.0

typedef struct {
  const BfTableShape *table;      /* its block of actions is prepared */
  const double       *parameters; /* of the block */
  double              spread;     /* the largest of the block */
  double scale[BF_MOST_DIM];      /* images are kept in units of cells, on the sphere in those of z: 1 / width, or 1 */
  double low[BF_MOST_DIM], high[BF_MOST_DIM]; /* the box of P in units of cells; infinite: none */
  /* In lanes, filled by image_prepare: */
  double *weight; /* [heads][queries][queries] w_q(c) */
  double *base;   /* [n][d] an image without attention */
  double *margin; /* [d] how far an image in doubles may be from that of bf_layer_apply, in units of cells */
  float  *base_float, *margin_float; /* the same of floats */
} BfImageShape;

#define BF_MOST_IMAGE_CELLS 128 /* among which `split` shares atoms */

/* Atoms that a query sees. */
typedef struct {
  int            count;
  const int     *place; /* [count] among the positions that are told apart */
  const int64_t *cell;
  const double  *mass;
} BfSeenAtoms;

/* Sums of a law as the queries at one place see them: [n][heads][1 + d] in lanes, den and eps scale (V num). */
typedef struct {
  double *wide;
  float  *narrow;
} BfImageSums;

/* Queries at a place, in these cells; cell NULL: in all. */
typedef struct {
  int            place, count;
  const int64_t *cell;
} BfImageQueries;

/* One law of a tag with `count` laws of what it sees: the number of the law that it goes to. */
typedef struct {
  int            atoms;
  const int64_t *cell; /* [atoms], non-decreasing */
  BfImageSums    own, rest;
  int64_t        rest_stride; /* numbers from one of the rest to the next */
  int            count;
  const double  *below;  /* [n][atoms + 1] C(c + j - 1, j - 1), 0 for j = 0: of split alone */
  double         types;  /* how many laws the tag has */
  int32_t       *number; /* [count][BF_LANES]; -1 where it is uncertain */
} BfImageRow;

/* The images of one tag along a row of measures: image[(base + step * row[c]) * BF_LANES + l], row NULL: c itself. */
typedef struct {
  const int32_t *image, *row;
  int64_t        base, step;
  int32_t        radix; /* how many laws the tag has */
} BfImageTag;
/* Successors' numbers next[l * stride + c] of `count` measures under the first `lanes` actions, -1 where an image is
 * uncertain; returns of how many measures one is. */
typedef int BfImageJoin(int tags, const BfImageTag tag[], int count, int lanes, int32_t *next, int64_t stride);

typedef void BfImagePrepare(BfImageShape *shape);
/* Sums of these atoms as these queries see them; of other queries `to` keeps what it has. */
typedef void BfImageSum(const BfImageShape *shape, const BfImageQueries *queries, const BfSeenAtoms *atoms,
                        const BfImageSums *to);
typedef void BfImageRowOf(const BfImageShape *shape, const BfImageRow *row);
