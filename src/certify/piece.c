/* A piece of a level: its tasks dealt, worked off, and known to all ranks. */
#include "certify/piece.h"
#include "run/text.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double moment = 0.7; /* seconds that a piece is to take */
/* A point that brings found nearer to the target by that part of what is between them makes a lower target do. */
static const double worth_a_level = 0.1;

enum { MOST_TASKS = 1 << 18 }; /* of a piece: what is gathered of them is counted by an int */

/* What this rank has made of its tasks. */
typedef struct {
  int64_t count, room;
  BfDone *done;
  BfBytes open;
  BfBytes points; /* of tasks that had a better one than those before: numbers [all] of each in turn */
  double  value;  /* the best of them */
} Mine;

static void clear_mine(Mine *x) {
  bf_free(x->done);
  bf_free(x->open.byte);
  bf_free(x->points.byte);
}

/* ---- work -------------------------------------------------------------------------------------------------------- */

static BfWorker *worker_of(BfLadder *x) { return x->table ? &x->by_value.worker : &x->worker; }

static BfStatus keep_point(BfLadder *x, Mine *mine, double value, BfError *error) {
  const int64_t size = (int64_t)sizeof(double) * x->of.free.all;
  if (!(value < mine->value)) return BF_OK;
  mine->value = value;
  BF_TRY(bf_bytes_reserve(&mine->points, size, error));
  memcpy(mine->points.byte + mine->points.count, worker_of(x)->best, (size_t)size);
  mine->points.count += size;
  return BF_OK;
}

/* as_leaf: the box is bounded as it is. */
static BfStatus work(BfLadder *x, int64_t index, bool as_leaf, Mine *mine, BfError *error) {
  BfBytes *const  record = &x->level.mine;
  const int64_t   before = record->count;
  const double   *box    = bf_list_box(&x->list, index);
  const BfBoxTag *tag    = &x->list.round.tag[index];
  BfWorker *const worker = worker_of(x);
  const int64_t   asked  = x->by_value.cells.asked.count;
  BfTaskOutcome   out;
  BF_TRY(bf_array_room(&mine->done, mine->count, &mine->room, sizeof *mine->done, error));
  worker->target      = x->aim;
  worker->lower.scale = fmax(fabs(x->found), x->found - x->target);
  x->by_value.cells.task++;
  if (as_leaf) BF_TRY(bf_task_leaf(worker, tag, box, record, &out, error));
  else BF_TRY(bf_task(worker, tag, box, record, &mine->open, &out, error));
  mine->done[mine->count++] = (BfDone){.index = index,
                                       .boxes = out.boxes,
                                       .bytes = record->count - before,
                                       .open  = out.open,
                                       .stuck = out.stuck,
                                       .left  = out.left,
                                       .asked = (x->by_value.cells.asked.count - asked) / (int64_t)sizeof(BfPlaneName),
                                       .least = out.least,
                                       .value = out.value,
                                       .rank  = x->run->rank};
  x->finished += !out.left;
  return keep_point(x, mine, out.value, error);
}

/* The next task of this rank, by its number; numbers run on from piece to piece, and each rank is one ahead. */
static int64_t take(BfLadder *x) {
  if (x->run->size == 1) return x->mine < 0 ? x->numbers : x->mine;
  return x->mine < 0 ? bf_queue_take(&x->queue, 0) : x->mine;
}

static BfStatus work_all(BfLadder *x, int64_t count, bool as_leaf, Mine *mine, BfError *error) {
  int64_t number;
  while ((number = take(x)) < x->numbers + count) {
    x->mine = x->run->size == 1 ? number + 1 : -1;
    BF_TRY(work(x, x->list.head + number - x->numbers, as_leaf, mine, error));
  }
  x->mine = number;
  return BF_OK;
}

/* ---- known to all ------------------------------------------------------------------------------------------------ */

static int by_index(const void *a, const void *b) {
  const BfDone *x = a, *y = b;
  return (x->index > y->index) - (x->index < y->index);
}

static BfStatus gather_done(const BfLadder *x, const Mine *mine, int64_t count, BfDone **out, BfError *error) {
  const int size = x->run->size, bytes = (int)(mine->count * (int64_t)sizeof(BfDone));
  int      *counts = NULL;
  BfStatus  status;
  BF_GOTO(bf_together(x->run->world, BF_NEW(out, count, error), error));
  BF_GOTO(bf_together(x->run->world, BF_NEW(&counts, 2 * (int64_t)size, error), error));
  MPI_Allgather(&bytes, 1, MPI_INT, counts, 1, MPI_INT, x->run->world);
  for (int r = 1; r < size; r++) counts[size + r] = counts[size + r - 1] + counts[r - 1];
  MPI_Allgatherv(mine->done, bytes, MPI_BYTE, *out, counts, counts + size, MPI_BYTE, x->run->world);
  qsort(*out, (size_t)count, sizeof **out, by_index);
done:
  bf_free(counts);
  return status;
}

