#include "solve/reachable/best.h"
#include "run/limits.h"
#include "solve/best.h"
#include <math.h>
#include <string.h>

typedef struct {
  BfReachable   *x;
  double        *total;   /* [readouts][K padded] costs of a measure's successors */
  unsigned char *measure; /* [BF_LANES][bytes] */
} Space;

static BfStatus make(Space *s, BfError *error) {
  const BfReachable *x = s->x;
  BF_TRY(BF_NEW(&s->total, x->problem->cost.readouts * x->actions.blocks * BF_LANES, error));
  return BF_NEW(&s->measure, BF_LANES * x->measures.bytes, error);
}

/* This rank's place of a measure of layer t, -1: it is another's. */
static int64_t own(const BfReached *layer, int64_t measure) {
  const int64_t i = measure - layer->offset;
  return i >= 0 && i < layer->count ? i : -1;
}

static int find_owner(const BfReachable *x, int64_t mine) {
  int rank = mine >= 0 ? x->run->rank : -1, owner;
  MPI_Allreduce(&rank, &owner, 1, MPI_INT, MPI_MAX, x->run->world);
  return owner;
}

static void tell(const BfReachable *x, int owner, void *data, int64_t count, MPI_Datatype type, int64_t size) {
  const int64_t most = bf_limits()->reduced;
  for (int64_t i = 0; i < count; i += most)
    MPI_Bcast((char *)data + i * size, (int)(count - i < most ? count - i : most), type, owner, x->run->world);
}

/* ---- layers before the last ---------------------------------------------------------------------------------------
 */

static void find_stored(const BfReachable *x, int t, int64_t measure, BfSuccessors *out) {
  const BfReached *layer = &x->layer[t], *after = &x->layer[t + 1];
  const int64_t    K = x->problem->actions, mine = own(layer, measure), most = bf_limits()->reduced;
  if (mine >= 0) memcpy(out->next, layer->successor + mine * K, sizeof *out->next * (size_t)K);
  tell(x, find_owner(x, mine), out->next, K, MPI_INT64_T, (int64_t)sizeof *out->next);
  for (int64_t k = 0; k < K; k++) {
    const int64_t i = own(after, out->next[k]);
    out->value[k]   = i >= 0 ? after->value[i] : INFINITY;
    out->readout[k] = 0;
  }
  for (int64_t k = 0; k < K; k += most)
    MPI_Allreduce(MPI_IN_PLACE, out->value + k, (int)(K - k < most ? K - k : most), MPI_DOUBLE, MPI_MIN, x->run->world);
}

/* ---- the last layer -----------------------------------------------------------------------------------------------
 */

/* Numbers that are equal where the successors are. */
static BfStatus number_last(Space *s, const unsigned char *from, int64_t next[], BfError *error) {
  BfReachable  *x = s->x;
  const int64_t K = x->problem->actions;
  BfMeasureSet  set;
  BfStatus      status;
  BF_GOTO(bf_measure_set_create(&x->measures, &set, error));
  for (int64_t k = 0; k < K; k += BF_LANES) {
    const int64_t end = k + BF_LANES < K ? k + BF_LANES : K;
    BF_GOTO(bf_reachable_expand(x, from, k, end, s->measure, error));
    for (int64_t l = k; l < end; l++)
      BF_GOTO(bf_measure_set_insert(&set, s->measure + (l - k) * x->measures.bytes, &next[l], error));
  }
done:
  bf_measure_set_clear(&set);
  return status;
}

/* The owner alone. */
static BfStatus find_last(Space *s, int64_t mine, BfSuccessors *out, BfError *error) {
  BfReachable         *x    = s->x;
  const unsigned char *from = x->layer[x->problem->horizon - 1].measure + mine * x->measures.bytes;
  const int64_t        K = x->problem->actions, padded = x->actions.blocks * BF_LANES;
  BF_TRY(bf_reachable_cost(x, from, 0, x->actions.blocks, s->total, error));
  for (int64_t k = 0; k < K; k++) {
    out->value[k]   = s->total[k];
    out->readout[k] = 0;
    for (int64_t r = 1; r < x->problem->cost.readouts; r++) {
      if (s->total[r * padded + k] >= out->value[k]) continue;
      out->value[k]   = s->total[r * padded + k];
      out->readout[k] = r;
    }
  }
  return number_last(s, from, out->next, error);
}

static BfStatus expand(void *space, int t, int64_t measure, BfSuccessors *out, BfError *error) {
  Space       *s = space;
  BfReachable *x = s->x;
  const int    T = x->problem->horizon;
  out->count     = x->problem->actions;
  for (int64_t k = 0; k < out->count; k++) out->action[k] = (int32_t)k;
  if (t < T - 1) {
    find_stored(x, t, measure, out);
    return BF_OK;
  }
  const int64_t mine  = own(&x->layer[t], measure);
  const int     owner = find_owner(x, mine);
  BF_TRY(bf_together(x->run->world, mine >= 0 ? find_last(s, mine, out, error) : BF_OK, error));
  tell(x, owner, out->next, out->count, MPI_INT64_T, (int64_t)sizeof *out->next);
  tell(x, owner, out->value, out->count, MPI_DOUBLE, (int64_t)sizeof *out->value);
  tell(x, owner, out->readout, out->count, MPI_INT64_T, (int64_t)sizeof *out->readout);
  return BF_OK;
}

BfStatus bf_reachable_best(BfReachable *x, BfBest *best, BfError *error) {
  Space         s     = {.x = x};
  const BfGraph graph = {
      .run = x->run, .problem = x->problem, .stage = x->actions.stage, .space = &s, .expand = expand};
  BfStatus status;
  BF_GOTO(bf_together(x->run->world, make(&s, error), error));
  bf_phase_begin(x->run, BF_PHASE_EXPAND);
  status = bf_best_find(&graph, best, error);
  bf_phase_end(x->run, BF_PHASE_EXPAND);
done:
  bf_free(s.total);
  bf_free(s.measure);
  return status;
}
