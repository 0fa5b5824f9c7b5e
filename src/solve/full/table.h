/* The transition tables of the full space: T(i, k) = sum_s stride_s T_s(j_s, k), so that only sum over shapes of M_s K
 * entries are kept, one copy a node, in shared memory. */
#pragma once
#include "bellformer/checkpoint.h"
#include "bellformer/run.h"
#include "solve/full/space.h"
#include "solve/transition.h"

typedef struct {
  int       shapes;
  BfShared *memory;  /* [shapes] */
  int32_t **next;    /* [shapes]: next[shape][k * M_s + j] */
  int64_t   actives; /* actions that are kept */
  int32_t  *active;  /* [actives] their numbers, increasing; owned */
  /* The layer at which the checkpoint stands that they are built under; -1: at none. */
  int64_t resumed;
} BfTables;

/* Fill the tables: every rank its share of the pairs (measure, block of actions), then the nodes exchange.
 * `value_bound` bounds |V| at every layer and measure: with it, actions that no table distinguishes are collapsed to
 * those that can win. Goes on from what `checkpoint` (may be NULL) holds, and saves to it. Collective on run->world. */
BfStatus bf_tables_create(BfRun *run, const BfFullSpace *space, const BfActionParameters *actions, double value_bound,
                          BfCheckpoint *checkpoint, BfTables *tables, BfError *error);
/* None: all actions are active. */
BfStatus bf_tables_none(const BfFullSpace *space, BfTables *tables, BfError *error);
void     bf_tables_clear(BfTables *tables);

/* One of `workers` equal shares of a table. */
typedef struct {
  const BfFullSpace        *space;
  const BfActionParameters *actions;
  int64_t                   s; /* a context of the table's shape */
  int                       worker, workers;
  int                       cut_for; /* for so many workers are tiles cut; 0: for these */
  BfScratch                *scratch;
  int32_t                  *next;                /* [K][M_s], or by strides: see bf_table_entries */
  int64_t                   stride, lead_stride; /* from an action, and from a lead, to the next; 0: those of a table */
  /* Of more measures than 32 bits number, laid out like `next`: the law of the last tag, while `next` has that of the
   * tags before it, the lead; else NULL. */
  int32_t     *last;
  const BfRun *run;                /* is told what is done; NULL: nobody */
  bool         measure_by_measure; /* without images, for comparison */
  bool         by_regions;         /* bf_table_filler_region alone is called */
  bool         rows;               /* of equal ranges of measures, as far as their first tags go; else of equal work */
  /* Where workers share memory for the images of a block (bf_table_images), which part of them this one finds, and how
   * they wait for each other; NULL: it has its own. */
  int32_t *images;
  int      part, parts;
  void (*sync)(void *with);
  void *with;
} BfTableShare;

/* Where the successors under action k stand of measures lead * radix + type, type + 1, ..: of those whose tags before
 * the last have joint law number `lead` (0 where there is one tag), radix being the number of laws of the last. */
static inline int32_t *bf_table_entries(const BfTableShare *share, int64_t k, int64_t lead, int64_t type) {
  const BfContextSpace *c     = &share->space->context[share->s];
  const int64_t         radix = c->radix[share->space->problem->context[share->s].tags - 1];
  return share->next + k * (share->stride ? share->stride : c->measures) +
         lead * (share->lead_stride ? share->lead_stride : radix) + type;
}

/* Successor j of measure lead * radix + type under action k, in one number or two. */
static inline void bf_table_put(const BfTableShare *share, int64_t k, int64_t lead, int64_t type, int64_t j) {
  int32_t      *to    = bf_table_entries(share, k, lead, type);
  const int64_t radix = share->space->context[share->s].radix[share->space->problem->context[share->s].tags - 1];
  *to                 = (int32_t)(share->last ? j / radix : j);
  if (share->last) share->last[to - share->next] = (int32_t)(j % radix);
}

/* Successors of measure j under the actions of blocks block0 .. block1-1, by a whole layer. */
BfStatus bf_table_successors(const BfTableShare *share, int64_t j, int64_t block0, int64_t block1, BfError *error);
/* So many entries are filled; the other workers are as far. */
void bf_table_told(const BfTableShare *share, double entries);
/* A worker's measures: joint laws lead[0] .. lead[1]-1 of the tags before the last, with laws type[0] .. type[1]-1 of
 * that. Whichever are more are divided. */
typedef struct {
  int64_t lead[2], type[2];
} BfTableRegion;
BfTableRegion bf_table_region(const BfTableShare *share);

/* How a table is filled. */
typedef struct {
  int     by;           /* BfImagesWay: how images are found, 0 where none are */
  int64_t images_bytes; /* for share->images; 0: none are wanted */
  int64_t rank_bytes;   /* that each rank holds beside, about */
  int64_t leads;        /* ranges of measures into which `rows` divides: joint laws of the tags before the last; of one
                           tag its laws */
  int64_t units;        /* equal parts of work in which workers' shares are counted */
  double  images;       /* found for a block of actions, each an image of a tag; 0: the slower way, by exponentials */
} BfTableWay;
BfStatus bf_table_way(const BfFullSpace *space, int64_t s, BfTableWay *way, BfError *error);

/* Successors of the share's measures under the actions of blocks block0 .. block1-1, by a whole layer for every
 * measure; and of a region's. Not collective. */
BfStatus bf_table_region_directly(const BfTableShare *share, const BfTableRegion *region, int64_t block0,
                                  int64_t block1, BfError *error);
BfStatus bf_table_fill_directly(const BfTableShare *share, int64_t block0, int64_t block1, BfError *error);
/* By the fastest way that fits the shape, all at once. Not collective. */
BfStatus bf_table_fill(const BfTableShare *share, int64_t block0, int64_t block1, BfError *error);
