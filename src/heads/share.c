/* Heads and sequences dealt to ranks: whole chunks, whose bounds depend on the problem alone. */
#include "heads/share.h"
#include <string.h>

enum {
  CHUNKS         = 64,  /* of heads at least, where there are so many blocks of eight ... */
  MOST_BLOCKS    = 16,  /* ... and of so many blocks at most: 1.1 million heads are 2^13 chunks, sums.h takes 2^14 */
  TOKENS_A_CHUNK = 8,   /* of sequences at least ... */
  MOST_PARTS     = 8192 /* ... and so many chunks at most, about */
};

/* ---- heads ------------------------------------------------------------------------------------------------------- */

static int64_t quotient_up(int64_t a, int64_t b) { return (a + b - 1) / b; }

int64_t bf_heads_chunks(int64_t heads, int *blocks_a_chunk) {
  const int64_t blocks = quotient_up(heads, BF_LANES), each = blocks / CHUNKS;
  *blocks_a_chunk = (int)(each < 1 ? 1 : each > MOST_BLOCKS ? MOST_BLOCKS : each);
  return quotient_up(blocks, *blocks_a_chunk);
}

BfStatus bf_heads_choose_groups(int ranks, int64_t chunks, int asked, int *groups, BfError *error) {
  if (asked && ranks % asked)
    return bf_fail(error, BF_BAD_INPUT, "-head_groups must divide the number of ranks, %d, got %d", ranks, asked);
  *groups = asked ? asked : ranks;
  while (ranks % *groups || (!asked && *groups > chunks)) --*groups;
  return BF_OK;
}

static void share_heads(BfHeads *x, int64_t chunks, int groups) {
  const int64_t heads_a_chunk = (int64_t)x->blocks_a_chunk * BF_LANES;
  int64_t       end           = chunks * (x->head_part + 1) / groups * heads_a_chunk;
  x->first                    = chunks * x->head_part / groups * heads_a_chunk;
  if (end > x->heads) end = x->heads;
  if (x->first > end) x->first = end;
  x->count  = end - x->first;
  x->blocks = quotient_up(x->count, BF_LANES);
}

/* ---- sequences --------------------------------------------------------------------------------------------------- */

/* Chunks of sequences from s on, to where one ends. */
static int64_t end_of_chunk(const BfHeads *x, int64_t s) {
  const int64_t even = quotient_up(x->data->tokens, MOST_PARTS), least = even > TOKENS_A_CHUNK ? even : TOKENS_A_CHUNK;
  int64_t       tokens = 0;
  while (s < x->data->contexts && tokens < least) tokens += bf_heads_tokens(x, s++);
  return s;
}

static double pairs(const BfHeads *x, int64_t first, int64_t end) {
  double sum = 0;
  for (int64_t s = first; s < end; s++) sum += (double)bf_heads_tokens(x, s) * bf_heads_tokens(x, s);
  return sum;
}

/* Those whose middle, in pairs of tokens, falls into this rank's share of them. */
static BfStatus share_sequences(BfHeads *x, int groups, BfError *error) {
  const double all = pairs(x, 0, x->data->contexts);
  double       sum = 0;
  BF_TRY(BF_NEW(&x->part, x->data->contexts, error));
  x->first_context = x->end_context = -1;
  for (int64_t s = 0, end; s < x->data->contexts; s = end) {
    end               = end_of_chunk(x, s);
    const double here = pairs(x, s, end);
    int          part = (int)((sum + here / 2) / all * groups);
    if (part >= groups) part = groups - 1;
    sum += here;
    if (part != x->sequence_part) continue;
    if (!x->parts) x->first_context = s;
    x->end_context      = end;
    x->part[x->parts++] = (BfHeadRange){s, end};
  }
  if (!x->parts) x->first_context = x->end_context = 0;
  x->first_token = bf_heads_token(x, x->first_context);
  x->tokens      = bf_heads_token(x, x->end_context) - x->first_token;
  return BF_OK;
}

