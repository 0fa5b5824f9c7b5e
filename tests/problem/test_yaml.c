/* The strict reading of YAML: a flat list of dotted keys, and an error with its line for all that would be lost. */
#include "scratch.h"

#include "../../src/problem/strict_yaml.h"
#include "../../src/run/text.h"

static const char *value(const BfYaml *yaml, const char *key, int64_t k) {
  const BfYamlEntry *entry = bf_yaml_find(yaml, key);
  assert_non_null(entry);
  assert_in_range(k, 0, entry->count - 1);
  return entry->value[k];
}

static void block_and_flow_style_say_the_same(void **state) {
  static const char *const texts[]     = {"# comment\na: 1\nb: {c: [1, -2e3], d: two words, e: {f: \"q\"}}\ng: []\n",
                                          "a: 1\nb:\n  c:\n    - 1\n    - -2e3\n  d: two words\n  e:\n    f: 'q'\ng: []\n",
                                          "---\na: 1\r\nb: {c: [1, -2e3], d: two words, e: {f: q}}\r\ng: []\n...\n"};
  static const int         last_line[] = {4, 9, 4};
  (void)state;
  for (size_t t = 0; t < LENGTH(texts); t++) {
    BfError error = {0};
    BfYaml  yaml;
    BfFile  file = file_of("x.yaml", texts[t], strlen(texts[t]));
    assert_int_equal(bf_yaml_parse(&file, &yaml, &error), BF_OK);
    assert_int_equal(yaml.count, 7); /* with the maps b and b.e */
    assert_string_equal(value(&yaml, "a", 0), "1");
    assert_int_equal(bf_yaml_find(&yaml, "b")->kind, BF_YAML_MAP);
    assert_int_equal(bf_yaml_find(&yaml, "b.c")->kind, BF_YAML_LIST);
    assert_int_equal(bf_yaml_find(&yaml, "b.c")->count, 2);
    assert_string_equal(value(&yaml, "b.c", 1), "-2e3");
    assert_string_equal(value(&yaml, "b.d", 0), "two words");
    assert_string_equal(value(&yaml, "b.e.f", 0), "q");
    assert_int_equal(bf_yaml_find(&yaml, "g")->count, 0);
    assert_null(bf_yaml_find(&yaml, "c"));
    assert_int_equal(bf_yaml_find(&yaml, "g")->line, last_line[t]);
    bf_yaml_clear(&yaml);
  }
}

static void what_would_be_lost_is_an_error(void **state) {
  static const char *const cases[][2] = {
      {"a: 1\nb: 2\na: 3\n", "x.yaml: line 3: a is given twice, first in line 1"},
      {"a: 1\na: {b: 2}\n", "x.yaml: line 2: a is given twice, first in line 1"},
      {"m: {b: 1,\n b: 2}\n", "x.yaml: line 2: m.b is given twice, first in line 1"},
      {"a:\n - [1, 2]\n", "x.yaml: line 2: a must be a flat list of values"},
      {"a: [1, {b: 2}]\n", "x.yaml: line 1: a must be a flat list of values (is a ']' missing?)"},
      {"a: &one 1\n", "x.yaml: line 1: anchors are not read here"},
      {"a: &one [1]\n", "x.yaml: line 1: anchors are not read here"},
      {"b: 1\na: *one\n", "x.yaml: line 2: aliases are not read here"},
      {"a: !include other.yaml\n", "x.yaml: line 1: tags are not read here, got '!include'"},
      {"a: !!int 3\n", "x.yaml: line 1: tags are not read here, got 'tag:yaml.org,2002:int'"},
      {"a: 1\n---\nb: 2\n", "x.yaml: line 2: a second document"},
      {"- 1\n- 2\n", "x.yaml: line 1: the top level must be a map of keys"},
      {"word\n", "x.yaml: line 1: the top level must be a map of keys"},
      {"", "x.yaml: line 1: the problem holds no keys"},
      {"# nothing\n", "x.yaml: line 1: the problem holds no keys"},
      {"{}\n", "x.yaml: line 1: the problem holds no keys"},
      {"a: {}\n", "x.yaml: line 1: a holds no keys"},
      {"a: 1\nb:\n", "x.yaml: line 2: b has no value"},
      {"a: ~\n", "x.yaml: line 1: a has no value"},
      {"a: [1, null]\n", "x.yaml: line 1: a has no value"},
      {"a: \"x\\0y\"\n", "x.yaml: line 1: a holds a NUL byte"},
      {"a.b: 1\n", "x.yaml: line 1: a key must be a word of letters, digits and _, got 'a.b'"},
      {"<<: 1\n", "x.yaml: line 1: a key must be a word of letters, digits and _, got '<<'"},
      {"[a]: 1\n", "x.yaml: line 1: a key must be a word"},
      {"a: {b: {c: {d: {e: {f: 1}}}}}\n", "x.yaml: line 1: a.b.c.d.e is nested too deeply"},
      {"a: 1\nb: \xff\n", "x.yaml: line 2: not YAML: invalid leading UTF-8 octet"},
  };
  (void)state;
  for (size_t k = 0; k < LENGTH(cases); k++) {
    BfError error = {0};
    BfYaml  yaml;
    BfFile  file = file_of("x.yaml", cases[k][0], strlen(cases[k][0]));
    assert_int_equal(bf_yaml_parse(&file, &yaml, &error), BF_BAD_INPUT);
    assert_error(&error, BF_BAD_INPUT, cases[k][1]);
  }
  BfError error = {0};
  BfYaml  yaml;
  BfFile  file = file_of("x.yaml", "a: 1\nb: \0", 9);
  bf_yaml_parse(&file, &yaml, &error);
  assert_error(&error, BF_BAD_INPUT, "x.yaml: line 2: a NUL byte");
}

