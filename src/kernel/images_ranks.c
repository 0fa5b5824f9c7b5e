/* Sixteen laws an instruction, where the instruction set has that. Whole numbers: the same bits everywhere. */
#include "kernel/images_ranks.h"
#include "bellformer/kernel.h"
#include "kernel/kernels.h"
#include "kernel/lanes.h"

enum { WIDE = 16, PARTS = BF_RANK_LAWS / WIDE };
typedef int16_t Ranks __attribute__((vector_size(2 * WIDE)));

BF_INLINE Ranks set(int16_t x) { return x - (Ranks){0}; }

/* ---- cells ------------------------------------------------------------------------------------------------------ */

/* A border that some law of the chunk may not reach, and some other may. */
typedef struct {
  const Ranks   *rank;
  const int16_t *limit, *step; /* lo, hi */
} Test;

typedef struct {
  int     count, doubtful;
  int16_t base; /* the cell of a law that fails no test */
  Test    test[BF_RANK_TESTS];
} Tests;

/* Whether a border decides anything is as good as random: no branch. */
BF_INLINE void find_tests(const BfRankRows *rows, int64_t law, int k, Tests *tests) {
  const int64_t  atom = law * rows->atoms + k, at = (int64_t)rows->cell[atom] * rows->borders;
  const int16_t *limit = rows->limit + 2 * atom * rows->borders, *range = rows->range + 2 * at;
  const Ranks   *rank = (const Ranks *)(rows->rank + at * BF_RANK_LAWS);
  int            base = 0, count = 0, doubtful = 0;
  for (int j = 0; j < rows->borders; j++) {
    const int lo = limit[2 * j], hi = limit[2 * j + 1];
    const int reached = lo <= range[2 * j + 1], tested = reached & (hi > range[2 * j]);
    base += rows->step[j] & -reached;
    tests->test[count] = (Test){rank + j * PARTS, limit + 2 * j, rows->step + j};
    doubtful |= tested & (lo < hi);
    count += tested;
  }
  tests->base     = (int16_t)base;
  tests->count    = count;
  tests->doubtful = doubtful;
}

/* Cells of atom k for the whole chunk, and where they are uncertain. */
BF_INLINE void find_cells(const BfRankRows *rows, int64_t law, int k, Ranks cell[PARTS], Ranks doubt[PARTS],
                          int *doubtful) {
  Tests tests;
  Ranks to[PARTS];
  find_tests(rows, law, k, &tests);
  for (int p = 0; p < PARTS; p++) to[p] = set(tests.base);
  for (int i = 0; i < tests.count; i++) {
    const Test *t  = &tests.test[i];
    const Ranks lo = set(t->limit[0]), step = set(*t->step);
    for (int p = 0; p < PARTS; p++) to[p] -= (Ranks)(lo > t->rank[p]) & step;
  }
  for (int p = 0; p < PARTS; p++) cell[p] = to[p];
  if (!tests.doubtful) return;
  *doubtful = 1;
  for (int i = 0; i < tests.count; i++) {
    const Test *t  = &tests.test[i];
    const Ranks lo = set(t->limit[0]), hi = set(t->limit[1]);
    for (int p = 0; p < PARTS; p++) doubt[p] |= (Ranks)(lo <= t->rank[p]) & (Ranks)(hi > t->rank[p]);
  }
}

/* ---- numbers ---------------------------------------------------------------------------------------------------- */

BF_INLINE void order(Ranks *a, Ranks *b) {
  const Ranks above = (Ranks)(*a > *b), low = (*b & above) | (*a & ~above);
  *b = (*a & above) | (*b & ~above);
  *a = low;
}

/* Any number of cells. */
BF_INLINE void number_any(const int atoms, const BfRankRows *rows, Ranks cell[][PARTS], int16_t *to) {
  for (int p = 0; p < PARTS; p++)
    for (int i = 1; i < atoms; i++)
      for (int j = i; j > 0; j--) order(&cell[j - 1][p], &cell[j][p]); /* insertion, as a network */
  for (int i = rows->begin; i < rows->end; i++) {
    int number = ((const int16_t *)cell[0])[i];
    for (int k = 1; k < atoms; k++) number += rows->choose[k * rows->n + ((const int16_t *)cell[k])[i]];
    to[i] = (int16_t)number;
  }
}

