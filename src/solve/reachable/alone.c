/* What every context reaches alone, shape by shape. */
#include "solve/reachable/alone_values.h"
#include <math.h>

static bool same_shape(const BfContext *a, const BfContext *b) {
  if (a->tags != b->tags || a->slots != b->slots || a->length != b->length) return false;
  for (int g = 0; g < a->tags; g++)
    if (a->first[g + 1] != b->first[g + 1] || a->position[g] != b->position[g] || a->mass[g] != b->mass[g])
      return false;
  return true;
}

static int find_shape(const BfAlone *alone, int64_t s) {
  for (int64_t other = 0; other < s; other++)
    if (same_shape(&alone->problem->context[other], &alone->problem->context[s])) return alone->context[other].shape;
  return -1;
}

/* Strings of one context: its slots stand where those of all contexts of a measure begin. */
static BfStatus strings_of(const BfProblem *problem, int64_t s, BfMeasures *strings, BfError *error) {
  BF_TRY(bf_measures_create(problem, strings, error));
  for (int64_t other = 0; other < problem->train.contexts; other++) strings->first[other] = 0;
  strings->slots = problem->context[s].slots;
  strings->bytes = (strings->slots * strings->width + 7) / 8 * 8;
  return BF_OK;
}

static BfStatus make_shapes(BfAlone *alone, BfError *error) {
  const BfProblem *problem = alone->problem;
  int64_t          longest = 0;
  for (int64_t s = 0; s < problem->train.contexts; s++) {
    BfAloneContext *context = &alone->context[s];
    context->shape          = find_shape(alone, s);
    if (context->shape >= 0) continue;
    context->shape = alone->shapes++;
    BfShape *shape = &alone->shape[context->shape];
    BF_TRY(strings_of(problem, s, &shape->measures, error));
    BF_TRY(bf_measure_set_create(&shape->measures, &shape->set, error));
    BF_TRY(BF_NEW(&shape->first, problem->horizon + 2, error));
    BF_TRY(BF_NEW(&shape->row, problem->horizon, error));
    if (shape->measures.bytes > longest) longest = shape->measures.bytes;
  }
  return BF_NEW(&alone->string, longest, error);
}

/* The parts of mu_0, into the sets of their shapes. */
static BfStatus insert_initial(BfAlone *alone, BfError *error) {
  BfMeasures     all;
  unsigned char *measure = NULL;
  BfStatus       status;
  BF_GOTO(bf_measures_create(alone->problem, &all, error));
  BF_GOTO(BF_NEW(&measure, all.bytes, error));
  BF_GOTO(bf_measures_initial(&all, measure, error));
  for (int64_t s = 0; s < alone->problem->train.contexts; s++) {
    BfAloneContext *context = &alone->context[s];
    BfShape        *shape   = &alone->shape[context->shape];
    bf_measures_part(&all, measure, s, &shape->measures, alone->string);
    BF_GOTO(bf_measure_set_insert(&shape->set, alone->string, &context->initial, error));
  }
done:
  bf_free(measure);
  bf_measures_clear(&all);
  return status;
}

/* ---- one depth of one shape -------------------------------------------------------------------------------------- */

typedef struct {
  BfRun         *run;
  BfActionParts *parts;
  BfScratch     *scratch;
  BfAlone       *alone;
  BfShape       *shape;
  int64_t        s;                        /* a context of the shape */
  int64_t        most;                     /* measures that the shape may have */
  int32_t       *row;                      /* of this depth's measures */
  int64_t        from, to, mine, mine_end; /* this depth's measures, and this rank's part of them */
  BfMeasureSet   fresh;                    /* successors, found by this rank, that the set does not have */
  bool           many;
} Depth;

/* A known successor's number; of a new one -1 - its number in `fresh`. */
static BfStatus note(Depth *x, const unsigned char *string, int32_t *number, BfError *error) {
  int64_t at = bf_measure_set_find(&x->shape->set, string);
  if (at < 0) {
    BF_TRY(bf_measure_set_insert(&x->fresh, string, &at, error));
    at = -1 - at;
  }
  *number = (int32_t)at;
  return BF_OK;
}

