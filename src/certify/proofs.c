#include "certify/proofs.h"
#include "bellformer/splitmix64.h"
#include "run/text.h"
#include <string.h>

void bf_proofs_clear(BfProofs *x) {
  bf_free(x->proof);
  bf_free(x->record.byte);
  bf_free(x->slot);
  bf_free(x->order);
  *x = (BfProofs){0};
}

static bool is_same(const BfPlaneName *a, const BfPlaneName *b) {
  return a->root == b->root && a->plane == b->plane && a->path == b->path;
}

/* Where it stands, or would. */
static int64_t slot_of(const BfProofs *x, const BfPlaneName *name) {
  uint64_t state = name->path ^ ((uint64_t)name->root << 8 | (uint64_t)name->plane) << 40;
  int64_t  at    = (int64_t)(bf_splitmix64(&state) & (uint64_t)(x->slots - 1));
  while (x->slot[at] && !is_same(&x->proof[x->slot[at] - 1].name, name)) at = (at + 1) & (x->slots - 1);
  return at;
}

int64_t bf_proofs_find(const BfProofs *x, const BfPlaneName *name) {
  return x->slots ? x->slot[slot_of(x, name)] - 1 : -1;
}

/* At most half of the slots are taken. */
static BfStatus grow(BfProofs *x, BfError *error) {
  BF_TRY(bf_array_room(&x->proof, x->count, &x->room, sizeof *x->proof, error));
  if (2 * (x->count + 1) <= x->slots) return BF_OK;
  int64_t      *slot;
  const int64_t slots = x->slots ? 2 * x->slots : 256;
  BF_TRY(BF_NEW(&slot, slots, error));
  bf_free(x->slot);
  x->slot  = slot;
  x->slots = slots;
  for (int64_t i = 0; i < x->count; i++) x->slot[slot_of(x, &x->proof[i].name)] = i + 1;
  return BF_OK;
}

BfStatus bf_proofs_add(BfProofs *x, const BfPlaneName *name, bool proved, int64_t boxes, int64_t bytes,
                       BfError *error) {
  BF_TRY(grow(x, error));
  x->proof[x->count] = (BfProof){
      .name = *name, .proved = proved, .task = -1, .boxes = boxes, .first = x->record.count - bytes, .bytes = bytes};
  x->slot[slot_of(x, name)] = ++x->count;
  return BF_OK;
}

BfStatus bf_proofs_know(BfProofs *x, int64_t proof, BfError *error) {
  BF_TRY(bf_array_room(&x->order, x->known, &x->known_room, sizeof *x->order, error));
  x->proof[proof].known = true;
  x->order[x->known++]  = proof;
  return BF_OK;
}

/* ---- bytes ------------------------------------------------------------------------------------------------------- */

typedef struct {
  BfPlaneName name;
  int64_t     proved, boxes, bytes;
} Packed;

BfStatus bf_proofs_pack(const BfProofs *x, int64_t i, BfBytes *out, BfError *error) {
  const BfProof *proof = &x->proof[i];
  const Packed   head  = {proof->name, proof->proved, proof->boxes, proof->bytes};
  BF_TRY(bf_bytes_reserve(out, (int64_t)sizeof head + proof->bytes, error));
  memcpy(out->byte + out->count, &head, sizeof head);
  if (proof->bytes) memcpy(out->byte + out->count + sizeof head, x->record.byte + proof->first, (size_t)proof->bytes);
  out->count += (int64_t)sizeof head + proof->bytes;
  return BF_OK;
}

BfStatus bf_proofs_unpack(BfProofs *x, const uint8_t bytes[], int64_t count, int64_t *used, BfError *error) {
  Packed head = {.bytes = -1};
  if (count >= (int64_t)sizeof head) memcpy(&head, bytes, sizeof head);
  *used = (int64_t)sizeof head + head.bytes;
  if (head.bytes < 0 || head.bytes > count || *used > count || head.name.plane < 0 || head.name.plane >= BF_PLANES)
    return bf_fail(error, BF_BAD_INPUT, "/checkpoint: its position is not of this run");
  if (bf_proofs_find(x, &head.name) >= 0) return BF_OK;
  BF_TRY(bf_bytes_reserve(&x->record, head.bytes, error));
  memcpy(x->record.byte + x->record.count, bytes + sizeof head, (size_t)head.bytes);
  x->record.count += head.bytes;
  return bf_proofs_add(x, &head.name, head.proved, head.boxes, head.bytes, error);
}