#if defined(__AVX2__)
/* At most 16 cells, in bytes: two tables an atom, of the low and of the high byte. What _mm256_packus_epi16 brings
 * together the unpacking puts apart again. */
typedef struct {
  __m256i low[BF_MOST_ATOMS], high[BF_MOST_ATOMS];
} Tables;

BF_INLINE void load_tables(const int atoms, const BfRankRows *rows, Tables *tables) {
  for (int k = 1; k < atoms && rows->n <= 16; k++) {
    int16_t one[16] = {0};
    memcpy(one, rows->choose + k * rows->n, sizeof *one * (size_t)rows->n);
    const __m256i all = _mm256_loadu_si256((const __m256i *)one), byte = _mm256_set1_epi16(255);
    const __m256i low  = _mm256_packus_epi16(_mm256_and_si256(all, byte), _mm256_and_si256(all, byte));
    const __m256i high = _mm256_packus_epi16(_mm256_srli_epi16(all, 8), _mm256_srli_epi16(all, 8));
    tables->low[k]     = _mm256_permute4x64_epi64(low, 0x88);
    tables->high[k]    = _mm256_permute4x64_epi64(high, 0x88);
  }
}

BF_INLINE void number_few(const int atoms, const Tables *tables, Ranks cell[][PARTS], int16_t *to) {
  const __m256i zero = _mm256_setzero_si256();
  for (int p = 0; p < PARTS; p += 2) {
    __m256i byte[BF_MOST_ATOMS];
    for (int k = 0; k < atoms; k++) byte[k] = _mm256_packus_epi16((__m256i)cell[k][p], (__m256i)cell[k][p + 1]);
    for (int i = 1; i < atoms; i++)
      for (int j = i; j > 0; j--) {
        const __m256i low = _mm256_min_epu8(byte[j - 1], byte[j]);
        byte[j]           = _mm256_max_epu8(byte[j - 1], byte[j]);
        byte[j - 1]       = low;
      }
    __m256i first = _mm256_unpacklo_epi8(byte[0], zero), second = _mm256_unpackhi_epi8(byte[0], zero);
    for (int k = 1; k < atoms; k++) {
      const __m256i low  = _mm256_shuffle_epi8(tables->low[k], byte[k]);
      const __m256i high = _mm256_shuffle_epi8(tables->high[k], byte[k]);
      first              = _mm256_add_epi16(first, _mm256_unpacklo_epi8(low, high));
      second             = _mm256_add_epi16(second, _mm256_unpackhi_epi8(low, high));
    }
    ((Ranks *)to)[p]     = (Ranks)first;
    ((Ranks *)to)[p + 1] = (Ranks)second;
  }
}
#else
typedef struct {
  int none;
} Tables;
#endif

static int mark(const BfRankRows *rows, const Ranks doubt[PARTS], int16_t *number) {
  int count = 0;
  for (int i = rows->begin; i < rows->end; i++) {
    const int16_t bad = ((const int16_t *)doubt)[i];
    number[i] |= bad;
    count -= bad;
  }
  return count;
}

BF_INLINE int find_row(const int atoms, const BfRankRows *rows, const Tables *tables, int64_t law) {
  Ranks          cell[BF_MOST_ATOMS][PARTS], doubt[PARTS];
  const int16_t *own      = rows->cell + law * atoms;
  int16_t       *number   = rows->number + law * BF_RANK_LAWS;
  int            doubtful = 0;
  for (int p = 0; p < PARTS; p++) doubt[p] = set(0);
  for (int k = 0; k < atoms; k++)
    if (k && own[k] == own[k - 1])
      for (int p = 0; p < PARTS; p++) cell[k][p] = cell[k - 1][p];
    else find_cells(rows, law, k, cell[k], doubt, &doubtful);
#if defined(__AVX2__)
  if (rows->n <= 16) number_few(atoms, tables, cell, number);
  else
#endif
    number_any(atoms, rows, cell, number);
  (void)tables;
  return doubtful ? mark(rows, doubt, number) : 0;
}

