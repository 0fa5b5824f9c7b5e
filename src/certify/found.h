/* What certify begins from: points of which one gives the first bound from above, and what is known of them. */
#pragma once
#include "bellformer/problem.h"
#include "bellformer/run.h"

typedef struct {
  int64_t count;
  double *point; /* [count][all] of a file its model, then what it tells as its best; owned */
  char   *says;  /* lines, each ends with \n; NULL: none; owned */
} BfFound;

/* What a run reads of a problem where a result is given. */
extern const BfSections bf_certify_spared;

/* The points of a result of solve or flow in place of those that are there, and behind the lines one that says what the
 * file states: whose answer it is, what it cost, and where its problem is another one. Refused where the shape is not
 * the problem's or a number is outside its box. inner: the name of the run of this certificate that wrote the file;
 * NULL: it is -found. Collective. */
BfStatus bf_found_read(const BfRun *run, const BfProblem *problem, const char *path, const char *inner, BfFound *out,
                       BfError *error);
/* Local. */
BfStatus bf_found_say(BfFound *x, const char *line, BfError *error);
void     bf_found_clear(BfFound *x);
