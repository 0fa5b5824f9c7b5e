#include "solve/reachable/measures.h"

#include <stdlib.h>

BfStatus bf_measures_create(const BfProblem *problem, BfMeasures *measures, BfError *error) {
  const int64_t contexts = problem->train.contexts;
  *measures              = (BfMeasures){.problem = problem};
  BF_TRY(BF_NEW(&measures->first, contexts, error));
  for (int64_t s = 0; s < contexts; s++) {
    measures->first[s] = measures->slots;
    measures->slots += problem->context[s].slots;
  }
  const int64_t n = problem->cells ? bf_cells_count(problem->cells) : 0;
  measures->width = !problem->cells         ? problem->layer.dim * (int)sizeof(double)
                    : n <= (int64_t)1 << 8  ? 1
                    : n <= (int64_t)1 << 16 ? 2
                    : n <= (int64_t)1 << 32 ? 4
                                            : 8;
  measures->bytes = (measures->slots * measures->width + 7) / 8 * 8;
  return BF_OK;
}

void bf_measures_clear(BfMeasures *measures) {
  bf_free(measures->first);
  *measures = (BfMeasures){0};
}

/* Without cells the tokens of a tag are sorted by their coordinates, so that equal laws are equal strings. */
static int by_coordinates(const void *a, const void *b, void *dim) {
  const double *x = a, *y = b;
  for (int i = 0; i < *(const int *)dim; i++)
    if (x[i] != y[i]) return x[i] < y[i] ? -1 : 1;
  return 0;
}

static void sort_tokens(const BfMeasures *measures, int64_t s, unsigned char *measure) {
  const BfContext *context = &measures->problem->context[s];
  int              dim     = measures->problem->layer.dim;
  for (int g = 0; g < context->tags; g++) {
    const int first = context->first[g], tokens = context->first[g + 1] - first;
    if (tokens > 1)
      qsort_r(measure + (measures->first[s] + first) * measures->width, (size_t)tokens, (size_t)measures->width,
              by_coordinates, &dim);
  }
}

BfStatus bf_measures_initial(const BfMeasures *measures, unsigned char *measure, BfError *error) {
  const BfProblem *problem = measures->problem;
  memset(measure, 0, (size_t)measures->bytes);
  if (!problem->cells) {
    for (int64_t i = 0; i < problem->train.tokens * problem->layer.dim; i++) {
      const double z = problem->train.z[i] + 0.0; /* one zero, not two */
      memcpy(measure + i * (int64_t)sizeof z, &z, sizeof z);
    }
    for (int64_t s = 0; s < problem->train.contexts; s++) sort_tokens(measures, s, measure);
    return BF_OK;
  }
  int64_t *cell;
  BF_TRY(BF_NEW(&cell, measures->slots, error));
  const BfStatus status = bf_problem_initial_cells(problem, cell, error);
  for (int64_t i = 0; status == BF_OK && i < measures->slots; i++) bf_measures_pack(measures, measure, i, cell[i]);
  bf_free(cell);
  return status;
}

void bf_measures_load(const BfMeasures *measures, const unsigned char *measure, int64_t s, BfScratch *scratch,
                      BfContext *law) {
  const BfProblem *problem = measures->problem;
  const BfContext *context = &problem->context[s];
  const int        d       = problem->layer.dim;
  if (problem->cells) {
    for (int i = 0; i < context->slots; i++)
      scratch->cell[i] = bf_measures_unpack(measures, measure, measures->first[s] + i);
    bf_scratch_load(problem, context, scratch->cell, scratch, law);
    return;
  }
  *law = *context;
  for (int i = 0; i < context->slots * d; i++) {
    double z;
    memcpy(&z, measure + measures->first[s] * measures->width + i * (int64_t)sizeof z, sizeof z);
    for (int l = 0; l < BF_LANES; l++) scratch->z[i * BF_LANES + l] = z;
  }
}

