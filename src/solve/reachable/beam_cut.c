/* Of the measures found so far, those that are kept. */
#include "solve/reachable/beam_layer.h"

typedef struct {
  double        *key;
  unsigned char *keep;
  BfMeasureSet   set;
} Cut;

static BfStatus make_cut(const BfBeamLayer *l, Cut *cut, BfError *error) {
  const double *spent = l->spent.data, *rest = l->rest.data;
  BF_TRY(BF_NEW(&cut->key, l->set.count, error));
  BF_TRY(BF_NEW(&cut->keep, l->set.count, error));
  for (int64_t i = 0; i < l->set.count; i++) cut->key[i] = spent[i] + rest[i];
  return bf_measure_set_create(&l->x->measures, &cut->set, error);
}

/* The set without those that are not kept, renumbered, in the log too. */
static BfStatus compact(BfBeamLayer *l, Cut *cut, BfError *error) {
  double   *spent = l->spent.data, *rest = l->rest.data;
  BfLogged *log = l->log.data;
  int64_t  *number;
  BF_TRY(BF_NEW(&number, l->set.count, error));
  for (int64_t i = 0; i < l->set.count; i++) {
    number[i] = -1;
    if (!cut->keep[i]) continue;
    const BfStatus status =
        bf_measure_set_insert(&cut->set, l->set.measure + i * l->x->measures.bytes, &number[i], error);
    if (status != BF_OK) {
      bf_free(number);
      return status;
    }
    spent[number[i]] = spent[i];
    rest[number[i]]  = rest[i];
  }
  for (int64_t e = 0; e < l->log.count; e++)
    if (log[e].number >= 0) log[e].number = number[log[e].number];
  bf_free(number);
  bf_measure_set_clear(&l->set);
  l->set         = cut->set;
  cut->set       = (BfMeasureSet){0};
  l->spent.count = l->rest.count = l->set.count;
  return BF_OK;
}

BfStatus bf_beam_cut(BfBeamLayer *l, int64_t want, double *most, BfError *error) {
  BfRun   *run = l->x->run;
  Cut      cut = {0};
  int64_t  all;
  BfStatus status;
  MPI_Allreduce(&l->set.count, &all, 1, MPI_INT64_T, MPI_SUM, run->world);
  if (all <= want) return BF_OK;
  BF_GOTO(bf_together(run->world, make_cut(l, &cut, error), error));
  BF_GOTO(bf_beam_select(run, &l->set, cut.key, want, cut.keep, most, error));
  status = bf_together(run->world, compact(l, &cut, error), error);
done:
  bf_free(cut.key);
  bf_free(cut.keep);
  bf_measure_set_clear(&cut.set);
  return status;
}
