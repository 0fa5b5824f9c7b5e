/* Norms and projections by themselves: N against its definition in more digits, (dN/dz)^T against central differences,
 * from tiny to huge tokens; where P leaves tokens, what box they stay in, where the flow starts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "plain.h"

enum { MOST = BF_MOST_DIM * BF_LANES };
static const BfNorm *const norms[] = {&bf_norm_rms, &bf_norm_layer};
static const int           dims[]  = {1, 2, 3, 7, BF_MOST_DIM};

static uint64_t seed = 5;

static void fill(int dim, double scale, double z[]) {
  for (int i = 0; i < dim * BF_LANES; i++) z[i] = scale * uniform(&seed);
}

/* Lane l of N, in long double, whose exponents hold any square. */
static void definition(const BfNorm *norm, int dim, const double z[], int l, long double n[]) {
  long double mean = 0, square = 0;
  for (int a = 0; norm == &bf_norm_layer && a < dim; a++) mean += (long double)z[a * BF_LANES + l] / dim;
  for (int a = 0; a < dim; a++) {
    n[a] = z[a * BF_LANES + l] - mean;
    square += n[a] * n[a] / dim;
  }
  for (int a = 0; a < dim; a++) n[a] /= sqrtl(square + 1e-5L);
}

static void norm_is_its_definition(void **unused) {
  static const double scales[] = {0, 1e-300, 1e-170, 1e-3, 1, 30, 1e140, 1e160, 1e300};
  (void)unused;
  for (size_t k = 0; k < 2 * 5 * 9; k++) {
    const BfNorm *norm = norms[k % 2];
    const int     dim  = dims[k / 2 % 5];
    double        z[MOST], n[MOST];
    long double   expected[BF_MOST_DIM];
    fill(dim, scales[k / 10], z);
    norm->apply(dim, z, n);
    for (int l = 0; l < BF_LANES; l++) {
      definition(norm, dim, z, l, expected);
      for (int a = 0; a < dim; a++)
        if (!(fabsl(n[a * BF_LANES + l] - expected[a]) <= 1e-14L * (norm == &bf_norm_rms ? 1 : dim)))
          fail_msg("%s of size %g: %.17g is not %.17Lg", norm->base.name, scales[k / 10], n[a * BF_LANES + l],
                   expected[a]);
    }
    norm->apply(dim, z, z);
    assert_memory_equal(z, n, sizeof *z * (size_t)dim * BF_LANES);
  }
}

static double product(int n, const double *x, const double *y) {
  double sum = 0;
  for (int i = 0; i < n; i++) sum += x[i] * y[i];
  return sum;
}

/* <l, (N(z + h w) - N(z - h w)) / 2h> = <by_z, w> / size, with w of the size of z; what by_z had is kept. */
static void norm_has_its_derivative(void **unused) {
  static const double scales[] = {1e-3, 1, 100, 1e140, 1e300};
  (void)unused;
  for (size_t k = 0; k < 2 * 5 * 5; k++) {
    const BfNorm *norm = norms[k % 2];
    const int     dim = dims[k / 2 % 5], n = dim * BF_LANES;
    const double  h = 1e-5, scale = scales[k / 10];
    double        z[MOST], w[MOST], l[MOST], up[MOST], down[MOST], by_z[MOST], zero[MOST] = {0};
    fill(dim, scale, z);
    fill(dim, 1, w);
    fill(dim, 1, l);
    for (int i = 0; i < n; i++) {
      up[i]   = z[i] + h * scale * w[i];
      down[i] = z[i] - h * scale * w[i];
    }
    norm->apply(dim, up, up);
    norm->apply(dim, down, down);
    for (int i = 0; i < n; i++) up[i] = (up[i] - down[i]) / (2 * h);
    norm->transposed(dim, z, l, zero);
    for (int i = 0; i < n; i++) by_z[i] = 0.5 / scale;
    norm->transposed(dim, z, l, by_z);
    for (int i = 0; i < n; i++) {
      by_z[i] *= scale;
      assert_true(fabs(by_z[i] - 0.5 - scale * zero[i]) <= 1e-14 * (1 + fabs(by_z[i])));
      by_z[i] -= 0.5;
    }
    const double expected = product(n, l, up), found = product(n, by_z, w);
    if (!(fabs(expected - found) <= 1e-7 * (1 + fabs(expected))))
      fail_msg("%s, d = %d, size %g: %.12g is not %.12g", norm->base.name, dim, scale, found, expected);
  }
}

