/* Planes of cells that tasks have asked for, known to all ranks. */
#include "certify/piece.h"
#include "run/text.h"
#include <string.h>

typedef struct {
  BfPlaneName name;
  int64_t     boxes;
} Ask;

void bf_asked_clear(BfAsked *x) {
  bf_free(x->task);
  bf_free(x->rank);
  bf_proofs_clear(&x->seen);
  *x = (BfAsked){0};
}

/* ---- bytes of all ranks ------------------------------------------------------------------------------------------ */

typedef struct {
  BfBytes  bytes; /* of all, rank by rank */
  int64_t *at;    /* [ranks] where those of each begin */
} Gathered;

static void clear_gathered(Gathered *x) {
  bf_free(x->bytes.byte);
  bf_free(x->at);
}

static BfStatus too_many(BfError *error) {
  return bf_fail(error, BF_FAILURE, "minorants of more than 2 GB at once: take a larger gap");
}

static BfStatus place(int size, const int counts[], int at[], Gathered *out, BfError *error) {
  int64_t total = 0;
  BF_TRY(BF_NEW(&out->at, size, error));
  for (int r = 0; r < size; r++) {
    out->at[r] = total;
    at[r]      = (int)total;
    total += counts[r];
    if (total > BF_TREE_EXCHANGE) return too_many(error);
  }
  BF_TRY(bf_bytes_reserve(&out->bytes, total, error));
  out->bytes.count = total;
  return BF_OK;
}

static BfStatus gather(const BfLadder *x, const BfBytes *mine, Gathered *out, BfError *error) {
  const MPI_Comm world = x->run->world;
  const int      size = x->run->size, bytes = (int)mine->count;
  int           *counts = NULL;
  BfStatus       status;
  BF_GOTO(bf_together(world, mine->count > BF_TREE_EXCHANGE ? too_many(error) : BF_OK, error));
  BF_GOTO(bf_together(world, BF_NEW(&counts, 2 * (int64_t)size, error), error));
  MPI_Allgather(&bytes, 1, MPI_INT, counts, 1, MPI_INT, world);
  BF_GOTO(bf_together(world, place(size, counts, counts + size, out, error), error));
  MPI_Allgatherv(mine->byte, bytes, MPI_BYTE, out->bytes.byte, counts, counts + size, MPI_BYTE, world);
done:
  bf_free(counts);
  return status;
}

/* ---- who asked first --------------------------------------------------------------------------------------------- */

/* What this rank's tasks have asked for, with what it took. */
static BfStatus list_mine(BfLadder *x, BfBytes *out, BfError *error) {
  const BfStateCells *cells = &x->by_value.cells;
  const int64_t       count = cells->asked.count / (int64_t)sizeof(BfPlaneName);
  BF_TRY(bf_bytes_reserve(out, count * (int64_t)sizeof(Ask), error));
  for (int64_t i = 0; i < count; i++) {
    Ask ask = {0};
    memcpy(&ask.name, cells->asked.byte + i * (int64_t)sizeof ask.name, sizeof ask.name);
    ask.boxes = cells->proofs.proof[bf_proofs_find(&cells->proofs, &ask.name)].boxes;
    memcpy(out->byte + out->count, &ask, sizeof ask);
    out->count += (int64_t)sizeof ask;
  }
  return BF_OK;
}

static BfStatus add(BfAsked *x, const Ask *ask, int64_t task, int64_t rank, BfError *error) {
  int64_t room = x->room;
  BF_TRY(bf_array_room(&x->task, x->count, &room, sizeof *x->task, error));
  BF_TRY(bf_array_room(&x->rank, x->count, &x->room, sizeof *x->rank, error));
  x->task[x->count]   = task;
  x->rank[x->count++] = rank;
  return bf_proofs_add(&x->seen, &ask->name, false, ask->boxes, 0, error);
}

static BfStatus find_first(const BfLadder *x, BfDone done[], int64_t count, Gathered *all, BfAsked *out,
                           BfError *error) {
  const BfProofs *proofs = &x->by_value.cells.proofs;
  for (int64_t i = 0; i < count; i++)
    for (int64_t k = 0; k < done[i].asked; k++) {
      Ask ask;
      memcpy(&ask, all->bytes.byte + all->at[done[i].rank], sizeof ask);
      all->at[done[i].rank] += (int64_t)sizeof ask;
      const int64_t here = bf_proofs_find(proofs, &ask.name);
      if ((here >= 0 && proofs->proof[here].known) || bf_proofs_find(&out->seen, &ask.name) >= 0) continue;
      BF_TRY(add(out, &ask, i, done[i].rank, error));
      done[i].boxes += ask.boxes;
    }
  return BF_OK;
}

BfStatus bf_asked_gather(BfLadder *x, BfDone done[], int64_t count, BfAsked *out, BfError *error) {
  BfBytes  mine = {0};
  Gathered all  = {0};
  BfStatus status;
  BF_GOTO(bf_together(x->run->world, list_mine(x, &mine, error), error));
  BF_GOTO(gather(x, &mine, &all, error));
  status = bf_together(x->run->world, find_first(x, done, count, &all, out, error), error);
done:
  bf_free(mine.byte);
  clear_gathered(&all);
  x->by_value.cells.asked.count = 0;
  return status;
}

/* ---- known to all ------------------------------------------------------------------------------------------------ */

static BfStatus pack_mine(const BfLadder *x, const BfAsked *asked, int64_t kept, BfBytes *out, BfError *error) {
  const BfProofs *proofs = &x->by_value.cells.proofs;
  for (int64_t i = 0; i < asked->count && asked->task[i] < kept; i++)
    if (asked->rank[i] == x->run->rank)
      BF_TRY(bf_proofs_pack(proofs, bf_proofs_find(proofs, &asked->seen.proof[i].name), out, error));
  return BF_OK;
}

static BfStatus know(BfLadder *x, const BfAsked *asked, int64_t kept, Gathered *all, BfError *error) {
  BfProofs *proofs = &x->by_value.cells.proofs;
  int64_t   used;
  for (int64_t i = 0; i < asked->count && asked->task[i] < kept; i++) {
    int64_t *at = &all->at[asked->rank[i]];
    BF_TRY(bf_proofs_unpack(proofs, all->bytes.byte + *at, all->bytes.count - *at, &used, error));
    *at += used;
    BF_TRY(bf_proofs_know(proofs, bf_proofs_find(proofs, &asked->seen.proof[i].name), error));
  }
  return BF_OK;
}

BfStatus bf_asked_know(BfLadder *x, const BfAsked *asked, int64_t kept, BfError *error) {
  BfBytes  mine = {0};
  Gathered all  = {0};
  BfStatus status;
  BF_GOTO(bf_together(x->run->world, pack_mine(x, asked, kept, &mine, error), error));
  BF_GOTO(gather(x, &mine, &all, error));
  status = bf_together(x->run->world, know(x, asked, kept, &all, error), error);
done:
  bf_free(mine.byte);
  clear_gathered(&all);
  return status;
}
