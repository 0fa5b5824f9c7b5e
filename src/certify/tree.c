#include "certify/tree.h"
#include <limits.h>
#include <string.h>

/* ---- boxes that wait --------------------------------------------------------------------------------------------- */

static BfStatus reserve(BfBoxes *x, int64_t n, int64_t room, BfError *error) {
  double   *box = NULL;
  BfBoxTag *tag;
  if (room <= x->room) return BF_OK;
  if (BF_NEW(&box, room * 2 * n, error) != BF_OK || BF_NEW(&tag, room, error) != BF_OK) {
    bf_free(box);
    return error->status;
  }
  if (x->count) memcpy(box, x->box, sizeof *box * (size_t)(x->count * 2 * n));
  if (x->count) memcpy(tag, x->tag, sizeof *tag * (size_t)x->count);
  bf_free(x->box);
  bf_free(x->tag);
  *x = (BfBoxes){x->count, room, box, tag};
  return BF_OK;
}

static void clear(BfBoxes *x) {
  bf_free(x->box);
  bf_free(x->tag);
  *x = (BfBoxes){0};
}

static BfStatus push(BfBoxes *x, int64_t n, const BfBoxTag *tag, const double box[], int64_t count, BfError *error) {
  if (x->count + count > x->room) BF_TRY(reserve(x, n, 2 * x->count + count + 64, error));
  if (n) memcpy(x->box + x->count * 2 * n, box, sizeof *box * (size_t)(count * 2 * n));
  memcpy(x->tag + x->count, tag, sizeof *tag * (size_t)count);
  x->count += count;
  return BF_OK;
}

/* The last of those behind; all of them in exchange for an empty round. */
static BfStatus begin_round(BfList *x, BfError *error) {
  BfBoxes *const behind = &x->behind;
  const bool     bounds = x->width && behind->count > x->width;
  const int64_t  first  = bounds ? behind->count - x->width : 0;
  x->head = x->round.count = 0;
  if (!bounds) {
    const BfBoxes empty = x->round;
    x->round            = *behind;
    *behind             = empty;
    return BF_OK;
  }
  x->bounded = true;
  BF_TRY(push(&x->round, x->n, behind->tag + first, behind->box + first * 2 * x->n, x->width, error));
  behind->count = first;
  return BF_OK;
}

BfStatus bf_list_push(BfList *x, const BfBoxTag *tag, const double box[], BfError *error) {
  return push(&x->behind, x->n, tag, box, 1, error);
}

BfStatus bf_list_take(BfList *x, int64_t count, BfError *error) {
  x->head += count;
  x->taken += count;
  return bf_list_ready(x) ? BF_OK : begin_round(x, error);
}

void bf_list_clear(BfList *x) {
  clear(&x->round);
  clear(&x->behind);
  *x = (BfList){.n = x->n, .width = x->width};
}

double bf_list_bytes(const BfList *x) {
  return (double)(x->round.room + x->behind.room) * (2.0 * x->n * sizeof(double) + sizeof(BfBoxTag));
}

/* ---- records ----------------------------------------------------------------------------------------------------- */

static BfStatus grow_segments(BfRecords *x, BfError *error) {
  const int64_t room  = 2 * x->room + 64;
  int64_t      *first = NULL;
  BF_TRY(BF_NEW(&first, 2 * room, error));
  for (int64_t i = 0; i < x->segments; i++) {
    first[i]        = x->first[i];
    first[room + i] = x->count[i];
  }
  bf_free(x->first);
  x->first = first;
  x->count = first + room;
  x->room  = room;
  return BF_OK;
}

BfStatus bf_records_add(BfRecords *x, int64_t first, int64_t bytes, BfError *error) {
  const int64_t last = x->segments - 1;
  if (!bytes) return BF_OK;
  if (last >= 0 && x->first[last] + x->count[last] == first) {
    x->count[last] += bytes;
    return BF_OK;
  }
  if (x->segments == x->room) BF_TRY(grow_segments(x, error));
  x->first[x->segments]   = first;
  x->count[x->segments++] = bytes;
  return BF_OK;
}

void bf_records_empty(BfRecords *x) {
  bf_free(x->mine.byte);
  bf_free(x->first);
  x->mine  = (BfBytes){0};
  x->bytes = x->segments = x->room = 0;
  x->first = x->count = NULL;
}

void bf_records_clear(BfRecords *x) {
  bf_records_empty(x);
  bf_free(x->halved);
  *x = (BfRecords){0};
}

BfStatus bf_records_count(BfRecords *x, const uint8_t record[], int64_t bytes, BfRecordShape shape, BfError *error) {
  const int64_t n = shape.n, point = shape.point;
  if (!x->halved) BF_TRY(BF_NEW(&x->halved, n, error));
  for (int64_t at = 0; at < bytes;) switch (record[at]) {
    case BF_SPLIT:
      x->halved[record[at + 1]]++;
      at += record[at + 1] < shape.numbers ? 2 : 6;
      break;
    case BF_CUT:
      at += 1 + point + 2 * n;
      break;
    case BF_CUTS:
      at += 2 + record[at + 1] * point + 2 * n;
      break;
    case BF_LEAF:
      at += 1 + point;
      break;
    default:
      at++;
    }
  return BF_OK;
}

void bf_slice(int64_t bytes, int rank, int size, int64_t *first, int64_t *count) {
  *first = bytes / size * rank + (rank < bytes % size ? rank : bytes % size);
  *count = bytes / size + (rank < bytes % size);
}

/* A part of a segment on its way: where it stands in the tree. */
typedef struct {
  int64_t first, count;
} Part;

