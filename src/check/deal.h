/* Claims, dealt over ranks. */
#pragma once
#include "bellformer/run.h"
#include "check/tree.h"

/* of: whoever has them. item->number counts them from 0. */
typedef struct {
  void *of;
  BfStatus (*next)(void *of, BfTreeItem *item, bool *there, BfError *error); /* the same on all ranks */
  bool (*holds)(void *of, const BfTreeItem *item);                           /* rounds upwards */
  BfStatus (*fail)(void *of, const BfTreeItem *item, BfError *error);        /* tells which does not hold */
} BfCheckDeal;

/* The first claim of all that does not hold is told, whosever turn it was. Collective. */
BfStatus bf_check_deal(BfRun *run, const BfCheckDeal *deal, BfError *error);