BfStatus bf_measures_store(const BfMeasures *measures, int64_t s, const BfContext *law, int lane, BfScratch *scratch,
                           unsigned char *measure, BfError *error) {
  const BfProblem *problem = measures->problem;
  const BfContext *context = &problem->context[s];
  if (problem->cells) {
    BF_TRY(bf_successor_cells(problem, law, scratch->next, lane, scratch, scratch->cell, error));
    for (int i = 0; i < context->slots; i++)
      bf_measures_pack(measures, measure, measures->first[s] + i, scratch->cell[i]);
    return BF_OK;
  }
  for (int i = 0; i < context->slots * problem->layer.dim; i++) {
    const double z = scratch->next[i * BF_LANES + lane] + 0.0;
    memcpy(measure + measures->first[s] * measures->width + i * (int64_t)sizeof z, &z, sizeof z);
  }
  sort_tokens(measures, s, measure);
  return BF_OK;
}

void bf_measures_tokens(const BfMeasures *measures, const unsigned char *measure, int64_t s, int lane, double *z) {
  const BfProblem *problem = measures->problem;
  const int        d       = problem->layer.dim;
  double           point[d];
  for (int i = 0; i < problem->context[s].slots; i++) {
    const int64_t slot = measures->first[s] + i;
    if (problem->cells) bf_cells_point(problem->cells, bf_measures_unpack(measures, measure, slot), point);
    else memcpy(point, measure + slot * measures->width, sizeof point);
    for (int a = 0; a < d; a++) z[(i * d + a) * BF_LANES + lane] = point[a];
  }
}

void bf_measures_part(const BfMeasures *measures, const unsigned char *measure, int64_t s, const BfMeasures *alone,
                      unsigned char *part) {
  memset(part, 0, (size_t)alone->bytes);
  memcpy(part, measure + measures->first[s] * measures->width, (size_t)(alone->slots * alone->width));
}

/* Multiply and fold, word by word: 128-bit products mix every bit of a word into both halves. */
uint64_t bf_measures_hash(const BfMeasures *measures, const unsigned char *measure) {
  const uint64_t odd = 0x9e3779b97f4a7c15u;
  uint64_t       h   = odd;
  for (int64_t i = 0; i < measures->bytes; i += 8) {
    uint64_t word;
    memcpy(&word, measure + i, sizeof word);
    const BfWide product = (BfWide)(h ^ word) * (odd + 2 * (uint64_t)i + 0x632be59bd9b4e018u);
    h                    = (uint64_t)product ^ (uint64_t)(product >> 64) ^ (h << 23 | h >> 41);
  }
  h ^= h >> 32;
  h *= 0xd6e8feb86659fd93u;
  return h ^ h >> 32;
}

/* ---- sets ------------------------------------------------------------------------------------------------------- */

enum { LEAST_ROOM = 16 }; /* so that an empty set can grow by doubling, after a sort too */

BfStatus bf_measure_set_create(const BfMeasures *measures, BfMeasureSet *set, BfError *error) {
  *set = (BfMeasureSet){.measures = measures, .room = LEAST_ROOM, .slots = 32};
  BF_TRY(BF_NEW(&set->measure, set->room * measures->bytes, error));
  BF_TRY(BF_NEW(&set->hash, set->room, error));
  return BF_NEW(&set->table, set->slots, error);
}

void bf_measure_set_clear(BfMeasureSet *set) {
  bf_free(set->measure);
  bf_free(set->hash);
  bf_free(set->table);
  *set = (BfMeasureSet){0};
}

static int64_t free_slot(const BfMeasureSet *set, uint64_t hash) {
  int64_t at = (int64_t)(hash & (uint64_t)(set->slots - 1));
  while (set->table[at]) at = (at + 1) & (set->slots - 1);
  return at;
}

