/* The space of a solve: which one, and why. */
#pragma once
#include "solve/settings.h"

typedef struct {
  BfFullSize      full;
  BfReachableSize reachable;
  BfSpaceName     space;
  char            why[320]; /* of a space that was not given; empty where it was */
  bool            by_work;  /* whether that is its work */
} BfSpaceChoice;

/* The space that the settings ask for, else the one of less counted work: the same on every machine and on any number
 * of ranks. Refuses settings that need the other space. left: bytes a node that are free. Local. */
BfStatus bf_space_choose(const BfRun *run, const BfProblem *problem, const BfSolveSettings *settings, double left,
                         BfSpaceChoice *choice, BfError *error);
/* The full space as it would be solved: with tables, or without where the settings say so, where every entry would be
 * used but once (one layer), or where tables do not fit into `left`. Local. */
BfStatus bf_space_size(const BfRun *run, const BfProblem *problem, const BfSolveSettings *settings, double left,
                       BfFullSize *size, BfError *error);
/* Without tables everywhere where some ranks' nodes have no room for them. Collective; `error` as bf_together. */
BfStatus bf_space_agree(const BfRun *run, const BfProblem *problem, const BfSolveSettings *settings, BfFullSize *size,
                        BfError *error);
/* Refuse a space that certainly does not fit into the memory that is free: the line tells what would. Collective. */
BfStatus    bf_space_check(const BfRun *run, const BfSpaceChoice *choice, BfError *error);
const char *bf_space_name(int space);
const char *bf_tables_name(int kind);
