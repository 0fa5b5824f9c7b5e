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
 * (|b_x,k| + r_x,k) + R_x (|b_y,k| + r_y,k), which sums to 2 R_x R_y. */
#include "inside.h"

void bf_affine_begin(const BfFormSpace *space, BfAffine *sum) {
  *sum = (BfAffine){.c = 0};
  no_terms(space, sum);
}

static void add_range(double s, double lower, double upper, BfAffine *sum) {
  sum->lower += s >= 0 ? s * lower : s * upper;
  sum->upper += s >= 0 ? s * upper : s * lower;
}

/* sum += s x + s' with |s'| <= e, of a size. */
static inline void add_scaled(const BfFormSpace *space, double s, const BfAffine *x, double e, double size,
                              BfAffine *sum) {
  sum->c += s * x->c;
  sum->e += e;
  sum->size += size;
  sum->steps += 1;
  if (x->spread == 0) return;
  sum->spread    = 1;
  const BfPair t = pair(s), a = pair(fabs(s));
  for (int i = 0; i < space->room / 2; i++) {
    slope_of(sum)[i] += t * slope_in(x)[i];
    rest_of(space, sum)[i] += a * rest_in(space, x)[i];
  }
}

void bf_affine_plus(const BfFormSpace *space, double s, const BfAffine *x, BfAffine *sum) {
  if (s == 0 || is_zero(x)) return;
  add_range(s, x->lower, x->upper, sum);
  add_scaled(space, s, x, fabs(s) * x->e, fabs(s) * (fabs(x->c) + x->radius), sum);
}

/* The range of a product is within the least and largest of those of ends. */
static void add_product_range(double s, const BfAffine *x, const BfAffine *y, BfAffine *sum) {
  const double p = x->lower * y->lower, q = x->lower * y->upper, r = x->upper * y->lower, t = x->upper * y->upper;
  const double low = p < q ? p : q, most = p < q ? q : p, other_low = r < t ? r : t, other_most = r < t ? t : r;
  add_range(s, low < other_low ? low : other_low, most > other_most ? most : other_most, sum);
}

void bf_affine_plus_product(const BfFormSpace *space, double s, const BfAffine *x, const BfAffine *y, BfAffine *sum) {
  if (s == 0 || is_zero(x) || is_zero(y)) return;
  if (y->spread == 0) {
    const BfAffine *swap = x;
    x                    = y;
    y                    = swap;
  }
  const double X = fabs(x->c), Y = fabs(y->c), Rx = x->radius, Ry = y->radius, t = fabs(s);
  const double size = t * (X + Rx) * (Y + Ry);
  add_product_range(s, x, y, sum);
  if (x->spread == 0) { /* a constant but for its e */
    const double missed = BF_REMAINDER("constant's rest", x->e * (Y + Ry));
    add_scaled(space, s * x->c, y, t * (X * y->e + missed), size, sum);
    return;
  }
  const int     n  = space->room / 2;
  const BfPair *bx = slope_in(x), *by = slope_in(y), *rx = rest_in(space, x), *ry = rest_in(space, y);
  BfPair       *b = slope_of(sum), *r = rest_of(space, sum), products = pair(0), sizes = pair(0);
  for (int i = 0; i < n; i++) {
    const BfPair p = bx[i] * by[i];
    products += p;
    sizes += pair_abs(p);
  }
  const double bracket = t * BF_REMAINDER("product", Rx * Ry - 0.5 * pair_sum(sizes));
  const double half_x = 0.5 * (bracket / Ry), half_y = 0.5 * (bracket / Rx); /* a share of |b_y| + r_y, of the others */
  const double of_y = t * BF_REMAINDER("rest by x", X) + half_x, of_x = t * BF_REMAINDER("rest by y", Y) + half_y;
  const BfPair cx = pair(s * x->c), cy = pair(s * y->c), ax = pair(half_y), ay = pair(half_x), ex = pair(of_x),
               ey = pair(of_y);
  for (int i = 0; i < n; i++) {
    b[i] += cx * by[i] + cy * bx[i];
    r[i] += (ex * rx[i] + ey * ry[i]) + (ax * pair_abs(bx[i]) + ay * pair_abs(by[i]));
  }
  sum->c += s * x->c * y->c + 0.5 * s * pair_sum(products);
  sum->e += of_x * x->e + of_y * y->e;
  sum->size += size;
  sum->steps += 1;
  sum->spread = 1; /* there are terms */
}

void bf_affine_end(const BfFormSpace *space, BfAffine *sum) {
  const double off =
      sum->size > 0 ? BF_ROUNDING("sum", 0x1p-53 * (sum->steps + space->rounding)) * sum->size + BF_TINY : 0;
  BfPair b = pair(0), r = pair(0);
  for (int i = 0; sum->spread > 0 && i < space->room / 2; i++) {
    b += pair_abs(slope_of(sum)[i]);
    r += rest_of(space, sum)[i];
  }
  sum->e += off;
  sum->size = sum->steps = 0;
  settle(space, b + r, below(sum->lower - off), above(sum->upper + off), sum);
}

void bf_affine_mul(const BfFormSpace *space, const BfAffine *x, const BfAffine *y, BfAffine *out) {
  bf_affine_begin(space, out);
  bf_affine_plus_product(space, 1, x, y, out);
  bf_affine_end(space, out);
}
