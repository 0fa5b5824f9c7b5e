/* A run's result file, back into numbers. For one rank alone: nothing here is collective. */
#pragma once
#include "study/study.h"

/* Every attribute of the file into the record, "RUN/rollout@cost" (of the file itself "RUN/@space"), and the datasets
 * that the study's measures need of this run; with "RUN/@measured", the paths of these, also of those that the file
 * does not have, a line each, where there are some. A file that is missing or cannot be read is BF_BAD_INPUT. */
BfStatus bf_outcome_read(const BfStudy *study, const char *run, const char *path, BfRecord *record, BfError *error);
/* The first dataset that a measure needs and that the record's runs have not been asked for, RUN/DATASET, of the study;
 * NULL: there is none. One that was asked for and that a run has not written is none; a record that was made for
 * another study may lack some. */
const char *bf_outcome_lacks(const BfStudy *study, const BfRecord *record);
/* Numbers that the study measures must be finite: BF_FAILURE, "program: /rollout@cost is nan", where one of this run is
 * not. */
BfStatus bf_outcome_check(const BfStudy *study, const char *run, const BfRecord *record, BfError *error);

/* The bytes that STUDY.h5 keeps of a study's records, to be freed with bf_free; *bytes is NULL where it has none. */
BfStatus bf_outcome_records(const char *path, int64_t *size, unsigned char **bytes, BfError *error);
/* Whether `path` can be opened as a file of HDF5. */
bool bf_outcome_is_whole(const char *path);
