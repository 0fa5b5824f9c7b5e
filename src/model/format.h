/* The format of results, and the problem that every result and checkpoint carries along. */
#pragma once
#include "bellformer/problem.h"
#include "bellformer/run.h"
#include "bellformer/store.h"

/* What is written; what is read, from the oldest on: share/doc/formats.md. */
enum { BF_RESULT_OLDEST = 2, BF_RESULT_OF_LAYERS = 3, BF_RESULT_OF_HEADS = 4, BF_RESULT_NEWEST = BF_RESULT_OF_HEADS };
/* What a result is written in: of heads where a reader of the other would take it for another model, or not find it.
 * space: as its attribute says. */
int bf_result_format(const BfProblem *problem, const char *space);
/* The sections with which the problem of a result of that space is read, whoever reads it. */
const BfSections *bf_result_sections(const char *space);
/* Matrices of more heads stand in one array a kind, not in a group a layer. */
enum { BF_MODEL_GROUPS = 64 };
bool bf_model_is_stacked(const BfLayer *layer);
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
