/* Samples of a solve in the full space, for its estimate: what its kernels take on parts of a problem. */
#pragma once
#include "solve/full/terminal.h"

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

/* The table of a shape is filled by rows of measures ("leads": joint laws of the tags before the last). */
int64_t bf_sample_leads(const BfFullSample *sample, int64_t s);
/* Seconds of a block of eight actions: at its start, and for a lead. */
BfStatus bf_sample_table(BfFullSample *sample, int64_t s, double *start, double *lead, BfError *error);
/* Seconds of a terminal cost of context s. */
BfStatus bf_sample_costs(BfFullSample *sample, int64_t s, double *cost, BfError *error);
/* Seconds of a Q-value where there is one context, whose table takes `lead` seconds a block and lead: V is gathered
 * from memory at the successors of some measures under all actions. */
BfStatus bf_sample_gather(BfFullSample *sample, double lead, double *value, BfError *error);