BF_INLINE int find_rows(const int atoms, const BfRankRows *rows) {
  Tables tables;
  int    doubts = 0;
#if defined(__AVX2__)
  load_tables(atoms, rows, &tables);
#endif
  for (int64_t law = 0; law < rows->laws; law++) doubts += find_row(atoms, rows, &tables, law);
  return doubts;
}

int BF_KERNEL(bf_rank_rows)(const BfRankRows *rows) {
#ifndef BF_FEW_CASES
  if (rows->atoms == 2) return find_rows(2, rows);
  if (rows->atoms == 3) return find_rows(3, rows);
  if (rows->atoms == 4) return find_rows(4, rows);
#endif
  return find_rows(rows->atoms, rows);
}

/* ---- measures --------------------------------------------------------------------------------------------------- */

enum { SIDE = 8 };
typedef int16_t Eight __attribute__((vector_size(2 * SIDE)));
typedef int32_t Wide __attribute__((vector_size(4 * SIDE)));
typedef Wide    WideLoose __attribute__((aligned(4)));

static int join_one(const BfRankTile *t, int i, int j) {
  const int a = t->first[i * BF_RANK_LAWS + j], b = t->second[j * BF_RANK_LAWS + i], bad = a < 0 || b < 0;
  t->next[(i - t->row[0]) * t->stride + j - t->column[0]] = bad ? -1 : a * t->radix + b;
  return bad;
}

static int join_part(const BfRankTile *t, int row0, int row1, int column0, int column1) {
  int doubts = 0;
  for (int i = row0 > t->row[0] ? row0 : t->row[0]; i < row1 && i < t->row[1]; i++)
    for (int j = column0 > t->column[0] ? column0 : t->column[0]; j < column1 && j < t->column[1]; j++)
      doubts += join_one(t, i, j);
  return doubts;
}

/* x[i][j] -> x[j][i], by three times interleaving rows i and i + 4. */
BF_INLINE void transpose(Eight x[SIDE]) {
  Eight y[SIDE];
  for (int pass = 0; pass < 3; pass++) {
    for (int i = 0; i < SIDE / 2; i++) {
      y[2 * i]     = __builtin_shufflevector(x[i], x[i + 4], 0, 8, 1, 9, 2, 10, 3, 11);
      y[2 * i + 1] = __builtin_shufflevector(x[i], x[i + 4], 4, 12, 5, 13, 6, 14, 7, 15);
    }
    for (int i = 0; i < SIDE; i++) x[i] = y[i];
  }
}

BF_INLINE void join_square(const BfRankTile *t, int row, int column) {
  Eight    y[SIDE];
  int32_t *to = t->next + (row - t->row[0]) * t->stride + column - t->column[0];
  for (int j = 0; j < SIDE; j++) y[j] = *(const Eight *)(t->second + (column + j) * BF_RANK_LAWS + row);
  transpose(y);
  for (int i = 0; i < SIDE; i++) {
    const Eight x = *(const Eight *)(t->first + (row + i) * BF_RANK_LAWS + column);
    *(WideLoose *)(to + i * t->stride) =
        __builtin_convertvector(x, Wide) * t->radix + __builtin_convertvector(y[i], Wide);
  }
}

int BF_KERNEL(bf_rank_join)(const BfRankTile *t) {
  int doubts = 0;
  for (int row = t->row[0] / SIDE * SIDE; row < t->row[1]; row += SIDE)
    for (int column = t->column[0] / SIDE * SIDE; column < t->column[1]; column += SIDE)
      if (t->certain && row >= t->row[0] && row + SIDE <= t->row[1] && column >= t->column[0] &&
          column + SIDE <= t->column[1])
        join_square(t, row, column);
      else doubts += join_part(t, row, row + SIDE, column, column + SIDE);
  return doubts;
}
