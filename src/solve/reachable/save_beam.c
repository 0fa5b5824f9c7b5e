#include "solve/reachable/save_beam.h"
#include <stdio.h>

void bf_beam_array_name(const BfReachable *x, const char *what, int t, char name[BF_ARRAY_NAME]) {
  char doubling[24] = "";
  if (x->beam && x->beam->doubling) snprintf(doubling, sizeof doubling, "_%lld", (long long)x->beam->doubling);
  snprintf(name, BF_ARRAY_NAME, "%s%s/%04d", what, doubling, t);
}

/* ---- numbers ----------------------------------------------------------------------------------------------------- */

static BfStatus save_double(BfCheckpoint *checkpoint, const char *name, double value, BfError *error) {
  int64_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bf_checkpoint_number(checkpoint, name, bits, error);
}

static BfStatus read_double(BfCheckpoint *checkpoint, const char *name, double *value, BfError *error) {
  int64_t bits;
  BF_TRY(bf_checkpoint_get(checkpoint, name, &bits, error));
  memcpy(value, &bits, sizeof bits);
  return BF_OK;
}

static void action_name(int t, char name[BF_ARRAY_NAME]) { snprintf(name, BF_ARRAY_NAME, "beam_action_%d", t); }

BfStatus bf_beam_save(const BfReachable *x, BfError *error) {
  const BfBeam *beam = x->beam;
  BF_TRY(bf_checkpoint_number(x->checkpoint, "beam_doubling", beam->doubling, error));
  BF_TRY(bf_checkpoint_number(x->checkpoint, "beam_dropped", beam->dropped, error));
  BF_TRY(save_double(x->checkpoint, "beam_limit", beam->limit, error));
  BF_TRY(save_double(x->checkpoint, "beam_least", beam->least, error));
  BF_TRY(save_double(x->checkpoint, "beam_bound", beam->bound, error));
  if (!beam->doubling) return BF_OK;
  BF_TRY(save_double(x->checkpoint, "beam_best", beam->best.quantized_cost, error));
  BF_TRY(bf_checkpoint_number(x->checkpoint, "beam_readout", beam->best.readout, error));
  for (int t = 0; t < x->problem->horizon; t++) {
    char name[BF_ARRAY_NAME];
    action_name(t, name);
    BF_TRY(bf_checkpoint_number(x->checkpoint, name, beam->best.action[t], error));
  }
  return BF_OK;
}

BfStatus bf_beam_read(BfReachable *x, BfCheckpoint *checkpoint, BfError *error) {
  BfBeam       *beam = x->beam;
  const int64_t q    = x->problem->layer.free;
  int64_t       doubling;
  BF_TRY(bf_checkpoint_get(checkpoint, "beam_doubling", &doubling, error));
  bf_beam_begin(beam, doubling);
  BF_TRY(bf_checkpoint_get(checkpoint, "beam_dropped", &beam->dropped, error));
  BF_TRY(read_double(checkpoint, "beam_limit", &beam->limit, error));
  BF_TRY(read_double(checkpoint, "beam_least", &beam->least, error));
  BF_TRY(read_double(checkpoint, "beam_bound", &beam->bound, error));
  if (!doubling) return BF_OK;
  bf_model_clear(&beam->best);
  BF_TRY(bf_together(x->run->world, bf_model_create(x->problem, true, &beam->best, error), error));
  BF_TRY(read_double(checkpoint, "beam_best", &beam->best.quantized_cost, error));
  BF_TRY(bf_checkpoint_get(checkpoint, "beam_readout", &beam->best.readout, error));
  for (int t = 0; t < x->problem->horizon; t++) {
    char    name[BF_ARRAY_NAME];
    int64_t k;
    action_name(t, name);
    BF_TRY(bf_checkpoint_get(checkpoint, name, &k, error));
    if (k < 0 || k >= x->problem->actions)
      return bf_fail(error, BF_BAD_INPUT, "/checkpoint: action %lld is not of this problem", (long long)k);
    beam->best.action[t] = (int32_t)k;
    memcpy(beam->best.control + t * q, x->problem->action + k * q, sizeof(double) * (size_t)q);
  }
  return BF_OK;
}

/* ---- layers ------------------------------------------------------------------------------------------------------ */

double bf_beam_edge_bytes(const BfReachable *x, int t) {
  return 8.0 * (double)x->layer[t].total + 8.0 * (double)x->layer[t - 1].total +
         (double)sizeof(BfEdge) * (double)x->layer[t - 1].edges;
}

static int64_t edges_before(const BfReachable *x, int64_t mine) {
  int64_t before = 0;
  MPI_Exscan(&mine, &before, 1, MPI_INT64_T, MPI_SUM, x->run->world);
  return x->run->rank ? before : 0; /* MPI leaves it undefined there */
}

