#include "check/check.h"
#include "check/claim.h"
#include "check/compose.h"
#include "check/deal.h"
#include "check/elementary.h"
#include "check/logit.h"
#include "check/minorant.h"
#include "check/rounding.h"
#include "check/symmetry.h"
#include "problem/number.h"
#include <math.h>
#include <stdio.h>

typedef struct {
  const char          *path;
  const BfProblem     *problem;
  const BfModel       *model;
  const BfCertificate *certificate;
  BfCheckModel         layers;
  BfCheckNumbers       numbers;
  int                  n;        /* variables: numbers, then logits */
  double              *range;    /* [2][count] lower, upper */
  double              *whole;    /* [2][n] of variables lower, upper */
  int                 *variable; /* [count] */
  double              *point;    /* [count] what was found */
  BfCheckOrders        orders;
  BfCheckLogits        logits;
  BfSpan              *logit_range; /* [logits] what they may be */
  BfCheckForms         forms;
  BfCheckClaims        claims;
  BfTree              *tree;
  /* With a table. */
  BfCheckAxes      axes;
  double          *root; /* [2][axes + later numbers] lower, upper */
  BfCheckCells     cells;
  BfCheckMinorants minorants;
  BfCheckCompose   compose;
} Check;

/* ---- numbers ---------------------------------------------------------------------------------------------------- */

static int64_t count_numbers(const BfProblem *problem) {
  return (int64_t)problem->horizon * problem->layer.free + problem->cost.trained;
}

static BfStatus take_numbers(Check *x, BfError *error) {
  const BfProblem *problem = x->problem;
  const int64_t    q = problem->layer.free, controls = problem->horizon * q, count = count_numbers(problem);
  BF_TRY(BF_NEW(&x->range, 2 * count, error));
  BF_TRY(BF_NEW(&x->whole, 2 * x->n, error));
  BF_TRY(BF_NEW(&x->variable, count, error));
  BF_TRY(BF_NEW(&x->point, count, error));
  double *low = x->range, *high = low + count;
  for (int64_t i = 0; i < count; i++) {
    const bool control = i < controls;
    low[i]             = control ? problem->control_lower[i % q] : problem->cost.lower[i - controls];
    high[i]            = control ? problem->control_upper[i % q] : problem->cost.upper[i - controls];
    x->point[i]        = control ? x->model->control[i] : x->model->numbers[i - controls];
    x->variable[i]     = -1;
  }
  for (int k = 0; k < x->certificate->n; k++) {
    const int32_t i    = x->certificate->free[k];
    x->variable[i]     = k;
    x->whole[k]        = low[i];
    x->whole[x->n + k] = high[i];
  }
  for (int l = 0, k = x->certificate->n; l < x->certificate->logits; l++, k++) {
    x->whole[k]        = x->certificate->logit_range[2 * l];
    x->whole[x->n + k] = x->certificate->logit_range[2 * l + 1];
  }
  x->numbers = (BfCheckNumbers){
      .count = count, .number = x->certificate->free, .variable = x->variable, .lower = low, .upper = high};
  return BF_OK;
}

static BfStatus begin_tree(Check *x, BfError *error) {
  const BfCertificate *c    = x->certificate;
  const BfCost        *cost = &x->problem->cost;
  bf_tree_destroy(&x->tree);
  return bf_tree_create(&(BfTreeRoots){.n      = x->n,
                                       .logits = c->logits,
                                       .low    = x->whole,
                                       .high   = x->whole + x->n,
                                       .orders = &x->orders,
                                       .width  = c->width,
                                       .roots  = cost->trained ? 1 : cost->readouts,
                                       .bare   = c->table > 0,
                                       .late   = c->table ? c->n - c->early : 0},
                        c->tree, c->bytes, &x->tree, error);
}

static BfStatus prove_symmetries(Check *x, BfError *error) {
  const BfCertificate *c = x->certificate;
  const BfStatus status  = bf_check_symmetries(&x->layers, &x->numbers, c->n, c->symmetry, c->rows, &x->orders, error);
  if (status != BF_OK) bf_error_prefix(error, "%s", x->path);
  return status;
}

static BfStatus take_logits(Check *x, BfError *error) {
  const BfCertificate *c = x->certificate;
  if (!c->logits) return BF_OK;
  const BfStatus status = bf_check_logits(&x->layers, c->n, c->logits, c->logit, &x->logits, error);
  if (status != BF_OK) bf_error_prefix(error, "%s", x->path);
  x->logits.size  = fabs(c->found);
  x->forms.logits = &x->logits;
  BF_TRY(status);
  return BF_NEW(&x->logit_range, c->logits, error);
}

