/* The steps in which a problem is read, each from its keys into its part of the problem; in this order, since a step
 * needs what the earlier ones found. */
#pragma once
#include "bellformer/problem.h"
#include "family.h"

#define BF_KEY 96 /* room for "control.A_1000000.levels" */

typedef struct {
  const BfSections *sections;
  BfKeys           *keys;
  BfProblem        *problem;
  double            memory; /* bytes that a rank may take: the least free over nodes, shared by a node's ranks */
  int              *levels; /* [q] of a grid of controls; 0: not given */
  int              *ranged; /* [q] whether a range was given */
} BfReader;

/* token.*, layer.*, step: the layer apart from encoding and matrices' forms. */
BfStatus bf_read_layer(BfReader *reader, BfError *error);
/* data.*: the tables, and the positional encoding, which is as long as the longest sequence. */
BfStatus bf_read_data(BfReader *reader, BfError *error);
/* heads.*; and where the section is used the number of heads of the layer, whose terms were read. */
BfStatus bf_read_heads(BfReader *reader, BfError *error);
/* Whether the section `heads` is used, which makes another layer. */
bool bf_uses_heads(const BfReader *reader);
/* The matrix behind the k-th that has keys of its own: all, but of heads that are alike those of the first. */
int bf_next_matrix(const BfReader *reader, int k);
/* control.*: forms, fixed values, ranges. */
BfStatus bf_read_control(BfReader *reader, BfError *error);
/* Whether a section is to be read: it is given, or needed; `action` not where heads are used. */
int bf_reads_section(const BfReader *reader, unsigned section);
/* Matrices of several heads, "A_0" and "A_1", are a family: the length of what their names have in common, the whole
 * name's of a matrix that is of none; whether two are of the same; whether one is the first, that of head 0. */
int  bf_matrix_family(const BfMatrix *matrix);
bool bf_matrix_alike(const BfMatrix *a, const BfMatrix *b);
bool bf_matrix_is_first(const BfMatrix *matrix);
/* The ranges of a matrix's free numbers, and their levels: of all of them, of single rows, columns and entries. */
BfStatus bf_read_ranges(BfReader *reader, const BfMatrix *matrix, BfError *error);
BfStatus bf_read_levels(BfReader *reader, const BfMatrix *matrix, BfError *error);
/* action.*: the K controls, and the hull of those from a file where no range is given; none where neither is given nor
 * needed. */
BfStatus bf_read_action(BfReader *reader, BfError *error);
/* What came of control.*.range and .levels, however they were written, as settings: one for each matrix, or for a
 * family of equal ones. */
BfStatus bf_note_box(BfReader *reader, BfError *error);
/* quantize.*: X_n, atoms, transition, where they are given or needed; and the contexts. */
BfStatus bf_read_quantize(BfReader *reader, BfError *error);
/* cost.* */
BfStatus bf_read_cost(BfReader *reader, BfError *error);
BfStatus bf_read_flow(BfReader *reader, BfError *error);
/* Whether both tables fit the token's box, the mask and the cost. */
BfStatus bf_check_data(BfReader *reader, BfError *error);

/* A list of `wanted` numbers, or one that stands for all: "wants 1 or 2 numbers, one a component" with `what` = "one a
 * component". Absent: its fallback for all. To be freed with bf_free. */
BfStatus bf_read_numbers(BfReader *reader, const char *key, int64_t wanted, const char *what, double **out,
                         BfError *error);
/* The problem's keys, as kinds read theirs; borrows the reader. */
BfKeyReader bf_key_reader(BfReader *reader);
/* The file that a key names. */
BfStatus bf_read_file(BfReader *reader, const char *key, const BfFile **out, BfError *error);
BfStatus bf_problem_warn(BfProblem *problem, BfError *error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
