#include "heads/tangent/triangle.h"
#include <string.h>

/* LAPACK, as Fortran has it. */
void dtpqrt_(const int *m, const int *n, const int *l, const int *nb, double *a, const int *lda, double *b,
             const int *ldb, double *t, const int *ldt, double *work, int *info);
void dgesvd_(const char *jobu, const char *jobvt, const int *m, const int *n, double *a, const int *lda, double *s,
             double *u, const int *ldu, double *vt, const int *ldvt, double *work, const int *lwork, int *info,
             size_t jobu_length, size_t jobvt_length);

enum { BLOCKED = 32 }; /* reflections at a time */

static int blocked(int n) { return n < BLOCKED ? n : BLOCKED; }

BfStatus bf_triangle_create(int n, int most, BfTriangle *x, BfError *error) {
  *x = (BfTriangle){.n = n, .most = most};
  BF_TRY(BF_NEW(&x->R, (int64_t)n * n, error));
  BF_TRY(BF_NEW(&x->block, (int64_t)n * most, error));
  return BF_NEW(&x->scratch, (int64_t)2 * blocked(n) * n, error);
}

void bf_triangle_clear(BfTriangle *x) {
  bf_free(x->R);
  bf_free(x->block);
  bf_free(x->scratch);
  *x = (BfTriangle){0};
}

/* R of [R; below], below [n][stride] of `rows` rows, of which the last `triangular` are an upper triangle. */
static BfStatus fold(BfTriangle *x, int rows, int triangular, double *below, int stride, BfError *error) {
  const int nb = blocked(x->n);
  int       info;
  if (!rows) return BF_OK;
  dtpqrt_(&rows, &x->n, &triangular, &nb, x->R, &x->n, below, &stride, x->scratch, &nb, x->scratch + nb * x->n, &info);
  return info ? bf_fail(error, BF_FAILURE, "LAPACK: dtpqrt: info %d", info) : BF_OK;
}

BfStatus bf_triangle_fold(BfTriangle *x, BfError *error) {
  BF_TRY(fold(x, x->rows, 0, x->block, x->most, error));
  memset(x->block, 0, (size_t)x->n * (size_t)x->most * sizeof(double));
  x->rows = 0;
  return BF_OK;
}

BfStatus bf_triangle_merge(BfTriangle *x, double *other, BfError *error) {
  return fold(x, x->n, x->n, other, x->n, error);
}

BfStatus bf_singular_values(int rows, int columns, double *matrix, double values[], BfError *error) {
  const int one = 1, ask = -1;
  double    size, *work, none;
  int       info;
  dgesvd_("N", "N", &rows, &columns, matrix, &rows, values, &none, &one, &none, &one, &size, &ask, &info, 1, 1);
  const int length = (int)size;
  BF_TRY(BF_NEW(&work, length, error));
  dgesvd_("N", "N", &rows, &columns, matrix, &rows, values, &none, &one, &none, &one, work, &length, &info, 1, 1);
  bf_free(work);
  return info ? bf_fail(error, BF_FAILURE, "LAPACK: dgesvd: info %d", info) : BF_OK;
}
