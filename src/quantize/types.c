/* P_m(X_n): the number of types, rank and unrank. */
#include "bellformer/quantize.h"

/* Up to so many entries the binomials are tabulated (2 MiB: a second-level cache). Where the values of all types can be
 * stored, m n stays below that, or m is large and the cells are so few that a product has few factors. */
#define TABLE_ENTRIES (INT64_C(1) << 18)

__extension__ typedef __int128 Wide;

struct BfTypes {
  int64_t  cells; /* n */
  int64_t  count;
  int      atoms; /* m */
  int64_t *table; /* [atoms - 1][cells]: C(c + k - 1, k) for k = 2 .. m; NULL: by the product formula */
};

/* C(top, below), or -1 where it exceeds INT64_MAX. The partial products are C(top - below + j, j), which grow with j
 * while below <= top / 2; each times its next factor, below 2^64, stays within 127 bits. */
static int64_t binomial(Wide top, Wide below) {
  if (below > top - below) below = top - below;
  if (below < 0) return 0;
  Wide product = 1;
  for (Wide j = 1; j <= below; j++) {
    product = product * (top - below + j) / j;
    if (product > INT64_MAX) return -1;
  }
  return (int64_t)product;
}

int64_t bf_types_number(int64_t cells, int64_t atoms) { return binomial((Wide)atoms + cells - 1, atoms); }

/* C(b_k, k) of an atom in `cell` that is the k-th, b_k = cell + k - 1. */
static inline int64_t term(const BfTypes *types, int k, int64_t cell) {
  if (k == 1) return cell;
  return types->table ? types->table[(k - 2) * types->cells + cell] : binomial((Wide)cell + k - 1, k);
}

static BfStatus tabulate(BfTypes *types, BfError *error) {
  if (types->atoms - 1 > TABLE_ENTRIES / types->cells) return BF_OK;
  int64_t *table;
  BF_TRY(BF_NEW(&table, (types->atoms - 1) * types->cells, error));
  for (int k = 2; k <= types->atoms; k++)
    for (int64_t c = 0; c < types->cells; c++) table[(k - 2) * types->cells + c] = binomial((Wide)c + k - 1, k);
  types->table = table;
  return BF_OK;
}

BfStatus bf_types_create(int64_t cells, int atoms, BfTypes **out, BfError *error) {
  if (cells < 1)
    return bf_fail(error, BF_BAD_INPUT, "quantize.cells: there must be at least 1 cell, got %lld", (long long)cells);
  if (atoms < 1) return bf_fail(error, BF_BAD_INPUT, "quantize.atoms must be at least 1 for a tag, got %d", atoms);
  int64_t count = bf_types_number(cells, atoms);
  if (count < 0)
    return bf_fail(error, BF_BAD_INPUT,
                   "quantize.atoms: a tag with %d atoms on %lld cells has more than 2^63 - 1 laws; take fewer atoms or "
                   "cells",
                   atoms, (long long)cells);
  BfTypes *types;
  BF_TRY(BF_NEW(&types, 1, error));
  *types          = (BfTypes){.cells = cells, .count = count, .atoms = atoms};
  BfStatus status = tabulate(types, error);
  if (status == BF_OK) *out = types;
  else bf_types_destroy(&types);
  return status;
}

void bf_types_destroy(BfTypes **types) {
  if (!types || !*types) return;
  bf_free((*types)->table);
  bf_free(*types);
  *types = NULL;
}

int64_t bf_types_count(const BfTypes *types) { return types->count; }

int64_t bf_types_rank(const BfTypes *types, const int64_t cell[]) {
  int64_t        rank = cell[0];
  const int64_t *row  = types->table;
  if (row) {
    for (int k = 1; k < types->atoms; k++, row += types->cells) rank += row[cell[k]];
    return rank;
  }
  for (int k = 1; k < types->atoms; k++) rank += term(types, k + 1, cell[k]);
  return rank;
}

/* The largest cell in 0 .. last whose term is at most `rank`; the terms grow with the cell, from 0. */
static int64_t largest_cell(const BfTypes *types, int k, int64_t last, int64_t rank) {
  int64_t low = 0, high = last;
  if (k == 1) return rank;
  while (low < high) {
    int64_t middle = low + (high - low + 1) / 2;
    if (term(types, k, middle) <= rank) low = middle;
    else high = middle - 1;
  }
  return low;
}

/* Greedy: sum_{i < k} C(b_i, i) < C(b_k + 1, k) - C(b_k, k) for b_1 < ... < b_k, so that the last atom's cell is the
 * largest one that fits, and the rest is a rank of one atom less. */
void bf_types_unrank(const BfTypes *types, int64_t rank, int64_t cell[]) {
  int64_t last = types->cells - 1;
  for (int k = types->atoms; k >= 1; k--) {
    last        = largest_cell(types, k, last, rank);
    cell[k - 1] = last;
    rank -= term(types, k, last);
  }
}
