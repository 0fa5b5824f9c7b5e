/* What starts have come to: of each its costs and iterations, of the best one all. */
#include "flow/search.h"
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Of equal ones the first start is the best. */
static bool is_better(const BfSearch *search, double cost) {
  if (search->top < 0 || cost < search->top_cost) return true;
  return cost == search->top_cost && search->now.start < search->top;
}

void bf_search_note(BfSearch *search, double cost, int reason) {
  double *row              = search->table + search->now.start * search->columns;
  row[BF_START_FINISHED]   = 1;
  row[BF_START_INITIAL]    = bf_search_row(search, 0)[1];
  row[BF_START_COST]       = cost;
  row[BF_START_ITERATIONS] = (double)search->iterations;
  for (int64_t i = 0; i < search->columns - BF_START_COLUMNS; i++)
    row[BF_START_COLUMNS + i] = search->x[i] + 0.0; /* no -0: tables are added up, which takes its sign away */
  search->evaluations += search->now.evaluated;
  if (!is_better(search, cost)) return;
  bf_free(search->top_history);
  search->top            = search->now.start;
  search->top_cost       = cost;
  search->top_iterations = search->iterations;
  search->top_reason     = reason;
  search->top_history    = search->history;
  search->history        = NULL;
  search->history_room   = 0;
  memcpy(search->top_control, search->x, sizeof(double) * (size_t)search->n);
}

int bf_search_owner(const BfSearch *search) {
  struct {
    double cost;
    int    start;
  } mine    = {INFINITY, INT_MAX}, best;
  int owner = -1;
  if (search->top >= 0) {
    mine.cost  = search->top_cost;
    mine.start = (int)search->top;
  }
  MPI_Allreduce(&mine, &best, 1, MPI_DOUBLE_INT, MPI_MINLOC, search->whole->world);
  if (search->top >= 0 && search->top == best.start) owner = search->whole->rank;
  MPI_Allreduce(MPI_IN_PLACE, &owner, 1, MPI_INT, MPI_MAX, search->whole->world);
  return owner;
}

int64_t bf_search_add_up(const BfSearch *search, double *table) {
  const int64_t size = search->all * search->columns;
  int64_t       evaluations;
  memcpy(table, search->table, sizeof(double) * (size_t)size);
  bf_sum_disjoint(search->whole->world, size, table);
  MPI_Allreduce(&search->evaluations, &evaluations, 1, MPI_INT64_T, MPI_SUM, search->whole->world);
  return evaluations;
}

static void take_starts(const BfSearch *search, const double *table, BfFlowAnswer *out) {
  for (int64_t s = 0; s < search->all; s++) {
    const double *row        = table + s * search->columns;
    out->initial_cost[s]     = row[BF_START_INITIAL];
    out->final_cost[s]       = row[BF_START_COST];
    out->start_iterations[s] = (int64_t)row[BF_START_ITERATIONS];
  }
}

/* ---- which minima are distinct ------------------------------------------------------------------------------------
 */

static int by_cost(const void *a, const void *b) {
  const double *x = a, *y = b;
  if (x[0] != y[0]) return x[0] < y[0] ? -1 : 1;
  return x[1] < y[1] ? -1 : x[1] > y[1];
}

/* By cost alone: copies of a minimum (heads in another order, a sign turned in two matrices) are one. Starts that
 * stopped before they were there differ by more, so that one basin may count several times: the best may be few. */
static BfStatus count_minima(BfFlowAnswer *out, BfError *error) {
  double *order, least = -INFINITY;
  BF_TRY(BF_NEW(&order, 2 * out->starts, error));
  for (int64_t s = 0; s < out->starts; s++) {
    order[2 * s]     = isfinite(out->final_cost[s]) ? out->final_cost[s] : INFINITY;
    order[2 * s + 1] = (double)s;
  }
  qsort(order, (size_t)out->starts, 2 * sizeof *order, by_cost);
  for (int64_t i = 0; i < out->starts; i++) {
    int64_t *minimum = &out->minimum[(int64_t)order[2 * i + 1]];
    *minimum         = -1;
    if (order[2 * i] == INFINITY) continue;
    if (!out->minima || order[2 * i] - least > fmax(1e-6 * fabs(least), 1e-9)) {
      out->minima++;
      least = order[2 * i];
    }
    *minimum = out->minima - 1;
  }
  bf_free(order);
  return BF_OK;
}

/* Of each of the first minima the start that came lowest, the first of equal ones, and where it ended. */
static BfStatus tell_best(const BfSearch *search, const double *table, BfFlowAnswer *out, BfError *error) {
  const int64_t n = search->n;
  out->told       = out->minima < out->wanted ? out->minima : out->wanted;
  BF_TRY(BF_NEW(&out->told_start, out->told, error));
  BF_TRY(BF_NEW(&out->told_control, out->told * n, error));
  for (int64_t i = 0; i < out->told; i++) out->told_start[i] = -1;
  for (int64_t s = 0; s < out->starts; s++) {
    const int64_t m = out->minimum[s];
    if (m < 0 || m >= out->told) continue;
    if (out->told_start[m] < 0 || out->final_cost[s] < out->final_cost[out->told_start[m]]) out->told_start[m] = s;
  }
  for (int64_t i = 0; i < out->told; i++)
    memcpy(out->told_control + i * n, table + out->told_start[i] * search->columns + BF_START_COLUMNS,
           sizeof(double) * (size_t)n);
  return BF_OK;
}

static BfStatus gather_starts(const BfSearch *search, BfFlowAnswer *out, BfError *error) {
  double  *table = NULL;
  BfStatus status;
  BF_GOTO(bf_together(search->whole->world, BF_NEW(&table, search->all * search->columns, error), error));
  out->evaluations = bf_search_add_up(search, table);
  take_starts(search, table, out);
  BF_GOTO(bf_together(search->whole->world, count_minima(out, error), error));
  if (out->wanted) status = bf_together(search->whole->world, tell_best(search, table, out, error), error);
done:
  bf_free(table);
  return status;
}

BfStatus bf_search_gather(const BfSearch *search, BfFlowAnswer *out, BfError *error) {
  const int      owner = bf_search_owner(search);
  const MPI_Comm comm  = search->whole->world;
  BF_TRY(gather_starts(search, out, error));
  out->best       = search->top;
  out->iterations = search->top_iterations;
  out->reason     = search->top_reason;
  MPI_Bcast(&out->best, 1, MPI_INT64_T, owner, comm);
  MPI_Bcast(&out->iterations, 1, MPI_INT64_T, owner, comm);
  MPI_Bcast(&out->reason, 1, MPI_INT, owner, comm);
  BF_TRY(bf_together(comm, BF_NEW(&out->history, 2 * (out->iterations + 1), error), error));
  if (search->whole->rank == owner) {
    memcpy(out->control, search->top_control, sizeof(double) * (size_t)search->n);
    memcpy(out->history, search->top_history, sizeof(double) * 2 * (size_t)(out->iterations + 1));
  }
  MPI_Bcast(out->control, (int)search->n, MPI_DOUBLE, owner, comm);
  MPI_Bcast(out->history, (int)(2 * (out->iterations + 1)), MPI_DOUBLE, owner, comm);
  return BF_OK;
}
