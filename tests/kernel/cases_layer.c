/* Cases of exp, of the sigmas, and of a layer. */
#include "conformance.h"

#include <math.h>
#include <string.h>

#include "bellformer/quantize.h"
#include "kernel/activation.h"

typedef struct {
  int     count; /* of lanes */
  double *from, *to;
} Numbers;

/* ---- exp -------------------------------------------------------------------------------------------------------- */

/* Beside random numbers of all sizes those where something changes: 0, the smallest that counts, what is none. */
static void *make_exp(Memory *m, uint64_t *seed, int large, Outputs *outputs) {
  static const double special[] = {0.0,    -0.0,      -708.0, -708.0000000000001, -745.2,
                                   -1e300, -INFINITY, NAN,    -4.9e-324,          -0x1p-60};
  Numbers            *x         = TAKE(m, Numbers, 1);
  x->count                      = large ? 1000 : 1 + below(seed, 40);
  x->from                       = TAKE(m, double, x->count *BF_LANES);
  x->to                         = output(m, outputs, x->count * BF_LANES);
  for (int i = 0; i < x->count * BF_LANES; i++) {
    const int size = below(seed, 40);
    x->from[i]     = -ldexp(bf_uniform(seed), size - 29);
    if (!large && !below(seed, 8)) x->from[i] = special[below(seed, sizeof special / sizeof *special)];
  }
  return x;
}

static void run_exp(void *x, const BfKernels *kernels) {
  Numbers *n = x;
  for (int i = 0; i < n->count * BF_LANES; i++) n->to[i] = n->from[i];
  kernels->exp_lanes(n->count, n->to);
}

const Family exp_family = {"exp", EVERYWHERE, 100, make_exp, run_exp, NULL};

/* ---- sigma ------------------------------------------------------------------------------------------------------ */

/* Compiled once for all instruction sets; libm's tanh, cosh, erfc and exp are another architecture's own. */
static void *make_activation(Memory *m, uint64_t *seed, int large, Outputs *outputs) {
  Numbers *x = TAKE(m, Numbers, 1);
  x->count   = large ? 100 : 1 + below(seed, 20);
  x->from    = TAKE(m, double, x->count *BF_LANES);
  x->to      = output(m, outputs, 6 * x->count * BF_LANES);
  for (int i = 0; i < x->count * BF_LANES; i++) x->from[i] = within(seed, -6, 6);
  return x;
}

static void run_activation(void *x, const BfKernels *kernels) {
  static const char *const names[] = {"tanh", "relu", "gelu"};
  Numbers                 *n       = x;
  double                  *to      = n->to;
  (void)kernels;
  for (int k = 0; k < 3; k++) {
    for (int i = 0; i < n->count * BF_LANES; i++) to[i] = n->from[i];
    bf_activate(bf_activation(names[k]), to, n->count);
    bf_activate_slope(bf_activation(names[k]), n->from, to + n->count * BF_LANES, n->count);
    to += 2 * n->count * BF_LANES;
  }
}

const Family activation_family = {"activation", INSTRUCTION_SETS, 20, make_activation, run_activation, NULL};

/* ---- norms ------------------------------------------------------------------------------------------------------ */

typedef struct {
  const BfNorm *norm;
  int           dim;
  double       *z, *by_n, *n, *by_z;
} Normed;

/* Compiled once for all instruction sets, of additions, divisions and square roots alone. */
static void *make_norm(Memory *m, uint64_t *seed, int large, Outputs *outputs) {
  static const double size[] = {1, 1, 1e-3, 1e3, 1e140, 1e-170};
  Normed             *x      = TAKE(m, Normed, 1);
  x->norm                    = bf_norms[1 + below(seed, 2)];
  x->dim                     = large ? 2 : 1 + below(seed, BF_MOST_DIM);
  const int    count         = x->dim * BF_LANES;
  const double scale         = size[below(seed, 6)];
  x->z                       = TAKE(m, double, count);
  x->by_n                    = TAKE(m, double, count);
  x->n                       = output(m, outputs, count);
  x->by_z                    = output(m, outputs, count);
  fill_random(seed, count, scale, x->z);
  fill_random(seed, count, 1, x->by_n);
  return x;
}

