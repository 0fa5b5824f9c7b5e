/* image_row, once for lanes of floats and once for lanes of doubles: REAL is a vector of BF_LANES numbers, MASK one of
 * integers as wide, SCALAR a number of it, FACE(name) the function for it: short_name or lane_name (lanes.h, and here).
 * BASE, MARGIN, SUMS are the fields of images.h that hold such numbers, UNIT is the rounding unit, and adding ROUNDING
 * rounds to a whole number. Included by images.c alone. */

/* What is the same for all images, as vectors. */
typedef struct {
  REAL margin[BF_MOST_DIM], low[BF_MOST_DIM], high[BF_MOST_DIM], cells[BF_MOST_DIM];
} FACE(axes);

/* Of `nearest`, to which what is beyond the middle of the first or of the last cell is as good as there: borders are
 * 1 .. n-1. */
BF_INLINE void FACE(load_axes)(const int d, const int split, const BfImageShape *shape, FACE(axes) * axes) {
  for (int a = 0; a < d; a++) {
    const double n = shape->table->cells[a], low = split ? 0.5 : shape->low[a], high = split ? n - 0.5 : shape->high[a];
    axes->margin[a] = ((const REAL *)shape->MARGIN)[a];
    axes->low[a]    = FACE(set)((SCALAR)(low > 0.5 ? low : 0.5));
    axes->high[a]   = FACE(set)((SCALAR)(high < n - 0.5 ? high : n - 0.5));
    axes->cells[a]  = FACE(set)((SCALAR)n);
  }
}

BF_INLINE REAL FACE(round)(REAL x) { return (x + FACE(set)(ROUNDING)) - FACE(set)(ROUNDING); }

/* On the sphere x = x / |x|, in units of cells; returns the factor by which that widens what an image may be off by.
 * Clipping comes later. */
BF_INLINE REAL FACE(to_cells)(const int d, const BfImageShape *shape, REAL *x) {
  REAL wide = FACE(set)(1), norm2 = FACE(set)(0);
  if (!shape->table->layer.unit) return wide;
  for (int a = 0; a < d; a++) norm2 += x[a] * x[a];
  for (int l = 0; l < BF_LANES; l++) {
    const int sound = norm2[l] > (SCALAR)1e-30 && norm2[l] < (SCALAR)1e30;
    wide[l]         = sound ? 1 / (SCALAR)__builtin_sqrt((double)norm2[l]) : (SCALAR)1e30;
  }
  for (int a = 0; a < d; a++)
    x[a] = (x[a] * wide - FACE(set)((SCALAR)shape->table->lower[a])) / FACE(set)((SCALAR)shape->table->width[a]);
  return FACE(max)(FACE(set)(1), wide);
}

/* Image of cell q in units of cells; to where atoms of the own law and of the rest are seen. */
BF_INLINE REAL FACE(image)(const int d, const BfImageShape *shape, int q, const REAL *own, const REAL *rest, REAL *x) {
  const int heads = shape->table->layer.heads;
  for (int a = 0; a < d; a++) x[a] = ((const REAL *)shape->BASE)[q * d + a];
  for (int h = 0; h < heads; h++) {
    const int64_t at      = ((int64_t)q * heads + h) * (1 + d);
    const REAL    inverse = FACE(set)(1) / (own[at] + rest[at]);
    for (int a = 0; a < d; a++) x[a] += (own[at + 1 + a] + rest[at + 1 + a]) * inverse;
  }
  return FACE(to_cells)(d, shape, x);
}

/* The nearest cell, row-major; slack: by how much the nearest border is farther than the image may be off. */
BF_INLINE REAL FACE(cell_of)(const int d, const FACE(axes) * axes, const REAL *x, REAL wide, REAL *slack) {
  REAL cell = FACE(set)(0);
  for (int a = 0; a < d; a++) {
    const REAL t = FACE(min)(FACE(max)(x[a], axes->low[a]), axes->high[a]);
    const REAL r = FACE(round)(t), off = FACE(max)(t - r, r - t);
    *slack = FACE(min)(off - axes->margin[a] * wide, *slack);
    cell   = cell * axes->cells[a] + (r - (REAL)((MASK)FACE(set)(1) & (MASK)(r > t)));
  }
  return cell;
}