BfStatus bf_beam_save_layer(const BfReachable *x, int t, BfError *error) {
  const BfReached *to = &x->layer[t], *from = &x->layer[t - 1];
  const int64_t    mine = from->first[from->count], before = edges_before(x, mine);
  int64_t         *count;
  char             name[BF_ARRAY_NAME];
  bf_beam_array_name(x, "spent", t, name);
  BF_TRY(bf_checkpoint_array(x->checkpoint, name, BF_STORE_DOUBLE, to->total, 1, &(BfParts){1, &to->offset, &to->count},
                             to->spent, error));
  BF_TRY(bf_together(x->run->world, BF_NEW(&count, from->count, error), error));
  for (int64_t i = 0; i < from->count; i++) count[i] = from->first[i + 1] - from->first[i];
  bf_beam_array_name(x, "edge_counts", t - 1, name);
  const BfStatus status = bf_checkpoint_array(x->checkpoint, name, BF_STORE_INT64, from->total, 1,
                                              &(BfParts){1, &from->offset, &from->count}, count, error);
  bf_free(count);
  BF_TRY(status);
  bf_beam_array_name(x, "edges", t - 1, name);
  return bf_checkpoint_array(x->checkpoint, name, BF_STORE_INT64, from->edges, 2, &(BfParts){1, &before, &mine},
                             from->edge, error);
}

/* Rows of layer `from`'s measures, counts of edges, as where these begin; and where this rank's edges begin. */
static BfStatus read_first(const BfReachable *x, BfCheckpoint *checkpoint, const char *name, const BfReached *from,
                           int64_t **first, int64_t *before, BfError *error) {
  BF_TRY(bf_together(x->run->world, BF_NEW(first, from->count + 1, error), error));
  BF_TRY(bf_checkpoint_read(checkpoint, name, BF_STORE_INT64, 1, &(BfParts){1, &from->offset, &from->count}, *first + 1,
                            error));
  for (int64_t i = 0; i < from->count; i++) (*first)[i + 1] += (*first)[i];
  *before = edges_before(x, (*first)[from->count]);
  return BF_OK;
}

BfStatus bf_beam_read_layer(BfReachable *x, BfCheckpoint *checkpoint, int t, BfError *error) {
  BfReached *to = &x->layer[t], *from = &x->layer[t - 1];
  char       name[BF_ARRAY_NAME];
  int64_t    before;
  BF_TRY(bf_together(x->run->world, BF_NEW(&to->spent, to->count, error), error));
  bf_beam_array_name(x, "spent", t, name);
  BF_TRY(bf_checkpoint_read(checkpoint, name, BF_STORE_DOUBLE, 1, &(BfParts){1, &to->offset, &to->count}, to->spent,
                            error));
  bf_beam_array_name(x, "edge_counts", t - 1, name);
  BF_TRY(read_first(x, checkpoint, name, from, &from->first, &before, error));
  const int64_t mine = from->first[from->count];
  MPI_Allreduce(&mine, &from->edges, 1, MPI_INT64_T, MPI_SUM, x->run->world);
  BF_TRY(bf_together(x->run->world, BF_NEW(&from->edge, mine, error), error));
  bf_beam_array_name(x, "edges", t - 1, name);
  return bf_checkpoint_read(checkpoint, name, BF_STORE_INT64, 2, &(BfParts){1, &before, &mine}, from->edge, error);
}

static BfStatus make_partial(BfPartial *p, BfError *error) {
  BF_TRY(BF_NEW(&p->spent, p->count, error));
  return BF_NEW(&p->rest, p->count, error);
}

static BfStatus make_edges(BfPartial *p, int64_t edges, BfError *error) {
  BF_TRY(BF_NEW(&p->edge, edges, error));
  return BF_NEW(&p->key, edges, error);
}

BfStatus bf_beam_read_partial(BfReachable *x, BfCheckpoint *checkpoint, BfError *error) {
  BfPartial       *p    = &x->partial;
  const BfReached *from = &x->layer[p->layer];
  const BfParts    set  = {1, &p->offset, &p->count};
  int64_t          before;
  BF_TRY(bf_together(x->run->world, make_partial(p, error), error));
  BF_TRY(bf_checkpoint_read(checkpoint, "partial/spent", BF_STORE_DOUBLE, 1, &set, p->spent, error));
  BF_TRY(bf_checkpoint_read(checkpoint, "partial/rest", BF_STORE_DOUBLE, 1, &set, p->rest, error));
  BF_TRY(read_first(x, checkpoint, "partial/edge_counts", from, &p->first, &before, error));
  const int64_t mine  = p->first[from->count];
  const BfParts edges = {1, &before, &mine};
  BF_TRY(bf_together(x->run->world, make_edges(p, mine, error), error));
  BF_TRY(bf_checkpoint_read(checkpoint, "partial/edges", BF_STORE_INT64, 2, &edges, p->edge, error));
  return bf_checkpoint_read(checkpoint, "partial/keys", BF_STORE_DOUBLE, 1, &edges, p->key, error);
}
