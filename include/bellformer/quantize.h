/* The three quantizers of [ASY26]: tokens (X_n), measures (P_m(X_n)) and controls (U_k): README, The model. Pure. */
#pragma once
#include "bellformer/error.h"
#include "bellformer/kind.h"
#include "bellformer/splitmix64.h"

BF_API_BEGIN

/* ---- X_n: tokens ------------------------------------------------------------------------------------------------ */

typedef struct BfCells BfCells; /* n points of R^d, numbered 0 .. n-1 */

/* Cell centres lower_j + (i + 1/2) h_j, h_j = (upper_j - lower_j) / counts_j; numbered row-major, axis 0 slowest.
 * lower, upper, counts: [dim]; counts_j >= 1, lower_j < upper_j, and the product of counts below 2^62. */
BfStatus bf_cells_grid(int dim, const double lower[], const double upper[], const int64_t counts[], BfCells **out,
                       BfError *error);
/* The same cells moved by shift_j h_j along each axis, shift_j in [-1/2, 1/2): centres lower_j + (i + 1/2 + shift_j)
 * h_j. The first and the last cell end where the box does, and beyond: clamp(floor((z_j - lower_j) / h_j - shift_j)).
 */
BfStatus bf_cells_grid_shifted(int dim, const double lower[], const double upper[], const int64_t counts[],
                               const double shift[], BfCells **out, BfError *error);
/* `count` >= 1 given points [count][dim], copied. */
BfStatus bf_cells_codebook(int dim, int64_t count, const double points[], BfCells **out, BfError *error);
void     bf_cells_destroy(BfCells **cells); /* NULL-safe, sets NULL */

int64_t bf_cells_count(const BfCells *cells); /* n */
int     bf_cells_dim(const BfCells *cells);   /* d */
typedef struct {
  double  lower, width; /* lo_j + shift_j h_j, h_j */
  int64_t cells;        /* n_j */
} BfAxis;
const BfAxis *bf_cells_axes(const BfCells *cells); /* [dim] of a grid; NULL of points that stand on no axes */
/* Point number `cell` in 0 .. n-1 into z[dim]. */
void bf_cells_point(const BfCells *cells, int64_t cell, double z[]);
/* The point nearest to z[dim]. Grid: axis by axis clamp(floor((z_j - lower_j) / h_j), 0, n_j - 1), O(d).
 * Codebook: smallest Euclidean distance, the smallest number where several attain it, O(n d). */
int64_t bf_cells_nearest(const BfCells *cells, const double z[]);
/* Multilinear weights of z[dim] among the centres around it (at the border the nearest ones): they sum to 1 and keep
 * the mean where z lies within the box of the centres. Fills cell[] and weight[] (room for 2^dim) with the centres of
 * positive weight, in increasing order of cell, and returns how many. Grids only, dim <= 20. */
int bf_cells_split(const BfCells *cells, const double z[], int64_t cell[], double weight[]);

/* ---- P_m(X_n): types -------------------------------------------------------------------------------------------- */

/* A type is a law on n cells whose masses are multiples of 1/m. Its atoms' cells c_1 <= ... <= c_m name it, and so does
 * its rank: with b_k = c_k + k - 1, rank = sum_k C(b_k, k) (colexicographic), in 0 .. C(m + n - 1, m) - 1. */
typedef struct BfTypes BfTypes;

/* C(atoms + cells - 1, atoms), the number of types, or -1 where it exceeds INT64_MAX. */
int64_t bf_types_number(int64_t cells, int64_t atoms);
/* Rank and unrank for fixed n, m >= 1. Refused where the number of types exceeds INT64_MAX. */
BfStatus bf_types_create(int64_t cells, int atoms, BfTypes **out, BfError *error);
void     bf_types_destroy(BfTypes **types);
int64_t  bf_types_count(const BfTypes *types);
/* cell[m], non-decreasing, each in 0 .. n-1. */
int64_t bf_types_rank(const BfTypes *types, const int64_t cell[]);
/* The inverse: cell[m] of a rank in 0 .. count-1, non-decreasing. */
void bf_types_unrank(const BfTypes *types, int64_t rank, int64_t cell[]);

