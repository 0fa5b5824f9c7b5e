/* Contexts of the data as the layer sees them. */
#include "bellformer/problem.h"

#include <inttypes.h>
#include <limits.h>

static BfStatus count_slots(const BfData *data, int64_t s, int atoms, BfContext *context, BfError *error) {
  int64_t begin = data->context_first[s], tags = data->context_first[s + 1] - begin;
  int64_t tokens = data->tag_first[begin + tags] - data->tag_first[begin], slots = tokens;
  if (atoms && __builtin_mul_overflow(tags, (int64_t)atoms, &slots)) slots = INT64_MAX;
  if (slots > INT_MAX || tags >= INT_MAX)
    return bf_fail(error, BF_BAD_INPUT, "sequence %" PRId64 " has %" PRId64 " atoms, more than %d",
                   data->sequence[begin], slots, INT_MAX);
  context->sequence = data->sequence[begin];
  context->tags     = (int)tags;
  context->slots    = (int)slots;
  context->tokens   = (double)tokens;
  context->length   = data->position[begin + tags - 1] + 1; /* tags are sorted by position */
  context->label    = data->label ? data->label + begin : NULL;
  context->target   = data->target ? data->target + begin * data->dim : NULL;
  return BF_OK;
}

BfStatus bf_context_create(const BfData *data, int64_t s, int atoms, BfContext *out, BfError *error) {
  BfContext context = {0};
  int      *first = NULL, *position = NULL;
  double   *mass  = NULL;
  int64_t   begin = data->context_first[s];
  BfStatus  status;
  BF_TRY(count_slots(data, s, atoms, &context, error));
  BF_GOTO(BF_NEW(&first, context.tags + 1, error));
  BF_GOTO(BF_NEW(&position, context.tags, error));
  BF_GOTO(BF_NEW(&mass, context.tags, error));
  for (int g = 0; g < context.tags; g++) {
    int tokens   = (int)(data->tag_first[begin + g + 1] - data->tag_first[begin + g]);
    int m        = atoms ? atoms : tokens;
    first[g + 1] = first[g] + m;
    position[g]  = data->position[begin + g];
    mass[g]      = (double)tokens / m;
  }
  context.first    = first;
  context.position = position;
  context.mass     = mass;
  *out             = context;
  return BF_OK;
done:
  bf_free(first);
  bf_free(position);
  bf_free(mass);
  return status;
}

void bf_context_clear(BfContext *context) {
  bf_free((void *)context->first);
  bf_free((void *)context->position);
  bf_free((void *)context->mass);
  *context = (BfContext){0};
}

BfStatus bf_contexts_create(const BfData *data, int atoms, BfContext **out, BfError *error) {
  BF_TRY(BF_NEW(out, data->contexts, error));
  for (int64_t s = 0; s < data->contexts; s++) BF_TRY(bf_context_create(data, s, atoms, &(*out)[s], error));
  return BF_OK;
}

void bf_contexts_destroy(const BfData *data, BfContext **contexts) {
  for (int64_t s = 0; *contexts && s < data->contexts; s++) bf_context_clear(&(*contexts)[s]);
  bf_free(*contexts);
  *contexts = NULL;
}
