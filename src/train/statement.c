#include "train/statement.h"

/* Beyond these, halving boxes does not end: share/doc/certify.md. */
enum { CLOSES = 16 };

/* What stands in the way of a certificate, or NULL. */
static const char *unbounded(const BfProblem *problem) {
  const char *what;
  if (!problem->cost.kind->features) return problem->cost.kind->base.name;
  const BfKind *kind = bf_layer_unbounded(&problem->layer, &what);
  return kind ? kind->name : NULL;
}

void bf_print_statement(const BfSession *session, const char *holds) {
  const BfRun     *run     = session->run;
  const BfProblem *problem = session->problem;
  const char      *kind    = unbounded(problem);
  const char      *file    = session->o.restart ? NULL : session->arguments->file;
  const int64_t    numbers = (int64_t)problem->horizon * problem->layer.free + problem->cost.trained;
  bf_print(run, "%s; ", holds);
  if (kind) {
    bf_print(run, "how far that is from the best in the box is not known: %s has no enclosure\n", kind);
    return;
  }
  bf_print(run, "how far from the best in the box: bellformer certify");
  bf_print_word(run, file ? file : "PROBLEM.yaml");
  bf_print(run, " -found");
  bf_print_word(run, session->o.out ? session->o.out : "RUN.h5");
  bf_print(run, " -o CERT.h5%s", problem->overrides && *problem->overrides ? " and the same keys" : "");
  if (numbers > CLOSES)
    bf_print(run, " (%lld numbers: more than about %d that matter do not close)", (long long)numbers, CLOSES);
  bf_print(run, "\n");
}
