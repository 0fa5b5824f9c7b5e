/* Points dealt to groups of ranks: what queue.c, group.c and point.c share. */
#pragma once
#include "run/queue.h"
#include "study/log.h"

/* A point that is to be run. */
typedef struct {
  int64_t point;
  int     ranks, crashes;
  double  seconds; /* estimated, on one rank; 0: unknown */
  double  before;  /* seconds that earlier starts have spent on it */
  bool    known;   /* to an earlier start */
} BfTask;

/* What all groups of a study share, as this rank has it. */
typedef struct {
  BfRun                *run;
  const BfPlan         *plan;
  const BfStudyOptions *o;
  int64_t               tasks;
  BfTask               *task;       /* [tasks] as they are dealt: large groups first, of one size the longest first */
  int64_t               kept;       /* points that were done before */
  int64_t               anew;       /* that were, and that do not answer all that is measured now: */
  char                  asked[512]; /* what one of them lacks */
  int64_t               not_kept;   /* that are done, without their results, where -keep is given */
  bool                  between_hosts; /* ranks share no memory */
  BfQueue               queue;         /* where they do */
  int                   start;         /* number of this start of the study */
  double                deadline;      /* bf_seconds() */
  char                 *stop;          /* path of the STOP file */
  char                  claim[128];
  BfLog                 log;     /* of a group's leader */
  double                longest; /* that a point has taken */
  double                due;     /* when STUDY.h5 is to be written again */
  double                looked;  /* when the STOP file and the claim were looked at */
  int64_t               told;    /* of the microseconds that were counted; between hosts of the tasks */
  bool                  all_ended;
  int64_t               begun;  /* tasks, as rank 0 has seen */
  double                passed; /* when it looked */
} BfWork;

/* ---- group.c ---------------------------------------------------------------------------------------------------- */

/* Counters of the queue that do not deal: points begun, done, failed; microseconds that were estimated of those that
 * have ended. Those that deal, one for each size of group, stand behind them. */
enum { BF_COUNT_BEGUN, BF_COUNT_DONE, BF_COUNT_FAILED, BF_COUNT_MICROSECONDS, BF_COUNTERS };

/* Deal work->task to groups of comm's ranks until there are none, or all are to stop. Where groups get smaller, each
 * splits by itself. A failure is that of this rank's group; the others end their points, and no more. Collective on
 * comm. */
BfStatus bf_groups_run(BfWork *work, MPI_Comm comm, BfError *error);
/* What has failed for a start that has lost the claim, whose files are another's: that it has lost it. Local. */
BfStatus bf_work_lost(const BfWork *work, BfError *error);

/* ---- deal.c ----------------------------------------------------------------------------------------------------- */

/* What is dealt to groups of one size: tasks first .. last - 1. */
typedef struct {
  int     size_index;
  int64_t first, last;
} BfDeal;

int bf_group_sizes(const BfWork *work); /* how many sizes of groups there are */
/* Rank 0, before anyone takes. */
BfStatus bf_deal_begin(const BfWork *work, BfError *error);
/* The next of the tasks, for a group's leader; -1: there is none. at: deal->first at first, then what was left there.
 */
BfStatus bf_deal_take(const BfWork *work, const BfDeal *deal, int64_t *at, int64_t *next, BfError *error);
/* Nobody takes another point. */
void bf_deal_end(const BfWork *work);
bool bf_deal_has_ended(const BfWork *work); /* where that is told by a file */
/* Add to a counter; between hosts nothing is counted. */
void bf_deal_count(const BfWork *work, int counter, int64_t amount);
/* How many tasks were begun; at: 0 at first. For rank 0. */
int64_t bf_deal_begun(const BfWork *work, int64_t *at);

/* ---- collect.c -------------------------------------------------------------------------------------------------- */

int64_t bf_plan_points(const BfPlan *plan); /* references among them */
/* Records of all points into records[], by point; those of a point that is in flight are as before it. For rank 0. */
BfStatus bf_work_collect(const BfWork *work, BfRecord *records[], BfError *error);
/* Write STUDY.h5 with what there is, where it is time for that; a failure is a warning. For rank 0, between points. */
void bf_work_write(BfWork *work);

/* ---- watch.c ---------------------------------------------------------------------------------------------------- */

/* Whether the study is to stop, as far as this rank knows. */
bool bf_work_stops(BfWork *work);
/* On rank 0 of the study, now and then: what the others have counted into the progress line; MPI's own work. */
void bf_work_pass(BfWork *work);
/* What a point counts in it. */
double bf_task_units(const BfTask *task);

/* ---- point.c ---------------------------------------------------------------------------------------------------- */

/* The runs at a point: into record, whose state says how they ended; rank 0's is filled. Collective on comm, a
 * communicator that has not failed before. */
BfStatus bf_point_run(BfWork *work, MPI_Comm comm, const BfTask *task, BfRecord *record, BfError *error);
