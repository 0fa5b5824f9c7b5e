/* Cases of the terminal costs: softmax over classes, squared distances. */
#include "conformance.h"

#include <math.h>

/* ---- softmax ---------------------------------------------------------------------------------------------------- */

typedef struct {
  BfFlatReadout readout;
  int           label;
  double       *r, *out; /* out: [4][BF_LANES] as BfSoftmaxSums, the logit of the label */
} Softmax;

/* Classes that are held and more than those; equal logits; logits that are too large. */
static void *make_softmax(Memory *m, uint64_t *seed, int large, Outputs *outputs) {
  static const double scale[] = {1, 1, 5, 300, 1e200, 0};
  Softmax            *x       = TAKE(m, Softmax, 1);
  const int           classes = large ? 4 : below(seed, 4) ? 1 + below(seed, 6) : 15 + below(seed, 20);
  const int           dim     = large ? 6 : 1 + below(seed, 9);
  double             *R = TAKE(m, double, classes *dim), *b = TAKE(m, double, classes);
  const double        size = scale[large ? 0 : below(seed, 6)];
  x->r                     = TAKE(m, double, dim *BF_LANES);
  x->out                   = output(m, outputs, 5 * BF_LANES);
  x->label                 = below(seed, classes);
  fill_random(seed, dim * BF_LANES, size, x->r);
  fill_random(seed, classes * dim, size, R);
  fill_random(seed, classes, 1, b);
  if (!below(seed, 3)) /* a class that ties with another */
    for (int a = 0, c = below(seed, classes), e = below(seed, classes); a < dim; a++) {
      R[c * dim + a] = R[e * dim + a];
      b[c]           = b[e];
    }
  x->readout = (BfFlatReadout){classes, dim, R, below(seed, 3) ? b : NULL};
  return x;
}

static void run_softmax(void *given, const BfKernels *kernels) {
  const Softmax *x = given;
  BfSoftmaxSums  s;
  kernels->softmax(&x->readout, x->r, x->label, &s);
  const double *const part[] = {s.max, s.all, s.wrong, s.loss};
  for (int i = 0; i < 4; i++)
    for (int l = 0; l < BF_LANES; l++) x->out[i * BF_LANES + l] = part[i][l];
  kernels->logit(&x->readout, x->label, x->r, x->out + 4 * BF_LANES);
}

static double bounded(double x) { return fmax(-1e307, fmin(1e307, x)); }

static double logit(const BfFlatReadout *readout, int c, const double *r, int lane) {
  double sum = 0;
  for (int a = 0; a < readout->dim; a++) sum += bounded(readout->matrix[c * readout->dim + a] * r[a * BF_LANES + lane]);
  return bounded(sum + (readout->bias ? readout->bias[c] : 0));
}

static int close_to(double a, double b) { return fabs(a - b) <= 1e-14 * fmax(fabs(b), 1e-290); }

/* Logits bit for bit, the rest to a few units in the last place, of libm's functions. */
static int64_t wrong_softmax(void *given, const Outputs *outputs) {
  const Softmax *x     = given;
  const double  *out   = outputs->out[0];
  int64_t        wrong = 0;
  for (int l = 0; l < BF_LANES; l++) {
    double all = 0, others = 0, rest = 0, max = -INFINITY;
    int    top = 0;
    for (int c = 0; c < x->readout.classes; c++) {
      const double y = logit(&x->readout, c, x->r, l);
      if (y > max) top = c;
      max = fmax(max, y);
    }
    for (int c = 0; c < x->readout.classes; c++) {
      const double e = exp(logit(&x->readout, c, x->r, l) - max);
      all += e;
      others += c == top ? 0 : e;
      rest += c == x->label ? 0 : e;
    }
    const double loss = (max - logit(&x->readout, x->label, x->r, l)) + log1p(others);
    wrong += out[l] != max;
    wrong += out[4 * BF_LANES + l] != logit(&x->readout, x->label, x->r, l);
    wrong += !close_to(out[BF_LANES + l], all) + !close_to(out[2 * BF_LANES + l], rest) +
             !close_to(out[3 * BF_LANES + l], loss);
  }
  return wrong;
}

const Family softmax_family = {"softmax", EVERYWHERE, 300, make_softmax, run_softmax, wrong_softmax};

/* ---- squared distances ------------------------------------------------------------------------------------------ */

typedef struct {
  BfContext context;
  int       dim;
  double   *z, *loss;
} Squares;

static void *make_squares(Memory *m, uint64_t *seed, int large, Outputs *outputs) {
  Squares *x = TAKE(m, Squares, 1);
  make_context(m, seed, large ? 16 : 5, 5, &x->context);
  x->dim            = 1 + below(seed, 9);
  double *y         = TAKE(m, double, x->context.tags * x->dim);
  x->z              = TAKE(m, double, x->context.slots * x->dim * BF_LANES);
  x->loss           = output(m, outputs, BF_LANES);
  x->context.target = y;
  fill_random(seed, x->context.tags * x->dim, 2, y);
  fill_random(seed, x->context.slots * x->dim * BF_LANES, 2, x->z);
  return x;
}

static void run_squares(void *given, const BfKernels *kernels) {
  const Squares *x = given;
  kernels->squares(&x->context, x->dim, x->z, x->loss);
}

static int64_t wrong_squares(void *given, const Outputs *outputs) {
  const Squares *x     = given;
  int64_t        wrong = 0;
  for (int l = 0; l < BF_LANES; l++) {
    double loss = 0;
    for (int g = 0; g < x->context.tags; g++)
      for (int i = x->context.first[g]; i < x->context.first[g + 1]; i++) {
        double atom = 0;
        for (int a = 0; a < x->dim; a++) {
          const double away = x->z[(i * x->dim + a) * BF_LANES + l] - x->context.target[g * x->dim + a];
          atom += away * away;
        }
        loss += x->context.mass[g] * atom;
      }
    wrong += outputs->out[0][l] != loss;
  }
  return wrong;
}

const Family squares_family = {"squares", EVERYWHERE, 100, make_squares, run_squares, wrong_squares};
