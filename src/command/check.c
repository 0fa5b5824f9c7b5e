/* bellformer check: a certificate of `certify`, verified by arithmetic of another kind. */
#include "check/check.h"
#include "bellformer/model.h"
#include "check/elementary.h"
#include "command/command.h"
#include <stdio.h>

void bf_manual_check(const char *name, BfManual *manual) {
  (void)name;
  *manual = (BfManual){
      .usage = "CERT.h5 [options]",
      .about =
          "Verifies the certificate that `bellformer certify` has written: that its tree of boxes covers the box of "
          "the "
          "controls, that the cost of the layers is at least `lower` on every leaf and wherever a contraction cuts, "
          "and "
          "that the controls found cost at most `found`; where it has a table, that every plane of its cells is below "
          "what "
          "is left of the cost. Everything is computed again, in outward-rounded interval "
          "arithmetic, by code that certify does not use. Says `verified`, or which leaf or plane does not hold (exit "
          "1).\n",
      .options = {bf_run_options},
      .notes   = "Boxes are dealt to ranks; the verdict is the same on any number of them.\n"};
}

/* Digits enough to tell both apart, and rounded away from each other. */
static void tell(BfRun *run, const BfProblem *problem, const BfCertificate *certificate, const BfCheckCount *count) {
  const bool quiet = run->quiet;
  char       lower[BF_SPAN_TEXT], found[BF_SPAN_TEXT], planes[64] = "";
  run->quiet = run->silent; /* the answer is not progress */
  if (certificate->table) snprintf(planes, sizeof planes, " and %lld planes", (long long)count->planes);
  bf_print(run, "verified: %s <= optimum <= %s, %lld leaves%s; of the problem %s\n",
           bf_span_text(certificate->lower, 8, false, lower), bf_span_text(certificate->found, 8, true, found),
           (long long)count->leaves, planes, problem->name);
  run->quiet = quiet;
}

static BfStatus check(BfRun *run, const char *path, BfError *error) {
  BfProblem    *problem     = NULL;
  BfModel       model       = {0};
  BfCertificate certificate = {0};
  BfCheckCount  count;
  BfStatus      status;
  bf_phase_begin(run, BF_PHASE_READ);
  BF_GOTO(bf_model_read(run, path, &problem, &model, error));
  BF_GOTO(bf_certificate_read(run, path, problem, &model, &certificate, error));
  bf_phase_end(run, BF_PHASE_READ);
  BF_GOTO(bf_check(run, path, problem, &model, &certificate, &count, error));
  tell(run, problem, &certificate, &count);
done:
  bf_certificate_clear(&certificate);
  bf_model_clear(&model);
  bf_problem_destroy(&problem);
  return status;
}

BfStatus bf_command_check(BfRun *run, const BfArguments *arguments, BfError *error) {
  BF_TRY(bf_together(run->world, bf_options_refuse_unread(run->options, error), error));
  if (!arguments->file) return bf_fail(error, BF_BAD_INPUT, "check needs a certificate; see `bellformer help check`");
  return check(run, arguments->file, error);
}
