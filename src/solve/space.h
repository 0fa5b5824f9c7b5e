/* The space of a solve: which one, and why. */
#pragma once
#include "solve/settings.h"

typedef struct {
  BfFullSize      full;
  BfReachableSize reachable;
  BfSpaceName     space;
  char            why[320]; /* of a space that was not given; empty where it was */
} BfSpaceChoice;

/* The space that the settings ask for, else the one of less counted work: the same on every machine and on any number
 * of ranks. Refuses settings that need the other space. Collective. */
BfStatus bf_space_choose(const BfRun *run, const BfProblem *problem, const BfSolveSettings *settings,
                         BfSpaceChoice *choice, BfError *error);
/* Refuse a space that certainly does not fit into the memory that is free: the line tells what would. Collective. */
BfStatus    bf_space_check(const BfRun *run, const BfSpaceChoice *choice, BfError *error);
const char *bf_space_name(int space);
