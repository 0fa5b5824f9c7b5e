/* Over a part of a box the forms say z_a = c_a + <b_a, xi> + r_a, |r_a| <= e_a, and ranges [l_a, h_a] hold what of z_a
 * is in a cell. So at all controls of the part whose z_t is in the cell, whatever the multipliers m_a,
 *
 *     decay + c + <g, z>  =  decay + c + sum_a (g_a - m_a) z_a + sum_a m_a z_a
 *                        >=  c + sum_a min((g_a - m_a) l_a, (g_a - m_a) h_a) + sum_a (m_a c_a - |m_a| e_a)
 *                              + the least over xi of decay + sum_a m_a <b_a, xi>.
 *
 * With m = g the form counts, with m = 0 the range; in between, or beyond, what xi must be for z to be in the cell. It
 * is concave in m. */
#include "check/compose.h"
#include <string.h>

enum { MOST_FAILED = 16 }; /* cells where no plane is enough: more are not looked for */
enum { DEPTH = 4, BOXES = 12, ATTEMPTS = 2 * BF_CHECK_WAYS };

static const BfCheckPart all = {.variable = -1};

BfStatus bf_check_compose_create(BfCheckForms *forms, const BfCheckAxes *axes, const BfCheckCells *cells,
                                 const BfCheckComposed *of, BfCheckCompose *out, BfError *error) {
  const int n = of->n;
  *out        = (BfCheckCompose){
             .forms = forms, .axes = axes, .cells = cells, .n = n, .early = of->early, .lower = of->lower, .way = -1};
  BF_TRY(bf_check_bound_create(n, &out->work, error));
  BF_TRY(BF_NEW(&out->multiplier, axes->count, error));
  BF_TRY(BF_NEW(&out->nothing, 1 + axes->count, error));
  BF_TRY(BF_NEW(&out->range, 2 * axes->count, error));
  return BF_NEW(&out->box, (DEPTH + 2) * 2 * n, error);
}

void bf_check_compose_clear(BfCheckCompose *compose) {
  bf_check_bound_clear(&compose->work);
  bf_free(compose->multiplier);
  bf_free(compose->nothing);
  bf_free(compose->range);
  bf_free(compose->box);
  *compose = (BfCheckCompose){0};
}

static const BfLinear *form_of(const BfCheckCompose *x, int a) { return x->forms->z[x->axes->place[a]]; }
static const double   *plane_of(const BfCheckCompose *x, int64_t cell) {
    return x->cells->coefficient + x->cells->cell[cell].plane * (1 + x->axes->count);
}

/* ---- one plane -------------------------------------------------------------------------------------------------- */

/* With the multipliers that are there. */
static double bound_with(BfCheckCompose *x, const double *plane, const BfCheckPart *part) {
  BfCheckForms *forms = x->forms;
  BfCheckBound *out   = &x->work;
  const double *g = plane + 1, *m = x->multiplier;
  double        sum = plane[0];
  bf_linear_span(&forms->scratch, out->sum, bf_span(0));
  for (int a = 0; a < x->axes->count; a++) {
    const BfSpan rest = bf_span_sub(bf_span(g[a]), bf_span(m[a]));
    if (m[a] != 0) bf_linear_add(&forms->scratch, out->sum, bf_span(m[a]), form_of(x, a));
    sum = bf_add_down(sum, bf_span_mul(rest, x->range[x->axes->count + a]).lo);
  }
  bf_check_finish(forms, sum, out);
  return bf_check_least(forms, out, part);
}

/* Multiplier a becomes m if that gives more than `best`, which then is what it gives. */
static bool turn(BfCheckCompose *x, const double *plane, const BfCheckPart *part, int a, double m, double *best) {
  const double before = x->multiplier[a];
  x->multiplier[a]    = m;
  const double bound  = bound_with(x, plane, part);
  const bool   better = bound > *best; /* not a number is not */
  if (better) *best = bound;
  else x->multiplier[a] = before;
  return better;
}

/* A slope of z_a that is worth as much as costs are over the cell, or the plane's. */
static double steepest(const BfCheckCompose *x, const double *plane, int a) {
  const BfSpan within = x->range[x->axes->count + a];
  const double half = bf_span_half(within, bf_span_middle(within)), slope = x->lower / half;
  return fmax(isfinite(slope) ? slope : 0, fabs(plane[1 + a]));
}

