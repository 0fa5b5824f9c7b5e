/* The settings of `bellformer solve`, as its options give them. */
#pragma once
#include "bellformer/solve.h"
#include "train/options.h"

typedef enum { BF_SPACE_FULL, BF_SPACE_REACHABLE } BfSpaceName;
typedef enum { BF_TABLES_NONE, BF_TABLES_STORED, BF_TABLES_AUTO } BfTablesName;

typedef struct {
  int     space; /* BfSpaceName; -1: to be chosen */
  bool    space_chosen;
  int     tables_kind; /* BfTablesName */
  bool    writes;      /* a result; no option: who asks for sizes tells */
  bool    store_value, store_policy;
  int     sync; /* a number of bf_sync_name */
  int64_t stability;
  int64_t zoom; /* rounds after the first; 0: none */
  double  zoom_factor, zoom_tolerance;
  int64_t best; /* open loops that are told; 0: the best alone */
  int64_t beam; /* B; 0: none */
  int64_t doublings, tables;
  int64_t covering; /* points at which the actions' covering radius is measured; 0: not at all */
} BfSolveSettings;

/* What its options come to for the reachable space. */
static inline BfReachableOptions bf_solve_reachable_options(const BfSolveSettings *o) {
  return (BfReachableOptions){.beam = o->beam, .doublings = (int)o->doublings, .tables = o->tables};
}

/* And for the full space, of a solve that writes a result; `best` and `untabled` are to be added. */
static inline BfFullOptions bf_solve_full_options(const BfSolveSettings *o) {
  return (BfFullOptions){
      .store_value = o->store_value, .store_policy = o->store_policy, .stability = (int)o->stability, .sync = o->sync};
}

enum { BF_MOST_ROUNDS = 1000 }; /* of a zoom */

extern const BfOption bf_solve_options[]; /* into BfSolveSettings */
