/* A search over boxes of early controls alone, late ones by minorants of the value function W_t: what a level of the
 * ladder may be in place of a search over boxes of all controls. */
#pragma once
#include "certify/cells.h"

/* -table: no table; one before the last layer where it seems worth a try. */
enum { BF_NO_TABLE = 0, BF_TABLE_CHOSEN = -1 };

typedef struct {
  int          t; /* 0: there is none */
  BfDepth      depth;
  BfStateCells cells;
  BfWorker     worker; /* of early boxes */
} BfByValue;

/* With t before the layer that is asked for; or, with BF_TABLE_CHOSEN, before the last one if at least twice as many
 * free numbers are in front of it as z_t has, and these are few: else out->t is 0. BF_BAD_INPUT where a layer that was
 * named can have no table: it is not within depth, has no axes or too many, or too many numbers behind it. budget: as
 * of bf_worker_create. Clear it also after a failure. Local. */
BfStatus bf_by_value_create(const BfObjective *whole, int t, int64_t budget, BfByValue *out, BfError *error);
void     bf_by_value_clear(BfByValue *x);
