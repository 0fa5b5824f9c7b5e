/* The shares of a softmax.
 *
 * p_j = 1 / (1 + e^L_j) with L_j = log sum_{k != j} e^(X_k - X_j), a sigmoid, whose chord is the best there is, of what
 * is convex and nearly linear. With X_k = c_k + h_k and q the shares of the others among themselves (q_j = 0), Taylor:
 *
 *     L_j = L_j(c) + sum_k q_k(c) h_k - h_j + V,    0 <= V <= 1/2 sup Var_q(h)
 *
 * over all q that belong to c + theta h, 0 <= theta <= 1. A variance is at most the quarter of a squared range, and at
 * most a mean square about anything, here about the others' heaviest i:
 *
 *     Var_q(h) <= max_{k, l != j} (h_k - h_l)^2 / 4,    Var_q(h) <= sum_k q_k (h_k - h_i)^2,    q_k <= p_k / (1 - p_j).
 *
 * L_j is moreover within what the ends of all differences say. p is in what they say, on all of these segments. */
#include "inside.h"

static const double far = 170; /* of |c| and of radius; differences are below 700, where exp is enclosed tightly */

typedef struct {
  const BfFormSpace *space;
  int                m;
  const BfAffine    *x;
  BfAffine          *sum, *one;
  double            *apart;        /* [m][m] at least |h_j - h_k| */
  double            *least, *most; /* [m] of sum_{k != j} e^(X_k - X_j) */
  double            *low, *high;   /* [m] of p_j */
  double            *weight;       /* [m] e^(c_j - max c), about */
  double             unit;         /* sums of m + 6 terms of one sign are off by less than that of themselves */
  double             off;          /* see reach */
  int                widest[2];    /* the two that are most apart */
} Softmax;

static const BfAffine *argument(const Softmax *s, int j) { return bf_affine_at(s->space, s->x, j); }

static Softmax begin(const BfFormSpace *space, int m, const BfAffine *x, BfAffine *work) {
  double *room = (double *)bf_affine_at(space, work, 2);
  return (Softmax){.space  = space,
                   .m      = m,
                   .x      = x,
                   .sum    = work,
                   .one    = bf_affine_at(space, work, 1),
                   .apart  = room + 5 * m,
                   .least  = room,
                   .most   = room + m,
                   .low    = room + 2 * m,
                   .high   = room + 3 * m,
                   .weight = room + 4 * m,
                   .unit   = 0x1p-52 * (m + 8)};
}

/* X_j - X_k and c_j - c_k are in [l, h], which holds what is between them, too; c is off by u of it. What is added from
 * below is finite. */
static void compare_two(Softmax *s, int j, int k) {
  bf_affine_sub(s->space, argument(s, j), argument(s, k), s->one);
  const double     c = s->one->c, l = smaller(s->one->lower, below(c)), h = larger(s->one->upper, above(c));
  const BfEnclosed at_l = bf_enclose_exp(l), at_h = bf_enclose_exp(h);
  const double     apart = above(above(larger(h - c, c - l)) + 0x1p-52 * fabs(c));
  s->apart[j * s->m + k] = s->apart[k * s->m + j] = apart;
  if (apart > s->apart[s->widest[0] * s->m + s->widest[1]]) {
    s->widest[0] = j;
    s->widest[1] = k;
  }
  s->least[k] += smaller(at_l.down, 0x1p960);
  s->most[k] += at_h.up;
  s->least[j] += smaller(1 / at_h.up, 0x1p960);
  s->most[j] += 1 / at_l.down;
}

/* Each quotient is two operations. */
static void compare(Softmax *s) {
  memset(s->least, 0, 2 * sizeof(double) * (size_t)s->m);
  memset(s->apart, 0, sizeof(double) * (size_t)s->m * (size_t)s->m);
  for (int j = 0; j < s->m; j++)
    for (int k = 0; k < j; k++) compare_two(s, j, k);
  for (int j = 0; j < s->m; j++) {
    s->least[j] *= 1 - s->unit;
    s->most[j] *= 1 + s->unit;
    s->low[j]  = below(below(1 / (1 + s->most[j])));
    s->high[j] = above(above(1 / (1 + s->least[j])));
  }
}

