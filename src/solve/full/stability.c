#include "solve/full/stability.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_MEASURES = 1 << 20, MOST_PAIRS = 1 << 22 };

typedef struct {
  int64_t  count;
  int64_t *index; /* [count], mu_0 first, then by number of moves */
  int32_t *moves; /* [count] least number of atom moves from mu_0 */
  double  *value, *loss, *open;
} Study;

static void study_clear(Study *s) {
  bf_free(s->index);
  bf_free(s->moves);
  bf_free(s->value);
  bf_free(s->loss);
  bf_free(s->open);
}

/* ---- neighbours ------------------------------------------------------------------------------------------------- */

static int by_index(const void *a, const void *b) {
  const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return x < y ? -1 : x > y;
}

/* Move slot `from` of a sorted tag to a cell, keeping it sorted. */
static void move(const int64_t cell[], int atoms, int from, int64_t to, int64_t moved[]) {
  int at = 0;
  for (int i = 0; i < atoms; i++)
    if (i != from) moved[at++] = cell[i];
  int i = atoms - 1;
  for (; i > 0 && moved[i - 1] > to; i--) moved[i] = moved[i - 1];
  moved[i] = to;
}

/* Every measure one move away from measure i, into out (room for slots of all contexts times cells). */
static int64_t neighbours(const BfFullSpace *space, int64_t i, int64_t cell[], int64_t moved[], int64_t out[]) {
  const int64_t n     = bf_cells_count(space->problem->cells);
  int64_t       count = 0;
  for (int64_t s = 0; s < space->contexts; s++) {
    const BfContext *c = &space->problem->context[s];
    const int64_t    j = bf_full_digit(space, s, i);
    bf_full_unrank(space, s, j, cell);
    memcpy(moved, cell, sizeof *cell * (size_t)c->slots);
    for (int g = 0; g < c->tags; g++) {
      const int first = c->first[g], atoms = c->first[g + 1] - first;
      for (int a = 0; a < atoms; a++)
        for (int64_t to = 0; to < n; to++) {
          if (to == cell[first + a]) continue;
          move(cell + first, atoms, a, to, moved + first);
          out[count++] = i + space->context[s].stride * (bf_full_rank(space, s, moved) - j);
        }
      memcpy(moved + first, cell + first, sizeof *cell * (size_t)atoms);
    }
  }
  return count;
}

static int64_t sort_unique(int64_t list[], int64_t count) {
  int64_t kept = 0;
  qsort(list, (size_t)count, sizeof *list, by_index);
  for (int64_t i = 0; i < count; i++)
    if (!kept || list[kept - 1] != list[i]) list[kept++] = list[i];
  return kept;
}

/* Add the sorted candidates that the study does not hold yet. */
static void append(Study *study, const int64_t candidate[], int64_t count, int moves, int64_t sorted[]) {
  const int64_t had = study->count;
  memcpy(sorted, study->index, sizeof *sorted * (size_t)had);
  qsort(sorted, (size_t)had, sizeof *sorted, by_index);
  for (int64_t i = 0; i < count && study->count < MOST_MEASURES; i++) {
    if (bsearch(&candidate[i], sorted, (size_t)had, sizeof *sorted, by_index)) continue;
    study->moves[study->count]   = moves;
    study->index[study->count++] = candidate[i];
  }
}

static BfStatus find_measures(const BfFull *x, int moves, Study *study, BfError *error) {
  const BfFullSpace *space = &x->space;
  int64_t            slots = 0, frontier = 0, *cell = NULL, *moved = NULL, *candidate = NULL, *sorted = NULL;
  for (int64_t s = 0; s < space->contexts; s++) slots += space->problem->context[s].slots;
  const int64_t each = slots * bf_cells_count(space->problem->cells);
  BfStatus      status;
  BF_GOTO(BF_NEW(&study->index, MOST_MEASURES, error));
  BF_GOTO(BF_NEW(&study->moves, MOST_MEASURES, error));
  BF_GOTO(BF_NEW(&sorted, MOST_MEASURES, error));
  BF_GOTO(BF_NEW(&cell, space->slots, error));
  BF_GOTO(BF_NEW(&moved, space->slots, error));
  study->index[0] = x->initial;
  study->count    = 1;
  for (int m = 1; m <= moves; m++) {
    const int64_t end = study->count;
    bf_free(candidate);
    BF_GOTO(BF_NEW(&candidate, (end - frontier) * each, error));
    int64_t count = 0;
    for (; frontier < end; frontier++)
      count += neighbours(space, study->index[frontier], cell, moved, candidate + count);
    append(study, candidate, sort_unique(candidate, count), m, sorted);
    if (study->count >= MOST_MEASURES) {
      status = bf_fail(error, BF_BAD_INPUT, "-stability %d: more than %d measures are that near; give fewer moves",
                       moves, MOST_MEASURES);
      goto done;
    }
  }
done:
  bf_free(cell);
  bf_free(moved);
  bf_free(candidate);
  bf_free(sorted);
  return status;
}

