#include "operations.h"
#include "bellformer/enclose.h"
#include "draw.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

/* Numbers of points are long double: at least 2^-11 of what a double may be off by. */
enum { MOST = 8, POINTS = 8, FORMS = 12, BYTES = 64 + 16 * MOST, KEYS = 5 };

typedef struct {
  BfFormSpace space;
  long double xi[POINTS][MOST];
  char        arena[FORMS * BYTES] __attribute__((aligned(64)));
} Case;

typedef struct {
  BfAffine   *form;
  long double at[POINTS];
} Quantity;

static BfAffine *form(Case *c, int i) { return bf_affine_at(&c->space, (BfAffine *)c->arena, i); }

/* ---- forms by chance --------------------------------------------------------------------------------------------- */

static long double one_of(void) { return among(3) == 0 ? both_sides() : among(3) - 1; }

static void draw_space(Case *c) {
  c->space = bf_form_space(among(4) ? 1 + among(2) : among(MOST + 1));
  for (int p = 0; p < POINTS; p++)
    for (int k = 0; k < MOST; k++) c->xi[p][k] = one_of();
}

static double below(long double x) { return nextafter((double)x, -INFINITY); }
static double above(long double x) { return nextafter((double)x, INFINITY); }

/* A form about `centre`, of parts about `width`, many of them 0, and what it is at the points; its range may be tighter
 * than it says itself. */
static Quantity draw(Case *c, int i, double centre, double width) {
  Quantity  q = {.form = form(c, i)};
  BfAffine *x = q.form;
  double   *b = (double *)(x + 1), *r = b + c->space.room;
  memset(x, 0, c->space.size);
  long double spread = 0, least = INFINITY, most = -INFINITY;
  const bool  flat = among(5) == 0;
  x->c             = centre;
  for (int k = 0; k < c->space.n && !flat; k++) {
    if (among(2)) b[k] = width * both_sides();
    if (among(2)) r[k] = width * uniform();
    spread += fabsl(b[k]) + r[k];
  }
  if (among(3) == 0) x->e = width * uniform();
  x->spread = spread > 0 ? above(spread) : 0;
  x->radius = spread + x->e > 0 ? above((long double)x->spread + x->e) : 0;
  for (int p = 0; p < POINTS; p++) {
    q.at[p] = x->c + one_of() * x->e;
    for (int k = 0; k < c->space.n; k++) q.at[p] += b[k] * c->xi[p][k] + r[k] * one_of();
    least = fminl(least, q.at[p]);
    most  = fmaxl(most, q.at[p]);
  }
  if (among(3)) {
    least = fminl(least, x->c - (long double)x->radius);
    most  = fmaxl(most, x->c + (long double)x->radius);
  }
  x->lower = x->radius > 0 ? below(least) : x->c;
  x->upper = x->radius > 0 ? above(most) : x->c;
  return q;
}

static double width_of(void) {
  static const double scale[] = {1, 1, 1, 1e-3, 1e-7, 1e-12, 20, 1e6};
  return among(12) ? scale[among(8)] * uniform() : 0;
}

static Quantity draw_any(Case *c, int i) {
  static const double scale[] = {1, 1, 1e-5, 30, 1e8};
  return draw(c, i, among(6) ? scale[among(5)] * both_sides() : 0, width_of());
}

/* ---- what a form has to say -------------------------------------------------------------------------------------- */

/* z is off by `off` at most. */
static bool holds(const Case *c, const BfAffine *x, int p, long double z, long double off) {
  const double *b = bf_affine_slope(x), *r = bf_affine_rest(&c->space, x);
  long double   at = x->c, rest = x->e, size = fabsl(x->c) + x->e;
  for (int k = 0; k < c->space.n; k++) {
    at += b[k] * c->xi[p][k];
    rest += r[k];
    size += fabsl(b[k]) + r[k];
  }
  off += 0x1p-61L * size;
  return z >= x->lower - off && z <= x->upper + off && (x->radius == INFINITY || fabsl(z - at) <= rest + off);
}

