/* Bounds of a table, of problems of every kind, against the layers at random points: what is left of the cost less a
 * slope from below, on random cells and boxes of later controls, and beyond cuts of them; and compositions of random
 * planes, whether they are true or not: where a claim is said to hold, some plane of a cell that the tokens are in
 * gives `lower` at each point. Near to it on small boxes. */
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
#include "check/compose.h"
#include "check/minorant.h"
#include "check/rounding.h"

typedef struct {
  const char *file;
  const char *options; /* "key value key value" */
} Case;

#define XOR "xor/xor.yaml"
static const Case cases[] = {
    {XOR, ""},
    {XOR, "horizon 3 control_V_form full layer_residual 0 token_projection none cost_weight_decay 1"},
    {XOR, "data_position_encoding 0.1,0.2,-0.3,0.1 layer_heads 2 layer_mask causal cost_pooling last"},
    {XOR, "data_position_encoding sinusoidal token_projection sphere cost_pooling first"},
    {XOR, "layer_norm rms layer_linear 1 control_B_range -0.5,0.5 control_B_levels 1"},
    {XOR, "layer_norm layer data_position_encoding 0.1,0.2,-0.3,0.1"},
    {XOR, "cost_terminal hinge layer_feedforward relu layer_width 2 control_W1_range -1,1 control_W1_levels 1 "
          "control_b1_range -1,1 control_b1_levels 1 control_W2_range -1,1 control_W2_levels 1 control_b2_form fixed "
          "control_b2_value 0.1,0.2"},
    {XOR, "cost_terminal token_cross_entropy layer_feedforward gelu layer_width 1 control_W1_range -1,1 "
          "control_W1_levels 1 control_b1_range -1,1 control_b1_levels 1 control_W2_range -1,1 control_W2_levels 1 "
          "control_b2_range -1,1 control_b2_levels 1 control_A_form skew control_V_form scalar"},
    {XOR, "cost_readout_kind decision cost_readout_matrix 4,0,-4,0,0,4,0,-4 cost_readout_bias 2,-2,1,-1"},
    {XOR, "cost_readout_kind trained cost_readout_matrix_range -2,2 cost_readout_bias_range -1,1"},
    {"asy26-toy/asy26-toy.yaml", "horizon 2 data_sample_count 10"},
    {"iris/iris.yaml", "data_sample_count 2"},
};
enum { CASES = sizeof cases / sizeof *cases, AXES = 4, PLANES = 64, ROOM = 1 << 14 };

static uint64_t seed = 11;
static double   uniform(double low, double high) {
    return low + (high - low) * ((double)(bf_splitmix64(&seed) >> 11) * 0x1p-53);
}
static int64_t below(int64_t n) { return (int64_t)(bf_splitmix64(&seed) % (uint64_t)n); }

