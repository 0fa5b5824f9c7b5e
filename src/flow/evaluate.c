/* Evaluations: rank 0 asks, all ranks take part, and the log keeps what came out. */
#include "flow/search.h"
#include "run/text.h"

#include <math.h>
#include <string.h>

/* 52 bits of FNV-1a of a control: a restart on a machine whose arithmetic differs must not be served what belongs to
 * another. */
static double hash(const double *x, int64_t n) {
  const unsigned char *byte = (const unsigned char *)x;
  uint64_t             h    = 14695981039346656037u;
  for (int64_t i = 0; i < 8 * n; i++) h = (h ^ byte[i]) * 1099511628211u;
  return (double)(h >> 12);
}

/* On all ranks: J at search->x into row, then a checkpoint if it is time. row: rank 0's, of the log; else NULL. */
static BfStatus evaluate_all(BfSearch *search, double *row, BfError *error) {
  BfFlowValue value = {.gradient = search->gradient};
  bf_phase_begin(search->run, BF_PHASE_FLOW);
  BF_TRY(bf_flow_evaluate(search->flow, search->x, &value, error));
  bf_phase_end(search->run, BF_PHASE_FLOW);
  search->evaluated++;
  if (row) {
    row[0] = hash(search->x, search->n);
    row[1] = value.cost;
    memcpy(row + BF_LOG_HEAD, search->gradient, sizeof(double) * (size_t)search->n);
  }
  const BfOrder order = bf_checkpoint_ask(search->checkpoint, bf_search_save_bytes(search));
  if (order == BF_GO_ON) return BF_OK;
  BF_TRY(bf_search_save(search, error));
  return order == BF_SAVE_AND_STOP ? bf_checkpoint_stopped(search->checkpoint, error) : BF_OK;
}

double *bf_search_row(const BfSearch *search, int64_t i) { return search->log + i * (BF_LOG_HEAD + search->n); }

BfStatus bf_search_evaluate(BfSearch *search, const double *x, double *cost, double *gradient, BfError *error) {
  if (search->served < search->evaluated && bf_search_row(search, search->served)[0] != hash(x, search->n))
    search->evaluated = search->served; /* the rest belongs to other steps than these */
  if (search->served == search->evaluated) {
    int order = BF_SEARCH_EVALUATE;
    BF_TRY(bf_array_room(&search->log, search->evaluated, &search->room,
                         sizeof(double) * (size_t)(BF_LOG_HEAD + search->n), error));
    if (x != search->x) memcpy(search->x, x, sizeof(double) * (size_t)search->n);
    MPI_Bcast(&order, 1, MPI_INT, 0, search->run->world);
    MPI_Bcast(&search->evaluated, 1, MPI_INT64_T, 0, search->run->world);
    MPI_Bcast(search->x, (int)search->n, MPI_DOUBLE, 0, search->run->world);
    const BfStatus status = evaluate_all(search, bf_search_row(search, search->evaluated), error);
    search->known         = status != BF_OK;
    BF_TRY(status);
  }
  const double *row = bf_search_row(search, search->served++);
  *cost             = row[1];
  memcpy(gradient, row + BF_LOG_HEAD, sizeof(double) * (size_t)search->n);
  return BF_OK;
}

double bf_search_logged(const BfSearch *search, const double *x) {
  const double wanted = hash(x, search->n);
  for (int64_t i = search->served - 1; i >= 0; i--)
    if (bf_search_row(search, i)[0] == wanted) return bf_search_row(search, i)[1];
  return INFINITY;
}

BfStatus bf_search_serve(BfSearch *search, BfError *error) {
  for (;;) {
    int order;
    MPI_Bcast(&order, 1, MPI_INT, 0, search->run->world);
    if (order != BF_SEARCH_EVALUATE) return order == BF_SEARCH_ENDED ? BF_OK : bf_agree(search->run->world, error);
    MPI_Bcast(&search->evaluated, 1, MPI_INT64_T, 0, search->run->world);
    MPI_Bcast(search->x, (int)search->n, MPI_DOUBLE, 0, search->run->world);
    BF_TRY(evaluate_all(search, NULL, error));
  }
}