static BfStatus take_cells(Check *x, BfError *error) {
  const BfCertificate *c = x->certificate;
  const int            D = c->axes, n = D + c->n - c->early;
  BF_TRY(BF_NEW(&x->root, 2 * n, error));
  for (int k = 0; k < n; k++) {
    x->root[k]     = k < D ? c->axis_range[2 * k] : x->whole[c->early + k - D];
    x->root[n + k] = k < D ? c->axis_range[2 * k + 1] : x->whole[x->n + c->early + k - D];
  }
  const BfCheckCellRoots roots = {.axes  = D,
                                  .later = c->n - c->early,
                                  .low   = x->root,
                                  .high  = x->root + n,
                                  .roots = x->problem->cost.trained ? 1 : x->problem->cost.readouts,
                                  .bytes = c->cells,
                                  .count = c->cells_bytes};
  BF_TRY(bf_check_axes(&x->layers, c->table, D, c->axis, &x->axes, error));
  return bf_check_cells_create(&roots, &x->cells, error);
}

static BfStatus take_table(Check *x, BfError *error) {
  const BfCertificate *c = x->certificate;
  if (!c->table) return bf_check_claims_create(&x->forms, x->n, c->lower, &x->claims, error);
  if (take_cells(x, error) != BF_OK) {
    bf_error_prefix(error, "%s", x->path);
    return error->status;
  }
  x->forms.to = c->table;
  BF_TRY(bf_check_minorants(&x->cells, &x->axes, &x->layers, &x->numbers, c->table, &x->minorants, error));
  return bf_check_compose_create(&x->forms, &x->axes, &x->cells, &(BfCheckComposed){x->n, c->early, c->lower},
                                 &x->compose, error);
}

static BfStatus create(Check *x, BfError *error) {
  const BfCertificate *c = x->certificate;
  x->n                   = c->n + c->logits;
  BF_TRY(bf_check_model(x->problem, &x->layers, error));
  BF_TRY(take_numbers(x, error));
  BF_TRY(prove_symmetries(x, error));
  BF_TRY(bf_check_forms(&x->layers, &x->numbers, x->n, &x->forms, error));
  BF_TRY(take_logits(x, error));
  BF_TRY(take_table(x, error));
  return begin_tree(x, error);
}

static void clear(Check *x) {
  bf_tree_destroy(&x->tree);
  bf_check_claims_clear(&x->claims);
  bf_check_compose_clear(&x->compose);
  bf_check_minorants_clear(&x->minorants);
  bf_check_cells_clear(&x->cells);
  bf_check_axes_clear(&x->axes);
  bf_check_forms_clear(&x->forms);
  bf_check_logits_clear(&x->logits);
  bf_check_model_clear(&x->layers);
  bf_free(x->logit_range);
  bf_free(x->root);
  bf_free(x->whole);
  bf_free(x->range);
  bf_free(x->variable);
  bf_free(x->point);
  bf_free(x->orders.order);
}

/* ---- what was found --------------------------------------------------------------------------------------------- */

static BfStatus bound_found(void *context, BfError *error) {
  Check         *x       = context;
  BfCheckForms   at      = {0};
  BfCheckNumbers numbers = x->numbers;
  char           most[BF_SPAN_TEXT];
  numbers.point   = x->point;
  BfStatus status = bf_check_forms(&x->layers, &numbers, 0, &at, error);
  if (status == BF_OK) {
    const double cost = bf_check_most(&at, x->model->readout);
    if (!(cost <= x->certificate->found))
      status = bf_fail(error, BF_FAILURE, "%s: not verified: the cost of /rollout/controls may be %s, found is %.17g",
                       x->path, bf_span_text(cost, 17, true, most), x->certificate->found);
  }
  bf_check_forms_clear(&at);
  return status;
}

/* Relative to what was found; where that is 0, it is 0 if nothing is between, else infinite. */
static bool is_gap(const BfCertificate *c, double gap) {
  return c->found == 0 ? c->gap == (c->lower == 0 ? 0 : INFINITY) : fabs(gap - c->gap) <= 1e-9 * (1 + fabs(gap));
}

