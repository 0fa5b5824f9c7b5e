/* With L_j = log sum_{k != j} e^(X_k - X_j), p_j = 1 / (1 + e^L_j). L_j is convex in X. Let X_k = c_k + h_k, w_k =
 * e^(c_k), q_k = w_k / W over k != j, W = sum w. Along theta h its slope is the mean of h_k - h_j, its second
 * derivative the variance of h_k, both by the shares of the others at c + theta h; so
 *
 *     L_j = log W - c_j + sum_k q_k h_k - h_j + V,    0 <= V <= 1/2 the largest variance.
 *
 * A variance is no more than (max h - min h)^2 / 4, nor than the mean of (h_k - h_i)^2, whichever i is, in which key k
 * has a share of no more than p_k / (1 - p_j), nor than 1. */
#include "check/share.h"
#include "check/elementary.h"
#include "check/unary.h"

typedef struct {
  BfLinears       *space;
  int              m;
  BfLinear *const *x;
  double           highest; /* of c */
  BfSpan          *others;  /* [m] sum_{k != j} e^(x_k - x_j) for all that lies between c and c + h */
  BfSpan          *part;    /* [m] of p_j there */
  BfSpan          *weight;  /* [m] e^(c_k - highest) */
  double          *apart;   /* [m][m] at least |h_j - h_k| */
} Shares;

int64_t bf_check_share_room(int64_t m) { return 6 * m + m * m; }

static BfSpan inverse(BfSpan e, BfSpan exponent) {
  return e.lo > 0 && isfinite(e.hi) ? bf_span_quotient(bf_span(1), e) : bf_span_exp(bf_span_negative(exponent));
}

static void compare_two(Shares *s, int j, int k) {
  const int64_t mark = s->space->used;
  const BfSpan  c    = bf_span_sub(bf_span(s->x[j]->c), bf_span(s->x[k]->c));
  BfLinear     *x    = bf_linear_new(s->space);
  bf_linear_span(s->space, x, bf_span(0));
  bf_linear_add(s->space, x, bf_span(1), s->x[j]);
  bf_linear_add(s->space, x, bf_span(-1), s->x[k]);
  bf_linear_end(s->space, x);
  const BfSpan all = bf_span_hull(x->range, c), e = bf_span_exp(all);
  s->apart[j * s->m + k] = s->apart[k * s->m + j] = bf_larger(all.hi - c.lo, c.hi - all.lo);
  s->others[k]                                    = bf_span_add(s->others[k], e);
  s->others[j]                                    = bf_span_add(s->others[j], inverse(e, all));
  s->space->used                                  = mark;
}

static void compare(Shares *s) {
  for (int j = 0; j < s->m; j++) {
    s->others[j]           = bf_span(0);
    s->apart[j * s->m + j] = 0;
  }
  for (int j = 0; j < s->m; j++)
    for (int k = 0; k < j; k++) compare_two(s, j, k);
  for (int j = 0; j < s->m; j++) {
    const BfSpan p = bf_span_quotient(bf_span(1), bf_span_add(bf_span(1), s->others[j]));
    s->part[j]     = bf_span_meet((BfSpan){0, 1}, p);
  }
}

/* false: they are so far apart that e^x has no number. */
static bool weigh(Shares *s) {
  enum { FAR = 600 };
  s->highest = -INFINITY;
  for (int j = 0; j < s->m; j++) s->highest = bf_larger(s->highest, s->x[j]->c);
  for (int j = 0; j < s->m; j++) {
    const BfLinear *x = s->x[j];
    if (!(fabs(x->c) + x->sum + x->e < FAR / 2)) return false;
    s->weight[j] = bf_span_exp(bf_span_sub(bf_span(x->c), bf_span(s->highest)));
  }
  return true;
}

/* At least 1/2 the largest variance of the others. */
static double bend(const Shares *s, int j) {
  const double *apart = s->apart, others = bf_add_down(1, -s->part[j].hi);
  const int     m    = s->m;
  int           i    = j == 0;
  double        mean = 0, widest = 0;
  for (int k = 0; k < m; k++)
    if (k != j && s->weight[k].hi > s->weight[i].hi) i = k;
  for (int k = 0; k < m; k++) {
    const double p = s->part[k].hi, q = p < others ? p / others : 1, square = apart[i * m + k] * apart[i * m + k];
    if (k != j) mean += q * square;
    for (int l = 0; l < k && k != j; l++)
      if (l != j) widest = bf_larger(widest, apart[k * m + l]);
  }
  return 0.5 * fmin(mean, 0.25 * (widest * widest));
}

/* -L_j, and its sigmoid. Slopes are any numbers near -q: what they are off by counts as often as its h is large. */
static void share(const Shares *s, int j, BfLinear *out) {
  const double curved = bend(s, j);
  double       error  = 0;
  BfSpan       all    = bf_span(0), base;
  for (int k = 0; k < s->m; k++)
    if (k != j) all = bf_span_add(all, s->weight[k]);
  base = bf_span_negative(bf_span_add(bf_span_log(all), bf_span(s->highest)));
  bf_linear_copy(s->space, s->x[j], out);
  for (int k = 0; k < s->m; k++) {
    const BfLinear *x     = s->x[k];
    const BfSpan    q     = bf_span_quotient(s->weight[k], all);
    const double    slope = bf_span_middle(q);
    if (k == j) continue;
    bf_linear_add(s->space, out, bf_span(-slope), x);
    base = bf_span_add(base, bf_span_mul(bf_span(slope), bf_span(x->c)));
    error += bf_span_half(q, slope) * (x->sum + x->e);
  }
  bf_linear_shift(out, bf_span_add(base, (BfSpan){-(curved + error), error}));
  bf_linear_end(s->space, out);
  bf_linear_meet(s->space, out, bf_span_negative(bf_span_log(s->others[j])));
  bf_unary_sigmoid(s->space, out);
}

void bf_check_shares(BfLinears *space, int m, BfLinear *const x[], BfLinear *const p[], double *room) {
  BfSpan *spans = (BfSpan *)room;
  Shares  s     = {.space  = space,
                   .m      = m,
                   .x      = x,
                   .others = spans,
                   .part   = spans + m,
                   .weight = spans + 2 * m,
                   .apart  = (double *)(spans + 3 * m)};
  compare(&s);
  const bool near = weigh(&s);
  for (int j = 0; j < m; j++) {
    if (near) share(&s, j, p[j]);
    else bf_linear_span(space, p[j], s.part[j]);
  }
}
