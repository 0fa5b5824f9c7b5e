/* Layers, contexts, costs and boxes by chance. */
#pragma once
#include "bellformer/cost.h"
#include "bellformer/term.h"
#include "cost/pooling.h"
#include "draw.h"

enum {
  MOST_TOKENS    = 4,
  MOST_VARIABLES = 20,
  MOST_LAYERS    = 2,
  MOST_DIM       = 3,
  CLASSES        = 3,
  READOUT        = CLASSES * (MOST_DIM + 1)
};

/* A problem by chance: a layer that is applied `depth` times, each time with parameters of its own, a context, a cost,
 * and a box of some of the parameters, and of numbers of a trained readout, the others being constant. */
typedef struct {
  BfLayer   layer;
  BfContext context;
  BfCost    cost;
  BfPooled  pooled; /* its settings, where it pools */
  int       first[MOST_TOKENS + 1], position[MOST_TOKENS], label[MOST_TOKENS];
  double    mass[MOST_TOKENS], target[MOST_TOKENS * MOST_DIM], z[MOST_TOKENS * MOST_DIM];
  double    readout[READOUT];          /* R, then b */
  int       readout_variable[READOUT]; /* which variable it is, or -1 */
  int       depth, variables;
  double   *value;    /* [depth][parameters] where they are constant */
  int      *variable; /* [depth][parameters], as above */
  double    lower[MOST_VARIABLES], upper[MOST_VARIABLES];
} Sample;

/* Kinds by number, each of all kinds as numbers go on; widths of the box about 10^-decades. */
void sample_create(Sample *s, int number, double decades);
void sample_clear(Sample *s);
/* What the program itself makes of parameters at xi [MOST_VARIABLES][BF_LANES]: tokens z [slots][dim][BF_LANES] after
 * all layers, and what they cost, loss [BF_LANES]. */
void sample_run(const Sample *s, const double *xi, double *z, double loss[]);
/* The features of lane l of z, by their definition. */
void sample_features(const Sample *s, const double *xi, const double *z, int l, double x[]);