static BfStatus check_found(Check *x, BfError *error) {
  const BfCertificate *c   = x->certificate;
  const double         gap = (c->found - c->lower) / fabs(c->found);
  for (int64_t i = 0; i < x->numbers.count; i++)
    if (!(x->point[i] >= x->numbers.lower[i] && x->point[i] <= x->numbers.upper[i]))
      return bf_fail(error, BF_FAILURE, "%s: not verified: %s of what was found, %g, is outside of [%g, %g]", x->path,
                     bf_number_name(x->problem, i, (char[BF_NUMBER_NAME]){0}), x->point[i], x->numbers.lower[i],
                     x->numbers.upper[i]);
  if (!(c->lower <= c->found))
    return bf_fail(error, BF_FAILURE, "%s: not verified: lower %.17g is above found %.17g", x->path, c->lower,
                   c->found);
  if (!is_gap(c, gap))
    return bf_fail(error, BF_FAILURE, "%s: not verified: gap is %g, of lower and found it would be %g", x->path, c->gap,
                   gap);
  return bf_rounding_upwards(bound_found, x, error);
}

/* ---- ranges of logits ------------------------------------------------------------------------------------------- */

static BfStatus find_ranges(void *context, BfError *error) {
  Check *x = context;
  (void)error;
  bf_check_box(&x->forms, x->whole, x->whole + x->n);
  bf_check_logit_ranges(&x->forms, x->logit_range);
  return BF_OK;
}

/* Without that the boxes of the tree would not hold all controls. */
static BfStatus check_ranges(Check *x, BfError *error) {
  char name[BF_LOGIT_TEXT], low[BF_SPAN_TEXT], high[BF_SPAN_TEXT];
  if (!x->forms.logits) return BF_OK;
  BF_TRY(bf_rounding_upwards(find_ranges, x, error));
  for (int l = 0; l < x->logits.count; l++) {
    const BfSpan  own   = x->logit_range[l];
    const double *range = x->certificate->logit_range + (int64_t)2 * l;
    if (!(own.lo >= range[0] && own.hi <= range[1]))
      return bf_fail(error, BF_FAILURE,
                     "%s: not verified: the range of %s may be [%s, %s], the certificate says [%.9g, %.9g]", x->path,
                     bf_check_logit_text(&x->logits, l, name), bf_span_text(own.lo, 9, false, low),
                     bf_span_text(own.hi, 9, true, high), range[0], range[1]);
  }
  return BF_OK;
}

/* ---- claims ----------------------------------------------------------------------------------------------------- */

static BfStatus next_claim(void *of, BfTreeItem *item, bool *there, BfError *error) {
  Check *x = of;
  return bf_tree_next(x->tree, item, there, error);
}

static bool holds_claim(void *of, const BfTreeItem *item) {
  Check *x = of;
  if (x->certificate->lower <= 0) return true; /* no cost is below 0 */
  return x->certificate->table ? bf_check_composed(&x->compose, item) : bf_check_claim(&x->claims, item);
}

enum { WHERE = 128 };

/* " where it cuts number 3" */
static void tell_cut(const Check *x, int variable, char where[WHERE]) {
  const BfCertificate *c = x->certificate;
  where[0]               = 0;
  if (variable >= c->n) snprintf(where, WHERE, " where it cuts logit %d", variable - c->n);
  else if (variable >= 0) snprintf(where, WHERE, " where it cuts number %d", (int)c->free[variable]);
}

static const char *kind_of(const BfTreeItem *item) { return item->claim == BF_TREE_LEAF ? "leaf" : "contraction"; }

static BfStatus fail_composed(const Check *x, const BfTreeItem *item, BfError *error) {
  const BfCheckCompose *own = &x->compose;
  char                  bound[BF_SPAN_TEXT], cut[WHERE], why[2 * WHERE];
  tell_cut(x, own->of, cut);
  int64_t cell = own->cell; /* or one around it that has a plane */
  while (cell >= 0 && x->cells.cell[cell].plane < 0) cell = x->cells.cell[cell].parent;
  if (own->cell < 0) snprintf(why, sizeof why, "may leave the range of the axes%s", cut);
  else if (cell < 0)
    snprintf(why, sizeof why, "reaches a cell at depth %lld that no plane is of%s",
             (long long)x->cells.cell[own->cell].depth, cut);
  else
    snprintf(why, sizeof why, "bounds the cost by %s on a cell at depth %lld%s, lower is %.9g",
             bf_span_text(own->proved, 9, false, bound), (long long)x->cells.cell[own->cell].depth, cut,
             x->certificate->lower);
  return bf_fail(error, BF_FAILURE, "%s: not verified: %s %lld, at depth %lld, %s", x->path, kind_of(item),
                 (long long)item->of_kind + 1, (long long)item->depth, why);
}

