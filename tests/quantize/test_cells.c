/* X_n: grids and codebooks; nearest point and multilinear split. */
#include "expect.h"

#include <math.h>
#include <string.h>

enum { DIM = 3, WAYS = 1 << DIM };

typedef struct {
  int     dim;
  double  lower[DIM], upper[DIM];
  int64_t cells[DIM];
} Box;

static const Box boxes[] = {
    {1, {-1}, {1}, {1}},
    {1, {-1.5}, {1.5}, {9}},
    {2, {-1.5, -1.5}, {1.5, 1.5}, {9, 9}},
    {2, {0, -7}, {1, 0.1}, {5, 2}},
    {3, {-1, 0, 10}, {1, 0.3, 11}, {4, 3, 7}},
    {3, {-1, -1, -1}, {1, 1, 1}, {1, 5, 1}},
};

static BfCells *grid(const Box *box) {
  BfError  error  = {0};
  BfCells *tokens = NULL;
  assert_int_equal(bf_cells_grid(box->dim, box->lower, box->upper, box->cells, &tokens, &error), BF_OK);
  return tokens;
}

static double square_distance(int dim, const double a[], const double b[]) {
  double sum = 0;
  for (int j = 0; j < dim; j++) sum += (a[j] - b[j]) * (a[j] - b[j]);
  return sum;
}

/* A point in the box, or up to half its width outside. */
static void draw_point(const Box *box, uint64_t *random, double z[]) {
  for (int j = 0; j < box->dim; j++)
    z[j] = box->lower[j] + (box->upper[j] - box->lower[j]) * (2 * bf_uniform(random) - 0.5);
}

static void centres_are_numbered_row_major(void **state) {
  (void)state;
  for (int b = 0; b < LENGTH(boxes); b++) {
    const Box *box    = &boxes[b];
    BfCells   *tokens = grid(box);
    int64_t    number = 0, i[DIM] = {0}, cells[DIM] = {1, 1, 1};
    for (int j = 0; j < box->dim; j++) cells[j] = box->cells[j];
    for (i[0] = 0; i[0] < cells[0]; i[0]++)
      for (i[1] = 0; i[1] < cells[1]; i[1]++)
        for (i[2] = 0; i[2] < cells[2]; i[2]++, number++) {
          double z[DIM];
          bf_cells_point(tokens, number, z);
          for (int j = 0; j < box->dim; j++) {
            double share = ((double)i[j] + 0.5) / (double)cells[j];
            assert_true(fabs(z[j] - (box->lower[j] + share * (box->upper[j] - box->lower[j]))) < 1e-13);
          }
          assert_int_equal(bf_cells_nearest(tokens, z), number);
        }
    assert_int_equal(bf_cells_count(tokens), number);
    assert_int_equal(bf_cells_dim(tokens), box->dim);
    assert_non_null(bf_cells_axes(tokens));
    bf_cells_destroy(&tokens);
    assert_null(tokens);
  }
}

/* No centre is nearer, inside the box and outside of it. */
static void grid_nearest_is_the_nearest_centre(void **state) {
  (void)state;
  uint64_t random = 1;
  for (int b = 0; b < LENGTH(boxes); b++) {
    BfCells *tokens = grid(&boxes[b]);
    for (int trial = 0; trial < 500; trial++) {
      double z[DIM], centre[DIM], least = INFINITY;
      draw_point(&boxes[b], &random, z);
      for (int64_t i = 0; i < bf_cells_count(tokens); i++) {
        bf_cells_point(tokens, i, centre);
        least = fmin(least, square_distance(boxes[b].dim, z, centre));
      }
      bf_cells_point(tokens, bf_cells_nearest(tokens, z), centre);
      assert_true(square_distance(boxes[b].dim, z, centre) <= least * (1 + 1e-12));
    }
    bf_cells_destroy(&tokens);
  }
}

/* Cells [-1, -1/2), [-1/2, 0), ...: a border belongs to the upper cell, the box's ends and all beyond to the outer. */
static void borders_and_clamping(void **state) {
  (void)state;
  BfCells *tokens = grid(&(Box){1, {-1}, {1}, {4}});
  const struct {
    double  z;
    int64_t cell;
  } cases[] = {{-1, 0},       {-0.75, 0},    {nextafter(-0.5, -1), 0},
               {-0.5, 1},     {-0x1p-53, 1}, {0, 2},
               {-0.0, 2},     {0.25, 2},     {0.5, 3},
               {1, 3},        {1.01, 3},     {1e300, 3},
               {-2, 0},       {-1e300, 0},   {INFINITY, 3},
               {-INFINITY, 0}};
  for (int i = 0; i < LENGTH(cases); i++) assert_int_equal(bf_cells_nearest(tokens, &cases[i].z), cases[i].cell);
  bf_cells_destroy(&tokens);
}