static void run_norm(void *x, const BfKernels *kernels) {
  Normed *n = x;
  (void)kernels;
  n->norm->apply(n->dim, n->z, n->n);
  for (int i = 0; i < n->dim * BF_LANES; i++) n->by_z[i] = 0;
  n->norm->transposed(n->dim, n->z, n->by_n, n->by_z);
}

const Family norm_family = {"norm", EVERYWHERE, 60, make_norm, run_norm, NULL};

/* ---- a layer ---------------------------------------------------------------------------------------------------- */

void make_layer(Memory *m, uint64_t *seed, int dim, const char *activation, BfLayer *layer) {
  BfError error = {0};
  double *lower = TAKE(m, double, dim), *upper = TAKE(m, double, dim);
  *layer = (BfLayer){.dim = dim, .lower = lower, .upper = upper};
  if (activation) { /* one draw a statement: the order of those in an expression is the compiler's */
    layer->activation = bf_activation(activation);
    layer->width      = 1 + below(seed, 5);
  }
  layer->heads      = activation && !below(seed, 4) ? 0 : 1 + below(seed, 3);
  layer->residual   = below(seed, 2);
  layer->step       = within(seed, 0.1, 1);
  layer->beta       = within(seed, 0.2, 2);
  layer->mask       = below(seed, 2) ? BF_MASK_CAUSAL : BF_MASK_FULL;
  layer->projection = bf_projections[below(seed, 3)];
  layer->norm       = bf_norms[below(seed, 3)];
  for (int a = 0; a < dim; a++) {
    lower[a] = within(seed, -2, -0.5);
    upper[a] = within(seed, 0.5, 2);
  }
  if (below(seed, 2)) {
    layer->positions = 64;
    layer->encoding  = TAKE(m, double, 64 * dim);
    fill_random(seed, 64 * dim, 0.5, layer->encoding);
  }
  if (bf_layer_matrices(layer, &error) == BF_OK) bf_layer_place(layer, &error);
  keep(m, layer->matrix);
}

void make_context(Memory *m, uint64_t *seed, int tags, int atoms, BfContext *context) {
  tags          = 1 + below(seed, tags);
  int    *first = TAKE(m, int, tags + 1), *position = TAKE(m, int, tags);
  double *mass = TAKE(m, double, tags);
  *context     = (BfContext){.tags = tags, .first = first, .position = position, .mass = mass};
  for (int g = 0; g < tags; g++) {
    first[g + 1] = first[g] + 1 + below(seed, atoms);
    position[g]  = g ? position[g - 1] + below(seed, 3) : below(seed, 2);
    mass[g]      = (1 + below(seed, 4)) / (double)(first[g + 1] - first[g]);
    context->tokens += mass[g] * (first[g + 1] - first[g]);
  }
  context->slots  = first[tags];
  context->length = position[tags - 1] + 1;
}

double *make_parameters(Memory *m, uint64_t *seed, const BfLayer *layer, double scale) {
  double *parameters = TAKE(m, double, (int64_t)layer->parameters *BF_LANES);
  fill_random(seed, (int64_t)layer->parameters * BF_LANES, scale, parameters);
  return parameters;
}

typedef struct {
  BfLayer   layer;
  BfContext context;
  double   *parameters, *z, *next, *work;
} Applied;

/* scale: of the parameters. */
static void *make_applied(Memory *m, uint64_t *seed, int large, const char *activation, double scale,
                          Outputs *outputs) {
  Applied  *x   = TAKE(m, Applied, 1);
  const int dim = large ? 2 : below(seed, 16) ? 1 + below(seed, 8) : 9 + below(seed, BF_MOST_DIM - 8);
  make_layer(m, seed, dim, activation, &x->layer);
  make_context(m, seed, large ? 16 : 5, large ? 4 : 5, &x->context);
  x->parameters      = make_parameters(m, seed, &x->layer, scale);
  const int64_t size = (int64_t)x->context.slots * dim * BF_LANES;
  x->z               = TAKE(m, double, size);
  x->next            = output(m, outputs, size);
  x->work            = TAKE(m, double, bf_layer_work(&x->layer, &x->context));
  fill_random(seed, size, 1.5, x->z);
  return x;
}

