/* A layer as kernels take it: numbers, and functions for what is no kernel's own. bf_layer_flat (layer/flat.h) makes it
 * of a layer, whose arrays it borrows. Kernels know nothing else of layers, nor of their kinds. */
#pragma once
#include "bellformer/kernel.h"

/* Tokens at which the terms of single tokens are evaluated, in lanes. */
typedef struct {
  const double *parameters; /* the layer's */
  int64_t       stride;     /* BF_LANES: each lane has parameters of its own; 1: all have the same */
  int           rows;
  const double *z, *seen; /* [rows][dim][BF_LANES] z and N(z), which may be the same */
  double       *work;
  const double *hidden; /* [rows][width][BF_LANES] sigma(W1 z + b1) of the feed-forward part; NULL: by W1, b1 */
} BfPoints;

/* A cotangent of z and of N(z), which may be the same array, and of the parameters in lanes; all are added to. */
typedef struct {
  double *by_z, *by_seen, *by_parameters;
} BfPointsTransposed;

typedef struct {
  int           dim, heads;
  int           attention; /* where A_0, V_0, A_1, V_1, ... stand in the parameters, dim * dim entries each */
  int           parameters;
  double        residual, step, beta;
  BfMask        mask;
  const double *encoding; /* [positions][dim] e_p; NULL: 0 */
  /* N of a token and its transposed derivative, as of BfNorm; NULL: N(z) = z. */
  void (*normalize)(int dim, const double *z, double *n);
  void (*normalize_transposed)(int dim, const double *z, const double *by_n, double *by_z);
  /* P clips to a box [dim]; or `project` gives it, y [dim][BF_LANES] in place; or both are none, and P(y) = y / |y|. Of
   * that alone `unit` is set: the flow's v is tangential to the sphere. The velocity looks at nothing but `unit`. */
  int    clips;
  double lower[BF_MOST_DIM], upper[BF_MOST_DIM];
  void (*project)(const void *of, double *y);
  int unit;
  /* v += what all terms of single tokens give, and its transposed products with lambda. */
  int         terms; /* how many there are */
  const void *of;    /* the layer, for functions that want it */
  void (*add_terms)(const void *of, const BfPoints *points, double *v);
  void (*add_terms_transposed)(const void *of, const BfPoints *points, const double *lambda,
                               const BfPointsTransposed *to);
} BfFlatLayer;

/* Where the entries of head h's matrices begin in the parameters. */
static inline int bf_flat_A(const BfFlatLayer *layer, int d, int h) { return layer->attention + 2 * h * d * d; }
static inline int bf_flat_V(const BfFlatLayer *layer, int d, int h) { return bf_flat_A(layer, d, h) + d * d; }

/* The feed-forward part on tokens. */
typedef struct {
  int                 dim, width, rows;
  const BfActivation *sigma;
  const double       *parameters; /* W1 [width][dim], b1 [width], W2 [dim][width], b2 [dim], in lanes or not */
  const double       *z;          /* [rows][dim][BF_LANES] */
  const double       *hidden;     /* [rows][width][BF_LANES], or NULL: sigma(W1 z + b1) is to be evaluated */
  double             *work;       /* [3][width][BF_LANES]: hidden numbers, their slopes, the cotangents; aligned */
} BfFeedforwardPoints;
