#include "solve/zoom.h"
#include "solve/trainer.h"
#include <math.h>
#include <string.h>

/* ---- what its options come to ---------------------------------------------------------------------------------- */

BfStatus bf_solve_check_zoom(const BfSolveSettings *o, const BfOptions *given, const BfProblem *problem,
                             BfError *error) {
  static const char *const other[] = {"zoom_factor", "zoom_tolerance"};
  for (int i = 0; i < 2 && !o->zoom && !bf_options_given(given, "zoom"); i++)
    if (bf_options_given(given, other[i]))
      return bf_fail(error, BF_BAD_INPUT, "option -%s has no meaning without -zoom", other[i]);
  if (!o->zoom) return BF_OK;
  if (o->stability && o->zoom_tolerance > 0)
    return bf_fail(error, BF_BAD_INPUT,
                   "options -stability and -zoom_tolerance do not go together: which round is the last is known behind "
                   "it; give -zoom alone");
  if (o->beam)
    return bf_fail(error, BF_BAD_INPUT,
                   "options -zoom and -beam do not go together: a round's beam may lose the answer before");
  return bf_zoom_check(problem, error);
}

/* ---- rounds ------------------------------------------------------------------------------------------------------ */

double bf_zoom_part(double factor, int round) {
  double part = 1;
  for (int r = 0; r < round; r++) part *= factor;
  return part;
}

BfStatus bf_zoom_plan(const BfZoom *zoom, double factor, int round, BfZoomPlan *plan, BfError *error) {
  const BfProblem   *given  = zoom->given;
  const BfZoomRound *before = &zoom->round[round - 1];
  return bf_zoom_plan_create(given, bf_zoom_part(factor, round), before->next, before->count * given->horizon,
                             before->control, plan, error);
}

/* Room for so many open loops. */
static BfStatus create_round(const BfProblem *problem, int64_t count, BfZoomRound *round, BfError *error) {
  const int64_t layers = count * problem->horizon;
  *round               = (BfZoomRound){.count = count, .layers = problem->horizon, .free = problem->layer.free};
  BF_TRY(BF_NEW(&round->action, layers, error));
  BF_TRY(BF_NEW(&round->control, layers * problem->layer.free, error));
  return BF_NEW(&round->value, count, error);
}

static void clear_round(BfZoomRound *round) {
  bf_free(round->action);
  bf_free(round->control);
  bf_free(round->value);
  *round = (BfZoomRound){0};
}

void bf_zoom_clear(BfZoom *zoom) {
  for (int r = 0; r < zoom->rounds; r++) clear_round(&zoom->round[r]);
  bf_free(zoom->round);
  bf_free(zoom->problem.action);
  *zoom = (BfZoom){0};
}

/* ---- the set of a round -------------------------------------------------------------------------------------------
 */

/* The least that a round takes is known before it begins; what is complete is in a checkpoint. */
static BfStatus check_memory(const BfRun *run, const BfZoomPlan *plan, int round, BfError *error) {
  const double actions = bf_zoom_most(plan->problem, (double)plan->centres);
  double       want, left;
  char         a[BF_HUMAN], b[BF_HUMAN];
  if (bf_memory_fits(run, bf_zoom_bytes(plan->problem, actions), &want, &left)) return BF_OK;
  return bf_fail(error, BF_BAD_INPUT,
                 "zoom round %d: %.4g actions around %lld controls need %s more a node, %s are free: fewer levels, a "
                 "smaller action.count or -best, or nodes with more memory",
                 round, actions, (long long)plan->centres, bf_human_bytes(want, a), bf_human_bytes(left, b));
}