/* Tasks that are done, before the first that was left because the run is to stop. */
static int64_t done_of(BfLadder *x, const BfDone done[], int64_t count) {
  for (int64_t i = 0; i < count; i++)
    if (done[i].left) {
      x->stops = true;
      return i;
    }
  return count;
}

/* Tasks that count: up to the first that ends the level. What is open when a budget is spent is bounded once more, and
 * that is of the budget. */
static int64_t cut(BfLadder *x, const BfDone done[], int64_t count) {
  int64_t           boxes = x->boxes, open = bf_list_waiting(&x->list);
  BfLevelEnd *const end = &x->ending;
  for (int64_t i = 0; i < count; i++) {
    boxes += done[i].boxes;
    open += done[i].open - 1;
    if (done[i].value < x->found - worth_a_level * (x->found - x->target)) *end = BF_LEVEL_VOID;
    else if (done[i].stuck) *end = BF_LEVEL_STUCK;
    else if (x->options.budget && boxes + open >= x->options.budget) *end = BF_LEVEL_SPENT;
    else if (x->limit && boxes >= x->limit) *end = BF_LEVEL_HARD;
    if (*end != BF_LEVEL_GOES_ON) return i + 1;
  }
  return count;
}

/* Those of this rank that do not count are dropped. Of what counts the records get their places in the tree. */
static BfStatus place_records(BfLadder *x, Mine *mine, const BfDone done[], int64_t kept, BfError *error) {
  const int64_t last = kept ? done[kept - 1].index : -1;
  while (mine->count && mine->done[mine->count - 1].index > last) {
    x->level.mine.count -= mine->done[mine->count - 1].bytes;
    mine->open.count -= mine->done[mine->count - 1].open * 2 * (int64_t)sizeof(double) * x->of.n;
    mine->count--;
  }
  const BfRecordShape shape = {x->of.n, x->of.free.n, worker_of(x)->lower.size};
  int64_t             at    = x->level.mine.count;
  for (int64_t i = 0; i < mine->count; i++) at -= mine->done[i].bytes;
  for (int64_t i = 0; i < mine->count; at += mine->done[i++].bytes)
    BF_TRY(bf_records_count(&x->level, x->level.mine.byte + at, mine->done[i].bytes, shape, error));
  for (int64_t i = 0; i < kept; i++) {
    if (done[i].rank == x->run->rank) BF_TRY(bf_records_add(&x->level, x->level.bytes, done[i].bytes, error));
    x->level.bytes += done[i].bytes;
    x->boxes += done[i].boxes;
    x->level_boxes += done[i].boxes;
    x->least = fmin(x->least, done[i].least);
  }
  return BF_OK;
}

/* Boxes left open, from all ranks, behind those that wait, in the order of tasks. */
static BfStatus push_open(BfLadder *x, const BfDone done[], int64_t kept, int64_t at[], const double *all,
                          BfError *error) {
  const int64_t each = 2 * (int64_t)x->of.n;
  for (int64_t i = 0; i < kept; i++) {
    const BfBoxTag of = x->list.round.tag[done[i].index], tag = {of.root, of.age + 1};
    for (int64_t k = 0; k < done[i].open; k++) {
      BF_TRY(bf_list_push(&x->list, &tag, all + at[done[i].rank], error));
      at[done[i].rank] += each;
    }
  }
  return BF_OK;
}

static BfStatus gather_open(BfLadder *x, const Mine *mine, const BfDone done[], int64_t kept, BfError *error) {
  const int     size   = x->run->size;
  const int64_t each   = 2 * (int64_t)x->of.n;
  int          *counts = NULL;
  int64_t      *at = NULL, total = 0;
  double       *all = NULL;
  MPI_Datatype  box;
  BfStatus      status;
  MPI_Type_contiguous((int)each, MPI_DOUBLE, &box);
  MPI_Type_commit(&box);
  BF_GOTO(bf_together(x->run->world, BF_NEW(&counts, 2 * (int64_t)size, error), error));
  BF_GOTO(bf_together(x->run->world, BF_NEW(&at, size, error), error));
  for (int64_t i = 0; i < kept; i++) {
    counts[done[i].rank] += (int)done[i].open;
    total += done[i].open;
  }
  for (int r = 1; r < size; r++) {
    counts[size + r] = counts[size + r - 1] + counts[r - 1];
    at[r]            = counts[size + r] * each;
  }
  BF_GOTO(bf_together(x->run->world, BF_NEW(&all, total * each, error), error));
  MPI_Allgatherv(mine->open.byte, counts[x->run->rank], box, all, counts, counts + size, box, x->run->world);
  status = bf_together(x->run->world, push_open(x, done, kept, at, all, error), error);
done:
  MPI_Type_free(&box);
  bf_free(counts);
  bf_free(at);
  bf_free(all);
  return status;
}

