/* Tokens, tags and contexts: every token of the table is in exactly one tag, every tag in one context, in order; the
 * law of a context has the mass of its tokens. */
#include "scratch.h"

static BfData parse(const char *text, int dim) {
  BfError error = {0};
  BfData  data;
  BfFile  file = file_of("x.csv", text, strlen(text));
  if (bf_data_parse(&file, dim, &data, &error) != BF_OK) fail_msg("%s", error.text);
  return data;
}

static void tags_are_sorted_and_tokens_keep_their_rows(void **state) {
  BfData        data   = parse("label,z0,position,sequence,z1\n"
                                        "1,1,1,7,-1\n" /* row 0 */
                               "0,2,1,7,-2\n"
                                        "1,3,1,7,-3\n"
                                        "0,4,0,7,-4\n"
                                        "5,5,3,2,-5\n",
                               2);
  const int64_t rows[] = {4, 3, 1, 0, 2}, first[] = {0, 1, 2, 3, 5}, context[] = {0, 1, 4};
  const int     position[] = {3, 0, 1, 1}, label[] = {5, 0, 0, 1};
  (void)state;
  assert_int_equal(data.tokens, 5);
  assert_int_equal(data.tags, 4);
  assert_int_equal(data.contexts, 2);
  assert_int_equal(data.labels, 6);
  assert_int_equal(data.positions, 4);
  assert_memory_equal(data.row, rows, sizeof rows);
  assert_memory_equal(data.tag_first, first, sizeof first);
  assert_memory_equal(data.context_first, context, sizeof context);
  assert_memory_equal(data.position, position, sizeof position);
  assert_memory_equal(data.label, label, sizeof label);
  assert_null(data.target);
  for (int64_t k = 0; k < 5; k++) {
    assert_true(data.z[2 * k] == (double)(data.row[k] + 1));
    assert_true(data.z[2 * k + 1] == -(double)(data.row[k] + 1));
  }
  bf_data_clear(&data);
}

static void a_table_to_predict_may_lack_labels(void **state) {
  const char *const plain = "sequence,position,z0\n4,1,0.5\n4,0,0.25\n", *const given =
                                                                             "sequence,position,label,z0\n4,1,3,0.5\n";
  BfData data;
  (void)state;
  for (int targets = 0; targets < 2; targets++) {
    BfError      error = {0};
    const BfFile file  = file_of("x.csv", plain, strlen(plain));
    assert_int_equal(bf_data_parse(&file, 1, &data, &error), BF_BAD_INPUT);
    assert_non_null(strstr(error.text, "label"));
    error = (BfError){0};
    assert_int_equal(bf_data_parse_unlabelled(&file, 1, targets, &data, &error), BF_OK);
    assert_int_equal(data.unlabelled, 1);
    assert_int_equal(data.tags, 2);
    assert_int_equal(data.sequence[0], 4);
    assert_int_equal(data.row[0], 1);
    assert_true(targets ? data.target[0] == 0 && !data.label : data.label[0] == 0 && !data.target);
    bf_data_clear(&data);
  }
  BfError      error = {0};
  const BfFile file  = file_of("x.csv", given, strlen(given));
  assert_int_equal(bf_data_parse_unlabelled(&file, 1, 0, &data, &error), BF_OK);
  assert_int_equal(data.unlabelled, 0);
  assert_int_equal(data.label[0], 3);
  bf_data_clear(&data);
}

static void targets_are_part_of_the_tag(void **state) {
  BfData       data     = parse("sequence,position,y1,y0,z0,z1\n"
                                          "0,0,0,1,9,9\n"
                                          "0,0,1,-0,9,9\n"
                                          "0,0,1,0,9,9\n"
                                          "0,0,-1,0,9,9\n",
                                2);
  const double target[] = {0, -1, 0, 1, 1, 0};
  (void)state;
  assert_int_equal(data.tags, 3); /* -0 and 0 are one target */
  assert_null(data.label);
  assert_int_equal(data.labels, 0);
  assert_memory_equal(data.target, target, sizeof target);
  bf_data_clear(&data);
}

static void a_context_has_the_mass_of_its_tokens(void **state) {
  BfData data = parse("sequence,position,label,z0\n0,2,1,1\n1,0,0,1\n1,0,0,2\n1,0,0,3\n1,4,1,4\n", 1);
  (void)state;
  for (int atoms = 0; atoms < 6; atoms++) {
    BfError   error = {0};
    BfContext context;
    double    mass = 0;
    assert_int_equal(bf_context_create(&data, 1, atoms, &context, &error), BF_OK);
    assert_int_equal(context.sequence, 1);
    assert_int_equal(context.tags, 2);
    assert_int_equal(context.slots, atoms ? 2 * atoms : 4);
    assert_int_equal(context.first[context.tags], context.slots);
    assert_int_equal(context.length, 5);
    assert_int_equal(context.position[0], 0);
    assert_int_equal(context.position[1], 4);
    assert_ptr_equal(context.label, data.label + 1);
    for (int g = 0; g < context.tags; g++) mass += context.mass[g] * (context.first[g + 1] - context.first[g]);
    assert_true(context.tokens == 4);
    assert_true(mass > 4 - 1e-15 * 16 && mass < 4 + 1e-15 * 16);
    bf_context_clear(&context);
  }
  bf_data_clear(&data);
}

