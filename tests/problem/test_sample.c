/* Of a table, N sequences or N tokens of each tag: those that have the least of splitmix64's draws; in order, nested.
 */
#include "scratch.h"

#include "bellformer/splitmix64.h"

static BfData parse(const char *text, int64_t count, uint64_t seed, BfStatus wanted, BfError *error) {
  BfData data;
  BfFile file = file_of("x.csv", text, strlen(text));
  if (bf_data_parse(&file, 1, &data, error) != BF_OK) fail_msg("%s", error->text);
  assert_int_equal(bf_data_sample(&data, count, seed, error), wanted);
  return data;
}

/* A table of `sequences` sequences, numbered 3 s, of two tokens each; z of row r is r/64. Rows from the last to the
 * first sequence, so that their order is not that of the numbers. */
static void write_sequences(char *text, int sequences) {
  int at = sprintf(text, "sequence,position,label,z0\n");
  for (int s = sequences - 1, row = 0; s >= 0; s--)
    for (int p = 0; p < 2; p++, row++) at += sprintf(text + at, "%d,%d,%d,%.17g\n", 3 * s, p, s % 4, row / 64.0);
}

/* Whether sequence s of S has one of the `count` least draws, by counting those that are less. */
static int is_among(int s, int S, int64_t count, uint64_t seed) {
  uint64_t draw[64];
  int64_t  less = 0;
  for (int i = 0; i < S; i++) draw[i] = bf_splitmix64(&seed);
  for (int i = 0; i < S; i++) less += draw[i] < draw[s];
  return less < count;
}

static void sequences_of_the_least_draws_are_left(void **state) {
  enum { S = 16 };
  char    text[2048];
  BfError error = {0};
  (void)state;
  write_sequences(text, S);
  for (uint64_t seed = 0; seed < 20; seed++)
    for (int64_t count = 1; count <= S; count++) {
      BfData  data = parse(text, count, seed, BF_OK, &error);
      int64_t s    = 0;
      assert_int_equal(data.contexts, count);
      assert_int_equal(data.tokens, 2 * count);
      assert_int_equal(data.tags, 2 * count);
      assert_int_equal(data.labels, 4); /* classes are those of the table */
      for (int own = 0; own < S; own++) {
        if (!is_among(own, S, count, seed)) continue;
        for (int p = 0; p < 2; p++) {
          const int64_t k = 2 * s + p;
          assert_int_equal(data.sequence[k], 3 * own);
          assert_int_equal(data.position[k], p);
          assert_int_equal(data.label[k], own % 4);
          assert_int_equal(data.tag_first[k], k);
          assert_int_equal(data.place[k], 2 * (S - 1 - own) + p);
          assert_true(data.z[k] == data.place[k] / 64.0);
          assert_int_equal(data.row[k], 2 * (count - 1 - s) + p); /* the last sequence stands first */
        }
        assert_int_equal(data.context_first[s], 2 * s);
        s++;
      }
      assert_int_equal(s, count);
      assert_int_equal(data.context_first[count], 2 * count);
      assert_int_equal(data.tag_first[2 * count], 2 * count);
      bf_data_clear(&data);
    }
}

/* Tokens of three tags in turn, of one sequence: 8, 8, 8 of 24 rows. */
static void tokens_of_each_tag_are_left(void **state) {
  enum { ROWS = 24 };
  char text[2048];
  int  at = sprintf(text, "sequence,position,label,z0\n"), kept[ROWS];
  (void)state;
  for (int row = 0; row < ROWS; row++) at += sprintf(text + at, "5,%d,%d,%.17g\n", row % 3 > 0, row % 3, row / 64.0);
  for (uint64_t seed = 0; seed < 20; seed++) {
    uint64_t draw[ROWS], stream = seed;
    for (int row = 0; row < ROWS; row++) draw[row] = bf_splitmix64(&stream);
    for (int64_t count = 1; count <= ROWS / 3; count++) {
      BfError error = {0};
      BfData  data  = parse(text, count, seed, BF_OK, &error);
      assert_int_equal(data.contexts, 1);
      assert_int_equal(data.tags, 3);
      assert_int_equal(data.tokens, 3 * count);
      for (int row = 0, number = 0; row < ROWS; row++) {
        int64_t less = 0;
        for (int other = row % 3; other < ROWS; other += 3) less += draw[other] < draw[row];
        kept[row] = less < count ? number++ : -1;
      }
      for (int64_t k = 0; k < data.tokens; k++) {
        const int64_t row = data.place[k];
        assert_int_equal(row % 3, k / count); /* tags in order */
        assert_int_equal(kept[row], data.row[k]);
        assert_true(data.z[k] == row / 64.0);
        if (k % count) assert_true(row > data.place[k - 1]);
      }
      bf_data_clear(&data);
    }
  }
}

static void more_than_there_are_is_refused(void **state) {
  BfError error = {0};
  (void)state;
  BfData data = parse("sequence,position,label,z0\n0,0,0,1\n1,0,0,1\n", 3, 0, BF_BAD_INPUT, &error);
  assert_error(&error, BF_BAD_INPUT, "the table has 2 sequences, fewer than 3");
  bf_data_clear(&data);
  error = (BfError){0};
  data  = parse("sequence,position,label,z0\n0,0,0,1\n0,0,0,1\n0,1,0,1\n", 2, 0, BF_BAD_INPUT, &error);
  assert_error(&error, BF_BAD_INPUT, "the table's only sequence has fewer than 2 tokens of tag 1 (position 1): 1");
  bf_data_clear(&data);
}

int main(void) {
  cmocka_set_message_output(CM_OUTPUT_TAP);
  const struct CMUnitTest tests[] = {cmocka_unit_test(sequences_of_the_least_draws_are_left),
                                     cmocka_unit_test(tokens_of_each_tag_are_left),
                                     cmocka_unit_test(more_than_there_are_is_refused)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
