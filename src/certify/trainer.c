#include "certify/trainer.h"
#include "train/input.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define AT(field) offsetof(BfCertifySettings, field)

const BfOption bf_certify_options[] = {
    {"found", BF_OPTION_TEXT, BF_ANSWER, "RUN.h5", AT(found),
     .meaning = "bound from above by the controls of that result of solve or flow; without it solve and flow are run "
                "first, where the problem has actions"},
    {"gap", BF_OPTION_NUMBER, BF_ANSWER, "X", AT(gap), "0.01", 0, 1,
     .meaning = "end where the bound from below is within X of the cost that was found, relative to it"},
    {"gap_absolute", BF_OPTION_NUMBER, BF_ANSWER, "X", AT(absolute), "0", 0, 1e300,
     .meaning = "or within X, absolute; the larger of both is aimed at"},
    {"boxes", BF_OPTION_INT, BF_ANSWER, "N", AT(boxes), NULL, 1, 0x1p53,
     .meaning = "end behind N boxes, with the gap that was reached; without it there is no such end"},
    {"width", BF_OPTION_INT, BF_ANSWER, "N", AT(width), NULL, 1, 0x1p53,
     .meaning = "where more than N boxes wait, take the last N first, so that memory is bounded; default 4096, with "
                "-boxes without such a bound: what waits at its end decides what is proved"},
    {"symmetry", BF_OPTION_BOOL, BF_ANSWER, NULL, AT(symmetry), "1",
     .meaning = "search one part of the box alone, of those that symmetries of the cost take to each other"},
    {"logits", BF_OPTION_BOOL, BF_ANSWER, NULL, AT(logits), "1",
     .meaning =
         "halve boxes at differences of attention's logits, too, where a matrix A has twice as many free numbers"},
    {"table", BF_OPTION_INT, BF_ANSWER, "T", AT(table), "-1", -1, 0x1p30,
     .meaning =
         "search over the controls of layers below T alone, the others by minorants of the value function there; "
         "0: over all; -1: with one before the last layer where all are too many and tokens have few numbers"},
    {0}};

/* Of solve and flow, where these are run first. */
static const BfSections sections          = {"certify", 0, BF_SECTION_ACTION | BF_SECTION_QUANTIZE | BF_SECTION_FLOW};
const BfSections        bf_certify_spared = {"certify with -found", 0, 0};

static const char *input(const void *state) { return ((const BfCertifyState *)state)->set.found; }

static BfStatus check(const void *state, const BfProblem *problem, BfError *error) {
  (void)state;
  return bf_objective_check(problem, error);
}

/* ---- the file of -found ------------------------------------------------------------------------------------------ */

static BfStatus choose(void *state, const BfRun *run, const BfProblem *problem, BfError *error) {
  BfCertifyState *x = state;
  (void)problem;
  return bf_input_hash(run, "found", x->set.found, &x->hash, error);
}

static BfStatus save(const void *state, BfStore *store, BfError *error) {
  return bf_input_save("found", ((const BfCertifyState *)state)->hash, store, error);
}

static BfStatus restore(void *state, const BfRun *run, BfStore *store, BfError *error) {
  (void)run;
  return bf_input_restore("found", &((BfCertifyState *)state)->hash, store, error);
}

static BfStatus compare(void *state, const BfRun *run, const BfProblem *then, bool all, BfStore *store, bool *differ,
                        BfError *error) {
  BfCertifyState *x = state;
  if (!all && !bf_options_given(run->options, "found")) return BF_OK;
  if (!all) BF_TRY(choose(state, run, then, error));
  return bf_input_compare("found", x->set.found, x->hash, store, differ, error);
}

/* A search that had not begun when the run was stopped reads it once more. */
static BfStatus check_unchanged(const BfCertifyState *x, const BfSession *session, BfError *error) {
  int64_t now;
  if (session->start == BF_FRESH || !x->hash) return BF_OK;
  BF_TRY(bf_input_hash(session->run, "found", x->set.found, &now, error));
  if (now == x->hash) return BF_OK;
  return bf_fail(error, BF_BAD_INPUT, "-found %s is not the file that it was", x->set.found);
}

static BfStatus read_given(BfCertifyState *x, const BfSession *session, BfError *error) {
  if (!x->set.found || x->given.count) return BF_OK;
  BF_TRY(check_unchanged(x, session, error));
  return bf_found_read(session->run, session->problem, x->set.found, NULL, &x->given, error);
}

static BfStatus create(void *state, BfSession *session, BfError *error) {
  BfCertifyState *x = state;
  x->ladder.run     = session->run;
  x->ladder.options = (BfLadderOptions){x->set.gap,      x->set.absolute, x->set.boxes,     bf_certify_width(&x->set),
                                        x->set.symmetry, x->set.logits,   (int)x->set.table};
  BF_TRY(bf_ladder_create(&x->ladder, session->problem, error));
  if (!x->set.found) BF_TRY(bf_certify_clear_way(session, error));
  return session->start == BF_FRESH ? read_given(x, session, error) : BF_OK;
}

