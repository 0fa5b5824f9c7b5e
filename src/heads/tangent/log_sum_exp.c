/* The log-sum-exp test of the laws of a layer. */
#include "bellformer/splitmix64.h"
#include "heads/tangent/tangent.h"
#include "heads/tangent/triangle.h"
#include <math.h>
#include <string.h>

enum { AXIS = 40, DRAWS = 4000 };
static const double spread = 3, affine = 1e-10;

void dstev_(const char *jobz, const int *n, double *d, double *e, double *z, const int *ldz, double *work, int *info,
            size_t jobz_length);

/* Points eta and the roots of their weights; [count][d + 1]: 1, eta: what is projected out. */
typedef struct {
  int     dim, count;
  double *eta;  /* [count][d] */
  double *root; /* [count] */
} Nodes;

/* Golub and Welsch: nodes of the Hermite weight are the eigenvalues of its Jacobi matrix. */
static BfStatus hermite(double node[AXIS], double weight[AXIS], BfError *error) {
  double    off[AXIS], vectors[AXIS * AXIS], work[2 * AXIS];
  const int n = AXIS;
  int       info;
  for (int i = 0; i < n; i++) {
    node[i] = 0;
    off[i]  = sqrt(i + 1.0);
  }
  dstev_("V", &n, node, off, vectors, &n, work, &info, 1);
  for (int i = 0; i < n; i++) weight[i] = vectors[i * n] * vectors[i * n];
  return info ? bf_fail(error, BF_FAILURE, "LAPACK: dstev: info %d", info) : BF_OK;
}

static BfStatus make_nodes(int d, Nodes *x, BfError *error) {
  double node[AXIS], weight[AXIS];
  x->dim   = d;
  x->count = d == 1 ? AXIS : d == 2 ? AXIS * AXIS : DRAWS;
  BF_TRY(BF_NEW(&x->eta, (int64_t)x->count * d, error));
  BF_TRY(BF_NEW(&x->root, x->count, error));
  BF_TRY(hermite(node, weight, error));
  uint64_t state = 0;
  for (int k = 0; k < x->count; k++) {
    double product = 1;
    for (int a = 0, rest = k; a < d && d <= 2; a++, rest /= AXIS) {
      x->eta[k * d + a] = spread * node[rest % AXIS];
      product *= weight[rest % AXIS];
    }
    for (int a = 0; a < d && d > 2; a++) {
      const double u = bf_uniform(&state), v = bf_uniform(&state);
      x->eta[k * d + a] = spread * sqrt(-2 * log1p(-u)) * cos(2 * M_PI * v);
    }
    x->root[k] = d > 2 ? 1 / sqrt((double)x->count) : sqrt(product);
  }
  return BF_OK;
}

/* Lambda_s at the nodes times their roots, [count]. */
static void evaluate(const BfProblem *problem, const BfData *data, const double tokens[], const Nodes *x, int64_t s,
                     double *out) {
  const int     d = x->dim;
  const double *e = problem->layer.encoding, beta = problem->layer.beta;
  const int64_t from = data->context_first[s], to = data->context_first[s + 1];
  for (int k = 0; k < x->count; k++) {
    double most = -INFINITY, sum = 0;
    for (int pass = 0; pass < 2; pass++)
      for (int64_t g = from; g < to; g++)
        for (int64_t i = data->tag_first[g]; i < data->tag_first[g + 1]; i++) {
          double dot = 0;
          for (int a = 0; a < d; a++)
            dot += x->eta[k * d + a] * (tokens[i * d + a] + (e ? e[(int64_t)data->position[g] * d + a] : 0));
          if (pass) sum += exp(beta * dot - most);
          else most = fmax(most, beta * dot);
        }
    const double n = (double)(data->tag_first[to] - data->tag_first[from]);
    out[k]         = x->root[k] * (most + log(sum / n));
  }
}

/* Gram-Schmidt, twice, of 1 and the components of eta, with the weights: basis [d + 1][count]. */
static void make_basis(const Nodes *x, double *basis) {
  const int n = x->count;
  for (int b = 0; b <= x->dim; b++) {
    double *v = basis + b * n, norm = 0;
    for (int k = 0; k < n; k++) v[k] = x->root[k] * (b ? x->eta[k * x->dim + b - 1] : 1);
    for (int c = 0; c < 2 * b; c++) {
      const double *u   = basis + c % b * n;
      double        dot = 0;
      for (int k = 0; k < n; k++) dot += u[k] * v[k];
      for (int k = 0; k < n; k++) v[k] -= dot * u[k];
    }
    for (int k = 0; k < n; k++) norm += v[k] * v[k];
    for (int k = 0; k < n; k++) v[k] /= sqrt(norm);
  }
}

static void project_out(const Nodes *x, const double *basis, double *column) {
  const int n = x->count;
  for (int c = 0; c < 2 * (x->dim + 1); c++) {
    const double *u   = basis + c % (x->dim + 1) * n;
    double        dot = 0;
    for (int k = 0; k < n; k++) dot += u[k] * column[k];
    for (int k = 0; k < n; k++) column[k] -= dot * u[k];
  }
}

typedef struct {
  Nodes   nodes;
  double *basis, *raw, *values; /* [d + 1][count]; [S][count]; [S] */
} Test;

static BfStatus ratio(const BfProblem *problem, const BfData *data, const double tokens[], Test *w, double *out,
                      BfError *error) {
  const int d = problem->layer.dim, S = (int)data->contexts;
  BF_TRY(make_nodes(d, &w->nodes, error));
  const int     n     = w->nodes.count;
  const int64_t least = S < n ? S : n;
  BF_TRY(BF_NEW(&w->basis, (int64_t)(d + 1) * n, error));
  BF_TRY(BF_NEW(&w->raw, (int64_t)S * n, error));
  BF_TRY(BF_NEW(&w->values, least, error));
  make_basis(&w->nodes, w->basis);
  double before = 0;
  for (int64_t s = 0; s < S; s++) {
    double *column = w->raw + s * n, norm = 0;
    evaluate(problem, data, tokens, &w->nodes, s, column);
    for (int k = 0; k < n; k++) norm += column[k] * column[k];
    before += norm;
    project_out(&w->nodes, w->basis, column);
  }
  BF_TRY(bf_singular_values(n, S, w->raw, w->values, error));
  const bool all_affine = !(w->values[0] > affine * sqrt(before));
  *out                  = all_affine ? 0 : S > n - d - 1 ? NAN : w->values[least - 1] / w->values[0];
  return BF_OK;
}

BfStatus bf_log_sum_exp_test(const BfProblem *problem, const BfData *data, const double tokens[], double *out,
                             BfError *error) {
  Test           w      = {0};
  const BfStatus status = ratio(problem, data, tokens, &w, out, error);
  bf_free(w.nodes.eta);
  bf_free(w.nodes.root);
  bf_free(w.basis);
  bf_free(w.raw);
  bf_free(w.values);
  return status;
}