/* Weights, where all is near enough; false: it is not. `off` is at least what roundings do to L_j. C >= |c|, |h|. As
 * parts of themselves, weights are off by 2 C u (the difference c - max c) and 2^-48, their sum by m u more, q by 2^-47
 * + 4 C u
 * + (m + 3) u, which sum q h sees times C. The logarithm of the sum is off by 2^-48 + 2 C u + m u, its enclosure by
 * 2^-48 (2 C + log m); sum q c, of m terms, by (m + 3) 2 C u, the sum of these and max c by u (8 C + log m). In all
 * less than (1 + C) (2^-45 (1 + C) + 2^-50 m); as much again is more than two more operations, on these and on V, may
 * lose. */
static int reach(Softmax *s) {
  double C = 0, most = -INFINITY;
  for (int j = 0; j < s->m; j++) {
    const BfAffine *x = argument(s, j);
    if (!(x->radius < far && fabs(x->c) < far)) return 0;
    C    = larger(C, larger(fabs(x->c), x->radius));
    most = larger(most, x->c);
  }
  for (int j = 0; j < s->m; j++) s->weight[j] = bf_enclose_exp(argument(s, j)->c - most).up;
  s->off = (1 + C) * (0x1p-44 * (1 + C) + 0x1p-49 * s->m);
  return 1;
}

/* At least max (h_k - h_l)^2 of the others. */
static double widest_square(const Softmax *s, int j) {
  const int m    = s->m;
  double    most = 0;
  if (j != s->widest[0] && j != s->widest[1]) {
    most = s->apart[s->widest[0] * m + s->widest[1]];
  } else {
    for (int k = 0; k < m; k++)
      for (int l = 0; l < k && k != j; l++)
        if (l != j) most = larger(most, s->apart[k * m + l]);
  }
  return above(most * most);
}

/* At least sup Var_q(h) / 2 of the others; each term is at most five operations. */
static double curvature(const Softmax *s, int j) {
  const int m     = s->m;
  int       heavy = j == 0;
  double    sum = 0, others = 1 - s->high[j];
  for (int k = 0; k < m; k++)
    if (k != j && s->weight[k] > s->weight[heavy]) heavy = k;
  for (int k = 0; k < m; k++) {
    const double apart = s->apart[heavy * m + k];
    if (k != j) sum += (s->high[k] < others ? s->high[k] / others : 1) * apart * apart;
  }
  return 0.5 * smaller(BF_REMAINDER("softmax by range", 0.25 * widest_square(s, j)),
                       BF_REMAINDER("softmax by weight", sum * (1 + s->unit)));
}

/* -L_j, and its sigmoid. */
static void share(const Softmax *s, int j, BfAffine *out) {
  const BfFormSpace *space  = s->space;
  double             others = 0, at = argument(s, j)->c, most = -INFINITY;
  for (int k = 0; k < s->m; k++)
    if (k != j) others += s->weight[k];
  bf_affine_begin(space, s->sum);
  bf_affine_plus(space, 1, argument(s, j), s->sum);
  for (int k = 0; k < s->m; k++) {
    const BfAffine *x = argument(s, k);
    most              = larger(most, x->c);
    if (k == j) continue;
    const double q = s->weight[k] / others;
    bf_affine_plus(space, -q, x, s->sum);
    at -= q * x->c;
  }
  bf_affine_end(space, s->sum);
  const BfEnclosed all = bf_enclose_log(others), low = bf_enclose_log(s->least[j]), high = bf_enclose_log(s->most[j]);
  const double     rest = (argument(s, j)->c - most) - 0.5 * (all.down + all.up) - at;
  bf_affine_interval(space, rest - curvature(s, j) - s->off, rest + s->off, s->sum->radius > 0 ? s->sum : NULL, s->one);
  bf_affine_add(space, s->sum, s->one, out);
  bf_affine_meet(space, -high.up, -low.down, out);
  bf_affine_sigmoid(space, out, out);
}

void bf_affine_softmax(const BfFormSpace *space, int m, const BfAffine *x, BfAffine *out, BfAffine *work) {
  Softmax s = begin(space, m, x, work);
  compare(&s);
  const int near = reach(&s);
  for (int j = 0; j < m; j++) {
    BfAffine *p = bf_affine_at(space, out, j);
    if (near) share(&s, j, p);
    else bf_affine_interval(space, s.low[j], s.high[j], argument(&s, j ? j : 1), p);
  }
}