/* By ever smaller steps to where multipliers give more. */
static double climb(BfCheckCompose *x, const double *plane, const BfCheckPart *part, double best) {
  enum { ROUNDS = 3, HALVINGS = 12, MOVES = 8 };
  for (int round = 0; round < ROUNDS; round++)
    for (int a = 0; a < x->axes->count; a++) {
      double step = steepest(x, plane, a);
      for (int i = 0; i < HALVINGS && !(best >= x->lower); i++, step /= 2)
        for (int side = -1; side <= 1; side += 2)
          for (int move = 0; move < MOVES && turn(x, plane, part, a, x->multiplier[a] + side * step, &best); move++)
            if (best >= x->lower) return best;
    }
  return best;
}

/* What a plane gives at z_t in `within`: by forms, by ranges, axis by axis; thoroughly, by what is between, too. */
static double compose(BfCheckCompose *x, const double *plane, const BfCheckPart *part, bool thorough) {
  for (int a = 0; a < x->axes->count; a++) x->multiplier[a] = plane[1 + a];
  double best = bound_with(x, plane, part);
  if (!(best > -INFINITY)) best = -INFINITY;
  for (int a = 0; a < x->axes->count && !(best >= x->lower); a++)
    if (plane[1 + a] != 0) turn(x, plane, part, a, 0, &best);
  return thorough && !(best >= x->lower) ? climb(x, plane, part, best) : best;
}

/* ---- the cells that z_t may be in ------------------------------------------------------------------------------- */

/* Of z_a, by its form and its range, met with what other forms have said. */
static void measure(BfCheckCompose *x, const BfCheckPart *part) {
  const BfSpan at = part->variable >= 0 ? bf_check_between(x->forms, part) : bf_span(0);
  for (int a = 0; a < x->axes->count; a++) {
    const BfLinear *z     = form_of(x, a);
    BfSpan          known = {bf_add_down(z->c, -z->e), z->c + z->e};
    for (int k = 0; k < x->n; k++)
      known = bf_span_add(known, bf_span_mul(bf_span(z->b[k]), k == part->variable ? at : (BfSpan){-1, 1}));
    x->range[a] = bf_span_meet(x->range[a], bf_span_meet(known, z->range));
  }
}

/* Whether a cell has some of z_t, and what of it. */
static bool meets(BfCheckCompose *x, int64_t cell) {
  const double *low = bf_check_cells_low(x->cells, cell), *high = bf_check_cells_high(x->cells, cell);
  BfSpan       *within = x->range + x->axes->count;
  bool          meets  = true;
  for (int a = 0; a < x->axes->count; a++) {
    within[a] = bf_span_meet((BfSpan){low[a], high[a]}, x->range[a]);
    meets     = meets && !(within[a].lo > within[a].hi);
  }
  return meets;
}

static bool leaves_root(const BfCheckCompose *x, int64_t root) {
  const double *low = bf_check_cells_low(x->cells, root), *high = bf_check_cells_high(x->cells, root);
  bool          within = true;
  for (int a = 0; a < x->axes->count; a++) within = within && x->range[a].lo >= low[a] && x->range[a].hi <= high[a];
  return !within;
}

/* By its own plane; where it has no halves thoroughly, by those of the cells that it is a part of, and by the one that
 * says that no cost is below 0: which is enough where forms tell that no z_t is there. */
static double bound_on(BfCheckCompose *x, int64_t cell, const BfCheckPart *part) {
  const BfCheckCell *of    = x->cells->cell;
  const bool         whole = of[cell].axis < 0;
  double             best  = -INFINITY;
  for (int64_t i = cell; i >= 0 && !(best >= x->lower) && (whole || i == cell); i = of[i].parent)
    if (of[i].plane >= 0) best = fmax(best, compose(x, plane_of(x, i), part, whole));
  return whole && !(best >= x->lower) ? fmax(best, compose(x, x->nothing, part, true)) : best;
}

/* The least of what planes give, as far as that is not enough; *where: on which cell that is. */
static double cover(BfCheckCompose *x, int64_t readout, const BfCheckPart *part, int64_t *where) {
  const BfCheckCells *cells = x->cells;
  const int64_t       root = cells->root[readout], end = cells->root[readout + 1];
  double              least  = INFINITY;
  int                 failed = 0;
  *where                     = -1;
  if (leaves_root(x, root)) return -INFINITY;
  for (int64_t i = root; i < end && failed < MOST_FAILED;) {
    const bool   here  = meets(x, i);
    const double bound = here ? bound_on(x, i, part) : INFINITY;
    const bool   done  = bound >= x->lower || cells->cell[i].axis < 0;
    if (done && bound < least) least = bound, *where = i;
    failed += done && !(bound >= x->lower);
    i = done ? cells->cell[i].behind : i + 1;
  }
  return least;
}

/* ---- a part of a claim ------------------------------------------------------------------------------------------ */

