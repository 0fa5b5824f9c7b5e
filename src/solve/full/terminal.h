/* The terminal cost in the full space: V_T(i) = min over readouts r of sum_s g_s^r(j_s). */
#pragma once
#include "bellformer/run.h"
#include "solve/full/space.h"
#include "solve/transition.h"

typedef struct {
  int64_t  readouts;
  int64_t  measures; /* sum over contexts of M_s */
  int64_t *offset;   /* [S] where a context's measures start; owned */
  BfShared memory;
  double  *g;     /* [readouts][measures], one copy a node */
  double   bound; /* sum over contexts of max over readouts and measures of |g_s| */
  /* Of one context without a table, where g would be no less than V_T: evaluated where it is asked for; else NULL. */
  BfScratch *scratch;
} BfTerminalTables;

/* g[j - j0] for j0 <= j < j1: the terminal cost of those measures of context s with a readout. Not collective. */
BfStatus bf_terminal_range(const BfFullSpace *space, int64_t s, int64_t readout, int64_t j0, int64_t j1,
                           BfScratch *scratch, double *g, BfError *error);
/* g_s of every measure of every context. Collective on run->world. */
BfStatus bf_terminal_tables_create(BfRun *run, const BfFullSpace *space, BfTerminalTables *terminal, BfError *error);
/* No table: of one context. Local. V_T of all measures then: the ranks of a node share the work, collective on
 * run->world. */
BfStatus bf_terminal_untabled_create(const BfFullSpace *space, BfTerminalTables *terminal, BfError *error);
BfStatus bf_terminal_untabled_fill(BfRun *run, const BfTerminalTables *terminal, const BfFullSpace *space, double *V,
                                   BfError *error);
void     bf_terminal_tables_clear(BfTerminalTables *terminal);
/* g_s^r as an array over j. */
static inline const double *bf_terminal_tables_context(const BfTerminalTables *terminal, int64_t readout, int64_t s) {
  return terminal->g + readout * terminal->measures + terminal->offset[s];
}
/* V_T of one measure; *readout (may be NULL) becomes the smallest r that attains it. */
double bf_terminal_tables_value(const BfTerminalTables *terminal, const BfFullSpace *space, int64_t i,
                                int64_t *readout);
/* V_T of measures i0 .. i1-1 into V[i0] .. V[i1-1]. */
void bf_terminal_tables_fill(const BfTerminalTables *terminal, const BfFullSpace *space, int64_t i0, int64_t i1,
                             double *V);
