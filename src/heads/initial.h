/* The law that heads start from: drawn, or from a file. */
#pragma once
#include "heads/heads.h"

/* H, without the places for more. */
static inline int64_t bf_heads_number(const BfProblem *problem) { return problem->layer.heads - problem->heads.room; }

/* This rank's share of a law that bf_heads_law_create has made, of a problem that bf_heads_check has passed. Heads from
 * H on are padding: theta and weight 0. init NULL: drawn as heads.* says (share/doc/keys.md), by
 * every rank its own heads. Else a file:
 *
 * - a table, CSV or HDF5, with columns layer, head, u0, u1, ... (the free numbers of A, then of V) and perhaps weight:
 *   a row for every head of every layer, in any order; weights of a layer sum to 1;
 * - a result of solve or flow, whose H' heads are summed: averaged, with V times H', they are the same layers;
 * - a result of heads.
 *
 * Of a result with H' < H heads, head h is head h mod H' of it, whose weight its copies share: the same layers. Of one
 * of heads with H' > H the first H are taken, their weights made to sum to 1, which is told; one of solve or flow with
 * more heads is refused. BF_BAD_INPUT, "-init FILE: ...", for what does not fit. Collective on run->world. */
BfStatus bf_heads_initial(const BfRun *run, const BfProblem *problem, const char *init, BfHeadLaw *law, BfError *error);

/* The law of a table, or of a result, on every rank, into a zeroed struct that is to be cleared also after a failure:
 * all heads that the file has. Collective. */
BfStatus bf_heads_read_table(const BfRun *run, const BfProblem *problem, const char *path, BfHeadLaw *law,
                             BfError *error);
BfStatus bf_heads_read_result(const BfRun *run, const BfProblem *problem, const char *path, BfHeadLaw *law,
                              BfError *error);
