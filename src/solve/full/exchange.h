/* V of a layer, piece by piece, from the ranks that compute it to all nodes, while they compute the pieces behind it.
 */
#pragma once
#include "bellformer/estimate.h"
#include "bellformer/run.h"
#include "bellformer/solve.h"

/* A way of that, `-sync`: one row of the table in exchange.c. Whatever is taken, V ends with the same bits. */
typedef struct BfSync BfSync;

typedef struct {
  BfRun         *run;
  const BfSync  *sync;
  int            pieces;
  const int64_t *start;      /* [pieces + 1] first measure of every piece; borrowed, as the next is */
  const int64_t *own;        /* [pieces][2] first measure of this node's share of a piece, and the end of it */
  int64_t       *part;       /* [pieces + 1] first part of every piece: what one call of MPI takes is bounded */
  MPI_Request   *arrived;    /* [pieces] this node's ranks have computed their shares */
  MPI_Request   *under_way;  /* [part[pieces]] */
  int           *count, *at; /* [part[pieces]][nodes] each node's numbers in a part; on leaders */
  /* Of the layer at hand: pieces that this rank has handed over, pieces whose parts are under way, which all leaders
   * must begin in one order, and parts of these that have ended, in this order. */
  int     handed, begun;
  int64_t ended;
  double  values; /* Q-values since the last look at what is under way */
} BfExchange;

/* sync: a number of bf_sync_name. Collective; clear it also after a failure. */
BfStatus bf_exchange_create(BfRun *run, int sync, int pieces, const int64_t start[], const int64_t own[], BfExchange *x,
                            BfError *error);
void     bf_exchange_clear(BfExchange *x); /* safe on a zeroed struct */

/* Seconds beyond a sweep of so many that nodes wait for V: a piece is exchanged while those behind it are computed,
 * where that takes no time of the cores; a leader combines what arrives. */
double bf_exchange_seconds(int sync, const BfMachine *machine, double measures, double pieces, double sweep);

/* A layer of which the pieces before number `piece` are complete on every node. Not collective. */
void bf_exchange_restart(BfExchange *x, int piece);
/* Before this rank writes values of a piece. All ranks call it for every piece, in order. */
void bf_exchange_prepare(BfExchange *x, int piece, const BfShared *V);
/* This rank's values of a piece stand in V. All ranks call it for every piece, in order. */
void bf_exchange_hand_over(BfExchange *x, int piece, const BfShared *V);
/* So many Q-values more are computed: now and then lets what is under way go on, for MPI does nothing by itself. Not
 * collective; the time is that of the phase `exchange`, within that of the sweep. */
void bf_exchange_go_on(BfExchange *x, const BfShared *V, double values);
/* Wait until all that was handed over is on every node. Collective; the time is that of the phase `reduce`. */
void bf_exchange_settle(BfExchange *x, const BfShared *V);
