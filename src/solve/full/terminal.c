#include "solve/full/terminal.h"
#include "solve/transition.h"

#include <math.h>
#include <stdlib.h>

enum { TOLD = 1 << 13 }; /* measures between two words on progress: a multiple of BF_LANES */

/* Eight measures of a context at once, in the last block fewer. */
BfStatus bf_terminal_range(const BfFullSpace *space, int64_t s, int64_t readout, int64_t j0, int64_t j1,
                           BfScratch *scratch, double *g, BfError *error) {
  const BfProblem *problem = space->problem;
  const BfContext *context = &problem->context[s];
  const int        d       = problem->layer.dim;
  double           point[d], value[BF_LANES];
  for (int64_t j = j0; j < j1; j += BF_LANES) {
    const int lanes = j1 - j < BF_LANES ? (int)(j1 - j) : BF_LANES;
    for (int l = 0; l < lanes; l++) {
      bf_full_unrank(space, s, j + l, scratch->cell);
      for (int i = 0; i < context->slots; i++) {
        bf_cells_point(problem->cells, scratch->cell[i], point);
        for (int a = 0; a < d; a++) scratch->z[(i * d + a) * BF_LANES + l] = point[a];
      }
    }
    BF_TRY(bf_finite_cost(&problem->cost, readout, context, lanes, scratch->z, value, error));
    for (int l = 0; l < lanes; l++) g[j - j0 + l] = value[l];
  }
  return BF_OK;
}

static BfStatus fill(const BfRun *run, const BfFullSpace *space, BfTerminalTables *terminal, BfError *error) {
  BfScratch scratch;
  BfStatus  status;
  BF_GOTO(bf_scratch_create(space->problem, &scratch, error));
  for (int64_t r = 0; r < terminal->readouts; r++)
    for (int64_t s = 0; s < space->contexts; s++) {
      const int64_t M = space->context[s].measures, end = M * (run->node_rank + 1) / run->node_size;
      for (int64_t j = M * run->node_rank / run->node_size; j < end; j += TOLD) {
        const int64_t to = j + TOLD < end ? j + TOLD : end;
        BF_GOTO(bf_terminal_range(space, s, r, j, to, &scratch,
                                  terminal->g + r * terminal->measures + terminal->offset[s] + j, error));
        bf_work_done(run, BF_PHASE_COSTS, (double)(to - j) * run->node_size);
      }
    }
done:
  bf_scratch_clear(&scratch);
  return status;
}

BfStatus bf_terminal_tables_create(BfRun *run, const BfFullSpace *space, BfTerminalTables *terminal, BfError *error) {
  *terminal = (BfTerminalTables){.readouts = space->problem->cost.readouts};
  BF_TRY(bf_together(run->world, BF_NEW(&terminal->offset, space->contexts, error), error));
  for (int64_t s = 0; s < space->contexts; s++) {
    terminal->offset[s] = terminal->measures;
    terminal->measures += space->context[s].measures;
  }
  const int64_t bytes = terminal->readouts * terminal->measures * (int64_t)sizeof(double);
  BF_TRY(bf_shared_create(run, bytes, "terminal cost", &terminal->memory, error));
  terminal->g = terminal->memory.base;
  BF_TRY(bf_together(run->world, fill(run, space, terminal, error), error));
  bf_shared_sync(run, &terminal->memory);
  for (int64_t s = 0; s < space->contexts; s++) {
    double most = 0;
    for (int64_t r = 0; r < terminal->readouts; r++)
      for (int64_t j = 0; j < space->context[s].measures; j++)
        most = fmax(most, fabs(bf_terminal_tables_context(terminal, r, s)[j]));
    terminal->bound += most;
  }
  return BF_OK;
}

void bf_terminal_tables_clear(BfTerminalTables *terminal) {
  bf_shared_destroy(&terminal->memory);
  bf_free(terminal->offset);
  if (terminal->scratch) bf_scratch_clear(terminal->scratch);
  bf_free(terminal->scratch);
  *terminal = (BfTerminalTables){0};
}

/* ---- without a table -------------------------------------------------------------------------------------------- */

