/* What the tests of the pure part use of cmocka, for machines that have none: assertions that end a test, tests in a
 * row, TAP. tests/pure/meson.build takes this file only where cmocka is not found. */
#pragma once
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct CMUnitTest {
  const char *name;
  void (*test)(void **state);
};
#define cmocka_unit_test(function)                                                                                     \
  { #function, function }
enum { CM_OUTPUT_TAP };

static jmp_buf cmocka_test;

__attribute__((noreturn)) static inline void cmocka_fail(const char *file, int line) {
  printf("# %s:%d\n", file, line);
  longjmp(cmocka_test, 1);
}

static inline void cmocka_check_int(intmax_t a, intmax_t b, const char *file, int line) {
  if (a == b) return;
  printf("# %" PRIdMAX " is not %" PRIdMAX "\n", a, b);
  cmocka_fail(file, line);
}

static inline void cmocka_check_text(const char *a, const char *b, const char *file, int line) {
  if (!strcmp(a, b)) return;
  printf("# '%s' is not '%s'\n", a, b);
  cmocka_fail(file, line);
}

#define fail() cmocka_fail(__FILE__, __LINE__)
#define fail_msg(...) (printf("# " __VA_ARGS__), printf("\n"), fail())
#define print_error(...) printf("# " __VA_ARGS__)
#define print_message(...) printf(__VA_ARGS__)
#define assert_true(x) ((x) ? (void)0 : fail())
#define assert_false(x) assert_true(!(x))
#define assert_null(x) assert_true((x) == NULL)
#define assert_non_null(x) assert_true((x) != NULL)
#define assert_ptr_equal(a, b) assert_true((const void *)(a) == (const void *)(b))
#define assert_int_equal(a, b) cmocka_check_int((intmax_t)(a), (intmax_t)(b), __FILE__, __LINE__)
#define assert_in_range(x, low, high) assert_true((x) >= (low) && (x) <= (high))
#define assert_string_equal(a, b) cmocka_check_text(a, b, __FILE__, __LINE__)
#define assert_memory_equal(a, b, size) assert_true(!memcmp(a, b, size))
#define assert_memory_not_equal(a, b, size) assert_true(memcmp(a, b, size))

static inline void cmocka_set_message_output(int output) { (void)output; }

static inline int cmocka_run(const struct CMUnitTest tests[], int count) {
  volatile int failed = 0;
  printf("1..%d\n", count);
  for (volatile int i = 0; i < count; i++) {
    void     *state = NULL;
    const int bad   = setjmp(cmocka_test);
    if (!bad) tests[i].test(&state);
    failed += bad != 0;
    printf("%s %d - %s\n", bad ? "not ok" : "ok", i + 1, tests[i].name);
  }
  return failed;
}
#define cmocka_run_group_tests(tests, setup, teardown)                                                                 \
  ((void)(setup), (void)(teardown), cmocka_run(tests, (int)(sizeof(tests) / sizeof *(tests))))
#define cmocka_run_group_tests_name(name, tests, setup, teardown) cmocka_run_group_tests(tests, setup, teardown)
