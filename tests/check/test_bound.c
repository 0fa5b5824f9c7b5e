/* The checker's bounds of whole problems, of every kind that it knows, against the cost of the layers at random points
 * of random boxes, which bf_rollout gives: below it on the box, above it at a point, and near to it on small boxes.
 * Boxes may have intervals of logits, too, which bf_model_attention gives. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <petscsys.h>
#include <stdio.h>
#include <string.h>

#include "bellformer/model.h"
#include "bellformer/splitmix64.h"
#include "check/bound.h"
#include "check/logit.h"
#include "check/rounding.h"

typedef struct {
  const char *file;
  const char *options; /* "key value key value" */
} Case;

#define XOR "xor/xor.yaml"
static const Case cases[] = {
    {XOR, ""},
    {XOR, "horizon 3 control_V_form full layer_residual 0 token_projection none"},
    {XOR, "data_position_encoding 0.1,0.2,-0.3,0.1 layer_heads 2 layer_mask causal cost_pooling last"},
    {XOR, "data_position_encoding sinusoidal token_projection sphere cost_pooling first"},
    {XOR, "layer_norm rms layer_linear 1 control_B_range -0.5,0.5 control_B_levels 1"},
    {XOR, "layer_norm layer data_position_encoding 0.1,0.2,-0.3,0.1"},
    {XOR, "cost_terminal hinge layer_feedforward relu layer_width 2 control_W1_range -1,1 control_W1_levels 1 "
          "control_b1_range -1,1 control_b1_levels 1 control_W2_range -1,1 control_W2_levels 1 control_b2_form fixed "
          "control_b2_value 0.1,0.2"},
    {XOR, "cost_terminal token_cross_entropy layer_feedforward tanh layer_width 2 control_W1_range -1,1 "
          "control_W1_levels 1 control_b1_range -1,1 control_b1_levels 1 control_W2_range -1,1 control_W2_levels 1 "
          "control_b2_range -1,1 control_b2_levels 1"},
    {XOR, "layer_feedforward gelu layer_width 2 control_W1_range -2,2 control_W1_levels 1 control_b1_range -1,1 "
          "control_b1_levels 1 control_W2_form fixed control_W2_value 1,0.3,-0.2,0.7 control_b2_range -1,1 "
          "control_b2_levels 1 control_A_form skew control_V_form scalar"},
    {XOR, "cost_readout_kind decision cost_readout_matrix 4,0,-4,0,0,4,0,-4 cost_readout_bias 2,-2,1,-1"},
    {XOR, "cost_readout_kind trained cost_readout_matrix_range -2,2 cost_readout_bias_range -1,1"},
    {"asy26-toy/asy26-toy.yaml", "horizon 2 data_sample_count 10"},
    {"moons/moons.yaml", "data_sample_count 2"},
    {"iris/iris.yaml", "data_sample_count 2"},
    {"induction/induction.yaml", "data_sample_count 3"},
};
enum { CASES = sizeof cases / sizeof *cases };

static uint64_t seed = 3;
static double   uniform(double low, double high) {
    return low + (high - low) * ((double)(bf_splitmix64(&seed) >> 11) * 0x1p-53);
}

enum { LOGITS = 6 };

typedef struct {
  BfProblem     *problem;
  BfModel        model;
  BfCheckModel   layers;
  BfCheckNumbers numbers;
  BfCheckLogits  logits;
  int32_t        name[LOGITS][BF_LOGIT_WORDS];
  double         delta[LOGITS], *weight;
  BfCheckForms   forms, at;
  BfCheckBound   bound, other[3];
  int            n, all, *variable; /* numbers, and with logits */
  int32_t       *free;
  double        *lower, *upper, *low, *high, *xi, *point;
} Trial;

static void good(BfStatus status, const BfError *error) {
  if (status != BF_OK) fail_msg("%s", error->text);
}

static void read_case(const Case *c, BfProblem **out) {
  char       path[512], words[1024], *rest = words;
  BfError    error   = {0};
  BfOptions *options = NULL;
  snprintf(path, sizeof path, "%s/%s", getenv("BELLFORMER_PROBLEMS"), c->file);
  snprintf(words, sizeof words, "%s", c->options);
  good(bf_options_create(&options, &error), &error);
  for (char *key; (key = strtok_r(rest, " ", &rest));) {
    char *value = strtok_r(rest, " ", &rest);
    good(bf_options_add(options, key, value, &error), &error);
  }
  good(bf_problem_read(PETSC_COMM_SELF, path, NULL, options, out, &error), &error);
  bf_options_destroy(&options);
}