typedef struct {
  const Case      *of;
  BfProblem       *problem;
  BfModel          model;
  BfCheckModel     layers;
  BfCheckNumbers   numbers;
  int64_t          t, early; /* the table; controls before it */
  int              n, *variable;
  int32_t         *free, axis[AXES][BF_AXIS_WORDS];
  double          *lower, *upper, *low, *high, *point, *about;    /* [count] */
  double           z[AXES], root[2 * (AXES + 128)], cost, before; /* at the point: z_t, J, early decay */
  BfCheckAxes      axes;
  BfCheckForms     forms;
  BfCheckCells     cells;
  BfCheckMinorants minorants;
  BfCheckCompose   compose;
  uint8_t          bytes[ROOM];
  int64_t          count;
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

/* The cost, the decay of early controls and the axes at x->point. */
static void evaluate(Trial *x) {
  BfError       error    = {0};
  BfRollout     out      = {0};
  const BfData *data     = &x->problem->train;
  const int64_t controls = (int64_t)x->problem->horizon * x->problem->layer.free, d = data->dim;
  memcpy(x->model.control, x->point, sizeof(double) * (size_t)controls);
  if (x->problem->cost.trained && !x->model.numbers)
    good(BF_NEW(&x->model.numbers, x->problem->cost.trained, &error), &error);
  if (x->model.numbers)
    memcpy(x->model.numbers, x->point + controls, sizeof(double) * (size_t)x->problem->cost.trained);
  good(bf_rollout(x->problem, data, &x->model, &out, &error), &error);
  x->cost = out.cost;
  for (int a = 0; a < x->axes.count; a++) {
    const int64_t token = x->axes.place[a] / d;
    x->z[a]             = out.tokens[(x->t * data->tokens + data->row[token]) * d + x->axes.place[a] % d];
  }
  bf_rollout_clear(&out);
  x->before = 0;
  for (int64_t i = 0; i < x->early; i++)
    x->before += x->problem->cost.step * x->problem->cost.weight_decay / 2 * x->point[i] * x->point[i];
}

/* Some components by chance, of which those are taken that may be. */
static void choose_axes(Trial *x) {
  int count = 0;
  for (int trial = 0; trial < 30 && count < AXES; trial++) {
    BfError       error     = {0};
    const int64_t s         = below(x->problem->train.contexts);
    int32_t      *name      = x->axis[count];
    name[BF_AXIS_CONTEXT]   = (int32_t)s;
    name[BF_AXIS_TOKEN]     = (int32_t)below(x->layers.context[s].slots);
    name[BF_AXIS_COMPONENT] = (int32_t)below(x->problem->layer.dim);
    count += bf_check_axes(&x->layers, x->t, count + 1, *x->axis, &x->axes, &error) == BF_OK;
    bf_check_axes_clear(&x->axes);
  }
  BfError none = {0};
  good(bf_check_axes(&x->layers, x->t, count, *x->axis, &x->axes, &none), &none);
}

static void choose_point(Trial *x, bool early, double share) {
  for (int64_t i = early ? 0 : x->early; i < x->numbers.count; i++) {
    const double a = fmax(x->lower[i], x->about[i] - share * (x->upper[i] - x->lower[i])),
                 b = fmin(x->upper[i], x->about[i] + share * (x->upper[i] - x->lower[i]));
    x->low[i] = x->variable[i] < 0 ? x->lower[i] : a, x->high[i] = x->variable[i] < 0 ? x->upper[i] : b;
    x->point[i] = fmin(fmax(uniform(x->low[i], x->high[i]), x->low[i]), x->high[i]);
    if (below(4) == 0) x->point[i] = below(2) ? x->low[i] : x->high[i];
  }
}

static BfStatus fix(void *context, BfError *error) {
  Trial *x = context;
  double box[2 * 256];
  (void)error;
  for (int k = 0; k < x->n; k++) box[k] = x->lower[x->free[k]], box[x->n + k] = x->upper[x->free[k]];
  bf_check_box(&x->forms, box, box + x->n);
  bf_check_fix_axes(&x->axes, &x->forms);
  return BF_OK;
}

static void create(const Case *c, int every, Trial *x) {
  BfError error = {0};
  memset(x, 0, sizeof *x);
  x->of = c;
  read_case(c, &x->problem);
  const BfProblem *p = x->problem;
  const int64_t    q = p->layer.free, controls = p->horizon * q, count = controls + p->cost.trained;
  good(bf_model_create(p, false, &x->model, &error), &error);
  good(bf_check_model(p, &x->layers, &error), &error);
  good(BF_NEW(&x->variable, count, &error), &error);
  good(BF_NEW(&x->free, count, &error), &error);
  good(BF_NEW(&x->lower, 6 * count, &error), &error);
  x->upper = x->lower + count, x->low = x->upper + count, x->high = x->low + count;
  x->point = x->high + count, x->about = x->point + count;
  for (int64_t i = 0; i < count; i++) {
    x->lower[i]    = i < controls ? p->control_lower[i % q] : p->cost.lower[i - controls];
    x->upper[i]    = i < controls ? p->control_upper[i % q] : p->cost.upper[i - controls];
    x->variable[i] = i % every ? -1 : x->n;
    if (i % every == 0) x->free[x->n++] = (int32_t)i;
  }
  x->numbers = (BfCheckNumbers){
      .count = count, .number = x->free, .variable = x->variable, .lower = x->lower, .upper = x->upper};
  x->t     = 1 + below(p->horizon - 1);
  x->early = x->t * q;
  choose_axes(x);
  good(bf_check_forms(&x->layers, &x->numbers, x->n, &x->forms, &error), &error);
  x->forms.to = x->t;
  good(bf_rounding_upwards(fix, x, &error), &error);
}

static void clear_table(Trial *x) {
  bf_check_compose_clear(&x->compose);
  bf_check_minorants_clear(&x->minorants);
  bf_check_cells_clear(&x->cells);
}

static void destroy(Trial *x) {
  bf_check_axes_clear(&x->axes);
  bf_check_forms_clear(&x->forms);
  bf_check_model_clear(&x->layers);
  bf_model_clear(&x->model);
  bf_free(x->variable);
  bf_free(x->free);
  bf_free(x->lower);
  bf_problem_destroy(&x->problem);
}

/* ---- cells ------------------------------------------------------------------------------------------------------ */

static void put(Trial *x, const void *bytes, size_t count) {
  assert_true(x->count + (int64_t)count <= ROOM);
  memcpy(x->bytes + x->count, bytes, count);
  x->count += (int64_t)count;
}

static int late_variables(const Trial *x) {
  int late = 0;
  for (int64_t i = x->early; i < x->numbers.count; i++) late += x->variable[i] >= 0;
  return late;
}

/* A plane about `value` high at the middle of the root, with a proof of one leaf. */
static void put_plane(Trial *x, double value, double steep) {
  double    plane[1 + AXES] = {value};
  const int D               = x->axes.count;
  for (int a = 0; a < D; a++) {
    plane[1 + a] = below(4) ? uniform(-steep, steep) : 0;
    plane[0] -= plane[1 + a] * (0.5 * x->root[a] + 0.5 * x->root[D + late_variables(x) + a]);
  }
  put(x, plane, sizeof *plane * (size_t)(1 + D));
  put(x, "L", 1);
  for (int k = D + late_variables(x); k > 0; k--) {
    const int8_t xi = (int8_t)(below(255) - 127);
    put(x, &xi, 1);
  }
}

static void put_cell(Trial *x, int depth, double value, double steep) {
  const bool    halved = depth && below(8), plane = !halved || below(4) == 0;
  const uint8_t kind = (uint8_t)(plane + 2 * halved), axis = (uint8_t)below(x->axes.count);
  put(x, &kind, 1);
  if (plane) put_plane(x, value, steep);
  if (!halved) return;
  put(x, &axis, 1);
  for (int i = 0; i < 2; i++) put_cell(x, depth - 1, value, steep);
}

/* The root cell is `width` about z at the point at hand, on each side; later numbers are in low, high. */
static void begin_table(Trial *x, double width, int depth, double value, double steep) {
  BfError   error = {0};
  const int D = x->axes.count, late = late_variables(x);
  double   *low = x->root, *high = low + D + late;
  for (int a = 0; a < D; a++) low[a] = x->z[a] - width * uniform(0.1, 1), high[a] = x->z[a] + width * uniform(0.1, 1);
  for (int64_t i = x->early, k = D; i < x->numbers.count; i++)
    if (x->variable[i] >= 0) low[k] = x->low[i], high[k++] = x->high[i];
  x->count = 0;
  for (int64_t r = 0; r < x->problem->cost.readouts || r == 0; r++) {
    put_cell(x, depth, value, steep);
    if (x->problem->cost.trained) break;
  }
  const BfCheckCellRoots roots = {.axes  = D,
                                  .later = late,
                                  .low   = low,
                                  .high  = high,
                                  .roots = x->problem->cost.trained ? 1 : x->problem->cost.readouts,
                                  .bytes = x->bytes,
                                  .count = x->count};
  good(bf_check_cells_create(&roots, &x->cells, &error), &error);
}

/* ---- planes ----------------------------------------------------------------------------------------------------- */

static BfTreeItem  item;
static BfCheckPart part;
static double      on_all, beyond;
static BfStatus    bound_plane(void *context, BfError *error) {
     Trial            *x    = context;
     BfCheckMinorants *m    = &x->minorants;
     const double     *g    = x->cells.coefficient + item.plane * (1 + x->axes.count);
     BfCheckBound     *work = m->claims.other;
     double            xi[256];
     (void)error;
     for (int k = 0; k < item.n; k++) xi[k] = item.xi[k] / 127.0;
  x->axes.tilt = g + 1;
     bf_check_box(&m->forms, item.low, item.high);
     bf_check_bound(&m->forms, item.readout, xi, &m->claims.stored[0]);
     on_all = bf_check_on(&m->forms, &m->claims.stored[0], &(BfCheckPart){.variable = -1});
     beyond = bf_check_on(&m->forms, &m->claims.stored[0], &part);
     if (below(32) == 0) beyond = bf_check_search(&m->forms, item.readout, &part, INFINITY, xi, work);
  return BF_OK;
}

static int64_t points_seen;
static void    try_plane(Trial *x) {
     BfError       error = {0};
     const int     D = x->axes.count, late = late_variables(x);
     const int64_t plane = item.plane;
     const double *c     = x->cells.coefficient + plane * (1 + D);
     const int     cut   = (int)below(D + late);
     double        value = 0;
     item.readout        = x->cells.plane[plane].readout;
     x->model.readout    = item.readout;
     for (int i = 0; i < 6; i++) {
       choose_point(x, i > 2, i > 2 ? 1e-3 : 1);
       for (int64_t k = x->early, v = D; k < x->numbers.count; k++)
      if (x->variable[k] >= 0) {
           x->point[k] = uniform(item.low[v], item.high[v]);
           v++;
      }
    evaluate(x);
       bool within = true;
       for (int a = 0; a < D; a++) within = within && x->z[a] >= item.low[a] && x->z[a] <= item.high[a];
    if (!within) continue;
    value = x->cost - x->before;
       for (int a = 0; a < D; a++) value -= c[1 + a] * x->z[a];
    double at = cut < D ? x->z[cut] : 0;
       for (int64_t k = x->early, v = D; k < x->numbers.count; k++)
      if (x->variable[k] >= 0 && v++ == cut) at = x->point[k];
    part = (BfCheckPart){cut, (int)below(2), at};
       good(bf_rounding_upwards(bound_plane, x, &error), &error);
       const double slack = 1e-12 * (1 + fabs(value));
       if (!(value >= on_all - slack && value >= beyond - slack))
      fail_msg("%s %s: %.17g at a point, bound %.17g, beyond a cut %.17g", x->of->file, x->of->options, value, on_all,
                  beyond);
    points_seen++;
  }
}

static void planes_hold(void **unused) {
  static const double widths[] = {1, 0.1, 1e-3, 1e-6};
  (void)unused;
  for (int k = 0; k < 2 * CASES; k++) {
    Trial x;
    create(&cases[k / 2], 1 + k % 2, &x);
    for (int i = k % 2; i < 4; i += 2) {
      BfError error = {0};
      bool    there = true;
      for (int64_t j = 0; j < x.numbers.count; j++) x.about[j] = uniform(x.lower[j], x.upper[j]);
      choose_point(&x, true, 0);
      evaluate(&x);
      memcpy(x.about, x.point, sizeof(double) * (size_t)x.numbers.count);
      choose_point(&x, false, widths[i]); /* the box of later numbers */
      begin_table(&x, 2 * widths[3 - i], 0, 0, below(2) ? 1 : 100);
      good(bf_check_minorants(&x.cells, &x.axes, &x.layers, &x.numbers, x.t, &x.minorants, &error), &error);
      while (good(bf_check_minorants_next(&x.minorants, &item, &there, &error), &error), there) try_plane(&x);
      clear_table(&x);
    }
    destroy(&x);
  }
  if (!(points_seen > 100)) fail_msg("%d points", (int)points_seen);
}

/* ---- compositions ----------------------------------------------------------------------------------------------- */

/* The best of the planes of cells that z is in, with the decay; cells are taken as a little larger. */
static double best_plane(const Trial *x, int64_t readout) {
  const BfCheckCells *cells = &x->cells;
  const int           D     = x->axes.count;
  double              best  = x->before; /* by the plane that says nothing */
  for (int64_t i = cells->root[readout]; i < cells->root[readout + 1]; i++) {
    const double *low = bf_check_cells_low(cells, i), *high = bf_check_cells_high(cells, i);
    bool          within = cells->cell[i].plane >= 0;
    for (int a = 0; a < D; a++) within = within && x->z[a] >= low[a] - 1e-12 && x->z[a] <= high[a] + 1e-12;
    if (!within) continue;
    const double *c   = cells->coefficient + cells->cell[i].plane * (1 + D);
    double        sum = x->before + c[0];
    for (int a = 0; a < D; a++) sum += c[1 + a] * x->z[a];
    best = fmax(best, sum);
  }
  return best;
}

static bool     holds;
static BfStatus compose_now(void *context, BfError *error) {
  Trial *x = context;
  (void)error;
  holds = bf_check_composed(&x->compose, &item);
  return BF_OK;
}

static int64_t tried, held;
/* A leaf, or a contraction of one variable, of a box about a point. */
static void try_composition(Trial *x, double share) {
  double    box[2 * 256], inner[2 * 256], least = INFINITY;
  BfError   error = {0};
  const int n     = x->n;
  int       early = 0;
  for (int k = 0; k < n; k++) {
    const int32_t i = x->free[k];
    const double  w = share * (x->upper[i] - x->lower[i]);
    early += i < x->early;
    box[k]     = fmax(x->lower[i], x->about[i] - w * uniform(0, 1));
    box[n + k] = fmin(x->upper[i], x->about[i] + w * uniform(0, 1));
  }
  memcpy(inner, box, sizeof box);
  const int    v    = (int)below(early);
  const bool   leaf = below(2), upper = below(2);
  const double at          = box[v] + (box[n + v] - box[v]) * uniform(0, 1);
  inner[upper ? n + v : v] = fmin(fmax(at, box[v]), box[n + v]);
  item                     = (BfTreeItem){.claim      = leaf ? BF_TREE_LEAF : BF_TREE_CUT,
                                          .low        = box,
                                          .high       = box + n,
                                          .inner_low  = inner,
                                          .inner_high = inner + n,
                                          .n          = n,
                                          .readout    = x->problem->cost.trained ? 0 : below(x->problem->cost.readouts)};
  double seen[12];
  int    many = 0;
  for (int i = 0; i < 12; i++) {
    for (int64_t j = 0; j < x->numbers.count; j++) {
      const int    k = x->variable[j];
      const double a = k < 0                      ? x->lower[j]
                       : k == v && !leaf && upper ? inner[n + v]
                                                  : box[k],
                   b = k < 0                       ? x->upper[j]
                       : k == v && !leaf && !upper ? inner[v]
                                                   : box[n + k];
      x->point[j]    = below(4) ? fmin(fmax(uniform(a, b), a), b) : below(2) ? a : b;
    }
    evaluate(x);
    seen[many] = best_plane(x, item.readout);
    least      = fmin(least, seen[many++]);
  }
  x->compose.lower = fmax(1e-3, least + (below(4) ? -1 : 1) * pow(10, uniform(-3, 0)) * (below(2) ? share : 1));
  good(bf_rounding_upwards(compose_now, x, &error), &error);
  tried++;
  held += holds;
  if (holds && !(least >= x->compose.lower - 1e-12 * (1 + fabs(x->compose.lower))))
    fail_msg("%s %s: a claim of %.17g holds, %.17g at a point", x->of->file, x->of->options, x->compose.lower, least);
}

static void compositions_hold(void **unused) {
  static const double shares[] = {0.5, 0.1, 0.01, 1e-4};
  (void)unused;
  for (int k = 0; k < 2 * CASES; k++) {
    Trial x;
    create(&cases[k / 2], 1 + k % 2, &x);
    for (int i = k / 2 % 2; i < 4; i += 2) {
      BfError error = {0};
      for (int64_t j = 0; j < x.numbers.count; j++) {
        x.about[j] = uniform(x.lower[j], x.upper[j]);
        x.low[j] = x.lower[j], x.high[j] = x.upper[j];
      }
      memcpy(x.point, x.about, sizeof(double) * (size_t)x.numbers.count);
      evaluate(&x);
      begin_table(&x, k % 2 ? 10 : 10 * shares[i] + 1e-3, 4, 1, 0.1 / (shares[i] + 0.1));
      const BfCheckComposed of = {.n = x.n, .early = 0, .lower = 1};
      good(bf_check_compose_create(&x.forms, &x.axes, &x.cells, &of, &x.compose, &error), &error);
      for (int j = 0; j < x.n; j++) x.compose.early += x.free[j] < x.early;
      for (int j = 0; j < 3; j++) try_composition(&x, shares[i]);
      clear_table(&x);
    }
    destroy(&x);
  }
  if (!(5 * held > tried)) fail_msg("%d of %d claims hold", (int)held, (int)tried);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(planes_hold), cmocka_unit_test(compositions_hold)};
  PetscInitialize(&argc, &argv, NULL, NULL);
  cmocka_set_message_output(CM_OUTPUT_TAP);
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  PetscFinalize();
  return failed;
}
