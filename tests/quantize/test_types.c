/* P_m(X_n): rank is the bijection onto 0 .. C(m + n - 1, m) - 1 that orders types colexicographically. */
#include "expect.h"

__extension__ typedef __int128 Wide;

enum { PASCAL = 64 };

/* C(top, below) by Pascal's triangle. */
static void pascal(int64_t triangle[PASCAL][PASCAL]) {
  for (int top = 0; top < PASCAL; top++)
    for (int below = 0; below < PASCAL; below++) {
      int64_t sides        = top && below ? triangle[top - 1][below - 1] + triangle[top - 1][below] : 0;
      triangle[top][below] = below == 0 ? 1 : sides;
    }
}

/* The next non-decreasing cell[m] in colexicographic order: raise the first atom that has room, reset those before. */
static int next_type(int64_t n, int m, int64_t cell[]) {
  for (int k = 0; k < m; k++) {
    if (cell[k] >= (k + 1 < m ? cell[k + 1] : n - 1)) continue;
    cell[k]++;
    for (int j = 0; j < k; j++) cell[j] = 0;
    return 1;
  }
  return 0;
}

static void check_every_type(int64_t n, int m, int64_t triangle[PASCAL][PASCAL]) {
  BfError  error    = {0};
  BfTypes *types    = NULL;
  int64_t  cell[16] = {0}, back[16], number = 0;
  assert_int_equal(bf_types_create(n, m, &types, &error), BF_OK);
  do {
    int64_t formula = 0;
    for (int k = 1; k <= m; k++) formula += triangle[cell[k - 1] + k - 1][k];
    assert_int_equal(formula, number);
    assert_int_equal(bf_types_rank(types, cell), number);
    bf_types_unrank(types, number, back);
    assert_memory_equal(back, cell, (size_t)m * sizeof *cell);
    number++;
  } while (next_type(n, m, cell));
  assert_int_equal(number, triangle[m + n - 1][m]);
  assert_int_equal(number, bf_types_count(types));
  assert_int_equal(number, bf_types_number(n, m));
  bf_types_destroy(&types);
  assert_null(types);
}

static void rank_counts_all_types_in_colexicographic_order(void **state) {
  (void)state;
  static int64_t triangle[PASCAL][PASCAL];
  pascal(triangle);
  for (int n = 1; n <= 9; n++)
    for (int m = 1; m <= 6; m++) check_every_type(n, m, triangle);
  for (int m = 7; m <= 16; m++) check_every_type(3, m, triangle);
  check_every_type(1, 16, triangle);
  check_every_type(40, 1, triangle);
  check_every_type(40, 2, triangle);
  check_every_type(25, 4, triangle);
}

static void number_of_types(void **state) {
  (void)state;
  assert_int_equal(bf_types_number(1, 1), 1);
  assert_int_equal(bf_types_number(81, 2), 3321);
  assert_int_equal(bf_types_number(1, INT64_MAX), 1);
  assert_int_equal(bf_types_number(INT64_MAX, 1), INT64_MAX);
  assert_int_equal(bf_types_number(7, 0), 1);
  assert_int_equal(bf_types_number(0, 7), 0);
  /* Either side of 2^63: C(66, 33) and C(67, 33), n (n + 1) / 2, m + 1. */
  assert_int_equal(bf_types_number(34, 33), INT64_C(7219428434016265740));
  assert_int_equal(bf_types_number(35, 33), -1);
  assert_int_equal(bf_types_number(INT64_C(4294967295), 2), INT64_C(9223372034707292160));
  assert_int_equal(bf_types_number(INT64_C(4294967296), 2), -1);
  assert_int_equal(bf_types_number(2, INT64_MAX - 1), INT64_MAX);
  assert_int_equal(bf_types_number(2, INT64_MAX), -1);
  assert_int_equal(bf_types_number(INT64_MAX, INT64_MAX), -1);
}

