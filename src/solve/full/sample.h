/* Samples of a solve in the full space, for its estimate: what its kernels take on parts of a problem. */
#pragma once
#include "solve/full/table.h"
#include "solve/full/terminal.h"
#include "solve/full/untabled.h"

typedef struct {
  BfRun             *run;
  const BfProblem   *problem;
  BfFullSpace        space;
  BfActionParameters actions;
  BfScratch          scratch;
} BfFullSample;

BfStatus bf_full_sample_create(BfRun *run, const BfProblem *problem, BfFullSample *sample, BfError *error);
void     bf_full_sample_clear(BfFullSample *sample);

/* Memory that is taken page by page as it is touched: for arrays of which a sample needs parts. NULL: there is none. */
void *bf_sparse_create(int64_t bytes, BfError *error);
void  bf_sparse_destroy(void *memory, int64_t bytes);

/* Seconds of a block of eight actions: at its start, by one rank alone, and for each of way.units. */
typedef struct {
  BfTableWay way;
  double     start, unit;
} BfTableSample;
BfStatus bf_sample_table(BfFullSample *sample, int64_t s, BfTableSample *table, BfError *error);
/* Seconds of a terminal cost of context s. */
BfStatus bf_sample_costs(BfFullSample *sample, int64_t s, double *cost, BfError *error);
/* The same without a table. Collective. */
BfStatus bf_sample_untabled(BfFullSample *sample, BfTableWay *way, BfUntabledSeconds *seconds, BfError *error);
/* Seconds of a Q-value where there is one context, whose table is this: V is gathered
 * from memory at the successors of some measures under all actions. */
BfStatus bf_sample_gather(BfFullSample *sample, const BfTableSample *table, double *value, BfError *error);