static BfStatus lay(BfSolveState *x, const BfRun *run, int round, int64_t *taken, BfError *error) {
  BfZoom    *zoom = &x->zoom;
  BfZoomPlan plan = {0};
  BfStatus   status;
  BF_GOTO(bf_together(run->world, bf_zoom_plan(zoom, x->set.zoom_factor, round, &plan, error), error));
  BF_GOTO(check_memory(run, &plan, round, error));
  bf_free(zoom->problem.action);
  zoom->problem        = *zoom->given;
  zoom->problem.action = NULL;
  BF_GOTO(
      bf_together(run->world, bf_zoom_lay(&plan, &zoom->problem.actions, &zoom->problem.action, taken, error), error));
  bf_print(run, "zoom round %d of %lld: %lld actions around %lld controls, in boxes of %.4g of U's sides\n", round,
           (long long)x->set.zoom, (long long)zoom->problem.actions, (long long)plan.centres, plan.part);
done:
  bf_zoom_plan_clear(&plan);
  return status;
}

/* Its space is that of the first round. */
static BfStatus check_space(BfSolveState *x, const BfRun *run, const BfProblem *problem, BfError *error) {
  BfSpaceChoice choice = {.space = x->choice.space};
  const double  left   = bf_memory_least(run);
  BF_TRY(bf_together(run->world, bf_space_size(run, problem, &x->set, left, &choice.full, error), error));
  BF_TRY(bf_together(run->world, bf_reachable_size(problem, NULL, &choice.reachable, error), error));
  BF_TRY(bf_space_agree(run, problem, &x->set, &choice.full, error));
  x->choice.full.untabled = choice.full.untabled;
  return bf_space_check(run, &choice, error);
}

/* ---- between rounds -----------------------------------------------------------------------------------------------
 */

/* Another solve: its work is told afresh. */
static void forget_work(const BfRun *run) {
  static const BfPhase phases[] = {BF_PHASE_COSTS,  BF_PHASE_TABLES, BF_PHASE_SWEEP,
                                   BF_PHASE_EXPAND, BF_PHASE_MERGE,  BF_PHASE_WRITE};
  for (size_t i = 0; i < sizeof phases / sizeof *phases; i++) bf_work_expect(run, phases[i], 0, "", 0, false);
}

static BfStatus save_between(BfCheckpoint *checkpoint, BfError *error) {
  BF_TRY(bf_checkpoint_begin(checkpoint, error));
  BF_TRY(bf_checkpoint_number(checkpoint, "stage", 0, error));
  return bf_checkpoint_end(checkpoint, 0, error);
}

static double round_bytes(const BfZoom *zoom, const BfProblem *problem) {
  double bytes = 0;
  for (int r = 0; r < zoom->rounds; r++)
    bytes += (double)zoom->round[r].count * problem->horizon * (8.0 * problem->layer.free + 12);
  return bytes;
}

static BfStatus between(const BfZoom *zoom, const BfProblem *problem, BfCheckpoint *checkpoint, BfError *error) {
  bf_checkpoint_part(checkpoint, zoom->rounds);
  const BfOrder order = bf_checkpoint_ask_layer(checkpoint, round_bytes(zoom, problem));
  if (order == BF_GO_ON) return BF_OK;
  BF_TRY(save_between(checkpoint, error));
  return order == BF_SAVE_AND_STOP ? bf_checkpoint_stopped(checkpoint, error) : BF_OK;
}

/* ---- a round ------------------------------------------------------------------------------------------------------
 */

static BfStatus keep(const BfProblem *problem, const BfModel *model, const BfBest *best, double cost, int64_t next,
                     BfZoomRound *round, BfError *error) {
  const int64_t q = problem->layer.free, n = best->count ? best->count : 1;
  BF_TRY(create_round(problem, n, round, error));
  round->actions = problem->actions;
  round->next    = next;
  round->cost    = cost;
  memcpy(round->action, best->count ? best->action : model->action,
         sizeof *round->action * (size_t)(n * problem->horizon));
  memcpy(round->value, best->count ? best->cost : &model->quantized_cost, sizeof *round->value * (size_t)n);
  for (int64_t i = 0; i < n * problem->horizon; i++)
    memcpy(round->control + i * q, problem->action + round->action[i] * q, sizeof(double) * (size_t)q);
  return BF_OK;
}

