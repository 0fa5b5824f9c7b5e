/* Optimal transport by successive shortest paths: a flow and dual potentials u_i, v_j with c_ij - u_i - v_j >= 0, and
 * = 0 where mass flows, grow together until all supply is placed; then both are optimal.
 *
 * The start: u_i = min_j c_ij, v_j = min_i (c_ij - u_i), and greedily what flows at reduced cost 0. Each path then goes
 * from one source with supply left to the nearest sink with demand left, Dijkstra over the sinks alone: a sink hands
 * on, at reduced cost 0, to every source that feeds it. */
#include "bellformer/cost.h"

#include <inttypes.h>
#include <math.h>

typedef struct {
  int           n, m;
  const double *ground; /* [n][m] */
  int64_t      *flow;   /* [m][n], by sinks: a sink asks for its sources */
  int64_t      *left;   /* [n] supply not yet placed */
  int64_t      *need;   /* [m] demand not yet met */
  double       *u, *v;  /* [n], [m] potentials */
  double       *start;  /* [n] distance of a source that was reached */
  int          *via;    /* [n] the sink that handed on to it; NONE for the path's own source, UNSEEN if not reached */
  double       *reach;  /* [m] distance of a sink, so far */
  int          *from;   /* [m] the source that it is reached from */
  char         *done;   /* [m] whether its distance is final */
} Plan;

enum { NONE = -1, UNSEEN = -2 };

static void clear_plan(Plan *plan) {
  bf_free(plan->flow);
  bf_free(plan->left);
  bf_free(plan->need);
  bf_free(plan->u);
  bf_free(plan->v);
  bf_free(plan->start);
  bf_free(plan->via);
  bf_free(plan->reach);
  bf_free(plan->from);
  bf_free(plan->done);
}

static BfStatus make_plan(Plan *plan, const int64_t supply[], const int64_t demand[], BfError *error) {
  BF_TRY(BF_NEW(&plan->flow, (int64_t)plan->n * plan->m, error));
  BF_TRY(BF_NEW(&plan->left, plan->n, error));
  BF_TRY(BF_NEW(&plan->need, plan->m, error));
  BF_TRY(BF_NEW(&plan->u, plan->n, error));
  BF_TRY(BF_NEW(&plan->v, plan->m, error));
  BF_TRY(BF_NEW(&plan->start, plan->n, error));
  BF_TRY(BF_NEW(&plan->via, plan->n, error));
  BF_TRY(BF_NEW(&plan->reach, plan->m, error));
  BF_TRY(BF_NEW(&plan->from, plan->m, error));
  BF_TRY(BF_NEW(&plan->done, plan->m, error));
  for (int i = 0; i < plan->n; i++) plan->left[i] = supply[i];
  for (int j = 0; j < plan->m; j++) plan->need[j] = demand[j];
  return BF_OK;
}

static BfStatus add_up(int count, const int64_t masses[], const char *one, const char *many, int64_t *sum,
                       BfError *error) {
  *sum = 0;
  for (int i = 0; i < count; i++) {
    if (masses[i] <= 0)
      return bf_fail(error, BF_BAD_INPUT, "transport: %s %d is %" PRId64 ", must be positive", one, i, masses[i]);
    if (__builtin_add_overflow(*sum, masses[i], sum))
      return bf_fail(error, BF_BAD_INPUT, "transport: the %s add up to more than 2^63 - 1", many);
  }
  return BF_OK;
}

static BfStatus check(int n, const int64_t supply[], int m, const int64_t demand[], const double *ground,
                      BfError *error) {
  int64_t supplied, demanded;
  BF_TRY(add_up(n, supply, "supply", "supplies", &supplied, error));
  BF_TRY(add_up(m, demand, "demand", "demands", &demanded, error));
  if (supplied != demanded)
    return bf_fail(error, BF_BAD_INPUT, "transport: supply is %" PRId64 " in all, but demand %" PRId64, supplied,
                   demanded);
  for (int64_t k = 0; k < (int64_t)n * m; k++)
    if (!(ground[k] >= 0 && ground[k] < INFINITY))
      return bf_fail(error, BF_BAD_INPUT, "transport: the cost %g from %lld to %lld is not finite and non-negative",
                     ground[k], (long long)(k / m), (long long)(k % m));
  return BF_OK;
}

static inline int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

static inline double lesser(double a, double b) { return a < b ? a : b; }

static inline double reduced(const Plan *plan, int i, int j) {
  return plan->ground[(int64_t)i * plan->m + j] - plan->u[i] - plan->v[j];
}

static inline int64_t *flow(const Plan *plan, int i, int j) { return plan->flow + (int64_t)j * plan->n + i; }

