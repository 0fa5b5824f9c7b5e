#include "bellformer/solve.h"
#include "solve/full/space.h"
#include "solve/full/table_shape.h"
#include "solve/full/untabled.h"
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

bool bf_full_rows(const BfFullOptions *o) { return o->untabled && o->store_policy && !o->stability && !o->best; }

/* What the tables of all shapes come to. */
typedef struct {
  double entries, terms, images; /* their number, their work; bytes a node while they are found */
  double untabled;               /* bytes a node to find those of one context as they are used */
} Tables;

static BfStatus add_tables(const BfRun *run, const BfFullSpace *space, int64_t s, Tables *tables, BfError *error) {
  const double entries = (double)space->context[s].measures * (double)space->problem->actions;
  BfTableWay   way;
  BF_TRY(bf_table_way(space, s, &way, error));
  tables->entries += entries;
  tables->terms += entries * entry_terms(space, s, &way);
  tables->images   = fmax(tables->images, (double)way.images_bytes + (double)way.rank_bytes * run->node_size);
  tables->untabled = bf_untabled_bytes(space, &way, run->node_size);
  return BF_OK;
}

/* Memory a node. */
static void size_memory(const BfRun *run, const BfProblem *problem, const BfFullOptions *options, const Tables *tables,
                        BfFullSize *size) {
  const double T = problem->horizon, M = (double)size->measures;
  size->tables_bytes   = size->untabled ? tables->untabled : 4 * tables->entries + tables->images + 8 * size->costs;
  size->V_bytes        = 16 * M;
  const bool rows      = bf_full_rows(options);
  size->held_bytes     = (rows ? 4 : 4 * T) + (T > 2 && options->store_value ? 8 : T > 1 && rows ? 4 : 0);
  size->policies_bytes = size->held_bytes * M / run->nodes;
  size->node_bytes     = size->tables_bytes + size->V_bytes + size->policies_bytes;
}

static BfStatus size_space(const BfRun *run, const BfFullSpace *space, const BfFullOptions *options, BfFullSize *size,
                           BfError *error) {
  const BfProblem *problem = space->problem;
  const double     T = problem->horizon, M = (double)space->measures;
  Tables           tables   = {0};
  double           terminal = 0;
  for (int i = 0; i < space->shapes; i++) BF_TRY(add_tables(run, space, space->shape[i], &tables, error));
  for (int64_t s = 0; s < space->contexts; s++) terminal += (double)space->context[s].measures;
  size->untabled     = options->untabled;
  size->measures     = space->measures;
  size->shapes       = space->shapes;
  size->tables       = tables.entries < 0x1p62 ? (int64_t)tables.entries : -1;
  size->value_bytes  = 8 * (T + 1) * M;
  size->policy_bytes = 4 * T * M;
  size->q_values     = T * M * (double)problem->actions;
  size->table_terms  = tables.terms / tables.entries;
  size->sweep_terms  = bf_full_sweep_terms(problem) + (options->untabled ? size->table_terms : 0);
  size->costs        = terminal * (double)problem->cost.readouts;
  size->cost_terms   = 8 * (double)space->slots;
  size->work         = size->q_values * size->sweep_terms + size->costs * size->cost_terms;
  if (!options->untabled) size->work += tables.terms;
  size_memory(run, problem, options, &tables, size);
  return BF_OK;
}

BfStatus bf_full_size(const BfRun *run, const BfProblem *problem, const BfFullOptions *options, BfFullSize *size,
                      BfError *error) {
  static const BfFullOptions none = {0};
  BfFullSpace                space;
  BfError                    unused = {0};
  *size                             = (BfFullSize){.measures = -1, .tables = -1, .work = INFINITY};
  if (bf_full_space_create(problem, &space, &unused) != BF_OK)
    return unused.status == BF_BAD_INPUT ? BF_OK : bf_fail(error, unused.status, "%s", unused.text);
  const BfStatus status = size_space(run, &space, options ? options : &none, size, error);
  bf_full_space_clear(&space);
  return status;
}

/* ---- what would fit --------------------------------------------------------------------------------------------- */

static double types(double n, int atoms) {
  double count = 1;
  for (int i = 1; i <= atoms; i++) count = count * (n + i - 1) / i;
  return count;
}

static bool alike(const BfContext *a, const BfContext *b) { return a->tags == b->tags && a->slots == b->slots; }

double bf_full_bytes(const BfProblem *problem, const BfFullSize *size, double cells, int atoms, double actions) {
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
  return (16 + size->held_bytes) * all + (size->untabled ? 0 : 4 * tables);
}
