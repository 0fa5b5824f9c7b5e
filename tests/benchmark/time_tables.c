/* Transition tables of the full space, fresh memory included, against two others, entry by entry. One core.
 * - Measure by measure: exponentials of every measure, then cells or [R11] action by action: what a table was filled by
 *   before images were (src/kernel/images.h).
 * - Where atoms go to the nearest cell and there is no feed-forward part: the layer of the README in plain double loops
 *   with libm's exp, as one would write it down.
 * Argument: PROBLEM.yaml. Both take parts of the table, under all actions. */
#include <petscsys.h>

#include "clock.h"
#include "solve/full/sample.h"
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

/* Seconds an entry that the faster way takes, in pages that nobody has touched. */
static double fill_fresh(const BfTableShare *share, int64_t blocks, int64_t entries) {
  const size_t bytes   = (size_t)entries * sizeof(int32_t);
  BfTableShare fresh   = *share;
  double       seconds = INFINITY;
  BfError      error   = {0};
  for (int repeat = 0; repeat < 3; repeat++) {
    fresh.next         = bf_sparse_create((int64_t)bytes, &error);
    const double start = bf_seconds();
    if (!fresh.next || bf_table_fill(&fresh, 0, blocks, &error) != BF_OK) return NAN;
    seconds = fmin(seconds, bf_seconds() - start);
    bf_sparse_destroy(fresh.next, (int64_t)bytes);
  }
  return seconds / (double)entries;
}

/* Ranges of measures in the table: entries that differ from x's, and seconds an entry. */
static Plain fill_measures(const BfFull *x, const BfTableShare *share) {
  enum { PLACES = 2, SHARES = 100 };
  const int64_t M = x->space.context[share->s].measures, K = x->problem->actions;
  BfTableShare  part      = *share;
  Plain         plain     = {0, 0, 0};
  BfError       error     = {0};
  part.next               = bf_sparse_create(M * K * (int64_t)sizeof(int32_t), &error);
  part.rows               = true;
  part.workers            = M < 100000 ? PLACES : SHARES;
  part.measure_by_measure = true;
  for (int i = 0; part.next && i < PLACES; i++) {
    part.worker        = part.workers * i / PLACES;
    const double start = bf_seconds();
    if (bf_table_fill(&part, 0, x->actions.blocks, &error) != BF_OK) plain.differ++;
    plain.seconds += bf_seconds() - start;
  }
  for (int64_t i = 0; part.next && i < M * K; i++) { /* what was not filled is 0, as one measure's number is */
    plain.entries += part.next[i] != 0;
    plain.differ += part.next[i] != 0 && part.next[i] != x->tables.next[0][i];
  }
  bf_sparse_destroy(part.next, M * K * (int64_t)sizeof(int32_t));
  return plain;
}

static BfStatus benchmark(BfFull *x, BfError *error) {
  const BfContext *c = &x->problem->context[x->space.shape[0]];
  BfScratch        scratch;
  BfTableWay       way;
  BF_TRY(bf_table_way(&x->space, x->space.shape[0], &way, error));
  BF_TRY(bf_scratch_create(x->problem, &scratch, error));
  const BfTableShare share    = {.space   = &x->space,
                                 .actions = &x->actions,
                                 .s       = x->space.shape[0],
                                 .workers = 1,
                                 .scratch = &scratch,
                                 .next    = x->tables.next[0]};
  const int64_t      entries  = x->space.context[x->space.shape[0]].measures * x->problem->actions;
  const double       ours     = fill_fresh(&share, x->actions.blocks, entries);
  const Plain        measures = fill_measures(x, &share);
  const double       before   = measures.seconds / (double)measures.entries;
  printf("%s: %d slots a context, %.3g entries; %s kernels, one core\n", x->problem->name, c->slots, (double)entries,
         bf_kernels_name(x->problem->layer.kernels));
  printf("tables %.3g ns an entry; measure by measure %.3g ns: %.3g times; %lld of %lld entries differ\n", ours * 1e9,
         before * 1e9, before / ours, (long long)measures.differ, (long long)measures.entries);
  if (x->problem->transition->nearest && !x->problem->layer.activation) {
    const Plain  plain  = evaluate_plainly(x);
    const double theirs = plain.seconds / (double)plain.entries;
    printf("straightforward %.3g ns; %lld of %lld entries differ\n", theirs * 1e9, (long long)plain.differ,
           (long long)plain.entries);
    verdict("times as fast", theirs / ours, 20, 1);
  }
  bf_scratch_clear(&scratch);
  if (measures.differ || !measures.entries || isnan(ours))
    return bf_fail(error, BF_FAILURE, "tables are not what they are measure by measure");
  if (way.images > 0)
    verdict("times as fast as measure by measure", before / ours, x->problem->transition->nearest ? 10 : 50, 1);
  return BF_OK;
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
  if (status == BF_OK) status = bf_full_create(run, problem, &(BfFullOptions){0}, NULL, &x, &error);
  if (status == BF_OK) status = benchmark(&x, &error);
  if (status != BF_OK) fprintf(stderr, "%s\n", error.text);
  bf_full_clear(&x);
  bf_problem_destroy(&problem);
  bf_run_destroy(&run);
  PetscFinalize();
  return verdicts_exit(status);
}
