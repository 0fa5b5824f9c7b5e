/* e_p[2i] = a sin(p / 10000^(2i/d)), e_p[2i+1] = a cos(the same). */
#include "layer/encoding.h"
#include <math.h>

static const char KEY[] = "data.position_amplitude";

static BfStatus read(const BfKeyReader *keys, int positions, BfLayer *layer, double *amplitude, BfError *error) {
  (void)positions;
  (void)layer;
  return keys->number(keys, KEY, amplitude, error);
}

static void row(double amplitude, int dim, int p, double *e) {
  for (int j = 0; j < dim; j++) {
    const double angle = p / pow(10000.0, (double)(j - j % 2) / dim);
    e[j]               = amplitude * (j % 2 ? cos(angle) : sin(angle));
  }
}

static const BfKey keys_of[] = {
    {KEY, "number", "1", "a in e_p[2i] = a sin(p / 10000^(2i/d)), e_p[2i+1] = a cos(the same)"}, {0}};

const BfEncoding bf_encoding_sinusoidal = {
    .base = {"sinusoidal", keys_of, "sines and cosines, see `position_amplitude`"},
    .word = "sinusoidal",
    .read = read,
    .row  = row};