/* What who has never written YAML gets wrong, in words that say what to do. */
static void beginners_are_told_what_to_do(void **state) {
  static const char *const cases[][2] = {
      {"a: 1\n\tb: 2\n", "x.yaml: line 2: a tab before 'b: 2': YAML indents with spaces"},
      {"a:\n\tb: 2\n", "x.yaml: line 2: a tab before 'b: 2': YAML indents with spaces"},
      {"a:\n  b: 1\n\tc: 2\n", "x.yaml: line 3: a tab before 'c: 2': YAML indents with spaces"},
      {"a:1\nb: 2\n", "x.yaml: line 1: a blank is missing behind the colon of 'a:1'"},
      {"a: 1\nb:2\n\n# c\nd: 3\n", "x.yaml: line 2: a blank is missing behind the colon of 'b:2'"},
      {"a: {b:1, c: 2}\n", "x.yaml: line 1: a blank is missing behind the colon of 'b:1'"},
      {"a = 1\nb: 2\n", "x.yaml: line 1: 'a = 1': a colon stands between key and value"},
      {"a: 1\nb\nc: 2\n", "x.yaml: line 3: not YAML: could not find expected ':'"},
      {"a: 1\nb: [1, 2\nc: 3\n", "x.yaml: line 3: a ',' is missing, or the ']' of the list that begins in line 2"},
      {"a: {b: 1\nc: 3\n", "x.yaml: line 2: a ',' is missing, or the '}' of the map that begins in line 1"},
      {"a: {b: 1; c: 3}\n", "x.yaml: line 1: a ',' is missing, or the '}' of the map that begins in line 1"},
      {"a: [1, 2, b: 3]\n", "x.yaml: line 1: a must be a flat list of values (is a ']' missing?)"},
      {"a: {b: [1]], c: 2}\n", "x.yaml: line 1: a ']' that closes nothing"},
      {"a: 1\nb: {c: 1}}\n", "x.yaml: line 2: a '}' that closes nothing"},
      {"a: 1\n b: 2\n", "x.yaml: line 2: 'b: 2' is indented otherwise than the keys round it"},
      {"a:\n  b: 1\n c: 2\n", "x.yaml: line 3: 'c: 2' is indented otherwise than the keys round it"},
      {"a: b: 1\n", "x.yaml: line 1: two keys in a line; a map in one line stands in braces: a: {b: c}"},
      {"a: 1\n- b: 2\n", "x.yaml: line 2: '- ' begins an item of a list, and here stand keys"},
      {"a: (1, 2)\n", NULL}, /* a text; the number's reader says what is wrong */
      {"a: {b: (1, 2)}\n", "x.yaml: line 1: a list stands in [ ], not in ( ): at '2)'"},
      {"a: 1\nb: \"c\nd: 2\n", "x.yaml: line 2: a quote that begins here is not closed"},
      {"a: @b\n", "x.yaml: line 1: a text that begins with %, @ or ` stands in quotes"},
      {"a:\n\xc2\xa0 b: 1\n", "x.yaml: line 2: a no-break space: YAML indents with plain spaces"},
      {"\xff\xfe", "x.yaml: line 1: the file is UTF-16; a problem is UTF-8"},
  };
  static const char *const hints[][2] = {
      {"2,", " (commas stand between values in brackets only)"},
      {"3 3", " (commas stand between the values of a list)"},
      {"0,5", " (the decimal mark is a point; a list stands in brackets)"},
      {"2#x", " (a comment begins with a blank and #)"},
      {"2 // x", " (a comment begins with #)"},
      {"two", ""},
      {"", ""},
  };
  (void)state;
  for (size_t k = 0; k < LENGTH(cases); k++) {
    BfError error = {0};
    BfYaml  yaml  = {0};
    BfFile  file  = file_of("x.yaml", cases[k][0], strlen(cases[k][0]));
    assert_int_equal(bf_yaml_parse(&file, &yaml, &error), cases[k][1] ? BF_BAD_INPUT : BF_OK);
    if (cases[k][1]) assert_error(&error, BF_BAD_INPUT, cases[k][1]);
    bf_yaml_clear(&yaml);
  }
  for (size_t k = 0; k < LENGTH(hints); k++) assert_string_equal(bf_text_hint(hints[k][0]), hints[k][1]);
}