static BfStatus expand_measure(Depth *x, int64_t j, BfError *error) {
  const BfProblem *problem = x->alone->problem;
  const int64_t    K = problem->actions, bytes = x->shape->measures.bytes;
  unsigned char   *string = x->alone->string;
  BfContext        law;
  memset(string, 0, (size_t)bytes);
  bf_measures_load(&x->shape->measures, x->shape->set.measure + j * bytes, x->s, x->scratch, &law);
  for (int64_t k = 0, end = 0; k < K; k += BF_LANES) {
    if (k >= end) {
      end = bf_action_parts_range(x->parts, k, K);
      bf_action_parts_evaluate(x->parts, &law, x->scratch);
    }
    bf_action_parts_apply(x->parts, k, &law, x->scratch);
    for (int l = 0; l < BF_LANES && k + l < K; l++) {
      BF_TRY(bf_measures_store(&x->shape->measures, x->s, &law, l, x->scratch, string, error));
      BF_TRY(note(x, string, &x->row[(j - x->from) * K + k + l], error));
    }
  }
  return BF_OK;
}

static BfStatus expand_part(Depth *x, BfError *error) {
  BF_TRY(bf_measure_set_create(&x->shape->measures, &x->fresh, error));
  for (int64_t j = x->mine; j < x->mine_end && !x->many; j++) {
    BF_TRY(expand_measure(x, j, error));
    x->many = x->shape->set.count + x->fresh.count > x->most;
  }
  return BF_OK;
}

/* What the node's ranks have found, into the set of each in the order of ranks. */
static BfStatus take(Depth *x, const unsigned char *string, int64_t count, const int at[], BfError *error) {
  const int64_t bytes = x->shape->measures.bytes;
  int64_t      *number;
  BF_TRY(BF_NEW(&number, count, error));
  BfStatus status = BF_OK;
  for (int64_t i = 0; i < count && status == BF_OK; i++)
    status = bf_measure_set_insert(&x->shape->set, string + i * bytes, &number[i], error);
  const int64_t own = at[x->run->node_rank], K = x->alone->problem->actions;
  for (int64_t i = (x->mine - x->from) * K; i < (x->mine_end - x->from) * K && status == BF_OK; i++)
    if (x->row[i] < 0) x->row[i] = (int32_t)number[own - 1 - x->row[i]];
  bf_free(number);
  return status;
}

static BfStatus exchange(Depth *x, BfError *error) {
  BfRun         *run   = x->run;
  const int64_t  bytes = x->shape->measures.bytes;
  int            count[run->node_size], at[run->node_size], mine = (int)x->fresh.count;
  int64_t        all = 0;
  unsigned char *string;
  MPI_Datatype   type;
  MPI_Allgather(&mine, 1, MPI_INT, count, 1, MPI_INT, run->node);
  for (int r = 0; r < run->node_size; r++) {
    at[r] = (int)all;
    all += count[r];
  }
  BF_TRY(bf_together(run->world, BF_NEW(&string, all * bytes, error), error));
  MPI_Type_contiguous((int)bytes, MPI_BYTE, &type);
  MPI_Type_commit(&type);
  MPI_Allgatherv(x->fresh.measure, mine, type, string, count, at, type, run->node);
  MPI_Type_free(&type);
  const BfStatus status = bf_together(run->world, take(x, string, all, at, error), error);
  bf_free(string);
  x->many = x->shape->set.count > x->most;
  return status;
}

/* Successors of the measures of a depth. x->many: there are more than the tables may hold. */
static BfStatus expand_depth(Depth *x, int t, BfError *error) {
  BfRun        *run   = x->run;
  const int64_t K     = x->alone->problem->actions;
  x->from             = x->shape->first[t];
  x->to               = x->shape->first[t + 1];
  x->mine             = x->from + (x->to - x->from) * run->node_rank / run->node_size;
  x->mine_end         = x->from + (x->to - x->from) * (run->node_rank + 1) / run->node_size;
  const int64_t  size = (x->to - x->from) * K * (int64_t)sizeof(int32_t);
  BfError        full = {0};
  const BfStatus status =
      bf_shared_create(run, size > 0 ? size : 8, "table of a context alone", &x->shape->row[t], &full);
  if (status == BF_BAD_INPUT)
    return bf_fail(error, status, "%s; with a smaller -beam_tables such a sequence has the weaker bound", full.text);
  if (status != BF_OK) return bf_fail(error, status, "%s", full.text);
  x->row = x->shape->row[t].base;
  BF_TRY(bf_together(run->world, expand_part(x, error), error));
  int many = x->many;
  MPI_Allreduce(MPI_IN_PLACE, &many, 1, MPI_INT, MPI_MAX, run->world);
  x->many = many;
  if (!x->many) BF_TRY(exchange(x, error));
  bf_shared_sync(run, &x->shape->row[t]);
  return BF_OK;
}

