/* What was found out of laws, in checkpoints. Numbers first_kernel, last_kernel (rows of their arrays), lowers, open
 * and, of a search under way, cells, given, next_age, found; arrays partial/first_kernel, last_kernel, lower, open,
 * age, best. */
#include "heads/save.h"
#include <string.h>

int64_t bf_save_bits(double x) {
  int64_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

BfStatus bf_restore_double(BfCheckpoint *checkpoint, const char *name, double *value, BfError *error) {
  int64_t bits;
  BF_TRY(bf_checkpoint_get(checkpoint, name, &bits, error));
  memcpy(value, &bits, sizeof bits);
  return BF_OK;
}

BfStatus bf_save_whole(const BfDescent *x, const char *name, BfStoreType type, int64_t rows, int columns,
                       const void *data, BfError *error) {
  const int64_t first = 0;
  if (!rows) return BF_OK;
  return bf_checkpoint_array(x->checkpoint, name, type, rows, columns, &(BfParts){x->run->rank == 0, &first, &rows},
                             data, error);
}

BfStatus bf_restore_whole(BfCheckpoint *checkpoint, const char *name, BfStoreType type, int64_t rows, int columns,
                          void *data, BfError *error) {
  const int64_t first = 0;
  int64_t       entries;
  if (!rows) return BF_OK;
  BF_TRY(bf_checkpoint_rows(checkpoint, name, &entries, error));
  if (entries != rows * columns) return bf_fail(error, BF_BAD_INPUT, "/%s does not fit the position of the run", name);
  return bf_checkpoint_read(checkpoint, name, type, columns, &(BfParts){1, &first, &rows}, data, error);
}

/* ---- kernels ----------------------------------------------------------------------------------------------------- */

/* A kernel's numbers before its spectrum. */
typedef enum { OUTPUTS, RANK, SMALLEST, LARGEST, TRACE, POOLED, RESIDUAL, KERNEL_NUMBERS } KernelNumber;

static int64_t rows_of(const BfTangent *k) { return k->spectrum ? KERNEL_NUMBERS + k->values : 0; }

static BfStatus save_kernel(const BfDescent *x, const char *name, const BfTangent *k, BfError *error) {
  const int64_t rows = rows_of(k);
  double       *data = NULL;
  BfStatus      status;
  BF_TRY(bf_checkpoint_number(x->checkpoint, strchr(name, '/') + 1, rows, error));
  if (!rows) return BF_OK;
  BF_GOTO(bf_together(x->run->world, BF_NEW(&data, rows, error), error));
  data[OUTPUTS]  = (double)k->outputs;
  data[RANK]     = (double)k->rank;
  data[SMALLEST] = k->smallest;
  data[LARGEST]  = k->largest;
  data[TRACE]    = k->trace;
  data[POOLED]   = k->pooled_smallest;
  data[RESIDUAL] = k->residual;
  memcpy(data + KERNEL_NUMBERS, k->spectrum, (size_t)k->values * sizeof *data);
  status = bf_save_whole(x, name, BF_STORE_DOUBLE, rows, 1, data, error);
done:
  bf_free(data);
  return status;
}

static BfStatus restore_kernel(BfDescent *x, BfCheckpoint *checkpoint, const char *name, BfTangent *k, BfError *error) {
  double  *data = NULL;
  int64_t  rows;
  BfStatus status;
  BF_TRY(bf_checkpoint_get(checkpoint, strchr(name, '/') + 1, &rows, error));
  if (!rows) return BF_OK;
  if (rows < KERNEL_NUMBERS || !x->set->kernel)
    return bf_fail(error, BF_BAD_INPUT, "/checkpoint: its kernel is not of this run");
  BF_GOTO(bf_together(x->run->world, BF_NEW(&data, rows, error), error));
  BF_GOTO(bf_restore_whole(checkpoint, name, BF_STORE_DOUBLE, rows, 1, data, error));
  BF_GOTO(bf_together(x->run->world, BF_NEW(&k->spectrum, rows - KERNEL_NUMBERS + 1, error), error));
  k->values          = rows - KERNEL_NUMBERS;
  k->outputs         = (int64_t)data[OUTPUTS];
  k->rank            = (int64_t)data[RANK];
  k->smallest        = data[SMALLEST];
  k->largest         = data[LARGEST];
  k->trace           = data[TRACE];
  k->pooled_smallest = data[POOLED];
  k->residual        = data[RESIDUAL];
  memcpy(k->spectrum, data + KERNEL_NUMBERS, (size_t)k->values * sizeof *data);
done:
  bf_free(data);
  return status;
}

/* ---- a certificate ----------------------------------------------------------------------------------------------- */

static BfStatus save_search(const BfDescent *x, BfError *error) {
  const BfOpenCells *open = &x->open;
  BF_TRY(bf_checkpoint_number(x->checkpoint, "lowers", x->lowers, error));
  BF_TRY(bf_checkpoint_number(x->checkpoint, "open", open->count, error));
  BF_TRY(bf_save_whole(x, "partial/lower", BF_STORE_DOUBLE, x->lowers, 1, x->lower, error));
  if (!open->count) return BF_OK;
  BF_TRY(bf_checkpoint_number(x->checkpoint, "cells", open->cells, error));
  BF_TRY(bf_checkpoint_number(x->checkpoint, "given", open->given, error));
  BF_TRY(bf_checkpoint_number(x->checkpoint, "next_age", open->next_age, error));
  BF_TRY(bf_checkpoint_number(x->checkpoint, "found", bf_save_bits(open->found), error));
  BF_TRY(bf_save_whole(x, "partial/open", BF_STORE_DOUBLE, open->count, BF_CELL_NUMBERS, open->open, error));
  BF_TRY(bf_save_whole(x, "partial/age", BF_STORE_INT64, open->count, 1, open->age, error));
  return bf_save_whole(x, "partial/best", BF_STORE_DOUBLE, 1, BF_CELL_NUMBERS, &open->best, error);
}

static BfStatus restore_open(BfDescent *x, BfCheckpoint *checkpoint, int64_t count, BfError *error) {
  BfOpenCells *open = &x->open;
  BF_TRY(bf_checkpoint_get(checkpoint, "cells", &open->cells, error));
  BF_TRY(bf_checkpoint_get(checkpoint, "given", &open->given, error));
  BF_TRY(bf_checkpoint_get(checkpoint, "next_age", &open->next_age, error));
  BF_TRY(bf_restore_double(checkpoint, "found", &open->found, error));
  BF_TRY(bf_together(x->run->world, bf_open_cells_reserve(open, x->set->certify, error), error));
  open->count = count;
  BF_TRY(bf_restore_whole(checkpoint, "partial/open", BF_STORE_DOUBLE, count, BF_CELL_NUMBERS, open->open, error));
  BF_TRY(bf_restore_whole(checkpoint, "partial/age", BF_STORE_INT64, count, 1, open->age, error));
  return bf_restore_whole(checkpoint, "partial/best", BF_STORE_DOUBLE, 1, BF_CELL_NUMBERS, &open->best, error);
}

static BfStatus restore_search(BfDescent *x, BfCheckpoint *checkpoint, BfError *error) {
  int64_t count;
  BF_TRY(bf_checkpoint_get(checkpoint, "lowers", &x->lowers, error));
  BF_TRY(bf_checkpoint_get(checkpoint, "open", &count, error));
  if (x->lowers < 0 || x->lowers > (x->lower ? x->law.layers : 0) || count < 0 || count > x->set->certify)
    return bf_fail(error, BF_BAD_INPUT, "/checkpoint: its certificate is not of this run");
  BF_TRY(bf_restore_whole(checkpoint, "partial/lower", BF_STORE_DOUBLE, x->lowers, 1, x->lower, error));
  return count ? restore_open(x, checkpoint, count, error) : BF_OK;
}

/* ---- all --------------------------------------------------------------------------------------------------------- */

BfStatus bf_save_judged(const BfDescent *x, BfError *error) {
  BF_TRY(save_kernel(x, "partial/first_kernel", &x->first_kernel, error));
  BF_TRY(save_kernel(x, "partial/last_kernel", &x->last_kernel, error));
  return save_search(x, error);
}

void bf_forget_judged(BfDescent *x) {
  bf_tangent_clear(&x->first_kernel);
  bf_tangent_clear(&x->last_kernel);
  bf_open_cells_clear(&x->open);
  x->lowers = 0;
}

BfStatus bf_restore_judged(BfDescent *x, BfCheckpoint *checkpoint, BfError *error) {
  bf_forget_judged(x);
  BF_TRY(restore_kernel(x, checkpoint, "partial/first_kernel", &x->first_kernel, error));
  BF_TRY(restore_kernel(x, checkpoint, "partial/last_kernel", &x->last_kernel, error));
  return restore_search(x, checkpoint, error);
}