static BfStatus grow(BfMeasureSet *set, BfError *error) {
  const int64_t bytes = set->measures->bytes;
  BfMeasureSet  more = {.measures = set->measures, .count = set->count, .room = 2 * set->room, .slots = 2 * set->slots};
  BfStatus      status;
  BF_GOTO(BF_NEW(&more.measure, more.room * bytes, error));
  BF_GOTO(BF_NEW(&more.hash, more.room, error));
  BF_GOTO(BF_NEW(&more.table, more.slots, error));
  memcpy(more.measure, set->measure, (size_t)(set->count * bytes));
  memcpy(more.hash, set->hash, sizeof *set->hash * (size_t)set->count);
  for (int64_t i = 0; i < set->count; i++) more.table[free_slot(&more, more.hash[i])] = i + 1;
  bf_measure_set_clear(set);
  *set = more;
  return BF_OK;
done:
  bf_measure_set_clear(&more);
  return status;
}

/* The slot that has the measure, or the free one where it belongs. */
static int64_t slot_of(const BfMeasureSet *set, const unsigned char *measure, uint64_t hash) {
  const int64_t bytes = set->measures->bytes;
  int64_t       at    = (int64_t)(hash & (uint64_t)(set->slots - 1));
  for (; set->table[at]; at = (at + 1) & (set->slots - 1)) {
    const int64_t i = set->table[at] - 1;
    if (set->hash[i] == hash && !memcmp(set->measure + i * bytes, measure, (size_t)bytes)) break;
  }
  return at;
}

int64_t bf_measure_set_find(const BfMeasureSet *set, const unsigned char *measure) {
  return set->table[slot_of(set, measure, bf_measures_hash(set->measures, measure))] - 1;
}

BfStatus bf_measure_set_insert(BfMeasureSet *set, const unsigned char *measure, int64_t *number, BfError *error) {
  const int64_t  bytes = set->measures->bytes;
  const uint64_t hash  = bf_measures_hash(set->measures, measure);
  int64_t        at    = slot_of(set, measure, hash);
  *number              = set->table[at] - 1;
  if (*number >= 0) return BF_OK;
  if (set->count == set->room) {
    BF_TRY(grow(set, error));
    at = free_slot(set, hash);
  }
  memcpy(set->measure + set->count * bytes, measure, (size_t)bytes);
  set->hash[set->count] = hash;
  *number               = set->count++;
  set->table[at]        = set->count;
  return BF_OK;
}

BfStatus bf_measure_set_index(BfMeasureSet *set, BfError *error) {
  int64_t slots = 32;
  while (slots < 2 * set->count) slots *= 2;
  BF_TRY(BF_NEW(&set->table, slots, error));
  set->slots = slots;
  for (int64_t i = 0; i < set->count; i++) set->table[free_slot(set, set->hash[i])] = i + 1;
  return BF_OK;
}

typedef struct {
  uint64_t             hash;
  int64_t              number;
  const unsigned char *measure;
  int64_t              bytes;
} Entry;

static int by_hash(const void *x, const void *y) {
  const Entry *a = x, *b = y;
  if (a->hash != b->hash) return a->hash < b->hash ? -1 : 1;
  return memcmp(a->measure, b->measure, (size_t)a->bytes);
}

BfStatus bf_measure_set_sort(BfMeasureSet *set, int64_t **position, BfError *error) {
  const int64_t  bytes = set->measures->bytes, count = set->count, room = count > LEAST_ROOM ? count : LEAST_ROOM;
  Entry         *entry   = NULL;
  unsigned char *measure = NULL;
  BfStatus       status;
  *position = NULL;
  BF_GOTO(BF_NEW(&entry, count, error));
  BF_GOTO(BF_NEW(&measure, room * bytes, error));
  BF_GOTO(BF_NEW(position, count, error));
  for (int64_t i = 0; i < count; i++) entry[i] = (Entry){set->hash[i], i, set->measure + i * bytes, bytes};
  qsort(entry, (size_t)count, sizeof *entry, by_hash);
  for (int64_t i = 0; i < count; i++) {
    (*position)[entry[i].number] = i;
    set->hash[i]                 = entry[i].hash;
    memcpy(measure + i * bytes, entry[i].measure, (size_t)bytes);
  }
  bf_free(set->measure);
  bf_free(set->table);
  set->measure = measure;
  set->table   = NULL;
  set->slots   = 0;
  set->room    = room;
  measure      = NULL;
done:
  bf_free(entry);
  bf_free(measure);
  return status;
}