/* ---- loops ------------------------------------------------------------------------------------------------------ */

/* policy_t of many measures: each rank knows its own. */
static void policies(const BfFull *x, int t, const int64_t measure[], int32_t k[], int64_t count) {
  for (int64_t i = 0; i < count; i++) k[i] = bf_sweep_policy(&x->sweep, x->policy[t], measure[i]);
  MPI_Allreduce(MPI_IN_PLACE, k, (int)count, MPI_INT32_T, MPI_MAX, x->run->world);
}

typedef struct {
  int64_t *closed, *open; /* [count] measures of the closed and the open loop */
  int32_t *k;
} Loops;

static BfStatus make_loops(Study *study, Loops *loops, BfError *error) {
  BF_TRY(BF_NEW(&study->value, study->count, error));
  BF_TRY(BF_NEW(&study->loss, study->count, error));
  BF_TRY(BF_NEW(&study->open, study->count, error));
  BF_TRY(BF_NEW(&loops->closed, study->count, error));
  BF_TRY(BF_NEW(&loops->open, study->count, error));
  return BF_NEW(&loops->k, study->count, error);
}

static BfStatus roll(const BfFull *x, Study *study, BfError *error) {
  Loops    loops = {0};
  BfStatus status;
  BF_GOTO(bf_together(x->run->world, make_loops(study, &loops, error), error));
  int64_t *closed = loops.closed, *open = loops.open;
  int32_t *k = loops.k;
  for (int64_t i = 0; i < study->count; i++) {
    study->value[i] = ((const double *)x->V[0].base)[study->index[i]];
    closed[i] = open[i] = study->index[i];
  }
  int64_t reference = x->initial;
  for (int t = 0; t < x->problem->horizon; t++) {
    int32_t fixed;
    BF_GOTO(bf_full_policy(x, t, reference, &fixed, error));
    policies(x, t, closed, k, study->count);
    for (int64_t i = 0; i < study->count; i++) {
      closed[i] = bf_full_next(x, closed[i], k[i]);
      open[i]   = bf_full_next(x, open[i], fixed);
    }
    reference = bf_full_next(x, reference, fixed);
  }
  for (int64_t i = 0; i < study->count; i++) {
    study->loss[i] = bf_terminal_tables_value(&x->terminal, &x->space, closed[i], NULL);
    study->open[i] = bf_terminal_tables_value(&x->terminal, &x->space, open[i], NULL);
  }
done:
  bf_free(loops.closed);
  bf_free(loops.open);
  bf_free(loops.k);
  return status;
}

/* ---- continuity ------------------------------------------------------------------------------------------------- */

static double distance(const BfCells *tokens, int64_t a, int64_t b) {
  const int d = bf_cells_dim(tokens);
  double    x[d], y[d], sum = 0;
  bf_cells_point(tokens, a, x);
  bf_cells_point(tokens, b, y);
  for (int i = 0; i < d; i++) sum += (x[i] - y[i]) * (x[i] - y[i]);
  return sqrt(sum);
}

/* W1 of two types of one tag, m atoms each, as a fraction of the tag's mass. */
static BfStatus tag_distance(const BfCells *tokens, int m, const int64_t a[], const int64_t b[], double *w1,
                             BfError *error) {
  double  ground[m * m], cost = 0;
  int64_t one[m];
  for (int i = 0; i < m; i++) {
    one[i] = 1;
    for (int j = 0; j < m; j++) ground[i * m + j] = distance(tokens, a[i], b[j]);
  }
  if (m == 1) cost = ground[0];
  else BF_TRY(bf_transport(m, one, m, one, ground, &cost, error));
  *w1 = cost / m;
  return BF_OK;
}