/* ---- the data ---------------------------------------------------------------------------------------------------- */

static BfStatus make_contexts(BfHeads *x, BfError *error) {
  const int64_t S = x->data->contexts;
  BF_TRY(bf_contexts_create(x->data, 0, &x->context, error));
  for (int64_t s = 0; s < S; s++)
    if (bf_heads_tokens(x, s) > x->most_tokens) x->most_tokens = bf_heads_tokens(x, s);
  x->cost           = x->problem->cost;
  x->cost.contexts  = (double)S;
  x->cost.tokens    = (double)x->data->tokens;
  x->cost.diameter2 = bf_problem_diameter2(&x->problem->layer, x->data);
  return BF_OK;
}

/* What a token sees, and its encoding. Under the causal mask no two tokens of a sequence have one position. */
static BfStatus make_tokens(BfHeads *x, BfError *error) {
  const BfLayer *layer = &x->problem->layer;
  const BfData  *data  = x->data;
  const int      d     = layer->dim;
  BF_TRY(BF_NEW(&x->sees, data->tokens, error));
  if (layer->encoding) BF_TRY(BF_NEW(&x->encoded, data->tokens * d, error));
  for (int64_t s = 0; s < data->contexts; s++)
    for (int64_t g = data->context_first[s]; g < data->context_first[s + 1]; g++)
      for (int64_t i = data->tag_first[g]; i < data->tag_first[g + 1]; i++) {
        x->sees[i] = layer->mask == BF_MASK_CAUSAL ? (int)(i - bf_heads_token(x, s)) + 1 : bf_heads_tokens(x, s);
        if (x->encoded)
          memcpy(x->encoded + i * d, layer->encoding + (int64_t)data->position[g] * d, (size_t)d * sizeof(double));
      }
  return BF_OK;
}

/* ---- forms ------------------------------------------------------------------------------------------------------- */

/* The layer sums its heads, which are averaged here: a V that is given stands in it divided by their number. */
static BfStatus make_forms(BfHeads *x, BfError *error) {
  const BfLayer *layer = &x->problem->layer;
  const int      d     = layer->dim;
  BF_TRY(BF_NEW(&x->number, 2 * d * d, error));
  BF_TRY(BF_NEW(&x->factor, 2 * d * d, error));
  x->free_A = layer->attention[0].free;
  x->free_V = layer->attention[1].free;
  for (int k = 0; k < 2; k++)
    for (int e = 0; e < d * d; e++) {
      const BfMatrix *matrix = &layer->attention[k];
      double         *factor = &x->factor[k * d * d + e];
      int             number = matrix->form->number(d, e / d, e % d, factor);
      if (number < 0) *factor = matrix->value ? matrix->value[e] * (k ? layer->heads : 1) : 0;
      x->number[k * d * d + e] = number < 0 ? -1 : number + (k ? x->free_A : 0);
    }
  return BF_OK;
}

/* ---- work -------------------------------------------------------------------------------------------------------- */

static BfStatus make_work(BfHeads *x, BfError *error) {
  const int     d = x->problem->layer.dim, entries = 2 * d * d;
  const int64_t T = x->problem->horizon, n = x->tokens * d;
  BF_TRY(BF_NEW(&x->z, (T + 1) * n, error));
  BF_TRY(BF_NEW(&x->p, (T + 1) * n, error));
  BF_TRY(BF_NEW(&x->s, n, error));
  BF_TRY(BF_NEW(&x->V_bound, 2 * T, error));
  BF_TRY(BF_NEW(&x->A, d * d * BF_LANES, error));
  BF_TRY(BF_NEW(&x->V, d * d * BF_LANES, error));
  BF_TRY(BF_NEW(&x->weight, BF_LANES, error));
  BF_TRY(BF_NEW(&x->lanes, n * BF_LANES, error));
  BF_TRY(BF_NEW(&x->token_sum, 2 * n, error));
  BF_TRY(BF_NEW(&x->quanta, x->data->contexts, error));
  BF_TRY(BF_NEW(&x->by, entries * BF_LANES, error));
  BF_TRY(BF_NEW(&x->head_sum, 2 * x->blocks * entries * BF_LANES, error));
  BF_TRY(BF_NEW(&x->longest, (int64_t)2 * x->most_tokens * d * BF_LANES, error));
  BF_TRY(BF_NEW(&x->work, bf_heads_work(d, x->most_tokens), error));
  memcpy(x->z, x->data->z + x->first_token * d, (size_t)n * sizeof(double));
  return BF_OK;
}