/* `none` moves nothing and has derivative 1, up to 1e140; outside of Z is told all the same. */
static void none_is_the_identity(void **unused) {
  (void)unused;
  const double  bound[] = {-1, -2}, top[] = {1, 3};
  const BfLayer layer = {.dim = 2, .projection = &bf_project_none, .lower = bound, .upper = top};
  double        y[2 * BF_LANES], lambda[2 * BF_LANES], lower[2], upper[2];
  fill(2, 1e139, y);
  fill(2, 1, lambda);
  y[3] = 1.1e140;
  y[9] = -INFINITY;
  double kept[2 * BF_LANES];
  memcpy(kept, lambda, sizeof kept);
  layer.projection->transposed(&layer, y, lambda);
  for (int i = 0; i < 2 * BF_LANES; i++) assert_true(lambda[i] == (i == 3 || i == 9 ? 0 : kept[i]));
  assert_false(layer.projection->is_outside(&layer, (double[]){1, -2}));
  assert_true(layer.projection->is_outside(&layer, (double[]){1, -2.01}));
  layer.projection->box(&layer, lower, upper);
  assert_true(lower[1] == -1e140 && upper[0] == 1e140);
  assert_null(layer.projection->start);
  assert_null(layer.projection->keeps);
}

static void clip_and_sphere(void **unused) {
  (void)unused;
  const double  bound[] = {-0.5, -2}, top[] = {0.5, 3};
  const BfLayer layer = {.dim = 2, .lower = bound, .upper = top};
  double        lower[2], upper[2], z[] = {3, -4}, origin[] = {0, 0};
  bf_project_clip.box(&layer, lower, upper);
  assert_true(lower[0] == -0.5 && lower[1] == -2 && upper[0] == 0.5 && upper[1] == 3);
  bf_project_sphere.box(&layer, lower, upper); /* Z, where the data are, and the unit ball */
  assert_true(lower[0] == -1 && lower[1] == -2 && upper[0] == 1 && upper[1] == 3);
  assert_true(bf_project_clip.is_outside(&layer, (double[]){0.5000001, 0}));
  assert_false(bf_project_clip.is_outside(&layer, (double[]){0.5, 3}));
  assert_true(bf_project_clip.is_outside(&layer, (double[]){NAN, 0}));
  assert_true(bf_project_sphere.is_outside(&layer, (double[]){1.02, 0}));
  assert_false(bf_project_sphere.is_outside(&layer, (double[]){0.6, 0.8}));
  bf_project_sphere.start(2, z);
  assert_true(z[0] == 0.6 && z[1] == -0.8);
  bf_project_sphere.start(2, origin);
  assert_true(origin[0] == 0 && origin[1] == 0);
}

static void names(void **unused) {
  static const char *const norm[] = {"none", "rms", "layer"}, *const projection[] = {"clip", "sphere", "none"};
  (void)unused;
  for (int k = 0; k < 3; k++) {
    assert_string_equal(bf_norms[k]->base.name, norm[k]);
    assert_string_equal(bf_projections[k]->base.name, projection[k]);
  }
  assert_null(bf_norms[3]);
  assert_null(bf_projections[3]);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(norm_is_its_definition),
                                     cmocka_unit_test(norm_has_its_derivative), cmocka_unit_test(none_is_the_identity),
                                     cmocka_unit_test(clip_and_sphere), cmocka_unit_test(names)};
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
