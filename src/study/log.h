/* A study's records on disk, STUDY.h5.checkpoint/:
 *
 *   claim              of the start that may write
 *   0003.log           what start 3 found when it began; earlier logs are gone
 *   0003-000017.log    what the group led by rank 17 has added in start 3: of each point BEGUN, then how it ended
 *   0003-000017.interrupted   that rank was asked to end in start 3: its point in flight is not what crashed
 *   0003.taken/        of points that groups on several hosts have taken, by number (deal.c)
 *   points/0003/KEY/   results and checkpoints of points in flight in start 3, or taken over from earlier ones
 *
 * A log is records (record.h) one behind another. For one rank alone: nothing here is collective. */
#pragma once
#include "study/study.h"

/* Records by key. */
typedef struct {
  int64_t    count, room;
  BfRecord **record; /* in increasing order of keys */
  int        start;  /* number of the newest start; 0: there was none */
} BfHistory;

/* All that earlier starts have left of `out`, in its working folder, or, where there is none, in itself. A point that
 * was in flight when a start ended without a word is STOPPED, with one crash more, or SET_ASIDE at the second. The
 * damaged tail of a log is left out with a warning. alive: the number of a start that is under way, whose points in
 * flight have not crashed, and whose logs may end within a record; 0: none; BF_ALL_ALIVE: whichever there is. Clear it
 * also after a failure. */
enum { BF_ALL_ALIVE = -1 };
BfStatus  bf_history_read(const BfRun *run, const char *out, int alive, BfHistory *history, BfError *error);
void      bf_history_clear(BfHistory *history);
BfRecord *bf_history_find(const BfHistory *history, const char *key); /* NULL: there is none */
/* Take the record over, in place of one of its key; it is destroyed where that fails. */
BfStatus bf_history_put(BfHistory *history, BfRecord **record, BfError *error);
/* Paths of the mark of a rank that was interrupted, and of the folder of points that were taken in one. */
void bf_history_mark(const char *out, int start, int leader, size_t size, char path[]);
void bf_history_taken(const char *out, int start, size_t size, char path[]);
/* Begin start history->start, which is new: its log holds the history, and earlier logs go. */
BfStatus bf_history_begin(const char *out, BfHistory *history, BfError *error);

/* A log that is being written. What it is given is with the kernel at once, where no end of this process can reach it;
 * the disk, which a power cut cannot, is waited for a fiftieth of the time at most. */
typedef struct {
  int     file;         /* -1: not yet made */
  int64_t size;         /* of what is whole */
  double  synced, wait; /* when the disk last had all, and how long that took */
  char    path[4096];
} BfLog;

void     bf_log_name(BfLog *log, const char *out, int start, int leader);
BfStatus bf_log_append(BfLog *log, const BfRecord *const records[], int count, BfError *error);
BfStatus bf_log_close(BfLog *log, BfError *error); /* safe where nothing was opened */

/* Remove what starts up to number `start` have in the working folder, and the folder, apart from what others have put
 * there: what a later start has stays. */
BfStatus bf_study_folder_remove(const char *out, int start, BfError *error);

/* ---- folder.c --------------------------------------------------------------------------------------------------- */

BfStatus bf_study_tree_remove(const char *path, BfError *error);
/* A number for a start that has taken the claim, above *start and all that were given before, and its folder: no two
 * starts have one, and of those that still have the claim behind this the last has the largest. */
BfStatus bf_study_start_make(const char *out, int *start, BfError *error);
void     bf_study_start_leave(const char *out, int start); /* remove it while it is empty */
/* What older starts have left of their points, of each the newest, is this one's. One that still runs a point fails in
 * it, and finds the claim lost. */
BfStatus bf_study_start_adopt(const char *out, int start, BfError *error);
/* Remove the folders of points of starts up to number `start`. */
BfStatus bf_study_starts_remove(const char *out, int start, BfError *error);
/* "STUDY.h5.checkpoint/points/NNNN/KEY" */
void     bf_study_point_folder(const char *out, int start, const char *point, size_t size, char path[]);
BfStatus bf_study_point_make(const char *out, int start, const char *point, BfError *error);
/* "STUDY.d/KEY", where -keep has the results of a point that is done; point: "" for "STUDY.d". */
void bf_study_kept_folder(const char *out, const char *point, size_t size, char path[]);
/* Move a point's folder there, in place of what there is; and back, where neither is missing nor in the way. */
BfStatus bf_study_keep(const char *out, int start, const char *point, BfError *error);
void     bf_study_unkeep(const char *out, int start, const char *point);
BfStatus bf_study_point_remove(const char *out, int start, const char *point, BfError *error);
