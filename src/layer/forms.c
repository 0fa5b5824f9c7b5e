/* The forms of matrices: a row each. */
#include "bellformer/form.h"

#define KEY(key)                                                                                                       \
  { .name = key }
#define KEYS(...)                                                                                                      \
  (const BfKey[]) {                                                                                                    \
    __VA_ARGS__, { .name = NULL }                                                                                      \
  }
#define FREE KEY("control.A.range"), KEY("control.A.levels")
#define PIECES KEY("control.A.row_I_column_J.range"), KEY("control.A.row_I_column_J.levels")

static bool is_square(int rows, int cols) { return rows == cols; }
static bool is_two(int rows, int cols) { return rows == 2 && cols == 2; }

static int all(int rows, int cols) { return rows * cols; }
static int one(int rows, int cols) {
  (void)rows;
  (void)cols;
  return 1;
}
static int none(int rows, int cols) {
  (void)rows;
  (void)cols;
  return 0;
}
static int side(int rows, int cols) {
  (void)cols;
  return rows;
}

static int full(int cols, int r, int c, double *factor) {
  *factor = 1;
  return r * cols + c;
}

static int diagonal(int cols, int r, int c, double *factor) {
  (void)cols;
  *factor = 1;
  return r == c ? r : -1;
}

static int scalar(int cols, int r, int c, double *factor) {
  (void)cols;
  *factor = 1;
  return r == c ? 0 : -1;
}

static int skew(int cols, int r, int c, double *factor) {
  (void)cols;
  *factor = r ? 1 : -1;
  return r == c ? -1 : 0;
}

static int fixed(int cols, int r, int c, double *factor) {
  (void)cols;
  (void)r;
  (void)c;
  (void)factor;
  return -1;
}

static const BfForm forms[] = {
    {{"full", KEYS(FREE, PIECES), "all, row by row"}, .pieces = true, .free = all, .number = full},
    {{"diagonal", KEYS(FREE, PIECES), "those on it, of a square matrix"},
     false,
     true,
     "square",
     is_square,
     side,
     diagonal},
    {{"scalar", KEYS(FREE), "one, times the identity"}, false, false, "square", is_square, one, scalar},
    {{"skew", KEYS(FREE), "one, times [[0, -1], [1, 0]]"}, false, false, "2 x 2", is_two, one, skew},
    {{"fixed", KEYS(KEY("control.A.value")), "none, the matrix is `value`"},
     .given  = true,
     .free   = none,
     .number = fixed}};
enum { FORMS = sizeof forms / sizeof *forms };

static const BfKind *kind_at(int k) { return k < FORMS ? &forms[k].base : NULL; }

static const BfKey key            = {"control.A.form", "word", "full", "which numbers of the matrix are free"};
const BfFamily     bf_form_family = {.key = &key, .kind = kind_at};

const BfForm *bf_form(const char *name) {
  const int k = bf_kind_find(kind_at, name);
  return k < 0 ? NULL : &forms[k];
}
