/* Eight doubles at once, or floats, and what the kernels need of them. Included only by kernels that are compiled once
 * for each instruction set. Every lane sees the same instructions, so that every place in a block gives the same bits.
 * In kernels compiled with -ffp-contract=off every instruction set gives the same bits too; in those of fused_sources
 * (meson.build: the velocity's, those of many heads) whatever stands here is fused where the instruction set can. */
#pragma once
#include "bellformer/kernel.h"
#include <float.h>
#include <stdint.h>
#include <string.h>

#if defined(__AVX512F__) || defined(__AVX__)
#include <immintrin.h>
#endif

typedef double  BfLane __attribute__((vector_size(8 * BF_LANES)));
typedef int64_t BfLaneInt __attribute__((vector_size(8 * BF_LANES)));
typedef BfLane  BfLoose __attribute__((aligned(8))); /* in arrays of others: PETSc aligns vectors to 16 bytes */

#define BF_INLINE static inline __attribute__((always_inline))

BF_INLINE BfLane lane_set(double x) { return (BfLane){x, x, x, x, x, x, x, x}; }

/* max(a, b), and b where a is not a number: a > b ? a : b. */
BF_INLINE BfLane lane_max(BfLane a, BfLane b) {
#if defined(__AVX512F__)
  return (BfLane)_mm512_max_pd((__m512d)a, (__m512d)b);
#else
  const BfLaneInt m = a > b;
  return (BfLane)(((BfLaneInt)a & m) | ((BfLaneInt)b & ~m));
#endif
}

/* a < b ? a : b, hence b where a is not a number. */
BF_INLINE BfLane lane_min(BfLane a, BfLane b) {
#if defined(__AVX512F__)
  return (BfLane)_mm512_min_pd((__m512d)a, (__m512d)b);
#else
  const BfLaneInt m = a < b;
  return (BfLane)(((BfLaneInt)a & m) | ((BfLaneInt)b & ~m));
#endif
}

/* As many of eight lanes as one register holds, for loops that carry them from step to step: GCC keeps a vector wider
 * than its registers in memory. */
#if defined(__AVX512F__)
#define BF_PARTS 1
#elif defined(__AVX__)
#define BF_PARTS 2
#else
#define BF_PARTS 4
#endif
enum { BF_PART = BF_LANES / BF_PARTS };
typedef double   BfPart __attribute__((vector_size(8 * BF_LANES / BF_PARTS)));
typedef int64_t  BfPartInt __attribute__((vector_size(8 * BF_LANES / BF_PARTS)));
typedef uint64_t BfPartBits __attribute__((vector_size(8 * BF_LANES / BF_PARTS))); /* whose shifts may lose bits */

BF_INLINE BfPart part_set(double x) { return x - (BfPart){0}; }

/* As lane_max, lane_min. */
BF_INLINE BfPart part_max(BfPart a, BfPart b) {
#if defined(__AVX512F__)
  return (BfPart)_mm512_max_pd((__m512d)a, (__m512d)b);
#elif defined(__AVX__)
  return (BfPart)_mm256_max_pd((__m256d)a, (__m256d)b);
#else
  const BfPartInt m = a > b;
  return (BfPart)(((BfPartInt)a & m) | ((BfPartInt)b & ~m));
#endif
}

BF_INLINE BfPart part_min(BfPart a, BfPart b) {
#if defined(__AVX512F__)
  return (BfPart)_mm512_min_pd((__m512d)a, (__m512d)b);
#elif defined(__AVX__)
  return (BfPart)_mm256_min_pd((__m256d)a, (__m256d)b);
#else
  const BfPartInt m = a < b;
  return (BfPart)(((BfPartInt)a & m) | ((BfPartInt)b & ~m));
#endif
}

/* Where a == b: x, else y. */
BF_INLINE BfPart part_where_equal(BfPart a, BfPart b, BfPart x, BfPart y) {
#if defined(__AVX512F__)
  return (BfPart)_mm512_mask_mov_pd((__m512d)y, _mm512_cmp_pd_mask((__m512d)a, (__m512d)b, _CMP_EQ_OQ), (__m512d)x);
#else
  const BfPartInt m = a == b;
  return (BfPart)(((BfPartInt)x & m) | ((BfPartInt)y & ~m));
#endif
}

/* Where q < best: best = q and id = the given one. Equal values keep the earlier id. */
BF_INLINE void part_keep_less(BfPart q, int64_t number, BfPart *best, BfPartInt *id) {
#if defined(__AVX512F__)
  const __mmask8 less = _mm512_cmp_pd_mask((__m512d)q, (__m512d)*best, _CMP_LT_OQ);
  *best               = (BfPart)_mm512_mask_mov_pd((__m512d)*best, less, (__m512d)q);
  *id                 = (BfPartInt)_mm512_mask_set1_epi64((__m512i)*id, less, number);
#else
  const BfPartInt less = q < *best;
  *best                = (BfPart)(((BfPartInt)q & less) | ((BfPartInt)*best & ~less));
  *id                  = (less & number) | (*id & ~less);
#endif
}