static BfStatus wasserstein1(const BfFullSpace *space, int64_t a, int64_t b, double *w1, BfError *error) {
  int64_t cell_a[space->slots], cell_b[space->slots];
  *w1 = 0;
  for (int64_t s = 0; s < space->contexts; s++) {
    const BfContext *c  = &space->problem->context[s];
    const int64_t    ja = bf_full_digit(space, s, a), jb = bf_full_digit(space, s, b);
    if (ja == jb) continue;
    bf_full_unrank(space, s, ja, cell_a);
    bf_full_unrank(space, s, jb, cell_b);
    for (int g = 0; g < c->tags; g++) {
      const int first = c->first[g], m = c->first[g + 1] - first;
      double    tag = 0;
      if (!memcmp(cell_a + first, cell_b + first, sizeof *cell_a * (size_t)m)) continue;
      BF_TRY(tag_distance(space->problem->cells, m, cell_a + first, cell_b + first, &tag, error));
      *w1 += tag * m * c->mass[g] / c->tokens / (double)space->contexts;
    }
  }
  return BF_OK;
}

/* Over all pairs where they are not too many, else over pairs with mu_0; pairs dealt to the ranks. */
static BfStatus modulus(const BfFull *x, const Study *study, double *largest, int *all_pairs, BfError *error) {
  const int64_t n = study->count;
  *all_pairs      = n * n / 2 <= MOST_PAIRS;
  *largest        = 0;
  for (int64_t i = 0; i < (*all_pairs ? n : 1); i++)
    for (int64_t j = i + 1 + x->run->rank; j < n; j += x->run->size) {
      double w1 = 0;
      BF_TRY(wasserstein1(&x->space, study->index[i], study->index[j], &w1, error));
      *largest = fmax(*largest, fabs(study->value[i] - study->value[j]) / w1);
    }
  return BF_OK;
}

static BfStatus write(const Study *study, double largest, int all_pairs, int moves, BfStore *store, BfError *error) {
  const int64_t n[] = {study->count};
  BF_TRY(bf_store_write(store, "/stability/index", BF_STORE_INT64, 1, n, study->index, error));
  BF_TRY(bf_store_write(store, "/stability/moves", BF_STORE_INT32, 1, n, study->moves, error));
  BF_TRY(bf_store_write(store, "/stability/value", BF_STORE_DOUBLE, 1, n, study->value, error));
  BF_TRY(bf_store_write(store, "/stability/loss", BF_STORE_DOUBLE, 1, n, study->loss, error));
  BF_TRY(bf_store_write(store, "/stability/open_loop_loss", BF_STORE_DOUBLE, 1, n, study->open, error));
  BF_TRY(bf_store_put_int(store, "/stability", "moves", moves, error));
  BF_TRY(bf_store_put_int(store, "/stability", "all_pairs", all_pairs, error));
  return bf_store_put_double(store, "/stability", "modulus", largest, error);
}

static void summarize(const BfFull *x, const Study *study, double modulus_, int all_pairs, int moves) {
  double closed = 0, open = 0, worst = 0;
  for (int64_t i = 0; i < study->count; i++) {
    closed += study->loss[i] / (double)study->count;
    open += study->open[i] / (double)study->count;
    worst = fmax(worst, fabs(study->value[i] - study->value[0]));
  }
  bf_print(x->run,
           "stability: %lld measures within %d moves; |V_0(mu) - V_0(mu_0)| <= %.6g; largest |dV_0| / W1 = %.6g (%s)\n"
           "           mean loss from them: closed loop %.6g, open loop of mu_0 %.6g\n",
           (long long)study->count, moves, worst, modulus_, all_pairs ? "all pairs" : "pairs with mu_0", closed, open);
}

BfStatus bf_full_stability(const BfFull *x, int moves, BfStore *store, BfError *error) {
  Study    study = {0};
  BfStatus status;
  double   mine = 0, largest = 0;
  int      all_pairs = 0;
  bf_progress_what(x->run, "stability");
  BF_GOTO(bf_together(x->run->world, find_measures(x, moves, &study, error), error));
  BF_GOTO(roll(x, &study, error));
  BF_GOTO(bf_together(x->run->world, modulus(x, &study, &mine, &all_pairs, error), error));
  MPI_Allreduce(&mine, &largest, 1, MPI_DOUBLE, MPI_MAX, x->run->world);
  if (store) BF_GOTO(write(&study, largest, all_pairs, moves, store, error));
  summarize(x, &study, largest, all_pairs, moves);
done:
  study_clear(&study);
  return status;
}
