/* N of a table's sequences, or N tokens of each tag where there is one sequence alone. */
#include "bellformer/problem.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>

typedef struct {
  uint64_t draw; /* the next 64 bits of the generator, which no two draws of one stream share */
  int64_t  item;
} Ticket;

static int by_draw(const void *a, const void *b) {
  const Ticket *x = a, *y = b;
  return (x->draw > y->draw) - (x->draw < y->draw);
}

/* taken[i]: whether item i has one of the `count` least draws among `items`; ticket[items] is work. */
static void take_least(int64_t items, int64_t count, Ticket ticket[], bool taken[]) {
  qsort(ticket, (size_t)items, sizeof *ticket, by_draw);
  for (int64_t k = 0; k < items; k++) taken[ticket[k].item] = k < count;
}

/* One draw a sequence, in increasing order of their numbers. */
static BfStatus take_sequences(const BfData *data, int64_t count, uint64_t seed, Ticket ticket[], bool taken[],
                               BfError *error) {
  if (count > data->contexts)
    return bf_fail(error, BF_BAD_INPUT, "the table has %" PRId64 " sequences, fewer than %" PRId64, data->contexts,
                   count);
  for (int64_t s = 0; s < data->contexts; s++) ticket[s] = (Ticket){bf_splitmix64(&seed), s};
  take_least(data->contexts, count, ticket, taken);
  for (int64_t s = data->contexts - 1; s >= 0; s--) /* from sequences to their tokens, which stand behind */
    for (int64_t k = data->tag_first[data->context_first[s + 1]]; k-- > data->tag_first[data->context_first[s]];)
      taken[k] = taken[s];
  return BF_OK;
}

/* One draw a row, in the order of the table. */
static BfStatus take_tokens(const BfData *data, int64_t count, uint64_t seed, Ticket ticket[], bool taken[],
                            BfError *error) {
  uint64_t *draw;
  BfStatus  status = BF_OK;
  BF_TRY(BF_NEW(&draw, data->tokens, error));
  for (int64_t row = 0; row < data->tokens; row++) draw[row] = bf_splitmix64(&seed);
  for (int64_t g = 0; g < data->tags && status == BF_OK; g++) {
    const int64_t first = data->tag_first[g], tokens = data->tag_first[g + 1] - first;
    if (count > tokens)
      status = bf_fail(error, BF_BAD_INPUT,
                       "the table's only sequence has fewer than %" PRId64 " tokens of tag %" PRId64
                       " (position %d): %" PRId64,
                       count, g, data->position[g], tokens);
    for (int64_t k = 0; k < tokens; k++) ticket[k] = (Ticket){draw[data->row[first + k]], first + k};
    if (status == BF_OK) take_least(tokens, count, ticket, taken);
  }
  bf_free(draw);
  return status;
}

static void move_token(BfData *data, int64_t from, int64_t to) {
  data->row[to]   = data->row[from];
  data->place[to] = data->place[from];
  for (int j = 0; j < data->dim; j++) data->z[to * data->dim + j] = data->z[from * data->dim + j];
}

static void move_tag(BfData *data, int64_t from, int64_t to) {
  data->sequence[to] = data->sequence[from];
  data->position[to] = data->position[from];
  if (data->label) data->label[to] = data->label[from];
  for (int j = 0; data->target && j < data->dim; j++)
    data->target[to * data->dim + j] = data->target[from * data->dim + j];
}

/* Nothing is written before it has been read: what is kept moves forward. */
static void keep_taken(BfData *data, const bool taken[]) {
  int64_t tokens = 0, tags = 0, contexts = 0;
  for (int64_t s = 0; s < data->contexts; s++) {
    const int64_t tag0 = tags, tag1 = data->context_first[s + 1];
    for (int64_t g = data->context_first[s]; g < tag1; g++) {
      const int64_t first = tokens, end = data->tag_first[g + 1];
      for (int64_t k = data->tag_first[g]; k < end; k++)
        if (taken[k]) move_token(data, k, tokens++);
      if (tokens == first) continue;
      move_tag(data, g, tags);
      data->tag_first[tags++] = first;
    }
    if (tags > tag0) data->context_first[contexts++] = tag0;
  }
  data->tag_first[tags]         = tokens;
  data->context_first[contexts] = tags;
  data->tokens                  = tokens;
  data->tags                    = tags;
  data->contexts                = contexts;
}

/* Rows count what is left, in the order of the table. rows: how many it has. */
static BfStatus count_rows(BfData *data, int64_t rows, BfError *error) {
  int64_t *number;
  BF_TRY(BF_NEW(&number, rows + 1, error));
  for (int64_t k = 0; k < data->tokens; k++) number[data->row[k] + 1] = 1;
  for (int64_t row = 0; row < rows; row++) number[row + 1] += number[row];
  for (int64_t k = 0; k < data->tokens; k++) data->row[k] = number[data->row[k]];
  bf_free(number);
  return BF_OK;
}

BfStatus bf_data_sample(BfData *data, int64_t count, uint64_t seed, BfError *error) {
  const int64_t rows   = data->tokens;
  Ticket       *ticket = NULL;
  bool         *taken  = NULL;
  BfStatus      status;
  BF_GOTO(BF_NEW(&ticket, rows, error));
  BF_GOTO(BF_NEW(&taken, rows, error));
  if (data->contexts == 1) BF_GOTO(take_tokens(data, count, seed, ticket, taken, error));
  else BF_GOTO(take_sequences(data, count, seed, ticket, taken, error));
  keep_taken(data, taken);
  status = count_rows(data, rows, error);
done:
  bf_free(ticket);
  bf_free(taken);
  return status;
}