/* Names by chance, of which those are taken that may be. */
static void choose_logits(Trial *x) {
  const BfCheckModel *model = &x->layers;
  int                 count = 0, longest = 1;
  for (int64_t s = 0; s < x->problem->train.contexts; s++)
    if (model->context[s].slots > longest) longest = model->context[s].slots;
  BfError none = {0};
  good(BF_NEW(&x->weight, longest * longest, &none), &none);
  for (int trial = 0; trial < 40 && count < LOGITS && model->attention >= 0; trial++) {
    BfError   error        = {0};
    const int s            = (int)(bf_splitmix64(&seed) % (uint64_t)x->problem->train.contexts);
    int32_t  *name         = x->name[count];
    name[BF_LOGIT_CONTEXT] = s;
    name[BF_LOGIT_LAYER]   = (int32_t)(bf_splitmix64(&seed) % (uint64_t)x->problem->horizon);
    name[BF_LOGIT_HEAD]    = (int32_t)(bf_splitmix64(&seed) % (uint64_t)x->problem->layer.heads);
    name[BF_LOGIT_QUERY]   = (int32_t)(bf_splitmix64(&seed) % (uint64_t)model->context[s].slots);
    name[BF_LOGIT_KEY]     = (int32_t)(bf_splitmix64(&seed) % (uint64_t)model->context[s].slots);
    count += bf_check_logits(model, x->n, count + 1, *x->name, &x->logits, &error) == BF_OK;
    bf_check_logits_clear(&x->logits);
  }
  good(bf_check_logits(model, x->n, count, *x->name, &x->logits, &none), &none);
  x->logits.size = uniform(0, 3);
  x->all         = x->n + count;
}

/* All numbers are variables, or every second one: what is no variable is a whole interval. */
static void create(const Case *c, int every, bool logits, Trial *x) {
  BfError error = {0};
  *x            = (Trial){0};
  read_case(c, &x->problem);
  const BfProblem *p = x->problem;
  const int64_t    q = p->layer.free, controls = p->horizon * q, count = controls + p->cost.trained;
  good(bf_model_create(p, false, &x->model, &error), &error);
  good(bf_check_model(p, &x->layers, &error), &error);
  good(BF_NEW(&x->variable, count, &error), &error);
  good(BF_NEW(&x->free, count, &error), &error);
  good(BF_NEW(&x->lower, 6 * count + 3 * LOGITS, &error), &error);
  x->upper = x->lower + count, x->low = x->upper + count, x->high = x->low + count + LOGITS;
  x->xi = x->high + count + LOGITS, x->point = x->xi + count + LOGITS;
  for (int64_t i = 0; i < count; i++) {
    x->lower[i]    = i < controls ? p->control_lower[i % q] : p->cost.lower[i - controls];
    x->upper[i]    = i < controls ? p->control_upper[i % q] : p->cost.upper[i - controls];
    x->variable[i] = i % every ? -1 : x->n;
    if (i % every == 0) x->free[x->n++] = (int32_t)i;
  }
  x->numbers = (BfCheckNumbers){
      .count = count, .number = x->free, .variable = x->variable, .lower = x->lower, .upper = x->upper};
  x->all = x->n;
  if (logits) choose_logits(x);
  good(bf_check_forms(&x->layers, &x->numbers, x->all, &x->forms, &error), &error);
  x->numbers.point = x->point;
  good(bf_check_forms(&x->layers, &x->numbers, 0, &x->at, &error), &error);
  good(bf_check_bound_create(x->all, &x->bound, &error), &error);
  for (int i = 0; i < 3; i++) good(bf_check_bound_create(x->all, &x->other[i], &error), &error);
  if (x->all > x->n) x->forms.logits = &x->logits;
}

static void destroy(Trial *x) {
  bf_check_bound_clear(&x->bound);
  for (int i = 0; i < 3; i++) bf_check_bound_clear(&x->other[i]);
  bf_check_forms_clear(&x->forms);
  bf_check_forms_clear(&x->at);
  bf_check_logits_clear(&x->logits);
  bf_check_model_clear(&x->layers);
  bf_free(x->weight);
  bf_model_clear(&x->model);
  bf_free(x->variable);
  bf_free(x->free);
  bf_free(x->lower);
  bf_problem_destroy(&x->problem);
}