static void *make_layer_case(Memory *m, uint64_t *seed, int large, Outputs *outputs) {
  static const double scale[] = {1, 1, 1, 1, 0, 1e5, 1e150, 1e-200, 1e300};
  const int           which   = below(seed, 9);
  const int           plain   = large || below(seed, 3);
  return make_applied(m, seed, large, plain ? NULL : "relu", large ? 1 : scale[which], outputs);
}

static void *make_libm_case(Memory *m, uint64_t *seed, int large, Outputs *outputs) {
  const char *const sigma = below(seed, 2) ? "tanh" : "gelu";
  return make_applied(m, seed, large, sigma, 1, outputs);
}

static void run_layer(void *x, const BfKernels *kernels) {
  Applied *a       = x;
  a->layer.kernels = kernels; /* of its terms */
  BfFlatLayer flat;
  bf_layer_flat(&a->layer, &flat);
  kernels->layer_apply(&flat, &a->context, NULL, a->parameters, a->z, a->next, a->work);
}

const Family layer_family      = {"layer", EVERYWHERE, 300, make_layer_case, run_layer, NULL};
const Family layer_libm_family = {"layer_tanh_gelu", INSTRUCTION_SETS, 100, make_libm_case, run_layer, NULL};

/* ---- a layer of which parts are known --------------------------------------------------------------------------- */

typedef struct {
  Applied applied;
  double *mean[3], *hidden; /* NULL: not known */
} Known;

static void *make_known(Memory *m, uint64_t *seed, int large, Outputs *outputs) {
  static const char *const sigma[] = {NULL, "relu", "tanh", "gelu"};
  Known                   *x       = TAKE(m, Known, 1);
  const char *const        name    = sigma[below(seed, 4)];
  x->applied                       = *(Applied *)make_applied(m, seed, large, name, 1, outputs);
  const BfLayer *layer             = &x->applied.layer;
  BfContext     *context           = &x->applied.context;
  const int64_t  lanes             = (int64_t)context->slots * BF_LANES;
  for (int h = 0; h < layer->heads; h++)
    if (large || below(seed, 3)) x->mean[h] = TAKE(m, double, lanes * layer->dim);
  if (name && (large || below(seed, 3))) x->hidden = TAKE(m, double, lanes * layer->width);
  if (!large && below(seed, 2)) { /* some of the slots are asked for */
    context->from = below(seed, context->slots);
    context->to   = context->from + 1 + below(seed, context->slots - context->from);
  }
  return x;
}

/* Each part from its own numbers alone: A, or W1 and b1. */
static void run_known(void *x, const BfKernels *kernels) {
  Known         *k      = x;
  Applied       *a      = &k->applied;
  const BfLayer *layer  = &a->layer;
  a->layer.kernels      = kernels;
  const double *mean[3] = {k->mean[0], k->mean[1], k->mean[2]};
  BfKnownParts  known   = {mean, k->hidden};
  for (int h = 0; h < layer->heads; h++)
    if (k->mean[h])
      bf_layer_means(layer, &a->context, a->parameters + (int64_t)bf_attention_A(layer, h) * BF_LANES, a->z, k->mean[h],
                     a->work);
  if (k->hidden)
    bf_layer_hidden(layer, &a->context, a->parameters + (int64_t)bf_layer_inner(layer) * BF_LANES, a->z, k->hidden,
                    a->work);
  bf_layer_apply_known(layer, &a->context, &known, a->parameters, a->z, a->next, a->work);
}

/* Numbers that do not have the bits of bf_layer_apply, or were written though they are not asked for. */
static int64_t wrong_known(void *x, const Outputs *outputs) {
  Applied      *a    = &((Known *)x)->applied;
  const int64_t size = outputs->size[0], each = (int64_t)a->layer.dim * BF_LANES;
  const int64_t from = bf_asked_from(&a->context) * each, to = bf_asked_to(&a->context) * each;
  int64_t       wrong = 0;
  double        was[size];
  memcpy(was, outputs->out[0], sizeof was);
  a->context.to = 0;
  bf_layer_apply(&a->layer, &a->context, a->parameters, a->z, a->next, a->work);
  for (int64_t i = 0; i < size; i++)
    wrong += i < from || i >= to ? was[i] != 0 : !!memcmp(&was[i], &a->next[i], sizeof(double));
  return wrong;
}

