/* Layers, contexts, costs and boxes by chance. */
#pragma once
#include "bellformer/cost.h"
#include "bellformer/term.h"
#include "draw.h"

enum { MOST_TOKENS = 4, MOST_VARIABLES = 14, MOST_LAYERS = 2 };

/* A problem by chance: a layer that is applied `depth` times, each time with parameters of its own, a context, a cost,
 * and a box of some of the parameters, the others being constant. */
typedef struct {
  BfLayer   layer;
  BfContext context;
  BfCost    cost;
  int       first[MOST_TOKENS + 1], position[MOST_TOKENS], label[MOST_TOKENS];
  double    mass[MOST_TOKENS], target[MOST_TOKENS * 3], z[MOST_TOKENS * 3];
  double    matrix[3 * 3], bias[3];
  int       depth, variables;
  double   *value;    /* [depth][parameters] where they are constant */
  int      *variable; /* [depth][parameters] which variable it is, or -1 */
  double    lower[MOST_VARIABLES], upper[MOST_VARIABLES];
} Sample;

/* Kinds by number, each of all kinds as numbers go on; widths of the box about 10^-decades. */
void sample_create(Sample *s, int number, double decades);
void sample_clear(Sample *s);
/* Parameters [parameters][BF_LANES] of a layer at xi [MOST_VARIABLES][BF_LANES]. */
void sample_parameters(const Sample *s, int t, const double *xi, double *parameters);
/* What the program itself makes of them: tokens z [slots][dim][BF_LANES] after all layers. */
void sample_run(const Sample *s, const double *xi, double *z);