/* Moved by shift h: centre i is that of the grid of the moved box, and a point goes to the nearest centre; shift 0 is
 * the grid itself, bit by bit. */
static void moved_grids(void **state) {
  const double shifts[][DIM] = {{0.25, -0.5, 0.125}, {-0.5, 0.499, 0}, {0, 0, 0}};
  uint64_t     random        = 2;
  (void)state;
  for (int b = 0; b < LENGTH(boxes); b++)
    for (int s = 0; s < LENGTH(shifts); s++) {
      const Box *box   = &boxes[b];
      BfError    error = {0};
      BfCells   *plain = grid(box), *moved = NULL;
      assert_int_equal(bf_cells_grid_shifted(box->dim, box->lower, box->upper, box->cells, shifts[s], &moved, &error),
                       BF_OK);
      for (int trial = 0; trial < 500; trial++) {
        double  z[DIM], own[DIM], centre[DIM], least = INFINITY;
        int64_t cell;
        draw_point(box, &random, z);
        for (int64_t i = 0; i < bf_cells_count(moved); i++) {
          bf_cells_point(moved, i, own);
          bf_cells_point(plain, i, centre);
          for (int j = 0; j < box->dim; j++) {
            const double h = (box->upper[j] - box->lower[j]) / (double)box->cells[j];
            assert_true(s == 2 ? own[j] == centre[j] : fabs(own[j] - centre[j] - shifts[s][j] * h) < 1e-13);
          }
          least = fmin(least, square_distance(box->dim, z, own));
        }
        cell = bf_cells_nearest(moved, z);
        bf_cells_point(moved, cell, own);
        assert_true(square_distance(box->dim, z, own) <= least * (1 + 1e-12));
        if (s == 2) assert_int_equal(cell, bf_cells_nearest(plain, z));
      }
      bf_cells_destroy(&plain);
      bf_cells_destroy(&moved);
    }
}

static void moves_are_less_than_half_a_cell(void **state) {
  const double wrong[] = {0.5, -0.5000001, NAN};
  (void)state;
  for (int k = 0; k < LENGTH(wrong); k++) {
    BfError  error = {0};
    BfCells *cells = NULL;
    assert_int_equal(bf_cells_grid_shifted(1, (double[]){0}, (double[]){1}, (int64_t[]){4}, &wrong[k], &cells, &error),
                     BF_BAD_INPUT);
    assert_non_null(strstr(error.text, "quantize.shift[0] must be in [-0.5, 0.5), got"));
    assert_null(cells);
  }
}

static void largest_grids(void **state) {
  (void)state;
  const int64_t side   = INT64_C(1) << 30;
  BfCells      *tokens = grid(&(Box){2, {0, 0}, {1, 1}, {side, 2 * side}});
  double        z[2];
  assert_int_equal(bf_cells_count(tokens), 2 * side * side);
  bf_cells_point(tokens, 2 * side * side - 1, z);
  assert_int_equal(bf_cells_nearest(tokens, z), 2 * side * side - 1);
  assert_int_equal(bf_cells_nearest(tokens, (double[]){0.5, 0.25}), side / 2 * (2 * side) + side / 2);
  bf_cells_destroy(&tokens);

  const int64_t most = (INT64_C(1) << 62) - 1; /* rounds up to 2^62 as a double */
  tokens             = grid(&(Box){1, {0}, {1}, {most}});
  assert_int_equal(bf_cells_nearest(tokens, (double[]){1}), most - 1);
  assert_int_equal(bf_cells_nearest(tokens, (double[]){nextafter(1, 0)}), (most + 1) - (INT64_C(1) << 9));
  bf_cells_destroy(&tokens);
}

/* The hat function of centre i on axis j at z: 1 - |z - centre| / h between the centres, constant beyond. */
static double hat(const Box *box, int j, int64_t i, double z) {
  double h     = (box->upper[j] - box->lower[j]) / (double)box->cells[j];
  double first = box->lower[j] + h / 2, last = box->upper[j] - h / 2;
  double at = fmin(fmax(z, first), last);
  return fmax(0, 1 - fabs(at - (first + (double)i * h)) / h);
}

static double multilinear(const Box *box, int64_t cell, const double z[]) {
  double product = 1;
  for (int j = box->dim - 1; j >= 0; j--) {
    product *= hat(box, j, cell % box->cells[j], z[j]);
    cell /= box->cells[j];
  }
  return product;
}