const Family known_family = {"layer_known", INSTRUCTION_SETS, 200, make_known, run_known, wrong_known};

/* ---- a layer on a context that is alone ------------------------------------------------------------------------- */

typedef struct {
  BfLayer   layer;
  BfContext context;
  double   *parameters, *z, *next, *work;
  int64_t   size;       /* of z and next */
  double   *wide, *all; /* by bf_layer_apply: every lane a copy; its work */
} Alone;

/* Tags of one slot, of some, or one of many; parameters the same in all lanes. */
static void *make_alone(Memory *m, uint64_t *seed, int large, const char *activation, double scale, Outputs *outputs) {
  static const int tags[] = {40, 12, 1}, atoms[] = {1, 6, 60};
  Alone           *x     = TAKE(m, Alone, 1);
  const int        shape = below(seed, 3), dim = large ? 2 : below(seed, 8) ? 1 + below(seed, 8) : 9 + below(seed, 20);
  make_layer(m, seed, dim, activation, &x->layer);
  make_context(m, seed, large ? 16 : tags[shape], large ? 4 : atoms[shape], &x->context);
  x->parameters = make_parameters(m, seed, &x->layer, scale);
  for (int i = 0; i < x->layer.parameters * BF_LANES; i++) x->parameters[i] = x->parameters[i / BF_LANES * BF_LANES];
  x->size = (int64_t)bf_layer_alone_rows(&x->context) * dim * BF_LANES;
  x->z    = TAKE(m, double, x->size);
  x->next = output(m, outputs, x->size);
  x->work = TAKE(m, double, bf_layer_alone_work(&x->layer, &x->context));
  x->wide = TAKE(m, double, (int64_t)x->context.slots *dim *BF_LANES);
  x->all  = TAKE(m, double, bf_layer_work(&x->layer, &x->context));
  fill_random(seed, x->size, 1.5, x->z);
  return x;
}

static void *make_alone_case(Memory *m, uint64_t *seed, int large, Outputs *outputs) {
  static const double scale[] = {1, 1, 1, 1, 0, 1e5, 1e150, 1e-200, 1e300};
  const int           which = below(seed, 9), plain = large || below(seed, 3);
  return make_alone(m, seed, large, plain ? NULL : "relu", large ? 1 : scale[which], outputs);
}

static void run_alone(void *x, const BfKernels *kernels) {
  Alone *a         = x;
  a->layer.kernels = kernels;
  BfFlatLayer flat;
  bf_layer_flat(&a->layer, &flat);
  kernels->layer_alone(&flat, &a->context, a->parameters, a->z, a->next, a->work);
}

/* Slots that do not have the bits that they have in each lane of bf_layer_apply. */
static int64_t wrong_alone(void *x, const Outputs *outputs) {
  Alone    *a     = x;
  const int d     = a->layer.dim;
  int64_t   wrong = 0;
  for (int i = 0; i < a->context.slots * d * BF_LANES; i++) {
    const int slot = i / BF_LANES / d, component = i / BF_LANES % d;
    a->wide[i] = a->z[((int64_t)(slot / BF_LANES) * d + component) * BF_LANES + slot % BF_LANES];
  }
  bf_layer_apply(&a->layer, &a->context, a->parameters, a->wide, a->wide, a->all);
  for (int i = 0; i < a->context.slots * d; i++) {
    const int64_t at = ((int64_t)(i / d / BF_LANES) * d + i % d) * BF_LANES + i / d % BF_LANES;
    wrong += !!memcmp(&outputs->out[0][at], &a->wide[(int64_t)i * BF_LANES], sizeof(double));
  }
  return wrong;
}

const Family alone_family = {"layer_alone", EVERYWHERE, 200, make_alone_case, run_alone, wrong_alone};
