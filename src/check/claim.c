#include "check/claim.h"
#include "check/logit.h"
#include <string.h>

enum { DEPTH = 3, BOXES = 8 }; /* of halving, and how many for one part of a claim */

static const BfCheckPart all = {.variable = -1};

BfStatus bf_check_claims_create(BfCheckForms *forms, int n, double lower, BfCheckClaims *out, BfError *error) {
  *out = (BfCheckClaims){.n = n, .lower = lower, .forms = forms};
  BF_TRY(BF_NEW(&out->xi, n, error));
  BF_TRY(BF_NEW(&out->box, (DEPTH + 2) * 2 * n, error));
  for (int i = 0; i < BF_TREE_POINTS; i++) BF_TRY(bf_check_bound_create(n, &out->stored[i], error));
  for (int i = 0; i < 3; i++) BF_TRY(bf_check_bound_create(n, &out->other[i], error));
  return BF_OK;
}

void bf_check_claims_clear(BfCheckClaims *claims) {
  for (int i = 0; i < BF_TREE_POINTS; i++) bf_check_bound_clear(&claims->stored[i]);
  for (int i = 0; i < 3; i++) bf_check_bound_clear(&claims->other[i]);
  bf_free(claims->xi);
  bf_free(claims->box);
  *claims = (BfCheckClaims){0};
}

/* ---- by tangents ------------------------------------------------------------------------------------------------ */

static const double *stored_point(BfCheckClaims *x, int i) {
  for (int k = 0; k < x->n; k++) x->xi[k] = x->item->xi[(int64_t)i * x->item->stride + k] / 127.0;
  return x->xi;
}

/* The multipliers that stand beside a point are taken from now on, until point is -1. */
static void give(const BfCheckClaims *x, int point) {
  BfCheckLogits *logits = x->forms->logits;
  if (!logits) return;
  for (int l = 0; point >= 0 && l < logits->count; l++) logits->given[l] = bf_tree_multiplier(x->item, point, l);
  logits->has_given = point >= 0;
}

static void bound_stored(BfCheckClaims *x, bool by_query) {
  x->forms->by_query = by_query;
  bf_check_tokens(x->forms);
  for (int i = 0; i < x->item->points; i++) {
    give(x, i);
    bf_check_bound_at(x->forms, x->item->readout, stored_point(x, i), &x->stored[i]);
  }
  give(x, -1);
}

/* What the best of the stored tangents gives, and which that is. */
static double best_stored(const BfCheckClaims *x, const BfCheckPart *part, int *of) {
  double best = -INFINITY;
  *of         = 0;
  for (int i = 0; i < x->item->points && best < x->lower; i++) {
    const double bound = bf_check_on(x->forms, &x->stored[i], part);
    if (bound > best) best = bound, *of = i; /* not a number proves nothing */
  }
  return best;
}

/* By a stored tangent with its multipliers, where its features' forms and ranges end at about the same. */
static bool is_proved_near(BfCheckClaims *x, const BfCheckPart *part) {
  bool is = false;
  for (int i = 0; x->forms->logits && i < x->item->points && !is; i++) {
    give(x, i);
    const double best = bf_check_mixture(x->forms, x->item->readout, part, stored_point(x, i), x->other);
    x->proved         = fmax(x->proved, best);
    is                = best >= x->lower;
  }
  give(x, -1);
  return is;
}

/* By one of the stored tangents; by others where this program's forms are not those that they were made for. */
static bool is_proved_now(BfCheckClaims *x, const BfCheckPart *part) {
  int of;
  if (best_stored(x, part, &of) >= x->lower || is_proved_near(x, part)) return true;
  const double best = bf_check_search(x->forms, x->item->readout, part, x->lower, stored_point(x, of), x->other);
  x->proved         = fmax(x->proved, best);
  return best >= x->lower;
}

/* ---- by halves -------------------------------------------------------------------------------------------------- */

static void begin_box(BfCheckClaims *x, const double *box) {
  bf_check_box(x->forms, box, box + x->n);
  bound_stored(x, false);
}

/* A half of a box behind it; false: there is no double between the ends. */
static bool halve(const BfCheckClaims *x, double *box, int k, bool upper) {
  const int    n      = x->n;
  double      *half   = box + 2 * n;
  const double middle = 0.5 * box[k] + 0.5 * box[n + k];
  memcpy(half, box, sizeof *box * 2 * (size_t)n);
  half[upper ? k : n + k] = middle;
  return middle > box[k] && middle < box[n + k];
}

/* The variable that stored tangents gain most by, in the worse half; -1: none can be halved. */
static int best_halving(BfCheckClaims *x, double *box) {
  double best = -INFINITY;
  int    k    = -1, of;
  for (int i = 0; i < x->n; i++) {
    double worse = INFINITY;
    if (!halve(x, box, i, false)) continue;
    for (int upper = 0; upper < 2; upper++) {
      halve(x, box, i, upper);
      begin_box(x, box + 2 * x->n);
      worse = fmin(worse, best_stored(x, &all, &of));
    }
    if (k < 0 || worse > best) best = worse, k = i;
  }
  return k;
}

/* The cost on a box, [2][n] with room for its halves behind it: where no tangent is enough, half by half. */
static bool is_proved_by_halves(BfCheckClaims *x, double *box, int depth) {
  begin_box(x, box);
  if (is_proved_now(x, &all)) return true;
  if (depth == DEPTH || x->boxes-- == 0) return false;
  const int k = best_halving(x, box);
  for (int upper = 0; k >= 0 && upper < 2; upper++) {
    halve(x, box, k, upper);
    if (!is_proved_by_halves(x, box + 2 * x->n, depth + 1)) return false;
  }
  return k >= 0;
}

/* A part as a box of its own, in which what is not linear counts less, the more so in its halves. */
static bool is_proved_apart(BfCheckClaims *x, const BfCheckPart *part) {
  const BfTreeItem *item = x->item;
  const int         n    = x->n;
  memcpy(x->box, item->low, sizeof *x->box * (size_t)n);
  memcpy(x->box + n, item->high, sizeof *x->box * (size_t)n);
  if (part->variable >= 0) x->box[part->side == 0 ? n + part->variable : part->variable] = part->to;
  const double proved = x->proved;
  x->boxes            = BOXES;
  const bool is       = is_proved_by_halves(x, x->box, 0);
  x->proved           = proved; /* a half's is not the part's */
  bf_check_box(x->forms, item->low, item->high);
  bound_stored(x, false);
  return is;
}

/* ---- a claim ---------------------------------------------------------------------------------------------------- */

/* With means as they were for the last part of the claim, or the other ones. */
static bool is_proved(BfCheckClaims *x, const BfCheckPart *part) {
  x->proved = -INFINITY;
  x->of     = part->variable;
  if (is_proved_now(x, part)) return true;
  bound_stored(x, !x->forms->by_query);
  if (is_proved_now(x, part)) return true;
  return is_proved_apart(x, part);
}

bool bf_check_claim(BfCheckClaims *claims, const BfTreeItem *item) {
  bool holds   = true;
  claims->item = item;
  bf_check_box(claims->forms, item->low, item->high);
  bound_stored(claims, false);
  if (item->claim == BF_TREE_LEAF) return is_proved(claims, &all);
  for (int k = 0; k < claims->n && holds; k++) {
    if (item->inner_low[k] > item->low[k]) holds = is_proved(claims, &(BfCheckPart){k, 0, item->inner_low[k]});
    if (holds && item->inner_high[k] < item->high[k])
      holds = is_proved(claims, &(BfCheckPart){k, 1, item->inner_high[k]});
  }
  return holds;
}
