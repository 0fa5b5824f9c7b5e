#include "solve/reachable/states.h"

#include <stdlib.h>

BfStatus bf_states_create(const BfProblem *problem, BfStates *states, BfError *error) {
  const int64_t contexts = problem->train.contexts;
  *states                = (BfStates){.problem = problem};
  BF_TRY(BF_NEW(&states->first, contexts, error));
  for (int64_t s = 0; s < contexts; s++) {
    states->first[s] = states->slots;
    states->slots += problem->context[s].slots;
  }
  const int64_t n = problem->cells ? bf_cells_count(problem->cells) : 0;
  states->width   = !problem->cells         ? problem->layer.dim * (int)sizeof(double)
                    : n <= (int64_t)1 << 8  ? 1
                    : n <= (int64_t)1 << 16 ? 2
                    : n <= (int64_t)1 << 32 ? 4
                                            : 8;
  states->bytes   = (states->slots * states->width + 7) / 8 * 8;
  return BF_OK;
}

void bf_states_clear(BfStates *states) {
  bf_free(states->first);
  *states = (BfStates){0};
}

/* Without cells the tokens of a tag are sorted by their coordinates, so that equal laws are equal strings. */
static int by_coordinates(const void *a, const void *b, void *dim) {
  const double *x = a, *y = b;
  for (int i = 0; i < *(const int *)dim; i++)
    if (x[i] != y[i]) return x[i] < y[i] ? -1 : 1;
  return 0;
}

static void sort_tokens(const BfStates *states, int64_t s, unsigned char *state) {
  const BfContext *context = &states->problem->context[s];
  int              dim     = states->problem->layer.dim;
  for (int g = 0; g < context->tags; g++) {
    const int first = context->first[g], tokens = context->first[g + 1] - first;
    if (tokens > 1)
      qsort_r(state + (states->first[s] + first) * states->width, (size_t)tokens, (size_t)states->width, by_coordinates,
              &dim);
  }
}

BfStatus bf_states_initial(const BfStates *states, unsigned char *state, BfError *error) {
  const BfProblem *problem = states->problem;
  memset(state, 0, (size_t)states->bytes);
  if (!problem->cells) {
    for (int64_t i = 0; i < problem->train.tokens * problem->layer.dim; i++) {
      const double z = problem->train.z[i] + 0.0; /* one zero, not two */
      memcpy(state + i * (int64_t)sizeof z, &z, sizeof z);
    }
    for (int64_t s = 0; s < problem->train.contexts; s++) sort_tokens(states, s, state);
    return BF_OK;
  }
  int64_t *cell;
  BF_TRY(BF_NEW(&cell, states->slots, error));
  const BfStatus status = bf_problem_initial_cells(problem, cell, error);
  for (int64_t i = 0; status == BF_OK && i < states->slots; i++) bf_pack(states, state, i, cell[i]);
  bf_free(cell);
  return status;
}

void bf_states_load(const BfStates *states, const unsigned char *state, int64_t s, BfScratch *scratch) {
  const BfProblem *problem = states->problem;
  const BfContext *context = &problem->context[s];
  const int        d       = problem->layer.dim;
  if (problem->cells) {
    for (int i = 0; i < context->slots; i++) scratch->cell[i] = bf_unpack(states, state, states->first[s] + i);
    bf_load_cells(problem, context, scratch->cell, scratch->z);
    return;
  }
  for (int i = 0; i < context->slots * d; i++) {
    double z;
    memcpy(&z, state + states->first[s] * states->width + i * (int64_t)sizeof z, sizeof z);
    for (int l = 0; l < BF_LANES; l++) scratch->z[i * BF_LANES + l] = z;
  }
}

BfStatus bf_states_store(const BfStates *states, int64_t s, int lane, BfScratch *scratch, unsigned char *state,
                         BfError *error) {
  const BfProblem *problem = states->problem;
  const BfContext *context = &problem->context[s];
  if (problem->cells) {
    BF_TRY(bf_successor_cells(problem, context, scratch->next, lane, scratch, scratch->cell, error));
    for (int i = 0; i < context->slots; i++) bf_pack(states, state, states->first[s] + i, scratch->cell[i]);
    return BF_OK;
  }
  for (int i = 0; i < context->slots * problem->layer.dim; i++) {
    const double z = scratch->next[i * BF_LANES + lane] + 0.0;
    memcpy(state + states->first[s] * states->width + i * (int64_t)sizeof z, &z, sizeof z);
  }
  sort_tokens(states, s, state);
  return BF_OK;
}