/* Part p of a lane vector in memory. */
BF_INLINE BfPart part_of(const BfLane *lane, int p) { return ((const BfPart *)lane)[p]; }
BF_INLINE void   part_put(BfLane *lane, int p, BfPart x) { ((BfPart *)lane)[p] = x; }

/* exp(x) for x <= 0, to about one unit in the last place; exactly 1 at 0, and 0 below -708 (where the true value is
 * less than 1e-307: never a maximum, hence never alone in a sum). x = k ln 2 + r with |r| <= ln 2 / 2; e^r = 1 + r +
 * r^2 q(r), q of degree 9 interpolated at the Chebyshev nodes (relative error 2e-17); then k is added to the exponent
 * bits. 24 multiplications and additions. */
BF_INLINE BfPart part_exp(BfPart x) {
  const BfPart shift = part_set(0x1.8p52), lowest = part_set(-708.0);
  const BfPart bounded = part_max(x, lowest);
  const BfPart rounded = bounded * part_set(0x1.71547652b82fep0) + shift; /* k in the low bits */
  const BfPart k       = rounded - shift;
  const BfPart r       = (bounded - k * part_set(0x1.62e42feep-1)) - k * part_set(0x1.a39ef35793c76p-33);
  const BfPart r2 = r * r, r4 = r2 * r2;
  const BfPart q01 = part_set(0.5000000000000001) + r * part_set(0.16666666666666669);
  const BfPart q23 = part_set(0.04166666666662399) + r * part_set(0.008333333333330051);
  const BfPart q45 = part_set(0.0013888888917281794) + r * part_set(0.00019841269863105968);
  const BfPart q67 = part_set(2.480152119021773e-05) + r * part_set(2.7557268378684192e-06);
  const BfPart q89 = part_set(2.7620138719733994e-07) + r * part_set(2.5100424157005067e-08);
  const BfPart q   = (q01 + r2 * q23) + r4 * ((q45 + r2 * q67) + r4 * q89);
  const BfPart e   = part_set(1.0) + (r + r2 * q);
  const BfPart y   = (BfPart)((BfPartBits)e + ((BfPartBits)rounded << 52));
  return (BfPart)((BfPartInt)y & (BfPartInt)(x >= lowest));
}

/* 2^t for |t| <= 1021, to about one unit in the last place; exactly 1 at 0. t = k + f with |f| <= 1/2; 2^f = 1 + f
 * q(f), q of degree 10 interpolated at the Chebyshev nodes (relative error 2e-17). 14 multiplications, of which 11 are
 * fused with an addition, and 3 additions. Adding 1023 + k to exponent bits, as part_exp does, would be no faster:
 * whole numbers are added by the units that multiply. */
BF_INLINE BfPart part_exp2(BfPart t) {
  const BfPart shift   = part_set(0x1.8p52 + 1023);
  const BfPart rounded = t + shift; /* 1023 + k in the low bits */
  const BfPart f = t - (rounded - shift), f2 = f * f, f4 = f2 * f2;
  const BfPart q01   = part_set(0x1.62e42fefa39efp-1) + f * part_set(0x1.ebfbdff82c598p-3);
  const BfPart q23   = part_set(0x1.c6b08d704a0c2p-5) + f * part_set(0x1.3b2ab6fba1ddap-7);
  const BfPart q45   = part_set(0x1.5d87fe78a5276p-10) + f * part_set(0x1.430913096fd9fp-13);
  const BfPart q67   = part_set(0x1.ffcbfc670dcd4p-17) + f * part_set(0x1.62bfd47773353p-20);
  const BfPart q89   = part_set(0x1.b524fae627834p-24) + f * part_set(0x1.e6063f7217bc6p-28);
  const BfPart q810  = q89 + f2 * part_set(0x1.e9d3fe3952179p-32);
  const BfPart power = (BfPart)((BfPartBits)rounded << 52); /* 2^k */
  const BfPart q     = (q01 + f2 * q23) + f4 * ((q45 + f2 * q67) + f4 * q810);
  return power + (f * power) * q;
}

/* Eight floats, and whole numbers as wide: half a register of doubles. */
typedef float   BfShort __attribute__((vector_size(4 * BF_LANES)));
typedef int32_t BfShortInt __attribute__((vector_size(4 * BF_LANES)));

BF_INLINE BfShort short_set(float x) { return (BfShort){x, x, x, x, x, x, x, x}; }

/* As lane_max, lane_min. */
BF_INLINE BfShort short_max(BfShort a, BfShort b) {
#if defined(__AVX__)
  return (BfShort)_mm256_max_ps((__m256)a, (__m256)b);
#else
  const BfShortInt m   = a > b;
  return (BfShort)(((BfShortInt)a & m) | ((BfShortInt)b & ~m));
#endif
}

BF_INLINE BfShort short_min(BfShort a, BfShort b) {
#if defined(__AVX__)
  return (BfShort)_mm256_min_ps((__m256)a, (__m256)b);
#else
  const BfShortInt m = a < b;
  return (BfShort)(((BfShortInt)a & m) | ((BfShortInt)b & ~m));
#endif
}

BF_INLINE BfLane lane_exp(BfLane x) {
  BfLane y;
  for (int p = 0; p < BF_PARTS; p++) part_put(&y, p, part_exp(part_of(&x, p)));
  return y;
}