/* b_1 + C(b_2, 2) + C(b_3, 3) written out. */
static int64_t rank_of_three(const int64_t c[3]) {
  Wide two = (Wide)c[1] * (c[1] + 1) / 2, three = (Wide)c[2] * (c[2] + 1) * (c[2] + 2) / 6;
  return (int64_t)(c[0] + two + three);
}

/* The rank does not depend on n, whether binomials are tabulated (small n) or not. */
static void three_atoms_on_many_cells(void **state) {
  (void)state;
  const int64_t cells[] = {1000, 131072, 131073, 1000000, 3000000};
  uint64_t      random  = 1;
  for (int i = 0; i < LENGTH(cells); i++) {
    BfError  error = {0};
    BfTypes *types = NULL;
    assert_int_equal(bf_types_create(cells[i], 3, &types, &error), BF_OK);
    int64_t last[3] = {cells[i] - 1, cells[i] - 1, cells[i] - 1}, back[3];
    assert_int_equal(bf_types_rank(types, last), bf_types_count(types) - 1);
    for (int trial = 0; trial < 500; trial++) {
      int64_t c[3];
      c[2] = draw_below(&random, cells[i]);
      c[1] = draw_below(&random, c[2] + 1);
      c[0] = draw_below(&random, c[1] + 1);
      assert_int_equal(bf_types_rank(types, c), rank_of_three(c));
      bf_types_unrank(types, rank_of_three(c), back);
      assert_memory_equal(back, c, sizeof c);
    }
    bf_types_destroy(&types);
  }
}

static void check_ends(int64_t cells, int atoms) {
  BfError  error = {0};
  BfTypes *types = NULL;
  int64_t *cell  = NULL;
  assert_int_equal(bf_types_create(cells, atoms, &types, &error), BF_OK);
  assert_int_equal(BF_NEW(&cell, atoms, &error), BF_OK);
  const int64_t last = bf_types_count(types) - 1, middle = last / 2;
  const int64_t ranks[] = {0, last > 0, middle, last > 0 ? last - 1 : 0, last};
  for (int i = 0; i < LENGTH(ranks); i++) {
    bf_types_unrank(types, ranks[i], cell);
    for (int k = 0; k < atoms; k++)
      if (cell[k] < (k ? cell[k - 1] : 0) || cell[k] >= cells) fail_msg("atom %d is out of order", k);
    assert_int_equal(bf_types_rank(types, cell), ranks[i]);
  }
  bf_free(cell);
  bf_types_destroy(&types);
}

static void extreme_sizes(void **state) {
  (void)state;
  check_ends(INT64_C(1) << 40, 1);
  check_ends(INT64_MAX, 1);
  check_ends(INT64_C(4294967295), 2);
  check_ends(34, 33);
  check_ends(2, 300000); /* not tabulated: a term takes min(k, cell) steps, not k */
  check_ends(1, 300000);
  check_ends(1000, 6);
}

static void refusals(void **state) {
  (void)state;
  BfError  error = {0};
  BfTypes *types = NULL;
  expect_refused(bf_types_create(0, 1, &types, &error), &error, "quantize.cells: there must be at least 1 cell, got 0");
  expect_refused(bf_types_create(5, 0, &types, &error), &error, "quantize.atoms must be at least 1 for a tag, got 0");
  expect_refused(
      bf_types_create(35, 33, &types, &error), &error,
      "quantize.atoms: a tag with 33 atoms on 35 cells has more than 2^63 - 1 laws; take fewer atoms or cells");
  assert_null(types);
  bf_types_destroy(&types);
  bf_types_destroy(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rank_counts_all_types_in_colexicographic_order),
      cmocka_unit_test(number_of_types),
      cmocka_unit_test(three_atoms_on_many_cells),
      cmocka_unit_test(extreme_sizes),
      cmocka_unit_test(refusals),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests_name("types", tests, NULL, NULL);
}
