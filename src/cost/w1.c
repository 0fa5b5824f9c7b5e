/* W1 of two clouds of points. |x - y| is a metric, so that mass which both have at a point stays there. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* qsort_r */
#endif
#include "cost/w1.h"
#include "bellformer/cost.h"
#include "cost/divisor.h"

#include <math.h>
#include <stdlib.h>

/* The difference of the two laws: masses at distinct points. */
typedef struct {
  int            dim;
  int64_t        count;
  const double **point;
  int64_t       *mass; /* of the first law less that of the second, in units of 1 / total */
  double         total;
} Difference;

typedef struct {
  const double *point;
  int64_t       mass;
} Atom;

static int compare(int dim, const double x[], const double y[]) {
  for (int j = 0; j < dim; j++)
    if (x[j] != y[j]) return x[j] < y[j] ? -1 : 1;
  return 0;
}

static int by_coordinates(const void *a, const void *b, void *dim) {
  return compare(*(const int *)dim, ((const Atom *)a)->point, ((const Atom *)b)->point);
}

/* atom[n + m], sorted, becomes the difference's points. */
static void merge(Atom atom[], int64_t atoms, Difference *out) {
  for (int64_t k = 0; k < atoms; k++) {
    if (out->count && !compare(out->dim, out->point[out->count - 1], atom[k].point)) {
      out->mass[out->count - 1] += atom[k].mass;
      continue;
    }
    out->point[out->count]  = atom[k].point;
    out->mass[out->count++] = atom[k].mass;
  }
}

static BfStatus subtract(int64_t n, const double x[], int64_t m, const double y[], Difference *out, BfError *error) {
  const int64_t divisor = bf_greatest_divisor(n, m);
  Atom         *atom    = NULL;
  BfStatus      status;
  BF_GOTO(BF_NEW(&atom, n + m, error));
  BF_GOTO(BF_NEW(&out->point, n + m, error));
  BF_GOTO(BF_NEW(&out->mass, n + m, error));
  out->total = (double)n * (double)(m / divisor);
  if (out->total >= 0x1p62) {
    status = bf_fail(error, BF_BAD_INPUT, "w1: %lld and %lld points are too many", (long long)n, (long long)m);
    goto done;
  }
  for (int64_t k = 0; k < n; k++) atom[k] = (Atom){x + k * out->dim, m / divisor};
  for (int64_t k = 0; k < m; k++) atom[n + k] = (Atom){y + k * out->dim, -(n / divisor)};
  qsort_r(atom, (size_t)(n + m), sizeof *atom, by_coordinates, &out->dim);
  merge(atom, n + m, out);
done:
  bf_free(atom);
  return status;
}

/* In one dimension the integral of |F - G|. */
static double integrate(const Difference *of) {
  double  sum   = 0;
  int64_t above = 0;
  for (int64_t k = 0; k + 1 < of->count; k++) {
    above += of->mass[k];
    sum += fabs((double)above) * (of->point[k + 1][0] - of->point[k][0]);
  }
  return sum / of->total;
}

static double distance(int dim, const double x[], const double y[]) {
  double sum = 0;
  for (int j = 0; j < dim; j++) sum += (x[j] - y[j]) * (x[j] - y[j]);
  return sqrt(sum);
}

/* Leave out where both have the same; count where the first has more, and where the second has. */
static void part(Difference *of, int64_t *sources, int64_t *sinks) {
  int64_t kept = 0;
  *sources     = 0;
  for (int64_t k = 0; k < of->count; k++) {
    if (!of->mass[k]) continue;
    *sources += of->mass[k] > 0;
    of->point[kept]  = of->point[k];
    of->mass[kept++] = of->mass[k];
  }
  *sinks    = kept - *sources;
  of->count = kept;
}

/* From the more points, n, to the fewer, m: a path looks at all sinks. more: the sign of the masses of the former. */
static BfStatus transport(Difference *of, int more, int64_t n, int64_t m, double *w1, BfError *error) {
  const double **from = NULL, **to = NULL;
  int64_t       *supply = NULL, *demand = NULL, i = 0, j = 0;
  double        *ground = NULL, cost = 0;
  BfStatus       status;
  BF_GOTO(BF_NEW(&from, n, error));
  BF_GOTO(BF_NEW(&to, m, error));
  BF_GOTO(BF_NEW(&supply, n, error));
  BF_GOTO(BF_NEW(&demand, m, error));
  BF_GOTO(BF_NEW(&ground, n * m, error));
  for (int64_t k = 0; k < of->count; k++) {
    const int64_t mass = more * of->mass[k];
    if (mass > 0) {
      from[i]     = of->point[k];
      supply[i++] = mass;
    } else {
      to[j]       = of->point[k];
      demand[j++] = -mass;
    }
  }
  for (i = 0; i < n; i++)
    for (j = 0; j < m; j++) ground[i * m + j] = distance(of->dim, from[i], to[j]);
  BF_GOTO(bf_transport((int)n, supply, (int)m, demand, ground, &cost, error));
  *w1 = cost / of->total;
done:
  bf_free(from);
  bf_free(to);
  bf_free(supply);
  bf_free(demand);
  bf_free(ground);
  return status;
}

BfStatus bf_w1(int dim, int64_t n, const double x[], int64_t m, const double y[], double *w1, BfError *error) {
  Difference of = {.dim = dim};
  int64_t    sources, sinks;
  BfStatus   status;
  BF_GOTO(subtract(n, x, m, y, &of, error));
  if (dim == 1) {
    *w1 = integrate(&of);
    goto done;
  }
  part(&of, &sources, &sinks);
  *w1                = sources ? NAN : 0;
  const int64_t more = sources > sinks ? sources : sinks, fewer = sources + sinks - more;
  if (sources && (double)more * (double)more * (double)fewer <= BF_W1_WORK)
    status = transport(&of, sources > sinks ? 1 : -1, more, fewer, w1, error);
done:
  bf_free(of.point);
  bf_free(of.mass);
  return status;
}