static void check_split(const Box *box, const BfCells *tokens, const double z[]) {
  int64_t cell[WAYS];
  double  weight[WAYS], sum = 0, mean[DIM] = {0}, centre[DIM];
  int     count = bf_cells_split(tokens, z, cell, weight), next = 0;
  assert_in_range(count, 1, 1 << box->dim);
  for (int e = 0; e < count; e++) {
    assert_true(weight[e] > 0);
    assert_true(cell[e] >= 0 && cell[e] < bf_cells_count(tokens));
    if (e) assert_true(cell[e] > cell[e - 1]);
    sum += weight[e];
    bf_cells_point(tokens, cell[e], centre);
    for (int j = 0; j < box->dim; j++) mean[j] += weight[e] * centre[j];
  }
  assert_true(fabs(sum - 1) < 1e-15 * (1 << box->dim));
  for (int64_t i = 0; i < bf_cells_count(tokens); i++) {
    double found = next < count && cell[next] == i ? weight[next++] : 0;
    assert_true(fabs(found - multilinear(box, i, z)) < 1e-12);
  }
  for (int j = 0; j < box->dim; j++) {
    double h  = (box->upper[j] - box->lower[j]) / (double)box->cells[j];
    double at = fmin(fmax(z[j], box->lower[j] + h / 2), box->upper[j] - h / 2);
    assert_true(fabs(mean[j] - at) < 1e-13);
  }
}

/* Weights are the products of hats; the mean is z, brought into the box of the centres where it is outside. */
static void split_is_multilinear_and_keeps_the_mean(void **state) {
  (void)state;
  uint64_t random = 2;
  for (int b = 0; b < LENGTH(boxes); b++) {
    BfCells *tokens = grid(&boxes[b]);
    for (int trial = 0; trial < 500; trial++) {
      double z[DIM];
      draw_point(&boxes[b], &random, z);
      check_split(&boxes[b], tokens, z);
    }
    check_split(&boxes[b], tokens, boxes[b].lower);
    check_split(&boxes[b], tokens, boxes[b].upper);
    bf_cells_destroy(&tokens);
  }
}

static void check_whole(const BfCells *tokens, const double z[], int64_t expected) {
  int64_t cell[WAYS];
  double  weight[WAYS];
  assert_int_equal(bf_cells_split(tokens, z, cell, weight), 1);
  assert_int_equal(cell[0], expected);
  assert_true(weight[0] == 1);
}

/* Dyadic numbers, hence no rounding. */
static void split_by_hand(void **state) {
  (void)state;
  BfCells *tokens = grid(&(Box){2, {0, 0}, {4, 4}, {4, 4}});
  int64_t  cell[WAYS];
  double   weight[WAYS];
  check_whole(tokens, (double[]){1.5, 2.5}, 6); /* a centre */
  check_whole(tokens, (double[]){-9, 99}, 3);   /* a corner */
  check_whole(tokens, (double[]){INFINITY, -INFINITY}, 12);
  assert_int_equal(bf_cells_split(tokens, (double[]){1.5, 2.75}, cell, weight), 2);
  assert_true(cell[0] == 6 && cell[1] == 7 && weight[0] == 0.75 && weight[1] == 0.25);
  assert_int_equal(bf_cells_split(tokens, (double[]){2, 0.25}, cell, weight), 2);
  assert_true(cell[0] == 4 && cell[1] == 8 && weight[0] == 0.5 && weight[1] == 0.5);
  assert_int_equal(bf_cells_split(tokens, (double[]){0.75, 3.0}, cell, weight), 4);
  assert_true(cell[0] == 2 && cell[1] == 3 && cell[2] == 6 && cell[3] == 7);
  assert_true(weight[0] == 0.375 && weight[1] == 0.375 && weight[2] == 0.125 && weight[3] == 0.125);
  bf_cells_destroy(&tokens);
}

static void codebook(void **state) {
  (void)state;
  BfError      error       = {0};
  BfCells     *tokens      = NULL;
  const double points[][2] = {{0, 0}, {2, 0}, {2, 0}, {-1, 3}};
  assert_int_equal(bf_cells_codebook(2, 4, points[0], &tokens, &error), BF_OK);
  assert_int_equal(bf_cells_count(tokens), 4);
  assert_int_equal(bf_cells_dim(tokens), 2);
  assert_null(bf_cells_axes(tokens));
  for (int i = 0; i < 4; i++) {
    double z[2];
    bf_cells_point(tokens, i, z);
    assert_memory_equal(z, points[i], sizeof z);
  }
  assert_int_equal(bf_cells_nearest(tokens, (double[]){1.5, 0}), 1); /* the first of two equal points */
  assert_int_equal(bf_cells_nearest(tokens, (double[]){1, 0}), 0);   /* half way */
  assert_int_equal(bf_cells_nearest(tokens, (double[]){-50, 50}), 3);
  bf_cells_destroy(&tokens);
  bf_cells_destroy(&tokens);
  bf_cells_destroy(NULL);
}

