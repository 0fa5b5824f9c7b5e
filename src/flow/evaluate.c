/* Evaluations: the leader of a group asks, its ranks take part, and the log keeps what came out. */
#include "flow/search.h"
#include "run/hash.h"
#include "run/text.h"

#include <math.h>
#include <string.h>

/* 52 bits of FNV-1a of a control: a restart on a machine whose arithmetic differs must not be served what belongs to
 * another. */
static double hash(const double *x, int64_t n) {
  return (double)(bf_hash(BF_HASH_NONE, x, (size_t)n * sizeof *x) >> 12);
}

/* By all ranks of the group: J at search->x, into the leader's log. */
static BfStatus evaluate_all(BfSearch *search, BfError *error) {
  BfFlowValue  value = {.gradient = search->gradient};
  const double begin = bf_seconds();
  bf_phase_begin(search->run, BF_PHASE_FLOW);
  BF_TRY(bf_flow_evaluate(search->flow, search->x, &value, error));
  bf_phase_end(search->run, BF_PHASE_FLOW);
  search->longest = fmax(search->longest, bf_seconds() - begin);
  if (search->run->rank == 0) {
    double *row = bf_search_row(search, search->now.evaluated);
    row[0]      = hash(search->x, search->n);
    row[1]      = value.cost;
    memcpy(row + BF_LOG_HEAD, search->gradient, sizeof(double) * (size_t)search->n);
  }
  search->now.evaluated++;
  search->here++;
  bf_dispatch_look(search->dispatch);
  return BF_OK;
}

BfSearchOrder bf_search_tell(const BfSearch *search, BfSearchOrder order) {
  int         word = (int)order, told = 0;
  MPI_Request request;
  MPI_Ibcast(&word, 1, MPI_INT, 0, search->run->world, &request);
  for (;;) {
    MPI_Test(&request, &told, MPI_STATUS_IGNORE);
    if (told) return (BfSearchOrder)word;
    bf_dispatch_look(search->dispatch);
  }
}

/* What rank 0 has ordered all groups to do, by all ranks of this one. */
static BfStatus obey(BfSearch *search, BfSearchOrder order, BfError *error) {
  if (order == BF_SEARCH_ABANDON) {
    search->over = search->abandoned = true;
    return bf_fail(error, BF_FAILURE, "another group of ranks has failed");
  }
  search->over = true; /* where this fails or stops all know */
  if (order == BF_SEARCH_END) return BF_OK;
  BF_TRY(bf_search_save(search, error));
  if (order == BF_SEARCH_STOP) return bf_checkpoint_stopped(search->checkpoint, error);
  search->over = false;
  return BF_OK;
}

static double waiting_rows(const BfSearch *search) {
  int64_t rows = search->now.evaluated;
  for (int64_t i = 0; i < search->waiting; i++) rows += search->wait[i].evaluated;
  return (double)rows;
}

/* Between two evaluations: what is ordered. */
static BfStatus look_up(BfSearch *search, BfError *error) {
  bf_dispatch_tell(search->dispatch, BF_NEWS_WORKED,
                   (BfNews){.evaluations = 1, .rows = waiting_rows(search), .longest = search->longest});
  const BfSearchOrder order = bf_dispatch_hear(search->dispatch);
  if (order == BF_SEARCH_NOTHING) return BF_OK;
  bf_search_tell(search, order);
  const BfStatus status = obey(search, order, error);
  search->known         = status != BF_OK;
  return status;
}

BfStatus bf_search_evaluate(BfSearch *search, const double *x, double *cost, double *gradient, BfError *error) {
  BfStartLog *now = &search->now;
  if (search->served < now->evaluated && bf_search_row(search, search->served)[0] != hash(x, search->n))
    now->evaluated = search->served; /* the rest belongs to other steps than these */
  if (search->served == now->evaluated) {
    if (search->here) BF_TRY(look_up(search, error)); /* one at least: a run that is always stopped at once goes on */
    BF_TRY(bf_array_room(&now->log, now->evaluated, &now->room, sizeof(double) * (size_t)(BF_LOG_HEAD + search->n),
                         error));
    if (x != search->x) memcpy(search->x, x, sizeof(double) * (size_t)search->n);
    bf_search_tell(search, BF_SEARCH_EVALUATE);
    MPI_Bcast(&now->evaluated, 1, MPI_INT64_T, 0, search->run->world);
    MPI_Bcast(search->x, (int)search->n, MPI_DOUBLE, 0, search->run->world);
    const BfStatus status = evaluate_all(search, error);
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
    const BfSearchOrder order = bf_search_tell(search, BF_SEARCH_NOTHING);
    if (order == BF_SEARCH_ENDED) return BF_OK;
    if (order == BF_SEARCH_FAILED) return bf_agree(search->run->world, error);
    if (order != BF_SEARCH_EVALUATE) {
      BF_TRY(obey(search, order, error));
      continue;
    }
    MPI_Bcast(&search->now.evaluated, 1, MPI_INT64_T, 0, search->run->world);
    MPI_Bcast(search->x, (int)search->n, MPI_DOUBLE, 0, search->run->world);
    BF_TRY(evaluate_all(search, error));
  }
}

/* What the leader is told next, to all ranks of its group. */
static BfSearchOrder hear_together(const BfSearch *search) {
  return bf_search_tell(search, search->run->rank ? BF_SEARCH_NOTHING : bf_dispatch_wait(search->dispatch));
}

BfStatus bf_search_take(BfSearch *search, BfError *error) {
  bf_free(search->now.log);
  search->now  = (BfStartLog){.start = -1};
  int64_t kept = search->waiting; /* of the leader's checkpoint */
  MPI_Bcast(&kept, 1, MPI_INT64_T, 0, search->run->world);
  if (kept && search->run->rank == 0) search->now = search->wait[--search->waiting];
  if (!kept) {
    if (search->run->rank == 0)
      bf_dispatch_tell(search->dispatch, BF_NEWS_WANTS, (BfNews){.rows = 0, .longest = search->longest});
    for (BfSearchOrder order; (order = hear_together(search)) != BF_SEARCH_TAKE;) BF_TRY(obey(search, order, error));
    const int64_t taken = search->run->rank ? -1 : bf_dispatch_taken(search->dispatch);
    if (taken >= 0) search->now.start = search->fresh_start[taken];
  }
  MPI_Bcast(&search->now.start, 1, MPI_INT64_T, 0, search->run->world);
  return BF_OK;
}

BfStatus bf_search_wait(BfSearch *search, BfError *error) {
  const bool speaks = search->whole->rank == 0; /* its line goes on meanwhile */
  BfStatus   status = BF_OK;
  if (speaks) bf_phase_begin(search->whole, BF_PHASE_FLOW);
  while (!search->over) {
    if (speaks && search->groups > 1)
      bf_progress_what(search->whole, "%lld of %lld starts done", (long long)search->finished, (long long)search->all);
    status = obey(search, hear_together(search), error);
  }
  if (speaks) bf_phase_end(search->whole, BF_PHASE_FLOW);
  return status;
}