static BfStatus make(BfHeads *x, int asked, BfError *error) {
  const int64_t chunks = bf_heads_chunks(x->heads, &x->blocks_a_chunk);
  int           groups = 0;
  BF_TRY(bf_heads_choose_groups(x->run->size, chunks, asked, &groups, error));
  const int sequence_groups = x->run->size / groups;
  x->head_part              = x->run->rank / sequence_groups;
  x->sequence_part          = x->run->rank % sequence_groups;
  share_heads(x, chunks, groups);
  BF_TRY(make_contexts(x, error));
  BF_TRY(share_sequences(x, sequence_groups, error));
  BF_TRY(make_tokens(x, error));
  BF_TRY(make_forms(x, error));
  return make_work(x, error);
}

BfStatus bf_heads_create(BfRun *run, const BfProblem *problem, const BfData *data, int64_t heads, int groups,
                         BfHeads **out, BfError *error) {
  BfStatus status;
  BF_GOTO(bf_together(run->world, BF_NEW(out, 1, error), error));
  BfHeads *x = *out;
  x->run     = run;
  x->problem = problem;
  x->data    = data;
  x->heads   = heads;
  x->across = x->along = MPI_COMM_NULL;
  BF_GOTO(bf_together(run->world, make(x, groups, error), error));
  MPI_Comm_split(run->world, x->sequence_part, x->head_part, &x->across);
  MPI_Comm_split(run->world, x->head_part, x->sequence_part, &x->along);
done:
  if (status != BF_OK) bf_heads_destroy(out);
  return status;
}

void bf_heads_set_pause(BfHeads *x, BfHeadsPause pause) { x->pause = pause; }

void bf_heads_destroy(BfHeads **heads) {
  BfHeads *x = *heads;
  if (!x) return;
  bf_contexts_destroy(x->data, &x->context);
  if (x->across != MPI_COMM_NULL) MPI_Comm_free(&x->across);
  if (x->along != MPI_COMM_NULL) MPI_Comm_free(&x->along);
  void *const owned[] = {x->encoded, x->sees, x->number,  x->factor,    x->part,    x->z,     x->p,
                         x->s,       x->V,    x->A,       x->V_bound,   x->weight,  x->lanes, x->quanta,
                         x->by,      x->work, x->longest, x->token_sum, x->head_sum};
  for (size_t i = 0; i < sizeof owned / sizeof *owned; i++) bf_free(owned[i]);
  bf_free(x);
  *heads = NULL;
}

/* ---- the law ----------------------------------------------------------------------------------------------------- */

BfStatus bf_heads_law_create(const BfHeads *x, BfHeadLaw *law, BfError *error) {
  const int64_t T = x->problem->horizon;
  *law            = (BfHeadLaw){
                 .layers = (int)T, .heads = x->heads, .first = x->first, .count = x->count, .free = x->free_A + x->free_V};
  BF_TRY(BF_NEW(&law->theta, T * x->count * law->free, error));
  BF_TRY(BF_NEW(&law->weight, T * x->count, error));
  for (int64_t i = 0; i < T * x->count; i++) law->weight[i] = 1.0 / (double)x->heads;
  return BF_OK;
}

void bf_heads_law_clear(BfHeadLaw *law) {
  bf_free(law->theta);
  bf_free(law->weight);
  *law = (BfHeadLaw){0};
}