BfStatus bf_terminal_untabled_create(const BfFullSpace *space, BfTerminalTables *terminal, BfError *error) {
  *terminal = (BfTerminalTables){.readouts = space->problem->cost.readouts};
  BF_TRY(BF_NEW(&terminal->scratch, 1, error));
  return bf_scratch_create(space->problem, terminal->scratch, error);
}

/* The least over readouts of g of measures j0 .. j1-1, at most TOLD, as bf_terminal_tables_fill has it. */
static BfStatus least_costs(const BfTerminalTables *terminal, const BfFullSpace *space, int64_t j0, int64_t j1,
                            double *V, BfError *error) {
  double g[TOLD];
  for (int64_t r = 0; r < terminal->readouts; r++) {
    BF_TRY(bf_terminal_range(space, 0, r, j0, j1, terminal->scratch, g, error));
    for (int64_t j = 0; j < j1 - j0; j++) V[j] = r && V[j] <= 0 + g[j] ? V[j] : 0 + g[j];
  }
  return BF_OK;
}

static BfStatus fill_untabled(BfRun *run, const BfTerminalTables *terminal, const BfFullSpace *space, double *V,
                              BfError *error) {
  const int64_t M = space->measures, end = M * (run->node_rank + 1) / run->node_size;
  for (int64_t j = M * run->node_rank / run->node_size; j < end; j += TOLD) {
    const int64_t to = j + TOLD < end ? j + TOLD : end;
    BF_TRY(least_costs(terminal, space, j, to, V + j, error));
    bf_work_done(run, BF_PHASE_COSTS, (double)((to - j) * terminal->readouts) * run->node_size);
  }
  return BF_OK;
}

BfStatus bf_terminal_untabled_fill(BfRun *run, const BfTerminalTables *terminal, const BfFullSpace *space, double *V,
                                   BfError *error) {
  bf_phase_begin(run, BF_PHASE_COSTS);
  const BfStatus status = bf_together(run->world, fill_untabled(run, terminal, space, V, error), error);
  bf_phase_end(run, BF_PHASE_COSTS);
  return status;
}

/* g of one measure, which has been found finite in V_T. */
static double cost_of(const BfTerminalTables *terminal, const BfFullSpace *space, int64_t readout, int64_t i) {
  BfError unused = {0};
  double  g      = INFINITY;
  bf_terminal_range(space, 0, readout, i, i + 1, terminal->scratch, &g, &unused);
  return 0 + g;
}

/* ---- values ----------------------------------------------------------------------------------------------------- */

/* The sum over contexts 0 .. contexts-1 of the measure's digits, in their order. */
static double sum(const BfTerminalTables *terminal, const BfFullSpace *space, int64_t readout, int64_t contexts,
                  int64_t i) {
  double g = 0;
  for (int64_t s = 0; s < contexts; s++)
    g += bf_terminal_tables_context(terminal, readout, s)[bf_full_digit(space, s, i)];
  return g;
}

double bf_terminal_tables_value(const BfTerminalTables *terminal, const BfFullSpace *space, int64_t i,
                                int64_t *readout) {
  double best = INFINITY;
  for (int64_t r = 0; r < terminal->readouts; r++) {
    const double g = terminal->scratch ? cost_of(terminal, space, r, i) : sum(terminal, space, r, space->contexts, i);
    if (g < best) {
      best = g;
      if (readout) *readout = r;
    }
  }
  return best;
}

void bf_terminal_tables_fill(const BfTerminalTables *terminal, const BfFullSpace *space, int64_t i0, int64_t i1,
                             double *V) {
  const int64_t last = space->contexts - 1, M = space->context[last].measures;
  for (int64_t i = i0; i < i1;) {
    const int64_t row = i / M * M, end = row + M < i1 ? row + M : i1;
    for (int64_t r = 0; r < terminal->readouts; r++) {
      const double  before = sum(terminal, space, r, last, i);
      const double *g      = bf_terminal_tables_context(terminal, r, last);
      for (int64_t x = i; x < end; x++) {
        const double value = before + g[x - row];
        V[x]               = r && V[x] <= value ? V[x] : value;
      }
    }
    i = end;
  }
}