/* log of a quotient of sums of weights over equal keys: at most 1e-9 away, where none is 0. */
static double logit_at(const Trial *x, const int32_t *name, const double *tokens) {
  BfError             error = {0};
  const BfCheckModel *model = &x->layers;
  const int64_t       s = name[BF_LOGIT_CONTEXT], t = name[BF_LOGIT_LAYER], slots = model->context[s].slots;
  const BfHead        head   = {(int)t, name[BF_LOGIT_HEAD], s};
  double              sum[2] = {0};
  good(bf_model_attention(x->problem, &x->problem->train, &x->model, &head,
                          tokens + t * x->problem->train.tokens * x->problem->layer.dim, x->weight, &error),
       &error);
  for (int j = 0; j < slots; j++)
    for (int k = 0; k < 2; k++)
      if (bf_check_is_one_key(model, t, (BfCheckToken){s, j}, (BfCheckToken){s, name[BF_LOGIT_QUERY + k]}))
        sum[k] += x->weight[name[BF_LOGIT_QUERY] * slots + j];
  return log(sum[1]) - log(sum[0]);
}

/* With the logits there. */
static double cost_at(Trial *x) {
  BfError       error    = {0};
  BfRollout     out      = {0};
  const int64_t controls = (int64_t)x->problem->horizon * x->problem->layer.free;
  memcpy(x->model.control, x->point, sizeof(double) * (size_t)controls);
  if (x->problem->cost.trained && !x->model.numbers)
    good(BF_NEW(&x->model.numbers, x->problem->cost.trained, &error), &error);
  if (x->model.numbers)
    memcpy(x->model.numbers, x->point + controls, sizeof(double) * (size_t)x->problem->cost.trained);
  good(bf_rollout(x->problem, &x->problem->train, &x->model, &out, &error), &error);
  const double cost = out.cost;
  for (int l = 0; l < x->all - x->n; l++) x->delta[l] = logit_at(x, x->name[l], out.tokens);
  bf_rollout_clear(&out);
  return cost;
}

static BfStatus bound_box(void *context, BfError *error) {
  Trial *x = context;
  (void)error;
  bf_check_box(&x->forms, x->low, x->high);
  bf_check_bound(&x->forms, x->model.readout, x->xi, &x->bound);
  return BF_OK;
}

static int64_t  logits_seen; /* points where logits were in their intervals */
static double   most;
static BfStatus bound_point(void *context, BfError *error) {
  Trial *x = context;
  (void)error;
  most = bf_check_most(&x->at, x->model.readout);
  return BF_OK;
}

static int      side, cut;
static bool     try_other;
static double   beyond, to;
static BfStatus bound_beyond(void *context, BfError *error) {
  Trial *x = context;
  (void)error;
  beyond = bf_check_on(&x->forms, &x->bound, &(BfCheckPart){cut, side, to});
  if (try_other)
    beyond = bf_check_search(&x->forms, x->model.readout, &(BfCheckPart){cut, side, to}, INFINITY, x->xi, x->other);
  return BF_OK;
}

static void choose_box(Trial *x, double share) {
  for (int k = 0; k < x->n; k++) {
    const int32_t i     = x->free[k];
    const double  width = share * (x->upper[i] - x->lower[i]);
    x->low[k]           = uniform(x->lower[i], x->upper[i] - width);
    x->high[k]          = fmin(x->low[k] + width, x->upper[i]);
  }
  const bool middle = x->all > x->n && bf_splitmix64(&seed) % 2; /* where slopes of couplings are often 0 */
  for (int k = 0; k < x->all; k++) x->xi[k] = middle ? 0 : floor(uniform(-127, 128)) / 127;
}

static bool corner;
static void choose_point(Trial *x) {
  corner = bf_splitmix64(&seed) % 4 == 0;
  for (int64_t i = 0; i < x->numbers.count; i++) {
    const int k = x->variable[i];
    double    a = k < 0 ? x->lower[i] : x->low[k], b = k < 0 ? x->upper[i] : x->high[k];
    if (corner) x->point[i] = bf_splitmix64(&seed) % 2 ? a : b;
    else x->point[i] = fmin(fmax(uniform(a, b), a), b);
  }
}

/* Intervals about the logits at the point, often much on one side, some wide. */
static void choose_intervals(Trial *x, double share) {
  choose_point(x);
  cost_at(x);
  for (int l = 0; l < x->all - x->n; l++) {
    const double size = pow(10, uniform(-1, 1)) * (share > 0.1 ? 1 : share * 10);
    x->low[x->n + l]  = fmax(x->delta[l], -700) - 1e-9 - (bf_splitmix64(&seed) % 4 ? size : 1e-3 * size);
    x->high[x->n + l] = fmin(x->delta[l], 700) + 1e-9 + (bf_splitmix64(&seed) % 4 ? size : 1e-3 * size);
  }
}

/* Whether the logits at the point are surely in their intervals. */
static bool is_within(const Trial *x) {
  for (int l = 0; l < x->all - x->n; l++)
    if (!(x->delta[l] >= x->low[x->n + l] + 9e-10 && x->delta[l] <= x->high[x->n + l] - 9e-10)) return false;
  return true;
}