static bool is_sound(const Case *c, const BfAffine *x) {
  const double *b = bf_affine_slope(x), *r = bf_affine_rest(&c->space, x);
  long double   spread = 0;
  for (int k = 0; k < c->space.room; k++) {
    if (k >= c->space.n && (b[k] != 0 || r[k] != 0)) return false;
    if (!(r[k] >= 0)) return false;
    spread += fabsl(b[k]) + r[k];
  }
  if (!(x->lower <= x->upper && x->e >= 0) || (x->spread == 0) != (spread == 0)) return false;
  if (x->radius == INFINITY) return true;
  return x->spread * (1 + 0x1p-59L) >= spread && x->radius * (1 + 0x1p-59L) >= spread + x->e &&
         x->radius <= (spread + x->e) * (1 + 0x1p-40L);
}

/* ---- operations -------------------------------------------------------------------------------------------------- */

typedef struct {
  long double value, slope; /* and how much it changes with its argument */
} Point;

/* out = f(x), beside f(x) at the points. */
typedef struct {
  const char *name;
  void (*form)(const BfFormSpace *space, const BfAffine *x, BfAffine *out);
  Point (*value)(long double x);
  double least, most, width; /* of x; width: largest that is drawn, where not all are */
} Unary;

static Point exp_of(long double x) { return (Point){expl(x), expl(x)}; }
static Point sigmoid_of(long double x) {
  const long double s = 1 / (1 + expl(-x));
  return (Point){s, s};
}
static Point tanh_of(long double x) { return (Point){tanhl(x), 1}; }
static Point relu_of(long double x) { return (Point){x > 0 ? x : 0, 1}; }
static Point gelu_of(long double x) { return (Point){0.5L * x * erfcl(-x * sqrtl(0.5L)), 2}; }
static Point square_of(long double x) { return (Point){x * x, 2 * fabsl(x)}; }
static Point reciprocal_of(long double x) { return (Point){1 / x, 1 / x / x}; }
static Point root_of(long double x) { return (Point){1 / sqrtl(x), 1 / x / sqrtl(x)}; }

static const double clip_low = -0.6, clip_high = 0.3;
static Point        clip_of(long double x) { return (Point){fminl(clip_high, fmaxl(clip_low, x)), 1}; }
static void         clip_form(const BfFormSpace *space, const BfAffine *x, BfAffine *out) {
          bf_affine_clip(space, x, clip_low, clip_high, out);
}

static const Unary unary[] = {{"exp", bf_affine_exp, exp_of, -40, 40, INFINITY},
                              {"sigmoid", bf_affine_sigmoid, sigmoid_of, -30, 30, INFINITY},
                              {"tanh", bf_affine_tanh, tanh_of, -30, 30, INFINITY},
                              {"relu", bf_affine_relu, relu_of, -1, 1, INFINITY},
                              {"gelu", bf_affine_gelu, gelu_of, -6, 6, INFINITY},
                              {"clip", clip_form, clip_of, -1, 1, INFINITY},
                              {"square", bf_affine_square, square_of, -10, 10, INFINITY},
                              {"reciprocal", bf_affine_reciprocal, reciprocal_of, 0, 20, INFINITY},
                              {"inverse root", bf_affine_inverse_root, root_of, 0, 20, INFINITY}};
enum { UNARY = sizeof unary / sizeof *unary };

static bool check_unary(Case *c, const Unary *f) {
  const Quantity x        = draw(c, 0, f->least + (f->most - f->least) * uniform() * (among(3) ? 0.1 : 1), width_of());
  const bool     in_place = among(2);
  if (f->least == 0 && !(x.form->lower > 0)) return true;
  const double size = fabs(x.form->c) + x.form->radius;
  BfAffine    *out  = in_place ? x.form : form(c, 1);
  f->form(&c->space, x.form, out);
  if (!is_sound(c, out)) return false;
  for (int p = 0; p < POINTS; p++) {
    const Point z = f->value(x.at[p]);
    if (!holds(c, out, p, z.value, 0x1p-61L * (fabsl(z.value) + z.slope * size))) return false;
  }
  return true;
}