/* Any bytes are either read or refused with a status and a line of text. */
static void any_bytes_are_read_or_refused(void **state) {
  static const char seed[]     = "a: 1\nb: {c: [1, 2], d: \"e\"}\nf:\n  - 1\n  - &x !t *x\n---\n";
  static const char alphabet[] = "abz01 :,-[]{}\"'\\\n\t#&*!|>%@\x80\xff\x00";
  uint64_t          random     = 1;
  (void)state;
  for (int round = 0; round < 3000; round++) {
    char    bytes[sizeof seed];
    BfError error = {0};
    BfYaml  yaml  = {0};
    memcpy(bytes, seed, sizeof seed);
    for (int change = 0; change < 1 + round % 6; change++) {
      random                                    = random * 6364136223846793005u + 1442695040888963407u;
      bytes[(random >> 33) % (sizeof seed - 1)] = alphabet[(random >> 48) % (sizeof alphabet - 1)];
    }
    BfFile   file   = file_of("x.yaml", bytes, sizeof seed - 1);
    BfStatus status = bf_yaml_parse(&file, &yaml, &error);
    assert_int_equal(status, error.status);
    assert_int_equal(status == BF_OK, error.text[0] == '\0');
    assert_null(strchr(error.text, '\n'));
    bf_yaml_clear(&yaml);
  }
}

static void numbers_are_read_whole_or_not_at_all(void **state) {
  static const struct {
    const char *text, *wrong;
    double      value;
  } cases[] = {
      {"1", NULL, 1},
      {"-2.5e-3", NULL, -2.5e-3},
      {"+.5", NULL, .5},
      {"5.", NULL, 5},
      {"1e-400", NULL, 0},
      {"", "is not a number", 0},
      {"1x", "is not a number", 0},
      {"1 2", "is not a number", 0},
      {"0x10", "is not a number", 0},
      {"1e", "is not a number", 0},
      {"--1", "is not a number", 0},
      {"1e999", "is too large", 0},
      {"nan", "must be finite", 0},
      {"-.inf", "must be finite", 0},
      {"Infinity", "must be finite", 0},
      {"1,5", "is not a number", 0},
      {"one", "is not a number", 0},
      {"1e5e", "is not a number", 0},
  };
  (void)state;
  for (size_t k = 0; k < LENGTH(cases); k++) {
    double      number = 0;
    const char *wrong  = bf_text_number(cases[k].text, &number);
    if (!cases[k].wrong) {
      assert_null(wrong);
      assert_true(number == cases[k].value);
    } else {
      assert_string_equal(wrong, cases[k].wrong);
    }
  }
  int64_t integer = 0;
  assert_null(bf_text_integer("-9223372036854775808", &integer));
  assert_true(integer == INT64_MIN);
  assert_string_equal(bf_text_integer("9223372036854775808", &integer), "is too large");
  assert_string_equal(bf_text_integer("2.0", &integer), "is not an integer");
  assert_string_equal(bf_text_integer("", &integer), "is not an integer");
  assert_string_equal(bf_text_integer("-", &integer), "is not an integer");
}

/* Levenshtein's distance: a metric, with known values. */
static void likeness_is_the_number_of_edits(void **state) {
  (void)state;
  assert_int_equal(bf_text_distance("kitten", "sitting"), 3);
  assert_int_equal(bf_text_distance("sitting", "kitten"), 3);
  assert_int_equal(bf_text_distance("", "abc"), 3);
  assert_int_equal(bf_text_distance("cells", "cells"), 0);
  assert_int_equal(bf_text_distance("cell", "cells"), 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(block_and_flow_style_say_the_same),    cmocka_unit_test(what_would_be_lost_is_an_error),
      cmocka_unit_test(beginners_are_told_what_to_do),        cmocka_unit_test(any_bytes_are_read_or_refused),
      cmocka_unit_test(numbers_are_read_whole_or_not_at_all), cmocka_unit_test(likeness_is_the_number_of_edits),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