/* Towards the point that intervals were chosen about, which may be a corner; or there. */
static void stay_near(Trial *x, const double about[], bool away) {
  const double by = away ? pow(10, uniform(-5, 0)) : 0;
  corner          = true;
  for (int64_t i = 0; i < x->numbers.count; i++) {
    const double here = x->point[i], low = fmin(here, about[i]), high = fmax(here, about[i]);
    x->point[i] = fmax(low, fmin(high, about[i] + by * (here - about[i])));
  }
}

/* Where the form of the box is about least, for a variable that stays where it is. */
static void choose_worst(Trial *x, int but) {
  corner = true;
  for (int k = 0; k < x->n; k++)
    if (k != but) x->point[x->free[k]] = x->bound.sum->b[k] > 0 ? x->low[k] : x->high[k];
}

/* Intervals of 2e-9 make steep couplings, of whose sums rounding takes more. */
static void try_cut(Trial *x, const Case *c, double cost) {
  BfError      error = {0};
  const double slack = x->all > x->n ? 1e-6 : 1e-13;
  to                 = cut < x->n ? x->point[x->free[cut]] : x->delta[cut - x->n] + (side ? -1e-9 : 1e-9);
  good(bf_rounding_upwards(bound_beyond, x, &error), &error);
  if (!(cost >= beyond - 1e-13 * fabs(cost)) || !(try_other || beyond >= x->bound.bound - slack * fabs(x->bound.bound)))
    fail_msg("%s %s: %.17g at a point, bound %.17g, beyond a cut %.17g", c->file, c->options, cost, x->bound.bound,
             beyond);
}

/* The least cost that was seen minus the bound. */
static double try_box(Trial *x, const Case *c, double share, int points) {
  BfError error = {0};
  double  least = INFINITY;
  double *about = NULL;
  good(BF_NEW(&about, x->numbers.count, &error), &error);
  choose_box(x, share);
  choose_intervals(x, share);
  memcpy(about, x->point, sizeof(double) * (size_t)x->numbers.count);
  x->model.readout = (int64_t)(bf_splitmix64(&seed) % (uint64_t)x->problem->cost.readouts);
  if (x->problem->cost.trained) x->model.readout = 0;
  good(bf_rounding_upwards(bound_box, x, &error), &error);
  for (int i = 0; i < points; i++) {
    cut  = (int)(bf_splitmix64(&seed) % (uint64_t)x->all);
    side = (int)(bf_splitmix64(&seed) % 2);
    choose_point(x);
    if (i % 2) choose_worst(x, cut);
    if (x->all > x->n) stay_near(x, about, i > 0);
    const double cost = cost_at(x);
    if (!is_within(x)) continue;
    least = fmin(least, cost);
    logits_seen += i > 0 && x->all > x->n;
    if (!(cost >= x->bound.bound - 1e-13 * fabs(cost)))
      fail_msg("%s %s: %.17g at a point, bound %.17g, width %g", c->file, c->options, cost, x->bound.bound, share);
    try_other = i == 0 && share == 0.1;
    try_cut(x, c, cost);
    good(bf_rounding_upwards(bound_point, x, &error), &error);
    /* corners may lead to the origin, which has no place on the sphere */
    if (!(most >= cost - 1e-13 * (1 + fabs(cost)) && (corner || most <= cost + 1e-8 * (1 + fabs(cost)))))
      fail_msg("%s %s: %.17g at a point, from above %.17g", c->file, c->options, cost, most);
  }
  bf_free(about);
  return least - x->bound.bound;
}

static void bounds_hold(void **unused) {
  static const double shares[] = {1, 0.5, 0.1, 0.01, 1e-3, 1e-5};
  (void)unused;
  for (int k = 0; k < 4 * CASES; k++) {
    const Case *c = &cases[k / 4];
    Trial       x;
    create(c, 1 + k % 2, k % 4 > 1, &x);
    const int boxes = x.layers.tokens > 10 ? 1 : 2;
    for (int i = 0; i < 6 * boxes; i++) {
      const double share = shares[i / boxes], gap = try_box(&x, c, share, x.layers.tokens > 10 ? 3 : 8);
      if (k % 4 == 0 && share <= 1e-5 && !(gap <= 0.01))
        fail_msg("%s %s: on a box of width %g the bound is %g below", c->file, c->options, share, gap);
    }
    destroy(&x);
  }
  if (!(logits_seen > 500)) fail_msg("%d points", (int)logits_seen);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(bounds_hold)};
  PetscInitialize(&argc, &argv, NULL, NULL);
  cmocka_set_message_output(CM_OUTPUT_TAP);
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  PetscFinalize();
  return failed;
}