/* A grid's centres, given as a codebook, are the same quantizer away from the borders. */
static void codebook_of_centres_is_the_grid(void **state) {
  (void)state;
  uint64_t   random = 3;
  BfError    error  = {0};
  const Box *box    = &boxes[4];
  BfCells   *tokens = grid(box), *book = NULL;
  double     points[4 * 3 * 7][DIM];
  for (int i = 0; i < LENGTH(points); i++) bf_cells_point(tokens, i, points[i]);
  assert_int_equal(bf_cells_codebook(DIM, LENGTH(points), points[0], &book, &error), BF_OK);
  for (int trial = 0; trial < 1000; trial++) {
    double z[DIM];
    draw_point(box, &random, z);
    assert_int_equal(bf_cells_nearest(book, z), bf_cells_nearest(tokens, z));
  }
  bf_cells_destroy(&tokens);
  bf_cells_destroy(&book);
}

static void expect_grid_refused(const Box *box, const char *line) {
  BfError  error  = {0};
  BfCells *tokens = NULL;
  expect_refused(bf_cells_grid(box->dim, box->lower, box->upper, box->cells, &tokens, &error), &error, line);
  assert_null(tokens);
}

static void refusals(void **state) {
  (void)state;
  BfError  error  = {0};
  BfCells *tokens = NULL;
  expect_grid_refused(&(Box){0, {0}, {1}, {1}}, "token.dim must be at least 1, got 0");
  expect_grid_refused(&(Box){2, {0, 2}, {1, 2}, {1, 1}}, "token.lower[1] must be below token.upper[1], got 2 and 2");
  expect_grid_refused(&(Box){1, {NAN}, {2}, {1}}, "token.lower[0] and token.upper[0] must be finite, got nan and 2");
  expect_grid_refused(&(Box){1, {-1e308}, {1e308}, {1}},
                      "token.upper[0] - token.lower[0] must be finite, got -1e+308 and 1e+308");
  expect_grid_refused(&(Box){2, {0, 0}, {1, 1}, {3, 0}}, "quantize.cells[1] must be at least 1, got 0");
  expect_grid_refused(&(Box){1, {0}, {1e-320}, {1 << 20}},
                      "quantize.cells[0] is too many for the range from 0 to 9.99989e-321");
  expect_grid_refused(&(Box){2, {0, 0}, {1, 1}, {INT64_C(1) << 31, INT64_C(1) << 31}},
                      "quantize.cells: the product over the axes must be below 2^62");
  expect_grid_refused(&(Box){3, {0, 0, 0}, {1, 1, 1}, {INT64_C(1) << 31, INT64_C(1) << 30, 1 << 20}},
                      "quantize.cells: the product over the axes must be below 2^62");
  expect_refused(bf_cells_codebook(1, 0, NULL, &tokens, &error), &error,
                 "codebook: there must be at least 1 point, got 0");
  expect_refused(bf_cells_codebook(0, 1, NULL, &tokens, &error), &error, "token.dim must be at least 1, got 0");
  expect_refused(bf_cells_codebook(2, 2, (double[]){0, 1, 2, INFINITY}, &tokens, &error), &error,
                 "codebook: point 1: z1 must be finite, got inf");
  expect_refused(bf_cells_codebook(4, INT64_MAX / 2, (double[]){0}, &tokens, &error), &error,
                 "codebook: 4611686018427387903 points are too many");
  assert_null(tokens);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(centres_are_numbered_row_major),
      cmocka_unit_test(grid_nearest_is_the_nearest_centre),
      cmocka_unit_test(borders_and_clamping),
      cmocka_unit_test(moved_grids),
      cmocka_unit_test(moves_are_less_than_half_a_cell),
      cmocka_unit_test(largest_grids),
      cmocka_unit_test(split_is_multilinear_and_keeps_the_mean),
      cmocka_unit_test(split_by_hand),
      cmocka_unit_test(codebook),
      cmocka_unit_test(codebook_of_centres_is_the_grid),
      cmocka_unit_test(refusals),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests_name("tokens", tests, NULL, NULL);
}