static BfStatus fail_claim(void *of, const BfTreeItem *item, BfError *error) {
  const Check *x = of;
  char         bound[BF_SPAN_TEXT], cut[WHERE];
  if (x->certificate->table) return fail_composed(x, item, error);
  bf_span_text(x->claims.proved, 9, false, bound);
  tell_cut(x, x->claims.of, cut);
  return bf_fail(error, BF_FAILURE, "%s: not verified: %s %lld, at depth %lld, bounds the cost by %s%s, lower is %.9g",
                 x->path, kind_of(item), (long long)item->of_kind + 1, (long long)item->depth, bound, cut,
                 x->certificate->lower);
}

/* All claims once, without their bounds: how many there are, and whether they cover the box. */
static BfStatus count_claims(Check *x, BfCheckCount *count, BfError *error) {
  BfTreeItem item;
  bool       there = true;
  while (there)
    if (bf_tree_next(x->tree, &item, &there, error) != BF_OK) {
      bf_error_prefix(error, "%s", x->path);
      return error->status;
    }
  count->leaves = bf_tree_claims(x->tree, BF_TREE_LEAF);
  count->cuts   = bf_tree_claims(x->tree, BF_TREE_CUT);
  count->planes = x->cells.planes;
  return begin_tree(x, error);
}

/* ---- planes ----------------------------------------------------------------------------------------------------- */

static BfStatus next_of_planes(void *of, BfTreeItem *item, bool *there, BfError *error) {
  Check *x = of;
  return bf_check_minorants_next(&x->minorants, item, there, error);
}

static bool holds_of_plane(void *of, const BfTreeItem *item) {
  Check *x = of;
  return bf_check_minorant(&x->minorants, item);
}

static BfStatus fail_plane(void *of, const BfTreeItem *item, BfError *error) {
  const Check        *x     = of;
  const BfCheckPlane *plane = &x->cells.plane[item->plane];
  const int           k = x->minorants.claims.of, axes = x->axes.count;
  char                bound[BF_SPAN_TEXT], cut[WHERE]  = "";
  if (k >= 0 && k < axes) snprintf(cut, sizeof cut, " where it cuts axis %d", k);
  else if (k >= 0) tell_cut(x, x->certificate->early + k - axes, cut);
  return bf_fail(error, BF_FAILURE,
                 "%s: not verified: plane %lld (cell at depth %lld): %s %lld, at depth %lld, bounds the rest of the "
                 "cost less the plane's slope by %s%s, its constant is %.9g",
                 x->path, (long long)item->plane + 1, (long long)x->cells.cell[plane->cell].depth, kind_of(item),
                 (long long)item->of_kind + 1, (long long)item->depth,
                 bf_span_text(x->minorants.claims.proved, 9, false, bound), cut,
                 x->cells.coefficient[item->plane * (1 + axes)]);
}

static BfStatus fix_axes(void *context, BfError *error) {
  Check *x = context;
  (void)error;
  bf_check_box(&x->forms, x->whole, x->whole + x->n);
  bf_check_fix_axes(&x->axes, &x->forms);
  return BF_OK;
}

/* ---- all -------------------------------------------------------------------------------------------------------- */

static BfStatus prepare(Check *x, BfCheckCount *count, BfError *error) {
  BF_TRY(create(x, error));
  BF_TRY(count_claims(x, count, error));
  BF_TRY(check_found(x, error));
  if (x->certificate->table) return bf_rounding_upwards(fix_axes, x, error);
  return check_ranges(x, error);
}

static BfStatus check_claims(Check *x, BfRun *run, BfError *error) {
  if (x->certificate->table)
    BF_TRY(bf_check_deal(run, &(BfCheckDeal){x, next_of_planes, holds_of_plane, fail_plane}, error));
  return bf_check_deal(run, &(BfCheckDeal){x, next_claim, holds_claim, fail_claim}, error);
}

BfStatus bf_check(BfRun *run, const char *path, const BfProblem *problem, const BfModel *model,
                  const BfCertificate *certificate, BfCheckCount *count, BfError *error) {
  Check    x = {.path = path, .problem = problem, .model = model, .certificate = certificate};
  BfStatus status;
  *count = (BfCheckCount){0};
  bf_phase_begin(run, BF_PHASE_CHECK);
  BF_GOTO(bf_together(run->world, prepare(&x, count, error), error));
  bf_work_expect(run, BF_PHASE_CHECK, (double)(count->leaves + count->cuts + x.cells.claims), "boxes", 1e-4, false);
  status = check_claims(&x, run, error);
done:
  clear(&x);
  bf_phase_end(run, BF_PHASE_CHECK);
  return status;
}
