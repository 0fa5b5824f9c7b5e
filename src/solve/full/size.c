#include "bellformer/solve.h"
#include "solve/full/space.h"
#include "solve/full/table_shape.h"
#include <math.h>

/* Where rows of V are shared; and where V is one row that is gathered from memory. */
double bf_full_sweep_terms(const BfProblem *problem) { return problem->train.contexts > 1 ? 0.1 : 1; }

/* Terms of an entry of a context's table. Of images: one a slot of a tag, and centres; of a measure then a look-up a
 * tag. Without: exponentials one a slot, tag and head; at the border of what that way is for, one a pair of slots.
 * Quantizing a slot takes about one term, sharing it among its centres a few for each of them. */
static double entry_terms(const BfFullSpace *space, int64_t s, const BfTableWay *way) {
  const BfProblem *problem = space->problem;
  const BfContext *c       = &problem->context[s];
  const double slots = c->slots, heads = problem->layer.heads, seen = bf_table_shape_fits(space, s) ? c->tags : slots,
               measures = (double)space->context[s].measures;
  const double centres  = (double)problem->transition->centres(problem->layer.dim),
               quantize = centres > 1 ? 4 * centres : 1;
  if (way->images > 0) return way->images / measures * (slots / c->tags) * 0.1 * (heads + quantize) + 0.1 * c->tags;
  return slots * (heads * seen + quantize);
}

BfStatus bf_full_size(const BfRun *run, const BfProblem *problem, BfFullSize *size, BfError *error) {
  BfFullSpace space;
  BfError     unused = {0};
  *size              = (BfFullSize){.measures = -1, .tables = -1, .work = INFINITY};
  if (bf_full_space_create(problem, &space, &unused) != BF_OK)
    return unused.status == BF_BAD_INPUT ? BF_OK : bf_fail(error, unused.status, "%s", unused.text);
  const double T = problem->horizon, M = (double)space.measures, K = (double)problem->actions;
  double       tables = 0, terminal = 0, terms = 0, images = 0;
  for (int i = 0; i < space.shapes; i++) {
    const double entries = (double)space.context[space.shape[i]].measures * K;
    tables += entries;
    BfTableWay     way;
    const BfStatus status = bf_table_way(&space, space.shape[i], &way, error);
    if (status != BF_OK) {
      bf_full_space_clear(&space);
      return status;
    }
    terms += entries * entry_terms(&space, space.shape[i], &way);
    images = fmax(images, (double)way.images_bytes + (double)way.rank_bytes * run->node_size);
  }
  for (int64_t s = 0; s < space.contexts; s++) terminal += (double)space.context[s].measures;
  size->measures       = space.measures;
  size->shapes         = space.shapes;
  size->tables         = tables < 0x1p62 ? (int64_t)tables : -1;
  size->value_bytes    = 8 * (T + 1) * M;
  size->policy_bytes   = 4 * T * M;
  size->tables_bytes   = 4 * tables + images + 8 * terminal * (double)problem->cost.readouts;
  size->V_bytes        = 16 * M;
  size->policies_bytes = 4 * T * M / run->nodes;
  size->node_bytes     = size->tables_bytes + size->V_bytes + size->policies_bytes;
  size->q_values       = T * M * K;
  size->table_terms    = terms / tables;
  size->sweep_terms    = bf_full_sweep_terms(problem);
  size->costs          = terminal * (double)problem->cost.readouts;
  size->cost_terms     = 8 * (double)space.slots;
  size->work           = terms + size->q_values * size->sweep_terms + size->costs * size->cost_terms;
  bf_full_space_clear(&space);
  return BF_OK;
}

/* ---- what would fit --------------------------------------------------------------------------------------------- */

static double types(double n, int atoms) {
  double count = 1;
  for (int i = 1; i <= atoms; i++) count = count * (n + i - 1) / i;
  return count;
}

static bool alike(const BfContext *a, const BfContext *b) { return a->tags == b->tags && a->slots == b->slots; }

double bf_full_bytes(const BfProblem *problem, double cells, int atoms, double actions) {
  double all = 1, tables = 0;
  for (int64_t s = 0; s < problem->train.contexts; s++) {
    const BfContext *c        = &problem->context[s];
    double           measures = 1;
    int64_t          earlier  = 0;
    for (int g = 0; g < c->tags; g++) {
      const int own = c->first[g + 1] - c->first[g];
      measures *= types(cells, own < atoms ? own : atoms);
    }
    while (earlier < s && !alike(c, &problem->context[earlier])) earlier++;
    if (earlier == s) tables += measures * actions;
    all *= measures;
  }
  return 16 * all + 4 * tables + 4 * problem->horizon * all;
}
