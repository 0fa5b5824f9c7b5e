/* The sigma of the feed-forward part: a function and its line in the table. */
#include "kernel/activation.h"

#include <math.h>

struct BfActivation {
  BfKind base;
  double (*value)(double x);
  double (*slope)(double x);
  void (*bound)(const BfFormSpace *space, const BfAffine *x, BfAffine *out);
};

static double tanh_slope(double x) {
  const double c = cosh(x); /* 1 - tanh^2 without its cancellation */
  return 1 / (c * c);
}

static double relu(double x) { return x > 0 ? x : 0; }

static double relu_slope(double x) { return x > 0; }

/* x Phi(x) with Phi(x) = erfc(-x / sqrt 2) / 2, which keeps its relative accuracy for large negative x. */
static double gelu(double x) { return 0.5 * x * erfc(-x * 0.70710678118654752440); }

/* Phi(x) + x phi(x). */
static double gelu_slope(double x) {
  return 0.5 * erfc(-x * 0.70710678118654752440) + x * 0.39894228040143267794 * exp(-0.5 * x * x);
}

static const BfKey keys_of[] = {{"layer.width", "integer", NULL, "rows of W1", .least = 1, .most = 65536},
                                {.name = "control.W1"},
                                {.name = "control.b1"},
                                {.name = "control.W2"},
                                {.name = "control.b2"},
                                {.name = NULL}};

static const BfActivation activations[] = {{{"tanh", keys_of, "tanh x"}, tanh, tanh_slope, bf_affine_tanh},
                                           {{"relu", keys_of, "max(x, 0)"}, relu, relu_slope, bf_affine_relu},
                                           {{"gelu", keys_of, "x Phi(x)"}, gelu, gelu_slope, bf_affine_gelu}};
enum { ACTIVATIONS = sizeof activations / sizeof *activations };

static const BfKind  none = {.name = "none", .meaning = "no such term"};
static const BfKind *kind_at(int k) { return !k ? &none : k <= ACTIVATIONS ? &activations[k - 1].base : NULL; }
static const BfKey   key                  = {"layer.feedforward", "word", "none", "sigma of W2 sigma(W1 z + b1) + b2"};
const BfFamily       bf_activation_family = {&key, false, false, kind_at};

const BfActivation *bf_activation_at(int k) { return k > 0 && k <= ACTIVATIONS ? &activations[k - 1] : NULL; }

const BfActivation *bf_activation(const char *name) { return bf_activation_at(bf_kind_find(kind_at, name)); }

const char *bf_activation_name(const BfActivation *activation) {
  return activation ? activation->base.name : none.name;
}

int bf_activation_cuts(const BfActivation *activation) { return activation->value == relu; }

void bf_activate(const BfActivation *activation, double *x, int count) {
  if (bf_activation_cuts(activation)) {
    for (int i = 0; i < count * BF_LANES; i++) x[i] = x[i] > 0 ? x[i] : 0;
    return;
  }
  for (int i = 0; i < count * BF_LANES; i++) x[i] = activation->value(x[i]);
}

void bf_activation_bound(const BfActivation *activation, const BfFormSpace *space, const BfAffine *x, BfAffine *out) {
  activation->bound(space, x, out);
}

void bf_activate_slope(const BfActivation *activation, const double *x, double *slope, int count) {
  for (int i = 0; i < count * BF_LANES; i++) slope[i] = activation->slope(x[i]);
}
