/* Sums of products of affine forms: rounding and radius are counted once, at the end.
 *
 * A step adds a form s x or s x y of size S_i = |s| (|c_x| + R_x) or |s| (|c_x| + R_x) (|c_y| + R_y), which |c| + sum
 * |b| + sum r + e of what it adds does not exceed. What it adds is computed with an error, of all its numbers together,
 * of at most K u S_i:
 *
 *   s x:    each number two roundings, and s is off by 2 u: K = 4.
 *   s x y:  c = c_x c_y + 1/2 sum b_x b_y, whose sum has room / 2 + 3 additions: K <= room / 2 + 8.
 *           b_k: two products and a sum of factors s c: K <= 6.
 *           r_k and e, as below: relative errors of at most 10 u, and the bracket's own, (room / 2 + 6) u R_x R_y; what
 *           r_k and e together miss of the bracket, (room + 16) u R_x R_y, because R may exceed its sum by that.
 *           Together K <= 1.5 room + 46.
 *
 * Additions to a sum of m steps: each is off by u of what it gives, over all numbers and steps at most m u sum S_i. So
 * (m + 1.5 room + 48) u sum S_i is enough for all, and goes to e; for the ends of the range, too, as these are within
 * S_i and see fewer operations.
 *
 * The product. With linear parts B = sum b xi and rests of size rho = sum r + e,
 *     X Y = c_x c_y + c_x (B_y + ..) + c_y (B_x + ..) + (B_x + ..) (B_y + ..);
 * of the last, b_x,k b_y,k xi_k^2 is within 1/2 |b_x,k b_y,k| of 1/2 b_x,k b_y,k, all else sums to at most R_x R_y -
 * sum |b_x,k b_y,k|: the middle goes to c, the bracket R_x R_y - 1/2 sum |b_x,k b_y,k| to r and e, in proportion of R_y
 * (|b_x,k| + r_x,k) + R_x (|b_y,k| + r_y,k), which sums to 2 R_x R_y.
 *
 * Or about the middles m of the ranges, of half widths h: X Y = m_x Y + m_y X - m_x m_y + (X - m_x) (Y - m_y), the last
 * within h_x h_y, which is the bracket where it is less: ranges may say more than forms. As |m| <= |c| + R, what this
 * adds is of size 4 S_i at most, and counts so. */
#include "inside.h"

void bf_affine_begin(const BfFormSpace *space, BfAffine *sum) {
  *sum = (BfAffine){.c = 0};
  no_terms(space, sum);
}

/* What a step adds to the range, s [lower, upper]. */
static inline void step(BfAffine *sum, double s, double lower, double upper, double size) {
  sum->lower += s >= 0 ? s * lower : s * upper;
  sum->upper += s >= 0 ? s * upper : s * lower;
  sum->size += size;
  sum->steps += 1;
}

/* b and r of sum += s x, and its sum of |b| + r. */
static inline void add_scaled(const BfFormSpace *space, double s, const BfAffine *x, BfAffine *sum) {
  const BfPair t = pair(s), a = pair(fabs(s));
  BfPair       b = pair(0), r = pair(0);
  for (int i = 0; i < space->room / 2; i++) {
    slope_of(sum)[i] += t * slope_in(x)[i];
    rest_of(space, sum)[i] += a * rest_in(space, x)[i];
    b += pair_abs(slope_of(sum)[i]);
    r += rest_of(space, sum)[i];
  }
  sum->spread = pair_sum(b + r);
}

void bf_affine_plus(const BfFormSpace *space, double s, const BfAffine *x, BfAffine *sum) {
  if (s == 0 || is_zero(x)) return;
  sum->c += s * x->c;
  sum->e += fabs(s) * x->e;
  if (x->spread > 0) add_scaled(space, s, x, sum);
  step(sum, s, x->lower, x->upper, fabs(s) * (fabs(x->c) + x->radius));
}

/* X Y = at_x Y + at_y X + centre, but for `bracket`; its range, a product of ends. */
typedef struct {
  double at_x, at_y, centre, bracket, size, lower, upper;
} Expansion;

/* Where an end is infinite, 0 times it is no number: nothing is known then. */
static inline void range_of_product(const BfAffine *x, const BfAffine *y, Expansion *out) {
  const double p = x->lower * y->lower, q = x->lower * y->upper, r = x->upper * y->lower, t = x->upper * y->upper;
  out->lower = smaller(smaller(p, q), smaller(r, t));
  out->upper = larger(larger(p, q), larger(r, t));
  if (!(fabs(p) + fabs(q) + fabs(r) + fabs(t) < INFINITY)) {
    out->lower = -INFINITY;
    out->upper = INFINITY;
  }
}

