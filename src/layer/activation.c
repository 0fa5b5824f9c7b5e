/* The sigma of the feed-forward part: a function and its line in the table. */
#include "layer/kernels.h"

#include <math.h>
#include <string.h>

struct BfActivation {
  const char *name;
  double (*value)(double x);
};

static double relu(double x) { return x > 0 ? x : 0; }

/* x Phi(x) with Phi(x) = erfc(-x / sqrt 2) / 2, which keeps its relative accuracy for large negative x. */
static double gelu(double x) { return 0.5 * x * erfc(-x * 0.70710678118654752440); }

static const BfActivation activations[] = {{"tanh", tanh}, {"relu", relu}, {"gelu", gelu}};
enum { ACTIVATIONS = sizeof activations / sizeof *activations };

const BfActivation *bf_activation(const char *name) {
  for (int i = 0; i < ACTIVATIONS; i++)
    if (!strcmp(name, activations[i].name)) return &activations[i];
  return NULL;
}

const char *bf_activation_name(const BfActivation *activation) { return activation ? activation->name : "none"; }

const char *bf_activation_names(void) { return "tanh, relu, gelu"; }

void bf_activate(const BfActivation *activation, double *x, int count) {
  if (activation->value == relu) { /* the one that is cheap enough for the call to show */
    for (int i = 0; i < count * BF_LANES; i++) x[i] = x[i] > 0 ? x[i] : 0;
    return;
  }
  for (int i = 0; i < count * BF_LANES; i++) x[i] = activation->value(x[i]);
}
