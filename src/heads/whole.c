/* Heads of other ranks: all of them, or some. */
#include "heads/share.h"
#include <string.h>

typedef struct {
  int *count, *first; /* of the ranks of `across`: heads */
  int *of, *at;       /* numbers of a row [heads][each] */
} Parts;

static BfStatus make(const BfHeads *x, const BfHeadLaw *law, BfHeadLaw *whole, Parts *parts, BfError *error) {
  const int64_t T = law->layers;
  int           size;
  MPI_Comm_size(x->across, &size);
  *whole       = *law;
  whole->theta = whole->weight = NULL;
  whole->first                 = 0;
  whole->count                 = law->heads;
  BF_TRY(BF_NEW(&whole->theta, T * law->heads * law->free, error));
  BF_TRY(BF_NEW(&whole->weight, T * law->heads, error));
  BF_TRY(BF_NEW(&parts->count, 4 * (int64_t)size, error));
  parts->first = parts->count + size;
  parts->of    = parts->count + 2 * size;
  parts->at    = parts->count + 3 * size;
  return BF_OK;
}

/* A row of `each` numbers a head. */
static void gather_row(const BfHeads *x, const Parts *parts, int each, const double *own, double *all) {
  int size;
  MPI_Comm_size(x->across, &size);
  for (int r = 0; r < size; r++) {
    parts->of[r] = parts->count[r] * each;
    parts->at[r] = parts->first[r] * each;
  }
  MPI_Allgatherv(own, (int)x->count * each, MPI_DOUBLE, all, parts->of, parts->at, MPI_DOUBLE, x->across);
}

BfStatus bf_heads_law_whole(const BfHeads *x, const BfHeadLaw *law, BfHeadLaw *whole, BfError *error) {
  Parts     parts = {0};
  const int q = law->free, count = (int)law->count, first = (int)law->first;
  BfStatus  status;
  BF_GOTO(bf_together(x->run->world, make(x, law, whole, &parts, error), error));
  MPI_Allgather(&count, 1, MPI_INT, parts.count, 1, MPI_INT, x->across);
  MPI_Allgather(&first, 1, MPI_INT, parts.first, 1, MPI_INT, x->across);
  for (int64_t t = 0; t < law->layers; t++) {
    gather_row(x, &parts, q, law->theta + t * law->count * q, whole->theta + t * law->heads * q);
    gather_row(x, &parts, 1, law->weight + t * law->count, whole->weight + t * law->heads);
  }
done:
  bf_free(parts.count);
  return status;
}

void bf_heads_pick(const BfHeads *x, const BfHeadLaw *law, int t, int64_t count, double *heads) {
  const int q = law->free;
  memset(heads, 0, (size_t)(count * q) * sizeof *heads);
  for (int64_t i = 0; i < count; i++) {
    const int64_t own = i * law->heads / count - law->first;
    if (own < 0 || own >= law->count) continue;
    memcpy(heads + i * q, law->theta + (t * law->count + own) * q, (size_t)q * sizeof *heads);
  }
  bf_heads_reduce(x->across, count * q, heads, MPI_SUM);
  for (int64_t k = 0; k < count * q; k++) heads[k] += 0.0; /* -0 plus 0 is 0: as on several ranks */
}
