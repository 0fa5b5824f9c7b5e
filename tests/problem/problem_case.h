/* A problem that is good, edits to it, and what reading it gives. */
#pragma once
#include "scratch.h"

#include <petscsys.h>

static const char YAML[]       = "horizon: 2\n"
                                 "step: 0.5\n"
                                 "token: {dim: 2, lower: [-1.5, -1.5], upper: [1.5, 1.5]}\n"
                                 "data: {file: xor.csv}\n"
                                 "layer: {heads: 1}\n"
                                 "control:\n"
                                 "  A: {form: full, range: [-4, 4], levels: 2}\n"
                                 "  V: {form: scalar, range: [-2, 2], levels: 3}\n"
                                 "cost:\n"
                                 "  terminal: pooled_cross_entropy\n"
                                 "  readout: {matrix: [4, 0, -4, 0]}\n"
                                 "quantize: {cells: [9, 9]}\n";
static const char XOR[]        = "sequence,position,label,z0,z1\n"
                                 "0,0,0,-1,-1\n0,1,0,-1,1\n"
                                 "1,0,1,1,-1\n1,1,1,1,1\n";
static const char POPULATION[] = "sequence,position,label,z0,z1\n"
                                 "0,0,0,-1,-1\n0,0,0,-1,1\n0,0,0,1,1\n0,0,0,1,-1\n0,0,0,1,1\n";
static const char TARGET[]     = "sequence,position,y0,y1,z0,z1\n0,0,0,1,1,1\n0,1,0,1,-1,1\n1,0,0,0,1,1\n";

typedef struct {
  const char *edit[4][2];   /* in the YAML: from, to */
  const char *file[2];      /* a further file: name, text */
  const char *option[3][2]; /* on the command line: name, value */
  const char *text;         /* of the error */

  const BfSections *sections; /* of who reads; NULL: ALL */
} Case;

static const BfSections ALL = {"solve", BF_SECTION_ACTION | BF_SECTION_QUANTIZE,
                               BF_SECTION_ACTION | BF_SECTION_QUANTIZE | BF_SECTION_FLOW};

static char folder[64];

/* The problem's text with the first of each `from` replaced. */
static inline void edit_text(const Case *c, size_t size, char text[]) {
  snprintf(text, size, "%s", YAML);
  for (size_t e = 0; e < LENGTH(c->edit) && c->edit[e][0]; e++) {
    char  rest[2048];
    char *at = strstr(text, c->edit[e][0]);
    if (!at) {
      fail_msg("'%s' is not in the problem", c->edit[e][0]);
      return;
    }
    snprintf(rest, sizeof rest, "%s", at + strlen(c->edit[e][0]));
    snprintf(at, size - (size_t)(at - text), "%s%s", c->edit[e][1], rest);
  }
}

static inline BfStatus read_case(const Case *c, BfProblem **problem, BfError *error) {
  BfOptions *options = NULL;
  char       text[4096], path[128];
  edit_text(c, sizeof text, text);
  write_file(folder, "xor.yaml", text);
  write_file(folder, "xor.csv", XOR);
  write_file(folder, "pop.csv", POPULATION);
  write_file(folder, "target.csv", TARGET);
  if (c->file[0]) write_file(folder, c->file[0], c->file[1]);
  BF_TRY(bf_options_create(&options, error));
  for (size_t k = 0; k < LENGTH(c->option) && c->option[k][0]; k++)
    BF_TRY(bf_options_add(options, c->option[k][0] + 1, c->option[k][1], error));
  snprintf(path, sizeof path, "%s/xor.yaml", folder);
  BfStatus status = bf_problem_read(PETSC_COMM_WORLD, path, c->sections ? c->sections : &ALL, options, problem, error);
  bf_options_destroy(&options);
  return status;
}

static inline BfProblem *good(const Case *c) {
  BfError    error   = {0};
  BfProblem *problem = NULL;
  if (read_case(c, &problem, &error) != BF_OK) fail_msg("%s", error.text);
  return problem;
}

static inline void check_cases(const Case cases[], size_t count) {
  for (size_t k = 0; k < count; k++) {
    BfError    error   = {0};
    BfProblem *problem = NULL;
    read_case(&cases[k], &problem, &error);
    assert_null(problem);
    assert_error(&error, BF_BAD_INPUT, cases[k].text);
  }
}

static inline int make_folder(void **state) {
  (void)state;
  strcpy(folder, "/tmp/bf_problem_XXXXXX");
  return mkdtemp(folder) ? 0 : -1;
}

static inline int remove_folder(void **state) {
  static const char *const names[] = {"xor.yaml", "xor.csv", "pop.csv",    "target.csv", "u.csv",    "r.csv",
                                      "p.csv",    "t.csv",   "points.csv", "train.csv",  "test.csv", "induction.yaml"};
  char                     path[128];
  (void)state;
  for (size_t k = 0; k < LENGTH(names); k++) {
    snprintf(path, sizeof path, "%s/%s", folder, names[k]);
    unlink(path);
  }
  return rmdir(folder);
}
