#include "train/statement.h"
#include "problem/key_table.h"
#include "run/text.h"
#include "train/trainer.h"
#include <stdio.h>
#include <string.h>

/* Beyond these, halving boxes does not end: share/doc/certify.md. */
enum { CLOSES = 16 };

/* What stands in the way of a certificate, or NULL. */
static const char *unbounded(const BfProblem *problem) {
  const char *what;
  if (!problem->cost.kind->features) return problem->cost.kind->base.name;
  const BfKind *kind = bf_layer_unbounded(&problem->layer, &what);
  return kind ? kind->name : NULL;
}

/* The keys that the line has given, but for those that say which actions there are, and on what: with -found they are
 * refused. */
static void print_keys(const BfSession *session) {
  for (const char *line = session->problem->overrides; line && *line;) {
    const size_t length = strcspn(line, "\n"), name = strcspn(line, "=");
    BfError      unused = {0};
    char      option[BF_OPTION_LENGTH], *value = bf_text_copy(line + name + 1, (int64_t)(length - name - 1), &unused);
    BfKeyName key;
    snprintf(option, sizeof option, "%.*s", (int)name, line);
    if (value && bf_key_name(option, &key) && !bf_key_section(key.row)) {
      bf_print(session->run, " -%s", option);
      bf_print_word(session->run, value);
    }
    bf_free(value);
    line += length + (line[length] == '\n');
  }
}

BfStatus bf_statement_write(const BfSession *session, BfStore *store, BfError *error) {
  char holds[BF_STATEMENT];
  if (!session->trainer->holds) return BF_OK;
  session->trainer->holds(session->state, session, holds);
  return bf_store_put_text(store, "/rollout", "statement", holds, error);
}

void bf_statement_print(const BfSession *session) {
  const BfRun     *run     = session->run;
  const BfProblem *problem = session->problem;
  const char      *kind    = unbounded(problem);
  const char      *file    = session->o.restart ? NULL : session->arguments->file;
  const int64_t    numbers = (int64_t)problem->horizon * problem->layer.free + problem->cost.trained;
  char             holds[BF_STATEMENT];
  if (!session->trainer->holds) return;
  session->trainer->holds(session->state, session, holds);
  bf_print(run, "%s; ", holds);
  if (kind) {
    bf_print(run, "how far that is from the best in the box is not known: %s has no enclosure\n", kind);
    return;
  }
  bf_print(run, "how far from the best in the box: bellformer certify");
  bf_print_word(run, file ? file : "PROBLEM.yaml");
  bf_print(run, " -found");
  bf_print_word(run, session->o.out ? session->o.out : "RUN.h5");
  bf_print(run, " -o CERT.h5");
  print_keys(session);
  if (numbers > CLOSES)
    bf_print(run, " (%lld numbers: more than about %d that matter do not close)", (long long)numbers, CLOSES);
  bf_print(run, "\n");
}
