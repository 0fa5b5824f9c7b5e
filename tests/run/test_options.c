/* The options of a run: what is given, what was read, what is like what. */
#include "bellformer/options.h"
#include <stdio.h>
#include <string.h>

static int number, failed;

static void check(int holds, const char *what) {
  printf("%sok %d - %s\n", holds ? "" : "not ", ++number, what);
  failed += !holds;
}

static int is(const char *a, const char *b) { return a && !strcmp(a, b); }

static void given_and_read(void) {
  BfOptions *o     = NULL;
  BfError    error = {0};
  bf_options_create(&o, &error);
  check(!bf_options_unread(o) && bf_options_refuse_unread(o, &error) == BF_OK, "of none, none is unread");
  bf_options_add(o, "horizon", "2", &error);
  bf_options_add(o, "quiet", NULL, &error);
  bf_options_add(o, "horizon", "3", &error);
  check(bf_options_count(o) == 2 && is(bf_options_value(o, 0), "3"), "of two of one name the last counts");
  check(bf_options_given(o, "quiet") && !bf_options_given(o, "Quiet") && !bf_options_was_read(o, 1),
        "to ask is not to read; case counts");
  check(is(bf_options_read(o, "quiet"), "") && bf_options_was_read(o, 1), "without a value it is empty");
  check(!bf_options_read(o, "step") && is(bf_options_unread(o), "horizon"), "what was not read is left");
  bf_options_read(o, "horizon");
  check(!bf_options_unread(o), "all were read");
  bf_options_add(o, "horizon", "4", &error);
  check(is(bf_options_unread(o), "horizon"), "what is given anew is unread");
  bf_options_destroy(&o);
  bf_options_destroy(&o);
  check(!o && !bf_options_given(o, "a") && !bf_options_read(o, "a") && !bf_options_count(o) && !bf_options_unread(o),
        "NULL is none");
}

/* Two objects know nothing of each other. */
static void apart(void) {
  BfOptions *a = NULL, *b = NULL;
  BfError    error = {0};
  bf_options_create(&a, &error);
  bf_options_create(&b, &error);
  bf_options_add(a, "tao_max_it", "1", &error);
  bf_options_add(b, "tao_max_it", "2", &error);
  check(is(bf_options_read(a, "tao_max_it"), "1") && !bf_options_was_read(b, 0) && is(bf_options_value(b, 0), "2"),
        "two of them are two");
  bf_options_destroy(&a);
  bf_options_destroy(&b);
}

static void likeness(void) {
  static const struct {
    const char *name, *said;
  } cases[]                        = {{"spac", "unknown option -spac, did you mean -space?"},
                                      {"tao_typ", "unknown option -tao_typ, did you mean -tao_type?"},
                                      {"store_polici", "unknown option -store_polici, did you mean -store_policy?"},
                                      {"o2", "unknown option -o2, did you mean -o?"},
                                      {"entirely_else", "unknown option -entirely_else"}};
  static const char *const known[] = {"space", "store_policy", "store_value", "tao_type", "tao_max_it", "o"};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    BfOptions *o     = NULL;
    BfError    error = {0};
    bf_options_create(&o, &error);
    for (size_t k = 0; k < sizeof known / sizeof *known; k++) bf_options_know(o, known[k], &error);
    bf_options_add(o, cases[i].name, "x", &error);
    check(bf_options_refuse_unread(o, &error) == BF_BAD_INPUT && is(error.text, cases[i].said), cases[i].said);
    bf_options_destroy(&o);
  }
}

int main(void) {
  given_and_read();
  apart();
  likeness();
  printf("1..%d\n", number);
  return failed > 0;
}
