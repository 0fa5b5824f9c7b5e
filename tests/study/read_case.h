/* A study file that is good, edits to it, and commands of its own: what reading does without any trainer. */
#pragma once
#include "../problem/scratch.h"
#include "bellformer/run.h"
#include "study/study.h"
#include <mpi.h>

static const char STUDY[] = "name: quantization\n"                                                             /* 1 */
                            "problem: p.yaml\n"                                                                /* 2 */
                            "set: {cost.weight_decay: 0.002, space: reachable}\n"                              /* 3 */
                            "vary:\n"                                                                          /* 4 */
                            "  - {quantize.cells: {from: 4, to: 16, times: 2}}\n"                              /* 5 */
                            "  - {action.count: [16, 64], quantize.atoms: [1, 2]}\n"                           /* 6 */
                            "  - {action.seed: {from: 0, to: 3}}\n"                                            /* 7 */
                            "runs:\n"                                                                          /* 8 */
                            "  - {name: program, command: solve}\n"                                            /* 9 */
                            "  - {command: flow, set: {init: program, scheme: layers}}\n"                      /* 10 */
                            "  - {name: far, command: eval, set: {model: flow, data: big.h5}}\n"               /* 11 */
                            "reference: {quantize.cells: 0}\n"                                                 /* 12 */
                            "measure:\n"                                                                       /* 13 */
                            "  value: program/rollout@cost\n"                                                  /* 14 */
                            "  error: {of: value, minus: reference}\n"                                         /* 15 */
                            "  way: {of: program/rollout/tokens, minus: flow/rollout/tokens, norm: rms}\n"     /* 16 */
                            "  population: far@loss\n"                                                         /* 17 */
                            "  bound: {formula: value / quantize.cells}\n"                                     /* 18 */
                            "over: action.seed\n"                                                              /* 19 */
                            "fit:\n"                                                                           /* 20 */
                            "  - {y: error, x: quantize.cells, expect: -1}\n"                                  /* 21 */
                            "plot: {x: quantize.cells, y: [error, bound], series: action.count, log: both}\n"; /* 22 */

static const char PROBLEM[] = "horizon: 2\ndata: {file: t.csv}\n";

static const BfOption solve_options[] = {{.name = "space", .type = BF_OPTION_TEXT}, {0}},
                      flow_options[]  = {{.name = "init", .type = BF_OPTION_TEXT},
                                         {.name = "scheme", .type = BF_OPTION_TEXT},
                                         {.name = "starts", .type = BF_OPTION_INT},
                                         {0}},
                      eval_options[]  = {
                           {.name = "data", .type = BF_OPTION_TEXT}, {.name = "o", .type = BF_OPTION_TEXT}, {0}};
static const BfOption *const solve_tables[] = {solve_options, NULL}, *const flow_tables[] = {flow_options, NULL},
                             *const eval_tables[]  = {eval_options, NULL};
static const BfSections             solve_sections = {"solve", 3, 3}, flow_sections = {"flow", 0, 5},
                        flow_spared = {"flow with -starts", 0, 1};
static const char *const trained[] =
    {"/rollout@cost", "/rollout@loss", "/rollout/tokens", "/model/*/*", "/provenance@wall_seconds", NULL},
                         *const evaluated[] = {"/@loss", "/tokens", NULL};

static inline bool is_tao(const char *option) { return !strncmp(option, "tao_", 4); }

static const BfStudyCommand commands[] = {
    {.name = "solve", .tables = solve_tables, .sections = &solve_sections, .outputs = trained},
    {.name     = "flow",
     .tables   = flow_tables,
     .sections = &flow_sections,
     .spares   = "starts",
     .spared   = &flow_spared,
     .takes    = is_tao,
     .outputs  = trained},
    {.name = "eval", .file = "model", .tables = eval_tables, .outputs = evaluated},
    {0}};

static char folder[64];

/* Reads what the folder holds as q.yaml with the first of each `from` replaced. */
static inline BfStatus read_edited(const char *const edit[][2], int edits, BfOptions *options, BfStudy **out,
                                   BfError *error) {
  char text[8192], rest[8192], path[128];
  snprintf(text, sizeof text, "%s", STUDY);
  for (int e = 0; e < edits && edit[e][0]; e++) {
    char *at = strstr(text, edit[e][0]);
    if (!at) {
      fail_msg("'%s' is not in the study", edit[e][0]);
      return BF_FAILURE;
    }
    snprintf(rest, sizeof rest, "%s", at + strlen(edit[e][0]));
    snprintf(at, sizeof text - (size_t)(at - text), "%s%s", edit[e][1], rest);
  }
  write_file(folder, "q.yaml", text);
  snprintf(path, sizeof path, "%s/q.yaml", folder);
  return bf_study_read(MPI_COMM_WORLD, path, commands, options, out, error);
}

static inline BfStudy *good_study(void) {
  BfError  error = {0};
  BfStudy *study = NULL;
  if (read_edited(NULL, 0, NULL, &study, &error) != BF_OK) fail_msg("%s", error.text);
  return study;
}

/* Of a line: the words of its options, by twos. */
static inline BfStatus read_line(const char *const words[][2], int count, BfStudy **out, BfError *error) {
  BfOptions *options = NULL;
  char       path[128];
  snprintf(path, sizeof path, "%s/p.yaml", folder);
  BF_TRY(bf_options_create(&options, error));
  for (int i = 0; i < count && words[i][0]; i++) BF_TRY(bf_options_add(options, words[i][0], words[i][1], error));
  const BfStatus status = bf_study_read(MPI_COMM_WORLD, path, commands, options, out, error);
  bf_options_destroy(&options);
  return status;
}

static inline int make_folder(void **state) {
  (void)state;
  strcpy(folder, "/tmp/bf_study_XXXXXX");
  if (!mkdtemp(folder)) return -1;
  write_file(folder, "p.yaml", PROBLEM);
  write_file(folder, "t.csv", "a table");
  return 0;
}

static inline int remove_folder(void **state) {
  static const char *const names[] = {"p.yaml", "t.csv", "q.yaml", "big.h5", "u.csv"};
  char                     path[128];
  (void)state;
  for (size_t k = 0; k < LENGTH(names); k++) {
    snprintf(path, sizeof path, "%s/%s", folder, names[k]);
    unlink(path);
  }
  return rmdir(folder);
}
