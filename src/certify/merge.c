#include "certify/merge.h"
#include <stdlib.h>
#include <string.h>

/* A slot as a row of numbers: what tells it apart. */
typedef struct {
  int     slots, width;
  double *row;   /* [slots][width]: of the merged slots, in the order of the first of each */
  double *mass;  /* [slots] */
  int    *first; /* [slots] the slot of the context that it was first */
} Slots;

static int tag_of(const BfContext *context, int slot) {
  int g = 0;
  while (context->first[g + 1] <= slot) g++;
  return g;
}

static void clear_slots(Slots *x) {
  bf_free(x->row);
  bf_free(x->mass);
  bf_free(x->first);
}

/* + 0.0 makes one of both zeros. */
static void fill_row(const BfProblem *problem, const BfContext *context, const double *z, const char read[], int slot,
                     double row[]) {
  const BfLayer *layer = &problem->layer;
  const int      d = layer->dim, g = tag_of(context, slot);
  for (int a = 0; a < d; a++) {
    row[a]         = z[slot * d + a] + 0.0;
    row[d + a]     = (layer->encoding ? layer->encoding[(int64_t)context->position[g] * d + a] : 0) + 0.0;
    row[2 * d + a] = (context->target ? context->target[(int64_t)g * d + a] : 0) + 0.0;
  }
  row[3 * d]     = context->label ? context->label[g] : 0;
  row[3 * d + 1] = read[slot];
}

static int find(const Slots *x, const double row[]) {
  for (int i = 0; i < x->slots; i++)
    if (!memcmp(x->row + (int64_t)i * x->width, row, sizeof *row * (size_t)x->width)) return i;
  return -1;
}

static BfStatus make_slots(const BfProblem *problem, const BfContext *context, const double *z, Slots *x,
                           BfError *error) {
  const bool ordered = problem->layer.heads && problem->layer.mask == BF_MASK_CAUSAL;
  char      *read    = NULL;
  BfStatus   status;
  x->width = 3 * problem->layer.dim + 2;
  BF_GOTO(BF_NEW(&read, context->slots, error));
  BF_GOTO(BF_NEW(&x->row, (int64_t)context->slots * x->width, error));
  BF_GOTO(BF_NEW(&x->mass, context->slots, error));
  BF_GOTO(BF_NEW(&x->first, context->slots, error));
  problem->cost.kind->reads(&problem->cost, context, read);
  for (int i = 0; i < context->slots; i++) {
    double *row = x->row + (int64_t)x->slots * x->width;
    fill_row(problem, context, z, read, i, row);
    const int same = ordered ? -1 : find(x, row), to = same < 0 ? x->slots++ : same;
    x->mass[to] += context->mass[tag_of(context, i)];
    if (same < 0) x->first[to] = i;
  }
done:
  bf_free(read);
  return status;
}

/* ---- contexts ---------------------------------------------------------------------------------------------------- */

static BfStatus make_context(const BfProblem *problem, const BfContext *from, const double *z, const Slots *x,
                             BfMerged *out, BfError *error) {
  const int  d = problem->layer.dim;
  int       *first, *position, *label = NULL;
  double    *mass, *target = NULL;
  BfContext *c = &out->context;
  c->sequence  = from->sequence;
  c->tags = c->slots = x->slots;
  c->length          = from->length;
  c->tokens          = from->tokens;
  BF_TRY(BF_NEW(&first, x->slots + 1, error));
  c->first = first;
  BF_TRY(BF_NEW(&position, x->slots, error));
  c->position = position;
  BF_TRY(BF_NEW(&mass, x->slots, error));
  c->mass = mass;
  BF_TRY(BF_NEW(&out->token, x->slots, error));
  BF_TRY(BF_NEW(&out->z, (int64_t)x->slots * d, error));
  if (from->label) {
    BF_TRY(BF_NEW(&label, x->slots, error));
    c->label = label;
  }
  if (from->target) {
    BF_TRY(BF_NEW(&target, (int64_t)x->slots * d, error));
    c->target = target;
  }
  for (int i = 0; i < x->slots; i++) {
    const int g  = tag_of(from, x->first[i]);
    first[i + 1] = i + 1;
    position[i]  = from->position[g];
    mass[i]      = x->mass[i];
    if (from->label) label[i] = from->label[g];
    out->token[i] = x->first[i];
    memcpy(out->z + (int64_t)i * d, z + (int64_t)x->first[i] * d, sizeof(double) * (size_t)d);
    if (from->target) memcpy(target + (int64_t)i * d, from->target + (int64_t)g * d, sizeof(double) * (size_t)d);
  }
  return BF_OK;
}

