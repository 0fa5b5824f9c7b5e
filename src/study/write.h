/* Files of a study, and numbers as texts. Local. */
#pragma once
#include "study/table.h"

/* STUDY.csv of STUDY.h5; of another name that with .csv behind it. To be freed with bf_free. */
BfStatus bf_study_table_name(const char *out, char **name, BfError *error);
/* The points as a table of CSV, to be freed with bf_free: a header of the columns' names; numbers with all their bits;
 * NaN and Inf as R, numpy and pandas read them. */
BfStatus bf_table_csv(const BfColumns *points, char **text, BfError *error);
