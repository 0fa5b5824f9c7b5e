/* The descent of all particles: steps, reports and checkpoints. */
#include "heads/descend.h"
#include <math.h>
#include <petscsys.h>
#include <string.h>

static const char *const words[] = {"goes on",
                                    "tau was reached",
                                    "the risk is as small as -risk",
                                    "the slope is as small as -slope",
                                    "-ts_max_steps was reached",
                                    "no particle more lowers the risk"};

const char *bf_descent_words(BfDescentEnd end) { return words[end]; }

static BfDescentEnd find_end(const BfDescent *x) {
  if (x->value.risk <= x->set->risk && x->set->risk > 0) return BF_DESCENT_RISK;
  if (fabs(x->value.slope) <= x->set->slope && x->set->slope > 0) return BF_DESCENT_SLOPE;
  return x->tau >= x->round_begin + x->set->tau ? BF_DESCENT_TAU : BF_DESCENT_GOES_ON;
}

static void tell_progress(const BfDescent *x, double before) {
  bf_work_done(x->run, BF_PHASE_HEADS, x->tau - before);
  bf_progress_what(x->run, "tau = %.6g, risk %.6g", x->tau, x->value.risk);
}

BfStatus bf_descent_pause(BfDescent *x, BfError *error) {
  const BfOrder order = bf_checkpoint_ask(x->checkpoint, bf_descent_bytes(x));
  if (order != BF_GO_ON) BF_TRY(bf_descent_save(x, error));
  return order == BF_SAVE_AND_STOP ? bf_checkpoint_stopped(x->checkpoint, error) : BF_OK;
}

/* One step and what follows it. */
static BfStatus go_on(BfDescent *x, BfStepper *stepper, BfError *error) {
  const double before = x->tau;
  BF_TRY(bf_stepper_step(stepper, bf_history_tau(x), error));
  x->end = find_end(x);
  if (x->end == BF_DESCENT_GOES_ON && bf_stepper_is_spent(stepper)) x->end = BF_DESCENT_STEPS;
  tell_progress(x, before);
  if (x->end != BF_DESCENT_GOES_ON || x->tau >= bf_history_tau(x)) BF_TRY(bf_history_note(x, error));
  return x->end == BF_DESCENT_GOES_ON ? bf_descent_pause(x, error) : BF_OK;
}

static BfStatus first_step(BfDescent *x, BfError *error) {
  PetscBool given;
  PetscReal dt = 0;
  BF_TRY(bf_petsc(PetscOptionsGetReal(x->database, NULL, "-ts_dt", &dt, &given), "-ts_dt", error));
  x->next = dt;
  return BF_OK;
}

/* The start is reported, or was; *restored: where it goes on from is a checkpoint's. */
static BfStatus begin(BfDescent *x, int *restored, BfError *error) {
  *restored = 0;
  if (x->checkpoint) BF_TRY(bf_descent_restore(x, restored, error));
  if (!*restored && !x->filled) BF_TRY(bf_descent_fill(x, error));
  const int64_t counted = x->evaluations;
  BF_TRY(bf_descent_evaluate(x, error));
  if (*restored) x->evaluations = counted; /* it was known */
  if (!isfinite(x->value.risk) || !isfinite(x->value.slope))
    return bf_fail(error, BF_FAILURE, "the risk of the initial law is not finite");
  if (*restored) return BF_OK;
  memcpy(x->initial, x->law.theta, sizeof(double) * (size_t)bf_descent_size(x));
  memcpy(x->initial_weight, x->law.weight, sizeof(double) * (size_t)(x->law.layers * x->law.count));
  BF_TRY(bf_together(x->run->world, first_step(x, error), error));
  BF_TRY(bf_history_note(x, error));
  x->end = find_end(x);
  return BF_OK;
}

static BfStatus descend_round(BfDescent *x, BfError *error) {
  BfStepper *stepper = NULL;
  BfStatus   status;
  BF_GOTO(bf_stepper_create(x, &stepper, error));
  while (x->end == BF_DESCENT_GOES_ON) BF_GOTO(go_on(x, stepper, error));
  status = bf_together(x->run->world, bf_stepper_view(stepper, error), error);
done:
  bf_stepper_destroy(&stepper);
  return status;
}

/* A particle more, and a descent from there; steps begin as small as the first. */
static BfStatus begin_round(BfDescent *x, BfError *error) {
  bool lower;
  BF_TRY(bf_descent_insert(x, &lower, error));
  if (!lower) {
    x->end = BF_DESCENT_STATIONARY;
    return BF_OK;
  }
  bf_print(x->run, "round %lld: a particle more, risk %.8g at tau = %.6g\n", (long long)x->round + 1, x->value.risk,
           x->tau);
  BF_TRY(bf_together(x->run->world, first_step(x, error), error));
  x->round++;
  x->round_begin = x->tau;
  x->round_rows  = 1;
  x->end         = find_end(x);
  return x->end == BF_DESCENT_GOES_ON ? BF_OK : bf_history_note(x, error);
}

static BfStatus descend(BfDescent *x, BfError *error) {
  int restored;
  BF_TRY(begin(x, &restored, error));
  const bool over = restored && x->end != BF_DESCENT_GOES_ON;
  if (x->end == BF_DESCENT_GOES_ON) {
    const double left = x->set->tau * (double)(1 + x->set->insert - x->round) - (x->tau - x->round_begin);
    bf_work_expect(x->run, BF_PHASE_HEADS, left, NULL, 1, true);
    BF_TRY(descend_round(x, error));
  }
  while (x->round < x->set->insert && x->end != BF_DESCENT_RISK && x->end != BF_DESCENT_STATIONARY &&
         x->end != BF_DESCENT_STEPS) {
    BF_TRY(begin_round(x, error));
    if (x->end == BF_DESCENT_GOES_ON) BF_TRY(descend_round(x, error));
  }
  return over ? BF_OK : bf_descent_pause(x, error); /* what follows takes time, too */
}

BfStatus bf_descend(BfDescent *x, BfError *error) {
  bf_phase_begin(x->run, BF_PHASE_HEADS);
  PetscOptionsPush(x->database);
  const BfStatus status = descend(x, error);
  PetscOptionsPop();
  bf_phase_end(x->run, BF_PHASE_HEADS);
  return status;
}
