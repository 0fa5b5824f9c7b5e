/* From images to cells: an image of several atoms counts as often, whatever the transition. */
#include "expect.h"

#include <string.h>

enum { MOST = 40, EACH = 150, ATOMS = MOST * EACH, DIM = 2 };

typedef struct {
  double  z[ATOMS * DIM]; /* of every atom; the first of each image are those of the images */
  int     times[MOST];
  int     count, atoms;
  double  alone[MOST * DIM]; /* of the images */
  int64_t corner[4 * ATOMS], counts[4 * ATOMS];
  double  weight[4 * ATOMS];
} Law;

/* Some images are equal to the one before them, and some stand for more atoms than are added up one by one. */
static void draw_law(uint64_t *random, Law *x) {
  x->count = 1 + (int)draw_below(random, MOST);
  x->atoms = 0;
  for (int i = 0; i < x->count; i++) {
    const int again = i && !draw_below(random, 4);
    x->times[i]     = 1 + (int)draw_below(random, draw_below(random, 3) ? 3 : EACH);
    for (int a = 0; a < DIM; a++)
      x->alone[i * DIM + a] = again ? x->alone[(i - 1) * DIM + a] : 2.4 * bf_uniform(random) - 1.2;
    for (int n = 0; n < x->times[i]; n++) memcpy(x->z + DIM * x->atoms++, x->alone + DIM * i, sizeof(double) * DIM);
  }
}

static void images_count_as_often_as_their_atoms(void **state) {
  static const char *const names[] = {"nearest", "split"};
  static Law               x;
  static int64_t           once[ATOMS], each[ATOMS];
  uint64_t                 random = 3;
  BfError                  error  = {0};
  BfCells                 *cells  = NULL;
  (void)state;
  assert_int_equal(bf_cells_grid(DIM, (double[]){-1, -1}, (double[]){1, 1.1}, (int64_t[]){5, 4}, &cells, &error),
                   BF_OK);
  const BfTransitionRoom room = {x.corner, x.weight, x.counts};
  for (int trial = 0; trial < 200; trial++)
    for (int k = 0; k < LENGTH(names); k++) {
      const BfTransition *transition = bf_transition(names[k]);
      draw_law(&random, &x);
      const BfImages together = {.z = x.alone, .stride = 1, .times = x.times}, apart = {.z = x.z, .stride = 1};
      assert_int_equal(transition->law(cells, &together, x.count, &room, once, &error), BF_OK);
      assert_int_equal(transition->law(cells, &apart, x.atoms, &room, each, &error), BF_OK);
      assert_memory_equal(once, each, sizeof *once * (size_t)x.atoms);
      for (int i = 1; i < x.atoms; i++) assert_true(once[i - 1] <= once[i]);
    }
  bf_cells_destroy(&cells);
}

/* As many atoms in a cell as there are atoms whose nearest cell it is. */
static void nearest_cells_by_counting(void **state) {
  static Law     x;
  static int64_t cell[ATOMS];
  uint64_t       random = 4;
  BfError        error  = {0};
  BfCells       *cells  = NULL;
  (void)state;
  assert_int_equal(bf_cells_grid(DIM, (double[]){-1, -1}, (double[]){1, 1.1}, (int64_t[]){5, 4}, &cells, &error),
                   BF_OK);
  const BfTransitionRoom room = {x.corner, x.weight, x.counts};
  for (int trial = 0; trial < 200; trial++) {
    draw_law(&random, &x);
    const BfImages images    = {.z = x.alone, .stride = 1, .times = x.times};
    int64_t        count[20] = {0};
    assert_int_equal(bf_transition("nearest")->law(cells, &images, x.count, &room, cell, &error), BF_OK);
    for (int i = 0; i < x.atoms; i++) count[bf_cells_nearest(cells, x.z + DIM * i)]++;
    for (int i = 0; i < x.atoms; i++) count[cell[i]]--;
    for (int c = 0; c < 20; c++) assert_int_equal(count[c], 0);
  }
  bf_cells_destroy(&cells);
}

int main(void) {
  cmocka_set_message_output(CM_OUTPUT_TAP);
  const struct CMUnitTest tests[] = {cmocka_unit_test(images_count_as_often_as_their_atoms),
                                     cmocka_unit_test(nearest_cells_by_counting)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
