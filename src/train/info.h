/* What `info` tells of a trainer: the lines that all have, from numbers that a trainer estimates. */
#pragma once
#include "bellformer/estimate.h"
#include "train/session.h"

/* What a trainer's estimate comes to, for whoever asks quietly: of what it would do, of several ways the chosen one. */
typedef struct {
  double seconds, bytes; /* of a node; 0: unknown */
  bool   at_most, rough; /* the seconds are a bound; they are a guess */
} BfInfoAnswer;

typedef struct BfInfo {
  BfRun                  *run;
  const BfArguments      *arguments;
  const BfProblem        *problem;
  const BfSessionOptions *o;
  int64_t                 program; /* bytes of memory of a rank before anything is measured */
  const BfMachine        *machine; /* that is asked about; NULL: this run's ranks */
  BfInfoAnswer           *answer;  /* NULL: lines are told; else it is filled */
} BfInfo;

bool bf_info_predicts(const BfInfo *info);   /* for other ranks than this run's */
int  bf_info_node_ranks(const BfInfo *info); /* ranks of a node */
/* Bytes that all ranks of a node hold whatever they do: the program and the data. */
double bf_info_program_bytes(const BfInfo *info);
/* Bytes that are free on the node where least is. Collective. */
double bf_info_memory_left(const BfInfo *info);

/* "memory a node": bound "" (exact), "about ", "at most "; parts: prose behind it. */
void bf_info_memory(const BfInfo *info, const char *bound, double bytes, double left, const char *parts);
/* Add what surrounds every trainer: rollouts, and the file where there is one, `bytes` in it beside what every result
 * holds, which it tells. Collective. */
BfStatus bf_info_ends(const BfInfo *info, const char *bound, double bytes, const char *parts, BfEstimate *estimate,
                      BfError *error);
/* "time", by parts. */
void bf_info_time(const BfInfo *info, const BfEstimate *estimate);