/* sum over k of C(c_k + k - 1, k), cells sorted; exact up to the last rounding, which takes it to an integer. */
BF_INLINE REAL FACE(rank_sorted)(const int atoms, REAL *cell) {
  for (int i = 1; i < atoms; i++)
    for (int j = i; j > 0; j--) { /* insertion, as a network */
      const REAL low = FACE(min)(cell[j - 1], cell[j]), high = FACE(max)(cell[j - 1], cell[j]);
      cell[j - 1] = low;
      cell[j]     = high;
    }
  REAL rank = cell[0];
  for (int k = 2; k <= atoms; k++) {
    REAL   term      = cell[k - 1];
    SCALAR factorial = 1;
    for (int i = 1; i < k; i++) {
      term *= cell[k - 1] + FACE(set)((SCALAR)i);
      factorial /= (SCALAR)(i + 1);
    }
    rank += term * FACE(set)(factorial);
  }
  return FACE(round)(rank);
}

/* Add `times` atoms at x to the masses of the centres around them. */
BF_INLINE void FACE(share)(const int d, const BfImageShape *shape, const FACE(axes) * axes, const REAL *x, SCALAR times,
                           REAL *mass) {
  REAL part[BF_MOST_IMAGE_CELLS];
  int  count = 1;
  part[0]    = FACE(set)(times);
  for (int a = 0; a < d; a++) {
    const int  n = (int)shape->table->cells[a];
    const REAL s = FACE(min)(FACE(max)(x[a], axes->low[a]), axes->high[a]) - FACE(set)((SCALAR)0.5);
    for (int e = count - 1; e >= 0; e--) {
      const REAL whole = part[e];
      for (int i = n - 1; i >= 0; i--) {
        const REAL off  = s - FACE(set)((SCALAR)i);
        part[e * n + i] = whole * FACE(max)(FACE(set)(1) - FACE(max)(off, -off), FACE(set)(0));
      }
    }
    count *= n;
  }
  for (int c = 0; c < count; c++) mass[c] += part[c];
}

BF_INLINE int FACE(any)(REAL x) {
  int any = 0;
  for (int l = 0; l < BF_LANES; l++) any |= x[l] > 0;
  return any;
}

/* [R11] on masses that sum to `atoms`: mass[n] in, counts out. off: how far a mass may be off. */
BF_INLINE void FACE(type_of)(int n, int atoms, REAL off, REAL *mass, REAL *slack) {
  const REAL zero = FACE(set)(0), one = FACE(set)(1), least = FACE(set)(-4);
  REAL       error[BF_MOST_IMAGE_CELLS], surplus = FACE(set)((SCALAR)-atoms), last = FACE(set)(4), most, total = zero;
  for (int c = 0; c < n; c++) {
    const REAL k = FACE(round)(mass[c]);
    error[c]     = k - mass[c];
    *slack       = FACE(min)(FACE(set)((SCALAR)0.5) - FACE(max)(error[c], -error[c]) - off, *slack);
    mass[c]      = k;
    surplus += k;
  }
  const MASK down = (MASK)(surplus > zero);
  const REAL sign = (REAL)(((MASK)one & down) | ((MASK)-one & ~down));
  REAL       left = surplus * sign;
  if (!FACE(any)(left)) return;
  for (int c = 0; c < n; c++) error[c] *= sign;
  for (int first = 1; first || FACE(any)(left); first = 0) {
    const MASK more = (MASK)(left > zero);
    most            = least;
    for (int c = 0; c < n; c++) most = FACE(max)(error[c], most);
    last = (REAL)(((MASK)most & more) | ((MASK)last & ~more));
    for (int c = 0; c < n; c++) {
      const MASK taken = (MASK)(error[c] == most) & more;
      mass[c] -= (REAL)((MASK)sign & taken);
      error[c] = (REAL)(((MASK)least & taken) | ((MASK)error[c] & ~taken));
    }
    left -= (REAL)((MASK)one & more);
  }
  most = least;
  for (int c = 0; c < n; c++) {
    most = FACE(max)(error[c], most);
    total += mass[c];
  }
  *slack = FACE(min)(last - most - (off + off), *slack); /* two that are equal were both taken: */
  *slack = FACE(min)(total - FACE(set)((SCALAR)atoms), FACE(min)(FACE(set)((SCALAR)atoms) - total, *slack));
}

/* The number of a type by its counts: C(n + m - 1, m) - 1 - sum over c >= 1 of C(c + J_c - 1, J_c - 1), J_c the atoms
 * below c: the atoms of c give C(c + J_{c+1}, J_{c+1}) - C(c + J_c, J_c), by the sum of a diagonal of Pascal's
 * triangle. */
