/* The format of results, and the problem that every result and checkpoint carries along. */
#pragma once
#include "bellformer/problem.h"
#include "bellformer/run.h"
#include "bellformer/store.h"

/* What is written; what is read, from the oldest on: share/doc/formats.md. */
enum { BF_RESULT_FORMAT = 3, BF_RESULT_OLDEST = 2 };
/* BF_BAD_INPUT for a result of another one; other: as of bf_store_check_format. Collective. */
BfStatus bf_result_check_format(BfStore *store, bool *other, BfError *error);

/* The problem with all its files; and back: path is the file's name, for messages; sections: of who reads it, or
 * NULL. Collective. */
BfStatus bf_problem_save(const BfProblem *problem, BfStore *store, BfError *error);
BfStatus bf_problem_load(const BfRun *run, BfStore *store, const char *path, const BfSections *sections,
                         BfProblem **problem, BfError *error);

/* The plug-ins in which the problem's kinds stand, into the file; and whether those of a file are loaded: BF_BAD_INPUT
 * and *missing where not. Collective. */
BfStatus bf_plugins_save(const BfProblem *problem, BfStore *store, BfError *error);
BfStatus bf_plugins_check(BfStore *store, bool *missing, BfError *error);