/* What was given, as it is and with the numbers that J ignores where they cost least. */
static BfStatus try_given(BfLadder *ladder, BfFound *given, BfError *error) {
  const BfFreeNumbers *free  = &ladder->of.free;
  double               first = INFINITY, least = INFINITY;
  int64_t              which = 0;
  char                 line[128];
  for (int64_t k = 0; k < given->count; k++) {
    double *point = given->point + k * free->all;
    bf_ladder_try(ladder, point);
    for (int64_t i = 0; i < free->all; i++)
      if (!free->depends[i]) point[i] = free->rest[i];
    bf_ladder_try(ladder, point);
    if (k == 0) first = least = ladder->found;
    if (ladder->found < least) which = k, least = ladder->found;
  }
  if (!which) return BF_OK;
  snprintf(line, sizeof line, "number %lld of its /rollout/best costs less: %.10g, not %.10g", (long long)which, least,
           first);
  return bf_found_say(given, line, error);
}

static BfStatus begin(BfCertifyState *x, BfSession *session, BfError *error) {
  BfLadder *ladder = &x->ladder;
  bf_ladder_forget(ladder); /* what a newer, damaged checkpoint has left there */
  BF_TRY(read_given(x, session, error));
  if (!x->set.found) BF_TRY(bf_certify_search(session, &x->given, error));
  BF_TRY(bf_together(session->run->world, try_given(ladder, &x->given, error), error));
  bf_ladder_try(ladder, ladder->of.free.rest);
  bf_ladder_polish(ladder);
  ladder->says  = x->given.says;
  x->given.says = NULL;
  if (!(ladder->found < INFINITY))
    return bf_fail(error, BF_FAILURE, "J has no finite bound from above at any point tried");
  return x->set.found ? BF_OK : bf_ladder_begin(ladder, error);
}

static BfStatus fill_model(const BfCertifyState *x, const BfProblem *problem, BfModel *model, BfError *error) {
  const BfLadder *ladder   = &x->ladder;
  const int64_t   controls = (int64_t)problem->horizon * problem->layer.free, trained = problem->cost.trained;
  BF_TRY(bf_model_create(problem, false, model, error));
  memcpy(model->control, ladder->point, sizeof(double) * (size_t)controls);
  model->readout = ladder->root;
  if (!trained) return BF_OK;
  BF_TRY(BF_NEW(&model->numbers, trained, error));
  memcpy(model->numbers, ladder->point + controls, sizeof(double) * (size_t)trained);
  return BF_OK;
}

static BfStatus train(void *state, BfSession *session, BfError *error) {
  BfCertifyState *x      = state;
  BfLadder       *ladder = &x->ladder;
  ladder->checkpoint     = session->checkpoint;
  BF_TRY(bf_ladder_restore(ladder, error));
  if (!ladder->under_way) BF_TRY(begin(x, session, error));
  if (!x->set.found && !ladder->boxes && !ladder->rungs) bf_certify_forget(session);
  bf_phase_begin(session->run, BF_PHASE_CERTIFY);
  const BfStatus status = bf_ladder_climb(ladder, error);
  bf_phase_end(session->run, BF_PHASE_CERTIFY);
  BF_TRY(status);
  BF_TRY(bf_records_even(session->run->world, &ladder->kept, error));
  BF_TRY(bf_together(session->run->world, BF_NEW(&x->halved, ladder->of.n, error), error));
  bf_records_halved(session->run->world, &ladder->kept, ladder->of.n, x->halved);
  return bf_together(session->run->world, fill_model(x, session->problem, &session->trained.model, error), error);
}

static void destroy(void *state) {
  BfCertifyState *x = state;
  bf_ladder_destroy(&x->ladder);
  bf_found_clear(&x->given);
  bf_free(x->halved);
}

static const char *const outputs[] = {
    "/certificate@boxes",       "/certificate@format",    "/certificate@found",  "/certificate@gap",
    "/certificate@lower",       "/certificate@numbers",   "/certificate@says",   "/certificate@table",
    "/certificate@target",      "/certificate@width",     "/certificate/axes",   "/certificate/axis_range",
    "/certificate/cells",       "/certificate/free",      "/certificate/halved", "/certificate/halved_logits",
    "/certificate/logit_range", "/certificate/logits",    "/certificate/seal",   "/certificate/symmetry",
    "/certificate/tree",        "/certificate/history/*", "/rollout@statement",  NULL};

const BfTrainer bf_certify_trainer = {
    .name     = "certify",
    .about    = "Bounds the training cost from below over all controls in the box, by branch and bound, and says how "
                "far what was found can be from the best.\n",
    .options  = bf_certify_options,
    .sections = &sections,
    .spares   = "found",
    .spared   = &bf_certify_spared,
    .outputs  = outputs,
    .trains_readout = true,
    .size           = sizeof(BfCertifyState),
    .input          = input,
    .choose         = choose,
    .check          = check,
    .save           = save,
    .restore        = restore,
    .compare        = compare,
    .create         = create,
    .train          = train,
    .write          = bf_certify_write,
    .report         = bf_certify_report,
    .destroy        = destroy,
    .estimate       = bf_certify_estimate};