/* What tells contexts apart: rows with masses, sorted where there is no order. */
typedef struct {
  int64_t of;
  int     slots, width; /* width: of a row with its mass */
  double *key;          /* [slots][width] */
} Key;

static int compare_rows(const void *a, const void *b, void *width) {
  return memcmp(a, b, sizeof(double) * (size_t) * (const int *)width);
}

static BfStatus make_key(const BfProblem *problem, const Slots *x, int64_t of, Key *out, BfError *error) {
  const bool ordered = problem->layer.heads && problem->layer.mask == BF_MASK_CAUSAL;
  *out               = (Key){.of = of, .slots = x->slots, .width = x->width + 1};
  BF_TRY(BF_NEW(&out->key, (int64_t)x->slots * out->width, error));
  for (int i = 0; i < x->slots; i++) {
    double *row = out->key + (int64_t)i * out->width;
    memcpy(row, x->row + (int64_t)i * x->width, sizeof *row * (size_t)x->width);
    row[x->width] = x->mass[i];
  }
  if (!ordered) qsort_r(out->key, (size_t)x->slots, sizeof(double) * (size_t)out->width, compare_rows, &out->width);
  return BF_OK;
}

static int compare_bodies(const Key *a, const Key *b) {
  if (a->slots != b->slots) return a->slots < b->slots ? -1 : 1;
  return memcmp(a->key, b->key, sizeof(double) * (size_t)a->slots * (size_t)a->width);
}

static int compare_keys(const void *a, const void *b) {
  const Key *x = a, *y = b;
  const int  order = compare_bodies(x, y);
  return order ? order : (x->of > y->of) - (x->of < y->of);
}

static BfStatus add(const BfProblem *problem, const BfContext *context, int64_t s, Key *key, BfMerged *merged,
                    BfError *error) {
  const BfData *data = &problem->train;
  const double *z    = data->z + data->tag_first[data->context_first[s]] * data->dim;
  Slots         x    = {0};
  BfStatus      status;
  BF_GOTO(make_slots(problem, context, z, &x, error));
  BF_GOTO(make_key(problem, &x, s, key, error));
  merged->of = s;
  status     = make_context(problem, context, z, &x, merged, error);
done:
  clear_slots(&x);
  return status;
}

static void clear_merged(BfMerged *x) {
  bf_context_clear(&x->context);
  bf_free(x->z);
  bf_free(x->token);
}

/* Contexts stand in the order of the data; of each set of equal ones the first stays. */
static void join(Key *key, BfMergedData *out) {
  const int64_t all = out->contexts;
  qsort(key, (size_t)all, sizeof *key, compare_keys);
  for (int64_t i = 0, first = 0; i < all; i++) {
    if (i && compare_bodies(&key[i], &key[first])) first = i;
    out->context[key[first].of].times++;
  }
  out->contexts = 0;
  for (int64_t s = 0; s < all; s++) {
    BfMerged one = out->context[s];
    if (one.times > 0) {
      out->context[out->contexts++] = one;
      continue;
    }
    bf_free((void *)one.context.label);
    bf_free((void *)one.context.target);
    clear_merged(&one);
  }
  for (int64_t s = out->contexts; s < all; s++) out->context[s] = (BfMerged){0};
}

BfStatus bf_merge_data(const BfProblem *problem, BfMergedData *out, BfError *error) {
  const int64_t all     = problem->train.contexts;
  BfContext    *context = NULL;
  Key          *key     = NULL;
  BfStatus      status;
  BF_GOTO(bf_contexts_create(&problem->train, 0, &context, error));
  BF_GOTO(BF_NEW(&key, all, error));
  BF_GOTO(BF_NEW(&out->context, all, error));
  out->contexts = all;
  for (int64_t s = 0; s < all; s++) BF_GOTO(add(problem, &context[s], s, &key[s], &out->context[s], error));
  join(key, out);
done:
  for (int64_t s = 0; key && s < all; s++) bf_free(key[s].key);
  bf_free(key);
  bf_contexts_destroy(&problem->train, &context);
  return status;
}

void bf_merged_clear(BfMergedData *data) {
  for (int64_t s = 0; data->context && s < data->contexts; s++) {
    bf_free((void *)data->context[s].context.label);
    bf_free((void *)data->context[s].context.target);
    clear_merged(&data->context[s]);
  }
  bf_free(data->context);
  *data = (BfMergedData){0};
}
