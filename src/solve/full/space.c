#include "solve/full/space.h"

#include <string.h>

static const int64_t largest = (int64_t)1 << 62;

static int atoms_of(const BfContext *c, int g) { return c->first[g + 1] - c->first[g]; }

static bool same_shape(const BfContext *a, const BfContext *b) {
  if (a->tags != b->tags || a->slots != b->slots) return false;
  for (int g = 0; g < a->tags; g++)
    if (a->position[g] != b->position[g] || atoms_of(a, g) != atoms_of(b, g) || a->mass[g] != b->mass[g]) return false;
  return true;
}

/* Which earlier shape the context has, or a new one. */
static void find_shape(BfFullSpace *space, int64_t s) {
  const BfContext *context = space->problem->context;
  for (int i = 0; i < space->shapes; i++)
    if (same_shape(&context[s], &context[space->shape[i]])) {
      space->context[s].shape = i;
      return;
    }
  space->context[s].shape       = space->shapes;
  space->shape[space->shapes++] = s;
}

static BfStatus too_large(const BfFullSpace *space, BfError *error) {
  return bf_fail(error, BF_BAD_INPUT,
                 "the full space has more than 2^62 measures (%lld tags on %lld cells): use -space reachable, fewer "
                 "quantize.cells or quantize.atoms",
                 (long long)space->problem->train.tags, (long long)bf_cells_count(space->problem->cells));
}

static BfStatus size_context(BfFullSpace *space, int64_t s, BfError *error) {
  const BfContext *c = &space->problem->context[s];
  BfContextSpace  *x = &space->context[s];
  const int64_t    n = bf_cells_count(space->problem->cells);
  BF_TRY(BF_NEW(&x->radix, c->tags, error));
  x->measures = 1;
  for (int g = 0; g < c->tags; g++) {
    const int atoms = atoms_of(c, g);
    x->radix[g]     = bf_types_number(n, atoms);
    if (x->radix[g] < 0 || __builtin_mul_overflow(x->measures, x->radix[g], &x->measures) || x->measures > largest)
      return too_large(space, error);
    if (atoms > space->most) space->most = atoms;
  }
  const int64_t leads = x->measures / x->radix[c->tags - 1];
  if (x->radix[c->tags - 1] > INT32_MAX || leads > INT32_MAX || (space->contexts > 1 && x->measures > INT32_MAX))
    return bf_fail(error, BF_BAD_INPUT,
                   "sequence %lld alone has %lld measures, the full space takes at most 2^31 - 1 of one of several "
                   "sequences, and of the last tag of one alone and of its other tags: use -space reachable, fewer "
                   "quantize.cells or quantize.atoms",
                   (long long)c->sequence, (long long)x->measures);
  if (c->slots > space->slots) space->slots = c->slots;
  find_shape(space, s);
  return BF_OK;
}

static BfStatus make_types(BfFullSpace *space, BfError *error) {
  BF_TRY(BF_NEW(&space->types, space->most + 1, error));
  for (int64_t s = 0; s < space->contexts; s++) {
    const BfContext *c = &space->problem->context[s];
    for (int g = 0; g < c->tags; g++) {
      BfTypes **types = &space->types[atoms_of(c, g)];
      if (!*types) BF_TRY(bf_types_create(bf_cells_count(space->problem->cells), atoms_of(c, g), types, error));
    }
  }
  return BF_OK;
}

static BfStatus build(BfFullSpace *space, BfError *error) {
  if (!space->problem->cells)
    return bf_fail(error, BF_BAD_INPUT, "-space full needs quantized tokens: quantize.cells must not be 0");
  BF_TRY(BF_NEW(&space->context, space->contexts, error));
  BF_TRY(BF_NEW(&space->shape, space->contexts, error));
  for (int64_t s = 0; s < space->contexts; s++) BF_TRY(size_context(space, s, error));
  space->measures = 1;
  for (int64_t s = space->contexts - 1; s >= 0; s--) {
    BfContextSpace *x = &space->context[s];
    x->stride         = space->measures;
    if (__builtin_mul_overflow(space->measures, x->measures, &space->measures) || space->measures > largest)
      return too_large(space, error);
  }
  return make_types(space, error);
}

BfStatus bf_full_space_create(const BfProblem *problem, BfFullSpace *space, BfError *error) {
  *space                = (BfFullSpace){.problem = problem, .contexts = problem->train.contexts};
  const BfStatus status = build(space, error);
  if (status != BF_OK) bf_full_space_clear(space);
  return status;
}

void bf_full_space_clear(BfFullSpace *space) {
  if (space->context)
    for (int64_t s = 0; s < space->contexts; s++) bf_free(space->context[s].radix);
  if (space->types)
    for (int m = 0; m <= space->most; m++) bf_types_destroy(&space->types[m]);
  bf_free(space->context);
  bf_free(space->shape);
  bf_free(space->types);
  *space = (BfFullSpace){0};
}

void bf_full_unrank(const BfFullSpace *space, int64_t s, int64_t j, int64_t cell[]) {
  const BfContext *c = &space->problem->context[s];
  for (int g = c->tags - 1; g >= 0; g--) {
    const int64_t radix = space->context[s].radix[g];
    bf_types_unrank(space->types[atoms_of(c, g)], j % radix, cell + c->first[g]);
    j /= radix;
  }
}

int64_t bf_full_rank(const BfFullSpace *space, int64_t s, const int64_t cell[]) {
  const BfContext *c = &space->problem->context[s];
  int64_t          j = 0;
  for (int g = 0; g < c->tags; g++)
    j = j * space->context[s].radix[g] + bf_types_rank(space->types[atoms_of(c, g)], cell + c->first[g]);
  return j;
}

BfStatus bf_full_initial(const BfFullSpace *space, const BfData *data, int64_t *index, BfError *error) {
  BfProblem other = *space->problem;
  int64_t   slots = 0, *cell;
  other.train     = *data;
  for (int64_t s = 0; s < space->contexts; s++) slots += space->problem->context[s].slots;
  BF_TRY(BF_NEW(&cell, slots, error));
  const BfStatus status = bf_problem_initial_cells(&other, cell, error);
  int64_t        i = 0, at = 0;
  for (int64_t s = 0; status == BF_OK && s < space->contexts; s++) {
    i += space->context[s].stride * bf_full_rank(space, s, cell + at);
    at += space->problem->context[s].slots;
  }
  bf_free(cell);
  if (status == BF_OK) *index = i;
  return status;
}