/* The type nearest to a law, [R11] algorithm 1: round m p_i, then move the sum to m by changing the entries whose
 * rounding went farthest the wrong way (of equal ones the lowest index first). It minimizes the L1, L2 and
 * L-infinity distances at once. O(n log n); n >= 1, m >= 1.
 *   law[n]    non-negative with a positive sum; need not be normalized
 *   counts[n] out, sums to m
 * Both compute in integers, so that ties are met exactly, whatever the sum of the law is: the second form for all
 * masses whose sum is at most INT64_MAX, the first for the doubles as given (m < 2^20: bits below 2^-104 of the sum do
 * not count, which a mass has only below 2^-51 of it). */
BfStatus bf_type_nearest(int64_t n, const double law[], int64_t m, int64_t counts[], BfError *error);
BfStatus bf_type_nearest_integer(int64_t n, const int64_t law[], int64_t m, int64_t counts[], BfError *error);

/* ---- from images to types ---------------------------------------------------------------------------------------- */

/* Component a of image i stands at z[(i dim + a) stride]; borrowed. */
typedef struct {
  const double *z;
  int64_t       stride;
  const int    *times; /* of how many atoms each is the image, at least 1; NULL: of one */
} BfImages;

/* Room for the law of a tag: as many entries each as it has atoms, times `centres`. */
typedef struct {
  int64_t *corner;
  double  *weight;
  int64_t *counts;
} BfTransitionRoom;

/* How the images of a tag's atoms go back to cells: a kind of `quantize.transition`. */
typedef struct {
  BfKind base;
  bool   nearest;              /* every atom goes to the nearest cell, which kernels may find by themselves */
  int64_t (*centres)(int dim); /* among which an atom is shared, at most */
  /* Refuse cells that it is not for; NULL: it is for all. */
  BfStatus (*check)(const BfKeyReader *keys, const BfCells *cells, BfError *error);
  /* cell[atoms of all images], non-decreasing: the same for images of atoms one by one, in this order. */
  BfStatus (*law)(const BfCells *cells, const BfImages *images, int count, const BfTransitionRoom *room, int64_t cell[],
                  BfError *error);
} BfTransition;
const BfTransition *bf_transition(const char *name); /* `nearest`, `split`; NULL for an unknown name */
const BfTransition *bf_transition_at(int k);         /* NULL behind the last */

/* ---- U_k: controls ---------------------------------------------------------------------------------------------- */

/* Each of the q numbers takes levels_j >= 1 equally spaced values, both ends of [lower_j, upper_j] included (one level:
 * the middle); the index is mixed-radix, first number slowest. Gives K = prod levels_j (below 2^31) and u, K rows of
 * q, to be freed with bf_free. */
BfStatus bf_controls_grid(int q, const double lower[], const double upper[], const int levels[], int64_t *count,
                          double **u, BfError *error);
/* `count` points drawn uniformly in the box: splitmix64 from `seed`, each draw (r >> 11) 2^-53, number by number, so
 * that a larger count contains the smaller. u: count rows of q, to be freed with bf_free. */
BfStatus bf_controls_sample(int q, const double lower[], const double upper[], int64_t count, uint64_t seed, double **u,
                            BfError *error);
/* `count` points of Halton: number j of point k (from 0) is lower + x (upper - lower), x the radical inverse of k + 1
 * in base the j-th prime, cut after 53 bits, plus, unless `seed` is 0, the j-th draw of splitmix64(seed), modulo 1 and
 * without rounding. A larger count contains the smaller. u as above. */
BfStatus bf_controls_halton(int q, const double lower[], const double upper[], int64_t count, uint64_t seed, double **u,
                            BfError *error);

BF_API_END
