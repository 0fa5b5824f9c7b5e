/* Parts of a study, STUDY.part-03-of-40.h5, and all of them joined. For rank 0 alone: nothing here is collective. */
#pragma once
#include "study/log.h"

/* queue.c: refuse a history of `out` with points that were done and that the plan has not. Local. */
BfStatus bf_history_refuse_lost(const BfPlan *plan, const BfHistory *history, const char *out, BfError *error);

/* Its name, to be freed with bf_free. */
BfStatus bf_study_part(const char *out, int64_t part, int64_t parts, char **name, BfError *error);

typedef struct {
  int64_t parts, there; /* that the study was dealt to; of which something is there */
  int64_t missing;      /* number of the first that is not; 0: all are there */
  int64_t points;       /* that have come to an end, references among them */
} BfGathered;

/* Records of all parts of o->out that are there, and of itself, by point; each to be destroyed, also after a failure.
 * Parts without a point of this study are BF_BAD_INPUT; so are points of o->out, unless o->overwrite, that were done
 * and that the study no longer has. */
BfStatus bf_study_gather(const BfRun *run, const BfPlan *plan, const BfStudyOptions *o, BfRecord *records[],
                         BfGathered *gathered, BfError *error);