static bool check_two(Case *c, int k) {
  const Quantity x = draw_any(c, 0), y = among(4) ? draw_any(c, 1) : x;
  const double   X = fabs(x.form->c) + x.form->radius, Y = fabs(y.form->c) + y.form->radius;
  BfAffine      *out = form(c, 2);
  if (k == 0) bf_affine_add(&c->space, x.form, y.form, out);
  if (k == 1) bf_affine_sub(&c->space, x.form, y.form, out);
  if (k == 2) bf_affine_mul(&c->space, x.form, y.form, out);
  if (!is_sound(c, out)) return false;
  if (k == 1 && x.form->radius == 0 && y.form == x.form && !(out->c == 0 && out->radius == 0)) return false;
  for (int p = 0; p < POINTS; p++) {
    const long double z = k == 0 ? x.at[p] + y.at[p] : k == 1 ? x.at[p] - y.at[p] : x.at[p] * y.at[p];
    if (!holds(c, out, p, z, 0x1p-61L * (k == 2 ? X * Y : X + Y))) return false;
  }
  return true;
}

/* x + s, s x; of s that is off by 2^-53 of itself. */
static bool check_number(Case *c, int k) {
  const Quantity    x = draw_any(c, 0);
  const long double s = (k ? 10 : x.form->c) * both_sides() / (1 + (long double)uniform());
  const double      X = fabs(x.form->c) + x.form->radius, given = k ? (double)s : among(2) ? (double)s : 1;
  BfAffine         *out   = form(c, among(2));
  const long double exact = k ? s : given;
  if (k == 0) bf_affine_shift(&c->space, x.form, given, out);
  else bf_affine_scale(&c->space, x.form, given, out);
  if (!is_sound(c, out)) return false;
  for (int p = 0; p < POINTS; p++) {
    const long double z = k ? exact * x.at[p] : exact + x.at[p];
    if (!holds(c, out, p, z, 0x1p-61L * (k ? fabsl(s) * X : X + fabsl(exact)))) return false;
  }
  return true;
}

static bool check_sum(Case *c) {
  BfAffine   *sum  = form(c, 8);
  long double size = 0, z[POINTS] = {0};
  bf_affine_begin(&c->space, sum);
  for (int i = 0; i < 1 + among(3); i++) {
    const Quantity    x = draw_any(c, 2 * i), y = draw_any(c, 2 * i + 1);
    const bool        alone = among(2);
    const long double s     = both_sides() / (1 + (long double)uniform());
    if (alone) bf_affine_plus(&c->space, (double)s, x.form, sum);
    else bf_affine_plus_product(&c->space, (double)s, x.form, y.form, sum);
    for (int p = 0; p < POINTS; p++) z[p] += s * x.at[p] * (alone ? 1 : y.at[p]);
    size += fabsl(s) * (fabs(x.form->c) + x.form->radius) * (alone ? 1 : fabs(y.form->c) + y.form->radius);
  }
  bf_affine_end(&c->space, sum);
  if (!is_sound(c, sum)) return false;
  for (int p = 0; p < POINTS; p++)
    if (!holds(c, sum, p, z[p], 0x1p-60L * size)) return false;
  return true;
}