/* Potentials with a zero in every row and column, and a flow along the zeros. v is 0 when u is found. */
static void start_greedily(Plan *plan) {
  for (int i = 0; i < plan->n; i++) {
    double least = INFINITY;
    for (int j = 0; j < plan->m; j++) least = lesser(least, plan->ground[(int64_t)i * plan->m + j]);
    plan->u[i] = least;
  }
  for (int j = 0; j < plan->m; j++) {
    double least = INFINITY;
    for (int i = 0; i < plan->n; i++) least = lesser(least, reduced(plan, i, j));
    plan->v[j] = least;
  }
  for (int i = 0; i < plan->n; i++)
    for (int j = 0; j < plan->m && plan->left[i]; j++) {
      if (reduced(plan, i, j) > 0) continue;
      const int64_t amount = smaller(plan->left[i], plan->need[j]);
      *flow(plan, i, j)    = amount;
      plan->left[i] -= amount;
      plan->need[j] -= amount;
    }
}

/* A source is reached: so are the sinks that it can ship to. Rounding must not make a step negative. */
static void enter_source(Plan *plan, int i, int via, double distance) {
  plan->via[i]   = via;
  plan->start[i] = distance;
  for (int j = 0; j < plan->m; j++) {
    if (plan->done[j]) continue;
    const double step = reduced(plan, i, j), reach = distance + (step > 0 ? step : 0);
    if (reach < plan->reach[j]) {
      plan->reach[j] = reach;
      plan->from[j]  = i;
    }
  }
}

/* The nearest sink that has a demand left, from one source; there is one, since as much is left as is needed. */
static int shortest_path(Plan *plan, int source) {
  for (int i = 0; i < plan->n; i++) plan->via[i] = UNSEEN;
  for (int j = 0; j < plan->m; j++) {
    plan->reach[j] = INFINITY;
    plan->done[j]  = 0;
  }
  enter_source(plan, source, NONE, 0);
  for (;;) {
    int nearest = NONE;
    for (int j = 0; j < plan->m; j++)
      if (!plan->done[j] && (nearest == NONE || plan->reach[j] < plan->reach[nearest])) nearest = j;
    plan->done[nearest] = 1;
    if (plan->need[nearest]) return nearest;
    for (int i = 0; i < plan->n; i++)
      if (plan->via[i] == UNSEEN && *flow(plan, i, nearest)) enter_source(plan, i, nearest, plan->reach[nearest]);
  }
}

/* Raise potentials so that the path found has reduced cost 0 and no reduced cost becomes negative. */
static void raise_potentials(Plan *plan, double length) {
  for (int i = 0; i < plan->n; i++)
    if (plan->via[i] != UNSEEN) plan->u[i] += length - plan->start[i];
  for (int j = 0; j < plan->m; j++)
    if (plan->done[j]) plan->v[j] -= length - plan->reach[j];
}

/* Ship along the path to `sink` all that it can carry. */
static void augment(Plan *plan, int source, int sink) {
  int64_t amount = smaller(plan->left[source], plan->need[sink]);
  for (int i = plan->from[sink]; plan->via[i] != NONE; i = plan->from[plan->via[i]])
    amount = smaller(amount, *flow(plan, i, plan->via[i]));
  plan->left[source] -= amount;
  plan->need[sink] -= amount;
  for (int j = sink; j != NONE; j = plan->via[plan->from[j]]) {
    const int i = plan->from[j];
    *flow(plan, i, j) += amount;
    if (plan->via[i] != NONE) *flow(plan, i, plan->via[i]) -= amount;
  }
}

static double total_cost(const Plan *plan) {
  double sum = 0;
  for (int i = 0; i < plan->n; i++)
    for (int j = 0; j < plan->m; j++) {
      const int64_t amount = *flow(plan, i, j);
      if (amount) sum += (double)amount * plan->ground[(int64_t)i * plan->m + j];
    }
  return sum;
}

BfStatus bf_transport(int n, const int64_t supply[], int m, const int64_t demand[], const double *ground, double *cost,
                      BfError *error) {
  return bf_transport_plan(n, supply, m, demand, ground, cost, NULL, error);
}

BfStatus bf_transport_plan(int n, const int64_t supply[], int m, const int64_t demand[], const double *ground,
                           double *cost, int64_t *out, BfError *error) {
  Plan     plan = {.n = n, .m = m, .ground = ground};
  BfStatus status;
  BF_TRY(check(n, supply, m, demand, ground, error));
  BF_GOTO(make_plan(&plan, supply, demand, error));
  start_greedily(&plan);
  for (int i = 0; i < n; i++)
    while (plan.left[i]) {
      const int sink = shortest_path(&plan, i);
      raise_potentials(&plan, plan.reach[sink]);
      augment(&plan, i, sink);
    }
  *cost = total_cost(&plan);
  for (int i = 0; out && i < n; i++)
    for (int j = 0; j < m; j++) out[(int64_t)i * m + j] = *flow(&plan, i, j);
done:
  clear_plan(&plan);
  return status;
}
