/* Transition tables against their straightforward evaluation: for every (measure, action) the layer of the README in
 * plain double loops with libm's exp, then nearest cells and the rank, as one would write it down. One core.
 * Argument: PROBLEM.yaml, grid cells, transition nearest, no feed-forward part. The straightforward evaluation takes
 * every n-th measure, under all actions; entries are compared one by one. */
#include <petscsys.h>

#include "clock.h"
#include "solve/full/solver.h"
#include "solve/full/table_shape.h"

enum { MEASURES = 2000, MOST = 64 };

/* v = V (sum_j k_j z_j) / (sum_j k_j), z+ = clip(r z + eps v), for slot i. */
static void image(const BfLayer *layer, const BfContext *c, const double *A, const double *V, double z[][MOST], int i,
                  double out[]) {
  const int d = layer->dim;
  double    k[MOST], most = -INFINITY, sum = 0, mean[MOST] = {0};
  for (int j = 0; j < c->slots; j++) {
    k[j] = 0;
    for (int a = 0; a < d; a++)
      for (int b = 0; b < d; b++) k[j] += z[i][a] * A[a * d + b] * z[j][b];
    k[j] *= layer->beta;
    most = fmax(most, k[j]);
  }
  for (int g = 0; g < c->tags; g++)
    for (int j = c->first[g]; j < c->first[g + 1]; j++) {
      k[j] = exp(k[j] - most) * c->mass[g];
      sum += k[j];
      for (int a = 0; a < d; a++) mean[a] += k[j] * z[j][a];
    }
  for (int a = 0; a < d; a++) {
    out[a] = layer->residual * z[i][a];
    for (int b = 0; b < d; b++) out[a] += layer->step * V[a * d + b] * mean[b] / sum;
    out[a] = fmin(fmax(out[a], layer->lower[a]), layer->upper[a]);
  }
}

static int64_t successor(const BfFull *x, int64_t s, const int64_t cell[], const double *parameters) {
  const BfLayer   *layer   = &x->problem->layer;
  const BfContext *context = &x->problem->context[s];
  double           z[MOST][MOST], next[MOST];
  int64_t          to[MOST];
  for (int i = 0; i < context->slots; i++) bf_cells_point(x->problem->cells, cell[i], z[i]);
  for (int g = 0; g < context->tags; g++)
    for (int i = context->first[g]; i < context->first[g + 1]; i++) {
      image(layer, context, parameters + bf_attention_A(layer, 0), parameters + bf_attention_V(layer, 0), z, i, next);
      const int64_t c  = bf_cells_nearest(x->problem->cells, next);
      int           at = i;
      for (; at > context->first[g] && to[at - 1] > c; at--) to[at] = to[at - 1];
      to[at] = c;
    }
  return bf_full_rank(&x->space, s, to);
}

typedef struct {
  double  seconds;
  int64_t entries, differ;
} Plain;

static Plain evaluate_plainly(const BfFull *x) {
  const BfProblem *problem = x->problem;
  const int64_t    s = x->space.shape[0], M = x->space.context[s].measures, step = M < MEASURES ? 1 : M / MEASURES;
  Plain            plain      = {0, 0, 0};
  double          *parameters = malloc(sizeof *parameters * (size_t)(problem->layer.parameters * problem->actions));
  for (int64_t k = 0; k < problem->actions; k++)
    bf_layer_expand(&problem->layer, problem->action + k * problem->layer.free,
                    parameters + k * problem->layer.parameters, 1);
  const double begin = bf_seconds();
  for (int64_t j = 0; j < M; j += step) {
    int64_t cell[MOST];
    bf_full_unrank(&x->space, s, j, cell);
    for (int64_t k = 0; k < problem->actions; k++) {
      plain.differ += successor(x, s, cell, parameters + k * problem->layer.parameters) != x->tables.next[0][k * M + j];
      plain.entries++;
    }
  }
  plain.seconds = bf_seconds() - begin;
  free(parameters);
  return plain;
}

static void benchmark(BfFull *x) {
  const BfContext *c      = &x->problem->context[x->space.shape[0]];
  double           tables = INFINITY, begin = bf_seconds();
  BfError          error = {0};
  BfScratch        scratch;
  if (bf_scratch_create(x->problem, &scratch, &error) != BF_OK) return;
  const BfTableShare share = {.space   = &x->space,
                              .actions = &x->actions,
                              .s       = x->space.shape[0],
                              .workers = 1,
                              .scratch = &scratch,
                              .next    = x->tables.next[0]};
  for (int repeat = 0; repeat < 2 || bf_seconds() - begin < 1; repeat++) {
    const double start = bf_seconds();
    bf_table_shape_fill(&share, 0, x->actions.blocks, &error);
    tables = fmin(tables, bf_seconds() - start);
  }
  bf_scratch_clear(&scratch);
  const Plain  plain   = evaluate_plainly(x);
  const double entries = (double)x->space.context[x->space.shape[0]].measures * (double)x->problem->actions;
  const double ours = tables / entries, theirs = plain.seconds / (double)plain.entries;
  printf("%s: %d slots a context, %.3g entries; %s kernels, one core\n", x->problem->name, c->slots, entries,
         bf_kernels_name(x->problem->layer.kernels));
  printf("tables %.3g ns an entry; straightforward %.3g ns; %lld of %lld entries differ\n", ours * 1e9, theirs * 1e9,
         (long long)plain.differ, (long long)plain.entries);
  verdict("times as fast", theirs / ours, 20, 1);
  printf("  bound by arithmetic: %d exp and %d divisions an entry, in lanes of 8; small contexts also by the steps "
         "between kernels\n",
         c->tags == 2 ? c->slots : c->tags * c->slots, c->slots * x->problem->layer.dim);
}

int main(int argc, char **argv) {
  BfError     error   = {0};
  BfRun      *run     = NULL;
  BfProblem  *problem = NULL;
  BfFull      x       = {0};
  const char *path    = argv[1];
  if (argc < 2) return 2;
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  BfStatus status = bf_run_create(PETSC_COMM_WORLD, 0, &run, &error);
  if (status == BF_OK) run->quiet = true;
  if (status == BF_OK) status = bf_problem_read(PETSC_COMM_WORLD, path, &bf_solve_sections, NULL, &problem, &error);
  if (status == BF_OK) status = bf_full_create(run, problem, NULL, &x, &error);
  if (status == BF_OK) benchmark(&x);
  else fprintf(stderr, "%s\n", error.text);
  bf_full_clear(&x);
  bf_problem_destroy(&problem);
  bf_run_destroy(&run);
  PetscFinalize();
  return verdicts_exit(status);
}