static void begin_box(BfCheckCompose *x, const double *low, const double *high) {
  bf_check_box(x->forms, low, high);
  x->way = -1;
}

static void take_way(BfCheckCompose *x, int way) {
  if (x->way == way) return;
  x->way             = way;
  x->forms->by_query = way % 2;
  bf_check_way(x->forms, way / 2);
  bf_check_tokens(x->forms);
}

/* In the first `attempts` ways, from the one on in which forms are made; what the first gives, or what is enough. */
static double bound_part(BfCheckCompose *x, int64_t readout, const BfCheckPart *part, int attempts, int64_t *where) {
  const int from  = attempts > 1 && x->way > 0 ? x->way : 0;
  double    first = -INFINITY;
  for (int a = 0; a < x->axes->count; a++) x->range[a] = bf_span_all();
  for (int i = 0; i < attempts; i++) {
    int64_t cell;
    take_way(x, (from + i) % ATTEMPTS);
    measure(x, part);
    const double bound = cover(x, readout, part, &cell);
    if (i == 0) first = bound, *where = cell;
    if (bound >= x->lower) return bound;
  }
  return first;
}

/* A half of a box behind it; false: there is no double between the ends. */
static bool halve(const BfCheckCompose *x, double *box, int k, bool upper) {
  const int    n      = x->n;
  double      *half   = box + 2 * n;
  const double middle = 0.5 * box[k] + 0.5 * box[n + k];
  memcpy(half, box, sizeof *box * 2 * (size_t)n);
  half[upper ? k : n + k] = middle;
  return middle > box[k] && middle < box[n + k];
}

/* The variable whose worse half is bounded best, or else the other one; -1: none can be halved. */
static int best_halving(BfCheckCompose *x, int64_t readout, double *box) {
  double  best[2] = {-INFINITY, -INFINITY}; /* the worse, the other */
  int     k       = -1;
  int64_t where;
  for (int i = 0; i < x->early; i++) {
    double half[2];
    if (!halve(x, box, i, false)) continue;
    for (int upper = 0; upper < 2; upper++) {
      halve(x, box, i, upper);
      begin_box(x, box + 2 * x->n, box + 3 * x->n);
      half[upper] = bound_part(x, readout, &all, 1, &where);
    }
    const double worse = fmin(half[0], half[1]), other = fmax(half[0], half[1]);
    if (k >= 0 && !(worse > best[0] || (worse == best[0] && other > best[1]))) continue;
    best[0] = worse, best[1] = other;
    k = i;
  }
  return k;
}

/* A box [2][n] with room for its halves behind it. */
static bool is_covered(BfCheckCompose *x, int64_t readout, double *box, int depth) {
  int64_t where;
  begin_box(x, box, box + x->n);
  if (bound_part(x, readout, &all, ATTEMPTS, &where) >= x->lower) return true;
  if (depth == DEPTH || x->boxes-- == 0) return false;
  const int k = best_halving(x, readout, box);
  for (int upper = 0; k >= 0 && upper < 2; upper++) {
    halve(x, box, k, upper);
    if (!is_covered(x, readout, box + 2 * x->n, depth + 1)) return false;
  }
  return k >= 0;
}

/* The part as a box of its own, half by half. */
static bool is_covered_apart(BfCheckCompose *x, const BfTreeItem *item, const BfCheckPart *part) {
  const int n = x->n;
  memcpy(x->box, item->low, sizeof *x->box * (size_t)n);
  memcpy(x->box + n, item->high, sizeof *x->box * (size_t)n);
  if (part->variable >= 0) x->box[part->side == 0 ? n + part->variable : part->variable] = part->to;
  x->boxes      = BOXES;
  const bool is = is_covered(x, item->readout, x->box, 0);
  begin_box(x, item->low, item->high);
  return is;
}

static bool is_proved(BfCheckCompose *x, const BfTreeItem *item, const BfCheckPart *part) {
  x->of     = part->variable;
  x->proved = bound_part(x, item->readout, part, ATTEMPTS, &x->cell);
  return x->proved >= x->lower || is_covered_apart(x, item, part);
}

bool bf_check_composed(BfCheckCompose *x, const BfTreeItem *item) {
  bool holds = true;
  begin_box(x, item->low, item->high);
  if (item->claim == BF_TREE_LEAF) return is_proved(x, item, &all);
  for (int k = 0; k < x->early && holds; k++) {
    if (item->inner_low[k] > item->low[k]) holds = is_proved(x, item, &(BfCheckPart){k, 0, item->inner_low[k]});
    if (holds && item->inner_high[k] < item->high[k])
      holds = is_proved(x, item, &(BfCheckPart){k, 1, item->inner_high[k]});
  }
  return holds;
}