static BfStatus add_round(BfSolveState *x, BfSession *session, const BfProblem *problem, int64_t next, BfError *error) {
  BfZoom        *zoom    = &x->zoom;
  BfModel       *model   = &session->trained.model;
  const BfData  *data    = &problem->train;
  BfRollout      rollout = {0}, *out = &rollout;
  const MPI_Comm world = session->run->world;
  BF_TRY(bf_model_rollout(session->run, problem, model, 1, &data, &out, error));
  const double cost = rollout.cost;
  bf_rollout_clear(&rollout);
  return bf_together(world, keep(problem, model, &x->best, cost, next, &zoom->round[zoom->rounds++], error), error);
}

/* Whether the round with this V_0 is the last one. */
static bool is_last(const void *context, double value) {
  const BfSolveState *x = context;
  const int           r = x->zoom.rounds;
  if (r == x->set.zoom) return true;
  return r > 0 && x->set.zoom_tolerance > 0 && x->zoom.round[r - 1].value[0] - value < x->set.zoom_tolerance;
}

/* A round that does not fit here may fit elsewhere: those before it are kept. */
static BfStatus lay_or_save(BfSolveState *x, BfSession *session, int64_t *taken, BfError *error) {
  BfError  saving = {0};
  BfStatus status = lay(x, session->run, x->zoom.rounds, taken, error);
  if (status == BF_OK) status = check_space(x, session->run, &x->zoom.problem, error);
  if (status == BF_BAD_INPUT && session->checkpoint) {
    save_between(session->checkpoint, &saving);
    if (saving.status == BF_OK)
      bf_print(session->run, "%d rounds are complete and saved: -restart goes on where there is more memory\n",
               x->zoom.rounds);
  }
  return status;
}

/* Tables are of the last round: a round that may be it writes them. */
static BfStatus run_round(BfSolveState *x, BfSession *session, bool *last, BfError *error) {
  BfZoom          *zoom  = &x->zoom;
  const BfProblem *given = session->problem, *problem = given;
  const int        r       = zoom->rounds;
  const bool       may_end = r == x->set.zoom || (r > 0 && x->set.zoom_tolerance > 0);
  int64_t          taken = given->actions, before = 0;
  bf_checkpoint_part(session->checkpoint, r);
  forget_work(session->run);
  if (r > 0) {
    BF_TRY(lay_or_save(x, session, &taken, error));
    problem = &zoom->problem;
    before  = zoom->round[r - 1].next;
  }
  bf_model_clear(&session->trained.model);
  const BfSolveOnce once = {.problem = problem, .tables = may_end, .is_last = is_last};
  BF_TRY(bf_solve_once(x, session, &once, error));
  *last = is_last(x, session->trained.model.quantized_cost);
  BF_TRY(add_round(x, session, problem, before + taken, error));
  return *last ? BF_OK : between(zoom, given, session->checkpoint, error);
}

/* Attributes and arrays of a checkpoint fit each other; now the problem, too. */
static BfStatus check_restored(const BfZoom *zoom, const BfProblem *given, BfError *error) {
  for (int r = 0; r < zoom->rounds; r++)
    if (zoom->round[r].layers != given->horizon || zoom->round[r].free != given->layer.free)
      return bf_fail(error, BF_BAD_INPUT, "/zoom of the checkpoint does not fit the problem");
  return BF_OK;
}

BfStatus bf_zoom_train(BfSolveState *x, BfSession *session, BfError *error) {
  BfZoom  *zoom   = &x->zoom;
  BfStatus status = BF_OK;
  bool     last   = false;
  zoom->given     = session->problem;
  BF_TRY(bf_together(session->run->world, check_restored(zoom, zoom->given, error), error));
  if (!zoom->round) BF_TRY(bf_together(session->run->world, BF_NEW(&zoom->round, x->set.zoom + 1, error), error));
  if (zoom->rounds)
    bf_print(session->run, "restored: %d of %lld rounds are complete\n", zoom->rounds, (long long)x->set.zoom + 1);
  zoom->under_way = true;
  while (!last && status == BF_OK) status = run_round(x, session, &last, error);
  zoom->under_way = false;
  if (status == BF_OK) session->problem = &zoom->problem;
  return status;
}