/* The best point of the tasks that count, the first of equal ones, known to all where it is better than what is known.
 */
static void share_point(BfLadder *x, const Mine *mine, const BfDone done[], int64_t kept) {
  const BfDone *best = NULL;
  double        seen = INFINITY;
  int64_t       at   = -1;
  for (int64_t i = 0; i < kept; i++)
    if (done[i].value < fmin(x->found, x->better) && (!best || done[i].value < best->value)) best = &done[i];
  if (!best) return;
  for (int64_t i = 0; i < mine->count; i++) {
    if (mine->done[i].value < seen) {
      seen = mine->done[i].value;
      at++;
    }
    if (mine->done[i].index == best->index)
      memcpy(x->better_point, (const double *)mine->points.byte + at * x->of.free.all,
             sizeof(double) * (size_t)x->of.free.all);
  }
  x->better      = best->value;
  x->better_root = x->list.round.tag[best->index].root;
  MPI_Bcast(x->better_point, (int)x->of.free.all, MPI_DOUBLE, (int)best->rank, x->run->world);
}

/* ---- a piece ----------------------------------------------------------------------------------------------------- */

/* Rank 0's clock decides for all. */
static void choose_length(BfLadder *x, int64_t count, double seconds) {
  const int64_t least = 4 * (int64_t)x->run->size;
  int64_t       next  = (int64_t)fmin((double)count * moment / fmax(seconds, 1e-4), MOST_TASKS);
  if (next > 4 * count) next = 4 * count;
  if (next < least) next = least;
  MPI_Bcast(&next, 1, MPI_INT64_T, 0, x->run->world);
  x->piece = next;
}

static BfStatus run(BfLadder *x, int64_t count, bool as_leaf, Mine *mine, BfDone **done, BfError *error) {
  const double begin = x->begun = bf_seconds();
  x->finished                   = 0;
  const BfStatus here           = work_all(x, count, as_leaf, mine, error);
  const double   idle           = bf_seconds();
  BF_TRY(bf_together(x->run->world, here, error));
  const double end = bf_seconds();
  x->waited += end - idle;
  x->worked += end - begin;
  x->numbers += count;
  choose_length(x, count, end - begin);
  return gather_done(x, mine, count, done, error);
}

static BfStatus advance(BfLadder *x, int64_t kept, BfError *error) {
  BF_TRY(bf_together(x->run->world, bf_list_take(&x->list, kept, error), error));
  if (x->list.bounded) x->level.width = x->list.width;
  return BF_OK;
}

BfStatus bf_piece(BfLadder *x, BfError *error) {
  const int64_t ready = bf_list_ready(&x->list), count = ready < x->piece ? ready : x->piece;
  Mine          mine  = {.value = INFINITY};
  BfAsked       asked = {0};
  BfDone       *done  = NULL;
  BfStatus      status;
  BF_GOTO(run(x, count, false, &mine, &done, error));
  if (x->table) BF_GOTO(bf_asked_gather(x, done, count, &asked, error));
  const int64_t kept = cut(x, done, done_of(x, done, count));
  if (x->table) BF_GOTO(bf_asked_know(x, &asked, kept, error));
  share_point(x, &mine, done, kept);
  BF_GOTO(bf_together(x->run->world, place_records(x, &mine, done, kept, error), error));
  BF_GOTO(gather_open(x, &mine, done, kept, error));
  status = advance(x, kept, error);
done:
  bf_asked_clear(&asked);
  clear_mine(&mine);
  bf_free(done);
  return status;
}

BfStatus bf_piece_close(BfLadder *x, BfError *error) {
  const int64_t ready = bf_list_ready(&x->list), count = ready < x->piece ? ready : x->piece;
  Mine          mine = {.value = INFINITY};
  BfDone       *done = NULL;
  BfStatus      status;
  BF_GOTO(run(x, count, true, &mine, &done, error));
  const int64_t kept = done_of(x, done, count);
  BF_GOTO(bf_together(x->run->world, place_records(x, &mine, done, kept, error), error));
  status = advance(x, kept, error);
done:
  clear_mine(&mine);
  bf_free(done);
  return status;
}
