/* Every atom goes to the cell nearest to its image. */
#include "quantize/transition.h"

static int64_t centres(int dim) {
  (void)dim;
  return 1;
}

/* Insertion sort: a tag has few atoms, or they arrive nearly in order. */
static void sort(int64_t cell[], int count) {
  for (int i = 1; i < count; i++) {
    const int64_t c = cell[i];
    int           j = i;
    for (; j > 0 && cell[j - 1] > c; j--) cell[j] = cell[j - 1];
    cell[j] = c;
  }
}

static BfStatus law(const BfCells *cells, const BfImages *images, int atoms, const BfTransitionRoom *room,
                    int64_t cell[], BfError *error) {
  const int d = cells->dim;
  double    z[d];
  (void)room;
  (void)error;
  for (int i = 0; i < atoms; i++) {
    for (int a = 0; a < d; a++) z[a] = images->z[(i * d + a) * images->stride];
    cell[i] = bf_cells_nearest(cells, z);
  }
  sort(cell, atoms);
  return BF_OK;
}

const BfTransition bf_transition_nearest = {
    .base = {.name = "nearest", .meaning = "to the nearest cell"}, .nearest = true, .centres = centres, .law = law};
