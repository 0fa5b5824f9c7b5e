/* What the parts of a checkpoint of a descent share. */
#pragma once
#include "heads/descend.h"

/* A double as a number of a checkpoint, bit by bit, and back. */
int64_t  bf_save_bits(double x);
BfStatus bf_restore_double(BfCheckpoint *checkpoint, const char *name, double *value, BfError *error);
/* An array [rows][columns] that all ranks hold whole, and back onto all; nothing where there are no rows. Collective.
 */
BfStatus bf_save_whole(const BfDescent *x, const char *name, BfStoreType type, int64_t rows, int columns,
                       const void *data, BfError *error);
BfStatus bf_restore_whole(BfCheckpoint *checkpoint, const char *name, BfStoreType type, int64_t rows, int columns,
                          void *data, BfError *error);

/* save_judged.c: kernels that were noted, and the certificate under way. Collective. */
BfStatus bf_save_judged(const BfDescent *x, BfError *error);
BfStatus bf_restore_judged(BfDescent *x, BfCheckpoint *checkpoint, BfError *error);
void     bf_forget_judged(BfDescent *x);
