/* The options of `bellformer flow`, and what they come to together. */
#include "flow/settings.h"
#include "flow/start.h"
#include <string.h>

#define TEXT_OF(number) #number
#define TEXT(number) TEXT_OF(number)
#define AT(field) offsetof(BfFlowSettings, field)

const BfOption bf_flow_options[] = {
    {"scheme", BF_OPTION_CHOICE, BF_ANSWER, "NAME", AT(scheme), .choice = bf_scheme_name,
     .meaning = "layers (the Transformer itself, with its projection P; the default where -init is a result of solve), "
                "or the flow, without P, by euler, rk4 (the default elsewhere), bs3 or dopri5 (these two choose their "
                "steps)"},
    {"steps", BF_OPTION_INT, BF_ANSWER, "N", AT(steps), NULL, 1, 1000000,
     .meaning = "steps a layer of euler (default " TEXT(
         BF_STEPS_EULER) ": the Transformer but for P) and rk4 (default " TEXT(BF_STEPS_RK4) ")"},
    {"tolerance", BF_OPTION_NUMBER, BF_ANSWER, "X", AT(tolerance), "1e-8", 1e-15, 1,
     .meaning = "of bs3 and dopri5, relative and absolute"},
    {"init", BF_OPTION_TEXT, BF_OF_THIS_START, "WHAT", AT(init),
     .meaning =
         "start at: zero (default; the point of the box next to it), sample (a uniform draw), or RUN.h5 (the "
         "controls of a result of solve or flow; with -best all of its open loops, or minima, a start each; or of a "
         "file that holds /rollout/controls [T, q], and may hold /model/readout, as share/python writes one; at "
         "the middles "
         "of this problem's layers where it has more or fewer, clipped into their box; a readout that this "
         "problem trains starts as the file's, else in the middle)"},
    {"starts", BF_OPTION_INT, BF_ANSWER, "S", AT(starts), NULL, 1, 1000000,
     .meaning = "start from S uniform draws (and from -init); the best is the answer"},
    {"start_ranks", BF_OPTION_INT, BF_OF_THIS_START, "R", AT(ranks), NULL, 1, 0x1p31,
     .meaning =
         "ranks of a group: each group tries one start at a time; without it as many groups as starts fill, where "
         "memory allows. The answer is the same"},
    {"best", BF_OPTION_INT, BF_ANSWER, "B", AT(best), NULL, 1, 1000000, .later = true,
     .meaning = "of the minima that starts have come to, told apart by J to 1e-6 of it, the B least, into "
                "/rollout/best: -init goes on from all of them. So many starts are tried with a small -tao_max_it, and "
                "the best of them for long; starts that stop on the way to one minimum count as several"},
    {"seed", BF_OPTION_INT, BF_ANSWER, "N", AT(seed), "0", 0, 0x1p63, .meaning = "of the draws"},
    {"test_gradient", BF_OPTION_BOOL, BF_OF_THIS_START, NULL, AT(test_gradient),
     .meaning = "compare the gradient at the start with central differences, and stop"},
    {"time_gradient", BF_OPTION_BOOL, BF_OF_THIS_START, NULL, AT(time_gradient),
     .meaning = "time a forward solve and a gradient at the start, and stop"},
    {"trajectory_memory", BF_OPTION_NUMBER, BF_KEPT, "MIB", AT(mebibytes), "512", 0, 1e9,
     .meaning = "that a rank may keep for the adjoint; beyond, layers are integrated twice"},
    {"tao_type", BF_OPTION_OTHER, BF_ANSWER, "TYPE", .standard = "bqnls", .choice = bf_flow_method,
     .meaning = "TAO's method, of those that keep to the box by first derivatives (bqn...: quasi-Newton): "},
    {"tao_max_it", BF_OPTION_OTHER, BF_ANSWER, "N", .standard = "1000", .least = 0,
     .meaning = "iterations from a start; 0: evaluate only"},
    {"tao_gatol", BF_OPTION_OTHER, BF_ANSWER, "X", .standard = "1e-8",
     .meaning = "|projected gradient| at which a search ends"},
    {0}};

bool bf_flow_init_is_file(const char *init) { return init && strcmp(init, "zero") && strcmp(init, "sample"); }

/* What a scheme without a continuous depth does not read. */
static BfStatus check_discrete(const BfOptions *given, const BfFlowSettings *o, BfError *error) {
  static const char *const unread[] = {"steps", "tolerance", "trajectory_memory"};
  const char              *word     = NULL;
  for (int i = 2; i >= 0; i--)
    if (bf_options_given(given, unread[i])) word = unread[i];
  if (!word && o->petsc && strstr(o->petsc, "-ts_")) word = "ts_...";
  if (!word) return BF_OK;
  return bf_fail(error, BF_BAD_INPUT, "option -%s has no meaning where -scheme is %s%s", word,
                 bf_scheme_name(o->scheme),
                 bf_options_given(given, "scheme") ? "" : ", as it is where -init is a result of solve: give -scheme");
}

BfStatus bf_flow_settle(const BfRun *run, BfFlowSettings *o, BfFlowOptions *flow, BfError *error) {
  bool solved = false;
  if (o->scheme < 0 && bf_flow_init_is_file(o->init)) BF_TRY(bf_flow_init_is_solve(run, o->init, &solved, error));
  if (o->scheme < 0) o->scheme = bf_scheme_standard(solved);
  flow->scheme = bf_scheme(bf_scheme_name(o->scheme));
  if (flow->scheme->adaptive && bf_options_given(run->options, "steps"))
    return bf_fail(error, BF_BAD_INPUT,
                   "option -steps has no meaning where -scheme is %s, which chooses its steps: give -tolerance",
                   flow->scheme->name);
  if (!flow->scheme->adaptive && !flow->scheme->discrete && bf_options_given(run->options, "tolerance"))
    return bf_fail(error, BF_BAD_INPUT, "option -tolerance has no meaning where -scheme is %s: give -steps",
                   flow->scheme->name);
  if (flow->scheme->discrete) BF_TRY(bf_together(run->world, check_discrete(run->options, o, error), error));
  if (!o->steps) o->steps = flow->scheme->steps;
  flow->steps     = (int)o->steps;
  flow->tolerance = o->tolerance;
  flow->memory    = o->mebibytes * 0x1p20;
  flow->petsc     = o->petsc;
  return BF_OK;
}

BfStatus bf_flow_check_seed(const BfOptions *given, const BfFlowSettings *o, BfError *error) {
  if (!bf_options_given(given, "seed") || o->starts || (o->init && !strcmp(o->init, "sample"))) return BF_OK;
  return bf_fail(error, BF_BAD_INPUT,
                 "option -seed has no meaning where nothing is drawn: give -starts or -init sample");
}

BfStatus bf_flow_check_profile(const BfRun *run, const BfProblem *problem, const BfFlowOptions *flow, BfError *error) {
  if (!problem->profile_count || !flow->scheme->discrete) return BF_OK;
  return bf_fail(error, BF_BAD_INPUT, "flow.profile must be constant where -scheme is %s%s: layers have no profile",
                 flow->scheme->name,
                 bf_options_given(run->options, "scheme") ? "" : " (the default where -init is a result of solve)");
}