/* Multiply and fold, word by word: 128-bit products mix every bit of a word into both halves. */
uint64_t bf_states_hash(const BfStates *states, const unsigned char *state) {
  const uint64_t odd = 0x9e3779b97f4a7c15u;
  uint64_t       h   = odd;
  for (int64_t i = 0; i < states->bytes; i += 8) {
    uint64_t word;
    memcpy(&word, state + i, sizeof word);
    const BfWide product = (BfWide)(h ^ word) * (odd + 2 * (uint64_t)i + 0x632be59bd9b4e018u);
    h                    = (uint64_t)product ^ (uint64_t)(product >> 64) ^ (h << 23 | h >> 41);
  }
  h ^= h >> 32;
  h *= 0xd6e8feb86659fd93u;
  return h ^ h >> 32;
}

/* ---- sets ------------------------------------------------------------------------------------------------------- */

BfStatus bf_set_create(const BfStates *states, BfStateSet *set, BfError *error) {
  *set = (BfStateSet){.states = states, .room = 16, .slots = 32};
  BF_TRY(BF_NEW(&set->state, set->room * states->bytes, error));
  BF_TRY(BF_NEW(&set->hash, set->room, error));
  return BF_NEW(&set->table, set->slots, error);
}

void bf_set_clear(BfStateSet *set) {
  bf_free(set->state);
  bf_free(set->hash);
  bf_free(set->table);
  *set = (BfStateSet){0};
}

static int64_t free_slot(const BfStateSet *set, uint64_t hash) {
  int64_t at = (int64_t)(hash & (uint64_t)(set->slots - 1));
  while (set->table[at]) at = (at + 1) & (set->slots - 1);
  return at;
}

static BfStatus grow(BfStateSet *set, BfError *error) {
  const int64_t bytes = set->states->bytes;
  BfStateSet    more  = {.states = set->states, .count = set->count, .room = 2 * set->room, .slots = 2 * set->slots};
  BfStatus      status;
  BF_GOTO(BF_NEW(&more.state, more.room * bytes, error));
  BF_GOTO(BF_NEW(&more.hash, more.room, error));
  BF_GOTO(BF_NEW(&more.table, more.slots, error));
  memcpy(more.state, set->state, (size_t)(set->count * bytes));
  memcpy(more.hash, set->hash, sizeof *set->hash * (size_t)set->count);
  for (int64_t i = 0; i < set->count; i++) more.table[free_slot(&more, more.hash[i])] = i + 1;
  bf_set_clear(set);
  *set = more;
  return BF_OK;
done:
  bf_set_clear(&more);
  return status;
}

BfStatus bf_set_insert(BfStateSet *set, const unsigned char *state, int64_t *number, BfError *error) {
  const int64_t  bytes = set->states->bytes;
  const uint64_t hash  = bf_states_hash(set->states, state);
  int64_t        at    = (int64_t)(hash & (uint64_t)(set->slots - 1));
  for (; set->table[at]; at = (at + 1) & (set->slots - 1)) {
    const int64_t i = set->table[at] - 1;
    if (set->hash[i] == hash && !memcmp(set->state + i * bytes, state, (size_t)bytes)) {
      *number = i;
      return BF_OK;
    }
  }
  if (set->count == set->room) {
    BF_TRY(grow(set, error));
    at = free_slot(set, hash);
  }
  memcpy(set->state + set->count * bytes, state, (size_t)bytes);
  set->hash[set->count] = hash;
  *number               = set->count++;
  set->table[at]        = set->count;
  return BF_OK;
}

BfStatus bf_set_index(BfStateSet *set, BfError *error) {
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
  const unsigned char *state;
  int64_t              bytes;
} Entry;

static int by_hash(const void *x, const void *y) {
  const Entry *a = x, *b = y;
  if (a->hash != b->hash) return a->hash < b->hash ? -1 : 1;
  return memcmp(a->state, b->state, (size_t)a->bytes);
}

BfStatus bf_set_sort(BfStateSet *set, int64_t **position, BfError *error) {
  const int64_t  bytes = set->states->bytes, count = set->count;
  Entry         *entry = NULL;
  unsigned char *state = NULL;
  BfStatus       status;
  *position = NULL;
  BF_GOTO(BF_NEW(&entry, count, error));
  BF_GOTO(BF_NEW(&state, count * bytes, error));
  BF_GOTO(BF_NEW(position, count, error));
  for (int64_t i = 0; i < count; i++) entry[i] = (Entry){set->hash[i], i, set->state + i * bytes, bytes};
  qsort(entry, (size_t)count, sizeof *entry, by_hash);
  for (int64_t i = 0; i < count; i++) {
    (*position)[entry[i].number] = i;
    set->hash[i]                 = entry[i].hash;
    memcpy(state + i * bytes, entry[i].state, (size_t)bytes);
  }
  bf_free(set->state);
  bf_free(set->table);
  set->state = state;
  set->table = NULL;
  set->slots = 0;
  set->room  = count;
  state      = NULL;
done:
  bf_free(entry);
  bf_free(state);
  return status;
}