static Expansion expand(const BfFormSpace *space, const BfAffine *x, const BfAffine *y) {
  const BfPair *b = slope_in(x), *by = slope_in(y);
  BfPair        products = pair(0), sizes = pair(0);
  const double  mx = 0.5 * x->lower + 0.5 * x->upper, my = 0.5 * y->lower + 0.5 * y->upper;
  const double  narrow = half_width(mx, x->lower, x->upper) * half_width(my, y->lower, y->upper);
  Expansion     out    = {.at_x = x->c, .at_y = y->c, .size = (fabs(x->c) + x->radius) * (fabs(y->c) + y->radius)};
  for (int i = 0; i < space->room / 2; i++) {
    const BfPair p = b[i] * by[i];
    products += p;
    sizes += pair_abs(p);
  }
  const double wide = x->radius * y->radius - 0.5 * pair_sum(sizes);
  out.centre        = x->c * y->c + 0.5 * pair_sum(products);
  out.bracket       = BF_REMAINDER("product", wide);
  range_of_product(x, y, &out);
  if (narrow < wide) {
    out.at_x    = mx;
    out.at_y    = my;
    out.centre  = mx * y->c + my * (x->c - mx);
    out.bracket = BF_REMAINDER("product of ranges", narrow);
    out.size *= 4;
  }
  return out;
}

/* sum += s x y of a constant x, but for its e. */
static void add_constant(const BfFormSpace *space, double s, const BfAffine *x, const BfAffine *y, BfAffine *sum) {
  const double size  = fabs(y->c) + y->radius;
  Expansion    range = {0};
  range_of_product(x, y, &range);
  sum->c += s * x->c * y->c;
  sum->e += fabs(s) * (fabs(x->c) * y->e + BF_REMAINDER("constant's rest", x->e * size));
  if (y->spread > 0) add_scaled(space, s * x->c, y, sum);
  step(sum, s, range.lower, range.upper, fabs(s) * (fabs(x->c) + x->radius) * size);
}

static void add_product(const BfFormSpace *space, double s, const BfAffine *x, const BfAffine *y, BfAffine *sum) {
  const double    t      = fabs(s);
  const Expansion at     = expand(space, x, y);
  const double    half_x = 0.5 * (t * at.bracket / y->radius); /* a share of |b_y| + r_y */
  const double    half_y = 0.5 * (t * at.bracket / x->radius);
  const double    of_y   = t * BF_REMAINDER("rest by x", fabs(at.at_x)) + half_x;
  const double    of_x   = t * BF_REMAINDER("rest by y", fabs(at.at_y)) + half_y;
  const BfPair   *bx = slope_in(x), *by = slope_in(y), *rx = rest_in(space, x), *ry = rest_in(space, y);
  const BfPair    cx = pair(s * at.at_x), cy = pair(s * at.at_y), ax = pair(half_y), ay = pair(half_x);
  const BfPair    ex = pair(of_x), ey = pair(of_y);
  BfPair         *b = slope_of(sum), *r = rest_of(space, sum), all = pair(0);
  for (int i = 0; i < space->room / 2; i++) {
    b[i] += cx * by[i] + cy * bx[i];
    r[i] += (ex * rx[i] + ey * ry[i]) + (ax * pair_abs(bx[i]) + ay * pair_abs(by[i]));
    all += pair_abs(b[i]) + r[i];
  }
  sum->c += s * at.centre;
  sum->e += of_x * x->e + of_y * y->e;
  sum->spread = pair_sum(all);
  step(sum, s, at.lower, at.upper, t * at.size);
}

void bf_affine_plus_product(const BfFormSpace *space, double s, const BfAffine *x, const BfAffine *y, BfAffine *sum) {
  if (s == 0 || is_zero(x) || is_zero(y)) return;
  if (x->spread == 0) add_constant(space, s, x, y, sum);
  else if (y->spread == 0) add_constant(space, s, y, x, sum);
  else add_product(space, s, x, y, sum);
}

void bf_affine_end(const BfFormSpace *space, BfAffine *sum) {
  const double unit = BF_ROUNDING("sum", 0x1p-53 * (sum->steps + space->rounding));
  const double off  = sum->steps > 0 ? unit * sum->size + BF_TINY : 0;
  sum->e += off;
  sum->size = sum->steps = 0;
  settle(space, sum->spread, below(sum->lower - off), above(sum->upper + off), sum);
}

void bf_affine_mul(const BfFormSpace *space, const BfAffine *x, const BfAffine *y, BfAffine *out) {
  bf_affine_begin(space, out);
  bf_affine_plus_product(space, 1, x, y, out);
  bf_affine_end(space, out);
}
