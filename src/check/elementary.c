#include "check/elementary.h"
#include <stdio.h> /* before it, for its functions that print */

#include <mpfi.h>

enum { BITS = 60 }; /* more than a double's, so that a chain of a few functions costs no further ulp */

/* Registers, made at the first use. */
static mpfi_ptr reg(int i) {
  static mpfi_t number[3];
  static int    made;
  for (; made < 3; made++) mpfi_init2(number[made], BITS);
  return number[i];
}

static void put(mpfi_ptr to, BfSpan x) { mpfi_interv_d(to, x.lo, x.hi); }

static BfSpan get(mpfi_srcptr x) {
  if (mpfi_nan_p(x)) return bf_span_all();
  return (BfSpan){mpfr_get_d(&x->left, MPFR_RNDD), mpfr_get_d(&x->right, MPFR_RNDU)};
}

/* mpfi_interv_d would order its ends, and take NaN for a number. */
static int is_interval(BfSpan x) { return x.lo <= x.hi; }

/* An increasing function, correctly rounded down at the lower end, up at the upper one. At one number the true value is
 * between what it rounds down to and the next: one evaluation does. */
static BfSpan increasing(int (*function)(mpfr_ptr, mpfr_srcptr, mpfr_rnd_t), BfSpan x) {
  mpfi_ptr y = reg(0);
  if (!is_interval(x)) return bf_span_all();
  put(y, x);
  function(&y->left, &y->left, MPFR_RNDD);
  if (x.lo < x.hi) {
    function(&y->right, &y->right, MPFR_RNDU);
  } else {
    mpfr_set(&y->right, &y->left, MPFR_RNDU);
    mpfr_nextabove(&y->right);
  }
  return get(y);
}

BfSpan bf_span_exp(BfSpan x) { return increasing(mpfr_exp, x); }
BfSpan bf_span_log(BfSpan x) { return x.lo > 0 ? increasing(mpfr_log, x) : bf_span_all(); }
BfSpan bf_span_sqrt(BfSpan x) { return increasing(mpfr_sqrt, (BfSpan){x.lo < 0 ? 0 : x.lo, x.hi}); }
BfSpan bf_span_cbrt(BfSpan x) { return increasing(mpfr_cbrt, x); }

BfSpan bf_span_quotient(BfSpan x, BfSpan y) {
  if (!is_interval(x) || !is_interval(y) || !(y.lo > 0 || y.hi < 0)) return bf_span_all();
  put(reg(0), x);
  put(reg(1), y);
  mpfi_div(reg(0), reg(0), reg(1));
  return get(reg(0));
}

/* 1 / (1 + exp(-x)), with exp of one number evaluated once. */
BfSpan bf_span_sigmoid(BfSpan x) {
  const BfSpan e = bf_span_exp(bf_span_negative(x));
  if (!(e.lo >= 0)) return bf_span_all();
  put(reg(0), e);
  mpfi_add_ui(reg(0), reg(0), 1);
  mpfi_inv(reg(0), reg(0));
  return get(reg(0));
}

BfSpan bf_span_normal(BfSpan x) {
  if (!is_interval(x)) return bf_span_all();
  put(reg(0), x);
  mpfi_sqr(reg(0), reg(0));
  mpfi_div_2ui(reg(0), reg(0), 1);
  mpfi_neg(reg(0), reg(0));
  mpfi_exp(reg(0), reg(0));
  mpfi_const_pi(reg(1));
  mpfi_mul_2ui(reg(1), reg(1), 1);
  mpfi_sqrt(reg(1), reg(1));
  mpfi_div(reg(0), reg(0), reg(1));
  return get(reg(0));
}

/* Phi(x) = erfc(-x / sqrt 2) / 2, and erfc decreases: each end at the other end of its argument. */
BfSpan bf_gelu(double x) {
  mpfi_ptr at = reg(0), phi = reg(1), root = reg(2);
  if (!isfinite(x)) return bf_span_all();
  mpfi_set_d(at, -x);
  mpfi_set_ui(root, 2);
  mpfi_sqrt(root, root);
  mpfi_div(at, at, root);
  mpfr_erfc(&phi->left, &at->right, MPFR_RNDD);
  mpfr_erfc(&phi->right, &at->left, MPFR_RNDU);
  mpfi_div_2ui(phi, phi, 1);
  mpfi_mul_d(phi, phi, x);
  return get(phi);
}

const char *bf_span_text(double x, int digits, bool up, char text[BF_SPAN_TEXT]) {
  mpfi_ptr at = reg(0);
  mpfi_set_d(at, x);
  mpfr_snprintf(text, BF_SPAN_TEXT, up ? "%.*RUg" : "%.*RDg", digits, &at->left);
  return text;
}
