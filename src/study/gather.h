/* Parts of a study, STUDY.part-03-of-40.h5, and all of them joined. For rank 0 alone: nothing here is collective. */
#pragma once
#include "study/study.h"

/* Its name, to be freed with bf_free. */
BfStatus bf_study_part(const char *out, int64_t part, int64_t parts, char **name, BfError *error);

typedef struct {
  int64_t parts, there; /* that the study was dealt to; of which something is there */
  int64_t missing;      /* number of the first that is not; 0: all are there */
  int64_t points;       /* that have come to an end, references among them */
} BfGathered;

/* Records of all parts that are there, and of `out` itself, by point; each to be destroyed, also after a failure. */
BfStatus bf_study_gather(const BfRun *run, const BfPlan *plan, const char *out, BfRecord *records[],
                         BfGathered *gathered, BfError *error);
