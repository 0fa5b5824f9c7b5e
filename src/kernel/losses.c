/* Terminal costs in lanes, compiled once for each instruction set. */
#include "kernel/kernels.h"
#include "kernel/lanes.h"

/* Logits of up to so many classes are held from pass to pass; of more, of which there may be a million, they are
 * computed again: dim products, where an exponential takes 24. */
enum { HELD = 16 };

/* Arrays of costs may stand anywhere. */
BF_INLINE BfPart get(const double *x, int p) {
  BfPart part;
  memcpy(&part, x + p * BF_PART, sizeof part);
  return part;
}
BF_INLINE void put(double *x, int p, BfPart part) { memcpy(x + p * BF_PART, &part, sizeof part); }

/* x kept within +-1e307, so that differences are finite; what is no number stays so. */
BF_INLINE BfPart bounded(BfPart x) { return part_max(part_set(-1e307), part_min(part_set(1e307), x)); }

/* Part p of (R r + b)[c]. Each product is bounded, since infinities of both signs have no sum. */
BF_INLINE BfPart logit(const BfFlatReadout *readout, int c, int p, const double *r) {
  const double *R   = readout->matrix + (int64_t)c * readout->dim;
  BfPart        sum = part_set(0.0);
  for (int a = 0; a < readout->dim; a++) sum += bounded(part_set(R[a]) * get(r + a * BF_LANES, p));
  return bounded(sum + part_set(readout->bias ? readout->bias[c] : 0));
}

/* log(1 + x) of x >= 0, to about one unit in the last place, also where 1 + x rounds to 1. u = 1 + x rounded, what that
 * lost is x - (u - 1), exactly; u = 2^k (1 + f) with 1 + f between sqrt(1/2) and sqrt(2); with s = f / (2 + f),
 * log(1 + f) = 2 atanh s = f - f^2/2 + s (f^2/2 + R), R = s^2 (2/3 + 2/5 s^2 + ...), of degree 7 in s^2 as fdlibm has
 * it (error 2^-58.45). */
BF_INLINE BfPart part_log1p(BfPart x) {
  const BfPart     one = part_set(1.0), shift = part_set(0x1.8p52), u = one + x;
  const BfPartBits bits = (BfPartBits)u, k = (bits - 0x3fe6a09e667f3bcd) >> 52; /* of sqrt(1/2) */
  const BfPart     f = (BfPart)(bits - (k << 52)) - one, e = (BfPart)(k + (BfPartBits)shift) - shift;
  const BfPart     lost = (x - (u - one)) / u, half = part_set(0.5) * f * f;
  const BfPart     s = f / (part_set(2.0) + f), z = s * s, w = z * z;
  const BfPart     even =
      w * (part_set(0x1.999999997fa04p-2) + w * (part_set(0x1.c71c51d8e78afp-3) + w * part_set(0x1.39a09d078c69fp-3)));
  const BfPart odd = z * (part_set(0x1.5555555555593p-1) +
                          w * (part_set(0x1.2492494229359p-2) +
                               w * (part_set(0x1.7466496cb03dep-3) + w * part_set(0x1.2f112df3e5244p-3))));
  const BfPart low = s * (half + (even + odd)) + e * part_set(0x1.a39ef35793c76p-33) + lost;
  return e * part_set(0x1.62e42feep-1) - ((half - low) - f);
}

/* Of one part: what BfSoftmaxSums are made of. */
typedef struct {
  BfPart    max, own, all, others, wrong;
  BfPartInt top;
} Sums;

BF_INLINE void add(BfPart x, int c, int label, Sums *s) {
  const BfPart    e     = part_exp(x - s->max);
  const BfPartInt other = s->top != c;
  s->all += e;
  s->others += (BfPart)((BfPartInt)e & other);
  if (c != label) s->wrong += e;
}

BF_INLINE Sums softmax(const BfFlatReadout *readout, int p, const double *r, int label) {
  const int few = readout->classes <= HELD;
  BfPart    held[HELD];
  Sums      s = {.max = logit(readout, 0, p, r)};
  held[0]     = s.max;
  if (!label) s.own = s.max;
  for (int c = 1; c < readout->classes; c++) {
    const BfPart    x    = logit(readout, c, p, r);
    const BfPartInt more = x > s.max;
    if (few) held[c] = x;
    s.max = (BfPart)(((BfPartInt)x & more) | ((BfPartInt)s.max & ~more));
    s.top = (more & c) | (s.top & ~more);
    if (c == label) s.own = x;
  }
  for (int c = 0; c < readout->classes; c++) add(few ? held[c] : logit(readout, c, p, r), c, label, &s);
  return s;
}

void BF_KERNEL(bf_logit)(const BfFlatReadout *readout, int c, const double *r, double *out) {
  for (int p = 0; p < BF_PARTS; p++) put(out, p, logit(readout, c, p, r));
}

void BF_KERNEL(bf_softmax)(const BfFlatReadout *readout, const double *r, int label, BfSoftmaxSums *out) {
  for (int p = 0; p < BF_PARTS; p++) {
    const Sums s = softmax(readout, p, r, label);
    put(out->max, p, s.max);
    put(out->all, p, s.all);
    put(out->wrong, p, s.wrong);
    put(out->loss, p, (s.max - s.own) + part_log1p(s.others));
  }
}

void BF_KERNEL(bf_squares)(const BfContext *context, int dim, const double *z, double *loss) {
  for (int p = 0; p < BF_PARTS; p++) {
    BfPart sum = part_set(0.0);
    for (int g = 0; g < context->tags; g++) {
      const double *y = context->target + (int64_t)g * dim;
      for (int i = context->first[g]; i < context->first[g + 1]; i++) {
        const double *from = z + (int64_t)i * dim * BF_LANES;
        BfPart        atom = part_set(0.0);
        for (int a = 0; a < dim; a++) {
          const BfPart away = get(from + a * BF_LANES, p) - part_set(y[a]);
          atom += away * away;
        }
        sum += part_set(context->mass[g]) * atom;
      }
    }
    put(loss, p, sum);
  }
}
