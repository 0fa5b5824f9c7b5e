/* A term of the velocity from outside of the program: a wall that grows with the distance, its strengths trained.
 *
 *     v_a -= kappa G_a z_a^3
 *
 *     cc -O2 -shared -fPIC cubic.c -o cubic.so $(pkg-config --cflags --libs bellformer)
 *     bellformer solve moons.yaml -plugin ./cubic.so -layer_cubic 0.5 -control_G_range 0,1 -control_G_levels 2 -o
 * moons.h5
 *
 * `layer: {cubic: 0.5}`: kappa; 0, the default: a layer has no such term. `control: {G: {range: [0, 1]}}`: d free
 * numbers, the last ones of u. Terms of plug-ins see one token at a time. */
#include <bellformer/bellformer.h>
#include <string.h>

static const char *const names[] = {"G", NULL};

/* What a layer uses that has the term, and one that has not. */
static const BfKey    of_term[] = {{.name = "control.G"}, {.name = NULL}};
static const BfKind   choices[] = {{.name = "0", .keys = NULL}, {.name = "above 0", .keys = of_term}};
static const BfKind  *choice(int k) { return k < 2 ? &choices[k] : NULL; }
static const BfKey    key    = {"layer.cubic", "number", "0", "kappa of the term - kappa G z^3", .most = INFINITY};
static const BfFamily family = {.key = &key, .number = true, .open = true, .kind = choice};

static double *kappa_of(const BfTerm *term) { return (double *)term->own; }

static BfStatus read_keys(BfLayer *layer, BfTerm *term, const BfKeyReader *reader, bool *there, BfError *error) {
  double *kappa = kappa_of(term);
  int     chosen;
  (void)layer;
  BF_TRY(reader->choose(reader, &family, &chosen, error));
  BF_TRY(reader->number(reader, key.name, kappa, error));
  *there = *kappa > 0;
  return BF_OK;
}

static int matrix(const BfLayer *layer, const BfTerm *term, int k, BfMatrix *out) {
  (void)term;
  if (k > 0) return 0;
  *out = (BfMatrix){.rows = layer->dim, .cols = 1, .vector = true};
  strcpy(out->name, names[k]);
  return 1;
}

static BfStatus describe(const BfLayer *layer, const BfTerm *term, const BfDescription *to, BfError *error) {
  (void)layer;
  return to->number(to, "cubic", term ? *kappa_of(term) : 0, error);
}

static void apply(const BfTermCall *call, double *v) {
  const double *G = bf_term_matrix(call, 0), kappa = *kappa_of(call->term);
  const int     dim = call->layer->dim;
  for (int i = 0; i < call->rows * dim; i++)
    for (int l = 0; l < BF_LANES; l++) {
      const double z = call->z[(int64_t)i * BF_LANES + l];
      v[(int64_t)i * BF_LANES + l] -= kappa * G[i % dim * call->stride + l % call->stride] * (z * z * z);
    }
}

static void transposed(const BfTermCall *call, const double *lambda, double *by_z, double *by_parameters) {
  const double *G = bf_term_matrix(call, 0), kappa = *kappa_of(call->term);
  const int     dim  = call->layer->dim;
  double       *by_G = by_parameters + (int64_t)call->term->matrix[0].at * BF_LANES;
  for (int i = 0; i < call->rows * dim; i++)
    for (int l = 0; l < BF_LANES; l++) {
      const double z = call->z[(int64_t)i * BF_LANES + l], p = kappa * lambda[(int64_t)i * BF_LANES + l];
      by_z[(int64_t)i * BF_LANES + l] -= p * 3 * G[i % dim] * (z * z);
      by_G[i % dim * BF_LANES + l] -= p * (z * z * z);
    }
}

/* Over a box of parameters, for `certify`: affine forms of z^2, z^3 and their product with G. */
static void bound(const BfTermBound *call, BfAffine *sum) {
  const BfFormSpace *space = call->of->space;
  const int          dim   = call->of->layer->dim;
  BfAffine          *cube = call->work, *square = bf_affine_at(space, cube, 1);
  for (int i = 0; i < call->of->context->slots * dim; i++) {
    const BfAffine *z = bf_affine_at(space, call->z, i);
    if (!bf_term_wants(call, i / dim)) continue;
    bf_affine_square(space, z, square);
    bf_affine_mul(space, square, z, cube);
    bf_affine_plus_product(space, -call->of->layer->step * *kappa_of(call->term), bf_term_entry(call, 0, i % dim), cube,
                           bf_affine_at(space, sum, i));
  }
}

static const BfTermKind cubic = {.base       = {.name = "cubic"},
                                 .version    = BF_KIND_VERSION,
                                 .family     = &family,
                                 .matrices   = names,
                                 .unnormed   = true,
                                 .own        = sizeof(double),
                                 .read       = read_keys,
                                 .matrix     = matrix,
                                 .describe   = describe,
                                 .apply      = apply,
                                 .transposed = transposed,
                                 .bound      = bound};

BF_PLUGIN(error) { return bf_term_register(&cubic, error); }