BF_INLINE REAL FACE(rank_counts)(int n, const BfImageRow *row, const REAL *counts) {
  REAL rank = FACE(set)((SCALAR)(row->types - 1)), J = FACE(set)(0);
  for (int c = 1; c < n; c++) {
    const double *below = row->below + c * (row->atoms + 1);
    J += counts[c - 1];
    for (int j = 1; j <= row->atoms; j++) {
      const REAL step = FACE(set)((SCALAR)(below[j] - below[j - 1]));
      rank -= (REAL)((MASK)step & (MASK)(J >= FACE(set)((SCALAR)j)));
    }
  }
  return rank;
}

/* Where all atoms go; atoms of one cell, which are neighbours, move together. */
BF_INLINE REAL FACE(rank_nearest)(const int d, const int atoms, const BfImageShape *shape, const BfImageRow *row,
                                  const FACE(axes) * axes, const REAL *own, const REAL *rest, REAL *slack) {
  REAL cell[BF_MOST_ATOMS], x[BF_MOST_DIM];
  for (int k = 0; k < atoms; k++) {
    if (k && row->cell[k] == row->cell[k - 1]) {
      cell[k] = cell[k - 1];
      continue;
    }
    const REAL wide = FACE(image)(d, shape, (int)row->cell[k], own, rest, x);
    cell[k]         = FACE(cell_of)(d, axes, x, wide, slack);
  }
  return FACE(rank_sorted)(atoms, cell);
}

BF_INLINE REAL FACE(rank_split)(const int d, const BfImageShape *shape, const BfImageRow *row, const FACE(axes) * axes,
                                const REAL *own, const REAL *rest, REAL *slack) {
  const int n = shape->table->n;
  REAL      mass[BF_MOST_IMAGE_CELLS], x[BF_MOST_DIM], off = FACE(set)((SCALAR)(16 * (d + 4) * row->atoms) * UNIT);
  for (int c = 0; c < n; c++) mass[c] = FACE(set)(0);
  for (int k = 0, times; k < row->atoms; k += times) {
    const REAL wide = FACE(image)(d, shape, (int)row->cell[k], own, rest, x);
    for (times = 1; k + times < row->atoms && row->cell[k + times] == row->cell[k];) times++;
    for (int a = 0; a < d; a++) off += axes->margin[a] * wide * FACE(set)((SCALAR)times);
    FACE(share)(d, shape, axes, x, (SCALAR)times, mass);
  }
  FACE(type_of)(n, row->atoms, off, mass, slack);
  return FACE(rank_counts)(n, row, mass);
}

BF_INLINE void FACE(row)(const int d, const int split, const int atoms, const BfImageShape *shape,
                         const BfImageRow *row) {
  const REAL *own = (const REAL *)row->own.SUMS, *rest = (const REAL *)row->rest.SUMS;
  FACE(axes) axes;
  FACE(load_axes)(d, split, shape, &axes);
  for (int i = 0; i < row->count; i++, rest += row->rest_stride / BF_LANES) {
    REAL             slack         = FACE(set)(1);
    const REAL       rank          = split ? FACE(rank_split)(d, shape, row, &axes, own, rest, &slack)
                                           : FACE(rank_nearest)(d, atoms, shape, row, &axes, own, rest, &slack);
    const MASK       doubt         = ~(MASK)(slack >= FACE(set)(0));
    const BfShortInt number        = __builtin_convertvector(rank, BfShortInt);
    ((BfShortInt *)row->number)[i] = number | __builtin_convertvector(doubt, BfShortInt);
  }
}

BF_INLINE void FACE(row_of)(const BfImageShape *shape, const BfImageRow *row) {
#ifndef BF_FEW_CASES
  if (shape->table->d == 2 && !shape->table->nearest) FACE(row)(2, 1, 0, shape, row);
  else if (shape->table->d == 2 && row->atoms == 4) FACE(row)(2, 0, 4, shape, row);
  else if (shape->table->d == 2 && row->atoms == 3) FACE(row)(2, 0, 3, shape, row);
  else if (shape->table->d == 2 && row->atoms == 2) FACE(row)(2, 0, 2, shape, row);
  else if (shape->table->d == 2) FACE(row)(2, 0, row->atoms, shape, row);
  else
#endif
    FACE(row)(shape->table->d, !shape->table->nearest, row->atoms, shape, row);
}