/* What each rank is sent of x: counts and, where part and byte are not NULL, the parts and their bytes. Segments
 * increase, and so do slices: bytes go out in the order in which they stand. */
static void cut_parts(const BfRecords *x, int size, int parts[], int64_t bytes[], Part *part) {
  int64_t total = 0;
  int     to    = 0;
  for (int64_t i = 0; i < x->segments; i++)
    for (int64_t at = x->first[i], end = at + x->count[i]; at < end;) {
      int64_t first, count;
      bf_slice(x->bytes, to, size, &first, &count);
      if (at >= first + count) {
        to++;
        continue;
      }
      const int64_t some = (end < first + count ? end : first + count) - at;
      if (part) part[total] = (Part){at, some};
      parts[to]++;
      bytes[to] += some;
      total++;
      at += some;
    }
}

typedef struct {
  int     *parts, *bytes;       /* [size] to each rank, then from each: of parts in bytes, of records */
  int     *parts_at, *bytes_at; /* [2 size] */
  int64_t *wide;                /* [size] */
  Part    *out, *in;
  uint8_t *mine;
} Exchange;

static BfStatus make_exchange(const BfRecords *x, int size, Exchange *e, BfError *error) {
  int64_t total = 0, sent = 0, first, slice;
  BF_TRY(BF_NEW(&e->parts, 4 * (int64_t)size, error));
  BF_TRY(BF_NEW(&e->bytes, 4 * (int64_t)size, error));
  BF_TRY(BF_NEW(&e->wide, size, error));
  cut_parts(x, size, e->parts, e->wide, NULL);
  for (int r = 0; r < size; r++) sent += e->wide[r];
  bf_slice(x->bytes, 0, size, &first, &slice);
  if (sent > BF_TREE_EXCHANGE || slice > BF_TREE_EXCHANGE)
    return bf_fail(error, BF_FAILURE, "a rank has more than 2 GB of the tree: take more ranks, or a larger gap");
  for (int r = 0; r < size; r++) {
    e->bytes[r] = (int)e->wide[r];
    total += e->parts[r];
    e->parts[r] *= (int)sizeof(Part);
  }
  e->parts_at = e->parts + 2 * size;
  e->bytes_at = e->bytes + 2 * size;
  BF_TRY(BF_NEW(&e->out, total, error));
  memset(e->wide, 0, sizeof *e->wide * (size_t)size);
  int *unused;
  BF_TRY(BF_NEW(&unused, size, error));
  cut_parts(x, size, unused, e->wide, e->out);
  bf_free(unused);
  return BF_OK;
}

static int place(const int count[], int size, int at[]) {
  int total = 0;
  for (int r = 0; r < size; r++) {
    at[r] = total;
    total += count[r];
  }
  return total;
}

static void clear_exchange(Exchange *e) {
  bf_free(e->parts);
  bf_free(e->bytes);
  bf_free(e->wide);
  bf_free(e->out);
  bf_free(e->in);
  bf_free(e->mine);
}

/* What has come, in the order of ranks, to its place in the slice. */
static BfStatus order(BfRecords *x, const Exchange *e, int parts, int rank, int size, BfError *error) {
  int64_t  first, count, at = 0;
  uint8_t *slice;
  bf_slice(x->bytes, rank, size, &first, &count);
  BF_TRY(BF_NEW(&slice, count, error));
  for (int i = 0; i < parts; i++) {
    memcpy(slice + (e->in[i].first - first), e->mine + at, (size_t)e->in[i].count);
    at += e->in[i].count;
  }
  const int64_t all = x->bytes;
  bf_records_empty(x);
  x->bytes = all;
  x->mine  = (BfBytes){slice, count, count};
  return bf_records_add(x, first, count, error);
}

BfStatus bf_records_even(MPI_Comm comm, BfRecords *x, BfError *error) {
  Exchange e = {0};
  BfStatus status;
  int      rank, size;
  MPI_Comm_rank(comm, &rank);
  MPI_Comm_size(comm, &size);
  if (size == 1) return BF_OK;
  BF_GOTO(bf_together(comm, make_exchange(x, size, &e, error), error));
  MPI_Alltoall(e.parts, 1, MPI_INT, e.parts + size, 1, MPI_INT, comm);
  MPI_Alltoall(e.bytes, 1, MPI_INT, e.bytes + size, 1, MPI_INT, comm);
  place(e.parts, size, e.parts_at);
  place(e.bytes, size, e.bytes_at);
  const int parts = place(e.parts + size, size, e.parts_at + size),
            bytes = place(e.bytes + size, size, e.bytes_at + size);
  BF_GOTO(bf_together(comm, BF_NEW(&e.in, parts / (int)sizeof *e.in, error), error));
  BF_GOTO(bf_together(comm, BF_NEW(&e.mine, bytes, error), error));
  MPI_Alltoallv(e.out, e.parts, e.parts_at, MPI_BYTE, e.in, e.parts + size, e.parts_at + size, MPI_BYTE, comm);
  MPI_Alltoallv(x->mine.byte, e.bytes, e.bytes_at, MPI_BYTE, e.mine, e.bytes + size, e.bytes_at + size, MPI_BYTE, comm);
  status = bf_together(comm, order(x, &e, parts / (int)sizeof(Part), rank, size, error), error);
done:
  clear_exchange(&e);
  return status;
}

void bf_records_halved(MPI_Comm comm, const BfRecords *x, int n, int64_t sum[]) {
  for (int k = 0; k < n; k++) sum[k] = x->halved ? x->halved[k] : 0;
  MPI_Allreduce(MPI_IN_PLACE, sum, n, MPI_INT64_T, MPI_SUM, comm);
}