static void wrong_tables_are_named(void **state) {
  static const char *const cases[][2] = {
      {"", "x.csv: the table is empty"},
      {"sequence,position,label,z0\n", "x.csv: the table has no rows"},
      {"sequence,position,label,z1\n0,0,0,0\n", "x.csv: unexpected column z1: tokens have 1 component, z0 .. z0"},
      {"sequence,position,label\n0,0,0\n", "x.csv: column z0 is missing"},
      {"position,label,z0\n0,0,0\n", "x.csv: column sequence is missing"},
      {"sequence,label,z0\n0,0,0\n", "x.csv: column position is missing"},
      {"sequence,position,z0\n0,0,0\n", "x.csv: column label (or y0, ...) is missing"},
      {"sequence,position,label,z0,w\n0,0,0,0,0\n", "x.csv: unexpected column w"},
      {"sequence,position,label,z0,z00\n0,0,0,0,0\n", "x.csv: unexpected column z00"},
      {"sequence,position,label,z0,z0\n0,0,0,0,0\n", "x.csv: column z0 is given twice"},
      {"sequence,position,label,y0,z0\n0,0,0,0,0\n", "x.csv: has both a label and targets (columns y0, ...)"},
      {"sequence,position,,z0\n0,0,0,0\n", "x.csv: line 1: column 3 has no name"},
      {"0,0,0,0\n1,0,0,0\n", "x.csv: unexpected column 0"},
      {"sequence,position,label,z0\n0,0,0,0\n0,0,0\n", "x.csv: line 3: 3 cells, but the header has 4"},
      {"sequence,position,label,z0\n0,0,0,0,0\n", "x.csv: line 2: 5 cells, but the header has 4"},
      {"sequence,position,label,z0\n0,0,0,0\n0,0,1.5,0\n", "x.csv: line 3: column label is not an integer: '1.5'"},
      {"sequence,position,label,z0\n# n\n0,0,-1,0\n", "x.csv: line 3: label must be at least 0, got -1"},
      {"sequence,position,label,z0\n-2,0,0,0\n", "x.csv: line 2: sequence must be at least 0, got -2"},
      {"sequence,position,label,z0\n0,-1,0,0\n", "x.csv: line 2: position must be at least 0, got -1"},
      {"sequence,position,label,z0\n0,1000001,0,0\n", "x.csv: line 2: position must be at most 1000000, got 1000001"},
      {"sequence,position,label,z0\n99999999999999999999,0,0,0\n",
       "x.csv: line 2: column sequence is too large: '99999999999999999999'"},
      {"sequence,position,label,z0\n0,0,0,0\n0,0,0,abc\n", "x.csv: line 3: column z0 is not a number: 'abc'"},
      {"sequence,position,label,z0\n0,0,0,nan\n", "x.csv: line 2: column z0 must be finite: 'nan'"},
      {"sequence,position,label,z0\n0,0,0,-Inf\n", "x.csv: line 2: column z0 must be finite: '-Inf'"},
      {"sequence,position,label,z0\n0,0,0,\n", "x.csv: line 2: column z0 is not a number: ''"},
  };
  (void)state;
  for (size_t k = 0; k < LENGTH(cases); k++) {
    BfError error = {0};
    BfData  data;
    BfFile  file = file_of("x.csv", cases[k][0], strlen(cases[k][0]));
    assert_int_equal(bf_data_parse(&file, 1, &data, &error), BF_BAD_INPUT);
    assert_error(&error, BF_BAD_INPUT, cases[k][1]);
  }
}

static void any_bytes_are_read_or_refused(void **state) {
  static const char seed[]     = "sequence,position,label,z0\n0,1,2,0.5\n3,4,5,-1e2\n";
  static const char alphabet[] = "0129.,-+e\n\r\t \"#xzy\x80\xff\x00";
  uint64_t          random     = 1;
  (void)state;
  for (int round = 0; round < 3000; round++) {
    char    bytes[sizeof seed];
    BfError error = {0};
    BfData  data  = {0};
    memcpy(bytes, seed, sizeof seed);
    for (int change = 0; change < 1 + round % 5; change++) {
      random    = random * 6364136223846793005u + 1442695040888963407u;
      size_t at = round % 2 ? 0 : 27; /* in half of the rounds the header stays */
      bytes[at + (random >> 33) % (sizeof seed - 1 - at)] = alphabet[(random >> 48) % (sizeof alphabet - 1)];
    }
    BfFile   file   = file_of("x.csv", bytes, sizeof seed - 1);
    BfStatus status = bf_data_parse(&file, 1, &data, &error);
    assert_int_equal(status, error.status);
    assert_null(strchr(error.text, '\n'));
    bf_data_clear(&data);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(tags_are_sorted_and_tokens_keep_their_rows),
      cmocka_unit_test(targets_are_part_of_the_tag),
      cmocka_unit_test(a_table_to_predict_may_lack_labels),
      cmocka_unit_test(a_context_has_the_mass_of_its_tokens),
      cmocka_unit_test(wrong_tables_are_named),
      cmocka_unit_test(any_bytes_are_read_or_refused),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