static int64_t contexts_of(const BfAlone *alone, int shape, int64_t *one) {
  int64_t count = 0;
  for (int64_t s = alone->problem->train.contexts - 1; s >= 0; s--)
    if (alone->context[s].shape == shape) {
      *one = s;
      count++;
    }
  return count;
}

static void give_up(BfAlone *alone, int number) {
  BfShape *shape = &alone->shape[number];
  for (int64_t s = 0; s < alone->problem->train.contexts; s++)
    if (alone->context[s].shape == number) alone->context[s].shape = -1;
  for (int t = 0; t < alone->problem->horizon; t++) bf_shared_destroy(&shape->row[t]);
  bf_measure_set_clear(&shape->set);
  shape->first[alone->problem->horizon + 1] = 0;
  alone->all                                = false;
}

/* All that a shape's contexts reach, or nothing of it. */
static BfStatus reach(BfRun *run, BfActionParts *parts, BfScratch *scratch, BfAlone *alone, int number, int64_t *left,
                      BfError *error) {
  const int    T        = alone->problem->horizon;
  BfShape     *shape    = &alone->shape[number];
  Depth        x        = {.run = run, .parts = parts, .scratch = scratch, .alone = alone, .shape = shape};
  const double contexts = (double)contexts_of(alone, number, &x.s),
               each     = bf_alone_numbers(alone->problem, contexts, (double)shape->measures.bytes);
  x.most                = (int64_t)fmin((double)*left / each, INT32_MAX);
  x.many                = shape->set.count > x.most;
  shape->first[1]       = shape->set.count;
  for (int t = 0; t < T && !x.many; t++) {
    const BfStatus status = expand_depth(&x, t, error);
    bf_measure_set_clear(&x.fresh);
    BF_TRY(status);
    shape->first[t + 2] = shape->set.count;
  }
  if (x.many) give_up(alone, number);
  else *left -= (int64_t)((double)shape->set.count * each);
  return BF_OK;
}

static BfStatus make_room(BfAlone *alone, BfError *error) {
  BF_TRY(BF_NEW(&alone->context, alone->problem->train.contexts, error));
  return BF_NEW(&alone->shape, alone->problem->train.contexts, error);
}

static BfStatus make_sets(BfAlone *alone, BfError *error) {
  BF_TRY(make_shapes(alone, error));
  return insert_initial(alone, error);
}

BfStatus bf_alone_create(BfRun *run, BfActionParts *parts, BfScratch *scratch, int64_t numbers, BfAlone *alone,
                         BfError *error) {
  const BfProblem *problem = parts->problem;
  *alone                   = (BfAlone){.problem = problem, .all = problem->cells != NULL};
  BF_TRY(bf_together(run->world, make_room(alone, error), error));
  for (int64_t s = 0; s < problem->train.contexts; s++) alone->context[s].shape = -1;
  bf_phase_begin(run, BF_PHASE_TABLES);
  if (problem->cells) {
    BF_TRY(bf_together(run->world, make_sets(alone, error), error));
    for (int i = 0; i < alone->shapes; i++) BF_TRY(reach(run, parts, scratch, alone, i, &numbers, error));
  }
  const BfStatus status = bf_alone_evaluate(run, parts->actions, alone, error);
  bf_phase_end(run, BF_PHASE_TABLES);
  return status;
}

void bf_alone_clear(BfAlone *alone) {
  for (int64_t s = 0; alone->context && s < alone->problem->train.contexts; s++) {
    bf_shared_destroy(&alone->context[s].value);
    bf_shared_destroy(&alone->context[s].cost);
  }
  for (int i = 0; i < alone->shapes; i++) {
    BfShape *shape = &alone->shape[i];
    for (int t = 0; shape->row && t < alone->problem->horizon; t++) bf_shared_destroy(&shape->row[t]);
    bf_free(shape->row);
    bf_free(shape->first);
    bf_measure_set_clear(&shape->set);
    bf_measures_clear(&shape->measures);
  }
  bf_free(alone->shape);
  bf_free(alone->string);
  bf_free(alone->context);
  *alone = (BfAlone){0};
}

int64_t bf_alone_number(const BfAlone *alone, const BfMeasures *measures, const unsigned char *measure, int64_t s) {
  const BfShape *shape = &alone->shape[alone->context[s].shape];
  bf_measures_part(measures, measure, s, &shape->measures, alone->string);
  return bf_measure_set_find(&shape->set, alone->string);
}