/* An interval, attributed like another form or not; what is met with a range that holds it. */
static bool check_range(Case *c, bool meets) {
  const Quantity    x     = draw_any(c, 0);
  BfAffine         *out   = form(c, among(2));
  const long double size  = fabs(x.form->c) + x.form->radius;
  long double       least = INFINITY, most = -INFINITY;
  for (int p = 0; p < POINTS; p++) {
    least = fminl(least, x.at[p]);
    most  = fmaxl(most, x.at[p]);
  }
  if (among(2)) most = fmaxl(most, least + x.form->radius * uniform() / 8);
  if (meets) {
    bf_affine_copy(&c->space, x.form, out);
    bf_affine_meet(&c->space, below(least), above(most), out);
  } else {
    bf_affine_interval(&c->space, below(least), above(most), among(2) ? x.form : NULL, out);
  }
  if (!is_sound(c, out)) return false;
  for (int p = 0; p < POINTS; p++)
    if (!holds(c, out, p, x.at[p], 0x1p-61L * size)) return false;
  return meets || (holds(c, out, 0, below(least), 0) && holds(c, out, 0, above(most), 0));
}

/* A variable: at its ends, too. */
static bool check_variable(Case *c) {
  const double scale = width_of(), a = 10 * both_sides(), b = a + scale * uniform();
  const int    k   = c->space.n ? among(c->space.n) : -1;
  BfAffine    *out = form(c, 0);
  if (k < 0) return true;
  bf_affine_variable(&c->space, k, a, b, out);
  c->xi[0][k]         = -1;
  c->xi[1][k]         = 1;
  const long double w = bf_affine_slope(out)[k];
  for (int p = 0; p < POINTS; p++) {
    const long double x = fminl(b, fmaxl(a, out->c + w * c->xi[p][k]));
    if (!holds(c, out, p, x, w * 0x1p-50L + 0x1p-52L * fabs(out->c))) return false;
  }
  return is_sound(c, out) && out->c - w <= a && out->c + w >= b;
}

/* Shares of a softmax; some arguments are far apart, or equal. A share moves by at most p (1 - p) with its logits. */
static bool check_softmax(Case *c) {
  static BfAffine work[64] __attribute__((aligned(64)));
  const int       m = 2 + among(KEYS - 1), alike = among(8) == 0;
  const double    width = width_of(), scale = among(20) ? 3 : 300;
  Quantity        x[KEYS] = {0};
  long double     size    = 0;
  for (int k = 0; k < m; k++) {
    x[k] =
        draw(c, k, alike ? 0 : scale * both_sides() * uniform(), (among(8) ? width : 0) * (among(3) ? 1 : uniform()));
    size = fmaxl(size, fabs(x[k].form->c) + x[k].form->radius);
  }
  bf_affine_softmax(&c->space, m, form(c, 0), form(c, KEYS), work);
  for (int k = 0; k < m; k++) {
    const BfAffine *p = form(c, KEYS + k);
    if (!is_sound(c, p)) return false;
    for (int i = 0; i < POINTS; i++) {
      long double others = 0;
      for (int j = 0; j < m; j++) others += j == k ? 0 : expl(x[j].at[i] - x[k].at[i]);
      const long double z = 1 / (1 + others);
      if (!holds(c, p, i, z, 0x1p-61L * z * (2 + 2 * size))) return false;
    }
  }
  return true;
}

static const char *const others[OPERATIONS - UNARY] = {
    "add", "sub", "mul", "shift", "scale", "sum", "interval", "meet or variable", "softmax"};

const char *operation_name(int k) { return k < UNARY ? unary[k].name : others[k - UNARY]; }

static bool check(Case *c, int k) {
  draw_space(c);
  if (k < UNARY) return check_unary(c, &unary[k]);
  k -= UNARY;
  if (k < 3) return check_two(c, k);
  if (k < 5) return check_number(c, k - 3);
  if (k == 5) return check_sum(c);
  if (k == 6) return check_range(c, false);
  if (k == 8) return check_softmax(c);
  return among(2) ? check_range(c, true) : check_variable(c);
}

int64_t operation_misses(int k, int64_t cases, int64_t most) {
  static Case c;
  int64_t     misses = 0;
  for (int64_t i = 0; i < cases && misses < most; i++) misses += !check(&c, k);
  return misses;
}
