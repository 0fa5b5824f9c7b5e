/* Every atom goes to the cell nearest to its image. */
#include "quantize/transition.h"

static int64_t centres(int dim) {
  (void)dim;
  return 1;
}

/* Shell's sort of cells with their times: those of a tag are few, or arrive nearly in order. */
static void sort(int64_t cell[], int64_t times[], int count) {
  static const int gaps[] = {701, 301, 132, 57, 23, 10, 4, 1};
  for (int k = 0; k < (int)(sizeof gaps / sizeof *gaps); k++)
    for (int i = gaps[k]; i < count; i++) {
      const int64_t c = cell[i], n = times[i];
      int           j = i;
      for (; j >= gaps[k] && cell[j - gaps[k]] > c; j -= gaps[k]) {
        cell[j]  = cell[j - gaps[k]];
        times[j] = times[j - gaps[k]];
      }
      cell[j]  = c;
      times[j] = n;
    }
}

static BfStatus law(const BfCells *cells, const BfImages *images, int count, const BfTransitionRoom *room,
                    int64_t cell[], BfError *error) {
  const int d = cells->dim;
  double    z[d];
  (void)error;
  for (int i = 0; i < count; i++) {
    for (int a = 0; a < d; a++) z[a] = images->z[(i * d + a) * images->stride];
    room->corner[i] = bf_cells_nearest(cells, z);
    room->counts[i] = images->times ? images->times[i] : 1;
  }
  sort(room->corner, room->counts, count);
  for (int i = 0; i < count; i++)
    for (int64_t n = 0; n < room->counts[i]; n++) *cell++ = room->corner[i];
  return BF_OK;
}

const BfTransition bf_transition_nearest = {
    .base = {.name = "nearest", .meaning = "to the nearest cell"}, .nearest = true, .centres = centres, .law = law};
