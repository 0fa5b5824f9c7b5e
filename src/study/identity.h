/* What a point is, whatever study it is of: a hash of all that its runs read. */
#pragma once
#include "study/study.h"

/* The keys of all points: of the options of all runs, of the bytes of the problem file, of every table that it names,
 * of every file that an option names, of every plug-in. Collective. */
BfStatus bf_plan_identify(MPI_Comm comm, BfPlan *plan, BfError *error);
